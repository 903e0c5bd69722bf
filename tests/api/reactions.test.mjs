// reactions: which sequences are emoji, adding and taking away, what is told of them, who may.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { makeChannel, me, ok, problem, send } from "./help.mjs";

let stack, alice, bob, carol, reader, ids;

before(async () => {
	stack = await startStack({ provider: false, realtime: 0, api: 1 });
	[alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((h) => bot(stack, h)));
	reader = await bot(stack, "bob", ["read"]);
	ids = { alice: (await me(alice)).id, bob: (await me(bob)).id, carol: (await me(carol)).id };
});
after(() => stack?.stop());

const at = (m, ...rest) => ["/api/v1/channels", m.channel, "messages", m.seq, "reactions", ...rest].join("/");
const put = (who, m, emoji) => who.put(at(m, encodeURIComponent(emoji)));
const drop = (who, m, emoji) => who.delete(at(m, encodeURIComponent(emoji)));
const one = async (who, m) => ok(await who.get(`/api/v1/channels/${m.channel}/messages/${m.seq}`));
async function start(kind = "private", members = [ids.bob]) {
	const { id } = await makeChannel(alice, { kind, members });
	return ok(await send(alice, id, "hello"), 201);
}
const list = (...all) => all.map(([emoji, ...users]) => ({ emoji, count: users.length, users }));

test("RX-1 the same picture by other code points is one reaction; all emoji are taken, and nothing else", async () => {
	const m = await start();
	ok(await put(alice, m, "👍"));
	assert.deepEqual(ok(await put(bob, m, "👍\u{fe0f}")).reactions, list(["👍", ids.alice, ids.bob]));
	ok(await put(alice, m, "❤"));
	assert.deepEqual(ok(await put(bob, m, "❤\u{fe0f}")).reactions[1], { emoji: "❤\u{fe0f}", count: 2, users: [ids.alice, ids.bob] });
	ok(await drop(alice, m, "❤\u{fe0f}"));
	ok(await drop(bob, m, "❤"));
	ok(await drop(bob, m, "👍"));
	assert.deepEqual(ok(await drop(alice, m, "👍\u{fe0f}")).reactions, []);
	const odd = ["👍🏽", "👨‍👩‍👧", "🇮🇹", "1\u{fe0f}\u{20e3}", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "🏳️‍🌈", "👁️‍🗨️"];
	for (const e of odd) assert.deepEqual(ok(await put(alice, m, e)).reactions.at(-1), { emoji: e, count: 1, users: [ids.alice] }, e);
	ok(await put(alice, m, "1\u{20e3}"));
	ok(await put(alice, m, "🏳‍🌈"));
	assert.equal(ok(await put(alice, m, "👁‍🗨")).reactions.length, odd.length, "without their selectors they are the same");
	ok(await put(bob, m, "👍"));
	assert.deepEqual((await one(bob, m)).reactions.map((r) => r.count), [1, 1, 1, 1, 1, 1, 1, 1], "a skin tone is another emoji");
	const none = ["abc", "1", "👍👍", "👍🏽🏽", "\u{fe0f}", "\u{200d}", "🇮", "👨‍", "❤\u{fe0e}", "a👍", "👍 "];
	none.push("👍".repeat(60), "\u{1f44d}\u{20e3}", "<b>", ":tada:");
	for (const e of none) problem(await put(alice, m, e), 400, "bad_field", "emoji");
	for (const method of ["put", "delete", "get"]) problem(await alice[method](at(m, "")), 400, "bad_field", "emoji");
	problem(await alice.put(at(m, "%ED%A0%BD")), 400, "bad_request");
	// which the web server sees first: Apache's word for NUL is 404
	const nul = await alice.put(at(m, "%00"));
	assert.ok(nul.status === 400 || (nul.status === 404 && nul.headers["pulsechat-request-id"] === undefined), `${nul.status} ${nul.text}`);
	assert.equal((await one(bob, m)).reactions_version, (await one(bob, m)).reactions.length + 8);
});

