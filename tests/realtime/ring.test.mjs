// ring: who comes back within what a process remembers costs no read of the log, also of a process that has just been started:
// what it remembers it has read before the first client came.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { channel, exactly, head, people, post, range, seqs, until } from "./help.mjs";

const RING = 200;
let stack, alice, bob, room;
let n = 0;

before(async () => {
	stack = await startStack({ provider: false, postgres: { log_statement: "all" }, conf: { "realtime.ring_events": RING } });
	[alice, bob] = await people(stack, "alice", "bob");
	room = await channel(alice, [bob]);
});
after(() => stack.stop());

/** How often so far a process has read the log: for one user who comes back, and for its own memory. */
async function reads() {
	const mark = `-- ${performance.now()}`;
	await stack.psql(`select 1 ${mark}`);
	const log = await until(() => stack.log("postgres").includes(mark) && stack.log("postgres"), { what: "the server's log is here" });
	const count = (name) => log.match(new RegExp(`execute ${name}:`, "g"))?.length ?? 0;
	return { user: count("live_user_window"), memory: count("live_window") };
}

async function say(times) {
	for (let i = 0; i < times; i++) await post(alice, room, `${++n}`);
}

/** Bob comes back on every transport with the cursor from before message `from`; on each he has the rest. */
async function comeBack(cursor, from) {
	for (const open of [openWs, openSse]) {
		const feed = await open(bob, { cursor, via: "realtime1" });
		await exactly(feed, room, from, n);
		assert.ok(!feed.lines.some((l) => l.type === "reset"));
		await feed.close();
	}
	const answer = await poll(bob, { cursor, wait: 5, via: "realtime1" });
	assert.deepEqual(seqs(answer.events, room), range(from, n));
}

test("a resume within the ring reads no log, right after a start of the process neither; one beyond it does", async () => {
	const beyond = await head(bob);
	await say(RING);
	const cursor = await head(bob);
	const from = n + 1;
	await say(100);
	const present = await openWs(bob, { via: "realtime1" }); // all has come to this process
	await present.close();
	const before = await reads();
	await comeBack(cursor, from);
	assert.equal((await reads()).user, before.user);

	await stack.down("realtime1");
	await say(20); // what it has not heard itself
	await stack.up("realtime1");
	const started = await reads();
	assert.ok(started.memory > before.memory, "it reads what it is to remember");
	await comeBack(cursor, from);
	assert.equal((await reads()).user, started.user);

	// what is older it has to ask for: these counts count
	const old = follow(bob, { cursor: beyond, via: "realtime1" });
	await exactly(old, room, 1, n);
	await old.stop();
	assert.ok((await reads()).user > started.user, "older than the ring");
});
