// actions: what people do at random in property.test.mjs: a kind of action is an entry of ACTIONS.
//
// Of groups w.groups has the ids, those that are gone too.
//
//   {name, weight, run(w, me)}   run returns an Answer, or true where it was no request; nothing where there was nothing to do it to.
//   w: below(n), one(list), chance(p), people, room(me): {id, kind, last} one that he may be in, rooms: all of them,
//      path(room, seq, ...rest) of a message, seq(room): of a recent one, picture(): the id of a file of the keeper's that may become an emoji.
//   me: a client with id and devices
// What is refused by the state that it meets (met) is part of the game; anything else that is no success fails the test.

import { randomUUID } from "node:crypto";

const STATE = [403, 404, 409, 422];
/** Refused by the state that it met; a group that is gone by now is a bad field. */
export const met = ({ status, json }) => STATE.includes(status) || (status === 400 && json?.code === "bad_field" && json.field === "body.mentions");

const EMOJI = ["👍", "👍🏽", "❤️", "🎉", "👀", "🚀"];
const NAMES = ["party", "wow", "+1"]; // of custom emoji, which are there or not
const CODES = { bad_field: 400, not_a_member: 403, forbidden: 403, muted: 403, not_found: 404, conflict: 409, unprocessable: 422 };

function body(w) {
	const long = w.chance(0.04); // longer than a notification may be
	const text = `${w.below(1e6)} ${long ? "ä".repeat(5000) : "x".repeat(w.below(120))}`;
	const mentions = w.chance(0.3) ? [...new Set([w.one(w.people).id, w.one(w.people).id])] : [];
	if (w.chance(0.2)) mentions.push(w.one(["channel", "channel", "here", ...w.groups.map((id) => `group:${id}`)]));
	return { text, ...(mentions.length > 0 && { mentions }) };
}

/** Sometimes what a message refers to: one of the same room that it quotes, or one of anywhere that is forwarded. */
function references(w, room) {
	if (room.last && w.chance(0.2)) return { reply_to: w.seq(room) };
	const from = w.chance(0.15) && w.one(w.rooms);
	return from && from.last ? { forward: { channel: from.id, seq: w.seq(from) } } : {};
}

async function say(w, me, how) {
	const room = w.room(me);
	if (!room) return;
	return send(w, me, how, room, { body: { ...body(w), ...references(w, room) } });
}

async function send(w, me, how, room, message) {
	const answer = await how({ op: "send", client_id: randomUUID(), channel: room.id, ...message });
	if (!answer.json?.seq) return answer;
	room.last = Math.max(room.last, answer.json.seq);
	me.sent = [...(me.sent ?? []).slice(-20), w.path(room, answer.json.seq)];
	return answer;
}

/** To a message of late, as a rule to one that has replies; sometimes in the channel's line too, sometimes to another reply. */
async function reply(w, me, how) {
	const room = w.room(me);
	const root = room && rootOf(w, room);
	if (!root) return;
	const replies = room.roots?.get(root) ?? [];
	const quoted = w.chance(0.2) && { reply_to: w.one([root, ...replies]) };
	const answer = await send(w, me, how, room, {
		thread: root,
		...(w.chance(0.25) && { in_channel: true }),
		body: { ...body(w), ...quoted },
	});
	if (!answer.json?.seq) return answer;
	room.roots ??= new Map();
	room.roots.set(root, [...replies.slice(-5), answer.json.seq]);
	if (room.roots.size > 5) room.roots.delete(room.roots.keys().next().value);
	me.replies = [...(me.replies ?? []).slice(-10), w.path(room, answer.json.seq)];
	return answer;
}

/** A root of that room, as a rule one that has replies; 0: there is no message. */
const rootOf = (w, room) => (room.roots?.size > 0 && w.chance(0.75) ? w.one([...room.roots.keys()]) : w.seq(room));

const byRest = (me, { op: _op, channel, ...message }) => me.post(`/api/v1/channels/${channel}/messages`, message);
const ndjson = { headers: { "content-type": "application/x-ndjson" } };
const answerOf = (line) => ({ status: line.type === "ack" ? 200 : (CODES[line.code] ?? 500), text: JSON.stringify(line), json: line });

