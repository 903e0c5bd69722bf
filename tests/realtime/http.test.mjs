// What pulsechat-realtime makes of HTTP itself, past the web server: pieces, requests one behind the other, clients that half close or stop
// reading, and what is no request at all.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { startStack } from "../support/stack.mjs";
import { channel, cpu, head, idOf, people, post, until } from "./help.mjs";

// Behind another web server (tests/support/servers.mjs) it would be the same once more.
const skip = process.env.PC_FRONT ? "past the web server, whichever it is" : false;
let stack, alice, bob, room;
before(async () => {
	if (skip) return;
	stack = await startStack({ realtime: 1 });
	[alice, bob] = await people(stack, "alice", "bob");
	room = await channel(alice, [bob]);
});
after(() => stack?.stop());

/** A connection to the program; what came so far as whole answers, by their lengths. */
function open() {
	const socket = connect(stack.socket("realtime1"));
	const c = { socket, text: "", ended: false };
	socket.setEncoding("latin1");
	socket.on("data", (d) => (c.text += d));
	socket.on("error", () => (c.ended = true));
	socket.on("close", () => (c.ended = true));
	c.answers = () => {
		const all = [];
		for (let rest = c.text; ; ) {
			const end = rest.indexOf("\r\n\r\n");
			if (end < 0) return all;
			const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, end))[1]);
			if (rest.length < end + 4 + length) return all;
			all.push({ status: Number(rest.slice(9, 12)), head: rest.slice(0, end), body: rest.slice(end + 4, end + 4 + length) });
			rest = rest.slice(end + 4 + length);
		}
	};
	c.get = (n) => until(() => c.answers().length >= n && c.answers(), { what: `${n} answers` });
	return c;
}
const ask = (query, more = "", who = bob) => `GET /api/v1/events${query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${who.token}\r\n${more}\r\n`;

test("polls one behind the other on one connection are answered in their order, byte by byte as well", { skip }, async () => {
	const cursor = await head(bob);
	const sent = await post(alice, room, "to be polled twice");
	const both = ask(`?cursor=${cursor}`) + ask("") + ask(`?cursor=${cursor}&wait=0`);
	for (const piece of [both.length, 7, 1]) {
		const c = open();
		for (let i = 0; i < both.length; i += piece) {
			c.socket.write(both.slice(i, i + piece));
			if (piece < 7 && i % 16 === 0) await new Promise(setImmediate);
		}
		const [first, second, third] = await c.get(3);
		assert.deepEqual([first.status, second.status, third.status], [200, 200, 200]);
		for (const a of [first, third]) assert.equal(JSON.parse(a.body.split("\n")[0]).seq, sent.seq);
		assert.equal(second.body.split("\n").length, 2);
		c.socket.destroy();
	}
});

test("who sends more while his poll is parked gets it answered at once, and nothing spins", { skip }, async () => {
	const c = open();
	const cursor = await head(bob);
	c.socket.write(ask(`?cursor=${cursor}&wait=50&instance=${randomUUID()}`));
	const before = cpu(stack, "realtime1");
	const end = Date.now() + 300;
	await until(() => Date.now() > end);
	assert.equal(c.answers().length, 0);
	c.socket.write(ask("?wait=50"));
	const [a, b] = await c.get(2);
	assert.deepEqual([a.status, b.status], [200, 200]);
	assert.ok(cpu(stack, "realtime1") - before < 150);
	c.socket.destroy();
});

test("who half closes has gone: the parked poll ends, and so does the connection", { skip }, async () => {
	const files = () => readdirSync(`/proc/${stack.pids.realtime1}/fd`).length;
	const few = files();
	const all = Array.from({ length: 20 }, open);
	const cursor = await head(bob);
	for (const c of all) c.socket.write(ask(`?cursor=${cursor}&wait=50`));
	await until(() => files() >= few + 15, { what: "all are there" });
	for (const c of all) c.socket.end();
	await until(() => files() <= few + 1 && all.every((c) => c.ended), { what: "all are gone" });
});

