// REST calls about groups of people (doc/protocol.md, section 9).
import type { Group, Name } from '../model/types';
import { call } from './api';

const V = '/api/v1';

export interface GroupFull extends Group {
	users: number[];
}

export const groupsApi = {
	list: (after?: string) => call<{ groups: Group[]; next: string | null; manage: boolean }>('GET', `${V}/groups`, { after, limit: 200 }),
	get: (id: number) => call<GroupFull>('GET', `${V}/groups/${id}`),
	make: (handle: string, name: string) => call<GroupFull>('POST', `${V}/groups`, undefined, { handle, name }),
	change: (id: number, change: { handle?: string; name?: string; add?: number[]; remove?: number[] }) =>
		call<GroupFull>('PATCH', `${V}/groups/${id}`, undefined, change),
	remove: (id: number) => call<null>('DELETE', `${V}/groups/${id}`),
	reach: (channel: number, of: readonly Name[]) => call<{ people: number }>('GET', `${V}/channels/${channel}/reach`, { of: of.join(',') }),
};
