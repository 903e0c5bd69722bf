// Which messages are to be notified of: those that call for attention by one's level in the channel (unread.ts), and replies in threads that
// one follows; as long as they are unread. Pure.
import { myId, type State } from './state';
import { isAside, threadKey } from './threads';
import type { Channel, Message } from './types';
import { isLoud, isQuiet, levelOf, markOf } from './unread';

/* later: what it depends on is not known yet, and has been asked for. */
export type Verdict = 'yes' | 'no' | 'later';

export const OLD = 60_000; // ms; what is older when it comes was missed, and is no news

export function verdict(s: State, m: Message): Verdict {
	const c = s.channels[m.channel];
	if (!c) return 'later';
	const me = myId(s);
	if (!c.membership || m.deleted || m.sender === me || isRead(s, c, m)) return 'no';
	if (isLoud(s, c, m)) return 'yes';
	if (m.thread === undefined || isQuiet(c) || levelOf(c) === 'nothing') return 'no';
	const f = s.followed[threadKey(m.channel, m.thread)];
	if (!f) return s.followedAll ? 'no' : 'later';
	return f.state.following ? 'yes' : 'no';
}

/* A reply is read in its thread; where it stands in the channel's line too, there as well. */
function isRead(s: State, c: Channel, m: Message): boolean {
	const state = m.thread === undefined ? undefined : s.followed[threadKey(m.channel, m.thread)]?.state;
	if (state?.following && (state.seq ?? 0) >= m.seq) return true;
	return !(state?.following && isAside(m)) && m.seq <= markOf(c);
}

/* Do not disturb. */
export const isUndisturbed = (s: State): boolean => (s.settings ? s.settings.dnd_until !== null : s.presence[myId(s)]?.dnd === true);
