// The completion of an emoji by its name (":thu") and of a channel ("#gen").
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Hash, Lock } from 'lucide';
import { ownRows } from '../model/custom_emoji';
import type { EmojiRow } from '../model/emoji';
import { fold } from '../model/mention';
import { sections } from '../model/state';
import { wordAt } from '../model/writing';
import { shelf } from '../sync/local';
import { tt } from '../strings_text';
import { useCompletion, type Completion, type Field, type Option, type Put, type Query } from './completion';
import { useState$, useUi } from './context';
import { EmojiFace } from './custom_emoji';
import { Icon } from './icon';
import { channelName } from './names';

const MOST = 8;

type Emoji = { rows: readonly EmojiRow[]; of: typeof import('../model/emoji') };

/* The list of emoji and what searches it, once somebody asks for one. */
function useEmoji(wanted: boolean): Emoji | null {
	const upto = useState$((s) => s.limits.emoji);
	const [got, setGot] = useState<Emoji | null>(null);
	useEffect(() => {
		if (!wanted || got) return;
		void Promise.all([import('emoji-data'), import('../model/emoji')]).then(
			([m, of]) => setGot({ rows: m.default, of }),
			() => {},
		);
	}, [wanted]);
	const own = useState$((s) => s.emoji);
	return useMemo(() => got && { ...got, rows: [...ownRows(own), ...got.of.known(got.rows, upto)] }, [got, upto, own]);
}

function useOptions(at: Query | null): readonly Option[] {
	const mark = at?.query[0];
	const emoji = useEmoji(mark === ':');
	const { client } = useUi();
	const channels = useState$((s) => s.channels);
	return useMemo(() => {
		const q = at?.query.slice(1) ?? '';
		if (mark === ':') {
			if (!emoji) return [];
			const { rows, of } = emoji;
			const tone = Number(shelf.get('tone')) || 0;
			const option = (r: EmojiRow, whole: boolean) => {
				const write = of.toned(r, tone);
				const own = r[3] < 0;
				const id = own ? `own-${r[1]}` : r[1].replace(/[^a-z0-9]+/gi, '-');
				const face = (
					<span class="word-emoji">
						<EmojiFace emoji={write} />
					</span>
				);
				return { id, write: `${write} `, face, name: r[1], note: '', whole };
			};
			if (!q.endsWith(':')) return of.searchEmoji(rows, q, MOST).map((r) => option(r, false));
			// Written in full: an own one stands so in the text.
			const one = of.emojiCalled(rows, q.slice(0, -1).toLowerCase());
			return one && one[3] >= 0 ? [option(one, true)] : [];
		}
		if (mark !== '#') return [];
		const want = fold(q);
		const rank = (name: string) => (name.startsWith(want) ? 0 : name.split(/[\s_-]+/).some((w) => w.startsWith(want)) ? 1 : 2);
		return sections(client.store.get())
			.channels.map((c) => ({ c, rank: rank(fold(c.name ?? '')) }))
			.filter((x) => x.rank < 2)
			.sort((a, b) => a.rank - b.rank)
			.slice(0, MOST)
			.map(({ c }) => ({
				id: `c${c.id}`,
				write: `#${c.name} `,
				face: <Icon of={c.kind === 'private' ? Lock : Hash} size={16} />,
				name: channelName(c),
				note: c.topic ?? '',
			}));
	}, [at?.query, emoji, channels]);
}

export function useWords(place: number, area: Field, put: Put): Completion {
	return useCompletion({ list: 'word-list', label: tt.emojiOrChannel, place, writingAt: wordAt, useOptions }, area, put);
}
