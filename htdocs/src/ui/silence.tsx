// In the composer's place where one may not write: muted, until when; or the channel is archived, which those who may undo.
import { useEffect, useReducer, useState } from 'preact/hooks';
import { Archive, MicOff } from 'lucide';
import { api } from '../net/api';
import { mutedUntil, rankIn } from '../model/roles';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { useState$, useUi } from './context';
import { errorText } from './errors';
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

/* of: the channel, where the line is its own and no thread's. */
export function Silence({ text, of }: { text: string; of?: Channel }) {
	return (
		<div class="silence" id="composer" tabIndex={-1}>
			<Icon of={of?.archived ? Archive : MicOff} size={16} /> <span role="status">{text}</span>
			{of?.archived && <Unarchive channel={of.id} />}
		</div>
	);
}

/* For those who may, in the channel, where the composer then takes the focus, or outside. */
export function Unarchive({ channel, onDone }: { channel: number; onDone?: () => void }) {
	const { client, toast } = useUi();
	const rank = useState$((s) => rankIn(s, channel));
	const [busy, setBusy] = useState(false);
	if (rank < 2) return null;
	const run = () => {
		setBusy(true);
		api.changeChannel(channel, { archived: false }).then(
			({ data }) => {
				client.store.dispatch({ type: 'channel', channel: data });
				onDone?.();
			},
			(e: unknown) => {
				setBusy(false);
				toast(errorText(e), true);
			},
		);
	};
	return (
		<button class="button" disabled={busy} onClick={run}>
			{t.unarchive}
		</button>
	);
}
