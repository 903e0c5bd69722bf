// keep: drafts in step on all own devices, live and for those who come back; pins and saved messages by events are those of a fresh load.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { caughtUp, channel, head, people, post } from "./help.mjs";

let stack, alice, bob;

before(async () => {
	stack = await startStack({ realtime: 2, api: 1 });
	[alice, bob] = await people(stack, "alice", "bob");
});
after(() => stack.stop());

async function ok(asked) {
	const answer = await asked;
	assert.ok([200, 204].includes(answer.status), `${answer.status} ${answer.text}`);
	return answer.json;
}
const path = (id, ...rest) => ["/api/v1/channels", id, ...rest].join("/");
const put = (who, id, text, version) => ok(who.put(path(id, "draft"), { text, version }));
const drafts = async (who) => (await ok(who.get("/api/v1/me/drafts"))).drafts;
const told = (lines) => lines.filter((l) => l.type === "draft").map(({ type: _type, ...d }) => d);

test("drafts: told to own instances of all processes, to nobody else; who comes back has what a fresh load says", async () => {
	const one = await channel(alice, [bob]), two = await channel(alice, [bob]);
	const cursor = await head(alice);
	const a1 = await openWs(alice, { via: "realtime1", drafts: 0 }), a2 = await openSse(alice, { via: "realtime2" });
	const b = await openWs(bob, { drafts: 0 });
	const d = await put(alice, one, "hel", 0);
	for (const feed of [a1, a2]) assert.deepEqual(told([await feed.some((l) => l.type === "draft")]), [d]);
	const long = await put(alice, two, "€".repeat(5000), 0);
	const short = { channel: two, thread: null, version: 1 };
	for (const feed of [a1, a2]) assert.deepEqual(told([await feed.some((l) => l.type === "draft" && l.channel === two)]), [short]);
	assert.deepEqual(await ok(alice.get(path(two, "draft"))), long);
	await a1.close();
	await a2.close();
	// while away
	await put(alice, one, "hello", 1);
	await ok(alice.delete(`${path(one, "draft")}?version=2`));
	const all = [await ok(alice.get(path(one, "draft"))), short];
	assert.equal(all[0].version, 3);
	assert.deepEqual(await drafts(alice), [all[0], long]);
	await post(alice, two, "behind what was told of them on the bus");
	await caughtUp(alice, "realtime1", "realtime2", "api1");
	for (const via of ["realtime1", "realtime2"]) {
		const ws = await openWs(alice, { via, cursor, drafts: 2 });
		await ws.some((l) => l.type === "draft" && l.channel === two);
		assert.deepEqual(told(ws.lines), all, via);
		await ws.close();
		const sse = await openSse(alice, { via, cursor, query: { drafts: 2 } });
		await sse.some((l) => l.type === "draft" && l.channel === two);
		assert.deepEqual(told(sse.lines), all, via);
		await sse.close();
	}
	for (const via of ["realtime1", "api1"]) {
		assert.deepEqual(told((await poll(alice, { cursor, drafts: 0, wait: 5, via })).lines), all, via);
		assert.deepEqual(told((await poll(alice, { cursor: await head(alice), drafts: 4, wait: 0, via })).lines), [], "who knows all is told nothing");
	}
	// of a thread: told and known alike, as long as it says something
	const { seq } = await post(bob, one, "a root");
	const reply = await ok(alice.put(`${path(one, "draft")}?thread=${seq}`, { text: "re", version: 0 }));
	assert.deepEqual(told((await poll(alice, { cursor: await head(alice), drafts: 4, wait: 0 })).lines), [all[0], reply, short]);
	assert.deepEqual(told((await poll(alice, { cursor: await head(alice), drafts: 4 + reply.version, wait: 0 })).lines), []);
	await ok(alice.delete(`${path(one, "draft")}?thread=${seq}`));
	assert.deepEqual(told((await poll(alice, { cursor: await head(alice), drafts: 4, wait: 0 })).lines), [], "then it does not count");
	// of a channel that one has left nothing counts
	await ok(bob.put(path(one, "draft"), { text: "b", version: 0 }));
	await b.some((l) => l.type === "draft");
	assert.deepEqual(told(b.lines).map((x) => [x.channel, x.text]), [[one, "b"]], "others' are not told");
	await ok(bob.post(path(one, "leave")));
	assert.deepEqual(told((await poll(bob, { cursor: await head(bob), drafts: 0, wait: 0 })).lines), []);
	// whoever may have missed some is told all again
	const listening = await openWs(alice, { via: "realtime1", drafts: 4 });
	const listener = "FROM pg_stat_activity WHERE application_name = 'realtime1-listen'";
	assert.equal(await stack.psql(`SELECT pg_terminate_backend(pid) ${listener}`, { user: "postgres" }), "t");
	await put(alice, one, "again", 3);
	await listening.some((l) => l.type === "draft" && l.channel === one && l.version === 4);
	for (const [bad, answer] of [["x", poll(alice, { drafts: "x" })], ["-1", poll(alice, { drafts: "-1", via: "api1" })]])
		assert.deepEqual([(await answer).status, (await answer).problem.field], [400, "drafts"], bad);
	await listening.close();
	await b.close();
	const events = await stack.psql("SELECT count(*) FROM events WHERE type LIKE 'draft%' OR data::text LIKE '%hello%'", { user: "postgres" });
	assert.equal(events, "0", "the log holds nothing of them");
});

