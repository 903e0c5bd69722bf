// stack: a whole PulseChat site of its own for a test file: own state folder, own free ports, quick and unsafe database settings.
//
//   import { startStack } from "../support/stack.mjs";
//   let stack;
//   before(async () => { stack = await startStack({ realtime: 2, conf: { "realtime.ring_events": 1000 } }); });
//   after(() => stack.stop());
//
// startStack(options):
//   variant    plain, asan, tsan, clang; default $PC_VARIANT (set by make check), else plain. Must be built already.
//   api, realtime   how many processes: 1, 2. Their names: api1, realtime1, realtime2; "api" and "realtime" mean the first
//   conf       overrides of pulsechat.conf: {"section.key": value} or {section: {key: value}}
//   supervise  true: what dies is started again, as by make run; false: it stays dead
//   only       names of the programs to start at first (["devidp", "api1"]: no database yet); then up(name), start everything later
//   empty      a cluster with an empty database in it (false: schema and demo people are there)
//   idpHost    localhost: the provider's name, which is another site than ours for a browser; default 127.0.0.1
//   front      name of another web server of servers.mjs in lighttpd's place; default $PC_FRONT, else lighttpd
//   provider   false: without the OpenID provider, which takes a second to start: for tests in which nobody signs in (true)
//   files      false: without the local store and its process (true)
//   postgres   further server settings ({log_statement: "all"})     env  for the C programs     wrap  argv before them
//
// The stack:
//   url, host, port       the site, http://127.0.0.1:PORT            issuer, idpUrl   the provider's
//   conf (path), state (folder), pgSocket (folder), socket(name)     socket of one program, for going past lighttpd
//   filesUrl, filesDir    the local store's origin and folder (its program: files1)
//   pids                  {name: pid}                                 names            all programs
//   await token(user, ["read", "write"])    a personal access token by `pulsechat token add`
//   await cli(["user", "list"])             {stdout, stderr}; rejects on failure (e.code, e.stderr)
//   await psql(sql, {user: "postgres"})     unaligned rows, fields separated by |
//   await kill(name, "SIGKILL")             a stranger's signal; resolves when that process is gone (not for SIGSTOP, SIGCONT)
//   await down(name) / await up(name)       stop gracefully and keep it so / start and wait until it serves
//   await restartPostgres({downtime: ms, signal: "SIGINT"})
//   await idp({alg: "ES256", fail: {token: 500}})   bend the provider, see tests/devidp/server.mjs
//   log(name)             text of its log so far                      exits(name)      [{code, signal, asked, at}]
//   forgive(name)         deaths of that program so far are no failure
//   await stop()          stops all of it and THROWS if a program died unasked, ended with a status other than 0, or wrote a
//                         sanitizer's report. Logs of a failed stack are kept in build/check/.
// The demo people (tests/devidp/people.mjs: alice is the owner, bob, carol, ...) are in the database.
// Signing in: tests/support/http.mjs. WebSocket and long-poll: tests/support/realtime.mjs. $KEEP=1 keeps the state folder.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, chmodSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ROOT, Stack, freePort } from "../../conf/run/stack.mjs";
import { pgBin } from "../../conf/run/postgres.mjs";
import { frontOf, startServer } from "./servers.mjs";

export { ROOT };
export { until } from "./until.mjs";

const SANITIZER = new RegExp(
	[
		"ERROR: \\w+Sanitizer",
		"WARNING: ThreadSanitizer",
		"runtime error:",
		"AddressSanitizer:",
		"^==\\d+==.*(Invalid (read|write)|uninitialised|definitely lost)",
		"Assertion `",
	].join("|"),
	"m",
);
const ENV = {
	ASAN_OPTIONS: "abort_on_error=0:exitcode=99:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
	UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
	TSAN_OPTIONS: "exitcode=98:halt_on_error=0:second_deadlock_stack=1:history_size=4",
};
const running = new Set();

