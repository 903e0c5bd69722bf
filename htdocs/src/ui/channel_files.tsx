// The right panel: the files of the channel, the newest first: pictures as a grid, all others as rows. It is loaded a page at a time, and goes on
// by the events of their messages.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Download, ImageOff, MessageSquareText } from 'lucide';
import { filesShown, type Bearer, type FilesKind } from '../model/channel_files';
import { addressOf, kindOf, pictureOf, shownName } from '../model/files';
import type { Channel, StoredFile } from '../model/types';
import { files as rest } from '../net/uploads';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { tl } from '../strings_channel_files';
import { sizeText } from './bytes';
import { useState$, useUi, type Ui } from './context';
import { errorText } from './errors';
import { FileName, KindIcon } from './file_parts';
import { Icon } from './icon';
import { usePhone } from './media';
import { channelLabel, personName } from './names';
import { Panel } from './panel';
import { channelPath, messagePath, navigate, threadPath, type ChannelRoute } from './route';
import { dateOf, dayStart, fullTime, monthOf, timeOf } from './time';

const PAGE = 60; // messages
const KINDS: readonly FilesKind[] = ['all', 'images', 'others'];
let asks = 0;

/* A page of the list, into the store: the first one, or the next. Answers what went wrong, unless it was asked for anew meanwhile. */
async function load({ client }: Ui, channel: number, kind: FilesKind, more: boolean): Promise<string | null> {
	const { store } = client;
	const held = store.get().files;
	const before = more && held?.next ? held.next : undefined;
	const ask = before && held ? held.ask : ++asks;
	let said: string | null = null;
	store.dispatch(before ? { type: 'files/more', ask } : { type: 'files/open', channel, kind, ask });
	try {
		const { data } = await rest.inChannel(channel, { before, kind: kind === 'all' ? undefined : kind, limit: PAGE });
		client.loader.needUsers(data.files.map((f) => f.sender));
		store.dispatch({ type: 'files/page', ask, ...data });
	} catch (e) {
		if (store.get().files?.ask === ask) said = errorText(e);
		store.dispatch({ type: 'files/failed', ask });
	}
	return said;
}

interface Item {
	key: string;
	file: StoredFile;
	of: Bearer;
}

export function FilesPanel({ route, channel }: { route: ChannelRoute; channel: Channel }) {
	const ui = useUi();
	const [kind, setKind] = useState<FilesKind>('all');
	const [error, setError] = useState<string | null>(null);
	const label = useState$((s) => channelLabel(s, channel));
	const list = useState$((s) => (s.files?.channel === channel.id && s.files.kind === kind ? s.files : null));
	const live = useState$((s) => s.connection.status === 'live');
	const stale = list?.status === 'stale';
	const ask = (more: boolean) => {
		setError(null);
		void load(ui, channel.id, kind, more).then((said) => said && setError(said));
	};
	useEffect(() => ask(false), [kind]);
	// What was held is not to be trusted any more, or did not come and may now.
	useEffect(() => {
		if (stale || (live && list?.status === 'failed')) ask(list?.known === true && !stale);
	}, [stale, live]);
	useEffect(() => () => ui.client.store.dispatch({ type: 'files/close', channel: channel.id }), []);

	const shown = useMemo(() => (list ? filesShown(list) : []), [list]);
	const months = useMemo(() => byMonth(shown), [shown]);
	const items = months.flatMap((m) => m.items);
	const busy = !list || list.status === 'loading' || list.status === 'more' || stale;
	const none = list?.known === true && !items.length && list.next === null;
	const more = list?.known === true && list.next !== null;
	const roving = useRoving(items);
	return (
		<Panel title={tc.files} topic={label} onClose={() => navigate(channelPath(channel.id))}>
			<div
				ref={roving.room}
				class="panel-scroll"
				tabIndex={0}
				role="region"
				aria-label={tc.files}
				aria-busy={busy}
				onKeyDown={roving.onKeyDown}
			>
				<div class="search-row file-kinds" role="radiogroup" aria-label={tl.kinds}>
					{KINDS.map((k) => (
						<label key={k} class={k === kind ? 'facet facet-on' : 'facet'}>
							<input type="radio" class="sr-only" name="file-kind" checked={k === kind} onChange={() => setKind(k)} />
							{tl.kind[k]}
						</label>
					))}
				</div>
				<p class="search-said" role="status">
					{none ? tl.none[kind] : items.length ? tl.shown(items.length, more) : busy ? t.loading : ''}
				</p>
				{none && <p class="panel-note">{tl.noneHow}</p>}
				{months.map((m) => (
					<Month key={m.start} {...m} route={route} channel={channel} active={roving.active} onFocus={roving.focused} />
				))}
				{error && (
					<div class="panel-note" role="alert">
						<p>{`${tl.failed} ${error}`}</p>
						<button class="button" onClick={() => ask(list?.known === true)}>
							{t.retry}
						</button>
					</div>
				)}
				{more && !error && (
					<button class="button" disabled={busy} onClick={() => ask(true)}>
						{t.more}
					</button>
				)}
			</div>
		</Panel>
	);
}

