// The long-poll rung: one request after the other, each answered when there is something or when its hold is over. Where
// the server can hold none (plain CGI), the same every few seconds.
import { asking, eventsUrl, postOps, refusal } from './answers';
import { ApiError, parseLines } from './api';
import type { Line } from '../model/types';
import type { Ending, Input, Link, LinkEvents, Rung, Transport } from './transport';
import { NOTHING, place, readsQuery, wantQuery, type Known, type Wants } from './wants';

export interface PollEnv {
	fetch: (url: string, init: RequestInit) => Promise<Response>;
	/* As readsQuery() has it. */
	reads?: () => Known;
	now(): number;
	random: () => number;
	hidden(): boolean;
	setTimeout: (f: () => void, ms: number) => unknown;
	clearTimeout: (t: any) => void;
}

const HOLDS = [25, 12, 6, 3]; // s; the first is shorter than every proxy limit met, the others are for proxies not met
const CUTS = 2; // 502 or 504 in a row make the next hold shorter
const CUT_LIMIT = CUTS * HOLDS.length; // then the path is broken
const GRACE = 15_000; // ms beyond the hold
/* Answers at once that brought the cursor nowhere, in a row: the next poll rests, twice as long each time. Such is told again and again
 * what the client has not loaded yet, or does not get. */
const REST_FROM = 2;
const REST = 100; // ms
const REST_MAX = 5000;
const AT_ONCE = 1000; // ms
const HIDDEN_REST = 15_000; // ms between plain polls of a page that nobody sees

/* Lines of one answer; the last is its cursor. Throws on what is not ours. */
async function linesOf(res: Response): Promise<Line[]> {
	const lines = parseLines(await res.text());
	const end = res.headers.get('PulseChat-Cursor');
	// The header says the same as the last line; a proxy may have taken one of them.
	if (end && !lines.some((l) => l.type === 'cursor')) lines.push({ type: 'cursor', cursor: end });
	return lines;
}

/* One plain poll: what came after the cursor, or how it failed. */
export async function pollOnce(env: PollEnv, cursor: string | null, instance: string, signal: AbortSignal): Promise<Line[] | Ending> {
	try {
		const url = eventsUrl(instance, place(cursor), { wait: '0', ...readsQuery(env.reads) });
		const res = await env.fetch(url, asking('application/x-ndjson', signal));
		return res.ok ? await linesOf(res) : refusal(res, await res.text());
	} catch (e) {
		return { kind: 'lost', why: String(e) };
	}
}

export function pollTransport(env: PollEnv): Transport {
	return {
		rung: 'poll',
		openIn: 10_000,
		open: (cursor, instance, on, wants = () => NOTHING) => new PollLink(env, cursor, instance, on, wants),
	};
}

class PollLink implements Link {
	silence = HOLDS[0]! * 1000 + GRACE;
	rung: Rung = 'poll';
	private over = false;
	private live = false;
	private cuts = 0; // in a row
	private idle = 0; // answers in a row that came at once and led nowhere
	private level = 0; // of HOLDS
	/* ms between plain polls, as the server asks; 0 where it holds them. */
	private every = 0;
	private askedAt = 0;
	/* The next poll is to answer at once: the first one, and the one that a ping provokes. */
	private prompt = true;
	/* The next poll is to go now, though nothing has come: it asks for something else. */
	private stirred = false;
	private holding = false;
	private active = false;
	/* All state is to be told, also what has been told. */
	private anew = false;
	readonly leaves = true;
	private request: AbortController | null = null;
	private pause: { timer: unknown; done: () => void } | null = null;

	constructor(
		private env: PollEnv,
		private cursor: () => string | null,
		private instance: string,
		private on: LinkEvents,
		private wants: () => Wants,
	) {
		queueMicrotask(() => void this.run()); // no event from inside open()
	}

	send(): boolean {
		return false;
	}

	/* Each poll says what it wants. The one under way is given up for another. */
	want(again: boolean): void {
		this.anew ||= again;
		this.stir();
	}

