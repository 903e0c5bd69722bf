// Questions to the device: narrow window, touch.
import { useEffect, useState } from 'preact/hooks';

const NARROW = '(max-width: 899.98px)';

export const isNarrow = (): boolean => matchMedia(NARROW).matches;
export const coarsePointer = (): boolean => matchMedia('(pointer: coarse)').matches || isNarrow();

export function useNarrow(): boolean {
	const [narrow, set] = useState(isNarrow);
	useEffect(() => {
		const q = matchMedia(NARROW);
		const f = () => set(q.matches);
		q.addEventListener('change', f);
		return () => q.removeEventListener('change', f);
	}, []);
	return narrow;
}
