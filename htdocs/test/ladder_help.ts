// The connection ladder with fake time and fake transports, played by a test.
import assert from 'node:assert/strict';
import type { Line } from '../src/model/types';
import { Ladder, type LadderEnv, type LadderState } from '../src/net/ladder';
import type { Ending, Link, LinkEvents, Rung, Transport } from '../src/net/transport';
import { Clock } from './help';

export const HOUR = 3_600_000;

/* One attempt, played by the test. */
export class FakeLink implements Link {
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

export class World {
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
export async function live(rung: Rung, cursor = 'c1', old = true): Promise<World> {
	const w = new World();
	if (rung === 'poll') w.memory = { rung, until: w.clock.time + HOUR };
	w.ladder.start(cursor);
	w.link.lives();
	if (old) await w.run(20_000);
	assert.equal(w.ladder.rung, rung);
	return w;
}
