// The list that the emoji picker and the completion show, and its search: loaded with it. Pure.

/* [emoji, name, other words, group (below 0: an own one), version of Unicode, its five skin tones] */
export type EmojiRow = readonly [emoji: string, name: string, words: string, group: number, version: number, tones?: readonly string[]];

/* What the server takes: it may know an older Unicode than the list. upto: null: not known. */
export function known(rows: readonly EmojiRow[], upto: string | null): readonly EmojiRow[] {
	return upto === null ? rows : rows.filter((r) => r[4] <= Number(upto));
}

/* In the wanted skin tone (0: none). */
export const toned = (r: EmojiRow, tone: number): string => (tone && r[5]?.[tone - 1]) || r[0];

const MOST_RECENT = 24;
/* What was picked last, newest first, as one text; without skin tones. */
export const recentOf = (kept: string | null): string[] => kept?.split(' ').filter(Boolean) ?? [];
export const withRecent = (kept: string | null, emoji: string): string =>
	[emoji, ...recentOf(kept).filter((e) => e !== emoji)].slice(0, MOST_RECENT).join(' ');

/* What it is called elsewhere too (":tada:"), in full. An own one has its name alone. */
const isCalled = (r: EmojiRow, name: string): boolean => (r[3] < 0 ? r[1] === name : r[2].includes(`:${name}:`));

/* The one of exactly this name. */
export const emojiCalled = (rows: readonly EmojiRow[], name: string): EmojiRow | undefined => rows.find((r) => isCalled(r, name));

/*
 * Those of whose name or words each word of the query is the beginning of one: first what is called so, then names that begin with it, then
 * other names.
 */
export function searchEmoji(rows: readonly EmojiRow[], query: string, most: number): EmojiRow[] {
	const said = query.trim().toLowerCase();
	const words = said.split(/[\s_:]+/).filter(Boolean);
	const begins = (text: string) => words.every((w) => text.split(/[\s_:-]+/).some((x) => x.startsWith(w)));
	const rank = (r: EmojiRow) => {
		if (isCalled(r, said.replace(/\s+/g, '_'))) return 0;
		if (begins(r[1])) return r[1].startsWith(said) ? 1 : 2;
		return begins(`${r[1]} ${r[2]}`) ? 3 : 4;
	};
	const ranked: EmojiRow[][] = [[], [], [], [], []];
	for (const r of rows) ranked[rank(r)]!.push(r);
	return ranked.slice(0, 4).flat().slice(0, most);
}
