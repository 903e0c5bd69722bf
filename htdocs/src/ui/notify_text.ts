// What a notification says: who, where, and what, in plain text. A text as it is said (markdown.ts), names for handles, files named.
import { groupOf, handleOf } from '../model/groups';
import { preview } from '../model/markdown';
import { splitMentions } from '../model/mention';
import { myId, type State } from '../model/state';
import { isAside } from '../model/threads';
import type { Message, MessageFile, Name } from '../model/types';
import { t } from '../strings';
import { tn } from '../strings_notify';
import { apart, channelLabel, personName } from './names';

const MOST = 240; // characters

export interface NoticeText {
	title: string;
	body: string;
}

/* Of the unread messages of one channel, in their order. */
export function noticeText(s: State, messages: readonly Message[], hides: boolean): NoticeText {
	const last = messages[messages.length - 1]!;
	const c = s.channels[last.channel]!;
	const name = (id: number) => personName(s.users[id]);
	const who = name(last.sender);
	const direct = c.kind === 'direct' && c.peer !== null;
	const where = channelLabel(s, c);
	const text = said(s, last);
	if (messages.length > 1) {
		const title = direct ? tn.manyFrom(messages.length, who) : tn.manyIn(messages.length, where);
		const all = [...new Set(messages.map((m) => name(m.sender)))];
		return { title, body: hides ? (direct ? '' : tn.from(all)) : direct ? text : tn.says(who, text) };
	}
	const place = direct ? '' : where;
	const quotesMe = last.body?.reply_to?.sender === myId(s);
	const title = isAside(last) ? tn.repliedIn(who, place) : quotesMe ? tn.answeredIn(who, place) : place ? tn.whoIn(who, place) : who;
	return { title, body: hides ? tn.hidden : text };
}

function said(s: State, { body }: Message): string {
	const text = body?.text ? named(s, preview(body.text, MOST), body.mentions ?? []) : '';
	const { forward } = body ?? {};
	const of = forward && [tn.forwarded, preview(forward.text, MOST), files(forward.files)].filter(Boolean).join(' ');
	return [text, of, files(body?.files)].filter(Boolean).join('\n') || t.emptyMessage;
}

function files(list: readonly MessageFile[] | undefined): string {
	if (!list?.length) return '';
	const [one, more] = list;
	return !more && !one!.erased ? one!.name : t.filesIn(list.length);
}

/* People and groups by name where the text has their handles. */
function named(s: State, text: string, mentions: readonly Name[]): string {
	const of = new Map(mentions.map((n) => [handleOf(s, n), n]));
	of.delete('');
	const word = (n: Name, text: string) => {
		const group = groupOf(s, n);
		return typeof n === 'number' ? `@${personName(s.users[n])}` : group ? `@${apart(group.name)}` : text;
	};
	return splitMentions(text, of).map((p) => (typeof p === 'string' ? p : word(p.who, p.text))).join('');
}
