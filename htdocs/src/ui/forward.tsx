// Forwarding a message: where to, with a comment. Loaded when it is opened first.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Hash, Lock, Users } from 'lucide';
import { tooMany } from '../model/limits';
import { fold } from '../model/mention';
import { forwardOf, originalOf } from '../model/quotes';
import { mutedUntil } from '../model/roles';
import { sections } from '../model/state';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { tq } from '../strings_quote';
import { sends } from '../sync/local';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { Dialog } from './dialog';
import { Icon } from './icon';
import { namedIn } from './mention_list';
import { apart, channelLabel, channelName, personName } from './names';
import { Picker, type Choice } from './picker';
import { lineOf } from './quote';
import { useReach } from './reach';
import { TextField } from './text_field';

const MOST = 40; // channels that are shown

export function ForwardDialog({ channel, seq, onClose }: { channel: number; seq: number; onClose: () => void }) {
	const { client, toast } = useUi();
	const [query, setQuery] = useState('');
	const [to, setTo] = useState<Channel | null>(null);
	const [comment, setComment] = useState('');
	const field = useRef<HTMLInputElement | HTMLTextAreaElement>(null);
	const reaching = useReach();
	const state = useState$((s) => s);
	const message = originalOf(state, channel, seq);
	const sender = state.users[message?.sender ?? 0];
	const gone = !message || message.deleted === true;
	useEffect(() => {
		if (gone) onClose(); // it was deleted meanwhile
	}, [gone]);
	useLayoutEffect(() => field.current?.focus(), [to]);
	if (gone) return null;

	const most = state.limits.message_chars;
	const own = sections(state);
	const q = fold(query.trim().replace(/^[#@]/, ''));
	const name = (c: Channel) => fold(channelLabel(state, c).replace(/^#/, ''));
	const choices = [...own.channels, ...own.direct]
		.filter((c) => !c.archived && mutedUntil(state, c) <= Date.now() && name(c).includes(q))
		.sort((a, b) => Number(!name(a).startsWith(q)) - Number(!name(b).startsWith(q)))
		.slice(0, MOST)
		.map((c): Choice => ({
			key: `c${c.id}`,
			choose: () => setTo(c),
			face: (
				<>
					{c.peer !== null ? (
						<Avatar user={state.users[c.peer]} id={c.peer} size="s" />
					) : (
						<Icon of={c.kind === 'direct' ? Users : c.kind === 'private' ? Lock : Hash} size={18} />
					)}
					<bdi class="picker-name">{c.kind === 'direct' ? channelLabel(state, c) : channelName(c)}</bdi>
					<bdi class="picker-note">{apart(c.topic)}</bdi>
				</>
			),
		}));
	const send = () => {
		if (!to || tooMany(comment.trim(), most)) return;
		const names = namedIn(client.store.get(), to, comment);
		const go = () => {
			client.forward(to.id, comment.trim(), names, forwardOf(message));
			toast(tq.done(channelLabel(state, to)));
			onClose();
		};
		reaching(to.id, names, () => field.current?.value === comment, go);
	};
	return (
		<Dialog title={tq.forwardTitle} onClose={onClose}>
			<div class="forward forward-what">
				<p class="forward-head">
					<bdi class="quote-who">{personName(sender)}</bdi>
				</p>
				<p class="quote-text" dir="auto">
					{lineOf(message)}
				</p>
			</div>
			{!to ? (
				<Picker label={tq.to} query={query} onQuery={setQuery} choices={choices} empty={tq.none} />
			) : (
				<form
					class="form"
					onSubmit={(e) => {
						e.preventDefault();
						send();
					}}
				>
					<p class="forward-to">
						<span>{tq.toWhere(channelLabel(state, to))}</span>{' '}
						<button type="button" class="link-button" onClick={() => setTo(null)}>
							{tq.change}
						</button>
					</p>
					<TextField
						label={tq.comment}
						rows={3}
						field={field}
						value={comment}
						most={most}
						onText={setComment}
						onKeyDown={(e) => {
							if (!sends(e)) return;
							e.preventDefault();
							send();
						}}
					/>
					<footer class="dialog-foot">
						<button type="button" class="button" onClick={onClose}>
							{t.cancel}
						</button>
						<button type="submit" class="button primary" disabled={tooMany(comment.trim(), most) > 0}>
							{tq.send}
						</button>
					</footer>
				</form>
			)}
		</Dialog>
	);
}
