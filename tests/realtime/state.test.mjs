// state: presence and read marks, to those who look and to nobody else, on two processes and all transports.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { client } from "../support/http.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { caughtUp, channel, crowd, followers, head, people, post, range, until } from "./help.mjs";

const BOTH = ["realtime1", "realtime2"];
let stack, alice, bob, carol, dave;
const { follow, stop } = followers();

before(async () => {
	stack = await startStack({ provider: false, realtime: 2, api: 2 });
	[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
});
after(() => {
	stop();
	return stack.stop();
});

/** People of whom no program says anything but this: their presence is what a test sets it to. */
async function puppets(room, n) {
	const { people: made } = await crowd(stack, alice, n);
	const ids = [];
	for (const who of made) ids.push((await who.get("/api/v1/me")).json.user.id);
	if (room) for (const id of ids) assert.equal((await alice.post(`/api/v1/channels/${room}/members`, { user: id })).status, 201);
	return ids;
}

/** SQL that sets a puppet's presence, with what keeps it from being judged: a process holds his connections. */
const presenceOf = (user, state) =>
	(state === "offline"
		? `delete from presence_leases where user_id = ${user};`
		: `insert into presence_leases (user_id, node, active_at, expires_at)
			values (${user}, 0, now() - interval '${state === "away" ? 60 : 0} minutes', now() + interval '1 hour')
			on conflict (user_id, node) do update set active_at = excluded.active_at;`) +
	`insert into presence (user_id, state) values (${user}, '${state}') on conflict (user_id) do update set state = excluded.state;`;
const presenceTold = (user) => `select pg_notify('pulsechat', '0 w 0 0 ${user} ' || presence_json(0, u)::text) from users u where id = ${user};`;

/** Sets it; told: says so on the bus. */
const shows = (user, state, { told = true } = {}) => stack.psql(`begin; ${presenceOf(user, state)} ${told ? presenceTold(user) : ""} commit`);

/** Moves a public marker. */
const reads = (user, room, seq) =>
	stack.psql(`begin; update members set last_read_seq = ${seq} where channel_id = ${room} and user_id = ${user};
		select pg_notify('pulsechat', '0 k ${room} 0 ${user} {"user":${user},"seq":${seq}}'); commit`);

const ndjson = { "content-type": "application/x-ndjson" };
const ops = (who, lines, query = "") => who.post(`/api/v1/ops${query}`, lines.map((l) => JSON.stringify(l)).join("\n"), { headers: ndjson });
const presences = (feed) => feed.lines.filter((l) => l.type === "presence" && !l.users.some((u) => "invisible" in u)); // one's own comes otherwise
/** Presence as a feed knows it by now: user to state. */
const known = (feed) => new Map(presences(feed).flatMap((l) => l.users.map((u) => [u.user, u.state])));
const knows = (feed, user, state, ms = 10000) => until(() => known(feed).get(user) === state, { ms, what: `${user} is known as ${state}` });
const marks = (feed, room) =>
	new Map(feed.lines.filter((l) => l.type === "reads" && l.channel === room).flatMap((l) => l.reads.map((r) => [r.user, r.seq])));
const acked = async (ws, op) => {
	const ack = await ws.call(op);
	assert.equal(ack.type, "ack", JSON.stringify(ack));
};

test("focus: presence and read marks of all members at once, then what changes; nothing for those who do not look", async () => {
	const room = await channel(alice, [bob]);
	const [x, y] = await puppets(room, 2);
	for (let i = 0; i < 3; i++) await post(alice, room, `${i}`);
	await shows(x, "online");
	await reads(x, room, 2);
	const feeds = await Promise.all(BOTH.map((via) => openWs(bob, { via })));
	const idle = await openWs(bob, { via: "realtime1" });
	for (const f of feeds) await acked(f, { op: "focus", channels: [room] });
	for (const f of feeds) {
		await knows(f, x, "online");
		const first = presences(f)[0];
		assert.deepEqual(first.users.map((u) => u.user).sort((a, b) => a - b), [alice.id, x, y].sort((a, b) => a - b), "all but oneself");
		assert.deepEqual(first.users.find((u) => u.user === y), { user: y, state: "offline", last_active: null, dnd: false, status: null });
		await until(() => marks(f, room).get(x) === 2);
		assert.deepEqual([...marks(f, room).keys()].sort((a, b) => a - b), [alice.id, bob.id, x, y].sort((a, b) => a - b));
	}
	await shows(y, "away");
	await reads(y, room, 3);
	for (const f of feeds) {
		await knows(f, y, "away");
		await until(() => marks(f, room).get(y) === 3);
		const last = f.lines.findLast((l) => l.type === "reads");
		assert.deepEqual(last.reads, [{ user: y, seq: 3 }], "only what has changed");
		assert.deepEqual(presences(f).at(-1).users.map((u) => u.user), [y]);
	}
	assert.equal((await idle.call({ op: "ping" })).type, "pong");
	assert.deepEqual(idle.lines.filter((l) => ["reads", "typing"].includes(l.type) || presences(idle).includes(l)), []);
	// another channel in place of it: no more of this one
	const other = await channel(alice, [bob]);
	for (const f of feeds) await acked(f, { op: "focus", channels: [other] });
	for (const f of feeds) await f.some((l) => l.type === "reads" && l.channel === other);
	const before = feeds.map((f) => presences(f).filter((l) => l.users.some((u) => u.user === y)).length);
	await shows(y, "online");
	await acked(feeds[0], { op: "focus", channels: [other, room] });
	await knows(feeds[0], y, "online");
	assert.equal(presences(feeds[1]).filter((l) => l.users.some((u) => u.user === y)).length, before[1]);
	for (const f of [...feeds, idle]) await f.close();
});

test("watch and focus show only who shares a channel; a leave ends it, a join begins it", async () => {
	const room = await channel(alice, [bob]);
	const [shared] = await puppets(room, 1);
	const [stranger] = await puppets(null, 1);
	await shows(shared, "online");
	await shows(stranger, "online");
	const hidden = await channel(alice, [carol]);
	const feeds = await Promise.all(BOTH.map((via) => openWs(bob, { via })));
	for (const f of feeds) {
		// with a focus of a channel that he is not in, of which the stranger becomes a member
		await acked(f, { op: "focus", channels: [hidden] });
		await acked(f, { op: "watch", users: [shared, stranger] });
		await knows(f, shared, "online");
	}
	await alice.post(`/api/v1/channels/${hidden}/members`, { user: stranger });
	await shows(stranger, "away");
	await shows(shared, "away");
	for (const f of feeds) {
		await knows(f, shared, "away");
		assert.ok(!known(f).has(stranger) && !known(f).has(carol.id), "strangers stay so");
	}
	await alice.post(`/api/v1/channels/${room}/members`, { user: stranger });
	for (const f of feeds) await knows(f, stranger, "away");
	await alice.delete(`/api/v1/channels/${room}/members/${shared}`);
	for (const f of feeds) await f.some((l) => l.type === "member.left" && l.channel === room && l.user === shared);
	await shows(shared, "offline");
	await shows(stranger, "online");
	for (const f of feeds) {
		await knows(f, stranger, "online");
		assert.equal(known(f).get(shared), "away", "nothing after the leave");
	}
	// the viewer himself is removed
	for (const f of feeds) await acked(f, { op: "focus", channels: [room] });
	for (const f of feeds) await f.some((l) => l.type === "reads" && l.channel === room);
	await alice.delete(`/api/v1/channels/${room}/members/${bob.id}`);
	for (const f of feeds) await f.some((l) => l.type === "member.left" && l.channel === room && l.user === bob.id);
	await shows(stranger, "offline");
	await reads(alice.id, room, 0);
	const own = await channel(alice, [bob]);
	for (const f of feeds) {
		await acked(f, { op: "focus", channels: [own] });
		await f.some((l) => l.type === "reads" && l.channel === own);
		assert.equal(known(f).get(stranger), "online");
		await f.close();
	}
});

test("who joins a channel that is looked at is shown; a large one shows nobody", async () => {
	const room = await channel(alice, [bob]);
	const [late] = await puppets(null, 1);
	await shows(late, "online");
	const f = await openWs(bob, { via: "realtime1" });
	await acked(f, { op: "focus", channels: [room] });
	await f.some((l) => l.type === "reads" && l.channel === room);
	await alice.post(`/api/v1/channels/${room}/members`, { user: late });
	await knows(f, late, "online");
	await until(() => marks(f, room).has(late));
	const { people: many, room: large } = await crowd(stack, alice, 105);
	const one = (await many[0].get("/api/v1/me")).json.user.id;
	assert.equal((await alice.post(`/api/v1/channels/${large}/members`, { user: bob.id })).status, 201);
	await acked(f, { op: "focus", channels: [large] });
	await acked(f, { op: "watch", users: [one, late] });
	await shows(one, "online");
	await knows(f, one, "online");
	assert.ok(!f.lines.some((l) => l.type === "reads" && l.channel === large));
	assert.ok(presences(f).at(-1).users.length <= 2);
	await f.close();
});

test("at most a line of presence a second, whatever changes; a look of one's own is answered at once", async () => {
	const room = await channel(alice, [bob]);
	const ids = await puppets(room, 3);
	const f = await openWs(bob, { via: "realtime1" });
	await acked(f, { op: "focus", channels: [room] });
	await f.some((l) => l.type === "reads" && l.channel === room);
	const at = Date.now(), first = presences(f).length;
	for (let i = 0; Date.now() - at < 3000; i++) for (const id of ids) await shows(id, i % 2 ? "away" : "online");
	for (const id of ids) await shows(id, "offline");
	for (const id of ids) await knows(f, id, "offline", 4000);
	const lines = presences(f).length - first, seconds = (Date.now() - at) / 1000;
	assert.ok(lines >= 2 && lines <= seconds + 1, `${lines} lines in ${seconds} s`);
	// each look right behind a line: one that had to wait for its second would take about a second, each time
	const took = [];
	for (let n = 0; n < 5; n++) {
		const before = presences(f).length, t = Date.now();
		await acked(f, { op: "focus", channels: [] });
		await acked(f, { op: "focus", channels: [room] });
		await until(() => presences(f).length > before);
		took.push(Date.now() - t);
	}
	assert.ok(Math.min(...took) < 700, `${took} ms`);
	await f.close();
});

test("ops: bounds, what they are refused for, by REST only for a stream", async () => {
	const room = await channel(alice, [bob]);
	const f = await openWs(bob, { via: "realtime1" });
	const bad = async (op, code, field) => {
		const answer = await f.call(op);
		assert.deepEqual([answer.type, answer.code, answer.field], ["error", code, field], JSON.stringify(answer));
	};
	await bad({ op: "focus" }, "bad_field", "channels");
	await bad({ op: "focus", channels: range(1, 9) }, "bad_field", "channels");
	await bad({ op: "watch", users: range(1, 201) }, "bad_field", "users");
	await bad({ op: "watch", users: [0] }, "bad_field", "users");
	await bad({ op: "focus", channels: [room], users: [1] }, "bad_field", "users");
	await acked(f, { op: "watch", users: range(1, 200) });
	const refused = await ops(bob, [{ op: "focus", channels: [room] }, { op: "watch", users: [alice.id] }]);
	assert.deepEqual(refused.text.trim().split("\n").map((l) => JSON.parse(l).code), ["unprocessable", "unprocessable"]);
	assert.equal((await ops(bob, [{ op: "ping" }], "?instance=nobody")).json.code, "bad_field");
	assert.equal((await ops(bob, [{ op: "focus", channels: [room] }], `?instance=${randomUUID()}`)).json.type, "ack", "of one that is nowhere");
	for (const q of [{ focus: "x" }, { focus: "1,,2" }, { focus: "1," }, { focus: range(1, 9).join() }, { watch: "0" }, { watch: range(1, 201).join() }])
		for (const via of ["realtime1", "api1"]) {
			const p = await poll(bob, { ...q, via });
			assert.deepEqual([p.status, p.problem?.code, p.problem?.field], [400, "bad_field", Object.keys(q)[0]], `${via} ${JSON.stringify(q)}`);
		}
	await assert.rejects(openWs(bob, { via: "realtime1", ms: 2000, headers: {}, cursor: "x" }), /400/);
	await f.close();
});

test("server-sent events: focus in the query, then by ops that another process passes on", async () => {
	const room = await channel(alice, [bob]), other = await channel(alice, [bob]);
	const [x] = await puppets(room, 1);
	const [y] = await puppets(other, 1);
	await shows(x, "online");
	const feeds = await Promise.all(BOTH.map((via) => openSse(bob, { via, query: { focus: room } })));
	const stranger = await openSse(carol, { via: "realtime1", instance: feeds[0].instance });
	for (const f of feeds) await knows(f, x, "online");
	for (const f of feeds) {
		const answer = await ops(bob, [{ op: "focus", channels: [other], ref: "a" }, { op: "watch", users: [x] }], `?instance=${f.instance}`);
		assert.deepEqual(answer.text.trim().split("\n").map((l) => JSON.parse(l).type), ["ack", "ack"]);
		await f.some((l) => l.type === "reads" && l.channel === other);
	}
	await shows(y, "away");
	await shows(x, "offline");
	for (const f of feeds) {
		await knows(f, y, "away");
		await knows(f, x, "offline");
		await f.close();
	}
	assert.ok(!stranger.lines.some((l) => l.type === "reads"), "an instance is its user's");
	await stranger.close();
});

test("polls: the state at once, then only where it differs; without focus none", async () => {
	const room = await channel(alice, [bob]);
	const [x] = await puppets(room, 1);
	await shows(x, "online");
	for (const via of ["realtime1", "realtime2", "api1"]) {
		const instance = randomUUID();
		const ask = { instance, focus: room, watch: x, via };
		await caughtUp(bob, via); // with who is in the room
		let p = await poll(bob, { cursor: await head(bob), wait: 20, ...ask });
		assert.equal(p.status, 200, p.text);
		assert.deepEqual(p.lines.map((l) => l.type), ["presence", "reads", "typing", "cursor"], via);
		assert.deepEqual(p.lines[0].users.map((u) => u.user), [alice.id, x].sort((a, b) => a - b));
		assert.match(p.cursor, /^[a-z2-7]{8}\.\d+\.[a-z2-7]{8}$/);
		const t = Date.now();
		p = await poll(bob, { cursor: p.cursor, wait: 2, ...ask });
		assert.deepEqual(p.events, [], "the same is not told again");
		assert.ok(Date.now() - t >= 1900, `${Date.now() - t} ms`);
		const waiting = poll(bob, { cursor: p.cursor, wait: 20, ...ask });
		const state = via === "realtime2" ? "online" : "away"; // another one than before
		await shows(x, state);
		p = await waiting;
		assert.equal(p.lines[0].users.find((u) => u.user === x).state, state, via);
		// the cursor is as good elsewhere: to a socket, and to a poll that asks for nothing
		const plain = await poll(bob, { cursor: p.cursor, wait: 0, via });
		assert.deepEqual(plain.events, []);
		assert.match(plain.cursor, /^[a-z2-7]{8}\.\d+$/);
		const ws = await openWs(bob, { cursor: p.cursor, via: "realtime1" });
		assert.ok(!ws.lines.some((l) => l.type === "reset"));
		await ws.close();
		// another focus is answered at once, with the state that goes with it
		const began = Date.now(), LOOKS = 8;
		for (let n = 0; n < LOOKS; n++) {
			p = await poll(bob, { cursor: p.cursor, wait: 20, instance, focus: n % 2 ? room : "", watch: x, via });
			assert.deepEqual(p.lines.map((l) => l.type), n % 2 ? ["presence", "reads", "typing", "cursor"] : ["presence", "cursor"]);
		}
		assert.ok(Date.now() - began < (LOOKS - 1) * 1000, `${LOOKS} looks took ${Date.now() - began} ms: no second between them`);
		const wait0 = await poll(bob, { cursor: await head(bob), wait: 0, ...ask });
		assert.deepEqual(wait0.lines.map((l) => l.type), ["presence", "reads", "typing", "cursor"]);
	}
	const broken = await poll(bob, { cursor: `${await head(bob)}.abc`, focus: room, via: "realtime1" });
	assert.deepEqual([broken.status, broken.problem.code], [400, "bad_cursor"]);
});

test("polls that go to each process in turn do not spin, whatever each of them knows", async () => {
	const room = await channel(alice, [bob]);
	const [x, y] = await puppets(room, 2);
	const f = follow(bob, { cursor: await head(bob), wait: 2, focus: room, via: ["realtime1", "realtime2", "api1", "api2"] });
	await knows(f, x, "offline");
	await until(() => f.polls >= 4, { ms: 20000, what: "each has been asked" });
	let before = f.polls, t = Date.now();
	await until(() => Date.now() - t > 3000, { ms: 5000 });
	const most = (more) => Math.ceil((Date.now() - t) / 2000) + more; // each waits for two seconds
	assert.ok(f.polls - before <= most(1), `${f.polls - before} polls in ${Date.now() - t} ms of nothing`);
	// what one process alone knows, and another one: said on no bus
	before = f.polls;
	t = Date.now();
	await shows(x, "online", { told: false });
	await until(() => Date.now() - t > 3000, { ms: 5000 });
	assert.ok(f.polls - before <= most(3), `${f.polls - before} polls in ${Date.now() - t} ms`);
	// changes all the time
	before = f.polls;
	t = Date.now();
	for (let i = 0; Date.now() - t < 3000; i++) await shows(y, i % 2 ? "online" : "away");
	const seconds = (Date.now() - t) / 1000; // at most one line of presence a second
	assert.ok(f.polls - before <= Math.ceil(seconds) + 2, `${f.polls - before} polls in ${seconds} s of changes`);
	await shows(x, "away");
	await shows(y, "offline");
	await knows(f, x, "away");
	await knows(f, y, "offline");
	assert.equal(f.failures, 0, String(f.lastFailure));
	await f.stop();
});

test("a listener that was lost: what was told meanwhile is read", async () => {
	const room = await channel(alice, [bob]);
	const [x, y] = await puppets(room, 2);
	const feeds = [await openWs(bob, { via: "realtime2" }), await openSse(bob, { via: "realtime2", query: { watch: [x, y] } })];
	await acked(feeds[0], { op: "focus", channels: [room] });
	feeds.push(follow(bob, { cursor: feeds[0].hello.cursor, wait: 20, focus: room, via: "realtime2" }));
	for (const f of feeds) await knows(f, x, "offline");
	for (const state of ["online", "away", "offline"]) {
		// said while nobody hears: the listener ends in the transaction that says it
		await stack.psql(
			`begin; ${presenceOf(x, state)}
			update members set last_read_seq = last_read_seq + 1 where channel_id = ${room} and user_id = ${y};
			${presenceTold(x)}
			select pg_notify('pulsechat', '0 k ${room} 0 ${y} {"user":${y},"seq":' || last_read_seq || '}') from members
				where channel_id = ${room} and user_id = ${y};
			select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'realtime2-listen'; commit`,
			{ user: "postgres" },
		);
		for (const f of feeds) await knows(f, x, state, 8000);
		await until(() => marks(feeds[0], room).get(y) === ["online", "away", "offline"].indexOf(state) + 1, { what: "the marks too" });
	}
	await feeds[2].stop();
	for (const f of feeds.slice(0, 2)) await f.close();
});

test("a new epoch: all that is looked at is told anew", async () => {
	const room = await channel(alice, [bob]);
	const [x] = await puppets(room, 1);
	const f = await openWs(bob, { via: "realtime1" });
	await acked(f, { op: "focus", channels: [room] });
	await knows(f, x, "offline");
	const before = presences(f).length;
	await stack.psql("select stream_open(true)");
	await f.some((l) => l.type === "reset");
	await until(() => presences(f).length > before);
	await shows(x, "online");
	await knows(f, x, "online");
	await f.close();
});

test("who may not read is not told, and a socket that ends is forgotten", async () => {
	const room = await channel(alice, [bob]);
	const [x] = await puppets(room, 1);
	for (const i of range(1, 20)) {
		const f = await openWs(i % 2 ? bob : alice, { via: "realtime1" });
		await acked(f, { op: "focus", channels: [room] });
		await acked(f, { op: "watch", users: [x, alice.id, bob.id] });
		if (i % 3) f.terminate();
		else await f.close();
	}
	await shows(x, "online");
	const outsider = await openWs(dave, { via: "realtime1" });
	await acked(outsider, { op: "focus", channels: [room] });
	await acked(outsider, { op: "watch", users: [x] });
	await shows(x, "away");
	const p = await poll(dave, { cursor: outsider.hello.cursor, wait: 0, focus: room, watch: x, via: "realtime1" });
	assert.deepEqual(p.events, []);
	assert.ok(!known(outsider).has(x));
	await outsider.close();
	assert.equal((await poll(client(stack, {}), { cursor: p.cursor, focus: room, via: "realtime1" })).status, 401);
});

test("read marks as they move: by ops, in a direct channel with what was delivered; who shows his no more is taken away", async () => {
	const room = await channel(alice, [bob, carol]);
	const direct = (await alice.post("/api/v1/channels", { kind: "direct", members: [bob.id] })).json.id;
	for (let i = 0; i < 3; i++) for (const to of [room, direct]) await post(alice, to, `${i}`);
	const f = await openWs(alice, { via: "realtime2" });
	await acked(f, { op: "focus", channels: [room, direct] });
	const b = await openWs(bob, { via: "realtime1" });
	await acked(b, { op: "read", channel: room, seq: 2 });
	await until(() => marks(f, room).get(bob.id) === 2);
	await acked(b, { op: "delivered", channel: direct, seq: 3 });
	await acked(b, { op: "read", channel: direct, seq: 1 });
	const mark = () => f.lines.filter((l) => l.type === "reads" && l.channel === direct).flatMap((l) => l.reads).findLast((r) => r.user === bob.id);
	await until(() => mark()?.seq === 1 && mark().delivered === 3);
	const sharing = (share) => bob.patch(`/api/v1/channels/${room}/membership`, { read_receipts: share });
	assert.equal((await sharing(false)).status, 200);
	await until(() => marks(f, room).get(bob.id) === null);
	await acked(b, { op: "read", channel: room, seq: 3 });
	const later = await openWs(carol, { via: "realtime1" });
	await acked(later, { op: "focus", channels: [room] });
	await later.some((l) => l.type === "reads" && l.channel === room);
	assert.ok(!marks(later, room).has(bob.id));
	assert.equal((await sharing(true)).status, 200);
	for (const feed of [f, later]) await until(() => marks(feed, room).get(bob.id) === 3);
	// for all channels at once
	const everywhere = (share) => bob.patch("/api/v1/me/settings", { read_receipts: share });
	assert.equal((await everywhere(false)).status, 200);
	for (const feed of [f, later]) await until(() => marks(feed, room).get(bob.id) === null);
	await until(() => mark().seq === null);
	assert.equal((await everywhere(true)).status, 200);
	for (const feed of [f, later]) await until(() => marks(feed, room).get(bob.id) === 3);
	await until(() => mark().seq === 1);
	for (const s of [f, b, later]) await s.close();
});
