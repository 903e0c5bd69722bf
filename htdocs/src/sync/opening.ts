// The channel that is open: loads what is missing of it, and sets the line above what is unread.
import { peersOf } from '../model/state';
import { markOf, unreadOf } from '../model/unread';
import type { Client } from './client';

const KEPT = 200; // messages of a channel that is not looked at

type Parts = Pick<Client, 'store' | 'loader' | 'reader' | 'typist' | 'interest' | 'keeps' | 'groups' | 'hooks'>;

export class Opening {
	current: number | null = null;
	private wishedAt: number | null = null; // the message that it was opened at

	constructor(private c: Parts) {}

	/* at: begins at that message. */
	open(id: number | null, at: number | null = null): void {
		const { store, loader, reader, interest } = this.c;
		if (this.current !== null && this.current !== id) {
			reader.release(this.current);
			store.dispatch({ type: 'log/trim', channel: this.current, to: KEPT });
			store.dispatch({ type: 'reads/forget', channel: this.current });
		}
		const again = this.current === id;
		if (!again) this.c.typist.stop();
		this.current = id;
		this.wishedAt = at;
		const s = store.get();
		interest.open(id !== null && s.channels[id] ? id : null);
		if (id === null || s.phase !== 'ready') return;
		const c = s.channels[id];
		if (!c) return void this.look(id);
		if (s.preview || s.missing !== null) store.dispatch({ type: 'preview', channel: null });
		if (!again || at === null) store.dispatch({ type: 'line', channel: id, after: unreadOf(c) > 0 ? markOf(c) : null });
		if (at !== null) void this.goTo(id, at);
		else if (s.logs[id]?.status !== 'ready') loader.newest(id).catch(() => {}); // the view shows the failure
		loader.needUsers(peersOf(store.get(), c));
		this.c.keeps.open(id);
		void this.c.groups.load();
	}

	/* What was opened before anything was there to be shown. */
	begin(): void {
		if (this.current !== null) this.open(this.current, this.wishedAt);
	}

	private async goTo(id: number, seq: number): Promise<void> {
		let there = false;
		try {
			there = await this.c.loader.around(id, seq);
		} catch {
			// said below
		}
		if (this.current !== id) return;
		if (there) return this.c.store.dispatch({ type: 'target', target: { channel: id, seq } });
		this.c.hooks.notFound();
		if (this.c.store.get().logs[id]?.status !== 'ready') this.c.loader.newest(id).catch(() => {});
	}

	/* A channel that is not ours: a public one can be looked at and joined. */
	private async look(id: number): Promise<void> {
		const c = await this.c.loader.channel(id, 2);
		if (this.current !== id) return;
		if (c?.membership) this.open(id);
		else this.c.store.dispatch(c ? { type: 'preview', channel: c } : { type: 'preview', channel: null, missing: id });
	}
}
