// The files of a channel: pages and events in any mixture come to what a fresh load says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesShown, type FilesKind } from '../src/model/channel_files';
import { isErased, kindOf } from '../src/model/files';
import { reduce, type Action } from '../src/model/reduce';
import type { State } from '../src/model/state';
import type { FileOfChannel, Line, Message, MessageFile, StoredFile } from '../src/model/types';
import { channel, message, seeded, signedIn } from './help';

const file = (id: number, picture = true): StoredFile => {
	const [name, type] = picture ? [`${id}.png`, 'image/png'] : [`${id}.pdf`, 'application/pdf'];
	return { id, name, type, size: id, width: null, height: null, duration: null, thumbnail: null };
};
const bears = (seq: number, files: MessageFile[], more: Partial<Message> = {}): Message => message(1, seq, { body: { text: '', files }, ...more });
const line = (type: string, m: Message): Action => ({ type: 'lines', lines: [{ ...m, type } as unknown as Line] });
const run = (s: State, ...actions: Action[]): State => actions.reduce(reduce, s);
const open = (kind: FilesKind = 'all', ask = 1): Action => ({ type: 'files/open', channel: 1, kind, ask });
const said = (s: State): string[] => (s.files ? filesShown(s.files) : []).map((b) => `${b.seq}:${b.files.map((f) => f.id)}`);

/* What the server answers. */
function pageOf(messages: readonly Message[], kind: FilesKind, limit: number, before = Infinity): { files: FileOfChannel[]; next: number | null } {
	const of = (m: Message) =>
		(m.body?.files ?? m.body?.forward?.files ?? [])
			.filter((f): f is StoredFile => !isErased(f))
			.filter((f) => kind === 'all' || (kindOf(f) === 'picture') === (kind === 'images'));
	const all = messages.filter((m) => !m.deleted && m.seq < before && of(m).length).sort((a, b) => b.seq - a.seq);
	const files = all.slice(0, limit).flatMap((m) =>
		of(m).map((f) => ({ file: f, seq: m.seq, version: m.version, sender: m.sender, created_at: m.created_at, thread: m.thread ?? null })),
	);
	return { files, next: all.length > limit ? all[limit - 1]!.seq : null };
}

test('nothing is kept as long as nobody looks; what is below the page is not shown before its page', () => {
	const s = signedIn(channel(1));
	assert.equal(run(s, line('message', bears(1, [file(1)]))).files, null);
	const messages = [1, 2, 3].map((n) => bears(n, [file(n)]));
	let now = run(s, open(), { type: 'files/page', ask: 1, ...pageOf(messages, 'all', 2) });
	assert.deepEqual(said(now), ['3:3', '2:2']);
	// an event of an older one that no page has told of
	now = run(now, line('message.updated', bears(1, [file(1)], { version: 2 })));
	assert.deepEqual(said(now), ['3:3', '2:2']);
	now = run(now, { type: 'files/more', ask: 1 }, { type: 'files/page', ask: 1, ...pageOf(messages, 'all', 2, 2) });
	assert.deepEqual(said(now), ['3:3', '2:2', '1:1']);
	assert.equal(now.files?.held[1]?.version, 2);
	assert.equal(run(now, { type: 'files/close', channel: 1 }).files, null);
	assert.equal(run(now, { type: 'channel/left', channel: 1 }).files, null);
});

test('new, erased, edited, deleted; an older answer brings nothing back', () => {
	const [one, two] = [bears(1, [file(1), file(2, false)]), bears(2, [file(3)])];
	const first: Action = { type: 'files/page', ask: 1, ...pageOf([one, two], 'all', 9) };
	let s = run(signedIn(channel(1)), open(), first);
	s = run(s, line('message', bears(3, [file(4)])), line('message', message(1, 4)));
	assert.deepEqual(said(s), ['3:4', '2:3', '1:1,2']);
	assert.equal(s.files?.held[4], undefined, 'what bears none is not kept');
	s = run(s, line('message.updated', bears(1, [{ id: 1, erased: true }, file(2, false)], { version: 2 })));
	assert.deepEqual(said(s), ['3:4', '2:3', '1:2']);
	const { body: _, ...gone } = two;
	s = run(s, line('message.deleted', { ...gone, version: 2, deleted: true }));
	assert.deepEqual(said(s), ['3:4', '1:2']);
	s = run(s, line('message.updated', { ...two, version: 7 }), first);
	assert.deepEqual(said(s), ['3:4', '1:2']);
	const forward = { channel: 9, seq: 1, sender: 7, created_at: '', text: '', files: [file(8)] };
	s = run(s, line('message', message(1, 5, { body: { text: '', forward } })));
	assert.deepEqual(said(s), ['5:8', '3:4', '1:2']);
	assert.deepEqual(said(run(s, line('message', bears(1, [file(9)], { channel: 2 })))), said(s), 'of another channel');
});

