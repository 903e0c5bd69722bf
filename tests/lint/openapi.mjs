// openapi: looks at doc/openapi.json, prints what is wrong with it. form: by a validator; examples: what OpenAPI itself does not ask for;
// tables: against what `pulsechat-api --routes` says, which is read from stdin.

import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { codesOf, document, operations, PENDING, PENDING_CODES, pointerOf, resolve, wrong } from "../support/contract.mjs";
import { CODES, OF_PATHS } from "../../doc/openapi/codes.mjs";

const say = (text) => console.log(text);
const nameOf = (o) => `${o.method} ${o.path}`;
const twice = (names) => names.filter((n, i) => names.indexOf(n) !== i);

/** Every $ref below a value, with where it stands. */
function* refs(value, at = "") {
	if (typeof value !== "object" || value === null) return;
	if (typeof value.$ref === "string") yield [at, value.$ref];
	for (const [k, v] of Object.entries(value)) yield* refs(v, `${at}/${k}`);
}

async function form() {
	const result = await new Validator().validate(structuredClone(document));
	if (!result.valid) say(JSON.stringify(result.errors, null, 1));
	if (!document.openapi.startsWith("3.1.")) say(`OpenAPI ${document.openapi}`);
	const used = new Set();
	for (const [at, ref] of refs(document)) {
		used.add(ref);
		try {
			if (resolve({ $ref: ref }) === undefined) say(`${at}: there is no ${ref}`);
		} catch {
			say(`${at}: there is no ${ref}`);
		}
	}
	for (const [kind, all] of Object.entries(document.components))
		if (kind !== "securitySchemes" && kind !== "schemas")
			for (const name of Object.keys(all)) if (!used.has(`#/components/${kind}/${name}`)) say(`${name} is used by nobody`);
	const lines = Object.values(document["x-realtime"].server).concat(Object.values(document["x-realtime"].client));
	const unions = ["#/components/schemas/Line", "#/components/schemas/Op"];
	for (const name of Object.keys(document.components.schemas)) {
		const ref = `#/components/schemas/${name}`;
		if (!used.has(ref) && !lines.includes(ref) && !unions.includes(ref)) say(`the schema ${name} is used by nobody`);
	}
}

function examples() {
	for (const id of twice(operations.map((o) => o.id))) say(`${id} stands there twice`);
	const tags = document.tags.map((t) => t.name);
	for (const o of operations) {
		const { operation: p } = o;
		if (!p.summary) say(`${nameOf(o)}: no summary`);
		if (!tags.includes(p.tags[0])) say(`${nameOf(o)}: the tag ${p.tags[0]} is not told of`);
		for (const [type, { example }] of Object.entries(p.requestBody?.content ?? {})) {
			if (example === undefined && type === "application/json" && !PENDING.includes(nameOf(o)))
				say(`${nameOf(o)}: no example of its body`);
			const values =
				typeof example === "string"
					? example
							.trim()
							.split("\n")
							.map((l) => JSON.parse(l))
					: example === undefined
						? []
						: [example];
			for (const value of values) {
				const why = wrong(
					pointerOf("paths", o.path, o.method.toLowerCase(), "requestBody", "content", type, "schema"),
					value,
				);
				if (why) say(`${nameOf(o)}: its example: ${why}`);
			}
		}
	}
}

/** What the document says of an operation, as the table of routes would. */
function told({ operation: p }) {
	const [bearer] = p.security.filter((s) => s.bearer);
	const types = Object.keys(p.requestBody?.content ?? {});
	const query = (p.parameters ?? []).filter((q) => q.in === "query").map((q) => q.name);
	return {
		need: p.security.length === 0 ? "none" : p["x-roles"] ? "admin" : "user",
		scope: p.security.length === 0 ? "" : bearer ? (bearer.bearer[0] ?? "") : "account",
		input: types.includes("application/json")
			? "json"
			: types.includes("application/x-ndjson")
				? "lines"
				: types.length > 0
					? "raw"
					: "none",
		query: p["x-query"] === "any" ? "*" : query.sort().join(),
	};
}

function tables() {
	const { routes, errors } = JSON.parse(readFileSync(0, "utf8"));
	const served = new Map(routes.map((r) => [`${r.method} ${r.path}`, r]));
	const described = new Map(operations.map((o) => [nameOf(o), o]));
	for (const name of served.keys()) if (!described.has(name)) say(`${name} is served, but not described: add it to doc/openapi/paths/`);
	for (const name of described.keys()) {
		if (PENDING.includes(name) === served.has(name))
			say(`${name}: ${served.has(name) ? "is served: take it out of PENDING" : "is described, but not served"}`);
	}
	for (const name of PENDING) if (!described.has(name)) say(`${name} is pending, but not described`);
	for (const [name, o] of described) {
		const route = served.get(name);
		if (!route) continue;
		const is = told(o);
		const query = route.query === "*" ? "*" : route.query.split(",").sort().join();
		for (const [what, value] of Object.entries({ need: route.need, scope: route.scope, query }))
			if (is[what] !== value) say(`${name}: ${what} is ${value}, not ${is[what]}`);
		// a body that is read unseen may also be none
		if (is.input !== route.input && !(route.input === "raw" && is.input === "none"))
			say(`${name}: the body is ${route.input}, not ${is.input}`);
		const ids = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, id]) => id).join();
		const named = (o.operation.parameters ?? [])
			.filter((q) => q.in === "path")
			.map((q) => q.name)
			.join();
		if (ids !== named) say(`${name}: its path has ${ids}, not ${named}`);
	}
	const statuses = new Map(errors.map((e) => [e.code, e.status]));
	for (const [code, status] of statuses) if (CODES[code]?.[0] !== status) say(`the error ${code} (${status}) is not in doc/openapi/codes.mjs`);
	for (const code of Object.keys(CODES)) if (!statuses.has(code)) say(`there is no error ${code}`);
	const used = new Set(operations.flatMap((o) => Object.keys(o.operation.responses).flatMap((status) => codesOf(o.operation, status))));
	for (const code of statuses.keys()) if (!used.has(code) && !OF_PATHS.includes(code)) say(`no operation has the error ${code}`);
	for (const pending of PENDING_CODES) {
		const [id, code] = pending.split(" ");
		const o = operations.find((p) => p.id === id);
		if (!o || !codesOf(o.operation, CODES[code]?.[0]).includes(code)) say(`${pending} is pending, but not described`);
	}
}

await { form, examples, tables }[process.argv[2]]();
