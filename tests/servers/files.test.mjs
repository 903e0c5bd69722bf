// files: the local store behind every web server that can send its files: at an origin of its own as the examples have it, and on a host
// with one name alone (files.conf in the site): there too nothing that people have uploaded is a page or a script of the site (FI-3).

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, startStack } from "../support/stack.mjs";
import { startServer } from "../support/servers.mjs";
import { hash, localStore, newKey, putHeaders, send, sign } from "../files/help.mjs";
import { ask } from "./help.mjs";

const FRONTS = ["lighttpd", "nginx", "apache-proxy_fcgi", "apache-fcgid"];
const stacks = new Map();

/** nginx is told of a file in another way: the program behind it is set up for that. */
function stackFor(name) {
	const front = name === "nginx" ? "nginx" : "lighttpd";
	if (!stacks.has(front)) stacks.set(front, startStack({ provider: false, realtime: 0, only: ["files1", "lighttpd"], front }));
	return stacks.get(front);
}
after(() => Promise.all([...stacks.values()].map(async (stack) => (await stack).stop())));

/** Options of startServer() for one name. */
function oneName(name, stack) {
	if (name === "lighttpd") return { head: 'include var.pc_errors + "/../files.conf"' };
	const apache = `Define PC_FILES_DIR ${stack.filesDir}
Define PC_FILES_API ${name.split("-")[1]}
Define PC_FILES_SOCKET ${stack.socket("files1")}
Define PC_FILES_CGI \${PC_SHARE}/cgi/pulsechat-files.cgi
Include \${PC_SHARE}/apache/files.conf`;
	const nginx = (share) => `set $pc_files_dir "${stack.filesDir}";\ninclude ${share}/nginx/files.conf;`;
	const lines = (text) => (name === "nginx" ? nginx(/(\S+)\/nginx\/api\.conf/.exec(text)[1]) : apache);
	return { change: (text, file) => (file === `${name.split("-")[0]}/site.conf` ? `${text}\n${lines(text)}\n` : text) };
}

const HTML = Buffer.from("<!doctype html><title>no</title><script>document.title = 'ran'</script>");

/** The whole way of some objects through this port; s3: as browsers have it. */
async function way(s3, port) {
	const to = { port };
	const put = async (body, type) => {
		const key = newKey();
		const r = await send(s3, sign(s3, "PUT", key, { headers: putHeaders(body, { type }) }), { ...to, body });
		assert.equal(r.status, 200, r.text);
		return key;
	};
	const closed = (r, type, disposition) => {
		assert.equal(r.headers["content-security-policy"], "sandbox; default-src 'none'");
		assert.equal(r.headers["x-content-type-options"], "nosniff");
		assert.match(r.headers["content-disposition"], disposition);
		assert.equal(r.headers["content-type"], type);
		for (const [name, value] of Object.entries(r.headers))
			assert.ok(!/sendfile|accel-redirect/i.test(name) && !/objects\//.test(value), `${name}: ${value}`);
	};
	const large = randomBytes(1 << 20), picture = await put(large, "image/png"), page = await put(HTML, "text/html");
	const inline = { "response-content-disposition": 'inline; filename="a.html"', "response-content-type": "text/html" };
	for (const query of [{}, inline]) {
		const r = await send(s3, sign(s3, "GET", page, { query }), to);
		assert.deepEqual([r.status, r.bytes], [200, HTML]);
		closed(r, "application/octet-stream", /^attachment/);
	}
	const shown = sign(s3, "GET", picture, { query: { "response-content-disposition": 'inline; filename="a.png"' } });
	const whole = await send(s3, shown, to);
	assert.deepEqual([whole.status, hash(whole.bytes)], [200, hash(large)]);
	closed(whole, "image/png", /^inline/);
	const part = await send(s3, shown, { ...to, headers: { range: "bytes=1000000-1000009" } });
	assert.deepEqual([part.status, part.headers["content-range"], part.bytes], [206, `bytes 1000000-1000009/${1 << 20}`, large.subarray(1000000, 1000010)]);
	closed(part, "image/png", /^inline/);
	const again = await send(s3, sign(s3, "PUT", picture, { headers: putHeaders(HTML, { type: "image/png" }) }), { ...to, body: HTML });
	assert.deepEqual([again.status, again.code], [412, "PreconditionFailed"]);
	const bare = { ...shown, path: shown.path.split("?")[0] };
	assert.deepEqual((({ status, code }) => [status, code])(await send(s3, bare, to)), [403, "AccessDenied"]);
	assert.equal((await send(s3, sign(s3, "GET", newKey()), to)).code, "NoSuchKey");
}

describe("the local store", { concurrency: 2 }, () => {
	for (const name of FRONTS)
		describe(name, { concurrency: 1 }, () => {
			let stack, server;
			before(async () => (stack = await stackFor(name)));
			after(() => server?.stop());

			test(`${name}: at an origin of its own, where there is nothing else`, async () => {
				server = await startServer(name, stack);
				const s3 = localStore(stack);
				await way(s3, server.filesPort);
				const at = { ...server, port: server.filesPort, site: new URL(s3.endpoint).host };
				for (const path of ["/", "/api/v1/limits", "/assets/", "/s3x"]) {
					const r = await ask(at, path);
					assert.ok([403, 404].includes(r.status), `${path}: ${r.status}`);
				}
				await server.stop();
			});

			test(`${name}: on a host with one name alone: never without the sandbox`, async () => {
				server = await startServer(name, stack, oneName(name, stack));
				const page = readFileSync(join(stack.htdocs ?? join(ROOT, "build/htdocs"), "index.html"), "utf8");
				await way({ ...localStore(stack), endpoint: `http://${server.site}/s3` }, server.port);
				assert.equal((await ask(server, "/c/12")).text, page, "the site is as before");
				await server.stop();
			});
		});
});
