// Downloads: who may have a file, under which name and as what; against each store.

import { test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { makeChannel, ok, problem } from "../api/help.mjs";
import { exchange } from "../support/http.mjs";
import { GIF, STORES, begin, eachStore, fetched, keyOf, png, putTo, sendFiles, uploaded } from "./uploads.mjs";

/** The name that a browser makes of the header (RFC 6266: filename* wins). */
function nameOf(header) {
	const star = /filename\*=UTF-8''([^;]+)/.exec(header)?.[1], plain = /filename="((?:\\.|[^"\\])*)"|filename=([^;"\s]+)/.exec(header);
	return star ? decodeURIComponent(star) : plain[1] === undefined ? plain[2] : plain[1].replace(/\\(.)/g, "$1");
}

for (const kind of STORES)
	eachStore(kind, { conf: { download_expires: "300s" } }, (site) => {
		const room = async () => {
			const { id } = await makeChannel(site.alice, { kind: "private" });
			ok(await site.alice.post(`/api/v1/channels/${id}/members`, { user: (await site.bob.get("/api/v1/me")).json.user.id }), 201);
			return id;
		};

		test("members of the channel have it, its uploader before it is sent, and nobody else", async () => {
			const { alice, bob, carol } = site;
			const c = await room(), bytes = randomBytes(3000);
			const pending = await begin(alice, c, bytes);
			problem(await alice.get(`/api/v1/files/${pending.id}`), 404, "not_found");
			await putTo(pending.put, bytes);
			problem(await alice.get(`/api/v1/files/${pending.id}`), 404, "not_found");
			const up = await uploaded(alice, c, bytes);
			assert.deepEqual((await fetched(alice, up.id)).got.bytes, bytes);
			problem(await bob.get(`/api/v1/files/${up.id}`), 404, "not_found");
			ok(await sendFiles(alice, c, [up]), 201);
			assert.deepEqual((await fetched(bob, up.id)).got.bytes, bytes);
			problem(await carol.get(`/api/v1/files/${up.id}`), 404, "not_found");
			problem(await carol.get("/api/v1/files/99999999"), 404, "not_found");
			ok(await bob.post(`/api/v1/channels/${c}/leave`), 204);
			problem(await bob.get(`/api/v1/files/${up.id}`), 404, "not_found");
			assert.equal((await exchange(`${site.stack.url}/api/v1/files/${up.id}`)).status, 401);
		});

		test("the redirect may be kept for less than its address lasts", async () => {
			const { alice } = site;
			const up = await uploaded(alice, await room(), GIF, { type: "image/gif" });
			const { to } = await fetched(alice, up.id);
			const [, age] = /^private, max-age=(\d+)$/.exec(to.headers["cache-control"]);
			const lasts = Number(new URL(to.headers.location).searchParams.get("X-Amz-Expires"));
			assert.ok(age > 0 && age < lasts, `${age} of ${lasts} s`);
			assert.notEqual(new URL(to.headers.location).origin, site.stack.url, "not from the site's own origin");
			problem(await alice.get(`/api/v1/files/${up.id}?download=2`), 400, "bad_field", "download");
		});

		test("FI-2 names: the object's is ours, the download's is the file's own, and shows its extension", async () => {
			const { alice } = site;
			const c = await room();
			for (const [name, clean = name] of [
				["1976–2016.md"],
				['a,b;c"d.pdf'],
				["x + y%20z.pdf"],
				["日本😬.pdf"],
				["report\u202etxt.exe", "reporttxt.exe"],
				["a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"],
				["../../x", "x"],
				["...", "file"],
				["e\u0301té.txt"],
			]) {
				const up = await uploaded(alice, c, Buffer.from("x"), { name, type: "text/plain" });
				assert.equal(up.file.name, clean, JSON.stringify(name));
				assert.match(await keyOf(site, up.id), /^files\/[a-z2-7]{2}\/[a-z2-7]{26}$/);
				const { got } = await fetched(alice, up.id);
				assert.equal(got.status, 200, got.text);
				const header = got.headers["content-disposition"];
				assert.match(header, /^attachment; filename=/);
				assert.equal(nameOf(header), clean, header);
				assert.match(header, /^[\x20-\x7e]*$/, "ASCII alone");
			}
			const long = await uploaded(alice, c, Buffer.from("x"), { name: `${"ü".repeat(150)}.tar.gz` });
			assert.ok(Buffer.byteLength(long.file.name) <= 255 && /ü\.(tar\.)?gz$/.test(long.file.name), long.file.name);
		});

		test("FI-3 only pictures, sound and film are shown in place; nothing that a browser could run", async () => {
			const { alice } = site;
			const c = await room();
			const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
			const octets = "application/octet-stream";
			for (const [type, bytes, how, served] of [
				["image/png", png(), "inline", "image/png"],
				["image/svg+xml", svg, "attachment", octets],
				["text/html", Buffer.from("<!doctype html><script>alert(1)</script>"), "attachment", octets],
				["application/xhtml+xml", Buffer.from("<html xmlns='http://www.w3.org/1999/xhtml'/>"), "attachment", octets],
				["text/xml", Buffer.from("<a/>"), "attachment", octets],
				["application/pdf", Buffer.from("%PDF-1.4\n"), "attachment", octets],
				["text/javascript", Buffer.from("alert(1)"), "attachment", octets],
			]) {
				const up = await uploaded(alice, c, bytes, { type, name: "x.bin" });
				for (const query of ["", "?download=1"]) {
					const { got } = await fetched(alice, up.id, query);
					assert.equal(got.status, 200);
					const told = got.headers["content-disposition"];
					assert.ok(told.startsWith(query ? "attachment" : how), `${type}${query}: ${told}`);
					assert.equal(got.headers["content-type"], served, type);
					if (kind === "local") {
						assert.equal(got.headers["x-content-type-options"], "nosniff");
						assert.match(got.headers["content-security-policy"], /sandbox/);
					}
				}
			}
		});

		test("ranges, so that film can be sought in", async () => {
			const { alice } = site;
			const bytes = randomBytes(100000), up = await uploaded(alice, await room(), bytes);
			const { got } = await fetched(alice, up.id, "", { range: "bytes=500-999" });
			assert.deepEqual([got.status, got.headers["content-range"]], [206, "bytes 500-999/100000"]);
			assert.deepEqual(got.bytes, bytes.subarray(500, 1000));
		});
	});
