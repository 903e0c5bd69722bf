// reads: markers, mark as unread, deliveries, receipts, readers, what is unread and whether that is so, mentions, deletion: by REST and
// POST /api/v1/ops. Several at once: what two transactions do to each other.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { bot, signIn } from "../support/http.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { follow, poll } from "../support/realtime.mjs";
import { allMessages, backends, holdOpen, makeChannel, me, ok, problem, send } from "./help.mjs";
import { until } from "../support/until.mjs";

let stack, alice, bob, carol, reader, ids;

before(async () => {
	stack = await startStack({ realtime: 0, api: 2, conf: { "reads.receipts_max": "5" } });
	[alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((h) => bot(stack, h)));
	reader = await bot(stack, "bob", ["read"]);
	ids = { alice: (await me(alice)).id, bob: (await me(bob)).id, carol: (await me(carol)).id };
});
after(() => stack?.stop());

const path = (id, ...rest) => ["/api/v1/channels", id, ...rest].join("/");
const mark = (who, id, kind, seq) => who.put(path(id, kind), { seq });
const membership = async (who, id) => ok(await who.get(path(id))).membership;
const say = async (who, id, mentions) =>
	ok(await who.post(path(id, "messages"), { client_id: randomUUID(), body: { text: "x", ...(mentions && { mentions }) } }), 201);
const talk = async (who, id, n) => {
	for (let i = 0; i < n; i++) await say(who, id);
};
const remove = (who, id, seq) => who.delete(path(id, "messages", seq));
const unread = async (who) => {
	const all = ok(await who.get("/api/v1/me/unread?verify=1"));
	assert.deepEqual(all.drift, []);
	return all;
};
const post = async (who, ops) => {
	const headers = { "content-type": "application/x-ndjson" };
	const answer = await who.post("/api/v1/ops", ops.map((o) => JSON.stringify(o)).join("\n"), { headers });
	assert.equal(answer.status, 200, answer.text);
	return answer.text.trim().split("\n").map((l) => JSON.parse(l));
};

test("read, unread and delivered: what each answers and refuses", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob] })).id;
	await talk(alice, id, 10);
	const state = { channel: id, seq: 0, version: 0, last_seq: 10, unread: 10, mentions: 0, unread_from: null, gone: [], wide: [], read_receipts: true };
	assert.deepEqual(ok(await mark(bob, id, "read", 0)), state);
	assert.deepEqual(ok(await mark(bob, id, "read", 7)), { ...state, seq: 7, version: 1, unread: 3 });
	assert.deepEqual(ok(await mark(bob, id, "unread", 3)), { ...state, seq: 7, version: 2, unread: 8, unread_from: 3 });
	assert.deepEqual(ok(await mark(bob, id, "read", 5)), { ...state, seq: 7, version: 3, unread: 5, unread_from: 6 });
	assert.deepEqual(ok(await mark(bob, id, "read", 2)), { ...state, seq: 7, version: 3, unread: 5, unread_from: 6 });
	assert.deepEqual(ok(await mark(bob, id, "unread", 8)), { ...state, seq: 7, version: 4, unread: 3 });
	assert.deepEqual(ok(await mark(bob, id, "unread", 1)), { ...state, seq: 7, version: 5, unread: 10, unread_from: 1 });
	assert.deepEqual(ok(await mark(bob, id, "read", 999)), { ...state, seq: 10, version: 6, unread: 0 });
	const m = await membership(bob, id);
	const { since, ...own } = m;
	assert.ok(since > 0);
	const last = { last_read_seq: 10, unread_from: null, read_version: 6 };
	assert.deepEqual(own, { role: "member", first_seq: 1, ...last, unread: 0, mentions: 0, gone: [], wide: [], read_receipts: true, muted_until: null });
	problem(await mark(bob, id, "delivered", 1), 422, "unprocessable", "channel");
	for (const kind of ["read", "unread", "delivered"]) {
		for (const seq of [-1, 1.5, "1", null, undefined, 2 ** 53]) problem(await mark(bob, id, kind, seq), 400, "bad_field", "seq");
		problem(await mark(carol, id, kind, 1), 403, "not_a_member");
		problem(await mark(carol, 999999, kind, 1), 404, "not_found");
		problem(await mark(reader, id, kind, 1), 403, "insufficient_scope");
		problem(await bob.put(path(id, kind), { seq: 1, more: 1 }), 400, "bad_field", "more");
		problem(await bob.get(path(id, kind)), 405, "method_not_allowed");
	}
	problem(await mark(bob, id, "unread", 0), 400, "bad_field", "seq");
	const secret = (await makeChannel(alice, { kind: "private" })).id;
	problem(await mark(bob, secret, "read", 1), 404, "not_found");
	const direct = ok(await alice.post("/api/v1/channels", { kind: "direct", members: [ids.bob] }), 201).id;
	await talk(alice, direct, 4);
	assert.equal(ok(await mark(bob, direct, "delivered", 3)).seq, 0);
	const kept = () => stack.psql(`SELECT delivered_seq, last_read_seq FROM members WHERE channel_id = ${direct} AND user_id = ${ids.bob}`);
	assert.equal(await kept(), "3|0");
	ok(await mark(bob, direct, "delivered", 1));
	assert.equal(await kept(), "3|0");
	ok(await mark(bob, direct, "delivered", 9));
	assert.equal(await kept(), "4|0");
});

