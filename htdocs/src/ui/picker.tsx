// A search field with a list to choose from: the keyboard stays in the field, arrows move the choice (a combobox).
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Search } from 'lucide';
import { api } from '../net/api';
import type { User } from '../model/types';
import { Avatar } from './avatar';
import { useUi } from './context';
import { Icon } from './icon';
import { personName } from './names';

export interface Choice {
	key: string;
	face: ComponentChildren;
	choose: () => void;
}

/* A person to choose. note: in place of the handle. */
export const personChoice = (user: User, choose: () => void, note = `@${user.handle}`): Choice => ({
	key: `u${user.id}`,
	choose,
	face: (
		<>
			<Avatar user={user} id={user.id} size="s" />
			<bdi class="picker-name">{personName(user)}</bdi>
			<bdi class="picker-note">{note}</bdi>
		</>
	),
});

interface PickerProps {
	label: string;
	query: string;
	onQuery: (q: string) => void;
	choices: readonly Choice[];
	empty: string | null; // shown when there is nothing to choose; null while searching
	help?: string;
}

export function Picker({ label, query, onQuery, choices, empty, help }: PickerProps) {
	const [at, setAt] = useState(0);
	const list = useRef<HTMLUListElement>(null);
	const chosen = Math.min(at, choices.length - 1);
	useLayoutEffect(() => setAt(0), [query]); // before Enter comes
	useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [chosen, choices]);

	const onKeyDown = (e: KeyboardEvent) => {
		if (e.isComposing) return;
		const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
		if (by && choices.length) {
			e.preventDefault();
			setAt((chosen + by + choices.length) % choices.length);
		} else if (e.key === 'Enter') {
			e.preventDefault();
			choices[chosen]?.choose();
		}
	};
	return (
		<div class="picker">
			<div class="picker-field">
				<Icon of={Search} />
				<input
					type="text"
					data-autofocus
					role="combobox"
					aria-label={label}
					aria-expanded={choices.length > 0}
					aria-controls="picker-list"
					aria-autocomplete="list"
					aria-activedescendant={choices[chosen] ? `picker-${choices[chosen].key}` : undefined}
					placeholder={label}
					autocomplete="off"
					spellcheck={false}
					dir="auto"
					value={query}
					onInput={(e) => onQuery(e.currentTarget.value)}
					onKeyDown={onKeyDown}
				/>
			</div>
			<ul ref={list} id="picker-list" class="picker-list" role="listbox" aria-label={label} hidden={!choices.length}>
				{choices.map((c, i) => (
					<li
						key={c.key}
						id={`picker-${c.key}`}
						class="picker-item"
						role="option"
						aria-selected={i === chosen}
						onClick={c.choose}
						onPointerMove={() => i !== chosen && setAt(i)}
					>
						{c.face}
					</li>
				))}
			</ul>
			{!choices.length && empty !== null && (
				<p class="picker-empty" role="status">
					{empty}
				</p>
			)}
			{help && <p class="picker-help">{help}</p>}
		</div>
	);
}

/* People whose name begins with, or holds, what is written. Asks when the writing pauses; null while asking, and for no query. */
export function usePeople(query: string | null): User[] | null {
	const { client } = useUi();
	const [found, setFound] = useState<User[] | null>(null);
	useEffect(() => {
		if (query === null) return setFound(null);
		let late = false;
		const timer = setTimeout(
			() => {
				api.usersLike(query.trim().replace(/^@/, '')).then(
					({ data }) => {
						client.store.dispatch({ type: 'users', users: data.users });
						if (!late) setFound(data.users.filter((u) => u.active));
					},
					() => !late && setFound([]),
				);
			},
			query ? 120 : 0,
		);
		return () => {
			late = true;
			clearTimeout(timer);
		};
	}, [query]);
	return found;
}
