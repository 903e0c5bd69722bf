// One row of the message list. Pure: drawn anew only when what it shows has changed.
import { memo } from './memo';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { CheckCheck, CircleAlert, Clock, Copy, Flag, Hash, Lock, MessageSquareDot, MessagesSquare, Pencil, RotateCw, ShieldAlert, Trash2, Users } from 'lucide';
import type { IconNode } from 'lucide';
import type { Channel, Message as Stored, MessageFile, Name, User } from '../model/types';
import { channelsOf, names, namesChannel } from '../model/mention';
import { mayEdit } from '../model/reactions';
import { waitsForFiles } from '../model/uploads';
import { rankIn } from '../model/roles';
import { myId } from '../model/state';
import { lastShown } from '../model/threads';
import { t } from '../strings';
import { tt } from '../strings_threads';
import { tc } from '../strings_channels';
import { tq } from '../strings_quote';
import { Avatar } from './avatar';
import { Face, StatusMark } from './presence';
import { useState$, useUi } from './context';
import { EditBox } from './edit';
import { errorText } from './errors';
import { Files, PendingFiles } from './files';
import { Icon } from './icon';
import { KeepTools, KeptMarks, keepKey } from './keep_tools';
import { apart, channelLabel, personName } from './names';
import { ReactionRow, ReactTools } from './reactions';
import { PreviewCard } from './preview';
import { ForwardCard, Quote, forward, quote } from './quote';
import type { Row } from './rows';
import { navigate, threadPath } from './route';
import { SeenLine, sameSeen, type Seen } from './seen';
import { MessageText, NamingText, textClass } from './text';
import { InThread, ThreadLine } from './thread_line';
import { briefTime, dateOf, dayName, fullTime, timeOf } from './time';

interface Props {
	row: Row;
	user: User | undefined;
	channel: Channel;
	today: number;
	active: boolean;
	first: boolean;
	loading: boolean;
	failed: boolean;
	seen: Seen;
	me: number;
	onFocus: (key: string) => void;
	/* It stands in the panel of its thread. */
	inThread?: boolean;
}

export const RowView = memo(
	function RowView(props: Props) {
		const { row } = props;
		switch (row.kind) {
			case 'start':
				return <Start channel={props.channel} rowKey={row.key} />;
			case 'older':
				return <Older channel={props.channel.id} rowKey={row.key} loading={props.loading} failed={props.failed} />;
			case 'day':
				return (
					<div class="divider" data-key={row.key} role="separator" aria-label={dayName(row.start, props.today)}>
						<span>{dayName(row.start, props.today)}</span>
					</div>
				);
			case 'new':
				return (
					<div class="divider divider-new" data-key={row.key} role="separator" aria-label={t.newMessages}>
						<span>{t.newMessages}</span>
					</div>
				);
			case 'message':
			case 'pending':
				return <Message {...props} row={row} />;
		}
	},
	(a, b) =>
		a.row.key === b.row.key &&
		sameRow(a.row, b.row) &&
		a.user === b.user &&
		a.channel.id === b.channel.id &&
		(a.row.kind !== 'start' || a.channel === b.channel) && // it says what the channel is about
		a.today === b.today &&
		a.active === b.active &&
		a.first === b.first &&
		a.loading === b.loading &&
		a.failed === b.failed &&
		a.me === b.me &&
		a.inThread === b.inThread &&
		sameSeen(a.seen, b.seen),
);

/* Rows are made anew with every list; what they hold is not. */
function sameRow(a: Row, b: Row): boolean {
	if (a.kind === 'message') return b.kind === 'message' && a.message === b.message && a.head === b.head;
	if (a.kind === 'pending') return b.kind === 'pending' && a.pending === b.pending && a.head === b.head;
	return a.kind === b.kind;
}

const LONG_TEXT = 1_800; // characters
const LONG_LINES = 22;

