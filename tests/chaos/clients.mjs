// clients: what a right client does, 300 times over, on every transport: it keeps its cursor and its log, comes back after every
// failure, and sends each message again under its client_id until it has an answer. It trusts nothing: whatever is out of order,
// comes twice or for somebody else is put down as a fault at once; what is missing shows in the comparison at the end.

import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import WebSocket from "ws";
import { fcgiOpen } from "../support/fastcgi.mjs";
import { sleep } from "../support/until.mjs";

export const mark = (clientId, text) => `${clientId} ${text}`;

/** A number that stands for a message's identity and text. */
export function fingerprint(clientId, text) {
	let h = 2166136261;
	const s = mark(clientId, text);
	for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 16777619);
	return h >>> 0;
}

const RETRY_CODES = new Set(["busy", "unavailable", "rate_limited", "internal"]);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

/** site: {host (the web server's name), ports: {web, direct: [..], api (a socket)}, ops (bool)} ; user: {token, channels: [id]}. */
export class Client {
	constructor(site, name, user, { proxied, random }) {
		Object.assign(this, { site, name, user, proxied, random, instance: randomUUID() });
		this.cursor = undefined;
		this.at = { mark: undefined, id: 0 };
		this.log = new Map(user.channels.map((c) => [c, []])); // channel -> [fingerprint, ...] from the first seq on
		this.first = new Map(); // channel -> first seq seen
		this.last = new Map(user.channels.map((c) => [c, undefined]));
		this.faults = [];
		this.counts = { connects: 0, failures: 0, lines: 0, messages: 0, resets: 0, retries: 0 };
		this.pending = new Map(); // client_id -> {channel, text, sentAt, tries}
		this.acked = []; // {clientId, channel, seq, id, ms}
		this.stopped = false;
		this.lastSeqAcked = new Map();
	}

	fault(kind, text) {
		if (this.faults.length < 50) this.faults.push({ kind, client: this.name, text });
	}

	port() {
		const { web, direct } = this.site.ports;
		return this.proxied ? web : direct[Math.floor(this.random() * direct.length)];
	}

	/** A line of the stream. */
	take(line) {
		this.counts.lines++;
		if (line.type === "reset") {
			this.counts.resets++;
			this.fault("reset", JSON.stringify(line));
		}
		const hit = line.cursor === undefined ? null : /^([a-z2-7]{8})\.(\d+)$/.exec(line.cursor);
		if (hit) {
			const id = Number(hit[2]);
			if (this.at.mark !== undefined && hit[1] !== this.at.mark)
				this.fault("mark", `${this.at.mark} became ${line.cursor}`);
			const logged = !["hello", "heartbeat", "cursor", "reset"].includes(line.type);
			if (id < this.at.id) this.fault("disorder", `${line.type} at ${id} after ${this.at.id}`);
			else if (logged && id === this.at.id) this.fault("double", `${line.type} at ${id} again`);
			this.at = { mark: hit[1], id };
			this.cursor = line.cursor;
		} else if (line.cursor !== undefined) this.fault("cursor", line.cursor);
		if (line.type !== "message") return;
		this.counts.messages++;
		const log = this.log.get(line.channel);
		if (!log) return this.fault("foreign", `channel ${line.channel}`);
		const last = this.last.get(line.channel);
		if (last !== undefined && line.seq <= last)
			this.fault(line.seq === last ? "double" : "disorder", `${line.channel}/${line.seq} after ${last}`);
		else if (last !== undefined && line.seq > last + 1)
			this.fault("loss", `${line.channel}/${last + 1} to ${line.seq - 1}, then ${line.seq}`);
		if (last === undefined) this.first.set(line.channel, line.seq);
		this.last.set(line.channel, Math.max(line.seq, last ?? 0));
		log.push(line.seq, fingerprint(line.client_id, line.body?.text));
	}

	// --- sending

	/** A message that goes on until it is answered. */
	send(channel, text) {
		const clientId = randomUUID();
		this.pending.set(clientId, { channel, text, tries: 0, sentAt: 0, began: Date.now() });
		this.push(clientId);
	}

	push(clientId) {
		const p = this.pending.get(clientId);
		if (!p) return;
		p.tries++;
		if (p.tries > 1) this.counts.retries++;
		p.sentAt = Date.now();
		this.rest(clientId, p);
	}

