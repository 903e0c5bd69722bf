// soak: random faults under 300 clients on all transports, then each client's log is compared with the table: no loss, no double, no
// disorder, and nothing acknowledged is missing.
//   node tests/chaos/soak.mjs [--seconds 600] [--seed N] [--clients 300] [--rate 40] [--variant plain] [--faults "lose_notify 0.02"]
//   make soak SECONDS= SEED=
// The report goes to build/soak/, as JSON and as a short text. soak(options) is the same for tests; it returns {seed, seconds,
// transports (clients of each), heard (messages that each has brought), faults, counts, waits, wrong: [{kind, text}]}.
// Every transport takes part, and every kind of fault: what has not come up by itself does towards the end.
// A seed gives the same faults at the same times; what they meet differs from run to run.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { people, channels } from "../bench/site.mjs";
import { ROOT, startStack } from "../support/stack.mjs";
import { FAULTS } from "./faults.mjs";
import { TRANSPORTS, fingerprint, hasOps } from "./clients.mjs";
import { rng } from "../support/random.mjs";
import { relayDatabase, sleep, startRelay } from "./help.mjs";

const EACH = 4; // s that a fault takes, with the pause after it

/**
 * seconds, seed, clients, rate (messages a second of all), variant.
 * env: for the C programs, PC_FAULTS among it.     script: [{at: seconds, name}] instead of random faults.     say: (text) => …
 * least: so many messages are acknowledged, else it goes on, for three times as long at most.
 * enough: (faults that clients have met so far) => true to end at once, without a comparison at the end.
 */
