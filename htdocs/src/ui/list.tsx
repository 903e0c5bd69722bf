// The message list: draws only what is near the view, keeps the place to the pixel when rows come above, and stays at
// the bottom only when it is at the bottom.
//
// How the place is kept: before a change the list knows a drawn row and where on the screen it stands (the anchor); after
// it, it scrolls by what that row has moved. Heights are measured after each drawing and replace the estimates.
import { useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { ArrowDown, ArrowUp, CheckCheck } from 'lucide';
import { emptyLog, tailSeq } from '../model/log';
import { isAside, withoutAsides } from '../model/threads';
import { arrivalOf, readersBySeq, type Marks } from '../model/reads';
import { myId, pendingOf } from '../model/state';
import type { Channel, Log, Pending } from '../model/types';
import { t } from '../strings';
import { useState$, useUi } from './context';
import { copySource } from './copy';
import { errorText } from './errors';
import { Icon } from './icon';
import { RowView } from './row';
import { buildRows, type Row } from './rows';
import { channelLabel } from './names';
import { Skeleton } from './skeleton';
import { RECEIPTS_MAX, UNSEEN, type Seen } from './seen';
import { useToday } from './time';
import { layout, rowAt, sizesOf, windowOf } from './virtual';

const AT_BOTTOM = 6; // px
const LOAD_WITHIN = 900; // px from the top: the next page is asked for before it is needed
const JUMP_PAGE = 200;
const MOST_PAGES = 25; // of a jump to the first new message
const LINE_AT = 64; // px from the top of the view to the "new messages" line when a channel is opened there

interface Place {
	stick: boolean;
	anchor: { key: string; y: number } | null; // y: top of the row, from the top of the view
	opened: boolean; // the first rows have been placed
	bottomSeq: number; // newest message when the bottom was last on the screen
	top: number; // where the list itself has put the view last
	width: number;
	height: number;
	leaving: boolean; // on the way to the line: what is still on the screen was not looked for
	lineMet: number | null; // the "new messages" line that has been on the screen
	drawn: number; // height of all rows, as the list itself has drawn them last
	measured: number; // how often heights were corrected
}

const UNKNOWN = { top: 0, width: 800, height: 600, drawn: 0, measured: 0 };
const START: Place = { stick: true, anchor: null, opened: false, bottomSeq: 0, leaving: false, lineMet: null, ...UNKNOWN };

/* By how much the view is higher than when it was drawn last. */
const grown = (box: HTMLElement, p: Place) => Math.max(0, box.clientHeight - p.height);

export function MessageList({ channel }: { channel: Channel }) {
	const { client, toast } = useUi();
	const id = channel.id;
	const log = useState$((s) => s.logs[id]) ?? emptyLog;
	const outbox = useState$((s) => s.outbox);
	const users = useState$((s) => s.users);
	const lines = useState$((s) => s.lines); // another one each time the channel is opened
	const line = lines[id] ?? null;
	const label = useState$((s) => channelLabel(s, channel));
	const me = useState$(myId);
	const marks = useState$((s) => s.reads[id]);
	const target = useState$((s) => (s.target?.channel === id ? s.target : null));
	const aimed = useRef<typeof target>(null);
	const today = useToday();
	const [, redraw] = useReducer((n: number) => n + 1, 0);
	const [active, setActive] = useState<string | null>(null);
	const chosen = useRef<string | null>(null); // the same, but at once: keys come faster than drawings
	const [away, setAway] = useState({ far: false, fresh: 0, above: false });
	const [jumping, setJumping] = useState(false);

	const scroller = useRef<HTMLDivElement>(null);
	const inner = useRef<HTMLDivElement>(null);
	const heights = useRef(new Map<string, number>());
	const place = useRef<Place>({ ...START });
	const wantFocus = useRef(false);
	const choose = useCallback((key: string) => {
		chosen.current = key;
		setActive(key);
	}, []);

	const ready = log.status === 'ready' || log.messages.length > 0;
	const shown = useMemo(() => withoutAsides(log), [log]);
	const pending = useMemo<Pending[]>(() => pendingOf(client.store.get(), id), [outbox, id]);
	const rows = useMemo<Row[]>(() => (ready ? buildRows(shown, pending, me, line) : []), [log.messages, log.hasBefore, ready, pending, me, line, today]);
	const seen = useMemo(
		() => (ready ? seenBySeq(shown, marks, channel, me) : new Map<number, Seen>()),
		[log.messages, ready, marks, channel.peer, channel.members, me],
	);
	const indexOf = useMemo(() => new Map(rows.map((r, i) => [r.key, i])), [rows]);

	const p = place.current;
	if (ready && !p.opened && client.isOpen(id)) {
		p.opened = true;
		p.bottomSeq = line ?? tailSeq(log);
		// Open at the first unread message; where all of it fits on the screen, the bottom is the same place.
		if (indexOf.has('new')) {
			p.stick = false;
			p.anchor = { key: 'new', y: LINE_AT };
		}
	}
	// A message that was gone to stands in the upper third.
	const aim = target && aimed.current !== target && log.status === 'ready' ? `m${target.seq}` : null;
	if (aim !== null && indexOf.has(aim)) {
		aimed.current = target;
		p.opened = true;
		p.stick = false;
		p.anchor = { key: aim, y: p.height / 3 };
		p.top = scroller.current?.scrollTop ?? 0;
	}
	const sizes = useMemo(() => sizesOf(rows, heights.current, p.width), [rows, p.width]);
	const offsets = useMemo(() => layout(sizes), [sizes, p.measured]);
	const total = offsets[rows.length] ?? 0;
	const anchorIndex = p.anchor ? indexOf.get(p.anchor.key) : undefined;
	// An anchor that is no more (its row became another one) leaves the scroll position itself.
	const top = p.stick ? total - p.height : anchorIndex === undefined ? (scroller.current?.scrollTop ?? 0) : offsets[anchorIndex]! - p.anchor!.y;
	const { from, to } = windowOf(offsets, top, p.height);

	/* Remembers which row is where; the first message of the run is a poor anchor, since a page above may take its head off. */
	const capture = useCallback(() => {
		const box = scroller.current;
		if (!box || !inner.current) return;
		const edge = box.getBoundingClientRect().top;
		let fallback: Place['anchor'] = null;
		for (const el of inner.current.children as HTMLCollectionOf<HTMLElement>) {
			const key = el.dataset.key;
			if (!key) continue;
			const r = el.getBoundingClientRect();
			if (r.bottom <= edge) continue;
			if (r.top - edge > box.clientHeight) break;
			fallback ??= { key, y: r.top - edge };
			if (r.top < edge || key[0] !== 'm' || el.dataset.first) continue;
			p.anchor = { key, y: r.top - edge };
			return;
		}
		p.anchor = fallback;
	}, []);

	const afterMove = useCallback(() => {
		const box = scroller.current;
		if (!box) return;
		const tail = tailSeq(client.store.get().logs[id] ?? emptyLog);
		const below = box.scrollHeight - box.scrollTop - box.clientHeight;
		const onScreen = lastOnScreen();
		p.bottomSeq = Math.max(p.bottomSeq, p.stick ? tail : onScreen);
		client.atBottom = p.stick;
		let fresh = 0;
		const messages = client.store.get().logs[id]?.messages ?? [];
		for (let i = messages.length - 1; i >= 0 && messages[i]!.seq > p.bottomSeq && fresh < 100; i--)
			if (messages[i]!.sender !== me && !isAside(messages[i]!)) fresh++;
		const far = !p.stick && below > box.clientHeight / 2;
		const above = lineAbove();
		setAway((a) => (a.far === far && a.fresh === fresh && a.above === above ? a : { far, fresh, above }));
		if (onScreen && !p.leaving) client.seen(id, onScreen);
		if (box.scrollTop < LOAD_WITHIN) void client.loader.before(id);
		if (below < LOAD_WITHIN) void client.loader.after(id);
	}, [id, me]);

	/* Whether the "new messages" line stands above what is on the screen, and has not been seen yet. */
	const lineAbove = (): boolean => {
		const now = client.store.get();
		const after = now.lines[id] ?? null;
		const run = now.logs[id];
		const box = scroller.current;
		if (after === null || after === p.lineMet || !run || !box || run.status !== 'ready') return false;
		const { rows, offsets } = layoutNow.current;
		const i = rows.findIndex((r) => r.kind === 'new');
		if (i < 0) return run.hasBefore && (run.messages[0]?.seq ?? 0) > after + 1;
		if (offsets[i + 1]! > box.scrollTop) {
			if (offsets[i]! < box.scrollTop + box.clientHeight) p.lineMet = after;
			return false;
		}
		return true;
	};

	/* The newest message that is wholly on the screen, or as far as it can be; 0: none. */
	const lastOnScreen = useCallback((): number => {
		const box = scroller.current;
		if (!box || !inner.current) return 0;
		const edge = box.getBoundingClientRect().bottom + 2;
		const rowsDrawn = inner.current.children as HTMLCollectionOf<HTMLElement>;
		for (let i = rowsDrawn.length - 1; i >= 0; i--) {
			const seq = Number(rowsDrawn[i]!.dataset.seq);
			if (!seq) continue;
			const r = rowsDrawn[i]!.getBoundingClientRect();
			const tall = r.height > box.clientHeight && r.top < edge - box.clientHeight / 2;
			if (r.bottom <= edge || tall) return seq;
		}
		return 0;
	}, []);
	/* Tells the reader, if someone is looking. */
	const markSeen = useCallback(() => {
		const seq = lastOnScreen();
		if (seq && !p.leaving) client.seen(id, seq);
	}, [id]);

	// After each drawing: measure, correct the estimates, put the view back where it was.
	useLayoutEffect(() => {
		const box = scroller.current;
		if (!box || !inner.current || !rows.length) return;
		if (box.clientWidth !== p.width) {
			if (p.width !== 800 || heights.current.size) heights.current.clear();
			p.width = box.clientWidth;
		}
		// What the reader has scrolled since, with its event still to come, is not to be undone below. What the browser did is: where the view
		// had grown, or rows had shrunk, it took the view up that far, also if something has come below since.
		const scrolled = box.scrollTop - p.top;
		let taken = grown(box, p);
		if (!p.stick && p.anchor) p.anchor = { key: p.anchor.key, y: p.anchor.y - scrolled };
		p.height = box.clientHeight;
		let corrected = false;
		let anchorEl: HTMLElement | null = null;
		for (const el of inner.current.children as HTMLCollectionOf<HTMLElement>) {
			const key = el.dataset.key;
			if (!key) continue;
			const h = el.getBoundingClientRect().height;
			const had = heights.current.get(key) ?? -1;
			taken += Math.max(0, had - h);
			if (Math.abs(had - h) > 0.5) {
				heights.current.set(key, h);
				const i = indexOf.get(key);
				if (i !== undefined) sizes[i] = h;
				corrected = true;
				p.measured++;
			}
			if (key === p.anchor?.key) anchorEl = el;
		}
		const left = p.stick && scrolled < -1 - taken && box.scrollHeight - box.scrollTop - p.height > AT_BOTTOM;
		if (left) p.stick = false;
		if (p.stick) box.scrollTop = box.scrollHeight;
		else if (anchorEl && p.anchor && !left) {
			const moved = anchorEl.getBoundingClientRect().top - box.getBoundingClientRect().top - p.anchor.y;
			if (Math.abs(moved) > 0.25) box.scrollTop += moved;
		} else capture();
		p.top = box.scrollTop;
		p.drawn = inner.current.getBoundingClientRect().height;
		if (corrected) redraw(0);
		else afterMove();

		if (active && wantFocus.current) {
			const el = inner.current.querySelector<HTMLElement>(`[data-key="${CSS.escape(active)}"]`);
			if (el) {
				wantFocus.current = false;
				el.focus({ preventScroll: true });
				el.scrollIntoView({ block: 'nearest' });
				if (box.scrollTop < p.top - 1) p.stick = false;
				p.top = box.scrollTop;
				capture();
			}
		}
	});

	const onScroll = useCallback(() => {
		const box = scroller.current;
		if (!box) return;
		// Only who scrolls up leaves the bottom. A font that has come, say, may have made the rows taller just now.
		const up = box.scrollTop < p.top - 1 - grown(box, p);
		p.top = box.scrollTop;
		if (box.scrollHeight - box.scrollTop - box.clientHeight <= AT_BOTTOM) p.stick = !client.store.get().logs[id]?.hasAfter;
		else if (up) p.stick = false;
		else if (p.stick) return redraw(0);
		capture();
		if (!p.anchor) {
			// A long jump with the scroll bar: no drawn row is in view, so the arithmetic has to name one.
			const now = layoutNow.current;
			let i = rowAt(now.offsets, box.scrollTop);
			// Not one that may go when older messages are loaded: the row on top, day lines, the first message.
			for (let n = 0; n < 4 && i < now.rows.length - 1; i++) if (now.rows[i]!.kind === 'message' && (i > 3 || n++ > 0)) break;
			const row = now.rows[i];
			if (row) p.anchor = { key: row.key, y: now.offsets[i]! - box.scrollTop };
		}
		const now = layoutNow.current;
		const w = windowOf(now.offsets, box.scrollTop, box.clientHeight);
		if (w.from !== now.from || w.to !== now.to) redraw(0);
		else afterMove();
	}, [afterMove, capture]);
	const layoutNow = useRef({ offsets, rows, from, to });
	layoutNow.current = { offsets, rows, from, to };

	// Sizes change without a drawing of ours: the window, the keyboard of a phone, a text unfolded.
	useEffect(() => {
		const ro = new ResizeObserver(() => {
			const [box, rows] = [scroller.current, inner.current];
			const same = box && rows && box.clientWidth === p.width && box.clientHeight === p.height;
			if (!same || rows.getBoundingClientRect().height !== p.drawn) redraw(0);
		});
		if (scroller.current) ro.observe(scroller.current);
		if (inner.current) ro.observe(inner.current);
		const looked = () => markSeen();
		addEventListener('focus', looked);
		document.addEventListener('visibilitychange', looked);
		return () => {
			ro.disconnect();
			removeEventListener('focus', looked);
			document.removeEventListener('visibilitychange', looked);
		};
	}, [markSeen, ready]);

	const toBottom = useCallback(() => {
		if (client.store.get().logs[id]?.hasAfter) client.loader.newest(id).catch((e: unknown) => toast(errorText(e), true));
		p.stick = true;
		p.anchor = null;
		redraw(0);
	}, [id]);

	/* Up to the "new messages" line; loads what lies between. */
	const toLine = useCallback(async () => {
		setJumping(true);
		p.leaving = true;
		const after = client.store.get().lines[id];
		for (let n = 0; n < MOST_PAGES; n++) {
			const run = client.store.get().logs[id];
			const first = run?.messages[0]?.seq;
			if (!run || run.failedBefore || !run.hasBefore || after === undefined || first === undefined || first <= after + 1) break;
			await client.loader.before(id, JUMP_PAGE);
			if (client.store.get().logs[id]?.messages[0]?.seq === first) break;
		}
		setJumping(false);
		p.leaving = false;
		p.stick = false;
		p.anchor = { key: 'new', y: LINE_AT };
		p.top = scroller.current?.scrollTop ?? 0;
		redraw(0);
	}, [id]);

	// What one sends is always seen.
	const newest = pending.at(-1)?.client_id;
	useEffect(() => {
		if (newest && p.opened) toBottom();
	}, [newest]);

	useLayoutEffect(() => {
		if (!target || aimed.current !== target) return;
		const key = `m${target.seq}`;
		const el = inner.current?.querySelector<HTMLElement>(`[data-key="${key}"]`);
		choose(key);
		el?.focus({ preventScroll: true });
		const tint = getComputedStyle(document.documentElement).getPropertyValue('--tint').trim();
		if (tint) el?.animate([{ backgroundColor: tint }, { backgroundColor: tint, offset: 0.6 }, {}], 2_000);
	}, [target, aimed.current === target]);

	const step = useCallback((by: number) => {
		const now = layoutNow.current;
		const stops = now.rows.filter((r) => r.kind === 'message' || r.kind === 'pending');
		let i = chosen.current ? stops.findIndex((r) => r.key === chosen.current) : -1;
		if (i < 0) {
			// From what is on the screen: its last message going up, its first going down.
			const seen = drawn(scroller.current, inner.current);
			i = stops.findIndex((r) => r.key === (by < 0 ? seen.at(-1) : seen[0]));
			if (i < 0) i = stops.length - 1;
		} else i = Math.max(0, Math.min(stops.length - 1, i + by));
		const row = stops[i];
		if (!row) return;
		wantFocus.current = true;
		const at = now.rows.indexOf(row);
		if (at < now.from || at >= now.to) {
			p.stick = false;
			p.anchor = { key: row.key, y: p.height / 2 };
		}
		choose(row.key);
		redraw(0);
	}, []);
	useEffect(() => {
		const onStep = (e: Event) => step((e as CustomEvent<number>).detail);
		addEventListener('pulsechat-step', onStep);
		return () => removeEventListener('pulsechat-step', onStep);
	}, [step]);

	const onKeyDown = (e: KeyboardEvent) => {
		if (e.altKey || e.ctrlKey || e.metaKey || !(e.target as HTMLElement).dataset.key) return;
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			e.preventDefault();
			step(e.key === 'ArrowDown' ? 1 : -1);
		}
	};

	if (!ready && log.status === 'failed') {
		return (
			<div class="list-state" role="alert">
				<p>{t.historyFailed}</p>
				<button class="button" onClick={() => void client.loader.newest(id).catch(() => {})}>
					{t.retry}
				</button>
			</div>
		);
	}
	const firstMessage = rows.find((r) => r.kind === 'message')?.key;
	return (
		<div class="list-wrap">
			{/* A log, but silent: windowing adds old rows as one scrolls, and those must not be read out. New ones are said by <Announcer>. */}
			<div
				ref={scroller}
				class={channel.peer === me ? 'list' : 'list list-seen'}
				role="log"
				aria-live="off"
				aria-label={t.messagesIn(label)}
				aria-busy={!ready}
				tabIndex={0}
				onScroll={onScroll}
				onKeyDown={onKeyDown}
				onCopy={copySource}
			>
				{!ready && <Skeleton />}
				<div ref={inner} class="list-inner">
					<div style={{ height: `${offsets[from] ?? 0}px` }} />
					{rows.slice(from, to).map((row) => (
						<RowView
							key={row.key}
							row={row}
							user={users[row.kind === 'message' ? row.message.sender : me]}
							channel={channel}
							today={today}
							active={row.key === active}
							first={row.key === firstMessage}
							loading={row.kind === 'older' && log.loadingBefore}
							failed={row.kind === 'older' && log.failedBefore}
							seen={(row.kind === 'message' && seen.get(row.message.seq)) || UNSEEN}
							me={me}
							onFocus={choose}
						/>
					))}
					<div style={{ height: `${Math.max(0, total - (offsets[to] ?? total))}px` }} />
				</div>
			</div>
			{away.above && line !== null && (
				<div class="unread-bar">
					<button onClick={() => void toLine()} disabled={jumping} aria-label={t.firstNewLabel(newAbove(shown, line, me))}>
						{jumping ? <span class="spinner small" aria-hidden="true" /> : <Icon of={ArrowUp} size={16} />}
						<span>{t.firstNew(newAbove(shown, line, me))}</span>
					</button>
					<button title={`${t.markRead} (Esc)`} aria-label={t.markRead} onClick={() => client.markRead(id)}>
						<Icon of={CheckCheck} size={16} />
					</button>
				</div>
			)}
			{(away.far || away.fresh > 0 || log.hasAfter) && (
				<button class="jump" onClick={toBottom} aria-label={away.fresh ? undefined : t.toLatest}>
					<Icon of={ArrowDown} size={16} />
					{away.fresh > 0 && <span>{t.newCount(away.fresh)}</span>}
				</button>
			)}
		</div>
	);
}

