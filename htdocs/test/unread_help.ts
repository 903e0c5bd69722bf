// Unread messages and mentions of one channel: its lines, and what is made of them.
import { type Action, reduce } from '../src/model/reduce';
import type { State } from '../src/model/state';
import type { Channel, Line, Membership, Message, OwnMarks } from '../src/model/types';
import { unreadOf } from '../src/model/unread';
import { channel, marks, ME, membership, message, signedIn } from './help';

export const run = (s: State, ...actions: Action[]): State => actions.reduce(reduce, s);
export const lines = (...list: object[]): Action => ({ type: 'lines', lines: list as Line[] });
export const event = (m: Message) => ({ type: 'message', cursor: `c${m.seq}`, ...m });
export const said = (seq: number, more: Partial<Message> = {}) => event(message(1, seq, more));
export const AT = '2026-11-25T10:00:00.000Z';
export const own = (seq: number) => said(seq, { sender: ME });
export const toMe = (seq: number) => said(seq, { body: { text: 'you', mentions: [ME] } });
export const deleted = (seq: number, more: Partial<Message> = {}) => {
	const { body: _, client_id: _c, ...m } = message(1, seq, { version: 2, deleted: true, ...more });
	return { type: 'message.deleted', cursor: `d${seq}`, ...m };
};
export const readLine = (more: Partial<OwnMarks>) => ({ type: 'read', channel: 1, ...marks(more) });
export const answer = (last_seq: number, m: Partial<Membership>, heard?: number): Action => ({
	type: 'channel',
	channel: channel(1, { last_seq, membership: membership(m) }),
	heard,
});
/* A channel with so many messages, read up to a seq, with so many unread above it. */
export const at = (last_seq: number, last_read_seq: number, unread: number, more: Partial<Membership> = {}): State =>
	signedIn(channel(1, { last_seq, membership: membership({ last_read_seq, unread, ...more }) }));
export const one = (s: State): Channel => s.channels[1]!;
export const unread = (s: State): number => unreadOf(one(s));
export const mentions = (s: State): number => one(s).membership!.mentions;
