// http: a client for tests: exact control over headers, a cookie jar that works as a browser's (cookies know no ports), and
// signing in through the provider's real pages.
//
//   const alice = await signIn(stack, "alice");           // a browser's client: cookie, Origin, Sec-Fetch-Site
//   const bot = client(stack, { token });                 // a program's
//   const r = await alice.post("/api/v1/channels", { name: "x", kind: "public" });
//   r.status, r.headers["pulsechat-cursor"], r.json, r.text, r.ok
//   alice.cookie                                          // "pulsechat_8080=..." for a WebSocket handshake
//   await alice.get("/api/v1/me", { headers: { origin: "https://evil.test" } })   // null takes a header away
// A JSON body is sent as application/json; a string or Buffer as it is (name its content-type).
// Each exchange is held against doc/openapi.json (contract.mjs).

import { Agent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { checkExchange, later } from "./contract.mjs";

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** One exchange, no redirects followed. options: method, headers, body, socketPath, timeout; tls: {port, ca} of an https site. */
export function exchange(url, { method = "GET", headers = {}, body, socketPath, timeout = 70000, signal, tls } = {}) {
	return new Promise((ok, no) => {
		const u = new URL(url);
		const send = { ...headers };
		for (const k of Object.keys(send)) if (send[k] === null || send[k] === undefined) delete send[k];
		const raw = /^https?:\/\/[^/?#]+([^#]*)/.exec(url)?.[1] || "/"; // a URL object would tidy the path up
		const options = { method, headers: send, agent: socketPath ? undefined : agent, path: raw, signal, timeout };
		if (socketPath) Object.assign(options, { socketPath, headers: { host: u.host, ...send } });
		else if (u.protocol === "https:") {
			Object.assign(options, { host: "127.0.0.1", port: tls.port, ca: tls.ca, servername: u.hostname, agent: false });
			options.headers = { host: u.host, ...send };
		} else Object.assign(options, { host: u.hostname, port: u.port || 80 });
		const req = (u.protocol === "https:" ? httpsRequest : httpRequest)(options, (res) => {
			const parts = [];
			res.on("data", (d) => parts.push(d));
			res.on("error", no);
			res.on("end", () => {
				const bytes = Buffer.concat(parts);
				const text = bytes.toString("utf8");
				const answer = { status: res.statusCode, ok: res.statusCode < 300, headers: res.headers, text, bytes, url };
				Object.defineProperty(answer, "json", { get: () => (text === "" ? undefined : JSON.parse(text)) });
				later(() => checkExchange({ method, target: raw, headers: send, body }, answer));
				ok(answer);
			});
		});
		req.on("timeout", () => req.destroy(new Error(`no answer from ${url} within ${timeout} ms`)));
		req.on("error", (e) => {
			// A kept connection that the server closed just then: once more on a new one.
			if (["ECONNRESET", "EPIPE"].includes(e.code) && req.reusedSocket && !signal?.aborted)
				ok(exchange(url, { method, headers: { ...headers, connection: "close" }, body, socketPath, timeout, signal, tls }));
			else no(e);
		});
		req.end(body);
	});
}

export class Jar {
	/** Where an https site is to be found: {port, ca}. */
	tls;
	#cookies = new Map(); // host -> name -> {value, path}

	put(url, setCookie = []) {
		const host = new URL(url).hostname;
		const mine = this.#cookies.get(host) ?? new Map();
		this.#cookies.set(host, mine);
		for (const line of setCookie) {
			const [pair, ...attributes] = line.split(";").map((s) => s.trim());
			const eq = pair.indexOf("=");
			const attribute = (name) => attributes.find((a) => a.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
			const name = pair.slice(0, eq);
			const gone = attribute("max-age") === "0" || new Date(attribute("expires") ?? Date.now() + 1e6) < new Date();
			if (gone || pair.slice(eq + 1) === "") mine.delete(name);
			else mine.set(name, { value: pair.slice(eq + 1), path: attribute("path") ?? "/", line });
		}
	}

	header(url) {
		const { hostname, pathname } = new URL(url);
		return [...(this.#cookies.get(hostname) ?? [])]
			.filter(([, c]) => pathname === c.path || pathname.startsWith(c.path.endsWith("/") ? c.path : `${c.path}/`))
			.map(([name, c]) => `${name}=${c.value}`)
			.join("; ");
	}

	/** {name, value, line} of the cookies of a host. */
	all(host = "127.0.0.1") {
		return [...(this.#cookies.get(host) ?? [])].map(([name, c]) => ({ name, value: c.value, line: c.line }));
	}
}

/** options: token, jar, headers (for every request), socketPath. With a jar it behaves as the site's own page in a browser. */
export function client(stack, { token, jar, headers: always = {}, socketPath } = {}) {
	const ask = async (method, path, body, options = {}) => {
		const url = /^https?:/.test(path) ? path : stack.url + path;
		const headers = { accept: "application/json", ...always };
		if (token) headers.authorization = `Bearer ${token}`;
		if (jar) {
			headers["sec-fetch-site"] = "same-origin";
			if (method !== "GET" && method !== "HEAD") headers.origin = stack.url;
			const cookie = jar.header(url);
			if (cookie) headers.cookie = cookie;
		}
		let bytes = body;
		if (body !== undefined && typeof body !== "string" && !Buffer.isBuffer(body)) {
			bytes = JSON.stringify(body);
			headers["content-type"] = "application/json";
		}
		if (bytes !== undefined) headers["content-length"] = Buffer.byteLength(bytes);
		else if (method !== "GET" && method !== "HEAD") headers["content-length"] = 0;
		const lower = Object.fromEntries(Object.entries(options.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
		const answer = await exchange(url, { socketPath, ...options, method, headers: { ...headers, ...lower }, body: bytes, tls: jar?.tls });
		jar?.put(url, answer.headers["set-cookie"]);
		return answer;
	};
	return {
		stack,
		token,
		jar,
		request: ask,
		get: (path, options) => ask("GET", path, undefined, options),
		post: (path, body, options) => ask("POST", path, body, options),
		put: (path, body, options) => ask("PUT", path, body, options),
		patch: (path, body, options) => ask("PATCH", path, body, options),
		delete: (path, options) => ask("DELETE", path, undefined, options),
		/** Cookie header for the site. */
		get cookie() {
			return jar?.header(`${stack.url}/api/v1/`);
		},
		/** What a handshake or a request needs to be this client. */
		get credentials() {
			return token ? { authorization: `Bearer ${token}` } : { cookie: this.cookie, origin: stack.url };
		},
	};
}

/** A client by a new personal access token. */
export async function bot(stack, user, scopes = ["read", "write"]) {
	return client(stack, { token: await stack.token(user, scopes) });
}

/** Follows redirects as a browser does for a page. Returns the last answer; its url says where it ended. */
export async function navigate(jar, url, { method = "GET", body, headers = {}, stopAt } = {}) {
	for (let hop = 0; hop < 15; hop++) {
		const form = body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded", origin: new URL(url).origin };
		const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
		const all = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", ...form, ...length, ...headers };
		const answer = await exchange(url, { method, body, headers: { ...all, cookie: jar.header(url) || null }, tls: jar.tls });
		jar.put(url, answer.headers["set-cookie"]);
		const to = answer.headers.location;
		if (!to || answer.status < 300 || answer.status > 399) return answer;
		const next = new URL(to, url).href;
		if (stopAt?.(next)) return { ...answer, url: next, json: undefined };
		if (answer.status !== 307 && answer.status !== 308) {
			method = "GET";
			body = undefined;
		}
		url = next;
	}
	throw new Error(`too many redirects, the last to ${url}`);
}

/**
 * Signs in through the provider's pages, as a person would. options: provider (a button's id), returnTo, jar.
 * Returns a browser's client; its `landed` is the last answer (the page after the sign-in).
 */
export async function signIn(stack, login, { provider, returnTo = "/", jar = new Jar() } = {}) {
	const query = new URLSearchParams({ return_to: returnTo, ...(provider && { provider }) });
	const page = await navigate(jar, `${stack.url}/auth/login?${query}`);
	const landed = await pick(stack, jar, page, { login });
	const me = client(stack, { jar });
	me.landed = landed;
	if (landed.status >= 400) throw new Error(`sign-in of ${login} ended with ${landed.status} at ${landed.url}: ${landed.text.slice(0, 500)}`);
	return me;
}

/** Submits the provider's sign-in page: {login: "alice"} or {cancel: "1"}. A page of the site means: was signed in already. */
export async function pick(stack, jar, page, fields) {
	if (page.url.startsWith(`${stack.url}/`)) return page;
	const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1];
	if (!action) throw new Error(`no sign-in page at ${page.url}: ${page.status} ${page.text.slice(0, 300)}`);
	return navigate(jar, new URL(action, page.url).href, { method: "POST", body: new URLSearchParams(fields).toString() });
}

/** Presses the button of the provider's sign-out page. */
export async function confirmSignOut(jar, page) {
	const action = /<form[^>]*id="op.logoutForm"[^>]*action="([^"]+)"/.exec(page.text)?.[1];
	const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1];
	if (!action) throw new Error(`no sign-out page at ${page.url}: ${page.status} ${page.text.slice(0, 300)}`);
	const body = new URLSearchParams({ xsrf, logout: "yes" }).toString();
	return navigate(jar, new URL(action, page.url).href, { method: "POST", body });
}

/** For a playwright page: signs in by the buttons of the provider. `page` stands at the provider's sign-in page. */
export async function pickInBrowser(page, login) {
	const known = page.locator(`button[name=login][value="${login}"]`);
	if ((await known.count()) > 0) return known.click();
	await page.locator("input[name=login]").fill(login);
	return page.locator("form.row button").click();
}
