// Markdown: the subset, what stays text, that nothing but safe elements comes of any text, that hostile text costs no time (TX-2);
// plain text and previews of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isEmojiOnly } from '../src/model/emoji_only';
import { markdown, plainHits, plainText, preview, spokenText, type Block, type Inline } from '../src/model/markdown';
import { highlight } from '../src/ui/highlight';
import { MessageText, textClass } from '../src/ui/text';
import { seeded } from './help';

/* Short forms: em(a) strong(a) del(a) code(a) link(href|a); p(a) h(a) pre:js(a) quote(…) ul(li(…)) ol:3(li(…)). A single text is bare. */
const inline = (of: readonly Inline[]): string =>
	of
		.map((i) => {
			if (typeof i === 'string') return i;
			if (i.kind === 'code') return `code(${i.text})`;
			return i.kind === 'link' ? `link(${i.href}|${inline(i.of)})` : `${i.kind}(${inline(i.of)})`;
		})
		.join('');
const block = (b: Block): string => {
	if (b.kind === 'text') return `p(${inline(b.of)})`;
	if (b.kind === 'heading') return `h(${inline(b.of)})`;
	if (b.kind === 'code') return `pre:${b.lang}(${b.text})`;
	if (b.kind === 'quote') return `quote(${b.of.map(block).join('')})`;
	return `${b.start === null ? 'ul' : `ol:${b.start}`}(${b.items.map((i) => `li(${i.map(block).join('')})`).join('')})`;
};
const short = (text: string): string => {
	const of = markdown(text);
	return of.length === 1 && of[0]!.kind === 'text' ? inline(of[0]!.of) : of.map(block).join('');
};

describe('the subset', () => {
	for (const [text, want] of [
		['*a* _b_ **c** __d__ ~~e~~ ***f***', 'em(a) em(b) strong(c) strong(d) del(e) em(strong(f))'],
		['`a*b*` ``x`y`` ` a `', 'code(a*b*) code(x`y) code(a)'],
		['**bold with `code` and *em***', 'strong(bold with code(code) and em(em))'],
		['[label](https://x.org/a)', 'link(https://x.org/a|label)'],
		['[a *b*](https://x.org "title")', 'link(https://x.org/|a em(b))'],
		['[write](mailto:a@x.org)', 'link(mailto:a@x.org|write)'],
		['see https://x.org/a_b_c and http://y.org.', 'see link(https://x.org/a_b_c|https://x.org/a_b_c) and link(http://y.org/|http://y.org).'],
		['**https://x.org/a**', 'strong(link(https://x.org/a|https://x.org/a))'],
		['(https://x.org/*a*_b_c)', '(link(https://x.org/*a*_b_c|https://x.org/*a*_b_c))'],
		['![a picture](https://x.org/p.png)', 'link(https://x.org/p.png|a picture)'],
		['[https://bank.example/](https://x.org/)', 'link(https://x.org/|https://bank.example/)'],
		['# Title\ntext', 'h(Title)p(text)'],
		['###### Six ######', 'h(Six)'],
		['> quoted\n> *two*\n\nmine', 'p'],
		['- a\n- b\n  - c', 'ul(li(p(a))li(p(b)ul(li(p(c)))))'],
		['3. a\n4. b', 'ol:3(li(p(a))li(p(b)))'],
		['text\n- a', 'p(text)ul(li(p(a)))'],
		['```js\nlet a = 1;\n\n  b\n```', 'pre:js(let a = 1;\n\n  b)'],
		['```\n*a* <b>\n```\nafter', 'pre:(*a* <b>)p(after)'],
		['~~~C\nopen to the end', 'pre:c(open to the end)'],
		['> ```py\n> x\n> ```', 'quote(pre:py(x))'],
		['a\n```\nb\n```', 'p(a)pre:(b)'],
		['\\*a\\* \\`b\\`', '*a* `b`'],
		['one\ntwo\n\n\nthree *x*', 'one\ntwo\n\n\nthree em(x)'],
		['  lead *a*  ', '  lead em(a)  '],
		['hi **@zoe**', 'hi strong(@zoe)'],
	] as const)
		test(JSON.stringify(text), () => {
			assert.equal(short(text), want === 'p' ? 'quote(p(quoted\nem(two)))p(mine)' : want);
		});
});

