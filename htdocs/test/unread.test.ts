// Unread messages and mentions, by example: messages, edits, deletions.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Message } from '../src/model/types';
import { doubtful, loudOf, totals, waits } from '../src/model/unread';
import { channel, ME, message, page, signedIn } from './help';
import { answer, AT, at, deleted, lines, mentions, one, own, readLine, run, said, toMe, unread } from './unread_help';

describe('messages', () => {
	test("others' count once; own ones, deleted ones and edits do not", () => {
		let s = run(at(3, 3, 0), lines(said(4), own(5), said(6, { deleted: true, body: undefined })));
		assert.equal(unread(s), 1);
		s = run(s, lines(said(4), said(4, { version: 2 }), own(5)));
		assert.equal(unread(s), 1, 'replays and edits');
		assert.equal(one(s).last_seq, 6);
	});

	test('no bound at a hundred, and none at any window', () => {
		let s = at(0, 0, 0);
		for (let n = 1; n <= 2_500; n++) s = run(s, lines(n % 10 ? said(n) : toMe(n)));
		assert.equal(unread(s), 2_500);
		assert.equal(mentions(s), 250);
		assert.ok(s.counts[1]!.facts.length <= 400);
		s = run(s, lines(...Array.from({ length: 2_500 }, (_, i) => said(i + 1))));
		assert.equal(unread(s), 2_500, 'the whole log once more');
	});

	test('an own message whose answer comes before the events below it leaves those to be counted', () => {
		let s = run(at(3, 3, 0), { type: 'message', message: message(1, 6, { sender: ME }) });
		assert.equal(unread(s), 0);
		assert.ok(waits(s, 1));
		s = run(s, lines(said(4), said(5), own(6)));
		assert.equal(unread(s), 2);
		assert.ok(!waits(s, 1));
	});

	test('a page ahead of the events counts, and its events then do not', () => {
		let s = run(at(3, 3, 0), { type: 'log/open', channel: 1 });
		s = run(s, { type: 'log/newest', channel: 1, page: page([1, 2, 3, 4, 5].map((n) => message(1, n))) });
		assert.equal(unread(s), 2);
		s = run(s, lines(said(4), said(5)));
		assert.equal(unread(s), 2);
		s = run(s, { type: 'log/newest', channel: 1, page: page([message(1, 300), message(1, 301)], true) });
		s = run(s, lines(...Array.from({ length: 296 }, (_, i) => said(6 + i))));
		assert.equal(unread(s), 298, 'one that left something out');
	});

	test('those that came before the channel was loaded are not lost', () => {
		const s = run(signedIn(), lines(said(9), toMe(10)), answer(9, { last_read_seq: 8, unread: 1 }));
		assert.equal(unread(s), 2);
		assert.equal(mentions(s), 1);
	});
});

describe('mentions', () => {
	test('count where they name oneself, and not in own messages', () => {
		const mine = said(5, { sender: ME, body: { text: 'x', mentions: [ME] } });
		const s = run(at(3, 3, 0), lines(toMe(4), mine, said(6, { body: { text: 'x', mentions: [7] } })));
		assert.equal(unread(s), 2);
		assert.equal(mentions(s), 1);
	});

	test('what is loud: mentions in a channel, everything in a direct one', () => {
		let s = run(at(3, 3, 0), { type: 'channel', channel: channel(2, { kind: 'direct', name: null, peer: 7 }) });
		s = run(s, lines(said(4), toMe(5), { type: 'message', ...message(2, 1) }, { type: 'message', ...message(2, 2) }));
		assert.equal(loudOf(one(s)), 1);
		assert.equal(loudOf(s.channels[2]!), 2);
		assert.deepEqual(totals(s), { unread: 4, loud: 3 });
	});

	test('a deletion of one whose text was seen takes it away', () => {
		let s = run(at(3, 3, 0), lines(toMe(4), said(5), deleted(4)));
		assert.deepEqual([unread(s), mentions(s)], [1, 0]);
		s = run(s, lines(deleted(4), toMe(4)));
		assert.deepEqual([unread(s), mentions(s)], [1, 0], 'replayed');
		assert.ok(!doubtful(s, 1));
	});

	test('of one that was never here: whom it named only the server can say', () => {
		let s = run(at(5, 3, 2, { mentions: 1 }), lines(deleted(5)));
		assert.equal(unread(s), 1);
		assert.ok(doubtful(s, 1));
		// Those whom it named are told.
		const told = run(s, lines(readLine({ seq: 3, version: 1, last_seq: 5, unread: 1, mentions: 0, gone: [5] })));
		assert.deepEqual([unread(told), mentions(told), doubtful(told, 1)], [1, 0, false]);
		s = run(s, answer(5, { last_read_seq: 3, unread: 1, mentions: 1, gone: [5] }, s.heard));
		assert.deepEqual([unread(s), mentions(s), doubtful(s, 1)], [1, 1, false]);
	});

	test('without any mention there is nothing to ask', () => {
		const s = run(at(5, 3, 2), lines(deleted(5)));
		assert.deepEqual([unread(s), doubtful(s, 1)], [1, false]);
	});
});

