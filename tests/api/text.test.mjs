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
	[alice, bob] = await Promise.all([bot(stack, "alice"), bot(stack, "bob")]);
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

test("TX-1 invalid bytes in path and query", async () => {
	for (const q of ["q=%ed%a0%80", "q=%c3", "q=a%01b"]) assert.equal((await alice.get(`/api/v1/users?${q}`)).status, 400, q);
});

test("TX-1 after all that: nothing stored, others go on", async () => {
	assert.equal(ok(await alice.get(path)).messages.length, 1);
	ok(await bob.post(`/api/v1/channels/${channel}/join`));
	ok(await send(bob, channel, "still here"), 201);
	assert.equal(await stack.psql("SELECT count(*) FROM channels"), "1");
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

test("TX-2 a megabyte is refused early", async () => {
	problem(await alice.post(path, message("a".repeat(1 << 20))), 413, "too_large");
});
