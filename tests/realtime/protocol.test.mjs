// protocol: what a client may rely on, on all transports, on two processes.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { startStack } from "../support/stack.mjs";
import { exchange, signIn } from "../support/http.mjs";
import { timeOf, within } from "../support/lag.mjs";
import { dial, follow, openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { caughtUp, channel, connections, exactly, head, idOf, people, post, range, say, sendOp, seqs, until } from "./help.mjs";

let stack, alice, bob, carol, room;

before(async () => {
	stack = await startStack({ realtime: 2 });
	[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
	room = await channel(alice, [bob]);
});
after(() => stack.stop());

test("hello is first and says where it stands; a message reaches every member once, on both processes and transports", async () => {
	const from = await head(alice);
	const instance = randomUUID();
	const before = Date.now();
	const a = await openWs(alice, { instance, via: "realtime1" });
	assert.deepEqual(Object.keys(a.hello).sort(), ["cursor", "heartbeat", "instance", "limits", "server_time", "type", "user"]);
	assert.equal(a.lines[0].type, "hello");
	assert.equal(a.hello.instance, instance);
	assert.equal(a.hello.user, alice.id);
	assert.ok(new Date(a.hello.server_time) >= before && new Date(a.hello.server_time) <= Date.now(), a.hello.server_time);
	const b = await openWs(bob, { via: "realtime2" });
	const c = await openWs(carol, { via: "realtime2" });
	const bPolls = follow(bob, { cursor: from, via: "realtime1" });
	const bSse = await openSse(bob, { cursor: from, via: "realtime2" });
	const ack = await a.call({ ...sendOp(room, "héllo \u2028 <&>"), ref: "r\"1" });
	assert.equal(ack.type, "ack");
	assert.equal(ack.ref, "r\"1");
	const rest = await post(bob, room, "by REST");
	assert.equal(rest.seq, ack.seq + 1);
	for (const feed of [a, b, bPolls, bSse]) {
		const m = await feed.some((l) => l.type === "message" && l.seq === ack.seq);
		assert.deepEqual(m.body, { text: "héllo \u2028 <&>" });
		assert.equal(m.sender, alice.id);
		assert.equal(m.client_id, ack.client_id);
		assert.equal(m.id, ack.id);
		await exactly(feed, room, ack.seq, rest.seq);
	}
	const seen = (await carol.get(`/api/v1/channels/${room}`)).status;
	assert.equal(seen, 404);
	assert.equal((await c.call({ op: "ping" })).type, "pong");
	assert.deepEqual(seqs(c.lines, room), [], "not a member");
	await bPolls.stop();
	await Promise.all([a, b, c, bSse].map((f) => f.close()));
});

test("a line is what history says, live and replayed", async () => {
	const a = await openWs(alice);
	const from = await head(bob);
	const ack = await say(a, room, "one \u{1F600} \"two\"\n\tthree");
	const live = await a.some((l) => l.type === "message" && l.seq === ack.seq);
	await caughtUp(bob, "realtime1", "realtime2");
	const ring = (await poll(bob, { cursor: from, wait: 10 })).events.find((e) => e.seq === ack.seq);
	const stored = (await alice.get(`/api/v1/channels/${room}/messages/${ack.seq}`)).json;
	assert.deepEqual(ring, live);
	const sse = await openSse(bob, { cursor: from });
	assert.deepEqual(await sse.some((l) => l.type === "message" && l.seq === ack.seq), live);
	await sse.close();
	const { type, cursor, ...message } = live;
	assert.equal(type, "message");
	assert.ok(cursor);
	assert.deepEqual(message, stored);
	await a.close();
});

test("ops: acks, errors with ref and client_id, and the connection goes on", async () => {
	const a = await openWs(alice);
	const first = sendOp(room, "once");
	const ack = await a.call(first);
	assert.deepEqual(Object.keys(ack).sort(), ["channel", "client_id", "id", "ref", "seq", "type"]);
	const again = await a.call(first);
	assert.deepEqual({ ...again, ref: 0 }, { ...ack, ref: 0 });
	const reused = await a.call({ ...first, body: { text: "other" } });
	assert.deepEqual([reused.type, reused.code, reused.client_id], ["error", "client_id_reused", first.client_id]);
	for (const [op, code, field] of [
		[{ op: "dance" }, "bad_field", "op"],
		[{ op: "ping", more: 1 }, "bad_field", "more"],
		[{ op: "send", client_id: "no", channel: room, body: { text: "x" } }, "bad_field", "client_id"],
		[{ ...sendOp(room, ""), client_id: randomUUID() }, "bad_field", "body.text"],
		[{ ...sendOp(0, "x") }, "bad_field", "channel"],
		[{ ...sendOp(99999999, "x") }, "not_found", "channel"],
		[{ op: "read", channel: room }, "bad_field", "seq"],
		[{ op: "read", channel: 99999999, seq: 1 }, "not_found"],
	]) {
		const e = await a.call(op);
		assert.deepEqual([e.type, e.code, e.field], ["error", code, field], JSON.stringify([op, e]));
		assert.ok(e.detail);
	}
	a.send("{nonsense");
	await a.some((l) => l.type === "error" && l.code === "bad_request");
	a.send(JSON.stringify({ op: "ping", ref: "x".repeat(65) }));
	await a.some((l) => l.type === "error" && l.field === "ref" && l.code === "bad_field");
	const long = "é".repeat(32);
	assert.equal((await a.call({ op: "ping", ref: long })).ref, long);
	const read = await a.call({ op: "read", channel: room, seq: ack.seq });
	assert.deepEqual([read.type, read.channel, read.seq], ["ack", room, ack.seq]);
	assert.equal((await a.next("read")).seq, ack.seq);
	await a.close();
});

test("TX-1 hostile JSON by WebSocket, poll and stream: the member is named, the connection and others go on, nothing is stored", async () => {
	const a = await openWs(alice), b = await openWs(bob);
	const from = await head(bob);
	const before = Number(await stack.psql("SELECT count(*) FROM messages"));
	let n = 0;
	const refused = async (raw, field, code = "bad_field") => {
		const ref = `t${++n}`;
		const n0 = a.lines.length;
		a.send(raw.replace('"@ref"', `"${ref}"`));
		const e = await a.some((l) => l.type === "error" && a.lines.indexOf(l) >= n0);
		assert.deepEqual([e.code, e.field], [code, field], raw.slice(0, 200));
		assert.equal((await a.call({ op: "ping" })).type, "pong");
	};
	const op = (more) => JSON.stringify({ ref: "@ref", channel: room, client_id: randomUUID(), ...more });
	const texts = ['"a\\u0000b"', '"\\ud83d"', '"\\udc00x"', '"a\\u0007"'];
	for (const bad of texts) {
		for (const [raw, field] of [
			[op({ op: "send", body: { text: "@@" } }), "body.text"],
			[op({ op: "send", client_id: "@@", body: { text: "x" } }), "client_id"],
			[op({ op: "@@", client_id: undefined }), "op"],
		])
			await refused(raw.replace('"@@"', bad), field);
	}
	await refused(op({ op: "send", body: { text: "x" } }).replace('"text":"x"', '"text":"x","text":"y"'), "body.text");
	await refused(op({ op: "read", client_id: undefined, seq: 7 }).replace(/7}$/, "9223372036854775808}"), "seq");
	await refused(op({ op: "read", client_id: undefined, seq: 7 }).replace(/7}$/, "1e400}"), "seq");
	await refused("[".repeat(100000), undefined, "bad_request");
	await refused('{"op":"ping"}x', undefined, "bad_request");
	for (const [path, field] of [["cursor=a%2fb", "cursor"], ["cursor=%ed%a0%bd", "cursor"], ["instance=%c3", "instance"], ["wait=1e400", "wait"]])
		for (const accept of ["application/json", "text/event-stream"]) {
			const r = await alice.get(`/api/v1/events?${path}`, { headers: { accept } });
			assert.deepEqual([r.status, r.text[0] === "{" && r.json.field], [400, field], `${accept} ${path}: ${r.text}`);
		}
	assert.equal((await b.call({ op: "ping" })).type, "pong");
	const last = await say(b, room, "still here");
	for (const feed of [a, b]) await feed.some((l) => l.type === "message" && l.seq === last.seq);
	assert.equal(Number(await stack.psql("SELECT count(*) FROM messages")), before + 1);
	// A resume over all of it is sound.
	await caughtUp(bob, "realtime1", "realtime2");
	assert.deepEqual(seqs((await poll(bob, { cursor: from })).events, room), [last.seq]);
	await Promise.all([a.close(), b.close()]);
});

