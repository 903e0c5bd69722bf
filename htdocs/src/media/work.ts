// The page's side of its worker: it is started with the first job. Where it cannot be (its script is gone after an update of the
// site), the page does the work itself.
import { hashOf } from './hash';
import type { PictureType } from './strip';
import type { Done, Job } from './worker';

/* Its address, set by build.mjs. */
declare const PC_WORKER: string;

class Broken extends Error {}

let worker: Worker | null = null;
let last = 0;
const waiting = new Map<number, { resolve(answer: string | Blob | null): void; reject(e: Error): void }>();

function started(): Worker {
	if (worker) return worker;
	const w = new Worker(PC_WORKER);
	w.onmessage = ({ data }: MessageEvent<Done>) => {
		const asked = waiting.get(data.n);
		waiting.delete(data.n);
		if ('error' in data) asked?.reject(new Error(data.error));
		else asked?.resolve(data.answer);
	};
	w.onerror = (e) => {
		e.preventDefault();
		worker = null;
		w.terminate();
		for (const asked of waiting.values()) asked.reject(new Broken());
		waiting.clear();
	};
	return (worker = w);
}

const run = (job: Job): Promise<string | Blob | null> =>
	new Promise((resolve, reject) => {
		const w = started();
		waiting.set(++last, { resolve, reject });
		w.postMessage({ n: last, job });
	});

async function orHere<T>(job: Job, here: () => Promise<T>): Promise<T> {
	try {
		return (await run(job)) as T;
	} catch (e) {
		if (e instanceof Broken) return here();
		throw e;
	}
}

const SMALL = 256 << 10; // bytes, that are done sooner than a worker is asked

/* Rejects where it cannot be read. */
export const sha256 = (body: Blob): Promise<string> => (body.size <= SMALL ? hashOf(body) : orHere({ op: 'sha256', body }, () => hashOf(body)));

/* The picture without what tells of it; null: its make cannot be followed. */
export const strippedPicture = (body: Blob, type: PictureType): Promise<Blob | null> =>
	orHere({ op: 'strip', body, type }, async () => (await import('./strip')).stripped(body, type));
