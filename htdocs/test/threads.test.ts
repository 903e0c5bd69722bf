// Threads by example: events late, doubled and before their page; what is unread; what a channel shows; counters beside replies.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasGap, tailSeq } from '../src/model/log';
import { reduce, type Action } from '../src/model/reduce';
import type { State } from '../src/model/state';
import { pinsSeen } from '../src/model/keep';
import { followedList, inThreads, isUnreadThread, lastShown, readUpto, threadOf, unreadThreads, withoutAsides } from '../src/model/threads';
import type { Line, Message, Replies, ThreadState } from '../src/model/types';
import { ME, channel, marks, membership, message, page, signedIn } from './help';

const run = (s: State, ...actions: Action[]): State => actions.reduce(reduce, s);
const lines = (...list: object[]): Action => ({ type: 'lines', lines: list as Line[] });
const said = (seq: number, more: Partial<Message> = {}): object => ({ type: 'message', ...message(1, seq, more) });
const replies = (version: number, more: Partial<Replies> = {}): Replies => ({
	...{ count: version, last_seq: 9 + version, last_at: 'then', users: [7], version },
	...more,
});
const updated = (seq: number, r: Replies): object => ({ type: 'thread.updated', channel: 1, seq, replies: r });
const state = (more: Partial<ThreadState> = {}): ThreadState => ({ channel: 1, root: 2, following: true, seq: 2, version: 1, ...more });
const own = (more: Partial<ThreadState> = {}): object => ({ type: 'thread.state', ...state(more) });
const start = (): State =>
	run(signedIn(channel(1, { last_seq: 3, membership: membership({ last_read_seq: 3 }) })), { type: 'log/open', channel: 1 }, {
		type: 'log/newest',
		channel: 1,
		page: { ...page([message(1, 1), message(1, 2), message(1, 3)]), upto: 3 },
	});
const opened = (s: State, messages: Message[], more: Partial<Message> = {}, own: Partial<ThreadState> = {}): State =>
	run(s, { type: 'thread/open', channel: 1, root: 2 }, {
		type: 'thread/page',
		...{ channel: 1, root: 2, older: false },
		page: { ...page(messages), root: message(1, 2, more), state: state({ version: 0, following: false, seq: null, ...own }) },
	});
const seqs = (s: State) => threadOf(s, 1, 2)!.messages.map((m) => m.seq);
const membershipOf = (s: State) => [s.channels[1]!.membership!.unread, s.channels[1]!.membership!.mentions];

