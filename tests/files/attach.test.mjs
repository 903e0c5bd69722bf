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