export async function soak(options = {}) {
	const { seconds = 600, clients: count = 300, rate = 40, variant, env = {}, script, least = 0, enough, say = () => {} } = options;
	let { seed } = options;
	seed ??= (Math.random() * 2 ** 31) | 0;
	say(`seed ${seed}`);
	const random = rng(seed);
	const pick = (list) => list[Math.floor(random() * list.length)];
	const stack = await startStack({
		...(variant && { variant }),
		api: 1,
		realtime: 2,
		supervise: true,
		only: ["postgres", "devidp"],
		conf: { "log.level": "warning", "realtime.ping_interval": "5s", "realtime.pong_timeout": "5s" },
		env,
	});
	const relay = await startRelay();
	const wrong = [];
	const faults = [];
	const all = [];
	const transports = {};
	let stopError = null;
	try {
		await relayDatabase(stack, relay);
		await Promise.all(["api1", "realtime1", "realtime2", "lighttpd"].map((n) => stack.up(n)));
		const ports = { web: await relay.open("web", 0, stack.port) };
		ports.direct = [
			await relay.open("direct1", 0, stack.socket("realtime1")),
			await relay.open("direct2", 0, stack.socket("realtime2")),
		];
		ports.api = join(stack.runDir, "relay", "api.sock");
		await relay.open("api", ports.api, stack.socket("api1"));

		// a third as many people as clients; each is in 4 channels, which have about 12 members
		const site = { stack, tokens: [], host: stack.host, ports };
		const persons = Math.ceil(count / 3);
		const rooms = Math.max(4, Math.ceil(persons / 3));
		await people(site, persons);
		const members = Array.from({ length: rooms }, () => []);
		const mine = [];
		for (let u = 0; u < persons; u++) {
			mine.push([0, 1, 2, 3].map((k) => (u + k * 5) % rooms).filter((c, i, l) => l.indexOf(c) === i));
			for (const c of mine[u]) members[c].push(u);
		}
		const ids = await channels(site, "soak", members);
		const users = mine.map((list, u) => ({ token: site.tokens[u], channels: list.map((c) => ids[c]) }));
		const has = [];
		for (const t of TRANSPORTS) {
			if (t.here && !(await t.here(site, users[0]))) throw new Error(`${t.name} is not there`);
			has.push(...Array(t.share).fill(t));
		}
		site.ops = await hasOps(site, users[0]);
		if (!site.ops) throw new Error("POST /api/v1/ops is not there");
		for (let i = 0; i < count; i++) {
			const how = has[i % has.length];
			const proxied = (i + Math.floor(i / has.length)) % 2 === 0;
			const name = `${i} ${how.name} ${proxied ? "lighttpd" : "direct"}`;
			const client = new how.make(site, name, users[i % persons], { proxied, random: rng(seed + 1 + i), wait: how.wait });
			client.transport = how.name;
			all.push(client);
			transports[how.name] = (transports[how.name] ?? 0) + 1;
		}
		for (const c of all) {
			c.start();
			if (all.indexOf(c) % 20 === 19) await sleep(20);
		}
		await waitFor(
			() => all.every((c) => c.cursor !== undefined),
			60000,
			() => `${all.filter((c) => c.cursor === undefined).length} clients got no cursor`,
		);
		say(`${count} clients follow: ${list(transports)}; some send by POST /api/v1/ops`);

		const began = Date.now();
		const now = () => (Date.now() - began) / 1000;
		let writing = true;
		let texts = 0;
		const writer = (async () => {
			const r = rng(seed ^ 0x5bd1e995);
			while (writing) {
				const c = all[Math.floor(r() * all.length)];
				if (c.pending.size < 3)
					c.send(
						c.user.channels[Math.floor(r() * c.user.channels.length)],
						`${texts++} ${"x".repeat(Math.floor(r() * 300))}`,
					);
				await sleep((2000 / rate) * r());
			}
		})();

		// --- faults
		const links = ["web", "direct1", "direct2", "db", "api"];
		const found = () => enough?.(all.flatMap((c) => c.faults));
		const sql = async (text) => {
			try {
				return (await stack.psql(text, { user: "postgres" })).split("\n").filter(Boolean);
			} catch {
				return []; // the database is away
			}
		};
		const under = [];
		const start = (fault) => {
			const entry = { at: Number(now().toFixed(1)), name: fault.name };
			faults.push(entry);
			const context = { stack, relay: relay.send, links, random, pick, sleep, sql, note: (t) => (entry.what = t) };
			const p = fault.run(context).then(
				() => say(`${String(entry.at).padStart(6)} s  ${entry.name}${entry.what ? `: ${entry.what}` : ""}`),
				(e) => {
					entry.failed = e.message.split("\n")[0];
					say(`${String(entry.at).padStart(6)} s  ${entry.name}: could not: ${entry.failed}`);
				},
			);
			under.push(p);
			return p;
		};
		if (script) {
			for (const s of [...script, { at: seconds }]) {
				while (now() < s.at && !found()) await sleep(Math.min(100, Math.max(1, s.at * 1000 - (Date.now() - began))));
				if (found()) break;
				if (s.name) start(FAULTS.find((f) => f.name === s.name));
			}
		} else {
			const total = FAULTS.reduce((n, f) => n + f.weight, 0);
			await sleep(2000);
			const acked = () => all.reduce((n, c) => n + c.acked.length, 0);
			const lacking = () => FAULTS.filter((f) => !faults.some((did) => did.name === f.name && !did.failed));
			while ((now() < seconds || ((acked() < least || lacking().length > 0) && now() < 3 * seconds)) && !found()) {
				let w = random() * total;
				let fault = FAULTS.find((f) => (w -= f.weight) < 0) ?? FAULTS[0];
				const missed = lacking();
				if (missed.length > 0 && seconds - now() < EACH * missed.length) [fault] = missed;
				const p = start(fault);
				if (random() < 0.6) await p; // others overlap
				await sleep(300 + random() * 2700);
			}
		}
		await Promise.all(under);
		for (const f of script ? [] : FAULTS)
			if (!found() && !faults.some((did) => did.name === f.name && !did.failed)) wrong.push({ kind: "fault that did not run", text: f.name });
		for (const link of links) {
			relay.send({ op: "delay", link, ms: 0 });
			relay.send({ op: "thaw", link });
		}
		for (const pid of Object.values(stack.pids)) if (pid) process.kill(pid, "SIGCONT");
		await Promise.all(["postgres", "api1", "realtime1", "realtime2", "lighttpd"].map((n) => stack.up(n, 30000)));
		writing = false;
		await writer;
		if (found()) {
			for (const f of all.flatMap((c) => c.faults)) wrong.push({ kind: f.kind, text: `client ${f.client}: ${f.text}` });
			return { seed, seconds: Math.round(now()), transports, heard: heard(all), faults, counts: total(all), waits: waits(all), wrong };
		}
		if (relay.ended()) throw new Error("the relay has ended");
		say(`faults are over: ${faults.length}; waiting for the clients`);

		// --- everything is sent, everyone has it
		const unsent = () => all.reduce((n, c) => n + c.pending.size, 0);
		await waitFor(() => unsent() === 0, 60000).catch(() =>
			wrong.push({ kind: "unanswered", text: `${unsent()} messages got no answer within 60 s after the last fault` }),
		);
		const table = await read(stack);
		const isBehind = (c) =>
			c.user.channels.some((ch) => (table.get(ch)?.length ?? 0) > 0 && (c.last.get(ch) ?? 0) < table.get(ch).length);
		const behind = () => all.filter(isBehind).length;
		say(`${unsent()} messages have no answer; ${behind()} clients are behind`);
		const limit = Date.now() + 45000;
		await waitFor(() => behind() === 0, limit - Date.now()).catch(() => {});
		await sleep(1500); // what comes too often comes now
		const late = {};
		for (const c of all) if (isBehind(c)) late[c.transport] = (late[c.transport] ?? 0) + 1;
		if (Object.keys(late).length) say(`still behind: ${list(late)}`);
		for (const c of all) compare(c, table, wrong);
		await check(stack, all, table, wrong);
	} finally {
		await Promise.all(all.map((c) => c.stop()));
		try {
			await stack.stop();
		} catch (e) {
			stopError = e;
		}
		relay.stop();
	}
	if (stopError) wrong.push({ kind: "program", text: stopError.message });
	for (const [name, n] of Object.entries(heard(all))) if (!stopError && n === 0) wrong.push({ kind: "silent transport", text: name });
	return { seed, seconds, transports, heard: heard(all), faults, counts: total(all), waits: waits(all), wrong };
}

