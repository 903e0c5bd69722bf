// A whole day's work by keys alone: nothing in this file clicks, moves a pointer or fills a field. After each key somebody has the focus, it
// is on the screen and drawn, and what opens a dialog or a panel has it again when that is closed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { allMessages, makeChannel, ok, send } from "../api/help.mjs";
import { becomes, ends, launch, live, person, seen } from "./help.mjs";

let stack, browser, api, bob, ids, who, page;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	[api, bob] = await Promise.all(["alice", "bob"].map(async (login) => client(stack, { token: await stack.token(login, ["read", "write"]) })));
	ids = Object.fromEntries(ok(await api.get("/api/v1/users?limit=100")).users.map((u) => [u.handle, u.id]));
	for (const name of ["arbour", "bakery", "cellar"]) ids[name] = (await makeChannel(api, { name, members: [ids.bob] })).id;
	ids.docks = (await makeChannel(bob, { name: "docks", topic: "Ships that come and go" })).id;
	ok(await send(api, ids.arbour, "my own first"), 201);
	for (const text of ["from bob, one", "from bob, two", "from bob, three"]) ok(await send(bob, ids.arbour, text), 201);
	ok(await api.put(`/api/v1/channels/${ids.arbour}/read`, { seq: 4 }));
	const options = { path: `/c/${ids.arbour}`, permissions: ["clipboard-read", "clipboard-write"], reducedMotion: "reduce" };
	who = await person(stack, browser, "alice", options);
	({ page } = who);
	await live(page);
	await has("#composer");
});
after(() => ends(stack, browser, who));

/** In the page: what is wrong with the focus; "" where it is on the screen, not covered, and drawn. */
function focusFault() {
	const el = document.activeElement;
	if (!el || el === document.body) return "nothing has the focus";
	const drawn = el.matches("input.sr-only") ? el.closest("label") : el;
	const r = drawn.getBoundingClientRect();
	if (r.bottom <= 0 || r.right <= 0 || r.top >= innerHeight || r.left >= innerWidth) return `off the screen: ${el.outerHTML.slice(0, 160)}`;
	const middle = [(r.left + r.right) / 2, (Math.max(0, r.top) + Math.min(innerHeight, r.bottom)) / 2];
	const hits = ([x, y]) => {
		const at = document.elementFromPoint(x, y);
		return at !== null && (drawn.contains(at) || at.contains(drawn));
	};
	if (![middle, [r.left + 4, r.top + 4], [r.right - 4, r.bottom - 4]].some(hits)) return `covered: ${el.outerHTML.slice(0, 160)}`;
	if (!el.matches(":focus-visible")) return `not meant to be seen: ${el.outerHTML.slice(0, 160)}`;
	const frames = [drawn, ...(el.matches("input, textarea") ? [drawn.closest(".composer, .edit, .picker-field")] : [])];
	const shows = (s) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none";
	return frames.some((e) => e && shows(getComputedStyle(e))) ? "" : `not drawn: ${el.outerHTML.slice(0, 160)}`;
}

/** A key, after which the focus comes to be somewhere one sees. */
async function press(...keys) {
	for (const key of keys) {
		await page.keyboard.press(key);
		await visible(key);
	}
}
const visible = (key) => becomes(() => page.evaluate(focusFault), "", `the focus after ${key}`);
const type = (text) => page.keyboard.type(text);

/** What has the focus, as it is called. */
const focused = () =>
	page.evaluate(() => {
		const el = document.activeElement;
		if (el === document.body) return "";
		if (el.dataset.seq) return `message ${el.dataset.seq}`;
		const label = el.closest("label")?.innerText;
		return (el.ariaLabel || label || (el.ariaHasPopup === "menu" && el.title) || el.innerText || el.title || el.id || "").trim();
	});
const has = (selector) =>
	until(() => page.evaluate((s) => document.activeElement?.matches(s) === true, selector), { what: `the focus on ${selector}` }).catch(async (e) => {
		throw new Error(`${e.message}; it is on ${await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))}`);
	});