export async function startStack(options = {}) {
	const dir = mkdtempSync(join(tmpdir(), "pulsechat-test-"));
	chmodSync(dir, 0o711);
	const variant = options.variant ?? (process.env.PC_VARIANT || "plain");
	const env = { ...ENV, ...options.env };
	const stack = new TestStack({
		variant,
		wrap: (process.env.PC_WRAP ?? "").split(" ").filter(Boolean),
		...options,
		front: frontOf(options.front ?? process.env.PC_FRONT),
		env,
		conf: options.conf ?? {},
		state: join(dir, "state"),
		port: await freePort(),
		idpPort: await freePort(),
		filesPort: await freePort(),
		...(/^nginx/.test(options.front ?? process.env.PC_FRONT ?? "") && { sendfile: "X-Accel-Redirect" }),
		test: true,
		...(!options.empty && { template: await template({ variant, env: ENV }) }),
	});
	stack.dir = dir;
	running.add(stack);
	if (!existsSync(join(ROOT, "build/htdocs/index.html"))) {
		stack.htdocs = join(dir, "htdocs"); // suites that need no client run without it
		mkdirSync(stack.htdocs);
		writeFileSync(join(stack.htdocs, "index.html"), "<!doctype html><title>PulseChat</title>\n");
	}
	try {
		await stack.start();
		const front = options.front ?? process.env.PC_FRONT;
		if (front && front !== "lighttpd" && !options.only) await stack.frontEach(front);
	} catch (e) {
		stack.keepLogs();
		await Stack.prototype.stop.call(stack);
		running.delete(stack);
		stack.remove();
		throw e;
	}
	return stack;
}

/**
 * A state to begin with, as the option `template` wants it: made once for these programs, and once a day (what is kept by date looks
 * at the clock). An initdb, all migrations, the demo people and the provider's keys take seconds, a copy a tenth.
 */
async function template({ variant, env }) {
	const programs = createHash("sha256").update(readFileSync(Stack.prototype.program.call({ variant }, "pulsechat")));
	const today = new Date().toISOString().slice(0, 10);
	const kind = `state-${basename(join(pgBin(), ".."))}-${process.getuid()}-${variant}-`;
	const dir = join(ROOT, "build", `${kind}${today}-${programs.digest("hex").slice(0, 16)}`);
	if (existsSync(dir)) return dir;
	for (const old of readdirSync(join(ROOT, "build")).filter((f) => f.startsWith(kind) && !f.includes(today)))
		rmSync(join(ROOT, "build", old), { recursive: true, force: true });
	const mine = mkdtempSync(join(tmpdir(), "pulsechat-template-"));
	chmodSync(mine, 0o711);
	const stack = new Stack({
		state: join(mine, "state"),
		port: await freePort(),
		idpPort: await freePort(),
		filesPort: await freePort(),
		...{ variant, env, supervise: false, test: true, only: ["postgres", "devidp"] },
	});
	try {
		await stack.start();
		await stack.stop();
		const fresh = `${dir}.${process.pid}`;
		mkdirSync(fresh);
		chmodSync(fresh, 0o711); // the copy's folder gets it
		for (const part of ["pg", "devidp"]) cpAll(join(stack.state, part), fresh);
		try {
			renameSync(fresh, dir);
		} catch (e) {
			if (!existsSync(dir)) throw e; // another test was quicker
			rmSync(fresh, { recursive: true });
		}
	} finally {
		await stack.stop();
		rmSync(mine, { recursive: true, force: true });
	}
	return dir;
}

class TestStack extends Stack {
	constructor(options) {
		super(options);
		this.forgiven = new Map();
		this.notes = [];
		this.on("note", (text) => this.notes.push(text));
	}

	get conf() {
		return this.confOverrides ? this.confPath : undefined;
	}

	set conf(overrides) {
		this.confOverrides = overrides;
	}

	get names() {
		return [...this.procs.keys()];
	}

	get pids() {
		return Object.fromEntries([...this.procs].map(([name, p]) => [name, p.pid]));
	}

	/** One more web server for each realtime process, which knows that one alone: for tests that choose a process. */
	async frontEach(name) {
		const which = this.names.filter((n) => n.startsWith("realtime"));
		this.fronts = new Map(await Promise.all(which.map(async (n) => [n, await startServer(name, this, { realtime: [n] })])));
	}

