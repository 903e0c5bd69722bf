// Which link previews this browser shows: all, or none; and those that were hidden one by one, of which the newest are kept.
import { useEffect, useState } from 'preact/hooks';
import { shelf } from './local';

const OFF = 'previews-off';
const HIDDEN = 'previews-hidden';
const MOST = 300;

const listeners = new Set<() => void>();
let off: boolean | undefined;
let hidden: string[] | undefined;

function told(): void {
	for (const f of [...listeners]) f();
}

function list(): string[] {
	return (hidden ??= (shelf.get(HIDDEN) ?? '').split(' ').filter(Boolean));
}

export const showsPreviews = (): boolean => !(off ??= shelf.get(OFF) !== null);

export function setShowsPreviews(on: boolean): void {
	off = !on;
	shelf.set(OFF, on ? null : '1');
	told();
}

const key = (channel: number, seq: number) => `${channel}/${seq}`;

export function hidePreview(channel: number, seq: number): void {
	hidden = [...list().filter((k) => k !== key(channel, seq)), key(channel, seq)].slice(-MOST);
	shelf.set(HIDDEN, hidden.join(' '));
	told();
}

export const isShown = (channel: number, seq: number): boolean => showsPreviews() && !list().includes(key(channel, seq));

/* Drawn anew when that changes. */
export function usePreviewShown(channel: number, seq: number): boolean {
	const [, again] = useState({});
	useEffect(() => {
		const f = () => again({});
		listeners.add(f);
		return () => void listeners.delete(f);
	}, []);
	return isShown(channel, seq);
}
