// Lists, a page at a time.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../strings';
import { Fault } from './dialog';
import { errorText } from './errors';

export interface Page<T, N> {
	list: T[];
	next: N | null;
}

/* A list that is asked for anew when what it is asked by changes, a moment after the last key. */
export function useList<T, N>(ask: (after?: N) => Promise<Page<T, N>>, by: readonly unknown[]) {
	const [found, setFound] = useState<Page<T, N> | null>(null);
	const [error, setError] = useState<string | null>(null);
	const turn = useRef(0);
	const asked = useRef<N | undefined>(undefined);
	const load = (after?: N) => {
		asked.current = after;
		const mine = ++turn.current;
		setError(null);
		ask(after).then(
			(p) => {
				if (mine !== turn.current) return;
				setFound((f) => ({ list: [...(after === undefined ? [] : (f?.list ?? [])), ...p.list], next: p.next }));
			},
			(e: unknown) => mine === turn.current && setError(errorText(e)),
		);
	};
	useEffect(() => {
		const timer = setTimeout(() => load(), found ? 150 : 0);
		return () => clearTimeout(timer);
	}, by);
	const foot = (empty: string): ComponentChildren => (
		<>
			<Fault text={error} again={() => load(asked.current)} />
			{!error && !found && <p class="panel-note">{t.loading}</p>}
			{found && !found.list.length && <p class="picker-empty">{empty}</p>}
			{found?.next != null && (
				<button class="button" onClick={() => load(found.next!)}>
					{t.more}
				</button>
			)}
		</>
	);
	return { list: found?.list ?? [], load: () => load(), foot };
}