test('after a reset what was there stays until it is there anew, and no answer from before counts', () => {
	const messages = [bears(1, [file(1)]), bears(2, [file(2)])];
	const first: Action = { type: 'files/page', ask: 1, ...pageOf(messages, 'all', 9) };
	let s = run(signedIn(channel(1)), open(), first, { type: 'distrust' }, { type: 'log/reset', keep: 1 });
	assert.equal(s.files?.status, 'stale');
	assert.deepEqual(said(s), ['2:2', '1:1']);
	s = run(s, first);
	assert.equal(s.files?.status, 'stale');
	s = run(s, open('all', 2));
	assert.deepEqual(said(s), ['2:2', '1:1']);
	s = run(s, line('message', bears(2, [file(7)])), first);
	assert.deepEqual(said(s), ['2:2', '1:1'], 'the former asking');
	s = run(s, { type: 'files/page', ask: 2, ...pageOf([messages[0]!], 'all', 9) });
	assert.deepEqual(said(s), ['2:7', '1:1']);
	s = run(s, open('images', 3));
	assert.deepEqual(said(s), [], 'of another kind nothing is shown meanwhile');
	assert.equal(run(s, { type: 'files/failed', ask: 3 }).files?.status, 'failed');
	assert.deepEqual(said(run(s, { type: 'files/failed', ask: 3 }, line('message', bears(9, [file(9)])))), [], 'a part is not taken for all');
});

test('by events and by a fresh load the same comes out, whatever happens in between', () => {
	for (let seed = 1; seed <= 300; seed++) {
		const random = seeded(seed);
		const below = (n: number) => Math.floor(random() * n);
		const kind = (['all', 'images', 'others'] as const)[below(3)]!;
		const messages: Message[] = [];
		const log: Action[] = [];
		let id = 0;
		const act = () => {
			const m = messages[below(messages.length)];
			const what = m ? below(6) : 0;
			if (what <= 1) {
				const files = Array.from({ length: below(4) }, () => file(++id, random() < 0.5));
				const forward = { channel: 2, seq: 1, sender: 7, created_at: '', text: '', files };
				const body = random() < 0.3 ? { text: '', forward } : files.length ? { text: '', files } : { text: 'x' };
				messages.push(message(1, messages.length + 1, { body, ...(random() < 0.3 && { thread: 1 }) }));
				log.push(line('message', messages.at(-1)!));
			} else if (m && !m.deleted) {
				const version = m.version + 1;
				const erase = (list: MessageFile[]) => list.map((f, i): MessageFile => (i === 0 ? { id: f.id, erased: true } : f));
				const { body, ...bare } = m;
				let to: Message = { ...m, version, body: { ...body!, text: `edited ${version}` } };
				if (what === 2) to = { ...bare, version, deleted: true };
				else if (what === 3 && body?.files) to = { ...m, version, body: { ...body, files: erase(body.files) } };
				else if (what === 3 && body?.forward?.files)
					to = { ...m, version, body: { ...body, forward: { ...body.forward, files: erase(body.forward.files) } } };
				messages[m.seq - 1] = to;
				log.push(line(to.deleted ? 'message.deleted' : 'message.updated', to));
			}
		};
		for (let i = 0; i < 10; i++) act();
		let from = below(log.length); // where the client began to follow
		let at = from; // and how far it has heard
		let s = signedIn(channel(1));
		let ask = 0;
		let late: Action | null = null;
		const ask1 = () => {
			ask++;
			s = run(s, open(kind, ask));
			late = { type: 'files/page', ask, ...pageOf(messages, kind, 2) };
		};
		ask1();
		for (let i = 0; i < 60; i++) {
			const what = below(10);
			if (what < 4) act();
			else if (what < 7 && at < log.length) s = run(s, log[at++]!);
			else if (what === 7 && late) [s, late] = [run(s, late), null];
			else if (what === 8 && !late && s.files?.next) late = { type: 'files/page', ask, ...pageOf(messages, kind, 2, s.files.next) };
			else if (what === 9 && random() < 0.2) {
				s = run(s, { type: 'log/reset', keep: null });
				// a reset leads to where the log is
				from = at = log.length;
				ask1();
			}
			if (at > from && random() < 0.1) s = run(s, log[Math.max(from, at - 1 - below(3))]!); // told once more
		}
		for (; at < log.length; at++) s = run(s, log[at]!);
		if (late) s = run(s, late);
		while (s.files?.next) s = run(s, { type: 'files/page', ask, ...pageOf(messages, kind, 2, s.files.next) });
		const fresh = run(signedIn(channel(1)), open(kind), { type: 'files/page', ask: 1, ...pageOf(messages, kind, 1000) });
		const whole = (x: State) => filesShown(x.files!).map((b) => ({ ...b }));
		assert.deepEqual(whole(s), whole(fresh), `seed ${seed}`);
	}
});
