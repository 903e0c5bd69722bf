// Sizes as people read them.
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
const formats = UNITS.map(
	(unit, i) => new Intl.NumberFormat(undefined, { style: 'unit', unit, unitDisplay: i ? 'short' : 'long', maximumFractionDigits: i > 1 ? 1 : 0 }),
);

export function sizeText(bytes: number): string {
	let i = 0;
	let n = Math.max(0, bytes);
	for (; n >= 999.5 && i < UNITS.length - 1; i++) n /= 1000;
	return formats[i]!.format(n);
}

/* 75 s as 1:15. */
export function lengthText(seconds: number): string {
	const s = Math.round(seconds);
	const two = (n: number) => String(n).padStart(2, '0');
	const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
	return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}
