// The uploads of a page: how many at once, what survives a reload, what a message waits for. Store and reducer are the real ones.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError } from '../src/net/api';
import type { Address, UploadAnswer, UploadWish } from '../src/net/uploads';
import type { Prepared } from '../src/media/prepare';
import { fileLimits, waitsForFiles } from '../src/model/uploads';
import type { Message, SentBody } from '../src/model/types';
import { createStore, type Store } from '../src/store';
import { Sender } from '../src/sync/sender';
import { Uploads } from '../src/sync/uploads';
import type { KeptUpload, UploadShelf } from '../src/sync/upload_shelf';
import { Clock, ME, channel, message, settled, signedIn, uuid } from './help';

const LIMITS = { message_files: 20, file_bytes: 1_000, multipart_above: 500 };

class FakeShelf implements UploadShelf {
	kept = new Map<string, KeptUpload>();
	load = async (user: number) => [...this.kept.values()].filter((k) => k.user === user).sort((a, b) => a.at - b.at);
	save = async (k: KeptUpload) => void this.kept.set(k.client_id, k);
	drop = async (id: string) => void this.kept.delete(id);
	forget = async () => this.kept.clear();
}

/* What the server and the store have, over reloads. */
class FakeSite {
	uploads = new Map<number, { wish: UploadWish; stored: boolean; state: UploadAnswer['state'] }>();
	aborted: number[] = [];
	onBegin: (w: UploadWish) => void = () => {};
	onComplete: (id: number) => void = () => {};
	/* Holds each PUT until it is let go. */
	hold = false;
	held: { name: string; go: (status?: number) => void }[] = [];

	answer(id: number): UploadAnswer {
		const u = this.uploads.get(id);
		if (!u) throw new ApiError(404, 'not_found', 'no');
		const { name, size, type, client_id, channel } = u.wish;
		const put: Address = { method: 'PUT', url: String(id), headers: {}, expires_at: '2099-01-01T00:00:00.000Z' };
		return {
			...{ id, client_id, channel, state: u.state, put: u.state === 'pending' ? put : null, multipart: null },
			file: { id, name, size, type, width: u.wish.width ?? null, height: u.wish.height ?? null, duration: null, thumbnail: null },
		};
	}
	begin(wish: UploadWish): UploadAnswer {
		this.onBegin(wish);
		for (const [id, u] of this.uploads) if (u.wish.client_id === wish.client_id) return this.answer(id);
		const id = this.uploads.size + 1;
		this.uploads.set(id, { wish, stored: false, state: 'pending' });
		return this.answer(id);
	}
	complete(id: number): UploadAnswer {
		this.onComplete(id);
		const u = this.uploads.get(id)!;
		if (!u.stored) throw new ApiError(422, 'upload_missing', 'no');
		u.state = 'ready';
		return this.answer(id);
	}
}

let uuids = 900;

class Page {
	clock = new Clock();
	store: Store;
	ready = 0;
	pictures: string[] = [];
	uploads: Uploads;
	prepare: (file: File) => Promise<Partial<Prepared>> = async () => ({});
	constructor(
		readonly site: FakeSite,
		readonly shelf: FakeShelf,
		readonly instance = 'tab',
	) {
		this.store = createStore(signedIn(channel(1), channel(2)));
		this.store.dispatch({ type: 'limits', limits: { files: LIMITS } });
		this.uploads = new Uploads({
			...{ store: this.store, instance, shelf },
			prepare: async (file) => ({
				...{ body: file, type: file.type || 'application/octet-stream', width: null, height: null, duration: null, thumb: null },
				...(await this.prepare(file)),
			}),
			begin: async (w) => site.begin(w),
			look: async (id) => site.answer(id),
			parts: async () => [],
			complete: async (id) => site.complete(id),
			abort: async (id) => void site.aborted.push(id),
			put: async (to, body, onSent, signal) => {
				const u = site.uploads.get(Number(to.url))!;
				onSent(Math.floor(body.size / 2));
				if (site.hold) {
					const status = await new Promise<number | undefined>((go) => {
						site.held.push({ name: u.wish.name, go });
						signal.addEventListener('abort', () => go(0));
					});
					if (status !== undefined) return status;
				}
				if (signal.aborted) throw new DOMException('', 'AbortError');
				u.stored = true;
				return 200;
			},
			sha256: async (b) => `${b.size}`,
			now: this.clock.now,
			random: () => 1,
			pause: (ms, signal) =>
				new Promise((resolve, reject) => {
					this.clock.setTimeout(resolve, ms);
					signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
				}),
			uuid: () => uuid(++uuids),
			picture: (b) => (this.pictures.push(`blob:${b.size}`), this.pictures.at(-1)!),
			forgetPicture: (a) => void this.pictures.splice(this.pictures.indexOf(a), 1),
			onSessionOver: () => assert.fail('the session is over'),
			onReady: () => void this.ready++,
		});
	}
	get list() {
		return this.store.get().uploads;
	}
	states(): string[] {
		return this.list.map((u) => `${u.name} ${u.fault ?? u.state}`);
	}
	id(name: string): string {
		return this.list.find((u) => u.name === name)!.client_id;
	}
	async settle(): Promise<void> {
		for (let i = 0; i < 40; i++) await settled();
	}
}

