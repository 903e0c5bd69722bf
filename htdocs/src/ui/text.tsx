// A message's text as plain text: never as HTML. Links are made of http(s) addresses alone, and open apart from us.
import type { ComponentChildren } from 'preact';
import { splitMentions } from '../model/mention';
import { useState$ } from './context';
import { myId } from '../model/state';
import { personName } from './names';

const LINK = /\bhttps?:\/\/[^\s<>"'`\u0000-\u0020\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;

const CLOSES = new Map([
	['(', ')'],
	['[', ']'],
	['{', '}'],
]);

/* Splits the end of an address from the sentence it stands in: "(see https://x.org/a_(b))." */
export function trimLink(raw: string): string {
	const surplus = new Map([...CLOSES.values()].map((c) => [c, 0])); // closing brackets without an opening one
	for (const c of raw) {
		const closing = CLOSES.get(c);
		if (closing) surplus.set(closing, surplus.get(closing)! - 1);
		else if (surplus.has(c)) surplus.set(c, surplus.get(c)! + 1);
	}
	let end = raw.length;
	for (; end > 0; end--) {
		const last = raw[end - 1]!;
		const n = surplus.get(last) ?? 0;
		if (n > 0) surplus.set(last, n - 1);
		else if (!/[.,;:!?…]/.test(last)) break;
	}
	return raw.slice(0, end);
}

export type Piece = string | { href: string; text: string };

export function linkify(text: string): Piece[] {
	const pieces: Piece[] = [];
	let at = 0;
	for (const m of text.matchAll(LINK)) {
		const link = trimLink(m[0]);
		let url: URL;
		try {
			url = new URL(link);
		} catch {
			continue;
		}
		if (!url.hostname || !/^https?:$/.test(url.protocol)) continue;
		if (m.index > at) pieces.push(text.slice(at, m.index));
		pieces.push({ href: url.href, text: link });
		at = m.index + link.length;
	}
	if (at < text.length) pieces.push(text.slice(at));
	return pieces;
}

/* `people`: whom the text may name, by handle. */
export function MessageText({ text, people }: { text: string; people?: ReadonlyMap<string, number> }): ComponentChildren {
	return linkify(text).map((p) =>
		typeof p === 'string' ? (
			people?.size ? (
				splitMentions(p, people).map((m) => (typeof m === 'string' ? m : <Mention user={m.user} text={m.text} />))
			) : (
				p
			)
		) : (
			<a href={p.href} target="_blank" rel="noopener noreferrer nofollow">
				<bdi>{p.text}</bdi>
			</a>
		),
	);
}

/* With those whom it names (ids) marked. */
export function NamingText({ text, mentions }: { text: string; mentions: readonly number[] }) {
	// A handle holds no space.
	const handles = useState$((s) => mentions.map((id) => s.users[id]?.handle ?? '').join(' ')).split(' ');
	const people = new Map(mentions.map((id, i) => [handles[i] ?? '', id]));
	people.delete('');
	return <MessageText text={text} people={people} />;
}

function Mention({ user, text }: { user: number; text: string }) {
	const name = useState$((s) => personName(s.users[user]));
	const me = useState$((s) => myId(s) === user);
	return (
		<span class={me ? 'mention mention-me' : 'mention'} title={text}>
			<bdi>@{name}</bdi>
		</span>
	);
}
