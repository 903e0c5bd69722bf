// What one wants of one's channels, and how the side bar is arranged: the server's word, the same on all devices. Called by reduce.ts;
// pure. Of two states the one with the higher version counts.
import { FOREVER } from './presence';
import { directName, type State } from './state';
import { isQuiet, unreadOf } from './unread';
import type { Channel, Prefs, Section, Sidebar } from './types';

export const PLAIN: readonly Section[] = [
	{ kind: 'favourites', collapsed: false },
	{ kind: 'channels', collapsed: false },
	{ kind: 'direct', collapsed: false },
];

export function applyPrefs(s: State, id: number, prefs: Prefs): State {
	const c = s.channels[id];
	if (!c || (c.prefs && prefs.version <= c.prefs.version)) return s;
	return { ...s, channels: { ...s.channels, [id]: { ...c, prefs } } };
}

/* What an answer or a line says; `force`: whatever is held (the server did not take what was shown at once). */
export function applySidebar(s: State, sidebar: Sidebar, force = false): State {
	if (!force && s.sidebar && sidebar.version <= s.sidebar.version) return s;
	return { ...s, sidebar };
}

const over = (until: string | null | undefined, now: number): boolean => !!until && until !== FOREVER && Date.parse(until) <= now;

/* Channels that are quiet no more; the server does not tell that. */
export function endQuiet(s: State, now: number): State {
	const ended = Object.values(s.channels).filter((c) => over(c.prefs?.quiet_until, now));
	if (!ended.length) return s;
	const channels = { ...s.channels };
	for (const c of ended) channels[c.id] = { ...c, prefs: { ...c.prefs!, quiet_until: null } };
	return { ...s, channels };
}

/* When the next of them ends; Infinity where none does. */
export function nextQuietEnd(s: State): number {
	let next = Infinity;
	for (const { prefs } of Object.values(s.channels)) {
		const until = prefs?.quiet_until;
		if (until && until !== FOREVER) next = Math.min(next, Date.parse(until) || Infinity);
	}
	return next;
}

export interface SideSection {
	/* Of the section: its kind, or the id of one of one's own. */
	key: string;
	section: Section;
	channels: readonly Channel[];
	/* Those that show while it is collapsed: the open one, and what is unread. */
	shown: readonly Channel[];
}

const byName = (s: State) => (a: Channel, b: Channel) => nameOf(s, a).localeCompare(nameOf(s, b), undefined, { numeric: true }) || a.id - b.id;
const nameOf = (s: State, c: Channel): string => (c.kind === 'direct' ? directName(s, c) : (c.name ?? ''));

export const keyOf = (section: Section): string => (section.kind === 'own' ? section.id : section.kind);

/* Where a channel stands: a favourite there, else in a section of one's own, else with its kind. */
export function placeOf(s: State, c: Channel): string {
	if (c.prefs?.favourite) return 'favourites';
	const own = c.prefs?.section;
	if (own && s.sidebar?.sections.some((x) => x.kind === 'own' && x.id === own)) return own;
	return c.kind === 'direct' ? 'direct' : 'channels';
}

/* The side bar: its sections in their order, each by name, so that nothing jumps. Archived channels are not in it. */
export function arranged(s: State, current: number | null): SideSection[] {
	const rooms = new Map<string, Channel[]>();
	for (const c of Object.values(s.channels)) {
		if (c.archived && c.id !== current) continue;
		const key = placeOf(s, c);
		rooms.set(key, [...(rooms.get(key) ?? []), c]);
	}
	return (s.sidebar?.sections ?? PLAIN).map((section) => {
		const key = keyOf(section);
		const channels = (rooms.get(key) ?? []).sort(byName(s));
		const shown = section.collapsed ? channels.filter((c) => c.id === current || (unreadOf(c) > 0 && !isQuiet(c))) : channels;
		return { key, section, channels, shown };
	});
}
