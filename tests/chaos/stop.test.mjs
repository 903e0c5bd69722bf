// stop: a process that stands still, and a sender that is slow, hold nobody else up (PG-3). $STOP_SECONDS: 4, in check-long 60: then the
// stopped process's clients are further behind than a resume goes ([events] resume_events), and may be reset.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { connect } from "node:net";
import { startStack } from "../support/stack.mjs";
import { openWs, stay } from "../support/realtime.mjs";
import { bot } from "../support/http.mjs";
import { freePort } from "../../conf/run/stack.mjs";
import { channel, exactly, people, post, say, sendOp, until } from "../realtime/help.mjs";
import { complete, completed, path, sendFiles, wish } from "../files/uploads.mjs";
import { ok } from "../api/help.mjs";
import { sleep, startStore, watchListeners } from "./help.mjs";

const SECONDS = Number(process.env.STOP_SECONDS ?? 4);
const RATE = 500;
const RESUME = 10000; // own events that a cursor may be behind
const UNDER_WAY = 100; // sends at most: where a busy machine does fewer a second, they shall not wait for each other

const LARGE = 20 << 20; // of an attachment: a second of reading

let stack, store, alice, bob;
before(async () => {
	store = await startStore(await freePort(), LARGE);
	stack = await startStack({ provider: false, realtime: 2, files: false, conf: { files: store.conf } });
	[alice, bob] = await people(stack, "alice", "bob");
});
after(async () => {
	await stack?.stop();
	store?.stop();
});

test(`PG-3 a process that stands still for ${SECONDS} s under ${RATE} messages a second: sends go on, the queue stays empty, it catches up`, async (t) => {
	const rooms = [];
	for (let i = 0; i < 10; i++) rooms.push(await channel(alice, [bob]));
	const a = await openWs(alice, { via: "realtime1" });
	const here = await openWs(bob, { via: "realtime1" });
	const there = [false, true].map((polls) => stay(bob, { via: "realtime2", cursor: here.hello.cursor, rooms, polls }));
	const has = (f) => rooms.reduce((n, room) => n + f.messages(room), 0);
	const watch = watchListeners(stack);
	const usage = [];
	let sent = 0;
	let on = true;
	const began = new Map();
	const waits = []; // {at, ms}
	a.socket.on("message", (data) => {
		for (const line of data.toString().split("\n")) {
			const id = /^\{"type":"ack",.*"client_id":"([^"]+)"/.exec(line)?.[1];
			if (id) waits.push({ at: Date.now(), ms: Date.now() - began.get(id) });
		}
	});
	const sender = (async () => {
		const start = Date.now();
		while (on && !stack.stopping) {
			for (const due = ((Date.now() - start) * RATE) / 1000; sent < due && sent - waits.length < UNDER_WAY; sent++) {
				const op = sendOp(rooms[sent % rooms.length], `${sent}`);
				began.set(op.client_id, Date.now());
				a.send(op);
			}
			await sleep(10);
		}
	})();
	const queue = (async () => {
		while (on && !stack.stopping) {
			usage.push(Number(await stack.psql("SELECT pg_notification_queue_usage()")));
			await sleep(250);
		}
	})();
	await until(() => there.every((f) => has(f) > RATE));
	await stack.kill("realtime2", "SIGSTOP");
	const stoppedAt = Date.now();
	await sleep(SECONDS * 1000);
	const resumedAt = Date.now();
	await stack.kill("realtime2", "SIGCONT");
	const caughtUp = () => there.every((f) => has(f) > here.messages.length - RATE);
	await until(caughtUp, { ms: 30000, every: 200, what: "the stopped one catches up" });
	const caughtUpIn = Date.now() - resumedAt;
	on = false;
	await Promise.all([sender, queue]);
	await until(() => waits.length === sent, { ms: 20000, what: "all are acknowledged" });
	for (const [i, room] of rooms.entries()) {
		const n = Math.ceil((sent - i) / rooms.length);
		await exactly(here, room, 1, n, 20000);
		for (const f of there) {
			await until(() => f.messages(room) >= n, { ms: 20000, what: `all of ${room}` });
			await f.check(room, n);
		}
	}
	const resets = there.map((f) => f.resets);
	if (SECONDS * RATE < RESUME / 2) assert.deepEqual(resets, [0, 0]);
	const during = waits.filter((w) => w.at > stoppedAt && w.at < resumedAt);
	const worst = Math.max(...during.map((w) => w.ms));
	t.diagnostic(
		`${sent} sent, ${during.length} stored meanwhile, the longest in ${worst} ms; queue at most ${Math.max(...usage) * 100} %; ` +
			`caught up in ${caughtUpIn} ms, resets by WebSocket and polls ${resets}`,
	);
	assert.ok(during.length > SECONDS * RATE * 0.5, `${during.length} were stored in ${SECONDS} s`);
	assert.ok(worst < 2500, `one took ${worst} ms`);
	assert.ok(Math.max(...usage) < 0.01, `the queue was full to ${Math.max(...usage)}`);
	const { seen, bad } = await watch.stop();
	assert.ok(seen > SECONDS);
	assert.deepEqual(bad, []);
	await Promise.all(there.map((f) => f.stop()));
	for (const f of [a, here]) f.terminate();
});

