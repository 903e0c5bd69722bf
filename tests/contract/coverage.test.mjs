// coverage: what the suites before have seen of doc/openapi.json, added up: each operation with each of its answers and errors, each type
// of line. Run by make check behind the suites api, realtime and files (ONLY="api realtime files contract"), which leave in $PC_SEEN what they saw.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { codesOf, document, leftIn, operations, PENDING, PENDING_CODES, program, resolve } from "../support/contract.mjs";

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
const { seen, begun, unended } = leftIn(folder ?? "");

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
	// All that hold anything against the document: what one alone sees would be missing below.
	const uses = (file, known = new Set()) => {
		if (file.endsWith("support/contract.mjs")) return true;
		if (known.has(file)) return false;
		known.add(file);
		const imported = [...readFileSync(file, "utf8").matchAll(/ from "(\.[^"]+)"/g)];
		return imported.some(([, path]) => uses(join(dirname(file), path), known));
	};
	const wanted = ["api", "files", "realtime"].flatMap((dir) => readdirSync(`tests/${dir}`).map((f) => `tests/${dir}/${f}`));
	const lacking = wanted.filter((f) => f.endsWith(".test.mjs") && uses(f)).filter((f) => !begun.has(program(f)));
	assert.deepEqual(lacking, [], "run the suites api, realtime and files before this one");
	assert.deepEqual(unended, [], "ended by a signal, or a crash");
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
