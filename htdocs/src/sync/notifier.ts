// Notifies of messages: one tab of a profile does, for all of them, and there is one notification of a channel, which says how many messages
// it is of and goes when they are read. It knows the browser by what it is given, and nothing of words.
import { isUndisturbed, OLD, verdict } from '../model/notify';
import type { Line, Message } from '../model/types';
import type { Store } from '../store';

const SETTLE = 600; // ms in which it may turn out that somebody looks at the message, here or on another device
const PATIENCE = 3_000; // ms for the name of who wrote it, or whether one follows the thread
const APART = 4_000; // ms between two notifications of a channel
const FORGET = 30_000; // ms after which a tab that does not speak drops what the one that does has said nothing of
const MOST_DONE = 1_000;
const MOST_WAITING = 500;
const MOST_OF_ONE = 200; // messages

/* What is on the screen of the person now; with the same tag it takes the place of the one before. */
export interface Shown {
	close(): void;
}

export interface Request {
	channel: number;
	messages: readonly Message[];
	/* false: takes the place of one that is there without drawing attention. */
	news: boolean;
	onClick(): void;
	onClose(): void;
}

/* What tabs tell each other. */
export type Say = { say: 'sees?'; messages: readonly Place[] } | { say: 'done'; keys: readonly string[] };
type Place = Pick<Message, 'channel' | 'seq' | 'thread' | 'in_channel'>;

export interface NotifierEnv {
	store: Store;
	now(): number;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: any): void;
	/* Calls back, later, with whether this is the tab that speaks. Answers how to let it go for good. */
	lead(f: (on: boolean) => void): () => void;
	post(m: Say): void;
	/* The place where such a message is shown is on the screen of this tab, which is in use. */
	onScreen(m: Place): boolean;
	/* null: the browser does not. */
	show(r: Request): Shown | null;
	open(m: Message): void;
}

interface Waiting {
	message: Message;
	came: number;
	due: number;
}

const keyOf = (m: { channel: number; seq: number }): string => `${m.channel}/${m.seq}`;

export class Notifier {
	private leads = false;
	private waiting = new Map<string, Waiting>();
	private done = new Set<string>();
	private shown = new Map<number, { messages: readonly Message[]; shown: Shown }>();
	private lastAt = new Map<number, number>();
	private timer: unknown = null;
	private skew = 0; // the server's clock less ours
	private undo: (() => void)[];
	private seen: unknown[] = [];

	constructor(private env: NotifierEnv) {
		this.undo = [env.lead((on) => this.tookLead(on)), env.store.subscribe(() => this.check())];
	}

	/* --- what is told --- */

	/* Lines, once they are in the store. */
	heard(lines: readonly Line[]): void {
		const fresh: Message[] = [];
		for (const line of lines) this.tellsTime(line);
		for (const line of lines) {
			if (line.type === 'message') {
				const m = line as unknown as Message;
				if (this.arrived(m)) fresh.push(m);
			} else if (line.type === 'message.updated' || line.type === 'message.deleted') this.changed(line as unknown as Message);
		}
		if (!fresh.length) return;
		if (this.leads) {
			this.env.post({ say: 'sees?', messages: fresh.map(({ channel, seq, thread, in_channel }) => ({ channel, seq, thread, in_channel })) });
			this.arm();
		} else this.forget();
	}

	/* Nothing is written in the future: where it seems so our clock is behind. */
	private tellsTime(line: Line): void {
		if (line.type === 'hello') this.serverTime(Date.parse(String(line.server_time)));
		else if (line.type === 'message') this.skew = Math.max(this.skew, Date.parse(String(line.created_at)) - this.env.now());
	}

	serverTime(at: number): void {
		if (Number.isFinite(at)) this.skew = at - this.env.now();
	}

	/* Another tab says. */
	said(m: Say): void {
		if (m.say === 'done') return m.keys.forEach((k) => this.settle(k));
		const keys = m.messages.filter((x) => this.env.onScreen(x)).map(keyOf);
		if (!keys.length) return;
		keys.forEach((k) => this.settle(k));
		this.env.post({ say: 'done', keys });
	}

	/* How texts are shown has been changed. */
	refresh(): void {
		for (const [channel, { messages }] of [...this.shown]) this.show(channel, messages, false);
	}

	stop(): void {
		for (const f of this.undo.splice(0)) f();
		this.env.clearTimeout(this.timer);
		this.waiting.clear();
		this.closeAll();
	}

	/* The page goes: nobody would be there for a click. */
	closeAll(): void {
		for (const { shown } of this.take(this.shown)) shown.close();
	}

	private take<T>(map: Map<unknown, T>): T[] {
		const all = [...map.values()];
		map.clear();
		return all;
	}

	/* --- what waits --- */

