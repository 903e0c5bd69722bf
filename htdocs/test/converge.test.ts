// By events and by a fresh load the same comes out. A small server makes a log of everything that can happen; one client
// starts somewhere and follows, with replays, holes, late answers and pages in any mixture; another loads at the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasGap, tailSeq } from '../src/model/log';
import { reduce, type Action } from '../src/model/reduce';
import type { State } from '../src/model/state';
import { doubtful, markOf, unreadOf } from '../src/model/unread';
import type { Channel, Line, Member, Message, MessagePage, User } from '../src/model/types';
import { ME, channel, membership, message, pending, seeded, signedIn, user, uuid } from './help';

interface Room {
	channel: Channel;
	messages: Message[];
	members: Map<number, Member>;
	read: number; // ME's marker
	version: number; // of it
}

class Server {
	rooms = new Map<number, Room>();
	users = new Map<number, User>();
	/* What ME gets, in order. */
	log: Line[] = [];

	constructor(private random: () => number) {
		for (const id of [ME, 7, 8, 9]) this.users.set(id, user(id));
		for (const id of [1, 2, 3]) {
			this.rooms.set(id, { channel: channel(id, { membership: null }), messages: [], members: new Map(), read: 0, version: 0 });
			for (const who of [ME, 7]) this.join(id, who);
		}
	}

	below = (n: number): number => Math.floor(this.random() * n);
	mine = (id: number): boolean => this.rooms.get(id)!.members.has(ME);

	/* What the log holds for ME: events of rooms ME is in, and the own leaving. */
	private say(id: number | null, line: Line, always = false): void {
		if (id === null || always || this.mine(id)) this.log.push({ ...structuredClone(line), cursor: String(this.log.length + 1) });
	}

	post(id: number, sender: number, client_id: string): Message {
		const room = this.rooms.get(id)!;
		const m = message(id, room.messages.length + 1, { sender, client_id });
		room.messages.push(m);
		this.say(id, { type: 'message', ...m });
		return m;
	}
	edit(id: number, seq: number, gone: boolean): void {
		const room = this.rooms.get(id)!;
		const held = room.messages[seq - 1]!;
		if (held.deleted) return;
		const { body, client_id, ...rest } = held;
		const version = held.version + 1;
		const m: Message = gone ? { ...rest, version, deleted: true } : { ...held, version, body: { text: `edited ${version}` } };
		room.messages[seq - 1] = m;
		if (gone) {
			delete m.reactions;
			delete m.reactions_version;
		} else m.edited_at = `edit ${version}`;
		this.say(id, { type: gone ? 'message.deleted' : 'message.updated', ...m });
	}
	/* Adds or takes away one's own; what is told is the whole list. */
	react(id: number, seq: number, who: number): void {
		const room = this.rooms.get(id)!;
		const held = room.messages[seq - 1]!;
		if (held.deleted || !room.members.has(who)) return;
		const emoji = ['👍', '🎉', '❤\u{fe0f}'][this.below(3)]!;
		const list = (held.reactions ?? []).map((r) => ({ ...r, users: r.users.filter((u) => r.emoji !== emoji || u !== who) }));
		const had = held.reactions?.some((r) => r.emoji === emoji && r.users.includes(who));
		const there = list.find((r) => r.emoji === emoji);
		if (!had && there) there.users.push(who);
		else if (!had) list.push({ emoji, count: 1, users: [who] });
		const reactions = list.filter((r) => r.users.length).map((r) => ({ ...r, count: r.users.length }));
		const reactions_version = (held.reactions_version ?? 0) + 1;
		room.messages[seq - 1] = { ...held, reactions, reactions_version };
		this.say(id, { type: 'reactions.updated', channel: id, seq, reactions, reactions_version, user: who });
	}
	join(id: number, who: number): void {
		const room = this.rooms.get(id)!;
		if (room.members.has(who)) return;
		const m: Member = { channel: id, user: who, role: 'member', since: room.messages.length + 1, joined_at: '', muted_until: null };
		room.members.set(who, m);
		if (who === ME) Object.assign(room, { read: room.messages.length, version: 0 });
		this.say(id, { type: 'member.joined', ...m });
	}
	leave(id: number, who: number): void {
		if (!this.rooms.get(id)!.members.has(who)) return;
		this.say(id, { type: 'member.left', channel: id, user: who });
		this.rooms.get(id)!.members.delete(who);
	}
	/* Another role, or a mute. */
	moderate(id: number, who: number): void {
		const m = this.rooms.get(id)!.members.get(who);
		if (!m) return;
		if (this.random() < 0.5) m.role = (['owner', 'moderator', 'member'] as const)[this.below(3)]!;
		else m.muted_until = m.muted_until ? null : 'forever';
		this.say(id, { type: 'member.updated', ...m });
	}
	rename(id: number): void {
		const room = this.rooms.get(id)!;
		const archived = room.channel.version % 2 === 1;
		room.channel = { ...room.channel, version: room.channel.version + 1, topic: `topic ${room.channel.version}`, archived };
		const { membership: _m, peer: _p, ...bare } = this.snapshot(id);
		this.say(id, { type: 'channel.updated', channel: bare });
	}
	call(who: number): void {
		const u = this.users.get(who)!;
		this.users.set(who, { ...u, version: u.version + 1, name: `name ${u.version}` });
		this.say(null, { type: 'user.updated', user: this.users.get(who)! });
	}
	/* By another device of ME. Has no cursor, so it is not replayed from a log. */
	read(id: number, seq: number): Line {
		const room = this.rooms.get(id)!;
		if (seq > room.read) Object.assign(room, { read: seq, version: room.version + 1 });
		const { last_read_seq, read_version, ...counters } = this.snapshot(id).membership!;
		return { type: 'read', channel: id, last_seq: room.messages.length, ...counters, seq: last_read_seq, version: read_version };
	}

