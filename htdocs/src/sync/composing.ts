// What is written: by the keyboard into a draft, then sent, forwarded, or thrown away.
import { postOps } from '../net/answers';
import { myId } from '../model/state';
import { placeKey, placeOf } from '../model/threads';
import type { Forward, Name, Pending, SentPlace } from '../model/types';
import type { Client } from './client';
import { saveDraft, shelf } from './local';

type Parts = Pick<Client, 'store' | 'instance' | 'ladder' | 'uploads' | 'quotes' | 'drafts' | 'typist' | 'activity' | 'sender'>;

export class Composing {
	constructor(private c: Parts) {}

	/* By the keyboard, into the composer. */
	typed(channel: number, text: string, thread?: number): void {
		this.setDraft(channel, text, thread);
		if (text.trim()) this.c.typist.key(placeKey(channel, thread));
		else this.c.typist.stop();
	}

	/* By hand. */
	setDraft(channel: number, text: string, thread?: number): void {
		const place = placeKey(channel, thread);
		if ((this.c.store.get().drafts[place] ?? '') === text) return;
		this.putDraft(place, text);
		this.c.drafts.touch(place);
	}

	putDraft(place: string, text: string): void {
		this.c.store.dispatch({ type: 'draft', place, text });
		saveDraft(shelf, myId(this.c.store.get()), place, text);
	}

	tellTyping(place: string): void {
		const { channel, thread } = placeOf(place);
		const { store, ladder } = this.c;
		const c = store.get().channels[channel];
		if (!c?.membership || (c.peer !== null && c.peer === myId(store.get()))) return;
		const op = { op: 'typing', channel, ...(thread && { thread }), ...(c.last_seq ? { seq: c.last_seq } : {}) };
		if (!ladder.send(op) && ladder.state === 'live') postOps((u, i) => fetch(u, i), [op]).catch(() => {});
	}

	send(channel: number, text: string, mentions: Name[] = [], place: SentPlace = {}): void {
		const client_id = crypto.randomUUID();
		const at = placeKey(channel, place.thread);
		const files = this.c.uploads.attach(channel, client_id, place.thread);
		const reply_to = this.c.quotes.take(at);
		this.post({ ...place, client_id, channel, text, ...(files ? { files } : {}), ...(reply_to ? { reply_to } : {}) }, mentions);
		if (!place.thread) this.c.store.dispatch({ type: 'line', channel, after: null });
		this.putDraft(at, '');
		this.c.drafts.sent(at);
		this.c.typist.stop();
	}

	/* With a comment, which may be none. */
	forward(channel: number, text: string, mentions: Name[], forward: Forward): void {
		this.post({ client_id: crypto.randomUUID(), channel, text, forward }, mentions);
	}

	private post(what: Omit<Pending, 'at' | 'owner' | 'state'>, mentions: Name[]): void {
		const item: Pending = { ...what, at: Date.now(), owner: this.c.instance, state: 'queued' };
		if (mentions.length) item.mentions = mentions;
		// Two within a millisecond keep their order.
		const last = this.c.store.get().outbox.at(-1);
		if (last && last.at >= item.at) item.at = last.at + 1;
		this.c.store.dispatch({ type: 'outbox/add', items: [item] });
		this.c.activity.wrote();
		this.c.sender.pump();
	}

	discard(client_id: string): void {
		for (const f of this.c.store.get().outbox.find((p) => p.client_id === client_id)?.files ?? []) this.c.uploads.cancel(f.upload);
		this.c.store.dispatch({ type: 'outbox/drop', client_id });
		this.c.sender.pump();
	}
}
