// site: what the cells of `make bench` stand on: a site with full durability and no sanitizer, people, channels and tokens put
// in by SQL, the load generator, the floor, pgbench, and a wait for a quiet machine.

import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { ROOT, freePort, tcpReady } from "../../conf/run/stack.mjs";
import { pgBin } from "../../conf/run/postgres.mjs";
import { startStack } from "../support/stack.mjs";
import { sleep } from "../support/until.mjs";

const run = promisify(execFile);
const BIN = join(ROOT, "build/plain/tests/bench");
export { sleep };

export function median(list) {
	const s = list.filter(Number.isFinite).sort((a, b) => a - b);
	if (s.length === 0) return NaN;
	return s.length % 2 ? s[(s.length - 1) / 2] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2;
}

// --- the machine

function machine() {
	const v = readFileSync("/proc/stat", "utf8").split("\n")[0].trim().split(/\s+/).slice(1).map(Number);
	return { busy: v[0] + v[1] + v[2] + v[5] + v[6], at: performance.now() };
}

/** Cores in use over a second. */
export async function busyCores(ms = 1000) {
	const a = machine();
	await sleep(ms);
	const b = machine();
	return ((b.busy - a.busy) * 10) / (b.at - a.at);
}

/** Waits until less than 0.2 of a core is in use, at most so long. Returns what is in use then. */
export async function quiet(seconds) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const cores = await busyCores();
		if (cores < 0.2 || Date.now() > end) return cores;
	}
}

export function conditions() {
	const text = (path) => {
		try {
			return readFileSync(path, "utf8").trim();
		} catch {
			return "?";
		}
	};
	return {
		at: new Date().toISOString(),
		cpu: cpus()[0]?.model,
		cores: cpus().length,
		kernel: text("/proc/sys/kernel/osrelease"),
		congestion: text("/proc/sys/net/ipv4/tcp_congestion_control"),
		postgres: pgBin().split("/").at(-2),
		note: "load generator, servers and database share the machine; loopback, no TLS; default durability (fsync on)",
	};
}

// --- the site

/** What must not be in a run, as far as it is there. */
export const faults = (r) =>
	["lost", "backward", "foreign", "unordered", "resets", "bad_answers"]
		.filter((k) => r[k])
		.map((k) => `${k} ${r[k]}${r.trouble ? ` (${r.trouble})` : ""}`);

/** A site with one process of each kind; pulsechat-realtime is reached past the web server: by TCP, as the floor is, or (local) by
 *  its Unix socket, as pgbench reaches PostgreSQL. */
export async function startSite({ proxied = false, local = false, conf = {}, postgres = {} } = {}) {
	const stack = await startStack({
		variant: "plain",
		api: 1,
		realtime: 1,
		supervise: false,
		conf: { "log.level": "warning", ...conf },
		postgres: {
			fsync: "on",
			full_page_writes: "on",
			shared_buffers: "256MB",
			max_wal_size: "4GB",
			autovacuum_naptime: "1min",
			...postgres,
		},
	});
	const site = { stack, tokens: [], proxied, channels: new Map() };
	const realtime = stack.proc("realtime1");
	if (local) {
		site.address = stack.socket("realtime1");
	} else if (!proxied) {
		const port = await freePort();
		site.address = `127.0.0.1:${port}`;
		await stack.down("realtime1");
		realtime.argv = realtime.argv.map((a) => (a === stack.socket("realtime1") ? site.address : a));
		realtime.ready = () => tcpReady(port);
		await stack.up("realtime1");
	} else {
		site.address = stack.host;
	}
	site.restart = async () => {
		await stack.down("realtime1");
		await stack.up("realtime1");
	};
	site.cpu = () =>
		Object.entries({ realtime: "realtime1", api: "api1", postgres: "postgres", lighttpd: "lighttpd" }).map(
			([as, name]) => `${as}:${stack.pids[name]}${as === "postgres" ? "+" : ""}`,
		);
	site.stop = () => stack.stop();
	return site;
}

const token = (n) => `pct_${createHash("sha256").update(`bench ${n}`).digest("base64url")}`;

