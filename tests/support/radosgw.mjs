// radosgw: an S3 server for tests that verifies signatures: Debian's radosgw over one monitor and one OSD in memory, on free ports of the
// loopback, below a folder of its own. Nothing of it outlives the test run.
//
//   const missing = radosgwMissing();                  // false, or why it cannot be started: test(name, { skip: missing }, ...)
//   const s3 = await startRadosgw({ origins: [url] }); // some seconds; bucket: its name, bytes: how much it may hold, in memory
//   s3.endpoint, s3.accessKey, s3.secretKey, s3.bucket, s3.region
//   s3.conf                                            // for a site: startStack({ conf: { files: s3.conf } }), then
//   await s3.allow(stack.url)                          // since its port is known by then
//   await s3.call("PUT", "/bucket?cors", { body, headers })    header-signed (SigV4), as the owner; {status, headers, text}
//   await s3.stop()
//
// It does not hold a body against x-amz-checksum-sha256, takes another region than its own, and a date far ahead: [files] verifies = no.

import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { execFile } from "node:child_process";
import { accessSync, appendFileSync, chmodSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Proc } from "../../conf/run/proc.mjs";
import { freePort } from "../../conf/run/stack.mjs";
import { until } from "./until.mjs";

const run = promisify(execFile);
const PROGRAMS = ["ceph-mon", "ceph-osd", "ceph", "ceph-authtool", "monmaptool", "radosgw", "radosgw-admin"];
const START_MS = 90000; // a loaded machine
const running = new Set();

/** Why there is no radosgw here; false where there is. */
export function radosgwMissing() {
	const dirs = `${process.env.PATH}:/usr/sbin:/usr/bin`.split(":");
	const absent = PROGRAMS.filter(
		(name) =>
			!dirs.some((d) => {
				try {
					accessSync(join(d, name), constants.X_OK);
					return true;
				} catch {
					return false;
				}
			}),
	);
	return absent.length ? `radosgw is not installed here (no ${absent.join(", ")}): nothing was tried against a real S3 server` : false;
}

export async function startRadosgw(options = {}) {
	const gw = new Radosgw(options);
	running.add(gw);
	try {
		await gw.start();
	} catch (e) {
		const why = gw.tail();
		await gw.stop();
		throw new Error(`radosgw does not start: ${e.stderr || e.message}\n${why}`);
	}
	return gw;
}

class Radosgw {
	constructor({ bucket = "pulsechat", origins = [], region = "us-east-1", bytes = 4 * 2 ** 30 }) {
		Object.assign(this, { bucket, origins, region, bytes, procs: [] });
		this.accessKey = randomBytes(10).toString("hex").toUpperCase();
		this.secretKey = randomBytes(20).toString("hex");
		this.dir = mkdtempSync(join(tmpdir(), "pulsechat-rgw-"));
		chmodSync(this.dir, 0o700);
	}

	/** What [files] of pulsechat.conf must say. */
	get conf() {
		return this.confOf(this);
	}

	confOf({ accessKey, secretKey }) {
		const { endpoint, region, bucket } = this;
		return { store: "s3", endpoint, region, bucket, access_key: accessKey, secret_key: secretKey };
	}

