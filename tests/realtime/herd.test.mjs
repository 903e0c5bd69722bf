// herd: DL-5, two thousand clients lose their process at once, by a planned stop and by a kill, and come back. $DOWN_SECONDS: how long
// the planned stop lasts; 3, in check-long 10.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { sleep } from "../support/until.mjs";
import { openRaw } from "../support/wire.mjs";
import { cpu, cpuOf, crowd, people, post, range, until } from "./help.mjs";

const HERD = 2000, LONE = 200, PEOPLE = 25, SPREAD = 3;
const DOWN = Number(process.env.DOWN_SECONDS ?? 3);
const BACK = 30; // s after the start in which all are back, whatever else the machine does; it takes a few
const BACKOFF = { first: 0.2, most: 5 }; // s, with a jitter of half of it to either side
const LOG_READERS = 3; // connections of one process that ask (ws/main.c)
let stack, alice, all, room, sent = 0;

before(async () => {
	stack = await startStack({ provider: false, realtime: 2, conf: { "realtime.ring_events": 64, "realtime.drain_spread": `${SPREAD}s` } });
	[alice] = await people(stack, "alice");
	({ people: all, room } = await crowd(stack, alice, PEOPLE));
});
after(() => {
	for (const m of herd ?? []) m.stop(); // a failure leaves them on their way
	return stack?.stop();
});

/** What a right client does: it comes back when it is told to, or at random within two seconds; then ever later, with jitter. */
class Member {
	constructor(i) {
		Object.assign(this, { who: all[i % PEOPLE], via: `realtime${1 + (Math.floor(i / PEOPLE) % 2)}`, got: [], tries: [], byes: [], faults: [] });
	}

	take(line) {
		if (line.cursor) this.cursor = line.cursor;
		if (line.type === "reset") this.faults.push(line);
		if (line.type === "message") this.got.push(line.seq);
	}

	async run() {
		for (let failures = 0; !this.stopped; ) {
			let wait;
			try {
				this.tries.push(performance.now());
				this.feed = await openRaw(this.who, { via: this.via, cursor: this.cursor, take: (l) => this.take(l) });
				this.cursor ??= (await this.feed.next("hello", 60000)).cursor;
				failures = 0;
				const end = await this.feed.ended;
				const bye = this.feed.lines.find((l) => l.type === "bye");
				if (bye) this.byes.push({ ...bye, close: end.code, at: performance.now() });
				wait = bye?.retry_after ?? Math.random() * 2;
			} catch (e) {
				this.lastFailure = e;
				wait = Math.min(BACKOFF.most, BACKOFF.first * 2 ** failures++) * (0.5 + Math.random());
			}
			await sleep(wait * 1000);
		}
	}

	stop() {
		this.stopped = true;
		this.feed?.destroy();
	}
}

/** The most log reads at a time, and the most connections, while `going`. */
async function watch(going) {
	const most = { reads: 0, connections: 0, seen: 0 };
	while (going()) {
		const row = await stack.psql(
			`create or replace function pg_temp.most(out reads int, out connections int, out seen int) language plpgsql as $$
			declare r int; c int;
			begin
				reads := 0; connections := 0; seen := 0;
				for i in 1..60 loop
					perform pg_stat_clear_snapshot();
					select count(*) filter (where state = 'active' and query like '%own.user_id = $1%'), count(*) into r, c
						from pg_stat_activity where application_name like 'realtime%';
					reads := greatest(reads, r); connections := greatest(connections, c); seen := seen + (r > 0)::int;
					perform pg_sleep(0.01);
				end loop;
			end $$;
			select reads, connections, seen from pg_temp.most()`,
			{ user: "postgres" },
		);
		const [reads, connections, seen] = row.trim().split("\n").at(-1).split("|").map(Number);
		most.reads = Math.max(most.reads, reads);
		most.connections = Math.max(most.connections, connections);
		most.seen += seen;
	}
	return most;
}

async function talk(n) {
	for (let i = 0; i < n; i++) await post(alice, room, `${++sent}`);
}

let herd;
const have = (seq) => until(() => herd.every((m) => m.got.at(-1) === seq), { ms: 60000, every: 50, what: `all have ${seq}` });

/** What was spent so far: transactions, and processor time in ms of both processes and of the database for them. */
async function spent() {
	const row = await stack.psql(
		`select xact_commit, (select string_agg(pid::text, ' ') from pg_stat_activity where application_name like 'realtime%')
			from pg_stat_database where datname = current_database()`,
		{ user: "postgres" },
	);
	const [commits, pids] = row.trim().split("|");
	const sum = (times) => times.reduce((a, b) => a + b, 0);
	return [Number(commits), sum(["realtime1", "realtime2"].map((name) => cpu(stack, name))), sum(pids.split(" ").map(cpuOf))];
}

/** That, for each of so many clients. */
const each = (before, after, clients = HERD) => after.map((n, i) => (n - before[i]) / clients);

/** What it costs when one comes back after the other, each from there on to what was sent last. */
async function lone(cursor) {
	const before = await spent();
	for (let i = 0; i < LONE; i++) {
		const feed = await openRaw(all[i % PEOPLE], { via: `realtime${1 + (i % 2)}`, cursor });
		await feed.some((l) => l.type === "message" && l.seq === sent);
		feed.destroy();
	}
	return each(before, await spent(), LONE);
}

