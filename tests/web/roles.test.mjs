// roles: what moderators and admins do in a browser, what the one it is done to sees, reports; axe on each of these screens.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startStack, until } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { makeChannel, me, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, TABLET, axe, becomes, faultsIn, inTime, launch, live, person, say, seen } from "./help.mjs";

let stack, browser, bots, ids;
before(async () => {
	stack = await startStack({ realtime: 2 });
	browser = await launch();
	const handles = ["alice", "bob", "carol", "dave", "erin"];
	bots = Object.fromEntries(await Promise.all(handles.map(async (h) => [h, await bot(stack, h)])));
	ids = Object.fromEntries(await Promise.all(handles.map(async (h) => [h, (await me(bots[h])).id])));
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

const room = (name, more) => makeChannel(bots.bob, { name, topic: "Where it happens", members: [ids.carol, ids.dave], ...more });
const gone = (page, what) => page.locator(what).waitFor({ state: "detached" });
const choose = async (page, label) => page.locator("dialog[open]").getByRole("radio", { name: new RegExp(`^${label}`) }).check();
const press = (page, name) => page.locator("dialog[open]").getByRole("button", { name, exact: true }).click();

/** The tool of a message, by the keyboard's way to it. */
async function tool(page, text, name) {
	const msg = page.locator(".msg", { has: page.locator(".msg-text", { hasText: text }) });
	await msg.focus();
	await msg.getByRole("button", { name }).press("Enter");
}

test("a moderator mutes by the member list; the composer says until when, and comes back when it is lifted", async () => {
	const c = await room("muting");
	const bob = await person(stack, browser, "bob", { path: `/c/${c.id}/members` });
	const carol = await person(stack, browser, "carol", { path: `/c/${c.id}` });
	await Promise.all([live(bob.page), live(carol.page)]);
	await carol.page.locator("#composer").fill("half a sentence");
	await bob.page.getByRole("button", { name: "Moderate Carol Lindqvist" }).click();
	await choose(bob.page, "Mute");
	await bob.page.getByLabel("How long?").selectOption("For 1 hour");
	await bob.page.getByLabel("Reason").fill("Too many pictures");
	await Promise.all([
		carol.page.locator(".toast", { hasText: /You were muted in #muting.*until .*: Too many pictures/ }).waitFor(), // it goes again
		press(bob.page, "Apply"),
	]);
	await gone(bob.page, "dialog[open]");
	await carol.page.getByText("You are muted until").first().waitFor();
	await becomes(() => carol.page.locator("textarea#composer").count(), 0);
	await bob.page.locator(".person", { hasText: "Carol" }).getByText("muted").waitFor({ state: "attached" });
	await carol.page.reload();
	await carol.page.locator(".silence").waitFor(); // a fresh load says the same
	await bob.page.getByRole("button", { name: "Channel menu" }).click();
	await bob.page.getByRole("menuitem", { name: "Mutes and bans…" }).click();
	await bob.page.getByText("Too many pictures").waitFor();
	await bob.page.getByRole("button", { name: "Lift the mute of Carol Lindqvist" }).click();
	await bob.page.getByText("Nobody is muted or banned here.").waitFor();
	await carol.page.locator("textarea#composer").waitFor();
	await becomes(() => carol.page.locator("textarea#composer").inputValue(), "half a sentence");
	await say(carol.page, "and the rest");
	await seen(bob.page, "and the rest");
	assert.deepEqual([...bob.faults, ...carol.faults], []);
	await bob.context.close();
	await carol.context.close();
});

test("a mute that runs out while one looks gives the composer back by itself", async () => {
	const c = await room("patience");
	const carol = await person(stack, browser, "carol", { path: `/c/${c.id}` });
	await live(carol.page);
	// What we see of it may be too late: the page keeps a record.
	await carol.page.evaluate(() => {
		window.record = [];
		const look = () => {
			const is = document.querySelector(".silence") ? "silence" : document.querySelector("textarea#composer") ? "composer" : "";
			if (is && window.record.at(-1)?.is !== is) window.record.push({ is, at: Date.now() });
		};
		look();
		new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
	});
	const record = () => carol.page.evaluate(() => window.record);
	const mute = (end) => bots.bob.put(`/api/v1/channels/${c.id}/members/${ids.carol}/mute`, { until: new Date(end).toISOString() });
	ok(await mute(Date.now() + 3600_000), 204);
	await becomes(async () => (await record()).map((r) => r.is), ["composer", "silence"]);
	// Now it ends soon; on a busy machine that may be over before it is said.
	let end, said;
	for (let ms = 1500; said === undefined; ms *= 2) {
		const answer = await mute((end = Date.now() + ms));
		if (answer.status === 204) said = Date.now();
	}
	const late = async () => {
		await becomes(async () => (await record()).map((r) => r.is), ["composer", "silence", "composer"]);
		return (await record())[2].at - Math.max(end, said);
	};
	await inTime(1000, [carol.page], late, "the composer is back");
	assert.ok((await record())[2].at >= end, "not before");
	await carol.context.close();
});

test("a report, its handling, and what all of them see of it", async () => {
	const c = await room("market");
	ok(await send(bots.carol, c.id, "Buy my cheap watches"), 201);
	const dave = await person(stack, browser, "dave", { path: `/c/${c.id}` });
	const bob = await person(stack, browser, "bob", { path: `/c/${c.id}` });
	const carol = await person(stack, browser, "carol", { path: `/c/${c.id}` });
	await Promise.all([dave, bob, carol].map(({ page }) => live(page)));
	await seen(dave.page, "Buy my cheap watches");
	assert.equal(await carol.page.locator(".msg").getByRole("button", { name: "Report…" }).count(), 0);
	await tool(dave.page, "cheap watches", "Report…");
	await choose(dave.page, "Spam or advertising");
	await dave.page.getByLabel("Anything to add?").fill("the third time today");
	await Promise.all([
		dave.page.getByText("Somebody will look at it").waitFor(),
		bob.page.getByText("A message was reported").waitFor(),
		press(dave.page, "Report"),
	]);
	const badge = (who, name, n) => who.page.getByRole("navigation").getByRole("button", { name: `${name} ${n}` });
	await badge(bob, "Reports in #market", 1).waitFor();
	const alice = await person(stack, browser, "alice", { path: `/c/${c.id}` });
	await badge(alice, "Open reports", 1).click();
	await alice.page.getByRole("link", { name: "Reports 1" }).waitFor();
	await alice.page.getByRole("button", { name: "Your menu" }).click();
	await alice.page.getByRole("menuitem", { name: /1$/ }).waitFor();
	await alice.page.keyboard.press("Escape");
	for (const who of [dave, carol]) assert.equal(await badge(who, "Open reports", 1).count(), 0);
	await bob.page.getByRole("button", { name: "Channel menu" }).click();
	await bob.page.getByRole("menuitem", { name: "Reports…" }).click();
	const report = bob.page.getByRole("article", { name: /Reported by Dave Tanaka/ });
	await report.getByText("Buy my cheap watches").waitFor();
	await report.getByText("the third time today").waitFor();
	await report.getByRole("button", { name: "Decide…" }).click();
	await choose(bob.page, "Ban its writer from the channel");
	await bob.page.getByLabel("Reason").fill("Spam");
	await Promise.all([
		dave.page.getByText("Your report was dealt with").waitFor(), // these two go again
		carol.page.getByText(/You were banned from .*Spam/).waitFor(),
		bob.page.locator("dialog[open]").last().getByRole("button", { name: "Apply" }).click(),
	]);
	await bob.page.getByText("Nothing is waiting.").waitFor();
	for (const who of [alice, bob]) await who.page.locator(".side-reports").waitFor({ state: "detached" });
	await dave.page.getByText("This message was deleted by a moderator").waitFor();
	await until(async () => !new URL(carol.page.url()).pathname.startsWith(`/c/${c.id}`), { what: "carol is out" });
	for (const who of [alice, dave, bob, carol]) {
		assert.deepEqual(who.faults, []);
		await who.context.close();
	}
});

test("an owner promotes, hands over, edits and archives; a member sees no such thing", async () => {
	const c = await room("succession");
	const bob = await person(stack, browser, "bob", { path: `/c/${c.id}/members` });
	const dave = await person(stack, browser, "dave", { path: `/c/${c.id}/members` });
	await Promise.all([live(bob.page), live(dave.page)]);
	await dave.page.locator(".person").nth(2).waitFor();
	assert.equal(await dave.page.getByRole("button", { name: /^Moderate/ }).count(), 0);
	await bob.page.getByRole("button", { name: "Moderate Dave Tanaka" }).click();
	await choose(bob.page, "Make a moderator");
	await press(bob.page, "Apply");
	// his screen changes with it
	await dave.page.getByRole("button", { name: "Moderate Carol Lindqvist" }).waitFor();
	await dave.page.locator(".person", { hasText: "Dave" }).getByText("Moderator").waitFor();
	await bob.page.getByRole("button", { name: "Channel menu" }).click();
	await bob.page.getByRole("menuitem", { name: "Edit the channel…" }).click();
	await bob.page.locator("dialog[open]").getByLabel("Name").fill("legacy");
	await bob.page.locator("dialog[open]").getByLabel("Archive the channel").check();
	await press(bob.page, "Save");
	await dave.page.locator(".head h1", { hasText: "legacy" }).waitFor();
	await dave.page.getByText("This channel is archived. You can read it").waitFor();
	await bob.page.getByRole("button", { name: "Moderate Dave Tanaka" }).click();
	await choose(bob.page, "Hand the channel over");
	await press(bob.page, "Apply");
	await dave.page.locator(".person", { hasText: "Dave" }).getByText("Owner").waitFor();
	await bob.page.locator(".person", { hasText: "Bob" }).getByText("Moderator").waitFor();
	assert.deepEqual([...bob.faults, ...dave.faults], []);
	await bob.context.close();
	await dave.context.close();
});

// SIZES=all: on a tablet and a phone too, and axe on all that moderates (check-long).
const all = process.env.SIZES === "all";

for (const [size, viewport] of Object.entries(all ? { desktop: DESKTOP, tablet: TABLET, phone: PHONE } : { desktop: DESKTOP }))
	test(`the administration on a ${size}: people, reports, channels, audit log; axe finds nothing`, async () => {
		const c = await room(`plaza ${size}`, { kind: "private" });
		const bad = ok(await send(bots.carol, c.id, `something bad on a ${size}`), 201);
		ok(await bots.dave.post(`/api/v1/channels/${c.id}/messages/${bad.seq}/reports`, { reason: "abuse", text: "look" }), 201);
		const alice = await person(stack, browser, "alice", { viewport, reducedMotion: "reduce", hasTouch: size === "phone" });
		const { page } = alice;
		const found = [];
		const look = async (name) => {
			found.push(...(await faultsIn(page, name)));
			if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${size}-${name}.png` });
		};
		await live(page);
		if (await page.locator("nav.side[inert]").count()) await page.locator(".burger").click();
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.getByRole("menuitem", { name: "Administration" }).click();
		await page.locator(".admin-row").nth(4).waitFor();
		await page.locator("dialog[open], .scrim").waitFor({ state: "detached" });
		await look("people");
		await page.getByLabel("Find by name, handle or address").fill("eri");
		await until(async () => (await page.locator(".admin-row").count()) === 1, { what: "one found" });
		await page.getByLabel("Role of Erin").selectOption("guest");
		await page.getByText("is now guest").waitFor();
		await until(async () => (await bots.erin.get("/api/v1/me")).json.user.role === "guest", { what: "a guest" });
		await page.getByLabel("Role of Erin").selectOption("member");
		await page.getByText("is now member").waitFor();
		await page.getByRole("button", { name: "Manage Erin" }).click();
		await choose(page, "Mute");
		await page.getByLabel("Reason").fill("Loud");
		await look("manage");
		await press(page, "Apply");
		await page.locator(".admin-row").getByText("Muted until").waitFor();
		await page.getByRole("button", { name: "Manage Erin" }).click();
		await choose(page, "Lift the mute");
		await press(page, "Apply");
		await page.locator(".admin-row").getByText("Muted until").waitFor({ state: "detached" });
		await page.getByRole("link", { name: "Reports" }).click();
		const report = page.getByRole("article", { name: /Dave Tanaka/ }).filter({ hasText: `bad on a ${size}` });
		await report.waitFor();
		await look("reports");
		await report.getByRole("button", { name: "Decide…" }).click();
		await choose(page, "Dismiss");
		await look("decide");
		await press(page, "Apply");
		await report.waitFor({ state: "detached" });
		await page.getByRole("link", { name: "Channels" }).click();
		await page.getByLabel("Find by name").fill(`plaza ${size}`);
		await until(async () => (await page.locator(".admin-row").count()) === 1, { what: "one channel found" });
		await page.locator(".admin-row", { hasText: "Bob" }).waitFor();
		await look("channels");
		await page.getByRole("button", { name: `Edit #plaza ${size}` }).click();
		await look("edit");
		await page.locator("dialog[open]").getByLabel("Topic").fill("Quiet, please");
		await press(page, "Save");
		await gone(page, "dialog[open]");
		await page.getByRole("link", { name: "Audit log" }).click();
		await page.locator(".audit-row", { hasText: `changed the channel · #plaza ${size}` }).first().waitFor();
		await page.locator(".audit-row", { hasText: "reason: Loud" }).first().waitFor();
		await look("audit");
		await page.getByLabel("What").selectOption("Reports");
		await page.locator(".audit-row", { hasText: "dealt with a report about Carol Lindqvist" }).first().waitFor();
		await until(async () => (await page.locator(".audit-row", { hasText: "changed the channel" }).count()) === 0, { what: "only reports" });
		await page.getByLabel("What").selectOption("Everything");
		await page.getByLabel("By or about").selectOption("Done to");
		await page.getByLabel("A handle").fill("erin");
		const others = page.locator(".audit-row", { hasNotText: "Erin O'Neill" });
		await until(async () => (await others.count()) === 0, { what: "only what was done to one" });
		await page.locator(".audit-row", { hasText: "reason: Loud" }).first().waitFor();
		await page.goBack();
		assert.match(page.url(), /\/admin\/channels$/);
		assert.equal(found.join("\n"), "");
		assert.deepEqual(alice.faults, []);
		await alice.context.close();
	});

for (const [size, viewport] of Object.entries(all ? { desktop: DESKTOP, phone: PHONE } : {}))
	test(`moderation on a ${size}: axe finds nothing`, async () => {
		const c = await room(`axe ${size}`);
		ok(await send(bots.carol, c.id, "What to do about this?"), 201);
		ok(await bots.bob.put(`/api/v1/channels/${c.id}/members/${ids.carol}/mute`, { reason: "Loud" }), 204);
		const bob = await person(stack, browser, "bob", { viewport, reducedMotion: "reduce", hasTouch: size === "phone", path: `/c/${c.id}` });
		const { page } = bob;
		const found = [];
		const look = async (name) => {
			found.push(...(await faultsIn(page, name)));
			if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${size}-${name}.png` });
		};
		const closed = async () => {
			await page.keyboard.press("Escape");
			await gone(page, "dialog[open]");
		};
		await live(page);
		await seen(page, "What to do about this?");
		await page.locator(".msg").last().focus();
		await look("message-tools");
		const tools = { "Report…": "What is wrong with it?", "Moderate…": "What do you want to do?", "Delete…": "Delete this message?" };
		for (const [name, wait] of Object.entries(tools)) {
			await tool(page, "What to do", name);
			await page.locator("dialog[open]").getByText(wait).waitFor();
			await look(name.slice(0, -1).toLowerCase());
			await closed();
			// the focus is back where it was
			await until(() => page.evaluate(() => document.activeElement?.closest(".msg") !== null), { what: "the focus in the message" });
		}
		await page.locator(".msg-name").last().click();
		await page.locator(".card").getByRole("button", { name: "Moderate…" }).waitFor();
		await look("card");
		await page.keyboard.press("Escape");
		const items = { "Edit the channel…": "Archive the channel", "Mutes and bans…": "Loud", "Reports…": "Nothing is waiting." };
		for (const [name, wait] of Object.entries(items)) {
			await page.getByRole("button", { name: "Channel menu" }).click();
			await look("menu");
			await page.getByRole("menuitem", { name }).click();
			await page.locator("dialog[open]").getByText(wait).waitFor();
			await look(name.slice(0, -1).toLowerCase().replaceAll(" ", "-"));
			await closed();
		}
		await page.goto(`${stack.url}/c/${c.id}/members`);
		await page.getByRole("button", { name: "Moderate Carol Lindqvist" }).waitFor();
		await look("members");
		const carol = await person(stack, browser, "carol", { viewport, reducedMotion: "reduce", path: `/c/${c.id}` });
		await carol.page.getByText("You are muted: you can read, but not write.").waitFor();
		for (const line of await axe(carol.page)) found.push(`muted: ${line}`);
		if (process.env.SHOTS) await carol.page.screenshot({ path: `${process.env.SHOTS}/${size}-muted.png` });
		assert.equal(found.join("\n"), "");
		assert.deepEqual([...bob.faults, ...carol.faults], []);
		await bob.context.close();
		await carol.context.close();
	});

test("a guest is offered no channels to browse or create; made a member, he is at once", async () => {
	await stack.cli(["user", "role", "erin", "guest"]);
	const c = await room("lounge", { members: [ids.erin] });
	const erin = await person(stack, browser, "erin", { path: `/c/${c.id}` });
	await live(erin.page);
	const offered = async () => {
		await erin.page.getByRole("button", { name: "Add a channel" }).click();
		const names = await erin.page.getByRole("menuitem").allTextContents();
		await erin.page.keyboard.press("Escape");
		return names.filter((name) => /channel/i.test(name)).length;
	};
	assert.equal(await offered(), 0);
	await stack.cli(["user", "role", "erin", "member"]);
	await until(async () => (await offered()) === 2, { what: "a member browses and makes channels" });
	assert.deepEqual(erin.faults, []);
	await erin.context.close();
});
