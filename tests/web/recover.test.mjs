// Three browsers chat on, by WebSocket, server-sent events and long-poll, while parts of the site die below them: all recover by
// themselves and show the same complete history, in order and with nothing twice.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { allMessages, assertGapFree, makeChannel, ok } from "../api/help.mjs";
import { ask, everything, launch, live, person, rung, say, seen } from "./help.mjs";

let stack, browser, api, channel;
const people = [];
before(async () => {
	stack = await startStack({ realtime: 2, supervise: true });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	const members = ok(await api.get("/api/v1/users?limit=50")).users.filter((u) => ["bob", "carol"].includes(u.handle));
	channel = (await makeChannel(api, { name: "through-it-all", members: members.map((u) => u.id) })).id;
	for (const [login, by, blocked] of [["alice", "ws"], ["bob", "poll", "streams"], ["carol", "sse", "refuse"]]) {
		const who = await person(stack, browser, login, { path: `/c/${channel}`, blocked });
		who.rung = by;
		who.said = [];
		await live(who.page, who.rung);
		people.push(who);
	}
});
after(async () => {
	await browser?.close();
	for (const name of ["realtime1", "realtime2", "api1"]) if (stack?.names.includes(name)) stack.forgive(name);
	await stack?.stop();
});

/** All write on while `trouble` lasts, and until each has seen what the other wrote after it. */
async function through(name, trouble) {
	let over = false;
	for (const who of people) {
		if ((await rung(who.page)) === `live ${who.rung}`) continue;
		// It would come back to the better rung within a minute or so. That is too long for us: begin anew.
		await who.page.evaluate(() => localStorage.removeItem("pulsechat:rung"));
		await who.page.reload();
		await live(who.page, who.rung);
	}
	const talk = people.map(async (who) => {
		for (let n = 0; !over; n++) {
			const text = `${who.login}, ${name}, ${n}`;
			who.said.push(text);
			await say(who.page, text);
			await who.page.evaluate(() => new Promise((ok) => setTimeout(ok, 100))); // a person who types fast
		}
	});
	try {
		// They talk before it happens.
		await until(() => people.every((w) => w.said.filter((t) => t.includes(name)).length > 3), { ms: 60000, what: "talk before the trouble" });
		await trouble();
	} finally {
		over = true; // also of a test that fails: they would talk on in the next one
		await Promise.all(talk);
	}
	for (const who of people) {
		const text = `${who.login} after ${name}`;
		who.said.push(text);
		await say(who.page, text);
	}
	// Who had a WebSocket or a stream may have gone over to long-poll while it was refused.
	const up = async (who) => (await rung(who.page)).startsWith("live");
	await until(async () => (await Promise.all(people.map(up))).every(Boolean), { ms: 45000, what: "all live again" });
	for (const who of people) for (const other of people) await seen(who.page, `${other.login} after ${name}`, 45000);
	for (const who of people)
		await until(async () => (await who.page.locator(".msg-pending, .msg-failed").count()) === 0, { what: `nothing left to send for ${who.login}` });
}

async function killed(name) {
	const pid = stack.pids[name];
	await stack.kill(name, "SIGKILL");
	await until(() => stack.pids[name] && stack.pids[name] !== pid, { ms: 20000, what: `another ${name}` });
	await stack.up(name);
}

for (const name of ["realtime1", "realtime2", "api1"]) test(`kill -9 of ${name}`, () => through(name, () => killed(name)));

test("a restart of PostgreSQL", () => through("postgres", () => stack.restartPostgres({ downtime: 1500 })));

test("after all of it everybody has the same complete history, each message once and in its place", async () => {
	const stored = await allMessages(api, channel);
	assertGapFree(stored.map((m) => m.seq));
	const history = stored.map((m) => ({ seq: m.seq, text: m.body.text }));
	for (const who of people) {
		assert.ok(who.said.length > 20, `${who.login} said ${who.said.length}`);
		assert.deepEqual(history.filter((m) => m.text.startsWith(who.login)).map((m) => m.text), who.said);
	}
	assert.equal(history.length, people.reduce((n, who) => n + who.said.length, 0));
	for (const who of people) {
		assert.deepEqual(await everything(who.page), history, `what ${who.login} sees`);
		assert.deepEqual(who.faults, []);
		const unread = async () => (await ask(who.page, `/api/v1/channels/${channel}`)).membership.unread;
		await until(async () => (await unread()) === 0, { what: `what ${who.login} has seen to be read` });
		await who.page.reload();
		await seen(who.page, history.at(-1).text);
		assert.deepEqual(await everything(who.page), history, `what ${who.login} sees after a reload`);
	}
});
