// The whole client without its views, in a browser made of fakes: storage, socket, fetch, clock. What it loads and where it
// follows from, unsent messages over a reload with the ack lost, reset, the own coming and going, the end of a session.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { unreadOf } from '../src/model/unread';
import type { Channel, Message, OwnMarks } from '../src/model/types';
import { createStore } from '../src/store';
import { Client } from '../src/sync/client';
import { Clock, ME, channel, marks, membership, message, settled, signedIn, user } from './help';

let clock: Clock;
let site: Site;
const sockets: FakeSocket[] = [];
const storage = new Map<string, string>();

class FakeSocket {
	static readonly OPEN = 1;
	readyState = 0;
	onopen: (() => void) | null = null;
	onmessage: ((ev: { data: string }) => void) | null = null;
	onclose: ((ev: { code: number }) => void) | null = null;
	sent: Record<string, unknown>[] = [];
	cursor: string | null;
	reads: string | null;
	constructor(url: string) {
		this.reads = new URL(url).searchParams.get('reads');
		this.cursor = new URL(url).searchParams.get('cursor');
		sockets.push(this);
	}
	send(data: string): void {
		this.sent.push(JSON.parse(data) as Record<string, unknown>);
	}
	close(): void {
		this.readyState = 3;
	}
	says(...lines: object[]): void {
		this.onmessage?.({ data: lines.map((l) => JSON.stringify(l)).join('\n') });
	}
	/* Opens and replays what came after the cursor. */
	lives(): void {
		this.readyState = 1;
		this.onopen?.();
		this.says({ type: 'hello', cursor: String(site.log.length), heartbeat: 20 }, ...site.log.slice(Number(this.cursor ?? site.log.length)));
	}
	closes(code: number): void {
		this.readyState = 3;
		this.onclose?.({ code });
	}
	ops(op: string): Record<string, unknown>[] {
		return this.sent.filter((o) => o.op === op);
	}
}

/* The server: channels, one log, and answers that a test can hold back. */
class Site {
	channels = new Map<number, Channel>();
	messages = new Map<number, Message[]>();
	log: object[] = [];
	asked: string[] = [];
	signedOut = false;
	/* Ops that came by POST, one list for each. */
	posted: Record<string, unknown>[][] = [];
	bodies: unknown[] = [];
	urls: string[] = [];
	/* What every poll is told. */
	lines: object[] = [];
	me = signedIn().me!;
	/* Paths whose answers wait; made when they are asked for. */
	held = new Map<string, (() => void)[]>();