	async start() {
		const [v2, v1, port] = [await freePort(), await freePort(), await freePort()];
		this.endpoint = `http://127.0.0.1:${port}`;
		this.#writeConf(v2, v1, port);
		await this.#startMon(v2, v1);
		await this.#startOsd();
		const gw = this.#proc("radosgw", ["radosgw", "-f", "-c", this.confPath, "-n", "client.rgw.a"], async () => {
			try {
				await fetch(this.endpoint, { signal: AbortSignal.timeout(2000) });
				return true;
			} catch {
				return false;
			}
		});
		gw.start();
		await gw.untilReady(START_MS);
		await this.#run("radosgw-admin", [
			...["user", "create", "--uid", "tests", "--display-name", "tests"],
			...["--access-key", this.accessKey, "--secret-key", this.secretKey],
		]);
		await this.makeBucket(this.bucket);
		if (this.origins.length) await this.allow(...this.origins);
	}

	async makeBucket(name) {
		await until(async () => (await this.call("PUT", `/${name}`)).status === 200, { ms: 20000, every: 100, what: `bucket ${name}` });
	}

	/** Pages of these origins may upload. */
	allow(...origins) {
		return this.cors(corsXml(origins));
	}

	/** Sets the bucket's CORS rules; "" takes them away. */
	async cors(xml) {
		const r = xml
			? await this.call("PUT", `/${this.bucket}?cors`, { body: xml, headers: md5Header(xml) })
			: await this.call("DELETE", `/${this.bucket}?cors`);
		if (r.status >= 300) throw new Error(`CORS: ${r.status} ${r.text}`);
	}

	#writeConf(v2, v1, port) {
		const { dir } = this;
		this.confPath = join(dir, "ceph.conf");
		// the monitor's data folder may be on a disk that is nearly full; that is none of ours
		writeFileSync(
			this.confPath,
			`[global]
fsid = ${(this.fsid = randomUUID())}
mon host = [v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd crush update on start = true
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 2
mon pg warn min per osd = 0
public network = 127.0.0.0/8
ms bind ipv6 = false
keyring = ${dir}/keyring
log file = ${dir}/$name.log
log to stderr = false
err to stderr = true
pid file = ${dir}/$name.pid
admin socket = ${dir}/$name.asok
crash dir = ${dir}/crash
run dir = ${dir}
[mon]
mon data = ${dir}/mon
paxos propose interval = 0.05
paxos min wait = 0.01
mon osd min up ratio = 0
[osd]
osd objectstore = memstore
memstore device bytes = ${this.bytes}
osd data = ${dir}/osd$id
osd max object size = 128M
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw enable usage log = false
rgw enable ops log = false
rgw run sync thread = false
rgw enable quota threads = false
rgw dynamic resharding = false
rgw thread pool size = 64
rgw override bucket index max shards = 1
rgw verify ssl = false
rgw init timeout = 60
`,
		);
	}

	async #startMon(v2, v1) {
		const { dir } = this, keyring = join(dir, "keyring"), map = join(dir, "monmap");
		mkdirSync(join(dir, "crash"));
		await this.#run("ceph-authtool", ["--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"]);
		const all = ["mon", "osd", "mgr", "mds"].flatMap((w) => ["--cap", w, "allow *"]);
		await Promise.all([
			this.#run("ceph-authtool", [keyring, "--gen-key", "-n", "client.admin", ...all]),
			this.#run("monmaptool", ["--create", "--addv", "a", `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`, "--fsid", this.fsid, map]),
		]);
		await this.#run("ceph-mon", ["--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring]);
		const mon = this.#proc("ceph-mon", ["ceph-mon", "-f", "-i", "a", "-c", this.confPath], async () => {
			try {
				await this.#run("ceph", ["--connect-timeout", "5", "mon", "stat"]);
				return true;
			} catch {
				return false;
			}
		});
		mon.start();
		await mon.untilReady(START_MS);
	}

	async #startOsd() {
		const id = randomUUID();
		const [, osdKey, rgwKey] = await Promise.all([
			this.#run("ceph", ["osd", "new", id]),
			this.#run("ceph", ["auth", "get-or-create", "osd.0", "mon", "allow profile osd", "osd", "allow *"]),
			this.#run("ceph", ["auth", "get-or-create", "client.rgw.a", "mon", "allow rw", "osd", "allow rwx"]),
		]);
		appendFileSync(join(this.dir, "keyring"), `\n${osdKey}\n${rgwKey}\n`);
		mkdirSync(join(this.dir, "osd0"));
		await this.#run("ceph-osd", ["-i", "0", "--mkfs", "--osd-uuid", id]);
		const osd = this.#proc("ceph-osd", ["ceph-osd", "-f", "-i", "0", "-c", this.confPath], async () => {
			try {
				return /\b1 up\b/.test(await this.#run("ceph", ["osd", "stat"]));
			} catch {
				return false;
			}
		});
		osd.start();
		await osd.untilReady(START_MS);
	}

	#proc(name, argv, ready) {
		const log = join(this.dir, `${name}.out`);
		const proc = new Proc({
			name,
			log,
			argv,
			ready,
			supervise: false,
			stopSignal: "SIGTERM",
			stopWait: 3000,
			env: { PATH: `${process.env.PATH}:/usr/sbin` },
		});
		this.procs.push(proc);
		return proc;
	}

	async #run(name, args) {
		const { stdout } = await run(name, ["-c", this.confPath, ...args].slice(name === "ceph-authtool" || name === "monmaptool" ? 2 : 0), {
			cwd: this.dir,
			timeout: 60000,
			env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, CEPH_CONF: this.confPath },
		});
		return stdout;
	}

	call(method, target, options) {
		return signedCall(this, method, target, options);
	}

	/** Another user, who may do nothing yet: {accessKey, secretKey, arn} for signedCall({...gw, ...user}) and policies. */
	async user(name) {
		const accessKey = randomBytes(10).toString("hex").toUpperCase(), secretKey = randomBytes(20).toString("hex");
		const keys = ["--access-key", accessKey, "--secret-key", secretKey];
		await this.#run("radosgw-admin", ["user", "create", "--uid", name, "--display-name", name, ...keys]);
		return { accessKey, secretKey, arn: `arn:aws:iam:::user/${name}` };
	}

	/** The bucket's policy, an object; none takes it away. */
	async policy(policy) {
		const body = policy && JSON.stringify(policy);
		const r = await this.call(policy ? "PUT" : "DELETE", `/${this.bucket}?policy`, policy && { body, headers: md5Header(body) });
		if (r.status >= 300) throw new Error(`policy: ${r.status} ${r.text}`);
	}

	/** The last words of its programs. */
	tail() {
		return ["ceph-mon.out", "ceph-osd.out", "radosgw.out", "client.rgw.a.log"]
			.map((f) => {
				try {
					return `${f}: ${readFileSync(join(this.dir, f), "utf8").trimEnd().split("\n").slice(-5).join("\n")}`;
				} catch {
					return "";
				}
			})
			.filter(Boolean)
			.join("\n");
	}

	async stop() {
		if (!running.delete(this)) return;
		// what is in memory is not missed
		await Promise.all(this.procs.map((p) => p.stop("SIGKILL")));
		this.remove();
	}

	remove() {
		if (!process.env.KEEP) rmSync(this.dir, { recursive: true, force: true });
	}

	killAll() {
		for (const p of this.procs) if (p.child) p.stop("SIGKILL");
	}
}

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
export const md5Header = (body) => ({ "content-md5": createHash("md5").update(body).digest("base64") });

