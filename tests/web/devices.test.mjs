// Five people with three devices each, on two realtime processes, of which one dies: all fifteen screens agree all the time. Who is
// there, what is unread and who has read it is taken from the accessible names, as one who does not see the marks is told. Every
// page keeps a record of its own of each change that it shows, so nothing is missed between two looks at it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import { client, exchange, signIn } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { PEOPLE } from "../devidp/people.mjs";
import { allMessages, makeChannel, ok } from "../api/help.mjs";
import { drawn, inTime, launch, live, rung, say, seen, visitor } from "./help.mjs";

// A third of the real times, of which lease and grace make 75 s.
const LEASE = 15000;
const GRACE = 10000;
const conf = { presence: { lease: `${LEASE}ms`, renew: "5s", grace: `${GRACE}ms` } };
const READ_WITHIN = 1000; // ms, from one device to the others of the same person

const LOGINS = ["alice", "bob", "carol", "dave", "erin"];
const NAMES = Object.fromEntries(PEOPLE.map((p) => [p.login, p.claims.name]));
const DEVICES = 3;
const SLOW = { ms: 60000, every: 250 }; // to come about at all, on a busy machine

let stack, browser, api, room, dm;
const devices = []; // of all people: {login, n, page, context, faults, socket}
before(async () => {
	stack = await startStack({ realtime: 2, supervise: false, conf });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	const ids = Object.fromEntries(ok(await api.get("/api/v1/users?limit=100")).users.map((u) => [u.handle, u.id]));
	room = await makeChannel(api, { name: "room", members: LOGINS.slice(1).map((l) => ids[l]) });
	dm = ok(await api.post("/api/v1/channels", { kind: "direct", members: [ids.bob] }), 201);
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

// --- devices

/** A browser profile of its own, with a session of its own, in the room with its members beside it, live by a WebSocket. */
async function device(login, n) {
	const session = await signIn(stack, login);
	const d = Object.assign(await visitor(browser, { reducedMotion: "reduce" }), { login, n, socket: null });
	await d.context.addCookies(session.jar.all().map(({ name, value }) => ({ name, value, url: stack.url })));
	d.page.on("websocket", (ws) => (d.socket = ws));
	await d.page.goto(`${stack.url}/c/${room.id}/members`);
	await live(d.page, "ws", SLOW.ms);
	await look(d, false);
	return d;
}
const of = (login) => devices.filter((d) => d.login === login);
const each = (f, some = devices) => Promise.all(some.map(f));

/** In the page: from now on window.changes has each change of how a person is shown and of what a channel's badge says. */
function record() {
	window.changes = [];
	const last = new Map();
	const note = (what, of, is) => {
		if (last.get(what + of) === is) return;
		last.set(what + of, is);
		window.changes.push({ at: Date.now(), what, of, is });
	};
	const text = (el, selector) => el.querySelector(selector)?.textContent ?? "";
	const scan = () => {
		for (const el of document.querySelectorAll(".person, .entry")) {
			const name = text(el, ".person-name, .entry-name");
			const mark = el.querySelector(".dot");
			if (mark) note("presence", name, `${mark.dataset.shown} ${text(el, ".face .sr-only")}`);
			if (el.matches(".entry")) note("badge", el.getAttribute("href"), text(el, ".badge .sr-only"));
		}
	};
	scan();
	new MutationObserver(scan).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}
const changes = (d) => d.page.evaluate(() => window.changes);

/** Whether somebody sits before it: only then what is on the screen is read. */
const look = (d, focused) =>
	d.page.evaluate((focused) => {
		document.hasFocus = () => focused;
		if (focused) dispatchEvent(new Event("focus"));
	}, focused);

/** Connections that a process says it has. */
const held = async (name) => JSON.parse((await exchange(`${stack.url}/healthz`, { socketPath: stack.socket(name) })).text).connections;

// --- what is so, and what is seen of it

const said = []; // in the room: {by, named}
const marker = Object.fromEntries(LOGINS.map((l) => [l, 0]));
const peers = { alice: "bob", bob: "alice" };
const unreadDm = { alice: 0, bob: 0 };
const online = new Set(LOGINS);
let writes = null;

async function says(d, text, named) {
	await say(d.page, text);
	said.push({ by: d.login, named });
}
const unread = (login) => said.filter((m, i) => i >= marker[login] && m.by !== login);

/** The screen as it should be. */
function expected(login) {
	const news = unread(login);
	const mentions = news.filter((m) => m.named === login).length;
	const badge = news.length === 0 ? "" : `${news.length} unread${mentions ? `, ${mentions} mention of you` : ""}`;
	const faces = {};
	for (const other of LOGINS)
		if (other !== login && marker[other] > 0 && said[marker[other] - 1].by !== other) (faces[marker[other]] ??= []).push(NAMES[other]);
	const shown = (l) => (online.has(l) ? "Online" : "Offline");
	return {
		people: Object.fromEntries(LOGINS.map((l) => [NAMES[l], shown(l)])),
		room: badge,
		direct: login in peers ? `(${shown(peers[login])}) ${NAMES[peers[login]]}${unreadDm[login] ? ` ${unreadDm[login]} unread` : ""}` : "",
		messages: said.map((_, i) => i + 1), // each once
		faces,
		typing: writes && writes !== login ? `${NAMES[writes]} is typing` : "",
	};
}

/** The screen as it is. */
async function screen({ page }) {
	const named = async (where, role) => [...(await page.locator(where).ariaSnapshot()).matchAll(new RegExp(`- ${role} "(.*?)"`, "g"))].map((m) => m[1]);
	const [people, entries, rest] = await Promise.all([
		named(".panel .people", "button"),
		named(".side-scroll", "link"),
		page.evaluate(() => ({
			faces: [...document.querySelectorAll(".msg[data-seq]")].flatMap((m) => {
				const text = m.querySelector(".faces .sr-only")?.textContent;
				return text ? [[m.dataset.seq, text]] : [];
			}),
			messages: [...document.querySelectorAll(".msg")].map((m) => Number(m.dataset.seq)), // those on their way have none
			typing: document.querySelector(".typing-text")?.textContent ?? "",
		})),
	]);
	const persons = people.filter((text) => !text.startsWith("Moderate "));
	const plain = (text) => text.replace(/[\u2066-\u2069]/g, "");
	return {
		people: Object.fromEntries(persons.map((text) => /^\((.*?)\) (.*?) @/.exec(plain(text))?.slice(1).reverse() ?? [text, null])),
		room: entries.find((e) => e.startsWith("room"))?.slice("room".length).trim(),
		direct: entries.filter((e) => !/^(room|Threads|Saved messages)/.test(e)).join(),
		messages: rest.messages,
		faces: Object.fromEntries(rest.faces.map(([seq, text]) => [seq, plain(text).replace("Read up to here by ", "").split(", ").sort()])),
		typing: plain(rest.typing),
	};
}

/** All screens come to show what is so. */
const agree = (what) =>
	each(async (d) => {
		let last;
		const same = async () => isDeepStrictEqual((last = await screen(d)), expected(d.login));
		await until(same, { ...SLOW, what }).catch((e) => {
			const not = inspect({ is: last, should: expected(d.login) }, { depth: 5, breakLength: 160 });
			throw new Error(`${what}: ${d.login}'s device ${d.n}: ${not} (${e.message})`);
		});
	});

/** Somebody looks at what is new on this device: his badge for it goes there, and on his other devices within a second of that. */
async function reads(d, channel) {
	const badge = `/c/${channel.id}`;
	const from = Date.now(), all = [d, ...of(d.login).filter((o) => o !== d)];
	const clears = async () => {
		await look(d, true);
		const cleared = await each(async (other) => {
			let at;
			const gone = (c) => c.at >= from && c.what === "badge" && c.of === badge && c.is === "";
			await until(async () => (at = (await changes(other)).find(gone)?.at), { ...SLOW, what: `${d.login}'s badge to go on ${other.n}` });
			return at;
		}, all);
		return cleared.slice(1).map((at) => at - cleared[0]);
	};
	const took = await inTime(READ_WITHIN, all.map((o) => o.page), clears, `${d.login}'s other devices, after the one that he reads on`);
	await look(d, false);
	if (channel === room) marker[d.login] = said.length;
	else unreadDm[d.login] = 0;
	return took;
}

const back = (d) => d.page.goBack();
const open = (d, channel) => d.page.locator(`.entry[href="/c/${channel.id}"]`).click();

test("five people with three devices each on two processes, one of which dies: all screens agree, within the times", { timeout: 300000 }, async (t) => {
	// In this order, since the web server gives each new connection to the process that has fewer: so two people are by one process
	// alone, and two by the other one.
	const pairs = [["alice", "bob"], ["carol", "dave"], ["erin"]];
	for (const pair of pairs) for (let n = 1; n <= DEVICES; n++) for (const login of pair) devices.push(await device(login, n));
	const [one, two] = await until(async () => {
		const both = [await held("realtime1"), await held("realtime2")];
		return both[0] + both[1] === devices.length && both;
	}, { ...SLOW, what: "both processes together to have one connection for each page" });
	assert.ok(Math.min(one, two) >= 5, `${one} and ${two}`);
	await agree("all are there");
	await each((d) => d.page.evaluate(record));

	// Unread, a mention, a direct message.
	await says(of("carol")[1], "Look at this, @dave, and all of you", "dave");
	await open(of("alice")[2], dm);
	await say(of("alice")[2].page, "Just for you");
	await seen(of("alice")[2].page, "Just for you");
	unreadDm.bob++;
	await back(of("alice")[2]);
	await agree("unread, a mention, a direct message");
	const took = await reads(of("dave")[0], room);
	await agree("read by dave");

	// Who types, until the message comes.
	const box = of("bob")[1].page.locator("#composer");
	let over = false;
	const keys = (async () => {
		while (!over) await box.pressSequentially("ha", { delay: 150 });
	})();
	writes = "bob";
	await agree("bob types").finally(() => (over = true));
	await keys;
	writes = null;
	await says(of("bob")[1], await box.inputValue());
	await agree("bob has written");

	// One process dies, and stays dead.
	const nodes = () => stack.psql("SELECT count(*) FROM presence_nodes");
	assert.equal(await nodes(), "2");
	const sockets = devices.map((d) => d.socket);
	await stack.kill("realtime1", "SIGKILL");
	stack.forgive("realtime1");
	const lost = await until(() => {
		const found = devices.filter((_, i) => sockets[i].isClosed());
		return found.length >= one && found;
	}, { ...SLOW, what: "the pages that were on it to notice" });
	assert.equal(lost.length, one);
	const alone = LOGINS.filter((l) => of(l).every((d) => lost.includes(d)));
	assert.ok(alone.length > 0, "somebody had nothing but that process");
	const survivor = devices.find((d) => !lost.includes(d));
	await says(of(alone[0])[0], `It went away, @${survivor.login}, but not for you`, survivor.login);
	await until(async () => (await held("realtime2")) === devices.length, { ...SLOW, what: "all on the process that is left" });
	await each((d) => until(async () => (await rung(d.page)).startsWith("live"), { ...SLOW, what: "a live link" }));
	await agree("one process less");
	await says(survivor, "Are all back?");
	await agree("all are back");

	// Each reads on one device.
	await open(of("bob")[2], dm);
	took.push(...(await reads(of("bob")[2], dm)));
	await back(of("bob")[2]);
	for (const [i, login] of LOGINS.entries()) if (unread(login).length > 0) took.push(...(await reads(of(login)[i % DEVICES], room)));
	assert.ok(LOGINS.every((l) => unread(l).length === 0));
	await agree("all is read");

	// What the dead process said of its people has run out, and was judged.
	await until(async () => (await nodes()) === "1", { ...SLOW, what: "the dead process's lease to run out" });

	// One of three devices goes, which is nothing; then, of another person, all three.
	const goes = async (d) => {
		devices.splice(devices.indexOf(d), 1);
		await d.context.close();
		assert.deepEqual(d.faults, []);
	};
	await goes(of("dave")[2]);
	const left = Date.now();
	await each(goes, of("erin"));
	online.delete("erin");
	await agree("erin is gone");
	const offline = (c) => c.what === "presence" && /offline/i.test(c.is);
	let latest = 0;
	for (const d of devices) {
		// Of all that any page has shown since the beginning.
		const gone = (await changes(d)).filter(offline);
		assert.deepEqual(gone.map((c) => c.of), [NAMES.erin], `on ${d.login}'s device ${d.n}`);
		latest = Math.max(latest, gone[0].at - left);
	}
	assert.ok(latest <= LEASE + GRACE, `${latest} ms until erin was offline everywhere`);

	// Every message is everywhere, and once.
	await says(of("alice")[0], "Who is still here?");
	await agree("one more message");
	const stored = (await allMessages(api, room.id)).map((m) => m.seq);
	assert.equal(stored.length, said.length);
	const first = await drawn(devices[0].page);
	assert.deepEqual(first.map((m) => m.seq), stored);
	for (const d of devices) {
		assert.deepEqual(await drawn(d.page), first, `on ${d.login}'s device ${d.n}`);
		assert.deepEqual(d.faults, []);
	}
	t.diagnostic(`on the processes: ${one} and ${two}; wholly on the dead one: ${alone.join(", ")}`);
	t.diagnostic(`read on the other devices after ${took.join(", ")} ms; offline everywhere after ${latest} ms`);
});
