// TR-1: nobody says anything for 20 s, and a proxy on the way cuts what is silent for 5 s. The server says something every 2 s and
// holds a poll for 3 s (the configuration for such a proxy), so nothing is cut.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bot, signIn } from "../support/http.mjs";
import { pollThrough, startProxy, wsThrough } from "../support/proxies.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, me, ok, send } from "../api/help.mjs";
import { head } from "../realtime/help.mjs";
import { launch, live, seen } from "../web/help.mjs";
import { link, stream, through } from "./help.mjs";

const LIMIT = 5; // s
const SILENCE = 20000; // ms
/** The client's rung where WebSockets do not pass. */
const HTTP = "sse";

let stack, browser, alice, bob, carol, web, proxy, old;
before(async () => {
	// The time for a pong is not what this is about, and is as it is by default (tests/realtime/idle.test.mjs).
	const conf = { "realtime.ping_interval": "2s", "realtime.poll_hold": "3s" };
	stack = await startStack({ realtime: 2, conf });
	[browser, alice, bob, carol, web, proxy, old] = await Promise.all([
		launch(),
		bot(stack, "alice"),
		bot(stack, "bob"),
		bot(stack, "carol"),
		signIn(stack, "alice"),
		startProxy("haproxy", stack, { limit: `${LIMIT}s` }),
		startProxy("haproxy-no-upgrade", stack, { limit: `${LIMIT}s` }),
	]);
	bob.id = (await me(bob)).id;
	// else her page says it at its first start, and everyone is told
	await alice.patch("/api/v1/me", { time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
});
after(async () => {
	await browser?.close();
	await Promise.all([proxy?.stop(), old?.stop()]);
	await stack?.stop();
});

const silence = () => new Promise((ok) => setTimeout(ok, SILENCE));

describe("TR-1 silent for 20 s behind a limit of 5 s", { concurrency: true }, () => {
	test("the limit is real: a poll above it is cut", async () => {
		const p = await pollThrough(proxy, carol, { wait: 20, cursor: await head(carol) });
		assert.equal(p.status, 504);
		assert.ok(p.ms >= LIMIT * 1000 - 100 && p.ms < 2 * LIMIT * 1000, `${p.ms} ms`);
	});

	test("a socket stays open", async () => {
		const ws = await wsThrough(proxy, carol);
		let pings = 0;
		ws.socket.on("ping", () => pings++);
		const end = await Promise.race([ws.closed, silence()]);
		assert.equal(end, undefined, `closed after ${pings} pings: ${JSON.stringify(end)}`);
		assert.ok(pings >= 7, `${pings} pings`);
		assert.equal((await ws.call({ op: "ping" })).type, "pong");
		await ws.close();
	});

	test("a poll is answered before the limit, and asked again", async () => {
		let cursor = await head(carol);
		let polls = 0;
		for (const end = Date.now() + SILENCE; Date.now() < end; polls++) {
			const p = await pollThrough(proxy, carol, { cursor });
			assert.equal(p.status, 200, `poll ${polls}: ${p.text}`);
			assert.deepEqual(p.lines.map((l) => l.type), ["cursor"]);
			assert.ok(p.ms > 2900 && p.ms < LIMIT * 1000, `poll ${polls} took ${p.ms} ms`);
			cursor = p.headers["pulsechat-cursor"];
		}
		assert.ok(polls >= SILENCE / 1000 / LIMIT, `${polls} polls`);
	});

	test("a stream of server-sent events stays open", async () => {
		const s = await stream(proxy, carol, { cursor: await head(carol), enough: () => false, ms: SILENCE });
		assert.equal(s.status, 200);
		assert.equal(s.ended, false, `ended after ${s.ms} ms`);
		assert.equal(s.text.match(/"type":"hello"/g).length, 1);
		assert.ok(s.text.match(/"type":"heartbeat"/g).length >= 7, s.text);
	});

	for (const [name, way, rung] of [["by WebSocket", () => proxy, "ws"], ["without WebSocket", () => old, HTTP]])
		test(`the web client ${name} stays live`, async () => {
			const room = (await makeChannel(alice, { name: `silent ${name}`, kind: "private", members: [bob.id] })).id;
			const her = await through(way(), browser, web, `/c/${room}`);
			await live(her.page, rung);
			const before = await link(her.page);
			await silence();
			const later = await link(her.page);
			assert.deepEqual(later.link, before.link);
			assert.deepEqual(later.sockets, before.sockets);
			ok(await send(bob, room, "are you there?"), 201);
			await seen(her.page, "are you there?", 2000);
			assert.deepEqual(her.faults, []);
			await her.context.close();
		});
});
