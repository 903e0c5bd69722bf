// After a reset: nothing that is held is to be trusted, where the log went back (`anew`) not even its versions. Loads the lists and
// what is open; tries until it works.
import { ApiError } from '../net/api';
import { pauseOrWake } from './browser';
import type { Client } from './client';

const APART = 60_000; // ms between two reloads because of what went missing

type Parts = Pick<
	Client,
	'store' | 'arrivals' | 'keeps' | 'drafts' | 'sender' | 'loader' | 'threads' | 'groups' | 'opening' | 'session' | 'stopped'
>;

export class Resets {
	private running: Promise<void> | null = null;
	private again = false;
	private lostAt = -Infinity;

	constructor(private c: Parts) {}

	/* An event went missing, or the log went back. */
	lost(anew: boolean): void {
		if (anew) return this.reload(true);
		// Once a minute at most: a server that counts wrongly must not make us load for ever.
		if (Date.now() - this.lostAt < APART) return;
		this.lostAt = Date.now();
		this.reload(false);
	}

	reload(anew: boolean): void {
		const { store } = this.c;
		this.again = true;
		if (anew) {
			store.dispatch({ type: 'distrust' });
			this.c.arrivals.forget();
			this.c.keeps.distrust();
			this.c.drafts.distrust(Object.keys(store.get().channels).map(Number));
			this.c.sender.pump();
		}
		store.dispatch({ type: 'log/reset', keep: this.c.opening.current });
		this.running ??= this.run().finally(() => (this.running = null));
	}

	private async run(): Promise<void> {
		const { store, loader, opening } = this.c;
		store.dispatch({ type: 'connection', connection: { catchingUp: true } });
		for (let n = 0; this.again && !this.c.stopped; n++) {
			this.again = false;
			try {
				await loader.channels();
				if (opening.current !== null && store.get().channels[opening.current]) await loader.newest(opening.current, 100);
				loader.needUsers(Object.keys(store.get().users).map(Number), true);
				void loader.settings();
				if (opening.current !== null) this.c.keeps.open(opening.current);
				this.c.threads.loadFollowed(true);
				void this.c.groups.load(true);
				void loader.sidebar();
			} catch (e) {
				if (e instanceof ApiError && e.status === 401) return this.c.session.end('ended');
				this.again = true;
				await pauseOrWake(Math.min(15_000, 500 * 2 ** n));
			}
		}
		store.dispatch({ type: 'connection', connection: { catchingUp: false } });
	}
}
