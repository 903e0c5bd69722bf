// Files that are being sent: a few at a time, each until it is stored or cannot be; over reloads too. Tells the store how far
// each is; a message that waits for its files goes when the last one is there.
import type { Prepared } from '../media/prepare';
import { shownName } from '../model/files';
import { myId } from '../model/state';
import type { Pending, PendingFile, StoredFile, Upload, UploadFault } from '../model/types';
import { draftFiles, emptyUpload } from '../model/uploads';
import { ApiError } from '../net/api';
import type { Store } from '../store';
import { Transfer, TransferError, faultOf, type TransferEnv } from './transfer';
import { KEEP_UP_TO, type KeptUpload, type UploadShelf } from './upload_shelf';

export interface UploadsEnv extends TransferEnv {
	store: Store;
	instance: string;
	shelf: UploadShelf;
	prepare(file: File): Promise<Prepared>;
	abort(id: number): Promise<unknown>;
	uuid(): string;
	picture(blob: Blob): string; // an address of it
	forgetPicture(address: string): void;
	onSessionOver(): void;
	/* A message's last file is there. */
	onReady(): void;
	/* A file of what is being written in a channel's own line is there, or was taken off. */
	onDraft?(channel: number, thread?: number): void;
}

const AT_ONCE = 3; // files
const LARGE_AT_ONCE = 2; // of them in parts, so that a small one does not have to wait for films
const TOLD_EVERY = 200; // ms between two words on how far one is
const SPEED_OVER = 3_000; // ms that a speed is the mean of, roughly
const PICTURES = 60; // previews of stored files that are kept
const UNKNOWN = -1; // a size
const WHOLE_UP_TO = 64 * 1024 * 1024; // where the server does not tell
/* What another try needs another name for, unless it may pass: the server holds a name to what was sent under it. */
const ANEW = new Set<UploadFault>(['type', 'differs', 'store']);
/* What may go better by itself, later. */
const PASSING = new Set<UploadFault>(['network', 'store']);

interface Job {
	kept: KeptUpload;
	file: File | null; // as it was chosen, until it is prepared
	stop: AbortController | null; // while it runs
	anew: boolean; // another try begins from nothing
	told: number;
	mark: { at: number; sent: number };
}

export class Uploads {
	private jobs = new Map<string, Job>();
	private pictures = new Map<number, string>(); // file: its preview, for what was sent from here
	private stopped = false;

	constructor(private env: UploadsEnv) {}

	/* --- what views may do --- */

	/* Takes files for what is being written; those that cannot be sent say why. */
	add(channel: number, files: readonly File[], thread?: number): void {
		const s = this.env.store.get();
		const limits = s.limits.files;
		if (!limits) return;
		const fresh: Upload[] = [];
		for (const file of files) {
			const client_id = this.env.uuid();
			const name = shownName(file.name);
			const u = emptyUpload({ client_id, channel, name, size: file.size, type: file.type, ...(thread ? { thread } : {}) });
			const kept: KeptUpload = {
				...(thread ? { thread } : {}),
				...{ client_id, channel, name, size: file.size, type: file.type, width: null, height: null, duration: null },
				...{ user: myId(s), message: null, owner: this.env.instance, at: this.env.now(), id: null, plain: false },
				...{ wish: client_id, thumbWish: this.env.uuid(), blob: null, thumb: null, thumbSize: null },
				chosen: { name: file.name, size: file.size, modified: file.lastModified },
			};
			this.jobs.set(client_id, { kept, file, stop: null, anew: false, told: 0, mark: { at: 0, sent: 0 } });
			fresh.push(file.size > limits.file_bytes ? { ...u, state: 'failed', fault: 'too_large' } : u);
		}
		this.env.store.dispatch({ type: 'upload/add', uploads: fresh });
		this.pump();
	}

	/* Takes it off, wherever it stands, here and there. */
	cancel(client_id: string): void {
		const job = this.jobs.get(client_id);
		const u = this.find(client_id);
		this.drop(client_id);
		job?.stop?.abort();
		const id = u?.file?.id ?? job?.kept.id;
		if (id != null) this.env.abort(id).catch(() => {}); // what nobody attaches is collected in time
		const left = this.env.store.get().outbox.find((p) => p.client_id === u?.message);
		if (left && !left.text && !left.files?.length) this.env.store.dispatch({ type: 'outbox/drop', client_id: left.client_id });
		this.pump();
		this.tellDraft(u);
		this.env.onReady(); // its message may have waited for this one alone
	}