	snapshot(id: number): Channel {
		const room = this.rooms.get(id)!;
		const above = room.messages.filter((m) => m.seq > room.read && m.sender !== ME);
		const unread = above.filter((m) => !m.deleted).length;
		const gone = above.filter((m) => m.deleted).map((m) => m.seq);
		const counters = { last_read_seq: room.read, read_version: room.version, unread, gone: gone.length > 50 ? null : gone };
		const mine = room.members.get(ME);
		return structuredClone({
			...room.channel,
			last_seq: room.messages.length,
			members: room.members.size,
			membership: mine ? membership({ since: mine.since, role: mine.role, muted_until: mine.muted_until, ...counters }) : null,
		});
	}
	channels = (): Channel[] => [...this.rooms.keys()].filter(this.mine).map((id) => this.snapshot(id));
	page(id: number, where: { before?: number; after?: number }, limit: number): MessagePage {
		const all = this.rooms.get(id)!.messages;
		const { before = Infinity, after } = where;
		const range = all.filter((m) => m.seq < before && m.seq > (after ?? 0));
		const messages = after === undefined ? range.slice(-limit) : range.slice(0, limit);
		const first = messages[0]?.seq ?? 1;
		const last = messages[messages.length - 1]?.seq ?? after ?? 0;
		return structuredClone({ messages, has_before: first > 1, has_after: last < all.length });
	}
}

/* A client that does with lines and answers what sync/ does. Answers arrive some events later than they were made. */
class Follower {
	s: State;
	at: number;
	private answers: { due: number; give: () => Action | null }[] = [];

