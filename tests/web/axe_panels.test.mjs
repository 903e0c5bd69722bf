// What opens from a message, a channel or a section: lists, forms, pickers. On a desktop, a tablet and a phone axe finds nothing on any of them,
// and nothing is cut off at their sides.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, TABLET, faultsIn, launch, live, person } from "./help.mjs";

let stack, browser, id;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	const [alice, bob] = await Promise.all(["alice", "bob"].map(async (who) => client(stack, { token: await stack.token(who, ["read", "write"]) })));
	const bobs = ok(await bob.get("/api/v1/me")).user.id;
	id = (await makeChannel(alice, { name: "harbour", topic: "Ships, cranes, weather", members: [bobs] })).id;
	for (let i = 1; i <= 6; i++) ok(await send(i % 2 ? alice : bob, id, `Line ${i}: the tide of today and what it brings to the pier`), 201);
	const path = `/api/v1/channels/${id}/messages/5`;
	ok(await alice.patch(path, { body: { text: "Line 5, put right" }, version: 1 }));
	for (const who of [alice, bob]) ok(await who.put(`${path}/reactions/${encodeURIComponent("🎉")}`));
	for (const seq of [2, 5]) {
		ok(await alice.put(`/api/v1/channels/${id}/messages/${seq}/pin`));
		ok(await alice.put(`/api/v1/channels/${id}/messages/${seq}/saved`));
	}
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

// SIZES=all: on a tablet too (check-long).
for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE, ...(process.env.SIZES === "all" && { tablet: TABLET }) }))
	test(`on a ${size}`, async () => {
		const options = { viewport, reducedMotion: "reduce", hasTouch: size === "phone" };
		const { page, context, faults } = await person(stack, browser, "alice", { ...options, path: `/c/${id}` });
		const bad = [];
		let last;
		const look = async (name) => {
			last = name;
			bad.push(...(await faultsIn(page, name)));
		};
		const closed = async () => {
			await page.keyboard.press("Escape");
			await until(async () => (await page.locator("dialog[open], .menu").count()) === 0, { what: `closed: ${last}` });
		};
		const side = async () => {
			if (await page.locator("nav.side[inert]").count()) await page.locator(".burger").click();
		};
		const item = async (name) => {
			await page.getByRole("button", { name: "Channel menu" }).click();
			if (name) await page.getByRole("menuitem", { name }).click();
		};
		await live(page);
		const row = page.locator('.list .msg[data-seq="5"]');
		await row.waitFor();

		await item();
		await page.locator(".menu").waitFor();
		await look("channel menu");
		await closed();
		for (const [name, wait] of [
			["Notifications…", "dialog[open] input[name=level]"],
			["Move to section…", "dialog[open] input[name=section]"],
			["Jump to date…", "dialog[open] input[type=date]"],
			["Invite links…", "dialog[open]"],
		]) {
			await item(name);
			await page.locator(wait).first().waitFor();
			await look(name);
			if (name === "Move to section…") {
				await page.getByText("New section…").click();
				await page.locator("dialog[open] input[type=text]").waitFor();
				await look("move to a new section");
			}
			if (name === "Invite links…") {
				await page.locator("dialog[open] form button[type=submit]").click();
				await page.locator("#invite-link").waitFor();
				await page.locator("#invites-open").waitFor();
				await look("a link that was made");
			}
			await closed();
		}

		await row.focus();
		await page.keyboard.press("r");
		await page.locator("dialog[open] .emoji-cell").nth(20).waitFor();
		await look("reaction picker");
		await page.locator("dialog[open] input[type=search]").fill("zzzz");
		await page.getByText("No emoji of that name").waitFor();
		await look("reaction picker, nothing found");
		await page.keyboard.press("Escape"); // what was written
		await closed();
		await row.locator(".reaction").first().focus();
		await page.keyboard.press("i");
		await page.locator("dialog[open] .person").nth(1).waitFor();
		await look("who reacted");
		await closed();
		await row.locator(".msg-edited").click();
		await page.locator("dialog[open] .edits-list li").nth(1).waitFor();
		await look("what a message said");
		await closed();

		await page.goto(`${stack.url}/c/${id}/pins`);
		await page.locator(".result").nth(1).waitFor();
		await look("pins");
		await page.goto(`${stack.url}/c/${id}/saved`);
		await page.locator(".result").nth(1).waitFor();
		await look("saved, beside the channel");
		await page.goto(`${stack.url}/saved`);
		await page.locator(".result").nth(1).waitFor();
		await look("saved");

		await side();
		await page.getByRole("button", { name: "Add a channel" }).click();
		await page.getByRole("menuitem", { name: "New section…" }).click();
		await page.locator("dialog[open] input[type=text]").fill("Mine");
		await look("a new section");
		await page.keyboard.press("Enter");
		await until(async () => (await page.locator("dialog[open]").count()) === 0, { what: "the section is made" });
		await side();
		await page.getByRole("button", { name: "Section Mine" }).click();
		await page.getByRole("menuitem", { name: "Rename section…" }).waitFor();
		await look("section menu");
		await page.getByRole("menuitem", { name: "Rename section…" }).click();
		await page.locator("dialog[open] input[type=text]").waitFor();
		await look("rename a section");
		await closed();
		await side();
		await page.getByRole("button", { name: "Section Mine" }).click();
		await page.getByRole("menuitem", { name: "Delete section" }).click();
		await page.getByRole("dialog", { name: "Delete section Mine?" }).waitFor();
		await look("a question before a section goes");
		await page.getByRole("button", { name: "Delete section", exact: true }).click();
		await until(async () => (await page.locator("dialog[open]").count()) === 0, { what: "the section is deleted" });
		assert.equal(await page.getByRole("button", { name: "Section Mine" }).count(), 0);

		await side();
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.getByRole("menuitem", { name: "Settings…" }).click();
		await page.getByRole("button", { name: "Emoji of this site: Show" }).click();
		await page.getByRole("form", { name: "Add an emoji" }).waitFor();
		await look("own emoji");
		await closed();
		assert.equal(bad.join("\n"), "");
		assert.deepEqual(faults, []);
		await context.close();
	});
