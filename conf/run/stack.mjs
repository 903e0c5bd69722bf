// stack: everything that a PulseChat site needs, started below one state folder: PostgreSQL, migrations, the development
// OpenID provider with its people, pulsechat-api, pulsechat-realtime, lighttpd. `make run` (main.mjs) and the test suites
// (tests/support/stack.mjs) both use it.
//
//   STATE/pulsechat.conf  the configuration in use     STATE/pg       the database cluster
//   STATE/lighttpd.conf   the web server's             STATE/devidp   the provider's secret, keys and port
//   STATE/log/            one log per program          STATE/run.path the folder of the sockets (a short path)
//   STATE/files/          the local store: its secret, its port, and the objects

import { execFile, execFileSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { EventEmitter } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Proc } from "./proc.mjs";
import { confText, mergeConf } from "./ini.mjs";
import { clusterVersion, isRoot, makeCluster, makeSocketDir, pgBin, pgPrivileges, pgReady, serverArgv, stalePid } from "./postgres.mjs";
import { PEOPLE } from "../../tests/devidp/people.mjs";

const run = promisify(execFile);
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
// By its full path: else a reload closes its door until the last connection has gone.
export const LIGHTTPD = existsSync("/usr/sbin/lighttpd") ? "/usr/sbin/lighttpd" : "lighttpd";
const ISSUER_PATH = "/t/dev/oauth2/token";

/** A sentence for a person: shown without a stack trace. */
export class Trouble extends Error {}

/**
 * Events: "step" (text), "note" (text), "died", "restarted", "loop" (program, {code, signal}), "exit" (program, end).
 * options:
 *   state      state folder (absolute)        port       of the web server
 *   variant    plain, asan, tsan, clang       api        number of pulsechat-api processes (1)
 *   conf       overrides of pulsechat.conf    realtime   number of pulsechat-realtime processes (2)
 *   supervise  start again what dies (true)   test       quick and unsafe settings, provider with /control (false)
 *   env        for the C programs             wrap       argv in front of the C programs ([])
 *   template   a state folder to begin with a copy of: its cluster, brought up to date by the same programs, and its provider
 *   idpPort    of the provider; 0: kept in the state, else picked
 *   postgres   further server settings        only       names to start at first; default all
 *   provider   the OpenID provider (true)
 *   files      the local store, by a process and on a port of its own (true)   filesPort, sendfile   of it, as idpPort; see [files]
 *   site       the public address where it is not the web server's own (a TLS server in front)
 *   front      (stack) => {name, argv, ...} of another web server, in lighttpd's place and on its port
 */
export class Stack extends EventEmitter {
	constructor(options) {
		super();
		Object.assign(
			this,
			{ variant: "plain", api: 1, realtime: 2, conf: {}, supervise: true, test: false, env: {}, wrap: [], idpPort: 0, postgres: {} },
			{ files: true, provider: true, filesPort: 0, sendfile: "X-Sendfile" },
			options,
		);
		this.host = this.port === 80 ? "127.0.0.1" : `127.0.0.1:${this.port}`;
		this.url = `http://${this.host}`;
		this.confPath = join(this.state, "pulsechat.conf");
		this.logDir = join(this.state, "log");
		this.procs = new Map();
		this.stopping = null;
	}

	program(name) {
		return this.variant === "plain" ? join(ROOT, "build", name) : join(ROOT, "build", this.variant, name);
	}

	async start() {
		this.#prepareState();
		await this.#choosePorts();
		await this.#prepareCluster();
		this.#writeConf();
		this.#define();
		const wanted = (name) => !this.only || this.only.includes(name === this.frontName ? "lighttpd" : name);
		this.step("starting PostgreSQL and the OpenID provider");
		const idp = this.provider && wanted("devidp") ? this.up("devidp", 20000) : null;
		idp?.catch(() => {}); // looked at below
		if (wanted("postgres")) {
			await this.up("postgres", 60000);
			this.step("bringing the database up to date");
			if (!this.template) await this.migrate();
			await this.#people();
		}
		await idp;
		this.step("starting the PulseChat programs");
		const rest = [...this.procs.keys()].filter((n) => n !== "postgres" && n !== "devidp" && wanted(n));
		await Promise.all(rest.map((n) => this.up(n, 30000)));
		if (!this.only) await this.#serves();
	}

	/** Starts one program and waits until it answers. */
	async up(name, ms = 30000) {
		if (this.stopping) throw new Trouble("stopped");
		const proc = this.proc(name);
		proc.start();
		try {
			await proc.untilReady(ms);
		} catch (e) {
			throw new Trouble(`${e.message}\n(all of it: ${proc.log})`);
		}
	}

