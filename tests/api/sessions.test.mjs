// sessions: one's own devices and tokens, back-channel logout, and that whatever ends a session ends its streams and waiting polls
// within a second, on two realtime processes and two of pulsechat-api.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { client, confirmSignOut, navigate, signIn } from "../support/http.mjs";
import { nowS, sealed } from "../support/jwt.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { head } from "../realtime/help.mjs";
import { me, ok, problem } from "./help.mjs";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0";
const EVENT = "http://schemas.openid.net/event/backchannel-logout";
let stack;

before(async () => {
	stack = await startStack({ realtime: 2, api: 2 });
});
after(() => stack?.stop());

const idOf = async (who) => ok(await who.get("/api/v1/me")).session.id;
const REALTIME = ["realtime1", "realtime2"];
const open = { polls: 0 }; // in each pulsechat-api

/** Everything that can be open under a session, each process's; ended() holds that all of it ends within a second of act(). */
async function everything(who) {
	const cursor = await head(who);
	const feeds = [];
	for (const via of REALTIME) feeds.push(await openWs(who, { via, past: true }), await openSse(who, { via, past: true }));
	const polls = [...REALTIME, "api1", "api2"].map((via) => poll(who, { via, past: true, cursor, wait: 50, instance: randomUUID() }));
	open.polls += 1;
	for (const name of ["api1", "api2"])
		await until(async () => (await fcgiRequest(stack.socket(name), { path: "/healthz" })).json.polls === open.polls, { what: `polls in ${name}` });
	let answered = 0;
	for (const p of polls) p.then(() => answered++, () => answered++);
	return {
		async ended(act, code) {
			assert.equal(answered, 0, "all polls wait");
			const t = Date.now();
			await act();
			const said = Date.now();
			const closed = await Promise.all(feeds.map((f) => f.closed));
			open.polls -= 1;
			for (const p of await Promise.all(polls)) assert.ok([200, 401].includes(p.status), `${p.status}`);
			assert.ok(Date.now() - said < 1000, `${Date.now() - said} ms after an act of ${said - t} ms`);
			assert.deepEqual(new Set(closed.map((c) => c.code)), new Set([code]));
		},
		async goOn() {
			for (const f of feeds) if (f.call) assert.equal((await f.call({ op: "ping" })).type, "pong");
			for (const f of feeds) await f.close();
			open.polls = 0; // session.revoked of another device has answered them
		},
	};
}

const seal = (claims, header) => sealed(stack, claims, { typ: "logout+jwt", ...header });
const logoutClaims = (more) => ({
	iss: stack.issuer,
	aud: "pulsechat-dev",
	iat: nowS(),
	exp: nowS() + 120,
	jti: randomUUID(),
	events: { [EVENT]: {} },
	...more,
});
const backchannel = (token) =>
	client(stack).post("/auth/backchannel-logout", new URLSearchParams({ logout_token: token }).toString(), {
		headers: { "content-type": "application/x-www-form-urlencoded" },
	});
const providerSid = (id) => stack.psql(`select provider_sid from sessions where id = ${id}`);

