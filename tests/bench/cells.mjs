// cells: what `make bench` measures. Each cell returns {title, rows, checks}: rows are printed, checks have a bar:
// {name, value, bar, goal?, unit, atMost|atLeast}. Ratios are made within one run, the two sides in turn, medians of the rounds.

import { Load, channels, faults, median, people, pgbench, quiet, sleep, startFloor, startListener, startSite, statement, userIds } from "./site.mjs";
import { crowd } from "./crowd.mjs";
import { million } from "./heavy.mjs";
import { presign } from "./presign.mjs";
import { uploads } from "./upload.mjs";
import { readFileSync } from "node:fs";

const two = (x) => x?.toFixed(2);
const thousands = (x) => `${Math.round(x / 1000)} k/s`;
const named = (o, f) =>
	Object.entries(o)
		.map(([k, v]) => `${k} ${f(v)}`)
		.join(", ");
const range = (n) => Array.from({ length: n }, (_v, i) => i);
const cores = (r) => Object.fromEntries(Object.entries(r.cpu).map(([k, s]) => [k, s / r.seconds]));
const NOISE = 0.3; // of a core, by others: such a figure is marked

/** Whether a rate was held: p99 in time, nothing lost or refused, nearly all of it inside the window. */
export function held(r, deliveries) {
	return (
		r.p99 <= 250 &&
		r.lost === 0 &&
		r.backward === 0 &&
		r.refused === 0 &&
		r.closes === 0 &&
		r.arrived >= 0.9 * deliveries * r.seconds
	);
}

function faultless(r, what, out) {
	out.faults.push(...faults(r).map((f) => `${what}: ${f}`));
}

class Cell {
	constructor(title, options) {
		Object.assign(this, { title, options, rows: [], checks: [], faults: [], samples: [] });
	}

	say(text) {
		this.rows.push(text);
		this.options.say(`  ${text}`);
	}

	check(name, value, { atMost, atLeast, goal, unit = "" }) {
		const bar = atMost ?? atLeast;
		const ok = atMost !== undefined ? value <= atMost : value >= atLeast;
		this.checks.push({ name, value, bar, kind: atMost !== undefined ? "at most" : "at least", goal, unit, ok });
	}

	/** One measurement on a quiet machine; again once where others used the processors meanwhile. */
	async measure(what, f) {
		let r;
		for (let again = 0; again < 2; again++) {
			await quiet(this.options.patience);
			r = await f();
			r.noise = r.other_cpu / r.seconds;
			if (r.noise < NOISE || this.options.patience < 5) break;
		}
		this.samples.push({ what, ...r, series: undefined });
		return r;
	}

	noisy(list) {
		const n = Math.max(...list.map((r) => r.noise));
		return n >= NOISE ? ` (n ${n.toFixed(1)})` : "";
	}
}

// --- fan-out

/** The highest held rate in deliveries a second: up by steps until it fails, then between. */
async function topRate(cell, load, receivers, from, name) {
	const { step, seconds } = cell.options.quick ? { step: 1.7, seconds: 2 } : { step: 1.4, seconds: 3 };
	let low = 0;
	let high = Infinity;
	let best = null;
	let tries = 0;
	for (let rate = from; tries < 14; tries++) {
		await load.open();
		const r = await load.run(rate / receivers, 1, seconds, 8);
		const ok = held(r, rate);
		const got = r.arrived / r.seconds;
		const gen = r.cpu.load / r.seconds;
		cell.samples.push({ what: `${name} top`, rate, ok, ...r, series: undefined });
		cell.options.debug(
			`${name} ${Math.round(rate / 1000)} k/s: ${ok ? "held" : "not held"}, got ${Math.round(got / 1000)} k/s p99 ${r.p99} ms, ` +
				`generator ${gen.toFixed(2)}, lost ${r.lost} refused ${r.refused} closes ${r.closes} ${r.trouble}`,
		);
		if (ok) {
			low = rate;
			best = {
				rate: got,
				p99: r.p99,
				cpu: r.cpu,
				perMillion: null,
				generator: gen,
				arrived: r.arrived,
				seconds: r.seconds,
				r,
			};
			if (high === Infinity) rate *= step;
		} else {
			high = rate;
			await sleep(500);
		}
		if (high < Infinity) {
			if (low === 0) rate = high / step;
			else if (high / low < (cell.options.quick ? 1.4 : 1.12)) break;
			else rate = Math.sqrt(low * high);
		}
	}
	return best ?? { rate: 0, p99: NaN, cpu: {}, generator: NaN, arrived: 0, seconds: 1 };
}

