// lines: what goes over a WebSocket, an event stream or a poll, one JSON object per line (doc/protocol.md, section 5). Each line is a
// schema (Line_… from the server, Op_… to it); x-realtime of the document says by `type` and `op` which.

import { count, int, list, obj, one, only, orNull, ref, text, wish } from "./kit.mjs";
import { marked, schemas } from "./schemas.mjs";
import { CODES } from "./codes.mjs";

const id = ref("Id"),
	seq = ref("Seq"),
	cursor = ref("CursorText");
const wireRef = text(64, 0, { description: "as the op said" });
const of = (name) => marked(schemas[name]);

/** A logged line: what it sets holds good from its cursor on. */
const logged = (type, properties) => obj({ type: only(type), cursor, ...properties });
/** Replayed, of a message whose row is gone as well, nothing is known but its place. */
const deleted = {
	...of("DeletedMessage"),
	id: { ...count, description: "0: its row is gone as well" },
	sender: { ...count, description: "0: its row is gone as well" },
};
const aboutReport = { report: id, channel: id, seq };

const typists = { users: list(id, { maxItems: 5 }), count };

const server = {
	hello: obj({
		type: only("hello"),
		cursor,
		instance: ref("Uuid"),
		user: id,
		heartbeat: { type: "number", description: "seconds" },
		server_time: ref("Time"),
		limits: obj({ message_chars: count, frame_bytes: count, ops: count }),
	}),
	ack: obj(
		{ type: only("ack"), "ref?": wireRef, "client_id?": ref("Uuid"), "channel?": id, "seq?": count, "id?": id },
		{ description: "of `send` with all of it; of markers with `channel` and `seq`; else the bare word" },
	),
	error: obj({
		type: only("error"),
		"ref?": wireRef,
		"client_id?": ref("Uuid"),
		code: one(...Object.keys(CODES)),
		"field?": text(),
		detail: text(),
		"retry_after?": { type: "number", description: "seconds" },
		"until?": ref("Time"),
	}),
	pong: obj({ type: only("pong"), "ref?": wireRef }),
	heartbeat: obj({ type: only("heartbeat"), cursor, sent: { ...count, description: "logged events on this connection so far" } }),
	reset: obj({ type: only("reset"), cursor, reason: text() }, { description: "follow from this cursor, and load anew by REST" }),
	bye: obj({ type: only("bye"), reason: text(), code: int(1000, 4999), "retry_after?": { type: "number" } }),
	cursor: obj({ type: only("cursor"), cursor: text(60, 1), retry_after: { type: "number" } }, { description: "the last line of a poll" }),
	message: { oneOf: [logged("message", of("LiveMessage")), logged("message", deleted)] },
	"message.updated": { oneOf: [logged("message.updated", of("LiveMessage")), logged("message.updated", deleted)] },
	"message.deleted": logged("message.deleted", deleted),
	"reactions.updated": logged("reactions.updated", {
		...of("Reactions"),
		user: { ...id, description: "whose has come or gone" },
	}),
	"pins.updated": logged("pins.updated", of("Pins")),
	"saved.updated": logged("saved.updated", of("Saved")),
	"thread.updated": logged("thread.updated", { channel: id, seq: { ...ref("Seq"), description: "the root's" }, replies: ref("Replies") }),
	"thread.state": logged("thread.state", of("ThreadState")),
	"channel.created": logged("channel.created", { channel: ref("ChannelCore") }),
	"channel.updated": logged("channel.updated", { channel: ref("ChannelCore") }),
	"member.joined": logged("member.joined", of("Member")),
	"member.updated": logged("member.updated", of("Member")),
	"member.left": logged("member.left", { channel: id, user: id }),
	moderated: logged("moderated", {
		action: one("muted", "unmuted", "removed", "banned"),
		channel: { ...orNull(id), description: "null: the site" },
		until: orNull(ref("Until")),
		reason: orNull(text(500)),
	}),
	"report.created": logged("report.created", aboutReport),
	"report.resolved": logged("report.resolved", aboutReport),
	"report.answered": logged("report.answered", { report: ref("OwnReport") }),
	"user.created": logged("user.created", { user: ref("User") }),
	"user.updated": logged("user.updated", { user: ref("User") }),
	"user.deactivated": logged("user.deactivated", { user: ref("User") }),
	"group.created": logged("group.created", { group: ref("Group") }),
	"group.updated": logged("group.updated", { group: ref("Group") }),
	"group.deleted": logged("group.deleted", { group: id }),
	"settings.updated": logged("settings.updated", { settings: ref("Settings") }),
	"prefs.updated": logged("prefs.updated", { channel: id, prefs: ref("Prefs") }),
	"sidebar.updated": logged("sidebar.updated", { sidebar: ref("Sidebar") }),
	"emoji.updated": logged("emoji.updated", {
		name: text(32, 1),
		emoji: { ...orNull(ref("CustomEmoji")), description: "null: it was removed" },
		version: { ...int(1), description: "of all of them" },
	}),
	"session.revoked": logged("session.revoked", { session: { ...orNull(id), description: "null: all" } }),
	read: obj({ type: only("read"), ...of("ReadState") }),
	draft: obj(
		{
			type: only("draft"),
			channel: id,
			thread: orNull(seq),
			version: int(1),
			"text?": text(),
			"files?": list(id),
			"reply_to?": orNull(seq),
			"edited_at?": ref("Time"),
		},
		{ description: "one's own; without `text` it is long: ask for it" },
	),
	presence: obj({ type: only("presence"), users: list(ref("Presence")) }),
	reads: obj({ type: only("reads"), channel: id, reads: list(ref("ReadMark")) }),
	typing: obj({
		type: only("typing"),
		channel: id,
		...typists,
		"threads?": list(obj({ thread: seq, ...typists }), { minItems: 1, maxItems: 16, description: "in which somebody types" }),
	}),
};

