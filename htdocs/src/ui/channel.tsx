// The middle: header, connection line, messages, composer; or what stands in their place.
import { useRef, useState } from 'preact/hooks';
import { Hash, Lock, Menu as MenuIcon, Pin, Search, Users } from 'lucide';
import { api } from '../net/api';
import { statusOf } from '../model/presence';
import { isGuest } from '../model/roles';
import { lastShown } from '../model/threads';
import { totals } from '../model/unread';
import { pinsSeen } from '../model/keep';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { tk } from '../strings_keep';
import { Announcer } from './announcer';
import { ChannelMenu } from './channel_menu';
import { Composer } from './composer';
import { Silence, Unarchive, useSilence } from './silence';
import { ConnectionLine } from './connection';
import { DropZone } from './drop';
import { useState$, useUi } from './context';
import { EmojiFace } from './custom_emoji';
import { errorText } from './errors';
import { Icon } from './icon';
import { MessageList } from './list';
import { apart, channelLabel, channelName, personName } from './names';
import { Face } from './presence';
import { channelPath, navigate, searchPath } from './route';
import { TypingLine } from './typing';

export function Burger() {
	const { drawer } = useUi();
	const unread = useState$((s) => totals(s).unread);
	const loud = useState$((s) => totals(s).loud);
	return (
		<button class="icon-button burger" title={t.openSidebar} aria-controls="side" onClick={() => drawer(true)}>
			<Icon of={MenuIcon} size={20} />
			<span class="sr-only">{t.openSidebar}</span>
			{unread > 0 && (
				<span class={loud ? 'burger-dot' : 'burger-dot quiet'}>
					<span class="sr-only">{loud ? t.forYou(loud) : t.unread(unread)}</span>
				</span>
			)}
		</button>
	);
}

function Header({ channel, panel }: { channel: Channel; panel: boolean }) {
	const label = useState$((s) => channelLabel(s, channel));
	const peer = useState$((s) => (channel.peer === null ? undefined : s.users[channel.peer]));
	const status = useState$((s) => (channel.peer === null ? null : statusOf(s, channel.peer)));
	const pins = useState$((s) => pinsSeen(s, channel.id));
	const direct = channel.kind === 'direct';
	const topic = apart(direct && peer ? status?.text || `@${peer.handle}` : channel.topic);
	return (
		<header class="head">
			<Burger />
			{channel.peer !== null ? (
				<Face user={peer} id={channel.peer} size="s" />
			) : (
				<Icon of={direct ? Users : channel.kind === 'private' ? Lock : Hash} size={18} />
			)}
			<div class="head-text">
				<h1>
					{direct && channel.peer !== null ? (
						<button class="head-person" data-person={channel.peer} aria-haspopup="dialog">
							<bdi>{label}</bdi>
						</button>
					) : (
						<bdi>{direct ? label : channelName(channel)}</bdi>
					)}
					{channel.kind === 'private' && <span class="sr-only"> ({t.privateChannel})</span>}
					{channel.archived && <span class="tag">{t.archivedTag}</span>}
				</h1>
				<p class="head-topic" title={topic || undefined}>
					{status?.emoji && (
						<span>
							<EmojiFace emoji={status.emoji} />{' '}
						</span>
					)}
					<bdi>{topic}</bdi>
				</p>
			</div>
			{channel.membership && pins > 0 && (
				<button
					class="icon-button with-count"
					title={`${tk.pins} (P)`}
					onClick={() => navigate(channelPath(channel.id, 'pins'))}
				>
					<Icon of={Pin} />
					<span aria-hidden="true">{pins}</span>
					<span class="sr-only">{tk.pinsCount(pins)}</span>
				</button>
			)}
			{channel.membership && channel.peer === null && (
				<button
					class="icon-button with-count"
					title={t.showMembers}
					aria-pressed={panel}
					onClick={() => navigate(channelPath(channel.id, panel ? undefined : 'members'))}
				>
					<Icon of={Users} />
					<span aria-hidden="true">{channel.members}</span>
					<span class="sr-only">
						{t.showMembers}: {t.membersCount(channel.members)}
					</span>
				</button>
			)}
			{channel.membership && (
				<button class="icon-button" title={`${t.search} (/)`} aria-label={t.search} onClick={() => navigate(searchPath(channel.id))}>
					<Icon of={Search} />
				</button>
			)}
			{channel.membership && <ChannelMenu channel={channel} />}
		</header>
	);
}

