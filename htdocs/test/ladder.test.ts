// The connection ladder with fake time and fake transports: the first link, how long it waits, the cursor, how it ends. The real
// transports have their own file each.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LadderEnv } from '../src/net/ladder';
import type { Ending } from '../src/net/transport';
import { seeded } from './help';
import { HOUR, live, World } from './ladder_help';

describe('the first link', () => {
	test('is a WebSocket, with the cursor of the first load', () => {
		const w = new World();
		w.ladder.start('c1');
		assert.equal(w.rungs, 'ws');
		assert.equal(w.link.cursor, 'c1');
		assert.deepEqual(w.states, ['connecting']);
		w.link.lives();
		assert.deepEqual(w.states, ['connecting', 'live/ws']);
		assert.equal(w.memory, null, 'nothing to remember of the best rung');
	});

	test('not open within 4 s: by polls', async () => {
		const w = new World();
		w.ladder.start('c1');
		await w.run(3_999);
		assert.equal(w.rungs, 'ws');
		await w.run(1);
		assert.equal(w.rungs, 'ws poll');
		assert.ok(w.links[0]!.closed);
		assert.equal(w.link.cursor, 'c1');
	});

	test('open, but no hello within 4 s from there: by polls', async () => {
		const w = new World();
		w.ladder.start('c1');
		await w.run(3_000);
		w.link.on.opened();
		await w.run(3_999);
		assert.equal(w.rungs, 'ws');
		await w.run(1);
		assert.equal(w.rungs, 'ws poll');
	});

	test('a hello just in time is in time', async () => {
		const w = new World();
		w.ladder.start('c1');
		await w.run(3_999);
		w.link.on.opened();
		await w.run(3_999);
		w.link.lives();
		await w.run(30_000);
		assert.equal(w.rungs, 'ws');
		assert.equal(w.ladder.rung, 'ws');
	});

	test('refused: by polls at once', () => {
		const w = new World();
		w.ladder.start('c1');
		w.link.ends();
		assert.equal(w.rungs, 'ws poll');
	});

	test('the timer ran late: the clock decides', () => {
		const w = new World();
		w.ladder.start('c1');
		w.clock.sleep(60_000);
		w.ladder.tick();
		assert.equal(w.rungs, 'ws poll');
	});

	test('what an old link still says is not heard', async () => {
		const w = new World();
		w.ladder.start('c1');
		await w.run(4_000);
		w.links[0]!.lives({ type: 'message', cursor: 'old' });
		w.links[0]!.ends({ kind: 'stop', reason: 'signed_out' });
		assert.equal(w.ladder.state, 'connecting');
		assert.equal(w.ladder.cursor, 'c1');
		assert.deepEqual(w.lines, []);
	});
});

describe('endings', () => {
	for (const reason of ['signed_out', 'deactivated'] as const) {
		test(`${reason}: it does not come back, whatever happens`, async () => {
			const w = await live('ws');
			w.link.ends({ kind: 'stop', reason });
			assert.deepEqual(w.stops, [reason]);
			assert.equal(w.ladder.state, 'stopped');
			await w.run(HOUR);
			w.ladder.wake();
			w.ladder.tick();
			w.ladder.wentOffline();
			w.ladder.resume();
			w.ladder.pause();
			w.ladder.resume();
			await w.run(HOUR);
			assert.equal(w.links.length, 1);
			assert.equal(w.ladder.state, 'stopped');
			assert.equal(w.clock.pending, 0);
		});
	}

	test('said to the probe of a better rung, it holds just the same', async () => {
		const w = await live('poll', 'c1', false);
		await w.run(30_000);
		w.link.ends({ kind: 'stop', reason: 'signed_out' });
		assert.deepEqual(w.stops, ['signed_out']);
		assert.deepEqual(w.open, []);
	});

	test('lost: it comes back with the cursor of the last line, on the same rung', async () => {
		const w = await live('ws');
		w.link.on.lines([{ type: 'message', cursor: 'c7' }, { type: 'ack' }, { type: 'heartbeat', cursor: 'c8', sent: 1 }]);
		w.link.ends();
		assert.equal(w.ladder.state, 'waiting');
		await w.run(3_000);
		assert.equal(w.rungs, 'ws ws');
		assert.equal(w.link.cursor, 'c8');
	});

	test('as long after as the server said', async () => {
		const w = await live('ws');
		w.link.ends({ retryAfter: 7, planned: true } as Partial<Ending>);
		await w.run(6_999);
		assert.equal(w.links.length, 1);
		await w.run(1);
		assert.equal(w.links.length, 2);
	});

	test('the cursor is not known any more: without one, at once, and all is loaded again', async () => {
		const w = await live('poll');
		w.link.ends({ kind: 'bad_cursor' });
		assert.equal(w.lost.length, 1);
		assert.equal(w.link.cursor, null);
		assert.equal(w.links.length, 2);
	});
});