	/* Tries again what has failed. */
	retry(client_id: string): void {
		const u = this.find(client_id);
		const job = this.jobs.get(client_id);
		if (!u || !job || u.state !== 'failed' || u.fault === 'gone' || u.fault === 'too_large') return;
		// What was refused for its type goes as a file of none.
		if (u.fault === 'type') job.kept = { ...job.kept, plain: true };
		if (job.anew) this.fromNothing(job);
		this.set(client_id, { state: job.kept.blob || !job.file ? 'waiting' : 'preparing', fault: null, detail: '', sent: 0, speed: 0, again: 0 });
		this.pump();
	}

	/* The same file once more, for an upload whose file the browser does not have any more. False where it is another one. */
	giveAgain(client_id: string, file: File): boolean {
		const job = this.jobs.get(client_id);
		const { chosen } = job?.kept ?? {};
		if (!job || !chosen || chosen.name !== file.name || (chosen.size !== UNKNOWN && chosen.size !== file.size)) return false;
		// It was written to meanwhile: with the parts of what it was it would make a file that never was.
		if (chosen.size !== UNKNOWN && chosen.modified !== file.lastModified) this.fromNothing(job);
		job.kept = { ...job.kept, blob: null, chosen: { name: file.name, size: file.size, modified: file.lastModified } };
		job.file = file;
		this.set(client_id, { state: 'preparing', fault: null, detail: '' });
		this.pump();
		return true;
	}

	/* What was sent of it is not gone on with. */
	private fromNothing(job: Job): void {
		if (job.kept.id !== null) this.env.abort(job.kept.id).catch(() => {});
		job.kept = { ...job.kept, id: null, wish: this.env.uuid(), thumbWish: this.env.uuid() };
		job.anew = false;
	}

	/* What is chosen in the channel goes with this message from now on. */
	attach(channel: number, message: string, thread?: number): Pending['files'] {
		const mine = draftFiles(this.env.store.get(), channel, thread).filter((u) => this.jobs.has(u.client_id));
		for (const u of mine) {
			this.set(u.client_id, { message });
			this.keep(u.client_id, { message });
		}
		if (!mine.length) return undefined;
		return mine.map(({ client_id, file, name, size, type, width, height, duration }) => ({
			...{ upload: client_id, id: file?.id ?? null, name, size, type, width, height, duration },
		}));
	}

	/* A draft has these files, by another device: those that are not here come, those that are not its go from here. */
	async showDraft({ channel, thread }: { channel: number; thread?: number }, files: readonly number[]): Promise<void> {
		const mine = () => draftFiles(this.env.store.get(), channel, thread);
		for (const u of mine()) if (u.file && !files.includes(u.file.id)) this.drop(u.client_id);
		for (const id of files) {
			if (this.has(id)) continue;
			const answer = await this.env.look(id).catch(() => null);
			if (answer?.state !== 'ready' || this.stopped || this.has(id)) continue;
			const { name, size, type, width, height, duration } = answer.file;
			this.takeOver({
				...(thread ? { thread } : {}),
				...{ client_id: this.env.uuid(), channel, name, size, type, width, height, duration, id, message: null },
				...{ user: myId(this.env.store.get()), owner: this.env.instance, at: this.env.now(), plain: false },
				...{ wish: this.env.uuid(), thumbWish: this.env.uuid(), blob: null, thumb: null, thumbSize: null },
				chosen: { name, size, modified: 0 },
			});
		}
		this.pump();
	}

	/* The picture of a stored file that was sent from here, so that it does not have to come back at once. */
	pictureOf(file: number): string | undefined {
		return this.pictures.get(file);
	}

	/* --- life --- */

	/* The network is back, or something may have changed. */
	wake(): void {
		for (const u of this.env.store.get().uploads) if (u.state === 'failed' && u.fault && PASSING.has(u.fault)) this.retry(u.client_id);
		this.pump();
	}

	/* Messages that have gone, or were discarded, need their uploads no more. */
	settle(): void {
		const { outbox, uploads } = this.env.store.get();
		for (const u of uploads) {
			if (u.message === null || outbox.some((p) => p.client_id === u.message)) continue;
			if (u.state === 'ready') this.drop(u.client_id, true);
			else this.cancel(u.client_id);
		}
	}

	/* Takes over what a page that is gone has left. alive: pages that are not; what the outbox takes over is in it by now. */
	async adopt(alive: ReadonlySet<string>): Promise<void> {
		const s = this.env.store.get();
		const left = (await this.env.shelf.load(myId(s))).filter((k) => k.owner !== this.env.instance && !alive.has(k.owner));
		if (this.stopped) return;
		for (const k of left) {
			if (this.jobs.has(k.client_id)) continue;
			// It came by the draft.
			if (k.message === null && k.id !== null && this.has(k.id)) {
				void this.env.shelf.drop(k.client_id);
				continue;
			}
			// Its message has gone.
			if (k.message !== null && !this.env.store.get().outbox.some((p) => p.client_id === k.message)) void this.env.shelf.drop(k.client_id);
			else this.takeOver({ ...k, owner: this.env.instance });
		}
		// Messages whose files were not kept: to be chosen once more, or left out.
		for (const p of this.env.store.get().outbox) {
			if (p.owner !== this.env.instance) continue;
			for (const f of p.files ?? []) if (f.id === null && !this.jobs.has(f.upload)) this.takeOver(this.lost(p, f));
		}
		this.pump();
	}

