// search: words, phrases and scripts without spaces (SE-1), filters, pages, who may find what; the same whether the index knows a
// message already or not.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { until } from "../support/until.mjs";
import { holdOpen, makeChannel, me, message, ok, problem, send } from "./help.mjs";

let stack, alice, bob, room;

before(async () => {
	stack = await startStack({ provider: false, realtime: 0, api: 2 });
	[alice, bob] = await Promise.all([bot(stack, "alice"), bot(stack, "bob")]);
	room = (await makeChannel(alice, { name: "searchroom" })).id;
});
after(() => stack?.stop());

const path = (q, more = {}) => `/api/v1/search?${new URLSearchParams({ q, ...more })}`;
const find = async (who, q, more) => ok(await who.get(path(q, more)));
const textOf = (result) => result.snippet.map((p) => p.text).join("");
const texts = async (who, q, more) => (await find(who, q, { sort: "date", limit: 50, ...more })).results.map(textOf);
const say = async (who, channel, text) => ok(await send(who, channel, text), 201);

/** Until the index holds all that the log tells. */
const CAUGHT_UP = "SELECT event = stream_head() AND NOT walking FROM search_state";
const indexed = () => until(async () => (await stack.psql(CAUGHT_UP)) === "t", { what: "the index has caught up" });
const notIndexed = () => holdOpen(stack, "SELECT pg_advisory_xact_lock(8020600008)");
/** Does `check` while the index knows nothing of what `make` makes, and again once it does. */
async function bothWays(make, check) {
	const held = await notIndexed();
	try {
		await make();
		await check("not indexed");
	} finally {
		await held.release();
	}
	await indexed();
	await check("indexed");
}

const SAID = [
	"我家在上海东边。",
	"バッタと鈴虫",
	"나는 서울에 산다",
	"ไปโรงเรียน",
	"straße café",
	"Müllers Äpfel im Öl",
	"ILIK KAPI, ılık su, İstanbul",
	"ὁ Ὀδυσσεύς λόγος ΛΟΓΟΣ",
	"Ёлка и йод",
	"cafe\u0301 decompose\u0301",
	"fine 👍🏽 work 👩‍💻",
	"ｆｕｌｌ ｗｉｄｔｈ ﾊﾞｯﾀ",
	"नमस्ते दुनिया",
	"שָׁלוֹם עולם",
	"مُحَمَّد كتب",
	"don't stop-me now, snake_case C3PO",
	"Smørrebrød œuvre Łódź",
	"**Fettes** _schräges_ ~~Weg~~ `code_wort` [Titel](https://example.org/pfad)",
];

test("SE-1 scripts without spaces, accents, case, width and composition: found anywhere in the text, indexed or not", async () => {
	const wants = [
		["上海", 0], ["海东", 0], ["家", 0], ["边", 0], ["我家在上海东边", 0],
		["鈴虫", 1], ["と鈴", 1], ["バッタ", 1, 11], ["サ"], ["ハッ"],
		["서울", 2], ["울에", 2], ["서울".normalize("NFD"), 2], ["산다", 2],
		["โรงเรียน", 3], ["เรียน", 3], ["ไปโรง", 3], ["เรือ"],
		["cafe", 4, 9], ["CAFÉ", 4, 9], ["STRASSE", 4], ["straße", 4], ["stras", 4], ["muller", 5], ["MÜLLERS", 5], ["apfel ol", 5],
		["istanbul", 6], ["ilik", 6], ["ılık", 6], ["KAPI", 6], ["λόγος", 7], ["ΛΟΓΟΣ", 7], ["λογοσ", 7], ["οδυσσευς", 7],
		["елка", 8], ["ЙОД", 8], ["décompose", 9], ["👍", 10], ["👍🏿", 10], ["💻", 10], ["full width", 11],
		["नमस्ते", 12], ["दुनिया", 12],
		["नमस", 12], ["שלום", 13], ["محمد", 14], ["don’t", 15], ["dont"],
		["stop me", 15], ["snake_case", 15], ["c3", 15], ["smorre", 16],
		["oeuvre", 16], ["lodz", 16], ["ouvre"], ["上 海", 0], ["上東"], ["東上"],
		// within what Markdown marks
		["fettes", 17], ["schrages", 17], ["weg", 17], ["code_wort", 17], ["titel", 17], ["example.org/pfad", 17],
		["fettes schräges weg", 17],
	];
	await bothWays(
		async () => {
			for (const s of SAID) await say(alice, room, s);
		},
		async (state) => {
			// a snippet is the text where it is short
			const one = async ([q, ...at]) => assert.deepEqual((await texts(alice, q)).sort(), at.map((i) => SAID[i]).sort(), `${state}: ${q}`);
			await Promise.all(wants.map(one));
		},
	);
});