test("what arrives together leaves together: a batch of twelve is one frame to each socket and one answer to each poll", async () => {
	const a = await openWs(alice, { via: "realtime1" });
	const sockets = [await openWs(bob, { via: "realtime1" }), await openWs(bob, { via: "realtime2" })];
	const frames = [a, ...sockets].map((ws) => {
		const got = []; // messages in each frame
		const isMessage = (l) => l.startsWith('{"type":"message"');
		ws.socket.on("message", (data) => got.push(data.toString().split("\n").filter(isMessage).length));
		return got;
	});
	const from = await head(bob);
	const polls = ["realtime1", "realtime2"].map((via) => poll(bob, { cursor: from, wait: 20, via }));
	await until(() => connections(stack, "realtime1") >= 3 && connections(stack, "realtime2") >= 2, { what: "the polls are there" });
	a.send(range(1, 12).map((i) => JSON.stringify(sendOp(room, `together ${i}`))).join("\n")); // one payload of the bus
	const ack = await a.some((l) => l.type === "ack");
	for (const ws of [a, ...sockets]) await exactly(ws, room, ack.seq, ack.seq + 11);
	for (const got of frames) assert.deepEqual(got.filter((n) => n > 0), [12]);
	for (const p of await Promise.all(polls)) assert.deepEqual(seqs(p.events, room), range(ack.seq, ack.seq + 11));
	await Promise.all([a, ...sockets].map((ws) => ws.close()));
});

