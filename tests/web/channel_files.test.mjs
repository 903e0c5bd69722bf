// The panel of a channel's files, in real browsers against the local store: what is sent, erased and deleted while it is open, by others and by
// oneself; kinds, pages, the viewer, the way to the message, the keyboard; three sizes, light and dark; what remains is what a fresh load says.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { GIF, png, sendFiles, uploaded, withFiles } from "../files/uploads.mjs";
import { DESKTOP, PHONE, TABLET, axe, becomes, launch, live, person, say, seen, themes } from "./help.mjs";
import { pick, picture } from "./files.mjs";

let stack, browser, alice, bob, ids, artist;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	const as = async (u) => client(stack, { token: await stack.token(u, ["read", "write", "files"]) });
	[alice, bob] = await Promise.all([as("alice"), as("bob")]);
	ids = Object.fromEntries(ok(await alice.get("/api/v1/users?limit=50")).users.map((u) => [u.handle, u.id]));
	artist = await (await browser.newContext()).newPage(); // makes pictures
	await artist.goto(`${stack.url}/sign-in`);
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

const path = (id, ...rest) => ["/api/v1/channels", id, ...rest].join("/");
const room = async (name, more) => (await makeChannel(alice, { name, kind: "private", members: [ids.bob], ...more })).id;
const image = (who, c, name, more) => uploaded(who, c, png(60, 40), { name, type: "image/png", width: 60, height: 40, ...more });
const text = (who, c, name) => uploaded(who, c, Buffer.from(`${name} ${randomUUID()}`), { name, type: "text/plain" });
const post = async (who, c, files, more) => ok(await who.post(path(c, "messages"), { ...withFiles(files.map((f) => f.id)), ...more }), 201);
const opened = async (login, id, options) => {
	const who = await person(stack, browser, login, { path: `/c/${id}/files`, ...options });
	await live(who.page);
	return who;
};
const panel = (page) => page.locator(".panel");
/** What the panel lists, in its order: "SEQ/NAME". */
const listed = (page) =>
	page.evaluate(() =>
		[...document.querySelectorAll(".panel [data-key]")].map((e) => {
			const label = e.querySelector("[data-main]").getAttribute("aria-label");
			const name = e.querySelector(".file-name")?.textContent ?? /\u2068(.*?)\u2069/.exec(label)[1];
			return `${e.dataset.key.split("/")[0]}/${name}`;
		}),
	);
const lists = (page, want, what) => becomes(() => listed(page), want, what);
/** By events as by a fresh load: another page of the same person says the same, and so does the server. */
async function asFresh(who, login, id) {
	const now = await listed(who.page);
	const { files, next } = ok(await (login === "bob" ? bob : alice).get(path(id, "files?limit=200")));
	assert.equal(next, null);
	assert.deepEqual(now, files.map((f) => `${f.seq}/${f.file.name}`));
	const fresh = await who.context.newPage();
	await fresh.goto(`${stack.url}/c/${id}/files`);
	await lists(fresh, now, "a fresh load");
	await fresh.close();
}
const focusedFile = (page) => page.evaluate(() => document.activeElement?.closest("[data-key]")?.querySelector("[data-main]").getAttribute("data-file"));

