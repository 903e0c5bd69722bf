// The one thing of a photo's EXIF that is kept: which way is up.
import { Bytes, ascii, joined } from './bytes';

const ORIENTATION = 0x0112;
const MOST_ENTRIES = 1_000;

/* 1 to 8; 1 where there is none, or it cannot be read. tiff: from the byte order mark on. */
export function orientationOf(tiff: Uint8Array): number {
	try {
		const order = new Bytes(tiff).text(0, 2);
		if (order !== 'II' && order !== 'MM') return 1;
		const b = new Bytes(tiff, order === 'II');
		if (b.u16(2) !== 42) return 1;
		const ifd = b.u32(4);
		const n = Math.min(MOST_ENTRIES, b.u16(ifd));
		for (let i = 0; i < n; i++) {
			const at = ifd + 2 + i * 12;
			if (b.u16(at) !== ORIENTATION) continue;
			const way = b.u16(at + 8);
			return way >= 1 && way <= 8 ? way : 1;
		}
	} catch {
		// broken: as if it were not there
	}
	return 1;
}

/* A TIFF with that one entry. */
export function orientationTiff(way: number): Uint8Array {
	const header = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8];
	const entry = [ORIENTATION >> 8, ORIENTATION & 255, 0, 3, 0, 0, 0, 1, 0, way, 0, 0];
	return joined([Uint8Array.from(header), Uint8Array.from([0, 1]), Uint8Array.from(entry), new Uint8Array(4)]);
}

export const EXIF_MARK = ascii('Exif\0\0');
