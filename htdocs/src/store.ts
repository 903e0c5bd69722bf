// One store: holds the state, runs the reducer, tells the listeners. Views read it with useSelect.
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { reduce, type Action } from './model/reduce';
import { initialState, type State } from './model/state';

export interface Store {
	get(): State;
	dispatch(a: Action): void;
	subscribe(f: () => void): () => void;
}

export function createStore(start: State = initialState): Store {
	let state = start;
	const listeners = new Set<() => void>();
	return {
		get: () => state,
		dispatch(a) {
			const next = reduce(state, a);
			if (next === state) return;
			state = next;
			for (const f of [...listeners]) f();
		},
		subscribe(f) {
			listeners.add(f);
			return () => listeners.delete(f);
		},
	};
}

/* Renders again when what `pick` answers changes (by identity: let it pick, not build). */
export function useSelect<T>(store: Store, pick: (s: State) => T): T {
	const [, again] = useReducer((n: number) => n + 1, 0);
	const value = pick(store.get());
	const shown = useRef(value);
	const latest = useRef(pick);
	shown.current = value;
	latest.current = pick;
	useEffect(() => {
		const check = () => {
			if (!Object.is(latest.current(store.get()), shown.current)) again(0);
		};
		check(); // what changed between the render and this effect
		return store.subscribe(check);
	}, [store]);
	return value;
}
