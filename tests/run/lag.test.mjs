// lag: what tests/support/lag.mjs lets pass and what it does not, beside programs that want all processors.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism, constants, setPriority } from "node:os";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { lateness, within } from "../support/lag.mjs";
import { until } from "../support/until.mjs";

const children = new Set();
after(() => children.forEach((c) => c.kill("SIGKILL")));

/** A program of Node.js: {pid, ask(line) → what it answers, end()}. */
async function program(text, stdio = ["pipe", "pipe", "inherit"]) {
	const child = spawn(process.execPath, ["--input-type=module", "-e", text], { stdio });
	children.add(child);
	await once(child, "spawn");
	const said = child.stdout && createInterface({ input: child.stdout });
	const answer = () => once(said, "line").then(([line]) => JSON.parse(line));
	return {
		pid: child.pid,
		ready: said ? answer() : undefined,
		ask(ms) {
			child.stdin.write(`${ms}\n`);
			return answer();
		},
		async end() {
			const gone = once(child, "exit");
			child.kill("SIGKILL");
			children.delete(child);
			await gone;
		},
	};
}

/** Asked with a number it computes until that many ms have gone by in which it had no processor, and says how many. */
const HUNGRY = `
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
const waited = () => Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[1]) / 1e6;
createInterface({ input: process.stdin }).on("line", (ms) => {
	const at = waited();
	while (waited() - at < Number(ms));
	console.log(Math.floor(waited() - at));
});
console.log(0);`;

/** Many threads, each of which computes for some ms twice a second, all at the same time by the clock. */
const THREADS = 32;
const MANY = `
import { Worker } from "node:worker_threads";
const own = 'import { parentPort } from "node:worker_threads"; parentPort.postMessage(0);'
	+ 'const next = () => setTimeout(work, 500 - (Date.now() % 500)); next();'
	+ 'function work() { for (let i = 0; i < 8e6; i++); next(); }';
let up = 0;
for (let i = 0; i < ${THREADS}; i++) new Worker(own, { eval: true }).on("message", () => ++up === ${THREADS} && console.log(0));`;

/** Beside as many as take every processor. */
async function crowded(act) {
	const all = await Promise.all(Array.from({ length: availableParallelism() + 1 }, () => program("for (;;);", "ignore")));
	try {
		await act();
	} finally {
		await Promise.all(all.map((p) => p.end()));
	}
}

async function hungry() {
	const p = await program(HUNGRY);
	await p.ready;
	setPriority(p.pid, constants.priority.PRIORITY_LOW);
	return p;
}

/** From now on, of these and of ourselves: () => {ms: gone by, sum: waited for a processor by all threads, most: by the one that waited most, of each}. */
function waits(pids) {
	const threads = [`${process.pid}/task/${process.pid}`, ...pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((t) => `${pid}/task/${t}`))];
	const now = () => threads.map((t) => Number(readFileSync(`/proc/${t}/schedstat`, "utf8").split(" ")[1]) / 1e6);
	const first = now(), began = performance.now();
	return () => {
		const each = now().map((n, i) => n - first[i]);
		const of = [process.pid, ...pids].map((pid) => Math.max(...each.filter((_, i) => threads[i].startsWith(`${pid}/`))));
		return { ms: performance.now() - began, sum: each.reduce((sum, n) => sum + n, 0), most: of.reduce((sum, n) => sum + n, 0) };
	};
}

/** Until more than limit has gone by, and half a second, beyond what each of them has waited for. */
async function tooLong(limit, pids) {
	const so = waits(pids);
	await until(() => so().ms > limit + so().most + 500, { ms: 60000, every: 200, what: "it is late" });
}

const asleep = (ms) => new Promise((ok) => setTimeout(ok, ms));
const LATE = /are promised/;

test("of each program the thread that waited longest counts, of PostgreSQL's the two, of those of one name one", () => {
	const map = (all) => new Map(Object.entries(all).map(([name, threads]) => [name, new Map(Object.entries(threads))]));
	const before = map({ api: { 1: 100, 2: 50 }, postgres: { 6: 0, 7: 3 }, files: { 9: 4 } });
	const then = map({ api: { 1: 130, 2: 100, 3: 20 }, postgres: { 6: 5, 7: 4, 8: 11.4 }, files: { 9: 4 }, steal: { "": 0.2 } });
	assert.deepEqual(lateness(before, then), { api: 50, postgres: 16 });
});

test("on time is on time, and a delay is a delay", async () => {
	const stack = { pids: {} };
	assert.equal(await within(1000, stack, async () => 7), 7);
	await assert.rejects(within(500, stack, () => asleep(1500), "it"), LATE);
	await assert.rejects(within(500, stack, async () => 1500, "it", (ms) => ms), LATE);
});

test(`a delay is seen beside ${THREADS} threads that wait for a processor each`, async () => {
	const many = await program(MANY);
	await many.ready;
	const together = waits([many.pid]);
	const longer = async () => {
		await tooLong(1000, [many.pid]);
		assert.ok(together().sum > together().ms, "all of them have waited for longer than it took");
	};
	await crowded(() => assert.rejects(within(1000, { pids: { api1: many.pid } }, longer, "it"), LATE));
	await many.end();
});

test("what had no processor is given that time, one program after the other, and no more", async () => {
	const all = [await hungry(), await hungry()];
	const stack = { pids: { api1: all[0].pid, postgres: all[1].pid } };
	let starved = 0;
	const chain = async () => {
		for (const p of all) starved += await p.ask(700);
		return starved;
	};
	await crowded(async () => {
		await within(400, stack, chain, "it");
		assert.ok(starved >= 1400);
		await assert.rejects(within(400, stack, () => Promise.all([chain(), tooLong(400, Object.values(stack.pids))]), "it"), LATE);
	});
	await Promise.all(all.map((p) => p.end()));
});

test("what computes for long is late by itself", async () => {
	const busy = () => {
		for (let used = { user: 0, system: 0 }, began = process.cpuUsage(); used.user + used.system < 1000000; used = process.cpuUsage(began));
	};
	await assert.rejects(within(400, { pids: {} }, busy, "it"), LATE);
});
