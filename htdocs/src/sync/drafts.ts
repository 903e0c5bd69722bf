// Drafts in step with one's other devices (doc/protocol.md, section 8). What is written here stands in the store and in local storage at
// once and goes to the server when the writing pauses, on the version that it is based on. What comes from elsewhere is shown, unless
// this is where it is being written: then it stays, and is put again on the newer version. A channel has one, and so has each thread: each
// by its place (placeKey()).
import type { Draft, Line } from '../model/types';
import { draftVersions, saysDraft } from '../model/keep';
import { placeKey, placeOf } from '../model/threads';
import { draftFiles } from '../model/uploads';
import { ApiError } from '../net/api';
import type { Store } from '../store';
import type { Shelf } from './local';

export interface DraftsEnv {
	store: Store;
	shelf: Shelf;
	user(): number;
	live(): boolean;
	put(place: string, draft: { text: string; files: number[]; reply_to?: number; version: number }): Promise<Draft>;
	drop(place: string, version: number): Promise<Draft>;
	get(place: string): Promise<Draft>;
	/* Shows a text that came from elsewhere, and what it answers. */
	show(place: string, text: string, reply_to: number | null): void;
	/* The files of it; those that were of the draft and are not among them go from here. */
	showFiles(place: string, files: readonly number[]): Promise<void>;
	now(): number;
	setTimeout(f: () => void, ms: number): unknown;
	clearTimeout(t: unknown): void;
}

const PAUSE = 800; // ms behind the last key
const MOST = 3_000; // ms that a key waits while others follow
const WRITING = 15_000; // ms behind a key for which this is where it is being written
const AGAIN = 5_000;
const UNEQUAL_FOR = 30_000;

/* What is known here of a draft beside its text. at: when it was changed by hand here, 0: never. */
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

const key = (user: number, place: string) => `draftof:${user}:${place}`;
const NOTHING: Own = { base: 0, at: 0, dirty: false, sent: false, files: '' };

export class Drafts {
	private work = new Map<string, Work>();
	private looking = new Set<string>();
	private showing = new Set<string>(); // whose files are being shown
	private stopped = false;
	private said = -1;
	private unequal = -1;
	private unequalUntil = 0;

	constructor(private env: DraftsEnv) {}

	/* Texts of an earlier page that never got to the server are to go there. */
	begin(): void {
		const { drafts } = this.env.store.get();
		for (const [place, text] of Object.entries(drafts)) if (text && !this.held(place)) this.hold(place, { ...NOTHING, at: 1, dirty: true });
	}

	/* Changed by hand. */
	touch(place: string): void {
		const w = this.of(place);
		w.files = true;
		this.hold(place, { ...this.own(place), at: this.env.now(), dirty: true, sent: false });
		this.later(place);
	}

	/* A file of it has become ready here, or was taken off. */
	filesChanged(place: string): void {
		const s = this.env.store.get();
		const { channel, thread } = placeOf(place);
		const underWay = draftFiles(s, channel, thread).some((u) => u.state !== 'ready' && u.state !== 'failed');
		if (underWay || this.showing.has(place)) return; // the last one tells
		if (this.here(place).files.join() !== (s.kept[place]?.files.join() ?? this.own(place).files)) this.touch(place);
	}

	/* Its message is on its way. */
	sent(place: string): void {
		const w = this.of(place);
		const kept = this.env.store.get().kept[place];
		// Written and sent within a pause: the server has never heard of it.
		const known = w.busy || w.unsure || (kept ? saysDraft(kept) : this.own(place).base > 0);
		this.hold(place, { ...this.own(place), at: this.env.now(), dirty: known, sent: known });
		this.env.clearTimeout(w.timer);
		w.timer = null;
		if (known) void this.push(place);
	}

	onLine(line: Line): void {
		const d = line as unknown as Partial<Draft> & { channel: number; version: number };
		const place = placeKey(d.channel, d.thread);
		if ((this.env.store.get().kept[place]?.version ?? -1) >= d.version) return;
		if (typeof d.text === 'string') this.take(d as Draft);
		else void this.look(place);
	}

