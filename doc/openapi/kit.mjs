// kit: the words that schemas.mjs, lines.mjs and paths/ are written in. What follows from an operation's kind (credentials, scope, body)
// is added here: headers, the errors that every such operation has, parameters of its path.

import { CODES } from "./codes.mjs";

// --- schemas

export const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

/** An object; a name that ends with ? may be left out. */
export function obj(properties, more = {}) {
	const names = Object.keys(properties);
	const required = names.filter((n) => !n.endsWith("?"));
	return {
		type: "object",
		properties: Object.fromEntries(names.map((n) => [n.replace(/\?$/, ""), properties[n]])),
		...(required.length > 0 && { required }),
		...more,
	};
}

/** An object of a request: what is unknown there is refused. */
export const wish = (properties, more = {}) => obj(properties, { additionalProperties: false, ...more });

export const list = (items, more = {}) => ({ type: "array", items, ...more });
export const one = (...values) => ({ type: "string", enum: values });
export const only = (value) => ({ const: value });
export const bool = { type: "boolean" };

/** Characters (code points), as everywhere here. */
export const text = (max, min = 0, more = {}) => ({ type: "string", ...(min && { minLength: min }), ...(max && { maxLength: max }), ...more });
export const int = (minimum, maximum = 2 ** 53 - 1, more = {}) => ({ type: "integer", minimum, maximum, ...more });
export const count = int(0);

/** The same, or null. */
export function orNull(schema) {
	if (schema.$ref || schema.anyOf || schema.oneOf) return { anyOf: [schema, { type: "null" }] };
	return { ...schema, type: [schema.type, "null"], ...(schema.enum && { enum: [...schema.enum, null] }) };
}

// --- operations

/** name: {description, schema}; in a query. */
export const limit = (initial) => ({ description: "how many at most", schema: { ...int(1, 200), default: initial, "x-limit": "page" } });
export const afterId = { description: "goes on behind this id: `next` of the page before", schema: int(0) };
export const beforeId = { description: "goes on below this id: `next` of the page before", schema: int(1) };
export const afterHandle = { description: "goes on behind this handle: `next` of the page before", schema: ref("Handle") };

export const header = (name) => ({ $ref: `#/components/headers/${name}` });

/** An answer with JSON. more: cursor (PulseChat-Cursor), location, link, retry: true; description. */
export const json = (schema, { cursor, location, link, retry, description = "" } = {}) => ({
	description,
	schema: typeof schema === "string" ? ref(schema) : schema,
	headers: {
		...(cursor && { "PulseChat-Cursor": header("Cursor") }),
		...(location && { Location: header("Location") }),
		...(link && { Link: header("Link") }),
		...(retry && { "Retry-After": header("RetryAfter") }),
	},
});

export const nothing = (description = "done") => ({ description, headers: {} });

export const page = (name, items, next = "NextId") => obj({ [name]: list(typeof items === "string" ? ref(items) : items), next: ref(next) });

const PATH_IDS = {
	user: "User",
	channel: "Channel",
	seq: "Message (its place in the channel)",
	session: "Session",
	token: "Token",
	bot: "User, a bot",
	invite: "Invite",
	report: "Report",
	upload: "Upload",
	file: "File",
	group: "Group",
};
/** Parts of a path that are no ids: {=name} in fcgi/routes.c. */
const PATH_TEXTS = { emoji: "one emoji, percent-encoded: of Unicode, or `:name:` of a custom one", name: "a name" };

/** All responses of errors that any operation has had so far: components. */
export const problems = {};

/** The response of these codes, which are of one status. */
function problem(codes) {
	const sorted = [...codes].sort();
	const status = CODES[sorted[0]][0];
	const name = sorted.join("-");
	const headers = { "PulseChat-Request-Id": header("RequestId") };
	if (status === 401) headers["WWW-Authenticate"] = header("Authenticate");
	if (status === 426) headers.Upgrade = header("Upgrade");
	if (status === 429 || status === 503) headers["Retry-After"] = header("RetryAfter");
	else if (sorted.includes("muted") || sorted.includes("quota_exceeded")) headers["Retry-After"] = header("RetryAfterMaybe");
	Object.assign(headers, { RateLimit: header("RateLimit"), "RateLimit-Policy": header("RateLimitPolicy") });
	problems[name] = {
		description: sorted.map((c) => `\`${c}\`: ${CODES[c][1]}`).join("\n\n"),
		headers,
		content: {
			"application/problem+json": {
				schema: { ...ref("Problem"), properties: { status: only(status), code: { type: "string", enum: sorted } } },
			},
		},
	};
	return { $ref: `#/components/responses/${name}` };
}