test("adding and taking away, again and again: idempotent, versions that grow, in the order they came", async () => {
	const m = await start("private", [ids.bob, ids.carol]);
	assert.equal((await one(bob, m)).reactions, undefined);
	const state = (v, ...all) => ({ channel: m.channel, seq: m.seq, reactions: list(...all), reactions_version: v });
	assert.deepEqual(ok(await put(bob, m, "🎉")), state(1, ["🎉", ids.bob]));
	assert.deepEqual(ok(await put(bob, m, "🎉")), state(1, ["🎉", ids.bob]));
	assert.deepEqual(ok(await put(alice, m, "👀")), state(2, ["🎉", ids.bob], ["👀", ids.alice]));
	assert.deepEqual(ok(await put(alice, m, "🎉")), state(3, ["🎉", ids.bob, ids.alice], ["👀", ids.alice]));
	assert.deepEqual(ok(await put(carol, m, "🎉")), state(4, ["🎉", ids.bob, ids.alice, ids.carol], ["👀", ids.alice]));
	assert.deepEqual(ok(await drop(bob, m, "🎉")), state(5, ["🎉", ids.alice, ids.carol], ["👀", ids.alice]));
	assert.deepEqual(ok(await drop(bob, m, "🎉")).reactions_version, 5);
	const now = await one(bob, m);
	assert.equal(now.version, 1, "the message is as it was");
	assert.deepEqual([now.reactions, now.reactions_version], [list(["🎉", ids.alice, ids.carol], ["👀", ids.alice]), 5]);
	assert.deepEqual(ok(await bob.get(`/api/v1/channels/${m.channel}/messages`)).messages, [now]);
	assert.deepEqual(ok(await alice.get(at(m))), { ...state(5, ["🎉", ids.alice, ids.carol], ["👀", ids.alice]), mine: ["👀", "🎉"] });
	assert.deepEqual(ok(await reader.get(at(m))).mine, []);
	for (const [who, e] of [[alice, "🎉"], [carol, "🎉"], [alice, "👀"]]) ok(await drop(who, m, e));
	assert.deepEqual(await one(bob, m), { ...m, reactions: [], reactions_version: 8 }, "the version stays");
	assert.deepEqual(ok(await put(bob, m, "👀")), state(9, ["👀", ids.bob]));
	// an edit leaves them
	const edited = ok(await alice.patch(`/api/v1/channels/${m.channel}/messages/${m.seq}`, { body: { text: "hello!" } }));
	assert.deepEqual([edited.version, edited.reactions_version], [2, 9]);
});

test("who may: members; not the muted, not in an archived channel, not on what is deleted", async () => {
	const m = await start("public");
	problem(await put(carol, m, "👍"), 403, "not_a_member");
	problem(await carol.get(at(m)), 403, "not_a_member");
	problem(await carol.get(at(m, encodeURIComponent("👍"))), 403, "not_a_member");
	problem(await put(reader, m, "👍"), 403, "insufficient_scope");
	problem(await put(alice, { ...m, seq: 99 }, "👍"), 404, "not_found");
	problem(await alice.get(at({ ...m, seq: 99 })), 404, "not_found");
	problem(await put(alice, { channel: 999999, seq: 1 }, "👍"), 404, "not_found");
	ok(await put(bob, m, "👍"));
	ok(await alice.put(`/api/v1/channels/${m.channel}/members/${ids.bob}/mute`, { until: "2099-01-01T00:00:00Z" }), 204);
	assert.equal(problem(await put(bob, m, "🎉"), 403, "muted").until, "2099-01-01T00:00:00.000Z");
	ok(await drop(bob, m, "👍")); // to take one's own away is no writing
	ok(await alice.delete(`/api/v1/channels/${m.channel}/members/${ids.bob}/mute`), 204);
	ok(await put(bob, m, "👍"));
	ok(await alice.patch(`/api/v1/channels/${m.channel}`, { archived: true }));
	problem(await put(alice, m, "👍"), 422, "unprocessable", "channel");
	ok(await alice.patch(`/api/v1/channels/${m.channel}`, { archived: false }));
	// of who was removed they stay
	ok(await alice.delete(`/api/v1/channels/${m.channel}/members/${ids.bob}`), 204);
	assert.deepEqual((await one(alice, m)).reactions, list(["👍", ids.bob]));
	problem(await drop(bob, m, "👍"), 403, "not_a_member");
	ok(await alice.delete(`/api/v1/channels/${m.channel}/messages/${m.seq}`));
	problem(await put(alice, m, "👍"), 409, "conflict");
	problem(await drop(alice, m, "👍"), 409, "conflict");
	assert.equal((await one(alice, m)).reactions, undefined);
	for (const t of ["reactions", "message_reactions"]) assert.equal(await stack.psql(`SELECT count(*) FROM ${t} WHERE channel_id = ${m.channel}`), "0", t);
});

