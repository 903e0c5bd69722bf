// The connection ladder with fake time and fake transports: sleep, no network, silence.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, live, World } from './ladder_help';

describe('sleep', () => {
	test('TM-2 no event tells of it: the first tick after it asks the link, and a dead one is replaced within 5 s', async () => {
		const w = await live('ws');
		w.ladder.tick();
		await w.run(1_000);
		w.ladder.tick();
		assert.equal(w.link.pings, 0);
		w.clock.sleep(20_000);
		await w.run(1_000);
		w.ladder.tick();
		assert.equal(w.links[0]!.pings, 1);
		await w.run(3_000);
		assert.equal(w.links.length, 2);
	});

	test('the timers of a hidden page are late, which is no sleep', async () => {
		const w = await live('ws');
		w.hidden = true;
		for (let i = 0; i < 5; i++) {
			w.link.on.lines([]);
			w.clock.sleep(60_000);
			w.link.on.lines([]);
			w.ladder.tick();
		}
		assert.equal(w.link.pings, 0);
		assert.equal(w.links.length, 1);
	});

	test('a wait ends at once when another tab has a connection to share', async () => {
		const w = await live('poll');
		w.random = () => 1;
		w.link.ends();
		w.ladder.shared();
		assert.equal(w.links.length, 2);
		w.ladder.shared();
		assert.equal(w.links.length, 2);
	});
});

describe('offline', () => {
	test('closes, and comes back at once with the cursor', async () => {
		const w = await live('ws', 'c5');
		w.online = false;
		w.ladder.wentOffline();
		assert.equal(w.ladder.state, 'offline');
		assert.deepEqual(w.open, []);
		w.online = true;
		w.ladder.wake();
		assert.equal(w.links.length, 2);
		assert.equal(w.ladder.state, 'connecting');
	});

	test('the browser may be wrong: it is tried every half minute all the same', async () => {
		const w = await live('ws');
		w.online = false;
		w.ladder.wentOffline();
		await w.run(29_999);
		assert.equal(w.links.length, 1);
		await w.run(1);
		assert.equal(w.links.length, 2);
		w.link.ends();
		assert.equal(w.ladder.state, 'offline');
		assert.equal(w.links.length, 2, 'no second rung: it says nothing against the first');
	});
});

describe('silence', () => {
	/* As the client does it. */
	const ticking = (w: World) => w.clock.setInterval(() => w.ladder.tick(), 5_000);

	test('longer than a healthy link can show: a new link at once, with the cursor', async () => {
		const w = await live('ws', 'c1', false);
		w.link.on.lines([{ type: 'message', cursor: 'c2' }]);
		ticking(w);
		await w.run(45_000);
		assert.equal(w.links.length, 1);
		await w.run(5_000);
		assert.equal(w.links.length, 2);
		assert.equal(w.link.cursor, 'c2');
		assert.ok(w.links[0]!.closed);
	});

	test('heartbeats, and anything else that is heard, keep the link', async () => {
		const w = await live('ws', 'c1', false);
		ticking(w);
		for (let i = 0; i < 30; i++) {
			w.link.on.lines(i % 2 ? [{ type: 'heartbeat', cursor: `c${i}`, sent: 0 }] : []);
			await w.run(20_000);
		}
		assert.equal(w.links.length, 1);
	});

	test('the page is seen again: a ping, and without an answer in 3 s a new link', async () => {
		const w = await live('ws');
		w.ladder.wake();
		w.ladder.wake();
		assert.equal(w.link.pings, 1);
		await w.run(2_999);
		assert.equal(w.links.length, 1);
		await w.run(1);
		assert.equal(w.links.length, 2);
	});

	test('a ping that is answered leaves the link alone, and can be asked again', async () => {
		const w = await live('ws');
		w.ladder.wake();
		await w.run(100);
		w.link.on.lines([{ type: 'pong' }]);
		await w.run(10_000);
		assert.equal(w.links.length, 1);
		w.ladder.wake();
		assert.equal(w.link.pings, 2);
	});

	test('a machine that slept: the first tick finds the link dead', async () => {
		const w = await live('ws');
		w.clock.sleep(HOUR);
		w.ladder.tick();
		assert.equal(w.links.length, 2);
	});
});
