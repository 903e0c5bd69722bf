// The whole page: who is at the door, or the shell with its three columns.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { CircleAlert, CircleCheck } from 'lucide';
import { useSelect, type Store } from '../store';
import { useAttention } from './attention';
import type { Client } from '../sync/client';
import { shelf } from '../sync/local';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { tt } from '../strings_threads';
import { ChannelView, LoadingView, MissingView, PreviewView, WelcomeView } from './channel';
import { PersonCards } from './card';
import { UiContext, type DialogName, type Many, type Ui } from './context';
import { Invite, NewDirect, Switcher } from './dialogs';
import { errorText } from './errors';
import { Icon } from './icon';
import { listenToKeys } from './keys';
import { lazily, lazyPage } from './lazy';
import { useNarrow, usePhone } from './media';
import { channelLabel } from './names';
import { noticeText } from './notice';
import { useNotifications } from './notify';
import { useOpenReports } from './open_reports';
import { channelPath, isDoor, keepCode, navigate, openPanel, openSearch, useRoute, type AdminTab, type ChannelRoute, type Door, type Route } from './route';
import { PanelLoading } from './panel';
import { Sidebar } from './sidebar';
import type { SignInReason } from './signin';

const SignIn = lazyPage(() => import('./signin').then((m) => m.SignIn), Starting, NoDoor);
const Settings = lazily(() => import('./settings').then((m) => m.Settings));
const Devices = lazily(() => import('./access').then((m) => m.Devices));
const OwnPassword = lazily(() => import('./access').then((m) => m.OwnPassword));
const Tokens = lazily(() => import('./access').then((m) => m.Tokens));
const FileList = lazily<{ onClose: () => void }>(() => import('./myfiles').then((m) => m.FileList));
const EmojiManager = lazily(() => import('./emoji_manager').then((m) => m.EmojiManager));
const DeleteFile = lazily(() => import('./myfiles').then((m) => m.DeleteFile));
const Lightbox = lazily(() => import('./lightbox').then((m) => m.Lightbox));
const CreateChannel = lazily(() => import('./dialogs_form').then((m) => m.CreateChannel));
const Leave = lazily(() => import('./dialogs_form').then((m) => m.Leave));
const Shortcuts = lazily(() => import('./dialogs_form').then((m) => m.Shortcuts));
const Browse = lazily<{ onClose: () => void }>(() => import('./browse').then((m) => m.Browse));
const NewGroup = lazily<{ onClose: () => void }>(() => import('./group').then((m) => m.NewGroup));
const GroupsDialog = lazily<{ group?: number; onClose: () => void }>(() => import('./groups').then((m) => m.GroupsDialog));
const ManyPeople = lazily(() => import('./groups').then((m) => m.ManyPeople));
const Notifications = lazily(() => import('./prefs').then((m) => m.Notifications));
const MoveToSection = lazily(() => import('./prefs').then((m) => m.MoveToSection));
const SectionForm = lazily(() => import('./prefs').then((m) => m.SectionForm));
const DropSection = lazily(() => import('./prefs').then((m) => m.DropSection));
const JumpToDate = lazily(() => import('./prefs').then((m) => m.JumpToDate));
const StatusForm = lazily(() => import('./settings').then((m) => m.StatusForm));
const Invitations = lazily(() => import('./invitations').then((m) => m.Invitations));
const ChannelLinks = lazily<{ channel: number; onClose: () => void }>(() => import('./invitations').then((m) => m.ChannelLinks));
const Invited = lazyPage<{ code: string }>(() => import('./invited').then((m) => m.Invited), LoadingView);
const Pause = lazily(() => import('./settings').then((m) => m.Pause));

