// The question before what reaches many, wherever it is written: with a forwarded message, in an edit; and what an edit names, and does not.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { bot, client } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, me, ok } from "../api/help.mjs";
import { axe, becomes, crowd, ends, launch, live, person, say, seen } from "./help.mjs";

let stack, browser, api, bob, id, other, group, alice;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write", "admin"]) });
	bob = await bot(stack, "bob");
	bob.id = (await me(bob)).id;
	id = (await makeChannel(api, { name: "many", members: [bob.id] })).id;
	other = (await makeChannel(api, { name: "elsewhere" })).id;
	await crowd(stack, id, 8);
	const all = (await stack.psql("select string_agg(id::text, ',') from users where handle ~ '^p[0-9]$'")).split(",").map(Number);
	group = ok(await api.post("/api/v1/groups", { handle: "crew", name: "The Crew", members: [...all, bob.id] }), 201);
	ok(await api.post("/api/v1/groups", { handle: "pair", name: "The Pair", members: [bob.id] }), 201);
	alice = await person(stack, browser, "alice", { path: `/c/${other}`, reducedMotion: "reduce" });
	await live(alice.page);
});
after(() => ends(stack, browser, alice));

const dialog = (name) => alice.page.getByRole("dialog", { name, exact: true });
const edit = () => alice.page.getByRole("textbox", { name: "Edit the message" });
const row = (seq) => alice.page.locator(`.msg[data-seq="${seq}"]`);
const messages = async (channel) => ok(await api.get(`/api/v1/channels/${channel}/messages`)).messages;
const last = async (channel) => (await messages(channel)).at(-1);
const post = async (channel, body, more) => ok(await api.post(`/api/v1/channels/${channel}/messages`, { client_id: randomUUID(), body, ...more }), 201);
async function editing(seq) {
	await row(seq).hover();
	await row(seq).getByRole("button", { name: "Edit", exact: true }).click();
	await edit().waitFor();
}

test("a comment of a forwarded message: @channel and a group are asked about with their numbers; Cancel keeps what was written", async () => {
	const { page } = alice;
	await say(page, "worth knowing");
	await seen(page, "worth knowing");
	const forward = async (comment) => {
		await row(1).hover();
		await row(1).getByRole("button", { name: "More", exact: true }).click();
		await page.getByRole("menuitem", { name: "Forward", exact: true }).click();
		await page.getByRole("combobox", { name: "Forward to" }).fill("many");
		await page.getByRole("combobox", { name: "Forward to" }).press("Enter");
		await page.getByLabel("Add a comment (optional)").fill(comment);
		await page.getByLabel("Add a comment (optional)").press("Enter");
	};
	await forward("look, @channel");
	await dialog("Notify 9 people?").waitFor();
	assert.deepEqual(await axe(page), []);
	assert.equal((await messages(id)).length, 0, "nothing is sent unasked");
	await dialog("Notify 9 people?").getByRole("button", { name: "Cancel" }).click();
	const comment = page.getByLabel("Add a comment (optional)");
	assert.equal(await comment.inputValue(), "look, @channel");
	assert.ok(await comment.evaluate((e) => e === document.activeElement), "where one goes on writing");
	assert.equal((await messages(id)).length, 0);
	await comment.fill("look, @crew");
	await dialog("Forward a message").getByRole("button", { name: "Forward", exact: true }).click();
	await dialog("Notify 9 people?").getByRole("button", { name: "Notify and send" }).click();
	await page.getByText("Forwarded to").waitFor();
	await becomes(async () => (await last(id))?.body.mentions, [`group:${group.id}`]);
	await dialog("Forward a message").waitFor({ state: "detached" });
	// a few are not asked about
	await forward("look, @pair");
	await becomes(async () => (await last(id)).body.text, "look, @pair");
});

