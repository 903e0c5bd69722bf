// crowd: presence of 2,000 users in 50 channels who join, idle, reconnect at once and come and go. Viewers focus a channel. What is
// counted: frames and bytes a viewer gets, CPU, statements of the database (transactions: each statement is one).

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import WebSocket from "ws";
import { Load, channels, people, sleep, startSite } from "./site.mjs";

const GRACE_S = 2;

/** One user's connection. With a channel he looks at it. */
class Person {
	frames = 0;
	bytes = 0;
	stays = true; // in this phase: who comes back is told anew what he looks at

	constructor(site, token, channel) {
		Object.assign(this, { site, token, channel, instance: randomUUID() });
	}

	open() {
		return new Promise((ok, no) => {
			const ws = new WebSocket(`ws://${this.site.address}/api/v1/ws?instance=${this.instance}`, "pulsechat.v1", {
				headers: { authorization: `Bearer ${this.token}` },
				perMessageDeflate: false,
			});
			this.ws = ws;
			ws.on("message", (data) => {
				if (ok) {
					ws.send('{"op":"active"}');
					if (this.channel) ws.send(`{"op":"focus","channels":[${this.channel}]}`);
					ok();
					ok = null;
				}
				this.frames++;
				this.bytes += data.length;
			});
			ws.on("error", (e) => ok && no(e));
		});
	}

	close() {
		this.stays = false;
		this.ws.terminate();
	}
}

/** Calls f for who comes next, `rate` times a second, for so many seconds. */
async function steadily(rate, seconds, f) {
	const under = new Set();
	const from = performance.now();
	for (let n = 0; n < rate * seconds; n++) {
		const wait = from + (n * 1000) / rate - performance.now();
		if (wait > 0) await sleep(wait);
		const one = f(n).finally(() => under.delete(one));
		under.add(one);
	}
	await Promise.all(under);
}

async function statements(site) {
	const out = await site.stack.psql(
		"SELECT pg_stat_clear_snapshot(), sum(xact_commit + xact_rollback) FROM pg_stat_database WHERE datname = 'pulsechat'",
		{ user: "postgres", db: "postgres" },
	);
	return Number(out.split("|")[1]);
}

function rowsWritten(site) {
	const log = readFileSync(`${site.stack.logDir}/realtime1.log`, "utf8");
	return [...log.matchAll(/presence\.written rows=(\d+)/g)].reduce((n, m) => n + Number(m[1]), 0);
}

export async function crowd(cell, options) {
	const users = options.quick ? 400 : 2000;
	const rooms = options.quick ? 10 : 50;
	const seconds = options.quick ? 5 : 20;
	const figures = [];
	for (const share of [0, 0.1, 1]) {
		const site = await startSite({ conf: { "log.level": "info", "presence.grace": `${GRACE_S}s` } });
		try {
			await people(site, users);
			const each = users / rooms;
			const lists = Array.from({ length: rooms }, (_, c) => Array.from({ length: each }, (_, m) => c * each + m));
			const ids = await channels(site, "crowd", lists);
			await site.restart();
			const looks = (n) => (n % each) / each < share;
			const all = site.tokens.map((token, n) => new Person(site, token, looks(n) && ids[Math.floor(n / each)]));
			const viewers = all.filter((p) => p.channel);
			const meter = await Load.start(site, site.stack.dir, [{ kind: "ws", token: site.tokens[0], channel: ids[0], publisher: false }]);
			await meter.open();
			const phase = async (name, length, f) => {
				for (const p of all) Object.assign(p, { frames: 0, bytes: 0, stays: true });
				const before = await statements(site);
				const [r] = await Promise.all([meter.idle(length), f()]);
				const done = (await statements(site)) - before;
				const stayed = viewers.filter((p) => p.stays);
				const per = (what) => (stayed.length ? stayed.reduce((n, p) => n + p[what], 0) / stayed.length / r.seconds : 0);
				const figure = {
					viewers: viewers.length,
					phase: name,
					frames: per("frames"),
					bytes: per("bytes"),
					realtime: (r.cpu.realtime / r.seconds) * 100,
					postgres: (r.cpu.postgres / r.seconds) * 100,
					statements: done / r.seconds,
				};
				figures.push(figure);
				const got = `${figure.frames.toFixed(2)} frames and ${figure.bytes.toFixed(0)} bytes`;
				cell.say(
					`${String(viewers.length).padStart(4)} who look, ${name}: ${got} ` +
						`a second and viewer who stays; realtime ${figure.realtime.toFixed(1)} %, ` +
						`postgres ${figure.postgres.toFixed(1)} % of a core; ${figure.statements.toFixed(1)} statements a second`,
				);
			};
			await phase("joining at 200 a second", users / 200, () => steadily(200, users / 200, (n) => all[n].open()));
			await sleep(3000);
			await phase("idle", seconds, () => sleep(seconds * 1000));
			await phase("20 a second reconnect at once", seconds, () =>
				steadily(20, seconds, async (n) => {
					const p = all[(n * 7) % users];
					p.close();
					await p.open();
				}),
			);
			await phase("20 a second go for longer than the grace, and come back", seconds + GRACE_S + 3, () =>
				steadily(20, seconds, async (n) => {
					const p = all[(n * 11) % users];
					p.close();
					await sleep((GRACE_S + 2) * 1000);
					await p.open();
				}),
			);
			cell.say(`${String(viewers.length).padStart(4)} who look: rows written, as the log of the minutes says: ${rowsWritten(site)}`);
			for (const p of all) p.close();
			await meter.stop();
		} finally {
			await site.stop();
		}
	}
	cell.figures = figures;
	const cost = (n, phase) => figures.filter((f) => f.phase.includes(phase)).map((f) => f.realtime)[n];
	const idle = figures.filter((f) => f.phase === "idle");
	cell.check("idle: frames a second and viewer where all look", idle[2].frames, { atMost: 0.2 });
	const back = figures.find((f) => f.viewers === users && f.phase.includes("at once"));
	cell.check("reconnecting: frames a second and viewer where all look, above idle", back.frames - idle[2].frames, { atMost: 0.1 });
	cell.check("coming and going: CPU with ten times the viewers", cost(2, "grace") / Math.max(cost(1, "grace"), 0.1), { atMost: 10, unit: "×" });
}
