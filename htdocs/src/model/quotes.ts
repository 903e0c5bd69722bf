// Quotes and forwarded messages: which message each composer answers, and the originals of quotes that lie outside of what is loaded. A
// quote shows its original as it is held here, so that it follows edits and deletions by the same events. Pure; called by reduce.ts.
import { messageAt, newer } from './log';
import { peopleIn } from './mention';
import type { State } from './state';
import type { Forward, Message } from './types';

export type QuoteAction =
	/* What is being written in this place (placeKey()) answers this message; null: none. */
	| { type: 'quoting'; place: string; seq: number | null }
	/* The original of a quote was loaded; null: it is not to be had. */
	| { type: 'original'; channel: number; seq: number; message: Message | null };

const MOST = 500; // originals that are held; then the oldest goes

const keyOf = (channel: number, seq: number): string => `${channel}/${seq}`;

export function applyQuote(s: State, a: QuoteAction): State {
	if (a.type === 'quoting') {
		const { [a.place]: _, ...others } = s.quoting;
		return { ...s, quoting: a.seq ? { ...others, [a.place]: a.seq } : others };
	}
	const held = Object.entries(s.originals).filter(([k]) => k !== keyOf(a.channel, a.seq));
	return { ...s, originals: Object.fromEntries([...held.slice(1 - MOST), [keyOf(a.channel, a.seq), a.message]]) };
}

/* A message that was told: as the original of a quote too. */
export function noteOriginal(s: State, m: Message): State {
	const key = keyOf(m.channel, m.seq);
	if (!(key in s.originals)) return s;
	const held = s.originals[key];
	return { ...s, originals: { ...s.originals, [key]: held ? newer(held, m) : m } };
}

/* A channel that one is not in any more. */
export function dropQuotes(s: State, channel: number): State {
	const kept = Object.entries(s.originals).filter(([k]) => !k.startsWith(`${channel}/`));
	return { ...s, originals: Object.fromEntries(kept) };
}

/* The message as it is now, as far as it is known; null: it is not to be had. */
export function originalOf(s: State, channel: number, seq: number): Message | null | undefined {
	const there = messageAt(s.logs[channel], seq);
	if (there) return there;
	for (const [key, thread] of Object.entries(s.threads)) {
		if (!key.startsWith(`${channel}/`)) continue;
		const m = thread.root?.seq === seq ? thread.root : thread.messages.find((x) => x.seq === seq);
		if (m) return m;
	}
	return s.originals[keyOf(channel, seq)];
}

/* What a message is forwarded as: of one that was forwarded itself what that bears. */
export function forwardOf({ channel, seq, sender, created_at, body }: Message): Forward {
	return body?.forward ?? { channel, seq, sender, created_at, text: body?.text ?? '', ...(body?.files ? { files: body.files } : {}) };
}

/* Whose names are needed to show it. */
export function peopleOf({ sender, hidden, body }: Message): number[] {
	const { mentions, reply_to, forward } = body ?? {};
	return [...(hidden ? [] : [sender]), ...peopleIn(mentions), ...(reply_to ? [reply_to.sender] : []), ...(forward ? [forward.sender] : [])];
}
