// The whole state of the client and the selectors that views and loaders share. Plain data, changed by reduce.ts alone.
import type { ChannelFiles } from './channel_files';
import { messageAt } from './log';
import { NO_GROUPS, type Groups } from './groups';
import type { Marks } from './reads';
import type { Counts } from './unread';
import type { Followed, ThreadLog } from './threads';
import type { Rung } from '../net/transport';
import type {
	Channel,
	Draft,
	Editing,
	EmojiLimits,
	EmojiState,
	FileLimits,
	Log,
	Me,
	Member,
	Message,
	OpenReports,
	Pending,
	Pins,
	Presence,
	Settings,
	Sidebar,
	Site,
	Typing,
	Upload,
	User,
} from './types';

export type Table<T> = Readonly<Record<number, T>>;

/* starting: first loads are under way; unreachable: they failed, a retry is planned; ready; signed_out: no session;
 * ended: there was one, and it was ended; deactivated: the account is switched off. */
export type Phase = 'starting' | 'unreachable' | 'ready' | 'signed_out' | 'ended' | 'deactivated';

export interface Connection {
	status: 'connecting' | 'live' | 'reconnecting' | 'offline';
	rung: Rung | null;
	/* REST loads after a reset are under way. */
	catchingUp: boolean;
}

export interface MemberList {
	list: readonly Member[];
	next: number | null;
	status: 'loading' | 'ready' | 'failed';
}

/* What the server lets one do; edit_window in seconds, null: not known. emoji: the version of Unicode that it knows them of. */
export interface Limits {
	message_chars: number;
	edit_window: number | null;
	reactions: number;
	emoji: string | null;
	/* null where messages bear none, or as long as it is not known. */
	files: FileLimits | null;
	/* Of the site's own emoji; null where there are none, or it is not known. */
	custom: EmojiLimits | null;
}

/* An own reaction on its way: [channel, seq, emoji, whether it is to be there]. */
export interface Reacting {
	channel: number;
	seq: number;
	emoji: string;
	on: boolean;
}

export interface State {
	phase: Phase;
	site: Site | null;
	me: Me | null;
	limits: Limits;
	users: Table<User>;
	/* Channels we are a member of. */
	channels: Table<Channel>;
	/* A public channel that is looked at without being in it. */
	preview: Channel | null;
	/* The channel that was asked for and is not there, or not for us. */
	missing: number | null;
	logs: Table<Log>;
	members: Table<MemberList>;
	outbox: readonly Pending[];
	/* Files on their way, of drafts and of pending messages, in the order they were chosen. */
	uploads: readonly Upload[];
	/* By channel, or by thread as `channel/root`. */
	drafts: Readonly<Record<string, string>>;
	/* The message that is answered there, by the same. */
	quoting: Readonly<Record<string, number>>;
	/* Originals of quotes that were loaded by themselves, by `channel/seq`; null: not to be had. */
	originals: Readonly<Record<string, Message | null>>;
	/* Threads that are open, and those that are known to be followed, by `channel/root`. */
	threads: Readonly<Record<string, ThreadLog>>;
	followed: Readonly<Record<string, Followed>>;
	/* There are no others that one follows. */
	followedAll: boolean;
	/* The same as the server has them. */
	kept: Readonly<Record<string, Draft>>;
	/* Per channel, as far as they were loaded or told. */
	pins: Table<Pins>;
	/* What one has saved, by `channel/seq`; null: not loaded. */
	saved: { version: number; at: Readonly<Record<string, string>> } | null;
	/* Of the channel whose files are looked at. */
	files: ChannelFiles | null;
	groups: Groups;
	/* The site's own. */
	emoji: EmojiState;
	/* The message that was gone to last; another object each time. */
	target: { channel: number; seq: number } | null;
	/* Per channel, the seq after which the "new messages" line stands. */
	lines: Table<number>;
	presence: Table<Presence>;
	/* By placeKey(): of a channel's line, or of a thread; none where nobody types. */
	typing: Readonly<Record<string, Typing>>;
	settings: Settings | null;
	/* null: not known yet. */
	sidebar: Sidebar | null;
	/* One has set oneself away, in this browser. */
	away: boolean;
	/* Per channel, what its unread messages are told from. */
	counts: Table<Counts>;
	/* How many deletions of others' messages have been heard. */
	heard: number;
	/* Per channel that is looked at, how far others have read. */
	reads: Table<Marks>;
	/* Grows with each report that comes or is dealt with, of those that are ours to handle. */
	reports: number;
	editing: Editing | null;
	reacting: readonly Reacting[];
	/* Own reactions of messages that have more than are told, by `channel/seq`. */
	mine: Readonly<Record<string, readonly string[]>>;
	/* How many are open, in all and by channel. */
	openReports: OpenReports;
	connection: Connection;
}

export const initialState: State = {
	phase: 'starting',
	site: null,
	me: null,
	limits: { message_chars: 20000, edit_window: null, reactions: 20, emoji: null, files: null, custom: null },
	users: {},
	channels: {},
	preview: null,
	missing: null,
	logs: {},
	members: {},
	outbox: [],
	uploads: [],
	drafts: {},
	quoting: {},
	originals: {},
	threads: {},
	followed: {},
	followedAll: false,
	kept: {},
	pins: {},
	saved: null,
	files: null,
	groups: NO_GROUPS,
	emoji: { loaded: false, of: new Map() },
	target: null,
	lines: {},
	presence: {},
	typing: {},
	settings: null,
	sidebar: null,
	away: false,
	counts: {},
	heard: 0,
	reads: {},
	reports: 0,
	editing: null,
	reacting: [],
	mine: {},
	openReports: { open: 0, channels: [] },
	connection: { status: 'connecting', rung: null, catchingUp: false },
};

export const myId = (s: State): number => s.me?.user.id ?? 0;

/* Whether an own pending message is already in the run (its event came before its ack, or the other way round). */
export function isStored(s: State, p: Pending): boolean {
	const log = s.logs[p.channel];
	if (!log || log.status !== 'ready') return p.state === 'acked';
	return p.seq !== undefined && messageAt(log, p.seq) !== undefined;
}

/* Those that are to be shown in the channel's line. */
export function pendingOf(s: State, channel: number): Pending[] {
	return s.outbox.filter((p) => p.channel === channel && (p.thread === undefined || p.in_channel === true));
}

/* All own channels, and direct ones, by name in the reader's alphabet. */
export function sections(s: State): { channels: Channel[]; direct: Channel[] } {
	const channels: Channel[] = [];
	const direct: Channel[] = [];
	for (const c of Object.values(s.channels)) (c.kind === 'direct' ? direct : channels).push(c);
	channels.sort((a, b) => (a.name ?? '').localeCompare(b.name ?? '', undefined, { numeric: true }) || a.id - b.id);
	direct.sort((a, b) => directName(s, a).localeCompare(directName(s, b)) || a.id - b.id);
	return { channels, direct };
}

/* Who else is in a direct channel; oneself in one with oneself. */
export function peersOf(s: State, c: Channel): number[] {
	return c.peer !== null ? [c.peer] : (c.people ?? []).filter((id) => id !== myId(s));
}

export function directName(s: State, c: Channel): string {
	return peersOf(s, c).map((id) => s.users[id]?.name ?? '').sort((a, b) => a.localeCompare(b)).join(', ');
}
