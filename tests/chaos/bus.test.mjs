// bus: a listener that does not hear, in every way there is: behind a pooler, over a connection that died without a word. It is
// noticed in seconds, the log says so, and delivery goes on by reading the log.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { exchange } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { follow, openWs } from "../support/realtime.mjs";
import { channel, exactly, people, post, say, sendOp, until } from "../realtime/help.mjs";
import { reach, relayDatabase, startPooler, startRelay, watchListeners } from "./help.mjs";

let stack, alice, bob, relay;
const poolers = [];

before(async () => {
	stack = await startStack({ api: 2, realtime: 5, only: ["postgres", "devidp"] });
	relay = await startRelay();
	poolers.push(await startPooler(stack, "transaction", 4), await startPooler(stack, "session"));
	reach(stack, poolers[0].folder, /^(api1|realtime1)$/);
	reach(stack, poolers[1].folder, /^realtime4$/);
	await relayDatabase(stack, relay, /^realtime[35]$/);
	await Promise.all(["api1", "api2", "realtime2", "realtime3", "realtime4", "realtime5", "lighttpd"].map((n) => stack.up(n)));
	[alice, bob] = await people(stack, "alice", "bob");
});
after(async () => {
	await stack?.stop();
	for (const p of poolers) await p.stop();
	relay?.stop();
});

const doctor = async (env) => {
	const r = await stack.cli(["doctor"], { env: { ...process.env, ...stack.env, ...env } }).catch((e) => e);
	return /^(ok|FAIL) +bus:.*$/m.exec(r.stdout)?.[0];
};

describe("the bus", { concurrency: true }, () => {
	test("PG-2 c behind a pooler in transaction mode: said within 10 s, delivered by reading the log every second, stored all the same", async () => {
		const began = Date.now();
		await stack.up("realtime1");
		const room = await channel(alice, [bob]);
		// what is asked while the pooler is being found out fails: 1013, and a client comes back
		const open = (who) => until(() => openWs(who, { via: "realtime1" }).catch((e) => assert.match(e.message, /1013/)), { what: "a stream" });
		const feeds = [await open(bob)];
		feeds.push(follow(bob, { via: "realtime1", cursor: feeds[0].hello.cursor }));
		const a = await open(alice);
		const other = await openWs(alice, { via: "realtime2" });
		await until(() => / error bus\.deaf .*pooler/.test(stack.log("realtime1")), { what: "bus.deaf, and why" });
		assert.ok(Date.now() - began < 10000, `said after ${Date.now() - began} ms`);
		const health = await exchange(`${stack.url}/healthz`, { socketPath: stack.socket("realtime1") });
		assert.deepEqual([health.status, health.json.status, health.json.bus], [200, "degraded", "deaf"], health.text);
		const found = () => stack.log("realtime1").match(/db\.pooler /g)?.length ?? 0;
		let n = 0;
		const took = [];
		for (let i = 0; i < 3; i++) {
			// from the process behind the pooler, from another one, and by REST (api1 is behind it too)
			for (const send of [() => say(a, room, `${i}`), () => say(other, room, `${i}`), () => post(alice, room, `${i}`)]) {
				const t = Date.now();
				await send();
				n++;
				for (const f of feeds) await f.some((l) => l.type === "message" && l.channel === room && l.seq === n, 5000);
				took.push(Date.now() - t);
			}
		}
		for (const f of feeds) await exactly(f, room, 1, n);
		// by the first statement that meets another's connection, before or behind the bus
		await until(() => found() > 0, { what: "db.pooler" });
		assert.equal(found(), 1, "that it is a pooler is said once");
		took.sort((x, y) => x - y);
		assert.ok(took[took.length >> 1] < 1500 && took.at(-1) < 3000, `${took.join(", ")} ms`);
		assert.ok(!feeds.some((f) => f.lines.some((l) => l.type === "reset")));
		assert.equal((await alice.get(`/api/v1/channels/${room}/messages`)).json.messages.length, n);
		const dsn = (folder) => ({ PULSECHAT_DATABASE_DSN: `host=${folder} dbname=pulsechat user=pulsechat` });
		assert.match(await doctor(dsn(poolers[0].folder)), /^FAIL .*through a connection pooler.*pool_mode = session/);
		assert.match(await doctor(dsn(poolers[1].folder)), /^ok .*through a pooler in session mode/);
		assert.match(await doctor({}), /^ok .*arrived in \d+ ms$/);
		await feeds[1].stop();
		for (const f of [feeds[0], a, other]) f.terminate();
		await stack.down("realtime1");
	});

	test("behind a pooler in session mode all is well", async () => {
		const room = await channel(alice, [bob]);
		const b = await openWs(bob, { via: "realtime4" });
		await until(() => /bus\.heard/.test(stack.log("realtime4")));
		const a = await openWs(alice, { via: "realtime2" });
		for (let i = 1; i <= 20; i++) await say(a, room, `${i}`);
		await exactly(b, room, 1, 20);
		assert.ok(!/bus\.deaf|db\.pooler/.test(stack.log("realtime4")));
		for (const f of [a, b]) f.terminate();
	});

	for (const [what, via, match] of [
		["the listener's connection", "realtime3", "realtime3-listen"],
		["every connection of the process", "realtime5", "realtime5-"],
	])
		test(`PG-2 c ${what} dies without a word: noticed within 10 s, nothing is lost, no reset`, async () => {
			const watch = watchListeners(stack);
			const room = await channel(alice, [bob]);
			const b = await openWs(bob, { via });
			const p = follow(bob, { via, cursor: b.hello.cursor });
			const mine = await openWs(alice, { via });
			await until(() => /bus\.heard/.test(stack.log(via)));
			await say(mine, room, "1");
			await exactly(b, room, 1, 1);
			const from = stack.log(via).length;
			const t = Date.now();
			relay.send({ op: "freeze", link: "db", share: 1, match });
			let n = 1;
			for (; n < 21; n++) await post(alice, room, `${n + 1}`); // by the other process
			await until(() => /bus\.deaf/.test(stack.log(via).slice(from)), { ms: 12000, what: "bus.deaf" });
			assert.ok(Date.now() - t < 10000, `noticed after ${Date.now() - t} ms`);
			for (const f of [b, p]) await exactly(f, room, 1, n, 12000);
			await until(() => /bus\.heard/.test(stack.log(via).slice(from)), { ms: 15000, what: "bus.heard" });
			// what was under way in a dead connection is answered, or may be sent again
			const id = randomUUID();
			await until(async () => (await mine.call(sendOp(room, "last", id), 20000)).type === "ack", { ms: 40000, every: 500 });
			for (const f of [b, p]) await exactly(f, room, 1, n + 1);
			assert.ok(!b.lines.some((l) => l.type === "reset"));
			const { seen, bad } = await watch.stop();
			assert.ok(seen > 20);
			assert.deepEqual(bad, []);
			await p.stop();
			for (const f of [b, mine]) f.terminate();
		});
});
