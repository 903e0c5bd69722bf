// What would hold up the page where a file is large: checksums, and taking photos apart. A worker of its own, one job at a time.
import { hashOf } from './hash';
import { stripped, type PictureType } from './strip';

export type Job = { op: 'sha256'; body: Blob } | { op: 'strip'; body: Blob; type: PictureType };
export type Done = { n: number; answer: string | Blob | null } | { n: number; error: string };

let turn: Promise<void> = Promise.resolve();

onmessage = ({ data: { n, job } }: MessageEvent<{ n: number; job: Job }>) => {
	turn = turn.then(async () => {
		let done: Done;
		try {
			done = { n, answer: await (job.op === 'sha256' ? hashOf(job.body) : stripped(job.body, job.type)) };
		} catch (e) {
			done = { n, error: e instanceof Error ? e.message : String(e) };
		}
		postMessage(done);
	});
};
