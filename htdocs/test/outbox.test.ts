// The sender: every message reaches the server once, in order, under one client_id, whatever gets lost on the way. Time,
// link, POST and server are fakes; the store and the reducer are the real ones.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Line, Message, Pending } from '../src/model/types';
import { ApiError } from '../src/net/api';
import { createStore } from '../src/store';
import { dropPending, forgetPerson, loadDrafts, loadOutbox, recallRung, recentKey, rememberRung, saveDraft, savePending, type Shelf } from '../src/sync/local';
import { Sender } from '../src/sync/sender';
import { Clock, ME, channel, message, page, pending, seeded, settled, signedIn, uuid } from './help';

/* Stores each client_id once, as the real one does. */
class FakeServer {
	stored: Message[] = [];
	store(ch: number, client_id: string, text: string): Message {
		const held = this.stored.find((m) => m.channel === ch && m.client_id === client_id);
		if (held) {
			assert.equal(held.body!.text, text, 'client_id reused for another text');
			return held;
		}
		const seq = this.stored.filter((m) => m.channel === ch).length + 1;
		const m = message(ch, seq, { sender: ME, client_id, body: { text } });
		this.stored.push(m);
		return m;
	}
	texts(ch = 1): string[] {
		return this.stored.filter((m) => m.channel === ch).map((m) => m.body!.text);
	}
}

interface Op {
	op: string;
	client_id: string;
	channel: number;
	body: { text: string };
}

class World {
	clock = new Clock();
	server = new FakeServer();
	store = createStore(signedIn(channel(1), channel(2)));
	link = true;
	online = true;
	ops: Op[] = [];
	posts: string[] = [];
	over = 0;
	/* What becomes of a POST: by default it is stored and answered. */
	onPost: (store: () => Message) => Promise<Message> = async (store) => store();
	sender = new Sender({
		store: this.store,
		instance: 'tab',
		sendOp: (op) => this.link && this.ops.push(op as Op) > 0,
		post: async (ch, id, body) => {
			this.posts.push(id);
			return this.onPost(() => this.server.store(ch, id, body.text));
		},
		online: () => this.online,
		now: this.clock.now,
		setTimeout: this.clock.setTimeout,
		clearTimeout: this.clock.clearTimeout,
		random: () => 0.5,
		onSessionOver: () => void this.over++,
	});

	add(...items: Pending[]): void {
		this.store.dispatch({ type: 'outbox/add', items });
		this.sender.pump();
	}
	get outbox(): readonly Pending[] {
		return this.store.get().outbox;
	}
	state(n: number): string | undefined {
		return this.outbox.find((p) => p.client_id === uuid(n))?.state;
	}
	/* The server takes the op; its ack comes (or is lost). */
	async take(op: Op, ack = true): Promise<void> {
		const m = this.server.store(op.channel, op.client_id, op.body.text);
		if (ack) this.hear({ type: 'ack', client_id: op.client_id, channel: op.channel, seq: m.seq, id: m.id });
		await settled();
	}
	/* As the client does it: the sender first, then the store. */
	hear(line: Line): void {
		if (line.type === 'ack') this.sender.onAck(line);
		if (line.type === 'error') this.sender.onError(line);
		this.store.dispatch({ type: 'lines', lines: [line] });
	}
}