	async rest(clientId, p) {
		const wait = 100 + this.random() * 400 * Math.min(p.tries, 5);
		try {
			if (this.site.ops && this.random() < 0.4) {
				const op = JSON.stringify({ op: "send", ref: clientId, client_id: clientId, channel: p.channel, body: { text: p.text } });
				const options = { body: op, type: "application/x-ndjson", timeout: 8000 };
				const r = await this.http(this.site.ports.web, "POST", "/api/v1/ops", options);
				if (r.status === 200) {
					const line = JSON.parse(r.text);
					if (line.type === "ack") return this.ack(clientId, line.channel, line.seq, line.id);
					if (!RETRY_CODES.has(line.code)) {
						this.pending.delete(clientId);
						return this.fault("refused", r.text.slice(0, 200));
					}
				} else if (r.status < 500 && r.status !== 429 && r.status !== 408) {
					this.pending.delete(clientId);
					return this.fault("refused", `ops ${r.status} ${r.text.slice(0, 200)}`);
				}
				throw new Error("again");
			}
			const body = JSON.stringify({ client_id: clientId, body: { text: p.text } });
			const path = `/api/v1/channels/${p.channel}/messages`;
			const r = await this.http(this.site.ports.web, "POST", path, { body, timeout: 8000 });
			if (r.status === 200 || r.status === 201) {
				const m = JSON.parse(r.text);
				return this.ack(clientId, m.channel, m.seq, m.id);
			}
			if (r.status < 500 && r.status !== 429 && r.status !== 408) {
				this.pending.delete(clientId);
				return this.fault("refused", `${r.status} ${r.text.slice(0, 200)}`);
			}
		} catch {
			// again below
		}
		await sleep(wait);
		this.push(clientId);
	}

	ack(clientId, channel, seq, id) {
		const p = this.pending.get(clientId);
		if (!p) return;
		this.pending.delete(clientId);
		if (channel !== p.channel) this.fault("ack", `channel ${channel} for ${p.channel}`);
		this.acked.push({ clientId, channel, seq, id, ms: Date.now() - p.began });
	}

	http(port, method, path, { body, type = "application/json", timeout, onHead } = {}) {
		return new Promise((ok, no) => {
			const headers = { host: this.site.host, authorization: `Bearer ${this.user.token}`, connection: "keep-alive" };
			if (body) Object.assign(headers, { "content-type": type, "content-length": Buffer.byteLength(body) });
			const req = request({ host: "127.0.0.1", port, method, path, headers, agent }, (res) => {
				const parts = [];
				onHead?.(res);
				res.on("data", (d) => parts.push(d));
				res.on("error", fail);
				res.on("aborted", () => fail(new Error("aborted")));
				res.on("end", () => {
					clearTimeout(timer);
					if (!res.complete) return fail(new Error("cut short"));
					ok({ status: res.statusCode, headers: res.headers, text: Buffer.concat(parts).toString() });
				});
			});
			const fail = (e) => {
				clearTimeout(timer);
				req.destroy();
				no(e);
			};
			const timer = setTimeout(() => fail(new Error("no answer in time")), timeout);
			req.on("error", fail);
			req.end(body);
			this.request = req;
		});
	}

	async again() {
		this.counts.failures++;
		await sleep(100 + this.random() * 900);
	}

	query(more) {
		const q = { instance: this.instance, cursor: this.cursor, ...more };
		return Object.entries(q)
			.filter(([, v]) => v !== undefined)
			.map(([k, v]) => `${k}=${encodeURIComponent(v)}`)
			.join("&");
	}

	start() {
		this.done = this.go();
	}

	stop() {
		this.stopped = true;
		this.request?.destroy();
		this.streaming?.destroy();
		this.socket?.terminate();
		return this.done;
	}
}

/** Long-poll (wait > 0), or plain polling (wait 0, about once a second). */
export class PollClient extends Client {
	constructor(site, name, user, options) {
		super(site, name, user, options);
		this.wait = options.wait;
	}

	ask(path, timeout) {
		return this.http(this.port(), "GET", path, { timeout });
	}

