// realtime: WebSocket and long-poll clients for tests. `who` is a client of http.mjs (alice, a bot) or {token}.
//
//   const ws = await openWs(alice, { instance, cursor, via: "realtime2" });   // resolves after hello; via goes past lighttpd
//   ws.hello, ws.lines (all lines so far), ws.events (logged ones), ws.cursor (the newest)
//   await ws.next((e) => e.type === "message" && e.seq === 7)    // a line that came or comes; each line is given once per call site:
//                                                               // the search starts after the line that the last next() returned
//   await ws.call({ op: "send", client_id, channel, body: { text } })   // adds a ref, resolves to its ack, error or pong
//   ws.send({ op: "ping" }); await ws.close(); await ws.closed          // {code, reason}
//   past: true with via goes past the web server even where a suite runs behind another one (servers.mjs)
//   const p = await poll(alice, { cursor, wait: 5, instance });          // {status, events, lines, cursor, headers}
//                                                               // via: "api1" speaks FastCGI to that process
//                                                               // focus: [channel], watch: [user], active: 1: as in the query
//   const follower = follow(alice, { cursor });                          // polls for ever: next(), lines, events, stop()
//                                                               // via: a list is gone through, poll by poll; focus, watch
//                                                               // every: ms between two of them, for plain polling (wait: 0)
//   const one = stay(alice, { via, cursor, rooms, polls: true })         // follows for ever, by WebSocket or by polls, over failures and
//                                                               // resets: messages(room), resets, check(room, n), stop()

import { randomUUID } from "node:crypto";
import WebSocket from "ws";
import { checkLine } from "./contract.mjs";
import { fcgiOpen } from "./fastcgi.mjs";
import { exchange } from "./http.mjs";

/** Lines as they come, each held against doc/openapi.json (contract.mjs). */
export class Feed {
	lines = [];
	#from = 0;
	#waiters = new Set();

