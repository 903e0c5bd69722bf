// changes: what becomes of messages that are there already, live and for those who come back: edits, deletions, reactions.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { View } from "../support/view.mjs";
import { caughtUp, channel, head, inOrder, people, post, range, sendOp, until } from "./help.mjs";

let stack, alice, bob, carol, far;

before(async () => {
	stack = await startStack({ provider: false, realtime: 2, conf: { "realtime.ring_events": 64 } });
	[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
	far = await channel(alice, [carol]);
});
after(() => stack.stop());

const at = (id, seq, ...rest) => ["/api/v1/channels", id, "messages", seq, ...rest].join("/");
async function ok(asked) {
	const answer = await asked;
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
}
const edit = (who, id, seq, text, mentions) => ok(who.patch(at(id, seq), { body: { text, ...(mentions && { mentions }) } }));
const react = (who, id, seq, emoji) => ok(who.put(at(id, seq, "reactions", encodeURIComponent(emoji))));
const unreact = (who, id, seq, emoji) => ok(who.delete(at(id, seq, "reactions", encodeURIComponent(emoji))));

/** So many events elsewhere that what came before is in no process's memory any more. */
async function pushOut() {
	const a = await openWs(alice);
	a.send(range(1, 100).map((i) => JSON.stringify(sendOp(far, `m${i}`))).join("\n"));
	await until(() => a.lines.filter((l) => l.type === "ack").length === 100, { what: "100 acks" });
	await a.close();
}

/** What comes after the cursor, by each transport and process: [name, lines, all bytes]. */
async function resumes(who, cursor, enough) {
	const all = [];
	// One that has not come to a deletion yet gives the message as it stands in the log up to there.
	await caughtUp(who, "realtime1", "realtime2", "api1");
	for (const via of ["realtime1", "realtime2"]) {
		const ws = await openWs(who, { cursor, via });
		await ws.some(enough);
		await ws.close();
		all.push([`WebSocket ${via}`, ws.lines]);
		const sse = await openSse(who, { lastEventId: cursor, via });
		await sse.some(enough);
		await sse.close();
		all.push([`SSE ${via}`, sse.lines]);
		const polls = follow(who, { cursor, via });
		await polls.some(enough);
		await polls.stop();
		all.push([`poll ${via}`, polls.lines]);
	}
	for (let p, from = cursor, lines = []; ; from = p.cursor) {
		p = await poll(who, { cursor: from, wait: 0, via: "api1" });
		lines.push(...p.lines);
		if (lines.some(enough)) {
			all.push(["poll of pulsechat-api", lines]);
			break;
		}
	}
	return all;
}

test("DL-4 edits, deletions and reactions made while away: on resume the state is that of a fresh load, a deleted text is nowhere", async () => {
	const room = await channel(alice, [bob]);
	for (let seq = 1; seq <= 6; seq++) await post(alice, room, seq === 6 ? "6 secret" : `m${seq}`);
	await react(bob, room, 4, "👀");
	await react(alice, room, 4, "👀");
	await edit(alice, room, 6, "6 secret, better hidden");
	const cursor = await head(bob);
	const before = async () => new View([room]).take(held);
	const held = (await ok(bob.get(`/api/v1/channels/${room}/messages`))).messages.map((m) => ({ type: "message", ...m }));
	held.push({ type: "channel.updated", channel: await ok(bob.get(`/api/v1/channels/${room}`)) });

	await edit(alice, room, 5, "m5 as it is now", [bob.id]);
	await edit(alice, room, 6, "6 secret once more");
	await ok(alice.delete(at(room, 6)));
	await react(alice, room, 3, "❤");
	await react(alice, room, 3, "🎉");
	await unreact(alice, room, 4, "👀");
	await ok(alice.patch(`/api/v1/channels/${room}`, { name: `renamed ${room}` }));
	await post(alice, room, "m7");

	const fresh = (await new View([room]).load(bob)).state();
	assert.equal(fresh[0].messages.length, 7);
	assert.deepEqual(fresh[0].messages[2].reactions.map((r) => r.emoji), ["❤\u{fe0f}", "🎉"]);
	assert.deepEqual(fresh[0].messages[3].reactions, [{ emoji: "👀", count: 1, users: [bob.id] }]);
	for (const from of ["memory", "the log"]) {
		if (from === "the log") await pushOut();
		for (const [name, lines] of await resumes(bob, cursor, (l) => l.type === "message" && l.seq === 7)) {
			const view = await before();
			assert.deepEqual(view.take(lines).state(), fresh, `${name}, from ${from}`);
			assert.deepEqual(view.take(lines).take(lines.toReversed()).state(), fresh, `${name}: twice, and backwards`);
			assert.doesNotMatch(JSON.stringify(lines), /secret/, `${name}, from ${from}`);
			const types = lines.filter((l) => l.seq && l.type !== "read").map((l) => `${l.type} ${l.seq}`);
			const reacted = ["reactions.updated 3", "reactions.updated 3", "reactions.updated 4"];
			const wanted = ["message.updated 5", "message.updated 6", "message.deleted 6", ...reacted, "message 7"];
			assert.deepEqual(types, wanted, `${name}: nothing more and nothing twice`);
		}
	}
});

test("live: an edit brings the whole message, a reaction its list without the text; a deleted one's lines are gone from memory", async () => {
	const room = await channel(alice, [bob]);
	const cursor = await head(bob);
	const feeds = [await openWs(bob, { via: "realtime1" }), await openSse(bob, { via: "realtime2" }), follow(bob, { cursor, via: "realtime1" })];
	// one by one: who comes late is given what a message has become
	const all = async (type, wanted) => {
		for (const f of feeds) {
			const { cursor: c, type: _t, ...rest } = await f.some((l) => l.type === type && l.channel === room);
			assert.ok(c);
			assert.deepEqual(rest, wanted);
		}
	};
	await all("message", await post(alice, room, "the first text"));
	await all("message.updated", await edit(alice, room, 1, "the second text"));
	await all("reactions.updated", { ...(await react(bob, room, 1, "👍")), user: bob.id });
	await all("message.deleted", await ok(alice.delete(at(room, 1))));
	feeds.forEach(inOrder);
	await Promise.all(feeds.map((f) => (f.stop ?? f.close)()));
	for (const [name, lines] of await resumes(bob, cursor, (l) => l.type === "message.deleted"))
		assert.doesNotMatch(JSON.stringify(lines), /text/, name);
});

test("a large edit goes by the log, and comes whole", async () => {
	const room = await channel(alice, [bob]);
	await post(alice, room, "short");
	const b = await openWs(bob);
	const text = "ä".repeat(9000);
	await edit(alice, room, 1, text);
	assert.equal((await b.next("message.updated")).body.text, text);
	await b.close();
});
