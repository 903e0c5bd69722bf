// How channels and people are called on the screen.
import { myId, type State } from '../model/state';
import type { Channel, User } from '../model/types';
import { t } from '../strings';

export const personName = (u: User | undefined): string => u?.name || u?.handle || t.unknownPerson;

/* "#general" for a channel, the person's name for a direct one. */
export function channelLabel(s: State, c: Channel): string {
	if (c.kind !== 'direct') return `#${c.name ?? ''}`;
	const name = personName(c.peer === null ? undefined : s.users[c.peer]);
	return c.peer === myId(s) ? `${name} (${t.you})` : name;
}
