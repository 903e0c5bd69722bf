// The rung of server-sent events over a fake fetch: the stream taken apart, what its beginning and its end mean, and what a
// ping does where nothing can be asked.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Line } from '../src/model/types';
import type { Ending, Link } from '../src/net/transport';
import { SseParser, sseTransport } from '../src/net/transport_sse';
import { Clock, seeded, settled } from './help';

async function turns(): Promise<void> {
	for (let i = 0; i < 6; i++) await settled();
}

interface Asked {
	url: URL;
	headers: Record<string, string>;
	aborted: boolean;
	starts(type?: string): Promise<void>;
	says(text: string | Uint8Array): Promise<void>;
	ends(): Promise<void>;
	answers(status: number, body: string, headers?: Record<string, string>): Promise<void>;
	fails(): Promise<void>;
}

class World {
	clock = new Clock();
	asked: Asked[] = [];
	said: string[] = [];
	lines: Line[] = [];
	ending: Ending | null = null;
	cursor = 'c1';
	link: Link;
	constructor() {
		const t = sseTransport({
			now: this.clock.now,
			setTimeout: this.clock.setTimeout,
			clearTimeout: this.clock.clearTimeout,
			fetch: (url, init) =>
				new Promise((resolve, reject) => {
					let stream: ReadableStreamDefaultController<Uint8Array>;
					const asked: Asked = {
						url: new URL(url, 'https://chat.example'),
						headers: init.headers as Record<string, string>,
						aborted: false,
						starts: (type = 'text/event-stream') => {
							const body = new ReadableStream<Uint8Array>({ start: (c) => void (stream = c) });
							resolve(new Response(body, { headers: { 'Content-Type': type } }));
							return turns();
						},
						says: (text) => {
							stream.enqueue(typeof text === 'string' ? new TextEncoder().encode(text) : text);
							return turns();
						},
						ends: () => {
							stream.close();
							return turns();
						},
						answers: (status, body, headers = {}) => {
							resolve(new Response(body, { status, headers }));
							return turns();
						},
						fails: () => {
							reject(new TypeError('network'));
							return turns();
						},
					};
					init.signal!.addEventListener('abort', () => {
						asked.aborted = true;
						const e = new DOMException('aborted', 'AbortError');
						reject(e);
						stream?.error(e);
					});
					this.asked.push(asked);
				}),
		});
		assert.equal(t.rung, 'sse');
		this.link = t.open(() => this.cursor, 'tab', {
			opened: () => void this.said.push('opened'),
			live: () => void this.said.push('live'),
			lines: (l) => {
				this.said.push(`lines ${l.length}`);
				this.lines.push(...l);
			},
			ended: (how) => {
				assert.equal(this.ending, null, 'an end is said once');
				this.ending = how;
			},
		});
	}
	get last(): Asked {
		return this.asked[this.asked.length - 1]!;
	}
	event = (line: object): Promise<void> => this.last.says(`id: x\ndata: ${JSON.stringify(line)}\n\n`);
}

async function live(hello: object = {}): Promise<World> {
	const w = new World();
	await settled();
	await w.last.starts();
	await w.event({ type: 'hello', cursor: 'h', heartbeat: 20, ...hello });
	assert.deepEqual(w.said, ['opened', 'live', 'lines 1']);
	return w;
}

describe('the stream', () => {
	test('is taken apart the same, however it is cut: line ends of every kind, comments, ids, data of several lines', () => {
		const head = '\n: a comment\nid: 1\ndata: {"a":1}\n\ndata:{"b":\r\ndata: "é😀"}';
		const text = `${head}\r\n\r\nretry: 1000\r\revent: x\rdata: {"c":1}\r\rdata\n\ndata: cut`;
		const whole = new SseParser().feed(text);
		assert.deepEqual(whole, ['{"a":1}', '{"b":\n"é😀"}', '{"c":1}']);
		const random = seeded(3);
		for (let i = 0; i < 300; i++) {
			const parser = new SseParser();
			const got: string[] = [];
			for (let at = 0; at < text.length; ) {
				const n = 1 + Math.floor(random() * 5);
				got.push(...parser.feed(text.slice(at, at + n)));
				at += n;
			}
			assert.deepEqual(got, whole);
		}
	});

	test('an event without end is not kept for ever', () => {
		const parser = new SseParser();
		const mega = 'x'.repeat(1 << 20);
		assert.throws(() => {
			for (let i = 0; i < 6; i++) parser.feed(mega);
		});
		const lines = new SseParser();
		assert.throws(() => {
			for (let i = 0; i < 6; i++) lines.feed(`data: ${mega}\n`);
		});
	});

	test('a character that comes in two pieces is one', async () => {
		const w = await live();
		const bytes = new TextEncoder().encode('data: {"type":"message","text":"😀"}\n\n');
		await w.last.says(bytes.slice(0, 34));
		await w.last.says(bytes.slice(34));
		assert.equal(w.lines.at(-1)!.text, '😀');
	});
});

