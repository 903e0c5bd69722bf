// faulty: how lib/store bears with a store that is not well: what it tries again, what it gives up, and that nothing of an answer is
// believed. The store here follows a script and looks at no signature: what holds of signatures is tried in radosgw.test.mjs.

import { after, before, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { freePort } from "../../conf/run/stack.mjs";
import { openStore } from "./store.mjs";

const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const error = (status, code) => ({ status, body: `${XML}<Error><Code>${code}</Code><Message>no</Message></Error>` });
const key = "files/ab/abcd", upload_id = "an id";
let server, store, script, asked;

before(async () => {
	server = createServer((q, r) => {
		const pieces = [];
		q.on("data", (d) => pieces.push(d));
		q.on("end", () => {
			asked.push({ method: q.method, url: q.url, headers: q.headers, body: Buffer.concat(pieces).toString() });
			const how = (script.length > 1 ? script.shift() : script[0]) ?? { status: 500 };
			if (how.drop) return r.destroy();
			r.writeHead(how.status, how.headers);
			r.write(how.body ?? "");
			if (how.cut) setTimeout(() => r.destroy(), 50);
			else r.end();
		});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	store = await openStore({ store: "s3", endpoint: `http://127.0.0.1:${server.address().port}`, access_key: "AK", secret_key: "sk" });
});
after(async () => {
	await store?.stop();
	server.closeAllConnections();
	await new Promise((ok) => server.close(ok));
});
beforeEach(() => {
	script = [];
	asked = [];
});

/** what with these answers of the store: a code, or a result; and how often it was asked. */
async function tried(answers, what, expected, times) {
	script = [...answers];
	asked = [];
	const got = await what().catch((e) => e.code ?? e);
	if (typeof expected === "string") assert.equal(got, expected);
	else assert.deepEqual(got, expected);
	assert.equal(asked.length, times, asked.map((a) => `${a.method} ${a.url.split("X-Amz")[0]}`).join("; "));
}
const head = () => store.head({ key });
const good = { status: 200, headers: { "content-length": "3", "content-type": "a/b" } };
const object = { size: 3, type: "a/b", sha256: "" };

test("what is harmless is tried three times", async () => {
	await tried([{ status: 500 }, { status: 502 }, { ...good }], head, object, 3);
	await tried([{ status: 500 }], head, "store_unavailable", 3);
	await tried([{ drop: true }, { ...good }], head, object, 2);
	await tried([{ drop: true }], head, "store_unavailable", 3);
	await tried([error(503, "SlowDown"), { status: 204 }], () => store.delete({ key }), true, 2);
	await tried([{ status: 500 }, { status: 204 }], () => store.abort({ key, upload_id }), true, 2);
	const [one, two] = asked;
	assert.match(one.url, /^\/pulsechat\/files\/ab\/abcd\?.*uploadId=an%20id/);
	assert.equal(one.method, "DELETE");
	assert.equal(two.url.split("?")[0], one.url.split("?")[0]);
});

test("what might be done twice is not, unless the store says that it did nothing", async () => {
	const begin = () => store.begin({ key, type: "a/b" });
	const begun = { status: 200, body: `${XML}<InitiateMultipartUploadResult><UploadId>u 1</UploadId></InitiateMultipartUploadResult>` };
	await tried([{ status: 500 }], begin, "store_unavailable", 1);
	await tried([{ drop: true }], begin, "store_unavailable", 1);
	await tried([error(503, "SlowDown"), begun], begin, { upload_id: "u 1" }, 2);
	assert.equal(asked[0].headers["x-amz-checksum-algorithm"], "SHA256");
	assert.equal(asked[0].headers["content-type"], "a/b");
});

test("what is not there, and what is refused, is not asked again", async () => {
	await tried([{ status: 404 }], head, "upload_missing", 1);
	await tried([{ status: 403 }], head, "store_unavailable", 1);
	await tried([error(404, "NoSuchBucket")], () => store.delete({ key }), "store_unavailable", 1);
	await tried([error(404, "NoSuchKey")], () => store.delete({ key }), true, 1);
	await tried([error(404, "NoSuchBucket")], () => store.read({ key }), "store_unavailable", 1);
});

test("a redirect is followed nowhere", async () => {
	for (const status of [301, 302, 307, 308])
		await tried([{ status, headers: { location: "http://127.0.0.1:1/" } }], () => store.read({ key }), "store_unavailable", 1);
});

test("a head without a size, or with one that is none", async () => {
	await tried([{ status: 200, headers: { "transfer-encoding": "chunked" } }], head, "store_unavailable", 1);
});

test("a reading that breaks off is an error, and does not begin anew", async () => {
	const cut = { status: 200, headers: { "content-length": "100000" }, body: "x".repeat(50000), cut: true };
	await tried([cut, { status: 200, body: "whole" }], () => store.read({ key }), "store_unavailable", 1);
	// nothing had come: again
	await tried([{ status: 503 }, { status: 200, body: "" }], async () => (await store.read({ key })).size, 0, 2);
});

test("parts: a list that does not end, is broken, or is not in order", async () => {
	const parts = () => store.parts({ key, upload_id });
	const list = (inner) => ({ status: 200, body: `${XML}<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListPartsResult>` });
	const part = (n, more = "") => `<Part><PartNumber>${n}</PartNumber><ETag>&quot;e${n}&quot;</ETag><Size>5</Size>${more}</Part>`;
	const more = (next) => `<IsTruncated>true</IsTruncated><NextPartNumberMarker>${next}</NextPartNumberMarker>`;
	const sum = "<ChecksumSHA256>n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=</ChecksumSHA256>";
	await tried(
		[list(more(2) + part(1) + part(2, sum)), list(part(7))],
		parts,
		[1, 2, 7].map((n) => ({ number: n, size: 5, etag: `"e${n}"`, sha256: n === 2 ? "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=" : "" })),
		2,
	);
	assert.match(asked[1].url, /part-number-marker=2/);
	await tried([list(more(2) + part(1)), list(more(2) + part(3))], parts, "store_unavailable", 2);
	await tried([list(more(0) + part(1))], parts, "store_unavailable", 1);
	let n = 0;
	script = new Proxy([], { get: (t, p) => (p === "length" ? 2 : p === "shift" ? () => list(more(++n) + part(n)) : t[p]) });
	asked = [];
	await assert.rejects(parts(), { code: "store_unavailable" });
	assert.equal(asked.length, 20); // pages, and no more
	const none = "<Part><PartNumber>1</PartNumber></Part>";
	for (const bad of [part(2) + part(1), part(1) + part(1), part(0), part(10001), part("x"), none, part(1, "<Size>-1</Size>")])
		await tried([list(bad)], parts, "store_unavailable", 1);
	for (const body of ["", "no xml", `${XML}<ListPartsResult>`, `<!DOCTYPE a [<!ENTITY b "c">]><ListPartsResult/>`])
		await tried([{ status: 200, body }], parts, "store_unavailable", 1);
	await tried([list(`<Owner>${"x".repeat(3 << 20)}</Owner>`)], parts, "store_unavailable", 3); // over what is read of an answer
	await tried([list("")], parts, [], 1);
});

test("begin: an id that is none", async () => {
	for (const id of ["", "x".repeat(1025)]) {
		const body = `${XML}<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
		await tried([{ status: 200, body }], () => store.begin({ key, type: "a/b" }), "store_unavailable", 1);
	}
});

test("complete: 200 is not yet well", async () => {
	const parts = [{ number: 1, etag: '"a&b"' }];
	const complete = () => store.complete({ key, upload_id, parts });
	const done = `${XML}<CompleteMultipartUploadResult><ETag>"x-1"</ETag></CompleteMultipartUploadResult>`;
	await tried([{ status: 200, body: done }], complete, true, 1);
	assert.match(asked[0].body, /<Part><PartNumber>1<\/PartNumber><ETag>&#34;a&#38;b&#34;<\/ETag><\/Part>/);
	await tried([{ status: 200, body: `${XML}\n  \n   ${done.slice(XML.length)}` }], complete, true, 1);
	await tried([{ ...error(200, "InternalError") }], complete, "store_unavailable", 1);
	await tried([{ ...error(200, "InvalidPart") }], complete, "upload_missing", 1);
	await tried([{ status: 200, body: "" }], complete, "store_unavailable", 1);
	await tried([error(400, "EntityTooSmall")], complete, "upload_missing", 1);
	// an earlier try got there: the object is looked at
	await tried([error(404, "NoSuchUpload"), good], complete, true, 2);
	await tried([error(404, "NoSuchUpload"), { status: 404 }], complete, "upload_missing", 2);
	await tried([{ drop: true }, error(404, "NoSuchUpload"), good], complete, true, 3);
	// it fails over an upload that is gone
	await tried([{ status: 500 }, { status: 500 }, { status: 500 }, error(404, "NoSuchUpload"), good], complete, true, 5);
	await tried([{ status: 500 }, { status: 500 }, { status: 500 }, { status: 200, body: "" }], complete, "store_unavailable", 4);
});

test("nothing of a signature is in the log", () => {
	assert.ok(store.log().includes("store.refused"));
	assert.ok(!/X-Amz|Signature/.test(store.log()));
});

test("a store that is not there", async () => {
	const other = await openStore({ store: "s3", endpoint: `http://127.0.0.1:${await freePort()}`, access_key: "AK", secret_key: "sk" });
	await assert.rejects(other.head({ key }), { code: "store_unavailable" });
	await assert.rejects(other.begin({ key, type: "a/b" }), { code: "store_unavailable" });
	await other.stop();
});
