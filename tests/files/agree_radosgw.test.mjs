// agree_radosgw: the table of S3 requests (table.mjs), asked of radosgw, which verifies signatures and was written by others: so the local
// store is what S3 is.

import { after, before, test } from "node:test";
import { radosgwMissing, startRadosgw } from "../support/radosgw.mjs";
import { ask, cases } from "./table.mjs";

const missing = radosgwMissing();
const origin = "https://chat.example.org";
let s3;
before(async () => {
	if (!missing) s3 = Object.assign(await startRadosgw({ origins: [origin] }), { origin });
});
after(() => s3?.stop());

for (const c of cases) test(c[0], { skip: missing || false }, () => ask(s3, c));
