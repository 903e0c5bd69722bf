// The right panel: what is pinned in the channel, or what one has saved; that is a page of its own too.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Bookmark, BookmarkX, PinOff } from 'lucide';
import type { IconNode } from 'lucide';
import { mayPin } from '../model/keep';
import { messageAt } from '../model/log';
import { preview } from '../model/markdown';
import type { Channel, Message } from '../model/types';
import { api } from '../net/api';
import { t } from '../strings';
import { tk } from '../strings_keep';
import { Avatar } from './avatar';
import { Burger } from './channel';
import { ConnectionLine } from './connection';
import { useState$, useUi } from './context';
import { errorText } from './errors';
import { Icon } from './icon';
import { usePhone } from './media';
import { channelLabel, personName } from './names';
import { Panel } from './panel';
import { channelPath, messagePath, navigate, threadPath, type ChannelRoute } from './route';
import { dateOf, dayStart, fullTime, timeOf } from './time';

interface Loaded {
	messages: readonly Message[];
	next: number | null;
}

export function PinsPanel({ route, channel }: { route: ChannelRoute; channel: Channel }) {
	const ui = useUi();
	const pins = useState$((s) => s.pins[channel.id]);
	const label = useState$((s) => channelLabel(s, channel));
	const may = useState$((s) => mayPin(s, channel.id));
	const list = useLoaded(`${channel.id}/${pins?.pins_version ?? 0}`, async () => {
		const { data } = await api.pins(channel.id);
		ui.client.store.dispatch({ type: 'pins', pins: data });
		return { messages: [...data.messages].reverse(), next: null };
	});
	const unpin = (seq: number) => {
		const act = () => ui.client.keeps.togglePin(channel.id, seq);
		return { icon: PinOff, label: tk.unpinOf, done: tk.unpinned, act };
	};
	const there = new Set(pins?.pins.map((p) => p.seq));
	const shown = list.loaded?.messages.filter((m) => there.has(m.seq));
	return (
		<Frame
			route={route}
			title={tk.pins}
			topic={label}
			count={shown && tk.pinsCount(shown.length)}
			list={list}
			empty={[tk.noPins, tk.noPinsHow]}
			none={shown?.length === 0}
		>
			{shown?.map((m) => (
				<Entry key={m.id} message={m} route={route} tool={may ? unpin(m.seq) : null} />
			))}
		</Frame>
	);
}

/* route null: it is the page. */
export function SavedPanel({ route }: { route: ChannelRoute | null }) {
	const ui = useUi();
	const saved = useState$((s) => s.saved);
	useEffect(() => void ui.client.keeps.list(), [saved === null]);
	const list = useLoaded(`${saved?.version ?? -1}`, async (before) => (await api.savedMessages(before)).data);
	const forget = (m: Message) => {
		const act = () => ui.client.keeps.toggleSaved(m.channel, m.seq);
		return { icon: BookmarkX, label: tk.unsaveOf, done: tk.unsavedNow, act };
	};
	const shown = list.loaded?.messages.filter((m) => !saved || `${m.channel}/${m.seq}` in saved.at);
	return (
		<Frame
			route={route}
			title={tk.saved}
			count={saved ? tk.savedCount(Object.keys(saved.at).length) : undefined}
			list={list}
			empty={[tk.noSaved, tk.noSavedHow]}
			none={shown?.length === 0 && list.loaded?.next === null}
		>
			{shown?.map((m) => (
				<Entry
					key={m.id}
					message={m}
					route={route}
					where
					tool={forget(m)}
				/>
			))}
		</Frame>
	);
}

interface List {
	loaded: Loaded | null;
	busy: boolean;
	error: string | null;
	load: (more: boolean) => void;
}

/* Loads a list, and anew when the key is another one; what was there stays meanwhile. */
function useLoaded(key: string, ask: (before?: number) => Promise<{ messages: readonly Message[]; next: number | null }>): List {
	const { client } = useUi();
	const [loaded, setLoaded] = useState<Loaded | null>(null);
	const [busy, setBusy] = useState(true);
	const [error, setError] = useState<string | null>(null);
	const turn = useRef(0);
	const load = (more: boolean) => {
		const mine = ++turn.current;
		setBusy(true);
		setError(null);
		ask(more ? (loaded?.next ?? undefined) : undefined).then(
			(page) => {
				if (mine !== turn.current) return;
				setBusy(false);
				client.loader.needUsers(page.messages.map((m) => m.sender));
				setLoaded((l) => ({ messages: [...(more && l ? l.messages : []), ...page.messages], next: page.next }));
			},
			(e: unknown) => {
				if (mine !== turn.current) return;
				setBusy(false);
				setError(errorText(e));
			},
		);
	};
	useEffect(() => {
		load(false);
		return () => void turn.current++;
	}, [key]);
	return { loaded, busy, error, load };
}

