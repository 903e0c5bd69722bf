// Threads: the one that is open, and those that one follows. Pure; called by reduce.ts. Events set state, so a version at or below
// the one that is held changes nothing.
import { newer, tailSeq } from './log';
import type { State } from './state';
import type { Log, Message, Pending, Reactions, Replies, ThreadPage, ThreadState } from './types';

/* What is loaded of a thread's replies; sorted by seq, up to the newest. */
export interface ThreadLog {
	status: 'loading' | 'ready' | 'failed';
	root: Message | null;
	messages: readonly Message[];
	hasBefore: boolean;
	loadingBefore: boolean;
	/* The seq after which the "new messages" line stands. */
	line: number | null;
}

/* root null: not loaded yet. */
export interface Followed {
	state: ThreadState;
	root: Message | null;
}

export type ThreadAction =
	| { type: 'thread/open'; channel: number; root: number }
	| { type: 'thread/close'; channel: number; root: number }
	| { type: 'thread/failed'; channel: number; root: number }
	| { type: 'thread/page'; channel: number; root: number; page: ThreadPage; older: boolean }
	| { type: 'thread/loading-before'; channel: number; root: number; on: boolean }
	| { type: 'thread/state'; state: ThreadState }
	/* Those that are followed; complete: there are no others. */
	| { type: 'threads'; threads: readonly { state: ThreadState; root: Message }[]; complete: boolean }
	/* Nothing that is held is to be trusted. */
	| { type: 'threads/reset' };

export const threadKey = (channel: number, root: number): string => `${channel}/${root}`;

/* Of what is being written: by channel, or by thread. */
export const placeKey = (channel: number, thread?: number | null): string => (thread ? threadKey(channel, thread) : String(channel));
export function placeOf(place: string): { channel: number; thread?: number } {
	const [channel, thread] = place.split('/').map(Number);
	return { channel: channel!, ...(thread ? { thread } : {}) };
}

/* A reply that stands in its thread alone. */
export const isAside = (m: Message): boolean => m.thread !== undefined && !m.in_channel;

/* A run as a channel shows it. */
export function withoutAsides(log: Log): Log {
	return log.messages.some(isAside) ? { ...log, messages: log.messages.filter((m) => !isAside(m)) } : log;
}

export function lastShown(log: Log | undefined): Message | undefined {
	for (let i = (log?.messages.length ?? 0) - 1; i >= 0; i--) if (!isAside(log!.messages[i]!)) return log!.messages[i];
	return undefined;
}

/* Who has seen the last one that is shown has read on to the end of the run. */
export function readUpto(log: Log, seq: number): number {
	for (let i = log.messages.length - 1; i >= 0 && log.messages[i]!.seq > seq; i--) if (!isAside(log.messages[i]!)) return seq;
	return log.messages.length ? Math.max(seq, tailSeq(log)) : seq;
}

export const threadOf = (s: State, channel: number, root: number): ThreadLog | undefined => s.threads[threadKey(channel, root)];
export const pendingInThread = (s: State, channel: number, root: number): Pending[] =>
	s.outbox.filter((p) => p.channel === channel && p.thread === root);

export const isUnreadThread = (f: Followed): boolean =>
	f.state.following && (f.root?.replies?.count ?? 0) > 0 && (f.root?.replies?.last_seq ?? 0) > (f.state.seq ?? 0);
export const unreadThreads = (s: State): number => Object.values(s.followed).filter(isUnreadThread).length;

/* Unread ones first, then the last replied to. */
export function followedList(s: State): Followed[] {
	const last = (f: Followed) => f.root?.replies?.last_at ?? '';
	return Object.values(s.followed)
		.filter((f) => f.state.following && (f.root?.replies?.count ?? 0) > 0)
		.sort((a, b) => Number(isUnreadThread(b)) - Number(isUnreadThread(a)) || last(b).localeCompare(last(a)));
}

const put = (s: State, key: string, log: ThreadLog): State => ({ ...s, threads: { ...s.threads, [key]: log } });

export function applyThread(s: State, a: ThreadAction): State {
	if (a.type === 'threads/reset') {
		const threads = Object.fromEntries(Object.entries(s.threads).map(([k, l]): [string, ThreadLog] => [k, { ...l, status: 'loading' }]));
		return { ...s, threads, followed: {}, followedAll: false };
	}
	if (a.type === 'threads') {
		const next = a.threads.reduce((x, t) => putState(putRoot(x, t.root, true), t.state, t.root), s);
		return { ...next, followedAll: a.complete };
	}
	if (a.type === 'thread/state') return putState(s, a.state, null);
	const key = threadKey(a.channel, a.root);
	const held = s.threads[key];
	switch (a.type) {
		case 'thread/open':
			return held && held.status !== 'failed'
				? s
				: put(s, key, { status: 'loading', root: null, messages: [], hasBefore: false, loadingBefore: false, line: null });
		case 'thread/close': {
			const { [key]: _, ...threads } = s.threads;
			return { ...s, threads };
		}
		case 'thread/failed':
			return held ? put(s, key, { ...held, status: 'failed' }) : s;
		case 'thread/loading-before':
			return held ? put(s, key, { ...held, loadingBefore: a.on }) : s;
		case 'thread/page': {
			if (!held) return s;
			// What came by event meanwhile is kept: a page may be of before it.
			const kept = held.status === 'ready' || a.older ? held.messages : held.messages.filter((m) => m.seq >= (a.page.messages[0]?.seq ?? 0));
			const messages = a.page.messages.reduce(putReply, kept);
			const { state } = a.page;
			const line = a.older ? held.line : lineOf(state, a.page.root);
			const root = held.root ? newer(held.root, a.page.root) : a.page.root;
			const hasBefore = a.older || held.status !== 'ready' ? a.page.has_before : held.hasBefore;
			const next = put(s, key, { ...held, status: 'ready', root, messages, hasBefore, loadingBefore: false, line });
			return putState(putRoot(next, a.page.root, true), state, root);
		}
	}
}

