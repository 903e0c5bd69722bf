// upload: throughput of the local store (checksum and fsync) beside the PUT of nginx's dav module on the same disk, which has neither.

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { freePort, tcpReady } from "../../conf/run/stack.mjs";
import { Proc } from "../../conf/run/proc.mjs";
import { localStore, newKey, putHeaders, send, sign } from "../files/help.mjs";
import { startStack } from "../support/stack.mjs";
import { median, quiet } from "./site.mjs";

const MIB = 1 << 20;

/** nginx's dav module on a folder beside the store's: {port, stop()}. */
async function startDav(dir) {
	const port = await freePort();
	for (const name of ["dav", "spool", "other"]) mkdirSync(join(dir, name), { recursive: true });
	const temp = ["proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${dir}/other/${n};`).join(" ");
	writeFileSync(
		join(dir, "dav.conf"),
		`${process.getuid() === 0 ? "user root;" : ""}
worker_processes 1;
pid ${dir}/other/pid;
error_log ${dir}/other/error.log;
events { }
http {
	access_log off;
	client_body_temp_path ${dir}/spool;
	${temp}
	server {
		listen 127.0.0.1:${port};
		root ${dir}/dav;
		client_max_body_size 0;
		location / { dav_methods PUT; }
	}
}
`,
	);
	const argv = ["nginx", "-e", join(dir, "other/error.log"), "-c", join(dir, "dav.conf"), "-g", "daemon off;"];
	const env = { PATH: `${process.env.PATH}:/usr/sbin` };
	const proc = new Proc({ name: "dav", argv, env, supervise: false, log: join(dir, "dav.log"), ready: () => tcpReady(port) });
	proc.start();
	await proc.untilReady(10000);
	return { port, stop: () => proc.stop() };
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

/** MiB a second of n uploads, so many at a time. */
async function rate(n, atOnce, bytes, one) {
	const began = performance.now();
	let next = 0;
	const run = async () => {
		while (next < n) await one(next++);
	};
	await Promise.all(Array.from({ length: atOnce }, run));
	return (n * bytes) / MIB / ((performance.now() - began) / 1000);
}

/** cell: as of cells.mjs. */
export async function uploads(cell, options) {
	const only = ["files1", "lighttpd"];
	const stack = await startStack({ variant: "plain", realtime: 0, only, supervise: false, conf: { "log.level": "warning" } });
	const s3 = localStore(stack);
	let dav;
	try {
		dav = await startDav(join(stack.state, "files"));
		for (const [name, size, n, atOnce] of [
			["one of 256 MiB", 256 * MIB, 1, 1],
			["4 at once of 64 MiB", 64 * MIB, 4, 4],
			["8 at once of 256 KiB", MIB / 4, options.quick ? 100 : 400, 8],
		]) {
			const body = randomBytes(size);
			const headers = putHeaders(body, { sha256: createHash("sha256").update(body).digest("base64") });
			const ours = [], theirs = [];
			for (let round = 0; round < options.rounds; round++) {
				await quiet(options.patience);
				const keys = [];
				theirs.push(await rate(n, atOnce, size, (i) => davPut(dav.port, `/${round}-${i}`, body)));
				rmSync(join(stack.state, "files/dav"), { recursive: true });
				mkdirSync(join(stack.state, "files/dav"));
				ours.push(
					await rate(n, atOnce, size, async () => {
						const key = newKey();
						keys.push(key);
						const r = await send(s3, sign(s3, "PUT", key, { headers }), { body });
						if (r.status !== 200) throw new Error(`PUT: ${r.status} ${r.text}`);
					}),
				);
				for (const key of keys) await send(s3, sign(s3, "DELETE", key));
			}
			const ratio = median(ours.map((v, i) => v / theirs[i]));
			cell.say(
				`${name}: ${Math.round(median(ours))} MiB/s with checksum and fsync; nginx's dav module ` +
					`${Math.round(median(theirs))} MiB/s without: ${ratio.toFixed(2)} times`,
			);
			cell.figures = { ...cell.figures, [name]: { ours: median(ours), dav: median(theirs), ratio } };
			if (size > MIB) cell.check(`${name}, beside nginx's dav module`, ratio, { atLeast: 0.5, unit: "times" });
		}
	} finally {
		await dav?.stop();
		await stack.stop();
	}
	return cell;
}
