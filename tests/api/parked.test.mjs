// parked: many polls in few threads, and what happens to them when something breaks. By FastCGI behind the shipped lighttpd
// example, without pulsechat-realtime.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { startStack } from "../support/stack.mjs";
import { client } from "../support/http.mjs";
import { follow as followOn, poll } from "../support/realtime.mjs";
import { fcgiOpen, fcgiRequest } from "../support/fastcgi.mjs";
import { within } from "../support/lag.mjs";
import { channel, exactly, head, markOf, people, post, range, seqs, until } from "../realtime/help.mjs";
import { ok, problem } from "./help.mjs";

const PARKED = 320;
let stack, alice, bob, carol, dave;

before(async () => {
	stack = await startStack({
		provider: false,
		realtime: 0,
		api: 2,
		front: "lighttpd-fastcgi-only",
		conf: { "api.threads": 2, "api.parked": PARKED },
	});
	[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
});
after(async () => {
	for (const f of followers) f.stop();
	await stack?.stop();
});

const followers = new Set();
function follow(...args) {
	const f = followOn(...args);
	followers.add(f); // one that a failed test leaves behind would poll for ever
	return f;
}
const bad = (p, ...rest) => problem({ ...p, json: p.problem }, ...rest);
const threads = (name) => Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${stack.pids[name]}/status`, "utf8"))[1]);
const descriptors = (name) => readdirSync(`/proc/${stack.pids[name]}/fd`).length;
const connections = async () => Number(await stack.psql("select count(*) from pg_stat_activity where application_name like 'pulsechat-api%'"));
const killListeners = () =>
	stack.psql("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'pulsechat-api-listen'", { user: "postgres" });
const listeners = () => stack.psql("select count(*) from pg_stat_activity where application_name = 'pulsechat-api-listen'");
/** Connections of the web server (or of a test) that a process has accepted: requests under way and parked polls. */
function accepted(name) {
	const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
	return lines.filter((l) => l.endsWith(` ${stack.socket(name)}`) && l.split(/ +/)[5] === "03").length;
}
const acceptedAre = (name, n) => until(() => accepted(name) === n, { what: `${n} in ${name}`, ms: 20000 });
/** So many wait in it: an accepted request may still be with a worker. */
const parkedAre = (name, n) =>
	until(async () => (await fcgiRequest(stack.socket(name), { path: "/healthz" })).json.polls === n, { what: `${n} polls in ${name}`, ms: 20000 });
/** All of a process's database connections are made, and nothing is under way. */
async function atRest(...names) {
	for (const via of names) {
		await Promise.all(range(1, 20).map(() => poll(alice, { via })));
		await acceptedAre(via, 0);
	}
}
function vanishing() {
	const abort = new AbortController();
	setMaxListeners(0, abort.signal);
	return abort;
}

test("300 polls wait in a process of two workers while its REST goes on; all have the message within a second", async () => {
	const room = await channel(alice, [bob, carol, dave]);
	const at = await head(alice);
	await atRest("api1");
	const before = threads("api1");
	const who = [alice, bob, carol, dave];
	let came = 0;
	const polls = (wait) => range(0, 299).map((i) => poll(who[i % 4], { cursor: at, wait, instance: randomUUID(), via: "api1" }).finally(() => came++));
	const rest = async () => {
		assert.equal((await fcgiRequest(stack.socket("api1"), { path: "/api/v1/me", token: alice.token })).status, 200);
		for (let i = 0; i < 50; i++) ok(await alice.get("/api/v1/me"));
	};
	const took = async (act, t = performance.now()) => (await act(), Math.round(performance.now() - t));
	// what this machine takes just now for the same without waiting
	const usual = { rest: await took(rest), polls: await took(() => Promise.all(polls(0))) };
	await acceptedAre("api1", 0);
	came = 0;
	const all = polls(50);
	await acceptedAre("api1", 300);
	assert.equal(threads("api1"), before, "no thread for them");
	const beside = await took(rest);
	assert.ok(beside < 2 * usual.rest + 1000, `${beside} ms for 51 requests, ${usual.rest} without the polls`);
	assert.equal(came, 0, "none has ended");
	let m;
	const ms = await took(async () => {
		m = await post(alice, room, "for all of them");
		await Promise.all(all);
	});
	for (const p of await Promise.all(all)) assert.deepEqual(seqs(p.lines, room), [m.seq]);
	assert.ok(ms < 1000 + usual.polls, `${ms} ms, where as many that do not wait took ${usual.polls}`);
	await acceptedAre("api1", 0);
});

test("over the bound: 503 and when to come back, which holds; over a user's: 429", async () => {
	const at = await head(alice);
	await atRest("api1");
	const who = [alice, bob, carol, dave];
	const t = Date.now();
	const all = range(1, PARKED).map((i) => poll(who[i % 4], { cursor: at, wait: 6, via: "api1" }));
	await parkedAre("api1", PARKED);
	const refused = await poll(alice, { cursor: at, wait: 6, via: "api1" });
	bad(refused, 503, "unavailable");
	const after = Number(refused.headers["retry-after"]);
	assert.ok(after >= 1 && after <= 7, `retry-after: ${after}`);
	ok(await alice.get("/api/v1/me")); // REST has no bound of polls
	await new Promise((yes) => setTimeout(yes, after * 1000));
	const again = await poll(alice, { cursor: at, wait: 0, via: "api1" });
	assert.equal(again.status, 200, `${again.text} after ${after} s, ${Date.now() - t} ms since the first`);
	for (const p of await Promise.all(all)) assert.deepEqual([p.status, p.events], [200, []]);

	const abort = vanishing();
	const many = range(1, 100).map(() => poll(bob, { cursor: at, wait: 50, via: "api1", signal: abort.signal }).catch(() => {}));
	await parkedAre("api1", 100);
	bad(await poll(bob, { cursor: at, wait: 50, via: "api1" }), 429, "busy");
	assert.equal((await poll(carol, { cursor: at, wait: 0, via: "api1" })).status, 200);
	abort.abort();
	await Promise.all(many);
	await acceptedAre("api1", 0); // who has gone is noticed, where the web server tells of it
	const later = poll(bob, { cursor: at, wait: 1, via: "api1" });
	assert.equal((await later).status, 200);
});

test("1,000 clients that vanish leave nothing behind: no thread, no descriptor, no connection, no place", async () => {
	const room = await channel(alice, [bob]);
	const at = await head(alice);
	const names = ["api1", "api2"];
	await atRest(...names);
	const [running, open, connected] = [names.map(threads), names.map(descriptors), await connections()];
	for (let round = 0; round < 5; round++) {
		// half of them past the web server, which so tells; half through it, which does not: there the wait is the bound
		const abort = vanishing();
		const who = [alice, bob, carol, dave];
		const gone = range(1, 100).flatMap((i) => [
			poll(who[i % 4], { cursor: at, wait: 50, via: names[i % 2], signal: abort.signal }).catch(() => {}),
			poll(who[i % 4], { cursor: at, wait: 1, signal: abort.signal }).catch(() => {}),
		]);
		await until(() => accepted("api1") + accepted("api2") >= 100, { what: "half of them wait" });
		if (round % 2) await post(alice, room, "an answer that nobody takes");
		abort.abort();
		await Promise.all(gone);
	}
	for (const name of names) await acceptedAre(name, 0);
	assert.deepEqual(names.map(threads), running);
	assert.deepEqual(names.map(descriptors), open);
	assert.equal(await connections(), connected);
	for (const via of names) assert.equal((await poll(alice, { cursor: at, wait: 0, via })).status, 200);
});

test("a web server that takes no answer holds nobody up", async () => {
	const room = await channel(alice, [bob]);
	const cursor = await head(bob);
	for (let i = 0; i < 40; i++) await post(alice, room, "x".repeat(20000)); // far more than a socket takes
	const path = `/api/v1/events?cursor=${cursor}&wait=30`;
	await atRest("api1");
	const stuck = [];
	for (let i = 0; i < 5; i++) {
		const c = await fcgiOpen(stack.socket("api1"), { path, token: bob.token });
		c.socket.pause();
		c.params();
		c.stdinEnd();
		stuck.push(c);
	}
	await acceptedAre("api1", 5);
	const at = await head(bob);
	const live = poll(bob, { cursor: at, wait: 30, via: "api1" });
	const [p, m] = await within(1000, stack, () => Promise.all([live, post(alice, room, "live")]), "the message comes");
	assert.deepEqual(seqs(p.lines, room), [m.seq]);
	const quick = stuck.pop();
	quick.socket.resume(); // was slow, not dead
	const answer = await quick.answer();
	assert.ok(answer.text.length > 200000);
	assert.equal(answer.text.trim().split("\n").map((l) => JSON.parse(l)).at(-1).type, "cursor");
	await acceptedAre("api1", 0); // the dead are let go after a few seconds
	for (const c of stuck) c.leave();
});

test("PG-2 a the listeners are ended while 50 messages are sent: all are there within 2 s, without a reset", async () => {
	const room = await channel(alice, [bob]);
	const from = await head(bob);
	const feeds = [follow(bob, { cursor: from, via: "api1" }), follow(bob, { cursor: from, via: "api2" })];
	for (let round = 0; round < 4; round++) {
		const to = (round + 1) * 50;
		assert.equal((await killListeners()).trim(), "2");
		await Promise.all(range(1, 50).map((i) => post(alice, room, `${round} ${i}`)));
		for (const f of feeds) await exactly(f, room, 1, to, 2000);
		await until(async () => (await listeners()) === "2", { what: "both listen again" });
	}
	for (const f of feeds) {
		assert.ok(!f.lines.some((l) => l.type === "reset"));
		assert.equal(f.failures, 0, String(f.lastFailure));
		await f.stop();
	}
});

test("PG-2 a listener that cannot come back: /healthz says deaf, the log is read", async () => {
	const room = await channel(alice, [bob]);
	const from = await head(bob);
	const feeds = [follow(bob, { cursor: from, via: "api1" }), follow(bob, { cursor: from, via: "api2" })];
	await post(alice, room, "1");
	for (const f of feeds) await exactly(f, room, 1, 1);
	let stop = false;
	const killing = (async () => {
		while (!stop) await killListeners();
	})();
	const health = async () => ok(await client(stack).get("/healthz"));
	const deaf = await until(() => health().then((h) => h.bus === "deaf" && h), { what: "deaf" });
	assert.equal(deaf.status, "degraded");
	for (let i = 2; i <= 4; i++) {
		await post(alice, room, `${i}`);
		for (const f of feeds) await exactly(f, room, 1, i, 4000);
	}
	stop = true;
	await killing;
	const heard = await until(() => health().then((h) => h.bus === "ok" && h), { what: "heard again" });
	assert.equal(heard.status, "ok");
	await Promise.all(feeds.map((f) => f.stop()));
});

test("PG-4 the database restarts: parked polls stay, then go on; nothing is lost, nothing comes twice", async () => {
	const room = await channel(alice, [bob]);
	const from = await head(bob);
	const feeds = [follow(bob, { cursor: from, via: "api1" }), follow(bob, { cursor: from, via: "api1", wait: 30 })];
	let n = 0;
	for (const downtime of [0, 1200]) {
		await post(alice, room, `${++n}`);
		for (const f of feeds) await exactly(f, room, 1, n);
		const parked = poll(bob, { cursor: await head(bob), wait: 30, via: "api2" });
		const waits = async () => (await fcgiRequest(stack.socket("api2"), { path: "/healthz" })).json.polls === 1;
		await until(waits, { what: "it waits in api2" });
		await stack.down("postgres");
		if (downtime) {
			const t = Date.now();
			bad(await poll(carol, { via: "api1" }), 503, "unavailable");
			await until(() => Date.now() - t > downtime);
		}
		await stack.up("postgres", 60000);
		for (let i = 0; i < 10; i++) {
			const id = randomUUID();
			await until(() => post(alice, room, `${n + 1}`, id).catch(() => null), { what: "a send goes through" });
			n++;
		}
		for (const f of feeds) await exactly(f, room, 1, n, 8000);
		const p = await parked;
		assert.equal(p.status, 200);
		assert.equal(seqs(p.lines, room)[0], n - 9, "the one that was parked all the time begins with the first");
	}
	for (const f of feeds) {
		assert.ok(!f.lines.some((l) => l.type === "reset"));
		await f.stop();
	}
});

test("a new epoch: one reset for each, under the new mark", async () => {
	const room = await channel(alice, [bob]);
	const from = await head(bob);
	const feeds = [follow(bob, { cursor: from, via: "api1" }), follow(bob, { cursor: from, via: "api2" })];
	await post(alice, room, "before");
	for (const f of feeds) await exactly(f, room, 1, 1);
	await stack.psql("select stream_open(true)");
	for (const f of feeds) {
		const reset = await f.some((l) => l.type === "reset");
		assert.notEqual(markOf(reset.cursor), markOf(from));
	}
	await post(alice, room, "after");
	for (const f of feeds) {
		await f.some((l) => l.type === "message" && l.channel === room && l.seq === 2);
		assert.deepEqual(seqs(f.lines, room), [1, 2]);
		assert.equal(f.lines.filter((l) => l.type === "reset").length, 1);
		await f.stop();
	}
});

test("FC-2 SIGTERM: parked polls are answered and told to come back, the process ends in time; followers miss nothing", async () => {
	const room = await channel(alice, [bob]);
	const from = await head(bob);
	await atRest("api1");
	const follower = follow(bob, { cursor: from });
	const parked = range(1, 40).map((i) => poll(i % 2 ? carol : dave, { cursor: from, wait: 50, via: "api1" }));
	await until(() => accepted("api1") >= 40, { what: "parked" });
	await post(alice, room, "1");
	await exactly(follower, room, 1, 1);
	const t = Date.now();
	await stack.down("api1");
	assert.ok(Date.now() - t < 2500, `${Date.now() - t} ms`);
	assert.ok(!/stop.cut_short/.test(stack.log("api1")), "it ended of itself");
	for (const p of await Promise.all(parked)) {
		assert.equal(p.status, 200, p.text);
		assert.deepEqual(p.events, []);
		assert.ok(p.lines[0].retry_after > 0 && p.lines[0].retry_after <= 3.1, p.text);
	}
	await post(alice, room, "2"); // by the other process
	await exactly(follower, room, 1, 2);
	await stack.up("api1");
	await post(alice, room, "3");
	await exactly(follower, room, 1, 3);
	await follower.stop();
});

test("a process that is killed with polls parked: their clients go on with the other", async () => {
	const room = await channel(alice, [bob]);
	const from = await head(bob);
	const feeds = range(1, 6).map(() => follow(bob, { cursor: from }));
	await post(alice, room, "1");
	for (const f of feeds) await exactly(f, room, 1, 1);
	await stack.kill("api1");
	stack.forgive("api1");
	for (let i = 2; i <= 11; i++) {
		const id = randomUUID();
		await until(() => post(alice, room, `${i}`, id).catch(() => null), { what: "sent" });
	}
	for (const f of feeds) {
		await exactly(f, room, 1, 11);
		await f.stop();
	}
	await until(() => poll(alice, { via: "api1" }).catch(() => null), { what: "api1 is back" });
});
