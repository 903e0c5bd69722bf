// The connection ladder with fake time and fake transports: which rung when, and what it remembers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ending, Rung } from '../src/net/transport';
import { HOUR, live, World } from './ladder_help';

describe('the rung that worked', () => {
	test('is remembered for an hour, from when it was found, then the best is tried again', async () => {
		const w = new World();
		w.ladder.start('c1');
		w.link.ends();
		w.link.lives();
		assert.deepEqual(w.memory, { rung: 'poll', until: w.clock.time + HOUR });
		const until = w.memory!.until;

		w.ladder.pause();
		await w.run(HOUR - 1);
		w.ladder.resume();
		assert.equal(w.link.rung, 'poll');
		w.link.lives();
		assert.equal(w.memory!.until, until, 'using it does not lengthen it');

		w.ladder.pause();
		await w.run(1);
		w.ladder.resume();
		assert.equal(w.link.rung, 'ws');
	});

	test('a memory of a rung that is not known begins at the top', () => {
		const w = new World();
		w.memory = { rung: 'sse' as Rung, until: w.clock.time + HOUR };
		w.ladder.start('c1');
		assert.equal(w.rungs, 'ws');
	});

	test('fails now: the next round begins at the top, since the network may be another one', async () => {
		const w = new World();
		w.memory = { rung: 'poll', until: w.clock.time + HOUR };
		w.ladder.start('c1');
		assert.equal(w.rungs, 'poll');
		w.link.ends();
		await w.run(3_000);
		assert.equal(w.rungs, 'poll ws');
	});
});

describe('a better rung', () => {
	test('is tried beside the present one after half a minute, and taken when it has lived 10 s', async () => {
		const w = await live('poll', 'c1', false);
		const poll = w.link;
		await w.run(29_999);
		assert.equal(w.rungs, 'poll');
		await w.run(1);
		assert.equal(w.rungs, 'poll ws');
		const ws = w.link;
		ws.lives({ type: 'message', cursor: 'c2' });
		assert.equal(w.ladder.rung, 'poll');
		assert.equal(poll.closed, false, 'nothing is let go before the other has proved itself');
		poll.on.lines([]);
		await w.run(9_999);
		assert.equal(w.ladder.rung, 'poll');
		await w.run(1);
		assert.equal(w.ladder.rung, 'ws');
		assert.equal(poll.closed, true);
		assert.equal(w.memory, null, 'forgotten: the best rung works');
		assert.deepEqual(w.open, [ws]);
	});

	test('that fails is tried again ever more seldom, at least every 10 minutes, and disturbs nothing', async () => {
		const w = await live('poll', 'c1', false);
		const poll = w.link;
		poll.silence = Infinity;
		const tried: number[] = [];
		let before = w.clock.time;
		for (let i = 0; i < 7; i++) {
			const n = w.links.length;
			while (w.links.length === n) await w.clock.next();
			tried.push((w.clock.time - before) / 1000);
			before = w.clock.time;
			w.link.ends();
		}
		assert.deepEqual(tried, [30, 60, 120, 240, 480, 600, 600]);
		assert.equal(w.ladder.state, 'live');
		assert.equal(poll.closed, false);
		assert.deepEqual(w.states, ['connecting', 'live/poll']);
	});

	test('that lives takes over at once when the present one dies', async () => {
		const w = await live('poll', 'c1', false);
		const poll = w.link;
		await w.run(30_000);
		w.link.lives();
		poll.ends();
		assert.equal(w.ladder.rung, 'ws');
		assert.equal(w.ladder.state, 'live');
	});

	test('that opens and hangs is given up after 4 s', async () => {
		const w = await live('poll', 'c1', false);
		await w.run(34_000);
		assert.equal(w.link.rung, 'ws');
		assert.ok(w.link.closed);
		assert.equal(w.ladder.rung, 'poll');
	});

	test('opens but dies young twice in a row: the next rung has its turn', async () => {
		const w = new World();
		w.ladder.start('c1');
		for (let i = 0; i < 2; i++) {
			assert.equal(w.link.rung, 'ws');
			w.link.lives();
			await w.run(9_000);
			w.link.ends();
			if (i === 0) await w.run(3_000);
		}
		assert.equal(w.link.rung, 'poll');
	});

	test('a young death that the server meant says nothing against the rung', async () => {
		const w = new World();
		w.ladder.start('c1');
		for (let i = 0; i < 4; i++) {
			w.link.lives();
			await w.run(1_000);
			w.link.ends({ planned: true } as Partial<Ending>);
			await w.clock.next();
			assert.equal(w.link.rung, 'ws');
		}
	});
});

