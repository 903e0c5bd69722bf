// The side bar as one arranges it, by keyboard, on two devices; muting, favourites, direct channels of several, archived ones, jump to date.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { PHONE, cleanIn, ends, launch, live, person, seen } from "./help.mjs";

let stack, browser, alice, bobId, a, b;
const ids = {};
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	alice = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	bobId = ok(await alice.get("/api/v1/users?q=bob")).users[0].id;
	for (const name of ["harbour", "cranes", "attic"]) ids[name] = (await makeChannel(alice, { name, members: [bobId] })).id;
	await makeChannel(alice, { name: "weather", topic: "Wind and waves" });
	for (let i = 1; i <= 3; i++) ok(await send(alice, ids.harbour, `line ${i}`), 201);
	await stack.psql(`UPDATE messages SET created_at = created_at - interval '3 days' WHERE channel_id = ${ids.harbour} AND seq < 3`, { user: "postgres" });
	[a, b] = await Promise.all([{}, { viewport: PHONE, hasTouch: true }].map((o) => person(stack, browser, "bob", { path: `/c/${ids.harbour}`, ...o })));
	await Promise.all([live(a.page), live(b.page)]);
});
after(() => ends(stack, browser, a, b));

const clean = (page) => cleanIn(page, { schemes: ["light", "dark"] });
/** The side bar as it is drawn: [[heading, folded, [names]]]. */
const side = (page) =>
	page.evaluate(() =>
		[...document.querySelectorAll(".side-scroll h2")].map((h) => [
			h.textContent,
			h.querySelector("button").getAttribute("aria-expanded") === "false",
			[...(document.querySelector(`ul[aria-labelledby="${h.id}"]`)?.querySelectorAll(".entry-name") ?? [])].map((e) => e.textContent),
		]),
	);
const arranged = (page, want) =>
	until(async () => JSON.stringify(await side(page)) === JSON.stringify(want), { what: "the side bar" }).catch(async (e) => {
		throw new Error(`${e.message}: ${JSON.stringify(await side(page))}`);
	});
const both = (want) => Promise.all([arranged(a.page, want), arranged(b.page, want)]);
/** Chooses from the channel's menu by keyboard. */
async function menu(page, item) {
	const button = page.getByRole("button", { name: "Channel menu" });
	await button.focus();
	await page.keyboard.press("Enter");
	const wanted = page.getByRole("menuitem", { name: item }).or(page.getByRole("menuitemcheckbox", { name: item }));
	await wanted.waitFor();
	while (!(await wanted.evaluate((e) => e === document.activeElement))) await page.keyboard.press("ArrowDown");
	const stays = (await wanted.getAttribute("role")) === "menuitemcheckbox";
	await page.keyboard.press("Enter");
	if (stays) await page.keyboard.press("Escape");
	await page.locator(".menu").waitFor({ state: "detached" });
}
const entry = (page, name) => page.locator(".entry", { has: page.locator(".entry-name", { hasText: new RegExp(`^${name}$`) }) });

test("a section of one's own, by keyboard alone, shows on all devices and stays", async () => {
	const { page } = a;
	await menu(page, "Move to section…");
	await page.locator("dialog[open] input[type=radio]").first().waitFor();
	await page.keyboard.press("ArrowDown"); // New section…
	await page.keyboard.press("Tab");
	await page.keyboard.type("Water");
	await clean(page);
	await page.keyboard.press("Enter");
	await both([["Water", false, ["harbour"]], ["Channels", false, ["attic", "cranes"]], ["Direct messages", false, []]]);
	const more = page.getByRole("button", { name: "Section Water" });
	await more.focus();
	await page.keyboard.press("Enter");
	await page.getByRole("menuitem", { name: "Move section down" }).press("Enter");
	await both([["Channels", false, ["attic", "cranes"]], ["Water", false, ["harbour"]], ["Direct messages", false, []]]);
	await page.getByRole("heading", { name: "Channels" }).getByRole("button").press("Enter");
	await menu(page, "Favourite");
	const want = [["Favourites", false, ["harbour"]], ["Channels", true, []], ["Water", false, []], ["Direct messages", false, []]];
	await both(want);
	await page.reload();
	await arranged(page, want);
	await live(page);
	await menu(page, "Favourite");
	await page.getByRole("heading", { name: "Channels" }).getByRole("button").press("Enter");
	await both([["Channels", false, ["attic", "cranes"]], ["Water", false, ["harbour"]], ["Direct messages", false, []]]);
});

