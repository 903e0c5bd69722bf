// Messages that bear files: every way of sending, every way of following, and who wins where two want the same file.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { allMessages, makeChannel, me, ok, problem } from "../api/help.mjs";
import { bot } from "../support/http.mjs";
import { head } from "../realtime/help.mjs";
import { rng } from "../support/random.mjs";
import { openWs } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { startStack } from "../support/stack.mjs";
import { GIF, begin, png, replayed, sendFiles, uploaded, wish, withFiles } from "./uploads.mjs";

let stack, alice, bob;
before(async () => {
	stack = await startStack({ provider: false, api: 2, realtime: 2 });
	[alice, bob] = await Promise.all(["alice", "bob"].map((u) => bot(stack, u, ["read", "write", "files"])));
});
after(() => stack.stop());

/** A channel of both. */
async function room() {
	const { id } = await makeChannel(alice);
	ok(await bob.post(`/api/v1/channels/${id}/join`));
	return id;
}

const picture = (who, c, more) => uploaded(who, c, png(), { name: "p.png", type: "image/png", width: 2, height: 2, ...more });
const seen = ({ type, cursor, ...message }) => message;

test("one message with files is the same live, by poll, by replay, in history and in its answer", async () => {
	const c = await room();
	const first = await head(bob);
	const ws = await openWs(bob, { instance: randomUUID(), via: "realtime1" });
	const sse = await openSse(bob, { instance: randomUUID(), via: "realtime2" });
	const one = await picture(alice, c), two = await uploaded(alice, c, Buffer.from("plain"), { name: "日本😬.txt", type: "text/plain" });
	const small = await uploaded(alice, c, GIF, { type: "image/gif", name: "t", width: 1, height: 1, thumbnail_of: one.id });
	const sent = ok(await sendFiles(alice, c, [two, one], "see"), 201);
	assert.deepEqual(sent.body, { text: "see", files: [two.file, { ...one.file, thumbnail: { id: small.id, width: 1, height: 1 } }] });
	assert.equal(sent.body.files[0].name, "日本😬.txt");
	const mine = (l) => l.type === "message" && l.channel === c && l.seq === sent.seq;
	assert.deepEqual(seen(await ws.next(mine)), sent);
	assert.deepEqual(seen(await sse.next(mine)), sent);
	assert.deepEqual((await replayed(bob, first, 1, mine)).map(seen), [sent]);
	assert.deepEqual((await replayed(bob, first, 1, mine, { via: "api1" })).map(seen), [sent], "by pulsechat-api");
	const again = await openWs(bob, { cursor: first, instance: randomUUID(), via: "realtime2" });
	assert.deepEqual(seen(await again.next(mine)), sent, "replayed");
	assert.deepEqual(ok(await bob.get(`/api/v1/channels/${c}/messages/${sent.seq}`)), sent);
	assert.deepEqual((await allMessages(bob, c)).at(-1), sent);
	await Promise.all([ws.close(), sse.close(), again.close()]);
});

test("the sender hears his own in its place too, and a plain one before and behind it", async () => {
	const c = await room(), ws = await openWs(alice, { instance: randomUUID() });
	const files = await Promise.all([picture(alice, c), picture(alice, c)]);
	const ids = ["a", "b", "c", "d", "e"].map(() => randomUUID());
	const bodies = [{ text: "1" }, { text: "", files: [files[0].id] }, { text: "3" }, { text: "4", files: [files[1].id] }, { text: "5" }];
	const acks = await Promise.all(bodies.map((body, i) => ws.call({ op: "send", client_id: ids[i], channel: c, body })));
	assert.deepEqual(acks.map((a) => a.type), Array(5).fill("ack"));
	for (const a of acks) await ws.next((l) => l.type === "message" && l.seq === a.seq);
	const told = ws.messages.filter((l) => l.channel === c);
	assert.deepEqual(told.map((l) => l.client_id), ids, "in their order, each once");
	assert.deepEqual(told.map(seen), (await allMessages(alice, c)).filter((m) => m.client_id));
	await ws.close();
});

