// How people are, on others' screens: who types, who is there, statuses and own settings; over each transport, with several tabs
// and devices. The server's times are shortened by its configuration.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { sleep } from "../support/until.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, becomes, crosses, inTime, launch, live, person, say, seen } from "./help.mjs";

const GRACE = 30; // s in which who has gone may come back unseen, as it is by default: no reload takes that long

let stack, browser, api;
const ids = {};
before(async () => {
	stack = await startStack({ realtime: 2, conf: { presence: { lease: "4s", renew: "1s", grace: `${GRACE}s`, away: "3s", poll_slack: "20s" } } });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	for (const u of ok(await api.get("/api/v1/users?limit=100")).users) ids[u.handle] = u.id;
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});
afterEach(() => Promise.all(browser.contexts().map((c) => c.close())));

const NDJSON = { headers: { "content-type": "application/x-ndjson" } };
const BLOCKED = { ws: undefined, sse: "refuse", poll: "streams" };
const channel = async (name, ...members) => (await makeChannel(api, { name, members: (members.length ? members : ["bob"]).map((l) => ids[l]) })).id;
const direct = async (a, b) => {
	const who = client(stack, { token: await stack.token(a, ["read", "write"]) });
	return (await who.post("/api/v1/channels", { kind: "direct", members: [ids[b]] })).json.id;
};

const typing = (page) => page.locator(".typing-text");
const types = (page, text, timeout) => typing(page).filter({ hasText: text }).waitFor({ timeout });
const quiet = (page) => until(async () => (await typing(page).count()) === 0, { what: "nobody types" });

/** How a direct channel's peer is shown in the side bar. */
const shown = (page, name) => page.locator(".entry", { hasText: name }).locator(".dot").getAttribute("data-shown", { timeout: 5000 }).catch(() => null);
const shows = (page, name, want, ms = 20000) => until(async () => (await shown(page, name)) === want, { ms, what: `${name} is shown ${want}` });

/** Somebody moves the mouse until he is seen to be there. */
const moves = (page, viewer, name) =>
	until(
		async () => {
			await page.mouse.move(Math.random() * 200, 300);
			return (await shown(viewer, name)) === "online";
		},
		{ ms: 20000, what: `${name} online by input` },
	);

async function seenTyping(a, b, within) {
	const place = () => b.page.evaluate(() => ["list", "composer"].map((c) => document.querySelector(`.${c}`).getBoundingClientRect().toJSON()));
	const before = await place();
	const says = () => document.querySelector(".typing-text")?.textContent === "\u2068Alice Moreau\u2069 is typing";
	// one key is told once
	await inTime(within, [a.page, b.page], () => crosses(a, "H", b, says), "who types is seen");
	assert.deepEqual(await place(), before);
	assert.equal(await typing(a.page).count(), 0);
	// The message ends it at once: where that stands nobody types any more.
	const ended = b.page.evaluate(
		() =>
			new Promise((ok) => {
				const watch = new MutationObserver(() => {
					if (![...document.querySelectorAll(".msg[data-seq] .msg-text")].some((e) => e.textContent === "H")) return;
					watch.disconnect();
					requestAnimationFrame(() => ok(document.querySelector(".typing-text") === null));
				});
				watch.observe(document.querySelector(".main"), { subtree: true, childList: true, characterData: true });
			}),
	);
	await a.page.locator("#composer").press("Enter");
	await seen(b.page, "H");
	assert.equal(await ended, true);
	// And so does silence. A key is told three seconds after the last telling, if it is not old by then.
	await until(async () => {
		await a.page.locator("#composer").press("x");
		return types(b.page, "Alice", 5000).then(() => true, () => false);
	}, { ms: 20000, what: "typing again" });
	await quiet(b.page);
	assert.deepEqual([...a.faults, ...b.faults], []);
}

/** ms. A poll is not answered for state alone within a second of its arrival. */
const TYPES_WITHIN = { ws: 1000, sse: 1000, poll: 2000 };