interface MonthOf {
	start: number;
	items: Item[];
}

function byMonth(shown: readonly Bearer[]): MonthOf[] {
	const months: MonthOf[] = [];
	for (const of of shown) {
		const d = new Date(of.created_at);
		const start = new Date(d.getFullYear(), d.getMonth()).getTime();
		if (months.at(-1)?.start !== start) months.push({ start, items: [] });
		for (const file of of.files) months.at(-1)!.items.push({ key: `${of.seq}/${file.id}`, file, of });
	}
	return months;
}

interface MonthProps extends MonthOf {
	route: ChannelRoute;
	channel: Channel;
	active: string | undefined;
	onFocus: (key: string) => void;
}

function Month({ start, items, route, channel, active, onFocus }: MonthProps) {
	// The panel's title is h1 where it is the page.
	const Heading = usePhone() ? 'h2' : 'h3';
	return (
		<section>
			<Heading class="file-month">{monthOf(start)}</Heading>
			<ul class="file-list">
				{items.map((item) => (
					<Entry key={item.key} item={item} route={route} channel={channel} active={item.key === active} onFocus={onFocus} />
				))}
			</ul>
		</section>
	);
}

interface EntryProps {
	item: Item;
	route: ChannelRoute;
	channel: Channel;
	active: boolean;
	onFocus: (key: string) => void;
}

function Entry({ item, route, channel, active, onFocus }: EntryProps) {
	const { file, of } = item;
	const user = useState$((s) => s.users[of.sender]);
	const at = Date.parse(of.created_at);
	const name = shownName(file.name);
	const when = at >= dayStart(Date.now()) ? timeOf(at) : dateOf(at);
	const tab = active ? 0 : -1;
	const who = personName(user);
	const picture = kindOf(file) === 'picture';
	return (
		<li class={picture ? 'file-tile' : 'file-row with-tool'} data-key={item.key} onFocusCapture={() => onFocus(item.key)}>
			{picture ? (
				<Tile file={file} channel={channel.id} tab={tab} label={tl.of(name, who, when)} />
			) : (
				<a
					class="card-link"
					href={addressOf(file.id, true)}
					download=""
					title={`${name}, ${who}, ${fullTime(at)}`}
					tabIndex={tab}
					data-main
				>
					<span class="sr-only">{t.download} </span>
					<KindIcon file={file} />
					<span class="card-text">
						<FileName name={file.name} />
						<small class="file-facts">
							<bdi>{who}</bdi>
							<span>
								· {sizeText(file.size)} · <time dateTime={of.created_at}>{when}</time>
							</span>
						</small>
					</span>
					<Icon of={Download} size={17} />
				</a>
			)}
			<Jump item={item} route={route} channel={channel} tab={tab} />
		</li>
	);
}

function Tile({ file, channel, tab, label }: { file: StoredFile; channel: number; tab: number; label: string }) {
	const { client, openDialog } = useUi();
	const [state, setState] = useState<'loading' | 'there' | 'failed'>('loading');
	return (
		<button
			class={`picture${state === 'there' ? ' there' : ''}`}
			aria-label={label}
			aria-haspopup="dialog"
			title={label}
			tabIndex={tab}
			data-main
			data-file={file.id}
			onClick={() => openDialog({ lightbox: { channel, file: file.id, listed: true } })}
		>
			{state === 'failed' ? (
				<span class="picture-failed">
					<Icon of={ImageOff} size={22} />
				</span>
			) : (
				<img
					src={client.uploads.pictureOf(file.id) ?? addressOf(pictureOf(file))}
					alt=""
					loading="lazy"
					decoding="async"
					width={160}
					height={160}
					onLoad={() => setState('there')}
					onError={() => setState('failed')}
				/>
			)}
		</button>
	);
}

