// The client: puts its parts together, starts them, ends them, and offers views what they may do.
//
// Start: the list of own channels is the first load, and its cursor is where following begins. Everything else is asked
// for after it, so it can only be newer, and the version rule makes the overlap harmless.
import { postOps } from '../net/answers';
import { api, ApiError } from '../net/api';
import { groupsApi } from '../net/groups';
import type { Ladder } from '../net/ladder';
import { Ops } from '../net/ops';
import { myId } from '../model/state';
import { placeKey, placeOf } from '../model/threads';
import type { Channel, Forward, Line, Name, Prefs, Section, SentPlace, Settings, Status } from '../model/types';
import type { Store } from '../store';
import { Activity } from './activity';
import { Arrivals } from './arrivals';
import { attentive, pauseOrWake, timers } from './browser';
import { Changes } from './changes';
import { Composing } from './composing';
import { Drafts } from './drafts';
import { watchEnds } from './ends';
import { Greeting } from './greeting';
import { GroupLists } from './groups';
import { Interest } from './interest';
import { Keeps } from './keeps';
import { Lines } from './lines';
import { browserLadder } from './link';
import { Loader } from './loader';
import { loadDrafts, shelf } from './local';
import { Opening } from './opening';
import { Outbox } from './outbox';
import { Own } from './own';
import { watchPage } from './page';
import { Quotes } from './quotes';
import { Reader } from './reader';
import { Reading } from './reading';
import { Resets } from './resets';
import { Sender } from './sender';
import { Session } from './session';
import { livingTabs } from './tabs';
import { Threads } from './threads';
import { Typist } from './typist';
import type { UploadHooks } from './uploads_browser';
import { uploadShelf } from './upload_shelf';
import { LaterUploads } from './uploads_later';

const POST_IN = 20_000; // ms

export interface ClientHooks {
	/* A channel went away while it may be on the screen: we left, or were removed. */
	left(channel: Channel): void;
	/* Somebody with a role did something that concerns us, or there is a report. */
	told(line: Line): void;
	/* Something that was shown at once did not work. */
	failed?(e: unknown): void;
	/* The message that was to be gone to is not there. */
	notFound(): void;
	/* A part of the client that somebody waits for could not be loaded. */
	partFailed?(): void;
}

export class Client {
	readonly instance = crypto.randomUUID();
	/* What it follows by, and what becomes of it. */
	readonly ladder: Ladder;
	readonly lines: Lines;
	readonly greeting: Greeting;
	readonly resets: Resets;
	readonly session: Session;
	readonly loader: Loader;
	readonly ops: Ops;
	/* What is looked at and read. */
	readonly opening: Opening;
	readonly interest: Interest;
	readonly reader: Reader;
	readonly reading: Reading;
	readonly arrivals: Arrivals;
	readonly keeps: Keeps;
	readonly groups: GroupLists;
	readonly threads: Threads;
	/* What is written. */
	readonly composing: Composing;
	readonly drafts: Drafts;
	readonly quotes: Quotes;
	readonly uploads: LaterUploads;
	readonly outbox: Outbox;
	readonly sender: Sender;
	readonly changes: Changes;
	/* How one is. */
	readonly own: Own;
	readonly activity: Activity;
	readonly typist: Typist;
	/* Set by the view: whether the end of the open channel is on the screen. */
	atBottom = true;
	hooks: ClientHooks = { left: () => {}, told: () => {}, notFound: () => {} };
	stopped = false;
	private undo: (() => void)[] = [];

