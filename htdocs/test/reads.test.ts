// How far others have read: lines in any order give the same marks, and each reader has one place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyLog } from '../src/model/log';
import { arrivalOf, readersBySeq } from '../src/model/reads';
import { reduce, type Action } from '../src/model/reduce';
import type { State } from '../src/model/state';
import type { Line, Log, Message, ReadMark } from '../src/model/types';
import { ME, channel, message, seeded, signedIn } from './help';

const run = (s: State, ...actions: Action[]): State => actions.reduce(reduce, s);
const reads = (list: ReadMark[], id = 1): Action => ({ type: 'lines', lines: [{ type: 'reads', channel: id, reads: list } as unknown as Line] });
const log = (messages: Message[]): Log => ({ ...emptyLog, status: 'ready', messages });
const said = (...senders: number[]): Message[] => senders.map((sender, i) => message(1, 11 + i, { sender }));

test('marks go forward only; what is read has arrived', () => {
	let s = run(signedIn(channel(1)), reads([{ user: 7, seq: 4 }, { user: 8, seq: 2, delivered: 6 }]));
	assert.deepEqual(s.reads[1], { 7: { seq: 4, delivered: 4 }, 8: { seq: 2, delivered: 6 } });
	s = run(s, reads([{ user: 7, seq: 3, delivered: 9 }]));
	assert.deepEqual(s.reads[1]![7], { seq: 4, delivered: 9 });
	assert.equal(run(s, reads([{ user: 7, seq: 4, delivered: 9 }])), s, 'nothing new: the very same state');
});

test('lines in any order, some twice: the same marks', () => {
	const random = seeded(5);
	for (let round = 0; round < 50; round++) {
		const below = (n: number) => Math.floor(random() * n);
		const list = Array.from({ length: 30 }, () => ({ user: 7 + below(3), seq: below(50), delivered: below(60) }));
		const mixed = [...list, ...list.slice(0, 10)].sort(() => random() - 0.5);
		const want = run(signedIn(channel(1)), reads(list)).reads[1];
		assert.deepEqual(mixed.reduce((s, m) => run(s, reads([m])), signedIn(channel(1))).reads[1], want);
	}
});

test('of channels that are ours, while they are looked at', () => {
	let s = signedIn(channel(1));
	assert.equal(run(s, reads([{ user: 7, seq: 1 }], 9)), s);
	s = run(s, reads([{ user: 7, seq: 4 }, { user: 8, seq: 4 }]));
	const left = run(s, { type: 'lines', lines: [{ type: 'member.left', channel: 1, user: 7 }] });
	assert.deepEqual(Object.keys(left.reads[1]!), ['8']);
	assert.equal(run(s, { type: 'reads/forget', channel: 1 }).reads[1], undefined);
	assert.equal(run(s, { type: 'distrust' }).reads[1], undefined);
	assert.equal(run(s, { type: 'channel/left', channel: 1 }).reads[1], undefined);
});

test('a face stands under the last message that was read, and nowhere else', () => {
	const marks = { 7: { seq: 12, delivered: 12 }, 8: { seq: 13, delivered: 13 }, 9: { seq: 13, delivered: 13 }, [ME]: { seq: 14, delivered: 14 } };
	const found = readersBySeq(log(said(ME, ME, ME, ME)), marks, ME);
	assert.deepEqual([...found], [[12, [7]], [13, [8, 9]]]);
});

test('not below what the reader wrote himself, nor above what is loaded; ahead of the messages at the last of them', () => {
	const marks = { 7: { seq: 12, delivered: 12 }, 8: { seq: 10, delivered: 10 }, 9: { seq: 99, delivered: 99 } };
	assert.deepEqual([...readersBySeq(log(said(ME, 7, ME)), marks, ME)], [[13, [9]]]);
	assert.deepEqual([...readersBySeq(log([]), marks, ME)], []);
	assert.deepEqual([...readersBySeq(log(said(ME)), undefined, ME)], []);
});

test('an own message in a direct channel: sent, delivered, read', () => {
	const mark = { seq: 5, delivered: 7 };
	assert.deepEqual([5, 6, 7, 8].map((seq) => arrivalOf(mark, seq)), ['read', 'delivered', 'delivered', 'sent']);
	assert.equal(arrivalOf(undefined, 1), 'sent');
});
