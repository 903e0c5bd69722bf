// me: one's own account: settings, sessions, tokens; bots and theirs.

import { afterHandle, beforeId, bool, count, int, json, limit, list, nothing, obj, op, orNull, page, ref, text, wish } from "../kit.mjs";

const me = { tag: "Me" };
const account = { ...me, scope: "account" };
const unread = {
	channel: ref("Id"),
	last_seq: ref("SeqOrNone"),
	last_read_seq: ref("SeqOrNone"),
	unread_from: orNull(ref("Seq")),
	unread: count,
	mentions: count,
};
const drift = { channel: ref("Id"), unread: count, mentions: count, true_unread: count, true_mentions: count };
const tokenExample = { name: "Backup", scopes: ["read"], expires_in: 31536000 };

export const operations = [
	op("GET", "/api/v1/me", { ...me, id: "getMe", summary: "Who I am, and with what", answers: { 200: json("Me") } }),
	op("PATCH", "/api/v1/me", {
		...me,
		id: "changeMe",
		summary: "Say what I am called, and set my time zone",
		description: "One of them at least. A name of null is what my provider says; an account without one has no such name (`bad_field`).",
		body: wish({ "name?": orNull(text(80, 1)), "time_zone?": orNull(text(64, 1)) }),
		example: { name: "Alice M.", time_zone: "Europe/Zurich" },
		answers: { 200: json("User") },
		codes: ["forbidden", "muted"],
	}),
	op("PUT", "/api/v1/me/picture", {
		...me,
		id: "setMyPicture",
		summary: "Show a picture that I uploaded as mine; again is harmless",
		description: "The one before is erased. Of at most `limits.picture_bytes` and `limits.picture_side` pixels a side.",
		body: wish({ file: { ...ref("Id"), description: "my own upload that is `ready` and in no message: PNG, GIF, WebP or JPEG" } }),
		example: { file: 5 },
		answers: { 200: json("User") },
		codes: ["muted", "not_attachable", "unprocessable", "too_large"],
	}),
	op("DELETE", "/api/v1/me/picture", {
		...me,
		id: "removeMyPicture",
		summary: "Remove and erase it: what my provider says is shown again; again is harmless",
		answers: { 204: nothing() },
	}),
	op("GET", "/api/v1/me/unread", {
		...me,
		id: "getUnread",
		summary: "What is unread, and in all",
		query: {
			verify: {
				description: "1: look at each message too, and tell where the counts differ from that",
				schema: { type: "integer", enum: [0, 1] },
			},
		},
		answers: {
			200: json(
				obj({
					channels: list(obj(unread), { description: "where there is something" }),
					unread: count,
					mentions: count,
					"drift?": list(obj(drift)),
				}),
				{ cursor: true },
			),
		},
	}),
	op("GET", "/api/v1/me/threads", {
		...me,
		id: "listThreads",
		summary: "The threads that I follow, the last replied to first",
		query: {
			unread: { description: "1: only those with something unread", schema: { type: "integer", enum: [0, 1] } },
			before: { description: "`next` of the page before", schema: int(1) },
			limit: limit(50),
		},
		answers: {
			200: json(
				obj({
					threads: list(ref("Thread")),
					unread: { ...count, description: "how many in all have something unread" },
					next: { ...orNull(int(1)), description: "null: this is the last" },
				}),
				{ cursor: true },
			),
		},
	}),
	op("GET", "/api/v1/me/sidebar", { ...me, id: "getSidebar", summary: "How my side bar is arranged", answers: { 200: json("Sidebar") } }),
	op("PUT", "/api/v1/me/sidebar", {
		...me,
		id: "arrangeSidebar",
		summary: "Arrange my side bar: all sections in their order",
		body: ref("SidebarAsked"),
		example: {
			sections: [
				{ kind: "favourites", collapsed: false },
				{ kind: "own", id: "0b6c7a52-0f0a-4c0e-9a53-4f0c7b1f9d11", name: "Projects", collapsed: false },
				{ kind: "channels", collapsed: false },
				{ kind: "direct", collapsed: true },
			],
		},
		answers: { 200: json("Sidebar") },
		codes: ["conflict"],
	}),
	op("GET", "/api/v1/me/settings", { ...me, id: "getSettings", summary: "What I show of myself", answers: { 200: json("Settings") } }),
	op("PATCH", "/api/v1/me/settings", {
		...me,
		id: "changeSettings",
		summary: "Change what I show of myself",
		body: wish({
			"invisible?": bool,
			"dnd_until?": orNull({ anyOf: [ref("TimeAsked"), ref("Forever")] }),
			"status?": orNull(ref("StatusAsked")),
			"read_receipts?": bool,
		}),
		example: { dnd_until: "forever" },
		answers: { 200: json("Settings") },
	}),
	op("PUT", "/api/v1/me/status", {
		...me,
		id: "setStatus",
		summary: "Say something about myself",
		body: ref("StatusAsked"),
		example: { emoji: "🌴", text: "on an island", until: null },
		answers: { 200: json("Settings") },
	}),
	op("DELETE", "/api/v1/me/status", { ...me, id: "clearStatus", summary: "Take that away; again is harmless", answers: { 204: nothing() } }),
	op("GET", "/api/v1/me/sessions", {
		...account,
		id: "listSessions",
		summary: "The browsers that I am signed in with, the last used first",
		answers: { 200: json(obj({ sessions: list(ref("Session")) })) },
	}),
	op("DELETE", "/api/v1/me/sessions", {
		...account,
		id: "endOtherSessions",
		summary: "End all sessions but this one",
		answers: { 204: nothing() },
	}),
	op("DELETE", "/api/v1/me/sessions/{session}", {
		...account,
		id: "endSession",
		summary: "End a session; again is harmless",
		answers: { 204: nothing() },
		codes: ["not_found"],
	}),
	op("PUT", "/api/v1/me/password", {
		...account,
		id: "changePassword",
		summary: "Change my password of this site; my other sessions end",
		body: wish({ old: text(1024, 1), password: text(1024, 1) }),
		example: { old: "correct horse battery", password: "staple correct horse" },
		answers: { 204: nothing() },
		codes: ["forbidden", "not_found", "unprocessable"],
	}),
	op("GET", "/api/v1/me/tokens", {
		...account,
		id: "listTokens",
		summary: "My live tokens",
		answers: { 200: json(obj({ tokens: list(ref("Token")) })) },
	}),
	op("POST", "/api/v1/me/tokens", {
		...account,
		id: "makeToken",
		summary: "Make a token for a program",
		body: ref("TokenAsked"),
		example: tokenExample,
		answers: { 201: json("NewToken", { description: "with the token, which is shown this once" }) },
		codes: ["unprocessable"],
	}),
	op("DELETE", "/api/v1/me/tokens/{token}", {
		...account,
		id: "endToken",
		summary: "End a token; again is harmless",
		answers: { 204: nothing() },
		codes: ["not_found"],
	}),
	op("GET", "/api/v1/me/reports", {
		tag: "Reports",
		id: "listMyReports",
		summary: "What I have reported",
		query: { before: beforeId, limit: limit(50) },
		answers: { 200: json(page("reports", "OwnReport"), { cursor: true }) },
	}),
	op("GET", "/api/v1/bots", {
		tag: "Bots",
		need: "admin",
		id: "listBots",
		summary: "The programs' accounts",
		query: { after: afterHandle, limit: limit(50) },
		answers: { 200: json(page("bots", "User", "NextHandle")) },
	}),
	op("POST", "/api/v1/bots", {
		tag: "Bots",
		need: "admin",
		id: "makeBot",
		summary: "Make an account for a program",
		body: wish({ handle: ref("Handle"), name: text(80, 1) }),
		example: { handle: "backup", name: "Backup" },
		answers: { 201: json("User") },
		codes: ["conflict"],
	}),
	op("GET", "/api/v1/bots/{bot}/tokens", {
		tag: "Bots",
		need: "admin",
		scope: "account",
		id: "listBotTokens",
		summary: "A bot's live tokens",
		answers: { 200: json(obj({ tokens: list(ref("Token")) })) },
		codes: ["not_found"],
	}),
	op("POST", "/api/v1/bots/{bot}/tokens", {
		tag: "Bots",
		need: "admin",
		scope: "account",
		id: "makeBotToken",
		summary: "Make a token for a bot",
		body: ref("TokenAsked"),
		example: tokenExample,
		answers: { 201: json("NewToken", { description: "with the token, which is shown this once" }) },
		codes: ["not_found", "unprocessable"],
	}),
	op("DELETE", "/api/v1/bots/{bot}/tokens/{token}", {
		tag: "Bots",
		need: "admin",
		scope: "account",
		id: "endBotToken",
		summary: "End a bot's token; again is harmless",
		answers: { 204: nothing() },
		codes: ["not_found"],
	}),
];