test("an edit that names a group anew is asked about; what it named already is not", async () => {
	const { page } = alice;
	await page.goto(`${stack.url}/c/${id}`);
	await live(page);
	await say(page, "for the new ones");
	await seen(page, "for the new ones");
	const { seq } = await last(id);
	await editing(seq);
	await edit().fill("for @crew now");
	await edit().press("Enter");
	await dialog("Notify 9 people?").getByRole("button", { name: "Cancel" }).click();
	assert.equal(await edit().inputValue(), "for @crew now");
	assert.equal((await last(id)).version, 1, "nothing is saved");
	await edit().press("Enter");
	await dialog("Notify 9 people?").getByRole("button", { name: "Notify and send" }).click();
	await edit().waitFor({ state: "detached" });
	await becomes(async () => (await last(id)).body.mentions, [`group:${group.id}`]);
	await editing(seq);
	await edit().fill("for @crew, all of them");
	await edit().press("Enter");
	await edit().waitFor({ state: "detached" });
	const now = await last(id);
	assert.deepEqual([now.body.text, now.body.mentions, now.version], ["for @crew, all of them", [`group:${group.id}`], 3]);
});

test("@channel and @here are for new messages: an edit neither offers them nor makes them of words; where one named them it stays", async () => {
	const { page } = alice;
	await say(page, "hello");
	await seen(page, "hello");
	const { seq } = await last(id);
	await editing(seq);
	await edit().fill("");
	await edit().pressSequentially("hi @cr");
	await page.getByRole("option", { name: /The Crew/ }).waitFor();
	await edit().fill("");
	await edit().pressSequentially("hi @h");
	await edit().fill("");
	await edit().pressSequentially("hi @p");
	await page.getByRole("option", { name: /The Pair/ }).waitFor(); // so it has looked
	for (const q of ["cha", "her"]) {
		await edit().fill("");
		await edit().pressSequentially(`@p @${q}`);
		await page.getByRole("option").waitFor({ state: "detached" });
		assert.equal(await page.getByRole("option", { name: /^@(channel|here)/ }).count(), 0, q);
	}
	// Who writes it all the same is told why not, and not asked first.
	await edit().fill("hi @channel");
	await edit().press("Enter");
	await row(seq).getByRole("alert").waitFor();
	assert.equal(await page.getByRole("dialog").count(), 0);
	await edit().press("Escape");

	const named = await post(id, { text: "all: @channel", mentions: ["channel"] });
	await seen(page, "all: @channel");
	await editing(named.seq);
	await edit().fill("all of you: @channel");
	await edit().press("Enter");
	await edit().waitFor({ state: "detached" });
	assert.deepEqual((await last(id)).body, { text: "all of you: @channel", mentions: ["channel"] });

	// words: of a program that names nobody by them
	const words = await post(id, { text: "write @here for those who are here" });
	await seen(page, "write @here for those who are here");
	await editing(words.seq);
	await edit().fill("write @here to those who are here");
	await edit().press("Enter");
	await edit().waitFor({ state: "detached" });
	assert.deepEqual((await last(id)).body, { text: "write @here to those who are here" });
});

test("a reply that stands in its thread alone is edited, whatever it says of @here and @channel", async () => {
	const { page } = alice;
	const root = await post(id, { text: "a root" });
	await page.goto(`${stack.url}/c/${id}/t/${root.seq}`);
	await live(page);
	const panel = page.locator(".panel");
	await panel.locator("#thread-composer").fill("@here is what I meant");
	await panel.locator("#thread-composer").press("Enter");
	await panel.locator(".msg-text", { hasText: "is what I meant" }).waitFor();
	await becomes(async () => ok(await api.get(`/api/v1/channels/${id}/messages/${root.seq}/thread`)).messages?.length ?? 0, 1);
	await panel.locator("#thread-composer").press("ArrowUp");
	await edit().fill("@here and @channel is what I meant");
	await edit().press("Enter");
	await edit().waitFor({ state: "detached" });
	const { messages: replies } = ok(await api.get(`/api/v1/channels/${id}/messages/${root.seq}/thread`));
	assert.deepEqual(replies.at(-1).body, { text: "@here and @channel is what I meant" });
});
