// devidp: the OpenID provider of `make run` and of the tests: oidc-provider under an issuer with a path, as WSO2 Asgardeo has
// it, with demo people that need no password. Loopback only. It refuses a site that is not a loopback one.
//
//   node server.mjs --state DIR --port N --site URL [--host localhost] [--test]
//
// --host is the name in its addresses; it listens on 127.0.0.1 whatever that is.
// DIR keeps the client's secret (client_secret) and the signing keys (keys.json), made at the first start, mode 0600.
// With --test, POST /control takes JSON that bends the provider (answer: the settings in force; {} only asks):
//   alg          RS256 (default), PS256, ES256 or EdDSA signs the ID tokens
//   rotate       true: new keys from now on (not written to DIR)
//   fail         {"discovery"|"jwks"|"token"|"userinfo": status}: that endpoint answers with the status; 0 ends it
//   answer       the same keys with a text that is answered instead, with status 200; null ends it
//   delay        the same keys with milliseconds to wait before the answer
//   claims       {"alice": {...}}: claims put over those of a person; null takes one away
//   clock        seconds: its clock is so far ahead (or, negative, behind), for tokens and the Date header
//   expire       "codes": every code that it has given out is too old now
//   stale        true: from now on codes are too old as soon as they are given out
//   auth         client_secret_basic (default), client_secret_post or none: how the client must say who it is
//   backchannel  the path of the site that gets back-channel logout tokens (/auth/backchannel-logout); null: none
//   logout       "login": ends every session at the provider of that person (back-channel logout goes out)
//   requests     in the answer: how often each endpoint was asked; "reset": true starts from 0
// `npm ci` beside this file first. Runs on Node 18 and 20.

import { createServer } from "node:http";
import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Provider, { interactionPolicy } from "oidc-provider";
import { PEOPLE, findPerson, personOf } from "./people.mjs";
import { loginPage, logoutPage, messagePage } from "./pages.mjs";

export const ISSUER_PATH = "/t/dev/oauth2/token";
export const CLIENT_ID = "pulsechat-dev";
const ENDPOINTS = {
	"/.well-known/openid-configuration": "discovery",
	"/jwks": "jwks",
	"/token": "token",
	"/me": "userinfo",
};
const SCOPES = "openid profile email";

const { values: opt } = parseArgs({
	options: {
		state: { type: "string" },
		port: { type: "string" },
		site: { type: "string" },
		host: { type: "string", default: "127.0.0.1" },
		test: { type: "boolean", default: false },
	},
});
if (!opt.state || !opt.port || !opt.site) die("usage: server.mjs --state DIR --port N --site URL [--test]");
const site = new URL(opt.site).origin;
if (!["127.0.0.1", "localhost", "[::1]"].includes(new URL(site).hostname))
	die(`refusing to sign people in without a password for ${site}: this is for a loopback site only`);
const issuer = `http://${opt.host}:${opt.port}${ISSUER_PATH}`;

mkdirSync(opt.state, { recursive: true, mode: 0o700 });
const secret = kept("client_secret", () => randomBytes(32).toString("base64url"));
let jwks = JSON.parse(kept("keys.json", () => JSON.stringify(makeKeys(), null, "\t")));
const control = {
	alg: "RS256",
	fail: {},
	answer: {},
	delay: {},
	claims: {},
	backchannel: "/auth/backchannel-logout",
	requests: {},
	clock: 0,
	stale: false,
	auth: "client_secret_basic",
};
const trueNow = Date.now;
Date.now = () => trueNow() + control.clock * 1000;
const sessions = new Map(); // what the provider remembers; gone with the process, as a session at a provider may be
let provider = makeProvider();
let handle = provider.callback();

const server = createServer((req, res) => {
	res.setHeader("date", new Date(Date.now()).toUTCString());
	route(req, res).catch((e) => {
		console.error("error", req.method, req.url, e);
		if (!res.headersSent) send(res, 500, messagePage("Something broke", "The log of the provider has the details."));
		else res.destroy();
	});
});
server.on("error", (e) => die(`cannot listen on 127.0.0.1:${opt.port}: ${e.message}`));
server.listen(Number(opt.port), "127.0.0.1", () => console.log(`ready issuer=${issuer} site=${site}`));
for (const sig of ["SIGTERM", "SIGINT"])
	process.on(sig, () => {
		server.close(() => process.exit(0));
		server.closeAllConnections?.();
		setTimeout(() => process.exit(0), 500).unref();
	});

/** A file of the state folder, made whole or not at all. */
function kept(name, make) {
	const path = join(opt.state, name);
	try {
		const text = readFileSync(path, "utf8").trim();
		if (text) return text;
	} catch (e) {
		if (e.code !== "ENOENT") die(`cannot read ${path}: ${e.message}`);
	}
	const text = make();
	writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
	renameSync(`${path}.new`, path);
	return text;
}

