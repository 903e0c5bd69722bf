// channels: browsing, direct ones of several, archiving, what one wants of a channel and of the side bar on all devices, history by time.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { follow, openWs } from "../support/realtime.mjs";
import { makeChannel, me, ok, problem, send } from "./help.mjs";

let stack, alice, bob, carol, dave, guest, ids, old;
const api = "/api/v1";

before(async () => {
	stack = await startStack({ realtime: 1, api: 1 });
	[alice, bob, carol, dave] = await Promise.all(["alice", "bob", "carol", "dave"].map((h) => bot(stack, h)));
	guest = await bot(stack, "heidi");
	await stack.cli(["user", "role", "heidi", "guest"]);
	ids = Object.fromEntries(await Promise.all(Object.entries({ alice, bob, carol, dave }).map(async ([h, who]) => [h, (await me(who)).id])));
	old = await makeOld();
});
after(() => stack?.stop());

/** Made at first, looked at last: the server comes round to it meanwhile. */
async function makeOld() {
	const { id } = await makeChannel(alice, { name: "short memory", members: [ids.bob] });
	const cursor = (await bob.get(`${api}/channels`)).headers["pulsechat-cursor"];
	for (const text of ["forgettable words", "@bob too", "newer words"]) ok(await alice.post(`${api}/channels/${id}/messages`,
		{ client_id: randomUUID(), body: { text, ...(text[0] === "@" && { mentions: [ids.bob] }) } }), 201);
	await stack.psql(`UPDATE messages SET created_at = created_at - interval '8 days' WHERE channel_id = ${id} AND seq < 3`, { user: "postgres" });
	assert.equal((await get(bob, id)).membership.mentions, 1);
	problem(await bob.patch(`${api}/channels/${id}`, { keep_days: 7 }), 403, "forbidden");
	for (const keep_days of [0, 36501, "7"]) problem(await alice.patch(`${api}/channels/${id}`, { keep_days }), 400, "bad_field", "keep_days");
	assert.equal(ok(await alice.patch(`${api}/channels/${id}`, { keep_days: 7 })).keep_days, 7);
	return { id, cursor };
}

const direct = (who, ...others) => who.post(`${api}/channels`, { kind: "direct", members: others.map((h) => ids[h]) });
const get = async (who, id) => ok(await who.get(`${api}/channels/${id}`));

/** All that may be joined, page by page. */
async function browse(who, q = "", limit = 2) {
	const found = [];
	for (let after = 0; after !== null; ) {
		const page = ok(await who.get(`${api}/channels?${new URLSearchParams({ scope: "public", q, after, limit })}`));
		found.push(...page.channels);
		after = page.next;
	}
	return found;
}

test("public channels are browsed by name, and searched by name and topic", async () => {
	const names = ["Zebra crossing", "apples", "Äpfel", "bananas", "cherries"];
	for (const name of names) await makeChannel(alice, { name: `fruit ${name}`, topic: name === "cherries" ? "red APPLES, they say" : undefined });
	await makeChannel(alice, { name: "fruit private", kind: "private" });
	const all = (await browse(bob, "FRUIT")).map((c) => c.name.slice(6));
	assert.deepEqual(all.toSorted(), names.toSorted());
	assert.deepEqual(all.slice(0, 4), ["apples", "bananas", "cherries", "Zebra crossing"], "by name, whatever the case of its letters");
	assert.deepEqual((await browse(bob, "apple", 1)).map((c) => c.name.slice(6)), ["apples", "cherries"]);
	assert.deepEqual((await browse(bob, "50%_"))?.length, 0);
	const [apples] = await browse(bob, "fruit apples");
	assert.deepEqual([apples.members, apples.membership, apples.prefs], [1, null, null]);
	ok(await bob.post(`${api}/channels/${apples.id}/join`));
	assert.deepEqual((await browse(bob, "fruit apples")).length, 0);
	assert.equal((await browse(carol, "fruit apples"))[0].members, 2);
	problem(await bob.get(`${api}/channels?q=x`), 400, "bad_field", "q");
	problem(await bob.get(`${api}/channels?scope=public&q=${"x".repeat(251)}`), 400, "bad_field", "q");
});

