// Unread messages and mentions, exact by events alone. Pure; called by reduce.ts.
//
// Per channel there is a base: the own marker and the counters as of some message, as a `read` line or an answer told them. On
// top of it come the messages known above it and the deletions heard that it does not hold yet. Both are kept by their seq and
// for a while also below the base, so that a replay changes nothing, and a base that runs ahead of the events or lags behind
// them gives the same sum in the end. Where that cannot be (doubtful()), the channel is to be loaded.
//
// What was done on this device shows at once (`local`), until the server has told of it.
import { messageAt } from './log';
import { names, namesChannel } from './mention';
import { isAside } from './threads';
import { myId, type State } from './state';
import type { Channel, Message, NotifyLevel, OwnMarks } from './types';

/* A message: whether another person's, whether it names oneself, or else the channel, whether it is deleted. */
interface Fact {
	seq: number;
	other: boolean;
	aside: boolean; // a reply in its thread alone: only whom it names counts here
	mention: boolean;
	wide: boolean;
	gone: boolean;
	version: number; // of the message, that this is told from
}

/* The deletion of another's message: the n-th that was heard. mention null: not known, its text was never here. */
interface Removal {
	seq: number;
	n: number;
	mention: boolean | null;
}

/* The edit of another's message after which it does not name the channel (any more). n: as above. */
interface Narrowed {
	seq: number;
	n: number;
}

interface Base extends OwnMarks {
	/* Deletions that the counters leave out beside those of `gone`. */
	also: readonly number[];
	/* Deletions heard before this was asked for are in it. */
	heard: number;
}

type Local = { seq: number; version: number } | { from: number };

export interface Counts {
	base: Base | null;
	/* All messages up to here have been told of, one by one or by a base. */
	top: number;
	facts: readonly Fact[]; // by seq
	removals: readonly Removal[]; // as heard
	narrowed: readonly Narrowed[]; // as heard
	local: Local | null;
}

const NONE: Counts = { base: null, top: 0, facts: [], removals: [], narrowed: [], local: null };
const MOST_FACTS = 400; // then the older half goes into the base
const MOST_WAITING = 1_000; // above a hole; then they are given up
const MOST_REMOVALS = 128;

const effective = (m: { unread_from: number | null }, seq: number): number => (m.unread_from === null ? seq : m.unread_from - 1);

/* Where the unread messages begin: all up to there is read. */
export const markOf = (c: Channel): number => (c.membership ? effective(c.membership, c.membership.last_read_seq) : 0);
export const unreadOf = (c: Channel): number => c.membership?.unread ?? 0;
/* Which messages call for attention: as one has set it, else all of a direct channel, and of others those that mention oneself. */
export const levelOf = (c: Channel): NotifyLevel => c.prefs?.notify ?? (c.kind === 'direct' ? 'all' : 'mentions');
/* One does not want to hear of it for now. When that ends the clock takes it away (prefs.ts). */
export const isQuiet = (c: Channel): boolean => (c.prefs?.quiet_until ?? null) !== null;
export function loudOf(c: Channel): number {
	const level = levelOf(c);
	return isQuiet(c) || level === 'nothing' ? 0 : level === 'all' ? unreadOf(c) : (c.membership?.mentions ?? 0);
}

/* Whether a message of another's is one of those. A reply that stands in its thread alone is where it names oneself. */
export function isLoud(s: State, c: Channel, m: Message): boolean {
	const me = myId(s);
	const level = levelOf(c);
	if (m.sender === me || m.deleted || isQuiet(c) || level === 'nothing') return false;
	return (level === 'all' && !isAside(m)) || mentionsMe(m, me) || isWide(m, me);
}

export function totals(s: State): { unread: number; loud: number } {
	let unread = 0;
	let loud = 0;
	for (const c of Object.values(s.channels)) {
		if (c.archived || isQuiet(c)) continue;
		unread += unreadOf(c);
		loud += loudOf(c);
	}
	return { unread, loud };
}

const isWide = (m: Message, me: number): boolean => m.sender !== me && namesChannel(m.body) && !names(m.body, me);
const mentionsMe = (m: Message, me: number): boolean => m.sender !== me && names(m.body, me);

/* The sum of the versions of the own markers, as far as they are known. */
export function readVersions(s: State): number {
	let sum = 0;
	for (const c of Object.values(s.counts)) sum += c.base?.version ?? 0;
	return sum;
}

/* --- what was heard --- */

