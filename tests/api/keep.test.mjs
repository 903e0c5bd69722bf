// keep: drafts, pinned and saved messages by REST: who may, versions, what is refused.

import { after, before, test } from "node:test";
import { randomUUID } from "node:crypto";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { makeChannel, me, message, ok, problem, send } from "./help.mjs";

let stack, alice, bob, carol, reader, ids;

before(async () => {
	stack = await startStack({ realtime: 0, api: 1, conf: { "limits.message_chars": "50" } });
	[alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((h) => bot(stack, h)));
	reader = await bot(stack, "alice", ["read"]);
	ids = { alice: (await me(alice)).id, bob: (await me(bob)).id, carol: (await me(carol)).id };
});
after(() => stack?.stop());

const path = (id, ...rest) => ["/api/v1/channels", id, ...rest].join("/");
const draft = (id) => path(id, "draft");
const room = async (kind = "private") => (await makeChannel(alice, { kind, members: [ids.bob] })).id;
const nowhere = 999999;

test("a draft: kept by version, the last writer wins, never back behind its message", async () => {
	const id = await room();
	assert.deepEqual(ok(await alice.get(draft(id))), { channel: id, thread: null, text: "", files: [], reply_to: null, version: 0, edited_at: null });
	const first = ok(await alice.put(draft(id), { text: "hel", version: 0 }));
	assert.deepEqual({ ...first, edited_at: null }, { channel: id, thread: null, text: "hel", files: [], reply_to: null, version: 1, edited_at: null });
	assert.deepEqual(ok(await alice.put(draft(id), { text: "hel", version: 0 })), first, "a retry whose answer was lost");
	problem(await alice.put(draft(id), { text: "other device", version: 0 }), 409, "conflict", "version");
	assert.equal(ok(await alice.put(draft(id), { text: "other device", files: [], version: 1 })).version, 2);
	problem(await alice.delete(`${draft(id)}?version=1`), 409, "conflict", "version");
	const none = ok(await alice.delete(`${draft(id)}?version=2`));
	assert.deepEqual([none.text, none.version], ["", 3]);
	assert.deepEqual(ok(await alice.delete(`${draft(id)}?version=2`)), none, "its retry");
	assert.deepEqual(ok(await alice.delete(draft(id))), none);
	problem(await alice.put(draft(id), { text: "late", version: 2 }), 409, "conflict", "version");
	// one of each person and channel; those that say nothing are told too
	const other = await room();
	ok(await alice.put(draft(other), { text: "x", version: 0 }));
	ok(await bob.put(draft(id), { text: "bob's", version: 0 }));
	const answer = await alice.get("/api/v1/me/drafts");
	assert.match(answer.headers["pulsechat-cursor"], /^\w+\.\d+$/);
	assert.deepEqual(ok(answer).drafts.map((d) => [d.channel, d.text, d.version]), [[id, "", 3], [other, "x", 1]]);
	const page = ok(await alice.get("/api/v1/me/drafts?limit=1"));
	assert.deepEqual([page.drafts.length, page.next, page.next_thread], [1, id, 0]);
	assert.deepEqual(ok(await alice.get(`/api/v1/me/drafts?limit=1&after=${id}`)).next, null);
	assert.equal(ok(await alice.get(draft(id))).version, 3);
	// out, and back again
	ok(await bob.post(path(id, "leave")), 204);
	assert.deepEqual(ok(await bob.get("/api/v1/me/drafts")).drafts, []);
	problem(await bob.get(draft(id)), 404, "not_found");
	ok(await alice.post(path(id, "members"), { user: ids.bob }), 201);
	assert.equal(ok(await bob.get(draft(id))).text, "bob's");
});