export async function fanout(options, receivers) {
	const cell = new Cell(`Fan-out to ${receivers} WebSockets of one channel`, options);
	const site = await startSite();
	const floor = await startFloor();
	try {
		await people(site, receivers);
		const [channel] = await channels(site, "fan", [range(receivers)]);
		await site.restart();
		const clients = (ch) =>
			range(receivers).map((n) => ({
				kind: "ws",
				token: site.tokens[n],
				channel: ch,
				publisher: n % (receivers / 10) === 0,
			}));
		const ours = await Load.start(site, site.stack.dir, clients(channel));
		const theirs = await Load.start(floor, site.stack.dir, clients(7));
		await ours.open();
		await theirs.open();
		await ours.run(5, 0, 1); // everything is warm
		const calm = { ours: [], theirs: [] };
		const top = { ours: [], theirs: [] };
		for (let round = 0; round < options.rounds; round++) {
			for (const [name, load] of [
				["theirs", theirs],
				["ours", ours],
			]) {
				await load.open();
				const r = await cell.measure(`calm ${name}`, () => load.run(20000 / receivers, 1, options.quick ? 3 : 5));
				faultless(r, `calm ${name}`, cell);
				calm[name].push(r);
			}
		}
		if (!options.calmOnly)
			for (let round = 0; round < options.rounds; round++) {
				await quiet(options.patience);
				top.theirs.push(await topRate(cell, theirs, receivers, 60000, "floor"));
				await quiet(options.patience);
				top.ours.push(await topRate(cell, ours, receivers, 300000, "pulsechat"));
			}
		const per = (r, who) => (r.cpu[who] * 1e6) / r.arrived;
		const floorCalm = median(calm.theirs.map((r) => per(r, "floor")));
		const oursCalm = median(calm.ours.map((r) => per(r, "realtime")));
		const db = median(calm.ours.map((r) => per(r, "postgres")));
		const ratio = median(calm.ours.map((r, i) => per(r, "realtime") / per(calm.theirs[i], "floor")));
		cell.say(
			`calm, 20 k deliveries/s: realtime ${two(oursCalm)} CPU s per million (database ${two(db)}), floor ${two(floorCalm)}: ` +
				`${ratio.toFixed(2)} times${cell.noisy([...calm.ours, ...calm.theirs])}; ` +
				`p50/p99 ${median(calm.ours.map((r) => r.p50))}/${median(calm.ours.map((r) => r.p99))} ms, ` +
				`floor ${median(calm.theirs.map((r) => r.p50))}/${median(calm.theirs.map((r) => r.p99))} ms`,
		);
		cell.check(`fan-out ${receivers}, calm: CPU beside the floor`, ratio, { atMost: 1.3, goal: 1.15, unit: "×" });
		if (!options.calmOnly) {
			const rates = top.ours.map((t) => t.rate);
			const topRatio = median(top.ours.map((t, i) => t.rate / top.theirs[i].rate));
			const at = top.ours[rates.indexOf(median(rates))] ?? top.ours[0];
			cell.say(
				`top at p99 < 250 ms: realtime ${Math.round(median(rates) / 1000)} k/s, floor ` +
					`${thousands(median(top.theirs.map((t) => t.rate)))}: ${two(topRatio)} times; at the top realtime uses ` +
					`${two((at.cpu.realtime * 1e6) / at.arrived)} CPU s per million, p99 ${at.p99} ms, ` +
						`generator ${two(at.generator)} of a core`,
			);
			cell.check(`fan-out ${receivers}, top rate beside the floor's`, topRatio, { atLeast: 3, unit: "×" });
		}
		await ours.stop();
		await theirs.stop();
	} finally {
		await floor.stop();
		await site.stop();
	}
	return cell;
}

// --- long-poll

