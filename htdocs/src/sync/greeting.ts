// What is asked for and told when a link begins: the site's limits, how others see us, our time zone.
import { api } from '../net/api';
import { myId } from '../model/state';
import { limitsOfFiles } from '../model/uploads';
import type { Store } from '../store';
import type { Loader } from './loader';

const SPREAD = 3_000; // ms

export class Greeting {
	private limitsKnown = false;
	private selfTimer: ReturnType<typeof setTimeout> | undefined;

	constructor(
		private store: Store,
		private loader: Loader,
	) {}

	/* How others see us is told when it changes; so what it was before has to be asked for. Not by all at once that have lost the
	 * same server. */
	askSelf(): void {
		const me = myId(this.store.get());
		const first = !this.store.get().presence[me];
		clearTimeout(this.selfTimer);
		this.selfTimer = setTimeout(() => void this.loader.presence([myId(this.store.get())]), first ? 0 : Math.random() * SPREAD);
	}

	/* Not each link says them; what it has said, or this, is good until the page is loaded anew. */
	askLimits(): void {
		if (this.limitsKnown) return;
		this.limitsKnown = true;
		api.limits().then(
			({ data }) => this.tookLimits(data),
			() => (this.limitsKnown = false), // with the next link
		);
	}

	tookLimits(limits: Record<string, unknown>): void {
		const { message_chars, edit_window, reactions, emoji } = limits; // a link need not say all of them
		this.store.dispatch({
			type: 'limits',
			limits: {
				...(typeof message_chars === 'number' ? { message_chars } : {}),
				...(typeof edit_window === 'number' ? { edit_window } : {}),
				...(typeof reactions === 'number' ? { reactions } : {}),
				...(typeof emoji === 'string' ? { emoji } : {}),
				...limitsOfFiles(limits),
			},
		});
	}

	/* Others see the time where one is. */
	tellZone(): void {
		const { me } = this.store.get();
		const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
		if (!me || me.user.time_zone === undefined || !here || here === me.user.time_zone) return;
		api.changeMe({ time_zone: here }).catch(() => {}); // at the next start
	}

	stop(): void {
		clearTimeout(this.selfTimer);
	}
}
