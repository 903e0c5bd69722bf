// database: the database goes away and comes back (PG-4): answers stay JSON, workers recover by themselves, nothing acknowledged
// is lost, nothing is stored twice.

import { test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { bot, client } from "../support/http.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { allMessages, assertGapFree, makeChannel, ok, problem, send } from "./help.mjs";

const THREADS = 8;

/** As many requests at once as there are threads, so that each has to answer from its own connection. */
async function everyWorker(stack, name, path, token) {
	const answers = await Promise.all(Array.from({ length: THREADS * 2 }, () => fcgiRequest(stack.socket(name), { path, token })));
	return answers.every((a) => a.status === 200);
}

test("PG-4 three restarts under load, one with 5 s of downtime", async () => {
	const stack = await startStack({ realtime: 0, api: 2, conf: { "api.threads": THREADS } });
	try {
		const alice = await bot(stack, "alice");
		const channel = (await makeChannel(alice)).id;
		const acked = new Map();
		const statuses = new Map();
		let done = false;
		const pids = [stack.pids.api1, stack.pids.api2];
		async function writer(n) {
			for (let i = 0; !done; i++) {
				const id = randomUUID();
				for (;;) {
					const r = await send(alice, channel, `${n}/${i}`, id);
					statuses.set(r.status, (statuses.get(r.status) ?? 0) + 1);
					if (r.status === 503) {
						problem(r, 503, "unavailable");
						continue;
					}
					assert.ok(r.status === 201 || r.status === 200, `${r.status} ${r.text}`);
					acked.set(id, r.json.seq);
					break;
				}
			}
		}
		const writers = Promise.all(Array.from({ length: 10 }, (_, n) => writer(n)));
		writers.catch(() => (done = true));
		for (const [downtime, signal] of [
			[0, "SIGINT"],
			[5000, "SIGINT"],
			[0, "SIGQUIT"],
		]) {
			const before = acked.size;
			await until(() => acked.size > before + 50 || done, { what: "sends go through" });
			if (downtime) {
				await stack.down("postgres", signal);
				const until503 = () => client(stack).get("/healthz");
				const r = await until(async () => ((await until503()).status === 503 ? until503() : null), {
					what: "healthz tells of it",
				});
				assert.equal(r.json.database, "unavailable");
				assert.match(r.headers["retry-after"], /^\d+$/);
				problem(await alice.get("/api/v1/me"), 503, "unavailable");
				await new Promise((end) => setTimeout(end, downtime)); // the case's own downtime
				await stack.up("postgres", 60000);
			} else {
				await stack.restartPostgres({ signal });
			}
			const back = Date.now();
			for (const name of ["api1", "api2"])
				await until(() => everyWorker(stack, name, "/api/v1/me", alice.token), {
					ms: 5000,
					what: `all workers of ${name} are back`,
				});
			const stored = acked.size;
			await until(() => acked.size > stored || done, { ms: 5000, what: "sends go through again" });
			assert.ok(Date.now() - back < 5000, `recovery took ${Date.now() - back} ms`);
		}
		done = true;
		await writers;
		assert.deepEqual([stack.pids.api1, stack.pids.api2], pids);
		assert.ok(statuses.get(503) > 0, "the restarts were felt");
		const all = await allMessages(alice, channel);
		assertGapFree(all.map((m) => m.seq));
		assert.equal(new Set(all.map((m) => m.client_id)).size, all.length);
		const bySeq = new Map(all.map((m) => [m.client_id, m.seq]));
		for (const [id, seq] of acked)
			assert.equal(bySeq.get(id), seq, `an acknowledged message is ${bySeq.has(id) ? "elsewhere" : "lost"}`);
		assert.equal(all.length, acked.size); // each was repeated until it was acknowledged
	} finally {
		await stack.stop();
	}
});

test("PG-4 a restart that passes while nobody asks is not noticed by anybody", async () => {
	const stack = await startStack({ realtime: 0, conf: { "api.threads": THREADS } });
	try {
		const alice = await bot(stack, "alice");
		const channel = (await makeChannel(alice)).id;
		for (const signal of ["SIGINT", "SIGQUIT"]) {
			await until(() => everyWorker(stack, "api1", "/api/v1/me", alice.token));
			await stack.restartPostgres({ signal });
			assert.ok(
				await everyWorker(stack, "api1", "/api/v1/me", alice.token),
				"each worker finds its connection dead before it asks",
			);
			ok(await send(alice, channel, "the writer too"), 201);
		}
	} finally {
		await stack.stop();
	}
});

test("PG-4 api is started before the database", async () => {
	const stack = await startStack({ realtime: 0, empty: true, only: ["devidp", "api1", "lighttpd"] });
	try {
		const nobody = client(stack, { token: `pct_${"A".repeat(43)}` });
		const r = await nobody.get("/healthz");
		assert.equal(r.status, 503);
		assert.equal(r.json.status, "unavailable");
		problem(await nobody.get("/api/v1/me"), 503, "unavailable");
		ok(await nobody.get("/api/v1/site"));
		await stack.up("postgres", 60000);
		await stack.migrate();
		await until(async () => (await nobody.get("/healthz")).status === 200, { ms: 5000, what: "healthy by itself" });
		problem(await nobody.get("/api/v1/me"), 401, "unauthenticated");
		await until(async () => (await nobody.get("/healthz")).json.writer === "ok", { ms: 5000, what: "the writer too" });
		await stack.cli(["user", "add", "first", "--role", "owner"]);
		const first = await bot(stack, "first");
		const channel = (await makeChannel(first)).id;
		ok(await send(first, channel, "hello"), 201);
	} finally {
		await stack.stop();
	}
});
