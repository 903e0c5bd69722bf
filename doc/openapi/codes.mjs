// codes: what each error code means (lib/base/err.def is the table of the server; tests/lint/openapi.mjs holds the two together).

/** code -> [status, when]. */
export const CODES = {
	bad_request: [400, "not what this route takes (query, JSON, encoding)"],
	bad_field: [400, "the named `field` is missing, of the wrong type, out of range, unknown or given twice"],
	bad_cursor: [400, "an empty or broken cursor"],
	unauthenticated: [401, "no session or token, or one that has ended"],
	forbidden: [403, "known, but not allowed"],
	not_a_member: [403, "the channel is visible to you, but you are not in it"],
	muted: [403, "you may read, but not write; `until` and `Retry-After` where it ends by itself"],
	banned: [403, "from this channel: you, or with `field` whom you add"],
	too_late: [403, "the time within which a message can be edited is over"],
	quota_exceeded: [403, "of files; `Retry-After` where it is the day's"],
	origin_refused: [403, "a request by cookie that may come from another site's page"],
	insufficient_scope: [403, "the token lacks the scope"],
	not_found: [404, "no such thing, or not visible to you"],
	method_not_allowed: [405, "with `Allow`"],
	not_acceptable: [406, "server-sent events asked of a host that has none: use long-poll"],
	client_id_reused: [409, "same `client_id`, other content"],
	conflict: [409, "contradicts what is there (a name that is taken)"],
	too_large: [413, "the body is over the limit"],
	unsupported_media_type: [415, "not the Content-Type that this route takes"],
	unprocessable: [422, "well formed, but contradicts the state"],
	upload_missing: [422, "the store has no such object, or not all of its parts"],
	upload_differs: [422, "what was uploaded is not what was declared; `field` is `size`, `sha256` or `type`"],
	not_attachable: [422, "the file is not ready, not yours, of another channel, or in a message already"],
	upgrade_required: [426, "`/api/v1/ws` without a WebSocket handshake"],
	busy: [429, "over a queue's bound, or too many changes at once: again after `Retry-After`"],
	rate_limited: [429, "over a limit (`GET /api/v1/limits`): again after `Retry-After`"],
	internal: [500, "our fault; the log has the request id"],
	store_unavailable: [503, "the object store does not answer: again after `Retry-After`"],
	unavailable: [503, "the database is away, or too many polls wait: again after `Retry-After`"],
};

/** Of each path, whatever the operation: not repeated with each of them. */
export const OF_PATHS = ["method_not_allowed"];
