// crowd: two hundred people sign in at once (fewer where nobody looks at threads), each becomes himself; and of all that they, their
// programs and the provider bring along no log and no address has anything that could be used again. check-long runs it with
// ThreadSanitizer.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { startStack, until } from "../support/stack.mjs";
import { Jar, client, navigate, pick } from "../support/http.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { ok, problem } from "./help.mjs";

const PEOPLE = process.env.PC_VARIANT === "tsan" ? 200 : 50, ENOUGH = 16; // the long check looks at threads
let stack;
const secrets = new Map(); // what must not be found: what it is
const addresses = []; // every one that a browser was sent to

before(async () => {
	stack = await startStack({ realtime: 1, conf: { "log.level": "debug", "api.threads": 32 }, postgres: { log_statement: "all" } });
});
after(() => stack?.stop());

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const keep = (what, secret) => {
	assert.ok(secret.length >= 2 * ENOUGH, what);
	secrets.set(secret, what);
};

/** As a person would: where too many sign in just then, again after the time that is told. */
async function patiently(step) {
	for (;;) {
		const answer = await step();
		addresses.push(answer.url);
		if (answer.status !== 503) return answer;
		await pause(1000 * Number(answer.headers["retry-after"]));
	}
}

async function signInPatiently(login) {
	const jar = new Jar();
	const page = await patiently(() => navigate(jar, `${stack.url}/auth/login?return_to=/`));
	let landed = await pick(stack, jar, page, { login });
	if (landed.status === 503) landed = await patiently(() => navigate(jar, landed.url));
	assert.equal(landed.status, 200, `${login}: ${landed.status} ${landed.url} ${landed.text.slice(0, 300)}`);
	for (const c of jar.all()) if (c.name.startsWith("pulsechat")) keep(`the cookie ${c.name} of ${login}`, c.value);
	return client(stack, { jar });
}

test(`${PEOPLE} people sign in at once: as many accounts, each his own`, async () => {
	const logins = Array.from({ length: PEOPLE }, (_, i) => `crowd-${i}`);
	const all = await Promise.all(logins.map(signInPatiently));
	const handles = await Promise.all(all.map(async (who) => ok(await who.get("/api/v1/me")).user.handle));
	assert.deepEqual(handles, logins);
	assert.equal(await stack.psql("select count(*), count(distinct user_id) from sessions where kind = 'session'"), `${PEOPLE}|${PEOPLE}`);
	assert.equal(await stack.psql("select count(*) from login_attempts"), "0");
});

/** Of whichever web servers stand in front; all that was asked for up to the logout is in it. */
async function accessLog() {
	const others = readdirSync(stack.runDir).filter((n) => n.startsWith("w-")).map((n) => join(stack.runDir, n, "access.log"));
	const files = others.length ? others : [join(stack.state, "log/access.log")];
	if (!others.length) await stack.down("lighttpd"); // it writes what it still has
	const read = () => files.map((f) => readFileSync(f, "utf8")).join("");
	await until(() => ["/auth/logout", "/api/v1/ws"].every((path) => read().includes(path)), { what: "the last request to be written down" });
	return read();
}

test("no log and no address has a secret: sessions, tokens, what the provider gave, and our own with it", async () => {
	const who = await signInPatiently("alice");
	const made = ok(await who.post("/api/v1/me/tokens", { name: "scan", scopes: ["read", "write"] }), 201);
	const program = client(stack, { token: made.token });
	keep("a token", made.token.slice(4));
	for (const one of [who, program]) {
		await (await openWs(one)).close();
		await (await openSse(one)).close();
		assert.equal((await poll(one, { wait: 0 })).status, 200);
		assert.equal((await poll(one, { wait: 0, via: "api1" })).status, 200);
	}
	// what is wrong is not written down either: it may be right with a letter more
	const wrong = `pct_${"q7".repeat(21)}x`;
	keep("a wrong token", wrong.slice(4));
	problem(await client(stack, { token: wrong }).get("/api/v1/me"), 401, "unauthenticated");
	const bent = `${made.token}~`;
	problem(await client(stack, { token: bent }).get("/api/v1/me"), 401, "unauthenticated");
	const logout = "eyJhbGciOiJSUzI1NiJ9.eyJzZWNyZXQiOiJ0aGlzIGlzIG5vdCBmb3IgYW55IGxvZyJ9.c2lnbmF0dXJlIHRoYXQgaXMgbm9uZQ";
	const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };
	assert.equal((await client(stack).post("/auth/backchannel-logout", `logout_token=${logout}`, form)).status, 400);
	keep("a logout token", logout.split(".")[1]);
	const left = await who.post("/auth/logout");
	addresses.push(ok(left).redirect);
	keep("our secret at the provider", readFileSync(join(stack.state, "devidp/client_secret"), "utf8").trim());

	const texts = new Map([["the access log", await accessLog()]]);
	for (const name of stack.names.filter((n) => n !== "devidp")) texts.set(`log/${name}.log`, readFileSync(join(stack.state, `log/${name}.log`), "utf8"));
	texts.set("an address", addresses.join("\n"));
	for (const [file, text] of texts)
		for (const [secret, what] of secrets)
			for (let i = 0; i + ENOUGH <= secret.length; i += ENOUGH / 2)
				assert.ok(!text.includes(secret.slice(i, i + ENOUGH)), `${file} has a part of ${what}`);
	assert.match(texts.get("the access log"), /GET \/api\/v1\/ws/);
	assert.match(texts.get("log/api1.log"), /logout.refused/);
	assert.match(texts.get("log/postgres.log"), /session_find|secret_hash/);
	assert.ok(addresses.some((a) => a.includes("client_id=")));
});