/** People 0..n-1 and a token for each. */
export async function people(site, n) {
	const from = site.tokens.length;
	if (from >= n) return;
	for (let i = from; i < n; i++) site.tokens.push(token(i));
	const rows = [];
	for (let i = from; i < n; i++) rows.push(`${i}\t${createHash("sha256").update(site.tokens[i]).digest("hex")}`);
	await site.stack.psql(`CREATE TEMP TABLE t (n int, hash text);
COPY t FROM STDIN;
${rows.join("\n")}
\\.
INSERT INTO users (handle, name) SELECT 'bench' || n, 'Bench ' || n FROM t ORDER BY n;
INSERT INTO sessions (secret_hash, kind, user_id, scopes, name)
SELECT decode(t.hash, 'hex'), 'token', u.id, '{read,write}', 'bench' FROM t JOIN users u ON u.handle = 'bench' || t.n;
ANALYZE users; ANALYZE sessions;`);
}

/** New channels; members: for each a list of people's numbers. Returns the ids. No events: done before anyone connects. */
export async function channels(site, name, members) {
	const rows = members.flatMap((list, c) => list.map((n) => `${c}\t${n}`));
	const out = await site.stack.psql(`CREATE TEMP TABLE t (c int, n int);
COPY t FROM STDIN;
${rows.join("\n")}
\\.
INSERT INTO channels (kind, name) SELECT 'public', '${name} ' || g FROM generate_series(0, ${members.length - 1}) g;
INSERT INTO members (channel_id, user_id, since)
SELECT c.id, u.id, 0 FROM t JOIN channels c ON c.name = '${name} ' || t.c JOIN users u ON u.handle = 'bench' || t.n;
ANALYZE channels; ANALYZE members;
SELECT c.id FROM channels c JOIN generate_series(0, ${members.length - 1}) g ON c.name = '${name} ' || g ORDER BY g;`);
	return out.split("\n").map(Number);
}

export async function userIds(site) {
	const out = await site.stack.psql("SELECT id FROM users WHERE handle ~ '^bench[0-9]+$' ORDER BY substr(handle, 6)::int");
	return out.split("\n").map(Number);
}

// --- programs of ours

class Program {
	constructor(argv) {
		this.child = spawn(argv[0], argv.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
		this.lines = [];
		this.waiters = [];
		createInterface({ input: this.child.stdout }).on("line", (l) => {
			const w = this.waiters.shift();
			if (w) w.ok(l);
			else this.lines.push(l);
		});
		this.gone = new Promise((ok) => this.child.on("exit", (code, signal) => ok(signal ?? code)));
		this.gone.then((how) => this.waiters.forEach((w) => w.no(new Error(`${argv[0]} ended (${how})`))));
		live.add(this.child);
		this.gone.then(() => live.delete(this.child));
	}

	line() {
		if (this.lines.length) return Promise.resolve(this.lines.shift());
		return new Promise((ok, no) => this.waiters.push({ ok, no }));
	}

	async stop() {
		this.child.kill("SIGTERM");
		await this.gone;
	}
}
const live = new Set();
process.on("exit", () => live.forEach((c) => c.kill("SIGKILL")));

/** Hears the notifications of a database, as a hub does. */
export async function startListener(site, db, user, channel) {
	const p = new Program([join(BIN, "listener"), `host=${site.stack.pgSocket} dbname=${db} user=${user}`, channel]);
	await p.line();
	return p;
}

export async function startFloor() {
	const address = `127.0.0.1:${await freePort()}`;
	const p = new Program([join(BIN, "floor"), address]);
	await p.line();
	return { address, cpu: () => [`floor:${p.child.pid}`], pid: p.child.pid, stop: () => p.stop(), isFloor: true };
}

let files = 0;

/** clients: [{kind, token, channel, publisher}]. */
export class Load {
	static async start(target, dir, clients, { host = "127.0.0.1", body = 300, browser = false, wait = 25 } = {}) {
		const path = join(dir, `clients-${process.pid}-${files++}`);
		const text = clients.map(
			(c) => `${c.kind} ${target.isFloor ? `floor-${c.channel}` : c.token} ${c.channel} ${c.publisher ? "p" : "-"}`,
		);
		writeFileSync(path, `${text.join("\n")}\n`);
		const load = new Load();
		load.program = new Program([
			join(BIN, "load"),
			...["--target", target.address, "--clients", path, "--host", host, "--body", String(body), "--wait", String(wait)],
			...(browser ? ["--browser"] : []),
			...target.cpu().flatMap((c) => ["--cpu", c]),
		]);
		return load;
	}

