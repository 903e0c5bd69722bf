// Search as a person types it: the order, days, what has a file or a mention, one page after another, half a word, and scripts without spaces.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
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
	for (const [seq, day] of [[1, "2026-01-10"], [2, "2026-02-10"], [4, "2026-03-10"], [5, "2026-04-10"]])
		await stack.psql(`UPDATE messages SET created_at = '${day}T12:00:00Z' WHERE channel_id = ${pier} AND seq = ${seq}`);
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
