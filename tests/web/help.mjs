// help: browsers for the web tests: people who sign in by the provider's pages, and what is seen on their screens.
//
//   const browser = await launch();           // $CHROMIUM, else the headless shell; launch(WHOLE): Chromium with its windows
//   const alice = await person(stack, browser, "alice", { path: "/c/1" });   // a context and a page of her own, signed in
//   alice.page, alice.context, alice.faults (page errors and what the CSP refused), alice.asked (paths of the realtime requests)
//   alice.links.get(page)               how many connections that last that page has open: sockets, event streams, polls
//   block(alice.context, "refuse")      what does not come through: see block()
//   servedStreams(stack)                how many of them the realtime processes see
//   await becomes(() => page.locator("li").count(), 3)      what a page shows when it has come to it: a look at once may be too early
//   await tells(alice, bob, "Hello")    ms between her key and his picture; crosses() of anything else
//   await cleanIn(page)                 axe finds nothing, and nothing is cut off; after(() => ends(stack, browser, alice)): the end of a file
//   await inTime(1000, [alice.page, bob.page], () => tells(alice, bob, "Hello"), "it comes")     holds the ms that act answers against what is promised

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";
import { chromium } from "playwright-core";
import { pickInBrowser, signIn as signInByHttp } from "../support/http.mjs";
import { until } from "../support/stack.mjs";

export const DESKTOP = { width: 1280, height: 800 };
export const TABLET = { width: 768, height: 1024 };
export const PHONE = { width: 390, height: 844 };

const FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

/** The browser with its windows, as people have it; and without, in half the time. */
export const WHOLE = "/usr/bin/chromium";
const SHELL = "/usr/bin/chromium-headless-shell";

const OPTIONS = {
	executablePath: process.env.CHROMIUM || SHELL,
	headless: true,
	args: FLAGS,
	ignoreDefaultArgs: ["--disable-back-forward-cache"],
};

/** A browser with a profile of its own. */
export const launch = (executablePath = OPTIONS.executablePath) => chromium.launch({ ...OPTIONS, executablePath });

/** A browser that can be put to sleep with all its processes, as by closing the lid: {browser, sleep(), wake(), close()}. */
export async function launchSleeper() {
	const server = await chromium.launchServer(OPTIONS);
	const browser = await chromium.connect(server.wsEndpoint());
	/** The process and all below it. */
	const family = () => {
		const children = new Map();
		for (const pid of readdirSync("/proc").filter((n) => /^\d+$/.test(n)))
			try {
				const parent = Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")[1]);
				children.set(parent, [...(children.get(parent) ?? []), Number(pid)]);
			} catch {
				// gone meanwhile
			}
		const all = [server.process().pid];
		for (const pid of all) all.push(...(children.get(pid) ?? []));
		return all;
	};
	const signal = (pid, name) => {
		try {
			process.kill(pid, name);
		} catch (e) {
			if (e.code !== "ESRCH") throw e; // it was about to end
		}
	};
	const asleep = new Set();
	const wake = () => {
		for (const pid of asleep) signal(pid, "SIGCONT");
		asleep.clear();
	};
	return {
		browser,
		sleep() {
			// Until there is none that was born meanwhile.
			for (let awake; (awake = family().filter((pid) => !asleep.has(pid))).length > 0; )
				for (const pid of awake) {
					asleep.add(pid);
					signal(pid, "SIGSTOP");
				}
		},
		wake,
		async close() {
			wake();
			await browser.close();
			await server.close();
		},
	};
}

/** Whoever is at the door in a new context; nobody has signed in. */
export async function visitor(browser, { blocked, ...options } = {}) {
	const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC", ...options });
	context.setDefaultTimeout(15000);
	const who = { context, faults: [], asked: [], links: new Map() };
	if (blocked) await block(context, blocked);
	context.on("page", (page) => watch(page, who));
	who.page = await context.newPage();
	return who;
}

function watch(page, who) {
	page.on("pageerror", (e) => who.faults.push(`${e.message} ${e.stack?.split("\n")[1] ?? ""}`));
	page.on("console", (m) => {
		if (m.type() === "error" && /content security policy|refused to/i.test(m.text())) who.faults.push(m.text());
	});
	const count = (n) => who.links.set(page, who.links.get(page) + n);
	who.links.set(page, 0);
	page.on("websocket", (ws) => {
		who.asked.push(new URL(ws.url()).pathname);
		count(1);
		ws.on("close", () => count(-1));
	});
	const lasts = (r) => new URL(r.url()).pathname === "/api/v1/events" && !r.url().includes("wait=0");
	page.on("request", (r) => {
		const { pathname } = new URL(r.url());
		if (pathname === "/api/v1/events") who.asked.push(r.headers().accept === "text/event-stream" ? "stream" : pathname);
		if (lasts(r)) count(1);
	});
	for (const end of ["requestfinished", "requestfailed"]) page.on(end, (r) => lasts(r) && count(-1));
}

