// reload: the web server takes a new configuration while people write and listen through it. Nothing is lost, nothing comes twice,
// no request fails for good. $PC_SERVERS names the servers (default lighttpd).

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startStack, until } from "../support/stack.mjs";
import { SERVERS, put, startServer } from "../support/servers.mjs";
import { client } from "../support/http.mjs";
import { follow, openWs } from "../support/realtime.mjs";
import { ask } from "./help.mjs";

const NAMES = (process.env.PC_SERVERS || "lighttpd").split(",");
const RELOADS = 2;
const BETWEEN = 40; // messages between two reloads
const OLD_LIVE_MS = 8000; // where a server's old processes are told when to end, in KINDS

// How long the old processes may go on, shorter than shipped; and how a new configuration shows: another header of every answer.
const KINDS = {
	lighttpd: {
		change: (text, file) => (file === "lighttpd/site.conf" ? put(text, file, [["shutdown-timeout\" => 60", "shutdown-timeout\" => 8"]]) : text),
		file: "lighttpd.conf",
		mark: (text, n) => put(text, "lighttpd.conf", [[/^var.pc_headers .*$/m, `var.pc_headers = ( "X-Generation" => "${n}" )`]]),
	},
	nginx: {
		change: undefined,
		drain: "5s",
		file: "share/nginx/headers.conf",
		mark: (text, n) => `${text.replace(/^add_header X-Generation.*$/m, "")}\nadd_header X-Generation "${n}" always;\n`,
	},
	apache: {
		change: undefined,
		file: "httpd.conf",
		mark: (text, n) => `${text.replace(/^Header always set X-Generation.*$/m, "")}\nHeader always set X-Generation "${n}"\n`,
	},
};
let stack, tokens;

before(async () => {
	stack = await startStack({ provider: false, front: "lighttpd" });
	tokens = { alice: await stack.token("alice", ["read", "write"]), bob: await stack.token("bob", ["read", "write"]) };
});
after(() => stack?.stop());

/** A WebSocket that comes back with its cursor whenever it is cut, as the client does. */
function persist(who) {
	const lines = [];
	const state = { lines, opened: 0, failures: 0 };
	let stopped = false, feed, cursor;
	state.done = (async () => {
		while (!stopped)
			try {
				feed = await openWs(who, { cursor, instance: state.instance ?? (state.instance = randomUUID()) });
				state.opened++;
				const closed = await feed.closed;
				cursor = feed.cursor ?? cursor;
				lines.push(...feed.lines);
				state.last = closed;
			} catch (e) {
				state.failures++;
				state.last = e;
				await new Promise((ok) => setTimeout(ok, 50));
			}
	})();
	state.all = () => [...lines, ...(feed && !lines.includes(feed.lines.at(-1)) ? feed.lines : [])];
	state.stop = () => {
		stopped = true;
		feed?.close();
		return state.done;
	};
	return state;
}

for (const name of NAMES)
	test(`${name}: reloaded twice under traffic, clients resume and nothing is lost`, { timeout: 60000 }, async () => {
		const kind = KINDS[SERVERS[name].kind];
		const server = await startServer(name, stack, kind);
		const feeds = [], polls = [];
		let sent = 0, stop = false, lost = 0;
		try {
			const at = { ...stack, url: `http://127.0.0.1:${server.port}`, host: `127.0.0.1:${server.port}` };
			const [alice, bob] = [client(at, { token: tokens.alice }), client(at, { token: tokens.bob })];
			const bobId = (await bob.get("/api/v1/me")).json.user.id;
			const room = (await alice.post("/api/v1/channels", { name: `reload ${name}`, kind: "private", members: [bobId] })).json.id;
			const start = (await bob.get("/api/v1/channels")).headers["pulsechat-cursor"];
			feeds.push(persist(alice), persist(bob));
			polls.push(follow(bob, { cursor: start }));
			await until(() => feeds.every((f) => f.opened === 1), { what: "the sockets are open" });
			const writer = (async () => {
				for (; !stop; ) {
					const message = { client_id: randomUUID(), body: { text: `m ${sent + 1}` } };
					for (let tries = 0; ; tries++) {
						const sending = alice.post(`/api/v1/channels/${room}/messages`, message);
						const r = await sending.catch((e) => ({ status: 0, text: e.message }));
						if (r.status === 201 || r.status === 200) break;
						lost++;
						if (tries > 100 || (r.status >= 400 && r.status < 500)) throw new Error(`${r.status} ${r.text}`);
						await new Promise((ok) => setTimeout(ok, 50));
					}
					sent++;
				}
			})();
			writer.catch(() => {}); // awaited below
			for (let n = 1; n <= RELOADS; n++) {
				const from = sent;
				await Promise.race([until(() => sent >= from + BETWEEN, { ms: 20000, what: "messages flow" }), writer]);
				const path = join(server.dir, kind.file);
				writeFileSync(path, kind.mark(readFileSync(path, "utf8"), n));
				const asked = Date.now();
				server.reload();
				const generation = async () => (await ask(server, "/api/v1/limits").catch(() => null))?.headers["x-generation"];
				await until(async () => (await generation()) === String(n), { what: `generation ${n} answers` });
				// lighttpd closes its door for as long as the old process lives, unless told otherwise
				const took = Date.now() - asked;
				assert.ok(took < OLD_LIVE_MS, `answered after ${took} ms, when the old connections were gone`);
				const then = sent;
				await Promise.race([until(() => sent >= then + BETWEEN, { ms: 20000, what: "messages flow after the reload" }), writer]);
			}
			// lighttpd and nginx cut what is left of the old processes; Apache leaves it to end by itself
			if (SERVERS[name].kind !== "apache") await until(() => feeds.every((f) => f.opened > 1), { ms: 15000, what: "the sockets came back" });
			stop = true;
			await writer;
			const seqs = (lines) => lines.filter((l) => l.type === "message" && l.channel === room).map((l) => l.seq);
			const expected = Array.from({ length: sent }, (_, i) => i + 1);
			for (const f of feeds) {
				await until(() => seqs(f.all()).at(-1) === sent, { what: `a socket has all ${sent}` });
				assert.deepEqual(seqs(f.all()), expected);
			}
			for (const p of polls) {
				await until(() => seqs(p.lines).at(-1) === sent, { what: `the polls have all ${sent}` });
				assert.deepEqual(seqs(p.lines), expected);
			}
			const opened = feeds.map((f) => f.opened).join(" and ");
			console.log(`${name}: ${sent} messages; requests tried again ${lost}, polls ${polls[0].failures}; sockets opened ${opened}`);
			assert.ok(server.proc.pid && server.proc.exits.length === 0, "the server itself lives on");
		} finally {
			stop = true;
			await Promise.all([...feeds, ...polls].map((f) => f.stop()));
			await server.stop();
		}
	});
