// What this tab wants to be told of: the open channel, and the people on the screen. Views say who that is when they draw and
// undraw somebody; many such hints make one telling. Someone who was on the screen a moment ago stays, so that scrolling up and
// down tells nothing, until others need the place or another channel is opened.
import { NOTHING, sameWants, union, type Wants } from '../net/wants';

const PAUSE = 150; // ms
const UNSEEN = 60_000; // ms a page is hidden before it wants nothing any more
const MOST = 200; // people

export interface InterestEnv {
	/* wants() has changed. */
	changed(): void;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
}

export class Interest {
	private channel: number | null = null;
	private shown = new Map<number, number>(); // how often
	private recent = new Set<number>(); // the last one came last
	private timer: unknown = null;
	private hideTimer: unknown = null;
	private unseen = false;
	private now: Wants = NOTHING;

	constructor(private env: InterestEnv) {}

	wants(): Wants {
		return this.now;
	}

	open(channel: number | null): void {
		if (channel === this.channel) return;
		this.channel = channel;
		for (const id of this.recent) if (!this.shown.has(id)) this.recent.delete(id);
		this.soon();
	}

	/* Somebody is drawn. Answers how to say that he is not any more. */
	show(id: number): () => void {
		this.shown.set(id, (this.shown.get(id) ?? 0) + 1);
		this.recent.delete(id);
		this.recent.add(id);
		this.soon();
		let over = false;
		return () => {
			if (over) return;
			over = true;
			const n = this.shown.get(id)! - 1;
			if (n) this.shown.set(id, n);
			else this.shown.delete(id);
			this.soon();
		};
	}

	/* Nobody looks at a page that is hidden for long. */
	hidden(hidden: boolean): void {
		this.env.clearTimeout(this.hideTimer);
		if (hidden) this.hideTimer = this.env.setTimeout(() => this.see(true), UNSEEN);
		else this.see(false);
	}

	stop(): void {
		this.env.clearTimeout(this.timer);
		this.env.clearTimeout(this.hideTimer);
	}

	private see(unseen: boolean): void {
		if (this.unseen === unseen) return;
		this.unseen = unseen;
		this.tell();
	}

	private soon(): void {
		this.timer ??= this.env.setTimeout(() => this.tell(), PAUSE);
	}

	private tell(): void {
		this.env.clearTimeout(this.timer);
		this.timer = null;
		// Those on the screen first, the newest before the older ones, then those that were.
		const newest = [...this.recent].reverse();
		const there = newest.filter((id) => this.shown.has(id));
		const watch = [...there, ...newest.filter((id) => !this.shown.has(id))].slice(0, MOST);
		for (const id of newest) if (!this.shown.has(id) && !watch.includes(id)) this.recent.delete(id);
		const next = this.unseen ? NOTHING : union([{ focus: this.channel === null ? [] : [this.channel], watch }]);
		if (sameWants(next, this.now)) return;
		this.now = next;
		this.env.changed();
	}
}
