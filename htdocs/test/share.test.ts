// Several tabs of one profile over one connection: fake locks, a fake channel between the tabs, a fake server whose log holds
// events that these tabs may not see, and whose polls may be a little behind. Each tab is a real ladder.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Line } from '../src/model/types';
import { Ladder } from '../src/net/ladder';
import { sharedTransport, type ShareChannel, type ShareLocks } from '../src/net/share';
import type { Ending, Input, Link, LinkEvents, Transport } from '../src/net/transport';
import type { Wants } from '../src/net/wants';
import { Clock, seeded, settled } from './help';

/* Web Locks, as far as they are used. */
class Locks {
	held = new Map<string, { who: string; stolen(): void }>();
	queue: { name: string; who: string; grant(): void }[] = [];
	of(tab: Tab): ShareLocks {
		const who = tab.name;
		return {
			request: (name, { signal, steal }, f) =>
				new Promise((resolve, reject) => {
					const grant = () => {
						let taken = false;
						const stolen = () => {
							taken = true;
							tab.runs(() => reject(new DOMException('stolen', 'AbortError')));
						};
						this.held.set(name, { who, stolen });
						void f().then((v) => {
							if (taken) return;
							this.held.delete(name);
							resolve(v);
							this.next(name);
						});
					};
					if (steal) {
						this.held.get(name)?.stolen();
						return void settled().then(grant);
					}
					const entry = { name, who, grant };
					signal?.addEventListener('abort', () => {
						const i = this.queue.indexOf(entry);
						if (i < 0) return;
						this.queue.splice(i, 1);
						reject(new DOMException('aborted', 'AbortError'));
					});
					this.queue.push(entry);
					void settled().then(() => this.next(name));
				}),
		};
	}
	next(name: string): void {
		if (this.held.has(name)) return;
		const i = this.queue.findIndex((e) => e.name === name);
		if (i >= 0) this.queue.splice(i, 1)[0]!.grant();
	}
	/* The browser takes everything from a tab that is gone. */
	gone(who: string): void {
		this.queue = this.queue.filter((e) => e.who !== who);
		for (const [name, h] of [...this.held]) {
			if (h.who !== who) continue;
			this.held.delete(name);
			this.next(name);
		}
	}
}

interface Stream {
	tab: Tab;
	on: LinkEvents;
	at: number;
	closed: boolean;
	logged: number;
	/* What it was told to give: when it was opened, then each time; `again` with a mark. */
	wants: string[];
	inputs: Input[];
}

/* One profile, and the server it talks to. Event n is visible where visible(n). */
class World {
	clock = new Clock();
	random = seeded(7);
	locks = new Locks();
	tabs: Tab[] = [];
	streams: Stream[] = [];
	polls = 0;
	log: boolean[] = []; // whether event i + 1 may be seen
	lag = 0; // events that polls are behind
	mute = false; // streams open, and nothing comes
	pollsFail: Ending | null = null;
	get head(): number {
		return this.log.length;
	}
	get open(): Stream[] {
		return this.streams.filter((s) => !s.closed);
	}
	event(visible = true): void {
		this.log.push(visible);
		for (const s of this.open) this.feed(s);
	}
	lines(from: number, to: number): Line[] {
		const lines: Line[] = [];
		for (let n = from + 1; n <= to; n++) if (this.log[n - 1]) lines.push({ type: 'message', cursor: String(n), n });
		return lines;
	}
	feed(s: Stream): void {
		if (s.tab.frozen || this.mute) return;
		const lines = this.lines(s.at, this.head);
		s.at = this.head;
		s.logged += lines.length;
		if (lines.length) s.on.lines(lines);
	}
	heartbeat(): void {
		for (const s of this.open) if (!s.tab.frozen) s.on.lines([{ type: 'heartbeat', cursor: String(s.at), sent: s.logged }]);
	}
	inner(tab: Tab): Transport {
		return {
			rung: 'sse',
			openIn: 4_000,
			open: (cursor, _instance, on, wants): Link => {
				const told = (again: boolean) => `${wants!().focus.join(',')}/${wants!().watch.join(',')}${again ? ' again' : ''}`;
				const s: Stream = { tab, on, at: Number(cursor()), closed: false, logged: 0, wants: [told(false)], inputs: [] };
				this.streams.push(s);
				void settled().then(() => {
					if (s.closed || tab.frozen || this.mute) return;
					on.opened();
					on.live();
					on.lines([{ type: 'hello', cursor: String(this.head) }]);
					if (!s.closed) this.feed(s);
				});
				return {
					silence: 45_000,
					leaves: true,
					send: () => false,
					want: (again) => void s.wants.push(told(again)),
					input: (what) => s.inputs.push(what) > 0,
					ping: () => void on.lines([]),
					close: () => void (s.closed = true),
				};
			},
		};
	}
	async poll(cursor: string | null): Promise<Line[] | Ending> {
		this.polls++;
		if (this.pollsFail) return this.pollsFail;
		const to = Math.max(Number(cursor), this.head - this.lag);
		const answer = [...this.lines(Number(cursor), to), { type: 'cursor', cursor: String(to) }];
		await settled();
		return answer;
	}
	async tab(owner = '1/1'): Promise<Tab> {
		const t = new Tab(this, owner);
		this.tabs.push(t);
		t.ladder.start(String(this.head));
		t.began = this.head;
		await this.run(50);
		return t;
	}
	run = async (ms: number): Promise<void> => {
		await this.clock.run(ms);
		for (let i = 0; i < 6; i++) await settled();
	};
	/* Who holds the connection. */
	get leader(): Tab {
		assert.equal(this.open.length, 1, 'one connection');
		return this.open[0]!.tab;
	}
}

