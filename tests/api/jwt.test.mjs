// jwt: the provider's own access tokens (RFC 9068) as Bearer, in both programs: which are taken, what they may do, and that their
// end ends what runs under them.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { client, signIn } from "../support/http.mjs";
import { nowS, sealed } from "../support/jwt.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { me, ok, problem } from "./help.mjs";

const AUDIENCE = "https://chat.example.test/api";
let stack, sub, admin;

before(async () => {
	stack = await startStack({
		realtime: 2,
		api: 2,
		conf: { "oidc.access_audience": AUDIENCE, "oidc.access_scopes": "chat.read=read chat.write=write, chat.admin=admin" },
	});
	admin = await signIn(stack, "alice");
	await signIn(stack, "bob");
	sub = await stack.psql("select subject from identities i join users u on u.id = i.user_id where handle = 'bob'");
});
after(() => stack?.stop());

const claims = (more) => ({
	iss: stack.issuer,
	aud: AUDIENCE,
	sub,
	client_id: "backup-tool",
	iat: nowS(),
	exp: nowS() + 300,
	jti: randomUUID(),
	scope: "openid chat.read chat.write",
	...more,
});
const program = (more, header, alg) => client(stack, { token: sealed(stack, claims(more), { typ: "at+jwt", ...header }, alg) });

test("one is taken by REST, WebSocket, event streams and polls, whichever meets it first", async () => {
	const rest = program();
	const mine = ok(await rest.get("/api/v1/me"));
	assert.equal(mine.user.handle, "bob");
	assert.deepEqual([mine.session.kind, mine.session.scopes], ["token", ["read", "write"]]);
	assert.ok(Math.abs(Date.parse(mine.session.expires_at) - Date.now() - 300e3) < 10e3);
	for (const via of ["realtime1", "realtime2"]) {
		const ws = await openWs(program({}, {}, "ES256"), { via, past: true });
		assert.equal(ws.hello.user, mine.user.id);
		await ws.close();
		await (await openSse(program({}, {}, "EdDSA"), { via, past: true })).close();
		assert.equal((await poll(program({}, {}, "PS256"), { via, past: true, wait: 0 })).status, 200);
	}
	assert.equal((await poll(program(), { via: "api2", past: true, wait: 0 })).status, 200);
	// one token, everywhere at once, is one
	const many = program();
	const all = await Promise.all([1, 2, 3, 4, 5, 6].map((i) => (i % 2 ? many.get("/api/v1/me") : poll(many, { wait: 0 }))));
	assert.deepEqual(new Set(all.map((r) => r.status)), new Set([200]));
	assert.equal(await stack.psql("select count(*) from sessions where kind = 'access' and name <> 'backup-tool'"), "0");
	assert.equal(await stack.psql("select count(distinct secret_hash) = count(*) from sessions"), "t");
	ok(await program({}, { typ: "application/at+jwt" }).get("/api/v1/me"));
	ok(await program({}, { typ: null }).get("/api/v1/me")); // some providers do not say
	ok(await program({ aud: ["another", AUDIENCE] }).get("/api/v1/me"));
	const list = ok(await program({ scope: ["chat.read"] }).get("/api/v1/me"));
	assert.deepEqual(list.session.scopes, ["read"]);
});

test("scopes are mapped: what it lacks is refused, and it makes no tokens", async () => {
	problem(await program({ scope: "chat.read" }).post("/api/v1/channels", { name: "x", kind: "public" }), 403, "insufficient_scope");
	problem(await program({ scope: "openid write" }).get("/api/v1/me"), 403, "insufficient_scope"); // the map says other names
	const closed = await openWs(program({ scope: "chat.write" }), { hello: false, via: "realtime1" });
	assert.equal((await closed.closed).code, 4001);
	problem(await program().get("/api/v1/me/tokens"), 403, "insufficient_scope");
	const subject = await stack.psql("select subject from identities i join users u on u.id = i.user_id where handle = 'alice'");
	ok(await program({ sub: subject, scope: "chat.read chat.admin" }).get("/api/v1/bots"));
	problem(await program({ scope: "chat.read chat.admin" }).get("/api/v1/bots"), 403, "forbidden"); // bob is no admin
});