const Moderate = lazily(() => import('./moderate').then((m) => m.Moderate));
const ReportMessage = lazily(() => import('./moderate').then((m) => m.ReportMessage));
const DeleteMessage = lazily(() => import('./moderate').then((m) => m.DeleteMessage));
const Edits = lazily(() => import('./changes_dialogs').then((m) => m.Edits));
const Reacted = lazily(() => import('./changes_dialogs').then((m) => m.Reacted));
const Readers = lazily(() => import('./changes_dialogs').then((m) => m.Readers));
const ForwardDialog = lazily<{ channel: number; seq: number; onClose: () => void }>(() => import('./forward').then((m) => m.ForwardDialog));
const EmojiPicker = lazily(() => import('./emoji_picker').then((m) => m.EmojiPicker));
const ReactPicker = lazily(() => import('./emoji_picker').then((m) => m.ReactPicker));
const EditChannel = lazily<{ channel: number; onClose: () => void }>(() => import('./moderate').then((m) => m.EditChannel));
const Restrictions = lazily(() => import('./moderate').then((m) => m.Restrictions));
const ChannelReports = lazily(() => import('./reports').then((m) => m.ChannelReports));
const MembersPanel = lazyPage<{ channel: Channel }>(() => import('./members').then((m) => m.MembersPanel), MembersLoading);
const SearchPanel = lazyPage<{ route: ChannelRoute }>(() => import('./search').then((m) => m.SearchPanel), SearchLoading);
const ThreadPanel = lazyPage<{ channel: Channel; root: number; reply: number | null }>(() => import('./thread').then((m) => m.ThreadPanel), ThreadLoading);
const ThreadsView = lazyPage<object>(() => import('./threads').then((m) => m.ThreadsView), LoadingView);
const PinsPanel = lazyPage<{ route: ChannelRoute; channel: Channel }>(() => import('./kept').then((m) => m.PinsPanel), KeptLoading);
const FilesPanel = lazyPage<{ route: ChannelRoute; channel: Channel }>(() => import('./channel_files').then((m) => m.FilesPanel), FilesLoading);
const SavedPanel = lazyPage<{ route: ChannelRoute }>(() => import('./kept').then((m) => m.SavedPanel), KeptLoading);
const SavedPage = lazyPage<{ route: null }>(() => import('./kept').then((m) => m.SavedPanel), LoadingView);
const AdminView = lazyPage<{ tab: AdminTab }>(() => import('./admin').then((m) => m.AdminView), LoadingView);

const TOAST_FOR = 6_000; // ms

export function App({ store, client }: { store: Store; client: Client | null }) {
	const route = useRoute();
	const phase = useSelect(store, (s) => s.phase);
	const [reason, setReason] = useState<SignInReason>(null);
	// Wherever one is when there is no session (any more): to the door, and back to the same place afterwards.
	useEffect(() => {
		if (phase !== 'signed_out' && phase !== 'ended' && phase !== 'deactivated') return;
		if (phase !== 'signed_out') setReason(phase);
		if (route.page === 'invited') keepCode(route.code);
		if (!isDoor(route)) navigate(`/sign-in?${new URLSearchParams({ return_to: location.pathname + location.search })}`, true);
	}, [phase, route.page]);
	if (route.page === 'sign-in') return <SignIn returnTo={route.returnTo} reason={reason} />;
	if (route.page === 'join') return <SignIn key={route.invite} returnTo="/" reason={null} invite={route.invite} />;
	if (phase === 'unreachable') return <Unreachable />;
	if (phase === 'starting') return <Starting />;
	if (phase !== 'ready' || !client) return null;
	return <Shell client={client} route={route} />;
}

function Starting() {
	return (
		<main class="door" aria-busy="true">
			<h1 class="sr-only">{t.loading}</h1>
			<span class="spinner big late" aria-hidden="true" />
		</main>
	);
}

function SearchLoading() {
	return <PanelLoading label={t.search} />;
}

function MembersLoading() {
	return <PanelLoading label={t.members} />;
}

function ThreadLoading() {
	return <PanelLoading label={tt.thread} />;
}

function FilesLoading() {
	return <PanelLoading label={tc.files} />;
}

function KeptLoading() {
	return <PanelLoading label={t.loading} />;
}

const retry = (): void => void dispatchEvent(new Event('pulsechat-retry'));
const reload = (): void => location.reload();

/* The sign-in page did not come. */
function NoDoor() {
	return <Unreachable again={reload} />;
}

function Unreachable({ again = retry }) {
	return (
		<main class="door">
			<div class="door-card" role="alert">
				<h1>{t.unreachableTitle}</h1>
				<p class="door-hint">{t.unreachableText}</p>
				<button class="button primary big" onClick={again}>
					{t.retry}
				</button>
			</div>
		</main>
	);
}