test("WP-1 a frame of 500 lines, of none, with CR LF and one bad line among good ones", async () => {
	const a = await openWs(alice);
	const from = (await say(a, room, "before")).seq;
	const ops = Array.from({ length: 500 }, (_, i) => JSON.stringify({ ...sendOp(room, `n${i}`), ref: `n${i}` }));
	ops.splice(250, 0, "{bad");
	a.send(ops.join("\r\n") + "\r\n");
	a.send("");
	a.send("\n\n");
	await until(() => a.lines.filter((l) => l.type === "ack").length === 501);
	assert.equal(a.lines.filter((l) => l.type === "error").length, 1);
	const acks = a.lines.filter((l) => l.type === "ack" && l.ref?.startsWith("n"));
	assert.deepEqual(acks.map((l) => l.seq), acks.map((_, i) => from + 1 + i), "in the order they were sent");
	await exactly(a, room, from, from + 500);
	await a.close();
});

test("a program without the scope write can listen, not send", async () => {
	const reader = { stack, token: await stack.token("alice", ["read"]) };
	reader.credentials = { authorization: `Bearer ${reader.token}` };
	const a = await openWs(reader);
	assert.equal((await a.call(sendOp(room, "no"))).code, "insufficient_scope");
	const m = await post(bob, room, "for readers");
	await a.some((l) => l.type === "message" && l.seq === m.seq);
	await a.close();
});

