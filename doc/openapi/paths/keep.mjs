// keep: drafts, pinned messages, saved messages.

import { afterId, beforeId, count, int, json, limit, list, obj, op, orNull, page, ref } from "../kit.mjs";

const messages = { tag: "Messages" };
const seen = ["not_found", "not_a_member"];
const thread = { description: "the root of the thread that it is for; without it: for the channel itself", schema: int(1) };

export const operations = [
	op("GET", "/api/v1/me/drafts", {
		...messages,
		id: "listDrafts",
		summary: "My drafts, by channel and thread; also those that say nothing any more, for their versions",
		query: {
			after: { ...afterId, description: "goes on behind this channel: `next` of the page before" },
			after_thread: { description: "and this thread in it: `next_thread`; without it behind all of the channel", schema: int(0) },
			limit: limit(50),
		},
		answers: { 200: json(obj({ drafts: list(ref("Draft")), next: orNull(ref("Id")), next_thread: orNull(count) }), { cursor: true }) },
	}),
	op("GET", "/api/v1/channels/{channel}/draft", {
		...messages,
		id: "getDraft",
		summary: "My draft in a channel, or in a thread of it; of version 0 where there is none",
		query: { thread },
		answers: { 200: json("Draft") },
		codes: seen,
	}),
	op("PUT", "/api/v1/channels/{channel}/draft", {
		...messages,
		id: "setDraft",
		summary: "Keep what I am about to say; the same again changes nothing",
		query: { thread },
		body: ref("DraftAsked"),
		example: { text: "hel", version: 0 },
		answers: { 200: json("Draft") },
		codes: [...seen, "conflict", "not_attachable", "unprocessable"],
	}),
	op("DELETE", "/api/v1/channels/{channel}/draft", {
		...messages,
		id: "deleteDraft",
		summary: "Take it away, as behind a send; again is harmless",
		query: { thread, version: { description: "that it is based on; without it whichever there is", schema: count } },
		answers: { 200: json("Draft") },
		codes: [...seen, "conflict", "unprocessable"],
	}),
	op("GET", "/api/v1/channels/{channel}/pins", {
		...messages,
		id: "listPins",
		summary: "What is pinned in a channel, in the order it was",
		answers: {
			200: json(obj({ channel: ref("Id"), pins: list(ref("Pin")), pins_version: count, messages: list(ref("LiveMessage")) }), {
				cursor: true,
			}),
		},
		codes: seen,
	}),
	op("PUT", "/api/v1/channels/{channel}/messages/{seq}/pin", {
		...messages,
		id: "pinMessage",
		summary: "Pin a message; again is harmless",
		description: "In a direct channel either side; else the channel's owner and moderators, and an admin (a token: with scope `admin`).",
		answers: { 200: json("Pins") },
		codes: [...seen, "forbidden", "muted", "conflict", "unprocessable"],
	}),
	op("DELETE", "/api/v1/channels/{channel}/messages/{seq}/pin", {
		...messages,
		id: "unpinMessage",
		summary: "Take it down; again is harmless",
		answers: { 200: json("Pins") },
		codes: [...seen, "forbidden"],
	}),
	op("GET", "/api/v1/me/saved", {
		...messages,
		id: "listSaved",
		summary: "Where the messages are that I saved, the newest first",
		answers: {
			200: json(obj({ saved: list(obj({ channel: ref("Id"), seq: ref("Seq"), at: ref("Time") })), version: count }), { cursor: true }),
		},
	}),
	op("GET", "/api/v1/me/saved/messages", {
		...messages,
		id: "listSavedMessages",
		summary: "The messages that I saved",
		query: { before: beforeId, limit: limit(50) },
		answers: { 200: json(page("messages", "LiveMessage")) },
	}),
	op("PUT", "/api/v1/channels/{channel}/messages/{seq}/saved", {
		...messages,
		id: "saveMessage",
		summary: "Save a message for myself; again is harmless",
		answers: { 200: json("Saved") },
		codes: [...seen, "conflict", "unprocessable"],
	}),
	op("DELETE", "/api/v1/channels/{channel}/messages/{seq}/saved", {
		...messages,
		id: "forgetMessage",
		summary: "Save it no more; again is harmless",
		answers: { 200: json("Saved") },
		codes: seen,
	}),
];