	add(c: Channel): void {
		this.channels.set(c.id, c);
		this.messages.set(c.id, this.messages.get(c.id) ?? []);
	}
	post(ch: number, sender: number, client_id: string, text = 'x'): Message {
		const list = this.messages.get(ch)!;
		const held = list.find((m) => m.client_id === client_id && m.sender === sender);
		if (held) return held;
		const m = message(ch, list.length + 1, { sender, client_id, body: { text } });
		list.push(m);
		const c = this.channels.get(ch)!;
		const mine = c.membership && { ...c.membership, unread: c.membership.unread + (sender === ME ? 0 : 1) };
		this.channels.set(ch, { ...c, last_seq: m.seq, membership: mine });
		this.say({ type: 'message', ...m });
		return m;
	}
	say(line: object): object {
		const full = { ...line, cursor: String(this.log.length + 1) };
		this.log.push(full);
		return full;
	}
	takes(op: Record<string, unknown>): Message {
		this.bodies.push(op.body);
		return this.post(op.channel as number, ME, op.client_id as string, (op.body as { text: string }).text);
	}
	fetch = async (url: string, init: RequestInit): Promise<Response> => {
		const { pathname, searchParams } = new URL(url, 'https://chat.example');
		this.urls.push(url);
		this.asked.push(`${init.method ?? 'GET'} ${pathname}`);
		const answer = this.answer(pathname, searchParams, init);
		// A hold ends with its link alone.
		const stream = (init.headers as Record<string, string>).Accept === 'text/event-stream';
		if (pathname === '/api/v1/events' && !stream && searchParams.get('wait') !== '0')
			await new Promise((_, reject) => init.signal!.addEventListener('abort', () => reject(new Error('aborted'))));
		const waiting = this.held.get(pathname);
		if (waiting) await new Promise<void>((resolve) => waiting.push(resolve));
		return answer;
	};
	private answer(path: string, query: URLSearchParams, init: RequestInit): Response {
		const json = (body: unknown, status = 200) =>
			new Response(JSON.stringify(body), { status, headers: { 'PulseChat-Cursor': String(this.log.length) } });
		if (this.signedOut) return json({ code: 'unauthenticated' }, 401);
		const [, id, rest] = /^\/api\/v1\/channels\/(\d+)(\/\w+)?$/.exec(path) ?? [];
		const c = id ? this.channels.get(Number(id)) : undefined;
		if (path === '/api/v1/me') return json(this.me);
		if ((init.headers as Record<string, string>).Accept === 'text/event-stream') return json({ code: 'not_acceptable' }, 406);
		if (path === '/api/v1/ops') {
			const ops = (init.body as string).trim().split('\n').map((l) => JSON.parse(l) as Record<string, unknown>);
			this.posted.push(ops);
			return new Response(ops.map((o) => JSON.stringify({ type: 'ack', channel: o.channel, seq: o.seq })).join('\n'));
		}
		if (path === '/api/v1/me/unread') {
			const mine = [...this.channels.values()].filter((x) => x.membership?.unread);
			return json({ channels: mine.map((x) => ({ ...x.membership, channel: x.id, last_seq: x.last_seq })), unread: 0, mentions: 0 });
		}
		if (path === '/api/v1/events') {
			const lines = [...this.lines, { type: 'cursor', cursor: String(this.log.length), retry_after: 0 }];
			return new Response(lines.map((l) => JSON.stringify(l)).join('\n'));
		}
		if (path === '/api/v1/site') return json({ name: 'Test', login: [], version: '1' });
		if (path === '/api/v1/users') return json({ users: query.get('ids')!.split(',').map((n) => user(Number(n))) });
		if (path === '/api/v1/channels') return json({ channels: [...this.channels.values()].filter((x) => x.membership), next: null });
		if (!c) return json({ code: 'not_found' }, 404);
		if (!rest) return json(c);
		if (rest !== '/messages') return json({ code: 'not_found' }, 404);
		if (init.method === 'POST') {
			const body = JSON.parse(init.body as string) as Record<string, unknown>;
			return json(this.takes({ ...body, channel: c.id }), 201);
		}
		const all = this.messages.get(c.id)!;
		const after = Number(query.get('after') ?? 0);
		const limit = Number(query.get('limit'));
		const list = query.has('after') ? all.filter((m) => m.seq > after).slice(0, limit) : all.slice(-limit);
		return json({ messages: list, has_before: (list[0]?.seq ?? 1) > 1, has_after: (list.at(-1)?.seq ?? after) < all.length });
	}
	release(path: string): Promise<void> {
		for (const f of this.held.get(path) ?? []) f();
		this.held.delete(path);
		return turns();
	}
}

/* Requests go through several turns of the event loop. */
async function turns(): Promise<void> {
	for (let i = 0; i < 12; i++) await settled();
}
async function pass(ms: number): Promise<void> {
	await clock.run(ms);
	await turns();
}

const doc = Object.assign(new EventTarget(), { visibilityState: 'visible', hasFocus: () => true });
const define = (name: string, value: unknown) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
const win = new EventTarget();
define('window', win);
define('document', doc);
define('addEventListener', win.addEventListener.bind(win));
define('removeEventListener', win.removeEventListener.bind(win));
define('location', { origin: 'https://chat.example', assign: () => {} });
define('navigator', { onLine: true });
define('WebSocket', FakeSocket);
define('crypto', webcrypto);
define('fetch', (url: string, init: RequestInit) => site.fetch(url, init));
define('localStorage', {
	get length() {
		return storage.size;
	},
	key: (i: number) => [...storage.keys()][i] ?? null,
	getItem: (k: string) => storage.get(k) ?? null,
	setItem: (k: string, v: string) => void storage.set(k, v),
	removeItem: (k: string) => void storage.delete(k),
});
define('setTimeout', (f: () => void, ms?: number) => clock.setTimeout(f, ms));
define('setInterval', (f: () => void, ms: number) => clock.setInterval(f, ms));
define('clearTimeout', (t: unknown) => clock.clearTimeout(t));
define('clearInterval', (t: unknown) => clock.clearTimeout(t));
Date.now = () => clock.time;

/* A tab that has been loaded. */
class Tab {
	static all: Tab[] = [];
	store = createStore();
	client = new Client(this.store);
	gone: number[] = [];
	static async open(live = true): Promise<Tab> {
		const tab = new Tab();
		Tab.all.push(tab);
		tab.client.hooks = { told: () => {}, notFound: () => {}, left: (c) => void tab.gone.push(c.id) };
		void tab.client.start();
		await turns();
		if (live) sockets.at(-1)!.lives();
		await pass(2_000);
		return tab;
	}
	get socket(): FakeSocket {
		return sockets.at(-1)!;
	}
	get s() {
		return this.store.get();
	}
	texts(ch = 1): string[] {
		return this.s.logs[ch]!.messages.map((m) => m.body!.text);
	}
	/* As a browser does it: nothing more runs, what is stored stays. */
	async reload(live = true): Promise<Tab> {
		const { time } = clock;
		clock = new Clock();
		clock.time = time;
		for (const s of sockets) s.onopen = s.onmessage = s.onclose = null;
		this.client.stop();
		return Tab.open(live);
	}
}
const unsent = (): string[] => [...storage.keys()].filter((k) => k.startsWith('pulsechat:out:'));

