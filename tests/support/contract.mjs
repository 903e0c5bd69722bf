// contract: holds what the tests see against doc/openapi.json. http.mjs and fastcgi.mjs give it each exchange, realtime.mjs each line:
// nobody has to think of it. What is not as it stands there is thrown at once, and fails the file in any case.
//
// Stricter than a client may be: an answer's unknown members, headers and types are errors, so that the document is complete; a request
// that the server takes must be one that the document allows. PC_CONTRACT=off does without.
// With PC_SEEN=FOLDER each process leaves there what it has seen; tests/contract/ adds that up.

import Ajv2020 from "ajv/dist/2020.js";
import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Operations that are described before they are served: "METHOD PATH". The one place; who brings one takes it out. */
export const PENDING = [];
/** The same of errors of operations that are served: "operationId code". */
export const PENDING_CODES = [];

export const document = JSON.parse(readFileSync(fileURLToPath(new URL("../../doc/openapi.json", import.meta.url)), "utf8"));

/** {id, method, path, operation, parts: segments of the path} of each. */
export const operations = Object.entries(document.paths).flatMap(([path, item]) =>
	Object.entries(item).map(([method, operation]) => ({
		id: operation.operationId,
		method: method.toUpperCase(),
		path,
		operation,
		parts: path.split("/").slice(1),
	})),
);

/** What `$ref` of a response, header or parameter stands for. */
export function resolve(thing) {
	if (!thing?.$ref) return thing;
	return thing.$ref
		.split("/")
		.slice(1)
		.reduce((at, key) => at[key], document);
}

/** The codes that a status of an operation may have. */
export function codesOf(operation, status) {
	const schema = resolve(operation.responses[status])?.content?.["application/problem+json"]?.schema;
	return schema?.properties.code.enum ?? [];
}

const off = process.env.PC_CONTRACT === "off";
const seen = new Set();
const violations = [];

// --- schemas

/** A copy in which objects have no members but those that are named. */
function closed(value) {
	if (Array.isArray(value)) return value.map(closed);
	if (typeof value !== "object" || value === null) return value;
	const copy = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === "example" ? v : closed(v)]));
	const isObject = copy.type === "object" || copy.type?.includes?.("object");
	if (isObject && copy.properties && copy.additionalProperties === undefined) copy.additionalProperties = false;
	return copy;
}

let ajv;
const compiled = new Map();

/** The validator of what stands at this place of the document; made when it is first needed. */
function validator(pointer) {
	let v = compiled.get(pointer);
	if (v) return v;
	if (!ajv) {
		ajv = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false, meta: false });
		ajv.addSchema(closed(document), "doc");
	}
	v = ajv.compile({ $ref: `doc#${pointer}` });
	compiled.set(pointer, v);
	return v;
}