test("by the menu and by F; what is sent, forwarded, erased and deleted meanwhile is in it at once, as a fresh load says", async () => {
	const id = await room("yard"), other = await room("quay");
	const who = await person(stack, browser, "bob", { path: `/c/${id}` });
	const { page } = who;
	await live(page);
	await page.getByRole("button", { name: "Channel menu" }).click();
	await page.getByRole("menuitem", { name: "Files" }).click();
	await panel(page).getByText("No files here yet.").waitFor();
	assert.equal(new URL(page.url()).pathname, `/c/${id}/files`);
	await page.keyboard.press("Escape");
	await panel(page).waitFor({ state: "detached" });
	await page.locator(".head h1").click(); // out of the composer
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press("f");
	await panel(page).getByText("No files here yet.").waitFor();

	// through the composer, with a picture that gets a small one
	await pick(page, { name: "harbour.jpg", type: "image/jpeg", bytes: await picture(artist, 1600, 1200) });
	await page.locator(".chip[data-state=ready]").waitFor();
	await say(page, "from here");
	await seen(page, "from here");
	await lists(page, ["1/harbour.jpg"]);
	await page.locator(".file-tile .picture.there img").waitFor();
	const [plan, crane] = [await text(alice, id, "plan.txt"), await image(alice, id, "crane.png")];
	const two = await post(alice, id, [plan, crane]);
	await lists(page, ["2/plan.txt", "2/crane.png", "1/harbour.jpg"], "a message of another");
	await post(alice, id, [await text(alice, id, "reply.txt")], { thread: 1 });
	await lists(page, ["3/reply.txt", "2/plan.txt", "2/crane.png", "1/harbour.jpg"], "a reply in a thread");
	const far = await image(alice, other, "far.png");
	const source = await post(alice, other, [far]);
	ok(await alice.post(path(id, "messages"), { client_id: randomUUID(), body: { text: "", forward: { channel: other, seq: source.seq } } }), 201);
	await lists(page, ["4/far.png", "3/reply.txt", "2/plan.txt", "2/crane.png", "1/harbour.jpg"], "a forwarded one");
	await asFresh(who, "bob", id);

	ok(await alice.delete(`/api/v1/files/${plan.id}`));
	await lists(page, ["4/far.png", "3/reply.txt", "2/crane.png", "1/harbour.jpg"], "one is taken away");
	ok(await alice.patch(path(id, "messages", two.seq), { body: { text: "edited" } }));
	ok(await alice.delete(`/api/v1/files/${far.id}`));
	await lists(page, ["3/reply.txt", "2/crane.png", "1/harbour.jpg"], "the original of a forwarded one is taken away");
	await asFresh(who, "bob", id);
	ok(await bob.delete(path(id, "messages", 1)));
	await lists(page, ["3/reply.txt", "2/crane.png"], "a message is deleted");
	// what is too old goes
	await stack.psql(`UPDATE messages SET created_at = now() - interval '3 days' WHERE channel_id = ${id} AND seq < 3`);
	ok(await alice.patch(path(id), { keep_days: 1 }));
	await stack.cli(["maintain"]);
	await lists(page, ["3/reply.txt"], "retention");
	await asFresh(who, "bob", id);
	// out of the channel, and its files are gone from the screen
	ok(await alice.delete(path(id, "members", ids.bob)), 204);
	await panel(page).waitFor({ state: "detached" });
	assert.equal(await page.locator(".file-tile, .file-row").count(), 0);
	assert.deepEqual(who.faults, []);
	await who.context.close();
});

test("kinds and pages: images, others, older ones; and newcomers see what is sent from then on", async () => {
	const id = await room("archive");
	const names = [];
	for (let i = 1; i <= 70; i++) {
		const name = i % 7 ? `${i}.png` : `${i}.txt`;
		const file = i % 7 ? await uploaded(alice, id, GIF, { name, type: "image/gif" }) : await text(alice, id, name);
		ok(await sendFiles(alice, id, [file]), 201);
		names.unshift(`${i}/${name}`);
	}
	const who = await opened("alice", id);
	const { page } = who;
	await lists(page, names.slice(0, 60));
	await panel(page).getByText("60 files, and older ones").waitFor();
	await panel(page).getByText("Other files").click();
	await lists(page, names.filter((n) => n.endsWith(".txt")));
	await panel(page).getByText("10 files").waitFor();
	await panel(page).getByText("Images").click();
	await lists(page, names.filter((n) => n.endsWith(".png")).slice(0, 60));
	assert.equal(await panel(page).getByRole("button", { name: "Show more" }).count(), 0, "60 messages are all");
	// what comes meanwhile is of its kind
	ok(await sendFiles(alice, id, [await text(alice, id, "late.txt"), await image(alice, id, "late.png")]), 201);
	await lists(page, ["71/late.png", ...names.filter((n) => n.endsWith(".png"))]);
	await panel(page).getByText("All", { exact: true }).click();
	const all = ["71/late.txt", "71/late.png", ...names];
	await lists(page, all.slice(0, 61));
	await panel(page).getByRole("button", { name: "Show more" }).click();
	await lists(page, all);
	assert.equal(await panel(page).getByRole("button", { name: "Show more" }).count(), 0);

	ok(await alice.patch(path(id), { history: "joined" }));
	ok(await alice.post(path(id, "members"), { user: ids.carol }), 201);
	const carol = await opened("carol", id);
	await panel(carol.page).getByText("No files here yet.").waitFor();
	ok(await sendFiles(alice, id, [await text(alice, id, "for-all.txt")]), 201);
	await Promise.all([lists(carol.page, ["72/for-all.txt"]), lists(page, ["72/for-all.txt", ...all])]);
	await Promise.all([who.context.close(), carol.context.close()]);
});

