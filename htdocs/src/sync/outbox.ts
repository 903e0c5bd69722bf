// Unsent messages over reloads: kept as they change, and taken over from tabs that are gone.
import { myId } from '../model/state';
import type { Pending } from '../model/types';
import type { Client } from './client';
import { dropPending, loadOutbox, savePending, shelf } from './local';
import { livingTabs } from './tabs';

const AGAIN = 1_500; // ms: a tab that was just reloaded may seem alive for a moment

type Parts = Pick<Client, 'store' | 'instance' | 'uploads' | 'sender' | 'stopped'>;

export class Outbox {
	private last: readonly Pending[] = [];

	constructor(private c: Parts) {}

	/* Answers how to end it. */
	begin(): () => void {
		const undo = this.c.store.subscribe(() => this.keep());
		this.adopt();
		const later = setTimeout(() => this.adopt(), AGAIN);
		return () => {
			undo();
			clearTimeout(later);
		};
	}

	private keep(): void {
		const { outbox } = this.c.store.get();
		if (outbox === this.last) return;
		const me = myId(this.c.store.get());
		const before = new Map(this.last.map((p) => [p.client_id, p]));
		for (const p of outbox) {
			if (p.state === 'acked') dropPending(shelf, me, p.client_id);
			else if (before.get(p.client_id) !== p && p.owner === this.c.instance) savePending(shelf, me, p);
			before.delete(p.client_id);
		}
		for (const p of before.values()) dropPending(shelf, me, p.client_id);
		this.last = outbox;
		this.c.uploads.settle();
	}

	/* Takes over what a tab that is gone has left unsent. */
	adopt(): void {
		const { store, instance, uploads, sender } = this.c;
		const me = myId(store.get());
		void livingTabs().then((alive) => {
			if (this.c.stopped) return;
			const mine = loadOutbox(shelf, me).filter((p) => p.owner !== instance && !alive.has(p.owner));
			if (mine.length) store.dispatch({ type: 'outbox/add', items: mine.map((p) => ({ ...p, owner: instance })) });
			uploads.adopt(alive);
			if (mine.length) sender.pump();
		});
	}
}
