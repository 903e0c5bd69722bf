// cases: what the known ways to lose or mix up messages ask for beside the other suites: a sender that stops after it took its
// numbers (OR-1), a million events behind and broken cursors (DL-3), a database that is away for 20 s or not there yet (PG-4).

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { startStack } from "../support/stack.mjs";
import { exchange } from "../support/http.mjs";
import { lastOf, within } from "../support/lag.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { channel, connections, exactly, head, idOf, markOf, people, post, range, say, sendOp, seqs, until } from "../realtime/help.mjs";

const admin = { user: "postgres" };

describe("with a database", () => {
	let stack, alice, bob, carol;
	before(async () => {
		stack = await startStack({ realtime: 2, conf: { "realtime.ring_events": 1000 } });
		[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
	});
	after(() => stack.stop());

	/** A batch of another program's, which takes its numbers and then sleeps; with the rights of ours, it may be ended by them. */
	function sleeper(room, seconds, how, who = admin) {
		const mark = `sleeper ${room} ${how}`;
		const done = stack.psql(
			`BEGIN; SELECT write_batch(ARRAY[${room}::bigint], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1],
				ARRAY[${alice.id}::bigint], ARRAY[gen_random_uuid()],
				ARRAY['\\x00112233445566778899aabbccddeeff'::bytea], ARRAY[NULL::bigint], ARRAY['{"text":"sleeper"}'],
				ARRAY['"sender":${alice.id},"client_id":"00000000-0000-4000-8000-000000000000","version":1,"body":{"text":"sleeper"}}'],
				ARRAY[1], false, true);
			SELECT pg_sleep(${seconds}), '${mark}'; ${how};`,
			who,
		);
		done.catch(() => {});
		const where = `query LIKE '%${mark}%' AND wait_event = 'PgSleep'`;
		const asleep = until(async () => {
			const pid = await stack.psql(`SELECT max(pid) FROM pg_stat_activity WHERE ${where}`, admin);
			return pid && Number(pid);
		});
		return { done, asleep };
	}

	const FREED = 2000; // ms
	test("OR-1 a sender that holds its numbers for 2 s and commits, or gives up; one killed there, one stuck: others are free within 2 s", async () => {
		const [same, other] = [await channel(alice, [bob]), await channel(alice, [bob])];
		const feeds = [await openWs(bob, { via: "realtime1" }), await openWs(bob, { via: "realtime2" })];
		feeds.push(follow(bob, { via: "realtime2", cursor: feeds[0].hello.cursor }));
		const a = [await openWs(alice, { via: "realtime1" }), await openWs(alice, { via: "realtime2" })];
		let stored = 0;
		let others = 0;
		for (const how of ["COMMIT", "ROLLBACK", "killed", "stuck"]) {
			const ours = how === "stuck" ? {} : admin;
			const { done, asleep } = sleeper(same, how === "stuck" ? 600 : 2, how === "ROLLBACK" ? how : "COMMIT", ours);
			const pid = await asleep;
			const sends = [say(a[0], same, how), say(a[1], same, how), say(a[0], other, how), say(a[1], other, how), post(alice, other, how)];
			const over = done.then(() => true, () => false);
			const all = async () => {
				if (how === "killed") await stack.psql(`SELECT pg_terminate_backend(${pid})`, admin);
				return Promise.all([lastOf(sends), lastOf([over])]);
			};
			const freed = () => within(FREED, stack, all, `${how}: the others, after it was over`, ([last, end]) => last - end);
			// Who is stuck is found so by those that wait for 2 s.
			if (how === "stuck") await within(FREED + 500, stack, freed, "stuck: the others");
			else await freed();
			assert.equal(await over, /COMMIT|ROLLBACK/.test(how), how);
			stored += how === "COMMIT" ? 3 : 2;
			others += 3;
		}
		for (const f of feeds) {
			await exactly(f, same, 1, stored);
			await exactly(f, other, 1, others);
		}
		assert.equal(await stack.psql("SELECT count(*) = max(id) - min(id) + 1 FROM events"), "t");
		await feeds[2].stop();
		for (const f of [...a, feeds[0], feeds[1]]) f.terminate();
	});

	test("DL-3 d a cursor that is none is an error of that request only", async () => {
		const room = await channel(alice, [bob]);
		const open = await openWs(bob, { via: "realtime1" });
		const mark = markOf(open.hello.cursor);
		const behind = ["-1", "", "1x", "99999999999999999999", "1.2"].map((id) => `${mark}.${id}`);
		for (const cursor of ["", "-1", "text", mark, "'", "%00", ...behind]) {
			const p = await poll(bob, { cursor, wait: 5, via: "realtime1" });
			assert.deepEqual([p.status, p.problem?.code, p.problem?.field], [400, "bad_cursor", "cursor"], JSON.stringify(cursor));
			await assert.rejects(openWs(bob, { cursor, via: "realtime1" }), (e) => e.status === 400);
		}
		const none = await poll(bob, { via: "realtime1" });
		assert.deepEqual([none.status, none.lines.map((l) => l.type)], [200, ["cursor"]]);
		await post(alice, room, "the others go on");
		await exactly(open, room, 1, 1);
		open.terminate();
	});

	test("DL-3 c a million events behind: what is his for who has little of it, a reset for who has much; memory stays bounded", async () => {
		const [busy, quiet] = [await channel(alice, [bob]), await channel(alice, [carol])];
		const from = await head(carol);
		await post(alice, quiet, "first");
		for (const name of ["realtime1", "realtime2"]) await stack.down(name); // they would read it all
		await stack.psql(
			`BEGIN; SELECT stream_head_locked();
			INSERT INTO events (id, kind, type, channel_id, audience, subject)
				SELECT (SELECT stream_head()) + n, 'm', 'message', ${busy}, 0, 1 FROM generate_series(1, 1000000) n; COMMIT`,
			admin,
		);
		await post(alice, quiet, "second");
		for (const name of ["realtime1", "realtime2"]) await stack.up(name);
		const rss = (name) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stack.pids[name]}/status`, "utf8"))[1]) / 1024;
		for (const via of ["realtime1", "realtime2"]) {
			const c = await until(() => openWs(carol, { via, cursor: from }).catch(() => null));
			await exactly(c, quiet, 1, 2, 40000);
			c.terminate();
			const before_ = rss(via);
			const cs = await Promise.all(range(1, 4).map(() => openWs(carol, { via, cursor: from })));
			const p = poll(carol, { via, cursor: from, wait: 30 });
			const b = await openWs(bob, { via, cursor: from });
			assert.equal((await b.some((l) => l.type === "reset", 40000)).reason, "too far behind");
			assert.ok(b.messages.length <= 10000);
			for (const f of cs) await exactly(f, quiet, 1, 2, 40000);
			assert.deepEqual(seqs((await p).lines, quiet)[0], 1);
			assert.ok(rss(via) - before_ < 64, `${via} grew by ${rss(via) - before_} MiB`);
			for (const f of [...cs, b]) f.terminate();
		}
	});
});

test("a server process that dies with a question unread: who asked is answered at once, not after the longest wait", { timeout: 60000 }, async () => {
	const stack = await startStack({ realtime: 1 });
	try {
		const [alice] = await people(stack, "alice");
		await (await openWs(alice)).close();
		const rows = await stack.psql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'realtime1-query%'", admin);
		const pids = rows.split("\n").map(Number);
		for (const pid of pids) process.kill(pid, "SIGSTOP");
		const asked = openWs(alice, { via: "realtime1" }).then((ws) => ws.close(), () => "refused");
		const socket = () => connections(stack, "realtime1");
		await until(() => socket() > 0, { what: "the handshake has come, and with it the question went out" });
		await exchange(`${stack.url}/healthz`, { socketPath: stack.socket("realtime1") }); // a turn of its loop later
		// each says a last word before it goes, and does not read the question; both are there when we look
		await stack.kill("realtime1", "SIGSTOP");
		for (const pid of pids) for (const signal of ["SIGQUIT", "SIGCONT"]) process.kill(pid, signal);
		await until(() => !pids.some((pid) => existsSync(`/proc/${pid}`)));
		const killed = Date.now();
		await stack.kill("realtime1", "SIGCONT");
		await asked;
		assert.ok(Date.now() - killed < 3000, `answered after ${Date.now() - killed} ms`);
		await until(() => openWs(alice, { via: "realtime1" }).then((ws) => ws.close().then(() => true), () => false), { ms: 15000 });
	} finally {
		await stack.stop();
	}
});

test("PG-4 20 s without a database: sends wait, then are refused in clear; sockets stay; all is back within 5 s", { timeout: 120000 }, async () => {
	const stack = await startStack({ realtime: 1 });
	try {
		const [alice, bob] = await people(stack, "alice", "bob");
		const room = await channel(alice, [bob]);
		const [a, b] = [await openWs(alice), await openWs(bob)];
		const p = follow(bob, { cursor: b.hello.cursor });
		await say(a, room, "before");
		await stack.down("postgres");
		const gone = Date.now();
		const op = sendOp(room, "while it is away");
		const refused = await a.call(op, 15000);
		assert.deepEqual([refused.type, refused.code], ["error", "unavailable"]);
		assert.ok(refused.retry_after > 0);
		assert.ok(Date.now() - gone > 9000 && Date.now() - gone < 14000, `refused after ${Date.now() - gone} ms`);
		const rest = await alice.get("/api/v1/channels");
		assert.deepEqual([rest.status, rest.json.code], [503, "unavailable"]);
		assert.match(rest.headers["retry-after"], /^\d+$/);
		await until(() => Date.now() - gone > 20000, { ms: 30000 });
		assert.equal((await a.call({ op: "ping" })).type, "pong");
		const last = a.call(sendOp(room, "just before it is back"), 15000);
		await stack.up("postgres", 60000);
		const back = Date.now();
		assert.equal((await last).type, "ack");
		assert.equal((await a.call(op)).type, "ack");
		for (const f of [b, p]) await exactly(f, room, 1, 3, 5000);
		await until(async () => (await alice.get("/api/v1/channels")).status === 200, { ms: 5000 });
		assert.ok(Date.now() - back < 5000, `it took ${Date.now() - back} ms`);
		assert.ok(![a, b].some((f) => f.lines.some((l) => l.type === "reset" || l.type === "bye")));
		await p.stop();
	} finally {
		await stack.stop();
	}
});

test("PG-4 realtime is started before the database: 503 until it is there, then at work by itself", async () => {
	const stack = await startStack({ realtime: 1, empty: true, only: ["devidp", "api1", "realtime1", "lighttpd"] });
	try {
		const nobody = { stack, credentials: { authorization: `Bearer pct_${"A".repeat(43)}` }, token: "x" };
		const early = await poll(nobody, {});
		assert.deepEqual([early.status, early.problem?.code], [503, "unavailable"]);
		assert.match(early.headers["retry-after"], /^\d+$/);
		await stack.up("postgres", 60000);
		await stack.migrate();
		await stack.cli(["user", "add", "alice", "--name", "Alice", "--role", "owner"]);
		const [alice] = await people(stack, "alice");
		const room = await channel(alice);
		const a = await until(() => openWs(alice).catch(() => null), { ms: 5000 });
		for (let i = 1; i <= 3; i++) await say(a, room, `${i}`);
		await exactly(a, room, 1, 3);
		await until(() => /bus\.heard/.test(stack.log("realtime1")), { ms: 8000 });
		a.terminate();
		assert.ok(idOf(a.cursor) > 0);
	} finally {
		await stack.stop();
	}
});