/**
 * What does not come through: "refuse" a WebSocket, "mute" the same, but it seems to open; "streams" neither WebSockets nor event
 * streams, "swallow" the same, but nobody says so.
 */
export async function block(context, how) {
	await context.routeWebSocket(/\/api\/v1\/ws/, (ws) => {
		if (how !== "mute") return ws.close({ code: 3000 });
	});
	if (how === "refuse" || how === "mute") return;
	await context.route("**/api/v1/events*", (route) => {
		if (route.request().headers().accept !== "text/event-stream") return route.fallback();
		if (how === "streams") return route.fulfill({ status: 406, contentType: "text/plain", body: "" });
	});
}

/** Connections that the realtime processes have open, as the kernel sees them: sockets, streams and polls. */
export function servedStreams(stack) {
	const sockets = stack.names.filter((n) => n.startsWith("realtime")).map((n) => stack.socket(n));
	const CONNECTED = "03";
	return readFileSync("/proc/net/unix", "utf8")
		.split("\n")
		.map((line) => line.trim().split(/\s+/))
		.filter((f) => f[5] === CONNECTED && sockets.includes(f[7])).length;
}

/**
 * In a new context, signed in: by the provider's pages, but not in the browser, which takes its time for three of them (byHand: in it);
 * all their cookies are the context's.
 */
export async function person(stack, browser, login, { path = "/", byHand = false, ...options } = {}) {
	const who = await visitor(browser, options);
	who.login = login;
	if (byHand) {
		await signIn(stack, who.page, login, path);
		return who;
	}
	const { jar } = await signInByHttp(stack, login);
	await who.context.addCookies(jar.all().map(({ name, value, line }) => asBrowser(name, value, line)));
	await who.page.goto(stack.url + path);
	await ready(who.page);
	return who;
}

/** n more people, `p1` and on, in a channel. */
export const crowd = (stack, channel, n) =>
	stack.psql(`
		with u as (insert into users (handle, name) select 'p' || n, 'Person ' || n from generate_series(1, ${n}) n returning id)
		select members_insert(${channel}, array_agg(id), array_fill('member'::text, array[${n}]), false) from u`);

/** The end of a file, for after(): nobody's pages have met a fault, and nothing is left running. What before() did not come to is undefined. */
export async function ends(stack, browser, ...people) {
	try {
		for (const who of people) assert.deepEqual(who?.faults ?? [], []);
	} finally {
		await browser?.close();
		await stack?.stop();
	}
}

/** A Set-Cookie line of the site or the provider as a browser keeps it. */
function asBrowser(name, value, line) {
	const has = (attribute) => new RegExp(`;\\s*${attribute}`, "i").test(line);
	const path = /;\s*path=([^;]+)/i.exec(line)?.[1] ?? "/";
	return { name, value, domain: "127.0.0.1", path, httpOnly: has("httponly"), sameSite: has("samesite=strict") ? "Strict" : "Lax" };
}

/** Opens a page of the site as nobody, and comes back to it signed in. */
export async function signIn(stack, page, login, path = "/", button = "Continue with Google") {
	await page.goto(stack.url + path);
	await page.getByRole("link", { name: button }).click();
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
	await pickInBrowser(page, login);
	await page.waitForURL((url) => url.origin === stack.url && !url.pathname.startsWith("/sign-in"));
	await ready(page);
}

/** The shell is there, with or without a channel. */
export const ready = (page) => page.locator("nav.side").waitFor({ state: "attached" });

export const rung = (page) => page.evaluate(() => [document.documentElement.dataset.connection, document.documentElement.dataset.rung].join(" "));

const RUNGS = ["ws", "sse", "poll", "plain"]; // from the best on
const GIVE_UP = 60000; // ms, which FIRST_PROBE of htdocs/src/net/ladder.ts and the life of what it tries fit into

/**
 * Waits for a page to be live, for the tests that begin there: these times are when we give up, and nothing is promised by them. How soon a
 * page takes which rung is timed in tests/web/chat.test.mjs and tests/proxies. Where a busy machine was not in time for the rung that is
 * wanted, the page took the next one, and tries again in half a minute.
 */
export async function live(page, want = "ws", ms = 20000) {
	let last;
	const same = async () => (last = await rung(page)) === `live ${want}`;
	const below = () => RUNGS.some((r, i) => last === `live ${r}` && i > RUNGS.indexOf(want));
	const options = { ms, what: `a live link by ${want}` };
	await until(same, options)
		.catch((e) => (below() ? until(same, { ...options, ms: GIVE_UP }) : Promise.reject(e)))
		.catch((e) => {
			throw new Error(`${e.message}; it is "${last}"`);
		});
}

