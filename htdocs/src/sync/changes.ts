// What one does to messages that are there: editing one's own, reacting to any. An answer goes through the same reducers as the
// event that says the same.
import { api, ApiError } from '../net/api';
import { lastEditable, mayEdit, messageOf, mineUnknown, sameEmoji, shownOf } from '../model/reactions';
import type { Reacting } from '../model/state';
import type { Line, Message, Name, Reactions } from '../model/types';
import type { Store } from '../store';
import { t } from '../strings';

export class Changes {
	private asked = new Set<string>();
	private last = new Map<string, Promise<void>>(); // of each message and emoji: one after the other

	constructor(
		private store: Store,
		private failed: (e: unknown) => void,
		private now: () => number = Date.now,
	) {}

	/* --- editing --- */

	edit(channel: number, seq: number): boolean {
		const s = this.store.get();
		const m = messageOf(s, channel, seq);
		if (!m?.body || !mayEdit(s, m, this.now())) return false;
		this.store.dispatch({ type: 'editing', editing: { channel, seq, version: m.version, text: m.body.text, state: 'open', error: null } });
		return true;
	}

	/* The newest own one of those that are loaded. */
	editLast(channel: number, thread?: number): boolean {
		const m = lastEditable(this.store.get(), channel, this.now(), thread);
		return m !== undefined && this.edit(channel, m.seq);
	}

	write(text: string): void {
		const { editing } = this.store.get();
		if (editing) this.store.dispatch({ type: 'editing', editing: { ...editing, text } });
	}

	cancel(): void {
		this.store.dispatch({ type: 'editing', editing: null });
	}

	/* mentions: whom the text names. True when it is done. */
	async save(mentions: Name[]): Promise<boolean> {
		const { editing } = this.store.get();
		if (!editing || editing.state === 'saving') return false;
		const { channel, seq, version } = editing;
		const text = editing.text.trim();
		const held = messageOf(this.store.get(), channel, seq);
		if (held?.body?.text === text && held.version === version) {
			this.cancel();
			return true;
		}
		this.store.dispatch({ type: 'editing', editing: { ...editing, state: 'saving', error: null } });
		try {
			const body = { text, ...(mentions.length ? { mentions } : {}) };
			const { data } = await api.edit(channel, seq, body, version);
			this.tell('message.updated', data);
			if (this.isEdited(channel, seq)) this.cancel();
			return true;
		} catch (e) {
			const now = this.store.get();
			const open = now.editing;
			if (!open || !this.isEdited(channel, seq)) {
				this.failed(e);
				return false;
			}
			// Another tab of one's own has been faster: what it says now is shown above, and saving again replaces it.
			const changed = e instanceof ApiError && e.code === 'conflict' && e.field === 'version';
			if (changed) await this.look(channel, seq);
			const fresh = changed ? (messageOf(this.store.get(), channel, seq)?.version ?? open.version) : open.version;
			this.store.dispatch({ type: 'editing', editing: { ...open, version: fresh, state: 'open', error: this.words(e, changed) } });
			return false;
		}
	}

	private words(e: unknown, changed: boolean): string {
		if (!(e instanceof ApiError)) return t.wentWrong;
		if (changed) return t.editChanged;
		if (e.code === 'conflict') return t.editGone;
		if (e.code === 'too_late' || e.code === 'forbidden') return t.editTooLate;
		return e.status === 0 ? t.noConnection : t.editFailed(e.detail);
	}

	private isEdited(channel: number, seq: number): boolean {
		const { editing } = this.store.get();
		return editing?.channel === channel && editing.seq === seq;
	}

	private async look(channel: number, seq: number): Promise<void> {
		await api.message(channel, seq).then(
			({ data }) => this.tell('message.updated', data),
			() => {},
		);
	}

	/* Takes the preview of one's own message away, for everyone. */
	async removePreview(channel: number, seq: number): Promise<void> {
		this.tell('message.updated', (await api.removePreview(channel, seq)).data);
	}

	/* --- reactions --- */

	/* Adds it where it is not there, takes it away where it is. Shows at once. */
	toggle(channel: number, seq: number, emoji: string): void {
		const s = this.store.get();
		const m = messageOf(s, channel, seq);
		if (!m || m.deleted) return;
		const shown = shownOf(s, m).find((r) => sameEmoji(r.emoji, emoji));
		this.react({ channel, seq, emoji, on: shown?.mine !== true });
	}

	react(r: Reacting): void {
		this.store.dispatch({ type: 'react', reacting: r });
		const key = `${r.channel}/${r.seq}/${r.emoji}`;
		const turn = (this.last.get(key) ?? Promise.resolve()).then(() => this.say(r));
		this.last.set(key, turn);
		void turn.finally(() => this.last.get(key) === turn && this.last.delete(key));
	}

	private async say(r: Reacting): Promise<void> {
		try {
			// Only the last word is worth saying.
			if (!this.store.get().reacting.includes(r)) return;
			const { data } = await (r.on ? api.react : api.unreact)(r.channel, r.seq, r.emoji);
			this.tell('reactions.updated', data);
		} catch (e) {
			this.failed(e);
		} finally {
			const key = `${r.channel}/${r.seq}`;
			const mine = this.store.get().mine[key];
			if (mine) {
				const others = mine.filter((e) => !sameEmoji(e, r.emoji));
				this.store.dispatch({ type: 'mine', channel: r.channel, seq: r.seq, emoji: r.on ? [...others, r.emoji] : others });
			}
			this.store.dispatch({ type: 'react/done', reacting: r });
		}
	}

	/* Asks which are one's own, where more have reacted than are told. */
	needMine(m: Message): void {
		const key = `${m.channel}/${m.seq}`;
		if (this.asked.has(key) || !mineUnknown(this.store.get(), m)) return;
		this.asked.add(key);
		api.reactions(m.channel, m.seq)
			.then(
				({ data }) => this.store.dispatch({ type: 'mine', channel: m.channel, seq: m.seq, emoji: data.mine }),
				() => {}, // asked again when it is drawn again
			)
			.finally(() => this.asked.delete(key));
	}

	private tell(type: string, data: Message | Reactions): void {
		this.store.dispatch({ type: 'lines', lines: [{ ...data, type } as unknown as Line] });
	}
}
