// proxies: what may stand between a browser and the site, started for real on ports of its own, in front of a running stack.
//
//   const middle = await startProxy("nginx-plain", stack);
//   middle.browser                     for playwright's newContext({ proxy }): what the browser says to the site goes through it
//   await ask(middle, "/healthz")      {status, headers, text, ms}: one request through it, as its kind of client makes it
//   await handshake(middle, who)       what a WebSocket handshake gets: {got: "101" | "426" | "CONNECT 403" | ..., hello: bool, ms}
//   middle.log(), await middle.stop()
//   startProxy(name, stack, { limit: "5s" })   its time-out, where the proxy has one
//
// forward   the browser is told of the proxy: it asks with whole URLs, and by CONNECT for a WebSocket
// front     the name of the site leads to the proxy. A browser gets there by a detour below HTTP, since the address of the site must
//           stay what it is (cookie, Origin): a SOCKS server that puts the proxy's port in the site's place.
// own       a front in this process that does what no packaged proxy does on request: hostile.mjs

import { execFileSync } from "node:child_process";
import { request } from "node:http";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { Proc } from "../../conf/run/proc.mjs";
import { freePort } from "../../conf/run/stack.mjs";
import { openHostile } from "./hostile.mjs";
import { openWs } from "./realtime.mjs";

