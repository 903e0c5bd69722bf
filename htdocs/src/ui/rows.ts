// What the message list shows, as a flat list of rows: messages, day lines, the "new messages" line, what is pending.
// Pure; order is by seq alone, whatever any clock says, and pending messages come after all that have a seq.
import type { Log, Message, Pending } from '../model/types';
import { dayStart } from './time';

export type Row =
	| { key: string; kind: 'start' }
	| { key: string; kind: 'older' }
	| { key: string; kind: 'day'; start: number }
	| { key: string; kind: 'new' }
	| MessageRow
	| { key: string; kind: 'pending'; pending: Pending; head: boolean };

type MessageRow = { key: string; kind: 'message'; message: Message; at: number; head: boolean };

const GROUP = 5 * 60_000; // ms; one sender with no longer pauses is one group
const STRETCH = 30 * 60_000; // ms; and a group shows its time anew on the half hour

/* Whether a message needs its own head. Depends on it and the one before alone: heads must stay where they are when
 * older messages are loaded above. */
function needsHead(last: { sender: number; at: number } | null, sender: number, at: number): boolean {
	return !last || last.sender !== sender || Math.abs(at - last.at) > GROUP || Math.floor(at / STRETCH) !== Math.floor(last.at / STRETCH);
}

/* Rows of messages are made once, unless their heads change: a list of 10,000 is built anew with every message and every page. */
const made = new WeakMap<Message, MessageRow>();

function messageRow(message: Message): MessageRow {
	let row = made.get(message);
	if (!row) made.set(message, (row = { key: `m${message.seq}`, kind: 'message', message, at: Date.parse(message.created_at) || 0, head: true }));
	return row;
}

export const timeStamp = (m: Message): number => messageRow(m).at;

export function buildRows(log: Log, pending: readonly Pending[], me: number, line: number | null): Row[] {
	const rows: Row[] = [log.hasBefore ? { key: 'older', kind: 'older' } : { key: 'start', kind: 'start' }];
	let from = 0; // the day of the row before: [from, to)
	let to = -1;
	// Where the first unread message is not loaded yet, a line would stand in the wrong place.
	const first = log.messages[0]?.seq ?? 0;
	let lineDone = line === null || (log.hasBefore && first > line + 1);
	let last: { sender: number; at: number } | null = null;

	for (const message of log.messages) {
		let row = messageRow(message);
		const { at } = row;
		if (at < from || at >= to) {
			from = dayStart(at);
			to = dayStart(at, 1);
			// The same day may come twice when clocks were set: the key must not.
			rows.push({ key: `d${from}/${message.seq}`, kind: 'day', start: from });
			last = null;
		}
		if (!lineDone && message.seq > (line ?? 0)) {
			lineDone = true;
			// Above own messages there is nothing new; and at the very top it says nothing.
			if (message.sender !== me || log.messages.some((m) => m.seq > (line ?? 0) && m.sender !== me)) {
				rows.push({ key: 'new', kind: 'new' });
				last = null;
			}
		}
		const head: boolean = needsHead(last, message.sender, at);
		if (row.head !== head) made.set(message, (row = { ...row, head }));
		rows.push(row);
		last = { sender: message.sender, at };
	}
	for (const p of pending) {
		const head = needsHead(last, me, p.at);
		rows.push({ key: `p${p.client_id}`, kind: 'pending', pending: p, head });
		last = { sender: me, at: p.at };
	}
	return rows;
}
