// What owners and moderators do to a channel by its screens, and what others see of it at once: deleted messages, links into it, how long
// messages are kept, its topic, and that it is archived no more.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { bot } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, me, ok, problem, send } from "../api/help.mjs";
import { DESKTOP, PHONE, axe, becomes, cleanIn, launch, live, person, seen } from "./help.mjs";

let stack, browser;
const api = {}, ids = {}, who = {};
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	await stack.token("alice", ["read"]); // the site's owner: none of the others is
	for (const name of ["bob", "carol", "dave"]) {
		api[name] = await bot(stack, name);
		ids[name] = (await me(api[name])).id;
	}
	const options = { permissions: ["clipboard-read", "clipboard-write"], reducedMotion: "reduce" };
	for (const name of ["bob", "carol", "dave"]) who[name] = await person(stack, browser, name, options);
	await Promise.all(Object.values(who).map(({ page }) => live(page)));
});
after(async () => {
	for (const { faults } of Object.values(who)) assert.deepEqual(faults, []);
	await browser?.close();
	await stack?.stop();
});

/** A channel of bob's; carol is in it. */
const room = (name, more) => makeChannel(api.bob, { name, members: [ids.carol], ...more });
/** They have it before them. */
const open = (names, path) =>
	Promise.all(
		names.map(async (name) => {
			await who[name].page.goto(stack.url + path);
			await live(who[name].page);
		}),
	);
const clean = (page) => cleanIn(page, { sizes: [DESKTOP, PHONE] });
const row = (page, seq) => page.locator(`.main .msg[data-seq="${seq}"]`);
const shut = (page) => page.locator("dialog[open]").waitFor({ state: "detached" });
const item = async (page, name) => {
	await page.getByRole("button", { name: "Channel menu" }).click();
	await page.getByRole("menuitem", { name }).click();
};
const press = (page, name) => page.locator("dialog[open]").getByRole("button", { name, exact: true }).click();
/** All that a page has of a text: drawn or not, and what the browser keeps for it. */
const holds = (page, text) =>
	page.evaluate((text) => {
		const kept = JSON.stringify({ ...localStorage, ...sessionStorage });
		const places = { page: document.documentElement.outerHTML, title: document.title, kept };
		const around = (k, at) => `${k}: ${places[k].slice(Math.max(0, at - 120), at + 40)}`;
		return Object.keys(places).flatMap((k) => (places[k].includes(text) ? [around(k, places[k].indexOf(text))] : []));
	}, text);

