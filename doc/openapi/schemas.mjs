// schemas: the objects of doc/protocol.md, section 3. An answer may gain members (clients pass over what they do not know); the tests
// hold that each one that is there stands here.

import { CODES } from "./codes.mjs";
import { bool, count, int, list, obj, one, only, orNull, ref, text, wish } from "./kit.mjs";

const id = ref("Id"),
	time = ref("Time"),
	seq = ref("Seq");
const role = one("owner", "admin", "member", "guest");
const memberRole = one("owner", "moderator", "member");
const version = { ...int(0), description: "grows by each change: of two states the one with the higher is the newer" };

const base = {
	Id: int(1),
	Seq: { ...int(1), description: "a message's place in its channel: from 1 without a gap" },
	SeqOrNone: { ...int(0), description: "a place in a channel; 0: before the first message" },
	Time: {
		type: "string",
		format: "date-time",
		pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$",
		example: "2026-11-25T10:04:31.123Z",
	},
	TimeAsked: { type: "string", format: "date-time", maxLength: 40, description: "RFC 3339 with an offset" },
	Forever: only("forever"),
	Until: { anyOf: [time, ref("Forever")], description: "a time, or for ever" },
	Uuid: { type: "string", format: "uuid", pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" },
	CursorText: text(39, 1, { description: "a place in the log of events, as it was given out" }),
	Handle: text(32, 1, { pattern: "^[a-z0-9][a-z0-9._-]*$" }),
	NextId: { ...orNull(id), description: "what the next page goes on by; null: this is the last" },
	NextHandle: { ...orNull(ref("Handle")), description: "what the next page goes on by; null: this is the last" },
	Scope: one("read", "write", "files", "admin"),
	Problem: obj(
		{
			type: only("about:blank"),
			title: text(),
			status: int(400, 599),
			code: { ...one(...Object.keys(CODES)), description: "stable, unlike `detail`" },
			"field?": text(0, 0, { description: "where one field is at fault" }),
			detail: text(0, 0, { description: "a sentence for a person" }),
			"until?": { ...time, description: "when what stands in the way ends by itself" },
			request_id: ref("RequestId"),
		},
		{ description: "an error (RFC 9457)" },
	),
	RequestId: { type: "string", pattern: "^[0-9a-f]{16,32}$" },
};

const people = {
	User: obj({
		id,
		handle: ref("Handle"),
		name: text(),
		picture: {
			...orNull({ type: "string", format: "uri-reference" }),
			description: "one's own: a path of this site, `/api/v1/files/{file}`; else what one's provider says: an https address",
		},
		role,
		active: bool,
		bot: bool,
		version,
		time_zone: { ...orNull(text(64)), description: "of the IANA", example: "Europe/Zurich" },
		muted_until: orNull(ref("Until")),
	}),
	Group: undefined, // below
	GroupFull: undefined, // below
	AdminUser: undefined, // below
	Status: obj({
		emoji: orNull(text(34, 0, { description: "an emoji, or `:name:` of a custom one, be it there or not" })),
		text: text(100),
		until: orNull(time),
	}),
	StatusAsked: wish({ "emoji?": orNull(text(34, 1)), "text?": orNull(text(100)), "until?": orNull(ref("TimeAsked")) }),
	Presence: obj({
		user: id,
		state: one("online", "away", "offline"),
		last_active: { ...orNull(time), description: "the last input that a client told of" },
		dnd: { ...bool, description: "do not disturb" },
		status: orNull(ref("Status")),
		"invisible?": { ...bool, description: "of oneself alone" },
	}),
	Settings: obj({ invisible: bool, dnd_until: orNull(ref("Until")), status: orNull(ref("Status")), read_receipts: bool, version }),
	Session: obj({
		id,
		current: bool,
		device: text(0, 0, { description: "made of `agent`" }),
		agent: text(0, 0, { description: "what the browser said it is" }),
		created_at: time,
		last_used_at: { ...time, description: "written once a minute at most" },
		expires_at: time,
	}),
	Token: obj({
		id,
		name: text(80, 1),
		scopes: list(ref("Scope")),
		created_at: time,
		last_used_at: { ...orNull(time), description: "null: never" },
		expires_at: { ...orNull(time), description: "null: it has no end" },
	}),
	NewToken: undefined, // below
	TokenAsked: wish({
		name: text(80, 1),
		scopes: list(ref("Scope"), { minItems: 1, maxItems: 4 }),
		"expires_in?": { ...int(1, 3650 * 86400), description: "seconds; without it the token has no end" },
	}),
	Me: obj({
		user: ref("User"),
		session: obj({ id, kind: one("session", "token"), expires_at: orNull(time), scopes: list(ref("Scope")) }),
		password: { ...bool, description: "there is one here to sign in by" },
		profile: obj({
			own_name: { ...bool, description: "the name is one that I have given myself, or an admin has given me" },
			own_picture: { ...bool, description: "the picture is one that I have uploaded" },
			provider_name: { ...orNull(text()), description: "what the provider said last; null: none says" },
		}),
	}),
	Invite: obj({
		id,
		note: text(200),
		role: one("member", "guest"),
		uses: count,
		max_uses: { ...orNull(int(1)), description: "null: any number" },
		created_by: { ...orNull(id), description: "null: by the command line" },
		created_at: time,
		expires_at: { ...orNull(time), description: "null: never" },
		state: one("open", "used_up", "expired", "revoked"),
	}),
	NewInvite: undefined, // below
};
const group = { id, handle: ref("Handle"), name: text(80, 1), members: count, version: int(1) };
people.Group = obj(group, { description: "people whom a message may name at once" });
people.GroupFull = obj({ ...group, users: list(id, { maxItems: 500, description: "its members" }) });
people.AdminUser = obj({
	...marked(people.User),
	email: orNull(text()),
	created_at: time,
	deactivated_at: orNull(time),
	mute: orNull(ref("Restriction")),
});
people.NewToken = obj({ ...marked(people.Token), token: text(0, 0, { pattern: "^pct_[A-Za-z0-9_-]{43}$", description: "shown this once" }) });
people.NewInvite = obj({
	...marked(people.Invite),
	code: text(0, 0, { pattern: "^[A-Za-z0-9_-]{22}$", description: "shown this once" }),
	url: { type: "string", format: "uri", description: "what to give to who is invited" },
});

const gone = {
	...orNull(list(seq, { maxItems: 50 })),
	description: "others' deleted messages among those above the marker; null: more than 50",
};
const wide = {
	...orNull(list(seq, { maxItems: 50 })),
	description: "of `mentions` those by messages that name the channel, and not you besides; null: more than 50",
};
const mentionAll = { ...one("everyone", "moderators"), description: "who may name `channel` and `here`; guests never do" };
const channelCore = {
	id,
	kind: one("public", "private", "direct"),
	name: { ...orNull(text(80, 1)), description: "null: a direct channel" },
	topic: text(250),
	version,
	archived: bool,
	created_at: time,
	last_seq: ref("SeqOrNone"),
	keep_days: { ...orNull(int(1, 36500)), description: "older messages are erased; null: none are" },
	mention_all: mentionAll,
	history: {
		...one("all", "joined"),
		description: "what of it those see who come from now on: all, or what is stored after they have come; of a public one all",
	},
	people: { ...orNull(list(id, { minItems: 3, maxItems: 9 })), description: "of a direct channel of several" },
	members: count,
};

const channelInvite = {
	id,
	channel: id,
	uses: count,
	max_uses: { ...orNull(int(1)), description: "null: any number" },
	created_by: id,
	created_at: time,
	expires_at: { ...orNull(time), description: "null: never" },
	state: one("open", "used_up", "expired", "revoked"),
};
const ownSection = (as) => as({ kind: only("own"), id: ref("Uuid"), name: text(40, 1), collapsed: bool });

const channels = {
	ChannelCore: obj(channelCore, { description: "what is the same of a channel for all who see it" }),
	Channel: obj({
		...channelCore,
		membership: { ...orNull(ref("Membership")), description: "null: you are not in it" },
		peer: { ...orNull(id), description: "the other user of a direct channel of two (yourself in one with yourself)" },
		prefs: { ...orNull(ref("Prefs")), description: "null: you are not in it" },
	}),
	AdminChannel: obj({ ...channelCore, owners: list(id) }),
	Membership: obj({
		role: memberRole,
		since: { ...count, description: "the id of the event by which you are in it" },
		first_seq: { ...seq, description: "the lowest seq that you may see; 1: all" },
		last_read_seq: ref("SeqOrNone"),
		unread_from: { ...orNull(seq), description: "where you marked as unread" },
		read_version: version,
		unread: count,
		mentions: count,
		gone,
		wide,
		read_receipts: bool,
		muted_until: orNull(ref("Until")),
	}),
	Prefs: obj({
		notify: { ...orNull(ref("NotifyLevel")), description: "null: `all` in a direct channel, else `mentions`" },
		quiet_until: orNull(ref("Until")),
		favourite: bool,
		section: { ...orNull(ref("Uuid")), description: "of Sidebar; one that is not there is none" },
		version,
	}),
	PrefsAsked: wish({
		"notify?": orNull(ref("NotifyLevel")),
		"quiet_until?": orNull({ anyOf: [ref("TimeAsked"), ref("Forever")] }),
		"favourite?": bool,
		"section?": orNull(ref("Uuid")),
	}),
	ChannelInvite: obj(channelInvite),
	NewChannelInvite: obj({
		...channelInvite,
		code: text(0, 0, { pattern: "^[A-Za-z0-9_-]{22}$", description: "shown this once" }),
		url: { type: "string", format: "uri", description: "what to give to who is invited" },
	}),
	NotifyLevel: { ...one("all", "mentions", "nothing"), description: "which messages call for attention" },
	Section: { anyOf: [obj({ kind: one("favourites", "channels", "direct"), collapsed: bool }), ownSection(obj)] },
	Sidebar: obj({ sections: list(ref("Section")), version }),
	SidebarAsked: wish({
		sections: list(
			{ anyOf: [wish({ kind: one("favourites", "channels", "direct"), collapsed: bool }), ownSection(wish)] },
			{ minItems: 3, maxItems: 50, description: "all of them; those that everybody has once each" },
		),
		"version?": { ...count, description: "the one that is meant" },
	}),
	Member: obj({ channel: id, user: id, role: memberRole, since: count, first_seq: seq, joined_at: time, muted_until: orNull(ref("Until")) }),
	ReadState: obj({
		channel: id,
		seq: ref("SeqOrNone"),
		version,
		last_seq: ref("SeqOrNone"),
		unread: count,
		mentions: count,
		unread_from: orNull(seq),
		gone,
		wide,
		read_receipts: bool,
	}),
	ReadMark: obj({ user: id, seq: { ...orNull(count), description: "null: shows it no more" }, "delivered?": ref("SeqOrNone") }),
};

/** Where a message stands as a reply, and what was replied to it. */
const inThread = {
	"thread?": { ...seq, description: "it is a reply to this message" },
	"in_channel?": { ...only(true), description: "of a reply: it stands in the channel's line too" },
	"replies?": ref("Replies"),
};

const messages = {
	Body: obj({
		text: text(),
		"mentions?": list(ref("Mention"), { maxItems: 50 }),
		"reached?": {
			type: "object",
			additionalProperties: list(id),
			description: "whom `here` and each group of `mentions` reach: those who count it, 500 in all",
		},
		"files?": list(ref("File")),
		"reply_to?": obj({ seq, sender: id }, { description: "the message that it quotes, and whose that is" }),
		"forward?": ref("Forward"),
		"preview?": { ...orNull(ref("Preview")), description: "null: its author took it away" },
	}),
	Mention: {
		oneOf: [id, one("channel", "here"), text(24, 7, { pattern: "^group:[1-9][0-9]*$" })],
		description: "the id of a user; all of the channel; those of it who are here; those of a group who are in the channel",
	},
	Forward: obj(
		{ channel: id, seq, sender: id, created_at: time, text: text(), "files?": list(ref("File")) },
		{ description: "what was forwarded, as it was then" },
	),
	Preview: obj({
		url: { ...text(), description: "the link, as the message has it" },
		host: { ...text(), description: "whose page it is, after redirects" },
		site: orNull(text(80)),
		title: text(201),
		description: orNull(text(301)),
	}),
	BodyAsked: wish(
		{
			text: { ...text(20000), "x-limit": "message_chars", description: "may be empty where there are files, or something is forwarded" },
			"mentions?": list(ref("Mention"), {
				maxItems: 50,
				uniqueItems: true,
				"x-limit": "mentions",
				description: "whom it names; no more than once each",
			}),
			"files?": list(id, {
				maxItems: 20,
				uniqueItems: true,
				"x-limit": "message_files",
				description: "own uploads that are `ready`",
			}),
			"reply_to?": { ...seq, description: "quotes this message: of the channel's line, or of the thread that it is a reply in" },
			"forward?": {
				...wish({ channel: id, seq }),
				description: "forwards this message, which one can read; then there are no `files`",
			},
		},
		{ description: "of `text`, `files` and `forward` one at least has something" },
	),
	MessageAsked: wish({
		client_id: ref("Uuid"),
		"thread?": { ...seq, description: "it is a reply to this message" },
		"in_channel?": { ...bool, description: "of a reply: stands in the channel's line too" },
		body: ref("BodyAsked"),
	}),
	LiveMessage: obj({
		channel: id,
		seq,
		id: { ...id, description: "names the row and orders nothing" },
		created_at: time,
		sender: id,
		client_id: ref("Uuid"),
		version,
		body: ref("Body"),
		"edited_at?": time,
		"reactions?": list(ref("Reaction")),
		"reactions_version?": { ...count, description: "counts by itself" },
		...inThread,
	}),
	Replies: obj(
		{
			count,
			last_seq: { ...count, description: "of the last one; 0: there is none" },
			last_at: orNull(time),
			users: list(id, { maxItems: 5, description: "who replied first" }),
			version,
		},
		{ description: "to a message: those that are not deleted; counts by itself" },
	),
	ThreadState: obj(
		{
			channel: id,
			root: seq,
			following: bool,
			seq: { ...orNull(count), description: "read up to there; null: never followed" },
			version: count,
		},
		{ description: "what one is to a thread" },
	),
	Thread: obj({ state: ref("ThreadState"), root: ref("Root") }),
	Reaction: obj({
		emoji: { ...text(), description: "of Unicode, or `:name:` of a custom one, which may be gone" },
		count: int(1),
		users: list(id, { maxItems: 20, description: "who was first" }),
	}),
	Reactions: obj({ channel: id, seq, reactions: list(ref("Reaction")), reactions_version: count }),
	Edit: obj({ version, at: time, body: { ...ref("Body"), description: "without files" } }),
	EditAsked: wish({
		body: wish(
			{
				text: { ...text(20000), "x-limit": "message_chars", description: "may be empty where there are files" },
				"mentions?": list(ref("Mention"), { maxItems: 50, uniqueItems: true, "x-limit": "mentions" }),
			},
			{ description: "all of the new text; files stay, and what it quotes or forwards" },
		),
		"version?": { ...int(1), description: "the one that is meant" },
	}),
	DeletedMessage: obj({ channel: id, seq, id, created_at: time, sender: id, version, deleted: only(true), "deleted_by?": id, ...inThread }),
	SnippetPiece: obj({ text: text(), "hit?": { ...bool, description: "it is what was looked for" } }, { description: "a piece of plain text" }),
	Found: obj(
		{
			channel: id,
			seq,
			id,
			created_at: time,
			sender: id,
			version,
			"edited_at?": time,
			"thread?": { ...seq, description: "it is a reply to this one" },
			has: list(one("link", "file", "mention")),
			snippet: list(ref("SnippetPiece")),
		},
		{ description: "a message that was searched for" },
	),
	Message: { oneOf: [ref("LiveMessage"), ref("DeletedMessage")] },
	HiddenMessage: obj(
		{ channel: id, seq, hidden: only(true), "replies?": ref("Replies") },
		{ description: "a thread's root that is older than what you may see" },
	),
	Root: { oneOf: [ref("LiveMessage"), ref("DeletedMessage"), ref("HiddenMessage")] },
	Draft: obj({
		channel: id,
		thread: { ...orNull(seq), description: "null: of the channel itself" },
		text: { ...text(), description: "with no text, no files and no `reply_to`: it says nothing any more" },
		files: list(id),
		reply_to: { ...orNull(seq), description: "the message that it quotes" },
		version: { ...count, description: "0: there never was one" },
		edited_at: orNull(time),
	}),
	DraftAsked: wish({
		text: { ...text(20000), "x-limit": "message_chars" },
		"files?": list(id, { maxItems: 20, uniqueItems: true, "x-limit": "message_files" }),
		"reply_to?": { ...seq, description: "the message that it quotes" },
		version: { ...count, description: "that it is based on; 0: there was none" },
	}),
	Pin: obj({ seq, by: id, at: time }),
	Pins: obj({ channel: id, pins: list(ref("Pin"), { maxItems: 100 }), pins_version: count }),
	Saved: obj({ channel: id, seq, saved: bool, at: orNull(time), version: { ...count, description: "of all that one has saved" } }),
};

const moderation = {
	SanctionAsked: wish({
		"until?": { ...orNull(ref("TimeAsked")), description: "null, or without it: until it is lifted" },
		"reason?": text(500),
	}),
	Restriction: obj({
		channel: { ...orNull(id), description: "null: of the site" },
		user: id,
		kind: one("mute", "ban"),
		until: ref("Until"),
		reason: text(500),
		by: { ...orNull(id), description: "null: by the command line" },
		at: time,
	}),
	ReportReason: one("spam", "abuse", "private", "illegal", "other"),
	ReportAction: one("dismiss", "delete", "mute", "remove", "ban", "deactivate"),
	Report: obj({
		id,
		channel: id,
		channel_name: { ...orNull(text()), description: "null: a direct channel" },
		seq,
		sender: id,
		sent_at: time,
		body: { ...ref("Body"), description: "as it was when it was reported" },
		reporter: id,
		reason: ref("ReportReason"),
		text: text(1000),
		at: time,
		action: { ...orNull(ref("ReportAction")), description: "null: it is open" },
		resolved_by: orNull(id),
		resolved_at: orNull(time),
		note: orNull(text(500)),
	}),
	OwnReport: obj(
		{
			id,
			channel: id,
			seq,
			reason: ref("ReportReason"),
			text: text(1000),
			at: time,
			action: orNull(ref("ReportAction")),
			resolved_at: orNull(time),
		},
		{ description: "a Report as its reporter sees it" },
	),
	AuditEntry: obj({
		id,
		at: time,
		actor: { ...orNull(id), description: "null: the command line" },
		action: text(40, 1, { description: "doc/roles.md lists them", example: "member.muted" }),
		target: orNull(id),
		channel: orNull(id),
		channel_name: orNull(text()),
		details: { type: "object", description: "by action: doc/roles.md" },
		request_id: orNull(text()),
		address: orNull(text()),
	}),
};

const put = {
	method: only("PUT"),
	url: { type: "string", format: "uri" },
	headers: { type: "object", additionalProperties: text() },
	expires_at: time,
};
const emojiName = text(32, 1, { pattern: "^[a-z0-9_+-]+$" });
const files = {
	LiveFile: obj({
		id,
		name: text(),
		size: count,
		type: text(),
		width: orNull(count),
		height: orNull(count),
		duration: { type: ["number", "null"], description: "seconds" },
		thumbnail: orNull(obj({ id, width: orNull(count), height: orNull(count) })),
	}),
	ErasedFile: obj({ id, erased: only(true) }),
	File: { oneOf: [ref("LiveFile"), ref("ErasedFile")] },
	Upload: obj({
		id,
		client_id: ref("Uuid"),
		state: one("pending", "checking", "ready", "attached", "emoji", "profile", "erased"),
		channel: id,
		file: ref("File"),
		put: { ...orNull(obj(put)), description: "where to put it; null unless it is `pending` and in one piece" },
		multipart: {
			...orNull(obj({ part_size: int(1), parts: int(1), have: list(obj({ number: int(1), size: int(1) })) })),
			description: "of a large one, in place of `put`",
		},
	}),
	UploadAsked: wish({
		client_id: ref("Uuid"),
		channel: id,
		name: text(4096, 1, { description: "it is cleaned, and cut to 255 bytes" }),
		size: int(0, 2 ** 31, { "x-limit": "file_bytes" }),
		type: text(255, 0, { description: "a media type, or empty" }),
		"sha256?": text(64, 64, { pattern: "^[0-9A-Fa-f]{64}$", description: "needed but for parts" }),
		"width?": int(1, 1000000),
		"height?": int(1, 1000000),
		"duration?": { type: ["number", "null"], minimum: 0, maximum: 1e8, description: "seconds" },
		"thumbnail_of?": { ...id, description: "one's own file that is in no message yet, which gets this as its thumbnail" },
	}),
	Part: obj({ number: int(1), ...put }),
	CustomEmoji: obj({
		name: emojiName,
		file: { ...id, description: "its picture" },
		by: { ...id, description: "who added it" },
		at: time,
		version: { ...int(1), description: "of all of them, as of this one" },
	}),
	EmojiAsked: wish({
		name: text(32, 1, { pattern: "^[A-Za-z0-9_+-]+$", description: "kept in lower case" }),
		file: { ...id, description: "one's own picture that is `ready` and in no message: PNG, GIF, WebP or JPEG" },
	}),
	ChannelFile: obj({
		file: ref("LiveFile"),
		seq,
		version: { ...int(1), description: "of the message, as of which it bears this file" },
		sender: id,
		created_at: time,
		thread: { ...orNull(seq), description: "the root that the message replies to" },
	}),
	OwnFile: obj({
		file: ref("File"),
		state: one("pending", "checking", "ready", "attached", "emoji", "profile", "erased"),
		channel: id,
		seq: orNull(seq),
		created_at: time,
	}),
};

/** The properties of an object as obj() takes them. */
export function marked({ properties, required = [] }) {
	return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [required.includes(name) ? name : `${name}?`, schema]));
}

export const schemas = { ...base, ...people, ...channels, ...messages, ...moderation, ...files };
