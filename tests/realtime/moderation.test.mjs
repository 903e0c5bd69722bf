// moderation: mutes, bans, roles and guests as all processes and transports see them, in the log's order.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { client, signIn } from "../support/http.mjs";
import { within } from "../support/lag.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { channel, exactly, head, people, post, range, say, sendOp, seqs } from "./help.mjs";

let stack, root, alice, bob, carol, dave;

before(async () => {
	stack = await startStack({ realtime: 2 });
	await stack.cli(["user", "role", "heidi", "admin"]);
	root = await signIn(stack, "heidi");
	[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
});
after(() => stack?.stop());

const sockets = async (who, cursor) => Promise.all(["realtime1", "realtime2"].map((via) => openWs(who, { via, cursor })));
const done = (answer) => assert.ok(answer.status < 300, `${answer.status} ${answer.text}`);

/** Sends from both processes as fast as answers come until one is refused; the refusals, and the seqs that were acked. */
function flood(feeds, room) {
	const acked = [], refused = [];
	const over = Promise.all(
		feeds.map(async (f) => {
			for (let n = 0; n < 500; n++) {
				const a = await f.call(sendOp(room, `flood ${n}`));
				if (a.type === "error") return refused.push(a);
				acked.push(a.seq);
			}
			assert.fail("nobody stopped it");
		}),
	);
	return { over, acked, refused };
}

test("a mute holds at its place in the log: no message of his behind it, whichever process he sends by", async () => {
	for (const how of ["channel", "site"]) {
		const room = await channel(bob, [carol, dave]);
		const senders = await sockets(carol);
		const watchers = await sockets(dave);
		const { over, acked, refused } = flood(senders, room);
		await watchers[0].some((l) => l.type === "message" && l.channel === room && l.seq >= 20);
		const until = new Date(Date.now() + 3600_000).toISOString();
		done(
			how === "channel"
				? await bob.put(`/api/v1/channels/${room}/members/${carol.id}/mute`, { until, reason: "loud" })
				: await root.put(`/api/v1/admin/users/${carol.id}/mute`, { until, reason: "loud" }),
		);
		await over;
		assert.deepEqual(refused.map((r) => [r.code, r.until]), [["muted", until], ["muted", until]]);
		assert.ok(refused.every((r) => r.retry_after > 3500 && r.retry_after <= 3600));
		const last = await post(bob, room, "the last word");
		assert.deepEqual([...acked].sort((a, b) => a - b), range(1, last.seq - 1), "what was acked is there, and nothing else");
		const told = (l) =>
			how === "channel" ? l.type === "member.updated" && l.user === carol.id : l.type === "user.updated" && l.user.id === carol.id;
		for (const f of [...watchers, ...senders]) {
			await exactly(f, room, 1, last.seq);
			const at = f.lines.findIndex(told);
			assert.equal((how === "channel" ? f.lines[at] : f.lines[at].user).muted_until, until);
			const behind = f.lines.slice(at).filter((l) => l.type === "message" && l.channel === room);
			assert.deepEqual(behind.map((l) => l.seq), [last.seq], "behind the mute only what others say");
		}
		for (const f of senders) {
			const why = await f.some((l) => l.type === "moderated");
			assert.deepEqual([why.action, why.channel, why.reason, why.until], ["muted", how === "channel" ? room : null, "loud", until]);
		}
		assert.ok(!watchers.some((f) => f.lines.some((l) => l.type === "moderated")), "the reason is for him alone");
		done(
			how === "channel"
				? await bob.delete(`/api/v1/channels/${room}/members/${carol.id}/mute`)
				: await root.delete(`/api/v1/admin/users/${carol.id}/mute`),
		);
		await say(senders[1], room, "free again");
		for (const f of [...senders, ...watchers]) await f.terminate();
	}
});

test("a mute that is over is over without anybody's doing", async () => {
	const room = await channel(bob, [carol]);
	const [c] = await sockets(carol);
	let refused;
	for (let ms = 1500; refused?.type !== "error"; ms *= 2) {
		// on a busy machine it may be over before he sends
		const until = new Date(Date.now() + ms).toISOString();
		const answer = await bob.put(`/api/v1/channels/${room}/members/${carol.id}/mute`, { until });
		if (answer.status < 300) refused = await c.call(sendOp(room, "early"));
	}
	assert.equal(refused.code, "muted");
	await new Promise((ok) => setTimeout(ok, refused.retry_after * 1000 + 50));
	await say(c, room, "in time");
	await c.terminate();
});

test("AU-5 d a ban while he floods and joins: he is out at its place in the log and stays so, on both processes", async () => {
	const room = await channel(bob, [dave], "public");
	const from = await head(carol);
	done(await carol.post(`/api/v1/channels/${room}/join`));
	const senders = await sockets(carol);
	const watchers = await sockets(dave);
	const { over, refused } = flood(senders, room);
	await watchers[1].some((l) => l.type === "message" && l.channel === room && l.seq >= 20);
	const joins = [];
	const ban = bob.put(`/api/v1/channels/${room}/bans/${carol.id}`, { reason: "rude" });
	for (let n = 0; n < 10; n++) joins.push(await carol.post(`/api/v1/channels/${room}/join`));
	done(await ban);
	joins.push(await carol.post(`/api/v1/channels/${room}/join`));
	await over;
	assert.ok(refused.every((r) => r.code === "not_a_member"), JSON.stringify(refused));
	const codes = joins.map((r) => (r.status === 200 ? "in" : r.json.code));
	assert.deepEqual(codes.slice(codes.indexOf("banned")), Array(codes.length - codes.indexOf("banned")).fill("banned"), codes.join());
	assert.equal((await dave.post(`/api/v1/channels/${room}/members`, { user: carol.id })).json.code, "banned");
	const last = await post(bob, room, "not for carol");
	for (const f of watchers) {
		await exactly(f, room, 1, last.seq);
		const at = f.lines.findIndex((l) => l.type === "member.left" && l.user === carol.id);
		assert.ok(!f.lines.slice(at).some((l) => l.type === "message" && l.sender === carol.id), "nothing of his behind it");
	}
	for (const f of senders) {
		await f.some((l) => l.type === "moderated" && l.action === "banned" && l.reason === "rude");
		assert.equal((await f.call({ op: "ping" })).type, "pong");
		assert.ok(!seqs(f.lines, room).includes(last.seq));
	}
	const resumed = await openSse(carol, { via: "realtime2", cursor: from });
	await resumed.some((l) => l.type === "moderated" && l.action === "banned");
	assert.deepEqual(seqs(resumed.lines, room), [], "nor by resume");
	for (const f of [...senders, ...watchers]) await f.terminate();
	await resumed.close();
});

test("removal by a moderator, roles and the channel's name reach everyone once, live and by resume, as a fresh load has them", async () => {
	const room = await channel(bob, [carol, dave]);
	const from = await head(dave);
	const feeds = [...(await sockets(dave)), await openSse(dave, { via: "realtime1" })];
	const at = `/api/v1/channels/${room}`;
	done(await bob.patch(`${at}/members/${carol.id}`, { role: "moderator" }));
	done(await carol.patch(at, { name: `room ${room}`, topic: "what it is about" }));
	done(await bob.put(`${at}/owner`, { user: carol.id }));
	const bad = await post(bob, room, "bad");
	done(await carol.delete(`${at}/messages/${bad.seq}`));
	done(await carol.patch(at, { archived: true }));
	feeds.push(await openWs(dave, { via: "realtime2", cursor: from }));
	for (const f of feeds) {
		const gone = await f.some((l) => l.type === "message.deleted" && l.channel === room);
		assert.equal(gone.deleted_by, carol.id);
		const end = await f.some((l) => l.type === "channel.updated" && l.channel.id === room && l.channel.archived);
		const fresh = (await dave.get(at)).json;
		for (const k of ["name", "topic", "version", "archived", "members"]) assert.deepEqual(end.channel[k], fresh[k], k);
		const roles = Object.fromEntries(f.lines.filter((l) => l.type === "member.updated" && l.channel === room).map((l) => [l.user, l.role]));
		const list = (await dave.get(`${at}/members`)).json.members;
		for (const m of list) assert.equal(roles[m.user] ?? "member", m.role);
	}
	assert.equal((await dave.post(`${at}/messages`, { client_id: crypto.randomUUID(), body: { text: "x" } })).status, 422);
	for (const f of feeds) await f.terminate();
});

test("a guest hears of his channels and who is there, on both processes, live and by resume; from the change on", async () => {
	await stack.cli(["user", "add", "gil", "--role", "guest"]);
	await stack.cli(["user", "add", "pat"]);
	const [gil, pat] = await people(stack, "gil", "pat");
	const room = await channel(bob, [gil, dave], "public");
	const from = await head(gil);
	const feeds = [...(await sockets(gil)), await openSse(gil, { via: "realtime1" })];
	const seen = await openWs(carol, { via: "realtime1" });
	const rename = (handle, name) =>
		stack.psql(`WITH u AS (UPDATE users SET name = '${name}', version = version + 1 WHERE handle = '${handle}' RETURNING users.*)
		SELECT people_told('p', 'user.updated', u) FROM u`);
	const elsewhere = await channel(bob, [], "public");
	await rename("pat", "Unseen");
	await rename("dave", "Dave Seen");
	done(await bob.patch(`/api/v1/channels/${elsewhere}`, { topic: "unseen" }));
	done(await bob.patch(`/api/v1/channels/${room}`, { topic: "seen" }));
	const mark = await post(bob, room, "by this all before has come");
	const late = await openWs(gil, { via: "realtime2", cursor: from });
	await feeds[0].some((l) => l.type === "message" && l.channel === room && l.seq === mark.seq); // realtime1 knows of it
	const polled = await poll(gil, { via: "realtime1", cursor: from, wait: 0 });
	for (const f of [...feeds, late, { lines: polled.lines, some: async () => {} }]) {
		await f.some((l) => l.type === "message" && l.channel === room && l.seq === mark.seq);
		const users = f.lines.filter((l) => l.type === "user.updated").map((l) => l.user.name);
		assert.deepEqual(users, ["Dave Seen"]);
		const channels = f.lines.filter((l) => /^channel\./.test(l.type)).map((l) => `${l.type} ${l.channel.id} ${l.channel.topic}`);
		assert.deepEqual(channels, [`channel.updated ${room} seen`]);
	}
	await seen.some((l) => l.type === "channel.updated" && l.channel.id === room);
	assert.ok(seen.lines.some((l) => l.type === "user.updated" && l.user.name === "Unseen"), "members hear of everyone");
	// a member from now on, then a guest again, over the same streams
	done(await root.patch(`/api/v1/admin/users/${gil.id}`, { role: "member" }));
	for (const f of feeds) await f.some((l) => l.type === "user.updated" && l.user.id === gil.id && l.user.role === "member");
	await rename("pat", "Seen");
	for (const f of feeds) await f.some((l) => l.type === "user.updated" && l.user.name === "Seen");
	done(await root.patch(`/api/v1/admin/users/${gil.id}`, { role: "guest" }));
	await rename("pat", "Unseen again");
	const last = await post(bob, room, "again");
	for (const f of feeds) {
		await f.some((l) => l.type === "user.updated" && l.user.id === gil.id && l.user.role === "guest");
		await f.some((l) => l.type === "message" && l.channel === room && l.seq === last.seq);
		assert.ok(!f.lines.some((l) => l.type === "user.updated" && l.user.name === "Unseen again"));
	}
	for (const f of [...feeds, late, seen]) await f.terminate();
	await stack.cli(["user", "deactivate", "pat"]);
	assert.equal((await pat.get("/api/v1/me")).status, 401);
});

test("AU-5 e deactivated by an admin: all streams end within a second; reactivated, a new session works", async () => {
	await stack.cli(["user", "add", "ned"]);
	const [ned] = await people(stack, "ned");
	const feeds = [...(await sockets(ned)), await openSse(ned, { via: "realtime2" })];
	const ends = async () => {
		done(await root.post(`/api/v1/admin/users/${ned.id}/deactivate`, { reason: "left" }));
		return Promise.all(feeds.map((f) => f.closed));
	};
	const closed = await within(1000, stack, ends, "his streams end");
	assert.deepEqual(closed.map((c) => c.code), [4003, 4003, 4003]);
	done(await root.post(`/api/v1/admin/users/${ned.id}/reactivate`));
	assert.equal((await ned.get("/api/v1/me")).status, 401, "what ended stays ended");
	const again = client(stack, { token: await stack.token("ned", ["read", "write"]) });
	const s = await openWs(again, { via: "realtime1" });
	await s.terminate();
});

test("reports: who handles them is told without a text, who made it what became of it", async () => {
	const room = await channel(bob, [carol, dave]);
	const bad = await post(carol, room, "something bad");
	const handlers = [await openWs(bob, { via: "realtime1" }), await openWs(root, { via: "realtime2" })];
	const [reporter] = await sockets(dave);
	const [other] = await sockets(carol);
	const made = await dave.post(`/api/v1/channels/${room}/messages/${bad.seq}/reports`, { reason: "abuse", text: "look" });
	assert.equal(made.status, 201);
	for (const f of handlers) {
		const l = await f.some((x) => x.type === "report.created" && x.report === made.json.id);
		assert.deepEqual(Object.keys(l).sort(), ["channel", "cursor", "report", "seq", "type"]);
	}
	done(await bob.post(`/api/v1/reports/${made.json.id}/resolve`, { action: "remove", note: "no" }));
	for (const f of handlers) await f.some((l) => l.type === "report.resolved" && l.report === made.json.id);
	assert.equal((await reporter.some((l) => l.type === "report.answered")).report.action, "remove");
	await other.some((l) => l.type === "moderated" && l.action === "removed");
	assert.ok(!other.lines.some((l) => /^report/.test(l.type)), "whose message it was hears of no report");
	for (const f of [...handlers, reporter, other]) await f.terminate();
});
