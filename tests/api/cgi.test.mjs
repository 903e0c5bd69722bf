// cgi: the same program, started per request by lighttpd's mod_cgi: same answers, slower.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, tcpReady } from "../../conf/run/stack.mjs";
import { startStack, until } from "../support/stack.mjs";
import { bot, client } from "../support/http.mjs";
import { poll } from "../support/realtime.mjs";
import { begin, complete, fetched, path as upload, putTo, sendFiles, sha256 } from "../files/uploads.mjs";
import { allMessages, assertGapFree, makeChannel, message, ok, problem, send } from "./help.mjs";

const run = promisify(execFile);
let stack, web, site, alice, nobody;

before(async () => {
	stack = await startStack({
		realtime: 0,
		only: ["devidp", "postgres", "files1", "lighttpd"], // lighttpd: before the store
		conf: {
			...{ "presence.poll_slack": "1s", "presence.grace": "1s", "presence.lease": "3s", "presence.renew": "600ms" },
			...{ "files.multipart_above": "5M", "files.part_size": "5M" },
		},
	});
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

test("CGI: ops: a good and a bad line, the same client id again", async () => {
	const channel = (await makeChannel(alice)).id;
	const op = { op: "send", channel, ...message("by CGI") };
	const body = [op, { op: "fly" }, op, { op: "read", channel, seq: 9 }].map((l) => JSON.stringify(l)).join("\n");
	const answer = await alice.post("/api/v1/ops", body, { headers: { "content-type": "application/x-ndjson" } });
	assert.equal(answer.status, 200, answer.text);
	const [sent, fly, again, read] = answer.text.trim().split("\n").map((l) => JSON.parse(l));
	assert.deepEqual([sent.seq, fly.code, again.id, read.seq], [1, "bad_field", sent.id, 1]);
});

test("CGI: a plain poll, by the contract of long-poll but that it never waits", async () => {
	const bob = client(site, { token: await stack.token("bob") });
	const id = ok(await bob.get("/api/v1/me")).user.id;
	const channel = (await makeChannel(alice, { members: [id] })).id;
	const first = await poll(bob);
	assert.equal(first.status, 200, first.text);
	assert.deepEqual(first.lines, [{ type: "cursor", cursor: first.cursor, retry_after: 3 }]);
	assert.equal(first.headers["content-type"], "application/x-ndjson");
	assert.equal(first.cursor, (await bob.get("/api/v1/channels")).headers["pulsechat-cursor"]);
	const began = Date.now();
	assert.deepEqual((await poll(bob, { cursor: first.cursor, wait: 50 })).lines, first.lines);
	assert.ok(Date.now() - began < 10000);

	const sent = [];
	for (let i = 0; i < 3; i++) sent.push(ok(await send(alice, channel, `${i}`), 201));
	const all = await poll(bob, { cursor: first.cursor });
	assert.deepEqual(all.events.map(({ type, cursor, ...m }) => m), sent);
	assert.equal(all.events.at(-1).cursor, all.cursor);
	const rest = await poll(bob, { cursor: all.events[0].cursor });
	assert.deepEqual(rest.events, all.events.slice(1));

	// removed: nothing after it, but that he is out; in again: what is after
	assert.equal((await alice.delete(`/api/v1/channels/${channel}/members/${id}`)).status, 204);
	await send(alice, channel, "hidden");
	assert.deepEqual((await poll(bob, { cursor: first.cursor })).events.map((e) => e.type), ["member.left"]);
	assert.equal((await alice.post(`/api/v1/channels/${channel}/members`, { user: id })).status, 201);
	const back = ok(await send(alice, channel, "seen again"), 201);
	const now = await poll(bob, { cursor: first.cursor });
	assert.deepEqual(now.events.filter((e) => e.type === "message").map((e) => e.seq), [back.seq]);

	// resets
	const [mark, at] = now.cursor.split(".");
	for (const [cursor, reason] of [
		[`${mark}.${Number(at) + 1000}`, "above the head"],
		["aaaaaaaa.1", "other epoch"],
	]) {
		const p = await poll(bob, { cursor });
		assert.deepEqual(p.lines, [
			{ type: "reset", cursor: now.cursor, reason },
			{ type: "cursor", cursor: now.cursor, retry_after: 3 },
		]);
	}
	await stack.psql("select stream_open(true)");
	const renewed = await poll(bob, { cursor: now.cursor });
	assert.equal(renewed.lines[0].reason, "other epoch");
	await send(alice, channel, "under the new mark");
	await stack.psql(`delete from events where id <= ${at}`);
	const old = await poll(bob, { cursor: `${renewed.cursor.split(".")[0]}.1` });
	assert.equal(old.lines[0].reason, "too old");

	problem(await bob.get("/api/v1/events?cursor=x"), 400, "bad_cursor", "cursor");
	problem(await bob.get("/api/v1/events", { headers: { accept: "text/event-stream" } }), 406, "not_acceptable");
	problem(await bob.get("/api/v1/ws"), 426, "upgrade_required");
	problem(await nobody.get("/api/v1/events"), 401, "unauthenticated");
});

test("CGI: a body without CONTENT_LENGTH is read to its end where it was chunked, and only there", async () => {
	const channel = (await makeChannel(alice)).id;
	const start = (body, extra) =>
		new Promise((ok, no) => {
			const env = {
				...process.env,
				...stack.env,
				GATEWAY_INTERFACE: "CGI/1.1",
				REQUEST_METHOD: "POST",
				REQUEST_URI: `/api/v1/channels/${channel}/messages`,
				CONTENT_TYPE: "application/json",
				HTTP_AUTHORIZATION: `Bearer ${alice.token}`,
				...extra,
			};
			const child = execFile(stack.program("pulsechat-api"), ["-c", stack.conf], { env }, (e, stdout) => (e ? no(e) : ok(stdout)));
			child.stdin.on("error", () => {}); // nobody reads a body that is none
			child.stdin.end(body);
		});
	const body = JSON.stringify(message("in pieces"));
	assert.match(await start(body, { HTTP_TRANSFER_ENCODING: "chunked" }), /^Status: 201 /);
	assert.match(await start(body, { HTTP_TRANSFER_ENCODING: "chunked", CONTENT_LENGTH: "" }), /^Status: 200 /);
	assert.match(await start(Buffer.alloc(300000, " "), { HTTP_TRANSFER_ENCODING: "chunked" }), /^Status: 413 /);
	assert.match(await start(body, {}), /^Status: 400 /);
	assert.deepEqual(
		(await allMessages(alice, channel)).map((m) => m.body.text),
		["in pieces"],
	);
});

test("CGI: a file: asked for, sent to the store, checked in the request itself, whole and in parts, and had again", async () => {
	const who = client(site, { token: await stack.token("alice", ["read", "write", "files"]) });
	const { id } = await makeChannel(who);
	const small = Buffer.from("a file by CGI"), large = randomBytes(5 * 2 ** 20 + 1); // [files] multipart_above
	const one = await begin(who, id, small, { name: "one.txt", type: "text/plain" });
	problem(await complete(who, one), 422, "upload_missing");
	assert.equal((await putTo(one.put, small)).status, 200);
	assert.deepEqual([ok(await complete(who, one)).state, ok(await complete(who, one)).state], ["ready", "ready"]); // no 202: nobody would go on
	const two = await begin(who, id, large, { name: "two.bin", sha256: undefined });
	const { part_size, parts } = two.multipart;
	for (let number = 1; number <= parts; number++) {
		const part = large.subarray((number - 1) * part_size, number * part_size);
		const [to] = ok(await who.post(upload(two, "/parts"), { parts: [{ number, sha256: sha256(part) }] })).parts;
		assert.equal((await putTo(to, part)).status, 200);
		assert.deepEqual(ok(await who.get(upload(two))).multipart.have.length, number);
	}
	assert.equal(ok(await complete(who, two)).state, "ready");
	const { body } = ok(await sendFiles(who, id, [one, two], "two files"), 201);
	assert.deepEqual(
		body.files.map((f) => [f.name, f.size]),
		[
			["one.txt", small.length],
			["two.bin", large.length],
		],
	);
	assert.ok((await fetched(who, one.id)).got.bytes.equals(small));
	assert.ok((await fetched(who, two.id)).got.bytes.equals(large));
	problem(await alice.post("/api/v1/uploads", {}), 403, "insufficient_scope");
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

test("CGI: presence: a poll shows that one is there, its absence that one has gone, whoever looks; input, a beacon", { timeout: 60000 }, async () => {
	const bob = client(site, { token: await stack.token("bob") });
	const id = ok(await bob.get("/api/v1/me")).user.id;
	const instance = randomUUID();
	await makeChannel(alice, { members: [id] });
	const state = async () => ok(await alice.get(`/api/v1/presence?ids=${id}`)).presence[0].state;
	const told = () => stack.psql(`SELECT state FROM presence WHERE user_id = ${id}`);
	const ops = (op) => bob.post(`/api/v1/ops?instance=${instance}`, JSON.stringify({ op }), { headers: { "content-type": "application/x-ndjson" } });
	assert.equal((await poll(bob, { instance, active: 1 })).status, 200);
	assert.deepEqual([await state(), await told()], ["online", "online"]);
	const row = () => stack.psql(`SELECT node, expires_at FROM presence_leases WHERE user_id = ${id}`);
	assert.match(await row(), /^0\|/);
	ok(await ops("idle"));
	assert.deepEqual([await state(), await told()], ["away", "away"]);
	ok(await ops("active"));
	assert.equal(await state(), "online");
	// alice's polls look for what has run out: there is no process that would
	await until(async () => (await poll(alice)) && (await state()) === "offline" && (await told()) === "offline", { ms: 20000 });
	await poll(bob, { instance });
	assert.deepEqual([await state(), await told()], ["online", "online"]);
	assert.equal((await bob.post("/api/v1/presence/leave", JSON.stringify({ instance }), { headers: { "content-type": "text/plain" } })).status, 204);
	await until(async () => (await poll(alice)) && (await told()) === "offline", { ms: 20000 });
});
