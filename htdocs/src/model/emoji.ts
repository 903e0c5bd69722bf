// The list that the emoji picker shows, and its search. Pure.
import { allEmoji, splitEmoji } from './custom_emoji';
import type { EmojiState } from './types';

/* [emoji, name, other words, group, version of Unicode, its five skin tones] */
export type EmojiRow = readonly [emoji: string, name: string, words: string, group: number, version: number, tones?: readonly string[]];

/* What the server takes: it may know an older Unicode than the list. upto: null: not known. */
export function known(rows: readonly EmojiRow[], upto: string | null): readonly EmojiRow[] {
	return upto === null ? rows : rows.filter((r) => r[4] <= Number(upto));
}

/* In the wanted skin tone (0: none). */
export const toned = (r: EmojiRow, tone: number): string => (tone && r[5]?.[tone - 1]) || r[0];

/* Those of whose name or words each word of the query is the beginning of one; names first. */
export function searchEmoji(rows: readonly EmojiRow[], query: string, most: number): EmojiRow[] {
	const words = query.toLowerCase().split(/\s+/).filter(Boolean);
	const begins = (text: string) => words.every((w) => text.split(/[\s_:-]+/).some((x) => x.startsWith(w)));
	const named = rows.filter((r) => begins(r[1]));
	const other = rows.filter((r) => !named.includes(r) && begins(`${r[1]} ${r[2]}`));
	return [...named, ...other].slice(0, most);
}

const SIGN = '\\p{Extended_Pictographic}[\\uFE0F\\p{Emoji_Modifier}]?';
const TAGS = '[\\u{E0020}-\\u{E007F}]*'; // of the flags of regions
const ONE = `(?:\\p{Regional_Indicator}{2}|[0-9#*]\\uFE0F?\\u20E3|${SIGN}(?:\\u200D${SIGN})*${TAGS})`;
const FEW = new RegExp(`^(?:${ONE}\\s*){1,12}$`, 'u');

/* Nothing but a few emoji, own ones among them: they are shown large. */
export function isEmojiOnly(written: string, own?: EmojiState): boolean {
	if (written.length > 600) return false;
	const text = own?.of.size ? splitEmoji(written, own).map((p) => (typeof p === 'string' ? p : '😀')).join('') : written;
	return text.length < 200 && FEW.test(text) && !/^[©®™‼⁉\s]+$/u.test(text);
}

export const OWN_GROUP = -1;

/* The site's own as rows of that list. */
export const ownRows = (own: EmojiState): EmojiRow[] => allEmoji(own).map((e) => [`:${e.name}:`, e.name, '', OWN_GROUP, 0]);
