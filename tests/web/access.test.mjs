// Devices, access tokens, and bots in the web client: seen, ended, made, shown once, revoked.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client, signIn } from "../support/http.mjs";
import { timeOf } from "../support/lag.mjs";
import { startStack, until } from "../support/stack.mjs";
import { ok } from "../api/help.mjs";
import { PHONE, cleanIn, inTime, launch, live, person } from "./help.mjs";

let stack, browser;
before(async () => {
	stack = await startStack({ realtime: 2 });
	browser = await launch();
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

async function open(page, name) {
	if (await page.locator("nav.side[inert]").count()) await page.locator(".burger").click();
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Settings…" }).click();
	await page.getByRole("button", { name: `${name}:` }).click();
	await page.locator(`dialog[open][aria-label="${name}"]`).waitFor();
}
const clean = (page, where) => cleanIn(page, { where, schemes: ["light", "dark"] });

test("devices: the own one is marked, another is signed out and its page says so within a second; then all others at once", async () => {
	const here = await person(stack, browser, "bob", { byHand: true }); // a session is named by the browser that signed in
	const there = await person(stack, browser, "bob", { byHand: true, viewport: PHONE });
	const third = await signIn(stack, "bob");
	await Promise.all([live(here.page), live(there.page)]);
	const id = await there.page.evaluate(async () => (await (await fetch("/api/v1/me", { headers: { "PulseChat-Client": "t" } })).json()).session.id);
	await open(here.page, "Devices");
	const entries = here.page.locator("dialog[open] li");
	await until(async () => (await entries.count()) === 3, { what: "three devices" });
	assert.equal(await here.page.locator("dialog[open] li", { hasText: "This device" }).count(), 1);
	assert.equal(await here.page.locator("dialog[open] li", { hasText: "Chrome on Linux" }).count(), 2);
	await clean(here.page, "devices");
	// the second of the list may be either of the others: end the one that is open by the API's own id
	const list = ok(await third.get("/api/v1/me/sessions")).sessions.map((s) => s.id);
	const says = there.page.evaluate(
		() =>
			new Promise((ok) => {
				const look = () => location.pathname === "/sign-in" && requestAnimationFrame(() => ok(Date.now()));
				new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
			}),
	);
	const ends = async () => {
		await entries.nth(list.indexOf(id)).getByRole("button", { name: /^Sign out / }).click();
		return (await says) - (await timeOf(stack, "revoked_at", `from sessions where id = ${id}`));
	};
	await inTime(1000, [here.page], ends, "it says that it is signed out");
	await until(async () => (await entries.count()) === 2, { what: "two devices" });
	ok(await third.get("/api/v1/me"));
	await here.page.getByRole("button", { name: "Sign out all other devices" }).click();
	await until(async () => (await entries.count()) === 1, { what: "one device" });
	assert.equal((await third.get("/api/v1/me")).status, 401);
	await live(here.page);
	assert.deepEqual(here.faults, []);
	await Promise.all([here.context.close(), there.context.close()]);
});

test("access tokens: made with a name and scopes, shown once, work, are revoked by two clicks; on a phone too", async () => {
	const { page, context, faults } = await person(stack, browser, "alice", { viewport: PHONE, hasTouch: true });
	await live(page);
	await open(page, "Access tokens");
	await page.getByRole("button", { name: "Make the token" }).click();
	await page.getByText("Give the token a name.").waitFor();
	await clean(page, "tokens, refused");
	await page.getByLabel("Name").fill("Night <b>backup</b>");
	await page.getByLabel("Write").uncheck();
	await page.getByLabel("Administer").check();
	await page.getByLabel("Ends").selectOption("30");
	await page.getByRole("button", { name: "Make the token" }).click();
	const field = page.getByLabel("Copy the token now.");
	await field.waitFor();
	const token = await field.inputValue();
	assert.match(token, /^pct_[A-Za-z0-9_-]{43}$/);
	await clean(page, "tokens, a new one");
	const program = client(stack, { token });
	assert.deepEqual(ok(await program.get("/api/v1/me")).session.scopes, ["read", "admin"]);
	await page.getByRole("button", { name: "I have it" }).click();
	await page.keyboard.press("Escape");
	await open(page, "Access tokens");
	const entry = page.locator("dialog[open] li", { hasText: "Night <b>backup</b>" });
	await entry.getByText(/Read, Administer · Last used/).waitFor();
	assert.ok(!(await page.content()).includes(token), "it is shown once");
	await entry.getByRole("button", { name: "Revoke" }).click();
	ok(await program.get("/api/v1/me"));
	await entry.getByRole("button", { name: "Revoke it for good" }).click();
	await entry.waitFor({ state: "detached" });
	assert.equal((await program.get("/api/v1/me")).status, 401);
	assert.deepEqual(faults, []);
	await context.close();
});

test("bots: an admin makes one, and a token for it that is shown once; the audit log says so; on a phone", async () => {
	const { page, context, faults } = await person(stack, browser, "alice", { viewport: PHONE, hasTouch: true });
	await live(page);
	await page.goto(`${stack.url}/admin/bots`);
	await page.getByText("No bots yet.").waitFor();
	await clean(page, "no bots");
	const handle = page.getByLabel("Handle"), make = page.getByRole("button", { name: "Make the bot" });
	assert.ok(await make.isDisabled());
	await handle.fill("everyone");
	await make.click();
	await page.getByText("everyone is reserved").waitFor();
	await clean(page, "a bot, refused");
	await handle.fill("@builder");
	await page.getByLabel("Name").fill("Build <b>server</b>");
	await make.click();
	const row = page.locator(".admin-row", { hasText: "Build <b>server</b>" });
	await row.getByText("@builder").waitFor();
	await clean(page, "a bot");
	await row.getByRole("button", { name: "Tokens of Build <b>server</b>" }).click();
	const dialog = page.locator('dialog[open][aria-label="Tokens of Build <b>server</b>"]');
	await dialog.getByLabel("Name").fill("ci");
	assert.equal(await dialog.getByLabel("Administer").count(), 0, "the scope would lend it no role");
	await dialog.getByRole("button", { name: "Make the token" }).click();
	const token = await dialog.getByLabel("Copy the token now.").inputValue();
	await clean(page, "a bot's token");
	const program = client(stack, { token });
	const { user } = ok(await program.get("/api/v1/me"));
	assert.deepEqual([user.handle, user.bot], ["builder", true]);
	await dialog.getByRole("button", { name: "I have it" }).click();
	await dialog.getByRole("button", { name: "Revoke ci" }).click();
	await dialog.getByRole("button", { name: "Revoke it for good" }).click();
	await dialog.locator("li").waitFor({ state: "detached" });
	assert.equal((await program.get("/api/v1/me")).status, 401);
	await page.keyboard.press("Escape");
	await page.getByRole("link", { name: "Audit log" }).click();
	for (const what of ["made the bot", "made a token for", "revoked a token of"])
		await page.locator(".audit-row", { hasText: `${what} Build <b>server</b>` }).waitFor();
	assert.ok(!(await page.content()).includes(token), "it is shown once");
	assert.deepEqual(faults.filter((f) => !f.includes("409")), []);
	await context.close();
});
