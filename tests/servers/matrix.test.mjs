// matrix: every web server that PulseChat ships an example for, as it is shipped, in front of the real programs: what has to arrive
// at them unchanged, what has to come back at once, and the web client's files. At the end: which transport works behind which.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { ROOT, startStack, until } from "../support/stack.mjs";
import { SERVERS, put, startServer } from "../support/servers.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { exchange } from "../support/http.mjs";
import { ask, handshake, problem, sleep } from "./help.mjs";

const SOON = 1000; // ms from a message to the end of the waiting answer
const IMMUTABLE = "public, max-age=31536000, immutable";
const SECURITY = {
	"x-content-type-options": "nosniff",
	"referrer-policy": "same-origin",
	"cross-origin-opener-policy": "same-origin",
	"cross-origin-resource-policy": "same-origin",
};
const POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"; // the programs' own, of both
const THREADS = 8; // of pulsechat-api
const PARKED = 300; // ms until a request that is held has surely arrived
const servers = {};
const rungs = Object.fromEntries(Object.keys(SERVERS).map((n) => [n, {}]));
// Each server has a person and a private channel of its own: what is said behind one wakes no poll behind another.
const people = {};
let stack, alice, assets, htdocs;

before(async () => {
	stack = await startStack({ front: "lighttpd", conf: { "log.level": "debug", "api.threads": THREADS } });
	alice = { token: await stack.token("alice", ["read", "write"]) };
	for (const [i, name] of Object.keys(SERVERS).entries()) {
		const handle = `person${i}`;
		await stack.cli(["user", "add", handle]);
		const token = await stack.token(handle, ["read", "write"]);
		const me = { handle, token, bearer: { authorization: `Bearer ${token}` } };
		const { user } = (await exchange(`${stack.url}/api/v1/me`, { headers: me.bearer })).json;
		me.channel = (await say("/api/v1/channels", { name, kind: "private", members: [user.id] })).json.id;
		people[name] = me;
	}
	const all = Object.keys(SERVERS).map(async (name) => (servers[name] = await startServer(name, stack)));
	for (const one of await Promise.allSettled(all)) if (one.reason) throw one.reason; // all have started, or not
	htdocs = join(ROOT, "build/htdocs");
	assets = readdirSync(join(htdocs, "assets"));
});
after(async () => {
	await Promise.all(Object.values(servers).map((s) => s.stop()));
	await stack?.stop();
	table();
});

/** Alice's, by the stack's own lighttpd. */
async function say(path, body) {
	const text = JSON.stringify(body);
	const authorization = `Bearer ${alice.token}`;
	const headers = { authorization, "content-type": "application/json", "content-length": Buffer.byteLength(text) };
	const answer = await exchange(stack.url + path, { method: "POST", headers, body: text });
	assert.equal(answer.status, 201, answer.text);
	return answer;
}

/** Alice says something in the channel of that server's person; resolves with the time when it was acknowledged. */
async function message({ name }, text) {
	await say(`/api/v1/channels/${people[name].channel}/messages`, { client_id: randomUUID(), body: { text } });
	return performance.now();
}

const lines = (text) => text.split("\n").filter(Boolean).map((l) => JSON.parse(l));

/** All answers have each of these headers once. */
function secured(answer, what) {
	for (const [name, value] of Object.entries(SECURITY)) assert.deepEqual(answer.all[name], [value], `${what}: ${name}`);
	assert.doesNotMatch(answer.headers.server ?? "", /\d/, `${what}: Server tells a version`);
}

