// What ends by the clock: who types, statuses, pauses, channels that are quiet. Looks when the next of them is due; the reducer takes it away.
import { nextQuietEnd } from '../model/prefs';
import { nextEnd } from '../model/presence';
import { nextTypingEnd } from '../model/typing';
import type { Store } from '../store';

const LONGEST = 3_600_000; // ms of one timer

export interface EndsEnv {
	now(): number;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
}

/* Answers how to end it. */
export function watchEnds(store: Store, env: EndsEnv): () => void {
	let timer: unknown = null;
	let dueAt = Infinity;
	let seen: unknown[] = [];
	const plan = () => {
		const { presence, settings, typing, channels } = store.get();
		const now = [presence, settings, typing, channels];
		if (now.every((x, i) => x === seen[i])) return;
		seen = now;
		const next = Math.min(nextEnd(store.get()), nextTypingEnd(store.get()), nextQuietEnd(store.get()));
		if (next === dueAt && timer !== null) return;
		dueAt = next;
		arm();
	};
	const arm = () => {
		env.clearTimeout(timer);
		timer = null;
		if (dueAt === Infinity) return;
		timer = env.setTimeout(due, Math.min(LONGEST, Math.max(0, dueAt - env.now())));
	};
	const due = () => {
		timer = null;
		if (env.now() < dueAt) return arm();
		dueAt = Infinity;
		seen = [];
		store.dispatch({ type: 'clock', now: env.now() });
		plan();
	};
	const undo = store.subscribe(plan);
	plan();
	return () => {
		undo();
		env.clearTimeout(timer);
	};
}
