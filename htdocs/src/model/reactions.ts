// Reactions as they are shown: what the server has told, with what was done here on top, until the server tells that too. Pure.
import { addReactions, messageAt } from './log';
import { inThreads, isAside, threadOf, threadReactions } from './threads';
import { myId, type Reacting, type State } from './state';
import type { Message, Reactions } from './types';

/* One emoji on a message. mine null: not known, there are more of them than are told. */
export interface Shown {
	emoji: string;
	count: number;
	users: readonly number[];
	mine: boolean | null;
}

/* The same picture may be written with variation selectors or without. */
const bare = (emoji: string): string => emoji.replaceAll('\u{fe0f}', '');
export const sameEmoji = (a: string, b: string): boolean => bare(a) === bare(b);
const keyOf = (channel: number, seq: number): string => `${channel}/${seq}`;

export function applyReactions(before: State, r: Reactions & { user?: number }): State {
	const s = threadReactions(before, r);
	const log = s.logs[r.channel];
	const added = log && log.status !== 'failed' ? addReactions(log, r) : log;
	// Done by oneself, perhaps elsewhere: what was asked for before may not hold.
	const key = keyOf(r.channel, r.seq);
	const mine = r.user === myId(s) && key in s.mine ? Object.fromEntries(Object.entries(s.mine).filter(([k]) => k !== key)) : s.mine;
	if (added === log && mine === s.mine) return s;
	return { ...s, mine, logs: added === log || !added ? s.logs : { ...s.logs, [r.channel]: added } };
}

export const setMine = (s: State, channel: number, seq: number, emoji: readonly string[]): State => ({
	...s,
	mine: { ...s.mine, [keyOf(channel, seq)]: emoji },
});

const about = (a: Reacting, b: Reacting): boolean => a.channel === b.channel && a.seq === b.seq && sameEmoji(a.emoji, b.emoji);

/* The last word counts; one on its way is told once. */
export const reactHere = (s: State, r: Reacting): State => ({ ...s, reacting: [...s.reacting.filter((x) => !about(x, r)), r] });
export const reactDone = (s: State, r: Reacting): State => ({ ...s, reacting: s.reacting.filter((x) => x !== r) });

/* Whether it is one's own; null: not known. */
function isMine(s: State, m: Message, users: readonly number[], count: number, emoji: string): boolean | null {
	if (users.includes(myId(s))) return true;
	if (count <= users.length) return false;
	return s.mine[keyOf(m.channel, m.seq)]?.some((e) => sameEmoji(e, emoji)) ?? null;
}

export function shownOf(s: State, m: Message): Shown[] {
	if (m.deleted) return [];
	const all = (m.reactions ?? []).map((r): Shown => ({ ...r, mine: isMine(s, m, r.users, r.count, r.emoji) }));
	for (const here of s.reacting) {
		if (here.channel !== m.channel || here.seq !== m.seq) continue;
		const held = all.find((r) => sameEmoji(r.emoji, here.emoji));
		if (here.on && !held) all.push({ emoji: here.emoji, count: 1, users: [myId(s)], mine: true });
		else if (held && held.mine !== here.on) {
			const others = held.users.filter((u) => u !== myId(s));
			// Not known whether it was there: the count stays until it is.
			if (held.mine !== null) held.count += here.on ? 1 : -1;
			held.users = here.on ? [...others, myId(s)] : others;
			held.mine = here.on;
		}
	}
	return all.filter((r) => r.count > 0);
}

/* Whether one has to ask which are one's own. */
export const mineUnknown = (s: State, m: Message): boolean =>
	!m.deleted && (m.reactions ?? []).some((r) => isMine(s, m, r.users, r.count, r.emoji) === null);

/* The newest own message in what is loaded of a channel, or of a thread in it, that may still be edited. */
export function lastEditable(s: State, channel: number, now: number, thread?: number): Message | undefined {
	const me = myId(s);
	const messages = (thread ? threadOf(s, channel, thread) : s.logs[channel])?.messages ?? [];
	for (let i = messages.length - 1; i >= 0; i--) {
		const m = messages[i]!;
		if (m.sender === me && (thread || !isAside(m)) && mayEdit(s, m, now)) return m;
	}
	return undefined;
}

/* By what is known here; the server has the last word. */
export function mayEdit(s: State, m: Message, now: number): boolean {
	const { edit_window } = s.limits;
	return m.sender === myId(s) && !m.deleted && m.body !== undefined && (edit_window === null || now < Date.parse(m.created_at) + edit_window * 1000);
}

export const messageOf = (s: State, channel: number, seq: number): Message | undefined =>
	messageAt(s.logs[channel], seq) ?? inThreads(s, channel, seq);
