// store_local: lib/store and `pulsechat doctor` against the local store, by the same cases as radosgw.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack, until } from "../support/stack.mjs";
import { storeCases } from "./cases.mjs";
import { localStore } from "./help.mjs";
import { doctor, doctorFails } from "./store.mjs";

let stack; // a promise: whoever needs it first starts it
const start = () => (stack ??= startStack({ realtime: 0, only: ["files1", "lighttpd"] }));
const conf = async () => {
	const s = await start();
	return { store: "local", url: s.filesUrl, secret_key: localStore(s).secretKey };
};
after(async () => (await stack)?.stop());

storeCases("local", async () => ({ conf: await conf(), stop: async () => {} }), { verifies: true, unchunked: true });

test("doctor: all is well with the local store", async () => {
	const { url } = await start();
	const r = await doctor(await conf(), { url });
	assert.deepEqual(r.fail, []);
	const steps = ["local at", "CORS", "page: its policy lets", "a second one", "the checksum is told", "download: the same"];
	for (const word of [...steps, "a body that does not fit is refused", "delete"])
		assert.ok(
			r.ok.some((l) => l.includes(word)),
			`${word}\n${r.all}`,
		);
});

test("doctor: what may be wrong with the local store", async () => {
	const s = await start(), files = await conf(), { url } = s;
	await doctorFails({ ...files, secret_key: "another secret of 20" }, /SignatureDoesNotMatch: \[files\] secret_key/, { url });
	await doctorFails({ ...files, region: "eu-west-9" }, /400 AuthorizationQueryParametersError: \[files\] region is not the bucket's/, { url });
	await doctorFails(files, /^CORS: .*must name this origin/, { url: "http://127.0.0.1:1" });
	await s.down("files1");
	await doctorFails(files, /the store is not well: 50\d.*pulsechat-api --files/, { url });
	await s.up("files1");
	await until(async () => (await doctor(files, { url })).fail.length === 0, { what: "all is well again" }); // lighttpd tries it anew
});