beforeEach(() => {
	clock = new Clock();
	site = new Site();
	sockets.length = 0;
	storage.clear();
	site.add(channel(1));
});

afterEach(() => {
	for (const tab of Tab.all.splice(0)) tab.client.stop();
});

describe('the start', () => {
	test('it follows from the cursor of the list it has loaded: what comes between is not lost', async () => {
		site.post(1, 7, 'before');
		const tab = await Tab.open(false);
		site.post(1, 7, 'between');
		assert.equal(tab.socket.cursor, '1');
		tab.socket.lives();
		assert.equal(tab.s.channels[1]!.last_seq, 2);
		assert.equal(unreadOf(tab.s.channels[1]!), 2);
		assert.equal(tab.s.connection.status, 'live');
	});

	test('without a session it does not follow', async () => {
		site.signedOut = true;
		const tab = await Tab.open(false);
		assert.equal(tab.s.phase, 'signed_out');
		assert.equal(sockets.length, 0);
	});
});

describe('unsent messages over a reload', () => {
	const POST = 'POST /api/v1/channels/1/messages';

	test('the op was taken, its ack lost with the page: sent again under the same client_id, there once', async () => {
		const tab = await Tab.open();
		tab.client.send(1, 'hello');
		const [op] = tab.socket.ops('send');
		const m = site.takes(op!);
		assert.equal(unsent().length, 1);

		const next = await tab.reload();
		next.client.open(1);
		await turns();
		assert.notEqual(next.client.instance, tab.client.instance);
		assert.deepEqual(site.asked.filter((a) => a === POST), [POST], 'at once, since no link was there yet');
		assert.deepEqual(site.messages.get(1), [m]);
		assert.deepEqual(next.texts(), ['hello']);
		assert.deepEqual(next.s.outbox, []);
		assert.deepEqual(unsent(), []);
	});

	test('several, none of them taken: all there, in their order, before what is written now', async () => {
		const tab = await Tab.open();
		for (const text of ['one', 'two', 'three']) tab.client.send(1, text);
		assert.equal(tab.socket.ops('send').length, 1);
		assert.equal(unsent().length, 3);

		site.held.set('/api/v1/channels/1/messages', []);
		const next = await tab.reload();
		next.client.send(1, 'four');
		await site.release('/api/v1/channels/1/messages');
		const ack = (op: Record<string, unknown>) => {
			const m = site.takes(op);
			next.socket.says({ type: 'ack', client_id: m.client_id, channel: 1, seq: m.seq, id: m.id });
		};
		for (let i = 0; i < 3; i++) {
			ack(next.socket.ops('send')[i]!);
			await turns();
		}
		assert.deepEqual(site.messages.get(1)!.map((m) => m.body!.text), ['one', 'two', 'three', 'four']);
		assert.deepEqual(unsent(), []);
	});

	test('reloaded again and again, with every ack and answer lost: there once', async () => {
		let tab = await Tab.open();
		tab.client.send(1, 'once');
		site.takes(tab.socket.ops('send')[0]!);
		for (let i = 0; i < 4; i++) {
			site.held.set('/api/v1/channels/1/messages', []);
			tab = await tab.reload();
			assert.equal(unsent().length, 1);
		}
		assert.equal(site.asked.filter((a) => a === POST).length, 4);
		await site.release('/api/v1/channels/1/messages');
		assert.equal(site.messages.get(1)!.length, 1);
		assert.deepEqual(unsent(), []);
		assert.deepEqual(tab.s.outbox, []);
	});

	test('acked: nothing is kept, and nothing sent again', async () => {
		const tab = await Tab.open();
		tab.client.send(1, 'hello');
		const m = site.takes(tab.socket.ops('send')[0]!);
		tab.socket.says({ type: 'ack', client_id: m.client_id, channel: 1, seq: m.seq, id: m.id });
		await turns();
		assert.deepEqual(unsent(), []);
		const next = await tab.reload();
		assert.equal(next.socket.ops('send').length, 0);
	});

	test('refused or discarded: kept to be seen, gone when thrown away', async () => {
		const tab = await Tab.open();
		tab.client.send(1, 'no');
		tab.socket.says({ type: 'error', client_id: tab.s.outbox[0]!.client_id, code: 'forbidden', detail: 'not here' });
		const next = await tab.reload();
		assert.equal(next.s.outbox[0]!.state, 'failed');
		assert.equal(next.s.outbox[0]!.error, 'not here');
		assert.equal(next.socket.ops('send').length, 0);
		next.client.discard(next.s.outbox[0]!.client_id);
		assert.deepEqual(unsent(), []);
	});

	test('a draft stays, and goes with the sending', async () => {
		const tab = await Tab.open();
		tab.client.setDraft(1, 'half a sen');
		const next = await tab.reload();
		assert.deepEqual(next.s.drafts, { 1: 'half a sen' });
		next.client.send(1, 'half a sentence');
		assert.deepEqual((await next.reload()).s.drafts, {});
	});
});

