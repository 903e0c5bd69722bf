// idle.test: a WebSocket that only answers pings stays open.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { openWs } from "../support/realtime.mjs";
import { startStack } from "../support/stack.mjs";

let stack;
before(async () => {
	stack = await startStack({ realtime: 1, conf: { "realtime.ping_interval": "500ms", "realtime.pong_timeout": "500ms" } });
});
after(() => stack?.stop());

test("pongs keep a silent connection open", { timeout: 60000 }, async () => {
	const ws = await openWs(client(stack, { token: await stack.token("bob") }));
	let pings = 0;
	ws.socket.on("ping", () => pings++);
	const end = await Promise.race([ws.closed, new Promise((ok) => setTimeout(ok, 3500))]);
	assert.equal(end, undefined, `closed after ${pings} pings: ${JSON.stringify(end)}`);
	assert.ok(pings >= 3, `${pings} pings`);
	await ws.close();
});