describe('stays text', () => {
	for (const text of [
		'plain',
		'2 * 3 * 4 and snake_case_name, a_b',
		'<b>hi</b> <img src=x onerror=alert(1)> <!-- x --> &amp; &#x202e;',
		'<script>alert(1)</script>\n*',
		'[x](javascript:alert(1))',
		'[x](JaVaScRiPt:alert(1))',
		'[x](data:text/html,y)',
		'[x](vbscript:y)',
		'[x](//evil.test)',
		'[x](/c/1)',
		'[x](file:///etc/passwd)',
		'![x](javascript:alert(1))',
		'<javascript:alert(1)>',
		'[x](https://x.org/\u202egpj.exe)',
		'[x](mailto://evil)',
		'[a]: https://',
		'[a] [b][c]',
		'title\n===',
		'---',
		'    indented',
		'#hashtag #1',
		'- ',
		'1.5 and 10. is not',
		'**',
		'a ** b',
		'``` not closed on this line',
		'~/x ~5 ~a~'.slice(0, 5),
	])
		test(JSON.stringify(text), () => {
			const of = markdown(text);
			const all = plainText(text);
			for (const b of of) assert.ok(b.kind === 'text' || b.kind === 'list' || b.kind === 'code', short(text));
			assert.ok(!short(text).includes('link('), short(text));
			if (of.length === 1 && of[0]!.kind === 'text') assert.equal(all, text);
		});
});

interface Seen {
	type: unknown;
	props: Record<string, unknown>;
}
function walk(node: unknown, seen: Seen[]): Seen[] {
	if (Array.isArray(node)) for (const n of node) walk(n, seen);
	else if (node && typeof node === 'object' && 'type' in node && 'props' in node) {
		const { type, props } = node as Seen;
		seen.push({ type, props });
		walk(props.children, seen);
	}
	return seen;
}

const ELEMENTS = new Set(['p', 'strong', 'em', 'del', 'code', 'a', 'bdi', 'ul', 'ol', 'li', 'blockquote']);
const PARTS = new Set(['CodeBlock', 'Mention', 'Fragment']);
const PROPS = new Set(['children', 'href', 'title', 'target', 'rel', 'dir', 'class', 'start', 'lang', 'text', 'tab', 'who']);

test('any mixture of marks: a few elements with a few attributes, links to http, https and mailto that open apart', () => {
	const random = seeded(11);
	const bits = [...'*_~`>[]()!#\\<&"\'\n -\t@:.a1א😀\u202e\u2066'];
	bits.push('```', '**', '~~', '~~', '- ', '1. ', '> ', '](', 'https://x.org/', 'javascript:', 'mailto:a@b', '<script>', '@zoe', '"x"');
	const kinds = new Set<unknown>();
	for (let i = 0; i < 1500; i++) {
		const text = Array.from({ length: 1 + Math.floor(random() * 24) }, () => bits[Math.floor(random() * bits.length)]).join('');
		for (const { type, props } of walk(MessageText({ text, people: new Map([['zoe', 4]]) }), [])) {
			const name = typeof type === 'function' ? type.name : type;
			kinds.add(name);
			assert.ok(ELEMENTS.has(name as string) || PARTS.has(name as string), `${String(name)} in ${JSON.stringify(text)}`);
			for (const p of Object.keys(props)) assert.ok(PROPS.has(p), `${p} in ${JSON.stringify(text)}`);
			if (name !== 'a') continue;
			assert.match(String(props.href), /^(https?:\/\/[^/]|mailto:[^/])/, text);
			assert.equal(props.rel, 'noopener noreferrer nofollow');
			assert.equal(props.target, '_blank');
		}
		assert.doesNotThrow(() => plainText(text));
	}
	for (const k of [...ELEMENTS, 'CodeBlock', 'Mention']) assert.ok(kinds.has(k), `${k} was made`);
});

