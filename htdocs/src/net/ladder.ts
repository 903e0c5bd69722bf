// The connection ladder: keeps one link open, on the best rung that works, and says so. Knows nothing of the views.
//
// States: idle (not started, or paused), connecting, live, waiting (for the next attempt), offline, stopped (the server
// said not to come back). Time, randomness, memory and transports come from outside. No decision relies on a timer being
// on time: each looks at the clock, since a background tab's timers are late and a sleeping machine has none.
import type { Line } from '../model/types';
import type { Ending, Input, Link, LinkEvents, Rung, Transport } from './transport';
import { NOTHING, type Wants } from './wants';

export type LadderState = 'idle' | 'connecting' | 'live' | 'waiting' | 'offline' | 'stopped';

export interface LadderEnv {
	now(): number;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
	random(): number;
	online(): boolean;
	hidden(): boolean;
	/* What was learnt about this network; null when nothing. */
	recall(): { rung: Rung; until: number } | null;
	remember(m: { rung: Rung; until: number } | null): void;
	transports: readonly Transport[]; // best first
	instance: string;
	/* What to be told of beside the events. */
	wants?(): Wants;
	onLines(lines: Line[]): void;
	onState(state: LadderState, rung: Rung | null): void;
	/* All is to be loaded again: an event went missing, or (`anew`) the server does not know our cursor any more, so that
	 * even what is held may be of another time. The ladder goes on. */
	onLost(why: string, anew: boolean): void;
	/* No rung worked just now. What the browser does not tell (a 401 on a handshake) may be asked by REST. */
	onFailed(): void;
	/* A better rung than the present one works again: so it does for the other tabs. */
	onBetter(): void;
	onStop(reason: 'signed_out' | 'deactivated'): void;
}

