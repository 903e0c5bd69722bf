// Notifications without a browser: what is to be notified of, what it says, and one notification of a channel for all tabs, which goes when
// its messages are read.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isUndisturbed, verdict } from '../src/model/notify';
import { reduce, type Action } from '../src/model/reduce';
import type { State } from '../src/model/state';
import type { Line, Message, Prefs } from '../src/model/types';
import { createStore, type Store } from '../src/store';
import { Notifier, type Request, type Say } from '../src/sync/notifier';
import { noticeText } from '../src/ui/notify_text';
import { Clock, ME, T0, channel, marks, membership, message, signedIn, user } from './help';

const run = (s: State, ...actions: Action[]): State => actions.reduce(reduce, s);
const lines = (...list: object[]): Action => ({ type: 'lines', lines: list as Line[] });
const prefs = (more: Partial<Prefs> = {}): Prefs => ({ notify: null, quiet_until: null, favourite: false, section: null, version: 1, ...more });
/* #c1 with two messages that are read, and a direct channel 2 with user 7. */
const start = (more: Partial<Prefs> = {}): State =>
	run(
		signedIn(
			channel(1, { last_seq: 2, membership: membership({ last_read_seq: 2 }), prefs: prefs(more) }),
			channel(2, { kind: 'direct', name: null, peer: 7 }),
		),
		{ type: 'users', users: [user(7, { name: 'Ann', handle: 'ann' }), user(8, { name: 'Bo', handle: 'bo' })] },
	);
const said = (seq: number, more: Partial<Message> = {}) => message(1, seq, { created_at: new Date(T0).toISOString(), ...more });
const toMe = (seq: number, more: Partial<Message> = {}) => said(seq, { body: { text: 'you', mentions: [ME] }, ...more });
const event = (m: Message) => ({ type: 'message', ...m });
const own = (following: boolean, seq: number | null = null) => ({ type: 'thread.state', channel: 1, root: 2, following, seq, version: 1 });

describe('what is to be notified of', () => {
	const judged = (s: State, m: Message) => verdict(run(s, lines(event(m))), m);

	test('by the level: mentions of oneself, by a group, of who is here, of the channel, and quotes; or all; or nothing', () => {
		const bodies = {
			plain: { text: 'x' },
			person: { text: 'x', mentions: [ME] },
			other: { text: 'x', mentions: [8] },
			group: { text: 'x', mentions: ['group:4'], reached: { 'group:4': [8, ME] } },
			here: { text: 'x', mentions: ['here'], reached: { here: [ME] } },
			away: { text: 'x', mentions: ['here'], reached: { here: [8] } },
			channel: { text: 'x', mentions: ['channel'] },
			quote: { text: 'x', reply_to: { seq: 1, sender: ME } },
		};
		const loud = (more: Partial<Prefs>) =>
			Object.entries(bodies).flatMap(([k, body]) => (judged(start(more), said(3, { body })) === 'yes' ? [k] : []));
		assert.deepEqual(loud({}), ['person', 'group', 'here', 'channel', 'quote']);
		assert.deepEqual(loud({ notify: 'all' }), Object.keys(bodies));
		assert.deepEqual(loud({ notify: 'nothing' }), []);
		assert.deepEqual(loud({ notify: 'all', quiet_until: 'forever' }), []);
	});

	test('direct messages are, unless they are muted', () => {
		assert.equal(judged(start(), message(2, 1)), 'yes');
		const s = run(start(), { type: 'prefs', channel: 2, prefs: prefs({ quiet_until: 'forever' }) });
		assert.equal(judged(s, message(2, 1)), 'no');
	});

	test('own messages are not, nor what is read or deleted', () => {
		assert.equal(judged(start({ notify: 'all' }), said(3, { sender: ME })), 'no');
		assert.equal(judged(start({ notify: 'all' }), said(3, { deleted: true, body: undefined })), 'no');
		const read = run(start({ notify: 'all' }), lines(event(said(3)), { type: 'read', channel: 1, ...marks({ seq: 3, last_seq: 3, version: 2 }) }));
		assert.equal(verdict(read, said(3)), 'no');
		const here = run(start({ notify: 'all' }), lines(event(said(3))), { type: 'read', channel: 1, seq: 3 });
		assert.equal(verdict(here, said(3)), 'no');
	});

	test('replies are in threads that one follows, until they are read there; and where they name one', () => {
		const reply = said(3, { thread: 2 });
		assert.equal(judged(start(), reply), 'later', 'it is not known yet');
		const none = run(start(), { type: 'threads', threads: [], complete: true });
		assert.equal(judged(none, reply), 'no');
		assert.equal(judged(none, toMe(3, { thread: 2 })), 'yes');
		assert.equal(judged(run(none, lines(own(false))), reply), 'no');
		assert.equal(judged(run(none, lines(own(true, 2))), reply), 'yes');
		assert.equal(judged(run(none, lines(own(true, 3))), reply), 'no', 'read in the thread');
		// That the channel is read says nothing of a thread.
		const channelRead = run(none, lines(own(true, 2), event(reply)), { type: 'read', channel: 1, seq: 3 });
		assert.equal(verdict(channelRead, reply), 'yes');
		const both = said(3, { thread: 2, in_channel: true });
		assert.equal(verdict(run(none, lines(own(true, 2), event(both)), { type: 'read', channel: 1, seq: 3 }), both), 'no');
		assert.equal(judged(run(start({ notify: 'nothing' }), lines(own(true, 2))), reply), 'no');
		assert.equal(judged(run(start({ quiet_until: 'forever' }), lines(own(true, 2))), reply), 'no');
		// All messages are those of the channel's line.
		assert.equal(judged(run(start({ notify: 'all' }), { type: 'threads', threads: [], complete: true }), reply), 'no');
	});

	test('a channel that is on its way is waited for', () => {
		assert.equal(verdict(start(), message(9, 1)), 'later');
	});

	test('do not disturb', () => {
		assert.equal(isUndisturbed(start()), false);
		const settings = { invisible: true, dnd_until: 'forever', status: null, read_receipts: true, version: 1 };
		assert.equal(isUndisturbed(run(start(), { type: 'settings', settings })), true, 'also where nobody sees it');
	});
});

