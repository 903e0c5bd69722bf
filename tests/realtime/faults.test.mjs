// faults: the bus, the database and the processes break; nothing acknowledged is lost, nothing comes twice.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createServer, connect } from "node:net";
import { randomUUID } from "node:crypto";
import { exchange } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { channel, exactly, head, idOf, inOrder, markOf, people, post, range, say, sendOp, seqs, texts, until } from "./help.mjs";

let stack, alice, bob, carol;

before(async () => {
	stack = await startStack({ provider: false, realtime: 2 });
	[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
});
after(() => stack.stop());

const killListener = (node) =>
	stack.psql(`select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = '${node}-listen'`, { user: "postgres" });

test("PG-1 texts at a payload's limit, in bytes, and one batch of 500 messages over 200 channels", async () => {
	const room = await channel(alice, [bob]);
	const feeds = [await openWs(bob, { via: "realtime1" }), await openWs(bob, { via: "realtime2" }), await openWs(alice, { via: "realtime2" })];
	const a = await openWs(alice, { via: "realtime1" });
	const sizes = [7999, 8000, 7000, 7500, 7600, 7700, 7900];
	const all = [...sizes.map((n) => "x".repeat(n)), "\u{1F600}".repeat(2000), "\"\\\n".repeat(2600), "é".repeat(4000), "after"];
	for (const text of all) await say(a, room, text);
	for (const f of [...feeds, a]) {
		await exactly(f, room, 1, all.length);
		assert.deepEqual(texts(f.lines, room), all, "byte for byte");
	}
	const before = Number(await stack.psql("select stream_head()"));
	const rooms = [];
	for (let i = 0; i < 200; i++) rooms.push(await channel(alice, [bob]));
	const ops = range(0, 499).map((i) => sendOp(rooms[i % 200], `${i} ${i % 50 === 7 ? "y".repeat(7800) : "z"}`));
	a.send(ops.map((o) => JSON.stringify(o)).join("\n"));
	await until(() => a.lines.filter((l) => l.type === "ack").length === all.length + 500);
	for (const f of feeds) {
		await until(() => f.messages.length === all.length + 500, { what: "all 500" });
		inOrder(f);
		for (const [i, id] of rooms.entries()) assert.deepEqual(seqs(f.lines, id), range(1, i < 100 ? 3 : 2));
	}
	assert.ok(Number(await stack.psql("select stream_head()")) > before);
	// two changes in one transaction whose payloads would be equal
	const same = `select notify_state(${bob.id}, '{"type":"reads","channel":1000000,"reads":[]}')`;
	await stack.psql(`begin; ${same}; ${same}; commit`);
	await feeds[0].some((l) => l.type === "reads" && l.channel === 1000000);
	for (const f of [...feeds, a]) f.terminate();
});

test("PG-2 a the listener is ended while 50 messages are sent: all are there within 2 s, without a reset", async () => {
	const room = await channel(alice, [bob]);
	const b = await openWs(bob, { via: "realtime2" });
	const p = follow(bob, { cursor: b.hello.cursor, via: "realtime2" });
	const a = await openWs(alice, { via: "realtime1" });
	for (let round = 0; round < 5; round++) {
		const to = (round + 1) * 50;
		assert.equal((await killListener("realtime2")).trim(), "1");
		for (let i = 0; i < 50; i++) a.send(sendOp(room, `${round} ${i}`));
		await until(() => seqs(a.lines, room).at(-1) === to);
		await exactly(b, room, 1, to, 2000);
		await exactly(p, room, 1, to, 2000);
		await until(async () => (await stack.psql("select count(*) from pg_stat_activity where application_name = 'realtime2-listen'")).trim() === "1");
	}
	assert.ok(!b.lines.some((l) => l.type === "reset"));
	await p.stop();
	await Promise.all([a.close(), b.close()]);
});

test("PG-2 b the same while clients resume and others send", async () => {
	const room = await channel(alice, [bob, carol]);
	const a = await openWs(alice, { via: "realtime1" });
	const from = await head(bob);
	let sent = 0, stop = false;
	const sender = (async () => {
		while (!stop) {
			await say(a, room, `${++sent}`);
		}
	})();
	const feeds = [];
	for (let i = 0; i < 60; i++) {
		if (i % 15 === 3) await killListener("realtime2");
		feeds.push(await openWs(i % 2 ? bob : carol, { cursor: from, via: "realtime2" }));
	}
	stop = true;
	await sender;
	for (const f of feeds) {
		await exactly(f, room, 1, sent, 2000);
		assert.ok(!f.lines.some((l) => l.type === "reset"));
		f.terminate();
	}
	a.terminate();
});

test("PG-2 a listener that cannot come back: the process's own /healthz says deaf, the log is read", async () => {
	const room = await channel(alice, [bob]);
	const b = await openWs(bob, { via: "realtime2" });
	const health = async () => {
		const answer = await exchange(`${stack.url}/healthz`, { socketPath: stack.socket("realtime2") });
		assert.equal(answer.status, 200, answer.text);
		assert.equal(Number(answer.headers["content-length"]), answer.bytes.length);
		return answer.json;
	};
	await until(async () => (await health()).bus === "ok" && (await health()).connections === 1, { what: "the bus is heard, those of before have gone" });
	assert.deepEqual(await health(), { status: "ok", database: "ok", writer: "ok", bus: "ok", connections: 1 });
	let stop = false;
	const killing = (async () => {
		while (!stop) await killListener("realtime2");
	})();
	const deaf = await until(() => health().then((h) => h.bus === "deaf" && h), { what: "deaf" });
	assert.deepEqual(deaf, { status: "degraded", database: "ok", writer: "ok", bus: "deaf", connections: 1 }); // and 200: it serves
	for (let i = 1; i <= 3; i++) {
		await post(alice, room, `${i}`);
		await exactly(b, room, 1, i, 4000);
	}
	stop = true;
	await killing;
	const heard = await until(() => health().then((h) => h.bus === "ok" && h), { what: "heard again" });
	assert.equal(heard.status, "ok");
	await b.close();
});

test("every connection of a process is ended again and again while two people chat", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice, { via: "realtime1" });
	const b = await openWs(bob, { via: "realtime2" });
	const acked = [];
	for (let i = 0; i < 60; i++) {
		if (i % 10 === 5)
			await stack.psql(
				"select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'realtime%'",
				{ user: "postgres" },
			);
		const ack = await (i % 2 ? a : b).call(sendOp(room, `${i}`), 15000);
		assert.equal(ack.type, "ack", JSON.stringify(ack));
		acked.push(ack.seq);
	}
	assert.deepEqual(acked, range(1, 60));
	await exactly(a, room, 1, 60);
	await exactly(b, room, 1, 60);
	await Promise.all([a.close(), b.close()]);
});

