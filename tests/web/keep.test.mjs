// What is kept, in real browsers: drafts on two devices of one person, an outbox with a file over an outage, pins, saved messages, links.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { allMessages, makeChannel, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, axe, becomes, ends, launch, person, ready, rung, say, seen } from "./help.mjs";
import { pick } from "./files.mjs";

let stack, browser, api, id, hidden, a, b, bob;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	const person2 = ok(await api.get("/api/v1/users?q=bob")).users[0];
	id = (await makeChannel(api, { name: "keep", members: [person2.id] })).id;
	hidden = (await makeChannel(api, { name: "hidden", kind: "private" })).id;
	for (let i = 1; i <= 60; i++) ok(await send(api, id, `line ${i}`), 201);
	// so that his list begins at its end
	ok(await client(stack, { token: await stack.token("bob", ["write"]) }).put(`/api/v1/channels/${id}/read`, { seq: 60 }));
	const options = { path: `/c/${id}`, permissions: ["clipboard-read", "clipboard-write"] };
	[a, b, bob] = await Promise.all(["alice", "alice", "bob"].map((login) => person(stack, browser, login, options)));
	// by whichever way
	for (const who of [a, b, bob]) await until(async () => (await rung(who.page)).startsWith("live "), { ms: 30000, what: "a live link" });
});
after(() => ends(stack, browser, a, b, bob));

const box = (page) => page.locator("#composer");
const holds = (page, text) => until(async () => (await box(page).inputValue()) === text, { what: `the composer says ${JSON.stringify(text)}` });
const row = (page, seq) => page.locator(`.msg[data-seq="${seq}"]`);
const chips = (page, n) => until(async () => (await page.locator(".chip[data-state=ready]").count()) === n, { what: `${n} files that are ready` });
/** In the page: whether the browser keeps a file of so many bytes. */
const bytesKept = (size) =>
	new Promise((done) => {
		const open = indexedDB.open("pulsechat-uploads");
		open.onerror = () => done(false);
		open.onsuccess = () => {
			const store = open.result.objectStoreNames.contains("bytes") && open.result.transaction("bytes").objectStore("bytes").getAll();
			if (!store) return done(false);
			store.onsuccess = () => done(store.result.some((k) => k.blob?.size === size));
		};
	});
// SIZES=all: axe on the panels too (check-long).
async function lookedAt(page, colorScheme) {
	if (process.env.SIZES !== "all") return [];
	await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
	return axe(page);
}

test("a draft with a file is on both devices; whoever types keeps his text; sent, it is gone from both", async () => {
	await box(a.page).pressSequentially("hel");
	await holds(b.page, "hel");
	await pick(a.page, { name: "plan.txt", type: "text/plain", bytes: "later" });
	await chips(b.page, 1);
	assert.equal(await b.page.locator(".chip .file-name").textContent(), "plan.txt");
	// both at once
	await Promise.all([box(a.page).pressSequentially("lo from a", { delay: 60 }), box(b.page).pressSequentially("p from b", { delay: 60 })]);
	await becomes(() => Promise.all([box(a.page).inputValue(), box(b.page).inputValue()]), ["hello from a", "help from b"]);
	// the last word stands
	await until(
		async () => {
			const said = ok(await api.get(`/api/v1/channels/${id}/draft`));
			return said.files.length === 1 && new Set([said.text, await box(a.page).inputValue(), await box(b.page).inputValue()]).size === 1;
		},
		{ what: "both devices and the server have the same draft" },
	);
	// in another channel the side bar says so, over a reload too
	await b.page.locator(".entry", { hasText: "hidden" }).click();
	await b.page.locator(".entry", { hasText: "keep" }).locator(".entry-draft").waitFor();
	await b.page.reload();
	await b.page.locator(".entry", { hasText: "keep" }).locator(".entry-draft").waitFor();
	await b.page.locator(".entry", { hasText: "keep" }).click();
	await chips(b.page, 1);
	// it is sent where the file came from elsewhere
	await box(b.page).fill("with a plan");
	await box(b.page).press("Enter");
	await Promise.all([seen(a.page, "with a plan"), seen(bob.page, "with a plan")]);
	const last = (await allMessages(api, id)).at(-1);
	assert.deepEqual([last.body.text, last.body.files.map((f) => f.name)], ["with a plan", ["plan.txt"]]);
	await Promise.all([chips(a.page, 0), chips(b.page, 0), holds(b.page, "")]);
	await becomes(() => a.page.locator(".entry-draft").count(), 0);
});

