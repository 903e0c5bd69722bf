// Keeps the list of the site's own emoji: loads it where it is not there, at the start and after a reset; events tell the rest.
import type { EmojiList } from '../model/types';
import type { Store } from '../store';

const FIRST_PAUSE = 2_000; // ms, twice as long after each failure in a row
const LONGEST_PAUSE = 60_000;

/* Answers how to end it. */
export function followEmoji(store: Store, ask: () => Promise<EmojiList>, wait: (f: () => void, ms: number) => unknown = setTimeout): () => void {
	let asking = false;
	let failures = 0;
	const look = () => {
		const s = store.get();
		if (asking || s.emoji.loaded || s.phase !== 'ready') return;
		asking = true;
		ask().then(
			(list) => {
				asking = false;
				failures = 0;
				store.dispatch({ type: 'emoji', list });
			},
			() =>
				void wait(() => {
					asking = false;
					look();
				}, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures++)),
		);
	};
	look();
	return store.subscribe(look);
}