test('TX-2 the longest hostile texts are parsed in a moment, and nest only so deep', () => {
	const full = (bit: string): string => bit.repeat(Math.ceil(20_000 / bit.length)).slice(0, 20_000);
	const hostile = ['*', '*a ', 'a* ', '*a_ ', '*_a ', '**a *b '].map(full);
	hostile.push(...['[', '[a](', '[a](b) ', '](', '![', '[[a]', '>', '> ', '`a', '` ', '~~a ', '~'].map(full));
	hostile.push(...['- ', '* a\n', '1. ', '1. a\n\n', '> > > > > > > > a\n', '```\n'].map(full));
	hostile.push(...['\\', '<', '<a', 'http://a', 'https://x.org/ ', '# ', 'a**b', '__a__ ', '- a\n  - b\n    - c\n'].map(full));
	hostile.push(Array.from({ length: 190 }, (_, i) => '`'.repeat(i + 1)).join(' '));
	hostile.push(Array.from({ length: 150 }, (_, i) => `${' '.repeat(i)}- a`).join('\n'));
	hostile.push(Array.from({ length: 150 }, (_, i) => `${'> '.repeat(i)}a`).join('\n'));
	hostile.push('['.repeat(9000) + ']'.repeat(9000), '>'.repeat(100) + ' a\n' + 'b\n'.repeat(9000));
	hostile.push('x'.repeat(5) + '\u0301'.repeat(5000), `https://x.org/${'a'.repeat(13_000)}`);
	// And as many as are parsed at all.
	const most = (bits: string[], marks: RegExp, n: number) => bits.map((b) => b.repeat(n / (b.match(marks) ?? []).length));
	hostile.push(...most(['*a ', 'a* ', '`a', '~~a ', 'a**b'], /[*~`]/g, 1499), ...most(['[a](', '[', '](', '![a'], /[[\](]/g, 1199));
	const depth = (of: readonly Block[]): number =>
		Math.max(0, ...of.map((b) => (b.kind === 'quote' ? 1 + depth(b.of) : b.kind === 'list' ? 1 + Math.max(...b.items.map(depth)) : 1)));
	markdown('to *warm* up `x`\n- a');
	for (const text of hostile) {
		const from = process.cpuUsage();
		const of = markdown(text);
		const ms = process.cpuUsage(from).user / 1000;
		assert.ok(ms < 200, `${JSON.stringify(text.slice(0, 20))}…: ${ms} ms`);
		assert.ok(depth(of) <= 9, JSON.stringify(text.slice(0, 20)));
	}
});

test('what is parsed once is kept, and not for ever', () => {
	const first = markdown('*kept*');
	assert.equal(markdown('*kept*'), first);
	for (let i = 0; i < 1000; i++) markdown(`*${i}*`);
	assert.notEqual(markdown('*kept*'), first);
});

test('as plain text: quotes, notifications, what is read out', () => {
	assert.equal(plainText('**Hello** `x` [here](https://x.org) ~~no~~'), 'Hello x here no');
	assert.equal(plainText('# T\n> q\n- a\n- b\n\n```js\ncode\n```\nend'), 'T\nq\n• a\n• b\ncode\nend');
	assert.equal(plainText('1. a\n2. b'), '1. a\n2. b');
	assert.equal(plainText('as it is\n\n  x'), 'as it is\n\n  x');
});

test('nobody is named within code', () => {
	assert.equal(spokenText('a `@zoe` b').includes('@zoe'), false);
	assert.equal(spokenText('```\n@zoe\n```'), '');
	assert.match(spokenText('**@zoe** and > _@bob_'), /@zoe and > @bob/);
	assert.match(spokenText('> @zoe said\n- @bob'), /@zoe said\n@bob/);
});

test('TX-2 a preview never splits a character, wherever it is cut', () => {
	const text = 'e\u0301👩‍👩‍👧‍👦🇮🇹👍🏽1️⃣x\u0301\u0302**b**😀 日本 ไทย้';
	const whole = preview(text, 1000);
	const marks = [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(whole)].map((s) => s.segment);
	let full = 0;
	for (let at = 0; at < 40; at++) {
		const cut = preview(text, at);
		if (cut === whole) {
			full++;
			continue;
		}
		assert.ok(cut.endsWith('…'), cut);
		const shown = cut.slice(0, -1);
		assert.ok(shown.length <= at);
		assert.ok(marks.some((_, n) => marks.slice(0, n).join('').trimEnd() === shown), `${at}: ${JSON.stringify(shown)}`);
		assert.doesNotThrow(() => encodeURIComponent(shown));
	}
	assert.ok(full > 0 && full < 20);
	const tower = `a${'\u0301'.repeat(5000)}bc`;
	assert.equal(preview(tower, 30), '…', 'not half a tower either');
	assert.equal(preview(tower, 100), `a${'\u0301'.repeat(32)}bc`, 'no script has more marks');
	assert.equal(preview('two\nlines  here', 100), 'two lines here');
});

test('a few emoji alone are large', () => {
	const flags = ['🇮🇹🇫🇷', '\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}'];
	for (const yes of [
		...flags,
		'😀',
		'👍🏽 🎉', '👩‍👩‍👧‍👦', '1️⃣', '❤️', '❤', '😀\n😀'
	]) assert.ok(isEmojiOnly(yes), yes);
	for (const no of ['', ' ', 'a', '😀 a', '1', '#', '©', '😀'.repeat(13), '*😀*', '\u202e😀', '12']) assert.ok(!isEmojiOnly(no), no);
	assert.equal(textClass('🎉'), 'msg-text msg-emoji');
	assert.equal(textClass('🎉!'), 'msg-text');
});

test('the colours of code: nothing but its text in pieces with the names of the library', () => {
	const text = 'const a = "<b>"; // `x`\n</script>';
	const words = (of: ReturnType<typeof highlight>): string => of.map((p) => (typeof p === 'string' ? p : words(p.of))).join('');
	for (const lang of ['js', 'c', 'py', 'sh', 'html', 'sql', 'yaml', 'ts', 'json', 'diff', 'nothing', '__proto__', 'constructor']) {
		assert.equal(words(highlight(lang, text)), text, lang);
	}
	assert.ok(highlight('js', text).some((p) => typeof p !== 'string' && p.kind === 'hljs-keyword'));
	assert.deepEqual(highlight('nothing', text), [text]);
});

test('the snippets of a search: without marks, with their hits', () => {
	const cut = (...p: (string | [string])[]) => plainHits(p.map((x) => (typeof x === 'string' ? { hit: false, text: x } : { hit: true, text: x[0] })));
	const shown = (of: ReturnType<typeof cut>) => of.map((p) => (p.hit ? `[${p.text}]` : p.text)).join('');
	assert.equal(shown(cut('a **', ['bold'], ' word** `', ['code'], '`')), 'a [bold] word [code]');
	assert.equal(shown(cut('[', ['label'], '](https://x.org/', ['label'], ')')), '[label]');
	assert.equal(shown(cut('> ', ['q'], '\n- ', ['i'])), '[q]\n• [i]');
	assert.equal(shown(cut(['all'])), '[all]');
	assert.equal(shown(cut('\ue000x\ue001 ', ['y'])), 'x [y]', 'what marks it cannot be written');
	assert.deepEqual(cut(), []);
});