test("a thread has a draft of its own; the pages of all go by channel and thread", async () => {
	const id = await room();
	const { seq } = ok(await bob.post(path(id, "messages"), message("a root")), 201);
	const of = (n) => `${draft(id)}?thread=${n}`;
	assert.deepEqual(ok(await alice.get(of(seq))), { channel: id, thread: seq, text: "", files: [], reply_to: null, version: 0, edited_at: null });
	const made = ok(await alice.put(of(seq), { text: "in it", version: 0 }));
	assert.deepEqual([made.thread, made.text], [seq, "in it"]);
	assert.deepEqual(ok(await alice.get(of(seq))), made);
	assert.equal(ok(await alice.get(draft(id))).version, 0, "the channel's is another one");
	ok(await alice.put(draft(id), { text: "beside it", version: 0 }));
	problem(await alice.put(of(seq), { text: "x", version: made.version + 1 }), 409, "conflict", "version");
	const reply = ok(await bob.post(path(id, "messages"), { ...message("a reply"), thread: seq }), 201);
	const none = { text: "x", version: 0 };
	for (const call of [alice.put(of(reply.seq), none), alice.put(of(99), none), alice.delete(of(99))])
		problem(await call, 422, "unprocessable", "thread");
	for (const call of [alice.get(of(0)), alice.put(of("x"), none), alice.delete(of(-1))]) problem(await call, 400, "bad_field", "thread");
	const all = ok(await alice.get(`/api/v1/me/drafts?after=${id - 1}`)).drafts;
	assert.deepEqual(all.map((d) => [d.thread, d.text]), [[null, "beside it"], [seq, "in it"]]);
	const page = ok(await alice.get(`/api/v1/me/drafts?after=${id - 1}&limit=1`));
	assert.deepEqual([page.drafts, page.next, page.next_thread], [[all[0]], id, 0]);
	const next = ok(await alice.get(`/api/v1/me/drafts?after=${page.next}&after_thread=${page.next_thread}&limit=1`));
	assert.deepEqual([next.drafts, next.next, next.next_thread], [[all[1]], null, null]);
	assert.deepEqual(ok(await alice.get(`/api/v1/me/drafts?after=${id}`)).drafts, [], "without a thread: behind the channel");
	assert.equal(ok(await alice.delete(`${of(seq)}&version=${made.version}`)).text, "");
});

test("what a draft takes, and whose it may be", async () => {
	const id = await room("public"), hidden = await room();
	const bad = async (body, field) => problem(await alice.put(draft(id), body), 400, "bad_field", field);
	const answering = ok(await alice.put(draft(id), { text: "", reply_to: 7, version: 0 }));
	assert.deepEqual([answering.text, answering.reply_to, answering.version], ["", 7, 1], "it may be nothing but what it answers");
	assert.equal(ok(await alice.delete(`${draft(id)}?version=1`)).reply_to, null);
	await bad({ text: "x", reply_to: 0, version: 2 }, "reply_to");
	await bad({ text: "x" }, "version");
	await bad({ version: 0 }, "text");
	await bad({ text: "x".repeat(51), version: 0 }, "text");
	await bad({ text: "\u0007", version: 0 }, "text");
	await bad({ text: "x", version: -1 }, "version");
	await bad({ text: "x", version: 0, thread: 1 }, "thread");
	await bad({ text: "x", version: 0, files: [0] }, "files");
	problem(await alice.put(draft(id), { text: "x", version: 0, files: [1] }), 422, "not_attachable", "files");
	problem(await alice.delete(`${draft(id)}?version=x`), 400, "bad_field", "version");
	for (const [where, status, code] of [[id, 403, "not_a_member"], [hidden, 404, "not_found"]]) {
		problem(await carol.get(draft(where)), status, code);
		problem(await carol.put(draft(where), { text: "x", version: 0 }), status, code);
		problem(await carol.delete(draft(where)), status, code);
	}
	problem(await reader.put(draft(id), { text: "x", version: 0 }), 403, "insufficient_scope");
	ok(await reader.get(draft(id)));
});

test("pins: who has a say in the channel, either in a direct one; gone with their message", async () => {
	const id = await room("public"), hidden = await room();
	const a = ok(await send(alice, id, "a"), 201), b = ok(await send(bob, id, "b"), 201);
	const pin = (m) => path(m.channel, "messages", m.seq, "pin");
	const one = ok(await alice.put(pin(b)));
	assert.deepEqual({ ...one, pins: one.pins.map((p) => [p.seq, p.by]) }, { channel: id, pins: [[2, ids.alice]], pins_version: 1 });
	assert.deepEqual(ok(await alice.put(pin(b))), one);
	problem(await bob.put(pin(a)), 403, "forbidden");
	problem(await bob.delete(pin(b)), 403, "forbidden");
	problem(await reader.put(pin(a)), 403, "insufficient_scope");
	ok(await alice.patch(path(id, "members", ids.bob), { role: "moderator" }));
	assert.deepEqual(ok(await bob.put(pin(a))).pins.map((p) => [p.seq, p.by]), [[2, ids.alice], [1, ids.bob]]);
	const list = await bob.get(path(id, "pins"));
	assert.match(list.headers["pulsechat-cursor"], /^\w+\.\d+$/);
	assert.deepEqual(ok(list).messages, [b, a]);
	assert.equal(list.json.pins_version, 2);
	for (const [where, status, code] of [[a, 403, "not_a_member"], [{ channel: hidden, seq: 1 }, 404, "not_found"]]) {
		problem(await carol.get(path(where.channel, "pins")), status, code);
		problem(await carol.put(pin(where)), status, code);
		problem(await carol.delete(pin(where)), status, code);
	}
	problem(await alice.put(pin({ channel: id, seq: 9 })), 404, "not_found");
	problem(await alice.delete(pin({ channel: nowhere, seq: 9 })), 404, "not_found");
	ok(await alice.delete(path(id, "messages", 2)));
	assert.deepEqual(ok(await bob.get(path(id, "pins"))).pins.map((p) => p.seq), [1]);
	problem(await alice.put(pin(b)), 409, "conflict");
	assert.deepEqual(ok(await alice.delete(pin(b))).pins_version, 3, "it is down already");
	ok(await alice.put(path(id, "members", ids.bob, "mute"), {}), 204);
	ok(await bob.delete(pin(a)));
	problem(await bob.put(pin(a)), 403, "muted");
	ok(await alice.patch(path(id), { archived: true }));
	problem(await alice.put(pin(a)), 422, "unprocessable");
	const direct = ok(await alice.post("/api/v1/channels", { kind: "direct", members: [ids.bob] }), 201).id;
	const m = ok(await send(alice, direct, "here"), 201);
	assert.equal(ok(await bob.put(pin(m))).pins[0].by, ids.bob);
	assert.deepEqual(ok(await alice.delete(pin(m))).pins, []);
	assert.deepEqual(ok(await bob.get(path(direct, "pins"))).messages, []);
});