test("the devices that one is signed in on: names, the current one, ended one by one and all others at once", async () => {
	const one = await signIn(stack, "bob");
	const two = await signIn(stack, "bob");
	const three = await signIn(stack, "bob");
	await stack.psql(`update sessions set name = '${FIREFOX}' where id = ${await idOf(one)}`);
	const ids = [await idOf(one), await idOf(two), await idOf(three)];
	const { sessions } = ok(await one.get("/api/v1/me/sessions"));
	assert.deepEqual(new Set(sessions.map((s) => s.id)), new Set(ids));
	const mine = sessions.find((s) => s.id === ids[0]);
	assert.deepEqual(sessions.filter((s) => s.current), [mine]);
	assert.equal(mine.device, "Firefox on Linux");
	assert.equal(mine.agent, FIREFOX);
	for (const key of ["created_at", "last_used_at", "expires_at"]) assert.match(mine[key], /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
	assert.ok(!JSON.stringify(sessions).includes(one.cookie.split("=")[1]), "no secret in it");
	// somebody else's is none of his
	const other = await signIn(stack, "carol");
	problem(await other.delete(`/api/v1/me/sessions/${ids[1]}`), 404, "not_found");
	ok(await two.get("/api/v1/me"));

	const feeds = await everything(two);
	await feeds.ended(async () => assert.equal((await one.delete(`/api/v1/me/sessions/${ids[1]}`)).status, 204), 4001);
	problem(await two.get("/api/v1/me"), 401, "unauthenticated");
	assert.equal((await one.delete(`/api/v1/me/sessions/${ids[1]}`)).status, 204, "again is harmless");

	const own = await everything(one);
	const others = await everything(three);
	await others.ended(async () => assert.equal((await one.delete("/api/v1/me/sessions")).status, 204), 4001);
	problem(await three.get("/api/v1/me"), 401, "unauthenticated");
	assert.deepEqual(ok(await one.get("/api/v1/me/sessions")).sessions.map((s) => s.id), [ids[0]]);
	ok(await other.get("/api/v1/me"));
	await own.goOn();
});

test("a log-in gives a session a new secret: the old one is void, what runs under it goes on", async () => {
	const who = await signIn(stack, "dave");
	const old = who.cookie, id = await idOf(who);
	const ws = await openWs(who);
	await signIn(stack, "dave", { jar: who.jar });
	assert.notEqual(who.cookie, old);
	assert.equal(await idOf(who), id);
	assert.equal((await ws.call({ op: "ping" })).type, "pong");
	const stolen = client(stack, { headers: { cookie: old, "pulsechat-client": "test" } });
	ok(await stolen.get("/api/v1/me")); // half a minute for what is under way
	await stack.psql(`update sessions set former_until = now() where id = ${id}`);
	problem(await stolen.get("/api/v1/me"), 401, "unauthenticated");
	ok(await who.get("/api/v1/me"));
	assert.equal(await stack.psql("select count(*) from sessions where length(secret_hash) <> 32 or length(former_hash) <> 32"), "0");
	await ws.close();
});

test("tokens: made, shown once, listed with their last use, scoped, revoked; no token makes another", async () => {
	const who = await signIn(stack, "erin");
	const made = ok(await who.post("/api/v1/me/tokens", { name: "Backup ✓", scopes: ["read"], expires_in: 86400 }), 201);
	assert.match(made.token, /^pct_[A-Za-z0-9_-]{43}$/);
	assert.deepEqual([made.name, made.scopes, made.last_used_at], ["Backup ✓", ["read"], null]);
	assert.ok(Math.abs(Date.parse(made.expires_at) - Date.now() - 86400e3) < 60e3);
	const program = client(stack, { token: made.token });
	assert.equal((await me(program)).handle, "erin");
	const { token, ...shown } = made;
	const listed = ok(await who.get("/api/v1/me/tokens"));
	assert.ok(!JSON.stringify(listed).includes(token));
	const [first] = listed.tokens;
	assert.deepEqual({ ...first, last_used_at: null }, shown);
	assert.ok(Date.parse(first.last_used_at) > Date.now() - 60e3, "the first use shows at once");
	ok(await program.get("/api/v1/me"));
	assert.equal(ok(await who.get("/api/v1/me/tokens")).tokens[0].last_used_at, first.last_used_at, "and is written once a minute at most");
	problem(await program.post("/api/v1/channels", { name: "x", kind: "public" }), 403, "insufficient_scope");
	const all = ok(await who.post("/api/v1/me/tokens", { name: "all", scopes: ["admin", "files", "write"] }), 201);
	assert.deepEqual(all.scopes, ["read", "write", "files", "admin"]);
	assert.equal(all.expires_at, null);
	const mighty = client(stack, { token: all.token });
	for (const path of ["/api/v1/me/tokens", "/api/v1/me/sessions"]) problem(await mighty.get(path), 403, "insufficient_scope");
	problem(await mighty.post("/api/v1/me/tokens", { name: "x", scopes: ["read"] }), 403, "insufficient_scope");
	for (const [body, field] of [
		[{ name: "x" }, "scopes"],
		[{ name: "x", scopes: [] }, "scopes"],
		[{ name: "x", scopes: ["account"] }, "scopes"],
		[{ name: "", scopes: ["read"] }, "name"],
		[{ name: " ", scopes: ["read"] }, "name"],
		[{ name: "x", scopes: ["read"], expires_in: 0 }, "expires_in"],
		[{ name: "x", scopes: ["read"], more: 1 }, "more"],
	])
		problem(await who.post("/api/v1/me/tokens", body), 400, "bad_field", field);
	const other = await signIn(stack, "frank");
	problem(await other.delete(`/api/v1/me/tokens/${made.id}`), 404, "not_found");
	problem(await who.delete(`/api/v1/me/sessions/${made.id}`), 404, "not_found");
	const feeds = await everything(program);
	await feeds.ended(async () => assert.equal((await who.delete(`/api/v1/me/tokens/${made.id}`)).status, 204), 4001);
	problem(await program.get("/api/v1/me"), 401, "unauthenticated");
	assert.deepEqual(ok(await who.get("/api/v1/me/tokens")).tokens.map((t) => t.id), [all.id]);
});

test("bots: made by an admin, act by tokens alone; nobody else makes one, and a token of admin scope makes no tokens for them", async () => {
	const admin = await signIn(stack, "alice"), member = await signIn(stack, "erin");
	const handle = `bot-${process.pid}`;
	problem(await member.post("/api/v1/bots", { handle, name: "B" }), 403, "forbidden");
	problem(await client(stack, { token: await stack.token("alice") }).post("/api/v1/bots", { handle, name: "B" }), 403, "insufficient_scope");
	const program = client(stack, { token: await stack.token("alice", ["admin"]) });
	const made = ok(await program.post("/api/v1/bots", { handle, name: "Builder" }), 201);
	assert.deepEqual([made.handle, made.name, made.bot, made.role], [handle, "Builder", true, "member"]);
	problem(await admin.post("/api/v1/bots", { handle, name: "B" }), 409, "conflict", "handle");
	problem(await admin.post("/api/v1/bots", { handle: "here", name: "B" }), 409, "conflict", "handle");
	problem(await admin.post("/api/v1/bots", { handle: "No!", name: "B" }), 400, "bad_field", "handle");
	const tokens = `/api/v1/bots/${made.id}/tokens`;
	problem(await program.get(tokens), 403, "insufficient_scope");
	problem(await member.get(tokens), 403, "forbidden");
	problem(await admin.get(`/api/v1/bots/${(await me(member)).id}/tokens`), 404, "not_found");
	const token = ok(await admin.post(tokens, { name: "ci", scopes: ["read", "write", "admin"] }), 201);
	const bot = client(stack, { token: token.token });
	assert.equal((await me(bot)).id, made.id);
	problem(await bot.post("/api/v1/bots", { handle: "another", name: "B" }), 403, "forbidden"); // the scope lends no role
	const ws = await openWs(bot);
	assert.ok(ok(await admin.get("/api/v1/bots")).bots.some((b) => b.id === made.id));
	assert.deepEqual(ok(await admin.get(tokens)).tokens.map((t) => t.id), [token.id]);
	assert.equal((await admin.delete(`${tokens}/${token.id}`)).status, 204);
	assert.equal((await ws.closed).code, 4001);
	const log = ok(await admin.get(`/api/v1/admin/audit?target=${made.id}`)).entries;
	const alice = (await me(admin)).id;
	assert.deepEqual(log.map((e) => [e.action, e.actor, e.details]), [
		["token.revoked", alice, { token: token.id, name: "ci" }],
		["token.created", alice, { token: token.id, name: "ci", scopes: ["read", "write", "admin"] }],
		["bot.created", alice, {}],
	]);
	assert.ok(log.every((e) => e.request_id && e.address) && !JSON.stringify(log).includes(token.token.slice(4, 12)));
	const { stdout } = await stack.cli(["bot", "add", `${handle}-2`, "--name", "Second"]);
	assert.match(stdout, new RegExp(`^\\d+\t${handle}-2\n$`));
	await assert.rejects(stack.cli(["bot", "add", `${handle}-2`]), { code: 1 });
	await assert.rejects(stack.cli(["bot", "add", "Ü"]), { code: 2 });
	assert.equal((await me(client(stack, { token: await stack.token(`${handle}-2`) }))).bot, true);
});

test("AU-5 a back-channel logout closes an open socket and all else of that session, and leaves the person's other device alone", async () => {
	const one = await signIn(stack, "grace");
	const two = await signIn(stack, "grace"); // another browser: another session at the provider
	const own = await everything(one);
	const other = await everything(two);
	const token = seal(logoutClaims({ sid: await providerSid(await idOf(one)) }));
	await own.ended(async () => {
		const r = await backchannel(token);
		assert.equal(r.status, 200);
		assert.equal(r.headers["cache-control"], "no-store");
	}, 4001);
	problem(await one.get("/api/v1/me"), 401, "unauthenticated");
	ok(await two.get("/api/v1/me"));
	assert.equal((await backchannel(token)).status, 400, "not twice");
	await other.goOn();
});

test("the provider's own back-channel logout, by subject too, ends all of a person's sessions and nobody else's, tokens neither", async () => {
	const [one, two, other] = [await signIn(stack, "heidi"), await signIn(stack, "heidi"), await signIn(stack, "ivan")];
	const program = client(stack, { token: await stack.token("heidi") });
	await (await everything(one)).ended(() => stack.idp({ logout: "heidi" }), 4001);
	problem(await two.get("/api/v1/me"), 401, "unauthenticated");
	ok(await other.get("/api/v1/me"));
	ok(await program.get("/api/v1/me"));
	const again = await signIn(stack, "heidi");
	const sub = await stack.psql("select subject from identities i join users u on u.id = i.user_id where handle = 'heidi'");
	assert.equal((await backchannel(seal(logoutClaims({ sub, sid: "of somebody else" })))).status, 200);
	ok(await again.get("/api/v1/me"));
	assert.equal((await backchannel(seal(logoutClaims({ sub })))).status, 200);
	problem(await again.get("/api/v1/me"), 401, "unauthenticated");
});

test("signing out here leads to the provider's sign-out and back, names no person in an address, and ends the session there too", async () => {
	const who = await signIn(stack, "kim");
	const id = await idOf(who);
	const { redirect } = ok(await who.post("/auth/logout"));
	problem(await who.get("/api/v1/me"), 401, "unauthenticated");
	const at = new URL(redirect);
	assert.ok(redirect.startsWith(`${stack.idpUrl}/`));
	const query = Object.fromEntries(at.searchParams);
	assert.deepEqual(query, { client_id: "pulsechat-dev", post_logout_redirect_uri: `${stack.url}/sign-in` });
	const landed = await confirmSignOut(who.jar, await navigate(who.jar, redirect));
	assert.equal(landed.url, `${stack.url}/sign-in`);
	// its back-channel logout for a session that is over already was taken, and nobody is let in without a question again
	const said = () => /logout.backchannel .*sessions=0 by=sid/.test(stack.log("api1") + stack.log("api2"));
	await until(said, { what: "the provider's back-channel logout" });
	const page = await navigate(who.jar, `${stack.url}/auth/login`);
	assert.ok(page.url.startsWith(stack.idpUrl), page.url);
	assert.equal(await stack.psql(`select revoked_at is not null from sessions where id = ${id}`), "t");
});

test("a logout token that is not one is refused, and ends nothing", async () => {
	const who = await signIn(stack, "judy");
	const sid = await providerSid(await idOf(who));
	const good = seal(logoutClaims({ sid }));
	const [h, c, s] = good.split(".");
	const bent = {
		"another signature": `${h}.${c}.${Buffer.from(s, "base64url").reverse().toString("base64url")}`,
		"no signature": `${Buffer.from('{"alg":"none"}').toString("base64url")}.${c}.`,
		"no token": "x",
		"an ID token's typ": seal(logoutClaims({ sid }), { typ: "at+jwt" }),
		"another issuer": seal(logoutClaims({ sid, iss: `${stack.issuer}/` })),
		"another audience": seal(logoutClaims({ sid, aud: ["someone else"] })),
		"out of date": seal(logoutClaims({ sid, exp: nowS() - 61 })),
		"no end": seal(logoutClaims({ sid, exp: undefined })),
		"from the future": seal(logoutClaims({ sid, iat: nowS() + 120 })),
		"a nonce": seal(logoutClaims({ sid, nonce: "n" })),
		"no event": seal(logoutClaims({ sid, events: {} })),
		"an event that is no object": seal(logoutClaims({ sid, events: { [EVENT]: true } })),
		"no jti": seal(logoutClaims({ sid, jti: undefined })),
		"nobody": seal(logoutClaims({})),
		"an empty sid": seal(logoutClaims({ sid: "" })),
	};
	for (const [what, token] of Object.entries(bent)) {
		const r = await backchannel(token);
		assert.equal(r.status, 400, what);
		assert.equal(r.json.error, "invalid_request");
		assert.equal(r.headers["cache-control"], "no-store");
		assert.ok(!r.text.includes(token.slice(0, 40)));
	}
	const post = (body, type) => client(stack).post("/auth/backchannel-logout", body, { headers: { "content-type": type } });
	assert.equal((await post(`logout_token=${good}`, "text/plain")).status, 400);
	assert.equal((await post(`logout_token=${good}&logout_token=${good}`, "application/x-www-form-urlencoded")).status, 400);
	assert.equal((await post("", "application/x-www-form-urlencoded")).status, 400);
	ok(await who.get("/api/v1/me"));
	await stack.down("postgres");
	problem(await backchannel(good), 503, "unavailable");
	await stack.up("postgres");
	assert.equal((await backchannel(good)).status, 200, "it was good all the time");
	problem(await who.get("/api/v1/me"), 401, "unauthenticated");
	assert.equal((await client(stack).get("/auth/backchannel-logout")).status, 405);
	for (const log of stack.names.filter((n) => n.startsWith("api"))) assert.ok(!stack.log(log).includes(c), "no token in a log");
});

test("AU-5 c deactivation and the end of a token's time end streams and polls on all processes", async () => {
	const gone = await signIn(stack, "mallory");
	const user = (await me(gone)).id;
	await (await everything(gone)).ended(() => stack.psql(`select user_deactivate(${user})`), 4003);
	const who = await signIn(stack, "niaj");
	const made = ok(await who.post("/api/v1/me/tokens", { name: "short", scopes: ["read"], expires_in: 3 }), 201);
	const program = client(stack, { token: made.token });
	const end = Date.parse(made.expires_at);
	await (await everything(program)).ended(() => until(() => Date.now() >= end, { what: "its end" }), 4001);
	problem(await program.get("/api/v1/me"), 401, "unauthenticated");
	assert.deepEqual(ok(await who.get("/api/v1/me/tokens")).tokens, []);
});
