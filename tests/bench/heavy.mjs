// heavy: what a site of a million messages answers, beside the same statements run by pgbench: a page of history, search, the unread
// list, the side bar. One client, so that each figure is a latency and nobody waits for somebody else.

import { rng } from "../support/random.mjs";
import { makeMillion } from "./million.mjs";
import { pgbench, quiet, startSite, statement } from "./site.mjs";

const P95_SEARCH = 200; // ms
const MADE = 90; // s, of the generator with what the database takes to store it
const two = (x) => x?.toFixed(2);
const FAR = "9007199254740991";

function percentiles(times) {
	const s = [...times].sort((a, b) => a - b);
	const at = (p) => s[Math.min(s.length - 1, Math.floor(s.length * p))];
	return { n: s.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
const say = (p) => `p50/p95/p99 ${two(p.p50)}/${two(p.p95)}/${two(p.p99)} ms`;

const escape = (s) => s.replaceAll("'", "''");
const fold = (w) => w.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ß", "ss").replaceAll("ø", "o");

/** What is looked for: {q, template}: the template of a tsquery is what the site makes of q, for pgbench. */
function queries(words) {
	const list = [];
	const add = (q, ...lexemes) =>
		list.push({ q, template: lexemes.map((l) => `'%${l}'`.replace(/\*'$/, "':*")).join("&") });
	const han = (i) => String.fromCodePoint(0x4e00 + i * 6);
	// common, known, rare; one, two and three words; beginnings of words
	for (const i of [0, 2, 8, 30, 120, 500, 2000, 8000, 30000]) add(words[i], `w${fold(words[i])}*`);
	for (const [i, k] of [[0, 1], [3, 40], [10, 900]]) add(`${words[i]} ${words[k]}`, `w${fold(words[i])}*`, `w${fold(words[k])}*`);
	add(`${words[5]} ${words[60]} ${words[7]}`, ...[5, 60, 7].map((i) => `w${fold(words[i])}*`));
	add(`"${words[4]} ${words[2]}"`, `w${fold(words[4])}`, `w${fold(words[2])}`);
	for (const w of ["ba", "tion", "men"]) add(w, `w${w}*`);
	// scripts without spaces: one character, two, three
	add(han(2), `w${han(2)}*`);
	add(han(1) + han(5), `w${han(1)}${han(5)}*`);
	add(han(40) + han(3) + han(0), `w${han(40)}${han(3)}`, `w${han(3)}${han(0)}*`);
	add("nothing-of-this-name", "wnothing", "wof", "wthis", "wname*");
	add(`has:link ${words[1]}`, `w${fold(words[1])}*`, "hlink");
	return list;
}

export async function million(cell, { quick, patience }) {
	const site = await startSite({ proxied: true, conf: { "rate.session": 0, "rate.address": 0 } });
	try {
		const made = await makeMillion(site, { messages: quick ? 2e5 : 1e6, say: (text) => cell.options.debug(text) });
		const [messages, size] = (await site.stack.psql(
			`SELECT count(*), pg_size_pretty(pg_total_relation_size('message_index')) || ', of the messages ' ||
				pg_size_pretty(pg_total_relation_size('messages')) FROM messages`,
		)).split("|");
		const took = `made in ${made.seconds.toFixed(0)} s, of that ${made.indexing.toFixed(0)} s for the search index`;
		cell.say(`${messages} messages, ${took}; its size ${size}`);
		if (!quick) cell.check("1 M messages: made, without the index", made.seconds - made.indexing, { atMost: MADE, unit: " s" });
		const random = rng(7);
		const below = (n) => Math.floor(random() * n);
		const asked = queries(made.spoken.latin);
		const count = quick ? 100 : 400;

		const ask = async (path, user) => {
			const began = performance.now();
			const r = await fetch(site.stack.url + path, { headers: { authorization: `Bearer ${site.tokens[user]}` } });
			const body = await r.json();
			const ms = performance.now() - began;
			if (r.status !== 200) throw new Error(`${path}: ${r.status} ${JSON.stringify(body)}`);
			return { ms, body };
		};
		const roomOf = (user) => {
			const own = made.members.flatMap((list, c) => (list.includes(user) ? [made.ids[c]] : []));
			return own[below(own.length)];
		};
		const session = statement("session_find", ["encode(sha256('\\x00'), 'hex')"]);
		const inRow = made.users.every((id, i) => id === made.users[0] + i);
		if (!inRow) throw new Error("ids are not in a row");
		const reader = `\\set reader random(${made.users[0]}, ${made.users.at(-1)})\n`;
		const find = (q, want) =>
			statement("search_find", [":reader", `'${escape(q.template)}'`, "'infinity'", "'-infinity'", FAR, String(want), "1000"]);
		const searching = (want) =>
			asked.map((q, i) => `${i ? "\\elif" : "\\if"} :k = ${i}\n${find(q, want)}`).join("") + "\\endif\n";
		const cells = [
			{
				name: "history page",
				ours: (user) => `/api/v1/channels/${roomOf(user)}/messages?limit=50&before=${1 + below(900)}`,
				theirs: `${reader}\\set channel random(${made.ids[0]}, ${made.ids.at(-1)})
\\set before random(1, 900)
${session}${statement("history_before", [":channel", ":reader", ":before", "50"])}`,
			},
			{
				name: "search, newest first",
				search: true,
				ours: () => `/api/v1/search?${new URLSearchParams({ q: asked[below(asked.length)].q, sort: "date" })}`,
				theirs: `${reader}\\set k random(0, ${asked.length - 1})\n${session}${searching(64)}`,
			},
			{
				name: "search, best first",
				search: true,
				ours: () => `/api/v1/search?${new URLSearchParams({ q: asked[below(asked.length)].q, sort: "rank" })}`,
				theirs: `${reader}\\set k random(0, ${asked.length - 1})\n${session}${searching(512)}`,
			},
			{
				name: "unread list",
				ours: () => "/api/v1/me/unread",
				theirs: `${reader}${session}${statement("unread_list", [":reader", "false"])}`,
			},
			{
				name: "side bar",
				ours: () => "/api/v1/channels?limit=200",
				theirs: `${reader}${session}${statement("channel_list_mine", [":reader", "0", "200"])}`,
			},
		];
		cell.figures = {};
		for (const c of cells) {
			await quiet(patience);
			for (let i = 0; i < 20; i++) await ask(c.ours(below(1000)), below(1000)).catch(() => {}); // warm
			const times = [];
			let found = 0;
			for (let i = 0; i < count; i++) {
				const user = below(1000);
				const { ms, body } = await ask(c.ours(user), user);
				times.push(ms);
				found += body.results?.length ?? 0;
				if (body.complete === false) cell.faults.push(`${c.name}: not complete`);
			}
			const ours = percentiles(times);
			const theirs = await pgbench(site, c.theirs, { clients: 1, seconds: quick ? 2 : 5, log: true });
			const many = c.search ? `, ${(found / count).toFixed(1)} found` : "";
			cell.say(`${c.name}: ${say(ours)}${many}; pgbench with the same statements ${say(theirs)}`);
			cell.figures[c.name] = { ours, pgbench: theirs };
			if (c.search) cell.check(`${c.name}, 1 M messages: p95`, ours.p95, { atMost: P95_SEARCH, unit: " ms" });
		}

		// what a message costs the index where it is filled as messages are sent
		const n = quick ? 4096 : 16384;
		await site.stack.down("api1");
		const before = await site.stack.psql("SELECT stream_head()");
		await site.stack.psql(
			`INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body)
SELECT o.channel_id, l.seq + row_number() OVER (PARTITION BY o.channel_id), o.sender, gen_random_uuid(), now(), o.body
FROM (SELECT * FROM messages TABLESAMPLE SYSTEM (20) LIMIT ${n}) o
JOIN LATERAL (SELECT seq FROM messages x WHERE x.channel_id = o.channel_id ORDER BY seq DESC LIMIT 1) l ON true;
INSERT INTO events (id, kind, type, channel_id, audience, subject)
SELECT ${before} + row_number() OVER (ORDER BY id), 'm', 'message', channel_id, 0, seq FROM (SELECT * FROM messages ORDER BY id DESC LIMIT ${n}) m;`,
			{ user: "postgres" },
		);
		await quiet(patience);
		const began = performance.now();
		await site.stack.cli(["maintain"]);
		const us = ((performance.now() - began) * 1000) / n;
		cell.say(`indexing ${n} messages behind the writer: ${us.toFixed(0)} µs each (pulsechat and PostgreSQL together, one after the other)`);
		cell.figures.indexing = us;
		await site.stack.up("api1");
	} finally {
		await site.stop();
	}
}
