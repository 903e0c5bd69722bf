// presence: what REST tells of people and what one shows of oneself; by FastCGI, with a realtime process beside.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { bot, signIn } from "../support/http.mjs";
import { openWs } from "../support/realtime.mjs";
import { presenceOf } from "../support/presence.mjs";
import { channel, people, until } from "../realtime/help.mjs";
import { ok, problem } from "./help.mjs";

let stack, alice, bob, carol;
before(async () => {
	stack = await startStack({ realtime: 1, conf: { "presence.renew": "1s", "presence.lease": "10s" } });
	[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
	await channel(alice, [bob]);
});
after(() => stack?.stop());

const defaults = { invisible: false, dnd_until: null, status: null, read_receipts: true, version: 1 };
const nothing = (who) => ({ user: who.id, state: "offline", last_active: null, dnd: false, status: null });

test("presence is told of those with whom one shares a channel, and of oneself", async () => {
	const answer = await alice.get(`/api/v1/presence?ids=${bob.id},${carol.id},${alice.id},999999`);
	assert.deepEqual(ok(answer).presence, [{ ...nothing(alice), invisible: false }, nothing(bob)]);
	assert.match(answer.headers["pulsechat-cursor"], /^[a-z2-7]{8}\.\d+$/);
	assert.deepEqual(await presenceOf(carol, alice, bob, carol), [{ ...nothing(carol), invisible: false }]);
	assert.deepEqual(ok(await alice.get("/api/v1/presence?ids=")).presence, []);
	const many = Array.from({ length: 201 }, (_, i) => i + 1);
	assert.equal(ok(await alice.get(`/api/v1/presence?ids=${many.slice(1)}`)).presence.length, 1);
	for (const ids of [many, "x", "1,", ",1", "-1", "1;2"]) problem(await alice.get(`/api/v1/presence?ids=${ids}`), 400, "bad_field", "ids");
	problem(await alice.get("/api/v1/presence"), 400, "bad_field", "ids");
	problem(await alice.get("/api/v1/presence?ids=1&x=1"), 400, "bad_field", "x");
	const open = await openWs(bob);
	await open.call({ op: "active" });
	const [seen] = await until(async () => {
		const now = await presenceOf(alice, bob);
		return now[0].last_active && now;
	});
	assert.deepEqual(seen, { ...nothing(bob), state: "online", last_active: seen.last_active });
	assert.ok(Math.abs(Date.parse(seen.last_active) - Date.now()) < 5000);
	await open.close();
});

test("settings: the defaults, any subset, versions that count changes, and a log that brings them to one's own instances alone", async () => {
	assert.deepEqual(ok(await alice.get("/api/v1/me/settings")), defaults);
	const own = await openWs(alice);
	const other = await openWs(bob);
	const until_ = "2099-03-01T12:00:00.000Z";
	const first = ok(await alice.patch("/api/v1/me/settings", { dnd_until: until_, read_receipts: false }));
	assert.deepEqual(first, { ...defaults, dnd_until: until_, read_receipts: false, version: 2 });
	assert.deepEqual(ok(await alice.patch("/api/v1/me/settings", { read_receipts: false })), first, "no change, no version");
	assert.deepEqual(ok(await alice.patch("/api/v1/me/settings", {})), first);
	assert.equal(ok(await alice.patch("/api/v1/me/settings", { dnd_until: "forever" })).dnd_until, "forever");
	const past = ok(await alice.patch("/api/v1/me/settings", { dnd_until: "2020-01-01T00:00:00+02:00" }));
	assert.deepEqual([past.dnd_until, past.version], [null, 4], "a time that has passed is none");
	await own.some((l) => l.type === "settings.updated" && l.settings.version === 4);
	const events = own.events.filter((l) => l.type === "settings.updated");
	assert.deepEqual(events.map((l) => l.settings.version), [2, 3, 4]);
	const again = await openWs(alice, { cursor: own.hello.cursor });
	await again.some((l) => l.type === "settings.updated" && l.cursor === events[2].cursor);
	assert.deepEqual(again.events.at(-1).settings, past, "a replay renders what is now");
	await other.call({ op: "ping" });
	assert.ok(!other.lines.some((l) => l.type === "settings.updated" || (l.type === "presence" && l.users[0].user === alice.id)));
	await Promise.all([own.close(), other.close(), again.close()]);
	const bad = [
		["invisible", { invisible: null }], ["invisible", { invisible: 1 }], ["read_receipts", { read_receipts: "no" }],
		["version", { version: 1 }], ["x", { x: 1 }], ["status", { status: "text" }], ["status.x", { status: { x: 1 } }],
		["status.emoji", { status: { emoji: "" } }], ["status.emoji", { status: { emoji: "x".repeat(35) } }],
		["status.emoji", { status: { emoji: `:${"x".repeat(32)}:` } }],
		["status.text", { status: { text: "😀".repeat(101) } }], ["status.text", { status: { text: "a\u0007b" } }],
		["status.until", { status: { text: "x", until: "tomorrow" } }],
		...["never", "", 5, "infinity", "2026-01-01", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00"]
			.map((t) => ["dnd_until", { dnd_until: t }]),
	];
	for (const [field, body] of bad) problem(await alice.patch("/api/v1/me/settings", body), 400, "bad_field", field);
	assert.deepEqual(ok(await alice.get("/api/v1/me/settings")), past);
	problem(await (await bot(stack, "alice", ["read"])).patch("/api/v1/me/settings", {}), 403, "insufficient_scope");
});

test("a status: with emoji, text and an end; gone when it has passed, and told so", { timeout: 60000 }, async () => {
	const own = await openWs(bob);
	const set = ok(await bob.put("/api/v1/me/status", { emoji: "🌴", text: "on an island" }));
	assert.deepEqual(set.status, { emoji: "🌴", text: "on an island", until: null });
	problem(await bob.put("/api/v1/me/status", { emoji: ":nobody:" }), 400, "bad_field", "emoji");
	assert.deepEqual((await presenceOf(alice, bob))[0].status, set.status);
	assert.equal((await bob.delete("/api/v1/me/status")).status, 204);
	assert.equal((await bob.delete("/api/v1/me/status")).status, 204);
	assert.deepEqual((await presenceOf(alice, bob))[0].status, null);
	assert.equal(ok(await bob.put("/api/v1/me/status", {})).status, null, "an empty one is none");
	const until_ = new Date(Date.now() + 2500).toISOString();
	const short = ok(await bob.put("/api/v1/me/status", { text: "back soon", until: until_ }));
	assert.deepEqual(short.status, { emoji: null, text: "back soon", until: until_ });
	await own.some((l) => l.type === "settings.updated" && l.settings.version > short.version, 20000);
	assert.ok(Date.now() >= Date.parse(until_) - 50);
	const last = ok(await bob.get("/api/v1/me/settings"));
	assert.deepEqual([last.status, last.version], [null, short.version + 1]);
	await own.close();
	problem(await bob.put("/api/v1/me/status", { status: {} }), 400, "bad_field", "status");
	problem(await bob.put("/api/v1/me/status", { text: "x".repeat(101) }), 400, "bad_field", "text");
});

test("a time zone is an IANA name, shown to everyone", async () => {
	const me = ok(await alice.patch("/api/v1/me", { time_zone: "Europe/Zurich" }));
	assert.equal(me.time_zone, "Europe/Zurich");
	assert.equal(ok(await bob.get(`/api/v1/users/${alice.id}`)).time_zone, "Europe/Zurich");
	assert.equal(ok(await alice.patch("/api/v1/me", { time_zone: "Europe/Zurich" })).version, me.version);
	for (const time_zone of ["Europe/Nowhere", "UTC+3", "", "../etc/passwd", "x".repeat(65), 3, "posix/UTC"])
		problem(await alice.patch("/api/v1/me", { time_zone }), 400, "bad_field", "time_zone");
	problem(await alice.patch("/api/v1/me", {}), 400, "bad_field", "time_zone");
	problem(await alice.patch("/api/v1/me", { handle: "x", time_zone: null }), 400, "bad_field", "handle");
	assert.equal(ok(await alice.patch("/api/v1/me", { time_zone: null })).time_zone, null);
});

test("a beacon: any content type, a page's own by its Origin, and nothing but an instance", async () => {
	const leave = (who, body, headers = {}) => who.post("/api/v1/presence/leave", JSON.stringify(body), { headers });
	const instance = randomUUID();
	for (const type of ["text/plain;charset=UTF-8", "application/json", "application/octet-stream", null])
		assert.equal((await leave(alice, { instance }, { "content-type": type })).status, 204);
	for (const body of [{}, { instance: "x" }, { instance, x: 1 }, []]) assert.equal((await leave(alice, body)).status, 400);
	problem(await leave(alice, { instance: instance.toUpperCase() }), 400, "bad_field", "instance");
	const page = await signIn(stack, "alice");
	assert.equal((await leave(page, { instance }, { "content-type": "text/plain;charset=UTF-8" })).status, 204);
	problem(await leave(page, { instance }, { origin: "https://evil.example" }), 403, "origin_refused");
	problem(await alice.get("/api/v1/presence/leave"), 405, "method_not_allowed");
});

test("active and idle by POST belong to an instance", async () => {
	const ops = async (query, ...lines) => {
		const body = lines.map((l) => JSON.stringify(l)).join("\n");
		const answer = await alice.post(`/api/v1/ops${query}`, body, { headers: { "content-type": "application/x-ndjson" } });
		return answer.status === 200 ? answer.text.trim().split("\n").map((l) => JSON.parse(l)) : problem(answer, 400, "bad_field", "instance");
	};
	const instance = randomUUID();
	assert.deepEqual(await ops(`?instance=${instance}`, { op: "active", ref: "a" }, { op: "ping" }, { op: "idle" }), [
		{ type: "ack", ref: "a" },
		{ type: "pong" },
		{ type: "ack" },
	]);
	const [refused, pong] = await ops("", { op: "idle", ref: "i" }, { op: "ping" });
	assert.deepEqual([refused.type, refused.code, refused.ref, pong.type], ["error", "unprocessable", "i", "pong"]);
	const [unknown] = await ops(`?instance=${instance}`, { op: "active", at: 1 });
	assert.deepEqual([unknown.code, unknown.field], ["bad_field", "at"]);
	await ops("?instance=x", { op: "active" });
});
