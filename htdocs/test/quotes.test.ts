// Quotes: what they show of their originals by events and by loads, whom they call for, what a composer answers, what is forwarded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardOf, originalOf } from '../src/model/quotes';
import { reduce } from '../src/model/reduce';
import type { State } from '../src/model/state';
import type { Line, Message } from '../src/model/types';
import { createStore } from '../src/store';
import { ApiError } from '../src/net/api';
import type { Shelf } from '../src/sync/local';
import { Quotes } from '../src/sync/quotes';
import { ME, channel, message, page, settled, signedIn } from './help';

const line = (type: string, m: Message): Line => ({ type, ...m }) as unknown as Line;
const told = (s: State, ...lines: Line[]): State => reduce(s, { type: 'lines', lines });
const loaded = (s: State, m: Message | null, seq = m?.seq ?? 0): State => reduce(s, { type: 'original', channel: 1, seq, message: m });

test('the original is the one in the run, else the one that was loaded, and follows edits and deletion by their events', () => {
	let s = signedIn(channel(1, { last_seq: 60 }));
	s = reduce(s, { type: 'log/open', channel: 1 });
	s = reduce(s, { type: 'log/newest', channel: 1, page: page([message(1, 59), message(1, 60)], true) });
	assert.equal(originalOf(s, 1, 60)?.body?.text, 'text 1/60');
	assert.equal(originalOf(s, 1, 5), undefined, 'not known');
	s = loaded(s, message(1, 5));
	assert.equal(originalOf(s, 1, 5)?.body?.text, 'text 1/5');
	s = told(s, line('message.updated', message(1, 5, { version: 3, body: { text: 'new' } })));
	assert.equal(originalOf(s, 1, 5)?.body?.text, 'new');
	s = told(s, line('message.updated', message(1, 5, { version: 2, body: { text: 'late' } })));
	assert.equal(originalOf(s, 1, 5)?.body?.text, 'new', 'never back');
	s = told(s, line('message.deleted', message(1, 5, { version: 4, deleted: true, body: undefined })));
	assert.equal(originalOf(s, 1, 5)?.deleted, true);
	assert.equal(originalOf(loaded(s, null, 6), 1, 6), null, 'not to be had');
	assert.equal(originalOf(reduce(s, { type: 'log/reset', keep: null }), 1, 5), undefined, 'after a reset it is asked for anew');
	assert.equal(originalOf(reduce(s, { type: 'channel/left', channel: 1 }), 1, 5), undefined);
});

test('no more than 500 are held, the oldest go', () => {
	let s = signedIn(channel(1));
	for (let seq = 1; seq <= 502; seq++) s = loaded(s, message(1, seq));
	assert.equal(Object.keys(s.originals).length, 500);
	assert.deepEqual([originalOf(s, 1, 2), originalOf(s, 1, 3)?.seq], [undefined, 3]);
});

test('who is quoted is mentioned', () => {
	const s = signedIn(channel(1));
	const quote = (seq: number, sender: number) => line('message', message(1, seq, { body: { text: 'x', reply_to: { seq: 1, sender } } }));
	const s1 = told(s, quote(1, ME), quote(2, 8));
	assert.deepEqual([s1.channels[1]?.membership?.unread, s1.channels[1]?.membership?.mentions], [2, 1]);
});

test('what is forwarded again is what was forwarded first', () => {
	const m = message(1, 5, { body: { text: 'a', files: [{ id: 3, erased: true }], reply_to: { seq: 1, sender: 8 } } });
	const f = forwardOf(m);
	assert.deepEqual(f, { channel: 1, seq: 5, sender: 7, created_at: m.created_at, text: 'a', files: [{ id: 3, erased: true }] });
	assert.equal(forwardOf(message(2, 9, { body: { text: 'look', forward: f } })), f);
});

test('what a composer answers outlasts the page; originals are asked for once, one at a time', async () => {
	const kept = new Map<string, string>();
	const shelf: Shelf = {
		get: (k) => kept.get(k) ?? null,
		set: (k, v) => void (v === null ? kept.delete(k) : kept.set(k, v)),
		keys: (p) => [...kept.keys()].filter((k) => k.startsWith(p)),
	};
	const store = createStore(signedIn(channel(1)));
	const asked: number[] = [];
	const touched: string[] = [];
	let busy = 0;
	const env = {
		store,
		shelf,
		user: () => ME,
		people: () => {},
		touched: (place: string) => void touched.push(place),
		get: async (ch: number, seq: number) => {
			assert.equal(++busy, 1, 'one at a time');
			asked.push(seq);
			await Promise.resolve();
			busy--;
			if (seq === 9) throw new ApiError(404, 'not_found', '');
			return message(ch, seq);
		},
	};
	const quotes = new Quotes(env);
	quotes.set(1, 5);
	quotes.set(1, 6, 2);
	assert.deepEqual(touched, ['1', '1/2']);
	const again = createStore(signedIn(channel(1)));
	const later = new Quotes({ ...env, store: again });
	later.begin();
	assert.deepEqual(again.get().quoting, { '1': 5, '1/2': 6 });
	assert.equal(later.take('1'), 5);
	assert.equal(later.take('1'), undefined);
	assert.deepEqual([...kept.values()], ['6']);
	for (const seq of [5, 9, 5, 9]) quotes.need(1, seq);
	await settled();
	quotes.need(1, 5);
	quotes.need(1, 9);
	await settled();
	assert.deepEqual(asked, [5, 9]);
	assert.equal(originalOf(store.get(), 1, 9), null);
});
