// The life of tabs: many in one profile, which share a connection where it is no WebSocket; tabs that are closed, crash or hang;
// pages that sleep, are frozen, or are left and come back to. Nobody misses a message, and nothing stays open that is not used.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { client, pickInBrowser } from "../support/http.mjs";
import { stateOf, watchPresence } from "../support/presence.mjs";
import { startStack, until } from "../support/stack.mjs";
import { allMessages, makeChannel, me, ok, send } from "../api/help.mjs";
import { WHOLE, ask, becomes, drawn, everything, inTime, launch, launchSleeper } from "./help.mjs";
import { live, person, ready, rung, say, seen, servedStreams, visitor } from "./help.mjs";

const BACK = 5000; // ms in which a page is live again, by TM-2
const GRACE = 60; // s in which who has gone may come back unseen

let stack, browser, whole, api, bob, watch, carol;
before(async () => {
	const presence = { grace: `${GRACE}s`, lease: "4s", renew: "1s" };
	// A poll that was left on one process, for another on the other, ends when its hold is over.
	const realtime = { ping_interval: "2s", pong_timeout: "2s", poll_hold: "5s", poll_hold_max: "5s" };
	stack = await startStack({ realtime: 2, conf: { realtime, presence } });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	bob = ok(await api.get("/api/v1/users?q=bob")).users[0];
	carol = client(stack, { token: await stack.token("carol", ["read"]) });
	carol.id = (await me(carol)).id;
	watch = await watchPresence(stack);
});
after(async () => {
	watch?.stop();
	await browser?.close();
	await whole?.close();
	await stack?.stop();
});

// Also of a test that failed: its tabs would be counted in the next one.
afterEach(() => Promise.all([browser, whole].flatMap((b) => b?.contexts() ?? []).map((c) => c.close())));

const BLOCKED = { ws: undefined, sse: "refuse", poll: "streams" };
const channel = async (name) => (await makeChannel(api, { name, members: [bob.id, carol.id] })).id;
const history = async (id) => (await allMessages(api, id)).map((m) => ({ seq: m.seq, text: m.body.text }));

async function another(who, path) {
	const page = await who.context.newPage();
	await page.goto(stack.url + path);
	return page;
}

/** From now on the page keeps the time when it is live and shows that: wasBack() answers it, by its clock, which is the machine's. */
const willBeBack = (page, text) =>
	page.evaluate((text) => {
		window.back = null;
		const look = () => {
			if (document.documentElement.dataset.connection !== "live") return;
			if ([...document.querySelectorAll(".msg[data-seq] .msg-text")].some((e) => e.textContent === text)) window.back ??= Date.now();
		};
		new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
	}, text);
/** Of a page that had to be loaded anew: now. */
const wasBack = async (page) => (await page.evaluate(() => window.back)) ?? Date.now();

/** Writes on, until told to end; then answers the last text. */
function chatter(id) {
	let over = false;
	const done = (async () => {
		for (let n = 0; ; n++) {
			const text = `${over ? "last" : "message"} ${n}`;
			await send(api, id, text);
			if (over) return text;
			await new Promise((ok) => setTimeout(ok, 50)); // as fast as people in a lively channel
		}
	})();
	return () => {
		over = true;
		return done;
	};
}

/** As carol sees him he is online, by input of his. Answers what others have been told of him since. */
async function online(page, user) {
	const input = async () => {
		await page.mouse.move(Math.random() * 200, 300);
		return (await stateOf(carol, user)) === "online";
	};
	await until(input, { ms: 20000, what: `${user} online by input` }).catch(async (e) => {
		throw new Error(`${e.message}; it is ${await stateOf(carol, user)}`);
	});
	const before = (await watch.told(user)).length;
	return async () => (await watch.told(user)).slice(before);
}

