// accounts: who may come (invitations, domains), passwords of local accounts, and what doctor says of the provider.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Jar, bot, client, navigate, pick, signIn } from "../support/http.mjs";
import { ROOT, startStack } from "../support/stack.mjs";
import { me, ok, problem } from "./help.mjs";

let stack, admin, member;
before(async () => {
	stack = await startStack({
		realtime: 0,
		conf: { registration: { mode: "invite" }, local: { accounts: "yes" }, oidc: { client_auth: "post" } },
	});
	await stack.idp({ auth: "client_secret_post" });
	admin = await bot(stack, "alice", ["write", "admin"]);
	member = await bot(stack, "bob", ["write", "admin"]);
});
after(() => stack?.stop());

const db = (sql) => stack.psql(sql, { user: "postgres" });
/** Whoever this is tries to sign in; the last answer. */
async function attempt(login, invite, jar = new Jar()) {
	const start = invite ? ok(await client(stack, { jar }).post("/auth/login", { invite })).redirect : `${stack.url}/auth/login`;
	const at = await navigate(jar, start);
	return pick(stack, jar, at, { login });
}
const refused = (answer, title) => {
	assert.equal(answer.status, 403, `${answer.status} ${answer.text.slice(0, 300)}`);
	assert.ok(answer.text.includes(`<h1>${title}</h1>`), answer.text);
};
const invite = async (wish = {}) => ok(await admin.post("/api/v1/invites", wish), 201);
/** Starts the API with other settings: {REGISTRATION_MODE: "open"}. */
async function restart(settings) {
	const proc = stack.proc("api1");
	proc.plain ??= proc.env;
	proc.env = { ...proc.plain, ...Object.fromEntries(Object.entries(settings).map(([k, v]) => [`PULSECHAT_${k}`, v])) };
	await stack.down("api1");
	await stack.up("api1");
}

test("by invitation: whoever has an account comes in, others need a link, which is good as often and as long as it says", async () => {
	assert.equal((await client(stack).get("/api/v1/site")).json.registration, "invite");
	assert.equal((await me(await signIn(stack, "carol"))).handle, "carol");
	refused(await attempt("guest1"), "You need an invitation");
	refused(await attempt("guest1", "AAAAAAAAAAAAAAAAAAAAAA"), "This invitation is not valid");
	const made = await invite({ note: "for the choir", max_uses: 2, expires_in: 3600 });
	const members = "code created_at created_by expires_at id max_uses note role state url uses";
	assert.equal(Object.keys(made).sort().join(" "), members);
	assert.match(made.code, /^[\w-]{22}$/);
	assert.equal(made.url, `${stack.url}/join#${made.code}`);
	assert.equal(await db("SELECT count(*) FROM invites WHERE code_hash = sha256('" + made.code + "')"), "1");
	const look = async () => ok(await client(stack).post("/api/v1/invites/look", { code: made.code })).state;
	assert.equal(await look(), "open");
	// Two at once for the last place: one of them gets it.
	const first = await attempt("guest1", made.code);
	assert.equal(first.status, 200, first.text);
	const last = await Promise.all(["guest2", "guest3", "guest4"].map((g) => attempt(g, made.code)));
	assert.deepEqual(last.map((r) => r.status).sort(), [200, 403, 403]);
	refused(last.find((r) => r.status === 403), "This invitation is used up");
	assert.equal(await look(), "used_up");
	assert.equal((await attempt("guest1")).status, 200, "the next time needs none");
	const late = await invite({ expires_in: 60, role: "guest" });
	await db(`UPDATE invites SET expires_at = now() - interval '1 s' WHERE id = ${late.id}`);
	refused(await attempt("guest9", late.code), "This invitation has expired");
	const back = await invite({ max_uses: 5 });
	assert.equal((await admin.delete(`/api/v1/invites/${back.id}`)).status, 204);
	assert.equal((await admin.delete(`/api/v1/invites/${back.id}`)).status, 204);
	refused(await attempt("guest9", back.code), "This invitation was withdrawn");
	const list = ok(await admin.get("/api/v1/invites?limit=2"));
	assert.deepEqual(list.invites.map((i) => [i.id, i.state]), [[back.id, "revoked"], [late.id, "expired"]]);
	const rest = ok(await admin.get(`/api/v1/invites?limit=2&before=${list.next}`));
	assert.deepEqual(rest.invites.map((i) => [i.id, i.uses, i.state]), [[made.id, 2, "used_up"]]);
	assert.equal(rest.next, null);
	assert.ok(!JSON.stringify([list, rest]).includes(made.code));
	const guest = await invite({ role: "guest" });
	const jar = new Jar();
	assert.equal((await attempt("guest5", guest.code, jar)).status, 200);
	assert.equal((await me(client(stack, { jar }))).role, "guest");
});