const isRoot = process.getuid() === 0;
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
// squid and Apache do not serve as root; without this capability they could not enter the test's folders.
const PLAIN_USER = isRoot
	? ["--reuid=www-data", "--regid=www-data", "--init-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
	: [];

/** What a proxy is made of: kind, and config({dir, port, site, limit}) → {file: text, argv, privileges}. `site` is the real port. */
const REAL = {
	squid: { kind: "forward", config: (o) => squid(o, `http_port 127.0.0.1:${o.port}`, "acl may_tunnel port 443") },
	// As it is for a site on port 443: the tunnel is open, and nothing in it is looked at.
	"squid-tunnel": { kind: "forward", config: (o) => squid(o, `http_port 127.0.0.1:${o.port}`, `acl may_tunnel port ${o.site}`) },
	"squid-accelerator": {
		kind: "front",
		config: (o) =>
			squid(
				o,
				`http_port 127.0.0.1:${o.port} accel defaultsite=127.0.0.1:${o.site} no-vhost
cache_peer 127.0.0.1 parent ${o.site} 0 no-query no-digest no-netdb-exchange originserver login=PASSTHRU`,
				"acl may_tunnel port 443",
			),
	},
	tinyproxy: {
		kind: "forward",
		config: ({ dir, port }) => ({
			text: `# As Debian ships it, but for the places.
Port ${port}
Listen 127.0.0.1
Timeout 600
LogFile "${dir}/error.log"
LogLevel Warning
PidFile "${dir}/pid"
MaxClients 100
Allow 127.0.0.1
ConnectPort 443
ConnectPort 563
`,
			argv: (file) => ["tinyproxy", "-d", "-c", file],
		}),
	},
	haproxy: { kind: "front", config: (o) => haproxy(o, "") },
	"haproxy-no-upgrade": { kind: "front", config: (o) => haproxy(o, "\thttp-request del-header upgrade\n\thttp-request del-header connection\n") },
	"nginx-plain": {
		kind: "front",
		config: ({ dir, port, site, limit = "60s" }) => ({
			text: `# proxy_pass and no more: HTTP/1.0 to the site, no Upgrade, answers buffered.
${isRoot ? "user root;" : ""}
worker_processes 1;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 512; }
http {
	access_log ${dir}/access.log;
	${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${dir}/${n};`).join(" ")}
	server {
		listen 127.0.0.1:${port};
		location / {
			proxy_pass http://127.0.0.1:${site};
			proxy_set_header Host $http_host;
			proxy_read_timeout ${limit};
		}
	}
}
`,
			argv: (file) => ["nginx", "-e", join(dir, "error.log"), "-c", file, "-g", "daemon off;"],
		}),
	},
	"apache-plain": {
		kind: "front",
		config: ({ dir, port, site, limit = "60s" }) => ({
			text: `# mod_proxy_http alone: no upgrade=websocket.
ServerRoot ${dir}
ServerName 127.0.0.1
DefaultRuntimeDir ${dir}
PidFile ${dir}/pid
ErrorLog ${dir}/error.log
LogFormat "%r %>s" short
CustomLog ${dir}/access.log short
${["mpm_event", "authz_core", "proxy", "proxy_http"].map((m) => `LoadModule ${m}_module /usr/lib/apache2/modules/mod_${m}.so`).join("\n")}
Listen 127.0.0.1:${port}
ServerLimit 2
StartServers 1
ThreadsPerChild 64
MaxRequestWorkers 128
Timeout ${parseInt(limit)}
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:${site}/
`,
			argv: (file) => ["apache2", "-D", "FOREGROUND", "-f", file],
			privileges: PLAIN_USER,
		}),
	},
};

function squid({ dir }, ports, tunnel) {
	return {
		text: `${ports}
${tunnel}
acl CONNECT method CONNECT
http_access deny CONNECT !may_tunnel
http_access allow localhost
http_access deny all
cache deny all
pid_filename ${dir}/pid
access_log stdio:${dir}/access.log
cache_log ${dir}/error.log
coredump_dir ${dir}
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname squid.test
max_filedescriptors 1024
`,
		argv: (file) => ["squid", "-N", "-f", file],
		privileges: PLAIN_USER,
	};
}

/** limit: every time-out. 30 s is what many of its examples have. */
function haproxy({ port, site, limit = "30s" }, rules) {
	return {
		text: `# HTTP mode, as in its examples.
global
	maxconn 500
defaults
	mode http
	timeout connect 5s
	timeout client ${limit}
	timeout server ${limit}
	timeout tunnel ${limit}
frontend site
	bind 127.0.0.1:${port}
${rules}	default_backend pulsechat
backend pulsechat
	server site 127.0.0.1:${site}
`,
		argv: (file) => ["haproxy", "-db", "-f", file],
	};
}

/** Names → kind. */
export const PROXIES = Object.fromEntries(Object.entries(REAL).map(([name, { kind }]) => [name, kind]));

const started = new Set();

/** own: a mode of hostile.mjs ({ upgrade, streams }) in the place of a packaged proxy. */
export async function startProxy(name, stack, { limit, own } = {}) {
	const site = stack.port;
	const middle = { name, stack, kind: own ? "own" : REAL[name]?.kind };
	if (!middle.kind) throw new Error(`no proxy ${name}: there are ${Object.keys(REAL).join(", ")}`);
	const ends = [];
	if (own) {
		const hostile = await openHostile(site, own);
		Object.assign(middle, { port: hostile.port, hostile, log: () => "" });
		ends.push(() => hostile.close());
	} else {
		const dir = mkdtempSync(join(stack.runDir, "p-"));
		mkdirSync(dir, { recursive: true });
		const port = await freePort();
		const { text, argv, privileges = [] } = REAL[name].config({ dir, port, site, limit });
		const file = join(dir, "proxy.conf");
		writeFileSync(file, text);
		if (isRoot && privileges.length > 0) execFileSync("chown", ["-R", "www-data:", dir]);
		const read = (f) => (existsSync(join(dir, f)) ? readFileSync(join(dir, f), "utf8") : "");
		Object.assign(middle, { port, log: () => read("out.log") + read("error.log"), accessLog: () => read("access.log") });
		const healthy = () => ask(middle, "/healthz", { ms: 2000 }).then((a) => a.status === 200, () => false);
		const proc = new Proc({
			name,
			argv: argv(file),
			privileges,
			env: { PATH },
			log: join(dir, "out.log"),
			supervise: false,
			stopWait: 5000,
			ready: healthy,
		});
		started.add(proc);
		ends.push(async () => {
			if (!started.delete(proc)) return;
			const died = proc.child === null;
			await proc.stop();
			const log = died && middle.log();
			rmSync(dir, { recursive: true, force: true });
			if (died) throw new Error(`${name} died by itself:\n${log.slice(-2000)}`);
			if (proc.overdue) throw new Error(`${name} did not stop in time`);
		});
		middle.pid = () => proc.pid;
		try {
			proc.start();
			await proc.untilReady(20000);
		} catch (e) {
			const log = middle.log();
			await ends[0]().catch(() => {});
			throw new Error(`${name} does not start: ${e.message}\n${log.slice(-3000)}`);
		}
	}
	if (middle.kind === "forward") middle.browser = { server: `http://127.0.0.1:${middle.port}`, bypass: "<-loopback>" };
	else {
		const detour = await openDetour(site, middle.port);
		ends.unshift(() => detour.close());
		middle.browser = { server: `socks5://127.0.0.1:${detour.port}`, bypass: "<-loopback>" };
	}
	middle.stop = async () => {
		for (const end of ends.splice(0)) await end();
	};
	return middle;
}

process.on("exit", () => {
	for (const proc of started) if (proc.child) process.kill(proc.child.pid, "SIGKILL");
});

/** A SOCKS5 server (RFC 1928, CONNECT only) that leads to port `to` whoever wants to go to port `from`. */
async function openDetour(from, to) {
	const open = new Set();
	const server = createServer((a) => {
		open.add(a);
		a.on("close", () => open.delete(a));
		a.on("error", () => a.destroy());
		a.setNoDelay(true);
		let head = Buffer.alloc(0);
		let greeted = false;
		const onData = (data) => {
			head = Buffer.concat([head, data]);
			if (!greeted) {
				if (head.length < 2 || head.length < 2 + head[1]) return;
				head = head.subarray(2 + head[1]);
				greeted = true;
				a.write(Buffer.from([5, 0]));
			}
			if (head.length < 5) return;
			const length = { 1: 4, 3: 1 + head[4], 4: 16 }[head[3]];
			if (length === undefined) return a.destroy();
			if (head.length < 6 + length) return;
			const port = head.readUInt16BE(4 + length);
			const rest = head.subarray(6 + length);
			a.off("data", onData);
			a.pause();
			const b = connect(port === from ? to : port, "127.0.0.1", () => {
				a.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
				if (rest.length > 0) b.write(rest);
				a.pipe(b);
				b.pipe(a);
			});
			b.setNoDelay(true);
			b.on("error", () => a.destroy());
			b.on("close", () => a.destroy());
			a.on("close", () => b.destroy());
		};
		a.on("data", onData);
	});
	await new Promise((ok) => server.listen(0, "127.0.0.1", ok));
	return {
		port: server.address().port,
		close: () =>
			new Promise((ok) => {
				server.close(ok);
				for (const a of open) a.destroy();
			}),
	};
}

/** One request through a proxy on a connection of its own. onData(text so far, answer) may look at it as it comes. */
export function ask(middle, path, { method = "GET", headers = {}, body, ms = 30000, onData, signal } = {}) {
	const { stack } = middle;
	const began = performance.now();
	return new Promise((ok, no) => {
		const whole = middle.kind === "forward" ? stack.url + path : path;
		const options = { host: "127.0.0.1", port: middle.port, path: whole, method, agent: false, signal, headers: { host: stack.host, ...headers } };
		const req = request(options, (res) => {
			let text = "";
			res.setEncoding("utf8");
			res.on("data", (d) => {
				text += d;
				onData?.(text, res);
			});
			res.on("error", no);
			res.on("end", () => ok({ status: res.statusCode, headers: res.headers, text, ms: Math.round(performance.now() - began) }));
		});
		req.setTimeout(ms, () => req.destroy(new Error(`no answer to ${path} through ${middle.name} within ${ms} ms`)));
		req.on("error", no);
		req.end(body);
	});
}

/** A long-poll through a proxy: ask()'s answer, and `lines`. */
export async function pollThrough(middle, who, { wait, cursor, instance, ...options } = {}) {
	const query = new URLSearchParams(Object.entries({ wait, cursor, instance }).filter(([, v]) => v !== undefined));
	const answer = await ask(middle, `/api/v1/events?${query}`, { ms: 70000, ...options, headers: { ...who.credentials, ...options.headers } });
	answer.lines = answer.status === 200 ? answer.text.split("\n").filter(Boolean).map((l) => JSON.parse(l)) : [];
	return answer;
}

/** A tunnel to the site by CONNECT: the socket, or the status that refuses it. */
function tunnel(middle) {
	return new Promise((ok, no) => {
		const req = request({ host: "127.0.0.1", port: middle.port, method: "CONNECT", path: middle.stack.host, agent: false });
		req.on("connect", (res, socket) => ok(res.statusCode === 200 ? { socket } : (socket.destroy(), { status: res.statusCode })));
		req.on("error", no);
		req.end();
	});
}

/** openWs() of realtime.mjs through a proxy; rejects with e.status where the handshake (or the tunnel) is refused. */
export async function wsThrough(middle, who, options = {}) {
	const ws = {};
	if (middle.kind === "forward") {
		const { socket, status } = await tunnel(middle);
		if (!socket) throw Object.assign(new Error(`CONNECT answered ${status}`), { status: `CONNECT ${status}` });
		ws.createConnection = () => socket;
	}
	const near = { credentials: who.credentials, stack: { host: `127.0.0.1:${middle.port}`, url: `http://127.0.0.1:${middle.port}` } };
	return openWs(near, { ...options, ws, headers: { host: middle.stack.host } });
}

/** What a WebSocket handshake gets there, and whether the server's first line follows it within `ms`. */
export async function handshake(middle, who, ms = 4000) {
	let feed;
	try {
		feed = await wsThrough(middle, who, { hello: false });
		const opened = new Promise((ok) => feed.socket.once("open", () => ok({ got: "101" })));
		const refused = new Promise((ok) => {
			feed.socket.once("unexpected-response", (_req, res) => ok({ got: String(res.statusCode) }));
			feed.socket.once("error", (e) => ok({ got: e.message }));
		});
		const late = new Promise((ok) => setTimeout(() => ok({ got: "no answer" }), ms).unref());
		const end = await Promise.race([opened, refused, late]);
		if (end.got !== "101") return end;
		const hello = await feed.next("hello", ms).then(() => true, () => false);
		return { ...end, hello };
	} catch (e) {
		if (!e.status) throw e;
		return { got: String(e.status) };
	} finally {
		feed?.socket.on("error", () => {});
		feed?.terminate();
	}
}