describe('threads', () => {
	test('a reply stands in its thread alone, and leaves no hole in the channel', () => {
		const s = run(opened(start(), []), lines(said(4, { thread: 2 }), said(5, { thread: 2, in_channel: true }), said(6)));
		assert.deepEqual(withoutAsides(s.logs[1]!).messages.map((m) => m.seq), [1, 2, 3, 5, 6]);
		assert.equal(hasGap(s.logs[1]!), false);
		assert.deepEqual(seqs(s), [4, 5]);
		assert.equal(lastShown(run(s, lines(said(7, { thread: 2 }))).logs[1])!.seq, 6);
	});
	test('a page tells up to where there is nothing but replies', () => {
		const s = run(start(), { type: 'log/newest', channel: 1, page: { ...page([message(1, 3)], true), upto: 8 } }, lines(said(9)));
		assert.equal(tailSeq(s.logs[1]!), 9);
		assert.equal(hasGap(s.logs[1]!), false);
	});
	test('who has seen the last one that is shown has read the replies behind it', () => {
		const { logs } = run(start(), lines(said(4, { thread: 2 }), said(5, { thread: 2 })));
		assert.deepEqual([readUpto(logs[1]!, 3), readUpto(logs[1]!, 2)], [5, 2]);
	});
	test('events that come before the page of the thread are kept, doubled ones change nothing', () => {
		let s = run(start(), { type: 'thread/open', channel: 1, root: 2 }, lines(said(4, { thread: 2 }), said(5, { thread: 2 })));
		s = opened(s, [message(1, 4, { thread: 2 })]);
		assert.deepEqual(seqs(s), [4, 5]);
		assert.equal(threadOf(run(s, lines(said(4, { thread: 2 }))), 1, 2), threadOf(s, 1, 2));
		const { body: _, ...gone } = message(1, 4, { thread: 2, version: 2, deleted: true });
		s = run(s, lines({ type: 'message.deleted', ...gone }));
		assert.ok(threadOf(s, 1, 2)!.messages[0]!.deleted);
	});
	test('the root tells of the highest version, whatever the order, also when it is deleted', () => {
		let s = run(opened(start(), [], { replies: replies(1) }), lines(updated(2, replies(3)), updated(2, replies(2))));
		const { body: _, ...gone } = message(1, 2, { version: 2, deleted: true, replies: replies(2) });
		s = run(s, lines({ type: 'message.deleted', ...gone }));
		assert.equal(s.logs[1]!.messages[1]!.replies!.version, 3);
		assert.equal(threadOf(s, 1, 2)!.root!.replies!.version, 3);
		assert.ok(threadOf(s, 1, 2)!.root!.deleted);
	});
	test('what is unread: by the root and the own state, whichever comes first', () => {
		const first = run(start(), lines(updated(2, replies(1)), own()));
		assert.equal(unreadThreads(first), 1);
		assert.equal(unreadThreads(run(first, lines(own({ seq: 10, version: 2 })))), 0);
		assert.equal(unreadThreads(run(first, lines(own({ following: false, version: 2 }), own()))), 0, 'an older state is no news');
		const again = run(first, lines(own({ seq: 10, version: 2 }), updated(2, replies(2))));
		assert.equal(unreadThreads(again), 1);
		assert.equal(unreadThreads(run(again, lines(updated(2, replies(3, { count: 1, last_seq: 10 }))))), 0, 'the unread one was deleted');
	});
	test('unread ones stand first; without the channel none of it is left', () => {
		const one = { state: state({ root: 2, seq: 11 }), root: message(1, 2, { replies: replies(2, { last_at: '2' }) }) };
		const two = { state: state({ root: 1 }), root: message(1, 1, { replies: replies(1, { last_at: '1' }) }) };
		const s = run(start(), { type: 'threads', threads: [one, two], complete: true });
		assert.deepEqual(followedList(s).map((f) => [f.state.root, isUnreadThread(f)]), [[1, true], [2, false]]);
		assert.deepEqual(run(s, { type: 'channel/left', channel: 1 }).followed, {});
	});
	test('the channel counts no reply that stands in its thread alone, but whom it names', () => {
		const named = said(6, { thread: 2, body: { text: '@', mentions: [ME] } });
		let s = run(start(), lines(said(4, { thread: 2 }), said(5, { thread: 2, in_channel: true }), named));
		assert.deepEqual(membershipOf(s), [1, 1]);
		const gone = (seq: number, more: Partial<Message> = {}) => {
			const { body: _, ...m } = message(1, seq, { thread: 2, version: 2, deleted: true, ...more });
			return { type: 'message.deleted', ...m };
		};
		s = run(s, lines(gone(4), gone(5, { in_channel: true })));
		assert.deepEqual(membershipOf(s), [0, 1]);
		s = run(s, lines({ type: 'read', channel: 1, ...marks({ seq: 3, version: 2, last_seq: 6, mentions: 1, gone: [5] }) }, gone(6)));
		s = run(s, lines({ type: 'read', channel: 1, ...marks({ seq: 3, version: 3, last_seq: 6, gone: [5] }) }));
		assert.deepEqual(membershipOf(s), [0, 0]);
	});
	test('a root from before one came is nobody\'s message; its replies are told, and it is no message of the channel', () => {
		const hidden = { channel: 1, seq: 2, hidden: true, id: 0, sender: 0, created_at: '', version: 0, replies: replies(1) } as Message;
		const late = channel(1, { last_seq: 12, membership: membership({ first_seq: 9, last_read_seq: 12 }) });
		let s = run(signedIn(late), { type: 'thread/open', channel: 1, root: 2 }, {
			type: 'thread/page',
			...{ channel: 1, root: 2, older: false },
			page: { ...page([message(1, 10, { thread: 2 })]), root: hidden, state: state() },
		});
		assert.deepEqual([threadOf(s, 1, 2)!.root!.hidden, seqs(s), unreadThreads(s)], [true, [10], 1]);
		s = run(s, lines(said(13, { thread: 2 }), updated(2, replies(2)), own({ version: 2, seq: 13 })));
		assert.deepEqual([threadOf(s, 1, 2)!.root!.replies!.version, seqs(s), unreadThreads(s)], [2, [10, 13], 0]);
		assert.equal(inThreads(s, 1, 2), undefined);
		assert.equal(inThreads(s, 1, 13)?.seq, 13);
	});
	test('pins from before one came do not count; the lowest seq comes with the channel, also anew', () => {
		let s = signedIn(channel(1, { membership: membership({ since: 5, first_seq: 3 }) }));
		const pin = (seq: number) => ({ seq, by: 7, at: 'then' });
		s = run(s, lines({ type: 'pins.updated', channel: 1, pins: [pin(1), pin(3), pin(4)], pins_version: 1 }));
		assert.equal(pinsSeen(s, 1), 2);
		s = run(s, { type: 'channel', channel: channel(1, { membership: membership({ since: 9, first_seq: 4 }) }) });
		assert.deepEqual([s.channels[1]!.membership!.first_seq, pinsSeen(s, 1)], [4, 1]);
	});
});