describe('waiting', () => {
	/* The waits of n attempts in a row that fail at once, on both rungs. */
	async function waits(random: () => number, n: number): Promise<number[]> {
		const w = await live('ws');
		w.random = random;
		w.link.ends();
		const list: number[] = [];
		for (let i = 0; i < n; i++) {
			const from = w.clock.time;
			await w.clock.next();
			list.push(w.clock.time - from);
			w.link.ends();
			assert.equal(w.link.rung, 'poll');
			w.link.ends();
			assert.equal(w.ladder.state, 'waiting');
		}
		return list;
	}

	test('is full jitter: from nothing to a bound of 3 s that doubles up to 30 s', async () => {
		assert.deepEqual(await waits(() => 1, 7), [3_000, 6_000, 12_000, 24_000, 30_000, 30_000, 30_000]);
		assert.ok((await waits(() => 0, 7)).every((ms) => ms === 0));
	});

	test('any seed stays within the bounds, and spreads over them', async () => {
		const random = seeded(20261125);
		const first: number[] = [];
		const later: number[] = [];
		for (let i = 0; i < 40; i++) {
			const list = await waits(random, 8);
			first.push(list[0]!);
			later.push(...list.slice(1));
		}
		assert.ok(Math.max(...first) <= 3_000 && Math.min(...first) < 600 && Math.max(...first) > 2_400, String(first));
		assert.ok(Math.max(...later) <= 30_000 && Math.min(...later) < 1_000 && Math.max(...later) > 25_000);
	});

	test('grows too when an overloaded server lets us in and sends us away each time', async () => {
		const w = await live('ws');
		w.random = () => 1;
		const list: number[] = [];
		for (let i = 0; i < 6; i++) {
			w.link.ends({ planned: true } as Partial<Ending>);
			const from = w.clock.time;
			await w.clock.next();
			list.push(w.clock.time - from);
			w.link.lives();
		}
		assert.deepEqual(list, [3_000, 6_000, 12_000, 24_000, 30_000, 30_000]);
		assert.ok(w.links.every((l) => l.rung === 'ws'));
	});

	test('begins anew after a link that lived', async () => {
		const w = await live('ws');
		w.random = () => 1;
		for (let i = 0; i < 3; i++) {
			w.link.ends();
			await w.run(2_999);
			assert.equal(w.ladder.state, 'waiting');
			await w.run(1);
			w.link.lives();
			await w.run(20_000);
		}
		assert.equal(w.links.length, 4);
	});

	test('ends at once when the network is back or the page is seen', async () => {
		const w = await live('ws');
		w.random = () => 1;
		w.link.ends();
		w.ladder.wake();
		assert.equal(w.links.length, 2);
		assert.equal(w.ladder.state, 'connecting');
		w.ladder.wake();
		assert.equal(w.links.length, 2, 'while it connects a second call does nothing');
		await w.run(3_500);
		assert.equal(w.links.length, 2, 'the timer of the wait is gone');
	});

	test('does not hang on a timer: after a sleep the first tick connects', async () => {
		const w = await live('ws');
		w.link.ends();
		w.clock.sleep(HOUR);
		w.ladder.tick();
		assert.equal(w.links.length, 2);
	});
});

