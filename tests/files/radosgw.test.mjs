// radosgw: lib/store against an S3 server that verifies signatures, and what that server does with the files of conf/s3.

import { after, test } from "node:test";
import assert from "node:assert/strict";
import { openStore, send, sha256 } from "./help.mjs";
import { storeCases } from "./cases.mjs";
import { radosgwMissing, startRadosgw } from "../support/radosgw.mjs";

const ORIGIN = "http://127.0.0.1:8080";
const skip = radosgwMissing();
let gw; // a promise: whoever needs it first starts it
const start = () => (gw ??= startRadosgw({ origins: [ORIGIN] }));
after(async () => (await gw)?.stop());

storeCases("radosgw", async () => ({ conf: (await start()).conf, stop: async () => {} }), { verifies: false, skip });

test("radosgw: over a thousand parts are listed page by page", { skip }, async () => {
	const store = await openStore((await start()).conf);
	try {
		const key = await store.key();
		const { upload_id } = await store.begin({ key, type: "video/mp4" });
		const numbers = Array.from({ length: 1003 }, (_v, i) => i * 9 + 1);
		for (let at = 0; at < numbers.length; at += 50)
			await Promise.all(
				numbers.slice(at, at + 50).map(async (number) => {
					const how = await store.put({ key, upload_id, number, size: 1, sha256: sha256("x") });
					assert.equal((await send(how, "x")).status, 200);
				}),
			);
		const parts = await store.parts({ key, upload_id });
		assert.deepEqual(
			parts.map((p) => p.number),
			numbers,
		);
		await assert.rejects(store.complete({ key, upload_id }), { code: "upload_missing" }); // too small to be parts
		await store.abort({ key, upload_id });
	} finally {
		await store.stop();
	}
});
