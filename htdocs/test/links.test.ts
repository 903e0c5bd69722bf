// Text that others wrote, and paths that a link names: what becomes of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLines } from '../src/net/api';
import { parseRoute, safeReturn } from '../src/ui/route';
import { linkify, MOST_LINKS, trimLink } from '../src/model/links';
import { layout, rowAt, windowOf } from '../src/ui/virtual';

const links = (text: string) => linkify(text).flatMap((p) => (typeof p === 'string' ? [] : [p.text]));

test('addresses end where a reader would end them', () => {
	assert.equal(trimLink('https://example.org/a.'), 'https://example.org/a');
	assert.equal(trimLink('https://example.org/a_(b)'), 'https://example.org/a_(b)');
	assert.equal(trimLink('https://example.org/a_(b)).'), 'https://example.org/a_(b)');
	assert.deepEqual(links('see https://example.org/x, or (https://example.org/y).'), ['https://example.org/x', 'https://example.org/y']);
});

test('only http and https are links', () => {
	for (const text of ['javascript:alert(1)', 'data:text/html,x', 'xhttps://example.org', 'file:///etc/passwd', 'https://'])
		assert.deepEqual(links(text), [], text);
});

test('the pieces of a text are the text', () => {
	for (const text of ['', 'a', 'https://a.example/ b https://b.example/?q=1#c d', '(https://a.example/)', 'https://a.example/\u202Eabc'])
		assert.equal(
			linkify(text)
				.map((p) => (typeof p === 'string' ? p : p.text))
				.join(''),
			text,
		);
});

test('one comes back to paths of this site alone', () => {
	for (const evil of ['//evil.test', '/\\evil.test', 'https://evil.test', 'javascript:alert(1)', '', '/sign-in', '/sign-in?return_to=/x'])
		assert.equal(safeReturn(evil), '/', evil);
	assert.equal(safeReturn('/c/12/members'), '/c/12/members');
});

test('paths', () => {
	assert.deepEqual(parseRoute('/c/12', ''), { page: 'channel', channel: 12, panel: null, at: null, q: '', thread: null, reply: null });
	assert.deepEqual(parseRoute('/c/12/t/41', '?reply=43'), { page: 'channel', channel: 12, panel: 'thread', at: null, q: '', thread: 41, reply: 43 });
	assert.deepEqual(parseRoute('/threads', ''), { page: 'threads' });
	assert.deepEqual(parseRoute('/saved/', ''), { page: 'saved' });
	assert.deepEqual(parseRoute('/c/12/members', ''), { page: 'channel', channel: 12, panel: 'members', at: null, q: '', thread: null, reply: null });
	assert.deepEqual(parseRoute('/c/x', ''), { page: 'home' });
	assert.deepEqual(parseRoute('/join', '', '#AbC_d-9'), { page: 'join', invite: 'AbC_d-9' });
	for (const [path, hash] of [['/join', ''], ['/join', '#'], ['/join', '#a/b'], ['/join/AbC_d-9', ''], ['/c', '#AbC']] as const)
		assert.deepEqual(parseRoute(path, '', hash), { page: 'home' }, path + hash);
	assert.deepEqual(parseRoute('/sign-in', '?return_to=/c/1'), { page: 'sign-in', returnTo: '/c/1' });
});

test('lines: several to a frame, empty ones and such without a type passed over', () => {
	assert.deepEqual(parseLines('{"type":"a"}\n\n{"type":"b","n":1}\n'), [{ type: 'a' }, { type: 'b', n: 1 }]);
	assert.deepEqual(parseLines('null\n{"x":1}\n'), []);
	assert.throws(() => parseLines('{"type":'));
});

test('the window holds every row that is in view', () => {
	const offsets = layout(Float64Array.from({ length: 1000 }, (_, i) => 20 + (i % 50)));
	for (let top = -300; top < offsets[1000]! + 300; top += 777) {
		const { from, to } = windowOf(offsets, top, 600);
		for (let i = 0; i < 1000; i++) if (offsets[i + 1]! > top && offsets[i]! < top + 600) assert.ok(i >= from && i < to, `row ${i} at ${top}`);
		assert.ok(to - from < 80);
	}
	assert.equal(rowAt(offsets, -5), 0);
	assert.deepEqual(windowOf(layout(new Float64Array(0)), 0, 600), { from: 0, to: 0 });
});

test('an endless row of links: so many of them, the rest stays text, and none of it is lost', () => {
	const text = 'https://x.org/ '.repeat(MOST_LINKS + 1000);
	assert.equal(links(text).length, MOST_LINKS);
	assert.equal(linkify(text).map((p) => (typeof p === 'string' ? p : p.text)).join(''), text);
});
