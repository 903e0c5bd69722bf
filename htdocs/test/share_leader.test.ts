// Several tabs of one profile over one connection: the leader goes, hangs, crashes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seeded } from './help';
import { Tab, world } from './share_help';

describe('the leader goes', () => {
	for (const [how, go] of [
		['is killed', (t: Tab) => t.dies()],
		['pauses for the back-forward cache', (t: Tab) => t.ladder.pause()],
	] as const) {
		test(`it ${how}: another takes over at once, from its own cursor`, async () => {
			const w = await world(5);
			for (let round = 0; round < 4; round++) {
				for (let i = 0; i < 5; i++) w.event(i % 2 === 0);
				go(w.leader);
				w.event();
				await w.run(100);
				assert.equal(w.open.length, 1);
				w.event();
				await w.run(100);
				for (const t of w.tabs) if (t.ladder.state === 'live') t.exact();
			}
			assert.equal(w.tabs.filter((t) => t.ladder.state === 'live').length, 1);
			const streams = w.streams.length;
			await w.run(10_000);
			assert.equal(w.streams.length, streams, 'what was taken over stays');
		});
	}

	test('it is frozen: after two holds of silence its place is taken, and it follows when it thaws', async () => {
		const w = await world(4);
		const old = w.leader;
		w.event();
		old.freezes();
		for (const t of w.tabs) w.clock.setInterval(() => t.runs(() => t.ladder.tick()), 1_000);
		w.event();
		await w.run(45_000);
		assert.equal(w.open.length, 1, 'not before');
		await w.run(5_000);
		const others = w.tabs.filter((t) => t !== old);
		for (const t of others) t.exact();
		assert.equal(w.open.length, 2, 'the frozen one cannot close its own');
		assert.equal(others.reduce((n, t) => n + t.led, 0), 1, 'one of them, not each');
		w.event();
		old.thaws();
		await w.run(4_000);
		assert.notEqual(w.leader, old);
		w.event();
		await w.run(100);
		for (const t of w.tabs) t.complete();
		for (const t of others) t.exact();
		assert.ok(w.tabs.every((t) => t.ladder.state === 'live'));
	});

	test('it is frozen, and a new tab comes: no answer, so it takes the place', async () => {
		const w = await world(1);
		const old = w.leader;
		old.freezes();
		w.event();
		const t = await w.tab();
		await w.run(3_000);
		assert.equal(t.ladder.state, 'live');
		w.event();
		await w.run(10);
		t.exact();
	});

	test('it is frozen, and a page is seen again: live within 5 s', async () => {
		const w = await world(2);
		const old = w.leader;
		await w.run(15_000);
		old.freezes();
		w.event();
		const t = w.tabs.find((x) => x !== old)!;
		t.ladder.wake();
		await w.run(4_900);
		assert.equal(t.ladder.state, 'live');
		t.exact();
	});

	test('a takeover that does not come alive ends: the ladder moves on', async () => {
		const w = await world(2);
		await w.run(15_000);
		w.mute = true;
		w.leader.dies();
		await w.run(4_200);
		const [t] = w.tabs;
		assert.ok(w.streams.length > 1);
		assert.equal(w.streams[1]!.closed, true);
		w.mute = false;
		await w.run(8_000);
		assert.equal(t!.ladder.state, 'live');
		w.event();
		await w.run(10);
		t!.exact();
	});

	test('its connection is lost: one comes back for all, at once for those that wait', async () => {
		const w = await world(6);
		w.event();
		await w.run(20_000);
		const s = w.open[0]!;
		s.closed = true;
		s.on.ended({ kind: 'lost', why: 'test' });
		w.event();
		await w.run(1);
		assert.equal(w.open.length, 0);
		await w.run(3_100);
		assert.ok(w.tabs.every((t) => t.ladder.state === 'live'), String(w.tabs.map((t) => t.ladder.state)));
		assert.equal(w.open.length, 1);
		for (const t of w.tabs) t.exact();
	});

	test('DL-6 the session has ended: the leader is told, and nobody asks again', async () => {
		const w = await world(5);
		w.open[0]!.on.ended({ kind: 'stop', reason: 'signed_out' });
		await w.run(3_600_000);
		for (const t of w.tabs) assert.deepEqual(t.stops, ['signed_out']);
		assert.equal(w.streams.length, 1);
		assert.equal(w.polls, 0);
	});

	test('DL-6 a follower is told by its own poll', async () => {
		const w = await world(1);
		w.event(false);
		w.pollsFail = { kind: 'stop', reason: 'signed_out' };
		const t = await w.tab();
		assert.deepEqual(t.stops, ['signed_out']);
		await w.run(60_000);
		assert.equal(w.polls, 1);
	});
});

test('whatever happens to the tabs, none of them loses an event', async () => {
	for (let seed = 1; seed <= 25; seed++) {
		const random = seeded(seed);
		const w = await world(3);
		w.random = random;
		const tick = (t: Tab) => w.clock.setInterval(() => t.runs(() => t.ladder.tick()), 1_000);
		w.tabs.forEach(tick);
		const any = () => w.tabs[Math.floor(random() * w.tabs.length)]!;
		for (let i = 0; i < 80; i++) {
			const what = Math.floor(random() * 12);
			w.lag = Math.floor(random() * 3);
			if (what === 0 && w.tabs.length > 2) any().dies();
			else if (what === 1 && w.tabs.length < 7) tick(await w.tab());
			else if (what === 2) any().freezes();
			else if (what === 3) w.tabs.filter((t) => t.frozen).forEach((t) => t.thaws());
			else if (what === 4) any().ladder.pause();
			else if (what === 5) w.tabs.forEach((t) => t.ladder.resume());
			else if (what === 6) w.open.forEach((s) => ((s.closed = true), s.tab.runs(() => s.on.ended({ kind: 'lost', why: 'cut' }))));
			else if (what === 7) w.heartbeat();
			else if (what === 8) await w.run(random() * 30_000);
			else w.event(random() < 0.7);
			await w.run(random() * 300);
		}
		w.lag = 0;
		for (const t of w.tabs) {
			t.thaws();
			t.ladder.resume();
		}
		await w.run(60_000);
		w.event();
		await w.run(5_000);
		for (const t of w.tabs) {
			assert.equal(t.ladder.state, 'live', `seed ${seed}: ${t.name}`);
			t.complete();
			t.ladder.pause();
		}
		assert.equal(w.open.length, 0, `seed ${seed}`);
	}
});
