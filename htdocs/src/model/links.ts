// Addresses in texts: where one stands, where it ends, and which may be followed. Pure.

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u0000-\u0020\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
const HERE = new RegExp(ADDRESS.source, 'iuy');
const UNSAFE = /[\u0000-\u0020\u007f-\u00a0\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

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
		else if (!/[.,;:!?…*_~]/.test(last)) break; // the last three: of Markdown
	}
	return raw.slice(0, end);
}

function webAddress(link: string): URL | null {
	try {
		const url = new URL(link);
		return url.hostname && /^https?:$/.test(url.protocol) ? url : null;
	} catch {
		return null;
	}
}

/* The web address that begins there; null: none. */
export function linkAt(text: string, at: number): string | null {
	HERE.lastIndex = at;
	const found = HERE.exec(text);
	const link = found && trimLink(found[0]);
	return link && webAddress(link) && link;
}

/* No person writes so many into one text: what comes behind stays text, since drawing a link costs more than drawing words. */
export const MOST_LINKS = 300;

export type Piece = string | { href: string; text: string };

/* A text in pieces: plain ones, and the web addresses in it. */
export function linkify(text: string): Piece[] {
	const pieces: Piece[] = [];
	let at = 0;
	let links = 0;
	for (const m of text.matchAll(ADDRESS)) {
		const link = trimLink(m[0]);
		const url = webAddress(link);
		if (!url) continue;
		if (++links > MOST_LINKS) break;
		if (m.index > at) pieces.push(text.slice(at, m.index));
		pieces.push({ href: url.href, text: link });
		at = m.index + link.length;
	}
	if (at < text.length) pieces.push(text.slice(at));
	return pieces;
}

/* What a link may lead to: the web, or a letter; null: nothing else. */
export function safeHref(address: string): string | null {
	if (UNSAFE.test(address)) return null;
	if (!/^mailto:[^/]/i.test(address)) return webAddress(address)?.href ?? null;
	try {
		return new URL(address).href;
	} catch {
		return null;
	}
}
