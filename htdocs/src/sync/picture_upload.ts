// A picture's way to the server, to become an emoji, or one's own: it goes as any file does. Loaded with the dialog.
import { Transfer, TransferError } from './transfer';
import { browserTransfer } from './uploads_browser';

const TYPES = ['image/png', 'image/gif', 'image/webp', 'image/jpeg'];
const SIDE = 128; // px, of an emoji's picture that was too large
const MOST_SIDE = 1024; // px, as the server says of any
const FACE = 256; // px, of one's own picture
const FACE_BYTES = 96 * 1024; // of one without loss; a photo is smaller with it
const QUALITY = 0.9;

type Pen = CanvasRenderingContext2D;

function drawn(width: number, height: number, type: string, draw: (pen: Pen) => void): Promise<Blob> {
	const canvas = document.createElement('canvas');
	canvas.width = width;
	canvas.height = height;
	const pen = canvas.getContext('2d')!;
	pen.imageSmoothingQuality = 'high';
	draw(pen);
	return new Promise((resolve, reject) => canvas.toBlob((b) => (b ? resolve(b) : reject(new TransferError('unreadable'))), type, QUALITY));
}

/* As much of it as is needed; a GIF stays as it is, since it may move. */
async function shrunk(picture: Blob): Promise<Blob> {
	const bitmap = await createImageBitmap(picture);
	const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
	const [width, height] = [bitmap.width, bitmap.height].map((n) => Math.max(1, Math.round(n * scale))) as [number, number];
	const small = await drawn(width, height, 'image/png', (pen) => pen.drawImage(bitmap, 0, 0, width, height));
	bitmap.close();
	return small;
}

/* The square in its middle. What a camera wrote into it is left behind. */
async function squared(picture: Blob): Promise<Blob> {
	const bitmap = await createImageBitmap(picture).catch(() => {
		throw new TransferError('type');
	});
	const side = Math.min(bitmap.width, bitmap.height);
	const draw = (pen: Pen) =>
		pen.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, FACE, FACE);
	let small = await drawn(FACE, FACE, 'image/png', draw);
	if (small.size > FACE_BYTES)
		small = await drawn(FACE, FACE, 'image/jpeg', (pen) => {
			pen.fillStyle = '#fff'; // where one can see through
			pen.fillRect(0, 0, FACE, FACE);
			draw(pen);
		});
	bitmap.close();
	return small;
}

async function sent(channel: number, name: string, body: Blob, type: string, signal: AbortSignal, onSent?: (bytes: number) => void): Promise<number> {
	const transfer = new Transfer(browserTransfer, { onSent }, signal);
	transfer.body = body;
	const begun = await transfer.begin({ client_id: crypto.randomUUID(), channel, name, size: body.size, type }, true);
	return (await transfer.finish(begun)).id;
}

/* One's own picture, of whatever the browser can show. Answers the file's id; onShare: how much of it has gone, 0 to 1. */
export async function sendFace(channel: number, file: File, signal: AbortSignal, onShare: (share: number) => void): Promise<number> {
	const body = await squared(file);
	return sent(channel, 'picture', body, body.type, signal, (bytes) => onShare(bytes / body.size));
}

/* Answers the file's id. bytes: how large it may be. */
export async function sendPicture(channel: number, file: File, bytes: number, signal: AbortSignal): Promise<number> {
	const { prepare } = await import('../media/prepare');
	const prepared = await prepare(file, false);
	if (!TYPES.includes(prepared.type)) throw new TransferError('type');
	let { body, type } = prepared;
	if (body.size > bytes || Math.max(prepared.width ?? 0, prepared.height ?? 0) > MOST_SIDE) {
		if (type === 'image/gif') throw new TransferError('too_large');
		body = await shrunk(body);
		type = 'image/png';
	}
	if (body.size > bytes) throw new TransferError('too_large');
	return sent(channel, file.name, body, type, signal);
}
