// What the composers answer, kept over reloads, and the originals of quotes, fetched one at a time where they are not at hand.
import { originalOf } from '../model/quotes';
import { placeKey } from '../model/threads';
import type { Message } from '../model/types';
import { ApiError } from '../net/api';
import type { Store } from '../store';
import type { Shelf } from './local';

export interface QuotesEnv {
	store: Store;
	shelf: Shelf;
	user(): number;
	get(channel: number, seq: number): Promise<Message>;
	people(ids: readonly number[]): void;
	/* It has changed by hand: the draft there is another one. */
	touched(place: string): void;
}

export const quotesKey = (user: number, place: string): string => `quote:${user}:${place}`;

export class Quotes {
	private wanted = new Map<string, [number, number]>();
	private busy = false;

	constructor(private env: QuotesEnv) {}

	begin(): void {
		const prefix = quotesKey(this.env.user(), '');
		for (const k of this.env.shelf.keys(prefix)) {
			const seq = Number(this.env.shelf.get(k));
			if (seq > 0) this.env.store.dispatch({ type: 'quoting', place: k.slice(prefix.length), seq });
		}
	}

	/* What is being written there answers this message; null: none. By hand. */
	set(channel: number, seq: number | null, thread?: number): void {
		this.show(placeKey(channel, thread), seq);
		this.env.touched(placeKey(channel, thread));
	}

	/* The same, from elsewhere. */
	show(place: string, seq: number | null): void {
		if ((this.env.store.get().quoting[place] ?? null) === seq) return;
		this.env.store.dispatch({ type: 'quoting', place, seq });
		this.env.shelf.set(quotesKey(this.env.user(), place), seq ? String(seq) : null);
	}

	/* It is sent: what it answers, which is done with. */
	take(place: string): number | undefined {
		const seq = this.env.store.get().quoting[place];
		this.show(place, null);
		return seq;
	}

	/* A quote of this message is on the screen. */
	need(channel: number, seq: number): void {
		if (originalOf(this.env.store.get(), channel, seq) !== undefined) return;
		this.wanted.set(`${channel}/${seq}`, [channel, seq]);
		void this.load();
	}

	private async load(): Promise<void> {
		if (this.busy) return;
		this.busy = true;
		for (const [key, [channel, seq]] of this.wanted) {
			this.wanted.delete(key);
			if (originalOf(this.env.store.get(), channel, seq) !== undefined) continue;
			try {
				const message = await this.env.get(channel, seq);
				this.env.store.dispatch({ type: 'original', channel, seq, message });
				this.env.people([message.sender]);
			} catch (e) {
				// Asked for again when it is drawn the next time, unless it is not there.
				if (e instanceof ApiError && !e.transient) this.env.store.dispatch({ type: 'original', channel, seq, message: null });
			}
		}
		this.busy = false;
	}
}