test("written with a file while the site is down: it waits, over a reload too, and goes exactly once when the site is up", async () => {
	await box(a.page).fill("");
	await holds(b.page, "");
	await Promise.all(["realtime1", "api1"].map((n) => stack.down(n)));
	await pick(a.page, { name: "tunnel.txt", type: "text/plain", bytes: "in the tunnel" });
	await box(a.page).fill("from the tunnel");
	await box(a.page).press("Enter");
	await say(a.page, "and behind it");
	await a.page.locator(".msg-pending", { hasText: "from the tunnel" }).waitFor();
	await until(() => a.page.evaluate(bytesKept, "in the tunnel".length), { what: "the file is kept" });
	await a.page.reload();
	await a.page.getByText("Cannot reach the server").waitFor();
	await Promise.all(["realtime1", "api1"].map((n) => stack.up(n)));
	await ready(a.page);
	await Promise.all([seen(a.page, "from the tunnel", 30000), seen(bob.page, "from the tunnel", 30000)]);
	await seen(a.page, "and behind it", 30000);
	await until(async () => (await a.page.locator(".msg-pending").count()) === 0, { what: "nothing waits" });
	const mine = (await allMessages(api, id)).filter((m) => /tunnel|behind/.test(m.body.text));
	const told = mine.map((m) => [m.body.text, (m.body.files ?? []).map((f) => f.name)]).sort();
	assert.deepEqual(told, [["and behind it", []], ["from the tunnel", ["tunnel.txt"]]]);
});

test("pinned for everyone, saved for oneself, by keys and by the panels; what is deleted leaves both", async () => {
	const { page } = a;
	const [pin, save] = [61, 60];
	await row(page, pin).focus();
	await page.keyboard.press("p");
	await Promise.all([a, b, bob].map((who) => row(who.page, pin).getByText("Pinned by Alice").waitFor()));
	await row(page, save).focus();
	await page.keyboard.press("s");
	await Promise.all([a, b].map((who) => row(who.page, save).getByText("Saved").waitFor()));
	assert.equal(await row(bob.page, save).locator(".msg-kept").count(), 0);
	await row(bob.page, save).focus();
	await bob.page.keyboard.press("p");
	await bob.page.getByText("Owners and moderators pin messages here.").waitFor();
	// the panels
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press("p");
	const pins = page.getByRole("complementary", { name: "Pinned messages" });
	await pins.locator(".result", { hasText: "with a plan" }).waitFor();
	assert.deepEqual(await lookedAt(page, "light"), []);
	await becomes(() => pins.locator(".result").count(), 1);
	await page.goto(`${stack.url}/c/${id}/saved`);
	const saved = page.getByRole("complementary", { name: "Saved messages" });
	await saved.locator(".result", { hasText: "line 60" }).waitFor();
	assert.deepEqual(await lookedAt(page, "dark"), []);
	ok(await api.put(`/api/v1/channels/${id}/messages/3/saved`));
	await saved.locator(".result", { hasText: "line 3" }).click();
	await row(page, 3).waitFor();
	ok(await api.delete(`/api/v1/channels/${id}/messages/3`));
	await saved.locator(".result", { hasText: "line 3" }).waitFor({ state: "detached" });
	await saved.getByRole("button", { name: "Remove the message of Alice Moreau from saved" }).click();
	await saved.getByText("You have saved nothing yet.").waitFor();
	// the same as a page, from the side bar
	await page.locator(".side").getByRole("link", { name: "Saved messages" }).click();
	const list = page.locator("main .result");
	await page.locator("main").getByText("You have saved nothing yet.").waitFor();
	assert.equal(new URL(page.url()).pathname, "/saved");
	ok(await api.put(`/api/v1/channels/${id}/messages/4/saved`));
	await list.filter({ hasText: "line 4" }).waitFor();
	for (const theme of ["light", "dark"]) assert.deepEqual(await lookedAt(page, theme), []);
	await page.setViewportSize(PHONE);
	await page.reload();
	await list.filter({ hasText: "line 4" }).waitFor();
	assert.deepEqual(await lookedAt(page, "dark"), []);
	await page.locator(".burger").click();
	assert.equal(await page.locator(".side a[aria-current=page]").textContent(), "Saved messages");
	await page.keyboard.press("Escape");
	await list.filter({ hasText: "line 4" }).click();
	await row(page, 4).waitFor();
	await page.setViewportSize(DESKTOP);
	ok(await api.delete(`/api/v1/channels/${id}/messages/4/saved`));
	const nobody = await person(stack, browser, "keeps-nothing", { path: "/saved" });
	await nobody.page.locator("main").getByText("You have saved nothing yet.").waitFor();
	assert.deepEqual(nobody.faults, []);
	await nobody.context.close();
	await bob.page.setViewportSize(PHONE);
	await bob.page.goto(`${stack.url}/c/${id}/pins`);
	await bob.page.locator("main .result", { hasText: "with a plan" }).waitFor();
	assert.deepEqual(await lookedAt(bob.page, "light"), []);
	ok(await api.delete(`/api/v1/channels/${id}/messages/${pin}`));
	await bob.page.getByText("Nothing is pinned here.").waitFor();
});

