// How the client looks and moves: the theme that is chosen, less motion where that is wanted, a composer that grows so far and no further, and
// text that runs from right to left.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, TABLET, becomes, launch, live, person, say, seen } from "./help.mjs";

let stack, browser, api, id;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	id = (await makeChannel(api, { name: "looks" })).id;
	for (let i = 1; i <= 40; i++) ok(await send(api, id, `line ${i}`), 201);
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

/** Whether what is behind everything is dark. */
const dark = (page) =>
	page.evaluate(() => {
		const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
		return r + g + b < 200;
	});

test("the theme: as the system's until one is chosen, which stays over a reload and in new tabs, from the first paint on", async () => {
	const { page, context, faults } = await person(stack, browser, "alice", { path: `/c/${id}`, colorScheme: "light" });
	await live(page);
	const choose = async (name) => {
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.getByRole("menuitemradio", { name, exact: true }).click();
		await becomes(() => page.getByRole("menuitemradio", { name, exact: true }).getAttribute("aria-checked"), "true");
		await page.keyboard.press("Escape");
	};
	assert.equal(await dark(page), false);
	await page.emulateMedia({ colorScheme: "dark" });
	await becomes(() => dark(page), true, "as the system's");
	await choose("Light");
	await becomes(() => dark(page), false, "light is chosen");
	await choose("Dark");
	await becomes(() => dark(page), true, "dark is chosen");
	await page.emulateMedia({ colorScheme: "light" });
	assert.equal(await dark(page), true, "whatever the system's is");
	// What a page has before anything of the client has been drawn.
	for (const other of [page, await context.newPage()]) {
		await other.addInitScript(() => {
			new MutationObserver((_, watch) => {
				if (!document.body) return;
				window.first = document.documentElement.dataset.theme ?? "none";
				watch.disconnect();
			}).observe(document, { childList: true, subtree: true });
		});
		await other.goto(`${stack.url}/c/${id}`);
		await other.locator("#composer").waitFor();
		assert.equal(await other.evaluate(() => window.first), "dark");
		assert.equal(await dark(other), true);
	}
	await choose("System");
	await becomes(() => dark(page), false, "as the system's again");
	await page.reload();
	await live(page);
	assert.equal(await dark(page), false);
	assert.deepEqual(faults, []);
	await context.close();
});

test("less motion, where the system asks for it: nothing moves longer than a blink, dialogs, menus and the way to a message included", async () => {
	/** In the page: what moves for longer than that, from now on, each once. */
	const watch = () => {
		window.moved = new Set();
		const look = () => {
			for (const a of document.getAnimations()) {
				const { duration } = a.effect.getComputedTiming();
				const what = a.transitionProperty ?? a.animationName ?? a.effect.getKeyframes().flatMap(Object.keys).join();
				if (duration > 50) window.moved.add(`${a.effect.target?.className} ${what}`);
			}
			requestAnimationFrame(look);
		};
		look();
	};
	const walk = async (page) => {
		await page.keyboard.press("Control+k");
		await page.locator("dialog[open] [role=option]").first().waitFor();
		await page.keyboard.press("Escape");
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.locator(".menu").waitFor();
		await page.keyboard.press("Escape");
		await page.goto(`${stack.url}/c/${id}?at=3`);
		await page.evaluate(watch);
		await page.locator('.msg[data-seq="3"]').waitFor();
		await becomes(() => page.evaluate(() => document.activeElement.dataset.seq), "3");
		await say(page, `said ${Math.random()}`);
		await page.keyboard.press("Control+k");
		await page.locator("dialog[open] [role=option]").first().waitFor();
		await page.keyboard.press("Escape");
		await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
		return page.evaluate(() => [...window.moved].filter((m) => !/backgroundColor/.test(m)));
	};
	for (const reducedMotion of ["no-preference", "reduce"]) {
		const { page, context } = await person(stack, browser, "alice", { path: `/c/${id}`, reducedMotion });
		await live(page);
		await page.evaluate(watch);
		const moved = await walk(page);
		if (reducedMotion === "reduce") assert.deepEqual(moved, []);
		else assert.ok(moved.length > 0, "this would find what moves");
		await context.close();
	}
});

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, tablet: TABLET, phone: PHONE }))
	test(`the composer on a ${size} grows with its text to 40 % of the height, then scrolls, and shrinks again`, async () => {
		const { page, context } = await person(stack, browser, "alice", { path: `/c/${id}`, viewport });
		await live(page);
		const box = page.locator("#composer");
		const height = () => box.evaluate((e) => e.getBoundingClientRect().height);
		const empty = await height();
		let last = empty;
		for (const lines of [2, 5, 8]) {
			await box.fill(Array.from({ length: lines }, (_, i) => `line ${i}`).join("\n"));
			await becomes(() => box.evaluate((e) => e.scrollHeight - e.clientHeight <= 1), true, "all of it is on the screen");
			const now = await height();
			assert.ok(now > last, `${now} px for ${lines} lines, after ${last}`);
			last = now;
		}
		await box.fill("line\n".repeat(100));
		await becomes(async () => Math.abs((await height()) - viewport.height * 0.4) <= 1, true, "40 % of the height");
		assert.ok(await box.evaluate((e) => e.scrollHeight > e.clientHeight * 2), "and the rest is scrolled");
		const send = await page.locator(".composer .send").boundingBox();
		assert.ok(send.y + send.height <= viewport.height, "with its buttons on the screen");
		await box.fill("");
		await becomes(height, empty);
		await context.close();
	});

