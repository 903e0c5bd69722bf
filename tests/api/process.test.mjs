// process: how pulsechat-api starts and stops, and that no client can take it along (FC-2).

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { startStack, until } from "../support/stack.mjs";
import { sleep } from "../support/until.mjs";
import { bot } from "../support/http.mjs";
import { fcgiOpen, fcgiRequest } from "../support/fastcgi.mjs";
import { backends, holdChannel, holdOpen, makeChannel, message, ok, send } from "./help.mjs";

const run = promisify(execFile);
let stack, alice, bob;

before(async () => {
	stack = await startStack({ provider: false, realtime: 0, api: 2, supervise: false, conf: { "api.threads": 8 } });
	[alice, bob] = await Promise.all([bot(stack, "alice"), bot(stack, "bob")]);
});
after(() => stack?.stop());

const joinWaits = () => backends(stack, "query LIKE '%member_add%' AND wait_event_type = 'Lock'");
const writerAtIt = () => backends(stack, "query LIKE '%write_batch(%' AND state = 'active'");
/** Holds a channel's row until released, a moment after that was asked for: a request that waits takes as long. */
async function heldChannel(channel) {
	const { release } = await holdOpen(stack, `SELECT 1 FROM channels WHERE id = ${channel} FOR NO KEY UPDATE`);
	return { releaseSoon: () => sleep(300).then(release) };
}

test("FC-2 SIGTERM while idle, with 8 threads: exits within 2 s, leaves no socket file", async () => {
	const began = Date.now();
	await stack.down("api1", "SIGTERM");
	assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
	assert.equal(stack.exits("api1").at(-1).code, 0);
	assert.ok(!existsSync(stack.socket("api1")));
	await stack.up("api1");
});

test("FC-2 SIGTERM and SIGINT during a request that waits: it is answered, then the process exits", async () => {
	for (const signal of ["SIGTERM", "SIGINT"]) {
		const channel = (await makeChannel(alice)).id;
		const { releaseSoon } = await heldChannel(channel);
		const joining = fcgiRequest(stack.socket("api1"), {
			method: "POST",
			path: `/api/v1/channels/${channel}/join`,
			token: bob.token,
		});
		await until(joinWaits);
		const began = Date.now();
		const gone = stack.down("api1", signal), over = releaseSoon();
		assert.equal((await joining).status, 200);
		await gone;
		assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
		assert.equal(stack.exits("api1").at(-1).code, 0);
		await over;
		await stack.up("api1");
	}
});

test("FC-2 SIGTERM while a send waits in the writer: it is stored and answered", async () => {
	const channel = (await makeChannel(alice)).id;
	const { releaseSoon } = await heldChannel(channel);
	const sending = fcgiRequest(stack.socket("api1"), {
		method: "POST",
		path: `/api/v1/channels/${channel}/messages`,
		token: alice.token,
		body: message("in the drain"),
	});
	await until(writerAtIt);
	const began = Date.now();
	const gone = stack.down("api1", "SIGTERM"), over = releaseSoon();
	assert.equal((await sending).status, 201);
	await gone;
	assert.ok(Date.now() - began < 2000);
	await over;
	await stack.up("api1");
});

test("FC-2 a request that waits for longer than a stop may last is answered 503, and the process exits within 2 s", async () => {
	const channel = (await makeChannel(alice)).id;
	const { over } = await holdChannel(stack, channel, 3);
	const sending = fcgiRequest(stack.socket("api1"), {
		method: "POST",
		path: `/api/v1/channels/${channel}/messages`,
		token: alice.token,
		body: message("too long"),
	});
	await until(writerAtIt);
	const began = Date.now();
	const gone = stack.down("api1", "SIGTERM");
	const r = await sending;
	assert.equal(r.status, 503);
	assert.equal(r.json.code, "unavailable");
	assert.match(r.headers["retry-after"], /\d/);
	await gone;
	assert.ok(Date.now() - began < 2500, `${Date.now() - began} ms`);
	await over.catch(() => {});
	await stack.up("api1");
});

test("FC-2 who has connected before SIGTERM is still answered", async () => {
	// all eight threads are busy, so that these wait in the backlog
	const channel = (await makeChannel(alice)).id;
	const { releaseSoon } = await heldChannel(channel);
	const busy = Array.from({ length: 8 }, () =>
		fcgiRequest(stack.socket("api1"), { method: "POST", path: `/api/v1/channels/${channel}/join`, token: bob.token }),
	);
	await until(async () => (await joinWaits()) === 8);
	const late = Array.from({ length: 20 }, () => fcgiRequest(stack.socket("api1"), { path: "/api/v1/me", token: alice.token }));
	const gone = stack.down("api1", "SIGTERM"), over = releaseSoon();
	assert.deepEqual(
		(await Promise.all(busy)).map((a) => a.status),
		Array(8).fill(200),
	);
	assert.deepEqual(
		(await Promise.all(late)).map((a) => a.status),
		Array(20).fill(200),
	);
	await gone;
	await over;
	await stack.up("api1");
});

