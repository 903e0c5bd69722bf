// 2 GB in parts: whole, and pulsechat-api's memory as flat as before, also where it reads and hashes all of it. GB: how many (2).

import { test } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { makeChannel, ok } from "../../api/help.mjs";
import { STORES, begin, completed, eachStore, path, putTo, sendFiles, sha256 } from "../uploads.mjs";

const GB = Number(process.env.GB ?? 2);
const MEMORY_MAX_KB = 64 * 1024;

/** The most memory that a process has had, in kB. */
const peak = (pid) => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

/** The checksum and length of what comes from there, which is kept nowhere. */
const summed = (url) =>
	new Promise((done, no) => {
		const hash = createHash("sha256");
		let n = 0;
		request(url, (res) => {
			res.on("data", (d) => hash.update(d) && (n += d.length));
			res.on("end", () => done({ status: res.statusCode, n, sum: hash.digest("hex") }));
		})
			.on("error", no)
			.end();
	});

for (const kind of STORES)
	eachStore(kind, { variant: "plain" }, (site) => {
		test(`${GB} GB`, async () => {
			const { alice, stack } = site;
			const c = (await makeChannel(alice)).id, size = GB * 2 ** 30 - 12345;
			const up = ok(
				await alice.post("/api/v1/uploads", { client_id: randomUUID(), channel: c, name: "film.bin", type: "", size }),
				201,
			);
			const { part_size, parts } = up.multipart;
			assert.equal(parts, Math.ceil(size / part_size));
			const bytes = randomBytes(part_size), whole = createHash("sha256");
			for (let number = 1; number <= parts; number++) {
				const part = bytes.subarray(0, Math.min(part_size, size - (number - 1) * part_size));
				part.writeUInt32BE(number);
				whole.update(part);
				const [put] = ok(await alice.post(path(up, "/parts"), { parts: [{ number, sha256: sha256(part) }] })).parts;
				assert.equal((await putTo(put, part, { timeout: 300000 })).status, 200); // a busy disk
			}
			const done = ok(await completed(alice, up, 300000));
			assert.deepEqual([done.state, done.file.size], ["ready", size]);
			ok(await sendFiles(alice, c, [up]), 201);
			const to = await alice.get(`/api/v1/files/${up.id}`);
			assert.deepEqual(await summed(to.headers.location), { status: 200, n: size, sum: whole.digest("hex") });
			for (const name of ["api1", ...(kind === "local" ? ["files1"] : [])]) {
				const kb = peak(stack.pids[name]);
				console.log(`# ${kind}: ${name} had ${(kb / 1024).toFixed(1)} MiB at most`);
				assert.ok(kb < MEMORY_MAX_KB, `${name} had ${kb} kB`);
			}
			await begin(alice, c, Buffer.from("x")); // and it goes on
		});
	});
