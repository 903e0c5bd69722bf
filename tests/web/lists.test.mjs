// Lists that one empties again: a group of people renamed, left and deleted; what is pinned, saved, and new in threads; as others see it.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { bot } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, me, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, axe, becomes, cleanIn, ends, launch, live, person, seen } from "./help.mjs";

let stack, browser, id, a, b;
const api = {}, ids = {};
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	for (const name of ["alice", "bob", "carol"]) {
		api[name] = await bot(stack, name, name === "alice" ? ["read", "write", "admin"] : undefined);
		ids[name] = (await me(api[name])).id;
	}
	id = (await makeChannel(api.alice, { name: "harbour", members: [ids.bob, ids.carol] })).id;
	for (let i = 1; i <= 4; i++) ok(await send(api.alice, id, `line ${i}`), 201);
	[a, b] = await Promise.all(["alice", "bob"].map((login) => person(stack, browser, login, { path: `/c/${id}`, reducedMotion: "reduce" })));
	await Promise.all([live(a.page), live(b.page)]);
});
after(() => ends(stack, browser, a, b));

const clean = (page) => cleanIn(page, { sizes: [DESKTOP, PHONE] });
const row = (page, seq) => page.locator(`.main .msg[data-seq="${seq}"]`);
const shut = (page) => page.locator("dialog[open]").waitFor({ state: "detached" });

test("a group is renamed, people are taken out of it, it is deleted after a question: another who looks at it sees each at once", async () => {
	const { id: group } = ok(await api.alice.post("/api/v1/groups", { handle: "crew", name: "The Crew" }), 201);
	ok(await api.alice.patch(`/api/v1/groups/${group}`, { add: [ids.bob, ids.carol] }));
	const named = { client_id: randomUUID(), body: { text: "hi @crew", mentions: [`group:${group}`] } };
	ok(await api.alice.post(`/api/v1/channels/${id}/messages`, named), 201);
	const stored = async () => ok(await api.alice.get(`/api/v1/groups/${group}`));
	const groups = async (page) => {
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.getByRole("menuitem", { name: "Groups…" }).click();
		await page.getByRole("dialog", { name: "Groups" }).getByRole("button", { name: "Open The Crew" }).click();
	};
	const of = (page, name) => page.getByRole("dialog", { name, exact: true });
	await Promise.all([a, b].map(({ page }) => groups(page)));
	for (const { page } of [a, b]) await becomes(() => of(page, "The Crew").locator(".person").count(), 2);
	await clean(b.page);
	for (const tool of [/^Take .* out$/, "Delete group", "Save"]) assert.equal(await of(b.page, "The Crew").getByRole("button", { name: tool }).count(), 0);

	// what one is typing is left alone by what another changes
	const name = of(a.page, "The Crew").getByLabel("Name", { exact: true });
	await name.fill("The Choir");
	ok(await api.alice.patch(`/api/v1/groups/${group}`, { add: [ids.alice] }));
	for (const { page } of [a, b]) await becomes(() => of(page, "The Crew").locator(".person").count(), 3);
	assert.equal(await name.inputValue(), "The Choir");
	await clean(a.page);
	await name.press("Enter");
	for (const { page } of [a, b]) {
		await of(page, "The Choir").getByText("@crew").waitFor();
		await row(page, 5).locator(".mention", { hasText: "@The Choir" }).waitFor();
	}
	await of(a.page, "The Choir").getByLabel("Handle").fill("choir");
	await of(a.page, "The Choir").getByRole("button", { name: "Save" }).click();
	for (const { page } of [a, b]) await of(page, "The Choir").getByText("@choir").waitFor();
	assert.deepEqual([(await stored()).handle, (await stored()).name], ["choir", "The Choir"]);

	const out = of(a.page, "The Choir").getByRole("button", { name: "Take Carol Lindqvist out" });
	await out.click();
	for (const { page } of [a, b]) await becomes(() => of(page, "The Choir").locator(".person").count(), 2);
	assert.deepEqual((await stored()).users.sort(), [ids.alice, ids.bob].sort());
	await of(b.page, "The Choir").getByText("2 people").waitFor();

	const remove = of(a.page, "The Choir").getByRole("button", { name: "Delete group" });
	await remove.click();
	const question = a.page.getByRole("dialog", { name: "Delete The Choir?" });
	await question.getByText("Messages that name it stay as they are.").waitFor();
	await clean(a.page);
	await a.page.keyboard.press("Escape");
	await question.waitFor({ state: "detached" });
	assert.ok(await of(a.page, "The Choir").isVisible(), "the question alone is gone");
	assert.equal((await stored()).name, "The Choir");
	await remove.click();
	await question.getByRole("button", { name: "Delete group" }).click();
	await of(a.page, "Groups").getByText("There are no groups yet.").waitFor();
	await b.page.getByText("This group is not there any more.").waitFor();
	await clean(b.page);
	assert.equal((await api.alice.get(`/api/v1/groups/${group}`)).status, 404);
	for (const { page } of [a, b]) {
		await page.keyboard.press("Escape");
		await shut(page);
		await becomes(() => row(page, 5).locator("button.mention").count(), 0);
		await row(page, 5).getByText("hi @").waitFor();
	}
});

