// local: what the local store promises beyond S3's answers: what is half there is not there, a slow upload is nobody's trouble, memory stays
// flat, and no browser runs what people have uploaded (FI-1, FI-3).

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { startStack, until } from "../support/stack.mjs";
import { launch } from "../web/help.mjs";
import { hash, localStore, newKey, put, putHeaders, send, sign, slowly } from "./help.mjs";
import { multipart } from "./table.mjs";

const MIB = 1 << 20;
const LONG = process.env.FILES_SIZE === "2G";
let stack, s3;

before(async () => {
	stack = await startStack({ realtime: 0, only: ["files1", "lighttpd"], supervise: false, conf: { "files.max_size": LONG ? "3G" : "200M" } });
	s3 = localStore(stack);
});
after(() => stack?.stop());

const tmp = () => readdirSync(join(stack.filesDir, "tmp"));
const uploads = () => readdirSync(join(stack.filesDir, "multipart"));
const nothingLeft = () => until(() => tmp().length === 0, { what: "tmp/ is empty" });
const absent = async (key) => assert.equal((await send(s3, sign(s3, "GET", key))).code, "NoSuchKey");
/** An object after a restart: for a second or two the web server may hold the program for dead still. */
const back = (key) =>
	until(
		async () => {
			const r = await send(s3, sign(s3, "GET", key));
			return r.status < 500 && r;
		},
		{ what: `an answer about ${key}` },
	);

const files = (dir) => readdirSync(dir, { withFileTypes: true, recursive: true });

/** An upload that has sent half of its body, all of which has arrived. */
async function half(key, body = randomBytes(2 * MIB)) {
	const up = slowly(s3, sign(s3, "PUT", key, { headers: putHeaders(body) }));
	await up.write(body.subarray(0, MIB));
	await until(() => tmp().some((d) => size(d) > 512 * 1024), { what: "half of it is there" });
	return { ...up, rest: () => up.write(body.subarray(MIB)), body };
}
const size = (name) => {
	try {
		return statSync(join(stack.filesDir, "tmp", name, "data")).size;
	} catch {
		return 0;
	}
};
const memory = (name, what = "VmRSS") => {
	const line = readFileSync(`/proc/${stack.pids[name]}/status`, "utf8").match(new RegExp(`${what}:\\s+(\\d+) kB`));
	return Number(line[1]) / 1024;
};

test("a connection that is cut at 50 %: nothing is left, and the address still works (FI-1)", async () => {
	const key = newKey();
	const up = await half(key);
	up.destroy();
	await nothingLeft();
	await absent(key);
	await put(s3, up.body, { key });
});

test("kill -9 in the middle: nothing is visible, and the address still works (FI-1)", async () => {
	const key = newKey();
	const up = await half(key);
	await stack.kill("files1", "SIGKILL");
	stack.forgive("files1");
	assert.notEqual((await up.answer).status, 200);
	await stack.up("files1");
	await absent(key);
	assert.deepEqual(uploads(), []);
	const { etag } = await put(s3, up.body, { key });
	assert.equal(etag, `"${hash(up.body).toString("hex").slice(0, 32)}"`);
	// what the dead process has left is too young to be swept
	assert.equal(tmp().length, 1);
});

test("what is left behind goes after a day, and nothing else does", async () => {
	const make = (folder, days) => {
		const dir = join(stack.filesDir, folder, "abcdefghijklmnopqrstuvwx" + (folder === "tmp" ? "t" : "m") + String(days === 0 ? "z" : "y"));
		mkdirSync(dir);
		writeFileSync(join(dir, "data"), "x");
		const at = new Date(Date.now() - days * 86400e3);
		for (const path of [join(dir, "data"), dir]) utimesSync(path, at, at);
		return dir;
	};
	const [old, young, oldUpload, upload] = [make("tmp", 2), make("tmp", 0), make("multipart", 9), make("multipart", 0)];
	for (const d of tmp().filter((d) => !old.endsWith(d) && !young.endsWith(d))) {
		const at = new Date(Date.now() - 2 * 86400e3);
		const dir = join(stack.filesDir, "tmp", d);
		for (const path of [...readdirSync(dir).map((f) => join(dir, f)), dir]) utimesSync(path, at, at);
	}
	const { key } = await put(s3, Buffer.from("stays"));
	await stack.down("files1");
	await stack.up("files1");
	await until(() => !existsSync(old) && !existsSync(oldUpload), { what: "swept" });
	assert.deepEqual(tmp(), [young.split("/").at(-1)]);
	assert.ok(existsSync(upload));
	assert.equal((await back(key)).text, "stays");
	for (const dir of [young, upload]) for (const path of [join(dir, "data"), dir]) utimesSync(path, new Date(0), new Date(0));
	await stack.down("files1");
	await stack.up("files1");
	await nothingLeft();
	await until(() => uploads().length === 0, { what: "uploads are swept" });
});

