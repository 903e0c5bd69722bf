// Unread messages and mentions, by random interleavings of messages, edits, deletions, own markers of other devices (their lines early, late
// or lost), answers and pages, which all come to what the server counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../src/model/reduce';
import type { Channel, Line, Message, MessageBody, OwnMarks } from '../src/model/types';
import { doubtful, markOf, waits } from '../src/model/unread';
import { channel, marks, ME, membership, message, page, seeded, signedIn } from './help';
import { AT, deleted, lines, mentions, one, own, run, said, unread } from './unread_help';

interface Stored {
	sender: number;
	mention: boolean;
	wide: boolean; // it names the channel
	gone: boolean;
	version: number;
}

/* A channel as the server keeps it. */
class Truth {
	list: Stored[] = [];
	log: Line[] = [];
	mark = 0;
	from: number | null = null;
	version = 0;
	private edited = 0; // the highest seq of those that an edit has made name ME, or no more
	private past: { seq: number; gone: Set<number>; wide: Set<number> }[] = [];

	constructor(private random: () => number) {}
	below = (n: number): number => Math.floor(this.random() * n);

	send(): void {
		const sender = this.random() < 0.2 ? ME : 7 + this.below(3);
		const mention = this.random() < 0.3;
		const wide = this.random() < 0.2;
		this.list.push({ sender, mention, wide, gone: false, version: 1 });
		this.log.push(said(this.list.length, { sender, body: this.body(this.list.at(-1)!) }) as unknown as Line);
	}
	/* Where it named ME and was unread a line tells. */
	remove(): Line | null {
		if (!this.list.length) return null;
		const seq = 1 + (this.random() < 0.7 ? Math.max(0, this.list.length - 1 - this.below(12)) : this.below(this.list.length));
		const m = this.list[seq - 1]!;
		if (m.gone) return null;
		m.gone = true;
		this.log.push(deleted(seq, { sender: m.sender, version: m.version + 1 }) as unknown as Line);
		if (!m.mention || m.sender === ME || seq <= this.effective) return null;
		this.version++;
		return this.line();
	}
	/* Names ME, or no more, by name or by a group; the channel no more, of which no line tells. Who is told is ordered
	 * with the own marker: no later line is of a snapshot from before. */
	edit(): Line | null {
		if (!this.list.length) return null;
		const seq = 1 + (this.random() < 0.7 ? Math.max(0, this.list.length - 1 - this.below(12)) : this.below(this.list.length));
		const m = this.list[seq - 1]!;
		if (m.gone) return null;
		m.version++;
		const changes = this.random() < 0.7;
		if (changes) m.mention = !m.mention;
		if (this.random() < 0.5) m.wide = false;
		const after = said(seq, { sender: m.sender, version: m.version, edited_at: AT, body: this.body(m) });
		this.log.push({ ...after, type: 'message.updated' } as unknown as Line);
		if (!changes || m.sender === ME) return null;
		this.edited = Math.max(this.edited, seq);
		if (seq <= this.effective) return null;
		this.version++;
		return this.line();
	}
	private body = (m: Stored): MessageBody => ({
		text: 'x',
		...(m.mention || m.wide ? { mentions: [...(m.mention && m.version % 2 ? [ME] : []), ...(m.wide ? ['channel'] : [])] } : {}),
		...(m.mention && m.version % 2 === 0 ? { reached: { 'group:4': [3, ME] } } : {}),
	});
	read(to: number): Line | null {
		const before = [this.mark, this.from];
		const target = Math.min(to, this.list.length);
		if (this.from !== null && target >= this.from) this.from = target < this.mark ? target + 1 : null;
		this.mark = Math.max(this.mark, target);
		return this.changed(before);
	}
	unread(seq: number): Line | null {
		const before = [this.mark, this.from];
		this.from = seq <= this.mark ? seq : null;
		return this.changed(before);
	}
	private changed(before: (number | null)[]): Line | null {
		if (before[0] === this.mark && before[1] === this.from) return null;
		this.version++;
		// Now and then of a snapshot from a little before.
		const then = this.past[this.past.length - 1 - this.below(3)];
		const fits = this.random() < 0.3 && then && then.seq >= Math.max(this.effective, this.edited);
		return fits ? this.line(then.seq, then.gone, then.wide) : this.line();
	}
	/* Remembers the messages as they are. */
	look(): void {
		this.past.push({ seq: this.list.length, gone: this.gone, wide: this.wide });
		if (this.past.length > 5) this.past.shift();
	}
	get effective(): number {
		return this.from === null ? this.mark : this.from - 1;
	}
	private get gone(): Set<number> {
		return new Set(this.list.flatMap((m, i) => (m.gone ? [i + 1] : [])));
	}
	private get wide(): Set<number> {
		return new Set(this.list.flatMap((m, i) => (m.wide ? [i + 1] : [])));
	}
	marks(last_seq = this.list.length, gone = this.gone, wide = this.wide): OwnMarks {
		const above = this.list.map((m, i) => ({ ...m, seq: i + 1 })).filter((m) => m.seq > this.effective && m.seq <= last_seq && m.sender !== ME);
		const left = above.filter((m) => !gone.has(m.seq));
		const byChannel = left.filter((m) => wide.has(m.seq) && !m.mention).map((m) => m.seq);
		const out = above.filter((m) => gone.has(m.seq)).map((m) => m.seq);
		return marks({
			seq: this.mark,
			version: this.version,
			last_seq,
			unread: left.length,
			mentions: left.filter((m) => m.mention).length + byChannel.length,
			wide: byChannel.length > 5 ? null : byChannel,
			unread_from: this.from,
			gone: out.length > 5 ? null : out, // 50 in earnest
		});
	}
	private line = (last?: number, gone?: Set<number>, wide?: Set<number>): Line =>
		({ type: 'read', channel: 1, ...this.marks(last, gone, wide) }) as unknown as Line;
	channel(): Channel {
		const { seq, version, last_seq, ...counters } = this.marks();
		return channel(1, { last_seq, membership: membership({ ...counters, last_read_seq: seq, read_version: version }) });
	}
	page(before: number, n: number): Message[] {
		const first = Math.max(1, before - n);
		return this.list.slice(first - 1, before - 1).map((m, i) => {
			const { body: _, ...rest } = message(1, first + i, { sender: m.sender, version: m.version });
			return m.gone ? { ...rest, version: m.version + 1, deleted: true as const } : { ...rest, body: this.body(m) };
		});
	}
}

