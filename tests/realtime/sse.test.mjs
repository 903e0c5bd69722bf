// sse: server-sent events: their form, a browser's own reconnect, the bound, the drain. What all transports promise is tested with
// the others.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { connect } from "node:net";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { signIn } from "../support/http.mjs";
import { within } from "../support/lag.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { launch } from "../web/help.mjs";
import { channel, connections, exactly, head, idOf, people, post, range, say, sendOp, seqs, spinsNot, until } from "./help.mjs";

const QUEUE = 4 << 20;
const BEAT = 400;
let stack, alice, bob;

before(async () => {
	stack = await startStack({
		realtime: 2,
		conf: { "realtime.queue_bytes": QUEUE, "realtime.ping_interval": `${BEAT}ms`, "realtime.drain_spread": "700ms" },
	});
	[alice, bob] = await people(stack, "alice", "bob");
});
after(() => stack.stop());

const both = { WebSocket: openWs, "server-sent events": openSse };

test("TR-3 the head says that nobody is to keep, pack or hold it back; the first lines come at once, also through the web server", async () => {
	for (const via of ["realtime1", undefined]) {
		const instance = randomUUID();
		const asked = { "accept-encoding": "gzip, br", accept: "text/event-stream, */*;q=0.1" };
		const open = () => openSse(bob, { via, past: true, instance, headers: asked });
		const s = await within(1000, stack, open, "hello comes");
		const { status, headers } = s.head;
		assert.deepEqual([status, headers["content-type"], headers["cache-control"]], [200, "text/event-stream", "no-store"]);
		if (via) assert.equal(headers["x-accel-buffering"], "no"); // nginx takes it as said to itself
		assert.deepEqual([headers["content-length"], headers["content-encoding"]], [undefined, undefined]);
		assert.match(headers["pulsechat-request-id"], /^[0-9a-f]{32}$/);
		assert.deepEqual(Object.keys(s.hello).sort(), ["cursor", "heartbeat", "instance", "limits", "server_time", "type", "user"]);
		assert.deepEqual([s.lines[0].type, s.hello.instance, s.hello.user], ["hello", instance, bob.id]);
		assert.ok(s.retry >= 1000 && s.retry <= 1700, `retry ${s.retry}`);
		await s.close();
	}
	const plain = await poll(bob, { wait: 0, headers: { accept: "application/x-ndjson, text/event-streams;q=1" } });
	assert.equal(plain.headers["content-type"], "application/x-ndjson", "a longer name is another type");
	for (const query of [{ wait: 5 }, { what: 1 }])
		await assert.rejects(openSse(bob, { query }), (e) => e.status === 400 && e.problem.code === "bad_field");
});

test("each line is one event, many in one write; a line with a cursor bears it as id, heartbeats too", async () => {
	const room = await channel(alice, [bob]);
	const s = await openSse(bob, { via: "realtime1" });
	const a = await openWs(alice, { via: "realtime1" });
	a.send(range(1, 400).map((i) => JSON.stringify(sendOp(room, `n${i}\n\r\u2028 data: x`))).join("\n"));
	await exactly(s, room, 1, 400);
	assert.deepEqual(new Set(s.messages.map((m) => m.body.text)).size, 400);
	assert.ok(s.chunks < 100, `${s.chunks} reads for 400 events`);
	const behind = s.lines.length;
	await until(() => s.lines.slice(behind).filter((l) => l.type === "heartbeat").length >= 3, { what: "heartbeats behind all of them" });
	const beats = s.lines.filter((l) => l.type === "heartbeat");
	assert.equal(beats.at(-1).sent, s.events.length);
	assert.equal(s.lastEventId, beats.at(-1).cursor);
	await Promise.all([s.close(), a.close()]);
});

test("Last-Event-ID wins over the cursor in the address; one that is broken is refused, also behind a good cursor", async () => {
	const room = await channel(alice, [bob]);
	const old = await head(bob);
	for (let i = 1; i <= 3; i++) await post(alice, room, `m${i}`);
	const first = await openSse(bob, { cursor: old });
	await exactly(first, room, 1, 3);
	const second = first.lines.find((l) => l.seq === 2 && l.channel === room).cursor;
	await first.close();
	const again = await openSse(bob, { cursor: old, lastEventId: second });
	assert.equal(again.hello.cursor, second);
	await exactly(again, room, 3, 3);
	await again.close();
	for (const lastEventId of ["x", "aaaaaaaa.-1", `${second} `.repeat(20)])
		await assert.rejects(openSse(bob, { cursor: old, lastEventId }), (e) => {
			assert.deepEqual([e.status, e.problem.code, e.problem.field], [400, "bad_cursor", "Last-Event-ID"]);
			return true;
		});
});