/* Messages, from wherever. Pages are not remembered below the base: there they tell nothing new. */
export function countMessages(s: State, id: number, messages: readonly Message[], page = false): State {
	const me = myId(s);
	const { held, heard } = page ? { held: s.counts[id] ?? NONE, heard: s.heard } : narrow(s, s.counts[id] ?? NONE, messages, me);
	const fresh = new Map<number, Fact>();
	for (const m of messages) {
		if (held.base && m.seq <= held.base.last_seq && (page || m.seq <= held.base.last_seq - MOST_FACTS)) continue;
		const at = held.facts[indexOf(held.facts, m.seq)];
		const before = fresh.get(m.seq) ?? (at?.seq === m.seq ? at : undefined);
		const gone = m.deleted === true || before?.gone === true || held.removals.some((r) => r.seq === m.seq);
		// A tombstone does not tell whom it mentioned; an edit may mention others than before.
		const known = before && (m.deleted || before.version >= m.version) ? before : { mention: mentionsMe(m, me), wide: isWide(m, me) };
		const version = Math.max(before?.version ?? 0, m.version);
		if (before && before.gone === gone && before.mention === known.mention && before.wide === known.wide && before.version === version) continue;
		fresh.set(m.seq, { seq: m.seq, other: m.sender !== me, aside: isAside(m), mention: known.mention, wide: known.wide, gone, version });
	}
	if (!fresh.size) return heard === s.heard ? s : put({ ...s, heard }, id, held);
	const facts = [...held.facts.filter((f) => !fresh.has(f.seq)), ...fresh.values()].sort((a, b) => a.seq - b.seq);
	return put({ ...s, heard }, id, fold(reach({ ...held, facts })));
}

/* Edits after which others' messages do not name the channel: of those that the base counts, too. */
function narrow(s: State, held: Counts, messages: readonly Message[], me: number): { held: Counts; heard: number } {
	let { heard } = s;
	for (const m of messages) {
		if (!m.edited_at || m.deleted || m.sender === me || namesChannel(m.body) || held.narrowed.some((x) => x.seq === m.seq)) continue;
		const narrowed = [...held.narrowed, { seq: m.seq, n: ++heard }];
		held = narrowed.length > MOST_REMOVALS ? forgetNarrowed({ ...held, narrowed }) : { ...held, narrowed };
	}
	return { held, heard };
}

/* message.deleted: an event, after that of the message. */
export function countDeleted(s: State, m: Message): State {
	const held = s.counts[m.channel] ?? NONE;
	const me = myId(s);
	if (m.sender === me || held.removals.some((r) => r.seq === m.seq)) return s;
	const i = indexOf(held.facts, m.seq);
	const fact = held.facts[i]?.seq === m.seq ? held.facts[i] : undefined;
	const log = s.logs[m.channel];
	const seen = messageAt(log, m.seq) ?? log?.ahead.find((x) => x.seq === m.seq);
	// A tombstone does not tell whom it mentioned.
	const told = fact && !(fact.gone && !fact.mention) ? fact.mention : seen?.body ? mentionsMe(seen, me) : null;
	const facts = fact ? held.facts.map((f) => (f === fact ? { ...f, gone: true } : f)) : held.facts;
	// It has not counted; whom it named is told by a `read` line.
	if (isAside(m)) return put(s, m.channel, { ...held, facts });
	const heard = s.heard + 1;
	const removals = [...held.removals, { seq: m.seq, n: heard, mention: told }];
	let next: Counts = { ...held, facts, removals };
	if (removals.length > MOST_REMOVALS) next = forgetRemoval(next);
	return put({ ...s, heard }, m.channel, next);
}

/* Marker and counters as the server knows them. heard: what s.heard was when they were asked for; 0 where nobody asked. */
export function countMarks(s: State, id: number, marks: OwnMarks, heard = 0): State {
	const held = s.counts[id] ?? NONE;
	const b = held.base;
	if (b && marks.version < b.version) return s;
	if (b && marks.version === b.version && (marks.last_seq < b.last_seq || (marks.last_seq === b.last_seq && heard < b.heard))) return s;
	const { seq, version, last_seq, unread, mentions, unread_from, gone, wide, read_receipts } = marks;
	const base: Base = { seq, version, last_seq, unread, mentions, unread_from, gone, wide, read_receipts, also: [], heard };
	return put(s, id, reach({ ...held, base, top: Math.max(held.top, last_seq), local: stillOpen(held.local, marks) }));
}

/* Whether a line sets the own marker back, to where something was marked as unread. */
export function setsBack(s: State, id: number, marks: OwnMarks): boolean {
	const b = s.counts[id]?.base;
	return !!b && marks.version > b.version && marks.unread_from !== null && marks.unread_from - 1 < effective(b, b.seq);
}

/* --- what was done here --- */

/* Read up to there, as far as this device is concerned. */
export function readHere(s: State, id: number, seq: number): State {
	const c = s.channels[id];
	if (!c?.membership || seq <= markOf(c)) return s;
	const held = s.counts[id] ?? NONE;
	return put(s, id, { ...held, local: { seq, version: held.base?.version ?? 0 } });
}

