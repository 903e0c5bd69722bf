// Checksums of what is too large for the browser's own code, against another implementation; and turns of what goes to the store.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hashOf } from '../src/media/hash';
import { Sha256 } from '../src/media/sha256';
import { sendBlob } from '../src/net/uploads';
import { seeded, settled } from './help';

const random = seeded(7);
const noise = (n: number) => Uint8Array.from({ length: n }, () => random() * 256);
const theirs = (p: Uint8Array) => createHash('sha256').update(p).digest('hex');
const ours = (...pieces: Uint8Array[]) => {
	const sum = new Sha256();
	for (const p of pieces) sum.update(p);
	return Buffer.from(sum.digest()).toString('hex');
};

test('SHA-256: each length around its blocks, in one piece and in many', () => {
	assert.equal(ours(Buffer.from('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
	assert.equal(ours(), theirs(Buffer.alloc(0)));
	for (let n = 0; n < 300; n++) {
		const p = noise(n);
		assert.equal(ours(p), theirs(p), `${n}`);
		for (let k = 0; k < 5; k++) {
			const cuts = [0, ...[random(), random(), random()].map((x) => Math.floor(x * (n + 1))).sort((a, b) => a - b), n];
			assert.equal(ours(...cuts.slice(1).map((to, i) => p.subarray(cuts[i], to))), theirs(p), `${n}: ${cuts}`);
		}
	}
});

test('a large blob is read in slices, never all of it', async () => {
	const p = new Uint8Array((20 << 20) + 3).fill(1);
	const blob = new Blob([p]);
	let most = 0;
	const watched = (b: Blob): Blob =>
		Object.assign(b, {
			arrayBuffer: async () => ((most = Math.max(most, b.size)), Blob.prototype.arrayBuffer.call(b)),
			slice: (from: number, to: number) => watched(Blob.prototype.slice.call(b, from, to)),
		});
	assert.equal(await hashOf(watched(blob)), theirs(p));
	assert.ok(most > 0 && most <= 4 << 20, `${most}`);
	assert.equal(await hashOf(new Blob(['abc'])), theirs(Buffer.from('abc')));
});

test('a few at a time go to the store, in the order they were asked; who is cancelled loses their turn only', async () => {
	const sending: FakeRequest[] = [];
	class FakeRequest {
		status = 0;
		url = '';
		upload = {};
		onloadend = () => {};
		open = (_: string, url: string) => void (this.url = url);
		setRequestHeader = () => {};
		send = () => void sending.push(this);
		abort = () => this.end(0);
		end(status: number) {
			this.status = status;
			sending.splice(sending.indexOf(this), 1);
			this.onloadend();
		}
	}
	const before = globalThis.XMLHttpRequest;
	globalThis.XMLHttpRequest = FakeRequest as never;
	try {
		const stops = Array.from({ length: 8 }, () => new AbortController());
		const answers = stops.map((s, i) =>
			sendBlob({ method: 'PUT', url: `${i}`, headers: {}, expires_at: '' }, new Blob(['x']), () => {}, s.signal).catch((e: Error) => e.name),
		);
		const urls = () => sending.map((r) => r.url).join(' ');
		await settled();
		assert.equal(urls(), '0 1 2 3');
		stops[4]!.abort(); // that waits
		stops[0]!.abort(); // that is sent
		await settled();
		assert.equal(urls(), '1 2 3 5');
		while (sending.length) {
			sending[0]!.end(200);
			await settled();
		}
		assert.deepEqual(await Promise.all(answers), ['AbortError', 200, 200, 200, 'AbortError', 200, 200, 200]);
	} finally {
		globalThis.XMLHttpRequest = before;
	}
});
