// Threads in the browser, by keyboard: reply, panel, counts on both sides, the list with its badge, drafts; a phone; axe.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { bot, client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { png, uploaded } from "../files/uploads.mjs";
import { DESKTOP, PHONE, axe, becomes, ends, launch, live, person, seen } from "./help.mjs";

let stack, browser, api, id, a, b;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	const bob = ok(await api.get("/api/v1/users?q=bob")).users[0];
	id = (await makeChannel(api, { name: "harbour", members: [bob.id] })).id;
	await send(api, id, "When does the ferry leave?");
	await send(api, id, "Something else");
	[a, b] = await Promise.all(["alice", "bob"].map((login) => person(stack, browser, login, { path: `/c/${id}`, reducedMotion: "reduce" })));
	await Promise.all([live(a.page), live(b.page)]);
});
after(() => ends(stack, browser, a, b));

const panel = (page) => page.getByRole("complementary", { name: "Thread" });
const line = (page, text) => page.locator(".main .thread-line", { hasText: text });
const shot = async (page, name) => process.env.SHOTS && page.screenshot({ path: `${process.env.SHOTS}/threads-${name}.png` });
async function look(page, name, size) {
	if (size) await page.setViewportSize(size);
	for (const colorScheme of ["light", "dark"]) {
		await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
		assert.deepEqual(await axe(page), [], `${name}, ${colorScheme}`);
		await shot(page, `${name}-${colorScheme}`);
	}
}

test("T opens the thread of a message; replies stand there alone, and the root tells of them on both sides", async () => {
	const { page } = b;
	await seen(page, "When does the ferry leave?");
	await page.locator('.main .msg[data-seq="1"]').focus();
	await page.keyboard.press("t");
	await page.waitForURL(`**/c/${id}/t/1`);
	const composer = panel(page).getByRole("textbox");
	await until(() => composer.evaluate((e) => e === document.activeElement), { what: "the composer of the thread has the focus" });
	await page.keyboard.type("At nine, I think");
	await page.keyboard.press("Enter");
	await panel(page).locator(".msg-text", { hasText: "At nine, I think" }).waitFor();
	await Promise.all([line(a.page, "1 reply").waitFor(), line(page, "1 reply").waitFor()]);
	assert.equal(await page.locator(".main .msg-text", { hasText: "At nine" }).count(), 0, "not in the channel's line");
	assert.equal(await a.page.locator(".main .msg-text", { hasText: "At nine" }).count(), 0);

	await panel(page).getByLabel("Also send to the channel").check();
	await composer.fill("No: at ten");
	await composer.press("Enter");
	await Promise.all([seen(a.page, "No: at ten"), line(a.page, "2 replies").waitFor()]);
	assert.ok(!(await panel(page).getByLabel("Also send to the channel").isChecked()), "for one reply");
	await a.page.locator(".main .msg", { hasText: "No: at ten" }).getByRole("button", { name: "Replied in a thread" }).waitFor();
	await look(page, "panel", DESKTOP);
});

test("who wrote the root follows: a badge, the list, the unread line; reading takes them away on the other device too", async () => {
	const other = await person(stack, browser, "alice", { path: `/c/${id}`, reducedMotion: "reduce" });
	const badge = (page) => page.locator(".side-pages .badge");
	await Promise.all([badge(a.page).waitFor(), badge(other.page).waitFor()]);
	await a.page.locator('.side-pages a[href="/threads"]').click();
	await a.page.locator(".thread-entry.fresh", { hasText: "When does the ferry leave?" }).waitFor();
	await look(a.page, "list", DESKTOP);
	await a.page.locator(".thread-entry").focus();
	await a.page.keyboard.press("Enter");
	await panel(a.page).locator(".divider-new").waitFor();
	await panel(a.page).locator(".msg-text", { hasText: "No: at ten" }).waitFor();
	await Promise.all([badge(a.page).waitFor({ state: "detached" }), badge(other.page).waitFor({ state: "detached" })]);
	await other.context.close();
});

