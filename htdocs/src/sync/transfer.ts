// One file's way to the store: asks for it, sends it whole or in parts, and has it checked, until it is there. What is lost on
// the way is sent again, with growing pauses; what is there already is not.
import { ApiError } from '../net/api';
import type { Address, UploadAnswer, UploadWish } from '../net/uploads';
import type { StoredFile, UploadFault } from '../model/types';

export interface TransferEnv {
	begin(wish: UploadWish): Promise<UploadAnswer>;
	look(id: number): Promise<UploadAnswer>;
	parts(id: number, parts: { number: number; sha256: string }[]): Promise<(Address & { number: number })[]>;
	complete(id: number): Promise<UploadAnswer>;
	/* Answers the status, 0 where there was none. */
	put(to: Address, body: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<number>;
	sha256(body: Blob): Promise<string>;
	now(): number;
	/* Ends early when the network comes back; rejects when the signal is given. */
	pause(ms: number, signal: AbortSignal): Promise<void>;
	random(): number;
}

export class TransferError extends Error {
	constructor(
		readonly fault: UploadFault,
		readonly detail = '',
		/* What the store has of it may be gone on with; otherwise it is of no use. */
		readonly passing = false,
	) {
		super(`${fault} ${detail}`);
	}
}

export interface Progress {
	/* What the server calls it, from then on. */
	onId?(answer: UploadAnswer): void;
	onState?(state: 'uploading' | 'checking'): void;
	onSent?(bytes: number): void;
	/* It will be tried again at that time; 0: it is being tried. */
	onAgain?(at: number): void;
}

const PARTS_AT_ONCE = 3;
const SOON = 20_000; // ms; an address that ends within so long is not begun with
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
const TRIES = 9; // of one thing
const REFUSALS = 3; // of the store, each with a fresh address
const CHECK_AFTER = 400; // ms, then a half longer each time up to
const CHECK_EVERY = 5_000;
const FAULTS: Record<string, UploadFault> = {
	too_large: 'too_large',
	upload_differs: 'differs',
	upload_missing: 'store',
	not_a_member: 'forbidden',
	muted: 'forbidden',
	forbidden: 'forbidden',
	insufficient_scope: 'forbidden',
	store_unavailable: 'store',
};

/* What a refusal means to the person. */
export function faultOf(e: unknown): TransferError {
	if (e instanceof TransferError) return e;
	if (!(e instanceof ApiError)) return new TransferError('unreadable', e instanceof Error ? e.message : String(e));
	if (e.code === 'quota_exceeded') return new TransferError(e.retryAfter === undefined ? 'quota' : 'quota_day', e.detail);
	if (e.code === 'upload_differs' && e.field === 'type') return new TransferError('type', e.detail);
	return new TransferError(FAULTS[e.code] ?? (e.transient ? 'network' : 'refused'), e.detail);
}

const cancelled = (signal: AbortSignal): void => {
	if (signal.aborted) throw new DOMException('cancelled', 'AbortError');
};

export class Transfer {
	private sent = new Map<number, number>(); // part (0: the whole): bytes that have gone
	private there = 0; // bytes of parts that the store has

	/* What is sent; set before begin. */
	body = new Blob([]);

	constructor(
		private env: TransferEnv,
		private told: Progress,
		private signal: AbortSignal,
	) {}

	/* What has become of one that was begun before; null where the server does not know it any more. */
	look(id: number): Promise<UploadAnswer | null> {
		return this.stubborn(async () => {
			try {
				return await this.env.look(id);
			} catch (e) {
				if (e instanceof ApiError && e.status === 404) return null;
				throw e;
			}
		});
	}

	/* Asks for it; the same wish again is harmless. `whole`: in one piece, so that its hash is needed. */
	async begin(wish: UploadWish, whole: boolean): Promise<UploadAnswer> {
		const hashed = async () => ({ ...wish, sha256: await this.env.sha256(this.body) });
		let asked = whole ? await hashed() : wish;
		const answer = await this.stubborn(async () => {
			try {
				return await this.env.begin(asked);
			} catch (e) {
				if (!(e instanceof ApiError) || e.field !== 'sha256' || asked.sha256 !== undefined) throw e;
				asked = await hashed();
				return this.env.begin(asked);
			}
		});
		this.told.onId?.(answer);
		return answer;
	}

	/* From wherever it stands to the end. */
	async finish(begun: UploadAnswer): Promise<StoredFile> {
		let answer = begun;
		for (let again = 0; ; again++) {
			if (answer.state === 'erased') throw new TransferError('store', 'erased');
			if (answer.state === 'pending') {
				this.told.onState?.('uploading');
				if (answer.multipart) await this.sendParts(answer);
				else await this.sendWhole(answer);
			}
			if (answer.state === 'ready' || answer.state === 'attached') return answer.file;
			this.told.onState?.('checking');
			try {
				return await this.check(answer.id);
			} catch (e) {
				// The store said that it has it, and has it not: once more, from what there is.
				if (!(e instanceof ApiError) || e.code !== 'upload_missing' || again >= 2) throw e;
				answer = await this.stubborn(() => this.env.look(answer.id));
			}
		}
	}