	input(what: Input): boolean {
		this.active = what === 'active';
		if (this.active) this.stir();
		else postOps(this.env.fetch, [{ op: what }], this.instance).catch(() => {});
		return true;
	}

	private stir(): void {
		this.stirred = true;
		if (this.holding) this.request?.abort();
		this.pause?.done();
	}

	ping(): void {
		this.prompt = true;
		this.request?.abort();
		this.pause?.done();
	}

	/* Somebody looks on from another tab: no longer rest than of a page that is seen. */
	poke(): void {
		if (this.pause && this.every && this.env.now() - this.askedAt >= this.every) this.pause.done();
	}

	close(): void {
		this.over = true;
		this.request?.abort();
		this.pause?.done();
	}

	private async run(): Promise<void> {
		while (!this.over) {
			const rest = await this.once();
			if (this.over) return;
			if (typeof rest !== 'number') {
				this.over = true;
				this.on.ended(rest);
				return;
			}
			if (rest > 0 && !this.prompt && !this.stirred) await this.sleep(rest);
		}
	}

	/* One poll. Answers the ms to rest before the next, or how the link ended. */
	private async once(): Promise<number | Ending> {
		const hold = this.prompt || this.every ? 0 : HOLDS[this.level]!;
		this.prompt = this.stirred = false;
		this.askedAt = this.env.now();
		const { active, anew } = this;
		this.active = this.anew = false;
		this.holding = hold > 0;
		const stop = (this.request = new AbortController());
		const timer = this.env.setTimeout(() => stop.abort(), hold * 1000 + GRACE);
		let lines: Line[];
		let from: string | null = null;
		try {
			const query = { wait: String(hold), ...readsQuery(this.env.reads), ...wantQuery(this.wants()), ...(active ? { active: '1' } : {}) };
			from = anew ? place(this.cursor()) : this.cursor();
			const url = eventsUrl(this.instance, from, query);
			const res = await this.env.fetch(url, asking('application/x-ndjson', stop.signal));
			if (!res.ok) {
				this.active ||= active;
				return this.refused(res, await res.text());
			}
			lines = await linesOf(res);
		} catch (e) {
			this.active ||= active;
			this.anew ||= anew;
			if ((this.prompt || this.stirred) && !this.over) return 0; // a ping ended it, or a wish: at once again
			return { kind: 'lost', why: e instanceof ApiError ? e.code : String(e) };
		} finally {
			this.env.clearTimeout(timer);
			this.request = null;
			this.holding = false;
		}
		if (this.over) return 0;
		this.cuts = 0;
		const last = lines[lines.length - 1];
		this.every = last?.type === 'cursor' && typeof last.retry_after === 'number' ? Math.min(last.retry_after, 300) * 1000 : 0;
		this.rung = this.every ? 'plain' : 'poll';
		if (!this.live) {
			this.live = true;
			this.on.live();
		}
		this.on.lines(lines);
		if (this.every) return this.env.hidden() ? Math.max(HIDDEN_REST, this.every) : this.every;
		const nowhere = hold > 0 && last?.cursor === from && this.env.now() - this.askedAt < AT_ONCE;
		this.idle = nowhere ? this.idle + 1 : 0;
		return this.idle < REST_FROM ? 0 : Math.min(REST * 2 ** (this.idle - REST_FROM), REST_MAX);
	}

	private refused(res: Response, text: string): number | Ending {
		if ((res.status === 502 || res.status === 504) && this.live && ++this.cuts < CUT_LIMIT) {
			if (this.cuts % CUTS === 0) this.level = Math.min(this.level + 1, HOLDS.length - 1);
			this.on.lines([]); // a sign of life: else two cut holds would look like a silence
			return this.env.random() * 1000;
		}
		return refusal(res, text);
	}

	private sleep(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const done = () => {
				this.env.clearTimeout(timer);
				this.pause = null;
				resolve();
			};
			const timer = this.env.setTimeout(done, ms);
			this.pause = { timer, done };
		});
	}
}
