// The site's own emoji: which there are, by events and by the list alike, and where they stand in texts. Pure.
import { isGuest, siteRank } from './roles';
import { myId, type State } from './state';
import type { CustomEmoji, EmojiLimits, EmojiList, EmojiState, Line } from './types';
import type { EmojiRow } from './emoji';

export function emojiLimits(limits: Record<string, unknown>): EmojiLimits | null {
	const { custom_emoji, custom_emoji_bytes, custom_emoji_by } = limits;
	return custom_emoji ? { most: Number(custom_emoji), bytes: Number(custom_emoji_bytes), by: String(custom_emoji_by) } : null;
}

function put(e: EmojiState, changes: readonly { name: string; emoji: CustomEmoji | null; version: number }[], loaded: boolean): EmojiState {
	const of = new Map(e.of);
	for (const { name, emoji, version } of changes) if (version > (of.get(name)?.version ?? 0)) of.set(name, { emoji, version });
	return { loaded, of };
}

/* The whole list; what was told since it was made counts on. */
export function applyEmoji(s: State, list: EmojiList): State {
	const gone = [...s.emoji.of.keys()].filter((name) => !list.emoji.some((x) => x.name === name));
	const there = list.emoji.map((emoji) => ({ name: emoji.name, emoji, version: emoji.version }));
	return { ...s, emoji: put(s.emoji, [...gone.map((name) => ({ name, emoji: null, version: list.version })), ...there], true) };
}

export function applyEmojiLine(s: State, line: Line): State {
	const { name, emoji, version } = line as unknown as { name: string; emoji: CustomEmoji | null; version: number };
	return version > (s.emoji.of.get(name)?.version ?? 0) ? { ...s, emoji: put(s.emoji, [{ name, emoji, version }], s.emoji.loaded) } : s;
}

/* The one that `:name:` is. */
export const emojiOf = (e: EmojiState, text: string): CustomEmoji | null =>
	text.startsWith(':') ? (e.of.get(text.slice(1, -1).toLowerCase())?.emoji ?? null) : null;

export const allEmoji = (e: EmojiState): CustomEmoji[] =>
	[...e.of.values()].flatMap((x) => x.emoji ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));

const NAME = /:[a-z0-9_+-]{1,32}:/giy;
const WORD = /[a-z0-9]/i;
const MOST = 200; // of one text; what comes behind stays text

/* A text in pieces: plain ones, and the emoji that it names. */
export function splitEmoji(text: string, e: EmojiState): (string | CustomEmoji)[] {
	const pieces: (string | CustomEmoji)[] = [];
	let from = 0;
	let n = 0;
	for (let at = e.of.size ? text.indexOf(':') : -1; at >= 0 && n < MOST; at = text.indexOf(':', at)) {
		NAME.lastIndex = at;
		const found = WORD.test(text[at - 1] ?? '') ? null : NAME.exec(text)?.[0];
		const emoji = found && !WORD.test(text[at + found.length] ?? '') ? emojiOf(e, found) : null;
		if (!found || !emoji) {
			at++;
			continue;
		}
		if (at > from) pieces.push(text.slice(from, at));
		pieces.push(emoji);
		from = at = at + found.length;
		n++;
	}
	if (from < text.length) pieces.push(text.slice(from));
	return pieces;
}

/* What the server would let one do. */
export const mayAddEmoji = (s: State): boolean =>
	s.limits.custom !== null && !isGuest(s) && (s.limits.custom.by === 'members' || siteRank(s.me?.user.role) >= 2);
export const mayRemoveEmoji = (s: State, e: CustomEmoji): boolean => e.by === myId(s) || siteRank(s.me?.user.role) >= 2;

export const OWN_GROUP = -1;

/* The site's own as rows of that list. */
export const ownRows = (own: EmojiState): EmojiRow[] => allEmoji(own).map((e) => [`:${e.name}:`, e.name, '', OWN_GROUP, 0]);
