// Search in the browser: by keyboard alone, with filters that complete themselves; a result is shown in its place, however old it is.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { PHONE, axe, becomes, drawn, launch, live, person, say, seen } from "./help.mjs";

let stack, browser, alice, bob, harbour, docks;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	[alice, bob] = await Promise.all(["alice", "bob"].map(async (who) => client(stack, { token: await stack.token(who, ["read", "write"]) })));
	const bobs = ok(await bob.get("/api/v1/me")).user.id;
	harbour = (await makeChannel(alice, { name: "harbour", members: [bobs] })).id;
	docks = (await makeChannel(alice, { name: "old docks", members: [bobs] })).id;
	ok(await send(alice, harbour, "The café at the pier opens on Friday"), 201);
	ok(await send(bob, docks, "<b>No café</b> here, see https://example.test"), 201);
	// 300 more above it: it is far from what is loaded when the channel opens
	await stack.psql(`INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body)
		SELECT ${harbour}, g, ${bobs}, gen_random_uuid(), now(), jsonb_build_object('text', 'tide ' || g) FROM generate_series(2, 301) g`);
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

const results = (page) => page.locator(".result");
const inView = (page, seq) =>
	page.evaluate((seq) => {
		const box = document.querySelector(".list").getBoundingClientRect();
		const r = document.querySelector(`.msg[data-seq="${seq}"]`)?.getBoundingClientRect();
		return !!r && r.top >= box.top && r.bottom <= box.bottom;
	}, seq);

test("by keyboard: words, a filter from the list, a result in its place; from there on to the newest", async () => {
	const who = await person(stack, browser, "alice", { path: `/c/${docks}` });
	const { page } = who;
	await live(page);
	await page.locator(".list").focus();
	await page.keyboard.press("/");
	const field = page.getByRole("combobox", { name: "Search messages" });
	await field.waitFor();
	await page.keyboard.type("CAFE");
	await until(async () => (await results(page).count()) === 2, { what: "two results" });
	await becomes(() => page.locator(".result mark").first().textContent(), "café");
	assert.ok((await results(page).allTextContents()).some((text) => text.includes("<b>No café</b>")), "as text, not as HTML");
	assert.deepEqual(await axe(page), []);
	const facets = await page.locator(".search-row button").evaluateAll((all) => all.slice(0, 3).map((e) => e.getBoundingClientRect().top));
	assert.deepEqual(facets, Array(3).fill(facets[0]), "side by side");

	await page.keyboard.type(" in:har");
	await page.getByRole("option", { name: "harbour" }).waitFor();
	await page.keyboard.press("Enter");
	await becomes(() => field.inputValue(), "CAFE in:harbour ");
	await until(async () => (await results(page).count()) === 1, { what: "one result" });
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	await page.waitForURL((url) => url.pathname === `/c/${harbour}/search` && url.searchParams.get("at") === "1");
	await until(() => inView(page, 1), { what: "the message is in view" });
	await becomes(() => page.evaluate(() => document.activeElement.dataset.seq), "1");
	await becomes(() => results(page).count(), 1, "the results are still there");

	// what comes meanwhile is not put below the old ones, nor lost
	ok(await send(bob, harbour, "news of today"), 201);
	assert.ok((await drawn(page)).every((m) => m.seq < 100));
	// scrolling down leads without a hole to the newest
	const met = new Set();
	await until(
		async () => {
			for (const m of await drawn(page)) met.add(m.seq);
			await page.evaluate(() => document.querySelector(".list").scrollBy(0, 500));
			return met.has(302);
		},
		{ ms: 20000, every: 10, what: "the newest" },
	);
	for (let seq = 1; seq <= 302; seq++) assert.ok(met.has(seq), `message ${seq}`);
	// back to the old one, and by the button
	await page.goBack();
	await page.goForward();
	await page.locator(".result").click();
	await until(() => inView(page, 1), { what: "in view again" });
	await page.getByRole("button", { name: "Jump to the latest" }).or(page.locator("button.jump")).click();
	await seen(page, "news of today");
	await say(page, "said at the end");
	await seen(page, "said at the end");
	assert.deepEqual(who.faults, []);
	await who.context.close();
});

test("nothing found, a wrong filter, no connection: each says what to do; a deleted message leaves the list", async () => {
	const who = await person(stack, browser, "alice", { path: `/c/${docks}/search?q=${encodeURIComponent("walrus from:bob")}` });
	const { page } = who;
	await live(page);
	await page.getByText("Nothing found").waitFor();
	assert.deepEqual(await axe(page), []);
	const field = page.getByRole("combobox", { name: "Search messages" });
	await page.getByRole("button", { name: "Has", exact: true }).click();
	await page.getByRole("option", { name: "a link" }).click();
	await becomes(() => field.inputValue(), "walrus from:bob has:link ");
	await page.getByText("Nothing found").waitFor();
	await page.getByRole("button", { name: "Search without filters" }).click();
	await becomes(() => field.inputValue(), "walrus");
	await page.getByRole("button", { name: "Is", exact: true }).click();
	await page.getByRole("option", { name: "thread" }).click();
	await becomes(() => field.inputValue(), "walrus is:thread ");
	await page.getByText("Nothing found").waitFor();
	await page.getByRole("button", { name: "Search without filters" }).click();
	await becomes(() => field.inputValue(), "walrus");
	await field.fill("in:nowhere x");
	await page.getByRole("alert").getByText("you are in no channel of that name").waitFor();
	await page.route("**/api/v1/search*", (r) => r.abort());
	await field.fill("café");
	await page.getByRole("alert").getByText("The search did not work.").waitFor();
	assert.deepEqual(await axe(page), []);
	await page.unroute("**/api/v1/search*");
	await page.getByRole("button", { name: "Try again" }).click();
	await until(async () => (await results(page).count()) === 2, { what: "two results" });
	ok(await bob.delete(`/api/v1/channels/${docks}/messages/1`));
	await until(async () => (await results(page).count()) === 1, { what: "one result" });
	assert.deepEqual(who.faults, []);
	await who.context.close();
});

test("on a phone: a page of its own; the way back leads to the results", async () => {
	const who = await person(stack, browser, "bob", { path: `/c/${docks}`, viewport: PHONE, hasTouch: true });
	const { page } = who;
	await live(page);
	await page.getByRole("button", { name: "Search" }).click();
	assert.equal(await page.locator("main").count(), 1);
	assert.deepEqual(await axe(page), []);
	await page.getByRole("combobox", { name: "Search messages" }).fill("pier");
	await results(page).first().click();
	await page.waitForURL((url) => url.pathname === `/c/${harbour}` && url.searchParams.get("at") === "1");
	await until(() => inView(page, 1), { what: "the message is in view" });
	await page.goBack();
	await until(async () => (await results(page).count()) === 1, { what: "the results" });
	await becomes(() => page.getByRole("combobox", { name: "Search messages" }).inputValue(), "pier");
	assert.deepEqual(who.faults, []);
	await who.context.close();
});
