// What a person's keys and movements tell the server, and how seldom: typing, being there, what is on the screen.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Input } from '../src/net/transport';
import type { Wants } from '../src/net/wants';
import { Activity } from '../src/sync/activity';
import { Interest } from '../src/sync/interest';
import { Typist } from '../src/sync/typist';
import { Clock } from './help';

function typist() {
	const clock = new Clock();
	const told: [number, string][] = []; // at, where
	const start = clock.time;
	const { now, setTimeout, clearTimeout } = clock;
	const t = new Typist({ now, setTimeout, clearTimeout, tell: (c) => told.push([clock.time - start, c]) });
	/* One key each so many ms. */
	const keys = async (ms: number, each: number, place = '1') => {
		for (let at = 0; at < ms; at += each) {
			t.key(place);
			await clock.run(each);
		}
	};
	return { clock, told, t, keys };
}

describe('typing is told', () => {
	test('TY-1 b: 20 keys a second for 10 s: with the first one, then once in 3 s, and not long after the last', async () => {
		const { clock, told, keys } = typist();
		await keys(10_000, 50);
		await clock.run(60_000);
		assert.deepEqual(told.map(([at]) => at), [0, 3_000, 6_000, 9_000, 12_000]);
		assert.equal(clock.pending, 0);
	});

	test('slow keys: so that those who look on see no gap of 6 s; after 4 s without a key nothing', async () => {
		const { clock, told, keys } = typist();
		await keys(14_000, 3_500);
		for (let i = 1; i < told.length; i++) assert.ok(told[i]![0] - told[i - 1]![0] < 6_000, `${told}`);
		await clock.run(30_000);
		const last = told.at(-1)![0];
		assert.ok(last <= 10_500 + 4_000, `${last}`);
	});

	test('one key is told once', async () => {
		const { clock, told, t } = typist();
		t.key('1');
		await clock.run(60_000);
		assert.equal(told.length, 1);
	});

	test('sent, or emptied: no more; the next text not sooner than 3 s after', async () => {
		const { clock, told, t, keys } = typist();
		await keys(1_000, 100);
		t.stop();
		await clock.run(1_000);
		assert.deepEqual(told, [[0, '1']]);
		await keys(500, 100);
		await clock.run(500);
		assert.deepEqual(told, [[0, '1'], [3_000, '1']]);
	});

	test('in another channel it is told there, never in the one before', async () => {
		const { clock, told, t, keys } = typist();
		await keys(500, 100, '1');
		t.stop();
		await keys(200, 100, '2');
		await clock.run(20_000);
		assert.deepEqual(told, [[0, '1'], [3_000, '2']]);
	});

	test('TY-1 b: from the channel to a thread of it and back: not sooner than 3 s, and where the keys are', async () => {
		const { clock, told, t, keys } = typist();
		await keys(500, 100);
		await keys(6_000, 100, '1/40');
		t.stop();
		await keys(500, 100);
		await clock.run(20_000);
		assert.deepEqual(told, [[0, '1'], [3_000, '1/40'], [6_000, '1/40'], [9_000, '1']]);
	});

	test('a hidden page whose timers come late tells nothing that is long over', async () => {
		const { clock, told, keys } = typist();
		await keys(1_000, 100);
		clock.sleep(60_000);
		await clock.run(0);
		assert.deepEqual(told, [[0, '1']]);
	});
});

function activity() {
	const clock = new Clock();
	const told: [number, Input][] = [];
	const start = clock.time;
	const w = { clock, told, linked: true, away: false, set: false, a: null as unknown as Activity };
	w.a = new Activity({
		now: clock.now,
		tell: (what) => w.linked && told.push([(clock.time - start) / 1000, what]) > 0,
		takenForAway: () => w.away,
		isSetAway: () => w.set,
		setAway: (on) => void (w.set = on),
	});
	return w;
}

