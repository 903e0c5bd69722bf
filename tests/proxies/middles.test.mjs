// Real proxies between people and the site (TR-2). Through each: what a handshake, a held poll and a stream get; then alice's browser
// chats through it with bob, who is on the site directly: she is live in time, on the rung that stands in the table, nothing is
// lost, doubled or out of order, and her client does not go back to a dead transport every few seconds.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bot, signIn } from "../support/http.mjs";
import { handshake, pollThrough, startProxy } from "../support/proxies.mjs";
import { openWs } from "../support/realtime.mjs";
import { startStack, until } from "../support/stack.mjs";
import { allMessages, makeChannel, me, send, ok } from "../api/help.mjs";
import { exactly, head } from "../realtime/help.mjs";
import { everything, launch, live, say, seen } from "../web/help.mjs";
import { link, stream, through } from "./help.mjs";

/** The rung that the client has where WebSockets do not pass but all else does. */
const HTTP = "poll";

// handshake: what a WebSocket handshake gets there; silent: no hello follows the 101.
// rung: what the client ends on; tries: sockets that it opens until then.
const TABLE = [
	{ name: "none", handshake: "101" },
	{ name: "squid", handshake: "CONNECT 403", rung: HTTP },
	{ name: "squid-tunnel", handshake: "101", rung: "ws" },
	{ name: "squid-accelerator", handshake: "426", rung: HTTP },
	{ name: "tinyproxy", handshake: "CONNECT 403", rung: HTTP },
	{ name: "haproxy", handshake: "101", rung: "ws" },
	{ name: "haproxy-no-upgrade", handshake: "426", rung: HTTP },
	{ name: "nginx-plain", handshake: "426", rung: HTTP },
	{ name: "apache-plain", handshake: "426", rung: HTTP },
	{ name: "drops the upgrade", own: { upgrade: "drop" }, handshake: "426", rung: HTTP },
	{ name: "answers 200", own: { upgrade: 200 }, handshake: "200", rung: HTTP },
	{ name: "answers 403", own: { upgrade: 403 }, handshake: "403", rung: HTTP },
	{ name: "never answers", own: { upgrade: "mute" }, handshake: "no answer", rung: HTTP },
	{ name: "swallows frames", own: { upgrade: "swallow" }, handshake: "101", silent: true, rung: HTTP },
	{ name: "cuts after 2 s", own: { upgrade: "cut" }, handshake: "101", rung: HTTP, tries: 2 },
	{ name: "holds streams", own: { upgrade: "drop", streams: "hold" }, handshake: "426", held: true, rung: "poll" },
];
const HOLD = 3; // s
const LIVE = 10000; // ms from the first attempt to a link that works: the promise
const CALM = 7000; // ms in which a client that goes back "every few seconds" would have done so

let stack, browser, alice, bob, carol, web, bobsWs, streams;
before(async () => {
	stack = await startStack({ realtime: 2 });
	for (const row of TABLE) row.seen = {};
	[browser, alice, bob, carol, web] = await Promise.all([
		launch(),
		bot(stack, "alice"),
		bot(stack, "bob"),
		bot(stack, "carol"),
		signIn(stack, "alice"),
		...TABLE.map(async (row) => {
			if (row.name === "none") row.middle = { name: "none", kind: "front", port: stack.port, stack, stop() {} };
			else row.middle = await startProxy(row.name, stack, { own: row.own });
		}),
	]);
	bob.id = (await me(bob)).id;
	bobsWs = await openWs(bob);
	streams = (await stream(TABLE[0].middle, carol)).status === 200;
});
after(async () => {
	report();
	await browser?.close();
	bobsWs?.terminate();
	const ends = await Promise.allSettled(TABLE.map((row) => row.middle?.stop()));
	await stack?.stop();
	for (const end of ends) if (end.status === "rejected") throw end.reason;
});

test("TR-1 by default the server is heard more often than every 30 s", () => assert.ok(bobsWs.hello.heartbeat <= 25, `${bobsWs.hello.heartbeat} s`));

// --- by hand

