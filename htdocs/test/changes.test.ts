// Edits and reactions by example: late, doubled and out of order; local echo; what one may do; the search in emoji.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import emoji from 'emoji-data';
import { known, searchEmoji, toned } from '../src/model/emoji';
import { messageAt } from '../src/model/log';
import { lastEditable, mayEdit, mineUnknown, shownOf } from '../src/model/reactions';
import { reduce, type Action } from '../src/model/reduce';
import type { Reacting, State } from '../src/model/state';
import type { Line, Message, Reaction } from '../src/model/types';
import { ME, T0, channel, membership, message, page, signedIn } from './help';

const run = (s: State, ...actions: Action[]): State => actions.reduce(reduce, s);
const lines = (...list: object[]): Action => ({ type: 'lines', lines: list as Line[] });
const newest = (messages: Message[], before = false): Action => ({ type: 'log/newest', channel: 1, page: page(messages, before) });
const range = (from: number, to: number): Message[] => Array.from({ length: to - from + 1 }, (_, i) => message(1, from + i));
const loaded = (messages: Message[], before = false): State =>
	run(signedIn(channel(1, { last_seq: messages.at(-1)!.seq, membership: membership({}) })), { type: 'log/open', channel: 1 }, newest(messages, before));
const at = (s: State, seq: number): Message => messageAt(s.logs[1], seq)!;
const text = (s: State, seq: number) => at(s, seq).body?.text;
const updated = (seq: number, version: number, more: Partial<Message> = {}) => ({
	type: 'message.updated',
	...message(1, seq, { version, body: { text: `v${version}` }, edited_at: 'then', ...more }),
});
const list = (...all: [string, ...number[]][]): Reaction[] => all.map(([e, ...users]) => ({ emoji: e, count: users.length, users }));
const reacted = (seq: number, version: number, reactions: Reaction[], user = 7) => ({
	type: 'reactions.updated',
	channel: 1,
	seq,
	reactions,
	reactions_version: version,
	user,
});
const counts = (s: State, seq: number) => shownOf(s, at(s, seq)).map((r) => [r.emoji, r.count, r.mine]);

describe('edits', () => {
	test('the highest version counts, whatever the order', () => {
		const s = run(loaded(range(1, 3)), lines(updated(2, 3), updated(2, 2), updated(2, 3), { type: 'message', ...message(1, 2) }));
		assert.equal(text(s, 2), 'v3');
		assert.equal(at(s, 2).edited_at, 'then');
		assert.deepEqual(s.logs[1]!.messages.map((m) => m.seq), [1, 2, 3]);
	});
	test('of a deleted message change nothing', () => {
		const { body: _, ...gone } = message(1, 2, { version: 3, deleted: true });
		const s = run(loaded(range(1, 3)), lines({ type: 'message.deleted', ...gone }, updated(2, 2), reacted(2, 5, list(['👍', 7]))));
		assert.ok(at(s, 2).deleted);
		assert.equal(at(s, 2).reactions, undefined);
	});
	test('of what an older page brings in a lower version', () => {
		let s = run(loaded(range(5, 8), true), { type: 'log/loading-before', channel: 1 }, lines(updated(3, 2)));
		s = run(s, { type: 'log/before', channel: 1, before: 5, page: page(range(1, 4)) });
		assert.equal(text(s, 3), 'v2');
	});
	test('an answer of REST and its event are the same once', () => {
		const s = run(loaded(range(1, 3)), lines(updated(2, 2)));
		assert.equal(run(s, lines(updated(2, 2))).logs, s.logs);
	});
	test('who may: the sender, within the time that is told', () => {
		const s = { ...loaded([message(1, 1, { sender: ME }), message(1, 2), message(1, 3, { sender: ME })]) };
		assert.equal(lastEditable(s, 1, T0)?.seq, 3);
		const limited = run(s, { type: 'limits', limits: { edit_window: 60 } });
		const sent = Date.parse(at(s, 3).created_at);
		assert.ok(mayEdit(limited, at(s, 3), sent + 59_999));
		assert.ok(!mayEdit(limited, at(s, 3), sent + 60_000));
		assert.ok(!mayEdit(s, at(s, 2), T0));
		assert.ok(!mayEdit(run(s, { type: 'limits', limits: { edit_window: 0 } }), at(s, 3), sent));
	});
});