	private async sendWhole(begun: UploadAnswer): Promise<void> {
		let to = begun.put;
		for (let fails = 1, refused = 0; ; fails++) {
			if (!to || this.old(to)) {
				const answer = await this.stubborn(() => this.env.look(begun.id));
				if (answer.state !== 'pending') return;
				to = answer.put;
				if (!to) throw new TransferError('store', 'no address');
			}
			const status = await this.env.put(to, this.body, (n) => this.went(0, n), this.signal);
			cancelled(this.signal);
			if (stored(status)) return;
			to = null;
			this.went(0, 0);
			if (refuses(status) && ++refused >= REFUSALS) throw new TransferError('store', String(status));
			await this.failed(fails);
		}
	}

	private async sendParts(begun: UploadAnswer): Promise<void> {
		const { part_size, parts, have } = begun.multipart!;
		const held = new Set(have.map((p) => p.number));
		const size = (n: number) => Math.min(part_size, this.body.size - (n - 1) * part_size);
		this.there = [...held].reduce((sum, n) => sum + size(n), 0);
		this.tell();
		const queue = Array.from({ length: parts }, (_, i) => i + 1).filter((n) => !held.has(n));
		// What one of them cannot get over ends the others too.
		const stop = new AbortController();
		const cancel = () => stop.abort();
		this.signal.addEventListener('abort', cancel);
		const worker = async () => {
			for (let n = queue.shift(); n !== undefined && !stop.signal.aborted; n = queue.shift()) {
				await this.sendPart(begun.id, n, this.body.slice((n - 1) * part_size, (n - 1) * part_size + size(n)), stop.signal);
				this.sent.delete(n);
				this.there += size(n);
				this.tell();
			}
		};
		try {
			await Promise.all(
				Array.from({ length: PARTS_AT_ONCE }, () =>
					worker().catch((e: unknown) => {
						stop.abort();
						throw e;
					}),
				),
			);
			cancelled(this.signal);
		} finally {
			this.signal.removeEventListener('abort', cancel);
			this.sent.clear();
		}
	}

	private async sendPart(id: number, number: number, piece: Blob, signal: AbortSignal): Promise<void> {
		const sum = await this.env.sha256(piece);
		let to: Address | null = null;
		for (let fails = 1, refused = 0; ; fails++) {
			cancelled(signal);
			if (!to || this.old(to)) {
				const [address] = await this.stubborn(() => this.env.parts(id, [{ number, sha256: sum }]), signal);
				if (!address) throw new TransferError('store', 'no address');
				to = address;
			}
			const status = await this.env.put(to, piece, (n) => this.went(number, n), signal);
			cancelled(signal);
			if (stored(status)) return;
			to = null;
			this.went(number, 0);
			if (refuses(status) && ++refused >= REFUSALS) throw new TransferError('store', String(status));
			await this.failed(fails, undefined, signal);
		}
	}

	private async check(id: number): Promise<StoredFile> {
		for (let wait = CHECK_AFTER; ; wait = Math.min(CHECK_EVERY, wait * 1.5)) {
			const answer = await this.stubborn(() => this.env.complete(id));
			if (answer.state === 'ready' || answer.state === 'attached') return answer.file;
			if (answer.state === 'erased') throw new TransferError('store', 'erased');
			await this.env.pause(wait, this.signal);
		}
	}

	/* Asks the server until it answers something that another try would not change. */
	private async stubborn<T>(ask: () => Promise<T>, signal = this.signal): Promise<T> {
		for (let fails = 1; ; fails++) {
			cancelled(signal);
			try {
				return await ask();
			} catch (e) {
				cancelled(signal);
				if (!(e instanceof ApiError) || !e.transient) throw e;
				await this.failed(fails, e.retryAfter, signal, e.code === 'store_unavailable' ? 'store' : 'network');
			}
		}
	}

	/* Waits for the next try, the longer the more have failed in a row; throws where they are too many. */
	private async failed(fails: number, retryAfter = 0, signal = this.signal, fault: UploadFault = 'network'): Promise<void> {
		if (fails >= TRIES) throw new TransferError(fault, '', true);
		const wait = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (fails - 1)) * (0.5 + this.env.random() / 2);
		const ms = Math.max(wait, retryAfter * 1000);
		this.told.onAgain?.(this.env.now() + ms);
		await this.env.pause(ms, signal);
		this.told.onAgain?.(0);
	}

	private old(to: Address): boolean {
		return Date.parse(to.expires_at) - this.env.now() < SOON;
	}

	private went(part: number, bytes: number): void {
		this.sent.set(part, bytes);
		this.tell();
	}

	private tell(): void {
		let all = this.there;
		for (const n of this.sent.values()) all += n;
		this.told.onSent?.(Math.min(all, this.body.size));
	}
}

/* 412: an earlier try has stored it, and its answer was lost; an address is good for one object and one time. */
const stored = (status: number): boolean => (status >= 200 && status < 300) || status === 412;
const refuses = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;
