// view: the messages of channels as a client holds them: by what it loads and by events, which set state and may be late, doubled
// or of a newer state than their place in the log.
//
//   const view = new View([room]); await view.load(alice); view.take(lines); assert.deepEqual(view.state(), …)

/** A newer message keeps newer reactions, and the other way round. */
function join(held, m) {
	const { type: _type, cursor: _cursor, ...told } = m;
	const newer = !held || told.version > held.version ? told : held;
	if (newer.deleted) return newer;
	const of = (x) => (x?.deleted ? 0 : x?.reactions_version ?? 0);
	const by = of(told) > of(held) ? told : held ?? told;
	const { reactions: _r, reactions_version: _v, ...rest } = newer;
	return of(by) ? { ...rest, reactions: by.reactions, reactions_version: by.reactions_version } : rest;
}

export class View {
	#rooms = new Map(); // id to {channel, messages: Map of seq}

	constructor(rooms) {
		for (const id of rooms) this.add(id);
	}

	/** A room as of nothing: for one that was joined, whatever was held of it before. */
	add(id) {
		this.#rooms.set(id, { channel: null, messages: new Map() });
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
				const page = await ok(`/api/v1/channels/${id}/messages?after=${after}&limit=200`);
				for (const m of page.messages) room.messages.set((after = m.seq), join(room.messages.get(m.seq), m));
				more = page.has_after;
			}
		}
		return this;
	}

	#channel(room, c) {
		const { name, topic, archived, version } = c;
		if (!room.channel || version > room.channel.version) room.channel = { name, topic, archived, version };
	}

	take(lines) {
		for (const line of lines) {
			const room = this.#rooms.get(line.channel?.id ?? line.channel);
			if (!room) continue;
			const held = room.messages.get(line.seq);
			if (line.type === "channel.updated") this.#channel(room, line.channel);
			else if (["message", "message.updated", "message.deleted"].includes(line.type)) room.messages.set(line.seq, join(held, line));
			else if (line.type === "reactions.updated" && held && !held.deleted && line.reactions_version > (held.reactions_version ?? 0))
				room.messages.set(line.seq, { ...held, reactions: line.reactions, reactions_version: line.reactions_version });
		}
		return this;
	}

	/** Equal for equal states. */
	state() {
		const rooms = [...this.#rooms].sort(([a], [b]) => a - b);
		return rooms.map(([id, r]) => ({ id, channel: r.channel, messages: [...r.messages.values()].sort((a, b) => a.seq - b.seq) }));
	}
}
