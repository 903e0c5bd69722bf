// groups: groups of people, and mentions that reach many: what REST answers, what is told, and that events and a fresh load say the same. Who is
// reached, and what that costs, in each case: tests/sql/groups.sql; the counts at random: tests/realtime/unread.test.mjs.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { bot, signIn } from "../support/http.mjs";
import { openWs } from "../support/realtime.mjs";
import { Model } from "../support/model.mjs";
import { until } from "../support/until.mjs";
import { makeChannel, me, ok, problem } from "./help.mjs";

let stack, alice, bob, carol, guest, ids, room, team;
const api = "/api/v1";

before(async () => {
	stack = await startStack({ realtime: 1 });
	await stack.cli(["user", "add", "gus"]);
	await stack.cli(["user", "role", "gus", "guest"]);
	alice = await signIn(stack, "alice");
	[bob, carol, guest] = await Promise.all(["bob", "carol", "gus"].map((h) => bot(stack, h)));
	ids = {};
	for (const [name, who] of Object.entries({ alice, bob, carol, guest })) ids[name] = who.id = (await me(who)).id;
	room = (await makeChannel(alice, { members: [ids.bob, ids.guest] })).id;
});
after(() => stack?.stop());

const body = (mentions, text = "x") => ({ text, ...(mentions && { mentions }) });
const say = (who, mentions, channel = room, more = {}) =>
	who.post(`${api}/channels/${channel}/messages`, { client_id: randomUUID(), ...more, body: body(mentions) });
const edit = (who, seq, mentions) => who.patch(`${api}/channels/${room}/messages/${seq}`, { body: body(mentions, `edited ${seq}`) });
const reach = (who, of, channel = room) => who.get(`${api}/channels/${channel}/reach?of=${of}`);

/** Follows as a client does, by a WebSocket; same() waits until it has what a fresh load has. */
async function follower(who) {
	const model = await new Model(who.id).load(who);
	const ws = await openWs(who, { cursor: model.cursor, reads: model.reads });
	for (const line of ws.lines) model.take(line);
	ws.onLine = (line) => model.take(line);
	const same = () =>
		until(
			async () => {
				await model.settle(who);
				const fresh = (await new Model(who.id).load(who)).state();
				for (const kind of ["groups", "unread", "rooms", "public"]) assert.deepEqual(model.state()[kind], fresh[kind], kind);
				const { drift } = ok(await who.get(`${api}/me/unread?verify=1`));
				assert.deepEqual(drift, []);
				return true;
			},
			{ what: "events and a fresh load say the same" },
		);
	return { model, ws, same, of: (channel) => model.state().unread.find((u) => u.id === channel) };
}

