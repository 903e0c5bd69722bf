// Who types where. Called by reduce.ts; pure: the time comes with what is told.
//
// The server ends what is not said again, and sends the whole list, but only when it changes: so of someone who writes a long text
// nothing more is heard. A list is over when its link is, and after a time that is longer than people type without a pause,
// should its end have been lost.
import type { State } from './state';
import { myId } from './state';
import type { Line, Message, Typing } from './types';

export const TYPING_FOR = 60_000; // ms

export function applyTyping(s: State, line: Line): State {
	const channel = line.channel as number;
	if (typeof channel !== 'number' || !Array.isArray(line.users)) return s;
	const me = myId(s);
	const told = line.users as number[];
	const users = told.filter((u) => u !== me);
	const count = Math.max(users.length, (typeof line.count === 'number' ? line.count : told.length) - (told.length - users.length));
	if (!count) return drop(s, channel);
	const at = typeof line.at === 'number' ? line.at : 0;
	return put(s, channel, { users, count, until: at + TYPING_FOR });
}

/* A message is what the typing was about. */
export function typedMessage(s: State, m: Message): State {
	const held = s.typing[m.channel];
	if (!held?.users.includes(m.sender)) return s;
	const users = held.users.filter((u) => u !== m.sender);
	return held.count > 1 ? put(s, m.channel, { ...held, users, count: held.count - 1 }) : drop(s, m.channel);
}

/* What is over by now; all of it where `now` is Infinity. */
export function endTyping(s: State, now: number): State {
	let next = s;
	for (const [id, t] of Object.entries(s.typing)) if (t.until <= now) next = drop(next, Number(id));
	return next;
}

export function nextTypingEnd(s: State): number {
	return Math.min(Infinity, ...Object.values(s.typing).map((t) => t.until));
}

function put(s: State, channel: number, t: Typing): State {
	return { ...s, typing: { ...s.typing, [channel]: t } };
}

function drop(s: State, channel: number): State {
	if (!s.typing[channel]) return s;
	const { [channel]: _, ...typing } = s.typing as Record<number, Typing>;
	return { ...s, typing };
}
