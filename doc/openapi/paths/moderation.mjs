// moderation: mutes, bans, reports; invitations.

import { afterId, beforeId, bool, count, int, json, limit, list, nothing, obj, one, op, orNull, page, ref, text, wish } from "../kit.mjs";

const moderation = { tag: "Moderation" };
const reports = { tag: "Reports" };
const invites = { tag: "Invitations", need: "admin" };
const seen = ["not_found", "not_a_member"];
const acts = [...seen, "forbidden", "unprocessable"];
const until = { until: "2026-12-01T00:00:00Z", reason: "cool down" };
const state = { description: "which", schema: { ...one("open", "all"), default: "open" } };

export const operations = [
	op("PUT", "/api/v1/channels/{channel}/members/{user}/mute", {
		...moderation,
		id: "muteMember",
		summary: "Mute somebody there (moderators)",
		body: ref("SanctionAsked"),
		example: until,
		answers: { 204: nothing() },
		codes: acts,
	}),
	op("DELETE", "/api/v1/channels/{channel}/members/{user}/mute", {
		...moderation,
		id: "unmuteMember",
		summary: "Lift that; again is harmless",
		answers: { 204: nothing() },
		codes: [...acts, "bad_field"],
	}),
	op("PUT", "/api/v1/channels/{channel}/bans/{user}", {
		...moderation,
		id: "banMember",
		summary: "Ban somebody from there (moderators): removes him where he is in",
		body: ref("SanctionAsked"),
		example: until,
		answers: { 204: nothing() },
		codes: acts,
	}),
	op("DELETE", "/api/v1/channels/{channel}/bans/{user}", {
		...moderation,
		id: "unbanMember",
		summary: "Lift that; again is harmless",
		answers: { 204: nothing() },
		codes: [...acts, "bad_field"],
	}),
	op("GET", "/api/v1/channels/{channel}/restrictions", {
		...moderation,
		id: "listRestrictions",
		summary: "The mutes and bans that hold there (moderators)",
		query: { after: afterId, limit: limit(100) },
		answers: { 200: json(page("restrictions", "Restriction"), { cursor: true }) },
		codes: acts,
	}),
	op("POST", "/api/v1/channels/{channel}/messages/{seq}/reports", {
		...reports,
		id: "makeReport",
		summary: "Report a message",
		body: wish({ reason: ref("ReportReason"), "text?": text(1000) }),
		example: { reason: "spam" },
		answers: { 201: json("OwnReport"), 200: json("OwnReport", { description: "it is open already" }) },
		codes: [...seen, "unprocessable"],
	}),
	op("GET", "/api/v1/channels/{channel}/reports", {
		...reports,
		id: "listChannelReports",
		summary: "The reports of a channel that are mine to handle, newest first",
		query: { state, before: beforeId, limit: limit(50) },
		answers: { 200: json(page("reports", "Report"), { cursor: true }) },
	}),
	op("GET", "/api/v1/reports", {
		...reports,
		id: "listReports",
		summary: "The reports that are mine to handle, newest first",
		query: { state, before: beforeId, limit: limit(50) },
		answers: { 200: json(page("reports", "Report"), { cursor: true }) },
	}),
	op("GET", "/api/v1/reports/open", {
		...reports,
		id: "countReports",
		summary: "How many reports of mine to handle are open",
		answers: { 200: json(obj({ open: count, channels: list(obj({ channel: ref("Id"), open: count })) })) },
	}),
	op("GET", "/api/v1/reports/{report}", {
		...reports,
		id: "getReport",
		summary: "A report",
		answers: { 200: json("Report") },
		codes: ["not_found"],
	}),
	op("POST", "/api/v1/reports/{report}/resolve", {
		...reports,
		id: "resolveReport",
		summary: "Do something about it, and about all open reports of that message",
		body: wish({
			action: ref("ReportAction"),
			"until?": { ...orNull(ref("TimeAsked")), description: "of a mute or ban" },
			"site?": { ...bool, description: "the mute is for the whole site" },
			"note?": text(500),
		}),
		example: { action: "delete", note: "advertising" },
		answers: { 200: json("Report") },
		codes: ["not_found", "forbidden", "conflict", "unprocessable"],
	}),
	op("GET", "/api/v1/invites", {
		...invites,
		id: "listInvites",
		summary: "The invitations, newest first",
		query: { before: beforeId, limit: limit(50) },
		answers: { 200: json(page("invites", "Invite")) },
	}),
	op("POST", "/api/v1/invites", {
		...invites,
		id: "makeInvite",
		summary: "Make an invitation",
		body: wish({
			"note?": text(200),
			"role?": one("member", "guest"),
			"max_uses?": { ...int(1, 100000), description: "without it any number" },
			"expires_in?": { ...int(1, 400 * 86400), description: "seconds; without it for ever" },
		}),
		example: { note: "for the choir", max_uses: 10 },
		answers: { 201: json("NewInvite", { description: "with its code and address, which are shown this once" }) },
	}),
	op("DELETE", "/api/v1/invites/{invite}", {
		...invites,
		id: "revokeInvite",
		summary: "Withdraw it; again is harmless",
		answers: { 204: nothing() },
		codes: ["not_found"],
	}),
	op("POST", "/api/v1/invites/look", {
		tag: "Invitations",
		need: "none",
		id: "lookAtInvite",
		summary: "Whether an invitation is any good",
		body: wish({ code: text(100, 1) }),
		example: { code: "q1w2e3r4t5y6u7i8o9p0aA" },
		answers: { 200: json(obj({ state: one("open", "used_up", "expired", "revoked", "unknown") })) },
		codes: ["busy", "unavailable"],
	}),
];
