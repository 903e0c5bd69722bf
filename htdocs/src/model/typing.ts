// Who types where. Called by reduce.ts; pure: the time comes with what is told.
//
// The server ends what is not said again, and sends all of a channel, its threads too, but only when it changes: so of someone who writes
// a long text nothing more is heard. A list is over when its link is, and after a time that is longer than people type without a pause,
// should its end have been lost.
import type { State } from './state';
import { myId } from './state';
import { placeKey, placeOf } from './threads';
import type { Line, Message, Typing } from './types';

export const TYPING_FOR = 60_000; // ms

interface Told {
	thread?: number;
	users: number[];
	count?: number;
}

export function applyTyping(s: State, line: Line): State {
	const channel = line.channel as number;
	if (typeof channel !== 'number' || !Array.isArray(line.users)) return s;
	const me = myId(s);
	const until = (typeof line.at === 'number' ? line.at : 0) + TYPING_FOR;
	let next = dropTyping(s, channel);
	for (const told of [line as unknown as Told, ...(Array.isArray(line.threads) ? (line.threads as Told[]) : [])]) {
		const users = told.users.filter((u) => u !== me);
		const count = Math.max(users.length, (told.count ?? told.users.length) - (told.users.length - users.length));
		if (count) next = put(next, placeKey(channel, told.thread), { users, count, until });
	}
	return next;
}

/* A message is what the typing was about. */
export function typedMessage(s: State, m: Message): State {
	return each(s, m.channel, (next, place, held) => {
		if (!held.users.includes(m.sender)) return next;
		const users = held.users.filter((u) => u !== m.sender);
		return held.count > 1 ? put(next, place, { ...held, users, count: held.count - 1 }) : drop(next, place);
	});
}

/* What is over by now; all of it where `now` is Infinity. */
export function endTyping(s: State, now: number): State {
	return each(s, null, (next, place, held) => (held.until <= now ? drop(next, place) : next));
}

export function dropTyping(s: State, channel: number): State {
	return each(s, channel, drop);
}

export function nextTypingEnd(s: State): number {
	return Math.min(Infinity, ...Object.values(s.typing).map((t) => t.until));
}

/* channel: null for all. */
function each(s: State, channel: number | null, f: (s: State, place: string, held: Typing) => State): State {
	let next = s;
	for (const [place, held] of Object.entries(s.typing)) if (channel === null || placeOf(place).channel === channel) next = f(next, place, held);
	return next;
}

function put(s: State, place: string, t: Typing): State {
	return { ...s, typing: { ...s.typing, [place]: t } };
}

function drop(s: State, place: string): State {
	const { [place]: _, ...typing } = s.typing;
	return { ...s, typing };
}