test("TY-1 who types is seen within a second by ws and by sse, within two by poll, in a line that moves nothing, and not by oneself", async () => {
	const pairs = [];
	for (const by of Object.keys(TYPES_WITHIN)) {
		const path = `/c/${await channel(`typing-${by}`)}`;
		const pair = [];
		for (const login of ["alice", "bob"]) pair.push(await person(stack, browser, login, { path, blocked: BLOCKED[by] }));
		for (const { page } of pair) await live(page, by);
		pairs.push([...pair, TYPES_WITHIN[by]]);
	}
	// The three at once: most of it is waiting for the silence.
	const ends = await Promise.allSettled(pairs.map((pair) => seenTyping(...pair)));
	for (const { reason } of ends) if (reason) throw reason;
});

test("TY-1 b 20 keys a second for 10 s: at most one event in 3 s, and the line stays all the time", async () => {
	const id = await channel("many-keys");
	const b = await person(stack, browser, "bob", { path: `/c/${id}` });
	const a = await person(stack, browser, "alice");
	// In the page and by its own clock: what is seen from outside comes when the machine has time.
	await a.page.addInitScript(() => {
		const send = WebSocket.prototype.send;
		window.told = [];
		WebSocket.prototype.send = function (data) {
			for (const line of String(data).split("\n").filter((l) => l.trim())) window.told.push({ at: performance.now(), ...JSON.parse(line) });
			return send.call(this, data);
		};
	});
	await a.page.goto(`${stack.url}/c/${id}`);
	await Promise.all([live(a.page), live(b.page)]);
	await a.page.locator("#composer").pressSequentially("hello");
	await types(b.page, "Alice");
	await b.page.evaluate(() => {
		window.gaps = 0;
		new MutationObserver(() => (window.gaps += document.querySelector(".typing-text") ? 0 : 1)).observe(document.querySelector(".typing"), {
			childList: true,
			subtree: true,
		});
	});
	await a.page.locator("#composer").pressSequentially("x".repeat(200), { delay: 50, timeout: 60000 });
	assert.equal(await b.page.evaluate(() => window.gaps), 0);
	const told = (await a.page.evaluate(() => window.told)).filter((o) => o.op === "typing");
	const at = told.map((o) => o.at);
	assert.ok(told.length >= 3, `${told.length}`);
	for (let i = 1; i < at.length; i++) assert.ok(at[i] - at[i - 1] > 2900, `${at.map((t) => t - at[0])}`);
	assert.ok(told.every((o) => o.channel === id));
	await quiet(b.page);
});

test("TY-1 who types in a thread is seen in its panel alone, and who types in the channel not there", async () => {
	const id = await channel("typing-thread");
	await send(api, id, "the root");
	const [a, b] = await Promise.all(["alice", "bob"].map((login) => person(stack, browser, login, { path: `/c/${id}/t/1` })));
	const panel = ({ page }) => page.getByRole("complementary", { name: "Thread" });
	const main = ({ page }) => page.locator(".main");
	const places = () => b.page.evaluate(() => [...document.querySelectorAll(".typing, .thread-scroll")].map((e) => e.getBoundingClientRect().toJSON()));
	await Promise.all([a, b].map(async (who) => {
		await live(who.page);
		await panel(who).locator(".msg-text", { hasText: "the root" }).waitFor();
	}));
	const before = await places();
	assert.equal(before.length, 3);
	// All that ever stood there, in the channel's line and in the panel's.
	await b.page.evaluate(() => {
		window.stood = [];
		new MutationObserver(() =>
			window.stood.push([".main", ".panel"].map((where) => document.querySelectorAll(`${where} .typing-text`).length).join()),
		).observe(document.body, { childList: true, subtree: true });
	});
	const stood = async () => [...new Set(await b.page.evaluate(() => window.stood))].sort();
	// A key is told three seconds after the last telling, if it is not old by then.
	const writes = (from, to) =>
		until(async () => {
			await from(a).getByRole("textbox").press("x");
			return types(to(b), /^\u2068Alice Moreau\u2069 is typing$/, 5000).then(() => true, () => false);
		}, { ms: 20000, what: "typing" });
	await writes(panel, panel);
	assert.deepEqual((await stood()).filter((x) => x !== "0,0"), ["0,1"]);
	assert.deepEqual(await places(), before, "in a line of its own, always there");
	await writes(main, main);
	assert.ok(!(await stood()).includes("1,1"), "he types in one place");
	await panel(a).getByRole("textbox").press("Enter");
	await panel(b).locator(".msg-text", { hasText: "x" }).waitFor();
	await quiet(b.page);
	assert.deepEqual([...a.faults, ...b.faults], []);
});

