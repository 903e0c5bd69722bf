// access: judged at delivery. Joins and removals, ended sessions, deactivated people, on two processes and all transports.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { client, signIn } from "../support/http.mjs";
import { lastOf, timeOf, within } from "../support/lag.mjs";
import { follow, openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { channel, exactly, head, people, post, range, say, seqs, until } from "./help.mjs";

const IDLE = "20s"; // a stream says every quarter of it that its session is in use
let stack, alice, bob, carol, dave;

before(async () => {
	stack = await startStack({ realtime: 2, conf: { "session.idle": IDLE } });
	[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
});
after(() => stack.stop());

/** A socket, an event stream and a poll on each process. */
async function everywhere(who, cursor) {
	const feeds = [await openWs(who, { via: "realtime1", cursor }), await openWs(who, { via: "realtime2", cursor })];
	for (const via of ["realtime1", "realtime2"]) feeds.push(await openSse(who, { via, cursor }));
	feeds.push(follow(who, { via: "realtime1", cursor: cursor ?? feeds[0].hello.cursor }));
	feeds.push(follow(who, { via: "realtime2", cursor: cursor ?? feeds[1].hello.cursor }));
	return feeds;
}
const end = (feeds) => Promise.all(feeds.map((f) => (f.stop ? f.stop() : f.terminate())));

test("AU-5 b who is removed gets nothing that was sent after it, live or by resume; who joins again only what is after", async () => {
	const room = await channel(alice, [bob, carol]);
	const other = await channel(alice, [bob]);
	const from = await head(bob);
	const feeds = await everywhere(bob);
	const witness = await openWs(carol, { via: "realtime2" }); // stays: sees what he must not
	for (const f of [...feeds, witness]) await f.call?.({ op: "focus", channels: [room] });
	const a = await openWs(alice, { via: "realtime1" });
	await say(a, room, "1 for both");
	await Promise.all(feeds.map((f) => exactly(f, room, 1, 1)));
	assert.equal((await alice.delete(`/api/v1/channels/${room}/members/${bob.id}`)).status, 204);
	for (let i = 2; i <= 11; i++) await say(a, room, `${i} not for bob`);
	const first = `/api/v1/channels/${room}/messages/1`;
	assert.equal((await alice.put(`${first}/reactions/${encodeURIComponent("👍")}`)).status, 200);
	assert.equal((await alice.patch(first, { body: { text: "1 of another text" } })).status, 200);
	assert.equal((await a.call({ op: "typing", channel: room })).type, "ack");
	for (const type of ["reactions.updated", "message.updated", "typing"]) await witness.some((l) => l.type === type && l.channel === room);
	const marker = await say(a, other, "by this all before has been delivered");
	for (const f of feeds) {
		await f.some((l) => l.type === "member.left" && l.channel === room && l.user === bob.id);
		await f.some((l) => l.type === "message" && l.channel === other && l.seq === marker.seq);
		assert.deepEqual(seqs(f.lines, room), [1]);
		const left = f.lines.findIndex((l) => l.type === "member.left" && l.channel === room && l.user === bob.id);
		const since = f.lines.slice(left + 1).filter((l) => l.channel === room && l.type !== "typing");
		assert.deepEqual(since, []);
		assert.ok(!f.lines.some((l) => l.type === "typing" && l.users.includes(alice.id)), "nor who types there");
	}
	// nothing of it by resume either, from both processes, nor from history
	for (const [via, open] of [["realtime1", openWs], ["realtime2", openWs], ["realtime1", openSse], ["realtime2", openSse]]) {
		const resumed = await open(bob, { via, cursor: from });
		await resumed.some((l) => l.type === "message" && l.channel === other && l.seq === marker.seq);
		assert.deepEqual(seqs(resumed.lines, room), []);
		assert.ok(resumed.lines.some((l) => l.type === "member.left" && l.user === bob.id), "but he is told that he is out");
		await resumed.close();
	}
	assert.notEqual((await bob.get(`/api/v1/channels/${room}/messages`)).status, 200);
	// again in
	assert.equal((await alice.post(`/api/v1/channels/${room}/members`, { user: bob.id })).status, 201);
	await say(a, room, "12 for both again");
	for (const f of feeds) {
		await f.some((l) => l.type === "message" && l.channel === room && l.seq === 12);
		assert.deepEqual(seqs(f.lines, room), [1, 12]);
		assert.equal(f.lines.filter((l) => l.type === "member.joined" && l.channel === room && l.user === bob.id).length, 1);
	}
	const resumed = await openWs(bob, { cursor: from });
	await resumed.some((l) => l.type === "message" && l.channel === room && l.seq === 12);
	assert.deepEqual(seqs(resumed.lines, room), [12], "only what is after the second join");
	await end([...feeds, witness, a, resumed]);
});

test("leaving and joining while the own process is loading memberships loses nothing and shows nothing", async () => {
	const room = await channel(alice, [carol]);
	for (let round = 0; round < 15; round++) {
		const joined = await alice.post(`/api/v1/channels/${room}/members`, { user: dave.id });
		const opening = openWs(dave, { via: round % 2 ? "realtime1" : "realtime2" }); // not awaited: in the middle of it
		const m = await post(alice, room, `round ${round}`);
		const d = await opening;
		assert.equal(joined.status, 201);
		const left = await alice.delete(`/api/v1/channels/${room}/members/${dave.id}`);
		assert.equal(left.status, 204);
		const hidden = await post(alice, room, "hidden");
		await d.some((l) => l.type === "member.left" && l.user === dave.id);
		assert.equal((await d.call({ op: "ping" })).type, "pong");
		assert.ok(!seqs(d.lines, room).includes(hidden.seq));
		const late = seqs(d.lines, room).filter((s) => s !== m.seq);
		assert.deepEqual(late, [], "at most the one of his time");
		await d.close();
	}
});

test("AU-5 a log out: its streams end within a second on both processes, the other device stays", async () => {
	const one = await signIn(stack, "bob");
	const two = await signIn(stack, "bob");
	const ones = [await openWs(one, { via: "realtime1" }), await openWs(one, { via: "realtime2" })];
	for (const via of ["realtime1", "realtime2"]) ones.push(await openSse(one, { via }));
	const twos = [await openWs(two, { via: "realtime1" }), await openWs(two, { via: "realtime2" })];
	const parked = ["realtime1", "realtime2"].map((via) => poll(one, { via, cursor: ones[0].hello.cursor, wait: 30 }));
	const { id } = (await one.get("/api/v1/me")).json.session;
	const all = [...ones.map((f) => f.closed), ...parked];
	const ended = async () => {
		assert.equal((await one.post("/auth/logout")).status, 200);
		return timeOf(stack, "revoked_at", `from sessions where id = ${id}`);
	};
	await within(1000, stack, () => Promise.all([lastOf(all), ended()]), "streams and polls end", ([last, at]) => last - at);
	const closed = await Promise.all(ones.map((f) => f.closed)), polls = await Promise.all(parked);
	assert.deepEqual(closed.map((c) => c.code), [4001, 4001, 4001, 4001]);
	for (const f of ones) assert.equal(f.lines.at(-1).type, "bye");
	for (const p of polls) assert.ok([200, 401].includes(p.status));
	assert.equal((await poll(one, { cursor: ones[0].hello.cursor, wait: 0 })).status, 401);
	for (const f of twos) {
		await f.some((l) => l.type === "session.revoked");
		assert.equal((await f.call({ op: "ping" })).type, "pong");
	}
	await end(twos);
});

test("DL-6 a session that was ended: each transport takes the client in, says why, and ends; a poll answers 401", async () => {
	const web = await signIn(stack, "bob");
	const { cookie } = web;
	const { cursor } = (await openWs(web, { via: "realtime1" })).hello;
	assert.equal((await web.post("/auth/logout")).status, 200);
	const gone = { stack, credentials: { cookie, origin: stack.url } };
	for (const via of ["realtime1", "realtime2", undefined])
		for (const open of [openWs, openSse]) {
			const ends = async () => {
				const s = await open(gone, { via, cursor, hello: false });
				assert.equal((await s.closed).code, 4001);
				return s;
			};
			const s = await within(1000, stack, ends, "it ends at once");
			assert.deepEqual(s.lines, [{ type: "bye", reason: "signed out", code: 4001 }]);
		}
	const p = await within(1000, stack, () => poll(gone, { cursor, wait: 20 }), "the poll is answered at once");
	assert.deepEqual([p.status, p.problem.code], [401, "unauthenticated"]);
});

test("AU-5 c a deactivated person's streams end with 4003, everywhere; a token's by its revocation", async () => {
	const [erin] = await people(stack, "erin");
	const feeds = [await openWs(erin, { via: "realtime1" }), await openWs(erin, { via: "realtime2" })];
	for (const via of ["realtime1", "realtime2"]) feeds.push(await openSse(erin, { via }));
	const watcher = await openWs(alice, { via: "realtime2" });
	const said = () => timeOf(stack, "clock_timestamp()", "", `select user_deactivate(${erin.id})`);
	const all = feeds.map((f) => f.closed);
	await within(1000, stack, () => Promise.all([lastOf(all), said()]), "her streams end", ([last, at]) => last - at);
	const closed = await Promise.all(all);
	assert.deepEqual(closed.map((c) => c.code), [4003, 4003, 4003, 4003]);
	await watcher.some((l) => l.type === "user.deactivated" && l.user.id === erin.id);
	const late = await openWs(erin, { hello: false });
	assert.equal((await late.closed).code, 4003);
	assert.equal((await (await openSse(erin, { hello: false })).closed).code, 4003);
	const extra = client(stack, { token: await stack.token("carol") });
	const [c, s] = [await openWs(extra), await openSse(extra)];
	await stack.psql("select session_revoke((select max(id) from sessions))");
	assert.equal((await c.closed).code, 4001);
	assert.equal((await s.closed).code, 4001);
	await watcher.close();
});

test("a session that reaches its end is told so; one that is used in a stream does not count as unused", async () => {
	const web = await signIn(stack, "carol");
	const ws = await openWs(web);
	const id = (await web.get("/api/v1/me")).json.session.id;
	await stack.psql(`update sessions set last_used_at = now() - interval '10 s' where id = ${id}`);
	const used = async () => (await stack.psql(`select last_used_at > now() - interval '8 s' from sessions where id = ${id}`)) === "t";
	await until(used, { what: "the stream kept it in use" });
	assert.equal((await ws.call({ op: "ping" })).type, "pong");
	assert.equal((await web.get("/api/v1/me")).status, 200);
	await ws.close();
	await stack.psql(`update sessions set expires_at = now() + interval '1 s' where id = ${id}`);
	const short = await openWs(web);
	assert.equal((await short.closed).code, 4001);
	assert.equal(short.lines.at(-1).type, "bye");
	await stack.psql(`update sessions set expires_at = now() + interval '1 h', last_used_at = now() where id = ${id}`);
	const longer = await openWs(web);
	await stack.psql(`update sessions set expires_at = now() + interval '2 h' where id = ${id}`);
	assert.equal((await longer.call({ op: "ping" })).type, "pong");
	await longer.close();
});

test("everyone sees a public channel that is made, only its members what is said there", async () => {
	const b = await openWs(bob);
	const created = await alice.post("/api/v1/channels", { name: `open ${randomUUID()}`, kind: "public" });
	const id = created.json.id;
	await post(alice, id, "for me alone");
	const e = await b.some((l) => l.type === "channel.created" && l.channel.id === id);
	assert.equal(e.channel.membership, undefined);
	assert.equal((await bob.post(`/api/v1/channels/${id}/join`)).status, 200);
	await b.some((l) => l.type === "member.joined" && l.channel === id && l.user === bob.id);
	for (let i = 2; i <= 5; i++) await post(alice, id, `${i}`);
	await b.some((l) => l.type === "message" && l.channel === id && l.seq === 5);
	assert.deepEqual(seqs(b.lines, id), range(2, 5));
	await b.close();
});
