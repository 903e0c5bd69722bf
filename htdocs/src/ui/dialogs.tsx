// The dialogs that lead somewhere: quick switcher, new direct message, adding a person.
import { useState } from 'preact/hooks';
import { Hash, Lock, Search, Users } from 'lucide';
import { api } from '../net/api';
import { myId, sections } from '../model/state';
import { unreadOf } from '../model/unread';
import type { Channel, User } from '../model/types';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { Dialog } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { apart, channelLabel, channelName, personName } from './names';
import { personChoice, Picker, usePeople, type Choice } from './picker';
import { channelPath, navigate, openSearch } from './route';

interface Props {
	onClose: () => void;
}

/* Lower case without marks, so that "Zoe" finds "Zoë". */
const fold = (s: string) => s.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();

/* Opens the direct channel with someone, made by the server if it is not there yet. */
export function useDirect(onClose: () => void): (user: number) => void {
	const { client, toast } = useUi();
	return (user) => {
		const known = Object.values(client.store.get().channels).find((c) => c.kind === 'direct' && c.peer === user);
		const go = (c: Channel) => {
			onClose();
			navigate(channelPath(c.id));
		};
		if (known) return go(known);
		api.createChannel({ kind: 'direct', members: [user] }).then(
			({ data }) => {
				client.took(data);
				go(data);
			},
			(e: unknown) => toast(errorText(e), true),
		);
	};
}

export function Switcher({ onClose }: Props) {
	const [query, setQuery] = useState('');
	const state = useState$((s) => s);
	const people = usePeople(query);
	const direct = useDirect(onClose);
	const q = fold(query.trim().replace(/^[#@]/, ''));
	const own = sections(state);
	const rank = (c: Channel) => {
		const name = fold(channelLabel(state, c).replace(/^#/, ''));
		return !q ? (unreadOf(c) ? 0 : 1) : name.startsWith(q) ? 0 : name.includes(q) ? 1 : 9;
	};
	const channels = [...own.channels, ...own.direct].filter((c) => rank(c) < 9).sort((a, b) => rank(a) - rank(b));
	const choices: Choice[] = channels.slice(0, 30).map((c) => {
		const unread = unreadOf(c);
		return {
			key: `c${c.id}`,
			choose: () => {
				onClose();
				navigate(channelPath(c.id));
			},
			face: (
				<>
					{c.peer !== null ? (
						<Avatar user={state.users[c.peer]} id={c.peer} size="s" />
					) : (
						<Icon of={c.kind === 'direct' ? Users : c.kind === 'private' ? Lock : Hash} size={18} />
					)}
					<bdi class="picker-name">{c.kind === 'direct' ? channelLabel(state, c) : channelName(c)}</bdi>
					<bdi class="picker-note">{c.archived ? t.archivedTag : apart(c.topic)}</bdi>
					{unread > 0 && <span class="badge">{unread > 99 ? '99+' : unread}</span>}
				</>
			),
		};
	});
	const peers = new Set(own.direct.map((c) => c.peer));
	for (const u of people ?? []) {
		if (peers.has(u.id) || choices.length > 40) continue;
		choices.push(personChoice(u, () => direct(u.id)));
	}
	const words = query.trim();
	if (words && own.channels.length + own.direct.length > 0)
		choices.push({
			key: 'search',
			choose: () => {
				onClose();
				openSearch(state.channels, words);
			},
			face: (
				<>
					<Icon of={Search} size={18} />
					<span class="picker-name">{t.searchFor(words)}</span>
				</>
			),
		});
	return (
		<Dialog title={t.switcherLabel} onClose={onClose} bare>
			<Picker
				label={t.switcherLabel}
				query={query}
				onQuery={setQuery}
				choices={choices}
				empty={people ? t.switcherEmpty : null}
				help={t.switcherHelp}
			/>
		</Dialog>
	);
}

export function NewDirect({ onClose }: Props) {
	const { openDialog } = useUi();
	const [query, setQuery] = useState('');
	const people = usePeople(query);
	const direct = useDirect(onClose);
	const me = useState$(myId);
	const choices = (people ?? []).map((u) => personChoice(u, () => direct(u.id), u.id === me ? t.you : undefined));
	return (
		<Dialog title={t.newDirect} onClose={onClose}>
			<Picker label={t.searchPeople} query={query} onQuery={setQuery} choices={choices} empty={people ? t.noPeople : null} />
			<footer class="dialog-foot">
				<button class="button" onClick={() => openDialog('group')}>
					{tc.group}
				</button>
			</footer>
		</Dialog>
	);
}

export function Invite({ channel, onClose }: Props & { channel: number }) {
	const { client, toast } = useUi();
	const [query, setQuery] = useState('');
	const people = usePeople(query);
	const label = useState$((s) => (s.channels[channel] ? channelLabel(s, s.channels[channel]) : ''));
	const members = useState$((s) => s.members[channel]?.list);
	const inside = new Set((members ?? []).map((m) => m.user));
	const add = (u: User) => {
		api.invite(channel, u.id).then(
			() => {
				toast(t.invited(personName(u)));
				void client.loader.members(channel);
				client.loader.refreshSoon(channel);
				onClose();
			},
			(e: unknown) => toast(errorText(e), true),
		);
	};
	const choices = (people ?? []).filter((u) => !inside.has(u.id)).map((u) => personChoice(u, () => add(u)));
	return (
		<Dialog title={t.inviteTo(label)} onClose={onClose}>
			<Picker label={t.searchPeople} query={query} onQuery={setQuery} choices={choices} empty={people ? t.noPeople : null} />
		</Dialog>
	);
}
