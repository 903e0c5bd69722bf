// model: all that a client of one person keeps by what it loads and by events: of kinds, each an entry of KINDS, one of which is its
// channels with their messages (view.mjs) and one its counts of unread ones (unread.mjs).
//
//   const model = await new Model(me.id).load(me);      // what is there
//   model.cursor                                        // from there on it follows: each line, in order
//   model.take(line); await model.settle(me)            // what the lines ask for has been loaded
//   model.reads, model.drafts                           // what to say as reads= and drafts= when connecting
//   model.draft(channel, thread)                        // the version of a draft, 0: it knows of none
//   assert.deepEqual(model.state(), (await new Model(me.id).load(me)).state())
//   const then = remembering(me); await new Model(me.id).load(then)   // again and again: each time as it was then
//   const part = await new Model(me.id, { newest: true }).load(me);   // no more than the newest messages of each channel
//   assert.deepEqual(model.state(part.since), part.state())           // of one that has more

import { Unread } from "./unread.mjs";
import { View } from "./view.mjs";

const PASSES = 200; // of loading what is lacking, in which what is lacking by then comes too

const idOf = (cursor) => Number(cursor.split(".")[1]);

async function get(who, path) {
	const answer = await who.get(path);
	if (answer.status !== 200) throw Object.assign(new Error(`${path}: ${answer.status} ${answer.text}`), { status: answer.status });
	return answer;
}

/** All pages of a list: {items, cursor: the first page's}. */
async function list(who, path, name) {
	const items = [];
	let cursor, next = 0;
	do {
		const page = await get(who, `${path}${path.includes("?") ? "&" : "?"}limit=200&after=${next}`);
		cursor ??= page.headers["pulsechat-cursor"];
		items.push(...page.json[name]);
		next = page.json.next;
	} while (next !== null);
	return { items, cursor };
}

/** What has versions: the higher one is kept. */
class Versions {
	#of = new Map();