test("invitations are for owners and admins, and checked", async () => {
	problem(await member.post("/api/v1/invites", {}), 403, "forbidden");
	problem(await member.get("/api/v1/invites"), 403, "forbidden");
	problem(await member.delete("/api/v1/invites/1"), 403, "forbidden");
	const lacking = await bot(stack, "alice");
	problem(await lacking.post("/api/v1/invites", {}), 403, "insufficient_scope");
	problem(await lacking.get("/api/v1/invites"), 403, "insufficient_scope");
	problem(await lacking.delete("/api/v1/invites/1"), 403, "insufficient_scope");
	problem(await client(stack).post("/api/v1/invites", {}), 401, "unauthenticated");
	problem(await admin.delete("/api/v1/invites/999999"), 404, "not_found");
	for (const [wish, field] of [
		[{ role: "admin" }, "role"],
		[{ max_uses: 0 }, "max_uses"],
		[{ expires_in: -1 }, "expires_in"],
		[{ note: "x".repeat(201) }, "note"],
		[{ note: "a\nb" }, "note"],
		[{ colour: "red" }, "colour"],
	])
		problem(await admin.post("/api/v1/invites", wish), 400, "bad_field", field);
	const { stdout } = await stack.cli(["invite", "add", "--note", "by hand", "--uses", "any", "--expires", "never"]);
	const [, id, code] = /^(\d+)\thttp.*\/join#([\w-]{22})\n$/.exec(stdout);
	assert.equal((await attempt("guest6", code)).status, 200);
	assert.match((await stack.cli(["invite", "list"])).stdout, new RegExp(`^${id}\topen\t1/any\tnever\tmember\tby hand$`, "m"));
	await stack.cli(["invite", "revoke", id]);
	await stack.cli(["invite", "revoke", id]);
	const made = await invite({ role: "guest", note: "for the log", max_uses: 3 });
	const gone = await admin.delete(`/api/v1/invites/${made.id}`);
	const log = ok(await admin.get("/api/v1/admin/audit?action=invite&limit=4")).entries;
	const alice = (await me(admin)).id;
	assert.deepEqual(log.map((e) => [e.action, e.actor, e.details]), [
		["invite.revoked", alice, { invite: made.id }],
		["invite.created", alice, { invite: made.id, role: "guest", max_uses: 3, note: "for the log" }],
		["invite.revoked", null, { invite: Number(id) }],
		["invite.created", null, { invite: Number(id), role: "member", note: "by hand" }],
	]);
	assert.equal(log[0].request_id, gone.headers["pulsechat-request-id"]);
	assert.ok(!JSON.stringify(log).includes(code) && !JSON.stringify(log).includes(made.code), "never what lets somebody in");
	refused(await attempt("guest7", code), "This invitation was withdrawn");
	await assert.rejects(stack.cli(["invite", "add", "--uses", "0"]), (e) => e.code === 2);
});

test("by domain: the address must be of one, and vouched for", async () => {
	await restart({ REGISTRATION_MODE: "domains", REGISTRATION_DOMAINS: "Corp.example, example.org" });
	const claims = (email, email_verified) => stack.idp({ claims: { worker: { email, email_verified } } });
	await claims("worker@elsewhere.example", true);
	refused(await attempt("worker"), "You cannot join with this account");
	await claims(null, null);
	refused(await attempt("worker"), "You cannot join with this account");
	await claims("worker@corp.example", false);
	refused(await attempt("worker"), "Your e-mail address is not confirmed");
	await claims("worker@corp.example", "true");
	refused(await attempt("worker"), "Your e-mail address is not confirmed");
	await claims("worker@CORP.example", true);
	assert.equal((await attempt("worker")).status, 200);
	await restart({});
});

