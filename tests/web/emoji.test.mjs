// The site's own emoji in two browsers: one adds a picture too large for one, both use it in texts and reactions, an admin removes it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mkdirSync } from "node:fs";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { PHONE, axe, becomes, ends, launch, person, ready, rung, say } from "./help.mjs";

let stack, browser, api, id, a, b;
before(async () => {
	stack = await startStack({ realtime: 1 });
	await stack.cli(["user", "role", "bob", "admin"]);
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	const bob = ok(await api.get("/api/v1/users?q=bob")).users[0];
	id = (await makeChannel(api, { name: "emoji", members: [bob.id] })).id;
	ok(await send(api, id, "good news"), 201);
	[a, b] = await Promise.all(["alice", "bob"].map((login) => person(stack, browser, login, { path: `/c/${id}` })));
	for (const who of [a, b]) await until(async () => (await rung(who.page)).startsWith("live "), { ms: 30000, what: "a live link" });
});
after(() => ends(stack, browser, a, b));

const row = (page, seq) => page.locator(`.msg[data-seq="${seq}"]`);
/** A picture that no PNG makes small. */
const noise = async (page, side) =>
	Buffer.from(
		(
			await page.evaluate((side) => {
				const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
				const pen = canvas.getContext("2d");
				const pixels = pen.createImageData(side, side);
				for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
				pen.putImageData(pixels, 0, 0);
				return canvas.toDataURL("image/png");
			}, side)
		).split(",")[1],
		"base64",
	);
const dialog = (page) => page.locator("dialog[open]");
/** Waits until a picture stands there that the browser could load: from where the page's policy lets it. */
const pictured = (page, within, n = 1) =>
	page.waitForFunction(
		([within, n]) => {
			const all = [...document.querySelectorAll(`${within} img.custom-emoji`)];
			return all.length === n && all.every((i) => i.complete && i.naturalWidth > 0);
		},
		[within, n],
	);
// SHOTS=FOLDER: pictures of what is new; SIZES=all: axe in either theme (check-long).
async function look(page, name) {
	const { SHOTS, SIZES } = process.env;
	if (SHOTS) {
		mkdirSync(SHOTS, { recursive: true });
		for (const [how, size] of Object.entries({ desktop: { width: 1280, height: 800 }, tablet: { width: 768, height: 1024 }, phone: PHONE }))
			for (const colorScheme of ["light", "dark"]) {
				await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
				await page.setViewportSize(size);
				await page.screenshot({ path: `${SHOTS}/${name}-${how}-${colorScheme}.png` });
			}
		await page.setViewportSize({ width: 1280, height: 800 });
	}
	for (const colorScheme of SIZES === "all" ? ["light", "dark"] : []) {
		await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
		assert.deepEqual(await axe(page), [], `${name}, ${colorScheme}`);
	}
}

test("adding one: from the picker, a name that is good, a picture that is made smaller", async () => {
	const { page } = a;
	await row(page, 1).hover();
	await row(page, 1).getByRole("button", { name: "Add a reaction" }).last().click();
	await dialog(page).getByRole("button", { name: "Emoji of this site…" }).click();
	const form = dialog(page).getByRole("form", { name: "Add an emoji" });
	const name = form.getByLabel("Name");
	const save = form.getByRole("button", { name: "Add" });
	const alert = (text) => until(async () => (await form.getByRole("alert").textContent()).includes(text), { what: text });
	const large = await noise(page, 320);
	assert.ok(large.length > 262144, `${large.length} bytes`);
	await form.locator("input[type=file]").setInputFiles({ name: "Party Parrot.png", mimeType: "image/png", buffer: large });
	await until(async () => (await name.inputValue()) === "party_parrot", { what: "its name is proposed" });
	for (const [bad, why] of [["no way", "small letters"], ["thumbs_up", "common emoji"], ["", "Give it a name"]]) {
		await name.fill(bad);
		await save.click();
		await alert(why);
	}
	await name.fill(":Party_Parrot:");
	await save.click();
	await pictured(page, "[data-name=party_parrot]");
	const { emoji } = ok(await api.get("/api/v1/emoji"));
	assert.equal(emoji[0].name, "party_parrot");
	// Few bytes, but more pixels than may be.
	const flat = await page.evaluate(() => Object.assign(document.createElement("canvas"), { width: 1500, height: 20 }).toDataURL("image/png"));
	await form.locator("input[type=file]").setInputFiles({ name: "wide.png", mimeType: "image/png", buffer: Buffer.from(flat.split(",")[1], "base64") });
	await until(async () => (await name.inputValue()) === "wide", { what: "its name is proposed" });
	await save.click();
	await pictured(page, "[data-name=wide]");
	assert.equal(await page.locator("[data-name=wide] img.custom-emoji").evaluate((i) => i.naturalWidth), 128, "it was made smaller");
	ok(await api.delete("/api/v1/emoji/wide"), 204);
	await look(page, "manager");
	await page.keyboard.press("Escape");
});

