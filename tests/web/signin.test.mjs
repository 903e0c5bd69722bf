// Signing in and out in a browser, by the provider's real pages: each page of the site leads there and back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client, pickInBrowser } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel } from "../api/help.mjs";
import { WHOLE, ask, launch, live, person, ready, visitor } from "./help.mjs";

let stack, browser, harbour;
before(async () => {
	stack = await startStack({ realtime: 2 });
	browser = await launch(WHOLE);
	harbour = await makeChannel(client(stack, { token: await stack.token("alice", ["read", "write"]) }), { name: "harbour" });
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

const atTheDoor = (page) => page.getByRole("link", { name: "Continue with Google" }).waitFor();

test("every page leads a stranger to the provider and back to where he was", async () => {
	const paths = { "/": `/c/${harbour.id}`, [`/c/${harbour.id}`]: null, [`/c/${harbour.id}/members`]: null };
	for (const [path, end] of Object.entries(paths)) {
		const { context, page, faults } = await visitor(browser);
		await page.goto(stack.url + path);
		await atTheDoor(page);
		assert.equal(new URL(page.url()).pathname, "/sign-in");
		assert.equal(new URL(page.url()).searchParams.get("return_to"), path);
		await page.getByRole("link", { name: "Continue with Google" }).click();
		await page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
		await pickInBrowser(page, "alice");
		await page.waitForURL(stack.url + (end ?? path));
		await page.getByRole("heading", { level: 1, name: "harbour" }).waitFor();
		if (path.endsWith("/members")) await page.locator(".person-name", { hasText: "Alice Moreau" }).waitFor();
		assert.equal((await ask(page, "/api/v1/me")).user.handle, "alice");
		assert.deepEqual(faults, []);
		await context.close();
	}
});

test("each provider has its button, and the one that is chosen is asked", async () => {
	const { context, page } = await visitor(browser);
	await page.goto(`${stack.url}/sign-in`);
	await atTheDoor(page);
	assert.deepEqual(await page.locator(".door-buttons a").allInnerTexts(), ["Continue with Google", "Continue with GitHub"]);
	await page.getByRole("link", { name: "Continue with GitHub" }).click();
	await page.getByRole("heading", { name: "Sign in with GitHub" }).waitFor();
	await pickInBrowser(page, "dave");
	await page.waitForURL((url) => url.origin === stack.url && url.pathname !== "/sign-in");
	await ready(page);
	assert.equal((await ask(page, "/api/v1/me")).user.handle, "dave");
	await context.close();
});

test("who turns back at the provider is told so, and starts again", async () => {
	const { context, page } = await visitor(browser);
	await page.goto(`${stack.url}/c/${harbour.id}`);
	await page.getByRole("link", { name: "Continue with Google" }).click();
	await page.getByRole("button", { name: "Cancel" }).click();
	await page.getByRole("link", { name: "Start again" }).click();
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl) || url.pathname === "/sign-in");
	if (page.url().startsWith(stack.url)) await page.getByRole("link", { name: "Continue with Google" }).click();
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
	await pickInBrowser(page, "alice");
	await page.waitForURL((url) => url.origin === stack.url && url.pathname !== "/sign-in");
	await ready(page);
	await context.close();
});

test("the sign-in page passes on who is signed in already, and only to a page of this site", async () => {
	const { context, page } = await person(stack, browser, "alice");
	await page.goto(`${stack.url}/sign-in?return_to=/c/${harbour.id}/members`);
	await page.waitForURL(`${stack.url}/c/${harbour.id}/members`);
	for (const evil of ["//evil/", "https://evil/", "/\\evil/"]) {
		await page.goto(`${stack.url}/sign-in?return_to=${encodeURIComponent(evil)}`);
		await page.waitForURL(`${stack.url}/c/${harbour.id}`);
	}
	await context.close();
});

test("signing out ends the session, forgets drafts, and every page asks again", async () => {
	const { context, page } = await person(stack, browser, "alice", { path: `/c/${harbour.id}` });
	await live(page);
	await page.locator("#composer").fill("not for the next one at this computer");
	await until(() => page.evaluate(() => Object.keys(localStorage).some((k) => k.includes("draft"))), { what: "a kept draft" });
	const before = (await context.cookies(stack.url)).filter((c) => c.name === `pulsechat_${stack.port}`);
	assert.deepEqual([before.length, before[0].httpOnly, before[0].sameSite, before[0].path], [1, true, "Lax", "/"]);
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Sign out" }).click();
	// The provider may ask before it ends its own session.
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl) || url.pathname === "/sign-in");
	const confirm = page.getByRole("button", { name: "Sign out" });
	await until(async () => {
		if (page.url().startsWith(`${stack.url}/sign-in`)) return true;
		if (await confirm.count()) await confirm.click({ timeout: 1000 }).catch(() => {});
		return false;
	});
	await atTheDoor(page);
	assert.equal(await page.evaluate(() => Object.keys(localStorage).some((k) => k.includes("draft"))), false);
	await page.goto(`${stack.url}/c/${harbour.id}`);
	await atTheDoor(page);
	// The cookie of before is worth nothing.
	await context.addCookies(before);
	await page.goto(`${stack.url}/c/${harbour.id}`);
	await atTheDoor(page);
	await context.close();
});
