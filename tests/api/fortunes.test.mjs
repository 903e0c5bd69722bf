// fortunes: ten thousand messages of real text in many scripts, by fifty writers at once: numbers without a gap, no duplicates, and
// the table holds what was sent, to the byte; what readers were told live on both transports is the table, in its order. The
// texts are those of Debian's fortunes packages.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { readFileSync, readdirSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { startStack, until } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { follow, openWs } from "../support/realtime.mjs";
import { allMessages, assertGapFree, makeChannel, me, ok, problem, send } from "./help.mjs";

const ROOT = "/usr/share/games/fortunes",
	COUNT = 10000,
	WRITERS = 50;
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/;
let stack, people, channel;

function* files(dir) {
	for (const name of readdirSync(dir).sort()) {
		const path = join(dir, name),
			stat = lstatSync(path);
		if (stat.isDirectory()) yield* files(path);
		else if (stat.isFile() && !name.endsWith(".dat")) yield path;
	}
}

/** From every file in turn, until there are enough: so all scripts are in. */
function fortunes() {
	const piles = [];
	for (const path of files(ROOT)) {
		const bytes = readFileSync(path);
		let text;
		try {
			text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
		} catch {
			text = new TextDecoder("koi8-r").decode(bytes);
		}
		piles.push(text.split(/^%\n/m).filter((t) => t.trim() !== ""));
	}
	const found = [];
	for (let i = 0; found.length < COUNT; i++) {
		const row = piles.filter((p) => p.length > i).map((p) => p[i]);
		assert.ok(row.length > 0, `only ${found.length} fortunes: are the packages fortunes, fortunes-de, -it, -ru, -zh there?`);
		found.push(...row);
	}
	return found.slice(0, COUNT);
}

before(async () => {
	stack = await startStack({ provider: false, realtime: 2, api: 2 });
	people = await Promise.all(["alice", "bob", "carol", "dave", "erin"].map((h) => bot(stack, h)));
	channel = (await makeChannel(people[0], { members: await Promise.all(people.slice(1).map(async (p) => (await me(p)).id)) })).id;
});
after(() => stack?.stop());

test("ten thousand fortunes by fifty writers: gap-free, no duplicates, the table is what was sent", async () => {
	const texts = fortunes();
	const scripts = ["Latin", "Cyrillic", "Han"].filter((s) => texts.some((t) => new RegExp(`\\p{Script=${s}}`, "u").test(t)));
	assert.deepEqual(scripts, ["Latin", "Cyrillic", "Han"]);
	const sockets = [await openWs(people[0], { via: "realtime1" }), await openWs(people[1], { via: "realtime2" })];
	const polls = [follow(people[2], { cursor: sockets[0].hello.cursor }), follow(people[3], { cursor: sockets[0].hello.cursor })];
	const sent = new Map();
	let next = 0,
		refused = 0;
	async function writer(n) {
		const who = people[n % people.length];
		while (next < texts.length) {
			let text = texts[next++];
			// overstrikes and the like, and what is over the limit: refused by name, then sent as a person would
			if (CONTROL.test(text) || [...text].length > 20000) {
				problem(await send(who, channel, text), 400, "bad_field", "body.text");
				refused++;
				text = [...text.replace(new RegExp(CONTROL, "g"), "")].slice(0, 20000).join("");
			}
			const id = randomUUID();
			const m = ok(await send(who, channel, text, id), 201);
			assert.equal(m.body.text, text);
			assert.ok(!sent.has(m.seq), `seq ${m.seq} twice`);
			sent.set(m.seq, { id, text, sender: m.sender });
		}
	}
	const began = Date.now();
	await Promise.all(Array.from({ length: WRITERS }, (_, n) => writer(n)));
	const seconds = (Date.now() - began) / 1000;
	console.log(`# ${COUNT} messages in ${seconds.toFixed(1)} s, ${refused} refused at first`);
	assert.equal(sent.size, COUNT);
	assertGapFree([...sent.keys()].sort((a, b) => a - b));
	// by history, page by page
	const all = await allMessages(people[0], channel);
	assertGapFree(all.map((m) => m.seq));
	for (const m of all) {
		const s = sent.get(m.seq);
		assert.deepEqual([m.client_id, m.sender, m.body], [s.id, s.sender, { text: s.text }]);
	}
	// by the table: one digest over all
	const mine = createHash("md5");
	for (let seq = 1; seq <= COUNT; seq++) mine.update(createHash("md5").update(sent.get(seq).text).digest("hex"));
	const table = `SELECT count(*), count(DISTINCT client_id), md5(string_agg(md5(body->>'text'), '' ORDER BY seq))
		FROM messages WHERE channel_id = ${channel}`;
	assert.equal(await stack.psql(table), `${COUNT}|${COUNT}|${mine.digest("hex")}`);
	const log = `SELECT count(*), max(id) - min(id) + 1, bool_and(ordered)
		FROM (SELECT id, subject > lag(subject, 1, 0::bigint) OVER (ORDER BY id) AS ordered
		FROM events WHERE channel_id = ${channel} AND type = 'message') e`;
	assert.equal(await stack.psql(log), `${COUNT}|${COUNT}|t`);
	// by what the readers were told
	for (const reader of [...sockets, ...polls]) {
		await until(() => reader.messages.length >= COUNT, { ms: 30000, what: "the whole of it" });
		assertGapFree(reader.messages.map((m) => m.seq));
		assert.equal(reader.messages.length, COUNT);
		for (const m of reader.messages) assert.deepEqual([m.client_id, m.body.text], [sent.get(m.seq).id, sent.get(m.seq).text]);
	}
	await Promise.all([...sockets.map((s) => s.close()), ...polls.map((r) => r.stop())]);
});
