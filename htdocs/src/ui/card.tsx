// The card of a person: who that is, how he is, what time it is there. Whatever bears data-person opens it: by hover after a moment,
// by click, tap or key at once, and then it has the focus until it is closed.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Clock, MessageSquare, ShieldAlert, SmilePlus, UserPen } from 'lucide';
import { shownOf, statusOf } from '../model/presence';
import { rankIn } from '../model/roles';
import { myId } from '../model/state';
import { t } from '../strings';
import { useState$, useUi } from './context';
import { EmojiFace } from './custom_emoji';
import { useDirect } from './dialogs';
import { Icon } from './icon';
import { apart, personName } from './names';
import { Dot, Face } from './presence';
import { useRoute } from './route';
import { agoOf, untilOf, useNow, zoneTime } from './time';

const OPEN_IN = 450; // ms of hover
const CLOSE_IN = 250; // ms, for the way from the name to the card

interface Open {
	id: number;
	anchor: HTMLElement;
	pinned: boolean; // not by hover alone
}

const anchorOf = (target: EventTarget | null): HTMLElement | null => (target instanceof Element ? target.closest<HTMLElement>('[data-person]') : null);

export function PersonCards() {
	const [open, setOpen] = useState<Open | null>(null);
	const now = useRef<Open | null>(null);
	const card = useRef<HTMLDivElement>(null);
	now.current = open;
	const close = useCallback((giveBack: boolean) => {
		const held = now.current;
		if (giveBack && held?.anchor.isConnected && card.current?.contains(document.activeElement)) held.anchor.focus({ preventScroll: true });
		setOpen(null);
	}, []);

	useEffect(() => {
		let timer = 0;
		const later = (f: () => void, ms: number) => {
			clearTimeout(timer);
			timer = window.setTimeout(f, ms);
		};
		const show = (anchor: HTMLElement, pinned: boolean) => {
			clearTimeout(timer);
			if (anchor.isConnected) setOpen({ id: Number(anchor.dataset.person), anchor, pinned });
		};
		const over = (e: PointerEvent) => {
			if (e.pointerType !== 'mouse' || e.buttons) return;
			const anchor = anchorOf(e.target);
			const held = now.current;
			if (held && (anchor === held.anchor || card.current?.contains(e.target as Node))) return clearTimeout(timer);
			if (anchor && !held?.pinned) later(() => show(anchor, false), OPEN_IN);
			else if (held && !held.pinned) later(() => close(false), CLOSE_IN);
			else clearTimeout(timer);
		};
		const click = (e: MouseEvent) => {
			const anchor = anchorOf(e.target);
			if (!anchor) return;
			if (now.current?.pinned && now.current.anchor === anchor) close(true);
			else show(anchor, true);
		};
		const outside = (e: Event) => {
			clearTimeout(timer);
			if (now.current && !card.current?.contains(e.target as Node) && !now.current.anchor.contains(e.target as Node)) setOpen(null);
		};
		const key = (e: KeyboardEvent) => {
			if (e.key !== 'Escape' || !now.current) return;
			e.preventDefault(); // and nothing else is closed
			e.stopPropagation();
			close(true);
		};
		// What was opened on purpose stays when new messages push its name away.
		const scrolled = (e: Event) => {
			if (!now.current?.pinned && !card.current?.contains(e.target as Node)) setOpen(null);
		};
		const gone = () => setOpen(null);
		const on: [string, (e: any) => void][] = [
			['pointerover', over],
			['click', click],
			['pointerdown', outside],
			['keydown', key],
			['scroll', scrolled],
			['pulsechat-route', gone],
			['popstate', gone],
		];
		for (const [type, f] of on) addEventListener(type, f, true);
		return () => {
			clearTimeout(timer);
			for (const [type, f] of on) removeEventListener(type, f, true);
		};
	}, []);

	useLayoutEffect(() => {
		const el = card.current;
		if (!open || !el) return;
		// Below its name, or above it; beside a list of people, where there is room. Never off the screen.
		const a = open.anchor.getBoundingClientRect();
		const c = el.getBoundingClientRect();
		const rtl = document.dir === 'rtl';
		const beside = rtl ? a.right + 12 : a.left - c.width - 12;
		const left = open.anchor.closest('.panel') && beside >= 8 && beside + c.width <= innerWidth - 8 ? beside : null;
		const below = a.bottom + 6;
		const top = left !== null ? Math.min(a.top, innerHeight - c.height - 8) : below + c.height <= innerHeight - 8 ? below : a.top - c.height - 6;
		el.style.left = `${left ?? Math.max(8, Math.min(rtl ? a.right - c.width : a.left, innerWidth - c.width - 8))}px`;
		el.style.top = `${Math.max(8, top)}px`;
		if (open.pinned) el.focus({ preventScroll: true });
	}, [open]);

	if (!open) return null;
	// One after the last thing, or before the first, is back where one was.
	const onKeyDown = (e: KeyboardEvent) => {
		if (e.key !== 'Tab') return;
		const stops = [...(card.current?.querySelectorAll<HTMLElement>('button') ?? [])];
		const end = e.shiftKey ? [card.current, stops[0]] : [stops.at(-1) ?? card.current];
		if (!end.includes(document.activeElement as HTMLElement)) return;
		e.preventDefault();
		close(true);
	};
	return (
		<div ref={card} class="card" role="dialog" aria-labelledby="card-name" tabIndex={-1} onKeyDown={onKeyDown}>
			<Person id={open.id} onClose={() => close(true)} />
		</div>
	);
}

