// The connection ladder: keeps one link open, on the best rung that works, and says so. Knows nothing of the views.
//
// States: idle (not started, or paused), connecting, live, waiting (for the next attempt), offline, stopped (the server
// said not to come back). Time, randomness, memory and transports come from outside. No decision relies on a timer being
// on time: each looks at the clock, since a background tab's timers are late and a sleeping machine has none.
import type { Line } from '../model/types';
import type { Ending, Link, Rung, Transport } from './transport';

export type LadderState = 'idle' | 'connecting' | 'live' | 'waiting' | 'offline' | 'stopped';

export interface LadderEnv {
	now(): number;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
	random(): number;
	online(): boolean;
	/* What was learnt about this network; null when nothing. */
	recall(): { rung: Rung; until: number } | null;
	remember(m: { rung: Rung; until: number } | null): void;
	transports: readonly Transport[]; // best first
	instance: string;
	onLines(lines: Line[]): void;
	onState(state: LadderState, rung: Rung | null): void;
	/* The server does not know our cursor any more; the ladder goes on without one. */
	onLost(why: string): void;
	onStop(reason: 'signed_out' | 'deactivated'): void;
}

const FIRST_WAIT = 3_000; // ms, full jitter below it
const MAX_WAIT = 30_000;
const OFFLINE_WAIT = 30_000; // navigator.onLine has been wrong before
const SHORT_LIFE = 10_000; // ms; a link that dies younger speaks against its transport
const SHORT_LIVES = 2;
const MEMORY = 3_600_000;
const PING_IN = 4_000;
const FIRST_PROBE = 60_000;
const MAX_PROBE = 600_000;
/* Without an event and a cursor; these are counted by the server in `sent`. */
const UNLOGGED = new Set(['hello', 'heartbeat', 'reset', 'cursor']);

interface Attempt {
	index: number;
	link: Link | null;
	live: boolean;
	startedAt: number;
	liveAt: number;
	heardAt: number;
	deadline: number; // for the opening
	logged: number;
	timer: unknown;
}

export class Ladder {
	state: LadderState = 'idle';
	cursor: string | null = null;
	private attempt: Attempt | null = null;
	private probe: Attempt | null = null;
	private probeIn = FIRST_PROBE;
	private probeTimer: unknown = null;
	private waitTimer: unknown = null;
	private pingTimer: unknown = null;
	private dueAt = 0;
	private attempts = 0;
	private shortLives = 0;

	constructor(private env: LadderEnv) {}

	get rung(): Rung | null {
		return this.attempt?.live ? this.env.transports[this.attempt.index]!.rung : null;
	}

	start(cursor: string | null): void {
		this.cursor = cursor;
		this.attempts = this.shortLives = 0;
		this.connect(this.startRung());
	}

	/* Closes all and stays closed until start() or resume(). */
	pause(): void {
		this.closeAll();
		if (this.state !== 'stopped') this.set('idle');
	}

	resume(): void {
		if (this.state === 'idle') this.connect(this.startRung());
	}

	/* Hands an op to the link; false where it takes none. */
	send(op: object): boolean {
		return this.attempt?.live === true && this.attempt.link?.send(op) === true;
	}

	/* The network is back, or the page is seen again: do not wait for a timer. */
	wake(): void {
		if (this.state === 'waiting' || this.state === 'offline') return this.connect(this.startRung());
		this.tick();
		const a = this.attempt;
		if (this.state !== 'live' || !a?.link || this.pingTimer !== null) return;
		const asked = this.env.now();
		a.link.ping();
		this.pingTimer = this.env.setTimeout(() => {
			this.pingTimer = null;
			if (this.attempt === a && a.live && a.heardAt <= asked) this.drop(a);
		}, PING_IN);
	}

	wentOffline(): void {
		if (this.state === 'idle' || this.state === 'stopped') return;
		this.closeAll();
		this.rest(OFFLINE_WAIT);
		this.set('offline');
	}

	/* Called every few seconds, and at every chance: compares what should have happened with the clock. */
	tick(): void {
		const now = this.env.now();
		const a = this.attempt;
		if (a?.live && a.link && now - a.heardAt > a.link.silence) this.drop(a);
		else if (a && !a.live && now > a.deadline) this.ended(a, { kind: 'lost', why: 'no answer in time' });
		else if ((this.state === 'waiting' || this.state === 'offline') && now >= this.dueAt) this.connect(this.startRung());
	}

	private set(state: LadderState): void {
		this.state = state;
		this.env.onState(state, this.rung);
	}

	private startRung(): number {
		const m = this.env.recall();
		if (!m || m.until <= this.env.now()) return 0;
		return Math.max(
			0,
			this.env.transports.findIndex((t) => t.rung === m.rung),
		);
	}

	private connect(index: number): void {
		this.closeAll();
		this.attempt = this.open(index, false);
		this.set('connecting');
	}