test("in texts: by completion, as a picture in words, large when alone, not in code", async () => {
	const box = a.page.locator("#composer");
	await box.pressSequentially("hello :par");
	await a.page.locator(".mention-list img.custom-emoji").waitFor();
	await box.press("Enter");
	assert.equal(await box.inputValue(), "hello :party_parrot: ");
	await box.press("Enter");
	await Promise.all([a, b].map(({ page }) => pictured(page, '.msg[data-seq="2"] .msg-text')));
	assert.equal(await row(b.page, 2).locator("img.custom-emoji").getAttribute("alt"), ":party_parrot:");
	// A name in full needs no choice; taken back, it stays a name.
	await box.pressSequentially("well done :+1:");
	await becomes(() => box.inputValue(), "well done 👍\u{fe0f} ");
	await box.pressSequentially(":party_parrot: :Tada:");
	await becomes(() => box.inputValue(), "well done 👍\u{fe0f} :party_parrot: 🎉 ");
	await box.press("Control+z");
	await becomes(() => box.inputValue(), "well done 👍\u{fe0f} :party_parrot: :Tada:");
	await box.fill("");
	await say(b.page, ":party_parrot: 🎉");
	await pictured(a.page, '.msg[data-seq="3"] .msg-emoji');
	await say(b.page, "`:party_parrot:` and :nobody: **:Party_parrot:**");
	await pictured(a.page, '.msg[data-seq="4"] strong');
	assert.equal(await row(a.page, 4).locator("img.custom-emoji").count(), 1);
	assert.equal(await row(a.page, 4).locator("code").textContent(), ":party_parrot:");
});

test("from the composer: at the caret, by mouse and by keys, own ones by their name; those used last come first", async () => {
	const { page } = b;
	const box = page.locator("#composer");
	const open = page.locator(".composer").getByRole("button", { name: "Insert an emoji" });
	const closed = () => dialog(page).waitFor({ state: "detached" });
	const focused = () => page.evaluate(() => document.activeElement.id);
	await box.fill("so good");
	for (let i = 0; i < " good".length; i++) await box.press("ArrowLeft");
	await open.click();
	await page.locator(".emoji-cell").first().waitFor();
	await page.keyboard.press("Escape");
	await closed();
	assert.equal(await focused(), "composer", "who writes goes on writing");
	await open.click();
	await page.locator(".emoji-cell").first().waitFor();
	await dialog(page).getByRole("searchbox").fill("tada");
	await dialog(page).getByRole("button", { name: "party popper" }).click();
	await closed();
	await becomes(() => box.inputValue(), "so🎉 good");
	assert.equal(await focused(), "composer");
	await page.keyboard.type("!");
	await becomes(() => box.inputValue(), "so🎉! good");
	// by keys: it is reached by Tab, Esc gives the focus back to it
	for (let n = 0; (await page.evaluate(() => document.activeElement.title)) !== "Insert an emoji"; n++) {
		assert.ok(n < 5, "it is reached by Tab");
		await page.keyboard.press("Tab");
	}
	await page.keyboard.press("Enter");
	await dialog(page).getByRole("button", { name: "Recent", pressed: true }).waitFor();
	await becomes(() => dialog(page).locator(".emoji-cell").allTextContents(), ["🎉"]);
	await look(page, "composer-picker");
	await page.keyboard.press("Escape");
	await closed();
	assert.equal(await page.evaluate(() => document.activeElement.title), "Insert an emoji");
	await page.keyboard.press("Enter");
	await dialog(page).getByRole("searchbox").pressSequentially("party parrot");
	await pictured(page, ".emoji-grid");
	await page.keyboard.press("Enter");
	await closed();
	await becomes(() => box.inputValue(), "so🎉!:party_parrot: good");
	assert.equal(await focused(), "composer");
	await page.keyboard.type("very ");
	await becomes(() => box.inputValue(), "so🎉!:party_parrot: very good");
	await box.fill("");
});

