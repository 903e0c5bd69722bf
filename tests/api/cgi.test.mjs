// cgi: the same program, started per request by lighttpd's mod_cgi: same answers, slower.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, tcpReady } from "../../conf/run/stack.mjs";
import { startStack, until } from "../support/stack.mjs";
import { bot, client } from "../support/http.mjs";
import { allMessages, assertGapFree, makeChannel, message, ok, problem, send } from "./help.mjs";

const run = promisify(execFile);
let stack, web, site, alice, nobody;

before(async () => {
	stack = await startStack({ realtime: 0, only: ["devidp", "postgres"] });
	const port = await freePort(),
		dir = join(stack.state, "cgi");
	mkdirSync(dir);
	// the wrapper names the configuration: a CGI program's own arguments may come from the query
	writeFileSync(join(dir, "pulsechat.cgi"), `#!/bin/sh\nexec ${stack.program("pulsechat-api")} -c ${stack.conf}\n`);
	chmodSync(join(dir, "pulsechat.cgi"), 0o755);
	writeFileSync(
		join(dir, "lighttpd.conf"),
		`
server.modules = ( "mod_alias", "mod_cgi" )
server.document-root = "${dir}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${join(dir, "error.log")}"
server.upload-dirs = ( "${dir}" )
alias.url = ( "/api" => "${dir}/pulsechat.cgi", "/auth" => "${dir}/pulsechat.cgi", "/healthz" => "${dir}/pulsechat.cgi" )
cgi.assign = ( ".cgi" => "" )
`,
	);
	web = spawn("lighttpd", ["-D", "-f", join(dir, "lighttpd.conf")], {
		stdio: "inherit",
		env: { ...process.env, ...stack.env, PATH: `${process.env.PATH}:/usr/sbin` },
	});
	await until(() => tcpReady(port));
	site = { url: `http://127.0.0.1:${port}` };
	alice = client(site, { token: await stack.token("alice") });
	nobody = client(site);
});
after(async () => {
	web?.kill();
	await stack?.stop();
});

test("CGI: routes, errors, sending and reading", async () => {
	assert.equal(ok(await nobody.get("/healthz")).status, "ok");
	problem(await nobody.get("/api/v1/me"), 401, "unauthenticated");
	assert.equal(ok(await alice.get("/api/v1/me")).user.handle, "alice");
	const channel = (await makeChannel(alice)).id,
		path = `/api/v1/channels/${channel}/messages`;
	const body = message("by CGI: é 😀");
	const first = ok(await alice.post(path, body), 201);
	assert.deepEqual(ok(await alice.post(path, body)), first);
	assert.equal(ok(await alice.get(`${path}?limit=1`)).messages[0].body.text, "by CGI: é 😀");
	problem(await alice.post(path, Buffer.alloc(300000, " "), { headers: { "content-type": "application/json" } }), 413, "too_large");
	problem(await alice.post(path, message("\u0000")), 400, "bad_field", "body.text");
	ok(await alice.post(path, message("x".repeat(20000))), 201);
	const head = await alice.request("HEAD", "/api/v1/limits");
	assert.equal(head.status, 200);
	assert.equal(head.text, "");
	assert.equal((await alice.post(`/api/v1/channels/${channel}/leave`)).status, 204);
});

test("CGI: sends at once from many processes are numbered without a gap", async () => {
	const channel = (await makeChannel(alice)).id;
	await Promise.all(
		Array.from({ length: 8 }, async (_, n) => {
			for (let i = 0; i < 5; i++) ok(await send(alice, channel, `${n}/${i}`), 201);
		}),
	);
	const all = await allMessages(alice, channel);
	assert.equal(all.length, 40);
	assertGapFree(all.map((m) => m.seq));
});

test("CGI: a query cannot become the command line", async () => {
	// as a web server does that makes arguments of a query without '=' (RFC 3875, 4.4)
	const env = {
		...process.env,
		...stack.env,
		GATEWAY_INTERFACE: "CGI/1.1",
		REQUEST_METHOD: "GET",
		REQUEST_URI: "/api/v1/site?-c+/etc/passwd",
		QUERY_STRING: "-c+/etc/passwd",
	};
	const r = await run(stack.program("pulsechat-api"), ["-c", "/etc/passwd"], { env, input: "" }).catch((e) => e);
	assert.doesNotMatch(`${r.stdout}${r.stderr}`, /passwd|root:/);
	assert.match(r.stdout, /^Status: 500 /); // no configuration at the default place
});

test("CGI: with the database away it is 503, not a hang", async () => {
	await stack.down("postgres");
	const began = Date.now();
	problem(await alice.get("/api/v1/me"), 503, "unavailable");
	assert.equal((await nobody.get("/healthz")).status, 503);
	assert.ok(Date.now() - began < 5000);
	await stack.up("postgres");
	ok(await alice.get("/api/v1/me"));
});
