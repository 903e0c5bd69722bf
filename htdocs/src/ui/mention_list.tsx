// The completion of a mention, and whom a text names.
import { useEffect, useMemo } from 'preact/hooks';
import { spokenText } from '../model/markdown';
import { choices, mentionsIn, writingAt } from '../model/mention';
import { myId, peersOf, type State } from '../model/state';
import type { Channel, User } from '../model/types';
import { t } from '../strings';
import { Avatar } from './avatar';
import { useCompletion, type Completion, type Field, type Put, type Query } from './completion';
import { useState$, useUi } from './context';
import { personName } from './names';
import { usePeople } from './picker';

/* Members of the channel who can be named, as far as they are known; all: there are no others. */
function candidates(s: State, channel: Channel): { people: User[]; all: boolean } {
	const me = myId(s);
	const known = (ids: readonly number[]) => ids.flatMap((id) => (id !== me && s.users[id]?.active ? [s.users[id]] : []));
	if (channel.kind === 'direct') return { people: known(peersOf(s, channel)), all: true };
	const members = s.members[channel.id];
	return { people: known(members?.list.map((m) => m.user) ?? []), all: members?.status === 'ready' && members.next === null };
}

/* Whom a text names: by the handles of the members, or of anyone where not all members are known. The server keeps members. */
export function namedIn(s: State, channel: Channel, text: string): number[] {
	if (!text.includes('@')) return [];
	const { people, all } = candidates(s, channel);
	const byHandle = new Map((all ? people : Object.values(s.users)).map((u) => [u.handle, u.id]));
	return mentionsIn(spokenText(text), (h) => byHandle.get(h)).filter((id) => id !== myId(s));
}

export function useMentions(channel: Channel, area: Field, put: Put): Completion {
	const useOptions = (at: Query | null) => {
		const { client } = useUi();
		const users = useState$((s) => s.users);
		const members = useState$((s) => s.members[channel.id]);
		const writing = at !== null;
		const { people, all } = useMemo(() => candidates(client.store.get(), channel), [channel.id, channel.peer, users, members]);
		const found = usePeople(writing && !all && channel.kind !== 'direct' ? at.query : null);
		useEffect(() => {
			if (writing && !client.store.get().members[channel.id] && channel.kind !== 'direct') void client.loader.members(channel.id);
		}, [writing, channel.id]);
		return useMemo(() => {
			if (!at) return [];
			const inside = new Set(people.map((u) => u.id));
			const me = myId(client.store.get());
			return choices(at.query, [...people, ...(all ? [] : (found ?? []).filter((u) => !inside.has(u.id) && u.id !== me))]).map((u) => ({
				id: String(u.id),
				write: `@${u.handle} `,
				face: <Avatar user={u} id={u.id} size="s" />,
				name: personName(u),
				note: `@${u.handle}`,
			}));
		}, [at?.query, people, found, all]);
	};
	return useCompletion({ list: 'mention-list', label: t.mentionSomeone, place: channel.id, writingAt, useOptions }, area, put);
}