export async function polls(options) {
	const receivers = 500;
	const cell = new Cell(`Fan-out to ${receivers} long-polls of one channel`, options);
	const site = await startSite();
	const floor = await startFloor();
	try {
		await people(site, receivers + 10);
		const [channel] = await channels(site, "poll", [range(receivers + 10)]);
		await site.restart();
		const clients = (ch, kind) =>
			range(receivers + 10).map((n) => ({
				kind: n < receivers ? kind : "ws",
				token: site.tokens[n],
				channel: ch,
				publisher: n >= receivers,
			}));
		const ours = await Load.start(site, site.stack.dir, clients(channel, "poll"), { browser: true });
		const theirs = await Load.start(floor, site.stack.dir, clients(7, "ws"));
		await ours.open();
		await theirs.open();
		await ours.run(5, 0, 1);
		const calm = { ours: [], theirs: [] };
		const tops = [];
		const floorTops = [];
		for (let round = 0; round < options.rounds; round++)
			for (const [name, load] of [
				["theirs", theirs],
				["ours", ours],
			]) {
				await load.open();
				const r = await cell.measure(`calm ${name}`, () =>
					load.run(20000 / (receivers + 10), 1, options.quick ? 3 : 5),
				);
				faultless(r, `calm ${name}`, cell);
				calm[name].push(r);
			}
		if (!options.calmOnly)
			for (let round = 0; round < options.rounds; round++) {
				await quiet(options.patience);
				floorTops.push(await topRate(cell, theirs, receivers + 10, 60000, "floor"));
				await quiet(options.patience);
				tops.push(await topRate(cell, ours, receivers + 10, 60000, "poll"));
			}
		const per = (r, who) => (r.cpu[who] * 1e6) / r.arrived;
		const ratio = median(calm.ours.map((r, i) => per(r, "realtime") / per(calm.theirs[i], "floor")));
		const p50 = median(calm.ours.map((r) => r.p50));
		const answers = median(calm.ours.map((r) => r.answers / r.seconds));
		cell.say(
			`calm, 20 k deliveries/s: realtime ${median(calm.ours.map((r) => per(r, "realtime"))).toFixed(2)} CPU s per million, floor ` +
				`${two(median(calm.theirs.map((r) => per(r, "floor"))))}: ${two(ratio)} times${cell.noisy([...calm.ours, ...calm.theirs])}; ` +
				`p50/p99 ${p50}/${median(calm.ours.map((r) => r.p99))} ms, ${Math.round(answers)} answers/s`,
		);
		cell.check("long-poll 500, calm: CPU beside the floor", ratio, { atMost: 2.5, goal: 2, unit: "×" });
		cell.check("long-poll 500, calm: p50", p50, { atMost: 60, unit: " ms" });
		if (!options.calmOnly) {
			const rates = tops.map((t) => t.rate);
			const at = tops[rates.indexOf(median(rates))] ?? tops[0];
			const topRatio = median(tops.map((t, i) => per(t, "realtime") / per(floorTops[i], "floor")));
			cell.say(
				`top at p99 < 250 ms: ${Math.round(median(rates) / 1000)} k/s, ${per(at, "realtime").toFixed(2)} CPU s per million ` +
					`(${two(topRatio)} times the floor's at its own top), p99 ${at.p99} ms, generator ${two(at.generator)} of a core`,
			);
			cell.check("long-poll 500, top: CPU beside the floor's at its top", topRatio, { atMost: 2.5, unit: "×" });
		}
		await ours.stop();
		await theirs.stop();
	} finally {
		await floor.stop();
		await site.stop();
	}
	return cell;
}

// --- durable sends