/** Loses all, by how(name), for s at least; the messages of meanwhile; back: the time until all have everything. */
async function lose(t, how, down = 0) {
	const { cursor } = herd[0];
	for (const m of herd) m.tries = [];
	await Promise.all(["realtime1", "realtime2"].map(how));
	const gone = performance.now();
	await talk(100); // more than a process remembers, so that each has to be read from the log
	await sleep(down * 1000 - (performance.now() - gone));
	const away = herd.map((m) => m.tries);
	let going = true;
	const watched = watch(() => going);
	const began = performance.now();
	await Promise.all(["realtime1", "realtime2"].map((name) => stack.up(name)));
	for (const m of herd) m.tries = [];
	const before = await spent();
	await have(sent);
	const [commits, programs, database] = each(before, await spent());
	const attempts = Math.max(...herd.map((m) => m.tries.length));
	const seconds = (performance.now() - began) / 1000;
	going = false;
	const most = await watched;
	const alone = await lone(cursor);
	t.diagnostic(`all ${HERD} resumed ${seconds.toFixed(1)} s after the start, by ${attempts} attempts at most`);
	t.diagnostic(`${most.reads} log reads at a time, ${most.connections} connections`);
	const told = `${programs} ms of pulsechat-realtime and ${database} ms of the database`;
	t.diagnostic(`each client cost ${commits} transactions, ${told}; one alone ${alone}`);
	assert.ok(most.seen > 0, "the log was read while we looked");
	assert.ok(most.reads <= 2 * LOG_READERS, `${most.reads} log reads at a time`);
	assert.ok(most.connections <= 2 * (LOG_READERS + 2), `${most.connections} connections`);
	// That all are back in seconds is made of these; what they take of the clock is the machine's matter.
	assert.ok(seconds < BACK, `all were back after ${seconds} s`);
	assert.ok(attempts <= 1, `${attempts} attempts of one client at processes that are up`);
	assert.ok(commits < 2.5, `${commits} transactions: one about the session, one for all that a client has missed`);
	assert.ok(programs < 1.5 * alone[1] && database < 1.5 * alone[2], `${told}, in a herd; one alone ${alone}`);
	// how much that is in ms: what the thread sanitizer makes of it is its own matter
	if (stack.variant !== "tsan") assert.ok(programs < 2 && database < 20, told);
	for (const m of herd) {
		assert.deepEqual(m.got, range(1, sent));
		assert.deepEqual(m.faults, []);
	}
	await talk(1); // and are live
	await have(sent);
	return away;
}

/** In each second from the first of these times (ms) on, how many there are. */
function bySecond(times) {
	const first = times.reduce((a, b) => Math.min(a, b), Infinity), seconds = [];
	for (const at of times) {
		const s = Math.floor((at - first) / 1000);
		while (seconds.length <= s) seconds.push(0);
		seconds[s]++;
	}
	return seconds;
}

test("DL-5 a planned stop: all are told when to come back, spread; all resume, by a bounded number of reads", { timeout: 150000 }, async (t) => {
	herd = range(0, HERD - 1).map((i) => new Member(i));
	for (const m of herd) void m.run();
	await until(() => herd.every((m) => m.cursor), { ms: 60000, every: 50, what: "all are there" });
	await talk(1);
	await have(1);
	const away = await lose(t, (name) => stack.down(name), DOWN);
	const waits = herd.map((m) => m.byes[0]);
	for (const b of waits) assert.deepEqual([b?.code, b?.close, b?.reason], [1012, 1012, "restart"]);
	const tenths = new Array(10).fill(0);
	for (const b of waits) {
		assert.ok(b.retry_after > 0 && b.retry_after <= SPREAD + 0.001, `${b.retry_after}`);
		tenths[Math.min(9, Math.floor((b.retry_after / SPREAD) * 10))]++;
	}
	for (const n of tenths) assert.ok(n > HERD / 20 && n < HERD / 5, `spread evenly: ${tenths}`);
	// They kept to that; then each came ever later, at its ceiling some seconds on.
	const firsts = [];
	for (const [i, tries] of away.entries()) {
		const due = herd[i].byes[0].at + herd[i].byes[0].retry_after * 1000;
		if (tries.length > 0) firsts.push(tries[0]);
		for (const [n, at] of tries.entries()) {
			const least = n === 0 ? due : tries[n - 1] + Math.min(BACKOFF.most, BACKOFF.first * 2 ** (n - 1)) * 500;
			assert.ok(at > least - 5, `attempt ${n + 1} came ${least - at} ms early`);
		}
	}
	const seconds = bySecond(firsts), all = bySecond(away.flat());
	t.diagnostic(`first attempts by the second: ${seconds}; all while it was away, for ${DOWN} s: ${all}`);
	assert.ok(firsts.length > HERD / 2, `${firsts.length} came while it was away`);
	for (const n of [...seconds, ...all.slice(SPREAD + 4)]) assert.ok(n < HERD / 2, `not so many in one second: ${seconds}; ${all}`);
});

test("DL-5 both processes killed: no goodbye, and nobody is lost", { timeout: 150000 }, async (t) => {
	await lose(t, (name) => stack.down(name, "SIGKILL"));
	for (const m of herd) {
		assert.equal(m.byes.length, 1, "of the planned stop");
		m.stop();
	}
});