function Person({ id, onClose }: { id: number; onClose: () => void }) {
	const ui = useUi();
	const user = useState$((s) => s.users[id]);
	const presence = useState$((s) => s.presence[id]);
	const shown = useState$((s) => shownOf(s, id));
	const status = useState$((s) => statusOf(s, id));
	const me = useState$(myId);
	const now = useNow();
	const direct = useDirect(onClose);
	const route = useRoute();
	const here = route.page === 'channel' ? route.channel : null;
	const moderates = useState$((s) => here !== null && rankIn(s, here) > 0);
	// Right also where the connection is one that brings no state.
	useEffect(() => {
		ui.client.loader.needUsers([id]);
		void ui.client.loader.presence([id]);
	}, [id]);
	const there = user?.time_zone ? zoneTime(user.time_zone, now) : null;
	const seen = presence?.last_active ? Date.parse(presence.last_active) : NaN;
	const active = shown === 'online' || (shown === 'dnd' && presence?.state === 'online');
	const ago = active ? t.activeNow : Number.isFinite(seen) ? t.lastActive(agoOf(seen, now)) : null;
	return (
		<>
			<div class="card-who">
				<Face user={user} id={id} size="l" />
				<div class="card-names">
					<bdi class="card-name" id="card-name">
						{personName(user)}
					</bdi>
					<bdi class="card-handle">{user ? `@${user.handle}` : ''}</bdi>
					{user?.bot && <span class="tag">{t.bot}</span>}
					{user && !user.active && <span class="tag">{t.deactivated}</span>}
				</div>
			</div>
			{status && (
				<p class="card-status">
					{status.emoji && (
						<span class="card-emoji">
							<EmojiFace emoji={status.emoji} />
						</span>
					)}
					<span>
						<bdi>{apart(status.text)}</bdi>
						{status.until && <small>{t.statusUntil(untilOf(Date.parse(status.until), now))}</small>}
					</span>
				</p>
			)}
			<dl class="card-facts">
				{shown && (
					<div>
						<dt class="sr-only">{t.availability}</dt>
						<dd>
							<Dot shown={shown} />
							<span>
								{t.shown[shown]}
								{ago && id !== me && <span class="card-dim"> · {ago}</span>}
							</span>
						</dd>
					</div>
				)}
				{there && (
					<div>
						<dt class="sr-only">{t.localTimeOf}</dt>
						<dd>
							<Icon of={Clock} size={14} />
							<span>
								{t.localTime(there.time)}
								{id !== me && <span class="card-dim"> · {difference(there.minutes)}</span>}
							</span>
						</dd>
					</div>
				)}
			</dl>
			{id === me ? (
				<>
					<button class="button" onClick={() => (onClose(), ui.openDialog('status'))}>
						<Icon of={SmilePlus} size={16} /> {status ? t.editStatus : t.setStatus}
					</button>
					<button class="button" onClick={() => (onClose(), ui.openDialog('settings'))}>
						<Icon of={UserPen} size={16} /> {t.editProfile}
					</button>
				</>
			) : (
				user?.active !== false && (
					<button class="button" onClick={() => direct(id)}>
						<Icon of={MessageSquare} size={16} /> {t.writeDirect}
					</button>
				)
			)}
			{id !== me && moderates && here !== null && (
				<button class="button" onClick={() => (onClose(), ui.openDialog({ moderate: { channel: here, user: id } }))}>
					<Icon of={ShieldAlert} size={16} /> {t.moderate}
				</button>
			)}
		</>
	);
}

function difference(minutes: number): string {
	if (!minutes) return t.sameTime;
	const abs = Math.abs(minutes);
	const hours = t.hours(Math.floor(abs / 60), abs % 60);
	return minutes > 0 ? t.ahead(hours) : t.behind(hours);
}
