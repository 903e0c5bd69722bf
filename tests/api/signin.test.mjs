// signin: signing in by the provider, as browsers do it: the round trip, what may go wrong, who gets an account and which one.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createHash, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Jar, client, exchange, navigate, pick, signIn } from "../support/http.mjs";
import { nowS, sealed } from "../support/jwt.mjs";
import { startStack } from "../support/stack.mjs";
import { me, ok } from "./help.mjs";

let stack;
before(async () => {
	stack = await startStack({
		realtime: 0,
		api: 2,
		conf: {
			oidc: { scopes: "openid profile email", roles: "admin:staff, guest:visitors", owners: "newcomer-boss" },
		},
	});
});
after(() => stack?.stop());

const page = (answer, status, title) => {
	assert.equal(answer.status, status, `${answer.status} ${answer.text.slice(0, 400)}`);
	assert.match(answer.headers["content-type"], /^text\/html/);
	assert.ok(answer.text.includes(`<h1>${title}</h1>`), answer.text);
	assert.ok(answer.text.includes(`Request ${answer.headers["pulsechat-request-id"]}`), "the page bears the request id");
	return answer;
};
/** The provider's sign-in page, and the parameters that led there. */
async function begin(jar, query = "") {
	let asked;
	const at = await navigate(jar, `${stack.url}/auth/login${query}`, {
		stopAt: (url) => {
			if (url.startsWith(stack.issuer.replace(/\/token$/, "")) && new URL(url).searchParams.has("state")) asked ??= new URL(url).searchParams;
			return false;
		},
	});
	return { at, asked };
}
/** From the provider's page up to the callback's address, which is not asked yet. */
async function untilCallback(jar, login, query) {
	const { at, asked } = await begin(jar, query);
	const action = /<form method="post" action="([^"]+)"/.exec(at.text)[1];
	const stopped = await navigate(jar, new URL(action, at.url).href, {
		method: "POST",
		body: new URLSearchParams({ login }).toString(),
		stopAt: (url) => url.startsWith(`${stack.url}/auth/callback`),
	});
	return { callback: stopped.url, asked };
}
const callBack = (jar, url) => navigate(jar, url, { stopAt: (u) => !u.includes("/auth/") });
const whoIs = async (jar) => (await client(stack, { jar }).get("/api/v1/me")).json?.user?.handle;
/** A newcomer with these claims signs in; the answer, and the account as the database has it. */
async function newcomer(login, claims, options) {
	await stack.idp({ claims: { [login]: claims } });
	const who = await signIn(stack, login, options);
	return { ...(await me(who)), client: who };
}

test("the provider is asked as OpenID Connect says, and not for more than once", async () => {
	const jar = new Jar();
	const { asked } = await begin(jar, "?return_to=/c/1&provider=google&prompt=login&login_hint=al%40x.test");
	assert.equal(asked.get("response_type"), "code");
	assert.equal(asked.get("client_id"), "pulsechat-dev");
	assert.equal(asked.get("redirect_uri"), `${stack.url}/auth/callback`);
	assert.equal(asked.get("scope"), "openid profile email");
	assert.equal(asked.get("code_challenge_method"), "S256");
	assert.match(asked.get("code_challenge"), /^[\w-]{43}$/);
	assert.match(asked.get("state"), /^[\w-]{43}$/);
	assert.match(asked.get("nonce"), /^[\w-]{43}$/);
	assert.deepEqual([asked.get("fidp"), asked.get("prompt"), asked.get("login_hint")], ["Google", "login", "al@x.test"]);
	const plain = (await begin(new Jar(), "?prompt=everything&provider=nobody")).asked;
	for (const name of ["fidp", "prompt", "login_hint"]) assert.equal(plain.get(name), null, name);
	for (const name of ["state", "nonce", "code_challenge"]) assert.notEqual(plain.get(name), asked.get(name));
	const [cookie] = jar.all().filter((c) => c.name.endsWith("_login"));
	assert.match(cookie.line, /Max-Age=600; HttpOnly; SameSite=Lax/);
});

