// history: a private channel whose history is for those who were there: who came later, asked by every operation that reads or
// acts upon a message, and told by every transport, live and by an old cursor, on two processes.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { openWs } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { Model } from "../support/model.mjs";
import { channel, followers, head, people, post, until } from "./help.mjs";
import { ok, problem } from "../api/help.mjs";
import { sendFiles, uploaded } from "../files/uploads.mjs";

const followed = followers();
let stack, alice, bob, carol, dave, filer;

before(async () => {
	stack = await startStack({ realtime: 2, conf: { "realtime.ring_events": 64 } });
	[alice, bob, carol, dave] = await people(stack, "alice", "bob", "carol", "dave");
	filer = await bot(stack, "alice", ["read", "write", "files"]);
});
after(async () => {
	followed.stop();
	await stack?.stop();
});

const room = (id, ...rest) => ["/api/v1/channels", id, ...rest].join("/");
const at = (id, ...rest) => room(id, "messages", ...rest);
const enc = encodeURIComponent;
const reply = async (who, id, thread, text, more) =>
	ok(await who.post(at(id), { client_id: randomUUID(), thread, body: { text }, ...more }), 201);
const enter = async (id, who) => ok(await alice.post(room(id, "members"), { user: who.id }), 201);
const joined = async (id, who = alice) => ok(await who.patch(room(id), { history: "joined" }));
const seqs = (page) => page.messages.map((m) => m.seq);

/** A room of alice and bob with an old message (1) that has everything, an old thread (2, 3); then `who` comes, and sees from 4 on. */
async function old(who) {
	const id = await channel(alice, [bob]);
	const { file } = await uploaded(filer, id, Buffer.from("zebra of old"), { name: "zebra.txt", type: "text/plain" });
	ok(await sendFiles(filer, id, [file], "zebra of old https://example.org"), 201);
	await post(alice, id, "old root");
	await reply(bob, id, 2, "zebra of old aside");
	ok(await alice.patch(at(id, 1), { body: { text: "zebra of old, edited" } }));
	ok(await bob.put(at(id, 1, "reactions", enc("👍"))));
	ok(await alice.put(at(id, 1, "pin")));
	assert.equal((await joined(id)).history, "joined");
	const member = await enter(id, who);
	assert.equal(member.first_seq, 4);
	return { id, file };
}

