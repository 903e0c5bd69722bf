// The objects of the protocol (doc/protocol.md, section 3) as the client holds them.

/* When a mute or ban ends: a time, or not by itself. */
export type Until = string | 'forever';

export interface User {
	id: number;
	handle: string;
	name: string;
	picture: string | null;
	role: 'owner' | 'admin' | 'member' | 'guest';
	active: boolean;
	/* A program's account; undefined where the server does not tell. */
	bot?: boolean;
	/* An IANA name; undefined where the server does not tell. */
	time_zone?: string | null;
	/* Of a mute on the whole site. */
	muted_until?: Until | null;
	version: number;
}

/* A browser that somebody is signed in with. */
export interface Session {
	id: number;
	current: boolean;
	device: string;
	created_at: string;
	last_used_at: string;
}

/* What a program acts by; the secret itself is told only when it is made. */
export interface AccessToken {
	id: number;
	name: string;
	scopes: string[];
	last_used_at: string | null;
	expires_at: string | null;
}

/* What a person says of himself. */
export interface Status {
	emoji: string | null;
	text: string;
	until: string | null;
}

export interface Presence {
	user: number;
	state: 'online' | 'away' | 'offline';
	last_active: string | null;
	dnd: boolean;
	status: Status | null;
	/* Of oneself only. */
	invisible?: boolean;
}

/* Own settings. */
export interface Settings {
	invisible: boolean;
	dnd_until: string | 'forever' | null;
	status: Status | null;
	read_receipts: boolean;
	version: number;
}

/* Who types in a channel's line or a thread: a few of them, and how many they are. Ends by the local clock where nothing more is heard. */
export interface Typing {
	users: readonly number[];
	count: number;
	until: number;
}

export interface Membership {
	role: 'owner' | 'moderator' | 'member';
	since: number;
	/* The lowest seq that one may see; 1: all. */
	first_seq?: number;
	last_read_seq: number;
	/* From where it was marked as unread; null: the marker says. */
	unread_from: number | null;
	/* Counts the changes of marker and mark. */
	read_version: number;
	/* Others' undeleted messages above the marker (or the mark), and those of them that mention oneself. In the state: with all
	 * that is known by now (unread.ts); in an answer: up to the channel's last_seq. */
	unread: number;
	mentions: number;
	/* Deleted ones of others among those above the marker, which `unread` leaves out; null: too many to list. */
	gone: readonly number[] | null;
	/* Of the mentions those by the channel's name alone; null: too many to list. */
	wide: readonly number[] | null;
	/* Whether others here see how far one has read. */
	read_receipts: boolean;
	muted_until?: Until | null;
}

/* The own marker in a channel, with its counters as of last_seq: what a `read` line says. */
export interface OwnMarks {
	seq: number;
	version: number;
	last_seq: number;
	unread: number;
	mentions: number;
	unread_from: number | null;
	gone: readonly number[] | null;
	wide: readonly number[] | null;
	read_receipts: boolean;
}

/* How far somebody has read; delivered in direct channels only. */
export interface ReadMark {
	user: number;
	seq: number;
	delivered?: number;
}

export type History = 'all' | 'joined';

export type ChannelKind = 'public' | 'private' | 'direct';

export interface Channel {
	id: number;
	kind: ChannelKind;
	name: string | null;
	topic: string;
	archived?: boolean;
	version: number;
	created_at: string;
	last_seq: number;
	members: number;
	membership: Membership | null;
	peer: number | null;
	/* Of a direct channel of more than two: all who are in it. */
	people?: readonly number[] | null;
	/* Who may name it, and who is here, in a message. */
	mention_all?: 'everyone' | 'moderators';
	/* Older messages are erased; null: none are. */
	keep_days?: number | null;
	/* What those see who come from now on: all, or what is written after they have come. */
	history?: History;
	/* null: not a member. */
	prefs?: Prefs | null;
}

export type NotifyLevel = 'all' | 'mentions' | 'nothing';

/* What one wants of a channel. notify null: as is usual for its kind; section: one of one's own. */
export interface Prefs {
	notify: NotifyLevel | null;
	quiet_until: Until | null;
	favourite: boolean;
	section: string | null;
	version: number;
}

export type Section =
	| { kind: 'favourites' | 'channels' | 'direct'; collapsed: boolean }
	| { kind: 'own'; id: string; name: string; collapsed: boolean };

export interface Sidebar {
	sections: readonly Section[];
	version: number;
}

export interface Member {
	channel: number;
	user: number;
	role: Membership['role'];
	since: number;
	joined_at: string;
	muted_until?: Until | null;
}

