// A picture's way to the server, to become an emoji: it goes as any file does. Loaded with the dialog.
import { Transfer, TransferError } from './transfer';
import { browserTransfer } from './uploads_browser';

const TYPES = ['image/png', 'image/gif', 'image/webp', 'image/jpeg'];
const SIDE = 128; // px, of a picture that was too large
const MOST_SIDE = 1024; // px, as the server says of any

/* As much of it as is needed; a GIF stays as it is, since it may move. */
async function shrunk(picture: Blob): Promise<Blob> {
	const bitmap = await createImageBitmap(picture);
	const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
	const canvas = document.createElement('canvas');
	canvas.width = Math.max(1, Math.round(bitmap.width * scale));
	canvas.height = Math.max(1, Math.round(bitmap.height * scale));
	canvas.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
	bitmap.close();
	return new Promise((resolve, reject) => canvas.toBlob((b) => (b ? resolve(b) : reject(new TransferError('unreadable'))), 'image/png'));
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
	const transfer = new Transfer(browserTransfer, {}, signal);
	transfer.body = body;
	const begun = await transfer.begin({ client_id: crypto.randomUUID(), channel, name: file.name, size: body.size, type }, true);
	return (await transfer.finish(begun)).id;
}
