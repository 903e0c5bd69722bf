// Dates and times as the reader's own locale and zone show them. Day borders are local midnights, found by the
// calendar and not by adding 24 hours: on two days of the year that is wrong.
import { useEffect, useState } from 'preact/hooks';

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayLong = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

export const timeOf = (ms: number): string => clock.format(ms);
/* For the narrow column beside a message: without AM and PM, the group's head has them. */
export const briefTime = (ms: number): string =>
	clock
		.formatToParts(ms)
		.filter((p) => p.type === 'hour' || p.type === 'minute' || (p.type === 'literal' && p.value.trim()))
		.map((p) => p.value)
		.join('');
export const fullTime = (ms: number): string => full.format(ms);
export const dateOf = (ms: number): string => short.format(ms);

/* The local midnight that begins the day of `ms`, `days` later. */
export function dayStart(ms: number, days = 0): number {
	const d = new Date(ms);
	return new Date(d.getFullYear(), d.getMonth(), d.getDate() + days).getTime();
}

export function dayName(start: number, today: number): string {
	if (start === today) return capital(relative.format(0, 'day'));
	if (start === dayStart(today, -1)) return capital(relative.format(-1, 'day'));
	return (new Date(start).getFullYear() === new Date(today).getFullYear() ? dayLong : dayYear).format(start);
}

const capital = (s: string) => s.charAt(0).toLocaleUpperCase() + s.slice(1);

/* The start of today; renders again when the day changes, also after a night asleep. */
export function useToday(): number {
	const [today, set] = useState(() => dayStart(Date.now()));
	useEffect(() => {
		const check = () => set(dayStart(Date.now()));
		const timer = setInterval(check, 20_000);
		document.addEventListener('visibilitychange', check);
		return () => {
			clearInterval(timer);
			document.removeEventListener('visibilitychange', check);
		};
	}, []);
	return today;
}
