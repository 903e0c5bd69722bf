// The left side: workspace, own menu, the way to everything (Ctrl+K), channels and direct messages.
import { Hash, Lock, MessageSquarePlus, Pencil, Plus, Search } from 'lucide';
import { channelLabel, personName } from './names';
import { isGuest } from '../model/roles';
import { myId, sections, type State } from '../model/state';
import { loudOf, unreadOf } from '../model/unread';
import { draftFiles } from '../model/uploads';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { countText } from './attention';
import { useState$, useUi } from './context';
import { Icon } from './icon';
import { Menu, MenuItem } from './menu';
import { OpenReports } from './open_reports';
import { Face, StatusMark } from './presence';
import { navigate, channelPath } from './route';
import { ThreadsEntry } from './thread_line';
import { UserMenu } from './user_menu';

/* threads: the list of threads is what is open. */
export function Sidebar({ current, threads, hidden }: { current: number | null; threads: boolean; hidden: boolean }) {
	const ui = useUi();
	const name = useState$((s) => s.site?.name ?? t.appName);
	const state = useState$((s) => s);
	const { channels, direct } = sections(state);
	const guest = isGuest(state);
	return (
		<nav class="side" id="side" aria-label={t.navigation} inert={hidden}>
			<div class="side-top">
				<span class="side-mark" aria-hidden="true">
					{[...name][0]?.toLocaleUpperCase()}
				</span>
				<bdi class="side-name">{name}</bdi>
				<UserMenu />
			</div>
			<button class="find" onClick={() => ui.openDialog('switcher')} aria-keyshortcuts="Control+K">
				<Icon of={Search} size={16} />
				<span>{t.goTo}</span>
				<kbd>Ctrl K</kbd>
			</button>
			<div class="side-scroll">
				<OpenReports />
				<ThreadsEntry current={threads} />
				<div class="side-head">
					<h2 id="side-channels">{t.channels}</h2>
					{!guest && (
						<Menu icon={Plus} label={t.addChannel}>
							<MenuItem onChoose={() => ui.openDialog('browse')}>{t.browseChannels}</MenuItem>
							<MenuItem onChoose={() => ui.openDialog('create')}>{t.createChannel}</MenuItem>
						</Menu>
					)}
				</div>
				{channels.length ? (
					<ul aria-labelledby="side-channels">
						{channels.map((c) => (
							<Entry key={c.id} channel={c} state={state} current={c.id === current} />
						))}
					</ul>
				) : (
					<p class="side-empty">
						{t.noChannels}{' '}
						{!guest && (
							<button class="link-button" onClick={() => ui.openDialog('browse')}>
								{t.browseChannels}
							</button>
						)}
					</p>
				)}
				<div class="side-head">
					<h2 id="side-direct">{t.directMessages}</h2>
					<button class="icon-button" title={t.newDirect} aria-label={t.newDirect} onClick={() => ui.openDialog('direct')}>
						<Icon of={MessageSquarePlus} size={17} />
					</button>
				</div>
				{direct.length ? (
					<ul aria-labelledby="side-direct">
						{direct.map((c) => (
							<Entry key={c.id} channel={c} state={state} current={c.id === current} />
						))}
					</ul>
				) : (
					<p class="side-empty">
						{t.noDirect}{' '}
						<button class="link-button" onClick={() => ui.openDialog('direct')}>
							{t.newDirect}
						</button>
					</p>
				)}
			</div>
		</nav>
	);
}

function Entry({ channel: c, state, current }: { channel: Channel; state: State; current: boolean }) {
	const ui = useUi();
	const unread = unreadOf(c);
	const loud = loudOf(c);
	const draft = !current && (!!state.drafts[c.id]?.trim() || draftFiles(state, c.id).length > 0);
	const peer = c.peer === null ? undefined : state.users[c.peer];
	const name = c.kind === 'direct' ? (c.peer === myId(state) ? channelLabel(state, c) : personName(peer)) : c.name;
	return (
		<li>
			<a
				class={`entry${current ? ' current' : ''}${unread ? ' unread' : ''}`}
				href={channelPath(c.id)}
				aria-current={current ? 'page' : undefined}
				onClick={(e) => {
					if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
					e.preventDefault();
					navigate(channelPath(c.id));
					ui.drawer(false);
				}}
			>
				{c.kind === 'direct' ? (
					<Face user={peer} id={c.peer ?? 0} size="s" said />
				) : (
					<Icon of={c.kind === 'private' ? Lock : Hash} size={16} />
				)}
				<bdi class="entry-name">{name}</bdi>
				{c.peer !== null && <StatusMark id={c.peer} />}
				{c.kind === 'private' && <span class="sr-only">({t.privateChannel})</span>}
				{draft && (
					<span class="entry-draft" title={t.hasDraft}>
						<Icon of={Pencil} size={13} />
						<span class="sr-only">{t.hasDraft}</span>
					</span>
				)}
				{unread > 0 && (
					<span class={loud ? 'badge badge-loud' : 'badge'}>
						<span aria-hidden="true">{countText(loud || unread)}</span>
						<span class="sr-only">
							{t.unread(unread)}
							{loud > 0 && c.kind !== 'direct' && `, ${t.mentions(loud)}`}
						</span>
					</span>
				)}
			</a>
		</li>
	);
}
