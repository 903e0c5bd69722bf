// help: what stands between a site and its database in these tests: the relay (relay.mjs), and a real PgBouncer.

import { execFile, fork } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeCluster, makeSocketDir, pgBin, pgOwner, pgPrivileges, pgReady, serverArgv } from "../../conf/run/postgres.mjs";
import { Proc } from "../../conf/run/proc.mjs";
import { tcpReady } from "../../conf/run/stack.mjs";
import { sleep } from "../support/until.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
export { sleep };

export async function startRelay() {
	const child = fork(join(HERE, "relay.mjs"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
	process.once("exit", () => child.kill("SIGKILL"));
	const send = (m) => child.connected && child.send(m);
	const open = (link, listen, to) =>
		new Promise((ok) => {
			const hear = (m) => {
				if (m.opened !== link) return;
				child.off("message", hear);
				ok(m.at);
			};
			child.on("message", hear);
			send({ op: "open", link, listen, to });
		});
	return { send, open, ended: () => !child.connected, stop: () => child.connected && child.disconnect() };
}

/** The slow store of store.mjs, in which all is `size` bytes large: {conf, held, reading, quick(on), stop()}. */
export async function startStore(port, size) {
	const child = fork(join(HERE, "store.mjs"), [`${port}`, `${size}`], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
	process.once("exit", () => child.kill("SIGKILL"));
	const endpoint = `http://127.0.0.1:${port}`;
	const store = {
		conf: { store: "s3", endpoint, region: "us-east-1", bucket: "pulsechat", access_key: "key", secret_key: "secret" },
		quick: (on) => child.send({ quick: on }),
		stop: () => child.connected && child.disconnect(),
	};
	child.on("message", (m) => Object.assign(store, m));
	await new Promise((ok) => child.once("message", ok));
	return store;
}

/** Programs of the stack that are started from now on reach the database by this folder's socket. */
export function reach(stack, folder, names) {
	for (const [name, proc] of stack.procs)
		if (names.test(name)) proc.env = { ...proc.env, PULSECHAT_DATABASE_DSN: `host=${folder} dbname=pulsechat user=pulsechat` };
}

/** The database behind the relay, as link "db"; for all C programs of the stack, which must not run yet. */
export async function relayDatabase(stack, relay, names = /^(api|realtime)/) {
	const folder = join(stack.runDir, "relay");
	mkdirSync(folder, { mode: 0o755 });
	await relay.open("db", join(folder, ".s.PGSQL.5432"), join(stack.pgSocket, ".s.PGSQL.5432"));
	reach(stack, folder, names);
}

const run = promisify(execFile);

/** One more server beside the stack's: {dir, socket, psql(sql, db), kill(), stop()}. fill(dir) makes its data. */
export async function startCluster(stack, name, fill = (dir) => makeCluster(dir, { sync: false }), settings = {}) {
	const dir = join(stack.state, name);
	const socket = join(stack.runDir, name);
	makeSocketDir(socket);
	await fill(dir);
	const privileges = pgPrivileges(dir);
	const proc = new Proc({
		name,
		argv: serverArgv(dir, socket, { sync: false, settings }),
		privileges,
		stopSignal: "SIGINT",
		ready: () => pgReady(socket),
		log: join(stack.logDir, `${name}.log`),
		supervise: false,
	});
	proc.start();
	await proc.untilReady(60000);
	return {
		dir,
		socket,
		psql: (sql, db = "pulsechat") => pgTool("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "postgres", "-d", db, "-c", sql]),
		kill: () => proc.stop("SIGKILL"), // its children end as they notice
		stop: () => proc.stop("SIGQUIT"),
	};
}

/** One of PostgreSQL's programs, as the cluster's owner; its output. */
export async function pgTool(name, args) {
	const { stdout } = await run("setpriv", [...pgPrivileges("/"), join(pgBin(), name), ...args], { cwd: "/", maxBuffer: 64 << 20 });
	return stdout.trim();
}

/** PgBouncer before the stack's database: {folder (of its socket), log(), stop()}. mode: transaction, session. */
export async function startPooler(stack, mode, poolSize = 20) {
	const folder = join(stack.runDir, `pooler-${mode}`);
	const ini = join(folder, "pgbouncer.ini");
	mkdirSync(folder, { mode: 0o755 });
	const owner = pgOwner();
	if (owner) chownSync(folder, owner.uid, owner.gid);
	const settings = {
		pool_mode: mode,
		listen_addr: "",
		listen_port: 5432,
		unix_socket_dir: folder,
		auth_type: "any",
		max_client_conn: 200,
		default_pool_size: poolSize,
	};
	writeFileSync(
		ini,
		`[databases]\npulsechat = host=${stack.pgSocket} dbname=pulsechat user=pulsechat\n[pgbouncer]\n${Object.entries(settings)
			.map(([k, v]) => `${k} = ${v}\n`)
			.join("")}`,
	);
	const log = join(stack.logDir, `pooler-${mode}.log`);
	const path = `${process.env.PATH}:/usr/sbin:/sbin`;
	const proc = new Proc({
		name: "pgbouncer",
		argv: ["pgbouncer", ini],
		env: { PATH: path },
		privileges: pgPrivileges(folder),
		stopSignal: "SIGINT",
		ready: () => tcpReady(join(folder, ".s.PGSQL.5432")),
		log,
		supervise: false,
	});
	proc.start();
	await proc.untilReady(10000);
	return { folder, log: () => readFileSync(log, "utf8"), stop: () => proc.stop("SIGTERM") };
}

/** Looks at the listeners all the time: none may be in a transaction, or it would keep the notification queue from being emptied. */
export function watchListeners(stack) {
	let on = true;
	let seen = 0;
	const bad = [];
	const done = (async () => {
		while (on && !stack.stopping) {
			try {
				const rows = await stack.psql(
					`SELECT application_name, state, now() - xact_start FROM pg_stat_activity WHERE application_name LIKE '%-listen'`,
					{ user: "postgres" },
				);
				for (const row of rows.split("\n").filter(Boolean)) {
					seen++;
					if (/idle in transaction/.test(row)) bad.push(row);
				}
			} catch {
				// the database is away
			}
			await sleep(100);
		}
	})();
	return {
		/** Ends it: {seen, bad}. */
		async stop() {
			on = false;
			await done;
			return { seen, bad };
		},
	};
}
