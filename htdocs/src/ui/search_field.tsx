// A text field with suggestions below it, which Enter and Tab take where one is chosen (a combobox).
import type { IconNode } from 'lucide';
import { X } from 'lucide';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icon';

export interface Suggestion {
	key: string;
	main: string;
	note: string;
	choose: () => void;
}

interface Props {
	field: { current: HTMLInputElement | null };
	icon: IconNode;
	label: string;
	placeholder: string;
	listLabel: string;
	clearLabel: string;
	text: string;
	choices: readonly Suggestion[];
	onText: (text: string, caret: number) => void;
	onCaret: (caret: number) => void;
	onDown: () => void; // with nothing to choose from
	onClear: () => void;
}

export function SearchField({ field, icon, label, placeholder, listLabel, clearLabel, text, choices, onText, onCaret, onDown, onClear }: Props) {
	const [at, setAt] = useState(0);
	const [shut, setShut] = useState(false); // by Escape, until something else is written
	const [inside, setInside] = useState(false);
	const list = useRef<HTMLUListElement>(null);
	const open = inside && !shut && choices.length > 0;
	const chosen = Math.min(at, choices.length - 1);
	useEffect(() => {
		setAt(0);
		setShut(false);
	}, [text]);
	useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [chosen, open]);

	const onKeyDown = (e: KeyboardEvent) => {
		if (e.isComposing || e.altKey || e.ctrlKey || e.metaKey) return;
		if (!open) {
			if (e.key === 'ArrowDown') {
				e.preventDefault();
				onDown();
			}
			return;
		}
		const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
		if (by) setAt((chosen + by + choices.length) % choices.length);
		else if (e.key === 'Enter' || (e.key === 'Tab' && !e.shiftKey)) choices[chosen]?.choose();
		else if (e.key === 'Escape') setShut(true);
		else return;
		e.preventDefault();
		e.stopPropagation();
	};
	return (
		<div class="search-field">
			<div class="picker-field">
				<Icon of={icon} />
				<input
					ref={(el) => void (field.current = el)}
					type="text"
					inputMode="search"
					enterKeyHint="search"
					role="combobox"
					aria-label={label}
					aria-expanded={open}
					aria-controls="search-choices"
					aria-autocomplete="list"
					aria-activedescendant={open && choices[chosen] ? `search-${chosen}` : undefined}
					placeholder={placeholder}
					autocomplete="off"
					spellcheck={false}
					dir="auto"
					value={text}
					onInput={(e) => onText(e.currentTarget.value, e.currentTarget.selectionStart ?? e.currentTarget.value.length)}
					onSelect={(e) => onCaret(e.currentTarget.selectionStart ?? 0)}
					onKeyDown={onKeyDown}
					onFocus={() => setInside(true)}
					onBlur={() => setInside(false)}
				/>
				{text && (
					<button type="button" class="icon-button small" title={clearLabel} aria-label={clearLabel} onClick={onClear}>
						<Icon of={X} size={16} />
					</button>
				)}
			</div>
			<ul ref={list} id="search-choices" class="picker-list search-choices" role="listbox" aria-label={listLabel} hidden={!open}>
				{choices.map((c, i) => (
					<li
						key={c.key}
						id={`search-${i}`}
						class="picker-item"
						role="option"
						aria-selected={i === chosen}
						onPointerDown={(e) => e.preventDefault()}
						onClick={c.choose}
						onPointerMove={() => i !== chosen && setAt(i)}
					>
						<bdi class="picker-name">{c.main}</bdi>
						{c.note && <bdi class="picker-note">{c.note}</bdi>}
					</li>
				))}
			</ul>
		</div>
	);
}
