// The client: starts it all, follows the events, and offers views what they may do. Owns ladder, sender, reader, loader.
//
// Start: the list of own channels is the first load, and its cursor is where following begins. Everything else is asked
// for after it, so it can only be newer, and the version rule makes the overlap harmless.
import { postOps } from '../net/answers';
import { api, ApiError } from '../net/api';
import { Ladder } from '../net/ladder';
import { Ops } from '../net/ops';
import { sharedTransport, type ShareEnv } from '../net/share';
import { pollOnce, pollTransport, type PollEnv } from '../net/transport_poll';
import { sseTransport } from '../net/transport_sse';
import type { Transport } from '../net/transport';
import { wsTransport } from '../net/transport_ws';
import { hasGap } from '../model/log';
import { peopleOf } from '../model/quotes';
import { isAside, placeKey, placeOf, readUpto } from '../model/threads';
import { limitsOfFiles } from '../model/uploads';
import { myId, peersOf } from '../model/state';
import { markOf, readVersions, setsBack, unreadOf } from '../model/unread';
import type { Channel, Forward, Line, Message, Name, OwnMarks, Pending, Pins, Prefs, Section, SentPlace, Settings, Status, User } from '../model/types';
import type { Store } from '../store';
import { Activity } from './activity';
import { Arrivals } from './arrivals';
import { Changes } from './changes';
import { Drafts } from './drafts';
import { watchEnds } from './ends';
import { Interest } from './interest';
import { groupsApi } from '../net/groups';
import { GroupLists } from './groups';
import { Keeps } from './keeps';
import { Loader } from './loader';
import { dropPending, forgetPerson, loadDrafts, loadOutbox, recallRung, rememberRung, saveDraft, savePending, shelf } from './local';
import { Quotes } from './quotes';
import { Reader } from './reader';
import { Sender } from './sender';
import { holdTab, livingTabs } from './tabs';
import { Threads } from './threads';
import { Typist } from './typist';
import type { Uploads } from './uploads';
import { browserUploads } from './uploads_browser';

const TICK = 1_000;
const KEPT = 200; // messages of a channel that is not looked at
const RELOAD_APART = 60_000;
const UNEQUAL_FOR = 30_000; // ms
const CHECK_APART = 60_000; // ms between two looks at whether the counters are right
const POST_IN = 20_000;
const LINE_IN = 3_000; // ms from an own mark's ack to its line
/* Reasons of a reset that left the log where it was; after any other one it may have gone back. */
const GROWN = new Set(['too old', 'too far behind']);

const timers = {
	now: () => Date.now(),
	setTimeout: (f: () => void, ms: number) => setTimeout(f, ms),
	clearTimeout: (t: unknown) => clearTimeout(t as number),
};

const hidden = () => document.visibilityState === 'hidden';

type Network = EventTarget & { type?: string };
const network = () => (navigator as { connection?: Network }).connection;
const networkKind = () => network()?.type ?? '';

export interface ClientHooks {
	/* A channel went away while it may be on the screen: we left, or were removed. */
	left(channel: Channel): void;
	/* Somebody with a role did something that concerns us, or there is a report. */
	told(line: Line): void;
	/* Something that was shown at once did not work. */
	failed?(e: unknown): void;
	/* The message that was to be gone to is not there. */
	notFound(): void;
}

export class Client {
	readonly instance = crypto.randomUUID();
	readonly loader: Loader;
	readonly reader: Reader;
	readonly arrivals: Arrivals;
	readonly ops: Ops;
	readonly sender: Sender;
	readonly uploads: Uploads;
	readonly ladder: Ladder;
	readonly interest: Interest;
	readonly activity: Activity;
	readonly typist: Typist;
	readonly changes: Changes;
	readonly drafts: Drafts;
	readonly quotes: Quotes;
	readonly keeps: Keeps;
	readonly groups: GroupLists;
	readonly threads: Threads;
	/* Set by the view: whether the end of the open channel is on the screen. */
	atBottom = true;
	hooks: ClientHooks = { left: () => {}, told: () => {}, notFound: () => {} };
	private current: number | null = null;
	private wishedAt: number | null = null; // the message that the open channel was opened at
	private stopped = false;
	private leaving = false;
	private lastOutbox: readonly Pending[] = [];
	private reloading: Promise<void> | null = null;
	private reloadAgain = false;
	private lostAt = -Infinity;
	private letGo = () => {};
	private undo: (() => void)[] = [];