test("ops: markers of a request move together, behind its sends, and each is answered", async () => {
	const [one, two] = [(await makeChannel(alice, { members: [ids.bob] })).id, (await makeChannel(alice, { members: [ids.bob] })).id];
	await talk(alice, one, 5);
	await talk(alice, two, 5);
	const answers = await post(bob, [
		{ op: "read", channel: one, seq: 9, ref: "a" },
		{ op: "send", client_id: randomUUID(), channel: one, body: { text: "mine" } },
		{ op: "unread", channel: one, seq: 2, ref: "b" },
		{ op: "read", channel: two, seq: 3, ref: "c" },
		{ op: "read", channel: one, seq: 3, ref: "d" },
		{ op: "read", channel: 999999, seq: 3, ref: "e" },
		{ op: "delivered", channel: one, seq: 3, ref: "f" },
		{ op: "unread", channel: one, ref: "g" },
	]);
	assert.deepEqual(answers.filter((a) => a.ref).map((a) => [a.ref, a.seq ?? a.code]),
		[["a", 6], ["b", 4], ["c", 3], ["d", 6], ["e", "not_found"], ["f", "unprocessable"], ["g", "bad_field"]]);
	const m = await membership(bob, one);
	assert.deepEqual([m.last_read_seq, m.unread_from, m.unread, m.read_version], [6, 4, 2, 1]);
	assert.equal((await membership(bob, two)).unread, 2);
	const [refused] = await post(reader, [{ op: "unread", channel: one, seq: 1 }]);
	assert.equal(refused.code, "insufficient_scope");
});

test("mentions: whom a message names, and what is refused", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob] })).id;
	const m = await say(alice, id, [ids.bob, ids.carol, ids.alice, 999999]);
	assert.deepEqual(m.body.mentions, [ids.bob, ids.carol, ids.alice, 999999]);
	assert.deepEqual((await allMessages(bob, id))[0].body, m.body);
	await say(bob, id, [ids.alice]);
	await say(alice, id);
	assert.deepEqual([(await membership(bob, id)).mentions, (await membership(alice, id)).mentions], [1, 1]);
	ok(await carol.post(path(id, "join")));
	assert.equal((await membership(carol, id)).mentions, 0, "she was not in when she was named");
	const retry = { client_id: randomUUID(), body: { text: "y", mentions: [ids.bob] } };
	const first = ok(await alice.post(path(id, "messages"), retry), 201);
	assert.deepEqual(ok(await alice.post(path(id, "messages"), retry)), first);
	problem(await alice.post(path(id, "messages"), { ...retry, body: { ...retry.body, mentions: [ids.carol] } }), 409, "client_id_reused");
	assert.equal((await membership(bob, id)).mentions, 2);
	for (const mentions of [[1, 1], [0], ["1"], [1.5], 7, {}, Array.from({ length: 51 }, (_, i) => i + 1)])
		problem(await alice.post(path(id, "messages"), { client_id: randomUUID(), body: { text: "x", mentions } }), 400, "bad_field", "body.mentions");
	assert.equal(ok(await bob.get("/api/v1/limits")).mentions, 50);
	const listed = (await unread(bob)).channels.find((c) => c.channel === id);
	assert.deepEqual(listed, { channel: id, last_seq: 4, last_read_seq: 0, unread_from: null, unread: 3, mentions: 2 });
	ok(await mark(bob, id, "read", 1));
	assert.equal((await membership(bob, id)).mentions, 1);
	await unread(carol);
	ok(await carol.post(path(id, "leave")), 204);
	await say(alice, id, [ids.carol]);
	ok(await carol.post(path(id, "join")));
	await say(alice, id, [ids.carol]);
	assert.equal((await membership(carol, id)).mentions, 1, "out and in again: only what came then");
	await unread(carol);
});

