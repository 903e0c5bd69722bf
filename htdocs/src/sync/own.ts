// What one sets for oneself: settings, status, how a channel is to be, the order of the side bar. What goes wrong is thrown.
import { api } from '../net/api';
import { peersOf } from '../model/state';
import type { Channel, Prefs, Section, Settings, Status } from '../model/types';
import type { Store } from '../store';
import type { Loader } from './loader';

export class Own {
	private arranging = Promise.resolve();

	constructor(
		private store: Store,
		private loader: Loader,
	) {}

	async changeSettings(change: Partial<Settings>): Promise<void> {
		this.tookSettings((await api.changeSettings(change)).data);
	}

	async setStatus(status: Status | null): Promise<void> {
		const { emoji, text, until } = status ?? {};
		const said = { ...(emoji ? { emoji } : {}), ...(text ? { text } : {}), ...(until ? { until } : {}) };
		this.tookSettings((await (emoji || text ? api.setStatus(said) : api.clearStatus())).data);
	}

	private tookSettings(settings: Settings | null): void {
		if (typeof settings?.version === 'number') this.store.dispatch({ type: 'settings', settings });
		else void this.loader.settings();
	}

	/* Takes a channel that an answer brought into the list. */
	took(c: Channel): void {
		this.store.dispatch({ type: 'channel', channel: c });
		this.loader.needUsers(peersOf(this.store.get(), c));
	}

	/* Whether others see how far one has read in this channel. */
	async setReceipts(channel: number, on: boolean): Promise<void> {
		this.took((await api.setReceipts(channel, on)).data);
	}

	/* What one wants of a channel. */
	async setPrefs(channel: number, change: Partial<Omit<Prefs, 'version'>>): Promise<void> {
		const { data } = await api.setPrefs(channel, change);
		this.store.dispatch({ type: 'prefs', channel, prefs: data });
	}

	/* The side bar in another order; shows at once. One change after the other, each on top of what the one before has come to. */
	arrange(sections: readonly Section[]): Promise<void> {
		const held = () => this.store.get().sidebar?.version ?? 0;
		this.store.dispatch({ type: 'sidebar', sidebar: { sections, version: held() }, force: true });
		const turn = this.arranging.then(async () => {
			const { data } = await api.arrange({ sections, version: held() });
			this.store.dispatch({ type: 'sidebar', sidebar: data });
		});
		this.arranging = turn.catch(() => this.loader.sidebar(true));
		return turn;
	}

	async leave(channel: number): Promise<void> {
		await api.leave(channel);
		this.store.dispatch({ type: 'channel/left', channel });
	}
}
