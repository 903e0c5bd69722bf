// What keys do to a text that is being written: marks of Markdown put on and taken off, lists that go on, words to complete. Pure.

/* Replace what stands between start and end by text; then from and to (in the new whole text) are selected. */
export interface Change {
	start: number;
	end: number;
	text: string;
	from: number;
	to: number;
}

/* Puts a mark on both sides of what is selected, or takes it off again. Space at its ends stays outside. */
export function marked(text: string, start: number, end: number, mark: string): Change {
	while (start < end && /\s/.test(text[start]!)) start++;
	while (end > start && /\s/.test(text[end - 1]!)) end--;
	const n = mark.length;
	const inner = text.slice(start, end);
	const lone = (at: number) => n > 1 || text[at] !== mark; // one star beside another belongs to two of them
	if (text.slice(start - n, start) === mark && text.slice(end, end + n) === mark && start >= n && lone(start - n - 1) && lone(end + n))
		return { start: start - n, end: end + n, text: inner, from: start - n, to: end - n };
	if (inner.length > 2 * n && inner.startsWith(mark) && inner.endsWith(mark) && (n > 1 || inner[1] !== mark))
		return { start, end, text: inner.slice(n, -n), from: start, to: end - 2 * n };
	return { start, end, text: mark + inner + mark, from: start + n, to: end + n };
}

/* Code: a word between backticks, lines within a fence. */
export function coded(text: string, start: number, end: number): Change {
	const inner = text.slice(start, end);
	if (!inner.includes('\n')) return marked(text, start, end, '`');
	const before = start > 0 && text[start - 1] !== '\n' ? '\n```\n' : '```\n';
	const after = `${inner.endsWith('\n') ? '' : '\n'}\`\`\`${end < text.length && text[end] !== '\n' ? '\n' : ''}`;
	return { start, end, text: before + inner + after, from: start + before.length, to: start + before.length + inner.length };
}

/* Makes a link of what is selected; the address is what is to be written next. An address that is selected is the address. */
export function linked(text: string, start: number, end: number): Change {
	const inner = text.slice(start, end);
	if (/^(https?:\/\/|mailto:)\S+$/i.test(inner)) return { start, end, text: `[](${inner})`, from: start + 1, to: start + 1 };
	const url = start + inner.length + 3;
	return { start, end, text: `[${inner}](https://)`, from: url, to: url + 'https://'.length };
}

const ITEM = /^([ \t]*(?:> ?)*)(?:([-*+])|(\d{1,9})([.)]))([ \t]+)(\[[ x]\] )?/;
const QUOTE = /^[ \t]*(?:> ?)+/;

/* An emoji in the place of what is selected. `:name:` is one only where no word touches it. */
export function withEmoji(text: string, start: number, end: number, emoji: string): Change {
	const named = emoji.startsWith(':');
	const before = named && /[\p{L}\p{N}]$/u.test(text.slice(0, start)) ? ' ' : '';
	const spaced = named && text[end] === ' '; // it is written behind that one then
	const put = before + emoji + (named && !spaced ? ' ' : '');
	const at = start + put.length + (spaced ? 1 : 0);
	return { start, end, text: put, from: at, to: at };
}

/* A new line in a list or a quote goes on with it; in an empty item it ends the list. null: a line break like any other. */
export function continued(text: string, start: number, end: number): Change | null {
	const begin = text.lastIndexOf('\n', start - 1) + 1;
	const line = text.slice(begin, start);
	const item = ITEM.exec(line);
	const head = item?.[0] ?? QUOTE.exec(line)?.[0];
	if (!head) return null;
	const rest = text.slice(end).split('\n', 1)[0]!;
	if (line === head && !rest.trim()) return { start: begin, end, text: '', from: begin, to: begin };
	const next = item ? `${item[1]}${item[2] ?? `${Number(item[3]) + 1}${item[4]}`}${item[5]}${item[6] ? '[ ] ' : ''}` : head;
	const at = start + 1 + next.length;
	return { start, end, text: `\n${next}`, from: at, to: at };
}

const WORD = /(?<![\p{L}\p{N}:/#&])(?::[\p{L}\p{N}_+-]{2,32}:?|#[\p{L}\p{N}_-]{1,40})$/u;

/* The name of an emoji or of a channel that is being written before the caret, with its mark. Not within code of one line. */
export function wordAt(text: string, caret: number): { start: number; query: string } | null {
	const before = text.slice(Math.max(0, caret - 60), caret);
	const m = WORD.exec(before);
	if (!m) return null;
	const line = text.slice(text.lastIndexOf('\n', caret - 1) + 1, caret);
	if ((line.match(/`/g)?.length ?? 0) % 2) return null;
	return { start: caret - m[0].length, query: m[0] };
}