test("deletion: who may, what is left, what it does to the counts", async () => {
	const id = (await makeChannel(bob, { members: [ids.alice, ids.carol], kind: "private" })).id;
	for (let i = 0; i < 3; i++) await say(carol, id, [ids.bob]);
	const plain = await say(carol, id);
	assert.deepEqual([(await membership(bob, id)).unread, (await membership(bob, id)).mentions], [4, 3]);
	const dave = await bot(stack, "dave");
	problem(await remove(dave, id, 1), 404, "not_found");
	problem(await remove(reader, id, 1), 403, "insufficient_scope");
	problem(await remove(bob, id, 99), 404, "not_found");
	ok(await bob.post(path(id, "members"), { user: (await me(dave)).id }), 201);
	problem(await remove(dave, id, 1), 403, "forbidden");
	const feed = follow(bob, { wait: 5, via: "api1", cursor: (await bob.get("/api/v1/channels")).headers["pulsechat-cursor"] });
	await until(async () => (await fcgiRequest(stack.socket("api1"), { path: "/healthz" })).json?.polls === 1, { what: "a poll waits" });
	const { body, client_id, ...rest } = plain;
	assert.ok(body && client_id);
	const gone = { ...rest, version: 2, deleted: true, deleted_by: ids.carol };
	assert.deepEqual(ok(await remove(carol, id, plain.seq)), gone);
	assert.deepEqual(ok(await remove(carol, id, plain.seq)), gone, "again is harmless");
	const line = await feed.some((l) => l.type === "message.deleted");
	assert.deepEqual({ ...line, cursor: 0 }, { type: "message.deleted", cursor: 0, ...gone });
	assert.deepEqual(ok(await bob.get(path(id, "messages", plain.seq))), gone);
	const replayed = await poll(bob, { cursor: `${line.cursor.split(".")[0]}.${Number(line.cursor.split(".")[1]) - 1}`, wait: 0, via: "api2" });
	await feed.stop();
	assert.deepEqual(replayed.lines.filter((l) => l.type === "message.deleted"), [line], `${replayed.status} ${replayed.text}`);
	assert.equal(ok(await remove(bob, id, 1)).deleted, true, "the channel's owner");
	problem(await remove(alice, id, 2), 403, "forbidden"); // an owner of the site, but by a token without the scope for it
	assert.equal(ok(await remove(await signIn(stack, "alice"), id, 2)).deleted, true, "an admin");
	const m = await membership(bob, id);
	assert.deepEqual([m.unread, m.mentions, m.gone], [1, 1, [1, 2, 4]]);
	for (const via of ["api1", "api2"]) {
		const missed = (await poll(bob, { cursor: line.cursor, reads: 0, wait: 20, via })).lines;
		const told = missed.find((l) => l.type === "read" && l.channel === id);
		assert.deepEqual([told.version, told.unread, told.mentions, told.gone], [2, 1, 1, [1, 2, 4]], "whom it named is told, if later");
	}
	const again = ok(await carol.post(path(id, "messages"), { client_id, body }));
	assert.deepEqual(again, gone, "a late retry of it is told so");
	await unread(bob);
	problem(await bob.delete("/api/v1/channels/999999/messages/1"), 404, "not_found");
	const open = (await makeChannel(alice)).id;
	await say(alice, open);
	problem(await remove(carol, open, 1), 403, "not_a_member");
});