	constructor(readonly store: Store) {
		this.loader = new Loader(store, () => this.probe());
		this.changes = new Changes(store, (e) => (e instanceof ApiError && e.status === 401 ? this.probe() : this.hooks.failed?.(e)));
		this.threads = new Threads(store, this.loader, (e) => (e instanceof ApiError && e.status === 401 ? this.probe() : this.hooks.failed?.(e)));
		this.keeps = new Keeps({
			store,
			pins: async (id) => (await api.pins(id)).data,
			people: (ids) => this.loader.needUsers(ids),
			pin: async (id, seq, on) => (await api.pin(id, seq, on)).data,
			saved: async () => (await api.saved()).data,
			save: async (id, seq, on) => (await api.save(id, seq, on)).data,
		});
		this.groups = new GroupLists({ store, page: async (after) => (await groupsApi.list(after)).data });
		this.drafts = new Drafts({
			...timers,
			store,
			shelf,
			user: () => myId(store.get()),
			live: () => this.ladder.state === 'live',
			put: async (place, draft) => (await api.setDraft(placeOf(place), draft)).data,
			drop: async (place, version) => (await api.dropDraft(placeOf(place), version)).data,
			get: async (place) => (await api.draft(placeOf(place))).data,
			show: (place, text, reply_to) => {
				this.quotes.show(place, reply_to);
				this.putDraft(place, text);
			},
			showFiles: (place, files) => this.uploads.showDraft(placeOf(place), files),
		});
		this.quotes = new Quotes({
			store,
			shelf,
			user: () => myId(store.get()),
			get: async (id, seq) => (await api.message(id, seq)).data,
			people: (ids) => this.loader.needUsers(ids),
			touched: (place) => this.drafts.touch(place),
		});
		this.interest = new Interest({ ...timers, changed: () => this.ladder.want() });
		this.activity = new Activity({
			now: () => Date.now(),
			tell: (what) => this.ladder.input(what),
			takenForAway: () => this.store.get().presence[myId(this.store.get())]?.state === 'away',
			isSetAway: () => shelf.get(this.awayKey()) !== null,
			setAway: (on) => {
				shelf.set(this.awayKey(), on ? '1' : null);
				this.store.dispatch({ type: 'away', on });
			},
		});
		this.typist = new Typist({ ...timers, tell: (place) => this.tellTyping(place) });
		this.ladder = new Ladder({
			now: () => Date.now(),
			setTimeout: (f, ms) => setTimeout(f, ms),
			clearTimeout: (t) => clearTimeout(t as number),
			random: Math.random,
			online: () => navigator.onLine,
			hidden,
			recall: () => recallRung(shelf, networkKind()),
			remember: (m) => rememberRung(shelf, m, networkKind()),
			transports: this.transports(),
			instance: this.instance,
			wants: () => this.interest.wants(),
			onLines: (lines) => this.onLines(lines),
			onState: (state, rung) => {
				const status =
					state === 'live'
						? 'live'
						: state === 'offline'
							? 'offline'
							: state === 'connecting' && !this.wasLive
								? 'connecting'
								: 'reconnecting';
				this.store.dispatch({ type: 'connection', connection: { status, rung } });
				if (state !== 'live') return this.store.dispatch({ type: 'typing/none' });
				this.wasLive = true;
				this.activity.onLive();
				this.askSelf();
				if (!this.store.get().settings) void this.loader.settings();
				this.adopt();
				this.askLimits();
				this.sender.onLive();
				this.drafts.onLive();
				this.uploads.wake();
				this.ops.onLive();
				this.reader.flush();
				this.tellArrivals();
			},
			onLost: (_why, anew) => {
				if (anew) return this.reload(true);
				// Once a minute at most: a server that counts wrongly must not make us load for ever.
				if (Date.now() - this.lostAt < RELOAD_APART) return;
				this.lostAt = Date.now();
				this.reload(false);
			},
			onFailed: () => this.probe(),
			onBetter: () => shelf.set('better', String(Date.now())),
			onStop: (reason) => this.end(reason === 'deactivated' ? 'deactivated' : 'ended'),
		});
		const sendOp = (op: object) => this.ladder.send(op);
		const live = () => this.ladder.state === 'live';
		this.ops = new Ops({
			send: sendOp,
			// What was seen is told though the page goes meanwhile.
			post: (ops) => postOps((u, i) => fetch(u, { ...i, keepalive: true, signal: AbortSignal.timeout(POST_IN) }), ops),
			setTimeout: (f, ms) => setTimeout(f, ms),
			clearTimeout: (t) => clearTimeout(t as number),
		});
		const ask = (op: object) => this.ops.ask(op);
		this.reader = new Reader(store, ask, live);
		this.arrivals = new Arrivals({
			ask,
			live,
			shelf,
			user: () => myId(this.store.get()),
			alone: navigator.locks ? (f) => navigator.locks.request(`pulsechat-arrivals ${this.owner()}`, f) : null,
			setTimeout: (f, ms) => setTimeout(f, ms),
			clearTimeout: (t) => clearTimeout(t as number),
		});
		this.sender = new Sender({
			store,
			instance: this.instance,
			sendOp,
			post: async (channel, id, body, place) => (await api.send(channel, id, body, place)).data,
			online: () => navigator.onLine,
			now: () => Date.now(),
			setTimeout: (f, ms) => setTimeout(f, ms),
			clearTimeout: (t) => clearTimeout(t as number),
			random: Math.random,
			onSessionOver: () => this.end('ended'),
		});
		this.uploads = browserUploads(store, this.instance, {
			onSessionOver: () => this.end('ended'),
			onReady: () => this.sender.pump(),
			onDraft: (channel, thread) => this.drafts.filesChanged(placeKey(channel, thread)),
		});
	}
	private wasLive = false;
	private selfTimer: ReturnType<typeof setTimeout> | undefined;

