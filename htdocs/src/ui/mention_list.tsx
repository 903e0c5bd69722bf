// The list that completes a mention above the composer. The focus stays in the text: arrows move the choice, Enter and Tab take
// it, Esc closes it.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { choices, mentionsIn, writingAt } from '../model/mention';
import { myId, peersOf, type State } from '../model/state';
import type { Channel, User } from '../model/types';
import { t } from '../strings';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { personName } from './names';
import { usePeople } from './picker';

export const LIST_ID = 'mention-list';
const optionId = (u: User) => `mention-${u.id}`;

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
	return mentionsIn(text, (h) => byHandle.get(h)).filter((id) => id !== myId(s));
}

export interface Completion {
	/* For the text field, as it is now: what a key does; whether it was for the list. */
	onKeyDown(e: KeyboardEvent): boolean;
	/* The caret or the text has changed. */
	look(): void;
	close(): void;
	active: string | undefined;
	open: boolean;
	list: preact.ComponentChildren;
}

/* take: puts a text in the place of what stands between start and end. */
export function useMentions(
	channel: Channel,
	area: { current: HTMLTextAreaElement | null },
	take: (start: number, end: number, text: string) => void,
): Completion {
	const { client } = useUi();
	const users = useState$((s) => s.users);
	const members = useState$((s) => s.members[channel.id]);
	const [at, setAt] = useState<{ start: number; end: number; query: string } | null>(null);
	const [chosen, setChosen] = useState(0);
	const shut = useRef<number | null>(null); // where Esc has closed it

	const writing = at !== null;
	const { people, all } = useMemo(() => candidates(client.store.get(), channel), [channel.id, channel.peer, users, members]);
	const found = usePeople(writing && !all && channel.kind !== 'direct' ? at.query : null);
	const list = useMemo(() => {
		if (!at) return [];
		const inside = new Set(people.map((u) => u.id));
		const me = myId(client.store.get());
		return choices(at.query, [...people, ...(all ? [] : (found ?? []).filter((u) => !inside.has(u.id) && u.id !== me))]);
	}, [at?.query, people, found, all]);
	const i = Math.min(chosen, list.length - 1);
	const open = writing && list.length > 0;

	useEffect(() => {
		if (writing && !client.store.get().members[channel.id] && channel.kind !== 'direct') void client.loader.members(channel.id);
	}, [writing, channel.id]);
	useEffect(() => setAt(null), [channel.id]);

	const look = () => {
		const el = area.current;
		const found = el && el.selectionStart === el.selectionEnd ? writingAt(el.value, el.selectionStart) : null;
		if (!found || found.start !== shut.current) shut.current = null;
		const next = found && found.start !== shut.current ? { start: found.start, end: el!.selectionStart, query: found.query } : null;
		if (next?.query !== at?.query || next?.start !== at?.start) setChosen(0);
		setAt((was) => (was && next && was.start === next.start && was.end === next.end && was.query === next.query ? was : next));
	};
	const choose = (u: User) => {
		if (!at) return;
		take(at.start, at.end, `@${u.handle} `);
		setAt(null);
	};
	const onKeyDown = (e: KeyboardEvent): boolean => {
		if (!open || e.isComposing || e.keyCode === 229 || e.altKey || e.ctrlKey || e.metaKey) return false;
		const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
		if (by) setChosen((i + by + list.length) % list.length);
		else if ((e.key === 'Enter' || e.key === 'Tab') && !e.shiftKey) choose(list[i]!);
		else if (e.key === 'Escape') {
			shut.current = at!.start;
			setAt(null);
		} else return false;
		e.preventDefault();
		return true;
	};
	return {
		onKeyDown,
		look,
		close: () => setAt(null),
		open,
		active: open ? optionId(list[i]!) : undefined,
		list: (
			<>
				<ul id={LIST_ID} class="mention-list" role="listbox" aria-label={t.mentionSomeone} hidden={!open}>
					{open &&
						list.map((u, n) => (
							<li
								key={u.id}
								id={optionId(u)}
								class="picker-item"
								role="option"
								aria-selected={n === i}
								onPointerDown={(e) => e.preventDefault() /* the focus stays in the text */}
								onClick={() => choose(u)}
								onPointerMove={() => n !== i && setChosen(n)}
							>
								<Avatar user={u} id={u.id} size="s" />
								<bdi class="picker-name">{personName(u)}</bdi>
								<bdi class="picker-note">@{u.handle}</bdi>
							</li>
						))}
				</ul>
				<span class="sr-only" role="status">
					{open ? t.suggestions(list.length) : ''}
				</span>
			</>
		),
	};
}
