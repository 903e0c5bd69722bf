// Fetches what views and events ask for: channels, pages of messages, people, members. Each answer goes to the store;
// the same thing is never asked for twice at once.
import { api, ApiError } from '../net/api';
import { hasGap, messageAt, tailSeq } from '../model/log';
import { peersOf } from '../model/state';
import { doubtful, markOf, unreadOf, waits } from '../model/unread';
import { peopleOf } from '../model/quotes';
import type { Channel } from '../model/types';
import type { Store } from '../store';

const PAGE = 50;
const MAX_PAGE = 200;
const MOST_UNREAD = 600; // messages that are loaded to begin at the first unread one
const FAR = 1_000; // messages between our end and the newest beyond which the run is begun anew
const IDS = 100; // users per question


export class Loader {
	private wantedUsers = new Set<number>();
	private askedUsers = new Set<number>();
	private userTimer: ReturnType<typeof setTimeout> | null = null;
	private filling = new Set<number>();
	private loading = new Set<number>();
	private older = new Set<number>();
	private newer = new Set<number>();
	private placed = new Map<number, number>(); // channel: how often its run was put elsewhere
	private stale = new Map<number, ReturnType<typeof setTimeout>>();
	private settling = new Map<number, ReturnType<typeof setTimeout>>();
	private settled = new Map<number, number>(); // channel: how often it was loaded for its counters in a row
	private leaves = new Map<number, number>(); // channel: how often we were seen to leave it
	private asking: Promise<void> | null = null; // for the settings
	private changes = new Map<number, number>(); // channel: how often it changed while we did not have it
	private asks = 0;
	private answered = new Map<number, number>(); // channel: the latest asking that has been answered
	private stopped = false;

	constructor(
		private store: Store,
		private onSessionOver: () => void,
	) {}

	stop(): void {
		this.stopped = true;
		for (const t of [...this.stale.values(), ...this.settling.values()]) clearTimeout(t);
	}

	/* We have left: what was asked for before does not bring the channel back. */
	left(id: number): void {
		this.leaves.set(id, (this.leaves.get(id) ?? 0) + 1);
	}

	/* Whether an answer is news: none to a later asking has come before it. */
	private news(id: number, ask: number): boolean {
		if ((this.answered.get(id) ?? 0) > ask) return false;
		this.answered.set(id, ask);
		return true;
	}

	/* It has changed before we have it: what was asked for before may not tell. */
	changed(id: number): void {
		if (!this.store.get().channels[id]) this.changes.set(id, (this.changes.get(id) ?? 0) + 1);
	}

	/* True when the failure was the end of the session, which is then dealt with. */
	private over(e: unknown): boolean {
		if (!(e instanceof ApiError) || e.status !== 401) return false;
		if (!this.stopped) this.onSessionOver();
		return true;
	}

	/* All own channels. Answers the cursor of the first page: the lowest, since each page is asked for after it. */
	async channels(): Promise<string | null> {
		const { heard } = this.store.get();
		const asked = Object.keys(this.store.get().channels).map(Number);
		const leaves = new Map(this.leaves);
		const ask = ++this.asks;
		const all: Channel[] = [];
		let cursor: string | null = null;
		let after: number | undefined;
		for (let first = true; first || after !== undefined; first = false) {
			const page = await api.channels('mine', after);
			if (first) cursor = page.cursor;
			all.push(...page.data.channels);
			after = page.data.next ?? undefined;
		}
		const stale = (id: number) => this.leaves.get(id) !== leaves.get(id);
		const fresh = all.filter((c) => !stale(c.id) && this.news(c.id, ask));
		const gone = asked.filter((id) => !stale(id) && !all.some((c) => c.id === id));
		this.store.dispatch({ type: 'channels', channels: fresh, asked: gone, heard });
		for (const c of fresh) this.settleSoon(c.id);
		this.needUsers(all.flatMap((c) => peersOf(this.store.get(), c)));
		return cursor;
	}

	/* Counters that cannot be told from what is known: the channel is loaded, ever more seldom where that does not help. Messages
	 * above a hole are given time first. */
	settleSoon(id: number): void {
		const s = this.store.get();
		const doubt = doubtful(s, id);
		if (!s.channels[id] || (!doubt && !waits(s, id))) return void this.settled.delete(id);
		if (this.settling.has(id)) return;
		const n = this.settled.get(id) ?? 0;
		const pause = Math.min(60_000, (doubt ? 150 : 2_000) * 2 ** n);
		this.settling.set(
			id,
			setTimeout(() => {
				this.settling.delete(id);
				const now = this.store.get();
				if (!now.channels[id] || (!doubtful(now, id) && !waits(now, id))) return void this.settled.delete(id);
				this.settled.set(id, n + 1);
				void this.channel(id, 1).then(() => this.stopped || this.settleSoon(id));
			}, pause),
		);
	}

