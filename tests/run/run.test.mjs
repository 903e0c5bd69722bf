// run: what `make run` promises: a whole site by one command, quick the second time, one clear sentence when it cannot, everything
// gone when it stops, everything back when a part dies.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT, freePort } from "../../conf/run/stack.mjs";
import { client, signIn } from "../support/http.mjs";
import { until } from "../support/until.mjs";
import { MakeRun, processes } from "./makerun.mjs";

const isRoot = process.getuid() === 0;
const PROGRAMS = ["postgres", "devidp", "api1", "realtime1", "realtime2", "lighttpd"];
let base;

before(() => {
	base = mkdtempSync(join(tmpdir(), "pulsechat-run-"));
	chmodSync(base, 0o711);
});
after(() => rmSync(base, { recursive: true, force: true }));

async function gone(state) {
	await until(() => processes(state).length === 0, { ms: 5000, what: "no process is left" }).catch((e) => {
		throw new Error(`${e.message}: ${JSON.stringify(processes(state), null, 1)}`);
	});
}

describe("one site", () => {
	let run;
	let state;
	let port;
	before(async () => {
		state = join(base, "one");
		port = await freePort();
		run = new MakeRun({ state, port });
		await run.up();
	});
	after(async () => {
		await run.stop();
		for (const p of processes(state)) process.kill(p.pid, "SIGKILL");
	});

	test("says where it is, how to sign in and how to stop, and shows what it does meanwhile", () => {
		assert.equal(run.url, `http://127.0.0.1:${port}`);
		assert.match(run.text, /starting PostgreSQL/);
		assert.match(run.text, /Sign in .*alice/);
		assert.match(run.text, /Ctrl-C/);
	});

	test("runs all the programs, two realtimes among them, and PostgreSQL not as root", async () => {
		const all = processes(state);
		for (const name of PROGRAMS) assert.ok(all.some((p) => p.name === name), `${name} runs`);
		assert.notEqual(all.find((p) => p.name === "postgres").uid, 0);
		assert.ok(await run.healthy());
		const open = execFileSync("sh", ["-c", "cat /proc/net/tcp /proc/net/tcp6"], { encoding: "utf8" });
		const postgres = new Set(
			readdirSync(`/proc/${run.pid("postgres")}/fd`).map((fd) => {
				try {
					const target = execFileSync("readlink", [`/proc/${run.pid("postgres")}/fd/${fd}`], { encoding: "utf8" });
					return /socket:\[(\d+)\]/.exec(target)?.[1];
				} catch {
					return undefined;
				}
			}),
		);
		postgres.delete(undefined); // its descriptors that are no sockets
		assert.ok(postgres.size > 0);
		for (const line of open.split("\n")) assert.ok(!postgres.has(line.trim().split(/\s+/)[9]), "PostgreSQL has no TCP port");
	});

	test("writes the configuration in use, which the pulsechat command takes", () => {
		assert.match(readFileSync(join(state, "pulsechat.conf"), "utf8"), new RegExp(`url = http://127.0.0.1:${port}`));
		const users = run.cli("user", "list");
		for (const name of ["alice", "bob", "carol", "dave"]) assert.match(users, new RegExp(name));
	});

	test("keeps its secrets to itself", () => {
		for (const file of ["devidp/client_secret", "devidp/keys.json"]) assert.equal(statSync(join(state, file)).mode & 0o077, 0, file);
		assert.equal(statSync(join(state, "pulsechat.conf")).mode & 0o007, 0);
	});

	test("a demo person signs in through the provider, and is the one who is in the database already", async () => {
		const alice = await signIn(run, "alice", { provider: "google" });
		const me = (await alice.get("/api/v1/me")).json;
		assert.equal(me.user.handle, "alice");
		assert.equal(run.cli("user", "list").match(/alice/g).length, 1);
	});

	test("the web server serves the client, its pages, and no page for what is missing", async () => {
		const get = (path, headers) => fetch(run.url + path, { redirect: "manual", headers });
		const page = await get("/");
		assert.equal(page.status, 200);
		assert.match(page.headers.get("content-security-policy"), /script-src 'self';/);
		assert.doesNotMatch(page.headers.get("content-security-policy"), /unsafe-inline/);
		assert.match(page.headers.get("content-security-policy"), /frame-ancestors 'none'/);
		assert.equal(page.headers.get("x-content-type-options"), "nosniff");
		assert.equal(page.headers.get("cache-control"), "no-cache");
		const html = await page.text();
		assert.equal(await (await get("/c/12")).text(), html);
		assert.equal(await (await get("/sign-in?return_to=%2Fa.b")).text(), html);
		const scripts = await Promise.all(
			[...html.matchAll(/\/assets\/[^"]+\.js/g)].map(async ([path]) => ({ path, size: (await (await get(path)).text()).length })),
		);
		const asset = scripts.sort((a, b) => b.size - a.size)[0].path; // the smallest is not worth compressing
		const script = await get(asset, { "accept-encoding": "gzip" });
		assert.match(script.headers.get("cache-control"), /max-age=31536000/);
		assert.equal(script.headers.get("content-encoding"), "gzip");
		const missing = await get("/assets/missing-12345678.js");
		assert.equal(missing.status, 404);
		assert.doesNotMatch(missing.headers.get("cache-control") ?? "", /31536000/);
		assert.equal((await get("/missing.png")).status, 404);
	});

	test("the web server under another name leads to the site's own", async () => {
		const answer = await client({ url: run.url }).get("/c/12?x=1", { headers: { host: `localhost:${port}` } });
		assert.equal(answer.status, 307);
		assert.equal(answer.headers.location, `${run.url}/c/12?x=1`);
	});

	test("a second start in the same folder says who is there", async () => {
		const second = new MakeRun({ state, port: await freePort() });
		const { code } = await second.ended;
		assert.notEqual(code, 0);
		assert.match(second.text, new RegExp(`make run: it runs already in ${state} \\(process ${run.pid()}\\)`));
		assert.ok(await run.healthy());
	});

	test("a busy port is one sentence, and costs nothing", async () => {
		const other = join(base, "busy");
		const second = new MakeRun({ state: other, port });
		const { code } = await second.ended;
		assert.notEqual(code, 0);
		assert.match(second.text, new RegExp(`make run: port ${port} is in use by another program: choose another one with PORT=${port + 1}`));
		assert.ok(Date.now() - second.began < 5000);
		assert.equal(processes(other).length, 0);
	});

	for (const name of PROGRAMS)
		test(`kill -9 of ${name}: it is started again, and the site serves`, async () => {
			const old = run.pid(name);
			process.kill(old, "SIGKILL");
			await run.says(new RegExp(`${name} has ended \\(SIGKILL\\): starting it again`));
			await until(() => processes(state).some((p) => p.name === name && p.pid !== old), { ms: 10000, what: `${name} is back` });
			await until(() => run.healthy(), { ms: 15000, what: "the site is healthy" });
			const page = await fetch(`${run.url}/api/v1/limits`);
			assert.equal(page.status, 200);
		});

	test("after all that a person can still sign in, and WebSocket handshakes are answered", async () => {
		const [, issuer] = /^issuer = (\S+)/m.exec(readFileSync(join(state, "pulsechat.conf"), "utf8"));
		const answers = () => fetch(`${issuer}/.well-known/openid-configuration`).then((r) => r.ok, () => false);
		await until(answers, { what: "the provider answers again" }); // it is in the list of processes before it does
		const bob = await signIn(run, "bob");
		assert.equal((await bob.get("/api/v1/me")).json.user.handle, "bob");
		await until(async () => (await bob.get("/api/v1/ws")).status === 426, { what: "realtime answers" });
	});

	test("a program that dies again and again is named, with the end of its log", async () => {
		for (let i = 0; i < 5; i++) {
			await until(() => processes(state).some((p) => p.name === "realtime2"), { ms: 20000, what: "realtime2 is back" });
			process.kill(run.pid("realtime2"), "SIGKILL");
			await until(() => run.text.split("realtime2 has ended").length > i + 2, { what: "the death is seen" });
		}
		await run.says(/realtime2 ends again and again \(SIGKILL\); its log is .*realtime2\.log/);
		await until(() => processes(state).some((p) => p.name === "realtime2"), { ms: 20000, what: "realtime2 is back" });
	});

	test("TERM stops all of it; the data stays; the second start takes seconds", async () => {
		const token = /pct_\S+/.exec(run.cli("token", "add", "alice"))[0];
		const made = await client({ url: run.url }, { token }).post("/api/v1/channels", { kind: "public", name: "kept" });
		assert.equal(made.status, 201);
		const sockets = readFileSync(join(state, "run.path"), "utf8").trim();
		await run.stop("SIGTERM");
		await gone(state);
		assert.match(run.text, /Stopped\./);
		assert.ok(!existsSync(sockets), "the folder of the sockets is gone");

		run = new MakeRun({ state, port });
		const seconds = await run.up();
		assert.ok(seconds < 15, `${seconds} s`);
		const same = await client({ url: run.url }, { token }).get(`/api/v1/channels/${made.json.id}`);
		assert.equal(same.json?.name, "kept");
	});

	test("Ctrl-C stops all of it", async () => {
		await run.stop("SIGINT");
		await gone(state);
		assert.match(run.text, /Stopped\./);
	});

	test("kill -9 of make run itself takes the programs along, and the next start works over what it left", async () => {
		run = new MakeRun({ state, port });
		await run.up();
		const token = /pct_\S+/.exec(run.cli("token", "add", "alice"))[0];
		process.kill(run.pid(), "SIGKILL");
		await run.ended;
		await until(() => processes(state).length === 0, { ms: 15000, what: "the programs are gone" });
		assert.ok(existsSync(join(state, "run.path")));
		run = new MakeRun({ state, port });
		assert.ok((await run.up()) < 20);
		assert.equal((await client({ url: run.url }, { token }).get("/api/v1/me")).status, 200);
		await run.stop();
		await gone(state);
	});

	test("a stale pid file of PostgreSQL that names a living process is no obstacle", async () => {
		const options = isRoot ? ["--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
		const stranger = spawn("setpriv", [...options, "sleep", "600"], { stdio: "ignore", cwd: "/" });
		try {
			writeFileSync(join(state, "pg/postmaster.pid"), `${stranger.pid}\n${state}/pg\n1\n5432\n/nowhere\n\n  1 1\nready\n`);
			run = new MakeRun({ state, port });
			await run.up();
			assert.equal(stranger.exitCode, null, "the other process lives");
			await run.stop();
		} finally {
			stranger.kill("SIGKILL");
		}
		await gone(state);
	});

	test("the provider's port is taken meanwhile: it moves, and its people with it", async () => {
		const kept = Number(readFileSync(join(state, "devidp/port"), "utf8"));
		const squatter = createServer().listen(kept, "127.0.0.1");
		await new Promise((ok) => squatter.on("listening", ok));
		run = new MakeRun({ state, port });
		await run.up();
		squatter.close();
		const alice = await signIn(run, "alice");
		assert.equal((await alice.get("/api/v1/me")).json.user.handle, "alice");
		await run.stop();
	});
});

test("a port that is none is one sentence", async () => {
	for (const port of ["0", "70000", "http", "80 80"]) {
		const run = new MakeRun({ state: join(base, "bad"), port });
		const { code } = await run.ended;
		assert.notEqual(code, 0);
		assert.match(run.text, /make run: PORT=.* is no port: use a number from 1 to 65535/);
	}
});

test("a state folder that cannot be written is one sentence", async () => {
	writeFileSync(join(base, "file"), "");
	const run = new MakeRun({ state: join(base, "file"), port: await freePort() });
	assert.notEqual((await run.ended).code, 0);
	assert.match(run.text, /make run: cannot write to the state folder/);
});

test("a half-built state folder works", async () => {
	const state = join(base, "half");
	mkdirSync(join(state, "pg.new/base"), { recursive: true }); // an initdb that was interrupted
	mkdirSync(join(state, "pg/base"), { recursive: true }); // a database that never was one
	writeFileSync(join(state, "run.path"), "/nowhere/at/all\n");
	writeFileSync(join(state, "pid"), "1\n");
	mkdirSync(join(state, "devidp"));
	writeFileSync(join(state, "devidp/keys.json.new"), "{");
	writeFileSync(join(state, "devidp/port"), "");
	const run = new MakeRun({ state, port: await freePort() });
	await run.up();
	assert.match(run.text, /note: .*\/pg was no complete database: moved to pg\.broken-1/);
	await run.stop();
	await gone(state);
});

test("stopped at any moment of the first start, it leaves no process, and the next start works", async () => {
	const state = join(base, "early");
	for (const pattern of [/making the database/, /starting PostgreSQL/, /bringing the database/, /starting the PulseChat/]) {
		const run = new MakeRun({ state, port: await freePort() });
		await Promise.race([run.says(pattern, 60000), run.ended]).catch(() => {});
		await run.stop("SIGTERM");
		await gone(state);
	}
	const run = new MakeRun({ state, port: await freePort() });
	await run.up();
	await run.stop();
	await gone(state);
});

test("a mistake in the configuration is one clear sentence and exit status 2 of make", async () => {
	const state = join(base, "mistake");
	const run = new MakeRun({ state, port: await freePort(), env: { PULSECHAT_LOG_LEVEL: "shouting" } });
	const { code } = await run.ended;
	assert.equal(code, 2);
	assert.match(run.text, /make run: .*(level|LEVEL).*shouting/s);
	await gone(state);
});

test("a second checkout, deep below a folder that only root may enter, runs beside the first", async () => {
	const first = new MakeRun({ state: join(base, "beside"), port: await freePort() });
	const closed = join(base, "closed");
	mkdirSync(closed, { mode: 0o700 });
	const root = join(closed, "a-folder-with-quite-a-long-name-indeed".repeat(4), "and another one, with spaces", "pulsechat");
	mkdirSync(root, { recursive: true });
	const variants = ["asan", "faults", "tsan", "clang", "check", "fuzz", "pg-*"].map((v) => `build/${v}`);
	const leave = [".git", "var*", "tests/node_modules", "htdocs/node_modules/*", ...variants];
	execFileSync("sh", ["-c", `tar -C "$1" ${leave.map((l) => `--exclude='./${l}'`).join(" ")} -cf - . | tar -C "$2" -xf -`, "sh", ROOT, root]);
	mkdirSync(join(root, "htdocs/node_modules"), { recursive: true });
	execFileSync("cp", ["-a", join(ROOT, "htdocs/node_modules/.pulsechat-lock"), join(root, "htdocs/node_modules/")]);
	const second = new MakeRun({ state: join(root, "var"), port: await freePort(), root });
	try {
		await Promise.all([first.up(), second.up()]);
		assert.ok((await first.healthy()) && (await second.healthy()));
		const carol = await signIn(second, "carol");
		assert.equal((await carol.get("/api/v1/me")).json.user.handle, "carol");
		await first.stop();
		assert.ok(await second.healthy());
	} finally {
		await first.stop();
		await second.stop();
	}
	await gone(join(base, "beside"));
	await gone(join(root, "var"));
});
