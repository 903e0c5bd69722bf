// Whose session it is, and its end.
import { api, ApiError } from '../net/api';
import { myId } from '../model/state';
import type { Client } from './client';
import { forgetPerson, shelf } from './local';

type Parts = Pick<Client, 'store' | 'ladder' | 'uploads' | 'stop' | 'stopped'>;

export class Session {
	private leaving = false;

	constructor(private c: Parts) {}

	/* Whose connection it is: tabs of another session of this browser have their own. */
	owner(): string | null {
		const { me } = this.c.store.get();
		return me && `${me.user.id}/${me.session.id}`;
	}

	/* Somebody has signed in in another tab: our requests bear that session now. */
	async whoAmI(): Promise<void> {
		const { data } = await api.me().catch(() => ({ data: null }));
		const { store, ladder } = this.c;
		const held = store.get().me;
		if (!data || !held || this.c.stopped) return;
		if (data.user.id !== held.user.id) return this.end('ended');
		if (data.session.id === held.session.id) return;
		store.dispatch({ type: 'me', me: data });
		if (ladder.state === 'idle') return;
		ladder.pause();
		ladder.resume();
	}

	/* A 401 from somewhere: the session is over, unless the server says otherwise when asked. */
	probe(): void {
		api.me().catch((e: unknown) => {
			if (e instanceof ApiError && e.status === 401) this.end('ended');
		});
	}

	async signOut(): Promise<void> {
		this.leaving = true; // from here to the next page: the news that the session has ended is no surprise
		const { data } = await api.logout().catch((e: unknown) => {
			this.leaving = false;
			throw e;
		});
		const me = myId(this.c.store.get());
		forgetPerson(shelf, me);
		await this.c.uploads.forget(me);
		this.c.stop();
		location.assign(data?.redirect || '/sign-in');
	}

	end(phase: 'signed_out' | 'ended' | 'deactivated'): void {
		if (this.c.stopped || this.leaving) return;
		this.c.stop();
		this.c.store.dispatch({ type: 'phase', phase });
	}
}
