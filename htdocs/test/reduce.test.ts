// The reducer by example: order by seq, the version rule, holes, own messages met by ack and by event, members, read
// and unread arithmetic at the edges, reset. Unread and mentions are in unread.test.ts;
// what must hold for any mixture of events and loads is in converge.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasGap, tailSeq } from '../src/model/log';
import { reduce, type Action } from '../src/model/reduce';
import { isStored, type State } from '../src/model/state';
import { totals, unreadOf } from '../src/model/unread';
import type { Line, Message } from '../src/model/types';
import { ME, channel, membership, message, page, pending, signedIn, user, uuid } from './help';

const run = (s: State, ...actions: Action[]): State => actions.reduce(reduce, s);
const lines = (...list: object[]): Action => ({ type: 'lines', lines: list as Line[] });
const event = (m: Message, cursor = `c${m.seq}`) => ({ type: 'message', cursor, ...m });
const seqs = (s: State, id = 1): number[] => (s.logs[id]?.messages ?? []).map((m) => m.seq);
const newest = (messages: Message[], before = false): Action => ({ type: 'log/newest', channel: 1, page: page(messages, before) });
const range = (from: number, to: number, more: Partial<Message> = {}): Message[] =>
	Array.from({ length: to - from + 1 }, (_, i) => message(1, from + i, more));
const unread = (s: State, id = 1): number => unreadOf(s.channels[id]!);

/* Channel 1 is loaded with messages 1 to n, all read. */
const loaded = (n: number): State =>
	run(
		signedIn(channel(1, { last_seq: n, membership: membership({ last_read_seq: n }) })),
		{ type: 'log/open', channel: 1 },
		newest(range(1, n)),
	);

