// ops: POST /api/v1/ops, what a WebSocket's client does for those who have none.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { bot, client, signIn } from "../support/http.mjs";
import { openWs } from "../support/realtime.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { allMessages, assertGapFree, holdChannel, holdOpen, makeChannel, me, message, ok, problem } from "./help.mjs";

const ndjson = { "content-type": "application/x-ndjson" };
let stack, alice, bob, channel;

before(async () => {
	stack = await startStack({ realtime: 1, api: 2, conf: { "api.threads": 16 } }); // more than wait for the writer below: the others are answered
	[alice, bob] = await Promise.all([bot(stack, "alice"), bot(stack, "bob")]);
	channel = (await makeChannel(alice, { members: [(await me(bob)).id] })).id;
});
after(() => stack?.stop());

const sendOp = (to, text, id = randomUUID()) => ({ op: "send", channel: to, ...message(text, id) });
const body = (lines) => lines.map((l) => (typeof l === "string" ? l : JSON.stringify(l))).join("\n");
const post = (who, lines, options = {}) => who.post("/api/v1/ops", body(lines), { ...options, headers: { ...ndjson, ...options.headers } });
const linesOf = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.headers["content-type"], "application/x-ndjson");
	assert.ok(answer.text.endsWith("\n"));
	return answer.text.trimEnd().split("\n").map((l) => JSON.parse(l));
};
const ops = async (who, lines) => linesOf(await post(who, lines));

test("each op has its answer, in the order of the ops; a bad line is an error and the others go on", async () => {
	const [one, two] = [randomUUID(), randomUUID()];
	const answers = await ops(alice, [
		{ op: "ping", ref: "p" },
		{ ...sendOp(channel, "first", one), ref: "a" },
		"no JSON",
		"",
		'["an array"]',
		{ ...sendOp(channel, "second", two) },
		{ op: "fly", ref: "f" },
		{ op: "ping", ref: 7 },
		{ op: "ping", extra: 1 },
		{ ...sendOp(channel, " "), ref: "blank" },
		{ op: "send", client_id: "x", channel, body: { text: "x" } },
		{ ...sendOp(999999, "nowhere") },
		{ op: "read", channel, seq: 1e9, ref: "r" },
		{ op: "read", channel: 999999, seq: 1 },
		"  \r",
		{ op: "ping" },
	]);
	const [ping, first, broken, array, second, fly, ref, extra, blank, id, nowhere, read, unread, last] = answers;
	assert.equal(answers.length, 14);
	assert.deepEqual(ping, { type: "pong", ref: "p" });
	assert.deepEqual(first, { type: "ack", ref: "a", client_id: one, channel, seq: 1, id: first.id });
	assert.deepEqual([broken.type, broken.code], ["error", "bad_request"]);
	assert.deepEqual([array.type, array.code], ["error", "bad_request"]);
	assert.deepEqual(second, { type: "ack", client_id: two, channel, seq: 2, id: second.id });
	assert.deepEqual([fly.ref, fly.code, fly.field], ["f", "bad_field", "op"]);
	assert.deepEqual([ref.code, ref.field], ["bad_field", "ref"]);
	assert.deepEqual([extra.code, extra.field], ["bad_field", "extra"]);
	assert.deepEqual([blank.ref, blank.code, blank.field], ["blank", "bad_field", "body.text"]);
	assert.deepEqual([id.code, id.field, id.client_id], ["bad_field", "client_id", undefined]);
	assert.deepEqual([nowhere.type, nowhere.code], ["error", "not_found"]);
	assert.match(nowhere.client_id, /^[0-9a-f-]{36}$/);
	assert.deepEqual(read, { type: "ack", ref: "r", channel, seq: 2 }); // the sends came before it
	assert.equal(unread.code, "not_found");
	assert.deepEqual(last, { type: "pong" });
	assert.deepEqual((await allMessages(bob, channel)).map((m) => m.body.text), ["first", "second"]);
});

test("the words are those of a WebSocket", async () => {
	const ws = await openWs(alice);
	const lines = [
		{ op: "ping", ref: "é\u2028" },
		{ op: "fly", ref: "f" },
		{ ...sendOp(channel, ""), ref: "e" },
		{ ...sendOp(999999, "nowhere"), ref: "n" },
		{ op: "read", channel, seq: 1, ref: "r" },
		{ op: "read", channel: 999999, seq: 1, ref: "m" },
		{ op: "read", channel, seq: -1, ref: "s" },
	];
	const answers = await ops(alice, lines);
	for (const [i, line] of lines.entries()) assert.deepEqual(await ws.call(line), answers[i]);
	await ws.close();
});