function makeKeys() {
	const key = (type, options, alg) => ({
		...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
		kid: `${randomBytes(12).toString("base64url")}_${alg}`,
		alg,
		use: "sig",
	});
	return {
		keys: [
			key("rsa", { modulusLength: 2048 }, "RS256"),
			key("rsa", { modulusLength: 2048 }, "PS256"),
			key("ec", { namedCurve: "P-256" }, "ES256"),
			key("ed25519", {}, "EdDSA"),
		],
	};
}

function makeProvider() {
	const policy = interactionPolicy.base();
	policy.get("login").checks.add(
		new interactionPolicy.Check("other_connection", "another connection was asked for", "login_required", (ctx) => {
			const { fidp } = ctx.oidc.params;
			const account = ctx.oidc.session?.accountId;
			return Boolean(fidp && account && personOf(account)?.connection !== fidp && !ctx.oidc.result?.login);
		}),
	);
	policy.remove("consent");
	const p = new Provider(issuer, {
		adapter: memoryAdapter,
		clients: [
			{
				client_id: CLIENT_ID,
				client_secret: secret,
				client_name: "PulseChat",
				redirect_uris: [`${site}/auth/callback`],
				post_logout_redirect_uris: [`${site}/`, `${site}/sign-in`],
				response_types: ["code"],
				grant_types: ["authorization_code"],
				token_endpoint_auth_method: control.auth,
				id_token_signed_response_alg: control.alg,
				...(control.backchannel && {
					backchannel_logout_uri: site + control.backchannel,
					backchannel_logout_session_required: true,
				}),
			},
		],
		jwks,
		cookies: { keys: [secret], names: { session: "devidp_session", interaction: "devidp_interaction", resume: "devidp_resume" } },
		pkce: { required: () => true, methods: ["S256"] },
		scopes: ["openid", "profile", "email"],
		claims: {
			openid: ["sub", "sid"],
			profile: ["name", "given_name", "family_name", "preferred_username", "username", "nickname", "picture", "groups", "org"],
			email: ["email", "email_verified"],
		},
		conformIdTokenClaims: false, // claims in the ID token too, as Asgardeo has them
		clientAuthMethods: ["client_secret_basic", "client_secret_post", "none"],
		enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"] },
		extraParams: ["fidp"],
		features: {
			devInteractions: { enabled: false },
			backchannelLogout: { enabled: true },
			rpInitiatedLogout: {
				enabled: true,
				logoutSource: (ctx, form) => {
					ctx.body = logoutPage(form, Boolean(ctx.oidc.params?.id_token_hint));
				},
				postLogoutSuccessSource: (ctx) => {
					ctx.body = messagePage("Signed out", "You are signed out of the development provider.");
				},
			},
		},
		interactions: { policy, url: (_ctx, interaction) => `${ISSUER_PATH}/interaction/${interaction.uid}` },
		ttl: { Session: 86400, Interaction: 3600, Grant: 86400, AccessToken: 3600, IdToken: 3600, AuthorizationCode: 60 },
		async findAccount(_ctx, sub) {
			const who = personOf(sub);
			if (!who) return undefined;
			return {
				accountId: sub,
				claims: async () => {
					const claims = { sub, ...who.claims, ...control.claims[who.login] };
					for (const k of Object.keys(claims)) if (claims[k] === null) delete claims[k];
					return claims;
				},
			};
		},
		// No consent page: whoever signs in has granted what was asked for.
		async loadExistingGrant(ctx) {
			const { client, session } = ctx.oidc;
			const id = session.grantIdFor(client.clientId);
			const old = id && (await ctx.oidc.provider.Grant.find(id));
			if (old && old.accountId === session.accountId) return old;
			const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
			grant.addOIDCScope(SCOPES);
			await grant.save();
			return grant;
		},
		renderError: (ctx, out) => {
			ctx.type = "html";
			ctx.body = messagePage("This sign-in cannot go on", `${out.error}: ${out.error_description ?? ""}`);
		},
	});
	for (const event of ["server_error", "grant.error", "authorization.error", "backchannel.error"])
		p.on(event, (_ctx, err) => console.error(event, err?.message ?? err, err?.error_description ?? ""));
	return p;
}

async function route(req, res) {
	const path = req.url.split("?")[0];
	if (path === "/control" && opt.test && req.method === "POST") return setControl(req, res);
	if (!path.startsWith(`${ISSUER_PATH}/`)) return send(res, 404, messagePage("Nothing here", `The issuer is ${issuer}`));
	const rest = path.slice(ISSUER_PATH.length);
	const name = ENDPOINTS[rest];
	if (name) {
		control.requests[name] = (control.requests[name] ?? 0) + 1;
		if (control.delay[name]) await new Promise((ok) => setTimeout(ok, control.delay[name]));
		if (typeof control.answer[name] === "string") return send(res, 200, control.answer[name], "application/json");
		if (control.fail[name])
			return send(res, control.fail[name], JSON.stringify({ error: "temporarily_unavailable" }), "application/json");
	}
	if (rest.startsWith("/interaction/")) return interaction(req, res);
	req.originalUrl = req.url; // how the provider learns the path that it is mounted under
	req.url = req.url.slice(ISSUER_PATH.length);
	return handle(req, res);
}

