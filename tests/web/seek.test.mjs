// Search as a person types it: the order, days, what has a file or a mention, one page after another, half a word, and scripts without spaces.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { uploaded } from "../files/uploads.mjs";
import { axe, becomes, ends, launch, live, person } from "./help.mjs";

let stack, browser, alice, bob, pier, who, page;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	[alice, bob] = await Promise.all(
		["alice", "bob"].map(async (login) => client(stack, { token: await stack.token(login, ["read", "write", "files"]) })),
	);
	const bobs = ok(await bob.get("/api/v1/me")).user.id;
	pier = (await makeChannel(alice, { name: "pier", members: [bobs] })).id;
	const post = (whose, body) => whose.post(`/api/v1/channels/${pier}/messages`, { client_id: randomUUID(), body });
	// The best match is the oldest.
	ok(await send(alice, pier, "anchor anchor anchor"), 201);
	ok(await send(bob, pier, `${"a long walk along the quay and back again ".repeat(8)}past one anchor`), 201);
	ok(await send(bob, pier, "我家在上海东边。"), 201);
	const file = await uploaded(alice, pier, Buffer.from("the tides of a year"), { name: "tides.txt", type: "text/plain" });
	ok(await post(alice, { text: "anchor with a table", files: [file.id] }), 201);
	ok(await post(alice, { text: "look at the anchor, @bob", mentions: [bobs] }), 201);
	// The index holds their times too, from when they came into it on.
	await until(async () => (await stack.psql(`SELECT count(*) FROM message_index WHERE channel_id = ${pier}`)) === "5", { what: "all in the index" });
	for (const [seq, day] of [[1, "2026-01-10"], [2, "2026-02-10"], [4, "2026-03-10"], [5, "2026-04-10"]])
		for (const table of ["messages", "message_index"])
			await stack.psql(`UPDATE ${table} SET created_at = '${day}T12:00:00Z' WHERE channel_id = ${pier} AND seq = ${seq}`);
	await stack.psql("UPDATE search_parts SET first_at = (SELECT min(created_at) FROM message_index)");
	for (let i = 0; i < 70; i += 10) await Promise.all(Array.from({ length: 10 }, (_, k) => send(bob, pier, `barge ${i + k}`)));
	who = await person(stack, browser, "alice", { path: `/c/${pier}`, reducedMotion: "reduce" });
	({ page } = who);
	await live(page);
});
after(() => ends(stack, browser, who));

const field = () => page.getByRole("combobox", { name: "Search messages" });
/** What is found, each by its beginning, from the first on. */
const KNOWN = /anchor anchor|walk|quay|table|look at|我家|barge \d+/;
const found = async () => (await page.locator(".result-text").allTextContents()).map((t) => KNOWN.exec(t)?.[0].replace("quay", "walk") ?? t);
const finds = (...want) => becomes(found, want, `results for ${want}`);
/** Typed into the field in place of what was there. */
async function types(text) {
	await page.keyboard.press("/");
	await field().press("Control+a");
	await page.keyboard.type(text);
}

test("the best match first, or the newest; the choice holds for the next words", async () => {
	await page.locator(".list").focus();
	await types("anchor");
	await becomes(async () => (await found()).length, 4);
	assert.equal((await found())[0], "anchor anchor");
	await page.getByText("Newest", { exact: true }).click();
	await finds("look at", "table", "walk", "anchor anchor");
	assert.deepEqual(await axe(page), []);
	await field().press("Control+a");
	await page.keyboard.type("anchor from:alice");
	await finds("look at", "table", "anchor anchor");
	await page.getByText("Best match", { exact: true }).click();
	await becomes(async () => (await found())[0], "anchor anchor");
	await page.getByText("Newest", { exact: true }).click();
});

