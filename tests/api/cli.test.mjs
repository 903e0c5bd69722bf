// cli: the pulsechat command: what it does, what it says, how it ends.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startStack, until } from "../support/stack.mjs";
import { bot, client } from "../support/http.mjs";
import { makeChannel, me, ok, problem, send } from "./help.mjs";

const run = promisify(execFile);
let stack;

before(async () => {
	stack = await startStack({ realtime: 0 });
});
after(() => stack?.stop());

const fails = (args, code, text) =>
	assert.rejects(
		stack.cli(args),
		(e) => e.code === code && text.test(e.stderr) && e.stdout === "",
		`${args.join(" ")} should fail with ${code}`,
	);
const lines = async (args) => (await stack.cli(args)).stdout.trimEnd().split("\n").filter(Boolean);

test("help and wrong usage", async () => {
	const program = stack.program("pulsechat");
	const { stdout } = await run(program, ["--help"]);
	for (const word of ["migrate", "doctor", "user add HANDLE", "token add HANDLE", "channel add NAME", "maintain", "new-epoch"])
		assert.ok(stdout.includes(word), word);
	assert.match((await run(program, ["user", "add", "--help"])).stdout, /--role +ROLE/);
	await fails([], 2, /no command/);
	await fails(["nothing"], 2, /no command nothing/);
	await fails(["user"], 2, /no command user/);
	await fails(["user", "remove"], 2, /no command user remove/);
	await fails(["user", "add"], 2, /needs HANDLE/);
	await fails(["user", "add", "a", "b"], 2, /too many/);
	await fails(["user", "add", "a", "--colour", "red"], 2, /no option --colour/);
	await fails(["user", "add", "a", "--role"], 2, /needs a value/);
	await assert.rejects(run(program, ["-c", "/nonexistent", "migrate"]), (e) => e.code === 1);
	await assert.rejects(run(program, ["-x", "migrate"]), (e) => e.code === 2);
});

test("migrate again changes nothing", async () => {
	assert.equal((await stack.cli(["migrate"])).stdout, "");
});

test("user add, list, deactivate", async () => {
	const [line] = await lines(["user", "add", "zoe", "--name", "Zoë Ångström", "--role", "admin"]);
	assert.match(line, /^\d+\tzoe$/);
	assert.ok((await lines(["user", "list"])).includes(`${line.split("\t")[0]}\tzoe\tadmin\tactive\tZoë Ångström`));
	await fails(["user", "add", "zoe"], 1, /taken/);
	await fails(["user", "add", "everyone"], 1, /everyone is reserved/);
	await fails(["user", "add", "admin", "--issuer", "https://idp.test", "--subject", "s0"], 1, /admin is reserved/);
	await fails(["bot", "add", "system"], 1, /system is reserved/);
	await fails(["user", "add", "Zoe"], 2, /handle/);
	await fails(["user", "add", "x", "--role", "king"], 2, /owner, admin/);
	await fails(["user", "add", "x", "--name", ""], 2, /80 characters/);
	await fails(["user", "add", "x", "--issuer", "https://idp.test"], 2, /together/);
	const who = ["user", "add", "yan", "--issuer", "https://idp.test", "--subject", "s1", "--name", "Yan"];
	const first = await lines(who);
	assert.deepEqual(await lines(who), first);
	const [other] = await lines(["user", "add", "yan", "--issuer", "https://idp.test", "--subject", "s2"]);
	assert.match(other, /\tyan-2$/); // another person, whose handle is taken
	const token = await stack.token("zoe");
	ok(await client(stack, { token }).get("/api/v1/me"));
	await stack.cli(["user", "deactivate", "zoe"]);
	problem(await client(stack, { token }).get("/api/v1/me"), 401, "unauthenticated");
	await fails(["user", "deactivate", "zoe"], 1, /deactivated/);
	await fails(["token", "add", "zoe"], 1, /deactivated/);
	await fails(["user", "deactivate", "nobody"], 1, /no user nobody/);
	assert.ok((await lines(["user", "list"])).some((l) => l.includes("\tzoe\tadmin\tdeactivated\t")));
});

