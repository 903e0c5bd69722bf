// The keys that work everywhere. Single letters only while nothing is being written, and never inside a dialog.
import type { Client } from '../sync/client';
import { arranged } from '../model/prefs';
import { isQuiet, unreadOf } from '../model/unread';
import type { DialogName } from './context';
import { channelPath, navigate } from './route';

const writing = (el: EventTarget | null): boolean => el instanceof HTMLElement && !!el.closest('input, textarea, select, [contenteditable]');

export interface KeyTargets {
	client: Client;
	current: () => number | null;
	panel: () => boolean;
	drawer: () => boolean;
	closeDrawer: () => void;
	openDialog: (d: DialogName) => void;
	search: () => void;
	pins: () => void;
	files: () => void;
}

/* Tells the style sheets which is in use, a pointer or keys: one message shows its tools, the one under the pointer or the one with the focus. */
const tellInput = (e: Event) => void document.documentElement.toggleAttribute('data-pointer', e.type !== 'keydown');

export function listenToKeys(k: KeyTargets): () => void {
	const onKey = (e: KeyboardEvent) => {
		if (e.defaultPrevented || e.isComposing) return;
		const inDialog = document.querySelector('dialog[open]') !== null;
		if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 'k') {
			e.preventDefault();
			if (!inDialog) k.openDialog('switcher');
			return;
		}
		if (inDialog) return;
		if (e.altKey && !e.ctrlKey && !e.metaKey && (e.key === 'ArrowUp' || e.key === 'ArrowDown')) {
			e.preventDefault();
			step(k, e.key === 'ArrowDown' ? 1 : -1, e.shiftKey);
			return;
		}
		if (e.ctrlKey || e.metaKey || e.altKey) return;
		if (e.key === 'Escape') return escape(k);
		if (writing(e.target)) return;
		if (e.key === '?') {
			e.preventDefault();
			k.openDialog('shortcuts');
		} else if (e.key === '/') {
			e.preventDefault();
			k.search();
		} else if (e.key === 'p') {
			e.preventDefault();
			k.pins();
		} else if (e.key === 'f') {
			e.preventDefault();
			k.files();
		} else if (e.key === 'j' || e.key === 'k') {
			e.preventDefault();
			dispatchEvent(new CustomEvent('pulsechat-step', { detail: e.key === 'j' ? 1 : -1 }));
		}
	};
	const inputs = ['pointermove', 'pointerdown', 'keydown'];
	for (const type of inputs) addEventListener(type, tellInput, true);
	addEventListener('keydown', onKey);
	return () => {
		for (const type of inputs) removeEventListener(type, tellInput, true);
		removeEventListener('keydown', onKey);
	};
}

/* The next channel in the order of the side bar, as it is drawn, round the end. */
function step(k: KeyTargets, by: number, unreadOnly: boolean): void {
	const s = k.client.store.get();
	const all = arranged(s, k.current()).flatMap((part) => part.shown);
	const at = all.findIndex((c) => c.id === k.current());
	for (let n = 1; n <= all.length; n++) {
		const c = all[((((at < 0 ? (by > 0 ? -1 : 0) : at) + by * n) % all.length) + all.length) % all.length]!;
		if (!unreadOnly || (unreadOf(c) > 0 && !isQuiet(c))) return navigate(channelPath(c.id));
	}
}

/* Closes what is on top; with nothing open, marks the channel as read. In the list it leads back to the composer. */
function escape(k: KeyTargets): void {
	const id = k.current();
	if (k.drawer()) return k.closeDrawer();
	if (k.panel() && id !== null) return navigate(channelPath(id));
	const composer = document.getElementById('composer');
	if (document.activeElement !== composer && composer) composer.focus();
	if (id !== null) k.client.markRead(id);
}
