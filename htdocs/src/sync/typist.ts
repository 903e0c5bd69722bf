// Says that one writes: with the first key, then every three seconds while keys come. When the keys stop so does this, and when
// the message goes.
const EVERY = 3_000; // ms between two tellings, whatever is written where
const PAUSE = 4_000; // ms without a key after which nobody types any more

export interface TypistEnv {
	now(): number;
	/* Tells it, if that can be done now. What cannot is not kept: it would be wrong by then. */
	tell(place: string): void;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
}

export class Typist {
	private place: string | null = null;
	private keyAt = -Infinity;
	private toldAt = -Infinity;
	private toldIn: string | null = null;
	private timer: unknown = null;

	constructor(private env: TypistEnv) {}

	/* place: as of placeKey(). */
	key(place: string): void {
		this.place = place;
		this.keyAt = this.env.now();
		this.timer ??= this.env.setTimeout(() => this.due(), Math.max(0, this.toldAt + EVERY - this.env.now()));
	}

	/* The text was sent or is gone, or another channel or thread is shown. */
	stop(): void {
		this.env.clearTimeout(this.timer);
		this.timer = null;
		this.place = null;
	}

	private due(): void {
		this.timer = null;
		const now = this.env.now();
		// Told since the last key, or that was long ago (the timer of a page that was hidden).
		if (this.place === null || now - this.keyAt >= PAUSE || (this.keyAt <= this.toldAt && this.toldIn === this.place)) return;
		this.toldIn = this.place;
		this.env.tell(this.place);
		this.toldAt = this.env.now();
		this.timer = this.env.setTimeout(() => this.due(), EVERY);
	}
}