test("an archived channel is read, not written, told to all who see it, and comes back", async () => {
	const { id } = await makeChannel(alice, { name: "attic", members: [ids.bob] });
	ok(await send(alice, id, "old news"), 201);
	const ws = await openWs(bob);
	assert.equal(ok(await alice.patch(`${api}/channels/${id}`, { archived: true })).archived, true);
	const told = await ws.next((l) => l.type === "channel.updated" && l.channel.id === id);
	const { membership: _m, peer: _p, prefs: _q, ...core } = await get(bob, id);
	assert.deepEqual(told.channel, core, "the event says what a fresh load says");
	problem(await send(bob, id, "too late"), 422, "unprocessable", "channel");
	assert.match((await send(bob, id, "too late")).json.detail, /archived/);
	assert.equal(ok(await bob.get(`${api}/channels/${id}/messages`)).messages[0].body.text, "old news");
	problem(await carol.post(`${api}/channels/${id}/join`), 422, "unprocessable");
	assert.ok(!(await browse(carol, "attic")).length);
	problem(await bob.patch(`${api}/channels/${id}`, { archived: false }), 403, "forbidden");
	assert.equal(ok(await alice.patch(`${api}/channels/${id}`, { archived: false })).archived, false);
	await ws.next((l) => l.type === "channel.updated" && l.channel.id === id && !l.channel.archived);
	ok(await send(bob, id, "back again"), 201);
	assert.equal((await browse(carol, "attic")).length, 1);
	await ws.close();
});

test("a direct channel of several: one for each set of people, without roles, from two to nine", async () => {
	const ws = await openWs(carol);
	const made = ok(await direct(alice, "bob", "carol"), 201);
	const people = [ids.alice, ids.bob, ids.carol].toSorted((a, b) => a - b);
	assert.deepEqual([made.kind, made.name, made.peer, made.people, made.members], ["direct", null, null, people, 3]);
	assert.equal(made.membership.role, "member");
	assert.equal(ok(await direct(carol, "alice", "bob", "alice", "carol")).id, made.id);
	assert.notEqual(ok(await direct(alice, "bob", "carol", "dave"), 201).id, made.id);
	assert.equal(ok(await direct(alice, "bob", "alice"), 201).people, null, "of two there is the other");
	await ws.next((l) => l.type === "member.joined" && l.channel === made.id && l.user === ids.carol);
	const m = ok(await send(bob, made.id, "hello you two"), 201);
	assert.equal((await ws.next((l) => l.type === "message")).seq, m.seq);
	const { unread } = (await get(carol, made.id)).membership;
	assert.equal(unread, 1);
	problem(await dave.get(`${api}/channels/${made.id}`), 404, "not_found");
	problem(await bob.post(`${api}/channels/${made.id}/leave`), 422, "unprocessable");
	problem(await bob.post(`${api}/channels/${made.id}/members`, { user: ids.dave }), 422, "unprocessable");
	problem(await bob.delete(`${api}/channels/${made.id}/messages/${m.seq + 1}`), 404, "not_found");
	problem(await alice.delete(`${api}/channels/${made.id}/messages/${m.seq}`), 403, "forbidden");
	problem(await alice.post(`${api}/channels`, { kind: "direct", members: [] }), 400, "bad_field", "members");
	const nine = Array.from({ length: 9 }, (_, i) => i + 1);
	problem(await alice.post(`${api}/channels`, { kind: "direct", members: nine }), 400, "bad_field", "members");
	problem(await alice.post(`${api}/channels`, { kind: "direct", members: [ids.bob, 999999] }), 400, "bad_field", "members");
	// at once from several sides it is one
	const sides = [direct(alice, "dave", "carol"), direct(carol, "dave", "alice"), direct(dave, "alice", "carol"), direct(alice, "carol", "dave")];
	assert.equal(new Set((await Promise.all(sides)).map((r) => r.json.id)).size, 1);
	await ws.close();
});

test("what one wants of a channel is told to all own devices, live and afterwards, and is what a fresh load says", async () => {
	const { id } = await makeChannel(alice, { members: [ids.bob] });
	const prefs = (who, patch) => who.patch(`${api}/channels/${id}/prefs`, patch);
	const mine = async () => (await get(bob, id)).prefs;
	assert.deepEqual(await mine(), { notify: null, quiet_until: null, favourite: false, section: null, version: 0 });
	const [ws, other] = [await openWs(bob), await openWs(alice)];
	const from = ws.cursor;
	const set = ok(await prefs(bob, { notify: "all", quiet_until: "2099-01-01T00:00:00.000Z", favourite: true }));
	assert.deepEqual(set, { notify: "all", quiet_until: "2099-01-01T00:00:00.000Z", favourite: true, section: null, version: 1 });
	const line = await ws.next("prefs.updated");
	assert.deepEqual([line.channel, line.prefs], [id, set]);
	assert.deepEqual(await mine(), set);
	assert.equal(ok(await prefs(bob, { notify: "all" })).version, 1, "what is so already is no change");
	assert.equal(ok(await prefs(bob, { quiet_until: "2001-01-01T00:00:00Z" })).quiet_until, null);
	assert.equal(ok(await prefs(bob, { notify: null, quiet_until: "forever" })).quiet_until, "forever");
	assert.deepEqual((await get(alice, id)).prefs.version, 0, "his alone");
	// a device that was away hears of what is so now
	const late = follow(bob, { cursor: from });
	assert.deepEqual((await late.next((l) => l.type === "prefs.updated" && l.prefs.version === 3)).prefs, await mine());
	await late.stop();
	for (const [patch, field] of [[{ notify: "some" }, "notify"], [{ quiet_until: "soon" }, "quiet_until"], [{ quiet_until: 5 }, "quiet_until"],
		[{ favourite: "yes" }, "favourite"], [{ favourite: null }, "favourite"], [{ section: "x" }, "section"], [{ colour: "red" }, "colour"]])
		problem(await prefs(bob, patch), 400, "bad_field", field);
	problem(await prefs(bob, { section: randomUUID() }), 422, "unprocessable", "section");
	problem(await prefs(carol, { notify: "all" }), 403, "not_a_member");
	ok(await send(bob, id, "a mark"), 201);
	await other.next("message");
	assert.ok(!other.lines.some((l) => l.type === "prefs.updated"), "nobody else is told");
	await Promise.all([ws.close(), other.close()]);
});