	constructor(
		private server: Server,
		private random: () => number,
	) {
		this.s = { ...signedIn(...server.channels()), users: Object.fromEntries(server.users) };
		this.at = server.log.length;
	}
	do(a: Action): void {
		this.s = reduce(this.s, a);
	}
	private leaves = new Map<number, number>();
	private changed = new Set<number>();
	private asks = 0;
	private answered = new Map<number, number>();
	/* An answer comes when some more lines have come, or at the end. */
	ask(give: () => Action | null): void {
		this.answers.push({ due: this.at + Math.floor(this.random() * 8), give });
	}
	/* As the loader: an answer that was asked for before the own leaving is not to bring the channel back. */
	askChannel(id: number): void {
		const left = this.leaves.get(id);
		const channel = this.server.snapshot(id);
		const { heard } = this.s;
		const ask = ++this.asks;
		this.ask(() => {
			if (this.leaves.get(id) !== left) return null;
			// It has changed before we had it.
			if (this.changed.delete(id)) this.askChannel(id);
			// A later asking has been answered.
			if ((this.answered.get(id) ?? 0) > ask) return null;
			this.answered.set(id, ask);
			return { type: 'channel', channel, heard };
		});
	}
	deliver(all = false): void {
		const due = this.answers.filter((a) => all || a.due <= this.at);
		this.answers = this.answers.filter((a) => !due.includes(a));
		for (const { give } of due) {
			const a = give();
			if (a) this.do(a);
		}
	}
	/* Takes the next n lines in one batch, after the last few once more. */
	follow(n: number, again = 0): void {
		const from = Math.max(0, this.at - again);
		const batch = this.server.log.slice(from, this.at + n);
		this.at = Math.min(this.server.log.length, this.at + n);
		for (const l of batch) {
			const id = l.type === 'channel.updated' ? (l.channel as Channel).id : (l.channel as number);
			if (l.type !== 'message' && !this.s.channels[id]) this.changed.add(id);
		}
		this.do({ type: 'lines', lines: structuredClone(batch) });
		for (const l of batch) {
			const id = l.channel as number;
			if (l.type === 'member.left' && l.user === ME) this.leaves.set(id, (this.leaves.get(id) ?? 0) + 1);
			if (l.type === 'member.joined' && l.user === ME && this.server.mine(l.channel as number)) {
				this.askChannel(id); // messages come before the answer
			} else if (l.type.startsWith('member.') && this.s.channels[l.channel as number]) this.askChannel(l.channel as number);
		}
		for (const id of Object.keys(this.s.logs).map(Number)) this.fill(id);
		this.settle();
		this.deliver();
		this.check();
	}
	/* As the client: where the counters cannot be told the channel is loaded. */
	settle(): boolean {
		const doubt = Object.keys(this.s.channels).map(Number).filter((id) => doubtful(this.s, id));
		for (const id of doubt) this.askChannel(id);
		return doubt.length > 0;
	}
	fill(id: number): void {
		for (let n = 0; this.s.logs[id] && hasGap(this.s.logs[id]); n++) {
			assert.ok(n < 50, 'a hole that cannot be filled');
			const after = tailSeq(this.s.logs[id]);
			this.do({ type: 'log/after', channel: id, after, page: this.server.page(id, { after }, 7) });
		}
	}
	open(id: number): void {
		if (!this.s.channels[id] || this.s.logs[id]) return;
		this.do({ type: 'log/open', channel: id });
		const limit = Math.max(10, this.s.channels[id].membership!.unread + 5);
		const page = this.server.page(id, {}, limit);
		this.ask(() => ({ type: 'log/newest', channel: id, page }));
	}
	older(id: number): void {
		const log = this.s.logs[id];
		const before = log?.messages[0]?.seq;
		if (!log || log.status !== 'ready' || !log.hasBefore || log.loadingBefore || before === undefined) return;
		this.do({ type: 'log/loading-before', channel: id });
		const page = this.server.page(id, { before }, 6);
		this.ask(() => ({ type: 'log/before', channel: id, before, page }));
	}
	members(id: number): void {
		const list = [...this.server.rooms.get(id)!.members.values()];
		if (this.s.channels[id] && !this.s.members[id])
			this.do({ type: 'members', channel: id, members: structuredClone(list), next: null, first: true });
	}
	/* What must hold at any moment. */
	check(): void {
		for (const [id, log] of Object.entries(this.s.logs)) {
			assert.ok(this.s.channels[Number(id)], `a log without its channel: ${id}`);
			log.messages.forEach((m, i) => i && assert.equal(m.seq, log.messages[i - 1]!.seq + 1, `channel ${id}: a hole or a double`));
		}
		for (const c of Object.values(this.s.channels)) {
			const n = unreadOf(c);
			assert.ok(n >= 0 && n <= Math.max(0, c.last_seq - markOf(c)), `channel ${c.id}: ${n} unread`);
		}
		assert.equal(new Set(this.s.outbox.map((p) => p.client_id)).size, this.s.outbox.length);
	}
}

/* A message without the line around it. */
function bareOf(m: Message): Message {
	const { type: _t, cursor: _c, ...bare } = m as Message & { type?: string; cursor?: string };
	return bare;
}

/* What a person sees of it, without what only says how much is loaded. */
function view(s: State) {
	const channels = Object.values(s.channels).map((c) => ({ ...c, membership: { ...c.membership, gone: null } }));
	const members = Object.entries(s.members).map(([id, m]) => [id, m.list.map((x) => [x.user, x.role, x.muted_until].join()).sort()]);
	return { channels, users: s.users, outbox: s.outbox, members: Object.fromEntries(members) as Record<string, string[]> };
}

