// What is unread, who has read what, who is named: on several devices of the same people, in real browsers, over each transport.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, axe, becomes, launch, live, person, say, seen } from "./help.mjs";

const NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
let stack, browser;
const who = {};
const id = {};
before(async () => {
	stack = await startStack({ realtime: 2 });
	browser = await launch();
	for (const login of NAMES) who[login] = client(stack, { token: await stack.token(login, ["read", "write"]) });
	for (const u of ok(await who.alice.get("/api/v1/users?limit=100")).users) id[u.handle] = u.id;
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

let n = 0;
const channel = (members = ["bob"], owner = "alice") => makeChannel(who[owner], { name: `room-${++n}`, members: members.map((m) => id[m]) });
const direct = async (a, b) => (await who[a].post("/api/v1/channels", { kind: "direct", members: [id[b]] })).json;
const post = async (login, c, text, named) => {
	const body = { text, ...(named && { mentions: named.map((m) => id[m]) }) };
	return ok(await who[login].post(`/api/v1/channels/${c.id}/messages`, { client_id: randomUUID(), body }), 201);
};
const many = async (login, c, count) => {
	for (let sent = 0; sent < count; sent += 100) {
		const ops = Array.from({ length: Math.min(100, count - sent) }, (_, i) => ({
			op: "send",
			client_id: randomUUID(),
			channel: c.id,
			body: { text: `message ${"x ".repeat((sent + i) % 40)}` },
		}));
		const body = ops.map((o) => JSON.stringify(o)).join("\n");
		const { status, text } = await who[login].post("/api/v1/ops", body, { headers: { "content-type": "application/x-ndjson" } });
		assert.equal(status, 200, text);
	}
};
const reads = async (login, c, seq) => ok(await who[login].put(`/api/v1/channels/${c.id}/read`, { seq }));
const membership = async (login, c) => ok(await who[login].get(`/api/v1/channels/${c.id}`)).membership;

/** What the side bar says of a channel: "", "3", "99+"; and whether it is loud. */
const badge = (page, c) =>
	page.evaluate((href) => {
		const b = document.querySelector(`.entry[href="${href}"] .badge`);
		return b ? `${b.querySelector("[aria-hidden]").textContent}${b.classList.contains("badge-loud") ? "!" : ""}` : "";
	}, `/c/${c.id}`);
const isBold = (page, c) => page.evaluate((href) => document.querySelector(`.entry[href="${href}"]`).classList.contains("unread"), `/c/${c.id}`);
async function badgeIs(page, c, want, ms = 10000) {
	let last;
	await until(async () => (last = await badge(page, c)) === want, { ms, what: `the badge "${want}"` }).catch((e) => {
		throw new Error(`${e.message}; it is "${last}"`);
	});
}
/** The seq of the message below the "new messages" line; 0: there is no line. */
const lineAt = (page) => page.evaluate(() => Number(document.querySelector(".divider-new")?.nextElementSibling?.dataset.seq ?? 0));
/** {seq: names} of the faces that are drawn. */
const faces = (page) =>
	page.evaluate(() =>
		Object.fromEntries(
			[...document.querySelectorAll(".msg[data-seq]")].flatMap((m) => {
				const f = m.querySelector(".faces");
				return f ? [[m.dataset.seq, f.title.replace("Read up to here by ", "")]] : [];
			}),
		),
	);
const facesAre = async (page, want, ms = 10000) => {
	let last;
	const same = async () => JSON.stringify((last = await faces(page))) === JSON.stringify(want);
	await until(same, { ms, what: `faces ${JSON.stringify(want)}` }).catch((e) => {
		throw new Error(`${e.message}; they are ${JSON.stringify(last)}`);
	});
};
const ticks = (page, seq) => page.evaluate((seq) => document.querySelector(`.msg[data-seq="${seq}"] .ticks`)?.textContent ?? "", seq);
const open = (page, c) => page.locator(`.entry[href="/c/${c.id}"]`).click();
const look = (page, focused) =>
	page.evaluate((focused) => {
		document.hasFocus = () => focused;
		if (focused) dispatchEvent(new Event("focus"));
	}, focused);

describe("unread and mentions", () => {
	test("three devices on three transports count the same, and follow each other within a second", async () => {
		const rooms = [await channel(), await channel(), await direct("alice", "bob")];
		const [quiet, named, dm] = rooms;
		const devices = [];
		for (const blocked of [undefined, "refuse", "streams"]) {
			const d = await person(stack, browser, "alice", { path: `/c/${quiet.id}`, blocked });
			await live(d.page, { refuse: "sse", streams: "poll" }[blocked] ?? "ws");
			await open(d.page, await homeOf(d.page));
			devices.push(d);
		}
		for (let i = 0; i < 3; i++) await post("bob", quiet, `quiet ${i}`);
		await post("bob", named, "you, @alice", ["alice"]);
		await post("bob", named, "and others");
		await post("bob", dm, "one");
		await post("bob", dm, "two");
		await post("alice", quiet, "an own one");
		for (const { page } of devices) {
			await badgeIs(page, quiet, "3");
			await badgeIs(page, named, "1!");
			await badgeIs(page, dm, "2!");
			await becomes(() => isBold(page, quiet), true);
			await until(async () => (await page.title()).startsWith("(3) "), { what: "the title" });
			await becomes(() => page.locator("link[rel=icon]").getAttribute("data-badge"), "3");
		}
		// Read on one: the others within a second of its being told.
		await open(devices[0].page, named);
		await badgeIs(devices[0].page, named, "");
		await until(async () => (await membership("alice", named)).unread === 0, { what: "the server to know" });
		for (const { page } of devices.slice(1)) await badgeIs(page, named, "", 2500);
		// A deletion by the sender.
		const { seq } = await post("bob", quiet, "a mistake");
		for (const { page } of devices) await badgeIs(page, quiet, "4");
		ok(await who.bob.delete(`/api/v1/channels/${quiet.id}/messages/${seq}`));
		for (const { page } of devices) await badgeIs(page, quiet, "3");
		// By events it is as by a fresh load.
		for (const d of devices) {
			await d.page.reload();
			await badgeIs(d.page, quiet, "3");
			await badgeIs(d.page, dm, "2!");
			assert.deepEqual(d.faults, []);
			await d.context.close();
		}
		const all = ok(await who.alice.get("/api/v1/me/unread?verify=1"));
		assert.deepEqual(all.drift, []);
		await reads("alice", dm, 2);
	});

	test("a deleted mention that one has never seen: the badge goes", async () => {
		const c = await channel();
		const { seq } = await post("bob", c, "you, @alice", ["alice"]);
		await post("bob", c, "more");
		const a = await person(stack, browser, "alice", { path: `/c/${(await channel()).id}` });
		await live(a.page);
		await badgeIs(a.page, c, "1!");
		ok(await who.bob.delete(`/api/v1/channels/${c.id}/messages/${seq}`));
		await badgeIs(a.page, c, "1");
		await a.context.close();
	});

	test("more than a hundred: 99+, and exact behind it", async () => {
		const c = await channel();
		const elsewhere = await channel();
		const a = await person(stack, browser, "alice", { path: `/c/${elsewhere.id}` });
		await live(a.page);
		for (let i = 0; i < 130; i += 10) await Promise.all(Array.from({ length: 10 }, (_, k) => send(who.bob, c.id, `m ${i + k}`)));
		await badgeIs(a.page, c, "99+");
		await becomes(() => a.page.locator(`.entry[href="/c/${c.id}"] .badge .sr-only`).textContent(), "130 unread");
		await reads("alice", c, 100);
		await badgeIs(a.page, c, "30");
		await a.context.close();
	});

	test("only what is on the screen of a tab in use is read", async () => {
		const c = await channel();
		for (let i = 0; i < 3; i++) await post("bob", c, `before ${i}`);
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		await live(a.page);
		await until(async () => (await membership("alice", c)).last_read_seq === 3, { what: "what is on the screen to be read" });
		await look(a.page, false);
		await post("bob", c, "while away");
		await seen(a.page, "while away");
		await badgeIs(a.page, c, "1");
		await becomes(() => lineAt(a.page), 4);
		// A marker that had been told would be there before this one's.
		await reads("alice", await channel(), 0);
		assert.equal((await membership("alice", c)).last_read_seq, 3);
		await look(a.page, true);
		await badgeIs(a.page, c, "");
		await until(async () => (await membership("alice", c)).last_read_seq === 4, { what: "it to be read on coming back" });
		// Above the fold.
		for (let i = 0; i < 60; i++) await post("bob", c, `many ${i}`);
		await seen(a.page, "many 59");
		await a.page.evaluate(() => (document.querySelector(".list").scrollTop = 0));
		await a.page.locator(".jump").waitFor();
		const { last_read_seq } = await membership("alice", c);
		await post("bob", c, "out of sight");
		await badgeIs(a.page, c, "1");
		assert.ok((await membership("alice", c)).last_read_seq <= Math.max(64, last_read_seq));
		await a.page.locator(".jump").click();
		await badgeIs(a.page, c, "");
		await a.context.close();
	});

	test("who is at the bottom stays there, also where the composer or a message gets lower just when another one comes", async () => {
		const c = await channel();
		await many("bob", c, 60);
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		await a.page.addInitScript(() => {
			// Heard before the page's own code hears it.
			window.WebSocket = class extends WebSocket {
				constructor(...args) {
					super(...args);
					this.addEventListener("message", (e) => window.heard?.(e.data));
				}
			};
		});
		await reads("alice", c, 60);
		await a.page.reload();
		await live(a.page);
		const below = () =>
			a.page.evaluate(() => {
				const list = document.querySelector(".list");
				return Math.round(list.scrollHeight - list.scrollTop - list.clientHeight);
			});
		await becomes(below, 0);
		await a.page.locator("#composer").fill("one\ntwo\nthree\nfour\nfive\nsix");
		await becomes(below, 0);
		const height = () => a.page.evaluate(() => document.querySelector(".list").clientHeight);
		const low = await height();
		await a.page.evaluate(() => {
			window.heard = (data) => {
				const [list, box] = [".list", "#composer"].map((s) => document.querySelector(s));
				if (data.includes("just then")) {
					box.value = "";
					box.dispatchEvent(new Event("input", { bubbles: true }));
					box.style.height = "auto"; // as the composer does, which asks for its height then
					window.then = list.clientHeight;
				} else if (data.includes("and another")) {
					window.before = list.scrollHeight;
					[...document.querySelectorAll(".msg-text")].find((e) => e.textContent.startsWith("tall")).style.display = "none";
					window.then = list.scrollHeight;
				}
			};
		});
		await post("bob", c, "just then");
		await seen(a.page, "just then");
		assert.ok((await a.page.evaluate(() => window.then)) > low + 40, "the list is higher than before");
		await becomes(below, 0);
		await post("bob", c, "and after it");
		await seen(a.page, "and after it");
		await becomes(below, 0);
		await post("bob", c, "tall\nas\nfour\nlines");
		await post("bob", c, "behind it");
		await seen(a.page, "behind it");
		await becomes(below, 0);
		await post("bob", c, "and another");
		await seen(a.page, "and another");
		assert.ok(await a.page.evaluate(() => window.then < window.before - 10), "a message is lower than before");
		await becomes(below, 0);
		await a.context.close();
	});

	for (const [how, mark] of [
		["by the toolbar", async (page, row) => (await row.hover(), await row.getByRole("button", { name: "Mark as unread from here" }).click())],
		["by the keyboard", async (page, row) => (await row.focus(), await page.keyboard.press("u"))],
	])
		test(`marked as unread ${how}: on all devices, and until the channel is left and opened again`, async () => {
			const c = await channel();
			const elsewhere = await channel();
			for (let i = 1; i <= 6; i++) await post(i % 3 ? "bob" : "alice", c, `text ${i}`);
			const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
			const b = await person(stack, browser, "alice", { path: `/c/${c.id}`, blocked: "streams" });
			await Promise.all([live(a.page), live(b.page, "poll")]);
			await until(async () => (await membership("alice", c)).last_read_seq === 6, { what: "all to be read" });
			await mark(a.page, a.page.locator('.msg[data-seq="4"]'));
			for (const { page } of [a, b]) {
				await badgeIs(page, c, "2");
				await until(async () => (await lineAt(page)) === 4, { what: "the line" });
			}
			assert.equal((await membership("alice", c)).unread_from, 4);
			// Neither device reads it again, though it is on both screens; nor what comes.
			await post("bob", c, "text 7");
			for (const { page } of [a, b]) {
				await seen(page, "text 7");
				await badgeIs(page, c, "3");
			}
			await open(a.page, elsewhere);
			await badgeIs(a.page, c, "3");
			assert.equal((await membership("alice", c)).unread_from, 4);
			await open(a.page, c);
			for (const { page } of [a, b]) await badgeIs(page, c, "");
			await until(async () => (await membership("alice", c)).unread_from === null, { what: "it to be read" });
			await becomes(() => lineAt(a.page), 4);
			await a.page.keyboard.press("Escape");
			await until(async () => (await lineAt(a.page)) === 0, { what: "the line to go with Esc" });
			await a.context.close();
			await b.context.close();
		});

	test("who leaves as soon as he has seen it has read it, on each transport", async () => {
		for (const [login, blocked] of [["bob"], ["carol", "refuse"], ["dave", "streams"]]) {
			const c = await channel([login]);
			const { page } = await person(stack, browser, login, { path: `/c/${c.id}`, blocked });
			for (let i = 1; i <= 3; i++) {
				await live(page, { refuse: "sse", streams: "poll" }[blocked] ?? "ws");
				await post("alice", c, `number ${i}`);
				await seen(page, `number ${i}`);
				await page.evaluate(() => new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(ok))));
				await page.goto("about:blank");
				await until(async () => (await membership(login, c)).unread === 0, { what: `${login} to have read number ${i}` });
				await page.goto(`${stack.url}/c/${c.id}`);
			}
			await page.close();
		}
	});

	test("a channel that was looked at before opens again at the first new message", async () => {
		const c = await channel();
		const elsewhere = await channel();
		for (let i = 1; i <= 30; i++) await post("bob", c, `old ${i}`);
		await reads("alice", c, 30);
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		await live(a.page);
		await seen(a.page, "old 30");
		await open(a.page, elsewhere);
		for (let i = 1; i <= 40; i++) await post("bob", c, `new ${i}`);
		await badgeIs(a.page, c, "40");
		await open(a.page, c);
		await seen(a.page, "new 1");
		assert.equal(await lineAt(a.page), 31);
		const at = await a.page.evaluate(() => {
			const line = document.querySelector(".divider-new").getBoundingClientRect();
			return line.top - document.querySelector(".list").getBoundingClientRect().top;
		});
		assert.ok(at > 0 && at < 120, `the line is at ${at}`);
		// What is above the fold is read, what is below is not.
		let left;
		await until(async () => (left = Number(await badge(a.page, c))) < 40, { what: "some to be read" });
		assert.ok(left > 5, `${left} left`);
		await until(async () => (await a.page.locator(".jump").innerText()) === `${await badge(a.page, c)} new`, { what: "the same number to go to" });
		await a.context.close();
	});

	test("some hundred new ones: it opens at the first of them, and those below are not read", async () => {
		const c = await channel();
		await many("bob", c, 420);
		await reads("alice", c, 30);
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		await live(a.page);
		await until(async () => (await lineAt(a.page)) === 31, { what: "the line" });
		await a.page.locator(".jump").waitFor();
		await until(async () => (await membership("alice", c)).last_read_seq > 30, { what: "what is on the screen to be read" });
		assert.ok((await membership("alice", c)).last_read_seq < 80);
		assert.equal(await a.page.locator(".unread-bar").count(), 0);
		await a.context.close();
	});

	test("the first new message, far above what is loaded, is one press away", async () => {
		const c = await channel();
		await many("bob", c, 900);
		await reads("alice", c, 30);
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		await live(a.page);
		await a.page.locator(".unread-bar").waitFor();
		assert.equal((await axe(a.page)).join("\n"), "");
		// What lies between has been on no screen.
		await badgeIs(a.page, c, "99+");
		await a.page.getByRole("button", { name: /Go to the first new message/ }).click();
		await until(() => a.page.evaluate(() => {
			const line = document.querySelector(".divider-new");
			const box = document.querySelector(".list").getBoundingClientRect();
			const r = line?.getBoundingClientRect();
			return !!r && r.top >= box.top && r.bottom <= box.bottom;
		}), { ms: 20000, what: "the line on the screen" });
		assert.equal(await lineAt(a.page), 31);
		await until(async () => (await a.page.locator(".unread-bar").count()) === 0, { what: "the bar to go" });
		let marker;
		await until(async () => (marker = (await membership("alice", c)).last_read_seq) > 30, { what: "reading from there on" });
		assert.ok(marker < 100, `read up to ${marker}`);
		await a.page.reload();
		await a.page.locator(".unread-bar").waitFor();
		await a.page.locator(".unread-bar").getByRole("button", { name: "Mark as read" }).click();
		await badgeIs(a.page, c, "");
		await until(async () => (await membership("alice", c)).last_read_seq === 900, { what: "all to be read" });
		await a.context.close();
	});
});

