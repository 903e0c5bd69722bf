// A message's text as it is shown: what becomes a link and what does not, that nothing is lost, that nothing is HTML, and
// that hostile text costs no time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { linkify, trimLink } from '../src/model/links';
import { MessageText } from '../src/ui/text';
import { seeded } from './help';

const shown = (text: string): string =>
	linkify(text)
		.map((p) => (typeof p === 'string' ? p : p.text))
		.join('');
const links = (text: string): string[] => linkify(text).flatMap((p) => (typeof p === 'string' ? [] : [p.text]));
const hrefs = (text: string): string[] => linkify(text).flatMap((p) => (typeof p === 'string' ? [] : [p.href]));

describe('links', () => {
	for (const [text, ...found] of [
		['no link here'],
		['https://x.org', 'https://x.org'],
		['see https://x.org/a?b=c#d, and http://y.org:8080/.', 'https://x.org/a?b=c#d', 'http://y.org:8080/'],
		['(https://x.org/a)', 'https://x.org/a'],
		['https://x.org/a_(b)', 'https://x.org/a_(b)'],
		['(see https://x.org/a_(b)).', 'https://x.org/a_(b)'],
		['[https://x.org/[a]]', 'https://x.org/[a]'],
		['<https://x.org>', 'https://x.org'],
		['"https://x.org/q"', 'https://x.org/q'],
		['HTTPS://X.ORG/Path', 'HTTPS://X.ORG/Path'],
		['https://x.org/one\nhttps://x.org/two', 'https://x.org/one', 'https://x.org/two'],
		['https://x.org!?…', 'https://x.org'],
		['https://münchen.example/straße', 'https://münchen.example/straße'],
		['日本https://x.org/日本語', 'https://x.org/日本語'],
		['https://[::1]:8080/x', 'https://[::1]:8080/x'],
		['https://'],
		['http://.'],
		['https://:::'],
		['xhttps://x.org'],
		['https:/x.org'],
		['http//x.org'],
		['https://[broken'],
	] as [string, ...string[]][]) {
		test(`${JSON.stringify(text)}: ${found.length ? found.join(' ') : 'none'}`, () => {
			assert.deepEqual(links(text), found);
			assert.equal(shown(text), text);
		});
	}

	test('lead only to http and https', () => {
		for (const text of [
			'javascript:alert(1)',
			'javascript://https://x.org/%0aalert(1)',
			'JaVaScRiPt:alert(1)',
			'data:text/html,<script>alert(1)</script>',
			'vbscript:x',
			'file:///etc/passwd',
			'ftp://x.org',
			'blob:https://x.org/1',
			'java\nscript:alert(1)',
			'mailto:a@x.org',
		]) {
			for (const href of hrefs(text)) assert.match(href, /^https?:\/\/x\.org\//, text);
			assert.equal(shown(text), text);
		}
	});

	test('cannot break out of their attribute', () => {
		for (const bad of ['"', "'", '<', '>', '`', ' ', '\n', '\t', '\u00a0', '\u2028']) {
			const text = `https://x.org/${bad}onmouseover=alert(1)`;
			assert.deepEqual(links(text), ['https://x.org/'], JSON.stringify(bad));
			assert.equal(shown(text), text);
		}
	});
});

describe('direction marks', () => {
	const marks = '\u061c \u200e \u200f \u202a \u202b \u202c \u202d \u202e \u2066 \u2067 \u2068 \u2069'.split(' ');

	test('end a link, so that an address cannot be turned round', () => {
		for (const mark of marks) {
			const text = `https://x.org/a${mark}gpj.exe`;
			const name = `U+${mark.charCodeAt(0).toString(16)}`;
			assert.deepEqual(links(text), ['https://x.org/a'], name);
			assert.equal(shown(text), text, name);
		}
	});

	test('around a link stay outside', () => {
		assert.deepEqual(links('\u2067https://x.org/א\u2069 ב'), ['https://x.org/א']);
		assert.deepEqual(links('שלום https://x.org/שלום.'), ['https://x.org/שלום']);
	});
});

/* Everything a tree of elements consists of: types, attributes, texts. */
function walk(node: unknown, see: (type: unknown, props: Record<string, unknown>) => void, texts: string[]): void {
	if (Array.isArray(node)) for (const n of node) walk(n, see, texts);
	else if (typeof node === 'string') texts.push(node);
	else if (node && typeof node === 'object' && 'type' in node && 'props' in node) {
		const { type, props } = node as { type: unknown; props: Record<string, unknown> };
		see(type, props);
		walk(props.children, see, texts);
	}
}

describe('what is drawn', () => {
	function draw(text: string) {
		const elements: { type: unknown; props: Record<string, unknown> }[] = [];
		const texts: string[] = [];
		walk(MessageText({ text }), (type, props) => elements.push({ type, props }), texts);
		return { elements, text: texts.join('') };
	}

	test('is text alone where there is no link, whatever it looks like', () => {
		for (const text of ['<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '&lt;b&gt; &amp; &#x202e;', '<a href="javascript:1">x</a>']) {
			const d = draw(text);
			assert.deepEqual(d.elements, [], text);
			assert.equal(d.text, text);
		}
	});

	test('is an anchor that opens apart, with its text isolated', () => {
		const d = draw('<b>https://x.org/a</b> ok');
		assert.deepEqual(d.elements.map((e) => e.type), ['a', 'bdi']);
		const { children: _, ...attributes } = d.elements[0]!.props;
		assert.deepEqual(Object.keys(attributes).sort(), ['href', 'rel', 'target']);
		assert.equal(attributes.href, 'https://x.org/a');
		assert.equal(attributes.target, '_blank');
		for (const word of ['noopener', 'noreferrer']) assert.ok(String(attributes.rel).split(' ').includes(word), word);
		assert.equal(d.text, '<b>https://x.org/a</b> ok');
	});

	test('any mixture: anchors and isolates alone, http(s) alone, and the text is what was written', () => {
		const random = seeded(7);
		const bits = [...'()]., \n"\'\u202e\u2066א😀a&@:', 'https://x.org/', 'http://', 'javascript:', '<script>'];
		for (let i = 0; i < 3000; i++) {
			const text = Array.from({ length: 1 + Math.floor(random() * 12) }, () => bits[Math.floor(random() * bits.length)]).join('');
			const d = draw(text);
			assert.equal(d.text, text);
			for (const e of d.elements) {
				assert.ok(e.type === 'a' || e.type === 'bdi', text);
				assert.ok(!('dangerouslySetInnerHTML' in e.props), text);
				if (e.type === 'a') assert.match(String(e.props.href), /^https?:\/\/[^/]/, text);
			}
		}
	});
});

test('the longest hostile texts take no time', () => {
	const n = 20_000;
	for (const text of [
		'https://x.org/' + ')'.repeat(n),
		'https://x.org/' + '(])'.repeat(n / 3),
		'https://x.org/' + '.'.repeat(n),
		'https://x.org/' + '('.repeat(n / 2) + ')'.repeat(n / 2),
		'https://'.repeat(n / 8),
		'http://a '.repeat(n / 9),
		'h'.repeat(n),
	]) {
		const from = process.cpuUsage();
		assert.equal(shown(text), text);
		const ms = process.cpuUsage(from).user / 1000; // not by the clock: the machine may be busy
		// A few milliseconds; quadratic work is a thousand times that.
		assert.ok(ms < 500, `${text.slice(0, 20)}…: ${ms} ms`);
	}
});

test('trimLink keeps brackets that are closed, and takes those that are not', () => {
	assert.equal(trimLink('https://x.org/(a)(b))'), 'https://x.org/(a)(b)');
	assert.equal(trimLink('https://x.org/{a}}'), 'https://x.org/{a}');
	assert.equal(trimLink('https://x.org/(a))],.'), 'https://x.org/(a)');
	assert.equal(trimLink('https://x.org/)(a)'), 'https://x.org/)(a');
});