test("by REST, ops and WebSocket alike: what is not to be had, and retries", async () => {
	const c = await room(), other = await room();
	const ws = await openWs(alice, { instance: randomUUID() });
	const pending = await begin(alice, c, GIF, { type: "image/gif" });
	const elsewhere = await picture(alice, other), his = await picture(bob, c), used = await picture(alice, c);
	ok(await sendFiles(alice, c, [used]), 201);
	const ways = {
		rest: async (body) => {
			const r = await alice.post(`/api/v1/channels/${c}/messages`, body);
			return r.ok ? { type: "ack", seq: r.json.seq, status: r.status } : { ...r.json, type: "error" };
		},
		ops: async (body) => {
			const line = `${JSON.stringify({ op: "send", channel: c, ...body })}\n`;
			return JSON.parse((await alice.post("/api/v1/ops", line, { headers: { "content-type": "application/x-ndjson" } })).text);
		},
		ws: (body) => ws.call({ op: "send", channel: c, ...body }),
	};
	for (const [name, way] of Object.entries(ways)) {
		for (const up of [pending, elsewhere, his, used, { id: 2 ** 40 }]) {
			const no = await way(withFiles([up.id], "x"));
			assert.deepEqual([no.type, no.code, no.field], ["error", "not_attachable", "body.files"], name);
		}
		for (const files of [[0], "1", [used.id, used.id], Array.from({ length: 21 }, (_, i) => i + 1), [1.5]])
			assert.equal((await way({ client_id: randomUUID(), body: { text: "x", files } })).field, "body.files", name);
		assert.equal((await way({ client_id: randomUUID(), body: { text: "", files: [] } })).field, "body.text", name);
		const good = await picture(alice, c), mixed = await way(withFiles([good.id, pending.id]));
		assert.equal(mixed.code, "not_attachable", "all or none");
		const body = withFiles([good.id]);
		const sent = await way(body), again = await way(body);
		assert.equal(sent.type, "ack", `${name}: ${JSON.stringify(sent)}`);
		assert.deepEqual([again.type, again.seq], ["ack", sent.seq], `${name}: a retry`);
		if (name === "rest") assert.deepEqual([sent.status, again.status], [201, 200]);
		const otherFile = await picture(alice, c);
		assert.equal((await way({ ...body, body: { text: "", files: [otherFile.id] } })).code, "client_id_reused", name);
		assert.equal((await way({ ...body, body: { text: "t", files: [good.id] } })).code, "client_id_reused", name);
	}
	await ws.close();
});

