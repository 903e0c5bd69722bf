// Looks at a file before it is sent: what it is, how large it is to the eye, a small picture of it; and takes out of photos what
// tells where they were made. Loaded with the first file that is chosen.
import { plainType } from '../model/files';
import { SNIFF, pictureType, type PictureType } from './strip';
import { strippedPicture } from './work';

export interface Prepared {
	body: Blob;
	type: string;
	width: number | null;
	height: number | null;
	duration: number | null;
	thumb: { body: Blob; width: number; height: number } | null;
}

const THUMB = 800; // px, its longer side; smaller pictures need none
const QUALITY = 0.82;
const ANIMATED_UP_TO = 8 << 20; // bytes; a GIF moves in the list up to this size
const READ_UP_TO = 256 << 20; // bytes of a picture; what is larger goes as it is, unseen
const LOOK_FOR = 10_000; // ms at a film
const ANY = 'application/octet-stream';

/* keep: the photo as it is. Throws where the file cannot be read. */
export async function prepare(file: File, keep: boolean): Promise<Prepared> {
	const head = new Uint8Array(await file.slice(0, SNIFF).arrayBuffer());
	const picture = pictureType(head);
	const plain: Prepared = {
		body: file,
		type: picture ?? (plainType(file.type) || ANY),
		width: null,
		height: null,
		duration: null,
		thumb: null,
	};
	if (picture) return lookAtPicture({ ...plain, body: keep ? file : await cleaned(file, picture) }, picture);
	if (plain.type === 'image/bmp') return lookAtPicture(plain, null); // tells of nothing but its pixels
	if (/^(video|audio)\//.test(plain.type)) return lookAtFilm(plain);
	return plain;
}

async function cleaned(file: File, type: PictureType): Promise<Blob> {
	if (file.size > READ_UP_TO) return file;
	const clean = await strippedPicture(file, type);
	if (clean) return clean;
	// Of a make that cannot be followed: painted anew, where the browser can show it.
	const bitmap = await createImageBitmap(file).catch(() => null);
	if (!bitmap) return file;
	try {
		return (await painted(bitmap, bitmap.width, bitmap.height, type === 'image/jpeg' ? type : 'image/png', 0.92)) ?? file;
	} finally {
		bitmap.close();
	}
}

async function lookAtPicture(p: Prepared, type: PictureType | null): Promise<Prepared> {
	const bitmap = p.body.size <= READ_UP_TO ? await createImageBitmap(p.body).catch(() => null) : null;
	if (!bitmap) return p; // of a kind that this browser does not show
	try {
		const { width, height } = bitmap;
		const seen = { ...p, type: p.body.type || p.type, width, height };
		const moves = type === 'image/gif' && p.body.size <= ANIMATED_UP_TO;
		if (Math.max(width, height) <= THUMB || moves) return seen;
		return { ...seen, thumb: await thumbOf(bitmap, width, height, type !== 'image/jpeg') };
	} finally {
		bitmap.close();
	}
}

async function thumbOf(from: CanvasImageSource, width: number, height: number, alpha: boolean): Promise<Prepared['thumb']> {
	const scale = Math.min(1, THUMB / Math.max(width, height));
	const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
	// A browser that cannot write WebP writes PNG.
	const body = await painted(from, w, h, alpha ? 'image/webp' : 'image/jpeg', QUALITY);
	return body && { body, width: w, height: h };
}

function painted(from: CanvasImageSource, width: number, height: number, type: string, quality: number): Promise<Blob | null> {
	const canvas = document.createElement('canvas');
	canvas.width = width;
	canvas.height = height;
	const pen = canvas.getContext('2d');
	if (!pen) return Promise.resolve(null);
	pen.imageSmoothingQuality = 'high';
	pen.drawImage(from, 0, 0, width, height);
	return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

/* Waits for one of an element's events; false: it failed, or took too long. */
function comes(el: HTMLMediaElement, event: string, act: () => void): Promise<boolean> {
	return new Promise((resolve) => {
		const end = (ok: boolean) => {
			clearTimeout(timer);
			el.removeEventListener(event, yes);
			el.removeEventListener('error', no);
			resolve(ok);
		};
		const yes = () => end(true);
		const no = () => end(false);
		const timer = setTimeout(no, LOOK_FOR);
		el.addEventListener(event, yes);
		el.addEventListener('error', no);
		act();
	});
}

async function lookAtFilm(p: Prepared): Promise<Prepared> {
	const film = p.type.startsWith('video/');
	const el = document.createElement(film ? 'video' : 'audio');
	const address = URL.createObjectURL(p.body);
	el.preload = film ? 'auto' : 'metadata';
	el.muted = true;
	try {
		if (!(await comes(el, 'loadedmetadata', () => (el.src = address)))) return p;
		const duration = Number.isFinite(el.duration) ? Math.round(el.duration * 1000) / 1000 : null;
		if (!(el instanceof HTMLVideoElement) || !el.videoWidth) return { ...p, duration };
		const [width, height] = [el.videoWidth, el.videoHeight];
		const seen = { ...p, duration, width, height };
		const first = Math.min(1, (duration ?? 0) / 10);
		if (!(await comes(el, 'seeked', () => (el.currentTime = first)))) return seen;
		return { ...seen, thumb: await thumbOf(el, width, height, false) };
	} finally {
		el.removeAttribute('src');
		el.load();
		URL.revokeObjectURL(address);
	}
}
