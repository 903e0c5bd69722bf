// agree: one table of S3 requests, asked of the local store and of radosgw, which verifies signatures and was written by others.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { radosgwMissing, startRadosgw } from "../support/radosgw.mjs";
import { startStack } from "../support/stack.mjs";
import { localStore } from "./help.mjs";
import { cases } from "./table.mjs";

const missing = radosgwMissing();

function matches(said, want, what) {
	if (want instanceof RegExp) assert.match(String(said), want, what);
	else assert.deepEqual(said, want, what);
}

async function ask(s3, [name, act, expected, rgw]) {
	const answers = await act(s3);
	(s3.local ? expected : (rgw ?? expected)).forEach((want, i) => {
		const said = answers[i];
		const what = `${name} (${i + 1}): ${said.status} ${said.text?.slice(0, 500)} ${JSON.stringify(said.headers)}`;
		assert.ok([want.status].flat().includes(said.status), what);
		if (want.code) assert.equal(said.code, want.code, what);
		if (want.type) assert.equal(said.headers["content-type"], want.type, what);
		if (want.text !== undefined) matches(said.text, want.text, what);
		if (want.length !== undefined) assert.equal(said.bytes.length, want.length, what);
		for (const [header, value] of Object.entries(want.headers ?? {})) matches(said.headers[header], value, what);
	});
}

describe("the local store", () => {
	let stack, s3;
	before(async () => {
		stack = await startStack({ realtime: 0, only: ["files1", "lighttpd"] });
		s3 = localStore(stack);
	});
	after(() => stack?.stop());
	for (const c of cases) test(c[0], () => ask(s3, c));
});

describe("radosgw", { skip: missing }, () => {
	let s3;
	before(async () => {
		const origin = "https://chat.example.org";
		const gw = await startRadosgw({ origins: [origin] });
		s3 = Object.assign(gw, { origin });
	});
	after(() => s3?.stop());
	for (const c of cases) test(c[0], () => ask(s3, c));
});
