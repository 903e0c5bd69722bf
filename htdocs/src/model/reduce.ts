// Every change of the state, by event or by fetch, passes through here: so "by events" and "by a fresh load" cannot
// differ. Pure; the same input twice is harmless, since events set state and never add to it.
import { addAfter, addAround, addBefore, addMessage, addNewest, addReplies, emptyLog, tailSeq } from './log';
import { applyFiles, noteFiles, staleFiles, type FilesAction } from './channel_files';
import { applyKeep, applyKeepLine, dropKept, dropKeptOf, nothingKept, type KeepAction } from './keep';
import { applyReactions, reactDone, reactHere, setMine } from './reactions';
import { applyPeopleLine, applySettings, endStatuses } from './presence';
import { applyPrefs, applySidebar, endQuiet } from './prefs';
import { applyQuote, dropQuotes, noteOriginal, type QuoteAction } from './quotes';
import { applyReads, dropMark } from './reads';
import { applyTyping, dropTyping, endTyping, typedMessage } from './typing';
import { applyThread, dropThreads, threadMessage, threadUpdated, type ThreadAction } from './threads';
import { applyUpload, type UploadAction } from './uploads';
import type { Connection, Limits, MemberList, Phase, Reacting, State } from './state';
import { myId } from './state';
import { applyGroupLine, applyGroups, type GroupAction } from './groups';
import { countDeleted, countMarks, countMessages, readHere, recount, undoHere, unreadHere } from './unread';
import type {
	Channel,
	Editing,
	Line,
	Me,
	Member,
	Membership,
	Message,
	MessagePage,
	OpenReports,
	OwnMarks,
	Pending,
	Prefs,
	Reactions,
	ReadMark,
	Replies,
	Settings,
	Sidebar,
	Site,
	ThreadState,
	User,
} from './types';

export type Action =
	| { type: 'phase'; phase: Phase }
	| { type: 'site'; site: Site }
	| { type: 'me'; me: Me }
	| { type: 'limits'; limits: Partial<Limits> }
	| { type: 'reports/open'; reports: OpenReports }
	| UploadAction
	| KeepAction
	| QuoteAction
	| ThreadAction
	| FilesAction
	| { type: 'lines'; lines: readonly Line[] }
	| { type: 'users'; users: readonly User[] }
	/* All own channels. `asked`: those held when the list was asked for; of these, what is not in it is gone. `heard`: what
	 * State.heard was when an answer was asked for. */
	| { type: 'channels'; channels: readonly Channel[]; asked: readonly number[]; heard?: number }
	| { type: 'channel'; channel: Channel; heard?: number }
	| { type: 'channel/left'; channel: number }
	| { type: 'preview'; channel: Channel | null; missing?: number }
	| { type: 'log/open'; channel: number }
	| { type: 'log/failed'; channel: number }
	/* Forgets all but the newest messages of a channel nobody looks at. */
	| { type: 'log/trim'; channel: number; to: number }
	| { type: 'log/reset'; keep: number | null }
	/* The server's log went back (a restored database): lower versions and counters are the true ones from now on. */
	| { type: 'distrust' }
	| GroupAction
	| { type: 'log/newest'; channel: number; page: MessagePage }
	| { type: 'log/around'; channel: number; page: MessagePage }
	| { type: 'log/loading-before'; channel: number; failed?: boolean }
	| { type: 'log/before'; channel: number; before: number; page: MessagePage }
	| { type: 'log/after'; channel: number; after: number; page: MessagePage }
	| { type: 'message'; message: Message }
	| { type: 'members'; channel: number; members: readonly Member[]; next: number | null; first: boolean }
	| { type: 'members/status'; channel: number; status: MemberList['status'] }
	| { type: 'members/left'; channel: number; user: number }
	/* Read on this device; marked as unread on it; and that the server would not have it. */
	| { type: 'read'; channel: number; seq: number }
	| { type: 'unread'; channel: number; from: number }
	| { type: 'unread/undo'; channel: number }
	/* Nobody looks at the channel any more. */
	| { type: 'reads/forget'; channel: number }
	| { type: 'target'; target: { channel: number; seq: number } }
	| { type: 'line'; channel: number; after: number | null }
	| { type: 'draft'; place: string; text: string }
	| { type: 'drafts'; drafts: Record<string, string> }
	| { type: 'outbox/add'; items: readonly Pending[] }
	| { type: 'outbox/set'; client_id: string; state: Pending['state']; error?: string }
	| { type: 'outbox/acked'; client_id: string; seq: number }
	| { type: 'outbox/drop'; client_id: string }
	| { type: 'editing'; editing: Editing | null }
	/* An own reaction on its way, and its end. */
	| { type: 'react'; reacting: Reacting }
	| { type: 'react/done'; reacting: Reacting }
	| { type: 'mine'; channel: number; seq: number; emoji: readonly string[] }
	| { type: 'settings'; settings: Settings }
	| { type: 'prefs'; channel: number; prefs: Prefs }
	| { type: 'sidebar'; sidebar: Sidebar; force?: boolean }
	/* Set by oneself, in this browser. */
	| { type: 'away'; on: boolean }
	/* What the clock ends: who types, statuses, pauses. */
	| { type: 'clock'; now: number }
	/* The link is gone: nobody is known to type. */
	| { type: 'typing/none' }
	| { type: 'connection'; connection: Partial<Connection> };