/** By ops: one POST of them, or a device's WebSocket; what a cut leaves open is asked again by REST, with the same client_id. */
async function byOp(w, me, op) {
	const open = me.devices.find((d) => d.feed?.socket?.readyState === 1);
	if (!open || w.chance(0.4)) {
		const answer = await me.post("/api/v1/ops", `${JSON.stringify(op)}\n`, ndjson);
		return answer.status === 200 ? answerOf(JSON.parse(answer.text)) : answer;
	}
	const { feed } = open;
	const line = await Promise.race([feed.call(op, 30000), feed.closed]).catch((e) => (feed.failed ? {} : Promise.reject(e)));
	if (line.type) return answerOf(line);
	return op.op === "send" ? byRest(me, op) : { status: 409 };
}

/** Something with one of the messages of a room. */
const message = (act) => (w, me) => {
	const room = w.room(me);
	const seq = room && w.seq(room);
	return seq ? act(w, me, w.path(room, seq), room, seq) : undefined;
};

/** Something with one of his own messages, as a rule. */
const own = (act) => (w, me) => (me.sent && w.chance(0.8) ? act(w, me, w.one(me.sent)) : message(act)(w, me));

/** Something with one of his own replies. */
const ownReply = (act) => (w, me) => me.replies && act(w, me, w.one(me.replies));

/** Something with a thread. */
const thread = (act) => (w, me) => {
	const room = w.room(me);
	const root = room && rootOf(w, room);
	return root ? act(w, me, `${w.path(room, root)}/thread`, room) : undefined;
};

/** Something with a draft of a channel, or of a thread in it: based on what one of his devices knows. */
const draft = (act) => (w, me) => {
	const room = w.room(me);
	const root = room && w.chance(0.5) ? rootOf(w, room) : 0;
	const version = room && w.one(me.devices).model.draft(room.id, root);
	return room && act(w, me, `/api/v1/channels/${room.id}/draft?${root ? `thread=${root}&` : ""}`, version, room);
};

/** Makes one. */
async function group(w) {
	const members = [...new Set([w.one(w.people).id, w.one(w.people).id, w.one(w.people).id])];
	const answer = await w.keeper.post("/api/v1/groups", { handle: `g${w.below(1e9)}`, name: "some", members });
	if (answer.ok) w.groups.push(answer.json.id);
	return answer;
}

const device = (act) => (w, me) => {
	act(w.one(me.devices), w);
	return true;
};