test("the side bar is arranged as a whole, on all own devices", async () => {
	const put = (who, sections, version) => who.put(`${api}/me/sidebar`, { sections, ...(version !== undefined && { version }) });
	const own = { kind: "own", id: randomUUID(), name: "Projects", collapsed: false };
	const [favourites, channels, directs] = ["favourites", "channels", "direct"].map((kind) => ({ kind, collapsed: false }));
	assert.deepEqual(ok(await carol.get(`${api}/me/sidebar`)), { sections: [favourites, channels, directs], version: 0 });
	const ws = await openWs(carol);
	const wish = [directs, own, { ...favourites, collapsed: true }, channels];
	assert.deepEqual(ok(await put(carol, wish, 0)), { sections: wish, version: 1 });
	assert.deepEqual((await ws.next("sidebar.updated")).sidebar, { sections: wish, version: 1 });
	assert.deepEqual(ok(await carol.get(`${api}/me/sidebar`)), { sections: wish, version: 1 });
	problem(await put(carol, [favourites, channels, directs], 0), 409, "conflict", "version");
	const { id } = await makeChannel(carol);
	assert.equal(ok(await carol.patch(`${api}/channels/${id}/prefs`, { section: own.id })).section, own.id);
	ok(await put(carol, [favourites, channels, directs]));
	assert.equal((await get(carol, id)).prefs.section, own.id, "a section that is gone counts as none");
	const bad = [
		[],
		[favourites, channels],
		[favourites, favourites, channels, directs],
		[...wish, own],
		[...wish, { ...own, id: "1" }],
		[...wish, { ...own, name: "" }],
		[...wish, { ...own, id: randomUUID(), name: "x".repeat(41) }],
		[...wish, { kind: "archive", collapsed: false }],
		[{ ...favourites, name: "x" }, channels, directs],
		[...wish, 7],
		Array.from({ length: 51 }, () => favourites),
		"all",
		[{ kind: "favourites" }, channels, directs],
	];
	for (const sections of bad) problem(await put(carol, sections), 400, "bad_field");
	await ws.close();
});

test("history by time: around the first message that is not older", async () => {
	const { id } = await makeChannel(alice);
	for (let i = 1; i <= 9; i++) ok(await send(alice, id, `m${i}`), 201);
	const at = (query) => alice.get(`${api}/channels/${id}/messages?${new URLSearchParams({ limit: 3, ...query })}`);
	const { messages } = ok(await at({ limit: 9 }));
	const seqs = async (around_time) => ok(await at({ around_time })).messages.map((m) => m.seq);
	const first = messages.findIndex((m) => m.created_at === messages[4].created_at) + 1;
	assert.deepEqual(await seqs(messages[4].created_at), [first - 1, first, first + 1].filter((n) => n > 0));
	assert.deepEqual(await seqs("2001-01-01T00:00:00Z"), [1, 2]);
	assert.deepEqual(await seqs("2099-01-01T00:00:00+01:00"), [8, 9]);
	problem(await at({ around_time: "yesterday" }), 400, "bad_field", "around_time");
	problem(await at({ around_time: "2001-01-01T00:00:00Z", after: 1 }), 400, "bad_field", "around_time");
	problem(await bob.get(`${api}/channels/${id}/messages?around_time=2001-01-01T00:00:00Z`), 403, "not_a_member");
	const { id: empty } = await makeChannel(alice);
	assert.deepEqual(ok(await alice.get(`${api}/channels/${empty}/messages?around_time=2001-01-01T00:00:00Z`)).messages, []);
});