test("saved: one's own list, of where one is; gone with their message", async () => {
	const id = await room("public"), other = await room(), hidden = await room();
	ok(await alice.delete(path(hidden, "members", ids.bob)), 204);
	const [a, b] = [ok(await send(alice, id, "a"), 201), ok(await send(alice, other, "b"), 201)];
	const save = (m) => path(m.channel, "messages", m.seq, "saved");
	const one = ok(await bob.put(save(a)));
	assert.deepEqual({ ...one, at: null }, { channel: id, seq: 1, saved: true, at: null, version: 1 });
	assert.deepEqual(ok(await bob.put(save(a))), one);
	assert.equal(ok(await bob.put(save(b))).version, 2);
	const list = await bob.get("/api/v1/me/saved");
	assert.match(list.headers["pulsechat-cursor"], /^\w+\.\d+$/);
	assert.deepEqual(ok(list).saved.map((s) => [s.channel, s.seq]), [[other, 1], [id, 1]]);
	assert.equal(list.json.version, 2);
	assert.deepEqual(ok(await alice.get("/api/v1/me/saved")), { saved: [], version: 0 }, "nobody else's");
	const page = ok(await bob.get("/api/v1/me/saved/messages?limit=1"));
	assert.deepEqual(page.messages, [b]);
	assert.deepEqual(ok(await bob.get(`/api/v1/me/saved/messages?limit=1&before=${page.next}`)), { messages: [a], next: null });
	for (const [where, who, status, code] of [[a, carol, 403, "not_a_member"], [{ channel: hidden, seq: 1 }, bob, 404, "not_found"]]) {
		problem(await who.put(save(where)), status, code);
		problem(await who.delete(save(where)), status, code);
	}
	problem(await reader.put(save(a)), 403, "insufficient_scope");
	problem(await bob.put(save({ channel: id, seq: 9 })), 404, "not_found");
	ok(await bob.post(path(other, "leave")), 204);
	assert.deepEqual(ok(await bob.get("/api/v1/me/saved")).saved.map((s) => s.channel), [id]);
	assert.deepEqual(ok(await bob.get("/api/v1/me/saved/messages")).messages, [a]);
	ok(await alice.delete(path(id, "messages", 1)));
	assert.deepEqual(ok(await bob.get("/api/v1/me/saved")).saved, []);
	problem(await bob.put(save(a)), 409, "conflict");
	assert.equal(ok(await bob.delete(save(a))).saved, false);
	// as many as may be
	const c = ok(await send(alice, id, "c"), 201);
	await stack.psql(`INSERT INTO saves SELECT ${ids.bob}, ${id}, n, n + 100, now() FROM generate_series(10, 1009) n`, { user: "postgres" });
	problem(await bob.put(save(c)), 422, "unprocessable");
	// of a thread, here and among the pins: the root with what was replied, and the reply with its root
	const reply = ok(await bob.post(path(id, "messages"), { client_id: randomUUID(), thread: c.seq, body: { text: "to it" } }), 201);
	for (const seq of [reply.seq, c.seq]) for (const list of ["pin", "saved"]) ok(await alice.put(path(id, "messages", seq, list)));
	const [root, told] = ok(await alice.get("/api/v1/me/saved/messages")).messages;
	assert.deepEqual([root.seq, root.replies.count, told], [c.seq, 1, reply]);
	assert.deepEqual(ok(await alice.get(path(id, "pins"))).messages, [told, root]);
});
