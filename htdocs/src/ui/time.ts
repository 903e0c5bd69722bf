// Dates and times as the reader's own locale and zone show them. Day borders are local midnights, found by the
// calendar and not by adding 24 hours: on two days of the year that is wrong.
import { useEffect, useState } from 'preact/hooks';

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayLong = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const month = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });
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
export const monthOf = (ms: number): string => month.format(ms);

/* For the name of a file: 2026-11-26 14.05.33. */
export function stampOf(ms: number): string {
	const d = new Date(ms);
	const two = (n: number) => String(n).padStart(2, '0');
	return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${[d.getHours(), d.getMinutes(), d.getSeconds()].map(two).join('.')}`;
}

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

/* "5 minutes ago", "yesterday". */
export function agoOf(ms: number, now: number): string {
	const minutes = Math.min(0, Math.round((ms - now) / 60_000));
	if (minutes > -60) return relative.format(minutes, 'minute');
	const days = Math.round((dayStart(ms) - dayStart(now)) / 86_400_000);
	if (days === 0 || minutes > -8 * 60) return relative.format(Math.round(minutes / 60), 'hour');
	return days > -30 ? relative.format(days, 'day') : short.format(ms);
}

const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });

/* The end of something: a time today, a day and a time this week, else a date. A midnight is the end of the day before. */
export function untilOf(ms: number, now: number): string {
	const midnight = dayStart(ms) === ms;
	const days = Math.round((dayStart(midnight ? ms - 1 : ms) - dayStart(now)) / 86_400_000);
	const day = days === 0 || days === 1 ? relative.format(days, 'day') : days < 7 ? weekday.format(midnight ? ms - 1 : ms) : short.format(ms);
	if (midnight || days >= 7) return days === 0 ? clock.format(ms) : day;
	return days === 0 ? clock.format(ms) : `${day} ${clock.format(ms)}`;
}

/* What a clock on the wall shows there, and how many minutes that is ahead of ours; null for a zone that is not known here. */
export function zoneTime(zone: string, now: number): { time: string; minutes: number } | null {
	try {
		const at = new Date(Math.floor(now / 60_000) * 60_000);
		const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit', timeZone: zone });
		const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: 'numeric', minute: '2-digit', timeZone: zone });
		const wall = new Intl.DateTimeFormat('en-US', {
			year: 'numeric',
			month: 'numeric',
			day: 'numeric',
			hour: 'numeric',
			minute: 'numeric',
			hourCycle: 'h23',
			timeZone: zone,
		});
		const part = Object.fromEntries(wall.formatToParts(at).map((p) => [p.type, Number(p.value)]));
		const there = Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!);
		const here = Date.UTC(at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes());
		return { time: (part.day === at.getDate() ? time : day).format(at), minutes: Math.round((there - here) / 60_000) };
	} catch {
		return null;
	}
}

/* The time, as precise as a person reads it. */
export function useNow(): number {
	const [now, set] = useState(() => Date.now());
	useEffect(() => {
		const timer = setInterval(() => set(Date.now()), 10_000);
		return () => clearInterval(timer);
	}, []);
	return now;
}