test("a process that is killed: both recover with the whole history in order", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice, { via: "realtime1" });
	let b = await openWs(bob, { via: "realtime2" });
	const got = [];
	let n = 0;
	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < 20; i++) await say(a, room, `${++n}`);
		await b.some((l) => l.type === "message" && l.seq >= n - 10 && l.channel === room);
		const pending = range(1, 20).map(() => say(a, room, `${++n}`));
		await stack.kill("realtime2");
		stack.forgive("realtime2");
		await b.closed;
		await Promise.all(pending);
		got.push(...seqs(b.lines, room));
		const cursor = b.cursor;
		await stack.up("realtime2");
		b = await until(() => openWs(bob, { cursor, via: "realtime2" }).catch(() => null));
	}
	await say(a, room, "last");
	await b.some((l) => l.type === "message" && l.seq === n + 1);
	got.push(...seqs(b.lines, room));
	assert.deepEqual(got, range(1, n + 1));
	await exactly(a, room, 1, n + 1);
	await Promise.all([a.close(), b.close()]);
});

test("sends whose process is killed before the ack: sent again under their client ids they are stored once", async () => {
	const room = await channel(alice, [bob]);
	const b = await openWs(bob, { via: "realtime2" });
	let a = await openWs(alice, { via: "realtime1" });
	const ops = range(1, 200).map((i) => sendOp(room, `${i}`));
	a.send(ops.map((o) => JSON.stringify(o)).join("\n"));
	await b.some((l) => l.type === "message" && l.channel === room);
	await stack.kill("realtime1");
	stack.forgive("realtime1");
	await stack.up("realtime1");
	a = await until(() => openWs(alice, { via: "realtime1" }).catch(() => null));
	a.send(ops.map((o) => JSON.stringify(o)).join("\n"));
	await until(() => a.lines.filter((l) => l.type === "ack").length === 200);
	await exactly(b, room, 1, 200);
	assert.equal(new Set(texts(b.lines, room)).size, 200);
	await Promise.all([a.close(), b.close()]);
});

