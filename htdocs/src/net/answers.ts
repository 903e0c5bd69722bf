// What an answer of /api/v1/events that is no success means to the ladder, for streams and polls alike.
import { retryAfter } from './api';
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
