// What a message said before, who reacted to it, and who has read it.
import { useEffect, useState } from 'preact/hooks';
import { api } from '../net/api';
import type { Edit } from '../model/types';
import { t } from '../strings';
import { useState$, useUi } from './context';
import { Dialog, Fault } from './dialog';
import { errorText } from './errors';
import { useList } from './paged';
import { PersonRow } from './person_row';
import { MessageText, textClass } from './text';
import { fullTime } from './time';

interface Of {
	channel: number;
	seq: number;
	onClose: () => void;
}

export function Edits({ channel, seq, onClose }: Of) {
	const [edits, setEdits] = useState<Edit[] | null>(null);
	const emoji = useState$((s) => s.emoji);
	const [error, setError] = useState<string | null>(null);
	const load = () => {
		setError(null);
		api.edits(channel, seq).then(
			({ data }) => setEdits(data.edits.reverse()),
			(e: unknown) => setError(errorText(e)),
		);
	};
	useEffect(load, []);
	return (
		<Dialog title={t.editsTitle} onClose={onClose}>
			<div class="edits" tabIndex={0} role="group" aria-label={t.editsTitle} data-autofocus>
				{!edits && !error && <p class="panel-note">{t.loading}</p>}
				<Fault text={error} again={load} />
				<ol class="edits-list">
					{edits?.map((e, i) => (
						<li key={e.version} data-version={e.version}>
							<p class="edits-time">
								{i === 0 && <strong>{t.editNow} · </strong>}
								<time dateTime={e.at}>{fullTime(Date.parse(e.at))}</time>
							</p>
							<div class={textClass(e.body.text, emoji)} dir="auto">
								{e.body.text ? <MessageText text={e.body.text} emoji={emoji} /> : <em>{t.editNoText}</em>}
							</div>
						</li>
					))}
				</ol>
			</div>
		</Dialog>
	);
}

interface PeopleProps {
	title: (count: number | null) => string;
	label: string;
	empty: string;
	ask: (after?: number) => Promise<{ users: number[]; next: number | null; count?: number }>;
	onClose: () => void;
}

/* People, a page at a time. */
function People({ title, label, empty, ask, onClose }: PeopleProps) {
	const { client } = useUi();
	const [count, setCount] = useState<number | null>(null);
	const { list, foot } = useList<number, number>(async (after) => {
		const { users, next, count: all } = await ask(after);
		client.loader.needUsers(users);
		setCount(all ?? null);
		return { list: users, next };
	}, []);
	return (
		<Dialog title={title(count)} onClose={onClose}>
			<div class="readers" tabIndex={0} role="group" aria-label={label} data-autofocus>
				<ul class="people">
					{list.map((id) => (
						<PersonRow key={id} id={id} />
					))}
				</ul>
				{foot(empty)}
			</div>
		</Dialog>
	);
}

export function Reacted({ channel, seq, emoji, onClose }: Of & { emoji: string }) {
	const title = t.reactedTitle(emoji);
	const ask = async (after?: number) => (await api.reacted(channel, seq, emoji, { after, limit: 100 })).data;
	return <People title={() => title} label={title} empty={t.emojiNone} ask={ask} onClose={onClose} />;
}

/* The names of all who have read a message, in a channel of any size. */
export function Readers({ channel, seq, onClose }: Of) {
	const ask = async (after?: number) => (await api.readers(channel, seq, { after, limit: 100 })).data;
	const title = (count: number | null) => (count === null ? t.whoHasRead : t.readBy(count));
	return <People title={title} label={t.whoHasRead} empty={t.nobodyHasRead} ask={ask} onClose={onClose} />;
}
