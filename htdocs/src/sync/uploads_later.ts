// The uploads as the rest of the client knows them. Their machinery (uploads.ts and what it stands on) is loaded behind the first screen,
// or with the first file. Where that fails it is tried again, and said if somebody waits for it; nothing that was chosen is lost meanwhile.
import type { Pending } from '../model/types';
import { pauseOrWake, whenIdle } from './browser';
import type { UploadShelf } from './upload_shelf';
import type { Uploads } from './uploads';

const FIRST_PAUSE = 2_000; // ms, twice as long after each failure in a row
const LONGEST_PAUSE = 60_000;

export interface LaterEnv {
	load(): Promise<Uploads>;
	shelf: UploadShelf;
	/* Tabs that are there now. */
	living(): Promise<Set<string>>;
	/* Files were chosen, and could not be taken yet. */
	onFailed(): void;
}

export class LaterUploads {
	/* Chosen files are about to be taken: what is sent this moment would go without them. */
	taking = 0;
	private here: Uploads | null = null;
	private coming: Promise<Uploads> | null = null;
	private stopped = false;
	private notIdle = () => {};

	constructor(private env: LaterEnv) {}

	begin(): void {
		this.notIdle = whenIdle(() => this.when(() => {}));
	}

	stop(): void {
		this.stopped = true;
		this.notIdle();
		this.here?.stop();
	}

	/* Loads it, once at a time. */
	private need(): Promise<Uploads> {
		this.coming ??= this.env.load().then(
			(u) => (this.here = u),
			(e) => {
				this.coming = null;
				throw e;
			},
		);
		return this.coming;
	}

	/* With the machinery, however long it takes to come. */
	private async when(act: (u: Uploads) => void | Promise<void>): Promise<void> {
		for (let n = 0; !this.stopped; n++) {
			const u = await this.need().catch(() => null);
			if (u && !this.stopped) return act(u);
			await pauseOrWake(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** n));
		}
	}

	/* --- as of Uploads; what is not loaded holds nothing --- */

	add(channel: number, files: readonly File[], thread?: number): void {
		if (this.here) return this.here.add(channel, files, thread);
		this.taking++;
		void this.need()
			.finally(() => this.taking--)
			.then(
				(u) => u.add(channel, files, thread),
				() => {
					this.env.onFailed();
					void this.when((u) => u.add(channel, files, thread));
				},
			);
	}

	cancel(client_id: string): void {
		void this.when((u) => u.cancel(client_id));
	}

	retry(client_id: string): void {
		this.here?.retry(client_id);
	}

	giveAgain(client_id: string, file: File): boolean {
		return this.here?.giveAgain(client_id, file) ?? false;
	}

	attach(channel: number, message: string, thread?: number): Pending['files'] {
		return this.here?.attach(channel, message, thread);
	}

	async showDraft(place: { channel: number; thread?: number }, files: readonly number[]): Promise<void> {
		if (this.here || files.length) await this.when((u) => u.showDraft(place, files));
	}

	pictureOf(file: number): string | undefined {
		return this.here?.pictureOf(file);
	}

	wake(): void {
		this.here?.wake();
	}

	settle(): void {
		this.here?.settle();
	}

	/* alive: pages that were there when the outbox took over what others have left. Those that have come meanwhile are there too. */
	adopt(alive: ReadonlySet<string>): void {
		void this.when(async (u) => u.adopt(new Set([...alive, ...(await this.env.living())])));
	}

	forget(user: number): Promise<void> {
		return this.env.shelf.forget(user);
	}
}