test("receipts: readers by name and number, private reading in a channel and for all", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob, ids.carol] })).id;
	await talk(alice, id, 3);
	const readers = async (seq, query = "") => ok(await alice.get(`${path(id, "messages", seq)}/readers${query}`));
	assert.deepEqual(await readers(2), { count: 0, users: [], next: null });
	ok(await mark(bob, id, "read", 2));
	ok(await mark(carol, id, "read", 3));
	ok(await mark(alice, id, "read", 3));
	const both = [ids.bob, ids.carol].sort((a, b) => a - b);
	assert.deepEqual(await readers(2), { count: 2, users: both, next: null }, "the sender is none of them");
	assert.deepEqual(await readers(3), { count: 1, users: [ids.carol], next: null });
	assert.deepEqual(await readers(2, "?limit=1"), { count: 2, users: [both[0]], next: both[0] });
	assert.deepEqual(await readers(2, `?limit=1&after=${both[0]}`), { count: 2, users: [both[1]], next: null });
	assert.deepEqual(await readers(2, `?after=${both[1]}`), { count: 2, users: [], next: null });
	ok(await mark(bob, id, "unread", 1));
	assert.equal((await readers(2)).count, 2, "he has read it, whatever he says to himself");
	const c = ok(await bob.patch(path(id, "membership"), { read_receipts: false }));
	assert.deepEqual([c.id, c.membership.read_receipts], [id, false]);
	assert.deepEqual(await readers(2), { count: 1, users: [ids.carol], next: null });
	assert.equal(ok(await bob.patch(path(id, "membership"), { read_receipts: false })).membership.read_version, c.membership.read_version);
	ok(await bob.patch(path(id, "membership"), { read_receipts: true }));
	assert.equal((await readers(2)).count, 2);
	await stack.psql(`INSERT INTO user_settings (user_id, read_receipts) VALUES (${ids.carol}, false)
		ON CONFLICT (user_id) DO UPDATE SET read_receipts = false`);
	assert.deepEqual(await readers(2), { count: 1, users: [ids.bob], next: null });
	await stack.psql(`UPDATE user_settings SET read_receipts = true WHERE user_id = ${ids.carol}`);
	problem(await alice.get(`${path(id, "messages", 99)}/readers`), 404, "not_found");
	problem(await alice.get(`${path(id, "messages", 1)}/readers?limit=0`), 400, "bad_field", "limit");
	const dave = await bot(stack, "dave");
	problem(await dave.get(`${path(id, "messages", 1)}/readers`), 403, "not_a_member");
	problem(await dave.patch(path(id, "membership"), { read_receipts: true }), 403, "not_a_member");
	problem(await bob.patch(path(id, "membership"), {}), 400, "bad_field", "read_receipts");
	problem(await bob.patch(path(id, "membership"), { read_receipts: 1 }), 400, "bad_field", "read_receipts");
	problem(await bob.patch(path(id, "membership"), { read_receipts: true, role: "owner" }), 400, "bad_field", "role");
	problem(await bob.post(path(id, "membership"), {}), 405, "method_not_allowed");
});

test("what is unread: only where there is something; drift is found, and by nothing else", async () => {
	const erin = await bot(stack, "erin");
	const eid = (await me(erin)).id;
	assert.deepEqual(ok(await erin.get("/api/v1/me/unread")), { channels: [], unread: 0, mentions: 0 });
	const some = [];
	for (let i = 0; i < 3; i++) some.push((await makeChannel(alice, { members: [eid] })).id);
	await talk(alice, some[0], 2);
	await say(alice, some[2], [eid]);
	const answer = await erin.get("/api/v1/me/unread");
	assert.match(answer.headers["pulsechat-cursor"], /^[a-z2-7]{8}\.\d+$/);
	assert.deepEqual(answer.json.channels.map((c) => [c.channel, c.unread, c.mentions]), [[some[0], 2, 0], [some[2], 1, 1]]);
	assert.deepEqual([answer.json.unread, answer.json.mentions, answer.json.drift], [3, 1, undefined]);
	problem(await erin.get("/api/v1/me/unread?verify=2"), 400, "bad_field", "verify");
	problem(await erin.get("/api/v1/me/unread?verify=yes"), 400, "bad_field", "verify");
	await unread(erin);
	await stack.psql(`DELETE FROM mentions WHERE user_id = ${eid}; INSERT INTO mentions VALUES (${eid}, ${some[0]}, 1)`, { user: "postgres" });
	assert.deepEqual(ok(await erin.get("/api/v1/me/unread?verify=1")).drift, [
		{ channel: some[0], unread: 2, mentions: 1, true_unread: 2, true_mentions: 0 },
		{ channel: some[2], unread: 1, mentions: 0, true_unread: 1, true_mentions: 1 },
	]);
});

