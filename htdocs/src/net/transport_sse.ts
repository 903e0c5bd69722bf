// The rung of server-sent events: one answer that does not end, a line of ours in each event. By fetch and not by
// EventSource, which hides the status and comes back by itself.
import type { Line } from '../model/types';
import { asking, eventsUrl, OpsError, postOps, refusal } from './answers';
import { parseLines } from './api';
import type { Ending, Input, Link, LinkEvents, Transport } from './transport';
import { NOTHING, place, readsQuery, wantOps, wantQuery, type Known, type Wants } from './wants';

export interface SseEnv {
	fetch: (url: string, init: RequestInit) => Promise<Response>;
	/* As readsQuery() has it. */
	reads?: () => Known;
	now(): number;
	setTimeout: (f: () => void, ms: number) => unknown;
	clearTimeout: (t: any) => void;
}

const GRACE = 5_000; // ms beyond two heartbeats
const FRESH = 2_000; // ms beyond one: what was heard since then proves the path
const TELL_AGAIN = [2_000, 5_000, 15_000]; // ms, after what is wanted could not be told
const TRANSIENT = new Set(['busy', 'rate_limited', 'internal', 'unavailable']);
const MAX_EVENT = 4 << 20; // characters; far above what a server sends

export function sseTransport(env: SseEnv): Transport {
	return {
		rung: 'sse',
		openIn: 4_000,
		open: (cursor, instance, on, wants = () => NOTHING) => new SseLink(env, cursor, instance, on, wants),
	};
}

/* Takes a stream apart into the data of its events (WHATWG HTML, 9.2.6). Feed it text as it comes. */
export class SseParser {
	private rest = '';
	private data: string[] = [];
	private size = 0;

	/* Answers the data of the events that have ended; throws on one without end. */
	feed(text: string): string[] {
		const events: string[] = [];
		// A CR at the very end may be half of a CR LF.
		const all = this.rest + text;
		const lines = all.split(/\r\n|\n|\r(?!$)/);
		this.rest = lines.pop()!;
		for (const line of lines) {
			if (line === '') {
				if (this.data.length) events.push(this.data.join('\n'));
				this.data = [];
				this.size = 0;
				continue;
			}
			// Comments and other fields: an event's id is in our line as well.
			if (!line.startsWith('data:')) continue;
			this.data.push(line.slice(line[5] === ' ' ? 6 : 5));
			this.size += line.length;
		}
		if (this.size + this.rest.length > MAX_EVENT) throw new Error('an event without end');
		return events;
	}
}

class SseLink implements Link {
	silence = 45_000;
	private heartbeat = 20_000;
	private over = false;
	private live = false;
	private heardAt = 0;
	readonly leaves = true;
	private stop: AbortController | null = null;
	/* What this stream was told to give; null: not known. It can be told more once it has greeted. */
	private told: Wants | null = NOTHING;
	private tellable = false;
	private telling = false;
	private tellFailures = 0;
	private tellTimer: unknown = null;

