// unread: counted by events on three devices, over WebSocket, server-sent events and polls, through two processes, while marks, sends,
// mentions (of people, groups, @here and @channel), edits, deletions and reconnects go on at random: it is what a fresh load says, and what
// a look at each message comes to. $SEED
// repeats a run, $STEPS makes it longer.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { Unread } from "../support/unread.mjs";
import { caughtUp, channel, head, people, rng, until } from "./help.mjs";

const STEPS = Number(process.env.STEPS ?? 400);
const ROUND = 20; // steps between two comparisons
let stack, alice, bob, carol;

before(async () => {
	stack = await startStack({ provider: false, realtime: 2, api: 1, conf: { "reads.coalesce": "100ms", "groups.managers": "members" } });
	[alice, bob, carol] = await people(stack, "alice", "bob", "carol");
});
after(() => stack?.stop());

const ok = (answer, ...codes) => {
	assert.ok(answer.ok || codes.includes(answer.json?.code), `${answer.status} ${answer.text}`);
	return answer.json;
};
const load = async (who) => ok(await who.get("/api/v1/channels?limit=200")).channels;

const wanted = ({ unread, mentions, last_read_seq: seq, unread_from, read_version: version }) => ({ unread, mentions, seq, unread_from, version });

/** What all devices share: loading, and what they are asked. */
class Device {
	constructor(name) {
		this.name = name;
		this.unread = new Unread(alice.id);
	}

	async start() {
		this.cursor = await head(alice);
		const at = this.unread.at;
		this.unread.load(await load(alice), at);
	}

	hear(line) {
		if (line.cursor !== undefined && line.type !== "hello") this.cursor = line.cursor;
		this.unread.line(line);
		if (this.unread.wanted.size > 0) this.reload();
	}

	reload() {
		this.loading ??= (async () => {
			while (this.unread.wanted.size > 0) {
				const at = this.unread.at;
				this.unread.load(await load(alice), at);
				this.loads = (this.loads ?? 0) + 1;
			}
			this.loading = null;
		})();
	}
}

class Stream extends Device {
	constructor(name, open, vias) {
		super(name);
		this.open = open;
		this.vias = vias;
		this.instance = randomUUID();
	}

	async connect() {
		const via = this.vias[(this.turn = (this.turn ?? -1) + 1) % this.vias.length];
		const feed = await this.open(alice, { via, cursor: this.cursor, reads: this.unread.reads, instance: this.instance, hello: false });
		this.feed = feed;
		for (const l of feed.lines) this.hear(l);
		const add = feed.add.bind(feed);
		feed.add = (line) => {
			this.hear(line);
			add(line);
		};
		await feed.some("hello");
	}

	async disconnect() {
		this.feed.terminate();
		await this.feed.closed;
	}

	async reconnect() {
		await this.disconnect();
		await this.connect();
	}
}

class Polls extends Device {
	async connect() {
		const vias = ["realtime1", "realtime2", "api1"];
		const instance = randomUUID();
		this.abort = new AbortController();
		this.done = (async () => {
			for (let n = 0; !this.abort.signal.aborted; n++) {
				const { signal } = this.abort;
				const what = { via: vias[n % vias.length], cursor: this.cursor, reads: this.unread.reads, wait: 5, instance, signal };
				const p = await poll(alice, what).catch((e) => (signal.aborted ? null : Promise.reject(e)));
				if (!p) break;
				assert.equal(p.status, 200, p.text);
				for (const l of p.lines) this.hear(l);
				this.polls = n;
			}
		})();
		this.done.catch(() => {});
	}

	async disconnect() {
		this.abort.abort();
		await this.done;
	}

	async reconnect() {
		await this.disconnect();
		await this.connect();
	}
}