const on = (want) => becomes(focused, want, `the focus on ${want}`);
/** Tab until what is called so has the focus. */
async function tabTo(want, key = "Tab") {
	const met = [];
	for (let i = 0; i < 80; i++) {
		await page.keyboard.press(key);
		met.push(await focused());
		if (!met.at(-1)) continue; // round the end of the page, where the browser's own controls are
		await visible(key);
		if (want.test(met.at(-1))) return;
	}
	throw new Error(`${key} does not lead to ${want}, but to ${met.join(", ")}`);
}
/** The focus on a message, from wherever it is: Esc until it is in the composer, into the list, J and K. */
async function toMessage(seq) {
	for (let i = 0; i < 5 && !(await page.evaluate(() => document.activeElement?.id === "composer")); i++) await press("Escape");
	await has("#composer");
	await tabTo(/^(Messages in|message )/, "Shift+Tab");
	for (let i = 0; i < 30; i++) {
		const now = await focused();
		const at = /^message (\d+)$/.exec(now)?.[1];
		if (at === `${seq}`) break;
		await press(at && Number(at) < seq ? "j" : "k");
		await until(async () => (await focused()) !== now, { what: `another message than ${now}` });
	}
	await on(`message ${seq}`);
}
const inMenu = async (want) => {
	await page.locator("[role=menu]").waitFor();
	for (let i = 0; i < 25 && !want.test(await focused()); i++) await press("ArrowDown");
	assert.match(await focused(), want);
};
const open = (name) => page.getByRole("dialog", { name }).waitFor();
async function leavePanel() {
	await press("Escape");
	await page.locator(".panel").waitFor({ state: "detached" });
}
const closed = () => until(async () => (await page.locator("dialog[open], [role=menu]").count()) === 0, { what: "all dialogs closed" });
const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
const row = (seq) => page.locator(`.list .msg[data-seq="${seq}"]`);
const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
const membership = async (id) => ok(await api.get(`/api/v1/channels/${id}`)).membership;

test("browses the channels and joins one", async () => {
	await tabTo(/^Add a channel$/);
	await press("Enter");
	await inMenu(/^Browse channels$/);
	await press("Enter");
	await open("Browse channels");
	await type("ships");
	await page.locator("dialog[open] [role=option][aria-selected=true]", { hasText: "docks" }).waitFor();
	await press("Escape");
	await closed();
	await on("Add a channel");
	await press("Enter");
	await inMenu(/^Browse channels$/);
	await press("Enter");
	await type("ships");
	await page.locator("dialog[open] [role=option][aria-selected=true]", { hasText: "docks" }).waitFor();
	await press("Enter");
	await heading("docks");
	await has("#composer");
	assert.equal((await membership(ids.docks)).role, "member");
	await type("hello, ships");
	await press("Enter");
	await seen(page, "hello, ships");
});

test("steps through what is unread, both ways, and marks it as read by Esc", async () => {
	for (const name of ["bakery", "cellar"]) ok(await send(bob, ids[name], `news in the ${name}`), 201);
	const unread = (name) => page.locator(".entry", { hasText: name }).locator(".badge").count();
	await becomes(async () => [await unread("bakery"), await unread("cellar")], [1, 1]);
	await press("Alt+Shift+ArrowDown"); // round the end of the list
	await heading("bakery");
	await seen(page, "news in the bakery");
	await press("Alt+Shift+ArrowDown");
	await heading("cellar");
	await seen(page, "news in the cellar");
	// What was looked at is read by now. One of them is to be read later, from the message on.
	await becomes(async () => (await membership(ids.bakery)).unread, 0);
	await press("Alt+ArrowUp");
	await heading("bakery");
	await toMessage(1);
	await press("u");
	await page.getByText("Marked as unread").waitFor();
	await becomes(async () => (await membership(ids.bakery)).unread, 1);
	await on("message 1");
	await press("Alt+ArrowUp");
	await heading("arbour");
	await becomes(() => unread("bakery"), 1);
	await press("Alt+Shift+ArrowUp");
	await heading("bakery");
	await press("Alt+ArrowUp");
	await heading("arbour");
	assert.equal((await membership(ids.arbour)).unread, 0);

	await toMessage(3);
	await press("u");
	await becomes(async () => (await membership(ids.arbour)).unread, 2);
	await page.locator(".divider-new").waitFor();
	await on("message 3");
	await press("Escape");
	await has("#composer");
	await becomes(async () => (await membership(ids.arbour)).unread, 0);
	await becomes(() => unread("arbour"), 0);
});

test("reacts by the picker and by the row, and sees who did", async () => {
	await toMessage(2);
	await press("r");
	await open("Add a reaction");
	await type("tada");
	await page.getByRole("button", { name: "party popper" }).waitFor();
	await press("ArrowDown", "Enter");
	await row(2).locator('.reaction[data-emoji="🎉"]').waitFor();
	await closed();
	await on("message 2");
	ok(await bob.put(`/api/v1/channels/${ids.arbour}/messages/2/reactions/${encodeURIComponent("🎉")}`));
	await becomes(() => row(2).locator(".reaction-count").first().innerText(), "2");
	await tabTo(/^🎉 2: .*Bob Okafor/);
	await press("i");
	await open("Who reacted with 🎉");
	await becomes(async () => (await page.locator("dialog[open] .person").allInnerTexts()).map((t) => t.split("\n")[0]).filter(Boolean).length, 2);
	await page.locator("dialog[open] .person", { hasText: "Bob Okafor" }).waitFor();
	await page.locator("dialog[open] .person", { hasText: "Alice Moreau" }).waitFor();
	await press("Escape");
	await closed();
	await has('.reaction[data-emoji="🎉"]');
	await press("Enter"); // one's own away again
	await becomes(() => row(2).locator(".reaction-count").first().innerText(), "1");
});

