// wire: a WebSocket client of bare bytes, strict about every byte that comes (RFC 6455, 5) and free in what it sends: pieces, bad
// frames, no reading, no goodbye. Light: a test holds thousands.
//
//   const w = await openRaw(alice, { via: "realtime1", cursor, instance, headers });   // after the 101; w.answer: its head
//   w is a Feed (realtime.mjs); await w.next("hello")
//   w.op({op: "ping"}); w.frame(opcode, payload, {fin, mask, rsv, length}); w.write(bytes)
//   encode(opcode, payload, {...})             a frame as bytes, to be put together with others
//   w.pause(), w.resume(); w.destroy()         no reading; an abort
//   await w.ended                              {code, reason, clean}: the close frame's; clean: it came, and then the end
//   await w.closing                            {code, reason} of the close frame, or undefined where the end comes without one
//   w.pongs                                    payloads
// What breaks the rules is thrown by await w.ended and by all that wait for lines.

import { connect } from "node:net";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { Feed } from "./realtime.mjs";

export const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** One frame as a client sends it. length: to lie about it. */
export function encode(opcode, payload = "", { fin = true, mask = true, rsv = 0, length } = {}) {
	const data = Buffer.from(payload);
	const n = length ?? data.length;
	const size = n < 126 ? 0 : n < 65536 ? 2 : 8;
	const head = Buffer.alloc(2 + size + (mask ? 4 : 0));
	head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
	head[1] = (mask ? 0x80 : 0) | (size === 0 ? n : size === 2 ? 126 : 127);
	if (size === 2) head.writeUInt16BE(n, 2);
	if (size === 8) head.writeBigUInt64BE(BigInt(n), 2);
	if (!mask) return Buffer.concat([head, data]);
	const key = randomBytes(4);
	key.copy(head, 2 + size);
	const masked = Buffer.alloc(data.length);
	for (let i = 0; i < data.length; i++) masked[i] = data[i] ^ key[i & 3];
	return Buffer.concat([head, masked]);
}

/** Cuts bytes into frames and judges each: take(opcode, payload). */
export class FrameChecker {
	#parts = [];
	#n = 0;
	closed = false;
	frames = 0;
	largest = 0;

	constructor(take) {
		this.take = take;
	}

	/** Whether it stands between two frames. */
	get whole() {
		return this.#n === 0;
	}

	add(bytes) {
		this.#parts.push(bytes);
		this.#n += bytes.length;
		for (;;) {
			if (this.closed && this.#n > 0) throw new Error(`${this.#n} bytes behind a close frame: ${this.#peek(8).toString("hex")}`);
			const size = this.#size();
			if (size === undefined || this.#n < size.total) return;
			const frame = this.#cut(size.total);
			this.#judge(frame[0], frame.subarray(size.head));
		}
	}

	#join() {
		if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
		return this.#parts[0];
	}

	#peek(n) {
		if (this.#n > 0 && this.#parts[0].length < Math.min(n, this.#n)) this.#join();
		return this.#n > 0 ? this.#parts[0].subarray(0, n) : Buffer.alloc(0);
	}

	/** Judges a head as far as it is there. */
	#size() {
		const p = this.#peek(10);
		if (p.length < 1) return undefined;
		const opcode = p[0] & 15;
		const bad = (what) => {
			throw new Error(`${what}: ${p.toString("hex")} (after ${this.frames} frames)`);
		};
		if (p[0] & 0x70) bad("a reserved bit is set");
		if (!(p[0] & 0x80)) bad("a fragment, which this server does not send");
		if (![TEXT, CLOSE, PING, PONG].includes(opcode)) bad(`opcode ${opcode}`);
		if (p.length < 2) return undefined;
		if (p[1] & 0x80) bad("a masked frame from a server");
		const short = p[1] & 127;
		if (short < 126) return { head: 2, total: 2 + short };
		if (opcode >= 8) bad("a control frame of over 125 bytes");
		if (short === 126) {
			if (p.length < 4) return undefined;
			const n = p.readUInt16BE(2);
			if (n < 126) bad("a length that is not the shortest");
			return { head: 4, total: 4 + n };
		}
		if (p.length < 10) return undefined;
		const n = Number(p.readBigUInt64BE(2));
		if (n < 65536) bad("a length that is not the shortest");
		if (n > 1 << 20) bad("a frame of over 1 MiB");
		return { head: 10, total: 10 + n };
	}

	#cut(total) {
		const all = this.#join();
		this.#n -= total;
		this.#parts = this.#n > 0 ? [all.subarray(total)] : [];
		return all.subarray(0, total);
	}

	#judge(first, payload) {
		const opcode = first & 15;
		this.frames++;
		this.largest = Math.max(this.largest, payload.length);
		if (opcode === CLOSE) {
			if (payload.length === 1) throw new Error("a close frame of one byte");
			this.closed = true;
		}
		this.take(opcode, payload);
	}
}

