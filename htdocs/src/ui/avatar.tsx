// A person's picture, or initials on a colour that stays the person's own.
import { useState } from 'preact/hooks';
import { withoutTurns } from '../model/direction';
import type { User } from '../model/types';

const segmenter = 'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'grapheme' }) : null;
const firstLetter = (s: string) => (segmenter ? [...segmenter.segment(s)][0]?.segment : [...s][0]) ?? '';

function initials(name: string): string {
	const words = withoutTurns(name).trim().split(/\s+/);
	const last = words.length > 1 ? words[words.length - 1]! : '';
	return (firstLetter(words[0] ?? '') + firstLetter(last)).toLocaleUpperCase() || '?';
}

export function Avatar({ user, id, size = 'm' }: { user: User | undefined; id: number; size?: 's' | 'm' | 'l' | 'xl' }) {
	const [broken, setBroken] = useState<string | null>(null);
	const picture = user?.picture;
	return (
		<span class={`avatar avatar-${size} tone-${Math.abs(id) % 8}${user && !user.active ? ' gone' : ''}`} aria-hidden="true">
			{picture && picture !== broken ? (
				<img src={picture} alt="" loading="lazy" referrerpolicy="no-referrer" onError={() => setBroken(picture)} />
			) : (
				initials(user?.name || '')
			)}
		</span>
	);
}
