// Groups, @here and @channel in a real browser: completed, asked about before they reach many, shown as what they are; the list of groups and its changes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bot, client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, me, ok } from "../api/help.mjs";
import { axe, crowd, ends, launch, person, seen } from "./help.mjs";

let stack, browser, api, bob, id, alice;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write", "admin"]) });
	bob = await bot(stack, "bob");
	bob.id = (await me(bob)).id;
	id = (await makeChannel(api, { name: "many", members: [bob.id] })).id;
	await crowd(stack, id, 8);
	alice = await person(stack, browser, "alice", { path: `/c/${id}`, reducedMotion: "reduce" });
});
after(() => ends(stack, browser, alice));

const box = () => alice.page.locator("#composer");
const dialog = (name) => alice.page.getByRole("dialog", { name });
const messages = async () => ok(await api.get(`/api/v1/channels/${id}/messages`)).messages;

test("a group is made, filled, named, and opened by its name; @channel is asked about, with the number", async () => {
	const { page } = alice;
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Groups…" }).click();
	await dialog("Groups").getByLabel("Handle").fill("crew");
	await dialog("Groups").getByLabel("Name", { exact: true }).fill("The Crew");
	await dialog("Groups").getByRole("button", { name: "Make a group" }).click();
	await dialog("The Crew").getByRole("combobox", { name: "Add a person" }).fill("bob");
	await dialog("The Crew").getByRole("option", { name: /bob/i }).click();
	await dialog("The Crew").getByRole("button", { name: /^Take .* out$/ }).waitFor();
	assert.deepEqual(await axe(page), []);
	await page.keyboard.press("Escape");
	const [group] = ok(await api.get("/api/v1/groups")).groups;
	assert.deepEqual([group.handle, group.name, group.members], ["crew", "The Crew", 1]);

	// completed by the keyboard; one person is not asked about
	await box().click();
	await page.keyboard.type("hi @cr");
	await page.getByRole("option", { name: /The Crew/ }).waitFor();
	await page.keyboard.press("Enter");
	assert.equal(await box().inputValue(), "hi @crew ");
	await page.keyboard.type("look");
	await page.keyboard.press("Enter");
	await seen(page, "hi @The Crew look");
	const name = `group:${group.id}`;
	assert.deepEqual((await messages()).at(-1).body, { text: "hi @crew look", mentions: [name], reached: { [name]: [bob.id] } });
	await page.locator("button.mention").click();
	await dialog("The Crew").locator(".person").waitFor();
	await page.keyboard.press("Escape");

	// nine would be notified
	await box().click();
	await page.keyboard.type("all of you: @chan");
	await page.getByRole("option", { name: /@channel/ }).waitFor();
	await page.keyboard.press("Enter");
	await page.keyboard.press("Enter");
	await dialog("Notify 9 people?").getByRole("button", { name: "Cancel" }).click();
	assert.equal(await box().inputValue(), "all of you: @channel ");
	assert.equal((await messages()).length, 1, "nothing is sent");
	await box().press("Enter");
	assert.deepEqual(await axe(page), []);
	await dialog("Notify 9 people?").getByRole("button", { name: "Notify and send" }).click();
	await seen(page, "all of you: @channel");
	assert.deepEqual((await messages()).at(-1).body.mentions, ["channel"]);
	assert.equal(ok(await bob.get("/api/v1/me/unread")).mentions, 2);

	// what others say of the group, and who may name the channel, is told
	ok(await api.patch(`/api/v1/groups/${group.id}`, { name: "The Choir" }));
	await page.locator("button.mention", { hasText: "@The Choir" }).waitFor();
	ok(await api.delete(`/api/v1/groups/${group.id}`), 204);
	await until(async () => (await page.locator("button.mention").count()) === 0, { what: "the group is gone" });
	await page.getByRole("button", { name: "Channel menu" }).click();
	await page.getByRole("menuitem", { name: "Edit the channel…" }).click();
	await page.getByLabel("Who may use @channel and @here").selectOption("moderators");
	await page.locator("dialog[open]").getByRole("button", { name: "Save" }).click();
	await until(async () => ok(await api.get(`/api/v1/channels/${id}`)).mention_all === "moderators", { what: "moderators alone" });
});