test("a click opens the viewer or downloads; the way to the message; what cannot be loaded says so", async () => {
	const id = await room("views");
	const [a, b] = [await image(alice, id, "a.png"), await image(alice, id, "b.png")];
	ok(await sendFiles(alice, id, [a]), 201);
	for (let i = 0; i < 60; i++) await send(alice, id, `line ${i}`);
	const doc = await text(alice, id, "doc.txt");
	ok(await sendFiles(alice, id, [b, doc]), 201);
	await post(bob, id, [await image(bob, id, "reply.png")], { thread: 2 });
	const who = await person(stack, browser, "alice", { path: `/c/${id}` });
	const { page, context } = who;
	await live(page);
	await context.route("**/files?*", (r) => r.abort());
	await page.goto(`${stack.url}/c/${id}/files`);
	await panel(page).getByText("The list could not be loaded.").waitFor();
	await context.unroute("**/files?*");
	await panel(page).getByRole("button", { name: "Try again" }).click();
	await lists(page, ["63/reply.png", "62/b.png", "62/doc.txt", "1/a.png"]);
	await page.locator(`[data-file="${b.id}"][data-main]`).click();
	const box = page.locator("dialog.lightbox");
	await box.getByText("2 of 3").first().waitFor();
	await page.keyboard.press("ArrowRight");
	await box.locator(".file-name", { hasText: "a.png" }).waitFor(); // which the channel's list has not loaded
	await page.waitForFunction(() => document.querySelector(".lightbox-picture")?.naturalWidth === 60);
	await page.keyboard.press("Escape");
	await box.waitFor({ state: "detached" });
	assert.equal(await focusedFile(page), String(b.id), "the focus is back");
	const [download] = await Promise.all([page.waitForEvent("download"), page.locator(`.file-row a.card-link`).click()]);
	assert.equal(download.suggestedFilename(), "doc.txt");
	// to the message, with the panel beside it
	await page.locator(`[data-key="1/${a.id}"] .file-jump`).click();
	await page.locator(`.msg[data-seq="1"]`).waitFor();
	await page.waitForFunction(() => document.querySelector('.msg[data-seq="1"]').getBoundingClientRect().top > 0);
	assert.equal(await panel(page).count(), 1);
	assert.equal(new URL(page.url()).search, "?at=1");
	// a reply is shown in its thread
	await page.locator(`[data-key^="63/"] .file-jump`).click();
	await page.waitForURL(`${stack.url}/c/${id}/t/2?reply=63`);
	await page.locator(`.panel .msg[data-seq="63"]`).waitFor();
	assert.deepEqual(who.faults, []);
	await context.close();
});

test("by keys alone: one tab stop, arrows as they stand, and the focus stays when its file goes", async () => {
	const id = await room("keys");
	const files = [];
	for (let i = 0; i < 7; i++) {
		files.push(i === 3 ? await text(alice, id, "mid.txt") : await image(alice, id, `${i}.png`));
		ok(await sendFiles(alice, id, [files[i]]), 201);
	}
	const who = await opened("alice", id);
	const { page } = who;
	await lists(page, ["7/6.png", "6/5.png", "5/4.png", "4/mid.txt", "3/2.png", "2/1.png", "1/0.png"]);
	const here = () => page.evaluate(() => document.activeElement?.closest("[data-key]")?.dataset.key.split("/")[0] ?? document.activeElement.className);
	await panel(page).locator("input[name=file-kind]:checked").focus();
	await page.keyboard.press("Tab");
	assert.equal(await here(), "7");
	const walk = ["ArrowRight 6", "ArrowDown 4", "ArrowUp 6", "End 1", "ArrowLeft 2", "Home 7", "ArrowLeft 7"];
	for (const step of walk) {
		await page.keyboard.press(step.split(" ")[0]);
		assert.equal(await here(), step.split(" ")[1], step);
	}
	await page.keyboard.press("Enter");
	await page.locator("dialog.lightbox").waitFor();
	await page.keyboard.press("Escape");
	await page.locator("dialog.lightbox").waitFor({ state: "detached" });
	await becomes(here, "7");
	await page.keyboard.press("Tab");
	assert.match(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), /Jump to the message/);
	await page.keyboard.press("Tab");
	assert.notEqual(await here(), "6", "out of the list");
	await page.locator(`[data-key="7/${files[6].id}"] [data-main]`).focus();
	ok(await alice.delete(`/api/v1/files/${files[6].id}`));
	await becomes(here, "6", "the next one has the focus");
	await page.keyboard.press("Escape");
	await panel(page).waitFor({ state: "detached" });
	await who.context.close();
});

