// The uploads before their machinery has been loaded: what is chosen waits for it, a failure is said and tried again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Uploads } from '../src/sync/uploads';
import { LaterUploads } from '../src/sync/uploads_later';
import { freshBrowser, pass, turns, win } from './client_help';

freshBrowser();

/* The machinery, as far as it is asked, and a network that may not bring it. */
function world() {
	const w = {
		done: [] as unknown[][],
		loads: 0,
		online: true,
		told: 0,
		living: new Set(['new']),
	};
	const note =
		(what: string) =>
		(...args: unknown[]) =>
			void w.done.push([what, ...args]);
	const machinery = Object.fromEntries(['add', 'cancel', 'adopt', 'showDraft', 'stop', 'wake'].map((what) => [what, note(what)]));
	const uploads = new LaterUploads({
		load: async () => {
			w.loads++;
			if (!w.online) throw new TypeError('Failed to fetch');
			return machinery as unknown as Uploads;
		},
		shelf: { load: async () => [], save: async () => {}, drop: async () => {}, forget: async (user) => note('forget')(user) },
		living: async () => w.living,
		onFailed: () => w.told++,
	});
	return { w, uploads };
}
const file = new File(['x'], 'a.txt');

test('it is loaded when the page is idle, once', async () => {
	const { w, uploads } = world();
	uploads.begin();
	uploads.wake();
	assert.equal(w.loads, 0);
	await pass(2_000);
	assert.equal(w.loads, 1);
	uploads.add(1, [file]);
	assert.deepEqual(w.done, [['add', 1, [file], undefined]], 'and then all is done at once');
	assert.equal(w.loads, 1);
});

test('files that are chosen before: nothing is to be sent until they are taken', async () => {
	const { w, uploads } = world();
	uploads.add(1, [file], 7);
	assert.equal(uploads.taking, 1);
	assert.equal(uploads.attach(1, 'm'), undefined);
	await turns();
	assert.equal(uploads.taking, 0);
	assert.deepEqual(w.done, [['add', 1, [file], 7]]);
	assert.equal(w.told, 0);
});

test('it cannot be loaded: whoever waits is told, the text may go; the files come when it can', async () => {
	const { w, uploads } = world();
	w.online = false;
	uploads.begin();
	await pass(2_000);
	assert.equal(w.told, 0, 'nobody waits');
	uploads.add(1, [file]);
	await turns();
	assert.equal(w.told, 1);
	assert.equal(uploads.taking, 0);
	await pass(10_000);
	assert.equal(w.told, 1);
	w.online = true;
	win.dispatchEvent(new Event('online'));
	await turns();
	assert.deepEqual(w.done, [['add', 1, [file], undefined]]);
});

test('what others have left is taken over but from pages that live, then or now', async () => {
	const { w, uploads } = world();
	uploads.adopt(new Set(['old']));
	await turns();
	assert.deepEqual(w.done, [['adopt', new Set(['old', 'new'])]]);
});

test('a draft without files needs nothing; signing out forgets without it', async () => {
	const { w, uploads } = world();
	await uploads.showDraft({ channel: 1 }, []);
	await uploads.forget(3);
	assert.equal(w.loads, 0);
	await uploads.showDraft({ channel: 1 }, [9]);
	assert.deepEqual(w.done, [
		['forget', 3],
		['showDraft', { channel: 1 }, [9]],
	]);
});

test('stopped: nothing more is loaded', async () => {
	const { w, uploads } = world();
	w.online = false;
	uploads.begin();
	uploads.cancel('x');
	await turns();
	assert.equal(w.loads, 1);
	uploads.stop();
	w.online = true;
	await pass(60_000);
	assert.equal(w.loads, 1);
	assert.deepEqual(w.done, []);
});
