// Who has read what: faces under the last message that people have read, ticks with a word at own messages in direct channels,
// and for the large channels, where that is told to nobody by itself, a number and the names when asked for.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Check, CheckCheck } from 'lucide';
import { api } from '../net/api';
import type { Arrival } from '../model/reads';
import { t } from '../strings';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { Icon } from './icon';
import { personName } from './names';

export const RECEIPTS_MAX = 100; // members, beyond which nobody is told by himself
const FACES = 5;
const COUNT_EVERY = 30_000; // ms

export interface Seen {
	readers: readonly number[];
	arrival: Arrival | null;
	/* The word stands beside the ticks: the last one of its kind. */
	word: boolean;
	/* In a large channel, at the newest own message. */
	counted: boolean;
}
export const UNSEEN: Seen = { readers: [], arrival: null, word: false, counted: false };

export const sameSeen = (a: Seen, b: Seen): boolean =>
	a === b ||
	(a.arrival === b.arrival &&
		a.word === b.word &&
		a.counted === b.counted &&
		a.readers.length === b.readers.length &&
		a.readers.every((id, i) => id === b.readers[i]));

export function SeenLine({ seen, channel, seq }: { seen: Seen; channel: number; seq: number }) {
	if (!seen.readers.length && !seen.arrival && !seen.counted) return null;
	return (
		<div class={`seen${seen.readers.length || seen.word || seen.counted ? '' : ' seen-quiet'}`}>
			{seen.readers.length > 0 && <Faces readers={seen.readers} />}
			{seen.arrival && <Ticks arrival={seen.arrival} word={seen.word} />}
			{seen.counted && <ReadBy channel={channel} seq={seq} />}
		</div>
	);
}

function Ticks({ arrival, word }: { arrival: Arrival; word: boolean }) {
	return (
		<span class={`ticks ticks-${arrival}`} title={t.arrivals[arrival]}>
			<Icon of={arrival === 'sent' ? Check : CheckCheck} size={14} />
			<span class={word ? undefined : 'sr-only'}>{t.arrivals[arrival]}</span>
		</span>
	);
}

function Faces({ readers }: { readers: readonly number[] }) {
	const users = useState$((s) => s.users);
	const [open, setOpen] = useState(false);
	const button = useRef<HTMLButtonElement>(null);
	const list = useRef<HTMLDivElement>(null);
	const names = readers.map((id) => personName(users[id]));
	const label = t.seenBy(names);
	const shown = readers.length > FACES ? readers.slice(-FACES) : readers;

	useLayoutEffect(() => {
		if (!open || !list.current || !button.current) return;
		// Beside the faces, but never off the screen; fixed, so that the list does not cut it off.
		const b = button.current.getBoundingClientRect();
		const m = list.current.getBoundingClientRect();
		list.current.style.left = `${Math.max(8, Math.min(b.right - m.width, innerWidth - m.width - 8))}px`;
		list.current.style.top = `${b.top - m.height - 6 < 8 ? Math.min(b.bottom + 6, innerHeight - m.height - 8) : b.top - m.height - 6}px`;
	}, [open, readers]);
	useEffect(() => {
		if (!open) return;
		const close = () => setOpen(false);
		const outside = (e: Event) => {
			if (!list.current?.contains(e.target as Node) && !button.current?.contains(e.target as Node)) close();
		};
		const scroller = button.current?.closest('.list');
		addEventListener('pointerdown', outside);
		addEventListener('resize', close);
		scroller?.addEventListener('scroll', close);
		return () => {
			removeEventListener('pointerdown', outside);
			removeEventListener('resize', close);
			scroller?.removeEventListener('scroll', close);
		};
	}, [open]);

	return (
		<>
			<button
				ref={button}
				class="faces"
				title={label}
				aria-expanded={open}
				onClick={() => setOpen(!open)}
				onBlur={() => setOpen(false)}
				onKeyDown={(e) => {
					if (e.key !== 'Escape' || !open) return;
					e.preventDefault();
					e.stopPropagation();
					setOpen(false);
				}}
			>
				{readers.length > FACES && <span class="faces-more">+{readers.length - FACES}</span>}
				{shown.map((id) => (
					<Avatar key={id} user={users[id]} id={id} size="s" />
				))}
				<span class="sr-only">{label}</span>
			</button>
			{open && (
				<div ref={list} class="seen-names" role="group" aria-label={t.seenByTitle}>
					<p class="menu-title">{t.seenByTitle}</p>
					<ul>
						{readers.map((id, i) => (
							<li key={id}>
								<Avatar user={users[id]} id={id} size="s" />
								<bdi>{names[i]}</bdi>
							</li>
						))}
					</ul>
				</div>
			)}
		</>
	);
}

/* "Read by 12": asked for while somebody looks, not at every change. */
function ReadBy({ channel, seq }: { channel: number; seq: number }) {
	const ui = useUi();
	const [count, setCount] = useState<number | null>(null);
	useEffect(() => {
		let over = false;
		const ask = () => {
			if (!ui.client.attentive()) return;
			api.readers(channel, seq, { limit: 1 }).then(
				({ data }) => over || setCount(data.count),
				() => {}, // the next time
			);
		};
		const first = setTimeout(ask, 1_500);
		const timer = setInterval(ask, COUNT_EVERY);
		addEventListener('focus', ask);
		return () => {
			over = true;
			clearTimeout(first);
			clearInterval(timer);
			removeEventListener('focus', ask);
		};
	}, [channel, seq]);
	return (
		<button class="read-by" hidden={count === null} onClick={() => ui.openDialog({ readers: { channel, seq } })}>
			<Icon of={CheckCheck} size={14} />
			{t.readBy(count ?? 0)}
		</button>
	);
}
