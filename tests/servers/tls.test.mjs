// tls: every complete example with its certificate, names and redirects, as a browser meets it: https, http/2, the cookie of a secure
// site. And what its log has kept of all that (TR-5).

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { connect as connectH2 } from "node:http2";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { SERVERS, startServer } from "../support/servers.mjs";
import { Jar, signIn } from "../support/http.mjs";
import { ask, handshake } from "./help.mjs";

const SITE = "https://localhost"; // an https site that the tests' provider serves, since it is a loopback one
const HSTS = "max-age=31536000";
const PEOPLE = ["bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
let stack;

before(async () => {
	stack = await startStack({ front: "lighttpd", site: SITE, api: 1 });
});
after(() => stack?.stop());

describe("web servers with TLS", { concurrency: 2 }, () => {
	for (const [i, name] of Object.keys(SERVERS).entries()) describe(name, { concurrency: 1 }, () => of(name, PEOPLE[i % PEOPLE.length]));
});

/** One request over http/2: {status, headers, text}. */
function askH2(server, path, headers = {}) {
	return new Promise((ok, no) => {
		const session = connectH2(`https://127.0.0.1:${server.port}`, { ca: server.ca, servername: "localhost" });
		session.on("error", no);
		const stream = session.request({ ":path": path, ":authority": server.site, ...headers });
		let got, text = "";
		stream.on("response", (h) => (got = h));
		stream.setEncoding("utf8");
		stream.on("data", (d) => (text += d));
		stream.on("error", no);
		stream.on("end", () => {
			session.close();
			ok({ status: got[":status"], headers: got, text });
		});
		stream.end();
	});
}

function of(name, handle) {
	const { realtime, kind } = SERVERS[name];
	let server, token, browser;

	before(async () => {
		server = await startServer(name, stack, { tls: true });
		token = await stack.token(handle, ["read", "write"]);
	});
	after(() => server?.stop());

	test(`${name}: https answers over both address families and http/2, with HSTS on everything`, async () => {
		const bearer = { authorization: `Bearer ${token}` };
		for (const v6 of [false, true]) assert.equal((await ask(server, "/healthz", { v6 })).json.status, "ok");
		const paths = { "/": 200, "/c/12": 200, "/assets/none.js": 404, "/api/v1/limits": 200, "/api/v1/me": 401, "/api/v1/x": 404 };
		for (const [path, status] of Object.entries(paths)) {
			const r = await ask(server, path);
			assert.equal(r.status, status, path);
			assert.deepEqual(r.all["strict-transport-security"], [HSTS], path);
		}
		const page = await ask(server, "/");
		assert.match(page.headers["content-security-policy"], /img-src [^;]* https:\/\/files\.localhost; media-src [^;]* https:\/\/files\.localhost;/);
		assert.match(page.headers["content-security-policy"], /connect-src 'self' wss:\/\/localhost https:\/\/files\.localhost;/);
		const h2 = await askH2(server, "/api/v1/me", bearer);
		assert.equal(h2.status, 200, h2.text);
		assert.equal(JSON.parse(h2.text).user.handle, handle);
		assert.equal((await askH2(server, "/c/12")).status, 200);
		if (!realtime) return;
		const poll = await askH2(server, "/api/v1/events", bearer);
		assert.equal(poll.status, 200, poll.text);
		assert.ok(poll.headers["pulsechat-cursor"]);
	});

	test(`${name}: plain http and other names lead to the one name over https; certificates can be renewed`, async () => {
		const plain = (path, host = server.site) => ask(server, path, { port: server.httpPort, secure: false, headers: { host } });
		for (const path of ["/", "/c/12?x=%2Fy&z=a%20b", "/c/a%20b", "/sign-in"])
			for (const r of [await plain(path), await plain(path, "evil.test"), await ask(server, path, { headers: { host: "evil.test" } })])
				assert.deepEqual([r.status, r.headers.location], [308, SITE + path], path);
		assert.equal((await plain("/.well-known/acme-challenge/none")).status, 404);
	});

	test(`${name}: a person signs in: a __Host- cookie, which the API and the WebSocket take from the site's own pages alone`, async () => {
		const jar = new Jar();
		jar.tls = { port: server.port, ca: server.ca };
		browser = await signIn({ ...stack, url: SITE }, handle, { jar });
		const cookie = jar.all("localhost").find((c) => c.name === "__Host-pulsechat");
		assert.ok(cookie, "no __Host- cookie");
		for (const attribute of [/; Secure/, /; HttpOnly/, /; SameSite=Lax/, /; Path=\//]) assert.match(cookie.line, attribute);
		assert.doesNotMatch(cookie.line, /Domain/i);
		const me = await browser.get("/api/v1/me");
		assert.equal(me.json?.user?.handle, handle, me.text);
		assert.equal(me.json.session.kind, "session");
		assert.equal((await browser.get("/api/v1/me", { headers: { "sec-fetch-site": "cross-site" } })).status, 403);
		if (!realtime) return;
		const by = (origin) => handshake(server, token, { headers: { authorization: null, cookie: browser.cookie, origin } });
		const { hello, socket } = await by(SITE);
		assert.equal(hello?.type, "hello");
		socket.terminate();
		for (const origin of ["https://evil.test", "http://localhost", "null"]) assert.equal((await by(origin)).status, 403, origin);
	});

	test(`${name}: TR-5 nothing in the logs can be used again`, async () => {
		const bearer = { authorization: `Bearer ${token}` };
		assert.equal((await ask(server, "/api/v1/me", { headers: bearer })).status, 200);
		if (realtime) {
			assert.equal((await ask(server, `/api/v1/events?instance=${randomUUID()}`, { headers: bearer })).status, 200);
			const { socket } = await handshake(server, token, { query: `?instance=${randomUUID()}` });
			const closed = new Promise((ok) => socket.once("close", ok));
			socket.close();
			await closed;
		}
		const jar = browser.jar;
		const secret = jar.all("localhost").find((c) => c.name === "__Host-pulsechat").value;
		const paths = ["/auth/callback?", "/api/v1/me", ...(realtime ? ["/api/v1/events?", "/api/v1/ws?"] : [])];
		const logged = () => paths.every((path) => server.accessLog().includes(path));
		// Apache and nginx write a line when a request is over, lighttpd when there are many
		if (kind !== "lighttpd") await until(logged, { what: `the access log has ${paths.join(", ")}` });
		await server.proc.stop();
		const log = server.accessLog();
		assert.ok(logged(), log);
		const everything = log + server.log() + stack.names.map((n) => stack.log(n)).join("\n");
		for (const s of [secret, token, token.slice(4), encodeURIComponent(secret)]) assert.ok(!everything.includes(s), "a log has a secret");
		// What the provider gave for the sign-in is in the log of the callback, and worth nothing any more.
		const callback = /"GET (\/auth\/callback\?\S+) /.exec(log)[1];
		server.proc.start();
		await server.proc.untilReady(15000);
		const again = await ask(server, callback);
		assert.ok(again.status >= 400 && again.status < 500, `${again.status}`);
		assert.ok(!again.headers["set-cookie"]?.some((c) => /^__Host-pulsechat=[^;]/.test(c)), "a session by what the log has");
	});
}
