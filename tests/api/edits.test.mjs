// edits: what PATCH of a message takes and refuses, its history, and that counting stays exact.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { until } from "../support/until.mjs";
import { backends, holdOpen, makeChannel, me, ok, problem, send } from "./help.mjs";

let stack, alice, bob, carol, reader, ids;

before(async () => {
	stack = await startStack({ provider: false, realtime: 0, api: 2, conf: { "limits.message_chars": "50", "messages.edit_window": "1h" } });
	[alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((h) => bot(stack, h)));
	reader = await bot(stack, "alice", ["read"]);
	ids = { alice: (await me(alice)).id, bob: (await me(bob)).id, carol: (await me(carol)).id };
});
after(() => stack?.stop());

const path = (id, ...rest) => ["/api/v1/channels", id, ...rest].join("/");
const edit = (who, m, text, more = {}) => who.patch(path(m.channel, "messages", m.seq), { body: { text }, ...more });
const say = async (who, id, text, mentions) =>
	ok(await who.post(path(id, "messages"), { client_id: randomUUID(), body: { text, ...(mentions && { mentions }) } }), 201);
const one = async (who, m) => ok(await who.get(path(m.channel, "messages", m.seq)));
const edits = async (who, m) => ok(await who.get(path(m.channel, "messages", m.seq, "edits"))).edits;
const mentions = async (who, id) => {
	const all = ok(await who.get("/api/v1/me/unread?verify=1"));
	assert.deepEqual(all.drift, []);
	return all.channels.find((c) => c.channel === id)?.mentions ?? 0;
};
const version = async (who, id) => ok(await who.get(path(id))).membership.read_version;

test("an edit: the new text everywhere, a version more, the former one in its history; the same again changes nothing", async () => {
	const id = (await makeChannel(alice, { kind: "private", members: [ids.bob] })).id;
	const m = await say(alice, id, "helo");
	const now = ok(await edit(alice, m, "hello", { version: 1 }));
	const { edited_at, ...rest } = now;
	assert.deepEqual(rest, { ...m, version: 2, body: { text: "hello" } });
	assert.ok(edited_at >= m.created_at);
	assert.deepEqual(await one(bob, m), now);
	assert.deepEqual(ok(await bob.get(path(id, "messages"))).messages, [now]);
	assert.deepEqual(ok(await edit(alice, m, "hello", { version: 1 })), now, "a retry whose first answer was lost");
	assert.deepEqual(await edits(bob, m), [
		{ version: 1, at: m.created_at, body: { text: "helo" } },
		{ version: 2, at: edited_at, body: { text: "hello" } },
	]);
	problem(await edit(alice, m, "other", { version: 1 }), 409, "conflict", "version");
	assert.equal(ok(await edit(alice, m, "other")).version, 3);
	assert.equal((await edits(bob, m)).length, 3);
	// the send that it came from is known by what was sent, not by what it says now
	const again = await send(alice, id, "helo", m.client_id);
	assert.equal(ok(again).body.text, "other");
	problem(await send(alice, id, "other", m.client_id), 409, "client_id_reused");
});

test("an edit is held to what a send is held to", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob] })).id;
	const m = await say(alice, id, "text");
	const p = path(id, "messages", m.seq);
	problem(await edit(alice, m, ""), 400, "bad_field", "body.text");
	problem(await edit(alice, m, " \n\t"), 400, "bad_field", "body.text");
	problem(await edit(alice, m, "é".repeat(51)), 400, "bad_field", "body.text");
	problem(await edit(alice, m, "a\u0007"), 400, "bad_field", "body.text");
	problem(await alice.patch(p, {}), 400, "bad_field", "body");
	problem(await alice.patch(p, { body: { text: "x", mentions: [ids.bob, ids.bob] } }), 400, "bad_field", "body.mentions");
	problem(await alice.patch(p, { body: { text: "x", files: [] } }), 400, "bad_field", "body.files");
	problem(await alice.patch(p, { body: { text: "x" }, client_id: m.client_id }), 400, "bad_field", "client_id");
	problem(await edit(alice, m, "x", { version: 0 }), 400, "bad_field", "version");
	problem(await edit(alice, { channel: id, seq: 99 }, "x"), 404, "not_found");
	problem(await edit(reader, m, "x"), 403, "insufficient_scope");
	problem(await edit(bob, m, "x"), 403, "forbidden");
	problem(await edit(carol, m, "x"), 403, "not_a_member");
	problem(await carol.get(`${p}/edits`), 403, "not_a_member");
	assert.deepEqual(await one(bob, m), m, "nothing of it has changed anything");
	assert.equal(ok(await edit(alice, m, "é".repeat(50))).version, 2);
});

test("who may not write there does not edit there; owners do not edit others' words", async () => {
	const id = (await makeChannel(alice, { kind: "private", members: [ids.bob] })).id;
	const m = await say(bob, id, "mine");
	problem(await edit(alice, m, "yours"), 403, "forbidden");
	ok(await alice.put(path(id, "members", ids.bob, "mute"), { until: "2099-01-01T00:00:00Z" }), 204);
	assert.equal(problem(await edit(bob, m, "x"), 403, "muted").until, "2099-01-01T00:00:00.000Z");
	assert.equal(ok(await edit(bob, m, "mine")).version, 1, "the same as it is, is harmless");
	ok(await alice.delete(path(id, "members", ids.bob, "mute")), 204);
	ok(await alice.patch(path(id), { archived: true }));
	problem(await edit(bob, m, "x"), 422, "unprocessable", "channel");
	ok(await alice.patch(path(id), { archived: false }));
	assert.equal(ok(await edit(bob, m, "x")).version, 2);
	ok(await alice.delete(path(id, "members", ids.bob)), 204);
	problem(await edit(bob, m, "y"), 404, "not_found");
	problem(await bob.get(path(id, "messages", m.seq, "edits")), 404, "not_found");
	problem(await carol.get(path(id, "messages", m.seq, "edits")), 404, "not_found");
});

