// What has arrived here, what is read, and where the "new messages" line stands. The marker itself is the reader's.
import { myId } from '../model/state';
import { isAside, readUpto } from '../model/threads';
import type { Line, Message, OwnMarks } from '../model/types';
import { markOf, readVersions, setsBack, unreadOf } from '../model/unread';
import { attentive } from './browser';
import type { Client } from './client';

const UNEQUAL_FOR = 30_000; // ms
const CHECK_APART = 60_000; // ms between two looks at whether the counters are right
const LINE_IN = 3_000; // ms from an own mark's ack to its line

type Parts = Pick<Client, 'store' | 'loader' | 'reader' | 'arrivals' | 'ops' | 'ladder' | 'opening' | 'atBottom'>;

export class Reading {
	private unequal = -1;
	private unequalUntil = 0;
	private checkedAt = 0;
	private timers = new Set<ReturnType<typeof setTimeout>>();

	constructor(private c: Parts) {}

	/* --- arrived --- */

	arrived(id: number, seq: number): void {
		const c = this.c.store.get().channels[id];
		if (c?.kind === 'direct' && c.peer !== myId(this.c.store.get()) && c.membership?.read_receipts !== false) this.c.arrivals.arrived(id, seq);
	}

	/* What came while no link was there. */
	tellArrivals(): void {
		for (const c of Object.values(this.c.store.get().channels)) if (unreadOf(c)) this.arrived(c.id, c.last_seq);
		this.c.arrivals.flush();
	}

	/* --- read elsewhere --- */

	/* What the server compares with its own, so that no `read` line is missed. Null for a while where the lines that it tells
	 * because of it do not make them equal: it would tell them again and again. */
	known(): number | null {
		const sum = readVersions(this.c.store.get());
		return sum === this.unequal && Date.now() < this.unequalUntil ? null : sum;
	}

	/* These lines are in the store; before: the versions that were known before them. */
	heard(lines: readonly Line[], before: number): void {
		if (!lines.some((l) => l.type === 'read') || readVersions(this.c.store.get()) !== before) return;
		this.unequal = before;
		this.unequalUntil = Date.now() + UNEQUAL_FOR;
	}

	/* A line that sets the own marker of the open channel back: something was marked as unread, here or on another device, and what is on
	 * the screen does not undo it. Answers what to do once the line is in the store. */
	setBack(line: Line): (() => void) | null {
		const id = line.channel as number;
		if (!setsBack(this.c.store.get(), id, line as unknown as OwnMarks)) return null;
		return () => {
			const c = this.c.store.get().channels[id];
			const from = c?.membership?.unread_from ?? null;
			if (!c || from === null || this.c.opening.current !== id) return;
			this.c.reader.keep(id);
			this.c.store.dispatch({ type: 'line', channel: id, after: from - 1 });
		};
	}

	/* Somebody looks again: what counts otherwise on the server, for whatever reason, is loaded. */
	check(): void {
		if (this.c.store.get().phase !== 'ready' || this.c.ladder.state !== 'live' || Date.now() - this.checkedAt < CHECK_APART) return;
		this.checkedAt = Date.now();
		void this.c.loader.checkUnread();
	}

	/* --- read here --- */

	/* A message comes. Where all had been read and nobody looks, the "new messages" line goes above it. */
	moveLine(m: Message): void {
		const s = this.c.store.get();
		const c = s.channels[m.channel];
		if (m.channel !== this.c.opening.current || !c?.membership || m.sender === myId(s) || isAside(m) || m.seq <= c.last_seq) return;
		if (attentive() && this.c.atBottom) return;
		if (markOf(c) >= c.last_seq) this.c.store.dispatch({ type: 'line', channel: c.id, after: c.last_seq });
	}

	/* A message of the channel is on the screen. */
	seen(channel: number, seq: number): void {
		if (this.c.opening.current !== channel || !attentive()) return;
		const s = this.c.store.get();
		const log = s.logs[channel];
		const after = s.lines[channel];
		// The new ones begin above what is loaded: those have been on no screen, and to read on from the end would be to read them all.
		if (after !== undefined && log?.hasBefore && (log.messages[0]?.seq ?? 0) > after + 1) return;
		this.c.reader.seen(channel, log && !log.hasAfter ? readUpto(log, seq) : seq);
	}

	/* Esc: all is read, and the line goes. */
	markRead(channel: number): void {
		const c = this.c.store.get().channels[channel];
		if (!c) return;
		this.c.reader.release(channel);
		this.c.reader.seen(channel, c.last_seq);
		this.c.reader.flush();
		this.c.store.dispatch({ type: 'line', channel, after: null });
	}

	/* From this message on all is unread, until the channel is left and opened again. */
	async markUnread(channel: number, seq: number): Promise<void> {
		const { store, reader } = this.c;
		reader.keep(channel);
		store.dispatch({ type: 'unread', channel, from: seq });
		store.dispatch({ type: 'line', channel, after: seq - 1 });
		try {
			await this.c.ops.ask({ op: 'unread', channel, seq });
		} catch (e) {
			reader.release(channel);
			store.dispatch({ type: 'unread/undo', channel });
			throw e;
		}
		// Its line may be lost.
		const later = setTimeout(() => {
			this.timers.delete(later);
			if (store.get().counts[channel]?.local)
				void this.c.loader.channel(channel, 1).then(() => store.dispatch({ type: 'unread/undo', channel }));
		}, LINE_IN);
		this.timers.add(later);
	}

	stop(): void {
		this.timers.forEach((t) => clearTimeout(t));
	}
}
