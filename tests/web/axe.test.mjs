// Every screen of the client, light and dark, on a desktop and on a phone: axe finds nothing on any of them.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, axe, faultsIn, launch, live, person, say, seen, visitor } from "./help.mjs";

let stack, browser, bob;
const ids = {};
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	const alice = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	bob = client(stack, { token: await stack.token("bob", ["read", "write"]) });
	const [b, c] = ok(await alice.get("/api/v1/users?limit=50")).users.filter((u) => ["bob", "carol"].includes(u.handle));
	ids.main = (await makeChannel(alice, { name: "harbour", topic: "Ships, cranes, weather", members: [b.id, c.id] })).id;
	ids.private = (await makeChannel(alice, { kind: "private", name: "board", members: [b.id] })).id;
	ids.public = (await makeChannel(bob, { name: "lunch", topic: "Where to?" })).id;
	ids.direct = ok(await alice.post("/api/v1/channels", { kind: "direct", members: [b.id] }), 201).id;
	for (let i = 0; i < 6; i++) await send(i % 2 ? alice : bob, ids.main, `Line ${i}: see https://example.org/${i} and tell me.\nSecond line.`);
	const refer = (body) => alice.post(`/api/v1/channels/${ids.main}/messages`, { client_id: randomUUID(), body });
	ok(await refer({ text: "As it says there:", reply_to: 2 }), 201);
	ok(await refer({ text: "", forward: { channel: ids.main, seq: 1 } }), 201);
	await send(bob, ids.main, "long\n".repeat(60));
	await send(bob, ids.private, "unread and private");
	await send(bob, ids.direct, "unread and direct");
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

