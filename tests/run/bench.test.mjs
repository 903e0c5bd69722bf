// bench: what `make bench` gives to pgbench is what sql/queries has now: each statement with as many parameters as it takes.

import { test } from "node:test";
import assert from "node:assert/strict";
import { restScripts } from "../bench/cells.mjs";
import { statement } from "../bench/site.mjs";

test("bench: the statements of a request, whole", () => {
	const { send, history } = restScripts(4, 10, 20);
	const first = "\\set k random(0, 3)\n\\set channel 10 + :k\n\\set reader 20 + :k\nSELECT s.id, ";
	const found = [send, history].map((script) => [script.startsWith(first), script.match(/^FROM \w+|FROM write_batch/gm)]);
	assert.deepEqual(found, [[true, ["FROM sessions", "FROM write_batch"]], [true, ["FROM sessions", "FROM channels"]]]);
	for (const script of [send, history]) assert.doesNotMatch(script, /undefined|\$\d/);
	assert.throws(() => statement("session_find", []), /wants 1 parameters, not 0/);
	assert.throws(() => statement("no_such_one", []), /no statement/);
});