test("one's own message is deleted by its tool, after a question: both browsers say so, and its text is nowhere", async () => {
	const { id } = await room("slips");
	await open(["bob", "carol"], `/c/${id}`);
	const [bob, carol] = [who.bob.page, who.carol.page];
	await carol.locator("#composer").fill("the secret is 4711");
	await carol.locator("#composer").press("Enter");
	await Promise.all([seen(bob, "the secret is 4711"), seen(carol, "the secret is 4711")]);
	const quote = { client_id: randomUUID(), body: { text: "really?", reply_to: 1 } };
	ok(await api.bob.post(`/api/v1/channels/${id}/messages`, quote), 201);
	ok(await api.bob.put(`/api/v1/channels/${id}/messages/1/pin`));
	ok(await api.bob.put(`/api/v1/channels/${id}/messages/1/saved`));
	await bob.locator(".quote", { hasText: "4711" }).waitFor();
	await bob.getByRole("button", { name: /pinned message/i }).click();
	await bob.getByRole("complementary", { name: "Pinned messages" }).locator(".result", { hasText: "4711" }).waitFor();

	const tool = row(carol, 1).getByRole("button", { name: "Delete…" });
	await row(carol, 1).hover();
	await tool.click();
	const question = carol.getByRole("dialog", { name: "Delete this message?" });
	await question.getByText("Its text is gone for everyone").waitFor();
	await clean(carol);
	await question.getByRole("button", { name: "Cancel" }).click();
	await shut(carol);
	await seen(carol, "the secret is 4711");
	await row(carol, 1).focus();
	await tool.press("Enter");
	await question.waitFor();
	await carol.keyboard.press("Enter"); // the focus begins at what it asks
	await shut(carol);
	for (const page of [bob, carol]) {
		await row(page, 1).locator(".msg-gone", { hasText: /^This message was deleted$/ }).waitFor();
		await page.locator(".quote", { hasText: "This message was deleted" }).waitFor();
	}
	await bob.getByText("Nothing is pinned here.").waitFor();
	for (const page of [bob, carol]) await becomes(() => holds(page, "4711"), [], "where the text is");
	// who deleted by keys goes on by keys
	await becomes(() => row(carol, 1).evaluate((m) => m.contains(document.activeElement)), true, "the focus stays at the message");
	const m = ok(await api.bob.get(`/api/v1/channels/${id}/messages/1`));
	assert.deepEqual([m.deleted, m.deleted_by, "body" in m], [true, ids.carol, false]);
	await clean(bob);
	await open(["bob", "carol"], `/c/${id}`);
	for (const page of [bob, carol]) {
		await row(page, 1).locator(".msg-gone").waitFor();
		assert.deepEqual(await holds(page, "4711"), []);
	}
	await bob.goto(`${stack.url}/saved`);
	await bob.getByText("You have saved nothing yet.").waitFor();
});

test("a moderator deletes another's, on a phone: it says that a moderator did; others have no such tool", async () => {
	const { id } = await room("manners");
	await open(["bob", "carol"], `/c/${id}`);
	const [bob, carol] = [who.bob.page, who.carol.page];
	ok(await send(api.carol, id, "you are all 0815"), 201);
	ok(await send(api.bob, id, "what is it that you say?"), 201);
	await Promise.all([seen(bob, "what is it that you say?"), seen(carol, "what is it that you say?")]);
	for (const [seq, tools] of [
		[1, 1],
		[2, 0],
	]) {
		await row(carol, seq).focus();
		await row(carol, seq).getByRole("button", { name: "Add a reaction" }).first().waitFor({ state: "attached" });
		assert.equal(await row(carol, seq).getByRole("button", { name: "Delete…" }).count(), tools);
	}
	problem(await api.carol.delete(`/api/v1/channels/${id}/messages/2`), 403, "forbidden");
	await bob.setViewportSize(PHONE);
	await row(bob, 1).click();
	await row(bob, 1).getByRole("button", { name: "Delete…" }).click();
	await bob.getByRole("dialog", { name: "Delete this message?" }).waitFor();
	assert.deepEqual(await axe(bob), []);
	await press(bob, "Delete");
	await shut(bob);
	for (const page of [bob, carol]) await row(page, 1).locator(".msg-gone", { hasText: "This message was deleted by a moderator" }).waitFor();
	for (const page of [bob, carol]) await becomes(() => holds(page, "0815"), [], "where the text is");
	assert.equal(ok(await api.carol.get(`/api/v1/channels/${id}/messages/1`)).deleted_by, ids.bob);
	await bob.setViewportSize(DESKTOP);
	await carol.reload();
	await row(carol, 1).locator(".msg-gone", { hasText: "by a moderator" }).waitFor();
});