test("quotes and forwarded messages: by every way of sending, the same to all, once; their files for whoever reads them", async () => {
	const c = await room(), own = await room();
	const from = (await makeChannel(alice, { kind: "private" })).id;
	const first = await head(bob);
	const [ws, hears] = await Promise.all([openWs(alice, { instance: randomUUID() }), openWs(bob, { instance: randomUUID(), via: "realtime2" })]);
	const ops = async (body) => {
		const line = `${JSON.stringify({ op: "send", ...body })}\n`;
		return JSON.parse((await alice.post("/api/v1/ops", line, { headers: { "content-type": "application/x-ndjson" } })).text);
	};
	const message = (channel, seq) => `/api/v1/channels/${channel}/messages${seq ? `/${seq}` : ""}`;
	const file = await picture(alice, from), original = ok(await sendFiles(alice, from, [file], "see"), 201);
	const his = ok(await bob.post(message(c), { client_id: randomUUID(), body: { text: "what?" } }), 201);
	// a quote
	const quote = { client_id: randomUUID(), channel: c, body: { text: "this", reply_to: his.seq } };
	const acked = await ws.call({ op: "send", ...quote });
	assert.deepEqual([acked.type, (await ops(quote)).seq], ["ack", acked.seq], "a retry by another way");
	const told = seen(await hears.next((l) => l.type === "message" && l.channel === c && l.seq === acked.seq));
	assert.deepEqual(told.body, { text: "this", reply_to: { seq: his.seq, sender: his.sender } });
	assert.deepEqual(ok(await bob.get(message(c, acked.seq))), told);
	assert.equal(ok(await bob.get("/api/v1/me/unread")).channels.find((x) => x.channel === c).mentions, 1, "who is quoted is mentioned");
	assert.equal((await ops({ ...quote, body: { text: "this" } })).code, "client_id_reused");
	problem(await alice.post(message(c), { client_id: randomUUID(), body: { text: "x", reply_to: 99 } }), 422, "unprocessable", "body.reply_to");
	// forwarded
	const forward = { client_id: randomUUID(), body: { text: "", forward: { channel: from, seq: original.seq } } };
	const copy = ok(await alice.post(message(c), forward), 201);
	const { channel, seq, sender, created_at, body } = original;
	assert.deepEqual(copy.body, { text: "", forward: { channel, seq, sender, created_at, text: "see", files: body.files } });
	assert.deepEqual(ok(await alice.post(message(c), forward)), copy, "a retry");
	assert.deepEqual(seen(await hears.next((l) => l.type === "message" && l.channel === c && l.seq === copy.seq)), copy);
	assert.equal((await bob.get(`/api/v1/files/${file.id}`)).status, 302, "its readers have the file");
	const next = ok(await bob.post(message(own), { client_id: randomUUID(), body: { text: "look", forward: { channel: c, seq: copy.seq } } }), 201);
	assert.deepEqual(next.body.forward, copy.body.forward, "as it was");
	const no = (who, of) => who.post(message(c), { client_id: randomUUID(), body: { text: "", forward: of } });
	problem(await no(bob, forward.body.forward), 404, "not_found", "body.forward");
	const plain = ok(await alice.post(message(from), { client_id: randomUUID(), body: { text: "gone" } }), 201);
	ok(await alice.delete(message(from, plain.seq)));
	problem(await no(alice, { channel: from, seq: plain.seq }), 422, "unprocessable", "body.forward");
	// the file goes, from all who bear it
	ok(await alice.delete(message(from, original.seq)));
	problem(await bob.get(`/api/v1/files/${file.id}`), 404, "not_found");
	const erased = (l) => l.type === "message.updated" && l.body.forward.files[0].erased;
	const after = [];
	for (const where of [c, own]) after.push(seen(await hears.next((l) => l.channel === where && erased(l), 90000)));
	assert.deepEqual(after, [ok(await bob.get(message(c, copy.seq))), ok(await bob.get(message(own, next.seq)))]);
	assert.deepEqual([after[0].body.forward.text, after[0].version], ["see", 2], "the words stay the forwarder's");
	const replay = (await replayed(bob, first, 6, (l) => l.type.startsWith("message"))).map(seen);
	assert.deepEqual(replay.filter((m) => m.seq === copy.seq && m.channel === c), [after[0], after[0]], "as they are, in replay");
	await Promise.all([ws.close(), hears.close()]);
});

test("a thumbnail comes along only where it is ready, and is the newest", async () => {
	const c = await room();
	const big = await picture(alice, c);
	const thumb = { type: "image/gif", width: 1, height: 1, thumbnail_of: big.id };
	await uploaded(alice, c, GIF, thumb);
	const newer = await uploaded(alice, c, GIF, thumb);
	const late = await begin(alice, c, GIF, thumb);
	problem(await alice.post("/api/v1/uploads", { ...late, size: 1 }), 400, "bad_field");
	const sent = ok(await sendFiles(alice, c, [big]), 201);
	assert.equal(sent.body.files[0].thumbnail.id, newer.id);
	problem(await alice.post("/api/v1/uploads", wish(c, GIF, { type: "image/gif", thumbnail_of: big.id })), 400, "bad_field", "thumbnail_of");
	problem(await sendFiles(alice, c, [newer]), 422, "not_attachable");
	assert.equal((await bob.get(`/api/v1/files/${newer.id}`)).status, 302, "it is had as its file is");
	problem(await bob.get(`/api/v1/files/${late.id}`), 404, "not_found");
});