test("DL-1 the same client id by REST, ops and WebSocket at once makes one message", async () => {
	const ws = await openWs(alice);
	const { token } = alice;
	for (let i = 0; i < 10; i++) {
		const id = randomUUID(),
			op = sendOp(channel, `race ${i}`, id),
			rest = message(`race ${i}`, id);
		const path = `/api/v1/channels/${channel}/messages`;
		const env = { CONTENT_TYPE: "application/x-ndjson" };
		const answers = await Promise.all([
			fcgiRequest(stack.socket("api1"), { method: "POST", path: "/api/v1/ops", token, body: body([op, op]), env }),
			fcgiRequest(stack.socket("api2"), { method: "POST", path: "/api/v1/ops", token, body: body([op]), env }),
			fcgiRequest(stack.socket("api1"), { method: "POST", path, token, body: rest }),
			fcgiRequest(stack.socket("api2"), { method: "POST", path, token, body: rest }),
			ws.call(op),
		]);
		const all = [...linesOf(answers[0]), ...linesOf(answers[1]), answers[2].json, answers[3].json, answers[4]];
		assert.equal(all.length, 6);
		for (const a of all) assert.deepEqual([a.seq, a.id, a.client_id], [all[0].seq, all[0].id, id], JSON.stringify(a));
		assert.equal(await stack.psql(`SELECT count(*) FROM messages WHERE client_id = '${id}'`), "1");
		const [other] = await ops(alice, [sendOp(channel, "another text", id)]);
		assert.deepEqual([other.code, other.client_id], ["client_id_reused", id]);
	}
	await ws.close();
});

test("OR-1 a request's sends are one batch in their order, also while one of their channels is held", async () => {
	const [held, free] = [(await makeChannel(alice)).id, (await makeChannel(alice)).id];
	const events = async () => Number(await stack.psql("SELECT max(id) FROM events"));
	const before = await events();
	const lines = Array.from({ length: 200 }, (_, i) => sendOp(i % 2 ? held : free, `${i}`));
	const acks = await ops(alice, lines);
	assert.deepEqual(acks.map((a) => a.seq), lines.map((_, i) => (i >> 1) + 1));
	// one batch has one time
	const times = `SELECT count(DISTINCT created_at) FROM messages WHERE channel_id IN (${held}, ${free})`;
	assert.equal(await stack.psql(times), "1");
	assert.equal((await events()) - before, 200);
	const { over } = await holdChannel(stack, held, 0.7);
	const later = await ops(alice, lines.map((l) => ({ ...l, client_id: randomUUID() })));
	await over;
	assert.deepEqual(later.map((a) => a.seq), lines.map((_, i) => 101 + (i >> 1)));
	for (const id of [held, free]) {
		const all = await allMessages(alice, id);
		assertGapFree(all.map((m) => m.seq));
		const order = all.map((m) => Number(m.body.text));
		assert.deepEqual(order, [...order.slice(0, 100)].sort((a, b) => a - b).concat([...order.slice(100)].sort((a, b) => a - b)));
	}
});

test("limits: lines, a line's bytes, the body's bytes, the type, the query", async () => {
	const pings = (n) => Array.from({ length: n }, () => ({ op: "ping" }));
	const limits = ok(await alice.get("/api/v1/limits"));
	assert.equal(limits.ops, 256);
	assert.equal((await ops(alice, pings(256))).length, 256);
	const id = randomUUID();
	problem(await post(alice, [sendOp(channel, "not stored", id), ...pings(256)]), 413, "too_large");
	assert.equal(await stack.psql(`SELECT count(*) FROM messages WHERE client_id = '${id}'`), "0");
	const long = JSON.stringify({ op: "ping", ref: "x".repeat(limits.frame_bytes) });
	const [big, small] = await ops(alice, [long, { op: "ping" }]);
	assert.equal(big.code, "too_large");
	assert.equal(small.type, "pong");
	problem(await post(alice, [`{"op":"ping"}${" ".repeat(limits.request_bytes)}`]), 413, "too_large");
	problem(await post(alice, []), 400, "bad_request");
	problem(await post(alice, ["", " \r", ""]), 400, "bad_request");
	for (const type of ["application/json", "text/plain", "application/x-ndjson; charset=latin1", ""])
		problem(await alice.post("/api/v1/ops", '{"op":"ping"}', { headers: { "content-type": type } }), 415, "unsupported_media_type");
	ok(await alice.post("/api/v1/ops", '{"op":"ping"}', { headers: { "content-type": "application/x-ndjson; charset=utf-8" } }));
	problem(await alice.post("/api/v1/ops?x=1", '{"op":"ping"}', { headers: ndjson }), 400, "bad_field", "x");
	problem(await alice.get("/api/v1/ops"), 405, "method_not_allowed");
	const raw = await alice.post("/api/v1/ops", Buffer.from('{"op":"ping","ref":"\xff"}\n{"op":"ping"}', "latin1"), { headers: ndjson });
	assert.deepEqual(linesOf(raw).map((l) => l.code ?? l.type), ["bad_field", "pong"]);
});

test("TR-5 who asks: nobody, a foreign page, a token without the scope", async () => {
	problem(await post(client(stack), [{ op: "ping" }]), 401, "unauthenticated");
	const page = await signIn(stack, "carol");
	assert.equal((await ops(page, [{ op: "ping" }]))[0].type, "pong");
	problem(await post(page, [{ op: "ping" }], { headers: { origin: "https://evil.test" } }), 403, "origin_refused");
	problem(await post(page, [{ op: "ping" }], { headers: { origin: null } }), 403, "origin_refused");
	const reader = client(stack, { token: await stack.token("bob", ["read"]) });
	const id = randomUUID();
	const answers = await ops(reader, [sendOp(channel, "no", id), { op: "read", channel, seq: 1 }, { op: "ping" }]);
	assert.deepEqual(answers.map((a) => a.code ?? a.type), ["insufficient_scope", "insufficient_scope", "pong"]);
	assert.equal(await stack.psql(`SELECT count(*) FROM messages WHERE client_id = '${id}'`), "0");
});