test("every operation that reads or acts upon a message, as one who came later with an old seq", async () => {
	const { id, file } = await old(carol);
	const from = new Date().toISOString();
	const c = ok(await carol.get(room(id)));
	assert.deepEqual([c.history, c.last_seq, c.membership.first_seq, c.membership.last_read_seq, c.membership.unread], ["joined", 3, 4, 3, 0]);
	const empty = ok(await carol.get(at(id)));
	assert.deepEqual(empty, { messages: [], has_before: false, has_after: false, upto: 3 }, "nothing has been said since");

	await post(alice, id, "zebra of now"); // 4
	await post(bob, id, "now too"); // 5
	ok(await alice.put(at(id, 4, "pin")));
	const hidden = {
		"a message": () => carol.get(at(id, 1)),
		"its former texts": () => carol.get(at(id, 1, "edits")),
		"its reactions": () => carol.get(at(id, 1, "reactions")),
		"who reacted": () => carol.get(at(id, 1, "reactions", enc("👍"))),
		"who has read it": () => carol.get(at(id, 1, "readers")),
		"a file": () => carol.get(`/api/v1/files/${file.id}`),
		"a thread": () => carol.get(at(id, 2, "thread")),
		"a thread of none": () => carol.get(at(id, 1, "thread")),
		"a reply": () => carol.get(at(id, 3)),
		"a reply's thread": () => carol.get(at(id, 3, "thread")),
		"an edit": () => carol.patch(at(id, 1), { body: { text: "x" } }),
		"a deletion": () => carol.delete(at(id, 1)),
		"a reaction": () => carol.put(at(id, 1, "reactions", enc("🎉"))),
		"a reaction less": () => carol.delete(at(id, 1, "reactions", enc("👍"))),
		"a preview": () => carol.delete(at(id, 1, "preview")),
		"a pin": () => carol.put(at(id, 1, "pin")),
		"a pin less": () => carol.delete(at(id, 1, "pin")),
		"saving it": () => carol.put(at(id, 1, "saved")),
		"saving it no more": () => carol.delete(at(id, 1, "saved")),
		"a report": () => carol.post(at(id, 1, "reports"), { reason: "spam" }),
		"following a thread": () => carol.put(at(id, 2, "thread/follow")),
		"reading a thread": () => carol.put(at(id, 2, "thread/read"), { seq: 3 }),
	};
	for (const [what, ask] of Object.entries(hidden)) {
		const answer = await ask();
		problem(answer, 404, "not_found");
		assert.ok(!answer.text.includes("zebra"), what);
	}
	assert.equal((await bob.get(`/api/v1/files/${file.id}`)).status, 302);
	problem(await carol.put(room(id, "draft?thread=2"), { text: "x", version: 0 }), 422, "unprocessable", "thread");
	problem(await carol.post(at(id), { client_id: randomUUID(), thread: 2, body: { text: "x" } }), 422, "unprocessable", "thread");

	const pages = {
		"": [[4, 5], false, false],
		"?before=4": [[], false, true],
		"?before=5": [[4], false, true],
		"?after=0": [[4, 5], false, false],
		"?after=0&limit=1": [[4], false, true],
		"?around=1": [[4, 5], false, false],
		"?around=4&limit=1": [[4], false, true],
		"?around_time=2020-01-01T00:00:00Z": [[4, 5], false, false],
		[`?around_time=${from}`]: [[4, 5], false, false],
	};
	for (const [query, expected] of Object.entries(pages)) {
		const answer = await carol.get(at(id) + query);
		const page = ok(answer);
		assert.deepEqual([seqs(page), page.has_before, page.has_after], expected, query);
		assert.doesNotMatch(answer.headers.link ?? "", /rel="prev"/, query);
	}

	const pins = ok(await carol.get(room(id, "pins")));
	assert.deepEqual([pins.pins.map((p) => p.seq), seqs(pins)], [[1, 4], [4]], "that it is pinned, not what it says");
	assert.deepEqual(seqs(ok(await bob.get(room(id, "pins")))), [1, 4]);
	assert.deepEqual(ok(await carol.get(room(id, "files"))), { files: [], next: null });
	assert.deepEqual(ok(await bob.get(room(id, "files"))).files.map((f) => [f.seq, f.file]), [[1, file]]);
	for (const q of ["zebra", "from:alice zebra", '"zebra of"', "has:link", "has:file", "is:thread", "before:2099-01-01"]) {
		for (const sort of ["rank", "date"]) {
			const answer = await carol.get(`/api/v1/search?q=${enc(q)}&sort=${sort}`);
			assert.ok(ok(answer).results.every((f) => f.channel !== id || f.seq >= 4), `${q}: ${answer.text}`);
		}
	}
	// by the log's end and, once it is there, by the index
	const found = async (who) => ok(await who.get("/api/v1/search?q=zebra&sort=date")).results.filter((f) => f.channel === id).map((f) => f.seq);
	assert.deepEqual([await found(carol), await found(bob)], [[4], [4, 3, 1]]);
	await until(async () => Number(await stack.psql(`SELECT count(*) FROM message_index WHERE channel_id = ${id}`)) === 5, { what: "the index" });
	assert.deepEqual([await found(carol), await found(bob)], [[4], [4, 3, 1]]);

	// whom it has not reached has not read it
	for (const who of [bob, carol]) ok(await who.put(room(id, "read"), { seq: 5 }));
	assert.deepEqual(ok(await alice.get(at(id, 1, "readers"))).users, [bob.id]);
	assert.deepEqual(ok(await alice.get(at(id, 4, "readers"))).users.includes(carol.id), true);
	const state = ok(await carol.put(room(id, "unread"), { seq: 1 }));
	assert.deepEqual([state.unread_from, state.unread, state.mentions], [4, 2, 0]);
	const all = ok(await carol.get("/api/v1/me/unread?verify=1"));
	assert.deepEqual([all.drift, all.channels.find((x) => x.channel === id).unread], [[], 2]);

	// the thread of old, once something is said there
	const later = await reply(bob, id, 2, "aside of now");
	const thread = ok(await carol.get(at(id, 2, "thread")));
	assert.deepEqual([seqs(thread), thread.has_before, thread.root.seq, thread.root.hidden, thread.root.replies.count], [[later.seq], false, 2, true, 2]);
	assert.deepEqual(Object.keys(thread.root).sort(), ["channel", "hidden", "replies", "seq"]);
	const own = await reply(carol, id, 2, "mine");
	const list = ok(await carol.get("/api/v1/me/threads")).threads.find((t) => t.state.channel === id);
	assert.deepEqual([list.root.hidden, list.root.replies.last_seq, list.state.seq], [true, own.seq, own.seq]);
	assert.equal(ok(await bob.get(at(id, 2, "thread"))).root.body.text, "old root");

	// a report of an older message is not for a moderator who may not see it
	ok(await bob.post(at(id, 2, "reports"), { reason: "abuse" }), 201);
	ok(await alice.patch(room(id, "members", carol.id), { role: "moderator" }));
	assert.deepEqual(ok(await carol.get(room(id, "reports"))).reports, []);
	for (const ask of [() => carol.delete(at(id, 1)), () => carol.put(at(id, 1, "pin"))]) problem(await ask(), 404, "not_found");
	ok(await carol.put(at(id, 5, "pin")));
});

