// race: people are removed, join and join again while others send, connect and resume, on two processes, for some seconds and at
// random. Who was entitled is read off the log afterwards: each stream has exactly that, and nothing else. $SEED repeats a run.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { follow, openWs } from "../support/realtime.mjs";
import { channel, idOf, people, post, until } from "../realtime/help.mjs";
import { rng } from "../support/random.mjs";
import { sleep } from "./help.mjs";

const SECONDS = Number(process.env.RACE_SECONDS ?? 15);
let stack, alice, movers;

before(async () => {
	// a small ring: resumes meet the log too
	stack = await startStack({ provider: false, realtime: 2, conf: { "realtime.ring_events": 200 } });
	[alice, ...movers] = await people(stack, "alice", "bob", "carol", "dave", "erin");
});
after(() => stack.stop());

test(`removals, joins and joins again race sends, connects and resumes for ${SECONDS} s`, { timeout: 180000 }, async (t) => {
	const seed = process.env.SEED ? Number(process.env.SEED) : (Math.random() * 2 ** 31) | 0;
	t.diagnostic(`seed ${seed}`);
	const random = rng(seed);
	const pick = (list) => list[Math.floor(random() * list.length)];
	const rooms = [];
	for (let i = 0; i < 3; i++) rooms.push(await channel(alice, i === 0 ? movers : [], "public"));
	const writers = [await openWs(alice, { via: "realtime1" }), await openWs(alice, { via: "realtime2" })];
	const end = Date.now() + SECONDS * 1000;
	const running = () => Date.now() < end;
	const counts = { moves: 0, sends: 0, connects: 0 };

	/** Changes one person's place in one room, by himself or by alice. */
	async function mover(who) {
		while (running()) {
			const room = pick(rooms);
			const path = `/api/v1/channels/${room}`;
			const answer = await pick([
				() => who.post(`${path}/join`),
				() => who.post(`${path}/leave`),
				() => alice.post(`${path}/members`, { user: who.id }),
				() => alice.delete(`${path}/members/${who.id}`),
			])();
			assert.ok(answer.status < 500 || answer.status === 503, `${answer.status} ${answer.text}`);
			counts.moves++;
			await sleep(random() * 60);
		}
	}
	async function sender() {
		while (running()) {
			const op = { op: "send", client_id: randomUUID(), channel: pick(rooms), body: { text: `${counts.sends++}` } };
			const answer = random() < 0.5 ? await pick(writers).call(op, 20000) : await post(alice, op.channel, op.body.text, op.client_id);
			assert.ok(answer.type !== "error", JSON.stringify(answer));
			await sleep(random() * 15);
		}
	}
	/** Follows one person's events with a cursor over broken sockets, on either process: {lines}. */
	async function stream(who, into) {
		let cursor = into.from;
		while (running()) {
			const ws = await openWs(who, { via: pick(["realtime1", "realtime2"]), cursor, ms: 20000 });
			counts.connects++;
			await sleep(random() * 700);
			ws.terminate();
			into.lines.push(...ws.events);
			into.resets += ws.lines.filter((l) => l.type === "reset").length;
			cursor = ws.cursor;
		}
		into.cursor = cursor;
	}
	const streams = [];
	const from = (await alice.get("/api/v1/channels")).headers["pulsechat-cursor"];
	for (const who of movers) for (let i = 0; i < 2; i++) streams.push({ who, from, lines: [], resets: 0 });
	const steady = movers.map((who, i) => ({ who, feed: follow(who, { cursor: from, via: `realtime${1 + (i % 2)}` }) }));
	const open = [];
	for (const who of movers) for (const via of ["realtime1", "realtime2"]) open.push({ who, feed: await openWs(who, { via, cursor: from }) });
	await Promise.all([...movers.map(mover), sender(), sender(), ...streams.map((s) => stream(s.who, s))]);

	// everyone is in one more room, whose last message says that all before it has come
	const marker = await channel(alice, movers);
	const last = await post(alice, marker, "the end");
	const isLast = (l) => l.type === "message" && l.channel === marker && l.seq === last.seq;
	for (const s of streams) {
		const ws = await openWs(s.who, { cursor: s.cursor, via: pick(["realtime1", "realtime2"]) });
		await ws.some(isLast, 30000);
		s.lines.push(...ws.events);
		ws.terminate();
	}
	for (const s of [...steady, ...open]) {
		await s.feed.some(isLast, 30000);
		s.lines = s.feed.events;
	}
	const log = (await stack.psql(`SELECT id, kind::text, type, channel_id, subject FROM events WHERE id > ${idOf(from)} ORDER BY id`))
		.split("\n")
		.map((l) => l.split("|"))
		.map(([id, kind, type, channel_, subject]) => ({ id: Number(id), kind, type, channel: Number(channel_), subject: Number(subject) }));
	t.diagnostic(`${JSON.stringify(counts)}; ${log.length} events`);
	assert.ok(counts.moves > SECONDS * 5 && counts.sends > SECONDS * 5 && counts.connects > SECONDS, JSON.stringify(counts));
	for (const s of [...streams, ...steady, ...open]) {
		const events = s.lines.map((l) => ({ id: idOf(l.cursor), type: l.type, channel: l.channel?.id ?? l.channel }));
		events.forEach((e, i) => assert.ok(!i || e.id > events[i - 1].id, `${s.who.handle}: ${e.id} after ${events[i - 1]?.id}`));
		const got = new Set(events.map((e) => e.id));
		// whose streams were open all the time has exactly what he was entitled to; who came by a cursor may lack what is of a time when
		// he was in, but had left or joined anew before he came back
		const inside = new Set([rooms[0]]);
		const final = new Map();
		for (const e of log) if ((e.kind === "j" || e.kind === "l") && e.subject === s.who.id) final.set(e.channel, e);
		for (const e of log) {
			const own = (e.kind === "j" || e.kind === "l") && e.subject === s.who.id;
			if (own) {
				assert.ok(got.has(e.id), `${s.who.handle} was not told of his own ${e.type} ${e.id}`);
				if (e.kind === "j") inside.add(e.channel);
				else inside.delete(e.channel);
				continue;
			}
			if (e.type !== "message") continue;
			const entitled = inside.has(e.channel) || e.channel === marker;
			if (!entitled) assert.ok(!got.has(e.id), `${s.who.handle} got message ${e.id} of ${e.channel} while he was out`);
			const stays = inside.has(e.channel) && (final.get(e.channel)?.id ?? 0) < e.id;
			if ((entitled && s.feed && open.includes(s)) || stays || e.channel === marker)
				assert.ok(got.has(e.id), `${s.who.handle} lacks message ${e.id} of ${e.channel}`);
		}
		assert.equal(s.resets ?? 0, 0);
	}
	for (const s of steady) await s.feed.stop();
	for (const f of [...writers, ...open.map((s) => s.feed)]) f.terminate();
});
