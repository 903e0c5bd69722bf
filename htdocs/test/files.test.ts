// Names, kinds and room of files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxOf, columnsOf, heightOf, kindOf, shownName, splitName } from '../src/model/files';
import { lengthText, sizeText } from '../src/ui/bytes';

const kind = (type: string, name = 'x') => kindOf({ type, name });

test('FI-3 only rasters, films and sound are shown; the rest is a card', () => {
	for (const type of ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif', 'IMAGE/PNG; x=1']) assert.equal(kind(type), 'picture');
	assert.equal(kind('video/mp4'), 'video');
	assert.equal(kind('audio/mpeg'), 'audio');
	for (const type of ['image/svg+xml', 'text/html', 'application/xhtml+xml', 'text/xml', 'application/pdf', 'image/tiff', 'image/heic', ''])
		assert.ok(!['picture', 'video', 'audio'].includes(kind(type)), type);
	assert.deepEqual(
		['application/zip', 'text/csv', 'text/plain', 'text/html', 'application/pdf'].map((x) => kind(x)),
		['archive', 'sheet', 'text', 'code', 'pdf'],
	);
});

test('FI-2 a name shows what it really ends with, whatever is in it', () => {
	assert.deepEqual(splitName('report\u202etxt.exe'), ['reporttxt', '.exe']);
	assert.deepEqual(splitName('\u2066a\u2069.tar.gz'), ['a.tar', '.gz']);
	assert.deepEqual(splitName('1976–2016.md'), ['1976–2016', '.md']);
	assert.deepEqual(splitName('日本😬.pdf'), ['日本😬', '.pdf']);
	assert.deepEqual(splitName('.profile'), ['.profile', '']);
	assert.deepEqual(splitName('a.very-long-ending-that-is-none'), ['a.very-long-ending-that-is-none', '']);
	assert.equal(shownName('a\r\nb\u0000c'), 'abc');
	assert.equal(shownName('\u202e\u200b'), '?');
	assert.equal(shownName('👩‍👩‍👧.png'), '👩‍👩‍👧.png', 'what joins a picture of people stays');
});

test('room: in proportion, bounded, the same before and after it loads', () => {
	assert.deepEqual(boxOf({ width: 4000, height: 3000 }), { width: 420, height: 315 });
	assert.deepEqual(boxOf({ width: 1000, height: 4000 }), { width: 80, height: 320 });
	assert.deepEqual(boxOf({ width: 10, height: 10 }), { width: 72, height: 72 });
	assert.deepEqual(boxOf({ width: null, height: null }), { width: 280, height: 210 });
	assert.deepEqual([1, 2, 3, 4, 5, 20].map(columnsOf), [1, 2, 3, 2, 3, 3]);
	const picture = { name: 'a', type: 'image/png', width: 4000, height: 3000 };
	assert.equal(heightOf([picture], 1000), 315 + 8);
	assert.ok(heightOf([picture], 320) < 315);
	assert.ok(heightOf([picture, picture, picture, { erased: true }], 1000) > 146);
});

test('sizes and lengths as people read them', () => {
	assert.match(sizeText(0), /^0 bytes?$/);
	assert.match(sizeText(999), /^999 bytes$/);
	assert.match(sizeText(1000), /^1 kB$/i);
	assert.match(sizeText(1_260_000), /^1[.,]3 MB$/);
	assert.match(sizeText(2_147_483_648), /^2[.,]1 GB$/);
	assert.equal(lengthText(75.4), '1:15');
	assert.equal(lengthText(3_605), '1:00:05');
});