	constructor(readonly store: Store) {
		const me = () => myId(store.get());
		const live = () => this.ladder.state === 'live';
		const over = () => this.session.end('ended');
		const failed = (e: unknown) => (e instanceof ApiError && e.status === 401 ? this.session.probe() : this.hooks.failed?.(e));
		const people = (ids: readonly number[]) => this.loader.needUsers(ids);

		this.session = new Session(this);
		this.loader = new Loader(store, () => this.session.probe());
		this.greeting = new Greeting(store, this.loader);
		this.resets = new Resets(this);
		this.lines = new Lines(this);
		this.ladder = browserLadder({
			store,
			instance: this.instance,
			owner: () => this.session.owner(),
			known: () => ({ reads: this.reading.known(), drafts: this.drafts.known() }),
			wants: () => this.interest.wants(),
			onLines: (lines) => this.lines.take(lines),
			onLive: () => this.onLive(),
			onLost: (anew) => this.resets.lost(anew),
			onFailed: () => this.session.probe(),
			onStop: (reason) => this.session.end(reason === 'deactivated' ? 'deactivated' : 'ended'),
		});
		this.ops = new Ops({
			...timers,
			send: (op) => this.ladder.send(op),
			// What was seen is told though the page goes meanwhile.
			post: (ops) => postOps((u, i) => fetch(u, { ...i, keepalive: true, signal: AbortSignal.timeout(POST_IN) }), ops),
		});
		const ask = (op: object) => this.ops.ask(op);

		this.opening = new Opening(this);
		this.interest = new Interest({ ...timers, changed: () => this.ladder.want() });
		this.reader = new Reader(store, ask, live);
		this.reading = new Reading(this);
		this.arrivals = new Arrivals({
			...timers,
			ask,
			live,
			shelf,
			user: me,
			alone: navigator.locks ? (f) => navigator.locks.request(`pulsechat-arrivals ${this.session.owner()}`, f) : null,
		});
		this.keeps = new Keeps({
			store,
			people,
			pins: async (id) => (await api.pins(id)).data,
			pin: async (id, seq, on) => (await api.pin(id, seq, on)).data,
			saved: async () => (await api.saved()).data,
			save: async (id, seq, on) => (await api.save(id, seq, on)).data,
		});
		this.groups = new GroupLists({ store, page: async (after) => (await groupsApi.list(after)).data });
		this.threads = new Threads(store, this.loader, failed);

		this.composing = new Composing(this);
		this.drafts = new Drafts({
			...timers,
			store,
			shelf,
			user: me,
			live,
			put: async (place, draft) => (await api.setDraft(placeOf(place), draft)).data,
			drop: async (place, version) => (await api.dropDraft(placeOf(place), version)).data,
			get: async (place) => (await api.draft(placeOf(place))).data,
			show: (place, text, reply_to) => {
				this.quotes.show(place, reply_to);
				this.composing.putDraft(place, text);
			},
			showFiles: (place, files) => this.uploads.showDraft(placeOf(place), files),
		});
		this.quotes = new Quotes({
			store,
			shelf,
			people,
			user: me,
			get: async (id, seq) => (await api.message(id, seq)).data,
			touched: (place) => this.drafts.touch(place),
		});
		const hooks: UploadHooks = {
			onSessionOver: over,
			onReady: () => this.sender.pump(),
			onDraft: (channel, thread) => this.drafts.filesChanged(placeKey(channel, thread)),
		};
		this.uploads = new LaterUploads({
			load: () => import('./uploads_browser').then((m) => m.browserUploads(store, this.instance, hooks)),
			shelf: uploadShelf,
			living: livingTabs,
			onFailed: () => this.hooks.partFailed?.(),
		});
		this.outbox = new Outbox(this);
		this.sender = new Sender({
			...timers,
			store,
			instance: this.instance,
			sendOp: (op) => this.ladder.send(op),
			post: async (channel, id, body, place) => (await api.send(channel, id, body, place)).data,
			online: () => navigator.onLine,
			random: Math.random,
			onSessionOver: over,
		});
		this.changes = new Changes(store, failed);

		this.own = new Own(store, this.loader);
		this.activity = new Activity({
			now: timers.now,
			tell: (what) => this.ladder.input(what),
			takenForAway: () => store.get().presence[me()]?.state === 'away',
			isSetAway: () => shelf.get(this.awayKey()) !== null,
			setAway: (on) => {
				shelf.set(this.awayKey(), on ? '1' : null);
				store.dispatch({ type: 'away', on });
			},
		});
		this.typist = new Typist({ ...timers, tell: (place) => this.composing.tellTyping(place) });
	}

	awayKey(): string {
		return `away:${myId(this.store.get())}`;
	}

	/* --- life --- */