	proc(name) {
		const proc = this.procs.get(name) ?? this.procs.get(`${name}1`) ?? (name === "lighttpd" && this.procs.get(this.frontName));
		if (!proc) throw new Error(`no program ${name}: there are ${[...this.procs.keys()].join(", ")}`);
		return proc;
	}

	/** Stops everything: web-facing programs together, then the database. The data stays. */
	stop() {
		this.stopping ??= (async () => {
			const all = [...this.procs.values()].reverse();
			await Promise.all(all.filter((p) => p.name !== "postgres").map((p) => p.stop()));
			const pg = this.procs.get("postgres");
			if (pg) await pg.stop();
			if (this.runDir) rmSync(this.runDir, { recursive: true, force: true });
			rmSync(join(this.state, "run.path"), { force: true });
		})();
		return this.stopping;
	}

	/** A second Ctrl-C. */
	killAll() {
		for (const p of this.procs.values()) if (p.child) p.stop(p.name === "postgres" ? "SIGQUIT" : "SIGKILL");
	}

	step(text) {
		this.emit("step", text);
	}

	cli(args, options = {}) {
		return run(this.program("pulsechat"), ["-c", this.confPath, ...args], {
			env: { ...process.env, ...this.env },
			maxBuffer: 64 << 20,
			cwd: "/",
			...options,
		});
	}

	async psql(sql, { user = "pulsechat", db = "pulsechat", args = ["-XAtq"] } = {}) {
		const bin = join(pgBin(), "psql");
		const child = run(bin, ["-h", this.pgSocket, "-U", user, "-d", db, "-v", "ON_ERROR_STOP=1", ...args, "-f", "-"], {
			maxBuffer: 256 << 20,
			env: { ...process.env, PGCLIENTENCODING: "UTF8" },
		});
		child.child.stdin.end(sql);
		return (await child).stdout.replace(/\n$/, "");
	}

	async migrate() {
		await this.#program(["migrate"], "the database cannot be brought up to date");
	}

