// The two transports as the ladder sees them, over a fake socket and a fake fetch: what close codes and answers mean, how
// long a poll is held, what a proxy's impatience does, and the poll below a real ladder.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Line } from '../src/model/types';
import { ApiError, parseLines, retryAfter } from '../src/net/api';
import { Ladder } from '../src/net/ladder';
import type { Ending, Link, Transport } from '../src/net/transport';
import { pollTransport } from '../src/net/transport_poll';
import { wsTransport } from '../src/net/transport_ws';
import { Clock, settled } from './help';

/* Writes down what a link says. */
class Ear {
	said: string[] = [];
	lines: Line[] = [];
	ending: Ending | null = null;
	link: Link;
	constructor(t: Transport, cursor: () => string | null = () => 'c1') {
		this.link = t.open(cursor, 'tab', {
			opened: () => void this.said.push('opened'),
			live: () => void this.said.push('live'),
			lines: (l) => {
				this.said.push(`lines ${l.length}`);
				this.lines.push(...l);
			},
			ended: (how) => {
				this.said.push('ended');
				assert.equal(this.ending, null, 'an end is said once');
				this.ending = how;
			},
		});
	}
}

class FakeSocket {
	static readonly OPEN = 1;
	static made: FakeSocket[] = [];
	static refuse = false;
	readyState = 0;
	onopen: (() => void) | null = null;
	onmessage: ((ev: { data: string }) => void) | null = null;
	onclose: ((ev: { code: number }) => void) | null = null;
	sent: string[] = [];
	closed = false;
	constructor(
		readonly url: string,
		readonly protocol: string,
	) {
		if (FakeSocket.refuse) throw new Error('a policy forbids it');
		FakeSocket.made.push(this);
	}
	send(data: string): void {
		this.sent.push(data);
	}
	close(): void {
		this.closed = true;
	}
	open(): void {
		this.readyState = 1;
		this.onopen?.();
	}
	says(...lines: object[]): void {
		this.onmessage?.({ data: lines.map((l) => JSON.stringify(l)).join('\n') + '\n' });
	}
	closes(code: number): void {
		this.readyState = 3;
		this.onclose?.({ code });
	}
}
(globalThis as { WebSocket: unknown }).WebSocket = FakeSocket;

