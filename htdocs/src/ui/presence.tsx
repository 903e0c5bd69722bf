// How somebody is: a mark that differs by shape, not by colour alone, and the picture it stands on. Who is drawn here is watched.
import { useEffect } from 'preact/hooks';
import { emojiOf } from '../model/custom_emoji';
import { shownOf, statusOf, type Shown } from '../model/presence';
import type { Status, User } from '../model/types';
import { t } from '../strings';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { EmojiFace } from './custom_emoji';
import { apart } from './names';

/* Full; half a moon; full with a bar; hollow. In a square of 12. */
export function Dot({ shown }: { shown: Shown }) {
	return (
		<svg class={`dot dot-${shown}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" data-shown={shown}>
			{(shown === 'online' || shown === 'dnd') && <circle cx="6" cy="6" r="5" />}
			{shown === 'dnd' && <rect class="dot-cut" x="3" y="5" width="6" height="2" rx="0.6" />}
			{shown === 'away' && <path d="M7.2 1.1a5 5 0 1 0 3.7 6.1a4.1 4.1 0 0 1-3.7-6.1z" />}
			{(shown === 'offline' || shown === 'invisible') && <circle class="dot-ring" cx="6" cy="6" r="4" />}
		</svg>
	);
}

/* To be told how these people are for as long as this is drawn. */
export function useWatch(id: number | null | undefined): void {
	const { client } = useUi();
	useEffect(() => (id ? client.interest.show(id) : undefined), [id]);
}

export const useShown = (id: number): Shown | null => useState$((s) => shownOf(s, id));

/* `said`: in words too, for those who do not see the mark. */
export function Face({ user, id, size = 'm', said = false }: { user: User | undefined; id: number; size?: 's' | 'm' | 'l'; said?: boolean }) {
	useWatch(id);
	const shown = useShown(id);
	return (
		<span class={`face face-${size}`}>
			<Avatar user={user} id={id} size={size} />
			{shown && <Dot shown={shown} />}
			{shown && said && <span class="sr-only">({t.shown[shown]})</span>}
		</span>
	);
}

/* The emoji of somebody's status, beside the name. */
export function StatusMark({ id }: { id: number }) {
	const status = useState$((s) => statusOf(s, id));
	const ours = useState$((s) => s.emoji);
	// One that is not there any more is no mark.
	if (!status?.emoji || (status.emoji[0] === ':' && !emojiOf(ours, status.emoji))) return null;
	return (
		<span class="status-mark" title={apart(status.text) || undefined}>
			<EmojiFace emoji={status.emoji} />
			{status.text && <span class="sr-only">({apart(status.text)})</span>}
		</span>
	);
}

/* A status in words. */
export const statusWords = ({ emoji, text }: Status) => (
	<>
		{emoji && <EmojiFace emoji={emoji} />} {apart(text)}
	</>
);
