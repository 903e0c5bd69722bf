// view: the messages of channels as a client holds them: by what it loads and by events, which set state and may be late, doubled
// or of a newer state than their place in the log.
//
//   const view = new View([room]); await view.load(alice); view.take(lines); assert.deepEqual(view.state(), …)

/** A newer message keeps newer reactions and replies, and the other way round. */
function join(held, m) {
	const { type: _type, cursor: _cursor, ...told } = m;
	const { replies: _replies, ...newer } = !held || told.version > held.version ? told : held;
	const replies = (told.replies?.version ?? 0) > (held?.replies?.version ?? 0) ? told.replies : (held ?? told).replies;
	if (replies) newer.replies = replies;
	if (newer.deleted) return newer;
	const of = (x) => (x?.deleted ? 0 : x?.reactions_version ?? 0);
	const by = of(told) > of(held) ? told : held ?? told;
	const { reactions: _r, reactions_version: _v, ...rest } = newer;
	return of(by) ? { ...rest, reactions: by.reactions, reactions_version: by.reactions_version } : rest;
}

export class View {
	// id to {channel, messages: Map of seq, threads: Map of a root's seq to ThreadState, parts: Map of a seq that is not here to lines of it}
	#rooms = new Map();
	#newest;

	/** newest: of each room no more than that is loaded, at most a page of it. */
	constructor(rooms, { newest = false } = {}) {
		this.#newest = newest;
		for (const id of rooms) this.add(id);
	}

	/** A room as of nothing: for one that was joined, whatever was held of it before. */
	add(id) {
		this.#rooms.set(id, { channel: null, messages: new Map(), threads: new Map(), parts: new Map() });
	}

	drop(id) {
		this.#rooms.delete(id);
	}

	get ids() {
		return [...this.#rooms.keys()];
	}

	/** All, or one. What is dropped or made anew meanwhile is not touched. Throws {status} where an answer is none. */
	async load(who, ...ids) {
		const ok = async (path) => {
			const answer = await who.get(path);
			if (answer.status !== 200) throw Object.assign(new Error(`${answer.status} ${answer.text}`), { status: answer.status });
			return answer.json;
		};
		for (const id of ids.length > 0 ? ids : this.ids) {
			const room = this.#rooms.get(id);
			this.#channel(room, await ok(`/api/v1/channels/${id}`));
			for (let after = 0, more = true; more; ) {
				const page = await ok(`/api/v1/channels/${id}/messages?limit=${this.#newest ? 100 : `200&after=${after}`}`);
				for (const m of page.messages) this.#message(room, m, (after = m.seq));
				more = page.has_after;
			}
			for (const { seq: root } of [...room.messages.values()].filter((m) => m.replies)) {
				for (let after = 0, more = true; more; ) {
					const page = await ok(`/api/v1/channels/${id}/messages/${root}/thread?after=${after}&limit=200`);
					for (const m of [page.root, ...page.messages]) this.#message(room, m, m.seq);
					this.#own(room, page.state);
					after = page.messages.at(-1)?.seq ?? after;
					more = page.has_after;
				}
			}
		}
		return this;
	}

	#channel(room, c) {
		const { kind, name, topic, archived, people, keep_days, history, mention_all, created_at, version } = c;
		const told = { kind, name, topic, archived, people, keep_days, history, mention_all, created_at, version };
		if (!room.channel || version > room.channel.version) room.channel = told;
	}

	/** With what was told of it while it was on its way here. */
	#message(room, m, seq) {
		room.messages.set(seq, join(room.messages.get(seq), m));
		const parts = room.parts.get(seq) ?? [];
		room.parts.delete(seq);
		for (const line of parts) this.#part(room, line);
	}

	/** Reactions or replies. */
	#part(room, line) {
		const held = room.messages.get(line.seq);
		if (!held) room.parts.set(line.seq, [...(room.parts.get(line.seq) ?? []), line]);
		else if (line.type === "thread.updated") room.messages.set(line.seq, join(held, { ...held, replies: line.replies }));
		else if (!held.deleted && line.reactions_version > (held.reactions_version ?? 0))
			room.messages.set(line.seq, { ...held, reactions: line.reactions, reactions_version: line.reactions_version });
	}

	#own(room, { type: _type, cursor: _cursor, ...state }) {
		if (state.version > (room.threads.get(state.root)?.version ?? 0)) room.threads.set(state.root, state);
	}

	take(lines) {
		for (const line of lines) {
			const room = this.#rooms.get(line.channel?.id ?? line.channel);
			if (!room) continue;
			if (line.type === "channel.updated") this.#channel(room, line.channel);
			else if (["message", "message.updated", "message.deleted"].includes(line.type)) this.#message(room, line, line.seq);
			else if (line.type === "thread.state") this.#own(room, line);
			else if (["thread.updated", "reactions.updated"].includes(line.type)) this.#part(room, line);
		}
		return this;
	}

	/** Room to its first message here: for state() of one that has more. */
	get since() {
		return new Map([...this.#rooms].map(([id, r]) => [id, r.messages.size > 0 ? Math.min(...r.messages.keys()) : 0]));
	}

	/** Equal for equal states, of the messages from these on. */
	state(since) {
		const sorted = (map, by) => [...map.values()].sort((a, b) => a[by] - b[by]);
		return [...this.#rooms].sort(([a], [b]) => a - b).map(([id, r]) => {
			const there = (seq) => seq >= (since?.get(id) ?? 0);
			return {
				id,
				channel: r.channel,
				// a reply that stands aside is loaded with its root alone, which one who came later may not see (history "joined")
				messages: sorted(r.messages, "seq")
					.filter((m) => there(m.seq))
					.filter((m) => !m.thread || m.in_channel || (r.messages.has(m.thread) && there(m.thread))),
				threads: sorted(r.threads, "root").filter((t) => there(t.root) && r.messages.get(t.root)?.replies),
			};
		});
	}
}