describe('the link', () => {
	test('lost: it comes back from the last line, and what came meanwhile is there once', async () => {
		const tab = await Tab.open();
		tab.client.open(1);
		await turns();
		site.post(1, 7, 'a');
		tab.socket.says(site.log[0]!);
		tab.socket.closes(1012);
		site.post(1, 7, 'b');
		await pass(3_000);
		assert.equal(tab.socket.cursor, '1');
		tab.socket.lives();
		await turns();
		assert.deepEqual(tab.s.logs[1]!.messages.map((m) => m.seq), [1, 2]);
	});

	test('the rung that works here is remembered over a reload, for an hour', async () => {
		const tab = await Tab.open(false);
		tab.socket.closes(1006);
		await pass(1_000);
		assert.ok(site.asked.includes('GET /api/v1/events'));
		assert.equal(tab.s.connection.rung, 'poll');
		sockets.length = 0;
		clock.sleep(3_500_000);
		const next = await tab.reload(false);
		assert.equal(next.s.connection.rung, 'poll');
		assert.equal(sockets.length, 0);
		clock.sleep(100_000);
		await next.reload(false);
		assert.equal(sockets.length, 1);
	});

	for (const [code, phase] of [
		[4001, 'ended'],
		[4003, 'deactivated'],
	] as const) {
		test(`closed with ${code}: ${phase}, and nothing runs any more`, async () => {
			const tab = await Tab.open();
			tab.socket.closes(code);
			assert.equal(tab.s.phase, phase);
			await pass(3_600_000);
			win.dispatchEvent(new Event('online'));
			doc.dispatchEvent(new Event('visibilitychange'));
			assert.equal(sockets.length, 1);
			assert.equal(clock.pending, 0);
		});
	}

	test('the own session is revoked, or all are; not when it was another one', async () => {
		for (const [session, phase] of [
			[4, 'ready'],
			[5, 'ended'],
			[null, 'ended'],
		] as const) {
			const tab = await Tab.open();
			tab.socket.says(site.say({ type: 'session.revoked', session }));
			assert.equal(tab.s.phase, phase, String(session));
			tab.client.stop();
		}
	});
});

describe('reset', () => {
	test('the lists and what is open are loaded again, and what was held is not trusted', async () => {
		const tab = await Tab.open();
		site.add(channel(2));
		tab.client.open(1);
		await turns();
		for (let i = 0; i < 5; i++) site.post(1, 7, `m${i}`, `text ${i}`);
		site.log.length = 0;
		tab.socket.says({ type: 'reset', cursor: '0', reason: 'too old' });
		assert.equal(tab.s.connection.catchingUp, true);
		await turns();
		assert.equal(tab.s.connection.catchingUp, false);
		assert.deepEqual(Object.keys(tab.s.channels), ['1', '2']);
		assert.deepEqual(tab.texts(), ['text 0', 'text 1', 'text 2', 'text 3', 'text 4']);
		assert.equal(tab.s.channels[1]!.last_seq, 5);
		assert.equal(tab.client.ladder.cursor, '0');
	});
});