describe('by ops', () => {
	test('one at a time in a channel, in the order they were written; channels do not wait for each other', async () => {
		const w = new World();
		w.add(pending(1), pending(2), pending(3), pending(4, { channel: 2 }));
		assert.deepEqual(w.ops.map((o) => o.client_id), [uuid(1), uuid(4)]);
		assert.equal(w.state(2), 'queued');
		await w.take(w.ops[0]!);
		assert.deepEqual(w.ops.map((o) => o.client_id), [uuid(1), uuid(4), uuid(2)]);
		await w.take(w.ops[2]!);
		await w.take(w.ops[3]!);
		await w.take(w.ops[1]!);
		assert.deepEqual(w.server.texts(), ['own 1', 'own 2', 'own 3']);
		assert.deepEqual(w.server.texts(2), ['own 4']);
		assert.deepEqual(w.outbox, []);
		assert.deepEqual(w.posts, []);
		assert.equal(w.clock.pending, 0);
	});

	test('pumped again and again it sends nothing twice', () => {
		const w = new World();
		w.add(pending(1), pending(2));
		for (let i = 0; i < 5; i++) w.sender.pump();
		assert.equal(w.ops.length, 1);
	});

	test('no ack within 5 s: the same client_id by POST, and it is there once', async () => {
		const w = new World();
		w.add(pending(1), pending(2));
		await w.take(w.ops[0]!, false);
		await w.clock.run(4_999);
		assert.deepEqual(w.posts, []);
		await w.clock.run(1);
		assert.deepEqual(w.posts, [uuid(1)]);
		assert.deepEqual(w.server.texts(), ['own 1']);
		assert.equal(w.state(1), undefined);
		assert.equal(w.state(2), 'sending', 'the next has its turn');
	});

	test('the ack comes after all, while the POST is on its way: once, and not failed', async () => {
		const w = new World();
		let fail: (e: unknown) => void = () => {};
		w.onPost = () => new Promise((_, reject) => (fail = reject));
		// The channel is open, so the message stays in the outbox until its event comes.
		w.store.dispatch({ type: 'log/open', channel: 1 });
		w.store.dispatch({ type: 'log/newest', channel: 1, page: page([]) });
		w.add(pending(1));
		await w.clock.run(5_000);
		assert.equal(w.posts.length, 1);
		await w.take(w.ops[0]!);
		fail(new ApiError(0, 'network', 'gone'));
		await w.clock.run(120_000);
		assert.equal(w.state(1), 'acked');
		w.hear({ type: 'message', cursor: 'c', ...w.server.stored[0]! });
		assert.deepEqual(w.outbox, []);
		assert.equal(w.posts.length, 1);
	});

	test('the link went before the ack: sent again on the next one under the same client_id', async () => {
		const w = new World();
		w.add(pending(1), pending(2));
		await w.take(w.ops[0]!, false);
		w.sender.onLive();
		assert.deepEqual(w.ops.map((o) => o.client_id), [uuid(1), uuid(1)]);
		await w.take(w.ops[1]!);
		await w.take(w.ops[2]!);
		assert.deepEqual(w.server.texts(), ['own 1', 'own 2']);
		assert.deepEqual(w.outbox, []);
		await w.clock.run(60_000);
		assert.deepEqual(w.posts, [], 'the timer of the first sending is gone');
	});

	test('the event alone shows that it is stored: the next still gets its turn', async () => {
		const w = new World();
		w.add(pending(1), pending(2));
		const m = w.server.store(1, uuid(1), 'own 1');
		w.hear({ type: 'message', cursor: 'c', ...m });
		assert.equal(w.state(1), undefined);
		await w.clock.run(6_000);
		assert.ok(w.ops.some((o) => o.client_id === uuid(2)));
		assert.deepEqual(w.server.texts(), ['own 1']);
	});
});

describe('by POST', () => {
	const without = (): World => {
		const w = new World();
		w.link = false;
		return w;
	};

	test('where the link takes no ops; order kept', async () => {
		const w = without();
		w.add(pending(1), pending(2), pending(3));
		await settled();
		assert.deepEqual(w.server.texts(), ['own 1', 'own 2', 'own 3']);
		assert.deepEqual(w.outbox, []);
	});

	test('stored, but the answer is lost: tried again under the same client_id until one comes through, stored once', async () => {
		const w = without();
		let losses = 3;
		w.onPost = async (store) => {
			const m = store();
			if (losses-- > 0) throw new ApiError(0, 'network', 'reset');
			return m;
		};
		w.add(pending(1), pending(2));
		await w.clock.run(60_000);
		assert.deepEqual(w.posts.slice(0, 4), Array(4).fill(uuid(1)));
		assert.deepEqual(w.server.texts(), ['own 1', 'own 2']);
		assert.deepEqual(w.outbox, []);
	});

	test('those behind wait for the one that is being tried again', async () => {
		const w = without();
		w.onPost = async () => {
			throw new ApiError(503, 'unavailable', 'away');
		};
		w.add(pending(1), pending(2), pending(3, { channel: 2 }));
		await w.clock.run(20_000);
		assert.ok(!w.posts.includes(uuid(2)));
		assert.ok(w.posts.includes(uuid(3)));
	});

	test('waits double up to half a minute, and never less than the server asked for', async () => {
		const w = without();
		const at: number[] = [];
		w.onPost = async () => {
			at.push(w.clock.time);
			throw new ApiError(503, 'unavailable', 'away', undefined, at.length === 1 ? 20 : undefined);
		};
		w.add(pending(1));
		await w.clock.run(200_000);
		const waits = at.slice(1).map((t, i) => Math.round((t - at[i]!) / 1000));
		assert.deepEqual(waits.slice(0, 7), [20, 2, 4, 8, 15, 15, 15]);
	});

	test('a link that is live again ends the wait', async () => {
		const w = without();
		w.onPost = async () => {
			throw new ApiError(503, 'unavailable', 'away', undefined, 300);
		};
		w.add(pending(1));
		await settled();
		w.link = true;
		w.sender.onLive();
		assert.equal(w.ops.length, 1);
	});

	test('offline nothing is tried; then all of it, in order', async () => {
		const w = without();
		w.online = false;
		w.add(pending(1), pending(2));
		await w.clock.run(600_000);
		assert.equal(w.posts.length, 0);
		w.online = true;
		w.sender.pump();
		await settled();
		assert.deepEqual(w.server.texts(), ['own 1', 'own 2']);
	});
});

