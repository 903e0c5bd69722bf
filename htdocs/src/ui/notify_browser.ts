// The notifier put together with the browser: its notifications, the tab that speaks for all, what is on the screen. Loaded by notify.ts.
import { myId } from '../model/state';
import { isAside } from '../model/threads';
import type { Line, Message } from '../model/types';
import { attentive, timers } from '../sync/browser';
import type { Client } from '../sync/client';
import { Notifier, type NotifierEnv, type Request, type Say, type Shown } from '../sync/notifier';
import { hidesText, isNotified, onNotifySetting } from '../sync/notify_setting';
import { noticeText } from './notify_text';
import { messagePath, navigate, parseRoute, threadPath } from './route';

const AT_BOTTOM = 40; // px

/* kept: lines that came before. Answers how to end it. */
export function beginNotifying(client: Client, kept: readonly Line[]): () => void {
	const { store } = client;
	const me = myId(store.get());
	const name = `pulsechat-notify ${me}`;
	const tabs = new BroadcastChannel(name);
	const may = () => !client.stopped && isNotified(me) && Notification.permission === 'granted';
	const env: NotifierEnv = {
		...timers,
		store,
		lead: (f) => lead(name, f),
		post: (m) => tabs.postMessage(m),
		onScreen: (m) => onScreen(client, m),
		show: (r) => (may() ? show(client, `${name}/${r.channel}`, r) : null),
		open: (m) => open(client, m),
	};
	const notifier = new Notifier(env);
	tabs.onmessage = (e) => notifier.said(e.data as Say);
	client.lines.also = (lines) => notifier.heard(lines);
	notifier.heard(kept);
	const going = () => notifier.closeAll();
	addEventListener('pagehide', going);
	const undo = onNotifySetting(() => notifier.refresh());
	void askTime().then((at) => notifier.serverTime(at));
	return () => {
		undo();
		removeEventListener('pagehide', going);
		notifier.stop();
		tabs.close();
	};
}

/* Polls, and tabs that share a link, are told no time by it. */
const askTime = (): Promise<number> =>
	fetch('/', { method: 'HEAD', cache: 'no-store' }).then(
		(r) => Date.parse(r.headers.get('Date') ?? ''),
		() => NaN,
	);

/* Who holds the lock speaks. A page that is frozen, or waits in the back-forward cache, does not. */
function lead(name: string, f: (on: boolean) => void): () => void {
	let wait: AbortController | null = null;
	const enter = () => {
		if (wait) return;
		const mine = (wait = new AbortController());
		const { signal } = mine;
		const held = () =>
			new Promise<void>((release) => {
				if (signal.aborted) return release();
				signal.addEventListener('abort', () => release());
				f(true);
			});
		navigator.locks.request(name, { signal }, held).catch(() => {}); // given up
	};
	const letGo = () => {
		wait?.abort();
		wait = null;
		f(false);
	};
	const on: [EventTarget, string, () => void][] = [
		[window, 'pagehide', letGo],
		[window, 'pageshow', enter],
		[document, 'freeze', letGo],
		[document, 'resume', enter],
	];
	for (const [target, type, g] of on) target.addEventListener(type, g);
	enter();
	return () => {
		for (const [target, type, g] of on) target.removeEventListener(type, g);
		letGo();
	};
}

/* In the channel's line at its end, or at the end of the thread; in a tab that is looked at. */
function onScreen(client: Client, m: Pick<Message, 'channel' | 'thread' | 'in_channel'>): boolean {
	if (!attentive()) return false;
	const there = (selector: string) => document.querySelector<HTMLElement>(selector);
	if (!isAside(m as Message) && client.opening.current === m.channel && client.atBottom && there('.main .list')) return true;
	const route = parseRoute(location.pathname, location.search);
	const box = there('.thread-scroll');
	if (m.thread === undefined || !box || route.page !== 'channel' || route.channel !== m.channel || route.thread !== m.thread) return false;
	return box.scrollHeight - box.scrollTop - box.clientHeight <= AT_BOTTOM;
}

function show(client: Client, tag: string, r: Request): Shown | null {
	const s = client.store.get();
	const last = r.messages[r.messages.length - 1]!;
	const { title, body } = noticeText(s, r.messages, hidesText(myId(s)));
	// What is not in every browser's table of options is passed over by it.
	const options: NotificationOptions & { renotify: boolean; timestamp: number } = {
		body,
		tag,
		icon: s.users[last.sender]?.picture ?? undefined,
		silent: !r.news,
		renotify: r.news,
		timestamp: Date.parse(last.created_at),
	};
	try {
		const n = new Notification(title, options);
		n.onclick = () => r.onClick();
		n.onclose = () => r.onClose();
		return n;
	} catch {
		return null; // only a service worker may, on phones
	}
}

function open(client: Client, m: Message): void {
	window.focus();
	const path = m.thread !== undefined ? threadPath(m.channel, m.thread, m.seq) : messagePath(m.channel, m.seq);
	if (path !== location.pathname + location.search) return navigate(path);
	if (m.thread === undefined) client.open(m.channel, m.seq);
}
