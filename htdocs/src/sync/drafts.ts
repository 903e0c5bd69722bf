// Drafts in step with one's other devices (doc/protocol.md, section 8). What is written here stands in the store and in local storage at
// once and goes to the server when the writing pauses, on the version that it is based on. What comes from elsewhere is shown, unless
// this is where it is being written: then it stays, and is put again on the newer version. Only a channel's own: what is written in a
// thread stays on this device.
import type { Draft, Line } from '../model/types';
import { draftVersions } from '../model/keep';
import { draftFiles } from '../model/uploads';
import { ApiError } from '../net/api';
import type { Store } from '../store';
import type { Shelf } from './local';

export interface DraftsEnv {
	store: Store;
	shelf: Shelf;
	user(): number;
	live(): boolean;
	put(channel: number, draft: { text: string; files: number[]; reply_to?: number; version: number }): Promise<Draft>;
	drop(channel: number, version: number): Promise<Draft>;
	get(channel: number): Promise<Draft>;
	/* Shows a text that came from elsewhere, and what it answers. */
	show(channel: number, text: string, reply_to: number | null): void;
	/* The files of it; those that were of the draft and are not among them go from here. */
	showFiles(channel: number, files: readonly number[]): Promise<void>;
	now(): number;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: unknown): void;
}

const PAUSE = 800; // ms behind the last key
const MOST = 3_000; // ms that a key waits while others follow
const WRITING = 15_000; // ms behind a key for which this is where it is being written
const AGAIN = 5_000;
const UNEQUAL_FOR = 30_000;

/* What is known here of a channel's draft beside its text. at: when it was changed by hand here, 0: never. */
interface Own {
	base: number;
	at: number;
	dirty: boolean;
	sent: boolean; // it was taken away because its message went
	files: string; // that it had when here and there were the same
}
interface Work {
	busy: boolean;
	unsure: boolean; // one was put, and nobody knows whether it arrived
	put: string; // the text that was put last
	files: boolean; // false: the server would not have them
	timer: unknown;
	since: number; // the first key that waits
}

const key = (user: number, channel: number | string) => `draftof:${user}:${channel}`;
const NOTHING: Own = { base: 0, at: 0, dirty: false, sent: false, files: '' };

export class Drafts {
	private work = new Map<number, Work>();
	private looking = new Set<number>();
	private showing = new Set<number>(); // channels whose files are being shown
	private stopped = false;
	private said = -1;
	private unequal = -1;
	private unequalUntil = 0;

	constructor(private env: DraftsEnv) {}

	/* Texts of an earlier page that never got to the server are to go there. */
	begin(): void {
		const { drafts } = this.env.store.get();
		for (const [place, text] of Object.entries(drafts)) {
			const channel = Number(place); // of a thread's, not a number
			if (channel && text && !this.held(channel)) this.hold(channel, { ...NOTHING, at: 1, dirty: true });
		}
	}

	/* Changed by hand. */
	touch(channel: number): void {
		const w = this.of(channel);
		w.files = true;
		this.hold(channel, { ...this.own(channel), at: this.env.now(), dirty: true, sent: false });
		this.later(channel);
	}

	/* A file of it has become ready here, or was taken off. */
	filesChanged(channel: number): void {
		const s = this.env.store.get();
		const underWay = draftFiles(s, channel).some((u) => u.state !== 'ready' && u.state !== 'failed');
		if (underWay || this.showing.has(channel)) return; // the last one tells
		if (this.here(channel).files.join() !== (s.kept[channel]?.files.join() ?? this.own(channel).files)) this.touch(channel);
	}

	/* Its message is on its way. */
	sent(channel: number): void {
		const w = this.of(channel);
		const kept = this.env.store.get().kept[channel];
		// Written and sent within a pause: the server has never heard of it.
		const known = w.busy || w.unsure || (kept ? kept.text !== '' || kept.files.length > 0 || kept.reply_to != null : this.own(channel).base > 0);
		this.hold(channel, { ...this.own(channel), at: this.env.now(), dirty: known, sent: known });
		this.env.clearTimeout(w.timer);
		w.timer = null;
		if (known) void this.push(channel);
	}

	onLine(line: Line): void {
		const d = line as unknown as Partial<Draft> & { channel: number; version: number };
		if ((this.env.store.get().kept[d.channel]?.version ?? -1) >= d.version) return;
		if (typeof d.text === 'string') this.take(d as Draft);
		else void this.look(d.channel);
	}

	/* A link is there. */
	onLive(): void {
		const prefix = key(this.env.user(), '');
		for (const k of this.env.shelf.keys(prefix)) {
			const channel = Number(k.slice(prefix.length));
			if (this.own(channel).dirty) void this.push(channel);
		}
	}

	/* What the server compares with its own; null for a while where the lines that it tells because of it do not make them equal. */
	known(): number | null {
		const sum = draftVersions(this.env.store.get());
		if (sum === this.unequal && this.env.now() < this.unequalUntil) return null;
		return (this.said = sum);
	}

	/* `draft` lines have come. */
	heard(): void {
		if (draftVersions(this.env.store.get()) !== this.said || this.looking.size) return;
		this.unequal = this.said;
		this.unequalUntil = this.env.now() + UNEQUAL_FOR;
	}