export async function say(page, text) {
	const box = page.locator("#composer");
	await box.fill(text);
	await box.press("Enter");
}

/** Waits until the answer to a question is that; fails with what it was last. */
export async function becomes(ask, want, what) {
	let last;
	const same = async () => isDeepStrictEqual((last = await ask()), want);
	await until(same, { ms: 15000, what: what ?? `${ask}` }).catch((e) => {
		assert.deepEqual(last, want, what);
		throw e;
	});
}

/**
 * A key is pressed in one's composer, and another's page comes to show something (a function in the page says so): the ms between the key
 * and the picture, each by the clock of its own page, which is the machine's. What we hear of both comes when the machine has time for us.
 */
export async function crosses(from, key, to, shows, arg) {
	await from.page.evaluate((key) => {
		window.pressed = null;
		addEventListener("keydown", (e) => e.key === key && (window.pressed ??= Date.now()), { capture: true, once: true });
	}, key);
	const wait = (shows, arg) =>
		new Promise((ok, fail) => {
			const late = setTimeout(() => fail(new Error(`it is not there: ${shows} of ${arg}`)), 15000);
			const look = () => {
				if (!shows(arg)) return;
				watch.disconnect();
				clearTimeout(late);
				requestAnimationFrame(() => ok(Date.now()));
			};
			const watch = new MutationObserver(look);
			watch.observe(document.body, { subtree: true, childList: true, characterData: true });
			look();
		});
	const shown = to.page.evaluate(`(${wait})(${shows}, ${JSON.stringify(arg ?? null)})`);
	const [at] = await Promise.all([shown, from.page.locator("#composer").press(key)]);
	return at - (await from.page.evaluate(() => window.pressed));
}

/** One says it, the other sees it: the ms between. */
export async function tells(from, to, text) {
	await from.page.locator("#composer").fill(text);
	return crosses(from, "Enter", to, (text) => [...document.querySelectorAll(".msg[data-seq] .msg-text")].some((e) => e.textContent === text), text);
}

/**
 * Holds that what act answers, in ms by the pages' own clocks, is less than limit. Meanwhile these pages ask the site again and again for what
 * it answers at once, and wait for their next picture: the longest of that is what the machine was late by at that moment, and nothing else is
 * allowed for (as tests/support/lag.mjs).
 */
export async function inTime(limit, pages, act, what) {
	const begin = () => {
		const pace = (window.pace = { lag: 0, over: false });
		const ask = async () => {
			const began = performance.now();
			await (await fetch("/api/v1/me", { headers: { "PulseChat-Client": "test" } })).json();
			await new Promise(requestAnimationFrame);
			pace.lag = Math.max(pace.lag, Math.round(performance.now() - began));
		};
		pace.done = (async () => {
			for (await ask(); !pace.over; await ask()) await new Promise((ok) => setTimeout(ok, 50));
		})();
	};
	const end = async () => {
		window.pace.over = true;
		await window.pace.done;
		return window.pace.lag;
	};
	await Promise.all(pages.map((page) => page.evaluate(begin)));
	const each = await act();
	const lag = Math.max(...(await Promise.all(pages.map((page) => page.evaluate(end)))));
	const ms = Math.max(...[each].flat());
	assert.ok(ms < limit + lag, `${what}: ${each} ms, where ${limit} are promised and a page's question took ${lag} ms at the same time`);
	return each;
}

/** Waits until a stored message with this text is on the screen. */
export const seen = (page, text, timeout = 15000) =>
	page
		.waitForFunction(
			(text) => [...document.querySelectorAll(".msg[data-seq] .msg-text")].some((e) => e.textContent === text),
			text,
			{ timeout, polling: 20 },
		)
		.catch(async (e) => {
			throw new Error(`"${text}" is not on the screen: ${await page.evaluate(instead).catch((e) => e.message)}`, { cause: e });
		});

/** What there is, in the page: how it is connected, where its list stands, which messages are drawn. */
const instead = () => {
	const { connection, rung } = document.documentElement.dataset;
	const lists = [...document.querySelectorAll(".list")].map((l) => `${l.scrollTop} + ${l.clientHeight} of ${l.scrollHeight} px`);
	const seqs = [...document.querySelectorAll(".msg[data-seq]")].map((m) => m.dataset.seq);
	return `${connection} by ${rung}; at ${lists}; ${seqs.length} drawn, ${seqs[0]} to ${seqs.at(-1)}; ${document.querySelector(".jump")?.textContent}`;
};

/** The stored messages that are drawn now: [{seq, text}]. */
export const drawn = (page) =>
	page.evaluate(() =>
		[...document.querySelectorAll(".msg[data-seq]")].map((e) => ({
			seq: Number(e.dataset.seq),
			text: e.querySelector(".msg-text")?.textContent ?? "",
		})),
	);

