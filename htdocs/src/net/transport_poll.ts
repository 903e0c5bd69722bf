// The long-poll rung: one request after the other, each answered when there is something or when its hold is over.
import { ApiError, parseLines, retryAfter } from './api';
import type { Line } from '../model/types';
import type { Ending, Link, LinkEvents, Transport } from './transport';

export interface PollEnv {
	fetch: (url: string, init: RequestInit) => Promise<Response>;
	random: () => number;
	setTimeout: (f: () => void, ms: number) => unknown;
	clearTimeout: (t: any) => void;
}

const HOLD = 25; // s, shorter than every proxy limit met
const SHORT_HOLD = 8; // s, after two answers in a row that a proxy cut short
const GRACE = 15_000; // ms beyond the hold
const CUT_LIMIT = 4; // 502/504 in a row that are taken for a proxy's impatience; from then on the path is broken

export function pollTransport(env: PollEnv): Transport {
	return {
		rung: 'poll',
		openIn: 10_000,
		open: (cursor, instance, on) => new PollLink(env, cursor, instance, on),
	};
}

class PollLink implements Link {
	silence = HOLD * 1000 + GRACE;
	private over = false;
	private live = false;
	private cuts = 0;
	/* The next poll is to answer at once: the first one, and the one that a ping provokes. */
	private prompt = true;
	private request: AbortController | null = null;
	private pause: { timer: unknown; done: () => void } | null = null;

	constructor(
		private env: PollEnv,
		private cursor: () => string | null,
		private instance: string,
		private on: LinkEvents,
	) {
		queueMicrotask(() => void this.run()); // no event from inside open()
	}

	send(): boolean {
		return false;
	}

	ping(): void {
		this.prompt = true;
		this.request?.abort();
		this.pause?.done();
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
			if (rest > 0 && !this.prompt) await this.sleep(rest);
		}
	}

	/* One poll. Answers the ms to rest before the next, or how the link ended. */
	private async once(): Promise<number | Ending> {
		const hold = this.prompt ? 0 : this.cuts >= 2 ? SHORT_HOLD : HOLD;
		this.prompt = false;
		const query = new URLSearchParams({ wait: String(hold), instance: this.instance });
		const cursor = this.cursor();
		if (cursor !== null) query.set('cursor', cursor);
		const stop = (this.request = new AbortController());
		const timer = this.env.setTimeout(() => stop.abort(), hold * 1000 + GRACE);
		let lines: Line[];
		try {
			const res = await this.env.fetch(`/api/v1/events?${query}`, {
				headers: { 'PulseChat-Client': 'web', Accept: 'application/x-ndjson' },
				credentials: 'same-origin',
				cache: 'no-store',
				signal: stop.signal,
			});
			const text = await res.text();
			if (!res.ok) return this.refused(res, text);
			lines = parseLines(text);
			const end = res.headers.get('PulseChat-Cursor');
			// The header says the same as the last line; a proxy may have taken one of them.
			if (end && !lines.some((l) => l.type === 'cursor')) lines.push({ type: 'cursor', cursor: end });
		} catch (e) {
			if (this.prompt && !this.over) return 0; // a ping ended it: at once again
			return { kind: 'lost', why: e instanceof ApiError ? e.code : String(e) };
		} finally {
			this.env.clearTimeout(timer);
			this.request = null;
		}
		if (this.over) return 0;
		this.cuts = 0;
		if (!this.live) {
			this.live = true;
			this.on.live();
		}
		this.on.lines(lines);
		const last = lines[lines.length - 1];
		return last?.type === 'cursor' && typeof last.retry_after === 'number' ? last.retry_after * 1000 : 0;
	}

	private refused(res: Response, text: string): number | Ending {
		let code = '';
		try {
			code = (JSON.parse(text) as { code?: string }).code ?? '';
		} catch {
			// an error page of something on the way
		}
		if (res.status === 401) return { kind: 'stop', reason: 'signed_out' };
		if (res.status === 403 && code === 'forbidden') return { kind: 'stop', reason: 'deactivated' };
		if (res.status === 400 && code === 'bad_cursor') return { kind: 'bad_cursor' };
		if ((res.status === 502 || res.status === 504) && this.live && ++this.cuts < CUT_LIMIT) {
			this.on.lines([]); // a sign of life: else two cut holds would look like a silence
			return this.env.random() * 1000;
		}
		return {
			kind: 'lost',
			why: `poll answered ${res.status}`,
			planned: res.status === 503 || res.status === 429,
			retryAfter: retryAfter(res.headers),
		};
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