test("twenty different ones on a message; of each the first twenty people, and all of them by pages", async () => {
	const m = await start();
	assert.equal(ok(await alice.get("/api/v1/limits")).reactions, 20);
	const many = [..."😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙🥲😚🙂"];
	assert.equal(many.length, 20);
	for (const e of many) ok(await put(alice, m, e));
	problem(await put(alice, m, "🤗"), 422, "unprocessable", "emoji");
	problem(await put(bob, m, "🤗"), 422, "unprocessable", "emoji");
	ok(await put(bob, m, "😀"));
	ok(await drop(alice, m, "😁"));
	assert.deepEqual(ok(await put(bob, m, "🤗")).reactions.map((r) => r.emoji), [...many.filter((e) => e !== "😁"), "🤗"]);

	const crowd = (await stack.psql(`WITH u AS (INSERT INTO users (handle, name) SELECT 'rx' || n, 'Rx ' || n FROM generate_series(1, 45) n RETURNING id)
		INSERT INTO members (channel_id, user_id, since) SELECT ${m.channel}, id, 0 FROM u RETURNING user_id`)).trim().split("\n").map(Number);
	await stack.psql(crowd.map((u) => `SELECT code FROM reaction_set(${m.channel}, ${u}, ${m.seq}, '🐢', true, 21, 20);`).join("\n"));
	ok(await drop(alice, m, "😂"));
	let turtle = (await one(alice, m)).reactions.at(-1);
	assert.deepEqual(turtle, { emoji: "🐢", count: 45, users: crowd.slice(0, 20) });
	await stack.psql(`SELECT code FROM reaction_set(${m.channel}, ${crowd[3]}, ${m.seq}, '🐢', false, 20, 20)`);
	await stack.psql(`SELECT code FROM reaction_set(${m.channel}, ${crowd[40]}, ${m.seq}, '🐢', false, 20, 20)`);
	ok(await put(bob, m, "🐢"));
	const left = [...crowd.filter((_, i) => i !== 3 && i !== 40), ids.bob];
	turtle = (await one(alice, m)).reactions.at(-1);
	assert.deepEqual(turtle, { emoji: "🐢", count: 44, users: left.slice(0, 20) }, "the next one moves up");
	assert.deepEqual(ok(await bob.get(at(m))).mine, ["😀", "🤗", "🐢"], "one's own, though one is not among the first");
	const seen = [];
	for (let after = 0; after !== null; ) {
		const page = ok(await alice.get(`${at(m, encodeURIComponent("🐢"))}?limit=20&after=${after}`));
		assert.equal(page.count, 44);
		seen.push(...page.users);
		after = page.next;
	}
	assert.deepEqual(seen, left);
	assert.deepEqual(ok(await alice.get(at(m, encodeURIComponent("🦀")))), { count: 0, users: [], next: null });
	problem(await alice.get(at(m, "abc")), 400, "bad_field", "emoji");
});

test("many at once on one message: each counted once, none lost", async () => {
	const m = await start("private", [ids.bob, ids.carol]);
	const turns = [alice, bob, carol].flatMap((who) => ["👍", "🎉", "👀", "🚀"].map((e) => async () => {
		for (let i = 0; i < 4; i++) {
			ok(await put(who, m, e));
			if (i < 3) ok(await drop(who, m, e));
		}
	}));
	await Promise.all(turns.map((f) => f()));
	const now = await one(alice, m);
	assert.equal(now.reactions_version, 12 * 7);
	assert.deepEqual(now.reactions.map((r) => [r.emoji, r.count]).sort(), [["🎉", 3], ["👀", 3], ["👍", 3], ["🚀", 3]].sort());
	for (const r of now.reactions) assert.deepEqual([...r.users].sort((a, b) => a - b), Object.values(ids).sort((a, b) => a - b));
});
