// reads: markers of one person on several devices and in two processes: forward only, told once, together in few statements, each op
// acknowledged when it is committed. Counts under random load: unread.test.mjs.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { Unread } from "../support/unread.mjs";
import { holdOpen } from "../api/help.mjs";
import { channel, crowd, head, people, post, range, rng, say, until } from "./help.mjs";

const COALESCE = 1500;
let stack, alice, bob;

before(async () => {
	const conf = { "reads.coalesce": `${COALESCE}ms`, "database.wait": "2s" };
	stack = await startStack({ provider: false, realtime: 2, api: 1, postgres: { log_statement: "all" }, conf });
	[alice, bob] = await people(stack, "alice", "bob");
});
after(() => stack?.stop());

const membership = async (who, id) => (await who.get(`/api/v1/channels/${id}`)).json.membership;
const read = (id, seq, more) => ({ op: "read", channel: id, seq, ...more });
const linesOf = (feed, id) => feed.lines.filter((l) => l.type === "read" && l.channel === id);
/** How often a process has moved markers so far. */
const statements = () => (stack.log("postgres").match(/execute read_marks/g) ?? []).length;

const holdMember = (id, user) => `SELECT FROM members WHERE channel_id = ${id} AND user_id = ${user} FOR UPDATE`;

/** A device that counts. */
async function device(via, id) {
	const ws = await openWs(alice, { via, cursor: await head(alice) });
	const u = new Unread(alice.id);
	u.load([(await alice.get(`/api/v1/channels/${id}`)).json], 0);
	for (const l of ws.lines) u.line(l);
	const add = ws.add.bind(ws);
	ws.add = (l) => {
		u.line(l);
		add(l);
	};
	return { ws, u };
}

test("RD-1 marker that runs backwards, count that is wrong", async () => {
	const id = await channel(bob, [alice]);
	for (let i = 0; i < 20; i++) await post(bob, id, `m${i}`);
	const [a, b] = [await device("realtime1", id), await device("realtime2", id)];
	assert.equal(a.u.of(id).unread, 20);
	assert.equal((await a.ws.call(read(id, 20))).seq, 20);
	for (const d of [a, b]) await d.ws.some((l) => l.type === "read" && l.channel === id && l.seq === 20);
	assert.equal((await b.ws.call(read(id, 15))).seq, 20, "the marker stands");
	for (let i = 0; i < 5; i++) await post(bob, id, `n${i}`);
	const random = rng(1);
	const acks = await Promise.all(range(1, 50).flatMap(() => [a, b].map((d) => d.ws.call(read(id, 15 + Math.floor(random() * 11))))));
	for (const ack of acks) assert.ok(ack.type === "ack" && ack.seq >= 20 && ack.seq <= 25, JSON.stringify(ack));
	const end = await a.ws.call(read(id, 25));
	assert.equal(end.seq, 25);
	for (const d of [a, b]) await d.ws.some((l) => l.type === "read" && l.channel === id && l.seq === 25);
	for (const d of [a, b]) {
		const told = linesOf(d.ws, id);
		told.forEach((l, i) => assert.ok(i === 0 || l.seq > told[i - 1].seq, "it only grows, and each change is told once"));
		assert.deepEqual(told.map((l) => l.version), range(1, told.length), "every one of them");
		assert.ok(told.length <= 6);
	}
	assert.deepEqual(linesOf(a.ws, id), linesOf(b.ws, id), "both devices are told the same");

	for (let i = 0; i < 5; i++) await post(bob, id, `o${i}`);
	for (const seq of [26, 28, 30]) assert.equal((await bob.delete(`/api/v1/channels/${id}/messages/${seq}`)).status, 200);
	const own = await say(a.ws, id, "mine");
	assert.equal(own.seq, 31);
	for (const d of [a, b]) {
		await d.ws.some((l) => l.type === "message" && l.channel === id && l.seq === 31);
		await d.ws.some((l) => l.type === "message.deleted" && l.channel === id && l.seq === 30);
		assert.deepEqual(d.u.of(id), { unread: 2, mentions: 0, seq: 25, unread_from: null, version: linesOf(a.ws, id).length });
	}
	assert.equal((await membership(alice, id)).unread, 2);
	// deleted when read, or own: nothing changes, and nothing is below zero
	assert.equal((await a.ws.call(read(id, 31))).seq, 31);
	for (const seq of [27, 29]) assert.equal((await bob.delete(`/api/v1/channels/${id}/messages/${seq}`)).status, 200);
	assert.equal((await alice.delete(`/api/v1/channels/${id}/messages/31`)).status, 200);
	for (const d of [a, b]) {
		await d.ws.some((l) => l.type === "message.deleted" && l.channel === id && l.seq === 31);
		await until(() => d.u.of(id).seq === 31);
		assert.equal(d.u.of(id).unread, 0);
	}
	assert.equal((await membership(alice, id)).unread, 0);
	assert.deepEqual((await alice.get("/api/v1/me/unread?verify=1")).json.drift, []);
	await a.ws.close();
	await b.ws.close();
});

