// What a message reaches, and how much of it: @here from the composer, all the names behind a reaction, and a text as long as it may be.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bot, client } from "../support/http.mjs";
import { openWs } from "../support/realtime.mjs";
import { startStack, until } from "../support/stack.mjs";
import { allMessages, makeChannel, ok, send } from "../api/help.mjs";
import { PHONE, axe, becomes, crowd, ends, launch, live, person, seen, themes } from "./help.mjs";

const MOST = 20_000; // characters

let stack, browser, api, id, crew, who, page;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	const users = ok(await api.get("/api/v1/users?limit=100")).users;
	const of = (login) => users.find((u) => u.handle === login).id;
	id = (await makeChannel(api, { name: "reach", members: [of("bob"), of("carol")] })).id;
	await crowd(stack, id, 12);
	crew = await Promise.all(Array.from({ length: 12 }, (_, i) => bot(stack, `p${i + 1}`)));
	who = await person(stack, browser, "alice", { path: `/c/${id}`, reducedMotion: "reduce" });
	({ page } = who);
	await live(page);
});
after(() => ends(stack, browser, who));

const box = () => page.locator("#composer");
const dialog = (name) => page.getByRole("dialog", { name });
const count = async () => (await allMessages(api, id)).length;
const mentions = async (one) => ok(await one.get("/api/v1/me/unread")).mentions;

test("@here is offered, asked about with the number of those who are here, and reaches them and nobody else", async () => {
	const here = await Promise.all(crew.slice(0, 7).map((one) => openWs(one)));
	for (const one of here) await one.call({ op: "active" });
	const bob = await person(stack, browser, "bob", { path: `/c/${id}` });
	await live(bob.page);
	await bob.page.keyboard.press("Shift");
	await becomes(async () => ok(await api.get(`/api/v1/channels/${id}/reach?of=here`)).people, 8, "eight are here");
	await box().focus();
	await page.keyboard.type("the crane moves @her");
	await page.getByRole("option", { name: /@here/ }).waitFor();
	await page.keyboard.press("Enter");
	await becomes(() => box().inputValue(), "the crane moves @here ");
	await page.keyboard.press("Enter");
	await dialog("Notify 8 people?").waitFor();
	for (const colorScheme of themes()) {
		await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
		assert.deepEqual(await axe(page), []);
	}
	await page.keyboard.press("Escape");
	await becomes(() => page.locator("dialog[open]").count(), 0);
	assert.equal(await box().inputValue(), "the crane moves @here ");
	assert.equal(await count(), 0, "nothing is sent");
	await becomes(() => page.evaluate(() => document.activeElement.id), "composer");
	await page.keyboard.press("Enter");
	await dialog("Notify 8 people?").waitFor();
	await page.keyboard.press("Enter");
	await seen(page, "the crane moves @here");
	const [sent] = await allMessages(api, id);
	assert.deepEqual(sent.body.mentions, ["here"]);
	// Who was here is meant, and sees that; who was not has a message as any other.
	await bob.page.locator('.msg-to-me[data-seq="1"]').getByText("Mentions you").waitFor({ state: "attached" });
	assert.deepEqual(await Promise.all(crew.map(mentions)), [...Array(7).fill(1), ...Array(5).fill(0)]);
	const carol = await person(stack, browser, "carol", { path: `/c/${id}` });
	await seen(carol.page, "the crane moves @here");
	assert.equal(await carol.page.locator(".msg-to-me").count(), 0);
	await Promise.all([...here.map((one) => one.close()), bob.context.close(), carol.context.close()]);
});

