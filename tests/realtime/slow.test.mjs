// slow: WP-2, readers that do not read, with the bound of a real site; in full size: long/slow.test.mjs. Not under a sanitizer: its memory
// is measured.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { openRaw } from "../support/wire.mjs";
import { connections, cpu, crowd, people, range, sendOp, until } from "./help.mjs";
import { Slow, cuts, rss } from "./slow.mjs";

const SLOW = 50, HEALTHY = 40, BOUND = 1 << 20;
let stack, alice, all, room;

before(async () => {
	stack = await startStack({ provider: false, realtime: 2, variant: "plain", wrap: [] });
	[alice] = await people(stack, "alice");
	({ people: all, room } = await crowd(stack, alice, 10));
});
after(() => stack.stop());

const memory = () => rss(stack, "realtime1");
const sockets = () => connections(stack, "realtime1");

test("WP-2 fifty clients that do not read: memory bounded, cut without their help, none missed on return", { timeout: 90000 }, async (t) => {
	const a = await openWs(alice, { via: "realtime1" });
	const sentAt = new Map();
	const delays = { realtime1: [], realtime2: [] };
	const readers = (via) =>
		Promise.all(
			range(1, HEALTHY).map(async (i) => {
				const got = [];
				const take = (l) => {
					if (l.type !== "message") return;
					got.push(l.seq);
					delays[via].push(performance.now() - sentAt.get(l.client_id));
				};
				const feed = await openRaw(all[i % all.length], { via, take });
				await feed.some((l) => l.type === "hello"); // the handshake alone may be far ahead of it
				return { got, feed };
			}),
		);
	// The others are at a process without slow clients: whatever else runs on the machine delays both.
	const healthy = await readers("realtime1"), others = await readers("realtime2");
	let sent = 0, most = memory();
	/** At an even pace. */
	const talk = async (n, each = 8) => {
		const from = performance.now(), start = sent;
		while (sent - start < n) {
			for (let i = 0; i < each; i++) {
				const op = sendOp(room, `${++sent} `.padEnd(1000, "x"));
				sentAt.set(op.client_id, performance.now());
				a.send(op);
			}
			most = Math.max(most, memory());
			const due = from + ((sent - start) * 1000) / 500;
			await until(() => performance.now() >= due, { every: 5 });
			await until(() => a.lines.filter((l) => l.type === "ack").length > sent - 100, { every: 5 });
		}
		await until(() => [...healthy, ...others].every((h) => h.got.at(-1) === sent), { ms: 20000, what: "all is delivered" });
	};
	/** In rounds: the server's CPU time a message, and the best of the rounds' 99th of a hundred delays (all else that runs here only adds). */
	const measure = async (rounds, each = 160) => {
		const used = cpu(stack, "realtime1"), p99 = { realtime1: [], realtime2: [] };
		for (let i = 0; i < rounds; i++) {
			for (const list of Object.values(delays)) list.length = 0;
			await talk(each);
			for (const [via, list] of Object.entries(delays)) p99[via].push(list.sort((x, y) => x - y)[Math.floor(list.length * 0.99)]);
		}
		return { p99: Math.min(...p99.realtime1), others: Math.min(...p99.realtime2), cpu: (cpu(stack, "realtime1") - used) / (rounds * each) };
	};
	await talk(300);
	const alone = await measure(8);
	const few = sockets(), before = memory(), from = sent;
	const slow = range(1, SLOW).map((i) => new Slow(all[i % all.length], i % 2 === 0, { via: "realtime1", past: true }));
	await Promise.all(slow.map((s) => s.open()));
	for (const s of slow) s.stall();
	assert.equal(sockets(), few + SLOW);
	most = before;
	const beside = await measure(10);
	await until(() => sockets() === few, { ms: 6000, what: "the slow ones are cut, though they neither read nor answer" });
	const grown = most - before;
	const told = (m) => `p99 ${m.p99.toFixed(1)} ms, of another process ${m.others.toFixed(1)} ms, CPU ${m.cpu.toFixed(2)} ms a message`;
	t.diagnostic(`alone ${told(alone)}; beside ${SLOW} slow ones ${told(beside)}; memory grew by ${(grown / 1048576).toFixed(1)} MiB`);
	assert.ok(grown < SLOW * BOUND, `${grown} bytes`);
	const queued = cuts(stack, "realtime1");
	assert.equal(queued.length, SLOW);
	assert.ok(Math.max(...queued) <= BOUND, `${Math.max(...queued)} bytes waited for one`);
	assert.ok(beside.p99 < beside.others * 1.2 + 20, `${told(alone)}; beside the slow ones ${told(beside)}`);
	// a slow one costs no more than another that reads
	assert.ok(beside.cpu < ((alone.cpu * (HEALTHY + SLOW)) / HEALTHY) * 1.2, `${told(alone)}; beside the slow ones ${told(beside)}`);
	for (const h of [...healthy, ...others]) assert.deepEqual(h.got, range(1, sent));
	await Promise.all(slow.map((s) => s.rest()));
	for (const s of slow) assert.ok(s.count < 1600);
	await Promise.all(slow.map((s) => s.catchUp(sent - from, { via: "realtime1" })));
	for (const h of [...healthy, ...others]) h.feed.destroy();
	await a.close();
});
