// million: a database of a million messages, as a site has after some years: people, channels of all sizes, words of many languages as
// often as words are (Zipf). Made by COPY, in about a minute; the same for the same seed. The search index is filled by the site
// itself, `pulsechat maintain`.

import { createWriteStream, chmodSync, rmSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { rng } from "../support/random.mjs";
import { channels, people, userIds } from "./site.mjs";

const randomFrom = (seed) => {
	const fraction = rng(seed);
	return { fraction, below: (n) => Math.floor(fraction() * n) };
};

/** A number below n, the small ones often: the k-th about 1/k as often as the first. */
const zipf = (r, n) => Math.floor((n + 1) ** r.fraction()) - 1;

const SYLLABLES = {
	latin: (
		"ba be bi bo bu da de di do du fa fe fi ga ge gi go gu ha he hi ka ke ki ko la le li lo lu ma me mi mo mu na ne ni no nu " +
		"pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi wa we zu tion ment ing ver ent schaft keit ung able " +
		"ness é ä ö ü ñ ç ø ß"
	).split(" "),
	cyrillic: "ба ве ги до жу за ко ле ми но пра ро ста то ура фи хо це ча ше ы я ние ость".split(" "),
	greek: "αλ βε γα δι ευ ζω θη ις κα λο μος νε ξυ πο ρας στη τις φω χα ψη ως ά έ ή".split(" "),
	hangul: "가 나 다 라 마 바 사 아 자 차 카 타 파 하 고 노 도 서 울 한 국 은 는 이 에 서".split(" "),
};
const UNSPACED = {
	han: Array.from({ length: 3000 }, (_v, i) => String.fromCodePoint(0x4e00 + i * 6)),
	kana: Array.from({ length: 80 }, (_v, i) => String.fromCodePoint(0x3042 + i)),
	thai: "กขคงจชซญดตถทนบปผพฟมยรลวสหอะาเแโไ".split(""),
};

/** A vocabulary: words by how often they are used. The most used of Latin are short ones. */
function vocabulary(r, script, n) {
	const list = SYLLABLES[script];
	const words = new Set();
	for (let len = 1; words.size < n; ) {
		const size = words.size;
		let w = "";
		for (let i = 0; i <= len + r.below(2); i++) w += list[r.below(list.length)];
		words.add(w);
		if (words.size > 200 * len ** 3) len = Math.min(len + 1, 5);
		else if (words.size === size) len = Math.min(len + 1, 5);
	}
	return [...words];
}

function writerOf(r) {
	const spoken = Object.fromEntries(Object.keys(SYLLABLES).map((s) => [s, vocabulary(r, s, s === "latin" ? 60000 : 15000)]));
	const spaced = (script) => {
		let text = spoken[script][zipf(r, spoken[script].length)];
		for (let left = 2 + zipf(r, 30); left > 0; left--) text += ` ${spoken[script][zipf(r, spoken[script].length)]}`;
		return text;
	};
	const unspaced = (script) => {
		const list = UNSPACED[script];
		let text = "";
		for (let left = 6 + zipf(r, 60); left > 0; left--) text += list[zipf(r, list.length)];
		return `${text}。`;
	};
	return {
		spoken,
		text() {
			const n = r.below(100);
			let text;
			if (n < 64) text = spaced("latin");
			else if (n < 72) text = spaced("cyrillic");
			else if (n < 75) text = spaced("greek");
			else if (n < 80) text = spaced("hangul");
			else if (n < 90) text = unspaced("han");
			else if (n < 96) text = unspaced("kana");
			else text = unspaced("thai");
			if (r.below(30) === 0) text += ` https://example.test/${r.below(1e6)}`;
			if (r.below(15) === 0) text += " 👍";
			return text;
		},
	};
}

/** 1,000 people; 5 channels of all, 45 of 200, the rest of 20: about 23 for each. */
function rooms(r, peopleN, n) {
	return Array.from({ length: n }, (_v, c) => {
		if (c < 5) return Array.from({ length: peopleN }, (_w, i) => i);
		const size = c < 50 ? 200 : 20;
		const from = r.below(peopleN);
		const step = 1 + 2 * r.below(10);
		return [...new Set(Array.from({ length: size }, (_w, i) => (from + i * step) % peopleN))];
	});
}

/** Fills a fresh site (site.mjs). Returns {ids, rooms, members, words, seconds, index}. */
export async function makeMillion(site, { messages = 1e6, peopleN = 1000, channelsN = 500, seed = 1, say = () => {} } = {}) {
	const r = randomFrom(seed);
	const began = Date.now();
	const sql = (text) => site.stack.psql(text, { user: "postgres" });
	await site.stack.down("api1"); // its thread would fill the index too, at its leisure
	await people(site, peopleN);
	const members = rooms(r, peopleN, channelsN);
	const ids = await channels(site, "room", members);
	const users = await userIds(site);
	const writer = writerOf(r);

	const path = join(site.stack.dir, "messages.copy");
	const out = createWriteStream(path, { highWaterMark: 8 << 20 });
	const seqs = new Uint32Array(channelsN);
	const mentions = [];
	const start = Date.UTC(2024, 0, 1) / 1000;
	const every = (700 * 86400) / messages;
	let chunk = "";
	for (let id = 1; id <= messages; id++) {
		const c = zipf(r, channelsN);
		const seq = ++seqs[c];
		const list = members[c];
		const sender = users[list[zipf(r, list.length)]];
		const hex = id.toString(16).padStart(12, "0");
		const at = new Date((start + id * every) * 1000).toISOString();
		let named = "";
		if (r.below(50) === 0) {
			const who = users[list[r.below(list.length)]];
			if (who !== sender) {
				named = `,"mentions":[${who}]`;
				mentions.push(`${who}\t${ids[c]}\t${seq}`);
			}
		}
		chunk += `${ids[c]}\t${seq}\t${id}\t${sender}\t00000000-0000-4000-8000-${hex}\t${at}\t{"text":"${writer.text()}"${named}}\n`;
		if (chunk.length > 1 << 20) {
			if (!out.write(chunk)) await once(out, "drain");
			chunk = "";
		}
	}
	out.end(chunk);
	await once(out, "finish");
	chmodSync(path, 0o644);
	say(`texts made: ${((Date.now() - began) / 1000).toFixed(0)} s`);
	await sql(`SET maintenance_work_mem = '256MB'; SET synchronous_commit = off;
ALTER TABLE messages DROP CONSTRAINT messages_pkey, DROP CONSTRAINT messages_channel_id_sender_client_id_key;
COPY messages (channel_id, seq, id, sender, client_id, created_at, body) FROM '${path}';
ALTER TABLE messages ADD PRIMARY KEY (channel_id, seq), ADD UNIQUE (channel_id, sender, client_id);
SELECT setval('message_ids', ${messages});
COPY mentions FROM STDIN;
${mentions.join("\n")}
\\.
UPDATE members m SET last_read_seq = l.seq - l.seq * (m.user_id % 20) / 400, counted_seq = l.seq - l.seq * (m.user_id % 20) / 400
FROM (SELECT channel_id, max(seq) AS seq FROM messages GROUP BY 1) l WHERE l.channel_id = m.channel_id;
UPDATE search_state SET walking = true;
VACUUM (ANALYZE) messages; VACUUM (ANALYZE) members; ANALYZE mentions;`);
	rmSync(path);
	const stored = Date.now();
	say(`stored: ${((stored - began) / 1000).toFixed(0)} s`);
	// the words' index in one go; and the rows in the order in which they come where messages are indexed as they are sent
	await sql("DROP INDEX message_index_words_idx");
	await site.stack.cli(["maintain"]);
	await sql(`SET maintenance_work_mem = '512MB';
CLUSTER message_index USING message_index_pkey;
CREATE INDEX message_index_words_idx ON message_index USING gin (words) WITH (fastupdate = on, gin_pending_list_limit = 16384)`);
	const indexed = Date.now();
	await sql("VACUUM (ANALYZE) message_index");
	await site.stack.up("api1");
	say(`indexed: ${((indexed - stored) / 1000).toFixed(0)} s`);
	return { ids, users, members, spoken: writer.spoken, seconds: (Date.now() - began) / 1000, indexing: (indexed - stored) / 1000 };
}
