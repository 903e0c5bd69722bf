// vectors: what test_sigv4 and test_cloudfront say of another file ($SIGV4_VECTORS, $CLOUDFRONT_VECTORS): the cases that differ, each, and a
// status that is not 0.

import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../conf/run/stack.mjs";

const programs = [
	["test_sigv4", "SIGV4_VECTORS", "sigv4-presign.json"],
	["test_cloudfront", "CLOUDFRONT_VECTORS", "cloudfront.json"],
];

for (const [program, variable, file] of programs)
	test(`${program}: another file of vectors, whole, with wrong cases, empty, none`, () => {
		const dir = mkdtempSync(join(tmpdir(), "pulsechat-vectors-"));
		const path = join(dir, file);
		const run = (doc) => {
			if (doc) writeFileSync(path, JSON.stringify(doc));
			else rmSync(path);
			const binary = join(ROOT, "build", process.env.PC_VARIANT || "plain", "tests/unit", program);
			const r = spawnSync(binary, { env: { ...process.env, [variable]: path }, encoding: "utf8", cwd: ROOT });
			return { status: r.status, not: [...r.stdout.matchAll(/^not ok \d+ - \w+ (.*)$/gm)].map((m) => m[1]), text: r.stdout + r.stderr };
		};
		const shipped = () => JSON.parse(readFileSync(join(ROOT, "tests/vectors", file), "utf8"));
		try {
			assert.deepEqual([run(shipped()).status, run(shipped()).not], [0, []]);
			for (const which of [[0], [3, 7]]) {
				const doc = shipped();
				for (const { expect } of which.map((i) => doc.cases[i])) // another letter in the signature
					expect.url = expect.url.replace(/Signature=(.)/, (_, c) => `Signature=${c === "a" ? "b" : "a"}`);
				const r = run(doc);
				assert.ok(r.status > 0, r.text);
				assert.deepEqual(r.not, which.map((i) => doc.cases[i].name));
			}
			const one = { ...shipped(), cases: shipped().cases.slice(-1) };
			assert.equal(run(one).status, 0, "fewer are taken too");
			assert.ok(run({ ...shipped(), cases: [] }).status > 0);
			assert.ok(run(null).status > 0);
		} finally {
			rmSync(dir, { recursive: true, force: true });
		}
	});