	async #program(args, trouble) {
		try {
			return (await this.cli(args)).stdout;
		} catch (e) {
			throw new Trouble(`${trouble}: pulsechat ${args.join(" ")}: ${(e.stderr || e.message).trim()}`);
		}
	}

	#prepareState() {
		try {
			const own = ["devidp", "cache", ...(this.files ? ["files"] : [])].map((d) => join(this.state, d));
			for (const dir of [this.state, this.logDir, ...own])
				mkdirSync(dir, { recursive: true, mode: dir === this.state ? 0o711 : 0o700 });
			writeFileSync(join(this.state, ".probe"), "");
			rmSync(join(this.state, ".probe"));
		} catch (e) {
			throw new Trouble(`cannot write to the state folder ${this.state}: ${e.message}`);
		}
		// Sockets have short names (a path of at most 107 bytes) in a folder of their own, wherever the checkout is.
		const kept = join(this.state, "run.path");
		let old = "";
		try {
			old = readFileSync(kept, "utf8").trim();
		} catch {
			// first start, or a clean stop
		}
		if (/\/pulsechat-[A-Za-z0-9]{6}$/.test(old) && existsSync(old) && statSync(old).uid === process.getuid())
			rmSync(old, { recursive: true, force: true }); // a start that was killed left it behind
		const xdg = process.env.XDG_RUNTIME_DIR;
		const base = [isRoot ? "/run" : xdg, tmpdir(), "/tmp"].find((d) => d && d.length < 60 && writable(d));
		if (!base) throw new Trouble("there is no folder for sockets: neither /run, $XDG_RUNTIME_DIR nor /tmp can be written");
		this.runDir = mkdtempSync(join(base, "pulsechat-"));
		chmodSync(this.runDir, 0o711);
		writeFileSync(kept, `${this.runDir}\n`);
		this.pgSocket = join(this.runDir, "pg");
		makeSocketDir(this.pgSocket);
	}

	async #choosePorts() {
		const busy = await portTrouble(this.port);
		if (busy) throw new Trouble(busy);
		this.idpPort ||= await this.#keptPort("devidp/port", [this.port]);
		this.idpUrl = `http://${this.idpHost ?? "127.0.0.1"}:${this.idpPort}`;
		this.issuer = this.idpUrl + ISSUER_PATH;
		if (!this.files) return;
		this.filesPort ||= await this.#keptPort("files/port", [this.port, this.idpPort]);
		this.filesDir = join(this.state, "files/store");
		this.filesHost = `127.0.0.1:${this.filesPort}`;
		this.filesUrl ??= `http://${this.filesHost}`;
	}

	/** The port of an earlier start, or the first free one above the site's. */
	async #keptPort(name, taken) {
		const kept = join(this.state, name);
		let port;
		try {
			port = Number(readFileSync(kept, "utf8"));
		} catch {
			// first start
		}
		if (!port || taken.includes(port) || (await portTrouble(port))) {
			for (port = this.port + 1; port < 65536; port++) if (!taken.includes(port) && !(await portTrouble(port))) break;
			if (port > 65535) port = await freePort();
		}
		writeFileSync(kept, `${port}\n`);
		return port;
	}

	async #prepareCluster() {
		this.pgDir = join(this.state, "pg");
		if (existsSync(this.pgDir)) {
			if (!clusterVersion(this.pgDir)) {
				let n = 1;
				while (existsSync(`${this.pgDir}.broken-${n}`)) n++;
				renameSync(this.pgDir, `${this.pgDir}.broken-${n}`);
				this.emit("note", `${this.pgDir} was no complete database: moved to pg.broken-${n}, a new one is made`);
			} else {
				const pid = stalePid(this.pgDir);
				if (pid) {
					this.emit("note", `a database server of an earlier start (process ${pid}) still runs: stopping it`);
					await stopServer(pid);
					stalePid(this.pgDir);
				}
			}
		}
		try {
			if (!existsSync(this.pgDir)) {
				this.step("making the database");
				if (this.template) execFileSync("cp", ["-a", "--reflink=auto", `${this.template}/.`, this.state]);
				else await makeCluster(this.pgDir, { sync: !this.test });
			}
			this.pgAs = pgPrivileges(this.pgDir);
			this.pgArgv = serverArgv(this.pgDir, this.pgSocket, { sync: !this.test, settings: this.postgres });
		} catch (e) {
			throw new Trouble(`the database cannot be made: ${e.stderr || e.message}`);
		}
	}

	#writeConf() {
		// The programs need the secret before the provider is up, or without it; the provider keeps what it finds.
		const secret = join(this.state, "devidp/client_secret");
		const filesSecret = join(this.state, "files/secret");
		for (const file of [secret, ...(this.files ? [filesSecret] : [])])
			if (!existsSync(file)) writeWhole(file, `${randomBytes(32).toString("base64url")}\n`, 0o600);
		const conf = mergeConf(
			{
				site: { url: this.site ?? this.url, name: "PulseChat" },
				database: { dsn: `host=${this.pgSocket} dbname=pulsechat user=pulsechat` },
				api: { listen: this.socket("api1") },
				realtime: { listen: this.socket("realtime1") },
				// a test is quicker than people
				rate: { table: join(this.runDir, "rate"), ...(this.test && { session: 0, address: 0, login: 0, calls: 0, guess: 0 }) },
				...(this.test && { previews: { enabled: "no" } }), // tests ask nothing of the world
				oidc: {
					issuer: this.issuer,
					client_id: "pulsechat-dev",
					client_secret_file: relative(dirname(this.confPath), secret),
					buttons: "google:Google:Google, github:GitHub:GitHub",
				},
				...(this.files && {
					files: {
						store: "local",
						url: this.filesUrl,
						secret_key_file: relative(dirname(this.confPath), filesSecret),
						listen: this.socket("files1"),
						dir: relative(dirname(this.confPath), this.filesDir), // a line of the configuration is short
						sendfile: this.sendfile,
					},
				}),
			},
			this.confOverrides ?? this.conf, // a test stack names its overrides so, its conf is a path
		);
		writeWhole(this.confPath, confText(conf, ["The configuration in use, written at each start."]), 0o640);
	}

	socket(name) {
		return join(this.runDir, `${name}.sock`);
	}

	#define() {
		const add = (name, spec) => {
			const proc = new Proc({ name, log: join(this.logDir, `${name}.log`), supervise: this.supervise, ...spec });
			for (const event of ["died", "restarted", "loop", "exit"]) proc.on(event, (end) => this.emit(event, name, end, proc));
			proc.on("note", (text) => this.emit("note", text));
			this.procs.set(name, proc);
		};
		add("postgres", {
			argv: this.pgArgv,
			privileges: this.pgAs,
			stopSignal: "SIGINT",
			stopWait: 30000,
			ready: () => pgReady(this.pgSocket),
		});
		if (this.provider)
			add("devidp", {
				argv: [
					process.execPath,
					join(ROOT, "tests/devidp/server.mjs"),
					...["--state", join(this.state, "devidp"), "--port", String(this.idpPort), "--site", this.site ?? this.url],
					...(this.idpHost ? ["--host", this.idpHost] : []),
					...(this.test ? ["--test"] : []),
				],
				ready: () => tcpReady(this.idpPort),
			});
		const c = (name, argv) =>
			add(name, { argv: [...this.wrap, ...argv], env: this.env, ready: () => tcpReady(this.socket(name)), stopWait: 15000 });
		for (let i = 1; i <= this.api; i++) {
			const name = `api${i}`;
			c(name, [this.program("pulsechat-api"), "-c", this.confPath]);
			this.procs.get(name).env = { ...this.env, PULSECHAT_API_LISTEN: this.socket(name) };
		}
		if (this.files) c("files1", [this.program("pulsechat-api"), "-c", this.confPath, "--files"]);
		for (let i = 1; i <= this.realtime; i++) {
			const name = `realtime${i}`;
			c(name, [this.program("pulsechat-realtime"), "-c", this.confPath, "--listen", this.socket(name), "--node", name]);
		}
		this.#writeLighttpd();
		const front = this.front?.(this) ?? { name: "lighttpd", argv: [LIGHTTPD, "-D", "-f", join(this.state, "lighttpd.conf")] };
		add(front.name, { env: { PATH: `${process.env.PATH}:/usr/sbin` }, ready: () => tcpReady(this.port), ...front });
		this.frontName = front.name;
	}

	#writeLighttpd() {
		const hard = Number(/Max open files\s+\S+\s+(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 4096);
		const fds = Math.min(20000, hard);
		const names = (kind) => [...this.procs.keys()].filter((n) => n.startsWith(kind));
		const put = {
			HTDOCS: this.htdocs ?? join(ROOT, "build/htdocs"),
			CONF: join(ROOT, "conf/lighttpd"),
			STATE: this.state,
			RUN: this.runDir,
			HOST: this.host,
			PORT: this.port,
			IDP: this.idpUrl,
			FDS: fds,
			CONNECTIONS: Math.floor(fds / 2),
			FILES: this.filesUrl ?? "",
			FILESHOST: !this.files
				? ""
				: [
						`var.pc_files_api = "${this.socket("files1")}"`,
						`var.pc_files_dir = "${this.filesDir}"`,
						`$SERVER["socket"] == "${this.filesHost}" {\n\tinclude "${join(ROOT, "conf/lighttpd")}/files-host.conf"\n}`,
					].join("\n"),
			FILESELSE: this.files ? "else " : "",
			IPV6: ipv6() ? `$SERVER["socket"] == "[::1]:${this.port}" { }` : "",
			API: names("api")
				.map((n) => `"${n}" => ( "socket" => "${this.socket(n)}", "check-local" => "disable", "disable-time" => 0 )`)
				.join(", "),
			REALTIME: names("realtime")
				.map((n) => `"${n}" => ( "host" => "${this.socket(n)}", "disable-time" => 0 )`)
				.join(", "),
		};
		const text = readFileSync(join(ROOT, "conf/lighttpd/run.conf.in"), "utf8").replace(/@([A-Z0-9]+)@/g, (all, key) => {
			if (!(key in put)) throw new Error(`run.conf.in: ${all}?`);
			const value = String(put[key]);
			if (["HTDOCS", "CONF", "STATE"].includes(key) && /["\\\n$]/.test(value))
				throw new Trouble(`the web server cannot work in a folder with a quote, backslash or dollar sign in its name: ${value}`);
			return value;
		});
		writeWhole(join(this.state, "lighttpd.conf"), text, 0o640);
	}

	/** The demo people, by issuer and subject. A provider that had to move to another port keeps its people. */
	async #people() {
		const stamp = join(this.state, "devidp/people");
		let known = {};
		try {
			known = JSON.parse(readFileSync(stamp, "utf8"));
		} catch {
			// first start
		}
		const handles = PEOPLE.map((p) => p.login);
		if (known.issuer === this.issuer && handles.every((h) => known.handles?.includes(h))) return;
		if (known.issuer && known.issuer !== this.issuer) {
			this.emit("note", "the OpenID provider has another address now: its people move along");
			await this.moveIssuer(known.issuer, this.issuer);
		}
		for (const p of PEOPLE) {
			if (known.handles?.includes(p.login)) continue;
			const who = ["--name", p.claims.name, "--issuer", this.issuer, "--subject", p.sub];
			const owner = p.login === "alice" ? ["--role", "owner"] : [];
			try {
				await this.cli(["user", "add", p.login, ...who, ...owner]);
			} catch (e) {
				// A start that was interrupted here has made some of them already.
				if (!/already|taken|exists|in use/i.test(e.stderr ?? ""))
					throw new Trouble(`${p.login} cannot be made: ${(e.stderr || e.message).trim()}`);
			}
		}
		writeWhole(stamp, JSON.stringify({ issuer: this.issuer, handles }), 0o600);
	}

	async moveIssuer(from, to) {
		const quote = (s) => `'${s.replaceAll("'", "''")}'`;
		await this.psql(`
			SELECT format('UPDATE %I SET issuer = %L WHERE issuer = %L', table_name, ${quote(to)}, ${quote(from)})
			FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'issuer' \\gexec`);
	}

	async #serves() {
		const end = Date.now() + 20000;
		let last = "no answer";
		while (Date.now() < end) {
			try {
				const answer = await fetch(`${this.url}/healthz`);
				if (answer.ok) return;
				last = `${answer.status} ${(await answer.text()).slice(0, 200)}`;
			} catch (e) {
				last = e.cause?.message ?? e.message;
			}
			if (this.stopping) throw new Trouble("stopped");
			await new Promise((ok) => setTimeout(ok, 100));
		}
		throw new Trouble(`the site does not answer at ${this.url}/healthz: ${last}`);
	}
}

