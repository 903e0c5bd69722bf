// points: the fault points of the test build (lib/base/fault.h) that must cost nothing but time, one by one: a commit whose answer
// is lost, an ack that is lost with its connection, readers that stop for a while, a wall clock that leaps. Those that break a
// promise on purpose are in broken.test.mjs.

import { after, before, beforeEach, describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { startStack } from "../support/stack.mjs";
import { fcgiOpen, fcgiRequest } from "../support/fastcgi.mjs";
import { signIn } from "../support/http.mjs";
import { timeOf, within } from "../support/lag.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { backends, holdOpen } from "../api/help.mjs";
import { channel, exactly, head, inOrder, people, post, range, say, sendOp, seqs, texts, until } from "../realtime/help.mjs";
import { sleep } from "./help.mjs";

let stack, alice, bob, file;

before(async () => {
	stack = await startStack({
		api: 2,
		realtime: 2,
		variant: "faults",
		only: ["postgres", "devidp"],
		conf: { "realtime.ping_interval": "1s", "realtime.pong_timeout": "2s", "realtime.queue_bytes": "64k" },
	});
	file = join(stack.state, "faults");
	for (const name of stack.names) if (/^(api|realtime)/.test(name)) stack.proc(name).env.PC_FAULTS_FILE = file;
	await arm("");
	await Promise.all(["api1", "api2", "realtime1", "realtime2", "lighttpd"].map((n) => stack.up(n)));
	[alice, bob] = await people(stack, "alice", "bob");
});
after(() => stack?.stop());

/** What is armed now; the programs look ten times a second. */
async function arm(spec) {
	writeFileSync(`${file}.new`, `${spec}\n`);
	renameSync(`${file}.new`, file);
	await sleep(250);
}
beforeEach(() => arm(""));

const rows = async (room) =>
	(await stack.psql(`SELECT seq, id, client_id FROM messages WHERE channel_id = ${room} ORDER BY seq`))
		.split("\n")
		.filter(Boolean)
		.map((l) => l.split("|"))
		.map(([seq, id, client_id]) => ({ seq: Number(seq), id: Number(id), client_id }));

test("DL-1 a commit without a reply: resolved by the client id, each stored once and told as stored", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice, { via: "realtime1" });
	const b = await openWs(bob, { via: "realtime2" });
	await arm("commit_no_reply 0.5");
	const ops = range(1, 60).map((i) => sendOp(room, `op ${i}`));
	const answers = [];
	const overWs = (async () => {
		for (let i = 0; i < 60; i += 3) answers.push(...(await Promise.all(ops.slice(i, i + 3).map((op) => a.call(op, 20000)))));
	})();
	const byRest = [];
	for (let i = 0; i < 20; i++) byRest.push(await post(alice, room, `rest ${i}`));
	await overWs;
	await arm("");
	const stored = await rows(room);
	assert.equal(stored.length, 80);
	assert.deepEqual(
		stored.map((r) => r.seq),
		range(1, 80),
	);
	for (const ack of answers) {
		assert.equal(ack.type, "ack", JSON.stringify(ack));
		assert.deepEqual({ seq: ack.seq, id: ack.id, client_id: ack.client_id }, stored[ack.seq - 1]);
	}
	for (const m of byRest) assert.deepEqual({ seq: m.seq, id: m.id, client_id: m.client_id }, stored[m.seq - 1]);
	for (const f of [a, b]) await exactly(f, room, 1, 80);
	const hits = (...names) => names.flatMap((name) => stack.log(name).match(/fault\.hit name=commit_no_reply/g) ?? []).length;
	for (const names of [["realtime1"], ["api1", "api2"]]) assert.ok(hits(...names) > 3, `${names} were hit`);
	for (const f of [a, b]) f.terminate();
});

test("DL-1 an ack that is lost with its connection: sent again anywhere, it is the same message", async () => {
	const room = await channel(alice, [bob]);
	const b = await openWs(bob, { via: "realtime2" });
	await arm("ack_lost 1");
	const ids = range(1, 5).map(() => randomUUID());
	for (const [i, id] of ids.entries()) {
		const a = await openWs(alice, { via: "realtime1" });
		a.send(sendOp(room, `${i}`, id));
		assert.equal((await a.closed).code, 1006);
		assert.ok(!a.lines.some((l) => l.type === "ack"));
	}
	await arm("");
	const stored = await rows(room);
	assert.deepEqual(
		stored.map((r) => r.client_id),
		ids,
	);
	const other = await openWs(alice, { via: "realtime2" });
	for (const [i, id] of ids.entries()) {
		const [byRest, byOp] = await Promise.all([post(alice, room, `${i}`, id), other.call(sendOp(room, `${i}`, id))]);
		assert.deepEqual([byRest.seq, byRest.id], [i + 1, stored[i].id]);
		assert.deepEqual([byOp.seq, byOp.id], [i + 1, stored[i].id]);
	}
	await exactly(b, room, 1, 5);
	for (const f of [b, other]) f.terminate();
});