test("SIGTERM: an upload that ends in time is stored, a slower one is cut and leaves nothing", async () => {
	const [quick, slow] = [newKey(), newKey()];
	const [one, two] = [await half(quick), await half(slow)];
	const gone = stack.down("files1");
	const began = Date.now();
	await one.rest();
	assert.equal((await one.answer).status, 200);
	await gone;
	assert.ok(Date.now() - began < 5000, `${Date.now() - began} ms`);
	assert.notEqual((await two.answer).status, 200);
	assert.equal(stack.exits("files1").at(-1).code, 0);
	assert.deepEqual(tmp(), []);
	await stack.up("files1");
	assert.deepEqual((await back(quick)).bytes, one.body);
	await absent(slow);
});

test("a body that is not what its checksum says: BadDigest, nothing is left (FI-1)", async () => {
	const key = newKey();
	const [said, sent] = [Buffer.alloc(MIB, 1), Buffer.alloc(MIB, 2)];
	const r = await send(s3, sign(s3, "PUT", key, { headers: putHeaders(said) }), { body: sent });
	assert.deepEqual([r.status, r.code], [400, "BadDigest"]);
	assert.deepEqual(tmp(), []);
	await absent(key);
	const m = await multipart(s3);
	assert.equal((await m.part(1, said, { body: sent })).code, "BadDigest");
	assert.doesNotMatch((await m.list()).text, /<Part>/);
	await m.abort();
});

test("larger than the store takes, and a length that is not signed, are refused before the body comes (FI-1)", async () => {
	const big = { ...putHeaders(Buffer.alloc(1)), "content-length": String(4 * 1024 * MIB) };
	const up = slowly(s3, sign(s3, "PUT", newKey(), { headers: big }));
	const r = await up.answer;
	assert.deepEqual([r.status, r.code], [413, "EntityTooLarge"]);
	const { "content-length": length, ...unsigned } = putHeaders(Buffer.from("x"));
	const refused = await send(s3, sign(s3, "PUT", newKey(), { headers: unsigned }), { body: "x", headers: { "content-length": length } });
	assert.deepEqual([refused.status, refused.code], [403, "AccessDenied"]);
	const bad = await send(s3, sign(s3, "PUT", newKey(), { headers: putHeaders(Buffer.from("x"), { sha256: "short" }) }), { body: "x" });
	assert.equal(bad.status, 400);
	assert.deepEqual(tmp(), []);
});

test("200 uploads that stand still hold nobody up, and cost no memory", async () => {
	const body = randomBytes(256 * 1024);
	const all = [];
	for (let i = 0; i < 200; i++) {
		const key = newKey();
		const up = slowly(s3, sign(s3, "PUT", key, { headers: putHeaders(body) }));
		await up.write(body.subarray(0, 128 * 1024));
		all.push({ key, ...up });
	}
	await until(() => tmp().filter((d) => size(d) > 64 * 1024).length === 200, { ms: 30000, what: "200 have begun" });
	for (let i = 0; i < 3; i++) await put(s3, randomBytes(MIB));
	assert.equal(tmp().length, 200, "all of them still wait");
	if (stack.variant === "plain") assert.ok(memory("files1", "VmHWM") < 64, `${memory("files1", "VmHWM")} MiB`);
	for (const up of all) up.write(body.subarray(128 * 1024));
	for (const up of all) assert.equal((await up.answer).status, 200);
	assert.deepEqual(tmp(), []);
});