test("by cookie only for the site's own pages", async () => {
	const web = await signIn(stack, "alice");
	const open = (headers) => openSse({ stack, credentials: { cookie: web.cookie } }, { headers: { "pulsechat-client": null, ...headers } });
	for (const headers of [{}, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { "sec-fetch-site": "none" },
		{ origin: "https://evil.test", "sec-fetch-site": "same-origin" }])
		await assert.rejects(open(headers), (e) => e.status === 403 && e.problem.code === "origin_refused", JSON.stringify(headers));
	const own = await open({ "sec-fetch-site": "same-origin" });
	assert.equal(own.hello.user, alice.id);
	await own.close();
});

test("a browser's own EventSource: each message once over a killed process, and a goodbye that it understands", { timeout: 60000 }, async (t) => {
	const room = await channel(alice, [bob]);
	const web = await signIn(stack, "bob");
	const browser = await launch();
	t.after(() => browser.close());
	const context = await browser.newContext();
	const [name, value] = web.cookie.split("; ").find((c) => c.startsWith(`pulsechat_${stack.port}=`)).split("=");
	await context.addCookies([{ name, value, url: stack.url }]);
	const page = await context.newPage();
	await context.route("**/*.js", (r) => r.abort()); // the page without the client
	await page.goto(`${stack.url}/`);
	// those of even number close on `bye`, the others never look
	await page.evaluate(() => {
		window.all = Array.from({ length: 4 }, (_, i) => {
			const one = { lines: [], opened: 0, source: new EventSource("/api/v1/events") };
			one.source.onopen = () => one.opened++;
			one.source.onmessage = (e) => {
				const line = JSON.parse(e.data);
				one.lines.push(line);
				if (e.lastEventId !== (line.cursor ?? e.lastEventId)) one.lines.push({ type: "wrong id", id: e.lastEventId });
				if (line.type === "bye" && i % 2 === 0) one.source.close();
			};
			return one;
		});
	});
	const state = () => page.evaluate(() => window.all.map((o) => ({ lines: o.lines, opened: o.opened, state: o.source.readyState })));
	const told = (ok) => until(async () => (await state()).every(ok), { ms: 20000 });
	await told((o) => o.opened === 1 && o.lines.some((l) => l.type === "hello"));
	for (let i = 1; i <= 5; i++) await post(alice, room, `${i}`);
	await told((o) => seqs(o.lines, room).includes(5));
	await stack.kill("realtime1");
	stack.forgive("realtime1");
	for (let i = 6; i <= 10; i++) await post(alice, room, `${i} while some are away`);
	await told((o) => seqs(o.lines, room).includes(10));
	await stack.up("realtime1");
	const after = await state();
	assert.ok(after.some((o) => o.opened === 2), "some have come back by themselves");
	for (const o of after) {
		assert.deepEqual(seqs(o.lines, room), range(1, 10));
		assert.ok(!o.lines.some((l) => l.type === "wrong id" || l.type === "reset"));
	}
	assert.equal((await web.post("/auth/logout")).status, 200);
	await told((o) => o.lines.at(-1).type === "bye");
	const opened = (await state()).map((o) => o.opened);
	for (const o of await state()) assert.deepEqual([o.lines.at(-1).code, o.lines.at(-1).reason], [4001, "signed out"]);
	await until(async () => (await state()).every((o, i) => o.state === (i % 2 ? 0 : 2)), { what: "closed, or waiting to come back" });
	const end = Date.now() + 2500; // longer than the longest usual retry
	await until(() => Date.now() > end);
	assert.deepEqual((await state()).map((o) => o.opened), opened, "DL-6 nobody tries again");
});

test("a client that has gone is noticed, alone and behind a web server; more bytes behind the request end it; neither costs CPU", async () => {
	const sockets = () => connections(stack, "realtime1", "realtime2"); // some web servers keep a few that are idle
	const gone = await Promise.all(range(1, 30).map((i) => openSse(bob, { via: i % 2 ? "realtime1" : undefined })));
	const most = sockets();
	for (const s of gone) s.terminate();
	await until(() => sockets() <= most - 30, { what: "their sockets are closed" });
	const more = connect(stack.socket("realtime1"));
	const request = `GET /api/v1/events HTTP/1.1\r\nHost: ${stack.host}\r\nAuthorization: Bearer ${bob.token}\r\nAccept: text/event-stream\r\n\r\n`;
	let text = "";
	more.on("data", (d) => (text += d));
	more.on("error", () => {});
	const ended = new Promise((ok) => more.on("close", ok));
	more.write(request);
	await until(() => text.includes('"hello"'));
	more.write(request);
	await ended;
	// both in one piece: the second may be answered by nothing, but costs nothing
	const two = connect(stack.socket("realtime1"));
	two.on("error", () => {});
	two.on("data", () => {});
	two.write(request + request);
	await spinsNot(stack, "realtime1", 1000);
	two.destroy();
	await until(() => sockets() <= most - 30);
});