/** That he has gone is known, and that he may come back. What is left of that time is taken away. */
async function graceIsOver(user) {
	const lease = `presence_leases WHERE user_id = ${user}`;
	const left = async () => Number((await stack.psql(`SELECT max(extract(epoch FROM coalesce(expires_at, 'infinity') - now())) FROM ${lease}`)) || NaN);
	await until(async () => (await left()) <= GRACE, { ms: 60000, what: `the grace of ${user}` });
	await stack.psql(`UPDATE presence_leases SET expires_at = now() WHERE user_id = ${user}`);
}

/** Each page shows all there is, each message once and in its place. */
async function complete(id, pages) {
	const all = await history(id);
	await Promise.all(pages.map((p) => seen(p, all.at(-1).text)));
	// From end to end on one of them, and where the others stand, which is at the end.
	assert.deepEqual(await everything(pages[0]), all);
	for (const p of pages.slice(1)) {
		const shown = await drawn(p);
		assert.ok(shown.length >= Math.min(5, all.length));
		assert.deepEqual(shown, all.slice(-shown.length));
	}
}

/** A page of another profile, of nobody and so without a stream: with a pool of connections of its own. */
async function apart() {
	const { page } = await visitor(browser);
	await page.goto(`${stack.url}/sign-in`);
	await page.getByRole("link", { name: "Continue with Google" }).waitFor();
	return page;
}

for (const by of ["sse", "poll"])
	test(`TR-4 eight tabs of one profile by ${by}: REST answers at once, all show the message, and the server sees one connection`, async () => {
		const id = await channel(`eight-${by}`);
		const path = `/c/${id}`;
		const who = await person(stack, browser, "alice", { path, blocked: BLOCKED[by] });
		await live(who.page, by);
		let tabs = [who.page];
		while (tabs.length < 8) tabs.push(await another(who, path));
		await Promise.all(tabs.map((p) => live(p, by)));
		await until(() => servedStreams(stack) === 1, { what: "one connection at the server" });
		// Each call, one by one and six at once; the machine's own lag is that of a page that shares no connection with these.
		const calls = (n, atOnce) =>
			tabs[7].evaluate(
				async ([n, atOnce]) => {
					const each = [];
					const call = async () => {
						const began = performance.now();
						const res = await fetch("/api/v1/me", { headers: { "PulseChat-Client": "test" } });
						await res.json();
						each.push(Math.round(performance.now() - began));
					};
					for (let i = 0; i < n; i++) await Promise.all(Array.from({ length: atOnce }, call));
					return each;
				},
				[n, atOnce],
			);
		const judge = await apart();
		for (const atOnce of [1, 6]) await inTime(1000, [judge], () => calls(3, atOnce), `REST from the eighth tab, ${atOnce} at once`);
		await judge.context().close();
		const shown = Promise.all(tabs.map((p) => seen(p, "from the eighth")));
		await say(tabs[7], "from the eighth");
		await shown;
		if (by === "sse") assert.equal(servedStreams(stack), 1);
		else await until(() => servedStreams(stack) === 1, { what: "one poll at the server again" });
		assert.deepEqual(who.faults, []);

		// While messages come, the tab that has the connection is closed, and the next one crashes.
		const leads = () => {
			const open = tabs.filter((p) => who.links.get(p) > 0);
			return open.length === 1 ? open[0] : undefined;
		};
		const stop = chatter(id);
		for (const go of [(p) => p.close(), async (p) => void (await who.context.newCDPSession(p)).send("Page.crash").catch(() => {})]) {
			await until(leads, { what: "one tab with the connection" });
			const leader = leads();
			tabs = tabs.filter((p) => p !== leader);
			const gone = go(leader);
			await until(() => leads(), { what: "another tab with the connection" });
			await gone;
		}
		await stop();
		await complete(id, tabs);
		for (const p of tabs) await live(p, by);
		await until(() => servedStreams(stack) === 1, { ms: 30000, what: "one connection at the server in the end" });
	});

