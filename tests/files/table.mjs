// table: S3 requests and what a store must say to them, whichever it is: the local store and radosgw answer alike.
// Each case: [name, async (s3) => answers, expected]; expected is compared with the answers one by one: {status, code, type, text, length,
// headers: {name: value or RegExp}}; a status may be a list. `rgw` stands in place of expected where radosgw is known to differ.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { newKey, put, putHeaders, send, sign } from "./help.mjs";

const body = Buffer.from("The quick brown fox jumps over the lazy dog, 1234567890 times. ".repeat(100));
const headers = putHeaders(body, { type: "image/png" });
const MIB = 1 << 20;
const NAMED = `attachment; filename="a b.png"; filename*=UTF-8''%E6%97%A5.png`;

const putting = (change = {}, how = {}) => async (s3) => {
	const signed = sign(s3, "PUT", newKey(), { headers, ...change });
	const sent = how.body ?? body;
	return [await send(s3, signed, { body: sent, ...how, headers: { "content-length": String(sent.length), ...how.headers } })];
};
const getting = (change = {}, how = {}, method = "GET") => async (s3) => {
	const { key } = await put(s3, body, { type: "image/png" });
	return [await send(s3, sign(s3, method, key, change), how)];
};
const differs = [{ status: 403, code: "SignatureDoesNotMatch" }];
const xml = (parts) =>
	Buffer.from(
		["<CompleteMultipartUpload>", ...parts.map(([n, etag]) => `<Part><PartNumber>${n}</PartNumber><ETag>${etag}</ETag></Part>`)].join("") +
			"</CompleteMultipartUpload>",
	);

/** A multipart upload under way: {key, id, part(number, bytes), complete(list), list(query), abort()}. */
export async function multipart(s3, { type = "video/mp4" } = {}) {
	const key = newKey();
	const signed = sign(s3, "POST", key, { query: { uploads: "" }, headers: { "content-type": type } });
	const begun = await send(s3, signed, { headers: { "content-length": "0" } });
	const id = /<UploadId>([^<]+)</.exec(begun.text)?.[1];
	if (!id) throw new Error(`no upload: ${begun.status} ${begun.text}`);
	const ask = (method, query = {}, options = {}) => send(s3, sign(s3, method, key, { query: { uploadId: id, ...query } }), options);
	return {
		key,
		id,
		begun,
		part: (number, bytes, how = {}) => {
			const { "content-type": _t, "if-none-match": _i, ...rest } = putHeaders(bytes, how);
			const query = { partNumber: String(number), uploadId: how.id ?? id };
			return send(s3, sign(s3, "PUT", key, { query, headers: rest }), { body: how.body ?? bytes });
		},
		complete: (parts) => {
			const text = Buffer.isBuffer(parts) ? parts : xml(parts);
			return ask("POST", {}, { body: text, headers: { "content-length": String(text.length) } });
		},
		list: (query) => ask("GET", query),
		abort: () => ask("DELETE"),
	};
}

const preflight = (origin, method = "PUT", asked = "content-type,if-none-match,x-amz-checksum-sha256") => async (s3) => [
	await send(s3, sign(s3, "PUT", newKey(), { headers }), {
		method: "OPTIONS",
		headers: {
			...Object.fromEntries(Object.keys(headers).map((k) => [k, null])),
			origin: origin ?? s3.origin,
			"access-control-request-method": method,
			"access-control-request-headers": asked,
		},
	}),
];

