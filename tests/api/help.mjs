// help: what the API tests say often.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

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