export function reduce(s: State, a: Action): State {
	switch (a.type) {
		case 'phase':
			return s.phase === a.phase ? s : { ...s, phase: a.phase };
		case 'site':
			return { ...s, site: a.site };
		case 'me':
			return putUsers({ ...s, me: a.me }, [a.me.user]);
		case 'reports/open':
			return { ...s, openReports: a.reports };
		case 'limits':
			return { ...s, limits: { ...s.limits, ...a.limits } };
		case 'upload/add':
		case 'upload/set':
		case 'upload/drop':
		case 'upload/ready':
			return applyUpload(s, a);
		case 'kept':
		case 'pins':
		case 'saved':
		case 'emoji':
			return applyKeep(s, a);
		case 'groups':
		case 'groups/forget':
			return applyGroups(s, a);
		case 'quoting':
		case 'original':
			return applyQuote(s, a);
		case 'thread/open':
		case 'thread/close':
		case 'thread/failed':
		case 'thread/page':
		case 'thread/loading-before':
		case 'thread/state':
		case 'threads':
		case 'threads/reset':
			return applyThread(s, a);
		case 'files/open':
		case 'files/page':
		case 'files/more':
		case 'files/failed':
		case 'files/close':
			return applyFiles(s, a);
		case 'lines':
			return a.lines.reduce(applyLine, s);
		case 'users':
			return putUsers(s, a.users);
		case 'channels': {
			const listed = new Set(a.channels.map((c) => c.id));
			let next = s;
			for (const id of a.asked) if (!listed.has(id)) next = dropChannel(next, id);
			return a.channels.reduce((x, c) => putChannel(x, c, a.heard), next);
		}
		case 'channel':
			return putChannel(s, a.channel, a.heard);
		case 'channel/left':
			return dropChannel(s, a.channel);
		case 'preview':
			return { ...s, preview: a.channel, missing: a.missing ?? null };
		case 'log/open':
			return s.logs[a.channel]?.status === 'ready' ? s : putLog(s, a.channel, { ...emptyLog, ahead: s.logs[a.channel]?.ahead ?? [] });
		case 'log/failed': {
			const log = s.logs[a.channel];
			return log ? putLog(s, a.channel, { ...log, status: 'failed' }) : s;
		}
		case 'log/trim': {
			const log = s.logs[a.channel];
			if (log?.hasAfter) return { ...s, logs: without(s.logs, a.channel) };
			if (!log || log.messages.length <= a.to) return s;
			return putLog(s, a.channel, { ...log, messages: log.messages.slice(-a.to), hasBefore: true });
		}
		case 'log/reset': {
			// What is on the screen stays there until the fresh page replaces it; the rest is loaded again when opened.
			const kept = a.keep === null ? undefined : s.logs[a.keep];
			const logs: State['logs'] = kept && a.keep !== null ? { [a.keep]: { ...kept, status: 'loading', ahead: [], late: [] } } : {};
			const emoji = { ...s.emoji, loaded: false };
			const files = staleFiles(s.files);
			return { ...s, reports: s.reports + 1, logs, members: {}, mine: {}, pins: {}, saved: null, originals: {}, emoji, files };
		}
		case 'distrust':
			return distrust(s);
		case 'log/newest': {
			const log = s.logs[a.channel];
			return log ? takePage(putLog(s, a.channel, addNewest(log, a.page)), a.channel, a.page) : s;
		}
		case 'log/around': {
			const log = s.logs[a.channel] ?? emptyLog;
			return takePage(putLog(s, a.channel, addAround(log, a.page)), a.channel, a.page);
		}
		case 'log/loading-before': {
			const log = s.logs[a.channel];
			return log ? putLog(s, a.channel, { ...log, loadingBefore: !a.failed, failedBefore: a.failed === true, below: [] }) : s;
		}
		case 'log/before': {
			const log = s.logs[a.channel];
			return log ? settle(putLog(s, a.channel, addBefore(log, a.before, a.page)), a.page.messages) : s;
		}
		case 'log/after': {
			const log = s.logs[a.channel];
			return log ? takePage(putLog(s, a.channel, addAfter(log, a.after, a.page)), a.channel, a.page) : s;
		}
		case 'message':
			return applyMessage(s, a.message);
		case 'editing':
			return { ...s, editing: a.editing };
		case 'react':
			return reactHere(s, a.reacting);
		case 'react/done':
			return reactDone(s, a.reacting);
		case 'mine':
			return setMine(s, a.channel, a.seq, a.emoji);
		case 'members': {
			const held = a.first ? [] : (s.members[a.channel]?.list ?? []);
			const list = [...held.filter((m) => !a.members.some((x) => x.user === m.user)), ...a.members];
			return { ...s, members: { ...s.members, [a.channel]: { list, next: a.next, status: 'ready' } } };
		}
		case 'members/status': {
			const held = s.members[a.channel] ?? { list: [], next: null };
			return { ...s, members: { ...s.members, [a.channel]: { ...held, status: a.status } } };
		}
		case 'members/left':
			return dropMember(s, a.channel, a.user);
		case 'read':
			return readHere(s, a.channel, a.seq);
		case 'unread':
			return unreadHere(s, a.channel, a.from);
		case 'unread/undo':
			return undoHere(s, a.channel);
		case 'reads/forget':
			return { ...s, reads: without(s.reads, a.channel) };
		case 'target':
			return { ...s, target: a.target };
		case 'line':
			return a.after === null ? { ...s, lines: without(s.lines, a.channel) } : { ...s, lines: { ...s.lines, [a.channel]: a.after } };
		case 'draft':
			return { ...s, drafts: a.text ? { ...s.drafts, [a.place]: a.text } : without(s.drafts, a.place) };
		case 'drafts':
			return { ...s, drafts: a.drafts };
		case 'outbox/add': {
			const fresh = a.items.filter((p) => !s.outbox.some((x) => x.client_id === p.client_id));
			return fresh.length ? { ...s, outbox: [...s.outbox, ...fresh].sort((x, y) => x.at - y.at) } : s;
		}
		case 'outbox/set':
			return { ...s, outbox: s.outbox.map((p) => (p.client_id === a.client_id ? { ...p, state: a.state, error: a.error } : p)) };
		case 'outbox/acked':
			return applyAck(s, a.client_id, a.seq);
		case 'outbox/drop':
			return { ...s, outbox: s.outbox.filter((p) => p.client_id !== a.client_id) };
		case 'settings':
			return applySettings(s, a.settings);
		case 'prefs':
			return applyPrefs(s, a.channel, a.prefs);
		case 'sidebar':
			return applySidebar(s, a.sidebar, a.force);
		case 'away':
			return s.away === a.on ? s : { ...s, away: a.on };
		case 'clock':
			return endTyping(endQuiet(endStatuses(s, a.now), a.now), a.now);
		case 'typing/none':
			return endTyping(s, Infinity);
		case 'connection':
			return { ...s, connection: { ...s.connection, ...a.connection } };
	}
}

