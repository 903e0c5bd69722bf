// One file's way to the store: store, server and time are fakes; what is lost is sent again, what is there is not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError } from '../src/net/api';
import type { Address, UploadAnswer, UploadWish } from '../src/net/uploads';
import type { StoredFile } from '../src/model/types';
import { Transfer, TransferError, faultOf, type TransferEnv } from '../src/sync/transfer';
import { Clock, settled } from './help';

const PART = 10;

/* Holds what was put, checks it when it is completed. */
class FakeStore implements TransferEnv {
	clock = new Clock();
	asked: string[] = [];
	puts: { url: string; body: string; headers: Record<string, string> }[] = [];
	parts_ = new Map<number, string>();
	whole: string | null = null;
	state: UploadAnswer['state'] = 'pending';
	wish: UploadWish | null = null;
	addresses = 0;
	expires = 3_600_000;
	checks = 0; // answers of "still checking" before it is ready
	multipart = false;
	/* What becomes of a PUT: its status, or undefined: it is stored. */
	onPut: (url: string, n: number) => number | undefined = () => undefined;
	/* What becomes of a question: throws, or lets it pass. */
	onAsk: (what: string, n: number) => void = () => {};

	private ask(what: string): void {
		this.asked.push(what);
		this.onAsk(what, this.asked.length);
	}
	private address(name: string): Address {
		return {
			method: 'PUT',
			url: `${name}#${++this.addresses}`,
			headers: { 'if-none-match': '*' },
			expires_at: new Date(this.clock.time + this.expires).toISOString(),
		};
	}
	get file(): StoredFile {
		const { name = '', size = 0, type = '' } = this.wish ?? {};
		return { id: 5, name, size, type, width: null, height: null, duration: null, thumbnail: null };
	}
	private answer(): UploadAnswer {
		const pending = this.state === 'pending';
		const size = this.wish!.size;
		return {
			...{ id: 5, client_id: this.wish!.client_id, state: this.state, channel: 1, file: this.file },
			put: pending && !this.multipart ? this.address('whole') : null,
			multipart: this.multipart
				? { part_size: PART, parts: Math.ceil(size / PART), have: [...this.parts_].map(([number, b]) => ({ number, size: b.length })) }
				: null,
		};
	}
	async begin(wish: UploadWish): Promise<UploadAnswer> {
		this.ask('begin');
		if (!this.multipart && !wish.sha256) throw new ApiError(400, 'bad_field', 'needed', 'sha256');
		if (this.wish) assert.deepEqual(wish, this.wish, 'the same wish');
		this.wish = wish;
		return this.answer();
	}
	async look(): Promise<UploadAnswer> {
		this.ask('look');
		return this.answer();
	}
	async parts(_id: number, parts: { number: number; sha256: string }[]) {
		this.ask('parts');
		return parts.map((p) => ({ ...this.address(`part${p.number}`), number: p.number }));
	}
	async complete(): Promise<UploadAnswer> {
		this.ask('complete');
		const there = this.multipart
			? [...this.parts_]
					.sort((a, b) => a[0] - b[0])
					.map((p) => p[1])
					.join('')
			: this.whole;
		if (there?.length !== this.wish!.size) throw new ApiError(422, 'upload_missing', 'not there');
		this.state = this.checks-- > 0 ? 'checking' : 'ready';
		return this.answer();
	}
	async put(to: Address, body: Blob, onSent: (n: number) => void, signal: AbortSignal): Promise<number> {
		const content = await body.text();
		this.puts.push({ url: to.url, body: content, headers: to.headers });
		onSent(Math.floor(body.size / 2));
		const status = this.onPut(to.url, this.puts.length);
		if (signal.aborted) throw new DOMException('', 'AbortError');
		if (status !== undefined) return status;
		if (Date.parse(to.expires_at) < this.clock.time) return 403;
		const part = /^part(\d+)/.exec(to.url);
		if (!part && this.whole !== null) return 412;
		if (part) this.parts_.set(Number(part[1]), content);
		else this.whole = content;
		onSent(body.size);
		return 200;
	}
	async sha256(body: Blob): Promise<string> {
		return `hash of ${await body.text()}`;
	}
	now = () => this.clock.time;
	random = () => 1;
	pause(ms: number, signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const cancel = () => reject(new DOMException('', 'AbortError'));
			signal.addEventListener('abort', cancel);
			this.clock.setTimeout(() => (signal.removeEventListener('abort', cancel), resolve()), ms);
		});
	}
}

