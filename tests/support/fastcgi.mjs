// fastcgi: speaks FastCGI to a pulsechat-api process directly, past the web server, so that a test can choose the process and can
// leave at any byte.
//
//   const r = await fcgiRequest(stack.socket("api2"), { method: "POST", path: "/api/v1/…", token, body: {…} });   // status, headers, json
//   const c = await fcgiOpen(socket, {…});  c.params();  c.stdin(bytes);  c.stdinEnd();  await c.answer();  c.leave();

import { connect } from "node:net";
import { checkExchange, later } from "./contract.mjs";

const BEGIN = 1,
	END = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6;

function record(type, content = Buffer.alloc(0)) {
	const head = Buffer.alloc(8);
	head[0] = 1;
	head[1] = type;
	head.writeUInt16BE(1, 2);
	head.writeUInt16BE(content.length, 4);
	return Buffer.concat([head, content]);
}

function length(n) {
	if (n < 128) return Buffer.from([n]);
	const b = Buffer.alloc(4);
	b.writeUInt32BE(n + 0x80000000);
	return b;
}

function pair(name, value) {
	const n = Buffer.from(name),
		v = Buffer.from(String(value));
	return Buffer.concat([length(n.length), length(v.length), n, v]);
}

const SILENT_MS = 1000; // libfcgi lets go of a connection on which nothing comes for 2 s

/** A connection on which there is still time to say something: where this process had none to be told of it, another one. */
async function connected(path) {
	for (;;) {
		const began = performance.now();
		const socket = connect(path);
		await new Promise((ok, no) => socket.once("connect", ok).once("error", no));
		if (performance.now() - began < SILENT_MS) return socket;
		socket.destroy();
	}
}

/** options: method, path, token, body (object, string or Buffer), headers, env (further variables), contentLength */
export async function fcgiOpen(socketPath, { method = "GET", path, token, body, headers = {}, env = {}, contentLength } = {}) {
	const bytes =
		body === undefined
			? Buffer.alloc(0)
			: Buffer.isBuffer(body)
				? body
				: Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
	const vars = {
		GATEWAY_INTERFACE: "CGI/1.1",
		SERVER_PROTOCOL: "HTTP/1.1",
		REQUEST_METHOD: method,
		REQUEST_URI: path,
		REMOTE_ADDR: "192.0.2.7",
		CONTENT_LENGTH: contentLength ?? bytes.length,
		...(bytes.length ? { CONTENT_TYPE: "application/json" } : {}),
		...(token ? { HTTP_AUTHORIZATION: `Bearer ${token}` } : {}),
		...Object.fromEntries(Object.entries(headers).map(([k, v]) => [`HTTP_${k.toUpperCase().replaceAll("-", "_")}`, v])),
		...env,
	};
	const socket = await connected(socketPath);
	let got = Buffer.alloc(0);
	const out = [];
	let ended = false;
	const done = new Promise((ok, no) => {
		socket.on("data", (d) => {
			got = Buffer.concat([got, d]);
			while (got.length >= 8) {
				const size = 8 + got.readUInt16BE(4) + got[6];
				if (got.length < size) break;
				if (got[1] === STDOUT) out.push(got.subarray(8, 8 + got.readUInt16BE(4)));
				if (got[1] === END) ended = true;
				got = got.subarray(size);
			}
			if (ended) ok();
		});
		// longer than any poll waits
		socket.setTimeout(70000, () => socket.destroy(new Error(`no answer to ${method} ${path} within 70 s`)));
		socket.on("error", no);
		socket.on("close", () => (ended ? ok() : no(new Error("the process closed the connection before its answer ended"))));
	});
	done.catch(() => {}); // looked at by answer()
	return {
		socket,
		bytes,
		params() {
			socket.write(record(BEGIN, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])));
			socket.write(record(PARAMS, Buffer.concat(Object.entries(vars).map(([k, v]) => pair(k, v)))));
			socket.write(record(PARAMS));
		},
		stdin(part) {
			for (let i = 0; i < part.length; i += 60000) socket.write(record(STDIN, part.subarray(i, i + 60000)));
		},
		stdinEnd() {
			socket.write(record(STDIN));
		},
		leave() {
			socket.destroy();
		},
		async answer() {
			await done;
			socket.destroy();
			const all = Buffer.concat(out);
			const at = all.indexOf("\r\n\r\n");
			const lines = all.subarray(0, at).toString().split("\r\n");
			const found = Object.fromEntries(
				lines.map((l) => [l.slice(0, l.indexOf(":")).toLowerCase(), l.slice(l.indexOf(":") + 2)]),
			);
			const text = all.subarray(at + 4).toString();
			const status = parseInt(found.status, 10);
			const type = vars.HTTP_CONTENT_TYPE ?? vars.CONTENT_TYPE;
			later(() => checkExchange({ method, target: path, headers: { "content-type": type }, body: bytes }, { status, headers: found, text }));
			return { status, headers: found, text, json: text && /[/+]json/.test(found["content-type"]) ? JSON.parse(text) : undefined };
		},
	};
}

export async function fcgiRequest(socketPath, options) {
	const c = await fcgiOpen(socketPath, options);
	c.params();
	if (c.bytes.length) c.stdin(c.bytes);
	c.stdinEnd();
	return c.answer();
}
