// The completion of an emoji by its name (":thu") and of a channel ("#gen").
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Hash, Lock } from 'lucide';
import { known, ownRows, searchEmoji, toned, type EmojiRow } from '../model/emoji';
import { fold } from '../model/mention';
import { sections } from '../model/state';
import { wordAt } from '../model/writing';
import { shelf } from '../sync/local';
import { tt } from '../strings_text';
import { useCompletion, type Completion, type Field, type Option, type Put, type Query } from './completion';
import { useState$, useUi } from './context';
import { EmojiFace } from './custom_emoji';
import { Icon } from './icon';

const MOST = 8;

/* The list of emoji, once somebody asks for one. */
function useEmoji(wanted: boolean): readonly EmojiRow[] {
	const upto = useState$((s) => s.limits.emoji);
	const [rows, setRows] = useState<readonly EmojiRow[]>([]);
	useEffect(() => {
		if (wanted && !rows.length) void import('emoji-data').then((m) => setRows(m.default), () => {});
	}, [wanted]);
	const own = useState$((s) => s.emoji);
	return useMemo(() => [...ownRows(own), ...known(rows, upto)], [rows, upto, own]);
}

function useOptions(at: Query | null): readonly Option[] {
	const mark = at?.query[0];
	const rows = useEmoji(mark === ':');
	const { client } = useUi();
	const channels = useState$((s) => s.channels);
	return useMemo(() => {
		const q = at?.query.slice(1) ?? '';
		if (mark === ':') {
			const tone = Number(shelf.get('tone')) || 0;
			return searchEmoji(rows, q.replace(/[_:]/g, ' '), MOST).map((r) => {
				const emoji = toned(r, tone);
				const id = r[0].startsWith(':') ? `own-${r[1]}` : r[1].replace(/[^a-z0-9]+/gi, '-');
				const face = (
					<span class="word-emoji">
						<EmojiFace emoji={emoji} />
					</span>
				);
				return { id, write: `${emoji} `, face, name: r[1], note: '' };
			});
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
				name: c.name ?? '',
				note: c.topic ?? '',
			}));
	}, [at?.query, rows, channels]);
}

export function useWords(place: number, area: Field, put: Put): Completion {
	return useCompletion({ list: 'word-list', label: tt.emojiOrChannel, place, writingAt: wordAt, useOptions }, area, put);
}