test("SE-1 whoever is not in the channel finds nothing there; who joins finds all, who leaves nothing at once", async () => {
	assert.deepEqual(await texts(bob, "上海"), []);
	ok(await bob.post(`/api/v1/channels/${room}/join`));
	assert.equal((await texts(bob, "上海")).length, 1);
	assert.equal((await texts(bob, "in:searchroom from:alice")).length, SAID.length);
	const id = (await me(bob)).id;
	// with searches under way all the time: none that is asked for after the answer of the removal finds anything
	let removed = false;
	const asking = Promise.all(
		[1, 2, 3].map(async () => {
			for (let after = 0; after < 3; ) {
				const asked = removed;
				const found = await texts(bob, "上海");
				if (asked) {
					after++;
					assert.deepEqual(found, []);
				}
			}
		}),
	);
	ok(await alice.delete(`/api/v1/channels/${room}/members/${id}`), 204);
	removed = true;
	await asking;
	problem(await bob.get(path("in:searchroom x")), 400, "bad_field", "q");
});

test("words begin, phrases are whole; several words in any order; what is joined by a sign is side by side", async () => {
	const c = (await makeChannel(alice, { name: "words" })).id;
	const all = ["the quick brown fox", "brown quick foxes", "quicksilver", "a fox, quick!", "Fox"];
	await bothWays(
		async () => {
			for (const s of all) await say(alice, c, s);
		},
		async (state) => {
			const is = async (q, ...at) => assert.deepEqual(await texts(alice, `in:words ${q}`), at.map((i) => all[i]).reverse(), `${state}: ${q}`);
			await is("quick", 0, 1, 2, 3);
			await is('"quick"', 0, 1, 3);
			await is("fox quick", 0, 1, 3);
			await is('"fox" quick', 0, 3);
			await is('"quick brown"', 0);
			await is("quick-brown", 0);
			await is('"brown quick"', 1);
			await is('"fox quick"', 3);
			await is("“fox quick”", 3);
			await is("qui fo", 0, 1, 3);
			await is("uick");
			await is("a", 3);
			await is('quick "brown fo"');
		},
	);
	const ranked = (await find(alice, "in:words quick fox")).results.map(textOf);
	assert.deepEqual(ranked, ["brown quick foxes", "a fox, quick!", "the quick brown fox"]);
	assert.deepEqual((await find(alice, "in:words fox", { sort: "rank" })).results.map(textOf)[0], "Fox");
});

test("hits are pieces of the text as it is, nothing is HTML; a long text is cut around its first hit", async () => {
	const c = (await makeChannel(alice, { name: "snippets" })).id;
	await say(alice, c, "<b>Straße</b> & \"strasse\"\nSTRASSEN");
	const [one] = (await find(alice, "in:snippets strasse")).results;
	assert.deepEqual(one.snippet, [
		{ text: "<b>" },
		{ text: "Straße", hit: true },
		{ text: "</b> & \"" },
		{ text: "strasse", hit: true },
		{ text: "\" " },
		{ text: "STRASSEN", hit: true },
	]);
	assert.equal(one.channel, c);
	assert.equal(one.sender, (await me(alice)).id);
	assert.match(one.created_at, /^\d{4}-.*Z$/);
	await say(alice, c, `${"lorem ipsum ".repeat(200)}needle ${"dolor sit ".repeat(200)}`);
	const [cut] = (await find(alice, "in:snippets needle")).results;
	const text = textOf(cut);
	assert.ok(text.length < 260 && text.startsWith("…") && text.endsWith("…") && text.includes("needle"), text);
	await say(alice, c, `${"東".repeat(500)}京都${"西".repeat(500)}`);
	assert.match(textOf((await find(alice, "京都")).results[0]), /^…東+京都西+…$/);
});