test("over the queue's bound a send is told busy and when to come back, by WebSocket, ops and REST; sent again it is stored once", async () => {
	const bounded = ["realtime1", "api2"];
	const restart = async (env) => {
		for (const name of bounded) {
			await stack.down(name);
			stack.proc(name).env = { ...stack.proc(name).env, ...env };
			await stack.up(name);
		}
	};
	await restart({ PULSECHAT_WRITER_QUEUE_ITEMS: "4" });
	const id = (await makeChannel(alice)).id, path = `/api/v1/channels/${id}/messages`, { token } = alice;
	const ws = await openWs(alice);
	const twelve = (by) => Array.from({ length: 12 }, (_, i) => sendOp(id, `${by} ${i}`));
	const [byWs, byOps] = [twelve("ws"), twelve("ops")];
	const byRest = Array.from({ length: 10 }, (_, i) => message(`rest ${i}`));
	const env = { CONTENT_TYPE: "application/x-ndjson" };
	const send = (m) => fcgiRequest(stack.socket("api2"), { method: "POST", path, token, body: m });
	const held = await holdOpen(stack, `SELECT 1 FROM channels WHERE id = ${id} FOR NO KEY UPDATE`);
	let ops, rest;
	const told = [];
	try {
		ws.send(body(byWs));
		ops = fcgiRequest(stack.socket("api2"), { method: "POST", path: "/api/v1/ops", token, body: body(byOps), env });
		await until(() => ws.lines.filter((l) => l.code === "busy").length === 8, { what: "what does not fit is refused at once" });
		rest = byRest.map((m) => send(m).then((r) => (told.push(r.status), r)));
		await until(() => told.length >= 2, { what: "by REST too" }); // 4 are under way at most, and 4 wait
		assert.ok(told.every((status) => status === 429), `${told}`);
		assert.ok(!ws.lines.some((l) => l.type === "ack"));
	} finally {
		await held.release();
	}
	await until(() => ws.lines.filter((l) => l.type === "ack").length === 4, { what: "those that waited" });
	const again = [];
	const check = (l, op) => {
		if (l.type === "ack") return;
		assert.deepEqual([l.code, l.client_id], ["busy", op.client_id]);
		assert.ok(l.retry_after > 0);
		again.push(op);
	};
	for (const op of byWs) check(ws.lines.find((l) => l.client_id === op.client_id && ["ack", "error"].includes(l.type)), op);
	linesOf(await ops).forEach((l, i) => check(l, byOps[i]));
	for (const [i, r] of (await Promise.all(rest)).entries()) {
		if (r.status === 201) continue;
		problem(r, 429, "busy");
		assert.match(r.headers["retry-after"], /^[1-9]\d*$/);
		again.push({ ...byRest[i], rest: true });
	}
	assert.ok(again.length >= 8 + 2, `${again.length} were busy`);
	for (const { rest: one, ...op } of again) {
		if (one) assert.equal((await send(op)).status, 201);
		else assert.equal((await ws.call(op)).type, "ack");
	}
	const all = await allMessages(alice, id);
	assert.deepEqual(all.map((m) => m.client_id).sort(), [...byWs, ...byOps, ...byRest].map((o) => o.client_id).sort());
	assertGapFree(all.map((m) => m.seq));
	await ws.close();
	await restart({ PULSECHAT_WRITER_QUEUE_ITEMS: "8192" });
});

test("DL-1 the database's connections end while ops are under way: sent again, each is stored once", async () => {
	const id = (await makeChannel(alice)).id;
	const lines = Array.from({ length: 40 }, (_, i) => sendOp(id, `${i}`));
	const unsent = new Map(lines.map((l) => [l.client_id, l]));
	const writers = "application_name = 'pulsechat-api'";
	let ended = 0;
	for (let round = 0; unsent.size > 0; round++) {
		assert.ok(round < 50, "does not come to an end");
		const cut = round < 3 && stack.psql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${writers}`, { user: "postgres" });
		const answer = await post(alice, [...unsent.values()]);
		ended += Number(await cut);
		if (answer.status === 200) {
			for (const l of linesOf(answer)) {
				if (l.type === "ack") unsent.delete(l.client_id);
				else assert.ok(["unavailable", "busy"].includes(l.code) && l.retry_after > 0, JSON.stringify(l));
			}
		} else problem(answer, 503, "unavailable");
	}
	const all = await allMessages(alice, id);
	assert.equal(all.length, 40);
	assertGapFree(all.map((m) => m.seq));
	assert.equal(new Set(all.map((m) => m.client_id)).size, 40);
	assert.ok(ended > 0);
});
