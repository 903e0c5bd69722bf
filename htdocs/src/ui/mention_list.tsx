// The completion of a mention, and whom a text names.
import { useEffect, useMemo } from 'preact/hooks';
import { Megaphone, Users } from 'lucide';
import { spokenText } from '../model/markdown';
import { groupList, nameOf } from '../model/groups';
import { choices, fold, mentionsIn, writingAt } from '../model/mention';
import { isGuest, rankIn } from '../model/roles';
import { isAside } from '../model/threads';
import { myId, peersOf, type State } from '../model/state';
import type { Channel, Message, Name, User } from '../model/types';
import { tg } from '../strings_groups';
import { t } from '../strings';
import { Avatar } from './avatar';
import { useCompletion, type Completion, type Field, type Option, type Put, type Query } from './completion';
import { useState$, useUi } from './context';
import { Icon } from './icon';
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

/* `channel` and `here`, where one of this channel may be named so. aside: in a reply that stands in its thread alone it is not. */
function wideNames(s: State, channel: Channel, aside: boolean): ('channel' | 'here')[] {
	return channel.kind === 'direct' || isGuest(s) || aside ? [] : ['channel', 'here'];
}

/* Whom a text names: by the handles of the members, or of anyone where not all members are known, and of groups. The server keeps members. */
export function namedIn(s: State, channel: Channel, text: string, aside = false): Name[] {
	if (!text.includes('@')) return [];
	const { people, all } = candidates(s, channel);
	const byHandle = new Map<string, Name>((all ? people : Object.values(s.users)).map((u) => [u.handle, u.id]));
	for (const g of Object.values(s.groups.of)) byHandle.set(g.handle, nameOf(g));
	for (const name of wideNames(s, channel, aside)) byHandle.set(name, name);
	return mentionsIn(spokenText(text), (h) => byHandle.get(h)).filter((id) => id !== myId(s));
}

export const isWide = (n: Name): boolean => n === 'channel' || n === 'here';

/* Whom a text names that is edited. `channel` and `here` are for new messages alone: where they named nobody they go on being words. */
export function namedByEdit(s: State, channel: Channel, m: Message, text: string): Name[] {
	const aside = isAside(m);
	const words = namedIn(s, channel, m.body?.text ?? '', aside).filter((n) => isWide(n) && m.body?.mentions?.includes(n) !== true);
	return namedIn(s, channel, text, aside).filter((n) => !words.includes(n));
}

/* Groups, the channel and who is here: those that one may name. */
function several(s: State, channel: Channel, query: string, aside: boolean): Option[] {
	const q = fold(query);
	const may = channel.mention_all !== 'moderators' || rankIn(s, channel.id) > 0;
	const wide = may ? wideNames(s, channel, aside).filter((n) => n.startsWith(q)) : [];
	const groups = isGuest(s) ? [] : groupList(s).filter((g) => g.handle.startsWith(q) || fold(g.name).startsWith(q));
	return [
		...groups.slice(0, 4).map((g) => ({
			id: `g${g.id}`,
			write: `@${g.handle} `,
			face: <Icon of={Users} />,
			name: g.name,
			note: tg.group(g.members),
		})),
		...wide.map((n) => ({ id: n, write: `@${n} `, face: <Icon of={Megaphone} />, name: `@${n}`, note: tg[n] })),
	];
}

export function useMentions(channel: Channel, area: Field, put: Put, aside = false): Completion {
	const useOptions = (at: Query | null) => {
		const { client } = useUi();
		const users = useState$((s) => s.users);
		const members = useState$((s) => s.members[channel.id]);
		const groups = useState$((s) => s.groups);
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
			const others = all ? [] : (found ?? []).filter((u) => !inside.has(u.id) && u.id !== me);
			const named = choices(at.query, [...people, ...others]).map((u) => ({
				id: String(u.id),
				write: `@${u.handle} `,
				face: <Avatar user={u} id={u.id} size="s" />,
				name: personName(u),
				note: `@${u.handle}`,
			}));
			return [...named, ...several(client.store.get(), channel, at.query, aside)];
		}, [at?.query, people, found, all, groups, aside]);
	};
	return useCompletion({ list: 'mention-list', label: t.mentionSomeone, place: channel.id, writingAt, useOptions }, area, put);
}
