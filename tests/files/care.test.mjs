// Care: what nobody sends is collected and never from under an attach, failed deletions are tried again, quotas hold.

import { test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { allMessages, makeChannel, ok, problem } from "../api/help.mjs";
import { bot } from "../support/http.mjs";
import { until } from "../support/until.mjs";
import { STORES, begin, complete, eachStore, keyOf, objectThere, path, putTo, sendFiles, sha256, stored, uploaded, wish } from "./uploads.mjs";

for (const kind of STORES)
	eachStore(kind, { api: 2, conf: { unattached: "5s", upload_expires: "1s", multipart_above: "6M", part_size: "5M" } }, (site) => {
		const channel = async () => (await makeChannel(site.alice)).id;

		test("what is in no message goes after its time, a multipart upload too; what is in one stays", async () => {
			const { alice, stack } = site;
			const c = await channel(), large = randomBytes(7 * 2 ** 20), part = large.subarray(0, 5 * 2 ** 20);
			const state = (up) => stack.psql(`SELECT state FROM files WHERE id = ${up.id}`);
			const kept = await uploaded(alice, c, randomBytes(10));
			ok(await sendFiles(alice, c, [kept]), 201);
			const ready = await uploaded(alice, c, randomBytes(10)), pending = await begin(alice, c, randomBytes(10));
			const parts = await begin(alice, c, large, { sha256: undefined });
			const [first] = ok(await alice.post(path(parts, "/parts"), { parts: [{ number: 1, sha256: sha256(part) }] })).parts;
			assert.equal((await putTo(first, part)).status, 200);
			for (const up of [ready, pending, parts])
				await until(async () => (await state(up)) === "erased", { ms: 20000, what: `${up.id} is collected` });
			await until(async () => !(await stored(site, ready.id)), { what: "its object is gone" });
			await until(async () => [403, 404].includes((await putTo(first, part)).status), { what: "the multipart upload has ended" });
			problem(await complete(alice, pending), 404, "not_found");
			assert.equal(ok(await alice.get(path(kept))).state, "attached");
			assert.equal(await stored(site, kept.id), true);
		});

		test("a collector and an attach at once: the file is in a message and stays, or in none and goes", async () => {
			const { alice, stack } = site;
			const c = await channel(), sent = new Map();
			for (let round = 0; round < 3; round++) {
				const ups = await Promise.all(Array.from({ length: 8 }, () => uploaded(alice, c, randomBytes(8))));
				const list = ups.map((u) => u.id).join(",");
				await stack.psql(`UPDATE files SET put_until = now() - interval '1 hour', created_at = now() - interval '1 hour',
					completed_at = now() - interval '1 hour' WHERE id IN (${list})`);
				const sends = ups.map((up) => sendFiles(alice, c, [up]));
				const collects = Array.from({ length: 4 }, () => stack.psql("SELECT files_collect(1000, 3)"));
				const answers = await Promise.all(sends);
				await Promise.all(collects);
				answers.forEach((r, i) => {
					if (r.status !== 201) problem(r, 422, "not_attachable");
					sent.set(ups[i].id, r.status === 201);
				});
			}
			const rows = (await stack.psql(`SELECT id || ' ' || state FROM files WHERE channel_id = ${c}`)).split("\n").map((l) => l.split(" "));
			for (const [id, state] of rows) {
				const loose = sent.get(Number(id)) ? ["attached"] : ["erased"];
				assert.ok(loose.includes(state), `${id} is ${state}`);
				if (state === "attached") assert.equal(await stored(site, id), true);
				else await until(async () => !(await stored(site, id)), { what: `${id} is gone` });
			}
			const borne = (await allMessages(alice, c)).flatMap((m) => m.body.files.map((f) => f.id));
			assert.deepEqual(borne.sort(), [...sent].filter(([, was]) => was).map(([id]) => id).sort());
		});

		test("while the store is away: a clear answer, and deletions are tried until they are done", async () => {
			const { alice, stack, gw } = site;
			const c = await channel(), up = await uploaded(alice, c, randomBytes(10)), waiting = await begin(alice, c, randomBytes(10));
			const key = await keyOf(site, up.id);
			const server = gw?.procs.find((p) => p.name === "radosgw");
			if (gw) await server.stop("SIGTERM");
			else await stack.down("files1");
			problem(await complete(alice, waiting), 503, "store_unavailable");
			assert.equal(ok(await alice.get(path(waiting))).state, "pending", "it can be asked again");
			assert.equal((await alice.delete(path(up))).status, 204);
			const tries = async () => Number(await stack.psql(`SELECT erase_tries FROM files WHERE id = ${up.id}`));
			await until(async () => (await tries()) >= 2, { ms: 20000, what: "it was tried twice" });
			if (gw) {
				server.start();
				await server.untilReady(60000);
			} else await stack.up("files1");
			await until(async () => !(await objectThere(site, key)), { ms: 30000, what: "the object is gone" });
		});

		if (kind === "local")
			test("pulsechat maintain does it where no pulsechat-api stays", async () => {
				const { alice, stack } = site;
				const c = await channel(), up = await uploaded(alice, c, randomBytes(10)), key = await keyOf(site, up.id);
				await Promise.all(["api1", "api2"].map((name) => stack.down(name)));
				await stack.psql(`UPDATE files SET put_until = now() - interval '1 hour', created_at = now() - interval '2 days',
					completed_at = now() - interval '2 days' WHERE id = ${up.id}`);
				const { stdout } = await stack.cli(["maintain"]);
				assert.match(stdout, /^files that nobody sent, erased: 1$/m);
				assert.equal(await objectThere(site, key), false);
				assert.equal(await stack.psql(`SELECT count(*) FROM files WHERE id = ${up.id}`), "0", "of yesterday: forgotten");
				await Promise.all(["api1", "api2"].map((name) => stack.up(name)));
			});
	});

eachStore("local", { api: 2, conf: { quota_user: 1000, quota_day: 1500 } }, (site) => {
	test("quotas: what is asked for at once cannot pass together, on two processes", async () => {
		const { bob } = site;
		const c = (await makeChannel(bob)).id;
		const all = await Promise.all(Array.from({ length: 20 }, () => bob.post("/api/v1/uploads", wish(c, Buffer.alloc(150)))));
		assert.equal(all.filter((r) => r.status === 201).length, 6);
		for (const r of all.filter((x) => x.status !== 201)) problem(r, 403, "quota_exceeded");
		ok(await bob.post("/api/v1/uploads", wish(c, Buffer.alloc(100))), 201);
		ok(await bob.delete("/api/v1/me/files"), 204);
		for (let i = 0; i < 5; i++) ok(await bob.post("/api/v1/uploads", wish(c, Buffer.alloc(100))), 201);
		const day = await bob.post("/api/v1/uploads", wish(c, Buffer.alloc(100)));
		problem(day, 403, "quota_exceeded");
		const wait = Number(day.headers["retry-after"]);
		assert.ok(wait > 86000 && wait <= 86400, `${wait} s`);
		assert.equal(problem(await bob.post("/api/v1/uploads", wish(c, Buffer.alloc(1600))), 403, "quota_exceeded").field, undefined);
	});

	test("limits tell of files, and a site without a store says so", async () => {
		const { stack } = site;
		const limits = ok(await (await bot(stack, "bob")).get("/api/v1/limits"));
		const { file_bytes, message_files, multipart_above, part_size } = limits;
		assert.deepEqual([file_bytes, message_files, multipart_above, part_size], [2 * 2 ** 30, 20, 64 * 2 ** 20, 16 * 2 ** 20]);
	});
});
