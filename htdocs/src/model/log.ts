// The loaded run of a channel's messages: how events and pages join it. Pure functions.
//
// Two promises: what `messages` holds has no hole (a message that comes above one waits in `ahead` until a page closes
// it), and a row is replaced only by a higher version, so events and pages may come in any mixture.
import type { Log, Message, MessagePage, Reactions, Replies } from './types';

const AHEAD_KEPT = 200;

export const emptyLog: Log = {
	status: 'loading',
	messages: [],
	hasBefore: false,
	hasAfter: false,
	loadingBefore: false,
	failedBefore: false,
	ahead: [],
	below: [],
	late: [],
	upto: 0,
};

/* Index of the first message with a seq at or above the given one. */
export function lowerBound(list: readonly Message[], seq: number): number {
	let lo = 0;
	let hi = list.length;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (list[mid]!.seq < seq) lo = mid + 1;
		else hi = mid;
	}
	return lo;
}

export function messageAt(log: Log | undefined, seq: number): Message | undefined {
	if (!log) return undefined;
	const m = log.messages[lowerBound(log.messages, seq)];
	return m && m.seq === seq ? m : undefined;
}

/* Nothing that belongs into the run is missing up to there. */
export function tailSeq(log: Log): number {
	return Math.max(log.messages[log.messages.length - 1]?.seq ?? 0, log.upto);
}

/* True while something is known to exist above a hole: the loader then asks for what lies between. */
export function hasGap(log: Log): boolean {
	return log.status === 'ready' && log.ahead.length > 0 && !log.hasAfter;
}

const reactionsOf = (m: Message): number => (m.deleted ? Infinity : (m.reactions_version ?? 0));

/* Of two states of a message the newer one, and the newer of their reactions and replies. */
export function newer(held: Message, m: Message): Message {
	const told = (m.replies?.version ?? 0) > (held.replies?.version ?? 0) ? m.replies : held.replies;
	const one = m.version > held.version ? m : held;
	const of = one.replies === told ? one : { ...one, replies: told };
	const by = reactionsOf(m) > reactionsOf(held) ? m : held;
	if (of.deleted || one === by || reactionsOf(of) === reactionsOf(by)) return of;
	return { ...of, reactions: by.reactions, reactions_version: by.reactions_version };
}

function put(list: readonly Message[], m: Message): readonly Message[] {
	const i = lowerBound(list, m.seq);
	const held = list[i];
	if (held && held.seq === m.seq) {
		const kept = newer(held, m);
		if (kept === held) return list;
		const next = list.slice();
		next[i] = kept;
		return next;
	}
	const next = list.slice();
	next.splice(i, 0, m);
	return next;
}

/* What the replies have made of a message, by event. */
export function addReplies(log: Log, seq: number, replies: Replies): Log {
	for (const where of ['messages', 'ahead', 'below'] as const) {
		const list = log[where];
		const i = lowerBound(list, seq);
		const held = list[i];
		if (held?.seq !== seq || (held.replies?.version ?? 0) >= replies.version) continue;
		const next = list.slice();
		next[i] = { ...held, replies };
		return { ...log, [where]: next };
	}
	return log;
}

const MOST_LATE = 200;

/* Reactions by event: to where their message is. They set the whole list, and what is late changes nothing. */
export function addReactions(log: Log, r: Reactions): Log {
	for (const where of ['messages', 'ahead', 'below'] as const) {
		const list = log[where];
		const i = lowerBound(list, r.seq);
		const held = list[i];
		if (held?.seq !== r.seq) continue;
		if (r.reactions_version <= reactionsOf(held)) return log;
		const next = list.slice();
		next[i] = { ...held, reactions: r.reactions, reactions_version: r.reactions_version };
		return { ...log, [where]: next };
	}
	// A page that is on its way may tell of less; what is asked for later tells it.
	if (log.status === 'ready' && !log.loadingBefore && r.seq < (log.messages[0]?.seq ?? 0)) return log;
	return { ...log, late: [...log.late, r].slice(-MOST_LATE) };
}