	add(line) {
		checkLine(line);
		this.lines.push(line);
		this.onLine?.(line);
		for (const w of [...this.#waiters]) w();
	}

	fail(error) {
		this.failed = error;
		for (const w of [...this.#waiters]) w();
	}

	get events() {
		return this.lines.filter((l) => l.cursor !== undefined && !["hello", "heartbeat", "cursor", "reset"].includes(l.type));
	}

	get messages() {
		return this.lines.filter((l) => l.type === "message");
	}

	get cursor() {
		return this.lines.findLast((l) => l.cursor !== undefined)?.cursor;
	}

	/** The next line after the last one returned for which pred holds (a function, or a type). */
	next(pred = () => true, ms = 10000) {
		const fits = typeof pred === "string" ? (l) => l.type === pred : pred;
		return new Promise((ok, no) => {
			const look = () => {
				const at = this.lines.findIndex((l, i) => i >= this.#from && fits(l));
				if (at >= 0) {
					this.#from = at + 1;
					end();
					ok(this.lines[at]);
				} else if (this.failed) {
					end();
					no(this.failed);
				}
			};
			const timer = setTimeout(() => {
				end();
				const last = this.lines.slice(-5).map((l) => JSON.stringify(l).slice(0, 200));
				no(new Error(`no line for ${pred} within ${ms} ms; of ${this.lines.length} the last are:\n${last.join("\n")}`));
			}, ms);
			const end = () => {
				clearTimeout(timer);
				this.#waiters.delete(look);
			};
			this.#waiters.add(look);
			look();
		});
	}

	/** Any line so far or to come, without moving on. */
	async some(pred, ms = 10000) {
		const keep = this.#from;
		this.#from = 0;
		try {
			return await this.next(pred, ms);
		} finally {
			this.#from = Math.max(keep, 0);
		}
	}
}

const query = (o) => new URLSearchParams(Object.entries(o).filter(([, v]) => v !== undefined && v !== null)).toString();

/** Where a request goes: through the web server, or to one realtime process alone, past it or through a server of its own. */
function route(stack, via, past) {
	const front = via && !past && stack.fronts?.get(via);
	if (front) return { base: `http://127.0.0.1:${front.port}`, host: stack.host };
	return via ? { base: stack.url, host: stack.host, socketPath: stack.socket(via) } : { base: stack.url };
}

/** The bare socket, before any line: for tests of the handshake. */
export function dial(who, { instance, cursor, reads, drafts, via, past, path = "/api/v1/ws", headers = {}, protocol = "pulsechat.v1", ws: options = {} } = {}) {
	const where = `${path}?${query({ instance, cursor, reads, drafts })}`;
	const { stack } = who;
	const { base, host, socketPath } = route(stack, via, past);
	const url = socketPath ? `ws+unix:${socketPath}:${where}` : base.replace("http", "ws") + where;
	const all = { ...(host && { host }), ...who.credentials, ...headers };
	for (const k of Object.keys(all)) if (all[k] === null || all[k] === undefined) delete all[k];
	return new WebSocket(url, protocol, { perMessageDeflate: false, handshakeTimeout: 60000, ...options, headers: all });
}

export async function openWs(who, options = {}) {
	const feed = new Feed();
	const instance = options.instance ?? randomUUID();
	const socket = dial(who, { ...options, instance });
	let ref = 0;
	feed.onLine = options.onLine;
	feed.instance = instance;
	feed.socket = socket;
	feed.frames = 0;
	feed.closed = new Promise((ok) => {
		socket.on("close", (code, reason) => {
			ok({ code, reason: reason.toString() });
			feed.fail(new Error(`the socket was closed: ${code} ${reason}`));
		});
	});
	socket.on("message", (data) => {
		feed.frames++;
		for (const line of data.toString().split("\n")) if (line.trim()) feed.add(JSON.parse(line));
	});
	const refused = new Promise((_ok, no) => {
		socket.on("unexpected-response", (_req, res) => {
			no(Object.assign(new Error(`handshake answered ${res.statusCode}`), { status: res.statusCode, headers: res.headers }));
			socket.terminate();
		});
		socket.on("error", no);
	});
	refused.catch(() => {});
	feed.send = (op) => socket.send(typeof op === "string" || Buffer.isBuffer(op) ? op : JSON.stringify(op));
	feed.call = async (op, ms = 10000) => {
		const mine = op.ref ?? `r${++ref}`;
		feed.send({ ...op, ref: mine });
		return feed.some((l) => l.ref === mine, ms);
	};
	feed.close = (code = 1000) => {
		socket.close(code);
		return feed.closed;
	};
	feed.terminate = () => socket.terminate();
	if (options.hello !== false) feed.hello = await Promise.race([feed.next("hello", options.ms), refused]);
	return feed;
}

/** libfcgi hangs up on whom it has not heard two seconds after he came, which a busy test may be: then once more. */
async function byFastcgi(socket, path, headers, signal, tries = 3) {
	const given = Object.fromEntries(Object.entries(headers).filter(([, v]) => v !== null && v !== undefined));
	const c = await fcgiOpen(socket, { path, headers: given });
	const leave = () => c.leave();
	signal?.addEventListener("abort", leave);
	c.params();
	c.stdinEnd();
	if (signal?.aborted) leave();
	try {
		return await c.answer();
	} catch (e) {
		if (e.code !== "EPIPE" || tries === 1 || signal?.aborted) throw e;
		return await byFastcgi(socket, path, headers, signal, tries - 1);
	} finally {
		signal?.removeEventListener("abort", leave);
	}
}

export async function poll(who, { cursor, reads, drafts, wait, instance, focus, watch, active, via, past, headers = {}, signal } = {}) {
	const { stack } = who;
	const { base, host, socketPath } = route(stack, via, past);
	const path = `/api/v1/events?${query({ cursor, reads, drafts, wait, instance, focus, watch, active })}`;
	const mine = { ...(host && { host }), ...who.credentials, "sec-fetch-site": who.token ? null : "same-origin", "pulsechat-client": "test", ...headers };
	const answer = via?.startsWith("api")
		? await byFastcgi(stack.socket(via), path, mine, signal)
		: await exchange(base + path, { headers: mine, signal, socketPath });
	const good = answer.status === 200;
	const lines = good ? answer.text.split("\n").filter(Boolean).map((l) => JSON.parse(l)) : [];
	return {
		status: answer.status,
		headers: answer.headers,
		text: answer.text,
		problem: good ? undefined : safeJson(answer.text),
		lines,
		events: lines.filter((l) => l.type !== "cursor"),
		cursor: answer.headers["pulsechat-cursor"],
	};
}

/** Polls on and on, over failures too, with one instance. */
export function follow(who, { cursor, wait = 5, instance = randomUUID(), focus, watch, via, every = 0, onLine } = {}) {
	const feed = new Feed();
	feed.onLine = onLine;
	const abort = new AbortController();
	feed.instance = instance;
	feed.polls = 0;
	feed.failures = 0;
	feed.stop = () => {
		abort.abort();
		return feed.done;
	};
	feed.done = (async () => {
		let at = cursor;
		while (!abort.signal.aborted) {
			try {
				const where = Array.isArray(via) ? via[feed.polls % via.length] : via;
				const p = await poll(who, { cursor: at, wait, instance, focus, watch, via: where, signal: abort.signal });
				feed.polls++;
				if (p.status !== 200) throw new Error(`poll answered ${p.status} ${p.text}`);
				for (const line of p.lines) feed.add(line);
				at = p.cursor;
				feed.at = at;
				if (every) await new Promise((ok) => setTimeout(ok, every).unref());
			} catch (e) {
				if (abort.signal.aborted) break;
				feed.failures++;
				feed.lastFailure = e;
				await new Promise((ok) => setTimeout(ok, 100).unref()); // who forgets to stop it, since a test has failed, can end
			}
		}
	})();
	return feed;
}

/**
 * Follows for ever as a right client does: comes back with its cursor after every end; after a reset it loads by REST what it
 * lacks of its rooms, and goes on from the reset's cursor.
 */
export function stay(who, { cursor, via, rooms, polls = false }) {
	const own = new Map(rooms.map((room) => [room, { live: [], loaded: new Set() }])); // live: a list of seqs for each time between two resets
	const one = { resets: 0, ends: 0, loads: [] };
	let over = false, at = cursor, last = 0;
	const begin = () => own.forEach((r) => r.live.push([]));
	const known = ({ live, loaded }) => Math.max(0, ...live.map((run) => run.at(-1) ?? 0), ...loaded);
	const load = async (room, r) => {
		for (let from = known(r), more = true; more; ) {
			const page = await who.get(`/api/v1/channels/${room}/messages?after=${from}&limit=200`);
			if (page.status !== 200) throw new Error(`history answered ${page.status} ${page.text}`);
			for (const m of page.json.messages) r.loaded.add((from = m.seq));
			more = page.json.has_after;
		}
	};
	const onLine = (line) => {
		if (line.cursor === undefined) return;
		const id = Number(line.cursor.split(".")[1]);
		const logged = !["hello", "heartbeat", "cursor", "reset"].includes(line.type);
		if (id < last || (logged && id === last)) one.wrong ??= `${line.type} at ${id} after ${last}`;
		last = id;
		at = line.cursor;
		if (line.type === "reset") {
			one.resets++;
			begin();
			one.loads.push(Promise.all([...own].map(([room, r]) => load(room, r))));
		}
		if (line.type === "message") own.get(line.channel)?.live.at(-1).push(line.seq);
	};
	begin();
	const feed = polls && follow(who, { cursor, via, onLine });
	let ws;
	const byWs = async () => {
		const instance = randomUUID();
		while (!over) {
			ws = await openWs(who, { via, cursor: at, instance, hello: false, onLine });
			if (over) ws.terminate();
			await ws.closed;
			one.ends++;
			await new Promise((ok) => setTimeout(ok, 50).unref()); // as follow()
		}
	};
	const done = feed ? feed.done : byWs();
	/** How many of a room's messages it has. */
	one.messages = (room) => new Set([...own.get(room).live.flat(), ...own.get(room).loaded]).size;
	/** Each of 1 to n: live, once and in order, or loaded after a reset. */
	one.check = async (room, n) => {
		await Promise.all(one.loads);
		if (one.wrong) throw new Error(one.wrong);
		const { live, loaded } = own.get(room);
		for (const run of live) run.forEach((seq, i) => i && seq !== run[i - 1] + 1 && fail(`${seq} after ${run[i - 1]}`));
		const flat = live.flat(), had = new Set(flat);
		if (had.size !== flat.length) fail("a message came twice");
		for (let seq = 1; seq <= n; seq++) if (!loaded.has(seq) && !had.has(seq)) fail(`${seq} is missing`);
		function fail(what) {
			throw new Error(`room ${room}: ${what}`);
		}
	};
	one.stop = async () => {
		over = true;
		ws?.terminate();
		await (feed ? feed.stop() : done);
	};
	return one;
}

function safeJson(text) {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