function writable(dir) {
	try {
		rmSync(mkdtempSync(join(dir, "pulsechat-")), { recursive: true });
		return true;
	} catch {
		return false;
	}
}

/** A file that others read is there whole or not at all. */
export function writeWhole(path, text, mode) {
	rmSync(`${path}.new`, { force: true });
	writeFileSync(`${path}.new`, text, { mode });
	renameSync(`${path}.new`, path);
}

let hasIpv6;
function ipv6() {
	hasIpv6 ??= existsSync("/proc/net/if_inet6") && /^0{31}1 /m.test(readFileSync("/proc/net/if_inet6", "utf8"));
	return hasIpv6;
}

function listens(port, host) {
	return new Promise((ok) => {
		const server = createServer();
		server.on("error", (e) => ok(e.code));
		server.listen({ port, host, exclusive: true }, () => server.close(() => ok(null)));
	});
}

/** Why the port cannot be had, as a sentence; null if it can. */
export async function portTrouble(port) {
	for (const host of ipv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
		const code = await listens(port, host);
		if (code === "EADDRINUSE") return `port ${port} is in use by another program: choose another one with PORT=${port + 1}, say`;
		if (code === "EACCES") return `port ${port} is for root only: choose one above 1023 with PORT=8080, say`;
		if (code) return `port ${port} cannot be used: ${code}`;
	}
	return null;
}