/* Those that had come before their messages. */
function addLate(log: Log): Log {
	return log.late.reduce(addReactions, { ...log, late: [] });
}

/* Moves what waits in `ahead` into the run: what lies within it, and what continues it without a hole. */
function drain(log: Log): Log {
	if (!log.ahead.length) return log;
	let messages = log.messages;
	let tail = tailSeq(log);
	const first = messages[0]?.seq ?? 1;
	let i = 0;
	for (; i < log.ahead.length; i++) {
		const m = log.ahead[i]!;
		if (m.seq > tail + 1) break;
		if (m.seq < first) continue; // older than what is loaded; a page will bring it
		messages = put(messages, m);
		tail = Math.max(tail, m.seq);
	}
	return { ...log, messages, ahead: log.ahead.slice(i) };
}

export function addMessage(log: Log, m: Message): Log {
	if (log.status !== 'ready') return { ...log, ahead: put(log.ahead, m) };
	const first = log.messages[0]?.seq;
	const tail = tailSeq(log);
	// Of what comes while somebody looks at old messages, the newest are kept: they show that there is a hole when the run comes up to them.
	if (m.seq > tail + 1) return { ...log, ahead: log.hasAfter ? put(log.ahead, m).slice(-AHEAD_KEPT) : put(log.ahead, m) };
	if (first !== undefined && m.seq < first) return log.loadingBefore ? { ...log, below: put(log.below, m) } : log;
	const messages = put(log.messages, m);
	if (messages === log.messages) return log;
	return drain({ ...log, messages });
}

/* The newest page. It replaces the run: after a reset nothing that was held is to be trusted. */
export function addNewest(log: Log, page: MessagePage): Log {
	return addLate(
		drain({
			...emptyLog,
			status: 'ready',
			messages: page.messages,
			hasBefore: page.has_before,
			ahead: log.ahead,
			late: log.late,
			upto: page.upto ?? 0,
		}),
	);
}

/* A page around an old message. It replaces the run. */
export function addAround(log: Log, page: MessagePage): Log {
	return drain({
		...emptyLog,
		status: 'ready',
		messages: page.messages,
		hasBefore: page.has_before,
		hasAfter: page.has_after,
		ahead: log.ahead,
		upto: page.upto ?? 0,
	});
}

/* A page of older messages. It must end where the run begins, else it is of another time and is dropped. */
export function addBefore(log: Log, before: number, page: MessagePage): Log {
	const settled = { ...log, loadingBefore: false, failedBefore: false, below: [] };
	if (log.status !== 'ready' || log.messages[0]?.seq !== before) return settled;
	let older: readonly Message[] = page.messages.filter((m) => m.seq < before);
	for (const m of log.below) if (older.length && m.seq >= older[0]!.seq) older = put(older, m);
	return addLate({ ...settled, messages: [...older, ...log.messages], hasBefore: page.has_before && older.length > 0 });
}

/* A page that follows the run. The server is the judge of what exists: what it leaves out is no hole. */
export function addAfter(log: Log, after: number, page: MessagePage): Log {
	if (log.status !== 'ready' || tailSeq(log) < after) return log;
	let messages = log.messages;
	const fresh = page.messages.filter((m) => m.seq > tailSeq(log));
	for (const m of page.messages) if (m.seq <= tailSeq(log)) messages = put(messages, m);
	messages = fresh.length ? [...messages, ...fresh] : messages;
	const upto = Math.max(log.upto, page.upto ?? 0);
	const next = addLate(drain({ ...log, messages, hasAfter: log.hasAfter && page.has_after, upto }));
	// Nothing follows our end, by a snapshot taken after the first waiting message was announced: so that is the next one.
	const [head, ...rest] = next.ahead;
	if (head && !page.has_after && !page.messages.length) {
		return drain({ ...next, messages: [...next.messages, head], ahead: rest });
	}
	return next;
}
