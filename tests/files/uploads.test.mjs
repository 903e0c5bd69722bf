// Uploads: each step, its retries, and what is refused where; against each store.

import { test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { connect } from "node:net";
import { makeChannel, ok, problem } from "../api/help.mjs";
import { bot } from "../support/http.mjs";
import { until } from "../support/until.mjs";
import { GIF, STORES, begin, complete, completed, eachStore, fetched, path, png, putTo, sendFiles, sha256, stored, uploaded, wish } from "./uploads.mjs";

for (const kind of STORES)
	eachStore(kind, { api: 2, conf: { upload_expires: "30s", multipart_above: "6M", part_size: "5M", max_size: "100M" } }, (site) => {
		const channel = async () => (await makeChannel(site.alice)).id;

		test("a file goes its way, and each step again is harmless", async () => {
			const { alice } = site;
			const c = await channel(), bytes = randomBytes(5000), w = wish(c, bytes, { name: "notes.bin", width: 3, height: 4, duration: 1.5 });
			const made = await alice.post("/api/v1/uploads", w);
			const up = ok(made, 201);
			assert.equal(made.headers.location, path(up));
			assert.deepEqual(up.file, {
				...{ id: up.id, name: "notes.bin", size: 5000, type: "application/octet-stream" },
				...{ width: 3, height: 4, duration: 1.5, thumbnail: null },
			});
			assert.deepEqual([up.state, up.channel, up.client_id, up.multipart], ["pending", c, w.client_id, null]);
			assert.ok(new Date(up.put.expires_at) > new Date());
			const again = ok(await alice.post("/api/v1/uploads", w));
			assert.deepEqual([again.id, again.put.method], [up.id, "PUT"]);
			problem(await alice.post("/api/v1/uploads", { ...w, size: 4999 }), 409, "client_id_reused", "client_id");
			problem(await complete(alice, up), 422, "upload_missing");
			assert.equal(ok(await alice.get(path(up))).state, "pending");

			assert.equal((await putTo(again.put, bytes)).status, 200);
			assert.equal((await putTo(up.put, bytes)).status, 412, "an address is good for one object");
			const done = ok(await completed(alice, up));
			assert.deepEqual([done.state, done.put, done.file.size], ["ready", null, 5000]);
			assert.deepEqual(ok(await complete(alice, up)), done, "completing again");
			assert.equal(ok(await alice.post("/api/v1/uploads", w)).state, "ready", "beginning again");

			problem(await site.bob.get(path(up)), 404, "not_found");
			problem(await complete(site.bob, up), 404, "not_found");
			assert.equal((await site.bob.delete(path(up))).status, 204);
			assert.equal(ok(await alice.get(path(up))).state, "ready", "nobody else aborts it");
			const sent = ok(await sendFiles(alice, c, [done.file]), 201);
			assert.deepEqual(sent.body, { text: "", files: [done.file] });
			assert.equal(ok(await alice.get(path(up))).state, "attached");
			assert.equal((await alice.delete(path(up))).status, 204);
			assert.equal(ok(await alice.get(path(up))).state, "attached", "what is in a message is not aborted");
			assert.deepEqual((await fetched(alice, up.id)).got.bytes, bytes);
		});

		test("FI-1 types as browsers send them: the answer names the headers, and they work", async () => {
			const { alice } = site;
			const c = await channel();
			for (const [type, kept, bytes] of [
				["", "application/octet-stream", randomBytes(10)],
				["image/jpg", "image/jpeg", Buffer.from("ffd8ffe000104a46494600010100000100010000ffdb0043", "hex")],
				["text/plain;charset=utf-8", "text/plain", Buffer.from("hällo")],
				["TEXT/Plain ; charset=x", "text/plain", Buffer.from("x")],
				["application/x-strange.thing", "application/x-strange.thing", randomBytes(20)],
				["text/plain", "text/plain", Buffer.alloc(0)],
				["image/svg+xml", "image/svg+xml", Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>")],
			]) {
				const up = await begin(alice, c, bytes, { type, name: "x" });
				assert.equal(up.put.headers["content-type"], kept, type);
				assert.ok(up.put.headers["x-amz-checksum-sha256"] && up.put.headers["if-none-match"] === "*");
				const r = await putTo(up.put, bytes);
				assert.equal(r.status, 200, `${type}: ${r.text}`);
				const done = ok(await completed(alice, up));
				assert.deepEqual([done.state, done.file.type, done.file.size], ["ready", kept, bytes.length]);
			}
			for (const type of ["image", "image/", "/png", "a b/c", "image/png\u0000", "x/" + "y".repeat(130)])
				problem(await alice.post("/api/v1/uploads", wish(c, GIF, { type })), 400, "bad_field");
		});

		test("FI-1 what is not as it was declared is refused by the signature", async () => {
			const { alice } = site;
			const c = await channel(), bytes = Buffer.from("x".repeat(1000));
			const up = await begin(alice, c, bytes, { type: "text/plain" });
			for (const [what, body, headers] of [
				["another type", bytes, { "content-type": "text/html" }],
				["50 times as much", Buffer.alloc(50000), {}],
				["less", bytes.subarray(1), {}],
				["another checksum", bytes, { "x-amz-checksum-sha256": Buffer.from(sha256("y"), "hex").toString("base64") }],
				["no condition", bytes, { "if-none-match": null }],
			]) {
				const r = await putTo(up.put, body, { headers }).catch((e) => ({ status: e.code }));
				assert.ok([400, 403, "EPIPE", "ECONNRESET"].includes(r.status), `${what}: ${r.status} ${r.text}`);
			}
			problem(await complete(alice, up), 422, "upload_missing");
			assert.equal((await putTo(up.put, bytes)).status, 200, "and the true one still goes");
			assert.equal(ok(await completed(alice, up)).state, "ready");
		});

		test("other bytes of the same length never get into a message", async () => {
			const { alice } = site;
			const c = await channel(), bytes = randomBytes(1000);
			const up = await begin(alice, c, bytes);
			const put = await putTo(up.put, randomBytes(1000));
			if (kind === "local") {
				assert.equal(put.status, 400, put.text);
				problem(await complete(alice, up), 422, "upload_missing");
				return;
			}
			assert.equal(put.status, 200, "this store does not look");
			problem(await completed(alice, up), 422, "upload_differs", "sha256");
			problem(await complete(alice, up), 422, "upload_differs", "sha256");
			problem(await sendFiles(alice, c, [up.id]), 422, "not_attachable", "body.files");
			await until(async () => !(await stored(site, up.id)), { what: "it is deleted" });
		});

		test("FI-3 what is no picture is refused where it says so", async () => {
			const { alice } = site;
			const c = await channel();
			const html = Buffer.from("<!doctype html><html><script>alert(1)</script></html>");
			const svg = Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
			for (const [type, bytes] of [
				["image/png", html],
				["image/jpeg", svg],
				["image/gif", Buffer.from("GIF is what I am not")],
				["image/png", Buffer.alloc(0)],
				["video/mp4", html],
				["audio/mpeg", html],
				["image/tiff", html],
				["audio/x-mpegurl", svg],
			]) {
				const up = await begin(alice, c, bytes, { type, name: "a.png" });
				assert.equal((await putTo(up.put, bytes)).status, 200);
				problem(await completed(alice, up), 422, "upload_differs", "type");
				problem(await sendFiles(alice, c, [up.id]), 422, "not_attachable");
			}
			const gif = await uploaded(alice, c, GIF, { type: "image/png", name: "a.png" });
			assert.equal(gif.file.type, "image/gif", "a picture by another name is what it is");
			for (const [type, bytes] of [
				["image/png", png()],
				["audio/wav", Buffer.from("524946462400000057415645666d7420100000000100010044ac000088580100020010006461746100000000", "hex")],
				["audio/mpeg", Buffer.concat([Buffer.from("ID3\x03\0\0\0\0\0\x0a", "latin1"), Buffer.alloc(40)])],
				["audio/mp4", Buffer.concat([Buffer.from("\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0", "latin1")])],
				["video/webm", Buffer.from("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104", "hex")],
			])
				assert.equal((await uploaded(alice, c, bytes, { type })).file.type, type);
		});

		test("an address that has expired is refused, and a fresh one is to be had", async () => {
			const { alice, stack } = site;
			const c = await channel(), bytes = randomBytes(100);
			const up = await begin(alice, c, bytes);
			const old = new URL(up.put.url);
			assert.equal(old.searchParams.get("X-Amz-Expires"), "30");
			await stack.psql(`UPDATE files SET put_until = now() - interval '1 hour' WHERE id = ${up.id}`);
			old.searchParams.set("X-Amz-Expires", "3000"); // a longer life is not to be had by hand
			assert.equal((await putTo({ ...up.put, url: old.href }, bytes)).status, 403);
			const fresh = ok(await alice.get(path(up)));
			assert.equal(await stack.psql(`SELECT put_until > now() FROM files WHERE id = ${up.id}`), "t", "it is known that there is one");
			assert.equal((await putTo(fresh.put, bytes)).status, 200);
			assert.equal(ok(await completed(alice, up)).state, "ready");
		});

		test("an upload that is cut in the middle leaves nothing, and is sent again", async () => {
			const { alice } = site;
			const c = await channel(), bytes = randomBytes(2_000_000);
			const up = await begin(alice, c, bytes);
			const u = new URL(up.put.url);
			await new Promise((done) => {
				const socket = connect(Number(u.port), u.hostname);
				const headers = { ...up.put.headers, host: u.host, "content-length": bytes.length };
				const head = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`);
				socket.on("error", () => {});
				socket.on("close", done);
				socket.write(`PUT ${u.pathname}${u.search} HTTP/1.1\r\n${head.join("")}\r\n`);
				socket.write(bytes.subarray(0, 1_000_000), () => socket.destroy());
			});
			problem(await complete(alice, up), 422, "upload_missing");
			await until(async () => (await putTo(ok(await alice.get(path(up))).put, bytes)).status === 200, { what: "it can be sent again" });
			assert.equal(ok(await completed(alice, up)).state, "ready");
			assert.deepEqual((await fetched(alice, up.id)).got.bytes, bytes);
		});

		test("what is asked for is checked", async () => {
			const { alice, bob } = site;
			const c = await channel(), good = wish(c, GIF, { type: "image/gif" });
			for (const [field, change] of [
				["client_id", { client_id: "x" }],
				["channel", { channel: 0 }],
				["name", { name: "" }],
				["size", { size: -1 }],
				["size", { size: 1.5 }],
				["sha256", { sha256: undefined }],
				["sha256", { sha256: "zz" }],
				["type", { type: 5 }],
				["width", { width: 0 }],
				["height", { height: "1" }],
				["duration", { duration: -1 }],
				["duration", { duration: "1" }],
				["thumbnail_of", { thumbnail_of: 1 << 30 }],
				["extra", { extra: 1 }],
			])
				problem(await alice.post("/api/v1/uploads", { ...good, ...change }), 400, "bad_field", field);
			problem(await alice.post("/api/v1/uploads", { ...good, size: 100 * 2 ** 20 + 1 }), 413, "too_large", "size");
			problem(await bob.post("/api/v1/uploads", good), 403, "not_a_member");
			problem(await alice.post("/api/v1/uploads", { ...good, channel: 2 ** 40 }), 404, "not_found");
			problem(await alice.get("/api/v1/uploads/99999999"), 404, "not_found");
			const without = await bot(site.stack, "alice", ["read", "write"]);
			problem(await without.post("/api/v1/uploads", good), 403, "insufficient_scope");
			problem(await without.delete("/api/v1/uploads/1"), 403, "insufficient_scope");
		});

		test("an abort takes it all away, and again is harmless", async () => {
			const { alice } = site;
			const c = await channel();
			const up = await uploaded(alice, c, randomBytes(100));
			assert.equal(await stored(site, up.id), true);
			assert.equal((await alice.delete(path(up))).status, 204);
			assert.equal((await alice.delete(path(up))).status, 204);
			problem(await complete(alice, up), 404, "not_found");
			problem(await sendFiles(alice, c, [up.id]), 422, "not_attachable");
			await until(async () => !(await stored(site, up.id)), { what: "the object is gone" });
		});

		test("in parts: each with its checksum, its address anew at will, resumed", async () => {
			const { alice } = site;
			const c = await channel(), bytes = randomBytes(12 * 2 ** 20), size = 5 * 2 ** 20;
			const parts = [0, 1, 2].map((i) => bytes.subarray(i * size, (i + 1) * size));
			const up = await begin(alice, c, bytes, { name: "big.bin", sha256: undefined });
			assert.deepEqual([up.put, up.multipart], [null, { part_size: size, parts: 3, have: [] }]);
			const ask = (...numbers) =>
				alice.post(path(up, "/parts"), { parts: numbers.map((number) => ({ number, sha256: sha256(parts[number - 1]) })) });
			for (const number of [0, 4])
				problem(await alice.post(path(up, "/parts"), { parts: [{ number, sha256: sha256("") }] }), 400, "bad_field", "parts.number");
			problem(await alice.post(path(up, "/parts"), { parts: [] }), 400, "bad_field", "parts");
			problem(await complete(alice, up), 422, "upload_missing");

			const given = ok(await ask(3, 1)).parts;
			assert.deepEqual(given.map((p) => [p.number, p.method]), [[3, "PUT"], [1, "PUT"]]);
			assert.ok([400, 403].includes((await putTo(given[1], parts[1].subarray(1))).status), "another length");
			for (const p of given) assert.equal((await putTo(p, parts[p.number - 1])).status, 200);
			assert.deepEqual(ok(await alice.get(path(up))).multipart.have, [{ number: 1, size }, { number: 3, size: bytes.length - 2 * size }]);
			problem(await complete(alice, up), 422, "upload_missing");
			const [again] = ok(await ask(2)).parts, [anew] = ok(await ask(2)).parts;
			assert.equal((await putTo(again, parts[1])).status, 200);
			assert.equal((await putTo(anew, parts[1])).status, 200, "a part again is harmless");
			const done = ok(await completed(alice, up));
			assert.deepEqual([done.state, done.multipart, done.file.size], ["ready", null, bytes.length]);
			assert.equal(ok(await complete(alice, up)).state, "ready");
			assert.equal(sha256((await fetched(alice, up.id)).got.bytes), sha256(bytes));
			problem(await ask(1), 422, "unprocessable");
		});

		test("a part with other bytes than declared never gets into a message", async () => {
			const { alice } = site;
			const c = await channel(), bytes = randomBytes(7 * 2 ** 20), size = 5 * 2 ** 20;
			const parts = [bytes.subarray(0, size), bytes.subarray(size)];
			const up = await begin(alice, c, bytes, { sha256: undefined });
			const given = ok(await alice.post(path(up, "/parts"), { parts: parts.map((p, i) => ({ number: i + 1, sha256: sha256(p) })) })).parts;
			assert.equal((await putTo(given[0], parts[0])).status, 200);
			const put = await putTo(given[1], randomBytes(parts[1].length));
			if (kind === "local") {
				assert.equal(put.status, 400);
				problem(await complete(alice, up), 422, "upload_missing");
			} else problem(await completed(alice, up), 422, "upload_differs", "sha256");
			assert.equal((await alice.delete(path(up))).status, 204);
		});

		test("two ask for one client_id at once: there is one upload", async () => {
			const { alice } = site;
			const c = await channel(), bytes = randomBytes(7 * 2 ** 20), w = wish(c, bytes, { sha256: undefined });
			const all = await Promise.all(Array.from({ length: 8 }, () => alice.post("/api/v1/uploads", w)));
			assert.equal(new Set(all.map((r) => r.json.id)).size, 1);
			assert.equal(all.filter((r) => r.status === 201).length, 1);
			assert.ok(all.every((r) => r.json.multipart.parts === 2));
		});

		test("many complete it at once: one looks, all hear of it", async () => {
			const { alice, stack } = site;
			const c = await channel(), bytes = randomBytes(3_000_000);
			const up = await begin(alice, c, bytes);
			await putTo(up.put, bytes);
			const all = await Promise.all(Array.from({ length: 8 }, () => completed(alice, up)));
			assert.deepEqual([...new Set(all.map((r) => r.json.state))], ["ready"]);
			assert.equal(await stack.psql(`SELECT checks FROM files WHERE id = ${up.id}`), "1");
		});

		test("a process that is killed while it checks: the next one takes over", async () => {
			const { alice, stack, gw } = site;
			const c = await channel(), bytes = randomBytes(1000);
			const up = await begin(alice, c, bytes);
			await putTo(up.put, bytes);
			const store = gw?.procs.find((p) => p.name === "radosgw").pid ?? stack.pids.files1;
			process.kill(store, "SIGSTOP"); // the check waits for it
			try {
				const waits = await complete(alice, up);
				assert.deepEqual([waits.status, waits.json.state], [202, "checking"]);
				assert.equal((await complete(alice, up)).status, 202, "once more");
				for (const name of ["api1", "api2"]) {
					await stack.kill(name, "SIGKILL");
					stack.forgive(name);
				}
			} finally {
				process.kill(store, "SIGCONT");
			}
			await Promise.all(["api1", "api2"].map((name) => stack.up(name)));
			const still = await until(async () => ((await alice.get(path(up))).ok ? complete(alice, up) : undefined), { what: "it is back" });
			assert.deepEqual([still.status, still.json.state], [202, "checking"], "its lease holds");
			await stack.psql(`UPDATE files SET check_until = now() WHERE id = ${up.id}`);
			assert.equal(ok(await completed(alice, up)).state, "ready");
			assert.equal(await stack.psql(`SELECT checks FROM files WHERE id = ${up.id}`), "2");
			ok(await sendFiles(alice, c, [up.id]), 201);
		});
	});
