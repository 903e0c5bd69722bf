// messages: sending, history, and how far who has read.

import { afterId, bool, count, int, json, limit, list, obj, one, op, orNull, ref, text, wish } from "../kit.mjs";

const messages = { tag: "Messages" };
const reading = { tag: "Reading" };
const seen = ["not_found", "not_a_member"];
const at = (description, min = 1) => ({ description, schema: int(min) });
const example = { seq: 1041 };

export const operations = [
	op("POST", "/api/v1/channels/{channel}/messages", {
		...messages,
		id: "sendMessage",
		summary: "Send a message, once: a retry has the same `client_id`",
		body: ref("MessageAsked"),
		example: { client_id: "6e5a2f0c-3c5a-4a1e-9d53-0c8a5b1f2a77", body: { text: "hello" } },
		answers: {
			201: json("LiveMessage", { location: true }),
			200: json("Message", { description: "of a retry: the message as it is now" }),
		},
		codes: [...seen, "forbidden", "muted", "client_id_reused", "unprocessable", "not_attachable"],
	}),
	op("GET", "/api/v1/channels/{channel}/messages", {
		...messages,
		id: "listMessages",
		summary: "History, oldest first",
		description:
			"One of `before`, `after`, `around` and `around_time`; the newest page without. What lies further is in `Link` (prev, next). " +
			"Replies that stand in their threads alone are left out; behind the last message nothing else lies up to `upto`.",
		query: {
			before: at("below this seq"),
			after: at("above this seq", 0),
			around: at("around this seq"),
			around_time: { description: "around the first message that is not older", schema: ref("TimeAsked") },
			limit: limit(50),
		},
		answers: { 200: json(obj({ messages: list(ref("Message")), has_before: bool, has_after: bool, upto: count }), { cursor: true, link: true }) },
		codes: seen,
	}),
	op("GET", "/api/v1/search", {
		...messages,
		id: "search",
		summary: "Messages by their words, of those that I may read",
		query: {
			"q!": { description: "words, phrases, and filters: `from:` `in:` `has:` `is:` `before:` `after:`", schema: text(256) },
			sort: { description: "the best, or the newest first", schema: { ...one("rank", "date"), default: "rank" } },
			before: { description: "`next` of the page before", schema: text() },
			limit: { description: "how many at most", schema: { ...int(1, 50), default: 20 } },
		},
		answers: {
			200: json(
				obj({
					results: list(ref("Found")),
					next: { ...orNull(text()), description: "null: this is the last" },
					complete: { ...bool, description: "false: there may be more than was looked at" },
				}),
				{ cursor: true },
			),
		},
	}),
	op("GET", "/api/v1/channels/{channel}/messages/{seq}", {
		...messages,
		id: "getMessage",
		summary: "A message",
		answers: { 200: json("Message") },
		codes: seen,
	}),
	op("DELETE", "/api/v1/channels/{channel}/messages/{seq}", {
		...messages,
		id: "deleteMessage",
		summary: "Delete a message; again is harmless",
		description: "One's own; the channel's owner and moderators and an admin (a token: with scope `admin`) anyone's.",
		answers: { 200: json("DeletedMessage") },
		codes: [...seen, "forbidden"],
	}),
	op("PATCH", "/api/v1/channels/{channel}/messages/{seq}", {
		...messages,
		id: "editMessage",
		summary: "Edit one's own message; the same again changes nothing",
		body: ref("EditAsked"),
		example: { body: { text: "hello" }, version: 1 },
		answers: { 200: json("LiveMessage") },
		codes: [...seen, "forbidden", "muted", "too_late", "conflict", "unprocessable"],
	}),
	op("DELETE", "/api/v1/channels/{channel}/messages/{seq}/preview", {
		...messages,
		id: "removePreview",
		summary: "Take the preview of one's own message away, for good; again is harmless",
		answers: { 200: json("LiveMessage") },
		codes: [...seen, "forbidden", "conflict"],
	}),
	op("GET", "/api/v1/channels/{channel}/messages/{seq}/edits", {
		...messages,
		id: "listEdits",
		summary: "What a message said, the oldest first, at the end as it is now",
		answers: { 200: json(obj({ edits: list(ref("Edit")) })) },
		codes: seen,
	}),
	op("GET", "/api/v1/channels/{channel}/messages/{seq}/reactions", {
		...messages,
		id: "listReactions",
		summary: "All reactions of a message, with one's own",
		answers: {
			200: json(obj({ channel: ref("Id"), seq: ref("Seq"), reactions: list(ref("Reaction")), reactions_version: count, mine: list(text()) })),
		},
		codes: seen,
	}),
	op("GET", "/api/v1/channels/{channel}/messages/{seq}/reactions/{emoji}", {
		...messages,
		id: "listReacted",
		summary: "Who reacted with one emoji, in the order in which they did",
		query: { after: { description: "`next` of the page before", schema: int(0) }, limit: limit(100) },
		answers: { 200: json(obj({ count, users: list(ref("Id")), next: orNull(int(1)) })) },
		codes: seen,
	}),
	op("PUT", "/api/v1/channels/{channel}/messages/{seq}/reactions/{emoji}", {
		...messages,
		id: "addReaction",
		summary: "React; again is harmless",
		answers: { 200: json("Reactions") },
		codes: [...seen, "muted", "conflict", "unprocessable"],
	}),
	op("DELETE", "/api/v1/channels/{channel}/messages/{seq}/reactions/{emoji}", {
		...messages,
		id: "removeReaction",
		summary: "Take one's reaction away; again is harmless",
		answers: { 200: json("Reactions") },
		codes: [...seen, "conflict"],
	}),
	op("GET", "/api/v1/channels/{channel}/messages/{seq}/thread", {
		...messages,
		id: "getThread",
		summary: "The replies to a message, oldest first, with it and one's own state",
		description: "One of `before`, `after` and `around`; the newest page without.",
		query: { before: at("below this seq"), after: at("above this seq", 0), around: at("around this seq"), limit: limit(50) },
		answers: {
			200: json(
				obj({ root: ref("Root"), messages: list(ref("Message")), has_before: bool, has_after: bool, state: ref("ThreadState") }),
				{ cursor: true, link: true },
			),
		},
		codes: [...seen, "unprocessable"],
	}),
	op("PUT", "/api/v1/channels/{channel}/messages/{seq}/thread/read", {
		...reading,
		id: "readThread",
		summary: "I have read the thread up to there; forward only, clamped",
		body: wish({ seq: ref("Seq") }),
		example,
		answers: { 200: json("ThreadState") },
		codes: [...seen, "unprocessable"],
	}),
	op("PUT", "/api/v1/channels/{channel}/messages/{seq}/thread/follow", {
		...reading,
		id: "followThread",
		summary: "Follow a thread; again is harmless",
		answers: { 200: json("ThreadState") },
		codes: [...seen, "unprocessable"],
	}),
	op("DELETE", "/api/v1/channels/{channel}/messages/{seq}/thread/follow", {
		...reading,
		id: "unfollowThread",
		summary: "Follow it no more; again is harmless",
		answers: { 200: json("ThreadState") },
		codes: [...seen, "unprocessable"],
	}),
	op("GET", "/api/v1/channels/{channel}/messages/{seq}/readers", {
		...reading,
		id: "listReaders",
		summary: "Who has read it, of those who share that, without its sender",
		query: { after: afterId, limit: limit(100) },
		answers: { 200: json(obj({ count, users: list(ref("Id")), next: ref("NextId") })) },
		codes: seen,
	}),
	op("PUT", "/api/v1/channels/{channel}/read", {
		...reading,
		id: "markRead",
		summary: "I have read up to there; forward only, clamped to the last seq",
		body: wish({ seq: ref("SeqOrNone") }),
		example,
		answers: { 200: json("ReadState") },
		codes: seen,
	}),
	op("PUT", "/api/v1/channels/{channel}/unread", {
		...reading,
		id: "markUnread",
		summary: "Mark as unread from there on",
		body: wish({ seq: ref("Seq") }),
		example,
		answers: { 200: json("ReadState") },
		codes: seen,
	}),
	op("PUT", "/api/v1/channels/{channel}/delivered", {
		...reading,
		id: "markDelivered",
		summary: "In a direct channel: messages have come to one of my instances up to there",
		body: wish({ seq: ref("SeqOrNone") }),
		example,
		answers: { 200: json("ReadState") },
		codes: [...seen, "unprocessable"],
	}),
];
