// threads: replies, what their root says of them, who follows, what is unread; by REST, live, and for those who come back.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { follow, openWs } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { Unread } from "../support/unread.mjs";
import { View } from "../support/view.mjs";
import { channel, head, people, post, rng, sendOp, until } from "./help.mjs";
import { problem } from "../api/help.mjs";

let stack, alice, bob, carol, dave, reader;

before(async () => {
	stack = await startStack({ realtime: 1, conf: { "realtime.ring_events": 64 } });
	[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
	reader = await bot(stack, "alice", ["read"]);
});
after(() => stack?.stop());

const at = (id, ...rest) => ["/api/v1/channels", id, "messages", ...rest].join("/");
async function ok(asked, status = 200) {
	const answer = await asked;
	assert.equal(answer.status, status, answer.text);
	return answer.json;
}
const reply = (who, id, thread, text, { mentions, ...more } = {}) =>
	ok(who.post(at(id), { client_id: randomUUID(), thread, body: { text, ...(mentions && { mentions }) }, ...more }), 201);
const thread = (who, id, root, query = "") => ok(who.get(at(id, root, `thread${query}`)));
const root = async (who, id, seq) => ok(who.get(at(id, seq)));
const list = (who, query = "") => ok(who.get(`/api/v1/me/threads${query}`));
const seqs = (messages) => messages.map((m) => m.seq);
async function counts(who, id) {
	const all = await ok(who.get("/api/v1/me/unread?verify=1"));
	assert.deepEqual(all.drift, []);
	const { unread, mentions } = all.channels.find((c) => c.channel === id) ?? { unread: 0, mentions: 0 };
	return [unread, mentions];
}

test("a reply: a message of the channel, in its thread alone; the root tells of it", async () => {
	const id = await channel(alice, [bob, carol]);
	await post(alice, id, "root");
	await post(alice, id, "next");
	const first = await reply(bob, id, 1, "one");
	assert.deepEqual([first.seq, first.thread, first.in_channel], [3, 1, undefined]);
	const both = await reply(alice, id, 1, "two", { in_channel: true });
	assert.deepEqual([both.seq, both.thread, both.in_channel], [4, 1, true]);
	const last = await reply(bob, id, 1, "three");
	assert.deepEqual(await root(carol, id, 3), first);
	assert.deepEqual((await root(carol, id, 1)).replies, { count: 3, last_seq: 5, last_at: last.created_at, users: [bob.id, alice.id], version: 3 });

	const page = await ok(carol.get(at(id)));
	assert.deepEqual([seqs(page.messages), page.has_before, page.has_after, page.upto], [[1, 2, 4], false, false, 5]);
	const some = await ok(carol.get(`${at(id)}?after=0&limit=2`));
	assert.deepEqual([seqs(some.messages), some.has_before, some.has_after, some.upto], [[1, 2], false, true, 2]);
	assert.deepEqual(seqs((await ok(carol.get(`${at(id)}?around=3&limit=2`))).messages), [2, 4]);

	const whole = await thread(carol, id, 1);
	assert.deepEqual([whole.root.seq, seqs(whole.messages), whole.has_before, whole.has_after], [1, [3, 4, 5], false, false]);
	assert.deepEqual(whole.state, { channel: id, root: 1, following: false, seq: null, version: 0 });
	const answer = await carol.get(at(id, 1, "thread?before=5&limit=1"));
	assert.deepEqual([seqs(answer.json.messages), answer.json.has_before, answer.json.has_after], [[4], true, true]);
	assert.match(answer.headers.link, /thread\?before=4&limit=1>; rel="prev", <[^>]+thread\?after=4&limit=1>; rel="next"/);
	assert.deepEqual(seqs((await thread(carol, id, 1, "?after=3&limit=1")).messages), [4]);
	assert.deepEqual(seqs((await thread(carol, id, 1, "?around=4&limit=2")).messages), [3, 4]);
	assert.deepEqual(seqs((await thread(carol, id, 2)).messages), [], "of what has none");
});

test("what is refused names the field; a retry is the same reply; a root that is deleted keeps its thread", async () => {
	const id = await channel(alice, [bob], "public");
	await post(alice, id, "root");
	const one = await reply(bob, id, 1, "one");
	const send = (who, body) => who.post(at(id), { client_id: randomUUID(), body: { text: "x" }, ...body });
	problem(await send(bob, { thread: 2 }), 422, "unprocessable", "thread");
	problem(await send(bob, { thread: 9 }), 422, "unprocessable", "thread");
	problem(await send(bob, { thread: 0 }), 400, "bad_field", "thread");
	problem(await send(bob, { thread: "1" }), 400, "bad_field", "thread");
	problem(await send(bob, { in_channel: true }), 400, "bad_field", "in_channel");
	problem(await send(bob, { thread: 1, in_channel: 1 }), 400, "bad_field", "in_channel");
	problem(await send(carol, { thread: 1 }), 403, "not_a_member");
	const again = { client_id: one.client_id, body: { text: "one" } };
	assert.deepEqual(await ok(send(bob, { ...again, thread: 1 })), one);
	problem(await send(bob, again), 409, "client_id_reused");
	problem(await send(bob, { ...again, thread: 1, in_channel: true }), 409, "client_id_reused");
	const ws = await openWs(bob);
	assert.equal((await ws.call({ ...sendOp(id, "x"), thread: 2 })).field, "thread");
	assert.equal((await ws.call({ ...sendOp(id, "two"), thread: 1 })).type, "ack");
	await ws.close();

	for (const [method, ...rest] of [["get", "thread"], ["put", "thread/read", { seq: 1 }], ["put", "thread/follow"], ["delete", "thread/follow"]]) {
		problem(await bob[method](at(id, 2, rest[0]), rest[1]), 422, "unprocessable", "seq");
		problem(await bob[method](at(id, 99, rest[0]), rest[1]), 404, "not_found");
		problem(await carol[method](at(id, 1, rest[0]), rest[1]), 403, "not_a_member");
	}
	problem(await bob.put(at(id, 1, "thread/read"), { seq: 0 }), 400, "bad_field", "seq");
	problem(await reader.put(at(id, 1, "thread/follow")), 403, "insufficient_scope");

	assert.equal((await ok(alice.delete(at(id, 1)))).replies.count, 2);
	assert.equal((await reply(bob, id, 1, "three")).thread, 1);
	assert.deepEqual([(await thread(alice, id, 1)).root.deleted, (await thread(alice, id, 1)).messages.length], [true, 3]);
	const bare = await post(alice, id, "bare");
	await ok(alice.delete(at(id, bare.seq)));
	problem(await send(bob, { thread: bare.seq }), 422, "unprocessable", "thread");
});

test("who follows: the root's author, who replies, who is named; markers; the list, unread ones first to be had", async () => {
	const id = await channel(alice, [bob, carol, dave]);
	for (const text of ["one", "two"]) await post(alice, id, text);
	await reply(bob, id, 1, "to alice");
	await reply(bob, id, 2, "to carol", { mentions: [carol.id, bob.id] });
	const of = async (who) => {
		const all = await list(who, "?limit=200");
		return [all.unread, all.threads.filter((t) => t.state.channel === id).map((t) => [t.root.seq, t.state.seq, t.root.replies.last_seq])];
	};
	const unreadBefore = (await list(alice)).unread - 2;
	assert.deepEqual((await of(alice))[1], [[2, 2, 4], [1, 1, 3]]);
	assert.deepEqual((await of(bob))[1], [[2, 4, 4], [1, 3, 3]], "to reply is to have read");
	assert.deepEqual(await of(carol), [1, [[2, 2, 4]]]);
	assert.deepEqual(await of(dave), [0, []]);
	assert.deepEqual((await thread(alice, id, 1)).state, { channel: id, root: 1, following: true, seq: 1, version: 1 });

	assert.equal((await ok(alice.put(at(id, 2, "thread/read"), { seq: 99 }))).seq, 4, "clamped");
	assert.equal((await ok(alice.put(at(id, 2, "thread/read"), { seq: 2 }))).version, 2, "forward only");
	assert.equal((await list(alice)).unread, unreadBefore + 1);
	assert.deepEqual(seqs((await list(alice, "?unread=1&limit=200")).threads.map((t) => t.root).filter((m) => m.channel === id)), [1]);
	const page = await list(alice, "?limit=1");
	assert.equal(page.threads[0].root.seq, 2);
	assert.equal((await list(alice, `?limit=1&before=${page.next}`)).threads[0].root.seq, 1);

	assert.equal((await ok(dave.put(at(id, 1, "thread/read"), { seq: 3 }))).seq, null, "of who has never followed nothing is kept");
	assert.deepEqual(await ok(dave.put(at(id, 1, "thread/follow"))), { channel: id, root: 1, following: true, seq: 3, version: 1 });
	assert.equal((await ok(dave.put(at(id, 1, "thread/follow")))).version, 1);
	assert.deepEqual(await ok(carol.delete(at(id, 2, "thread/follow"))), { channel: id, root: 2, following: false, seq: 2, version: 2 });
	await ok(carol.delete(at(id, 1, "thread/follow")));
	assert.deepEqual(await of(carol), [0, []]);
	const named = await reply(dave, id, 1, "x");
	assert.equal((await of(carol))[0], 0);
	await ok(dave.patch(at(id, named.seq), { body: { text: "x", mentions: [carol.id] } }));
	assert.deepEqual(await of(carol), [1, [[1, named.seq - 1, named.seq]]], "named by an edit");
	await ok(dave.delete(at(id, named.seq)));
	assert.equal((await of(carol))[0], 0, "what is unread was deleted");
	assert.deepEqual((await root(dave, id, 1)).replies.users, [bob.id]);
	await ok(carol.post(`/api/v1/channels/${id}/leave`), 204);
	assert.deepEqual(await of(carol), [0, []], "of channels that one is in");
});

test("a thread whose replies had all been deleted: who follows it hears so again with the next one", async () => {
	const id = await channel(alice, [bob, carol, dave]);
	await post(alice, id, "root");
	const first = await reply(bob, id, 1, "one");
	await ok(bob.delete(at(id, first.seq)));
	const none = (await list(alice)).threads.filter((t) => t.state.channel === id);
	assert.deepEqual(none, [], "no list has it");
	const links = await Promise.all([alice, bob, dave].map((who) => openWs(who, { instance: randomUUID() })));
	const second = await reply(carol, id, 1, "two");
	for (const [ws, state] of [
		[links[0], (await thread(alice, id, 1)).state],
		[links[1], (await thread(bob, id, 1)).state],
	]) {
		const { type: _type, cursor: _cursor, ...told } = await ws.next((l) => l.type === "thread.state" && l.channel === id);
		assert.deepEqual([told, told.following, told.version], [state, true, 1]);
	}
	await links[2].next((l) => l.type === "thread.updated" && l.channel === id);
	// the next one changes nothing for them
	const third = await reply(carol, id, 1, "three");
	for (const ws of links) {
		await ws.next((l) => l.type === "thread.updated" && l.channel === id && l.replies.last_seq === third.seq);
		const told = ws.lines.filter((l) => l.type === "thread.state" && l.channel === id);
		assert.equal(told.length, ws === links[2] ? 0 : 1);
	}
	assert.equal((await list(alice)).threads.find((t) => t.state.channel === id).root.replies.last_seq, third.seq);
	assert.ok(third.seq > second.seq);
	await Promise.all(links.map((ws) => ws.close()));
});

test("who follows a thread before there is a reply hears so again with the first one", async () => {
	const id = await channel(alice, [bob, carol]);
	await post(alice, id, "root");
	const state = await ok(bob.put(at(id, 1, "thread/follow")));
	const ws = await openWs(bob, { instance: randomUUID() });
	await reply(carol, id, 1, "one");
	const { type: _type, cursor: _cursor, ...told } = await ws.next((l) => l.type === "thread.state" && l.channel === id);
	assert.deepEqual([told, told.following], [state, true]);
	await ws.close();
});

test("what is unread in the channel: replies that stand there too; whom a reply names always", async () => {
	const id = await channel(alice, [bob]);
	await post(bob, id, "root");
	await reply(bob, id, 1, "aside");
	await reply(bob, id, 1, "both", { in_channel: true });
	assert.deepEqual(await counts(alice, id), [2, 0]);
	const named = await reply(bob, id, 1, "named", { mentions: [alice.id] });
	const other = await reply(bob, id, 1, "other", { mentions: [alice.id] });
	assert.deepEqual(await counts(alice, id), [2, 2]);
	await ok(bob.delete(at(id, named.seq)));
	await ok(bob.delete(at(id, 3)));
	assert.deepEqual(await counts(alice, id), [1, 1]);
	await ok(alice.put(`/api/v1/channels/${id}/read`, { seq: 3 }));
	assert.deepEqual(await counts(alice, id), [0, 1]);
	await ok(alice.put(`/api/v1/channels/${id}/read`, { seq: other.seq }));
	assert.deepEqual(await counts(alice, id), [0, 0]);
});

test("is:thread finds replies, and tells of which thread", async () => {
	const id = await channel(alice, [bob]);
	await post(alice, id, "needlework root");
	const m = await reply(bob, id, 1, "needlework reply");
	const found = async (q) => (await ok(alice.get(`/api/v1/search?q=${encodeURIComponent(q)}&sort=date`))).results;
	const one = async (what) => until(async () => (await found("needlework is:thread")).length === 1, { what });
	await one("at once, by the log");
	assert.deepEqual((await found("needlework is:thread")).map((f) => [f.seq, f.thread]), [[m.seq, 1]]);
	assert.deepEqual((await found("needlework")).map((f) => [f.seq, f.thread]), [[m.seq, 1], [1, undefined]]);
	const atEnd = "select count(*) from search_state s where s.event = stream_head()";
	await until(async () => (await stack.psql(atEnd)) === "1", { what: "the index is at the end" });
	await one("by the index");
	problem(await alice.get("/api/v1/search?q=is%3Aopen"), 400, "bad_field", "q");
	problem(await alice.get("/api/v1/search?q=has%3Athread"), 400, "bad_field", "q");
});

test("random replies, edits, deletions and marks: events say what a fresh load says, live and resumed on every transport", async (t) => {
	const seed = Number(process.env.PULSECHAT_SEED ?? Date.now() % 1e9);
	t.diagnostic(`seed ${seed}`);
	const r = rng(seed);
	const pick = (a) => a[Math.floor(r() * a.length)];
	const id = await channel(alice, [bob, carol]);
	const rooms = [id], roots = [1, 2, 3], all = [alice, bob, carol];
	for (const n of roots) await post(pick(all), id, `root ${n}`);
	const cursor = await head(alice);
	const fresh = (who) => new View(rooms).load(who);
	const views = await Promise.all(all.map((who) => Promise.all(["live", "ws", "sse", "poll"].map(() => fresh(who)))));
	const live = await Promise.all(all.map((who) => openWs(who, { cursor })));
	const unread = all.map((who) => new Unread(who.id));
	const load = async (i) => {
		const asked = unread[i].at;
		unread[i].load((await ok(all[i].get("/api/v1/channels"))).channels, asked);
	};
	await Promise.all(all.map((_, i) => load(i)));
	const mine = all.map(() => []);
	for (let n = 0; n < 90; n++) {
		const i = Math.floor(r() * all.length);
		const who = all[i];
		const what = r();
		if (n === 60) await ok(alice.delete(at(id, 1)));
		if (what < 0.55) {
			const more = { ...(r() < 0.3 && { in_channel: true }), ...(r() < 0.3 && { mentions: [pick(all).id] }) };
			mine[i].push((await reply(who, id, pick(roots), `reply ${n}`, more)).seq);
		} else if (what < 0.65) mine[i].push((await post(who, id, `message ${n}`)).seq);
		else if (what < 0.75 && mine[i].length) await ok(who.delete(at(id, mine[i].splice(Math.floor(r() * mine[i].length), 1)[0])));
		else if (what < 0.83 && mine[i].length)
			await ok(who.patch(at(id, pick(mine[i])), { body: { text: `edit ${n}`, mentions: r() < 0.5 ? [pick(all).id] : [] } }));
		else if (what < 0.9) await ok(who.put(at(id, pick(roots), "thread/read"), { seq: 1 + Math.floor(r() * 100) }));
		else if (what < 0.95) await ok(who[r() < 0.5 ? "put" : "delete"](at(id, pick(roots), "thread/follow")));
		else await ok(who.put(`/api/v1/channels/${id}/read`, { seq: 1 + Math.floor(r() * 100) }));
	}
	const end = await post(alice, id, "end");
	const ended = (l) => l.type === "message" && l.channel === id && l.seq === end.seq;
	for (const [i, who] of all.entries()) {
		const [byLive, ...later] = views[i];
		await live[i].some(ended);
		const told = (await fresh(who)).state();
		assert.deepEqual(byLive.take(live[i].lines).state(), told, `${i}, live`);
		const said = await counts(who, id);
		let taken = 0;
		await until(
			async () => {
				for (; taken < live[i].lines.length; taken++) unread[i].line(live[i].lines[taken]);
				if (unread[i].wanted.size > 0) await load(i);
				const { unread: n, mentions } = unread[i].of(id);
				return n === said[0] && mentions === said[1];
			},
			{ what: `${i} to count ${said} unread` },
		);
		await live[i].close();
		const feeds = [await openWs(who, { cursor }), await openSse(who, { lastEventId: cursor }), follow(who, { cursor })];
		for (const [k, feed] of feeds.entries()) {
			await feed.some(ended);
			await (feed.close ?? feed.stop).call(feed);
			assert.deepEqual(later[k].take(feed.lines).state(), told, `${i}, resumed by transport ${k}`);
		}
	}
});
