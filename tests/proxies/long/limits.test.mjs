// The real time-outs of proxies as they come, and the server and the client as they come: how long a poll may be held, what a silent
// socket outlives, how the client finds a hold that a short limit lets through, and how seldom it tries a dead transport again.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bot, signIn } from "../../support/http.mjs";
import { pollThrough, startProxy, wsThrough } from "../../support/proxies.mjs";
import { openWs } from "../../support/realtime.mjs";
import { startStack, until } from "../../support/stack.mjs";
import { sleep } from "../../support/until.mjs";
import { makeChannel, me, ok, send } from "../../api/help.mjs";
import { head } from "../../realtime/help.mjs";
import { launch, live, seen } from "../../web/help.mjs";
import { chat, link, through } from "../help.mjs";

// limit: s after which a silent answer is cut, with this status
const LIMITS = [
	{ name: "haproxy", limit: 30, cut: 504 },
	{ name: "nginx-plain", limit: 60 },
	{ name: "apache-plain", limit: 60 },
	{ name: "squid" },
	{ name: "squid-tunnel" },
	{ name: "squid-accelerator" },
	{ name: "tinyproxy" },
];
const LONGEST = 55; // s, the longest hold that the server takes
// s: limits that no proxy has of itself, who chats behind it, and the holds that are tried there
const TIGHT = [
	{ limit: 8, handle: "dave", held: [25, 12, 6] },
	{ limit: 5, handle: "erin", held: [25, 12, 6, 3] },
];

let stack, browser, alice, bob, carol, web, bobsWs, swallows, worst;
const middles = {};
before(async () => {
	stack = await startStack({ realtime: 2 });
	// Who signs in for the first time is news to all, so they do it now.
	[browser, alice, bob, carol, web, swallows, worst] = await Promise.all([
		launch(),
		bot(stack, "alice"),
		bot(stack, "bob"),
		bot(stack, "carol"),
		signIn(stack, "alice"),
		startProxy("swallows frames", stack, { own: { upgrade: "swallow" } }),
		startProxy("swallows and holds", stack, { own: { upgrade: "swallow", streams: "hold" } }),
		...LIMITS.map(async ({ name }) => {
			middles[name] = await startProxy(name, stack);
		}),
		...TIGHT.map(async (t) => {
			const own = { upgrade: "drop", streams: "hold", limit: t.limit * 1000 };
			const proxy = startProxy(`limit of ${t.limit} s`, stack, { own });
			[t.who, t.web, t.middle] = await Promise.all([bot(stack, t.handle), signIn(stack, t.handle), proxy]);
		}),
	]);
	for (const who of [bob, ...TIGHT.map((t) => t.who)]) who.id = (await me(who)).id;
	// So is where he is, which his page says at its first start.
	const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
	for (const who of [alice, ...TIGHT.map((t) => t.who)]) assert.equal((await who.patch("/api/v1/me", { time_zone })).status, 200);
	bobsWs = await openWs(bob);
});
after(async () => {
	await browser?.close();
	bobsWs?.terminate();
	await Promise.all([swallows, worst, ...Object.values(middles), ...TIGHT.map((t) => t.middle)].map((m) => m?.stop()));
	await stack?.stop();
});

const site = () => ({ stack, browser, alice, bob, web, bobsWs });