export interface Message {
	channel: number;
	seq: number;
	id: number;
	sender: number;
	/* A reply: to which message, and whether it stands in the channel's line too. */
	thread?: number;
	in_channel?: true;
	replies?: Replies;
	client_id?: string;
	created_at: string;
	version: number;
	body?: MessageBody;
	edited_at?: string;
	deleted?: true;
	deleted_by?: number;
	/* A thread's root from before one came: nothing is known of it but its replies. */
	hidden?: true;
	/* None where there never was one. Their version counts by itself. */
	reactions?: readonly Reaction[];
	reactions_version?: number;
}

/* users: those who were first, twenty at most. */
export interface Reaction {
	emoji: string;
	count: number;
	users: readonly number[];
}

/* A message's reactions, as they are told apart from it. */
export interface Reactions {
	channel: number;
	seq: number;
	reactions: readonly Reaction[];
	reactions_version: number;
}

/* A text that a message had, or has. */
export interface Edit {
	version: number;
	at: string;
	body: MessageBody;
}

/* The own message that is being changed. */
export interface Editing {
	channel: number;
	seq: number;
	version: number; // that it is a change of
	text: string;
	state: 'open' | 'saving';
	error: string | null;
}

/* Who is named: a person's id, or several: 'channel', 'here', 'group:ID'. */
export type Name = number | string;

/* People whom a message may name at once. */
export interface Group {
	id: number;
	handle: string;
	name: string;
	members: number;
	version: number;
}

export interface MessageBody {
	text: string;
	mentions?: Name[];
	/* Whom those names of it reach that reach several, but for the channel. */
	reached?: Record<string, number[]>;
	files?: MessageFile[];
	/* The message that it quotes, and whose that is. */
	reply_to?: { seq: number; sender: number };
	forward?: Forward;
	/* null: its author took it away. */
	preview?: Preview | null;
}

/* What was forwarded, as it was then. */
export interface Forward {
	channel: number;
	seq: number;
	sender: number;
	created_at: string;
	text: string;
	files?: MessageFile[];
}

/* What a page says that the text links to: plain text. */
export interface Preview {
	url: string;
	host: string;
	site: string | null;
	title: string;
	description: string | null;
}

/* A body as it is sent: files by their ids. */
export interface SentBody {
	text: string;
	mentions?: Name[];
	files?: number[];
	reply_to?: number;
	forward?: { channel: number; seq: number };
}

/* Of a reply: where it stands. */
export interface SentPlace {
	thread?: number;
	in_channel?: true;
}

/* What is known of a file before it is in a message, too. Lengths in pixels, duration in seconds, as its uploader measured them. */
export interface FileFacts {
	name: string;
	size: number;
	type: string;
	width: number | null;
	height: number | null;
	duration: number | null;
}

export interface StoredFile extends FileFacts {
	id: number;
	thumbnail: { id: number; width: number | null; height: number | null } | null;
	erased?: undefined;
}

export interface ErasedFile {
	id: number;
	erased: true;
}

export type MessageFile = StoredFile | ErasedFile;

/* A file of a channel, with the message that bears it. */
export interface FileOfChannel {
	file: StoredFile;
	seq: number;
	version: number;
	sender: number;
	created_at: string;
	thread: number | null;
}

/* One of somebody's files, in a list of all of them; channel and seq: the message that it is in. */
export interface OwnFile {
	file: StoredFile;
	state: string;
	channel: number | null;
	seq: number | null;
	created_at: string;
}

export interface FileLimits {
	message_files: number;
	file_bytes: number;
	/* Larger files go in parts. */
	multipart_above: number;
}

/* Why an upload has stopped. gone: the page was loaded anew and the browser does not have the file any more. */
export type UploadFault =
	| 'too_large'
	| 'quota'
	| 'quota_day'
	| 'type'
	| 'differs'
	| 'refused'
	| 'forbidden'
	| 'network'
	| 'store'
	| 'unreadable'
	| 'gone';

/* A file on its way. preparing: it is looked at; waiting: for its turn; checking: the server looks at it. */
export interface Upload extends FileFacts {
	client_id: string;
	channel: number;
	thread?: number; // it is of a reply in this thread
	state: 'preparing' | 'waiting' | 'uploading' | 'checking' | 'ready' | 'failed';
	fault: UploadFault | null;
	/* What the server said of it, where the fault alone does not tell. */
	detail: string;
	sent: number; // bytes
	speed: number; // bytes a second; 0: not known yet
	/* Not before (local clock): it waits to be tried again; 0: it does not. */
	again: number;
	file: StoredFile | null;
	/* A blob: address of a picture of it. */
	preview: string | null;
	/* The client_id of the pending message that it goes with; null: it is of the draft. */
	message: string | null;
}

/* What one is about to say in a channel, as the server has it; with no text and no files it says nothing any more. */
export interface Draft {
	channel: number;
	thread: number | null;
	text: string;
	files: number[];
	reply_to?: number | null;
	version: number;
	edited_at: string | null;
}

