// A list above a text field that completes what is being written before the caret. The focus stays in the text: arrows move the
// choice, Enter and Tab take it, Esc closes it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../strings';

export interface Option {
	id: string;
	write: string; // stands in the place of what was being written
	face: ComponentChildren;
	name: string;
	note: string;
	whole?: boolean; // written in full: it is taken at once
}

export interface Query {
	start: number; // where it begins in the text
	query: string;
}

export interface Source {
	list: string; // the id of the list
	label: string;
	place: number; // another one closes it
	writingAt(text: string, caret: number): Query | null;
	/* A hook: what may be meant, best first; null: nothing is being written. */
	useOptions(at: Query | null): readonly Option[];
}

export interface Completion {
	/* For the text field, as it is now: what a key does; whether it was for the list. */
	onKeyDown(e: KeyboardEvent): boolean;
	/* The caret or the text has changed. */
	look(): void;
	close(): void;
	active: string | undefined;
	open: boolean;
	list: ComponentChildren;
}

export type Field = { current: HTMLTextAreaElement | null };

/* Puts a text in the place of what stands between start and end. */
export type Put = (start: number, end: number, text: string) => void;

export function useCompletion(source: Source, area: Field, put: Put): Completion {
	const [at, setAt] = useState<(Query & { end: number }) | null>(null);
	const [chosen, setChosen] = useState(0);
	const shut = useRef<number | null>(null); // where Esc has closed it
	const taken = useRef(''); // what was taken at once: undone, it stays
	const options = source.useOptions(at);
	const i = Math.min(chosen, options.length - 1);
	const open = at !== null && options.length > 0;
	const optionId = (o: Option) => `${source.list}-${o.id}`;
	useEffect(() => setAt(null), [source.place]);

	const look = () => {
		const el = area.current;
		const found = el && el.selectionStart === el.selectionEnd ? source.writingAt(el.value, el.selectionStart) : null;
		if (!found || found.start !== shut.current) shut.current = null;
		const next = found && found.start !== shut.current ? { ...found, end: el!.selectionStart } : null;
		if (next?.query !== at?.query || next?.start !== at?.start) setChosen(0);
		setAt((was) => (was && next && was.start === next.start && was.end === next.end && was.query === next.query ? was : next));
	};
	const choose = (o: Option) => {
		if (!at) return;
		put(at.start, at.end, o.write);
		setAt(null);
	};
	useEffect(() => {
		if (!at) return;
		const now = `${at.start}${at.query}`;
		const again = taken.current === now;
		taken.current = open && options[0]!.whole ? now : '';
		if (taken.current && !again) choose(options[0]!);
	}, [at, options]);
	const onKeyDown = (e: KeyboardEvent): boolean => {
		if (!open || e.isComposing || e.keyCode === 229 || e.altKey || e.ctrlKey || e.metaKey) return false;
		const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
		if (by) setChosen((i + by + options.length) % options.length);
		else if ((e.key === 'Enter' || e.key === 'Tab') && !e.shiftKey) choose(options[i]!);
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
		active: open ? optionId(options[i]!) : undefined,
		list: (
			<>
				<ul id={source.list} class="mention-list" role="listbox" aria-label={source.label} hidden={!open}>
					{open &&
						options.map((o, n) => (
							<li
								key={o.id}
								id={optionId(o)}
								class="picker-item"
								role="option"
								aria-selected={n === i}
								onPointerDown={(e) => e.preventDefault() /* the focus stays in the text */}
								onClick={() => choose(o)}
								onPointerMove={() => n !== i && setChosen(n)}
							>
								{o.face}
								<bdi class="picker-name">{o.name}</bdi>
								<bdi class="picker-note">{o.note}</bdi>
							</li>
						))}
				</ul>
				<span class="sr-only" role="status">
					{open ? t.suggestions(options.length) : ''}
				</span>
			</>
		),
	};
}