const FIRST_WAIT = 3_000; // ms, full jitter below it
const MAX_WAIT = 30_000;
const OFFLINE_WAIT = 30_000; // navigator.onLine has been wrong before
const SHORT_LIFE = 10_000; // ms; a link that dies younger speaks against its transport
const SHORT_LIVES = 2;
const MEMORY = 3_600_000;
const PING_IN = 3_000;
/* A better rung is tried again after so long: soon where one has lived on this network before; ever more seldom. */
const FIRST_PROBE = 30_000;
const SOON_PROBE = 5_000;
const MAX_PROBE = 600_000;
/* Between two ticks lies a sleep if it is longer than that; timers of a hidden page may run once a minute. */
const NAP = 8_000;
const HIDDEN_NAP = 90_000;
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
	private probeAt = 0;
	private best = Infinity; // index of the best rung that has lived since the network last changed
	private tickedAt = -1;
	private probeTimer: unknown = null;
	private waitTimer: unknown = null;
	private pingTimer: unknown = null;
	private dueAt = 0;
	private attempts = 0;
	private shortLives = 0;

	constructor(private env: LadderEnv) {}

	get rung(): Rung | null {
		const a = this.attempt;
		return a?.live ? (a.link?.rung ?? this.env.transports[a.index]!.rung) : null;
	}

	start(cursor: string | null): void {
		this.cursor = cursor;
		this.attempts = this.shortLives = 0;
		this.connect(this.startRung());
	}

	/* Closes all and stays closed until start() or resume(). */
	pause(): void {
		this.closeAll();
		this.tickedAt = -1;
		if (this.state !== 'stopped') this.set('idle');
	}

	resume(): void {
		if (this.state === 'idle') this.connect(this.startRung());
	}

	/* Hands an op to the link; false where it takes none. */
	send(op: object): boolean {
		return this.attempt?.live === true && this.attempt.link?.send(op) === true;
	}

	/* What is wanted has changed. */
	want(): void {
		for (const a of [this.attempt, this.probe]) a?.link?.want?.(false);
	}

	/* False where it could not be told. */
	input(what: Input): boolean {
		return this.attempt?.live === true && this.attempt.link?.input?.(what) === true;
	}

	/* Whether the server is to be told when the page goes. */
	get leaves(): boolean {
		return this.attempt?.live === true && this.attempt.link?.leaves === true;
	}

	/* The network is back or another one (`changed`), or the page is seen again: do not wait for a timer. */
	wake(changed = false): void {
		if (changed) this.forgetNetwork();
		if (this.state === 'waiting' || this.state === 'offline') return this.connect(this.startRung());
		this.check();
		const a = this.attempt;
		if (this.state !== 'live' || !a?.link || this.pingTimer !== null) return;
		const asked = this.env.now();
		a.link.ping(changed);
		this.pingTimer = this.env.setTimeout(() => {
			this.pingTimer = null;
			if (this.attempt === a && a.live && a.heardAt <= asked) this.drop(a);
		}, PING_IN);
	}

	/* Another tab has a live connection that this one can share. */
	shared(): void {
		if (this.state === 'waiting' && this.env.online()) this.connect(this.startRung());
	}

	/* Another tab has found a better rung. */
	better(): void {
		if (this.state === 'live' && this.attempt && this.attempt.index > 0 && !this.probe) this.startProbe(0, true);
	}

	wentOffline(): void {
		if (this.state === 'idle' || this.state === 'stopped') return;
		this.closeAll();
		this.rest(OFFLINE_WAIT);
		this.set('offline');
	}

	/* Called every second or so, and at every chance: compares what should have happened with the clock. */
	tick(): void {
		const gap = this.tickedAt < 0 ? 0 : this.env.now() - this.tickedAt;
		this.tickedAt = this.env.now();
		// The machine slept, and nobody says so: the link may be dead.
		if (gap > (this.env.hidden() ? HIDDEN_NAP : NAP)) this.wake();
		else this.check();
	}

	private check(): void {
		const now = this.env.now();
		const a = this.attempt;
		if (a?.live && a.link && now - a.heardAt > a.link.silence) this.drop(a);
		else if (a && !a.live && now > a.deadline) this.ended(a, { kind: 'lost', why: 'no answer in time' });
		else if (this.probe && !this.probe.live && now > this.probe.deadline) this.ended(this.probe, { kind: 'lost', why: 'no answer in time' });
		else if ((this.state === 'waiting' || this.state === 'offline') && now >= this.dueAt) this.connect(this.startRung());
		else if (this.state === 'live' && a && a.index > 0 && !this.probe && now >= this.probeAt) this.startProbe(0);
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
		const on: LinkEvents = {
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
		};
		a.link = t.open(
			() => this.cursor,
			this.env.instance,
			on,
			() => this.env.wants?.() ?? NOTHING,
		);
		return a;
	}

	private becameLive(a: Attempt): void {
		// A rung below the best is only reached after those above have failed just now.
		if (a.index > 0 && this.startRung() !== a.index)
			this.env.remember({ rung: this.env.transports[a.index]!.rung, until: this.env.now() + MEMORY });
		this.set('live');
		if (a.index === 0) return;
		// What has lived here before will live again: a server that was started anew, say.
		if (this.best < a.index && this.probeIn === FIRST_PROBE) this.probeIn = SOON_PROBE;
		if (this.probeAt <= this.env.now()) this.probeAt = this.env.now() + this.spread(this.probeIn);
		this.planProbe();
	}

	private take(a: Attempt, lines: Line[]): void {
		a.heardAt = this.env.now();
		this.env.onLines(lines); // first: a cursor may only move over what has been applied
		let hole = false;
		for (const line of lines) {
			if (line.type === 'hello') a.logged = 0;
			if (line.type === 'heartbeat' && typeof line.sent === 'number') hole ||= line.sent > a.logged;
			if (typeof line.cursor !== 'string') continue;
			if (!UNLOGGED.has(line.type)) a.logged++;
			// A hello's cursor may already stand above what is still to be replayed.
			if (line.type !== 'hello' || this.cursor === null) this.cursor = line.cursor;
		}
		if (hole) {
			a.logged = Infinity; // once for this link
			this.env.onLost('an event went missing', false);
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
			if (this.attempt && a.index + 1 < this.attempt.index) return this.startProbe(a.index + 1);
			this.probeIn = Math.min(MAX_PROBE, this.probeIn * 2);
			this.probeAt = this.env.now() + this.spread(this.probeIn);
			this.planProbe();
			return;
		}
		if (a !== this.attempt) return;
		if (how.kind === 'bad_cursor') {
			this.cursor = null;
			this.connect(0);
			this.env.onLost('the cursor is not known any more', true);
			return;
		}
		if (this.probe?.live) return this.adopt(this.probe);

		const lower = a.index + 1 < this.env.transports.length ? a.index + 1 : -1;
		const lived = a.live && this.env.now() - a.liveAt >= SHORT_LIFE;
		if (lived) this.best = Math.min(this.best, a.index);
		if (!a.live) {
			if (lower >= 0 && this.env.online()) return this.connect(lower);
			// What was learnt is of another network, or of another day: the next round begins at the top.
			if (a.index > 0 && this.env.online()) this.env.remember(null);
			if (this.env.online() && !how.planned) this.env.onFailed();
			if (this.state === 'stopped' || this.state === 'idle') return;
		} else if (how.refused && lower >= 0) {
			return this.connect(lower);
		} else if (lived) {
			this.shortLives = 0;
			this.attempts = 0;
		} else if (!how.planned) {
			// It opens, but something on the way does not let it live: after two such lives the next rung has its turn, and one
			// more speaks against that as well: who cuts sockets may cut all that is long.
			if (++this.shortLives >= SHORT_LIVES && lower >= 0) {
				this.shortLives = SHORT_LIVES - 1;
				return this.connect(lower);
			}
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
		if (this.env.now() - a.liveAt >= SHORT_LIFE) this.best = Math.min(this.best, a.index);
		this.connect(this.startRung());
	}

	/* The network is another one: what is known of better rungs is not of this one, so they are tried soon. */
	private forgetNetwork(): void {
		this.best = Infinity;
		this.probeIn = FIRST_PROBE;
		this.probeAt = this.env.now() + this.spread(SOON_PROBE);
		if (this.state === 'live') this.planProbe();
	}

	/* Many clients that lost the same server do not knock at the same moment. */
	private spread(ms: number): number {
		return ms * (0.75 + this.env.random() / 2);
	}

	private planProbe(): void {
		this.env.clearTimeout(this.probeTimer);
		if (!this.attempt || this.attempt.index === 0 || this.probe) return;
		this.probeTimer = this.env.setTimeout(() => this.check(), Math.max(0, this.probeAt - this.env.now()));
	}

	/* Tries the rungs above the present one beside it, from the given one on. */
	private startProbe(index: number, told = false): void {
		this.env.clearTimeout(this.probeTimer);
		if (!this.attempt?.live || this.attempt.index <= index) return;
		if (this.attempt.link?.follows && !told) {
			// The tab that keeps the connection minds this too, and its find is told to all.
			this.probeAt = this.env.now() + this.spread(this.probeIn);
			return this.planProbe();
		}
		this.probe = this.open(index, true);
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
		this.probeAt = this.env.now() + this.spread(this.probeIn);
		this.best = Math.min(this.best, a.index);
		const { rung } = this.env.transports[a.index]!;
		this.env.remember(a.index === 0 ? null : { rung, until: this.env.now() + MEMORY });
		this.env.onBetter();
		this.set('live');
		this.planProbe();
	}

	private closeAll(): void {
		for (const t of [this.waitTimer, this.pingTimer, this.probeTimer, this.attempt?.timer, this.probe?.timer]) this.env.clearTimeout(t);
		this.pingTimer = null;
		const open = [this.attempt, this.probe];
		this.attempt = this.probe = null;
		for (const a of open) a?.link?.close();
	}
}