describe('WebSocket', () => {
	beforeEach(() => {
		FakeSocket.made = [];
		FakeSocket.refuse = false;
	});
	const open = (cursor: string | null = 'c1', origin = 'https://chat.example') => {
		const ear = new Ear(wsTransport(origin), () => cursor);
		return { ear, socket: FakeSocket.made[0]! };
	};

	test('asks with instance and cursor, by the subprotocol, over the scheme of the page', () => {
		const { socket } = open('a b');
		assert.equal(socket.url, 'wss://chat.example/api/v1/ws?instance=tab&cursor=a+b');
		assert.equal(socket.protocol, 'pulsechat.v1');
		FakeSocket.made = [];
		assert.equal(open(null, 'http://localhost:8080').socket.url, 'ws://localhost:8080/api/v1/ws?instance=tab');
	});

	test('is live with the hello, not with the handshake; several lines a frame', () => {
		const { ear, socket } = open();
		socket.open();
		assert.deepEqual(ear.said, ['opened']);
		assert.equal(ear.link.send({ op: 'ping' }), false, 'no op before the hello');
		socket.says({ type: 'hello', cursor: 'h', heartbeat: 20 }, { type: 'message', cursor: 'm' });
		assert.deepEqual(ear.said, ['opened', 'live', 'lines 2']);
		assert.equal(ear.link.send({ op: 'ping' }), true);
		assert.deepEqual(socket.sent, ['{"op":"ping"}\n']);
	});

	test('bears a silence of two heartbeats and a little, as the server names them', () => {
		const { ear, socket } = open();
		assert.equal(ear.link.silence, 45_000);
		socket.open();
		socket.says({ type: 'hello', cursor: 'h', heartbeat: 5 });
		assert.equal(ear.link.silence, 15_000);
	});

	for (const [code, how] of [
		[4001, { kind: 'stop', reason: 'signed_out' }],
		[4003, { kind: 'stop', reason: 'deactivated' }],
		[4008, { kind: 'lost', planned: true }],
		[1012, { kind: 'lost', planned: true }],
		[1013, { kind: 'lost', planned: true }],
		[1006, { kind: 'lost', planned: false }],
		[1000, { kind: 'lost', planned: false }],
		[1011, { kind: 'lost', planned: false }],
	] as const) {
		test(`closed with ${code}: ${JSON.stringify(how)}`, () => {
			const { ear, socket } = open();
			socket.open();
			socket.closes(code);
			const { kind, reason, planned } = ear.ending as Record<string, unknown>;
			assert.deepEqual(JSON.parse(JSON.stringify({ kind, reason, planned })), how);
		});
	}

	test('passes on what the farewell says about coming back', () => {
		const { ear, socket } = open();
		socket.open();
		socket.says({ type: 'hello', cursor: 'h' }, { type: 'bye', reason: 'restart', retry_after: 4 });
		socket.closes(1012);
		assert.equal((ear.ending as { retryAfter?: number }).retryAfter, 4);
	});

	test('a line that is not JSON ends the link', () => {
		const { ear, socket } = open();
		socket.open();
		socket.onmessage!({ data: '<html>\n' });
		assert.equal(ear.ending!.kind, 'lost');
		assert.ok(socket.closed);
		socket.closes(1000);
	});

	test('closed by us: nothing follows', () => {
		const { ear, socket } = open();
		socket.open();
		ear.link.close();
		assert.ok(socket.closed);
		socket.says({ type: 'hello', cursor: 'h' });
		socket.closes(4001);
		assert.deepEqual(ear.said, ['opened']);
		assert.equal(ear.link.send({ op: 'ping' }), false);
	});

	test('a socket that cannot even be made is lost, but not from inside open()', async () => {
		FakeSocket.refuse = true;
		const { ear } = open();
		assert.deepEqual(ear.said, []);
		await settled();
		assert.equal(ear.ending!.kind, 'lost');
	});
});

interface Asked {
	wait: number;
	cursor: string | null;
	instance: string | null;
	headers: Record<string, string>;
	at: number;
	answer(status: number, body: string, headers?: Record<string, string>): Promise<void>;
	fail(): Promise<void>;
	aborted: boolean;
}

/* A fetch that the test answers by hand. */
class Polls {
	clock = new Clock();
	asked: Asked[] = [];
	hidden = false;
	transport = pollTransport({
		fetch: (url, init) =>
			new Promise((resolve, reject) => {
				const query = new URL(url, 'https://chat.example').searchParams;
				const asked: Asked = {
					wait: Number(query.get('wait')),
					cursor: query.get('cursor'),
					instance: query.get('instance'),
					headers: init.headers as Record<string, string>,
					at: this.clock.time,
					aborted: false,
					answer: async (status, body, headers = {}) => {
						resolve(new Response(body, { status, headers }));
						// The body is read over several turns of the event loop.
						for (let i = 0; i < 5; i++) await settled();
					},
					fail: async () => {
						reject(new TypeError('network'));
						for (let i = 0; i < 5; i++) await settled();
					},
				};
				init.signal!.addEventListener('abort', () => {
					asked.aborted = true;
					reject(new DOMException('aborted', 'AbortError'));
				});
				this.asked.push(asked);
			}),
		now: this.clock.now,
		hidden: () => this.hidden,
		random: () => 0.5,
		setTimeout: this.clock.setTimeout,
		clearTimeout: this.clock.clearTimeout,
	});
	get last(): Asked {
		return this.asked[this.asked.length - 1]!;
	}
	ok = (cursor: string, ...lines: object[]): Promise<void> => {
		const body = [...lines, { type: 'cursor', cursor, retry_after: 0 }].map((l) => JSON.stringify(l) + '\n').join('');
		return this.last.answer(200, body, { 'PulseChat-Cursor': cursor });
	};
}

