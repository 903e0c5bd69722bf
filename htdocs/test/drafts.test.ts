// Drafts on two devices of one person: in step, never fighting, never back behind their message. The server is a fake that goes by
// versions as the real one does; its lines come when the test lets them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reduce } from '../src/model/reduce';
import { isSaved } from '../src/model/keep';
import { placeOf } from '../src/model/threads';
import type { Draft, Line, Saved, SavedList } from '../src/model/types';
import { ApiError } from '../src/net/api';
import { createStore } from '../src/store';
import { Drafts } from '../src/sync/drafts';
import { Keeps } from '../src/sync/keeps';
import type { Shelf } from '../src/sync/local';
import { Clock, ME, channel, message, seeded, settled, signedIn } from './help';

type At = number | string; // a channel, or the place of a thread in it
const none = (at: At): Draft => {
	const { channel: ch, thread } = placeOf(String(at));
	return { channel: ch, thread: thread ?? null, text: '', files: [], version: 0, edited_at: null };
};

class Server {
	drafts = new Map<string, Draft>();
	requests = 0;
	devices: Device[] = [];
	constructor(readonly clock: Clock) {}
	get(at: At): Draft {
		return this.drafts.get(String(at)) ?? none(at);
	}
	set(at: At, text: string, files: number[], version: number, reply_to: number | null = null): Draft {
		this.requests++;
		const held = this.get(at);
		const empty = !text && !files.length && !reply_to;
		const same = held.version > 0 && held.text === text && held.files.join() === files.join() && (held.reply_to ?? null) === reply_to;
		if (same && !(empty && version === held.version)) return held;
		if (version !== held.version) throw new ApiError(409, 'conflict', '', 'version');
		const edited_at = new Date(this.clock.time).toISOString();
		const next = { ...held, text, files, reply_to, edited_at, version: held.thread && !version ? this.clock.time : version + 1 };
		this.drafts.set(String(at), next);
		for (const d of this.devices) if (d.live) d.lines.push({ type: 'draft', ...next } as unknown as Line);
		return next;
	}
}

class Device {
	store = createStore(signedIn(channel(1), channel(2)));
	lines: Line[] = [];
	live = true;
	/* What becomes of a request: by default it arrives and is answered. */
	way: <T>(f: () => T) => Promise<T> = async (f) => f();
	drafts: Drafts;
	constructor(
		readonly server: Server,
		readonly kept = new Map<string, string>(),
		texts: Record<string, string> = {},
	) {
		const { clock } = server;
		const shelf: Shelf = {
			get: (k) => kept.get(k) ?? null,
			set: (k, v) => void (v === null ? kept.delete(k) : kept.set(k, v)),
			keys: (p) => [...kept.keys()].filter((k) => k.startsWith(p)),
		};
		this.store.dispatch({ type: 'drafts', drafts: texts });
		this.drafts = new Drafts({
			store: this.store,
			shelf,
			user: () => ME,
			live: () => this.live,
			put: (at, d) => this.way(() => server.set(at, d.text, d.files, d.version, d.reply_to ?? null)),
			drop: (at, version) => this.way(() => server.set(at, '', [], version)),
			get: (at) => this.way(() => server.get(at)),
			show: (place, text, seq) => {
				this.store.dispatch({ type: 'quoting', place, seq });
				this.store.dispatch({ type: 'draft', place, text });
			},
			showFiles: async () => {},
			now: clock.now,
			setTimeout: clock.setTimeout,
			clearTimeout: clock.clearTimeout,
		});
		server.devices.push(this);
		this.drafts.begin();
		this.connect();
	}
	text(at: At = 1): string {
		return this.store.get().drafts[at] ?? '';
	}
	type(text: string, at: At = 1): void {
		this.store.dispatch({ type: 'draft', place: String(at), text });
		this.drafts.touch(String(at));
	}
	send(at: At = 1): void {
		this.store.dispatch({ type: 'draft', place: String(at), text: '' });
		this.drafts.sent(String(at));
	}
	hear(): void {
		for (const l of this.lines.splice(0)) this.drafts.onLine(l);
	}
	connect(): void {
		this.live = true;
		this.lines = [];
		const sum = [...this.server.drafts.values()].reduce((n, d) => n + (d.thread === null || d.text ? d.version : 0), 0);
		if (this.drafts.known() !== sum) for (const d of this.server.drafts.values()) this.lines.push({ type: 'draft', ...d } as unknown as Line);
		const told = this.lines.length > 0;
		this.hear();
		if (told) this.drafts.heard();
		this.drafts.onLive();
	}
	/* The page is loaded anew. */
	reload(): Device {
		this.drafts.stop();
		this.server.devices.splice(this.server.devices.indexOf(this), 1);
		return new Device(this.server, this.kept, { ...this.store.get().drafts });
	}
}

function world(): { clock: Clock; server: Server; a: Device; b: Device; pass(ms: number): Promise<void> } {
	const clock = new Clock();
	const server = new Server(clock);
	const [a, b] = [new Device(server), new Device(server)];
	const pass = async (ms: number) => {
		await clock.run(ms);
		for (let i = 0; i < 6; i++) {
			for (const d of server.devices) if (d.live) d.hear();
			await settled();
		}
	};
	return { clock, server, a, b, pass };
}