/** A poll that waits while a message is sent: {answer, late: ms from the ack to the complete body}. */
async function heldPoll(server, headers = {}) {
	const { bearer } = people[server.name];
	const cursor = (await ask(server, "/api/v1/events", { headers: bearer })).headers["pulsechat-cursor"];
	assert.ok(cursor, `${server.name}: a poll without a cursor gives none`);
	const text = `held ${randomUUID()}`;
	const path = `/api/v1/events?cursor=${cursor}&wait=20&instance=${randomUUID()}`;
	let done;
	const polling = ask(server, path, { headers: { ...bearer, ...headers } }).finally(() => (done = performance.now()));
	await Promise.race([polling, sleep(PARKED)]);
	if (done) assert.fail(`${server.name}: the poll did not wait: ${(await polling).text}`);
	const acked = await message(server, text);
	const answer = await polling;
	assert.equal(answer.status, 200, answer.text);
	assert.ok(lines(answer.text).some((l) => l.type === "message" && l.body.text === text), answer.text);
	return { answer, late: done - acked, path, text };
}

/** TR-3: the body is whole in under a second, for this request alone. */
async function pollsAtOnce(server, headers) {
	const { bearer } = people[server.name];
	const { answer, late, path, text } = await heldPoll(server, headers);
	assert.ok(late < SOON, `${server.name}: ${late} ms`);
	assert.equal(answer.headers["cache-control"], "no-store");
	assert.equal(lines(answer.text).at(-1).type, "cursor");
	assert.equal(lines(answer.text).at(-1).cursor, answer.headers["pulsechat-cursor"]);
	const again = await ask(server, path, { headers: { ...bearer, ...headers } });
	assert.notEqual(again.headers["pulsechat-request-id"], answer.headers["pulsechat-request-id"], "a cached answer");
	assert.equal(again.headers.age, undefined);
	assert.ok(lines(again.text).some((l) => l.body?.text === text));
	assert.ok(again.ms < SOON, `${server.name}: ${again.ms} ms for what is there already`);
	return answer;
}

/** A stream: its first line, then a message, each without delay. */
async function streamsAtOnce(server) {
	const { bearer } = people[server.name];
	const abort = new AbortController();
	const text = `streamed ${randomUUID()}`;
	let got = "";
	const began = performance.now();
	const stream = ask(server, `/api/v1/events?instance=${randomUUID()}`, {
		headers: { ...bearer, accept: "text/event-stream" },
		signal: abort.signal,
		onText: (all, res) => {
			assert.match(res.headers["content-type"], /^text\/event-stream/);
			got = all;
		},
	});
	stream.catch(() => {}); // it is cut below
	await until(() => got.includes("hello"), { ms: 10000, what: `${server.name}: the stream's first line` });
	const first = performance.now() - began;
	assert.ok(first < SOON, `${server.name}: the first line took ${first} ms`);
	const acked = await message(server, text);
	await until(() => got.includes(text), { ms: 10000, every: 5, what: `${server.name}: a message on the stream` });
	const late = performance.now() - acked;
	abort.abort();
	assert.ok(late < SOON, `${server.name}: ${late} ms`);
}

describe("web servers", { concurrency: 2 }, () => {
	for (const name of Object.keys(SERVERS)) describe(name, { concurrency: 1 }, () => of(name));
});

