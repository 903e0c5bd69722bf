// Mentions: what is being written at the caret, who is offered, whom a text names, and where.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MOST_MENTIONS, channelsOf, choices, mentionsIn, splitMentions, writingAt } from '../src/model/mention';
import { channel, signedIn, user } from './help';

const people = [
	user(1, { handle: 'alice', name: 'Alice Moreau' }),
	user(2, { handle: 'bob', name: 'Bob Hansen' }),
	user(4, { handle: 'zoe.k', name: 'Zoë King' }),
	user(5, { handle: 'al', name: 'Albert Bobsen' }),
	user(6, { handle: 'moreau', name: 'Claire de la Tour' }),
];
const byHandle = (h: string) => people.find((u) => u.handle === h)?.id;

test('what is being written before the caret', () => {
	for (const [text, want] of [
		['@', { start: 0, query: '' }],
		['hello @bo', { start: 6, query: 'bo' }],
		['(@bo', { start: 1, query: 'bo' }],
		['one\n@Zoë', { start: 4, query: 'Zoë' }],
		['@Alice Mo', { start: 0, query: 'Alice Mo' }],
		['mail bob@al', null],
		['@bob ', null],
		['@a b c d', null],
		['@@bo', null],
		['https://x.org/@bo', null],
		['nothing', null],
	] as const) {
		assert.deepEqual(writingAt(text, text.length), want, text);
	}
	assert.deepEqual(writingAt('@bob and @al', 3), { start: 0, query: 'bo' }, 'at the caret, not at the end');
});

test('who is offered, best first', () => {
	const found = (q: string) => choices(q, people).map((u) => u.handle);
	assert.deepEqual(found('al'), ['al', 'alice']);
	assert.deepEqual(found('bob'), ['bob', 'al'], 'the beginning of the name, then that of a word in it');
	assert.deepEqual(found('zoe'), ['zoe.k'], 'without regard to marks');
	assert.deepEqual(found('MOR'), ['alice', 'moreau'], 'names before handles');
	assert.deepEqual(found('de la'), ['moreau']);
	assert.deepEqual(found('alice mo'), [], 'a word after a whole handle goes on with the sentence');
	assert.deepEqual(found('bob hansen'), []);
	assert.deepEqual(found('x'), []);
	assert.equal(choices('', Array.from({ length: 50 }, (_, i) => user(i + 1))).length, 8);
});

describe('whom a text names', () => {
	const named = (text: string) => mentionsIn(text, byHandle);
	test('each once, in their order, whatever stands around', () => {
		assert.deepEqual(named('@bob, @alice: see (@bob) @nobody'), [2, 1]);
		assert.deepEqual(named('@Alice'), [1]);
		assert.deepEqual(named('ask @zoe.k.'), [4], 'the end of a sentence is none of the handle');
		assert.deepEqual(named('@zoe.king'), []);
		assert.deepEqual(named('@alice’s'), [1]);
	});
	test('an address names nobody', () => {
		assert.deepEqual(named('a@bob x.@bob /@bob @@bob a_@bob'), []);
	});
	test('no more than the server takes', () => {
		const many = Array.from({ length: 80 }, (_, i) => `@p${i}`).join(' ');
		assert.equal(mentionsIn(many, (h) => Number(h.slice(1)) + 1).length, MOST_MENTIONS);
	});
});

test('where a text names somebody: the pieces are the text', () => {
	const map = new Map([
		['bob', 2],
		['zoe.k', 4],
	]);
	const text = 'Hi @Bob, and @zoe.k. Not @alice, not a@bob.';
	const pieces = splitMentions(text, map);
	assert.deepEqual(pieces, ['Hi ', { who: 2, text: '@Bob' }, ', and ', { who: 4, text: '@zoe.k' }, '. Not @alice, not a@bob.']);
	assert.equal(pieces.map((p) => (typeof p === 'string' ? p : p.text)).join(''), text);
});

test('where a text names a channel: the longest name, in either case, and the same as long as they are called the same', () => {
	assert.equal(channelsOf(signedIn()), undefined);
	const some = ['general', 'General talk', 'c++ (new|old)', null].map((name, i) => channel(i + 1, { name, kind: name ? 'public' : 'direct' }));
	const known = channelsOf(signedIn(...some))!;
	const named = (text: string) => text.split(known.pattern).map((p, i) => (i % 2 ? known.ids.get(p.toLowerCase()) : p));
	assert.deepEqual(named('see #general talk, #GENERAL: #general-2 #generals'), ['see ', 2, ', ', 1, ': #general-2 #generals']);
	assert.deepEqual(named('#c++ (new|old)'), ['', 3, '']);
	assert.deepEqual(named('a#general /#general'), ['a#general /#general']);
	assert.equal(channelsOf(signedIn(...some.map((c) => ({ ...c, last_seq: 9 })))), known, 'a message there changes nothing');
	assert.notEqual(channelsOf(signedIn(channel(1, { name: 'renamed' }))), known);
});
