// Markdown in messages, a safe subset: emphasis, strike, code, fenced code, quotes, lists, links; headings are bold lines, pictures
// are links, HTML is text. From the text to blocks; nothing here knows of the screen. Pure.
import { Strikethrough, parser as commonmark, type InlineParser, type MarkdownExtension } from '@lezer/markdown';
import type { SyntaxNode } from '@lezer/common';
import { linkAt, linkify, MOST_LINKS, safeHref } from './links';

export type Inline =
	| string
	| { kind: 'em' | 'strong' | 'del'; of: Inline[] }
	| { kind: 'code'; text: string }
	| { kind: 'link'; href: string; of: Inline[] };
export type Block =
	| { kind: 'text'; of: Inline[] }
	| { kind: 'heading'; of: Inline[] }
	| { kind: 'code'; lang: string; text: string }
	| { kind: 'quote'; of: Block[] }
	| { kind: 'list'; start: number | null; items: Block[][] }; // start: null: not numbered

/* An address in the text: before all other rules, so that what looks like emphasis in it stays. */
const address: InlineParser = {
	name: 'Address',
	before: 'Escape',
	parse(cx, next, pos) {
		if (next !== 104 && next !== 72) return -1; // h, H
		const label = cx.text.indexOf('](', pos - cx.offset); // an address as the label of a link ends with it
		const found = linkAt(label < 0 ? cx.text : cx.text.slice(0, label), pos - cx.offset);
		return found ? cx.addElement(cx.elt('URL', pos, pos + found.length)) : -1;
	},
};
/* The name of an emoji: what looks like emphasis in it stays. */
const SHORT = /:[a-z0-9_+-]{1,32}:/iy;
const shortcode: InlineParser = {
	name: 'Shortcode',
	before: 'Escape',
	parse(cx, next, pos) {
		if (next !== 58) return -1; // :
		SHORT.lastIndex = pos - cx.offset;
		const found = SHORT.exec(cx.text)?.[0];
		return found ? cx.addElement(cx.elt('Shortcode', pos, pos + found.length)) : -1;
	},
};
const subset: MarkdownExtension = [
	Strikethrough,
	{
		defineNodes: ['Shortcode'],
		parseInline: [address, shortcode],
		remove: ['HTMLBlock', 'HTMLTag', 'SetextHeading', 'IndentedCode', 'LinkReference', 'Entity', 'HorizontalRule', 'HardBreak'],
	},
];
const parser = commonmark.configure(subset);

const MARKUP = /[*_~`>#[\\<]|^[ \t]*(?:[-+]|\d+[.)])[ \t]|https?:\/\//im;
const DEEPEST = 8; // quotes and lists in each other; what goes deeper is text

/* The parser's time grows with the square of marks that match nothing, and with the depth. No person writes so many. */
const MOST_MARKS = 1_500;
const MOST_BRACKETS = 1_200;
const MOST_STARTS = 600; // of quotes, list items and code
const START = /^[ \t]*(?:[>*+-]|\d{1,9}[.)]|`{3}|~{3})/;
const NESTED = /^[ \t]*(?:(?:[>*+-]|\d{1,9}[.)])[ \t]*){9}[^\s*+-]|^[ \t]*(?:[>*+-][ \t]*){30}|^[ \t]{40,}(?:[>*+-]|\d{1,9}[.)])/;

function tooMuch(text: string): boolean {
	if (text.split('://').length - 1 > MOST_LINKS) return true;
	let marks = 0;
	let brackets = 0;
	let starts = 0;
	let fence = ''; // within code nothing counts
	for (const line of text.split('\n')) {
		const f = /^ {0,3}(`{3,}|~{3,})([^`]*)$/.exec(line);
		if (fence) {
			if (f?.[1]!.startsWith(fence) && !f[2]!.trim()) fence = '';
			continue;
		}
		if (START.test(line) && ++starts > MOST_STARTS) return true;
		if (f) {
			fence = f[1]!;
			continue;
		}
		if (NESTED.test(line)) return true;
		for (let i = 0; i < line.length; i++) {
			const c = line[i]!;
			if ('*_~`>\\'.includes(c)) marks++;
			else if ('[]<('.includes(c)) brackets++;
		}
		if (marks > MOST_MARKS || brackets > MOST_BRACKETS) return true;
	}
	return false;
}

/* More marks over one letter than any script has: shaping them takes a browser long, and they reach into the lines above. */
const TOWER = /(\p{M}{32})\p{M}+/gu;

function parse(source: string): Block[] {
	const text = source.replace(TOWER, '$1');
	if (!MARKUP.test(text)) return [{ kind: 'text', of: [text] }];
	if (tooMuch(text)) {
		const of = linkify(text).map((p): Inline => (typeof p === 'string' ? p : { kind: 'link', href: p.href, of: [p.text] }));
		return [{ kind: 'text', of }];
	}
	return new Reader(text).blocks(parser.parse(text).topNode, 0);
}

