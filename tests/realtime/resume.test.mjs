// resume: from the memory of the newest events and from the log; the resets. Small limits, so that both are met.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { connect } from "node:net";
import { startStack } from "../support/stack.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { sleep } from "../support/until.mjs";
import { caughtUp, channel, exactly, head, idOf, inOrder, markOf, people, post, range, say, sendOp, seqs, until } from "./help.mjs";

let stack, alice, bob, carol;

before(async () => {
	stack = await startStack({
		provider: false,
		realtime: 2,
		conf: { "realtime.ring_events": 64, "events.resume_events": 300, "realtime.queue_bytes": "64k" },
	});
	[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
});
after(() => stack.stop());

/** Many messages in few batches; resolves when all are stored. */
async function burst(ws, room, n, text = (i) => `m${i}`) {
	const done = ws.lines.filter((l) => l.type === "ack").length;
	ws.send(range(1, n).map((i) => JSON.stringify(sendOp(room, text(i)))).join("\n"));
	await until(() => ws.lines.filter((l) => l.type === "ack").length === done + n, { what: `${n} acks` });
}

test("DL-3 a join an empty channel, drop before any event came, three messages, resume", async () => {
	const room = await channel(alice, [bob]);
	const b = await openWs(bob);
	const { cursor } = b.hello;
	await b.close();
	for (let i = 1; i <= 3; i++) await post(alice, room, `m${i}`);
	for (const via of ["realtime1", "realtime2"]) {
		const again = await openWs(bob, { cursor, via });
		assert.equal(again.hello.cursor, cursor);
		await exactly(again, room, 1, 3);
		await again.close();
		const p = await poll(bob, { cursor, wait: 5, via });
		assert.deepEqual(seqs(p.events, room), [1, 2, 3]);
		const s = await openSse(bob, { lastEventId: cursor, via });
		assert.equal(s.hello.cursor, cursor);
		await exactly(s, room, 1, 3);
		await s.close();
	}
});

test("what is older than memory comes from the log, then from memory, then live: each once, in order", async () => {
	const room = await channel(alice, [bob, carol]);
	const other = await channel(alice, [carol]);
	const a = await openWs(alice);
	const cursor = await head(bob);
	for (let i = 0; i < 5; i++) {
		await burst(a, room, 40);
		await burst(a, other, 20);
	}
	const feeds = [
		await openWs(bob, { cursor, via: "realtime1" }),
		await openWs(bob, { cursor, via: "realtime2" }),
		follow(bob, { cursor, via: "realtime1" }),
		await openSse(bob, { cursor, via: "realtime1" }),
		await openSse(bob, { lastEventId: cursor, via: "realtime2" }),
	];
	await burst(a, room, 30); // while they catch up
	for (const f of feeds) {
		await exactly(f, room, 1, 230);
		assert.deepEqual(seqs(f.lines, other), []);
	}
	// from every tenth event on: the border between log and memory is met from both sides
	const cursors = feeds[0].events.filter((_, i) => i % 10 === 9).map((e) => [e.cursor, e.seq]);
	for (const [i, [at, seq]] of cursors.entries()) {
		const p = await (i % 2 ? openSse : openWs)(bob, { cursor: at });
		if (seq < 230) await exactly(p, room, seq + 1, 230);
		await p.close();
	}
	await Promise.all([a, ...feeds].map((f) => (f.stop ?? f.close)()));
});

test("a poll that is far behind gets it in parts, each once, in order", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice);
	const cursor = await head(bob);
	for (let i = 0; i < 2; i++) await burst(a, room, 100, (n) => `${n} ${"x".repeat(600)}`); // in all more than an answer may hold here
	for (const via of ["realtime1", "realtime2"]) {
		const f = follow(bob, { cursor, via });
		await exactly(f, room, 1, 200);
		assert.ok(f.polls > 1, "in parts");
		await f.stop();
	}
	await a.close();
});

/** A poll that is cut in the middle of its answer, after some KiB of it: as openWs() has it, with the lines that came whole. */
const cutPoll = (wait) => async (who, { cursor }) => {
	const headers = { host: stack.host, connection: "close", ...who.credentials, "pulsechat-client": "test" };
	const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	let text = "";
	await new Promise((ok, no) => {
		const callback = (n, buffer) => {
			text += buffer.latin1Slice(0, n);
			if (text.length > 12 << 10) socket.destroy();
			return true;
		};
		const socket = connect({ port: stack.port, host: "127.0.0.1", onread: { buffer: Buffer.alloc(4096), callback } });
		socket.on("error", no).on("close", ok);
		socket.write(`GET /api/v1/events?cursor=${cursor}&wait=${wait} HTTP/1.1\r\n${head.join("")}\r\n`);
	});
	const [status, body] = [/^HTTP\/1.1 (\d+)/.exec(text)?.[1], text.slice(text.indexOf("\r\n\r\n") + 4)];
	assert.equal(status, "200", text.slice(0, 500));
	const lines = body.slice(0, body.lastIndexOf("\n") + 1).split("\n").filter(Boolean).map((l) => JSON.parse(l));
	return { lines, some: async () => {}, terminate() {} };
};

