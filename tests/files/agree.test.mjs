// agree: the table of S3 requests (table.mjs), asked of the local store. $PC_FRONT: behind another web server.

import { after, before, test } from "node:test";
import { startStack } from "../support/stack.mjs";
import { localStore } from "./help.mjs";
import { ask, cases } from "./table.mjs";

let stack, s3;
before(async () => {
	stack = await startStack({ provider: false, realtime: 0, only: ["files1", "lighttpd"] });
	s3 = localStore(stack);
});
after(() => stack?.stop());

for (const c of cases) test(c[0], () => ask(s3, c));
