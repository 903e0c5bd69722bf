// text: hostile JSON and hostile text are refused by name, and change nothing (TX-1); what is text comes back as it was.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { json, makeChannel, message, ok, problem, send } from "./help.mjs";

let stack, alice, bob, channel, path;

before(async () => {
	stack = await startStack({ provider: false, realtime: 0 });
	[alice, bob] = await Promise.all([bot(stack, "alice", ["read", "write", "files", "admin"]), bot(stack, "bob")]);
	channel = (await makeChannel(alice)).id;
	path = `/api/v1/channels/${channel}/messages`;
});
after(() => stack?.stop());

const post = (to, raw) => alice.post(to, Buffer.isBuffer(raw) ? raw : Buffer.from(raw), { headers: json });
const withText = (literal) => {
	const [a, b] = JSON.stringify(message("@@")).split('"@@"');
	return Buffer.concat([Buffer.from(a), Buffer.isBuffer(literal) ? literal : Buffer.from(literal), Buffer.from(b)]);
};
const withId = (literal) => `{"client_id":${literal},"body":{"text":"x"}}`;
const quoted = (...bytes) => Buffer.from([0x22, 0x61, ...bytes, 0x62, 0x22]);

test("TX-1 NUL, half a surrogate, invalid UTF-8 in a text: 400 naming it", async () => {
	const bad = ['"a\\u0000b"', '"\\ud83d"', '"a\\udc00"', '"\\ud83d\\ud83d"', quoted(0xed, 0xa0, 0xbd), quoted(0xc3), quoted(0xff)];
	bad.push(quoted(0xc0, 0x80), quoted(0xf5, 0x80, 0x80, 0x80), quoted(0), '"a\\u0007b"', '"a\u007fb"', '"\\ufffe"');
	for (const literal of bad) {
		const r = await post(path, withText(literal));
		problem(r, 400, "bad_field", "body.text");
	}
	for (const literal of bad.slice(0, 10))
		problem(
			await post(
				"/api/v1/channels",
				Buffer.concat([Buffer.from('{"kind":"public","name":'), Buffer.from(literal), Buffer.from("}")]),
			),
			400,
			"bad_field",
			"name",
		);
});

test("TX-1 the same in a client id, and ids of other forms", async () => {
	for (const literal of [
		'"a\\u0000b"',
		'"\\ud83d"',
		'""',
		"1",
		"null",
		"true",
		"[]",
		"{}",
		`"${randomUUID()} "`,
		`"{${randomUUID()}}"`,
	])
		problem(await post(path, withId(literal)), 400, "bad_field", "client_id");
});

test("TX-1 hostile structure: depth, duplicate keys, numbers, trailing bytes", async () => {
	const deep = (open, n) => open.repeat(n);
	for (const raw of [deep("[", 100000), deep('{"a":', 30000), `{"x":${deep("[", 100000)}`, `${deep("[", 60)}${deep("]", 60)}`])
		assert.equal((await post(path, raw)).status, 400);
	const id = randomUUID();
	problem(await post(path, `{"client_id":"${id}","client_id":"${id}","body":{"text":"x"}}`), 400, "bad_field", "client_id");
	problem(await post(path, `{"client_id":"${id}","body":{"text":"x","text":"y"}}`), 400, "bad_field", "body.text");
	problem(await post("/api/v1/channels", '{"kind":"public","kind":"private","name":"x"}'), 400, "bad_field", "kind");
	const read = `/api/v1/channels/${channel}/read`;
	for (const n of [
		"9223372036854775807",
		"9223372036854775808",
		"99999999999999999999",
		"1e400",
		"-1e400",
		"1e2",
		"1.0",
		"-0.5",
		"01",
		"NaN",
		"0x10",
	]) {
		const r = await alice.put(read, Buffer.from(`{"seq":${n}}`), { headers: json });
		assert.equal(r.status, 400, n);
		if (!["01", "NaN", "0x10"].includes(n)) problem(r, 400, "bad_field", "seq");
	}
	const whole = JSON.stringify(message("x"));
	for (const raw of [`${whole}x`, `${whole}{}`, `${whole}\0`, whole.slice(0, -1), `\ufeff${whole}`, `x${whole}`])
		assert.equal((await post(path, raw)).status, 400, raw);
	assert.equal((await post(path, ` \n\t${whole}\r\n `)).status, 201); // white space is none of them
});

