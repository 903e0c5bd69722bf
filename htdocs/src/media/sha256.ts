// SHA-256 (FIPS 180-4) of what comes piece by piece, which the browser's own cannot do: it wants all at once, in memory, twice.

const frac = (x: number): number => ((x - Math.floor(x)) * 2 ** 32) | 0;
const PRIMES: number[] = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((p) => n % p)) PRIMES.push(n);
const START = PRIMES.slice(0, 8).map((p) => frac(Math.sqrt(p)));
const K = Int32Array.from(PRIMES, (p) => frac(Math.cbrt(p)));
const BLOCK = 64; // bytes

export class Sha256 {
	private h = Int32Array.from(START);
	private w = new Int32Array(64);
	private rest = new Uint8Array(BLOCK);
	private held = 0; // bytes in it
	private bytes = 0;

	update(data: Uint8Array): void {
		this.bytes += data.length;
		let at = 0;
		if (this.held) {
			at = Math.min(BLOCK - this.held, data.length);
			this.rest.set(data.subarray(0, at), this.held);
			this.held += at;
			if (this.held < BLOCK) return;
			this.blocks(this.rest, 0, BLOCK);
			this.held = 0;
		}
		const end = data.length - ((data.length - at) % BLOCK);
		this.blocks(data, at, end);
		this.rest.set(data.subarray(end));
		this.held = data.length - end;
	}

	/* Ends it. */
	digest(): Uint8Array<ArrayBuffer> {
		const last = new Uint8Array(this.held < BLOCK - 8 ? BLOCK : 2 * BLOCK);
		last.set(this.rest.subarray(0, this.held));
		last[this.held] = 0x80;
		const tail = new DataView(last.buffer);
		tail.setUint32(last.length - 8, Math.floor(this.bytes / 2 ** 29));
		tail.setUint32(last.length - 4, (this.bytes * 8) >>> 0);
		this.blocks(last, 0, last.length);
		const out = new DataView(new ArrayBuffer(32));
		this.h.forEach((n, i) => out.setInt32(i * 4, n));
		return new Uint8Array(out.buffer);
	}

	private blocks(p: Uint8Array, from: number, to: number): void {
		const { h, w } = this;
		for (let at = from; at < to; at += BLOCK) {
			for (let i = 0, k = at; i < 16; i++, k += 4) w[i] = (p[k]! << 24) | (p[k + 1]! << 16) | (p[k + 2]! << 8) | p[k + 3]!;
			for (let i = 16; i < 64; i++) {
				const x = w[i - 15]!;
				const y = w[i - 2]!;
				const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
				const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
				w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
			}
			let a = h[0]!;
			let b = h[1]!;
			let c = h[2]!;
			let d = h[3]!;
			let e = h[4]!;
			let f = h[5]!;
			let g = h[6]!;
			let last = h[7]!;
			for (let i = 0; i < 64; i++) {
				const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
				const t1 = (last + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
				const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
				const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
				last = g;
				g = f;
				f = e;
				e = (d + t1) | 0;
				d = c;
				c = b;
				b = a;
				a = (t1 + t2) | 0;
			}
			h[0] = h[0]! + a;
			h[1] = h[1]! + b;
			h[2] = h[2]! + c;
			h[3] = h[3]! + d;
			h[4] = h[4]! + e;
			h[5] = h[5]! + f;
			h[6] = h[6]! + g;
			h[7] = h[7]! + last;
		}
	}
}