/* One realtime line. What we do not know is passed over, as the protocol asks. */
export function applyLine(s: State, line: Line): State {
	switch (line.type) {
		case 'message':
			return typedMessage(applyMessage(s, line as unknown as Message), line as unknown as Message);
		case 'message.updated':
			return applyUpdated(s, line as unknown as Message);
		case 'thread.updated':
			return applyReplies(s, line.channel as number, line.seq as number, line.replies as Replies);
		case 'thread.state':
			return applyThread(s, { type: 'thread/state', state: line as unknown as ThreadState });
		case 'reactions.updated':
			return applyReactions(s, line as unknown as Reactions);
		case 'pins.updated':
		case 'saved.updated':
		case 'emoji.updated':
			return applyKeepLine(s, line);
		case 'group.created':
		case 'group.updated':
		case 'group.deleted':
			return applyGroupLine(s, line);
		case 'message.deleted':
			return applyDeleted(s, line as unknown as Message);
		case 'channel.created':
		case 'channel.updated': {
			const fresh = line.channel as Channel;
			const held = s.channels[fresh.id];
			if (!held || fresh.version <= held.version) return s;
			// The event is the same for everyone, so what is ours alone is kept.
			return {
				...s,
				channels: {
					...s.channels,
					[fresh.id]: {
						...held,
						...fresh,
						last_seq: Math.max(held.last_seq, fresh.last_seq ?? 0),
						membership: held.membership,
						peer: held.peer,
						prefs: held.prefs,
					},
				},
			};
		}
		case 'member.joined': {
			const list = s.members[line.channel as number];
			if (!list || list.list.some((m) => m.user === line.user)) return s;
			const joined = memberOf(line);
			return putMembers(s, joined.channel, { ...list, list: [...list.list, joined] });
		}
		case 'member.updated':
			return applyMember(s, memberOf(line));
		case 'member.left':
			if (line.user === myId(s)) return dropChannel(s, line.channel as number);
			return dropMember(s, line.channel as number, line.user as number);
		case 'user.created':
		case 'user.updated':
		case 'user.deactivated':
			return putUsers(s, [line.user as User]);
		case 'report.created':
		case 'report.resolved':
			return { ...s, reports: s.reports + 1 };
		case 'read':
			return countMarks(s, line.channel as number, line as unknown as OwnMarks);
		case 'reads':
			return Array.isArray(line.reads) ? applyReads(s, line.channel as number, line.reads as ReadMark[]) : s;
		case 'presence':
		case 'settings.updated':
			return applyPeopleLine(s, line);
		case 'prefs.updated':
			return applyPrefs(s, line.channel as number, line.prefs as Prefs);
		case 'sidebar.updated':
			return applySidebar(s, line.sidebar as Sidebar);
		case 'typing':
			return applyTyping(s, line);
		case 'ack':
			return typeof line.client_id === 'string' ? applyAck(s, line.client_id, line.seq as number) : s;
		default:
			return s;
	}
}