const list = (counts) =>
	Object.entries(counts)
		.map(([k, v]) => `${k} ${v}`)
		.join(", ");

/** How many messages each transport has brought. */
function heard(all) {
	const n = Object.fromEntries(TRANSPORTS.map((t) => [t.name, 0]));
	for (const c of all) n[c.transport] += c.counts.messages;
	return n;
}

function total(all) {
	const counts = { sent: 0, acked: 0 };
	for (const c of all) {
		counts.acked += c.acked.length;
		for (const [k, v] of Object.entries(c.counts)) counts[k] = (counts[k] ?? 0) + v;
	}
	counts.sent = counts.acked + all.reduce((n, c) => n + c.pending.size, 0);
	return counts;
}

/** From a message's first try to its answer, over all that broke between: milliseconds. */
function waits(all) {
	const ms = all.flatMap((c) => c.acked.map((a) => a.ms)).sort((x, y) => x - y);
	const at = (share) => ms[Math.min(ms.length - 1, Math.floor(ms.length * share))];
	return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: ms.at(-1) };
}

/** A short text of what soak() returns. */
export function reportText(r) {
	const byName = {};
	for (const f of r.faults) byName[f.name] = (byName[f.name] ?? 0) + 1;
	return [
		`Soak of ${r.seconds} s, seed ${r.seed}, ${Object.values(r.transports).reduce((n, v) => n + v, 0)} clients: ${list(r.transports)}.`,
		`${r.faults.length} faults: ${list(byName)}.`,
		`Clients: ${list(r.counts)}.`,
		`Messages by transport: ${list(r.heard)}.`,
		`From the first try to the answer, in ms: ${list(r.waits)}.`,
		...r.wrong.slice(0, 40).map((w) => `WRONG ${w.kind}: ${w.text}`),
		r.wrong.length
			? `WRONG: ${list(kinds(r.wrong))}`
			: "Each client's log against the table: no loss, no double, no disorder; nothing acknowledged is missing.",
		"",
	].join("\n");
}

async function waitFor(cond, ms, what = () => "not in time") {
	const end = Date.now() + ms;
	while (!cond()) {
		if (Date.now() > end) throw new Error(what());
		await sleep(50);
	}
}

