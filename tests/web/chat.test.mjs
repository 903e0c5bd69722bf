// Two people in two browsers: writing, reading, coming back; over each transport; what must not be lost and not come twice.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { allMessages, assertGapFree, makeChannel, ok, send } from "../api/help.mjs";
import { PHONE, ask, becomes, drawn, everything, launch, live, person, rung, say, seen, signIn, tells, visitor } from "./help.mjs";

let stack, browser, api, bob;
before(async () => {
	stack = await startStack({ realtime: 2 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	bob = ok(await api.get("/api/v1/users?q=bob")).users[0];
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

const channel = (name) => makeChannel(api, { name, topic: "For a test", members: [bob.id] });
const texts = async (id) => (await allMessages(api, id)).map((m) => m.body.text);

/** Both write to each other and see it; answers the ms between a key of one and the picture of the other, in order. */
async function exchangeMessages(a, b, n) {
	const took = [];
	for (let i = 0; i < n; i++) {
		const [from, to] = i % 2 ? [b, a] : [a, b];
		const text = `${from.login} says ${i}`;
		took.push(await tells(from, to, text));
		await seen(from.page, text);
	}
	return took.sort((x, y) => x - y);
}

test("by WebSocket: what one writes is on the other's screen within a second", async () => {
	const { id } = await channel("by-socket");
	const a = await person(stack, browser, "alice", { path: `/c/${id}` });
	const b = await person(stack, browser, "bob", { path: `/c/${id}` });
	await Promise.all([live(a.page), live(b.page)]);
	const took = await exchangeMessages(a, b, 6);
	assert.ok(took[3] < 1000, `took ${took} ms`);
	for (const who of [a, b]) {
		assert.ok(who.asked.includes("/api/v1/ws"));
		assert.ok(!who.asked.includes("/api/v1/events"), "no long-poll beside it");
		await becomes(() => who.page.locator(".msg-pending").count(), 0);
		assert.deepEqual(who.faults, []);
		// History after a reload is the same.
		const before = await drawn(who.page);
		assert.equal(before.length, 6);
		await who.page.reload();
		await seen(who.page, before.at(-1).text);
		assert.deepEqual(await drawn(who.page), before);
		await who.context.close();
	}
});

for (const [by, what, blocked] of [
	["sse", "without WebSocket: the same by server-sent events", ["refuse", "mute"]],
	["poll", "without event streams either: the same by long-poll", ["streams", "swallow"]],
])
	test(`TR-2 ${what}, whether they are refused or swallowed on the way`, async () => {
		const { id } = await channel(`by-${by}`);
		const path = `/c/${id}`;
		const [a, b] = await Promise.all(["alice", "bob"].map((login, i) => person(stack, browser, login, { path, blocked: blocked[i] })));
		await Promise.all([live(a.page, by), live(b.page, by)]);
		const took = await exchangeMessages(a, b, 6);
		assert.ok(took[3] < 1000, `took ${took} ms`);
		for (const who of [a, b]) {
			assert.equal(await rung(who.page), `live ${by}`);
			assert.equal(who.asked.filter((p) => p === "stream").length, 1, `streams: ${who.asked}`);
			const polls = who.asked.filter((p) => p === "/api/v1/events").length;
			assert.ok(by === "poll" ? polls >= 3 : polls === 0, `polls: ${who.asked}`);
			assert.equal((await drawn(who.page)).length, 6);
			assert.deepEqual(who.faults, []);
			await who.context.close();
		}
	});

test("older messages come when one scrolls up, and nothing on the screen moves", async () => {
	const { id } = await channel("long-ago");
	for (let i = 0; i < 240; i += 20)
		await Promise.all(Array.from({ length: 20 }, (_, k) => send(api, id, `message ${i + k} ${"and so on ".repeat((i + k) % 40)}`.trim())));
	// It opens at its end where all has been read.
	const reader = client(stack, { token: await stack.token("bob", ["read", "write"]) });
	ok(await reader.put(`/api/v1/channels/${id}/read`, { seq: 240 }));
	const { page, context, faults } = await person(stack, browser, "bob", { path: `/c/${id}` });
	await live(page);
	await page.waitForFunction(() => document.querySelector('.msg[data-seq="240"]'));
	const jumps = await page.evaluate(async () => {
		const list = document.querySelector(".list");
		const frame = () => new Promise((ok) => requestAnimationFrame(ok));
		const found = [];
		// Older pages are asked for only while a row is being watched.
		const fetched = window.fetch;
		let held = [];
		window.fetch = async (url, init) => {
			if (/[?&]before=/.test(url)) await new Promise((go) => held.push(go));
			return fetched(url, init);
		};
		const end = performance.now() + 40000;
		const inTime = () => {
			if (performance.now() > end) throw new Error("the start does not come");
		};
		while (!document.querySelector(".start")) {
			inTime();
			list.scrollTop -= 500;
			await frame();
			await frame();
			// From here on nobody scrolls: a row in view must stay where it is while pages come above it.
			const row = [...list.querySelectorAll(".msg")].find((e) => e.getBoundingClientRect().top > 250);
			const at = row.getBoundingClientRect().top;
			const height = list.scrollHeight;
			const comes = held.length > 0;
			for (const go of held.splice(0)) go();
			for (; comes && list.scrollHeight - height < 300; await frame()) inTime();
			for (let i = 0; i < 8; i++) await frame();
			found.push({ moved: row.isConnected ? row.getBoundingClientRect().top - at : NaN, grew: list.scrollHeight - height });
		}
		return found;
	});
	assert.ok(jumps.some((j) => j.grew > 1000), "a page came while a row was being watched");
	assert.deepEqual(jumps.filter((j) => !(Math.abs(j.moved) < 0.51)), []);
	const all = await everything(page);
	assertGapFree(all.map((m) => m.seq));
	assert.deepEqual(all.map((m) => m.text), await texts(id));
	assert.deepEqual(faults, []);
	await context.close();
});

test("a channel opens at its end, also on a phone, and stays there when its rows grow or messages come", async () => {
	const { id } = await channel("at-the-end");
	for (let i = 0; i < 30; i++) await send(api, id, `${"words ".repeat((i * 7) % 40)}${i % 3 ? "" : "🎉"} ${i}`.trim());
	const { page, context } = await person(stack, browser, "alice", { path: `/c/${id}`, viewport: PHONE, hasTouch: true });
	const below = () =>
		page.evaluate(() => {
			const list = document.querySelector(".list");
			return list.querySelector('.msg[data-seq="30"]') ? list.scrollHeight - list.scrollTop - list.clientHeight : NaN;
		});
	const atEnd = (what) => until(async () => (await below()) <= 1, { what });
	await live(page);
	await atEnd("the end on opening");
	for (let i = 0; i < 3; i++) {
		await page.reload();
		await live(page);
		await page.evaluate(() => document.fonts.ready);
		await atEnd("the end after a reload");
	}
	// As when a font comes late, with the scrolling of before still to be told.
	await page.evaluate(() => {
		const style = new CSSStyleSheet();
		style.replaceSync(".msg-text { line-height: 40px !important }");
		document.adoptedStyleSheets = [style];
		document.querySelector(".list").dispatchEvent(new Event("scroll"));
	});
	await atEnd("the end with taller rows");
	await page.setViewportSize({ width: PHONE.width, height: 500 });
	await atEnd("the end above a phone's keyboard");
	await send(api, id, "one more");
	await seen(page, "one more");
	await atEnd("the end below a new message");
	// Who has scrolled up is left alone, also where the message comes before the scroll event does.
	const up = () => (document.querySelector(".list").scrollTop -= 400);
	const upUntold = () =>
		Object.defineProperty(document.querySelector(".list"), "clientWidth", {
			configurable: true,
			get() {
				delete this.clientWidth;
				this.scrollTop -= 400;
				return this.clientWidth;
			},
		});
	for (const [scroll, text] of [[up, "and another"], [upUntold, "and a third"]]) {
		await page.evaluate(scroll);
		await send(api, id, text);
		await page.locator(".jump").waitFor();
		assert.ok((await below()) > 300);
		await page.locator(".jump").click();
		await seen(page, text);
		await atEnd("the end when asked for");
	}
	await context.close();
});

test("what is written offline waits, survives the page, and is sent once and in order", async () => {
	const { id } = await channel("offline");
	const a = await person(stack, browser, "alice", { path: `/c/${id}` });
	await live(a.page);
	await say(a.page, "before");
	await seen(a.page, "before");
	await a.context.setOffline(true);
	for (const text of ["off one", "off two", "off three"]) await say(a.page, text);
	await until(async () => (await a.page.locator(".msg-pending").count()) === 3, { what: "three waiting messages" });
	await until(async () => /3 messages wait/.test(await a.page.locator(".conn").innerText()), { what: "the line that says so" });
	assert.deepEqual(await texts(id), ["before"]);
	// The page goes away altogether; another one of the same browser finds what is left.
	await a.page.close();
	await a.context.setOffline(false);
	a.page = await a.context.newPage();
	await a.page.goto(`${stack.url}/c/${id}`);
	await seen(a.page, "off three");
	assert.deepEqual((await drawn(a.page)).map((m) => m.text), ["before", "off one", "off two", "off three"]);
	assert.equal(await a.page.locator(".msg-pending").count(), 0);
	await until(() => a.page.evaluate(() => !Object.keys(localStorage).some((k) => k.includes(":out:"))), { what: "an empty outbox" });
	await a.page.reload();
	await seen(a.page, "off three");
	assert.deepEqual(await texts(id), ["before", "off one", "off two", "off three"]);
	assert.deepEqual(a.faults, []);
	await a.context.close();
});

test("an answer that is lost on the way makes no second message", async () => {
	const { id } = await channel("lost-answers");
	const a = await person(stack, browser, "alice", { path: `/c/${id}`, blocked: "streams" });
	await live(a.page, "poll");
	// Two answers to the same message are lost. The events are held back as long: the client cannot know that it is stored.
	let holding = true;
	const tried = [];
	await a.context.route("**/api/v1/events*", (route) => (holding ? route.abort("connectionreset") : route.fallback()));
	await a.page.reload();
	await until(async () => (await rung(a.page)).startsWith("reconnecting") || (await rung(a.page)).startsWith("connecting"));
	await a.context.route(`**/channels/${id}/messages`, async (route) => {
		if (route.request().method() !== "POST") return route.continue();
		tried.push(route.request().postDataJSON().client_id);
		holding = tried.length < 3;
		if (!holding) return route.continue();
		await route.fetch();
		return route.abort("connectionreset");
	});
	await say(a.page, "only once");
	await seen(a.page, "only once", 30000);
	await say(a.page, "and one more");
	await seen(a.page, "and one more");
	assert.ok(tried.length >= 4, "each loss led to another try");
	assert.equal(new Set(tried.slice(0, 3)).size, 1, "under the same name");
	assert.deepEqual(await texts(id), ["only once", "and one more"]);
	assert.deepEqual((await drawn(a.page)).map((m) => m.text), ["only once", "and one more"]);
	await a.context.close();
});

test("a draft survives another channel, a reload and a new page", async () => {
	const [one, two] = [await channel("draft-one"), await channel("draft-two")];
	const a = await person(stack, browser, "alice", { path: `/c/${one.id}` });
	const box = () => a.page.locator("#composer");
	await box().fill("half a thought\nand its second line");
	await a.page.locator(".entry", { hasText: "draft-two" }).click();
	await a.page.getByRole("heading", { level: 1, name: "draft-two" }).waitFor();
	await becomes(() => box().inputValue(), "");
	await a.page.locator(".entry", { hasText: "draft-one" }).locator(".entry-draft").waitFor();
	await box().fill("another");
	await a.page.goBack();
	await a.page.getByRole("heading", { level: 1, name: "draft-one" }).waitFor();
	await becomes(() => box().inputValue(), "half a thought\nand its second line");
	await a.page.reload();
	await box().waitFor();
	await becomes(() => box().inputValue(), "half a thought\nand its second line");
	await a.page.close();
	a.page = await a.context.newPage();
	await a.page.goto(`${stack.url}/c/${two.id}`);
	await box().waitFor();
	await becomes(() => box().inputValue(), "another");
	await box().press("Enter");
	await seen(a.page, "another");
	await a.page.reload();
	await seen(a.page, "another");
	assert.equal(await box().inputValue(), "");
	await a.context.close();
});

test("the keyboard alone is enough for a day's work: from signing in to signing out", async () => {
	const [{ id }] = [await channel("keyboard"), await channel("zebra-crossing")];
	await send(api, id, "first");
	await send(api, id, "second");
	const { page, context, faults } = await visitor(browser);
	const focus = () =>
		page.evaluate(() => {
			const el = document.activeElement;
			if (el === document.body) return "";
			return (el.ariaHasPopup === "menu" && el.title) || el.innerText?.trim() || el.value || el.title || el.id;
		});
	/** Tab until the wanted thing has the focus, as a person would. */
	const tabTo = async (want) => {
		for (let i = 0; i < 40; i++) {
			await page.keyboard.press("Tab");
			if (want.test(await focus())) return;
		}
		throw new Error(`Tab does not lead to ${want}`);
	};
	await page.goto(`${stack.url}/c/${id}`);
	await page.getByRole("link", { name: "Continue with Google" }).waitFor();
	await tabTo(/^Continue with Google$/);
	await page.keyboard.press("Enter");
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
	await tabTo(/^Bob Okafor/);
	await page.keyboard.press("Enter");
	await page.waitForURL(`${stack.url}/c/${id}`);
	await live(page);

	// The composer has the focus.
	await until(async () => (await page.evaluate(() => document.activeElement?.id)) === "composer");
	await page.keyboard.type("typed by keys");
	await page.keyboard.press("Shift+Enter");
	await page.keyboard.type("two lines");
	await page.keyboard.press("Enter");
	await seen(page, "typed by keys\ntwo lines");

	// Into the messages and back.
	await page.keyboard.press("Shift+Tab");
	await page.keyboard.press("k");
	await page.keyboard.press("k");
	await until(async () => (await page.evaluate(() => document.activeElement.dataset.seq)) === "2", { what: "the focus on message 2" });
	await page.keyboard.press("j");
	await until(async () => (await page.evaluate(() => document.activeElement.dataset.seq)) === "3", { what: "the focus on message 3" });
	await page.keyboard.press("?");
	await page.locator("dialog[open] .keys").waitFor();
	await page.keyboard.press("Escape");
	await until(async () => (await page.locator("dialog[open]").count()) === 0);
	assert.equal(await page.evaluate(() => document.activeElement.dataset.seq), "3", "the focus is where it was");
	await page.keyboard.press("Escape");
	await until(async () => (await page.evaluate(() => document.activeElement.id)) === "composer", { what: "the focus in the composer" });

	// One's own last message: edited, in bold; then found, and the list beside it closed.
	await page.keyboard.press("ArrowUp");
	await until(async () => (await focus()) === "typed by keys\ntwo lines", { what: "the edit" });
	await page.keyboard.press("Shift+Home");
	await page.keyboard.press("Control+b");
	await page.keyboard.press("Enter");
	await page.locator('.msg[data-seq="3"] .msg-text strong', { hasText: /^two lines$/ }).waitFor();
	await until(async () => (await page.evaluate(() => document.activeElement.id)) === "composer", { what: "the composer after the edit" });
	await page.keyboard.press("Shift+Tab");
	await page.keyboard.press("/");
	await page.getByRole("combobox", { name: "Search messages" }).waitFor();
	await page.keyboard.type("lines");
	await until(async () => (await page.locator(".result").innerText({ timeout: 15000 })).includes("two lines"), { what: "the result" });
	assert.doesNotMatch(await page.locator(".result-text").innerText(), /\*/, "without the marks");
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	await page.waitForURL((url) => url.searchParams.get("at") === "3");
	await until(async () => (await page.evaluate(() => document.activeElement.dataset.seq)) === "3", { what: "the focus on what was found" });
	// A reaction to it, and the card of who wrote it.
	await page.keyboard.press("r");
	await page.locator(".emoji-cell").first().waitFor();
	await page.keyboard.type("tada");
	await page.getByRole("button", { name: "party popper" }).waitFor();
	await page.keyboard.press("Enter");
	await page.locator('.msg[data-seq="3"] .reaction', { hasText: "🎉" }).waitFor();
	await until(async () => (await page.evaluate(() => document.activeElement.dataset.seq)) === "3", { what: "the focus on the message again" });
	await tabTo(/^Bob Okafor$/);
	await page.keyboard.press("Enter");
	await page.locator(".card[role=dialog]").waitFor();
	await page.keyboard.press("Escape");
	await until(async () => (await page.locator(".card[role=dialog]").count()) === 0);
	await page.keyboard.press("Escape");
	await page.waitForURL(`${stack.url}/c/${id}`);

	// To somebody, with an emoji by its name, a list, and a file.
	await page.locator("#composer").waitFor();
	await until(async () => {
		if ((await page.evaluate(() => document.activeElement?.id)) === "composer") return true;
		await page.keyboard.press("Escape");
		return false;
	}, { every: 100, what: "the focus in the composer" });
	await page.keyboard.type("@ali");
	await page.locator("#mention-list [role=option]").waitFor();
	await page.keyboard.press("Enter");
	await page.keyboard.type(":tada");
	await page.locator("#word-list [role=option]", { hasText: "party popper" }).waitFor();
	await page.keyboard.press("Tab");
	await page.keyboard.press("Shift+Enter");
	await page.keyboard.type("- one");
	await page.keyboard.press("Shift+Enter");
	await page.keyboard.type("two");
	await becomes(() => page.locator("#composer").inputValue(), "@alice 🎉 \n- one\n- two");
	const chosen = page.waitForEvent("filechooser"); // so early that the browser is told to ask us, not a person, before the key is pressed
	await tabTo(/^Add files$/);
	await page.keyboard.press("Enter");
	const chooser = await chosen;
	await chooser.setFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("by keys") });
	await page.locator(".chip[data-state=ready]").waitFor();
	await tabTo(/^Send$/);
	await page.keyboard.press("Enter");
	await page.locator('.msg[data-seq="4"] .mention').waitFor();
	assert.deepEqual(await page.locator('.msg[data-seq="4"] li').allInnerTexts(), ["one", "two"]);
	await page.locator('.msg[data-seq="4"]').getByText("notes.txt").first().waitFor();
	await until(async () => (await page.evaluate(() => document.activeElement?.id)) === "composer", { what: "the composer after sending" });

	// Another channel by its name, and back by the order of the list.
	await page.keyboard.press("Control+k");
	await page.keyboard.type("zebra");
	await page.locator("dialog[open] [role=option][aria-selected=true]", { hasText: "zebra-crossing" }).waitFor();
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { level: 1, name: "zebra-crossing" }).waitFor();
	await page.keyboard.press("Alt+ArrowDown");
	await until(() => page.evaluate(() => document.querySelector("h1").innerText !== "zebra-crossing"), { what: "another channel" });
	await page.keyboard.press("Alt+ArrowUp");
	await page.getByRole("heading", { level: 1, name: "zebra-crossing" }).waitFor();
	await until(async () => (await page.evaluate(() => document.activeElement?.id)) === "composer");

	// A channel of one's own.
	await tabTo(/^Add a channel$/);
	await page.keyboard.press("Enter");
	await page.getByRole("menuitem", { name: "Create a channel" }).waitFor();
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	await page.locator("dialog[open] input").first().waitFor();
	await page.keyboard.type("made-by-keys");
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { level: 1, name: "made-by-keys" }).waitFor();
	await until(async () => (await page.evaluate(() => document.activeElement?.id)) === "composer");
	await tabTo(/Show the members/);
	await page.keyboard.press("Enter");
	await page.locator(".person", { hasText: "Bob Okafor" }).waitFor();
	await tabTo(/^Add a person$/);
	await page.keyboard.press("Enter");
	await page.locator("dialog[open] input").waitFor();
	await page.keyboard.type("carol");
	await page.locator("dialog[open] [role=option][aria-selected=true]", { hasText: "Carol Lindqvist" }).waitFor();
	await page.keyboard.press("Enter");
	await page.locator(".person", { hasText: "Carol Lindqvist" }).waitFor();
	await tabTo(/^Leave channel$/);
	await page.keyboard.press("Enter");
	await page.locator("dialog[open]").waitFor();
	await tabTo(/^Leave channel$/);
	await page.keyboard.press("Enter");
	await until(async () => (await page.locator(".entry", { hasText: "made-by-keys" }).count()) === 0);

	// A setting, and the end of the day.
	const inMenu = async (want) => {
		await tabTo(/^Your menu$/);
		await page.keyboard.press("Enter");
		await page.getByRole("menu").waitFor();
		for (let i = 0; i < 20 && !want.test(await focus()); i++) await page.keyboard.press("ArrowDown");
		await page.keyboard.press("Enter");
	};
	await inMenu(/^Settings…$/);
	await page.locator("dialog[open]").waitFor();
	await page.keyboard.press("Escape");
	await until(async () => (await page.locator("dialog[open]").count()) === 0);
	await inMenu(/^Sign out$/);
	await page.getByRole("button", { name: "Sign out" }).waitFor(); // the provider asks
	await tabTo(/^Sign out$/);
	await page.keyboard.press("Enter");
	await page.getByRole("link", { name: "Continue with Google" }).waitFor();
	assert.deepEqual(faults, []);
	await context.close();
});

