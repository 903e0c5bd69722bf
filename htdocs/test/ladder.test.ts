// The connection ladder with fake time and fake transports: which rung when, how long it waits, what it remembers, when it
// does not come back. The real transports have their own file each.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Line } from '../src/model/types';
import { Ladder, type LadderEnv, type LadderState } from '../src/net/ladder';
import type { Ending, Link, LinkEvents, Rung, Transport } from '../src/net/transport';
import { Clock, seeded } from './help';

const HOUR = 3_600_000;

/* One attempt, played by the test. */
class FakeLink implements Link {
	silence = 45_000;
	closed = false;
	pings = 0;
	sent: object[] = [];
	constructor(
		readonly rung: Rung,
		readonly cursor: string | null,
		readonly on: LinkEvents,
	) {}
	send(op: object): boolean {
		return this.rung === 'ws' && this.sent.push(op) > 0;
	}
	ping(): void {
		this.pings++;
	}
	close(): void {
		this.closed = true;
	}
	/* Handshake and first line. */
	lives(...lines: Line[]): void {
		this.on.opened();
		this.on.live();
		this.on.lines([{ type: 'hello', cursor: 'hello' }, ...lines]);
	}
	ends(how: Partial<Ending> = {}): void {
		this.on.ended({ kind: 'lost', why: 'test', ...how } as Ending);
	}
}

class World {
	clock = new Clock();
	links: FakeLink[] = [];
	online = true;
	hidden = false;
	failed = 0;
	better = 0;
	random = () => 0.5;
	memory: { rung: Rung; until: number } | null = null;
	lines: Line[] = [];
	states: string[] = [];
	lost: string[] = [];
	stops: string[] = [];
	ladder: Ladder;

	constructor(rungs: Transport['rung'][] = ['ws', 'poll']) {
		const transport = (rung: Transport['rung'], openIn: number): Transport => ({
			rung,
			openIn,
			open: (cursor, _instance, on) => {
				const link = new FakeLink(rung, cursor(), on);
				this.links.push(link);
				return link;
			},
		});
		const env: LadderEnv = {
			now: this.clock.now,
			setTimeout: this.clock.setTimeout,
			clearTimeout: this.clock.clearTimeout,
			random: () => this.random(),
			online: () => this.online,
			hidden: () => this.hidden,
			recall: () => this.memory,
			remember: (m) => void (this.memory = m),
			transports: rungs.map((rung) => transport(rung, rung === 'poll' ? 10_000 : 4_000)),
			instance: 'tab',
			onLines: (lines) => void this.lines.push(...lines),
			onState: (state: LadderState, rung) => void this.states.push(rung ? `${state}/${rung}` : state),
			onLost: (why) => void this.lost.push(why),
			onFailed: () => void this.failed++,
			onBetter: () => void this.better++,
			onStop: (reason) => void this.stops.push(reason),
		};
		this.ladder = new Ladder(env);
	}
	get link(): FakeLink {
		return this.links[this.links.length - 1]!;
	}
	get rungs(): string {
		return this.links.map((l) => l.rung).join(' ');
	}
	/* Links not closed by the ladder: there must never be one that nobody minds. */
	get open(): FakeLink[] {
		return this.links.filter((l) => !l.closed);
	}
	run = (ms: number): Promise<void> => this.clock.run(ms);
}

/* Live by the given rung; `old`: for so long that its end is no short life. */
async function live(rung: Rung, cursor = 'c1', old = true): Promise<World> {
	const w = new World();
	if (rung === 'poll') w.memory = { rung, until: w.clock.time + HOUR };
	w.ladder.start(cursor);
	w.link.lives();
	if (old) await w.run(20_000);
	assert.equal(w.ladder.rung, rung);
	return w;
}

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
