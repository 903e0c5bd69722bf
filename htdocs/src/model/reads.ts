// How far others have read: the marks of `reads` lines, and under which message each of them is shown. Pure. A line is state: a
// whole list after the focus, later what has changed; marks only go forward, so joining them in any order gives the same.
import { lowerBound } from './log';
import type { State, Table } from './state';
import type { Log, ReadMark } from './types';

export interface Mark {
	seq: number;
	delivered: number;
}
export type Marks = Table<Mark>;

export function applyReads(s: State, channel: number, list: readonly ReadMark[]): State {
	if (!s.channels[channel]) return s;
	const held = s.reads[channel] ?? {};
	let next: Record<number, Mark> | null = null;
	for (const r of list) {
		if (!r || typeof r.user !== 'number' || typeof r.seq !== 'number') continue;
		const before = (next ?? held)[r.user];
		const seq = Math.max(r.seq, before?.seq ?? 0);
		// What is read has arrived.
		const delivered = Math.max(r.delivered ?? 0, before?.delivered ?? 0, seq);
		if (before && before.seq === seq && before.delivered === delivered) continue;
		next ??= { ...held };
		next[r.user] = { seq, delivered };
	}
	return next ? { ...s, reads: { ...s.reads, [channel]: next } } : s;
}

export function dropMark(s: State, channel: number, user: number): State {
	const held = s.reads[channel];
	if (!held?.[user]) return s;
	const { [user]: _, ...rest } = held as Record<number, Mark>;
	return { ...s, reads: { ...s.reads, [channel]: rest } };
}

/* Of the loaded messages: who has read up to there and no further, by seq. Not oneself, and nobody below an own message: that
 * he has read it goes without saying. */
export function readersBySeq(log: Log, marks: Marks | undefined, me: number): Map<number, number[]> {
	const found = new Map<number, number[]>();
	const first = log.messages[0]?.seq;
	if (!marks || first === undefined) return found;
	for (const [id, mark] of Object.entries(marks)) {
		const user = Number(id);
		if (user === me || mark.seq < first) continue;
		// The last one at or below the mark: its message may still be on its way.
		const m = log.messages[lowerBound(log.messages, mark.seq + 1) - 1]!;
		if (m.sender === user) continue;
		found.set(m.seq, [...(found.get(m.seq) ?? []), user]);
	}
	// Who came furthest stands last; the same order at every drawing.
	for (const list of found.values()) list.sort((a, b) => marks[a]!.seq - marks[b]!.seq || a - b);
	return found;
}

export type Arrival = 'sent' | 'delivered' | 'read';

/* Of an own message in a direct channel. */
export function arrivalOf(mark: Mark | undefined, seq: number): Arrival {
	return !mark || mark.delivered < seq ? 'sent' : mark.seq < seq ? 'delivered' : 'read';
}
