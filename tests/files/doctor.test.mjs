// doctor: `pulsechat doctor` tries the whole life of objects in the configured store, and names what is wrong.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { ROOT, freePort } from "../../conf/run/stack.mjs";
import { corsXml, radosgwMissing, startRadosgw } from "../support/radosgw.mjs";
import { startCloudfront } from "../support/cloudfront.mjs";
import { doctor, doctorFails, writeConf } from "./store.mjs";

const ORIGIN = "http://127.0.0.1:9"; // nobody there
const skip = radosgwMissing();
const it = (what, options, f = options) => test(what, { skip, ...(f === options ? {} : options) }, f);
const variant = process.env.PC_VARIANT || "plain";
let gw;

before(async () => {
	if (!skip) gw = await startRadosgw({ origins: [ORIGIN] });
});
after(() => gw?.stop());

const objects = async () => ((await gw.call("GET", `/${gw.bucket}`)).text.match(/<Key>/g) ?? []).length;

it("all is well: each step says so, and nothing stays behind", async () => {
	const before = await objects();
	const r = await doctor(gw.conf);
	assert.deepEqual(r.fail, []);
	const steps = ["bucket pulsechat", "clock", "CORS", "upload: an object", "a second one", "look", "download: the same", "nothing without"];
	for (const word of [...steps, "checksum", "parts", "delete"])
		assert.ok(
			r.ok.some((l) => l.includes(word)),
			`${word}\n${r.all}`,
		);
	assert.equal(await objects(), before);
	const { text } = await gw.call("GET", `/${gw.bucket}?uploads`);
	assert.ok(text.includes("ListMultipartUploadsResult") && !text.includes("<Upload>"), text);
});

it("none is no fault; a setting is named", async () => {
	assert.deepEqual((await doctor({})).fail, []);
	await doctorFails({ ...gw.conf, endpoint: "" }, /\[files\] endpoint is not set/);
	await doctorFails({ ...gw.conf, prefix: "/x" }, /\[files\] prefix/);
});

it("what is not there: the store, the bucket", async () => {
	await doctorFails({ ...gw.conf, endpoint: `http://127.0.0.1:${await freePort()}` }, /no answer from http:\/\/127.0.0.1/);
	await doctorFails({ ...gw.conf, bucket: "nobucket" }, /404 NoSuchBucket: there is no such bucket/);
});

it("a key that is not known, and another secret", async () => {
	await doctorFails({ ...gw.conf, access_key: "NOBODY" }, /InvalidAccessKeyId: the store does not know \[files\] access_key/);
	const r = await doctorFails({ ...gw.conf, secret_key: "another" }, /SignatureDoesNotMatch: \[files\] secret_key/);
	assert.ok(!r.all.includes("X-Amz"));
});

it("CORS: none, for another site, without PUT, without a header", async () => {
	try {
		await gw.cors("");
		await doctorFails(gw.conf, /^CORS: .*http:\/\/127.0.0.1:9.*conf\/s3\/cors.json/);
		await gw.cors(corsXml(["https://chat.example.org"]));
		await doctorFails(gw.conf, /^CORS: .*must name this origin/);
		await gw.cors(corsXml([ORIGIN]).replace("<AllowedMethod>PUT</AllowedMethod>", ""));
		await doctorFails(gw.conf, /^CORS: /);
		await gw.cors(corsXml([ORIGIN]).replace("<AllowedHeader>if-none-match</AllowedHeader>", ""));
		await doctorFails(gw.conf, /^CORS: /);
		await gw.cors(corsXml(["*"]));
		const r = await doctor(gw.conf);
		assert.deepEqual(r.fail, []);
		assert.match(r.all, /CORS: .*any other site/);
	} finally {
		await gw.cors(corsXml([ORIGIN]));
	}
});

it("the page's own policy", async () => {
	let policy;
	const server = createServer((_q, r) => r.writeHead(200, { "content-security-policy": policy }).end("<title>a page</title>"));
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const url = `http://127.0.0.1:${server.address().port}`;
	try {
		await gw.cors(corsXml([url]));
		const page = (connect, media) => `default-src 'none'; img-src 'self' * ; media-src 'self' ${media};connect-src 'self' ${connect}`;
		policy = page(gw.endpoint, gw.endpoint);
		const r = await doctor(gw.conf, { url });
		assert.deepEqual(r.fail, []);
		assert.match(r.all, /page: its policy lets/);
		policy = page(`${gw.endpoint}0 https:`, gw.endpoint);
		await doctorFails(gw.conf, /^page: .*http:\/\/127.0.0.1:\d+ in its connect-src.*pc_files/, { url });
		policy = page(gw.endpoint, "");
		await doctorFails(gw.conf, /^page: .* in its media-src/, { url });
	} finally {
		server.closeAllConnections();
		server.close();
		await gw.cors(corsXml([ORIGIN]));
	}
});