describe('four rungs', () => {
	const all = (): World => new World(['ws', 'sse', 'poll']);

	test('TR-2 each is left for the next after 4 s without a first line, or at once when it is refused', async () => {
		const w = all();
		w.ladder.start('c1');
		await w.run(4_000);
		assert.equal(w.rungs, 'ws sse');
		w.link.on.opened();
		await w.run(4_000);
		assert.equal(w.rungs, 'ws sse poll');
		w.link.lives();
		assert.equal(w.memory?.rung, 'poll');
		const other = all();
		other.ladder.start('c1');
		other.link.ends();
		other.link.ends({ refused: true } as Partial<Ending>);
		assert.equal(other.rungs, 'ws sse poll');
		assert.equal(other.clock.time, w.clock.time - 8_000, 'without losing a moment');
	});

	test('a live link that is told that there is no such rung any more gives way at once', async () => {
		const w = all();
		w.memory = { rung: 'sse', until: w.clock.time + HOUR };
		w.ladder.start('c1');
		w.link.lives();
		w.link.ends({ refused: true } as Partial<Ending>);
		assert.equal(w.rungs, 'sse poll');
	});

	test('better ones are tried in their order beside the present one; the middle one is taken, and the best tried on', async () => {
		const w = all();
		w.memory = { rung: 'poll', until: w.clock.time + HOUR };
		w.ladder.start('c1');
		w.link.lives();
		await w.run(30_000);
		assert.equal(w.rungs, 'poll ws');
		w.link.ends();
		assert.equal(w.rungs, 'poll ws sse');
		w.link.lives();
		await w.run(10_000);
		assert.equal(w.ladder.rung, 'sse');
		assert.equal(w.memory?.rung, 'sse');
		assert.equal(w.better, 1, 'the other tabs are told');
		assert.equal(w.open.length, 1);
		await w.run(30_000);
		assert.equal(w.rungs, 'poll ws sse ws');
	});

	test('TR-2 a WebSocket that dies after 2 s each time is not gone back to every few seconds', async () => {
		const w = all();
		w.random = () => 0;
		w.ladder.start('c1');
		const tries: number[] = [];
		let seen = 0;
		for (let s = 0; s < 1800; s++) {
			for (const l of w.links.slice(seen)) {
				if (l.rung === 'ws') tries.push(w.clock.time);
				l.lives();
			}
			seen = w.links.length;
			await w.run(1_000);
			w.ladder.tick();
			for (const l of w.open) {
				if (l.rung !== 'ws') l.on.lines([]);
				else if (w.clock.time - tries.at(-1)! >= 2_000) l.ends();
			}
		}
		assert.equal(w.ladder.rung, 'sse');
		assert.ok(tries.length <= 10, `${tries.length} times in half an hour`);
		const gaps = tries.slice(3).map((at, i) => at - tries[i + 2]!);
		assert.ok(gaps.every((ms, i) => i === 0 || ms >= gaps[i - 1]!), String(gaps));
	});

	test('TR-2 where all that is long dies after 2 s: two WebSockets and one stream, then polls, within 10 s', async () => {
		const w = all();
		const began = w.clock.time;
		w.random = () => 0.999; // the longest wait
		w.ladder.start('c1');
		while (w.link.rung !== 'poll' && w.clock.time - began < HOUR) {
			const { link } = w;
			link.lives();
			await w.run(2_000);
			link.ends();
			if (w.link === link) await w.clock.next();
		}
		w.link.lives();
		assert.equal(w.rungs, 'ws ws sse poll');
		assert.ok(w.clock.time - began < 10_000, `${w.clock.time - began} ms`);
		// A life that is long enough speaks for what comes after it.
		await w.run(10_000);
		w.link.ends();
		await w.clock.next();
		w.link.lives();
		await w.run(2_000);
		w.link.ends();
		await w.clock.next();
		assert.equal(w.rungs, 'ws ws sse poll poll poll');
	});

	test('what has lived here before is tried again after 5 s, then ever more seldom', async () => {
		const w = all();
		w.ladder.start('c1');
		w.link.lives();
		await w.run(20_000);
		w.link.ends();
		await w.clock.next();
		w.link.ends(); // the server is being started anew
		assert.equal(w.link.rung, 'sse');
		w.link.lives();
		await w.run(5_000);
		assert.equal(w.link.rung, 'ws');
		w.link.ends();
		await w.run(9_999);
		assert.equal(w.link.rung, 'ws');
		assert.equal(w.open.length, 1);
		await w.run(1);
		assert.equal(w.open.length, 2);
		w.link.lives();
		await w.run(10_000);
		assert.equal(w.ladder.rung, 'ws');
	});

	test('a reconnect of the present rung does not put the next try off', async () => {
		const w = all();
		w.memory = { rung: 'sse', until: w.clock.time + HOUR };
		w.ladder.start('c1');
		w.link.lives();
		for (let i = 0; i < 3; i++) {
			await w.run(9_000);
			w.link.ends({ planned: true, retryAfter: 0 } as Partial<Ending>);
			await w.run(0);
			w.link.lives();
		}
		await w.run(3_000);
		assert.equal(w.link.rung, 'ws');
	});

	test('another network: the link is asked, and the better rungs are tried soon', async () => {
		const w = all();
		w.memory = { rung: 'sse', until: w.clock.time + HOUR };
		w.ladder.start('c1');
		w.link.lives();
		const sse = w.link;
		w.ladder.wake(true);
		assert.equal(sse.pings, 1);
		await w.run(10);
		sse.on.lines([]);
		await w.run(4_990);
		assert.equal(w.link.rung, 'ws');
	});

	test('a tab that follows another does not try; when that one has found a better rung, at once', async () => {
		const w = all();
		w.memory = { rung: 'sse', until: w.clock.time + HOUR };
		w.ladder.start('c1');
		(w.link as { follows?: boolean }).follows = true;
		w.link.lives();
		w.link.silence = Infinity;
		await w.run(HOUR);
		assert.equal(w.rungs, 'sse');
		w.ladder.better();
		assert.equal(w.rungs, 'sse ws');
		w.ladder.better();
		assert.equal(w.rungs, 'sse ws');
	});

	test('a link says what it turned out to be', async () => {
		const w = all();
		w.memory = { rung: 'poll', until: w.clock.time + HOUR };
		w.ladder.start('c1');
		(w.link as { rung: Rung }).rung = 'plain';
		w.link.lives();
		assert.deepEqual(w.states, ['connecting', 'live/plain']);
	});

	test('DL-6 no rung works: whether there still is a session is asked by other means; not where the server meant it', async () => {
		const w = all();
		w.ladder.start('c1');
		for (let i = 0; i < 3; i++) w.link.ends();
		assert.equal(w.ladder.state, 'waiting');
		assert.equal(w.failed, 1);
		await w.clock.next();
		w.link.ends();
		w.link.ends();
		w.link.ends({ planned: true } as Partial<Ending>);
		assert.equal(w.failed, 1);
	});
});