test("the first person of a site is its owner, once", async () => {
	await restart({ REGISTRATION_MODE: "open" });
	await db("UPDATE users SET role = 'member' WHERE role IN ('owner', 'admin')");
	const people = await Promise.all(["first1", "first2", "first3"].map((l) => signIn(stack, l)));
	const roles = (await Promise.all(people.map((p) => me(p)))).map((u) => u.role).sort();
	assert.deepEqual(roles, ["member", "member", "owner"]);
	await db("UPDATE users SET role = 'member'");
	await restart({ REGISTRATION_MODE: "open", REGISTRATION_FIRST_OWNER: "no" });
	assert.equal((await me(await signIn(stack, "first4"))).role, "member");
	await db("UPDATE users SET role = 'owner' WHERE handle = 'alice'");
	await restart({});
});

/** Sets a password as an administrator does, by standard input. */
async function setPassword(handle, password) {
	const done = stack.cli(["user", "password", handle]);
	done.child.stdin.end(`${password}\n`);
	return done;
}
const PASSWORD = "a long enough secret";
const door = (body, options) => client(stack, { jar: options?.jar ?? new Jar() }).post("/auth/local", body, options);
const forget = () => db("DELETE FROM password_tries");

test("a local account signs in by its password, into a session like any other", async () => {
	await stack.cli(["user", "add", "lena", "--name", "Lena Local"]);
	for (const [bad, why] of [["short", /10 characters/], ["1234567890", /commonest/], ["aaaaaaaaaaaa", /again and again/], ["x".repeat(1100), /at most/]])
		await assert.rejects(setPassword("lena", bad), (e) => e.code === 1 && why.test(e.stderr), bad.slice(0, 20));
	await assert.rejects(setPassword("nobody-here", PASSWORD), (e) => e.code === 1);
	await stack.cli(["bot", "add", "robot"]);
	await assert.rejects(setPassword("robot", PASSWORD), (e) => e.code === 1 && /a bot has no password/.test(e.stderr));
	await setPassword("lena", PASSWORD);
	assert.match(await db("SELECT hash FROM passwords"), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
	const jar = new Jar();
	const answer = await door({ name: "Lena", password: PASSWORD, return_to: "/c/5" }, { jar });
	assert.deepEqual(ok(answer), { redirect: "/c/5" });
	assert.match(answer.headers["set-cookie"][0], /HttpOnly; SameSite=Lax/);
	const lena = client(stack, { jar });
	assert.equal((await me(lena)).handle, "lena");
	assert.deepEqual(ok(await door({ name: "lena", password: PASSWORD, return_to: "//evil.test" })), { redirect: "/" });
	// A new password ends what the old one opened.
	await setPassword("lena", `${PASSWORD} 2`);
	problem(await lena.get("/api/v1/me"), 401, "unauthenticated");
	problem(await door({ name: "lena", password: PASSWORD }), 403, "forbidden");
	ok(await door({ name: "lena", password: `${PASSWORD} 2` }));
	await setPassword("lena", PASSWORD);
	const log = ok(await admin.get("/api/v1/admin/audit?actor=command&action=user.password")).entries;
	assert.deepEqual(log.map((e) => e.details), [{}, {}, {}]);
});

test("without a provider: whoever has an invitation chooses handle, name and password; it is used once, and checked", async () => {
	await restart({ OIDC_ISSUER: "" });
	const made = await invite({ max_uses: 2, role: "guest" });
	const usual = { invite: made.code, handle: "mona", name: "Mona", password: PASSWORD };
	const join = (wish, options = {}) =>
		client(stack, { jar: options.jar ?? new Jar() }).post("/auth/join", { ...usual, ...wish }, options);
	for (const [wish, field] of [
		[{ handle: "mo na" }, "handle"],
		[{ handle: "" }, "handle"],
		[{ name: "\u202e" }, "name"],
		[{ name: "Аlice" }, "name"], // with a Cyrillic A
		[{ password: "short" }, "password"],
		[{ password: "1234567890" }, "password"],
		[{ more: 1 }, "more"],
	])
		problem(await join(wish), 400, "bad_field", field);
	for (const handle of ["alice", "Alice", "admin"]) problem(await join({ handle }), 409, "conflict", "handle");
	for (const code of ["AAAAAAAAAAAAAAAAAAAAAA", "x"]) problem(await join({ invite: code }), 403, "forbidden", "invite");
	problem(await join({}, { headers: { origin: "https://evil.test" } }), 403, "origin_refused");
	assert.equal(await db(`SELECT uses FROM invites WHERE id = ${made.id}`), "0");
	const jar = new Jar();
	const answer = await join({ handle: "Mona", name: "Mona  Lisa", return_to: "/c/1" }, { jar });
	assert.deepEqual(ok(answer), { redirect: "/c/1" });
	assert.match(answer.headers["set-cookie"][0], /HttpOnly; SameSite=Lax/);
	const mona = client(stack, { jar });
	const mine = ok(await mona.get("/api/v1/me"));
	assert.deepEqual([mine.user.handle, mine.user.name, mine.user.role, mine.password], ["mona", "Mona Lisa", "guest", true]);
	ok(await door({ name: "mona", password: PASSWORD }));
	// The last place, and one handle: one of those who come at once has it.
	const all = await Promise.all(["nora", "nora", "nele"].map((handle) => join({ handle })));
	assert.deepEqual(all.map((r) => r.status).sort().slice(0, 1), [200]);
	assert.equal(all.filter((r) => r.status === 200).length, 1);
	problem(await join({ handle: "late" }), 403, "forbidden", "invite");
	assert.equal(await db("SELECT count(*) FROM users WHERE handle IN ('nora', 'nora-2', 'nele', 'late')"), "1");
	await restart({ OIDC_ISSUER: "", LOCAL_ACCOUNTS: "no" });
	problem(await join({ handle: "late" }), 404, "not_found");
	problem(await mona.put("/api/v1/me/password", { old: PASSWORD, password: PASSWORD }), 404, "not_found");
	await restart({});
});

test("somebody changes his own password: the old one is asked for, and all other sessions end", async () => {
	const jars = [new Jar(), new Jar()];
	for (const jar of jars) ok(await door({ name: "mona", password: PASSWORD }, { jar }));
	const [here, there] = jars.map((jar) => client(stack, { jar }));
	const NEW = `${PASSWORD}, newer`;
	const change = (old, password, who = here) => who.put("/api/v1/me/password", { old, password });
	problem(await change("not the right one", NEW), 403, "forbidden", "old");
	problem(await change(PASSWORD, "short"), 400, "bad_field", "password");
	assert.equal((await me(there)).handle, "mona");
	assert.equal((await change(PASSWORD, NEW)).status, 204);
	assert.equal((await me(here)).handle, "mona");
	problem(await there.get("/api/v1/me"), 401, "unauthenticated");
	problem(await door({ name: "mona", password: PASSWORD }), 403, "forbidden");
	ok(await door({ name: "mona", password: NEW }));
	const entry = ok(await admin.get("/api/v1/admin/audit?action=user.password&limit=1")).entries[0];
	assert.deepEqual([entry.actor, entry.target], [entry.target, (await me(here)).id]);
	// Tries at it count as those at the door; a token does not do it; who has none is told so.
	await forget();
	for (let i = 0; i < 4; i++) problem(await change("not the right one", NEW), 403, "forbidden", "old");
	problem(await change(NEW, PASSWORD), 429, "rate_limited");
	await forget();
	problem(await change(NEW, PASSWORD, await bot(stack, "mona", ["write"])), 403, "insufficient_scope");
	const carol = await signIn(stack, "carol");
	problem(await change(NEW, PASSWORD, carol), 422, "unprocessable");
	assert.equal(ok(await carol.get("/api/v1/me")).password, false);
	for (const name of stack.names.filter((n) => n.startsWith("api"))) assert.ok(!stack.log(name).includes(PASSWORD));
});

test("whoever came by a password leaves to this site's page, who came by the provider to the provider's", async () => {
	const jar = new Jar();
	ok(await door({ name: "lena", password: PASSWORD }, { jar }));
	assert.equal(await db("SELECT issuer IS NULL FROM sessions WHERE kind = 'session' ORDER BY id DESC LIMIT 1"), "t");
	const leave = async (who) => new URL(ok(await who.post("/auth/logout")).redirect, stack.url).href;
	assert.equal(await leave(client(stack, { jar })), `${stack.url}/sign-in`);
	const carol = await signIn(stack, "carol");
	assert.ok((await leave(carol)).startsWith(stack.issuer));
});

test("wrong passwords, unknown names and closed accounts get the same answer, and are slowed down the same", async () => {
	await stack.cli(["user", "add", "otto"]);
	await setPassword("otto", PASSWORD);
	const otto = await stack.cli(["user", "list"]);
	assert.match(otto.stdout, /otto/);
	await stack.cli(["user", "add", "gone"]);
	await setPassword("gone", PASSWORD);
	await stack.cli(["user", "deactivate", "gone"]);
	await forget();
	const said = async (name, password = "not the right one") => {
		const { detail, code, status } = (await door({ name, password })).json;
		return { detail, code, status };
	};
	const wrong = await said("otto");
	assert.deepEqual([wrong.status, wrong.code], [403, "forbidden"]);
	for (const name of ["nobody", "gone", "bob", "no handle at all ☃", "otto'; --"]) assert.deepEqual(await said(name), wrong, name);
	assert.deepEqual(await said("gone", PASSWORD), wrong);
	await forget();
	// Four tries, however many come at once; then a wait, for a right password too.
	for (const name of ["otto", "nobody"]) {
		const all = await Promise.all(Array.from({ length: 12 }, () => door({ name, password: "not the right one" })));
		const tried = all.filter((r) => r.status === 403).length;
		assert.ok(tried >= 1 && tried <= 4, `${name}: ${all.map((r) => r.status)}`);
		for (let left = 4 - tried; left > 0; left--) await door({ name, password: "not the right one" });
		const answer = await door({ name, password: PASSWORD });
		problem(answer, 429, "rate_limited");
		assert.ok(Number(answer.headers["retry-after"]) <= 5);
	}
	await db("UPDATE password_tries SET last_at = last_at - interval '6 s'");
	ok(await door({ name: "otto", password: PASSWORD }));
	assert.equal(await db("SELECT count(*) FROM password_tries"), "1", "a success is the end of it");
	await forget();
});

test("another site's page signs nobody in; what is no request is refused; switched off there is no such path", async () => {
	const right = { name: "lena", password: PASSWORD };
	problem(await door(right, { headers: { origin: "https://evil.test" } }), 403, "origin_refused");
	problem(await door(right, { headers: { origin: null } }), 403, "origin_refused");
	problem(await door({ name: "lena" }), 400, "bad_field", "password");
	problem(await door({ ...right, name: "" }), 400, "bad_field", "name");
	problem(await door({ ...right, more: 1 }), 400, "bad_field", "more");
	problem(await door("name=lena", { headers: { "content-type": "application/x-www-form-urlencoded" } }), 415, "unsupported_media_type");
	await restart({ LOCAL_ACCOUNTS: "no" });
	problem(await door(right), 404, "not_found");
	const site = (await client(stack).get("/api/v1/site")).json;
	assert.deepEqual([site.local, site.provider], [false, true]);
	await restart({});
	const log = stack.log("api1");
	assert.ok(!log.includes(PASSWORD) && !log.includes("not the right one"));
});

test("settings that make no sense are refused at the start", async () => {
	for (const [name, value, why] of [
		["REGISTRATION_MODE", "closed", /open, invite or domains/],
		["REGISTRATION_MODE", "domains", /needs domains/],
		["LOCAL_ACCOUNTS", "maybe", /yes or no/],
		["REGISTRATION_FIRST_OWNER", "1", /yes or no/],
	])
		await assert.rejects(stack.cli(["user", "list"], { env: { ...process.env, [`PULSECHAT_${name}`]: value } }), (e) => why.test(e.stderr), name);
});

const doctor = async (settings = {}) => {
	const env = { ...process.env, ...Object.fromEntries(Object.entries(settings).map(([k, v]) => [`PULSECHAT_${k}`, v])) };
	const r = await stack.cli(["doctor"], { env }).catch((e) => e);
	return r.stdout.split("\n").filter((l) => l.includes("oidc: "));
};
const bad = (said, why) => {
	const failed = said.filter((l) => l.startsWith("FAIL"));
	assert.equal(failed.length, 1, said.join("\n"));
	assert.match(failed[0], why);
};

test("doctor asks the provider, and says what is wrong", async () => {
	const well = await doctor();
	for (const word of ["discovery: found", "keys: 4", "clock: ours and the provider's agree", "redirect URI: the provider leads back", "takes its secret"])
		assert.ok(well.some((l) => l.startsWith("ok") && l.includes(word)), `${word}\n${well.join("\n")}`);
	assert.ok(well.every((l) => l.startsWith("ok")), well.join("\n"));
	bad(await doctor({ OIDC_ISSUER: `${stack.issuer}/` }), /discovery/);
	bad(await doctor({ OIDC_ISSUER: stack.issuer.replace("127.0.0.1", "localhost") }), /calls itself .*127\.0\.0\.1.* says .*localhost/);
	bad(await doctor({ OIDC_ISSUER: "http://127.0.0.1:1" }), /discovery/);
	bad(await doctor({ SITE_URL: "http://127.0.0.1:1" }), /redirect URI: .*is http:\/\/127\.0\.0\.1:1\/auth\/callback registered/);
	bad(await doctor({ OIDC_CLIENT_SECRET: "wrong" }), /client: .*invalid_client/);
	bad(await doctor({ OIDC_ROLES: "king:people" }), /roles/);
	bad(await doctor({ OIDC_PROMPT: "always" }), /prompt/);
	for (const clock of [600, -600]) {
		await stack.idp({ clock });
		bad(await doctor(), clock > 0 ? /clock: the provider's is (59\d|60\d) s ahead/ : /clock: the provider's is (59\d|60\d) s behind/);
	}
	await stack.idp({ clock: 0, fail: { jwks: 500 } });
	bad(await doctor(), /keys: .*500/);
	await stack.idp({ fail: { jwks: 0 } });
	// The other two ways of saying who we are.
	await stack.idp({ auth: "client_secret_basic" });
	assert.ok((await doctor({ OIDC_CLIENT_AUTH: "basic" })).every((l) => l.startsWith("ok")));
	await stack.idp({ auth: "none" });
	const open = await doctor({ OIDC_CLIENT_SECRET_FILE: "" });
	assert.ok(open.every((l) => l.startsWith("ok")) && open.some((l) => l.includes("a public client")), open.join("\n"));
	await restart({ OIDC_CLIENT_SECRET_FILE: "" });
	assert.equal((await me(await signIn(stack, "carol"))).handle, "carol");
	assert.ok((await doctor({ OIDC_ISSUER: "" })).every((l) => l.includes("passwords of this site")));
	assert.match((await doctor({ OIDC_ISSUER: "", LOCAL_ACCOUNTS: "no" }))[0], /^FAIL.*nobody can sign in/);
});

test("the development provider refuses a site that others can reach", async () => {
	const server = join(ROOT, "tests/devidp/server.mjs");
	for (const site of ["https://chat.example.org", "http://192.168.1.7:8080", "http://127.0.0.1.evil.test", "http://localhost.example.org"]) {
		const argv = [server, "--state", join(stack.dir, "refused"), "--port", "1", "--site", site];
		const r = spawnSync(process.execPath, argv, { encoding: "utf8", timeout: 20000 });
		assert.equal(r.status, 1, site);
		assert.match(r.stderr, /refusing/, site);
	}
	assert.ok(!existsSync(join(stack.dir, "refused")));
});
