// coverage: what the suites before have seen of doc/openapi.json, added up: each operation with each of its answers and errors, each type
// of line. Run by make check behind the api and realtime suites (ONLY="api realtime contract"), which leave in $PC_SEEN what they saw.

import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { codesOf, document, operations, PENDING, PENDING_CODES, resolve } from "../support/contract.mjs";

/** What need not be seen of each, and why: of all of these one at least must be. */
const ONCE = [
	[/ internal$/, "a fault of ours: nothing makes one at will"],
	[/ busy$/, "contention for the same rows, or a full queue"],
	[/ 304$/, "the router's, for all alike"],
];
/** What no test makes happen. */
const NEVER = {
	"openSocket 101": "no answer of HTTP: the lines that come over it tell",
};

const folder = process.env.PC_SEEN;
const files = folder && existsSync(folder) ? readdirSync(folder) : [];
const seen = new Set(files.flatMap((f) => JSON.parse(readFileSync(join(folder, f), "utf8"))));

/** All that an operation may answer: "id status" and "id code". */
function answersOf({ id, operation }) {
	return Object.keys(operation.responses).flatMap((status) => {
		const codes = codesOf(operation, status);
		const types = Object.keys(resolve(operation.responses[status]).content ?? {});
		const plain = types.some((t) => t !== "application/problem+json") || codes.length === 0;
		return [...(plain ? [`${id} ${status}`] : []), ...codes.map((code) => `${id} ${code}`)];
	});
}

function missing(wanted) {
	const unseen = wanted.filter((w) => !seen.has(w) && !(w in NEVER));
	const spared = ONCE.map(([pattern]) => pattern);
	return unseen.filter((w) => !spared.some((pattern) => pattern.test(w)));
}

test("the suites before have left what they saw", () => {
	assert.ok(folder, "PC_SEEN is not set");
	assert.ok(files.length > 10, `${files.length} files in ${folder}: run the suites api and realtime before this one`);
});

test("each operation was seen with each of its answers and errors", (t) => {
	const wanted = operations.filter((o) => !PENDING.includes(`${o.method} ${o.path}`)).flatMap(answersOf).filter((w) => !PENDING_CODES.includes(w));
	const lacking = missing(wanted);
	t.diagnostic(`${wanted.filter((w) => seen.has(w)).length} of ${wanted.length} answers and errors seen`);
	assert.deepEqual(lacking, []);
});

test("what need not be seen of each was seen of one", () => {
	for (const [pattern, why] of ONCE.slice(1)) assert.ok([...seen].some((s) => pattern.test(s)), `${pattern} (${why})`);
});

test("each type of line was seen", () => {
	assert.deepEqual(missing(Object.keys(document["x-realtime"].server).map((type) => `line ${type}`)), []);
});