test("a tab that hangs with the connection: another takes it over, and it follows when it is back", async () => {
	const id = await channel("hangs");
	const path = `/c/${id}`;
	const who = await person(stack, browser, "alice", { path, blocked: "refuse" });
	await live(who.page, "sse");
	const second = await another(who, path);
	await live(second, "sse");
	assert.equal(who.links.get(who.page), 1);
	// It hangs until a message tells it, heard by the only means that there are in a loop.
	const hang = who.page.evaluate((id) => {
		for (;;) {
			const request = new XMLHttpRequest();
			request.open("GET", `/api/v1/channels/${id}/messages`, false);
			request.setRequestHeader("PulseChat-Client", "test");
			request.send();
			if (request.responseText.includes("enough")) return;
			for (const next = performance.now() + 100; performance.now() < next; ); // the servers need not work for it all the time
		}
	}, id);
	await send(api, id, "while it hangs");
	const third = await another(who, path);
	await live(third, "sse");
	await Promise.all([seen(second, "while it hangs"), seen(third, "while it hangs")]);
	await send(api, id, "enough");
	await hang;
	await send(api, id, "when it is back");
	await complete(id, [who.page, second, third]);
	await until(() => who.links.get(who.page) === 0, { what: "its old connection closed" });
	await becomes(() => who.links.get(second) + who.links.get(third), 1);
});

test("TM-2 a browser that sleeps: live within 5 s of waking, with all that came meanwhile, and one connection a tab", async () => {
	const id = await channel("sleeps");
	const path = `/c/${id}`;
	const sleeper = await launchSleeper();
	try {
		const a = await person(stack, sleeper.browser, "alice", { path });
		const b = await person(stack, sleeper.browser, "bob", { path, blocked: "refuse" });
		await live(a.page);
		await live(b.page, "sse");
		const pages = [a.page, b.page, await another(b, path)];
		await live(pages[2], "sse");
		await until(() => servedStreams(stack) === 2, { ms: 30000, what: "two connections" });
		const alice = ok(await api.get("/api/v1/me")).user.id;
		const told = [await online(a.page, alice), await online(b.page, bob.id)];
		for (const p of pages) await willBeBack(p, "in the night 29");
		sleeper.sleep();
		for (let n = 0; n < 30; n++) await send(api, id, `in the night ${n}`);
		await until(() => servedStreams(stack) === 1, { ms: 30000, what: "the server to give up the socket" });
		const woke = Date.now();
		sleeper.wake();
		await Promise.all(pages.map((p) => seen(p, "in the night 29")));
		await live(pages[0]);
		const took = (await Promise.all(pages.map(wasBack))).map((at) => at - woke);
		assert.ok(Math.max(...took) < BACK, `${took} ms`);
		await complete(id, pages);
		await until(() => servedStreams(stack) === 2, { ms: 30000, what: "two connections again" });
		for (const [i, user] of [alice, bob.id].entries()) {
			assert.equal(await stateOf(carol, user), "online");
			assert.deepEqual(await told[i](), [], "a nap is no event");
		}
	} finally {
		await sleeper.close();
	}
});