test("a draft of its own; edits, deletions and reactions in it; Esc closes it", async () => {
	const { page } = a;
	const composer = panel(page).getByRole("textbox");
	await composer.fill("half a th");
	await page.locator("#composer").fill("half a ch");
	await page.keyboard.press("Escape");
	await panel(page).waitFor({ state: "detached" });
	await line(page, "2 replies").click();
	await until(async () => (await composer.inputValue()) === "half a th", { what: "the draft of the thread" });
	await becomes(() => page.locator("#composer").inputValue(), "half a ch");
	await page.locator("#composer").fill("");
	// on another device too, where it is sent
	const device = await person(stack, browser, "alice", { path: `/c/${id}/t/1` });
	const there = panel(device.page).getByRole("textbox");
	await until(async () => (await there.inputValue()) === "half a th", { what: "the draft of the thread on another device" });
	await there.fill("");
	await until(async () => (await composer.inputValue()) === "", { what: "no draft any more" });
	await device.context.close();

	await b.page.bringToFront();
	const theirs = panel(b.page).getByRole("textbox");
	await theirs.focus();
	await theirs.press("ArrowUp");
	const edit = panel(b.page).getByRole("textbox", { name: "Edit the message" });
	await edit.fill("No: at eleven");
	await edit.press("Enter");
	await panel(page).locator(".msg-text", { hasText: "No: at eleven (edited)" }).waitFor();
	const first = ok(await api.get(`/api/v1/channels/${id}/messages/1/thread`)).messages[0];
	ok(await api.put(`/api/v1/channels/${id}/messages/${first.seq}/reactions/${encodeURIComponent("👍")}`));
	await panel(b.page).locator(`.msg[data-seq="${first.seq}"] .reaction[data-emoji="👍"]`).waitFor();
	ok(await api.delete(`/api/v1/channels/${id}/messages/${first.seq}`));
	await Promise.all([line(page, "1 reply").waitFor(), panel(b.page).locator(".msg-gone").waitFor()]);
	await panel(page).getByRole("button", { name: "Follow" }).click();
	await panel(page).locator('button[aria-pressed="false"]', { hasText: "Follow" }).waitFor();
});

test("a link and a search lead into the thread; on a phone it is the page", async () => {
	const { page } = a;
	await page.setViewportSize(PHONE);
	const reply = ok(await api.get(`/api/v1/channels/${id}/messages/1/thread`)).messages.at(-1).seq;
	await page.goto(`${stack.url}/c/${id}/search?q=eleven`);
	await page.locator(".main a, main a", { hasText: "eleven" }).first().click();
	await page.waitForURL(`**/c/${id}/t/1?reply=${reply}`);
	await until(() => page.locator(`main.thread .msg[data-seq="${reply}"]`).evaluate((e) => e === document.activeElement), { what: "at the reply" });
	await look(page, "phone", PHONE);
	await page.getByRole("button", { name: "Back" }).click();
	await line(page, "1 reply").waitFor();
	await look(page, "channel-phone");
});

test("who listens hears what others reply while the thread is open: words, and files without any", async () => {
	const artist = await bot(stack, "alice", ["read", "write", "files"]);
	const said = () => panel(b.page).locator("[role=status][aria-live]").allTextContents();
	const hears = (text) => becomes(async () => (await said()).filter(Boolean), [text]);
	await b.page.goto(`${stack.url}/c/${id}/t/1`);
	await panel(b.page).locator(".msg-text", { hasText: "No: at eleven" }).waitFor();
	await live(b.page);
	assert.equal((await said()).join(""), "");
	const reply = (body) => artist.post(`/api/v1/channels/${id}/messages`, { client_id: randomUUID(), thread: 1, body });
	ok(await reply({ text: "At eleven" }), 201);
	await hears("Alice Moreau: At eleven");
	const { id: file } = await uploaded(artist, id, png(), { name: "pier.png", type: "image/png" });
	ok(await reply({ text: "", files: [file] }), 201);
	await hears("Alice Moreau: 1 file");
});