function Message({ row, user, channel, active, first, seen, me, onFocus, inThread }: Props & { row: Extract<Row, { kind: 'message' | 'pending' }> }) {
	const ui = useUi();
	// Tools are made when they can be used first: most rows only ever pass by.
	const [near, setNear] = useState(false);
	const stored = row.kind === 'message' ? row.message : null;
	const pending = row.kind === 'pending' ? row.pending : null;
	const at = row.kind === 'message' ? row.at : row.pending.at;
	const text = stored ? stored.body?.text : pending!.text;
	const files = stored?.body?.files;
	const mentions = stored ? stored.body?.mentions : pending?.mentions;
	const toMe = stored !== null && stored.sender !== me && (names(stored.body, me) || namesChannel(stored.body));
	const quoted = stored ? stored.body?.reply_to : pending?.reply_to ? { seq: pending.reply_to, sender: undefined } : undefined;
	const forwarded = stored ? stored.body?.forward : pending?.forward;
	const failed = pending?.state === 'failed';
	const sender = stored ? stored.sender : (user?.id ?? 0);
	const editing = useState$((s) => (s.editing && stored && s.editing.seq === stored.seq && s.editing.channel === channel.id ? s.editing : null));
	const edit = () => {
		if (stored && !ui.client.changes.edit(channel.id, stored.seq)) ui.toast(t.editTooLate, true);
	};
	const when = (
		<time class="msg-time" dateTime={new Date(at).toISOString()} title={fullTime(at)}>
			{row.head ? timeOf(at) : briefTime(at)}
		</time>
	);
	const copy = () => {
		void navigator.clipboard?.writeText(text ?? '').then(() => ui.toast(t.copied));
	};
	const parent = stored?.thread ?? pending?.thread;
	const openThread = () => {
		if (stored) navigate(threadPath(channel.id, stored.thread ?? stored.seq));
	};
	const markUnread = () => {
		if (!stored || inThread) return;
		ui.client.markUnread(channel.id, stored.seq).then(
			() => ui.toast(t.markedUnread),
			(e: unknown) => ui.toast(errorText(e), true),
		);
	};
	return (
		<article
			class={`msg${row.head ? ' msg-head' : ''}${failed ? ' msg-failed' : pending ? ' msg-pending' : ''}${toMe ? ' msg-to-me' : ''}`}
			data-key={row.key}
			data-seq={stored?.seq}
			data-client-id={stored?.client_id ?? pending?.client_id}
			data-first={first ? '1' : undefined}
			tabIndex={active ? 0 : -1}
			aria-label={`${personName(user)}, ${fullTime(at)}`}
			onPointerEnter={() => setNear(true)}
			onFocus={() => onFocus(row.key)}
			onKeyDown={(e: KeyboardEvent) => {
				if (e.target !== e.currentTarget || e.ctrlKey || e.metaKey || e.altKey) return;
				if (e.key === 'c') copy();
				else if (e.key === 'u') markUnread();
				else if (e.key === 't' && stored && !inThread) openThread();
				else if (stored?.deleted || !stored) return;
				else if (keepKey(ui, e.key, stored)) return e.preventDefault();
				else if (e.key === 'q') quote(ui, stored, inThread);
				else if (e.key === 'f') forward(ui, stored);
				else if (e.key === 'e' && stored.sender === me) edit();
				else if (e.key === 'r') ui.openDialog({ react: { channel: channel.id, seq: stored.seq } });
				else return;
				e.preventDefault();
			}}
		>
			<div class="msg-side">
				{row.head ? (
					<span class="msg-face" data-person={sender}>
						<Face user={user} id={sender} />
					</span>
				) : (
					when
				)}
			</div>
			<div class="msg-main">
				{row.head && (
					<div class="msg-who">
						<button class="msg-name" data-person={sender} aria-haspopup="dialog" tabIndex={active ? 0 : -1}>
							<bdi>{personName(user)}</bdi>
						</button>
						<StatusMark id={sender} />
						{user?.bot && <span class="tag">{t.bot}</span>}
						{user && !user.active && <span class="tag">{t.deactivated}</span>}
						{when}
					</div>
				)}
				{!inThread && parent !== undefined && <InThread channel={channel.id} root={parent} active={active} />}
				{stored && !stored.deleted && <KeptMarks message={stored} />}
				{quoted && <Quote channel={channel.id} {...quoted} active={active} inThread={inThread} />}
				{stored?.deleted ? (
					<p class="msg-gone">{stored.deleted_by && stored.deleted_by !== stored.sender ? t.deletedByOther : t.deletedMessage}</p>
				) : editing ? (
					<EditBox channel={channel} editing={editing} empty={'files' in (stored?.body ?? {}) || forwarded !== undefined} />
				) : text === undefined ? (
					<p class="msg-gone">{t.emptyMessage}</p>
				) : text ? (
					<Body
						text={text}
						mentions={mentions}
						tab={active ? 0 : -1}
						after={stored?.edited_at && <EditedMark message={stored} at={stored.edited_at} active={active} />}
					/>
				) : files?.length || pending?.files?.length || forwarded ? null : (
					<p class="msg-gone">{t.fileGone}</p> // the last of a message without words
				)}
				{forwarded && <ForwardCard forward={forwarded} channel={channel.id} seq={stored?.seq ?? 0} active={active} />}
				{stored && files && files.length > 0 && !stored.deleted && (
					<OwnedFiles files={files} message={stored} channel={channel.id} own={stored.sender === me} active={active} />
				)}
				{stored?.body?.preview && !stored.deleted && !editing && (
					<PreviewCard preview={stored.body.preview} message={stored} own={stored.sender === me} active={active} />
				)}
				{pending?.files && pending.files.length > 0 && <PendingFiles files={pending.files} />}
				{toMe && <span class="sr-only">{quoted?.sender === me ? tq.quotesYou : t.mentionsYou}</span>}
				{pending && !failed && (
					<p class="msg-state">
						<Icon of={Clock} size={13} />{' '}
						{waitsForFiles(pending) ? t.waitingFiles : pending.state === 'queued' ? t.waiting : t.sending}
						{waitsForFiles(pending) && (
							<button class="link-button" onClick={() => ui.client.discard(pending.client_id)}>
								<Icon of={Trash2} size={13} /> {t.discard}
							</button>
						)}
					</p>
				)}
				{failed && pending && (
					<p class="msg-state msg-state-bad" role="alert">
						<Icon of={CircleAlert} size={14} /> <span>{t.notSent(pending.error ?? t.wentWrong)}</span>
						<button class="link-button" onClick={() => ui.client.sender.retry(pending.client_id)}>
							<Icon of={RotateCw} size={13} /> {t.retry}
						</button>
						<button class="link-button" onClick={() => ui.client.discard(pending.client_id)}>
							<Icon of={Trash2} size={13} /> {t.discard}
						</button>
					</p>
				)}
				{stored && !stored.deleted && <ReactionRow message={stored} active={active} />}
				{stored?.replies && stored.replies.count > 0 && !inThread && (
					<ThreadLine message={stored} replies={stored.replies} active={active} />
				)}
				{stored && <SeenLine seen={seen} channel={channel.id} seq={stored.seq} />}
			</div>
			{(near || active) && stored && !editing && (
				<div class="msg-tools" role="group" aria-label={t.messageActions}>
					{!stored.deleted && <ReactTools channel={channel.id} seq={stored.seq} active={active} />}
					{stored.sender === me && mayEdit(ui.client.store.get(), stored, Date.now()) && (
						<Tool icon={Pencil} label={t.editMessage} active={active} onClick={edit} />
					)}
					{text && <Tool icon={Copy} label={t.copy} active={active} onClick={copy} />}
					{!inThread && (!stored.deleted || stored.replies) && (
						<Tool icon={MessagesSquare} label={tt.reply} active={active} onClick={openThread} />
					)}
					{!stored.deleted && <KeepTools message={stored} active={active} inThread={inThread} />}
					{!inThread && <Tool icon={MessageSquareDot} label={t.markUnread} active={active} onClick={markUnread} />}
					{stored.sender === me && channel.kind !== 'direct' && !stored.deleted && (
						<Tool
							icon={CheckCheck}
							label={t.whoHasRead}
							active={active}
							onClick={() => ui.openDialog({ readers: { channel: channel.id, seq: stored.seq } })}
						/>
					)}
					{!stored.deleted && <RoleTools channel={channel.id} message={stored} own={stored.sender === me} active={active} />}
				</div>
			)}
		</article>
	);
}