describe('the life of a page', () => {
	const goes = (target: EventTarget, type: string, more: object = {}) => target.dispatchEvent(Object.assign(new Event(type), more));

	for (const [name, away, back] of [
		['frozen', () => goes(doc, 'freeze'), () => goes(doc, 'resume')],
		['in the back-forward cache', () => goes(win, 'pagehide', { persisted: true }), () => goes(win, 'pageshow', { persisted: true })],
	] as const) {
		test(`TM-2 ${name}: no connection and no timer that opens one; then one, from the last line`, async () => {
			const tab = await Tab.open();
			tab.client.open(1);
			await turns();
			site.post(1, 7, 'a');
			tab.socket.says(site.log[0]!);
			away();
			assert.equal(tab.socket.readyState, 3);
			site.post(1, 7, 'b');
			clock.sleep(600_000);
			await pass(5_000);
			assert.equal(sockets.length, 1);
			back();
			await pass(1_000);
			assert.equal(sockets.length, 2);
			assert.equal(tab.socket.cursor, '1');
			tab.socket.lives();
			await pass(10_000);
			assert.equal(sockets.length, 2);
			assert.deepEqual(tab.s.logs[1]!.messages.map((m) => m.seq), [1, 2]);
		});
	}

	test('a page that is shown for the first time opens no second connection', async () => {
		await Tab.open();
		goes(win, 'pageshow', { persisted: false });
		await turns();
		assert.equal(sockets.length, 1);
	});

	const signsIn = async (user: number, session: number) => {
		site.me = { user: { ...site.me.user, id: user }, session: { ...site.me.session, id: session } };
		goes(win, 'storage', { key: 'pulsechat:who', newValue: `${user}/${session}` });
		await turns();
	};

	test('another person signs in in another tab: this one ends, since its requests are theirs now', async () => {
		const tab = await Tab.open();
		await signsIn(9, 8);
		assert.equal(tab.s.phase, 'ended');
		assert.equal(tab.socket.readyState, 3);
	});

	test('the same person signs in again in another tab: this one goes on with that session', async () => {
		const tab = await Tab.open();
		await signsIn(ME, 8);
		assert.equal(tab.s.phase, 'ready');
		assert.equal(sockets.length, 2);
		tab.socket.lives();
		tab.socket.says(site.say({ type: 'session.revoked', session: 5 }));
		assert.equal(tab.s.phase, 'ready', 'the old one may end');
		tab.socket.says(site.say({ type: 'session.revoked', session: 8 }));
		assert.equal(tab.s.phase, 'ended');
	});

	test('a connection that turns out to be of another person brings nothing', async () => {
		const tab = await Tab.open(false);
		const m = message(1, 1);
		tab.socket.onopen?.();
		tab.socket.says({ type: 'hello', cursor: '1', user: 9 }, { type: 'message', cursor: '1', ...m });
		assert.equal(tab.s.phase, 'ended');
		assert.equal(tab.s.channels[1]!.last_seq, 0);
	});

	test('another tab has found a connection to share, or a better rung: this one does not wait', async () => {
		const tab = await Tab.open();
		tab.socket.closes(1012);
		goes(win, 'storage', { key: 'pulsechat:live', newValue: `${ME}/6 1` });
		assert.equal(sockets.length, 1, 'of another session');
		goes(win, 'storage', { key: 'pulsechat:live', newValue: `${ME}/5 1` });
		assert.equal(sockets.length, 2);
		tab.socket.closes(1006);
		await pass(100);
		assert.equal(tab.s.connection.rung, 'poll');
		goes(win, 'storage', { key: 'pulsechat:better', newValue: '1' });
		assert.equal(sockets.length, 3);
	});
});

describe('a database that was restored', () => {
	for (const reason of ['other epoch', 'above the head', 'something new']) {
		test(`${reason}: what it knows counts, though it is older than what we held`, async () => {
			for (let i = 0; i < 5; i++) site.post(1, 7, `m${i}`, `text ${i}`);
			site.add({ ...site.channels.get(1)!, version: 7, name: 'later' });
			const tab = await Tab.open();
			tab.client.open(1);
			await turns();
			assert.equal(tab.s.channels[1]!.name, 'later');
			site.messages.get(1)!.length = 2;
			site.add(channel(1, { version: 2, name: 'earlier', last_seq: 2, membership: membership({ last_read_seq: 1, unread: 1 }) }));
			site.log.length = 0;
			tab.socket.says({ type: 'reset', cursor: '0', reason });
			await turns();
			assert.equal(tab.s.channels[1]!.name, 'earlier');
			assert.equal(tab.s.channels[1]!.last_seq, 2);
			assert.deepEqual(tab.texts(), ['text 0', 'text 1']);
			assert.equal(unreadOf(tab.s.channels[1]!), 1);
			// The next message has a number that had been another's.
			site.post(1, 7, 'new', 'again');
			tab.socket.says(site.log.at(-1)!);
			await turns();
			assert.deepEqual(tab.texts(), ['text 0', 'text 1', 'again']);
		});
	}
});

describe('coming and going', () => {
	const joined = (id: number) => site.say({ type: 'member.joined', channel: id, user: ME, role: 'member', since: 1, joined_at: '' });
	const left = (id: number) => site.say({ type: 'member.left', channel: id, user: ME });

	test('on the own member.joined the channel is loaded; on member.left it goes, and the view is told', async () => {
		const tab = await Tab.open();
		site.add(channel(2));
		tab.socket.says(joined(2));
		await turns();
		assert.ok(tab.s.channels[2]);
		tab.socket.says(left(2));
		assert.equal(tab.s.channels[2], undefined);
		assert.deepEqual(tab.gone, [2]);
	});

	test('an answer that was under way when we left does not bring the channel back', async () => {
		const tab = await Tab.open();
		site.add(channel(2));
		site.held.set('/api/v1/channels/2', []);
		tab.socket.says(joined(2));
		await turns();
		site.channels.delete(2);
		tab.socket.says(left(2));
		await site.release('/api/v1/channels/2');
		await pass(60_000);
		assert.equal(tab.s.channels[2], undefined);
	});

	test('nor does a list', async () => {
		site.add(channel(2));
		const tab = await Tab.open();
		site.held.set('/api/v1/channels', []);
		tab.socket.says({ type: 'reset', cursor: '0', reason: 'too old' });
		await turns();
		site.channels.delete(2);
		tab.socket.says(left(2));
		await site.release('/api/v1/channels');
		await pass(60_000);
		assert.deepEqual(Object.keys(tab.s.channels), ['1']);
	});

	test('left and joined again while an older answer was under way: it is there', async () => {
		const tab = await Tab.open();
		site.add(channel(2));
		site.held.set('/api/v1/channels/2', []);
		tab.socket.says(joined(2));
		await turns();
		site.add(channel(2, { membership: membership({ since: 9 }) }));
		tab.socket.says(left(2), joined(2));
		await site.release('/api/v1/channels/2');
		await pass(5_000);
		assert.equal(tab.s.channels[2]!.membership!.since, 9);
	});
});