function applyMessage(s: State, m: Message): State {
	return settle(countMessages(putMessage(threadMessage(noteFiles(s, m), m), m), m.channel, [m]), [m]);
}

/* The run may hold more than the events have brought (a page can be ahead of them). */
const takePage = (s: State, channel: number, page: MessagePage): State =>
	settle(countMessages(s, channel, page.messages, true), page.messages);

/* Another version of a message: it may name others than before. One that is replayed may have been deleted since. */
function applyUpdated(s: State, m: Message): State {
	return m.deleted ? applyDeleted(s, m) : applyMessage(s, m);
}

/* A tombstone in the message's place. Counted before: whom the text mentioned is still to be seen. */
function applyDeleted(s: State, m: Message): State {
	return settle(putMessage(countDeleted(threadMessage(dropKept(noteFiles(s, m), m.channel, m.seq), m), m), m), [m]);
}

/* Of a root: what was replied to it, wherever it is held. */
function applyReplies(before: State, channel: number, seq: number, replies: Replies): State {
	const s = threadUpdated(before, channel, seq, replies);
	const log = s.logs[channel];
	const added = log && addReplies(log, seq, replies);
	return !added || added === log ? s : putLog(s, channel, added);
}

function putMessage(before: State, m: Message): State {
	const s = noteOriginal(before, m);
	const log = s.logs[m.channel];
	if (!log || log.status === 'failed') return s;
	const added = addMessage(log, m);
	return added === log ? s : putLog(s, m.channel, added);
}