for (const by of ["ws", "sse", "poll"])
	test(`TM-2 frozen, on another network, left and come back to ten times by the back button, by ${by}`, async () => {
		const id = await channel(`life-${by}`);
		const path = `/c/${id}`;
		whole ??= await launch(WHOLE); // the shell has no back-forward cache
		const who = await person(stack, whole, "bob", { path, blocked: BLOCKED[by] });
		const { page } = who;
		await live(page, by);
		const told = await online(page, bob.id);
		const away = {
			frozen: async () => {
				// Playwright holds pages in view, where no browser freezes them. What we do about it is done when we are told.
				await page.evaluate(() => document.dispatchEvent(new Event("freeze")));
				await until(() => who.links.get(page) === 0, { what: "a frozen page without a connection" });
			},
			offline: () => who.context.setOffline(true),
			left: () => page.goto(`${stack.url}/api/v1/site`),
		};
		const back = {
			frozen: () => page.evaluate(() => document.dispatchEvent(new Event("resume"))),
			offline: () => who.context.setOffline(false),
			left: () => page.goBack({ waitUntil: "commit" }),
		};
		let n = 0;
		let kept = 0;
		const refused = [];
		const cdp = await who.context.newCDPSession(page);
		await cdp.send("Page.enable");
		cdp.on("Page.backForwardCacheNotUsed", ({ notRestoredExplanations: why }) =>
			refused.push(...why.filter((w) => w.type !== "Circumstantial").map((w) => w.reason)),
		);
		for (const how of ["frozen", "offline", ...Array(10).fill("left")]) {
			await page.evaluate(() => {
				window.persisted = false;
				addEventListener("pageshow", (e) => (window.persisted = e.persisted), { once: true });
			});
			await willBeBack(page, `${how} ${n + 3}`);
			await away[how]();
			await Promise.all(Array.from({ length: 3 }, () => send(api, id, `${how} ${n++}`)));
			await send(api, id, `${how} ${n}`);
			const began = Date.now();
			await back[how]();
			await seen(page, `${how} ${n++}`);
			await live(page, by);
			const took = (await wasBack(page)) - began;
			assert.ok(took < BACK, `${how}: ${took} ms`);
			if (how === "left") kept += await page.evaluate(() => window.persisted === true);
		}
		// It did come out of the back-forward cache (which may be cleared for lack of memory), and we gave no reason to refuse it.
		assert.deepEqual(refused, []);
		assert.ok(kept > 0);
		await ready(page);
		await complete(id, [page]);
		const last = (await history(id)).length;
		const mark = async () => (await ask(page, `/api/v1/channels/${id}`)).membership;
		await until(async () => (await mark()).last_read_seq === last && (await mark()).unread === 0, { what: "all read" });
		await becomes(() => page.locator(".entry", { hasText: `life-${by}` }).locator(".badge").count(), 0);
		await until(() => servedStreams(stack) === 1, { ms: 30000, what: "one connection at the server" });
		assert.deepEqual(who.faults, []);
		// PR-2: nothing of all this was an event to others; that he leaves for good is one, and that he comes back is one.
		assert.equal(await stateOf(carol, bob.id), "online");
		assert.deepEqual(await told(), []);
		await who.context.close();
		await graceIsOver(bob.id);
		await becomes(told, ["offline"]);
		assert.equal(await stateOf(carol, bob.id), "offline");
		const again = await person(stack, whole, "bob", { path, blocked: BLOCKED[by] });
		await live(again.page, by);
		await online(again.page, bob.id);
		await becomes(told, ["offline", "online"]);
	});

test("another person signs in in another tab of the profile: the first tab says that its session is over, and shows nothing of theirs", async () => {
	const [{ id }, secret] = [await makeChannel(api, { name: "for-both", members: [bob.id] }), await channel("not-for-carol")];
	const who = await person(stack, browser, "bob", { path: `/c/${secret}`, blocked: "refuse" });
	await live(who.page, "sse");
	await who.page.locator("#composer").fill("half a thought");
	const page = await who.context.newPage();
	await who.context.clearCookies({ name: /^devidp/ }); // else the provider takes them for bob
	await page.goto(`${stack.url}/auth/login?return_to=/`);
	await pickInBrowser(page, "alice");
	await page.waitForURL((url) => url.origin === stack.url && !url.pathname.startsWith("/sign-in"));
	await live(page, "sse");
	await who.page.getByText("Your session has ended").waitFor();
	assert.equal((await ask(page, "/api/v1/me")).user.handle, "alice");
	await page.goto(`${stack.url}/c/${id}`);
	await live(page, "sse");
	await send(api, id, "for alice");
	await seen(page, "for alice");
	await becomes(() => who.links.get(who.page), 0);
});
