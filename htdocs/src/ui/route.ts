// The page paths: / , /c/12 , /c/12?at=1041 , /c/12/m/1041 (the same, as it is given to others), /c/12/members , /c/12/search?q=WORDS ,
// /c/12/pins , /c/12/saved , /c/12/files , /c/12/t/1041 , /c/12/t/1041?reply=1043 , /threads , /saved , /c/join#CODE , /admin/people , /sign-in , /join#CODE.
// The web server gives index.html for each of them.
import { useEffect, useState } from 'preact/hooks';

export type AdminTab = 'people' | 'reports' | 'channels' | 'bots' | 'audit';
export type Door = { page: 'sign-in'; returnTo: string } | { page: 'join'; invite: string };
export type Panel = 'members' | 'search' | 'pins' | 'saved' | 'files' | 'thread';
/* at: the seq of a message to begin at. thread: the root of the thread that is open, reply: one in it to begin at. q: what is
 * searched for, where that panel is open. */
export type ChannelRoute = { page: 'channel'; channel: number; panel: Panel | null; at: number | null; q: string; thread: number | null; reply: number | null };
export type Route = { page: 'home' | 'threads' | 'saved' } | { page: 'admin'; tab: AdminTab } | ChannelRoute | { page: 'invited'; code: string } | Door;

/* Pages for those who have not signed in. */
export const isDoor = (route: Route): route is Door => route.page === 'sign-in' || route.page === 'join';

/* Only a path of this site may be come back to. */
export function safeReturn(path: string | null): string {
	return path && /^\/(?![/\\])/.test(path) && !path.startsWith('/sign-in') ? path : '/';
}

export function parseRoute(path: string, search: string, hash = ''): Route {
	if (path === '/sign-in') return { page: 'sign-in', returnTo: safeReturn(new URLSearchParams(search).get('return_to')) };
	// Behind the #, where no server and no log gets to see it.
	const join = path === '/join' && /^#([\w-]{1,64})$/.exec(hash);
	if (join) return { page: 'join', invite: join[1]! };
	if (path === '/c/join') {
		const code = /^#([\w-]{1,64})$/.exec(hash)?.[1] ?? keptCode();
		if (code) return { page: 'invited', code };
	}
	const m = /^\/c\/(\d{1,16})(?:\/(members|search|pins|saved|files)|\/([mt])\/(\d{1,16}))?\/?$/.exec(path);
	if (m) {
		const params = new URLSearchParams(search);
		const seq = m[4] ? Number(m[4]) : null;
		const thread = m[3] === 't' ? seq : null;
		const number = (name: string) => (/^\d{1,16}$/.test(params.get(name) ?? '') ? Number(params.get(name)) : 0) || null;
		return {
			page: 'channel',
			channel: Number(m[1]),
			panel: m[3] === 't' ? 'thread' : ((m[2] as Panel | undefined) ?? null),
			at: (m[3] === 'm' && seq) || number('at'),
			q: params.get('q') ?? '',
			thread,
			reply: number('reply'),
		};
	}
	const a = /^\/admin(?:\/(people|reports|channels|bots|audit))?\/?$/.exec(path);
	if (a) return { page: 'admin', tab: (a[1] as AdminTab | undefined) ?? 'people' };
	const list = /^\/(threads|saved)\/?$/.exec(path)?.[1] as 'threads' | 'saved' | undefined;
	if (list) return { page: list };
	return { page: 'home' };
}

/* The code of a link, over a sign-in: what is behind the # does not come back from there. For this tab alone. */
const CODE = 'pulsechat:code';
export const keepCode = (code: string) => sessionStorage.setItem(CODE, code);
export const dropCode = () => sessionStorage.removeItem(CODE);
function keptCode(): string | null {
	try {
		return sessionStorage.getItem(CODE);
	} catch {
		return null; // there is no storage (a test, or a browser that has none)
	}
}

export const adminPath = (tab: AdminTab = 'people') => `/admin/${tab}`;
export const channelPath = (id: number, panel?: Panel) => `/c/${id}${panel ? `/${panel}` : ''}`;
export const threadPath = (id: number, root: number, reply?: number) => `/c/${id}/t/${root}${reply ? `?reply=${reply}` : ''}`;
export const messagePath = (id: number, seq: number) => `/c/${id}?at=${seq}`;
/* The address of a message, for others. */
export const linkPath = (id: number, seq: number) => `/c/${id}/m/${seq}`;
/* The results of a search beside a channel, at a message of it. */
export function searchPath(id: number, q = '', at: number | null = null): string {
	const params = new URLSearchParams();
	if (q) params.set('q', q);
	if (at !== null) params.set('at', String(at));
	return `/c/${id}/search${params.size ? `?${params}` : ''}`;
}

/* The channel that a panel opens beside: the one that is open, else any; 0: there is none. */
function beside(channels: Readonly<Record<number, unknown>>): number {
	const here = parseRoute(location.pathname, location.search);
	return here.page === 'channel' && channels[here.channel] ? here.channel : Number(Object.keys(channels)[0] ?? 0);
}

export function openPanel(channels: Readonly<Record<number, unknown>>, panel: Panel): void {
	const id = beside(channels);
	if (id) navigate(channelPath(id, panel));
}

/* Opens the search; false: there is no channel. */
export function openSearch(channels: Readonly<Record<number, unknown>>, q = ''): boolean {
	const id = beside(channels);
	if (!id) return false;
	navigate(searchPath(id, q));
	dispatchEvent(new Event('pulsechat-search'));
	return true;
}

export function navigate(path: string, replace = false): void {
	if (path === location.pathname + location.search) return;
	if (replace) history.replaceState(null, '', path);
	else history.pushState(null, '', path);
	dispatchEvent(new Event('pulsechat-route'));
}

export function useRoute(): Route {
	const [route, set] = useState(() => parseRoute(location.pathname, location.search, location.hash));
	useEffect(() => {
		const update = () => set(parseRoute(location.pathname, location.search, location.hash));
		addEventListener('popstate', update);
		addEventListener('pulsechat-route', update);
		return () => {
			removeEventListener('popstate', update);
			removeEventListener('pulsechat-route', update);
		};
	}, []);
	return route;
}
