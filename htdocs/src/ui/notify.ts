// Notifications of messages, for as long as one is signed in: what judges and shows them is loaded when the person has turned them on, behind
// the first screen; lines that come before are kept for it.
import { useEffect, useState } from 'preact/hooks';
import { myId } from '../model/state';
import type { Line } from '../model/types';
import { useSelect } from '../store';
import { pauseOrWake, whenIdle } from '../sync/browser';
import type { Client } from '../sync/client';
import { canNotify, isNotified, onNotifySetting } from '../sync/notify_setting';

const AGAIN = 30_000; // ms after it could not be loaded
const MOST = 500; // lines

export function useNotifications(client: Client): void {
	const user = useSelect(client.store, myId);
	const [on, setOn] = useState(() => isNotified(user));
	useEffect(() => onNotifySetting(() => setOn(isNotified(user))), [user]);
	useEffect(() => {
		if (!on || !canNotify()) return;
		let over = false;
		let end = () => {};
		let kept: Line[] = [];
		client.lines.also = (lines) => void (kept = [...kept, ...lines].slice(-MOST));
		const load = async () => {
			while (!over) {
				const part = await import('./notify_browser').catch(() => null);
				if (part && !over) return void (end = part.beginNotifying(client, kept));
				if (!over) await pauseOrWake(AGAIN);
			}
		};
		const callOff = whenIdle(() => void load());
		return () => {
			over = true;
			callOff();
			client.lines.also = null;
			end();
		};
	}, [client, on]);
}
