// state: what plain polls tell of presence and reads, on hosts where nothing waits and nobody listens.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { poll } from "../support/realtime.mjs";
import { channel, crowd, head, people, post } from "../realtime/help.mjs";

let stack, alice, bob, carol;

before(async () => {
	stack = await startStack({ provider: false, realtime: 0, api: 2, front: "lighttpd-fastcgi-only", conf: { "api.poll": "plain" } });
	[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
});
after(() => stack.stop());

const presence = (user, state) =>
	stack.psql(`begin; insert into presence_leases (user_id, node, active_at, expires_at)
			values (${user}, 0, now() - interval '${state === "away" ? 60 : 0} minutes', now() + interval '1 hour')
			on conflict (user_id, node) do update set active_at = excluded.active_at;
		insert into presence (user_id, state) values (${user}, '${state}') on conflict (user_id) do update set state = '${state}'; commit`);

test("plain polls: the state at first, then only where it differs, beside the events, from either process", async () => {
	const room = await channel(alice, [bob]);
	const { people: made } = await crowd(stack, alice, 1);
	const x = (await made[0].get("/api/v1/me")).json.user.id;
	await alice.post(`/api/v1/channels/${room}/members`, { user: x });
	await presence(x, "online");
	const ask = { instance: randomUUID(), focus: room, watch: `${x},${carol.id}`, wait: 20 };
	let p = await poll(bob, { cursor: await head(bob), via: "api1", ...ask });
	assert.deepEqual(p.lines.map((l) => l.type), ["presence", "reads", "typing", "cursor"]);
	const seen = new Map(p.lines[0].users.map((u) => [u.user, u.state]));
	assert.equal(seen.get(x), "online");
	assert.ok(!seen.has(carol.id) && !seen.has(bob.id));
	assert.deepEqual(p.lines[2], { type: "typing", channel: room, users: [], count: 0 });
	for (const via of ["api2", "api1"]) {
		p = await poll(bob, { cursor: p.cursor, via, ...ask });
		assert.deepEqual(p.events, [], "nothing has changed");
		assert.ok(p.lines[0].retry_after >= 3);
	}
	await presence(x, "away");
	const m = await post(alice, room, "an event");
	p = await poll(bob, { cursor: p.cursor, via: "api2", ...ask });
	assert.deepEqual(p.lines.map((l) => l.type), ["message", "presence", "reads", "typing", "cursor"]);
	assert.equal(p.lines[0].seq, m.seq);
	assert.equal(p.lines[1].users.find((u) => u.user === x).state, "away");
	const without = await poll(bob, { cursor: p.cursor, via: "api2" });
	assert.deepEqual(without.events, []);
	const outsider = await poll(carol, { cursor: await head(carol), via: "api1", ...ask });
	assert.deepEqual(outsider.events, [], "who is not in is told nothing");
	const bad = await poll(bob, { cursor: p.cursor, focus: "1,x", via: "api1" });
	assert.deepEqual([bad.status, bad.problem.field], [400, "focus"]);
});

test("ops by REST where no stream is: typing goes out, focus is refused", async () => {
	const room = await channel(alice, [bob]);
	const lines = [{ op: "typing", channel: room }, { op: "focus", channels: [room] }];
	const answer = await bob.post("/api/v1/ops", lines.map((l) => JSON.stringify(l)).join("\n"), { headers: { "content-type": "application/x-ndjson" } });
	assert.deepEqual(answer.text.trim().split("\n").map((l) => JSON.parse(l)).map((a) => a.code ?? a.type), ["ack", "unprocessable"]);
});