test("token add prints the token alone; only its hash is kept; list and revoke", async () => {
	const { stdout } = await stack.cli(["token", "add", "bob", "--name", "for tests", "--scopes", "read", "--expires", "90d"]);
	assert.match(stdout, /^pct_[A-Za-z0-9_-]{43}\n$/);
	const token = stdout.trim(),
		hash = createHash("sha256").update(token).digest("hex");
	assert.equal(await stack.psql(`SELECT kind, scopes FROM sessions WHERE secret_hash = decode('${hash}', 'hex')`), "token|{read}");
	const session = ok(await client(stack, { token }).get("/api/v1/me")).session;
	assert.deepEqual(session.scopes, ["read"]);
	assert.ok(Math.abs(new Date(session.expires_at) - Date.now() - 90 * 86400000) < 60000);
	const [listed] = (await lines(["token", "list", "bob"])).filter((l) => l.endsWith("\tfor tests"));
	assert.match(listed, new RegExp(`^${session.id}\tread\t\\d{4}-`));
	assert.ok(!listed.includes(token));
	await stack.cli(["token", "revoke", String(session.id)]);
	problem(await client(stack, { token }).get("/api/v1/me"), 401, "unauthenticated");
	assert.equal(await stack.psql(`SELECT count(*) FROM events WHERE type = 'session.revoked' AND subject = ${session.id}`), "1");
	await fails(["token", "revoke", String(session.id)], 1, /no live token/);
	await fails(["token", "revoke", "x"], 2, /number/);
	await fails(["token", "add", "bob", "--scopes", "account"], 2, /read,write,files,admin/);
	for (const bad of ["90", "0d", "d", "-1d", "99999d", "1y"]) await fails(["token", "add", "bob", "--expires", bad], 2, /90d/);
	await fails(["token", "add", "nobody"], 1, /no user nobody/);
});

test("a token ends at its time", async () => {
	const { stdout } = await stack.cli(["token", "add", "bob", "--expires", "1s"]);
	const c = client(stack, { token: stdout.trim() });
	await until(async () => (await c.get("/api/v1/me")).status === 401, { ms: 5000 });
});

test("channel add", async () => {
	const [id] = await lines(["channel", "add", "lounge", "--topic", "anything", "--owner", "carol"]);
	const carol = await bot(stack, "carol");
	const c = ok(await carol.get(`/api/v1/channels/${id}`));
	assert.deepEqual([c.name, c.kind, c.topic, c.membership.role], ["lounge", "public", "anything", "owner"]);
	await fails(["channel", "add", "Lounge"], 1, /exists already/);
	await fails(["channel", "add", "x", "--kind", "direct"], 2, /public or private/);
	await fails(["channel", "add", "x".repeat(81)], 2, /80/);
	const [secret] = await lines(["channel", "add", "--kind=private", "--", "-dash"]);
	problem(await carol.get(`/api/v1/channels/${secret}`), 404, "not_found"); // alice's, the first owner
});

test("new-epoch makes every cursor another", async () => {
	const bob = await bot(stack, "bob");
	const mark = async () => (await bob.get("/api/v1/channels")).headers["pulsechat-cursor"].split(".")[0];
	const before = await mark();
	const [drawn] = await lines(["new-epoch"]);
	assert.match(drawn, /^[a-z2-7]{8}$/);
	assert.notEqual(drawn, before);
	assert.equal(await mark(), drawn);
});

test("doctor says ok for what is well and FAIL with what to do for what is not", async () => {
	const r = await stack.cli(["doctor"]).catch((e) => e);
	const said = r.stdout.trimEnd().split("\n");
	assert.ok(
		said.every((l) => /^(ok|FAIL) {2,}/.test(l)),
		r.stdout,
	);
	for (const word of ["configuration", "database", "schema", "event log: epoch", "clock", "oidc", "pulsechat-api: listens"])
		assert.ok(
			said.some((l) => l.startsWith("ok") && l.includes(word)),
			`${word}\n${r.stdout}`,
		);
	// no realtime process in this stack
	assert.equal(r.code, 1);
	assert.deepEqual(
		said.filter((l) => l.startsWith("FAIL")).map((l) => l.replace(/^FAIL +(\S+):.*/, "$1")),
		["pulsechat-realtime"],
	);
	await stack.psql("UPDATE schema_history SET checksum = 'x' WHERE path LIKE '%10_stream%'", { user: "postgres" });
	assert.match((await stack.cli(["doctor"]).catch((e) => e)).stdout, /FAIL +schema: .*10_stream.*pulsechat migrate/);
	assert.match((await stack.cli(["migrate"])).stdout, /10_stream/);
	await stack.down("postgres");
	assert.match((await stack.cli(["doctor"]).catch((e) => e)).stdout, /FAIL +database: .*PostgreSQL running/);
	await stack.up("postgres");
});