	private takeOver(kept: KeptUpload): void {
		const { client_id, channel, thread, name, size, type, width, height, duration, message } = kept;
		this.jobs.set(client_id, { kept, file: null, stop: null, anew: false, told: 0, mark: { at: 0, sent: 0 } });
		this.save(kept);
		const preview = this.previewOf(kept);
		const facts = { ...(thread ? { thread } : {}), client_id, channel, name, size, type, width, height, duration, message, preview };
		this.env.store.dispatch({ type: 'upload/add', uploads: [emptyUpload({ ...facts, state: 'waiting' })] });
	}

	private lost(p: Pending, f: PendingFile): KeptUpload {
		const { name, size, type, width, height, duration, upload } = f;
		return {
			...{ name, size, type, width, height, duration, client_id: upload, channel: p.channel, message: p.client_id },
			...{ user: myId(this.env.store.get()), owner: this.env.instance, at: p.at, id: null, plain: false },
			...{ wish: this.env.uuid(), thumbWish: this.env.uuid(), blob: null, thumb: null, thumbSize: null },
			chosen: { name, size: UNKNOWN, modified: 0 },
		};
	}

	stop(): void {
		this.stopped = true;
		for (const job of this.jobs.values()) job.stop?.abort();
	}

	/* --- the work --- */

	private pump(): void {
		if (this.stopped) return;
		const above = this.env.store.get().limits.files?.multipart_above || WHOLE_UP_TO;
		const isLarge = (j: Job) => j.kept.size > above;
		const under = [...this.jobs.values()].filter((j) => j.stop);
		let running = under.length;
		let large = under.filter(isLarge).length;
		for (const u of this.env.store.get().uploads) {
			if (running >= AT_ONCE) return;
			const job = this.jobs.get(u.client_id);
			if (!job || job.stop || (u.state !== 'preparing' && u.state !== 'waiting')) continue;
			if (isLarge(job) && large >= LARGE_AT_ONCE) continue;
			running++;
			if (isLarge(job)) large++;
			job.stop = new AbortController();
			void this.run(u.client_id, job, job.stop);
		}
	}

	private async run(client_id: string, job: Job, stop: AbortController): Promise<void> {
		try {
			const file = await this.carry(client_id, job, stop.signal);
			if (stop.signal.aborted) return;
			this.env.store.dispatch({ type: 'upload/ready', client_id, file });
			this.showHere(file, this.find(client_id)?.preview ?? null);
			this.tellDraft(this.find(client_id));
			this.env.onReady();
		} catch (e) {
			if (stop.signal.aborted) return;
			const { fault, detail, passing } = faultOf(e);
			job.anew = ANEW.has(fault) && !passing;
			if (e instanceof ApiError && e.status === 401) return this.env.onSessionOver();
			this.set(client_id, { state: 'failed', fault, detail, speed: 0, again: 0 });
		} finally {
			job.stop = null;
			this.pump();
		}
	}

	private async carry(client_id: string, job: Job, signal: AbortSignal): Promise<StoredFile> {
		const transfer = new Transfer(
			this.env,
			{
				onState: (state) => this.set(client_id, { state }),
				onSent: (bytes) => this.went(client_id, job, bytes),
				onAgain: (again) => this.set(client_id, { again }),
				onId: ({ id }) => this.keep(client_id, { id }),
			},
			signal,
		);
		// What an earlier page had asked for may be there already, or be short of a few parts only.
		let answer = job.kept.id === null ? null : await transfer.look(job.kept.id);
		if (answer?.state === 'erased') {
			answer = null;
			job.kept = { ...job.kept, id: null, wish: this.env.uuid(), thumbWish: this.env.uuid() };
		}
		if (answer && (answer.state === 'ready' || answer.state === 'attached')) return answer.file;
		if (!job.kept.blob && answer?.state !== 'checking') await this.prepare(client_id, job, signal);
		const { kept } = job;
		if (kept.blob) transfer.body = kept.blob;
		this.set(client_id, { state: 'uploading', size: kept.size, sent: 0 });
		job.mark = { at: this.env.now(), sent: 0 };
		if (!answer) {
			const { name, width, height, duration, channel } = kept;
			answer = await transfer.begin(
				{
					...{ client_id: kept.wish, channel, name, size: kept.size, type: kept.plain ? 'application/octet-stream' : kept.type },
					...(width && height ? { width, height } : {}),
					...(duration !== null ? { duration } : {}),
				},
				kept.size <= (this.env.store.get().limits.files?.multipart_above || WHOLE_UP_TO),
			);
			if (kept.thumb && kept.thumbSize) await this.sendThumb(kept, answer.id, signal);
		}
		return transfer.finish(answer);
	}

