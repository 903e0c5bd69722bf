// What is written in the search field: where a filter is being written, and what may be put there. Pure.

export const FILTERS = ['from', 'in', 'has', 'is', 'before', 'after'] as const;
export type FilterKey = (typeof FILTERS)[number];

const FILTER = `(?:${FILTERS.join('|')}):`;
const ONE = new RegExp(`(^|\\s)${FILTER}(?:"[^"]*"?|\\S*)`, 'g');

export const isFiltered = (text: string): boolean => withoutFilters(text) !== text.trim();
export const withoutFilters = (text: string): string => text.replace(ONE, '$1').trim();

/* A filter under the caret: text[from..to) is to be replaced; word is what its value begins with. */
export interface Writing {
	key: FilterKey;
	word: string;
	from: number;
	to: number;
}

/* The filter that the caret stands in, of those that can be completed. */
export function writingAt(text: string, caret: number): Writing | null {
	const head = /(?:^|\s)((from|in|has|is):(?:"([^"]*)|([^\s"]*)))$/.exec(text.slice(0, caret));
	if (!head) return null;
	const quoted = head[3] !== undefined;
	const rest = (quoted ? /^[^"]*"?/ : /^[^\s"]*/).exec(text.slice(caret))![0];
	return { key: head[2] as FilterKey, word: head[3] ?? head[4] ?? '', from: caret - head[1]!.length, to: caret + rest.length };
}

/* A filter as it is written; a value with blanks in quotes. */
export const filterText = (key: FilterKey, value: string) => `${key}:${/\s/.test(value) ? `"${value}"` : value}`;

/* The text with the filter whole, and where the caret stands then. */
export function complete(text: string, at: Writing, value: string): { text: string; caret: number } {
	const done = `${text.slice(0, at.from)}${filterText(at.key, value)} `;
	return { text: done + text.slice(at.to).replace(/^\s+/, ''), caret: done.length };
}

/* The text with the beginning of a filter at its end, to be written on. */
export function begin(text: string, key: FilterKey): string {
	const head = text.trimEnd();
	return `${head}${head ? ' ' : ''}${key}:`;
}
