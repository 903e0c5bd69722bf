// The list of a channel's files, against the local store: what is in it, for whom, by pages and kinds, and that it says what the events say.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { allMessages, makeChannel, me, ok, problem } from "../api/help.mjs";
import { rng } from "../support/random.mjs";
import { bot, client } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { until } from "../support/until.mjs";
import { head } from "../realtime/help.mjs";
import { GIF, fetched, png, replayed, sendFiles, uploaded, withFiles } from "./uploads.mjs";

let stack, alice, bob, carol, ids;
before(async () => {
	stack = await startStack({ provider: false, realtime: 1 });
	[alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((u) => bot(stack, u, ["read", "write", "files"])));
	ids = { alice: (await me(alice)).id, bob: (await me(bob)).id, carol: (await me(carol)).id };
});
after(() => stack?.stop());

const path = (id, ...rest) => ["/api/v1/channels", id, ...rest].join("/");
const room = async (more) => (await makeChannel(alice, { kind: "private", members: [ids.bob], ...more })).id;
const picture = (who, c, more) => uploaded(who, c, png(), { name: "p.png", type: "image/png", width: 2, height: 2, ...more });
const text = (who, c, name = "t.txt") => uploaded(who, c, Buffer.from(`text ${randomUUID()}`), { name, type: "text/plain" });
/** Forwards a message. */
const lend = (who, to, channel, seq) => who.post(path(to, "messages"), { client_id: randomUUID(), body: { text: "", forward: { channel, seq } } });
const list = async (who, c, query = "") => ok(await who.get(path(c, `files${query}`)));
const names = (page) => page.files.map((f) => `${f.seq} ${f.file.name}`);
/** What a reader's messages say that the list is. */
const told = (messages) =>
	messages
		.sort((a, b) => b.seq - a.seq)
		.flatMap((m) =>
			(m.body?.files ?? m.body?.forward?.files ?? [])
				.filter((f) => !f.erased)
				.map((file) => {
					const { seq, version, sender, created_at, thread = null } = m;
					return { file, seq, version, sender, created_at, thread };
				}),
		);
/** All pages, of so many messages. */
async function whole(who, c, { limit = 2, kind } = {}) {
	const files = [];
	for (let before; before !== null; ) {
		const page = await list(who, c, `?limit=${limit}${before ? `&before=${before}` : ""}${kind ? `&kind=${kind}` : ""}`);
		assert.ok(new Set(page.files.map((f) => f.seq)).size <= limit);
		files.push(...page.files);
		before = page.next;
	}
	return files;
}

test("pictures with thumbnails, others, replies, forwarded ones: as their messages bear them, by pages and kinds", async () => {
	const c = await room(), other = await room();
	const empty = await alice.get(path(c, "files"));
	assert.deepEqual(ok(empty), { files: [], next: null });
	assert.match(empty.headers["pulsechat-cursor"], /^\w+\.\d+$/);
	const one = await picture(alice, c, { name: "one.png" }), note = await text(alice, c);
	const small = await uploaded(alice, c, GIF, { type: "image/gif", name: "t", width: 1, height: 1, thumbnail_of: one.id });
	const first = ok(await sendFiles(alice, c, [note, one], "see"), 201);
	ok(await alice.post(path(c, "messages"), { client_id: randomUUID(), body: { text: "no files" } }), 201);
	const reply = await text(bob, c, "reply.txt");
	ok(await bob.post(path(c, "messages"), { ...withFiles([reply.id], "in a thread"), thread: 1 }), 201);
	const far = await picture(alice, other, { name: "far.png" });
	const source = ok(await sendFiles(alice, other, [far]), 201);
	const forward = ok(await lend(bob, c, other, source.seq), 201);
	await uploaded(alice, c, Buffer.from("never sent"));

	const all = await list(bob, c);
	assert.deepEqual(names(all), ["4 far.png", "3 reply.txt", "1 t.txt", "1 one.png"]);
	assert.equal(all.next, null);
	assert.deepEqual(all.files[3], {
		file: { ...one.file, thumbnail: { id: small.id, width: 1, height: 1 } },
		seq: 1,
		version: 1,
		sender: ids.alice,
		created_at: first.created_at,
		thread: null,
	});
	assert.deepEqual([all.files[1].thread, all.files[1].sender], [1, ids.bob]);
	assert.deepEqual([all.files[0].file, all.files[0].sender], [forward.body.forward.files[0], ids.bob]);
	assert.equal((await fetched(bob, all.files[0].file.id)).got.status, 200, "which its reader may have");
	assert.deepEqual(names(await list(alice, c, "?kind=images")), ["4 far.png", "1 one.png"]);
	assert.deepEqual(names(await list(alice, c, "?kind=others")), ["3 reply.txt", "1 t.txt"]);
	const page = await list(alice, c, "?limit=2");
	assert.deepEqual([names(page), page.next], [["4 far.png", "3 reply.txt"], 3]);
	assert.deepEqual(await list(alice, c, "?limit=2&before=3"), { files: all.files.slice(2), next: null }, "a message's files are on one page");
	for (const kind of [undefined, "images", "others"])
		assert.deepEqual(await whole(alice, c, { limit: 1, kind }), (await list(alice, c, kind ? `?kind=${kind}` : "")).files);
});

