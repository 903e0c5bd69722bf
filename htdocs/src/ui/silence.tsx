// In the composer's place where one may not write: muted, until when; or the channel is archived.
import { useEffect, useReducer } from 'preact/hooks';
import { MicOff } from 'lucide';
import { mutedUntil } from '../model/roles';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { useState$ } from './context';
import { Icon } from './icon';
import { untilOf } from './time';

const LONGEST = 2 ** 31 - 1; // ms that a timer takes

/* Why one may not write there; null: one may. Ends by itself with the mute. */
export function useSilence(channel: Channel): string | null {
	const until = useState$((s) => mutedUntil(s, channel));
	const [, again] = useReducer((n: number) => n + 1, 0);
	const now = Date.now();
	useEffect(() => {
		if (until <= now || until === Infinity) return;
		const timer = setTimeout(() => again(0), Math.min(LONGEST, until - now + 50));
		return () => clearTimeout(timer);
	});
	if (channel.archived) return t.archived;
	if (until <= now) return null;
	return until === Infinity ? t.muted : t.mutedUntil(untilOf(until, now));
}

export function Silence({ text }: { text: string }) {
	return (
		<div class="silence" role="status" id="composer" tabIndex={-1}>
			<Icon of={MicOff} size={16} /> <span>{text}</span>
		</div>
	);
}