export interface Pin {
	seq: number;
	by: number;
	at: string;
}
export interface Pins {
	channel: number;
	pins: Pin[];
	pins_version: number;
}

/* One of the site's own emoji; file: its picture, version: of all of them, as of this one. */
export interface CustomEmoji {
	name: string;
	file: number;
	by: number;
	at: string;
	version: number;
}
export interface EmojiList {
	emoji: CustomEmoji[];
	version: number;
}

/* By name, with the version as of which that is so; emoji null: it was removed. */
export interface EmojiState {
	loaded: boolean;
	of: ReadonlyMap<string, { emoji: CustomEmoji | null; version: number }>;
}

/* How many there may be, how large, and who adds some: members or admins. */
export interface EmojiLimits {
	most: number;
	bytes: number;
	by: string;
}

/* One's own bookmark; version: of all of them. */
export interface Saved {
	channel: number;
	seq: number;
	saved: boolean;
	at: string | null;
	version: number;
}
export interface SavedList {
	saved: { channel: number; seq: number; at: string }[];
	version: number;
}

/* A file of a pending message; id: null until it is uploaded. */
export interface PendingFile extends FileFacts {
	upload: string;
	id: number | null;
}

export interface MessagePage {
	messages: Message[];
	has_before: boolean;
	has_after: boolean;
	/* Nothing else is there up to this seq but replies that stand in their threads alone. */
	upto?: number;
}

/* What was replied to a message; counts by itself. */
export interface Replies {
	count: number;
	last_seq: number;
	last_at: string | null;
	users: readonly number[];
	version: number;
}

/* What one is oneself to a thread; seq null: never followed. */
export interface ThreadState {
	channel: number;
	root: number;
	following: boolean;
	seq: number | null;
	version: number;
}

export interface ThreadPage extends MessagePage {
	root: Message;
	state: ThreadState;
}

export type InviteState = 'open' | 'used_up' | 'expired' | 'revoked' | 'unknown';

export interface Invite {
	id: number;
	note: string;
	role: 'member' | 'guest';
	uses: number;
	max_uses: number | null;
	created_by: number | null;
	created_at: string;
	expires_at: string | null;
	state: InviteState;
	url?: string; // when it has just been made
}

/* A link: into the site, or into a channel. */
export type Link = Pick<Invite, 'id' | 'uses' | 'max_uses' | 'expires_at' | 'state' | 'url'>;

/* Where a link into a channel leads; null: it is not open. */
export interface ChannelLook {
	state: InviteState;
	channel: Channel | null;
}

export interface Site {
	name: string;
	login: { id: string; label: string }[];
	provider: boolean; // there is one to sign in at
	local: boolean; // passwords of this site are taken
	registration: 'open' | 'invite' | 'domains';
	version: string;
}

export interface OpenReports {
	open: number;
	channels: { channel: number; open: number }[];
}

export interface Me {
	user: User;
	session: { id: number; kind: 'session' | 'token'; expires_at: string; scopes: string[] };
	password?: boolean; // one signs in by a password of this site
	/* Where name and picture come from; provider_name: as it said last. Not told by an older server. */
	profile?: { own_name: boolean; own_picture: boolean; provider_name: string | null };
}

/* A realtime line. Unknown types and fields are to be passed over, so it is typed loosely and read with care. */
export interface Line {
	type: string;
	cursor?: string;
	[field: string]: unknown;
}

/* A message of our own that the server has not been seen to have.
 * queued: waits its turn or the network; sending: on its way; acked: stored, its event is still to come; failed: refused. */
export interface Pending {
	client_id: string;
	channel: number;
	/* A reply: to which message, and whether it is to stand in the channel's line too. */
	thread?: number;
	in_channel?: boolean;
	text: string;
	mentions?: Name[];
	files?: PendingFile[];
	reply_to?: number;
	forward?: Forward;
	at: number; // local clock, for display and for order among pending ones only
	owner: string; // the instance (tab) that sends it
	state: 'queued' | 'sending' | 'acked' | 'failed';
	seq?: number;
	error?: string;
}

/* What is loaded of a channel: an unbroken run that reaches up to the newest message we know to be in order. */
export interface Log {
	status: 'loading' | 'ready' | 'failed';
	messages: readonly Message[];
	hasBefore: boolean;
	/* The run ends below the newest message, where somebody has gone back to an old one. Nothing is put at its end by itself. */
	hasAfter: boolean;
	loadingBefore: boolean;
	failedBefore: boolean;
	/* Came by event while loading or above a hole; joins the run as soon as it reaches up to them. Sorted by seq. */
	ahead: readonly Message[];
	/* Came by event for what an older page under way will bring, perhaps in a lower version. Sorted by seq. */
	below: readonly Message[];
	/* Came by event for messages that are not here yet. */
	late: readonly Reactions[];
	/* All is told up to there, though the last message that is shown may lie below. */
	upto: number;
}
