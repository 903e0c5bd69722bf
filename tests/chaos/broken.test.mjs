// broken.test: the soak is worth something: three fault points break the promise on purpose, and it catches each.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kinds, soak } from "./soak.mjs";

const small = { seconds: 20, clients: 60, rate: 60, variant: "faults", seed: 1 };
const cuts = Array.from({ length: 12 }, (_v, i) => ({ at: 2 + i * 1.3, name: "cut" }));
const away = Array.from({ length: 3 }, (_v, i) => ({ at: 2 + i * 3.2, name: "database away, then a process killed" }));

describe("the soak", { concurrency: 2 }, () => {
	/** live: the kind shows to a client at once; else in the comparison at the end. */
	function broken(name, point, script, kind, { live, seconds = 20 }) {
		test(name, { timeout: 240000 }, async (t) => {
			const enough = live ? (faults) => faults.some((f) => f.kind === kind) : undefined;
			const r = await soak({ ...small, seconds, env: { PC_FAULTS: point }, script, enough, say: (text) => t.diagnostic(text) });
			const found = kinds(r.wrong);
			t.diagnostic(JSON.stringify(found));
			assert.ok(found[kind] > 0, `the soak saw no ${kind} with ${point}: ${JSON.stringify(found)}`);
		});
	}
	broken("an ack before the commit is caught", "ack_early 1", away, "acknowledged, not stored", { live: false, seconds: 11 });
	broken("a gap that is not read is caught", "lose_notify 0.05,skip_gap 1", cuts, "loss", { live: true });
	broken("a resume one event too far is caught", "resume_far 1", cuts, "loss", { live: true });
	test("without such a point the same small soak finds nothing", { timeout: 240000 }, async () => {
		const r = await soak({ ...small, seconds: 15, script: cuts.filter((c) => c.at < 13) });
		assert.deepEqual(
			kinds(r.wrong),
			{},
			r.wrong
				.slice(0, 20)
				.map((w) => `${w.kind}: ${w.text}`)
				.join("\n"),
		);
	});
});