describe('long-poll', () => {
	/* With the first answer given. */
	async function live(): Promise<{ p: Polls; ear: Ear; at: { cursor: string } }> {
		const p = new Polls();
		const at = { cursor: 'c1' };
		const ear = new Ear(p.transport, () => at.cursor);
		await settled();
		await p.ok('c1');
		return { p, ear, at };
	}

	test('the first asks to be answered at once, so that a dead path shows; the next holds 25 s', async () => {
		const p = new Polls();
		const ear = new Ear(p.transport);
		assert.deepEqual(ear.said, []);
		await settled();
		assert.equal(p.asked.length, 1);
		assert.equal(p.last.wait, 0);
		assert.equal(p.last.cursor, 'c1');
		assert.equal(p.last.instance, 'tab');
		assert.ok(p.last.headers['PulseChat-Client'], 'without it the server refuses the cookie');
		await p.ok('c1');
		assert.deepEqual(ear.said, ['live', 'lines 1']);
		assert.equal(p.asked.length, 2);
		assert.equal(p.last.wait, 25);
	});

	test('without a cursor none is sent', async () => {
		const p = new Polls();
		new Ear(p.transport, () => null);
		await settled();
		assert.equal(p.last.cursor, null);
	});

	test('answered at once and led nowhere, again and again: it rests, longer each time, until there is something', async () => {
		const { p, at } = await live();
		const draft = { type: 'draft', channel: 1, thread: null, version: 7 }; // whose text is never had
		await p.ok('c1', draft);
		assert.equal(p.asked.length, 3, 'once is nothing');
		const rests: number[] = [];
		for (let i = 0; i < 9; i++) {
			const n: number = p.asked.length, t = p.clock.time;
			await p.ok('c1', draft);
			while (p.asked.length === n) {
				await p.clock.run(100);
				await settled();
			}
			rests.push(p.clock.time - t);
		}
		assert.deepEqual(rests, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
		at.cursor = 'c2';
		const n = p.asked.length;
		await p.ok('c2', { type: 'message', cursor: 'c2' });
		assert.equal(p.asked.length, n + 1, 'something has come');
		await p.clock.run(2000);
		await p.ok('c2');
		await p.ok('c2', draft);
		assert.equal(p.asked.length, n + 3, 'a hold that was over does not count');
	});

	test('one at a time, each with the newest cursor', async () => {
		const { p, at, ear } = await live();
		at.cursor = 'c2';
		await p.ok('c2', { type: 'message', cursor: 'c2' });
		assert.equal(p.asked.length, 3);
		assert.equal(p.last.cursor, 'c2');
		assert.equal(ear.lines.filter((l) => l.type === 'message').length, 1);
	});

	test('the cursor of the header is taken where the last line is missing', async () => {
		const { p, ear } = await live();
		await p.last.answer(200, '', { 'PulseChat-Cursor': 'c9' });
		assert.deepEqual(ear.lines.at(-1), { type: 'cursor', cursor: 'c9' });
	});

	test('rests as long as the last line asks', async () => {
		const { p } = await live();
		await p.last.answer(200, '{"type":"cursor","cursor":"c1","retry_after":3}\n');
		assert.equal(p.asked.length, 2);
		await p.clock.run(2_999);
		assert.equal(p.asked.length, 2);
		await p.clock.run(1);
		assert.equal(p.asked.length, 3);
	});

	test('502 and 504: the same cursor again; the hold is halved after two in a row, and stays so', async () => {
		const { p, ear } = await live();
		const waits: number[] = [];
		for (const status of [504, 200, 504, 502, 200, 504, 200, 502, 502, 504, 504, 504, 200, 504]) {
			waits.push(p.last.wait);
			await (status === 200 ? p.ok('c1') : p.last.answer(status, '<html>gateway</html>'));
			await p.clock.run(1_000);
			assert.equal(p.last.cursor, 'c1');
		}
		waits.push(p.last.wait);
		assert.deepEqual(waits, [25, 25, 25, 25, 12, 12, 12, 12, 12, 6, 6, 3, 3, 3, 3]);
		assert.equal(ear.ending, null);
	});

	test('a server that can hold none: every 3 s, every 15 s of a hidden page, sooner where another tab is seen', async () => {
		const { p, ear } = await live();
		const plain = () => p.last.answer(200, '{"type":"cursor","cursor":"c1","retry_after":3}\n');
		await plain();
		assert.equal(ear.link.rung, 'plain');
		await p.clock.run(3_000);
		assert.equal(p.asked.length, 3);
		assert.equal(p.last.wait, 0, 'a plain poll');
		p.hidden = true;
		await plain();
		await p.clock.run(14_999);
		assert.equal(p.asked.length, 3);
		await p.clock.run(1);
		assert.equal(p.asked.length, 4);
		await plain();
		const poke = () => (ear.link as Link & { poke(): void }).poke();
		poke();
		await p.clock.run(2_999);
		poke();
		await settled();
		assert.equal(p.asked.length, 4, 'never more often than asked for');
		await p.clock.run(1);
		poke();
		await settled();
		assert.equal(p.asked.length, 5);
		await plain();
		p.hidden = false;
		ear.link.ping();
		await settled();
		assert.equal(p.asked.length, 6, 'the page is seen again');
		await p.ok('c1');
		assert.equal(ear.link.rung, 'poll', 'the server can hold polls by now');
		assert.equal(p.last.wait, 25);
	});

	test('502 without end: the path is broken', async () => {
		const { p, ear } = await live();
		for (let i = 0; i < 8; i++) {
			assert.equal(ear.ending, null);
			await p.last.answer(502, '');
			await p.clock.run(1_000);
		}
		assert.equal(ear.ending!.kind, 'lost');
		const asked = p.asked.length;
		await p.clock.run(60_000);
		assert.equal(p.asked.length, asked);
	});

	test('502 on the very first: the path is broken at once', async () => {
		const p = new Polls();
		const ear = new Ear(p.transport);
		await settled();
		await p.last.answer(502, '');
		assert.equal(ear.ending!.kind, 'lost');
	});

	for (const [status, body, how] of [
		[401, '{"code":"unauthenticated"}', { kind: 'stop', reason: 'signed_out' }],
		[403, '{"code":"forbidden"}', { kind: 'stop', reason: 'deactivated' }],
		[403, '<html>a firewall</html>', { kind: 'lost', planned: false }],
		[400, '{"code":"bad_cursor"}', { kind: 'bad_cursor' }],
		[400, '{"code":"bad_request"}', { kind: 'lost', planned: false }],
		[404, '{"code":"not_found"}', { kind: 'lost', refused: true }],
		[500, '', { kind: 'lost', planned: false }],
		[503, '{"code":"unavailable"}', { kind: 'lost', planned: true, retryAfter: 6 }],
		[429, '{"code":"busy"}', { kind: 'lost', planned: true, retryAfter: 6 }],
	] as const) {
		test(`answered ${status} ${body}: ${JSON.stringify(how)}`, async () => {
			const { p, ear } = await live();
			await p.last.answer(status, body, status === 503 || status === 429 ? { 'Retry-After': '6' } : {});
			const { why: _, ...rest } = ear.ending as Ending & { why?: string };
			assert.deepEqual(JSON.parse(JSON.stringify(rest)), how);
		});
	}

	test('a page of a portal instead of lines, or no network: lost', async () => {
		const one = await live();
		await one.p.last.answer(200, '<html>Please pay</html>');
		assert.equal(one.ear.ending!.kind, 'lost');
		const two = await live();
		await two.p.last.fail();
		assert.equal(two.ear.ending!.kind, 'lost');
	});

	test('an answer that does not come is given up 15 s after the hold', async () => {
		const { p, ear } = await live();
		await p.clock.run(39_999);
		assert.equal(ear.ending, null);
		await p.clock.run(1);
		assert.equal(ear.ending!.kind, 'lost');
	});

	test('a ping cuts the hold short: asked again, to be answered at once', async () => {
		const { p, ear } = await live();
		ear.link.ping();
		await settled();
		assert.ok(p.asked[1]!.aborted);
		assert.equal(p.last.wait, 0);
		await p.ok('c1');
		assert.equal(p.last.wait, 25);
		assert.equal(ear.ending, null);
	});

	test('a ping cuts a rest short too', async () => {
		const { p, ear } = await live();
		await p.last.answer(504, '');
		assert.equal(p.asked.length, 2);
		ear.link.ping();
		await settled();
		assert.equal(p.asked.length, 3);
		assert.equal(p.last.wait, 0);
	});

	test('closed by us: the request is ended, and nothing follows', async () => {
		const { p, ear } = await live();
		const said = [...ear.said];
		ear.link.close();
		await p.clock.run(600_000);
		assert.ok(p.asked[1]!.aborted);
		assert.equal(p.asked.length, 2);
		assert.deepEqual(ear.said, said);
		assert.equal(p.clock.pending, 0);
	});

	test('below a ladder: a proxy that cuts every hold after 20 s costs no link', async () => {
		const p = new Polls();
		const states: string[] = [];
		const ladder = new Ladder({
			now: p.clock.now,
			setTimeout: p.clock.setTimeout,
			clearTimeout: p.clock.clearTimeout,
			random: () => 0.5,
			online: () => true,
			hidden: () => false,
			recall: () => null,
			remember: () => {},
			transports: [p.transport],
			instance: 'tab',
			onLines: () => {},
			onState: (s) => void states.push(s),
			onLost: () => {},
			onFailed: () => {},
			onBetter: () => {},
			onStop: () => {},
		});
		p.clock.setInterval(() => ladder.tick(), 5_000);
		ladder.start('c1');
		await settled();
		for (let i = 0; i < 12; i++) {
			const { wait, cursor } = p.last;
			assert.equal(cursor, 'c1');
			const asked = p.asked.length;
			await p.clock.run(Math.min(wait, 20) * 1000);
			await (wait > 20 ? p.last.answer(504, '') : p.ok('c1'));
			await p.clock.run(500);
			assert.equal(p.asked.length, asked + 1);
		}
		assert.deepEqual(states, ['connecting', 'live']);
	});
});

describe('what comes over the wire', () => {
	test('lines: blank ones and those without a type are passed over, others must be JSON', () => {
		assert.deepEqual(parseLines('{"type":"a"}\n\n{"x":1}\nnull\n5\r\n{"type":"b"}'), [{ type: 'a' }, { type: 'b' }]);
		assert.throws(() => parseLines('{"type":"a"}\n{"type":'));
	});

	test('Retry-After: seconds within reason, else nothing', () => {
		const of = (v: string) => retryAfter(new Headers({ 'Retry-After': v }));
		assert.equal(of('5'), 5);
		assert.equal(of('86400'), 300);
		for (const v of ['-1', 'Wed, 21 Oct 2026 07:28:00 GMT', 'NaN']) assert.equal(of(v), undefined, v);
		assert.equal(retryAfter(new Headers()), undefined);
	});

	test('which errors are worth another try', () => {
		for (const status of [0, 408, 429, 500, 502, 503, 504]) assert.ok(new ApiError(status, '', '').transient, String(status));
		for (const status of [400, 401, 403, 404, 409, 413, 422]) assert.ok(!new ApiError(status, '', '').transient, String(status));
	});
});