test("a link to a message: copied by a key, it opens there with what is around it; to whom it is closed it says so", async () => {
	const { page } = b;
	await page.goto(`${stack.url}/c/${id}?at=5`);
	await row(page, 5).waitFor();
	await row(page, 5).focus();
	await page.keyboard.press("l");
	await page.getByText("Link copied").waitFor();
	const link = await page.evaluate(() => navigator.clipboard.readText());
	assert.equal(link, `${stack.url}/c/${id}/m/5`);
	await bob.page.goto(link);
	await row(bob.page, 5).waitFor();
	await until(() => row(bob.page, 5).evaluate((e) => e === document.activeElement || e.className.includes("target")), { what: "it is shown" });
	await row(bob.page, 4).waitFor();
	ok(await send(api, hidden, "secret"), 201);
	await bob.page.goto(`${stack.url}/c/${hidden}/m/1`);
	await bob.page.getByText("There is no such channel").waitFor();
	assert.equal(await bob.page.getByText("secret").count(), 0);
	await page.goto(`${stack.url}/c/${id}/m/3`);
	await page.locator(".msg-gone").first().waitFor();
});

test("a quote, by keys: on both devices while it is written, after the original in edits and deletion, a way there", async () => {
	await bob.page.setViewportSize(DESKTOP);
	await Promise.all([a, b, bob].map(({ page }) => page.goto(`${stack.url}/c/${id}`)));
	await Promise.all([a, b, bob].map(({ page }) => row(page, 59).waitFor()));
	await box(a.page).fill("");
	await row(a.page, 59).focus();
	await a.page.keyboard.press("q");
	await a.page.locator(".quote-bar", { hasText: "line 59" }).waitFor();
	await b.page.locator(".quote-bar", { hasText: "Replying to" }).waitFor();
	await a.page.keyboard.press("Escape");
	await Promise.all([a, b].map(({ page }) => page.locator(".quote-bar").waitFor({ state: "detached" })));
	await row(a.page, 59).focus();
	await a.page.keyboard.press("q");
	await a.page.keyboard.type("with a quote");
	await a.page.reload();
	await a.page.locator(".quote-bar", { hasText: "line 59" }).waitFor();
	// above what is written, on a phone too
	await a.page.setViewportSize(PHONE);
	const boxes = () => Promise.all([".quote-bar", "#composer"].map((c) => a.page.locator(c).boundingBox()));
	const above = (bar, area) => bar.y + bar.height <= area.y + 1 && area.width > 200;
	await until(async () => above(...(await boxes())), { what: "the quote above the text" });
	await a.page.setViewportSize(DESKTOP);
	await box(a.page).press("Enter");
	await seen(bob.page, "with a quote");
	await Promise.all([a, b].map(({ page }) => page.locator(".quote-bar").waitFor({ state: "detached" })));
	const quote = bob.page.locator(".msg", { hasText: "with a quote" }).locator(".quote");
	assert.match(await quote.textContent(), /Alice Moreau.*line 59/);
	ok(await api.patch(`/api/v1/channels/${id}/messages/59`, { body: { text: "line 59, changed" } }));
	await quote.getByText("line 59, changed").waitFor();
	ok(await api.delete(`/api/v1/channels/${id}/messages/59`));
	await quote.getByText("This message was deleted.").waitFor();
	// one that is not loaded
	ok(await api.post(`/api/v1/channels/${id}/messages`, { client_id: randomUUID(), body: { text: "of old", reply_to: 2 } }), 201);
	const old = bob.page.locator(".msg", { hasText: "of old" }).locator(".quote");
	await old.getByText("line 2").waitFor();
	await old.click();
	await row(bob.page, 2).waitFor();
});