test('what is written here shows there when the writing pauses; sent, it goes everywhere', async () => {
	const { server, a, b, pass } = world();
	a.type('h');
	a.type('he');
	a.type('hel');
	await pass(1000);
	assert.deepEqual([b.text(), server.requests], ['hel', 1], 'one request for all that came in a row');
	b.type('hello');
	await pass(1000);
	assert.equal(a.text(), 'hello');
	a.send();
	await pass(0);
	assert.deepEqual([a.text(), b.text(), server.get(1).text], ['', '', '']);
	a.type('quick');
	a.send();
	await pass(5000);
	assert.equal(server.requests, 3, 'what was sent within the pause is nobody else’s matter');
});

test('what it answers goes along, and a draft may be nothing else', async () => {
	const { a, b, server, pass } = world();
	const quoted = (d: Device) => d.store.get().quoting[1];
	const set = (d: Device, seq: number | null) => {
		d.store.dispatch({ type: 'quoting', place: '1', seq });
		d.drafts.touch('1');
	};
	set(a, 7);
	await pass(1000);
	assert.deepEqual([quoted(b), server.get(1).reply_to, b.text()], [7, 7, '']);
	b.type('x');
	await pass(1000);
	assert.deepEqual([a.text(), quoted(a)], ['x', 7]);
	set(a, null);
	await pass(20_000);
	assert.deepEqual([quoted(b), b.text(), server.get(1).reply_to], [undefined, 'x', null]);
	set(a, 8);
	await pass(20_000);
	a.store.dispatch({ type: 'quoting', place: '1', seq: null });
	a.send();
	await pass(1000);
	assert.deepEqual([quoted(b), b.text(), server.get(1).reply_to ?? null], [undefined, '', null], 'sent, it is gone from both');
});

test('two who write at once: each keeps its text, the last word stands', async () => {
	const { server, a, b, pass } = world();
	for (let i = 1; i <= 12; i++) {
		a.type('a'.repeat(i));
		b.type('b'.repeat(i));
		await pass(400);
		assert.deepEqual([a.text(), b.text()], ['a'.repeat(i), 'b'.repeat(i)]);
	}
	assert.ok(server.requests < 30, `${server.requests} requests`);
	await pass(20_000);
	b.type('b at last');
	await pass(2000);
	assert.deepEqual([a.text(), server.get(1).text], ['b at last', 'b at last'], 'whoever has stopped writing shows what came');
});

test('a draft never comes back behind its message, whatever is late', async () => {
	const { server, a, b, pass } = world();
	a.type('hello');
	await pass(1000);
	// one that is on its way while it is sent
	let arrive = () => {};
	const normal = a.way;
	a.way = <T>(f: () => T) => new Promise<T>((resolve, reject) => (arrive = () => void normal(f).then(resolve, reject)));
	a.type('hello, you');
	await pass(1000);
	a.way = normal;
	a.send();
	await pass(0);
	arrive();
	await pass(0);
	await pass(1000);
	assert.deepEqual([a.text(), b.text(), server.get(1).text], ['', '', '']);
	// one whose answer was lost, sent while the link is away
	a.type('again');
	a.way = async (f) => {
		f();
		throw new ApiError(0, 'network', '');
	};
	await pass(1000);
	a.live = false;
	a.send();
	await pass(1000);
	assert.equal(server.get(1).text, 'again');
	a.way = normal;
	a.connect();
	await pass(1000);
	assert.deepEqual([a.text(), b.text(), server.get(1).text], ['', '', ''], 'its own that came late goes too');
	// a program that knows the old version
	assert.throws(() => server.set(1, 'late', [], server.get(1).version - 1), /conflict/);
});

test('what another writes after the sending stays his', async () => {
	const { server, a, b, pass } = world();
	a.type('mine');
	await pass(1000);
	a.live = false;
	a.send();
	b.type('quite another thing');
	await pass(1000);
	a.connect();
	await pass(1000);
	assert.deepEqual([a.text(), b.text(), server.get(1).text], ['quite another thing', 'quite another thing', 'quite another thing']);
});

test('over a reload: what was never told goes; what was shown here is not told again; the newer of two stands', async () => {
	const { server, a, b, pass } = world();
	a.live = false;
	a.type('in a tunnel');
	await pass(1000);
	assert.equal(server.requests, 0);
	const next = a.reload();
	await pass(1000);
	assert.deepEqual([next.text(), b.text()], ['in a tunnel', 'in a tunnel']);
	const before = server.requests;
	const shown = b.reload();
	await pass(5000);
	assert.deepEqual([shown.text(), server.requests], ['in a tunnel', before]);
	next.live = false;
	next.type('older');
	await pass(20_000);
	shown.type('newer');
	await pass(1000);
	const back = next.reload();
	await pass(1000);
	assert.equal(back.text(), 'newer');
	// of an earlier version of this program, which knew no server
	const old = new Device(server, new Map(), { 2: 'from before' });
	await pass(1000);
	assert.deepEqual([old.text(2), server.get(2).text], ['from before', 'from before']);
});