	async go() {
		while (!this.stopped) {
			try {
				const path = `/api/v1/events?${this.query({ wait: this.cursor === undefined ? undefined : this.wait })}`;
				this.counts.connects++;
				const r = await this.ask(path, (this.wait + 6) * 1000);
				if (r.status !== 200) {
					if (r.status < 500 && r.status !== 429)
						this.fault("refused", `poll ${r.status} ${r.text.slice(0, 200)}`);
					throw new Error(`status ${r.status}`);
				}
				const lines = r.text
					.split("\n")
					.filter(Boolean)
					.map((l) => JSON.parse(l));
				const tail = lines.at(-1);
				if (tail?.type !== "cursor" || tail.cursor !== r.headers["pulsechat-cursor"])
					this.fault("cursor", `header ${r.headers["pulsechat-cursor"]}, last line ${JSON.stringify(tail)}`);
				for (const l of lines) this.take(l);
				this.heard = Date.now();
				if (this.wait === 0) await sleep(500 + this.random() * 1000);
				else if (tail?.retry_after) await sleep(tail.retry_after * 1000 * this.random());
			} catch {
				if (!this.stopped) await this.again();
			}
		}
	}
}

/** Long-poll of pulsechat-api, past the web server, which has pulsechat-realtime there. */
export class ApiPollClient extends PollClient {
	async ask(path, timeout) {
		const c = await fcgiOpen(this.site.ports.api, { path, token: this.user.token });
		const timer = setTimeout(() => c.leave(), timeout);
		this.streaming = { destroy: () => c.leave() };
		try {
			c.params();
			c.stdinEnd();
			return await c.answer();
		} finally {
			clearTimeout(timer);
		}
	}
}

const SILENCE_MS = 13000; // two heartbeats and a bit

export class SseClient extends Client {
	async go() {
		while (!this.stopped) {
			this.counts.connects++;
			await this.stream().catch(() => {});
			if (!this.stopped) await this.again();
		}
	}

	stream() {
		return new Promise((ok, no) => {
			const headers = { host: this.site.host, authorization: `Bearer ${this.user.token}`, accept: "text/event-stream" };
			if (this.cursor !== undefined) headers["last-event-id"] = this.cursor;
			const path = `/api/v1/events?instance=${this.instance}`;
			const req = request({ host: "127.0.0.1", port: this.port(), path, headers, agent: false }, (res) => {
				if (res.statusCode !== 200) {
					if (res.statusCode < 500 && res.statusCode !== 429) this.fault("refused", `stream ${res.statusCode}`);
					req.destroy();
					return end();
				}
				let text = "";
				res.setEncoding("utf8");
				res.on("data", (d) => {
					timer.refresh();
					this.heard = Date.now();
					const parts = (text + d).split("\n\n");
					text = parts.pop();
					for (const part of parts) this.event(part);
				});
				res.on("error", end);
				res.on("close", end);
			});
			const end = () => {
				clearTimeout(timer);
				ok();
			};
			const timer = setTimeout(() => req.destroy(), SILENCE_MS);
			this.streaming = req; // request is that of the last send
			req.on("error", (e) => {
				clearTimeout(timer);
				no(e);
			});
			req.end();
		});
	}

	/** One whole event; one that is cut off never gets here. */
	event(text) {
		const fields = text.split("\n").filter((l) => l && !l.startsWith(":"));
		const of = (name) => fields.find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2);
		const data = of("data");
		if (data === undefined) return;
		try {
			const line = JSON.parse(data);
			if (line.cursor !== of("id")) this.fault("cursor", `id ${of("id")} with ${data.slice(0, 200)}`);
			if (line.type === "bye" && [4001, 4003].includes(line.code)) this.fault("refused", data);
			this.take(line);
		} catch (e) {
			this.fault("torn", `${e.message}: ${data.slice(0, 200)}`);
		}
	}
}

export class WsClient extends Client {
	push(clientId) {
		const p = this.pending.get(clientId);
		if (!p) return;
		// some retries go by REST: another process finds the first one's message
		if (p.tries > 0 && this.random() < 0.3) return super.push(clientId);
		p.tries++;
		if (p.tries > 1) this.counts.retries++;
		p.sentAt = Date.now();
		p.byOp = true;
		if (this.open) this.op({ op: "send", ref: clientId, client_id: clientId, channel: p.channel, body: { text: p.text } });
	}

