// Pictures at their full size, one after the other, over the whole window. Loaded when the first one is opened.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ChevronLeft, ChevronRight, Download, Trash2, X, ZoomIn, ZoomOut } from 'lucide';
import { filesShown } from '../model/channel_files';
import { addressOf, isErased, kindOf, pictureOf, shownName } from '../model/files';
import { rankIn } from '../model/roles';
import { myId, type State } from '../model/state';
import type { StoredFile } from '../model/types';
import { t } from '../strings';
import { sizeText } from './bytes';
import { useState$, useUi } from './context';
import { FileName } from './file_parts';
import { Icon } from './icon';
import { personName } from './names';
import { dateOf, timeOf } from './time';

interface Seen {
	file: StoredFile;
	sender: number;
	seq: number;
	at: number;
	lent: boolean; // it was forwarded: it is another message's
}

/* All pictures of what is loaded of the channel, in their order. */
function picturesIn(s: State, channel: number): Seen[] {
	return (s.logs[channel]?.messages ?? []).flatMap((m) =>
		[...(m.body?.files ?? []), ...(m.body?.forward?.files ?? [])].flatMap((file) =>
			!isErased(file) && kindOf(file) === 'picture'
				? [{ file, sender: m.sender, seq: m.seq, at: Date.parse(m.created_at), lent: m.body?.forward !== undefined }]
				: [],
		),
	);
}

/* Those of the panel, as they stand there. What it lists may be another message's. */
function picturesListed(s: State): Seen[] {
	return (s.files ? filesShown(s.files) : []).flatMap((b) =>
		b.files.flatMap((file) =>
			kindOf(file) === 'picture' ? [{ file, sender: b.sender, seq: b.seq, at: Date.parse(b.created_at), lent: true }] : [],
		),
	);
}

const MOST = 8; // times its size on the screen
const SWIPE = 60; // px
const STEP = 1.5;
const HERE = { zoom: 1, x: 0, y: 0 };