	async token(user, scopes) {
		const list = Array.isArray(scopes) ? scopes.join(",") : scopes;
		const { stdout } = await this.cli(["token", "add", user, ...(list ? ["--scopes", list] : [])]);
		const token = /pct_[A-Za-z0-9_-]+/.exec(stdout)?.[0];
		if (!token) throw new Error(`no token in the answer of token add: ${stdout}`);
		return token;
	}

	async kill(name, signal = "SIGKILL") {
		const proc = this.proc(name);
		if (signal === "SIGSTOP" || signal === "SIGCONT") return process.kill(proc.pid, signal);
		const gone = new Promise((ok) => proc.once("exit", ok));
		proc.kill(signal);
		return gone;
	}

	async down(name, signal) {
		return this.proc(name).stop(signal);
	}

	async restartPostgres({ downtime = 0, signal = "SIGINT" } = {}) {
		await this.down("postgres", signal);
		if (downtime) await new Promise((ok) => setTimeout(ok, downtime));
		await this.up("postgres", 60000);
	}

	async idp(change = {}) {
		const answer = await fetch(`http://127.0.0.1:${this.idpPort}/control`, { method: "POST", body: JSON.stringify(change) });
		return answer.json();
	}

	log(name) {
		return readFileSync(this.proc(name).log, "utf8");
	}

	exits(name) {
		return this.proc(name).exits;
	}

	forgive(name) {
		const proc = this.proc(name);
		this.forgiven.set(proc.name, proc.exits.length);
	}

	/** What went wrong in the programs, as lines. */
	faults() {
		const bad = [];
		for (const [name, proc] of this.procs) {
			const from = this.forgiven.get(name) ?? 0;
			proc.exits.slice(from).forEach((end) => {
				const how = end.signal ?? `exit ${end.code}`;
				if (!end.asked) bad.push(`${name} died unasked (${how}): ${proc.tail()}`);
				else if ([this.frontName, "devidp", "postgres"].includes(name)) return; // their way of ending is not ours
				else if (end.signal ? end.signal !== end.asked : end.code !== 0)
					bad.push(`${name} ended with ${how} after ${end.asked}: ${proc.tail()}`);
				// A program that has a shutdown of its own must use it.
				else if (end.signal === "SIGTERM" && /^(api|realtime|files)/.test(name)) bad.push(`${name} did not catch SIGTERM`);
			});
			if (proc.overdue) bad.push(`${name} did not stop in time`);
			if (!/^(api|realtime|files)/.test(name) || from) continue;
			let text = "";
			try {
				text = readFileSync(proc.log, "utf8");
			} catch {
				continue; // never started
			}
			const at = text.search(SANITIZER);
			if (at >= 0) bad.push(`${name} has a report in its log:\n${text.slice(at, at + 3000)}`);
		}
		return bad;
	}

	async stop() {
		if (!running.delete(this)) return;
		for (const server of this.fronts?.values() ?? []) await server.stop();
		await super.stop();
		const bad = this.faults();
		if (bad.length > 0) {
			const kept = this.keepLogs();
			this.remove();
			throw new Error(`${bad.join("\n")}\n(logs: ${kept})`);
		}
		this.remove();
	}

	keepLogs() {
		const kept = join(ROOT, "build/check", basename(this.dir));
		try {
			cpSync(this.logDir, kept, { recursive: true });
			cpSync(this.confPath, join(kept, "pulsechat.conf"));
		} catch {
			// not that far yet
		}
		return kept;
	}

	remove() {
		if (!process.env.KEEP) rmSync(this.dir, { recursive: true, force: true });
	}
}

function cpAll(from, to) {
	// cpSync keeps no owner
	execFileSync("cp", ["-a", "--reflink=auto", from, to]);
}

// A test run that is ended from outside takes its sites along (they die with us anyway; their folders do not).
process.on("exit", () => {
	for (const stack of running) {
		if (process.exitCode) stack.keepLogs();
		stack.killAll();
		stack.remove();
		if (stack.runDir) rmSync(stack.runDir, { recursive: true, force: true });
	}
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
	process.once(signal, async () => {
		await Promise.all([...running].map((s) => Stack.prototype.stop.call(s)));
		process.exit(1);
	});