	private open(index: number, probing: boolean): Attempt {
		const t = this.env.transports[index]!;
		const now = this.env.now();
		const a: Attempt = {
			index,
			link: null,
			live: false,
			startedAt: now,
			liveAt: 0,
			heardAt: now,
			deadline: now + t.openIn,
			logged: 0,
			timer: null,
		};
		const arm = () => {
			this.env.clearTimeout(a.timer);
			a.deadline = this.env.now() + t.openIn;
			a.timer = this.env.setTimeout(() => this.ended(a, { kind: 'lost', why: 'no answer in time' }), t.openIn);
		};
		const current = () => a === this.attempt || a === this.probe;
		arm();
		a.link = t.open(() => this.cursor, this.env.instance, {
			opened: () => current() && arm(),
			live: () => {
				if (!current()) return;
				this.env.clearTimeout(a.timer);
				a.live = true;
				a.liveAt = a.heardAt = this.env.now();
				if (probing && a === this.probe) a.timer = this.env.setTimeout(() => this.adopt(a), SHORT_LIFE);
				else this.becameLive(a);
			},
			lines: (lines) => current() && this.take(a, lines),
			ended: (how) => current() && this.ended(a, how),
		});
		return a;
	}

	private becameLive(a: Attempt): void {
		// A rung below the best is only reached after those above have failed just now.
		if (a.index > 0 && this.startRung() !== a.index)
			this.env.remember({ rung: this.env.transports[a.index]!.rung, until: this.env.now() + MEMORY });
		this.set('live');
		if (a.index > 0) this.planProbe();
	}

	private take(a: Attempt, lines: Line[]): void {
		a.heardAt = this.env.now();
		this.env.onLines(lines); // first: a cursor may only move over what has been applied
		let hole = false;
		for (const line of lines) {
			if (line.type === 'heartbeat' && typeof line.sent === 'number') hole ||= line.sent > a.logged;
			if (typeof line.cursor !== 'string') continue;
			if (!UNLOGGED.has(line.type)) a.logged++;
			// A hello's cursor may already stand above what is still to be replayed.
			if (line.type !== 'hello' || this.cursor === null) this.cursor = line.cursor;
		}
		if (hole) {
			a.logged = Infinity; // once for this link
			this.env.onLost('an event went missing');
		}
	}

	private ended(a: Attempt, how: Ending): void {
		this.env.clearTimeout(a.timer);
		a.link?.close();
		if (how.kind === 'stop') {
			this.closeAll();
			this.set('stopped');
			this.env.onStop(how.reason);
			return;
		}
		if (a === this.probe) {
			this.probe = null;
			this.probeIn = Math.min(MAX_PROBE, this.probeIn * 2);
			this.planProbe();
			return;
		}
		if (a !== this.attempt) return;
		if (how.kind === 'bad_cursor') {
			this.cursor = null;
			this.connect(0);
			this.env.onLost('the cursor is not known any more');
			return;
		}
		if (this.probe?.live) return this.adopt(this.probe);

		const lower = a.index + 1 < this.env.transports.length ? a.index + 1 : -1;
		if (!a.live) {
			if (lower >= 0 && this.env.online()) return this.connect(lower);
			// What was learnt is of another network, or of another day: the next round begins at the top.
			if (a.index > 0 && this.env.online()) this.env.remember(null);
		} else if (!how.planned && this.env.now() - a.liveAt < SHORT_LIFE) {
			// It opens, but something on the way does not let it live: after two such lives the next rung has its turn.
			if (++this.shortLives >= SHORT_LIVES && lower >= 0) {
				this.shortLives = 0;
				return this.connect(lower);
			}
		} else if (this.env.now() - a.liveAt >= SHORT_LIFE) {
			this.shortLives = 0;
			this.attempts = 0;
		}
		this.retreat(how.retryAfter);
	}

	/* Waits before the next attempt: as told, else full jitter under a doubling bound. */
	private retreat(retryAfter?: number): void {
		this.closeAll();
		const bound = Math.min(MAX_WAIT, FIRST_WAIT * 2 ** Math.min(this.attempts, 10));
		this.attempts++;
		this.rest(retryAfter !== undefined ? retryAfter * 1000 : this.env.random() * bound);
		this.set(this.env.online() ? 'waiting' : 'offline');
	}

	private rest(ms: number): void {
		this.env.clearTimeout(this.waitTimer);
		this.dueAt = this.env.now() + ms;
		this.waitTimer = this.env.setTimeout(() => {
			this.dueAt = 0; // a timer may be a millisecond early
			this.tick();
		}, ms);
	}

	/* The link is dead though nobody said so: no reason to wait. */
	private drop(a: Attempt): void {
		if (a !== this.attempt) return;
		this.connect(this.startRung());
	}

	private planProbe(): void {
		this.env.clearTimeout(this.probeTimer);
		this.probeTimer = this.env.setTimeout(() => {
			if (this.state !== 'live' || !this.attempt || this.attempt.index === 0) return;
			this.probe = this.open(0, true);
		}, this.probeIn);
	}

	/* A better rung has lived long enough beside the present one. What both brought twice was harmless. */
	private adopt(a: Attempt): void {
		if (a !== this.probe || !a.live) return;
		this.env.clearTimeout(a.timer);
		this.env.clearTimeout(this.probeTimer);
		this.attempt?.link?.close();
		this.attempt = a;
		this.probe = null;
		this.probeIn = FIRST_PROBE;
		this.env.remember(null);
		this.set('live');
	}

	private closeAll(): void {
		for (const t of [this.waitTimer, this.pingTimer, this.probeTimer, this.attempt?.timer, this.probe?.timer]) this.env.clearTimeout(t);
		this.pingTimer = null;
		const open = [this.attempt, this.probe];
		this.attempt = this.probe = null;
		for (const a of open) a?.link?.close();
	}
}
