// help: what the realtime tests say often.

import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { bot, client } from "../support/http.mjs";
import { follow, poll } from "../support/realtime.mjs";

export { rng } from "../support/random.mjs";
import { until } from "../support/until.mjs";

export { until };

/** Clients with a token each, by handle. */
export async function people(stack, ...handles) {
	const all = [];
	for (const handle of handles) all.push(await bot(stack, handle));
	for (const who of all) who.id = (await who.get("/api/v1/me")).json.user.id;
	return all;
}

let made = 0;
/** A channel of `owner` with these members; its id. */
export async function channel(owner, members = [], kind = "private") {
	const body = { name: `rt ${process.pid} ${++made}`, kind, members: members.map((m) => m.id) };
	const answer = await owner.post("/api/v1/channels", body);
	assert.equal(answer.status, 201, answer.text);
	return answer.json.id;
}

/** n more people, members of one new private channel, with a token each: {people: [client], room}. The owner is its first member. */
export async function crowd(stack, owner, n) {
	const room = await channel(owner);
	const mark = `c${process.pid}x${++made}x`;
	const tokens = range(1, n).map(() => `pct_${randomBytes(32).toString("base64url")}`);
	const rows = tokens.map((t, i) => `(${i}, decode('${createHash("sha256").update(t).digest("hex")}', 'hex'))`);
	await stack.psql(`
		with t (n, hash) as (values ${rows}),
			u as (insert into users (handle, name) select '${mark}' || n, 'Crowd ' || n from t returning id, handle),
			s as (insert into sessions (secret_hash, kind, user_id, scopes, name)
				select t.hash, 'token', u.id, '{read,write}', 'test' from t join u on u.handle = '${mark}' || t.n)
		insert into members (channel_id, user_id, since) select ${room}, id, 0 from u`);
	return { people: tokens.map((token) => client(stack, { token })), room };
}

/** Sends by REST; the Message. */
export async function post(who, id, text, client_id = randomUUID()) {
	const answer = await who.post(`/api/v1/channels/${id}/messages`, { client_id, body: { text } });
	assert.ok(answer.status === 201 || answer.status === 200, `${answer.status} ${answer.text}`);
	return answer.json;
}

export const sendOp = (id, text, client_id = randomUUID()) => ({ op: "send", client_id, channel: id, body: { text } });

/** Sends over a socket; the ack. */
export async function say(ws, id, text) {
	const ack = await ws.call(sendOp(id, text));
	assert.equal(ack.type, "ack", JSON.stringify(ack));
	return ack;
}

/** Where the log stands now. */
export async function head(who) {
	const answer = await who.get("/api/v1/channels");
	assert.equal(answer.status, 200, answer.text);
	return answer.headers["pulsechat-cursor"];
}

/** Waits until these processes (realtime1, api1) know all that is in the log by now: what others wrote reaches each at its own time. */
export async function caughtUp(who, ...vias) {
	const at = idOf(await head(who));
	for (const via of vias)
		await until(async () => idOf((await poll(who, { via })).cursor) >= at, { what: `${via} to have come to event ${at}` });
}

export const idOf = (cursor) => Number(cursor.split(".")[1]);
export const markOf = (cursor) => cursor.split(".")[0];

/** The messages of a channel among lines: seqs in the order they came. */
export const seqs = (lines, id) => lines.filter((l) => l.type === "message" && l.channel === id).map((l) => l.seq);
export const texts = (lines, id) => lines.filter((l) => l.type === "message" && l.channel === id).map((l) => l.body.text);
export const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Connections that clients, or the web server for them, have with these programs. */
export function connections(stack, ...names) {
	const paths = new Set(names.map((name) => stack.socket(name)));
	const rows = readFileSync("/proc/net/unix", "utf8").split("\n").map((row) => row.trim().split(/\s+/));
	return rows.filter((row) => paths.has(row[7]) && row[5] === "03").length; // 03: connected; the accepted side bears the path
}

/** CPU time of a process so far, in ms; cpu() of a program. */
export const cpu = (stack, name) => cpuOf(stack.pids[name]);
export function cpuOf(pid) {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
	return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Holds that a program that has nothing to do does nothing, for ms. */
export async function spinsNot(stack, name, ms = 500) {
	const before = cpu(stack, name), t = Date.now();
	await new Promise((ok) => setTimeout(ok, ms));
	const used = cpu(stack, name) - before, passed = Date.now() - t;
	assert.ok(used < passed * 0.3, `${name} used ${used} ms of CPU in ${passed} ms`);
}

/** Every logged event once, and in the log's order. */
export function inOrder(feed) {
	const ids = feed.events.map((e) => idOf(e.cursor));
	for (let i = 1; i < ids.length; i++) assert.ok(ids[i] > ids[i - 1], `event ${ids[i]} after ${ids[i - 1]}`);
}

/** Waits for the whole of 1..n of a channel, then holds it against exactly that. */
export async function exactly(feed, id, from, to, ms = 15000) {
	await feed.some((l) => l.type === "message" && l.channel === id && l.seq === to, ms);
	assert.deepEqual(seqs(feed.lines, id), range(from, to));
	inOrder(feed);
}

/** follow() for the tests of a file; stop() ends all: one that a failed test leaves behind would poll for ever. */
export function followers() {
	const all = new Set();
	return {
		follow(...args) {
			const f = follow(...args);
			all.add(f);
			return f;
		},
		stop() {
			for (const f of all) f.stop();
		},
	};
}
