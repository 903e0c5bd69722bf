// localhost: a host whose hosts file has ::1 before 127.0.0.1 for `localhost` (FC-1), and programs that listen on one of the two alone: what
// is shipped serves both families, and finds a database or a provider that is named so.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { lookup } from "node:dns/promises";
import { request } from "node:https";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { underHosts } from "../support/hosts.mjs";
import { SERVERS, startServer } from "../support/servers.mjs";
import { startStack } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { channel, exactly, people, post, say } from "../realtime/help.mjs";
import { ask, handshake, problem } from "./help.mjs";

underHosts("::1 localhost\n127.0.0.1 localhost\n");

const SITE = "https://localhost";
const sockets = new Set();
const relays = [];
let stack, token;

/** PostgreSQL by TCP, at this address and no other; the port. */
async function database(address) {
	const relay = createServer((a) => {
		const b = connect(join(stack.pgSocket, ".s.PGSQL.5432"));
		for (const [s, other] of [[a, b], [b, a]]) {
			sockets.add(s);
			s.on("error", () => {}).on("close", () => (sockets.delete(s), other.destroy()));
			s.pipe(other);
		}
	});
	relays.push(relay);
	await new Promise((ok, no) => relay.on("error", no).listen({ port: 0, host: address, ipv6Only: true }, ok));
	return relay.address().port;
}

before(async () => {
	stack = await startStack({ front: "lighttpd", site: SITE, idpHost: "localhost", api: 2, realtime: 2, only: ["postgres", "devidp"] });
	for (const [n, address] of [[1, "127.0.0.1"], [2, "::1"]]) {
		const dsn = `host=localhost port=${await database(address)} dbname=pulsechat user=pulsechat`;
		for (const proc of [stack.proc(`api${n}`), stack.proc(`realtime${n}`)]) proc.env = { ...proc.env, PULSECHAT_DATABASE_DSN: dsn };
	}
	await Promise.all(["api1", "api2", "realtime1", "realtime2", "files1", "lighttpd"].map((n) => stack.up(n)));
	token = await stack.token("alice", ["read", "write"]);
});
after(async () => {
	await stack?.stop();
	for (const s of sockets) s.destroy();
	for (const r of relays) r.close();
});

test("the hosts file is the one that is meant", async () => {
	assert.deepEqual((await lookup("localhost", { all: true, order: "verbatim" })).map((a) => a.address), ["::1", "127.0.0.1"]);
});

test("FC-1 a database by the name localhost, which listens on 127.0.0.1 alone or on ::1 alone: every program reaches it", async () => {
	for (const name of ["api1", "api2"]) {
		const me = await fcgiRequest(stack.socket(name), { path: "/api/v1/me", token });
		assert.equal(me.status, 200, `${name}: ${me.text}`);
	}
	const [alice, bob] = await people(stack, "alice", "bob");
	const room = await channel(alice, [bob]);
	const feeds = [await openWs(alice, { via: "realtime1" }), await openWs(bob, { via: "realtime2" })];
	for (const f of feeds) await say(f, room, "by localhost");
	for (const name of ["api1", "api2"]) {
		const body = { client_id: randomUUID(), body: { text: name } };
		const sent = await fcgiRequest(stack.socket(name), { method: "POST", path: `/api/v1/channels/${room}/messages`, token, body });
		assert.equal(sent.status, 201, sent.text);
	}
	await post(bob, room, "last");
	for (const f of feeds) {
		await exactly(f, room, 1, 5);
		await f.close();
	}
	for (const n of [1, 2]) {
		const said = await stack.cli(["doctor"], { env: { ...process.env, ...stack.proc(`api${n}`).env } }).catch((e) => e);
		assert.match(said.stdout, /^ok +database: PostgreSQL/m);
		assert.match(said.stdout, /^ok +[^\n]*provider[^\n]*/m, said.stdout); // which listens on 127.0.0.1 and is called localhost
	}
});

/** By the name, as its first address is; {status, text, address}. */
function byName(server, path) {
	return new Promise((ok, no) => {
		const headers = { host: server.site, authorization: `Bearer ${token}` };
		const to = { host: "localhost", port: server.port, path, headers, ca: server.ca, agent: false, autoSelectFamily: false };
		request(to, (res) => {
			const address = res.socket.remoteAddress;
			let text = "";
			res.setEncoding("utf8");
			res.on("data", (d) => (text += d)).on("end", () => ok({ status: res.statusCode, text, address }));
		})
			.on("error", no)
			.end();
	});
}

describe("web servers", { concurrency: 2 }, () => {
	for (const [name, { realtime }] of Object.entries(SERVERS))
		test(`${name}: FC-1 where localhost is ::1 first: a token, a socket and neighbouring paths, over both families and by the name`, async () => {
			const server = await startServer(name, stack, { tls: true });
			try {
				const bearer = { authorization: `Bearer ${token}` };
				for (const v6 of [false, true]) {
					const me = await ask(server, "/api/v1/me", { v6, headers: bearer });
					assert.deepEqual([me.status, me.json.user?.handle], [200, "alice"], me.text);
					problem(await ask(server, "/api/v1/me", { v6 }), 401, "unauthenticated");
					problem(await ask(server, "/api/v1/wsx", { v6, headers: bearer }), 404, "not_found");
					const poll = await ask(server, "/api/v1/events", { v6, headers: bearer });
					assert.equal(poll.status, 200, poll.text);
					if (!realtime) continue;
					problem(await ask(server, "/api/v1/ws", { v6, headers: bearer }), 426, "upgrade_required");
					const { hello, socket } = await handshake(server, token, { v6 });
					assert.equal(hello?.type, "hello");
					socket.terminate();
				}
				const { status, text, address } = await byName(server, "/api/v1/me");
				assert.deepEqual([status, address], [200, "::1"], text);
			} finally {
				await server.stop();
			}
		});
});
