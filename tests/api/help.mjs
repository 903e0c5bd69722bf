// help: what the API tests say often.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "../support/until.mjs";

export const json = { "content-type": "application/json" };

/** A problem of this status and code, well formed; returns it. */
export function problem(answer, status, code, field) {
	const said = `${answer.status} ${answer.text?.slice(0, 300)}`;
	assert.equal(answer.status, status, said);
	assert.equal(answer.headers["content-type"], "application/problem+json", said);
	const p = answer.json;
	assert.equal(p.code, code, said);
	assert.equal(p.status, status);
	assert.equal(p.type, "about:blank");
	assert.ok(p.title && p.detail, said);
	assert.equal(p.request_id, answer.headers["pulsechat-request-id"]);
	if (field !== undefined) assert.equal(p.field, field, said);
	if (status === 503 || status === 429) assert.match(answer.headers["retry-after"] ?? "", /^[1-9]\d*$/, said);
	return p;
}

export function ok(answer, status = 200) {
	assert.equal(answer.status, status, `${answer.status} ${answer.text?.slice(0, 500)}`);
	return answer.json;
}

let made = 0;
/** A new channel of this client; the answer's Channel. */
export async function makeChannel(who, { kind = "public", members, name, topic } = {}) {
	const body = { name: name ?? `channel ${process.pid} ${++made}`, kind, ...(members && { members }), ...(topic && { topic }) };
	return ok(await who.post("/api/v1/channels", body), 201);
}

export const message = (text, id = randomUUID()) => ({ client_id: id, body: { text } });

export function send(who, channel, text, id) {
	return who.post(`/api/v1/channels/${channel}/messages`, message(text, id));
}

export async function me(who) {
	return ok(await who.get("/api/v1/me")).user;
}

/** All messages of a channel, by pages forward. */
export async function allMessages(who, channel, limit = 200) {
	const found = [];
	let page;
	do {
		page = ok(await who.get(`/api/v1/channels/${channel}/messages?after=${found.at(-1)?.seq ?? 0}&limit=${limit}`));
		found.push(...page.messages);
	} while (page.has_after);
	return found;
}

/** 1, 2, 3 … without a gap. */
export function assertGapFree(numbers, from = 1) {
	numbers.forEach((n, i) => assert.equal(n, from + i, `place ${i} has ${n}, not ${from + i}`));
}

const admin = { user: "postgres" };

/** How many other database connections there are of which this is true. */
export async function backends(stack, where) {
	const others = "pid <> pg_backend_pid() AND backend_type = 'client backend'";
	return Number(await stack.psql(`SELECT count(*) FROM pg_stat_activity WHERE ${others} AND ${where}`, admin));
}

async function hold(stack, lock, seconds) {
	const mark = `hold ${Math.random()}`;
	const over = stack.psql(`BEGIN; ${lock}; SELECT pg_sleep(${seconds}), '${mark}'; COMMIT;`, admin);
	over.catch(() => {}); // the writer may end a stuck holder
	await until(() => backends(stack, `query LIKE '%${mark}%' AND wait_event = 'PgSleep'`), { what: "the lock is held" });
	return { over };
}

/** Holds a channel's row for some seconds; resolves when it is held, to {over}, a promise of its end. */
export function holdChannel(stack, channel, seconds) {
	return hold(stack, `SELECT 1 FROM channels WHERE id = ${channel} FOR NO KEY UPDATE`, seconds);
}

/** Runs SQL in a transaction that stays open; resolves when it has run, to {release}, which commits it. */
export async function holdOpen(stack, sql) {
	const mark = `hold ${Math.random()}`;
	const gate = stack.psql(`BEGIN; SELECT pg_advisory_xact_lock(8020600099); SELECT pg_sleep(600), '${mark}'`, admin);
	gate.catch(() => {}); // it is ended
	await until(() => backends(stack, `query LIKE '%${mark}%' AND wait_event = 'PgSleep'`), { what: "the gate is shut" });
	const over = stack.psql(`BEGIN; ${sql}; SELECT pg_advisory_xact_lock(8020600099), '${mark} open'; COMMIT;`, admin);
	over.catch(() => {});
	await until(() => backends(stack, `query LIKE '%${mark} open%' AND wait_event = 'advisory'`), { what: "the transaction is open" });
	const release = async () => {
		await stack.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%${mark}%' AND wait_event = 'PgSleep'`, admin);
		await over;
	};
	return { release };
}

/** Holds the sequencer of the log: writers have done all but take their numbers. */
export function holdSequencer(stack, seconds) {
	return hold(stack, "SELECT pg_advisory_xact_lock(8020600001)", seconds);
}
