// The uploads, put together with the browser and the server.
import { sha256 } from '../media/work';
import { files, sendBlob } from '../net/uploads';
import type { Store } from '../store';
import { shelf } from './local';
import type { TransferEnv } from './transfer';
import { Uploads } from './uploads';
import { uploadShelf } from './upload_shelf';

export interface UploadHooks {
	onSessionOver(): void;
	onReady(): void;
	onDraft(channel: number, thread?: number): void;
}

/* Of this browser alone: whether photos keep where they were taken. */
const KEEP_LOCATION = 'keep-location';
export const keepsLocation = (): boolean => shelf.get(KEEP_LOCATION) !== null;
export const setKeepsLocation = (on: boolean): void => shelf.set(KEEP_LOCATION, on ? '1' : null);

function pause(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const end = () => {
			clearTimeout(timer);
			removeEventListener('online', end);
			signal.removeEventListener('abort', end);
			if (signal.aborted) reject(new DOMException('cancelled', 'AbortError'));
			else resolve();
		};
		const timer = setTimeout(end, ms);
		addEventListener('online', end);
		signal.addEventListener('abort', end);
		if (signal.aborted) end();
	});
}

/* What one file's way needs. */
export const browserTransfer: TransferEnv = {
	begin: async (wish) => (await files.begin(wish)).data,
	look: async (id) => (await files.look(id)).data,
	parts: async (id, parts) => (await files.parts(id, parts)).data.parts,
	complete: async (id) => (await files.complete(id)).data,
	put: sendBlob,
	sha256,
	now: () => Date.now(),
	pause,
	random: Math.random,
};

export function browserUploads(store: Store, instance: string, hooks: UploadHooks): Uploads {
	return new Uploads({
		...hooks,
		store,
		instance,
		shelf: uploadShelf,
		...browserTransfer,
		prepare: (file) => import('../media/prepare').then((m) => m.prepare(file, keepsLocation())),
		abort: (id) => files.abort(id),
		uuid: () => crypto.randomUUID(),
		picture: (blob) => URL.createObjectURL(blob),
		forgetPicture: (address) => URL.revokeObjectURL(address),
	});
}