export function unreadHere(s: State, id: number, from: number): State {
	if (!s.channels[id]?.membership) return s;
	return put(s, id, { ...(s.counts[id] ?? NONE), local: { from } });
}

/* The server would not have it. */
export function undoHere(s: State, id: number): State {
	const held = s.counts[id];
	return held?.local ? put(s, id, { ...held, local: null }) : s;
}

function stillOpen(local: Local | null, marks: OwnMarks): Local | null {
	if (!local) return null;
	const mark = effective(marks, marks.seq);
	if ('from' in local) return mark === local.from - 1 ? null : local;
	if (mark >= local.seq) return null;
	// Read, and then marked as unread elsewhere.
	return marks.version > local.version && marks.unread_from !== null && marks.seq >= local.seq ? null : local;
}

/* --- doubt --- */

/* The removals that the base does not hold. */
function pending(c: Counts, b: Base): Removal[] {
	const from = effective(b, b.seq);
	return c.removals.filter((r) => r.n > b.heard && r.seq > from && r.seq <= b.last_seq && !b.gone?.includes(r.seq) && !b.also.includes(r.seq));
}

/* The edits that the base may not hold. */
const narrowings = (c: Counts, b: Base): Narrowed[] => c.narrowed.filter((x) => x.n > b.heard && x.seq > effective(b, b.seq) && x.seq <= b.last_seq);

/* How many that the base counts by the channel's name do not count any more. */
function lost(c: Counts, b: Base): number {
	if (!b.wide?.length) return 0;
	const less = new Set([...pending(c, b), ...narrowings(c, b)].map((x) => x.seq));
	return b.wide.reduce((n, seq) => n + (less.has(seq) ? 1 : 0), 0);
}

/* The counters cannot be told from what is known: load the channel. */
export function doubtful(s: State, id: number): boolean {
	const c = s.counts[id];
	if (!c?.base) return true;
	const b = c.base;
	if (indexOf(c.facts, c.top + 1) - indexOf(c.facts, b.last_seq + 1) < c.top - b.last_seq) return true;
	const open = pending(c, b);
	if (b.wide === null && (open.length > 0 || narrowings(c, b).length > 0)) return true;
	return open.some((r) => b.gone === null || (r.mention === null && b.mentions > b.wide!.length && !b.wide!.includes(r.seq)));
}

/* Messages are known above some that are not: those are on their way, as a rule. */
export function waits(s: State, id: number): boolean {
	const c = s.counts[id];
	return !!c && (c.facts[c.facts.length - 1]?.seq ?? 0) > c.top;
}

/* --- the sum --- */

/* After the channel was told anew, with older counters than are known. */
export const recount = (s: State, id: number): State => (s.counts[id] ? put(s, id, s.counts[id]) : s);


function put(s: State, id: number, counts: Counts): State {
	const next = { ...s, counts: { ...s.counts, [id]: counts } };
	const c = s.channels[id];
	const m = c?.membership;
	if (!c || !m) return next;
	const b = counts.base;
	const last_seq = Math.max(c.last_seq, b?.last_seq ?? 0, counts.facts[counts.facts.length - 1]?.seq ?? 0);
	let membership = m;
	if (b) {
		let { unread, mentions } = b;
		for (const r of pending(counts, b)) {
			unread--;
			if (r.mention && !b.wide?.includes(r.seq)) mentions--;
		}
		mentions -= lost(counts, b);
		const from = effective(b, b.seq);
		for (let i = indexOf(counts.facts, b.last_seq + 1); i < counts.facts.length; i++) {
			const f = counts.facts[i]!;
			if (!f.other || f.gone || f.seq <= from) continue;
			if (!f.aside) unread++;
			if (f.mention || f.wide) mentions++;
		}
		membership = {
			...m,
			last_read_seq: b.seq,
			unread_from: b.unread_from,
			read_version: b.version,
			unread: Math.max(0, unread),
			mentions: Math.max(0, mentions),
			gone: b.gone,
			wide: b.wide,
			read_receipts: b.read_receipts,
		};
	}
	if (counts.local) membership = withLocal(next, id, counts, membership, last_seq);
	if (last_seq === c.last_seq && sameMembership(membership, m)) return next;
	return { ...next, channels: { ...s.channels, [id]: { ...c, last_seq, membership } } };
}

type Marks = NonNullable<Channel['membership']>;
const sameMembership = (a: Marks, b: Marks): boolean =>
	a === b ||
	(a.last_read_seq === b.last_read_seq &&
		a.unread_from === b.unread_from &&
		a.read_version === b.read_version &&
		a.unread === b.unread &&
		a.mentions === b.mentions &&
		a.read_receipts === b.read_receipts &&
		a.gone === b.gone &&
		a.wide === b.wide);

