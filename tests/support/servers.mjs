// servers: every web server that PulseChat has an example for, started for real in front of a stack, on ports of its own, with the
// examples of conf/ as they are shipped: copied, and put in place by replacing what their heads name (each replacement must hit).
//
//   const s = await startServer("nginx", stack);                 // plain http; stack.url stays the site's name
//   const s = await startServer("apache-fcgid", stack, { tls: true });   // the shipped file with TLS, a self-signed certificate
//   s.site (for Host), s.port (127.0.0.1 and ::1), s.httpPort (tls: the plain one), s.ca, s.log(), s.accessLog(), await s.reload(),
//   await s.stop()
//   options: tls; change: (text, file) => text, further changes to every configuration file; head: lines for the test's own main file;
//   realtime: names of the only realtime processes it knows; drain: nginx's worker_shutdown_timeout
//
// With tls the site is stack.site, https://localhost: a name that the certificate bears, at any port.
// startStack({ front: "nginx" }), or $PC_FRONT, puts a server in lighttpd's place instead: whole suites run behind it. What such a
// suite says to one realtime process (via) goes through one more server of the kind, which knows that process alone.

import { execFileSync } from "node:child_process";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Proc } from "../../conf/run/proc.mjs";
import { LIGHTTPD, ROOT, freePort } from "../../conf/run/stack.mjs";

const isRoot = process.getuid() === 0;
const SHARE = "/usr/local/share/pulsechat";
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const SERVICE = "/run/pulsechat"; // of the sockets in the examples
const ipv6 = existsSync("/proc/net/if_inet6") && /^0{31}1 /m.test(readFileSync("/proc/net/if_inet6", "utf8"));

/** name → {kind, and for which transports it is meant: ws, poll "held" or "plain"} */
export const SERVERS = {
	lighttpd: { kind: "lighttpd", realtime: true },
	nginx: { kind: "nginx", realtime: true },
	"apache-proxy_fcgi": { kind: "apache", api: "proxy_fcgi", realtime: true },
	"apache-fcgid": { kind: "apache", api: "fcgid", realtime: true },
	"apache-cgid": { kind: "apache", api: "cgi", realtime: false },
	"lighttpd-cgi": { kind: "lighttpd", api: "cgi", realtime: false },
	"apache-fastcgi-only": { kind: "apache", api: "proxy_fcgi", realtime: false },
	"apache-fcgid-only": { kind: "apache", api: "fcgid", realtime: false },
	"lighttpd-fastcgi-only": { kind: "lighttpd", api: "fastcgi", realtime: false },
};

/** Replaces each [what, by] in text; what does not occur is a mistake of the test or of the example. */
export function put(text, file, pairs) {
	for (const [what, by] of pairs) {
		const found = typeof what === "string" ? text.includes(what) : what.test(text);
		if (!found) throw new Error(`${file} has no ${what}: the test does not know this example any more`);
		text = typeof what === "string" ? text.replaceAll(what, () => by) : text.replace(what, typeof by === "function" ? by : () => by);
	}
	return text;
}

/** A self-signed certificate for 127.0.0.1, ::1 and localhost in this folder: {cert, key}, files. */
function selfSigned(dir) {
	if (existsSync(join(dir, "tls.crt"))) return { cert: join(dir, "tls.crt"), key: join(dir, "tls.key") };
	const [cert, key] = [join(dir, "tls.crt"), join(dir, "tls.key")];
	const names = "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost";
	const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"];
	execFileSync("openssl", [...args, "-addext", names, "-keyout", key, "-out", cert], { stdio: ["ignore", "ignore", "ignore"] });
	return { cert, key };
}