test("by a link people come into a channel, guests too: for so many, for so long, until it is withdrawn", async () => {
	const { id } = await makeChannel(alice, { name: "behind a link", kind: "private", members: [ids.bob] });
	const there = `${api}/channels/${id}/invites`;
	const link = ok(await alice.post(there, { max_uses: 2, expires_in: 3600 }), 201);
	assert.equal(link.url, `${stack.url}/c/join#${link.code}`);
	assert.deepEqual([link.channel, link.uses, link.max_uses, link.created_by, link.state], [id, 0, 2, ids.alice, "open"]);
	const look = (who, code) => who.post(`${api}/channel-invites/look`, { code });
	const join = (who, code) => who.post(`${api}/channel-invites/join`, { code });
	const seen = ok(await look(carol, link.code));
	assert.deepEqual([seen.state, seen.channel.id, seen.channel.name, seen.channel.membership], ["open", id, "behind a link", undefined]);
	assert.equal(ok(await join(guest, link.code)).membership.role, "member");
	assert.equal(ok(await join(guest, link.code)).id, id, "again is harmless");
	assert.equal(ok(await join(bob, link.code)).id, id, "and who is in uses nothing up");
	ok(await join(carol, link.code));
	assert.deepEqual(ok(await look(dave, link.code)), { state: "used_up", channel: null });
	problem(await join(dave, link.code), 403, "forbidden", "code");
	problem(await join(dave, "nonsense"), 403, "forbidden", "code");
	assert.deepEqual(ok(await look(dave, "nonsense")), { state: "unknown", channel: null });
	assert.deepEqual(ok(await look(dave, "A".repeat(22))), { state: "unknown", channel: null });
	const second = ok(await alice.post(there, {}), 201);
	const list = ok(await alice.get(`${there}?limit=1`));
	const { code: _c, url: _u, ...kept } = second;
	assert.deepEqual(list, { invites: [kept], next: second.id });
	assert.deepEqual(ok(await alice.get(`${there}?before=${list.next}`)).invites.map((i) => [i.id, i.uses, i.state]), [[link.id, 2, "used_up"]]);
	for (const [who, status, code] of [[bob, 403, "forbidden"], [dave, 404, "not_found"]]) {
		problem(await who.get(there), status, code);
		problem(await who.post(there, {}), status, code);
		problem(await who.delete(`${there}/${second.id}`), status, code);
	}
	problem(await alice.post(there, { max_uses: 0 }), 400, "bad_field", "max_uses");
	problem(await alice.post(there, { expires_in: 400 * 86400 + 1 }), 400, "bad_field", "expires_in");
	assert.equal((await alice.delete(`${there}/${second.id}`)).status, 204);
	assert.equal((await alice.delete(`${there}/${second.id}`)).status, 204);
	problem(await alice.delete(`${there}/999999`), 404, "not_found");
	assert.equal(ok(await look(dave, second.code)).state, "revoked");
	const third = ok(await alice.post(there, {}), 201);
	assert.equal((await alice.put(`${api}/channels/${id}/bans/${ids.dave}`, {})).status, 204);
	problem(await join(dave, third.code), 403, "banned");
	ok(await alice.patch(`${api}/channels/${id}`, { archived: true }));
	await alice.delete(`${api}/channels/${id}/bans/${ids.dave}`);
	problem(await join(dave, third.code), 422, "unprocessable");
	const open = await makeChannel(alice);
	const pair = ok(await direct(alice, "dave"), 201).id;
	for (const [who, channel, status, code] of [[bob, open.id, 403, "not_a_member"], [alice, pair, 422, "unprocessable"]]) {
		const path = `${api}/channels/${channel}/invites`;
		problem(await who.get(path), status, code);
		problem(await who.post(path, {}), status, code);
		problem(await who.delete(`${path}/1`), status, code);
	}
});

test("what is older than its channel keeps is deleted, for all, in history, search and counts, and is told", async () => {
	const polls = follow(bob, { cursor: old.cursor });
	const gone = [await polls.next("message.deleted"), await polls.next("message.deleted")];
	await polls.stop();
	const { messages } = ok(await bob.get(`${api}/channels/${old.id}/messages`));
	assert.deepEqual(messages.map((m) => m.deleted ?? m.body.text), [true, true, "newer words"]);
	for (const [i, { type: _t, cursor: _c, ...line }] of gone.entries()) assert.deepEqual(line, messages[i], "the event says what a fresh load says");
	assert.equal(messages[0].deleted_by, undefined);
	assert.deepEqual(((m) => [m.unread, m.mentions])((await get(bob, old.id)).membership), [1, 0]);
	const rows = await stack.psql(`SELECT count(*) FROM messages WHERE channel_id = ${old.id} AND body::text LIKE '%forgettable%'`, { user: "postgres" });
	assert.equal(Number(rows), 0);
	await until(async () => ok(await bob.get(`${api}/search?q=words`)).results.length === 1, { ms: 20000, what: "the index to follow" });
	assert.deepEqual(ok(await bob.get(`${api}/search?q=forgettable`)).results, []);
	assert.equal(ok(await alice.patch(`${api}/channels/${old.id}`, { keep_days: null })).keep_days, null);
});
