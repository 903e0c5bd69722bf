// Picks an emoji, for a reaction or to write it: of those one used last, by group, or by a search in their names. Arrows move through the grid.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { known, recentOf, searchEmoji, toned, withRecent, type EmojiRow } from '../model/emoji';
import { mayAddEmoji, OWN_GROUP, ownRows } from '../model/custom_emoji';
import { myId } from '../model/state';
import { t } from '../strings';
import { te } from '../strings_emoji';
import { recentKey, shelf } from '../sync/local';
import { useState$, useUi } from './context';
import { EmojiFace } from './custom_emoji';
import { Dialog } from './dialog';
import { byFinger } from './media';

const MOST_FOUND = 120;
const GROUPS = t.emojiGroups.flatMap((name, id) => (name ? [{ id, name }] : []));

const RECENT_GROUP = -2;

export function ReactPicker({ channel, seq, onClose }: { channel: number; seq: number; onClose: () => void }) {
	const { client } = useUi();
	return <EmojiPicker title={t.react} onPick={(emoji) => client.changes.react({ channel, seq, emoji, on: true })} onClose={onClose} />;
}

interface Props {
	title: string;
	/* Called when it is closed. */
	onPick: (emoji: string) => void;
	onClose: () => void;
}

export function EmojiPicker({ title, onPick, onClose }: Props) {
	const { openDialog, toast } = useUi();
	const upto = useState$((s) => s.limits.emoji);
	const ours = useState$((s) => s.emoji);
	const may = useState$(mayAddEmoji);
	const own = useMemo(() => ownRows(ours), [ours]);
	const [rows, setRows] = useState<readonly EmojiRow[] | null>(null);
	const [query, setQuery] = useState('');
	const [chosen, setGroup] = useState<number | null>(null);
	const [tone, setTone] = useState(() => Number(shelf.get('tone')) || 0);
	const [at, setAt] = useState(0);
	const grid = useRef<HTMLDivElement>(null);

	useEffect(() => {
		import('emoji-data').then(
			(m) => setRows(known(m.default, upto)),
			() => {
				toast(t.partFailed, true);
				onClose();
			},
		);
	}, []);
	const all = useMemo(() => [...own, ...(rows ?? [])], [rows, own]);
	const recentAt = recentKey(useState$(myId));
	const [last] = useState(() => recentOf(shelf.get(recentAt)));
	const recent = useMemo(() => last.map((e) => all.find((r) => r[0] === e)).filter((r) => r !== undefined), [all, last]);
	const used = recent.length > 0 || (!rows && last.length > 0);
	const group = chosen ?? (used ? RECENT_GROUP : 0);
	const groups = [
		...(used ? [{ id: RECENT_GROUP, name: te.recent }] : []),
		...GROUPS,
		...(own.length ? [{ id: OWN_GROUP, name: te.group }] : []),
	];
	const list = useMemo(() => {
		if (query.trim()) return searchEmoji(all, query.replaceAll(':', ' '), MOST_FOUND);
		return group === RECENT_GROUP ? recent : all.filter((r) => r[3] === group);
	}, [all, recent, query, group]);
	useEffect(() => setAt(0), [list]);

	const choose = (r: EmojiRow | undefined) => {
		if (!r) return;
		shelf.set(recentAt, withRecent(shelf.get(recentAt), r[0]));
		onClose();
		onPick(toned(r, tone));
	};
	const move = (to: number) => {
		const i = Math.max(0, Math.min(list.length - 1, to));
		setAt(i);
		grid.current?.querySelectorAll('button')[i]?.focus();
	};
	/* How many stand in a row, as they are laid out now. */
	const across = () => {
		const cells = [...(grid.current?.querySelectorAll('button') ?? [])];
		const n = cells.findIndex((c) => c.offsetTop > cells[0]!.offsetTop);
		return n < 1 ? cells.length || 1 : n;
	};
	const onKeyDown = (e: KeyboardEvent) => {
		const rtl = getComputedStyle(e.currentTarget as Element).direction === 'rtl' ? -1 : 1;
		const by: Record<string, () => number> = {
			ArrowRight: () => at + rtl,
			ArrowLeft: () => at - rtl,
			ArrowDown: () => at + across(),
			ArrowUp: () => at - across(),
			Home: () => 0,
			End: () => list.length - 1,
		};
		const step = by[e.key];
		if (!step || e.ctrlKey || e.metaKey || e.altKey) return;
		e.preventDefault();
		move(step());
	};

	return (
		<Dialog title={title} onClose={onClose}>
			<div class="emoji-head">
				<input
					class="field"
					type="search"
					value={query}
					placeholder={t.emojiSearch}
					aria-label={t.emojiSearch}
					data-autofocus={!byFinger() || undefined} // its keyboard would cover the grid
					onInput={(e) => setQuery(e.currentTarget.value)}
					onKeyDown={(e) => {
						if (e.isComposing) return;
						if (e.key === 'Enter') {
							e.preventDefault();
							if (query.trim()) choose(list[0]);
						} else if (e.key === 'ArrowDown') {
							e.preventDefault();
							move(0);
						}
					}}
				/>
				<select
					class="field emoji-tone"
					aria-label={t.emojiTone}
					value={String(tone)}
					onChange={(e) => {
						setTone(Number(e.currentTarget.value));
						shelf.set('tone', e.currentTarget.value);
					}}
				>
					{t.emojiTones.map((name, i) => (
						<option key={name} value={String(i)}>
							{name}
						</option>
					))}
				</select>
			</div>
			<div class="emoji-groups" role="group" aria-label={title}>
				{groups.map((g) => (
					<button
						key={g.id}
						class="facet"
						aria-pressed={!query.trim() && group === g.id}
						onClick={() => {
							setQuery('');
							setGroup(g.id);
						}}
					>
						{g.name}
					</button>
				))}
			</div>
			<div
				ref={grid}
				class="emoji-grid"
				role="group"
				aria-label={query.trim() ? t.emojiSearch : groups.find((g) => g.id === group)?.name}
				aria-busy={!rows}
				onKeyDown={onKeyDown}
			>
				{list.map((r, i) => (
					<button
						key={r[0]}
						class="emoji-cell"
						title={r[1]}
						aria-label={r[1]}
						tabIndex={i === at ? 0 : -1}
						onClick={() => choose(r)}
					>
						<EmojiFace emoji={toned(r, tone)} />
					</button>
				))}
				{rows && !list.length && <p class="picker-empty">{t.emojiNone}</p>}
			</div>
			{(may || own.length > 0) && (
				<footer class="emoji-foot">
					<button class="link-button" onClick={() => openDialog('emoji')}>
						{te.manage}
					</button>
				</footer>
			)}
		</Dialog>
	);
}