describe('what a notification says', () => {
	const plain = (s: string) => s.replace(/[\u2066-\u2069]/g, '');
	const text = (s: State, messages: Message[], hides = false) => {
		const { title, body } = noticeText(s, messages, hides);
		return [plain(title), plain(body)];
	};
	const body = (b: Message['body'], more: Partial<Message> = {}) => [said(3, { body: b, ...more })];

	test('who and where, and the text as it is said', () => {
		assert.deepEqual(text(start(), body({ text: '**Look** at `x`, [this](https://a.example/)\n> and that :ship:' })), [
			'Ann in #c1',
			'Look at x, this and that :ship:',
		]);
		assert.deepEqual(text(start(), [message(2, 1, { body: { text: '<b>hi</b>' } })]), ['Ann', '<b>hi</b>']);
		assert.equal(text(start(), body({ text: 'a '.repeat(400) }))[1]!.length <= 241, true);
	});

	test('names for handles, a group by its name', () => {
		const ops = { id: 4, handle: 'ops', name: 'Operations', members: 2, version: 1 };
		const s = run(start(), { type: 'groups', groups: [ops], manage: false });
		const [one] = body({ text: 'hey @bo and @ops and @nobody, @channel', mentions: [8, 'group:4', 'channel'] });
		assert.equal(text(s, [one!])[1], 'hey @Bo and @Operations and @nobody, @channel');
	});

	test('files, what was forwarded, replies', () => {
		const facts = { size: 1, type: 'image/jpeg', width: 1, height: 1, duration: null, thumbnail: null };
		const file = (id: number) => ({ id, name: `photo ${id}.jpg`, ...facts });
		assert.equal(text(start(), body({ text: '', files: [file(1)] }))[1], 'photo 1.jpg');
		assert.equal(text(start(), body({ text: 'see', files: [file(1), file(2)] }))[1], 'see\n2 files');
		const forward = { channel: 5, seq: 1, sender: 8, created_at: '', text: '_old_' };
		assert.equal(text(start(), body({ text: 'look', forward }))[1], 'look\nForwarded: old');
		assert.equal(text(start(), body({ text: 'yes' }, { thread: 2 }))[0], 'Ann replied in a thread in #c1');
		assert.equal(text(start(), body({ text: 'yes', reply_to: { seq: 1, sender: ME } }))[0], 'Ann replied to you in #c1');
		assert.equal(text(start(), [message(2, 1, { body: { text: '' } })])[1], 'This message cannot be shown here');
	});

	test('of several how many, and the last', () => {
		assert.deepEqual(text(start(), [said(3), said(4, { sender: 8, body: { text: 'last' } })]), ['2 new messages in #c1', 'Bo: last']);
		assert.deepEqual(text(start(), [message(2, 1), message(2, 2, { body: { text: 'last' } })]), ['2 new messages from Ann', 'last']);
	});

	test('with the text hidden who and where remain', () => {
		assert.deepEqual(text(start(), [said(3)], true), ['Ann in #c1', 'New message']);
		assert.deepEqual(text(start(), [said(3), said(4, { sender: 8 })], true), ['2 new messages in #c1', 'From Ann and Bo']);
		assert.deepEqual(text(start(), [message(2, 1), message(2, 2)], true), ['2 new messages from Ann', '']);
	});
});

