// broken.test: the soak is worth something: three fault points break the promise on purpose, and it catches each.

import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds, soak } from "./soak.mjs";

const seconds = 20;
const small = { seconds, clients: 60, rate: 60, variant: "faults", seed: 1 };

function broken(name, point, script, expected) {
	test(name, { timeout: 240000 }, async (t) => {
		const r = await soak({ ...small, env: { PC_FAULTS: point }, script, say: (text) => t.diagnostic(text) });
		const found = kinds(r.wrong);
		t.diagnostic(JSON.stringify(found));
		assert.ok(
			expected.some((kind) => found[kind] > 0),
			`the soak saw none of ${expected.join(", ")} with ${point}: ${JSON.stringify(found)}`,
		);
	});
}

const cuts = Array.from({ length: 12 }, (_v, i) => ({ at: 2 + i * 1.3, name: "cut" }));
const away = Array.from({ length: 5 }, (_v, i) => ({ at: 2 + i * 3.2, name: "database away, then a process killed" }));

test("without such a point the same small soak finds nothing", { timeout: 240000 }, async () => {
	const r = await soak({ ...small, script: cuts });
	assert.deepEqual(
		kinds(r.wrong),
		{},
		r.wrong
			.slice(0, 20)
			.map((w) => `${w.kind}: ${w.text}`)
			.join("\n"),
	);
});
broken("an ack before the commit is caught", "ack_early 1", away, ["acknowledged, not stored"]);
broken("a gap that is not read is caught", "lose_notify 0.05,skip_gap 1", cuts, ["loss"]);
broken("a resume one event too far is caught", "resume_far 1", cuts, ["loss"]);
