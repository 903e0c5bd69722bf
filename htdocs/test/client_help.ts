// A browser made of fakes for the whole client without its views: storage, socket, fetch, clock; and the server behind it.
import { webcrypto } from 'node:crypto';
import { afterEach, beforeEach } from 'node:test';
import type { Channel, Message } from '../src/model/types';
import { createStore } from '../src/store';
import { Client } from '../src/sync/client';
import { channel, Clock, ME, message, settled, signedIn, user } from './help';

export let clock: Clock;
export let site: Site;
export const sockets: FakeSocket[] = [];
export const storage = new Map<string, string>();

export class FakeSocket {
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
export class Site {
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
		if (path === '/auth/logout') return json({ redirect: '/sign-in' });
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
export async function turns(): Promise<void> {
	for (let i = 0; i < 12; i++) await settled();
}
export async function pass(ms: number): Promise<void> {
	await clock.run(ms);
	await turns();
}

export const doc = Object.assign(new EventTarget(), { visibilityState: 'visible', hasFocus: () => true });
export const define = (name: string, value: unknown) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
export const win = new EventTarget();
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
export class Tab {
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
export const unsent = (): string[] => [...storage.keys()].filter((k) => k.startsWith('pulsechat:out:'));

/* Each test begins with a browser that holds nothing, and a site with one channel; its tabs end with it. */
export function freshBrowser(): void {
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
}