export function ChannelView({ channel, panel }: { channel: Channel; panel: boolean }) {
	const silence = useSilence(channel);
	return (
		<main class="main" id="main">
			<Header channel={channel} panel={panel} />
			<ConnectionLine />
			<MessageList key={channel.id} channel={channel} />
			<ChannelAnnouncer channel={channel} />
			<TypingLine channel={channel} />
			{silence ? <Silence text={silence} of={channel} /> : <Composer channel={channel} />}
			<DropZone channel={channel} silent={silence !== null} />
		</main>
	);
}

/* Says what comes by event while the channel is open. */
function ChannelAnnouncer({ channel }: { channel: Channel }) {
	const tail = useState$((s) => lastShown(s.logs[channel.id]));
	// Not while old messages are looked at: their end is nothing new.
	const ready = useState$((s) => s.logs[channel.id]?.status === 'ready' && !s.logs[channel.id]?.hasAfter);
	return <Announcer key={channel.id} tail={tail} ready={ready} />;
}

/* A public channel that one is not in. */
export function PreviewView({ channel }: { channel: Channel }) {
	const { client, toast } = useUi();
	const label = useState$((s) => channelLabel(s, channel));
	const [busy, setBusy] = useState(false);
	const button = useRef<HTMLButtonElement>(null); // comes where Unarchive was, and has the focus then
	const join = () => {
		setBusy(true);
		api.join(channel.id).then(
			({ data }) => {
				client.took(data);
				client.open(data.id);
			},
			(e: unknown) => {
				setBusy(false);
				toast(errorText(e), true);
			},
		);
	};
	return (
		<main class="main" id="main">
			<Header channel={channel} panel={false} />
			<ConnectionLine />
			<div class="blank">
				<span class="start-icon" aria-hidden="true">
					<Icon of={Hash} size={26} />
				</span>
				<h2>
					<bdi>{t.joinPrompt(label)}</bdi>
				</h2>
				<p>
					{channel.topic && <bdi>{apart(channel.topic)} · </bdi>}
					{t.membersCount(channel.members)}. {channel.archived ? t.archivedOutside : t.joinText}
				</p>
				{channel.archived ? (
					<Unarchive channel={channel.id} onDone={() => setTimeout(() => button.current?.focus())} />
				) : (
					<button ref={button} class="button primary" disabled={busy} onClick={join}>
						{t.join}
					</button>
				)}
			</div>
		</main>
	);
}

export function MissingView() {
	return (
		<main class="main" id="main">
			<header class="head">
				<Burger />
				<h1>{t.missingTitle}</h1>
			</header>
			<ConnectionLine />
			<div class="blank">
				<p>{t.missingText}</p>
				<button class="button primary" onClick={() => navigate('/')}>
					{t.goHome}
				</button>
			</div>
		</main>
	);
}

/* In no channel at all. */
export function WelcomeView() {
	const ui = useUi();
	const name = useState$((s) => personName(s.me?.user));
	const guest = useState$(isGuest);
	return (
		<main class="main" id="main">
			<header class="head">
				<Burger />
				<h1>
					<bdi>{t.welcome(name)}</bdi>
				</h1>
			</header>
			<ConnectionLine />
			<div class="blank">
				<p>{t.welcomeText}</p>
				<div class="blank-row">
					{!guest && (
						<button class="button primary" onClick={() => ui.openDialog('browse')}>
							{t.browseChannels}
						</button>
					)}
					<button class="button" onClick={() => ui.openDialog('direct')}>
						{t.newDirect}
					</button>
				</div>
			</div>
		</main>
	);
}

export function LoadingView() {
	return (
		<main class="main" id="main" aria-busy="true">
			<header class="head">
				<Burger />
				<h1 class="sr-only">{t.loading}</h1>
			</header>
		</main>
	);
}