test("groups: an admin makes, changes and deletes them; all but guests see them, and are told", async () => {
	const f = await follower(carol);
	const made = await alice.post(`${api}/groups`, { handle: "team", name: "The team", members: [ids.bob, ids.guest] });
	team = ok(made, 201);
	assert.deepEqual(team, { id: team.id, handle: "team", name: "The team", version: 1, members: 2, users: [ids.bob, ids.guest] });
	const { users: _users, ...told } = team;
	assert.deepEqual((await f.ws.next("group.created")).group, told);
	ok(await alice.post(`${api}/groups`, { handle: "a-choir", name: "Choir" }), 201);
	const all = ok(await alice.get(`${api}/groups?limit=1`));
	assert.deepEqual([all.groups.map((g) => g.handle), all.next, all.manage], [["a-choir"], "a-choir", true]);
	const rest = ok(await bob.get(`${api}/groups?after=a-choir`));
	assert.deepEqual([rest.groups, rest.next, rest.manage], [[told], null, false]);
	assert.deepEqual(ok(await bob.get(`${api}/groups/${team.id}`)), team);

	for (const who of [bob, guest, carol]) {
		problem(await who.post(`${api}/groups`, { handle: "mine", name: "Mine" }), 403, "forbidden");
		problem(await who.patch(`${api}/groups/${team.id}`, { name: "Mine" }), 403, "forbidden");
		problem(await who.delete(`${api}/groups/${team.id}`), 403, "forbidden");
	}
	problem(await guest.get(`${api}/groups`), 403, "forbidden");
	problem(await guest.get(`${api}/groups/${team.id}`), 403, "forbidden");
	for (const handle of ["team", "bob", "here", "channel", "all", "everyone"])
		problem(await alice.post(`${api}/groups`, { handle, name: "x" }), 409, "conflict", "handle");
	problem(await alice.post(`${api}/groups`, { handle: "B a d", name: "x" }), 400, "bad_field", "handle");
	problem(await alice.post(`${api}/groups`, { handle: "other", name: "  " }), 400, "bad_field", "name");
	problem(await alice.post(`${api}/groups`, { handle: "other", name: "x", members: [9e9] }), 400, "bad_field", "members");
	problem(await alice.patch(`${api}/groups/${team.id}`, { add: [9e9] }), 400, "bad_field", "add");
	problem(await alice.patch(`${api}/groups/${team.id}`, { handle: "bob" }), 409, "conflict", "handle");
	problem(await alice.get(`${api}/groups/999999`), 404, "not_found");
	problem(await alice.patch(`${api}/groups/999999`, { name: "x" }), 404, "not_found");
	problem(await alice.delete(`${api}/groups/999999`), 404, "not_found");
	problem(await alice.get(`${api}/groups?after=%20`), 400, "bad_field", "after");
	await stack.cli(["user", "add", "team"]).then(
		() => assert.fail("the handle is taken"),
		(e) => assert.match(String(e.stderr ?? e), /taken/),
	);

	const changed = ok(await alice.patch(`${api}/groups/${team.id}`, { handle: "crew", name: "Crew", add: [ids.alice, ids.bob], remove: [ids.carol] }));
	assert.deepEqual([changed.handle, changed.name, changed.version, changed.users], ["crew", "Crew", 2, [ids.alice, ids.bob, ids.guest]]);
	assert.equal((await f.ws.next("group.updated")).group.members, 3);
	assert.equal(ok(await alice.patch(`${api}/groups/${team.id}`, { add: [ids.bob] })).version, 2, "what changes nothing is no version");
	await stack.psql(`
		with u as (insert into users (handle, name) select 'full' || n, 'Full' from generate_series(1, 498) n returning id)
		insert into user_group_members select (select id from user_groups where handle = 'a-choir'), id from u;
		insert into user_group_members select (select id from user_groups where handle = 'a-choir'), id from users
			where id in (${ids.bob}, ${ids.carol})`);
	const choir = ok(await alice.get(`${api}/groups?limit=1`)).groups[0];
	assert.equal(choir.members, 500);
	problem(await alice.patch(`${api}/groups/${choir.id}`, { add: [ids.alice] }), 422, "unprocessable", "add");
	await alice.delete(`${api}/groups/${choir.id}`);
	assert.equal((await f.ws.next("group.deleted")).group, choir.id);
	await f.same();
	await f.ws.close();
	const audit = ok(await alice.get(`${api}/admin/audit?limit=10`)).entries.filter((e) => e.action.startsWith("group."));
	const kept = ["group.deleted", "group.changed", "group.created"].map((action) => [action, ids.alice]);
	assert.deepEqual(audit.map((e) => [e.action, e.actor]).slice(0, 3), kept);
});