test("who reacted: the first names and how many more beside it; all of them by right click, by I, and by a long touch", async () => {
	const { seq } = ok(await send(api, id, "react to this"), 201);
	const path = `/api/v1/channels/${id}/messages/${seq}/reactions/${encodeURIComponent("👍")}`;
	for (const one of crew) ok(await one.put(path));
	ok(await api.put(path));
	const thumb = (p) => p.locator(`.list .msg[data-seq="${seq}"] .reaction[data-emoji="👍"]`);
	await becomes(() => thumb(page).locator(".reaction-count").innerText(), "13");
	const label = () => thumb(page).getAttribute("aria-label");
	await until(async () => /^👍 13: .*Person 1.*Person 9.* and .*3 others/.test(await label()), { what: "names and a number" });
	const everyone = async (p) => {
		await p.getByRole("dialog", { name: "Who reacted with 👍" }).waitFor();
		await becomes(() => p.locator("dialog[open] .person").count(), 13);
		const names = await p.locator("dialog[open] .person").allInnerTexts();
		for (const name of ["Alice Moreau", ...crew.map((_, i) => `Person ${i + 1}`)])
			assert.ok(names.some((n) => n.split("\n").some((part) => part.trim() === name)), `${name} in ${names}`);
		for (const colorScheme of themes()) {
			await p.emulateMedia({ colorScheme, reducedMotion: "reduce" });
			assert.deepEqual(await axe(p), []);
		}
		await p.keyboard.press("Escape");
		await becomes(() => p.locator("dialog[open]").count(), 0);
	};
	await thumb(page).click({ button: "right" });
	await everyone(page);
	await thumb(page).focus();
	await page.keyboard.press("i");
	await everyone(page);
	await becomes(() => page.evaluate(() => document.activeElement.dataset.emoji), "👍");
	assert.equal(await thumb(page).getAttribute("aria-pressed"), "true", "looking took nothing away");

	const phone = await person(stack, browser, "bob", { path: `/c/${id}`, viewport: PHONE, hasTouch: true, isMobile: true });
	await live(phone.page);
	await thumb(phone.page).waitFor();
	const { x, y, width, height } = await thumb(phone.page).boundingBox();
	const cdp = await phone.context.newCDPSession(phone.page);
	const at = { x: x + width / 2, y: y + height / 2 };
	await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
	await phone.page.getByRole("dialog", { name: "Who reacted with 👍" }).waitFor(); // while the finger is there
	await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
	await everyone(phone.page);
	assert.equal(await thumb(phone.page).getAttribute("aria-pressed"), "false", "nor was one added");
	await thumb(phone.page).tap();
	await becomes(() => thumb(page).locator(".reaction-count").innerText(), "14");
	assert.deepEqual(phone.faults, []);
	await phone.context.close();
});

test("a text of one character too many is not sent by Enter and stays; emoji count as one, as the server counts them", async () => {
	const before = await count();
	const send = page.locator(".composer .send");
	for (const [letter, name] of [["x", "letters"], ["😀", "emoji"]]) {
		const most = letter.repeat(MOST);
		await box().fill(most + letter);
		await page.getByText("1 character too many").waitFor();
		assert.equal(await send.getAttribute("aria-disabled"), "true");
		await box().press("Enter");
		await send.click({ force: true });
		// Whatever these two would have begun stands before this in the row of what is sent.
		await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
		assert.equal(await page.locator(".msg-pending").count(), 0, name);
		assert.equal(await count(), before + (letter === "x" ? 0 : 1), name);
		assert.equal(await box().inputValue(), most + letter, name);
		await box().press("Backspace");
		await page.getByText("0 characters left").waitFor();
		await box().press("Enter");
		await becomes(count, before + (letter === "x" ? 1 : 2));
		assert.equal((await allMessages(api, id)).at(-1).body.text, most, name);
		await becomes(() => box().inputValue(), "");
	}
	// The server's own count: one more is refused there.
	const over = await api.post(`/api/v1/channels/${id}/messages`, { client_id: crypto.randomUUID(), body: { text: "😀".repeat(MOST + 1) } });
	assert.ok(over.status === 400 || over.status === 413, `${over.status}`);
	assert.equal(await count(), before + 2);
});
