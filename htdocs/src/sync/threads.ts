// Threads: loads the one that is open and those that are followed, tells how far one has read, follows and lets go.
import { api, ApiError } from '../net/api';
import { followedList, isUnreadThread, threadKey, threadOf } from '../model/threads';
import { peopleOf } from '../model/quotes';
import type { Line, Message } from '../model/types';
import type { Store } from '../store';
import type { Loader } from './loader';

const PAGE = 50;
const FOLLOWED = 100; // threads that are loaded at the start
const PAUSE = 400; // ms between two tellings
const AGAIN = 10_000; // ms, where the server could not

/* A root that one may not see is a message of nobody, older than any. */
const shown = <T extends { root: Message }>(x: T): T =>
	x.root.hidden ? { ...x, root: { ...x.root, id: 0, sender: 0, created_at: '', version: 0 } } : x;

export class Threads {
	private wanted = new Map<string, { channel: number; root: number; seq: number }>();
	private asking = new Set<string>();
	private timer: ReturnType<typeof setTimeout> | null = null;
	private loading: Promise<void> | null = null;
	private next: number | null = null;
	private stopped = false;

	constructor(
		private store: Store,
		private loader: Loader,
		private failed: (e: unknown) => void,
	) {}

	/* --- the one that is open --- */

	async open(channel: number, root: number, around?: number): Promise<void> {
		this.store.dispatch({ type: 'thread/open', channel, root });
		await this.load(channel, root, around === undefined ? { limit: PAGE } : { after: Math.max(root, around - 1), limit: 200 });
	}

	close(channel: number, root: number): void {
		this.flush();
		this.store.dispatch({ type: 'thread/close', channel, root });
	}

	private async load(channel: number, root: number, where: { before?: number; after?: number; limit: number }): Promise<void> {
		const key = threadKey(channel, root);
		if (this.asking.has(key)) return;
		this.asking.add(key);
		try {
			const data = shown((await api.thread(channel, root, where)).data);
			this.need([data.root, ...data.messages]);
			this.store.dispatch({ type: 'thread/page', channel, root, page: data, older: where.before !== undefined });
			// What lies between a reply that was gone to and the newest.
			for (let last = data; where.after !== undefined && last.has_after && !this.stopped; ) {
				last = (await api.thread(channel, root, { after: last.messages.at(-1)!.seq, limit: 200 })).data;
				this.need(last.messages);
				this.store.dispatch({ type: 'thread/page', channel, root, page: last, older: true });
			}
		} catch (e) {
			if (where.before === undefined) this.store.dispatch({ type: 'thread/failed', channel, root });
			else this.store.dispatch({ type: 'thread/loading-before', channel, root, on: false });
			if (e instanceof ApiError && e.status === 401) this.failed(e);
		} finally {
			this.asking.delete(key);
		}
	}

	async before(channel: number, root: number): Promise<void> {
		const log = threadOf(this.store.get(), channel, root);
		const first = log?.messages[0]?.seq;
		if (!log?.hasBefore || log.loadingBefore || first === undefined) return;
		this.store.dispatch({ type: 'thread/loading-before', channel, root, on: true });
		await this.load(channel, root, { before: first, limit: PAGE });
	}

	private need(messages: readonly Message[]): void {
		this.loader.needUsers(messages.flatMap((m) => [...peopleOf(m), ...(m.replies?.users ?? [])]));
	}

	/* --- those that are followed --- */

	/* Again after a reset, or where one has come into a channel. */
	loadFollowed(anew = false): void {
		if (anew) this.store.dispatch({ type: 'threads/reset' });
		for (const key of anew ? Object.keys(this.store.get().threads) : []) {
			const [channel, root] = key.split('/').map(Number) as [number, number];
			void this.load(channel, root, { limit: PAGE });
		}
		this.loading ??= this.page(undefined).finally(() => (this.loading = null));
	}

	/* The next page of the list. */
	async more(): Promise<void> {
		if (this.next !== null) await this.page(this.next);
	}

	get hasMore(): boolean {
		return this.next !== null;
	}

	private async page(before: number | undefined): Promise<void> {
		try {
			const { data } = await api.threads({ before, limit: FOLLOWED });
			this.next = data.next;
			const threads = data.threads.map(shown);
			this.need(threads.map((x) => x.root));
			this.store.dispatch({ type: 'threads', threads, complete: data.next === null });
		} catch {
			// asked again with the next link, or by the view
		}
	}

	/* After lines have been taken: what they tell of threads that are not known is asked for. */
	heard(lines: readonly Line[]): void {
		const s = this.store.get();
		for (const line of lines) {
			if (line.type !== 'thread.updated' && line.type !== 'thread.state') continue;
			const root = (line.type === 'thread.state' ? line.root : line.seq) as number;
			const held = s.followed[threadKey(line.channel as number, root)];
			const known = held ? held.root !== null || !held.state.following : line.type === 'thread.updated' && s.followedAll;
			if (!known) void this.ask(line.channel as number, root);
		}
	}

	private async ask(channel: number, root: number): Promise<void> {
		const key = `?${threadKey(channel, root)}`;
		if (this.asking.has(key) || this.stopped) return;
		this.asking.add(key);
		try {
			const data = shown((await api.thread(channel, root, { limit: 1 })).data);
			this.need([data.root]);
			// Of one that is not followed it is kept too, so that nobody asks again.
			this.store.dispatch({ type: 'threads', threads: [{ state: data.state, root: data.root }], complete: this.store.get().followedAll });
		} catch {
			// not there, or not for us
		} finally {
			this.asking.delete(key);
		}
	}

	/* --- what one does --- */

	/* A reply was on the screen. */
	seen(channel: number, root: number, seq: number): void {
		const f = this.store.get().followed[threadKey(channel, root)];
		if (!f?.state.following || seq <= (f.state.seq ?? 0)) return;
		const key = threadKey(channel, root);
		if ((this.wanted.get(key)?.seq ?? 0) >= seq) return;
		this.wanted.set(key, { channel, root, seq });
		this.timer ??= setTimeout(() => this.flush(), PAUSE);
	}

	flush(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
		for (const [key, w] of this.wanted) {
			const f = this.store.get().followed[key];
			if ((f?.state.seq ?? 0) >= w.seq) {
				this.wanted.delete(key);
				continue;
			}
			this.wanted.delete(key);
			api.readThread(w.channel, w.root, w.seq).then(
				({ data }) => this.store.dispatch({ type: 'thread/state', state: data }),
				(e: unknown) => {
					if (!(e instanceof ApiError) || !e.transient || this.stopped) return;
					this.wanted.set(key, w);
					this.timer ??= setTimeout(() => this.flush(), AGAIN);
				},
			);
		}
	}

	/* Everything is read. */
	readAll(): void {
		for (const f of followedList(this.store.get())) {
			if (!isUnreadThread(f) || !f.root?.replies) continue;
			const { channel, root } = f.state;
			this.wanted.set(threadKey(channel, root), { channel, root, seq: f.root.replies.last_seq });
		}
		this.flush();
	}

	async follow(channel: number, root: number, on: boolean): Promise<void> {
		try {
			const { data } = await api.followThread(channel, root, on);
			this.store.dispatch({ type: 'thread/state', state: data });
			if (on) void this.ask(channel, root);
		} catch (e) {
			this.failed(e);
		}
	}

	stop(): void {
		this.stopped = true;
		if (this.timer !== null) clearTimeout(this.timer);
		this.wanted.clear();
	}
}