/** The shared files as `make install` lays them, with every path in them put in place. */
function layShare(dir, stack, change) {
	const share = join(dir, "share");
	mkdirSync(share, { recursive: true });
	cpSync(stack.htdocs ?? join(ROOT, "build/htdocs"), join(share, "htdocs"), { recursive: true });
	for (const folder of ["nginx", "apache", "lighttpd", "cgi"]) cpSync(join(ROOT, "conf", folder), join(share, folder), { recursive: true });
	for (const cgi of ["pulsechat.cgi", "pulsechat-files.cgi"].map((n) => join(share, "cgi", n)))
		writeFileSync(
			cgi,
			put(readFileSync(cgi, "utf8"), cgi, [
				["/usr/local/bin/pulsechat-api", stack.program("pulsechat-api")],
				["/etc/pulsechat/pulsechat.conf", stack.confPath],
			]),
			{ mode: 0o755 },
		);
	for (const folder of ["nginx", "apache", "lighttpd"])
		for (const name of readdirSync(join(share, folder))) {
			const file = join(share, folder, name);
			if (!statSync(file).isFile()) continue;
			let text = readFileSync(file, "utf8");
			if (folder === "nginx") text = text.replaceAll(SHARE, share);
			writeFileSync(file, change ? change(text, `${folder}/${name}`) : text);
		}
	return share;
}

/** Sockets of all processes of a kind, or of the named ones. A stack without any has one where nobody listens. */
function sockets(stack, kind, only) {
	const all = only ?? stack.names.filter((n) => n.startsWith(kind));
	return (all.length > 0 ? all : [`${kind}1`]).map((n) => stack.socket(n));
}

/** nginx: {argv} with the shipped main file (tls) or a small one around the shared files. */
function nginx({ dir, share, port, httpPort, filesPort, stack, tls, members, drain = "60s", head = "" }) {
	const main = join(dir, "nginx.conf");
	const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${dir}/${n};`).join("\n\t");
	const user = isRoot ? "user root;" : "";
	const log = `access_log ${dir}/access.log;\n\t${temp}\n\t${head}`;
	const api = sockets(stack, "api").map((s) => `server unix:${s} max_fails=0;`);
	const realtime = sockets(stack, "realtime", members).map((s) => `server unix:${s} max_fails=0;`);
	let text;
	if (tls) {
		const { cert, key } = selfSigned(dir);
		text = put(readFileSync(join(share, "nginx/pulsechat.conf"), "utf8"), "nginx/pulsechat.conf", [
			["user www-data;", user],
			["worker_processes auto;", "worker_processes 1;"],
			["/run/nginx.pid", `${dir}/nginx.pid`],
			["error_log /var/log/nginx/error.log;", `error_log ${dir}/error.log;`],
			["include /etc/nginx/modules-enabled/*.conf;", ""],
			["access_log /var/log/nginx/access.log;", log],
			[`server unix:${SERVICE}/api.sock max_fails=0;`, api.join(" ")],
			[`server unix:${SERVICE}/realtime-1.sock max_fails=0;`, realtime.join(" ")],
			[`server unix:${SERVICE}/realtime-2.sock max_fails=0;`, ""],
			[`${SERVICE}/files.sock`, stack.socket("files1")],
			["/var/lib/pulsechat/files", stack.filesDir ?? "/var/lib/pulsechat/files"],
			["/etc/letsencrypt/live/chat.example.org/fullchain.pem", cert],
			["/etc/letsencrypt/live/chat.example.org/privkey.pem", key],
			["chat.example.org", siteOf(stack, tls)],
			["listen [::]:443", ipv6 ? `listen [::1]:${port}` : "# listen"],
			["listen 443", `listen 127.0.0.1:${port}`],
			["listen [::]:80", ipv6 ? `listen [::1]:${httpPort}` : "# listen"],
			["listen 80", `listen 127.0.0.1:${httpPort}`],
		]);
	} else {
		text = `${user}
worker_processes 1;
worker_shutdown_timeout ${drain};
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 4096; }
http {
	${log}
	upstream pulsechat_api { ${api.join(" ")} }
	upstream pulsechat_realtime { least_conn; ${realtime.join(" ")} keepalive 64; keepalive_timeout 30s; }
	include ${share}/nginx/http.conf;
	server {
		listen 127.0.0.1:${port};
		${ipv6 ? `listen [::1]:${port};` : ""}
		root ${share}/htdocs;
		set $pc_socket "ws://${stack.host}";
		set $pc_forms "${stack.idpUrl}";
		set $pc_files "${stack.filesUrl ?? ""}";
		set $pc_hsts "";
		include ${share}/nginx/site.conf;
	}
	${
		stack.files
			? `upstream pulsechat_files { server unix:${stack.socket("files1")} max_fails=0; }
	server {
		listen 127.0.0.1:${filesPort};
		set $pc_files_dir "${stack.filesDir}";
		set $pc_hsts "";
		include ${share}/nginx/files-host.conf;
	}`
			: ""
	}
}
`;
	}
	writeFileSync(main, text);
	return { name: "nginx", argv: ["nginx", "-e", join(dir, "error.log"), "-c", main, "-g", "daemon off;"] };
}

/** The site's name as it stands in Host. */
const siteOf = (stack, tls) => (tls ? new URL(stack.site).host : stack.host);

const APACHE_MODULES = [
	...["mpm_event", "authz_core", "alias", "mime", "dir", "headers", "rewrite", "filter", "deflate", "brotli", "reqtimeout", "setenvif", "buffer"],
	...["proxy", "proxy_http", "proxy_fcgi", "proxy_balancer", "lbmethod_byrequests", "lbmethod_bybusyness", "slotmem_shm", "remoteip"],
	...["xsendfile"],
];

/** Apache: the shipped site file (tls) or a virtual host around the shared file, in a small main file. It runs as www-data. */
function apache({ dir, share, port, httpPort, filesPort, stack, tls, api, realtime, members: only, head = "" }) {
	const main = join(dir, "httpd.conf");
	const filesApi = api === "fcgid" ? "fcgid" : "proxy_fcgi";
	const modules = [...APACHE_MODULES, ...(tls ? ["ssl", "http2", "socache_shmcb"] : []), ...({ fcgid: ["fcgid"], cgi: ["cgid"] }[api] ?? [])];
	const member = (s, i) => `BalancerMember "unix:${s}|http://realtime-${i + 1}" upgrade=websocket timeout=75 retry=1`;
	const members = sockets(stack, "realtime", only).map(member);
	const listen = (p) => `Listen 127.0.0.1:${p}\n${ipv6 ? `Listen [::1]:${p}` : ""}`;
	let site;
	if (tls) {
		const { cert, key } = selfSigned(dir);
		const define = (name, value) => [new RegExp(`^Define ${name} .*$`, "m"), `Define ${name} ${value}`];
		site = put(readFileSync(join(share, "apache/pulsechat.conf"), "utf8"), "apache/pulsechat.conf", [
			define("PC_HOST", siteOf(stack, tls)),
			define("PC_HTTP", httpPort),
			define("PC_HTTPS", port),
			define("PC_CERT", cert),
			define("PC_KEY", key),
			define("PC_SHARE", share),
			define("PC_API", api),
			define("PC_SOCKET", stack.socket("api1")),
			define("PC_CGI", `${share}/cgi/pulsechat.cgi`),
			[/^\tBalancerMember .*$/m, members.join("\n")],
			[/^\tBalancerMember "unix:\/run\/pulsechat\/realtime-2.*$/m, ""],
			define("PC_FILES_DIR   ", stack.filesDir ?? dir),
			define("PC_FILES_API   ", filesApi),
			define("PC_FILES_SOCKET", stack.socket("files1")),
			define("PC_FILES_CGI   ", `${share}/cgi/pulsechat-files.cgi`),
			["/var/www/html", dir],
		]);
		writeFileSync(join(share, "apache/pulsechat.conf"), site);
		site = `${listen(httpPort)}\nInclude ${share}/apache/pulsechat.conf`;
	} else
		site = `
