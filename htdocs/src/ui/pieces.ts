// The message list is drawn in pieces: what the view needs at once, what lies beyond it in tasks of their own, so that none is long.
import type { Row } from './rows';
import { nextWindow, type Window } from './virtual';

export class Pieces {
	private first: string | undefined; // keys of the messages that are drawn, from here
	private last: string | undefined; // to there
	private due = false; // the next drawing is that of a piece
	private timer: ReturnType<typeof setTimeout> | undefined;

	constructor(private redraw: () => void) {}

	/* What to draw now; see nextWindow(). */
	window(offsets: Float64Array, top: number, height: number, rows: readonly Row[], indexOf: ReadonlyMap<string, number>): Window & { done: boolean } {
		let from = indexOf.get(this.first ?? '');
		let to = indexOf.get(this.last ?? '');
		if (from === undefined || to === undefined) return nextWindow(offsets, top, height, null, this.due);
		// Lines come and go when a page is loaded: they go with the message beside them.
		while (from > 0 && rows[from - 1]!.kind !== 'message') from--;
		do to++;
		while (to < rows.length && rows[to]!.kind !== 'message');
		return nextWindow(offsets, top, height, { from, to }, this.due);
	}

	/* That is drawn. */
	drawn(rows: readonly Row[], { from, to }: Window, done: boolean): void {
		const messages = rows.slice(from, to).filter((r) => r.kind === 'message');
		this.first = messages[0]?.key;
		this.last = messages.at(-1)?.key;
		this.due = false;
		if (!done) this.later();
	}

	/* The next piece, when the browser has shown this one. */
	later(): void {
		this.timer ??= setTimeout(() => {
			this.timer = undefined;
			this.due = true;
			this.redraw();
		});
	}

	stop(): void {
		clearTimeout(this.timer);
		this.timer = undefined;
	}
}