class Reader {
	constructor(private text: string) {}

	/* depth 0: of the message itself, whose lines stay as they were written, the empty ones too. */
	blocks(parent: SyntaxNode, depth: number): Block[] {
		const out: Block[] = [];
		let end = -1; // of the text block before
		for (let n = parent.firstChild; n; n = n.nextSibling) {
			if (/Mark$/.test(n.name)) continue;
			const block = this.block(n, depth);
			const last = out.at(-1);
			if (block.kind === 'text' && last?.kind === 'text') {
				last.of = joined([...last.of, depth ? '\n\n' : this.text.slice(end, n.from), ...block.of]);
			} else out.push(block);
			end = n.to;
		}
		if (depth || out.length !== 1 || out[0]!.kind !== 'text') return out;
		// A single text is wholly what was written, with the space round it.
		const n = parent.firstChild!;
		const last = parent.lastChild!;
		out[0]!.of = joined([this.text.slice(0, n.from), ...out[0]!.of, this.text.slice(last.to)]);
		return out;
	}

	private block(n: SyntaxNode, depth: number): Block {
		if (depth >= DEEPEST) return { kind: 'text', of: [this.text.slice(n.from, n.to)] };
		if (n.name === 'FencedCode') {
			let text = '';
			for (const c of n.getChildren('CodeText')) text += this.text.slice(c.from, c.to);
			const info = n.getChild('CodeInfo');
			return { kind: 'code', lang: info ? this.text.slice(info.from, info.to).split(/\s/)[0]!.toLowerCase() : '', text };
		}
		if (n.name === 'Blockquote') return { kind: 'quote', of: this.blocks(n, depth + 1) };
		if (n.name === 'BulletList' || n.name === 'OrderedList') {
			const mark = n.firstChild?.getChild('ListMark');
			const items = n.getChildren('ListItem').map((i) => this.blocks(i, depth + 1));
			return { kind: 'list', start: n.name === 'OrderedList' && mark ? parseInt(this.text.slice(mark.from, mark.to), 10) : null, items };
		}
		if (n.name.startsWith('ATXHeading')) {
			const of = trimmed(this.inline(n, n.from, n.to, depth));
			return of.length ? { kind: 'heading', of } : { kind: 'text', of: [this.text.slice(n.from, n.to)] };
		}
		return { kind: 'text', of: this.inline(n, n.from, n.to, depth) };
	}

	/* What stands between from and to within a node: its children, and the text between them. */
	private inline(parent: SyntaxNode, from: number, to: number, depth: number): Inline[] {
		const out: Inline[] = [];
		let at = from;
		const upTo = (end: number) => {
			if (end > at) out.push(this.words(at, end, depth));
		};
		for (let n = parent.firstChild; n; n = n.nextSibling) {
			if (n.to <= from || n.from >= to) continue;
			upTo(n.from);
			at = n.to;
			const one = this.node(n, depth);
			if (one !== null) out.push(one);
			// The mark of a quote goes with the space behind it.
			else if (n.name === 'QuoteMark' && this.text[at] === ' ') at++;
		}
		upTo(to);
		return joined(out);
	}

	/* Within quotes and lists the indentation of a line belongs to them. */
	private words(from: number, to: number, depth: number): string {
		const s = this.text.slice(from, to);
		return depth ? s.replace(/\n[ \t]+/g, '\n') : s;
	}