/** All that the list can show, from the first message to the last, as one who scrolls from end to end sees it. */
export async function everything(page) {
	await until(
		() =>
			page.evaluate(() => {
				document.querySelector(".list").scrollTop = 0;
				return document.querySelector(".start") !== null;
			}),
		{ ms: 30000, what: "the start of the channel" },
	);
	const found = new Map();
	for (let end = false; !end; ) {
		for (const m of await drawn(page)) {
			if (found.has(m.seq) && found.get(m.seq) !== m.text) throw new Error(`message ${m.seq} has two texts`);
			found.set(m.seq, m.text);
		}
		end = await page.evaluate(async () => {
			const list = document.querySelector(".list");
			const before = list.scrollTop;
			list.scrollTop += list.clientHeight / 2;
			await new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(ok)));
			return list.scrollTop <= before;
		});
	}
	for (const m of await drawn(page)) found.set(m.seq, m.text);
	return [...found].sort((a, b) => a[0] - b[0]).map(([seq, text]) => ({ seq, text }));
}

/** A request by the page itself: its cookie, its origin. */
export const ask = (page, path, init) =>
	page.evaluate(
		async ([path, init]) => {
			const res = await fetch(path, { ...init, headers: { "PulseChat-Client": "test", ...init?.headers } });
			return res.json();
		},
		[path, init],
	);

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * The themes in which a test that goes through many screens looks at the next one: one after the other in turns, and both with SIZES=all
 * (make check-long). Little but the contrast of colours differs between them.
 */
let turn = 0;
export const themes = () => (process.env.SIZES === "all" ? ["light", "dark"] : [["light", "dark"][turn++ % 2]]);

/** In the page: what is used by hand and does not lie within the screen and what holds it, from side to side. */
function cutOff() {
	const bad = [];
	for (const e of document.querySelectorAll("button, input, select, textarea, a[href], summary, label")) {
		const r = e.getBoundingClientRect();
		if (r.width <= 1 || r.height <= 1 || e.closest("[inert]") || !e.checkVisibility({ visibilityProperty: true })) continue;
		// What is fixed lies on the screen, whatever it stands in.
		const holds = (box) => (getComputedStyle(box).position === "fixed" ? document.documentElement : box.parentElement);
		for (let box = holds(e); box; box = holds(box)) {
			const screen = box === document.documentElement;
			const { overflowX } = getComputedStyle(box);
			if (!screen && overflowX === "visible") continue;
			if (/auto|scroll/.test(overflowX) && box.scrollHeight <= box.clientHeight + 1) break; // a row that is meant to be moved
			const b = screen ? { left: 0, right: innerWidth } : box.getBoundingClientRect();
			if (r.left >= b.left - 1 && r.right <= b.right + 1) continue;
			const where = `from ${r.left | 0} to ${r.right | 0}, in ${box.tagName} ${box.className} to ${b.right | 0}`;
			bad.push(`cut off: ${e.outerHTML.slice(0, 120)} ${where}`);
			break;
		}
	}
	return bad.slice(0, 3);
}

/** What axe finds on the page as it is, and what is cut off at its sides, as lines. */
export async function axe(page) {
	if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
	// Colours on their way from one theme to the other are not what anyone reads.
	await page.evaluate(async () => {
		const frame = () => new Promise((ok) => requestAnimationFrame(ok));
		const moving = (a) => a.playState === "running" && Number.isFinite(a.effect?.getComputedTiming().endTime);
		do {
			await frame();
			await frame();
		} while (document.getAnimations().some(moving));
	});
	const found = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ["violations"] }), RULES);
	if (!found.violations) throw new Error("axe did not run");
	const against = found.violations.flatMap((v) =>
		v.nodes.slice(0, 3).map((n) => `${v.id}: ${v.help}: ${n.html.slice(0, 160)} ${n.failureSummary?.split("\n")[1]?.trim() ?? ""}`),
	);
	return [...against, ...(await page.evaluate(cutOff))];
}

/** The same in these themes, each line with where. */
export async function faultsIn(page, where, schemes = themes()) {
	const found = [];
	for (const colorScheme of schemes) {
		await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
		for (const line of await axe(page)) found.push(`${where}, ${colorScheme}: ${line}`);
	}
	return found;
}

/** There is none of it; with sizes: on screens of those. */
export async function cleanIn(page, { where = "", schemes, sizes } = {}) {
	const before = page.viewportSize();
	for (const size of sizes ?? [before]) {
		if (sizes) await page.setViewportSize(size);
		assert.deepEqual(await faultsIn(page, `${where} ${size.width}`, schemes), []);
	}
	if (sizes) await page.setViewportSize(before);
}
