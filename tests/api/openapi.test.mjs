// openapi: the document that is served, and what every operation of it refuses, driven from the document itself: each operation by each
// way of asking wrongly. What its own rules refuse is for the tests of its theme; tests/contract/ adds up what was seen.

import { after, before, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { startStack, until } from "../support/stack.mjs";
import { codesOf, document, operations, PENDING } from "../support/contract.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { client, Jar, signIn } from "../support/http.mjs";
import { makeChannel, me, ok, problem, send } from "./help.mjs";

const SESSION = 500, // more than all tests together ask by one browser's session
	ADDRESS = 20; // each test has tokens of its own, and asks less than that
const OF_ACCOUNTS = ["/auth/local", "/auth/join", "/api/v1/me/password"];
const REALTIME = ["/api/v1/events", "/api/v1/ws"];
const ALL = ["read", "write", "files", "admin"];
const MEMBERS = 4;
const NOBODY = "9007199254740991"; // an id that nothing has
let stack, nobody, owner, member, reader, scopeless, ownerPage, memberPage;

before(async () => {
	stack = await startStack({
		realtime: 1,
		conf: {
			rate: { session: SESSION, address: ADDRESS },
			"api.trusted_proxies": "127.0.0.1",
			"local.accounts": "yes",
			"limits.channel_members": MEMBERS,
		},
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
const pathOf = (o) => o.path.replace("{emoji}", encodeURIComponent("👍")).replace(/\{\w+\}/g, NOBODY);
/** Who may do it. */
const whoMay = (o) => (ofBrowsers(o) ? ownerPage : owner);

const strayed = () => ({ cookie: ownerPage.cookie });

/** Queries without which there is no answer. */
const NEEDED = { "/api/v1/channels/{channel}/reach": "?of=channel" };

/** Asks; body: undefined for the operation's example. */
function ask(who, o, { query = "", body, type = typeOf(o) } = {}) {
	const content = Object.values(o.operation.requestBody?.content ?? {})[0];
	const example = content?.example;
	const text = body ?? (example === undefined ? undefined : typeof example === "string" ? example : JSON.stringify(example));
	query ||= NEEDED[o.path] ?? "";
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
	const again = await nobody.get("/api/v1/openapi.json", { headers: { "if-none-match": r.headers.etag } });
	assert.equal(again.status, 304);
	const packed = await fetch(`${stack.url}/api/v1/openapi.json`, { headers: { "accept-encoding": "gzip" } });
	assert.equal(packed.headers.get("content-encoding"), "gzip");
	assert.ok((await packed.text()) === r.text);
	// It grows with the interface and no faster, or something stands in it again and again that has a place among its components: what a
	// program keeps of it is 3 KB an operation, and what travels 230 bytes.
	const kept = r.bytes.length / operations.length, travels = gzipSync(r.bytes, { level: 6 }).length / operations.length;
	assert.ok(kept < 3200, `${kept} bytes an operation`);
	assert.ok(travels < 250, `${travels} bytes an operation`);
});

test("where a schema has x-limit, its bound is what the site says by default", async () => {
	const limits = ok(await nobody.get("/api/v1/limits"));
	let found = 0;
	const look = (s) => {
		if (typeof s !== "object" || s === null) return;
		const name = s["x-limit"];
		if (name && typeof limits[name] === "number") {
			found++;
			assert.equal(s.maxLength ?? s.maxItems ?? s.maximum, limits[name], name);
		} else if (name) assert.fail(`${name} is no limit`);
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
	() => true,
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
	(o) => !OF_ACCOUNTS.includes(o.path), // where accounts of this site are switched off
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

/** A handshake, by plain HTTP: what comes instead of 101. */
const shake = (query, headers = {}) =>
	owner.get(`/api/v1/ws${query}`, {
		headers: {
			connection: "Upgrade",
			upgrade: "websocket",
			"sec-websocket-version": "13",
			"sec-websocket-protocol": "pulsechat.v1",
			"sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
			...headers,
		},
	});

test("pulsechat-realtime refuses a handshake, a poll and a stream as pulsechat-api does a poll", async () => {
	problem(await shake("?cursor=x"), 400, "bad_cursor");
	problem(await shake("?instance=x"), 400, "bad_field", "instance");
	problem(await shake("?wait=1"), 400, "bad_field", "wait");
	problem(await shake("", { authorization: null, ...strayed(), origin: "https://evil.test" }), 403, "origin_refused");
	problem(await owner.get("/api/v1/ws"), 426, "upgrade_required");
	for (const accept of ["application/json", "text/event-stream"]) {
		const get = (query, headers = {}) => owner.get(`/api/v1/events${query}`, { headers: { accept, ...headers } });
		problem(await get("?cursor=x"), 400, "bad_cursor");
		problem(await get("?nothing=1"), 400, "bad_field", "nothing");
		problem(await get("", { authorization: null, ...strayed() }), 403, "origin_refused");
	}
	problem(await nobody.get("/api/v1/events"), 401, "unauthenticated");
});

test("what an operation's own rules refuse, where no other test sees it", async () => {
	const mine = (await me(owner)).id, his = (await me(member)).id;
	const direct = ok(await owner.post("/api/v1/channels", { kind: "direct", members: [his] }), 201).id;
	const [one, other] = [await makeChannel(owner, { members: [his] }), await makeChannel(owner)];
	const refused = (answer, code = "unprocessable") => problem(answer, code === "conflict" ? 409 : 422, code);
	const [there, myself] = [`/api/v1/channels/${one.id}`, `/api/v1/admin/users/${mine}`];
	refused(await owner.put(`${myself}/mute`, {}));
	refused(await owner.delete(`${myself}/mute`));
	refused(await owner.post(`${myself}/reactivate`));
	problem(await owner.patch(there, { name: other.name }), 409, "conflict", "name");
	refused(await owner.patch(`/api/v1/channels/${direct}/members/${his}`, { role: "member" }));
	refused(await owner.put(`/api/v1/channels/${direct}/owner`, { user: his }));
	refused(await owner.put(`${there}/members/${mine}/mute`, {}));
	refused(await owner.delete(`${there}/members/${mine}/mute`));
	refused(await owner.delete(`${there}/bans/${mine}`));
	refused(await owner.delete(`/api/v1/channels/${direct}/members/${his}`));
	refused(await owner.get(`/api/v1/channels/${direct}/restrictions`));
	const people = ok(await owner.get("/api/v1/users?limit=20")).users.map((u) => u.id);
	assert.ok(people.length > MEMBERS);
	refused(await owner.post("/api/v1/channels", { kind: "private", name: "over it", members: people }));
	const { seq } = ok(await send(owner, one.id, "of mine"), 201);
	const report = ok(await member.post(`${there}/messages/${seq}/reports`, { reason: "other" }), 201).id;
	assert.equal(ok(await owner.get(`/api/v1/reports/${report}`)).body.text, "of mine");
	refused(await owner.post(`/api/v1/reports/${report}/resolve`, { action: "mute" }));
});

test("of tokens there are fifty at most", async () => {
	const bot = ok(await owner.post("/api/v1/bots", { handle: "fifty", name: "Fifty" }), 201).id;
	const path = `/api/v1/bots/${bot}/tokens`, wish = { name: "one of them", scopes: ["read"] };
	for (let i = 0; i < 50; i++) ok(await ownerPage.post(path, wish), 201);
	problem(await ownerPage.post(path, wish), 422, "unprocessable");
	await stack.psql(`UPDATE sessions SET user_id = ${(await me(member)).id} WHERE user_id = ${bot}`);
	problem(await memberPage.post("/api/v1/me/tokens", wish), 422, "unprocessable");
	await stack.psql(`UPDATE sessions SET revoked_at = now() WHERE name = '${wish.name}'`);
});

test("signing in and out: a link checker uses nothing up, a page is led on", async () => {
	assert.equal((await nobody.request("HEAD", "/auth/callback?code=x&state=y")).status, 204);
	const page = await signIn(stack, "carol");
	assert.equal((await page.post("/auth/logout", undefined, { headers: { accept: "text/html" } })).status, 303);
});

test("unavailable: by each operation, while there is no database", async () => {
	await stack.down("postgres");
	try {
		for (const o of served.filter((o) => o.operation.security.length > 0)) problem(await ask(whoMay(o), o), 503, "unavailable");
		const code = { code: "q1w2e3r4t5y6u7i8o9p0aA" };
		problem(await nobody.post("/api/v1/invites/look", code), 503, "unavailable");
		const password = "correct horse battery", invite = code.code;
		const door = (path, body) => client(stack, { jar: new Jar() }).post(path, body);
		problem(await door("/auth/local", { name: "alice", password }), 503, "unavailable");
		problem(await door("/auth/join", { invite, handle: "new", name: "New", password }), 503, "unavailable");
		problem(await door("/auth/login", { invite }), 503, "unavailable");
		problem(await ownerPage.post("/auth/logout"), 503, "unavailable");
		const away = async () => ((r) => (r.status === 503 ? r : undefined))(await shake("?instance=6e5a2f0c-3c5a-4a1e-9d53-0c8a5b1f2a77"));
		problem(await until(away, { what: "pulsechat-realtime knows" }), 503, "unavailable");
		assert.equal((await nobody.get("/healthz")).status, 503);
		assert.equal((await nobody.get("/auth/login")).status, 503);
	} finally {
		await stack.up("postgres");
	}
});