const CONTENT = 'abcdefghijklmnopqrstuvwxyz0123456789'; // 36: four parts
const wish = (more: Partial<UploadWish> = {}): UploadWish => ({ client_id: 'c', channel: 1, name: 'a.txt', size: CONTENT.length, type: 'text/plain', ...more });

class World {
	store = new FakeStore();
	stop = new AbortController();
	states: string[] = [];
	sent: number[] = [];
	again: number[] = [];
	transfer = new Transfer(
		this.store,
		{ onState: (s) => this.states.push(s), onSent: (n) => this.sent.push(n), onAgain: (at) => at && this.again.push(at) },
		this.stop.signal,
	);
	constructor(multipart = false) {
		this.store.multipart = multipart;
		this.transfer.body = new Blob([CONTENT]);
	}
	/* Runs it, letting time pass as it waits; answers the file, or throws. */
	async run(whole = !this.store.multipart): Promise<StoredFile> {
		let over = false;
		const end = this.transfer
			.begin(wish(), whole)
			.then((a) => this.transfer.finish(a))
			.finally(() => (over = true));
		end.catch(() => {});
		for (let i = 0; i < 400 && !over; i++) {
			await settled();
			if (!over && this.store.clock.pending) await this.store.clock.next();
		}
		assert.ok(over, `it does not end: ${this.store.asked.slice(-5)}`);
		return end;
	}
}

describe('in one piece', () => {
	test('asked for with its hash, sent with the headers that were told, checked, ready', async () => {
		const w = new World();
		w.store.checks = 2;
		assert.equal((await w.run()).id, 5);
		assert.deepEqual(w.store.asked, ['begin', 'complete', 'complete', 'complete']);
		assert.equal(w.store.wish!.sha256, `hash of ${CONTENT}`);
		assert.deepEqual(
			w.store.puts.map((p) => p.headers),
			[{ 'if-none-match': '*' }],
		);
		assert.deepEqual(w.states, ['uploading', 'checking']);
		assert.deepEqual(w.sent, [18, 36]);
	});

	test('nothing at all is a file too', async () => {
		const w = new World();
		w.transfer.body = new Blob([]);
		const answer = await w.transfer.begin(wish({ size: 0 }), true);
		assert.equal((await w.transfer.finish(answer)).size, 0);
	});

	test('the connection breaks: again with growing pauses, up to half a minute, under a fresh address', async () => {
		const w = new World();
		w.store.onPut = (_, n) => (n < 8 ? 0 : undefined);
		const began = w.store.clock.time;
		await w.run();
		assert.deepEqual(
			w.again.map((at, i) => at - (i ? w.again[i - 1]! : began)),
			[1000, 2000, 4000, 8000, 16000, 30000, 30000],
		);
		assert.equal(new Set(w.store.puts.map((p) => p.url)).size, 8);
		assert.equal(w.store.whole, CONTENT);
	});

	test('it breaks again and again: it says so, and ends', async () => {
		const w = new World();
		w.store.onPut = () => 0;
		await assert.rejects(w.run(), (e: unknown) => e instanceof TransferError && e.fault === 'network');
		assert.equal(w.store.puts.length, 9);
	});

	test('stored, but the answer is lost: not sent over it, and it goes on', async () => {
		const w = new World();
		w.store.onPut = (_, n) => {
			if (n > 1) return undefined;
			w.store.whole = CONTENT;
			return 0;
		};
		await w.run();
		assert.equal(w.store.puts.length, 2);
		assert.equal(w.store.whole, CONTENT);
	});

	test('the address has run out before it is used, or while it is: a fresh one', async () => {
		const w = new World();
		w.store.onPut = (_, n) => (n === 1 ? 403 : undefined);
		await w.run();
		assert.deepEqual(w.store.asked, ['begin', 'look', 'complete']);
		const late = new World();
		late.store.expires = 10_000;
		await late.run();
		assert.deepEqual(late.store.asked, ['begin', 'look', 'complete']);
	});

	test('the store refuses each fresh address: it ends after three', async () => {
		const w = new World();
		w.store.onPut = () => 403;
		await assert.rejects(w.run(), (e: unknown) => e instanceof TransferError && e.fault === 'store' && e.detail === '403');
		assert.equal(w.store.puts.length, 3);
	});

	test('the server is away for each question once, and says when to come back', async () => {
		const w = new World();
		const seen = new Set<string>();
		w.store.onAsk = (what) => {
			if (seen.has(what)) return;
			seen.add(what);
			throw new ApiError(503, 'unavailable', 'away', undefined, 7);
		};
		const began = w.store.clock.time;
		await w.run();
		assert.deepEqual(w.store.asked, ['begin', 'begin', 'complete', 'complete']);
		assert.ok(w.store.clock.time - began >= 14_000);
	});

	test('the store has lost it meanwhile: sent once more', async () => {
		const w = new World();
		w.store.onPut = (_, n) => (n === 1 ? 200 : undefined); // says so, and keeps nothing
		await w.run();
		assert.deepEqual(w.store.asked, ['begin', 'complete', 'look', 'complete']);
	});

	test('a hash that was left out is made when it is asked for', async () => {
		const w = new World();
		await w.run(false);
		assert.equal(w.store.wish!.sha256, `hash of ${CONTENT}`);
	});

	test('cancelled while it is sent, and while it waits: it ends, and asks nothing more', async () => {
		for (const waits of [false, true]) {
			const w = new World();
			w.store.onPut = () => {
				if (waits) setImmediate(() => setImmediate(() => w.stop.abort()));
				else w.stop.abort();
				return 0;
			};
			const end = w.transfer.begin(wish(), true).then((a) => w.transfer.finish(a));
			await assert.rejects(end, { name: 'AbortError' });
			assert.deepEqual(w.store.asked, ['begin']);
		}
	});
});

