// What a file is to the eye: its kind, its name with the true extension, the room that it takes. Pure functions.
import type { FileFacts, MessageFile, StoredFile } from './types';

export type FileKind = 'picture' | 'video' | 'audio' | 'pdf' | 'archive' | 'sheet' | 'text' | 'code' | 'file';

/* Shown in the page; all else is a card. The server has the same list and sends nothing else inline. */
const PICTURES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif', 'image/bmp']);
const VIDEOS = new Set(['video/mp4', 'video/webm', 'video/ogg', 'video/quicktime']);
const AUDIO = new Set([
	'audio/mpeg',
	'audio/mp4',
	'audio/aac',
	'audio/ogg',
	'audio/opus',
	'audio/webm',
	'audio/wav',
	'audio/x-wav',
	'audio/flac',
	'audio/x-flac',
]);

export const plainType = (type: string): string => type.split(';')[0]!.trim().toLowerCase();

export function kindOf(f: Pick<FileFacts, 'type' | 'name'>): FileKind {
	const type = plainType(f.type);
	if (PICTURES.has(type)) return 'picture';
	if (VIDEOS.has(type)) return 'video';
	if (AUDIO.has(type)) return 'audio';
	if (type === 'application/pdf') return 'pdf';
	if (/zip|tar|compress|7z|rar|gzip|bzip|xz|zstd/.test(type)) return 'archive';
	if (/spreadsheet|excel|csv/.test(type)) return 'sheet';
	if (/html|xml|json|javascript|x-sh|x-c|x-python/.test(type)) return 'code';
	if (type.startsWith('text/') || /word|opendocument|rtf/.test(type)) return 'text';
	return 'file';
}

// What turns a name around or hides a part of it.
const TRICKS = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/* As it is shown: nothing in it that moves or hides its end. */
export const shownName = (name: string): string => name.replace(TRICKS, '').trim() || '?';

/* A name in two parts: when room is short the first is cut, the second never. */
export function splitName(name: string): [string, string] {
	const clean = shownName(name);
	const dot = clean.lastIndexOf('.');
	const keep = dot > 0 && clean.length - dot <= 10 ? dot : clean.length;
	return [clean.slice(0, keep), clean.slice(keep)];
}

export const isErased = (f: MessageFile): f is Extract<MessageFile, { erased: true }> => f.erased === true;

export const addressOf = (id: number, download = false): string => `/api/v1/files/${id}${download ? '?download=1' : ''}`;

/* The smaller one where there is one: what a list shows. */
export const pictureOf = (f: StoredFile): number => f.thumbnail?.id ?? f.id;

const WIDE = 420; // px, of a picture or video in the list
const HIGH = 320;
const LEAST = 72; // px: smaller pictures stand in a frame of this size
const UNKNOWN = { width: 280, height: 210 };

export interface Box {
	width: number;
	height: number;
}

/* The room for one picture, of which the style sheet makes less where the screen is narrow, in the same proportion. */
export function boxOf(f: Pick<FileFacts, 'width' | 'height'>): Box {
	if (!f.width || !f.height) return UNKNOWN;
	const scale = Math.min(1, WIDE / f.width, HIGH / f.height);
	return {
		width: Math.max(LEAST, Math.round(f.width * scale)),
		height: Math.max(LEAST, Math.round(f.height * scale)),
	};
}

/* Columns of a group of pictures. */
export const columnsOf = (n: number): number => (n <= 1 ? 1 : n === 2 || n === 4 ? 2 : 3);
export const GRID = 438; // px, the widest group

const CARD = 66; // px, with its margin
const PLAYER = 92;

/* How high the files of a message are, roughly right for the list's first guess. */
export function heightOf(files: readonly (Pick<FileFacts, 'type' | 'name' | 'width' | 'height'> | { erased: true })[], width: number): number {
	const room = Math.max(120, width - 110);
	let high = 0;
	let pictures: Pick<FileFacts, 'width' | 'height'>[] = [];
	for (const f of files) {
		const kind = 'erased' in f && f.erased ? 'file' : kindOf(f as FileFacts);
		const facts = f as FileFacts;
		if (kind === 'picture') pictures.push(facts);
		else if (kind === 'video') {
			const b = boxOf(facts);
			high += Math.round((Math.min(room, b.width) * b.height) / b.width) + 8;
		} else high += kind === 'audio' ? PLAYER : CARD;
	}
	if (pictures.length === 1) {
		const b = boxOf(pictures[0]!);
		high += Math.round((Math.min(room, b.width) * b.height) / b.width) + 8;
	} else if (pictures.length) {
		const columns = columnsOf(pictures.length);
		high += Math.ceil(pictures.length / columns) * (Math.min(GRID, room) / columns) + 8;
	}
	return high;
}
