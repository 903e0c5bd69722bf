// rate: limits by session and by address, to the request, in both programs; what is told of them.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawn, execFile } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { tcpReady } from "../../conf/run/stack.mjs";
import { startStack, until } from "../support/stack.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { bot, client, exchange } from "../support/http.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { ok, problem } from "./help.mjs";

const run = promisify(execFile);
const SESSION = 60, ADDRESS = 40, LOGIN = 4, CALLS = 3, GUESS = 5;
let stack;

before(async () => {
	stack = await startStack({
		api: 2,
		realtime: 2,
		conf: {
			rate: { session: SESSION, address: ADDRESS, login: LOGIN, calls: CALLS, guess: GUESS },
			"api.trusted_proxies": "127.0.0.1 192.0.2.200",
		},
	});
});
after(() => stack?.stop());

/** As one address: env REMOTE_ADDR. */
const from = (address, path, options = {}, name = "api1") =>
	fcgiRequest(stack.socket(name), { path, ...options, env: { REMOTE_ADDR: address, HTTP_X_FORWARDED_FOR: "", ...options.env } });
/** The same, as a CGI program. */
async function cgi(address, path, { token } = {}) {
	const env = {
		...{ ...process.env, ...stack.env, GATEWAY_INTERFACE: "CGI/1.1", SERVER_PROTOCOL: "HTTP/1.1" },
		...{ REQUEST_METHOD: "GET", REQUEST_URI: path, QUERY_STRING: path.split("?")[1] ?? "", REMOTE_ADDR: address },
		...(token ? { HTTP_AUTHORIZATION: `Bearer ${token}` } : {}),
	};
	const child = run(stack.program("pulsechat-api"), ["-c", stack.confPath], { env });
	child.child.stdin.end();
	const { stdout, stderr } = await child;
	assert.doesNotMatch(stderr, /rate\.table/);
	return { status: Number(/^Status: (\d+)/.exec(stdout)[1]), text: stdout };
}
/** A poll of a pulsechat-realtime, past the web server. */
const there = (n) => (address, path, { token } = {}) => {
	const headers = { "x-forwarded-for": address, authorization: `Bearer ${token}`, connection: "close" };
	return exchange(`${stack.url}/api/v1/events?wait=0`, { socketPath: stack.socket(`realtime${n}`), headers });
};
const guess = () => `pct_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;
const left = (r) => Number(/;r=(\d+)/.exec(r.headers.ratelimit)?.[1]);

test("a session's requests: the last that is let through, the first that is not, and when to come back; no other session's", async () => {
	const [alice, other] = [await bot(stack, "alice"), await bot(stack, "alice")];
	const start = Date.now();
	const answers = [];
	for (let i = 0; i < SESSION; i++) answers.push(await alice.get("/api/v1/me"));
	const spent = Math.floor((Date.now() - start) / 1000); // one comes back each second
	assert.deepEqual(new Set(answers.map((r) => r.status)), new Set([200]));
	assert.equal(answers[0].headers["ratelimit-policy"], `"session";q=${SESSION};w=60`);
	assert.match(answers[0].headers.ratelimit, /^"session";r=59;t=1$/);
	for (let i = 1; i < SESSION; i++) assert.ok(left(answers[i]) <= left(answers[i - 1]) + 1);
	assert.ok(left(answers.at(-1)) <= spent);
	let last;
	await until(async () => (last = await alice.get("/api/v1/me")).status === 429, { what: "over it" });
	problem(last, 429, "rate_limited");
	assert.equal(last.headers["retry-after"], "1");
	assert.match(last.headers.ratelimit, /^"session";r=0;t=60$/);
	ok(await other.get("/api/v1/me"));
	await until(async () => (await alice.get("/api/v1/me")).status === 200, { what: "a token a second" });
	const listed = ok(await client(stack).get("/api/v1/limits")).rates;
	assert.deepEqual(listed, {
		session: { quota: SESSION, window: 60 },
		address: { quota: ADDRESS, window: 60 },
		login: { quota: LOGIN, window: 60 },
		calls: { quota: CALLS, window: 60 },
		guess: { quota: GUESS, window: 60 },
	});
});

test("ops: each line of a POST counts, each line of a WebSocket too; over it an op is told so by itself, and later goes again", async () => {
	const who = await bot(stack, "bob");
	const lines = (n) => Array.from({ length: n }, (_, i) => JSON.stringify({ op: "ping", ref: `${i}` })).join("\n");
	const post = async (n) => {
		const r = await who.post("/api/v1/ops", lines(n), { headers: { "content-type": "application/x-ndjson" } });
		return r.text.trim().split("\n").map((l) => JSON.parse(l));
	};
	const start = Date.now();
	const ws = await openWs(who); // one
	const half = SESSION / 2;
	for (let i = 1; i < half; i++) assert.equal((await ws.call({ op: "ping" })).type, "pong");
	const answers = await post(half + 5);
	const back = Math.floor((Date.now() - start) / 1000);
	assert.equal(answers.length, half + 5);
	assert.deepEqual(new Set(answers.slice(0, half).map((a) => a.type)), new Set(["pong"]));
	for (const a of answers.slice(half + back)) assert.equal(a.code, "rate_limited");
	const after = answers.at(-1).retry_after;
	assert.ok(after > 0 && after <= 1, `${after}`);
	let refused;
	await until(async () => (refused = await ws.call({ op: "ping" })).type === "error", { what: "the other program knows" });
	assert.equal(refused.code, "rate_limited");
	assert.ok(refused.retry_after > 0 && refused.retry_after <= 1, `${refused.retry_after}`);
	let over;
	await until(async () => (over = await poll(who, { wait: 0 })).status === 429, { what: "polls too" });
	problem({ ...over, json: over.problem }, 429, "rate_limited");
	await until(async () => (await ws.call({ op: "ping" })).type === "pong", { what: "a token a second" });
	await ws.close();
});

/** Asks until it is 429; holds that this is after as many as there are, and what has come back meanwhile. */
async function spend(ask, quota = ADDRESS) {
	const start = Date.now();
	for (let n = 0; ; n++) {
		const answer = await ask();
		const back = Math.floor((quota * (Date.now() - start)) / 60000);
		if (answer.status !== 429) assert.ok(n < quota + back, `${n + 1} were let through`);
		else {
			assert.ok(n >= quota, `${n} were let through`);
			return answer;
		}
	}
}

/** The same bucket is as good as empty: what has come back meanwhile is gone after a few. */
async function dry(ask) {
	for (let n = 0; (await ask()).status !== 429; n++) assert.ok(n < ADDRESS / 2, "this is another bucket");
}

test("an address: IPv6 by /64, by the word of a trusted proxy alone, and none that is only a proxy's", async () => {
	problem(await spend(() => from("203.0.113.1", "/api/v1/nothing")), 429, "rate_limited");
	await dry(() => from("203.0.113.1", "/api/v1/site", { env: { HTTP_X_FORWARDED_FOR: "203.0.113.77" } }));
	assert.equal((await from("203.0.113.2", "/api/v1/site")).status, 200);
	let n = 0;
	const over = await spend(() => from(`2001:db8::${(++n).toString(16)}:1`, "/api/v1/site"));
	assert.equal(over.headers["ratelimit-policy"], `"address";q=${ADDRESS};w=60`);
	assert.equal((await from("2001:db8:0:1::1", "/api/v1/site")).status, 200);
	const proxied = { env: { HTTP_X_FORWARDED_FOR: "203.0.113.1, 198.51.100.7" } };
	await spend(() => from("192.0.2.200", "/api/v1/site", proxied));
	await dry(() => from("198.51.100.7", "/api/v1/site"));
	for (let i = 0; i <= ADDRESS; i++) assert.equal((await from("192.0.2.200", "/api/v1/site")).status, 200);
	// the realtime process, behind its socket
	const token = await stack.token("carol");
	const realtime = (address, by = token) => there(1)(address, "", { token: by });
	await spend(() => realtime("203.0.113.50"));
	assert.equal((await realtime("203.0.113.51")).status, 200);
	for (let i = 0; i < GUESS; i++) assert.equal((await realtime("203.0.113.52", guess())).status, 401);
	assert.equal((await realtime("203.0.113.52", guess())).status, 429);
	assert.equal((await realtime("203.0.113.52")).status, 200, "it was good a moment ago");
});

const everywhere = () => [
	from,
	(address, path, o) => from(address, path, o, "api2"),
	there(1),
	there(2),
	cgi,
];

/** Holds that of these answers so many are no 429 as the quota says, and as have come back since `start`. */
function exactly(quota, start, answers, what) {
	const passed = answers.filter((r) => r.status !== 429).length, back = Math.floor((quota * (Date.now() - start)) / 60000);
	assert.ok(passed >= quota && passed <= quota + back, `${what}: ${passed} of ${quota} (and ${back}) were let through`);
}

test("two pulsechat-api, two pulsechat-realtime and CGI programs share one limit: together they let through what one would", async () => {
	const all = everywhere(), [token, other] = [await stack.token("dave"), await stack.token("dave")];
	// of a session, from everywhere at once
	let start = Date.now();
	const asks = Array.from({ length: SESSION + 25 }, (_, i) => i);
	const ask = (i) => all[i % (i % 10 ? 4 : 5)](`2001:db8:0:${i.toString(16)}::1`, "/api/v1/me", { token });
	const answers = [];
	for (let i = 0; i < asks.length; i += 17) answers.push(...(await Promise.all(asks.slice(i, i + 17).map(ask))));
	exactly(SESSION, start, answers, "session");
	// of an address
	start = Date.now();
	const more = Array.from({ length: ADDRESS + 10 }, (_, i) => all[i % 10 ? i % 4 : 4]("203.0.113.60", "/api/v1/me", { token: other }));
	exactly(ADDRESS, start, await Promise.all(more), "address");
	// wrong credentials, one after the other: each process knows of those before
	start = Date.now();
	const wrong = [];
	for (let i = 0; i < GUESS + 5; i++) wrong.push(await all[i % 5]("203.0.113.61", "/api/v1/me", { token: guess() }));
	exactly(GUESS, start, wrong, "guess");
	assert.deepEqual(new Set(wrong.map((r) => r.status)), new Set([401, 429]));
	// steps of signing in
	start = Date.now();
	const steps = Array.from({ length: LOGIN + 5 }, (_, i) => [all[0], all[1], cgi][i % 3]("203.0.113.62", "/auth/login"));
	exactly(LOGIN, start, await Promise.all(steps), "login");
	// and CGI programs alone
	start = Date.now();
	const alone = [];
	for (let i = 0; i < GUESS + 2; i++) alone.push(await cgi("203.0.113.63", "/api/v1/me", { token: guess() }));
	exactly(GUESS, start, alone, "guess by CGI");
	assert.match(alone.at(-1).text, new RegExp(`RateLimit-Policy: "guess";q=${GUESS};w=60`));
});

test("what pulsechat-realtime answers tells of the limit too: a poll, an event stream, what it refuses", async () => {
	const who = await bot(stack, "erin");
	const ask = (headers, path = "/api/v1/events?wait=0") =>
		exchange(`${stack.url}${path}`, { socketPath: stack.socket("realtime1"), headers: { connection: "close", ...headers } });
	const mine = { authorization: `Bearer ${who.token}` };
	const first = await ask(mine);
	assert.deepEqual([first.headers["ratelimit-policy"], left(first)], [`"session";q=${SESSION};w=60`, SESSION - 1]);
	const held = await ask(mine, `/api/v1/events?wait=1&cursor=${first.headers["pulsechat-cursor"]}`);
	assert.match(held.headers.ratelimit, /^"session";r=\d+;t=\d+$/);
	const stream = new AbortController();
	const head = await new Promise((ok, no) => {
		const headers = { ...mine, accept: "text/event-stream" };
		const options = { socketPath: stack.socket("realtime1"), path: "/api/v1/events", signal: stream.signal, headers };
		get(options, (res) => (res.on("error", () => {}), ok(res))).on("error", no);
	});
	assert.equal(head.headers["ratelimit-policy"], `"session";q=${SESSION};w=60`);
	stream.abort();
	// no session: the address, where it is known; nothing where it is not
	const stranger = { authorization: `Bearer ${guess()}` };
	assert.equal((await ask({ ...stranger, "x-forwarded-for": "203.0.113.90" })).headers["ratelimit-policy"], `"address";q=${ADDRESS};w=60`);
	const unknown = await ask(stranger);
	assert.deepEqual([unknown.status, unknown.headers.ratelimit], [401, undefined]);
	let over;
	await until(async () => (over = await ask(mine)).status === 429, { what: "over it" });
	problem(over, 429, "rate_limited");
	assert.match(over.headers["retry-after"], /^\d+$/);
	assert.match(over.headers.ratelimit, /^"session";r=0;t=60$/);
	// behind the web server once
	const behind = await client(stack, { token: await stack.token("erin") }).get("/api/v1/events?wait=0");
	assert.match(behind.headers.ratelimit, /^"session";r=\d+;t=1$/);
});

test("a poll that pulsechat-api parks tells of the limit as well", async () => {
	const token = await stack.token("erin");
	const first = await from("203.0.113.91", "/api/v1/events?wait=0", { token });
	const held = from("203.0.113.91", `/api/v1/events?wait=1&cursor=${first.headers["pulsechat-cursor"]}`, { token });
	for (const r of [first, await held]) {
		assert.equal(r.status, 200);
		assert.equal(r.headers["ratelimit-policy"], `"session";q=${SESSION};w=60`);
		assert.match(r.headers.ratelimit, /^"session";r=\d+;t=\d$/);
	}
});

test("a process that is killed and started again has forgotten nothing", async () => {
	for (let i = 0; i < LOGIN; i++) assert.equal((await from("203.0.113.70", "/auth/login")).status, 302);
	await stack.kill("api1", "SIGKILL");
	stack.forgive("api1");
	await stack.up("api1");
	assert.equal((await from("203.0.113.70", "/auth/login")).status, 429);
});

test("doctor says whether the table is one; without it each process counts for itself, and says so once", async () => {
	const table = join(stack.runDir, "rate");
	assert.equal(statSync(table).mode & 0o777, 0o600);
	const doctor = async (env = {}) => (await stack.cli(["doctor"], { env: { ...process.env, ...stack.env, ...env } }).catch((e) => e)).stdout;
	assert.match(await doctor(), new RegExp(`^ok +limits: .* together in ${table}$`, "m"));
	assert.match(await doctor({ PULSECHAT_RATE_TABLE: "/nowhere/rate" }), /^FAIL +limits: \/nowhere: No such file/m);
	assert.match(await doctor({ PULSECHAT_RATE_TABLE: "" }), /^ok +limits: .*each process counts for itself/m);
	const env = { ...process.env, ...stack.env, PULSECHAT_RATE_TABLE: "/nowhere/rate", PULSECHAT_API_LISTEN: stack.socket("api3") };
	const alone = spawn(stack.program("pulsechat-api"), ["-c", stack.confPath], { env, stdio: ["ignore", "ignore", "pipe"] });
	let log = "";
	alone.stderr.on("data", (d) => (log += d));
	await until(() => tcpReady(stack.socket("api3")));
	const ask = () => from("203.0.113.80", "/auth/login", {}, "api3");
	for (let i = 0; i < LOGIN; i++) assert.equal((await ask()).status, 302);
	assert.equal((await ask()).status, 429);
	assert.equal((await from("203.0.113.80", "/auth/login")).status, 302);
	alone.kill("SIGTERM");
	await once(alone, "exit");
	assert.equal(log.match(/rate\.table/g)?.length, 1, log);
});

test("signing in is limited more strictly, by a page that says so", async () => {
	for (let i = 0; i < LOGIN; i++) assert.equal((await from("203.0.113.3", "/auth/login")).status, 302, `${i}`);
	const page = await from("203.0.113.3", "/auth/login");
	assert.equal(page.status, 429);
	assert.match(page.headers["content-type"], /^text\/html/);
	assert.match(page.headers["retry-after"], /^\d+$/);
	assert.match(page.text, /Too many sign-ins/);
	assert.equal((await from("203.0.113.3", "/auth/callback?code=x&state=y")).status, 429);
	assert.equal((await from("203.0.113.4", "/auth/login")).status, 302);
});

test("messages that name many are limited by person, whatever way they go; others are not", async () => {
	const [alice, other] = [await bot(stack, "alice"), await bot(stack, "alice")];
	const { id } = ok(await alice.post("/api/v1/channels", { name: "many", kind: "public" }), 201);
	const one = (mentions) => ({ client_id: crypto.randomUUID(), body: { text: "x", mentions } });
	const op = (mentions) => ({ op: "send", channel: id, ...one(mentions) });
	const ndjson = { headers: { "content-type": "application/x-ndjson" } };
	const ws = await openWs(alice);
	ok(await alice.post(`/api/v1/channels/${id}/messages`, one(["channel"])), 201);
	assert.equal(JSON.parse((await other.post("/api/v1/ops", JSON.stringify(op(["here"])), ndjson)).text).type, "ack");
	assert.equal((await ws.call(op(["channel"]))).type, "ack");
	for (const names of [["here"], ["group:1"], ["channel"]])
		problem(await other.post(`/api/v1/channels/${id}/messages`, one(names)), 429, "rate_limited", "body.mentions");
	for (const refused of [JSON.parse((await alice.post("/api/v1/ops", JSON.stringify(op(["here"])), ndjson)).text), await ws.call(op(["channel"]))]) {
		assert.deepEqual([refused.type, refused.code, refused.field], ["error", "rate_limited", "body.mentions"]);
		assert.ok(refused.retry_after > 0);
	}
	ok(await alice.post(`/api/v1/channels/${id}/messages`, one([1])), 201);
	await ws.close();
});

test("guessing: so many wrong tokens, then none is looked up from there but those that were good of late", async () => {
	const [known, fresh] = [await stack.token("carol"), await stack.token("carol")];
	assert.equal((await from("203.0.113.5", "/api/v1/me", { token: known })).status, 200);
	for (let i = 0; i < GUESS; i++) assert.equal((await from("203.0.113.5", "/api/v1/me", { token: guess() })).status, 401);
	const over = await from("203.0.113.5", "/api/v1/me", { token: guess() });
	problem(over, 429, "rate_limited");
	assert.equal(over.headers["ratelimit-policy"], `"guess";q=${GUESS};w=60`);
	assert.equal((await from("203.0.113.5", "/api/v1/me", { token: fresh })).status, 429);
	assert.equal((await from("203.0.113.5", "/api/v1/me", { token: known })).status, 200);
	assert.equal((await from("203.0.113.6", "/api/v1/me", { token: fresh })).status, 200);
	assert.equal((await from("203.0.113.5", "/api/v1/site")).status, 200);
	// one that was good and has ended is no guess
	await stack.psql("select session_revoke(id) from sessions where kind = 'token' and revoked_at is null");
	for (let i = 0; i <= GUESS; i++) assert.equal((await from("203.0.113.7", "/api/v1/me", { token: known })).status, 401);
});
