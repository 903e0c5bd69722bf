// presence: input, sign-out, invisibility, and processes that end: what others are told of it, and what they are not.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { signIn } from "../support/http.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { presenceOf, stateOf } from "../support/presence.mjs";
import { until } from "./help.mjs";
import { GRACE, LEASE, SWEEP, beats, graces, openRoom } from "./presence_room.mjs";

let room, stack, alice, bob, carol, dave, eye, toldExactly, toldSoon, toldWithin, gone, forget;
before(async () => {
	room = await openRoom();
	({ stack, alice, bob, carol, dave, eye, toldExactly, toldSoon, toldWithin, gone, forget } = room);
});
after(() => room?.stop());

test("signed out: offline at once, tabs in their grace too; another session's device stays", async () => {
	await forget();
	const browser = await signIn(stack, "bob");
	const tab = await openWs(browser, { via: "realtime1" });
	const closed = await openWs(browser, { via: "realtime2" });
	const phone = await openWs(bob, { via: "realtime2" });
	await toldSoon(bob, ["online"]);
	await closed.close();
	assert.equal((await browser.post("/auth/logout")).status, 200);
	assert.equal((await tab.closed).code, 4001);
	await graces(eye);
	await toldExactly(bob, ["online"]);
	await phone.close();
	await gone(bob);
	await forget();

	const again = await signIn(stack, "bob");
	const only = await openWs(again, { via: "realtime1" });
	const [second, polled] = [await openWs(again, { via: "realtime2" }), randomUUID()];
	await poll(again, { instance: polled, via: "realtime2" });
	await toldSoon(bob, ["online"]);
	await second.close();
	const t = Date.now();
	await again.post("/auth/logout");
	const left = Date.now();
	await toldSoon(bob, ["online", "offline"], 10000);
	await toldWithin(bob, t, 0, left, GRACE - 500);
	assert.equal((await only.closed).code, 4001);
	await graces(eye);
	await toldExactly(bob, ["online", "offline"]);
});

test("two facts: by input online, reconnects and polls are none; a locked screen is away at once", { timeout: 90000 }, async () => {
	await forget();
	const one = await openWs(bob, { via: "realtime1" });
	await toldSoon(bob, ["online"]);
	const lastActive = async () => (await presenceOf(alice, bob))[0].last_active;
	assert.equal(await lastActive(), null, "that one comes is no input");
	assert.deepEqual(await one.call({ op: "active", ref: "a" }), { type: "ack", ref: "a" });
	const active = await until(lastActive);
	await one.call({ op: "idle" });
	await toldSoon(bob, ["online", "away"]);
	assert.equal(await lastActive(), active, "he was active then, whatever he is now");
	const two = await openWs(bob, { via: "realtime2" });
	await poll(bob, { instance: randomUUID(), wait: 0, via: "realtime1" });
	await one.close();
	await graces(eye);
	await toldExactly(bob, ["online", "away"]);
	assert.equal(await lastActive(), active);
	await two.call({ op: "active" });
	await toldSoon(bob, ["online", "away", "online"]);
	assert.ok((await until(async () => (await lastActive()) !== active && (await lastActive()))) > active);
	// the same by REST, for one who streams, and by a poll's query
	const stream = await openSse(bob, { via: "realtime1" });
	const ops = (lines, query) => bob.post(`/api/v1/ops${query}`, lines, { headers: { "content-type": "application/x-ndjson" } });
	await two.call({ op: "idle" });
	await toldSoon(bob, ["online", "away", "online", "away"]);
	const said = await ops('{"op":"active","ref":"1"}\n{"op":"idle"}\n{"op":"active"}', `?instance=${stream.instance}`);
	assert.deepEqual(said.text.trim().split("\n").map((l) => JSON.parse(l)), [{ type: "ack", ref: "1" }, { type: "ack" }, { type: "ack" }]);
	await toldSoon(bob, ["online", "away", "online", "away", "online"]);
	await ops('{"op":"idle"}', `?instance=${stream.instance}`);
	await toldSoon(bob, ["online", "away", "online", "away", "online", "away"]);
	await poll(bob, { instance: randomUUID(), wait: 0, active: 1, via: "realtime2" });
	await toldSoon(bob, ["online", "away", "online", "away", "online", "away", "online"]);
	const refused = await ops('{"op":"active","ref":"x"}', "");
	assert.deepEqual([refused.status, JSON.parse(refused.text).code, JSON.parse(refused.text).ref], [200, "unprocessable", "x"]);
	await Promise.all([two.close(), stream.close()]);
	await gone(bob);
});

test("back as soon as he was told of as offline: that his screen was locked before counts no more", { timeout: 90000 }, async () => {
	await forget();
	const one = await openWs(bob, { via: "realtime1" });
	await one.call({ op: "active" });
	await toldSoon(bob, ["online"]);
	await one.call({ op: "idle" });
	await toldSoon(bob, ["online", "away"]);
	await one.close();
	await toldSoon(bob, ["online", "away", "offline"], GRACE + LEASE + 10000);
	const back = await openWs(bob, { via: "realtime1" });
	await toldSoon(bob, ["online", "away", "offline", "online"]);
	await beats(eye, 2);
	await toldExactly(bob, ["online", "away", "offline", "online"]);
	await back.close();
	await gone(bob);
});

