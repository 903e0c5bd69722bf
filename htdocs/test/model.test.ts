// The reducer: by events, by pages, and by any mixture of both, in any order and twice, the same state comes out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addAfter, addBefore, addMessage, addNewest, emptyLog, hasGap, tailSeq } from '../src/model/log';
import { reduce, type Action } from '../src/model/reduce';
import { initialState, type State } from '../src/model/state';
import { unreadOf } from '../src/model/unread';
import { membership } from './help';
import type { Channel, Line, Log, Message } from '../src/model/types';

const msg = (seq: number, sender = 2, version = 1): Message => ({
	channel: 1,
	seq,
	id: 1000 - seq,
	sender,
	client_id: `c${seq}`,
	created_at: '2026-11-25T10:00:00.000Z',
	version,
	body: { text: `text ${seq} of version ${version}` },
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => msg(from + i));
const channel: Channel = {
	id: 1,
	kind: 'public',
	name: 'general',
	topic: '',
	version: 1,
	created_at: '2026-11-01T10:00:00.000Z',
	last_seq: 3,
	members: 2,
	membership: membership({ last_read_seq: 3 }),
	peer: null,
};
const me: Action = {
	type: 'me',
	me: {
		user: { id: 1, handle: 'alice', name: 'Alice', picture: null, role: 'member', active: true, version: 1 },
		session: { id: 5, kind: 'session', expires_at: '2026-12-01T00:00:00.000Z', scopes: ['read', 'write'] },
	},
} as Action;
const run = (actions: Action[], from: State = initialState) => actions.reduce(reduce, from);
const start = () => run([me, { type: 'channels', channels: [channel], asked: [] }, { type: 'log/open', channel: 1 }]);
const line = (m: Message): Action => ({ type: 'lines', lines: [{ type: 'message', cursor: `x${m.seq}`, ...m } as unknown as Line] });
const newest = (from: number, to: number): Action => ({
	type: 'log/newest',
	channel: 1,
	page: { messages: range(from, to), has_before: from > 1, has_after: false },
});
const seqs = (log: Log | undefined) => log?.messages.map((m) => m.seq);

/* A small generator with a seed: a failure can be repeated. */
function random(seed: number): () => number {
	return () => ((seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff);
}

test('messages in any order, each up to three times, give one run without a hole', () => {
	for (let seed = 1; seed <= 200; seed++) {
		const next = random(seed);
		const all = range(4, 20).flatMap((m) => Array.from({ length: 1 + Math.floor(next() * 3) }, () => m));
		const mixed = all.map((m) => ({ m, at: next() })).sort((a, b) => a.at - b.at);
		const where = Math.floor(next() * mixed.length);
		const actions: Action[] = mixed.map(({ m }) => line(m));
		actions.splice(where, 0, newest(1, 3));
		const s = run(actions, start());
		assert.deepEqual(seqs(s.logs[1]), range(1, 20).map((m) => m.seq), `seed ${seed}`);
		assert.equal(s.channels[1]!.last_seq, 20);
	}
});

test('a message above a hole waits until a page closes it', () => {
	let log = addNewest(emptyLog, { messages: range(1, 5), has_before: false, has_after: false });
	log = addMessage(log, msg(9));
	assert.equal(tailSeq(log), 5);
	assert.ok(hasGap(log));
	log = addAfter(log, 5, { messages: range(6, 8), has_before: true, has_after: true });
	assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
	assert.ok(!hasGap(log));
});

test('an older page joins where the run begins, and nowhere else', () => {
	const log = addNewest(emptyLog, { messages: range(51, 60), has_before: true, has_after: false });
	const joined = addBefore(log, 51, { messages: range(41, 50), has_before: true, has_after: true });
	assert.equal(joined.messages[0]!.seq, 41);
	assert.equal(addBefore(joined, 51, { messages: range(1, 50), has_before: false, has_after: true }).messages[0]!.seq, 41);
	assert.equal(addBefore(joined, 41, { messages: [], has_before: false, has_after: true }).hasBefore, false);
});

test('only a higher version replaces a row', () => {
	const log = addNewest(emptyLog, { messages: [msg(1, 2, 2)], has_before: false, has_after: false });
	assert.equal(addMessage(log, msg(1, 2, 1)), log);
	assert.equal(addMessage(log, msg(1, 2, 2)), log);
	assert.equal(addMessage(log, msg(1, 2, 3)).messages[0]!.version, 3);
});

test('unread counts others, once each, whatever is replayed', () => {
	let s = run([newest(1, 3), line(msg(4)), line(msg(5, 1)), line(msg(6))], start());
	assert.equal(unreadOf(s.channels[1]!), 2);
	s = run([line(msg(4)), line(msg(6)), line(msg(5, 1))], s);
	assert.equal(unreadOf(s.channels[1]!), 2);
	s = run([{ type: 'read', channel: 1, seq: 6 }], s);
	assert.equal(unreadOf(s.channels[1]!), 0);
	s = run([{ type: 'read', channel: 1, seq: 4 }], s);
	assert.equal(unreadOf(s.channels[1]!), 0, 'the marker never goes back');
});

test('an own message leaves the outbox whichever comes first: ack, event or page', () => {
	const pending: Action = {
		type: 'outbox/add',
		items: [{ client_id: 'c4', channel: 1, text: 'text', at: 1, owner: 'tab', state: 'queued' }],
	};
	const ack: Action = { type: 'outbox/acked', client_id: 'c4', seq: 4 };
	for (const steps of [[ack, line(msg(4, 1))], [line(msg(4, 1)), ack], [line(msg(4, 1))]]) {
		const s = run([newest(1, 3), pending, ...steps], start());
		assert.deepEqual(s.outbox, []);
		assert.deepEqual(seqs(s.logs[1]), [1, 2, 3, 4]);
	}
	const waiting = run([newest(1, 3), pending, ack], start());
	assert.equal(waiting.outbox[0]?.state, 'acked', 'acked, but its event is still to come: it stays on the screen');
});

test('who has left a channel has nothing of it any more', () => {
	const s = run([newest(1, 3), { type: 'lines', lines: [{ type: 'member.left', channel: 1, user: 1, cursor: 'x' } as unknown as Line] }], start());
	assert.equal(s.channels[1], undefined);
	assert.equal(s.logs[1], undefined);
});