const asked = (op, properties = {}) => wish({ op: only(op), "ref?": text(64), ...properties });

const client = {
	send: asked("send", {
		client_id: ref("Uuid"),
		channel: id,
		"thread?": { ...ref("Seq"), description: "it is a reply to this message" },
		"in_channel?": { type: "boolean", description: "of a reply: stands in the channel's line too" },
		body: ref("BodyAsked"),
	}),
	read: asked("read", { channel: id, seq: ref("SeqOrNone") }),
	unread: asked("unread", { channel: id, seq }),
	delivered: asked("delivered", { channel: id, seq: ref("SeqOrNone") }),
	active: asked("active"),
	idle: asked("idle"),
	focus: asked("focus", { channels: list(id, { maxItems: 8 }) }),
	watch: asked("watch", { users: list(id, { maxItems: 200 }) }),
	typing: asked("typing", { channel: id, "thread?": { ...ref("Seq"), description: "of a thread: its root" }, "seq?": ref("SeqOrNone") }),
	ping: asked("ping"),
};

const named = (prefix, lines) => Object.fromEntries(Object.entries(lines).map(([name, schema]) => [prefix + name.replace(".", "_"), schema]));
const refs = (prefix, lines) =>
	Object.fromEntries(Object.keys(lines).map((name) => [name, `#/components/schemas/${prefix}${name.replace(".", "_")}`]));
const union = (prefix, lines, propertyName, description) => ({
	description,
	oneOf: Object.values(refs(prefix, lines)).map(($ref) => ({ $ref })),
	discriminator: { propertyName, mapping: refs(prefix, lines) },
});

export const lineSchemas = {
	Line: union("Line_", server, "type", "one line from the server"),
	Op: union("Op_", client, "op", "one line to the server"),
	...named("Line_", server),
	...named("Op_", client),
};

export const realtime = {
	description:
		"Lines (NDJSON) over a WebSocket at /api/v1/ws (subprotocol pulsechat.v1), as server-sent events or long-polls at /api/v1/events: " +
		"by `type` those from the server, by `op` those to it. Types that you do not know are to be passed over.",
	server: refs("Line_", server),
	client: refs("Op_", client),
};