test("a link into a channel is made and copied; a third person comes in by it; used up, run out or withdrawn it is refused", async () => {
	const { id } = await room("attic", { kind: "private", topic: "By link alone" });
	await open(["bob"], `/c/${id}`);
	const { page } = who.bob;
	const links = async () => ok(await api.bob.get(`/api/v1/channels/${id}/invites`)).invites;
	await item(page, "Invite links…");
	const dialog = page.getByRole("dialog", { name: "Links into #attic" });
	/** By the dialog, as it is copied. */
	const make = async (uses, days) => {
		const known = await links();
		await dialog.getByLabel("How many may join by it").selectOption({ label: uses });
		await dialog.getByLabel("Good for").selectOption({ label: days });
		await dialog.getByRole("button", { name: /^Make (a link|another)$/ }).click();
		await becomes(async () => (await links()).length, known.length + 1);
		const made = (await links()).find((l) => !known.some((k) => k.id === l.id));
		await dialog.getByRole("button", { name: "Copy", exact: true }).click();
		await dialog.getByRole("button", { name: "Copied" }).waitFor();
		const url = await page.evaluate(() => navigator.clipboard.readText());
		assert.equal(url, await dialog.getByLabel("The link").inputValue());
		return { ...made, url };
	};
	const once = await make("One person", "One day");
	assert.equal(once.max_uses, 1);
	assert.ok(Math.abs(Date.parse(once.expires_at) - Date.now() - 86_400_000) < 60_000);
	assert.ok(once.url.startsWith(stack.url));
	await dialog.getByText("0 of 1 joined").waitFor();
	await clean(page);

	// a third person, by what was copied
	const dave = who.dave.page;
	await dave.goto(once.url);
	await dave.getByRole("heading", { name: "You are looking at #attic" }).waitFor();
	await clean(dave);
	await dave.getByRole("button", { name: "Join" }).click();
	await dave.waitForURL(`**/c/${id}`);
	await dave.locator("textarea#composer").fill("Here I am");
	await dave.locator("textarea#composer").press("Enter");
	await seen(page, "Here I am");
	await carolRefused(once.url, "This link has been used as often as it may be.");

	// one that ends
	const short = await make("Any number", "A week");
	assert.equal(short.max_uses, null);
	await stack.psql(`UPDATE channel_invites SET created_at = now() - interval '8 days', expires_at = now() - interval '1 day' WHERE id = ${short.id}`, {
		user: "postgres",
	});
	await carolRefused(short.url, "This link has expired.");

	// one that is withdrawn while somebody has it before him
	const long = await make("5 people", "As long as it is not withdrawn");
	assert.deepEqual([long.max_uses, long.expires_at], [5, null]);
	ok(await api.dave.post(`/api/v1/channels/${id}/leave`), 204);
	await dave.goto(long.url);
	await dave.getByRole("heading", { name: "You are looking at #attic" }).waitFor();
	const withdraw = dialog.locator("li", { hasText: "0 of 5 joined" }).getByRole("button", { name: "Withdraw: 0 of 5 joined, Until it is withdrawn" });
	await withdraw.click();
	await page.locator(".toast", { hasText: "The invitation is withdrawn" }).waitFor();
	await withdraw.waitFor({ state: "detached" });
	assert.equal((await links()).find((l) => l.id === long.id).state, "revoked");
	await dave.getByRole("button", { name: "Join" }).click();
	await dave.getByText("This link has been withdrawn.").first().waitFor();
	await dave.goto(long.url);
	await dave.getByText("This link has been withdrawn.").waitFor();
	assert.equal((await api.dave.get(`/api/v1/channels/${id}`)).status, 404);
	await page.keyboard.press("Escape");
	await shut(page);
	await item(page, "Invite links…");
	await dialog.getByLabel("Good for").waitFor();
	await becomes(() => dialog.locator("li").count(), 0, "links that are open");
	await page.keyboard.press("Escape");

	/** By one who is not in it yet. */
	async function carolRefused(url, words) {
		if ((await api.carol.get(`/api/v1/channels/${id}`)).status === 200) ok(await api.carol.post(`/api/v1/channels/${id}/leave`), 204);
		await who.carol.page.goto(url);
		await who.carol.page.getByText(words).waitFor();
		assert.deepEqual(await axe(who.carol.page), []);
	}
});