/* Tabs of one profile: what they have, what they show, and the lock that one of them holds. */
class Tabs {
	clock = new Clock();
	shown: (Request & { tab: number; open: boolean })[] = [];
	may = true;
	opened: string[] = [];
	private queue: ((on: boolean) => void)[] = [];
	readonly all: { store: Store; notifier: Notifier; looking: boolean; deaf: boolean }[] = [];

	constructor(s: State, n = 1) {
		for (let tab = 0; tab < n; tab++) {
			const it = { store: createStore(s), looking: false, deaf: false } as Tabs['all'][number];
			it.notifier = new Notifier({
				store: it.store,
				now: this.clock.now,
				setTimeout: this.clock.setTimeout,
				clearTimeout: this.clock.clearTimeout,
				lead: (f) => {
					this.queue.push(f);
					if (this.queue[0] === f) this.clock.setTimeout(() => f(true));
					return () => this.letGo(f);
				},
				post: (m: Say) => this.all.forEach((x) => x !== it && this.clock.setTimeout(() => x.notifier.said(m), 5)),
				onScreen: () => it.looking,
				show: (r) => {
					if (!this.may) return null;
					// The same tag: it takes the place of the one before, which closes.
					const before = this.shown.find((x) => x.open && x.channel === r.channel);
					if (before) before.open = false;
					const one = { ...r, tab, open: true };
					this.shown.push(one);
					before?.onClose();
					return { close: () => (one.open = false) };
				},
				open: (m) => void this.opened.push(`${m.channel}/${m.seq}`),
			});
			this.all.push(it);
		}
	}

	/* One that is gone lets go as any. */
	letGo(f = this.queue[0]!): void {
		const first = this.queue[0] === f;
		this.queue = this.queue.filter((x) => x !== f);
		if (!first) return;
		f(false);
		const next = this.queue[0];
		if (next) this.clock.setTimeout(() => next(true));
	}

	async hear(...list: object[]): Promise<void> {
		await this.clock.run(0); // who speaks is known
		for (const x of this.all) {
			if (x.deaf) continue;
			x.store.dispatch(lines(...list));
			x.notifier.heard(list as Line[]);
		}
	}

	dispatch(a: Action): void {
		for (const x of this.all) x.store.dispatch(a);
	}

	get open(): number[][] {
		return this.shown.filter((x) => x.open).map((x) => x.messages.map((m) => m.seq));
	}
}