test("a muted channel is dimmed and counts nowhere, on all devices, until it is not; the level says what counts", async () => {
	const title = (page, start) => until(async () => (await page.title()).startsWith(start), { what: `a title ${start}` });
	await menu(a.page, "Notifications…");
	await a.page.locator("dialog[open] select").selectOption("forever");
	await clean(a.page);
	await a.page.keyboard.press("Escape");
	const there = `/api/v1/channels/${ids.cranes}/prefs`;
	const patch = { method: "PATCH", headers: { "content-type": "application/json" } };
	const asked = async ([path, init]) => (await fetch(path, init)).status;
	const set = (change) => a.page.evaluate(asked, [there, { ...patch, body: JSON.stringify(change) }]);
	assert.equal(await set({ quiet_until: "forever" }), 200);
	await Promise.all([a, b].map(({ page }) => page.locator(".entry.quiet").waitFor({ state: "attached" })));
	const look = { client_id: crypto.randomUUID(), body: { text: "@bob look", mentions: [bobId] } };
	ok(await alice.post(`/api/v1/channels/${ids.cranes}/messages`, look), 201);
	// a message elsewhere, that came behind it, is there
	ok(await send(alice, ids.attic, "behind it"), 201);
	await entry(a.page, "attic").locator(".badge").waitFor();
	assert.equal(await entry(a.page, "cranes").locator(".badge").count(), 0);
	await title(a.page, "#harbour");
	await clean(a.page);
	assert.equal(await set({ quiet_until: null }), 200);
	await Promise.all([title(a.page, "(1) "), title(b.page, "(1) ")]);
	assert.equal(await set({ notify: "nothing" }), 200);
	await Promise.all([title(a.page, "#harbour"), title(b.page, "#harbour")]);
	assert.equal(await set({ notify: "all" }), 200);
	await Promise.all([title(a.page, "(1) "), title(b.page, "(1) ")]);
});

test("several people are written to at once; the same people meet in the same place", async () => {
	const { page } = a;
	const write = async () => {
		await page.getByRole("button", { name: "New direct message" }).first().click();
		await page.getByRole("button", { name: "Message several people…" }).click();
		for (const name of ["alice", "carol"]) {
			await page.getByRole("combobox").fill(name);
			await page.locator("dialog[open] [role=option]", { hasText: `@${name}` }).waitFor();
			await page.keyboard.press("Enter");
			await page.locator(".group-people li").nth(name === "alice" ? 0 : 1).waitFor();
		}
	};
	await write();
	await clean(page);
	await page.getByRole("button", { name: "Open" }).click();
	await page.waitForURL((url) => url.pathname !== `/c/${ids.harbour}`);
	const [path, name] = [new URL(page.url()).pathname, await page.locator(".head h1").textContent()];
	assert.match(name, /^Alice.*, Carol/);
	await page.locator("#composer").fill("Hello you two");
	await page.locator("#composer").press("Enter");
	await seen(page, "Hello you two");
	await until(async () => (await side(b.page)).at(-1)[2].includes(name), { what: "the group on the other device" });
	await clean(page);
	await entry(page, "harbour").click();
	await page.waitForURL(`**/c/${ids.harbour}`);
	await write();
	await page.getByRole("button", { name: "Open" }).click();
	await page.waitForURL(`**${path}`);
	await entry(page, "harbour").click();
});

