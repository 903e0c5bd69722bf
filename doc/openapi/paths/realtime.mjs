// realtime: ops by REST, polls and event streams, the WebSocket's handshake. What goes over them is in lines.mjs.

import { header, int, list, op, ref, text } from "../kit.mjs";

const realtime = { tag: "Realtime" };
const ids = (n) => list(ref("Id"), { maxItems: n });
const cursor = { description: "goes on behind it; without one from now", schema: text(39, 1) };
const instance = { description: "which open tab or running program", schema: ref("Uuid") };
const drafts = { description: "the sum of the `version`s of my drafts, as far as I know them (section 8)", schema: int(0) };
const reads = { description: "the sum of the `version`s of my read markers, as far as I know them (section 6)", schema: int(0) };
const ndjson = (schema) => ({ "application/x-ndjson": { schema, "x-lines": true } });

export const operations = [
	op("POST", "/api/v1/ops", {
		...realtime,
		scope: "",
		id: "doOps",
		summary: "Ops, one on each line: sends, markers, typing",
		description: "At most 256 lines. A line that is refused is an `error` and the others go on; scopes are each op's.",
		query: { instance },
		takes: "lines",
		body: {
			"application/x-ndjson": {
				schema: ref("Op"),
				"x-lines": true,
				example: '{"op":"read","channel":12,"seq":1041}\n{"op":"ping"}\n',
			},
		},
		answers: { 200: { description: "an answer for each op, in their order", headers: {}, content: ndjson(ref("Line")) } },
		codes: ["bad_field"],
	}),
	op("GET", "/api/v1/events", {
		...realtime,
		id: "followEvents",
		summary: "Follow events: long-poll, or with `Accept: text/event-stream` a stream",
		description:
			"A poll answers at once when there is something after the cursor, else when something comes, else after `wait` seconds. " +
			"Its last line is `cursor`. An event stream has the same lines as a WebSocket, `hello` first; there `wait` and `active` are " +
			"unknown, and a session that has ended is answered with 200 and `bye`.",
		query: {
			cursor,
			wait: { description: "seconds; the site may hold it for less", schema: { ...int(0, 55), default: 25 } },
			instance,
			reads,
			drafts,
			focus: { description: "channels whose state is asked for", schema: ids(8) },
			watch: { description: "users whose presence is asked for", schema: ids(200) },
			active: { description: "there was input since the last poll", schema: { type: "integer", const: 1 } },
		},
		answers: {
			200: {
				description: "lines",
				headers: { "PulseChat-Cursor": header("PollCursor") },
				content: { ...ndjson(ref("Line")), "text/event-stream": { schema: { type: "string" }, "x-lines": true } },
			},
		},
		codes: ["bad_cursor", "not_acceptable"],
	}),
	op("GET", "/api/v1/ws", {
		...realtime,
		need: "none",
		id: "openSocket",
		summary: "A WebSocket: version 13, subprotocol pulsechat.v1",
		description:
			"By cookie it needs the exact `Origin`. A session that has ended, or none, is accepted and then closed with 4001. What goes over it: " +
			"`x-realtime`.",
		query: "any",
		also: { instance, cursor, reads, drafts },
		answers: { 101: { description: "lines from now on", headers: {} } },
		codes: ["bad_field", "bad_cursor", "origin_refused", "upgrade_required", "unavailable"],
	}),
];