test("invisible: offline for others, with nothing told of what he does; his own instances know; settings reach them all", async () => {
	await forget();
	const [one, two] = [await openWs(bob, { via: "realtime1" }), await openWs(bob, { via: "realtime2" })];
	await one.call({ op: "active" });
	await toldSoon(bob, ["online"]);
	const patched = await bob.patch("/api/v1/me/settings", { invisible: true });
	assert.deepEqual([patched.status, patched.json.invisible], [200, true], patched.text);
	await toldSoon(bob, ["online", "offline"]);
	for (const feed of [one, two]) {
		const own = await feed.some((l) => l.type === "presence" && l.users[0].invisible);
		assert.deepEqual([own.users[0].user, own.users[0].state], [bob.id, "online"]);
		const logged = await feed.some((l) => l.type === "settings.updated");
		assert.deepEqual(logged.settings, patched.json);
	}
	const frozen = await presenceOf(alice, bob);
	assert.deepEqual(frozen, [{ user: bob.id, state: "offline", last_active: frozen[0].last_active, dnd: false, status: null }]);
	assert.ok(frozen[0].last_active);
	await one.call({ op: "idle" });
	await two.call({ op: "active" });
	await bob.put("/api/v1/me/status", { text: "nobody sees it" });
	await two.some((l) => l.type === "presence" && l.users[0].status?.text === "nobody sees it");
	await two.close();
	await graces(eye);
	assert.deepEqual(await presenceOf(alice, bob), frozen);
	assert.equal((await presenceOf(bob, bob))[0].invisible, true);
	await toldExactly(bob, ["online", "offline"]);
	await bob.patch("/api/v1/me/settings", { invisible: false });
	await toldSoon(bob, ["online", "offline", "online"]);
	assert.equal((await presenceOf(alice, bob))[0].status.text, "nobody sees it");
	await bob.delete("/api/v1/me/status");
	await one.close();
	await gone(bob);
});

test("a planned stop: who comes back within the grace shows nothing, who does not goes once", { timeout: 90000 }, async () => {
	await forget();
	const [b, c] = [await openWs(bob, { via: "realtime2" }), await openWs(carol, { via: "realtime2" })];
	for (const who of [bob, carol]) await toldSoon(who, ["online"]);
	const stopping = Date.now();
	const down = stack.down("realtime2");
	assert.equal((await b.closed).code, 1012);
	const back = await openWs(bob, { via: "realtime1" });
	await c.closed;
	await down;
	const stopped = Date.now();
	await toldSoon(carol, ["online", "offline"], GRACE + LEASE + 10000);
	await toldWithin(carol, stopping, GRACE - 500, stopped, GRACE + SWEEP);
	await graces(eye);
	await toldExactly(bob, ["online"]);
	await toldExactly(carol, ["online", "offline"]);
	const orphans = "SELECT count(*) FROM presence_leases l WHERE NOT EXISTS (SELECT FROM presence_nodes n WHERE n.node = l.node)";
	assert.equal(await stack.psql(orphans), "0");
	await stack.up("realtime2");
	await back.close();
	await gone(bob);
});

test("a process that stands still beyond its lease: its people go and come back once, who has another device stays", { timeout: 90000 }, async () => {
	await forget();
	const [b, c] = [await openWs(bob, { via: "realtime2" }), await openWs(carol, { via: "realtime2" })];
	const phone = await openWs(carol, { via: "realtime1" });
	for (const who of [bob, carol]) await toldSoon(who, ["online"]);
	await stack.kill("realtime2", "SIGSTOP");
	await toldSoon(bob, ["online", "offline"], LEASE + 15000);
	await stack.kill("realtime2", "SIGCONT");
	await toldSoon(bob, ["online", "offline", "online"], 10000);
	await graces(eye);
	await toldExactly(bob, ["online", "offline", "online"]);
	await toldExactly(carol, ["online"]);
	assert.equal(await stateOf(alice, bob), "online");
	await Promise.all([b.close(), c.close(), phone.close()]);
	await gone(bob, carol);
});

test("a closed account is gone at once", async () => {
	await forget();
	const one = await openWs(dave, { via: "realtime1" });
	await toldSoon(dave, ["online"]);
	const t = Date.now();
	await stack.cli(["user", "deactivate", "dave"]);
	const left = Date.now();
	await toldSoon(dave, ["online", "offline"], 10000);
	await toldWithin(dave, t, 0, left, GRACE - 500);
	assert.equal((await one.closed).code, 4003);
	await graces(eye);
	await toldExactly(dave, ["online", "offline"]);
});

test("once a minute the log says how many rows were written", { timeout: 90000 }, async () => {
	await until(() => /presence\.written rows=\d+ users=\d+/.test(stack.log("realtime1")), { ms: 70000 });
});
