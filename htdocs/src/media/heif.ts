// HEIC and AVIF (ISO/IEC 23008-12): EXIF and XMP are items of their own in the file. Their bytes are overwritten with zeros where they
// lie, so that nothing else moves; which way is up is a property of the picture itself.
import { Bytes, Malformed } from './bytes';

const MOST = 10_000; // items, extents, boxes

interface Box {
	type: string;
	from: number; // of its content
	to: number;
}

function boxes(b: Bytes, from: number, to: number): Box[] {
	const found: Box[] = [];
	for (let at = from; at + 8 <= to;) {
		let size = b.u32(at);
		let head = 8;
		if (size === 1) {
			size = b.u64(at + 8);
			head = 16;
		} else if (size === 0) size = to - at;
		if (size < head || at + size > to || found.length > MOST) throw new Malformed('box');
		found.push({ type: b.text(at + 4, 4), from: at + head, to: at + size });
		at += size;
	}
	return found;
}

/* A number of 0, 2, 4 or 8 bytes. */
function sized(b: Bytes, at: number, n: number): number {
	if (n === 0) return 0;
	if (n === 2) return b.u16(at);
	if (n === 4) return b.u32(at);
	if (n === 8) return b.u64(at);
	throw new Malformed('size of a number');
}

/* Ids of the items that tell of the picture. */
function tellingItems(b: Bytes, iinf: Box): Set<number> {
	const wide = b.u8(iinf.from) !== 0;
	const first = iinf.from + 4 + (wide ? 4 : 2);
	const found = new Set<number>();
	for (const e of boxes(b, first, iinf.to)) {
		if (e.type !== 'infe') continue;
		const version = b.u8(e.from);
		if (version < 2) continue;
		const id = version === 2 ? b.u16(e.from + 4) : b.u32(e.from + 4);
		const at = e.from + 4 + (version === 2 ? 2 : 4) + 2;
		const type = b.text(at, 4);
		if (type === 'Exif' || type === 'mime' || type === 'uri ') found.add(id);
	}
	return found;
}

interface Extent {
	method: number; // 0: of the file, 1: of idat
	at: number;
	n: number;
}

function extentsOf(b: Bytes, iloc: Box, wanted: ReadonlySet<number>): Extent[] {
	const version = b.u8(iloc.from);
	if (version > 2) throw new Malformed('iloc');
	const sizes = b.u16(iloc.from + 4);
	const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
	const indexSize = version ? sizes & 15 : 0;
	let at = iloc.from + 6;
	const items = version < 2 ? b.u16(at) : b.u32(at);
	at += version < 2 ? 2 : 4;
	if (items > MOST) throw new Malformed('items');
	const found: Extent[] = [];
	for (let i = 0; i < items; i++) {
		const id = version < 2 ? b.u16(at) : b.u32(at);
		at += version < 2 ? 2 : 4;
		const method = version ? b.u16(at) & 15 : 0;
		if (version) at += 2;
		at += 2; // of this file
		const base = sized(b, at, baseSize);
		at += baseSize;
		const extents = b.u16(at);
		at += 2;
		for (let k = 0; k < extents; k++) {
			if (at >= iloc.to || found.length > MOST) throw new Malformed('extents');
			at += indexSize;
			const offset = sized(b, at, offsetSize);
			at += offsetSize;
			const n = sized(b, at, lengthSize);
			at += lengthSize;
			if (wanted.has(id)) found.push({ method, at: base + offset, n });
		}
	}
	return found;
}

export function stripHeif(all: Uint8Array): Uint8Array<ArrayBuffer> {
	const b = new Bytes(all);
	const meta = boxes(b, 0, all.length).find((x) => x.type === 'meta');
	if (!meta) throw new Malformed('no meta');
	const inside = boxes(b, meta.from + 4, meta.to);
	const box = (type: string) => inside.find((x) => x.type === type);
	const iinf = box('iinf');
	const iloc = box('iloc');
	const idat = box('idat');
	const out = all.slice() as Uint8Array<ArrayBuffer>;
	if (!iinf || !iloc) throw new Malformed('no items');
	for (const e of extentsOf(b, iloc, tellingItems(b, iinf))) {
		if (e.method > 1 || (e.method === 1 && !idat)) throw new Malformed('method');
		const from = e.at + (e.method === 1 ? idat!.from : 0);
		b.need(from, e.n);
		out.fill(0, from, from + e.n);
	}
	return out;
}
