// presence: who is here, right over reloads, crashes and long absences. Counted are the changes that others are told of.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { signIn } from "../support/http.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { presenceOf, stateOf, watchPresence } from "../support/presence.mjs";
import { channel, people, until } from "./help.mjs";

const GRACE = 3000;
const LEASE = 6000;
const SWEEP = 2000; // to be found by somebody, on a busy machine
const conf = {
	"presence.grace": `${GRACE}ms`,
	"presence.lease": `${LEASE}ms`,
	"presence.renew": "900ms",
	"presence.poll_slack": "2s",
	"realtime.ping_interval": "300ms",
	"realtime.pong_timeout": "5s",
	"realtime.drain_spread": "0s",
};
/** Time passes only while somebody's heartbeats come: n of them. */
const beats = (feed, n) => {
	const from = feed.lines.filter((l) => l.type === "heartbeat").length;
	return until(() => feed.lines.filter((l) => l.type === "heartbeat").length >= from + n, { ms: n * 300 * 4 + 10000, what: `${n} heartbeats` });
};
const graces = (feed, n = 1) => beats(feed, Math.ceil((n * (GRACE + SWEEP)) / 300));

describe("presence", () => {
	let stack, alice, bob, carol, dave, watch, room, eye;
	before(async () => {
		stack = await startStack({ realtime: 2, conf });
		watch = await watchPresence(stack);
		[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
		room = await channel(alice, [bob, carol, dave]);
		eye = await openWs(alice, { via: "realtime1" });
		await holdsOff();
	});
	after(async () => {
		watch?.stop();
		eye?.terminate();
		await stack?.stop();
	});

	/** The first lease's time after a start is over: from now on people are judged. */
	const holdsOff = () =>
		until(async () => (await stack.psql(`SELECT presence_held(${LEASE})`)) === "f", { ms: 30000, what: "the hold after the start to be over" });
	/** Nothing but this was told of him, by the bus and by the table. */
	async function toldExactly(user, states) {
		assert.deepEqual(await watch.told(user), states);
		assert.deepEqual(watch.bus(user), states);
	}
	const toldSoon = (user, states, ms) => until(() => watch.bus(user).length >= states.length, { ms, what: `${states} of ${user.id}` });
	async function gone(...users) {
		const ids = users.map((u) => u.id);
		const told = async () => Number(await stack.psql(`SELECT count(*) FROM presence WHERE user_id IN (${ids}) AND state = 'offline'`));
		await until(async () => (await told()) === ids.length, { ms: GRACE + LEASE + 10000, what: `${ids} to be told of as offline` });
		for (const user of users) assert.equal(await stateOf(alice, user), "offline");
	}
	const forget = async () => {
		await stack.psql("DELETE FROM told_presence");
		watch.lines.length = 0;
	};

	test("PR-1 hidden tab: slow timers, sockets and streams that answer, polls that come late: not one event", { timeout: 120000 }, async () => {
		const socket = await openWs(bob, { via: "realtime1" });
		const stream = await openSse(carol, { via: "realtime2" });
		// a poll of a second, then a timer that fires late
		let polls = 0;
		const instance = randomUUID();
		const done = (async () => {
			let cursor = (await poll(dave, { instance, via: "realtime1" })).cursor;
			for (; !done.over; polls++) {
				cursor = (await poll(dave, { instance, cursor, wait: 1, via: `realtime${1 + (polls % 2)}` })).cursor;
				await new Promise((ok) => setTimeout(ok, 1500));
			}
		})();
		for (const who of [bob, carol, dave]) await toldSoon(who, ["online"]);
		await Promise.all([graces(socket, 3), graces(stream, 3), until(() => polls >= 6, { ms: 60000 })]);
		for (const who of [bob, carol, dave]) await toldExactly(who, ["online"]);
		done.over = true;
		await done;
		await Promise.all([socket.close(), stream.close()]);
		await gone(bob, carol, dave);
		for (const who of [bob, carol, dave]) await toldExactly(who, ["online", "offline"]);
	});

	test("PR-2 tabs, devices, reloads: nothing until the very end, then one offline after the window; back: one online", { timeout: 120000 }, async () => {
		await forget();
		let last = await openWs(bob, { via: "realtime1" });
		const others = [await openWs(bob, { via: "realtime1" }), await openWs(bob, { via: "realtime2" })];
		await toldSoon(bob, ["online"]);
		for (const one of others) {
			await one.close();
			await graces(eye);
		}
		for (let i = 0; i < 20; i++) {
			const instance = i % 3 ? last.instance : randomUUID(); // a reload keeps the tab's name, another browser's restart does not
			const next = i % 2 ? "realtime1" : "realtime2";
			if (i % 4) await last.close();
			else last.terminate();
			last = await openWs(bob, { via: next, instance });
			await beats(eye, 1);
		}
		await toldExactly(bob, ["online"]);
		const closed = Date.now();
		await last.close();
		await toldSoon(bob, ["online", "offline"], GRACE + LEASE + 10000);
		const after_ = watch.lines.findLast((l) => l.user === bob.id).at - closed;
		assert.ok(after_ > GRACE - 200, `offline after ${after_} ms`);
		assert.ok(after_ < GRACE + SWEEP, `offline after ${after_} ms`);
		await graces(eye);
		await toldExactly(bob, ["online", "offline"]);
		const back = await openWs(bob, { via: "realtime2" });
		await toldSoon(bob, ["online", "offline", "online"]);
		await beats(eye, 5);
		await toldExactly(bob, ["online", "offline", "online"]);
		await back.close();
		await gone(bob);
	});

	test("PR-2 five reconnects at once and a poll between them show nothing", async () => {
		await forget();
		const instance = randomUUID();
		let one = await openWs(bob, { instance });
		await toldSoon(bob, ["online"]);
		for (let i = 0; i < 5; i++) {
			one.terminate();
			await poll(bob, { instance, wait: 0 });
			one = await openWs(bob, { instance });
		}
		await graces(eye);
		await toldExactly(bob, ["online"]);
		await one.close();
		await gone(bob);
		await toldExactly(bob, ["online", "offline"]);
	});

	test("a poll's instance lives for its hold and a little more; a beacon ends it sooner; the next poll brings it back", { timeout: 90000 }, async () => {
		await forget();
		const instance = randomUUID();
		const { cursor } = await poll(bob, { instance, via: "realtime1" });
		await toldSoon(bob, ["online"]);
		const t = Date.now();
		await poll(bob, { instance, cursor, wait: 1, via: "realtime1" });
		const headers = { "content-type": "text/plain;charset=UTF-8" };
		const beacon = await bob.post("/api/v1/presence/leave", JSON.stringify({ instance }), { headers });
		assert.equal(beacon.status, 204, beacon.text);
		const left = Date.now();
		await toldSoon(bob, ["online", "offline"], GRACE + LEASE + 10000);
		const took = watch.lines.findLast((l) => l.user === bob.id).at - left;
		assert.ok(took > GRACE - 200 && took < GRACE + SWEEP, `offline ${took} ms after the beacon`);
		await poll(bob, { instance, cursor, wait: 0, via: "realtime2" });
		await toldSoon(bob, ["online", "offline", "online"]);
		const again = Date.now();
		await gone(bob);
		assert.ok(Date.now() - again > 2000 + GRACE - 300, "its hold, the slack, the grace");
		await toldExactly(bob, ["online", "offline", "online", "offline"]);
		assert.ok(t < left);
	});

	test("a beacon of the page before does not end the one that has come since", async () => {
		await forget();
		const one = await openWs(bob, { via: "realtime1" });
		await toldSoon(bob, ["online"]);
		await bob.post("/api/v1/presence/leave", { instance: one.instance });
		await carol.post("/api/v1/presence/leave", { instance: one.instance }); // nobody else's business
		await graces(eye, 2);
		await toldExactly(bob, ["online"]);
		await one.close();
		await gone(bob);
	});

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
		await toldSoon(bob, ["online", "offline"], 10000);
		const took = watch.lines.findLast((l) => l.user === bob.id).at - t;
		assert.ok(took < GRACE - 500, `offline ${took} ms after the logout`);
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
		const down = stack.down("realtime2");
		assert.equal((await b.closed).code, 1012);
		const stopped = Date.now();
		const back = await openWs(bob, { via: "realtime1" });
		await c.closed;
		await down;
		await toldSoon(carol, ["online", "offline"], GRACE + LEASE + 10000);
		const took = watch.lines.findLast((l) => l.user === carol.id).at - stopped;
		assert.ok(took > GRACE - 500 && took < GRACE + SWEEP, `offline ${took} ms after the stop`);
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
		await stack.cli(["user", "deactivate", "dave"]);
		await toldSoon(dave, ["online", "offline"], 3000);
		assert.equal((await one.closed).code, 4003);
		await graces(eye);
		await toldExactly(dave, ["online", "offline"]);
	});

	test("once a minute the log says how many rows were written", { timeout: 90000 }, async () => {
		await until(() => /presence\.written rows=\d+ users=\d+/.test(stack.log("realtime1")), { ms: 70000 });
	});
});