async function interaction(req, res) {
	let details;
	try {
		details = await provider.interactionDetails(req, res);
	} catch {
		return send(res, 400, messagePage("This sign-in has ended", "Go back to PulseChat and start again."));
	}
	const connection = details.params.fidp ?? null;
	const people = PEOPLE.filter((p) => connection === null || p.connection === connection);
	const view = { action: `${ISSUER_PATH}/interaction/${details.uid}`, people, connection, hint: details.params.login_hint };
	if (req.method !== "POST") return send(res, 200, loginPage(view));

	const form = new URLSearchParams(await readAll(req));
	if (form.has("cancel"))
		return provider.interactionFinished(req, res, {
			error: "access_denied",
			error_description: "The person cancelled the sign-in.",
		});
	const login = (form.get("login") ?? "").trim().toLowerCase();
	const who = findPerson(login, connection);
	if (!who) return send(res, 422, loginPage({ ...view, error: "A name has letters, digits, dots and dashes.", hint: login }));
	return provider.interactionFinished(
		req,
		res,
		{ login: { accountId: who.sub, amr: [connection ? "OpenIDConnectAuthenticator" : "BasicAuthenticator"], remember: true } },
		{ mergeWithLastSubmission: false },
	);
}

async function setControl(req, res) {
	const want = JSON.parse((await readAll(req)) || "{}");
	if (want.reset) control.requests = {};
	Object.assign(control.fail, want.fail);
	Object.assign(control.answer, want.answer);
	Object.assign(control.delay, want.delay);
	Object.assign(control.claims, want.claims);
	if ("backchannel" in want) control.backchannel = want.backchannel;
	if (want.alg) control.alg = want.alg;
	if (want.auth) control.auth = want.auth;
	if ("stale" in want) control.stale = want.stale;
	if ("clock" in want) control.clock = Number(want.clock);
	if (want.expire === "codes")
		for (const key of sessions.keys()) if (key.startsWith("AuthorizationCode:")) sessions.delete(key);
	if (want.rotate) jwks = makeKeys();
	if (want.alg || want.auth || want.rotate || "backchannel" in want) {
		provider = makeProvider();
		handle = provider.callback();
	}
	if (want.logout) await logoutEverywhere(findPerson(want.logout).sub);
	send(res, 200, JSON.stringify({ ...control, issuer, client_id: CLIENT_ID }), "application/json");
}

/** What a provider does when an administrator ends someone's sessions. */
async function logoutEverywhere(sub) {
	const client = await provider.Client.find(CLIENT_ID);
	for (const [key, entry] of sessions) {
		if (!key.startsWith("Session:") || entry.payload.accountId !== sub) continue;
		const sid = entry.payload.authorizations?.[CLIENT_ID]?.sid;
		if (sid && client.backchannelLogoutUri) await client.backchannelLogout(sub, sid);
		sessions.delete(key);
	}
}

/** The store of the provider: a map with expiry. */
function memoryAdapter(name) {
	const key = (id) => `${name}:${id}`;
	const get = (id) => {
		const entry = sessions.get(key(id));
		if (entry && entry.expires < Date.now()) sessions.delete(key(id));
		return sessions.get(key(id))?.payload;
	};
	const by = (field, value) => {
		for (const [k, entry] of sessions)
			if (k.startsWith(`${name}:`) && entry.payload[field] === value) return get(k.slice(name.length + 1));
		return undefined;
	};
	return {
		upsert: async (id, payload, expiresIn) => {
			if (name === "AuthorizationCode" && control.stale) expiresIn = -1;
			sessions.set(key(id), { payload, expires: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
		},
		find: async (id) => get(id),
		findByUid: async (uid) => by("uid", uid),
		findByUserCode: async (code) => by("userCode", code),
		consume: async (id) => {
			const payload = get(id);
			if (payload) payload.consumed = Math.floor(Date.now() / 1000);
		},
		destroy: async (id) => void sessions.delete(key(id)),
		revokeByGrantId: async (grantId) => {
			for (const [k, entry] of sessions)
				if (k.startsWith(`${name}:`) && entry.payload.grantId === grantId) sessions.delete(k);
		},
	};
}

async function readAll(req) {
	let text = "";
	for await (const chunk of req) {
		text += chunk;
		if (text.length > 1 << 20) throw new Error("body too large");
	}
	return text;
}

function send(res, status, body, type = "text/html; charset=utf-8") {
	res.writeHead(status, { "content-type": type, "cache-control": "no-store", "x-request-id": randomUUID() });
	res.end(body);
}

function die(text) {
	console.error(`devidp: ${text}`);
	process.exit(1);
}
