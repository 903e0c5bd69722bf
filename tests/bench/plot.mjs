// plot: the figures of `make bench` as one SVG: each check as a bar whose length is its value against the bar that it has to meet.

const escape = (s) => String(s).replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
const ROW = 26;
const LEFT = 430;
const WIDE = 420; // of the longest bar; the limit stands at half of it

export function plot({ conditions, cells }) {
	const parts = [];
	let y = 60;
	const text = (x, at, s, more = "") => parts.push(`<text x="${x}" y="${at}" ${more}>${escape(s)}</text>`);
	text(12, 22, "PulseChat beside its peers", 'font-size="16" font-weight="bold"');
	text(
		12,
		42,
		[
			`${conditions.cores} × ${conditions.cpu}`,
			`Linux ${conditions.kernel}`,
			`PostgreSQL ${conditions.postgres}`,
			conditions.note,
			conditions.at,
		].join("; "),
		'font-size="10" fill="#555"',
	);
	for (const [name, cell] of Object.entries(cells)) {
		y += 14;
		text(12, y, `${cell.title}${cell.quick ? " (quick)" : ""}`, 'font-weight="bold"');
		text(LEFT + WIDE + 120, y, cell.failed ? "failed" : name, 'fill="#777" text-anchor="end"');
		y += 8;
		for (const c of cell.checks) {
			const share = c.bar ? c.value / c.bar / 2 : c.value ? 1 : 0;
			const length = Math.max(1, Math.min(1, Number.isFinite(share) ? share : 0) * WIDE);
			text(LEFT - 8, y + 15, c.name, 'text-anchor="end"');
			parts.push(
				`<rect x="${LEFT}" y="${y + 3}" width="${length.toFixed(1)}" height="${ROW - 10}" fill="${c.ok ? "#3a7d44" : "#b3402e"}"/>`,
			);
			text(LEFT + length + 6, y + 15, `${c.value.toFixed(2)}${c.unit} (${c.kind} ${c.bar})`);
			y += ROW;
		}
		if (cell.series?.length) {
			const max = Math.max(...cell.series, 1);
			const points = cell.series.map(
				(v, i) => `${LEFT + (i * WIDE) / cell.series.length},${(y + 50 - (v / max) * 46).toFixed(1)}`,
			);
			text(LEFT - 8, y + 30, `acknowledged a second under the snapshot, up to ${max}`, 'text-anchor="end"');
			parts.push(`<polyline points="${points.join(" ")}" fill="none" stroke="#2d5d8c" stroke-width="1.5"/>`);
			y += 60;
		}
		y += 6;
	}
	parts.push(`<line x1="${LEFT + WIDE / 2}" y1="60" x2="${LEFT + WIDE / 2}" y2="${y}" stroke="#999" stroke-dasharray="4 3"/>`);
	text(LEFT + WIDE / 2 + 4, y + 12, "the bar to meet", 'fill="#777" font-size="10"');
	const height = y + 24;
	return `<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by make bench. -->
<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="${height}" viewBox="0 0 1000 ${height}" font-family="sans-serif" font-size="12">
<rect width="1000" height="${height}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}