export async function durable(options) {
	// both sides are reached by Unix sockets, as a web server reaches pulsechat-realtime; --tcp: ours by TCP
	const how = options.tcp ? "by TCP, pgbench by its Unix socket" : "both sides by Unix sockets";
	const cell = new Cell(`Durable sends: 500 channels of 4 members, 2,000 writers; ${how}`, options);
	const site = await startSite({ local: !options.tcp });
	try {
		await people(site, 2000);
		const ids = await channels(
			site,
			"durable",
			range(500).map((c) => range(4).map((m) => c * 4 + m)),
		);
		await site.restart();
		await site.stack.psql("CREATE DATABASE peer", { user: "postgres", db: "postgres" });
		await site.stack.psql(
			`CREATE TABLE m (id bigserial PRIMARY KEY, channel bigint NOT NULL, sender bigint NOT NULL, client_id uuid NOT NULL,
			at timestamptz NOT NULL DEFAULT now(), body text NOT NULL);`,
			{ user: "postgres", db: "peer" },
		);
		const script = `\\set c random(1, 500)
\\set s random(1, 2000)
WITH i AS (INSERT INTO m (channel, sender, client_id, body)
	VALUES (:c, :s, gen_random_uuid(), repeat('x', 300)) RETURNING id)
SELECT pg_notify('peer', i.id || ' ' || repeat('x', 450)) FROM i;`;
		const peer = (clients, seconds) => pgbench(site, script, { db: "peer", user: "postgres", clients, seconds });
		const clients = range(2000).map((n) => ({
			kind: "ws",
			token: site.tokens[n],
			channel: ids[Math.floor(n / 4)],
			publisher: true,
		}));
		const load = await Load.start(site, site.stack.dir, clients);
		await load.open();
		await load.closed(0, 2); // warm
		await quiet(options.patience);
		const deaf = [];
		for (const n of [2, 4]) deaf.push((await peer(n, 2)).tps);
		const hub = await startListener(site, "peer", "postgres", "peer"); // a notification is for somebody
		const tried = [];
		for (const n of options.quick ? [4, 16] : [1, 2, 4, 8, 16, 32, 64]) tried.push(await peer(n, 2));
		const bestCount = tried.reduce((a, b) => (b.tps > a.tps ? b : a)).clients;
		cell.say(
			"pgbench, insert + notify in one statement and transaction, prepared, with one listener: " +
				tried.map((t) => `${t.clients}: ${Math.round(t.tps)}/s`).join(", ") +
				`; with nobody listening ${Math.round(Math.max(...deaf))}/s`,
		);
		const seconds = options.quick ? 4 : 10;
		const ours = [];
		const theirs = [];
		for (let round = 0; round < options.rounds; round++) {
			await quiet(options.patience);
			theirs.push(await peer(bestCount, options.quick ? 3 : 6));
			await load.open();
			const r = await cell.measure("sends", () => load.closed(2, seconds));
			faultless(r, "sends", cell);
			ours.push(r);
		}
		const rate = (r) => r.acked / r.seconds;
		const ratio = median(ours.map((r, i) => rate(r) / theirs[i].tps));
		const mid = ours.find((r) => rate(r) === median(ours.map(rate))) ?? ours[0];
		const cpu = cores(mid);
		cell.say(
			`acknowledged ${Math.round(median(ours.map(rate)))}/s, ` +
				`pgbench ${Math.round(median(theirs.map((t) => t.tps)))}/s at ${bestCount} clients: ` +
				`${ratio.toFixed(2)} times${cell.noisy(ours)}; ack p50/p99 ${mid.ack_p50}/${mid.ack_p99} ms, ` +
				`delivered ${Math.round(mid.arrived / mid.seconds)}/s`,
		);
		cell.say(
			`cores in use: ${named(cpu, two)}; ` +
				`us a message: ${Object.entries(mid.cpu)
					.map(([k, v]) => `${k} ${((v * 1e6) / mid.acked).toFixed(0)}`)
					.join(", ")}`,
		);
		cell.check("durable sends beside pgbench", ratio, { atLeast: 3, goal: 5, unit: "×" });
		if (!options.calmOnly) {
			await load.open();
			const hold = options.quick ? 15 : 60;
			const before = await cell.measure("before the snapshot", () => load.closed(2, options.quick ? 5 : 15));
			const snapshot = site.stack
				.psql(
					`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM channels; SELECT pg_sleep(${hold + 6}); COMMIT;`,
				)
				.catch(() => {});
			await sleep(500);
			const during = await cell.measure("under the snapshot", () => load.closed(2, hold));
			await snapshot;
			await load.open();
			const after = await cell.measure("after the snapshot", () => load.closed(2, options.quick ? 5 : 15));
			for (const r of [before, during, after]) faultless(r, "snapshot", cell);
			const tail = during.series.slice(-10);
			const last = tail.reduce((a, b) => a + b, 0) / tail.length;
			const without = (rate(before) + rate(after)) / 2;
			cell.say(
				`with a snapshot open for ${hold} s: ${Math.round(rate(during))}/s, ` +
					`its last 10 s ${Math.round(last)}/s; without it, before and after, ` +
					`${Math.round(rate(before))} and ${Math.round(rate(after))}/s${cell.noisy([before, during, after])}`,
			);
			cell.check("durable sends under an old snapshot, its last 10 s beside without", last / without, {
				atLeast: 0.8,
				unit: "×",
			});
			cell.series = during.series;
		}
		await hub.stop();
		await load.stop();
	} finally {
		await site.stop();
	}
	return cell;
}