interface FrameProps {
	route: ChannelRoute | null;
	title: string;
	topic?: string;
	count?: string;
	list: List;
	empty: [string, string];
	none: boolean;
	children: ComponentChildren;
}

function Frame({ route, title, topic, count, list, empty, none, children }: FrameProps) {
	const body = (
		<div class="panel-scroll" tabIndex={0} role="region" aria-label={title} aria-busy={list.busy}>
			<p class="search-said" role="status">
				{list.busy && !list.loaded ? t.loading : none ? empty[0] : list.error ? '' : count}
			</p>
			{none && <p class="panel-note">{empty[1]}</p>}
			{list.error && (
				<div class="panel-note" role="alert">
					<p>{`${tk.failed} ${list.error}`}</p>
					<button class="button" onClick={() => list.load(false)}>
						{t.retry}
					</button>
				</div>
			)}
			<ul class="results">{children}</ul>
			{list.loaded?.next != null && (
				<button class="button" disabled={list.busy} onClick={() => list.load(true)}>
					{t.more}
				</button>
			)}
		</div>
	);
	if (route)
		return (
			<Panel title={title} topic={topic} onClose={() => navigate(channelPath(route.channel))}>
				{body}
			</Panel>
		);
	return (
		<main class="main" id="main">
			<header class="head">
				<Burger />
				<Icon of={Bookmark} size={18} />
				<h1>{title}</h1>
			</header>
			<ConnectionLine />
			{none ? (
				<div class="blank" role="status">
					<h2>{empty[0]}</h2>
					<p>{empty[1]}</p>
				</div>
			) : (
				body
			)}
		</main>
	);
}

interface EntryTool {
	icon: IconNode;
	label: (who: string) => string;
	done: string;
	act: () => Promise<unknown>;
}

function Entry({ message: m, route, where, tool }: { message: Message; route: ChannelRoute | null; where?: boolean; tool: EntryTool | null }) {
	const { client, toast } = useUi();
	const phone = usePhone();
	const user = useState$((s) => s.users[m.sender]);
	const item = useRef<HTMLLIElement>(null);
	// Taken from the list by its own button, it leaves the focus to its neighbour.
	useLayoutEffect(() => {
		const li = item.current;
		return () => {
			if (!li?.contains(document.activeElement)) return;
			const beside = li.nextElementSibling ?? li.previousElementSibling;
			(beside?.querySelector('a') ?? li.closest<HTMLElement>('.panel-scroll'))?.focus();
		};
	}, []);
	const place = useState$((s) => (s.channels[m.channel] ? channelLabel(s, s.channels[m.channel]!) : ''));
	// As it is now, where it is on the screen beside.
	const now = useState$((s) => messageAt(s.logs[m.channel], m.seq)) ?? m;
	if (!place || now.deleted) return null;
	const at = Date.parse(m.created_at);
	const current = route?.channel === m.channel && route.at === m.seq;
	const to = m.thread ? threadPath(m.channel, m.thread, m.seq) : messagePath(m.channel, m.seq);
	const said = now.body?.text || now.body?.forward?.text;
	const files = (now.body?.files ?? now.body?.forward?.files)?.length ?? 0;
	const label = tool?.label(personName(user));
	return (
		<li class="with-tool" ref={item}>
			<a
				class="result"
				href={to}
				aria-current={current ? 'true' : undefined}
				onClick={(e) => {
					if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
					e.preventDefault();
					if (current) client.open(m.channel, m.seq);
					else if (phone || !route || m.thread) navigate(to);
					else navigate(`${channelPath(m.channel, route.panel ?? undefined)}?at=${m.seq}`);
				}}
			>
				<span class="result-head">
					<Avatar user={user} id={m.sender} size="s" />
					<bdi class="result-who">{personName(user)}</bdi>
					<bdi class="result-where">{where ? place : ''}</bdi>
					<time dateTime={m.created_at} title={fullTime(at)}>
						{at >= dayStart(Date.now()) ? timeOf(at) : dateOf(at)}
					</time>
				</span>
				<span class="result-text" dir="auto">
					{[said && preview(said, 400), files ? tk.withFiles(files) : ''].filter(Boolean).join(' · ')}
				</span>
			</a>
			{tool && (
				<button
					class="icon-button small"
					title={label}
					aria-label={label}
					onClick={() =>
						tool.act().then(
							() => toast(tool.done),
							(e: unknown) => toast(errorText(e), true),
						)
					}
				>
					<Icon of={tool.icon} size={16} />
				</button>
			)}
		</li>
	);
}