test("in three sizes, light and dark: nothing that axe finds; on a phone it is the page, with a way back", async () => {
	const id = await room("sizes");
	const large = await uploaded(alice, id, await picture(artist, 900, 600), { name: "large.jpg", type: "image/jpeg", width: 900, height: 600 });
	const long = await text(alice, id, `a name that is ${"very ".repeat(20)}long.txt`);
	const files = [large, await image(alice, id, "b.png"), long, await image(alice, id, "c.png")];
	ok(await sendFiles(alice, id, files), 201);
	await post(bob, id, [await text(bob, id, "x.pdf")]);
	for (const [size, viewport] of Object.entries({ desktop: DESKTOP, tablet: TABLET, phone: PHONE })) {
		const phone = size === "phone";
		const { page, context, faults } = await opened("alice", id, { viewport, reducedMotion: "reduce", hasTouch: phone });
		await becomes(async () => (await listed(page)).length, 5);
		await page.locator(".file-tile .picture.there").nth(2).waitFor();
		for (const colorScheme of phone || size === "desktop" ? ["light", "dark"] : themes()) {
			await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
			assert.deepEqual(await axe(page), [], `${size}, ${colorScheme}`);
		}
		if (phone) {
			assert.equal(await page.locator("main.panel").count(), 1);
			assert.equal(await page.locator("#composer").count(), 0);
			await page.locator(`[data-key^="1/"] .file-jump`).first().click();
			await page.locator(`.msg[data-seq="1"]`).waitFor();
			await page.goBack();
			await page.getByRole("button", { name: "Back" }).click();
			await page.locator("#composer").waitFor();
			await page.goto(`${stack.url}/c/${await room("void")}/files`);
			await panel(page).getByText("No files here yet.").waitFor();
			assert.deepEqual(await axe(page), [], "an empty one");
		}
		assert.deepEqual(faults, []);
		await context.close();
	}
});

test("missed meanwhile: after an outage and after the log went back it is loaded anew", async () => {
	const id = await room("outage");
	ok(await sendFiles(alice, id, [await text(alice, id, "before.txt"), await text(alice, id, "goes.txt")]), 201);
	const who = await opened("alice", id);
	const { page, context } = who;
	await lists(page, ["1/before.txt", "1/goes.txt"]);
	await context.setOffline(true);
	const [gone] = ok(await alice.get(path(id, "files"))).files.filter((f) => f.file.name === "goes.txt");
	ok(await alice.delete(`/api/v1/files/${gone.file.id}`));
	ok(await sendFiles(alice, id, [await text(alice, id, "meanwhile.txt")]), 201);
	await context.setOffline(false);
	await lists(page, ["2/meanwhile.txt", "1/before.txt"], "by replay");
	await stack.down("realtime1");
	await stack.cli(["new-epoch"]);
	await stack.up("realtime1");
	ok(await sendFiles(alice, id, [await text(alice, id, "epoch.txt")]), 201);
	await lists(page, ["3/epoch.txt", "2/meanwhile.txt", "1/before.txt"], "by a reset");
	await until(async () => (await page.locator(".panel-scroll[aria-busy=true]").count()) === 0, { what: "it is loaded" });
	await asFresh(who, "alice", id);
	await context.close();
});