test("filters: from, in, has, before, after; wrong ones name q", async () => {
	const c = (await makeChannel(alice, { name: "Filter Room" })).id;
	const bobs = (await me(bob)).id;
	ok(await alice.post(`/api/v1/channels/${c}/members`, { user: bobs }), 201);
	await bothWays(
		async () => {
			await say(alice, c, "kettle one https://example.test/x");
			await say(bob, c, "kettle two");
			const naming = { ...message(""), body: { text: "kettle three", mentions: [bobs] } };
			ok(await alice.post(`/api/v1/channels/${c}/messages`, naming), 201);
			const direct = ok(await alice.post("/api/v1/channels", { kind: "direct", members: [bobs] }), 201);
			await say(alice, direct.id, "kettle four");
			ok(await alice.patch("/api/v1/me", { time_zone: "Pacific/Auckland" })); // 13 hours ahead then
			for (const [seq, at] of [[1, "2026-01-02 10:59:59.999Z"], [2, "2026-01-02 11:00Z"]])
				await stack.psql(`UPDATE messages SET created_at = '${at}' WHERE channel_id = ${c} AND seq = ${seq}`);
		},
		async () => {
			const is = async (q, ...want) => assert.deepEqual((await texts(alice, q)).map((s) => s.split(" ")[1]), want, q);
			await is("kettle", "four", "three", "two", "one");
			await is("kettle from:bob", "two");
			await is("kettle from:@bob from:me", "four", "three", "two", "one");
			await is("kettle from:me", "four", "three", "one");
			await is('kettle in:"filter room"', "three", "two", "one");
			await is("kettle in:@bob", "four");
			await is('kettle in:@bob in:"Filter Room" from:bob', "two");
			await is("kettle has:link", "one");
			await is("has:mention kettle", "three");
			await is("kettle has:link has:mention");
			await is("kettle has:file");
			const tomorrow = new Date(Date.now() + 2 * 86400e3).toISOString().slice(0, 10);
			await is(`kettle before:${tomorrow} after:2020-01-01 from:bob`, "two");
			await is(`kettle after:${tomorrow}`);
			// to the second, by the days of her zone
			await is("kettle before:2026-01-02");
			await is("kettle before:2026-01-03", "one");
			await is("kettle after:2026-01-02 before:2026-01-03", "one");
			await is("kettle after:2026-01-03 before:2026-01-04", "two");
			await is("kettle after:2026-01-04", "four", "three");
		},
	);
	// what files will be in a body
	await stack.psql(`UPDATE messages SET body = body || '{"files":[5]}', version = version + 1 WHERE channel_id = ${c} AND seq = 2`);
	await stack.psql(`SELECT emit_event('p', 'message.updated', ${c}, 0, 2, '{}')`);
	assert.deepEqual(await texts(alice, "has:file"), ["kettle two"]);
	await indexed();
	assert.deepEqual(await texts(alice, "has:file"), ["kettle two"]);

	const bad = ["", "  ", "!!! …", "from:", "from:nobody.at.all", "in:nowhere", "has:wings", "before:yesterday", "before:2026-02-30", "after:26-1-1"];
	bad.push("before:2026-01-01 before:2026-01-02", "x".repeat(257), Array(17).fill("x").join(" "), "from:a ".repeat(9));
	for (const q of bad) problem(await alice.get(path(q)), 400, "bad_field", "q");
	problem(await alice.get("/api/v1/search"), 400, "bad_field", "q");
	problem(await alice.get(path("x", { sort: "best" })), 400, "bad_field", "sort");
	problem(await alice.get(path("x", { limit: 51 })), 400, "bad_field", "limit");
	for (const before of ["", "x", "d", "d0", "d-1", "r1", "r1.2", "1"])
		problem(await alice.get(path("x", { sort: "date", before })), 400, "bad_field", "before");
	for (const before of ["d1", "r1", "r1.2", "r.1.2", "r1.2.x"]) problem(await alice.get(path("x", { before })), 400, "bad_field", "before");
});

test("an edit is found by its new words and no longer by its old, a deletion never; what is stored of a deleted text goes", async () => {
	const c = (await makeChannel(alice, { name: "changes" })).id;
	const a = await say(alice, c, "walrus of old");
	const b = await say(alice, c, "walrus to go");
	await indexed();
	const held = await notIndexed();
	try {
		await stack.psql(`UPDATE messages SET body = '{"text":"penguin of now"}', version = 2, edited_at = now()
			WHERE channel_id = ${c} AND seq = ${a.seq}`);
		await stack.psql(`SELECT emit_event('p', 'message.updated', ${c}, 0, ${a.seq}, '{}')`);
		ok(await alice.delete(`/api/v1/channels/${c}/messages/${b.seq}`));
		assert.deepEqual(await texts(alice, "walrus"), []);
		assert.deepEqual(await texts(alice, "penguin"), ["penguin of now"]);
		assert.ok((await find(alice, "penguin")).results[0].edited_at);
	} finally {
		await held.release();
	}
	await indexed();
	assert.deepEqual(await texts(alice, "walrus"), []);
	assert.deepEqual(await texts(alice, "penguin"), ["penguin of now"]);
	assert.equal(await stack.psql(`SELECT count(*) FROM message_index WHERE words::text LIKE '%walrus%'`), "0");
});

