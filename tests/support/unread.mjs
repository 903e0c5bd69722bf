// unread: counts by events, as doc/protocol.md (section 6) asks of a client: what it loads by REST, then lines alone.
//
//   const u = new Unread(myId);
//   const at = u.at; u.load((await alice.get("/api/v1/channels")).json.channels, at)   // again whenever
//   u.line(line)                              // each line of a stream or a poll, in order
//   u.of(channel), u.total                    // {unread, mentions, seq, unread_from, version}, {unread, mentions}
//   u.reads                                   // what to say as reads= when connecting
//   u.wanted                                  // Set of channels that are to be loaded; load() takes them out

const REMEMBERED = 100; // messages, and deletions, of a channel

/** A reply that stands in its thread alone. */
const aside = (m) => m.thread !== undefined && !m.in_channel;

class Counted {
	version = -1;
	stale = true; // an answer by REST is wanted, and taken whatever its version
	seq = 0;
	from = null;
	last = 0; // counted up to here
	unread = 0;
	mentions = 0;
	gone = new Set();
	wide = new Set(); // of the mentions those by the channel's name
	messages = []; // that came by event: {seq, others, aside, dead, names, wide}
	narrowed = []; // others' messages that came by event as naming the channel no more
	deleted = []; // others' messages that came by event as deleted: {seq, at}

	constructor(me) {
		this.me = me;
	}

	get marker() {
		return this.from === null ? this.seq : this.from - 1;
	}

	/** A ReadState, of a line, or of an answer that was asked for at `asked`. False: it cannot be carried on to where we are. */
	set(state, asked) {
		if (state.version < this.version || (state.version === this.version && state.last_seq <= this.last && !this.stale)) return true;
		const upto = this.last;
		Object.assign(this, { version: state.version, seq: state.seq, from: state.unread_from, last: state.last_seq, stale: false });
		Object.assign(this, { unread: state.unread, mentions: state.mentions, gone: state.gone && new Set(state.gone) });
		this.wide = state.wide && new Set(state.wide);
		for (const seq of this.narrowed) if (seq <= this.last && !this.narrow(seq)) return false;
		// what we know and the snapshot did not that this was counted in
		for (const { seq, at } of this.deleted) if (seq <= this.last && !(this.gone === null && at <= asked) && !this.take(seq)) return false;
		// and those that came while this was on its way
		const top = Math.max(upto, this.messages.at(-1)?.seq ?? 0);
		const later = this.messages.filter((m) => m.seq > this.last);
		if (later.length < top - this.last) return false;
		for (const m of later) this.add(m);
		return true;
	}

	add(m) {
		this.last = m.seq;
		if (!m.others || m.seq <= this.marker) return;
		if (m.aside) {
			if (m.names && !m.dead) this.mentions++;
			return;
		}
		if (m.dead || this.deleted.some((d) => d.seq === m.seq)) {
			this.gone?.add(m.seq);
			return;
		}
		this.unread++;
		if (m.names || m.wide) this.mentions++;
		if (m.wide) this.wide?.add(m.seq);
	}

	/** Somebody else's message does not name the channel, or not any more. */
	narrow(seq) {
		if (seq <= this.marker) return true;
		if (this.wide === null) return false;
		if (this.wide.delete(seq)) this.mentions--;
		return true;
	}

	/** Somebody else's message does not count any more. */
	take(seq) {
		if (seq <= this.marker) return true;
		if (this.gone === null) return false;
		if (this.gone.has(seq)) return true;
		this.gone.add(seq);
		this.unread--;
		return this.narrow(seq);
	}

	message(line) {
		const others = line.sender !== this.me;
		if (line.seq <= (this.messages.at(-1)?.seq ?? 0)) return true;
		const m = { seq: line.seq, others, aside: aside(line), dead: line.deleted === true, ...this.named(line.body) };
		this.messages.push(m);
		if (this.messages.length > REMEMBERED) this.messages.shift();
		if (m.seq <= this.last) return true;
		if (m.seq !== this.last + 1) return false;
		this.add(m);
		return true;
	}

	/** Whether it names or quotes us, or else names the channel. */
	named(body) {
		const lists = [body?.mentions ?? [], ...Object.values(body?.reached ?? {})];
		const names = body?.reply_to?.sender === this.me || lists.some((l) => l.includes(this.me));
		return { names, wide: !names && body?.mentions?.includes("channel") === true };
	}

	/** Whom it names anew, or no more, is told by a `read` line; what becomes of the channel's name is not. */
	edited(line) {
		if (line.sender === this.me || line.deleted) return true;
		const m = this.messages.find((x) => x.seq === line.seq);
		if (m) Object.assign(m, this.named(line.body));
		if (line.body.mentions?.includes("channel") || line.edited_at === undefined || this.narrowed.includes(line.seq)) return true;
		this.narrowed.push(line.seq);
		if (this.narrowed.length > REMEMBERED) this.narrowed.shift();
		return line.seq > this.last || this.narrow(line.seq);
	}

	removed(line, at) {
		if (line.sender === this.me || aside(line) || this.deleted.some((d) => d.seq === line.seq)) return true;
		this.deleted.push({ seq: line.seq, at });
		if (this.deleted.length > REMEMBERED) this.deleted.shift();
		return line.seq > this.last || this.take(line.seq); // whom it named is told by a `read` line
	}
}

export class Unread {
	wanted = new Set();
	at = 0; // lines so far
	#channels = new Map();

	constructor(me) {
		this.me = me;
	}

	load(channels, asked) {
		for (const c of channels) {
			if (!c.membership) continue;
			const { last_read_seq: seq, read_version: version, ...rest } = c.membership;
			if (!this.#channels.has(c.id)) this.#channels.set(c.id, new Counted(this.me));
			this.wanted.delete(c.id);
			this.#do(c.id, this.#channels.get(c.id).set({ ...rest, seq, version, last_seq: c.last_seq }, asked));
		}
	}

	line(line) {
		const id = line.channel;
		const c = this.#channels.get(id);
		this.at++;
		if (line.type === "reset") {
			for (const known of this.#channels.keys()) this.#begin(known);
		} else if (line.type === "member.joined" && line.user === this.me) this.#begin(id);
		else if (line.type === "member.left" && line.user === this.me) {
			this.#channels.delete(id);
			this.wanted.delete(id);
		} else if (!c) {
			if (line.type === "read") this.#begin(id);
		} else if (line.type === "message") this.#do(id, c.message(line));
		else if (line.type === "message.updated") this.#do(id, c.edited(line));
		else if (line.type === "message.deleted") this.#do(id, c.removed(line, this.at));
		else if (line.type === "read") this.#do(id, c.set(line, -1));
	}

	/** What comes before it is loaded is remembered. */
	#begin(id) {
		this.#channels.set(id, new Counted(this.me));
		this.wanted.add(id);
	}

	#do(id, fine) {
		if (fine) return;
		this.#channels.get(id).stale = true;
		this.wanted.add(id);
	}

	of(channel) {
		const c = this.#channels.get(channel);
		return c && { unread: c.unread, mentions: c.mentions, seq: c.seq, unread_from: c.from, version: c.version };
	}

	get total() {
		const sum = { unread: 0, mentions: 0 };
		for (const c of this.#channels.values()) {
			sum.unread += c.unread;
			sum.mentions += c.mentions;
		}
		return sum;
	}

	get reads() {
		let n = 0;
		for (const c of this.#channels.values()) n += Math.max(0, c.version);
		return n;
	}
}
