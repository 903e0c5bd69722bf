// One connection for all tabs of a profile. A tab that opens the shared link asks for a lock: who holds it leads, opens
// the real link, and passes its lines on by a BroadcastChannel; the others follow. When the leader goes (closed, crashed,
// paused) the browser gives the lock to the next one; from a leader that is frozen it is taken ("steal").
//
// Nothing is lost or doubled by a change, since each tab keeps its own cursor. What the leader passes on bears its cursor
// before and after; a tab whose cursor is that one before takes it and moves on. A tab that stands elsewhere polls for
// itself, until what it got and what the leader passes on are seen to overlap. Cursors are opaque: they can be compared
// for equality alone. So a passage joins where its beginning, its end, or the cursor of a line in it is one that this tab
// has passed: then everything up to its end has been given to this tab. Until then it waits.
//
// The leader asks for what any of the tabs wants to be told of; each says what that is when it begins to follow, when it changes,
// and every now and then, since one that crashed says nothing any more.
import type { Line } from '../model/types';
import type { Ending, Input, Link, LinkEvents, Rung, Transport } from './transport';
import { NOTHING, place, sameWants, union, type Wants } from './wants';

export interface ShareChannel {
	postMessage(m: unknown): void;
	onmessage: ((ev: MessageEvent) => void) | null;
	close(): void;
}

export interface ShareLocks {
	request(name: string, options: { signal?: AbortSignal; steal?: boolean }, f: () => Promise<void>): Promise<unknown>;
}

export interface ShareEnv {
	/* Who the connection belongs to (a user's session): no other's tabs share it. Null: it is not shared. */
	owner(): string | null;
	/* Null where the browser has none: then each tab has its own connection. */
	locks: ShareLocks | null;
	channel(name: string): ShareChannel;
	/* A poll of one's own. */
	catchUp(cursor: string | null, signal: AbortSignal): Promise<Line[] | Ending>;
	/* This tab leads a live connection now: those that wait to come back need not. */
	onLead(): void;
	hidden(): boolean;
	now(): number;
	random(): number;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
}

/* What the tabs say to each other. `by` is the instance of who speaks; only a leader says the last three. */
type Say =
	| { say: 'join' | 'ask' | 'poke' | 'gone'; by: string }
	| { say: 'want'; by: string; wants: Wants }
	| { say: 'input'; by: string; what: Input }
	| { say: 'lead'; by: string; live: boolean; at: string | null; rung?: Rung; silence: number }
	| { say: 'lines'; by: string; from: string | null; to: string | null; lines: Line[]; rung?: Rung }
	| { say: 'ended'; by: string; how: Ending };

type Passage = Extract<Say, { say: 'lines' }>;

const ANSWER_IN = 2_500; // ms for a leader to answer
const POKE = 3_000; // ms between the reminders that somebody looks on
const SAY_AGAIN = 50_000; // ms after which a tab says again what it wants
const FORGET = 150_000; // ms without a word; the timers of a hidden page run once a minute
const MERGE = 100; // ms in which the wishes of several tabs become one
const MAX_WAITING = 2_000; // lines that wait for our own poll
const LAG = [100, 300, 1_000]; // ms before another poll, after one that failed or asked a server that is a little behind
const POLL_TRIES = 3;
const MAX_PASSED = 2_000; // cursors that are remembered
const LINGER = 500; // ms the lock is held after a connection has ended: first all are to hear how it did
const UNLOGGED = new Set(['hello', 'heartbeat', 'reset', 'cursor']);

const logged = (l: Line): boolean => typeof l.cursor === 'string' && !UNLOGGED.has(l.type);

export function sharedTransport(inner: Transport, env: ShareEnv): Transport {
	return {
		rung: inner.rung,
		openIn: inner.openIn,
		open(cursor, instance, on, wants = () => NOTHING) {
			const owner = env.owner();
			if (owner === null || !env.locks) return inner.open(cursor, instance, on, wants);
			return new SharedLink(inner, env, `pulsechat-link ${owner} ${inner.rung}`, cursor, instance, on, wants);
		},
	};
}

class SharedLink implements Link {
	private over = false;
	private live = false;
	private channel: ShareChannel;
	/* Leading: the real link. */
	private real: (Link & { poke?(): void }) | null = null;
	private realLive = false;
	private openTimer: unknown = null;
	private logged = 0;
	private release: (() => void) | null = null;
	private wait: AbortController | null = null; // for the lock
	private others = new Map<string, { wants: Wants; at: number }>();
	private asked = NOTHING; // of the server, for all
	private wantTimer: unknown = null;
	private again = false;
	/* Following. */
	private leader: string | null = null;
	private aligned = false; // with this leader's cursor, at the time it began
	private heardOf = false;
	private theirs: { rung?: Rung; silence: number };
	private passed = new Set<string>();
	private waiting: Passage[] = [];
	private polling: AbortController | null = null;
	private lag = 0;
	private failures = 0;
	private muteTimer: unknown = null;
	private pokeTimer: unknown = null;
	private lagTimer: unknown = null;
	private saidAt = 0;