class Tab {
	static count = 0;
	name = `tab${++Tab.count}`;
	frozen = false;
	dead = false;
	began = 0;
	got: number[] = [];
	lost: string[] = [];
	stops: string[] = [];
	led = 0;
	state = 0;
	wants: Wants = { focus: [], watch: [] };
	private inbox: (() => void)[] = [];
	ladder: Ladder;
	static channels = new Set<{ world: World; tab: Tab; name: string; channel: ShareChannel }>();

	constructor(
		readonly world: World,
		owner: string,
	) {
		const { clock } = world;
		const here = (f: () => void) => () => this.runs(f);
		const setTimeout = (f: () => void, ms: number) => clock.setTimeout(here(f), ms);
		this.ladder = new Ladder({
			now: clock.now,
			setTimeout,
			clearTimeout: clock.clearTimeout,
			random: world.random,
			online: () => true,
			hidden: () => false,
			recall: () => null,
			remember: () => {},
			transports: [
				sharedTransport(world.inner(this), {
					owner: () => owner,
					locks: world.locks.of(this),
					channel: (name) => this.channel(name),
					catchUp: (cursor) => world.poll(cursor),
					onLead: () => {
						this.led++;
						for (const t of world.tabs) if (t !== this) t.runs(() => t.ladder.shared());
					},
					hidden: () => false,
					now: clock.now,
					random: world.random,
					setTimeout,
					clearTimeout: clock.clearTimeout,
				}),
			],
			instance: this.name,
			wants: () => this.wants,
			onLines: (lines) => {
				for (const l of lines) if (l.type === 'message') this.got.push(l.n as number);
				this.state += lines.filter((l) => l.type === 'read').length;
			},
			onState: () => {},
			onLost: (why) => void this.lost.push(why),
			onFailed: () => {},
			onBetter: () => {},
			onStop: (reason) => void this.stops.push(reason),
		});
	}
	want(focus: number[], watch: number[] = []): void {
		this.wants = { focus, watch };
		this.ladder.want();
	}
	/* A frozen page does what it was told when it thaws. */
	runs(f: () => void): void {
		if (this.dead) return;
		if (this.frozen) this.inbox.push(f);
		else f();
	}
	private channel(name: string): ShareChannel {
		const channel: ShareChannel = {
			onmessage: null,
			postMessage: (m) => {
				if (this.dead) return;
				const data = structuredClone(m);
				for (const c of [...Tab.channels]) {
					if (c.channel === channel || c.name !== name || c.world !== this.world) continue;
					void settled().then(() => c.tab.runs(() => c.channel.onmessage?.({ data } as MessageEvent)));
				}
			},
			close: () => {
				for (const c of Tab.channels) if (c.channel === channel) Tab.channels.delete(c);
			},
		};
		Tab.channels.add({ world: this.world, tab: this, name, channel });
		return channel;
	}
	/* Closed, crashed, killed: no word of farewell. */
	dies(): void {
		this.dead = true;
		this.world.tabs = this.world.tabs.filter((t) => t !== this);
		for (const s of this.world.streams) if (s.tab === this) s.closed = true;
		for (const c of Tab.channels) if (c.tab === this) Tab.channels.delete(c);
		this.world.locks.gone(this.name);
	}
	freezes(): void {
		this.frozen = true;
	}
	thaws(): void {
		this.frozen = false;
		for (const f of this.inbox.splice(0)) f();
		for (const s of this.world.open) if (s.tab === this) this.world.feed(s);
	}
	/* All that was to be seen since it was opened, each once. */
	complete(): void {
		const want = this.world.lines(this.began, this.world.head).map((l) => l.n as number);
		assert.deepEqual([...new Set(this.got)].filter((n) => n > this.began).sort((a, b) => a - b), want, `${this.name} has all`);
	}
	exact(): void {
		this.complete();
		assert.equal(this.got.length, new Set(this.got).size, `${this.name} got one twice: ${this.got}`);
	}
}

async function world(n: number): Promise<World> {
	const w = new World();
	for (let i = 0; i < 20; i++) w.log.push(i % 3 === 0);
	for (let i = 0; i < n; i++) await w.tab();
	return w;
}

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