describe('the own marker', () => {
	const told = (more: Partial<OwnMarks> = {}, id = 1) => ({ type: 'read', channel: id, ...marks(more) });
	const acks = (tab: Tab, op: string) => {
		for (const o of tab.socket.ops(op)) tab.socket.says({ type: 'ack', ref: o.ref, channel: o.channel, seq: o.seq });
	};
	const withMessages = async (n: number): Promise<Tab> => {
		const tab = await Tab.open();
		tab.client.open(1);
		for (let i = 0; i < n; i++) {
			site.post(1, 7, `m${i}`);
			tab.socket.says(site.log.at(-1)!);
		}
		await turns();
		return tab;
	};
	const unread = (tab: Tab): number => unreadOf(tab.s.channels[1]!);

	test('what was seen counts as read at once, and is told once for many', async () => {
		const tab = await withMessages(5);
		assert.equal(unread(tab), 5);
		for (const seq of [1, 2, 3, 4]) tab.client.reader.seen(1, seq);
		assert.equal(unread(tab), 1);
		assert.equal(tab.socket.ops('read').length, 0);
		await pass(1_000);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [4]);
		tab.client.reader.seen(1, 3);
		acks(tab, 'read');
		await pass(20_000);
		assert.equal(tab.socket.ops('read').length, 1, 'not backwards, and not again');
	});

	test('without a link it waits for one, and goes where the other one was lost before its answer', async () => {
		const tab = await withMessages(3);
		tab.socket.closes(1012);
		tab.client.reader.seen(1, 2);
		await pass(400);
		assert.deepEqual(site.posted, []);
		await pass(3_000);
		tab.socket.lives();
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [2]);
		tab.socket.closes(1012);
		await pass(6_000);
		assert.deepEqual(site.posted.flat(), [{ op: 'read', channel: 1, seq: 2 }]);
		assert.equal(unread(tab), 1);
	});

	test('where the server could not, it is told again; what is seen meanwhile does not wait for that', async () => {
		const tab = await withMessages(3);
		const could_not = () => tab.socket.says({ type: 'error', ref: tab.socket.ops('read').at(-1)!.ref, code: 'unavailable', detail: 'no database' });
		tab.client.reader.seen(1, 1);
		await pass(1_000);
		could_not();
		await turns();
		tab.client.reader.seen(1, 2);
		await pass(500);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [1, 2]);
		could_not();
		await pass(9_000);
		assert.equal(tab.socket.ops('read').length, 2);
		await pass(2_000);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [1, 2, 2]);
	});

	test('by polls, from all channels, in one request', async () => {
		site.add(channel(2));
		const tab = await Tab.open(false);
		tab.socket.closes(1006);
		await pass(2_000);
		assert.equal(tab.s.connection.rung, 'poll');
		for (const ch of [1, 2]) tab.store.dispatch({ type: 'message', message: message(ch, 1) });
		tab.client.reader.seen(1, 1);
		tab.client.reader.seen(2, 1);
		await pass(1_000);
		assert.deepEqual(site.posted, [[{ op: 'read', channel: 1, seq: 1 }, { op: 'read', channel: 2, seq: 1 }]]);
	});

	test('a refusal is final, and undone', async () => {
		const tab = await withMessages(2);
		tab.client.reader.seen(1, 2);
		await pass(1_000);
		tab.socket.says({ type: 'error', ref: tab.socket.ops('read')[0]!.ref, code: 'not_a_member', detail: 'no' });
		await pass(20_000);
		assert.equal(unread(tab), 2);
		assert.equal(tab.socket.ops('read').length, 1);
	});

	test('marked as unread: what was seen is told before, what is seen from then on is not, until it is opened again', async () => {
		const tab = await withMessages(4);
		site.add(channel(2));
		tab.client.reader.seen(1, 4);
		const done = tab.client.markUnread(1, 3);
		assert.equal(unread(tab), 2);
		assert.equal(tab.s.lines[1], 2);
		assert.deepEqual(tab.socket.sent.filter((o) => o.op === 'read' || o.op === 'unread').map((o) => [o.op, o.seq]), [['read', 4], ['unread', 3]]);
		acks(tab, 'read');
		acks(tab, 'unread');
		await done;
		tab.socket.says(told({ seq: 4, version: 2, last_seq: 4, unread: 2, unread_from: 3 }));
		site.post(1, 7, 'next');
		tab.socket.says(site.log.at(-1)!);
		tab.client.reader.seen(1, 5);
		await pass(10_000);
		assert.equal(tab.socket.ops('read').length, 1);
		assert.equal(unread(tab), 3);
		tab.client.open(2);
		tab.client.open(1);
		assert.equal(tab.s.lines[1], 2);
		tab.client.reader.seen(1, 5);
		await pass(1_000);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [4, 5]);
		assert.equal(unread(tab), 0);
	});

	test('what was marked as unread is read on in parts, when it is opened again', async () => {
		const tab = await withMessages(9);
		site.add(channel(2));
		const back = told({ seq: 9, version: 2, last_seq: 9, unread: 6, unread_from: 4 });
		tab.socket.says(told({ seq: 9, version: 1, last_seq: 9 }), back);
		tab.client.open(2);
		tab.client.open(1);
		tab.client.reader.seen(1, 5);
		await pass(500);
		tab.client.reader.seen(1, 7);
		tab.socket.says(told({ seq: 9, version: 3, last_seq: 9, unread: 4, unread_from: 6 }), back);
		tab.client.reader.seen(1, 8);
		await pass(1_000);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [5, 8]);
		assert.equal(unread(tab), 1);
		assert.equal(tab.s.lines[1], 3);
	});

	test('Esc reads also what was marked as unread', async () => {
		const tab = await withMessages(4);
		const done = tab.client.markUnread(1, 2);
		acks(tab, 'unread');
		await done;
		tab.socket.says(told({ seq: 4, version: 1, last_seq: 4, unread: 3, unread_from: 2 }));
		tab.client.markRead(1);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [4]);
		assert.equal(unread(tab), 0);
		assert.equal(tab.s.lines[1], undefined);
	});

	test('refused: as it was, and whoever asked is told', async () => {
		const tab = await withMessages(2);
		tab.client.markRead(1);
		acks(tab, 'read');
		tab.socket.says(told({ seq: 2, version: 1, last_seq: 2 }));
		const done = tab.client.markUnread(1, 1);
		tab.socket.says({ type: 'error', ref: tab.socket.ops('unread')[0]!.ref, code: 'not_a_member', detail: 'no' });
		await assert.rejects(done);
		assert.equal(unread(tab), 0);
	});

	test('its line is lost: the channel is loaded', async () => {
		const tab = await withMessages(2);
		tab.client.markRead(1);
		const done = tab.client.markUnread(1, 1);
		acks(tab, 'unread');
		await done;
		site.add({ ...site.channels.get(1)!, membership: membership({ last_read_seq: 2, read_version: 2, unread_from: 1, unread: 2 }) });
		site.asked.length = 0;
		await pass(4_000);
		assert.ok(site.asked.includes('GET /api/v1/channels/1'));
		assert.deepEqual([unread(tab), tab.s.counts[1]!.local], [2, null]);
	});

	test('marked as unread on another device while it is open here: it is not read again', async () => {
		const tab = await withMessages(3);
		tab.client.markRead(1);
		acks(tab, 'read');
		tab.socket.says(told({ seq: 3, version: 1, last_seq: 3 }), told({ seq: 3, version: 2, last_seq: 3, unread: 2, unread_from: 2 }));
		assert.equal(unread(tab), 2);
		assert.equal(tab.s.lines[1], 1);
		tab.client.reader.seen(1, 3);
		await pass(5_000);
		assert.equal(tab.socket.ops('read').length, 1);
		assert.equal(unread(tab), 2);
	});

	test('counters in doubt: the channel is loaded, and only then', async () => {
		site.add(channel(1, { last_seq: 9, membership: membership({ unread: 9, mentions: 2 }) }));
		const tab = await Tab.open();
		site.asked.length = 0;
		const { body: _, ...gone } = message(1, 5, { version: 2, deleted: true });
		site.add(channel(1, { last_seq: 9, membership: membership({ unread: 8, mentions: 1, gone: [5] }) }));
		tab.socket.says(site.say({ type: 'message.deleted', ...gone }));
		await pass(1_000);
		assert.deepEqual(site.asked, ['GET /api/v1/channels/1']);
		assert.equal(tab.s.channels[1]!.membership!.mentions, 1);
		await pass(5_000);
		assert.equal(site.asked.length, 1);
	});

	test('read elsewhere while the link was away: it says what it knows when it comes back, and is told the rest', async () => {
		site.add(channel(2, { membership: membership({ read_version: 4 }) }));
		const tab = await withMessages(3);
		assert.equal(tab.socket.reads, '4');
		tab.socket.says(told({ seq: 1, version: 2, last_seq: 3, unread: 2 }));
		tab.socket.closes(1012);
		await pass(3_000);
		assert.equal(tab.socket.reads, '6');
		tab.socket.lives();
		tab.socket.says(told({ seq: 3, version: 3, last_seq: 3 }), told({ version: 4 }, 2));
		assert.equal(unread(tab), 0);
	});

	test('by polls each says it; where it cannot become equal that is left out for a while', async () => {
		const tab = await Tab.open(false);
		site.lines = [told({ version: 1 }, 1), told({ version: 2 }, 9)];
		tab.socket.closes(1006);
		await pass(2_000);
		const polls = () => site.urls.filter((u) => u.startsWith('/api/v1/events') && u.includes('wait='));
		const sums = () => polls().map((u) => new URL(u, 'https://x').searchParams.get('reads'));
		assert.deepEqual(sums().slice(0, 2), ['0', '3']);
		// A server that counts one more than it tells.
		site.lines = [told({ version: 1 }, 1)];
		for (let i = 0; i < 3; i++) {
			tab.client.ladder.wake(true);
			await pass(3_500);
		}
		assert.ok(sums().filter((x) => x === '3').length <= 2 && sums().includes(null), String(sums()));
	});

	test('when somebody looks again the counters are compared; what differs is loaded', async () => {
		const tab = await withMessages(3);
		site.add({ ...site.channels.get(1)!, membership: membership({ last_read_seq: 3, read_version: 1 }) });
		await pass(100);
		site.asked.length = 0;
		doc.dispatchEvent(new Event('visibilitychange'));
		await pass(100);
		assert.deepEqual(site.asked, ['GET /api/v1/me/unread', 'GET /api/v1/channels/1']);
		assert.equal(unread(tab), 0);
		doc.dispatchEvent(new Event('visibilitychange'));
		await pass(100);
		assert.equal(site.asked.length, 2, 'not every time');
	});
});