/** Sends it once and never gets to know: its connection is cut when it is committed and not yet answered. */
const CUT = {
	async WebSocket(room, text, id) {
		await arm("ack_lost 1 1");
		const a = await openWs(alice, { via: "realtime1" });
		a.send(sendOp(room, text, id));
		assert.equal((await a.closed).code, 1006);
		assert.ok(!a.lines.some((l) => l.type === "ack"));
		await arm("");
	},
	/** The database commits while the process stands still, which therefore cannot have answered. */
	async REST(room, text, id) {
		const held = await holdOpen(stack, "SELECT pg_advisory_xact_lock(8020600001)"); // the sequencer
		const path = `/api/v1/channels/${room}/messages`;
		const c = await fcgiOpen(stack.socket("api1"), { method: "POST", path, token: alice.token, body: { client_id: id, body: { text } } });
		c.params();
		c.stdin(c.bytes);
		c.stdinEnd();
		await until(() => backends(stack, "query LIKE '%write_batch(%' AND wait_event = 'advisory'"), { what: "the write is under way" });
		await stack.kill("api1", "SIGSTOP");
		await held.release();
		await until(async () => (await rows(room)).length === 1, { what: "it is committed" });
		c.leave();
		await stack.kill("api1", "SIGCONT");
	},
};

for (const [how, cut] of Object.entries(CUT))
	test(`DL-1 cut between commit and reply (${how}): sent again five times at once, then with another text, then by another user`, async () => {
		const room = await channel(alice, [bob]);
		const reader = await openWs(bob, { via: "realtime2" });
		const sockets = [await openWs(alice, { via: "realtime1" }), await openWs(alice, { via: "realtime2" })];
		const [id, text] = [randomUUID(), `cut over ${how}`];
		const rest = (name, { token }, said) =>
			fcgiRequest(stack.socket(name), {
				method: "POST",
				path: `/api/v1/channels/${room}/messages`,
				token,
				body: { client_id: id, body: { text: said } },
			});
		await cut(room, text, id);
		const [stored, ...more] = await rows(room);
		assert.deepEqual([more, stored.seq, stored.client_id], [[], 1, id]);

		const again = await Promise.all([
			rest("api1", alice, text),
			rest("api2", alice, text),
			rest("api2", alice, text),
			...sockets.map((ws) => ws.call(sendOp(room, text, id))),
		]);
		for (const r of again.slice(0, 3)) assert.deepEqual([r.status, r.json.seq, r.json.id, r.json.client_id], [200, 1, stored.id, id], r.text);
		for (const ack of again.slice(3)) assert.deepEqual([ack.type, ack.seq, ack.id, ack.client_id], ["ack", 1, stored.id, id]);

		const other = "another text";
		for (const r of await Promise.all(["api1", "api2"].map((name) => rest(name, alice, other))))
			assert.deepEqual([r.status, r.json.code], [409, "client_id_reused"], r.text);
		for (const ws of sockets) {
			const e = await ws.call(sendOp(room, other, id));
			assert.deepEqual([e.type, e.code, e.client_id], ["error", "client_id_reused", id]);
		}
		assert.deepEqual(await rows(room), [stored], "nothing else is stored");
		assert.equal(await stack.psql(`SELECT body->>'text' FROM messages WHERE channel_id = ${room}`), text);

		const his = await rest("api1", bob, other);
		assert.deepEqual([his.status, his.json.seq, his.json.client_id], [201, 2, id], his.text);
		const both = await rows(room);
		assert.deepEqual(both, [stored, { seq: 2, id: his.json.id, client_id: id }]);
		const events = await stack.psql(`SELECT subject FROM events WHERE channel_id = ${room} AND type = 'message' ORDER BY id`);
		assert.equal(events, "1\n2", "one event each");
		await exactly(reader, room, 1, 2);
		assert.deepEqual(texts(reader.lines, room), [text, other]);
		for (const f of [reader, ...sockets]) f.terminate();
	});