test(`a large file goes through in flat memory (${LONG ? "2 GB" : "100 MB"})`, async () => {
	const total = LONG ? 2 * 1024 * MIB : 100 * MIB;
	const piece = randomBytes(MIB);
	const digest = createHash("sha256");
	for (let n = 0; n < total; n += piece.length) digest.update(piece);
	const body = new PassThrough();
	(async () => {
		for (let n = 0; n < total; n += piece.length) if (!body.write(piece)) await new Promise((ok) => body.once("drain", ok));
		body.end();
	})();
	const key = newKey();
	const headers = { ...putHeaders(piece, { sha256: digest.digest("base64"), type: "video/mp4" }), "content-length": String(total) };
	const r = await send(s3, sign(s3, "PUT", key, { headers }), { body, timeout: 300000 });
	assert.equal(r.status, 200, r.text);
	if (stack.variant === "plain") assert.ok(memory("files1", "VmHWM") < 64, `${memory("files1", "VmHWM")} MiB`);
	const part = await send(s3, sign(s3, "GET", key), { headers: { range: `bytes=${total - 4}-` } });
	assert.deepEqual([part.status, part.bytes], [206, piece.subarray(-4)]);
	assert.equal((await send(s3, sign(s3, "DELETE", key))).status, 204);
});

test("a multipart upload that is completed twice, at once and again later, is one object", async () => {
	const m = await multipart(s3);
	const parts = [randomBytes(6 * MIB), randomBytes(5 * MIB), randomBytes(3)];
	const sent = await Promise.all(parts.map((p, i) => m.part(i + 1, p)));
	const list = sent.map((r, i) => [i + 1, r.headers.etag]);
	const done = await Promise.all([m.complete(list), m.complete(list), m.complete(list)]);
	done.push(await m.complete(list));
	const etags = done.map((r) => /<ETag>(.*)<\/ETag>/.exec(r.text)?.[1]);
	assert.ok(etags[0]?.includes("-3"), JSON.stringify(done.map((r) => r.text)));
	assert.deepEqual(new Set(etags).size, 1);
	const got = await send(s3, sign(s3, "GET", m.key));
	assert.deepEqual(got.bytes, Buffer.concat(parts));
	const head = await send(s3, sign(s3, "HEAD", m.key), { headers: { "x-amz-checksum-mode": "ENABLED" } });
	assert.equal(head.headers["x-amz-checksum-sha256"], `${hash(Buffer.concat(parts.map(hash))).toString("base64")}-3`);
	assert.deepEqual([tmp(), uploads()], [[], []]);
	// and nobody takes its place
	const other = await multipart(s3);
	assert.equal((await send(s3, sign(s3, "PUT", m.key, { headers: putHeaders(parts[2]) }), { body: parts[2] })).status, 412);
	await other.abort();
});

test("kill -9 while parts are there: they are still there, and can be completed", async () => {
	const m = await multipart(s3);
	const bytes = randomBytes(1000);
	const { etag } = (await m.part(1, bytes)).headers;
	await stack.kill("files1", "SIGKILL");
	stack.forgive("files1");
	await stack.up("files1");
	assert.match((await m.list()).text, /<PartNumber>1</);
	assert.equal((await m.complete([[1, etag]])).status, 200);
	assert.deepEqual((await send(s3, sign(s3, "GET", m.key))).bytes, bytes);
});

test("HEAD tells the checksum to whoever asks for it; nothing tells where the file lies", async () => {
	const body = randomBytes(100);
	const { key } = await put(s3, body);
	const head = await send(s3, sign(s3, "HEAD", key), { headers: { "x-amz-checksum-mode": "ENABLED" } });
	assert.equal(head.headers["x-amz-checksum-sha256"], hash(body).toString("base64"));
	const bare = await send(s3, sign(s3, "HEAD", key));
	assert.equal(bare.headers["x-amz-checksum-sha256"], undefined);
	const got = await send(s3, sign(s3, "GET", key));
	for (const [name, value] of Object.entries(got.headers)) assert.ok(!value.includes(stack.state) && !/sendfile|accel/i.test(name), `${name}: ${value}`);
});

test("no name on the disk is made of a key, and a key of 1025 bytes is too long", async () => {
	const key = `${newKey()}/../passwd`;
	await put(s3, Buffer.from("x"), { key });
	const names = files(stack.filesDir).map((f) => f.name);
	for (const name of names) assert.match(name, /^(objects|tmp|multipart|data|meta|[0-9a-f]{2}|[0-9a-f]{62}|[a-z2-7]{26}|\d{5}-[0-9a-f]{64})$/, name);
	const r = await send(s3, sign(s3, "GET", `k/${"x".repeat(1023)}`));
	assert.deepEqual([r.status, r.code], [400, "KeyTooLongError"]);
});