function round(seed: number): void {
	const random = seeded(seed);
	const server = new Server(random);
	let f: Follower | null = null;
	let written = 0;
	for (let step = 0; step < 250; step++) {
		if (step === 20) f = new Follower(server, random);
		const id = 1 + server.below(3);
		const room = server.rooms.get(id)!;
		const n = room.messages.length;
		switch (server.below(20)) {
			case 0:
			case 1:
			case 2:
			case 3:
				server.post(id, 7 + server.below(3), uuid(step));
				break;
			case 4:
				// By another device.
				if (server.mine(id)) server.post(id, ME, uuid(step));
				break;
			case 5:
				if (f?.s.channels[id] && server.mine(id)) {
					const p = pending(10_000 + ++written, { channel: id, at: step, state: 'sending' });
					f.do({ type: 'outbox/add', items: [p] });
					const m = server.post(id, ME, p.client_id);
					const ack: Line = { type: 'ack', client_id: p.client_id, channel: id, seq: m.seq, id: m.id };
					if (random() < 0.5) f.do({ type: 'lines', lines: [ack] });
					else f.ask(() => ({ type: 'lines', lines: [ack] }));
				}
				break;
			case 6:
				if (n) server.edit(id, 1 + server.below(n), random() < 0.4);
				break;
			case 7:
				server.rename(id);
				break;
			case 8:
				server.call([ME, 7, 8, 9][server.below(4)]!);
				break;
			case 9:
				if (random() < 0.5) server.join(id, 8 + server.below(2));
				else server.leave(id, 8 + server.below(2));
				break;
			case 10:
				if (random() < 0.3) server.leave(id, ME);
				else server.join(id, ME);
				break;
			case 11:
				if (f && server.mine(id)) {
					const line = server.read(id, random() < 0.5 ? n : server.below(n + 1));
					f.do({ type: 'lines', lines: [line] });
				}
				break;
			case 12:
				f?.open(id);
				f?.members(id);
				break;
			case 13:
				f?.older(id);
				break;
			case 14:
			case 15:
				if (n) server.react(id, 1 + server.below(n), [ME, 7, 8, 9][server.below(4)]!);
				break;
			case 16:
				server.moderate(id, [ME, 7, 8, 9][server.below(4)]!);
				break;
			default:
				// Often it is up to date, so that an answer can be older than what has been followed since.
				f?.follow(random() < 0.6 ? server.log.length - f.at : 1 + server.below(8), server.below(3) ? 0 : server.below(10));
		}
	}
	if (!f) throw new Error('no follower');
	while (f.at < server.log.length) f.follow(5);
	f.deliver(true);
	f.deliver(true);
	for (let n = 0; f.settle(); n++) {
		assert.ok(n < 3, `seed ${seed}: doubt that no answer ends`);
		f.deliver(true);
	}
	let fresh: State = { ...signedIn(), users: Object.fromEntries(server.users) };
	fresh = reduce(fresh, { type: 'channels', channels: server.channels(), asked: [] });
	const [a, b] = [view(f.s), view(fresh)];
	assert.deepEqual(a.outbox, [], `seed ${seed}: own messages left`);
	assert.deepEqual(a.users, b.users, `seed ${seed}`);
	assert.deepEqual(a.channels, b.channels, `seed ${seed}`);
	for (const [id, log] of Object.entries(f.s.logs)) {
		const first = log.messages[0]?.seq ?? 1;
		assert.equal(log.status, 'ready');
		const bare = log.messages.map(bareOf);
		assert.deepEqual(bare, server.rooms.get(Number(id))!.messages.slice(first - 1), `seed ${seed}: channel ${id}`);
		assert.equal(log.hasBefore, first > 1, `seed ${seed}: channel ${id}`);
	}
	for (const [id, list] of Object.entries(a.members)) {
		const there = [...server.rooms.get(Number(id))!.members.values()].map((m) => [m.user, m.role, m.muted_until].join()).sort();
		assert.deepEqual(list, there, `seed ${seed}: members of ${id}`);
	}
	// Much of the log once more: events set state, they never add to it.
	const before = f.s;
	f.do({ type: 'lines', lines: server.log.filter((l) => !l.type.startsWith('member.')) });
	assert.deepEqual([view(f.s), f.s.logs], [view(before), before.logs], `seed ${seed}: replayed`);
}

test('by events, with replays, late answers and pages: the same as by a fresh load', () => {
	for (let seed = 1; seed <= 60; seed++) round(seed);
});