describe('refusals', () => {
	test('that another try would not change: failed, with the reason; those behind pass', async () => {
		const w = new World();
		w.add(pending(1), pending(2));
		w.hear({ type: 'error', client_id: uuid(1), code: 'not_a_member', detail: 'you are not in it' });
		assert.equal(w.state(1), 'failed');
		assert.equal(w.outbox[0]!.error, 'you are not in it');
		assert.equal(w.ops[1]!.client_id, uuid(2));
		await w.take(w.ops[1]!);
		await w.clock.run(600_000);
		assert.equal(w.ops.length, 2, 'not tried again by itself');
	});

	test('asked for again: under the same client_id', async () => {
		const w = new World();
		w.add(pending(1));
		w.hear({ type: 'error', client_id: uuid(1), code: 'forbidden', detail: 'no' });
		w.sender.retry(uuid(1));
		assert.deepEqual(w.ops.map((o) => o.client_id), [uuid(1), uuid(1)]);
		assert.equal(w.outbox[0]!.error, undefined);
	});

	for (const code of ['busy', 'rate_limited', 'internal', 'unavailable']) {
		test(`${code}: tried again after the time that was named`, async () => {
			const w = new World();
			w.add(pending(1), pending(2));
			w.hear({ type: 'error', client_id: uuid(1), code, detail: '', retry_after: 10 });
			assert.equal(w.state(1), 'queued');
			await w.clock.run(9_999);
			assert.equal(w.ops.length, 1);
			await w.clock.run(2);
			assert.equal(w.ops.length, 2);
			assert.equal(w.ops[1]!.client_id, uuid(1), 'before those behind it');
		});
	}

	test('no session any more: it stays queued for the next one, and nothing more is tried', async () => {
		for (const by of ['op', 'post']) {
			const w = new World();
			w.link = by === 'op';
			w.onPost = async () => {
				throw new ApiError(401, 'unauthenticated', '');
			};
			w.add(pending(1), pending(2));
			if (by === 'op') w.hear({ type: 'error', client_id: uuid(1), code: 'unauthenticated', detail: '' });
			await settled();
			assert.equal(w.over, 1);
			assert.equal(w.state(1), 'queued');
			const tried = w.ops.length + w.posts.length;
			w.sender.pump();
			await w.clock.run(600_000);
			assert.equal(w.ops.length + w.posts.length, tried);
		}
	});

	test('a stray error, for something that is not on its way, changes nothing', () => {
		const w = new World();
		w.add(pending(1));
		w.hear({ type: 'error', client_id: uuid(9), code: 'forbidden', detail: '' });
		w.hear({ type: 'error', code: 'bad_request', detail: '' });
		assert.equal(w.state(1), 'sending');
	});
});

test("another tab's messages are left to it", () => {
	const w = new World();
	w.add(pending(1, { owner: 'another' }), pending(2));
	assert.deepEqual(w.ops.map((o) => o.client_id), [uuid(2)]);
});

test('stopped: no timer is left, and nothing is sent', async () => {
	const w = new World();
	w.add(pending(1));
	w.sender.stop();
	assert.equal(w.clock.pending, 0);
	w.add(pending(2));
	await w.clock.run(60_000);
	assert.equal(w.ops.length, 1);
	assert.equal(w.posts.length, 0);
});

