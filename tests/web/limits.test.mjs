// Limits of text fields: what is too long is told and not sent, in characters of Unicode, and never cut, whatever is pasted where.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bot, client } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, me, ok, send } from "../api/help.mjs";
import { axe, becomes, ends, launch, live, person, ready, visitor } from "./help.mjs";

let stack, browser, api, id, alice, page;
before(async () => {
	stack = await startStack({ realtime: 1, conf: { registration: { mode: "invite" }, local: { accounts: "yes" } } });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write", "admin"]) });
	const bob = await bot(stack, "bob");
	id = (await makeChannel(api, { name: "measured", members: [(await me(bob)).id] })).id;
	ok(await send(bob, id, "hello"), 201);
	alice = await person(stack, browser, "alice", { path: `/c/${id}`, reducedMotion: "reduce" });
	page = alice.page;
	await live(page);
});
after(() => ends(stack, browser, alice));

const open = () => page.locator("dialog[open]").last();
const button = (name) => open().getByRole("button", { name, exact: true });
const off = (b) => b.evaluate((e) => e.disabled || e.getAttribute("aria-disabled") === "true");
/** As by the clipboard: a field that cuts would cut this. */
const paste = (field, text) =>
	field.evaluate((e, text) => {
		e.focus();
		e.select();
		document.execCommand("insertText", false, text);
	}, text);
const menu = async (of, item) => {
	await page.getByRole("button", { name: of }).click();
	await page.getByRole("menuitem", { name: item }).click();
};
const actions = async (item) => {
	await page.locator('.msg[data-seq="1"]').hover();
	await page.locator('.msg[data-seq="1"]').getByRole("button", { name: "More", exact: true }).click();
	await page.getByRole("menuitem", { name: item }).click();
};

/** most characters are taken, of whatever weight; one more is told, kept as it was written, and not sent by any key. */
async function holds(what, label, most, does, one = "😀", { form = open(), on = page } = {}) {
	const field = form.getByLabel(label).first();
	const press = form.getByRole("button", { name: does, exact: true });
	const full = one.repeat(most);
	await paste(field, full);
	assert.equal(await field.inputValue(), full, `${what}: nothing is cut`);
	await becomes(() => off(press), false, `${what}: ${most} characters are not too many`);
	assert.equal(await field.getAttribute("aria-invalid"), "false", what);
	await paste(field, `${full}b`);
	assert.equal(await field.inputValue(), `${full}b`, `${what}: nothing is cut`);
	await form.getByText("1 character too many").waitFor();
	assert.equal(await field.getAttribute("aria-invalid"), "true", what);
	assert.equal(await off(press), true, `${what}: it is not sent`);
	assert.deepEqual(await axe(on), [], what);
	await field.press("Control+Enter");
	await field.press("Enter");
	assert.ok(await field.isVisible(), `${what}: by no key either`);
	await paste(field, full); // where Enter makes a line, it did
	await becomes(() => off(press), false, what);
}
async function closes() {
	await page.keyboard.press("Escape");
	await page.locator("dialog[open]").waitFor({ state: "detached" });
}

test("the comment of a forwarded message has the length of a message; what was refused is sent whole once it fits", async () => {
	await actions("Forward");
	await page.getByRole("combobox", { name: "Forward to" }).fill("measured");
	await page.getByRole("combobox", { name: "Forward to" }).press("Enter");
	const field = open().getByLabel("Add a comment (optional)");
	const full = "😀".repeat(20000);
	await paste(field, `${full}ab`);
	assert.equal(await field.inputValue(), `${full}ab`, "nothing is cut");
	await open().getByText("2 characters too many").waitFor();
	assert.equal(await off(button("Forward")), true);
	assert.deepEqual(await axe(page), []);
	await field.press("Enter");
	await field.press("Backspace");
	await open().getByText("1 character too many").waitFor();
	await field.press("Backspace");
	await becomes(() => off(button("Forward")), false);
	await button("Forward").click();
	await becomes(async () => ok(await api.get(`/api/v1/channels/${id}/messages`)).messages.at(-1).body.text, full);
});

