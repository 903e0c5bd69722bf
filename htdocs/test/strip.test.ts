// What leaves a photo before it is sent, and what stays: pictures are put together here, byte by byte.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { joined, ascii } from '../src/media/bytes';
import { EXIF_MARK, orientationOf, orientationTiff } from '../src/media/exif';
import { pictureType, strip } from '../src/media/strip';
import { seeded } from './help';

const bytes = (...n: number[]) => Uint8Array.from(n);
const be16 = (n: number) => bytes(n >> 8, n & 255);
const be32 = (n: number) => bytes(n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
const le32 = (n: number) => Uint8Array.from(be32(n)).reverse();
const text = (p: Uint8Array) => Buffer.from(p).toString('latin1');

/* EXIF as a phone writes it: which way is up, what made it, and where. */
function exifTiff(way: number, order: 'MM' | 'II' = 'MM'): Uint8Array {
	const turn = (p: Uint8Array) => (order === 'II' ? Uint8Array.from(p).reverse() : p);
	const [n16, n32] = [(n: number) => turn(be16(n)), (n: number) => turn(be32(n))];
	const value16 = (n: number) => (order === 'II' ? joined([n16(n), bytes(0, 0)]) : joined([n16(n), bytes(0, 0)]));
	const entries = [
		joined([n16(0x010f), n16(2), n32(11), n32(200)]), // Make
		joined([n16(0x0112), n16(3), n32(1), value16(way)]),
		joined([n16(0x8825), n16(4), n32(1), n32(220)]), // GPS
	];
	const ifd = joined([n16(entries.length), ...entries, n32(0)]);
	const head = joined([ascii(order), n16(42), n32(8), ifd]);
	return joined([head, new Uint8Array(200 - head.length), ascii('SecretPhone\0'), new Uint8Array(8), ascii('GPS 47.3769N 8.5417E')]);
}

const segment = (marker: number, ...body: Uint8Array[]) => {
	const all = joined(body);
	return joined([bytes(0xff, marker), be16(all.length + 2), all]);
};
const JFIF = segment(0xe0, ascii('JFIF\0'), bytes(1, 1, 0, 0, 1, 0, 1, 0, 0));
const ICC = segment(0xe2, ascii('ICC_PROFILE\0'), bytes(1, 1), ascii('colours'));
const ADOBE = segment(0xee, ascii('Adobe'), bytes(0, 100, 0, 0, 0, 0, 1));
const DQT = segment(0xdb, bytes(0), new Uint8Array(64).fill(1));
const SOF = segment(0xc2, bytes(8, 0, 1, 0, 1, 1, 1, 0x11, 0));
const DHT = segment(0xc4, bytes(0, 1), new Uint8Array(15), bytes(0));
const SOS = segment(0xda, bytes(1, 1, 0, 0, 63, 0));
/* Coded data with a stuffed byte, a restart, and fill bytes before the marker that ends it. */
const CODED = bytes(0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56, 0x78);
const jpeg = (...extra: Uint8Array[]) => joined([bytes(0xff, 0xd8), JFIF, ...extra, ICC, ADOBE, DQT, SOF, DHT, SOS, CODED, DHT, SOS, CODED, bytes(0xff, 0xd9)]);

const TELLING = [
	segment(0xe1, EXIF_MARK, exifTiff(1)),
	segment(0xe1, ascii('http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>GPSLatitude SecretPlace</x:xmpmeta>')),
	segment(0xed, ascii('Photoshop 3.0\0SecretCity')),
	segment(0xe2, ascii('MPF\0SecretSecond')),
	segment(0xe5, ascii('SecretMaker')),
	segment(0xfe, ascii('SecretComment')),
];

describe('JPEG', () => {
	test('place, maker, XMP, IPTC, comments go; picture, colours and tables stay to the byte', () => {
		assert.deepEqual(strip(jpeg(...TELLING), 'image/jpeg'), jpeg());
		assert.deepEqual(strip(jpeg(), 'image/jpeg'), jpeg(), 'nothing to take out: nothing changes');
	});

	test('which way is up stays, in either byte order, and nothing else of the EXIF', () => {
		for (const order of ['MM', 'II'] as const)
			for (const way of [2, 3, 6, 8]) {
				const out = strip(jpeg(segment(0xe1, EXIF_MARK, exifTiff(way, order)), ...TELLING.slice(1)), 'image/jpeg')!;
				assert.ok(!/Secret|GPS|47\.3/.test(text(out)));
				const at = text(out).indexOf('Exif\0\0');
				assert.equal(at, 2 + JFIF.length + 4, 'behind the JFIF head');
				assert.equal(orientationOf(out.subarray(at + 6)), way);
				assert.equal(out.length, jpeg().length + 4 + 6 + orientationTiff(way).length);
			}
	});

	test('what hides behind the end of the picture goes: a second picture, a film', () => {
		const film = ascii('....ftypmp42 SecretFilm GPS');
		assert.deepEqual(strip(joined([jpeg(...TELLING), jpeg(...TELLING), film]), 'image/jpeg'), jpeg());
	});

	test('cut short in its data it is still cleaned; cut short before that, nothing can be said', () => {
		const whole = jpeg(...TELLING);
		const out = strip(whole.subarray(0, whole.length - 5), 'image/jpeg')!;
		assert.ok(!/Secret|GPS/.test(text(out)));
		assert.equal(strip(whole.subarray(0, 300), 'image/jpeg'), null);
		assert.equal(strip(bytes(0xff, 0xd8, 0xff), 'image/jpeg'), null);
		assert.equal(strip(joined([bytes(0xff, 0xd8), bytes(0xff, 0xe1, 0, 1)]), 'image/jpeg'), null, 'a length below its own size');
	});
});

const crcTable = Array.from({ length: 256 }, (_, n) => {
	for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
	return n >>> 0;
});
const crc = (p: Uint8Array) => (p.reduce((c, x) => (crcTable[(c ^ x) & 255]! ^ (c >>> 8)) >>> 0, 0xffffffff) ^ 0xffffffff) >>> 0;
const chunk = (name: string, body: Uint8Array) => {
	const all = joined([ascii(name), body]);
	return joined([be32(body.length), all, be32(crc(all))]);
};
const SIGNATURE = bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const IHDR = chunk('IHDR', joined([be32(1), be32(1), bytes(8, 0, 0, 0, 0)]));
const IDAT = chunk('IDAT', deflateSync(bytes(0, 0x7f)));
const png = (...extra: Uint8Array[]) => joined([SIGNATURE, IHDR, chunk('gAMA', be32(45455)), ...extra, IDAT, chunk('IEND', bytes())]);

test('PNG: EXIF, texts and time go, the rest stays; which way is up stays; what follows the end goes', () => {
	const telling = [
		chunk('eXIf', exifTiff(1)),
		chunk('tEXt', ascii('Comment\0Secret')),
		chunk('zTXt', ascii('a\0\0Secret')),
		chunk('iTXt', ascii('XML:com.adobe.xmp\0\0\0\0\0Secret')),
		chunk('tIME', bytes(7, 234, 11, 26, 1, 2, 3)),
	];
	assert.deepEqual(strip(joined([png(...telling), ascii('SecretTail')]), 'image/png'), png());
	const out = strip(png(chunk('eXIf', exifTiff(6))), 'image/png')!;
	assert.deepEqual(out, joined([SIGNATURE, IHDR, chunk('eXIf', orientationTiff(6)), chunk('gAMA', be32(45455)), IDAT, chunk('IEND', bytes())]));
	assert.equal(strip(png().subarray(0, 60), 'image/png'), null);
});

const riff = (...parts: Uint8Array[]) => {
	const body = joined(parts);
	return joined([ascii('RIFF'), le32(body.length + 4), ascii('WEBP'), body]);
};
const part = (name: string, body: Uint8Array) => joined([ascii(name), le32(body.length), body, new Uint8Array(body.length & 1)]);
const vp8x = (flags: number) => part('VP8X', bytes(flags, 0, 0, 0, 0, 0, 0, 0, 0, 0));
const VP8 = part('VP8 ', bytes(1, 2, 3));

test('WebP: EXIF and XMP go, and what says that they are there', () => {
	const icc = part('ICCP', ascii('colours!'));
	const photo = riff(vp8x(0x2c), icc, VP8, part('EXIF', exifTiff(1)), part('XMP ', ascii('<x>Secret</x>')));
	assert.deepEqual(strip(photo, 'image/webp'), riff(vp8x(0x20), icc, VP8));
	const turned = strip(riff(vp8x(0x08), VP8, part('EXIF', joined([EXIF_MARK, exifTiff(8, 'II')]))), 'image/webp')!;
	assert.deepEqual(turned, riff(vp8x(0x08), VP8, part('EXIF', orientationTiff(8))));
	assert.deepEqual(strip(joined([riff(VP8), ascii('SecretTail')]), 'image/webp'), riff(VP8));
	assert.equal(strip(riff(vp8x(0)), 'image/webp'), null, 'no picture in it');
	assert.equal(strip(photo.subarray(0, photo.length - 400), 'image/webp'), null);
});

test('GIF: comments and XMP go; how often it loops stays', () => {
	const head = joined([ascii('GIF89a'), bytes(1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255)]);
	const loop = joined([bytes(0x21, 0xff, 11), ascii('NETSCAPE2.0'), bytes(3, 1, 0, 0, 0)]);
	const xmp = joined([bytes(0x21, 0xff, 11), ascii('XMP DataXMP'), bytes(6), ascii('Secret'), bytes(0)]);
	const note = joined([bytes(0x21, 0xfe, 6), ascii('Secret'), bytes(0)]);
	const frame = joined([bytes(0x21, 0xf9, 4, 0, 10, 0, 0, 0), bytes(0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0)]);
	assert.deepEqual(strip(joined([head, loop, xmp, note, frame, bytes(0x3b), ascii('tail')]), 'image/gif'), joined([head, loop, frame, bytes(0x3b)]));
	assert.equal(strip(joined([head, bytes(0x2c, 0)]), 'image/gif'), null);
});

const box = (type: string, ...body: Uint8Array[]) => {
	const all = joined(body);
	return joined([be32(all.length + 8), ascii(type), all]);
};
const full = (type: string, version: number, ...body: Uint8Array[]) => box(type, bytes(version, 0, 0, 0), ...body);

test('HEIC and AVIF: the items with EXIF and XMP are blank, all else lies where it lay', () => {
	for (const brand of ['heic', 'avif'] as const) {
		const infe = (id: number, type: string) => full('infe', 2, be16(id), be16(0), ascii(type), bytes(0));
		const iinf = full('iinf', 0, be16(3), infe(1, 'hvc1'), infe(2, 'Exif'), infe(3, 'mime'));
		const data = [ascii('coded picture'), joined([be32(0), exifTiff(6)]), ascii('<x>Secret XMP</x>')];
		const meta = (base: number) => {
			let at = base;
			const item = (id: number, n: number) => {
				const one = joined([be16(id), be16(0), be16(0), be16(1), be32(at), be32(n)]);
				at += n;
				return one;
			};
			return full('meta', 0, iinf, full('iloc', 1, bytes(0x44, 0), be16(3), ...data.map((d, i) => item(i + 1, d.length))));
		};
		const ftyp = box('ftyp', ascii(brand), be32(0), ascii('mif1'), ascii(brand));
		const photo = joined([ftyp, meta(ftyp.length + meta(0).length + 8), box('mdat', ...data)]);
		const type = brand === 'heic' ? 'image/heic' : 'image/avif';
		assert.equal(pictureType(photo.subarray(0, 64)), type);
		const out = strip(photo, type)!;
		const blank = data.map((d, i) => (i ? new Uint8Array(d.length) : d));
		assert.deepEqual(out, joined([ftyp, meta(ftyp.length + meta(0).length + 8), box('mdat', ...blank)]));
		assert.equal(strip(photo.subarray(0, photo.length - 4), type), null, 'an item beyond the end');
		assert.equal(strip(ftyp, type), null);
	}
});

test('types by the first bytes, whatever a file is called', () => {
	assert.equal(pictureType(jpeg().subarray(0, 64)), 'image/jpeg');
	assert.equal(pictureType(png().subarray(0, 64)), 'image/png');
	assert.equal(pictureType(riff(VP8)), 'image/webp');
	assert.equal(pictureType(ascii('GIF89a')), 'image/gif');
	for (const other of ['', '<svg xmlns=', '<!doctype html>', '%PDF-1.7', 'RIFF....WAVE', '\0\0\0\x14ftypisom....', 'GIF'])
		assert.equal(pictureType(ascii(other)), null, other);
});

test('whatever the bytes are, it answers and ends', () => {
	const random = seeded(6);
	const whole = [jpeg(...TELLING), png(chunk('eXIf', exifTiff(3))), riff(vp8x(0x0c), VP8, part('EXIF', exifTiff(3)))];
	const types = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/heic'] as const;
	for (let n = 0; n < 4_000; n++) {
		const p = Uint8Array.from(whole[n % whole.length]!);
		for (let k = 0; k < 1 + (n % 7); k++) p[Math.floor(random() * p.length)] = Math.floor(random() * 256);
		const cut = p.subarray(0, random() < 0.3 ? Math.floor(random() * p.length) : p.length);
		for (const type of types) {
			const out = strip(cut, type);
			assert.ok(out === null || out.length <= cut.length + 64);
		}
		orientationOf(cut);
	}
});
