// What is asked of the server for files, and the way of their bytes to the store (doc/files.md).
import { call } from './api';
import type { FileOfChannel, Message, OwnFile, StoredFile } from '../model/types';

/* Where and how something is to be sent: with these headers exactly, since they are signed. */
export interface Address {
	method: string;
	url: string;
	headers: Record<string, string>;
	expires_at: string;
}

export interface UploadAnswer {
	id: number;
	client_id: string;
	state: 'pending' | 'checking' | 'ready' | 'attached' | 'emoji' | 'erased';
	channel: number;
	file: StoredFile;
	put: Address | null;
	multipart: { part_size: number; parts: number; have: { number: number; size: number }[] } | null;
}

export interface UploadWish {
	client_id: string;
	channel: number;
	name: string;
	size: number;
	type: string;
	sha256?: string;
	width?: number;
	height?: number;
	duration?: number;
	thumbnail_of?: number;
}

export interface FilePage {
	files: OwnFile[];
	bytes: number;
	next: number | null;
}

const V = '/api/v1';

export const files = {
	begin: (wish: UploadWish) => call<UploadAnswer>('POST', `${V}/uploads`, undefined, wish),
	look: (id: number) => call<UploadAnswer>('GET', `${V}/uploads/${id}`),
	parts: (id: number, parts: { number: number; sha256: string }[]) =>
		call<{ parts: (Address & { number: number })[] }>('POST', `${V}/uploads/${id}/parts`, undefined, { parts }),
	complete: (id: number) => call<UploadAnswer>('POST', `${V}/uploads/${id}/complete`),
	abort: (id: number) => call<null>('DELETE', `${V}/uploads/${id}`),
	/* The message without it, or nothing where it was in none. */
	erase: (id: number) => call<Message | null>('DELETE', `${V}/files/${id}`),
	mine: (before?: number) => call<FilePage>('GET', `${V}/me/files`, { before, limit: 50 }),
	inChannel: (id: number, where: { before?: number; kind?: string; limit?: number }) =>
		call<{ files: FileOfChannel[]; next: number | null }>('GET', `${V}/channels/${id}/files`, where),
	eraseMine: () => call<null>('DELETE', `${V}/me/files`),
	of: (user: number, before?: number) => call<FilePage>('GET', `${V}/admin/users/${user}/files`, { before, limit: 50 }),
	eraseOf: (user: number) => call<null>('DELETE', `${V}/admin/users/${user}/files`),
};

const STALLED = 60_000; // ms without a byte going out

/* A browser opens six connections to a host, and the store may be on the site's own: what is asked of the server meanwhile needs some of
 * them. And what waits in the browser for a connection looks as if it had stalled. */
const LANES = 4;
let busy = 0;
const queue: (() => void)[] = [];

/* Waits for its turn; true: it has it, false: it was cancelled before. */
function lane(signal: AbortSignal): Promise<boolean> {
	if (signal.aborted) return Promise.resolve(false);
	if (busy < LANES) {
		busy++;
		return Promise.resolve(true);
	}
	return new Promise((resolve) => {
		const mine = () => {
			signal.removeEventListener('abort', cancel);
			resolve(true);
		};
		const cancel = () => {
			queue.splice(queue.indexOf(mine), 1);
			resolve(false);
		};
		queue.push(mine);
		signal.addEventListener('abort', cancel, { once: true });
	});
}

function leave(): void {
	const next = queue.shift();
	if (next) next();
	else busy--;
}

/* Sends a piece to the store, when its turn has come. Answers its status, 0 where there was none: no network, or nothing goes out any
 * more. */
export async function sendBlob(to: Address, body: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<number> {
	if (!(await lane(signal))) throw new DOMException('cancelled', 'AbortError');
	try {
		return await send(to, body, onSent, signal);
	} finally {
		leave();
	}
}

/* Only an XMLHttpRequest tells how far a body has gone. */
function send(to: Address, body: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<number> {
	return new Promise((resolve, reject) => {
		const xhr = new XMLHttpRequest();
		let timer: ReturnType<typeof setTimeout>;
		const alive = () => {
			clearTimeout(timer);
			timer = setTimeout(() => xhr.abort(), STALLED);
		};
		const cancel = () => xhr.abort();
		const end = () => {
			clearTimeout(timer);
			signal.removeEventListener('abort', cancel);
			if (signal.aborted) reject(new DOMException('cancelled', 'AbortError'));
			else resolve(xhr.status);
		};
		xhr.open(to.method, to.url);
		for (const [name, value] of Object.entries(to.headers)) xhr.setRequestHeader(name, value);
		xhr.upload.onprogress = (e) => {
			alive();
			onSent(e.loaded);
		};
		xhr.onloadend = end;
		signal.addEventListener('abort', cancel);
		if (signal.aborted) return end();
		alive();
		xhr.send(body);
	});
}
