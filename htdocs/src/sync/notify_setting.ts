// Whether one is notified of messages in this browser, and whether the notifications say what is written; for each person by himself. Off until
// he turns it on.
import { shelf } from './local';

/* One of these has been changed in this page; in other tabs it is `storage`. */
const CHANGED = 'pulsechat-notify';

const onKey = (user: number) => `notify:${user}`;
const hideKey = (user: number) => `notify-hide:${user}`;

function put(key: string, on: boolean): void {
	shelf.set(key, on ? '1' : null);
	dispatchEvent(new Event(CHANGED));
}

export const isNotified = (user: number): boolean => shelf.get(onKey(user)) !== null;
export const setNotified = (user: number, on: boolean) => put(onKey(user), on);
export const hidesText = (user: number): boolean => shelf.get(hideKey(user)) !== null;
export const setHidesText = (user: number, on: boolean) => put(hideKey(user), on);

/* The browser has them, and locks for the one tab that speaks: both on secure addresses alone. */
export const canNotify = (): boolean => 'Notification' in globalThis && 'locks' in navigator;

/* Calls f after each change, here or in another tab. Answers how to end it. */
export function onNotifySetting(f: () => void): () => void {
	const stored = ({ key }: StorageEvent) => {
		if (key === null || key.startsWith('pulsechat:notify')) f();
	};
	addEventListener(CHANGED, f);
	addEventListener('storage', stored);
	return () => {
		removeEventListener(CHANGED, f);
		removeEventListener('storage', stored);
	};
}