describe('arrival in a direct channel', () => {
	const direct = () => site.add(channel(5, { kind: 'direct', name: null, peer: 7 }));
	const arrives = (tab: Tab, n = 1) => {
		for (let i = 0; i < n; i++) site.post(5, 7, `d${site.log.length}`);
		tab.socket.says(...site.log.slice(-n));
	};

	test('is told once for many, and not of own messages or other channels', async () => {
		direct();
		const tab = await Tab.open();
		arrives(tab, 3);
		site.post(5, ME, 'mine');
		site.post(1, 7, 'other');
		tab.socket.says(...site.log.slice(-2));
		await pass(2_000);
		assert.deepEqual(tab.socket.ops('delivered').map((o) => [o.channel, o.seq]), [[5, 3]]);
	});

	test('one tab tells for all of them', async () => {
		direct();
		const tabs = [await Tab.open(), await Tab.open(), await Tab.open()];
		const links = sockets.slice(-3);
		site.post(5, 7, 'd');
		for (const link of links) link.says(site.log.at(-1)!);
		await pass(2_000);
		assert.equal(links.flatMap((l) => l.ops('delivered')).length, 1);
		assert.equal(tabs.length, 3);
	});

	test('what came while nobody was here is told at the start, once', async () => {
		direct();
		site.post(5, 7, 'a');
		const tab = await Tab.open();
		assert.deepEqual(tab.socket.ops('delivered').map((o) => o.seq), [1]);
		const next = await tab.reload();
		assert.equal(next.socket.ops('delivered').length, 0);
	});

	test('receipts are off in this channel, or it is the own one: nothing is told', async () => {
		site.add(channel(5, { kind: 'direct', name: null, peer: 7, membership: membership({ read_receipts: false }) }));
		site.add(channel(6, { kind: 'direct', name: null, peer: ME }));
		const tab = await Tab.open();
		arrives(tab);
		await pass(2_000);
		assert.equal(tab.socket.ops('delivered').length, 0);
	});
});

test('a mention goes along with its message, the same over a reload', async () => {
	const tab = await Tab.open();
	tab.client.send(1, 'hi @bob', [7]);
	assert.deepEqual(tab.socket.ops('send')[0]!.body, { text: 'hi @bob', mentions: [7] });
	const next = await tab.reload();
	assert.deepEqual(site.bodies, [{ text: 'hi @bob', mentions: [7] }]);
	next.client.send(1, 'nobody');
	assert.deepEqual(next.socket.ops('send')[0]!.body, { text: 'nobody' });
});