export const cases = [
	["an object is stored", putting(), [{ status: 200, headers: { etag: /^"[0-9a-f]{32}"$/ } }]],
	["none of 0 bytes is different", async (s3) => {
		const { key } = await put(s3, Buffer.alloc(0));
		return [await send(s3, sign(s3, "GET", key))];
	}, [{ status: 200, length: 0 }]],
	["twice: the first stays (FI-1)", async (s3) => {
		const key = newKey();
		const signed = sign(s3, "PUT", key, { headers });
		const other = Buffer.from(body).fill("x");
		const both = [await send(s3, signed, { body }), await send(s3, signed, { body: other })];
		return [...both, await send(s3, sign(s3, "GET", key))];
	}, [{ status: 200 }, { status: 412, code: "PreconditionFailed" }, { status: 200, text: body.toString() }]],
	["another secret", putting({ secretKey: "no" }), differs],
	["another region is not ours", putting({ region: "eu-west-9" }), [{ status: 400 }], [{ status: [200, 400] }]],
	["an unknown key", putting({ accessKey: "nobody" }), [{ status: 403, code: "InvalidAccessKeyId" }]],
	["expired (FI-1)", putting({ at: Date.now() - 400_000 }), [{ status: 403, code: "AccessDenied" }]],
	["not signed at all", async (s3) => {
		const { path } = sign(s3, "PUT", newKey(), { headers });
		return [await send(s3, { method: "PUT", path: path.split("?")[0], headers }, { body })];
	}, [{ status: 403, code: "AccessDenied" }]],
	["longer than signed (FI-1)", putting({}, { body: Buffer.concat([body, body]) }), differs],
	["shorter than signed", putting({}, { body: body.subarray(1) }), differs],
	["another type than signed (FI-1)", putting({}, { headers: { "content-type": "text/html" } }), differs],
	["another checksum than signed", putting({}, { headers: { "x-amz-checksum-sha256": putHeaders(Buffer.from("x"))["x-amz-checksum-sha256"] } }), differs],
	["a signed header that is missing", putting({}, { headers: { "x-amz-checksum-sha256": null } }), differs],
	["without a length", putting({}, { headers: { "content-length": null, "transfer-encoding": "chunked" } }), [
		{ status: [411, 403, 200] }, // lighttpd tells the length itself, of what has come
	]],
	["without a length, and longer than signed",
		putting({}, { body: Buffer.concat([body, body]), headers: { "content-length": null, "transfer-encoding": "chunked" } }),
		[{ status: [411, 403] }]],
	["a bucket that is not there", putting({ bucket: "other-bucket" }), [{ status: 404, code: "NoSuchBucket" }]],

	["an object is read", getting(), [{ status: 200, text: body.toString(), type: "image/png", headers: { etag: /^".+"$/, "accept-ranges": "bytes" } }]],
	["what is not there", async (s3) => [await send(s3, sign(s3, "GET", newKey()))], [{ status: 404, code: "NoSuchKey" }]],
	["a part of it", getting({}, { headers: { range: "bytes=4-8" } }), [
		{ status: 206, text: "quick", headers: { "content-range": `bytes 4-8/${body.length}` } },
	]],
	["its end", getting({}, { headers: { range: "bytes=-7" } }), [{ status: 206, text: "times. " }]],
	["beyond its end", getting({}, { headers: { range: "bytes=999999-" } }), [{ status: 416 }]],
	["unchanged since (If-None-Match)", async (s3) => {
		const { key } = await put(s3, body);
		const signed = sign(s3, "GET", key);
		const first = await send(s3, signed);
		const since = (etag) => send(s3, signed, { headers: { "if-none-match": etag } });
		return [await since(first.headers.etag), await since('"no"')];
	}, [{ status: 304, length: 0 }, { status: 200 }]],
	["a part of what is unchanged (If-Range)", async (s3) => {
		const { key } = await put(s3, body);
		const signed = sign(s3, "GET", key);
		const first = await send(s3, signed);
		return [await send(s3, signed, { headers: { range: "bytes=0-2", "if-range": first.headers.etag } })];
	}, [{ status: 206, text: "The" }]],
	["GET's address is not HEAD's", getting({}, { method: "HEAD" }), [{ status: 403 }]],
	["GET's address is not DELETE's", getting({}, { method: "DELETE" }), differs],
	["a parameter more", async (s3) => {
		const { key } = await put(s3, body);
		const signed = sign(s3, "GET", key);
		return [await send(s3, { ...signed, path: `${signed.path}&response-content-type=text%2Fhtml` })];
	}, differs],
	["under a name of its own (FI-2)", getting({ query: { "response-content-disposition": NAMED } }), [
		{ status: 200, headers: { "content-disposition": NAMED } },
	]],
	["what is known of it", getting({}, {}, "HEAD"), [{ status: 200, type: "image/png", length: 0, headers: { "content-length": String(body.length) } }]],
	["what is known of nothing", async (s3) => [await send(s3, sign(s3, "HEAD", newKey()))], [{ status: 404 }]],
	["deleted, and once more", async (s3) => {
		const { key } = await put(s3, body);
		const gone = sign(s3, "DELETE", key);
		return [await send(s3, gone), await send(s3, gone), await send(s3, sign(s3, "GET", key))];
	}, [{ status: 204 }, { status: 204 }, { status: 404, code: "NoSuchKey" }]],
	...["a/../b", "../../../etc/passwd", "a//b", "a/./b", "%2e%2e/x", "日本 +&=😬.pdf"].map((key) => [
		`a strange key is a key: ${key}`,
		async (s3) => {
			const own = `${newKey()}/${key}`;
			const stored = await send(s3, sign(s3, "PUT", own, { headers }), { body });
			return [stored, await send(s3, sign(s3, "GET", own)), await send(s3, sign(s3, "GET", own.replace(/[./]+(?=[^./]*$)/, "")))];
		},
		// a web server may refuse such a path before the store sees it
		[{ status: [200, 400, 403, 404] }, { status: [200, 400, 403, 404] }, { status: [404, 400, 403] }],
	]),

	["a preflight of the site (FI-1)", preflight(), [
		{ status: [200, 204], headers: { "access-control-allow-origin": /./, "access-control-allow-methods": /PUT/ } },
	]],
	["a preflight of a stranger", preflight("https://evil.test"), [{ status: 403 }]],
	["a preflight for a method that is not for browsers", preflight(undefined, "DELETE"), [{ status: 403 }]],
	["a preflight for a header that is none of ours", preflight(undefined, "PUT", "x-evil"), [{ status: 403 }]],
	["the site reads its ETag", async (s3) => {
		const key = newKey();
		return [await send(s3, sign(s3, "PUT", key, { headers }), { body, headers: { origin: s3.origin } })];
	}, [{ status: 200, headers: { "access-control-allow-origin": /./, "access-control-expose-headers": /etag/i } }]],
	["a stranger does not", async (s3) => {
		const { key } = await put(s3, body);
		const r = await send(s3, sign(s3, "GET", key), { headers: { origin: "https://evil.test" } });
		return [{ ...r, status: r.headers["access-control-allow-origin"] ?? "none" }];
	}, [{ status: "none" }]],

	["parts, listed and joined", async (s3) => {
		const m = await multipart(s3);
		const [one, two] = [randomBytes(5 * MIB), randomBytes(1000)];
		const sent = [await m.part(2, two), await m.part(1, one)];
		const list = await m.list();
		const done = await m.complete([[1, sent[1].headers.etag], [2, sent[0].headers.etag]]);
		const got = await send(s3, sign(s3, "GET", m.key));
		return [...sent, list, done, { ...got, status: got.bytes.equals(Buffer.concat([one, two])) ? 200 : "other bytes" }];
	}, [
		{ status: 200 },
		{ status: 200 },
		{ status: 200, text: /<PartNumber>1<\/PartNumber>.*<Size>5242880<\/Size>.*<PartNumber>2<\/PartNumber>.*<Size>1000<\/Size>/s },
		{ status: 200, text: /-2(&quot;|&#34;|")?<\/ETag>/ },
		{ status: 200, type: "video/mp4" },
	], [{ status: 200 }, { status: 200 }, { status: 200 }, { status: 200 }, { status: 200, type: "video/mp4" }]],
	["a part sent again replaces the former", async (s3) => {
		const m = await multipart(s3);
		await m.part(1, Buffer.from("first"));
		const second = await m.part(1, Buffer.from("second"));
		await m.complete([[1, second.headers.etag]]);
		return [await send(s3, sign(s3, "GET", m.key))];
	}, [{ status: 200, text: "second" }]],
	["a list by pages", async (s3) => {
		const m = await multipart(s3);
		for (const n of [1, 2, 3]) await m.part(n, Buffer.from(`part ${n}`));
		return [await m.list({ "max-parts": "2" }), await m.list({ "max-parts": "2", "part-number-marker": "2" })];
	}, [
		{ status: 200, text: /<NextPartNumberMarker>2<.*<IsTruncated>true<.*<PartNumber>1<.*<PartNumber>2</s },
		{ status: 200, text: /<IsTruncated>false<.*<PartNumber>3</s },
	]],
	["parts that are too small, out of order, others, none", async (s3) => {
		const m = await multipart(s3);
		const etags = [];
		for (const n of [1, 2]) etags.push((await m.part(n, Buffer.from(`part ${n}`))).headers.etag);
		return [
			await m.complete([[1, etags[0]], [2, etags[1]]]),
			await m.complete([[2, etags[1]], [1, etags[0]]]),
			await m.complete([[1, etags[1]]]),
			await m.complete([[7, etags[0]]]),
			await m.complete(Buffer.from("<CompleteMultipartUpload>")),
			await m.complete(Buffer.from("nothing")),
			await send(s3, sign(s3, "GET", m.key)),
		];
	}, [
		{ status: 400, code: "EntityTooSmall" },
		{ status: 400, code: "InvalidPartOrder" },
		{ status: 400, code: "InvalidPart" },
		{ status: 400, code: "InvalidPart" },
		{ status: 400, code: "MalformedXML" },
		{ status: 400, code: "MalformedXML" },
		{ status: 404, code: "NoSuchKey" },
	], [...Array(6).fill({ status: 400 }), { status: 404, code: "NoSuchKey" }]],
	["an upload that is given up", async (s3) => {
		const m = await multipart(s3);
		const { etag } = (await m.part(1, body)).headers;
		return [await m.abort(), await m.abort(), await m.part(2, body), await m.list(), await m.complete([[1, etag]])];
	},
	[{ status: 204 }, ...Array(4).fill({ status: 404, code: "NoSuchUpload" })],
	[{ status: 204 }, ...Array(3).fill({ status: 404 }), { status: [404, 500] }]],
	["an upload of another key", async (s3) => {
		const [m, other] = [await multipart(s3), await multipart(s3)];
		return [await m.part(1, body, { id: other.id }), await m.part(1, body, { id: "../../objects" })];
	}, [{ status: 404, code: "NoSuchUpload" }, { status: 404, code: "NoSuchUpload" }]],
];

function matches(said, want, what) {
	if (want instanceof RegExp) assert.match(String(said), want, what);
	else assert.deepEqual(said, want, what);
}

/** Does one case and looks at the answers. */
export async function ask(s3, [name, act, expected, rgw]) {
	const answers = await act(s3);
	(s3.local ? expected : (rgw ?? expected)).forEach((want, i) => {
		const said = answers[i];
		const what = `${name} (${i + 1}): ${said.status} ${said.text?.slice(0, 500)} ${JSON.stringify(said.headers)}`;
		assert.ok([want.status].flat().includes(said.status), what);
		if (want.code) assert.equal(said.code, want.code, what);
		if (want.type) assert.equal(said.headers["content-type"], want.type, what);
		if (want.text !== undefined) matches(said.text, want.text, what);
		if (want.length !== undefined) assert.equal(said.bytes.length, want.length, what);
		for (const [header, value] of Object.entries(want.headers ?? {})) matches(said.headers[header], value, what);
	});
}
