// help: browsers and streams behind a proxy (tests/support/proxies.mjs).
//
//   const her = await through(middle, browser, web, "/c/1");    // a visitor of ../web/help.mjs, signed in as `web` is (http.mjs)
//   await link(her.page)    {link: [{is: "live ws", at}], sockets: [at], now}: what her link was when, when she opened sockets;
//                           ms of the page's clock, since it was loaded
//   await stream(middle, who, { cursor, enough: (text) => bool, ms })   server-sent events, see there
//   await chat(site, row)   alice chats through row.middle with bob: all that TR-2 asks for

import assert from "node:assert/strict";
import { allMessages, makeChannel, ok, send } from "../api/help.mjs";
import { exactly } from "../realtime/help.mjs";
import { ask } from "../support/proxies.mjs";
import { until } from "../support/until.mjs";
import { everything, live, say, seen, visitor } from "../web/help.mjs";

const LIVE = 10000; // ms from the first attempt to a link that works: the promise
const CALM = 6000; // ms in which a client that goes back "every few seconds" would have done so

/** Runs in the page, before its own scripts. */
const watch = () => {
	const kept = { link: [], sockets: [] };
	window.pulsechatLink = kept;
	const note = () => {
		const { connection, rung } = document.documentElement.dataset;
		const now = rung ? `${connection} ${rung}` : connection;
		if (connection && kept.link.at(-1)?.is !== now) kept.link.push({ is: now, at: performance.now() });
	};
	new MutationObserver(note).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-connection", "data-rung"] });
	window.WebSocket = class extends WebSocket {
		constructor(...args) {
			kept.sockets.push(performance.now());
			super(...args);
		}
	};
};

export async function through(middle, browser, web, path) {
	const { stack } = middle;
	const who = await visitor(browser, { proxy: middle.browser });
	await who.context.addInitScript(watch);
	await who.context.addCookies(web.jar.all().map(({ name, value }) => ({ name, value, url: stack.url, httpOnly: true, sameSite: "Lax" })));
	await who.page.goto(stack.url + path);
	return who;
}

export const link = (page) => page.evaluate(() => ({ ...window.pulsechatLink, now: performance.now() }));

/**
 * Asks for server-sent events until `enough` of the text so far, the end, or for `ms`: {status, text, ms, ended}. A server or a proxy
 * that has no streams answers something else: then there is no status.
 */
export async function stream(middle, who, { cursor, enough = () => true, ms = 4000 } = {}) {
	const stop = new AbortController();
	const timer = setTimeout(() => stop.abort(), ms);
	const got = { text: "", ended: false };
	const query = new URLSearchParams(cursor && { cursor });
	const headers = { ...who.credentials, accept: "text/event-stream" };
	const began = performance.now();
	try {
		const onData = (text, res) => {
			if (res.headers["content-type"]?.startsWith("text/event-stream")) got.status = res.statusCode;
			got.text = text;
			if (enough(text)) stop.abort();
		};
		await ask(middle, `/api/v1/events?${query}`, { headers, signal: stop.signal, onData });
		got.ended = true;
	} catch (e) {
		if (!stop.signal.aborted) throw e;
	} finally {
		clearTimeout(timer);
	}
	got.ms = Math.round(performance.now() - began);
	return got;
}

/**
 * site: {stack, browser, alice, bob (bots), web (alice's session), bobsWs}. row: {name, middle; rung: what her client ends on;
 * tries: sockets that it opens until then; within: ms; seen: gets rung and ms}.
 */
export async function chat({ stack, browser, alice, bob, web, bobsWs }, { name, middle, rung, tries = 1, within = LIVE, seen: figures = {} }) {
	const shaken = middle.hostile?.handshakes.length;
	const room = (await makeChannel(alice, { name, kind: "private", members: [bob.id] })).id;
	const her = await through(middle, browser, web, `/c/${room}`);
	const { page, context } = her;

	const said = { alice: [], bob: [] }, shown = [];
	/** On her screen in time, whichever rung brings it: so she is live all the while. */
	const arrives = async (text) => {
		const sent = performance.now();
		await seen(page, text, LIVE);
		return performance.now() - sent;
	};
	const talk = async (n) => {
		for (let i = 0; i < n; i++) {
			const who = i % 2 ? "bob" : "alice";
			const text = `${who} ${said[who].length}`;
			said[who].push(text);
			if (who === "alice") await say(page, text);
			else {
				ok(await send(bob, room, text), 201);
				shown.push(arrives(text));
				shown.at(-1).catch(() => {}); // it is waited for below
			}
			await new Promise((done) => setTimeout(done, 200)); // they type fast
		}
	};
	await talk(14); // while her client looks for a way
	await live(page, rung, 2 * within);
	await talk(6);

	const way = await link(page);
	const began = way.sockets[0];
	const lived = way.link.findLast((l) => l.is === `live ${rung}`).at;
	figures.rung = rung;
	figures.ms = Math.round(lived - began);
	const last = Math.max(...(await Promise.all(shown)));
	const ways = way.link.map((l) => l.is).join(", ");
	console.log(`${name}: ${rung} in ${figures.ms} ms (${ways}); each of bob's messages on her screen within ${Math.round(last)} ms`);
	assert.ok(figures.ms < within, `live after ${figures.ms} ms: ${JSON.stringify(way)}`);
	for (const who of ["alice", "bob"]) await seen(page, said[who].at(-1));
	await exactly(bobsWs, room, 1, 20);

	// She stays there, while messages come.
	for (let now = 0; now - lived < CALM; now = (await link(page)).now) {
		const text = `bob ${said.bob.length}`;
		said.bob.push(text);
		ok(await send(bob, room, text), 201);
		await seen(page, text);
		await new Promise((done) => setTimeout(done, 1000));
	}
	const later = await link(page);
	const early = (at) => at < lived + CALM;
	assert.equal(later.sockets.filter(early).length, tries, `sockets tried at ${later.sockets}`);
	assert.deepEqual(later.link.filter((l) => early(l.at)), way.link, "she stays on the rung that she found");
	// The proxy's own count says the same.
	const counted = async () => middle.hostile.handshakes.length - shaken === (await link(page)).sockets.length;
	if (middle.hostile) await until(counted, { what: "all handshakes seen by the proxy" });

	const stored = (await allMessages(alice, room)).map((m) => ({ seq: m.seq, text: m.body.text }));
	assert.deepEqual(stored.filter((m) => m.text.startsWith("alice")).map((m) => m.text), said.alice);
	assert.deepEqual(stored.filter((m) => m.text.startsWith("bob")).map((m) => m.text), said.bob);
	assert.deepEqual(await everything(page), stored);
	await exactly(bobsWs, room, 1, stored.length);

	// What was learnt outlives the page.
	await page.reload();
	await live(page, rung, within).catch(async (e) => {
		throw new Error(`after a reload: ${e.message}: ${JSON.stringify(await link(page))}`);
	});
	const again = await link(page);
	assert.deepEqual(again.link.filter((l) => l.is.startsWith("live")).map((l) => l.is), [`live ${rung}`], "straight to the rung that worked");
	assert.equal(again.sockets.filter((at) => at < CALM).length, rung === "ws" ? 1 : 0, "sockets after a reload");
	ok(await send(bob, room, "welcome back"), 201);
	await seen(page, "welcome back");
	assert.deepEqual(her.faults, []);
	await context.close();
}
