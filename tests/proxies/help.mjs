// help: browsers and streams behind a proxy (tests/support/proxies.mjs).
//
//   const her = await through(middle, browser, web, "/c/1");    // a visitor of ../web/help.mjs, signed in as `web` is (http.mjs)
//   await link(her.page)    {link: [{is: "live ws", at}], sockets: [at], now}: what her link was when, when she opened sockets;
//                           ms of the page's clock, since it was loaded
//   await stream(middle, who, { cursor, enough: (text) => bool, ms })   server-sent events, see there

import { ask } from "../support/proxies.mjs";
import { visitor } from "../web/help.mjs";

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
	const query = new URLSearchParams({ wait: 0, ...(cursor && { cursor }) });
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
