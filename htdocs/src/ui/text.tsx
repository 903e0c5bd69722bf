// A message's text as plain text: never as HTML. Links are made of http(s) addresses alone, and open apart from us.
import type { ComponentChildren } from 'preact';

const LINK = /\bhttps?:\/\/[^\s<>"'`\u0000-\u0020\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;

/* Splits the end of an address from the sentence it stands in: "(see https://x.org/a_(b))." */
export function trimLink(raw: string): string {
	let link = raw;
	for (;;) {
		const last = link.at(-1)!;
		if (/[.,;:!?…]/.test(last)) link = link.slice(0, -1);
		else if (
			(last === ')' && !balanced(link, '(', ')')) ||
			(last === ']' && !balanced(link, '[', ']')) ||
			(last === '}' && !balanced(link, '{', '}'))
		)
			link = link.slice(0, -1);
		else return link;
	}
}

function balanced(s: string, open: string, close: string): boolean {
	let n = 0;
	for (const c of s) n += c === open ? 1 : c === close ? -1 : 0;
	return n >= 0;
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

export function MessageText({ text }: { text: string }): ComponentChildren {
	return linkify(text).map((p) =>
		typeof p === 'string' ? (
			p
		) : (
			<a href={p.href} target="_blank" rel="noopener noreferrer nofollow">
				<bdi>{p.text}</bdi>
			</a>
		),
	);
}
