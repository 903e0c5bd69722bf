// Tells that messages of direct channels have arrived on a device: once for all tabs of a profile, and many together. What was
// told is kept beside the drafts; a lock makes looking there and writing there one act.
import type { Line } from '../model/types';
import type { Shelf } from './local';

const PAUSE = 500; // ms

export interface ArrivalsEnv {
	ask(op: object): Promise<Line>;
	live(): boolean;
	shelf: Shelf;
	user(): number;
	/* Runs f while no other tab does; null: the browser has no locks. */
	alone: ((f: () => void) => Promise<unknown>) | null;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
}

export const toldKey = (user: number, channel: number | string): string => `got:${user}:${channel}`;

export class Arrivals {
	private wanted = new Map<number, number>();
	private timer: unknown = null;
	private stopped = false;

	constructor(private env: ArrivalsEnv) {}

	arrived(channel: number, seq: number): void {
		if (this.stopped || seq <= Math.max(this.wanted.get(channel) ?? 0, this.told(channel))) return;
		this.wanted.set(channel, seq);
		this.timer ??= this.env.setTimeout(() => this.flush(), PAUSE);
	}

	flush(): void {
		this.env.clearTimeout(this.timer);
		this.timer = null;
		if (this.stopped || !this.wanted.size || !this.env.live()) return;
		if (this.env.alone) void this.env.alone(() => this.claim()).catch(() => {}); // the page is going
		else this.claim();
	}

	/* The log went back: so do the numbers. */
	forget(): void {
		this.wanted.clear();
		for (const key of this.env.shelf.keys(toldKey(this.env.user(), ''))) this.env.shelf.set(key, null);
	}

	stop(): void {
		this.stopped = true;
		this.env.clearTimeout(this.timer);
	}

	private told(channel: number): number {
		return Number(this.env.shelf.get(toldKey(this.env.user(), channel)) ?? 0);
	}

	private claim(): void {
		if (this.stopped) return;
		for (const [channel, seq] of this.wanted) {
			this.wanted.delete(channel);
			if (this.told(channel) >= seq) continue;
			this.env.shelf.set(toldKey(this.env.user(), channel), String(seq));
			// Where it fails the next one will do, or the marker.
			this.env.ask({ op: 'delivered', channel, seq }).catch(() => {});
		}
	}
}
