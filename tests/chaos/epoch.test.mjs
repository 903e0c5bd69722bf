// epoch: another log behind the same address: a restored dump, a copied database, a promoted replica that lacks commits. Processes
// that run notice it and tell their clients; who comes with an old cursor, to them or to one that is started then, is told too. Without
// it they would take the new log's events for ones that they know by their numbers.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeSocketDir } from "../../conf/run/postgres.mjs";
import { startStack } from "../support/stack.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { channel, exactly, idOf, markOf, people, post, seqs, until } from "../realtime/help.mjs";
import { pgTool, relayDatabase, startCluster, startRelay } from "./help.mjs";

let stack, alice, bob, relay, db; // db: the server that the site uses now: {socket, psql(sql, db)}
const servers = [];

before(async () => {
	stack = await startStack({ api: 1, realtime: 2, supervise: true, only: ["postgres", "devidp"] });
	db = { socket: stack.pgSocket, psql: (sql, name = "pulsechat") => stack.psql(sql, { user: "postgres", db: name }) };
	relay = await startRelay();
	await relayDatabase(stack, relay);
	await Promise.all(["api1", "realtime1", "realtime2", "lighttpd"].map((n) => stack.up(n)));
	[alice, bob] = await people(stack, "alice", "bob");
});
after(async () => {
	await stack?.stop();
	for (const s of servers) await s.stop();
	relay?.stop();
});

/** Takes the database `by` in place of the site's, in the same server. make() makes it, while nobody is connected to the first. */
async function swap(by, make) {
	relay.send({ op: "refuse", link: "db", on: true });
	relay.send({ op: "cut", link: "db", share: 1, how: "reset" });
	const others = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'pulsechat'";
	await until(async () => (await db.psql(others, "postgres")) === "0");
	await make?.();
	await db.psql(`ALTER DATABASE pulsechat RENAME TO before_${by}`, "postgres");
	await db.psql(`ALTER DATABASE ${by} RENAME TO pulsechat`, "postgres");
	relay.send({ op: "refuse", link: "db", on: false });
}

/** The site's connections lead to another server. */
function lead(to) {
	db = to;
	relay.send({ op: "lead", link: "db", to: join(to.socket, ".s.PGSQL.5432") });
	relay.send({ op: "cut", link: "db", share: 1, how: "reset" });
}

/**
 * before(): while three messages of `room` are there; move(): after three more, which the new log may lack. kept: how many of the
 * six it has.
 */
async function noticed(t, { prepare, move, kept }) {
	const room = await channel(alice, [bob]);
	const sockets = [await openWs(bob, { via: "realtime1" }), await openWs(bob, { via: "realtime2" })];
	const follower = follow(bob, { via: "realtime1", cursor: sockets[0].hello.cursor });
	const feeds = [...sockets, follower];
	const early = sockets[0].hello.cursor;
	for (let i = 1; i <= 3; i++) await post(alice, room, `${i}`);
	await prepare?.();
	for (let i = 4; i <= 6; i++) await post(alice, room, `${i}`);
	for (const f of feeds) await exactly(f, room, 1, 6);
	const late = sockets[0].cursor;
	const began = Date.now();
	await move();
	for (const f of feeds) {
		const reset = await f.some((l) => l.type === "reset", 30000);
		assert.notEqual(markOf(reset.cursor), markOf(late));
	}
	t.diagnostic(`noticed by all within ${Date.now() - began} ms of the move`);
	await until(async () => (await alice.get("/api/v1/me")).status === 200, { ms: 15000 });
	const page = (await bob.get(`/api/v1/channels/${room}/messages`)).json.messages.map((m) => m.seq);
	assert.equal(page.length, kept);
	// the new log takes the same numbers again
	for (let i = 0; i < 6; i++) await until(() => post(alice, room, `new ${i}`).catch(() => null));
	for (const f of feeds) {
		await f.some((l) => l.type === "message" && l.channel === room && l.body.text === "new 5");
		const fresh = f.lines.slice(f.lines.findIndex((l) => l.type === "reset"));
		assert.deepEqual(
			seqs(fresh, room),
			Array.from({ length: 6 }, (_, i) => kept + 1 + i),
		);
		assert.equal(f.lines.filter((l) => l.type === "reset").length, 1, "one reset");
		assert.ok(!f.lines.some((l) => l.type === "bye"), "the stream goes on");
	}
	const told = async (via) => {
		for (const cursor of [early, late, `${markOf(late)}.${idOf(late) + 1}`]) {
			const ws = await openWs(bob, { via, cursor });
			assert.equal((await ws.next("reset")).reason, "other epoch");
			assert.equal(ws.lines[1].type, "reset", "before anything else");
			ws.terminate();
			const p = await poll(bob, { via, cursor, wait: 5 });
			assert.deepEqual(
				p.lines.map((l) => l.reason ?? l.type),
				["other epoch", "cursor"],
			);
		}
	};
	for (const via of ["realtime1", "realtime2"]) await told(via);
	await follower.stop();
	for (const f of sockets) f.terminate();
	await stack.down("realtime2");
	await stack.up("realtime2");
	await told("realtime2");
}

