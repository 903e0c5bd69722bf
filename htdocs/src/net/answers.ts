// What an answer of /api/v1/events that is no success means to the ladder, for streams and polls alike.
import type { Line } from '../model/types';
import { parseLines, retryAfter } from './api';
import type { Ending } from './transport';

export function refusal(res: Response, text: string): Ending {
	let code = '';
	try {
		code = (JSON.parse(text) as { code?: string }).code ?? '';
	} catch {
		// an error page of something on the way
	}
	if (res.status === 401) return { kind: 'stop', reason: 'signed_out' };
	if (res.status === 403 && code === 'forbidden') return { kind: 'stop', reason: 'deactivated' };
	if (res.status === 400 && code === 'bad_cursor') return { kind: 'bad_cursor' };
	const why = `answered ${res.status}`;
	if (res.status === 404 || res.status === 406 || res.status === 426) return { kind: 'lost', why, refused: true };
	return { kind: 'lost', why, planned: res.status === 503 || res.status === 429, retryAfter: retryAfter(res.headers) };
}

export function eventsUrl(instance: string, cursor: string | null, more: Record<string, string> = {}): string {
	const query = new URLSearchParams({ ...more, instance });
	if (cursor !== null) query.set('cursor', cursor);
	return `/api/v1/events?${query}`;
}

export const asking = (accept: string, signal: AbortSignal): RequestInit => ({
	headers: { 'PulseChat-Client': 'web', Accept: accept },
	credentials: 'same-origin',
	cache: 'no-store',
	signal,
});

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/* Ops of a client whose link carries none; with the instance they are of that link. Answers a line for each; throws where
 * there is no such answer. */
export async function postOps(fetch: Fetch, ops: readonly object[], instance?: string): Promise<Line[]> {
	const query = instance === undefined ? '' : `?${new URLSearchParams({ instance })}`;
	const res = await fetch(`/api/v1/ops${query}`, {
		method: 'POST',
		headers: { 'PulseChat-Client': 'web', 'Content-Type': 'application/x-ndjson' },
		body: ops.map((op) => `${JSON.stringify(op)}\n`).join(''),
		credentials: 'same-origin',
		cache: 'no-store',
	});
	if (res.ok) return parseLines(await res.text());
	const transient = res.status === 408 || res.status === 429 || res.status >= 500;
	throw new OpsError(transient, retryAfter(res.headers));
}

export class OpsError extends Error {
	constructor(
		readonly transient: boolean,
		readonly retryAfter?: number,
	) {
		super('the ops were not taken');
	}
}