test("edits, copies the text and the link, deletes; the focus is on the message again each time", async () => {
	await press("Escape");
	await has("#composer");
	await type("to be mendde");
	await press("Enter");
	await seen(page, "to be mendde");
	await toMessage(5);
	await press("e");
	await has(".edit-text");
	await press("Backspace", "Backspace");
	await type("ed");
	await press("Enter");
	await row(5).getByText("to be mended").waitFor();
	await on("message 5");
	await press("e");
	await has(".edit-text");
	await press("Escape");
	await on("message 5");
	await press("c");
	await becomes(clipboard, "to be mended");
	await press("l");
	await becomes(clipboard, `${stack.url}/c/${ids.arbour}/m/5`);
	await tabTo(/^Edited .*what it said before$/);
	await press("Enter");
	await open("What the message said");
	await becomes(() => page.locator("dialog[open] .edits-list li").count(), 2);
	await press("Escape");
	await closed();
	await on((await page.locator('.list .msg[data-seq="5"] .msg-edited').getAttribute("aria-label")).trim());
	await tabTo(/^Delete…$/);
	await press("Enter");
	await page.locator("dialog[open]").waitFor();
	await press("Escape");
	await closed();
	await on("Delete…");
	await press("Enter");
	await page.locator("dialog[open]").waitFor();
	await press("Enter");
	await row(5).getByText("This message was deleted").waitFor();
	await closed();
	await on("message 5");
});

test("pins and saves, looks at both lists, forwards", async () => {
	await toMessage(3);
	await press("p");
	await row(3).getByText("Pinned by Alice").waitFor();
	await press("s");
	await row(3).locator(".msg-kept", { hasText: "Saved" }).waitFor();
	await on("message 3");
	await press("f");
	await open("Forward a message");
	await type("bakery");
	await page.locator("dialog[open] [role=option][aria-selected=true]", { hasText: "bakery" }).waitFor();
	await press("Enter");
	await has("dialog[open] textarea");
	await type("for the bakers");
	await press("Enter");
	await closed();
	await on("message 3");
	await becomes(async () => (await allMessages(api, ids.bakery)).at(-1).body.forward?.seq, 3);
	assert.equal((await allMessages(api, ids.bakery)).at(-1).body.text, "for the bakers");

	await tabTo(/pinned message$/, "Shift+Tab");
	await press("Enter");
	await page.locator(".panel .result", { hasText: "from bob, two" }).waitFor();
	await tabTo(/^Unpin the message of Bob/);
	await leavePanel();
	await on("1\n1 pinned message");
	await tabTo(/^Channel menu$/);
	await press("Enter");
	await inMenu(/^Saved messages$/);
	await press("Enter");
	await page.locator(".panel .result", { hasText: "from bob, two" }).waitFor();
	await tabTo(/^Remove the message of Bob .* from saved$/);
	await press("Enter");
	await page.getByText("You have saved nothing yet.").waitFor();
	await leavePanel();
	await on("Channel menu");
});

test("opens a thread, replies, reads it and comes back to the message", async () => {
	await toMessage(4);
	await press("t");
	await has("#thread-composer");
	await type("in the thread");
	await press("Enter");
	await page.locator(".panel .msg", { hasText: "in the thread" }).waitFor();
	await row(4).getByText("1 reply").waitFor();
	assert.deepEqual(ok(await bob.get(`/api/v1/channels/${ids.arbour}/messages/4/thread`)).messages.map((m) => m.body.text), ["in the thread"]);
	await leavePanel();
	await on("message 4");
	await tabTo(/1 reply/);
	await press("Enter");
	await has("#thread-composer");
	await press("Shift+Tab");
	await has(".thread-scroll");
	await leavePanel();
	await has(".thread-line");
});

test("what opens has the focus before the next key comes, and Enter takes the first that was found: none of it waits to be drawn", async () => {
	await toMessage(1);
	const edit = await page.evaluate(async () => {
		document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "e", bubbles: true, cancelable: true }));
		await new Promise((ok) => setTimeout(ok));
		return document.activeElement.className;
	});
	assert.equal(edit, "edit-text");
	await press("Escape");
	await on("message 1");
	await press("f");
	await open("Forward a message");
	await press("ArrowDown"); // to the second of all
	const [found, to, tag] = await page.evaluate(async () => {
		const turn = () => new Promise((ok) => setTimeout(ok));
		const field = document.activeElement;
		field.value = "r";
		field.dispatchEvent(new InputEvent("input", { bubbles: true }));
		await turn();
		const names = [...document.querySelectorAll("dialog[open] [role=option] .picker-name")].map((e) => e.textContent);
		field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
		await turn();
		return [names, document.querySelector("dialog[open] .forward-to span").textContent, document.activeElement.tagName];
	});
	assert.ok(found.length > 1, found.join());
	assert.ok(to.includes(found[0]), `${to}, of ${found}`);
	assert.equal(tag, "TEXTAREA");
	await press("Escape");
	await closed();
	await on("message 1");
});

