// TR-5: a page of another site has the browser send our cookie along, and gets nothing: on every transport, and by every request that
// changes something, an origin other than ours is refused before any data. And nothing that the web server logs can be used again.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bot, signIn } from "../support/http.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { startStack } from "../support/stack.mjs";
import { allMessages, makeChannel, message, ok, problem } from "../api/help.mjs";

let stack, web, room, foreign;
before(async () => {
	stack = await startStack({ realtime: 2 });
	web = await signIn(stack, "alice");
	room = (await makeChannel(web, { kind: "private" })).id;
	const { port, hostname } = new URL(stack.url);
	foreign = [
		"https://evil.test",
		`http://${hostname}.evil.test:${port}`, // as https://chat.example.evil.test
		`http://evil.test/${stack.url}`,
		`http://${hostname}:${Number(port) + 1}`, // another port of our host
		`http://${hostname}`,
		stack.url.replace("http:", "https:"),
		`${stack.url}/`,
		`${stack.url} https://evil.test`,
		stack.url.toUpperCase(),
		"null",
	];
});
after(() => stack?.stop());

const refused = (e) => e.status === 403;

test("TR-5 a WebSocket handshake by cookie needs exactly our origin", async () => {
	const { cookie } = web;
	for (const origin of [...foreign, null, ""]) {
		const shake = openWs({ stack, credentials: { cookie, origin } });
		await assert.rejects(shake, refused, `Origin ${origin}`);
		// What else a browser says does not make up for it.
		const headers = { "sec-fetch-site": "same-origin", "pulsechat-client": "web" };
		await assert.rejects(openWs({ stack, credentials: { cookie, origin } }, { headers }), refused, `Origin ${origin}`);
	}
	const good = await openWs({ stack, credentials: { cookie, origin: stack.url } });
	assert.equal(good.hello.type, "hello");
	await good.close();
});

// A GET of our own page has no Origin: it says where it is from, or bears our header. A foreign page can do neither.
const GETS = [
	...["cross-site", "same-site", "none", "", "same-origin, cross-site", null].map((site) => ({ "sec-fetch-site": site, "pulsechat-client": null })),
];
const gets = () => [
	...GETS,
	...foreign.map((origin) => ({ origin, "sec-fetch-site": "same-origin" })),
	...foreign.map((origin) => ({ origin, "pulsechat-client": "web" })),
];
const OURS = [{ "sec-fetch-site": "same-origin", "pulsechat-client": null }, { "sec-fetch-site": null, "pulsechat-client": "web" }];

test("TR-5 a poll by cookie needs Sec-Fetch-Site: same-origin or our header, and no foreign Origin", async () => {
	const who = { stack, credentials: { cookie: web.cookie } };
	for (const headers of gets()) {
		const p = await poll(who, { wait: 0, headers });
		assert.deepEqual([p.status, p.problem?.code, p.cursor], [403, "origin_refused", undefined], JSON.stringify(headers));
	}
	for (const headers of OURS) assert.equal((await poll(who, { wait: 0, headers })).status, 200, JSON.stringify(headers));
});

test("TR-5 so does a stream of server-sent events", async () => {
	const who = { stack, credentials: { cookie: web.cookie } };
	for (const headers of gets()) {
		const no = (e) => e.status === 403 && e.problem.code === "origin_refused";
		await assert.rejects(openSse(who, { headers }), no, JSON.stringify(headers));
	}
	for (const headers of OURS) {
		const s = await openSse(who, { headers });
		assert.equal(s.hello.type, "hello");
		await s.close();
	}
});

test("TR-5 so does every other GET", async () => {
	for (const path of ["/api/v1/me", "/api/v1/channels", `/api/v1/channels/${room}/messages`])
		for (const headers of gets()) problem(await web.get(path, { headers }), 403, "origin_refused");
});

test("TR-5 what changes something by cookie needs exactly our origin, and changes nothing without it", async () => {
	const asks = [
		["POST", `/api/v1/channels/${room}/messages`, () => message("from elsewhere")],
		["POST", "/api/v1/channels", () => ({ name: "from elsewhere", kind: "private" })],
		["PUT", `/api/v1/channels/${room}/read`, () => ({ seq: 1 })],
		["POST", `/api/v1/channels/${room}/leave`, () => undefined],
		["POST", "/api/v1/ops", () => `${JSON.stringify({ op: "send", channel: room, ...message("from elsewhere") })}\n`, "application/x-ndjson"],
	];
	for (const [method, path, body, type] of asks)
		for (const origin of [...foreign, null, ""]) {
			const headers = { ...(type && { "content-type": type }), origin, "sec-fetch-site": "same-origin", "pulsechat-client": "web" };
			problem(await web.request(method, path, body(), { headers }), 403, "origin_refused");
		}
	assert.deepEqual(await allMessages(web, room), []);
	const mine = ok(await web.get("/api/v1/channels")).channels;
	assert.deepEqual(mine.map((c) => c.id), [room]);
	// A page can send a form or plain text without asking first.
	for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
		const headers = { "content-type": type, origin: "https://evil.test" };
		problem(await web.post(`/api/v1/channels/${room}/messages`, JSON.stringify(message("x")), { headers }), 403, "origin_refused");
	}
	ok(await web.post(`/api/v1/channels/${room}/messages`, message("from here")), 201);
	const [, path, body, type] = asks.at(-1);
	assert.equal(ok(await web.post(path, body(), { headers: { "content-type": type } }), 200).type, "ack");
});

test("TR-5 to sign out needs our origin too", async () => {
	for (const origin of [...foreign, null, ""]) {
		const answer = await web.post("/auth/logout", undefined, { headers: { origin, accept: "application/json" } });
		assert.equal(answer.status, 403, `Origin ${origin}: ${answer.status}`);
	}
	assert.equal((await web.get("/api/v1/me")).status, 200, "still signed in");
});

test("a program's token needs no origin, and no origin makes up for a missing token", async () => {
	const program = await bot(stack, "bob");
	for (const origin of ["https://evil.test", null]) {
		const ws = await openWs(program, { headers: { origin } });
		await ws.close();
		assert.equal((await poll(program, { wait: 0, headers: { origin } })).status, 200);
	}
	assert.equal((await poll({ stack, credentials: {} }, { wait: 0 })).status, 401);
});

// Of other web servers: tests/servers/tls.test.mjs.
const skip = Boolean(process.env.PC_FRONT) && process.env.PC_FRONT !== "lighttpd";
test("TR-5 after all of it no log has a secret that could be used again", { skip }, async () => {
	const program = await bot(stack, "carol");
	await (await openWs(program)).close();
	await (await openWs(web)).close();
	await poll(web, { wait: 0 });
	await (await openSse(web)).close();
	assert.equal((await web.get("/c/1")).status, 200);
	await stack.down("lighttpd"); // it writes what it still has
	const secrets = [program.token.slice(4), ...web.jar.all().map((c) => c.value)];
	const logs = ["log/access.log", ...stack.names.map((n) => `log/${n}.log`)];
	for (const file of logs) {
		const text = readFileSync(join(stack.state, file), "utf8");
		for (const secret of secrets) {
			assert.ok(secret.length >= 20, "a secret of some length");
			for (let i = 0; i + 16 <= secret.length; i += 8)
				assert.ok(!text.includes(secret.slice(i, i + 16)), `${file} has a part of a session's or a token's secret`);
		}
		if (file === "log/access.log") assert.match(text, /GET \/api\/v1\/ws/);
	}
});