test("a client that reads slowly gets the whole answer, and the next one behind it", { skip }, async () => {
	const cursor = await head(bob);
	for (let i = 0; i < 40; i++) await post(alice, room, `${i} ${"long ".repeat(3900)}`);
	const c = open();
	c.socket.pause();
	c.socket.write(ask(`?cursor=${cursor}`) + ask(""));
	const end = Date.now() + 500;
	await until(() => Date.now() > end);
	c.socket.resume();
	const [first, second] = await c.get(2);
	const lines = first.body.trim().split("\n").map((l) => JSON.parse(l));
	assert.ok(lines.length > 5);
	const ids = lines.filter((l) => l.type === "message").map((l) => idOf(l.cursor));
	assert.deepEqual(ids, [...ids].sort((x, y) => x - y));
	assert.equal(second.status, 200);
	c.socket.destroy();
});

test("what is no request, or too large a one, is told so and hung up on", { skip }, async () => {
	const cookies = Array.from({ length: 200 }, (_, i) => `x-${i}: 1\r\n`).join("");
	for (const [text, status, code] of [
		["\x16\x03\x01\x02\x00\x01", 400, "bad_request"],
		["GET / HTTP/1.1\r\nbad header: x\r\n\r\n", 400, "bad_request"],
		["GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "bad_request"],
		[`GET / HTTP/1.1\r\n${cookies}\r\n`, 413, "too_large"],
		[`GET / HTTP/1.1\r\ncookie: ${"x".repeat(20000)}\r\n\r\n`, 413, "too_large"],
		["POST /api/v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 405, "method_not_allowed"],
		["POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 404, "not_found"],
		["GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404, "not_found"],
	]) {
		const c = open();
		c.socket.write(text, "latin1");
		const [answer] = await c.get(1);
		assert.deepEqual([answer.status, JSON.parse(answer.body).code], [status, code], text.slice(0, 60));
		assert.match(answer.head, /\r\nconnection: close/i);
		await until(() => c.ended, { what: "hung up" });
		assert.equal(c.answers().length, 1);
	}
});

test("every answer bears the headers of pulsechat-api's: whatever was asked, and if it is no request at all", { skip }, async () => {
	const lines = (text) => text.split("\r\n").slice(1).map((l) => [l.slice(0, l.indexOf(":")).toLowerCase(), l.slice(l.indexOf(":") + 2)]);
	const same = { "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cache-control": "no-store" };
	const api = await fcgiRequest(stack.socket("api1"), { path: "/api/v1/me", token: bob.token });
	same["content-security-policy"] = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
	for (const [name, value] of Object.entries(same)) if (name !== "cache-control") assert.equal(api.headers[name], value, `pulsechat-api: ${name}`);
	const socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
	for (const [text, status] of [
		[ask("?wait=0"), 200],
		[ask("", "Accept: text/event-stream\r\n"), 200],
		["GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n", 401],
		[ask("?cursor=x"), 400],
		[ask("").replace("/events", "/ws"), 426],
		[ask("", `${socket}Sec-WebSocket-Protocol: other\r\n`).replace("/events", "/ws"), 400],
		["GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404],
		["POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405],
		["\x16\x03\x01\x02\x00\x01", 400],
		[`GET / HTTP/1.1\r\ncookie: ${"x".repeat(20000)}\r\n\r\n`, 413],
		["GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200],
	]) {
		const c = open();
		c.socket.write(text, "latin1");
		const head = await until(() => c.text.includes("\r\n\r\n") && c.text.slice(0, c.text.indexOf("\r\n\r\n")), { what: text.slice(0, 60) });
		assert.equal(Number(head.slice(9, 12)), status, text.slice(0, 60));
		const all = lines(head);
		for (const [name, value] of Object.entries(same))
			assert.deepEqual(all.filter(([n]) => n === name), [[name, value]], `${status} ${text.slice(0, 60)}`);
		assert.match(all.filter(([n]) => n === "pulsechat-request-id").join(), /^pulsechat-request-id,[0-9a-f]{32}$/);
		c.socket.destroy();
	}
});

test("a request whose head does not end, and a client that says nothing, are hung up on; the others go on", { skip }, async () => {
	const silent = open(), slow = open();
	slow.socket.write("GET /api/v1/events HTTP/1.1\r\nHost: x\r\n");
	await until(() => silent.ended && slow.ended, { what: "both are hung up on", ms: 20000 });
	assert.equal(silent.text + slow.text, "");
	const c = open();
	c.socket.write(ask(""));
	assert.equal((await c.get(1))[0].status, 200);
	c.socket.destroy();
});
