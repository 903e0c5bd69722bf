// What is wanted beside the events, as each transport tells it: by ops, by POST beside a stream, in the query of a poll. After a
// reconnect all of it once more.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Link, LinkEvents } from '../src/net/transport';
import { pollTransport } from '../src/net/transport_poll';
import { sseTransport } from '../src/net/transport_sse';
import { wsTransport } from '../src/net/transport_ws';
import { place, union, wantOps, type Wants } from '../src/net/wants';
import { Clock, settled } from './help';

const turns = async () => {
	for (let i = 0; i < 8; i++) await settled();
};

class FakeSocket {
	static readonly OPEN = 1;
	static made: FakeSocket[] = [];
	readyState = 1;
	onopen: (() => void) | null = null;
	onmessage: ((ev: { data: string }) => void) | null = null;
	onclose: ((ev: { code: number }) => void) | null = null;
	sent: string[] = [];
	constructor(readonly url: string) {
		FakeSocket.made.push(this);
	}
	send(data: string): void {
		this.sent.push(data.trim());
	}
	close(): void {}
	greets(): void {
		this.onopen?.();
		this.onmessage?.({ data: JSON.stringify({ type: 'hello', cursor: 'm.1' }) });
	}
}
(globalThis as { WebSocket: unknown }).WebSocket = FakeSocket;

interface Asked {
	url: URL;
	method: string;
	body: string;
	signal: AbortSignal | null;
	answer(body: string, type?: string, status?: number): Promise<void>;
	stream(): { says(line: object): Promise<void> };
	fail(): Promise<void>;
}

let clock: Clock;
let asked: Asked[];
let want: Wants;
let lines: string[];
let ended: string[];
const on: LinkEvents = {
	opened: () => {},
	live: () => {},
	lines: (l) => void lines.push(...l.map((x) => x.type)),
	ended: (how) => void ended.push(how.kind),
};