	/* Whether the server counts the same. State may be lost on the way, so it can count otherwise. */
	async checkUnread(): Promise<void> {
		try {
			const { data } = await api.unread();
			const s = this.store.get();
			const told = new Map(data.channels.map((c) => [c.channel, c]));
			for (const c of Object.values(s.channels)) {
				const t = told.get(c.id);
				const mark = t && (t.unread_from === null ? t.last_read_seq : t.unread_from - 1);
				const same = t ? t.unread === unreadOf(c) && t.mentions === c.membership?.mentions && mark === markOf(c) : unreadOf(c) === 0;
				if (!same) void this.channel(c.id, 1);
			}
		} catch (e) {
			this.over(e); // asked again at the next occasion
		}
	}

	/* One channel; tries again a few times, since an own member.joined may be lost no other way. */
	async channel(id: number, tries = 3): Promise<Channel | null> {
		for (let n = 0; n < tries && !this.stopped; n++) {
			try {
				const leaves = this.leaves.get(id);
				const changes = this.changes.get(id);
				const { heard } = this.store.get();
				const ask = ++this.asks;
				const { data } = await api.channel(id);
				if (this.leaves.get(id) !== leaves) return null; // joined again since, it has been asked for again
				if (this.changes.get(id) !== changes) this.refreshSoon(id);
				else this.changes.delete(id);
				if (this.news(id, ask)) this.store.dispatch({ type: 'channel', channel: data, heard });
				this.needUsers(peersOf(this.store.get(), data));
				return data;
			} catch (e) {
				if (this.over(e) || (e instanceof ApiError && !e.transient)) return null;
				await new Promise((r) => setTimeout(r, 500 * 2 ** n));
			}
		}
		return null;
	}

	/* Its counters may have changed; many such hints make one question. */
	refreshSoon(id: number): void {
		if (this.stale.has(id)) return;
		this.stale.set(
			id,
			setTimeout(() => {
				this.stale.delete(id);
				if (this.store.get().channels[id]) void this.channel(id, 1);
			}, 800),
		);
	}

	/* The newest page of a channel, where it is not loaded. Reaches down to what is unread, so that the view can begin there,
	 * where that is not very far. */
	async newest(id: number, limit?: number): Promise<void> {
		const s = this.store.get();
		const c = s.channels[id];
		if (this.loading.has(id)) return;
		if (!s.logs[id] || s.logs[id].status === 'failed') this.store.dispatch({ type: 'log/open', channel: id });
		this.loading.add(id);
		const unread = c ? unreadOf(c) : 0;
		const placed = this.placed.get(id);
		try {
			const { data } = await api.messages(id, { limit: limit ?? Math.min(MAX_PAGE, unread ? Math.max(PAGE, unread + 20) : PAGE) });
			let { messages, has_before } = data;
			for (const mark = c ? markOf(c) : 0; unread && has_before && messages.length < MOST_UNREAD && messages[0]!.seq > mark + 1;) {
				const older = (await api.messages(id, { before: messages[0]!.seq, limit: MAX_PAGE })).data;
				if (!older.messages.length) break;
				messages = [...older.messages, ...messages];
				has_before = older.has_before;
			}
			if (this.placed.get(id) !== placed) return; // gone to an old message meanwhile
			this.store.dispatch({ type: 'log/newest', channel: id, page: { ...data, messages, has_before } });
			this.needUsers(messages.flatMap(peopleOf));
		} catch (e) {
			if (!this.over(e)) this.store.dispatch({ type: 'log/failed', channel: id });
			throw e;
		} finally {
			this.loading.delete(id);
		}
		this.fill(id);
	}

	async before(id: number, limit = PAGE): Promise<void> {
		const log = this.store.get().logs[id];
		const first = log?.messages[0]?.seq;
		if (!log || log.status !== 'ready' || !log.hasBefore || first === undefined || this.older.has(id)) return;
		this.older.add(id);
		this.store.dispatch({ type: 'log/loading-before', channel: id });
		try {
			const { data } = await api.messages(id, { before: first, limit });
			this.needUsers(data.messages.flatMap(peopleOf));
			this.store.dispatch({ type: 'log/before', channel: id, before: first, page: data });
		} catch (e) {
			if (!this.over(e)) this.store.dispatch({ type: 'log/loading-before', channel: id, failed: true });
		} finally {
			this.older.delete(id);
		}
	}

	/* Messages around an old one, in place of the run, where that does not hold it. False: it is not there (any more). */
	async around(id: number, seq: number): Promise<boolean> {
		const log = this.store.get().logs[id];
		if (log?.status === 'ready' && messageAt(log, seq)) return true;
		const { data } = await api.messages(id, { around: seq, limit: PAGE });
		this.placed.set(id, (this.placed.get(id) ?? 0) + 1);
		this.needUsers(data.messages.flatMap(peopleOf));
		this.store.dispatch({ type: 'log/around', channel: id, page: data });
		this.fill(id);
		return messageAt(this.store.get().logs[id], seq) !== undefined;
	}

