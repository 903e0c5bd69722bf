// sse: a client of server-sent events for tests, by the letter of the HTML standard (9.2.6), and strict: what a browser would
// quietly pass over is an error here.
//
//   const s = await openSse(alice, { cursor, lastEventId, instance, via, query });   // resolves after hello
//   s is a Feed (realtime.mjs): next(), some(), lines, events, cursor; s.hello; s.lastEventId, s.retry: as a browser keeps them
//   s.head: {status, headers}; s.pause(), s.resume(): stop reading, go on; s.terminate(); await s.closed   // {code, reason} of `bye`; fails by what is broken
//   take(line): where lines go instead of the Feed, which then holds `hello` and `bye` alone

import { request } from "node:http";
import { randomUUID } from "node:crypto";
import { StringDecoder } from "node:string_decoder";
import { Feed } from "./realtime.mjs";

const query = (o) => new URLSearchParams(Object.entries(o).filter(([, v]) => v !== undefined && v !== null)).toString();

/** Takes text in pieces; calls event({data, id}) and retry(ms). */
export class EventStream {
	#rest = "";
	#data = null;
	#id = null;

	constructor(event, retry) {
		this.event = event;
		this.retry = retry;
	}

	add(text) {
		this.#rest += text;
		for (let at; (at = this.#rest.indexOf("\n")) >= 0; ) {
			this.#line(this.#rest.slice(0, at));
			this.#rest = this.#rest.slice(at + 1);
		}
	}

	/** Whether it ended between two events. */
	get whole() {
		return this.#rest === "" && this.#data === null && this.#id === null;
	}

	#line(line) {
		if (line.includes("\r")) throw new Error(`a carriage return in an event stream: ${JSON.stringify(line)}`);
		if (line === "") {
			if (this.#id !== null && this.#data === null) throw new Error("an id without data: no event for a browser");
			if (this.#data !== null) this.event({ data: this.#data, id: this.#id });
			this.#data = this.#id = null;
			return;
		}
		const [, name, value] = /^(id|data|retry): (.+)$/.exec(line) ?? [];
		if (name === "id" && this.#id === null && this.#data === null) this.#id = value;
		else if (name === "data" && this.#data === null) this.#data = value;
		else if (name === "retry" && /^\d+$/.test(value)) this.retry(Number(value));
		else throw new Error(`not what we write into an event stream: ${JSON.stringify(line)}`);
	}
}

export async function openSse(who, options = {}) {
	const { cursor, lastEventId, instance = randomUUID(), via, past, headers = {}, hello = true, ms, query: more = {}, take } = options;
	const { stack } = who;
	const feed = new Feed();
	const all = {
		host: stack.host,
		accept: "text/event-stream",
		...who.credentials,
		"pulsechat-client": "test",
		...(lastEventId !== undefined && { "last-event-id": lastEventId }),
		...headers,
	};
	for (const k of Object.keys(all)) if (all[k] === null || all[k] === undefined) delete all[k];
	const path = `/api/v1/events?${query({ instance, cursor, ...more })}`;
	const front = via && !past && stack.fronts?.get(via);
	const where = via && !front ? { socketPath: stack.socket(via) } : { host: "127.0.0.1", port: front?.port ?? stack.port };
	let res, bye;
	feed.instance = instance;
	feed.onLine = options.onLine;
	feed.chunks = 0;
	const stream = new EventStream(
		({ data, id }) => {
			const line = JSON.parse(data);
			const bears = line.cursor === undefined ? null : line.cursor;
			if (id !== bears) throw new Error(`id ${id} on a line with cursor ${bears}: ${data}`);
			if (id !== null) feed.lastEventId = id;
			if (line.type === "bye") bye = line;
			if (take && line.type !== "hello" && line.type !== "bye") take(line);
			else feed.add(line);
		},
		(n) => (feed.retry = n),
	);
	let ok, no;
	feed.closed = new Promise((...settle) => ([ok, no] = settle)); // fails where what came was broken
	const end = (how) => {
		feed.fail(new Error(`the event stream ended: ${how}`));
		if (feed.broken) no(feed.broken);
		else ok({ code: bye?.code, reason: bye?.reason, whole: stream.whole });
	};
	const utf8 = new StringDecoder("utf8");
	const req = request({ ...where, path, headers: all, agent: false });
	feed.pause = () => res.pause();
	feed.resume = () => res.resume();
	feed.terminate = () => req.destroy();
	feed.close = () => {
		req.destroy();
		return feed.closed;
	};
	const answered = new Promise((ok, no) => {
		const late = setTimeout(() => req.destroy(new Error(`no answer to GET ${path} within 60 s`)), 60000);
		req.on("close", () => clearTimeout(late));
		req.on("error", (e) => {
			end(e.message);
			no(e);
		});
		req.on("response", (r) => {
			res = r;
			clearTimeout(late);
			feed.head = { status: r.statusCode, headers: r.headers };
			const isStream = r.statusCode === 200 && r.headers["content-type"] === "text/event-stream";
			let text = "";
			r.on("data", (d) => {
				if (!isStream) {
					text += d;
					return;
				}
				feed.chunks++;
				try {
					stream.add(utf8.write(d));
				} catch (e) {
					feed.broken = e;
					feed.fail(e);
					req.destroy();
				}
			});
			r.on("error", () => {});
			r.on("close", () => {
				if (isStream) end(bye ? `bye ${bye.code}` : "no bye");
				else
					no(
						Object.assign(new Error(`answered ${r.statusCode} ${text}`), {
							status: r.statusCode,
							headers: r.headers,
							problem: text.startsWith("{") ? JSON.parse(text) : undefined,
						}),
					);
			});
			if (isStream) ok();
		});
	});
	answered.catch(() => {});
	req.end();
	if (hello) feed.hello = await Promise.race([feed.next("hello", ms), answered.then(() => new Promise(() => {}))]);
	else await answered;
	return feed;
}
