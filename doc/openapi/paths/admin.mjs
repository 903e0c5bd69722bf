// admin: for owners and admins of the site.

import { afterHandle, afterId, beforeId, json, limit, nothing, one, op, orNull, page, ref, text, wish } from "../kit.mjs";

const admin = { tag: "Administration", need: "admin" };
const role = one("owner", "admin", "member", "guest");
const id = (description) => ({ description, schema: ref("Id") });
const q = { description: "what a name begins with", schema: text(80) };
const acts = ["not_found", "unprocessable"];

export const operations = [
	op("GET", "/api/v1/admin/users", {
		...admin,
		id: "adminListUsers",
		summary: "People with their addresses, deactivated ones too",
		query: { q, role: { description: "of this role alone", schema: role }, after: afterHandle, limit: limit(50) },
		answers: { 200: json(page("users", "AdminUser", "NextHandle"), { cursor: true }) },
	}),
	op("PATCH", "/api/v1/admin/users/{user}", {
		...admin,
		id: "adminChangeUser",
		summary: "Change a person's role, or name",
		description: "One of them. A name of null is what the person's provider says.",
		body: wish({ "role?": role, "name?": orNull(text(80, 1)) }),
		example: { role: "admin" },
		answers: { 200: json("User") },
		codes: acts,
	}),
	op("DELETE", "/api/v1/users/{user}/picture", {
		...admin,
		id: "adminRemovePicture",
		summary: "Remove and erase the picture that a person has uploaded; again is harmless",
		answers: { 204: nothing() },
		codes: ["not_found"],
	}),
	op("PUT", "/api/v1/admin/users/{user}/mute", {
		...admin,
		id: "adminMuteUser",
		summary: "Mute a person everywhere",
		body: ref("SanctionAsked"),
		example: { reason: "spam" },
		answers: { 204: nothing() },
		codes: acts,
	}),
	op("DELETE", "/api/v1/admin/users/{user}/mute", {
		...admin,
		id: "adminUnmuteUser",
		summary: "Lift that; again is harmless",
		answers: { 204: nothing() },
		codes: acts,
	}),
	op("POST", "/api/v1/admin/users/{user}/deactivate", {
		...admin,
		id: "adminDeactivateUser",
		summary: "Close an account: sessions, tokens and streams end",
		body: wish({ "reason?": text(500) }),
		example: {},
		answers: { 204: nothing() },
		codes: acts,
	}),
	op("POST", "/api/v1/admin/users/{user}/reactivate", {
		...admin,
		id: "adminReactivateUser",
		summary: "Open it again",
		answers: { 204: nothing() },
		codes: acts,
	}),
	op("GET", "/api/v1/admin/channels", {
		...admin,
		id: "adminListChannels",
		summary: "All public and private channels",
		query: { q, after: afterId, limit: limit(50) },
		answers: { 200: json(page("channels", "AdminChannel"), { cursor: true }) },
	}),
	op("GET", "/api/v1/admin/audit", {
		...admin,
		id: "listAudit",
		summary: "The audit log, newest first",
		query: {
			actor: { description: "an id, or `command` for the command line", schema: { anyOf: [ref("Id"), { const: "command" }] } },
			action: { description: "`member.muted`, or `member` for all of them", schema: text(40, 1) },
			target: id("the person it was done to"),
			channel: id("the channel it was done in"),
			from: { description: "not before", schema: ref("TimeAsked") },
			to: { description: "before", schema: ref("TimeAsked") },
			before: beforeId,
			limit: limit(50),
		},
		answers: { 200: json(page("entries", "AuditEntry"), { cursor: true }) },
	}),
];
