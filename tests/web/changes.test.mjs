// Two people in two browsers: one edits what he wrote, the other sees it and what it said before; both react; links get cards.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { PHONE, axe, becomes, launch, live, person, say, seen } from "./help.mjs";

let stack, browser, api, id, a, b, world;
before(async () => {
	world = createServer((_q, r) => r.writeHead(200, { "content-type": "text/html" }).end(PAGE));
	await new Promise((listening) => world.listen(0, "127.0.0.1", listening));
	stack = await startStack({
		realtime: 1,
		conf: { "previews.enabled": "yes", "previews.allow": `127.0.0.1:${world.address().port}`, "previews.ports": "" },
	});
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	const bob = ok(await api.get("/api/v1/users?q=bob")).users[0];
	id = (await makeChannel(api, { name: "changes", members: [bob.id] })).id;
	[a, b] = await Promise.all(["alice", "bob"].map((login) => person(stack, browser, login, { path: `/c/${id}` })));
	await Promise.all([live(a.page), live(b.page)]);
});
after(async () => {
	for (const who of [a, b]) assert.deepEqual(who?.faults ?? [], []);
	await browser?.close();
	await stack?.stop();
	world?.closeAllConnections();
	world?.close();
});

const PAGE = `<title>-</title><meta property="og:title" content="The harbour at night: what the cranes do when nobody looks at them, and why">
	<meta property="og:site_name" content="Harbour News"><meta property="og:description" content="${"A long story in many words. ".repeat(20)}">`;
const row = (page, seq) => page.locator(`.msg[data-seq="${seq}"]`);
const edit = (page) => page.getByRole("textbox", { name: "Edit the message" });
/** Waits until the text is drawn with the mark of an edit. */
const edited = (page, seq, text) => row(page, seq).locator(".msg-text", { hasText: `${text} (edited)` }).waitFor();
const stored = async (seq) => ok(await api.get(`/api/v1/channels/${id}/messages/${seq}`));
const reaction = (page, seq, emoji) => row(page, seq).locator(`.reaction[data-emoji="${emoji}"]`);
/** Waits until the reaction is drawn so: [count, whether it is one's own]; none: [0]. */
async function reacted(page, seq, emoji, [count, mine]) {
	const one = reaction(page, seq, emoji);
	if (!count) return one.waitFor({ state: "detached" });
	const counted = row(page, seq).locator(`.reaction[data-emoji="${emoji}"][aria-pressed="${mine}"] .reaction-count`);
	await counted.filter({ hasText: new RegExp(`^${count}$`) }).waitFor();
}
async function lookedAt(page, colorScheme) {
	await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
	return axe(page);
}

test("the up arrow edits one's last message; Esc leaves it, Enter saves it; the other sees it and what it said", async () => {
	await say(a.page, "Frist words");
	await Promise.all([seen(a.page, "Frist words"), seen(b.page, "Frist words")]);
	const composer = a.page.locator("#composer");
	await composer.press("ArrowUp");
	await edit(a.page).fill("Something else");
	await edit(a.page).press("Escape");
	await edit(a.page).waitFor({ state: "detached" });
	await seen(a.page, "Frist words");
	assert.ok(await composer.evaluate((e) => e === document.activeElement), "back in the composer");

	// The next key belongs to it, before anything is painted.
	const next = await composer.evaluate(async (e) => {
		e.focus();
		e.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true, cancelable: true }));
		for (let i = 0; i < 10; i++) await null;
		return document.activeElement !== e && document.activeElement.value;
	});
	assert.equal(next, "Frist words");
	assert.deepEqual(await lookedAt(a.page, "dark"), []);
	await edit(a.page).press("Control+a");
	await edit(a.page).pressSequentially("First words");
	await edit(a.page).press("Enter");
	await Promise.all([edited(a.page, 1, "First words"), edited(b.page, 1, "First words")]);
	assert.equal((await stored(1)).version, 2);
	assert.ok(await composer.evaluate((e) => e === document.activeElement));

	await row(b.page, 1).getByRole("button", { name: /^Edited .*: what it said before$/ }).click();
	await b.page.getByRole("dialog", { name: "What the message said" }).locator("li").nth(1).waitFor();
	await becomes(() => b.page.locator(".edits-list .msg-text").allTextContents(), ["First words", "Frist words"]);
	assert.deepEqual(await lookedAt(b.page, "light"), []);
	await b.page.keyboard.press("Escape");
});

