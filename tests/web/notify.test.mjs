// Notifications of the browser: what there is one of and what none, in one tab of many; where a click leads; the settings. The browser's own
// are kept from the screen: the page gets a Notification that notes what it is asked to show, and can be clicked by a test.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok } from "../api/help.mjs";
import { DESKTOP, PHONE, TABLET, WHOLE, axe, becomes, launch, live, person, rung, seen, themes } from "./help.mjs";

let stack, browser, shell;
const who = {};
const id = {};
before(async () => {
	stack = await startStack({ realtime: 2 });
	[browser, shell] = await Promise.all([launch(WHOLE), launch()]); // the shell denies notifications to everyone
	for (const login of ["alice", "bob"]) who[login] = client(stack, { token: await stack.token(login, ["read", "write"]) });
	for (const u of ok(await who.alice.get("/api/v1/users?limit=100")).users) id[u.handle] = u.id;
});
after(async () => {
	await Promise.all([browser?.close(), shell?.close()]);
	await stack?.stop();
});
afterEach(() => Promise.all([browser, shell].flatMap((b) => b.contexts()).map((c) => c.close())));

let n = 0;
const channel = () => makeChannel(who.bob, { name: `room-${++n}`, members: [id.alice] });
const post = async (login, c, text, more = {}) => {
	const { thread, ...body } = more;
	const place = thread ? { thread } : {};
	return ok(await who[login].post(`/api/v1/channels/${c.id}/messages`, { client_id: randomUUID(), ...place, body: { text, ...body } }), 201);
};
const named = (c, text, more) => post("bob", c, text, { mentions: [id.alice], ...more });
const prefs = async (c, change) => ok(await who.alice.patch(`/api/v1/channels/${c.id}/prefs`, change));

/** In the page, before its scripts. */
function fake() {
	const Real = window.Notification;
	window.notes = [];
	window.Notification = class {
		static get permission() {
			return Real.permission;
		}
		static requestPermission() {
			return Real.requestPermission();
		}
		constructor(title, options) {
			Object.assign(this, { title, ...options, open: true });
			// The same tag: it takes the place of the one before.
			for (const o of window.notes) if (o.open && o.tag === this.tag) o.close();
			window.notes.push(this);
		}
		close() {
			if (!this.open) return;
			this.open = false;
			queueMicrotask(() => this.onclose?.());
		}
	};
}

/** Whether somebody sits before it; hidden: another tab or window is before it. */
const look = (page, attentive, hidden = !attentive) =>
	page.evaluate(
		([attentive, hidden]) => {
			document.hasFocus = () => attentive;
			Object.defineProperty(document, "visibilityState", { value: hidden ? "hidden" : "visible", configurable: true });
			document.dispatchEvent(new Event("visibilitychange"));
			if (attentive) dispatchEvent(new Event("focus"));
		},
		[attentive, hidden],
	);

const locks = (page, how) => page.evaluate(async (how) => (await navigator.locks.query())[how].map((l) => l.name), how);
const has = (page, how) => async () => (await locks(page, how)).some((name) => name.startsWith("pulsechat-notify"));
/** What notifies has been loaded in one of the tabs, and in one more. */
const listens = (page) => until(has(page, "held"), { what: "a tab that speaks" });
const waits = (page) => until(has(page, "pending"), { what: "a tab that waits for its turn" });

/** Signed in with notifications on, in a tab that nobody looks at. */
async function notified(path, { blocked, by = "ws", before = async () => {}, hides = false } = {}) {
	const a = await person(stack, browser, "alice", { path, blocked });
	await a.context.grantPermissions(["notifications"]);
	await a.context.addInitScript(fake);
	await before(a);
	await a.page.evaluate(
		([me, hides]) => {
			localStorage[`pulsechat:notify:${me}`] = "1";
			if (hides) localStorage[`pulsechat:notify-hide:${me}`] = "1";
		},
		[id.alice, hides],
	);
	await a.page.reload();
	await live(a.page, by);
	await listens(a.page);
	await look(a.page, false);
	return a;
}

const plain = (s) => s.replace(/[\u2066-\u2069]/g, "");
/** What the pages have been asked to show, the trial of the settings apart: [title, text] each. */
const shown = async (...pages) => {
	const all = await Promise.all(pages.map((p) => p.evaluate(() => window.notes.map(({ title, body, open, tag }) => ({ title, body, open, tag })))));
	return all.flat().filter((x) => x.tag !== "pulsechat-trial");
};
const said = async (...pages) => (await shown(...pages)).map((x) => [plain(x.title), plain(x.body)]);
const open = async (...pages) => (await shown(...pages)).filter((x) => x.open).map((x) => plain(x.title));

