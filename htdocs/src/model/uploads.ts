// Files on their way, as the state holds them. Pure functions.
import { emojiLimits } from './custom_emoji';
import type { Limits, State } from './state';
import type { FileLimits, Pending, StoredFile, Upload } from './types';

export type UploadAction =
	| { type: 'upload/add'; uploads: readonly Upload[] }
	| { type: 'upload/set'; client_id: string; change: Partial<Upload> }
	| { type: 'upload/drop'; client_id: string }
	/* The file is stored: the pending message that waits for it knows its id. */
	| { type: 'upload/ready'; client_id: string; file: StoredFile };

export function applyUpload(s: State, a: UploadAction): State {
	switch (a.type) {
		case 'upload/add': {
			const fresh = a.uploads.filter((u) => !s.uploads.some((x) => x.client_id === u.client_id));
			return fresh.length ? { ...s, uploads: [...s.uploads, ...fresh] } : s;
		}
		case 'upload/set': {
			if (!s.uploads.some((u) => u.client_id === a.client_id)) return s;
			return { ...s, uploads: s.uploads.map((u) => (u.client_id === a.client_id ? { ...u, ...a.change } : u)) };
		}
		case 'upload/drop':
			return {
				...s,
				uploads: s.uploads.filter((u) => u.client_id !== a.client_id),
				outbox: mapped(s.outbox, (p) => without(p, a.client_id)),
			};
		case 'upload/ready': {
			const change: Partial<Upload> = {
				...factsOf(a.file),
				state: 'ready',
				fault: null,
				file: a.file,
				sent: a.file.size,
				speed: 0,
				again: 0,
			};
			return {
				...s,
				uploads: s.uploads.map((u) => (u.client_id === a.client_id ? { ...u, ...change } : u)),
				outbox: mapped(s.outbox, (p) =>
					p.files?.some((f) => f.upload === a.client_id)
						? {
								...p,
								files: p.files.map((f) =>
									f.upload === a.client_id ? { ...f, ...factsOf(a.file), id: a.file.id } : f,
								),
							}
						: p,
				),
			};
		}
	}
}

const factsOf = ({ name, size, type, width, height, duration }: StoredFile) => ({ name, size, type, width, height, duration });

/* The same list where nothing in it has changed. */
function mapped<T>(list: readonly T[], f: (x: T) => T): readonly T[] {
	const next = list.map(f);
	return next.every((x, i) => x === list[i]) ? list : next;
}

/* A file that was taken off a message that waits for it; one that is stored stays. */
function without(p: Pending, upload: string): Pending {
	const files = p.files?.filter((f) => f.upload !== upload || f.id !== null);
	return files?.length === p.files?.length ? p : { ...p, files };
}

/* Files that are chosen for what is being written in a channel, or in a thread of it. */
export const draftFiles = (s: State, channel: number, thread?: number): Upload[] =>
	s.uploads.filter((u) => u.channel === channel && u.thread === thread && u.message === null);

/* Whether a message cannot be sent yet. */
export const waitsForFiles = (p: Pending): boolean => p.files?.some((f) => f.id === null) === true;

export const emptyUpload = (u: Pick<Upload, 'client_id' | 'channel' | 'name' | 'size' | 'type'> & Partial<Upload>): Upload => ({
	width: null,
	height: null,
	duration: null,
	state: 'preparing',
	fault: null,
	detail: '',
	sent: 0,
	speed: 0,
	again: 0,
	file: null,
	preview: null,
	message: null,
	...u,
});

/* Of all limits those of files and of the site's own emoji, where they are told at all. */
export const limitsOfFiles = (limits: Record<string, unknown>): Partial<Limits> =>
	'message_files' in limits ? { files: fileLimits(limits), custom: emojiLimits(limits) } : {};

/* What the server's limits say of files; null: it keeps none. */
export function fileLimits(limits: Record<string, unknown>): FileLimits | null {
	const n = (name: string): number => (typeof limits[name] === 'number' ? limits[name] : 0);
	if (!n('message_files')) return null;
	return { message_files: n('message_files'), file_bytes: n('file_bytes') || Infinity, multipart_above: n('multipart_above') };
}