describe('the cursor', () => {
	test('is not taken from a hello, which may stand above what is still to be replayed', () => {
		const w = new World();
		w.ladder.start('c1');
		w.link.lives();
		assert.equal(w.ladder.cursor, 'c1');
		w.link.on.lines([{ type: 'message', cursor: 'c2' }]);
		assert.equal(w.ladder.cursor, 'c2');
	});

	test('is taken from a hello where there was none', () => {
		const w = new World();
		w.ladder.start(null);
		w.link.lives();
		assert.equal(w.ladder.cursor, 'hello');
	});

	test('moves only after the lines have been applied', async () => {
		const w = await live('ws', 'c1');
		const env = (w.ladder as unknown as { env: LadderEnv }).env;
		env.onLines = () => {
			throw new Error('cannot');
		};
		assert.throws(() => w.link.on.lines([{ type: 'message', cursor: 'c2' }]));
		assert.equal(w.ladder.cursor, 'c1');
	});

	test('a heartbeat that counts more than came: all is loaded again, once for this link', async () => {
		const w = await live('ws', 'c1');
		w.link.on.lines([{ type: 'message', cursor: 'c2' }, { type: 'read' }, { type: 'heartbeat', cursor: 'c2', sent: 1 }]);
		assert.deepEqual(w.lost, []);
		for (let i = 0; i < 3; i++) w.link.on.lines([{ type: 'heartbeat', cursor: 'c3', sent: 2 + i }]);
		assert.equal(w.lost.length, 1);
		assert.equal(w.links.length, 1);
	});
});

describe('ops', () => {
	test('go to the live link alone', async () => {
		const w = new World();
		assert.equal(w.ladder.send({ op: 'ping' }), false);
		w.ladder.start('c1');
		assert.equal(w.ladder.send({ op: 'ping' }), false);
		w.link.lives();
		assert.equal(w.ladder.send({ op: 'ping' }), true);
		assert.deepEqual(w.link.sent, [{ op: 'ping' }]);
		assert.equal((await live('poll')).ladder.send({ op: 'ping' }), false);
	});
});

test('paused: nothing is open, nothing is planned; resumed: a new link', async () => {
	const w = await live('poll');
	w.ladder.pause();
	assert.deepEqual(w.open, []);
	assert.equal(w.clock.pending, 0);
	w.ladder.wake();
	w.ladder.tick();
	assert.equal(w.links.length, 1);
	w.ladder.resume();
	assert.equal(w.links.length, 2);
});

test('whatever happens, no link is left open that is not in use', async () => {
	for (let seed = 1; seed <= 30; seed++) {
		const random = seeded(seed);
		const w = new World();
		w.random = random;
		w.ladder.start('c1');
		for (let i = 0; i < 120; i++) {
			const link = w.links[Math.floor(random() * Math.min(3, w.links.length)) + Math.max(0, w.links.length - 3)]!;
			const what = Math.floor(random() * 9);
			if (what === 0 && !link.closed) link.lives();
			else if (what === 1 && !link.closed) link.ends();
			else if (what === 2) w.ladder.wake();
			else if (what === 3) w.ladder.tick();
			else if (what === 4) w.online = !w.online;
			else if (what === 5 && !w.online) w.ladder.wentOffline();
			else if (what === 6 && !link.closed) link.on.lines([{ type: 'heartbeat', cursor: `c${i}`, sent: 0 }]);
			else await w.run(random() * 70_000);
			const { state } = w.ladder;
			const beside = w.ladder.rung === 'poll' ? 2 : 1;
			assert.ok(w.open.length <= beside, `seed ${seed}, step ${i}: ${w.open.length} open`);
			assert.ok(state === 'live' || state === 'connecting' ? w.open.length > 0 : w.open.length === 0, `seed ${seed}, step ${i}: ${state}`);
			assert.ok(w.clock.pending > 0 || state === 'live', `seed ${seed}, step ${i}: nothing planned while ${state}`);
		}
	}
});