	/* Whether it may be news. */
	private arrived(m: Message): boolean {
		const key = keyOf(m);
		if (this.done.has(key) || this.waiting.has(key)) return false;
		const now = this.env.now();
		const s = this.env.store.get();
		if (now + this.skew - Date.parse(m.created_at) > OLD || isUndisturbed(s)) return false;
		// That a reply makes one follow its thread comes behind it.
		if (m.deleted || (m.thread === undefined && verdict(s, m) === 'no')) return false;
		if (this.waiting.size >= MOST_WAITING) this.waiting.delete(this.waiting.keys().next().value!);
		this.waiting.set(key, { message: m, came: now, due: now + SETTLE });
		return true;
	}

	/* An edit is no news, but what has not been shown yet, or is shown, says what it says now. */
	private changed(m: Message): void {
		const w = this.waiting.get(keyOf(m));
		if (w && m.version > w.message.version) w.message = m;
		const held = this.shown.get(m.channel);
		const old = held?.messages.find((x) => x.seq === m.seq);
		if (!held || !old || m.version <= old.version) return;
		this.reshow(m.channel, held.messages.map((x) => (x === old ? m : x)));
	}

	private tookLead(on: boolean): void {
		this.leads = on;
		this.arm(); // what the tab that spoke before has not come to
	}

	private settle(key: string): void {
		this.waiting.delete(key);
		this.done.add(key);
		if (this.done.size > MOST_DONE) this.done.delete(this.done.values().next().value!);
	}

	private forget(): void {
		for (const [key, w] of this.waiting) if (this.env.now() - w.came > FORGET) this.waiting.delete(key);
	}

	private arm(): void {
		this.env.clearTimeout(this.timer);
		this.timer = null;
		if (!this.leads || !this.waiting.size) return;
		const due = Math.min(...[...this.waiting.values()].map((w) => w.due));
		this.timer = this.env.setTimeout(() => this.flush(), Math.max(0, due - this.env.now()));
	}

	private flush(): void {
		const now = this.env.now();
		const s = this.env.store.get();
		const news = new Map<number, Message[]>();
		const settled: string[] = [];
		for (const [key, w] of this.waiting) {
			if (w.due > now) continue;
			const { message: m } = w;
			const word = verdict(s, m);
			const known = word !== 'later' && s.users[m.sender] !== undefined;
			const on = this.env.onScreen(m);
			if (word !== 'no' && !on && !known && now - w.came < PATIENCE) {
				w.due = now + SETTLE;
				continue;
			}
			const free = (this.lastAt.get(m.channel) ?? -Infinity) + APART;
			const wanted = word === 'yes' && !on && !isUndisturbed(s);
			if (wanted && free > now) {
				w.due = free;
				continue;
			}
			settled.push(key);
			if (wanted) news.set(m.channel, [...(news.get(m.channel) ?? []), m]);
		}
		settled.forEach((k) => this.settle(k));
		if (settled.length) this.env.post({ say: 'done', keys: settled });
		for (const [channel, messages] of news) {
			this.lastAt.set(channel, now);
			const all = [...(this.shown.get(channel)?.messages ?? []), ...messages].sort((a, b) => a.seq - b.seq);
			this.show(channel, all.slice(-MOST_OF_ONE), true);
		}
		this.arm();
	}

	/* --- what is shown --- */

	private show(channel: number, messages: readonly Message[], news: boolean): void {
		const before = this.shown.get(channel)?.shown;
		const one: { shown: Shown | null } = { shown: null };
		const current = () => one.shown !== null && this.shown.get(channel)?.shown === one.shown;
		one.shown = this.env.show({
			channel,
			messages,
			news,
			onClick: () => {
				if (!current()) return;
				this.shown.delete(channel);
				one.shown!.close();
				this.env.open(messages[0]!);
			},
			// Put away by hand: what comes then is counted anew.
			onClose: () => {
				if (current()) this.shown.delete(channel);
			},
		});
		if (one.shown) return void this.shown.set(channel, { messages, shown: one.shown });
		this.shown.delete(channel);
		before?.close();
	}

	/* With those of them that still count; where none does it goes. */
	private reshow(channel: number, messages: readonly Message[]): void {
		const held = this.shown.get(channel)!;
		const s = this.env.store.get();
		const left = s.channels[channel] ? messages.filter((m) => verdict(s, m) !== 'no') : [];
		if (left.length === held.messages.length && left.every((m, i) => m === held.messages[i])) return;
		if (left.length) return this.show(channel, left, false);
		this.shown.delete(channel);
		held.shown.close();
	}

	/* Something may have been read, here or elsewhere, or a channel been muted or left. */
	private check(): void {
		const { channels, followed } = this.env.store.get();
		if (!this.shown.size || (this.seen[0] === channels && this.seen[1] === followed)) return;
		this.seen = [channels, followed];
		for (const [channel, { messages }] of [...this.shown]) this.reshow(channel, messages);
	}
}