function OwnedFiles({
	files,
	message,
	channel,
	own,
	active,
}: {
	files: readonly MessageFile[];
	message: Stored;
	channel: number;
	own: boolean;
	active: boolean;
}) {
	const rank = useState$((s) => rankIn(s, channel));
	return <Files files={files} channel={channel} seq={message.seq} mayDelete={own || rank > 0} tab={active ? 0 : -1} />;
}

/* Reporting, deleting, and what moderators do about its writer. */
function RoleTools({ channel, message, own, active }: { channel: number; message: Stored; own: boolean; active: boolean }) {
	const { openDialog } = useUi();
	const { seq, sender: user } = message;
	const rank = useState$((s) => rankIn(s, channel));
	return (
		<>
			{!own && <Tool icon={Flag} label={t.report} active={active} onClick={() => openDialog({ report: { channel, seq } })} />}
			{!own && rank > 0 && (
				<Tool icon={ShieldAlert} label={t.moderate} active={active} onClick={() => openDialog({ moderate: { channel, user } })} />
			)}
			{(own || rank > 0) && (
				<Tool icon={Trash2} label={t.deleteMessage} active={active} onClick={() => openDialog({ deleteMessage: { channel, seq } })} />
			)}
		</>
	);
}

function Tool({ icon, label, active, onClick }: { icon: IconNode; label: string; active: boolean; onClick: () => void }) {
	return (
		<button class="icon-button small" title={label} aria-label={label} tabIndex={active ? 0 : -1} onClick={onClick}>
			<Icon of={icon} size={15} />
		</button>
	);
}