test("who says what newcomers see, and whom it concerns", async () => {
	const id = await channel(alice, [bob]);
	problem(await bob.patch(room(id), { history: "joined" }), 403, "forbidden");
	problem(await carol.patch(room(id), { history: "joined" }), 404, "not_found");
	for (const history of ["none", "", 1]) problem(await alice.patch(room(id), { history }), 400, "bad_field", "history");
	problem(await alice.patch(room(await channel(alice, [], "public")), { history: "joined" }), 422, "unprocessable", "history");
	ok(await alice.patch(room(id, "members", bob.id), { role: "moderator" }));
	await post(alice, id, "one");
	await joined(id, bob);
	// who comes now: from 2 on. What the channel says later does not change that, nor does it take from those who saw all
	await enter(id, carol);
	ok(await alice.patch(room(id), { history: "all" }));
	await enter(id, dave);
	await post(alice, id, "two");
	const sees = async (who) => seqs(ok(await who.get(at(id))));
	assert.deepEqual([await sees(bob), await sees(carol), await sees(dave)], [[1, 2], [2], [1, 2]]);
	// out and in again: from there on, also what one has written or saved oneself
	ok(await dave.put(at(id, 2, "saved")));
	const mine = await post(dave, id, "mine");
	await joined(id);
	ok(await alice.delete(room(id, "members", dave.id)), 204);
	await enter(id, dave);
	assert.deepEqual(await sees(dave), []);
	problem(await dave.get(at(id, mine.seq)), 404, "not_found");
	problem(await dave.patch(at(id, mine.seq), { body: { text: "x" } }), 404, "not_found");
	const saved = ok(await dave.get("/api/v1/me/saved"));
	assert.deepEqual([saved.saved, ok(await dave.get("/api/v1/me/saved/messages")).messages], [[], []]);
	assert.deepEqual(ok(await alice.get(room(id, "members"))).members.map((m) => [m.user, m.first_seq]).sort((a, b) => a[0] - b[0]),
		[[alice.id, 1], [bob.id, 1], [carol.id, 2], [dave.id, 4]]);
	// by a link too
	const { code } = ok(await alice.post(room(id, "invites"), {}), 201);
	ok(await dave.post(room(id, "leave")), 204);
	assert.equal(ok(await dave.post("/api/v1/channel-invites/join", { code })).membership.first_seq, 4);
});

