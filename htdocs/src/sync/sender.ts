// Sends what is in the outbox: in order within a channel, one at a time, until the server has it exactly once.
//
// By an op where the link takes ops, else (or when its ack does not come) by POST: the client_id makes a second sending
// harmless. A refusal that another try would not change marks the message failed and lets those behind it pass.
import { ApiError } from '../net/api';
import type { Line, Message, Pending, SentBody, SentPlace } from '../model/types';
import { waitsForFiles } from '../model/uploads';
import type { Store } from '../store';

export interface SenderEnv {
	store: Store;
	instance: string;
	sendOp(op: object): boolean;
	post(channel: number, client_id: string, body: SentBody, place: SentPlace): Promise<Message>;
	online(): boolean;
	now(): number;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
	random(): number;
	onSessionOver(): void;
}

const ACK_IN = 5_000; // ms for the ack of an op; then by POST
const MAX_WAIT = 30_000;
const TRANSIENT = new Set(['busy', 'rate_limited', 'internal', 'unavailable']);

interface Flight {
	channel: number;
	timer: unknown;
}

/* The same at every try: the server holds a client_id to what was sent under it. */
function bodyOf(p: Pending): SentBody {
	const body: SentBody = { text: p.text };
	if (p.mentions?.length) body.mentions = p.mentions;
	const files = p.files?.flatMap((f) => (f.id === null ? [] : [f.id]));
	if (files?.length) body.files = files;
	if (p.reply_to) body.reply_to = p.reply_to;
	if (p.forward) body.forward = { channel: p.forward.channel, seq: p.forward.seq };
	return body;
}

const placeOf = (p: Pending): SentPlace => ({ ...(p.thread ? { thread: p.thread } : {}), ...(p.in_channel ? { in_channel: true } : {}) });

export class Sender {
	private flights = new Map<string, Flight>();
	private heldUntil = new Map<number, number>(); // channel: not before
	private tries = new Map<number, number>();
	private retryTimer: unknown = null;
	private stopped = false;

	constructor(private env: SenderEnv) {}

	/* Starts what can start. Called whenever something may have changed; does nothing when nothing has. */
	pump(): void {
		if (this.stopped || !this.env.online()) return;
		const busy = new Set<number>([...this.flights.values()].map((f) => f.channel));
		const now = this.env.now();
		let next = Infinity;
		for (const p of this.env.store.get().outbox) {
			// One that waits for its files holds nobody up.
			if (p.owner !== this.env.instance || p.state !== 'queued' || busy.has(p.channel) || waitsForFiles(p)) continue;
			busy.add(p.channel); // the first of a channel goes first, or none does
			const held = this.heldUntil.get(p.channel) ?? 0;
			if (held > now) next = Math.min(next, held);
			else this.launch(p);
		}
		this.env.clearTimeout(this.retryTimer);
		if (next !== Infinity) this.retryTimer = this.env.setTimeout(() => this.pump(), next - now + 1);
	}

	/* A link is live: what was in flight on an older one is sent again, and no one waits any longer. */
	onLive(): void {
		for (const [id, f] of this.flights) {
			if (f.timer === null) continue; // a POST looks after itself
			this.land(id);
			this.set(id, 'queued');
		}
		this.heldUntil.clear();
		this.tries.clear();
		this.pump();
	}

	onAck(line: Line): void {
		if (typeof line.client_id !== 'string') return;
		const f = this.flights.get(line.client_id);
		this.land(line.client_id);
		if (f) this.tries.delete(f.channel);
		queueMicrotask(() => this.pump()); // after the store has taken the ack
	}

	onError(line: Line): void {
		if (typeof line.client_id !== 'string') return;
		const f = this.flights.get(line.client_id);
		if (!f || f.timer === null) return;
		this.land(line.client_id);
		const code = String(line.code);
		if (code === 'unauthenticated') {
			this.set(line.client_id, 'queued');
			this.stopped = true;
			this.env.onSessionOver();
		} else if (TRANSIENT.has(code)) this.hold(line.client_id, f.channel, typeof line.retry_after === 'number' ? line.retry_after : undefined);
		else this.fail(line.client_id, String(line.detail ?? code));
	}

	retry(client_id: string): void {
		this.set(client_id, 'queued');
		this.pump();
	}

	stop(): void {
		this.stopped = true;
		for (const id of [...this.flights.keys()]) this.land(id);
		this.env.clearTimeout(this.retryTimer);
	}

	private launch(p: Pending): void {
		this.set(p.client_id, 'sending');
		if (!this.env.sendOp({ op: 'send', client_id: p.client_id, channel: p.channel, ...placeOf(p), body: bodyOf(p) })) return void this.post(p);
		const timer = this.env.setTimeout(() => {
			if (this.flights.has(p.client_id)) void this.post(p);
		}, ACK_IN);
		this.flights.set(p.client_id, { channel: p.channel, timer });
	}

	private async post(p: Pending): Promise<void> {
		this.flights.set(p.client_id, { channel: p.channel, timer: null });
		try {
			const message = await this.env.post(p.channel, p.client_id, bodyOf(p), placeOf(p));
			this.tries.delete(p.channel);
			this.flights.delete(p.client_id);
			this.env.store.dispatch({ type: 'outbox/acked', client_id: p.client_id, seq: message.seq });
			this.env.store.dispatch({ type: 'message', message });
			this.pump();
		} catch (e) {
			// An ack may have come meanwhile by the link.
			if (!this.flights.delete(p.client_id)) return;
			if (!(e instanceof ApiError)) this.fail(p.client_id, String(e));
			else if (e.status === 401) {
				this.set(p.client_id, 'queued');
				this.stopped = true;
				this.env.onSessionOver();
			} else if (e.transient) this.hold(p.client_id, p.channel, e.retryAfter);
			else this.fail(p.client_id, e.detail);
		}
	}

	private hold(client_id: string, channel: number, retryAfter?: number): void {
		const n = this.tries.get(channel) ?? 0;
		this.tries.set(channel, n + 1);
		const jitter = this.env.random() * Math.min(MAX_WAIT, 2_000 * 2 ** Math.min(n, 6));
		this.heldUntil.set(channel, this.env.now() + Math.max((retryAfter ?? 0) * 1000, jitter));
		this.set(client_id, 'queued');
		this.pump();
	}

	private fail(client_id: string, error: string): void {
		this.set(client_id, 'failed', error);
		this.pump();
	}

	private set(client_id: string, state: Pending['state'], error?: string): void {
		const p = this.env.store.get().outbox.find((x) => x.client_id === client_id);
		if (p && p.state !== 'acked') this.env.store.dispatch({ type: 'outbox/set', client_id, state, error });
	}

	private land(client_id: string): void {
		const f = this.flights.get(client_id);
		if (f?.timer) this.env.clearTimeout(f.timer);
		this.flights.delete(client_id);
	}
}