/* When it was edited, and what it said before. */
function EditedMark({ message, at, active }: { message: Stored; at: string; active: boolean }) {
	const { openDialog } = useUi();
	const { channel, seq } = message;
	const label = t.editedAt(fullTime(Date.parse(at)));
	return (
		<button class="msg-edited" title={label} aria-label={label} tabIndex={active ? 0 : -1} onClick={() => openDialog({ edits: { channel, seq } })}>
			{t.edited}
		</button>
	);
}

function Body({ text, mentions, ...around }: { text: string; mentions?: readonly Name[]; after?: ComponentChildren; tab: number }) {
	const long = text.length > LONG_TEXT || countLines(text) > LONG_LINES;
	const [open, setOpen] = useState(false);
	const emoji = useState$((s) => (text.includes(':') ? s.emoji : undefined));
	const channels = useState$((s) => (text.includes('#') ? channelsOf(s) : undefined));
	const known = { emoji, channels, ...around };
	return (
		<>
			<div class={`${textClass(text, emoji)}${long && !open ? ' msg-folded' : ''}`} dir="auto">
				{mentions?.length ? (
					<NamingText text={text} mentions={mentions} {...known} />
				) : (
					<MessageText text={text} {...known} />
				)}
			</div>
			{long && (
				<button class="link-button" aria-expanded={open} onClick={() => setOpen(!open)}>
					{open ? t.showLess : t.showAll}
				</button>
			)}
		</>
	);
}

function countLines(text: string): number {
	let n = 1;
	for (let i = text.indexOf('\n'); i >= 0 && n <= LONG_LINES; i = text.indexOf('\n', i + 1)) n++;
	return n;
}

function Start({ channel, rowKey }: { channel: Channel; rowKey: string }) {
	const label = useState$((s) => channelLabel(s, channel));
	const self = useState$((s) => channel.peer !== null && channel.peer === myId(s));
	const peer = useState$((s) => (channel.peer === null ? undefined : s.users[channel.peer]));
	const direct = channel.kind === 'direct';
	const late = (channel.membership?.first_seq ?? 1) > 1;
	const silent = useState$((s) => !channel.archived && !lastShown(s.logs[channel.id]));
	const about = self ? t.startOfSelfText : late ? tc.fromJoinText : channel.topic ? <bdi>{apart(channel.topic)}</bdi> : silent ? t.startText : null;
	const facts = [
		...(direct ? [] : [t.created(dateOf(Date.parse(channel.created_at)))]),
		...(channel.keep_days != null ? [tc.kept(channel.keep_days)] : []),
	];
	return (
		<div class="start" data-key={rowKey}>
			{channel.peer !== null ? (
				<Avatar user={peer} id={channel.peer} size="l" />
			) : (
				<span class="start-icon" aria-hidden="true">
					<Icon of={direct ? Users : channel.kind === 'private' ? Lock : Hash} size={26} />
				</span>
			)}
			<h2>
				<bdi>{self ? t.startOfSelf : direct ? t.startOfDirect(label) : late ? tc.fromJoin(label) : t.startOf(label)}</bdi>
			</h2>
			<p>
				{about}
				{about && facts.length > 0 && (about === t.startText ? ' ' : ' · ')}
				{facts.join(' · ')}
			</p>
		</div>
	);
}

function Older({ channel, rowKey, loading, failed }: { channel: number; rowKey: string; loading: boolean; failed: boolean }) {
	const { client } = useUi();
	return (
		<div class="older" data-key={rowKey}>
			{failed ? (
				<span role="alert">
					{t.olderFailed}{' '}
					<button class="link-button" onClick={() => void client.loader.before(channel)}>
						{t.retry}
					</button>
				</span>
			) : (
				<span class={loading ? 'spinner' : 'spinner idle'} aria-hidden="true" />
			)}
		</div>
	);
}
