// The files of a channel, as far as its panel has loaded them, and as events go on telling. Pages and events meet by the versions of the
// messages, so they may come in any mixture. Pure functions.
import { isErased, kindOf } from './files';
import type { State } from './state';
import type { FileOfChannel, Message, StoredFile } from './types';

/* Which of them: pictures that browsers show, all others, both. */
export type FilesKind = 'all' | 'images' | 'others';

/* The files of one message as of a version of it; without any it only keeps an older answer from bringing them back. */
export interface Bearer {
	seq: number;
	version: number;
	sender: number;
	created_at: string;
	thread: number | null;
	files: readonly StoredFile[];
}

export interface ChannelFiles {
	channel: number;
	kind: FilesKind;
	/* loading: the first page is under way; more: another one; stale: what is held is not to be trusted any more, nor is an answer on
	 * its way. */
	status: 'loading' | 'ready' | 'more' | 'failed' | 'stale';
	/* Of this asking; answers to another one are none of it. */
	ask: number;
	/* The first page has come: none is none. */
	known: boolean;
	/* By seq: what pages and events have told of. */
	held: Readonly<Record<number, Bearer>>;
	/* Below which seq nothing is known yet; null: everything is. */
	next: number | null;
	/* What was on the screen before it was asked for anew, until it is there. */
	was: readonly Bearer[] | null;
}

export type FilesAction =
	| { type: 'files/open'; channel: number; kind: FilesKind; ask: number }
	| { type: 'files/page'; ask: number; files: readonly FileOfChannel[]; next: number | null }
	| { type: 'files/more'; ask: number }
	| { type: 'files/failed'; ask: number }
	| { type: 'files/close'; channel: number };

const isOf = (kind: FilesKind) => (f: StoredFile): boolean => kind === 'all' || (kindOf(f) === 'picture') === (kind === 'images');

export function applyFiles(s: State, a: FilesAction): State {
	const list = s.files;
	if (a.type === 'files/open') {
		const same = list?.channel === a.channel && list.kind === a.kind;
		const was = same ? filesShown(list) : null;
		return { ...s, files: { channel: a.channel, kind: a.kind, status: 'loading', ask: a.ask, known: false, held: {}, next: null, was } };
	}
	if (a.type === 'files/close') return list?.channel === a.channel ? { ...s, files: null } : s;
	if (!list || list.ask !== a.ask || list.status === 'stale') return s;
	switch (a.type) {
		case 'files/more':
			return { ...s, files: { ...list, status: 'more' } };
		case 'files/failed':
			return { ...s, files: { ...list, status: 'failed' } };
		case 'files/page': {
			const held = { ...list.held };
			for (const b of bearersOf(a.files)) if ((held[b.seq]?.version ?? 0) < b.version) held[b.seq] = b;
			return { ...s, files: { ...list, status: 'ready', known: true, held, next: a.next, was: null } };
		}
	}
}

function bearersOf(files: readonly FileOfChannel[]): Bearer[] {
	const found = new Map<number, Bearer>();
	for (const { file, ...of } of files) found.set(of.seq, { ...of, files: [...(found.get(of.seq)?.files ?? []), file] });
	return [...found.values()];
}

/* A message as an event or an answer tells it. */
export function noteFiles(s: State, m: Message): State {
	const list = s.files;
	if (list?.channel !== m.channel) return s;
	const held = list.held[m.seq];
	// Whatever is told of a message that is gone, it does not come back.
	const version = m.deleted ? Infinity : m.version;
	if (held && held.version >= version) return s;
	const files = (m.body?.files ?? m.body?.forward?.files ?? []).filter((f): f is StoredFile => !isErased(f)).filter(isOf(list.kind));
	if (!files.length && !held && !m.deleted && !m.body?.files && !m.body?.forward?.files) return s;
	const of = { seq: m.seq, version, sender: m.sender, created_at: m.created_at, thread: m.thread ?? null, files };
	return { ...s, files: { ...list, held: { ...list.held, [m.seq]: of } } };
}

/* Nothing that is held is to be trusted; it stays on the screen until it is there anew. */
export const staleFiles = (list: ChannelFiles | null): ChannelFiles | null => list && { ...list, status: 'stale' };

/* Messages with files, the newest first; only what is known to be all from there on. */
export function filesShown(list: ChannelFiles): readonly Bearer[] {
	if (list.was) return list.was;
	if (!list.known) return [];
	return Object.values(list.held)
		.filter((b) => b.files.length > 0 && b.seq >= (list.next ?? 0))
		.sort((a, b) => b.seq - a.seq);
}
