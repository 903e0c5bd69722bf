// Pins of the channel that is open, and what one has saved. An answer goes through the same reducers as the event that says the same.
import { isPinned, isSaved } from '../model/keep';
import type { Line, Pins, Saved, SavedList } from '../model/types';
import type { Store } from '../store';

export interface KeepsEnv {
	store: Store;
	pins(channel: number): Promise<Pins>;
	/* Who these are is to be known. */
	people(ids: readonly number[]): void;
	pin(channel: number, seq: number, on: boolean): Promise<Pins>;
	saved(): Promise<SavedList>;
	save(channel: number, seq: number, on: boolean): Promise<Saved>;
}

export class Keeps {
	private heard = 0; // the newest version of what one has saved that was told of
	private asking: Promise<void> | null = null;
	private asked = new Set<number>();

	constructor(private env: KeepsEnv) {}

	/* What a channel that is opened needs. Failures are of no account: it is asked again when one is opened next. */
	open(channel: number): void {
		const s = this.env.store.get();
		void this.list();
		if (s.pins[channel] || !s.channels[channel] || this.asked.has(channel)) return;
		this.asked.add(channel);
		this.env
			.pins(channel)
			.then(
				(pins) => {
					this.env.people(pins.pins.map((p) => p.by));
					if (this.env.store.get().channels[channel]) this.env.store.dispatch({ type: 'pins', pins });
				},
				() => {},
			)
			.finally(() => this.asked.delete(channel));
	}

	/* Where the saved messages are. */
	list(): Promise<void> {
		if (this.env.store.get().saved) return Promise.resolve();
		this.asking ??= this.ask().finally(() => (this.asking = null));
		return this.asking;
	}

	private async ask(): Promise<void> {
		try {
			const list = await this.env.saved();
			this.env.store.dispatch({ type: 'saved', list });
			if (list.version < this.heard) await this.ask(); // more was saved meanwhile
		} catch {
			// next time
		}
	}

	/* One is in again: what was saved there counts again. */
	joined(): void {
		if (this.env.store.get().saved) void this.ask();
	}

	onSaved(line: Line): void {
		this.heard = Math.max(this.heard, Number(line.version));
	}

	/* The server's log went back. */
	distrust(): void {
		this.heard = 0;
	}

	async togglePin(channel: number, seq: number): Promise<boolean> {
		const on = !isPinned(this.env.store.get(), channel, seq);
		const pins = await this.env.pin(channel, seq, on);
		this.env.store.dispatch({ type: 'pins', pins });
		return on;
	}

	async toggleSaved(channel: number, seq: number): Promise<boolean> {
		await this.list();
		const on = !isSaved(this.env.store.get(), channel, seq);
		const told = await this.env.save(channel, seq, on);
		this.heard = Math.max(this.heard, told.version);
		this.env.store.dispatch({ type: 'lines', lines: [{ ...told, type: 'saved.updated' } as unknown as Line] });
		return on;
	}
}
