// What lines of the link lead to beside what the reducer makes of them: people to be loaded, channels to be asked for again, ends.
import { hasGap } from '../model/log';
import { peopleOf } from '../model/quotes';
import { myId } from '../model/state';
import type { Channel, Line, Message, Pins, User } from '../model/types';
import { readVersions } from '../model/unread';
import type { Client } from './client';

/* Reasons of a reset that left the log where it was; after any other one it may have gone back. */
const GROWN = new Set(['too old', 'too far behind']);

type Parts = Pick<
	Client,
	'store' | 'loader' | 'threads' | 'keeps' | 'drafts' | 'sender' | 'ops' | 'reading' | 'opening' | 'resets' | 'greeting' | 'session' | 'hooks'
>;

/* Lines that have come together. */
interface Turn {
	me: number;
	flush(): void; // puts the lines before this one into the store
	touched: Set<number>; // channels whose messages or counters are others now
	after: (() => void)[]; // when all lines are in the store
}

export class Lines {
	/* Who else is told of all lines, once they are in the store. */
	also: ((lines: readonly Line[]) => void) | null = null;

	constructor(private c: Parts) {}

	take(lines: Line[]): void {
		const { store, loader, reading } = this.c;
		const me = myId(store.get());
		// The cookie is another person's by now.
		if (lines.some((l) => l.type === 'hello' && typeof l.user === 'number' && l.user !== me)) return this.c.session.end('ended');
		let batch: Line[] = [];
		const flush = () => {
			if (batch.length) store.dispatch({ type: 'lines', lines: batch });
			batch = [];
		};
		const turn: Turn = { me, flush, touched: new Set(), after: [] };
		const versions = readVersions(store.get());
		for (const line of lines) {
			this.heed(line, turn);
			batch.push(line.type === 'typing' ? { ...line, at: Date.now() } : line);
		}
		flush();
		reading.heard(lines, versions);
		for (const id of turn.touched) {
			const log = store.get().logs[id];
			if (log && hasGap(log)) loader.fill(id);
			loader.settleSoon(id);
		}
		this.c.threads.heard(lines);
		for (const f of turn.after) f();
		if (lines.some((l) => l.type === 'draft')) this.c.drafts.heard();
		this.also?.(lines);
	}

	private heed(line: Line, turn: Turn): void {
		const { store, loader } = this.c;
		const { me, touched, after } = turn;
		const id = line.channel as number;
		switch (line.type) {
			case 'typing':
				return loader.needUsers((line.users as number[] | undefined) ?? []);
			case 'hello':
				if (line.limits) this.c.greeting.tookLimits(line.limits as Record<string, unknown>);
				return;
			case 'reset':
				turn.flush();
				return this.c.resets.reload(!GROWN.has(String(line.reason)));
			case 'message': {
				const m = line as unknown as Message;
				touched.add(id);
				this.c.reading.moveLine(m);
				loader.needUsers(peopleOf(m));
				if (m.sender !== me) after.push(() => this.c.reading.arrived(id, m.seq));
				return;
			}
			case 'message.updated':
				touched.add(id);
				return loader.needUsers(peopleOf(line as unknown as Message));
			case 'message.deleted':
				return void touched.add(id);
			case 'channel.updated':
				return loader.changed((line.channel as Channel).id);
			case 'member.joined':
			case 'member.updated':
			case 'member.left':
				return this.member(line, turn);
			case 'user.updated': {
				// What a guest may know of is another world.
				const u = line.user as User;
				const before = store.get().me?.user.role;
				if (u.id === me && (before === 'guest') !== (u.role === 'guest')) after.push(() => this.c.resets.reload(false));
				return;
			}
			case 'moderated':
			case 'report.created':
			case 'report.answered':
				return void after.push(() => this.c.hooks.told(line));
			case 'read': {
				touched.add(id);
				if (id !== this.c.opening.current) return;
				turn.flush();
				const act = this.c.reading.setBack(line);
				if (act) after.push(act);
				return;
			}
			case 'draft':
				return void after.push(() => this.c.drafts.onLine(line));
			case 'pins.updated':
				return loader.needUsers((line as unknown as Pins).pins.map((p) => p.by));
			case 'saved.updated':
				return this.c.keeps.onSaved(line);
			case 'reads':
				return loader.needUsers((line.reads as { user: number }[]).map((r) => r.user));
			case 'session.revoked': {
				const mine = store.get().me?.session.id;
				if (line.session === null || line.session === mine) after.push(() => this.c.session.end('ended'));
				return;
			}
			case 'ack':
				this.c.sender.onAck(line);
				return this.c.ops.onAnswer(line);
			case 'error':
				this.c.sender.onError(line);
				return this.c.ops.onAnswer(line);
		}
	}

	/* Somebody, or oneself, has joined or left a channel, or is another thing in it now. */
	private member(line: Line, { me, after }: Turn): void {
		const { store, loader } = this.c;
		const id = line.channel as number;
		const user = line.user as number;
		if (line.type === 'member.updated') {
			loader.needUsers([user]);
			// An answer that was asked for before may tell of the role that was.
			if (user === me) after.push(() => void loader.channel(id));
		} else if (user !== me) {
			if (line.type === 'member.joined') loader.needUsers([user]);
			loader.changed(id);
			after.push(() => loader.refreshSoon(id));
		} else if (line.type === 'member.joined') {
			after.push(() => {
				void loader.channel(id);
				this.c.threads.loadFollowed();
				this.c.keeps.joined();
			});
		} else {
			loader.left(id);
			const gone = store.get().channels[id];
			if (gone) after.push(() => this.c.hooks.left(gone));
		}
	}
}
