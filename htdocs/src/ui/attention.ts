// What calls from outside the page: the title and the icon of the tab. A number for what is meant for oneself (mentions and
// direct messages), a dot for what else is unread.
import { useEffect } from 'preact/hooks';
import { totals } from '../model/unread';
import { useSelect, type Store } from '../store';
import { t } from '../strings';
import { channelLabel } from './names';

export const countText = (n: number): string => (n > 99 ? '99+' : String(n));

/* "(3) #general – Harbour Works" */
export function useAttention(store: Store, id: number | null): void {
	const title = useSelect(store, (s) => {
		const { loud } = totals(s);
		const c = id === null ? undefined : (s.channels[id] ?? (s.preview?.id === id ? s.preview : undefined));
		const site = s.site?.name ?? t.appName;
		return `${loud ? `(${countText(loud)}) ` : ''}${c ? `${channelLabel(s, c)} – ` : ''}${site}`;
	});
	const badge = useSelect(store, (s) => {
		const { loud, unread } = totals(s);
		return loud ? (loud > 9 ? '9+' : String(loud)) : unread ? '•' : '';
	});
	useEffect(() => {
		document.title = title;
	}, [title]);
	useEffect(() => {
		const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
		if (!link) return;
		plain ??= link.href;
		link.href = badge ? iconWith(badge) : plain;
		link.dataset.badge = badge;
	}, [badge]);
}

let plain: string | null = null;

const DOT = '<circle cx="25" cy="7" r="6.5" fill="#fff"/><circle cx="25" cy="7" r="5" fill="#f08c00"/>';
const NUMBER = 'font-family="system-ui,sans-serif" font-size="15" font-weight="700" fill="#fff" text-anchor="middle"';

/* The icon of favicon.svg with a badge drawn over its corner. */
function iconWith(badge: string): string {
	const width = badge.length > 1 ? 23 : 19;
	const mark =
		badge === '•'
			? DOT
			: `<rect x="${32 - width}" width="${width}" height="19" rx="9.5" fill="#c02424" stroke="#fff" stroke-width="1.5"/>` +
				`<text x="${32 - width / 2}" y="14.6" ${NUMBER}>${badge}</text>`;
	const svg =
		'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#3b5bdb"/>' +
		'<path d="M6 17h5l3-8 4 14 3-8 1 2h4" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/>' +
		`${mark}</svg>`;
	return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
