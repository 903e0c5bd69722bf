// signin: signing in and out in a browser. What goes wrong with the provider is told by a page.

import { header, json, obj, one, op, text, wish } from "../kit.mjs";

const signin = { tag: "Signing in", need: "none" };
const redirect = (description) => ({ description, headers: { Location: header("Location"), "Set-Cookie": header("SetCookie") } });
const page = (description) => ({
	description,
	headers: { "Retry-After": header("RetryAfterMaybe") },
	content: { "text/html; charset=utf-8": { schema: text() } },
});
const pages = {
	400: page("a page that says what happened"),
	403: page("a page that says why not"),
	429: page("too many sign-ins"),
	503: page("later"),
};
const to = obj({ redirect: text() });

export const operations = [
	op("GET", "/auth/login", {
		...signin,
		id: "login",
		summary: "To the provider's sign-in",
		query: "any",
		also: {
			return_to: { description: "a path of this site, to end at", schema: text() },
			provider: { description: "a button's id", schema: text() },
			prompt: { description: "passed on", schema: one("none", "login", "consent", "select_account") },
			login_hint: { description: "passed on", schema: text() },
			invite: { description: "the code of an invitation", schema: text() },
		},
		answers: { 302: redirect("to the provider"), 429: pages[429], 503: pages[503] },
	}),
	op("POST", "/auth/login", {
		...signin,
		id: "loginInvited",
		summary: "The same by an invitation, whose code has no place in an address",
		description: "Needs the site's own `Origin`, with or without a cookie.",
		body: wish({ invite: text(100, 1), "provider?": text(100, 1), "return_to?": text(1025) }),
		example: { invite: "q1w2e3r4t5y6u7i8o9p0aA", return_to: "/" },
		answers: { 200: { ...json(to), headers: { "Set-Cookie": header("SetCookie") } } },
		codes: ["origin_refused", "busy", "unavailable"],
	}),
	op("GET", "/auth/callback", {
		...signin,
		id: "loginCallback",
		summary: "From the provider: sets the session's cookie",
		query: "any",
		also: { code: { description: "the provider's", schema: text() }, state: { description: "ours", schema: text() } },
		answers: { 303: redirect("signed in"), 204: { description: "to HEAD: nothing is used up", headers: {} }, ...pages },
	}),
	op("POST", "/auth/local", {
		...signin,
		id: "loginLocal",
		summary: "Sign in by a password that this site keeps, where that is switched on",
		description: "Needs the site's own `Origin`, with or without a cookie.",
		body: wish({ name: text(80, 1), password: text(1024, 1), "return_to?": text(1025) }),
		example: { name: "alice", password: "correct horse battery staple", return_to: "/c/12" },
		answers: { 200: { ...json(to), headers: { "Set-Cookie": header("SetCookie") } } },
		codes: ["forbidden", "origin_refused", "not_found", "busy", "unavailable"],
	}),
	op("POST", "/auth/join", {
		...signin,
		id: "join",
		summary: "A new account by an invitation, with a password of this site, where that is switched on",
		description: "Needs the site's own `Origin`, with or without a cookie.",
		body: wish({ invite: text(100, 1), handle: text(80, 1), name: text(80, 1), password: text(1024, 1), "return_to?": text(1025) }),
		example: { invite: "q1w2e3r4t5y6u7i8o9p0aA", handle: "alice", name: "Alice", password: "correct horse battery staple" },
		answers: { 200: { ...json(to), headers: { "Set-Cookie": header("SetCookie") } } },
		codes: ["forbidden", "origin_refused", "not_found", "conflict", "busy", "unavailable"],
	}),
	op("POST", "/auth/logout", {
		...signin,
		id: "logout",
		summary: "Sign out: here, and where the session came by the provider there too",
		description: "Needs the site's own `Origin`. With `Accept: application/json` the address is in the body.",
		query: "any",
		takes: "raw",
		answers: {
			200: { ...json(to), headers: { "Set-Cookie": header("SetCookie") } },
			303: redirect("to the provider's sign-out, or to /sign-in"),
		},
		codes: ["origin_refused", "busy", "unavailable"],
	}),
	op("POST", "/auth/backchannel-logout", {
		...signin,
		id: "backchannelLogout",
		summary: "For the provider alone: somebody has signed out there (OpenID Connect Back-Channel Logout 1.0)",
		query: "any",
		takes: "raw",
		body: { "application/x-www-form-urlencoded": { schema: obj({ logout_token: text() }) } },
		answers: {
			200: { description: "done", headers: {} },
			400: json(obj({ error: one("invalid_request"), error_description: text() }), { description: "the token is refused" }),
		},
		codes: ["busy", "unavailable"],
	}),
];
