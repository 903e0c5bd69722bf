// Two people in two browsers on hosts where no process but FastCGI, or even CGI, programs may run: the web client finds out by
// itself, chats on by polls, and says so where they make it slow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { allMessages, makeChannel, ok } from "../api/help.mjs";
import { becomes, everything, launch, live, person, say, seen, tells } from "./help.mjs";

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

for (const [front, by, within] of [
	["lighttpd-fastcgi-only", "poll", 1000],
	["lighttpd-cgi", "plain", 5000],
])
	test(`behind ${front}: by ${by === "poll" ? "long-poll" : "plain polls"}, with what one writes on the other's screen within ${within} ms`, async () => {
		const stack = await startStack({ realtime: 0, front });
		try {
			const api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
			const bob = ok(await api.get("/api/v1/users?q=bob")).users[0];
			const { id } = await makeChannel(api, { name: "modest", members: [bob.id] });
			const path = `/c/${id}`;
			const [a, b] = [await person(stack, browser, "alice", { path }), await person(stack, browser, "bob", { path })];
			await Promise.all([live(a.page, by), live(b.page, by)]);
			const took = [];
			const n = by === "plain" ? 4 : 6;
			for (let i = 0; i < n; i++) {
				const [from, to] = i % 2 ? [b, a] : [a, b];
				took.push(await tells(from, to, `number ${i}`));
			}
			took.sort((x, y) => x - y);
			assert.ok(took[n / 2] < within, `took ${took} ms`);
			for (const who of [a, b]) {
				// Told once each that there is nothing better, it does not ask again at once.
				for (const what of ["/api/v1/ws", "stream"]) assert.equal(who.asked.filter((p) => p === what).length, 1, `${who.asked}`);
				const slow = by === "plain" ? "New messages can take a few seconds to arrive" : "";
				await becomes(() => who.page.locator(".conn").innerText(), slow);
				// A second tab has its news from the first.
				const second = await who.context.newPage();
				await second.goto(stack.url + path);
				await live(second, by);
				who.second = second;
			}
			await say(b.second, "from another tab");
			await seen(b.second, "from another tab");
			const all = (await allMessages(api, id)).map((m) => ({ seq: m.seq, text: m.body.text }));
			assert.equal(all.length, n + 1);
			for (const page of [a.page, a.second, b.page, b.second]) {
				await seen(page, "from another tab");
				assert.deepEqual(await everything(page), all);
			}
			for (const who of [a, b]) {
				assert.deepEqual(who.faults, []);
				await who.context.close();
			}
		} finally {
			await stack.stop();
		}
	});
