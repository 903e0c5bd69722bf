// people: who there is, and who is here.

import { afterHandle, bool, json, limit, list, nothing, obj, op, page, ref, text, wish } from "../kit.mjs";

const ids = (n, more = {}) => ({ description: "ids with commas between", schema: list(ref("Id"), { maxItems: n, ...more }) });

export const operations = [
	op("GET", "/api/v1/users", {
		tag: "People",
		id: "listUsers",
		summary: "People, by handle: those of these ids, or whose handle or name begins so",
		description: "`ids` goes with no other parameter. A guest sees those whom he knows.",
		query: {
			ids: ids(100, { "x-limit": "user_ids" }),
			q: { description: "what a handle or a word of a name begins with", schema: text(80) },
			limit: limit(50),
			after: afterHandle,
		},
		answers: { 200: json(page("users", "User", "NextHandle"), { cursor: true }) },
	}),
	op("GET", "/api/v1/users/{user}", {
		tag: "People",
		id: "getUser",
		summary: "A person",
		answers: { 200: json("User") },
		codes: ["not_found"],
	}),
	op("GET", "/api/v1/groups", {
		tag: "People",
		id: "listGroups",
		summary: "Groups of people, by handle; not for guests",
		query: { after: afterHandle, limit: limit(100) },
		answers: {
			200: json(
				obj({ groups: list(ref("Group")), next: ref("NextHandle"), manage: { ...bool, description: "you may change them" } }),
				{ cursor: true },
			),
		},
		codes: ["forbidden"],
	}),
	op("POST", "/api/v1/groups", {
		tag: "People",
		id: "makeGroup",
		summary: "Make a group: admins, or all members where the site lets them",
		body: wish({ handle: ref("Handle"), name: text(80, 1), "members?": list(ref("Id"), { maxItems: 500, "x-limit": "group_members" }) }),
		example: { handle: "choir", name: "The choir", members: [3, 7] },
		answers: { 201: json("GroupFull") },
		codes: ["forbidden", "conflict"],
	}),
	op("GET", "/api/v1/groups/{group}", {
		tag: "People",
		id: "getGroup",
		summary: "A group with its members; not for guests",
		answers: { 200: json("GroupFull") },
		codes: ["forbidden", "not_found"],
	}),
	op("PATCH", "/api/v1/groups/{group}", {
		tag: "People",
		id: "changeGroup",
		summary: "Rename it, take people in and out; who is in, or out, already is left alone",
		body: wish({
			"handle?": ref("Handle"),
			"name?": text(80, 1),
			"add?": list(ref("Id"), { maxItems: 500, "x-limit": "group_members" }),
			"remove?": list(ref("Id"), { maxItems: 500, "x-limit": "group_members" }),
		}),
		example: { add: [9], remove: [3] },
		answers: { 200: json("GroupFull") },
		codes: ["forbidden", "not_found", "conflict", "unprocessable"],
	}),
	op("DELETE", "/api/v1/groups/{group}", {
		tag: "People",
		id: "deleteGroup",
		summary: "Delete it; what it has reached stays",
		answers: { 204: nothing() },
		codes: ["forbidden", "not_found"],
	}),
	op("GET", "/api/v1/presence", {
		tag: "People",
		id: "listPresence",
		summary: "Who of these is here: those with whom I share a channel, and myself",
		query: { "ids!": ids(200) },
		answers: { 200: json(obj({ presence: list(ref("Presence")) }), { cursor: true }) },
	}),
	op("POST", "/api/v1/presence/leave", {
		tag: "People",
		scope: "read",
		id: "leavePresence",
		summary: "This page has gone: its grace begins now (for `sendBeacon`)",
		takes: "raw",
		body: { "*/*": { schema: wish({ instance: ref("Uuid") }) } },
		answers: { 204: nothing() },
		codes: ["bad_field"],
	}),
];