test("how long messages are kept is set in the channel's dialog by its owner, and said where it begins and to whom it concerns", async () => {
	const { id } = await room("ledger");
	await open(["bob"], `/c/${id}`);
	await open(["carol"], `/c/${id}/members`);
	const [bob, carol] = [who.bob.page, who.carol.page];
	const words = "Messages here are deleted after 30 days.";
	await item(bob, "Edit the channel…");
	const keep = bob.getByLabel("Keep messages");
	assert.equal(await keep.inputValue(), "0");
	await keep.selectOption({ label: "For 30 days" });
	await bob.locator("dialog[open]").getByText("It cannot be undone.").waitFor();
	await clean(bob);
	await press(bob, "Save");
	await shut(bob);
	assert.equal(ok(await api.carol.get(`/api/v1/channels/${id}`)).keep_days, 30);
	for (const page of [bob, carol]) await page.locator(".start", { hasText: words }).waitFor();
	await carol.getByRole("group", { name: "About this channel" }).getByText(words).waitFor();
	await clean(carol);

	// a moderator is not asked for it; it stays when he changes something else
	ok(await api.bob.patch(`/api/v1/channels/${id}/members/${ids.carol}`, { role: "moderator" }));
	await item(carol, "Edit the channel…");
	await carol.getByLabel("Topic").fill("In and out");
	assert.equal(await carol.getByLabel("Keep messages").count(), 0);
	await press(carol, "Save");
	await shut(carol);
	const now = ok(await api.bob.get(`/api/v1/channels/${id}`));
	assert.deepEqual([now.keep_days, now.topic], [30, "In and out"]);
	await item(bob, "Edit the channel…");
	assert.equal(await keep.inputValue(), "30");
	await keep.selectOption({ label: "For ever" });
	await press(bob, "Save");
	await shut(bob);
	assert.equal(ok(await api.carol.get(`/api/v1/channels/${id}`)).keep_days, null);
	for (const page of [bob, carol]) await becomes(() => page.getByText(words).count(), 0);
});