/** The errors that follow from what an operation is. */
function commonCodes(method, { need, scope, takes, query }) {
	const codes = ["bad_request", "rate_limited", "internal"];
	if (query !== "any" || takes === "json") codes.push("bad_field");
	if (need !== "none") codes.push("unauthenticated", "origin_refused", "busy", "unavailable");
	if (scope) codes.push("insufficient_scope"); // read too: a provider's token may have none at all
	if (need === "admin") codes.push("forbidden");
	if (method !== "GET") codes.push("too_large");
	if (method !== "GET" && takes !== "raw") codes.push("unsupported_media_type");
	return codes;
}

function security(need, scope) {
	if (need === "none") return [];
	return scope === "account" ? [{ session: [] }] : [{ session: [] }, { bearer: scope ? [scope] : [] }];
}

function parameters(path, query) {
	const ids = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
		name,
		in: "path",
		required: true,
		description: PATH_TEXTS[name] ?? `of a ${PATH_IDS[name]}`,
		schema: PATH_TEXTS[name] ? text(undefined, 1) : ref("Id"),
	}));
	const asked = Object.entries(query).map(([name, { description, schema, required }]) => ({
		name: name.replace(/!$/, ""),
		in: "query",
		...((required || name.endsWith("!")) && { required: true }),
		description,
		...(schema.type === "array" && { style: "form", explode: false }),
		schema,
	}));
	return [...ids, ...asked];
}

/**
 * One operation. path: as in fcgi/routes.c. what:
 *   id, tag, summary, description
 *   need     none, user (the rule), admin: as in fcgi/route.h
 *   scope    read, write, files, admin, account (browser sessions alone), "" (none); the rule: read for GET, else write
 *   query    {name: {description, schema}}, with NAME! where it must be there; "any": what it does not know is passed over
 *   also     {name: {…}}: with query "any", those that mean something
 *   body     schema of a JSON body, or {type: schema, …} with takes: "raw" (any type) or "lines"
 *   answers  {status: json(…), nothing() or {description, headers, content}}
 *   codes    errors beside those that follow from the rest; less: of these, what cannot be here
 *   example  of the body
 */
export function op(method, path, what) {
	const { id, tag, summary, description, need = "user", query = {}, also = {}, body, answers, codes = [], less = [], example } = what;
	const scope = what.scope ?? (need === "none" ? "" : need === "admin" ? "admin" : method === "GET" ? "read" : "write");
	const takes = what.takes ?? (body ? "json" : "none");
	const known = { need, scope, takes, query };
	const all = [...new Set([...commonCodes(method, known), ...codes])].filter((c) => !less.includes(c));
	const responses = {};
	const cached = method === "GET" && what.etag !== false && Object.values(answers).some((a) => a.schema);
	for (const [status, a] of Object.entries(answers)) responses[status] = answer(a, cached && status === "200");
	if (cached) responses[304] = answer({ description: "what `If-None-Match` names is as it was", headers: answers[200].headers }, true);
	const statuses = [...new Set(all.map((c) => CODES[c][0]))].sort();
	for (const status of statuses) {
		const said = problem(all.filter((c) => CODES[c][0] === status));
		responses[status] = responses[status] ? merged(responses[status], problems[said.$ref.split("/").at(-1)]) : said;
	}
	const params = parameters(path, query === "any" ? also : query);
	if (cached) params.push({ $ref: "#/components/parameters/IfNoneMatch" });
	const content = takes === "json" ? { "application/json": { schema: body, ...(example && { example }) } } : body;
	return {
		path,
		method: method.toLowerCase(),
		operation: {
			operationId: id,
			tags: [tag],
			summary,
			...(description && { description }),
			security: security(need, scope),
			...(need === "admin" && { "x-roles": ["owner", "admin"] }),
			...(query === "any" && { "x-query": "any" }),
			...(params.length > 0 && { parameters: params }),
			...(content && { requestBody: { required: what.bodyRequired ?? true, content } }),
			responses,
		},
	};
}

/** An answer and an error of the same status: told apart by their types. */
function merged(response, error) {
	return {
		description: `${response.description}\n\n${error.description}`,
		headers: { ...error.headers, ...response.headers },
		content: { ...response.content, ...error.content },
	};
}

function answer(a, cached) {
	const headers = { "PulseChat-Request-Id": header("RequestId"), ...a.headers };
	if (cached) headers.ETag = header("ETag");
	Object.assign(headers, { RateLimit: header("RateLimit"), "RateLimit-Policy": header("RateLimitPolicy") });
	return {
		description: a.description || "done",
		headers,
		...(a.schema && { content: { "application/json": { schema: a.schema } } }),
		...(a.content && { content: a.content }),
	};
}