function of(name) {
	const { realtime, kind, api } = SERVERS[name];
	const held = realtime || name.endsWith("fastcgi-only"); // a CGI program or a mod_fcgid one answers polls at once
	let server, token, bearer, json, mine;
	before(() => {
		server = servers[name];
		({ token, bearer, channel: mine } = people[name]);
		json = { ...bearer, "content-type": "application/json" };
	});

	test(`${name}: FC-1 a token reaches the API over IPv4 and IPv6; neighbouring paths answer as what they are`, async () => {
		for (const v6 of [false, true]) {
			const me = await ask(server, "/api/v1/me", { v6, headers: bearer });
			assert.equal(me.status, 200, me.text);
			assert.equal(me.json.user.handle, people[name].handle);
			secured(me, "me");
			assert.deepEqual(me.all["content-security-policy"], [POLICY]);
			problem(await ask(server, "/api/v1/me", { v6 }), 401, "unauthenticated");
			assert.equal((await ask(server, "/healthz", { v6 })).json.status, "ok");
		}
		// a provider's access token may be long
		for (const path of ["/api/v1/me", "/api/v1/events"])
			problem(await ask(server, path, { headers: { authorization: `Bearer ${"a".repeat(6000)}.b.c` } }), 401, "unauthenticated");
		for (const [query, status] of [["", 200], ["?cursor=x", 400]]) {
			const r = await ask(server, `/api/v1/events${query}`, { headers: bearer });
			assert.equal(r.status, status);
			secured(r, `events${query}`);
			assert.deepEqual(r.all["content-security-policy"], [POLICY]);
			assert.deepEqual(r.all["cache-control"], ["no-store"]);
			assert.equal(r.all["pulsechat-request-id"]?.length, 1);
		}
		rungs[name].REST = "yes";
		for (const path of ["/api/v1/wsx", "/api/v1/eventsx", "/api/v1/ws/x", "/api/v1/nothing", "/api/v2/me"])
			problem(await ask(server, path, { headers: bearer }), 404, "not_found");
		const plain = await ask(server, "/api/v1/ws", { headers: bearer });
		if (!realtime) {
			// said by the API, the same as past the web server
			const direct = await fcgiRequest(stack.socket("api1"), { path: "/api/v1/ws", token });
			assert.deepEqual([plain.status, plain.json.code], [direct.status, direct.json.code]);
			assert.ok(plain.status >= 400);
			const shaken = await handshake(server, token);
			assert.equal(shaken.status, plain.status);
			rungs[name].WebSocket = `no: ${plain.status}`;
			return;
		}
		problem(plain, 426, "upgrade_required");
		assert.ok(plain.ms < SOON, `426 took ${plain.ms} ms`);
		secured(plain, "426");
		for (const v6 of [false, true]) {
			const { hello, socket } = await handshake(server, token, { v6 });
			assert.equal(hello?.type, "hello");
			socket.terminate();
		}
		problem(await ask(server, "/api/v1/events?cursor=x", { headers: bearer }), 400, "bad_cursor");
		problem(await ask(server, "/api/v1/events"), 401, "unauthenticated");
		rungs[name].WebSocket = "yes";
	});

	test(`${name}: TR-3 a poll's answer is there at once, whole, with and without compression asked for`, async () => {
		if (held) {
			await pollsAtOnce(server, {});
			secured(await pollsAtOnce(server, { "accept-encoding": "gzip, br" }), "poll");
			rungs[name]["long-poll"] = "yes";
		}
		const first = await ask(server, "/api/v1/events", { headers: bearer });
		const text = `plain ${randomUUID()}`;
		await message(server, text);
		const path = `/api/v1/events?cursor=${first.headers["pulsechat-cursor"]}&wait=0`;
		// the process that answers may still be about to hear of it
		const then = await until(async () => {
			const r = await ask(server, path, { headers: bearer });
			assert.equal(r.status, 200, r.text);
			return lines(r.text).some((l) => l.body?.text === text) && r;
		});
		assert.equal(then.headers["cache-control"], "no-store");
		if (!held) assert.ok((await ask(server, "/api/v1/events?wait=20", { headers: bearer })).ms < 5000, "held a process");
		rungs[name]["plain poll"] = "yes";
	});

	test(`${name}: TR-3 server-sent events are not held back, or are refused at once`, async () => {
		if (realtime) {
			await streamsAtOnce(server);
			rungs[name].SSE = "yes";
			return;
		}
		const refused = await ask(server, "/api/v1/events", { headers: { ...bearer, accept: "text/event-stream" } });
		problem(refused, 406, "not_acceptable");
		rungs[name].SSE = "no: 406";
	});

	test(`${name}: bodies arrive: chunked, too large by the program's limit, by the server's; and every method`, async () => {
		const path = `/api/v1/channels/${mine}/messages`;
		const body = JSON.stringify({ client_id: randomUUID(), body: { text: "in pieces: é 😀" } });
		const sent = await ask(server, path, { method: "POST", headers: json, chunks: [body.slice(0, 20), body.slice(20)] });
		assert.equal(sent.status, 201, sent.text);
		assert.equal(sent.json.body.text, "in pieces: é 😀");
		assert.equal(sent.headers.location, `${path}/${sent.json.seq}`);
		problem(await ask(server, path, { method: "POST", headers: json, body: Buffer.alloc(300000, " ") }), 413, "too_large");
		const many = Array.from({ length: 10 }, () => Buffer.alloc(30000, " "));
		problem(await ask(server, path, { method: "POST", headers: json, chunks: many }), 413, "too_large");
		problem(await ask(server, path, { method: "POST", headers: json, body: Buffer.alloc(2 << 20, " ") }), 413, "too_large");
		const over = await ask(server, path, { method: "POST", headers: json, declare: 5 << 20 });
		assert.equal(over.status, 413);
		assert.equal(over.headers["content-type"], "application/problem+json");
		assert.equal(over.json.status, 413);

		const read = await ask(server, `/api/v1/channels/${mine}/read`, { method: "PUT", headers: json, body: '{"seq":1}' });
		assert.equal(read.status, 200, read.text);
		const made = await ask(server, "/api/v1/channels", { method: "POST", headers: json, body: `{"kind":"private","name":"own ${name}"}` });
		assert.equal(made.status, 201, made.text);
		const left = await ask(server, `/api/v1/channels/${made.json.id}/members/999999`, { method: "DELETE", headers: bearer });
		assert.equal(left.status, 204, left.text);
		const options = await ask(server, "/api/v1/me", { method: "OPTIONS" });
		assert.deepEqual([options.status, options.headers.allow], [204, "GET, HEAD, PATCH, OPTIONS"]);
		const settings = await ask(server, "/api/v1/me/settings", { method: "PATCH", headers: json, body: '{"read_receipts":true}' });
		assert.deepEqual([settings.status, settings.json.read_receipts], [200, true], settings.text);
		problem(await ask(server, "/api/v1/limits", { method: "PATCH", headers: json, body: "{}" }), 405, "method_not_allowed");
		problem(await ask(server, "/api/v1/me", { method: "DELETE", headers: bearer }), 405, "method_not_allowed");
		const get = await ask(server, "/api/v1/limits"), head = await ask(server, "/api/v1/limits", { method: "HEAD" });
		assert.deepEqual([head.status, head.text, head.headers["content-length"]], [200, "", get.headers["content-length"]]);
		const same = await ask(server, "/api/v1/limits", { headers: { "if-none-match": get.headers.etag } });
		assert.deepEqual([same.status, same.text], [304, ""]);
	});

	test(`${name}: bodies that come slowly hold up nobody else`, async () => {
		const abort = new AbortController();
		const slow = { method: "POST", headers: json, declare: 1000, signal: abort.signal };
		const waiting = Array.from({ length: 2 * THREADS }, () => ask(server, `/api/v1/channels/${mine}/messages`, slow).catch(() => "cut"));
		await sleep(PARKED);
		for (let i = 0; i < 4; i++) {
			const me = await ask(server, "/api/v1/me", { headers: bearer });
			assert.equal(me.status, 200);
			if (api !== "cgi") assert.ok(me.ms < SOON, `${me.ms} ms`); // there each is a process, and held up by the others' start
		}
		abort.abort();
		assert.deepEqual(new Set(await Promise.all(waiting)), new Set(["cut"]));
	});

	test(`${name}: paths, queries and cookies arrive as they were sent`, async () => {
		for (const path of [`/api/v1/channels%2F${mine}`, `/api/v1/channels/${mine}%2Fmessages`, "/api/v1/me%2f", "/api/v1//me", "//api/v1/me"]) {
			const r = await ask(server, path, { headers: bearer });
			if (path.startsWith("//")) assert.ok(!/"handle"/.test(r.text), path); // a page of the client, or none
			else problem(r, 404, "not_found");
		}
		assert.equal((await ask(server, "/api/v1/%6de", { headers: bearer })).status, 200);
		const odd = await ask(server, "/api/v1/users?q=a%2Fb%26%3D%2B%25", { headers: bearer });
		assert.deepEqual([odd.status, odd.json.users], [200, []]);
		const long = { ...bearer, cookie: `other=${"x".repeat(7000)}` };
		assert.equal((await ask(server, "/api/v1/me", { headers: long })).status, 200);
		assert.equal((await ask(server, `/api/v1/users?q=${"a".repeat(60)}`, { headers: long })).status, 200);
		if (realtime) {
			assert.equal((await ask(server, "/api/v1/events", { headers: long })).status, 200);
			const { hello, socket } = await handshake(server, token, { headers: long });
			assert.equal(hello?.type, "hello");
			socket.terminate();
		}
		const tooLong = await ask(server, "/api/v1/me", { headers: { ...bearer, cookie: `x=${"y".repeat(15000)}`, "x-more": "z".repeat(15000) } });
		assert.ok([400, 413, 431].includes(tooLong.status), `${tooLong.status} for 30 KB of headers`);
	});

	test(`${name}: a client's word about its own address is not believed`, async () => {
		const client = await clientSeen(server, { "x-forwarded-for": "203.0.113.9", "x-real-ip": "203.0.113.9", forwarded: "for=203.0.113.9" });
		assert.equal(client, "127.0.0.1");
		assert.equal(await clientSeen(server, {}, true), "::1");
	});

	if (realtime)
		test(`${name}: the realtime process hears the client's own address and the site's name`, async () => {
			const seen = [];
			const path = join(stack.runDir, `heard-${name}.sock`);
			const listener = createServer((req, res) => {
				seen.push(req.headers);
				res.writeHead(404, { "content-length": 0 }).end();
			}).listen(path);
			await once(listener, "listening");
			chmodSync(path, 0o666);
			const other = await startServer(name, stack, { realtime: [`heard-${name}`] });
			try {
				for (const [v6, own] of [[false, "127.0.0.1"], [true, "::1"]]) {
					const spoofed = { "x-forwarded-for": "203.0.113.9", "x-forwarded-host": "evil.test", forwarded: "for=203.0.113.9" };
					await ask(other, "/api/v1/events", { v6, headers: { ...bearer, ...spoofed } });
					const heard = seen.at(-1);
					assert.equal(heard["x-forwarded-for"], own);
					assert.equal(heard.host, stack.host);
					assert.equal(heard.authorization, bearer.authorization);
					assert.doesNotMatch(JSON.stringify(heard), /203\.0\.113\.9|evil/);
				}
			} finally {
				await other.stop();
				listener.close();
			}
		});

	test(`${name}: the web client's files: types, caching, compression, ranges, revalidation`, () => files(server, kind));

	test(`${name}: pages: the policy, no-cache, the client's paths, and nothing from outside the folder`, async () => {
		const index = readFileSync(join(htdocs, "index.html"));
		for (const path of ["/", "/index.html", "/c/12", "/sign-in", "/c/12?x=a.b"]) {
			const r = await ask(server, path);
			assert.equal(r.status, 200, path);
			assert.ok(r.plain.equals(index), `${path} is not the client's page`);
			assert.match(r.headers["content-type"], /^text\/html; ?charset=utf-8$/i);
			assert.deepEqual(r.all["cache-control"], ["no-cache"], path);
			assert.deepEqual(r.all["content-security-policy"]?.length, 1);
			const connect = `connect-src 'self' ws://${stack.host} ${stack.filesUrl};`;
			assert.match(r.headers["content-security-policy"], new RegExp(`default-src 'none'.*${connect}`));
			assert.ok(r.all["permissions-policy"]);
			secured(r, path);
		}
		const outside = ["/assets/..%2f..%2fpulsechat.conf", "/..%2f..%2f..%2fetc/passwd"];
		for (const path of ["/robots.txt", "/assets/", "/assets/x.js", "/index.html/x.y", ...outside]) {
			const r = await ask(server, path);
			// a path that leads out of the folder may be taken for a page of the client, where a server puts it in order first
			if (!/passwd/.test(path) || r.status !== 200) assert.ok([400, 403, 404].includes(r.status), `${path}: ${r.status}`);
			else assert.ok(r.plain.equals(index), path);
			assert.doesNotMatch(r.headers["cache-control"] ?? "", /immutable|max-age=[1-9]/, path);
			assert.doesNotMatch(r.text, /root:|\[site\]/);
			if (r.status !== 400) secured(r, path);
		}
	});
}

