// channels: channels and their members, as members see them.

import { afterId, bool, json, limit, list, nothing, one, op, page, ref, text, wish } from "../kit.mjs";

const channels = { tag: "Channels" };
const members = { tag: "Members" };
const seen = ["not_found", "not_a_member"];

export const operations = [
	op("GET", "/api/v1/channels", {
		...channels,
		id: "listChannels",
		summary: "Channels: mine, or public ones that I may join",
		description: "Mine by id; public ones by name.",
		query: {
			scope: { description: "which", schema: { ...one("mine", "public"), default: "mine" } },
			q: { description: "with `scope=public`: what name or topic holds, without regard to case", schema: text(250) },
			after: afterId,
			limit: limit(100),
		},
		answers: { 200: json(page("channels", "Channel"), { cursor: true }) },
		codes: ["forbidden"],
	}),
	op("POST", "/api/v1/channels", {
		...channels,
		id: "makeChannel",
		summary: "Make a channel, or find the direct channel of these people",
		body: {
			oneOf: [
				wish({
					name: text(80, 1, { "x-limit": "channel_name_chars" }),
					kind: one("public", "private"),
					"topic?": text(250, 0, { "x-limit": "channel_topic_chars" }),
					"members?": list(ref("Id"), { maxItems: 1000, "x-limit": "channel_invited" }),
				}),
				wish({
					kind: { const: "direct" },
					members: list(ref("Id"), { minItems: 1, maxItems: 8, description: "the other one, or the others" }),
				}),
			],
		},
		example: { name: "general", kind: "public", topic: "All and everything" },
		answers: { 201: json("Channel", { location: true }), 200: json("Channel", { description: "a direct channel that there was" }) },
		codes: ["forbidden", "conflict", "unprocessable"],
	}),
	op("GET", "/api/v1/channels/{channel}", {
		...channels,
		id: "getChannel",
		summary: "A channel",
		answers: { 200: json("Channel") },
		codes: ["not_found"],
	}),
	op("PATCH", "/api/v1/channels/{channel}", {
		...channels,
		id: "changeChannel",
		summary: "Rename it, set its topic (moderators), archive it (owners)",
		body: wish({
			"name?": text(80, 1, { "x-limit": "channel_name_chars" }),
			"topic?": text(250, 0, { "x-limit": "channel_topic_chars" }),
			"archived?": bool,
		}),
		example: { topic: "All and everything" },
		answers: { 200: json("Channel") },
		codes: [...seen, "forbidden", "conflict", "unprocessable"],
	}),
	op("POST", "/api/v1/channels/{channel}/join", {
		...channels,
		id: "joinChannel",
		summary: "Join a public channel; again is harmless",
		answers: { 200: json("Channel") },
		codes: ["not_found", "forbidden", "banned", "unprocessable"],
	}),
	op("POST", "/api/v1/channels/{channel}/leave", {
		...channels,
		id: "leaveChannel",
		summary: "Leave it; again is harmless",
		answers: { 204: nothing() },
		codes: ["not_found", "unprocessable"],
	}),
	op("PUT", "/api/v1/channels/{channel}/owner", {
		...channels,
		id: "handOver",
		summary: "Hand it over: who owned it is a moderator then",
		body: wish({ user: ref("Id") }),
		example: { user: 7 },
		answers: { 200: json("Member") },
		codes: [...seen, "forbidden", "unprocessable"],
	}),
	op("PATCH", "/api/v1/channels/{channel}/membership", {
		...channels,
		id: "changeMembership",
		summary: "Whether the others there may see how far I have read",
		body: wish({ read_receipts: bool }),
		example: { read_receipts: false },
		answers: { 200: json("Channel") },
		codes: seen,
	}),
	op("PATCH", "/api/v1/channels/{channel}/prefs", {
		...channels,
		id: "changePrefs",
		summary: "What I want of it: notifications, quiet, favourite, section",
		body: ref("PrefsAsked"),
		example: { notify: "mentions", quiet_until: "forever" },
		answers: { 200: json("Prefs") },
		codes: [...seen, "unprocessable"],
	}),
	op("GET", "/api/v1/channels/{channel}/members", {
		...members,
		id: "listMembers",
		summary: "Its members",
		query: { after: afterId, limit: limit(100) },
		answers: { 200: json(page("members", "Member"), { cursor: true }) },
		codes: seen,
	}),
	op("POST", "/api/v1/channels/{channel}/members", {
		...members,
		id: "addMember",
		summary: "Add somebody",
		body: wish({ user: ref("Id") }),
		example: { user: 7 },
		answers: { 201: json("Member"), 200: json("Member", { description: "was in already" }) },
		codes: [...seen, "forbidden", "banned", "unprocessable"],
	}),
	op("PATCH", "/api/v1/channels/{channel}/members/{user}", {
		...members,
		id: "changeMember",
		summary: "Change a member's role there (owners)",
		body: wish({ role: one("owner", "moderator", "member") }),
		example: { role: "moderator" },
		answers: { 200: json("Member") },
		codes: [...seen, "forbidden", "unprocessable"],
	}),
	op("DELETE", "/api/v1/channels/{channel}/members/{user}", {
		...members,
		id: "removeMember",
		summary: "Remove a member (moderators)",
		query: { reason: { description: "which he is told", schema: text(500) } },
		answers: { 204: nothing() },
		codes: [...seen, "forbidden", "unprocessable"],
	}),
];
