// help: S3 requests signed in the query, by a signer of the tests' own, and sent with control over what libraries tidy up.
//
//   const s3 = localStore(stack);                         // or a radosgw of tests/support/radosgw.mjs
//   const put = sign(s3, "PUT", key, { headers: putHeaders(body) });
//   const r = await send(s3, put, { body });              // {status, headers, text, bytes, code: of S3's error}

import { createHash, createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";

export const hash = (bytes) => createHash("sha256").update(bytes).digest();
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** How the store of a stack is spoken to. */
export function localStore(stack) {
	return {
		endpoint: `${stack.filesUrl}/s3`,
		bucket: "pulsechat",
		region: "us-east-1",
		accessKey: "local",
		secretKey: readFileSync(join(stack.state, "files/secret"), "utf8").trim(),
		origin: stack.url,
		local: true,
	};
}

export const newKey = () => `test/${randomBytes(10).toString("hex")}`;

/** The headers that a whole object is sent with. */
export function putHeaders(body, { type = "application/octet-stream", sha256 = hash(body).toString("base64"), length = body.length } = {}) {
	return { "content-length": String(length), "content-type": type, "if-none-match": "*", "x-amz-checksum-sha256": sha256 };
}

/** {method, path, url, headers}: path as it must be asked for, headers as they were signed. change: (parameters) => void before signing. */
export function sign(s3, method, key, { headers = {}, query = {}, expires = 300, at = Date.now(), ...other } = {}) {
	const { bucket, accessKey, secretKey, region } = { ...s3, ...other };
	const u = new URL(s3.endpoint);
	const base = u.pathname.replace(/\/$/, "");
	const path = `${base}/${bucket}/${key.split("/").map(encode).join("/")}`;
	const date = new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");
	const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
	const signed = { host: u.host, ...headers };
	const names = Object.keys(signed).sort();
	const params = Object.entries({
		"X-Amz-Algorithm": "AWS4-HMAC-SHA256",
		"X-Amz-Credential": `${accessKey}/${scope}`,
		"X-Amz-Date": date,
		"X-Amz-Expires": String(expires),
		"X-Amz-SignedHeaders": names.join(";"),
		...query,
	})
		.map(([k, v]) => `${encode(k)}=${encode(v)}`)
		.sort();
	const canonical = [
		method,
		path,
		params.join("&"),
		...names.map((n) => `${n}:${signed[n].trim().replace(/ +/g, " ")}`),
		"",
		names.join(";"),
		"UNSIGNED-PAYLOAD",
	].join("\n");
	const text = ["AWS4-HMAC-SHA256", date, scope, hash(canonical).toString("hex")].join("\n");
	const signingKey = ["us-east-1", "s3", "aws4_request"].reduce(
		(k, part, i) => hmac(k, i === 0 ? region : part),
		hmac(`AWS4${secretKey}`, date.slice(0, 8)),
	);
	const query_ = `${params.join("&")}&X-Amz-Signature=${hmac(signingKey, text).toString("hex")}`;
	return { method, path: `${path}?${query_}`, url: `${u.origin}${path}?${query_}`, headers };
}

/** Sends what was signed. options: body, headers (null takes one away), method, path, port, host: another than signed. */
export function send(s3, signed, { body, headers = {}, method = signed.method, path = signed.path, port, timeout = 60000 } = {}) {
	const u = new URL(s3.endpoint);
	const all = { host: u.host, ...signed.headers, ...headers };
	for (const k of Object.keys(all)) if (all[k] === null || all[k] === undefined) delete all[k];
	return new Promise((ok, no) => {
		const req = request({ host: "127.0.0.1", port: port ?? u.port, method, path, headers: all, agent: false, timeout }, (res) => {
			const parts = [];
			res.on("data", (d) => parts.push(d));
			res.on("error", no);
			res.on("end", () => {
				const bytes = Buffer.concat(parts);
				const text = bytes.length < 1 << 20 ? bytes.toString() : "";
				ok({ status: res.statusCode, headers: res.headers, bytes, text, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1] });
			});
		});
		req.on("timeout", () => req.destroy(new Error(`no answer to ${method} within ${timeout} ms`)));
		req.on("error", (e) => (req.res?.complete ? undefined : no(e)));
		if (body?.pipe) body.pipe(req);
		else req.end(body);
	});
}

/** Stores body under a new key. */
export async function put(s3, body, { key = newKey(), type } = {}) {
	const r = await send(s3, sign(s3, "PUT", key, { headers: putHeaders(body, { type }) }), { body });
	if (r.status !== 200) throw new Error(`PUT: ${r.status} ${r.text}`);
	return { key, etag: r.headers.etag };
}

/** An upload whose bytes are sent one piece after the other: {write(bytes), end(), answer, destroy()}. */
export function slowly(s3, signed, { port } = {}) {
	const u = new URL(s3.endpoint);
	const socket = connect(port ?? Number(u.port), "127.0.0.1");
	const head = Object.entries({ host: u.host, connection: "close", ...signed.headers }).map(([k, v]) => `${k}: ${v}\r\n`);
	let text = "";
	socket.on("error", () => {});
	const answer = new Promise((ok) => {
		socket.on("data", (d) => (text += d.toString("latin1")));
		socket.on("close", () => ok({ status: Number(/^HTTP\/1\.\d (\d+)/.exec(text)?.[1] ?? 0), code: /<Code>(\w+)/.exec(text)?.[1] }));
	});
	socket.write(`${signed.method} ${signed.path} HTTP/1.1\r\n${head.join("")}\r\n`);
	return {
		answer,
		write: (bytes) => new Promise((ok) => socket.write(bytes, ok)),
		destroy: () => socket.destroy(),
	};
}
