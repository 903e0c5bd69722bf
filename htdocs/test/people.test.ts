// How people are, who types, own settings: what lines, answers and the clock make of the state, and what views read from it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nextEnd, shownOf, statusOf } from '../src/model/presence';
import { reduce } from '../src/model/reduce';
import { nextTypingEnd, TYPING_FOR } from '../src/model/typing';
import type { State } from '../src/model/state';
import type { Line, Presence, Settings } from '../src/model/types';
import { createStore } from '../src/store';
import { watchEnds } from '../src/sync/ends';
import { Clock, ME, T0, channel, message, signedIn, user } from './help';

const line = (s: State, ...lines: Line[]): State => reduce(s, { type: 'lines', lines });
const present = (id: number, more: Partial<Presence> = {}): Presence => ({ user: id, state: 'online', last_active: null, dnd: false, status: null, ...more });
const presence = (...users: Presence[]): Line => ({ type: 'presence', users });
const settings = (more: Partial<Settings> = {}): Settings => ({
	invisible: false,
	dnd_until: null,
	status: null,
	read_receipts: true,
	version: 1,
	...more,
});
const iso = (ms: number) => new Date(ms).toISOString();

describe('presence', () => {
	test('each line says all of a person: the last one counts, others stay as they were', () => {
		const s = line(signedIn(), presence(present(7), present(8, { state: 'away' })), presence(present(7, { state: 'offline' })));
		assert.equal(shownOf(s, 7), 'offline');
		assert.equal(shownOf(s, 8), 'away');
		assert.equal(shownOf(s, 9), null, 'of whom nothing is known nothing is shown');
	});

	test('the same once more changes nothing, so nothing is drawn anew', () => {
		const status = { emoji: '🌴', text: 'away', until: null };
		const s = line(signedIn(), presence(present(7, { status })));
		assert.equal(line(s, presence(present(7, { status: { ...status } }))), s);
	});

	test('do not disturb shows for who is there, not for who is gone', () => {
		const all = [present(7, { dnd: true }), present(8, { dnd: true, state: 'offline' }), present(9, { dnd: true, state: 'away' })];
		const s = line(signedIn(), presence(...all));
		assert.deepEqual([7, 8, 9].map((id) => shownOf(s, id)), ['dnd', 'offline', 'dnd']);
	});

	test('a deactivated account shows nothing', () => {
		const s = line(reduce(signedIn(), { type: 'users', users: [user(7, { active: false })] }), presence(present(7)));
		assert.equal(shownOf(s, 7), null);
	});

	test('oneself: as the own settings say, whatever others are told', () => {
		let s = line(signedIn(), presence(present(ME, { state: 'away', invisible: false })));
		assert.equal(shownOf(s, ME), 'away');
		s = reduce(s, { type: 'settings', settings: settings({ dnd_until: 'forever', version: 2 }) });
		assert.equal(shownOf(s, ME), 'dnd');
		s = reduce(s, { type: 'settings', settings: settings({ invisible: true, version: 3 }) });
		assert.equal(shownOf(s, ME), 'invisible');
		assert.equal(shownOf(line(signedIn(), presence(present(ME, { state: 'offline', invisible: true }))), ME), 'invisible');
	});

	test('nonsense in a line does no harm', () => {
		const s = signedIn();
		for (const l of [{ type: 'presence' }, { type: 'presence', users: 5 }, { type: 'presence', users: [null, {}] }]) assert.equal(line(s, l), s);
	});

	test('it does not grow without end', () => {
		let s = signedIn();
		s = line(s, presence(present(ME)));
		for (let n = 0; n < 3_000; n += 100) s = line(s, presence(...Array.from({ length: 100 }, (_, i) => present(1_000 + n + i))));
		assert.ok(Object.keys(s.presence).length <= 2_000);
		assert.ok(s.presence[ME]);
		assert.ok(s.presence[3_999], 'those of the last line are there');
	});
});

