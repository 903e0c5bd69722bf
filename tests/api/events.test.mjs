// events: polls by FastCGI, for hosts without pulsechat-realtime, behind the shipped lighttpd example: the contract of
// doc/protocol.md, section 5, as tests/realtime holds it for the realtime process. Small limits: memory and log are both met.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startServer } from "../support/servers.mjs";
import { startStack } from "../support/stack.mjs";
import { client, exchange, signIn } from "../support/http.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { lastOf, timeOf, within } from "../support/lag.mjs";
import { follow, poll } from "../support/realtime.mjs";
import { caughtUp, channel, exactly, head, idOf, inOrder, markOf, people, post, range, sendOp, seqs, until } from "../realtime/help.mjs";
import { ok, problem } from "./help.mjs";

let stack, alice, bob, carol, dave;

before(async () => {
	stack = await startStack({
		realtime: 0,
		api: 2,
		front: "lighttpd-fastcgi-only",
		conf: { "api.threads": 3, "realtime.ring_events": 64, "events.resume_events": 300, "realtime.queue_bytes": "64k" },
	});
	[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
});
after(() => stack?.stop());

const bad = (p, ...rest) => problem({ ...p, json: p.problem }, ...rest);

/** So many polls wait in it. */
const parkedAre = (name, n) =>
	until(async () => (await fcgiRequest(stack.socket(name), { path: "/healthz" })).json.polls === n, { what: `${n} polls in ${name}` });

/** Many messages in few batches, by POST /api/v1/ops. */
async function burst(room, n, text = (i) => `m${i}`) {
	const ops = range(1, n).map((i) => JSON.stringify(sendOp(room, text(i))));
	for (let at = 0; at < n; at += 100) {
		const answer = await alice.post("/api/v1/ops", ops.slice(at, at + 100).join("\n"), { headers: { "content-type": "application/x-ndjson" } });
		assert.equal(answer.status, 200, answer.text);
		for (const line of answer.text.trim().split("\n")) assert.equal(JSON.parse(line).type, "ack", line);
	}
}

test("a poll is held for no longer than the site wants, whatever it asks for", async () => {
	const short = await startStack({ provider: false, realtime: 1, api: 1, conf: { "realtime.poll_hold_max": "1s" } });
	try {
		const [who] = await people(short, "alice");
		const cursor = await head(who);
		for (const via of ["realtime1", "api1"])
			for (const wait of [55, undefined]) {
				const p = await poll(who, { via, cursor, wait, signal: AbortSignal.timeout(20000) }); // the shortest else is 25 s
				assert.deepEqual([p.status, p.events], [200, []], p.text);
			}
		for (const via of ["realtime1", "api1"]) bad(await poll(who, { via, cursor, wait: 56 }), 400, "bad_field", "wait");
	} finally {
		await short.stop();
	}
});

test("nothing runs for polls before the first; then /healthz tells of the bus", async () => {
	const health = async () => ok(await client(stack).get("/healthz"));
	assert.equal((await health()).bus, undefined);
	assert.equal(await stack.psql("select count(*) from pg_stat_activity where application_name like 'pulsechat-api-%'"), "0");
	for (const via of ["api1", "api2"]) assert.equal((await poll(alice, { via })).status, 200);
	await until(async () => (await health()).bus === "ok", { what: "the bus is heard" });
	const names = "select distinct application_name from pg_stat_activity where application_name like 'pulsechat-api-%' order by 1";
	assert.equal((await stack.psql(names)).trim(), "pulsechat-api-listen\npulsechat-api-query");
});

test("a poll: at once without a cursor, at once where there is something, parked else, ended by a newer one", async () => {
	const room = await channel(alice, [bob]);
	await caughtUp(bob, "api1", "api2");
	const first = await poll(bob);
	assert.equal(first.status, 200, first.text);
	assert.deepEqual(first.lines, [{ type: "cursor", cursor: first.cursor, retry_after: 0 }]);
	assert.equal(first.headers["content-type"], "application/x-ndjson");
	assert.equal(first.headers["cache-control"], "no-store");
	assert.equal(Number(first.headers["content-length"]), Buffer.byteLength(first.text));
	assert.match(first.headers["pulsechat-request-id"], /^[0-9a-f]+$/);
	assert.equal(first.headers.etag, undefined);
	assert.equal(first.cursor, await head(bob));

	const m = await post(alice, room, "there already");
	const second = await poll(bob, { cursor: first.cursor, wait: 30 });
	assert.deepEqual(second.lines.map((l) => l.type), ["message", "cursor"]);
	const { type, cursor, ...line } = second.events[0];
	assert.deepEqual(line, m); // as history says it
	assert.deepEqual([type, cursor], ["message", second.cursor]);
	assert.equal(second.lines.at(-1).cursor, second.cursor);

	for (const via of ["api1", "api2"]) {
		const at = await head(bob); // a process may be a moment behind the log
		const parked = poll(bob, { cursor: at, wait: 30, via });
		await parkedAre(via, 1);
		const live = await post(alice, room, "live");
		assert.deepEqual(seqs((await within(1000, stack, () => parked, "the message comes")).lines, room), [live.seq]);
	}

	const at = await head(bob);
	const t = Date.now();
	const empty = await within(2000, stack, () => poll(bob, { cursor: at, wait: 1 }), "a poll of a second");
	assert.ok(Date.now() - t >= 990, `${Date.now() - t} ms`);
	assert.deepEqual(empty.lines, [{ type: "cursor", cursor: at, retry_after: 0 }]);
	assert.deepEqual((await poll(bob, { cursor: at, wait: 0 })).lines, empty.lines);

	const instance = randomUUID();
	const older = poll(bob, { cursor: at, wait: 30, instance, via: "api1" });
	const other = poll(carol, { cursor: at, wait: 30, instance, via: "api1" }); // the name alone is nothing
	await parkedAre("api1", 2);
	const newer = poll(bob, { cursor: at, wait: 30, instance, via: "api1" });
	assert.deepEqual((await older).lines, empty.lines, "ended by the newer one, with no event");
	const last = await post(alice, room, "for the newer one");
	assert.deepEqual(seqs((await newer).lines, room), [last.seq]);
	await post(carol, await channel(carol), "for carol");
	assert.ok((await other).events.length > 0);
});

test("a poll that a newer one overtakes before anything is known of its user is answered as well", async () => {
	await stack.down("api1");
	await stack.up("api1");
	const at = await head(bob);
	const instance = randomUUID();
	const both = [1, 2].map(() => poll(bob, { cursor: at, wait: 30, instance, via: "api1" }));
	assert.deepEqual((await Promise.race(both)).lines, [{ type: "cursor", cursor: at, retry_after: 0 }]);
	await post(alice, await channel(alice, [bob]), "for the newer one");
	const [a, b] = await Promise.all(both);
	assert.ok(a.events.length + b.events.length > 0 && Math.min(a.events.length, b.events.length) === 0);
});

test("a read marker and other state reach a parked poll; only one's own", async () => {
	const room = await channel(alice, [bob]);
	await post(alice, room, "x");
	const at = await head(bob);
	const [his, hers] = [poll(bob, { cursor: at, wait: 20, via: "api1" }), poll(carol, { cursor: at, wait: 5, via: "api1" })];
	await parkedAre("api1", 2);
	ok(await bob.put(`/api/v1/channels/${room}/read`, { seq: 1 }));
	const { gone, wide, read_receipts, ...read } = (await his).events[0];
	assert.deepEqual([gone, wide, read_receipts], [[], [], true]);
	assert.deepEqual(read, { type: "read", channel: room, seq: 1, version: 1, last_seq: 1, unread: 0, mentions: 0, unread_from: null });
	assert.equal((await his).events.length, 1);
	assert.deepEqual((await hers).events, []);
});

test("TR-5 what is refused, and how", async () => {
	bad(await poll(client(stack, { token: `pct_${"x".repeat(43)}` })), 401, "unauthenticated");
	const page = await signIn(stack, "erin");
	assert.equal((await poll(page)).status, 200);
	const foreign = { "sec-fetch-site": "cross-site", "pulsechat-client": null, origin: "https://evil.test" };
	bad(await poll(page, { headers: foreign }), 403, "origin_refused");
	const writer = client(stack, { token: await stack.token("erin", ["read"]) });
	assert.equal((await poll(writer)).status, 200);
	for (const [query, code, field] of [
		["cursor=", "bad_cursor", "cursor"],
		["cursor=abc", "bad_cursor", "cursor"],
		["wait=56", "bad_field", "wait"],
		["wait=-1", "bad_field", "wait"],
		["wait=1.5", "bad_field", "wait"],
		["instance=x", "bad_field", "instance"],
		[`instance=${randomUUID().toUpperCase()}`, "bad_field", "instance"],
		["since=1", "bad_field", "since"],
	])
		problem(await alice.get(`/api/v1/events?${query}`), 400, code, field);
	problem(await alice.get("/api/v1/events", { headers: { accept: "text/event-stream" } }), 406, "not_acceptable");
	problem(await alice.get("/api/v1/events", { headers: { accept: "text/html, text/event-stream;q=0.5" } }), 406, "not_acceptable");
	ok(await alice.get("/api/v1/events", { headers: { accept: "text/event-stream, application/x-ndjson" } }).then((r) => ({ ...r, json: {} })));
	const upgrade = problem(await alice.get("/api/v1/ws?instance=x"), 426, "upgrade_required");
	assert.match(upgrade.detail, /long-poll/);
	problem(await alice.post("/api/v1/events", {}), 405, "method_not_allowed");
	const asked = await alice.request("HEAD", "/api/v1/events");
	assert.deepEqual([asked.status, asked.text], [200, ""]);
	assert.ok(asked.headers["pulsechat-cursor"]);
});

test("OR-1 two processes, polls alternating between them and at once: exactly once, in order", async () => {
	const room = await channel(alice, [bob, carol]);
	const from = await head(bob);
	const feeds = [
		follow(bob, { cursor: from, via: "api1" }),
		follow(bob, { cursor: from, via: "api2" }),
		follow(carol, { cursor: from }),
		follow(carol, { cursor: from }),
	];
	const got = [];
	let at = from,
		polls = 0;
	const sender = (async () => {
		for (let i = 0; i < 40; i++) await Promise.all([post(alice, room, `a${i}`), post(alice, room, `b${i}`)]);
		await burst(room, 20);
	})();
	const instance = randomUUID();
	while (seqs(got, room).length < 100) {
		const p = await poll(bob, { cursor: at, wait: 10, instance, via: polls % 2 ? "api1" : "api2" });
		assert.equal(p.status, 200, p.text);
		assert.ok(p.events.length > 0, "not for nothing");
		got.push(...p.events);
		at = p.cursor;
		polls++;
	}
	await sender;
	assert.deepEqual(seqs(got, room), range(1, 100));
	for (const f of feeds) {
		await exactly(f, room, 1, 100);
		assert.equal(f.failures, 0, String(f.lastFailure));
	}
	// and quiet again: nothing spins
	const before = feeds.map((f) => f.polls);
	await new Promise((yes) => setTimeout(yes, 600));
	feeds.forEach((f, i) => assert.ok(f.polls - before[i] <= 2, `${f.polls - before[i]} polls of nothing`));
	await Promise.all(feeds.map((f) => f.stop()));
});

test("DL-3 resume from memory and from the log; in parts where it is much; each once", async () => {
	const room = await channel(alice, [bob]);
	const other = await channel(alice, [carol]);
	const from = await head(bob);
	for (let i = 0; i < 5; i++) {
		await burst(room, 40);
		await burst(other, 20);
	}
	for (const via of ["api1", "api2", undefined]) {
		const f = follow(bob, { cursor: from, via });
		await exactly(f, room, 1, 200);
		assert.deepEqual(seqs(f.lines, other), []);
		assert.ok(!f.lines.some((l) => l.type === "reset"));
		await f.stop();
	}
	const all = (await poll(bob, { cursor: from, wait: 0 })).events.filter((e) => e.type === "message");
	for (const e of all.filter((_, i) => i % 9 === 0)) {
		const p = await poll(bob, { cursor: e.cursor, wait: 0 });
		assert.equal(p.events[0]?.seq ?? 201, e.seq + 1);
	}
	// more than an answer holds
	const big = await channel(alice, [bob]);
	const cursor = await head(bob);
	await burst(big, 60, (i) => `${i} ${"x".repeat(3000)}`);
	const f = follow(bob, { cursor, via: "api1" });
	await exactly(f, big, 1, 60);
	assert.ok(f.polls > 1, "in parts");
	await f.stop();
	// a quiet reader far behind: others' events cost him nothing
	const quiet = await poll(dave, { cursor: from, wait: 0 });
	assert.deepEqual(quiet.events.filter((e) => e.type === "message"), []);
	assert.ok(idOf(quiet.cursor) > idOf(from) + 300);
});

test("DL-3 b c resets: another epoch, above the head, too far behind, too old", async () => {
	const room = await channel(alice, [bob]);
	const now = await head(bob);
	for (const [cursor, reason] of [
		[`${markOf(now)}.${idOf(now) + 1000000}`, "above the head"],
		["aaaaaaaa.1", "other epoch"],
	]) {
		await caughtUp(bob, "api1", "api2"); // else what was said before comes behind the reset
		const p = await poll(bob, { cursor, wait: 10 });
		assert.deepEqual(p.lines.map((l) => l.type), ["reset", "cursor"]);
		assert.equal(p.lines[0].reason, reason);
		assert.ok(idOf(p.cursor) >= idOf(now) && markOf(p.cursor) === markOf(now));
		assert.equal(p.lines[0].cursor, p.cursor);
		const m = await post(alice, room, reason);
		assert.deepEqual(seqs((await poll(bob, { cursor: p.cursor, wait: 10 })).lines, room), [m.seq]);
	}
	await burst(room, 301);
	await caughtUp(bob, "api1", "api2");
	const far = await poll(bob, { cursor: now, wait: 10 });
	assert.equal(far.lines.find((l) => l.type === "reset")?.reason, "too far behind", far.text.slice(-300));
	await stack.psql(`delete from events where id <= ${idOf(now) + 1}`);
	const old = await poll(bob, { cursor: now, wait: 10 });
	assert.equal(old.lines[0].reason, "too old");
});

/** Bob's polls by a web server beside the stack's own. */
function behind(server) {
	const fronts = new Map([["there", server]]);
	const there = Object.create(stack, { fronts: { value: fronts } });
	return (options) => poll({ ...bob, stack: there }, { ...options, via: "there" });
}

test("TR-3 behind nginx and Apache too: a whole answer within a second, an empty one after the wait", async () => {
	const toApi = (text, file) => (file === "nginx/site.conf" ? text.replaceAll("nginx/realtime.conf", "nginx/api.conf") : text);
	for (const [name, options] of [
		["nginx", { change: toApi }],
		["apache-fastcgi-only", {}],
	]) {
		const server = await startServer(name, stack, options);
		try {
			const there = behind(server);
			const room = await channel(alice, [bob]);
			const at = await head(bob);
			const all = range(1, 10).map(() => there({ cursor: at, wait: 50 }));
			const empty = await there({ cursor: at, wait: 1 });
			assert.deepEqual(empty.lines, [{ type: "cursor", cursor: at, retry_after: 0 }], `${name}: ${empty.text}`);
			const m = await post(alice, room, `by ${name}`);
			for (const p of await within(1000, stack, () => Promise.all(all), `${name}: whole answers`)) {
				assert.deepEqual(seqs(p.lines, room), [m.seq]);
				assert.equal(Number(p.headers["content-length"]), Buffer.byteLength(p.text));
				assert.equal(p.headers["cache-control"], "no-store");
			}
			const refused = await exchange(`http://127.0.0.1:${server.port}/api/v1/ws`, { headers: { host: stack.host, ...bob.credentials } });
			assert.deepEqual([refused.status, refused.json.code], [426, "upgrade_required"]);
		} finally {
			await server.stop();
		}
	}
});

test("behind mod_fcgid, which gives a process one request at a time, polls are plain", async () => {
	const server = await startServer("apache-fcgid-only", stack);
	try {
		const there = behind(server);
		const room = await channel(alice, [bob]);
		const at = await head(bob);
		const none = { type: "cursor", cursor: at, retry_after: 3 };
		for (const p of await Promise.all(range(1, 6).map(() => there({ cursor: at, wait: 50 })))) assert.deepEqual(p.lines, [none]);
		const m = await post(alice, room, "by mod_fcgid");
		assert.deepEqual(seqs((await there({ cursor: at, wait: 50 })).lines, room), [m.seq]);
	} finally {
		await server.stop();
	}
});

test("AU-5 b who is removed gets nothing that was sent after it; who joins again only what is after", async () => {
	const room = await channel(alice, [bob]);
	const other = await channel(alice, [bob]);
	const from = await head(bob);
	const feeds = [follow(bob, { cursor: from, via: "api1" }), follow(bob, { cursor: from, via: "api2" })];
	await post(alice, room, "1 for both");
	for (const f of feeds) await exactly(f, room, 1, 1);
	assert.equal((await alice.delete(`/api/v1/channels/${room}/members/${bob.id}`)).status, 204);
	for (let i = 2; i <= 6; i++) await post(alice, room, `${i} not for bob`);
	const marker = await post(alice, other, "by this all before has been delivered");
	for (const f of feeds) {
		await f.some((l) => l.type === "message" && l.channel === other && l.seq === marker.seq);
		assert.deepEqual(seqs(f.lines, room), [1]);
		assert.ok(f.lines.some((l) => l.type === "member.left" && l.user === bob.id));
	}
	for (const via of ["api1", "api2"]) {
		const p = await poll(bob, { via, cursor: from, wait: 0 });
		assert.deepEqual(seqs(p.lines, room), []);
		assert.ok(p.lines.some((l) => l.type === "member.left" && l.user === bob.id));
	}
	assert.equal((await alice.post(`/api/v1/channels/${room}/members`, { user: bob.id })).status, 201);
	const again = await post(alice, room, "for both again");
	for (const f of feeds) {
		await f.some((l) => l.type === "message" && l.channel === room && l.seq === again.seq);
		assert.deepEqual(seqs(f.lines, room), [1, again.seq]);
		inOrder(f);
	}
	assert.deepEqual(seqs((await poll(bob, { cursor: from, wait: 0 })).lines, room), [again.seq]);
	await Promise.all(feeds.map((f) => f.stop()));
});

test("a deleted text is in no answer, from memory or from the log", async () => {
	const room = await channel(alice, [bob]);
	const cursor = await head(bob);
	const m = await post(alice, room, "a secret to be deleted");
	await stack.psql(`
		update messages set body = null, digest = null, deleted_at = now(), version = version + 1 where channel_id = ${room} and seq = ${m.seq};
		select emit_event('r', 'message.deleted', ${room}, 0, ${m.seq}, jsonb_build_object('channel', ${room}, 'seq', ${m.seq}, 'id', ${m.id},
			'created_at', '${m.created_at}', 'sender', ${alice.id}, 'version', 2, 'deleted', true))`);
	const look = async (via) => {
		const p = await until(async () => {
			const answer = await poll(bob, { cursor, via, wait: 5 });
			return answer.lines.some((l) => l.type === "message.deleted" && l.seq === m.seq) && answer;
		});
		assert.ok(!p.text.includes("secret"));
		const line = p.lines.find((l) => l.type === "message" && l.channel === room);
		assert.deepEqual([line.seq, line.deleted, line.body], [m.seq, true, undefined]);
	};
	for (const via of ["api1", "api2"]) await look(via);
	await burst(await channel(alice), 100); // out of memory with it
	for (const via of ["api1", "api2"]) await look(via);
});

test("AU-5 a c sessions and people that end: their parked polls end within a second, others' stay", async () => {
	const one = await signIn(stack, "bob"),
		two = await signIn(stack, "bob");
	const at = await head(bob);
	const parked = ["api1", "api2"].map((via) => poll(one, { via, cursor: at, wait: 30 }));
	const theirs = ["api1", "api2"].map((via) => poll(carol, { via, cursor: at, wait: 8 }));
	for (const name of ["api1", "api2"]) await parkedAre(name, 2);
	const own = ok(await one.get("/api/v1/me")).session.id;
	const leaves = async () => {
		assert.equal((await one.post("/auth/logout")).status, 200);
		return timeOf(stack, "revoked_at", `from sessions where id = ${own}`);
	};
	await within(1000, stack, () => Promise.all([lastOf(parked), leaves()]), "his polls end", ([last, at]) => last - at);
	for (const p of await Promise.all(parked)) assert.ok([200, 401].includes(p.status));
	bad(await poll(one, { cursor: at, wait: 0 }), 401, "unauthenticated");
	assert.equal((await poll(two, { cursor: at, wait: 0 })).status, 200);

	const frank = (await people(stack, "frank"))[0];
	for (const p of await Promise.all(theirs)) assert.deepEqual([p.status, p.events], [200, []]);
	const now = await head(frank);
	const later = ["api1", "api2"].map((via) => poll(frank, { via, cursor: now, wait: 30 }));
	for (const name of ["api1", "api2"]) await parkedAre(name, 1);
	const goes = async () => {
		await stack.cli(["user", "deactivate", "frank"]);
		return timeOf(stack, "deactivated_at", "from users where handle = 'frank'");
	};
	await within(1000, stack, () => Promise.all([lastOf(later), goes()]), "his polls end", ([last, at]) => last - at);
	for (const p of await Promise.all(later)) assert.ok([200, 401].includes(p.status));
	bad(await poll(frank, { cursor: now, wait: 0 }), 401, "unauthenticated");

	// one that runs out by the clock: no event tells of it
	const short = client(stack, { token: await stack.token("carol") });
	const session = ok(await short.get("/api/v1/me")).session.id;
	let last;
	const over = async (ms) => {
		const set = `update sessions set expires_at = now() + interval '${ms} ms' where id = ${session}`;
		const end = await timeOf(stack, "expires_at", `from sessions where id = ${session}`, set);
		last = await poll(short, { cursor: await head(carol), wait: 50 });
		return Date.now() - end;
	};
	for (let ms = 1500; last?.status !== 200; ms *= 2) // on a busy machine it may have run out before the poll comes
		await within(1000, stack, () => over(ms), "it ends when its session does", (late) => late);
	bad(await poll(short, { wait: 0 }), 401, "unauthenticated");
});

test("AU-5 a session that is ended while its poll is on the way to its place: it ends all the same", async () => {
	const tokens = await Promise.all(range(1, 12).map(() => stack.token("dave")));
	const all = await Promise.all(
		tokens.map(async (token, i) => {
			const who = client(stack, { token });
			const session = ok(await who.get("/api/v1/me")).session.id;
			return { who, session, via: `api${1 + (i % 2)}` };
		}),
	);
	for (const { who, session, via } of all) {
		const at = await head(dave);
		const polls = range(1, 4).map(() => poll(who, { cursor: at, wait: 30, via }));
		const ends = () => timeOf(stack, "clock_timestamp()", "", `select session_revoke(${session})`);
		await within(1000, stack, () => Promise.all([lastOf(polls), ends()]), "they end", ([last, at]) => last - at);
		for (const p of await Promise.all(polls)) assert.ok([200, 401].includes(p.status), p.text);
		bad(await poll(who, { cursor: at, wait: 30, via }), 401, "unauthenticated");
	}
});

test("[api] poll = plain: answers at once and says when to come back; much in parts; no thread, no listener", async () => {
	const plain = await startStack({
		realtime: 0,
		front: "lighttpd-fastcgi-only",
		conf: { "api.poll": "plain", "realtime.queue_bytes": "64k" },
	});
	try {
		const [a, b] = await people(plain, "alice", "bob");
		const room = await channel(a, [b]);
		const from = await head(b);
		const ops = range(1, 200).map((i) => JSON.stringify(sendOp(room, `${i} ${"x".repeat(600)}`)));
		const stored = await a.post("/api/v1/ops", ops.join("\n"), { headers: { "content-type": "application/x-ndjson" } });
		assert.equal(stored.status, 200);
		const got = [];
		let at = from,
			rounds = 0;
		for (;;) {
			const p = await within(1000, plain, () => poll(b, { cursor: at, wait: 50 }), "a plain poll");
			assert.equal(p.lines.at(-1).retry_after, 3);
			if (p.events.length === 0) break;
			got.push(...p.events);
			at = p.cursor;
			rounds++;
		}
		assert.deepEqual(seqs(got, room), range(1, 200));
		assert.ok(rounds > 1);
		for (const e of got.filter((_, i) => i % 40 === 0)) assert.equal((await poll(b, { cursor: e.cursor })).events[0].seq, e.seq + 1);
		await post(a, room, "the 201st");
		assert.equal((await poll(b, { cursor: at })).events.length, 1);
		assert.equal(await plain.psql("select count(*) from pg_stat_activity where application_name like 'pulsechat-api-%'"), "0");
		assert.equal(ok(await client(plain).get("/healthz")).bus, undefined);
	} finally {
		await plain.stop();
	}
});