/** All that was written before this has been shown by now, or will not be: answers what was shown before it. */
const fences = new Set();
async function sofar(...pages) {
	const c = await channel();
	await named(c, "fence");
	const title = `Bob Okafor in #${c.name}`;
	fences.add(title);
	await until(async () => (await said(...pages)).some(([t]) => t === title), { what: title });
	return (await said(...pages)).filter(([t]) => !fences.has(t));
}

describe("notifications", () => {
	test("a mention in a tab that is hidden: one; a click opens the message in its place", async () => {
		const c = await channel();
		const other = await channel();
		const a = await notified(`/c/${other.id}`);
		await post("bob", c, "nothing for you");
		const { seq } = await named(c, "**look**, @alice\n> here");
		assert.deepEqual(await sofar(a.page), [[`Bob Okafor in #${c.name}`, "look, @Alice Moreau here"]]);
		await a.page.evaluate(() => window.notes[0].onclick());
		await a.page.waitForURL(`**/c/${c.id}?at=${seq}`);
		await look(a.page, true);
		await a.page.locator(`.msg[data-seq="${seq}"]`, { hasText: "look" }).waitFor();
		assert.equal((await shown(a.page))[0].open, false);
		assert.deepEqual(a.faults, []);
	});

	test("a reply in a thread that one follows: the click opens the thread", async () => {
		const c = await channel();
		const other = await channel();
		const { seq: root } = await post("alice", c, "When does it leave?");
		const a = await notified(`/c/${other.id}`);
		const { seq } = await post("bob", c, "At nine", { thread: root });
		assert.deepEqual(await sofar(a.page), [[`Bob Okafor replied in a thread in #${c.name}`, "At nine"]]);
		await a.page.evaluate(() => window.notes[0].onclick());
		await a.page.waitForURL(`**/c/${c.id}/t/${root}?reply=${seq}`);
		await a.page.locator(".panel.thread .msg-text", { hasText: "At nine" }).waitFor();
		// One that is at the end of the thread in a tab in use is seen.
		await look(a.page, true);
		await post("bob", c, "Or ten", { thread: root });
		await a.page.locator(".panel.thread .msg-text", { hasText: "Or ten" }).waitFor();
		await look(a.page, false);
		await post("bob", c, "Or eleven", { thread: root });
		await becomes(async () => (await said(a.page)).filter(([t]) => !fences.has(t)).at(-1)[1], "Or eleven");
		assert.match((await sofar(a.page)).at(-1)[0], /replied in a thread/, "alone: the one before is none of several");
		assert.deepEqual(a.faults, []);
	});

	for (const [by, blocked] of [
		["ws", undefined],
		["sse", "refuse"],
	])
		test(`two tabs by ${by}: one; none where one of them shows it; the other takes over from the one that is closed`, async () => {
			const [c, other] = [await channel(), await channel()];
			const a = await notified(`/c/${other.id}`, { blocked, by });
			const second = await a.context.newPage();
			await second.goto(`${stack.url}/c/${c.id}`);
			await live(second, by);
			await waits(second);
			await look(second, false);
			await named(c, "first");
			assert.deepEqual(await sofar(a.page, second), [[`Bob Okafor in #${c.name}`, "first"]]);
			assert.deepEqual(await said(second), []);
			// What is on its screen does not count as read.
			await look(second, true);
			await second.locator('.msg[data-seq="1"]').focus();
			await second.keyboard.press("u");
			const badge = () => a.page.locator(`.entry[href="/c/${c.id}"] .badge [aria-hidden]`).textContent();
			await second.locator(".toast", { hasText: "Marked as unread" }).waitFor();
			await named(c, "second");
			await seen(second, "second");
			await becomes(badge, "2");
			await look(second, false);
			assert.equal((await sofar(a.page, second)).length, 1);
			await a.page.close();
			await listens(second);
			await named(c, "third");
			assert.deepEqual(await sofar(second), [[`Bob Okafor in #${c.name}`, "third"]]);
			assert.deepEqual(a.faults, []);
		});

	test("none for who looks at it, for what is muted or by its level, or is one's own from another device", async () => {
		const [c, muted, all, nothing] = [await channel(), await channel(), await channel(), await channel()];
		const dm = ok(await who.alice.post("/api/v1/channels", { kind: "direct", members: [id.bob] }), 201);
		await prefs(muted, { quiet_until: "forever" });
		await prefs(all, { notify: "all" });
		await prefs(nothing, { notify: "nothing" });
		const a = await notified(`/c/${c.id}`);
		await look(a.page, true);
		await named(c, "you see this");
		await seen(a.page, "you see this");
		await named(muted, "muted");
		await named(nothing, "nothing");
		for (const room of [dm, all, c]) await post("alice", room, "an own one");
		await post("bob", all, "all");
		await post("bob", dm, "direct");
		await look(a.page, true);
		assert.deepEqual((await sofar(a.page)).sort(), [
			[`Bob Okafor in #${all.name}`, "all"],
			["Bob Okafor", "direct"],
		]);
		ok(await who.alice.patch("/api/v1/me/settings", { dnd_until: "forever" }));
		const late = await channel();
		await becomes(() => a.page.evaluate((me) => document.querySelector(`[data-person="${me}"] .dot, .side .dot`)?.dataset.shown, id.alice), "dnd");
		await named(late, "while not to be disturbed");
		await becomes(() => a.page.locator(`.entry[href="/c/${late.id}"] .badge`).count(), 1);
		ok(await who.alice.patch("/api/v1/me/settings", { dnd_until: null }));
		assert.equal((await sofar(a.page)).length, 2);
	});

	test("read on another device, or deleted: it goes", async () => {
		const [c, d, other] = [await channel(), await channel(), await channel()];
		const a = await notified(`/c/${other.id}`);
		const { seq } = await named(c, "to be read");
		const wrong = await named(d, "to be deleted");
		await becomes(async () => (await open(a.page)).sort(), [`Bob Okafor in #${c.name}`, `Bob Okafor in #${d.name}`]);
		ok(await who.alice.put(`/api/v1/channels/${c.id}/read`, { seq }));
		await becomes(() => open(a.page), [`Bob Okafor in #${d.name}`]);
		ok(await who.bob.delete(`/api/v1/channels/${d.id}/messages/${wrong.seq}`));
		await becomes(() => open(a.page), []);
	});

	test("after a while without a connection: what has just come is one of several, what was long ago none", async () => {
		let later = 0; // ms that the server's clock is ahead: messages that old were missed for that long
		const c = await channel();
		const other = await channel();
		const a = await notified(`/c/${other.id}`, {
			before: (a) =>
				a.context.routeWebSocket(/\/api\/v1\/ws/, (ws) => {
					const server = ws.connectToServer();
					const ahead = (_, at) => `"server_time":"${new Date(Date.parse(at) + later).toISOString()}"`;
					server.onMessage((m) => ws.send(String(m).replace(/"server_time":"([^"]+)"/, ahead)));
				}),
		});
		const away = async (texts) => {
			await a.context.setOffline(true);
			await until(async () => (await rung(a.page)).startsWith("offline"), { what: "offline" });
			for (const text of texts) await named(c, text);
			await a.context.setOffline(false);
			await live(a.page);
		};
		await away(["one", "two", "three"]);
		assert.deepEqual(await sofar(a.page), [[`3 new messages in #${c.name}`, "Bob Okafor: three"]]);
		later = 120_000;
		await away(["long ago"]);
		await becomes(() => a.page.locator(`.entry[href="/c/${c.id}"] .badge [aria-hidden]`).textContent(), "4");
		later = 0;
		await away([]);
		await named(c, "now");
		await becomes(async () => (await said(a.page)).at(-1), [`4 new messages in #${c.name}`, "Bob Okafor: now"]);
		assert.deepEqual(a.faults, []);
	});

	test("with the text hidden they say who and where; when the session ends they are gone", async () => {
		const [c, other] = [await channel(), await channel()];
		const a = await notified(`/c/${other.id}`, { hides: true });
		await named(c, "a secret");
		assert.deepEqual(await sofar(a.page), [[`Bob Okafor in #${c.name}`, "New message"]]);
		assert.ok((await open(a.page)).length > 0);
		const { session } = await a.page.evaluate(async () => (await fetch("/api/v1/me", { headers: { "PulseChat-Client": "test" } })).json());
		assert.equal(await stack.psql(`SELECT session_revoke(${session.id})`), "t");
		await a.page.getByText("Your session has ended").waitFor();
		assert.deepEqual(await open(a.page), []);
	});
});

describe("the settings of notifications", () => {
	const turn = (page, name = "Notify me in this browser") => page.getByRole("switch", { name });
	const settings = async (page) => {
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.getByRole("menuitem", { name: "Settings…" }).click();
		await turn(page).or(page.getByText("secure address").or(page.getByText("cannot show notifications"))).waitFor();
	};
	const shot = async (page, name) => process.env.SHOTS && page.screenshot({ path: `${process.env.SHOTS}/notify-${name}.png` });
	async function looks(page, name) {
		for (const [size, where] of Object.entries({ DESKTOP, TABLET, PHONE })) {
			await page.setViewportSize(where);
			for (const colorScheme of themes()) {
				await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
				await page.getByRole("heading", { name: "Notifications" }).evaluate((e) => e.scrollIntoView({ block: "center" }));
				assert.deepEqual(await axe(page), [], `${name}, ${size}, ${colorScheme}`);
				await shot(page, `${name}-${size}-${colorScheme}`);
			}
		}
		await page.setViewportSize(DESKTOP);
	}
	const visit = async (c, { allowed = false, script = fake, by = browser } = {}) => {
		const a = await person(stack, by, "alice", { path: `/c/${c.id}` });
		if (allowed) await a.context.grantPermissions(["notifications"]);
		await a.context.addInitScript(script);
		await a.page.reload();
		await live(a.page);
		return a;
	};

	test("off until they are turned on, by the keyboard too; then at once, in all tabs, and without the text at the next click", async () => {
		const [c, other] = [await channel(), await channel()];
		const a = await visit(other, { allowed: true });
		await look(a.page, false);
		await named(c, "not yet");
		await becomes(() => a.page.locator(`.entry[href="/c/${c.id}"] .badge`).count(), 1);
		const second = await a.context.newPage();
		await second.goto(`${stack.url}/c/${other.id}`);
		await live(second);
		await look(second, false);
		await a.page.bringToFront();
		await settings(a.page);
		await becomes(() => turn(a.page).getAttribute("aria-checked"), "false");
		await turn(a.page).focus();
		await a.page.keyboard.press("Space");
		await becomes(() => turn(a.page).getAttribute("aria-checked"), "true");
		await becomes(() => a.page.evaluate(() => window.notes.map((x) => x.title)), ["Notifications are on"]);
		await looks(a.page, "on");
		await Promise.all([listens(a.page), waits(second)]);
		await named(c, "now");
		await becomes(() => said(a.page, second), [[`Bob Okafor in #${c.name}`, "now"]]);
		await turn(a.page, "Hide what is written").click();
		await becomes(async () => (await said(a.page, second)).at(-1), [`Bob Okafor in #${c.name}`, "New message"]);
		await turn(a.page).click();
		await becomes(() => open(a.page, second), []);
		await becomes(async () => [...(await locks(a.page, "held")), ...(await locks(a.page, "pending"))].filter((l) => /notify/.test(l)), []);
		assert.deepEqual(a.faults, []);
	});

	test("where the browser blocks them it says so, and what to do; it is off", async () => {
		const a = await visit(await channel(), { by: shell });
		assert.equal(await a.page.evaluate(() => Notification.permission), "denied");
		await settings(a.page);
		await turn(a.page).click();
		await a.page.locator(".toast", { hasText: "Your browser blocks notifications of this site" }).waitFor();
		await becomes(() => turn(a.page).getAttribute("aria-checked"), "false");
		await a.page.locator(".setting", { hasText: "Allow them in its settings for this site" }).waitFor();
		await looks(a.page, "denied");
		assert.deepEqual(a.faults, []);
	});

	for (const [what, script, words] of [
		["there are none", () => delete window.Notification, "This browser cannot show notifications"],
		["the address is not secure", () => Object.defineProperty(window, "isSecureContext", { value: false }), "secure address (https)"],
	])
		test(`where ${what} it says so`, async () => {
			const a = await visit(await channel(), { script });
			await settings(a.page);
			await a.page.locator(".setting", { hasText: words }).waitFor();
			assert.equal(await turn(a.page).count(), 0);
			await looks(a.page, what.replaceAll(" ", "-"));
			assert.deepEqual(a.faults, []);
		});

	test("where only a service worker may show them it says so when they are turned on", async () => {
		const script = () => {
			const Real = window.Notification;
			window.Notification = function () {
				throw new TypeError("Illegal constructor");
			};
			Object.defineProperty(window.Notification, "permission", { get: () => Real.permission });
			window.Notification.requestPermission = () => Real.requestPermission();
		};
		const a = await visit(await channel(), { allowed: true, script });
		await settings(a.page);
		await turn(a.page).click();
		await a.page.locator(".setting", { hasText: "This browser cannot show notifications" }).waitFor();
		assert.equal(await a.page.evaluate((me) => localStorage[`pulsechat:notify:${me}`] ?? null, id.alice), null);
	});
});