/** The client's address as the API saw it, from its log. */
async function clientSeen(server, headers, v6 = false) {
	const mark = randomUUID();
	problem(await ask(server, `/api/v1/${mark}`, { v6, headers: { ...people[server.name].bearer, ...headers } }), 404, "not_found");
	const line = new RegExp(`request .*path="/api/v1/${mark}".* client=(\\S*) user`);
	return until(() => line.exec(stack.log("api1") + server.log())?.[1], { what: `the request in a log, ${server.name}` });
}

async function files(server, kind) {
	const types = { js: /^text\/javascript; ?charset=utf-8$/i, css: /^text\/css; ?charset=utf-8$/i, svg: /^image\/svg\+xml$/ };
	for (const file of assets) {
		const path = `/assets/${file}`, content = readFileSync(join(htdocs, "assets", file));
		const plain = await ask(server, path);
		assert.equal(plain.status, 200);
		assert.ok(plain.bytes.equals(content), path);
		assert.equal(plain.headers["content-encoding"], undefined);
		assert.match(plain.headers["content-type"], types[file.split(".").at(-1)]);
		assert.deepEqual(plain.all["cache-control"], [IMMUTABLE], path);
		secured(plain, path);
		if (content.length > 1000)
			for (const coding of kind === "nginx" ? ["gzip"] : ["br", "gzip"]) {
				const packed = await ask(server, path, { headers: { "accept-encoding": coding } });
				assert.equal(packed.headers["content-encoding"], coding, path);
				assert.ok(packed.plain.equals(content), `${path} ${coding}`);
				assert.ok(packed.bytes.length < content.length * 0.7);
				assert.match(packed.headers.vary ?? "", /accept-encoding/i);
				assert.deepEqual(packed.all["cache-control"], [IMMUTABLE], path);
				const same = await ask(server, path, { headers: { "accept-encoding": coding, "if-none-match": packed.headers.etag } });
				assert.deepEqual([same.status, same.bytes.length], [304, 0], `${path} ${coding} ${packed.headers.etag}`);
			}
		const head = await ask(server, path, { method: "HEAD" });
		assert.deepEqual([head.status, head.bytes.length, Number(head.headers["content-length"])], [200, 0, content.length]);
		const part = await ask(server, path, { headers: { range: "bytes=10-19" } });
		assert.deepEqual([part.status, part.headers["content-range"]], [206, `bytes 10-19/${content.length}`]);
		assert.ok(part.bytes.equals(content.subarray(10, 20)));
		const same = await ask(server, path, { headers: { "if-none-match": plain.headers.etag } });
		assert.deepEqual([same.status, same.bytes.length], [304, 0]);
		const since = await ask(server, path, { headers: { "if-modified-since": plain.headers["last-modified"] } });
		assert.equal(since.status, 304);
	}
}