/* The membership as it will be when the server has heard of what was done here. */
function withLocal(s: State, id: number, counts: Counts, m: Marks, last: number): Marks {
	const local = counts.local!;
	const mark = 'from' in local ? local.from - 1 : local.seq;
	if ('seq' in local && mark <= effective(m, m.last_read_seq)) return m;
	const read = 'from' in local ? m.last_read_seq : Math.max(m.last_read_seq, mark);
	const sum = sumAbove(s, id, counts, mark, last);
	const room = Math.max(0, last - mark);
	return {
		...m,
		last_read_seq: read,
		unread_from: read === mark ? null : mark + 1,
		unread: sum ? sum.unread : Math.min(m.unread, room),
		mentions: sum ? sum.mentions : Math.min(m.mentions, room),
	};
}

/* Counted one by one, where all of them are known. */
function sumAbove(s: State, id: number, counts: Counts, mark: number, last: number): { unread: number; mentions: number } | null {
	const log = s.logs[id];
	const me = myId(s);
	let unread = 0;
	let mentions = 0;
	let i = counts.facts.length - 1;
	for (let seq = last; seq > mark; seq--) {
		while (i >= 0 && counts.facts[i]!.seq > seq) i--;
		const f = counts.facts[i];
		if (f?.seq === seq) {
			if (f.other && !f.gone) {
				if (!f.aside) unread++;
				if (f.mention || f.wide) mentions++;
			}
			continue;
		}
		const m = log?.status === 'ready' ? messageAt(log, seq) : undefined;
		if (!m) return null;
		if (m.sender === me || m.deleted || counts.removals.some((r) => r.seq === seq)) continue;
		if (!isAside(m)) unread++;
		if (mentionsMe(m, me) || isWide(m, me)) mentions++;
	}
	return { unread, mentions };
}

/* --- bounds --- */

/* Index of the first fact with a seq at or above the given one. */
function indexOf(facts: readonly Fact[], seq: number): number {
	let lo = 0;
	let hi = facts.length;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (facts[mid]!.seq < seq) lo = mid + 1;
		else hi = mid;
	}
	return lo;
}

/* Moves `top` over what has no hole. */
function reach(c: Counts): Counts {
	if (!c.base) return c;
	let { top } = c;
	for (let i = indexOf(c.facts, top + 1); c.facts[i]?.seq === top + 1; i++) top++;
	return top === c.top ? c : { ...c, top };
}

function fold(c: Counts): Counts {
	if (c.facts.length <= MOST_FACTS) return c;
	let { base, top } = c;
	let i = 0;
	for (; c.facts.length - i > MOST_FACTS / 2; i++) {
		const f = c.facts[i]!;
		if (!base || f.seq <= base.last_seq) continue;
		if (f.seq === base.last_seq + 1) {
			const counts = f.other && !f.gone && f.seq > effective(base, base.seq);
			base = {
				...base,
				last_seq: f.seq,
				unread: base.unread + (counts && !f.aside ? 1 : 0),
				mentions: base.mentions + (counts && (f.mention || f.wide) ? 1 : 0),
				wide: counts && f.wide && base.wide ? [...base.wide, f.seq] : base.wide,
				also: f.other && f.gone && !f.aside ? [...base.also, f.seq].slice(-MOST_FACTS) : base.also,
			};
		} else if (c.facts.length - i > MOST_WAITING) top = Math.max(top, f.seq);
		else break;
	}
	return i ? { ...c, base, top, facts: c.facts.slice(i) } : c;
}

/* The oldest removal goes into the base. */
function forgetRemoval(c: Counts): Counts {
	const [r, ...removals] = c.removals;
	const b = c.base;
	if (!b || !r || !pending(c, b).includes(r)) return { ...c, removals };
	const mentions = b.mentions - (r.mention || b.wide?.includes(r.seq) ? 1 : 0);
	const base = { ...b, unread: b.unread - 1, mentions, wide: without(b.wide, r.seq), also: [...b.also, r.seq].slice(-MOST_FACTS) };
	return { ...c, base, removals };
}

const without = (list: readonly number[] | null, seq: number) => (list?.includes(seq) ? list.filter((x) => x !== seq) : list);

/* The oldest edit goes into the base. */
function forgetNarrowed(c: Counts): Counts {
	const [x, ...narrowed] = c.narrowed;
	const b = c.base;
	if (!b || !x || !b.wide?.includes(x.seq) || !narrowings(c, b).includes(x)) return { ...c, narrowed };
	return { ...c, base: { ...b, mentions: b.mentions - 1, wide: without(b.wide, x.seq) }, narrowed };
}