	constructor(
		private env: SseEnv,
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

	/* By a POST with our instance, which is passed on to the process that has the stream; one after the other. */
	want(again: boolean): void {
		if (again) this.told = null;
		this.tellFailures = 0;
		void this.tell();
	}

	input(what: Input): boolean {
		if (!this.tellable) return false;
		postOps(this.env.fetch, [{ op: what }], this.instance).catch(() => {}); // the next one tells it too
		return true;
	}

	private async tell(): Promise<void> {
		if (this.over || !this.tellable || this.telling) return;
		this.env.clearTimeout(this.tellTimer);
		const { told, stop } = this;
		const wants = this.wants();
		const ops = wantOps(told, wants);
		if (!ops.length) return;
		this.telling = true;
		const how = await postOps(this.env.fetch, ops, this.instance).then(
			(answers) => (answers.some((l) => l.type === 'error' && TRANSIENT.has(String(l.code))) ? { again: 0 } : null),
			// A server that does not know these ops will not learn them by another try.
			(e: unknown) => (e instanceof OpsError && !e.transient ? null : { again: (e instanceof OpsError && e.retryAfter) || 0 }),
		);
		this.telling = false;
		if (how) {
			const wait = Math.max(how.again * 1000, TELL_AGAIN[Math.min(this.tellFailures++, TELL_AGAIN.length - 1)]!);
			this.tellTimer = this.env.setTimeout(() => void this.tell(), wait);
			return;
		}
		this.tellFailures = 0;
		// A stream opened meanwhile may have been told before or after its query was read.
		if (this.stop !== stop) this.told = null;
		else if (this.told === told) this.told = wants;
		void this.tell();
	}

	/* A stream cannot be asked, so one that may be dead is opened anew. */
	ping(changed = false): void {
		if (!this.live || this.over) return;
		if (!changed && this.env.now() - this.heardAt <= this.heartbeat + FRESH) return this.on.lines([]);
		this.stop?.abort();
		void this.run();
	}

	close(): void {
		this.over = true;
		this.env.clearTimeout(this.tellTimer);
		this.stop?.abort();
	}

	private async run(): Promise<void> {
		if (this.over) return;
		const stop = (this.stop = new AbortController());
		const how = await this.stream(stop).catch((e: unknown): Ending => ({ kind: 'lost', why: String(e) }));
		stop.abort(); // what the server may still send
		if (this.over || this.stop !== stop) return;
		this.over = true;
		this.env.clearTimeout(this.tellTimer);
		this.on.ended(how);
	}

	/* One stream, to its end. */
	private async stream(stop: AbortController): Promise<Ending> {
		const mine = () => !this.over && this.stop === stop;
		const none: Ending = { kind: 'lost', why: 'not wanted any more' };
		this.tellable = false;
		const wants = (this.told = this.wants());
		const url = eventsUrl(this.instance, place(this.cursor()), { ...readsQuery(this.env.reads), ...wantQuery(wants) });
		const res = await this.env.fetch(url, asking('text/event-stream', stop.signal));
		if (!mine()) return none;
		if (!res.ok) return refusal(res, await res.text());
		if (!res.body || !/^text\/event-stream\b/i.test(res.headers.get('Content-Type') ?? '')) {
			return { kind: 'lost', why: 'no event stream', refused: true };
		}
		if (!this.live) this.on.opened();
		const reader = res.body.getReader();
		const text = new TextDecoder();
		const parser = new SseParser();
		let bye: Line | null = null;
		for (;;) {
			const { done, value } = await reader.read();
			if (!mine()) return none;
			if (done) break;
			const lines = parser.feed(text.decode(value, { stream: true })).flatMap(parseLines);
			for (const line of lines) {
				if (line.type === 'bye') bye = line;
				if (line.type === 'hello') this.greeted(line);
			}
			this.heardAt = this.env.now();
			if (this.live && mine()) this.on.lines(lines); // also with none: a comment is a sign of life
			if (bye && mine()) return farewell(bye); // the end of the answer may hang on the way
		}
		return { kind: 'lost', why: 'the stream has ended' };
	}

	private greeted(hello: Line): void {
		if (typeof hello.heartbeat === 'number') {
			this.heartbeat = hello.heartbeat * 1000;
			this.silence = 2 * this.heartbeat + GRACE;
		}
		this.tellable = true;
		void this.tell();
		if (this.live) return;
		this.live = true;
		this.on.live();
	}
}

function farewell(bye: Line): Ending {
	if (bye.code === 4001) return { kind: 'stop', reason: 'signed_out' };
	if (bye.code === 4003) return { kind: 'stop', reason: 'deactivated' };
	return {
		kind: 'lost',
		why: `bye: ${String(bye.reason)}`,
		planned: true,
		retryAfter: typeof bye.retry_after === 'number' ? bye.retry_after : undefined,
	};
}
