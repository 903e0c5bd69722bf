// Uploads that outlive the page: what they are and, up to a size, their bytes, in IndexedDB. Where there is none, or it is full,
// nothing is kept; a larger file has to be chosen once more, and goes on from where it was.
import type { FileFacts } from '../model/types';

export interface KeptUpload extends FileFacts {
	user: number;
	client_id: string;
	channel: number;
	thread?: number;
	message: string | null;
	owner: string; // the instance (tab) that sends it
	at: number;
	/* What the server knows it by; another one after a try that left something wrong there. */
	wish: string;
	thumbWish: string;
	/* The server's id; null: not asked for yet. */
	id: number | null;
	/* As it was chosen, to know it again. */
	chosen: { name: string; size: number; modified: number };
	/* Ready to be sent (without what was taken out of it); null: too large to be kept. */
	blob: Blob | null;
	thumb: Blob | null;
	thumbSize: { width: number; height: number } | null;
	plain: boolean; // sent as a file of no special type
}

export const KEEP_UP_TO = 256 * 1024 * 1024; // bytes

export interface UploadShelf {
	load(user: number): Promise<KeptUpload[]>;
	save(u: KeptUpload): Promise<void>;
	drop(client_id: string): Promise<void>;
	forget(user: number): Promise<void>;
}

const NAME = 'pulsechat-uploads';
const FACTS = 'uploads';
const BYTES = 'bytes'; // apart, so that they are written once for each file that was chosen

interface Bytes {
	client_id: string;
	modified: number; // of the file that they are of
	blob: Blob | null;
	thumb: Blob | null;
}

function request<T>(r: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		r.onsuccess = () => resolve(r.result);
		r.onerror = () => reject(r.error);
	});
}

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
	opened ??= new Promise<IDBDatabase>((resolve, reject) => {
		const r = indexedDB.open(NAME, 1);
		r.onupgradeneeded = () => {
			for (const store of [FACTS, BYTES]) r.result.createObjectStore(store, { keyPath: 'client_id' });
		};
		r.onsuccess = () => {
			r.result.onclose = () => (opened = null);
			resolve(r.result);
		};
		r.onerror = () => reject(r.error);
		r.onblocked = () => reject(new Error('blocked'));
	});
	opened.catch(() => (opened = null));
	return opened;
}

async function within<T>(store: string, mode: IDBTransactionMode, act: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
	const tx = (await open()).transaction(store, mode);
	const ended = new Promise<void>((resolve, reject) => {
		tx.oncomplete = () => resolve();
		tx.onabort = () => reject(tx.error); // full
	});
	const [answer] = await Promise.all([request(act(tx.objectStore(store))), ended]);
	return answer;
}

const written = new Map<string, number>(); // whose bytes are there, and of which file

export const uploadShelf: UploadShelf = {
	async load(user) {
		try {
			const all = await within(FACTS, 'readonly', (s) => s.getAll() as IDBRequest<KeptUpload[]>);
			const mine = all.filter((u) => u.user === user).sort((a, b) => a.at - b.at);
			return await Promise.all(
				mine.map(async (u) => {
					const held = await within(BYTES, 'readonly', (s) => s.get(u.client_id) as IDBRequest<Bytes | undefined>).catch(
						() => undefined,
					);
					if (!held || held.modified !== u.chosen.modified) return { ...u, blob: null, thumb: null };
					written.set(u.client_id, held.modified);
					return { ...u, blob: held.blob, thumb: held.thumb };
				}),
			);
		} catch {
			return [];
		}
	},
	async save(u) {
		const { client_id, blob, thumb } = u;
		const { modified } = u.chosen;
		await within(FACTS, 'readwrite', (s) => s.put({ ...u, blob: null, thumb: null })).catch(() => {});
		if (!blob || written.get(client_id) === modified) return;
		written.set(client_id, modified);
		// Full, or a browser that keeps no blobs: then the file is asked for again.
		await within(BYTES, 'readwrite', (s) => s.put({ client_id, modified, blob, thumb } satisfies Bytes)).catch(() => {});
	},
	async drop(client_id) {
		written.delete(client_id);
		for (const store of [FACTS, BYTES]) await within(store, 'readwrite', (s) => s.delete(client_id)).catch(() => {});
	},
	async forget(user) {
		for (const u of await this.load(user)) await this.drop(u.client_id);
	},
};