describe("presence on a host with FastCGI alone", () => {
	let stack, alice, bob, carol, watch, f;
	before(async () => {
		stack = await startStack({ realtime: 0, api: 2, front: "lighttpd-fastcgi-only", conf });
		watch = await watchPresence(stack);
		[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
		await channel(alice, [bob, carol]);
	});
	after(async () => {
		watch?.stop();
		await f?.stop();
		await stack?.stop();
	});

	test("polls, input, beacons, a killed process, a planned stop: as everywhere", { timeout: 120000 }, async () => {
		const instance = randomUUID();
		f = follow(bob, { instance, wait: 1 });
		await until(() => watch.bus(bob).length, { ms: 10000 });
		await until(() => f.polls >= 4, { ms: 30000 });
		const ops = (line) => bob.post(`/api/v1/ops?instance=${instance}`, line, { headers: { "content-type": "application/x-ndjson" } });
		assert.equal((await ops('{"op":"idle"}')).status, 200);
		await until(async () => (await stateOf(alice, bob)) === "away");
		assert.equal((await ops('{"op":"active"}')).status, 200);
		await until(async () => (await stateOf(alice, bob)) === "online");
		await until(() => watch.bus(bob).length === 3);
		assert.deepEqual(watch.bus(bob), ["online", "away", "online"]);
		// one process dies: his polls go on by the other one
		await stack.kill("api1", "SIGKILL");
		stack.forgive("api1");
		const polls = f.polls;
		await until(() => f.polls >= polls + 8, { ms: 40000 });
		await stack.up("api1");
		await stack.down("api2");
		await until(() => f.polls >= polls + 14, { ms: 40000 });
		await stack.up("api2");
		assert.equal(watch.bus(bob).length, 3, "nothing was told");
		await f.stop();
		const left = Date.now();
		await bob.post("/api/v1/presence/leave", JSON.stringify({ instance }), { headers: { "content-type": "text/plain" } });
		await until(async () => (await stateOf(alice, bob)) === "offline", { ms: GRACE + LEASE + 10000 });
		assert.ok(Date.now() - left > GRACE - 500);
		await until(() => watch.bus(bob).length === 4, { ms: 5000 });
		assert.deepEqual(watch.bus(bob).slice(3), ["offline"]);
	});
});