// --- what needs another configuration of the server

/** Examples with the server's own buffering, and everything compressed that can be. */
const DEFAULTS = {
	lighttpd: (text, file) =>
		file === "lighttpd/site.conf"
			? put(text, file, [
					[
						'proxy.balance = "least-connection"',
						`proxy.balance = "least-connection"
	deflate.mimetypes = ( "" )
	deflate.allowed-encodings = ( "gzip" )
	deflate.min-compress-size = 1`,
					],
				])
			: text,
	nginx: (text, file) =>
		file === "nginx/realtime.conf"
			? put(text, file, [
					["proxy_buffering off;", ""],
					["gzip off;", "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;"],
				])
			: text,
	"apache-proxy_fcgi": (text, file) => (file === "apache/site.conf" ? `${text}\nSetOutputFilter DEFLATE\n` : text),
};

describe("with the server's default buffering and compression on", { concurrency: 2 }, () => {
	for (const [name, change] of Object.entries(DEFAULTS))
		test(`${name}: TR-3 a poll's answer is there at once, compressed too`, async () => {
			const server = await startServer(name, stack, { change });
			try {
				await pollsAtOnce(server, {});
				const packed = await pollsAtOnce(server, { "accept-encoding": "gzip" });
				assert.equal(packed.headers["content-encoding"], "gzip", "compression is not on: nothing is proved");
				await streamsAtOnce(server);
			} finally {
				await server.stop();
			}
		});
});

