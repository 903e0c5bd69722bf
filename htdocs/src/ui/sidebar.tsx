// The left side: workspace, own menu, the way to everything (Ctrl+K), channels and direct messages in the sections that one has made.
import type { ComponentChildren } from 'preact';
import { BellOff, Bookmark, ChevronDown, ChevronRight, EllipsisVertical, Hash, Lock, MessageSquarePlus, MessagesSquare, Pencil, Plus } from 'lucide';
import { Search, Users, type IconNode } from 'lucide';
import { channelLabel, personName } from './names';
import { arranged, keyOf, PLAIN, type SideSection } from '../model/prefs';
import { isGuest } from '../model/roles';
import { myId, type State } from '../model/state';
import { unreadThreads } from '../model/threads';
import { isQuiet, loudOf, unreadOf } from '../model/unread';
import { draftFiles } from '../model/uploads';
import type { Channel, Section } from '../model/types';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { tk } from '../strings_keep';
import { tt } from '../strings_threads';
import { countText } from './attention';
import { useState$, useUi } from './context';
import { errorText } from './errors';
import { Icon } from './icon';
import { Menu, MenuItem } from './menu';
import { OpenReports } from './open_reports';
import { Face, StatusMark } from './presence';
import { navigate, channelPath, type Route } from './route';
import { UserMenu } from './user_menu';

const sectionName = (s: Section): string =>
	s.kind === 'own' ? s.name : s.kind === 'favourites' ? tc.favourites : s.kind === 'direct' ? t.directMessages : t.channels;

/* current: the channel that is open, on its page. */
export function Sidebar({ current, page, hidden }: { current: number | null; page: Route['page']; hidden: boolean }) {
	const ui = useUi();
	const name = useState$((s) => s.site?.name ?? t.appName);
	const state = useState$((s) => s);
	// Favourites show once there is one.
	const list = arranged(state, current).filter((s) => s.section.kind !== 'favourites' || s.channels.length > 0);
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
				<ul class="side-pages">
					<ThreadsEntry current={page === 'threads'} />
					<PageEntry path="/saved" icon={Bookmark} name={tk.saved} current={page === 'saved'} />
				</ul>
				{list.map((s, i) => (
					<Part key={s.key} part={s} above={list[i - 1]?.key} below={list[i + 1]?.key} state={state} current={current} />
				))}
			</div>
		</nav>
	);
}

/* Where a link of the side bar leads: there, unless it is to be opened elsewhere. */
function useGo(path: string) {
	const { drawer } = useUi();
	return (e: MouseEvent) => {
		if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
		e.preventDefault();
		navigate(path);
		drawer(false);
	};
}

function ThreadsEntry({ current }: { current: boolean }) {
	const unread = useState$(unreadThreads);
	return (
		<PageEntry path="/threads" icon={MessagesSquare} name={tt.threads} current={current} fresh={unread > 0}>
			{unread > 0 && (
				<span class="badge badge-loud">
					<span aria-hidden="true">{countText(unread)}</span>
					<span class="sr-only">{tt.unread(unread)}</span>
				</span>
			)}
		</PageEntry>
	);
}

interface PageEntryProps {
	path: string;
	icon: IconNode;
	name: string;
	current: boolean;
	fresh?: boolean;
	children?: ComponentChildren;
}

/* A page that is no channel. */
function PageEntry({ path, icon, name, current, fresh, children }: PageEntryProps) {
	return (
		<li>
			<a
				class={`entry${current ? ' current' : ''}${fresh ? ' unread' : ''}`}
				href={path}
				aria-current={current ? 'page' : undefined}
				onClick={useGo(path)}
			>
				<Icon of={icon} size={16} />
				<span class="entry-name">{name}</span>
				{children}
			</a>
		</li>
	);
}

interface PartProps {
	part: SideSection;
	/* The keys of its neighbours. */
	above: string | undefined;
	below: string | undefined;
	state: State;
	current: number | null;
}

function Part({ part, above, below, state, current }: PartProps) {
	const { section, key, channels, shown } = part;
	const { client, toast } = useUi();
	const name = sectionName(section);
	const id = `side-${key}`;
	const toggle = () => {
		const sections = (state.sidebar?.sections ?? PLAIN).map((s) => (keyOf(s) === key ? { ...s, collapsed: !s.collapsed } : s));
		client.arrange(sections).catch((e: unknown) => toast(errorText(e), true));
	};
	return (
		<>
			<div class="side-head">
				<h2 id={id}>
					<button class="side-fold" aria-expanded={!section.collapsed} onClick={toggle}>
						<Icon of={section.collapsed ? ChevronRight : ChevronDown} size={13} />
						<bdi>{name}</bdi>
					</button>
				</h2>
				<span class="section-more">
					<SectionMenu section={section} above={above} below={below} state={state} />
				</span>
				{section.kind === 'channels' && <AddChannel />}
				{section.kind === 'direct' && <AddDirect />}
			</div>
			{shown.length > 0 && (
				<ul aria-labelledby={id}>
					{shown.map((c) => (
						<Entry key={c.id} channel={c} state={state} current={c.id === current} />
					))}
				</ul>
			)}
			{!channels.length && !section.collapsed && <Empty section={section} />}
		</>
	);
}

