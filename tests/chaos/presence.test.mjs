// presence: who is here over the death of processes and of the database (doc/presence.md). Each change that others are told of is
// kept in a table by a trigger, so that none is overlooked while the database is away.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { presenceOf, watchPresence } from "../support/presence.mjs";
import { crowd, people, until } from "../realtime/help.mjs";

const GRACE = 3000;
const LEASE = 8000;
const SWEEP = 2000; // to be found by somebody, on a busy machine
const conf = {
	"presence.grace": `${GRACE}ms`,
	"presence.lease": `${LEASE}ms`,
	"presence.renew": "900ms",
	"realtime.ping_interval": "300ms",
	"realtime.pong_timeout": "5s",
};
const admin = { user: "postgres" };

/** Time passes only while somebody's heartbeats come: n graces and what it takes to be found. */
function graces(feed, n = 1) {
	const beats = () => feed.lines.filter((l) => l.type === "heartbeat").length;
	const upto = beats() + Math.ceil((n * (GRACE + SWEEP)) / 300);
	return until(() => beats() >= upto, { ms: n * (GRACE + SWEEP) * 4 + 10000, what: "heartbeats" });
}

describe("presence over crashes", () => {
	let stack, alice, watch, mates, room;
	before(async () => {
		stack = await startStack({ provider: false, realtime: 2, supervise: false, conf: conf });
		watch = await watchPresence(stack);
		[alice] = await people(stack, "alice");
		({ people: mates, room } = await crowd(stack, alice, 100));
		const ids = await stack.psql(`SELECT user_id FROM members WHERE channel_id = ${room} AND user_id <> ${alice.id} ORDER BY user_id`);
		for (const [i, id] of ids.split("\n").entries()) mates[i].id = Number(id);
	});
	after(async () => {
		watch?.stop();
		await stack?.stop();
	});

	const all = async () => {
		const answer = await presenceOf(alice, ...mates);
		return new Map(answer.map((p) => [p.user, p.state]));
	};
	const states = async (who, state) => {
		const now = await all();
		return who.every((m) => now.get(m.id) === state);
	};
	/** They are offline, and others were told so. */
	const gone = (who, ms) => {
		const offline = `SELECT count(*) FROM presence WHERE state = 'offline' AND user_id IN (${who.map((m) => m.id)})`;
		return until(async () => Number(await stack.psql(offline)) === who.length, { ms, what: `${who.length} to be told of as offline` });
	};
	const told = async () => {
		const rows = await stack.psql("SELECT user_id, string_agg(state, ' ' ORDER BY n) FROM told_presence GROUP BY user_id");
		return new Map(rows.split("\n").filter(Boolean).map((r) => [Number(r.split("|")[0]), r.split("|")[1]]));
	};

	test("PR-3 ghosts of a crashed process: kill -9, half of its people come back elsewhere, the database restarts too", { timeout: 180000 }, async () => {
		const [first, second] = [mates.slice(0, 50), mates.slice(50)];
		const feeds = new Map();
		await Promise.all(mates.map(async (m, i) => feeds.set(m, await openWs(m, { via: i < 50 ? "realtime1" : "realtime2" }))));
		await until(() => states(mates, "online"), { ms: 20000 });
		await until(async () => (await stack.psql(`SELECT presence_held(${LEASE})`)) === "f", { ms: 30000 });
		await stack.kill("realtime2", "SIGKILL");
		stack.forgive("realtime2");
		const killed = Date.now();
		const back = second.slice(0, 25), lost = second.slice(25);
		await Promise.all(back.map(async (m) => feeds.set(m, await openWs(m, { via: "realtime1" }))));
		assert.ok(await states(mates, "online"), "nobody is gone before the lease is over");
		await stack.restartPostgres();
		await gone(lost, 60000);
		const took = Date.now() - killed;
		// the lease, that of those who are given time after the restart, and the look at all behind it
		assert.ok(took < 2 * LEASE + GRACE + 3 * SWEEP, `offline after ${took} ms`);
		assert.ok(await states([...first, ...back], "online"));
		await until(async () => (await watch.rows()).nodes === 1, { ms: 20000, what: "no row of the dead process is left" });
		assert.equal((await watch.rows()).leases, 75);
		const changes = await told();
		for (const m of [...first, ...back]) assert.equal(changes.get(m.id), "online", "not one event of those who stayed or came back");
		for (const m of lost) assert.equal(changes.get(m.id), "online offline");
		await stack.up("realtime2");
		await Promise.all(lost.map(async (m) => feeds.set(m, await openWs(m, { via: "realtime2" }))));
		await until(() => states(mates, "online"), { ms: 20000 });
		for (const f of feeds.values()) f.terminate();
		await gone(mates, 40000);
		for (const m of mates) assert.equal((await told()).get(m.id), lost.includes(m) ? "online offline online offline" : "online offline");
	});

	test("a crash of the database empties the leases: nobody blinks; who has gone meanwhile is told of once", { timeout: 120000 }, async () => {
		const few = mates.slice(0, 20);
		await stack.psql("DELETE FROM told_presence");
		const feeds = await Promise.all(few.map((m, i) => openWs(m, { via: `realtime${1 + (i % 2)}` })));
		await until(() => states(few, "online"), { ms: 20000 });
		const eye = feeds[0];
		await stack.kill("postgres", "SIGKILL"); // its rows of presence go with the crash, what was told stays
		stack.forgive("postgres");
		for (const f of feeds.slice(15)) f.terminate();
		await stack.up("postgres", 60000);
		await until(() => states(few.slice(0, 15), "online"), { ms: 20000 });
		await gone(few.slice(15), 60000);
		await graces(eye);
		const changes = await told();
		for (const m of few.slice(0, 15)) assert.equal(changes.get(m.id), "online", "not one event");
		for (const m of few.slice(15)) assert.equal(changes.get(m.id), "online offline");
		for (const f of feeds) f.terminate();
		await gone(few, 40000);
	});

	test("one backend dies and the server recovers: the same", { timeout: 120000 }, async () => {
		const few = mates.slice(0, 10);
		await stack.psql("DELETE FROM told_presence");
		const feeds = await Promise.all(few.map((m, i) => openWs(m, { via: `realtime${1 + (i % 2)}` })));
		await until(() => states(few, "online"), { ms: 20000 });
		const pid = Number(await stack.psql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'realtime1-query%' LIMIT 1", admin));
		process.kill(pid, "SIGKILL");
		await until(() => stack.psql("SELECT pid FROM pg_stat_activity WHERE pid = " + pid, admin).then((r) => r === "", () => true));
		await until(async () => (await watch.rows()).leases === 10, { ms: 30000, what: "the leases are written again" });
		await graces(feeds[0], 3);
		for (const m of few) assert.equal((await told()).get(m.id), "online");
		for (const f of feeds) f.terminate();
		await gone(few, 40000);
		for (const m of few) assert.equal((await told()).get(m.id), "online offline");
	});

	test("with every realtime process dead REST is right, and those who are left go in time", { timeout: 90000 }, async () => {
		const few = mates.slice(0, 10);
		await stack.psql("DELETE FROM told_presence");
		await Promise.all(few.map((m, i) => openWs(m, { via: `realtime${1 + (i % 2)}` })));
		await until(() => states(few, "online"), { ms: 20000 });
		for (const name of ["realtime1", "realtime2"]) {
			await stack.kill(name, "SIGKILL");
			stack.forgive(name);
		}
		assert.ok(await states(few, "online"), "their leases hold");
		await until(() => states(few, "offline"), { ms: LEASE + GRACE + 5000 });
		await gone(few, 8000);
		await until(async () => (await watch.rows()).leases === 0, { ms: 10000 });
		for (const m of few) assert.equal((await told()).get(m.id), "online offline");
	});
});