export const ACTIONS = [
	{ name: "send", weight: 16, run: (w, me) => say(w, me, (op) => byRest(me, op)) },
	{ name: "send by op", weight: 10, run: (w, me) => say(w, me, (op) => byOp(w, me, op)) },
	{
		name: "send twice at once",
		weight: 3,
		run: (w, me) => say(w, me, async (op) => (await Promise.all([byRest(me, op), byOp(w, me, op)]))[0]),
	},
	{ name: "reply", weight: 8, run: (w, me) => reply(w, me, (op) => byRest(me, op)) },
	{ name: "reply by op", weight: 5, run: (w, me) => reply(w, me, (op) => byOp(w, me, op)) },
	{ name: "edit a reply", weight: 3, run: ownReply((w, me, path) => me.patch(path, { body: body(w) })) },
	{ name: "delete a reply", weight: 3, run: ownReply((w, me, path) => me.delete(path)) },
	{ name: "follow a thread", weight: 3, run: thread((w, me, path) => me.put(`${path}/follow`)) },
	{ name: "follow it no more", weight: 3, run: thread((w, me, path) => me.delete(`${path}/follow`)) },
	{ name: "read a thread", weight: 5, run: thread((w, me, path, room) => me.put(`${path}/read`, { seq: w.seq(room) })) },
	{
		name: "write a draft",
		weight: 6,
		run: draft((w, me, path, version, room) => {
			const text = w.chance(0.1) ? "ö".repeat(4000) : `half of ${w.below(1e6)}`; // longer than its line may be
			return me.put(path.slice(0, -1), { text, version, ...(w.chance(0.2) && room.last && { reply_to: w.seq(room) }) });
		}),
	},
	{
		name: "take a draft away",
		weight: 3,
		run: draft((w, me, path, version) => me.delete(w.chance(0.5) ? `${path}version=${version}` : path.slice(0, -1))),
	},
	{ name: "edit", weight: 10, run: own((w, me, path) => me.patch(path, { body: body(w) })) },
	{ name: "delete", weight: 6, run: own((w, me, path) => me.delete(path)) },
	{ name: "take a preview away", weight: 1, run: own((w, me, path) => me.delete(`${path}/preview`)) },
	{
		name: "react",
		weight: 12,
		run: message((w, me, path) => me.put(`${path}/reactions/${encodeURIComponent(w.one(EMOJI))}`)),
	},
	{
		name: "unreact",
		weight: 6,
		run: message((w, me, path) => me.delete(`${path}/reactions/${encodeURIComponent(w.one(EMOJI))}`)),
	},
	{
		name: "add an emoji",
		weight: 2,
		run: async (w) => w.keeper.post("/api/v1/emoji", { name: w.one(NAMES), file: await w.picture() }),
	},
	{ name: "remove an emoji", weight: 1, run: (w) => w.keeper.delete(`/api/v1/emoji/${encodeURIComponent(w.one(NAMES))}`) },
	{
		name: "react with a custom emoji",
		weight: 3,
		run: message(async (w, me, path) => {
			const answer = await me.put(`${path}/reactions/${encodeURIComponent(`:${w.one(NAMES)}:`)}`);
			return answer.json?.code === "bad_field" ? undefined : answer; // there is none of this name now
		}),
	},
	{
		name: "take such a reaction away",
		weight: 2,
		run: message((w, me, path) => me.delete(`${path}/reactions/${encodeURIComponent(`:${w.one(NAMES)}:`)}`)),
	},
	{
		name: "mark",
		weight: 8,
		run: message((w, me, _path, room, seq) => byOp(w, me, { op: w.one(["read", "read", "unread"]), channel: room.id, seq })),
	},
	{
		name: "make a channel",
		weight: 2,
		async run(w, me) {
			if (w.rooms.length >= 10) return;
			const members = [w.one(w.people), w.one(w.people), w.one(w.people)].map((p) => p.id);
			const kind = w.one(["public", "private"]);
			const answer = await me.post("/api/v1/channels", { name: `made ${w.rooms.length} ${w.below(1e9)}`, kind, members });
			if (answer.ok) w.rooms.push({ id: answer.json.id, kind, last: 0 });
			return answer;
		},
	},
	{ name: "open a direct channel", weight: 1, run: async (w, me) => w.direct(me, w.one(w.people)) },
	{
		name: "join",
		weight: 5,
		run: (w, me) => me.post(`/api/v1/channels/${w.one(w.rooms.filter((r) => r.kind === "public")).id}/join`),
	},
	{ name: "leave", weight: 4, run: (w, me) => me.post(`/api/v1/channels/${w.one(w.rooms).id}/leave`) },
	{
		name: "take somebody in",
		weight: 5,
		run: (w, me) => w.room(me) && me.post(`/api/v1/channels/${w.room(me).id}/members`, { user: w.one(w.people).id }),
	},
	{
		name: "put somebody out",
		weight: 3,
		run(w, me) {
			const who = w.chance(0.7) ? w.keeper : me;
			return who.delete(`/api/v1/channels/${w.one(w.rooms).id}/members/${w.one(w.people).id}`);
		},
	},
	{
		name: "give a role",
		weight: 2,
		run: (w) =>
			w.keeper.patch(`/api/v1/channels/${w.one(w.rooms).id}/members/${w.one(w.people).id}`, {
				role: w.one(["member", "moderator"]),
			}),
	},
	{
		name: "rename a channel",
		weight: 2,
		run(w) {
			const room = w.one(w.rooms);
			return w.keeper.patch(`/api/v1/channels/${room.id}`, { topic: `about ${w.below(1e6)}` });
		},
	},
	{
		name: "say what newcomers see",
		weight: 3,
		run: (w) => w.keeper.patch(`/api/v1/channels/${w.one(w.rooms).id}`, { history: w.one(["all", "joined", "joined"]) }),
	},
	{
		name: "archive, and back",
		weight: 1,
		async run(w) {
			const room = w.one(w.rooms);
			const answer = await w.keeper.patch(`/api/v1/channels/${room.id}`, { archived: true });
			return answer.ok ? w.keeper.patch(`/api/v1/channels/${room.id}`, { archived: false }) : answer;
		},
	},
	{
		name: "make a group",
		weight: 1,
		async run(w) {
			if (w.groups.length >= 6) return;
			const members = [...new Set([w.one(w.people).id, w.one(w.people).id, w.one(w.people).id])];
			const answer = await w.keeper.post("/api/v1/groups", { handle: `g${w.below(1e9)}`, name: "some", members });
			if (answer.ok) w.groups.push(answer.json.id);
			return answer;
		},
	},
	{
		name: "change a group",
		weight: 2,
		run: (w) =>
			w.groups.length > 0 && w.keeper.patch(`/api/v1/groups/${w.one(w.groups)}`, { add: [w.one(w.people).id], remove: [w.one(w.people).id] }),
	},
	{ name: "delete a group", weight: 0.3, run: (w) => w.groups.length > 0 && w.keeper.delete(`/api/v1/groups/${w.one(w.groups)}`) },
	{
		name: "say who may name a channel",
		weight: 1,
		run: (w) => w.keeper.patch(`/api/v1/channels/${w.one(w.rooms).id}`, { mention_all: w.one(["everyone", "everyone", "moderators"]) }),
	},
	{
		name: "say how long is kept",
		weight: 1,
		run: (w) => w.keeper.patch(`/api/v1/channels/${w.one(w.rooms).id}`, { keep_days: w.one([null, 30, 365]) }),
	},
	{ name: "pin", weight: 3, run: message((w, me, path) => (w.chance(0.7) ? w.keeper : me).put(`${path}/pin`)) },
	{ name: "unpin", weight: 2, run: message((w, me, path) => (w.chance(0.7) ? w.keeper : me).delete(`${path}/pin`)) },
	{ name: "save", weight: 4, run: message((w, me, path) => me.put(`${path}/saved`)) },
	{ name: "save no more", weight: 2, run: message((w, me, path) => me.delete(`${path}/saved`)) },
	{
		name: "say what one wants of a channel",
		weight: 3,
		run(w, me) {
			const room = w.room(me);
			const [notify, quiet_until] = [w.one(["all", "nothing", null]), w.one(["forever", null])];
			const want = w.one([{ notify }, { quiet_until }, { favourite: w.chance(0.5) }]);
			return room && me.patch(`/api/v1/channels/${room.id}/prefs`, want);
		},
	},
	{
		name: "arrange the side bar",
		weight: 2,
		run(w, me) {
			const sections = ["favourites", "channels", "direct"].map((kind) => ({ kind, collapsed: w.chance(0.5) }));
			if (w.chance(0.5)) sections.push({ kind: "own", id: randomUUID(), name: `own ${w.below(9)}`, collapsed: false });
			return me.put("/api/v1/me/sidebar", { sections: w.chance(0.5) ? sections : sections.reverse() });
		},
	},
	{ name: "say where one is", weight: 1, run: (w, me) => me.patch("/api/v1/me", { time_zone: w.one(["Europe/Zurich", "Asia/Tokyo", null]) }) },
	{ name: "set a status", weight: 1, run: (w, me) => me.put("/api/v1/me/status", { text: `busy with ${w.below(1e6)}` }) },
	{ name: "lose the connection", weight: 5, run: device((d) => d.cut()) },
	{ name: "change the transport", weight: 4, run: device((d, w) => d.change(w)) },
	{ name: "be away for a while", weight: 2, run: device((d, w) => d.away(500 + w.below(6000))) },
];