/* Where the new ones begin; null: there are none, or nothing is kept of what was read. */
const lineOf = (state: ThreadState, root: Message): number | null =>
	state.following && state.seq !== null && (root.replies?.last_seq ?? 0) > state.seq ? state.seq : null;

function putReply(list: readonly Message[], m: Message): readonly Message[] {
	let i = list.length;
	while (i > 0 && list[i - 1]!.seq >= m.seq) i--;
	const held = list[i];
	const next = list.slice();
	if (held?.seq === m.seq) {
		const kept = newer(held, m);
		if (kept === held) return list;
		next[i] = kept;
	} else next.splice(i, 0, m);
	return next;
}

/* A message by event or answer: in its thread, where that is open, and as the root of one. */
export function threadMessage(s: State, m: Message): State {
	if (m.thread === undefined) return putRoot(s, m, false);
	const key = threadKey(m.channel, m.thread);
	const log = s.threads[key];
	if (!log) return s;
	const first = log.messages[0]?.seq ?? 0;
	if (log.status === 'ready' && log.hasBefore && m.seq < first) return s;
	const messages = putReply(log.messages, m);
	return messages === log.messages ? s : put(s, key, { ...log, messages });
}

/* loaded: it may be the first that is known of it. */
function putRoot(s: State, m: Message, loaded: boolean): State {
	const key = threadKey(m.channel, m.seq);
	let next = s;
	const log = s.threads[key];
	const kept = log && (log.root ? newer(log.root, m) : loaded ? m : null);
	if (log && kept !== log.root) next = put(next, key, { ...log, root: kept ?? null });
	const held = next.followed[key];
	const root = held && (held.root ? newer(held.root, m) : m);
	if (held && root !== held.root) next = { ...next, followed: { ...next.followed, [key]: { ...held, root: root ?? null } } };
	return next;
}

/* What somebody's replies have made of a root. */
export function threadUpdated(s: State, channel: number, seq: number, replies: Replies): State {
	const key = threadKey(channel, seq);
	const told = <T extends { root: Message | null }>(x: T | undefined): T | undefined =>
		x?.root && (x.root.replies?.version ?? 0) < replies.version ? { ...x, root: { ...x.root, replies } } : x;
	const log = told(s.threads[key]);
	const followed = told(s.followed[key]);
	let next = s;
	if (log && log !== s.threads[key]) next = put(next, key, log);
	if (followed && followed !== s.followed[key]) next = { ...next, followed: { ...next.followed, [key]: followed } };
	return next;
}

function putState(s: State, state: ThreadState, known: Message | null): State {
	const key = threadKey(state.channel, state.root);
	const held = s.followed[key];
	if (held && state.version <= held.state.version) return s;
	const log = s.logs[state.channel];
	const root = held?.root ?? s.threads[key]?.root ?? known ?? log?.messages.find((m) => m.seq === state.root) ?? null;
	return { ...s, followed: { ...s.followed, [key]: { state, root } } };
}

/* Reactions by event, to where their message is. */
export function threadReactions(s: State, r: Reactions): State {
	const change = (m: Message): Message =>
		m.seq !== r.seq || m.deleted || (m.reactions_version ?? 0) >= r.reactions_version
			? m
			: { ...m, reactions: r.reactions, reactions_version: r.reactions_version };
	let next = s;
	for (const [key, log] of Object.entries(s.threads)) {
		if (!key.startsWith(`${r.channel}/`)) continue;
		const root = log.root && change(log.root);
		const messages = log.messages.some((m) => change(m) !== m) ? log.messages.map(change) : log.messages;
		if (root !== log.root || messages !== log.messages) next = put(next, key, { ...log, root, messages });
	}
	return next;
}

export function dropThreads(s: State, channel: number): State {
	const others = <T>(table: Readonly<Record<string, T>>): Record<string, T> =>
		Object.fromEntries(Object.entries(table).filter(([k]) => !k.startsWith(`${channel}/`)));
	return { ...s, threads: others(s.threads), followed: others(s.followed) };
}

export function inThreads(s: State, channel: number, seq: number): Message | undefined {
	for (const [key, log] of Object.entries(s.threads)) {
		if (!key.startsWith(`${channel}/`)) continue;
		if (log.root?.seq === seq && !log.root.hidden) return log.root;
		const m = log.messages.find((x) => x.seq === seq);
		if (m) return m;
	}
	return undefined;
}