test("readers that take nothing for a while: each has all in the end, over its bound it is closed and resumes, others are not held up", async () => {
	const room = await channel(alice, [bob]);
	const from = await head(alice);
	await arm("slow_reader 40");
	let n = Infinity; // messages in all
	const cut = () => ["realtime1", "realtime2"].flatMap((name) => stack.log(name).match(/\.slow .*queued=\d+/g) ?? []).length;
	/** Follows over WebSocket, with its cursor, whatever happens, be it before its hello has passed. */
	const reader = (via) => {
		const r = { got: [], closes: [] };
		r.done = (async () => {
			let cursor = from;
			while (r.got.length < n && !stack.stopping) {
				const ws = await openWs(bob, { via, cursor, hello: false });
				await Promise.race([ws.closed, until(() => r.got.length + seqs(ws.lines, room).length >= n, { ms: 60000, every: 50 })]);
				inOrder(ws);
				r.got.push(...seqs(ws.lines, room));
				cursor = ws.cursor ?? cursor;
				if (r.got.length >= n) return ws.terminate();
				r.closes.push((await ws.closed).code);
			}
		})();
		return r;
	};
	const readers = range(1, 12).map((i) => reader(`realtime${1 + (i % 2)}`));
	const took = [];
	const send = async () => {
		const t = Date.now();
		await post(alice, room, `${took.length} ${"x".repeat(6000)}`);
		took.push(Date.now() - t);
	};
	while (took.length < 100) await send();
	// What fills a queue within a second is a burst, which is forgiven; this is none.
	for (; took.length < 400 && !cut(); await sleep(120)) await send();
	n = took.length;
	await Promise.all(readers.map((r) => r.done));
	for (const r of readers) assert.deepEqual(r.got, range(1, n));
	const closes = readers.flatMap((r) => r.closes);
	// where even the close frame does not pass, the connection is cut
	assert.ok(closes.every((c) => c === 4008 || c === 1006), `closed with ${closes}`);
	await until(() => cut() > 0 && closes.length >= cut(), { what: "everyone who met the bound was closed" });
	took.sort((x, y) => x - y);
	assert.ok(took[took.length >> 1] < 250, `a send took ${took[took.length >> 1]} ms`);
});

describe("the wall clock leaps", () => {
	for (const [what, ms] of [
		["an hour ahead", 3600000],
		["an hour back", -3600000],
	])
		test(`${what}: sessions live and end when they should, heartbeats and polls come in time`, async () => {
			const room = await channel(alice, [bob]);
			const web = await signIn(stack, "bob");
			const session = (await web.get("/api/v1/me")).json.session.id;
			await stack.psql(`UPDATE sessions SET expires_at = now() + interval '30 min' WHERE id = ${session}`);
			const beating = async (who, via) => {
				const beats = [];
				const ws = await openWs(who, { via, onLine: (l) => l.type === "heartbeat" && beats.push(performance.now()) });
				return Object.assign(ws, { beats });
			};
			const before = [await beating(web, "realtime1"), await beating(bob, "realtime2")];
			const p = follow(web, { via: "realtime2", cursor: before[0].hello.cursor, wait: 2 });
			await arm(`clock_step ${ms}`);
			const after_ = await beating(web, "realtime1");
			const shift = Date.parse(after_.hello.server_time) - Date.now();
			assert.ok(Math.abs(shift - ms) < 60000, `the clock is ${shift} ms off`);
			const a = await openWs(alice, { via: "realtime1" });
			const all = [...before, after_];
			const had = all.map((f) => f.beats.length);
			const scans = "SELECT coalesce(idx_scan, 0) + seq_scan FROM pg_stat_user_tables WHERE relname = 'sessions'";
			const looks = async () => Number(await stack.psql(scans));
			const looked = await looks();
			for (let i = 1; i <= 6; i++) {
				await (i % 2 ? say(a, room, `${i}`) : post(alice, room, `${i}`));
				await sleep(500);
			}
			for (const f of [...all, p]) await exactly(f, room, 1, 6);
			await until(() => all.every((f, i) => f.beats.length >= had[i] + 4), { ms: 20000, what: "four more heartbeats" });
			// one a second: that we hear late of the first and the last is all that the machine adds
			for (const [i, { beats }] of all.entries()) {
				const mean = (beats[had[i] + 3] - beats[had[i]]) / 3;
				assert.ok(mean > 700 && mean < 1500, `a heartbeat each ${Math.round(mean)} ms`);
			}
			const now = { via: "realtime1", cursor: p.at };
			assert.equal((await within(1000, stack, () => poll(bob, { ...now, wait: 0 }), "a poll that does not wait")).status, 200);
			const q = Date.now();
			// where time went by the wall clock it would be an hour, or nothing
			assert.equal((await within(3000, stack, () => poll(bob, { ...now, wait: 2 }), "a poll of two seconds")).status, 200);
			assert.ok(Date.now() - q > 1900, `a poll of 2 s took ${Date.now() - q} ms`);
			// nobody is closed, and nobody asks for the session all the time
			for (const f of all) assert.equal((await f.call({ op: "ping" })).type, "pong");
			assert.equal((await web.get("/api/v1/me")).status, 200);
			assert.ok((await looks()) - looked < 100, `${(await looks()) - looked} looks at the sessions`);
			// its end is the database's
			const set = `UPDATE sessions SET expires_at = now() + interval '2 s' WHERE id = ${session}`;
			const ends = async () => {
				const end = await timeOf(stack, "expires_at", `FROM sessions WHERE id = ${session}`, set);
				const last = await openWs(web, { via: "realtime2", hello: false });
				assert.equal((await last.closed).code, 4001);
				return Date.now() - end;
			};
			const late = await within(1000, stack, ends, "the session's end", (ms) => ms);
			assert.ok(late > -50, `${-late} ms before its end`);
			await p.stop();
			assert.deepEqual(texts(before[1].lines, room), ["1", "2", "3", "4", "5", "6"]);
			for (const f of [...before, after_, a]) f.terminate();
		});
});
