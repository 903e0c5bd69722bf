// Ops that are to be answered: by the link where it takes ops, else, or where no answer comes, by POST. Only such as may be
// done twice: a mark is set, not moved.
import { OpsError } from './answers';
import { ApiError } from './api';
import type { Line } from '../model/types';

export interface OpsEnv {
	send(op: object): boolean;
	post(ops: readonly object[]): Promise<Line[]>;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
}

const ANSWER_IN = 5_000; // ms, by the link
const MOST = 200; // ops of one POST
const TRANSIENT = new Set(['busy', 'rate_limited', 'internal', 'unavailable']);

interface Asked {
	op: object;
	done: (line: Line) => void;
	failed: (e: ApiError) => void;
	timer: unknown;
}

export class Ops {
	private asked = new Map<string, Asked>();
	private waiting: Asked[] = [];
	private last = 0;
	private posting: unknown = null;
	private stopped = false;

	constructor(private env: OpsEnv) {}

	/* The answer, or an ApiError. Without a connection it fails at once, and with transient. */
	ask(op: object): Promise<Line> {
		return new Promise((done, failed) => {
			const ref = `o${++this.last}`;
			const asked: Asked = { op, done, failed, timer: null };
			if (!this.env.send({ ...op, ref })) return this.post(asked);
			this.asked.set(ref, asked);
			asked.timer = this.env.setTimeout(() => this.again(ref), ANSWER_IN);
		});
	}

	/* An ack or an error with a ref. */
	onAnswer(line: Line): void {
		const asked = typeof line.ref === 'string' ? this.asked.get(line.ref) : undefined;
		if (!asked) return;
		this.asked.delete(line.ref as string);
		this.env.clearTimeout(asked.timer);
		settle(asked, line);
	}

	/* What was asked on an older link will not be answered on this one. */
	onLive(): void {
		for (const ref of [...this.asked.keys()]) this.again(ref);
	}

	/* Posts now what is to be posted: the page goes. */
	flush(): void {
		this.env.clearTimeout(this.posting);
		this.posting = null;
		while (this.waiting.length) void this.postNow(this.waiting.splice(0, MOST));
	}

	stop(): void {
		this.stopped = true;
		for (const a of this.asked.values()) this.env.clearTimeout(a.timer);
		this.env.clearTimeout(this.posting);
		this.asked.clear();
	}

	private again(ref: string): void {
		const asked = this.asked.get(ref);
		if (!asked) return;
		this.asked.delete(ref);
		this.env.clearTimeout(asked.timer);
		this.post(asked);
	}

	/* Those of one moment go together. */
	private post(asked: Asked): void {
		if (this.stopped) return;
		this.waiting.push(asked);
		this.posting ??= this.env.setTimeout(() => this.flush(), 0);
	}

	private async postNow(list: Asked[]): Promise<void> {
		try {
			const lines = await this.env.post(list.map((a) => a.op));
			list.forEach((a, i) => settle(a, lines[i] ?? { type: 'error', code: 'internal', detail: 'no answer' }));
		} catch (e) {
			const refused = e instanceof OpsError && !e.transient;
			const why = new ApiError(refused ? 422 : 0, 'ops', '', undefined, e instanceof OpsError ? e.retryAfter : undefined);
			for (const a of list) a.failed(why);
		}
	}
}

function settle(asked: Asked, line: Line): void {
	if (line.type !== 'error') return asked.done(line);
	const code = String(line.code);
	const status = code === 'unauthenticated' ? 401 : TRANSIENT.has(code) ? 503 : 422;
	asked.failed(new ApiError(status, code, String(line.detail ?? code), undefined, typeof line.retry_after === 'number' ? line.retry_after : undefined));
}
