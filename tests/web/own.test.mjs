// What one sets for oneself by the dialogs: what a channel tells of, mutes with an end and without one, the sections of the side bar; on two devices.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { bot, client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, me, ok, send } from "../api/help.mjs";
import { PHONE, becomes, cleanIn, ends, launch, live, person } from "./help.mjs";

const HOUR = 3_600_000; // ms

let stack, browser, alice, bob, bobId, a, b;
const ids = {};
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	alice = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	bob = await bot(stack, "bob");
	bobId = (await me(bob)).id;
	for (const name of ["attic", "cranes", "harbour", "quay"]) ids[name] = (await makeChannel(alice, { name, members: [bobId] })).id;
	[a, b] = await Promise.all(
		[{}, { viewport: PHONE, hasTouch: true }].map((o) =>
			person(stack, browser, "bob", { path: `/c/${ids.harbour}`, reducedMotion: "reduce", ...o }),
		),
	);
	await Promise.all([live(a.page), live(b.page)]);
});
after(() => ends(stack, browser, a, b));

const clean = (page) => cleanIn(page);
const entry = (page, name) => page.locator(".entry", { has: page.locator(".entry-name", { hasText: new RegExp(`^${name}$`) }) });
const shut = (page) => page.locator("dialog[open]").waitFor({ state: "detached" });
/** The drawer of a phone; on a wide screen the side bar is there. */
async function drawer(page) {
	if (await page.locator("nav.side[inert]").count()) await page.locator(".burger").click();
	await page.locator("nav.side:not([inert])").waitFor();
}
async function go(page, name) {
	await drawer(page);
	await entry(page, name).click();
	await page.waitForURL(`**/c/${ids[name]}`);
}
const menu = (page) => page.getByRole("button", { name: "Channel menu" }).click();
async function notifications(page) {
	await menu(page);
	await page.getByRole("menuitem", { name: "Notifications…" }).click();
	const dialog = page.getByRole("dialog", { name: /^Notifications: #/ });
	await dialog.getByRole("radio", { checked: true }).waitFor();
	return dialog;
}
async function save(page) {
	await page.locator("dialog[open]").getByRole("button", { name: "Save" }).click();
	await shut(page);
}
const prefs = async (name) => ok(await bob.get(`/api/v1/channels/${ids[name]}`)).prefs;
/** The number beside a channel and whether it is loud, in both browsers; none: null. */
const badge = ({ page }, name) =>
	entry(page, name)
		.locator(".badge")
		.evaluateAll(([e]) => (e ? e.querySelector("[aria-hidden]").textContent + (e.classList.contains("badge-loud") ? " loud" : "") : null));
const badges = (name, want) => Promise.all([a, b].map((who) => becomes(() => badge(who, name), want, `the badge of ${name}`)));
const titles = (start) =>
	Promise.all([a, b].map(({ page }) => until(async () => (await page.title()).startsWith(start), { what: `a title ${start}` })));
const mention = (name) =>
	alice.post(`/api/v1/channels/${ids[name]}/messages`, { client_id: randomUUID(), body: { text: "@bob look", mentions: [bobId] } });
const read = async (name, seq) => ok(await bob.put(`/api/v1/channels/${ids[name]}/read`, { seq }));

test("what a channel tells of is saved by its dialog, and the numbers of all devices go by it", async () => {
	const { page } = a;
	await go(page, "cranes");
	const dialog = await notifications(page);
	assert.ok(await dialog.getByRole("radio", { name: "Mentions of me" }).isChecked());
	await clean(page);
	await page.keyboard.press("ArrowUp"); // Every message
	assert.ok(await dialog.getByRole("radio", { name: "Every message" }).isChecked());
	await page.keyboard.press("Enter");
	await shut(page);
	assert.equal((await prefs("cranes")).notify, "all");
	await go(page, "harbour");
	ok(await send(alice, ids.cranes, "one"), 201);
	await badges("cranes", "1 loud");
	await titles("(1) ");

	// on the phone
	await go(b.page, "cranes");
	await badges("cranes", null); // read there
	const there = await notifications(b.page);
	assert.ok(await there.getByRole("radio", { name: "Every message" }).isChecked());
	await clean(b.page);
	await there.getByRole("radio", { name: "Mentions of me" }).tap();
	await save(b.page);
	assert.equal((await prefs("cranes")).notify, "mentions");
	await go(b.page, "harbour");
	ok(await send(alice, ids.cranes, "two"), 201);
	await badges("cranes", "1");
	await titles("#harbour");
	ok(await mention("cranes"), 201);
	await badges("cranes", "1 loud");
	await titles("(1) ");

	// what is unread there stops to count, but is bold all the same
	await read("cranes", 1);
	ok(await bob.patch(`/api/v1/channels/${ids.cranes}/prefs`, { notify: "nothing" }));
	await badges("cranes", "2");
	await titles("#harbour");
	await becomes(() => entry(page, "cranes").evaluate((e) => e.className.includes("unread")), true);
	await read("cranes", 3);
	await badges("cranes", null);
	await go(page, "cranes");
	const last = await notifications(page);
	assert.ok(await last.getByRole("radio", { name: "Nothing" }).isChecked());
	await last.getByRole("radio", { name: "Mentions of me" }).check();
	await page.keyboard.press("Escape");
	await shut(page);
	assert.equal((await prefs("cranes")).notify, "nothing", "who goes away has saved nothing");
	const again = await notifications(page);
	await again.getByRole("radio", { name: "Mentions of me" }).check();
	await save(page);
	assert.equal((await prefs("cranes")).notify, "mentions");
});

test("Muted in the menu: nothing counts on any device; taken back there, on the other one", async () => {
	const { page } = a;
	await go(page, "quay");
	await menu(page);
	await clean(page);
	const item = page.getByRole("menuitemcheckbox", { name: "Muted" });
	assert.equal(await item.getAttribute("aria-checked"), "false");
	await item.click();
	await Promise.all([a, b].map(({ page }) => page.locator(".entry.quiet").waitFor({ state: "attached" })));
	await becomes(() => item.getAttribute("aria-checked"), "true");
	await page.keyboard.press("Escape");
	assert.equal((await prefs("quay")).quiet_until, "forever");
	await go(page, "harbour");
	ok(await mention("quay"), 201);
	ok(await send(alice, ids.attic, "behind it"), 201);
	await badges("attic", "1");
	await badges("quay", null);
	await titles("#harbour");
	await drawer(b.page);
	await entry(b.page, "quay").locator(".entry-draft", { hasText: "muted by you" }).waitFor();
	await b.page.keyboard.press("Escape");

	// the dialog knows it; there it is taken back
	await go(b.page, "quay");
	const dialog = await notifications(b.page);
	assert.equal(await dialog.getByLabel("Mute the channel").inputValue(), "forever");
	await b.page.keyboard.press("Escape");
	await shut(b.page);
	await menu(b.page);
	await b.page.getByRole("menuitemcheckbox", { name: "Muted", checked: true }).tap();
	await Promise.all([a, b].map(({ page }) => page.locator(".entry.quiet").waitFor({ state: "detached" })));
	await b.page.keyboard.press("Escape");
	assert.equal((await prefs("quay")).quiet_until, null);
	await go(b.page, "harbour");
	ok(await mention("quay"), 201);
	await badges("quay", "1 loud");
	await titles("(1) ");
	await go(b.page, "quay");
	await badges("quay", null);
	await go(b.page, "harbour");
});

test("a mute with an end: for hours, until tomorrow; it is said until when, it ends by itself, and is ended by hand", async () => {
	const { page } = a;
	await go(page, "quay");
	const choose = async (choice) => {
		const dialog = await notifications(page);
		await dialog.getByLabel("Mute the channel").selectOption({ label: choice });
		await save(page);
		return Date.parse((await prefs("quay")).quiet_until);
	};
	const near = (at, want) => assert.ok(Math.abs(at - want) < 60_000, `${new Date(at).toISOString()}, not ${new Date(want).toISOString()}`);
	near(await choose("For an hour"), Date.now() + HOUR);
	await Promise.all([a, b].map(({ page }) => page.locator(".entry.quiet").waitFor({ state: "attached" })));
	near(await choose("For 8 hours"), Date.now() + 8 * HOUR);
	const dialog = await notifications(page);
	const held = dialog.getByLabel("Mute the channel");
	assert.equal(await held.inputValue(), "kept");
	const { quiet_until } = await prefs("quay");
	const [hour, minute] = [quiet_until.slice(11, 13), quiet_until.slice(14, 16)];
	assert.match(await held.locator("option:checked").textContent(), new RegExp(`^Until .*\\b0?${Number(hour)}:${minute}$`));
	await clean(page);
	await save(page);
	assert.equal((await prefs("quay")).quiet_until, quiet_until, "what was not touched stays");
	const tomorrow = new Date(await choose("Until tomorrow, 8:00"));
	assert.deepEqual([tomorrow.getUTCHours(), tomorrow.getUTCMinutes()], [8, 0]);
	assert.ok(tomorrow > Date.now() && tomorrow < Date.now() + 33 * HOUR);
	assert.ok(Number.isNaN(await choose("Not muted")));
	assert.equal((await prefs("quay")).quiet_until, null);
	await Promise.all([a, b].map(({ page }) => page.locator(".entry.quiet").waitFor({ state: "detached" })));

	// the end comes on both devices at its time; what came meanwhile counts then
	await go(page, "harbour");
	const end = Date.now() + 8000;
	ok(await bob.patch(`/api/v1/channels/${ids.quay}/prefs`, { quiet_until: new Date(end).toISOString() }));
	await Promise.all([a, b].map(({ page }) => page.locator(".entry.quiet").waitFor({ state: "attached" })));
	ok(await mention("quay"), 201);
	await badges("quay", "1 loud");
	assert.ok(Date.now() >= end, "not before its time");
	assert.equal(await page.locator(".entry.quiet").count(), 0);
	await titles("(1) ");
	await go(page, "quay");
	await badges("quay", null);
	await go(page, "harbour");
});

/** The side bar as it is drawn: [[heading, folded, [names]]]. */
const side = (page) =>
	page.evaluate(() =>
		[...document.querySelectorAll(".side-scroll h2")].map((h) => [
			h.textContent,
			h.querySelector("button").getAttribute("aria-expanded") === "false",
			[...(document.querySelector(`ul[aria-labelledby="${h.id}"]`)?.querySelectorAll(".entry-name") ?? [])].map((e) => e.textContent),
		]),
	);
const both = (want) => Promise.all([a, b].map(({ page }) => becomes(() => side(page), want, "the side bar")));
const DIRECT = ["Direct messages", false, []];

test("a section is made, filled, renamed, folded with something unread in it, and deleted, after a question", async () => {
	const { page } = a;
	for (const who of [a, b]) await go(who.page, "harbour");
	for (const name of ["attic", "cranes", "quay"]) await read(name, ok(await bob.get(`/api/v1/channels/${ids[name]}`)).last_seq);
	await page.getByRole("button", { name: "Add a channel" }).click();
	await page.getByRole("menuitem", { name: "New section…" }).click();
	await page.getByRole("dialog", { name: "New section" }).getByLabel("Name").fill("Water");
	await clean(page);
	await page.keyboard.press("Enter");
	await both([["Water", false, []], ["Channels", false, ["attic", "cranes", "harbour", "quay"]], DIRECT]);
	for (const name of ["cranes", "quay"]) {
		await go(page, name);
		await menu(page);
		await page.getByRole("menuitem", { name: "Move to section…" }).click();
		await page.locator("dialog[open]").getByRole("radio", { name: "Water" }).check();
		await save(page);
	}
	await go(page, "harbour");
	await both([["Water", false, ["cranes", "quay"]], ["Channels", false, ["attic", "harbour"]], DIRECT]);

	// renamed on the phone
	const section = async (who, item) => {
		await drawer(who.page);
		await who.page.getByRole("button", { name: /^Section (Water|Shore)$/ }).click();
		await who.page.getByRole("menuitem", { name: item }).click();
	};
	await section(b, "Rename section…");
	const field = b.page.getByRole("dialog", { name: "Rename section" }).getByLabel("Name");
	assert.equal(await field.inputValue(), "Water");
	await field.fill(" ");
	assert.ok(await b.page.locator("dialog[open]").getByRole("button", { name: "Save" }).isDisabled());
	await clean(b.page);
	await field.fill("Shore");
	await save(b.page);
	await both([["Shore", false, ["cranes", "quay"]], ["Channels", false, ["attic", "harbour"]], DIRECT]);

	// folded: what is unread shows, what is read or muted does not
	await page.getByRole("heading", { name: "Shore" }).getByRole("button").press("Enter");
	await both([["Shore", true, []], ["Channels", false, ["attic", "harbour"]], DIRECT]);
	ok(await send(alice, ids.cranes, "something new"), 201);
	await both([["Shore", true, ["cranes"]], ["Channels", false, ["attic", "harbour"]], DIRECT]);
	await badges("cranes", "1");
	ok(await bob.patch(`/api/v1/channels/${ids.quay}/prefs`, { quiet_until: "forever" }));
	ok(await mention("quay"), 201);
	ok(await mention("cranes"), 201);
	await badges("cranes", "1 loud");
	await both([["Shore", true, ["cranes"]], ["Channels", false, ["attic", "harbour"]], DIRECT]);
	await clean(page);
	ok(await bob.patch(`/api/v1/channels/${ids.quay}/prefs`, { quiet_until: null }));
	await both([["Shore", true, ["cranes", "quay"]], ["Channels", false, ["attic", "harbour"]], DIRECT]);
	await go(page, "cranes");
	await becomes(async () => (await side(b.page))[0], ["Shore", true, ["quay"]]); // read by now
	await becomes(async () => (await side(page))[0], ["Shore", true, ["cranes", "quay"]]); // it is open there
	await go(page, "quay");
	await go(page, "harbour");
	await both([["Shore", true, []], ["Channels", false, ["attic", "harbour"]], DIRECT]);
	await page.reload();
	await live(page);
	await both([["Shore", true, []], ["Channels", false, ["attic", "harbour"]], DIRECT]);

	// it is asked first; its channels stand with the others then
	await section(b, "Delete section…");
	const question = b.page.getByRole("dialog", { name: "Delete section Shore?" });
	await question.getByText("Its channels stay").waitFor();
	await clean(b.page);
	await question.getByRole("button", { name: "Cancel" }).tap();
	await shut(b.page);
	assert.equal(ok(await bob.get("/api/v1/me/sidebar")).sections.filter((s) => s.kind === "own").length, 1);
	await section(a, "Delete section…");
	await clean(page);
	await page.keyboard.press("Tab"); // from the way out to what it is about
	await page.keyboard.press("Enter");
	await shut(page);
	await both([["Channels", false, ["attic", "cranes", "harbour", "quay"]], DIRECT]);
	assert.equal(ok(await bob.get("/api/v1/me/sidebar")).sections.filter((s) => s.kind === "own").length, 0);
	await b.page.reload();
	await live(b.page);
	await both([["Channels", false, ["attic", "cranes", "harbour", "quay"]], DIRECT]);
});