test('any trouble at all: each message once, in order', async () => {
	for (let seed = 1; seed <= 40; seed++) {
		const random = seeded(seed);
		const w = new World();
		const chance = (p: number) => random() < p;
		w.onPost = async (store) => {
			await new Promise<void>((resolve) => w.clock.setTimeout(resolve, random() * 8_000));
			if (chance(0.2)) throw new ApiError(503, 'unavailable', '', undefined, random() * 3);
			const m = store();
			if (chance(0.3)) throw new ApiError(0, 'network', 'lost on the way back');
			return m;
		};
		let taken = 0;
		const written = { 1: [] as string[], 2: [] as string[] };
		for (let i = 1; i <= 60; i++) {
			if (i <= 30) {
				const p = pending(i, { channel: chance(0.7) ? 1 : 2 });
				written[p.channel as 1 | 2].push(p.text);
				w.add(p);
			}
			if (chance(0.2)) w.link = !w.link;
			if (chance(0.1)) w.online = !w.online;
			if (chance(0.2) && w.link) w.sender.onLive();
			while (taken < w.ops.length) {
				const op = w.ops[taken++]!;
				if (chance(0.2)) continue; // lost with its link
				if (chance(0.2)) w.hear({ type: 'error', client_id: op.client_id, code: 'busy', detail: '', retry_after: 1 });
				else await w.take(op, chance(0.7));
			}
			await w.clock.run(random() * 4_000);
		}
		w.online = true;
		w.link = false;
		w.onPost = async (store) => store();
		w.sender.onLive();
		await w.clock.run(120_000);
		assert.deepEqual(w.outbox, [], `seed ${seed}`);
		for (const ch of [1, 2] as const) assert.deepEqual(w.server.texts(ch), written[ch], `seed ${seed}, channel ${ch}`);
	}
});

class FakeShelf implements Shelf {
	held = new Map<string, string>();
	get = (key: string): string | null => this.held.get(key) ?? null;
	set = (key: string, value: string | null): void => void (value === null ? this.held.delete(key) : this.held.set(key, value));
	keys = (prefix: string): string[] => [...this.held.keys()].filter((k) => k.startsWith(prefix));
}

describe('what survives a reload', () => {
	test('messages, in their order; one that was on its way is queued again under its client_id', () => {
		const s = new FakeShelf();
		for (const p of [pending(3), pending(1, { state: 'sending' }), pending(2, { state: 'failed', error: 'no' })]) savePending(s, ME, p);
		const back = loadOutbox(s, ME);
		assert.deepEqual(back.map((p) => [p.client_id, p.state, p.text]), [
			[uuid(1), 'queued', 'own 1'],
			[uuid(2), 'failed', 'own 2'],
			[uuid(3), 'queued', 'own 3'],
		]);
		dropPending(s, ME, uuid(1));
		assert.deepEqual(loadOutbox(s, ME).map((p) => p.client_id), [uuid(2), uuid(3)]);
	});

	test('two people on one browser do not meet', () => {
		const s = new FakeShelf();
		savePending(s, 3, pending(1));
		savePending(s, 33, pending(2));
		saveDraft(s, 3, '12', 'mine');
		saveDraft(s, 33, '12', 'other');
		assert.deepEqual(loadOutbox(s, 3).map((p) => p.client_id), [uuid(1)]);
		assert.deepEqual(loadDrafts(s, 3), { 12: 'mine' });
		for (const user of [3, 33]) s.set(recentKey(user), '🎉');
		forgetPerson(s, 3);
		assert.deepEqual([3, 33].map((user) => s.get(recentKey(user))), [null, '🎉']);
		assert.deepEqual(loadOutbox(s, 3), []);
		assert.deepEqual(loadDrafts(s, 3), {});
		assert.deepEqual(loadOutbox(s, 33).map((p) => p.client_id), [uuid(2)]);
		assert.deepEqual(loadDrafts(s, 33), { 12: 'other' });
	});

	test('broken entries are passed over', () => {
		const s = new FakeShelf();
		savePending(s, ME, pending(1));
		const bad = ['', '{', 'null', '5', '[]', '{"client_id":1}', '{"client_id":"x","channel":"1","text":"t"}'];
		for (const [i, text] of bad.entries()) s.set(`out:${ME}:bad${i}`, text);
		assert.deepEqual(loadOutbox(s, ME).map((p) => p.client_id), [uuid(1)]);
		s.set('rung', '{');
		assert.equal(recallRung(s), null);
	});

	test('drafts: an empty one goes', () => {
		const s = new FakeShelf();
		saveDraft(s, ME, '1', 'half a sen');
		saveDraft(s, ME, '1', '');
		assert.deepEqual(loadDrafts(s, ME), {});
		assert.equal(s.held.size, 0);
	});

	test('the rung', () => {
		const s = new FakeShelf();
		rememberRung(s, { rung: 'poll', until: 5 });
		assert.deepEqual(recallRung(s), { rung: 'poll', until: 5 });
		rememberRung(s, null);
		assert.equal(recallRung(s), null);
	});
});
