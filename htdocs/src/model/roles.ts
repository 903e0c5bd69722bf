// Who may do what, as far as it is to be shown: the server judges (doc/roles.md).
import { myId, type State } from './state';
import type { Channel, Until, User } from './types';

export const siteRank = (role: User['role'] | undefined): number => (role === 'owner' ? 3 : role === 'admin' ? 2 : role === 'member' ? 1 : 0);

export const isAdmin = (s: State): boolean => siteRank(s.me?.user.role) >= 2;
export const isGuest = (s: State): boolean => s.me?.user.role === 'guest';

/* In a channel: 3 as an admin of the site, 2 its owner, 1 a moderator, 0 neither. */
export function rankIn(s: State, channel: number | null): number {
	const c = channel === null ? undefined : s.channels[channel];
	if (c?.kind === 'direct') return 0;
	if (isAdmin(s)) return 3;
	const role = c?.membership?.role;
	return role === 'owner' ? 2 : role === 'moderator' ? 1 : 0;
}

export const endOf = (until: Until | null | undefined): number => (!until ? 0 : until === 'forever' ? Infinity : Date.parse(until));

/* Until when one may not write there (ms, Infinity without an end); 0: one may. */
export function mutedUntil(s: State, c: Channel): number {
	return Math.max(endOf(c.membership?.muted_until), endOf(s.users[myId(s)]?.muted_until ?? s.me?.user.muted_until));
}