test("TR-5 a handshake or a poll by cookie from a foreign page gets 403 and no data", async () => {
	const web = await signIn(stack, "alice");
	const cookie = web.cookie;
	const port = new URL(stack.url).port;
	const origins = ["https://evil.test", `http://127.0.0.1.evil.test:${port}`, `http://127.0.0.1:${Number(port) + 1}`,
		stack.url.replace("http", "https"), "null", null];
	for (const origin of origins) {
		await assert.rejects(openWs({ stack, credentials: { cookie, origin } }), (e) => e.status === 403, String(origin));
	}
	const good = await openWs({ stack, credentials: { cookie, origin: stack.url } });
	assert.equal(good.hello.user, alice.id);
	await good.close();
	const ask = (headers) => exchange(`${stack.url}/api/v1/events?wait=0`, { headers: { cookie, ...headers } });
	for (const headers of [{}, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { "sec-fetch-site": "none" }]) {
		const p = await ask(headers);
		assert.equal(p.status, 403, JSON.stringify(headers));
		assert.equal(p.json.code, "origin_refused");
	}
	assert.equal((await ask({ "sec-fetch-site": "same-origin" })).status, 200);
	assert.equal((await ask({ "pulsechat-client": "1" })).status, 200);
	const secret = cookie.split("=")[1].slice(0, 20);
	assert.ok(!stack.log("realtime1").includes(secret) && !stack.log("realtime2").includes(secret));
});

test("DL-6 a dead session's handshake is accepted, told why and closed with 4001; so is one without credentials", async () => {
	for (const headers of [{ authorization: `Bearer pct_${"A".repeat(42)}E` }, { authorization: "Bearer x" }, {}]) {
		const ws = await openWs({ stack, credentials: headers }, { hello: false });
		assert.equal((await ws.closed).code, 4001);
		assert.deepEqual(ws.lines, [{ type: "bye", reason: "signed out", code: 4001 }]);
		for (const via of ["realtime1", undefined]) {
			const sse = await openSse({ stack, credentials: headers }, { hello: false, via });
			assert.deepEqual(await sse.closed, { code: 4001, reason: "signed out", whole: true });
			assert.deepEqual(sse.lines, ws.lines);
			assert.ok(sse.retry >= 600000, "a browser that takes no notice does not come back every few seconds");
		}
	}
	const p = await poll({ stack, credentials: {} }, {});
	assert.deepEqual([p.status, p.problem.code], [401, "unauthenticated"]);
});

test("what is no handshake is answered at once, with a problem", async () => {
	const get = (path, headers = {}, method = "GET") =>
		exchange(`${stack.url}${path}`, { method, headers: { ...alice.credentials, ...headers }, socketPath: stack.socket("realtime1") });
	const plain = await get("/api/v1/ws");
	assert.deepEqual([plain.status, plain.json.code, plain.headers["content-type"]], [426, "upgrade_required", "application/problem+json"]);
	assert.equal(plain.json.request_id, plain.headers["pulsechat-request-id"]);
	assert.equal((await get("/api/v1/else")).status, 404);
	for (const accept of ["*/*", "text/event-stream"]) {
		const post405 = await get("/api/v1/events", { "content-length": 0, accept }, "POST");
		assert.deepEqual([post405.status, post405.headers.allow], [405, "GET"]);
		assert.equal((await get("/api/v1/events", { accept }, "HEAD")).status, 405);
	}
	const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
	const v13 = { ...upgrade, "sec-websocket-version": "13", "sec-websocket-protocol": "pulsechat.v1" };
	assert.equal((await get("/api/v1/ws", { ...v13, "sec-websocket-version": "8" })).status, 426);
	assert.equal((await get("/api/v1/ws", { ...v13, "sec-websocket-protocol": "chat" })).status, 400);
	assert.equal((await get("/api/v1/ws", { ...v13, "sec-websocket-protocol": undefined })).status, 400);
	assert.equal((await get("/api/v1/else", v13)).status, 404);
	assert.equal((await get("/api/v1/ws", { ...v13, upgrade: "h2c" })).status, 426);
	for (const query of ["cursor=", "cursor=x", "cursor=aaaaaaaa.-1", "cursor=aaaaaaaa.01", "cursor=AAAAAAAA.1"])
		for (const [path, headers] of [["/api/v1/ws", v13], ["/api/v1/events", {}], ["/api/v1/events", { accept: "text/event-stream" }]]) {
			const r = await get(`${path}?${query}`, headers);
			assert.deepEqual([r.status, r.json.code, r.json.field], [400, "bad_cursor", "cursor"], `${path} ${query}`);
		}
	for (const query of ["instance=1", "instance=", "wait=-1", "wait=56", "wait=1.5", "wait=", "wait=1&wait=2", "cursor=aaaaaaaa.1&cursor=aaaaaaaa.1"])
		assert.equal((await get(`/api/v1/events?${query}`)).json.code, "bad_field", query);
	const unknown = (await get("/api/v1/events?what=1")).json;
	assert.deepEqual([unknown.code, unknown.field], ["bad_field", "what"]);
	const offered = dial(alice, { protocol: ["other", "pulsechat.v1"] });
	await new Promise((ok, no) => offered.on("open", ok).on("error", no));
	assert.equal(offered.protocol, "pulsechat.v1");
	offered.terminate();
});