test("name and topic of a channel, names of sections and groups", async () => {
	await page.getByRole("button", { name: "Channel menu" }).click();
	await page.getByRole("menuitem", { name: "Edit the channel…" }).click();
	await holds("name", "Name", 80, "Save");
	await holds("topic", "Topic (optional)", 250, "Save");
	await button("Save").click();
	await page.locator("dialog[open]").waitFor({ state: "detached" });
	const held = ok(await api.get(`/api/v1/channels/${id}`));
	assert.deepEqual([held.name, held.topic], ["😀".repeat(80), "😀".repeat(250)]);
	ok(await api.patch(`/api/v1/channels/${id}`, { name: "measured", topic: "" }));

	await page.getByRole("button", { name: "Channel menu" }).click();
	await page.getByRole("menuitem", { name: "Move to section…" }).click();
	await open().getByLabel("New section…").check();
	await holds("section", "Name", 40, "Save");
	await closes();

	await menu("Your menu", "Groups…");
	await open().getByLabel("Handle").fill("crew");
	await holds("group", "Name", 80, "Make a group");
	await holds("handle", "Handle", 32, "Make a group", "a");
	await closes();
});

test("what one says of oneself: name and status; what one tells of a message, and of a person", async () => {
	await menu("Your menu", "Settings…");
	await holds("own name", "Name", 80, "Save name");
	await closes();
	await menu("Your menu", /status/i);
	await holds("status", "What is your status?", 100, "Save");
	await closes();
	const tool = async (name) => {
		await page.locator('.msg[data-seq="1"]').hover();
		await page.locator('.msg[data-seq="1"]').getByRole("button", { name, exact: true }).click();
	};
	await tool("Report…");
	await holds("report", "Anything to add? (optional)", 1000, "Report");
	await closes();
	await tool("Moderate…");
	await holds("reason", "Reason", 500, "Apply");
	await closes();
	await menu("Your menu", "Settings…");
	await open().getByRole("button", { name: /token/i }).click();
	await holds("token", "Name", 80, "Make the token");
	await closes();
});

test("a message that is edited, the name of an emoji", async () => {
	const { seq } = ok(await send(api, id, "as it was"), 201);
	const row = page.locator(`.list .msg[data-seq="${seq}"]`);
	await row.focus();
	await page.keyboard.press("e");
	const field = row.locator("textarea");
	const full = "😀".repeat(20000);
	await paste(field, `${full}b`);
	assert.equal(await field.inputValue(), `${full}b`, "nothing is cut");
	await row.getByText("1 character too many").waitFor();
	assert.equal(await off(row.getByRole("button", { name: "Save", exact: true })), true);
	await field.press("Enter");
	assert.ok(await field.isVisible());
	await field.press("Backspace");
	await becomes(() => off(row.getByRole("button", { name: "Save", exact: true })), false);
	await field.press("Enter");
	await becomes(async () => ok(await api.get(`/api/v1/channels/${id}/messages`)).messages.at(-1).body.text, full);
	await menu("Your menu", "Settings…");
	await open().getByRole("button", { name: /^Emoji of this site/ }).click();
	await holds("emoji", "Name", 32, "Add", "a");
	await closes();
});

test("at the door: user name and password, and those of whoever joins; one's own password", async () => {
	const { page: door, context, faults } = await visitor(browser, { reducedMotion: "reduce" });
	const form = door.locator(".door-form");
	const at = (what, label, most, does, one) => holds(what, label, most, does, one, { form, on: door });
	await door.goto(`${stack.url}/sign-in`);
	await form.waitFor();
	await at("user name", "User name", 80, "Sign in", "a");
	await at("password", "Password", 1024, "Sign in");
	const { url } = ok(await api.post("/api/v1/invites", { max_uses: 1 }), 201);
	await door.goto(url);
	await form.getByLabel("Your name").waitFor();
	await at("a new name", "Your name", 80, "Join");
	await at("a new user name", "User name", 32, "Join", "a");
	await at("a new password", "Password", 1024, "Join");
	await form.getByLabel("Your name").fill("Pia");
	await form.getByLabel("User name").fill("pia");
	await form.getByLabel("Password").fill("a long enough secret");
	await form.getByRole("button", { name: "Join", exact: true }).click();
	await ready(door);
	await door.getByRole("button", { name: "Your menu" }).click();
	await door.getByRole("menuitem", { name: "Settings…" }).click();
	await door.getByRole("button", { name: "Change password" }).click();
	const change = { form: door.locator("dialog[open]").last(), on: door };
	for (const label of ["Present password", "New password", "New password again"]) await holds(label, label, 1024, "Change password", "😀", change);
	assert.deepEqual(faults, []);
	await context.close();
});