test("TX-1 the same in whatever else is written: names, topics, statuses, files, edits, reports, ops", async () => {
	const { seq } = ok(await send(alice, channel, "one"), 201);
	const op = JSON.stringify({ op: "send", client_id: randomUUID(), channel, body: { text: "@@" } });
	const upload = { client_id: randomUUID(), channel, name: "@@", type: "text/plain", size: 1, sha256: "0".repeat(64) };
	const places = [
		["PATCH", `${path}/${seq}`, { body: { text: "@@" } }, "body.text"],
		["POST", "/api/v1/channels", { kind: "public", name: "x", topic: "@@" }, "topic"],
		["PATCH", `/api/v1/channels/${channel}`, { name: "@@" }, "name"],
		["POST", "/api/v1/bots", { handle: "robot", name: "@@" }, "name"], // a display name
		["POST", "/api/v1/bots", { handle: "@@", name: "Robot" }, "handle"],
		["POST", `${path}/${seq}/reports`, { reason: "abuse", text: "@@" }, "text"],
		["PUT", "/api/v1/me/status", { text: "@@" }, "text"],
		["PUT", "/api/v1/me/status", { emoji: "@@" }, "emoji"],
		["PATCH", "/api/v1/me", { time_zone: "@@" }, "time_zone"],
		["POST", "/api/v1/uploads", upload, "name"],
		["POST", "/api/v1/uploads", { ...upload, name: "a", type: "@@" }, "type"],
		["POST", "/api/v1/uploads", { ...upload, name: "a", client_id: "@@" }, "client_id"],
	];
	const bad = ['"a\\u0000b"', '"\\ud83d"', quoted(0xed, 0xa0, 0xbd), quoted(0xc3), quoted(0xff), quoted(0)];
	for (const [method, to, body, field] of places) {
		const [a, b] = JSON.stringify(body).split('"@@"');
		for (const literal of bad) {
			const raw = Buffer.concat([Buffer.from(a), Buffer.from(literal), Buffer.from(b)]);
			problem(await alice[method.toLowerCase()](to, raw, { headers: json }), 400, "bad_field", field);
		}
	}
	// A line of ops: it is named, and the others go on.
	const [a, b] = op.split('"@@"');
	const good = JSON.stringify({ op: "ping", ref: "still" });
	for (const literal of bad) {
		const raw = Buffer.concat([Buffer.from(a), Buffer.from(literal), Buffer.from(`${b}\n${good}\n`)]);
		const r = await alice.post("/api/v1/ops", raw, { headers: { "content-type": "application/x-ndjson" } });
		assert.equal(r.status, 200, r.text);
		const [first, second] = r.text.trim().split("\n").map((l) => JSON.parse(l));
		assert.deepEqual([first.type, first.code, first.field], ["error", "bad_field", "body.text"]);
		assert.deepEqual([second.type, second.ref], ["pong", "still"]);
	}
	assert.equal(ok(await alice.delete(`${path}/${seq}`)).deleted, true);
});

test("TX-1 invalid bytes in path and query", async () => {
	const bytes = ["%ed%a0%80", "%c3", "a%00b", "%ff", "%c0%80", "a%01b"];
	for (const b of bytes) {
		for (const [of, field] of [["users?q=", "q"], ["search?q=", "q"]])
			{
				const r = await alice.get(`/api/v1/${of}${b}`);
				if (/^a|^%c0|^%ff/.test(b)) assert.equal(r.status, 400, b); // by the web server, may be
				else problem(r, 400, "bad_request", field);
			}
		for (const method of ["put", "delete", "get"]) {
			const r = await alice[method](`${path}/1/reactions/${b}`);
			const ours = r.headers["pulsechat-request-id"] !== undefined;
			if (ours) assert.equal(r.status, 400, `${method} ${b}: ${r.text}`);
			else assert.ok(r.status === 400 || (r.status === 404 && b.includes("%00")), `${method} ${b}: ${r.text}`); // Apache's word for NUL
		}
	}
});

test("TX-1 after all that: nothing stored, others go on", async () => {
	assert.deepEqual(ok(await alice.get(path)).messages.map((m) => m.body?.text), ["x", undefined]);
	ok(await bob.post(`/api/v1/channels/${channel}/join`));
	ok(await send(bob, channel, "still here"), 201);
	assert.equal(await stack.psql("SELECT count(*) FROM channels"), "1");
	assert.equal(await stack.psql("SELECT count(*) FROM users WHERE bot"), "0");
	assert.equal(await stack.psql("SELECT count(*) FROM files"), "0");
});

test("TX-2 text comes back as it was: scripts, marks, directions, line ends", async () => {
	const texts = [
		"naïve café",
		"Ελληνικά",
		"русский",
		"العربية",
		"עברית",
		"हिन्दी",
		"ไทย",
		"日本語",
		"한국어",
		"👩‍👩‍👧‍👦",
		"e\u0301",
		"\u202Eabc",
		"a\u2028b\u2029c",
		'"\\/\b'.replace("\b", ""),
		"line\nline\r\n\ttab",
		"<script>alert(1)</script>&amp;",
		"a".repeat(20000),
		`x${"\u0301".repeat(5000)}`,
		"\u2066open",
		"\u{10FFFD}",
		" lead and trail ",
	];
	for (const text of texts) {
		const sent = ok(await send(alice, channel, text), 201);
		assert.equal(sent.body.text, text);
		assert.equal(ok(await bob.get(`${path}/${sent.seq}`)).body.text, text);
	}
});

test("TX-2 one unit for all limits: characters of Unicode, whatever they weigh; the error tells it; nothing is cut", async () => {
	for (const c of ["a", "é", "😀", "e\u0301"]) {
		const each = [...c].length;
		const most = c.repeat(20000 / each);
		const sent = ok(await send(alice, channel, most), 201);
		assert.equal(sent.body.text, most);
		const p = problem(await send(alice, channel, `${most}a`), 400, "bad_field", "body.text");
		assert.match(p.detail, /20001 characters; at most 20000/);
		const name = c.repeat(80 / each);
		assert.equal((await makeChannel(alice, { name })).name, name);
		const long = problem(await alice.post("/api/v1/channels", { kind: "public", name: `${name}a` }), 400, "bad_field", "name");
		assert.match(long.detail, /81 characters; at most 80|to 80 characters/);
	}
});

test("TX-2 a megabyte is refused early", async () => {
	problem(await alice.post(path, message("a".repeat(1 << 20))), 413, "too_large");
});