function Jump({ item: { file, of }, route, channel, tab }: { item: Item; route: ChannelRoute; channel: Channel; tab: number }) {
	const { client } = useUi();
	const phone = usePhone();
	const to = of.thread ? threadPath(channel.id, of.thread, of.seq) : messagePath(channel.id, of.seq);
	return (
		<a
			class="icon-button small file-jump"
			href={to}
			title={tl.jump}
			aria-label={tl.jumpOf(shownName(file.name))}
			tabIndex={tab}
			onClick={(e) => {
				if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
				e.preventDefault();
				if (of.thread || phone) navigate(to);
				else if (route.at === of.seq) client.open(channel.id, of.seq); // it is there already: once more
				else navigate(`${channelPath(channel.id, 'files')}?at=${of.seq}`);
			}}
		>
			<Icon of={MessageSquareText} size={15} />
		</a>
	);
}

/* One tab stop for all of them; arrow keys move from one to the other as they stand on the screen. */
function useRoving(items: readonly Item[]) {
	const room = useRef<HTMLDivElement>(null);
	const inside = useRef(false);
	const place = useRef(0);
	const [key, setKey] = useState<string>();
	const active = items.some((i) => i.key === key) ? key : items[0]?.key;
	const main = (of: string | undefined) => room.current?.querySelector<HTMLElement>(`[data-key="${of}"] [data-main]`);
	// The one that had the focus is gone: the one in its place has it.
	useLayoutEffect(() => {
		if (!inside.current || document.activeElement !== document.body) return;
		const next = items[Math.min(place.current, items.length - 1)]?.key;
		setKey(next);
		(main(next) ?? room.current)?.focus();
	}, [items.length]);
	useLayoutEffect(() => {
		place.current = Math.max(0, items.findIndex((i) => i.key === active));
		const held = document.activeElement;
		inside.current = held instanceof HTMLElement && held.closest('[data-key]') !== null && room.current?.contains(held) === true;
	});
	const onKeyDown = (e: KeyboardEvent) => {
		if (e.ctrlKey || e.metaKey || e.altKey || e.shiftKey || !(e.target instanceof HTMLElement)) return;
		const here = e.target.closest<HTMLElement>('[data-key]');
		if (!here) return;
		const at = items.findIndex((i) => i.key === here.dataset.key);
		const rtl = document.dir === 'rtl' ? -1 : 1;
		const steps: Record<string, () => number> = {
			ArrowRight: () => at + rtl,
			ArrowLeft: () => at - rtl,
			ArrowDown: () => below(at, 1),
			ArrowUp: () => below(at, -1),
			Home: () => 0,
			End: () => items.length - 1,
		};
		const step = steps[e.key];
		if (!step) return;
		e.preventDefault();
		const to = items[Math.min(items.length - 1, Math.max(0, step()))];
		if (!to) return;
		setKey(to.key);
		main(to.key)?.focus();
	};
	/* The nearest of the next line, up or down. */
	const below = (at: number, by: 1 | -1): number => {
		const box = (i: number) => main(items[i]?.key)?.getBoundingClientRect();
		const here = box(at);
		if (!here) return at;
		const middle = (r: DOMRect) => r.left + r.width / 2;
		let found = at;
		let line: number | null = null;
		let least = Infinity;
		for (let i = at + by; i >= 0 && i < items.length; i += by) {
			const b = box(i);
			if (!b || Math.abs(b.top - here.top) < 2) continue;
			if (line !== null && Math.abs(b.top - line) > 2) break;
			line = b.top;
			const away = Math.abs(middle(b) - middle(here));
			if (away < least) [least, found] = [away, i];
		}
		return found;
	};
	return { room, active, onKeyDown, focused: setKey };
}
