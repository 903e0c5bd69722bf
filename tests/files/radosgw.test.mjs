// radosgw: lib/store against an S3 server that verifies signatures, and what that server does with the files of conf/s3.

import { after, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../conf/run/stack.mjs";
import { openStore, send, sha256 } from "./store.mjs";
import { storeCases } from "./cases.mjs";
import { lifecycleXml, md5Header, radosgwMissing, startRadosgw } from "../support/radosgw.mjs";

const ORIGIN = "http://127.0.0.1:8080";
const skip = radosgwMissing();
let gw; // a promise: whoever needs it first starts it
const start = () => (gw ??= startRadosgw({ origins: [ORIGIN] }));
after(async () => (await gw)?.stop());

storeCases("radosgw", async () => ({ conf: (await start()).conf, stop: async () => {} }), { verifies: false, skip });

test("radosgw: over a thousand parts are listed page by page", { skip }, async () => {
	const store = await openStore((await start()).conf);
	try {
		const key = await store.key();
		const { upload_id } = await store.begin({ key, type: "video/mp4" });
		const numbers = Array.from({ length: 1003 }, (_v, i) => i * 9 + 1);
		for (let at = 0; at < numbers.length; at += 50)
			await Promise.all(
				numbers.slice(at, at + 50).map(async (number) => {
					const how = await store.put({ key, upload_id, number, size: 1, sha256: sha256("x") });
					assert.equal((await send(how, "x")).status, 200);
				}),
			);
		const parts = await store.parts({ key, upload_id });
		assert.deepEqual(
			parts.map((p) => p.number),
			numbers,
		);
		await assert.rejects(store.complete({ key, upload_id }), { code: "upload_missing" }); // too small to be parts
		await store.abort({ key, upload_id });
	} finally {
		await store.stop();
	}
});

const shipped = (name) => JSON.parse(readFileSync(join(ROOT, "conf/s3", name), "utf8"));

test("conf/s3: what is shipped is JSON, of the prefix and the bucket of pulsechat.conf.example, and in doc/files.md", () => {
	const doc = readFileSync(join(ROOT, "doc/files.md"), "utf8");
	const names = readdirSync(join(ROOT, "conf/s3"));
	assert.ok(names.length >= 6);
	for (const name of names) {
		assert.ok(shipped(name), name);
		assert.ok(doc.includes(`conf/s3/${name}`), `doc/files.md says nothing of ${name}`);
	}
	const resources = [shipped("user-policy.json"), shipped("bucket-policy.json")].flatMap((p) => p.Statement.flatMap((s) => s.Resource));
	for (const r of resources) assert.match(r, /^arn:aws:s3:::pulsechat(\/files\/\*|\/\*)?$/);
	assert.equal(shipped("lifecycle.json").Rules[0].Filter.Prefix, "files/");
	assert.deepEqual(shipped("cache-policy.json").ParametersInCacheKeyAndForwardedToOrigin.QueryStringsConfig.QueryStrings.Items, [
		"response-content-disposition",
		"response-content-type",
	]);
});

test("conf/s3: a store takes the CORS rules and the lifecycle", { skip }, async () => {
	const s3 = await start(); // with cors.json
	const bucket = `/${s3.bucket}`;
	const rules = (await s3.call("GET", `${bucket}?cors`)).text;
	const [rule] = shipped("cors.json").CORSRules;
	for (const word of [...rule.AllowedMethods, ...rule.AllowedHeaders, ...rule.ExposeHeaders]) assert.ok(rules.includes(`>${word}<`), word);
	const store = await openStore(s3.conf);
	const { url } = await store.put({ key: await store.key(), type: "image/png", size: 1, sha256: sha256("x") });
	await store.stop();
	const preflight = async (origin, method) =>
		(
			await send({ method: "OPTIONS", url }, "", {
				headers: {
					origin,
					"access-control-request-method": method,
					"access-control-request-headers": "content-type,if-none-match,x-amz-checksum-sha256",
				},
			})
		).status;
	assert.equal(await preflight(ORIGIN, "PUT"), 200);
	assert.equal(await preflight("https://elsewhere.example", "PUT"), 403);
	assert.equal(await preflight(ORIGIN, "DELETE"), 403);
	const xml = lifecycleXml(shipped("lifecycle.json"));
	const put = await s3.call("PUT", `${bucket}?lifecycle`, { body: xml, headers: md5Header(xml) });
	assert.equal(put.status, 200, put.text);
	const kept = (await s3.call("GET", `${bucket}?lifecycle`)).text;
	assert.match(kept, /<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</);
	assert.match(kept, /<Prefix>files\/<\/Prefix>/);
});
