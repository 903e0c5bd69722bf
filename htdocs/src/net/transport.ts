// What a realtime transport is to the ladder: one attempt to open one link. Another rung (server-sent events, say) is
// one more file beside transport_ws.ts and transport_poll.ts.
import type { Line } from '../model/types';

export type Rung = 'ws' | 'poll';

/* How a link ended.
 * lost: come back, after `retryAfter` seconds where the server said so. `planned`: the server meant it (restart,
 * overload, too slow), so it says nothing against the transport.
 * stop: do not come back. bad_cursor: come back with none, and load everything again. */
export type Ending =
	{ kind: 'lost'; why: string; planned?: boolean; retryAfter?: number } | { kind: 'stop'; reason: 'signed_out' | 'deactivated' } | { kind: 'bad_cursor' };

export interface LinkEvents {
	/* Something answered (the handshake), but nothing has come through yet. */
	opened(): void;
	/* The path has proved itself: the first line, or the first answer, has arrived whole. */
	live(): void;
	/* Also with none: a sign of life. */
	lines(lines: Line[]): void;
	/* Once, last, and never after close(). */
	ended(how: Ending): void;
}

export interface Link {
	/* Longest silence in ms that a healthy link can show. */
	readonly silence: number;
	/* False where this link carries no ops, or cannot now. */
	send(op: object): boolean;
	/* Provokes a sign of life soon. */
	ping(): void;
	/* No event follows. */
	close(): void;
}

export interface Transport {
	readonly rung: Rung;
	/* Time in ms for the opening, and again from there to the first line. */
	readonly openIn: number;
	open(cursor: () => string | null, instance: string, on: LinkEvents): Link;
}
