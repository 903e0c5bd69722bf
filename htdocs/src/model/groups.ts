// Groups of people, which messages may name: as they were loaded and told. Pure; by events and by loads alike.
import type { State, Table } from './state';
import type { Group, Line, Name } from './types';

export interface Groups {
	of: Table<Group>;
	/* Deleted ones that were heard of: an older list does not bring them back. */
	gone: readonly number[];
	/* One may change them. */
	manage: boolean;
	loaded: boolean;
}

export const NO_GROUPS: Groups = { of: {}, gone: [], manage: false, loaded: false };

export type GroupAction = { type: 'groups'; groups: readonly Group[]; manage: boolean } | { type: 'groups/forget' };

function put(g: Groups, fresh: readonly Group[]): Groups {
	const newer = fresh.filter((x) => x.version > (g.of[x.id]?.version ?? 0) && !g.gone.includes(x.id));
	return newer.length ? { ...g, of: { ...g.of, ...Object.fromEntries(newer.map((x) => [x.id, x])) } } : g;
}

export function applyGroups(s: State, a: GroupAction): State {
	if (a.type === 'groups/forget') return { ...s, groups: NO_GROUPS };
	return { ...s, groups: { ...put(s.groups, a.groups), manage: a.manage, loaded: true } };
}

/* A line of these. */
export function applyGroupLine(s: State, line: Line): State {
	if (line.type !== 'group.deleted') return { ...s, groups: put(s.groups, [line.group as Group]) };
	const id = line.group as number;
	const { [id]: _, ...of } = s.groups.of as Record<number, Group>;
	return { ...s, groups: { ...s.groups, of, gone: [...s.groups.gone.filter((x) => x !== id), id] } };
}

export const nameOf = (g: Group): Name => `group:${g.id}`;
/* The group that a name means, if it is there. */
export const groupOf = (s: State, name: Name): Group | undefined =>
	typeof name === 'string' && name.startsWith('group:') ? s.groups.of[Number(name.slice(6))] : undefined;
/* What stands behind the @ of a name in a text; '' where that is not known. */
export const handleOf = (s: State, name: Name): string =>
	typeof name === 'number' ? (s.users[name]?.handle ?? '') : (groupOf(s, name)?.handle ?? (name.startsWith('group:') ? '' : name));
export const groupList = (s: State): Group[] => Object.values(s.groups.of).sort((a, b) => a.name.localeCompare(b.name) || a.id - b.id);