const file = (name: string, size = 10, type = 'text/plain', lastModified = 1) => new File([new Uint8Array(size)], name, { type, lastModified });
const page = (site = new FakeSite(), shelf = new FakeShelf(), instance?: string) => new Page(site, shelf, instance);

describe('uploads', () => {
	test('three at a time, in the order they were chosen; each becomes ready', async () => {
		const p = page();
		p.site.hold = true;
		p.uploads.add(
			1,
			['a', 'b', 'c', 'd', 'e'].map((n) => file(n)),
		);
		await p.settle();
		assert.deepEqual(
			p.site.held.map((h) => h.name),
			['a', 'b', 'c'],
		);
		assert.deepEqual(p.states(), ['a uploading', 'b uploading', 'c uploading', 'd preparing', 'e preparing']);
		p.site.held[1]!.go();
		await p.settle();
		assert.deepEqual(
			p.site.held.map((h) => h.name),
			['a', 'b', 'c', 'd'],
		);
		for (const h of p.site.held) h.go();
		await p.settle();
		p.site.held.at(-1)!.go();
		await p.settle();
		assert.deepEqual(p.states(), ['a ready', 'b ready', 'c ready', 'd ready', 'e ready']);
	});

	test('two large ones at once, so that a small one does not wait for films', async () => {
		const p = page();
		p.site.hold = true;
		p.uploads.add(1, [file('film1', 600), file('film2', 600), file('film3', 600), file('note')]);
		await p.settle();
		assert.deepEqual(
			p.site.held.map((h) => h.name),
			['film1', 'film2', 'note'],
		);
		for (const h of p.site.held.splice(0, 1)) h.go();
		await p.settle();
		assert.deepEqual(p.states(), ['film1 ready', 'film2 uploading', 'film3 uploading', 'note uploading']);
	});

	test('FI-2 what turns a name around is gone before it is shown or sent', async () => {
		const p = page();
		p.uploads.add(1, [file('report\u202etxt.exe'), file('a\u0000b\r\nc.txt')]);
		await p.settle();
		assert.deepEqual(
			p.list.map((u) => u.name),
			['reporttxt.exe', 'abc.txt'],
		);
	});

	test('too large: it says so, and nothing is asked', async () => {
		const p = page();
		p.uploads.add(1, [file('big', 1_001)]);
		await p.settle();
		p.uploads.retry(p.id('big'));
		await p.settle();
		assert.deepEqual(p.states(), ['big too_large']);
		assert.equal(p.site.uploads.size, 0);
	});

	test('where the site has no store nothing is taken', () => {
		const p = page();
		p.store.dispatch({ type: 'limits', limits: { files: null } });
		p.uploads.add(1, [file('a')]);
		assert.deepEqual(p.list, []);
	});

	test('cancelled on its way: gone here, aborted there, and the next has its turn', async () => {
		const p = page();
		p.site.hold = true;
		p.uploads.add(
			1,
			['a', 'b', 'c', 'd'].map((n) => file(n)),
		);
		await p.settle();
		p.uploads.cancel(p.id('b'));
		await p.settle();
		assert.deepEqual(p.site.aborted, [2]);
		assert.deepEqual(
			p.list.map((u) => u.name),
			['a', 'c', 'd'],
		);
		assert.deepEqual(
			p.site.held.map((h) => h.name),
			['a', 'b', 'c', 'd'],
		);
		assert.deepEqual(
			[...p.shelf.kept.values()].map((k) => k.name),
			['a', 'c', 'd'],
		);
	});

	test('its type was refused: again as a plain file, under another name', async () => {
		const p = page();
		p.site.onComplete = (id) => {
			if (p.site.uploads.get(id)!.wish.type !== 'application/octet-stream') throw new ApiError(422, 'upload_differs', 'is text/html', 'type');
		};
		p.uploads.add(1, [file('page.mp4', 10, 'video/mp4')]);
		await p.settle();
		assert.deepEqual(p.states(), ['page.mp4 type']);
		p.uploads.retry(p.id('page.mp4'));
		await p.settle();
		assert.deepEqual(p.states(), ['page.mp4 ready']);
		assert.equal(new Set([...p.site.uploads.values()].map((u) => u.wish.client_id)).size, 2);
		assert.deepEqual(p.site.aborted, [1]);
	});

	test('over the quota, muted, unreadable: each says why; another try is the same one', async () => {
		const p = page();
		const refusals = [new ApiError(403, 'quota_exceeded', 'full', undefined, 60), new ApiError(403, 'muted', 'you are muted'), null];
		p.site.onBegin = () => {
			const e = refusals.shift();
			if (e) throw e;
		};
		p.uploads.add(1, [file('a')]);
		await p.settle();
		assert.deepEqual(p.states(), ['a quota_day']);
		p.uploads.retry(p.id('a'));
		await p.settle();
		assert.deepEqual(p.states(), ['a forbidden']);
		p.uploads.retry(p.id('a'));
		await p.settle();
		assert.deepEqual(p.states(), ['a ready']);
		p.prepare = async () => {
			throw new DOMException('moved', 'NotReadableError');
		};
		p.uploads.add(1, [file('b')]);
		await p.settle();
		assert.deepEqual(p.states(), ['a ready', 'b unreadable']);
	});

	test('the network fails for long: it says so, and goes on by itself when it is back', async () => {
		const p = page();
		let away = true;
		p.site.onBegin = () => {
			if (away) throw new ApiError(0, 'network', 'no');
		};
		p.uploads.add(1, [file('a')]);
		await p.settle();
		assert.ok(p.list[0]!.again > p.clock.time, 'it will be tried again');
		await p.clock.run(300_000);
		await p.settle();
		assert.deepEqual(p.states(), ['a network']);
		away = false;
		p.uploads.wake();
		await p.settle();
		assert.deepEqual(p.states(), ['a ready']);
	});

	test('the store is away for long: what it has is gone on with; it refused: from nothing', async () => {
		const p = page();
		p.site.onComplete = () => {
			throw new ApiError(503, 'store_unavailable', 'no');
		};
		p.uploads.add(1, [file('a')]);
		await p.clock.run(300_000);
		await p.settle();
		assert.deepEqual(p.states(), ['a store']);
		p.site.onComplete = () => {};
		p.uploads.wake();
		await p.settle();
		assert.deepEqual([p.states(), p.site.uploads.size, p.site.aborted], [['a ready'], 1, []]);
		p.site.onComplete = () => {
			throw new ApiError(422, 'upload_missing', 'no');
		};
		p.uploads.add(1, [file('b')]);
		await p.settle();
		assert.deepEqual(p.states(), ['a ready', 'b store']);
		p.site.onComplete = () => {};
		p.uploads.retry(p.id('b'));
		await p.settle();
		assert.deepEqual([p.states(), p.site.uploads.size, p.site.aborted], [['a ready', 'b ready'], 3, [2]]);
	});

	test('its small picture goes beside it, and may fail', async () => {
		for (const fails of [false, true]) {
			const p = page();
			const thumb = { body: new Blob(['small'], { type: 'image/jpeg' }), width: 8, height: 6 };
			p.prepare = async () => ({ width: 1600, height: 1200, thumb });
			p.site.onBegin = (w) => {
				if (fails && w.thumbnail_of) throw new ApiError(422, 'unprocessable', 'no');
			};
			p.uploads.add(1, [file('a.jpg', 100, 'image/jpeg')]);
			await p.settle();
			assert.deepEqual(p.states(), ['a.jpg ready']);
			const wishes = [...p.site.uploads.values()].map((u) => u.wish);
			assert.deepEqual([wishes[0]!.width, wishes[0]!.height], [1600, 1200]);
			if (!fails) assert.deepEqual([wishes[1]!.thumbnail_of, wishes[1]!.width, wishes[1]!.type], [1, 8, 'image/jpeg']);
			assert.equal(wishes.length, fails ? 1 : 2);
			assert.equal(p.list[0]!.preview, 'blob:5');
		}
	});
});