test("an edit that comes too late says so: changed elsewhere, or over the time", async () => {
	await row(a.page, 1).hover();
	await row(a.page, 1).getByRole("button", { name: "Edit", exact: true }).click();
	await edit(a.page).fill("By the page");
	ok(await api.patch(`/api/v1/channels/${id}/messages/1`, { body: { text: "By a program" } }));
	await edited(b.page, 1, "By a program");
	await edit(a.page).press("Enter");
	await row(a.page, 1).getByRole("alert").filter({ hasText: "changed elsewhere" }).waitFor();
	assert.equal(await edit(a.page).inputValue(), "By the page", "what was written stays");
	await edit(a.page).press("Enter");
	await Promise.all([edited(a.page, 1, "By the page"), edited(b.page, 1, "By the page")]);

	await a.page.locator("#composer").press("ArrowUp");
	await edit(a.page).fill("Too late");
	await stack.psql(`UPDATE messages SET created_at = created_at - interval '25 hours' WHERE channel_id = ${id}`);
	await edit(a.page).press("Enter");
	await row(a.page, 1).getByRole("alert").filter({ hasText: "The time in which this message could be edited is over." }).waitFor();
	await edit(a.page).press("Escape");
	await edited(a.page, 1, "By the page");
});

test("reactions: one click for each, one's own marked, names on focus, taken away by a click, never doubled", async () => {
	await row(b.page, 1).hover();
	await row(b.page, 1).getByRole("button", { name: "React with 👍" }).click();
	await Promise.all([reacted(b.page, 1, "👍", [1, true]), reacted(a.page, 1, "👍", [1, false])]);
	await reaction(a.page, 1, "👍").click();
	await Promise.all([reacted(b.page, 1, "👍", [2, true]), reacted(a.page, 1, "👍", [2, true])]);
	await reaction(a.page, 1, "👍").focus();
	const tip = row(a.page, 1).locator(".tip");
	await until(async () => /Bob.* and .*you/.test((await tip.textContent()) ?? ""), { what: "the names" });
	await becomes(async () => /^👍 2: .*Bob/.test(await reaction(a.page, 1, "👍").getAttribute("aria-label")), true);
	// as fast as one can: the last click counts
	for (let i = 0; i < 5; i++) await reaction(a.page, 1, "👍").click({ delay: 0 });
	await Promise.all([reacted(b.page, 1, "👍", [1, true]), reacted(a.page, 1, "👍", [1, false])]);
	await until(async () => (await stored(1)).reactions[0].count === 1, { what: "the server says the same" });
	await reaction(b.page, 1, "👍").click();
	await Promise.all([reacted(b.page, 1, "👍", [0]), reacted(a.page, 1, "👍", [0])]);

	// by the keyboard alone: choose the message, R, search, Enter
	await a.page.locator(".list").focus();
	await a.page.keyboard.press("k");
	await until(() => row(a.page, 1).evaluate((e) => e === document.activeElement), { what: "the message is chosen" });
	await a.page.keyboard.press("r");
	const search = a.page.getByRole("searchbox", { name: "Search emoji" });
	await search.waitFor();
	await a.page.locator(".emoji-cell").first().waitFor();
	assert.deepEqual(await lookedAt(a.page, "dark"), []);
	await search.fill("tada");
	await a.page.getByRole("button", { name: "party popper" }).waitFor();
	await search.press("Enter");
	await Promise.all([reacted(a.page, 1, "🎉", [1, true]), reacted(b.page, 1, "🎉", [1, false])]);
	assert.deepEqual(await lookedAt(a.page, "light"), []);
	await row(b.page, 1).getByRole("button", { name: "Add a reaction" }).last().click();
	await b.page.locator(".emoji-cell").first().waitFor();
	await b.page.keyboard.press("ArrowDown");
	await b.page.keyboard.press("ArrowRight");
	await b.page.keyboard.press("ArrowDown");
	const chosen = await b.page.evaluate(() => document.activeElement.textContent);
	await b.page.keyboard.press("Enter");
	await Promise.all([reacted(b.page, 1, chosen, [1, true]), reacted(a.page, 1, chosen, [1, false])]);
});