test("FC-2 starts again on a left-over socket file; not on one that is in use, nor on a file that is none", async () => {
	await stack.kill("api1", "SIGKILL");
	stack.forgive("api1");
	assert.ok(existsSync(stack.socket("api1")));
	await stack.up("api1");
	assert.equal((await fcgiRequest(stack.socket("api1"), { path: "/healthz" })).status, 200);
	const program = stack.program("pulsechat-api");
	const start = (listen) => run(program, ["-c", stack.conf], { env: { ...process.env, ...stack.env, PULSECHAT_API_LISTEN: listen } });
	await assert.rejects(start(stack.socket("api1")), (e) => e.code === 1 && /another process listens/.test(e.stderr));
	const file = join(stack.state, "file");
	writeFileSync(file, "precious");
	await assert.rejects(start(file), (e) => e.code === 1 && /no socket/.test(e.stderr));
	assert.equal(readFileSync(file, "utf8"), "precious");
	await assert.rejects(start(`/tmp/${"x".repeat(120)}`), (e) => e.code === 1 && /107/.test(e.stderr));
	await assert.rejects(start("localhost:9000"), (e) => e.code === 1 && /in numbers/.test(e.stderr));
	await assert.rejects(start(""), (e) => e.code === 1 && /descriptor 0/.test(e.stderr));
	assert.equal((await fcgiRequest(stack.socket("api1"), { path: "/healthz" })).status, 200);
});

test("options: help, version, wrong ones, a broken configuration", async () => {
	const program = stack.program("pulsechat-api");
	assert.match((await run(program, ["--help"])).stdout, /^usage: pulsechat-api/);
	assert.match((await run(program, ["--version"])).stdout, /^pulsechat-api \d/);
	await assert.rejects(run(program, ["--what"]), (e) => e.code === 2);
	await assert.rejects(run(program, ["what"]), (e) => e.code === 2);
	await assert.rejects(run(program, ["-c", "/nonexistent"]), (e) => e.code === 1 && /nonexistent/.test(e.stderr));
});

/** What a process holds: threads, descriptors, database connections of all api processes. */
async function holdings(name) {
	const pid = stack.pids[name];
	return {
		threads: Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]),
		fds: readdirSync(`/proc/${pid}/fd`).length,
		connections: await backends(stack, "usename = 'pulsechat'"),
	};
}

async function warm() {
	for (const name of ["api1", "api2"]) {
		const channel = (await makeChannel(alice)).id;
		const { over } = await holdChannel(stack, channel, 0.3);
		const path = `/api/v1/channels/${channel}/join`;
		const all = Array.from({ length: 8 }, () => fcgiRequest(stack.socket(name), { method: "POST", path, token: bob.token }));
		assert.ok((await Promise.all(all)).every((a) => a.status === 200));
		await over;
	}
}

const rawRequest = (bytes, leave) =>
	new Promise((done) => {
		const s = connect(stack.port, "127.0.0.1", () => s.write(bytes));
		s.on("error", () => done("error"));
		s.on("close", () => done("closed"));
		leave(s);
	});

