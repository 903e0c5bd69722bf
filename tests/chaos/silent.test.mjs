// silent: the path from pulsechat-api to its database swallows what is sent, and nobody is told: no end, no reset, no answer. What is under
// way is answered with 503 soon, the program finds its way back by itself, and nothing is stored twice. (pulsechat-realtime: bus.test.mjs)

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { startStack, until } from "../support/stack.mjs";
import { client } from "../support/http.mjs";
import { allMessages, problem, send } from "../api/help.mjs";
import { channel, people } from "../realtime/help.mjs";
import { relayDatabase, startRelay } from "./help.mjs";

const THREADS = 8;
// A statement may take a second, a connection that says nothing for 3 s more is given up; a new one may take 5 s. The rest is for a busy machine.
const GIVEN_UP = 15000;

let stack, relay, alice, room, pid;
before(async () => {
	stack = await startStack({
		provider: false,
		files: false,
		realtime: 0,
		conf: { "api.threads": THREADS, "database.statement_timeout": "1s", "database.wait": "2s" },
		only: ["postgres"],
	});
	relay = await startRelay();
	await relayDatabase(stack, relay, /^api/);
	await Promise.all(["api1", "lighttpd"].map((n) => stack.up(n)));
	[alice] = await people(stack, "alice");
	room = await channel(alice);
	pid = stack.pids.api1;
});
after(async () => {
	await stack?.stop();
	relay?.stop();
});

const ask = () => fcgiRequest(stack.socket("api1"), { path: "/api/v1/me", token: alice.token });
/** As many at once as take every thread. */
const askAll = () => Promise.all(Array.from({ length: THREADS * 2 }, ask));
/** Each thread has a connection, and all of them are well. */
const allWell = () => until(async () => (await askAll()).every((a) => a.status === 200), { ms: 20000, what: "every thread is well" });
/** What it answers within the time in which a connection is given up. */
async function soon(asked, what) {
	let timer;
	const late = new Promise((_ok, no) => (timer = setTimeout(() => no(new Error(`${what}: no answer within ${GIVEN_UP} ms`)), GIVEN_UP)));
	return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
function unavailable(r) {
	problem(r, 503, "unavailable");
	assert.match(r.headers["retry-after"], /^[1-9]\d*$/);
}

test("one request meets a silent connection: 503 within seconds, and none after it", async (t) => {
	await allWell();
	relay.send({ op: "freeze", link: "db", share: 1 });
	const began = Date.now();
	unavailable(await soon(alice.get("/api/v1/me"), "the request"));
	t.diagnostic(`503 after ${Date.now() - began} ms`);
	// nobody trusts what has been silent since: not one more request is lost to it
	for (const r of await soon(askAll(), "those after it")) assert.equal(r.status, 200, r.text);
	assert.match(stack.log("api1"), /db\.lost .*no answer in time/);
	relay.send({ op: "thaw", link: "db" });
	assert.equal(stack.pids.api1, pid);
});

test("every thread meets one at once, and so does the writer: 503 within seconds, sends come through again, each stored once", async () => {
	await allWell();
	const id = randomUUID();
	relay.send({ op: "freeze", link: "db", share: 1 });
	for (const r of await soon(askAll(), "every thread")) assert.ok([200, 503].includes(r.status), r.text);
	const tries = [];
	await until(
		async () => {
			tries.push(await soon(send(alice, room, "once", id), "a send"));
			return [200, 201].includes(tries.at(-1).status);
		},
		{ ms: 30000, every: 200, what: "it is stored" },
	);
	for (const r of tries.slice(0, -1)) problem(r, 503, r.json.code);
	assert.deepEqual((await allMessages(alice, room)).map((m) => m.body.text), ["once"]);
	await until(async () => (await client(stack).get("/healthz")).json.writer === "ok", { ms: 20000, what: "the writer is well" });
	relay.send({ op: "thaw", link: "db" });
	assert.equal(stack.pids.api1, pid);
});

test("new connections are swallowed too: 503 for as long as it lasts, within seconds each; then all is well by itself", async () => {
	await allWell();
	relay.send({ op: "swallow", link: "db", on: true });
	relay.send({ op: "freeze", link: "db", share: 1 });
	// what is under way meets a silent connection, what comes then one that cannot be opened
	unavailable(await soon(ask(), "the first"));
	const [health, ...others] = await soon(Promise.all([client(stack).get("/healthz"), ...Array.from({ length: THREADS - 1 }, ask)]), "while it lasts");
	others.forEach(unavailable);
	assert.deepEqual([health.status, health.json.database], [503, "unavailable"]);
	relay.send({ op: "swallow", link: "db", on: false });
	relay.send({ op: "thaw", link: "db" });
	await allWell();
	await until(async () => (await send(alice, room, "again")).status === 201, { ms: 20000, what: "sends go through" });
	assert.equal(stack.pids.api1, pid);
});
