// help: one request through one web server, with control over what libraries tidy up: chunks, address family, paths, certificates.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { gunzipSync, brotliDecompressSync } from "node:zlib";
import WebSocket from "ws";
import { sleep } from "../support/until.mjs";

export { sleep };

/** Connection options for a server of servers.mjs. Its site's name is in Host, as browsers have it. */
function towards(server, { v6 = false, port = server.port, secure = !!server.ca } = {}) {
	const host = v6 ? "::1" : "127.0.0.1";
	return { host, port, agent: false, ...(secure && { ca: server.ca, servername: server.site.replace(/:\d+$/, "") }) };
}

/**
 * Resolves to {status, headers, all (name → values), text, bytes, json, first (ms until the first byte of the body), ms}.
 * options: method, headers, body, chunks (array: sent one by one, chunked), declare (a Content-Length of which only a little is
 * sent), v6, port, secure, onText (called with what has come so far), signal
 */
export function ask(server, path, options = {}) {
	const { method = "GET", headers = {}, body, chunks, declare, onText, signal, timeout = 30000 } = options;
	return new Promise((ok, no) => {
		const send = { host: server.site, ...headers };
		if (body !== undefined) send["content-length"] = Buffer.byteLength(body);
		if (declare !== undefined) send["content-length"] = declare;
		if (chunks) send["transfer-encoding"] = "chunked";
		for (const k of Object.keys(send)) if (send[k] === null) delete send[k];
		const to = towards(server, options);
		const began = performance.now();
		let answered = false;
		const req = (to.ca ? httpsRequest : httpRequest)({ ...to, method, path, headers: send, signal, timeout }, (res) => {
			answered = true;
			const parts = [];
			let first;
			res.on("data", (d) => {
				first ??= performance.now() - began;
				parts.push(d);
				onText?.(Buffer.concat(parts).toString(), res);
			});
			res.on("error", no);
			res.on("end", () => {
				const all = {};
				for (let i = 0; i < res.rawHeaders.length; i += 2) (all[res.rawHeaders[i].toLowerCase()] ??= []).push(res.rawHeaders[i + 1]);
				const bytes = Buffer.concat(parts);
				const coding = res.headers["content-encoding"];
				const plain = bytes.length === 0 || !coding ? bytes : coding === "gzip" ? gunzipSync(bytes) : brotliDecompressSync(bytes);
				const answer = { status: res.statusCode, headers: res.headers, all, bytes, plain, first, ms: performance.now() - began };
				answer.text = plain.toString();
				Object.defineProperty(answer, "json", { get: () => JSON.parse(answer.text) });
				if (declare !== undefined) req.destroy();
				ok(answer);
			});
		});
		req.on("timeout", () => req.destroy(new Error(`${server.name}: no answer to ${method} ${path} within ${timeout} ms`)));
		req.on("error", (e) => {
			if (!answered) no(e);
		});
		if (declare !== undefined) req.write("{");
		else if (chunks)
			(async () => {
				for (const c of chunks) {
					req.write(c);
					await sleep(30);
				}
				req.end();
			})();
		else req.end(body);
	});
}

/** A problem of this status and code that the programs themselves have said. */
export function problem(answer, status, code) {
	const said = `${answer.status} ${answer.text.slice(0, 300)}`;
	assert.equal(answer.status, status, said);
	assert.equal(answer.headers["content-type"], "application/problem+json", said);
	assert.equal(answer.json.code, code, said);
	assert.equal(answer.json.request_id, answer.headers["pulsechat-request-id"], said);
}

/** A WebSocket's first line: {hello, socket}, or {status} where the handshake was answered otherwise. */
export function handshake(server, token, options = {}) {
	const { v6, query = "" } = options;
	const to = towards(server, options);
	const url = `${to.ca ? "wss" : "ws"}://${v6 ? "[::1]" : "127.0.0.1"}:${to.port}/api/v1/ws${query}`;
	const headers = { host: server.site, authorization: `Bearer ${token}`, ...options.headers };
	for (const k of Object.keys(headers)) if (headers[k] === null) delete headers[k];
	const socket = new WebSocket(url, "pulsechat.v1", {
		...(to.ca && { ca: to.ca, servername: to.servername }),
		headers,
		perMessageDeflate: false,
	});
	return new Promise((ok, no) => {
		socket.once("message", (data) => ok({ hello: JSON.parse(data.toString().split("\n")[0]), socket }));
		socket.on("unexpected-response", (_req, res) => {
			ok({ status: res.statusCode, headers: res.headers });
			socket.terminate();
		});
		socket.on("error", no);
	});
}
