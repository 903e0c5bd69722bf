// The own marker: told to the server only for what was on the screen of a tab in use, forward only, and not for every message
// by itself. Where one has marked something as unread it stays so until the channel is left and opened again.
import { ApiError } from '../net/api';
import type { Line } from '../model/types';
import { markOf } from '../model/unread';
import type { Store } from '../store';

const PAUSE = 400; // ms between two tellings
const AGAIN = 10_000; // ms, where the server could not

export class Reader {
	private wanted = new Map<number, number>();
	private kept = new Set<number>();
	private timer: ReturnType<typeof setTimeout> | null = null;
	private due = 0;

	constructor(
		private store: Store,
		private ask: (op: object) => Promise<Line>,
		private live: () => boolean,
	) {}

	/* A message was seen. It counts as read here at once. */
	seen(channel: number, seq: number): void {
		const c = this.store.get().channels[channel];
		if (!c?.membership || this.kept.has(channel) || seq <= markOf(c)) return;
		this.store.dispatch({ type: 'read', channel, seq });
		this.wanted.set(channel, Math.max(seq, this.wanted.get(channel) ?? 0));
		this.later(PAUSE);
	}

	/* What is seen of this channel from now on does not count as read. */
	keep(channel: number): void {
		this.flush(); // what was seen before does, and is told first
		this.kept.add(channel);
		this.wanted.delete(channel);
	}

	release(channel: number): void {
		this.kept.delete(channel);
	}

	flush(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
		if (!this.live()) return; // once there is a link
		for (const [channel, seq] of this.wanted) {
			this.wanted.delete(channel);
			this.ask({ op: 'read', channel, seq }).catch((e: unknown) => this.failed(channel, seq, e));
		}
	}

	stop(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
		this.wanted.clear();
	}

	/* The sooner counts: what is seen after a failure does not wait for its turn. */
	private later(ms: number): void {
		const due = Date.now() + ms;
		if (this.timer !== null) {
			if (this.due <= due) return;
			clearTimeout(this.timer);
		}
		this.due = due;
		this.timer = setTimeout(() => this.flush(), ms);
	}

	private failed(channel: number, seq: number, e: unknown): void {
		// A refusal (no member any more) is final.
		if (!(e instanceof ApiError) || !e.transient) return this.store.dispatch({ type: 'unread/undo', channel });
		if (this.kept.has(channel)) return;
		this.wanted.set(channel, Math.max(seq, this.wanted.get(channel) ?? 0));
		this.later(AGAIN);
	}
}
