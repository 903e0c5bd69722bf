// resolver: the database by a name, and a resolver that takes its time. Nobody's WebSocket waits for it.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { channel, exactly, people, post, say, until } from "./help.mjs";

// In libc's place: one name that is ours, answered after as many milliseconds as a file says.
const RESOLVER = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
	int ms = 0;
	FILE *f;
	if (!name || strcmp(name, "database.test") || (hints && hints->ai_flags & AI_NUMERICHOST))
		return real(name, port, hints, out);
	f = fopen(getenv("RESOLVER_DELAY"), "r");
	if (f && fscanf(f, "%d", &ms) != 1)
		ms = 0;
	if (f)
		fclose(f);
	usleep((useconds_t)ms * 1000);
	return real("127.0.0.1", port, hints, out);
}
`;
let stack, alice, bob, dir, server;
const sockets = new Set();
const delay = (ms) => writeFileSync(join(dir, "delay"), `${ms}\n`);

before(async () => {
	dir = mkdtempSync(join(tmpdir(), "pulsechat-resolver-"));
	delay(0);
	writeFileSync(join(dir, "resolver.c"), RESOLVER);
	execFileSync("cc", ["-shared", "-fPIC", "-o", join(dir, "resolver.so"), join(dir, "resolver.c")]);
	// the sanitizer wants to be the first library itself
	stack = await startStack({ provider: false, realtime: 2, variant: "plain", wrap: [], only: ["postgres"] });
	server = createServer((a) => {
		const b = connect(join(stack.pgSocket, ".s.PGSQL.5432"));
		for (const [s, other] of [[a, b], [b, a]]) {
			sockets.add(s);
			s.on("error", () => {}).on("close", () => (sockets.delete(s), other.destroy()));
			s.pipe(other);
		}
	});
	await new Promise((ok) => server.listen(0, "127.0.0.1", ok));
	const dsn = (host) => `host=${host} port=${server.address().port} dbname=pulsechat user=pulsechat`;
	Object.assign(stack.proc("realtime1"), {
		env: { ...stack.env, LD_PRELOAD: join(dir, "resolver.so"), RESOLVER_DELAY: join(dir, "delay"), PULSECHAT_DATABASE_DSN: dsn("database.test") },
	});
	Object.assign(stack.proc("realtime2"), { env: { ...stack.env, PULSECHAT_DATABASE_DSN: dsn("localhost") } });
	await Promise.all(["api1", "realtime1", "realtime2", "lighttpd"].map((n) => stack.up(n)));
	[alice, bob] = await people(stack, "alice", "bob");
});
after(async () => {
	await stack?.stop();
	for (const s of sockets) s.destroy();
	server?.close();
	rmSync(dir, { recursive: true, force: true });
});

test("the database by a name: people talk by way of each process", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice, { via: "realtime1" });
	const b = await openWs(bob, { via: "realtime2" });
	await say(a, room, "by a name");
	await say(b, room, "by localhost");
	for (const f of [a, b]) await exactly(f, room, 1, 2);
	await Promise.all([a.close(), b.close()]);
});

test("a resolver that takes four seconds while the connections come back: pings are answered at once, and then all is well", async () => {
	const room = await channel(alice, [bob]);
	const a = await openWs(alice, { via: "realtime1" });
	await say(a, room, "1");
	delay(4000);
	const from = stack.log("realtime1").length;
	for (const s of sockets) s.destroy();
	const began = performance.now();
	let slowest = 0;
	while (performance.now() - began < 3500) {
		const t = performance.now();
		assert.equal((await a.call({ op: "ping" }, 5000)).type, "pong");
		slowest = Math.max(slowest, performance.now() - t);
		await until(() => performance.now() - t > 50, { every: 10 });
	}
	assert.ok(slowest < 1000, `a ping was answered after ${slowest} ms`);
	assert.ok(!/db\.up conn=realtime1/.test(stack.log("realtime1").slice(from)), "the resolver has not answered by then");
	delay(0);
	await until(() => /db\.up conn=realtime1-writer/.test(stack.log("realtime1").slice(from)), { ms: 15000, what: "the writer is up again" });
	await post(bob, room, "2");
	await say(a, room, "3");
	await exactly(a, room, 1, 3);
	await a.close();
});
