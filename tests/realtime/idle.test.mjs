// idle: clients that say nothing, that sleep, and that have gone without a word.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { startStack } from "../support/stack.mjs";
import { sleep } from "../support/until.mjs";
import { PONG as PONG_FRAME, openRaw } from "../support/wire.mjs";
import { channel, connections, head, idOf, people, post, range, spinsNot, until } from "./help.mjs";

// A machine with other things to do answers a ping late: the time for it is long, that between pings short.
const INTERVAL = 500, PONG = 3000;
let stack, alice, bob;
before(async () => {
	const conf = { "realtime.ping_interval": `${INTERVAL}ms`, "realtime.pong_timeout": `${PONG}ms` };
	// lighttpd: a connection of its own for each request, so that they can be counted
	stack = await startStack({ provider: false, realtime: 2, front: "lighttpd", conf });
	[alice, bob] = await people(stack, "alice", "bob");
});
after(() => stack?.stop());

const open = () => connections(stack, "realtime1", "realtime2");

test("TR-1 pongs keep a silent WebSocket open, heartbeats an event stream; without a pong it is cut", { timeout: 60000 }, async (t) => {
	const ws = await openWs(bob);
	const sse = await openSse(bob);
	const mute = await openRaw(bob, { via: "realtime1", pong: false });
	t.after(() => [ws, sse].forEach((feed) => feed.terminate()));
	const told = { pings: 0, ends: [] };
	ws.socket.on("ping", () => told.pings++);
	for (const [name, feed] of Object.entries({ ws, sse })) void feed.closed.then((end) => told.ends.push({ name, ...end }));
	const heartbeats = () => sse.lines.filter((l) => l.type === "heartbeat").length;
	assert.equal((await mute.ended).clean, false);
	assert.ok(mute.pings >= 1);
	// They are older than the one that was cut, and go on.
	const then = [told.pings, heartbeats()];
	await until(() => told.ends.length > 0 || (told.pings > Math.max(2, then[0]) && heartbeats() > Math.max(2, then[1])), { what: "more pings" });
	assert.deepEqual(told.ends, [], `after ${told.pings} pings`);
	await Promise.all([ws.close(), sse.close()]);
});

test("TR-1 a process that stood still for longer than it waits for a pong reads first, and cuts nobody who had answered", { timeout: 60000 }, async (t) => {
	const one = await openRaw(bob, { via: "realtime1", pong: false });
	t.after(() => one.destroy());
	await until(() => one.pings > 0, { what: "a ping" });
	await stack.kill("realtime1", "SIGSTOP");
	one.frame(PONG_FRAME, "");
	await sleep(PONG + INTERVAL);
	const before = one.pings;
	await stack.kill("realtime1", "SIGCONT");
	await until(() => one.pings > before, { what: "a ping after it" });
	one.frame(PONG_FRAME, "");
	await one.close();
});

test("TM-2 a program is stopped, thirty messages pass, it wakes: each once on every transport, live within 5 s", { timeout: 60000 }, async (t) => {
	const room = await channel(alice, [bob]);
	await until(() => open() === 0, { what: "nobody is there" });
	const { host, port, url } = stack;
	const child = spawn(process.execPath, ["tests/realtime/sleeper.mjs", JSON.stringify({ host, port, url, token: bob.token, room })], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	t.after(() => child.kill("SIGKILL"));
	const got = { ws: [], sse: [], poll: [] }, opened = { ws: 0, sse: 0, poll: 0 }, resets = [];
	createInterface({ input: child.stdout }).on("line", (text) => {
		const l = JSON.parse(text);
		if (l.seq) got[l.transport].push(l.seq);
		if (l.opened) opened[l.transport]++;
		if (l.reset) resets.push(l);
	});
	const all = (n) => Object.values(got).every((list) => list.at(-1) === n);
	await until(() => Object.values(opened).every((n) => n === 1), { ms: 20000, what: "all three are open" });
	await post(alice, room, "1");
	await until(() => all(1));
	child.kill("SIGSTOP");
	for (let i = 2; i <= 31; i++) await post(alice, room, `${i} while it sleeps`);
	// the poll is answered, the WebSocket gives no pong; what the event stream gets fits into buffers
	await until(() => open() <= 1, { ms: 20000, what: "its WebSocket is cut" });
	child.kill("SIGCONT");
	await until(() => all(31), { ms: 5000, what: "all thirty, within 5 s" });
	await post(alice, room, "32");
	await until(() => all(32));
	for (const list of Object.values(got)) assert.deepEqual(list, range(1, 32));
	assert.deepEqual(resets, []);
	assert.ok(opened.ws >= 2, "it has come back");
	await until(() => open() <= 3, { what: "one stream for each" });
});

test("whom a web server keeps parked after the user has gone costs no CPU, polls and event streams alike", { timeout: 60000 }, async (t) => {
	const cursor = await head(bob);
	await until(() => open() === 0, { what: "nobody is there" });
	const streams = await Promise.all(range(1, 20).map(() => openSse(bob)));
	const gone = range(1, 40).map(() => {
		const abort = new AbortController();
		return { abort, p: poll(bob, { cursor, wait: 8, signal: abort.signal }).catch(() => "left") };
	});
	t.after(() => {
		for (const g of gone) g.abort.abort();
		for (const s of streams) s.terminate();
	});
	await until(() => open() >= 60, { what: "they are all there" });
	for (const g of gone) g.abort.abort();
	for (const s of streams) s.terminate();
	await Promise.all(gone.map((g) => g.p));
	await until(() => open() <= 40, { what: "heartbeats show that the event streams have gone" });
	await Promise.all(["realtime1", "realtime2"].map((name) => spinsNot(stack, name, 1000)));
	await until(() => open() === 0, { ms: 15000, what: "the polls end by their hold" });
});

test("polls that alternate between two processes wait where there is nothing for them, quiet or while others talk", { timeout: 60000 }, async () => {
	const instance = randomUUID();
	let cursor = (await poll(bob, { via: "realtime1" })).cursor;
	const round = async (i) => {
		const t = performance.now();
		const p = await poll(bob, { cursor, wait: 1, instance, via: `realtime${1 + (i % 2)}` });
		const took = performance.now() - t;
		assert.deepEqual([p.status, p.events], [200, []]);
		assert.ok(took >= 950, `answered after ${took} ms`);
		assert.ok(idOf(p.cursor) >= idOf(cursor));
		cursor = p.cursor;
	};
	for (let i = 0; i < 4; i++) await round(i);
	const others = await channel(alice, []);
	const from = idOf(cursor);
	let talking = true, sent = 0;
	const talk = (async () => {
		for (; talking; sent++) await post(alice, others, `${sent}`);
	})();
	for (let i = 0; i < 4; i++) await round(i);
	talking = false;
	await talk;
	assert.ok(sent > 10 && idOf(cursor) > from, "the cursor goes on with what is not for him");
	await Promise.all(["realtime1", "realtime2"].map((name) => spinsNot(stack, name, 500)));
});