test("forwarded, by keys: found by name, with a comment, shown there as it was", async () => {
	const { page } = a;
	await page.goto(`${stack.url}/c/${id}`);
	await row(page, 58).waitFor();
	await row(page, 58).focus();
	await page.keyboard.press("f");
	await page.getByRole("combobox", { name: "Forward to" }).fill("hidd");
	await page.getByRole("option", { name: "hidden" }).waitFor();
	await page.keyboard.press("Enter");
	await page.getByRole("textbox", { name: "Add a comment (optional)" }).fill("look at this");
	await page.keyboard.press("Enter");
	await page.getByText("Forwarded to").waitFor();
	await page.goto(`${stack.url}/c/${hidden}`);
	await seen(page, "look at this");
	const card = page.locator(".msg", { hasText: "look at this" }).locator(".forward");
	assert.match(await card.textContent(), /Alice Moreau.*line 58/);
	ok(await api.delete(`/api/v1/channels/${id}/messages/58`));
	await page.reload();
	await card.getByText("line 58").waitFor();
	await card.getByRole("button", { name: "#keep" }).click();
	await until(() => page.evaluate((path) => location.pathname + location.search === path, `/c/${id}?at=58`), { what: "its channel is open" });
});

test("compact: at once, with the place kept at the bottom and above it, in this browser, from its first paint on", async () => {
	const { page } = a;
	await page.goto(`${stack.url}/c/${id}`);
	await page.locator(".msg[data-seq]").last().waitFor();
	const compact = async (want) => {
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.getByRole("menuitem", { name: "Settings…" }).click();
		await page.getByRole("switch", { name: "Compact" }).click();
		await becomes(() => page.evaluate(() => document.documentElement.dataset.density === "compact"), want);
		await page.keyboard.press("Escape");
		await page.locator("dialog[open]").waitFor({ state: "detached" });
	};
	const tall = () => row(page, 57).evaluate((m) => m.offsetHeight);
	const below = () => page.locator(".list").evaluate((l) => Math.round(l.scrollHeight - l.scrollTop - l.clientHeight));
	await becomes(below, 0);
	const before = await tall();
	await compact(true);
	assert.ok((await tall()) < before, `${await tall()} px instead of ${before}`);
	await becomes(below, 0);
	// half-way up: what is on top stays where it is
	const settled = () =>
		page.evaluate(async () => {
			for (let i = 0; i < 3; i++) await new Promise((ok) => requestAnimationFrame(ok));
		});
	const start = page.locator(".start");
	// until nothing more is to be loaded: what comes above does not move what is on the screen
	await until(() => page.locator(".list").evaluate((l) => (l.scrollTop = 0)).then(() => start.isVisible()), { what: "the start of the channel" });
	await page.locator(".list").evaluate((l) => (l.scrollTop = 420));
	await settled();
	const top = () =>
		page.evaluate(() => {
			const edge = document.querySelector(".list").getBoundingClientRect().top;
			const m = [...document.querySelectorAll(".msg[data-seq]")].find((e) => e.getBoundingClientRect().top >= edge);
			return [m.dataset.seq, Math.round(m.getBoundingClientRect().top - edge)];
		});
	const [seq, y] = await top();
	const at = () => row(page, seq).evaluate((m) => m.getBoundingClientRect().top - document.querySelector(".list").getBoundingClientRect().top);
	for (const on of [false, true]) {
		await compact(on);
		await settled();
		assert.ok(Math.abs((await at()) - y) <= 1, `message ${seq} is ${await at()} px from the top, not ${y}`);
	}
	assert.deepEqual(await lookedAt(page, "light"), []);
	await page.reload();
	await row(page, 57).waitFor();
	assert.equal(await page.evaluate(() => document.documentElement.dataset.density), "compact");
	await compact(false);
});