for (const [by, blocked] of Object.entries({ ws: undefined, sse: "refuse", poll: "streams" }))
	test(`DL-6 a session that is ended elsewhere: sign in again, with the draft kept (${by})`, async () => {
		const { id } = await channel(`revoked-${by}`);
		const b = await visitor(browser, { blocked });
		await b.page.clock.install();
		await signIn(stack, b.page, "bob", `/c/${id}`);
		await live(b.page, by);
		await b.page.locator("#composer").fill("half a thought");
		const { session } = await ask(b.page, "/api/v1/me");
		assert.equal(await stack.psql(`SELECT session_revoke(${session.id})`), "t");
		await b.page.getByText("Your session has ended").waitFor();
		assert.equal(new URL(b.page.url()).searchParams.get("return_to"), `/c/${id}`);
		await b.page.getByRole("link", { name: "Continue with Google" }).waitFor(); // what it asks for is there
		// An hour of timers goes by: not one of them may knock.
		b.asked.length = 0;
		await b.page.clock.runFor("01:00:00");
		assert.deepEqual(b.asked, []);
		await b.page.getByRole("link", { name: "Continue with Google" }).click();
		await b.page.waitForURL((url) => url.href.startsWith(stack.idpUrl) || url.pathname === `/c/${id}`);
		if (b.page.url().startsWith(stack.idpUrl)) await b.page.locator('button[name=login][value="bob"]').click();
		await b.page.waitForURL(`${stack.url}/c/${id}`);
		await live(b.page, by);
		await becomes(() => b.page.locator("#composer").inputValue(), "half a thought");
		await b.page.locator("#composer").press("Enter");
		await seen(b.page, "half a thought");
		assert.deepEqual(await texts(id), ["half a thought"]);
		await b.context.close();
	});