describe("what requests get through it", { concurrency: true }, () => {
	for (const row of TABLE)
		test(row.name, async () => {
			const { middle, seen } = row;
			const shake = await handshake(middle, carol);
			seen.handshake = shake.got + (shake.got === "101" && !shake.hello ? ", then nothing" : "");
			assert.equal(shake.got, row.handshake);
			if (shake.got === "101") assert.equal(shake.hello, !row.silent, "the hello");

			// Nothing is sent to carol: her poll is held to the end, and its empty answer comes whole.
			const cursor = await head(carol);
			const held = await pollThrough(middle, carol, { wait: HOLD, cursor });
			assert.equal(held.status, 200, held.text);
			assert.deepEqual(held.lines.map((l) => l.type), ["cursor"]);
			assert.equal(Number(held.headers["content-length"]), held.text.length);
			assert.equal(held.headers["cache-control"], "no-store");
			assert.ok(held.ms > HOLD * 1000 - 100 && held.ms < HOLD * 1000 + 2000, `held for ${held.ms} ms`);
			seen.held = held.ms;

			const room = (await makeChannel(alice, { name: `by hand: ${row.name}`, kind: "private" })).id;
			let at = await head(alice);
			const from = at;
			const begun = pollThrough(middle, alice, { wait: 20, cursor: at });
			await new Promise((ok) => setTimeout(ok, 100));
			ok(await send(alice, room, "by poll"), 201);
			const sent = performance.now();
			const mine = (l) => l.type === "message" && l.channel === room;
			for (let answer = await begun; !answer.lines.some(mine); answer = await pollThrough(middle, alice, { wait: 20, cursor: at })) {
				assert.equal(answer.status, 200, answer.text);
				at = answer.headers["pulsechat-cursor"]; // somebody else's row
			}
			seen.poll = Math.round(performance.now() - sent);
			assert.ok(seen.poll < 1000, `a message took ${seen.poll} ms to a waiting poll`);

			if (!streams) return;
			const s = await stream(middle, alice, { cursor: from, enough: (text) => text.includes(`"channel":${room},`) });
			const came = s.text.includes(`"channel":${room},`);
			seen.sse = came ? `${s.ms} ms` : s.text === "" ? "held back" : "in part";
			assert.equal(came, !row.held, `server-sent events: ${seen.sse}`);
		});
});

// --- by browser

describe("alice chats through it", { concurrency: 4 }, () => {
	for (const row of TABLE.slice(1)) test(`TR-2 ${row.name}`, { timeout: 120000 }, () => chat(row));
});

async function chat({ name, middle, rung, tries = 1, seen: figures }) {
	const room = (await makeChannel(alice, { name, kind: "private", members: [bob.id] })).id;
	const her = await through(middle, browser, web, `/c/${room}`);
	const { page, context } = her;

	const said = { alice: [], bob: [] };
	const talk = async (n) => {
		for (let i = 0; i < n; i++) {
			const who = i % 2 ? "bob" : "alice";
			const text = `${who} ${said[who].length}`;
			said[who].push(text);
			if (who === "alice") await say(page, text);
			else ok(await send(bob, room, text), 201);
			await new Promise((done) => setTimeout(done, 200)); // they type fast
		}
	};
	await talk(14); // while her client looks for a way
	await live(page, rung);
	await talk(6);

	const way = await link(page);
	const began = way.sockets[0];
	const lived = way.link.findLast((l) => l.is === `live ${rung}`).at;
	figures.rung = rung;
	figures.ms = Math.round(lived - began);
	console.log(`${name}: ${rung} in ${figures.ms} ms (${way.link.map((l) => l.is).join(", ")})`);
	assert.ok(figures.ms < LIVE, `live after ${figures.ms} ms: ${JSON.stringify(way)}`);
	for (const who of ["alice", "bob"]) await seen(page, said[who].at(-1));
	await exactly(bobsWs, room, 1, 20);

	// She stays there, while messages come.
	for (let now = 0; now - lived < CALM; now = (await link(page)).now) {
		const text = `bob ${said.bob.length}`;
		said.bob.push(text);
		ok(await send(bob, room, text), 201);
		await seen(page, text);
		await new Promise((done) => setTimeout(done, 1000));
	}
	const later = await link(page);
	const early = (at) => at < lived + CALM;
	assert.equal(later.sockets.filter(early).length, tries, `sockets tried at ${later.sockets}`);
	assert.deepEqual(later.link.filter((l) => early(l.at)), way.link, "she stays on the rung that she found");
	// The proxy's own count says the same; one of its handshakes was ours, by hand.
	if (middle.hostile)
		await until(async () => middle.hostile.handshakes.length - 1 === (await link(page)).sockets.length, { what: "all handshakes seen by the proxy" });

	const stored = (await allMessages(alice, room)).map((m) => ({ seq: m.seq, text: m.body.text }));
	assert.deepEqual(stored.filter((m) => m.text.startsWith("alice")).map((m) => m.text), said.alice);
	assert.deepEqual(stored.filter((m) => m.text.startsWith("bob")).map((m) => m.text), said.bob);
	assert.deepEqual(await everything(page), stored);
	await exactly(bobsWs, room, 1, stored.length);

	// What was learnt outlives the page.
	await page.reload();
	await live(page, rung);
	const again = await link(page);
	assert.equal(again.sockets.length, rung === "ws" ? 1 : 0, "sockets after a reload");
	ok(await send(bob, room, "welcome back"), 201);
	await seen(page, "welcome back");
	assert.deepEqual(her.faults, []);
	await context.close();
}

// --- the table

function report() {
	const rows = [["proxy", "handshake", `poll held ${HOLD} s`, "message to a poll", "server-sent event", "web client"]];
	for (const { name, seen } of TABLE) {
		const held = seen.held ? `${seen.held} ms` : "";
		const poll = seen.poll !== undefined ? `${seen.poll} ms` : "";
		rows.push([name, seen.handshake ?? "", held, poll, seen.sse ?? (streams ? "" : "-"), seen.rung ? `${seen.rung} in ${seen.ms} ms` : ""]);
	}
	const width = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
	console.log(rows.map((r) => r.map((cell, i) => cell.padEnd(width[i])).join("  ").trimEnd()).join("\n"));
}