describe('over a reload', () => {
	test('what was on its way goes on; what was there is there; what was not looked at is gone', async () => {
		const [site, shelf] = [new FakeSite(), new FakeShelf()];
		const before = page(site, shelf, 'before');
		before.uploads.add(1, [file('done')]);
		await before.settle();
		site.hold = true;
		before.uploads.add(1, [file('half')]);
		await before.settle();
		before.uploads.stop();
		await before.settle();
		site.hold = false;
		const after = page(site, shelf, 'after');
		await after.uploads.adopt(new Set(['after']));
		await after.settle();
		assert.deepEqual(after.states(), ['done ready', 'half ready']);
		assert.equal(site.uploads.size, 2, 'nothing was asked for anew');
		assert.ok([...shelf.kept.values()].every((k) => k.owner === 'after'));
	});

	test('those of a living page, and of another person, are let alone', async () => {
		const [site, shelf] = [new FakeSite(), new FakeShelf()];
		const other = page(site, shelf, 'other');
		other.uploads.add(1, [file('a')]);
		await other.settle();
		shelf.kept.set('x', { ...[...shelf.kept.values()][0]!, client_id: 'x', user: ME + 1, owner: 'dead' });
		const p = page(site, shelf);
		await p.uploads.adopt(new Set(['tab', 'other']));
		assert.deepEqual(p.list, []);
	});

	test('a file too large to be kept is asked for once more, and must be the same', async () => {
		const [site, shelf] = [new FakeSite(), new FakeShelf()];
		site.hold = true;
		const before = page(site, shelf, 'before');
		before.uploads.add(1, [file('film.bin', 400)]);
		await before.settle();
		before.uploads.stop();
		const [k] = shelf.kept.values();
		shelf.kept.set(k!.client_id, { ...k!, blob: null });
		site.hold = false;
		const after = page(site, shelf, 'after');
		await after.uploads.adopt(new Set());
		await after.settle();
		assert.deepEqual(after.states(), ['film.bin gone']);
		assert.equal(after.uploads.giveAgain(after.id('film.bin'), file('film.bin', 399)), false);
		assert.equal(after.uploads.giveAgain(after.id('film.bin'), file('other.bin', 400)), false);
		assert.equal(after.uploads.giveAgain(after.id('film.bin'), file('film.bin', 400)), true);
		await after.settle();
		assert.deepEqual(after.states(), ['film.bin ready']);
		assert.equal(site.uploads.size, 1);
	});

	test('it was written to meanwhile: parts of what it was are not gone on with', async () => {
		const [site, shelf] = [new FakeSite(), new FakeShelf()];
		site.hold = true;
		const before = page(site, shelf, 'before');
		before.uploads.add(1, [file('disk.img', 400)]);
		await before.settle();
		before.uploads.stop();
		const [k] = shelf.kept.values();
		shelf.kept.set(k!.client_id, { ...k!, blob: null });
		site.hold = false;
		const after = page(site, shelf, 'after');
		await after.uploads.adopt(new Set());
		await after.settle();
		assert.equal(after.uploads.giveAgain(after.id('disk.img'), file('disk.img', 400, 'text/plain', 2)), true);
		await after.settle();
		assert.deepEqual([after.states(), site.uploads.size, site.aborted], [['disk.img ready'], 2, [1]]);
		assert.equal([...shelf.kept.values()][0]!.chosen.modified, 2);
	});

	test('the server has collected it meanwhile: asked for anew', async () => {
		const [site, shelf] = [new FakeSite(), new FakeShelf()];
		site.hold = true;
		const before = page(site, shelf, 'before');
		before.uploads.add(1, [file('a'), file('b')]);
		await before.settle();
		before.uploads.stop();
		site.hold = false;
		site.uploads.get(1)!.state = 'erased';
		site.uploads.get(2)!.stored = true;
		site.uploads.get(2)!.state = 'checking';
		const after = page(site, shelf, 'after');
		await after.uploads.adopt(new Set());
		await after.settle();
		assert.deepEqual(after.states(), ['a ready', 'b ready']);
		assert.equal(site.uploads.size, 3);
	});
});