	/* A link is there. */
	onLive(): void {
		const prefix = key(this.env.user(), '');
		for (const k of this.env.shelf.keys(prefix)) {
			const place = k.slice(prefix.length);
			if (this.own(place).dirty) void this.push(place);
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
		// Of a thread's that said nothing any more for as long as the log is kept nothing is told.
		for (const [place, d] of Object.entries(this.env.store.get().kept)) if (d.thread !== null && saysDraft(d)) void this.look(place);
	}

	/* The server's log went back, and its versions may have: all that is known here is asked for anew. */
	distrust(channels: readonly number[]): void {
		const threads = Object.keys(this.env.store.get().kept).filter((place) => placeOf(place).thread);
		for (const place of [...channels.map(String), ...threads]) {
			if (this.held(place)) this.hold(place, { ...this.own(place), base: 0 });
			void this.look(place);
		}
	}

	stop(): void {
		this.stopped = true;
		for (const w of this.work.values()) this.env.clearTimeout(w.timer);
	}

	/* --- what comes --- */

	private async look(place: string): Promise<void> {
		if (this.looking.has(place)) return;
		this.looking.add(place);
		const held = this.env.store.get().kept[place];
		try {
			const d = await this.env.get(place);
			this.looking.delete(place);
			// The server has forgotten it; unless it was told anew meanwhile.
			const forgotten = d.version === 0 && held !== undefined && this.env.store.get().kept[place] === held;
			if (!this.stopped) this.take(d, forgotten);
		} catch {
			this.looking.delete(place); // told again with the next link
		}
	}

	private take(d: Draft, forgotten = false): void {
		const place = placeKey(d.channel, d.thread);
		if (!forgotten && (this.env.store.get().kept[place]?.version ?? -1) >= d.version) return;
		this.env.store.dispatch({ type: 'kept', draft: d });
		const o = this.own(place);
		this.hold(place, { ...o, base: d.version, files: d.files.join(), ...(this.same(d) ? { dirty: false, sent: false } : {}) });
		if (!this.of(place).busy) this.settle(place);
	}

	/* What the server has and what is here are brought together. */
	private settle(place: string): void {
		const d = this.env.store.get().kept[place];
		const o = this.own(place);
		if (!d || this.same(d)) return;
		if (o.sent && d.text === this.of(place).put) return void this.push(place); // one's own, that came late
		const here = o.dirty && !o.sent && (this.env.now() - o.at < WRITING || o.at > Date.parse(d.edited_at ?? ''));
		if (here) return this.later(place);
		this.hold(place, { ...o, dirty: false, sent: false });
		this.env.show(place, d.text, d.reply_to ?? null);
		this.showing.add(place);
		void this.env.showFiles(place, d.files).finally(() => this.showing.delete(place));
	}

	/* --- what goes --- */

	private later(place: string): void {
		const w = this.of(place);
		const now = this.env.now();
		if (w.timer === null) w.since = now;
		else this.env.clearTimeout(w.timer);
		w.timer = this.env.setTimeout(
			() => {
				w.timer = null;
				void this.push(place);
			},
			Math.max(0, Math.min(PAUSE, w.since + MOST - now)),
		);
	}

	private async push(place: string): Promise<void> {
		const w = this.of(place);
		const o = this.own(place);
		if (w.busy || this.stopped || !o.dirty || !this.env.live()) return;
		const { text, files, reply_to } = this.here(place);
		w.busy = true;
		try {
			const empty = !text && !files.length && !reply_to;
			if (!empty) {
				w.unsure = true;
				w.put = text;
			}
			const draft = { text, files: w.files ? files : [], ...(reply_to ? { reply_to } : {}), version: o.base };
			const d = await (empty ? this.env.drop(place, o.base) : this.env.put(place, draft));
			w.busy = w.unsure = false;
			if (this.stopped) return;
			this.env.store.dispatch({ type: 'kept', draft: d });
			const now = this.own(place);
			const done = now.at === o.at;
			const base = Math.max(d.version, this.env.store.get().kept[place]?.version ?? 0);
			this.hold(place, { ...now, base, files: d.files.join(), ...(done ? { dirty: false, sent: false } : {}) });
			if (!done) this.later(place);
			else if (base > d.version) this.settle(place);
		} catch (e) {
			w.busy = false;
			if (this.stopped || !(e instanceof ApiError)) return;
			if (e.code === 'conflict') await this.look(place).then(() => this.settle(place));
			else if (e.code === 'not_attachable' && w.files) {
				w.files = false;
				void this.push(place);
			} else if (e.transient) w.timer ??= this.env.setTimeout(() => ((w.timer = null), void this.push(place)), AGAIN);
		}
	}

	/* --- what is held --- */

	private here(place: string): { text: string; files: number[]; reply_to: number | null } {
		const s = this.env.store.get();
		const reply_to = s.quoting[place] ?? null;
		const { channel, thread } = placeOf(place);
		return { text: s.drafts[place] ?? '', reply_to, files: draftFiles(s, channel, thread).flatMap((u) => (u.file ? [u.file.id] : [])) };
	}

	private same(d: Draft): boolean {
		const { text, files, reply_to } = this.here(placeKey(d.channel, d.thread));
		return d.text === text && (d.reply_to ?? null) === reply_to && d.files.join() === files.join();
	}

	private of(place: string): Work {
		let w = this.work.get(place);
		if (!w) this.work.set(place, (w = { busy: false, unsure: false, put: '', files: true, timer: null, since: 0 }));
		return w;
	}

	private held(place: string): Own | null {
		try {
			return JSON.parse(this.env.shelf.get(key(this.env.user(), place)) ?? 'null') as Own | null;
		} catch {
			return null;
		}
	}
	private own(place: string): Own {
		return { ...NOTHING, ...this.mine.get(place), ...(this.mine.has(place) ? {} : this.held(place)) };
	}
	private mine = new Map<string, Own>();

	private hold(place: string, o: Own): void {
		this.mine.set(place, o);
		this.env.shelf.set(key(this.env.user(), place), JSON.stringify(o));
	}
}

/* Where all that belongs to a person is forgotten. */
export const draftsKey = key;