test("mentions that reach many: whom, how they are counted by events and a fresh load, and what is refused", async () => {
	const f = await follower(bob);
	const group = `group:${team.id}`;
	assert.deepEqual(ok(await reach(alice, `channel`)), { people: 2 });
	assert.deepEqual(ok(await reach(alice, `${group},${ids.carol}`)), { people: 2 }, "who is no member is not reached");
	const sent = ok(await say(alice, [group, ids.carol]), 201);
	assert.deepEqual(sent.body.mentions, [ids.carol, group]);
	assert.deepEqual(sent.body.reached, { [group]: [ids.bob, ids.guest] });
	await f.ws.next((l) => l.type === "message" && l.seq === sent.seq);
	assert.deepEqual((await f.same(), f.of(room).mentions), 1);
	const wide = ok(await say(alice, ["channel"]), 201);
	await f.ws.next((l) => l.type === "message" && l.seq === wide.seq);
	assert.equal(f.of(room).mentions, 2);
	await f.same();
	// bob is there by his socket; gus is not
	await until(async () => ok(await reach(alice, "here")).people === 1, { what: "bob is here" });
	const here = ok(await say(alice, ["here"]), 201);
	assert.deepEqual(here.body.reached, { here: [ids.bob] });
	await f.ws.next((l) => l.type === "message" && l.seq === here.seq);
	await f.same();
	assert.equal(f.of(room).mentions, 3);

	// edits: less is told by the event alone, never more
	ok(await edit(alice, wide.seq));
	await f.ws.next((l) => l.type === "message.updated" && l.seq === wide.seq);
	assert.equal(f.of(room).mentions, 2);
	await f.same();
	problem(await edit(alice, wide.seq, ["channel"]), 422, "unprocessable", "body.mentions");
	problem(await edit(alice, wide.seq, ["here"]), 422, "unprocessable", "body.mentions");
	problem(await edit(alice, wide.seq, ["group:999999"]), 400, "bad_field", "body.mentions");
	assert.deepEqual(ok(await edit(alice, here.seq, ["here"])).body.reached, { here: [ids.bob] }, "who was here stays so");
	assert.equal(ok(await edit(alice, sent.seq, [])).body.reached, undefined);
	await f.ws.next((l) => l.type === "message.updated" && l.seq === sent.seq);
	await f.same();
	assert.equal(f.of(room).mentions, 1);
	// a deletion
	const again = ok(await say(alice, ["channel"]), 201);
	ok(await alice.delete(`${api}/channels/${room}/messages/${again.seq}`));
	await f.ws.next((l) => l.type === "message.deleted" && l.seq === again.seq);
	assert.equal(f.of(room).mentions, 1);
	await f.same();

	// what is refused
	for (const bad of [["team"], ["group:0"], ["group:x"], ["group:"], ["channel", "channel"], [0], [{}], [null], ["group:9007199254740993"]])
		problem(await say(alice, bad), 400, "bad_field", "body.mentions");
	problem(await say(alice, "channel"), 400, "bad_field", "body.mentions");
	problem(await say(alice, Array.from({ length: 51 }, (_, i) => `group:${i + 1}`)), 400, "bad_field", "body.mentions");
	problem(await say(alice, ["group:999999"]), 400, "bad_field", "body.mentions");
	for (const of of ["team", "", "channel,", "channel,channel", "0"]) problem(await reach(alice, of), 400, "bad_field", "of");
	problem(await alice.get(`${api}/channels/${room}/reach`), 400, "bad_field", "of");
	for (const name of ["channel", "here", group]) problem(await say(guest, [name]), 403, "forbidden", "body.mentions");
	problem(await reach(guest, "channel"), 403, "forbidden");
	problem(await reach(carol, "channel"), 403, "not_a_member");
	problem(await reach(carol, "channel", 999999), 404, "not_found");
	const direct = ok(await alice.post(`${api}/channels`, { kind: "direct", members: [ids.bob] }), 201).id;
	problem(await say(alice, ["channel"], direct), 422, "unprocessable", "body.mentions");
	assert.deepEqual(ok(await say(alice, [group], direct), 201).body.reached, { [group]: [ids.bob] });
	problem(await say(alice, ["here"], room, { thread: here.seq }), 422, "unprocessable", "body.mentions");
	ok(await say(alice, ["here"], room, { thread: here.seq, in_channel: true }), 201);

	// who may
	problem(await bob.patch(`${api}/channels/${room}`, { mention_all: "moderators" }), 403, "forbidden");
	problem(await alice.patch(`${api}/channels/${room}`, { mention_all: "nobody" }), 400, "bad_field", "mention_all");
	ok(await say(bob, ["channel"]), 201);
	assert.equal(ok(await alice.patch(`${api}/channels/${room}`, { mention_all: "moderators" })).mention_all, "moderators");
	assert.equal((await f.ws.next("channel.updated")).channel.mention_all, "moderators");
	problem(await say(bob, ["channel"]), 403, "forbidden", "body.mentions");
	problem(await say(bob, ["here"]), 403, "forbidden", "body.mentions");
	const refused = await f.ws.call({ op: "send", client_id: randomUUID(), channel: room, body: body(["channel"]) });
	assert.deepEqual([refused.type, refused.code, refused.field], ["error", "forbidden", "body.mentions"]);
	ok(await say(bob, [group]), 201);
	ok(await say(alice, ["channel"]), 201);
	await f.same();
	await f.ws.close();
});