	constructor(
		private inner: Transport,
		private env: ShareEnv,
		private name: string,
		private cursor: () => string | null,
		private instance: string,
		private on: LinkEvents,
		private wants: () => Wants,
	) {
		this.theirs = { silence: 45_000 };
		this.channel = env.channel(name);
		this.channel.onmessage = (ev) => this.heard(ev.data as Say);
		queueMicrotask(() => this.enter(false)); // no event from inside open()
	}

	get silence(): number {
		// Of a mute leader we take the place ourselves; the ladder need not.
		return this.real ? this.real.silence : this.theirs.silence + 4 * ANSWER_IN;
	}

	get rung(): Rung | undefined {
		return this.real ? this.real.rung : this.theirs.rung;
	}

	get follows(): boolean {
		return this.real === null;
	}

	send(): boolean {
		return false;
	}

	get leaves(): boolean {
		return this.real?.leaves === true;
	}

	want(again: boolean): void {
		if (this.real) return this.askFor(again);
		this.sayWants();
	}

	input(what: Input): boolean {
		if (this.real) return this.real.input?.(what) === true;
		if (!this.live) return false;
		this.post({ say: 'input', by: this.instance, what });
		return true;
	}

	ping(changed?: boolean): void {
		if (this.real) return this.real.ping(changed);
		this.post({ say: 'ask', by: this.instance });
		this.armMute(ANSWER_IN);
	}

	close(): void {
		if (this.over) return;
		this.post({ say: 'gone', by: this.instance });
		this.end();
	}

	/* --- the lock --- */

	private enter(steal: boolean): void {
		if (this.over) return;
		this.wait?.abort();
		const wait = (this.wait = new AbortController());
		const held = () =>
			new Promise<void>((release) => {
				if (this.over || this.wait !== wait) return release();
				this.release = release;
				this.lead();
			});
		this.env
			.locks!.request(this.name, steal ? { steal: true } : { signal: wait.signal }, held)
			.catch(() => {})
			.finally(() => {
				// Let go, given up, or stolen from us while we were frozen: then another one leads.
				if (!this.over && this.wait === wait && this.release) this.robbed();
			});
		if (!steal) {
			this.post({ say: 'join', by: this.instance });
			this.armMute(ANSWER_IN);
		}
	}

	private lead(): void {
		this.stopFollowing();
		this.leader = this.instance;
		this.logged = 0;
		this.realLive = false;
		this.others.clear();
		this.asked = this.all();
		this.armOpening();
		const on: LinkEvents = {
			opened: () => this.armOpening(),
			live: () => {
				this.env.clearTimeout(this.openTimer);
				this.realLive = true;
				this.becomeLive();
				this.announce();
				this.env.onLead();
			},
			lines: (lines) => this.passOn(lines),
			ended: (how) => {
				// Another cursor may be a good one, and each tab waits its own time.
				const theirs: Ending = how.kind === 'bad_cursor' ? { kind: 'lost', why: 'the leader has no cursor', planned: true } : how;
				this.post({ say: 'ended', by: this.instance, how: theirs });
				this.finish(how);
			},
		};
		this.real = this.inner.open(this.cursor, this.instance, on, () => this.all());
		this.announce();
	}

	/* The time for the opening begins now. The ladder minds it, unless it has taken us for live already, as a follower. */
	private armOpening(): void {
		if (!this.live) return this.on.opened();
		this.on.lines([]);
		this.env.clearTimeout(this.openTimer);
		this.openTimer = this.env.setTimeout(() => this.finish({ kind: 'lost', why: 'no answer in time' }), this.inner.openIn);
	}

	private announce(): void {
		this.post({ say: 'lead', by: this.instance, live: this.realLive, at: this.cursor(), rung: this.real?.rung, silence: this.real?.silence ?? 0 });
	}

	/* What all tabs want, our own first, then those that spoke last. */
	private all(): Wants {
		const now = this.env.now();
		for (const [by, o] of this.others) if (now - o.at > FORGET) this.others.delete(by);
		const others = [...this.others.values()].sort((a, b) => b.at - a.at);
		return union([this.wants(), ...others.map((o) => o.wants)]);
	}

