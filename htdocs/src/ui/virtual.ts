// Windowing: which rows are drawn for a scroll position, from measured heights and estimates. Pure arithmetic.
import { heightOf } from '../model/files';
import { isShown } from '../sync/previews';
import type { Row } from './rows';

const PREVIEW_HEIGHT = 100; // of styles/previews.css
export const OVERSCAN = 500; // px drawn above and below the view

/* A first guess; the list measures what it draws, and keeps what is seen in place when a guess was wrong. */
export function estimate(row: Row, width: number): number {
	if (row.kind === 'start') return 180;
	if (row.kind === 'older') return 56;
	if (row.kind === 'day' || row.kind === 'new') return 38;
	const text = row.kind === 'message' ? (row.message.body?.text ?? '') : row.pending.text;
	const perLine = Math.max(20, Math.min(95, (width - 100) / 7.5));
	let lines = 0;
	for (let at = 0, i = 0; i < 24 && at <= text.length; i++) {
		const end = text.indexOf('\n', at);
		const stop = end < 0 ? text.length : end;
		lines += Math.max(1, Math.ceil((stop - at) / perLine));
		at = stop + 1;
	}
	const files = row.kind === 'message' ? row.message.body?.files : row.pending.files;
	const refers = row.kind === 'message' ? row.message.body : row.pending;
	const forward = refers?.forward;
	if (!text && (files?.length || forward)) lines = 0;
	const thread = row.kind === 'message' && row.message.replies?.count ? 34 : 0;
	const card = row.kind === 'message' && row.message.body?.preview && isShown(row.message.channel, row.message.seq) ? PREVIEW_HEIGHT : 0;
	const lent = forward ? 60 + Math.ceil(forward.text.length / perLine) * 22 + (forward.files?.length ? heightOf(forward.files, width) : 0) : 0;
	const borne = files?.length ? heightOf(files as Parameters<typeof heightOf>[0], width) : 0;
	return thread + (refers?.reply_to ? 24 : 0) + lent + Math.min(24, lines) * 22 + card + borne + (row.head ? 34 : 4);
}

/* The height of each row: measured, or guessed. Kept between drawings, since guessing 10,000 takes its time. */
export function sizesOf(rows: readonly Row[], heights: ReadonlyMap<string, number>, width: number): Float64Array {
	const sizes = new Float64Array(rows.length);
	for (let i = 0; i < rows.length; i++) sizes[i] = heights.get(rows[i]!.key) ?? estimate(rows[i]!, width);
	return sizes;
}

/* offsets[i] is the top of row i; the last entry is the whole height. */
export function layout(sizes: Float64Array): Float64Array {
	const offsets = new Float64Array(sizes.length + 1);
	for (let i = 0; i < sizes.length; i++) offsets[i + 1] = offsets[i]! + sizes[i]!;
	return offsets;
}

/* Index of the row that holds the given height. */
export function rowAt(offsets: Float64Array, y: number): number {
	let lo = 0;
	let hi = offsets.length - 2;
	while (lo < hi) {
		const mid = (lo + hi + 1) >> 1;
		if (offsets[mid]! <= y) lo = mid;
		else hi = mid - 1;
	}
	return Math.max(0, lo);
}

export interface Window {
	from: number;
	to: number;
}

/* Rows [from, to) for a view of `height` at `top`, with what lies a little beyond. */
export function windowOf(offsets: Float64Array, top: number, height: number, beyond = OVERSCAN): Window {
	const n = offsets.length - 1;
	if (n <= 0) return { from: 0, to: 0 };
	return { from: rowAt(offsets, top - beyond), to: Math.min(n, rowAt(offsets, top + height + beyond) + 1) };
}