test("RD-1 two markers of one member at once: the second waits, the marker only grows, versions follow", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob] })).id;
	await talk(alice, id, 9);
	ok(await mark(bob, id, "read", 4));
	const { release } = await holdOpen(stack, `SELECT read_marks('{${id}}', '{${ids.bob}}', '{5}', '{0}', '{0}', '{0}', 100, false)`);
	const [lower, higher, away] = [mark(bob, id, "read", 5), mark(bob, id, "read", 7), mark(bob, id, "unread", 2)];
	await until(() => backends(stack, "query LIKE '%read_marks(%' AND wait_event_type = 'Lock' AND wait_event <> 'advisory'").then((n) => n === 3),
		{ what: "they wait for the row" });
	await say(alice, id);
	await release();
	const states = [ok(await lower), ok(await higher), ok(await away)];
	assert.equal(Math.max(...states.map((s) => s.seq)), 7);
	for (const s of states) {
		assert.ok(s.seq >= 5 && s.last_seq === 10, JSON.stringify(s));
		const marker = s.unread_from === null ? s.seq : s.unread_from - 1;
		assert.equal(s.unread, 10 - marker, JSON.stringify(s));
	}
	const m = await membership(bob, id);
	assert.equal(m.last_read_seq, 7);
	// Two came before. "Unread from 2" changes it wherever it comes, and so does 7; 5 does only where it takes that back.
	assert.ok(m.read_version === 4 || m.read_version === 5, `version ${m.read_version}`);
	assert.equal(Math.max(...states.map((s) => s.version)), m.read_version);
	await unread(bob);
});

test("who joins, is added or comes back has nothing unread; what comes then counts, to the message", async () => {
	const id = (await makeChannel(alice, { kind: "public", members: [ids.carol] })).id;
	await talk(alice, id, 3);
	await say(alice, id, [ids.carol]);
	ok(await bob.post(path(id, "join")));
	const fresh = await membership(bob, id);
	assert.deepEqual([fresh.last_read_seq, fresh.unread, fresh.mentions], [4, 0, 0]);
	await talk(alice, id, 2);
	await say(bob, id);
	const after = await membership(bob, id);
	assert.deepEqual([after.last_read_seq, after.unread], [4, 2]);
	assert.equal((await bob.post(path(id, "leave"))).status, 204);
	await talk(alice, id, 5);
	ok(await bob.post(path(id, "join")));
	assert.deepEqual([(await membership(bob, id)).last_read_seq, (await membership(bob, id)).unread], [12, 0]);
	ok(await mark(bob, id, "unread", 2)); // his own one is no news
	assert.equal((await membership(bob, id)).unread, 10);
	assert.deepEqual([(await membership(carol, id)).unread, (await membership(carol, id)).mentions], [12, 1]);
	for (const who of [bob, carol]) await unread(who);
});

test("a marker does not wait for a send, nor a send for a marker; a count is of what is committed", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob] })).id;
	await talk(alice, id, 3);
	const held = await holdOpen(stack, `SELECT FROM channels WHERE id = ${id} FOR NO KEY UPDATE;
		INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body) VALUES
			(${id}, 4, ${ids.alice}, gen_random_uuid(), now(), '{"text": "x"}')`);
	const state = ok(await mark(bob, id, "read", 99));
	assert.deepEqual([state.seq, state.last_seq, state.unread], [3, 3, 0]);
	await held.release();
	assert.equal((await membership(bob, id)).unread, 1);
	const reading = await holdOpen(stack, `SELECT read_marks('{${id}}', '{${ids.bob}}', '{4}', '{0}', '{0}', '{0}', 100, false)`);
	await say(alice, id);
	await reading.release();
	const m = await membership(bob, id);
	assert.deepEqual([m.last_read_seq, m.unread], [4, 1]);
});

test("a deletion that names somebody and his marker at once: his counts are right in whatever order", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob] })).id;
	for (let i = 0; i < 4; i++) await say(alice, id, [ids.bob]);
	const deleting = await holdOpen(stack, `SELECT message_delete(${id}, ${ids.alice}, 4)`);
	const marked = mark(bob, id, "read", 1);
	await until(() => backends(stack, "query LIKE '%read_marks(%' AND wait_event_type = 'Lock' AND wait_event <> 'advisory'"), { what: "it waits" });
	await deleting.release();
	const state = ok(await marked);
	assert.deepEqual([state.version, state.seq, state.unread, state.mentions, state.gone], [2, 1, 2, 2, [4]]);
	const marking = await holdOpen(stack, `SELECT read_marks('{${id}}', '{${ids.bob}}', '{2}', '{0}', '{0}', '{0}', 100, false)`);
	const deleted = remove(alice, id, 3);
	await until(() => backends(stack, "query LIKE '%message_delete(%' AND wait_event_type = 'Lock' AND wait_event <> 'advisory'"), { what: "it waits" });
	await marking.release();
	ok(await deleted);
	const m = await membership(bob, id);
	assert.deepEqual([m.read_version, m.last_read_seq, m.unread, m.mentions], [4, 2, 0, 0]);
	await unread(bob);
});