test("many ops of one marker are one move, each acknowledged; the next move waits, another marker's does not", async () => {
	const [id, other] = [await channel(bob, [alice]), await channel(bob, [alice])];
	for (let i = 0; i < 30; i++) await post(bob, id, `m${i}`);
	await post(bob, other, "x");
	const a = await openWs(alice, { via: "realtime1" });
	const before = statements();
	const began = Date.now();
	a.send(range(1, 20).map((n) => JSON.stringify(read(id, n, { ref: `n${n}` }))).join("\n"));
	await a.some((l) => l.ref === "n20");
	const acks = a.lines.filter((l) => l.ref?.startsWith("n"));
	assert.deepEqual(acks.map((l) => l.ref), range(1, 20).map((n) => `n${n}`), "in their order");
	for (const l of acks) assert.deepEqual(l, { type: "ack", ref: l.ref, channel: id, seq: 20 });
	assert.equal(statements() - before, 1, "in one statement");
	const late = range(21, 30).map((n) => a.call(read(id, n, { ref: `l${n}` })));
	assert.equal((await a.call(read(other, 1, { ref: "other" }))).seq, 1);
	assert.ok(!a.lines.some((l) => l.ref?.startsWith("l")), "another channel's marker is not held up");
	for (const ack of await Promise.all(late)) assert.equal(ack.seq, 30);
	assert.ok(Date.now() - began >= COALESCE - 20, "at most once in a while");
	await a.some((l) => l.type === "read" && l.channel === id && l.seq === 30);
	assert.deepEqual(linesOf(a, id).map((l) => [l.version, l.seq]), [[1, 20], [2, 30]]);
	assert.equal(statements() - before, 3);
	await a.close();
});

test("read, marked as unread and read on in one go, in their order", async () => {
	const id = await channel(bob, [alice]);
	for (let i = 0; i < 10; i++) await post(bob, id, `m${i}`);
	const a = await openWs(alice, { via: "realtime1" });
	const ops = [read(id, 9, { ref: "1" }), { op: "unread", channel: id, seq: 3, ref: "2" }, read(id, 4, { ref: "3" })];
	a.send(ops.map((o) => JSON.stringify(o)).join("\n"));
	await a.some((l) => l.ref === "3");
	assert.deepEqual(a.lines.filter((l) => l.ref).map((l) => l.seq), [9, 5, 9]);
	const m = await membership(alice, id);
	assert.deepEqual([m.last_read_seq, m.unread_from, m.unread, m.read_version], [9, 5, 6, 1]);
	for (const [op, code, field] of [
		[{ op: "unread", channel: id, seq: 0 }, "bad_field", "seq"],
		[{ op: "unread", channel: id }, "bad_field", "seq"],
		[{ op: "delivered", channel: id, seq: 1 }, "unprocessable", "channel"],
		[{ op: "delivered", channel: id, seq: 1, text: "x" }, "bad_field", "text"],
		[{ op: "unread", channel: 99999999, seq: 1 }, "not_found", undefined],
	]) {
		const e = await a.call(op);
		assert.deepEqual([e.type, e.code, e.field], ["error", code, field], JSON.stringify(op));
	}
	const direct = (await alice.post("/api/v1/channels", { kind: "direct", members: [bob.id] })).json.id;
	const { seq } = await post(bob, direct, "x");
	const his = await openWs(bob, { via: "realtime2" });
	assert.equal((await a.call({ op: "delivered", channel: direct, seq: seq + 5 })).seq, seq);
	assert.equal((await his.call({ op: "delivered", channel: direct, seq })).seq, seq);
	assert.equal(linesOf(a, direct).length, 0, "it is not read by that");
	await a.close();
	await his.close();
});