	/* Loads what the first screen needs, then follows. Tries until it works, or until there is no session. */
	async start(): Promise<void> {
		for (let n = 0; !this.stopped; n++) {
			try {
				const [site, me, cursor] = await Promise.all([api.site(), api.me(), this.loader.channels()]);
				await this.loader.sidebar(); // behind the cursor: what it does not show yet comes by event
				this.store.dispatch({ type: 'site', site: site.data });
				this.store.dispatch({ type: 'me', me: me.data });
				return this.begin(cursor);
			} catch (e) {
				if (e instanceof ApiError && e.status === 401) return this.session.end('signed_out');
				if (e instanceof ApiError && e.status === 403) return this.session.end('deactivated');
				this.store.dispatch({ type: 'phase', phase: 'unreachable' });
				await pauseOrWake(Math.min(15_000, 1_000 * 2 ** n) * (0.5 + Math.random() / 2));
			}
		}
	}

	private begin(cursor: string | null): void {
		this.store.dispatch({ type: 'drafts', drafts: loadDrafts(shelf, myId(this.store.get())) });
		this.quotes.begin();
		this.drafts.begin();
		this.undo.push(watchPage(this));
		this.store.dispatch({ type: 'phase', phase: 'ready' });
		this.store.dispatch({ type: 'away', on: shelf.get(this.awayKey()) !== null });
		this.undo.push(watchEnds(this.store, timers));
		void this.loader.settings();
		this.threads.loadFollowed();
		this.greeting.askLimits();
		this.greeting.tellZone();
		this.ladder.start(cursor);
		this.undo.push(this.outbox.begin());
		this.uploads.begin();
		this.opening.begin();
	}

	private onLive(): void {
		this.activity.onLive();
		this.greeting.askSelf();
		if (!this.store.get().settings) void this.loader.settings();
		this.outbox.adopt();
		this.greeting.askLimits();
		this.sender.onLive();
		this.drafts.onLive();
		this.uploads.wake();
		this.ops.onLive();
		this.reader.flush();
		this.reading.tellArrivals();
	}

	stop(): void {
		this.stopped = true;
		this.ladder.pause();
		this.sender.stop();
		this.uploads.stop();
		this.reader.stop();
		this.reading.stop();
		this.drafts.stop();
		this.threads.stop();
		this.arrivals.stop();
		this.ops.stop();
		this.loader.stop();
		this.greeting.stop();
		this.interest.stop();
		this.typist.stop();
		for (const f of this.undo.splice(0)) f();
	}

	/* --- what views may do; each word stands with the part that does it --- */

	open(id: number | null, at: number | null = null): void {
		this.opening.open(id, at);
	}
	/* What is drawn before it is opened does not count: where the new messages begin is found out first. */
	isOpen(channel: number): boolean {
		return this.opening.current === channel;
	}
	attentive(): boolean {
		return attentive();
	}
	seen(channel: number, seq: number): void {
		this.reading.seen(channel, seq);
	}
	markRead(channel: number): void {
		this.reading.markRead(channel);
	}
	markUnread(channel: number, seq: number): Promise<void> {
		return this.reading.markUnread(channel, seq);
	}
	typed(channel: number, text: string, thread?: number): void {
		this.composing.typed(channel, text, thread);
	}
	setDraft(channel: number, text: string, thread?: number): void {
		this.composing.setDraft(channel, text, thread);
	}
	send(channel: number, text: string, mentions: Name[] = [], place: SentPlace = {}): void {
		this.composing.send(channel, text, mentions, place);
	}
	forward(channel: number, text: string, mentions: Name[], forward: Forward): void {
		this.composing.forward(channel, text, mentions, forward);
	}
	discard(client_id: string): void {
		this.composing.discard(client_id);
	}
	took(c: Channel): void {
		this.own.took(c);
	}
	changeSettings(change: Partial<Settings>): Promise<void> {
		return this.own.changeSettings(change);
	}
	setStatus(status: Status | null): Promise<void> {
		return this.own.setStatus(status);
	}
	setReceipts(channel: number, on: boolean): Promise<void> {
		return this.own.setReceipts(channel, on);
	}
	setPrefs(channel: number, change: Partial<Omit<Prefs, 'version'>>): Promise<void> {
		return this.own.setPrefs(channel, change);
	}
	arrange(sections: readonly Section[]): Promise<void> {
		return this.own.arrange(sections);
	}
	leave(channel: number): Promise<void> {
		return this.own.leave(channel);
	}
	signOut(): Promise<void> {
		return this.session.signOut();
	}
}