test("each algorithm of the list (AU-4)", async () => {
	for (const alg of ["PS256", "ES256", "EdDSA", "RS256"]) {
		await stack.idp({ alg });
		assert.equal((await me(await signIn(stack, "alice"))).handle, "alice", alg);
	}
});

test("AU-4: tokens that are not the provider's, not for us, not of now, or none at all: refused, each, and nobody is in", async () => {
	const keys = JSON.parse(readFileSync(join(stack.state, "devidp/keys.json"), "utf8")).keys;
	const rsa = keys.find((k) => k.alg === "RS256");
	const part = (o) => Buffer.from(typeof o === "string" ? o : JSON.stringify(o)).toString("base64url");
	const jwt = (header, claims, key) => {
		const text = `${part({ alg: "RS256", kid: rsa.kid, ...header })}.${part(claims)}`;
		if (key === "none") return `${text}.`;
		if (typeof key === "string") return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
		return `${text}.${sign("sha256", Buffer.from(text), createPrivateKey({ key: key ?? rsa, format: "jwk" })).toString("base64url")}`;
	};
	const pem = createPublicKey({ key: rsa, format: "jwk" }).export({ type: "spki", format: "pem" });
	const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
	const now = Math.floor(Date.now() / 1000);
	const refused = "You could not be signed in";
	const clocks = "The clocks do not agree";
	const broken = "Signing in does not work just now";
	const cases = [
		["a good one", (c) => jwt({}, c), null],
		["alg none", (c) => jwt({ alg: "none" }, c, "none"), refused],
		["HS256 by the public key", (c) => jwt({ alg: "HS256" }, c, pem), refused],
		["a stranger's key", (c) => jwt({}, c, stranger), refused],
		["a stranger's key by its own name", (c) => jwt({ kid: "stranger" }, c, stranger), refused],
		["a key in the header", (c) => jwt({ jwk: { kty: "RSA", n: stranger.n, e: stranger.e } }, c, stranger), refused],
		["another issuer", (c) => jwt({}, { ...c, iss: "https://evil.test" }), refused],
		["another audience", (c) => jwt({}, { ...c, aud: "another" }), refused],
		["several audiences without azp", (c) => jwt({}, { ...c, aud: [c.aud, "another"] }), refused],
		["another azp", (c) => jwt({}, { ...c, azp: "another" }), refused],
		["no nonce", (c) => jwt({}, { ...c, nonce: undefined }), refused],
		["another nonce", (c) => jwt({}, { ...c, nonce: "x".repeat(43) }), refused],
		["no subject", (c) => jwt({}, { ...c, sub: "" }), refused],
		["past its end for ten minutes", (c) => jwt({}, { ...c, iat: now - 1200, exp: now - 600 }), clocks],
		["of in ten minutes", (c) => jwt({}, { ...c, iat: now + 600, exp: now + 1200 }), clocks],
		["not before ten minutes", (c) => jwt({}, { ...c, nbf: now + 600 }), clocks],
		["of in five seconds", (c) => jwt({}, { ...c, iat: now + 5, nbf: now + 5 }), null],
		["no ID token", () => undefined, broken],
		["no token", () => "x", refused],
		["too large", (c) => jwt({}, { ...c, more: "x".repeat(20000) }), refused],
	];
	for (const [what, make, title] of cases) {
		const jar = new Jar();
		const { callback, asked } = await untilCallback(jar, "alice");
		const claims = { iss: stack.issuer, aud: "pulsechat-dev", sub: "forged", iat: now, exp: now + 600, nonce: asked.get("nonce") };
		await stack.idp({ answer: { token: JSON.stringify({ access_token: "a", token_type: "Bearer", id_token: make(claims) }) } });
		const answer = await callBack(jar, callback);
		if (title) page(answer, title === refused ? 403 : 503, title);
		else assert.equal(answer.url, `${stack.url}/`, what);
		assert.equal((await whoIs(jar)) !== undefined, title === null, what);
	}
	for (const text of ["", "<html>", "[]", "{", JSON.stringify({ id_token: "a.b.c" }), `{"pad":"${"x".repeat(100000)}"}`]) {
		const jar = new Jar();
		const { callback } = await untilCallback(jar, "alice");
		await stack.idp({ answer: { token: text } });
		page(await callBack(jar, callback), 503, broken);
	}
	await stack.idp({ answer: { token: null } });
});