test("on a phone: a reaction and an edit, and nothing is wider than the screen", async () => {
	const phone = await person(stack, browser, "alice", { path: `/c/${id}`, viewport: PHONE, hasTouch: true });
	await live(phone.page);
	const m = ok(await send(api, id, "From a phone"), 201);
	await seen(phone.page, "From a phone");
	await row(phone.page, m.seq).tap();
	await row(phone.page, m.seq).getByRole("button", { name: "React with ❤️" }).tap();
	await reacted(phone.page, m.seq, "❤️", [1, true]);
	await row(phone.page, m.seq).getByRole("button", { name: "Edit", exact: true }).tap();
	assert.equal(await phone.page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
	assert.deepEqual(await lookedAt(phone.page, "dark"), []);
	await edit(phone.page).fill("From my phone");
	await phone.page.getByRole("button", { name: "Save" }).tap();
	await Promise.all([edited(phone.page, m.seq, "From my phone"), edited(b.page, m.seq, "From my phone")]);
	assert.deepEqual(phone.faults, []);
	await phone.context.close();
});

test("one message shows its tools: the one under the pointer, or with keys the one that has the focus; an open menu keeps them", async () => {
	const { page } = b;
	const shown = () =>
		page.locator(".msg-tools").evaluateAll((all) =>
			all.filter((e) => getComputedStyle(e).opacity === "1").map((e) => e.closest(".msg").dataset.seq),
		);
	await row(page, 1).hover();
	await row(page, 1).locator(".msg-text").click();
	await until(() => row(page, 1).evaluate((e) => e === document.activeElement), { what: "the message has the focus" });
	await becomes(shown, ["1"]);
	await row(page, 2).hover();
	await becomes(shown, ["2"]);
	await page.keyboard.press("k");
	await becomes(shown, ["1"]); // the pointer has not moved
	await row(page, 1).hover();
	await row(page, 1).getByRole("button", { name: "More", exact: true }).click();
	await page.mouse.move(1, 1);
	await becomes(shown, ["1"]);
	const below = row(page, 2);
	await below.hover({ position: { x: 90, y: 9 } }); // beside the menu
	assert.ok(await below.evaluate((e) => e.matches(":hover")), "the pointer is above another one");
	await becomes(() => below.locator(".msg-tools").count(), 1);
	assert.deepEqual(await shown(), ["1"]);
	await page.keyboard.press("Escape");
	await page.locator(".menu").waitFor({ state: "detached" });
	await below.hover({ position: { x: 95, y: 9 } });
	await becomes(shown, ["2"]);
	await page.mouse.move(2, 2);
	await becomes(shown, []);
});

test("a link gets a card, of one height; who did not write it hides it for himself, its author takes it away; a switch turns all off", async () => {
	const url = `http://127.0.0.1:${world.address().port}/`;
	const m = ok(await send(api, id, `Look: ${url}`), 201);
	const card = (page) => row(page, m.seq).locator(".preview");
	await Promise.all([card(a.page).waitFor(), card(b.page).waitFor()]);
	const link = card(b.page).getByRole("link", { name: /^The harbour at night/ });
	assert.equal(await link.getAttribute("href"), url);
	assert.match(await link.getAttribute("rel"), /noopener noreferrer/);
	assert.equal(await card(b.page).evaluate((e) => e.offsetHeight), 92);
	assert.equal(await card(b.page).locator("img").count(), 0);
	for (const theme of ["light", "dark"]) assert.deepEqual(await lookedAt(b.page, theme), []);

	const settings = async (page) => {
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.getByRole("menuitem", { name: "Settings…" }).click();
		await page.getByRole("switch", { name: "Show previews of links" }).click();
		await page.keyboard.press("Escape");
	};
	await settings(a.page);
	await card(a.page).waitFor({ state: "detached" });
	await settings(a.page);
	await card(a.page).waitFor();

	await card(b.page).getByRole("button", { name: "Hide this preview" }).click();
	await card(b.page).waitFor({ state: "detached" });
	await b.page.reload();
	await live(b.page);
	await seen(b.page, `Look: ${url}`);
	assert.equal(await card(b.page).count(), 0, "for good, in this browser");
	await card(a.page).waitFor();
	await card(a.page).getByRole("button", { name: "Remove this preview for everyone" }).click();
	await card(a.page).waitFor({ state: "detached" });
	assert.equal((await stored(m.seq)).body.preview, null);
});