function Shell({ client, route }: { client: Client; route: Exclude<Route, Door> }) {
	const { store } = client;
	const [dialog, setDialog] = useState<DialogName | null>(null);
	const [many, setMany] = useState<Many | null>(null);
	const [toast, setToast] = useState<{ text: string; bad: boolean } | null>(null);
	const [drawer, setDrawer] = useState(false);
	const narrow = useNarrow();
	const phone = usePhone();
	const id = route.page === 'channel' ? route.channel : null;
	const panel = route.page === 'channel' ? route.panel : null;
	const at = route.page === 'channel' ? route.at : null;
	const channel = useSelect(store, (s) => (id === null ? undefined : s.channels[id]));
	const preview = useSelect(store, (s) => (s.preview?.id === id ? s.preview : null));
	const missing = useSelect(store, (s) => id !== null && s.missing === id);
	const any = useSelect(store, (s) => Object.keys(s.channels).length > 0);
	useAttention(store, id);
	useNotifications(client);
	useOpenReports(client);

	// "/" is the channel of last time, or the first there is. On a phone the list is the better start.
	useEffect(() => {
		if (route.page !== 'home') return;
		const s = store.get();
		const last = Number(shelf.get('last'));
		const first = Object.values(s.channels).filter((c) => !c.archived).sort((a, b) => a.id - b.id)[0];
		const to = s.channels[last] ?? first;
		if (to) navigate(channelPath(to.id), true);
	}, [route.page, any]);

	const member = channel !== undefined;
	// Before it is painted: the list then stands at the first new message.
	const shown = useRef({ id: -1 as number | null, member: false });
	useLayoutEffect(() => {
		const same = shown.current.id === id && shown.current.member === member;
		shown.current = { id, member };
		if (same && at === null) return; // a panel was opened or closed
		client.open(id, at);
		if (id !== null && member) shelf.set('last', String(id));
	}, [id, member, at]);

	const here = useRef({ id, panel, drawer });
	here.current = { id, panel, drawer };
	const closeDialog = useCallback(() => setDialog(null), []);
	const ui = useMemo<Ui>(
		() => ({
			client,
			openDialog: (d) => {
				setDialog(d);
				setDrawer(false);
			},
			askMany: setMany,
			toast: (text, bad = false) => setToast({ text, bad }),
			drawer: setDrawer,
		}),
		[client],
	);
	useEffect(() => {
		client.hooks = {
			left: (c) => {
				setToast({ text: t.left(channelLabel(store.get(), c)), bad: false });
				if (here.current.id === c.id) navigate('/');
			},
			failed: (e) => setToast({ text: errorText(e), bad: true }),
			notFound: () => setToast({ text: t.messageNotFound, bad: true }),
			partFailed: () => setToast({ text: t.partFailed, bad: true }),
			told: (line) => setToast({ text: noticeText(store.get(), line), bad: line.type === 'moderated' && line.action !== 'unmuted' }),
		};
		return listenToKeys({
			client,
			current: () => here.current.id,
			panel: () => here.current.panel !== null,
			search: () => {
				openSearch(store.get().channels);
			},
			pins: () => openPanel(store.get().channels, 'pins'),
			files: () => openPanel(store.get().channels, 'files'),
			drawer: () => here.current.drawer,
			closeDrawer: () => setDrawer(false),
			openDialog: ui.openDialog,
		});
	}, [client]);
	useEffect(() => {
		if (!toast) return;
		const timer = setTimeout(() => setToast(null), TOAST_FOR);
		return () => clearTimeout(timer);
	}, [toast]);

	const fullPanel = phone && panel && channel;
	const about = typeof dialog === 'object' ? dialog : null;
	return (
		<UiContext.Provider value={ui}>
			{channel && !fullPanel && (
				<a
					class="skip"
					href="#composer"
					onClick={(e) => {
						e.preventDefault();
						document.getElementById('composer')?.focus();
					}}
				>
					{t.skipToComposer}
				</a>
			)}
			<div class={`app${panel && channel ? ' with-panel' : ''}${drawer ? ' with-drawer' : ''}`}>
				<Sidebar current={id} page={route.page} hidden={narrow && !drawer} />
				{narrow && drawer && <button class="scrim" aria-label={t.closeSidebar} onClick={() => setDrawer(false)} />}
				{fullPanel ? null : route.page === 'admin' ? (
					<AdminView tab={route.tab} />
				) : route.page === 'threads' ? (
					<ThreadsView />
				) : route.page === 'saved' ? (
					<SavedPage route={null} />
				) : route.page === 'invited' ? (
					<Invited code={route.code} />
				) : channel ? (
					<ChannelView channel={channel} panel={panel === 'members'} />
				) : preview ? (
					<PreviewView channel={preview} />
				) : missing ? (
					<MissingView />
				) : id === null && !any ? (
					<WelcomeView />
				) : (
					<LoadingView />
				)}
				{panel === 'members' && channel && <MembersPanel channel={channel} />}
				{panel === 'pins' && channel && route.page === 'channel' && <PinsPanel key={channel.id} route={route} channel={channel} />}
				{panel === 'files' && channel && route.page === 'channel' && <FilesPanel key={channel.id} route={route} channel={channel} />}
				{panel === 'saved' && channel && route.page === 'channel' && <SavedPanel route={route} />}
				{panel === 'thread' && channel && route.page === 'channel' && route.thread !== null && (
					<ThreadPanel key={`${channel.id}/${route.thread}`} channel={channel} root={route.thread} reply={route.reply} />
				)}
				{panel === 'search' && channel && route.page === 'channel' && <SearchPanel route={route} />}
			</div>
			{dialog === 'switcher' && <Switcher onClose={closeDialog} />}
			{dialog === 'browse' && <Browse onClose={closeDialog} />}
			{dialog === 'create' && <CreateChannel onClose={closeDialog} />}
			{dialog === 'direct' && <NewDirect onClose={closeDialog} />}
			{dialog === 'group' && <NewGroup onClose={closeDialog} />}
			{dialog === 'settings' && <Settings onClose={closeDialog} />}
			{dialog === 'devices' && <Devices onClose={closeDialog} />}
			{dialog === 'password' && <OwnPassword onClose={closeDialog} />}
			{dialog === 'tokens' && <Tokens onClose={closeDialog} />}
			{dialog === 'emoji' && <EmojiManager onClose={closeDialog} />}
			{dialog === 'files' && <FileList onClose={closeDialog} />}
			{dialog === 'status' && <StatusForm onClose={closeDialog} />}
			{dialog === 'dnd' && <Pause onClose={closeDialog} />}
			{dialog === 'invitations' && <Invitations onClose={closeDialog} />}
			{dialog === 'shortcuts' && <Shortcuts onClose={closeDialog} />}
			{dialog === 'groups' && <GroupsDialog onClose={closeDialog} />}
			{about && 'groupOf' in about && <GroupsDialog key={about.groupOf} group={about.groupOf} onClose={closeDialog} />}
			{about && 'invite' in about && <Invite channel={about.invite} onClose={closeDialog} />}
			{about && 'prefs' in about && <Notifications channel={about.prefs} onClose={closeDialog} />}
			{about && 'move' in about && <MoveToSection channel={about.move} onClose={closeDialog} />}
			{about && 'jump' in about && <JumpToDate channel={about.jump} onClose={closeDialog} />}
			{about && 'section' in about && <SectionForm id={about.section} onClose={closeDialog} />}
			{about && 'dropSection' in about && <DropSection id={about.dropSection} onClose={closeDialog} />}
			{about && 'links' in about && <ChannelLinks channel={about.links} onClose={closeDialog} />}
			{about && 'leave' in about && <Leave channel={about.leave} onClose={closeDialog} />}
			{about && 'readers' in about && <Readers {...about.readers} onClose={closeDialog} />}
			{about && 'lightbox' in about && <Lightbox {...about.lightbox} onClose={closeDialog} />}
			{about && 'deleteFile' in about && <DeleteFile {...about.deleteFile} onClose={closeDialog} />}
			{about && 'moderate' in about && <Moderate {...about.moderate} onClose={closeDialog} />}
			{about && 'report' in about && <ReportMessage {...about.report} onClose={closeDialog} />}
			{about && 'edits' in about && <Edits {...about.edits} onClose={closeDialog} />}
			{about && 'react' in about && <ReactPicker {...about.react} onClose={closeDialog} />}
			{about && 'insertEmoji' in about && <EmojiPicker title={t.emojiInsert} onPick={about.insertEmoji} onClose={closeDialog} />}
			{about && 'forward' in about && <ForwardDialog {...about.forward} onClose={closeDialog} />}
			{about && 'reacted' in about && <Reacted {...about.reacted} onClose={closeDialog} />}
			{about && 'deleteMessage' in about && <DeleteMessage {...about.deleteMessage} onClose={closeDialog} />}
			{about && 'edit' in about && <EditChannel channel={about.edit} onClose={closeDialog} />}
			{about && 'restrictions' in about && <Restrictions channel={about.restrictions} onClose={closeDialog} />}
			{about && 'reports' in about && <ChannelReports channel={about.reports} onClose={closeDialog} />}
			{many && <ManyPeople {...many} onClose={() => setMany(null)} />}
			<PersonCards />
			<div class="toasts" role="status">
				{toast && (
					<div class={toast.bad ? 'toast bad' : 'toast'}>
						<Icon of={toast.bad ? CircleAlert : CircleCheck} />
						<bdi>{toast.text}</bdi>
					</div>
				)}
			</div>
		</UiContext.Provider>
	);
}
