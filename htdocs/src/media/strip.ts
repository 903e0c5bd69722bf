// Takes out of a picture what tells where, when, by whom and with what it was made: EXIF, XMP, IPTC, comments, and what hides
// behind its end (a phone's second picture or its film). Which way is up and its colours stay; no pixel is touched.
import { Bytes, Malformed, ascii, joined } from './bytes';
import { EXIF_MARK, orientationOf, orientationTiff } from './exif';
import { stripHeif } from './heif';

export type PictureType = 'image/jpeg' | 'image/png' | 'image/webp' | 'image/gif' | 'image/avif' | 'image/heic';

export const SNIFF = 64; // bytes that tell a type

const HEIF_BRANDS = /^(heic|heix|heim|heis|hevc|hevx|mif1|msf1)$/;

/* By its first bytes; what a picture calls itself may be wrong. */
export function pictureType(head: Uint8Array): PictureType | null {
	const b = new Bytes(head);
	try {
		if (b.u8(0) === 0xff && b.u8(1) === 0xd8 && b.u8(2) === 0xff) return 'image/jpeg';
		const start = b.text(0, 4);
		if (start === '\x89PNG' && b.u32(4) === 0x0d0a1a0a) return 'image/png';
		if (start === 'GIF8') return 'image/gif';
		if (start === 'RIFF' && b.text(8, 4) === 'WEBP') return 'image/webp';
		if (b.text(4, 4) !== 'ftyp') return null;
		const end = Math.min(b.u32(0), head.length);
		const brands = [b.text(8, 4)];
		for (let at = 16; at + 4 <= end; at += 4) brands.push(b.text(at, 4));
		if (brands.includes('avif') || brands.includes('avis')) return 'image/avif';
		return brands.some((x) => HEIF_BRANDS.test(x)) ? 'image/heic' : null;
	} catch {
		return null; // too short
	}
}

/* The picture without it; null where its make cannot be followed, so that nothing can be said of it. */
export function strip(picture: Uint8Array, type: PictureType): Uint8Array<ArrayBuffer> | null {
	try {
		switch (type) {
			case 'image/jpeg':
				return stripJpeg(picture);
			case 'image/png':
				return stripPng(picture);
			case 'image/webp':
				return stripWebp(picture);
			case 'image/gif':
				return stripGif(picture);
			case 'image/avif':
			case 'image/heic':
				return stripHeif(picture);
		}
	} catch (e) {
		if (e instanceof Malformed) return null;
		throw e;
	}
}

export async function stripped(picture: Blob, type: PictureType): Promise<Blob | null> {
	const clean = strip(new Uint8Array(await picture.arrayBuffer()), type);
	return clean && new Blob([clean], { type });
}

/* --- JPEG (ITU-T T.81): segments, of which the application's own tell of the photo */

const startsWith = (p: Uint8Array, mark: Uint8Array): boolean => mark.length <= p.length && mark.every((c, i) => p[i] === c);
const ICC = ascii('ICC_PROFILE\0');

function keptSegment(marker: number, body: Uint8Array): boolean {
	if (marker === 0xfe) return false; // a comment
	if (marker < 0xe0 || marker > 0xef) return true;
	if (marker === 0xe0) return startsWith(body, ascii('JFIF\0'));
	if (marker === 0xe2) return startsWith(body, ICC);
	return marker === 0xee && startsWith(body, ascii('Adobe'));
}

function stripJpeg(all: Uint8Array): Uint8Array<ArrayBuffer> {
	const b = new Bytes(all);
	const parts: Uint8Array[] = [b.slice(0, 2)];
	const SLOT = 1; // where the orientation goes, behind what the picture begins with
	let way = 1;
	let scans = 0;
	for (let at = 2; ;) {
		if (b.u8(at) !== 0xff) throw new Malformed('no marker');
		const marker = b.u8(at + 1);
		if (marker === 0xff) {
			at++; // a fill byte
			continue;
		}
		if (marker === 0xd9) {
			if (!scans) throw new Malformed('no picture');
			parts.push(b.slice(at, 2));
			break; // whatever follows is not of this picture
		}
		if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
			parts.push(b.slice(at, 2));
			at += 2;
			continue;
		}
		if (marker < 0xc0) throw new Malformed('no marker');
		const size = b.u16(at + 2);
		if (size < 2) throw new Malformed('no length');
		const body = b.slice(at + 4, size - 2);
		if (marker === 0xe1 && startsWith(body, EXIF_MARK)) way = orientationOf(body.subarray(EXIF_MARK.length));
		if (keptSegment(marker, body)) parts.push(b.slice(at, size + 2));
		at += size + 2;
		if (marker !== 0xda) continue;
		scans++;
		const from = at;
		at = endOfScan(all, at);
		parts.push(all.subarray(from, at));
		if (at >= all.length) break; // cut short, as browsers still show it
	}
	if (way !== 1) {
		const tiff = orientationTiff(way);
		const size = 2 + EXIF_MARK.length + tiff.length;
		const after = parts[SLOT] && parts[SLOT]![1] === 0xe0 ? SLOT + 1 : SLOT;
		parts.splice(after, 0, joined([Uint8Array.from([0xff, 0xe1, size >> 8, size & 255]), EXIF_MARK, tiff]));
	}
	return joined(parts);
}