// --- idle connections

function rss(pid) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
	return Number(/^Rss:\s+(\d+)/m.exec(text)[1]);
}

export async function idle(options) {
	const n = options.quick ? 2000 : 10000;
	const cell = new Cell(`${n} idle connections to one realtime process, each user in 10 channels`, options);
	const site = await startSite();
	try {
		await people(site, n);
		// n / 10 channels of 100 members: user u is in the channels u + k * 97
		const list = range(n / 10).map(() => []);
		for (let u = 0; u < n; u++) for (let k = 0; k < 10; k++) list[(u + k * 97) % (n / 10)].push(u);
		const ids = await channels(site, "idle", list);
		for (const [kind, bar] of [
			["ws", 6],
			["poll", 8],
		]) {
			await site.restart();
			await sleep(500);
			const pid = site.stack.pids.realtime1;
			const base = rss(pid);
			const clients = range(n).map((u) => ({
				kind,
				token: site.tokens[u],
				channel: ids[u % (n / 10)],
				publisher: false,
			}));
			const load = await Load.start(site, site.stack.dir, clients, { wait: 55 });
			const opened = await load.open();
			await sleep(1000);
			const kb = (rss(pid) - base) / n;
			const name = kind === "ws" ? "WebSocket" : "parked long-poll";
			const r = await cell.measure(`idle ${kind}`, () => load.idle(options.quick ? 5 : 20));
			const share = (r.cpu.realtime / r.seconds) * 100;
			const after = (rss(pid) - base) / n;
			cell.say(
				`${two(kb)} KB a ${name} (${two(after)} after the idle time; the process ${two(base / 1024)} MB before); opened in ` +
					`${opened.seconds} s; idle CPU ${share.toFixed(2)} % of a core${cell.noisy([r])}`,
			);
			cell.check(`memory of an idle ${name}`, Math.max(kb, after), { atMost: bar, unit: " KB" });
			if (kind === "ws") cell.check(`idle CPU at ${n} WebSockets`, share, { atMost: 2, unit: " %" });
			await load.stop();
		}
	} finally {
		await site.stop();
	}
	return cell;
}

export async function proxied(options) {
	const n = options.quick ? 1000 : 5000;
	const cell = new Cell(`${n} connections through lighttpd, half WebSockets, half long-polls`, options);
	const site = await startSite({ proxied: true });
	try {
		await people(site, n);
		const [channel] = await channels(site, "proxied", [range(n)]);
		await site.restart();
		const clients = range(n).map((u) => ({
			kind: u % 2 ? "poll" : "ws",
			token: site.tokens[u],
			channel,
			publisher: u % 2 === 0 && u < 20,
		}));
		const load = await Load.start(site, site.stack.dir, clients, { host: site.stack.host, browser: true });
		const opened = await load.open();
		const r = await cell.measure("proxied", () => load.run(2, 1, options.quick ? 5 : 15, 10));
		faultless(r, "proxied", cell);
		const cpu = cores(r);
		cell.say(
			`opened in ${opened.seconds} s; 2 messages/s to all: p50/p99 ${r.p50}/${r.p99} ms, ${r.answers} answers, lost ${r.lost}, ` +
				`double or out of order ${r.backward}; cores: ${named(cpu, two)}${cell.noisy([r])}`,
		);
		cell.check(`${n} through lighttpd: connected`, opened.open, { atLeast: n });
		cell.check(`${n} through lighttpd: lost`, r.lost + r.backward, { atMost: 0 });
		await load.stop();
	} finally {
		await site.stop();
	}
	return cell;
}

// --- REST

