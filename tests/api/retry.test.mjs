// retry: a send whose answer was lost is sent again, and stays one message (DL-1).

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { fcgiOpen, fcgiRequest } from "../support/fastcgi.mjs";
import { backends, holdSequencer, makeChannel, me, message, ok, problem, send } from "./help.mjs";

let stack, alice, bob, channel, path;

before(async () => {
	stack = await startStack({ provider: false, realtime: 0, api: 2 });
	[alice, bob] = await Promise.all([bot(stack, "alice"), bot(stack, "bob")]);
	channel = (await makeChannel(alice, { members: [(await me(bob)).id] })).id;
	path = `/api/v1/channels/${channel}/messages`;
});
after(() => stack?.stop());

const rowsOf = async (id) => (await stack.psql(`SELECT seq, id FROM messages WHERE client_id = '${id}'`)).split("\n").filter(Boolean);
const eventsOf = (seq) => stack.psql(`SELECT count(*) FROM events WHERE type = 'message' AND channel_id = ${channel} AND subject = ${seq}`);

/** Five retries at once over two processes; all get the first one's numbers. */
async function retries(body, first) {
	const token = alice.token;
	const answers = await Promise.all(
		[1, 2, 1, 2, 1].map((n) => fcgiRequest(stack.socket(`api${n}`), { method: "POST", path, token, body })),
	);
	for (const a of answers) {
		assert.ok([200, 201].includes(a.status), `${a.status} ${a.text}`);
		assert.equal(a.json.seq, first?.seq ?? answers[0].json.seq);
		assert.equal(a.json.id, first?.id ?? answers[0].json.id);
		assert.equal(a.json.client_id, body.client_id);
	}
	return answers;
}

async function onceOnly(body) {
	const rows = await rowsOf(body.client_id);
	assert.equal(rows.length, 1);
	const seq = rows[0].split("|")[0];
	assert.equal(await eventsOf(seq), "1");
	// another text under the same id: refused, nothing stored
	problem(await alice.post(path, { ...body, body: { text: "another text" } }), 409, "client_id_reused");
	assert.equal(await stack.psql(`SELECT body->>'text' FROM messages WHERE client_id = '${body.client_id}'`), body.body.text);
	assert.equal((await rowsOf(body.client_id)).length, 1);
}

test("DL-1 the client is gone before the answer", async () => {
	const body = message("lost answer");
	const c = await fcgiOpen(stack.socket("api1"), { method: "POST", path, token: alice.token, body });
	c.params();
	c.stdin(c.bytes);
	c.stdinEnd();
	c.leave();
	const [row] = await until(async () => (await rowsOf(body.client_id)).length && rowsOf(body.client_id), {
		what: "the message is stored",
	});
	const [seq, id] = row.split("|").map(Number);
	const answers = await retries(body, { seq, id });
	assert.ok(answers.every((a) => a.status === 200));
	await onceOnly(body);
});

test("DL-1 the process is killed between commit and answer", async () => {
	const body = message("killed process");
	// the sequencer is held, so that all is done but the commit; the process dies, then the commit goes through
	const { over } = await holdSequencer(stack, 1.2);
	const lost = fcgiRequest(stack.socket("api1"), { method: "POST", path, token: alice.token, body });
	lost.catch(() => {});
	await until(() => backends(stack, "query LIKE '%write_batch(%' AND wait_event = 'advisory'"), { what: "the write is under way" });
	await stack.kill("api1", "SIGKILL");
	await assert.rejects(lost);
	stack.forgive("api1");
	await over;
	const [row] = await until(async () => (await rowsOf(body.client_id)).length && rowsOf(body.client_id), {
		what: "it is committed all the same",
	});
	const [seq, id] = row.split("|").map(Number);
	await until(() => fcgiRequest(stack.socket("api1"), { path: "/healthz" }), { what: "api1 is started again" });
	assert.ok((await retries(body, { seq, id })).every((a) => a.status === 200));
	await onceOnly(body);
});

test("DL-1 five first sends at once over two processes make one message", async () => {
	for (let i = 0; i < 20; i++) {
		const body = message(`race ${i}`);
		const answers = await retries(body);
		assert.equal(answers.filter((a) => a.status === 201).length, 1);
		await onceOnly(body);
	}
});

test("DL-1 the same client id by another user, and in another channel, is another message", async () => {
	const id = randomUUID();
	const a = ok(await send(alice, channel, "mine", id), 201);
	const b = ok(await send(bob, channel, "mine", id), 201);
	assert.notEqual(a.seq, b.seq);
	const other = await makeChannel(alice);
	assert.equal(ok(await send(alice, other.id, "elsewhere", id), 201).seq, 1);
	assert.equal((await rowsOf(id)).length, 3);
});