	private async prepare(client_id: string, job: Job, signal: AbortSignal): Promise<void> {
		if (!job.file) throw new TransferError('gone');
		this.set(client_id, { state: 'preparing' });
		const p = await this.env.prepare(job.file);
		if (signal.aborted) return;
		const { type, width, height, duration, body, thumb } = p;
		// Parts that are there already are of these bytes, or of no use.
		if (job.kept.id !== null && body.size !== job.kept.size) throw new TransferError('differs');
		const size = body.size;
		const facts = { type, width, height, duration, size };
		job.kept = { ...job.kept, ...facts, blob: body, thumb: thumb?.body ?? null, thumbSize: thumb && { width: thumb.width, height: thumb.height } };
		const preview = this.previewOf(job.kept);
		this.set(client_id, { ...facts, ...(preview ? { preview } : {}) });
		this.save(job.kept);
	}

	/* Beside its file; where it fails the file goes without one. */
	private async sendThumb(kept: KeptUpload, of: number, signal: AbortSignal): Promise<void> {
		const body = kept.thumb!;
		const transfer = new Transfer(this.env, {}, signal);
		transfer.body = body;
		try {
			const wish = {
				...{
					client_id: kept.thumbWish,
					channel: kept.channel,
					name: `${kept.name}.${body.type.split('/')[1]}`,
					size: body.size,
					type: body.type,
				},
				...{ ...kept.thumbSize!, thumbnail_of: of },
			};
			await transfer.finish(await transfer.begin(wish, true));
		} catch (e) {
			if (signal.aborted || (e instanceof ApiError && e.status === 401)) throw e;
		}
	}

	private went(client_id: string, job: Job, sent: number): void {
		const now = this.env.now();
		const u = this.find(client_id);
		if (!u || (now - job.told < TOLD_EVERY && sent < job.kept.size && sent >= u.sent)) return;
		job.told = now;
		const ms = now - job.mark.at;
		let { speed } = u;
		if (sent < job.mark.sent) job.mark = { at: now, sent };
		else if (ms >= TOLD_EVERY) {
			const latest = ((sent - job.mark.sent) * 1000) / ms;
			const weight = Math.min(1, ms / SPEED_OVER);
			speed = speed ? speed * (1 - weight) + latest * weight : latest;
			job.mark = { at: now, sent };
		}
		this.set(client_id, { sent, speed });
	}

	/* --- what is held of them --- */

	private has(file: number): boolean {
		return [...this.jobs.values()].some((j) => j.kept.id === file);
	}

	private tellDraft(u: Upload | undefined): void {
		if (u?.message === null) this.env.onDraft?.(u.channel, u.thread);
	}

	private find(client_id: string): Upload | undefined {
		return this.env.store.get().uploads.find((u) => u.client_id === client_id);
	}

	private set(client_id: string, change: Partial<Upload>): void {
		this.env.store.dispatch({ type: 'upload/set', client_id, change });
	}

	private keep(client_id: string, change: Partial<KeptUpload>): void {
		const job = this.jobs.get(client_id);
		if (!job) return;
		job.kept = { ...job.kept, ...change };
		if (job.kept.blob || job.kept.id !== null) this.save(job.kept);
	}

	private save(kept: KeptUpload): void {
		void this.env.shelf.save(kept.size > KEEP_UP_TO ? { ...kept, blob: null } : kept);
	}

	private previewOf(kept: KeptUpload): string | null {
		const blob = kept.thumb ?? (kept.width && kept.type.startsWith('image/') ? kept.blob : null);
		return blob && this.env.picture(blob);
	}

	/* stored: its picture is shown on, in the message. */
	private drop(client_id: string, stored = false): void {
		const u = this.find(client_id);
		this.jobs.delete(client_id);
		this.env.store.dispatch({ type: 'upload/drop', client_id });
		void this.env.shelf.drop(client_id);
		if (u?.preview && !stored) {
			if (u.file) this.pictures.delete(u.file.id);
			this.env.forgetPicture(u.preview);
		}
	}

	private showHere(file: StoredFile, preview: string | null): void {
		if (!preview) return;
		this.pictures.set(file.id, preview);
		const [oldest] = this.pictures;
		if (this.pictures.size <= PICTURES || !oldest) return;
		this.pictures.delete(oldest[0]);
		this.env.forgetPicture(oldest[1]);
	}
}
