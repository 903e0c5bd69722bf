// The read marker: told to the server only for what was on the screen of a tab in use, forward only, and not for every
// message by itself.
import { api, ApiError } from '../net/api';
import type { Store } from '../store';

const PAUSE = 400; // ms between two tellings

export class Reader {
	private wanted = new Map<number, number>();
	private timer: ReturnType<typeof setTimeout> | null = null;

	constructor(
		private store: Store,
		private sendOp: (op: object) => boolean,
		private live: () => boolean,
	) {}

	/* A message was seen. */
	seen(channel: number, seq: number): void {
		const mark = this.store.get().channels[channel]?.membership?.last_read_seq;
		if (mark === undefined || seq <= mark || seq <= (this.wanted.get(channel) ?? 0)) return;
		this.wanted.set(channel, seq);
		this.timer ??= setTimeout(() => this.flush(), PAUSE);
	}

	flush(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
		for (const [channel, seq] of this.wanted) {
			this.store.dispatch({ type: 'read', channel, seq });
			if (this.sendOp({ op: 'read', channel, seq })) this.wanted.delete(channel);
			else if (this.live()) {
				this.wanted.delete(channel);
				api.read(channel, seq).catch((e: unknown) => {
					// Kept for the next time there is a link. A refusal (no member any more) is final.
					if (e instanceof ApiError && e.transient) this.wanted.set(channel, Math.max(seq, this.wanted.get(channel) ?? 0));
				});
			}
		}
	}

	stop(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
		this.wanted.clear();
	}
}