test("drafts: a channel that was left while away does not make up for a draft that moved in another one", async () => {
	const [kept, left] = [await channel(alice, [bob]), await channel(alice, [bob])];
	const before = await put(bob, kept, "before", 0);
	await put(bob, left, "lost", 0);
	const listed = await ok(bob.get("/api/v1/channels"));
	const mine = new Set(listed.channels.map((c) => c.id));
	const known = (await drafts(bob)).filter((d) => mine.has(d.channel)).reduce((sum, d) => sum + d.version, 0);
	const cursor = await head(bob);
	await ok(bob.post(path(left, "leave")));
	const moved = await put(bob, kept, "moved", before.version);
	assert.equal(moved.version, before.version + 1, "the sum is as it was");
	await caughtUp(alice, "realtime1", "realtime2", "api1");

	const it = (l) => l.type === "draft" && l.channel === kept;
	for (const via of ["realtime1", "realtime2"]) {
		const ws = await openWs(bob, { via, cursor, drafts: known });
		assert.deepEqual(told([await ws.some(it)]), [moved], via);
		assert.ok(!ws.lines.some((l) => l.type === "read"), "of what was not asked for nothing is told");
		await ws.close();
		const sse = await openSse(bob, { via, cursor, query: { drafts: known } });
		assert.deepEqual(told([await sse.some(it)]), [moved], via);
		await sse.close();
	}
	for (const via of ["realtime1", "api1"])
		assert.deepEqual(told((await poll(bob, { via, cursor, drafts: known, wait: 5 })).lines.filter(it)), [moved], via);
});

test("pins and saved messages: by events, live and on resume, what a fresh load says", async () => {
	const room = await channel(alice, [bob]);
	for (let i = 1; i <= 4; i++) await post(alice, room, `m${i}`);
	const cursor = await head(bob);
	const live = await openWs(bob), other = await openWs(alice);
	const at = (seq, what) => path(room, "messages", seq, what);
	for (const seq of [3, 1, 2]) await ok(alice.put(at(seq, "pin")));
	for (const seq of [1, 2, 4]) await ok(bob.put(at(seq, "saved")));
	await ok(alice.delete(at(1, "pin")));
	await ok(bob.delete(at(2, "saved")));
	await ok(alice.delete(path(room, "messages", 3)));
	await ok(alice.delete(path(room, "messages", 1)));
	/** What a client holds by these lines, which set state and may come more than once. */
	const state = (lines) => {
		let pins = null, version = 0;
		const saved = new Set();
		for (const l of lines) {
			if (l.type === "pins.updated" && l.channel === room && l.pins_version > (pins?.pins_version ?? 0))
				pins = { pins: l.pins, pins_version: l.pins_version };
			if (l.type === "saved.updated" && l.version > version) {
				version = l.version;
				saved[l.saved ? "add" : "delete"](`${l.channel}/${l.seq}`);
			}
			if (l.type === "message.deleted") saved.delete(`${l.channel}/${l.seq}`);
		}
		return { pins, saved: [...saved].sort(), version };
	};
	const fresh = async () => {
		const { pins, pins_version } = await ok(bob.get(path(room, "pins")));
		const { saved, version } = await ok(bob.get("/api/v1/me/saved"));
		return { pins: { pins, pins_version }, saved: saved.map((s) => `${s.channel}/${s.seq}`).sort(), version };
	};
	const want = await fresh();
	assert.deepEqual([want.pins.pins.map((p) => p.seq), want.saved, want.version], [[2], [`${room}/4`], 4]);
	const done = (l) => l.type === "message.deleted" && l.channel === room && l.seq === 1;
	await live.some(done);
	await other.some(done);
	assert.deepEqual(state(live.lines), want, "live");
	assert.equal(other.lines.some((l) => l.type === "saved.updated"), false, "what one saves is one's own");
	for (const via of ["realtime1", "realtime2"]) {
		const ws = await openWs(bob, { cursor, via });
		await ws.some(done);
		assert.deepEqual(state(ws.lines), want, via);
		await ws.close();
	}
	const lines = [];
	for (let p, from = cursor; !lines.some(done); from = p.cursor) lines.push(...(p = await poll(bob, { cursor: from, wait: 0, via: "api1" })).lines);
	assert.deepEqual(state(lines), want, "api1");
	await live.close();
	await other.close();
});