test("a poll: at once without a cursor, at once where there is something, parked else, ended by a newer one", async () => {
	await caughtUp(bob, "realtime1", "realtime2"); // with what the tests before have said
	const now = await poll(bob, { wait: 20 });
	assert.equal(now.status, 200);
	assert.equal(now.headers["content-type"], "application/x-ndjson");
	assert.equal(now.headers["cache-control"], "no-store");
	assert.equal(Number(now.headers["content-length"]), Buffer.byteLength(now.text));
	assert.deepEqual(now.lines.map((l) => l.type), ["cursor"]);
	assert.deepEqual([now.lines[0].cursor, now.lines[0].retry_after], [now.cursor, 0]);
	const sent = await post(alice, room, "to be polled");
	const got = await poll(bob, { cursor: now.cursor, wait: 20 });
	assert.deepEqual(seqs(got.events, room), [sent.seq]);
	assert.ok(idOf(got.cursor) >= idOf(got.events.at(-1).cursor));
	const instance = randomUUID();
	const parked = poll(bob, { cursor: got.cursor, wait: 20, instance, via: "realtime1" });
	const newer = poll(bob, { cursor: got.cursor, wait: 20, instance, via: "realtime1" });
	const ended = await Promise.race([parked, newer]);
	assert.equal(ended.events.length, 0);
	assert.equal(ended.cursor, got.cursor);
	const next = await post(alice, room, "to the newer");
	const [a, b] = await Promise.all([parked, newer]);
	assert.deepEqual([...seqs(a.events, room), ...seqs(b.events, room)], [next.seq], "one of the two has it");
	await caughtUp(bob, "realtime1", "realtime2");
	const cursor = await head(bob), t = Date.now();
	const quiet = await within(2000, stack, () => poll(bob, { cursor, wait: 1 }), "a poll of a second");
	assert.ok(Date.now() - t >= 990, `${Date.now() - t} ms`);
	assert.equal(quiet.events.length, 0);
});

for (const [kind, open] of Object.entries({ WebSocket: openWs, "event stream": openSse }))
	test(`a newer ${kind} of the same user and instance ends the older one, with a goodbye; others are left alone`, async () => {
		const instance = randomUUID(), other = kind === "WebSocket" ? openSse : openWs;
		const older = await open(bob, { instance, via: "realtime1" });
		const beside = [
			await open(bob, { via: "realtime1" }),
			await open(alice, { instance, via: "realtime1" }), // the name alone is nothing
			await other(bob, { instance, via: "realtime1" }),
			await open(bob, { instance, via: "realtime2" }),
		];
		const parked = poll(bob, { cursor: older.cursor, wait: 20, instance, via: "realtime1" });
		const newer = await open(bob, { instance, cursor: older.cursor, via: "realtime1" });
		assert.equal((await older.closed).code, 4009);
		assert.deepEqual(older.lines.at(-1), { type: "bye", reason: "replaced", code: 4009 });
		if (older.head) assert.ok(older.retry >= 600000, "a browser that takes no notice does not come back every few seconds");
		const sent = await post(alice, room, "to those that are left");
		for (const f of [newer, ...beside]) await f.some((l) => l.type === "message" && l.seq === sent.seq);
		assert.deepEqual(seqs((await parked).events, room), [sent.seq]);
		assert.ok(!seqs(older.lines, room).includes(sent.seq));
		const newest = await open(bob, { instance, via: "realtime1" }); // the first one's end has not freed the place
		assert.equal((await newer.closed).code, 4009);
		for (const f of [newest, ...beside]) await f.close();
	});

