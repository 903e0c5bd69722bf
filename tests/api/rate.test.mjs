// rate: limits by session and by address, to the request, in both programs; what is told of them.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack, until } from "../support/stack.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { bot, client, exchange } from "../support/http.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { ok, problem } from "./help.mjs";

const SESSION = 60, ADDRESS = 40, LOGIN = 4, GUESS = 5;
let stack;

before(async () => {
	stack = await startStack({
		realtime: 1,
		conf: {
			rate: { session: SESSION, address: ADDRESS, login: LOGIN, guess: GUESS },
			"api.trusted_proxies": "127.0.0.1 192.0.2.200",
		},
	});
});
after(() => stack?.stop());

/** As one address: env REMOTE_ADDR. */
const from = (address, path, options = {}) =>
	fcgiRequest(stack.socket("api1"), { path, ...options, env: { REMOTE_ADDR: address, HTTP_X_FORWARDED_FOR: "", ...options.env } });
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
		guess: { quota: GUESS, window: 60 },
	});
});

test("ops: each line of a POST counts, each line of a WebSocket too; over it an op is told so by itself, and later goes again", async () => {
	const who = await bot(stack, "bob");
	const lines = Array.from({ length: SESSION + 5 }, (_, i) => JSON.stringify({ op: "ping", ref: `${i}` })).join("\n");
	const r = await who.post("/api/v1/ops", lines, { headers: { "content-type": "application/x-ndjson" } });
	const answers = r.text.trim().split("\n").map((l) => JSON.parse(l));
	assert.equal(answers.length, SESSION + 5);
	assert.deepEqual(new Set(answers.slice(0, SESSION).map((a) => a.type)), new Set(["pong"]));
	assert.equal(answers.at(-1).code, "rate_limited");
	const after = answers.at(-1).retry_after;
	assert.ok(after > 0 && after <= 1, `${after}`);
	const ws = await openWs(who); // the other program counts for itself
	let refused;
	for (let i = 0; i < 2 * SESSION && !refused; i++) {
		const a = await ws.call({ op: "ping" });
		if (a.type === "error") refused = { a, i };
	}
	assert.ok(refused.i >= SESSION - 1, `${refused.i}`); // the handshake was one
	assert.equal(refused.a.code, "rate_limited");
	assert.ok(refused.a.retry_after > 0 && refused.a.retry_after <= 1, `${refused.a.retry_after}`);
	problem({ ...(await poll(who, { wait: 0 })), get json() { return this.problem; } }, 429, "rate_limited");
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
	const there = async (address, authorization = `Bearer ${token}`) => {
		const headers = { "x-forwarded-for": address, authorization, connection: "close" };
		return exchange(`${stack.url}/api/v1/events?wait=0`, { socketPath: stack.socket("realtime1"), headers });
	};
	await spend(() => there("203.0.113.50"));
	assert.equal((await there("203.0.113.51")).status, 200);
	const wrong = `Bearer pct_${"A".repeat(43)}`;
	for (let i = 0; i < GUESS; i++) assert.equal((await there("203.0.113.52", wrong)).status, 401);
	assert.equal((await there("203.0.113.52", wrong)).status, 429);
	assert.equal((await there("203.0.113.52")).status, 200, "it was good a moment ago");
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

test("guessing: so many wrong tokens, then none is looked up from there but those that were good of late", async () => {
	const guess = () => `pct_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;
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
