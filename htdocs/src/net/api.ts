// REST calls (doc/protocol.md, section 4). Each answers typed data or throws ApiError; nothing here knows the state.
import type {
	AccessToken,
	Channel,
	ChannelKind,
	CustomEmoji,
	ChannelLook,
	Draft,
	Edit,
	EmojiList,
	History,
	Invite,
	InviteState,
	Line,
	Link,
	Me,
	Member,
	Message,
	MessagePage,
	Name,
	OpenReports,
	Pins,
	Prefs,
	Presence,
	Reactions,
	Saved,
	SavedList,
	SentBody,
	SentPlace,
	Session,
	Settings,
	Sidebar,
	Site,
	ThreadPage,
	ThreadState,
	Status,
	User,
} from '../model/types';

const TIMEOUT = 20_000; // ms for one answer

/* A channel, or a thread in it. */
export interface Place {
	channel: number;
	thread?: number;
}
const threadQuery = ({ thread }: Place) => (thread ? { thread } : {});

export class ApiError extends Error {
	/* status 0: no answer at all (network, time-out). */
	constructor(
		readonly status: number,
		readonly code: string,
		readonly detail: string,
		readonly field?: string,
		readonly retryAfter?: number,
	) {
		super(`${status} ${code}: ${detail}`);
	}
	/* Worth another try with the same content: nobody's fault, or the server's. */
	get transient(): boolean {
		return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
	}
}

export function parseLines(text: string): Line[] {
	const lines: Line[] = [];
	for (const part of text.split('\n')) {
		if (!part.trim()) continue;
		const line = JSON.parse(part) as Line;
		if (line && typeof line.type === 'string') lines.push(line);
	}
	return lines;
}

export function retryAfter(headers: Headers): number | undefined {
	const n = Number(headers.get('Retry-After') ?? NaN);
	return Number.isFinite(n) && n >= 0 ? Math.min(n, 300) : undefined;
}

/* What is unread in a channel, where there is anything. */
export interface UnreadOf {
	channel: number;
	last_seq: number;
	last_read_seq: number;
	unread_from: number | null;
	unread: number;
	mentions: number;
}

/* A message that was found: the text around what was looked for, in pieces. */
export interface Found {
	channel: number;
	seq: number;
	id: number;
	thread?: number; // it is a reply in this thread
	sender: number;
	created_at: string;
	snippet: { text: string; hit?: boolean }[];
}
export interface SearchPage {
	results: Found[];
	next: string | null;
	complete: boolean;
}

export interface Answer<T> {
	data: T;
	cursor: string | null;
}

type Query = Record<string, string | number | undefined>;

export async function call<T>(method: string, path: string, query?: Query, body?: unknown): Promise<Answer<T>> {
	const params = new URLSearchParams();
	for (const [k, v] of Object.entries(query ?? {})) if (v !== undefined && v !== '') params.set(k, String(v));
	const url = params.size ? `${path}?${params}` : path;
	const headers: Record<string, string> = { 'PulseChat-Client': 'web', Accept: 'application/json' };
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	const stop = new AbortController();
	const timer = setTimeout(() => stop.abort(), TIMEOUT);
	try {
		const res = await fetch(url, {
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: 'same-origin',
			cache: 'no-store',
			signal: stop.signal,
		});
		const text = await res.text();
		if (!res.ok) throw problem(res, text);
		return { data: (text ? JSON.parse(text) : null) as T, cursor: res.headers.get('PulseChat-Cursor') };
	} catch (e) {
		if (e instanceof ApiError) throw e;
		throw new ApiError(0, 'network', e instanceof Error ? e.message : String(e));
	} finally {
		clearTimeout(timer);
	}
}

function problem(res: Response, text: string): ApiError {
	let p: { code?: string; detail?: string; field?: string } = {};
	try {
		p = JSON.parse(text) as typeof p;
	} catch {
		// Not ours: an error page of the web server or of a proxy on the way.
	}
	return new ApiError(res.status, p.code ?? `http_${res.status}`, p.detail ?? res.statusText, p.field, retryAfter(res.headers));
}

const V = '/api/v1';
const reaction = (id: number, seq: number, emoji: string) => `${V}/channels/${id}/messages/${seq}/reactions/${encodeURIComponent(emoji)}`;

export interface ChannelChange {
	name?: string;
	topic?: string;
	archived?: boolean;
	keep_days?: number | null;
	history?: History;
	mention_all?: Channel['mention_all'];
}

