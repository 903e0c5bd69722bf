// The module `emoji-data`: what the picker needs of the package emojibase-data, made at build time.
// A row: [emoji, name, other words, group, version of Unicode, its five skin tones or nothing].
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const source = createRequire(import.meta.url).resolve('emojibase-data/en/data.json');

async function rows() {
	const all = JSON.parse(await readFile(source, 'utf8'));
	return all
		.filter((e) => e.group !== undefined && e.group !== 2) // no letters of flags, no bare skin tones
		.sort((a, b) => a.order - b.order)
		.map((e) => {
			const tones = (e.skins ?? []).filter((s) => typeof s.tone === 'number').map((s) => s.emoji);
			return [e.emoji, e.label, (e.tags ?? []).join(' '), e.group, e.version, ...(tones.length === 5 ? [tones] : [])];
		});
}

export const emojiData = {
	name: 'emoji-data',
	setup(build) {
		build.onResolve({ filter: /^emoji-data$/ }, () => ({ path: 'emoji-data', namespace: 'emoji-data' }));
		build.onLoad({ filter: /.*/, namespace: 'emoji-data' }, async () => ({
			contents: JSON.stringify(await rows()),
			loader: 'json',
			watchFiles: [source],
		}));
	},
};