test("a dump restored into a new database of the same server", { timeout: 120000 }, async (t) => {
	const dump = join(stack.runDir, "pg", "dump");
	await noticed(t, {
		kept: 3,
		prepare: () => pgTool("pg_dump", ["-h", db.socket, "-U", "postgres", "-Fc", "-f", dump, "pulsechat"]),
		move: async () => {
			await db.psql("CREATE DATABASE restored OWNER pulsechat TEMPLATE template0", "postgres");
			await pgTool("pg_restore", ["-h", db.socket, "-U", "postgres", "-d", "restored", dump]);
			await swap("restored");
		},
	});
});

test("a database copied into another one, by CREATE DATABASE … TEMPLATE", { timeout: 120000 }, async (t) => {
	await noticed(t, {
		kept: 6,
		move: () =>
			swap("copied", () => db.psql("CREATE DATABASE copied OWNER pulsechat TEMPLATE pulsechat", "postgres")),
	});
});

test("a dump restored into another server", { timeout: 120000 }, async (t) => {
	const other = await startCluster(stack, "other");
	servers.push(other);
	const dump = join(stack.runDir, "pg", "dump2");
	await noticed(t, {
		kept: 3,
		prepare: () => pgTool("pg_dump", ["-h", db.socket, "-U", "postgres", "-Fc", "-f", dump, "pulsechat"]),
		move: async () => {
			await pgTool("pg_restore", ["-h", other.socket, "-U", "postgres", "-d", "pulsechat", dump]);
			lead(other);
		},
	});
});

test("a replica that lacks commits is promoted", { timeout: 120000 }, async (t) => {
	const primary = db;
	const replica = await startCluster(stack, "replica", async (dir) => {
		makeSocketDir(dir); // the owner's alone
		await pgTool("pg_basebackup", ["-h", primary.socket, "-U", "postgres", "-D", dir, "-X", "stream", "-c", "fast", "--no-sync", "-R"]);
	});
	servers.push(replica);
	assert.equal(await replica.psql("SELECT pg_is_in_recovery()"), "t");
	const sender = async () => Number(await primary.psql("SELECT coalesce(max(pid), 0) FROM pg_stat_replication WHERE state = 'streaming'"));
	await until(sender, { what: "it follows" });
	await noticed(t, {
		kept: 3,
		prepare: async () => {
			const lsn = await primary.psql("SELECT pg_current_wal_lsn()");
			await until(async () => (await replica.psql(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'`)) === "t");
			process.kill(await sender(), "SIGSTOP"); // what is committed from now on does not get there
		},
		move: async () => {
			const stopped = await sender();
			await primary.kill();
			process.kill(stopped, "SIGKILL");
			assert.equal(await replica.psql("SELECT pg_promote()"), "t");
			lead(replica);
		},
	});
});