export const api = {
	site: () => call<Site>('GET', `${V}/site`),
	openReports: () => call<OpenReports>('GET', `${V}/reports/open`),
	limits: () => call<Record<string, unknown>>('GET', `${V}/limits`),
	signIn: (who: { name: string; password: string; return_to: string }) => call<{ redirect: string }>('POST', '/auth/local', undefined, who),
	joinWith: (who: { invite: string; handle: string; name: string; password: string }) =>
		call<{ redirect: string }>('POST', '/auth/join', undefined, who),
	changePassword: (wish: { old: string; password: string }) => call<null>('PUT', `${V}/me/password`, undefined, wish),
	joinBy: (wish: { invite: string; provider?: string }) => call<{ redirect: string }>('POST', '/auth/login', undefined, wish),
	lookAtInvite: (code: string) => call<{ state: InviteState }>('POST', `${V}/invites/look`, undefined, { code }),
	invites: (limit: number) => call<{ invites: Invite[]; next: number | null }>('GET', `${V}/invites`, { limit }),
	makeInvite: (wish: { max_uses?: number; expires_in?: number }) => call<Invite>('POST', `${V}/invites`, undefined, wish),
	channelLinks: (id: number, limit: number) => call<{ invites: Link[]; next: number | null }>('GET', `${V}/channels/${id}/invites`, { limit }),
	makeChannelLink: (id: number, wish: { max_uses?: number; expires_in?: number }) => call<Link>('POST', `${V}/channels/${id}/invites`, undefined, wish),
	withdrawChannelLink: (id: number, link: number) => call<null>('DELETE', `${V}/channels/${id}/invites/${link}`),
	lookAtChannelLink: (code: string) => call<ChannelLook>('POST', `${V}/channel-invites/look`, undefined, { code }),
	joinByLink: (code: string) => call<Channel>('POST', `${V}/channel-invites/join`, undefined, { code }),
	withdrawInvite: (id: number) => call<null>('DELETE', `${V}/invites/${id}`),
	me: () => call<Me>('GET', `${V}/me`),
	usersByIds: (ids: number[]) => call<{ users: User[] }>('GET', `${V}/users`, { ids: ids.join(',') }),
	usersLike: (q: string, limit = 20) => call<{ users: User[] }>('GET', `${V}/users`, { q, limit }),
	channels: (scope: 'mine' | 'public', after?: number, q?: string, limit = 200) =>
		call<{ channels: Channel[]; next: number | null }>('GET', `${V}/channels`, { scope, q, after, limit }),
	setPrefs: (id: number, change: Partial<Prefs>) => call<Prefs>('PATCH', `${V}/channels/${id}/prefs`, undefined, change),
	sidebar: () => call<Sidebar>('GET', `${V}/me/sidebar`),
	arrange: (sidebar: Sidebar) => call<Sidebar>('PUT', `${V}/me/sidebar`, undefined, sidebar),
	channel: (id: number) => call<Channel>('GET', `${V}/channels/${id}`),
	createChannel: (c: { name?: string; kind: ChannelKind; topic?: string; members?: number[] }) => call<Channel>('POST', `${V}/channels`, undefined, c),
	changeChannel: (id: number, change: ChannelChange) => call<Channel>('PATCH', `${V}/channels/${id}`, undefined, change),
	join: (id: number) => call<Channel>('POST', `${V}/channels/${id}/join`),
	leave: (id: number) => call<null>('POST', `${V}/channels/${id}/leave`),
	members: (id: number, after?: number) => call<{ members: Member[]; next: number | null }>('GET', `${V}/channels/${id}/members`, { after, limit: 200 }),
	invite: (id: number, user: number) => call<Member>('POST', `${V}/channels/${id}/members`, undefined, { user }),
	send: (id: number, client_id: string, body: SentBody, place: SentPlace = {}) =>
		call<Message>('POST', `${V}/channels/${id}/messages`, undefined, { client_id, ...place, body }),
	messages: (id: number, where: { before?: number; after?: number; around?: number; around_time?: string; limit?: number }) =>
		call<MessagePage>('GET', `${V}/channels/${id}/messages`, where),
	thread: (id: number, root: number, where: { before?: number; after?: number; around?: number; limit?: number }) =>
		call<ThreadPage>('GET', `${V}/channels/${id}/messages/${root}/thread`, where),
	readThread: (id: number, root: number, seq: number) => call<ThreadState>('PUT', `${V}/channels/${id}/messages/${root}/thread/read`, undefined, { seq }),
	followThread: (id: number, root: number, on: boolean) => call<ThreadState>(on ? 'PUT' : 'DELETE', `${V}/channels/${id}/messages/${root}/thread/follow`),
	threads: (where: { before?: number; limit?: number }) =>
		call<{ threads: { state: ThreadState; root: Message }[]; unread: number; next: number | null }>('GET', `${V}/me/threads`, where),
	search: (q: string, sort: 'rank' | 'date', before?: string) => call<SearchPage>('GET', `${V}/search`, { q, sort, before }),
	message: (id: number, seq: number) => call<Message>('GET', `${V}/channels/${id}/messages/${seq}`),
	removePreview: (id: number, seq: number) => call<Message>('DELETE', `${V}/channels/${id}/messages/${seq}/preview`),
	edit: (id: number, seq: number, body: { text: string; mentions?: Name[] }, version: number) =>
		call<Message>('PATCH', `${V}/channels/${id}/messages/${seq}`, undefined, { body, version }),
	edits: (id: number, seq: number) => call<{ edits: Edit[] }>('GET', `${V}/channels/${id}/messages/${seq}/edits`),
	react: (id: number, seq: number, emoji: string) => call<Reactions>('PUT', reaction(id, seq, emoji)),
	unreact: (id: number, seq: number, emoji: string) => call<Reactions>('DELETE', reaction(id, seq, emoji)),
	reactions: (id: number, seq: number) => call<Reactions & { mine: string[] }>('GET', `${V}/channels/${id}/messages/${seq}/reactions`),
	reacted: (id: number, seq: number, emoji: string, where: { after?: number; limit?: number }) =>
		call<{ count: number; users: number[]; next: number | null }>('GET', reaction(id, seq, emoji), where),
	draft: (at: Place) => call<Draft>('GET', `${V}/channels/${at.channel}/draft`, threadQuery(at)),
	setDraft: (at: Place, draft: { text: string; files: number[]; reply_to?: number; version: number }) =>
		call<Draft>('PUT', `${V}/channels/${at.channel}/draft`, threadQuery(at), draft),
	dropDraft: (at: Place, version: number) => call<Draft>('DELETE', `${V}/channels/${at.channel}/draft`, { ...threadQuery(at), version }),
	pins: (id: number) => call<Pins & { messages: Message[] }>('GET', `${V}/channels/${id}/pins`),
	pin: (id: number, seq: number, on: boolean) => call<Pins>(on ? 'PUT' : 'DELETE', `${V}/channels/${id}/messages/${seq}/pin`),
	saved: () => call<SavedList>('GET', `${V}/me/saved`),
	savedMessages: (before?: number) => call<{ messages: Message[]; next: number | null }>('GET', `${V}/me/saved/messages`, { before }),
	save: (id: number, seq: number, on: boolean) => call<Saved>(on ? 'PUT' : 'DELETE', `${V}/channels/${id}/messages/${seq}/saved`),
	emoji: () => call<EmojiList>('GET', `${V}/emoji`),
	addEmoji: (name: string, file: number) => call<CustomEmoji>('POST', `${V}/emoji`, undefined, { name, file }),
	removeEmoji: (name: string) => call<null>('DELETE', `${V}/emoji/${encodeURIComponent(name)}`),
	settings: () => call<Settings>('GET', `${V}/me/settings`),
	changeSettings: (change: Partial<Settings>) => call<Settings>('PATCH', `${V}/me/settings`, undefined, change),
	setStatus: (status: Partial<Status>) => call<Settings>('PUT', `${V}/me/status`, undefined, status),
	clearStatus: () => call<Settings | null>('DELETE', `${V}/me/status`),
	changeMe: (change: { time_zone?: string; name?: string | null }) => call<User>('PATCH', `${V}/me`, undefined, change),
	presence: (ids: readonly number[]) => call<{ presence: Presence[] }>('GET', `${V}/presence`, { ids: ids.join(',') }),
	setPicture: (file: number) => call<User>('PUT', `${V}/me/picture`, undefined, { file }),
	removePicture: () => call<null>('DELETE', `${V}/me/picture`),
	setReceipts: (id: number, read_receipts: boolean) => call<Channel>('PATCH', `${V}/channels/${id}/membership`, undefined, { read_receipts }),
	readers: (id: number, seq: number, where: { after?: number; limit?: number }) =>
		call<{ count: number; users: number[]; next: number | null }>('GET', `${V}/channels/${id}/messages/${seq}/readers`, where),
	unread: () => call<{ channels: UnreadOf[]; unread: number; mentions: number }>('GET', `${V}/me/unread`),
	sessions: () => call<{ sessions: Session[] }>('GET', `${V}/me/sessions`),
	endSession: (id: number) => call<null>('DELETE', `${V}/me/sessions/${id}`),
	endOtherSessions: () => call<null>('DELETE', `${V}/me/sessions`),
	tokens: () => call<{ tokens: AccessToken[] }>('GET', `${V}/me/tokens`),
	makeToken: (k: { name: string; scopes: string[]; expires_in?: number }) =>
		call<AccessToken & { token: string }>('POST', `${V}/me/tokens`, undefined, k),
	endToken: (id: number) => call<null>('DELETE', `${V}/me/tokens/${id}`),
	logout: () => call<{ redirect: string }>('POST', '/auth/logout'),
};
