// soak.test: the soak for a minute, in the build with fault points, some of which are armed: lost notifications, commits without
// an answer, slow readers, a clock that steps. They must cost nothing but time. $SEED repeats one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TRANSPORTS } from "./clients.mjs";
import { FAULTS } from "./faults.mjs";
import { kinds, reportText, soak } from "./soak.mjs";

const HARMLESS = ["lose_notify 0.02", "commit_no_reply 0.01", "ack_lost 0.005", "slow_reader 5", "clock_step -3600000"];

test("a minute of random faults: no loss, no double, no disorder", { timeout: 400000 }, async (t) => {
	const r = await soak({
		seconds: Number(process.env.SOAK_SECONDS ?? 60),
		seed: process.env.SEED ? Number(process.env.SEED) : undefined,
		variant: "faults",
		least: 501,
		env: { PC_FAULTS: HARMLESS.join(",") },
		say: (text) => t.diagnostic(text),
	});
	t.diagnostic(reportText(r));
	assert.deepEqual(
		kinds(r.wrong),
		{},
		`seed ${r.seed}\n${r.wrong
			.slice(0, 20)
			.map((w) => `${w.kind}: ${w.text}`)
			.join("\n")}`,
	);
	assert.equal(TRANSPORTS.length, 5);
	for (const t of TRANSPORTS) assert.ok(r.transports[t.name] > 0 && r.heard[t.name] > 0, `${t.name} has taken part`);
	for (const f of FAULTS) assert.ok(r.faults.some((did) => did.name === f.name && !did.failed), `${f.name} has run`);
	assert.ok(r.faults.length >= 10, `${r.faults.length} faults`);
	assert.ok(r.counts.acked > 500, `${r.counts.acked} messages`);
});
