// upload: throughput of the local store (checksum and fsync) beside the PUT of the web server's own WebDAV module on the same disk, which has
// neither: nginx with its dav module and nginx in front of the store, lighttpd with mod_webdav and lighttpd in front of the store. The two
// of a pair take turns. CPU is that of the web server and of the store's process, for each MiB and for each file.

import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { LIGHTTPD, freePort, tcpReady } from "../../conf/run/stack.mjs";
import { Proc } from "../../conf/run/proc.mjs";
import { localStore, newKey, putHeaders, send, sign } from "../files/help.mjs";
import { startServer } from "../support/servers.mjs";
import { startStack } from "../support/stack.mjs";
import { median, quiet } from "./site.mjs";

const MIB = 1 << 20;
const run = promisify(execFile);

const NGINX = (dir, port) => `${process.getuid() === 0 ? "user root;" : ""}
worker_processes 1;
pid ${dir}/other/pid;
error_log ${dir}/other/error.log;
events { }
http {
	access_log off;
	client_body_temp_path ${dir}/spool;
	${["proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${dir}/other/${n};`).join(" ")}
	server {
		listen 127.0.0.1:${port};
		root ${dir}/dav;
		client_max_body_size 0;
		location / { dav_methods PUT; }
	}
}
`;
const LIGHTTPD_CONF = (dir, port) => `server.modules = ( "mod_webdav" )
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${dir}/dav"
server.errorlog = "${dir}/other/error.log"
server.upload-dirs = ( "${dir}/spool" )
server.max-request-size = 0
webdav.activate = "enable"
`;
const PEERS = {
	nginx: { named: "nginx's dav module", conf: NGINX, argv: (dir, conf) => ["nginx", "-e", `${dir}/other/error.log`, "-c", conf, "-g", "daemon off;"] },
	lighttpd: { named: "lighttpd's mod_webdav", conf: LIGHTTPD_CONF, argv: (_dir, conf) => [LIGHTTPD, "-D", "-f", conf] },
};
const hasWebdav = () => ["/usr/lib/lighttpd", "/usr/lib64/lighttpd"].some((d) => existsSync(join(d, "mod_webdav.so")));

/** A web server's own WebDAV on a folder beside the store's: {port, pid, stop(), empty()}. */
async function startDav(kind, dir) {
	const port = await freePort();
	for (const name of ["dav", "spool", "other"]) mkdirSync(join(dir, name), { recursive: true });
	const conf = join(dir, "dav.conf");
	writeFileSync(conf, PEERS[kind].conf(dir, port));
	const env = { PATH: `${process.env.PATH}:/usr/sbin` };
	const argv = PEERS[kind].argv(dir, conf);
	const proc = new Proc({ name: "dav", argv, env, supervise: false, log: join(dir, "dav.log"), ready: () => tcpReady(port) });
	proc.start();
	await proc.untilReady(10000);
	return {
		port,
		pid: proc.pid,
		stop: () => proc.stop(),
		empty() {
			rmSync(join(dir, "dav"), { recursive: true });
			mkdirSync(join(dir, "dav"));
		},
	};
}

function davPut(port, path, body) {
	return new Promise((ok, no) => {
		const headers = { "content-length": body.length };
		const req = request({ host: "127.0.0.1", port, method: "PUT", path, headers, agent: false }, (res) => {
			res.resume();
			res.on("end", () => (res.statusCode < 300 ? ok() : no(new Error(`dav: ${res.statusCode}`))));
		});
		req.on("error", no);
		req.end(body);
	});
}

/** CPU that processes and their children have used, in ms. */
function cpu(pids) {
	let ticks = 0;
	for (const name of readdirSync("/proc").filter((n) => /^\d+$/.test(n))) {
		try {
			const f = readFileSync(`/proc/${name}/stat`, "latin1").replace(/^.*\) /s, "").split(" ");
			if (pids.includes(Number(name)) || pids.includes(Number(f[1]))) ticks += Number(f[11]) + Number(f[12]);
		} catch {
			// gone
		}
	}
	return ticks * 10;
}

/** {rate: MiB a second, cpu: ms a MiB} of n uploads, so many at a time. */
async function measure(n, atOnce, bytes, pids, one) {
	const before = cpu(pids);
	const began = performance.now();
	let next = 0;
	const run = async () => {
		while (next < n) await one(next++);
	};
	await Promise.all(Array.from({ length: atOnce }, run));
	const mib = (n * bytes) / MIB;
	return { rate: mib / ((performance.now() - began) / 1000), cpu: (cpu(pids) - before) / mib };
}

const of = (list, what) => median(list.map((r) => r[what]));

/** One pair, one kind of upload. ours: {port, pids}; returns {ours, theirs, ratio, text}. */
async function pair(s3, kind, dav, ours, [size, n, atOnce], options) {
	const body = randomBytes(size);
	const headers = putHeaders(body, { sha256: createHash("sha256").update(body).digest("base64") });
	const both = { ours: [], theirs: [] };
	const stored = [];
	for (let round = 0; round < options.rounds; round++) {
		const signed = Array.from({ length: n }, () => newKey()).map((key) => ({ key, put: sign(s3, "PUT", key, { headers, expires: 3600 }) }));
		stored.push(...signed);
		await run("sync"); // what is still to be written is, in nobody's time
		await quiet(options.patience);
		both.theirs.push(await measure(n, atOnce, size, [dav.pid], (i) => davPut(dav.port, `/${round}-${i}`, body)));
		await run("sync");
		await quiet(options.patience);
		both.ours.push(
			await measure(n, atOnce, size, ours.pids, async (i) => {
				const r = await send(s3, signed[i].put, { body, port: ours.port });
				if (r.status !== 200) throw new Error(`PUT: ${r.status} ${r.text}`);
			}),
		);
	}
	// Not between the rounds: a file system may be slow in giving out again what has just been deleted, and frees it later.
	dav.empty();
	for (const { key } of stored) await send(s3, sign(s3, "DELETE", key));
	const [rate, theirRate] = [of(both.ours, "rate"), of(both.theirs, "rate")];
	const each = size < MIB ? { by: size / MIB, of: "a file" } : { by: 1, of: "a MiB" };
	const ms = (list) => (of(list, "cpu") * each.by).toFixed(2);
	const ratio = median(both.ours.map((v, i) => v.rate / both.theirs[i].rate));
	return {
		...{ ours: rate, dav: theirRate, ratio, cpu: of(both.ours, "cpu"), davCpu: of(both.theirs, "cpu") },
		text:
			`${kind}: ${Math.round(rate)} MiB/s with checksum and fsync (CPU ${ms(both.ours)} ms ${each.of}); ` +
			`${PEERS[kind].named} ${Math.round(theirRate)} MiB/s without (${ms(both.theirs)}): ${ratio.toFixed(2)} times`,
	};
}

/** cell: as of cells.mjs. */
export async function uploads(cell, options) {
	const only = ["files1", "lighttpd"];
	const stack = await startStack({ variant: "plain", realtime: 0, only, supervise: false, conf: { "log.level": "warning" } });
	const s3 = localStore(stack);
	const kinds = ["nginx", ...(hasWebdav() ? ["lighttpd"] : [])];
	const davs = {};
	let nginx;
	try {
		if (!kinds.includes("lighttpd")) cell.say("lighttpd-mod-webdav is not installed: lighttpd has no peer here, and is not measured");
		nginx = await startServer("nginx", stack);
		for (const kind of kinds) davs[kind] = await startDav(kind, join(stack.state, "files", kind));
		const ours = {
			nginx: { port: nginx.filesPort, pids: [nginx.proc.pid, stack.pids.files1] },
			lighttpd: { port: stack.filesPort, pids: [stack.pids.lighttpd, stack.pids.files1] },
		};
		for (const [name, ...what] of [
			["one of 256 MiB", 256 * MIB, 1, 1],
			["4 at once of 64 MiB", 64 * MIB, 4, 4],
			["8 at once of 256 KiB", MIB / 4, options.quick ? 100 : 400, 8],
		]) {
			for (const kind of kinds) {
				const { text, ...figures } = await pair(s3, kind, davs[kind], ours[kind], what, options);
				cell.say(`${name}, ${text}`);
				cell.figures = { ...cell.figures, [`${name}, ${kind}`]: figures };
				// The bar is one pair's. lighttpd's body goes through files of its own on the way to any program, so it tells of lighttpd.
				if (kind === "nginx") cell.check(`${name}, beside nginx's dav module`, figures.ratio, { atLeast: 0.5, unit: "times" });
			}
		}
	} finally {
		for (const dav of Object.values(davs)) await dav.stop();
		await nginx?.stop();
		await stack.stop();
	}
	return cell;
}