test("FC-2 200 clients leave after the first byte, 50 in the middle of a POST, 50 in the middle of a FastCGI record: nothing is lost", async () => {
	const channel = (await makeChannel(alice)).id;
	for (let i = 0; i < 60; i++) ok(await send(alice, channel, "x".repeat(5000)), 201);
	await warm();
	const before = { api1: await holdings("api1"), api2: await holdings("api2"), pids: stack.pids };
	const head = (method, path, more = "") =>
		`${method} ${path} HTTP/1.1\r\nHost: ${stack.host}\r\nAuthorization: Bearer ${alice.token}\r\n${more}\r\n`;
	const page = head("GET", `/api/v1/channels/${channel}/messages?limit=60`);
	const readers = Array.from({ length: 200 }, () => rawRequest(page, (s) => s.once("data", () => s.destroy())));
	const post = head("POST", `/api/v1/channels/${channel}/messages`, "Content-Type: application/json\r\nContent-Length: 100000\r\n");
	const posts = Array.from({ length: 50 }, () => rawRequest(post + '{"client_id":"', (s) => s.resume().once("connect", () => s.end())));
	// past the web server, which holds a body back until it is whole
	const records = Array.from({ length: 50 }, async (_, i) => {
		const c = await fcgiOpen(stack.socket(i % 2 ? "api1" : "api2"), {
			method: "POST",
			path: `/api/v1/channels/${channel}/messages`,
			token: alice.token,
			contentLength: 100000,
			env: { CONTENT_TYPE: "application/json" },
		});
		c.params();
		if (i % 3) c.stdin(Buffer.from('{"client_id":"'));
		if (i % 5 === 0) c.socket.write(Buffer.from([1, 5, 0]));
		await new Promise((sent) => c.socket.end(sent));
		c.leave();
	});
	const large = Array.from({ length: 50 }, async () => {
		const c = await fcgiOpen(stack.socket("api1"), {
			path: `/api/v1/channels/${channel}/messages?limit=60`,
			token: alice.token,
		});
		c.params();
		c.stdinEnd();
		await new Promise((first) => c.socket.once("data", first));
		c.leave();
	});
	await Promise.all([...readers, ...posts, ...records, ...large]);
	for (const name of ["api1", "api2"]) {
		await until(async () => (await fcgiRequest(stack.socket(name), { path: "/api/v1/me", token: alice.token })).status === 200);
		await until(async () => JSON.stringify(await holdings(name)) === JSON.stringify(before[name]), {
			what: `${name} holds what it held: ${JSON.stringify(before[name])}, now ${JSON.stringify(await holdings(name))}`,
		});
	}
	assert.deepEqual(stack.pids, before.pids);
	assert.equal(await stack.psql(`SELECT count(*) FROM messages WHERE channel_id = ${channel}`), "60");
	ok(await send(alice, channel, "next request"), 201);
});

test("a body that ends before its Content-Length is 400, one over the limit 413, without a length too", async () => {
	const channel = (await makeChannel(alice)).id,
		path = `/api/v1/channels/${channel}/messages`,
		token = alice.token;
	const short = await fcgiRequest(stack.socket("api1"), { method: "POST", path, token, body: message("x"), contentLength: 5000 });
	assert.equal(short.status, 400);
	for (const contentLength of ["", "x", "-5", "1e3", "99999999999999999999"]) {
		const r = await fcgiRequest(stack.socket("api1"), { method: "POST", path, token, body: message("x"), contentLength });
		assert.equal(r.status, contentLength === "" ? 201 : 400, contentLength);
	}
	assert.equal(
		(
			await fcgiRequest(stack.socket("api1"), {
				method: "POST",
				path,
				token,
				body: Buffer.alloc(300000, " "),
				contentLength: "",
			})
		).status,
		413,
	);
	assert.equal(
		(await fcgiRequest(stack.socket("api1"), { method: "POST", path, token, body: "", contentLength: 300000 })).status,
		415,
	);
	assert.equal(
		(await fcgiRequest(stack.socket("api1"), { method: "POST", path, token, body: " ", contentLength: 300000 })).status,
		413,
	);
});

test("several processes share a socket that is passed on descriptor 0; one that stops takes nothing away", async () => {
	const socket = join(stack.runDir, "shared.sock");
	// a parent that listens, as a web server with bin-path or spawn-fcgi does
	const parent = spawn(
		"python3",
		[
			"-c",
			`
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(100)
kids = [subprocess.Popen(sys.argv[2:], stdin=s) for _ in range(2)]
print(*[k.pid for k in kids], flush=True)
print(*[k.wait() for k in kids], flush=True)
`,
			socket,
			stack.program("pulsechat-api"),
			"-c",
			stack.conf,
		],
		{ stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, ...stack.env } },
	);
	let said = "";
	parent.stdout.on("data", (d) => (said += d));
	const over = new Promise((done) => parent.on("exit", done));
	try {
		const [a, b] = (await until(() => /^\d+ \d+\n/.test(said) && said)).trim().split(" ").map(Number);
		const ask = () => fcgiRequest(socket, { path: "/api/v1/me", token: alice.token });
		await until(async () => (await ask()).status === 200);
		// one answers for both, and the other may not know of SIGTERM yet
		const ready = (pid) => BigInt(`0x${/^SigCgt:\s+(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]}`) & (1n << 14n);
		await until(() => ready(a) && ready(b), { what: "both are up" });
		const asking = (async () => {
			for (let i = 0; i < 200; i++) assert.equal((await ask()).status, 200);
		})();
		process.kill(a, "SIGTERM");
		await asking;
		process.kill(b, "SIGTERM");
		await over;
		assert.match(said, /\n0 0\n/);
	} finally {
		parent.kill();
	}
});
