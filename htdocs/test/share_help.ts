// Several tabs of one profile over one connection: fake locks, a fake channel between the tabs, a fake server whose log holds
// events that these tabs may not see, and whose polls may be a little behind. Each tab is a real ladder.
import assert from 'node:assert/strict';
import type { Line } from '../src/model/types';
import { Ladder } from '../src/net/ladder';
import { type ShareChannel, sharedTransport, type ShareLocks } from '../src/net/share';
import type { Ending, Input, Link, LinkEvents, Transport } from '../src/net/transport';
import type { Wants } from '../src/net/wants';
import { Clock, seeded, settled } from './help';

/* Web Locks, as far as they are used. */
export class Locks {
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
export class World {
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

export class Tab {
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

export async function world(n: number): Promise<World> {
	const w = new World();
	for (let i = 0; i < 20; i++) w.log.push(i % 3 === 0);
	for (let i = 0; i < n; i++) await w.tab();
	return w;
}
