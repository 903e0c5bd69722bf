// files: uploads and what came of them.

import { beforeId, count, header, int, json, limit, list, nothing, obj, one, op, orNull, ref, text, wish } from "../kit.mjs";

const files = { tag: "Files" };
const upload = { ...files, scope: "files" };
const own = obj({ files: list(ref("OwnFile")), bytes: count, next: ref("NextId") });
const partAsked = wish({ number: int(1, 10000), sha256: text(64, 64, { pattern: "^[0-9A-Fa-f]{64}$" }) });

export const operations = [
	op("POST", "/api/v1/uploads", {
		...upload,
		id: "makeUpload",
		summary: "Begin an upload: the answer says where to put it",
		body: ref("UploadAsked"),
		example: {
			client_id: "6e5a2f0c-3c5a-4a1e-9d53-0c8a5b1f2a77",
			channel: 12,
			name: "beach.jpg",
			size: 182044,
			type: "image/jpeg",
			sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		},
		answers: { 201: json("Upload", { location: true }), 200: json("Upload", { description: "of a retry" }) },
		codes: ["not_found", "not_a_member", "quota_exceeded", "client_id_reused", "unprocessable", "store_unavailable"],
	}),
	op("GET", "/api/v1/uploads/{upload}", {
		...upload,
		id: "getUpload",
		summary: "An upload of mine",
		answers: { 200: json("Upload") },
		codes: ["not_found", "unprocessable", "store_unavailable"],
	}),
	op("DELETE", "/api/v1/uploads/{upload}", {
		...upload,
		id: "endUpload",
		summary: "Take it back: what is in no message yet is erased; again is harmless",
		answers: { 204: nothing() },
	}),
	op("POST", "/api/v1/uploads/{upload}/parts", {
		...upload,
		id: "signParts",
		summary: "Where to put parts of a large one",
		body: wish({ parts: list(partAsked, { minItems: 1, maxItems: 100 }) }),
		example: { parts: [{ number: 1, sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }] },
		answers: { 200: json(obj({ parts: list(ref("Part")) })) },
		codes: ["not_found", "unprocessable", "store_unavailable"],
	}),
	op("POST", "/api/v1/uploads/{upload}/complete", {
		...upload,
		id: "completeUpload",
		summary: "It is all there; again is harmless",
		answers: {
			200: json("Upload", { description: "`ready`" }),
			202: json("Upload", { description: "`checking`, or not ready otherwise: ask again", retry: true }),
		},
		codes: ["not_found", "upload_missing", "upload_differs", "unprocessable", "store_unavailable"],
	}),
	op("GET", "/api/v1/files/{file}", {
		...files,
		id: "getFile",
		summary: "A redirect to a short-lived address of the file",
		query: { download: { description: "1: as an attachment, whatever it is", schema: { type: "integer", enum: [0, 1] } } },
		answers: { 302: { description: "there", headers: { Location: header("Location") } } },
		codes: ["not_found"],
	}),
	op("DELETE", "/api/v1/files/{file}", {
		...files,
		id: "deleteFile",
		summary: "Erase a file: one's own, or of a message that one may delete",
		answers: { 200: json("Message", { description: "the message without it" }), 204: nothing("it was in none") },
		codes: ["not_found", "forbidden", "unprocessable"],
	}),
	op("GET", "/api/v1/emoji", {
		...files,
		id: "listEmoji",
		summary: "All custom emoji of the site, by name",
		answers: { 200: json(obj({ emoji: list(ref("CustomEmoji")), version: count }), { cursor: true }) },
	}),
	op("POST", "/api/v1/emoji", {
		...files,
		id: "addEmoji",
		summary: "Make a picture that I uploaded an emoji; again is harmless",
		description: "By everybody but guests, or owners and admins alone (`limits.custom_emoji_by`; a token: with scope `admin`).",
		body: ref("EmojiAsked"),
		example: { name: "party_parrot", file: 5 },
		answers: { 201: json("CustomEmoji"), 200: json("CustomEmoji", { description: "it is so already" }) },
		codes: ["forbidden", "muted", "conflict", "not_attachable", "unprocessable", "too_large"],
	}),
	op("DELETE", "/api/v1/emoji/{name}", {
		...files,
		id: "removeEmoji",
		summary: "Remove an emoji, with its picture: one's own, or anybody's as an owner or admin; again is harmless",
		answers: { 204: nothing() },
		codes: ["forbidden", "bad_field"],
	}),
	op("GET", "/api/v1/channels/{channel}/files", {
		...files,
		id: "listChannelFiles",
		summary: "The files of a channel's messages, replies and forwarded ones too, the newest message first",
		description: "Of as many messages as `limit` says, each with all its files in their order; the more messages bear, the longer is the page.",
		query: {
			before: { description: "goes on below this seq: `next` of the page before", schema: int(1) },
			limit: limit(50),
			kind: { description: "images that browsers show, or all others; without it both", schema: one("images", "others") },
		},
		answers: { 200: json(obj({ files: list(ref("ChannelFile")), next: orNull(ref("Seq")) }), { cursor: true }) },
		codes: ["not_found", "not_a_member"],
	}),
	op("GET", "/api/v1/me/files", {
		...files,
		id: "listMyFiles",
		summary: "My files",
		query: { before: beforeId, limit: limit(50) },
		answers: { 200: json(own, { cursor: true }) },
	}),
	op("DELETE", "/api/v1/me/files", {
		...files,
		id: "deleteMyFiles",
		summary: "Erase all my files",
		answers: { 204: nothing() },
	}),
	op("GET", "/api/v1/admin/users/{user}/files", {
		...files,
		need: "admin",
		id: "listFilesOf",
		summary: "Somebody's files; audited",
		query: { before: beforeId, limit: limit(50) },
		answers: { 200: json(own, { cursor: true }) },
		codes: ["not_found"],
	}),
	op("DELETE", "/api/v1/admin/users/{user}/files", {
		...files,
		need: "admin",
		id: "deleteFilesOf",
		summary: "Erase all of somebody's files; audited",
		answers: { 204: nothing() },
		codes: ["not_found"],
	}),
];