	/* The server's log went back, and its versions may have: all that is known here is asked for anew. */
	distrust(channels: readonly number[]): void {
		for (const id of channels) {
			if (this.held(id)) this.hold(id, { ...this.own(id), base: 0 });
			void this.look(id);
		}
	}

	stop(): void {
		this.stopped = true;
		for (const w of this.work.values()) this.env.clearTimeout(w.timer);
	}

	/* --- what comes --- */

	private async look(channel: number): Promise<void> {
		if (this.looking.has(channel)) return;
		this.looking.add(channel);
		try {
			const d = await this.env.get(channel);
			this.looking.delete(channel);
			if (!this.stopped) this.take(d);
		} catch {
			this.looking.delete(channel); // told again with the next link
		}
	}

	private take(d: Draft): void {
		if ((this.env.store.get().kept[d.channel]?.version ?? -1) >= d.version) return;
		this.env.store.dispatch({ type: 'kept', draft: d });
		const o = this.own(d.channel);
		this.hold(d.channel, { ...o, base: d.version, files: d.files.join(), ...(this.same(d) ? { dirty: false, sent: false } : {}) });
		if (!this.of(d.channel).busy) this.settle(d.channel);
	}

	/* What the server has and what is here are brought together. */
	private settle(channel: number): void {
		const d = this.env.store.get().kept[channel];
		const o = this.own(channel);
		if (!d || this.same(d)) return;
		if (o.sent && d.text === this.of(channel).put) return void this.push(channel); // one's own, that came late
		const here = o.dirty && !o.sent && (this.env.now() - o.at < WRITING || o.at > Date.parse(d.edited_at ?? ''));
		if (here) return this.later(channel);
		this.hold(channel, { ...o, dirty: false, sent: false });
		this.env.show(channel, d.text, d.reply_to ?? null);
		this.showing.add(channel);
		void this.env.showFiles(channel, d.files).finally(() => this.showing.delete(channel));
	}

	/* --- what goes --- */

	private later(channel: number): void {
		const w = this.of(channel);
		const now = this.env.now();
		if (w.timer === null) w.since = now;
		else this.env.clearTimeout(w.timer);
		w.timer = this.env.setTimeout(
			() => {
				w.timer = null;
				void this.push(channel);
			},
			Math.max(0, Math.min(PAUSE, w.since + MOST - now)),
		);
	}

	private async push(channel: number): Promise<void> {
		const w = this.of(channel);
		const o = this.own(channel);
		if (w.busy || this.stopped || !o.dirty || !this.env.live()) return;
		const { text, files, reply_to } = this.here(channel);
		w.busy = true;
		try {
			const empty = !text && !files.length && !reply_to;
			if (!empty) {
				w.unsure = true;
				w.put = text;
			}
			const draft = { text, files: w.files ? files : [], ...(reply_to ? { reply_to } : {}), version: o.base };
			const d = await (empty ? this.env.drop(channel, o.base) : this.env.put(channel, draft));
			w.busy = w.unsure = false;
			if (this.stopped) return;
			this.env.store.dispatch({ type: 'kept', draft: d });
			const now = this.own(channel);
			const done = now.at === o.at;
			const base = Math.max(d.version, this.env.store.get().kept[channel]?.version ?? 0);
			this.hold(channel, { ...now, base, files: d.files.join(), ...(done ? { dirty: false, sent: false } : {}) });
			if (!done) this.later(channel);
			else if (base > d.version) this.settle(channel);
		} catch (e) {
			w.busy = false;
			if (this.stopped || !(e instanceof ApiError)) return;
			if (e.code === 'conflict') await this.look(channel).then(() => this.settle(channel));
			else if (e.code === 'not_attachable' && w.files) {
				w.files = false;
				void this.push(channel);
			} else if (e.transient) w.timer ??= this.env.setTimeout(() => ((w.timer = null), void this.push(channel)), AGAIN);
		}
	}

	/* --- what is held --- */

	private here(channel: number): { text: string; files: number[]; reply_to: number | null } {
		const s = this.env.store.get();
		const reply_to = s.quoting[channel] ?? null;
		return { text: s.drafts[channel] ?? '', reply_to, files: draftFiles(s, channel).flatMap((u) => (u.file ? [u.file.id] : [])) };
	}

	private same(d: Draft): boolean {
		const { text, files, reply_to } = this.here(d.channel);
		return d.text === text && (d.reply_to ?? null) === reply_to && d.files.join() === files.join();
	}

	private of(channel: number): Work {
		let w = this.work.get(channel);
		if (!w) this.work.set(channel, (w = { busy: false, unsure: false, put: '', files: true, timer: null, since: 0 }));
		return w;
	}

	private held(channel: number): Own | null {
		try {
			return JSON.parse(this.env.shelf.get(key(this.env.user(), channel)) ?? 'null') as Own | null;
		} catch {
			return null;
		}
	}
	private own(channel: number): Own {
		return { ...NOTHING, ...this.mine.get(channel), ...(this.mine.has(channel) ? {} : this.held(channel)) };
	}
	private mine = new Map<number, Own>();

	private hold(channel: number, o: Own): void {
		this.mine.set(channel, o);
		this.env.shelf.set(key(this.env.user(), channel), JSON.stringify(o));
	}
}

/* Where all that belongs to a person is forgotten. */
export const draftsKey = key;
