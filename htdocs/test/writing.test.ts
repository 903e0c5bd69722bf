// Writing: the keys of Markdown, lists that go on, what is completed. A text with its selection stands as "ab«c»d"; "|" is a caret.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coded, continued, linked, marked, withEmoji, wordAt, type Change } from '../src/model/writing';

function at(shown: string): { text: string; start: number; end: number } {
	if (shown.includes('|')) return { text: shown.replace('|', ''), start: shown.indexOf('|'), end: shown.indexOf('|') };
	return { text: shown.replace(/[«»]/g, ''), start: shown.indexOf('«'), end: shown.indexOf('»') - 1 };
}
function after(shown: string, make: (text: string, start: number, end: number) => Change | null): string | null {
	const { text, start, end } = at(shown);
	const c = make(text, start, end);
	if (!c) return null;
	const now = text.slice(0, c.start) + c.text + text.slice(c.end);
	if (c.from === c.to) return `${now.slice(0, c.from)}|${now.slice(c.from)}`;
	return `${now.slice(0, c.from)}«${now.slice(c.from, c.to)}»${now.slice(c.to)}`;
}
const bold = (s: string, a: number, b: number) => marked(s, a, b, '**');
const italic = (s: string, a: number, b: number) => marked(s, a, b, '*');

test('an emoji comes in the place of what is selected; no word touches one that is a name', () => {
	for (const [emoji, from, to] of [
		['🎉', 'a|b', 'a🎉|b'],
		['🎉', 'a «b c»', 'a 🎉|'],
		[':own:', '|', ':own: |'],
		[':own:', 'a|b', 'a :own: |b'],
		[':own:', 'a | b', 'a :own: |b'],
		[':own:', '(«x»)', '(:own: |)'],
		[':own:', 'x:|\n', 'x::own: |\n'],
	] as const)
		assert.equal(after(from, (text, start, end) => withEmoji(text, start, end, emoji)), to, from);
});

test('marks go on, and off again', () => {
	for (const [make, from, to] of [
		[bold, 'a «b» c', 'a **«b»** c'],
		[bold, 'a **«b»** c', 'a «b» c'],
		[bold, '«**b**»', '«b»'],
		[bold, 'x | y', 'x **|** y'],
		[bold, 'x **|** y', 'x | y'],
		[bold, '« b »c', ' **«b»** c'],
		[italic, '«b»', '*«b»*'],
		[italic, '*«b»*', '«b»'],
		[italic, '**«b»**', '***«b»***'],
		[italic, '«**b**»', '*«**b**»*'],
		[coded, 'a «b»', 'a `«b»`'],
		[coded, '`«b»`', '«b»'],
		[coded, '«a\nb»', '```\n«a\nb»\n```'],
		[coded, 'x «a\nb» y', 'x \n```\n«a\nb»\n```\n y'],
		[linked, 'see «this»', 'see [this](«https://»)'],
		[linked, '«https://x.org/a»', '[|](https://x.org/a)'],
	] as const)
		assert.equal(after(from, make), to, from);
});

test('lists and quotes go on, and end in an empty item', () => {
	for (const [from, to] of [
		['- a|', '- a\n- |'],
		['  * a|b', '  * a\n  * |b'],
		['1. a|', '1. a\n2. |'],
		['9) a|', '9) a\n10) |'],
		['- [x] done|', '- [x] done\n- [ ] |'],
		['> q|', '> q\n> |'],
		['> - a|', '> - a\n> - |'],
		['- a\n- |', '- a\n|'],
		['> |', '|'],
		['a|', null],
		['-a|', null],
		['1.5|', null],
		['- a\n\nb|', null],
	] as const)
		assert.equal(after(from, continued), to, from);
});

test('emoji and channels that are being written', () => {
	for (const [text, want] of [
		[':smi', { start: 0, query: ':smi' }],
		['so :+1', { start: 3, query: ':+1' }],
		['see #gen', { start: 4, query: '#gen' }],
		['(#x', { start: 1, query: '#x' }],
		[':s', null],
		['at 10:30', null],
		['https://x', null],
		['a:smile', null],
		['#', null],
		['issue#12', null],
		['`:smi', null],
		['`a` :smi', { start: 4, query: ':smi' }],
		[':smile ', null],
		[':smile:', { start: 0, query: ':smile:' }],
		[':smile::', null],
		['::', null],
	] as const)
		assert.deepEqual(wordAt(text, text.length), want, text);
});
