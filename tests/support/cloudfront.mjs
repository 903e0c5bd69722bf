// cloudfront: what CloudFront does between a browser and a bucket, as far as we lean on it: it takes the signed URLs of a key group (canned
// policy), in a judgement of its own by node's crypto, and asks the bucket with a signature of its own (origin access control).
//
//   const cf = await startCloudfront(gw, { keyId, publicKey });    // gw: startRadosgw(), cf.url
// Faults: open: no signature asked. queries: false: a cache policy that passes no query strings on. headers: false: no response headers policy.

import { createServer } from "node:http";
import { createVerify } from "node:crypto";
import { once } from "node:events";
import { signedCall } from "./radosgw.mjs";

export async function startCloudfront(gw, { keyId, publicKey, open = false, queries = true, headers = true }) {
	let url;
	const seen = [];
	const server = createServer(async (q, r) => {
		const why = open ? "" : judge(url, q.url, keyId, publicKey);
		seen.push({ url: q.url, why });
		if (why) return r.writeHead(403, { "content-type": "text/xml" }).end(`<?xml version="1.0"?><Error><Code>${why}</Code></Error>`);
		const [path, query = ""] = q.url.split("?");
		const passed = query.split("&").filter((p) => /^response-/.test(p));
		const target = `/${gw.bucket}${path}${queries && passed.length ? `?${passed.join("&")}` : ""}`;
		const a = await signedCall(gw, q.method, target);
		const kept = ["content-type", "content-disposition", "etag"].filter((n) => a.headers[n]).map((n) => [n, a.headers[n]]);
		const policy = { "x-content-type-options": "nosniff", "content-security-policy": "sandbox; default-src 'none'" };
		r.writeHead(a.status, { ...Object.fromEntries(kept), ...(headers && policy) }).end(a.body);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	url = `http://127.0.0.1:${server.address().port}`;
	return {
		url,
		seen,
		stop: () => new Promise((ok) => (server.closeAllConnections(), server.close(ok))),
	};
}

/** "" or CloudFront's code of refusal. */
function judge(url, target, keyId, publicKey) {
	const at = target.search(/[?&]Expires=/);
	const signed = /^.Expires=(\d+)&Signature=([A-Za-z0-9~_-]+)&Key-Pair-Id=([A-Za-z0-9]+)$/.exec(at < 0 ? "" : target.slice(at));
	if (!signed) return "MissingKey";
	const [, expires, signature, id] = signed;
	const policy = `{"Statement":[{"Resource":"${url}${target.slice(0, at)}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
	const raw = Buffer.from(signature.replace(/-/g, "+").replace(/_/g, "=").replace(/~/g, "/"), "base64");
	if (id !== keyId || !createVerify("RSA-SHA1").update(policy).verify(publicKey, raw)) return "AccessDenied";
	return Number(expires) * 1000 > Date.now() ? "" : "AccessDenied";
}