test("who may, and what is refused", async () => {
	const c = await room();
	ok(await sendFiles(alice, c, [await text(alice, c)]), 201);
	problem(await carol.get(path(c, "files")), 404, "not_found");
	problem(await alice.get(path(999999, "files")), 404, "not_found");
	const { id } = await makeChannel(alice);
	problem(await carol.get(path(id, "files")), 403, "not_a_member");
	for (const query of ["kind=films", "kind=", "before=0", "before=x", "limit=0"])
		problem(await alice.get(path(c, `files?${query}`)), 400, "bad_field", query.split("=")[0]);
	problem(await alice.get(path(c, "files?after=1")), 400, "bad_field", "after");
	problem(await client(stack).get(path(c, "files")), 401, "unauthenticated");
	// out, and in again
	assert.equal((await list(bob, c)).files.length, 1);
	ok(await bob.post(path(c, "leave")), 204);
	problem(await bob.get(path(c, "files")), 404, "not_found");
	ok(await alice.post(path(c, "members"), { user: ids.bob }), 201);
	assert.equal((await list(bob, c)).files.length, 1);
	// an archived one is read as before
	ok(await alice.patch(path(c), { archived: true }));
	assert.equal((await list(bob, c)).files.length, 1);
});

test("history for those who were there: who comes later sees the files of later messages", async () => {
	const c = await room();
	ok(await sendFiles(alice, c, [await picture(alice, c, { name: "old.png" }), await text(alice, c, "old.txt")]), 201);
	ok(await alice.patch(path(c), { history: "joined" }));
	ok(await alice.post(path(c, "members"), { user: ids.carol }), 201);
	assert.deepEqual(await list(carol, c), { files: [], next: null });
	ok(await sendFiles(alice, c, [await text(alice, c, "new.txt")]), 201);
	// a reply to what she does not see is told, as in history
	ok(await bob.post(path(c, "messages"), { ...withFiles([(await picture(bob, c, { name: "reply.png" })).id]), thread: 1 }), 201);
	assert.deepEqual(names(await list(carol, c)), ["3 reply.png", "2 new.txt"]);
	assert.equal((await list(carol, c, "?limit=2")).next, null, "there is no other page for her");
	assert.equal((await list(bob, c)).files.length, 4);
	for (const kind of ["images", "others"]) assert.equal((await list(carol, c, `?kind=${kind}`)).files.length, 1);
});