test("what is not one is refused, by both programs, and so is one that is out of date", async () => {
	const good = sealed(stack, claims(), { typ: "at+jwt" });
	const [h, c, s] = good.split(".");
	const seal = (more, header) => sealed(stack, claims(more), { typ: "at+jwt", ...header });
	const bent = {
		"another signature": `${h}.${c}.${Buffer.from(s, "base64url").reverse().toString("base64url")}`,
		"no signature": `${Buffer.from('{"alg":"none"}').toString("base64url")}.${c}.`,
		"another alg": `${Buffer.from(JSON.stringify({ alg: "HS256", typ: "at+jwt" })).toString("base64url")}.${c}.${s}`,
		"another typ": seal({}, { typ: "logout+jwt" }),
		"an ID token": seal({ nonce: "n" }, { typ: "JWT" }),
		"an ID token's hash": seal({ at_hash: "n" }, { typ: null }),
		"another issuer": seal({ iss: "https://other.test" }),
		"the client's id for an audience": seal({ aud: "pulsechat-dev" }),
		"no audience": seal({ aud: undefined }),
		"out of date": seal({ exp: nowS() - 61 }),
		"no end": seal({ exp: undefined }),
		"from the future": seal({ iat: nowS() + 120 }),
		"not yet": seal({ nbf: nowS() + 120 }),
		"nobody": seal({ sub: undefined }),
		"somebody who never signed in": seal({ sub: "stranger" }),
		"no scope": seal({ scope: undefined }),
		"an unknown key": seal({}, { kid: "none" }),
	};
	for (const [what, token] of Object.entries(bent)) {
		const who = client(stack, { token });
		const r = await who.get("/api/v1/me");
		assert.equal(r.status, 401, `${what}: ${r.status} ${r.text}`);
		assert.equal((await poll(who, { via: "realtime1", past: true, wait: 0 })).status, 401, what);
		assert.equal((await (await openWs(who, { hello: false, via: "realtime2" })).closed).code, 4001, what);
	}
	ok(await client(stack, { token: good }).get("/api/v1/me"));
	assert.equal((await client(stack, { token: `${good}${"A".repeat(17000)}` }).get("/api/v1/me")).status >= 400, true);
	for (const name of ["api1", "api2", "realtime1", "realtime2"]) assert.ok(!stack.log(name).includes(c), `no token in ${name}'s log`);
});

test("its end ends streams and waiting polls; so do its revocation and the account's end", async () => {
	const short = program({ exp: nowS() + 4 });
	const feeds = [await openWs(short, { via: "realtime1" }), await openSse(short, { via: "realtime2" })];
	const cursor = feeds[0].hello.cursor;
	const waiting = ["realtime1", "api1"].map((via) => poll(short, { via, past: true, cursor, wait: 50, instance: randomUUID() }));
	const end = Date.parse(ok(await short.get("/api/v1/me")).session.expires_at);
	const closed = await Promise.all(feeds.map((f) => f.closed));
	assert.deepEqual(closed.map((x) => x.code), [4001, 4001]);
	for (const p of await Promise.all(waiting)) assert.ok([200, 401].includes(p.status));
	const late = Date.now() - end;
	assert.ok(late >= 0 && late < 1000, `${late} ms`);
	problem(await short.get("/api/v1/me"), 401, "unauthenticated");
	const revoked = program();
	const ws = await openWs(revoked);
	await stack.cli(["token", "revoke", `${ok(await revoked.get("/api/v1/me")).session.id}`]);
	assert.equal((await ws.closed).code, 4001);
	problem(await revoked.get("/api/v1/me"), 401, "unauthenticated"); // though the provider would still vouch for it
	const user = (await me(program())).id;
	await stack.psql(`select user_deactivate(${user})`);
	problem(await program().get("/api/v1/me"), 401, "unauthenticated");
	assert.equal((await (await openWs(program(), { hello: false })).closed).code, 4003);
	ok(await admin.get("/api/v1/me"));
});

test("a process that waits for a provider that hangs stops within two seconds all the same", async () => {
	for (const token of ["poll", "stream"]) {
		await stack.psql("delete from provider_documents", { user: "postgres" });
		await stack.down("realtime1");
		await stack.up("realtime1"); // it has no keys yet
		await stack.idp({ reset: true, delay: { jwks: 600000 } });
		const who = program();
		const answer = token === "poll" ? poll(who, { via: "realtime1", past: true, wait: 50 }) : openSse(who, { via: "realtime1", past: true });
		answer.catch(() => {});
		await until(async () => (await stack.idp()).requests.jwks > 0, { what: "it asks the provider" });
		const start = Date.now();
		await stack.down("realtime1");
		const ms = Date.now() - start;
		assert.ok(ms < 2000, `${ms} ms`);
		assert.match(stack.log("realtime1"), /http\.failed.*this process stops/);
		await stack.idp({ delay: { jwks: 0 } });
		await stack.up("realtime1");
	}
});
