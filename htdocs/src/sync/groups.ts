// The list of groups: loaded when a channel is opened first, kept by events from then on.
import { isGuest } from '../model/roles';
import type { Group } from '../model/types';
import type { Store } from '../store';

export interface GroupsEnv {
	store: Store;
	page(after?: string): Promise<{ groups: Group[]; next: string | null; manage: boolean }>;
}

export class GroupLists {
	private asking: Promise<void> | null = null;

	constructor(private env: GroupsEnv) {}

	/* anew: whatever is held. A failure is of no account: it is asked again when a channel is opened next. */
	load(anew = false): Promise<void> {
		const s = this.env.store.get();
		if ((s.groups.loaded && !anew) || !s.me || isGuest(s)) return Promise.resolve();
		if (anew) this.env.store.dispatch({ type: 'groups/forget' });
		return (this.asking ??= this.ask().catch(() => {}).finally(() => (this.asking = null)));
	}

	private async ask(): Promise<void> {
		const all: Group[] = [];
		let after: string | undefined;
		let manage: boolean;
		do {
			const page = await this.env.page(after);
			all.push(...page.groups);
			manage = page.manage;
			after = page.next ?? undefined;
		} while (after);
		this.env.store.dispatch({ type: 'groups', groups: all, manage });
	}
}