/* Takes own messages that have shown up in the run out of the outbox. */
function settle(s: State, messages: readonly Message[]): State {
	if (!s.outbox.length) return s;
	const me = myId(s);
	const there = new Set<string>();
	for (const m of messages) if (m.sender === me && m.client_id) there.add(`${m.channel}/${m.client_id}`);
	const outbox = s.outbox.filter((p) => {
		if (!there.has(`${p.channel}/${p.client_id}`)) return true;
		// Seen, but above a hole: it stays on the screen as an own message until the run reaches up to it.
		return (s.logs[p.channel]?.ahead ?? []).some((m) => m.client_id === p.client_id && s.logs[p.channel]?.status === 'ready');
	});
	const waiting = outbox.map((p) => {
		const m = there.has(`${p.channel}/${p.client_id}`) ? messages.find((x) => x.client_id === p.client_id) : undefined;
		return m ? { ...p, state: 'acked' as const, seq: m.seq } : p;
	});
	return dropStored({ ...s, outbox: waiting });
}

/* An acked message is done as soon as the run holds its seq. */
function dropStored(s: State): State {
	const outbox = s.outbox.filter((p) => {
		if (p.seq === undefined) return true;
		const log = s.logs[p.channel];
		if (!log || log.status !== 'ready') return false; // the page that is loaded next holds it
		return p.seq > tailSeq(log);
	});
	return outbox.length === s.outbox.length ? s : { ...s, outbox };
}

function applyAck(s: State, client_id: string, seq: number): State {
	if (!s.outbox.some((p) => p.client_id === client_id)) return s;
	return dropStored({
		...s,
		outbox: s.outbox.map((p) => (p.client_id === client_id ? { ...p, state: 'acked' as const, seq, error: undefined } : p)),
	});
}

/* A channel as one snapshot tells it. Its counters belong together: unread.ts takes them together, or not at all. */
function putChannel(s: State, fresh: Channel, heard = 0): State {
	const held = s.channels[fresh.id];
	if (!fresh.membership) {
		return s.preview?.id === fresh.id ? { ...s, preview: fresh } : s;
	}
	const { last_read_seq: seq, read_version: version, unread, mentions, unread_from, gone, wide, read_receipts, ...own } = fresh.membership;
	const { role, since, first_seq, muted_until } = own;
	const told: Membership = held?.membership ? { ...held.membership, role, since, first_seq, muted_until } : fresh.membership;
	const channel: Channel = {
		...(!held || fresh.version >= held.version ? fresh : held),
		members: fresh.members,
		last_seq: Math.max(fresh.last_seq, held?.last_seq ?? 0),
		membership: told,
		prefs: held?.prefs && (fresh.prefs?.version ?? 0) < held.prefs.version ? held.prefs : fresh.prefs,
	};
	const preview = s.preview?.id === fresh.id ? null : s.preview;
	const next = { ...s, preview, channels: { ...s.channels, [fresh.id]: channel } };
	const marks: OwnMarks = { seq, version, last_seq: fresh.last_seq, unread, mentions, unread_from, gone, wide, read_receipts };
	const counted = countMarks(next, fresh.id, marks, heard);
	return counted === next ? recount(next, fresh.id) : counted;
}