test("live and by an old cursor, on each transport and process: nothing about what is older, and all that is as a fresh load", async () => {
	const from = await head(carol); // before the room, and all that is said in it
	const before = await new Model(carol.id).load(carol);
	const live = [];
	const open = async (cursor) => {
		const feeds = [];
		for (const via of ["realtime1", "realtime2"]) {
			feeds.push(await openWs(carol, { via, cursor }), await openSse(carol, { via, cursor }));
			feeds.push(followed.follow(carol, { via, cursor: cursor ?? feeds[0].hello.cursor }));
		}
		return feeds;
	};
	const id = await channel(alice, [bob]);
	for (const text of ["secret 1", "secret 2", "secret 3"]) await post(alice, id, text);
	await reply(bob, id, 3, "secret aside"); // 4
	await joined(id);
	live.push(...(await open()));
	await enter(id, carol); // from 5 on
	await post(bob, id, "five");
	// each thing that is told of an older message
	ok(await alice.patch(at(id, 1), { body: { text: "secret 1, edited", mentions: [carol.id] } }));
	ok(await bob.put(at(id, 1, "reactions", enc("👍"))));
	ok(await bob.delete(at(id, 1, "reactions", enc("👍"))));
	ok(await alice.put(at(id, 1, "pin")));
	ok(await alice.delete(at(id, 2)));
	ok(await bob.delete(at(id, 4)));
	// and of newer ones
	ok(await bob.patch(at(id, 5), { body: { text: "five, edited" } }));
	ok(await alice.put(at(id, 5, "reactions", enc("👍"))));
	await reply(alice, id, 3, "a reply of now", { in_channel: true }); // 6
	ok(await bob.delete(at(id, 5)));
	const last = await post(alice, id, "the last"); // 7
	const of = (feed) => feed.lines.filter((l) => (l.channel?.id ?? l.channel) === id);
	const check = (feed, what) => {
		assert.ok(!JSON.stringify(feed.lines).includes("secret"), `${what}: ${JSON.stringify(of(feed))}`);
		const about = of(feed).filter((l) => ["message", "message.updated", "message.deleted", "reactions.updated"].includes(l.type));
		assert.ok(about.every((l) => l.seq >= 5), `${what}: ${JSON.stringify(about)}`);
	};
	const ended = (feed) => feed.some((l) => l.type === "message" && l.channel === id && l.seq === last.seq);
	// of the root of a reply that was deleted: numbers alone
	const types = ["thread.updated", "message.updated", "reactions.updated", "message", "thread.updated", "message.deleted", "message"];
	for (const [i, feed] of live.entries()) {
		await ended(feed);
		check(feed, `live ${i}`);
		assert.deepEqual(of(feed).map((l) => l.type).filter((t) => t !== "thread.state").slice(-types.length), types, `live ${i}`);
	}
	// what a client has by events is what it loads
	const told = live[0].lines.filter((l) => l.type !== "hello");
	for (const line of told) before.take(line);
	await before.settle(carol);
	assert.deepEqual(before.state(), (await new Model(carol.id).load(carol)).state());
	assert.deepEqual(before.state().rooms.find((r) => r.id === id).messages.map((m) => m.seq), [5, 6, 7]);
	// by an old cursor: from the ring, and from the log once the ring has gone on
	for (const round of ["ring", "log"]) {
		const feeds = await open(from);
		for (const [i, feed] of feeds.entries()) {
			await ended(feed);
			check(feed, `${round} ${i}`);
		}
		await Promise.all(feeds.map((f) => (f.stop ? f.stop() : f.close())));
		if (round === "ring") for (let i = 0; i < 70; i++) await post(dave, await dm(), `push ${i}`);
	}
	await Promise.all(live.map((f) => (f.stop ? f.stop() : f.close())));
});

let own;
const dm = async () => (own ??= (await dave.post("/api/v1/channels", { kind: "direct", members: [dave.id] })).json.id);
