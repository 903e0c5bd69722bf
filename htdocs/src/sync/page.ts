// The life of the page: the network, being seen or not, sleep, the back-forward cache, and what the other tabs say.
import type { Client } from './client';
import { hidden, network, networkKind } from './browser';
import { shelf } from './local';
import { holdTab } from './tabs';

const TICK = 1_000; // ms

type Parts = Pick<
	Client,
	'store' | 'instance' | 'ladder' | 'sender' | 'uploads' | 'interest' | 'reader' | 'reading' | 'activity' | 'ops' | 'session' | 'awayKey'
>;

/* Answers how to end it. */
export function watchPage(c: Parts): () => void {
	const undo: (() => void)[] = [];
	const on = (target: EventTarget, type: string, f: (e: Event) => void, how: AddEventListenerOptions = {}) => {
		target.addEventListener(type, f, how);
		undo.push(() => target.removeEventListener(type, f, how));
	};
	let letGo = holdTab(c.instance);
	undo.push(() => letGo());
	shelf.set('who', c.session.owner());

	const wake = (changed = false) => {
		c.ladder.wake(changed);
		c.sender.pump();
		if (changed) c.uploads.wake();
	};
	on(window, 'online', () => wake(true));
	on(window, 'offline', () => c.ladder.wentOffline());
	on(document, 'visibilitychange', () => {
		c.interest.hidden(hidden());
		if (hidden()) return c.reader.flush();
		wake();
		c.reading.check();
	});
	for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'])
		on(window, type, () => c.activity.input(), { capture: true, passive: true });
	const net = network();
	let kind = networkKind();
	if (net)
		on(net, 'change', () => {
			// It also tells each new guess at the speed.
			if (kind !== networkKind()) wake(true);
			kind = networkKind();
		});
	// A frozen page hears nothing: another tab is to keep the connection, and the server is not to fill a pipe.
	on(document, 'freeze', () => c.ladder.pause());
	on(document, 'resume', () => {
		c.ladder.resume();
		wake();
	});
	on(window, 'storage', (e) => heardFromTab(c, e as StorageEvent));
	// A page in the back-forward cache may hold no link; it is opened again when the page comes back.
	on(window, 'pagehide', () => {
		c.reader.flush();
		c.ops.flush();
		sayLeave(c);
		c.ladder.pause();
		letGo();
	});
	on(window, 'pageshow', (e) => {
		if (!(e as PageTransitionEvent).persisted) return;
		letGo = holdTab(c.instance);
		c.ladder.resume();
		c.sender.pump();
	});
	const tick = setInterval(() => c.ladder.tick(), TICK);
	undo.push(() => clearInterval(tick));
	return () => undo.forEach((f) => f());
}

function heardFromTab(c: Parts, e: StorageEvent): void {
	const owner = c.session.owner();
	if (e.key === `pulsechat:${c.awayKey()}`) {
		c.store.dispatch({ type: 'away', on: e.newValue !== null });
		c.activity.heard();
	} else if (e.key === 'pulsechat:live' && e.newValue?.startsWith(`${owner} `)) c.ladder.shared();
	else if (e.key === 'pulsechat:better') c.ladder.better();
	else if (e.key === 'pulsechat:who' && e.newValue !== owner) void c.session.whoAmI();
}

/* Of a socket the server sees the end by itself. */
function sayLeave({ ladder, instance }: Parts): void {
	if (ladder.leaves) navigator.sendBeacon?.('/api/v1/presence/leave', JSON.stringify({ instance }));
}