describe('messages', () => {
	test('stand in the order of seq, whatever their clocks and ids say', () => {
		const late = message(1, 4, { created_at: '2020-01-01T00:00:00.000Z', id: 1 });
		const s = run(loaded(3), lines(event(late), event(message(1, 5, { id: 0 }))));
		assert.deepEqual(seqs(s), [1, 2, 3, 4, 5]);
	});

	test('come in any order and end in one', () => {
		for (const order of [
			[4, 5, 6],
			[6, 5, 4],
			[5, 4, 6],
			[5, 6, 4],
			[6, 4, 5],
		]) {
			const s = run(loaded(3), lines(...order.map((n) => event(message(1, n)))));
			assert.deepEqual(seqs(s), [1, 2, 3, 4, 5, 6], String(order));
			assert.equal(s.logs[1]!.ahead.length, 0);
		}
	});

	test('above a hole wait until a page closes it', () => {
		let s = run(loaded(3), lines(event(message(1, 6))));
		assert.deepEqual(seqs(s), [1, 2, 3]);
		assert.ok(hasGap(s.logs[1]!));
		s = run(s, { type: 'log/after', channel: 1, after: 3, page: page(range(4, 5)) });
		assert.deepEqual(seqs(s), [1, 2, 3, 4, 5, 6]);
		assert.ok(!hasGap(s.logs[1]!));
	});

	test('that the server says do not exist are no hole', () => {
		let s = run(loaded(3), lines(event(message(1, 6)), event(message(1, 7))));
		s = run(s, { type: 'log/after', channel: 1, after: 3, page: page([]) });
		assert.deepEqual(seqs(s), [1, 2, 3, 6, 7]);
		assert.ok(!hasGap(s.logs[1]!));
	});

	test('that come while the page loads are not lost, and not doubled', () => {
		let s = run(signedIn(channel(1, { last_seq: 3 })), { type: 'log/open', channel: 1 }, lines(event(message(1, 4)), event(message(1, 5))));
		s = run(s, newest(range(1, 4)));
		assert.deepEqual(seqs(s), [1, 2, 3, 4, 5]);
		assert.equal(tailSeq(s.logs[1]!), 5);
	});

	test('older than what is loaded are left to the page that brings them', () => {
		let s = run(signedIn(channel(1, { last_seq: 9 })), { type: 'log/open', channel: 1 }, newest(range(6, 9), true));
		s = run(s, lines(event(message(1, 2, { version: 2 }))));
		assert.deepEqual(seqs(s), [6, 7, 8, 9]);
		s = run(s, { type: 'log/before', channel: 1, before: 6, page: page(range(1, 5)) });
		assert.deepEqual(seqs(s), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
		assert.equal(s.logs[1]!.hasBefore, false);
	});

	test('an edit that comes while the older page is on its way is not undone by it', () => {
		let s = run(signedIn(channel(1, { last_seq: 9 })), { type: 'log/open', channel: 1 }, newest(range(6, 9), true));
		s = run(s, { type: 'log/loading-before', channel: 1 });
		s = run(s, lines(event(message(1, 4, { version: 2, body: { text: 'new' } })), event(message(1, 2, { version: 2 }))));
		s = run(s, { type: 'log/before', channel: 1, before: 6, page: page(range(3, 5), true) });
		assert.deepEqual(seqs(s), [3, 4, 5, 6, 7, 8, 9]);
		assert.equal(s.logs[1]!.messages[1]!.body!.text, 'new');
		assert.deepEqual(s.logs[1]!.below, []);
	});

	test('an older page of another time is dropped; twice the same one is harmless', () => {
		const s = run(signedIn(channel(1, { last_seq: 9 })), { type: 'log/open', channel: 1 }, newest(range(6, 9), true));
		const before: Action = { type: 'log/before', channel: 1, before: 6, page: page(range(3, 5), true) };
		const once = run(s, before);
		assert.deepEqual(seqs(once), [3, 4, 5, 6, 7, 8, 9]);
		assert.deepEqual(seqs(run(once, before)), [3, 4, 5, 6, 7, 8, 9]);
	});

	test('trimmed: the newest stay, and older ones can be loaded again', () => {
		const s = run(loaded(9), { type: 'log/trim', channel: 1, to: 4 });
		assert.deepEqual(seqs(s), [6, 7, 8, 9]);
		assert.equal(s.logs[1]!.hasBefore, true);
	});

	test('of a channel that is not open only count', () => {
		const s = run(signedIn(channel(1)), lines(event(message(1, 1))));
		assert.equal(s.logs[1], undefined);
		assert.equal(s.channels[1]!.last_seq, 1);
	});
});

describe('the version rule', () => {
	const edit = (version: number, text: string) => message(1, 2, { version, body: { text } });
	const text = (s: State) => s.logs[1]!.messages[1]!.body?.text;

	test('a higher version replaces; one at or below is ignored, by event and by page', () => {
		let s = run(loaded(3), lines(event(edit(3, 'three'))));
		assert.equal(text(s), 'three');
		for (const version of [1, 2, 3]) {
			assert.equal(text(run(s, lines(event(edit(version, 'stale'))))), 'three');
			assert.equal(text(run(s, { type: 'log/after', channel: 1, after: 1, page: page([edit(version, 'stale')]) })), 'three');
		}
		s = run(s, lines(event(edit(4, 'four'))));
		assert.equal(text(s), 'four');
		assert.deepEqual(seqs(s), [1, 2, 3]);
	});

	test('holds among those that wait above a hole and while loading', () => {
		const at = (version: number, body: string) => event(message(1, 6, { version, body: { text: body } }));
		let s = run(loaded(3), lines(at(2, 'two'), at(1, 'one')));
		assert.equal(s.logs[1]!.ahead[0]!.body?.text, 'two');
		s = run(signedIn(channel(1, { last_seq: 2 })), { type: 'log/open', channel: 1 }, lines(event(edit(5, 'five'))));
		s = run(s, newest(range(1, 2)));
		assert.equal(text(s), 'five', 'an edit seen while the older page was on its way');
	});

	test('another version takes the place of the one before, and counts for nothing', () => {
		const updated = (seq: number, version: number) =>
			({ type: 'message.updated', cursor: `u${seq}.${version}`, ...message(1, seq, { version, body: { text: `version ${version}` } }) });
		const text = (s: State, seq: number) => s.logs[1]!.messages.find((m) => m.seq === seq)?.body?.text;
		let s = run(loaded(3), lines(event(message(1, 4)), updated(2, 3), updated(4, 2)));
		assert.deepEqual([text(s, 2), text(s, 4), unread(s)], ['version 3', 'version 2', 1]);
		s = run(s, lines(updated(2, 2), event(message(1, 2)), updated(2, 3)));
		assert.equal(text(s, 2), 'version 3', 'an older one does not bring it back');
		// while the page is loaded that does not know of it yet
		s = run(signedIn(channel(1, { last_seq: 3 })), { type: 'log/open', channel: 1 }, lines(updated(2, 2)), newest(range(1, 3)));
		assert.deepEqual([seqs(s), text(s, 2)], [[1, 2, 3], 'version 2']);
	});

	test('another version that is replayed may be of a message that is deleted since', () => {
		const gone = (type: string) => ({ type, cursor: `${type}2`, ...message(1, 2, { version: 3, deleted: true, body: undefined }) });
		const open = (): State =>
			run(
				signedIn(channel(1, { last_seq: 2, membership: membership({ unread: 2 }) })),
				{ type: 'log/open', channel: 1 },
				newest(range(1, 2)),
			);
		const once = run(open(), lines(gone('message.deleted')));
		const both = run(open(), lines(gone('message.updated'), gone('message.deleted')));
		assert.equal(both.logs[1]!.messages[1]!.deleted, true);
		assert.deepEqual([unread(once), unread(both)], [1, 1], 'it is taken off once');
	});

	test('a deleted message stays at its place without its text', () => {
		const gone: Message = { channel: 1, seq: 2, id: 100_002, sender: 7, created_at: message(1, 2).created_at, version: 2, deleted: true };
		let s = run(loaded(3), lines(event(gone)));
		assert.equal(s.logs[1]!.messages[1]!.deleted, true);
		assert.equal(text(s), undefined);
		s = run(s, lines(event(message(1, 2))));
		assert.equal(s.logs[1]!.messages[1]!.deleted, true, 'the first version again does not bring it back');
	});

	test('users: by event and by answer, and the own name with it', () => {
		let s = run(signedIn(), { type: 'users', users: [user(7, { version: 2, name: 'New' })] });
		const updated = (version: number, name: string) => ({ type: 'user.updated', user: user(7, { version, name }) });
		s = run(s, lines(updated(1, 'Old'), updated(2, 'Same')));
		assert.equal(s.users[7]!.name, 'New');
		s = run(s, lines({ type: 'user.deactivated', user: user(7, { version: 3, active: false }) }));
		assert.equal(s.users[7]!.active, false);
		s = run(s, lines({ type: 'user.updated', user: user(ME, { version: 2, name: 'Me anew' }) }));
		assert.equal(s.me!.user.name, 'Me anew');
	});

	test('channels: an event keeps what is ours alone', () => {
		const mine = channel(1, { version: 2, last_seq: 9, membership: membership({ last_read_seq: 4, unread: 5 }) });
		const { membership: _m, peer: _p, ...bare } = channel(1, { version: 3, name: 'renamed', last_seq: 8, members: 5 });
		let s = run(signedIn(mine), lines({ type: 'channel.updated', channel: { ...bare, version: 2, name: 'stale' } }));
		assert.equal(s.channels[1]!.name, 'c1');
		s = run(s, lines({ type: 'channel.updated', channel: bare }));
		assert.equal(s.channels[1]!.name, 'renamed');
		assert.deepEqual(s.channels[1]!.membership, mine.membership);
		assert.equal(s.channels[1]!.last_seq, 9, 'never back');
		assert.equal(run(s, lines({ type: 'channel.created', channel: { ...bare, id: 2 } })).channels[2], undefined, 'not a member');
	});
});

describe('own messages', () => {
	const stored = message(1, 4, { sender: ME, client_id: uuid(1) });
	const sent = (): State => run(loaded(3), { type: 'outbox/add', items: [pending(1)] }, { type: 'outbox/set', client_id: uuid(1), state: 'sending' });
	const ack = { type: 'ack', client_id: uuid(1), channel: 1, seq: 4, id: stored.id };

	test('ack first, then the event: pending until it is in the run, shown once', () => {
		let s = run(sent(), lines(ack));
		assert.equal(s.outbox.length, 1);
		assert.equal(s.outbox[0]!.state, 'acked');
		assert.equal(isStored(s, s.outbox[0]!), false);
		assert.deepEqual(seqs(s), [1, 2, 3]);
		s = run(s, lines(event(stored)));
		assert.equal(s.outbox.length, 0);
		assert.deepEqual(seqs(s), [1, 2, 3, 4]);
	});

	test('event first, then the ack', () => {
		let s = run(sent(), lines(event(stored)));
		assert.equal(s.outbox.length, 0);
		assert.deepEqual(seqs(s), [1, 2, 3, 4]);
		s = run(s, lines(ack));
		assert.equal(s.outbox.length, 0);
		assert.deepEqual(seqs(s), [1, 2, 3, 4]);
	});

	test('both again, in both orders: nothing changes', () => {
		const done = run(sent(), lines(ack, event(stored)));
		assert.deepEqual(run(done, lines(ack, event(stored), event(stored), ack)), done);
	});

	test('event above a hole: it stays on the screen as pending until the run reaches up to it', () => {
		const mine = message(1, 6, { sender: ME, client_id: uuid(1) });
		for (const first of [[event(mine)], [{ ...ack, seq: 6 }, event(mine)], [event(mine), { ...ack, seq: 6 }]]) {
			let s = run(sent(), lines(...first));
			assert.equal(s.outbox.length, 1);
			assert.equal(s.outbox[0]!.state, 'acked');
			s = run(s, { type: 'log/after', channel: 1, after: 3, page: page(range(4, 5)) });
			assert.equal(s.outbox.length, 0);
			assert.deepEqual(seqs(s), [1, 2, 3, 4, 5, 6]);
		}
	});

	test('a page that holds it settles it, without ack and event', () => {
		const s = run(sent(), { type: 'log/after', channel: 1, after: 3, page: page([stored]) });
		assert.equal(s.outbox.length, 0);
		assert.deepEqual(seqs(s), [1, 2, 3, 4]);
	});

	test('a page that held the message before its ack came', () => {
		let s = run(sent(), { type: 'log/after', channel: 1, after: 3, page: page([{ ...stored, client_id: undefined }]) });
		assert.equal(s.outbox.length, 1);
		s = run(s, lines(ack));
		assert.equal(s.outbox.length, 0);
	});

	test("another's message with the same client_id, or in another channel, settles nothing", () => {
		const s = run(sent(), lines(event({ ...stored, sender: 8 }), event({ ...stored, channel: 2 })));
		assert.equal(s.outbox.length, 1);
		assert.equal(s.outbox[0]!.state, 'sending');
	});

	test('several keep their order; only the one that is meant goes', () => {
		let s = run(loaded(3), { type: 'outbox/add', items: [pending(3), pending(1), pending(2)] });
		assert.deepEqual(s.outbox.map((p) => p.text), ['own 1', 'own 2', 'own 3']);
		s = run(s, lines({ ...ack, client_id: uuid(2), seq: 4 }, event(message(1, 4, { sender: ME, client_id: uuid(2) }))));
		assert.deepEqual(s.outbox.map((p) => p.text), ['own 1', 'own 3']);
	});

	test('added twice they are one', () => {
		const s = run(loaded(3), { type: 'outbox/add', items: [pending(1)] }, { type: 'outbox/add', items: [pending(1), pending(2)] });
		assert.deepEqual(s.outbox.map((p) => p.client_id), [uuid(1), uuid(2)]);
	});

	test('the ack of something unknown, and the ack of a read, change nothing', () => {
		const s = sent();
		assert.equal(run(s, lines({ ...ack, client_id: uuid(9) })), s);
		assert.equal(run(s, lines({ type: 'ack', channel: 1, seq: 3 })), s);
	});

	test('in a channel that is not open: the ack is enough', () => {
		const s = run(signedIn(channel(1)), { type: 'outbox/add', items: [pending(1)] }, lines(ack));
		assert.equal(s.outbox.length, 0);
	});
});

describe('members', () => {
	const joined = (who: number) => ({ type: 'member.joined', channel: 1, user: who, role: 'member', since: 4, joined_at: '2026-11-25T10:00:00.000Z' });
	const left = (who: number, id = 1) => ({ type: 'member.left', channel: id, user: who });
	const list = (s: State) => s.members[1]?.list.map((m) => m.user);
	const withMembers = (): State =>
		run(loaded(3), {
			type: 'members',
			channel: 1,
			members: [7, ME].map((u) => ({ channel: 1, user: u, role: 'member' as const, since: 1, joined_at: '' })),
			next: null,
			first: true,
		});

	test('others come and go; twice is once', () => {
		let s = run(withMembers(), lines(joined(8), joined(8)));
		assert.deepEqual(list(s), [7, ME, 8]);
		s = run(s, lines(left(7), left(7)));
		assert.deepEqual(list(s), [ME, 8]);
		assert.equal(run(loaded(3), lines(joined(8))).members[1], undefined, 'no list is made of one name');
	});

	test('a second page adds, the first replaces', () => {
		const member = (u: number) => ({ channel: 1, user: u, role: 'member' as const, since: 1, joined_at: '' });
		let s = run(withMembers(), lines(joined(9)), { type: 'members', channel: 1, members: [8, 9].map(member), next: null, first: false });
		assert.deepEqual(list(s), [7, ME, 8, 9]);
		s = run(s, { type: 'members', channel: 1, members: [member(8)], next: 8, first: true });
		assert.deepEqual(list(s), [8]);
	});

	test('on the own member.left the channel goes, with all that belongs to it, and no other', () => {
		const two = run(withMembers(), { type: 'channel', channel: channel(2) }, { type: 'line', channel: 1, after: 2 });
		const s = run(two, lines(left(ME)));
		assert.deepEqual(Object.keys(s.channels), ['2']);
		for (const table of [s.logs, s.members, s.lines]) assert.deepEqual(table, {});
		assert.equal(totals(s).unread, 0);
		assert.equal(run(s, lines(left(ME))), s, 'again is harmless');
	});

	test('events of a channel that was left make nothing', () => {
		const s = run(withMembers(), lines(left(ME)));
		assert.equal(run(s, lines(joined(8))), s);
		const { channels, logs, members } = run(s, lines(event(message(1, 4))));
		assert.deepEqual([channels, logs, members], [{}, {}, {}]);
	});

	test('the own member.joined: nothing to show until the channel is loaded, then it is there with its counters', () => {
		let s = run(signedIn(), lines(joined(ME), event(message(1, 4))));
		assert.equal(s.channels[1], undefined);
		s = run(s, { type: 'channel', channel: channel(1, { last_seq: 4, membership: membership({ last_read_seq: 3, unread: 1 }) }) });
		assert.equal(unread(s), 1);
		assert.equal(unread(run(s, lines(joined(ME), event(message(1, 4))))), 1, 'replayed');
	});

	test('a preview becomes a channel when we join; without membership it stays one', () => {
		const seenOnly = channel(1, { membership: null });
		let s = run(signedIn(), { type: 'preview', channel: seenOnly }, { type: 'channel', channel: { ...seenOnly, members: 3 } });
		assert.equal(s.channels[1], undefined);
		assert.equal(s.preview!.members, 3);
		s = run(s, { type: 'channel', channel: channel(1) });
		assert.equal(s.preview, null);
		assert.ok(s.channels[1]);
	});

	test('a list of all channels drops those that were asked for and are not in it, and no newer ones', () => {
		const s = run(signedIn(channel(1), channel(2), channel(3)), { type: 'channels', channels: [channel(2)], asked: [1, 2] });
		assert.deepEqual(Object.keys(s.channels), ['2', '3']);
	});
});

describe('a log that goes back (DL-3)', () => {
	/* Ahead of what the restored server knows. */
	const held = channel(1, { version: 9, name: 'new name', last_seq: 50, membership: membership({ last_read_seq: 40, unread: 10 }) });
	const ahead = (): State =>
		run(
			signedIn(held),
			{ type: 'users', users: [user(ME, { version: 8, name: 'newer me' }), user(7, { version: 8, name: 'newer' })] },
			{ type: 'distrust' },
		);
	const marks = membership({ last_read_seq: 3, unread: 2 });
	const restored = (more = {}) => channel(1, { version: 2, name: 'old name', last_seq: 5, membership: marks, ...more });

	test('lower versions of people and channels win, and lower counters; until then what is seen stays', () => {
		let s = ahead();
		assert.equal(s.channels[1]!.name, 'new name');
		assert.equal(unread(s), 10);
		s = run(s, { type: 'channels', channels: [restored()], asked: [1] }, { type: 'users', users: [user(ME), user(7)] });
		assert.equal(s.channels[1]!.name, 'old name');
		assert.equal(s.channels[1]!.last_seq, 5);
		assert.equal(s.channels[1]!.membership!.last_read_seq, 3);
		assert.equal(unread(s), 2);
		assert.equal(s.users[7]!.name, 'User 7');
		assert.equal(s.me!.user.name, `User ${ME}`);
		// And from then on the rule holds again.
		const older = restored({ version: 1, name: 'older' });
		s = run(s, { type: 'channel', channel: older }, { type: 'users', users: [user(7, { version: 0, name: 'x' })] });
		assert.equal(s.channels[1]!.name, 'old name');
		assert.equal(s.users[7]!.name, 'User 7');
	});

	test('what an event of the new time brought is not undone by an answer from before it', () => {
		const newest = { ...restored({ version: 3, name: 'newest' }), membership: undefined };
		let s = run(ahead(), lines({ type: 'channel.updated', cursor: 'x', channel: newest }));
		s = run(s, lines(event(message(1, 6))), { type: 'channels', channels: [restored()], asked: [1] });
		assert.equal(s.channels[1]!.name, 'newest');
		assert.equal(s.channels[1]!.last_seq, 6);
		assert.equal(unread(s), 3);
		const whole = restored({ version: 3, name: 'newest', last_seq: 6, membership: membership({ last_read_seq: 3, unread: 3 }) });
		s = run(s, { type: 'channel', channel: whole });
		assert.equal(unread(s), 3);
	});

	test('a marker that moved on meanwhile stays', () => {
		const s = run(ahead(), { type: 'read', channel: 1, seq: 4 }, { type: 'channels', channels: [restored()], asked: [1] });
		assert.equal(s.channels[1]!.membership!.last_read_seq, 4);
		assert.equal(unread(s), 1);
	});

	test('what was stored may be so no more: it is sent again under its name', () => {
		const s = run(signedIn(channel(1)), { type: 'outbox/add', items: [pending(1, { state: 'acked', seq: 50 })] }, { type: 'distrust' });
		assert.equal(s.outbox[0]!.state, 'queued');
		assert.equal(s.outbox[0]!.seq, undefined);
	});
});

describe('reset', () => {
	test('what is on the screen stays until the fresh page replaces it; the rest is forgotten', () => {
		const both = run(
			loaded(5),
			{ type: 'channel', channel: channel(2) },
			{ type: 'log/open', channel: 2 },
			{ type: 'log/newest', channel: 2, page: page([message(2, 1)]) },
			{ type: 'members/status', channel: 1, status: 'ready' },
		);
		let s = run(both, { type: 'log/reset', keep: 1 });
		assert.deepEqual(seqs(s), [1, 2, 3, 4, 5]);
		assert.equal(s.logs[1]!.status, 'loading');
		assert.equal(s.logs[2], undefined);
		assert.deepEqual(s.members, {});
		s = run(s, lines(event(message(1, 302))), newest(range(250, 300), true));
		assert.deepEqual(seqs(s), range(250, 300).map((m) => m.seq));
		assert.ok(hasGap(s.logs[1]!), 'an event since then waits for its hole to be filled');
	});

	test('the fresh page is believed even where its versions are lower', () => {
		let s = run(loaded(3), lines(event(message(1, 2, { version: 9, body: { text: 'from before' } }))));
		s = run(s, { type: 'log/reset', keep: 1 }, newest(range(1, 3)));
		assert.equal(s.logs[1]!.messages[1]!.body?.text, 'text 1/2');
	});

	test('with nothing kept; pending messages stay in any case', () => {
		const s = run(loaded(3), { type: 'outbox/add', items: [pending(1)] }, { type: 'log/reset', keep: null });
		assert.deepEqual(s.logs, {});
		assert.equal(s.outbox.length, 1);
	});
});

test('unknown lines, and known ones that are none of ours, leave the very same state', () => {
	const s = loaded(3);
	assert.equal(run(s, lines({ type: 'typing', channel: 1, user: 7 }, { type: 'heartbeat', cursor: 'x', sent: 0 }, { type: 'pong' })), s);
	assert.equal(run(s, lines({ type: 'reads', channel: 99, reads: [{ user: 7, seq: 1 }] }, { type: 'member.left', channel: 99, user: ME })), s);
});