/** Where something stands in the document, as a JSON pointer. */
export const pointerOf = (...keys) => keys.map((k) => `/${encodeURIComponent(String(k).replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("");

/** Where something stands, $ref followed. */
function place(pointer, thing) {
	return thing?.$ref ? thing.$ref.slice(1) : pointer;
}

/** What is wrong with a value by the schema that stands there; null: nothing. */
export function wrong(pointer, value) {
	const v = validator(pointer);
	if (v(value)) return null;
	const e = v.errors.at(-1);
	const more = e.params.additionalProperty ?? e.params.missingProperty ?? JSON.stringify(e.params.allowedValues ?? e.params.allowedValue ?? "");
	return `${e.instancePath || "it"} ${e.message} ${more} (${pointer})`;
}

function fail(where, why, shown) {
	const error = new Error(`not as doc/openapi.json says: ${where}: ${why}\n${String(shown ?? "").slice(0, 1500)}`);
	violations.push(error.message);
	throw error;
}

// --- exchanges

const isId = (text) => /^[1-9]\d{0,15}$/.test(text) && Number(text) < 2 ** 53;

function decoded(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** A part of a path: an id, as a rule. */
function fits({ operation }, name, text) {
	const type = resolve(operation.parameters.find((p) => p.in === "path" && p.name === name).schema).type;
	return type === "string" || isId(text); // an empty text is for the operation to judge
}

/** All operations of a path. */
function find(path) {
	const parts = path.split("/").slice(1).map(decoded);
	return operations.filter(
		(o) => o.parts.length === parts.length && o.parts.every((p, i) => (p.startsWith("{") ? fits(o, p.slice(1, -1), parts[i]) : p === parts[i])),
	);
}

/** A query's or header's text as its schema means it. */
function valueOf(schema, text) {
	const type = resolve(schema)?.type;
	if (type === "integer") return /^\d+$/.test(text) ? Number(text) : text;
	if (type === "array") return text === "" ? [] : text.split(",").map((t) => (/^\d+$/.test(t) ? Number(t) : t));
	if (schema.anyOf && isId(text)) return Number(text);
	return text;
}

// upgrade is not among them: Apache offers h2 with each answer
const TOLD = /^(pulsechat-|ratelimit|(etag|link|location|retry-after|www-authenticate|set-cookie)$)/;

function checkHeaders(where, pointer, response, headers) {
	const known = new Map(Object.entries(response.headers ?? {}).map(([name, h]) => [name.toLowerCase(), [name, h]]));
	for (const name of Object.keys(headers))
		if (TOLD.test(name) && !known.has(name)) fail(where, `the header ${name} is not there`, headers[name]);
	for (const [lower, [name, said]] of known) {
		const value = headers[lower];
		const h = resolve(said);
		if (value === undefined) {
			if (h.required) fail(where, `the header ${name} is missing`, JSON.stringify(headers));
			continue;
		}
		const at = place(`${pointer}${pointerOf("headers", name)}`, said);
		const why = wrong(`${at}/schema`, valueOf(h.schema, Array.isArray(value) ? value.join(", ") : value));
		if (why) fail(where, `the header ${name}: ${why}`, value);
	}
}

const parsed = (text) => {
	try {
		return { value: JSON.parse(text) };
	} catch {
		return {};
	}
};
const linesOf = (text) => text.split("\n").filter((l) => l.trim());

function checkBody(where, pointer, response, answer) {
	const type = answer.headers["content-type"];
	if (!response.content) {
		if (answer.text) fail(where, "a body where none is told of", answer.text);
		return;
	}
	if (type === undefined) fail(where, "no Content-Type", answer.text);
	if (!response.content[type]) fail(where, `the type ${type} is not there`, answer.text);
	const at = `${pointer}${pointerOf("content", type)}/schema`;
	if (type === "application/x-ndjson") for (const line of linesOf(answer.text)) checkLine(parsed(line).value, where);
	else if (type.endsWith("json")) {
		const { value } = parsed(answer.text);
		if (value === undefined) fail(where, "the body is no JSON", answer.text);
		const why = wrong(at, value);
		if (why) fail(where, why, answer.text);
	}
}

/** What the server took must be what the document allows. */
function checkRequest(where, o, query, { headers, body }, answer) {
	const { operation } = o;
	const known = new Map(
		(operation.parameters ?? [])
			.map(resolve)
			.map((p, i) => [p.name, { ...p, at: pointerOf("paths", o.path, o.method.toLowerCase(), "parameters", i, "schema") }]),
	);
	const given = new URLSearchParams(query);
	for (const [name, text] of given) {
		const p = known.get(name);
		if (p?.in !== "query") {
			if (!operation["x-query"]) fail(where, `the parameter ${name} is taken, but not there`, query);
			continue;
		}
		const why = operation["x-query"] ? null : wrong(p.at, valueOf(resolve(p.schema), text));
		if (why) fail(where, `the parameter ${name} is taken: ${why}`, query);
	}
	for (const p of known.values())
		if (p.required && p.in === "query" && !given.has(p.name)) fail(where, `done without the parameter ${p.name}`, query);
	const text = body === undefined ? "" : String(body);
	if (!operation.requestBody) {
		if (o.method !== "GET" && !operation["x-query"] && text && JSON.stringify(parsed(text).value) !== "{}")
			fail(where, "a body is taken where none is told of", text);
		return;
	}
	const [type] = Object.keys(operation.requestBody.content);
	const at = pointerOf("paths", o.path, o.method.toLowerCase(), "requestBody", "content", type, "schema");
	if (type === "application/x-ndjson") {
		const said = linesOf(answer.text);
		linesOf(text).forEach((line, i) => {
			const why = parsed(said[i]).value?.type === "error" ? null : wrong("/components/schemas/Op", parsed(line).value);
			if (why) fail(where, `the line ${i + 1} is taken: ${why}`, line);
		});
	} else if (type === "application/json" || type === "*/*") {
		const why = wrong(at, parsed(text).value);
		if (why) fail(where, `taken: ${why}`, text);
		if (type === "application/json" && !/^application\/json\b/i.test(headers["content-type"] ?? ""))
			fail(where, `taken as ${headers["content-type"]}`, text);
	}
}

/**
 * One request and its answer. request: {method, target (path and query as sent), headers (lower case), body}; answer: {status, headers, text}.
 * What is not of our programs (a page of the client, a web server's error, the provider) is passed over: it bears no request id.
 */
export function checkExchange(request, answer) {
	if (off) return;
	const { method } = request;
	const target = request.target.replace(/^https?:\/\/[^/?]*/i, ""); // the absolute form, as to a proxy
	const at = target.indexOf("?");
	const path = at < 0 ? target : target.slice(0, at);
	const where = `${method} ${target.slice(0, 300)} answered ${answer.status}`;
	if (answer.headers["pulsechat-request-id"] === undefined) {
		if (path.startsWith("/api/v1/") && answer.status < 400) fail(where, "no request id", answer.text);
		return;
	}
	const there = find(path);
	const o = there.find((p) => p.method === (method === "HEAD" ? "GET" : method));
	if (!o) return checkNoOperation(where, there, method, answer);
	if (method === "HEAD" && answer.status === 405) return; // pulsechat-realtime has none of it
	const said = o.operation.responses[answer.status];
	if (!said) fail(where, "no such status is told of", answer.text);
	if (answer.status < 400 && passedOver(`${o.id} ${answer.status}`)) return;
	const response = resolve(said);
	const pointer = place(pointerOf("paths", o.path, o.method.toLowerCase(), "responses", answer.status), said);
	checkHeaders(where, pointer, response, answer.headers);
	if (method !== "HEAD" && answer.status !== 304) checkBody(where, pointer, response, answer);
	if (answer.status < 300) checkRequest(where, o, at < 0 ? "" : target.slice(at + 1), request, answer);
	const code = answer.headers["content-type"] === "application/problem+json" ? parsed(answer.text).value?.code : undefined;
	if (method !== "HEAD" || answer.status === 204) note(`${o.id} ${code ?? answer.status}`);
}

/** An unknown path, or a method that it has not. */
function checkNoOperation(where, there, method, answer) {
	const code = parsed(answer.text).value?.code;
	if (method === "OPTIONS" && there.length > 0 && answer.status === 204 && answer.headers.allow) return;
	if (["bad_request", "rate_limited", "unavailable"].includes(code)) return;
	const wanted = there.some((o) => !PENDING.includes(`${o.method} ${o.path}`)) ? "method_not_allowed" : "not_found";
	if (method !== "HEAD" && code !== wanted) fail(where, "no such operation is told of", answer.text);
}

// --- lines

/** A line from the server, parsed. */
export function checkLine(line, where = "a line") {
	if (off) return;
	const pointer = document["x-realtime"].server[line?.type]?.slice(1);
	if (!pointer) fail(where, "no such type of line is told of", JSON.stringify(line));
	if (passedOver(line.type)) return;
	const why = wrong(pointer, line);
	if (why) fail(where, why, JSON.stringify(line));
	note(`line ${line.type}`);
}

// --- crowds: ten thousand answers of one kind are of one making

const CROWD = 200, OF_CROWD = 20;
const met = new Map();

/** Of each kind the first 200 are looked at in a process, then each twentieth. */
function passedOver(kind) {
	const n = (met.get(kind) ?? 0) + 1;
	met.set(kind, n);
	return n > CROWD && n % OF_CROWD !== 0;
}

// --- later: a check takes a millisecond or so, and what a test measures shall not wait for a crowd of them

const TURN_MS = 20;
const waiting = [];
let timer = null;

function turn(until = performance.now() + TURN_MS) {
	timer = null;
	while (waiting.length > 0 && performance.now() < until)
		try {
			waiting.shift()();
		} catch (e) {
			if (!violations.includes(e.message)) violations.push(e.stack);
		}
	if (waiting.length > 0) timer = setTimeout(turn, TURN_MS).unref();
}

/** Does the check in a while, at the process's end at the latest. What it finds fails the process. */
export function later(check) {
	if (off) return;
	waiting.push(check);
	timer ??= setTimeout(turn, 10 * TURN_MS).unref();
}

// --- what was seen: written when it is seen, so that nothing is lost with a process, whatever its end

const folder = off ? undefined : process.env.PC_SEEN;
/** As it is named in the folder: two suites may have files of one name. */
export const program = (path) => path.split("/").slice(-2).join(",");
const file = folder && join(folder, `${program(process.argv[1] ?? "none")}-${randomUUID()}.txt`);
if (file) mkdirSync(folder, { recursive: true });
/** What is no sight, but tells coverage.test.mjs which test files have begun and ended. */
const BEGUN = "# begun", ENDED = "# ended";
if (file) appendFileSync(file, `${BEGUN}\n`);

function note(what) {
	if (seen.has(what)) return;
	seen.add(what);
	if (file) appendFileSync(file, `${what}\n`);
}

/** What processes left there: {seen: Set, begun: Set of programs, unended: test files whose process did not come to its own end}. */
export function leftIn(folder) {
	const all = { seen: new Set(), begun: new Set(), unended: [] };
	for (const name of existsSync(folder) ? readdirSync(folder) : []) {
		if (file?.endsWith(`/${name}`)) continue;
		const lines = readFileSync(join(folder, name), "utf8").split("\n");
		const of = name.slice(0, -"-.txt".length - randomUUID().length);
		all.begun.add(of);
		if (of.endsWith(".test.mjs") && !lines.includes(ENDED)) all.unended.push(of);
		for (const line of lines) if (line && !line.startsWith("#")) all.seen.add(line);
	}
	return all;
}

process.on("exit", () => {
	turn(Infinity);
	if (violations.length > 0) {
		process.exitCode ||= 1;
		console.error(`not as doc/openapi.json says:\n${[...new Set(violations)].slice(0, 10).join("\n")}`);
	}
	if (file) appendFileSync(file, `${ENDED}\n`);
});