describe('own settings', () => {
	test('by answer and by event, the higher version wins', () => {
		let s = reduce(signedIn(), { type: 'settings', settings: settings({ version: 4, read_receipts: false }) });
		s = line(s, { type: 'settings.updated', settings: settings({ version: 3 }) });
		assert.equal(s.settings!.read_receipts, false);
		s = line(s, { type: 'settings.updated', settings: settings({ version: 5 }) });
		assert.equal(s.settings!.read_receipts, true);
		// After the log went back a lower one is the true one.
		s = reduce(reduce(s, { type: 'distrust' }), { type: 'settings', settings: settings({ version: 2, read_receipts: false }) });
		assert.equal(s.settings!.read_receipts, false);
	});

	test('a status ends by the clock, others’ and the own one, and so does a pause', async () => {
		const clock = new Clock();
		const store = createStore(signedIn());
		const undo = watchEnds(store, clock);
		const status = (min: number) => ({ emoji: '🍽️', text: 'lunch', until: iso(T0 + min * 60_000) });
		store.dispatch({ type: 'lines', lines: [presence(present(7, { status: status(10) }), present(8, { status: status(300) }))] });
		store.dispatch({ type: 'settings', settings: settings({ status: status(20), dnd_until: iso(T0 + 30 * 60_000) }) });
		assert.equal(nextEnd(store.get()), T0 + 600_000);
		const seen = () => [statusOf(store.get(), 7)?.text, statusOf(store.get(), 8)?.text, statusOf(store.get(), ME)?.text, shownOf(store.get(), ME)];
		await clock.run(599_999);
		assert.deepEqual(seen(), ['lunch', 'lunch', 'lunch', 'dnd']);
		await clock.run(1);
		assert.deepEqual(seen(), [undefined, 'lunch', 'lunch', 'dnd']);
		await clock.run(600_000);
		assert.deepEqual(seen(), [undefined, 'lunch', undefined, 'dnd']);
		await clock.run(600_000);
		assert.deepEqual(seen(), [undefined, 'lunch', undefined, 'online']);
		assert.equal(store.get().presence[7]!.state, 'online', 'nothing else changes');
		await clock.run(5 * 3_600_000);
		assert.deepEqual(seen(), [undefined, undefined, undefined, 'online']);
		assert.equal(clock.pending, 0, 'nothing is waited for any more');
		undo();
	});

	test('a machine that slept: what ended meanwhile is gone when it wakes', async () => {
		const clock = new Clock();
		const store = createStore(signedIn(channel(1)));
		watchEnds(store, clock);
		store.dispatch({ type: 'lines', lines: [{ type: 'typing', channel: 1, users: [7], count: 1, at: clock.time }] });
		clock.sleep(600_000);
		await clock.run(0);
		assert.deepEqual(store.get().typing, {});
	});
});

describe('typing', () => {
	const typing = (users: number[], count = users.length, at = T0): Line => ({ type: 'typing', channel: 1, users, count, at });
	const who = (s: State) => s.typing[1] && [s.typing[1].users, s.typing[1].count];

	test('the whole list each time; an empty one ends it', () => {
		let s = line(signedIn(channel(1)), typing([7, 8]));
		assert.deepEqual(who(s), [[7, 8], 2]);
		s = line(s, typing([8]));
		assert.deepEqual(who(s), [[8], 1]);
		assert.deepEqual(line(s, typing([])).typing, {});
		assert.deepEqual(who(line(s, typing([7, 8, 9, 10, 11], 14))), [[7, 8, 9, 10, 11], 14]);
	});

	test('never oneself', () => {
		assert.deepEqual(line(signedIn(channel(1)), typing([ME])).typing, {});
		assert.deepEqual(who(line(signedIn(channel(1)), typing([ME, 7], 6))), [[7], 5]);
	});

	test('their message ends it, at once and for them alone', () => {
		let s = line(signedIn(channel(1), channel(2)), typing([7, 8]));
		s = line(s, { ...message(2, 1, { sender: 7 }), type: 'message' } as unknown as Line);
		assert.deepEqual(who(s), [[7, 8], 2], 'in this channel');
		s = line(s, { ...message(1, 1, { sender: 7 }), type: 'message' } as unknown as Line);
		assert.deepEqual(who(s), [[8], 1]);
		s = line(s, { ...message(1, 2, { sender: 8 }), type: 'message' } as unknown as Line);
		assert.deepEqual(s.typing, {});
	});

	test('in a thread: apart from the channel, all of both in each line', () => {
		const threads = (s: State) => Object.fromEntries(Object.entries(s.typing).map(([place, t]) => [place, [t.users, t.count]]));
		const told = (users: number[], ...lists: [number, number[]][]): Line => ({
			...typing(users),
			threads: lists.map(([thread, u]) => ({ thread, users: u, count: u.length })),
		});
		let s = line(signedIn(channel(1), channel(2)), told([7], [40, [8, ME]], [41, [9]]), { ...typing([7]), channel: 2 });
		assert.deepEqual(threads(s), { 1: [[7], 1], '1/40': [[8], 1], '1/41': [[9], 1], 2: [[7], 1] });
		assert.deepEqual(threads(line(s, typing([7]))), { 1: [[7], 1], 2: [[7], 1] }, 'what is not told is over');
		assert.deepEqual(threads(line(s, told([], [41, [ME]]))), { 2: [[7], 1] });
		s = line(s, { ...message(1, 1, { sender: 8, thread: 40, aside: true } as never), type: 'message' } as unknown as Line);
		assert.deepEqual(threads(s), { 1: [[7], 1], '1/41': [[9], 1], 2: [[7], 1] }, 'the reply ends it');
		assert.deepEqual(threads(reduce(s, { type: 'channel/left', channel: 1 })), { 2: [[7], 1] });
		assert.deepEqual(reduce(s, { type: 'clock', now: T0 + TYPING_FOR }).typing, {});
	});

	test('TY-1 a: it does not stay when its end is lost: not with the link, not for ever, not in a channel that is left', () => {
		const s = line(signedIn(channel(1)), typing([7]));
		assert.deepEqual(reduce(s, { type: 'typing/none' }).typing, {});
		assert.equal(nextTypingEnd(s), T0 + TYPING_FOR);
		assert.deepEqual(reduce(s, { type: 'clock', now: T0 + TYPING_FOR }).typing, {});
		assert.equal(reduce(s, { type: 'clock', now: T0 + TYPING_FOR - 1 }), s);
		assert.deepEqual(reduce(s, { type: 'channel/left', channel: 1 }).typing, {});
	});
});