/** channel -> [{seq, id, clientId, print}], by seq. */
async function read(stack) {
	const out = new Map();
	const text = await stack.psql("SELECT channel_id, seq, id, client_id, body->>'text' FROM messages ORDER BY channel_id, seq");
	for (const line of text.split("\n").filter(Boolean)) {
		const [channel, seq, id, clientId, ...body] = line.split("|");
		const list = out.get(Number(channel)) ?? [];
		out.set(Number(channel), list);
		list.push({ seq: Number(seq), id: Number(id), clientId, print: fingerprint(clientId, body.join("|")) });
	}
	return out;
}

function compare(client, table, wrong) {
	for (const f of client.faults) wrong.push({ kind: f.kind, text: `client ${f.client}: ${f.text}` });
	for (const [channel, log] of client.log) {
		const rows = table.get(channel) ?? [];
		const got = new Map();
		for (let i = 0; i < log.length; i += 2) got.set(log[i], log[i + 1]);
		const missing = rows.filter((r) => !got.has(r.seq)).map((r) => r.seq);
		if (missing.length)
			wrong.push({
				kind: "loss",
				text: `client ${client.name}: ${missing.length} of channel ${channel}, ${missing.slice(0, 5).join(", ")} of ${rows.length}`,
			});
		for (const r of rows)
			if (got.has(r.seq) && got.get(r.seq) !== r.print)
				wrong.push({ kind: "content", text: `client ${client.name}: ${channel}/${r.seq}` });
		for (const seq of got.keys())
			if (seq > rows.length)
				wrong.push({ kind: "phantom", text: `client ${client.name}: ${channel}/${seq} is not in the table` });
	}
}

/** The table by itself, and what was acknowledged. */
async function check(stack, all, table, wrong) {
	const byId = new Map();
	for (const [channel, rows] of table)
		rows.forEach((r, i) => {
			if (r.seq !== i + 1) wrong.push({ kind: "seq", text: `channel ${channel}: ${r.seq} at place ${i + 1}` });
			if (byId.has(r.clientId)) wrong.push({ kind: "stored twice", text: `${channel}/${r.seq} ${r.clientId}` });
			byId.set(r.clientId, { channel, ...r });
		});
	for (const c of all) {
		for (const a of c.acked) {
			const row = byId.get(a.clientId);
			if (!row)
				wrong.push({
					kind: "acknowledged, not stored",
					text: `client ${c.name}: ${a.channel}/${a.seq} ${a.clientId}`,
				});
			else if (row.channel !== a.channel || row.seq !== a.seq || row.id !== a.id)
				wrong.push({
					kind: "acknowledged otherwise",
					text: `client ${c.name}: ${JSON.stringify(a)}, stored as ${row.channel}/${row.seq} ${row.id}`,
				});
		}
	}
	const holes = await stack.psql("SELECT count(*), max(id) - min(id) + 1 FROM events");
	const [n, span] = holes.split("|");
	if (n !== span) wrong.push({ kind: "log", text: `${n} events between ids that are ${span} apart` });
}

/** Kinds of what is wrong with their numbers. */
export function kinds(wrong) {
	const out = {};
	for (const w of wrong) out[w.kind] = (out[w.kind] ?? 0) + 1;
	return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const options = { say: (t) => console.log(t) };
	const args = process.argv.slice(2);
	while (args.length) {
		const a = args.shift();
		if (["--seconds", "--seed", "--clients", "--rate"].includes(a)) options[a.slice(2)] = Number(args.shift());
		else if (a === "--variant") options.variant = args.shift();
		else if (a === "--faults") options.env = { PC_FAULTS: args.shift() };
		else {
			console.error(`soak: ${a}?`);
			process.exit(2);
		}
	}
	const r = await soak(options);
	const dir = join(ROOT, "build/soak");
	mkdirSync(dir, { recursive: true });
	const name = join(dir, `${new Date().toISOString().replace(/[:.]/g, "-")}-seed-${r.seed}`);
	writeFileSync(`${name}.json`, `${JSON.stringify(r, null, "\t")}\n`);
	writeFileSync(`${name}.txt`, reportText(r));
	console.log(`\n${reportText(r)}(${relative(process.cwd(), name)}.txt, .json)`);
	process.exit(r.wrong.length ? 1 : 0);
}
