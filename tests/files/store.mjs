// store: lib/store by its test program (store_tool.c), and requests to a store as a browser sends them, or bends them.

import { createHash, randomBytes } from "node:crypto";
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../../conf/run/stack.mjs";
import { confText } from "../../conf/run/ini.mjs";

export const sha256 = (data) => createHash("sha256").update(data).digest("hex");
export const base64 = (hex) => Buffer.from(hex, "hex").toString("base64");

/** A configuration file of its own folder; files: [files], url: the site's. */
export function writeConf(files, url = "http://127.0.0.1:9") {
	const dir = mkdtempSync(join(tmpdir(), "pulsechat-store-"));
	const path = join(dir, "pulsechat.conf");
	const conf = { site: { url }, database: { dsn: "dbname=none" }, files };
	writeFileSync(path, confText(conf, ["For a test."]));
	return { dir, path, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/**
 * lib/store with these settings: await store.put({key, size, ...}), .head({key}), ... as store_tool.c names them. They throw an
 * Error with code, field and detail.
 */
export async function openStore(files) {
	const conf = writeConf(files);
	const program = join(ROOT, "build", process.env.PC_VARIANT || "plain", "tests/files/store_tool");
	if (!existsSync(program)) throw new Error(`${program} is not there: make files-bins VARIANT=${process.env.PC_VARIANT || "plain"}`);
	const child = spawn("setpriv", ["--pdeathsig", "KILL", program, conf.path], { stdio: ["pipe", "pipe", "pipe"] });
	let log = "";
	child.stderr.on("data", (d) => (log += d));
	const waiting = [];
	const gone = new Promise((ok) => child.on("close", ok));
	createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.ok(JSON.parse(line)));
	gone.then((code) => waiting.splice(0).forEach((w) => w.fail(new Error(`store_tool ended (${code}): ${log}`))));
	child.stdin.on("error", () => {});
	const ask = async (what, args = {}) => {
		const answer = await new Promise((ok, fail) => {
			waiting.push({ ok, fail });
			child.stdin.write(`${JSON.stringify({ do: what, ...args })}\n`);
		});
		if ("ok" in answer) return answer.ok;
		throw Object.assign(new Error(`${what}: ${answer.error} ${answer.field} ${answer.detail}`), answer, { code: answer.error });
	};
	const verbs = ["key", "about", "put", "get", "head", "read", "delete", "begin", "parts", "complete", "abort"];
	return {
		...Object.fromEntries(verbs.map((verb) => [verb, (args) => ask(verb, args)])),
		log: () => log,
		async stop() {
			child.stdin.end();
			const code = await gone;
			conf.remove();
			if (code !== 0) throw new Error(`store_tool ended with ${code}: ${log}`);
		},
	};
}

/** The lines of `pulsechat doctor` about files: {ok: [...], fail: [...], all}. */
export async function doctor(files, { url, env = {}, variant = process.env.PC_VARIANT || "plain" } = {}) {
	const conf = writeConf(files, url);
	const program = join(ROOT, "build", variant, "pulsechat");
	const options = { env: { ...process.env, ...env }, timeout: 60000 };
	const out = await new Promise((ok) => execFile(program, ["-c", conf.path, "doctor"], options, (_e, stdout) => ok(stdout)));
	conf.remove();
	const lines = out.split("\n").filter((l) => / files: /.test(l));
	assert.ok(lines.length > 0, out);
	const of = (word) => lines.filter((l) => l.startsWith(word)).map((l) => l.replace(/^\w+ +files: /, ""));
	return { ok: of("ok"), fail: of("FAIL"), all: lines.join("\n") };
}

/** One line of doctor fails, and says what is at fault. */
export async function doctorFails(files, pattern, options) {
	const r = await doctor(files, options);
	assert.equal(r.fail.length, 1, r.all);
	assert.match(r.fail[0], pattern);
	return r;
}

/** Sends what put() said, bent where a test wants it; {status, headers, body, text, code} (code: S3's, of an error). */
export function send({ method, url, headers = {} }, body = "", bend = {}) {
	const { pathname, search, hostname, port } = new URL(url);
	const target = url.slice(url.indexOf("/", 8)); // as it was signed
	if (target !== pathname + search && !bend.raw) throw new Error(`a browser would change ${target}`);
	const all = { ...headers, ...bend.headers };
	const data = Buffer.from(body);
	if ((method === "PUT" || method === "POST") && !("content-length" in all) && !bend.chunked) all["content-length"] = data.length;
	if (bend.chunked) all["transfer-encoding"] = "chunked";
	for (const name of Object.keys(all)) if (all[name] === null) delete all[name];
	return new Promise((ok, fail) => {
		const r = request({ hostname, port, path: bend.target ?? target, method: bend.method ?? method, headers: all, agent: false, timeout: 20000 });
		r.on("response", (answer) => {
			const pieces = [];
			answer.on("data", (d) => pieces.push(d));
			answer.on("error", fail);
			answer.on("end", () => {
				const whole = Buffer.concat(pieces);
				const text = whole.toString();
				ok({ status: answer.statusCode, headers: answer.headers, body: whole, text, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1] });
			});
		});
		r.on("timeout", () => r.destroy(new Error("no answer in 20 s")));
		r.on("error", fail);
		r.end(bend.cut === undefined ? data : data.subarray(0, bend.cut));
		if (bend.cut !== undefined) r.on("socket", (s) => s.on("connect", () => setTimeout(() => s.destroySoon(), bend.after ?? 100)));
	});
}

/** Uploads body as a whole, well. */
export async function upload(store, body, { type = "application/octet-stream", key } = {}) {
	key ??= await store.key();
	const put = await store.put({ key, type, size: body.length, sha256: sha256(body) });
	const answer = await send(put, body);
	if (answer.status !== 200) throw new Error(`PUT: ${answer.status} ${answer.text}`);
	return key;
}

export const bytes = (n) => randomBytes(n);