test("property: whatever is sent at once on all processes, each file is in one message", async () => {
	const c = await room(), other = await room(), chance = rng(Number(process.env.SEED ?? 6)), random = (n) => Math.floor(chance() * n);
	const files = await Promise.all(Array.from({ length: 12 }, () => picture(alice, c)));
	const streams = await Promise.all(["realtime1", "realtime2"].map((via) => openWs(alice, { instance: randomUUID(), via })));
	const wants = Array.from({ length: 60 }, () => {
		const few = [...new Set(Array.from({ length: 1 + random(3) }, () => files[random(files.length)].id))];
		return { body: withFiles(few, "x"), channel: random(8) === 0 ? other : c, way: random(4) };
	});
	const send = async ({ body, channel, way }) => {
		if (way < 2) return (await streams[way].call({ op: "send", channel, ...body })).type === "ack";
		return (await alice.post(`/api/v1/channels/${channel}/messages`, body)).ok;
	};
	const stored = await Promise.all(wants.map(send));
	const all = [...(await allMessages(alice, c)), ...(await allMessages(alice, other))].filter((m) => m.body?.files);
	assert.deepEqual(all.map((m) => m.client_id).sort(), wants.filter((_, i) => stored[i]).map((w) => w.body.client_id).sort(), "what was acked is there");
	const borne = all.flatMap((m) => m.body.files.map((f) => f.id));
	assert.equal(new Set(borne).size, borne.length, "none is in two");
	for (const m of all) {
		const w = wants.find((x) => x.body.client_id === m.client_id);
		assert.deepEqual(m.body.files.map((f) => f.id), w.body.body.files);
		assert.equal(m.channel, c);
	}
	// one that was refused wanted a file that is in another message, or was in the other channel
	wants.forEach((w, i) => stored[i] || assert.ok(w.channel === other || w.body.body.files.some((id) => borne.includes(id)), "refused for a reason"));
	const rows = (await stack.psql(`SELECT id || ' ' || seq FROM files WHERE channel_id = ${c} AND state = 'attached' ORDER BY id`)).split("\n");
	assert.deepEqual(rows, all.flatMap((m) => m.body.files.map((f) => `${f.id} ${m.seq}`)).sort((a, b) => parseInt(a) - parseInt(b)));
	await Promise.all(streams.map((s) => s.close()));
});

test("a message that was stored while nobody heard of it: the retry finds it, files and all", async () => {
	const c = await room(), up = await picture(alice, c), body = withFiles([up.id], "once");
	const all = await Promise.all(Array.from({ length: 6 }, () => alice.post(`/api/v1/channels/${c}/messages`, body)));
	assert.deepEqual(all.map((r) => r.status).sort(), [200, 200, 200, 200, 200, 201]);
	assert.equal(new Set(all.map((r) => JSON.stringify(r.json))).size, 1);
	assert.equal(all[0].json.body.files[0].id, up.id);
	assert.equal((await me(alice)).id, all[0].json.sender);
});

test("20 files of long names in one message: it does not fit into a notification, and is the same", async () => {
	const c = await room(), ws = await openWs(bob, { instance: randomUUID() });
	const name = `${"é".repeat(120)}.bin`;
	const ups = [];
	for (let i = 0; i < 20; i++) ups.push(await uploaded(alice, c, Buffer.from(`${i}`), { name }));
	const sent = ok(await sendFiles(alice, c, ups, "many"), 201);
	assert.equal(sent.body.files.length, 20);
	assert.deepEqual(seen(await ws.next((l) => l.type === "message" && l.seq === sent.seq && l.channel === c)), sent);
	await ws.close();
});