describe('a message with files', () => {
	/* The sender takes what has all its files; others pass by it. */
	const withSender = (p: Page) => {
		const sent: { client_id: string; body: SentBody }[] = [];
		const sender = new Sender({
			...{ store: p.store, instance: p.instance, sendOp: () => false, online: () => true, now: p.clock.now },
			...{ setTimeout: p.clock.setTimeout, clearTimeout: p.clock.clearTimeout, random: () => 0.5, onSessionOver: () => {} },
			post: async (ch: number, client_id: string, body: SentBody): Promise<Message> => {
				sent.push({ client_id, body });
				return message(ch, sent.length, { sender: ME, client_id });
			},
		});
		const send = (n: number, text: string) => {
			const files = p.uploads.attach(1, uuid(n));
			p.store.dispatch({
				type: 'outbox/add',
				items: [{ client_id: uuid(n), channel: 1, text, at: n, owner: p.instance, state: 'queued', ...(files ? { files } : {}) }],
			});
			sender.pump();
		};
		return { sent, sender, send };
	};

	test('goes when its last file is there; what is written after it does not wait', async () => {
		const p = page();
		const { sent, sender, send } = withSender(p);
		p.site.hold = true;
		p.uploads.add(1, [file('a'), file('b')]);
		await p.settle();
		send(1, 'look');
		send(2, 'and another thing');
		await p.settle();
		assert.deepEqual(
			sent.map((s) => s.body),
			[{ text: 'and another thing' }],
		);
		assert.ok(waitsForFiles(p.store.get().outbox.find((x) => x.client_id === uuid(1))!));
		p.site.held[0]!.go();
		await p.settle();
		sender.pump();
		assert.equal(sent.length, 1);
		p.site.held[1]!.go();
		await p.settle();
		assert.ok(p.ready >= 2);
		sender.pump();
		await p.settle();
		assert.deepEqual(sent[1]!.body, { text: 'look', files: [1, 2] });
	});

	test('files that were ready go with it at once, and their pictures are shown on', async () => {
		const p = page();
		const { sent, send } = withSender(p);
		p.prepare = async () => ({ width: 20, height: 10 });
		p.uploads.add(1, [file('a.png', 10, 'image/png')]);
		await p.settle();
		send(1, '');
		await p.settle();
		p.store.dispatch({ type: 'outbox/drop', client_id: uuid(1) });
		p.uploads.settle();
		assert.deepEqual(sent[0]!.body, { text: '', files: [1] });
		assert.deepEqual(p.list, []);
		assert.equal(p.uploads.pictureOf(1), 'blob:10');
		assert.deepEqual(p.site.aborted, []);
		assert.equal(p.shelf.kept.size, 0);
	});

	test('one that cannot be sent is taken off, and the rest goes; with nothing left there is no message', async () => {
		const p = page();
		const { sent, sender, send } = withSender(p);
		p.site.onBegin = (w) => {
			if (w.name !== 'good') throw new ApiError(403, 'quota_exceeded', 'full');
		};
		p.uploads.add(1, [file('bad'), file('good')]);
		await p.settle();
		send(1, '');
		p.uploads.cancel(p.id('bad'));
		sender.pump();
		await p.settle();
		assert.deepEqual(sent[0]!.body, { text: '', files: [1] });
		p.uploads.add(1, [file('bad')]);
		await p.settle();
		send(2, '');
		p.uploads.cancel(p.id('bad'));
		assert.ok(!p.store.get().outbox.some((x) => x.client_id === uuid(2)));
	});

	test('a reload while its files are sent: it waits for them on', async () => {
		const [site, shelf] = [new FakeSite(), new FakeShelf()];
		site.hold = true;
		const before = page(site, shelf, 'before');
		before.uploads.add(1, [file('a')]);
		await before.settle();
		const files = before.uploads.attach(1, uuid(1))!;
		await before.settle();
		before.uploads.stop();
		site.hold = false;
		const after = page(site, shelf, 'after');
		const { sent, sender } = withSender(after);
		const item = { client_id: uuid(1), channel: 1, text: 'late', at: 1, owner: 'after', state: 'queued' as const };
		// Of the second one nothing was kept.
		const lost = { ...files[0]!, upload: uuid(77), name: 'lost.txt' };
		after.store.dispatch({ type: 'outbox/add', items: [{ ...item, files: [files[0]!, lost] }] });
		await after.uploads.adopt(new Set());
		await after.settle();
		assert.deepEqual(after.states(), ['a ready', 'lost.txt gone']);
		assert.equal(after.uploads.giveAgain(uuid(77), file('lost.txt', 3)), true);
		await after.settle();
		sender.pump();
		await after.settle();
		assert.deepEqual(sent[0]!.body, { text: 'late', files: [1, 2] });
	});

	test('its message has gone while the page was away: what was kept of its files goes too', async () => {
		const [site, shelf] = [new FakeSite(), new FakeShelf()];
		const before = page(site, shelf, 'before');
		before.uploads.add(1, [file('a')]);
		await before.settle();
		before.uploads.attach(1, uuid(1));
		await before.settle();
		const after = page(site, shelf, 'after');
		await after.uploads.adopt(new Set());
		assert.deepEqual(after.list, []);
		assert.equal(shelf.kept.size, 0);
	});
});

test('limits: what the server says of files, and that it keeps none', () => {
	assert.equal(fileLimits({ message_chars: 20_000 }), null);
	assert.equal(fileLimits({ message_files: 0 }), null);
	assert.deepEqual(fileLimits({ message_files: 20, file_bytes: 2e9, multipart_above: 64e6 }), {
		message_files: 20,
		file_bytes: 2e9,
		multipart_above: 64e6,
	});
});
