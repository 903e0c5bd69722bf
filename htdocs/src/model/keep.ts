// What is kept: drafts as the server has them, pins of channels, what one has saved, the site's emoji. Pure; by events and by loads alike.
import { applyEmoji, applyEmojiLine } from './custom_emoji';
import { initialState, myId, type State } from './state';
import { rankIn } from './roles';
import { placeKey, placeOf } from './threads';
import type { Draft, EmojiList, Line, Pins, Saved, SavedList } from './types';

export type KeepAction =
	| { type: 'kept'; draft: Draft }
	| { type: 'pins'; pins: Pins }
	| { type: 'saved'; list: SavedList }
	| { type: 'emoji'; list: EmojiList };

export function applyKeep(s: State, a: KeepAction): State {
	switch (a.type) {
		case 'kept':
			return putDraft(s, a.draft);
		case 'pins':
			return putPins(s, a.pins);
		case 'emoji':
			return applyEmoji(s, a.list);
		case 'saved': {
			if (s.saved && s.saved.version > a.list.version) return s;
			const at: Record<string, string> = {};
			for (const x of a.list.saved) at[`${x.channel}/${x.seq}`] = x.at;
			return { ...s, saved: { version: a.list.version, at } };
		}
	}
}

/* A line of these; any other is none of ours. */
export function applyKeepLine(s: State, line: Line): State {
	if (line.type === 'emoji.updated') return applyEmojiLine(s, line);
	if (line.type === 'pins.updated') return putPins(s, line as unknown as Pins);
	const { channel, seq, saved, at, version } = line as unknown as Saved;
	// Before the list is there it tells nothing: the list is newer.
	if (line.type !== 'saved.updated' || !s.saved || version <= s.saved.version) return s;
	const { [`${channel}/${seq}`]: _, ...others } = s.saved.at;
	return { ...s, saved: { version, at: saved && at ? { ...others, [`${channel}/${seq}`]: at } : others } };
}

/* A message is gone: it is saved no more. What is pinned is told apart from it. */
export function dropKept(s: State, channel: number, seq: number): State {
	const key = `${channel}/${seq}`;
	if (!s.saved || !(key in s.saved.at)) return s;
	const { [key]: _, ...at } = s.saved.at;
	return { ...s, saved: { ...s.saved, at } };
}

/* Nothing of it is known. */
export const nothingKept: Pick<State, 'kept' | 'pins' | 'saved' | 'emoji'> = { kept: {}, pins: {}, saved: null, emoji: initialState.emoji };

/* A channel that one is not in any more. */
export function dropKeptOf(s: State, channel: number): State {
	const kept = Object.fromEntries(Object.entries(s.kept).filter(([place]) => placeOf(place).channel !== channel));
	const { [channel]: _p, ...pins } = s.pins as Record<number, Pins>;
	const at = s.saved && Object.fromEntries(Object.entries(s.saved.at).filter(([k]) => !k.startsWith(`${channel}/`)));
	return { ...s, kept, pins, saved: s.saved && at ? { ...s.saved, at } : s.saved };
}

/* Of version 0: the server knows none, or has forgotten it. */
function putDraft(s: State, d: Draft): State {
	const place = placeKey(d.channel, d.thread);
	if (d.version === 0) return { ...s, kept: { ...s.kept, [place]: d } };
	return (s.kept[place]?.version ?? -1) >= d.version ? s : { ...s, kept: { ...s.kept, [place]: d } };
}

function putPins(s: State, { channel, pins, pins_version }: Pins): State {
	const held = s.pins[channel];
	if (held && held.pins_version >= pins_version) return s;
	return { ...s, pins: { ...s.pins, [channel]: { channel, pins, pins_version } } };
}

/* Whether it says anything. */
export const saysDraft = (d: Draft): boolean => d.text !== '' || d.files.length > 0 || d.reply_to != null;

/* What `drafts=` says; of a thread only a draft that says something counts. */
export const draftVersions = (s: State): number =>
	Object.values(s.kept).reduce((n, d) => n + (d.thread === null || saysDraft(d) ? d.version : 0), 0);

export const isPinned = (s: State, channel: number, seq: number): boolean => s.pins[channel]?.pins.some((p) => p.seq === seq) === true;
export const isSaved = (s: State, channel: number, seq: number): boolean => s.saved !== null && `${channel}/${seq}` in s.saved.at;

/* How many pins one may see: of older ones only that they are pinned is told. */
export const pinsSeen = (s: State, channel: number): number =>
	s.pins[channel]?.pins.filter((p) => p.seq >= (s.channels[channel]?.membership?.first_seq ?? 1)).length ?? 0;

/* Either in a direct channel; else who has a say in it. */
export function mayPin(s: State, channel: number): boolean {
	const c = s.channels[channel];
	if (!c || c.archived || !myId(s)) return false;
	return c.kind === 'direct' || rankIn(s, channel) > 0;
}
