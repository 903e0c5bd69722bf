// Questions to the device: narrow window, touch.
import { useEffect, useState } from 'preact/hooks';

const NARROW = '(max-width: 899.98px)';

export const isNarrow = (): boolean => matchMedia(NARROW).matches;
export const byFinger = (): boolean => matchMedia('(pointer: coarse)').matches;
export const coarsePointer = (): boolean => byFinger() || isNarrow();

const PHONE = '(max-width: 659.98px)';

/* The side bar is a drawer. */
export const useNarrow = (): boolean => useMedia(NARROW);
/* The panel is a page of its own. */
export const usePhone = (): boolean => useMedia(PHONE);

function useMedia(query: string): boolean {
	const [narrow, set] = useState(() => matchMedia(query).matches);
	useEffect(() => {
		const q = matchMedia(query);
		const f = () => set(q.matches);
		q.addEventListener('change', f);
		return () => q.removeEventListener('change', f);
	}, []);
	return narrow;
}