const EVIL = [
	["text/html", "<!doctype html><title>no</title><script>BEACON</script>"],
	["image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" onload="BEACON"><script>BEACON</script></svg>`],
	["application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>no</title><script>BEACON</script></head></html>`],
	["text/xml", `<x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>BEACON</h:script></x>`],
	["application/pdf", "%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj"],
	["text/javascript", "BEACON"],
];

test("only pictures, sound and film may be shown, whatever the address asks for (FI-3)", async () => {
	for (const [type, text] of [...EVIL, ["application/octet-stream", "x"]]) {
		const { key } = await put(s3, Buffer.from(text), { type });
		for (const query of [{}, { "response-content-disposition": `inline; filename="a.html"` }, { "response-content-type": "text/html" }]) {
			const r = await send(s3, sign(s3, "GET", key, { query }));
			assert.match(r.headers["content-disposition"], /^attachment/, type);
			assert.equal(r.headers["content-type"], "application/octet-stream", type);
			assert.equal(r.headers["content-security-policy"], "sandbox; default-src 'none'");
			assert.equal(r.headers["x-content-type-options"], "nosniff");
		}
	}
	const { key } = await put(s3, Buffer.from("x"), { type: "image/png" });
	const shown = await send(s3, sign(s3, "GET", key, { query: { "response-content-disposition": `inline; filename="a.png"` } }));
	assert.deepEqual([shown.headers["content-type"], shown.headers["content-disposition"]], ["image/png", `inline; filename="a.png"`]);
	const kept = await send(s3, sign(s3, "GET", key, { query: { "response-content-disposition": "attachment; filename=a\r\nX-Evil: 1" } }));
	assert.equal(kept.headers["x-evil"], undefined);
	if (kept.status !== 400) assert.equal(kept.headers["content-disposition"], "attachment"); // 400: the web server's own word
});

test("HTML, SVG, XML and PDF opened in a browser run no script, and HTML named a picture is none (FI-3)", async () => {
	const browser = await launch();
	const heard = [];
	const beacons = createServer((req, res) => {
		heard.push(req.url);
		res.end();
	});
	await new Promise((ok) => beacons.listen(0, "127.0.0.1", ok));
	try {
		const context = await browser.newContext({ acceptDownloads: true });
		const ran = [];
		await context.exposeBinding("ran", (_source, what) => ran.push(what));
		for (const [type, text] of [...EVIL, ["image/png", EVIL[0][1]]]) {
			const call = `fetch('http://127.0.0.1:${beacons.address().port}/ran', { mode: 'no-cors' })`;
			const beacon = `ran(location.href); document.title = 'ran'; ${call}`;
			const { key } = await put(s3, Buffer.from(text.replaceAll("BEACON", beacon)), { type });
			const page = await context.newPage();
			const { url } = sign(s3, "GET", key);
			const picture = type === "image/png";
			const download = picture ? null : page.waitForEvent("download", { timeout: 20000 }).catch(() => null);
			const opened = await page.goto(url).catch(() => null);
			if (picture) {
				assert.equal(opened.status(), 200);
				assert.equal(await page.evaluate(() => location.origin), stack.filesUrl, "not the site's origin");
			} else assert.ok(await download, `${type} is a download`);
			// in a page it is a picture, or nothing
			await page.goto("about:blank");
			await page.setContent(`<img src="${url}" onerror="document.title='broken'" onload="document.title='shown'">`);
			await page.waitForFunction(() => document.images[0].complete);
			assert.ok(!(await page.title()).includes("ran"), type);
			await page.close();
		}
		assert.deepEqual(ran, []);
		assert.deepEqual(heard, []);
	} finally {
		await browser.close();
		beacons.close();
	}
});

test("the files' origin has nothing of the site, and the site nothing of the store", async () => {
	for (const path of ["/", "/api/v1/me", "/auth/login", "/healthz", "/api/v1/ws", "/assets/x.js"]) {
		const r = await send(s3, { method: "GET", path, headers: {} });
		assert.equal(r.status, 403, path);
	}
	const { key } = await put(s3, Buffer.from("x"));
	const r = await send(s3, sign(s3, "GET", key), { port: stack.port });
	assert.notEqual(r.text, "x");
});