/** The latencies of one sender's messages, one after the other, for ms. */
async function latencies(one, ms) {
	const out = [];
	for (const end = performance.now() + ms; performance.now() < end; ) {
		const t = performance.now();
		await one();
		out.push(performance.now() - t);
		await sleep(2);
	}
	return out;
}
const p99 = (list) => list.sort((x, y) => x - y)[Math.floor(list.length * 0.99)];
const median = (list) => list.sort((x, y) => x - y)[list.length >> 1];

/** A POST whose body comes in two halves, a second apart. */
function slowPost(room) {
	const body = JSON.stringify({ client_id: randomUUID(), body: { text: "y".repeat(15000) } });
	return new Promise((ok, no) => {
		const socket = connect(stack.port, "127.0.0.1");
		let text = "";
		socket.on("data", (d) => (text += d));
		socket.on("end", () => ok(text));
		socket.on("error", no);
		socket.write(
			`POST /api/v1/channels/${room}/messages HTTP/1.1\r\nHost: ${stack.host}\r\nAuthorization: Bearer ${alice.token}\r\n` +
				`Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.slice(0, 7000)}`,
		);
		setTimeout(() => socket.write(body.slice(7000)), 1000);
	});
}

describe("PG-3 one slow sender and the others' latency", () => {
	// The two are measured in turns, so that what else goes on falls on both.
	async function inTurns(t, slow, allowed, sends = (a, room) => say(a, room, "x")) {
		const room = await channel(alice, [bob]);
		const held = await channel(alice, [bob]);
		const a = await openWs(alice, { via: "realtime1" });
		const other = await openWs(alice, { via: "realtime1" });
		const without = [];
		const beside = [];
		const one = () => sends(a, room);
		await latencies(one, 300);
		for (let round = 0; round < 3; round++) {
			without.push(p99(await latencies(one, 700)));
			const over = slow(held, other, round);
			await over.begun;
			beside.push(p99(await latencies(one, 700)));
			await (typeof over.end === "function" ? over.end() : over.end);
		}
		const [base, with_] = [median(without), median(beside)];
		t.diagnostic(`p99 ${base.toFixed(1)} ms, beside the slow one ${with_.toFixed(1)} ms`);
		assert.ok(with_ < base * 2 + allowed, `p99 ${base} ms became ${with_} ms (${without}; ${beside})`);
		for (const f of [a, other]) f.terminate();
	}

	test("whose request comes slowly: unchanged", async (t) => {
		await inTurns(
			t,
			(held) => {
				const all = Promise.all(Array.from({ length: 8 }, () => slowPost(held)));
				return { begun: sleep(50), end: all.then((texts) => texts.forEach((x) => assert.match(x, /^HTTP\/1.1 201/))) };
			},
			20,
		);
	});

	test("that holds a channel's row for 1.2 s, with sends waiting for it: at most the 50 ms that a batch waits for a lock", async (t) => {
		await inTurns(
			t,
			(held, other, round) => {
				const mark = `'hold ${held} ${round}'`;
				const holder = stack.psql(
					`BEGIN; SELECT 1 FROM channels WHERE id = ${held} FOR NO KEY UPDATE; SELECT pg_sleep(1.2), ${mark}; COMMIT`,
					{ user: "postgres" },
				);
				const begun = until(
					async () =>
						(await stack.psql(
							`SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'
								AND query LIKE '%hold ${held} ${round}%'`,
							{ user: "postgres" },
						)) === "1",
				);
				const waiting = begun.then(() => Promise.all([1, 2, 3].map((i) => say(other, held, `${i}`))));
				return { begun, end: Promise.all([holder, waiting]) };
			},
			120,
		);
	});

	test("whose large attachments are checked, and whose store is slow, more of them than the program has threads: unchanged, by REST too", async (t) => {
		const owner = await bot(stack, "alice", ["read", "write", "files"]);
		const large = { ...wish(0, Buffer.alloc(LARGE)), client_id: undefined };
		const begin = async (channel) => ok(await owner.post("/api/v1/uploads", { ...large, channel, client_id: randomUUID() }), 201);
		await inTurns(
			t,
			(held) => {
				let ups, asked;
				const begun = (async () => {
					store.quick(false);
					ups = await Promise.all(Array.from({ length: 10 }, () => begin(held)));
					asked = Promise.all(ups.map((up) => complete(owner, up)));
					await until(() => store.held > 0, { what: "the store is asked" });
				})();
				const end = async () => {
					assert.ok(store.held + store.reading > 0, "the store is still at it");
					store.quick(true);
					for (const r of await asked) assert.ok([200, 202].includes(r.status), `${r.status} ${r.text}`);
					const ready = await Promise.all(ups.slice(0, 2).map((up) => completed(owner, up)));
					ok(await sendFiles(owner, held, ready.map((r) => ok(r))), 201);
					await Promise.all(ups.slice(2).map((up) => owner.delete(path(up))));
					await until(() => store.held + store.reading === 0, { what: "the store is asked nothing more" });
				};
				return { begun, end };
			},
			60, // what the checks themselves take of a processor
			(a, room) => post(alice, room, "x").then(() => say(a, room, "x")),
		);
	});
});
