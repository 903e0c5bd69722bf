// Who is there, as the server last told it, and the own settings. Called by reduce.ts; pure. Presence lines are state: each
// says all there is to say of a person, so the last one counts.
import type { State } from './state';
import { myId } from './state';
import type { Line, Presence, Settings, Status } from './types';

const MOST = 2_000; // people remembered
export const FOREVER = 'forever';

/* How somebody is shown. dnd: there, and not to be disturbed; invisible: oneself only. */
export type Shown = 'online' | 'away' | 'dnd' | 'offline' | 'invisible';

export function applyPresence(s: State, users: readonly Presence[]): State {
	let next: Record<number, Presence> | null = null;
	for (const p of users) {
		if (!p || typeof p.user !== 'number') continue;
		const held = (next ?? s.presence)[p.user];
		if (held && same(held, p)) continue;
		next ??= { ...s.presence };
		next[p.user] = p;
	}
	if (!next) return s;
	const ids = Object.keys(next);
	// Far more than are ever asked about: those that are not on the screen are told again when they are.
	if (ids.length > MOST) {
		const keep = new Set(users.map((p) => p.user).concat(myId(s)));
		next = Object.fromEntries(ids.filter((id) => keep.has(Number(id))).map((id) => [id, next![Number(id)]!]));
	}
	return { ...s, presence: next };
}

const sameStatus = (a: Status | null, b: Status | null) => a === b || (!!a && !!b && a.emoji === b.emoji && a.text === b.text && a.until === b.until);

function same(a: Presence, b: Presence): boolean {
	return a.state === b.state && a.last_active === b.last_active && a.dnd === b.dnd && a.invisible === b.invisible && sameStatus(a.status, b.status);
}

/* A line with settings, or an answer; those of an older version are passed over. */
export function applySettings(s: State, settings: Settings): State {
	if (s.settings && settings.version <= s.settings.version) return s;
	return { ...s, settings };
}

export function applyPeopleLine(s: State, line: Line): State {
	switch (line.type) {
		case 'presence':
			return Array.isArray(line.users) ? applyPresence(s, line.users as Presence[]) : s;
		case 'settings.updated':
			return applySettings(s, line.settings as Settings);
		default:
			return s;
	}
}

const past = (until: string | null, now: number): boolean => until !== null && until !== FOREVER && Date.parse(until) <= now;

/* Statuses and pauses that have ended by now; the server says so too, a little later. */
export function endStatuses(s: State, now: number): State {
	let next = s;
	const ended = Object.values(s.presence).filter((p) => p.status && past(p.status.until, now));
	if (ended.length) next = applyPresence(next, ended.map((p) => ({ ...p, status: null })));
	const held = s.settings;
	if (held && (past(held.status?.until ?? null, now) || past(held.dnd_until, now))) {
		const status = past(held.status?.until ?? null, now) ? null : held.status;
		next = { ...next, settings: { ...held, status, dnd_until: past(held.dnd_until, now) ? null : held.dnd_until } };
	}
	return next;
}

/* When the next of them ends; Infinity where none does. */
export function nextEnd(s: State): number {
	let next = Infinity;
	const look = (until: string | null | undefined) => {
		if (until && until !== FOREVER) next = Math.min(next, Date.parse(until) || Infinity);
	};
	for (const p of Object.values(s.presence)) look(p.status?.until);
	look(s.settings?.status?.until);
	look(s.settings?.dnd_until);
	return next;
}

/* How a person is shown; null where that is not known, and for those who are gone. */
export function shownOf(s: State, id: number): Shown | null {
	if (s.users[id]?.active === false) return null;
	const p = s.presence[id];
	if (id === myId(s)) {
		if (s.settings?.invisible ?? p?.invisible) return 'invisible';
		const dnd = s.settings ? s.settings.dnd_until !== null : p?.dnd;
		return dnd ? 'dnd' : p?.state === 'away' ? 'away' : 'online';
	}
	if (!p) return null;
	return p.state !== 'offline' && p.dnd ? 'dnd' : p.state;
}

/* The own one is known from the settings, whether others see it or not. */
export function statusOf(s: State, id: number): Status | null {
	const status = id === myId(s) && s.settings ? s.settings.status : s.presence[id]?.status;
	return status && (status.emoji || status.text) ? status : null;
}