test("the markers of a crowd go together", async () => {
	const { people: all, room } = await crowd(stack, bob, 60);
	const { seq } = await post(bob, room, "x");
	const before = statements();
	const sockets = await Promise.all(all.map((who) => openWs(who, { via: "realtime1" })));
	const first = (await all[0].get("/api/v1/me")).json.user.id;
	const { release } = await holdOpen(stack, holdMember(room, first));
	const under = [sockets[0].call(read(room, seq))];
	await until(() => statements() - before === 1);
	under.push(...sockets.slice(1).map((ws) => ws.call(read(room, seq))));
	await Promise.all(sockets.map((ws) => ws.call({ op: "ping" })));
	await release();
	const acks = await Promise.all(under);
	for (const ack of acks) assert.deepEqual([ack.type, ack.seq], ["ack", seq]);
	assert.equal(statements() - before, 2, "all that came while one was under way");
	const count = await stack.psql(`SELECT count(*) FROM members WHERE channel_id = ${room} AND last_read_seq = ${seq}`);
	assert.equal(count, "60");
	await Promise.all(sockets.map((ws) => ws.close()));
});

test("a line that was counted before what one knows already: both come to what is true", async () => {
	const id = await channel(bob, [alice]);
	for (let i = 0; i < 6; i++) await post(bob, id, `m${i}`);
	const { ws, u } = await device("realtime1", id);
	const { release } = await holdOpen(stack, `SELECT read_marks('{${id}}', '{${alice.id}}', '{2}', '{0}', '{0}', '{0}', 100, false)`);
	const more = await bob.post(`/api/v1/channels/${id}/messages`, { client_id: crypto.randomUUID(), body: { text: "x", mentions: [alice.id] } });
	assert.equal(more.status, 201);
	assert.equal((await bob.delete(`/api/v1/channels/${id}/messages/4`)).status, 200);
	await ws.some((l) => l.type === "message.deleted" && l.seq === 4);
	assert.deepEqual([u.of(id).unread, u.of(id).mentions, u.of(id).seq], [6, 1, 0], "by the events alone");
	await release();
	const line = await ws.some((l) => l.type === "read" && l.channel === id);
	assert.deepEqual([line.last_seq, line.unread, line.mentions, line.gone], [6, 4, 0, []], "of a snapshot that shows neither");
	assert.deepEqual([u.of(id).unread, u.of(id).mentions, u.of(id).seq], [4, 1, 2]);
	assert.ok(!u.wanted.has(id), "without asking again");
	const m = await membership(alice, id);
	assert.deepEqual([m.unread, m.mentions, m.last_read_seq, m.gone], [4, 1, 2, [4]]);
	await ws.close();
});

test("DL-1 an ack is behind the commit; where the database is away it is an error, and again is safe", async () => {
	const id = await channel(bob, [alice]);
	for (let i = 0; i < 3; i++) await post(bob, id, `m${i}`);
	const a = await openWs(alice, { via: "realtime1", reads: 0 });
	const { release } = await holdOpen(stack, holdMember(id, alice.id));
	const ack = a.call(read(id, 1, { ref: "held" }));
	assert.equal((await a.call({ op: "ping" })).type, "pong");
	assert.equal((await membership(alice, id)).last_read_seq, 0);
	assert.ok(!a.lines.some((l) => l.ref === "held"));
	await release();
	assert.equal((await ack).seq, 1);
	await until(async () => (await membership(alice, id)).last_read_seq === 1);
	await stack.down("postgres");
	const away = await a.call(read(id, 2), 20000);
	assert.deepEqual([away.type, away.code], ["error", "unavailable"]);
	assert.ok(away.retry_after > 0);
	await stack.up("postgres");
	const back = await until(async () => {
		const answer = await a.call(read(id, 2));
		return answer.type === "ack" && answer;
	});
	assert.equal(back.seq, 2);
	// whoever listens by then or not: it is told, also of what nobody heard
	await a.some((l) => l.type === "read" && l.channel === id && l.seq === 2);
	const listener = "FROM pg_stat_activity WHERE application_name = 'realtime1-listen'";
	assert.equal(await stack.psql(`SELECT pg_terminate_backend(pid) ${listener}`, { user: "postgres" }), "t");
	assert.equal((await alice.put(`/api/v1/channels/${id}/read`, { seq: 3 })).status, 200);
	await a.some((l) => l.type === "read" && l.channel === id && l.seq === 3);
	await a.close();
});

test("what waits when the process is stopped is written before", async () => {
	const id = await channel(bob, [alice]);
	for (let i = 0; i < 3; i++) await post(bob, id, `m${i}`);
	const a = await openWs(alice, { via: "realtime1" });
	assert.equal((await a.call(read(id, 1))).seq, 1);
	const second = a.call(read(id, 3), 20000);
	await a.call({ op: "ping" });
	await stack.down("realtime1");
	assert.equal((await second).seq, 3);
	assert.equal((await membership(alice, id)).last_read_seq, 3);
	await stack.up("realtime1");
});