test('any order of writing, sending, tunnels and reloads ends with all showing the same', async () => {
	const { clock, server, pass } = world();
	const random = seeded(20261127);
	for (let i = 0; i < 400; i++) {
		const k = Math.floor(random() * server.devices.length);
		const d = server.devices[k]!;
		const what = random();
		if (what < 0.5) d.type(`${i}`);
		else if (what < 0.65) d.send();
		else if (what < 0.75) d.live = false;
		else if (what < 0.9 && !d.live) d.connect();
		else if (what > 0.97) d.reload();
		await pass(random() < 0.2 ? 20_000 : random() * 1500);
	}
	for (const d of server.devices) if (!d.live) d.connect();
	await pass(30_000);
	await pass(30_000);
	const want = server.get(1).text;
	assert.deepEqual(server.devices.map((d) => d.text()), server.devices.map(() => want), `at ${clock.time}`);
});

test('a thread has a draft of its own, in step too', async () => {
	const { server, a, b, pass } = world();
	a.type('of the channel', 2);
	a.type('of a thread', '1/41');
	await pass(1000);
	assert.deepEqual([b.text('1/41'), b.text(1), b.text(2), server.get(1).version], ['of a thread', '', 'of the channel', 0]);
	b.drafts.filesChanged('1/41');
	await pass(1000);
	b.type('of a thread, and more', '1/41');
	await pass(1000);
	const again = a.reload();
	await pass(1000);
	assert.equal(again.text('1/41'), 'of a thread, and more');
	again.send('1/41');
	await pass(1000);
	assert.deepEqual([b.text('1/41'), b.text(2), server.get('1/41').text], ['', 'of the channel', '']);
});

test('a draft of a thread that the server has forgotten goes from who was away so long; what is written there meanwhile stays', async () => {
	const { server, a, b, pass } = world();
	a.type('old', '1/41');
	a.type('another', '1/42');
	await pass(1000);
	b.live = false;
	a.send('1/41');
	a.send('1/42');
	await pass(40_000);
	server.drafts.clear(); // nothing of threads is held for ever
	server.set(2, 'news', [], 0); // so b is told something
	b.type('anew', '1/42');
	b.connect();
	await pass(2000);
	b.connect(); // what it was told did not make it equal
	await pass(2000);
	assert.deepEqual([b.text('1/41'), b.text('1/42'), b.text(2)], ['', 'anew', 'news']);
	assert.equal(server.get('1/42').text, 'anew');
});

test('saved: by the list and by events, whichever comes first; gone with the message and the channel', async () => {
	const store = createStore(signedIn(channel(1), channel(2)));
	let answer: ((l: SavedList) => void)[] = [];
	const keeps = new Keeps({
		store,
		people: () => {},
		pins: async (id) => ({ channel: id, pins: [], pins_version: 0 }),
		pin: async (id) => ({ channel: id, pins: [], pins_version: 0 }),
		saved: () => new Promise((resolve) => answer.push(resolve)),
		save: async (ch, seq, on): Promise<Saved> => ({ channel: ch, seq, saved: on, at: on ? 't' : null, version: 9 }),
	});
	const tell = (l: object) => {
		keeps.onSaved(l as Line);
		store.dispatch({ type: 'lines', lines: [l as Line] });
	};
	const done = keeps.list();
	tell({ type: 'saved.updated', channel: 1, seq: 5, saved: true, at: 't', version: 2 });
	answer.shift()!({ saved: [{ channel: 1, seq: 4, at: 't' }], version: 1 });
	await settled();
	answer.shift()!({ saved: [{ channel: 1, seq: 4, at: 't' }, { channel: 1, seq: 5, at: 't' }, { channel: 2, seq: 1, at: 't' }], version: 2 });
	await done;
	assert.ok(isSaved(store.get(), 1, 5), 'asked again: the answer was older than what was told');
	tell({ type: 'saved.updated', channel: 1, seq: 4, saved: true, at: 't', version: 1 });
	tell({ type: 'saved.updated', channel: 1, seq: 5, saved: false, at: null, version: 3 });
	assert.deepEqual(Object.keys(store.get().saved!.at).sort(), ['1/4', '2/1']);
	store.dispatch({ type: 'lines', lines: [{ ...message(1, 4), type: 'message.deleted', deleted: true } as unknown as Line] });
	assert.deepEqual(Object.keys(store.get().saved!.at), ['2/1']);
	const s = reduce(store.get(), { type: 'pins', pins: { channel: 2, pins: [], pins_version: 3 } });
	const left = reduce(s, { type: 'channel/left', channel: 2 });
	assert.deepEqual([left.saved!.at, left.pins], [{}, {}]);
	const later = reduce(s, { type: 'pins', pins: { channel: 2, pins: [{ seq: 1, by: 1, at: 't' }], pins_version: 2 } });
	assert.equal(later, s, 'an older list of pins is none');
	assert.equal(await keeps.toggleSaved(1, 7), true);
	assert.ok(isSaved(store.get(), 1, 7));
});