test("health and doctor turn red while but one partition of the log is spare, until maintain has run", async () => {
	const health = () => client(stack).get("/healthz");
	assert.equal((await health()).status, 200);
	await stack.psql("ALTER TABLE events DETACH PARTITION events_12000000; DROP TABLE events_12000000");
	const red = await health();
	assert.equal(red.status, 503);
	assert.deepEqual([red.json.status, red.json.database, red.json.log], ["unavailable", "ok", "short of partitions"]);
	assert.match((await stack.cli(["doctor"]).catch((e) => e)).stdout, /FAIL +event log: .*1 of them are spare: run `pulsechat maintain`/);
	await stack.cli(["maintain"]);
	assert.equal((await health()).status, 200);
});

test("maintain: partitions ahead, old ones dropped, log-ins and sessions swept; never the newest event", async () => {
	const alice = await bot(stack, "alice");
	const c = await makeChannel(alice);
	ok(await send(alice, c.id, "x"), 201);
	// small partitions in place of the large ones, so that there are old ones
	const head = Number(await stack.psql("SELECT stream_head()"));
	const names = (await stack.psql("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'events'::regclass")).split("\n");
	const cut = Math.max(1, head - 5);
	await stack.psql(`BEGIN;
		CREATE TABLE keep AS SELECT * FROM events;
		${names.map((n) => `DROP TABLE ${n};`).join("\n")}
		CREATE TABLE events_${cut} (LIKE events INCLUDING ALL);
		ALTER TABLE events ATTACH PARTITION events_${cut} FOR VALUES FROM (1) TO (${cut + 1});
		CREATE TABLE events_${head} (LIKE events INCLUDING ALL);
		ALTER TABLE events ATTACH PARTITION events_${head} FOR VALUES FROM (${cut + 1}) TO (${head + 1});
		CREATE TABLE events_${cut - 1} (LIKE events INCLUDING ALL); -- as an interrupted run leaves one behind
		INSERT INTO events SELECT * FROM keep; UPDATE events SET at = now() - interval '31 days';
		DROP TABLE keep;
		INSERT INTO login_attempts (state_hash, browser_hash, nonce, code_verifier, return_to, expires_at)
			VALUES (sha256('a'), sha256('b'), '', '', '/', now() - interval '1 minute'),
				(sha256('c'), sha256('d'), '', '', '/', now() + interval '1 minute');
		INSERT INTO sessions (secret_hash, kind, user_id, scopes, revoked_at) SELECT sha256('x'), 'token', 1, '{read}', now() - interval '31 days';
		INSERT INTO sessions (secret_hash, kind, user_id, scopes, revoked_at) SELECT sha256('y'), 'token', 1, '{read}', now() - interval '29 days';
		COMMIT;`);
	const before = await stack.psql("SELECT count(*) FROM sessions");
	const said = (await stack.cli(["maintain"])).stdout;
	assert.match(said, /dropped: 2/);
	assert.match(said, /log-ins that nobody finished, deleted: 1/);
	assert.match(said, /ended long ago, deleted: 1/);
	const left = await stack.psql("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1");
	assert.ok(left.includes(`events_${head}`), "the partition of the newest event stays");
	assert.ok(!left.includes(`events_${cut}\n`) && !left.includes(`events_${cut - 1}`), left);
	assert.equal(await stack.psql(`SELECT count(*) FROM pg_class WHERE relname IN ('events_${cut}', 'events_${cut - 1}')`), "0");
	assert.equal(Number(await stack.psql("SELECT stream_head()")), head);
	assert.ok(Number(await stack.psql("SELECT events_extend()")) >= 2);
	assert.equal(Number(await stack.psql("SELECT count(*) FROM sessions")), Number(before) - 1);
	assert.equal(await stack.psql("SELECT count(*) FROM login_attempts"), "1");
	// the log goes on without a hole
	assert.equal(ok(await send(alice, c.id, "y"), 201).seq, 2);
	assert.equal(Number(await stack.psql("SELECT stream_head()")), head + 1);
	// now that another partition has the newest event, the last old one may go
	assert.match((await stack.cli(["maintain"])).stdout, /dropped: 1/);
	assert.match((await stack.cli(["maintain"])).stdout, /dropped: 0/);
	assert.equal(Number(await stack.psql("SELECT stream_head()")), head + 1);
});

test("maintain: one at a time", async () => {
	const held = stack.psql("SELECT pg_advisory_lock(8020600004); SELECT pg_sleep(1.5);");
	await until(
		async () =>
			(await stack.psql(
				"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = (8020600004 & 4294967295)::oid",
				{ user: "postgres" },
			)) === "1",
	);
	assert.match((await stack.cli(["maintain"])).stdout, /another process/);
	await held;
});

test("standard output that cannot be written is a failure", async () => {
	await assert.rejects(
		run("sh", ["-c", `exec ${stack.program("pulsechat")} -c ${stack.conf} user list > /dev/full`]),
		(e) => e.code === 1,
	);
});