test("before and after a day, typed or begun by a button; both make a span; a day that is none is told", async () => {
	await field().press("Control+a");
	await page.keyboard.type("anchor after:2026-03-01");
	await finds("look at", "table");
	await field().press("Control+a");
	await page.keyboard.type("anchor before:2026-02-10");
	await finds("anchor anchor");
	await field().press("Control+a");
	await page.keyboard.type("anchor");
	await page.getByRole("button", { name: "Before", exact: true }).click();
	await becomes(() => field().inputValue(), "anchor before:");
	await page.keyboard.type("2026-04-01");
	// What is typed right after it belongs into the field: it is there when the click is over.
	const after = page.getByRole("button", { name: "After", exact: true });
	assert.equal(await after.evaluate((e) => (e.click(), document.activeElement.value)), "anchor before:2026-04-01 after:");
	await page.keyboard.type("2026-02-01");
	await becomes(() => field().inputValue(), "anchor before:2026-04-01 after:2026-02-01");
	await finds("table", "walk");
	await field().press("Control+a");
	await page.keyboard.type("anchor before:2026-02-30");
	await page.getByRole("alert").waitFor();
	assert.deepEqual(await axe(page), []);
});

test("what is typed is kept where the page has no time for long, whatever comes first when it has", async () => {
	const PAUSE = 250; // ms after the last key, in which the address follows
	const { context, page, faults } = await person(stack, browser, "alice", { path: `/c/${pier}/search` });
	await page.clock.install();
	await page.reload();
	const words = page.getByRole("combobox", { name: "Search messages" });
	await words.waitFor();
	await words.evaluate((e) => {
		const { get, set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
		const put = (now) => (now !== e.value && (window.overwritten ??= []).push(`${e.value} by ${now}`), set.call(e, now));
		Object.defineProperty(e, "value", { get, set: put });
	});
	const write = (text) => page.evaluate((text) => document.execCommand("insertText", false, text), text);
	await words.focus();
	await page.clock.pauseAt(Date.now() + 600_000);
	// Just after a picture, so that what waits for the next one is still waiting when the first pause is over.
	await page.evaluate(() => requestAnimationFrame(() => (window.pictured = true)));
	while (!(await page.evaluate(() => window.pictured))) await page.clock.runFor(1);
	await page.clock.runFor(8);
	await write("an");
	await page.clock.runFor(PAUSE);
	await write("ch");
	await page.clock.runFor(10);
	assert.equal(new URL(page.url()).search, "?q=an");
	await page.clock.fastForward(4 * PAUSE); // nothing was done for so long: all that is due comes at once
	await write("or");
	await page.clock.runFor(4 * PAUSE);
	assert.equal(await words.inputValue(), "anchor");
	await page.waitForURL(/q=anchor$/);
	assert.equal(await page.evaluate(() => window.overwritten), undefined);
	assert.deepEqual(faults, []);
	await context.close();
});

test("with a file, with a mention: chosen from the list, or typed", async () => {
	await field().press("Control+a");
	await page.keyboard.type("anchor has:f");
	await page.getByRole("option", { name: /file/ }).waitFor();
	await page.keyboard.press("Enter");
	await becomes(() => field().inputValue(), "anchor has:file ");
	await finds("table");
	await field().press("Control+a");
	await page.keyboard.type("has:mention");
	await finds("look at");
	await page.keyboard.type(" has:file");
	await page.getByText("Nothing found").waitFor();
});

test("half a word, and a word in the midst of a script without spaces; what was found is marked", async () => {
	await field().press("Control+a");
	await page.keyboard.type("anch tab");
	await finds("table");
	await becomes(() => page.locator(".result mark").allTextContents(), ["anchor", "table"]);
	// as an input method gives it: whole
	await field().press("Control+a");
	await page.keyboard.insertText("上海");
	await finds("我家");
	await becomes(() => page.locator(".result mark").allTextContents(), ["上海"]);
});

test("more than a page: the next one is added below, each message once, until there is no more", async () => {
	await field().press("Control+a");
	await page.keyboard.type("barge");
	await page.getByText(/^The first \d+ messages$/).waitFor();
	const more = page.locator(".panel").getByRole("button", { name: "Show more" });
	const first = await found();
	assert.ok(first.length < 70);
	for (let n = first.length; (await more.count()) > 0; ) {
		await more.click();
		await becomes(async () => (await found()).length > n || (await more.count()) === 0, true, "another page");
		n = (await found()).length;
	}
	const all = await found();
	assert.deepEqual(all.slice(0, first.length), first, "what was there stays");
	assert.equal(new Set(all).size, 70);
	assert.equal(all.length, 70);
	await page.getByText("70 messages", { exact: true }).waitFor();
	assert.deepEqual(await axe(page), []);
});