describe("limits as they come", { concurrency: true }, () => {
	for (const { name, limit, cut } of LIMITS) {
		test(`${name}: a poll of the longest hold`, { timeout: 120000 }, async () => {
			const p = await pollThrough(middles[name], carol, { wait: LONGEST, cursor: await head(carol) });
			console.log(`${name}: a poll of ${LONGEST} s got ${p.status} after ${(p.ms / 1000).toFixed(1)} s`);
			assert.equal(p.status, cut ?? 200);
			const due = (cut ? limit : LONGEST) * 1000;
			assert.ok(p.ms > due - 200 && p.ms < due + 3000, `${p.ms} ms`);
		});

		test(`TR-1 ${name}: polls of the default hold pass`, { timeout: 120000 }, async () => {
			let cursor = await head(carol);
			for (let i = 0; i < 3; i++) {
				const p = await pollThrough(middles[name], carol, { cursor });
				assert.equal(p.status, 200);
				assert.ok(p.ms > 24000 && p.ms < 28000, `${p.ms} ms`);
				cursor = p.headers["pulsechat-cursor"];
			}
		});
	}

	for (const name of ["haproxy", "squid-tunnel"])
		test(`TR-1 ${name}: a silent socket stays open for 90 s`, { timeout: 120000 }, async () => {
			const ws = await wsThrough(middles[name], carol);
			let pings = 0;
			ws.socket.on("ping", () => pings++);
			const end = await Promise.race([ws.closed, sleep(90000)]);
			assert.equal(end, undefined, `closed after ${pings} pings: ${JSON.stringify(end)}`);
			assert.ok(pings >= 4, `${pings} pings`);
			assert.equal((await ws.call({ op: "ping" })).type, "pong");
			await ws.close();
		});

	for (const t of TIGHT)
		test(`TR-1 a limit of ${t.limit} s: the client asks for shorter holds until they pass`, { timeout: 180000 }, async () => {
			// Nothing else is said to them meanwhile.
			const { who, web: session, middle, limit, held } = t;
			const room = (await makeChannel(bob, { name: `limit of ${limit} s`, kind: "private", members: [who.id] })).id;
			const them = await through(middle, browser, session, `/c/${room}`);
			await live(them.page, "poll");
			const before = await link(them.page);
			const polls = () => middle.hostile.requests.filter((r) => /^\/api\/v1\/events.*[?&]wait=[1-9]/.test(r.path));
			await until(() => polls().filter((r) => r.status === 200).length >= 3, { ms: 90000, what: "three polls that were held and not cut" });
			const shortest = held.at(-1);
			const expected = [...held.slice(0, -1).flatMap((s) => [`${s} s: 504`, `${s} s: 504`]), ...Array(3).fill(`${shortest} s: 200`)];
			assert.deepEqual(polls().map((r) => `${/wait=(\d+)/.exec(r.path)[1]} s: ${r.status}`), expected);
			assert.deepEqual((await link(them.page)).link, before.link, "live all the time");
			ok(await send(bob, room, "still there?"), 201);
			await seen(them.page, "still there?", 2000);
			assert.deepEqual(them.faults, []);
			await them.context.close();
		});

	// The longest way down.
	test("TR-2 swallows frames and holds streams", { timeout: 120000 }, () =>
		chat(site(), { name: "swallows and holds", middle: worst, rung: "poll" }));
	test("TR-2 a dead transport is tried again seldom", { timeout: 180000 }, async () => {
		const room = (await makeChannel(alice, { name: "seldom", kind: "private", members: [bob.id] })).id;
		const her = await through(swallows, browser, web, `/c/${room}`);
		await until(async () => (await link(her.page)).link.at(-1)?.is.startsWith("live"), { ms: 20000, what: "a live link" });
		const before = await link(her.page);
		await sleep(100000);
		const { sockets, link: all } = await link(her.page);
		console.log(`handshakes that were swallowed, s after the first: ${sockets.map((at) => Math.round((at - sockets[0]) / 1000)).join(", ")}`);
		assert.deepEqual(all, before.link, "what is tried beside it disturbs nothing");
		assert.ok(sockets.length >= 2, "it is tried again at all");
		assert.ok(sockets.length <= 4, `${sockets.length} handshakes`);
		for (let i = 1; i < sockets.length; i++) assert.ok(sockets[i] - sockets[i - 1] > 20000, `handshakes at ${sockets}`);
		assert.deepEqual(her.faults, []);
		await her.context.close();
	});
});