/**
 * Takes a port for this process until it ends: by UDP, which keeps nobody from TCP. Else two sites that start at the same time might
 * choose one, or one of them try whether the other's is free just when that is to be used.
 */
function claim(port) {
	return new Promise((ok) => {
		const socket = createSocket("udp4");
		socket.on("error", () => socket.close(() => ok(false)));
		socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => {
			socket.unref();
			ok(true);
		});
	});
}

/** A port that nobody has, below those that the system takes for outgoing connections: none of them gets in the way later. */
export async function freePort() {
	const outgoing = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/)[0]);
	const [low, high] = outgoing > 20000 ? [10000, outgoing] : [61000, 65536];
	for (;;) {
		const port = randomInt(low, high);
		if ((await claim(port)) && !(await portTrouble(port))) return port;
	}
}

/** Whether a port (number) or a Unix socket (path) accepts. */
export function tcpReady(where) {
	return new Promise((ok) => {
		const socket = typeof where === "number" ? connect(where, "127.0.0.1") : connect(where);
		socket.setTimeout(1000);
		const end = (answer) => {
			socket.destroy();
			ok(answer);
		};
		socket.on("connect", () => end(true));
		socket.on("error", () => end(false));
		socket.on("timeout", () => end(false));
	});
}

async function stopServer(pid) {
	const gone = async (ms) => {
		for (const end = Date.now() + ms; Date.now() < end; await new Promise((ok) => setTimeout(ok, 50)))
			if (!existsSync(`/proc/${pid}`)) return true;
		return false;
	};
	for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"]) {
		try {
			process.kill(pid, signal);
		} catch {
			return;
		}
		if (await gone(10000)) return;
	}
}