it("verifies = yes for a store that does not look", async () => {
	await doctorFails({ ...gw.conf, verifies: "yes" }, /^checksum: .*verifies = no/);
});

it("the user's policy: all that it needs, and each thing that it lacks", async () => {
	const user = await gw.user("pulsechat");
	const conf = gw.confOf(user);
	const shipped = JSON.parse(readFileSync(join(ROOT, "conf/s3/user-policy.json"), "utf8"));
	const policy = (without) => ({
		...shipped,
		Statement: shipped.Statement.map((s) => ({
			...s,
			Principal: { AWS: [user.arn] },
			Action: [s.Action].flat().filter((a) => a !== without),
		})).filter((s) => s.Action.length > 0),
	});
	try {
		await doctorFails(conf, /403 AccessDenied: .*policy/);
		await gw.policy(policy());
		assert.deepEqual((await doctor(conf)).fail, []);
		await gw.policy(policy("s3:PutObject"));
		await doctorFails(conf, /^upload: 403 AccessDenied: .*s3:PutObject/);
		await gw.policy(policy("s3:DeleteObject"));
		const r = await doctor(conf);
		assert.ok(r.fail.length >= 1 && r.fail.every((l) => /^delete: .*403 AccessDenied.*stays/.test(l)), r.all);
		await gw.policy(policy("s3:AbortMultipartUpload"));
		await doctorFails(conf, /^parts: .*cannot be given up.*s3:AbortMultipartUpload/);
	} finally {
		await gw.policy();
	}
});

it("a bucket that anybody may read", async () => {
	const open = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${gw.bucket}/*` };
	try {
		await gw.policy({ Version: "2012-10-17", Statement: [open] });
		await doctorFails(gw.conf, /^download: whoever knows an object's name may read it/);
	} finally {
		await gw.policy();
	}
});

it("a clock that is an hour wrong", { skip: skip || variant !== "asan" }, async () => {
	for (const [ms, word] of [
		[3600000, "behind"],
		[-3600000, "ahead of"],
	]) {
		const r = await doctor(gw.conf, { env: { PC_FAULTS: `clock_step ${ms}` }, variant: "faults" });
		assert.ok(
			r.fail.some((l) => l.startsWith("clock: ") && l.includes(word)),
			r.all,
		);
	}
});

it("by CloudFront: well, and what may be wrong with it", async () => {
	const vectors = JSON.parse(readFileSync(join(ROOT, "tests/vectors/cloudfront.json"), "utf8"));
	const keys = { keyId: "K2JCJMDEHXQW5F", publicKey: vectors.test_public_key_pem };
	const pem = writeConf({});
	writeFileSync(join(pem.dir, "key.pem"), vectors.test_private_key_pem);
	const by = async (fault, more, check) => {
		const cf = await startCloudfront(gw, { ...keys, ...fault });
		try {
			const cloudfront = { cloudfront_url: cf.url, cloudfront_key_id: keys.keyId, cloudfront_key_file: join(pem.dir, "key.pem") };
			await check({ ...gw.conf, ...cloudfront, ...more }, cf);
		} finally {
			await cf.stop();
		}
	};
	try {
		await by({}, {}, async (conf, cf) => {
			const r = await doctor(conf);
			assert.deepEqual(r.fail, []);
			assert.match(r.all, /download by CloudFront: the same bytes/);
			assert.ok(cf.seen.some((s) => !s.why));
		});
		await by({}, { cloudfront_key_id: "KOTHER" }, (conf) => doctorFails(conf, /^download by CloudFront: 403 AccessDenied: is cloudfront_key_id/));
		await by({ open: true }, {}, (conf) => doctorFails(conf, /^download by CloudFront: whoever knows/));
		await by({ queries: false }, {}, (conf) => doctorFails(conf, /^download by CloudFront: it comes as .*cache policy/));
		await by({ headers: false }, {}, (conf) => doctorFails(conf, /^download by CloudFront: without .*response-headers-policy/));
	} finally {
		pem.remove();
	}
});
