// What survives a reload: drafts, unsent messages, the rung that worked, the theme, how close things stand, which key sends. All keys begin with
// "pulsechat:"; what belongs to a person bears the user's id, so two people on one browser do not meet each other's texts.
// Storage may be full or forbidden: then nothing is kept, and everything else goes on.
import type { Pending } from '../model/types';
import type { Rung } from '../net/transport';
import { toldKey } from './arrivals';
import { draftsKey } from './drafts';
import { quotesKey } from './quotes';

export interface Shelf {
	get(key: string): string | null;
	set(key: string, value: string | null): void;
	keys(prefix: string): string[];
}

export const shelf: Shelf = {
	get(key) {
		try {
			return localStorage.getItem(`pulsechat:${key}`);
		} catch {
			return null;
		}
	},
	set(key, value) {
		try {
			if (value === null) localStorage.removeItem(`pulsechat:${key}`);
			else localStorage.setItem(`pulsechat:${key}`, value);
		} catch {
			// full or forbidden
		}
	},
	keys(prefix) {
		const found: string[] = [];
		try {
			for (let i = 0; i < localStorage.length; i++) {
				const k = localStorage.key(i);
				if (k?.startsWith(`pulsechat:${prefix}`)) found.push(k.slice('pulsechat:'.length));
			}
		} catch {
			// forbidden
		}
		return found;
	},
};

const BREAKS = 'enter-breaks';
/* Whether Enter makes a new line and Shift+Enter sends, in this browser, and not the other way round. */
export const enterBreaks = (): boolean => shelf.get(BREAKS) === '1';
export const setEnterBreaks = (on: boolean) => shelf.set(BREAKS, on ? '1' : null);

/* Whether this key sends what is written; Enter with Ctrl always does. While an input method composes Enter chooses a word; keyCode 229
 * is Safari's way to say so. */
export const sends = (e: KeyboardEvent): boolean =>
	e.key === 'Enter' && !e.isComposing && e.keyCode !== 229 && (e.ctrlKey || e.metaKey || e.shiftKey === enterBreaks());

/* Whether what is listed stands closer together, in this browser; theme.ts says so to the style sheets before the first paint. */
export const isCompact = (): boolean => document.documentElement.dataset.density === 'compact';
export function setCompact(on: boolean): void {
	shelf.set('density', on ? 'compact' : null);
	document.documentElement.dataset.density = on ? 'compact' : 'comfortable';
}

function readJson<T>(s: Shelf, key: string): T | null {
	try {
		return JSON.parse(s.get(key) ?? 'null') as T | null;
	} catch {
		return null;
	}
}

const draftKey = (user: number, place: string) => `draft:${user}:${place}`;
const outKey = (user: number, client_id: string) => `out:${user}:${client_id}`;
/* The emoji that one has picked last. */
export const recentKey = (user: number) => `recent-emoji:${user}:`;

export function loadDrafts(s: Shelf, user: number): Record<string, string> {
	const drafts: Record<string, string> = {};
	for (const key of s.keys(draftKey(user, ''))) {
		const text = s.get(key);
		if (text) drafts[key.split(':')[2]!] = text;
	}
	return drafts;
}

export function saveDraft(s: Shelf, user: number, place: string, text: string): void {
	s.set(draftKey(user, place), text || null);
}

/* One key a message, so that two tabs never write over each other's. */
export function loadOutbox(s: Shelf, user: number): Pending[] {
	const items: Pending[] = [];
	for (const key of s.keys(outKey(user, ''))) {
		const p = readJson<Pending>(s, key);
		if (p && typeof p.client_id === 'string' && typeof p.channel === 'number' && typeof p.text === 'string') items.push(p);
	}
	return items.sort((a, b) => a.at - b.at);
}

export function savePending(s: Shelf, user: number, p: Pending): void {
	// On its way is as good as queued for whoever finds it: the same client_id makes a second sending harmless.
	s.set(outKey(user, p.client_id), JSON.stringify({ ...p, state: p.state === 'sending' ? 'queued' : p.state }));
}

export function dropPending(s: Shelf, user: number, client_id: string): void {
	s.set(outKey(user, client_id), null);
}

export function forgetPerson(s: Shelf, user: number): void {
	const kept = [draftKey, draftsKey, quotesKey, outKey, toldKey, recentKey].map((key) => key(user, ''));
	for (const key of kept.flatMap((k) => s.keys(k))) s.set(key, null);
}

/* `net`: what kind of network it is, as far as the browser tells ("wifi", "cellular", ""). */
const rungKey = (net: string) => (net ? `rung:${net}` : 'rung');

export function recallRung(s: Shelf, net = ''): { rung: Rung; until: number } | null {
	const m = readJson<{ rung: Rung; until: number }>(s, rungKey(net));
	return m && typeof m.until === 'number' ? m : null;
}

export function rememberRung(s: Shelf, m: { rung: Rung; until: number } | null, net = ''): void {
	s.set(rungKey(net), m && JSON.stringify(m));
}
