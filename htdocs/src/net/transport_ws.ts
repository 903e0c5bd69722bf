// The WebSocket rung: one socket, lines both ways.
import { parseLines } from './api';
import type { Ending, Link, LinkEvents, Transport } from './transport';
import { NOTHING, place, readsQuery, wantOps, type Known, type Wants } from './wants';

const GRACE = 5_000; // ms beyond two heartbeats
const PLANNED = new Set([1012, 1013, 4008]);

/* reads: as readsQuery() has it. */
export function wsTransport(origin: string, reads?: () => Known): Transport {
	return {
		rung: 'ws',
		openIn: 4_000,
		open(cursor, instance, on, wants = () => NOTHING) {
			return openSocket(origin, new URLSearchParams({ instance, ...readsQuery(reads) }), cursor(), on, wants);
		},
	};
}

function openSocket(origin: string, query: URLSearchParams, cursor: string | null, on: LinkEvents, wants: () => Wants): Link {
	if (cursor !== null) query.set('cursor', place(cursor)!);
	let silence = 2 * 20_000 + GRACE;
	let over = false;
	let live = false;
	let retryAfter: number | undefined;
	let told = NOTHING;

	const end = (how: Ending) => {
		if (over) return;
		over = true;
		on.ended(how);
	};
	let ws: WebSocket;
	try {
		ws = new WebSocket(`${origin.replace(/^http/, 'ws')}/api/v1/ws?${query}`, 'pulsechat.v1');
	} catch (e) {
		queueMicrotask(() => end({ kind: 'lost', why: String(e) })); // never from inside open()
		return { silence, send: () => false, ping: () => {}, close: () => void (over = true) };
	}
	const send = (op: object): boolean => {
		if (!live || over || ws.readyState !== WebSocket.OPEN) return false;
		ws.send(`${JSON.stringify(op)}\n`);
		return true;
	};
	const tell = () => {
		const now = wants();
		// What could not be sent goes with the next link.
		for (const op of wantOps(told, now)) send(op);
		if (live) told = now;
	};
	ws.onopen = () => !over && on.opened();
	ws.onmessage = (ev) => {
		if (over) return;
		let lines;
		try {
			lines = parseLines(String(ev.data));
		} catch {
			end({ kind: 'lost', why: 'a line that is not JSON' });
			ws.close();
			return;
		}
		for (const line of lines) {
			if (line.type === 'bye' && typeof line.retry_after === 'number') retryAfter = line.retry_after;
			if (line.type === 'hello') {
				if (typeof line.heartbeat === 'number') silence = 2 * line.heartbeat * 1000 + GRACE;
				if (!live) {
					live = true;
					tell(); // a new connection wants nothing yet
					on.live();
				}
			}
		}
		if (!over) on.lines(lines);
	};
	ws.onclose = (ev) => {
		if (ev.code === 4001) end({ kind: 'stop', reason: 'signed_out' });
		else if (ev.code === 4003) end({ kind: 'stop', reason: 'deactivated' });
		else end({ kind: 'lost', why: `closed ${ev.code}`, planned: PLANNED.has(ev.code), retryAfter });
	};
	return {
		get silence() {
			return silence;
		},
		send,
		want: tell,
		input: (what) => send({ op: what }),
		ping() {
			if (ws.readyState === WebSocket.OPEN) ws.send('{"op":"ping"}\n');
		},
		close() {
			over = true;
			ws.onopen = ws.onmessage = ws.onclose = null;
			ws.close();
		},
	};
}