test("two tabs at once, each its own state; back and reload; another browser's link (AU-1)", async () => {
	const jar = new Jar();
	const a = await untilCallback(jar, "alice", "?return_to=/c/11");
	// B begins before A has finished; the provider knows her already.
	let second;
	await navigate(jar, `${stack.url}/auth/login?return_to=/c/22`, {
		stopAt: (url) => (url.startsWith(`${stack.url}/auth/callback`) ? (second = url) : false),
	});
	assert.equal((await callBack(jar, a.callback)).url, `${stack.url}/c/11`);
	assert.equal(await whoIs(jar), "alice");
	assert.equal((await callBack(jar, second)).url, `${stack.url}/c/22`);
	assert.equal(await whoIs(jar), "alice");
	// Reload and "back" of one who is in; the same link where nobody is.
	assert.equal((await callBack(jar, a.callback)).url, `${stack.url}/`);
	page(await callBack(new Jar(), a.callback), 400, "This sign-in has ended");
	const stolen = await untilCallback(new Jar(), "mallory");
	page(await callBack(new Jar(), stolen.callback), 400, "This sign-in has ended");
	page(await callBack(new Jar(), `${stack.url}/auth/callback?error=server_error`), 400, "This sign-in has ended");
	// A state works once, whoever comes first.
	const once = new Jar();
	const { callback } = await untilCallback(once, "bob");
	const both = await Promise.all([callBack(once, callback), callBack(once, callback)]);
	assert.deepEqual(both.map((r) => r.status).sort(), both.some((r) => r.status === 400) ? [303, 400] : [303, 303]);
	assert.equal(await whoIs(once), "bob");
});

test("an attempt lasts ten minutes; a browser has 32 at most", async () => {
	const jar = new Jar();
	const { callback } = await untilCallback(jar, "alice");
	await stack.psql("UPDATE login_attempts SET expires_at = now() - interval '1 s'", { user: "postgres" });
	page(await callBack(jar, callback), 400, "This sign-in has ended");
	const left = async () => Number(await stack.psql("SELECT count(*) FROM login_attempts WHERE expires_at > now()", { user: "postgres" }));
	const crowd = new Jar();
	await exchange(`${stack.url}/auth/login`).then((r) => crowd.put(stack.url, r.headers["set-cookie"]));
	await stack.psql("DELETE FROM login_attempts", { user: "postgres" });
	for (let i = 0; i < 40; i++) await exchange(`${stack.url}/auth/login`, { headers: { cookie: crowd.header(`${stack.url}/auth/login`) } });
	assert.equal(await left(), 32);
});

test("the way back is a page of this site (AU-2)", async () => {
	const bad = ["//evil.test", "/\\evil.test", "/%2fevil.test", "/%5cevil.test", "https://evil.test", "https:evil.test", "javascript:alert(1)"];
	const jar = new Jar();
	for (const wish of [...bad, "/a/..//evil.test", `/${"a".repeat(5000)}`]) {
		const who = await signIn(stack, "alice", { returnTo: wish, jar });
		assert.equal(who.landed.url, `${stack.url}/`, wish.slice(0, 40));
	}
	// Some web servers take no such characters.
	for (const wish of ["/%09/evil.test", "/%0a/evil.test"]) {
		assert.ok([302, 400].includes((await exchange(`${stack.url}/auth/login?return_to=${wish}`)).status));
		assert.equal(await stack.psql(`SELECT count(*) FROM login_attempts WHERE return_to LIKE '%evil%'`, { user: "postgres" }), "0");
	}
	assert.equal((await signIn(stack, "alice", { returnTo: "/c/42?x=1#m7", jar })).landed.url, `${stack.url}/c/42?x=1#m7`);
});