for (const [by, blocked] of Object.entries({ ws: undefined, sse: "refuse", poll: "streams" }))
	test(`DL-6 a session that ended while the network was away: at most two attempts on each transport, then sign in again (${by})`, async () => {
		const { id } = await channel(`dead-${by}`);
		const b = await visitor(browser, { blocked });
		await b.page.clock.install();
		await signIn(stack, b.page, "bob", `/c/${id}`);
		await live(b.page, by);
		await b.page.locator("#composer").fill("half a thought");
		const { session } = await ask(b.page, "/api/v1/me");
		await b.context.setOffline(true);
		await until(async () => (await rung(b.page)).startsWith("offline"), { what: "offline" });
		assert.equal(await stack.psql(`SELECT session_revoke(${session.id})`), "t");
		b.asked.length = 0;
		await b.context.setOffline(false);
		await b.page.getByText("Your session has ended").waitFor();
		await b.page.clock.runFor("00:02:00");
		const tries = (what) => b.asked.filter((p) => p === what).length;
		for (const what of ["/api/v1/ws", "stream", "/api/v1/events"]) assert.ok(tries(what) <= 2, `${what}: ${b.asked}`);
		assert.ok(b.asked.length > 0);
		assert.ok(await b.page.evaluate(() => Object.entries(localStorage).some(([k, v]) => k.includes(":draft:") && v === "half a thought")));
		await b.context.close();
	});
