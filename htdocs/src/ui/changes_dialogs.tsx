// What a message said before, and who reacted to it.
import { useEffect, useState } from 'preact/hooks';
import { api } from '../net/api';
import type { Edit } from '../model/types';
import { t } from '../strings';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { Dialog } from './dialog';
import { errorText } from './errors';
import { personName } from './names';
import { useList } from './paged';
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
				{error && (
					<p class="dialog-error" role="alert">
						{error}{' '}
						<button class="link-button" onClick={load}>
							{t.retry}
						</button>
					</p>
				)}
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

export function Reacted({ channel, seq, emoji, onClose }: Of & { emoji: string }) {
	const { client } = useUi();
	const users = useState$((s) => s.users);
	const { list, foot } = useList<number, number>(async (after) => {
		const { data } = await api.reacted(channel, seq, emoji, { after, limit: 100 });
		client.loader.needUsers(data.users);
		return { list: data.users, next: data.next };
	}, [channel, seq, emoji]);
	const title = t.reactedTitle(emoji);
	return (
		<Dialog title={title} onClose={onClose}>
			<div class="readers" tabIndex={0} role="group" aria-label={title} data-autofocus>
				<ul class="people">
					{list.map((id) => (
						<li key={id} class="person">
							<Avatar user={users[id]} id={id} />
							<span class="person-text">
								<bdi class="person-name">{personName(users[id])}</bdi>
								<bdi class="person-handle">{users[id] ? `@${users[id].handle}` : ''}</bdi>
							</span>
						</li>
					))}
				</ul>
				{foot(t.emojiNone)}
			</div>
		</Dialog>
	);
}