describe('the name of the channel', () => {
	const all = (seq: number, more: Partial<Message> = {}) => said(seq, { body: { text: 'all', mentions: ['channel'] }, ...more });
	const less = (seq: number) => ({ ...said(seq, { version: 2, edited_at: AT, body: { text: 'less' } }), type: 'message.updated' });
	test('counts as a mention, once where one is named besides, and not in own messages', () => {
		const both = all(5, { body: { text: 'x', mentions: [ME, 'channel'] } });
		const group = said(7, { body: { text: 'x', mentions: ['group:4'], reached: { 'group:4': [ME] } } });
		const s = run(at(3, 3, 0), lines(all(4), both, all(6, { sender: ME }), group));
		assert.deepEqual([unread(s), mentions(s)], [3, 3]);
	});
	test('an edit or a deletion takes it away, whether it came by event or by a base; once', () => {
		let s = run(at(5, 3, 2, { mentions: 2, wide: [4, 5] }), lines(all(6), less(4), deleted(5), less(6)));
		assert.deepEqual([unread(s), mentions(s), doubtful(s, 1)], [2, 0, false]);
		s = run(s, lines(less(4), deleted(5), readLine({ seq: 3, version: 1, last_seq: 6, unread: 3, mentions: 2, wide: [4, 5] })));
		assert.deepEqual([unread(s), mentions(s)], [2, 0], 'a base from before');
		s = run(s, lines(readLine({ seq: 3, version: 2, last_seq: 6, unread: 2, mentions: 0, gone: [5] })));
		assert.deepEqual([unread(s), mentions(s)], [2, 0], 'and one from after');
	});
	test('too many to list: then the channel is loaded, once', () => {
		let s = run(at(99, 0, 99, { mentions: 60, wide: null }), lines(less(7)));
		assert.ok(doubtful(s, 1));
		s = run(s, answer(99, { unread: 99, mentions: 59, wide: null }, s.heard));
		assert.deepEqual([mentions(s), doubtful(s, 1)], [59, false]);
	});
});

describe('edits', () => {
	const updated = (seq: number, version: number, mentions?: number[]) => ({
		...said(seq, { version, body: { text: 'x', ...(mentions ? { mentions } : {}) } }),
		type: 'message.updated',
	});
	test('of one above the base count at once; the line that comes along changes nothing', () => {
		let s = run(at(3, 3, 0), lines(said(4), updated(4, 2, [ME])));
		assert.deepEqual([unread(s), mentions(s)], [1, 1]);
		s = run(s, lines(readLine({ seq: 3, version: 1, last_seq: 4, unread: 1, mentions: 1 })));
		assert.deepEqual([unread(s), mentions(s)], [1, 1]);
		s = run(s, lines(updated(4, 3)));
		assert.deepEqual([unread(s), mentions(s)], [1, 1], 'below the base only a line tells');
		s = run(s, lines(readLine({ seq: 3, version: 2, last_seq: 4, unread: 1, mentions: 0 })));
		assert.deepEqual([unread(s), mentions(s)], [1, 0]);
	});
	test('late and doubled ones change nothing', () => {
		const s = run(at(3, 3, 0), lines(said(4), updated(4, 2, [ME]), updated(4, 3)));
		assert.equal(mentions(s), 0);
		assert.equal(mentions(run(s, lines(updated(4, 2, [ME]), toMe(4), said(4)))), 0);
	});
});

describe('deletions', () => {
	test('RD-1 three of five deleted, and one sent from another device', () => {
		const s = run(at(5, 0, 5), lines(deleted(2), deleted(3), deleted(5), own(6), deleted(3)));
		assert.equal(unread(s), 2);
	});

	test('those below the marker and own ones change nothing', () => {
		const s = run(at(5, 3, 2), lines(deleted(2), deleted(5, { sender: ME })));
		assert.equal(unread(s), 2);
	});

	test('one that the counters leave out already is not taken away again', () => {
		const s = run(at(5, 0, 4, { gone: [3] }), lines(deleted(3)));
		assert.equal(unread(s), 4);
	});

	test('before its message: it never counts', () => {
		const s = run(at(3, 3, 0), lines(deleted(4), said(4)));
		assert.equal(unread(s), 0);
	});

	test('a marker set back over it: what the line did not know yet is taken away', () => {
		let s = run(at(9, 9, 0), lines(deleted(7)));
		s = run(s, lines(readLine({ seq: 9, version: 1, last_seq: 9, unread: 5, unread_from: 5 })));
		assert.equal(unread(s), 4);
		s = run(s, lines(readLine({ seq: 9, version: 2, last_seq: 9, unread: 4, unread_from: 5, gone: [7] })));
		assert.equal(unread(s), 4);
	});

	test('too many to list: at a deletion the channel is loaded, once', () => {
		let s = at(200, 0, 140, { gone: null });
		assert.ok(!doubtful(s, 1));
		s = run(s, lines(deleted(150)));
		assert.ok(doubtful(s, 1));
		const heard = s.heard;
		s = run(s, answer(200, { unread: 139, gone: null }, heard));
		assert.deepEqual([unread(s), doubtful(s, 1)], [139, false]);
		s = run(s, lines(deleted(150), said(201), deleted(201)));
		assert.deepEqual([unread(s), doubtful(s, 1)], [139, false], 'a message that came by event is known by itself');
		s = run(s, lines(deleted(151)), answer(201, { unread: 139, gone: null }, heard));
		assert.ok(doubtful(s, 1), 'asked before it was heard of');
	});

	test('hundreds of them', () => {
		let s = at(0, 0, 0);
		for (let n = 1; n <= 600; n++) s = run(s, lines(said(n)));
		for (let n = 1; n <= 600; n += 2) s = run(s, lines(deleted(n)));
		assert.equal(unread(s), 300);
		s = run(s, lines(deleted(1), deleted(599)));
		assert.equal(unread(s), 300, 'replayed');
	});
});