test("DL-6 a parked poll ends with its session, though nothing tells of that", async () => {
	const web = await signIn(stack, "bob");
	const session = (await web.get("/api/v1/me")).json.session.id;
	const cursor = await head(web); // behind what the sign-in has changed
	let last;
	const over = async (ms) => {
		const set = `UPDATE sessions SET expires_at = now() + interval '${ms} ms' WHERE id = ${session}`;
		const end = await timeOf(stack, "expires_at", `FROM sessions WHERE id = ${session}`, set);
		last = await poll(web, { cursor, wait: 50, via: "realtime1" });
		return Date.now() - end;
	};
	for (let ms = 1500; last?.status !== 200; ms *= 2) // on a busy machine it may have ended before the poll comes
		await within(1000, stack, () => over(ms), "it ends when its session does", (late) => late);
	assert.deepEqual([last.status, last.events], [200, []]);
	assert.equal((await poll(web, { cursor: last.cursor, wait: 50, via: "realtime1" })).status, 401);
});

test("a client that leaves while its poll is parked is noticed, and costs nothing", async () => {
	const proc = `/proc/${stack.pids.realtime1}`;
	const ticks = () => readFileSync(`${proc}/stat`, "utf8").split(" ").slice(13, 15).map(Number).reduce((x, y) => x + y);
	const sockets = () => readdirSync(`${proc}/fd`).length;
	const { cursor } = await poll(bob, { via: "realtime1" });
	const few = sockets();
	const parked = range(1, 50).map(() => {
		const abort = new AbortController();
		return { abort, p: poll(bob, { cursor, wait: 50, via: "realtime1", past: true, signal: abort.signal }).catch(() => "left") };
	});
	await until(() => sockets() >= few + 45, { what: "they are all there" });
	for (const g of parked) g.abort.abort();
	assert.deepEqual(new Set(await Promise.all(parked.map((g) => g.p))), new Set(["left"]));
	await until(() => sockets() <= few + 5, { what: "their sockets are closed" });
	const before = ticks();
	const end = Date.now() + 500;
	await until(() => Date.now() > end);
	assert.ok(ticks() - before < 15, `the loop spins: ${ticks() - before} ticks of 10 ms in half a second`);
});

test("a poll that alternates between two processes misses nothing and spins nowhere", async () => {
	let cursor = await head(alice);
	const got = [];
	let sent = 0, polls = 0;
	const sender = (async () => {
		for (; sent < 60; sent++) await post(alice, room, `alternating ${sent}`);
	})();
	const from = (await post(alice, room, "first")).seq;
	while (got.length < 61) {
		const p = await poll(bob, { cursor, wait: 5, via: ++polls % 2 ? "realtime1" : "realtime2" });
		assert.equal(p.status, 200, p.text);
		got.push(...seqs(p.events, room));
		cursor = p.cursor;
	}
	await sender;
	assert.equal(new Set(got).size, 61);
	for (let i = 1; i < got.length; i++) assert.equal(got[i], got[i - 1] + 1, "in order, no hole");
	assert.ok(Math.abs(got[0] - from) <= 60);
	assert.ok(polls <= 130, `${polls} polls for 61 messages`);
});