test("pages by date and by rank: each match once, also while new ones come; the rest is said", async () => {
	const c = (await makeChannel(alice, { name: "pages" })).id;
	const words = ["pelican", "pelicans", "pelican pelican", "a pelican of the very long kind that goes on and on for many words"];
	const held = await notIndexed();
	for (let i = 0; i < 30; i++) await say(alice, c, `${words[i % 4]} ${i}`);
	await held.release();
	await indexed();
	const later = await notIndexed();
	for (let i = 30; i < 40; i++) await say(alice, c, `${words[i % 4]} ${i}`);
	for (const sort of ["date", "rank"]) {
		const seen = [];
		let before, extra = 0;
		do {
			const page = await find(alice, "in:pages pelican", { sort, limit: 7, ...(before && { before }) });
			assert.ok(page.complete);
			assert.ok(page.results.length === 7 || page.next === null);
			seen.push(...page.results.map((r) => r.seq));
			before = page.next;
			if (extra++ < 2) await say(alice, c, "pelican that came in between");
		} while (before);
		assert.equal(new Set(seen).size, seen.length, sort);
		const first = sort === "date" ? 40 : 42;
		assert.deepEqual([...seen].sort((a, b) => a - b), Array.from({ length: first }, (_, i) => i + 1), sort);
		if (sort === "date") assert.deepEqual(seen, Array.from({ length: first }, (_, i) => first - i));
	}
	await later.release();
});

test("the index is made anew where the log no longer reaches back, by any process, and by pulsechat maintain", async () => {
	await indexed();
	const held = await notIndexed();
	try {
		await stack.psql("TRUNCATE message_index, search_parts; UPDATE search_state SET event = -5");
		const page = await find(alice, "上海");
		assert.equal(page.complete, false); // and says so: what is older than the log's end is not looked through
	} finally {
		await held.release();
	}
	await until(async () => (await find(alice, "上海")).complete, { what: "complete again" });
	assert.deepEqual(await texts(alice, "上海"), [SAID[0]]);
	const { stdout } = await stack.cli(["maintain"]);
	assert.match(stdout, /search index: \d+/);
});

test("random texts and queries: found is exactly what the definition says", async () => {
	const seed = Number(process.env.SEED ?? Date.now() % 1e6);
	let state = seed + 1;
	const below = (n) => ((state = (state * 48271) % 2147483647), state % n);
	const alphabet = ["a", "b", "é", "上", "海", "ン", "ก", " ", " ", "-", "ß"];
	const word = (n) => Array.from({ length: 1 + below(n) }, () => alphabet[below(alphabet.length)]).join("");
	// the definition: words and single characters, folded
	const unit = /[上海ンก]/;
	const cut = (s) => {
		const out = [];
		let joined = false;
		for (const ch of s) {
			const f = { é: "e", ß: "ss" }[ch] ?? ch;
			if (unit.test(ch)) out.push({ unit: true, text: f, joined }), (joined = true);
			else if (/[ -]/.test(ch)) out.push(null), (joined = false);
			else {
				if (out.at(-1) && !out.at(-1).unit) out.at(-1).text += f;
				else out.push({ text: f });
				joined = false;
			}
		}
		return out.filter(Boolean);
	};
	const fits = (q, whole, t, at) =>
		q.every((w, i) => {
			const x = t[at + i];
			if (!x || !!x.unit !== !!w.unit || (i && w.joined && !x.joined)) return false;
			const begin = i === q.length - 1 && !whole && !(!w.unit && w.text.length === 1);
			return begin ? x.text.startsWith(w.text) : x.text === w.text;
		});
	const matches = (terms, t) => terms.every(({ tokens, whole }) => t.some((_, at) => fits(tokens, whole, t, at)));
	const c = (await makeChannel(alice, { name: "random" })).id;
	const all = [];
	for (let i = 0; i < 60; i++) {
		const text = `${word(14)} .`.trim();
		const r = await send(alice, c, text);
		if (r.status === 201) all.push(text);
		if (i === 30) await indexed();
	}
	for (let i = 0; i < 150; i++) {
		const whole = below(3) === 0;
		const pieces = whole ? [word(5)] : word(6).split(" ");
		const terms = pieces.map((p) => ({ whole, tokens: cut(p) })).filter((x) => x.tokens.length);
		if (!terms.length) continue;
		const q = `in:random ${whole ? `"${pieces[0]}"` : pieces.join(" ")}`;
		const want = all.filter((s) => matches(terms, cut(s))).reverse();
		const got = [];
		for (let before; ; ) {
			const page = await find(alice, q, { sort: "date", limit: 50, ...(before && { before }) });
			got.push(...page.results.map(textOf));
			if (!(before = page.next)) break;
		}
		assert.deepEqual(got, want, `seed ${seed}: ${q}`);
	}
});
