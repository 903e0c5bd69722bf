// Mentions in texts: "@handle". What is being written, whom a text names, and where in a text somebody is named. Pure.
import { withoutTurns } from './direction';
import type { State } from './state';
import type { MessageBody, Name, User } from './types';

export const MOST_MENTIONS = 50;
const MOST_CHOICES = 8;

/* Not within a word or an address: "a@b" names nobody. */
const BEFORE = '(?<![\\p{L}\\p{N}_@./+-])';
const HANDLE = new RegExp(`${BEFORE}@([a-z0-9][a-z0-9._-]{0,31})`, 'giu');
/* The beginning of a name: up to three words. */
const WRITING = new RegExp(`${BEFORE}@([^\\s@]{0,32}(?: [^\\s@]{1,32}){0,2})$`, 'u');

/* Lower case without marks, so that "Zoe" finds "Zoë". */
export const fold = (s: string): string => withoutTurns(s).normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();

/* The mention that is being written before the caret, and where it begins. */
export function writingAt(text: string, caret: number): { start: number; query: string } | null {
	const m = WRITING.exec(text.slice(Math.max(0, caret - 120), caret));
	return m && { start: caret - m[0].length, query: m[1]! };
}

/* Who is meant, best first: by the beginning of the name, of a word in it, of the handle. Another word after a whole handle
 * goes on with the sentence. */
export function choices(query: string, people: readonly User[]): User[] {
	const q = fold(query);
	const [first, ...rest] = q.split(' ');
	if (rest.length && people.some((u) => u.handle === first)) return [];
	const rank = (u: User): number => {
		const name = fold(u.name);
		if (!q) return 0;
		if (name.startsWith(q) || u.handle === q) return 0;
		if (name.split(/[\s-]+/).some((_, i, words) => words.slice(i).join(' ').startsWith(q))) return 1;
		return u.handle.startsWith(q) ? 2 : 9;
	};
	return people
		.map((u) => ({ u, rank: rank(u) }))
		.filter((x) => x.rank < 9)
		.sort((a, b) => a.rank - b.rank || a.u.name.localeCompare(b.u.name) || a.u.id - b.u.id)
		.slice(0, MOST_CHOICES)
		.map((x) => x.u);
}

/* The longest handle at the beginning of what stands behind an @ that means somebody: a sentence may end there. */
function meant<T>(written: string, find: (handle: string) => T | undefined): { handle: string; who: T } | null {
	for (let handle = written.toLowerCase(); handle; ) {
		const who = find(handle);
		if (who !== undefined) return { handle, who };
		const shorter = handle.replace(/[._-]+$/, '');
		if (shorter === handle) return null;
		handle = shorter;
	}
	return null;
}

/* Whether a message of another's calls for somebody: it names himself, by a group, or as one who was here; or it quotes him. */
export const names = (body: MessageBody | null | undefined, who: number): boolean =>
	body?.mentions?.includes(who) === true || body?.reply_to?.sender === who || Object.values(body?.reached ?? {}).some((l) => l.includes(who));
export const namesChannel = (body: MessageBody | null | undefined): boolean => body?.mentions?.includes('channel') === true;
/* People alone. */
export const peopleIn = (list: readonly Name[] | undefined): number[] => list?.filter((n): n is number => typeof n === 'number') ?? [];

/* Those whom a text names, each once. */
export function mentionsIn<T>(text: string, find: (handle: string) => T | undefined): T[] {
	const ids = new Set<T>();
	for (const m of text.matchAll(HANDLE)) {
		const hit = meant(m[1]!, find);
		if (hit && ids.size < MOST_MENTIONS) ids.add(hit.who);
	}
	return [...ids];
}

/* A text in pieces: plain ones, and those that name somebody. */
export function splitMentions(text: string, people: ReadonlyMap<string, Name>): (string | { who: Name; text: string })[] {
	const pieces: (string | { who: Name; text: string })[] = [];
	let at = 0;
	for (const m of text.matchAll(HANDLE)) {
		const hit = meant(m[1]!, (h) => people.get(h));
		if (!hit) continue;
		if (m.index > at) pieces.push(text.slice(at, m.index));
		at = m.index + 1 + hit.handle.length;
		pieces.push({ who: hit.who, text: text.slice(m.index, at) });
	}
	if (at < text.length) pieces.push(text.slice(at));
	return pieces;
}

/* The channels that one has: what finds their names in a text ("#name"), and their ids by name in lower case. */
export interface Channels {
	pattern: RegExp;
	ids: ReadonlyMap<string, number>;
}

let held: { of: State['channels'] | null; key: string; channels?: Channels } = { of: null, key: '' };

/* The same as long as they are called the same. The longest name first: "#general talk" is not "#general". */
export function channelsOf({ channels }: State): Channels | undefined {
	if (held.of === channels) return held.channels;
	const all = Object.values(channels).flatMap((c): [string, number][] => (c.name ? [[c.name.toLowerCase(), c.id]] : []));
	const key = all.join();
	if (key !== held.key) {
		const names = all.map(([name]) => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).sort((a, b) => b.length - a.length);
		held.channels = { pattern: new RegExp(`${BEFORE}#(${names.join('|')})(?![\\p{L}\\p{N}_-])`, 'giu'), ids: new Map(all) };
	}
	held = { of: channels, key, channels: held.channels };
	return held.channels;
}
