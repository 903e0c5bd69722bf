// presence: who is here, right over hidden tabs, reloads, devices and polls. Counted are the changes that others are told of.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { until } from "./help.mjs";
import { GRACE, LEASE, SWEEP, beats, graces, openRoom } from "./presence_room.mjs";

let room, bob, carol, dave, eye, toldExactly, toldSoon, toldWithin, gone, forget;
before(async () => {
	room = await openRoom();
	({ bob, carol, dave, eye, toldExactly, toldSoon, toldWithin, gone, forget } = room);
});
after(() => room?.stop());

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
	const gone_ = Date.now();
	await toldSoon(bob, ["online", "offline"], GRACE + LEASE + 10000);
	await toldWithin(bob, closed, GRACE - 200, gone_, GRACE + SWEEP);
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
	await poll(bob, { instance, cursor, wait: 1, via: "realtime1" });
	const headers = { "content-type": "text/plain;charset=UTF-8" };
	const leaving = Date.now();
	const beacon = await bob.post("/api/v1/presence/leave", JSON.stringify({ instance }), { headers });
	assert.equal(beacon.status, 204, beacon.text);
	const left = Date.now();
	await toldSoon(bob, ["online", "offline"], GRACE + LEASE + 10000);
	await toldWithin(bob, leaving, GRACE - 200, left, GRACE + SWEEP);
	const again = Date.now();
	await poll(bob, { instance, cursor, wait: 0, via: "realtime2" });
	const polled = Date.now();
	await toldSoon(bob, ["online", "offline", "online"]);
	await gone(bob);
	await toldWithin(bob, again, 2000 + GRACE - 300, polled, 2000 + GRACE + SWEEP); // its hold, the slack, the grace
	await toldExactly(bob, ["online", "offline", "online", "offline"]);
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
