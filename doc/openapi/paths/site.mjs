// site: what anyone may ask of the site.

import { bool, count, int, json, list, obj, one, op, orNull, text } from "../kit.mjs";

const rate = obj({ quota: int(1), window: { ...int(1), description: "seconds" } });
const state = {
	status: { ...one("ok", "degraded", "unavailable"), description: "degraded: it serves, but `bus` is deaf, so what is new comes up to a second late" },
	database: one("ok", "unavailable"),
	writer: one("ok", "connecting"),
	"log?": one("ok", "short of partitions"),
	"bus?": one("ok", "deaf"),
	"polls?": count,
	"connections?": count,
};
const site = { tag: "Site", need: "none", codes: [] };

export const operations = [
	op("GET", "/healthz", {
		...site,
		id: "health",
		summary: "Whether it works, for load balancers and monitors",
		description: "Each pulsechat-realtime answers it on its own socket too, with `connections` and without `log`.",
		etag: false,
		answers: {
			200: json(obj(state), { description: "it does" }),
			503: json(obj(state), { description: "it does not, and what", retry: true }),
		},
	}),
	op("GET", "/api/v1/limits", {
		...site,
		id: "getLimits",
		summary: "The limits of this site",
		description: "Where a schema here has `x-limit`, its bound is the rule, and this site's own is the member of that name.",
		answers: {
			200: json(
				obj({
					message_chars: count,
					edit_window: { ...count, description: "seconds; 0: messages are not edited" },
					reactions: { ...count, description: "different ones on a message" },
					emoji: { ...text(), description: "the version of Unicode whose emoji it knows" },
					custom_emoji: { ...count, description: "how many there may be; 0: the site keeps no files" },
					custom_emoji_bytes: { ...count, description: "of a picture" },
					custom_emoji_side: { ...count, description: "pixels, the most that either side of a picture has" },
					custom_emoji_by: { ...one("members", "admins"), description: "who adds some; members: all but guests" },
					picture_bytes: { ...orNull(count), description: "of one's own picture; null: the site keeps no files" },
					picture_side: { ...orNull(count), description: "pixels, the most that either side of one's own picture has" },
					request_bytes: count,
					mentions: count,
					group_members: count,
					frame_bytes: count,
					ops: count,
					page: count,
					user_ids: count,
					channel_members: count,
					channel_invited: count,
					channel_name_chars: count,
					channel_topic_chars: count,
					channel_pins: count,
					saved: { ...count, description: "messages that a person has saved" },
					message_files: orNull(count),
					file_bytes: orNull(count),
					multipart_above: orNull(count),
					part_size: orNull(count),
					rates: obj({ "session?": rate, "address?": rate, "login?": rate, "calls?": rate, "guess?": rate }),
				}),
			),
		},
	}),
	op("GET", "/api/v1/site", {
		...site,
		id: "getSite",
		summary: "The site's name and how to sign in",
		answers: {
			200: json(
				obj({
					name: text(),
					login: list(obj({ id: text(), label: text() }), { description: "buttons; empty: one without `provider`" }),
					provider: { ...bool, description: "there is one to sign in at" },
					local: { ...bool, description: "/auth/local takes passwords" },
					registration: one("open", "invite", "domains"),
					version: text(),
				}),
			),
		},
	}),
	op("GET", "/api/v1/openapi.json", {
		...site,
		id: "getOpenapi",
		summary: "This document",
		answers: { 200: json({ type: "object" }, { description: "OpenAPI 3.1" }) },
	}),
];

export const tag = { name: "Site", description: "What anyone may ask." };