/** Takes a Feed's lines from text frames: each line whole, JSON, ended by a line feed. */
function takeText(add, payload) {
	const text = utf8.decode(payload);
	if (!text.endsWith("\n")) throw new Error(`a frame that does not end with a line: ${JSON.stringify(text.slice(-80))}`);
	for (const line of text.slice(0, -1).split("\n")) add(JSON.parse(line));
}

/** The handshake by hand. Resolves with the socket after the head: {socket, answer: {status, headers}, rest}. */
function shake(who, { via, past, cursor, instance = randomUUID(), headers = {} }) {
	const { stack } = who;
	const front = via && !past && stack.fronts?.get(via);
	const key = randomBytes(16).toString("base64");
	const query = new URLSearchParams({ instance, ...(cursor && { cursor }) });
	const all = { Host: stack.host, Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key,
		"Sec-WebSocket-Protocol": "pulsechat.v1", ...who.credentials, ...headers };
	const request = [`GET /api/v1/ws?${query} HTTP/1.1`, ...Object.entries(all).map(([k, v]) => `${k}: ${v}`), "", ""].join("\r\n");
	return new Promise((ok, no) => {
		const socket = via && !front ? connect(stack.socket(via)) : connect(front?.port ?? stack.port, "127.0.0.1");
		let seen = Buffer.alloc(0);
		const fail = (why) => {
			socket.destroy();
			no(why instanceof Error ? why : new Error(why));
		};
		const onEnd = () => fail(`the handshake was cut off: ${seen.toString("latin1").slice(0, 200)}`);
		const onData = (d) => {
			seen = Buffer.concat([seen, d]);
			const at = seen.indexOf("\r\n\r\n");
			if (at < 0) return;
			socket.off("data", onData);
			socket.off("close", onEnd);
			socket.off("error", fail);
			const [first, ...lines] = seen.subarray(0, at).toString("latin1").split("\r\n");
			const got = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(":")).toLowerCase(), l.slice(l.indexOf(":") + 1).trim()]));
			const answer = { status: Number(first.split(" ")[1]), headers: got };
			if (answer.status !== 101) {
				socket.destroy();
				no(Object.assign(new Error(`handshake answered ${first}`), answer));
				return;
			}
			const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
			if (got["sec-websocket-accept"] !== accept) fail(`Sec-WebSocket-Accept ${got["sec-websocket-accept"]}`);
			else ok({ socket, answer, rest: seen.subarray(at + 4), instance });
		};
		socket.on("data", onData);
		socket.on("close", onEnd);
		socket.on("error", fail);
		socket.write(request);
	});
}

/** pong: answer pings (true). take(line): where lines go instead of the Feed, which then holds `hello` and `bye` alone. */
export async function openRaw(who, options = {}) {
	const { socket, answer, rest, instance } = await shake(who, options);
	const feed = new Feed();
	Object.assign(feed, { instance, answer, socket, pongs: [], pings: 0 });
	let end, broken, sayClosing;
	let closing = false;
	feed.closing = new Promise((ok) => (sayClosing = ok));
	const add = (line) => (options.take && line.type !== "hello" && line.type !== "bye" ? options.take(line) : feed.add(line));
	const checker = new FrameChecker((opcode, payload) => {
		if (opcode === TEXT) takeText(add, payload);
		else if (opcode === PONG) feed.pongs.push(payload.toString("latin1"));
		else if (opcode === PING) {
			feed.pings++;
			if (options.pong !== false) feed.frame(PONG, payload);
		} else {
			end = { code: payload.length ? payload.readUInt16BE(0) : 1005, reason: utf8.decode(payload.subarray(2)) };
			if (!closing) feed.frame(CLOSE, payload.subarray(0, 2));
			closing = true;
			sayClosing(end);
		}
	});
	feed.checker = checker;
	feed.write = (bytes) => socket.writable && socket.write(bytes);
	feed.frame = (opcode, payload, how) => feed.write(encode(opcode, payload, how));
	feed.op = (op) => feed.frame(TEXT, typeof op === "string" ? op : JSON.stringify(op));
	feed.close = (code = 1000) => {
		closing = true;
		feed.frame(CLOSE, Buffer.from([code >> 8, code & 255]));
		return feed.ended;
	};
	feed.pause = () => socket.pause();
	feed.resume = () => socket.resume();
	feed.destroy = () => socket.destroy();
	feed.ended = new Promise((ok, no) => {
		socket.on("error", () => {});
		socket.on("end", () => socket.end());
		socket.on("close", () => {
			sayClosing(undefined);
			if (broken) {
				feed.fail(broken);
				no(broken);
				return;
			}
			feed.fail(new Error(`the socket was closed: ${end?.code} ${end?.reason}`));
			ok({ code: end?.code, reason: end?.reason, clean: end !== undefined, whole: checker.whole });
		});
	});
	feed.ended.catch(() => {});
	const take = (d) => {
		if (broken) return;
		try {
			checker.add(d);
		} catch (e) {
			broken = e;
			socket.destroy();
		}
	};
	socket.on("data", take);
	if (rest.length) take(rest);
	return feed;
}