/* Versions and counters go down to where anything wins; what is seen stays until then. */
function distrust(s: State): State {
	const lowest = (u: User): User => ({ ...u, version: 0 });
	const channels = Object.values(s.channels).map((c): [number, Channel] => [
		c.id,
		{
			...c,
			version: 0,
			last_seq: 0,
			prefs: c.prefs && { ...c.prefs, version: -1 },
			membership: c.membership && { ...c.membership, last_read_seq: 0, unread_from: null },
		},
	]);
	return {
		...s,
		users: Object.fromEntries(Object.entries(s.users).map(([id, u]) => [id, lowest(u)])),
		me: s.me && { ...s.me, user: lowest(s.me.user) },
		channels: Object.fromEntries(channels),
		lines: {},
		settings: s.settings && { ...s.settings, version: 0 },
		sidebar: s.sidebar && { ...s.sidebar, version: -1 },
		counts: {},
		reads: {},
		...nothingKept,
		// What had been stored may not be any more. Where it is, its client_id keeps it from being stored twice.
		outbox: s.outbox.map((p) => (p.state === 'acked' ? { ...p, state: 'queued' as const, seq: undefined } : p)),
	};
}

function dropChannel(s: State, id: number): State {
	if (!s.channels[id]) return s.counts[id] ? { ...s, counts: without(s.counts, id) } : s;
	return {
		...dropTyping(dropQuotes(dropKeptOf(dropThreads(s, id), id), id), id),
		channels: without(s.channels, id),
		logs: without(s.logs, id),
		members: without(s.members, id),
		lines: without(s.lines, id),
		counts: without(s.counts, id),
		reads: without(s.reads, id),
		files: s.files?.channel === id ? null : s.files,
	};
}

function memberOf(line: Line): Member {
	const { channel, user, role, since, joined_at, muted_until } = line as unknown as Member;
	return { channel, user, role, since, joined_at, muted_until };
}

/* Another role, or a mute: in the list, and of oneself in the channel too. */
function applyMember(s: State, m: Member): State {
	const list = s.members[m.channel];
	const next = list ? putMembers(s, m.channel, { ...list, list: list.list.map((x) => (x.user === m.user ? m : x)) }) : s;
	const c = next.channels[m.channel];
	if (m.user !== myId(s) || !c?.membership) return next;
	const membership = { ...c.membership, role: m.role, muted_until: m.muted_until };
	return { ...next, channels: { ...next.channels, [c.id]: { ...c, membership } } };
}

function dropMember(before: State, channel: number, user: number): State {
	const s = dropMark(before, channel, user);
	const list = s.members[channel];
	if (!list) return s;
	return putMembers(s, channel, { ...list, list: list.list.filter((m) => m.user !== user) });
}

function putUsers(s: State, users: readonly User[]): State {
	let next: Record<number, User> | null = null;
	for (const u of users) {
		const held = (next ?? s.users)[u.id];
		if (held && u.version <= held.version) continue;
		next ??= { ...s.users };
		next[u.id] = u;
	}
	if (!next) return s;
	const mine = s.me && next[s.me.user.id];
	return { ...s, users: next, me: s.me && mine && mine !== s.me.user ? { ...s.me, user: mine } : s.me };
}

const putLog = (s: State, id: number, log: State['logs'][number]): State => ({ ...s, logs: { ...s.logs, [id]: log } });
const putMembers = (s: State, id: number, m: MemberList): State => ({ ...s, members: { ...s.members, [id]: m } });

function without<T>(table: Readonly<Record<string, T>>, id: number | string): Record<string, T> {
	if (!(id in table)) return table;
	const { [id]: _, ...rest } = table;
	return rest;
}