for (const [name, open] of Object.entries(both))
	test(`at half of its bound a slow reader of ${name} goes without state, at the bound it is cut and comes back`, { timeout: 60000 }, async () => {
		const room = await channel(alice, [bob]);
		const a = await openWs(alice, { via: "realtime1" });
		const text = (i) => `${i} `.padEnd(20000, "x");
		const fill = async (n) => {
			for (let i = 0; i < n; i += 10) await Promise.all(range(1, 10).map((k) => say(a, room, text(i + k))));
		};
		const counts = { last_seq: 0, unread: 0, mentions: 0, unread_from: null, gone: [], wide: [], read_receipts: true };
		const line = (mark) => ({ type: "read", channel: 1e9, seq: mark, version: mark, ...counts }); // of a channel that there is not
		const state = (mark) => stack.psql(`select notify_state(${bob.id}, '${JSON.stringify(line(mark))}')`);
		const bears = (mark) => (l) => l.type === "read" && l.channel === 1e9 && l.seq === mark;
		const BEFORE = 1, DROPPED = 2, AFTER = 3;
		const slow = await open(bob, { via: "realtime1", past: true }); // a web server takes much before its client does
		const quick = await openWs(bob, { via: "realtime1" });
		await state(BEFORE);
		await slow.some(bears(BEFORE));
		(slow.socket ?? slow).pause();
		await fill(Math.round((QUEUE * 0.8) / 20000 / 10) * 10); // above half, with what the sockets' buffers take; below all
		const n = (await say(a, room, "the last of the first part")).seq;
		await quick.some((l) => l.type === "message" && l.seq === n && l.channel === room);
		await state(DROPPED);
		await quick.some(bears(DROPPED));
		(slow.socket ?? slow).resume();
		await exactly(slow, room, 1, n);
		await state(AFTER);
		await slow.some(bears(AFTER));
		assert.ok(!slow.lines.some((l) => bears(DROPPED)(l) || l.type === "reset"));
		(slow.socket ?? slow).pause();
		const from = stack.log("realtime1").length;
		await fill(Math.round((QUEUE * 1.3) / 20000 / 10) * 10);
		const last = (await say(a, room, "the last")).seq;
		await exactly(quick, room, 1, last);
		// at the bound, or, where all of it came within a second, when three have passed in which it took nothing
		await until(() => /stream\.slow /.test(stack.log("realtime1").slice(from)), { ms: 6000, what: "the slow one is cut" });
		(slow.socket ?? slow).resume();
		const end = await slow.closed;
		assert.ok([4008, 1006, undefined].includes(end.code), JSON.stringify(end)); // where the close stands behind too much it is cut off
		const got = seqs(slow.lines, room).at(-1);
		assert.ok(got < last);
		const again = await open(bob, { cursor: slow.lines.findLast((l) => l.cursor).cursor, via: "realtime1" });
		await exactly(again, room, got + 1, last);
		assert.ok(!again.lines.some((l) => l.type === "reset"));
		for (const f of [a, quick, again]) await f.close();
	});

test("a planned stop: a goodbye with a time to come back, spread, and nothing is missed", async () => {
	const room = await channel(alice, [bob]);
	const feeds = [];
	for (let i = 0; i < 20; i++) feeds.push(await (i % 2 ? openSse : openWs)(bob, { via: "realtime2" }));
	await post(alice, room, "1");
	for (const f of feeds) await exactly(f, room, 1, 1);
	await stack.down("realtime2");
	const ends = await Promise.all(feeds.map((f) => f.closed));
	assert.deepEqual(new Set(ends.map((e) => e.code)), new Set([1012]));
	const waits = feeds.map((f) => f.lines.at(-1).retry_after);
	for (const f of feeds) {
		const bye = f.lines.at(-1);
		assert.deepEqual([bye.type, bye.reason, bye.code], ["bye", "restart", 1012]);
		assert.ok(bye.retry_after > 0 && bye.retry_after <= 0.701, JSON.stringify(bye));
		if (f.head) assert.equal(f.retry, Math.round(bye.retry_after * 1000));
	}
	assert.ok(new Set(waits).size > 10, `spread: ${waits}`);
	await post(alice, room, "2 while it is down");
	await stack.up("realtime2");
	for (const f of feeds) {
		const again = await until(() => (f.head ? openSse : openWs)(bob, { cursor: f.cursor, via: "realtime2" }).catch(() => null));
		await exactly(again, room, 2, 2);
		await again.close();
	}
	assert.ok(idOf(feeds[0].cursor) > 0);
});
