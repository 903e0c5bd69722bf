// typing: who types is told to those who look at the channel, for a short while, and costs little however often it is said.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { startStack } from "../support/stack.mjs";
import { ok } from "../api/help.mjs";
import { client } from "../support/http.mjs";
import { within } from "../support/lag.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { channel, crowd, followers, head, people, post, range, say, until } from "./help.mjs";

const LAST = 5000, REPEAT = 500, PRESENT_MAX = 20;
let stack, alice, bob, carol, dave;
const { follow, stop } = followers();

before(async () => {
	stack = await startStack({
		provider: false,
		realtime: 2,
		conf: { "typing.last": `${LAST}ms`, "typing.repeat": `${REPEAT}ms`, "typing.present_max": PRESENT_MAX },
		postgres: { log_statement: "all" },
	});
	[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
});
after(() => {
	stop();
	return stack.stop();
});

const lists = (feed, room) => feed.lines.filter((l) => l.type === "typing" && l.channel === room);
const now = (feed, room) => lists(feed, room).at(-1)?.users ?? [];
const sees = (feed, room, users, ms = 10000) =>
	until(() => JSON.stringify(now(feed, room)) === JSON.stringify(users), { ms, what: `${users} are seen to type` });
const acked = async (ws, op) => {
	const ack = await ws.call(op);
	assert.equal(ack.type, "ack", JSON.stringify(ack));
};
async function looks(who, room, via) {
	const f = await openWs(who, { via });
	await acked(f, { op: "focus", channels: [room] });
	await f.some((l) => l.type === "reads" && l.channel === room);
	return f;
}
/** A line of presence tells that all before it has come. */
async function settled(...feeds) {
	for (const f of feeds) assert.equal((await f.call({ op: "ping" })).type, "pong");
}
/** How often a statement that tells who types was run. */
const statements = () => (stack.log("postgres").match(/status FROM typing_send/g) ?? []).length;
const ndjson = { "content-type": "application/x-ndjson" };
const ops = async (who, lines) =>
	(await who.post("/api/v1/ops", lines.map((l) => JSON.stringify(l)).join("\n"), { headers: ndjson })).text.trim().split("\n").map((l) => JSON.parse(l));

test("TY-1 a who starts to type and is gone: over within the time limit; who comes later never sees it", async () => {
	const room = await channel(alice, [bob, carol]);
	const typist = await openWs(alice, { via: "realtime1" });
	const feeds = [await looks(bob, room, "realtime1"), await looks(bob, room, "realtime2")];
	feeds.push(await openSse(bob, { via: "realtime2", query: { focus: room } }));
	await feeds[2].some((l) => l.type === "reads");
	const own = await looks(alice, room, "realtime2");
	const began = Date.now();
	const told = async () => {
		await acked(typist, { op: "typing", channel: room });
		return Promise.all(feeds.map((f) => f.some((l) => l.type === "typing")));
	};
	const want = { type: "typing", channel: room, users: [alice.id], count: 1 };
	for (const line of await within(1000, stack, told, "they see it")) assert.deepEqual(line, want);
	typist.terminate();
	await within(LAST + 500, stack, () => Promise.all(feeds.map((f) => sees(f, room, [], 4 * LAST))), "it is over");
	for (const f of feeds) {
		assert.ok(Date.now() - began >= LAST - 100, `${Date.now() - began} ms`);
		assert.deepEqual(lists(f, room).at(-1), { type: "typing", channel: room, users: [], count: 0 });
		assert.equal(lists(f, room).length, 2);
	}
	for (const via of ["realtime1", "realtime2"]) {
		const late = await looks(carol, room, via);
		await settled(late);
		assert.deepEqual(lists(late, room), []);
		await late.close();
	}
	await settled(own);
	assert.deepEqual(lists(own, room), [], "never oneself");
	for (const f of [...feeds, own]) await f.close();
});

test("TY-1 c a client that says it a hundred times a second: one statement and one notification in the given time", async () => {
	const room = await channel(alice, [bob]);
	const hostile = await openWs(alice, { via: "realtime1" });
	const f = await looks(bob, room, "realtime2");
	const before = statements(), t = Date.now();
	let said = 0;
	while (Date.now() - t < LAST / 2 + 1500 || said < 200) {
		for (let i = 0; i < 5; i++) hostile.send({ op: "typing", channel: room, ref: `t${++said}` });
		await new Promise((ok) => setTimeout(ok, 50));
	}
	await hostile.some((l) => l.ref === `t${said}`);
	const seconds = (Date.now() - t) / 1000;
	await until(() => statements() > before);
	await sees(f, room, [alice.id]);
	const most = Math.ceil((seconds * 1000) / REPEAT) + 1;
	assert.ok(statements() - before <= most, `${statements() - before} statements in ${seconds} s`);
	// told again only now and then while it goes on
	assert.ok(lists(f, room).length <= 1 + Math.ceil((seconds * 1000) / (LAST / 2)), `${lists(f, room).length} lines`);
	assert.ok(lists(f, room).length >= 2);
	assert.equal(hostile.lines.filter((l) => l.type === "ack").length, said, "it is no error");
	assert.equal(await stack.psql("select count(*) from events where type like 'typing%'"), "0");
	// by REST the same
	const rest = statements(), asked = Date.now();
	const answers = await ops(bob, range(1, 200).map(() => ({ op: "typing", channel: room })));
	const given = Math.floor((Date.now() - asked) / REPEAT);
	assert.ok(answers.every((a) => a.type === "ack"), JSON.stringify(answers[0]));
	assert.ok(statements() - rest >= 1 && statements() - rest <= 1 + given, `${statements() - rest} statements, ${given} times in between`);
	await settled(f);
	assert.ok(!lists(f, room).some((l) => l.users.includes(bob.id)), "bob does not see himself");
	await Promise.all([f.close(), hostile.close()]);
});

test("a message ends its sender's typing; what was said before the message and comes after it is ignored", async () => {
	const room = await channel(alice, [bob, carol]);
	const typists = [await openWs(alice, { via: "realtime1" }), await openWs(carol, { via: "realtime2" })];
	const feeds = [await looks(bob, room, "realtime1"), await looks(bob, room, "realtime2")];
	await acked(typists[0], { op: "typing", channel: room, seq: 0 });
	for (const f of feeds) await sees(f, room, [alice.id]);
	await acked(typists[1], { op: "typing", channel: room });
	for (const f of feeds) await sees(f, room, [alice.id, carol.id]);
	await say(typists[0], room, 'a text that says "sender":2,"sender":3');
	const { seq } = await say(typists[0], room, "and a second");
	for (const f of feeds) {
		await sees(f, room, [carol.id]);
		const at = (pred) => f.lines.findIndex(pred);
		assert.ok(at((l) => l.type === "message" && l.seq === seq) >= 0 || (await f.some((l) => l.type === "message" && l.seq === seq)));
	}
	// late ones: of before the message, then one that knows of it
	const late = (user, known) => stack.psql(`select pg_notify('pulsechat', '0 y ${room} ${known} ${user} {}')`);
	await late(alice.id, seq - 1);
	await post(carol, room, "by this the late one has come");
	for (const f of feeds) {
		await sees(f, room, []);
		assert.ok(!lists(f, room).at(-2).users.includes(alice.id));
	}
	await late(carol.id, seq + 1);
	for (const f of feeds) await sees(f, room, [carol.id]);
	for (const f of [...feeds, ...typists]) await f.close();
});

test("TY-1 c in a thread: told apart from the channel's line, to all who look, however they look; another thread is no way around the bound", async () => {
	const room = await channel(alice, [bob, carol]);
	const [root, other] = [(await post(alice, room, "a root")).seq, (await post(alice, room, "another")).seq];
	const answer = ok(await carol.post(`/api/v1/channels/${room}/messages`, { client_id: randomUUID(), thread: root, body: { text: "a reply" } }), 201);
	const typists = [await openWs(alice, { via: "realtime1" }), await openWs(carol, { via: "realtime2" })];
	const feeds = [await looks(bob, room, "realtime1"), await looks(bob, room, "realtime2")];
	feeds.push(await openSse(bob, { via: "realtime2", query: { focus: room } }));
	await feeds[2].some((l) => l.type === "reads");
	const polls = follow(bob, { cursor: await head(bob), wait: 10, focus: room, via: ["realtime2"] });
	await until(() => polls.lines.some((l) => l.type === "reads"));
	feeds.push(polls);
	const own = await looks(alice, room, "realtime2");
	const told = (users, ...threads) => ({
		type: "typing", channel: room, users, count: users.length,
		...(threads.length ? { threads: threads.map(([thread, ...u]) => ({ thread, users: u, count: u.length })) } : {}),
	});
	// They go on until all have seen it, however slow it is.
	const all = async (line, ...going) => {
		for (const [i, f] of feeds.entries())
			await until(async () => {
				for (const [ws, more] of going) await acked(ws, { op: "typing", channel: room, ...more });
				return isDeepStrictEqual(lists(f, room).at(-1), line);
			}, { ms: 10000, what: `feed ${i}: ${JSON.stringify(line)}` });
	};
	const inThread = [typists[0], { thread: root, seq: answer.seq }];
	await all(told([], [root, alice.id]), inThread);
	await all(told([carol.id], [root, alice.id]), inThread, [typists[1], {}]);
	await until(() => isDeepStrictEqual(lists(own, room).at(-1), told([carol.id])), { what: "never oneself" });
	// where he goes on is where he types
	await all(told([carol.id], [other, alice.id]), [typists[0], { thread: other }], [typists[1], {}]);
	// a reply ends it
	const { type } = await typists[0].call({ op: "send", client_id: randomUUID(), channel: room, thread: other, body: { text: "so" } });
	assert.equal(type, "ack");
	for (const f of feeds) await until(() => !lists(f, room).at(-1).threads, { what: "the reply ended it" });
	await post(carol, room, "and hers");
	for (const f of feeds) await sees(f, room, []);
	// by REST; many threads at once are one in the given time
	const before = statements(), asked = Date.now();
	const answers = await ops(alice, range(1, 100).map((n) => ({ op: "typing", channel: room, thread: n % 2 ? root : other })));
	assert.ok(answers.every((a) => a.type === "ack"), JSON.stringify(answers[0]));
	const given = Math.floor((Date.now() - asked) / REPEAT);
	assert.ok(statements() - before <= 1 + given, `${statements() - before} statements`);
	for (const f of feeds)
		await until(async () => {
			await ops(alice, [{ op: "typing", channel: room, thread: root }]);
			return lists(f, room).at(-1).threads?.[0].users[0] === alice.id;
		}, { what: "by REST" });
	// what is wrong names the field; what only the statement can know is passed over on a connection, as an archived channel is
	for (const thread of [0, -1, "1", 1.5]) {
		const bad = { op: "typing", channel: room, thread };
		for (const e of [await typists[1].call(bad), (await ops(carol, [bad]))[0]]) assert.deepEqual([e.code, e.field], ["bad_field", "thread"]);
	}
	for (const thread of [answer.seq, 999999]) {
		const seen = lists(feeds[1], room).length, had = statements();
		await until(async () => {
			await acked(typists[1], { op: "typing", channel: room, thread });
			return statements() > had;
		}, { what: "the statement has judged it" });
		let said;
		await until(async () => {
			[said] = await ops(carol, [{ op: "typing", channel: room, thread }]);
			return said.type === "error"; // one that is passed over is judged by nobody
		}, { what: "an error by REST" });
		assert.deepEqual([said.code, said.field], ["unprocessable", "thread"]);
		await settled(feeds[1]);
		assert.ok(!lists(feeds[1], room).slice(seen).some((l) => JSON.stringify(l).includes(`"users":[${carol.id}`)));
	}
	const stranger = await openWs(dave, { via: "realtime1" });
	assert.equal((await stranger.call({ op: "typing", channel: room, thread: root })).code, "not_a_member");
	await polls.stop();
	for (const s of [...typists, ...feeds.slice(0, 3), own, stranger]) await s.close();
});

test("five names and a count; the list shrinks one by one", async () => {
	const { people: many, room } = await crowd(stack, alice, 7);
	const ids = [];
	for (const who of many) ids.push((await who.get("/api/v1/me")).json.user.id);
	const f = await looks(alice, room, "realtime2");
	const own = await looks(many[6], room, "realtime1");
	const sockets = [];
	for (const [i, who] of many.entries()) sockets.push(await openWs(who, { via: i % 2 ? "realtime1" : "realtime2" }));
	for (const i of sockets.keys()) {
		for (const ws of sockets.slice(0, i + 1)) await acked(ws, { op: "typing", channel: room }); // those of before go on
		await until(() => lists(f, room).at(-1)?.count === i + 1);
	}
	for (const ws of sockets) ws.terminate();
	assert.deepEqual(lists(f, room).at(-1), { type: "typing", channel: room, users: ids.slice(0, 5), count: 7 });
	await until(() => lists(own, room).at(-1)?.count === 6);
	assert.deepEqual(lists(own, room).at(-1).users, ids.slice(0, 5));
	await post(many[1], room, "said");
	await until(() => lists(f, room).at(-1).count < 7);
	assert.ok(!lists(f, room).at(-1).users.includes(ids[1]));
	await until(() => lists(f, room).at(-1).count === 0, { ms: LAST + 5000 });
	await Promise.all([f.close(), own.close()]);
});

test("only from those who may write, and only to those who are in: scopes, strangers, archived channels, a removal", async () => {
	const room = await channel(alice, [bob, carol]), open = await channel(alice, [], "public");
	const f = await looks(bob, room, "realtime2");
	const stranger = await openWs(dave, { via: "realtime1" });
	const lurker = await looks(carol, room, "realtime1");
	const reader = client(stack, { token: await stack.token("carol", ["read"]) });
	for (const id of [room, open, 999999]) {
		const answer = await stranger.call({ op: "typing", channel: id });
		assert.deepEqual([answer.type, answer.code], ["error", "not_a_member"]);
	}
	assert.deepEqual(
		(await ops(dave, [room, open, 999999].map((id) => ({ op: "typing", channel: id })))).map((a) => a.code),
		["not_found", "not_a_member", "not_found"],
	);
	const ws = await openWs(reader, { via: "realtime1" });
	assert.equal((await ws.call({ op: "typing", channel: room })).code, "insufficient_scope");
	await acked(ws, { op: "focus", channels: [room] });
	assert.deepEqual((await ops(reader, [{ op: "typing", channel: room }])).map((a) => a.code), ["insufficient_scope"]);
	for (const bad of [{}, { channel: 0 }, { channel: room, seq: -1 }, { channel: room, user: 1 }])
		assert.equal((await ws.call({ op: "typing", ...bad })).code, "insufficient_scope");
	for (const [bad, field] of [[{}, "channel"], [{ channel: 0 }, "channel"], [{ channel: room, seq: -1 }, "seq"], [{ channel: room, user: 1 }, "user"]]) {
		const answer = await stranger.call({ op: "typing", ...bad });
		assert.deepEqual([answer.code, answer.field], ["bad_field", field]);
	}
	assert.deepEqual(lists(f, room), []);
	// he types, and is removed: his typing goes with him, and he is told nothing more
	const typist = await openWs(carol, { via: "realtime2" });
	await acked(typist, { op: "typing", channel: room });
	await sees(f, room, [carol.id]);
	assert.equal((await alice.delete(`/api/v1/channels/${room}/members/${carol.id}`)).status, 204);
	await within(1000, stack, () => sees(f, room, []), "he types no more");
	await until(async () => (await typist.call({ op: "typing", channel: room })).code === "not_a_member");
	const a = await openWs(alice, { via: "realtime1" });
	await acked(a, { op: "typing", channel: room });
	await sees(f, room, [alice.id]);
	await settled(lurker, ws);
	assert.deepEqual(lists(lurker, room), []);
	assert.deepEqual(lists(ws, room), []);
	const old = await channel(alice, [bob]);
	await stack.psql(`update channels set archived_at = now() where id = ${old}`);
	assert.deepEqual((await ops(alice, [{ op: "typing", channel: old }])).map((x) => x.code), ["unprocessable"]);
	for (const s of [f, stranger, lurker, ws, typist, a]) await s.close();
});

test("where many are present nobody is told, and nothing is said on the bus", async () => {
	const { people: many, room } = await crowd(stack, alice, PRESENT_MAX + 1);
	const present = `user_id in (select user_id from members where channel_id = ${room})`;
	await stack.psql(`begin;
		insert into presence_leases (user_id, node, active_at, expires_at)
			select user_id, 0, now(), now() + interval '1 hour' from members where channel_id = ${room} on conflict do nothing;
		insert into presence (user_id, state) select user_id, 'online' from members where channel_id = ${room}
			on conflict (user_id) do update set state = 'online'; commit`);
	assert.equal(Number(await stack.psql(`select count(*) from presence where state <> 'offline' and ${present}`)), PRESENT_MAX + 2);
	const f = await looks(alice, room, "realtime2");
	const ws = await openWs(many[0], { via: "realtime1" });
	const before = statements();
	await acked(ws, { op: "typing", channel: room });
	await until(() => statements() === before + 1, { what: "it was judged" });
	const others = await Promise.all(range(1, 5).map((i) => openWs(many[i], { via: "realtime1" })));
	await until(async () => {
		// once judged it is known for a while: no statement any more
		const had = statements();
		for (const o of others) await acked(o, { op: "typing", channel: room });
		await new Promise((ok) => setTimeout(ok, 2 * REPEAT));
		return statements() === had;
	});
	assert.deepEqual((await ops(many[7], [{ op: "typing", channel: room }])).map((a) => a.type), ["ack"]);
	await settled(f);
	assert.deepEqual(lists(f, room), []);
	for (const s of [f, ws, ...others]) await s.close();
});

test("by REST and to polls, which see it wherever they ask", async () => {
	const room = await channel(alice, [bob]);
	const f = follow(bob, { cursor: await head(bob), wait: 10, focus: room, via: ["realtime1", "realtime2"] });
	await until(() => f.lines.some((l) => l.type === "reads") && f.polls >= 1);
	await post(alice, room, "the next poll goes to the other one");
	await until(() => f.polls >= 2);
	await post(alice, room, "and back");
	await until(() => f.polls >= 3);
	assert.deepEqual((await ops(alice, [{ op: "typing", channel: room, ref: "x" }])).map((a) => [a.type, a.ref]), [["ack", "x"]]);
	await sees(f, room, [alice.id], 4000);
	await sees(f, room, [], LAST + 4000);
	const t = await ops(alice, [{ op: "typing", channel: room }]);
	assert.equal(t[0].type, "ack");
	await sees(f, room, [alice.id], 4000);
	await post(alice, room, "said");
	await sees(f, room, [], 4000);
	assert.equal(f.failures, 0, String(f.lastFailure));
	await f.stop();
	const own = await poll(alice, { cursor: await head(alice), wait: 0, focus: room, via: "realtime1" });
	assert.deepEqual(own.lines.find((l) => l.type === "typing").users, []);
});