Define PC_SHARE ${share}
Define PC_FORMS ${stack.idpUrl}
Define PC_WS ws://${stack.host}
Define PC_API ${api}
Define PC_SOCKET ${stack.socket("api1")}
Define PC_CGI ${share}/cgi/pulsechat.cgi
Define PC_FILES "${stack.filesUrl ?? ""}"
<Proxy "balancer://pulsechat-realtime">
	${members.join("\n\t")}
	ProxySet lbmethod=bybusyness
</Proxy>
ServerLimit 8
ThreadsPerChild 64
MaxRequestWorkers 512
MinSpareThreads 64
MaxSpareThreads 256
<VirtualHost *:${port}>
	Include ${share}/apache/site.conf
</VirtualHost>
${
	stack.files
		? `Define PC_FILES_DIR "${stack.filesDir}"
Define PC_FILES_API ${filesApi}
Define PC_FILES_SOCKET ${stack.socket("files1")}
Define PC_FILES_CGI ${share}/cgi/pulsechat-files.cgi
${listen(filesPort)}
<VirtualHost *:${filesPort}>
	Include ${share}/apache/files-host.conf
</VirtualHost>`
		: ""
}`;
	writeFileSync(
		main,
		`ServerRoot ${dir}
ServerTokens Prod
ServerName 127.0.0.1
DefaultRuntimeDir ${dir}
PidFile ${dir}/httpd.pid
ErrorLog ${dir}/error.log
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog ${dir}/access.log combined
${modules.map((m) => `LoadModule ${m}_module /usr/lib/apache2/modules/mod_${m}.so`).join("\n")}
TypesConfig /dev/null
${api === "cgi" ? `ScriptSock ${dir}/cgid.sock` : ""}
${api === "fcgid" ? `FcgidIPCDir ${dir}\nFcgidProcessTableFile ${dir}/fcgid.shm` : ""}
<Directory />
	Require all denied
	AllowOverride None