	private awayKey(): string {
		return `away:${myId(this.store.get())}`;
	}

	private tellTyping(place: string): void {
		const { channel, thread } = placeOf(place);
		const c = this.store.get().channels[channel];
		if (!c?.membership || (c.peer !== null && c.peer === myId(this.store.get()))) return;
		const op = { op: 'typing', channel, ...(thread && { thread }), ...(c.last_seq ? { seq: c.last_seq } : {}) };
		if (!this.ladder.send(op) && this.ladder.state === 'live') postOps((u, i) => fetch(u, i), [op]).catch(() => {});
	}

	private transports(): Transport[] {
		const reads = () => ({ reads: this.readsKnown(), drafts: this.drafts.known() });
		const polls: PollEnv = {
			fetch: (u, i) => fetch(u, i),
			reads,
			now: () => Date.now(),
			random: Math.random,
			hidden,
			setTimeout: (f, ms) => setTimeout(f, ms),
			clearTimeout: (t) => clearTimeout(t),
		};
		const share: ShareEnv = {
			owner: () => this.owner(),
			locks: 'BroadcastChannel' in globalThis ? (navigator.locks ?? null) : null,
			channel: (name) => new BroadcastChannel(name),
			catchUp: (cursor, signal) => pollOnce(polls, cursor, this.instance, signal),
			onLead: () => shelf.set('live', `${this.owner()} ${Date.now()}`),
			hidden,
			now: () => Date.now(),
			random: Math.random,
			setTimeout: (f, ms) => setTimeout(f, ms),
			clearTimeout: (t) => clearTimeout(t),
		};
		// A browser opens six connections to a host, so what takes one for long is taken once for all tabs.
		return [wsTransport(location.origin, reads), sharedTransport(sseTransport(polls), share), sharedTransport(pollTransport(polls), share)];
	}

	/* Whose connection it is: tabs of another session of this browser have their own. */
	private owner(): string | null {
		const { me } = this.store.get();
		return me && `${me.user.id}/${me.session.id}`;
	}

	/* Loads what the first screen needs, then follows. Tries until it works, or until there is no session. */
	async start(): Promise<void> {
		for (let n = 0; !this.stopped; n++) {
			try {
				const [site, me, cursor] = await Promise.all([api.site(), api.me(), this.loader.channels()]);
				await this.loader.sidebar(); // behind the cursor: what it does not show yet comes by event
				this.store.dispatch({ type: 'site', site: site.data });
				this.store.dispatch({ type: 'me', me: me.data });
				this.begin(cursor);
				return;
			} catch (e) {
				if (e instanceof ApiError && e.status === 401) return this.end('signed_out');
				if (e instanceof ApiError && e.status === 403) return this.end('deactivated');
				this.store.dispatch({ type: 'phase', phase: 'unreachable' });
				await this.pauseOrWake(Math.min(15_000, 1_000 * 2 ** n) * (0.5 + Math.random() / 2));
			}
		}
	}