	/* Asks the server, if that is something else than before; `again`: someone has to be told what the others know. */
	private askFor(again: boolean): void {
		const now = this.all();
		if (!again && sameWants(now, this.asked)) return;
		this.asked = now;
		this.real?.want?.(again);
	}

	private hearWants(by: string, wants: Wants): void {
		const held = this.others.get(by);
		this.others.delete(by);
		this.others.set(by, { wants, at: this.env.now() });
		if (held && sameWants(held.wants, wants)) return;
		this.again = true;
		this.wantTimer ??= this.env.setTimeout(() => {
			this.wantTimer = null;
			const { again } = this;
			this.again = false;
			if (!this.over && this.real) this.askFor(again);
		}, MERGE);
	}

	private sayWants(): void {
		if (this.leader === null) return;
		this.saidAt = this.env.now();
		this.post({ say: 'want', by: this.instance, wants: this.wants() });
	}

	private passOn(lines: Line[]): void {
		const from = this.cursor();
		let hole = false;
		const theirs: Line[] = [];
		for (const l of lines) {
			if (l.type === 'hello') {
				this.logged = 0;
				continue; // of this connection alone
			}
			if (logged(l)) this.logged++;
			if (l.type !== 'heartbeat') theirs.push(l);
			else {
				// What the server counts are the lines of our connection. A hole in them is everybody's.
				const missing = typeof l.sent === 'number' && l.sent > this.logged;
				if (missing) this.logged = Infinity;
				hole ||= missing;
				theirs.push({ type: 'heartbeat', cursor: l.cursor, sent: hole ? Infinity : 0 });
			}
		}
		this.on.lines(lines);
		if (this.over) return;
		this.passes(theirs);
		this.post({ say: 'lines', by: this.instance, from, to: this.cursor(), lines: theirs, rung: this.real?.rung });
		this.askFor(false); // some may have been forgotten
	}

	/* The lock is another's. Our connection ends at once, and we follow. */
	private robbed(): void {
		this.release = null;
		this.env.clearTimeout(this.openTimer);
		this.real?.close();
		this.real = null;
		this.leader = null;
		this.enter(false);
	}

	/* --- following --- */

	private heard(m: Say): void {
		if (this.over || !m || m.by === this.instance) return;
		if (this.real) {
			// Else it is of a leader that has not heard of us yet.
			if (m.say === 'poke') this.real.poke?.();
			else if (m.say === 'want') this.hearWants(m.by, m.wants);
			else if (m.say === 'input') this.real.input?.(m.what);
			else if (m.say === 'gone') {
				if (this.others.delete(m.by)) this.askFor(false);
			}
			else if (m.say === 'join' || m.say === 'ask') this.announce();
			return;
		}
		if (m.say === 'lead') return this.follow(m);
		if (m.by !== this.leader || m.say === 'gone') return; // who is next, the lock tells
		// Each tab comes back by itself, in its own time; or none does.
		if (m.say === 'ended') return this.finish(m.how);
		if (m.say !== 'lines') return;
		this.theirs.rung = m.rung;
		this.armMute();
		this.take(m);
	}

	private follow(m: Extract<Say, { say: 'lead' }>): void {
		if (this.leader !== m.by) this.aligned = false;
		this.leader = m.by;
		this.theirs = { rung: m.rung, silence: m.silence || this.theirs.silence };
		this.armMute();
		if (this.live) this.on.lines([]);
		else if (!this.heardOf) this.on.opened();
		this.heardOf = true;
		this.sayWants();
		if (!m.live) return;
		if (this.pokeTimer === null) this.poke();
		if (this.aligned) return;
		this.aligned = true;
		// Where the leader stands elsewhere, nothing tells whether events lie between.
		if (m.at === null || place(m.at) !== place(this.cursor())) this.catchUp();
		else this.becomeLive();
	}

	private take(m: Passage): void {
		this.waiting.push(m);
		if (this.waiting.reduce((n, p) => n + p.lines.length, 0) > MAX_WAITING) {
			return this.finish({ kind: 'lost', why: 'too far behind the leader' });
		}
		if (this.live && !this.polling) this.settle();
	}

	private joins(m: Passage): boolean {
		const at = place(this.cursor());
		const from = place(m.from);
		const to = place(m.to);
		if (at !== null && (from === at || to === at)) return true;
		if ((from !== null && this.passed.has(from)) || (to !== null && this.passed.has(to))) return true;
		return m.lines.some((l) => l.type === 'reset' || (logged(l) && this.passed.has(l.cursor!)));
	}

	private apply(m: Passage): void {
		const lines = m.lines.filter((l) => !(logged(l) && this.passed.has(l.cursor!)));
		this.passes(lines);
		// The last word on where we stand is the leader's, so that what it passes on next joins here.
		if (m.to !== null) lines.push({ type: 'cursor', cursor: m.to });
		this.on.lines(lines);
	}