	/* What follows a run that ends below the newest message. */
	async after(id: number): Promise<void> {
		const log = this.store.get().logs[id];
		if (!log || log.status !== 'ready' || !log.hasAfter || this.newer.has(id)) return;
		this.newer.add(id);
		const tail = tailSeq(log);
		try {
			const { data } = await api.messages(id, { after: tail, limit: PAGE });
			this.needUsers(data.messages.flatMap(peopleOf));
			this.store.dispatch({ type: 'log/after', channel: id, after: tail, page: data });
		} catch (e) {
			this.over(e); // asked again by the next scrolling
		} finally {
			this.newer.delete(id);
		}
		this.fill(id);
	}

	/* Closes the hole below what an event has announced, if there is one. */
	fill(id: number): void {
		const log = this.store.get().logs[id];
		if (!log || !hasGap(log) || this.filling.has(id)) return;
		this.filling.add(id);
		void this.fillNow(id).finally(() => this.filling.delete(id));
	}

	private async fillNow(id: number): Promise<void> {
		for (let failures = 0; !this.stopped;) {
			const log = this.store.get().logs[id];
			if (!log || !hasGap(log)) return;
			const tail = tailSeq(log);
			const far = log.ahead[log.ahead.length - 1]!.seq - tail > FAR;
			try {
				const { data } = await api.messages(id, far ? { limit: MAX_PAGE } : { after: tail, limit: MAX_PAGE });
				this.needUsers(data.messages.flatMap(peopleOf));
				if (far) this.store.dispatch({ type: 'log/newest', channel: id, page: data });
				else this.store.dispatch({ type: 'log/after', channel: id, after: tail, page: data });
				failures = 0;
			} catch (e) {
				if (this.over(e) || (e instanceof ApiError && !e.transient)) return;
				await new Promise((r) => setTimeout(r, Math.min(10_000, 500 * 2 ** failures++)));
			}
		}
	}

	/* People whose names a view needs. Questions of one moment are asked together; what is known is not asked. */
	needUsers(ids: readonly number[], again = false): void {
		const known = this.store.get().users;
		for (const id of ids) if (again || (!known[id] && !this.askedUsers.has(id))) this.wantedUsers.add(id);
		if (this.wantedUsers.size) this.userTimer ??= setTimeout(() => void this.askUsers(), 5);
	}

	private async askUsers(): Promise<void> {
		this.userTimer = null;
		const all = [...this.wantedUsers];
		this.wantedUsers.clear();
		for (let i = 0; i < all.length && !this.stopped; i += IDS) {
			const ids = all.slice(i, i + IDS);
			for (const id of ids) this.askedUsers.add(id);
			try {
				this.store.dispatch({ type: 'users', users: (await api.usersByIds(ids)).data.users });
			} catch (e) {
				// Asked again by the next view that needs them.
				if (this.over(e)) return;
			} finally {
				for (const id of ids) this.askedUsers.delete(id);
			}
		}
	}

	/* How people are, where that is not told by events. */
	async presence(ids: readonly number[]): Promise<void> {
		const answer = await api.presence(ids).catch((e: unknown) => void this.over(e));
		if (answer) this.store.dispatch({ type: 'lines', lines: [{ type: 'presence', users: answer.data.presence }] });
	}

	/* The own settings; also after what was changed has been answered with something else. */
	settings(): Promise<void> {
		this.asking ??= api
			.settings()
			.then(
				({ data }) => this.store.dispatch({ type: 'settings', settings: data }),
				(e: unknown) => void this.over(e),
			)
			.finally(() => (this.asking = null));
		return this.asking;
	}

	/* How the side bar is arranged; what is shown meanwhile stays where that fails. */
	async sidebar(force = false): Promise<void> {
		const answer = await api.sidebar().catch((e: unknown) => void this.over(e));
		if (Array.isArray(answer?.data?.sections)) this.store.dispatch({ type: 'sidebar', sidebar: answer.data, force });
	}

	/* The first message of a channel that is not older than a time, else its last one; null: there is none. */
	async seqAt(id: number, time: number): Promise<number | null> {
		const { data } = await api.messages(id, { around_time: new Date(time).toISOString(), limit: 4 });
		return (data.messages.find((m) => Date.parse(m.created_at) >= time) ?? data.messages.at(-1))?.seq ?? null;
	}

	async members(id: number, more = false): Promise<void> {
		const held = this.store.get().members[id];
		if (held?.status === 'loading' || (more && !held?.next)) return;
		this.store.dispatch({ type: 'members/status', channel: id, status: 'loading' });
		try {
			const { data } = await api.members(id, more ? (held?.next ?? undefined) : undefined);
			this.store.dispatch({ type: 'members', channel: id, members: data.members, next: data.next, first: !more });
			this.needUsers(data.members.map((m) => m.user));
		} catch (e) {
			if (!this.over(e)) this.store.dispatch({ type: 'members/status', channel: id, status: 'failed' });
		}
	}
}