test("RD-1 counted by events, loaded afresh and recomputed: the same on all devices, whatever is going on", { timeout: 600000 }, async (t) => {
	const seed = process.env.SEED ? Number(process.env.SEED) : (Math.random() * 2 ** 31) | 0;
	t.diagnostic(`SEED=${seed} STEPS=${STEPS}`);
	const random = rng(seed);
	const below = (n) => Math.floor(random() * n);
	const one = (list) => list[below(list.length)];
	const rooms = [await channel(alice, [bob, carol], "public"), await channel(bob, [alice, carol])];
	const direct = ok(await alice.post("/api/v1/channels", { kind: "direct", members: [bob.id] })).id;
	const last = new Map([...rooms, direct].map((id) => [id, 0]));

	const ws = new Stream("websocket", openWs, ["realtime1", "realtime2"]);
	const sse = new Stream("server-sent events", (who, o) => openSse(who, { ...o, query: { reads: o.reads } }), ["realtime2", "realtime1"]);
	const polls = new Polls("polls");
	const devices = [ws, sse, polls];
	for (const d of devices) await d.start();
	for (const d of devices) await d.connect();

	const speakers = (id) => (id === direct ? [alice, bob, bob] : [alice, bob, carol]);
	const groups = [];
	for (const members of [[alice.id, carol.id], [bob.id]])
		groups.push(`group:${ok(await alice.post("/api/v1/groups", { handle: `u${below(1e9)}`, name: "some", members })).id}`);
	const named = (id) => {
		const mentions = random() < 0.3 ? [alice.id, ...(random() < 0.5 ? [carol.id] : [])] : [];
		if (random() < 0.3) mentions.push(one(id === direct ? groups : ["channel", "channel", "here", ...groups]));
		return mentions.length > 0 ? { mentions } : {};
	};
	const edit = async (id) => {
		const body = { text: `e${below(1e6)}`, ...named(id) };
		const path = `/api/v1/channels/${id}/messages/${Math.max(1, last.get(id) - below(12))}`;
		ok(await one(speakers(id)).patch(path, { body }), "forbidden", "not_found", "conflict", "unprocessable");
	};
	const send = async (id) => {
		const who = one(speakers(id));
		const body = { text: `n${below(1e6)}`, ...named(id) };
		const m = ok(await who.post(`/api/v1/channels/${id}/messages`, { client_id: randomUUID(), body }));
		last.set(id, Math.max(last.get(id), m.seq));
	};
	const remove = async (id) => {
		const seq = Math.max(1, last.get(id) - below(30));
		ok(await one(speakers(id)).delete(`/api/v1/channels/${id}/messages/${seq}`), "forbidden", "not_found");
	};
	const mark = async (id) => {
		const kind = one(["read", "read", "unread", "delivered"]);
		const op = { op: kind, channel: id, seq: Math.max(1, last.get(id) + 2 - below(20)) };
		const way = below(3);
		if (way === 0) ok(await alice.put(`/api/v1/channels/${id}/${kind}`, { seq: op.seq }), "unprocessable");
		else if (way === 1) await alice.post("/api/v1/ops", JSON.stringify(op), { headers: { "content-type": "application/x-ndjson" } });
		else {
			const { feed } = ws;
			if (feed.socket.readyState === 1) await Promise.race([feed.call(op), feed.closed]);
		}
	};
	const reconnect = async () => {
		const d = one(devices);
		if (d.busy) return;
		d.busy = true;
		await d.reconnect();
		d.busy = false;
	};

	let steps = 0;
	while (steps < STEPS) {
		const under = [];
		for (let i = 0; i < ROUND; i++, steps++) {
			const id = one([...rooms, direct]);
			const p = random();
			under.push(p < 0.4 ? send(id) : p < 0.52 ? edit(id) : p < 0.62 ? remove(id) : p < 0.96 ? mark(id) : reconnect());
			if (random() < 0.5) await under.at(-1);
		}
		await Promise.all(under);
		const where = `after ${steps} steps of SEED=${seed}`;
		let fresh, listed;
		await until(
			async () => {
				// a mark of a WebSocket that was cut may still be on its way: then all of this is looked at again
				fresh = await load(alice);
				listed = ok(await alice.get("/api/v1/me/unread?verify=1"));
				for (const d of devices) {
					const seen = Object.fromEntries(fresh.map((c) => [c.id, d.unread.of(c.id)]));
					const want = Object.fromEntries(fresh.map((c) => [c.id, wanted(c.membership)]));
					assert.deepEqual(seen, want, `${d.name} ${where}`);
				}
				const sum = (what) => fresh.reduce((n, c) => n + c.membership[what], 0);
				assert.deepEqual([listed.unread, listed.mentions], [sum("unread"), sum("mentions")], where);
				const counted = await stack.psql(`
					SELECT m.channel_id, count(s.seq), count(s.seq) FILTER (WHERE s.body->'mentions' @> to_jsonb(m.user_id)
						OR s.body->'mentions' ? 'channel' OR to_jsonb(m.user_id) IN (SELECT jsonb_path_query(s.body, '$.reached.*[*]')))
					FROM members m LEFT JOIN messages s ON s.channel_id = m.channel_id AND s.sender <> m.user_id AND s.deleted_at IS NULL
						AND s.seq > coalesce(m.unread_from - 1, m.last_read_seq)
					WHERE m.user_id = ${alice.id} GROUP BY m.channel_id ORDER BY m.channel_id`);
				assert.equal(counted, fresh.map((c) => `${c.id}|${c.membership.unread}|${c.membership.mentions}`).join("\n"), where);
				return true;
			},
			{ what: `the devices agree ${where}`, ms: 15000 },
		);
		assert.deepEqual(listed.drift, [], where);
		for (const c of fresh) assert.ok(c.membership.unread >= c.membership.mentions && c.membership.mentions >= 0, where);
	}
	t.diagnostic(`loads: ${devices.map((d) => `${d.name} ${d.loads ?? 0}`).join(", ")}; ${polls.polls} polls`);
	for (const d of devices) await d.disconnect();
	await polls.done;
});

test("a channel that was left while away does not make up for a mark that moved in another one", async () => {
	const [kept, left] = [await channel(alice, [bob]), await channel(alice, [bob])];
	for (const id of [kept, left]) ok(await alice.post(`/api/v1/channels/${id}/messages`, { client_id: randomUUID(), body: { text: "m" } }));
	const version = async (id) => (await load(bob)).find((c) => c.id === id)?.membership.read_version;
	ok(await bob.put(`/api/v1/channels/${left}/read`, { seq: 1 }));
	const reads = (await load(bob)).reduce((n, c) => n + c.membership.read_version, 0);
	const [before, loses] = [await version(kept), await version(left)];
	assert.ok(loses > 0);
	const cursor = await head(bob);
	ok(await bob.post(`/api/v1/channels/${left}/leave`));
	for (let i = 0; i < loses; i++) ok(await bob.put(`/api/v1/channels/${kept}/${i % 2 ? "unread" : "read"}`, { seq: 1 }));
	assert.equal(await version(kept), before + loses, "the sum is as it was");

	const moved = (l) => l.type === "read" && l.channel === kept;
	for (const via of ["realtime1", "realtime2"]) {
		const ws = await openWs(bob, { via, cursor, reads });
		await ws.some(moved);
		await ws.close();
		const sse = await openSse(bob, { via, cursor, query: { reads } });
		await sse.some(moved);
		await sse.close();
	}
	await caughtUp(bob, "realtime1", "api1");
	for (const via of ["realtime1", "api1"]) assert.ok((await poll(bob, { via, cursor, reads, wait: 5 })).lines.some(moved), via);
});
