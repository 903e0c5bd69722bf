// postgres: a private PostgreSQL cluster: made whole or not at all, one Unix socket, no TCP, never as root.

import { execFile, execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const isRoot = process.getuid() === 0;

/** The programs' folder: that of the cluster's version, else the newest. */
export function pgBin(version) {
	const root = "/usr/lib/postgresql";
	const have = existsSync(root) ? readdirSync(root).filter((v) => existsSync(join(root, v, "bin/postgres"))) : [];
	if (version && have.includes(version)) return join(root, version, "bin");
	if (version) throw new Error(`the database is of PostgreSQL ${version}, which is not installed (there is ${have.join(", ") || "none"})`);
	const newest = have.sort((a, b) => Number(b) - Number(a))[0];
	if (!newest) throw new Error("PostgreSQL is not installed");
	return join(root, newest, "bin");
}

/** Version of the cluster in dir, undefined if there is none. */
export function clusterVersion(dir) {
	try {
		if (!existsSync(join(dir, "global/pg_control"))) return undefined;
		return readFileSync(join(dir, "PG_VERSION"), "utf8").trim();
	} catch {
		return undefined;
	}
}

let ids;
/** User and group that own the cluster when we are root. */
export function pgOwner() {
	if (!isRoot) return null;
	ids ??= ["-u", "-g"].map((flag) => {
		try {
			return Number(execFileSync("id", [flag, "postgres"], { stdio: ["ignore", "pipe", "ignore"] }));
		} catch {
			throw new Error("there is no user postgres on this machine: PostgreSQL is not fully installed");
		}
	});
	return { uid: ids[0], gid: ids[1] };
}

/**
 * setpriv arguments that make a program the cluster's owner. Below a folder that only root may enter, they let it pass by
 * CAP_DAC_READ_SEARCH.
 */
export function pgPrivileges(dir) {
	if (!isRoot) return [];
	const plain = ["--reuid=postgres", "--regid=postgres", "--init-groups"];
	// (not test -x: access(2) does not look at such a capability)
	const reach = (args) => {
		try {
			execFileSync("setpriv", [...args, "stat", `${dir}/.`], { cwd: "/", stdio: "ignore" });
			return true;
		} catch {
			return false;
		}
	};
	if (reach(plain)) return plain;
	const able = [...plain, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
	if (reach(able)) return able;
	throw new Error(`the user postgres may not enter ${dir}: choose a state folder that it can reach, with STATE=/var/lib/pulsechat-run, say`);
}

/** Makes the cluster with role and database "pulsechat". Interrupted, it leaves dir.new behind, which the next try removes. */
export async function makeCluster(dir, { sync = true } = {}) {
	const bin = pgBin();
	const fresh = `${dir}.new`;
	rmSync(fresh, { recursive: true, force: true });
	mkdirSync(fresh, { mode: 0o700 });
	const owner = pgOwner();
	if (owner) chownSync(fresh, owner.uid, owner.gid);
	const as = pgPrivileges(fresh);
	const options = { cwd: "/", env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" }, maxBuffer: 16 << 20 };
	const limited = ["--pdeathsig", "KILL", ...as];
	const initdb = [join(bin, "initdb"), "-D", fresh, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust"];
	await run("setpriv", [...limited, ...initdb, ...(sync ? [] : ["--no-sync"])], options);
	const single = run(
		"setpriv",
		[...limited, join(bin, "postgres"), "--single", "-D", fresh, ...(sync ? [] : ["-F"]), "postgres"],
		options,
	);
	single.child.stdin.end("CREATE ROLE pulsechat LOGIN;\nCREATE DATABASE pulsechat OWNER pulsechat;\n");
	const { stdout, stderr } = await single;
	if (/ERROR|FATAL/.test(stdout + stderr)) throw new Error(`the database cannot be made: ${stdout}${stderr}`);
	renameSync(fresh, dir);
}

/**
 * A pid file of a server that is gone may name a process that now is something else: postgres would refuse to start.
 * Returns the pid of a live server of this cluster, else removes the file.
 */
export function stalePid(dir) {
	const file = join(dir, "postmaster.pid");
	let pid;
	try {
		pid = Number(readFileSync(file, "utf8").split("\n")[0]);
	} catch {
		return 0;
	}
	try {
		const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
		if (/postgres$/.test(command[0]) && command.includes(dir)) return pid;
	} catch {
		// no such process
	}
	rmSync(file, { force: true });
	return 0;
}

/** argv of the server. Whoever may enter socketDir (mode 0700) may connect. */
export function serverArgv(dir, socketDir, { sync = true, settings = {} } = {}) {
	const set = {
		listen_addresses: "",
		unix_socket_directories: socketDir,
		max_connections: 200,
		shared_buffers: sync ? "128MB" : "32MB",
		timezone: "UTC",
		log_timezone: "UTC",
		lc_messages: "C",
		log_line_prefix: "%m [%p] ",
		...(sync ? {} : { fsync: "off", full_page_writes: "off", autovacuum_naptime: "1h" }),
		...settings,
	};
	return [
		join(pgBin(clusterVersion(dir)), "postgres"),
		"-D",
		dir,
		...Object.entries(set).flatMap(([k, v]) => ["-c", `${k}=${v}`]),
	];
}

export function makeSocketDir(dir) {
	mkdirSync(dir, { recursive: true, mode: 0o700 });
	chmodSync(dir, 0o700);
	const owner = pgOwner();
	if (owner) chownSync(dir, owner.uid, owner.gid);
}

export async function pgReady(socketDir) {
	try {
		if (!statSync(join(socketDir, ".s.PGSQL.5432")).isSocket()) return false;
		await run(join(pgBin(), "pg_isready"), ["-q", "-h", socketDir, "-U", "postgres"]);
		return true;
	} catch {
		return false;
	}
}