test("in a status: chosen among all, found by a name, shown beside the name", async () => {
	const { page } = a;
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Set a status…" }).click();
	await dialog(page).getByRole("button", { name: "Choose an emoji" }).click();
	await pictured(page, ".emoji-box");
	await look(page, "status-all");
	const other = dialog(page).getByLabel("Another emoji");
	await other.fill("par");
	const found = dialog(page).locator(".emoji-box .emoji-grid button");
	await until(async () => (await found.count()) === 1, { what: "one is found" });
	await look(page, "status-found");
	await found.click();
	await pictured(page, ".status-emoji");
	await dialog(page).getByLabel("What is your status?").fill("Partying");
	await dialog(page).getByRole("button", { name: "Save" }).click();
	await dialog(page).waitFor({ state: "detached" });
	const mark = '.msg[data-seq="1"] .status-mark';
	await pictured(b.page, mark);
	await row(b.page, 1).locator("button.msg-name").click();
	await pictured(b.page, ".card-status");
	await look(b.page, "status-card");
	await b.page.keyboard.press("Escape");
	await page.getByRole("button", { name: "Your menu" }).click();
	await pictured(page, ".menu-status");
	await page.keyboard.press("Escape");
	await page.locator(".menu").waitFor({ state: "detached" });
});

test("in reactions, by the picker; removed by an admin it is its name, everywhere", async () => {
	const { page } = b;
	await row(page, 1).hover();
	await row(page, 1).getByRole("button", { name: "Add a reaction" }).last().click();
	await dialog(page).getByRole("button", { name: "Of this site", exact: true }).click();
	await pictured(page, ".emoji-grid");
	await look(page, "picker");
	await dialog(page).getByRole("searchbox").fill("parrot");
	await dialog(page).locator(".emoji-cell", { has: page.locator("img") }).click();
	const pill = '.reaction[data-emoji=":party_parrot:"]';
	await Promise.all([a, b].map((who) => pictured(who.page, `.msg[data-seq="1"] ${pill}`)));
	await row(a.page, 1).locator(pill).click();
	await until(async () => (await row(page, 1).locator(`${pill} .reaction-count`).textContent()) === "2", { what: "both have reacted" });
	await look(a.page, "channel");

	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Settings…" }).click();
	await dialog(page).getByRole("button", { name: "Emoji of this site: Show" }).click();
	await dialog(page).getByRole("button", { name: "Remove :party_parrot:" }).click();
	await dialog(page).getByRole("button", { name: "Really remove? :party_parrot:" }).click();
	await dialog(page).getByText("There are none yet.").waitFor();
	await page.keyboard.press("Escape");
	for (const who of [a, b]) {
		await pictured(who.page, "body", 0);
		assert.equal(await row(who.page, 1).locator(".status-mark").count(), 0, "no mark of one that is not there");
		assert.equal(await row(who.page, 2).locator(".msg-text").textContent(), "hello :party_parrot:");
		assert.equal(await row(who.page, 1).locator(`${pill} .reaction-emoji`).textContent(), ":party_parrot:");
	}
	await a.page.reload();
	await ready(a.page);
	await until(async () => (await row(a.page, 2).locator(".msg-text").textContent()) === "hello :party_parrot:", { what: "the same after a fresh load" });
	await row(a.page, 1).locator(pill).click();
	await until(async () => (await row(b.page, 1).locator(`${pill} .reaction-count`).textContent()) === "1", { what: "it can be taken away" });
});