/** A channel of one's own to stand in while others are looked at. */
async function homeOf() {
	return (homeOf.made ??= await channel());
}

describe("receipts", () => {
	test("faces stand under the last message each has read, and move on; never the own one", async () => {
		const c = await channel(["bob", "carol", "dave"]);
		for (let i = 1; i <= 4; i++) await post("alice", c, `text ${i}`);
		await reads("bob", c, 2);
		await reads("carol", c, 4);
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		const b = await person(stack, browser, "bob", { path: `/c/${c.id}`, blocked: "refuse" });
		await Promise.all([live(a.page), live(b.page, "sse")]);
		// Bob looks at all of it: his face comes to stand beside hers.
		await facesAre(a.page, { 4: "Bob Okafor, Carol Lindqvist" });
		await until(async () => (await faces(b.page))[4] === "Carol Lindqvist", { what: "bob sees carol, and not himself" });
		await reads("dave", c, 3);
		await facesAre(a.page, { 3: "Dave Tanaka", 4: "Bob Okafor, Carol Lindqvist" });
		await a.page.locator('.msg[data-seq="4"] .faces').click();
		await becomes(() => a.page.locator(".seen-names li bdi").allInnerTexts(), ["Bob Okafor", "Carol Lindqvist"]);
		assert.equal((await axe(a.page)).join("\n"), "");
		await a.page.keyboard.press("Escape");
		await until(async () => (await a.page.locator(".seen-names").count()) === 0, { what: "the names to go" });
		// What bob writes, he has read.
		await say(b.page, "from bob");
		await seen(a.page, "from bob");
		await until(async () => !JSON.stringify(await faces(a.page)).includes("Bob"), { what: "no face below an own message" });
		assert.deepEqual([a.faults, b.faults], [[], []]);
		await a.context.close();
		await b.context.close();
	});

	test("more than five: faces and a number, all names in the list", async () => {
		const others = NAMES.slice(1);
		const c = await channel(others);
		await post("alice", c, "everybody");
		for (const login of others) await reads(login, c, 1);
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		await a.page.locator(".faces").waitFor();
		await until(async () => (await a.page.locator(".faces .avatar").count()) === 5, { what: "five faces" });
		await becomes(() => a.page.locator(".faces-more").innerText(), "+2");
		await a.page.locator(".faces").click();
		await becomes(() => a.page.locator(".seen-names li").count(), 7);
		await a.context.close();
	});

	test("switched off in one channel: others see nothing more of it, oneself all the same", async () => {
		const c = await channel(["bob"]);
		await post("alice", c, "text 1");
		const b = await person(stack, browser, "bob", { path: `/c/${(await homeOf()).id}` });
		await live(b.page);
		await b.page.goto(`${stack.url}/c/${c.id}`);
		await b.page.getByRole("button", { name: "Channel menu" }).click();
		const item = b.page.getByRole("menuitemcheckbox", { name: "Show here what I have read" });
		await becomes(() => item.getAttribute("aria-checked"), "true");
		await item.click();
		await until(async () => (await item.getAttribute("aria-checked")) === "false", { what: "the switch" });
		assert.equal((await axe(b.page)).join("\n"), "");
		await b.page.keyboard.press("Escape");
		assert.equal((await membership("bob", c)).read_receipts, false);
		await until(async () => (await membership("bob", c)).last_read_seq === 1, { what: "bob's own marker" });
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		await live(a.page);
		await post("alice", c, "text 2");
		await until(async () => (await membership("bob", c)).last_read_seq === 2, { what: "bob to read on" });
		await reads("bob", c, 2);
		assert.deepEqual(await faces(a.page), {});
		await a.context.close();
		await b.context.close();
	});

	test("a direct message is sent, then delivered, then read; said in words", async () => {
		const dm = await direct("alice", "carol");
		const elsewhere = await channel(["carol"]);
		const a = await person(stack, browser, "alice", { path: `/c/${dm.id}` });
		await live(a.page);
		await say(a.page, "are you there?");
		await seen(a.page, "are you there?");
		const seq = (await membership("alice", dm)) && ok(await who.alice.get(`/api/v1/channels/${dm.id}`)).last_seq;
		await until(async () => (await ticks(a.page, seq)) === "Sent", { what: "sent" });
		// Two tabs of one browser: it arrives once.
		const c = await person(stack, browser, "carol", { path: `/c/${elsewhere.id}` });
		const told = [];
		c.context.on("page", (p) => p.on("websocket", (ws) => ws.on("framesent", (f) => told.push(f.payload))));
		await live(c.page);
		await until(async () => (await ticks(a.page, seq)) === "Delivered", { what: "delivered" });
		const second = await c.context.newPage();
		await second.goto(`${stack.url}/c/${elsewhere.id}`);
		await live(second);
		await c.page.reload();
		await live(c.page);
		await say(a.page, "and now?");
		await until(async () => (await ticks(a.page, seq + 1)) === "Delivered", { what: "delivered" });
		assert.ok(told.filter((p) => String(p).includes('"delivered"') && String(p).includes(`"seq":${seq + 1}`)).length <= 1);
		await open(c.page, dm);
		await until(async () => (await ticks(a.page, seq + 1)) === "Read", { what: "read" });
		await until(async () => (await faces(a.page))[seq + 1] === "Carol Lindqvist", { what: "her face" });
		assert.deepEqual([a.faults, c.faults], [[], []]);
		await a.context.close();
		await c.context.close();
	});

	test("in a large channel: how many have read an own message, and who, when asked", async () => {
		const c = await channel(["bob", "carol"]);
		const sql = (text) => stack.psql(text, { user: "postgres" });
		await sql("INSERT INTO users (handle, name, role) SELECT 'crowd-' || n, 'Crowd ' || n, 'member' FROM generate_series(1, 110) n");
		await sql(`INSERT INTO members (channel_id, user_id, role, since) SELECT ${c.id}, id, 'member', 1 FROM users WHERE handle LIKE 'crowd-%'`);
		const { seq } = await post("alice", c, "to all");
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}` });
		await live(a.page);
		await reads("bob", c, seq);
		await reads("carol", c, seq);
		await look(a.page, true);
		await a.page.getByRole("button", { name: "Read by 2" }).click();
		const names = a.page.locator("dialog[open] .person-name");
		await until(async () => (await names.count()) === 2, { what: "two names" });
		await becomes(async () => (await names.allInnerTexts()).sort(), ["Bob Okafor", "Carol Lindqvist"]);
		assert.equal((await axe(a.page)).join("\n"), "");
		assert.equal(await a.page.locator(".faces").count(), 0);
		assert.deepEqual(a.faults, []);
		await a.context.close();
	});

	test("tabs of one browser that share a connection: a marker is told once, and by the tab that is looked at", async () => {
		const c = await channel();
		const a = await person(stack, browser, "alice", { path: `/c/${c.id}`, blocked: "streams" });
		await live(a.page, "poll");
		const pages = [a.page];
		const ops = [];
		for (let i = 0; i < 2; i++) {
			const page = await a.context.newPage();
			await page.goto(`${stack.url}/c/${c.id}`);
			await live(page, "poll");
			pages.push(page);
		}
		const heard = (r) => {
			if (new URL(r.url()).pathname === "/api/v1/ops") ops.push(...r.postData().trim().split("\n").map((l) => JSON.parse(l)));
		};
		for (const page of pages) page.on("request", heard);
		for (const page of pages) await look(page, false);
		await post("bob", c, "who reads this?");
		for (const page of pages) await badgeIs(page, c, "1");
		await look(pages[2], true);
		for (const page of pages) await badgeIs(page, c, "");
		await until(async () => (await membership("alice", c)).last_read_seq === 1, { what: "the marker" });
		assert.deepEqual(ops.filter((o) => o.op === "read").map((o) => o.seq), [1]);
		await a.context.close();
	});
});

describe("mentions", () => {
	for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE }))
		test(`completed by the keyboard, stored by id, marked for whom it names, on a ${size}`, async () => {
			const c = await channel(["bob", "carol", "dave"]);
			const options = { viewport, hasTouch: size === "phone", reducedMotion: "reduce" };
			const a = await person(stack, browser, "alice", { path: `/c/${c.id}`, ...options });
			const b = await person(stack, browser, "bob", { path: `/c/${(await homeOf()).id}`, ...options });
			await Promise.all([live(a.page), live(b.page)]);
			const box = a.page.locator("#composer");
			await box.click();
			await a.page.keyboard.type("hello @");
			const options_ = a.page.locator("#mention-list [role=option]");
			await until(async () => (await options_.count()) === 5, { what: "the members, without oneself; the channel, and who is here" });
			assert.equal((await axe(a.page)).join("\n"), "");
			await a.page.keyboard.press("ArrowDown");
			await becomes(() => options_.nth(1).getAttribute("aria-selected"), "true");
			assert.equal(await box.getAttribute("aria-activedescendant"), await options_.nth(1).getAttribute("id"));
			await a.page.keyboard.press("Escape");
			await until(async () => (await options_.count()) === 0, { what: "the list to go" });
			await a.page.keyboard.type("bo");
			assert.equal(await options_.count(), 0, "closed where it was closed");
			await a.page.keyboard.press("Backspace");
			await a.page.keyboard.press("Backspace");
			await a.page.keyboard.press("Backspace");
			await a.page.keyboard.type("@ok");
			await until(async () => (await options_.count()) === 1, { what: "bob, by his second name" });
			await a.page.keyboard.press("Enter");
			await becomes(() => box.inputValue(), "hello @bob ");
			await a.page.keyboard.type("and @carol, not dave@bob");
			await a.page.keyboard.press("Enter");
			const text = "hello @Bob Okafor and @Carol Lindqvist, not dave@bob";
			await seen(a.page, text);
			const { messages } = ok(await who.alice.get(`/api/v1/channels/${c.id}/messages`));
			assert.deepEqual(messages.at(-1).body, { text: "hello @bob and @carol, not dave@bob", mentions: [id.bob, id.carol] });
			if (size === "desktop") await badgeIs(b.page, c, "1!");
			await b.page.goto(`${stack.url}/c/${c.id}`);
			await seen(b.page, text);
			await becomes(() => b.page.locator(".msg-to-me .mention-me").innerText(), "@Bob Okafor");
			await becomes(() => b.page.locator(".mention").count(), 2);
			for (const colorScheme of ["light", "dark"]) {
				await b.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
				assert.equal((await axe(b.page)).join("\n"), "");
			}
			assert.deepEqual([a.faults, b.faults], [[], []]);
			await a.context.close();
			await b.context.close();
		});
});