describe('being there is told', () => {
	test('with the first input and then once a minute; without input never', async () => {
		const w = activity();
		await w.clock.run(120_000);
		assert.equal(w.told.length, 0);
		for (let i = 0; i < 200; i++) {
			w.a.input();
			await w.clock.run(1_000);
		}
		assert.deepEqual(w.told.map((x) => x[0]), [120, 180, 240, 300]);
	});

	test('at once where one has been taken for away, but not with every movement', async () => {
		const w = activity();
		w.a.input();
		await w.clock.run(10_000);
		w.away = true;
		for (let i = 0; i < 30; i++) {
			w.a.input();
			await w.clock.run(100);
		}
		assert.deepEqual(w.told.map(([at]) => at), [0, 10, 11, 12]);
	});

	test('what could not be told is told with the next input', async () => {
		const w = activity();
		w.linked = false;
		w.a.input();
		w.linked = true;
		await w.clock.run(500);
		w.a.input();
		assert.deepEqual(w.told, [[0.5, 'active']]);
	});

	test('a new link is no input', () => {
		const w = activity();
		w.a.onLive();
		assert.deepEqual(w.told, []);
	});

	test('set away: it stays so over input and new links, until one writes', async () => {
		const w = activity();
		w.a.input();
		w.a.setAway(true);
		await w.clock.run(120_000);
		w.a.input();
		w.a.onLive();
		assert.deepEqual(w.told.map(([, what]) => what), ['active', 'idle', 'idle']);
		w.a.wrote();
		assert.equal(w.set, false);
		assert.deepEqual(w.told.at(-1), [120, 'active']);
		w.a.wrote();
		assert.equal(w.told.length, 4);
	});
});

function interest() {
	const clock = new Clock();
	const told: Wants[] = [];
	const i: Interest = new Interest({ setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, changed: () => told.push(i.wants()) });
	return { clock, told, i };
}

describe('what is wanted', () => {
	test('the open channel and the people on the screen, many hints in one', async () => {
		const { clock, told, i } = interest();
		i.open(12);
		for (const id of [9, 7, 8, 7]) i.show(id);
		await clock.run(1_000);
		assert.deepEqual(told, [{ focus: [12], watch: [7, 8, 9] }]);
	});

	test('scrolling up and down tells nothing: who was seen stays, until another channel is opened', async () => {
		const { clock, told, i } = interest();
		i.open(1);
		const gone = i.show(7);
		i.show(8);
		await clock.run(1_000);
		gone();
		gone(); // twice is once
		await clock.run(1_000);
		i.show(7)();
		await clock.run(1_000);
		assert.equal(told.length, 1);
		i.open(2);
		await clock.run(1_000);
		assert.deepEqual(told.at(-1), { focus: [2], watch: [8] });
	});

	test('drawn twice, undrawn once: still on the screen', async () => {
		const { clock, told, i } = interest();
		const gone = i.show(7);
		i.show(7);
		gone();
		i.open(1);
		await clock.run(1_000);
		assert.deepEqual(told, [{ focus: [1], watch: [7] }]);
	});

	test('at most 200: those on the screen before those that were', async () => {
		const { clock, told, i } = interest();
		const gone = Array.from({ length: 150 }, (_, n) => i.show(1_000 + n));
		await clock.run(1_000);
		for (const f of gone) f();
		for (let n = 0; n < 120; n++) i.show(n + 1);
		await clock.run(1_000);
		const { watch } = told.at(-1)!;
		assert.equal(watch.length, 200);
		for (let n = 0; n < 120; n++) assert.ok(watch.includes(n + 1));
	});

	test('a page that is hidden for a minute wants nothing; back in sight all of it at once', async () => {
		const { clock, told, i } = interest();
		i.open(1);
		i.show(7);
		await clock.run(1_000);
		i.hidden(true);
		await clock.run(30_000);
		i.hidden(false);
		await clock.run(120_000);
		assert.equal(told.length, 1, 'a look at another tab is none');
		i.hidden(true);
		await clock.run(60_000);
		assert.deepEqual(told.at(-1), { focus: [], watch: [] });
		i.hidden(false);
		assert.deepEqual(told.at(-1), { focus: [1], watch: [7] });
	});
});