/** The examples' lines for a proxy of one's own in front, with its address put in. */
const TRUSTED = {
	lighttpd: (address) => (text, file) =>
		file === "lighttpd/site.conf" ? `server.modules += ( "mod_extforward" )\n${text}\n${trustLines("lighttpd", address)}` : text,
	nginx: (address) => (text, file) => (file === "nginx/site.conf" ? `${trustLines("nginx", address)}\n${text}` : text),
	"apache-proxy_fcgi": (address) => (text, file) => (file === "apache/site.conf" ? `${trustLines("apache", address)}\n${text}` : text),
};
TRUSTED["apache-fcgid"] = TRUSTED["apache-proxy_fcgi"];

/** What stands commented out in a shipped example, for this address. */
function trustLines(folder, address) {
	const text = readFileSync(join(ROOT, "conf", folder, "pulsechat.conf"), "utf8");
	const found = [...text.matchAll(/^\s*# ((?:set_real_ip_from|real_ip_header|RemoteIP\w+|extforward\.\w+) .*)$/gm)].map((m) => m[1]);
	assert.equal(found.length, 2, `${folder}/pulsechat.conf does not say how to trust a proxy`);
	return put(found.join("\n"), folder, [["192.0.2.10", address]]);
}

describe("behind a proxy of one's own", { concurrency: 2 }, () => {
	for (const [name, lines] of Object.entries(TRUSTED))
		test(`${name}: the address comes from the proxy that is trusted, from nobody else`, async () => {
			const inner = await startServer(name, stack, { change: lines("127.0.0.1") });
			let outer;
			try {
				outer = await startServer(name, stack, { change: lines("192.0.2.10") });
				assert.equal(await clientSeen(inner, { "x-forwarded-for": "203.0.113.9" }), "203.0.113.9");
				assert.equal(await clientSeen(inner, { "x-forwarded-for": "198.51.100.1, 203.0.113.9" }), "203.0.113.9", "the nearest counts");
				assert.equal(await clientSeen(inner, {}), "127.0.0.1");
				assert.equal(await clientSeen(outer, { "x-forwarded-for": "203.0.113.9" }), "127.0.0.1");
			} finally {
				await Promise.all([inner.stop(), outer?.stop()]);
			}
		});
});

test("FC-1 no example names localhost as an upstream", () => {
	for (const folder of ["lighttpd", "nginx", "apache", "cgi"])
		for (const name of readdirSync(join(ROOT, "conf", folder))) {
			if (!/\.(conf|cgi|in)$/.test(name)) continue;
			const text = readFileSync(join(ROOT, "conf", folder, name), "utf8").replace(/^\s*#.*$/gm, "");
			assert.doesNotMatch(text, /localhost/i, `conf/${folder}/${name}`);
		}
});

function table() {
	const columns = ["REST", "WebSocket", "SSE", "long-poll", "plain poll"];
	const row = (name, cells) => `${name.padEnd(24)}${columns.map((c) => (cells[c] ?? "no").padEnd(12)).join("")}`.trimEnd();
	console.log(row("", Object.fromEntries(columns.map((c) => [c, c]))));
	for (const [name, cells] of Object.entries(rungs)) console.log(row(name, cells));
}