function Empty({ section }: { section: Section }) {
	const ui = useUi();
	const guest = useState$(isGuest);
	if (section.kind === 'own') return <p class="side-empty">{tc.emptySection}</p>;
	const direct = section.kind === 'direct';
	return (
		<p class="side-empty">
			{direct ? t.noDirect : t.noChannels}{' '}
			{(direct || !guest) && (
				<button class="link-button" onClick={() => ui.openDialog(direct ? 'direct' : 'browse')}>
					{direct ? t.newDirect : t.browseChannels}
				</button>
			)}
		</p>
	);
}

function AddChannel() {
	const ui = useUi();
	const guest = useState$(isGuest);
	return (
		<Menu icon={Plus} label={t.addChannel}>
			{!guest && (
				<>
					<MenuItem onChoose={() => ui.openDialog('browse')}>{t.browseChannels}</MenuItem>
					<MenuItem onChoose={() => ui.openDialog('create')}>{t.createChannel}</MenuItem>
				</>
			)}
			<MenuItem onChoose={() => ui.openDialog({ section: null })}>{tc.newSection}</MenuItem>
		</Menu>
	);
}

function AddDirect() {
	const ui = useUi();
	return (
		<button class="icon-button" title={t.newDirect} aria-label={t.newDirect} onClick={() => ui.openDialog('direct')}>
			<Icon of={MessageSquarePlus} size={17} />
		</button>
	);
}

/* What one may do with a section: to move it, and, if it is one's own, to rename or delete it. */
function SectionMenu({ section, above, below, state }: Pick<PartProps, 'above' | 'below' | 'state'> & { section: Section }) {
	const { client, toast, openDialog } = useUi();
	const sections = state.sidebar?.sections ?? PLAIN;
	const others = sections.filter((s) => keyOf(s) !== keyOf(section));
	const move = (beside: string, after: number) => {
		const at = others.findIndex((s) => keyOf(s) === beside) + after;
		client.arrange([...others.slice(0, at), section, ...others.slice(at)]).catch((e: unknown) => toast(errorText(e), true));
	};
	return (
		<Menu icon={EllipsisVertical} label={tc.sectionMenu(sectionName(section))}>
			{above && <MenuItem onChoose={() => move(above, 0)}>{tc.sectionUp}</MenuItem>}
			{below && <MenuItem onChoose={() => move(below, 1)}>{tc.sectionDown}</MenuItem>}
			{section.kind === 'own' && (
				<>
					<MenuItem onChoose={() => openDialog({ section: section.id })}>{tc.renameSection}</MenuItem>
					<MenuItem onChoose={() => openDialog({ dropSection: section.id })}>{tc.dropSection}</MenuItem>
				</>
			)}
		</Menu>
	);
}

/* A person's face, or what kind of channel it is. */
function ChannelFace({ channel: c, state }: { channel: Channel; state: State }) {
	if (c.peer !== null) return <Face user={state.users[c.peer]} id={c.peer} size="s" said />;
	return <Icon of={c.kind === 'direct' ? Users : c.kind === 'private' ? Lock : Hash} size={16} />;
}

function Entry({ channel: c, state, current }: { channel: Channel; state: State; current: boolean }) {
	const go = useGo(channelPath(c.id));
	const unread = unreadOf(c);
	const loud = loudOf(c);
	const quiet = isQuiet(c);
	const draft = !current && (!!state.drafts[c.id]?.trim() || draftFiles(state, c.id).length > 0);
	const name = c.kind !== 'direct' ? c.name : c.peer === null || c.peer === myId(state) ? channelLabel(state, c) : personName(state.users[c.peer]);
	const looks = `${current ? ' current' : ''}${quiet ? ' quiet' : unread ? ' unread' : ''}`;
	return (
		<li>
			<a
				class={`entry${looks}`}
				href={channelPath(c.id)}
				aria-current={current ? 'page' : undefined}
				onClick={go}
			>
				<ChannelFace channel={c} state={state} />
				<bdi class="entry-name">{name}</bdi>
				{c.peer !== null && <StatusMark id={c.peer} />}
				{c.kind === 'private' && <span class="sr-only">({t.privateChannel})</span>}
				{draft && (
					<span class="entry-draft" title={t.hasDraft}>
						<Icon of={Pencil} size={13} />
						<span class="sr-only">{t.hasDraft}</span>
					</span>
				)}
				{quiet && (
					<span class="entry-draft" title={tc.quietMark}>
						<Icon of={BellOff} size={13} />
						<span class="sr-only">({tc.quietMark})</span>
					</span>
				)}
				{unread > 0 && !quiet && (
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