	put(thing) {
		if (thing.version > (this.#of.get(thing.id)?.version ?? 0)) this.#of.set(thing.id, thing);
	}

	all() {
		return [...this.#of.values()].sort((a, b) => a.id - b.id);
	}
}

/**
 * A kind of state: line(line) takes an event; open(who, model) loads what is there at the start; join(id), leave(id) and room(who, id)
 * (which loads it) are of one channel that the person is in; lacks tells whether a line asks for more, which more(who) loads; state() is
 * comparable. What a kind does not need it leaves out.
 */
const KINDS = {
	rooms: class {
		#view;
		constructor(_me, options) {
			this.#view = new View([], options);
		}
		join = (id) => this.#view.add(id);
		leave = (id) => this.#view.drop(id);
		room = (who, id) => this.#view.load(who, id);
		line = (line) => this.#view.take([line]);
		state = (since) => this.#view.state(since);
		since = () => this.#view.since;
	},

	/** Members have no version: what was loaded holds up to its cursor, and events count from there on. */
	members: class {
		#of = new Map(); // channel to {at, list: Map of user, news: lines since the load was asked for}
		join = (id) => this.#of.set(id, { at: 0, list: new Map(), news: [] });
		leave = (id) => this.#of.delete(id);

		async room(who, id) {
			const room = this.#of.get(id);
			const { items, cursor } = await list(who, `/api/v1/channels/${id}/members`, "members");
			room.at = idOf(cursor);
			room.list = new Map(items.map((m) => [m.user, m]));
			for (const line of room.news.splice(0)) this.#set(room, line);
			room.loaded = true;
		}

		line(line) {
			const room = /^member\./.test(line.type) && this.#of.get(line.channel);
			if (!room) return;
			if (!room.loaded) room.news.push(line);
			else this.#set(room, line);
		}

		#set(room, { type, cursor, ...member }) {
			if (idOf(cursor) <= room.at) return;
			if (type === "member.left") room.list.delete(member.user);
			else room.list.set(member.user, member);
		}

		state() {
			const rooms = [...this.#of].sort(([a], [b]) => a - b);
			return rooms.map(([id, { list: of }]) => ({ id, members: [...of.values()].sort((a, b) => a.user - b.user) }));
		}
	},

	/** Public channels that are not archived, whether the person is in them or not. */
	public: class {
		#channels = new Versions();
		#put = ({ id, kind, name, topic, archived, keep_days, mention_all, version }) =>
			kind === "public" && this.#channels.put({ id, name, topic, archived, keep_days, mention_all, version });

		async open(who) {
			for (const scope of ["public", "mine"]) (await list(who, `/api/v1/channels?scope=${scope}`, "channels")).items.forEach(this.#put);
		}

		room = async (who, id) => this.#put((await get(who, `/api/v1/channels/${id}`)).json);
		line = (line) => /^channel\./.test(line.type) && this.#put(line.channel);
		state = () => this.#channels.all().filter((c) => !c.archived);
	},

	users: class {
		#users = new Versions();
		open = async (who) => {
			for (let after = ""; after !== null; ) {
				const page = (await get(who, `/api/v1/users?limit=100${after && `&after=${encodeURIComponent(after)}`}`)).json;
				page.users.forEach((u) => this.#users.put(u));
				after = page.next;
			}
		};
		line = (line) => /^user\./.test(line.type) && this.#users.put(line.user);
		state = () => this.#users.all();
	},

	/** Of these it is gone that tells, too: what has been deleted comes back by no older list. */
	groups: class {
		#groups = new Versions();
		#gone = new Set();
		open = async (who) => {
			for (let after = ""; after !== null; ) {
				const page = (await get(who, `/api/v1/groups?limit=100${after && `&after=${encodeURIComponent(after)}`}`)).json;
				page.groups.forEach((g) => this.#groups.put(g));
				after = page.next;
			}
		};
		line(line) {
			if (line.type === "group.deleted") this.#gone.add(line.group);
			else if (/^group\./.test(line.type)) this.#groups.put(line.group);
		}
		state = () => this.#groups.all().filter((g) => !this.#gone.has(g.id));
	},

	/** What is pinned in each channel. */
	pins: class {
		#of = new Map();
		join = (id) => this.#of.set(id, null);
		leave = (id) => this.#of.delete(id);
		#put({ channel, pins, pins_version }) {
			const newer = this.#of.has(channel) && pins_version > (this.#of.get(channel)?.pins_version ?? -1);
			if (newer) this.#of.set(channel, { channel, pins, pins_version });
		}
		room = async (who, id) => this.#put((await get(who, `/api/v1/channels/${id}/pins`)).json);
		line = (line) => line.type === "pins.updated" && this.#put(line);
		state = () => [...this.#of.values()].sort((a, b) => a.channel - b.channel);
	},

	/** What one has saved. Of what is in a channel one hears that it is there again by loading; of a deletion by that alone. */
	saved: class {
		#rooms = new Set();
		#at = new Map(); // "channel seq" to when
		#gone = new Set(); // deleted messages
		#version = -1;
		#lacks = new Map(); // channels that were joined since it was loaded, to each time that they were
		join = (id) => this.#rooms.add(id) && this.#lacks.set(id, {});
		leave = (id) => this.#rooms.delete(id) && this.#lacks.delete(id);
		room = (who, id) => this.#lacks.has(id) && this.open(who);

		async open(who) {
			const lacks = [...this.#lacks];
			const { saved, version } = (await get(who, "/api/v1/me/saved")).json;
			if (version < this.#version) return this.open(who); // what came by event meanwhile is newer
			this.#version = version;
			this.#at = new Map(saved.map((x) => [`${x.channel} ${x.seq}`, x.at]));
			for (const [id, time] of lacks) if (this.#lacks.get(id) === time) this.#lacks.delete(id);
		}

		line(line) {
			const name = `${line.channel} ${line.seq}`;
			if (line.type === "message.deleted" || (line.type === "message" && line.deleted)) this.#gone.add(name);
			if (line.type !== "saved.updated" || line.version <= this.#version) return;
			this.#version = line.version;
			if (line.saved) this.#at.set(name, line.at);
			else this.#at.delete(name);
		}
		state() {
			const there = (name) => !this.#gone.has(name) && this.#rooms.has(Number(name.split(" ")[0]));
			return [...this.#at].filter(([name]) => there(name)).sort(([a], [b]) => (a < b ? -1 : 1));
		}
	},

	/** The threads that one follows, and whether there is something unread in them: state and replies each by their version. */
	followed: class {
		#rooms = new Map(); // channel to each time that it was joined
		#states = new Map(); // "channel root" to ThreadState
		#replies = new Map(); // the same to Replies
		lacks = false; // follows one whose replies are not known
		#forget(id) {
			for (const map of [this.#states, this.#replies]) for (const key of map.keys()) if (key.startsWith(`${id} `)) map.delete(key);
		}
		join = (id) => (this.#forget(id), this.#rooms.set(id, {}));
		leave = (id) => this.#rooms.delete(id);
		room = (who) => this.open(who);
		more = (who) => this.open(who);

		async open(who) {
			this.lacks = false;
			const then = new Map(this.#rooms);
			for (let before = ""; before !== null; ) {
				const page = (await get(who, `/api/v1/me/threads?limit=50${before && `&before=${before}`}`)).json;
				for (const { state, root } of page.threads)
					if (this.#rooms.get(state.channel) === then.get(state.channel)) {
						this.#put(this.#states, state.channel, state.root, state);
						this.#put(this.#replies, state.channel, state.root, root.replies);
					}
				before = page.next;
			}
		}

		#put(map, channel, root, thing) {
			const key = `${channel} ${root}`;
			if (this.#rooms.has(channel) && thing.version > (map.get(key)?.version ?? 0)) map.set(key, thing);
		}

		line({ type, cursor: _cursor, ...line }) {
			if (line.replies) this.#put(this.#replies, line.channel, line.seq, line.replies);
			if (type !== "thread.state") return;
			this.#put(this.#states, line.channel, line.root, line);
			if (line.following && !this.#replies.has(`${line.channel} ${line.root}`)) this.lacks = true;
		}

		state() {
			const all = [...this.#states].map(([key, state]) => ({ ...state, replies: this.#replies.get(key) }));
			return all
				.filter((s) => s.following && this.#rooms.has(s.channel) && s.replies?.count > 0)
				.map((s) => ({ ...s, unread: s.replies.last_seq > s.seq }))
				.sort((a, b) => a.channel - b.channel || a.root - b.root);
		}
	},

	/** Their lines are in no log: who says at connecting what he knows is told what he has missed. */
	drafts: class {
		#rooms = new Set();
		#of = new Map(); // "channel thread" to Draft
		#long = new Set(); // those that came without their text
		join = (id) => this.#rooms.add(id);
		leave(id) {
			this.#rooms.delete(id);
			for (const key of this.#of.keys()) if (key.startsWith(`${id} `)) this.#of.delete(key);
		}
		room = (who) => this.open(who);

		async open(who) {
			let after = 0, thread = 0;
			do {
				const page = (await get(who, `/api/v1/me/drafts?limit=50&after=${after}&after_thread=${thread}`)).json;
				page.drafts.forEach((d) => this.#put(d));
				[after, thread] = [page.next, page.next_thread ?? 0];
			} while (after !== null);
		}

		#put({ type: _type, ...draft }) {
			const key = `${draft.channel} ${draft.thread ?? 0}`;
			if (this.#rooms.has(draft.channel) && draft.version > (this.#of.get(key)?.version ?? 0)) this.#of.set(key, draft);
		}

		line(line) {
			if (line.type !== "draft") return;
			if (line.text !== undefined) this.#put(line);
			else if (line.version > this.version(line.channel, line.thread)) this.#long.add(`${line.channel} ${line.thread ?? 0}`);
		}

		get lacks() {
			return this.#long.size > 0;
		}

		async more(who) {
			for (const key of this.#long) {
				this.#long.delete(key);
				const [channel, thread] = key.split(" ").map(Number);
				const answer = await who.get(`/api/v1/channels/${channel}/draft${thread ? `?thread=${thread}` : ""}`);
				if (answer.status === 200) this.#put(answer.json);
				else if (![403, 404].includes(answer.status)) throw new Error(`a draft: ${answer.status} ${answer.text}`);
			}
		}

		version = (channel, thread) => this.#of.get(`${channel} ${thread ?? 0}`)?.version ?? 0;
		#counts = (d) => d.text !== "" || d.files.length > 0 || d.reply_to !== null;
		#held = () => [...this.#of.values()].filter((d) => this.#rooms.has(d.channel));
		get sum() {
			return this.#held().reduce((sum, d) => sum + (d.thread === null || this.#counts(d) ? d.version : 0), 0);
		}
		state = () => this.#held().filter(this.#counts).sort((a, b) => a.channel - b.channel || a.thread - b.thread);
	},

	/** What one wants of each channel. */
	prefs: class {
		#of = new Map();
		join = (id) => this.#of.set(id, null);
		leave = (id) => this.#of.delete(id);
		#put = (id, prefs) => this.#of.has(id) && prefs.version > (this.#of.get(id)?.version ?? -1) && this.#of.set(id, prefs);
		open = async (who) => (await list(who, "/api/v1/channels", "channels")).items.forEach((c) => this.#put(c.id, c.prefs));
		room = async (who, id) => this.#of.get(id) === null && this.#put(id, (await get(who, `/api/v1/channels/${id}`)).json.prefs);
		line = (line) => line.type === "prefs.updated" && this.#put(line.channel, line.prefs);
		state = () => [...this.#of].sort(([a], [b]) => a - b);
	},

	sidebar: class {
		#held = null;
		#put = (sidebar) => sidebar.version > (this.#held?.version ?? -1) && (this.#held = sidebar);
		open = async (who) => this.#put((await get(who, "/api/v1/me/sidebar")).json);
		line = (line) => line.type === "sidebar.updated" && this.#put(line.sidebar);
		state = () => this.#held;
	},

	settings: class {
		#settings = new Versions();
		open = async (who) => this.#settings.put({ id: 0, ...(await get(who, "/api/v1/me/settings")).json });
		line = (line) => line.type === "settings.updated" && this.#settings.put({ id: 0, ...line.settings });
		state = () => this.#settings.all();
	},

	/** An answer that is older than what was heard is held against that. */
	emoji: class {
		#all = new Map(); // name to the emoji, null: removed; and the version as of which that is so
		#put = (name, emoji, version) => version > (this.#all.get(name)?.version ?? 0) && this.#all.set(name, { emoji, version });

		async open(who) {
			const { emoji, version } = (await get(who, "/api/v1/emoji")).json;
			for (const name of this.#all.keys()) if (!emoji.some((e) => e.name === name)) this.#put(name, null, version);
			for (const e of emoji) this.#put(e.name, e, e.version);
		}

		line = (line) => line.type === "emoji.updated" && this.#put(line.name, line.emoji, line.version);
		state = () => [...this.#all.values()].flatMap((x) => x.emoji ?? []).sort((a, b) => a.version - b.version);
	},

	unread: class {
		constructor(me) {
			this.unread = new Unread(me);
			this.ids = new Set();
		}
		join = (id) => this.ids.add(id);
		leave = (id) => this.ids.delete(id);
		line = (line) => this.unread.line(line);
		state = () => [...this.ids].sort((a, b) => a - b).map((id) => ({ id, ...this.unread.of(id) }));
	},
};

/** A client that answers the same each time it is asked the same. */
export function remembering(who) {
	const answers = new Map();
	return { get: (path) => answers.get(path) ?? answers.set(path, who.get(path)).get(path) };
}

export class Model {
	#me;
	#options;
	#kinds;
	#wanted = new Set(); // channels whose state is to be loaded
	#all = false; // or everything
	#loading = null;
	cursor;

	constructor(me, options) {
		this.#me = me;
		this.#options = options;
		this.#empty();
	}

	#empty() {
		this.#kinds = Object.fromEntries(Object.entries(KINDS).map(([name, Kind]) => [name, new Kind(this.#me, this.#options)]));
		this.rooms = new Set();
		this.#wanted.clear();
	}

	#each(what, ...args) {
		for (const kind of Object.values(this.#kinds)) kind[what]?.(...args);
	}

	#join(id) {
		this.rooms.add(id);
		this.#each("join", id);
		this.#wanted.add(id);
	}

	#leave(id) {
		this.rooms.delete(id);
		this.#each("leave", id);
		this.#wanted.delete(id);
	}

	/** The unread counts of all channels, and which these are. */
	async #channels(who) {
		const { unread } = this.#kinds.unread;
		const at = unread.at;
		const { items, cursor } = await list(who, "/api/v1/channels", "channels");
		unread.load(items.filter((c) => this.rooms.has(c.id)), at);
		return { items, cursor };
	}

	async load(who) {
		this.#all = false;
		const kinds = this.#kinds;
		const { items, cursor } = await list(who, "/api/v1/channels", "channels");
		this.cursor ??= cursor;
		for (const c of items) if (!this.rooms.has(c.id)) this.#join(c.id);
		for (const kind of Object.values(kinds)) await kind.open?.(who);
		await this.#channels(who);
		await this.settle(who);
		return this;
	}

	take(line) {
		if (line.type === "reset") {
			this.#empty();
			this.#all = true;
		} else if (line.type === "member.left" && line.user === this.#me) this.#leave(line.channel);
		else if (line.type === "member.joined" && line.user === this.#me) this.#join(line.channel);
		this.#each("line", line);
		if (line.cursor !== undefined && line.type !== "hello") this.cursor = line.cursor;
	}

	/** What is to be loaded, in words. */
	get #lacks() {
		const unread = [...this.#kinds.unread.unread.wanted].map((id) => `unread of ${id}`);
		const more = Object.entries(this.#kinds).flatMap(([name, kind]) => (kind.lacks ? [`more ${name}`] : []));
		return [...(this.#all ? ["all"] : []), ...[...this.#wanted].map((id) => `channel ${id}`), ...unread, ...more];
	}

	/** Loads what is lacking, and what is lacking by then. */
	settle(who) {
		if (this.#lacks.length === 0) return this.#loading ?? undefined;
		return (this.#loading ??= this.#settle(who).finally(() => (this.#loading = null)));
	}

	async #settle(who) {
		for (let pass = 1; this.#lacks.length > 0; pass++) {
			if (pass > PASSES) throw new Error(`after ${PASSES} passes it still lacks ${this.#lacks.join(", ")}`);
			if (this.#all) {
				this.#all = false;
				const { items } = await list(who, "/api/v1/channels", "channels");
				for (const c of items) if (!this.rooms.has(c.id)) this.#join(c.id);
				for (const kind of Object.values(this.#kinds)) await kind.open?.(who);
			}
			for (const id of this.#wanted) {
				this.#wanted.delete(id);
				try {
					for (const kind of Object.values(this.#kinds)) if (this.rooms.has(id)) await kind.room?.(who, id);
				} catch (e) {
					if (![403, 404].includes(e.status)) throw e; // he is out again, and hears of it
				}
			}
			for (const kind of Object.values(this.#kinds)) if (kind.lacks) await kind.more(who);
			const { unread } = this.#kinds.unread;
			const before = new Set(unread.wanted);
			if (before.size > 0) {
				const { items } = await this.#channels(who);
				for (const id of before) if (!this.rooms.has(id) || !items.some((c) => c.id === id)) unread.wanted.delete(id); // out again
			}
		}
	}

	get reads() {
		return this.#kinds.unread.unread.reads;
	}

	get drafts() {
		return this.#kinds.drafts.sum;
	}

	draft(channel, thread) {
		return this.#kinds.drafts.version(channel, thread);
	}

	/** Where what it has of each channel begins. */
	get since() {
		return this.#kinds.rooms.since();
	}

	/** {kind: state} of all kinds; of the messages from `since` on. */
	state(since) {
		return Object.fromEntries(Object.entries(this.#kinds).map(([name, kind]) => [name, kind.state(since)]));
	}
}