test("a channel's topic stands in its header, on a phone below its name, whole among the details; changed, it is another's at once", async () => {
	const long = `Berths and tides: ${"what comes in, and what goes out; ".repeat(6)}`.trim();
	const { id } = await room("tides", { topic: "Berths" });
	await open(["bob"], `/c/${id}`);
	await open(["carol"], `/c/${id}/members`);
	const [bob, carol] = [who.bob.page, who.carol.page];
	const topic = (page) => page.locator("#main > .head .head-topic");
	await topic(carol).getByText("Berths", { exact: true }).waitFor();
	await item(bob, "Edit the channel…");
	await bob.getByLabel("Topic").fill(long);
	await clean(bob);
	await press(bob, "Save");
	await shut(bob);
	for (const page of [bob, carol]) {
		await topic(page).getByText(long, { exact: true }).waitFor();
		assert.equal(await topic(page).getAttribute("title"), long);
		const [wide, all] = await topic(page).evaluate((e) => [e.clientWidth, e.scrollWidth]);
		assert.ok(wide > 100 && all > wide, `cut off at ${wide} of ${all} px`);
	}
	const whole = carol.getByRole("group", { name: "About this channel" });
	await whole.getByText(long, { exact: true }).waitFor();
	assert.equal(await whole.evaluate((e) => e.scrollWidth > e.clientWidth), false);
	await clean(carol);

	await bob.setViewportSize(PHONE);
	const [name, below] = [await bob.locator("#main > .head h1").boundingBox(), await topic(bob).boundingBox()];
	assert.ok(below.y >= name.y + name.height - 1 && below.width > 100, "below the name");
	const head = await bob.locator("#main > .head").boundingBox();
	assert.ok(head.height <= 60 && below.y + below.height <= head.y + head.height, `a header of ${head.height} px`);
	assert.equal(await bob.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
	await bob.locator("#main > .head button", { hasText: "Show the members" }).click();
	await bob.getByRole("group", { name: "About this channel" }).getByText(long, { exact: true }).waitFor();
	assert.deepEqual(await axe(bob), []);
	await bob.goBack();
	ok(await api.bob.patch(`/api/v1/channels/${id}`, { topic: "" }));
	await becomes(() => topic(bob).isVisible(), false, "without a topic there is no line of it");
	await becomes(() => whole.count(), 0);
	await bob.setViewportSize(DESKTOP);
});

test("an archived channel is found by browsing, and is opened for writing again by its owner: for all at once", async () => {
	const { id } = await room("cellar");
	const entry = (page) => page.locator(".entry", { has: page.locator(".entry-name", { hasText: /^cellar$/ }) });
	const [bob, carol] = [who.bob.page, who.carol.page];
	await open(["bob", "carol"], `/c/${id}`);
	ok(await send(api.carol, id, "down here"), 201);
	await Promise.all([seen(bob, "down here"), seen(carol, "down here")]);
	await item(bob, "Edit the channel…");
	await bob.getByLabel("Archive the channel").check();
	await press(bob, "Save");
	await shut(bob);
	for (const page of [bob, carol]) await page.locator(".silence", { hasText: "This channel is archived." }).waitFor();
	assert.equal(await carol.getByRole("button", { name: "Unarchive" }).count(), 0);
	problem(await api.carol.patch(`/api/v1/channels/${id}`, { archived: false }), 403, "forbidden");
	for (const page of [bob, carol]) {
		await page.goto(`${stack.url}/threads`);
		await live(page);
		await entry(page).waitFor({ state: "detached" });
		await page.getByRole("button", { name: "Add a channel" }).click();
		await page.getByRole("menuitem", { name: "Browse channels" }).click();
		await page.getByRole("radio", { name: "Archived" }).check();
		await page.locator("dialog[open] [role=option]", { hasText: "cellar" }).waitFor();
		await clean(page);
		await page.locator("dialog[open] [role=option]", { hasText: "cellar" }).click();
		await seen(page, "down here");
	}
	await open(["dave"], `/c/${id}`);
	await who.dave.page.getByText("This channel is archived: nobody can join it.").waitFor();
	assert.equal(await who.dave.page.getByRole("button", { name: /^(Join|Unarchive)$/ }).count(), 0);
	await clean(who.dave.page);
	await clean(bob);
	const button = bob.getByRole("button", { name: "Unarchive" });
	await button.focus();
	await bob.keyboard.press("Enter");
	for (const page of [bob, carol]) {
		await page.locator("textarea#composer").waitFor();
		await entry(page).waitFor();
		await becomes(() => page.locator("#main > .head .tag").count(), 0);
	}
	await becomes(() => bob.evaluate(() => document.activeElement.id), "composer");
	assert.equal(ok(await api.carol.get(`/api/v1/channels/${id}`)).archived, false);
	await carol.locator("textarea#composer").fill("and up again");
	await carol.locator("textarea#composer").press("Enter");
	await seen(bob, "and up again");
	await carol.goto(`${stack.url}/threads`);
	await entry(carol).waitFor();

	// an admin of the site who is not in it, on a phone
	ok(await api.bob.patch(`/api/v1/channels/${id}`, { archived: true }));
	await bob.locator(".silence").waitFor();
	const alice = await person(stack, browser, "alice", { path: `/c/${id}`, viewport: PHONE, hasTouch: true, reducedMotion: "reduce" });
	await live(alice.page);
	await alice.page.getByRole("button", { name: "Unarchive" }).waitFor();
	assert.deepEqual(await axe(alice.page), []);
	await alice.page.getByRole("button", { name: "Unarchive" }).tap();
	await becomes(() => alice.page.evaluate(() => document.activeElement.textContent), "Join", "the focus where the button was");
	await bob.locator("textarea#composer").waitFor();
	await becomes(async () => ok(await api.bob.get(`/api/v1/channels/${id}`)).archived, false);
	assert.deepEqual(alice.faults, []);
	await alice.context.close();
});