test("what the provider says of itself on the callback must be true (RFC 9207)", async () => {
	const { callback } = await untilCallback(new Jar(), "alice");
	assert.equal(new URL(callback).searchParams.get("iss"), stack.issuer);
	for (const change of [(q) => q.set("iss", "https://evil.test"), (q) => q.delete("iss"), (q) => q.set("iss", `${stack.issuer}/`)]) {
		const jar = new Jar();
		const url = new URL((await untilCallback(jar, "alice")).callback);
		change(url.searchParams);
		page(await callBack(jar, url.href), 403, "You could not be signed in");
		assert.equal(await whoIs(jar), undefined);
	}
});

test("errors of the provider are pages for a person; nothing of them is HTML", async () => {
	const said = {
		access_denied: [403, "You are not signed in"],
		login_required: [403, "You are not signed in"],
		consent_required: [403, "You are not signed in"],
		temporarily_unavailable: [503, "Signing in does not work just now"],
		invalid_scope: [400, "You could not be signed in"],
		"<script>alert(1)</script>": [400, "You could not be signed in"],
	};
	for (const [error, [status, title]] of Object.entries(said)) {
		const jar = new Jar();
		const { asked } = await begin(jar, "?return_to=/c/7");
		const query = new URLSearchParams({ error, error_description: "<img src=x onerror=alert(1)>", state: asked.get("state"), iss: stack.issuer });
		const answer = page(await callBack(jar, `${stack.url}/auth/callback?${query}`), status, title);
		assert.ok(!answer.text.includes("<script") && !answer.text.includes("<img"), answer.text);
		assert.ok(answer.text.includes('href="/auth/login?return_to=%2Fc%2F7"'), answer.text);
	}
	// A silent attempt of one whom the provider does not know.
	page(await navigate(new Jar(), `${stack.url}/auth/login?prompt=none`), 403, "You are not signed in");
});

test("a code that is too old, a provider that is broken, slow, or gone", async () => {
	const jar = new Jar();
	const { callback } = await untilCallback(jar, "alice");
	await stack.idp({ expire: "codes" });
	page(await callBack(jar, callback), 400, "This sign-in took too long");
	for (const status of [500, 503, 429]) {
		const again = new Jar();
		const late = await untilCallback(again, "alice");
		await stack.idp({ fail: { token: status } });
		const answer = page(await callBack(again, late.callback), 503, "Signing in does not work just now");
		assert.match(answer.headers["retry-after"], /^[1-9]\d*$/);
		await stack.idp({ fail: { token: 0 } });
	}
	const gone = new Jar();
	const lost = await untilCallback(gone, "alice");
	await stack.down("devidp");
	page(await callBack(gone, lost.callback), 503, "Signing in does not work just now");
	// Processes that know nothing of the provider yet, and no other that does.
	await stack.psql("DELETE FROM provider_documents", { user: "postgres" });
	for (const name of ["api1", "api2"]) {
		await stack.down(name);
		await stack.up(name);
	}
	page(await exchange(`${stack.url}/auth/login`), 503, "Signing in does not work just now");
	await stack.up("devidp");
	assert.equal((await me(await signIn(stack, "alice", { jar: gone }))).handle, "alice");
});

test("clocks: half a minute is nothing, ten minutes are a page that says so, in either direction (AU-4)", async () => {
	for (const clock of [30, -30]) {
		await stack.idp({ clock });
		assert.equal((await me(await signIn(stack, "alice"))).handle, "alice", `${clock} s`);
	}
	for (const clock of [600, -600]) {
		await stack.idp({ clock });
		const jar = new Jar();
		const { callback } = await untilCallback(jar, "alice");
		page(await callBack(jar, callback), 503, "The clocks do not agree");
		assert.equal(await whoIs(jar), undefined);
	}
	await stack.idp({ clock: 0 });
});

test("two first sign-ins at once make one account", async () => {
	for (let round = 0; round < 5; round++) {
		const login = `twin${round}`;
		const people = await Promise.all([1, 2, 3, 4].map(() => signIn(stack, login)));
		const ids = new Set(await Promise.all(people.map(async (p) => (await me(p)).id)));
		assert.equal(ids.size, 1);
	}
	assert.equal(await stack.psql("SELECT count(*) FROM users WHERE handle LIKE 'twin%'", { user: "postgres" }), "5");
});

