// What a realtime transport is to the ladder: one attempt to open one link. transport_ws.ts, transport_sse.ts and
// transport_poll.ts are such; share.ts makes one of another, so that the tabs of a profile have one link together.
import type { Line } from '../model/types';
import type { Wants } from './wants';

/* plain is what the last rung is called where the server cannot hold a poll: news comes every few seconds. */
export type Rung = 'ws' | 'sse' | 'poll' | 'plain';

/* Somebody is at the device; or says that he is not. */
export type Input = 'active' | 'idle';

/* How a link ended.
 * lost: come back, after `retryAfter` seconds where the server said so. `planned`: the server meant it (restart,
 * overload, too slow), so it says nothing against the transport. `refused`: the server has no such transport.
 * stop: do not come back. bad_cursor: come back with none, and load everything again. */
export type Ending =
	| { kind: 'lost'; why: string; planned?: boolean; refused?: boolean; retryAfter?: number }
	| { kind: 'stop'; reason: 'signed_out' | 'deactivated' }
	| { kind: 'bad_cursor' };

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
	/* What is wanted (as told to open()) has changed; `again`: all of it is to be told once more. */
	want?(again: boolean): void;
	/* There is input, or none any more. False where that cannot be told now. */
	input?(what: Input): boolean;
	/* The server does not see by itself that the page is gone, so it is told on leaving. */
	readonly leaves?: boolean;
	/* What it turned out to be, where that is not what its transport is called. */
	readonly rung?: Rung;
	/* Another tab keeps the connection, and minds better rungs too. */
	readonly follows?: boolean;
	/* Provokes a sign of life soon. `changed`: the network is another one, so what was heard a moment ago proves nothing. */
	ping(changed?: boolean): void;
	/* No event follows. */
	close(): void;
}

export interface Transport {
	readonly rung: Exclude<Rung, 'plain'>;
	/* Time in ms for the opening, and again from there to the first line. */
	readonly openIn: number;
	open(cursor: () => string | null, instance: string, on: LinkEvents, wants?: () => Wants): Link;
}
