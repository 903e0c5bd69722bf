// hostile: a proxy in front of the site that treats it as badly as it is told, and counts.
//
//   const h = await openHostile(sitePort, { upgrade: "swallow", streams: "hold" });
//   h.port, h.handshakes (times of the WebSocket handshakes that came), h.requests ([{path, status, ms}]), await h.close()
//
// upgrade   "pass"      as it should be
//           "drop"      takes Upgrade and Connection away, as one does that knows nothing of them
//           200, 403    answers the handshake itself
//           "mute"      never answers it
//           "swallow"   passes the 101, and no frame after it, in either direction
//           "cut"       closes every socket 2 s after it was opened
// streams   "pass"; "hold": an answer leaves when it has ended, a stream never; "cut": an event stream is cut 2 s after its begin
// limit     ms without a byte of the answer, then 504

import { Agent, createServer, request } from "node:http";
import { connect } from "node:net";

const LIFE = 2000; // ms, of "cut"
// Of this hop alone (RFC 9110, 7.6.1).
const HOP = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"]);

const endToEnd = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.has(name)));

export async function openHostile(site, { upgrade = "drop", streams = "pass", limit = 0 } = {}) {
	// A connection for each request: one kept open may be closed by the site just when it is used again, which would be a 502 of ours.
	const agent = new Agent({ keepAlive: false });
	const open = new Set();
	const timers = new Set();
	const self = { handshakes: [], requests: [] };
	const later = (what) => {
		const timer = setTimeout(() => {
			timers.delete(timer);
			what();
		}, LIFE);
		timers.add(timer);
	};
	const isHandshake = (req) => /websocket/i.test(req.headers.upgrade ?? "");

	const server = createServer((req, res) => {
		const began = Date.now();
		const note = (status) => self.requests.push({ path: req.url, status, ms: Date.now() - began, at: began });
		if (isHandshake(req)) self.handshakes.push(began);
		const options = { host: "127.0.0.1", port: site, method: req.method, path: req.url, headers: endToEnd(req.headers), agent };
		const onward = request(options, (answer) => {
			onward.setTimeout(0);
			const head = [answer.statusCode, endToEnd(answer.headers)];
			answer.on("error", () => res.destroy());
			if (streams === "hold") {
				const parts = [];
				answer.on("data", (d) => parts.push(d));
				answer.on("end", () => {
					res.writeHead(...head).end(Buffer.concat(parts));
					note(answer.statusCode);
				});
				return;
			}
			res.writeHead(...head);
			res.flushHeaders();
			answer.pipe(res);
			if (streams === "cut" && answer.headers["content-type"]?.startsWith("text/event-stream")) later(() => res.destroy());
			answer.on("end", () => note(answer.statusCode));
		});
		const fail = (status, text) => {
			note(status);
			res.writeHead(status, { "content-type": "text/html" }).end(`<h1>${status} ${text}</h1>`);
		};
		if (limit)
			onward.setTimeout(limit, () => {
				fail(504, "Gateway Time-out");
				onward.destroy();
			});
		onward.on("error", () => {
			if (res.writableEnded || res.destroyed) return; // cut by the limit, or given up by the client
			if (res.headersSent) res.destroy();
			else fail(502, "Bad Gateway");
		});
		res.on("close", () => res.writableFinished || onward.destroy());
		req.pipe(onward);
	});
	server.on("connection", (socket) => {
		open.add(socket);
		socket.on("close", () => open.delete(socket));
		socket.on("error", () => socket.destroy());
	});
	server.keepAliveTimeout = 60000;

	// Without a listener node treats an upgrade as a plain request: that is "drop".
	if (upgrade !== "drop")
		server.on("upgrade", (req, a, first) => {
			self.handshakes.push(Date.now());
			if (upgrade === "mute") return;
			if (typeof upgrade === "number") {
				const text = "<h1>Not here</h1>";
				const head = [`HTTP/1.1 ${upgrade} Whatever`, "Content-Type: text/html", `Content-Length: ${text.length}`, "Connection: close"];
				a.end(`${head.join("\r\n")}\r\n\r\n${text}`);
				return;
			}
			const b = connect(site, "127.0.0.1", () => {
				const lines = [`${req.method} ${req.url} HTTP/1.1`];
				for (let i = 0; i < req.rawHeaders.length; i += 2) lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}`);
				b.write(`${lines.join("\r\n")}\r\n\r\n`);
				if (upgrade === "swallow") swallow(a, b);
				else {
					b.write(first);
					a.pipe(b);
					b.pipe(a);
				}
			});
			open.add(b);
			b.on("error", () => a.destroy());
			b.on("close", () => {
				open.delete(b);
				a.destroy();
			});
			a.on("close", () => b.destroy());
			if (upgrade === "cut") later(() => a.destroy());
		});

	await new Promise((ok) => server.listen(0, "127.0.0.1", ok));
	self.port = server.address().port;
	self.close = () =>
		new Promise((ok) => {
			for (const timer of timers) clearTimeout(timer);
			server.close(ok);
			for (const socket of open) socket.destroy();
			agent.destroy();
		});
	return self;
}

/** The head of the answer, and nothing after it. */
function swallow(a, b) {
	let head = Buffer.alloc(0);
	let passed = false;
	a.resume(); // read and thrown away
	b.on("data", (data) => {
		if (passed) return;
		head = Buffer.concat([head, data]);
		const end = head.indexOf("\r\n\r\n");
		if (end < 0) return;
		passed = true;
		a.write(head.subarray(0, end + 4));
	});
}