// SIZES=all: on a phone too (check-long).
for (const [size, viewport] of Object.entries({ desktop: DESKTOP, ...(process.env.SIZES === "all" && { phone: PHONE }) }))
	test(`on a ${size}`, async () => {
		const options = { viewport, reducedMotion: "reduce", hasTouch: size === "phone" };
		const bad = [];
		const looked = [];
		const look = async (page, name) => {
			looked.push(name);
			bad.push(...(await faultsIn(page, name)));
		};

		const stranger = await visitor(browser, options);
		await stranger.page.goto(`${stack.url}/sign-in`);
		await stranger.page.locator(".door-buttons a").first().waitFor();
		await look(stranger.page, "sign in");
		await stranger.context.route("**/api/v1/site", (r) => r.abort());
		await stranger.page.reload();
		await stranger.page.getByRole("alert").waitFor();
		await look(stranger.page, "sign in, site away");
		await stranger.context.close();

		const newcomer = await person(stack, browser, `new-${size}`, options);
		await newcomer.page.getByText("Join a channel or write to someone to begin.").waitFor();
		await look(newcomer.page, "welcome, no channels");
		await newcomer.page.goto(`${stack.url}/c/${ids.public}`);
		await newcomer.page.getByRole("button", { name: "Join" }).waitFor();
		await look(newcomer.page, "a channel to join");
		await newcomer.page.goto(`${stack.url}/c/${ids.private}`);
		await newcomer.page.getByText("There is no such channel").waitFor();
		await look(newcomer.page, "no such channel");
		await newcomer.context.route("**/api/v1/**", (r) => r.abort());
		await newcomer.page.goto(`${stack.url}/`);
		await newcomer.page.getByText("Cannot reach the server").waitFor();
		await look(newcomer.page, "server away");
		await newcomer.context.close();

		const { page, context, faults } = await person(stack, browser, "alice", { ...options, path: `/c/${ids.main}` });
		const side = async () => {
			if (size === "phone" && (await page.locator("nav.side[inert]").count())) await page.locator(".burger").click();
		};
		const dialog = () => page.locator("dialog[open]").waitFor();
		const closed = async () => {
			await page.keyboard.press("Escape");
			await until(async () => (await page.locator("dialog[open], .menu").count()) === 0, { what: "a closed dialog" });
		};
		await live(page);
		await page.getByRole("button", { name: "Show all" }).waitFor();
		await look(page, "channel, with unread");
		await page.locator(".msg").last().focus();
		await look(page, "channel, a message focused");
		await page.keyboard.press("q");
		await page.locator(".quote-bar").waitFor();
		await look(page, "a quote that is being written");
		await page.keyboard.press("Escape");
		await page.locator(".msg").last().focus();
		await page.keyboard.press("f");
		await page.getByRole("combobox", { name: "Forward to" }).fill("harbour");
		await page.keyboard.press("Enter");
		await page.getByRole("textbox", { name: "Add a comment (optional)" }).waitFor();
		await look(page, "forwarding");
		await closed();
		await page.locator(".msg").last().focus();
		await page.keyboard.press("Tab");
		await page.keyboard.press("Enter");
		await page.locator(".card").waitFor();
		await look(page, "card of a person");
		await page.keyboard.press("Escape");
		await page.locator(".card").waitFor({ state: "detached" });
		await bob.post("/api/v1/ops", `{"op":"typing","channel":${ids.main}}\n`, { headers: { "content-type": "application/x-ndjson" } });
		await page.locator(".typing-text").waitFor();
		await look(page, "somebody types");
		await page.goto(`${stack.url}/c/${ids.main}/members`);
		await page.locator(".person").nth(2).waitFor();
		await look(page, "members");
		await page.getByRole("button", { name: "Add a person" }).click();
		await page.locator("dialog[open] [role=option]").first().waitFor();
		await look(page, "add a person");
		await closed();
		await page.getByRole("button", { name: "Leave channel" }).click();
		await dialog();
		await look(page, "leave");
		await closed();
		await page.goto(`${stack.url}/c/${ids.direct}`);
		await seen(page, "unread and direct");
		await look(page, "direct");
		await page.goto(`${stack.url}/c/${ids.private}`);
		await seen(page, "unread and private");
		await look(page, "private");
		if (size === "phone") {
			await side();
			await look(page, "drawer");
		}
		await side();
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.locator(".menu").waitFor();
		await look(page, "own menu");
		for (const [item, wait, name] of [
			["Set a status…", "dialog[open] .ideas", "status"],
			["Do not disturb…", "dialog[open] .pauses", "do not disturb"],
			["Settings…", "dialog[open] [role=switch]", "settings"],
			["Groups…", "dialog[open] form", "groups"],
		]) {
			if (!(await page.locator(".menu").count())) {
				await side();
				await page.getByRole("button", { name: "Your menu" }).click();
			}
			await page.getByRole("menuitem", { name: item }).click();
			await page.locator(wait).first().waitFor();
			await look(page, name);
			if (name === "status") {
				await page.getByRole("button", { name: "Choose an emoji" }).click();
				await look(page, "status, emoji");
			}
			if (name === "settings") {
				await page.getByRole("button", { name: "Emoji of this site: Show" }).click();
				await page.getByRole("form", { name: "Add an emoji" }).waitFor();
				await look(page, "own emoji");
			}
			await closed();
		}
		await side();
		await page.getByRole("button", { name: "Add a channel" }).click();
		await page.locator(".menu").waitFor();
		await look(page, "channel menu");
		await page.getByRole("menuitem", { name: "Create a channel" }).click();
		await dialog();
		await look(page, "create");
		await page.locator("dialog[open] form").evaluate((f) => f.requestSubmit());
		await page.getByText("Give the channel a name.").waitFor();
		await look(page, "create, refused");
		await closed();
		await side();
		await page.getByRole("button", { name: "Add a channel" }).click();
		await page.getByRole("menuitem", { name: "Browse channels" }).click();
		await page.locator("dialog[open] [role=option]").first().waitFor();
		await look(page, "browse");
		// One dialog leads to another, and that one stays.
		await page.locator("dialog[open]").getByRole("button", { name: "Create a channel" }).click();
		await page.locator("dialog[open] form").waitFor();
		await look(page, "create, from browse");
		assert.equal(await page.locator("dialog[open] form").count(), 1);
		await closed();
		await side();
		await page.getByRole("button", { name: "New direct message" }).last().click();
		await page.locator("dialog[open] [role=option]").first().waitFor();
		await look(page, "new direct message");
		await closed();
		await page.keyboard.press("Control+k");
		await page.locator("dialog[open] [role=option]").first().waitFor();
		await look(page, "switcher");
		await page.keyboard.type("zzzz");
		await page.getByText("Search messages for").waitFor(); // nobody and nothing has that name
		await look(page, "switcher, nothing found");
		await closed();
		await page.evaluate(() => document.activeElement.blur());
		await page.keyboard.press("?");
		await page.locator("dialog[open] .keys").waitFor();
		await look(page, "shortcuts");
		await closed();
		await page.locator("#composer").fill("x".repeat(19900));
		await page.getByText("100 characters left").waitFor();
		await look(page, "composer, nearly full");
		await page.locator("#composer").fill("x".repeat(20001));
		await page.getByText("1 character too many").waitFor();
		await look(page, "composer, too long");
		await page.locator("#composer").fill("");
		await context.setOffline(true);
		await say(page, "waits");
		await page.locator(".msg-pending").waitFor();
		await page.getByText("You are offline").waitFor();
		await look(page, "offline, a message waits");
		await context.setOffline(false);
		await seen(page, "waits");
		await context.route("**/api/v1/channels/*/messages*", (r) => r.abort());
		await page.goto(`${stack.url}/c/${ids.main}`);
		await page.getByText("The messages could not be loaded.").waitFor();
		await look(page, "history away");
		assert.equal(bad.join("\n"), "");
		assert.deepEqual(faults, []);
		assert.ok(looked.length >= 32);
		await context.close();
	});

test("axe does find what is wrong", async () => {
	const { page, context } = await visitor(browser);
	await page.goto(`${stack.url}/sign-in`);
	await page.locator(".door-buttons a").first().waitFor();
	await page.evaluate(() => document.body.append(document.createElement("button")));
	assert.ok((await axe(page)).some((line) => line.startsWith("button-name")));
	await context.close();
});
