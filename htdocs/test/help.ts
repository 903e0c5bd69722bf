// What the unit tests share: objects of the protocol with defaults, a seeded random source, and a clock that is moved by hand.
import { reduce } from '../src/model/reduce';
import { initialState, type State } from '../src/model/state';
import type { Channel, Membership, Message, MessagePage, OwnMarks, Pending, User } from '../src/model/types';

export const ME = 3;
export const T0 = Date.parse('2026-11-25T10:00:00.000Z');

export const user = (id: number, more: Partial<User> = {}): User => ({
	id,
	handle: `u${id}`,
	name: `User ${id}`,
	picture: null,
	role: 'member',
	active: true,
	version: 1,
	...more,
});

export const membership = (more: Partial<Membership> = {}): Membership => ({
	role: 'member',
	since: 1,
	first_seq: 1,
	last_read_seq: 0,
	unread_from: null,
	read_version: 0,
	unread: 0,
	mentions: 0,
	gone: [],
	wide: [],
	read_receipts: true,
	...more,
});

/* What the server says of the own marker. */
export const marks = (more: Partial<OwnMarks> = {}): OwnMarks => ({
	seq: 0,
	version: 1,
	last_seq: 0,
	unread: 0,
	mentions: 0,
	unread_from: null,
	gone: [],
	wide: [],
	read_receipts: true,
	...more,
});

export const channel = (id: number, more: Partial<Channel> = {}): Channel => ({
	id,
	kind: 'public',
	name: `c${id}`,
	topic: '',
	version: 1,
	created_at: new Date(T0).toISOString(),
	last_seq: 0,
	members: 2,
	membership: membership(),
	peer: null,
	...more,
});

export const message = (ch: number, seq: number, more: Partial<Message> = {}): Message => ({
	channel: ch,
	seq,
	id: ch * 100_000 + seq,
	sender: 7,
	client_id: uuid(ch * 100_000 + seq),
	created_at: new Date(T0 + seq * 1000).toISOString(),
	version: 1,
	body: { text: `text ${ch}/${seq}` },
	...more,
});

export const page = (messages: Message[], has_before = false, has_after = false): MessagePage => ({ messages, has_before, has_after });

export const pending = (n: number, more: Partial<Pending> = {}): Pending => ({
	client_id: uuid(n),
	channel: 1,
	text: `own ${n}`,
	at: T0 + n,
	owner: 'tab',
	state: 'queued',
	...more,
});

export const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/* Signed in as ME, with these channels. */
export function signedIn(...channels: Channel[]): State {
	const session = { id: 5, kind: 'session' as const, expires_at: new Date(T0 + 1e9).toISOString(), scopes: ['read', 'write'] };
	const s: State = { ...initialState, phase: 'ready', me: { user: user(ME), session }, users: { [ME]: user(ME) } };
	return reduce(s, { type: 'channels', channels, asked: [] });
}

/* mulberry32: the same seed, the same sequence, on every machine. */
export function seeded(seed: number): () => number {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = a;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

/* Lets everything run that waits for promises alone: a macrotask of the real event loop, no time. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/* Time that stands still until a test moves it. Timers run in the order they are due. */
export class Clock {
	time = T0;
	private last = 0;
	private timers = new Map<number, { at: number; f: () => void; every: number | null }>();

	now = (): number => this.time;
	setTimeout = (f: () => void, ms = 0): number => this.put(f, ms, null);
	setInterval = (f: () => void, ms: number): number => this.put(f, ms, ms);
	clearTimeout = (id: unknown): void => void this.timers.delete(id as number);

	get pending(): number {
		return this.timers.size;
	}

	/* Moves on, running what comes due; promises settle after each timer. */
	async run(ms: number): Promise<void> {
		const end = this.time + ms;
		await settled();
		for (;;) {
			const due = [...this.timers].filter(([, t]) => t.at <= end).sort((x, y) => x[1].at - y[1].at || x[0] - y[0])[0];
			if (!due) break;
			const [id, t] = due;
			this.time = Math.max(this.time, t.at);
			if (t.every === null) this.timers.delete(id);
			else t.at += t.every;
			t.f();
			await settled();
		}
		this.time = end;
		await settled();
	}

	/* Moves on to the next timer and runs it. */
	next(): Promise<void> {
		return this.run(Math.max(0, Math.min(...[...this.timers.values()].map((t) => t.at)) - this.time));
	}

	/* A machine that slept: time has gone by, and no timer has run. */
	sleep(ms: number): void {
		this.time += ms;
	}

	private put(f: () => void, ms: number, every: number | null): number {
		this.timers.set(++this.last, { at: this.time + Math.max(0, ms), f, every });
		return this.last;
	}
}