test("the window: over it nothing is edited", async () => {
	const limits = ok(await alice.get("/api/v1/limits"));
	assert.equal(limits.edit_window, 3600);
	const id = (await makeChannel(alice)).id;
	const m = await say(alice, id, "old");
	await stack.psql(`UPDATE messages SET created_at = now() - interval '3599 seconds' WHERE channel_id = ${id}`);
	ok(await edit(alice, m, "older"));
	await stack.psql(`UPDATE messages SET created_at = now() - interval '3601 seconds' WHERE channel_id = ${id}`);
	problem(await edit(alice, m, "too old"), 403, "too_late");
	assert.equal(ok(await edit(alice, m, "older")).version, 2, "but a retry of what was done is answered");
});

test("a deleted message takes its history along, and is not edited", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob] })).id;
	const m = await say(alice, id, "secret one");
	ok(await edit(alice, m, "secret two"));
	ok(await alice.delete(path(id, "messages", m.seq)));
	problem(await edit(alice, m, "secret three"), 409, "conflict");
	assert.deepEqual(await edits(bob, m), []);
	assert.equal(await stack.psql(`SELECT count(*) FROM message_edits WHERE channel_id = ${id}`), "0");
	assert.equal(await stack.psql(`SELECT count(*) FROM messages WHERE channel_id = ${id} AND to_jsonb(messages)::text LIKE '%secret%'`), "0");
});

test("of many edits the newest hundred are kept", async () => {
	const id = (await makeChannel(alice)).id;
	const m = await say(alice, id, "0");
	for (let i = 1; i <= 103; i++) ok(await edit(alice, m, String(i)));
	const kept = await edits(alice, m);
	assert.equal(kept.length, 101, "with what it says now");
	assert.deepEqual([kept[0].body.text, kept.at(-1).body.text, kept.at(-1).version], ["3", "103", 104]);
});

test("mentions follow the text: who is named anew has one more, who is not named any more one less", async () => {
	const id = (await makeChannel(alice, { members: [ids.bob] })).id;
	const m = await say(alice, id, "hello");
	const naming = (...list) => alice.patch(path(id, "messages", m.seq), { body: { text: "hello", ...(list.length && { mentions: list }) } });
	assert.equal(await mentions(bob, id), 0);
	const at = await version(bob, id);
	assert.deepEqual(ok(await naming(ids.bob, ids.carol, ids.alice)).body.mentions, [ids.bob, ids.carol, ids.alice]);
	assert.equal(await mentions(bob, id), 1, "carol is not in, and who names himself is not told");
	assert.equal(await version(bob, id), at + 1, "another base");
	ok(await naming(ids.bob, ids.carol));
	assert.equal(await version(bob, id), at + 1, "nothing is new to him");
	ok(await naming(ids.carol));
	assert.equal(await mentions(bob, id), 0);
	assert.equal(await version(bob, id), at + 2);
	// who joins later is not told of what named him before; an edit that goes on naming him is nothing new
	ok(await carol.post(path(id, "join")));
	ok(await carol.put(path(id, "unread"), { seq: 1 }));
	assert.equal(await mentions(carol, id), 0);
	ok(await alice.patch(path(id, "messages", m.seq), { body: { text: "hello!", mentions: [ids.carol] } }));
	assert.equal(await mentions(carol, id), 0);
	// but one that names him anew is
	ok(await naming());
	ok(await naming(ids.carol));
	assert.equal(await mentions(carol, id), 1);
	// what has been read does not count, and tells nobody
	ok(await bob.put(path(id, "read"), { seq: 1 }));
	const read = await version(bob, id);
	ok(await naming(ids.bob));
	assert.equal(await mentions(bob, id), 0);
	assert.equal(await version(bob, id), read);
	ok(await bob.put(path(id, "unread"), { seq: 1 }));
	assert.equal(await mentions(bob, id), 1, "until it is marked as unread");
	ok(await alice.delete(path(id, "messages", m.seq)));
	assert.deepEqual([await mentions(bob, id), await mentions(carol, id)], [0, 0]);
	assert.equal(await stack.psql(`SELECT count(*) FROM mentions WHERE channel_id = ${id}`), "0");
});

test("an edit and a marker that moves at once: counted as if one came after the other", async () => {
	const id = (await makeChannel(alice, { kind: "private", members: [ids.bob] })).id;
	const m = await say(alice, id, "hello");
	await say(alice, id, "again");
	const marking = await holdOpen(stack, `SELECT read_marks('{${id}}', '{${ids.bob}}', '{1}', '{1}', '{0}', '{0}', 100, false)`);
	const waits = alice.patch(path(id, "messages", m.seq), { body: { text: "hello", mentions: [ids.bob] } });
	await until(() => backends(stack, "query LIKE '%message_edit(%' AND wait_event_type = 'Lock' AND wait_event <> 'advisory'"), { what: "it waits" });
	await marking.release();
	ok(await waits);
	assert.equal(await mentions(bob, id), 1);
	assert.equal(await version(bob, id), 2, "one for the mark, one for the mention");
});