/** What pgbench does in place of a request: the same statements, of `users` people with a channel each, from these ids on. */
export function restScripts(users, channel, reader) {
	const session = statement("session_find", ["encode(sha256('\\x00'), 'hex')"]);
	const first = `\\set k random(0, ${users - 1})
\\set channel ${channel} + :k
\\set reader ${reader} + :k
`;
	const text = `'{"text":"' || repeat('x', 300) || '"}'`;
	const send = statement("write_batch", [
		"ARRAY[:channel]::bigint[]",
		"ARRAY[0]::bigint[]",
		"ARRAY['s']::\"char\"[]",
		"ARRAY[1]",
		"ARRAY[1]",
		"ARRAY[:reader]::bigint[]",
		"ARRAY[gen_random_uuid()]",
		"ARRAY[decode('00112233445566778899aabbccddeeff', 'hex')]",
		"ARRAY[NULL]::bigint[]",
		`ARRAY[${text}]`,
		`ARRAY['"sender":1,"version":1,"body":' || ${text} || '}']`,
		"ARRAY[1]",
		"false",
		"false",
		...Array(10).fill("NULL"), // it names nobody, bears no file, replies to nothing, calls nobody, forwards nothing
	]);
	return {
		send: first + session + send,
		history: first + session + statement("history_before", [":channel", ":reader", "9007199254740991", "51"]),
	};
}

export async function rest(options) {
	const cell = new Cell("REST through lighttpd", options);
	const site = await startSite({ proxied: true });
	try {
		const users = 64;
		await people(site, users);
		const ids = await channels(
			site,
			"rest",
			range(users).map((u) => [u]),
		);
		await site.restart();
		const who = await userIds(site);
		const clients = range(users).map((u) => ({ kind: "http", token: site.tokens[u], channel: ids[u], publisher: false }));
		const load = await Load.start(site, site.stack.dir, clients, { host: site.stack.host });
		await load.open();
		const count = 16;
		const seconds = options.quick ? 2 : 5;
		const contiguous = ids.every((id, i) => id === ids[0] + i) && who.every((id, i) => id === who[0] + i);
		if (!contiguous) throw new Error("ids are not in a row");
		for (const [what, script] of Object.entries(restScripts(users, ids[0], who[0]))) {
			const ours = [];
			const theirs = [];
			for (let round = 0; round < options.rounds; round++) {
				await quiet(options.patience);
				theirs.push(await pgbench(site, script, { clients: count, seconds, log: true }));
				const r = await cell.measure(what, () => load.rest(what, count, 1, seconds));
				faultless(r, what, cell);
				ours.push(r);
			}
			const rates = ours.map((r) => r.acked / r.seconds);
			const mid = ours[rates.indexOf(median(rates))] ?? ours[0];
			const peer = theirs.find((t) => t.tps === median(theirs.map((x) => x.tps))) ?? theirs[0];
			const ratio = median(rates.map((v, i) => v / theirs[i].tps));
			cell.say(
				`${what}, ${count} clients: ${Math.round(median(rates))}/s, p50/p99 ${mid.ack_p50}/${mid.ack_p99} ms; ` +
					"pgbench with the same statements " +
					`${Math.round(peer.tps)}/s, ${two(peer.p50)}/${two(peer.p99)} ms: ${two(ratio)} times${cell.noisy(ours)}; cores: ` +
					named(cores(mid), two),
			);
			cell.figures = { ...cell.figures, [what]: { ours: median(rates), pgbench: peer.tps, ratio } };
		}
		await load.stop();
	} finally {
		await site.stop();
	}
	return cell;
}

export async function presence(options) {
	const cell = new Cell("Presence: users in channels who join, idle, reconnect, come and go", options);
	await crowd(cell, options);
	return cell;
}

export async function signing(options) {
	const cell = new Cell("Signing: addresses of files", options);
	await presign(cell, options);
	return cell;
}

export async function upload(options) {
	const cell = new Cell("Uploads to the local store", options);
	await uploads(cell, options);
	return cell;
}

export async function heavy(options) {
	const cell = new Cell("A site of 1,000,000 messages", options);
	await million(cell, options);
	return cell;
}

export const CELLS = {
	fan1000: (o) => fanout(o, 1000),
	fan2000: (o) => fanout(o, 2000),
	polls,
	durable,
	idle,
	proxied,
	rest,
	presence,
	million: heavy,
	signing,
	upload,
};
