// The colours of code, a part of its own: a few languages of highlight.js, as pieces with the classes of the style sheet.
import { createLowlight } from 'lowlight';
import type { ElementContent, RootContent } from 'hast';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import python from 'highlight.js/lib/languages/python';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

const known = createLowlight({ bash, c, cpp, css, diff, go, ini, java, javascript, json, python, rust, sql, typescript, xml, yaml });

export type Coloured = string | { kind: string; of: Coloured[] };

/* Classes are those of the library alone: what the text says goes nowhere but into text. */
function pieces(nodes: readonly (RootContent | ElementContent)[]): Coloured[] {
	return nodes.flatMap((n): Coloured[] => {
		if (n.type === 'text') return [n.value];
		if (n.type !== 'element') return [];
		const names = Array.isArray(n.properties.className) ? n.properties.className.join(' ') : '';
		return [{ kind: names, of: pieces(n.children) }];
	});
}

const MOST_KEPT = 100;
const kept = new Map<string, Coloured[]>();

/* By the name of a language, or one of its other names; an unknown one has no colours. */
export function highlight(lang: string, text: string): Coloured[] {
	if (!known.registered(lang)) return [text];
	const key = `${lang}\n${text}`;
	let of = kept.get(key);
	if (!of) {
		of = pieces(known.highlight(lang, text).children);
		kept.set(key, of);
		if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
	}
	return of;
}