for (const [transport, open] of [
	["WebSocket", openWs],
	["server-sent events", openSse],
	["long-poll", cutPoll(20)],
	["polling", cutPoll(0)],
])
	test(`DL-2 a a message that comes before the backfill ends, and a drop in the middle of it: ${transport}`, async () => {
		const room = await channel(alice, [bob]);
		const a = await openWs(alice);
		const b = await openWs(bob);
		await burst(a, room, 10);
		await exactly(b, room, 1, 10);
		let cursor = b.cursor;
		const got = seqs(b.lines, room);
		b.terminate();
		for (let i = 0; i < 5; i++) await burst(a, room, 30, (n) => `m${n} ${"x".repeat(1500)}`); // in all more than a queue holds
		let rounds = 0;
		while (got.at(-1) < 161) {
			const again = await open(bob, { cursor });
			if (rounds === 0) a.send(sendOp(room, "the newest, before the backfill ends"));
			await again.some((l) => l.type === "message" && l.channel === room && l.seq > got.at(-1));
			again.terminate(); // in the middle of it
			for (const l of again.lines) if (l.cursor && l.type !== "hello") {
				cursor = l.cursor;
				if (l.type === "message" && l.channel === room) got.push(l.seq);
			}
			assert.ok(++rounds < 170);
		}
		assert.deepEqual(got, range(1, 161));
		await a.close();
	});

/** Each a way to follow from a cursor. */
const FOLLOW = [
	(who, cursor, via) => openWs(who, { cursor, via }),
	(who, cursor, via) => openSse(who, { cursor, via }),
	(who, cursor, via) => follow(who, { cursor, via }),
	(who, cursor, via) => follow(who, { cursor, via, wait: 0, every: 100 }),
	(who, cursor) => follow(who, { cursor, via: "api1" }),
];

test("DL-2 b a hundred fresh clients of all transports load and follow while 200 messages a second flow: none has a hole", async (t) => {
	const LEAST = 200, PACE = 300, CLIENTS = 100; // PACE: this process is busy with the clients, too
	const room = await channel(alice, [bob, carol]);
	const a = await openWs(alice);
	await burst(a, room, 20);
	let sent = 0, stop = false;
	const began = Date.now();
	const sender = (async () => {
		for (; !stop; await sleep(20)) {
			const due = Math.ceil((PACE * (Date.now() - began)) / 1000) - sent;
			if (due > 0) a.send(range(1, Math.min(due, 100)).map(() => JSON.stringify(sendOp(room, `m${++sent}`))).join("\n"));
		}
	})();
	const clients = await Promise.all(range(1, CLIENTS).map(async (i) => {
		await sleep(10 * i); // they come within a second
		const who = i % 2 ? bob : carol;
		const page = await who.get(`/api/v1/channels/${room}/messages?limit=200`);
		assert.equal(page.status, 200);
		const from = page.json.messages.at(-1).seq;
		const feed = await FOLLOW[i % FOLLOW.length](who, page.headers["pulsechat-cursor"], `realtime${1 + (i % 3 === 0)}`);
		return { from, feed };
	}));
	const all = Date.now();
	stop = true;
	await sender;
	await until(() => a.lines.filter((l) => l.type === "ack").length === 20 + sent, { what: "all acks" });
	const during = `created_at BETWEEN to_timestamp(${began / 1000}) AND to_timestamp(${all / 1000})`;
	const flowed = Number(await stack.psql(`SELECT count(*) FROM messages WHERE channel_id = ${room} AND ${during}`));
	const rate = (1000 * flowed) / (all - began);
	t.diagnostic(`${flowed} messages while they came, ${Math.round(rate)} a second`);
	assert.ok(flowed >= LEAST && rate >= LEAST, `${flowed} messages, ${rate} a second`);
	const last = await say(a, room, "the end");
	for (const { from, feed } of clients) {
		await feed.some((l) => l.type === "message" && l.channel === room && l.seq === last.seq, 20000);
		assert.ok(!feed.lines.some((l) => l.type === "reset"));
		assert.deepEqual(seqs(feed.lines, room), range(from + 1, last.seq));
		inOrder(feed);
		(feed.stop ?? feed.terminate)();
	}
	await a.close();
});