describe('one notification of a channel, by one tab', () => {
	test('however many tabs there are', async () => {
		const w = new Tabs(start(), 3);
		await w.hear(event(toMe(3)));
		await w.clock.run(60_000);
		assert.equal(w.shown.length, 1);
		assert.equal(w.shown[0]!.news, true);
	});

	test('none where a tab shows the message to who looks; one that does not look says nothing', async () => {
		const w = new Tabs(start(), 3);
		w.all[2]!.looking = true;
		await w.hear(event(toMe(3)));
		await w.clock.run(60_000);
		assert.equal(w.shown.length, 0);
		w.all[2]!.looking = false;
		await w.hear(event(toMe(4)));
		await w.clock.run(1_000);
		assert.deepEqual(w.open, [[4]]);
	});

	test('the tab that shows it does not say it when it takes over', async () => {
		const w = new Tabs(start(), 2);
		w.all[1]!.looking = true;
		await w.hear(event(toMe(3)));
		await w.clock.run(1_000);
		w.all[1]!.looking = false;
		w.letGo();
		await w.clock.run(60_000);
		assert.equal(w.shown.length, 0);
	});

	test('a tab that takes over shows what the one before did not come to, and nothing twice', async () => {
		const w = new Tabs(start(), 2);
		await w.hear(event(toMe(3)));
		await w.clock.run(1_000);
		await w.hear(event(message(2, 1)));
		w.letGo();
		await w.clock.run(60_000);
		assert.deepEqual(w.shown.map((x) => [x.tab, x.channel]), [[0, 1], [1, 2]]);
	});

	test('a tab that hears of it late does not say it again', async () => {
		const w = new Tabs(start(), 2);
		w.all[1]!.deaf = true;
		await w.hear(event(toMe(3)));
		await w.clock.run(1_000);
		w.all[1]!.deaf = false;
		await w.hear(event(toMe(3)));
		w.letGo();
		await w.clock.run(60_000);
		assert.equal(w.shown.length, 1);
	});

	test('many become one; the next comes no sooner than 4 s later, and counts those that are there', async () => {
		const w = new Tabs(start());
		await w.hear(event(toMe(3)), event(toMe(4)), event(message(2, 1)));
		await w.clock.run(1_000);
		assert.deepEqual(w.open, [[3, 4], [1]]);
		await w.hear(event(toMe(5)));
		await w.hear(event(toMe(6)));
		await w.clock.run(3_000);
		assert.equal(w.shown.length, 2);
		await w.clock.run(1_000);
		assert.deepEqual(w.open, [[1], [3, 4, 5, 6]]);
		w.shown[2]!.open = false;
		w.shown[2]!.onClose(); // put away
		await w.hear(event(toMe(7)));
		await w.clock.run(5_000);
		assert.deepEqual(w.open, [[1], [7]]);
	});

	test('what was written more than a minute ago is no news, by the clock of the server', async () => {
		const w = new Tabs(start());
		const ago = (seq: number, s: number) => event(toMe(seq, { created_at: new Date(T0 - s * 1_000).toISOString() }));
		await w.hear(ago(3, 61), ago(4, 59));
		await w.clock.run(1_000);
		assert.deepEqual(w.open, [[4]]);
		// Our clock is an hour ahead.
		const late = new Tabs(start());
		await late.hear({ type: 'hello', server_time: new Date(T0 - 3_600_000).toISOString() }, ago(3, 3_600), ago(4, 3_700));
		await late.clock.run(1_000);
		assert.deepEqual(late.open, [[3]]);
		// An hour behind: what comes shows it.
		const early = new Tabs(start());
		await early.hear(ago(3, -3_500), ago(4, -3_600));
		await early.clock.run(1_000);
		assert.deepEqual(early.open, [[4]]);
	});

	test('it goes when its messages are read; what remains is said without drawing attention', async () => {
		const w = new Tabs(start());
		await w.hear(event(toMe(3)), event(toMe(4)));
		await w.clock.run(1_000);
		await w.hear({ type: 'read', channel: 1, ...marks({ seq: 3, last_seq: 4, version: 2 }) });
		assert.deepEqual(w.open, [[4]]);
		assert.equal(w.shown.at(-1)!.news, false);
		await w.hear({ type: 'read', channel: 1, ...marks({ seq: 4, last_seq: 4, version: 3 }) });
		assert.deepEqual(w.open, []);
		assert.equal(w.shown.length, 2);
	});

	test('read on another device before it is shown: none', async () => {
		const w = new Tabs(start());
		await w.hear(event(toMe(3)));
		await w.clock.run(400);
		await w.hear({ type: 'read', channel: 1, ...marks({ seq: 3, last_seq: 3, version: 2 }) });
		await w.clock.run(60_000);
		assert.equal(w.shown.length, 0);
	});

	test('deleted, muted, left: it goes; edited: it says what is written now', async () => {
		const w = new Tabs(start());
		await w.hear(event(toMe(3)), event(toMe(4)));
		await w.clock.run(1_000);
		await w.hear({ ...event(toMe(4, { version: 2, edited_at: 'now', body: { text: 'new', mentions: [ME] } })), type: 'message.updated' });
		assert.deepEqual([w.shown.at(-1)!.messages[1]!.body!.text, w.shown.at(-1)!.news], ['new', false]);
		await w.hear({ type: 'message.deleted', ...toMe(3, { version: 2, deleted: true, body: undefined }) });
		assert.deepEqual(w.open, [[4]]);
		w.dispatch({ type: 'prefs', channel: 1, prefs: prefs({ quiet_until: 'forever', version: 9 }) });
		assert.deepEqual(w.open, []);
		await w.hear(event(message(2, 1)));
		await w.clock.run(1_000);
		assert.deepEqual(w.open, [[1]]);
		w.dispatch({ type: 'channel/left', channel: 2 });
		assert.deepEqual(w.open, []);
	});

	test('an edit is no news, though it names one; deleted before it is shown it is none', async () => {
		const w = new Tabs(start());
		await w.hear({ ...event(toMe(2, { version: 2, edited_at: 'now' })), type: 'message.updated' });
		await w.hear(event(toMe(3)), { type: 'message.deleted', ...toMe(3, { version: 2, deleted: true, body: undefined }) });
		await w.clock.run(60_000);
		assert.equal(w.shown.length, 0);
	});

	test('a click opens the first of them, and puts it away', async () => {
		const w = new Tabs(start());
		await w.hear(event(toMe(3)), event(toMe(4)));
		await w.clock.run(1_000);
		w.shown[0]!.onClick();
		assert.deepEqual([w.opened, w.open], [['1/3'], []]);
	});

	test('while one is not to be disturbed none comes, and none later for what came then', async () => {
		const w = new Tabs(start());
		const settings = (dnd_until: string | null, version: number) =>
			w.dispatch({ type: 'settings', settings: { invisible: false, dnd_until, status: null, read_receipts: true, version } });
		settings('forever', 1);
		await w.hear(event(toMe(3)));
		settings(null, 2);
		await w.clock.run(10_000);
		assert.equal(w.shown.length, 0);
		await w.hear(event(toMe(4)));
		settings('forever', 3);
		await w.clock.run(10_000);
		assert.equal(w.shown.length, 0);
		settings(null, 4);
		await w.hear(event(toMe(5)));
		await w.clock.run(1_000);
		assert.deepEqual(w.open, [[5]]);
	});

	test('a name that is on its way is waited for, for 3 s; and that one follows the thread', async () => {
		const w = new Tabs(start());
		await w.hear(event(toMe(3, { sender: 99 })), event(said(4, { thread: 2 })));
		await w.clock.run(2_000);
		assert.equal(w.shown.length, 0);
		await w.hear(own(true, 2));
		await w.clock.run(1_000);
		assert.deepEqual(w.open, [[4]]);
		await w.clock.run(10_000);
		assert.deepEqual(w.open, [[3, 4]]);
		// A thread of which nothing is heard is not followed.
		await w.hear(event(said(5, { thread: 1 })));
		await w.clock.run(60_000);
		assert.deepEqual(w.open, [[3, 4]]);
	});

	test('shown anew when it is to look otherwise; gone where the browser shows none any more', async () => {
		const w = new Tabs(start());
		await w.hear(event(toMe(3)));
		await w.clock.run(1_000);
		w.all[0]!.notifier.refresh();
		assert.deepEqual([w.open, w.shown.map((x) => x.news)], [[[3]], [true, false]]);
		w.may = false;
		w.all[0]!.notifier.refresh();
		assert.deepEqual(w.open, []);
	});

	test('at the end all are gone, and nothing comes', async () => {
		const w = new Tabs(start());
		await w.hear(event(toMe(3)));
		await w.clock.run(1_000);
		await w.hear(event(message(2, 1)));
		w.all[0]!.notifier.stop();
		await w.clock.run(60_000);
		assert.deepEqual(w.open, []);
		assert.equal(w.shown.length, 1);
		assert.equal(w.clock.pending, 0);
	});
});