</Directory>
${listen(port)}
${realtime ? "" : "Define PC_NO_REALTIME"}
${head}
${site}
`,
	);
	// Apache serves nothing as root. As www-data it could not enter the folders of the test, but for this capability.
	let privileges = [];
	if (isRoot) {
		privileges = ["--reuid=www-data", "--regid=www-data", "--init-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
		execFileSync("chown", ["-R", "www-data:", dir]);
	}
	return { name: "apache", argv: ["apache2", "-D", "FOREGROUND", "-f", main], privileges };
}

/** lighttpd: the shipped main file (tls), or the stack's own, with the overlays for CGI and for a host without realtime process. */
function lighttpd({ dir, share, port, httpPort, filesPort, stack, tls, api, realtime, members, head = "" }) {
	const main = join(dir, "lighttpd.conf");
	let text;
	const member = (n) => `"${n}" => ( "host" => "${stack.socket(n)}", "disable-time" => 0 ),`;
	if (tls) {
		const { cert, key } = selfSigned(dir);
		text = put(readFileSync(join(share, "lighttpd/pulsechat.conf"), "utf8"), "lighttpd/pulsechat.conf", [
			['var.pc_host     = "chat.example.org"', `var.pc_host = "${siteOf(stack, tls)}"`],
			[/^var.pc_cert .*$/m, `var.pc_cert = "${cert}"`],
			[/^var.pc_key .*$/m, `var.pc_key = "${key}"`],
			[`"${SHARE}"`, `"${share}"`],
			[`${SERVICE}/api.sock`, stack.socket("api1")],
			[`${SERVICE}/files.sock`, stack.socket("files1")],
			["/var/lib/pulsechat/files", stack.filesDir ?? "/var/lib/pulsechat/files"],
			[/^\t"1" => .*$/m, (members ?? stack.names.filter((n) => n.startsWith("realtime"))).map(member).join("\n\t")],
			[/^\t"2" => .*$/m, ""],
			[/^var.pc_fds .*$/m, "var.pc_fds = 4096"],
			[/^var.pc_connections .*$/m, "var.pc_connections = 2048"],
			[/^server.username .*$/m, ""],
			[/^server.groupname .*$/m, ""],
			["/run/lighttpd.pid", `${dir}/lighttpd.pid`],
			["/var/log/lighttpd/", `${dir}/`],
			["/var/cache/lighttpd/uploads", dir],
			["/var/cache/lighttpd/compress", `${dir}/compress`],
			["server.port = 80", `server.bind = "127.0.0.1"\nserver.port = ${httpPort}`],
			['"[::]:80"', ipv6 ? `"[::1]:${httpPort}"` : '"127.0.0.1:0"'],
			['":443"', `"127.0.0.1:${port}"`],
			['"[::]:443"', ipv6 ? `"[::1]:${port}"` : '"127.0.0.2:0"'],
		]);
	} else {
		// as the stack wrote it, on the other port
		text = put(readFileSync(join(stack.state, "lighttpd.conf"), "utf8"), "lighttpd.conf", [
			[/^server\.port .*$/m, `server.port = ${port}`],
			[/^accesslog\.filename .*$/m, `accesslog.filename = "${dir}/access.log"`],
			[/^server\.errorlog .*$/m, `server.errorlog = "${dir}/error.log"`],
			[/^deflate\.cache-dir .*$/m, `deflate.cache-dir = "${dir}/compress"`],
			[join(ROOT, "conf/lighttpd"), join(share, "lighttpd")],
			...(members ? [[/^var.pc_realtime .*$/m, `var.pc_realtime = ( ${members.map(member).join(" ")} )`]] : []),
		])
			.replaceAll(`"[::1]:${stack.port}"`, `"[::1]:${port}"`)
			.replaceAll(`"127.0.0.1:${stack.filesPort}"`, `"127.0.0.1:${filesPort}"`);
	}
	mkdirSync(join(dir, "compress"), { recursive: true });
	if (!realtime) text += `\ninclude "${share}/lighttpd/no-realtime.conf"\n`;
	if (api === "cgi") text += `\nvar.pc_cgi = "${share}/cgi/pulsechat.cgi"\ninclude "${share}/lighttpd/cgi.conf"\n`;
	writeFileSync(main, `${text}\n${head}\n`);
	return { name: "lighttpd", argv: [LIGHTTPD, "-D", "-f", main] };
}

/** Whether a server gives an answer, any. (Apache listens before it knows whether it likes its configuration.) */
function answers(port, tls = false) {
	return new Promise((ok) => {
		const options = { host: "127.0.0.1", port, path: "/", agent: false, timeout: 2000, rejectUnauthorized: false };
		const req = (tls ? httpsRequest : httpRequest)(options, (res) => {
			res.resume();
			ok(true);
		});
		req.on("timeout", () => req.destroy());
		req.on("error", () => ok(false));
		req.end();
	});
}

/** Configures; returns {name, argv, privileges?}. */
function configure(name, options) {
	const server = SERVERS[name];
	if (!server) throw new Error(`no web server ${name}: there are ${Object.keys(SERVERS).join(", ")}`);
	mkdirSync(options.dir, { recursive: true });
	const share = layShare(options.dir, options.stack, options.change);
	return { lighttpd, nginx, apache }[server.kind]({ ...server, ...options, share });
}

/** For Stack's `front`: this server in lighttpd's place. */
export function frontOf(name) {
	if (!name || name === "lighttpd") return undefined;
	return (stack) => {
		const { port, filesPort, runDir } = stack;
		return { ...configure(name, { stack, dir: mkdtempSync(join(runDir, "w-")), port, filesPort }), ready: () => answers(port) };
	};
}

const started = new Set();

/** A second web server beside the stack's own. */
export async function startServer(name, stack, { tls = false, change, head, drain, realtime: members } = {}) {
	const dir = mkdtempSync(join(stack.runDir, "w-"));
	const port = await freePort();
	const httpPort = tls ? await freePort() : port;
	const filesPort = await freePort();
	const spec = configure(name, { stack, dir, port, httpPort, filesPort, tls, change, head, drain, members });
	const proc = new Proc({ supervise: false, log: join(dir, "out.log"), env: { PATH }, stopWait: 15000, ...spec, ready: () => answers(port, tls) });
	started.add(proc);
	const read = (file) => (existsSync(join(dir, file)) ? readFileSync(join(dir, file), "utf8") : "");
	const server = {
		name,
		dir,
		port,
		httpPort,
		filesPort, // without tls: where it serves the local store
		proc,
		site: siteOf(stack, tls),
		ca: tls ? readFileSync(selfSigned(dir).cert) : undefined,
		log: () => read("out.log") + read("error.log"),
		accessLog: () => read("access.log"),
		reload: () => process.kill(proc.pid, RELOAD[SERVERS[name].kind]),
		async stop() {
			if (!started.delete(proc)) return;
			await proc.stop();
			rmSync(dir, { recursive: true, force: true });
			if (proc.overdue) throw new Error(`${name} did not stop in time`);
		},
	};
	try {
		proc.start();
		await proc.untilReady(15000);
	} catch (e) {
		const log = server.log();
		await server.stop().catch(() => {});
		throw new Error(`${name} does not start: ${e.message}\n${log.slice(-3000)}`);
	}
	return server;
}

/** The web server's own graceful reload, by signal: what systemctl reload does. */
const RELOAD = { lighttpd: "SIGUSR1", nginx: "SIGHUP", apache: "SIGUSR1" };

process.on("exit", () => {
	for (const proc of started) if (proc.child) process.kill(proc.child.pid, "SIGKILL");
});