describe('server-sent events', () => {
	test('asks with instance, cursor, what it takes, and the header without which the cookie is refused', async () => {
		const w = new World();
		assert.equal(w.asked.length, 0, 'nothing from inside open()');
		await settled();
		assert.equal(w.last.url.search, '?instance=tab&cursor=c1');
		assert.equal(w.last.headers.Accept, 'text/event-stream');
		assert.ok(w.last.headers['PulseChat-Client']);
	});

	test('is live with the hello, not with the answer; a comment is a sign of life', async () => {
		const w = await live();
		await w.last.says(': still here\n\n');
		assert.equal(w.said.at(-1), 'lines 0');
		await w.event({ type: 'message', cursor: 'm' });
		assert.equal(w.lines.at(-1)!.cursor, 'm');
		assert.equal(w.link.send({ op: 'ping' }), false);
	});

	test('bears a silence of two heartbeats and a little, as the server names them', async () => {
		assert.equal((await live({ heartbeat: 5 })).link.silence, 15_000);
	});

	for (const [status, body, how] of [
		[401, '{"code":"unauthenticated"}', { kind: 'stop', reason: 'signed_out' }],
		[403, '{"code":"forbidden"}', { kind: 'stop', reason: 'deactivated' }],
		[400, '{"code":"bad_cursor"}', { kind: 'bad_cursor' }],
		[406, '{"code":"not_acceptable"}', { kind: 'lost', refused: true }],
		[404, '', { kind: 'lost', refused: true }],
		[426, '', { kind: 'lost', refused: true }],
		[502, '', { kind: 'lost', planned: false }],
		[503, '{"code":"unavailable"}', { kind: 'lost', planned: true, retryAfter: 6 }],
	] as const) {
		test(`answered ${status} ${body}: ${JSON.stringify(how)}`, async () => {
			const w = new World();
			await settled();
			await w.last.answers(status, body, status === 503 ? { 'Retry-After': '6' } : {});
			const { why: _, ...rest } = w.ending as Ending & { why?: string };
			assert.deepEqual(JSON.parse(JSON.stringify(rest)), how);
			assert.deepEqual(w.said, []);
		});
	}

	test('a page of a portal instead of a stream: refused', async () => {
		const w = new World();
		await settled();
		await w.last.answers(200, '<html>Please pay</html>', { 'Content-Type': 'text/html' });
		assert.deepEqual(w.ending, { kind: 'lost', why: 'no event stream', refused: true });
	});

	for (const [bye, how] of [
		[{ reason: 'signed out', code: 4001 }, { kind: 'stop', reason: 'signed_out' }],
		[{ reason: 'deactivated', code: 4003 }, { kind: 'stop', reason: 'deactivated' }],
		[{ reason: 'restart', code: 1012, retry_after: 4 }, { kind: 'lost', why: 'bye: restart', planned: true, retryAfter: 4 }],
	] as const) {
		for (const first of [true, false]) {
			test(`bye ${bye.code} ${first ? 'instead of a hello' : 'later'}: ${JSON.stringify(how)}`, async () => {
				const w = first ? new World() : await live();
				await settled();
				if (first) await w.last.starts();
				await w.event({ type: 'bye', ...bye });
				assert.deepEqual(JSON.parse(JSON.stringify(w.ending)), how);
				assert.ok(w.last.aborted);
				assert.equal(w.said.includes('live'), !first);
			});
		}
	}

	test('ends without a word, breaks, or brings what is not JSON: lost', async () => {
		const ended = await live();
		await ended.last.ends();
		assert.equal(ended.ending!.kind, 'lost');
		const broken = new World();
		await settled();
		await broken.last.fails();
		assert.equal(broken.ending!.kind, 'lost');
		const rubbish = await live();
		await rubbish.last.says('data: <html>\n\n');
		assert.equal(rubbish.ending!.kind, 'lost');
		assert.ok(rubbish.last.aborted);
	});

	test('a ping: what was heard within a heartbeat is enough; later, or on another network, a stream from the cursor', async () => {
		const w = await live();
		w.clock.sleep(21_000);
		w.link.ping();
		assert.equal(w.asked.length, 1);
		assert.equal(w.said.at(-1), 'lines 0');
		w.cursor = 'c2';
		w.link.ping(true);
		assert.equal(w.asked.length, 2);
		assert.ok(w.asked[0]!.aborted);
		assert.equal(w.last.url.searchParams.get('cursor'), 'c2');
		await w.last.starts();
		await w.event({ type: 'hello', cursor: 'h', heartbeat: 20 });
		assert.equal(w.lines.at(-1)!.type, 'hello');
		assert.equal(w.ending, null);
		w.clock.sleep(22_001);
		w.link.ping();
		assert.equal(w.asked.length, 3);
		await w.last.fails();
		assert.equal(w.ending!.kind, 'lost');
	});

	test('closed by us: the request is ended, and nothing follows', async () => {
		const w = await live();
		const said = [...w.said];
		w.link.close();
		assert.ok(w.last.aborted);
		await turns();
		assert.deepEqual(w.said, said);
		assert.equal(w.ending, null);
		const early = new World();
		early.link.close();
		await turns();
		assert.equal(early.asked.length, 0);
	});
});
