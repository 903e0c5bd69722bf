// Real proxies between people and the site (TR-2). Through each: what a handshake, a held poll and a stream get; then alice's browser
// chats through it with bob, who is on the site directly: she is live in time, on the rung that stands in the table, nothing is
// lost, doubled or out of order, and her client does not go back to a dead transport every few seconds.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bot, signIn } from "../support/http.mjs";
import { handshake, pollThrough, startProxy } from "../support/proxies.mjs";
import { openWs } from "../support/realtime.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, me, ok, send } from "../api/help.mjs";
import { head } from "../realtime/help.mjs";
import { launch } from "../web/help.mjs";
import { chat, stream } from "./help.mjs";

/** The rung that the client has where WebSockets do not pass but all else does. */
const HTTP = "sse";

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
	// live in between, which is what has 10 s; three short lives and a pause of up to 3 s until nothing is cut any more
	{ name: "cuts streams too", own: { upgrade: "cut", streams: "cut" }, handshake: "101", rung: "poll", tries: 2, within: 12000 },
	{ name: "holds streams", own: { upgrade: "drop", streams: "hold" }, handshake: "426", held: true, rung: "poll" },
];
const HOLD = 3; // s

let stack, browser, alice, bob, carol, web, bobsWs;
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

// Their messages go to alice, whichever row they are of: all at once they would measure each other.
let turn = Promise.resolve();
const oneByOne = (what) => (turn = turn.then(what, what));

/** ms from an acknowledged message to the answer of the poll that waited for it. */
async function messageByPoll(middle, room) {
	let cursor = await head(alice);
	const begun = pollThrough(middle, alice, { wait: 20, cursor });
	await new Promise((done) => setTimeout(done, 100));
	ok(await send(alice, room, "by poll"), 201);
	const sent = performance.now();
	const mine = (l) => l.type === "message" && l.channel === room;
	for (let answer = await begun; !answer.lines.some(mine); answer = await pollThrough(middle, alice, { wait: 20, cursor })) {
		assert.equal(answer.status, 200, answer.text);
		cursor = answer.headers["pulsechat-cursor"]; // of another row's room
	}
	return Math.max(0, Math.round(performance.now() - sent));
}

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
			const from = await head(alice);
			seen.poll = await oneByOne(() => messageByPoll(middle, room));
			assert.ok(seen.poll < 1000, `a message took ${seen.poll} ms to a waiting poll`);

			const s = await stream(middle, alice, { cursor: from, enough: (text) => text.includes(`"channel":${room},`) });
			const came = s.text.includes(`"channel":${room},`);
			seen.sse = came ? `${s.ms} ms` : s.text === "" ? "held back" : "in part";
			assert.equal(came, !row.held, `server-sent events: ${seen.sse}`);
		});
});

// --- by browser

describe("alice chats through it", { concurrency: 3 }, () => {
	for (const row of TABLE.slice(1)) test(`TR-2 ${row.name}`, { timeout: 120000 }, () => chat({ stack, browser, alice, bob, web, bobsWs }, row));
});

// --- the table

function report() {
	const rows = [["proxy", "handshake", `poll held ${HOLD} s`, "message to a poll", "server-sent event", "web client"]];
	for (const { name, seen } of TABLE) {
		const held = seen.held ? `${seen.held} ms` : "";
		const poll = seen.poll !== undefined ? `${seen.poll} ms` : "";
		rows.push([name, seen.handshake ?? "", held, poll, seen.sse ?? "", seen.rung ? `${seen.rung} in ${seen.ms} ms` : ""]);
	}
	const width = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
	console.log(rows.map((r) => r.map((cell, i) => cell.padEnd(width[i])).join("  ").trimEnd()).join("\n"));
}
