// cases: what lib/store and a store do together, one table for every store: radosgw and the local one.
//
//   storeCases("radosgw", async () => ({ conf, stop }), { verifies: false });
// conf: what [files] says. verifies: whether the store holds a body against its checksum. unchunked: a web server in front takes a body of
// unknown length whole and passes it on with its length.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { base64, bytes, openStore, send, sha256, upload } from "./store.mjs";
import { sleep } from "../support/until.mjs";

const MIB = 1 << 20;

export function storeCases(name, start, { verifies, unchunked = false, skip = "" }) {
	let site, store;
	const it = (what, f) => test(`${name}: ${what}`, { skip: skip || false }, f);
	before(async () => {
		if (skip) return;
		site = await start();
		store = await openStore(site.conf);
	});
	after(async () => {
		await store?.stop();
		await site?.stop();
	});
	/** Stores with other settings for one test. */
	const withStore = async (conf, f) => {
		const other = await openStore({ ...site.conf, ...conf });
		try {
			return await f(other);
		} finally {
			await other.stop();
		}
	};
	const refused = (answer, status, code) => {
		assert.ok([status].flat().includes(answer.status), `${answer.status} ${answer.text}`);
		if (code && answer.code !== undefined) assert.ok([code].flat().includes(answer.code), answer.text);
	};
	const absent = (key) => assert.rejects(store.head({ key }), { code: "upload_missing" });
	const put = async (body, more = {}) => {
		const key = await store.key();
		return { key, put: await store.put({ key, type: "image/png", size: body.length, sha256: sha256(body), ...more }) };
	};

	it("an object goes up, is looked at, read and deleted", async () => {
		for (const n of [0, 1, 70000]) {
			const body = bytes(n);
			const key = await upload(store, body, { type: "image/png" });
			assert.match(key, /^files\/([a-z2-7]{2})\/\1[a-z2-7]{24}$/);
			const head = await store.head({ key });
			assert.equal(head.size, n);
			assert.equal(head.type, "image/png");
			if (verifies) assert.equal(head.sha256, sha256(body));
			else assert.ok(["", sha256(body)].includes(head.sha256));
			assert.deepEqual(await store.read({ key }), { size: n, sha256: sha256(body) });
			await store.delete({ key });
			await store.delete({ key });
			await absent(key);
			await assert.rejects(store.read({ key }), { code: "upload_missing" });
		}
	});

	it("what is read may be a piece, or be left in the middle", async () => {
		const body = bytes(300000);
		const key = await upload(store, body);
		const piece = (from, to) => ({ size: to - from, sha256: sha256(body.subarray(from, to)) });
		assert.deepEqual(await store.read({ key, n: 2048 }), piece(0, 2048));
		assert.deepEqual(await store.read({ key, offset: 1000, n: 5000 }), piece(1000, 6000));
		assert.deepEqual(await store.read({ key, offset: 299000 }), piece(299000, 300000));
		assert.deepEqual(await store.read({ key, n: 1 << 20 }), piece(0, 300000));
		assert.ok((await store.read({ key, stop: 1 })).size < 300000);
		const empty = await upload(store, Buffer.alloc(0));
		assert.equal((await store.read({ key: empty, n: 2048 })).size, 0);
	});

	it("FI-1 size, type and checksum are part of the signature", async () => {
		const body = bytes(1000);
		const bends = {
			"a longer body": [bytes(1001)],
			"a shorter body": [bytes(999)],
			"another type": [body, { headers: { "content-type": "text/html" } }],
			"no type": [body, { headers: { "content-type": null } }],
			"another checksum": [body, { headers: { "x-amz-checksum-sha256": base64(sha256("x")) } }],
			"no checksum": [body, { headers: { "x-amz-checksum-sha256": null } }],
			"no if-none-match": [body, { headers: { "if-none-match": null } }],
			"another method": [body, { method: "POST" }],
		};
		for (const [what, [data, bend]] of Object.entries(bends)) {
			const { key, put: how } = await put(body);
			const answer = await send(how, data, bend);
			assert.ok([400, 403, 405, 411, 412].includes(answer.status), `${what}: ${answer.status} ${answer.text}`);
			await absent(key);
		}
		const { key, put: how } = await put(body);
		const chunked = await send(how, body, { chunked: true });
		if (unchunked) return assert.equal(chunked.status, 200); // its length is known by then
		refused(chunked, [403, 411]);
		await absent(key);
	});

	it("FI-1 an address is good for its object and method alone", async () => {
		const body = bytes(10);
		const { key, put: how } = await put(body);
		const other = await store.key();
		refused(await send({ ...how, url: how.url.replace(key, other) }, body), 403, "SignatureDoesNotMatch");
		refused(await send({ ...how, url: `${how.url}&x=1` }, body), 403, "SignatureDoesNotMatch");
		refused(await send({ ...how, url: how.url.replace(/.$/, (c) => (c === "0" ? "1" : "0")) }, body), 403, "SignatureDoesNotMatch");
		refused(await send({ ...how, url: how.url.split("?")[0] }, body), 403);
		await absent(key);
		await absent(other);
		assert.equal((await send(how, body)).status, 200);
		refused(await send({ method: "DELETE", url: how.url }), 403);
		refused(await send({ method: "GET", url: how.url }), 403);
		const { url } = await store.get({ key, name: "a.png", type: "image/png" });
		refused(await send({ method: "HEAD", url }), 403);
		refused(await send({ method: "DELETE", url }), 403);
		assert.equal((await store.head({ key })).size, 10);
	});

	it("FI-1 an address runs out", async () => {
		const body = bytes(10);
		await withStore({ upload_expires: "1s", download_expires: "1s" }, async (brief) => {
			const key = await brief.key();
			const how = await brief.put({ key, type: "image/png", size: 10, sha256: sha256(body) });
			const kept = await upload(brief, body);
			const get = await brief.get({ key: kept, name: "a", type: "image/png" });
			assert.equal(get.lasts, 1);
			assert.ok(Math.abs(new Date(how.expires_at) - Date.now()) < 5000);
			await sleep(2500); // its subject is time
			refused(await send(how, body), 403, ["AccessDenied", "RequestExpired", "ExpiredToken"]);
			refused(await send({ method: "GET", url: get.url }), 403);
			await absent(key);
		});
	});

	it("a second PUT changes nothing: 412", async () => {
		const body = bytes(100), other = bytes(100);
		const { key, put: how } = await put(body);
		assert.equal((await send(how, body)).status, 200);
		refused(await send(how, body), 412, "PreconditionFailed");
		refused(await send(how, other), [412, 400]);
		assert.equal((await store.read({ key })).sha256, sha256(body));
	});

	it(`a body that its checksum does not fit is ${verifies ? "refused" : "kept: this store does not look"}`, async () => {
		const { key, put: how } = await put(bytes(100));
		const wrong = bytes(100);
		const answer = await send(how, wrong);
		if (!verifies) {
			assert.equal(answer.status, 200);
			assert.equal((await store.read({ key })).sha256, sha256(wrong));
			return;
		}
		refused(answer, 400, ["BadDigest", "XAmzContentChecksumMismatch"]);
		await absent(key);
	});

	it("a connection that is cut leaves no object", async () => {
		const body = bytes(500000);
		const { key, put: how } = await put(body);
		await assert.rejects(send(how, body, { cut: 250000, headers: { "content-length": body.length } }));
		await absent(key);
		assert.equal((await send(how, body)).status, 200);
		assert.equal((await store.head({ key })).size, body.length);
	});

	it("FI-2 FI-3 an object comes down under its name, shown or as an attachment", async () => {
		const body = bytes(5000);
		const key = await upload(store, body, { type: "image/png" });
		const names = ["1976–2016.md", 'a,b;c"d.pdf', "x + y%20z.pdf", "日本😬.pdf", "exe\u202efdp.exe"];
		names.push("a\r\nb: c.txt", "../../x", "n".repeat(300));
		for (const file of names) {
			const { url } = await store.get({ key, name: file, type: "application/octet-stream" });
			const r = await send({ method: "GET", url });
			assert.equal(r.status, 200, r.text);
			assert.match(r.headers["content-disposition"], /^attachment; filename="[^"]*"(; filename\*=UTF-8''[A-Za-z0-9.%_~-]+)?$/);
			assert.equal(r.headers["content-type"], "application/octet-stream");
			assert.ok(r.body.equals(body));
		}
		const { url } = await store.get({ key, name: "a b.png", type: "image/png", show: true });
		const r = await send({ method: "GET", url });
		assert.equal(r.headers["content-disposition"], 'inline; filename="a b.png"');
		assert.equal(r.headers["content-type"], "image/png");
		const part = await send({ method: "GET", url }, "", { headers: { range: "bytes=1000-1999" } });
		assert.equal(part.status, 206);
		assert.equal(part.headers["content-range"], "bytes 1000-1999/5000");
		assert.ok(part.body.equals(body.subarray(1000, 2000)));
		// asked for as something else than it was signed for
		refused(await send({ method: "GET", url: url.replace("image%2Fpng", "text%2Fhtml") }), 403);
		refused(await send({ method: "GET", url: url.replace("inline", "attachment") }), 403);
	});

	it("an upload in parts, resumed, twice completed", async () => {
		const body = bytes(11 * MIB + 7);
		const pieces = [body.subarray(0, 5 * MIB), body.subarray(5 * MIB, 10 * MIB), body.subarray(10 * MIB)];
		const key = await store.key();
		const { upload_id } = await store.begin({ key, type: "video/mp4" });
		assert.deepEqual(await store.parts({ key, upload_id }), []);
		const part = (number) => store.put({ key, upload_id, number, size: pieces[number - 1].length, sha256: sha256(pieces[number - 1]) });
		for (const number of [3, 1]) assert.equal((await send(await part(number), pieces[number - 1])).status, 200);
		let there = await store.parts({ key, upload_id });
		assert.deepEqual(
			there.map((p) => [p.number, p.size]),
			[
				[1, 5 * MIB],
				[3, MIB + 7],
			],
		);
		const small = await store.put({ key, upload_id, number: 4, size: 100, sha256: sha256("x") });
		refused(await send(small, bytes(99)), 403); // its size is signed too
		refused(await send({ ...small, url: small.url.replace("partNumber=4", "partNumber=5") }, bytes(100)), 403);
		assert.equal((await send(await part(2), pieces[1])).status, 200);
		assert.equal((await send(await part(2), pieces[1])).status, 200); // a part again is harmless
		there = await store.parts({ key, upload_id });
		assert.deepEqual(
			there.map((p) => p.number),
			[1, 2, 3],
		);
		await absent(key);
		assert.equal(await store.complete({ key, upload_id, parts: there }), true);
		assert.equal(await store.complete({ key, upload_id, parts: there }), true);
		const head = await store.head({ key });
		assert.deepEqual([head.size, head.type], [body.length, "video/mp4"]);
		assert.equal((await store.read({ key })).sha256, sha256(body));
		await store.delete({ key });
	});

	it("an upload in parts that ends otherwise", async () => {
		const key = await store.key(), body = bytes(100);
		const { upload_id } = await store.begin({ key, type: "video/mp4" });
		const how = await store.put({ key, upload_id, number: 1, size: 100, sha256: sha256(body) });
		assert.equal((await send(how, body)).status, 200);
		const [one] = await store.parts({ key, upload_id });
		const wrong = { number: 2, etag: '"00000000000000000000000000000000"' };
		await assert.rejects(store.complete({ key, upload_id, parts: [one, wrong] }), { code: "upload_missing" });
		await assert.rejects(store.complete({ key, upload_id, parts: [] }), { code: "upload_missing" });
		await store.abort({ key, upload_id });
		await store.abort({ key, upload_id });
		await assert.rejects(store.parts({ key, upload_id }), { code: "upload_missing" });
		await assert.rejects(store.complete({ key, upload_id, parts: [one] }), { code: "upload_missing" });
		refused(await send(how, body), 404, "NoSuchUpload");
		await absent(key);
	});

	it("a foreign secret, an unknown key", async () => {
		const key = await upload(store, bytes(1));
		await withStore({ secret_key: "not-the-secret-of-this-store" }, async (other) => {
			await assert.rejects(other.head({ key }), { code: "store_unavailable" });
			await assert.rejects(other.delete({ key }), { code: "store_unavailable" });
			await assert.rejects(other.read({ key }), { code: "store_unavailable" });
			await assert.rejects(other.begin({ key, type: "a/b" }), { code: "store_unavailable" });
			assert.match(other.log(), /store\.refused.*SignatureDoesNotMatch/);
			assert.ok(!other.log().includes("X-Amz-Signature"));
		});
		await withStore({ access_key: "NOBODY" }, async (other) => {
			await assert.rejects(other.read({ key }), { code: "store_unavailable" });
			assert.match(other.log(), /store\.refused.*InvalidAccessKeyId/);
		});
		assert.equal((await store.head({ key })).size, 1);
	});
}