test("searches, jumps to what was found and back to the end", async () => {
	const find = async () => {
		await press("/");
		await has("[role=combobox]");
		await type("own first");
		await page.locator(".result", { hasText: "my own first" }).waitFor();
	};
	await toMessage(4);
	await find();
	await tabTo(/^Best match$/);
	await press("ArrowRight");
	await on("Newest");
	await leavePanel();
	await on("message 4");
	await find();
	await press("ArrowDown", "Enter");
	await page.waitForURL((url) => url.searchParams.get("at") === "1");
	await on("message 1");
	await leavePanel();
	await on("message 1");
	await tabTo(/^Channel menu$/, "Shift+Tab");
	await press("Enter");
	await inMenu(/^Jump to date…$/);
	await press("Enter");
	await open("Jump to date");
	await press("Enter"); // today
	await closed();
	await on("message 1");
});

test("mutes a channel and makes it loud again, chooses what it tells, puts it into a section of its own", async () => {
	await press("Escape");
	await tabTo(/^Channel menu$/, "Shift+Tab");
	await press("Enter");
	await inMenu(/^Muted$/);
	await press("Enter");
	const entry = page.locator(".entry", { hasText: "arbour" });
	await entry.getByText("(muted by you)").waitFor();
	await press("Enter");
	await becomes(() => entry.getByText("(muted by you)").count(), 0);
	await press("Escape");
	await on("Channel menu");
	await press("Enter");
	await inMenu(/^Notifications…$/);
	await press("Enter");
	await open(/^Notifications: /);
	await has("input[name=level]");
	await on("Mentions of me"); // what is chosen
	await press("ArrowDown");
	await on("Nothing");
	await press("Enter");
	await closed();
	await on("Channel menu");
	await becomes(async () => ok(await api.get(`/api/v1/channels/${ids.arbour}`)).prefs?.notify, "nothing");
	await press("Enter");
	await inMenu(/^Move to section…$/);
	await press("Enter");
	await open(/^Move /);
	await has("input[name=section]");
	await press("ArrowDown"); // the only other choice: a new one
	await tabTo(/^Name$/);
	await type("Mine");
	await press("Enter");
	await closed();
	await page.getByRole("list", { name: "Mine" }).getByText("arbour").waitFor();
	await on("Channel menu");
});

test("writes to several people at once", async () => {
	await tabTo(/^New direct message$/);
	await press("Enter");
	await open("New direct message");
	await tabTo(/^Message several people…$/);
	await press("Enter");
	await open("Message several people");
	for (const name of ["bob", "carol"]) {
		await has("dialog[open] [role=combobox]");
		await type(name);
		await page.locator("dialog[open] [role=option][aria-selected=true]", { hasText: new RegExp(`^.*${name}`, "i") }).waitFor();
		await press("Enter");
	}
	await becomes(() => page.locator(".group-people li").count(), 2);
	await tabTo(/^Open$/);
	await press("Enter");
	await closed();
	await has("#composer");
	await type("good morning, both");
	await press("Enter");
	await seen(page, "good morning, both");
	const { channel } = await page.evaluate(() => ({ channel: Number(location.pathname.split("/")[2]) }));
	assert.deepEqual([ok(await bob.get(`/api/v1/channels/${channel}`)).kind, (await allMessages(bob, channel)).length], ["direct", 1]);
});

test("settings: a switch is turned, a dialog in them opened and left, the theme changed; the menu's button has the focus again", async () => {
	const menu = async (want) => {
		await press("Enter");
		await inMenu(want);
		await press("Enter");
	};
	await tabTo(/^Your menu$/);
	await menu(/^Settings…$/);
	await open("Settings");
	await until(async () => {
		await press("Tab");
		return page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-labelledby") ?? "")?.innerText === "Compact");
	}, { every: 5, what: "Tab leads to Compact" });
	await press("Space");
	await becomes(() => page.evaluate(() => document.documentElement.dataset.density), "compact");
	await press("Space");
	await becomes(() => page.evaluate(() => document.documentElement.dataset.density), "comfortable");
	await press("Escape");
	await closed();
	await on("Your menu");
	await menu(/^Set a status…$/);
	await open("Status");
	await type("By keys");
	await press("Enter");
	await closed();
	await on("Your menu");
	await press("Enter");
	await inMenu(/By keys$/);
	await press("Escape");
	await closed();
	await on("Your menu");
});