	private passes(lines: Line[]): void {
		for (const l of lines) if (typeof l.cursor === 'string') this.passed.add(place(l.cursor)!);
		for (const old of this.passed) {
			if (this.passed.size <= MAX_PASSED) break;
			this.passed.delete(old); // the oldest: a set keeps its order
		}
	}

	/* Joins what waits to what we have, or asks the server for more of what we have not. */
	private settle(): void {
		for (;;) {
			const first = this.waiting.findIndex((m) => this.joins(m));
			if (first < 0) break;
			// The events of what comes before it lie below what we have passed.
			const below = this.waiting.splice(0, first);
			this.lag = 0;
			this.tellState(below);
			this.apply(this.waiting.shift()!);
			if (this.over || this.real) return;
		}
		// Passages without events have nothing to miss: state is told, and the cursor stays.
		if (!this.waiting.some((m) => m.lines.some(logged))) {
			return this.tellState(this.waiting.splice(0));
		}
		// The first poll goes at once.
		this.pollIn(this.lag === 0 ? 0 : LAG[Math.min(this.lag, LAG.length) - 1]!);
		this.lag++;
	}

	private tellState(passages: Passage[]): void {
		if (passages.length) this.on.lines(passages.flatMap((m) => m.lines.filter((l) => l.cursor === undefined)));
	}

	private pollIn(ms: number): void {
		if (this.lagTimer !== null || this.polling) return;
		this.lagTimer = this.env.setTimeout(() => {
			this.lagTimer = null;
			if (!this.over && !this.real) this.catchUp();
		}, ms);
	}

	private catchUp(): void {
		if (this.polling) return;
		const polling = (this.polling = new AbortController());
		const at = this.cursor();
		this.passes([{ type: 'cursor', cursor: at ?? undefined }]);
		void this.env.catchUp(at, polling.signal).then((answer) => {
			if (this.over || this.polling !== polling) return;
			this.polling = null;
			if (!Array.isArray(answer)) {
				if (answer.kind !== 'lost' || answer.planned || ++this.failures >= POLL_TRIES) return this.finish(answer);
				return this.pollIn(LAG[this.failures]!);
			}
			this.failures = 0;
			this.passes(answer);
			this.becomeLive();
			this.on.lines(answer);
			if (!this.over && !this.real && this.waiting.length) this.settle();
		});
	}

	private stopFollowing(): void {
		this.polling?.abort();
		this.polling = null;
		this.waiting = [];
		this.lag = 0;
		for (const t of [this.muteTimer, this.pokeTimer, this.lagTimer]) this.env.clearTimeout(t);
		this.muteTimer = this.pokeTimer = this.lagTimer = null;
	}

	/* Nothing heard from the leader for two holds, or no answer: it is asked once, then its place is taken. */
	private armMute(ms?: number): void {
		this.env.clearTimeout(this.muteTimer);
		// Not all at the same moment: who comes first is followed.
		this.muteTimer = this.env.setTimeout(
			() => {
				if (this.over || this.real) return;
				if (ms !== undefined) return this.enter(true);
				this.post({ say: 'ask', by: this.instance });
				this.armMute(ANSWER_IN);
			},
			(ms ?? this.theirs.silence) + this.env.random() * 300,
		);
	}

	/* A plain poll of a page that nobody sees rests longer; where we are seen, its leader is to know. */
	private poke(): void {
		this.pokeTimer = this.env.setTimeout(() => {
			if (this.over || this.real) return;
			if (this.theirs.rung === 'plain' && !this.env.hidden()) this.post({ say: 'poke', by: this.instance });
			if (this.env.now() - this.saidAt >= SAY_AGAIN) this.sayWants();
			this.poke();
		}, POKE);
	}

	/* --- both --- */

	private becomeLive(): void {
		if (this.live) return;
		this.live = true;
		this.on.live();
	}

	private post(m: Say): void {
		if (!this.over) this.channel.postMessage(m);
	}

	private finish(how: Ending): void {
		if (this.over) return;
		this.end(LINGER);
		this.on.ended(how);
	}

	private end(linger = 0): void {
		this.over = true;
		this.env.clearTimeout(this.openTimer);
		this.env.clearTimeout(this.wantTimer);
		this.stopFollowing();
		this.channel.onmessage = null;
		this.channel.close();
		this.real?.close();
		this.real = null;
		this.wait?.abort();
		const { release } = this;
		this.release = null;
		if (release && linger) this.env.setTimeout(release, linger);
		else release?.();
	}
}