describe('reactions', () => {
	test('set the whole list; late and doubled ones change nothing', () => {
		let s = run(loaded(range(1, 3)), lines(reacted(2, 1, list(['👍', 7])), reacted(2, 2, list(['👍', 7, 8]))));
		assert.deepEqual(counts(s, 2), [['👍', 2, false]]);
		assert.equal(at(s, 2).version, 1);
		const before = s;
		s = run(s, lines(reacted(2, 1, list(['👍', 7])), reacted(2, 2, list(['👍', 7, 8]))));
		assert.equal(s, before);
		s = run(s, lines(reacted(2, 3, [])));
		assert.deepEqual(counts(s, 2), []);
	});
	test('and edits pass each other: each keeps its own version', () => {
		const s = loaded(range(1, 2));
		const a = run(s, lines(reacted(2, 2, list(['👍', 7])), updated(2, 2)));
		const b = run(s, lines(updated(2, 2), reacted(2, 2, list(['👍', 7]))));
		assert.deepEqual(at(a, 2), at(b, 2));
		const older = run(a, lines(updated(2, 3, { reactions: list(['🎉', 9]), reactions_version: 1 })));
		assert.deepEqual([text(older, 2), counts(older, 2)], ['v3', [['👍', 1, false]]], 'an edit that knows of fewer');
		const ahead = run(a, lines(updated(2, 2, { reactions: list(['🎉', 9]), reactions_version: 5 })));
		assert.deepEqual(counts(ahead, 2), [['🎉', 1, false]], 'the same message with newer ones');
	});
	test('that come before the page that brings their message are not lost', () => {
		let s = run(signedIn(channel(1, { last_seq: 3, membership: membership({}) })), { type: 'log/open', channel: 1 });
		s = run(s, lines(reacted(2, 2, list(['👍', 7]))), newest(range(1, 3)));
		assert.deepEqual(counts(s, 2), [['👍', 1, false]]);
		s = run(loaded(range(5, 8), true), { type: 'log/loading-before', channel: 1 }, lines(reacted(3, 1, list(['👍', 7]))));
		s = run(s, { type: 'log/before', channel: 1, before: 5, page: page(range(1, 4)) });
		assert.deepEqual(counts(s, 3), [['👍', 1, false]]);
		assert.equal(s.logs[1]!.late.length, 0);
	});
	test('after a log that went back the page counts, not what came before', () => {
		const s = run(loaded(range(1, 3)), lines(reacted(9, 9, list(['👍', 7]))), { type: 'log/reset', keep: 1 }, newest(range(1, 9)));
		assert.deepEqual(counts(s, 9), []);
	});
});

describe('the own reaction', () => {
	const react = (e: string, on: boolean): Reacting => ({ channel: 1, seq: 2, emoji: e, on });
	test('shows at once, and its event does not double it', () => {
		const here = react('👍', true);
		let s = run(loaded(range(1, 3)), { type: 'react', reacting: here });
		assert.deepEqual(counts(s, 2), [['👍', 1, true]]);
		s = run(s, lines(reacted(2, 1, list(['👍', ME]), ME)));
		assert.deepEqual(counts(s, 2), [['👍', 1, true]]);
		s = run(s, { type: 'react/done', reacting: here });
		assert.deepEqual(counts(s, 2), [['👍', 1, true]]);
		s = run(s, { type: 'react', reacting: react('👍', false) });
		assert.deepEqual(counts(s, 2), []);
	});
	test('the same picture by other code points is the same', () => {
		let s = run(loaded(range(1, 3)), lines(reacted(2, 1, list(['❤\u{fe0f}', 7]))), { type: 'react', reacting: react('❤', true) });
		assert.deepEqual(counts(s, 2), [['❤\u{fe0f}', 2, true]]);
	});
	test('the last word counts, whatever is on its way', () => {
		const s = run(loaded(range(1, 3)), ...[true, false, true].map((on): Action => ({ type: 'react', reacting: react('👍', on) })));
		assert.equal(s.reacting.length, 1);
		assert.deepEqual(counts(s, 2), [['👍', 1, true]]);
	});
	test('refused: as it was', () => {
		const here = react('👍', true);
		const s = run(loaded(range(1, 3)), { type: 'react', reacting: here }, { type: 'react/done', reacting: here });
		assert.deepEqual(counts(s, 2), []);
	});
	test('among more than are told: asked for once, and again when another device of one changes it', () => {
		const crowd: Reaction[] = [{ emoji: '👍', count: 30, users: [7, 8, 9] }];
		let s = run(loaded(range(1, 3)), lines(reacted(2, 1, crowd)));
		assert.deepEqual(counts(s, 2), [['👍', 30, null]]);
		assert.ok(mineUnknown(s, at(s, 2)));
		s = run(s, { type: 'mine', channel: 1, seq: 2, emoji: ['👍'] });
		assert.deepEqual(counts(s, 2), [['👍', 30, true]]);
		s = run(s, lines(reacted(2, 2, crowd)));
		assert.deepEqual(counts(s, 2), [['👍', 30, true]], 'what others do changes nothing');
		s = run(s, { type: 'react', reacting: react('👍', false) });
		assert.deepEqual(counts(s, 2), [['👍', 29, false]]);
		s = run(s, lines(reacted(2, 3, crowd, ME)));
		assert.ok(mineUnknown(s, at(s, 2)));
	});
});

describe('emoji', () => {
	test('are found by the beginnings of their names and other words, names first', () => {
		const found = (q: string) => searchEmoji(emoji, q, 50).map((r) => r[0]);
		assert.ok(found('tada').includes('🎉'));
		assert.equal(found('party pop')[0], '🎉');
		assert.equal(found('THUMBS up')[0]!.replace('\u{fe0f}', ''), '👍');
		assert.deepEqual(found('no such thing'), []);
		assert.equal(searchEmoji(emoji, 'a', 7).length, 7);
	});
	test('of a newer Unicode than the server knows are not offered', () => {
		assert.ok(known(emoji, '15.0').length > 1700);
		assert.ok(known(emoji, '15.0').length < emoji.length);
		assert.equal(known(emoji, null), emoji);
	});
	test('have five skin tones, or none', () => {
		const hand = emoji.find((r) => r[1] === 'thumbs up')!;
		assert.equal(toned(hand, 3), '👍🏽');
		const cake = emoji.find((r) => r[1] === 'birthday cake')!;
		assert.equal(toned(cake, 3), '🎂');
	});
});