test("DL-3 b above the head, and another epoch: a reset at once, then live", async () => {
	const room = await channel(alice, [bob]);
	const now = await head(bob);
	for (const [cursor, reason] of [
		[`${markOf(now)}.${idOf(now) + 1000000}`, "above the head"],
		["aaaaaaaa.1", "other epoch"],
		["aaaaaaaa.0", "other epoch"],
	]) {
		for (const open of [openWs, openSse]) {
			const b = await open(bob, { cursor });
			const reset = await b.next("reset");
			assert.equal(reset.reason, reason);
			assert.ok(idOf(reset.cursor) >= idOf(now) && markOf(reset.cursor) === markOf(now));
			const m = await post(alice, room, reason);
			await b.some((l) => l.type === "message" && l.channel === room && l.seq === m.seq);
			await b.close();
		}
		await caughtUp(bob, "realtime1", "realtime2"); // else the last message comes behind the reset
		const p = await poll(bob, { cursor, wait: 10 });
		assert.deepEqual(p.lines.map((l) => l.type), ["reset", "cursor"]);
		assert.equal(p.lines[0].reason, reason);
		assert.equal(idOf(p.cursor) >= idOf(now), true);
	}
});

test("a cursor that another process gave out is not above the head, however far this one is behind", async () => {
	const room = await channel(alice, [bob]);
	const warm = await openWs(bob, { via: "realtime2" }); // his memberships are known there
	await stack.kill("realtime2", "SIGSTOP");
	const m = await post(alice, room, "unseen by the stopped one");
	const cursor = await head(bob);
	const opening = openWs(bob, { cursor, via: "realtime2" });
	await stack.kill("realtime2", "SIGCONT");
	const b = await opening;
	const next = await post(alice, room, "next");
	await b.some((l) => l.type === "message" && l.seq === next.seq);
	assert.deepEqual(seqs(b.lines, room), [next.seq], "what is before its cursor it has");
	assert.ok(!b.lines.some((l) => l.type === "reset"));
	await exactly(warm, room, m.seq, next.seq);
	await Promise.all([warm.close(), b.close()]);
});

test("DL-3 c too far behind, by own events and by age: a reset", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice);
	const cursor = await head(bob);
	await burst(a, room, 300);
	const b = await openWs(bob, { cursor });
	await exactly(b, room, 1, 300); // just within
	await b.close();
	await burst(a, room, 1);
	await caughtUp(bob, "realtime1", "realtime2");
	for (const open of [openWs, openSse]) {
		const over = await open(bob, { cursor });
		assert.equal((await over.next("reset")).reason, "too far behind");
		assert.ok(!over.lines.some((l) => l.type === "message" && l.seq === 301));
		await over.close();
	}
	// others' events do not count
	const quiet = await openWs(carol, { cursor });
	assert.equal((await quiet.call({ op: "ping" })).type, "pong");
	assert.ok(!quiet.lines.some((l) => l.type === "reset"));
	await quiet.close();
	// the oldest of the log are gone
	await stack.psql(`delete from events where id <= ${idOf(cursor) + 1}`);
	const old = await openWs(bob, { cursor });
	assert.equal((await old.next("reset")).reason, "too old");
	await old.close();
	await a.close();
});

test("a deleted text is in no replay, from memory or from the log", async () => {
	const room = await channel(alice, [bob]);
	const cursor = await head(bob);
	const vias = ["realtime1", "realtime2"];
	// A process that has not come to the deletion yet gives the message as it stands in the log up to there, so each is waited for.
	const witnesses = await Promise.all(vias.map((via) => openWs(carol, { via })));
	const m = await post(alice, room, "a secret to be deleted");
	await stack.psql(`
		update messages set body = null, digest = null, deleted_at = now(), version = version + 1 where channel_id = ${room} and seq = ${m.seq};
		select emit_event('r', 'message.deleted', ${room}, 0, ${m.seq}, jsonb_build_object('channel', ${room}, 'seq', ${m.seq}, 'id', ${m.id},
			'created_at', '${m.created_at}', 'sender', ${alice.id}, 'version', 2, 'deleted', true))`);
	const later = await channel(carol); // an own event of hers, behind the deletion
	for (const w of witnesses) await w.some((l) => l.channel === later);
	for (const via of vias) {
		const b = await openWs(bob, { cursor, via });
		await b.some((l) => l.type === "message.deleted" && l.seq === m.seq);
		const line = b.lines.find((l) => l.type === "message" && l.channel === room);
		assert.deepEqual([line.seq, line.deleted, line.body], [m.seq, true, undefined]);
		assert.ok(!JSON.stringify(b.lines).includes("secret"));
		await b.close();
		const s = await openSse(bob, { cursor, via });
		await s.some((l) => l.type === "message.deleted" && l.seq === m.seq);
		assert.deepEqual(s.lines.filter((l) => l.channel === room), b.lines.filter((l) => l.channel === room));
		await s.close();
	}
	const a = await openWs(alice);
	await burst(a, room, 100); // out of memory with it
	const b = await openWs(bob, { cursor });
	await b.some((l) => l.type === "message" && l.channel === room && l.seq === m.seq + 100);
	assert.ok(!JSON.stringify(b.lines).includes("secret"));
	assert.equal(b.lines.find((l) => l.type === "message" && l.channel === room && l.seq === m.seq).deleted, true);
	await Promise.all([a, b, ...witnesses].map((w) => w.close()));
});
