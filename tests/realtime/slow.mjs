// slow: a client that at times does not read, and what the tests of WP-2 say often.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { checkLine } from "../support/contract.mjs";
import { openSse } from "../support/sse.mjs";
import { openRaw } from "../support/wire.mjs";
import { idOf, until } from "./help.mjs";

/** Over all its connections it has each message once and in order: what breaks that, or a reset, is kept for check(). */
export class Slow {
	#feed;
	#connections;
	#rooms = new Map(); // by channel: {first, last}, of the seqs that have come
	#wrong;

	/** options: of openRaw() and openSse(). ws: a WebSocket first, else an event stream; then the other, and so on. */
	constructor(who, ws, options = {}) {
		Object.assign(this, { who, options, cursor: undefined });
		this.#connections = ws ? 1 : 0;
	}

	/** How many messages have come. */
	get count() {
		return [...this.#rooms.values()].reduce((n, r) => n + r.last - r.first + 1, 0);
	}

	/** Comes, or comes back with its cursor, and reads. */
	async open(options = this.options) {
		const how = { ...options, cursor: this.cursor, take: (line) => this.#take(line) };
		this.#feed = await (this.#connections++ % 2 ? openRaw : openSse)(this.who, how);
		const hello = await this.#feed.some((l) => l.type === "hello"); // the handshake alone may be far ahead of it
		this.cursor ??= hello.cursor;
	}

	#take(line) {
		checkLine(line);
		if (line.type === "reset") this.#wrong ??= `reset: ${line.reason}`;
		if (line.cursor === undefined) return;
		if (line.type === "message") {
			const { channel, seq } = line;
			const room = this.#rooms.get(channel);
			if (this.cursor !== undefined && idOf(line.cursor) <= idOf(this.cursor)) this.#wrong ??= `event ${line.cursor} after ${this.cursor}`;
			if (room && seq !== room.last + 1) this.#wrong ??= `message ${seq} after ${room.last}`;
			this.#rooms.set(channel, { first: room?.first ?? seq, last: seq });
		}
		this.cursor = line.cursor;
	}

	/** Nothing was missed, nothing came twice, and there was no reset. */
	check() {
		assert.equal(this.#wrong, undefined);
	}

	stall() {
		this.#feed.pause();
	}

	/** Comes back, gets exactly what it lacks of `total` messages, and goes. */
	async catchUp(total, options) {
		await this.open(options);
		await until(() => this.count >= total, { ms: 30000, what: `all of ${total} messages` });
		this.check();
		assert.equal(this.count, total);
		(this.#feed.terminate ?? this.#feed.destroy)();
	}

	/** Reads what lies in the sockets since it was cut, up to the end. */
	async rest() {
		this.#feed.resume();
		await (this.#feed.closed ?? this.#feed.ended);
		assert.equal(this.#feed.broken, undefined);
		this.check();
	}
}

/** Memory of a program, in bytes. */
export const rss = (stack, name) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stack.pids[name]}/status`, "utf8"))[1]) * 1024;

/** What waited, in bytes, for each whom a program has cut so far because it did not read. */
export const cuts = (stack, name) => [...stack.log(name).matchAll(/stream\.slow .*queued=(\d+)/g)].map((m) => Number(m[1]));