test("many sign in at once: whoever finds it crowded is told when to come back, and gets in", async () => {
	const crowd = process.env.PC_VARIANT === "tsan" ? 200 : 40;
	const people = await Promise.all(
		Array.from({ length: crowd }, async (_, i) => {
			const jar = new Jar();
			let answer = await navigate(jar, `${stack.url}/auth/login`);
			for (;;) {
				if (answer.status === 503) {
					assert.ok(answer.text.includes("Many people are signing in"), answer.text);
					assert.match(answer.headers["retry-after"], /^[1-9]\d*$/);
					await new Promise((done) => setTimeout(done, 200 + (i % 10) * 50));
					answer = await navigate(jar, answer.url);
				} else if (answer.url.startsWith(stack.idpUrl)) answer = await pick(stack, jar, answer, { login: `crowd${i % 50}` });
				else break;
			}
			assert.equal(answer.url, `${stack.url}/`, answer.text.slice(0, 300));
			return (await me(client(stack, { jar }))).handle;
		}),
	);
	assert.equal(new Set(people).size, Math.min(crowd, 50));
});

test("AU-3: an e-mail address leads to nobody's account, and follows its owner", async () => {
	const victim = await newcomer("victim", { email: "user1@example.org", email_verified: true });
	const mail = (id) => stack.psql(`SELECT email, email_verified FROM users WHERE id = ${id}`, { user: "postgres" });
	assert.equal(await mail(victim.id), "user1@example.org|t");
	const thieves = [false, null, "false", true].map((sure) => ["user1@example.org", sure]);
	for (const [i, [email, email_verified]] of [...thieves, ["USER1@EXAMPLE.ORG", true]].entries()) {
		const thief = await newcomer(`thief${i}`, { email, email_verified });
		assert.notEqual(thief.id, victim.id);
		assert.equal(await mail(thief.id), `${email}|${email_verified === true ? "t" : "f"}`);
	}
	assert.equal((await newcomer("victim", { email: "new@example.org", email_verified: false })).id, victim.id);
	assert.equal(await mail(victim.id), "new@example.org|f");
	assert.equal((await newcomer("victim", { email: null })).id, victim.id);
	assert.equal(await mail(victim.id), "|f");
});

test("names: none, invisible, misleading, too long, of another script; handles are never twice the same", async () => {
	const bare = { name: null, given_name: null, family_name: null, preferred_username: null, username: null, email: null, email_verified: null };
	const known = [
		["n-none", bare, /^user-[0-9a-f]{8}$/],
		["n-invisible", { ...bare, name: "\u200b\u202e\u2060", given_name: "Ann" }, /^Ann$/],
		["n-bidi", { name: "Al\u202eice\u2069 Cooper" }, /^Alice Cooper$/],
		["n-mixed", { ...bare, name: "\u0410lice Moreau", given_name: "Zed" }, /^Zed$/],
		["n-cyrillic", { name: "\u0410\u043d\u043d\u0430 Petrova" }, /^\u0410\u043d\u043d\u0430 Petrova$/u],
		["n-long", { name: "x".repeat(500) }, /^x{80}$/],
		["n-zalgo", { name: `Z${"\u0301".repeat(40)}oe` }, /^Z\u0301{3}oe$/u],
		["n-html", { name: "<b>Bold</b>" }, /^<b>Bold<\/b>$/],
	];
	for (const [login, claims, name] of known) assert.match((await newcomer(login, claims)).name, name, login);
	const same = [];
	for (const login of ["h1", "h2", "h3"]) same.push((await newcomer(login, { preferred_username: "Same.One", username: null })).handle);
	assert.deepEqual(same, ["same.one", "same.one-2", "same.one-3"]);
});