test("browsing finds by topic and joins; an archived channel leaves the side bar and is read by way of the browser", async () => {
	const { page } = a;
	ok(await alice.patch(`/api/v1/channels/${ids.attic}`, { archived: true }));
	await Promise.all([a, b].map(({ page }) => entry(page, "attic").waitFor({ state: "detached" })));
	const browse = async () => {
		await page.getByRole("button", { name: "Add a channel" }).click();
		await page.getByRole("menuitem", { name: "Browse channels" }).click();
	};
	await browse();
	await page.getByRole("combobox").fill("waves");
	await page.locator("dialog[open] [role=option]", { hasText: "weather" }).waitFor();
	await clean(page);
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "weather", exact: true }).waitFor();
	await entry(b.page, "weather").waitFor({ state: "attached" });
	await menu(page, "Leave channel…");
	await page.locator("dialog[open]").getByRole("button", { name: "Leave channel" }).press("Enter");
	await Promise.all([a, b].map(({ page }) => entry(page, "weather").waitFor({ state: "detached" })));
	await browse();
	await page.getByRole("radio", { name: "Archived" }).check();
	await page.locator("dialog[open] [role=option]", { hasText: "attic" }).click();
	await seen(page, "behind it");
	await page.getByText("This channel is archived.").waitFor();
	await entry(page, "attic").waitFor(); // as long as it is open
	await entry(page, "harbour").click();
	await entry(page, "attic").waitFor({ state: "detached" });
});

test("a link into a channel leads one who is not signed in through the door and in", async () => {
	const id = (await makeChannel(alice, { name: "behind", kind: "private", topic: "By link alone" })).id;
	const { url } = ok(await alice.post(`/api/v1/channels/${id}/invites`, { max_uses: 1 }), 201);
	const path = url.slice(stack.url.length);
	const { page, context, faults } = await person(stack, browser, "carol", { path });
	await page.getByRole("heading", { name: "You are looking at #behind" }).waitFor();
	await clean(page);
	await page.getByRole("button", { name: "Join" }).click();
	await page.waitForURL(`**/c/${id}`);
	await page.locator("#composer").waitFor();
	assert.deepEqual(faults, []);
	await context.close();
	await a.page.goto(url);
	await a.page.getByText("This link has been used as often as it may be.").waitFor();
	await a.page.goto(`${stack.url}/c/${ids.harbour}`);
	await live(a.page);
});

test("jump to date goes to the first message of that day", async () => {
	const { page } = a;
	await seen(page, "line 3");
	await menu(page, "Jump to date…");
	const day = page.locator("dialog[open] input[type=date]");
	await day.fill(new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10));
	await clean(page);
	await day.press("Enter");
	await page.locator('.msg[data-seq="3"]:focus').waitFor();
});

test("what newcomers see is set in the channel's dialog; who comes later is told why there is nothing older", async () => {
	const id = (await makeChannel(alice, { name: "vault", kind: "private" })).id;
	const at = `/api/v1/channels/${id}`;
	const reply = (text) =>
		alice.post(`${at}/messages`, { client_id: randomUUID(), thread: 1, in_channel: true, body: { text } });
	for (const text of ["old one", "old two"]) ok(await send(alice, id, text), 201);
	ok(await alice.patch(at, { history: "joined" }));
	ok(await alice.post(`${at}/members`, { user: bobId }), 201);
	ok(await send(alice, id, "said since"), 201);
	ok(await reply("answered since"), 201);
	for (const { page } of [a, b]) {
		await page.goto(`${stack.url}/c/${id}`);
		await live(page);
		await seen(page, "said since");
		const start = page.locator(".start");
		assert.match(await start.textContent(), /You joined #?vault here.*Older messages are not shown/);
		assert.doesNotMatch(await page.locator("#main").textContent(), /old one|old two/);
		if (page === a.page) await clean(page);
		await page.getByRole("button", { name: "Replied in a thread" }).click();
		await page.locator(".thread-hidden", { hasText: "before you joined" }).waitFor();
		await page.locator(".thread-scroll", { hasText: "answered since" }).waitFor();
		if (page === b.page) await clean(page);
	}
	const { page } = a;
	ok(await alice.patch(`${at}/members/${bobId}`, { role: "moderator" }));
	await page.goto(`${stack.url}/c/${id}`);
	await live(page);
	await page.getByRole("button", { name: "Channel menu" }).click();
	await page.getByRole("menuitem", { name: "Edit the channel…" }).click();
	const choice = page.getByLabel("New members see");
	assert.equal(await choice.inputValue(), "joined");
	await clean(page);
	await choice.selectOption("all");
	await page.getByRole("button", { name: "Save", exact: true }).click();
	await page.locator("dialog[open]").waitFor({ state: "detached" });
	assert.equal(ok(await alice.get(at)).history, "all");
});