test("PG-4 the database restarts while two people chat: sockets stay open, sends wait, nothing is lost", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice, { via: "realtime1" });
	const b = await openWs(bob, { via: "realtime2" });
	const p = follow(bob, { cursor: b.hello.cursor, via: "realtime1" });
	const s = await openSse(bob, { via: "realtime2" });
	let n = 0;
	for (const downtime of [0, 1500]) {
		const talking = (async () => {
			for (let i = 0; i < 40; i++) {
				const ack = await (i % 2 ? a : b).call(sendOp(room, `${i}`), 20000);
				assert.equal(ack.type, "ack", JSON.stringify(ack));
				n++;
			}
		})();
		await until(() => n % 40 >= 5);
		await stack.down("postgres");
		if (downtime) {
			const t = Date.now();
			const refused = await poll(carol, { via: "realtime1" });
			assert.equal(refused.status, 503);
			assert.ok(refused.headers["retry-after"] && refused.problem.code === "unavailable");
			const health = await exchange(`${stack.url}/healthz`, { socketPath: stack.socket("realtime1") });
			assert.deepEqual([health.status, health.json.database], [503, "unavailable"]);
			assert.equal((await a.call({ op: "ping" })).type, "pong", "the socket is open");
			await until(() => Date.now() - t > downtime);
		}
		await stack.up("postgres", 60000);
		await talking;
		await exactly(a, room, 1, n, 5000);
		await exactly(b, room, 1, n, 5000);
		await exactly(p, room, 1, n, 5000);
		await exactly(s, room, 1, n, 5000);
	}
	s.terminate();
	assert.ok(!b.lines.some((l) => l.type === "reset" || l.type === "bye"));
	await p.stop();
	await Promise.all([a.close(), b.close()]);
});

test("a process that is stopped with full batches under way: others' sends go on within 2 s, and it catches up", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice, { via: "realtime1" });
	const b = await openWs(bob, { via: "realtime2" });
	for (let i = 0; i < 20; i++) a.send(range(1, 50).map(() => JSON.stringify(sendOp(room, "x".repeat(500)))).join("\n"));
	await b.some((l) => l.type === "message" && l.channel === room);
	await stack.kill("realtime1", "SIGSTOP");
	const t = Date.now();
	const mine = await b.call(sendOp(room, "from the other"), 10000);
	const took = Date.now() - t;
	await stack.kill("realtime1", "SIGCONT");
	assert.equal(mine.type, "ack", JSON.stringify(mine));
	assert.ok(took < 2500, `${took} ms`);
	await until(() => a.lines.filter((l) => l.type === "ack").length === 1000, { ms: 20000, what: "1000 acks" });
	await exactly(a, room, 1, 1001);
	await exactly(b, room, 1, 1001);
	await Promise.all([a.close(), b.close()]);
});

test("a new epoch: every stream gets one reset, under the new mark, and goes on; so does one whose log went back", async () => {
	const room = await channel(alice, [bob]);
	const feeds = [await openWs(bob, { via: "realtime1" }), await openWs(bob, { via: "realtime2" }), await openSse(bob, { via: "realtime2" })];
	const p = follow(bob, { cursor: feeds[0].hello.cursor, via: "realtime2" });
	const a = await openWs(alice);
	await say(a, room, "before");
	for (const f of [...feeds, p]) await exactly(f, room, 1, 1);
	await stack.psql("select stream_open(true)");
	for (const f of [...feeds, p]) {
		const reset = await f.some((l) => l.type === "reset");
		assert.notEqual(markOf(reset.cursor), markOf(feeds[0].hello.cursor));
	}
	await say(a, room, "after");
	for (const f of [...feeds, p]) {
		await f.some((l) => l.type === "message" && l.channel === room && l.seq === 2);
		assert.equal(f.lines.filter((l) => l.type === "reset").length, 1);
		assert.deepEqual(seqs(f.lines, room), [1, 2]);
	}
	// the log goes back, as from a disk image: its last events are gone and other ones take their numbers
	await stack.psql(`delete from events where id > (select stream_head()) - 1`);
	for (const f of [...feeds, p]) await until(() => f.lines.filter((l) => l.type === "reset").length === 2, { what: "the second reset" });
	await say(a, room, "after that");
	for (const f of [...feeds, p]) await f.some((l) => l.type === "message" && l.channel === room && l.seq === 3);
	await p.stop();
	for (const f of [...feeds, a]) f.terminate();
});