export function Lightbox({ channel, file, listed = false, onClose }: { channel: number; file: number; listed?: boolean; onClose: () => void }) {
	const { openDialog } = useUi();
	const log = useState$((s) => s.logs[channel]);
	const state = useState$((s) => s);
	const me = useState$(myId);
	const rank = useState$((s) => rankIn(s, channel));
	const [at, setAt] = useState(file);
	const [view, setView] = useState(HERE);
	const [loaded, setLoaded] = useState<number | null>(null);
	const dialog = useRef<HTMLDialogElement>(null);
	const stage = useRef<HTMLDivElement>(null);
	const gone = useRef(false);
	const all = listed ? picturesListed(state) : picturesIn(state, channel);
	const i = all.findIndex((p) => p.file.id === at);
	const shown = all[i];

	useLayoutEffect(() => {
		const el = dialog.current;
		const before = document.activeElement as HTMLElement | null;
		el?.showModal();
		stage.current?.focus();
		return () => {
			gone.current = true;
			if (el?.open) el.close();
			if (before?.isConnected) before.focus({ preventScroll: true });
		};
	}, []);
	// Deleted while it was looked at, or its channel was left.
	useEffect(() => {
		if (!shown) onClose();
	}, [log, shown]);

	const go = (by: number) => {
		const next = all[i + by];
		if (!next) return;
		setAt(next.file.id);
		setView(HERE);
	};
	const zoom = (by: number) =>
		setView((v) => {
			const z = Math.min(MOST, Math.max(1, v.zoom * by));
			return z === 1 ? HERE : { zoom: z, x: (v.x * z) / v.zoom, y: (v.y * z) / v.zoom };
		});
	const onKeyDown = (e: KeyboardEvent) => {
		if (e.ctrlKey || e.metaKey || e.altKey) return;
		const rtl = document.dir === 'rtl' ? -1 : 1;
		const acts: Record<string, () => void> = {
			ArrowRight: () => go(rtl),
			ArrowLeft: () => go(-rtl),
			Home: () => go(-i),
			End: () => go(all.length - 1 - i),
			'+': () => zoom(STEP),
			'=': () => zoom(STEP),
			'-': () => zoom(1 / STEP),
			'0': () => setView(HERE),
		};
		const act = acts[e.key];
		if (!act) return;
		e.preventDefault();
		act();
	};
	const gestures = useGestures({ view, setView, go, zoom });
	if (!shown) return null;
	const name = shownName(shown.file.name);
	const may = !shown.lent && (shown.sender === me || rank > 0);
	const sized = shown.file.width && shown.file.height ? { width: shown.file.width, height: shown.file.height } : {};
	return (
		<dialog ref={dialog} class="lightbox" aria-label={t.lightbox} onClose={() => !gone.current && onClose()} onKeyDown={onKeyDown}>
			<header class="lightbox-head">
				<span class="lightbox-what">
					<FileName name={shown.file.name} />
					<small>
						<bdi>{personName(state.users[shown.sender])}</bdi> · {dateOf(shown.at)} {timeOf(shown.at)} ·{' '}
						{sizeText(shown.file.size)}
						{all.length > 1 && ` · ${t.lightboxOf(i + 1, all.length)}`}
					</small>
				</span>
				<span class="lightbox-tools">
					<button
						class="icon-button lightbox-zoom"
						title={t.zoomOut}
						aria-label={t.zoomOut}
						aria-disabled={view.zoom === 1}
						onClick={() => zoom(1 / STEP)}
					>
						<Icon of={ZoomOut} />
					</button>
					<button
						class="icon-button lightbox-zoom"
						title={t.zoomIn}
						aria-label={t.zoomIn}
						aria-disabled={view.zoom === MOST}
						onClick={() => zoom(STEP)}
					>
						<Icon of={ZoomIn} />
					</button>
					<a
						class="icon-button"
						href={addressOf(shown.file.id, true)}
						download=""
						title={t.download}
						aria-label={t.downloadOf(name, sizeText(shown.file.size))}
					>
						<Icon of={Download} />
					</a>
					{may && (
						<button
							class="icon-button"
							title={t.deleteFile}
							aria-label={t.deleteFileOf(name)}
							onClick={() => openDialog({ deleteFile: { channel, seq: shown.seq, file: shown.file.id, name } })}
						>
							<Icon of={Trash2} />
						</button>
					)}
					<button class="icon-button" title={t.close} aria-label={t.close} onClick={onClose}>
						<Icon of={X} />
					</button>
				</span>
			</header>
			<div
				ref={stage}
				class={view.zoom > 1 ? 'lightbox-stage zoomed' : 'lightbox-stage'}
				tabIndex={-1}
				data-autofocus
				onClick={(e) => {
					if (e.target === stage.current && !gestures.moved()) onClose(); // beside the picture
				}}
				{...gestures.on}
			>
				{/* The small one at once, the whole one as soon as it is there. */}
				{shown.file.thumbnail && loaded !== at && (
					<img class="lightbox-small" src={addressOf(pictureOf(shown.file))} alt="" {...sized} />
				)}
				<img
					key={at}
					class="lightbox-picture"
					src={addressOf(at)}
					alt={name}
					draggable={false}
					{...sized}
					style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` }}
					onLoad={() => setLoaded(at)}
					onDblClick={() => setView(view.zoom > 1 ? HERE : { ...HERE, zoom: 2.5 })}
				/>
			</div>
			{i > 0 && (
				<button class="icon-button lightbox-go back" title={t.previousPicture} aria-label={t.previousPicture} onClick={() => go(-1)}>
					<Icon of={ChevronLeft} size={24} />
				</button>
			)}
			{i < all.length - 1 && (
				<button class="icon-button lightbox-go on" title={t.nextPicture} aria-label={t.nextPicture} onClick={() => go(1)}>
					<Icon of={ChevronRight} size={24} />
				</button>
			)}
			<span class="sr-only" role="status">
				{`${name}, ${t.lightboxOf(i + 1, all.length)}`}
			</span>
		</dialog>
	);
}

interface GestureProps {
	view: typeof HERE;
	setView: (f: (v: typeof HERE) => typeof HERE) => void;
	go: (by: number) => void;
	zoom: (by: number) => void;
}

/* Two fingers zoom; one moves what is zoomed, or swipes to the next. */
function useGestures({ view, setView, go, zoom }: GestureProps) {
	const fingers = useRef(new Map<number, { x: number; y: number }>());
	const start = useRef({ x: 0, y: 0, moved: false, apart: 0 });
	const apart = () => {
		const [a, b] = [...fingers.current.values()];
		return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
	};
	const up = (e: PointerEvent) => {
		if (!fingers.current.delete(e.pointerId)) return;
		start.current.apart = apart();
		const by = e.clientX - start.current.x;
		if (
			view.zoom === 1 &&
			!fingers.current.size &&
			e.type === 'pointerup' &&
			Math.abs(by) > SWIPE &&
			Math.abs(by) > 2 * Math.abs(e.clientY - start.current.y)
		)
			go((by < 0 ? 1 : -1) * (document.dir === 'rtl' ? -1 : 1));
	};
	return {
		moved: () => start.current.moved,
		on: {
			onPointerDown: (e: PointerEvent) => {
				fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY });
				start.current = { x: e.clientX, y: e.clientY, moved: false, apart: apart() };
			},
			onPointerMove: (e: PointerEvent) => {
				const was = fingers.current.get(e.pointerId);
				if (!was) return;
				const [x, y] = [e.clientX - was.x, e.clientY - was.y];
				fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY });
				if (Math.hypot(e.clientX - start.current.x, e.clientY - start.current.y) > 6) start.current.moved = true;
				const now = apart();
				if (now && start.current.apart) {
					zoom(now / start.current.apart);
					start.current.apart = now;
				} else setView((v) => (v.zoom > 1 ? { ...v, x: v.x + x, y: v.y + y } : v));
			},
			onPointerUp: up,
			onPointerCancel: up,
			onWheel: (e: WheelEvent) => {
				e.preventDefault();
				zoom(e.deltaY < 0 ? 1.15 : 1 / 1.15);
			},
		},
	};
}