	private pauseOrWake(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const done = () => {
				clearTimeout(timer);
				removeEventListener('online', done);
				removeEventListener('pulsechat-retry', done);
				resolve();
			};
			const timer = setTimeout(done, ms);
			addEventListener('online', done);
			addEventListener('pulsechat-retry', done); // the button of the "cannot reach" page
		});
	}

	private begin(cursor: string | null): void {
		const me = myId(this.store.get());
		this.store.dispatch({ type: 'drafts', drafts: loadDrafts(shelf, me) });
		this.quotes.begin();
		this.drafts.begin();
		this.letGo = holdTab(this.instance);
		this.undo.push(() => this.letGo());
		shelf.set('who', this.owner());
		this.undo.push(this.store.subscribe(() => this.keepOutbox()));
		this.listen();
		this.store.dispatch({ type: 'phase', phase: 'ready' });
		this.store.dispatch({ type: 'away', on: shelf.get(this.awayKey()) !== null });
		this.undo.push(watchEnds(this.store, timers));
		void this.loader.settings();
		this.threads.loadFollowed();
		this.askLimits();
		this.tellZone();
		this.ladder.start(cursor);
		this.adopt();
		// A tab that was just reloaded may seem alive for a moment.
		const later = setTimeout(() => this.adopt(), 1_500);
		this.undo.push(() => clearTimeout(later));
		if (this.current !== null) this.open(this.current, this.wishedAt);
	}

	private listen(): void {
		const on = (target: EventTarget, type: string, f: (e: Event) => void) => {
			target.addEventListener(type, f);
			this.undo.push(() => target.removeEventListener(type, f));
		};
		const wake = (changed = false) => {
			this.ladder.wake(changed);
			this.sender.pump();
			if (changed) this.uploads.wake();
		};
		on(window, 'online', () => wake(true));
		on(window, 'offline', () => this.ladder.wentOffline());
		on(document, 'visibilitychange', () => {
			this.interest.hidden(hidden());
			if (hidden()) return this.reader.flush();
			wake();
			this.checkUnread();
		});
		const input = () => this.activity.input();
		for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus']) {
			addEventListener(type, input, { capture: true, passive: true });
			this.undo.push(() => removeEventListener(type, input, { capture: true }));
		}
		const net = network();
		let kind = networkKind();
		if (net)
			on(net, 'change', () => {
				// It also tells each new guess at the speed.
				if (kind !== networkKind()) wake(true);
				kind = networkKind();
			});
		// A frozen page hears nothing: another tab is to keep the connection, and the server is not to fill a pipe.
		on(document, 'freeze', () => this.ladder.pause());
		on(document, 'resume', () => {
			this.ladder.resume();
			wake();
		});
		on(window, 'storage', (e) => this.heardFromTab(e as StorageEvent));
		// A page in the back-forward cache may hold no link; it is opened again when the page comes back.
		on(window, 'pagehide', () => {
			this.reader.flush();
			this.ops.flush();
			this.sayLeave();
			this.ladder.pause();
			this.letGo();
		});
		on(window, 'pageshow', (e) => {
			if (!(e as PageTransitionEvent).persisted) return;
			this.letGo = holdTab(this.instance);
			this.ladder.resume();
			this.sender.pump();
		});
		const tick = setInterval(() => {
			this.ladder.tick();
		}, TICK);
		this.undo.push(() => clearInterval(tick));
	}

	private heardFromTab(e: StorageEvent): void {
		if (e.key === `pulsechat:${this.awayKey()}`) {
			this.store.dispatch({ type: 'away', on: e.newValue !== null });
			this.activity.heard();
		} else if (e.key === 'pulsechat:live' && e.newValue?.startsWith(`${this.owner()} `)) this.ladder.shared();
		else if (e.key === 'pulsechat:better') this.ladder.better();
		else if (e.key === 'pulsechat:who' && e.newValue !== this.owner()) void this.whoAmI();
	}

	/* How others see us is told when it changes; so what it was before has to be asked for. Not by all at once that have lost the
	 * same server. */
	private askSelf(): void {
		const first = !this.store.get().presence[myId(this.store.get())];
		clearTimeout(this.selfTimer);
		this.selfTimer = setTimeout(() => void this.loader.presence([myId(this.store.get())]), first ? 0 : Math.random() * 3_000);
	}

	/* Of a socket the server sees the end by itself. */
	private sayLeave(): void {
		if (!this.ladder.leaves) return;
		navigator.sendBeacon?.('/api/v1/presence/leave', JSON.stringify({ instance: this.instance }));
	}

	/* Not each link says them; what it has said, or this, is good until the page is loaded anew. */
	private askLimits(): void {
		if (this.limitsKnown) return;
		this.limitsKnown = true;
		api.limits().then(
			({ data }) => this.tookLimits(data),
			() => (this.limitsKnown = false), // with the next link
		);
	}
	private limitsKnown = false;

	private tookLimits(limits: Record<string, unknown>): void {
		const { message_chars, edit_window, reactions, emoji } = limits; // a link need not say all of them
		this.store.dispatch({
			type: 'limits',
			limits: {
				...(typeof message_chars === 'number' ? { message_chars } : {}),
				...(typeof edit_window === 'number' ? { edit_window } : {}),
				...(typeof reactions === 'number' ? { reactions } : {}),
				...(typeof emoji === 'string' ? { emoji } : {}),
				...limitsOfFiles(limits),
			},
		});
	}

	/* Others see the time where one is. */
	private tellZone(): void {
		const { me } = this.store.get();
		const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
		if (!me || me.user.time_zone === undefined || !here || here === me.user.time_zone) return;
		api.changeMe({ time_zone: here }).catch(() => {}); // at the next start
	}

	/* Somebody has signed in in another tab: our requests bear that session now. */
	private async whoAmI(): Promise<void> {
		const { data } = await api.me().catch(() => ({ data: null }));
		const held = this.store.get().me;
		if (!data || !held || this.stopped) return;
		if (data.user.id !== held.user.id) return this.end('ended');
		if (data.session.id === held.session.id) return;
		this.store.dispatch({ type: 'me', me: data });
		if (this.ladder.state === 'idle') return;
		this.ladder.pause();
		this.ladder.resume();
	}

	/* --- following --- */

	private onLines(lines: Line[]): void {
		// The cookie is another person's by now.
		if (lines.some((l) => l.type === 'hello' && typeof l.user === 'number' && l.user !== myId(this.store.get()))) return this.end('ended');
		let batch: Line[] = [];
		const versions = readVersions(this.store.get());
		const flush = () => {
			if (batch.length) this.store.dispatch({ type: 'lines', lines: batch });
			batch = [];
		};
		const me = myId(this.store.get());
		const touched = new Set<number>();
		const after: (() => void)[] = [];
		for (const line of lines) {
			switch (line.type) {
				case 'typing':
					this.loader.needUsers((line.users as number[] | undefined) ?? []);
					batch.push({ ...line, at: Date.now() });
					continue;
				case 'hello': {
					if (line.limits) this.tookLimits(line.limits as Record<string, unknown>);
					break;
				}
				case 'reset':
					flush();
					this.reload(!GROWN.has(String(line.reason)));
					break;
				case 'message': {
					const m = line as unknown as Message;
					touched.add(m.channel);
					this.moveLine(m);
					this.loader.needUsers(peopleOf(m));
					if (m.sender !== me) after.push(() => this.arrived(m.channel, m.seq));
					break;
				}
				case 'message.updated':
					touched.add(line.channel as number);
					this.loader.needUsers(peopleOf(line as unknown as Message));
					break;
				case 'message.deleted':
					touched.add(line.channel as number);
					break;
				case 'channel.updated':
					this.loader.changed((line.channel as Channel).id);
					break;
				case 'member.joined':
					if (line.user === me)
						after.push(() => {
							void this.loader.channel(line.channel as number);
							this.threads.loadFollowed();
							this.keeps.joined();
						});
					else {
						this.loader.needUsers([line.user as number]);
						this.loader.changed(line.channel as number);
						after.push(() => this.loader.refreshSoon(line.channel as number));
					}
					break;
				case 'member.updated':
					this.loader.needUsers([line.user as number]);
					// An answer that was asked for before may tell of the role that was.
					if (line.user === me) after.push(() => void this.loader.channel(line.channel as number));
					break;
				case 'user.updated': {
					// What a guest may know of is another world.
					const u = line.user as User;
					const before = this.store.get().me?.user.role;
					if (u.id === me && (before === 'guest') !== (u.role === 'guest')) after.push(() => this.reload(false));
					break;
				}
				case 'moderated':
				case 'report.created':
				case 'report.answered':
					after.push(() => this.hooks.told(line));
					break;
				case 'member.left':
					if (line.user === me) {
						this.loader.left(line.channel as number);
						const gone = this.store.get().channels[line.channel as number];
						if (gone) after.push(() => this.hooks.left(gone));
					} else {
						this.loader.changed(line.channel as number);
						after.push(() => this.loader.refreshSoon(line.channel as number));
					}
					break;
				case 'read':
					touched.add(line.channel as number);
					if (line.channel !== this.current) break;
					flush(); // the lines before it
					if (setsBack(this.store.get(), line.channel as number, line as unknown as OwnMarks))
						after.push(() => this.heedMark(line.channel as number));
					break;
				case 'draft':
					after.push(() => this.drafts.onLine(line));
					break;
				case 'pins.updated':
					this.loader.needUsers((line as unknown as Pins).pins.map((p) => p.by));
					break;
				case 'saved.updated':
					this.keeps.onSaved(line);
					break;
				case 'reads':
					this.loader.needUsers((line.reads as { user: number }[]).map((r) => r.user));
					break;
				case 'session.revoked': {
					const mine = this.store.get().me?.session.id;
					if (line.session === null || line.session === mine) after.push(() => this.end('ended'));
					break;
				}
				case 'ack':
					this.sender.onAck(line);
					this.ops.onAnswer(line);
					break;
				case 'error':
					this.sender.onError(line);
					this.ops.onAnswer(line);
					break;
			}
			batch.push(line);
		}
		flush();
		if (lines.some((l) => l.type === 'read') && readVersions(this.store.get()) === versions) {
			this.unequal = versions;
			this.unequalUntil = Date.now() + UNEQUAL_FOR;
		}
		for (const id of touched) {
			const log = this.store.get().logs[id];
			if (log && hasGap(log)) this.loader.fill(id);
			this.loader.settleSoon(id);
		}
		this.threads.heard(lines);
		for (const f of after) f();
		if (lines.some((l) => l.type === 'draft')) this.drafts.heard();
	}

	/* Something in the open channel was marked as unread, here or on another device: what is on the screen does not undo it. */
	private heedMark(id: number): void {
		const c = this.store.get().channels[id];
		const from = c?.membership?.unread_from ?? null;
		if (!c || from === null || this.current !== id) return;
		this.reader.keep(id);
		this.store.dispatch({ type: 'line', channel: id, after: from - 1 });
	}

	/* --- arrived, and read elsewhere --- */

	private arrived(id: number, seq: number): void {
		const c = this.store.get().channels[id];
		if (c?.kind === 'direct' && c.peer !== myId(this.store.get()) && c.membership?.read_receipts !== false) this.arrivals.arrived(id, seq);
	}

	/* What came while no link was there. */
	private tellArrivals(): void {
		for (const c of Object.values(this.store.get().channels)) if (unreadOf(c)) this.arrived(c.id, c.last_seq);
		this.arrivals.flush();
	}

	/* What the server compares with its own, so that no `read` line is missed. Null for a while where the lines that it tells
	 * because of it do not make them equal: it would tell them again and again. */
	private readsKnown(): number | null {
		const sum = readVersions(this.store.get());
		return sum === this.unequal && Date.now() < this.unequalUntil ? null : sum;
	}
	private unequal = -1;
	private unequalUntil = 0;

	/* Somebody looks again: what counts otherwise on the server, for whatever reason, is loaded. */
	private checkUnread(): void {
		if (this.store.get().phase !== 'ready' || this.ladder.state !== 'live' || Date.now() - this.checkedAt < CHECK_APART) return;
		this.checkedAt = Date.now();
		void this.loader.checkUnread();
	}
	private checkedAt = 0;

	/* Where all had been read and nobody looks, the "new messages" line goes above what comes now. */
	private moveLine(m: Message): void {
		const s = this.store.get();
		const c = s.channels[m.channel];
		if (m.channel !== this.current || !c?.membership || m.sender === myId(s) || isAside(m) || m.seq <= c.last_seq) return;
		if (this.attentive() && this.atBottom) return;
		if (markOf(c) >= c.last_seq) this.store.dispatch({ type: 'line', channel: c.id, after: c.last_seq });
	}

	/* A message of the channel is on the screen. */
	seen(channel: number, seq: number): void {
		if (!this.isOpen(channel) || !this.attentive()) return;
		const s = this.store.get();
		const log = s.logs[channel];
		const after = s.lines[channel];
		// The new ones begin above what is loaded: those have been on no screen, and to read on from the end would be to read them all.
		if (after !== undefined && log?.hasBefore && (log.messages[0]?.seq ?? 0) > after + 1) return;
		this.reader.seen(channel, log && !log.hasAfter ? readUpto(log, seq) : seq);
	}

	/* What is drawn before it is opened does not count: where the new messages begin is found out first. */
	isOpen(channel: number): boolean {
		return this.current === channel;
	}

	attentive(): boolean {
		return document.visibilityState === 'visible' && document.hasFocus();
	}

	/* After a reset: nothing that is held is to be trusted, where the log went back (`anew`) not even its versions. Loads
	 * the lists and what is open; tries until it works. */
	private reload(anew: boolean): void {
		this.reloadAgain = true;
		if (anew) {
			this.store.dispatch({ type: 'distrust' });
			this.arrivals.forget();
			this.keeps.distrust();
			this.drafts.distrust(Object.keys(this.store.get().channels).map(Number));
			this.sender.pump();
		}
		this.store.dispatch({ type: 'log/reset', keep: this.current });
		this.reloading ??= this.reloadNow().finally(() => (this.reloading = null));
	}

	private async reloadNow(): Promise<void> {
		this.store.dispatch({ type: 'connection', connection: { catchingUp: true } });
		for (let n = 0; this.reloadAgain && !this.stopped; n++) {
			this.reloadAgain = false;
			try {
				await this.loader.channels();
				if (this.current !== null && this.store.get().channels[this.current]) await this.loader.newest(this.current, 100);
				this.loader.needUsers(Object.keys(this.store.get().users).map(Number), true);
				void this.loader.settings();
				if (this.current !== null) this.keeps.open(this.current);
				this.threads.loadFollowed(true);
				void this.groups.load(true);
				void this.loader.sidebar();
			} catch (e) {
				if (e instanceof ApiError && e.status === 401) return this.end('ended');
				this.reloadAgain = true;
				await this.pauseOrWake(Math.min(15_000, 500 * 2 ** n));
			}
		}
		this.store.dispatch({ type: 'connection', connection: { catchingUp: false } });
	}

	/* --- what views may do --- */

	/* Shows a channel: loads what is missing, and sets the line above what is unread; at: begins at that message. */
	open(id: number | null, at: number | null = null): void {
		if (this.current !== null && this.current !== id) {
			this.reader.release(this.current);
			this.store.dispatch({ type: 'log/trim', channel: this.current, to: KEPT });
			this.store.dispatch({ type: 'reads/forget', channel: this.current });
		}
		const again = this.current === id;
		if (!again) this.typist.stop();
		this.current = id;
		this.wishedAt = at;
		const s = this.store.get();
		this.interest.open(id !== null && s.channels[id] ? id : null);
		if (id === null || s.phase !== 'ready') return;
		const c = s.channels[id];
		if (!c) return void this.look(id);
		if (s.preview || s.missing !== null) this.store.dispatch({ type: 'preview', channel: null });
		if (!again || at === null) this.store.dispatch({ type: 'line', channel: id, after: unreadOf(c) > 0 ? markOf(c) : null });
		if (at !== null) void this.goTo(id, at);
		else if (s.logs[id]?.status !== 'ready') this.loader.newest(id).catch(() => {}); // the view shows the failure
		this.loader.needUsers(peersOf(this.store.get(), c));
		this.keeps.open(id);
		void this.groups.load();
	}

	/* To a message of the channel that is open. */
	private async goTo(id: number, seq: number): Promise<void> {
		let there = false;
		try {
			there = await this.loader.around(id, seq);
		} catch {
			// said below
		}
		if (this.current !== id) return;
		if (there) return this.store.dispatch({ type: 'target', target: { channel: id, seq } });
		this.hooks.notFound();
		if (this.store.get().logs[id]?.status !== 'ready') this.loader.newest(id).catch(() => {});
	}

	/* A channel that is not ours: a public one can be looked at and joined. */
	private async look(id: number): Promise<void> {
		const c = await this.loader.channel(id, 2);
		if (this.current !== id) return;
		if (c?.membership) this.open(id);
		else this.store.dispatch(c ? { type: 'preview', channel: c } : { type: 'preview', channel: null, missing: id });
	}

	/* Takes a channel that an answer brought into the list. */
	took(c: Channel): void {
		this.store.dispatch({ type: 'channel', channel: c });
		this.loader.needUsers(peersOf(this.store.get(), c));
	}

	send(channel: number, text: string, mentions: Name[] = [], place: SentPlace = {}): void {
		const client_id = crypto.randomUUID();
		const files = this.uploads.attach(channel, client_id, place.thread);
		const reply_to = this.quotes.take(placeKey(channel, place.thread));
		this.post({ ...place, client_id, channel, text, ...(files ? { files } : {}), ...(reply_to ? { reply_to } : {}) }, mentions);
		if (!place.thread) this.store.dispatch({ type: 'line', channel, after: null });
		this.putDraft(placeKey(channel, place.thread), '');
		this.drafts.sent(placeKey(channel, place.thread));
		this.typist.stop();
	}

	/* With a comment, which may be none. */
	forward(channel: number, text: string, mentions: Name[], forward: Forward): void {
		this.post({ client_id: crypto.randomUUID(), channel, text, forward }, mentions);
	}

	private post(what: Omit<Pending, 'at' | 'owner' | 'state'>, mentions: Name[]): void {
		const item: Pending = { ...what, at: Date.now(), owner: this.instance, state: 'queued' };
		if (mentions.length) item.mentions = mentions;
		// Two within a millisecond keep their order.
		const last = this.store.get().outbox.at(-1);
		if (last && last.at >= item.at) item.at = last.at + 1;
		this.store.dispatch({ type: 'outbox/add', items: [item] });
		this.activity.wrote();
		this.sender.pump();
	}

	discard(client_id: string): void {
		for (const f of this.store.get().outbox.find((p) => p.client_id === client_id)?.files ?? []) this.uploads.cancel(f.upload);
		this.store.dispatch({ type: 'outbox/drop', client_id });
		this.sender.pump();
	}

	/* By hand. */
	setDraft(channel: number, text: string, thread?: number): void {
		const place = placeKey(channel, thread);
		if ((this.store.get().drafts[place] ?? '') === text) return;
		this.putDraft(place, text);
		this.drafts.touch(place);
	}

	private putDraft(place: string, text: string): void {
		this.store.dispatch({ type: 'draft', place, text });
		saveDraft(shelf, myId(this.store.get()), place, text);
	}

	/* By the keyboard, into the composer. */
	typed(channel: number, text: string, thread?: number): void {
		this.setDraft(channel, text, thread);
		if (text.trim()) this.typist.key(placeKey(channel, thread));
		else this.typist.stop();
	}

	/* Throws what went wrong. */
	async changeSettings(change: Partial<Settings>): Promise<void> {
		this.tookSettings((await api.changeSettings(change)).data);
	}

	async setStatus(status: Status | null): Promise<void> {
		const { emoji, text, until } = status ?? {};
		const said = { ...(emoji ? { emoji } : {}), ...(text ? { text } : {}), ...(until ? { until } : {}) };
		this.tookSettings((await (emoji || text ? api.setStatus(said) : api.clearStatus())).data);
	}

	private tookSettings(settings: Settings | null): void {
		if (typeof settings?.version === 'number') this.store.dispatch({ type: 'settings', settings });
		else void this.loader.settings();
	}

	/* Esc: all is read, and the line goes. */
	markRead(channel: number): void {
		const c = this.store.get().channels[channel];
		if (!c) return;
		this.reader.release(channel);
		this.reader.seen(channel, c.last_seq);
		this.reader.flush();
		this.store.dispatch({ type: 'line', channel, after: null });
	}

	/* From this message on all is unread, until the channel is left and opened again. */
	async markUnread(channel: number, seq: number): Promise<void> {
		this.reader.keep(channel);
		this.store.dispatch({ type: 'unread', channel, from: seq });
		this.store.dispatch({ type: 'line', channel, after: seq - 1 });
		try {
			await this.ops.ask({ op: 'unread', channel, seq });
		} catch (e) {
			this.reader.release(channel);
			this.store.dispatch({ type: 'unread/undo', channel });
			throw e;
		}
		// Its line may be lost.
		const later = setTimeout(() => {
			if (this.store.get().counts[channel]?.local)
				void this.loader.channel(channel, 1).then(() => this.store.dispatch({ type: 'unread/undo', channel }));
		}, LINE_IN);
		this.undo.push(() => clearTimeout(later));
	}

	/* Whether others see how far one has read in this channel. */
	async setReceipts(channel: number, on: boolean): Promise<void> {
		this.took((await api.setReceipts(channel, on)).data);
	}

	/* What one wants of a channel; throws what went wrong. */
	async setPrefs(channel: number, change: Partial<Omit<Prefs, 'version'>>): Promise<void> {
		const { data } = await api.setPrefs(channel, change);
		this.store.dispatch({ type: 'prefs', channel, prefs: data });
	}

	/* The side bar in another order; shows at once. One change after the other, each on top of what the one before has come to. */
	arrange(sections: readonly Section[]): Promise<void> {
		const held = () => this.store.get().sidebar?.version ?? 0;
		this.store.dispatch({ type: 'sidebar', sidebar: { sections, version: held() }, force: true });
		const turn = this.arranging.then(async () => {
			const { data } = await api.arrange({ sections, version: held() });
			this.store.dispatch({ type: 'sidebar', sidebar: data });
		});
		this.arranging = turn.catch(() => this.loader.sidebar(true));
		return turn;
	}
	private arranging = Promise.resolve();

	async leave(channel: number): Promise<void> {
		await api.leave(channel);
		this.store.dispatch({ type: 'channel/left', channel });
	}

	async signOut(): Promise<void> {
		this.leaving = true; // the news that the session has ended is no surprise
		const { data } = await api.logout().finally(() => (this.leaving = false));
		forgetPerson(shelf, myId(this.store.get()));
		await this.uploads.forget(myId(this.store.get()));
		this.stop();
		location.assign(data?.redirect || '/sign-in');
	}

	/* --- the end --- */

	/* A 401 from somewhere: the session is over, unless the server says otherwise when asked. */
	private probe(): void {
		api.me().catch((e: unknown) => {
			if (e instanceof ApiError && e.status === 401) this.end('ended');
		});
	}

	private end(phase: 'signed_out' | 'ended' | 'deactivated'): void {
		if (this.stopped || this.leaving) return;
		this.stop();
		this.store.dispatch({ type: 'phase', phase });
	}

	stop(): void {
		this.stopped = true;
		this.ladder.pause();
		this.sender.stop();
		this.uploads.stop();
		this.reader.stop();
		this.drafts.stop();
		this.threads.stop();
		this.arrivals.stop();
		this.ops.stop();
		this.loader.stop();
		clearTimeout(this.selfTimer);
		this.interest.stop();
		this.typist.stop();
		for (const f of this.undo.splice(0)) f();
	}

	/* --- unsent messages over reloads --- */

	private keepOutbox(): void {
		const { outbox } = this.store.get();
		if (outbox === this.lastOutbox) return;
		const me = myId(this.store.get());
		const before = new Map(this.lastOutbox.map((p) => [p.client_id, p]));
		for (const p of outbox) {
			if (p.state === 'acked') dropPending(shelf, me, p.client_id);
			else if (before.get(p.client_id) !== p && p.owner === this.instance) savePending(shelf, me, p);
			before.delete(p.client_id);
		}
		for (const p of before.values()) dropPending(shelf, me, p.client_id);
		this.lastOutbox = outbox;
		this.uploads.settle();
	}

	/* Takes over what a tab that is gone has left unsent. */
	private adopt(): void {
		const me = myId(this.store.get());
		void livingTabs().then((alive) => {
			if (this.stopped) return;
			const mine = loadOutbox(shelf, me).filter((p) => p.owner !== this.instance && !alive.has(p.owner));
			if (mine.length) this.store.dispatch({ type: 'outbox/add', items: mine.map((p) => ({ ...p, owner: this.instance })) });
			void this.uploads.adopt(alive);
			if (mine.length) this.sender.pump();
		});
	}
}
