// Reading bytes of which nothing is to be believed: every access is within bounds, or says that it is not.

export class Malformed extends Error {}

export class Bytes {
	private view: DataView;
	constructor(
		readonly all: Uint8Array,
		readonly little = false,
	) {
		this.view = new DataView(all.buffer, all.byteOffset, all.byteLength);
	}
	get length(): number {
		return this.all.length;
	}
	need(at: number, n: number): void {
		if (at < 0 || n < 0 || at + n > this.all.length) throw new Malformed('beyond the end');
	}
	u8(at: number): number {
		this.need(at, 1);
		return this.all[at]!;
	}
	u16(at: number): number {
		this.need(at, 2);
		return this.view.getUint16(at, this.little);
	}
	u32(at: number): number {
		this.need(at, 4);
		return this.view.getUint32(at, this.little);
	}
	/* Up to 2^53. */
	u64(at: number): number {
		const n = this.u32(at) * 2 ** 32 + this.u32(at + 4);
		if (!Number.isSafeInteger(n)) throw new Malformed('too large');
		return n;
	}
	text(at: number, n: number): string {
		this.need(at, n);
		let s = '';
		for (let i = at; i < at + n; i++) s += String.fromCharCode(this.all[i]!);
		return s;
	}
	slice(at: number, n: number): Uint8Array {
		this.need(at, n);
		return this.all.subarray(at, at + n);
	}
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	let at = 0;
	for (const p of parts) {
		all.set(p, at);
		at += p.length;
	}
	return all;
}

export const ascii = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