describe('in parts', () => {
	test('each with its hash, three at a time, put together in order', async () => {
		const w = new World(true);
		await w.run();
		assert.equal(w.store.parts_.size, 4);
		assert.equal(
			[...w.store.parts_]
				.sort((a, b) => a[0] - b[0])
				.map((p) => p[1])
				.join(''),
			CONTENT,
		);
		assert.equal(w.store.wish!.sha256, undefined);
		assert.equal(w.sent.at(-1), 36);
		assert.ok(w.sent.every((n) => n <= 36));
	});

	test('only what the store has not is sent', async () => {
		const w = new World(true);
		w.store.parts_.set(2, CONTENT.slice(10, 20));
		w.store.parts_.set(4, CONTENT.slice(30));
		await w.run();
		assert.deepEqual(w.store.puts.map((p) => p.body).sort(), [CONTENT.slice(0, 10), CONTENT.slice(20, 30)]);
		assert.equal(w.sent[0], 16, 'it begins where it was');
	});

	test('one part breaks: that one again, the others not', async () => {
		const w = new World(true);
		let lost = 2;
		w.store.onPut = (url) => (url.startsWith('part3') && lost-- > 0 ? 0 : undefined);
		await w.run();
		assert.equal(w.store.puts.length, 6);
	});

	test('one part is refused for good: the others end too', async () => {
		const w = new World(true);
		w.store.onPut = (url) => (url.startsWith('part1') ? 400 : undefined);
		await assert.rejects(w.run(), (e: unknown) => e instanceof TransferError && e.fault === 'store');
	});
});

test('what a refusal means to the person', () => {
	const fault = (status: number, code: string, field?: string, retry?: number) => faultOf(new ApiError(status, code, 'because', field, retry)).fault;
	assert.equal(fault(413, 'too_large'), 'too_large');
	assert.equal(fault(403, 'quota_exceeded'), 'quota');
	assert.equal(fault(403, 'quota_exceeded', undefined, 3600), 'quota_day');
	assert.equal(fault(422, 'upload_differs', 'type'), 'type');
	assert.equal(fault(422, 'upload_differs', 'sha256'), 'differs');
	assert.equal(fault(403, 'muted'), 'forbidden');
	assert.equal(fault(503, 'store_unavailable'), 'store');
	assert.equal(fault(0, 'network'), 'network');
	assert.equal(faultOf(new ApiError(400, 'bad_field', 'a name is needed', 'name')).detail, 'a name is needed');
	assert.equal(faultOf(new DOMException('gone', 'NotReadableError')).fault, 'unreadable');
});
