// Public channels that one may join, found by the server as one writes, page by page; and own ones that are archived. Loaded when it is
// opened first.
import { useEffect, useState } from 'preact/hooks';
import { Hash, Lock, Users } from 'lucide';
import { api } from '../net/api';
import { sections } from '../model/state';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { useState$, useUi } from './context';
import { Dialog, Fault } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { apart, channelName } from './names';
import { Picker, type Choice } from './picker';
import { channelPath, navigate } from './route';

const PAGE = 50;
const PAUSE = 150; // ms of not writing, before it is asked for

interface Found {
	channels: Channel[];
	next: number | null;
}

/* What the server finds; null while it looks for the first time. more: goes on where it ended. */
function usePublic(query: string): { found: Found | null; error: string | null; more: () => void; again: () => void } {
	const [found, setFound] = useState<Found | null>(null);
	const [error, setError] = useState<string | null>(null);
	const [tries, setTries] = useState(0);
	useEffect(() => {
		let late = false;
		const timer = setTimeout(
			() => {
				api.channels('public', undefined, query, PAGE).then(
					({ data }) => {
						if (late) return;
						setFound(data);
						setError(null);
					},
					(e: unknown) => !late && setError(errorText(e)),
				);
			},
			query ? PAUSE : 0,
		);
		return () => {
			late = true;
			clearTimeout(timer);
		};
	}, [query, tries]);
	const more = () => {
		if (!found?.next) return;
		api.channels('public', found.next, query, PAGE).then(
			({ data }) => setFound((held) => (held === found ? { channels: [...found.channels, ...data.channels], next: data.next } : held)),
			(e: unknown) => setError(errorText(e)),
		);
	};
	return { found, error, more, again: () => setTries(tries + 1) };
}

function Face({ channel: c, pill }: { channel: Channel; pill: string }) {
	return (
		<>
			<Icon of={c.kind === 'private' ? Lock : Hash} size={18} />
			<span class="picker-two">
				<bdi class="picker-name">{channelName(c)}</bdi>
				{c.topic && <bdi class="picker-topic">{apart(c.topic)}</bdi>}
			</span>
			<span class="picker-note" title={t.membersCount(c.members)}>
				<Icon of={Users} size={14} /> {c.members}
				<span class="sr-only">{t.members}</span>
			</span>
			<span class="pill">{pill}</span>
		</>
	);
}

export function Browse({ onClose }: { onClose: () => void }) {
	const ui = useUi();
	const [query, setQuery] = useState('');
	const [kind, setKind] = useState<'open' | 'archived'>('open');
	const wish = query.trim().replace(/^#/, '');
	const { found, error, more, again } = usePublic(wish);
	const mine = useState$((s) => s.channels);
	const archived = sections(useState$((s) => s)).channels.filter((c) => c.archived);
	const go = (c: Channel) => {
		onClose();
		navigate(channelPath(c.id));
	};
	const open = (c: Channel) => {
		if (mine[c.id]) return go(c);
		api.join(c.id).then(
			({ data }) => {
				ui.client.took(data);
				go(data);
			},
			(e: unknown) => ui.toast(errorText(e), true),
		);
	};
	const low = wish.toLocaleLowerCase();
	const list = kind === 'open' ? (found?.channels ?? []) : archived.filter((c) => `${c.name} ${c.topic}`.toLocaleLowerCase().includes(low));
	const choices = list.map((c): Choice => ({
		key: `c${c.id}`,
		choose: () => open(c),
		face: <Face channel={c} pill={kind === 'archived' ? t.archivedTag : mine[c.id] ? t.joined : t.join} />,
	}));
	const none = kind === 'archived' ? tc.noArchived : `${t.noPublic} ${t.noPublicNext}`;
	return (
		<Dialog title={t.browseChannels} onClose={onClose}>
			{archived.length > 0 && (
				<fieldset class="choices choices-row">
					<legend class="sr-only">{tc.browseKinds}</legend>
					{(['open', 'archived'] as const).map((k) => (
						<label key={k} class="choice">
							<input type="radio" name="browse" value={k} checked={kind === k} onChange={() => setKind(k)} />
							{k === 'open' ? tc.browseOpen : tc.browseArchived}
						</label>
					))}
				</fieldset>
			)}
			{error ? (
				<Fault text={error} again={again} />
			) : (
				<Picker
					label={t.findChannel}
					query={query}
					onQuery={setQuery}
					choices={choices}
					empty={found ? (query ? t.switcherEmpty : none) : null}
				/>
			)}
			<footer class="dialog-foot">
				{kind === 'open' && found?.next != null && (
					<button class="button" onClick={more}>
						{tc.more}
					</button>
				)}
				<button class="button" onClick={() => ui.openDialog('create')}>
					{t.createChannel}
				</button>
			</footer>
		</Dialog>
	);
}