test("a pin is taken away in the panel by who may: it is gone from the panel and the message in both browsers", async () => {
	for (const seq of [1, 2]) ok(await api.alice.put(`/api/v1/channels/${id}/messages/${seq}/pin`));
	const panel = (page) => page.getByRole("complementary", { name: "Pinned messages" });
	for (const { page } of [a, b]) {
		await page.getByRole("button", { name: /2 pinned messages/ }).click();
		await becomes(() => panel(page).locator(".result").count(), 2);
		await row(page, 1).getByText("Pinned by Alice").waitFor();
	}
	assert.equal(await panel(b.page).getByRole("button", { name: /^Unpin/ }).count(), 0, "he is no moderator");
	await clean(a.page);
	const entry = panel(a.page).locator("li", { hasText: "line 1" });
	await entry.getByRole("button", { name: "Unpin the message of Alice Moreau" }).press("Enter");
	for (const { page } of [a, b]) {
		await becomes(() => panel(page).locator(".result").count(), 1);
		await panel(page).getByText("1 pinned message", { exact: true }).waitFor();
		await row(page, 1).locator(".msg-kept").waitFor({ state: "detached" });
	}
	assert.deepEqual(ok(await api.bob.get(`/api/v1/channels/${id}/pins`)).pins.map((p) => p.seq), [2]);
	// on a phone, where the panel is the page
	await a.page.setViewportSize(PHONE);
	await a.page.locator("main .result").waitFor();
	await a.page.getByRole("button", { name: "Unpin the message of Alice Moreau" }).click();
	await a.page.getByText("Nothing is pinned here.").waitFor();
	await a.page.setViewportSize(DESKTOP);
	await panel(b.page).getByText("Nothing is pinned here.").waitFor();
	await becomes(() => b.page.getByRole("button", { name: /pinned message/ }).count(), 0);
	for (const { page } of [a, b]) await page.goto(`${stack.url}/c/${id}`);
});

test("what one saved is let go by its own tool and on the page of them, on all devices; nobody else hears of it", async () => {
	const other = await person(stack, browser, "alice", { path: `/c/${id}`, viewport: PHONE, hasTouch: true, reducedMotion: "reduce" });
	await live(other.page);
	await live(a.page);
	const kept = (page, seq) => row(page, seq).locator(".msg-kept", { hasText: "Saved" });
	await seen(a.page, "line 3");
	for (const seq of [3, 4]) {
		await row(a.page, seq).hover();
		await row(a.page, seq).getByRole("button", { name: "Save for later" }).click();
		for (const { page } of [a, other]) await kept(page, seq).waitFor();
	}
	await row(a.page, 3).hover();
	await row(a.page, 3).getByRole("button", { name: "Remove from saved" }).click();
	for (const { page } of [a, other]) await kept(page, 3).waitFor({ state: "detached" });
	const saved = async () => ok(await api.alice.get("/api/v1/me/saved")).saved.map((m) => m.seq);
	assert.deepEqual(await saved(), [4]);
	await other.page.locator(".burger").click();
	await other.page.locator(".side").getByRole("link", { name: "Saved messages" }).click();
	await becomes(() => other.page.locator("main .result").count(), 1);
	assert.deepEqual(await axe(other.page), []);
	await other.page.getByRole("button", { name: "Remove the message of Alice Moreau from saved" }).tap();
	await other.page.getByText("You have saved nothing yet.").waitFor();
	await kept(a.page, 4).waitFor({ state: "detached" });
	assert.deepEqual(await saved(), []);
	assert.equal(await b.page.locator(".msg-kept").count(), 0);
	assert.deepEqual(other.faults, []);
	await other.context.close();
});

test("all threads are marked as read at once: the number goes on all devices, and comes again with the next reply", async () => {
	const other = await person(stack, browser, "alice", { path: `/c/${id}`, viewport: PHONE, hasTouch: true, reducedMotion: "reduce" });
	await live(other.page);
	const reply = async (thread, text) =>
		ok(await api.bob.post(`/api/v1/channels/${id}/messages`, { client_id: randomUUID(), thread, body: { text } }), 201);
	const badge = (page) =>
		page.locator('.side a[href="/threads"]').evaluateAll(([e]) => e.querySelector(".badge [aria-hidden]")?.textContent ?? null);
	const badges = (want) => Promise.all([a, other].map(({ page }) => becomes(() => badge(page), want, "the number of threads")));
	await reply(3, "about three");
	await reply(4, "about four");
	await reply(4, "and again");
	await badges("2");
	await a.page.locator('.side a[href="/threads"]').click();
	await becomes(() => a.page.locator(".thread-entry.fresh").count(), 2);
	await a.page.getByText("2 threads with new replies").first().waitFor();
	await clean(a.page);
	const all = a.page.getByRole("button", { name: "Mark all as read" });
	await all.focus();
	await a.page.keyboard.press("Enter");
	await becomes(() => a.page.locator(".thread-entry.fresh").count(), 0);
	await badges(null);
	assert.equal(await all.count(), 0);
	assert.equal(await a.page.locator(".thread-entry").count(), 2);
	await clean(a.page);
	await reply(3, "one more");
	await badges("1");
	await other.page.locator(".burger").click();
	await other.page.locator('.side a[href="/threads"]').tap();
	await becomes(() => other.page.locator(".thread-entry.fresh").count(), 1);
	assert.deepEqual(await axe(other.page), []);
	await other.page.getByRole("button", { name: "Mark all as read" }).tap();
	await badges(null);
	await Promise.all([a, other].map(({ page }) => page.reload()));
	await Promise.all([a, other].map(({ page }) => live(page)));
	await a.page.locator(".thread-entry").first().waitFor();
	await badges(null);
	assert.deepEqual(other.faults, []);
	await other.context.close();
});