test("several type: names and a count; who comes late sees them, and who comes later sees nobody", async () => {
	const logins = ["bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
	const id = await channel("crowd", ...logins);
	const apis = await Promise.all(logins.map(async (l) => client(stack, { token: await stack.token(l, ["read", "write"]) })));
	let over = false;
	const write = (async () => {
		while (!over) {
			await Promise.all(apis.map((who) => who.post("/api/v1/ops", `{"op":"typing","channel":${id}}\n`, NDJSON)));
			await new Promise((ok) => setTimeout(ok, 1000)); // as people type
		}
	})();
	const a = await person(stack, browser, "alice", { path: `/c/${id}` });
	await typing(a.page).filter({ hasText: /and 2 others are typing$/ }).waitFor();
	assert.equal((await typing(a.page).innerText()).match(/\u2068/g).length, 5);
	over = true;
	await write;
	await quiet(a.page);
});

test("two tabs over one connection: each is told of its own channel, also of one that the other tab has open already", async () => {
	const [one, two] = [await channel("tab-one"), await channel("tab-two")];
	const b = await person(stack, browser, "bob", { path: `/c/${one}`, blocked: "refuse" });
	await live(b.page, "sse");
	const second = await b.context.newPage();
	await second.goto(`${stack.url}/c/${two}`);
	await live(second, "sse");
	const write = (id) => api.post("/api/v1/ops", `{"op":"typing","channel":${id}}\n`, NDJSON);
	await until(async () => (await write(one), (await typing(b.page).count()) > 0), { what: "typing in the first tab" });
	await until(async () => (await write(two), (await typing(second).count()) > 0), { what: "typing in the second tab" });
	const third = await b.context.newPage();
	await write(two);
	await third.goto(`${stack.url}/c/${two}`);
	await live(third, "sse");
	await until(async () => (await write(two), (await typing(third).count()) > 0), { what: "typing in the third tab" });
	assert.deepEqual(b.faults, []);
});

/** That she has gone is known, and that she may come back: by the database the grace has begun. What is left of it is taken away. */
async function graceIsOver(login) {
	const lease = `presence_leases WHERE user_id = ${ids[login]}`;
	const left = async () => Number((await stack.psql(`SELECT max(extract(epoch FROM coalesce(expires_at, 'infinity') - now())) FROM ${lease}`)) || NaN);
	const s = await until(async () => ((s) => s <= GRACE && s)(await left()), { what: `the grace of ${login}` });
	assert.ok(s > GRACE / 2, `${s} s of ${GRACE} are left`);
	await stack.psql(`UPDATE presence_leases SET expires_at = now() WHERE user_id = ${ids[login]}`);
}

for (const by of ["ws", "sse", "poll"])
	test(`PR-2 online, a reload, gone, by ${by}: others see it by a mark of its own shape, and a reload shows nothing`, async () => {
		await direct("bob", "carol");
		const b = await person(stack, browser, "bob", { blocked: BLOCKED[by] });
		await live(b.page, by);
		await shows(b.page, "Carol", "offline");
		const c = await person(stack, browser, "carol", { blocked: BLOCKED[by] });
		await live(c.page, by);
		await moves(c.page, b.page, "Carol");
		await b.page.evaluate(() => {
			window.marks = [];
			const entry = () => [...document.querySelectorAll(".entry")].find((e) => e.textContent.includes("Carol"));
			const dot = () => entry()?.querySelector(".dot")?.dataset.shown;
			new MutationObserver(() => window.marks.at(-1) === dot() || window.marks.push(dot())).observe(document.querySelector(".side"), {
				subtree: true,
				childList: true,
				attributes: true,
			});
		});
		await c.page.reload();
		await live(c.page, by);
		if (by === "poll") await sleep(3100); // the beacon of a page that goes sooner may be that of the page before it (doc/presence.md)
		await c.page.close();
		await graceIsOver("carol");
		await shows(b.page, "Carol", "offline");
		const marks = await b.page.evaluate(() => window.marks);
		assert.equal(marks.filter((m) => m === "offline").length, 1, `${marks}`);
		assert.deepEqual(b.faults, []);
	});

test("away without input, back with the first movement; set away by oneself it stays, on all tabs, until one writes", async () => {
	const id = await direct("bob", "dave");
	const b = await person(stack, browser, "bob");
	const d = await person(stack, browser, "dave", { path: `/c/${id}` });
	await Promise.all([live(b.page), live(d.page)]);
	await moves(d.page, b.page, "Dave");
	await shows(b.page, "Dave", "away");
	await moves(d.page, b.page, "Dave");
	await d.page.getByRole("button", { name: "Your menu" }).click();
	await d.page.getByRole("menuitemradio", { name: "Away" }).click();
	await shows(b.page, "Dave", "away");
	await d.page.keyboard.press("Escape");
	await d.page.reload();
	await live(d.page);
	for (let i = 0; i < 20; i++) await d.page.mouse.move(i * 10, 100);
	await seenAway(d.page);
	assert.equal(await shown(b.page, "Dave"), "away");
	await say(d.page, "I am here");
	await shows(b.page, "Dave", "online");
});
const seenAway = (page) => until(async () => (await page.locator(".side-top .dot").getAttribute("data-shown")) === "away", { what: "the own mark: away" });

test("own status, do not disturb, invisible: set by dialogs, on others' screens and on all own devices", async () => {
	await direct("bob", "erin");
	const b = await person(stack, browser, "bob");
	const e = await person(stack, browser, "erin");
	const e2 = await person(stack, browser, "erin", { viewport: PHONE, hasTouch: true });
	await Promise.all([live(b.page), live(e.page), live(e2.page)]);
	const menu = async (item, role = "menuitem") => {
		await e.page.getByRole("button", { name: "Your menu" }).click();
		await e.page.getByRole(role, { name: item }).click();
	};
	await menu("Set a status…");
	await e.page.getByRole("button", { name: /At lunch/ }).click();
	await e.page.getByLabel("What is your status?").fill("At lunch with <b>Frank</b>");
	await e.page.getByRole("button", { name: "Save" }).click();
	await e.page.locator("dialog[open]").waitFor({ state: "detached" });
	const mark = b.page.locator(".entry", { hasText: "Erin" }).locator(".status-mark");
	await b.page.locator('.entry .status-mark[title="At lunch with <b>Frank</b>"]').waitFor();
	// On the other device, in the menu of the drawer.
	await e2.page.locator(".burger").tap();
	await e2.page.getByRole("button", { name: "Your menu" }).tap();
	await e2.page.getByRole("menuitem", { name: "At lunch with" }).waitFor();
	await e2.page.keyboard.press("Escape");

	await menu("Do not disturb…");
	await e.page.getByRole("button", { name: "For 1 hour" }).click();
	await shows(b.page, "Erin", "dnd");
	await menu(/^Do not disturb until/);
	await e.page.getByRole("button", { name: "Switch it off", exact: true }).click();
	await until(async () => ["online", "away"].includes(await shown(b.page, "Erin")), { what: "Erin can be disturbed" });

	await menu("Settings…");
	const invisible = e.page.getByRole("switch", { name: "Invisible" });
	await invisible.click();
	await shows(b.page, "Erin", "offline");
	await becomes(() => mark.count(), 0);
	for (const p of [e.page, e2.page]) await p.locator(".side-top .dot-invisible").waitFor({ state: "attached" });
	const receipts = e.page.getByRole("switch", { name: "Read receipts" });
	await becomes(() => receipts.getAttribute("aria-checked"), "true");
	await receipts.click();
	await e.page.reload();
	await live(e.page);
	await menu("Settings…");
	await until(async () => (await receipts.getAttribute("aria-checked")) === "false", { what: "receipts stay off" });
	await becomes(() => invisible.getAttribute("aria-checked"), "true");
	await invisible.click();
	await until(async () => ["online", "away"].includes(await shown(b.page, "Erin")), { what: "Erin is seen again" });
	await until(async () => (await mark.count()) === 1, { what: "and the status" });
	await e.page.keyboard.press("Escape");
	await menu("Clear the status");
	await until(async () => (await mark.count()) === 0, { what: "no status" });
	assert.deepEqual([...b.faults, ...e.faults, ...e2.faults], []);
});

test("the card of a person: by hover, by key and by tap; local time there, and last active", async () => {
	const id = await channel("cards");
	const a = await person(stack, browser, "alice", { timezoneId: "Asia/Tokyo", path: `/c/${id}` });
	await live(a.page);
	await say(a.page, "from afar");
	const b = await person(stack, browser, "bob", { path: `/c/${id}`, timezoneId: "Europe/Zurich" });
	await seen(b.page, "from afar");
	await live(b.page);
	const card = b.page.getByRole("dialog", { name: "Alice Moreau" });
	const facts = async () => {
		await card.waitFor();
		await until(async () => /local time · (7|8) h ahead of you/.test(await card.innerText()), { what: "the time in Tokyo" });
		await until(async () => /(Online|Away) · (Active now|Last active )/.test(await card.innerText()), { what: "how she is" });
		assert.match(await card.innerText(), /@alice/);
	};
	// Hover: it opens, stays while one goes to it, closes when one leaves, and takes no focus.
	await b.page.locator("#composer").focus();
	await b.page.locator(".msg-name").first().hover();
	await facts();
	await card.hover();
	assert.equal(await b.page.evaluate(() => document.activeElement.id), "composer");
	await b.page.mouse.move(640, 20);
	await card.waitFor({ state: "detached" });
	// Keys: from the message to its name; Escape closes and gives the focus back, and closes nothing else.
	await b.page.goto(`${stack.url}/c/${id}/members`);
	await live(b.page);
	await seen(b.page, "from afar");
	await b.page.evaluate(() => document.activeElement.blur());
	await b.page.keyboard.press("k");
	await b.page.keyboard.press("Tab");
	await b.page.keyboard.press("Enter");
	await facts();
	assert.ok(await card.evaluate((e) => e.contains(document.activeElement)));
	await b.page.keyboard.press("Escape");
	await card.waitFor({ state: "detached" });
	await becomes(() => b.page.evaluate(() => document.activeElement.className), "msg-name");
	assert.equal(await b.page.locator(".panel").count(), 1);
	// From the list of members, to a conversation.
	await b.page.locator(".person", { hasText: "Alice" }).click();
	await card.getByRole("button", { name: "Message" }).click();
	await b.page.locator("h1", { hasText: "Alice Moreau" }).waitFor();
	assert.equal(await card.count(), 0);

	const p = await person(stack, browser, "bob", { path: `/c/${id}`, viewport: PHONE, hasTouch: true, timezoneId: "Europe/Zurich" });
	await seen(p.page, "from afar");
	await p.page.locator(".msg-face").first().tap();
	const small = p.page.getByRole("dialog", { name: "Alice Moreau" });
	await small.waitFor();
	const box = await small.boundingBox();
	assert.ok(box.x >= 0 && box.x + box.width <= PHONE.width && box.y >= 0 && box.y + box.height <= PHONE.height);
	await p.page.locator("header.head").tap({ position: { x: 200, y: 5 } });
	await small.waitFor({ state: "detached" });
	assert.deepEqual([...a.faults, ...b.faults, ...p.faults], []);
});

test("without colour each mark has its own shape, in both themes, and each stands out from what is behind it", async () => {
	const { page } = await person(stack, browser, "frank", { viewport: DESKTOP });
	for (const colorScheme of ["light", "dark"]) {
		await page.emulateMedia({ colorScheme });
		const found = await page.evaluate(() => {
			const svg = (shown) => {
				const el = document.querySelector(".side-top .dot").cloneNode(false);
				el.setAttribute("class", `dot dot-${shown}`);
				return el;
			};
			const light = (css) => {
				const linear = (n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
				const c = css.match(/[\d.]+/g).slice(0, 3).map((n) => linear(n / 255));
				return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
			};
			const out = {};
			const behind = ["--bg", "--side", "--side-hover", "--bg-raised", "--hover"];
			for (const shown of ["online", "away", "dnd", "offline"]) {
				const el = svg(shown);
				el.innerHTML = shown === "offline" ? '<circle class="dot-ring"/>' : "<circle/>";
				document.querySelector("#main, .main").append(el);
				const style = getComputedStyle(shown === "offline" ? el.firstChild : el);
				const ink = light(shown === "offline" ? style.stroke : style.fill);
				out[shown] = Math.min(
					...behind.map((name) => {
						const probe = document.createElement("i");
						probe.style.color = `var(${name})`;
						document.body.append(probe);
						const paper = light(getComputedStyle(probe).color);
						probe.remove();
						return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
					}),
				);
				el.remove();
			}
			return out;
		});
		for (const [shown, contrast] of Object.entries(found)) assert.ok(contrast >= 3, `${colorScheme} ${shown}: ${contrast.toFixed(2)}`);
	}
});