const fetch = (url: string, init: RequestInit): Promise<Response> =>
	new Promise((resolve, reject) => {
		let stream: ReadableStreamDefaultController<Uint8Array> | null = null;
		asked.push({
			url: new URL(url, 'https://chat.example'),
			method: init.method ?? 'GET',
			body: String(init.body ?? ''),
			signal: init.signal ?? null,
			answer: (body, type = 'application/x-ndjson', status = 200) => {
				resolve(new Response(body, { status, headers: { 'Content-Type': type } }));
				return turns();
			},
			stream: () => {
				const body = new ReadableStream<Uint8Array>({ start: (c) => void (stream = c) });
				resolve(new Response(body, { headers: { 'Content-Type': 'text/event-stream' } }));
				return {
					says: async (line) => {
						await turns();
						stream!.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(line)}\n\n`));
						await turns();
					},
				};
			},
			fail: () => {
				reject(new TypeError('network'));
				return turns();
			},
		});
		init.signal?.addEventListener('abort', () => {
			const e = new DOMException('aborted', 'AbortError');
			reject(e);
			stream?.error(e);
		});
	});

beforeEach(() => {
	clock = new Clock();
	asked = [];
	want = { focus: [12], watch: [3, 4] };
	lines = [];
	ended = [];
	FakeSocket.made = [];
});

const FOCUS = '{"op":"focus","channels":[12]}';
const WATCH = '{"op":"watch","users":[3,4]}';

describe('by WebSocket', () => {
	const open = () => wsTransport('https://chat.example').open(() => 'm.1.digest12', 'tab', on, () => want);

	test('after the hello, on each connection anew; then what has changed alone', () => {
		const link = open();
		const [socket] = FakeSocket.made as [FakeSocket];
		link.want!(false);
		assert.deepEqual(socket.sent, [], 'not before the hello');
		socket.greets();
		assert.deepEqual(socket.sent, [FOCUS, WATCH]);
		link.want!(false);
		assert.equal(socket.sent.length, 2);
		want = { focus: [14], watch: [3, 4] };
		link.want!(false);
		assert.deepEqual(socket.sent.slice(2), ['{"op":"focus","channels":[14]}']);
		want = { focus: [], watch: [] };
		link.want!(false);
		assert.deepEqual(socket.sent.slice(3), ['{"op":"focus","channels":[]}', '{"op":"watch","users":[]}']);
		want = { focus: [12], watch: [3, 4] };
		open();
		FakeSocket.made[1]!.greets();
		assert.deepEqual(FakeSocket.made[1]!.sent, [FOCUS, WATCH]);
	});

	test('input is an op; a socket tells its end by itself', () => {
		const link = open();
		const [socket] = FakeSocket.made as [FakeSocket];
		assert.equal(link.input!('active'), false);
		socket.greets();
		assert.equal(link.input!('active'), true);
		assert.equal(socket.sent.at(-1), '{"op":"active"}');
		assert.ok(!link.leaves);
	});

	test('what state was given to polls is of no use to a socket', () => {
		open();
		assert.equal(new URL(FakeSocket.made[0]!.url).searchParams.get('cursor'), 'm.1');
	});
});

describe('beside an event stream', () => {
	const open = (): Link => {
		const { now, setTimeout, clearTimeout } = clock;
		return sseTransport({ fetch, now, setTimeout, clearTimeout }).open(() => 'm.1.digest12', 'tab', on, () => want);
	};
	const posts = () => asked.filter((a) => a.method === 'POST');

	test('in the query at the start, then by POST with the instance, one after the other', async () => {
		const link = open();
		await turns();
		const [get] = asked as [Asked];
		assert.equal(get.url.search, '?focus=12&watch=3%2C4&instance=tab&cursor=m.1');
		const stream = get.stream();
		want = { focus: [14], watch: [3, 4] };
		link.want!(false);
		await turns();
		assert.equal(posts().length, 0, 'not before the stream is there: it would be told to nobody');
		await stream.says({ type: 'hello', cursor: 'm.1' });
		assert.equal(posts().length, 1);
		assert.equal(posts()[0]!.url.pathname + posts()[0]!.url.search, '/api/v1/ops?instance=tab');
		assert.equal(posts()[0]!.body, '{"op":"focus","channels":[14]}\n');
		want = { focus: [15], watch: [3] };
		link.want!(false);
		want = { focus: [16], watch: [3] };
		link.want!(false);
		await turns();
		assert.equal(posts().length, 1, 'the one before is under way');
		await posts()[0]!.answer('{"type":"ack"}\n');
		assert.equal(posts()[1]!.body, '{"op":"focus","channels":[16]}\n{"op":"watch","users":[3]}\n');
		await posts()[1]!.answer('{"type":"ack"}\n{"type":"ack"}\n');
		assert.equal(posts().length, 2);
		link.want!(true);
		assert.equal(posts()[2]!.body, posts()[1]!.body, 'all of it, since somebody new is to hear it');
		link.close();
	});

	test('what could not be told is told again, later each time; what the server does not know is not', async () => {
		const link = open();
		await turns();
		await asked[0]!.stream().says({ type: 'hello', cursor: 'm.1' });
		want = { focus: [14], watch: [] };
		link.want!(false);
		await posts()[0]!.fail();
		assert.equal(posts().length, 1);
		await clock.run(2_000);
		await posts()[1]!.answer('{"type":"error","code":"busy"}\n');
		await clock.run(2_000);
		assert.equal(posts().length, 2);
		await clock.run(3_000);
		await posts()[2]!.answer('{}', 'application/json', 422);
		await clock.run(60_000);
		assert.equal(posts().length, 3);
		assert.deepEqual(ended, []);
		link.close();
	});

	test('a stream that is opened anew has it in its query', async () => {
		const link = open();
		await turns();
		await asked[0]!.stream().says({ type: 'hello', cursor: 'm.1' });
		want = { focus: [14], watch: [] };
		link.ping(true);
		await turns();
		assert.equal(asked[1]!.url.searchParams.get('focus'), '14');
		await asked[1]!.stream().says({ type: 'hello', cursor: 'm.1' });
		assert.equal(posts().length, 0);
		link.close();
	});

	test('input by POST; the page tells when it goes', async () => {
		const link = open();
		await turns();
		assert.equal(link.input!('active'), false);
		await asked[0]!.stream().says({ type: 'hello', cursor: 'm.1' });
		assert.equal(link.input!('active'), true);
		assert.equal(posts()[0]!.body, '{"op":"active"}\n');
		assert.equal(posts()[0]!.url.searchParams.get('instance'), 'tab');
		assert.equal(link.leaves, true);
		await posts()[0]!.fail();
		link.close();
	});
});

describe('in polls', () => {
	let cursor = 'm.1';
	const open = (): Link => {
		const { now, setTimeout, clearTimeout } = clock;
		const env = { fetch, now, random: () => 0.5, hidden: () => false, setTimeout, clearTimeout };
		return pollTransport(env).open(() => cursor, 'tab', on, () => want);
	};
	const end = (retry_after = 0) => `{"type":"cursor","cursor":"m.1","retry_after":${retry_after}}\n`;
	const query = (i: number) => Object.fromEntries(asked[i]!.url.searchParams);

	test('each says all of it; a change gives up the one that waits for another at once, held as long', async () => {
		cursor = 'm.1.digest12';
		const link = open();
		await turns();
		assert.deepEqual(query(0), { wait: '0', focus: '12', watch: '3,4', instance: 'tab', cursor: 'm.1.digest12' });
		want = { focus: [14], watch: [] };
		link.want!(false);
		assert.equal(asked[0]!.signal!.aborted, false, 'one that is about to be answered is waited for');
		await asked[0]!.answer(end());
		assert.deepEqual(query(1), { wait: '25', focus: '14', instance: 'tab', cursor: 'm.1.digest12' });
		want = { focus: [15], watch: [] };
		link.want!(false);
		await turns();
		assert.equal(asked[1]!.signal!.aborted, true);
		assert.equal(query(2).focus, '15');
		assert.equal(query(2).wait, '25');
		assert.equal(asked.length, 3);
		link.want!(true);
		await turns();
		assert.equal(query(3).cursor, 'm.1', 'without the mark of what was given all state is told');
		assert.deepEqual(ended, []);
		link.close();
		cursor = 'm.1';
	});

	test('input goes with the next one, which goes now, and with no other; what was not answered is said again', async () => {
		const link = open();
		await turns();
		await asked[0]!.answer(end());
		assert.equal(link.input!('active'), true);
		await turns();
		assert.equal(asked.length, 3);
		assert.equal(query(2).active, '1');
		link.ping();
		await turns();
		assert.equal(query(3).active, '1');
		await asked[3]!.answer(end());
		assert.equal(query(4).active, undefined);
		assert.equal(link.leaves, true);
		link.close();
	});

	test('plain polls: a change does not wait for the next one', async () => {
		const link = open();
		await turns();
		await asked[0]!.answer(end(3));
		want = { focus: [14], watch: [] };
		link.want!(false);
		await turns();
		assert.equal(query(1).focus, '14');
		await asked[1]!.answer(end(3));
		assert.equal(asked.length, 2);
		await clock.run(3_000);
		await turns();
		assert.equal(asked.length, 3);
		link.close();
	});
});

test('of several: each once, in order, and no more than the server takes', () => {
	const many = Array.from({ length: 300 }, (_, i) => 1_000 - i);
	const u = union([{ focus: [9], watch: [5, 1] }, { focus: [3, 9], watch: many }]);
	assert.deepEqual(u.focus, [3, 9]);
	assert.equal(u.watch.length, 200);
	assert.deepEqual(u.watch.slice(0, 2), [1, 5]);
	assert.equal(wantOps(u, u).length, 0);
	assert.equal(wantOps(null, u).length, 2);
	assert.deepEqual([null, 'a', 'm.1', 'm.1.x'].map(place), [null, 'a', 'm.1', 'm.1']);
});
