// openapi: the document that is served, and what every operation of it refuses, driven from the document itself: each operation by each
// way of asking wrongly. What its own rules refuse is for the tests of its theme; tests/contract/ adds up what was seen.

import { after, before, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import { startStack, until } from "../support/stack.mjs";
import { codesOf, document, operations, PENDING } from "../support/contract.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { client, Jar, signIn } from "../support/http.mjs";
import { ok, problem } from "./help.mjs";

const SESSION = 100,
	ADDRESS = 20; // each test has tokens of its own, and asks less than that
const REALTIME = ["/api/v1/events", "/api/v1/ws"];
const ALL = ["read", "write", "files", "admin"];
const NOBODY = "9007199254740991"; // an id that nothing has
let stack, nobody, owner, member, reader, scopeless, ownerPage, memberPage;

before(async () => {
	stack = await startStack({
		realtime: 0,
		conf: { rate: { session: SESSION, address: ADDRESS }, "api.trusted_proxies": "127.0.0.1", "local.accounts": "yes" },
	});
	nobody = client(stack);
	[ownerPage, memberPage] = [await signIn(stack, "alice"), await signIn(stack, "bob")];
	// as a provider's access token without any scope of ours
	const made = ok(await ownerPage.post("/api/v1/me/tokens", { name: "bare", scopes: ["read"] }), 201);
	await stack.psql(`UPDATE sessions SET scopes = '{}' WHERE id = ${made.id}`);
	scopeless = client(stack, { token: made.token });
});
beforeEach(async () => {
	const by = async (page, ...scopes) => client(stack, { token: ok(await page.post("/api/v1/me/tokens", { name: "test", scopes }), 201).token });
	owner = await by(ownerPage, ...ALL);
	member = await by(memberPage, ...ALL);
	reader = await by(ownerPage, "read");
});
after(() => stack?.stop());

const served = operations.filter((o) => !PENDING.includes(`${o.method} ${o.path}`));
const has = (o, code) => Object.keys(o.operation.responses).some((status) => codesOf(o.operation, status).includes(code));
const ofBrowsers = (o) => o.operation.security.length === 1;
const scopeOf = (o) => o.operation.security.at(-1).bearer?.[0];
const ofAdmins = (o) => o.operation["x-roles"] !== undefined;
const typeOf = (o) => Object.keys(o.operation.requestBody?.content ?? { "application/json": 0 })[0].replace("*/*", "text/plain");

/** Its path with ids that nothing has. */
const pathOf = (o) => o.path.replace(/\{\w+\}/g, NOBODY);
/** Who may do it. */
const whoMay = (o) => (ofBrowsers(o) ? ownerPage : owner);

const strayed = () => ({ cookie: ownerPage.cookie });

/** Asks; body: undefined for the operation's example. */
function ask(who, o, { query = "", body, type = typeOf(o) } = {}) {
	const content = Object.values(o.operation.requestBody?.content ?? {})[0];
	const example = content?.example;
	const text = body ?? (example === undefined ? undefined : typeof example === "string" ? example : JSON.stringify(example));
	if (!REALTIME.includes(o.path))
		return who.request(o.method, pathOf(o) + query, text, text === undefined ? {} : { headers: { "content-type": type } });
	// past the web server, which would ask pulsechat-realtime
	return fcgiRequest(stack.socket("api1"), { path: pathOf(o) + query, token: who.token, headers: who.stray ?? {} });
}

/** A test of each operation that has this error. */
function each(code, which, drive) {
	const them = served.filter((o) => has(o, code) && which(o));
	test(`${code}: by each of ${them.length} operations`, async () => {
		assert.ok(them.length > 0);
		for (const o of them) {
			const r = await drive(o);
			problem(r, r.status, code);
		}
	});
}

test("the document is served as it is, to anyone, and not again to who has it", async () => {
	const r = await nobody.get("/api/v1/openapi.json");
	assert.ok(JSON.stringify(ok(r)) === JSON.stringify(document), "another one is served");
	assert.equal(r.headers["cache-control"], "no-cache");
	assert.ok(r.bytes.length < 250000, `${r.bytes.length} bytes`);
	const again = await nobody.get("/api/v1/openapi.json", { headers: { "if-none-match": r.headers.etag } });
	assert.equal(again.status, 304);
	const packed = await fetch(`${stack.url}/api/v1/openapi.json`, { headers: { "accept-encoding": "gzip" } });
	assert.equal(packed.headers.get("content-encoding"), "gzip");
	assert.ok((await packed.text()) === r.text);
});

test("where a schema has x-limit, its bound is what the site says by default", async () => {
	const limits = ok(await nobody.get("/api/v1/limits"));
	let found = 0;
	const look = (s) => {
		if (typeof s !== "object" || s === null) return;
		const name = s["x-limit"];
		if (name && name in limits) {
			found++;
			assert.equal(s.maxLength ?? s.maxItems ?? s.maximum, limits[name], name);
		} else if (name) assert.ok(name.endsWith("_files"), `${name} is no limit`);
		Object.values(s).forEach(look);
	};
	look(document);
	assert.ok(found > 15, `${found}`);
});

each(
	"unauthenticated",
	(o) => o.path !== "/api/v1/ws",
	(o) => ask(nobody, o),
);
each(
	"insufficient_scope",
	() => true,
	(o) => ask(ofBrowsers(o) ? owner : scopeOf(o) === "read" ? scopeless : reader, o),
);
each("forbidden", ofAdmins, (o) => ask(ofBrowsers(o) ? memberPage : member, o));
each(
	"bad_request",
	(o) => o.path !== "/healthz",
	(o) => ask(whoMay(o), o, { query: "?nothing" }),
);
each(
	"bad_field",
	(o) => !o.operation["x-query"],
	(o) => ask(whoMay(o), o, { query: "?nothing_of_this_name=1" }),
);
each(
	"unsupported_media_type",
	() => true,
	(o) => ask(whoMay(o), o, { body: "x", type: "text/html" }),
);
each(
	"too_large",
	() => true,
	(o) => ask(whoMay(o), o, { body: " ".repeat(262145) }),
);
// a page of another site: its browser brings the cookie along
each(
	"origin_refused",
	(o) => o.path !== "/api/v1/ws",
	(o) => ask({ ...client(stack, { headers: strayed() }), stray: strayed() }, o),
);
each(
	"not_found",
	(o) => o.path !== "/auth/local",
	(o) => ask(whoMay(o), o),
);

test("rate_limited: by each operation, of a session and of an address", async () => {
	const spent = owner;
	const pings = '{"op":"ping"}\n'.repeat(256);
	const drain = () => spent.post("/api/v1/ops", pings, { headers: { "content-type": "application/x-ndjson" } });
	for (const o of served.filter((o) => o.operation.security.length > 0)) {
		const r = await until(
			async () => {
				const answer = await ask(spent, o);
				return answer.status === 429 ? answer : (await drain(), undefined);
			},
			{ what: `${o.id} is over its limit` },
		);
		problem(r, 429, "rate_limited");
	}
	for (const o of served.filter((o) => o.operation.security.length === 0 && codesOf(o.operation, 429).length > 0)) {
		const env = { REMOTE_ADDR: "192.0.2.77", HTTP_X_FORWARDED_FOR: "" };
		const again = () => fcgiRequest(stack.socket("api1"), { method: o.method, path: pathOf(o), env });
		const r = await until(async () => ((r) => (r.status === 429 ? r : undefined))(await again()), { what: `${o.id} is over its limit` });
		problem(r, 429, "rate_limited");
	}
});

test("unavailable: by each operation, while there is no database", async () => {
	await stack.down("postgres");
	try {
		for (const o of served.filter((o) => o.operation.security.length > 0)) problem(await ask(whoMay(o), o), 503, "unavailable");
		const code = { code: "q1w2e3r4t5y6u7i8o9p0aA" };
		problem(await nobody.post("/api/v1/invites/look", code), 503, "unavailable");
		problem(
			await client(stack, { jar: new Jar() }).post("/auth/local", { name: "alice", password: "correct horse" }),
			503,
			"unavailable",
		);
		problem(await ownerPage.post("/auth/logout"), 503, "unavailable");
		assert.equal((await nobody.get("/healthz")).status, 503);
		assert.equal((await nobody.get("/auth/login")).status, 503);
	} finally {
		await stack.up("postgres");
	}
});
