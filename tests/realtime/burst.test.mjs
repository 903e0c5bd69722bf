// burst: more than what may wait for one connection comes in one turn of the loop. Who takes what is written to his socket is not
// slow; who does not is cut all the same, and less than the bound has waited for him.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { openRaw } from "../support/wire.mjs";
import { connections, crowd, people, post, range, sendOp, until } from "./help.mjs";
import { Slow, cuts } from "./slow.mjs";

const BOUND = 1 << 20, READERS = 8;
let stack, alice, all, room, sent = 0;

before(async () => {
	stack = await startStack({ provider: false, realtime: 2 });
	[alice] = await people(stack, "alice");
	({ people: all, room } = await crowd(stack, alice, READERS + 2));
});
after(() => stack.stop());

/** So many messages of so many bytes, all of them while realtime1 stands still. */
async function whileItStands(n, bytes) {
	const a = await openWs(alice, { via: "realtime2" });
	await stack.kill("realtime1", "SIGSTOP");
	try {
		for (let done = 0; done < n; done += 50) {
			for (let i = 0; i < 50; i++) a.send(sendOp(room, `${++sent} `.padEnd(bytes, "x")));
			await until(() => a.lines.filter((l) => l.type === "ack").length >= done + 50, { ms: 20000, what: "acks" });
		}
	} finally {
		await stack.kill("realtime1", "SIGCONT");
	}
	await a.close();
}

/** A client at realtime1 that reads; got: the seqs. */
async function reader(who, open) {
	const got = [];
	const feed = await open(who, { via: "realtime1", past: true, take: (l) => l.type === "message" && got.push(l.seq) });
	await feed.some((l) => l.type === "hello");
	return { got, feed };
}

for (const [what, n, bytes] of [["told by the bus", 4000, 1000], ["read from the log", 350, 12000]])
	test(`four MiB in a turn, ${what}: each who reads has all of it, in order, and is not cut`, { timeout: 90000 }, async () => {
		const from = sent, cut = cuts(stack, "realtime1").length;
		const readers = await Promise.all(range(1, READERS).map((i) => reader(all[i], i % 2 ? openRaw : openSse)));
		await whileItStands(n, bytes);
		await until(() => readers.every((r) => r.got.length >= n), { ms: 20000 }).catch((e) => {
			throw new Error(`${e.message}: ${readers.map((r) => r.got.length)}; ${stack.log("realtime1").match(/stream\.\w+ .*/g)}`);
		});
		for (const r of readers) assert.deepEqual(r.got, range(from + 1, from + n));
		assert.equal(cuts(stack, "realtime1").length, cut);
		// and they are live again
		for (let i = 0; i < 50; i++) await post(alice, room, `${++sent}`);
		await until(() => readers.every((r) => r.got.length === n + 50), { ms: 5000, what: "what came behind it" });
		for (const r of readers) (r.feed.terminate ?? r.feed.destroy)();
		await until(() => connections(stack, "realtime1") === 0);
	});

test("one who reads slowly, but all the time, is not cut: the kernel tells late that it has room again", { timeout: 90000 }, async () => {
	const from = sent, n = 8000, cut = cuts(stack, "realtime1").length;
	const got = [];
	let slowly = true;
	const take = (l) => {
		if (l.type === "message") got.push(l.seq);
		if (slowly && feed) feed.pause(); // after each piece that comes, 64 KiB
	};
	let feed;
	feed = await openRaw(all[1], { via: "realtime1", past: true, take });
	await feed.some((l) => l.type === "hello");
	feed.pause();
	await whileItStands(n, 1000);
	const reading = setInterval(() => feed.resume(), 1500);
	const since = performance.now();
	await until(() => performance.now() - since > 10000 || cuts(stack, "realtime1").length > cut, { ms: 20000, every: 100 });
	clearInterval(reading);
	assert.equal(cuts(stack, "realtime1").length, cut, `cut when ${got.length} had come`);
	assert.ok(got.length > 0 && got.length < n / 2, `${got.length} came`);
	slowly = false;
	feed.resume();
	await until(() => got.length >= n, { ms: 20000, what: "the rest" });
	assert.deepEqual(got, range(from + 1, from + n));
	feed.destroy();
});

test("one who does not read is cut in a burst too, by the bound, and comes back for the rest", { timeout: 60000 }, async () => {
	const few = connections(stack, "realtime1"), from = sent, cut = cuts(stack, "realtime1").length;
	const slow = [new Slow(all[1], true, { via: "realtime1", past: true }), new Slow(all[2], false, { via: "realtime1", past: true })];
	const healthy = await reader(all[3], openRaw);
	for (const s of slow) await s.open();
	for (const s of slow) s.stall();
	await whileItStands(4000, 1000);
	await until(() => healthy.got.length === 4000, { ms: 20000, what: "who reads has all" });
	await until(() => cuts(stack, "realtime1").length === cut + slow.length, { ms: 8000, what: "who does not is cut" });
	await until(() => connections(stack, "realtime1") === few + 1, { what: "who does not is gone, whether or not he takes leave" });
	const queued = cuts(stack, "realtime1").slice(cut);
	assert.equal(queued.length, slow.length);
	assert.ok(Math.max(...queued) <= BOUND, `${Math.max(...queued)} bytes waited for one`);
	for (const s of slow) await s.rest();
	for (const s of slow) await s.catchUp(sent - from);
	healthy.feed.destroy();
});