/* Others' messages above the line's place; null where not all of them are loaded. */
function newAbove(log: Log, after: number, me: number): number | null {
	const first = log.messages[0]?.seq ?? 0;
	if (log.hasBefore && first > after + 1) return null;
	let n = 0;
	for (let i = log.messages.length - 1; i >= 0 && log.messages[i]!.seq > after; i--) if (log.messages[i]!.sender !== me && !log.messages[i]!.deleted) n++;
	return n;
}

/* What each message shows of who has read it. */
function seenBySeq(log: Log, marks: Marks | undefined, channel: Channel, me: number): Map<number, Seen> {
	const found = new Map<number, Seen>();
	if (channel.peer === me) return found; // notes to oneself
	for (const [seq, readers] of readersBySeq(log, marks, me)) found.set(seq, { ...UNSEEN, readers });
	const direct = channel.peer !== null;
	if (!direct && channel.members <= RECEIPTS_MAX) return found;
	const words = new Set<string>();
	for (let i = log.messages.length - 1; i >= 0; i--) {
		const m = log.messages[i]!;
		if (m.sender !== me || m.deleted) continue;
		const held = found.get(m.seq) ?? UNSEEN;
		if (!direct) {
			found.set(m.seq, { ...held, counted: true });
			break;
		}
		const arrival = arrivalOf(channel.peer === null ? undefined : marks?.[channel.peer], m.seq);
		found.set(m.seq, { ...held, arrival, word: !words.has(arrival) });
		words.add(arrival);
	}
	return found;
}

/* Keys of the messages that are on the screen. */
function drawn(box: HTMLElement | null, inner: HTMLElement | null): string[] {
	if (!box || !inner) return [];
	const view = box.getBoundingClientRect();
	const keys: string[] = [];
	for (const el of inner.children as HTMLCollectionOf<HTMLElement>) {
		const key = el.dataset.key;
		if (!key || (key[0] !== 'm' && key[0] !== 'p')) continue;
		const r = el.getBoundingClientRect();
		if (r.bottom > view.top + 4 && r.top < view.bottom - 4) keys.push(key);
	}
	return keys;
}
