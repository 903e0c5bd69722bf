// The checksum of a file or of a piece of one, with bounded memory, however large it is.
import { Sha256 } from './sha256';

const AT_ONCE = 16 << 20; // bytes; up to here by the browser's own code, which is several times as fast
const SLICE = 4 << 20;

const hex = (sum: Uint8Array): string => Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join('');

/* Rejects where it cannot be read. */
export async function hashOf(body: Blob): Promise<string> {
	if (body.size <= AT_ONCE) return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', await body.arrayBuffer())));
	const sum = new Sha256();
	for (let at = 0; at < body.size; at += SLICE) sum.update(new Uint8Array(await body.slice(at, at + SLICE).arrayBuffer()));
	return hex(sum.digest());
}