	private node(n: SyntaxNode, depth: number): Inline | null {
		const raw = this.text.slice(n.from, n.to);
		switch (n.name) {
			case 'Emphasis':
				return { kind: 'em', of: this.within(n, depth) };
			case 'StrongEmphasis':
				return { kind: 'strong', of: this.within(n, depth) };
			case 'Strikethrough':
				return { kind: 'del', of: this.within(n, depth) };
			case 'InlineCode': {
				const s = this.text.slice(n.firstChild!.to, n.lastChild!.from).replace(/\n[ \t>]*/g, ' ');
				return { kind: 'code', text: /^ .*[^ ].* $/.test(s) || /^ [^ ]+ $/.test(s) ? s.slice(1, -1) : s };
			}
			case 'Escape':
				return raw.slice(1);
			case 'URL': {
				const href = safeHref(raw);
				return href ? { kind: 'link', href, of: [raw] } : raw;
			}
			case 'Autolink': {
				const url = raw.slice(1, -1);
				const href = safeHref(url);
				return href ? { kind: 'link', href, of: [url] } : raw;
			}
			case 'Link':
			case 'Image': {
				const [open, close] = n.getChildren('LinkMark');
				const url = n.getChildren('URL').find((u) => close && u.from >= close.to); // another may stand in the label
				const href = url && safeHref(this.text.slice(url.from, url.to).replace(/^<(.*)>$/s, '$1').replace(/\\([!-/:-@[-`{-~])/g, '$1'));
				if (!open || !close || !href) return raw;
				const of = flat(this.inline(n, open.to, close.from, depth));
				return { kind: 'link', href, of: of.length ? of : [href] };
			}
			default:
				return /Mark$|^LinkTitle$/.test(n.name) ? null : raw;
		}
	}

	/* Between the marks at both ends. */
	private within(n: SyntaxNode, depth: number): Inline[] {
		return this.inline(n, n.firstChild!.to, n.lastChild!.from, depth);
	}
}

/* Texts that follow each other are one. */
function joined(list: Inline[]): Inline[] {
	const out: Inline[] = [];
	for (const i of list) {
		if (i === '') continue;
		if (typeof i === 'string' && typeof out.at(-1) === 'string') out[out.length - 1] += i;
		else out.push(i);
	}
	return out;
}

function trimmed(list: Inline[]): Inline[] {
	const out = [...list];
	if (typeof out[0] === 'string') out[0] = out[0].trimStart();
	const last = out.at(-1);
	if (typeof last === 'string') out[out.length - 1] = last.trimEnd();
	return joined(out);
}

/* A link holds no links. */
const flat = (list: Inline[]): Inline[] =>
	joined(list.flatMap((i) => (typeof i === 'string' || i.kind === 'code' ? [i] : i.kind === 'link' ? flat(i.of) : [{ ...i, of: flat(i.of) }])));

/* Rows come and go as one scrolls: what was parsed last is kept. */
const MOST_KEPT = 600;
const kept = new Map<string, Block[]>();

export function markdown(text: string): Block[] {
	let blocks = kept.get(text);
	if (blocks) kept.delete(text);
	else blocks = parse(text);
	kept.set(text, blocks);
	if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
	return blocks;
}

const wordsOf = (of: readonly Inline[]): string => of.map((i) => (typeof i === 'string' ? i : i.kind === 'code' ? i.text : wordsOf(i.of))).join('');

const linesOf = (of: readonly Block[], code: boolean): string =>
	of
		.map((b) => {
			if (b.kind === 'text' || b.kind === 'heading') return wordsOf(b.of);
			if (b.kind === 'code') return code ? b.text : '';
			if (b.kind === 'quote') return linesOf(b.of, code);
			return b.items.map((i, n) => `${b.start === null ? '•' : `${b.start + n}.`} ${linesOf(i, code)}`).join('\n');
		})
		.join('\n');

/* A text as it is said where no markup is: notifications, quotes, previews, what is read out. */
export const plainText = (text: string): string => linesOf(markdown(text), true);

/* The same without code, where nobody is named: see mentionsIn(). */
export function spokenText(text: string): string {
	const inline = (of: readonly Inline[]): string =>
		of.map((i) => (typeof i === 'string' ? i : i.kind === 'code' ? ' ` ' : i.kind === 'link' ? ` ${wordsOf(i.of)} ` : inline(i.of))).join('');
	const blocks = (of: readonly Block[]): string =>
		of
			.map((b) => {
				if (b.kind === 'text' || b.kind === 'heading') return inline(b.of);
				return b.kind === 'code' ? '' : b.kind === 'quote' ? blocks(b.of) : b.items.map(blocks).join('\n');
			})
			.join('\n');
	return blocks(markdown(text));
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/* The beginning of it on one line, of at most so many UTF-16 units before the dots; never half a character. */
export function preview(text: string, most: number): string {
	const line = plainText(text).replace(/\s+/gu, ' ').trim();
	if (line.length <= most) return line;
	let end = 0;
	for (const { segment, index } of graphemes.segment(line.slice(0, most + 64))) {
		if (index + segment.length > most) break;
		end = index + segment.length;
	}
	return `${line.slice(0, end).trimEnd()}…`;
}

const [ON, OFF] = ['\uE000', '\uE001'];

/* A snippet of a search as plain text, with what was found in it still marked. */
export function plainHits(pieces: readonly { hit?: boolean; text: string }[]): { hit: boolean; text: string }[] {
	const marked = pieces.map((p) => (p.hit ? ON + p.text.replace(/[\uE000\uE001]/g, '') + OFF : p.text.replace(/[\uE000\uE001]/g, ''))).join('');
	return plainText(marked)
		.split(/(\uE000[^\uE001]*\uE001?)/)
		.filter((s) => s.replace(/[\uE000\uE001]/g, ''))
		.map((s) => ({ hit: s[0] === ON, text: s.replace(/[\uE000\uE001]/g, '') }));
}
