// Several tabs of one profile over one connection: what each gets, and what they want.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settled } from './help';
import { Tab, World, world } from './share_help';

describe('one connection for all tabs', () => {
	test('TR-4 eight tabs, one stream: each gets everything once', async () => {
		const w = await world(8);
		for (let i = 0; i < 30; i++) {
			w.event(i % 4 !== 0);
			await w.run(10);
		}
		assert.equal(w.streams.length, 1);
		assert.ok(w.tabs.every((t) => t.ladder.state === 'live'));
		for (const t of w.tabs) t.exact();
		assert.equal(w.polls, 0, 'nobody had to ask for more');
	});

	test('a tab that stands elsewhere polls once, and joins what the leader passes on', async () => {
		const w = await world(1);
		w.event(false); // nothing of this comes over the stream: the leader stands below
		w.event(false);
		const late = await w.tab();
		assert.equal(w.polls, 1);
		for (let i = 0; i < 10; i++) {
			w.event(i % 2 === 0);
			await w.run(10);
		}
		assert.ok(w.polls <= 2, `${w.polls} polls`);
		late.exact();
	});

	test('opened while much is going on, with polls that are behind: nothing is lost', async () => {
		const w = await world(2);
		for (let i = 0; i < 60; i++) {
			w.lag = i % 7;
			w.event(i % 3 !== 0);
			if (i % 10 === 0) void w.tab();
			await w.run(20);
		}
		w.lag = 0;
		w.event();
		await w.run(5_000);
		for (const t of w.tabs) t.complete();
		assert.equal(w.streams.length, 1);
	});

	test('state, which has no cursor, is told whatever the events do', async () => {
		const w = await world(1);
		w.event(false);
		const t = new Tab(w, '1/1');
		w.tabs.push(t);
		t.ladder.start('10');
		while (w.polls === 0) await settled();
		for (const type of ['read', 'read']) w.open[0]!.on.lines([{ type }]);
		w.event();
		w.open[0]!.on.lines([{ type: 'read' }]);
		await w.run(3_000);
		w.event(false);
		w.open[0]!.on.lines([{ type: 'read' }]);
		await w.run(10);
		assert.equal(t.state, 4);
		assert.equal(w.leader.state, 4);
	});

	test('what the leader heard while a tab was polling is not lost', async () => {
		const w = await world(1);
		w.event(false);
		w.lag = 1;
		const t = new Tab(w, '1/1');
		w.tabs.push(t);
		t.began = 10;
		t.ladder.start('10');
		for (let i = 0; i < 5; i++) {
			w.event();
			await settled();
		}
		w.lag = 0;
		await w.run(3_000);
		t.complete();
	});

	test('tabs of another session have a connection of their own', async () => {
		const w = await world(2);
		const other = await w.tab('2/9');
		assert.equal(w.open.length, 2);
		w.event();
		await w.run(10);
		other.exact();
	});

	test('quiet, with heartbeats, for an hour: no poll, no second stream, all live', async () => {
		const w = await world(4);
		for (const t of w.tabs) w.clock.setInterval(() => t.ladder.tick(), 1_000);
		for (let i = 0; i < 180; i++) {
			w.event(false);
			w.heartbeat();
			await w.run(20_000);
		}
		assert.equal(w.streams.length, 1);
		assert.equal(w.polls, 0);
		w.event();
		await w.run(10);
		for (const t of w.tabs) t.exact();
	});

	test('an event that the server counts and nobody got: all load again, also those that came later', async () => {
		const w = await world(3);
		w.event();
		await w.run(10);
		w.open[0]!.logged++;
		w.heartbeat();
		await w.run(10);
		for (const t of w.tabs) assert.equal(t.lost.length, 1);
		w.heartbeat();
		await w.tab();
		w.heartbeat();
		await w.run(10);
		assert.deepEqual(w.tabs.map((t) => t.lost.length), [1, 1, 1, 0]);
	});
});

describe('what the tabs want', () => {
	const last = (w: World) => w.open[0]!.wants.at(-1);

	test('the leader asks for what any of them wants, and no more when one is gone', async () => {
		const w = await world(3);
		const [a, b, c] = w.tabs as [Tab, Tab, Tab];
		a.want([1], [7]);
		b.want([2], [7, 8]);
		c.want([2], [9]);
		await w.run(300);
		assert.match(last(w)!, /^1,2\/7,8,9/);
		b.want([3]);
		await w.run(300);
		assert.match(last(w)!, /^1,2,3\/7,9/);
		c.ladder.pause(); // closed, left, frozen
		await w.run(300);
		assert.equal(last(w), '1,3/7');
		// The leader is not the first to be opened any more: the next one asks for all that are left.
		a.dies();
		await w.run(3_000);
		assert.equal(w.leader, b);
		assert.match(last(w)!, /^3\//);
	});

	test('a new tab that wants what another one wants already is told it as well', async () => {
		const w = await world(1);
		w.tabs[0]!.want([1], [7]);
		await w.run(300);
		const n = w.open[0]!.wants.length;
		const t = await w.tab();
		t.want([1], [7]);
		await w.run(300);
		assert.ok(w.open[0]!.wants.slice(n).includes('1/7 again'));
		// Said once more, as tabs do now and then, it asks for nothing.
		const m = w.open[0]!.wants.length;
		for (let i = 0; i < 20; i++) {
			w.heartbeat();
			await w.run(10_000);
		}
		assert.equal(w.open[0]!.wants.length, m);
	});

	test('of a tab that crashed nothing is wanted any more after a while', async () => {
		const w = await world(2);
		w.tabs[0]!.want([1]);
		w.tabs[1]!.want([2]);
		await w.run(300);
		assert.match(last(w)!, /^1,2/);
		w.tabs[1]!.dies();
		for (let i = 0; i < 9; i++) {
			w.heartbeat();
			await w.run(20_000);
		}
		assert.equal(last(w), '1/');
	});

	test('at most 8 channels, the leader\u2019s own before others', async () => {
		const w = await world(12);
		for (const [i, t] of w.tabs.entries()) t.want([100 - i]);
		await w.run(500);
		const focus = last(w)!.split('/')[0]!.split(',').map(Number);
		assert.equal(focus.length, 8);
		assert.ok(focus.includes(100));
	});

	test('input in any tab is told over the one connection; only the tab that has it says farewell', async () => {
		const w = await world(3);
		assert.equal(w.tabs[2]!.ladder.input('active'), true);
		assert.equal(w.tabs[0]!.ladder.input('idle'), true);
		await w.run(10);
		assert.deepEqual(w.open[0]!.inputs.sort(), ['active', 'idle']);
		assert.deepEqual(w.tabs.map((t) => t.ladder.leaves), [true, false, false]);
	});

	test('a cursor with the mark of what state was given is the same place', async () => {
		const w = await world(1);
		const [a] = w.tabs as [Tab];
		const polls = w.polls;
		a.ladder.cursor = `m.${w.head}.abcdefgh`;
		const t = new Tab(w, '1/1');
		w.tabs.push(t);
		t.ladder.start(`m.${w.head}`);
		await w.run(50);
		assert.equal(t.ladder.state, 'live');
		assert.equal(w.polls, polls, 'nothing was missed');
	});
});