test("what is erased, edited and deleted: the list says what the events say", async () => {
	const c = await room(), other = await room();
	const start = await head(alice);
	const [a, b] = [await picture(alice, c, { name: "a.png" }), await text(alice, c, "b.txt")];
	const sent = ok(await sendFiles(alice, c, [a, b], "two"), 201);
	ok(await alice.patch(path(c, "messages", sent.seq), { body: { text: "two, edited" } }));
	assert.deepEqual((await list(bob, c)).files.map((f) => f.version), [2, 2], "an edit of the text leaves them");
	ok(await alice.delete(`/api/v1/files/${a.id}`));
	const left = await list(bob, c);
	assert.deepEqual([names(left), left.files[0].version], [["1 b.txt"], 3]);
	const far = await picture(alice, other), source = ok(await sendFiles(alice, other, [far]), 201);
	ok(await lend(bob, c, other, source.seq), 201);
	assert.deepEqual(names(await list(alice, c)), ["2 p.png", "1 b.txt"]);
	ok(await alice.delete(path(other, "messages", source.seq)));
	await until(async () => (await list(alice, c)).files.length === 1, { what: "the forwarded one says so" });
	ok(await alice.delete(path(c, "messages", sent.seq)));
	assert.deepEqual(await list(alice, c), { files: [], next: null });
	const lines = await replayed(bob, start, 2, (l) => l.channel === c && (l.type === "message.deleted" || (l.seq === 2 && l.version === 2)));
	assert.ok(lines.length >= 2, "and the log tells all of it");
});

test("retention: what is too old goes, with its files", async () => {
	const c = await room();
	for (const name of ["old.txt", "new.txt"]) ok(await sendFiles(alice, c, [await text(alice, c, name)]), 201);
	await stack.psql(`UPDATE messages SET created_at = now() - interval '3 days' WHERE channel_id = ${c} AND seq = 1`);
	ok(await alice.patch(path(c), { keep_days: 1 }));
	await stack.cli(["maintain"]);
	assert.deepEqual(names(await list(alice, c)), ["2 new.txt"]);
});

test("whatever is done at random, the list is what the messages say", async () => {
	const seed = Number(process.env.SEED ?? randomBytes(3).readUIntBE(0, 3));
	const chance = rng(seed), random = (n) => Math.floor(chance() * n);
	const c = await room(), other = await room();
	const sent = [];
	for (let i = 0; i < 40; i++) {
		const who = random(2) ? alice : bob;
		const act = sent.length ? random(7) : 0;
		const one = sent[random(sent.length)];
		if (act <= 2) {
			const files = [];
			for (let n = 1 + random(3); n > 0; n--)
				files.push(random(2) ? await picture(who, c, { name: `${i}.png` }) : await text(who, c, `${i}.txt`));
			const place = random(3) === 0 && sent.length ? { thread: (sent.find((s) => !s.thread) ?? {}).seq } : {};
			const r = await who.post(path(c, "messages"), { ...withFiles(files.map((f) => f.id)), ...place });
			if (r.ok) sent.push({ ...r.json, who });
		} else if (act === 3) await one.who.delete(path(c, "messages", one.seq));
		else if (act === 4) await one.who.delete(`/api/v1/files/${one.body.files[random(one.body.files.length)].id}`);
		else if (act === 5) await one.who.patch(path(c, "messages", one.seq), { body: { text: `edited ${i}` } });
		else for (const to of [c, other]) await lend(who, to, c, one.seq);
	}
	await until(async () => (await stack.psql("SELECT count(*) FROM file_copies WHERE erased")) === "0", { what: "forwarded ones have settled" });
	for (const at of [c, other]) {
		const threads = (await allMessages(alice, at)).filter((m) => m.replies);
		const replies = await Promise.all(threads.map(async (m) => ok(await alice.get(path(at, "messages", m.seq, "thread?limit=200"))).messages));
		const messages = [...new Map([...(await allMessages(alice, at)), ...replies.flat()].map((m) => [m.seq, m])).values()];
		const want = told(messages);
		assert.deepEqual(await whole(bob, at), want, `seed ${seed}`);
		const isPicture = (f) => f.file.type === "image/png";
		assert.deepEqual(await whole(bob, at, { kind: "images" }), want.filter(isPicture), `seed ${seed}`);
		assert.deepEqual(await whole(bob, at, { kind: "others", limit: 3 }), want.filter((f) => !isPicture(f)), `seed ${seed}`);
	}
});
