// How channels and people are called on the screen.
import { myId, peersOf, type State } from '../model/state';
import { apart } from '../model/direction';
import type { Channel, User } from '../model/types';
import { t } from '../strings';

/* Whatever else bears a name: a group, a section. */
export { apart } from '../model/direction';

export const personName = (u: User | undefined): string => apart(u?.name || u?.handle || t.unknownPerson);

export const channelName = (c: { name: string | null }): string => apart(c.name ?? '');

/* "#general" for a channel, the names of the others for a direct one. */
export function channelLabel(s: State, c: Channel): string {
	if (c.kind !== 'direct') return `#${channelName(c)}`;
	const peers = peersOf(s, c);
	if (peers.length > 1) return peers.map((id) => personName(s.users[id])).sort((a, b) => a.localeCompare(b)).join(', ');
	const name = personName(s.users[peers[0] ?? 0]);
	return c.peer === myId(s) ? `${name} (${t.you})` : name;
}
