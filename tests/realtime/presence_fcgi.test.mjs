// presence on a host with FastCGI alone: by polls.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { follow } from "../support/realtime.mjs";
import { stateOf, watchPresence } from "../support/presence.mjs";
import { channel, people, until } from "./help.mjs";
import { GRACE, LEASE, conf } from "./presence_room.mjs";

let stack, alice, bob, carol, watch, f;
before(async () => {
	stack = await startStack({ provider: false, realtime: 0, api: 2, front: "lighttpd-fastcgi-only", conf });
	watch = await watchPresence(stack);
	[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
	await channel(alice, [bob, carol]);
});
after(async () => {
	watch?.stop();
	await f?.stop();
	await stack?.stop();
});

test("presence on a host with FastCGI alone: polls, input, beacons, a killed process, a planned stop: as everywhere", { timeout: 120000 }, async () => {
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
