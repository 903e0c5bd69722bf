// Search: filters under the caret, and going back to an old message and on from there to the newest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addAfter, addAround, addBefore, addMessage, addNewest, emptyLog, hasGap, tailSeq } from '../src/model/log';
import { reduce } from '../src/model/reduce';
import { begin, complete, isFiltered, withoutFilters, writingAt } from '../src/model/search';
import { initialState } from '../src/model/state';
import type { Log, Message } from '../src/model/types';
import { parseRoute, searchPath } from '../src/ui/route';
import { message } from './help';

const range = (from: number, to: number): Message[] => Array.from({ length: to - from + 1 }, (_, i) => message(1, from + i));
const seqs = (log: Log) => log.messages.map((m) => m.seq);

test('the filter under the caret', () => {
	const at = (marked: string) => writingAt(marked.replace('|', ''), marked.indexOf('|'));
	assert.deepEqual(at('from:|'), { key: 'from', word: '', from: 0, to: 5 });
	assert.deepEqual(at('lunch in:gen|eral more'), { key: 'in', word: 'gen', from: 6, to: 16 });
	assert.deepEqual(at('in:"my cha|nnel" x'), { key: 'in', word: 'my cha', from: 0, to: 15 });
	assert.deepEqual(at('in:"my cha|'), { key: 'in', word: 'my cha', from: 0, to: 10 });
	assert.deepEqual(at('has:l|'), { key: 'has', word: 'l', from: 0, to: 5 });
	assert.deepEqual(at('x is:|'), { key: 'is', word: '', from: 2, to: 5 });
	for (const none of ['lunch|', 'from|', 'from:a |', 'xfrom:a|', 'before:2026|', '|from:a', '"from:a|']) assert.equal(at(none), null, none);
});

test('what is chosen takes the place of what was begun; blanks are quoted', () => {
	const choose = (marked: string, value: string) => {
		const text = marked.replace('|', '');
		return complete(text, writingAt(text, marked.indexOf('|'))!, value);
	};
	assert.deepEqual(choose('a from:b|x c', 'bob'), { text: 'a from:bob c', caret: 11 });
	assert.deepEqual(choose('in:|', 'my channel'), { text: 'in:"my channel" ', caret: 16 });
	assert.deepEqual(choose('in:"my| ch" has:link', 'my channel'), { text: 'in:"my channel" has:link', caret: 16 });
	assert.equal(begin('lunch  ', 'from'), 'lunch from:');
	assert.equal(begin('', 'in'), 'in:');
});

test('the address of a search says what is looked for and where the view stands', () => {
	const url = searchPath(12, 'a "b c" from:@x', 7);
	const [path, search] = url.split('?');
	const there = { page: 'channel', channel: 12, panel: 'search', at: 7, q: 'a "b c" from:@x', thread: null, reply: null };
	assert.deepEqual(parseRoute(path!, `?${search}`), there);
	assert.deepEqual(parseRoute('/c/12', '?at=x'), { page: 'channel', channel: 12, panel: null, at: null, q: '', thread: null, reply: null });
	assert.deepEqual(parseRoute('/c/12', '?at=0'), { page: 'channel', channel: 12, panel: null, at: null, q: '', thread: null, reply: null });
});

test('a run around an old message: what comes meanwhile is no gap, and is there when the run has come up to it', () => {
	let log: Log = addNewest(emptyLog, { messages: range(81, 100), has_before: true, has_after: false });
	log = addAround(log, { messages: range(31, 40), has_before: true, has_after: true });
	assert.deepEqual(seqs(log), seqs({ ...log, messages: range(31, 40) }));
	assert.ok(log.hasAfter && log.hasBefore);
	log = addMessage(log, message(1, 101));
	assert.equal(tailSeq(log), 40);
	assert.equal(hasGap(log), false);
	log = addMessage(log, message(1, 35, { version: 2, body: { text: 'edited' } }));
	assert.equal(log.messages[4]!.body!.text, 'edited');
	log = addBefore(log, 31, { messages: range(21, 30), has_before: true, has_after: true });
	log = addAfter(log, 40, { messages: range(41, 90), has_before: true, has_after: true });
	assert.ok(log.hasAfter);
	log = addMessage(log, message(1, 102));
	log = addAfter(log, 90, { messages: range(91, 100), has_before: true, has_after: false }); // of a snapshot before 101
	assert.equal(log.hasAfter, false);
	assert.deepEqual(seqs(log), range(21, 102).map((m) => m.seq));
	assert.equal(hasGap(log), false);
});

test('of what comes meanwhile the newest are kept; coming up to them shows the hole', () => {
	let log: Log = addAround(emptyLog, { messages: range(1, 10), has_before: false, has_after: true });
	for (const m of range(2000, 2999)) log = addMessage(log, m);
	assert.equal(log.ahead.length, 200);
	log = addAfter(log, 10, { messages: range(11, 20), has_before: true, has_after: false });
	assert.equal(hasGap(log), true);
	// in any order, the newest page is the way out
	log = addNewest(log, { messages: range(2950, 2999), has_before: true, has_after: false });
	assert.equal(hasGap(log), false);
	assert.equal(tailSeq(log), 2999);
});

test('a channel that was left at an old message begins at its newest again', () => {
	let s = reduce(initialState, { type: 'log/around', channel: 1, page: { messages: range(1, 10), has_before: false, has_after: true } });
	s = reduce(s, { type: 'log/trim', channel: 1, to: 100 });
	assert.equal(s.logs[1], undefined);
});

test('which words are filters, and the text without them', () => {
	for (const [text, rest] of [
		['tide', 'tide'],
		['is:thread tide', 'tide'],
		['tide in:"old docks" from:bob', 'tide'],
		['before:2026-01-02 after:2026-01-01 has:link', ''],
		['  this:thread at:home ', 'this:thread at:home'],
	] as const) {
		assert.equal(withoutFilters(text), rest);
		assert.equal(isFiltered(text), rest !== text.trim(), text);
	}
});