function round(seed: number, losses: boolean): number {
	const random = seeded(seed);
	const t = new Truth(random);
	for (let i = t.below(30); i > 0; i--) t.send();
	t.read(t.below(20));
	let s = signedIn(t.channel());
	let at = t.log.length;
	/* Lines of the own marker and answers, on their way. Each comes by its own way, so in any order. */
	let way: { due: number; action: Action }[] = [];
	let step = 0;
	let asks = 0;
	const later = (action: Action) => way.push({ due: step + t.below(12), action });
	const tell = (line: Line | null) => {
		if (line && !(losses && random() < 0.3)) later(lines(line));
	};
	const ask = () => {
		asks++;
		later({ type: 'channel', channel: t.channel(), heard: s.heard });
	};
	const deliver = (all = false) => {
		const due = way.filter((x) => all || x.due <= step).sort(() => random() - 0.5);
		way = way.filter((x) => !due.includes(x));
		for (const x of due) s = run(s, x.action);
	};
	const follow = (n: number, again = 0) => {
		const batch = t.log.slice(Math.max(0, at - again), at + n);
		at = Math.min(t.log.length, at + n);
		if (batch.length) s = run(s, lines(...structuredClone(batch)));
	};
	const check = (what: string) => {
		const { seq, unread, mentions } = t.marks();
		const m = one(s).membership!;
		assert.deepEqual([markOf(one(s)), m.unread, m.mentions], [t.effective, unread, mentions], `seed ${seed}, step ${step}: ${what}; marker ${seq}`);
	};
	for (; step < 300; step++) {
		t.look();
		switch (t.below(16)) {
			case 0:
			case 1:
			case 2:
			case 3:
				t.send();
				break;
			case 4:
			case 5:
				tell(t.remove());
				break;
			case 6:
				tell(t.read(random() < 0.3 ? t.list.length : t.below(t.list.length + 1)));
				break;
			case 7:
				if (t.list.length) tell(t.unread(1 + t.below(t.list.length)));
				break;
			case 8:
				// By this device, whose op is taken at once, or refused.
				if (random() < 0.5) {
					const seq = t.below(one(s).last_seq + 1);
					s = run(s, { type: 'read', channel: 1, seq });
					if (s.counts[1]!.local) {
						if (random() < 0.8) tell(t.read(seq));
						else later({ type: 'unread/undo', channel: 1 });
					}
				}
				break;
			case 9:
				s = run(s, { type: 'log/open', channel: 1 });
				later({ type: 'log/newest', channel: 1, page: page(t.page(t.list.length + 1, 1 + t.below(20)), true) });
				break;
			case 10:
			case 11:
				tell(t.edit());
				break;
			case 12:
				// The answer to an own message, before the events below it.
				if (random() < 0.3 && at < t.log.length) {
					t.list.push({ sender: ME, mention: false, wide: false, gone: false, version: 1 });
					t.log.push(own(t.list.length) as unknown as Line);
					s = run(s, { type: 'message', message: message(1, t.list.length, { sender: ME }) });
				}
				break;
			default:
				follow(random() < 0.5 ? t.log.length - at : t.below(8), t.below(3) ? 0 : t.below(12));
		}
		deliver();
		const m = one(s).membership!;
		assert.ok(m.unread >= 0 && m.mentions >= 0 && m.mentions <= Math.max(m.unread, m.mentions), `seed ${seed}: negative`);
		assert.ok(m.unread <= Math.max(0, one(s).last_seq - markOf(one(s))), `seed ${seed}: more than there are`);
		// The client asks where it must; now and then it asks anyway.
		if (doubtful(s, 1) || random() < 0.02) ask();
		if (!losses && at === t.log.length && !way.length && !s.counts[1]!.local && !doubtful(s, 1)) check('all has been told');
	}
	follow(t.log.length);
	deliver(true);
	// A line that was lost is found by asking what is unread; a mark of this device is dropped where its line does not come.
	if (losses) {
		s = run(s, { type: 'unread/undo', channel: 1 });
		ask();
	}
	deliver(true);
	for (let n = 0; doubtful(s, 1); n++) {
		assert.ok(n < 2, `seed ${seed}: doubt that no answer ends`);
		ask();
		deliver(true);
	}
	assert.ok(!waits(s, 1));
	if (s.counts[1]!.local) s = run(s, { type: 'unread/undo', channel: 1 });
	check('at the end');
	const fresh = signedIn(t.channel());
	assert.deepEqual([unread(s), mentions(s), markOf(one(s))], [unread(fresh), mentions(fresh), markOf(one(fresh))], `seed ${seed}`);
	const before = s;
	s = run(s, lines(...structuredClone(t.log.slice(-100))));
	assert.deepEqual([unread(s), mentions(s)], [unread(before), mentions(before)], `seed ${seed}: replayed`);
	return asks;
}

test('any mixture of messages, edits, deletions, marks, answers and pages comes to what the server counts', () => {
	let asks = 0;
	for (let seed = 1; seed <= 150; seed++) asks += round(seed, false);
	assert.ok(asks < 150 * 60, `${asks} loads`);
});

test('so it does where lines of the own marker are lost on the way', () => {
	for (let seed = 1001; seed <= 1080; seed++) round(seed, true);
});