	async do(command) {
		this.program.child.stdin.write(`${command}\n`);
		const line = await this.program.line();
		try {
			return JSON.parse(line);
		} catch {
			throw new Error(`load said: ${line}`);
		}
	}

	async open() {
		const r = await this.do("open");
		if (r.open !== r.of) throw new Error(`${r.open} of ${r.of} clients could connect: ${r.trouble}`);
		return r;
	}

	run(rate, warm, seconds, drain = 5) {
		return this.do(`run ${rate} ${warm} ${seconds} ${drain}`);
	}

	closed(warm, seconds, drain = 20) {
		return this.do(`closed ${warm} ${seconds} ${drain}`);
	}

	rest(what, count, warm, seconds) {
		return this.do(`rest ${what} ${count} ${warm} ${seconds}`);
	}

	idle(seconds) {
		return this.do(`idle ${seconds}`);
	}

	async stop() {
		this.program.child.stdin.end("quit\n");
		await this.program.gone;
	}
}

// --- pgbench

/** Runs a script; {tps, p50, p99 (ms)} with log, else {tps, mean}. */
export async function pgbench(
	site,
	script,
	{ db = "pulsechat", clients = 8, seconds = 3, user = "pulsechat", vars = {}, log = false } = {},
) {
	const dir = site.stack.dir;
	const file = join(dir, `pgbench-${files++}.sql`);
	writeFileSync(file, script);
	const prefix = join(dir, `pgbench-log-${files++}`);
	const argv = [
		"-n",
		"-M",
		"prepared",
		"-f",
		file,
		"-c",
		clients,
		"-j",
		Math.min(2, clients),
		"-T",
		seconds,
		"-h",
		site.stack.pgSocket,
	];
	const define = Object.entries(vars).flatMap(([k, v]) => ["-D", `${k}=${v}`]);
	const logging = log ? ["-l", `--log-prefix=${prefix}`] : [];
	const { stdout } = await run(join(pgBin(), "pgbench"), [...argv, ...define, ...logging, "-U", user, db].map(String), {
		maxBuffer: 64 << 20,
	});
	const out = {
		clients,
		tps: Number(/tps = ([\d.]+)/.exec(stdout)?.[1]),
		mean: Number(/latency average = ([\d.]+)/.exec(stdout)?.[1]),
	};
	if (log) {
		const times = readdirSync(dir)
			.filter((f) => join(dir, f).startsWith(`${prefix}.`))
			.flatMap((f) => readFileSync(join(dir, f), "utf8").trim().split("\n"))
			.map((l) => Number(l.split(" ")[2]) / 1000)
			.sort((a, b) => a - b);
		out.p50 = times[Math.floor(times.length * 0.5)];
		out.p95 = times[Math.floor(times.length * 0.95)];
		out.p99 = times[Math.floor(times.length * 0.99)];
	}
	return out;
}

/** The text of a named statement of sql/queries, with its parameters replaced. */
export function statement(name, params) {
	for (const f of readdirSync(join(ROOT, "sql/queries"))) {
		const text = readFileSync(join(ROOT, "sql/queries", f), "utf8");
		const hit = new RegExp(`^-- name: ${name}\\n([\\s\\S]*?)(?=^-- |(?![\\s\\S]))`, "m").exec(
			text.replace(/^-- (in|out):.*\n/gm, ""),
		);
		if (!hit) continue;
		const asked = Math.max(0, ...[...hit[1].matchAll(/\$(\d+)/g)].map((m) => Number(m[1])));
		if (asked !== params.length) throw new Error(`statement ${name} wants ${asked} parameters, not ${params.length}`);
		return hit[1].replace(/\$(\d+)/g, (_all, n) => params[Number(n) - 1]);
	}
	throw new Error(`no statement ${name}`);
}
