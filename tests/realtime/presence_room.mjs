// presence_room: two processes, four people in a channel, and what is told of them: for the tests of presence.

import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { stateOf, watchPresence } from "../support/presence.mjs";
import { channel, people, until } from "./help.mjs";

export const GRACE = 3000;
export const LEASE = 6000;
export const SWEEP = 2000; // to be found by somebody, on a busy machine
export const conf = {
	"presence.grace": `${GRACE}ms`,
	"presence.lease": `${LEASE}ms`,
	"presence.renew": "900ms",
	"presence.poll_slack": "2s",
	"realtime.ping_interval": "300ms",
	"realtime.pong_timeout": "5s",
	"realtime.drain_spread": "0s",
};

/** Time passes only while somebody's heartbeats come: n of them. */
export const beats = (feed, n) => {
	const from = feed.lines.filter((l) => l.type === "heartbeat").length;
	return until(() => feed.lines.filter((l) => l.type === "heartbeat").length >= from + n, { ms: n * 300 * 4 + 10000, what: `${n} heartbeats` });
};
export const graces = (feed, n = 1) => beats(feed, Math.ceil((n * (GRACE + SWEEP)) / 300));

/** From here on people are judged. `eye` is a stream of alice's, by whose heartbeats time is told. */
export async function openRoom() {
	const stack = await startStack({ realtime: 2, conf });
	return furnish(stack).catch(async (e) => {
		await stack.stop().catch(() => {}); // the first failure is the one to tell of
		throw e;
	});
}

async function furnish(stack) {
	const watch = await watchPresence(stack);
	const [alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
	await channel(alice, [bob, carol, dave]);
	const eye = await openWs(alice, { via: "realtime1" });
	await until(async () => (await stack.psql(`SELECT presence_held(${LEASE})`)) === "f", { ms: 30000, what: "the hold after the start to be over" });

	/** Nothing but this was told of him, by the bus and by the table. */
	async function toldExactly(user, states) {
		assert.deepEqual(await watch.told(user), states);
		assert.deepEqual(watch.bus(user), states);
	}
	/** His last change was told more than `least` after `before`, less than `most` after `behind`: times before and behind what made it. */
	async function toldWithin(user, before, least, behind, most) {
		const at = await watch.lastTold(user);
		assert.ok(at - before > least, `told ${at - before} ms after it, more than ${least}`);
		assert.ok(at - behind < most, `told ${at - behind} ms after it, less than ${most}`);
	}
	const toldSoon = (user, states, ms) => until(() => watch.bus(user).length >= states.length, { ms, what: `${states} of ${user.id}` });
	async function gone(...users) {
		const ids = users.map((u) => u.id);
		const told = async () => Number(await stack.psql(`SELECT count(*) FROM presence WHERE user_id IN (${ids}) AND state = 'offline'`));
		await until(async () => (await told()) === ids.length, { ms: GRACE + LEASE + 10000, what: `${ids} to be told of as offline` });
		for (const user of users) assert.equal(await stateOf(alice, user), "offline");
	}
	async function forget() {
		await stack.psql("DELETE FROM told_presence");
		watch.lines.length = 0;
	}
	async function stop() {
		watch.stop();
		eye.terminate();
		await stack.stop();
	}
	return { stack, alice, bob, carol, dave, watch, eye, toldExactly, toldSoon, toldWithin, gone, forget, stop };
}