	op(o) {
		this.socket?.send(JSON.stringify(o), () => {});
	}

	take(line) {
		if (line.type === "ack" && line.client_id) return this.ack(line.client_id, line.channel, line.seq, line.id);
		if (line.type === "error") {
			const p = this.pending.get(line.client_id);
			if (!p) return;
			if (!RETRY_CODES.has(line.code)) {
				this.pending.delete(line.client_id);
				return this.fault("refused", JSON.stringify(line));
			}
			setTimeout(() => this.push(line.client_id), 200 + this.random() * 800);
			return;
		}
		if (line.type === "pong") {
			this.pongAt = Date.now();
			return;
		}
		super.take(line);
	}

	async go() {
		while (!this.stopped) {
			await this.connection();
			if (!this.stopped) await this.again();
		}
	}

	connection() {
		return new Promise((ok) => {
			this.counts.connects++;
			const socket = new WebSocket(`ws://127.0.0.1:${this.port()}/api/v1/ws?${this.query()}`, "pulsechat.v1", {
				perMessageDeflate: false,
				handshakeTimeout: 8000,
				headers: { host: this.site.host, authorization: `Bearer ${this.user.token}` },
			});
			this.socket = socket;
			const tick = setInterval(() => {
				if (!this.open) return;
				if (Date.now() - this.pongAt > 8000) return socket.terminate(); // half open
				this.op({ op: "ping" });
				for (const [id, p] of this.pending) if (p.byOp && Date.now() - p.sentAt > 6000) this.push(id);
			}, 2000);
			socket.on("open", () => {
				this.open = true;
				this.pongAt = Date.now();
				for (const [id, p] of this.pending) if (p.byOp) this.push(id);
			});
			socket.on("message", (data) => {
				if (this.socket !== socket) return;
				this.heard = Date.now();
				for (const l of data.toString().split("\n"))
					if (l) {
						try {
							this.take(JSON.parse(l));
						} catch (e) {
							this.fault("torn", `${e.message}: ${l.slice(0, 200)}`);
						}
					}
			});
			socket.on("unexpected-response", (_req, res) => {
				if (res.statusCode < 500 && res.statusCode !== 429) this.fault("refused", `handshake ${res.statusCode}`);
				socket.terminate();
			});
			socket.on("error", () => {});
			socket.on("close", (code) => {
				clearInterval(tick);
				this.open = false;
				if ([4001, 4003].includes(code)) this.fault("refused", `closed with ${code}`);
				ok();
			});
		});
	}
}

/** The transports, each with its share of the clients. here(site, user): whether the site has it, where another one would answer as well. */
export const TRANSPORTS = [
	{ name: "WebSocket", share: 4, make: WsClient },
	{ name: "server-sent events", share: 3, make: SseClient, here: hasStream },
	{ name: "long-poll", share: 3, make: PollClient, wait: 10 },
	{ name: "long-poll of pulsechat-api", share: 2, make: ApiPollClient, wait: 10, here: hasApiPoll },
	{ name: "polling", share: 2, make: PollClient, wait: 0 },
];

function hasStream(site, user) {
	return new Promise((ok, no) => {
		const headers = { host: site.host, authorization: `Bearer ${user.token}`, accept: "text/event-stream" };
		const req = request({ host: "127.0.0.1", port: site.ports.web, path: "/api/v1/events", headers, agent: false }, (res) => {
			ok(res.statusCode === 200 && /^text\/event-stream/.test(res.headers["content-type"] ?? ""));
			req.destroy();
		});
		req.on("error", no);
		req.end();
	});
}

async function hasApiPoll(site, user) {
	const c = await fcgiOpen(site.ports.api, { path: "/api/v1/events?wait=0", token: user.token });
	c.params();
	c.stdinEnd();
	return (await c.answer()).status === 200;
}

export async function hasOps(site, user) {
	const client = new Client(site, "probe", user, { proxied: true, random: Math.random });
	const options = { body: '{"op":"ping"}', type: "application/x-ndjson", timeout: 8000 };
	return (await client.http(site.ports.web, "POST", "/api/v1/ops", options)).status === 200;
}
