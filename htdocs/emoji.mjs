// The module `emoji-data`: what the picker needs of the package emojibase-data, made at build time.
// A row: [emoji, name, other words, group, version of Unicode, its five skin tones or nothing]. Of the words those between colons are what it is
// called elsewhere too.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);
const source = resolve('emojibase-data/en/data.json');
const called = resolve('emojibase-data/en/shortcodes/github.json');

async function rows() {
	const [all, names] = (await Promise.all([source, called].map((path) => readFile(path, 'utf8')))).map((text) => JSON.parse(text));
	const wordsOf = (e) => [...[names[e.hexcode] ?? []].flat().map((name) => `:${name}:`), ...(e.tags ?? [])].join(' ');
	return all
		.filter((e) => e.group !== undefined && e.group !== 2) // no letters of flags, no bare skin tones
		.sort((a, b) => a.order - b.order)
		.map((e) => {
			const tones = (e.skins ?? []).filter((s) => typeof s.tone === 'number').map((s) => s.emoji);
			return [e.emoji, e.label, wordsOf(e), e.group, e.version, ...(tones.length === 5 ? [tones] : [])];
		});
}

export const emojiData = {
	name: 'emoji-data',
	setup(build) {
		build.onResolve({ filter: /^emoji-data$/ }, () => ({ path: 'emoji-data', namespace: 'emoji-data' }));
		build.onLoad({ filter: /.*/, namespace: 'emoji-data' }, async () => ({
			contents: JSON.stringify(await rows()),
			loader: 'json',
			watchFiles: [source, called],
		}));
	},
};