/** A request signed by its Authorization header: written for these tests from the rules, so that lib/store is not its own judge. */
export async function signedCall({ endpoint, accessKey, secretKey, region }, method, target, { body = "", headers = {} } = {}) {
	const url = new URL(target, endpoint);
	const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
	const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
	const all = { ...headers, host: url.host, "x-amz-date": date, "x-amz-content-sha256": sha256(body) };
	const names = Object.keys(all).sort();
	const query = [...url.searchParams]
		.map((pair) => pair.map((s) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)))
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map((pair) => pair.join("="))
		.join("&");
	const signed = names.join(";");
	const canonical = [method, url.pathname, query, ...names.map((n) => `${n}:${all[n]}`), "", signed, all["x-amz-content-sha256"]].join("\n");
	const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`;
	const key = [date.slice(0, 8), region, "s3", "aws4_request"].reduce(hmac, `AWS4${secretKey}`);
	const signature = createHmac("sha256", key).update(toSign).digest("hex");
	delete all.host;
	const answer = await fetch(url, {
		method,
		headers: {
			...all,
			authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
		},
		body: body.length ? body : undefined,
		redirect: "manual",
	});
	const bytes = Buffer.from(await answer.arrayBuffer());
	return { status: answer.status, headers: Object.fromEntries(answer.headers), body: bytes, text: bytes.toString() };
}

/** The rules of conf/s3/cors.json for these origins, in S3's XML. */
export function corsXml(origins) {
	const { CORSRules } = JSON.parse(readFileSync(new URL("../../conf/s3/cors.json", import.meta.url), "utf8"));
	const list = (name, values) => values.map((v) => `<${name}>${v}</${name}>`).join("");
	const rules = CORSRules.map(
		(r) =>
			`<CORSRule>${list("AllowedOrigin", origins)}${list("AllowedMethod", r.AllowedMethods)}` +
			`${list("AllowedHeader", r.AllowedHeaders)}${list("ExposeHeader", r.ExposeHeaders)}` +
			`<MaxAgeSeconds>${r.MaxAgeSeconds}</MaxAgeSeconds></CORSRule>`,
	);
	return `<CORSConfiguration>${rules.join("")}</CORSConfiguration>`;
}

/** A lifecycle configuration as the AWS command line takes it, in S3's XML. */
export function lifecycleXml({ Rules }) {
	const rules = Rules.map(
		(r) =>
			`<Rule><ID>${r.ID}</ID><Status>${r.Status}</Status><Filter><Prefix>${r.Filter.Prefix}</Prefix></Filter>` +
			`<AbortIncompleteMultipartUpload><DaysAfterInitiation>${r.AbortIncompleteMultipartUpload.DaysAfterInitiation}` +
			`</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>`,
	);
	return `<LifecycleConfiguration>${rules.join("")}</LifecycleConfiguration>`;
}

process.on("exit", () => {
	for (const gw of running) {
		gw.killAll();
		gw.remove();
	}
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
	process.once(signal, () => {
		for (const gw of running) gw.killAll();
		setTimeout(() => process.exit(1), 3000); // a site of the same file may stop meanwhile
	});