test("text from right to left stands at the right, and what is written too; other messages stay where they are", async () => {
	const { page, context } = await person(stack, browser, "alice", { path: `/c/${id}` });
	await live(page);
	const said = {
		"שלום לכולם, הספינה מגיעה מחר": "rtl",
		"السفينة تصل غدا صباحا": "rtl",
		"The ship comes tomorrow": "ltr",
		"2026: السفينة": "rtl",
	};
	for (const [text, direction] of Object.entries(said)) {
		await page.locator("#composer").fill(text);
		const written = await page.locator("#composer").evaluate((e) => getComputedStyle(e).direction);
		assert.equal(written, direction, `${text}, as it is written`);
		await page.locator("#composer").press("Enter");
		await seen(page, text);
		const shown = await page.evaluate((text) => {
			const e = [...document.querySelectorAll(".list .msg[data-seq] .msg-text")].find((m) => m.textContent === text);
			const range = document.createRange();
			range.selectNodeContents(e);
			const [line, box] = [range.getClientRects()[0], e.getBoundingClientRect()];
			const words = [...range.getClientRects()];
			const left = Math.min(...words.map((r) => r.left)) - box.left;
			const right = box.right - Math.max(...words.map((r) => r.right));
			return { dir: e.dir, direction: getComputedStyle(e.firstElementChild ?? e).direction, left, right, line: line.width };
		}, text);
		assert.equal(shown.dir, "auto");
		assert.equal(shown.direction, direction, text);
		const [near, far] = direction === "rtl" ? [shown.right, shown.left] : [shown.left, shown.right];
		assert.ok(near < 2 && far > 100, `${text}: ${JSON.stringify(shown)}`);
	}
	// The names beside them do not move.
	const lefts = await page.evaluate(() =>
		[...document.querySelectorAll(".list .msg .msg-main")].map((e) => Math.round(e.getBoundingClientRect().left)),
	);
	assert.equal(new Set(lefts).size, 1);
	await context.close();
});

test("a catching up that takes long is said in a line, and the line goes when all is there", async () => {
	const { page, context } = await person(stack, browser, "alice", { path: `/c/${id}` });
	let link, cursor;
	await context.routeWebSocket(/\/api\/v1\/ws/, (ws) => {
		link = ws;
		ws.connectToServer().onMessage((m) => {
			cursor = /"cursor":"([^"]+)"/.exec(m)?.[1] ?? cursor;
			ws.send(m);
		});
	});
	await page.reload();
	await live(page);
	assert.equal(await page.locator(".conn").getAttribute("data-shown"), "false");
	const held = [];
	await context.route(/\/api\/v1\/channels(\?|$)/, async (route) => {
		await new Promise((go) => held.push(go));
		return route.continue();
	});
	// As the server says it where it cannot tell all that has happened since.
	link.send(`{"type":"reset","cursor":"${cursor}","reason":"too old"}\n`);
	await page.locator(".conn[data-shown=true]", { hasText: "Catching up…" }).waitFor();
	await page.locator("#composer").press("x"); // meanwhile one writes on
	await becomes(() => page.locator("#composer").inputValue(), "x");
	await context.unrouteAll({ behavior: "ignoreErrors" });
	for (const go of held) go();
	await becomes(() => page.locator(".conn").getAttribute("data-shown"), "false");
	await context.close();
});