test("roles come from groups and from the list of owners", async () => {
	assert.equal((await newcomer("plain", {})).role, "member");
	assert.equal((await newcomer("boss", {})).role, "owner");
	assert.equal((await newcomer("staffer", { groups: ["people", "staff"] })).role, "admin");
	assert.equal((await newcomer("visitor", { groups: "visitors" })).role, "guest");
	assert.equal((await newcomer("visitor", { groups: ["staff", "visitors"] })).role, "admin", "the highest counts, at each sign-in");
	assert.equal((await newcomer("staffer", { groups: ["people"] })).role, "member");
	assert.equal((await newcomer("boss", { groups: ["visitors"] })).role, "owner");
});

test("somebody whose account is closed is told so", async () => {
	const gone = await newcomer("leaver", {});
	await stack.cli(["user", "deactivate", gone.handle]);
	const jar = new Jar();
	const { callback } = await untilCallback(jar, "leaver", "?return_to=/c/3");
	const answer = page(await callBack(jar, callback), 403, "This account is deactivated");
	assert.ok(answer.text.includes("prompt=login"), "the way on asks who it is");
	assert.equal(await whoIs(jar), undefined);
});

test("no secret of a sign-in is in any log", async () => {
	const jar = new Jar();
	const { callback } = await untilCallback(jar, "alice");
	const url = new URL(callback);
	await callBack(jar, callback);
	const logs = ["api1", "api2"].map((n) => stack.log(n)).join("\n");
	const secrets = [url.searchParams.get("code"), url.searchParams.get("state"), ...jar.all().map((c) => c.value)].filter((s) => s?.length > 20);
	assert.ok(secrets.length >= 3);
	for (const secret of secrets) {
		assert.ok(!logs.includes(secret));
		assert.ok(!logs.includes(createHash("sha256").update(secret).digest("hex")));
	}
});

// The last: after it the provider has other keys than it would start with.
test("all processes together ask the provider for its documents once; a new key is fetched once a minute (AU-4)", async () => {
	const before = (await stack.idp({ reset: true })).requests;
	assert.deepEqual(before, {});
	// Both processes have just started; what was looked for in vain is long ago.
	const restart = async () => {
		await stack.psql("UPDATE provider_documents SET newer_at = newer_at - interval '61 s'", { user: "postgres" });
		for (const name of ["api1", "api2"]) {
			await stack.down(name);
			await stack.up(name);
		}
	};
	await restart();
	for (let i = 0; i < 4; i++) await signIn(stack, "alice");
	let asked = (await stack.idp()).requests;
	assert.deepEqual([asked.discovery ?? 0, asked.jwks ?? 0], [0, 0], JSON.stringify(asked));
	// The provider changes its keys: the next sign-in works, in either process, by one fetch.
	await stack.idp({ rotate: true, reset: true });
	for (let i = 0; i < 4; i++) await signIn(stack, "alice");
	asked = (await stack.idp()).requests;
	assert.deepEqual([asked.jwks, asked.token], [1, 4], JSON.stringify(asked));
	// Once more within the minute: what cannot be checked is not let in, and the provider is left alone.
	await stack.idp({ rotate: true, reset: true });
	for (let i = 0; i < 4; i++) await assert.rejects(signIn(stack, "alice"), /403.*could not be signed in/s);
	assert.equal((await stack.idp()).requests.jwks ?? 0, 0);
	// A thousand tokens of keys that nobody has, from outside, in both processes: one fetch, since the last is long ago, and no more.
	await restart();
	const claims = { iss: stack.issuer, aud: "pulsechat-dev", iat: nowS(), exp: nowS() + 120, jti: "x", events: {}, sub: "alice" };
	const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };
	const strange = async () => {
		const token = sealed(stack, claims, { typ: "logout+jwt", kid: randomUUID() });
		const answer = await client(stack).post("/auth/backchannel-logout", `logout_token=${token}`, form);
		assert.equal(answer.status, 400, answer.text);
	};
	for (let i = 0; i < 1000; i += 4) await Promise.all(Array.from({ length: 4 }, strange));
	asked = (await stack.idp()).requests;
	assert.deepEqual([asked.discovery ?? 0, asked.jwks ?? 0], [0, 1], JSON.stringify(asked));
	await signIn(stack, "alice"); // by the key that came with it
	assert.equal((await stack.idp()).requests.jwks, 1);
});