/* Where the coded data ends: at a marker that is neither a stuffed byte nor a restart. */
function endOfScan(all: Uint8Array, from: number): number {
	for (let at = all.indexOf(0xff, from); at >= 0; at = all.indexOf(0xff, at + 1)) {
		const next = all[at + 1];
		if (next === undefined) break;
		if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
	}
	return all.length;
}

/* --- PNG: chunks */

const CRCS = Uint32Array.from({ length: 256 }, (_, n) => {
	for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
	return n;
});
function crc(p: Uint8Array): number {
	let c = 0xffffffff;
	for (const x of p) c = CRCS[(c ^ x) & 255]! ^ (c >>> 8);
	return (c ^ 0xffffffff) >>> 0;
}

const be32 = (n: number): Uint8Array => Uint8Array.from([n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
const TELLING = new Set(['eXIf', 'tEXt', 'zTXt', 'iTXt', 'tIME']);

function stripPng(all: Uint8Array): Uint8Array<ArrayBuffer> {
	const b = new Bytes(all);
	const parts: Uint8Array[] = [b.slice(0, 8)];
	let way = 1;
	for (let at = 8; ;) {
		const size = b.u32(at);
		const name = b.text(at + 4, 4);
		if (!/^[A-Za-z]{4}$/.test(name)) throw new Malformed('no chunk');
		const chunk = b.slice(at, size + 12);
		if (name === 'eXIf') way = orientationOf(chunk.subarray(8, 8 + size));
		if (!TELLING.has(name)) parts.push(chunk);
		at += size + 12;
		if (name === 'IEND') break;
	}
	if (way !== 1) {
		const body = joined([ascii('eXIf'), orientationTiff(way)]);
		parts.splice(2, 0, joined([be32(body.length - 4), body, be32(crc(body))])); // behind IHDR
	}
	return joined(parts);
}

/* --- WebP: RIFF chunks, of even length */

const le32 = (n: number): Uint8Array => Uint8Array.from([n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24]);
const HAS_EXIF = 0x08;
const HAS_XMP = 0x04;

function stripWebp(all: Uint8Array): Uint8Array<ArrayBuffer> {
	const b = new Bytes(all, true);
	const end = b.u32(4) + 8;
	b.need(0, Math.min(end, all.length));
	const parts: Uint8Array[] = [];
	let way = 1;
	let flags: Uint8Array | null = null;
	let data = false;
	for (let at = 12; at + 8 <= Math.min(end, all.length);) {
		const name = b.text(at, 4);
		const size = b.u32(at + 4);
		const whole = 8 + size + (size & 1);
		const chunk = b.slice(at, Math.min(whole, all.length - at));
		if (chunk.length < 8 + size) throw new Malformed('cut short');
		if (name === 'EXIF') {
			const body = chunk.subarray(8, 8 + size);
			way = orientationOf(startsWith(body, EXIF_MARK) ? body.subarray(EXIF_MARK.length) : body);
		} else if (name === 'VP8X') {
			flags = Uint8Array.from(chunk);
			parts.push(flags);
		} else if (name !== 'XMP ') parts.push(chunk);
		data ||= name === 'VP8 ' || name === 'VP8L' || name === 'ANMF';
		at += whole;
	}
	if (!data) throw new Malformed('no picture');
	if (flags) {
		flags[8] = flags[8]! & ~(HAS_EXIF | HAS_XMP);
		if (way !== 1) {
			flags[8] |= HAS_EXIF;
			const tiff = orientationTiff(way);
			parts.push(joined([ascii('EXIF'), le32(tiff.length), tiff, new Uint8Array(tiff.length & 1)]));
		}
	}
	const body = joined(parts);
	return joined([ascii('RIFF'), le32(body.length + 4), ascii('WEBP'), body]);
}

/* --- GIF: blocks; comments and the extensions of applications go, but for those that tell how often it loops */

function stripGif(all: Uint8Array): Uint8Array<ArrayBuffer> {
	const b = new Bytes(all);
	const table = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
	const head = 13 + table(b.u8(10));
	const parts: Uint8Array[] = [b.slice(0, head)];
	/* Behind the sub-blocks that begin there. */
	const skip = (at: number): number => {
		for (;;) {
			const n = b.u8(at++);
			if (!n) return at;
			at += n;
		}
	};
	for (let at = head; ;) {
		const kind = b.u8(at);
		if (kind === 0x3b) break;
		const from = at;
		let kept = true;
		if (kind === 0x2c) at = skip(at + 10 + table(b.u8(at + 9)) + 1);
		else if (kind === 0x21) {
			const label = b.u8(at + 1);
			kept = label === 0xf9 || label === 0x01;
			if (label === 0xff && b.u8(at + 2) === 11) kept = /^(NETSCAPE2\.0|ANIMEXTS1\.0)$/.test(b.text(at + 3, 11));
			at = skip(at + 2);
		} else throw new Malformed('no block');
		if (kept) parts.push(b.slice(from, at - from));
	}
	parts.push(Uint8Array.from([0x3b]));
	return joined(parts);
}
