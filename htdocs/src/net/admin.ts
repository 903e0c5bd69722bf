// REST calls of moderators and admins (doc/protocol.md, section 4).
import { call } from './api';
import type { AccessToken, Channel, Member, Message, MessageBody, Until, User } from '../model/types';

export interface Restriction {
	channel: number | null;
	user: number;
	kind: 'mute' | 'ban';
	until: Until;
	reason: string;
	by: number | null;
	at: string;
}

export type ReportReason = 'spam' | 'abuse' | 'private' | 'illegal' | 'other';
export type ReportAction = 'dismiss' | 'delete' | 'mute' | 'remove' | 'ban' | 'deactivate';

export interface Report {
	id: number;
	channel: number;
	channel_name: string | null;
	seq: number;
	sender: number;
	sent_at: string;
	body: MessageBody;
	reporter: number;
	reason: ReportReason;
	text: string;
	at: string;
	action: ReportAction | null;
	resolved_by: number | null;
	resolved_at: string | null;
	note: string | null;
}

export interface AdminUser extends User {
	email: string | null;
	created_at: string;
	deactivated_at: string | null;
	mute: Restriction | null;
}

export interface AdminChannel extends Omit<Channel, 'membership' | 'peer'> {
	owners: number[];
}

export interface AuditEntry {
	id: number;
	at: string;
	actor: number | null;
	action: string;
	target: number | null;
	channel: number | null;
	channel_name: string | null;
	details: Record<string, unknown>;
	request_id: string | null;
	address: string | null;
}

export interface Sanction {
	until: string | null;
	reason: string;
}

const V = '/api/v1';
const at = (channel: number, user: number) => `${V}/channels/${channel}/members/${user}`;

export const admin = {
	/* --- of a channel */
	handOver: (id: number, user: number) => call<Member>('PUT', `${V}/channels/${id}/owner`, undefined, { user }),
	setMemberRole: (id: number, user: number, role: Member['role']) => call<Member>('PATCH', at(id, user), undefined, { role }),
	remove: (id: number, user: number, reason: string) => call<null>('DELETE', at(id, user), { reason }),
	mute: (id: number, user: number, s: Sanction) => call<null>('PUT', `${at(id, user)}/mute`, undefined, s),
	unmute: (id: number, user: number) => call<null>('DELETE', `${at(id, user)}/mute`),
	ban: (id: number, user: number, s: Sanction) => call<null>('PUT', `${V}/channels/${id}/bans/${user}`, undefined, s),
	unban: (id: number, user: number) => call<null>('DELETE', `${V}/channels/${id}/bans/${user}`),
	restrictions: (id: number, after?: number) =>
		call<{ restrictions: Restriction[]; next: number | null }>('GET', `${V}/channels/${id}/restrictions`, { after, limit: 100 }),
	deleteMessage: (id: number, seq: number) => call<Message>('DELETE', `${V}/channels/${id}/messages/${seq}`),
	/* --- reports */
	report: (id: number, seq: number, reason: ReportReason, text: string) =>
		call<{ id: number }>('POST', `${V}/channels/${id}/messages/${seq}/reports`, undefined, { reason, ...(text ? { text } : {}) }),
	reports: (where: { channel?: number; state: 'open' | 'all'; before?: number }) => {
		const { channel, ...query } = where;
		const path = channel ? `${V}/channels/${channel}/reports` : `${V}/reports`;
		return call<{ reports: Report[]; next: number | null }>('GET', path, { ...query, limit: 30 });
	},
	resolve: (id: number, action: ReportAction, s: Sanction & { site: boolean }) =>
		call<Report>('POST', `${V}/reports/${id}/resolve`, undefined, { action, until: s.until, site: s.site, note: s.reason }),
	/* --- of the site */
	users: (where: { q?: string; role?: string; after?: string }) =>
		call<{ users: AdminUser[]; next: string | null }>('GET', `${V}/admin/users`, { ...where, limit: 50 }),
	setRole: (user: number, role: User['role']) => call<User>('PATCH', `${V}/admin/users/${user}`, undefined, { role }),
	muteUser: (user: number, s: Sanction) => call<null>('PUT', `${V}/admin/users/${user}/mute`, undefined, s),
	removePicture: (user: number) => call<null>('DELETE', `${V}/users/${user}/picture`),
	unmuteUser: (user: number) => call<null>('DELETE', `${V}/admin/users/${user}/mute`),
	deactivate: (user: number, reason: string) => call<null>('POST', `${V}/admin/users/${user}/deactivate`, undefined, { reason }),
	reactivate: (user: number) => call<null>('POST', `${V}/admin/users/${user}/reactivate`),
	channels: (where: { q?: string; after?: number }) =>
		call<{ channels: AdminChannel[]; next: number | null }>('GET', `${V}/admin/channels`, { ...where, limit: 50 }),
	bots: (after?: string) => call<{ bots: User[]; next: string | null }>('GET', `${V}/bots`, { after, limit: 50 }),
	makeBot: (handle: string, name: string) => call<User>('POST', `${V}/bots`, undefined, { handle, name }),
	botTokens: (bot: number) => call<{ tokens: AccessToken[] }>('GET', `${V}/bots/${bot}/tokens`),
	makeBotToken: (bot: number, k: { name: string; scopes: string[]; expires_in?: number }) =>
		call<AccessToken & { token: string }>('POST', `${V}/bots/${bot}/tokens`, undefined, k),
	endBotToken: (bot: number, id: number) => call<null>('DELETE', `${V}/bots/${bot}/tokens/${id}`),
	audit: (where: { actor?: number; action?: string; target?: number; from?: string; to?: string; before?: number }) =>
		call<{ entries: AuditEntry[]; next: number | null }>('GET', `${V}/admin/audit`, { ...where, limit: 50 }),
};
