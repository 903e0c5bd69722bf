// order: numbers are taken and shown in commit order, without holes (OR-1), and pages meet exactly (OR-2).

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { sleep } from "../support/until.mjs";
import { allMessages, assertGapFree, holdChannel, makeChannel, me, ok, send } from "./help.mjs";

let stack, alice, bob, carol;

before(async () => {
	stack = await startStack({ provider: false, realtime: 0, api: 2 });
	[alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((h) => bot(stack, h)));
});
after(() => stack?.stop());

const admin = { user: "postgres" };
const ofWriters = "usename = 'pulsechat' AND query LIKE '%write_batch(%' AND pid <> pg_backend_pid()";

/** A number, at most as high as the true count, for a share of chances: xorshift, so that a run can be repeated. */
function chance(seed) {
	let x = seed | 1;
	return () => {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		return (x >>> 0) / 2 ** 32;
	};
}

test("OR-1 twenty writers, rollbacks and killed backends: no hole, no double, readers see prefixes", async () => {
	const writers = 20,
		each = 500;
	const members = [(await me(bob)).id, (await me(carol)).id];
	const channels = [(await makeChannel(alice, { members })).id, (await makeChannel(alice, { members })).id];
	const people = [alice, bob, carol];
	const acked = new Map(channels.map((c) => [c, new Map()]));
	let done = false,
		trouble = 0,
		rolledBack = 0,
		killed = 0;
	const firstEvent = Number(await stack.psql("SELECT stream_head()"));

	async function writer(n) {
		const who = people[n % 3],
			channel = channels[n % 2];
		for (let i = 0; i < each; i++) {
			const id = randomUUID(),
				text = `${n}/${i}`;
			for (;;) {
				const r = await send(who, channel, text, id);
				if (r.status === 503 || r.status === 429) {
					trouble++;
					continue; // a backend was killed: the client id makes it safe
				}
				assert.ok(r.status === 201 || r.status === 200, `${r.status} ${r.text}`);
				assert.ok(!acked.get(channel).has(r.json.seq), `seq ${r.json.seq} was given twice`);
				acked.get(channel).set(r.json.seq, id);
				break;
			}
		}
	}
	// transactions that take their numbers and then roll back, or die
	async function spoiler() {
		const random = chance(42);
		const sender = (await me(alice)).id;
		while (!done) {
			const channel = channels[random() < 0.5 ? 0 : 1];
			const batch = `SELECT write_batch(ARRAY[${channel}::bigint], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1],
				ARRAY[${sender}::bigint], ARRAY[gen_random_uuid()],
				ARRAY['\\x00112233445566778899aabbccddeeff'::bytea], ARRAY[NULL::bigint], ARRAY['{"text":"never"}'],
				ARRAY['"x":1}'], ARRAY[1], false, true)`;
			await stack.psql(`BEGIN; ${batch}; ROLLBACK;`).catch((e) => assert.match(e.stderr, /due to lock timeout/));
			rolledBack++;
			if (random() < 0.2)
				killed += Number(
					await stack.psql(
						`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${ofWriters}`,
						admin,
					),
				);
		}
	}
	// each answer continues the last one without a hole, whatever is under way
	async function reader(who, channel) {
		let last = 0;
		while (!done) {
			const r = await who.get(`/api/v1/channels/${channel}/messages?after=${last}&limit=200`);
			if (r.status === 503) continue;
			const page = ok(r);
			assertGapFree(
				page.messages.map((m) => m.seq),
				last + 1,
			);
			last = page.messages.at(-1)?.seq ?? last;
			await sleep(50);
		}
	}
	async function logReader() {
		while (!done) {
			const [n, low, high] = (await stack.psql(`SELECT count(*), min(id), max(id) FROM events WHERE id > ${firstEvent}`))
				.split("|")
				.map(Number);
			if (n) assert.deepEqual([low, high], [firstEvent + 1, firstEvent + n], "the log has a hole");
			await sleep(100); // a look costs a process
		}
	}
	const others = [spoiler(), logReader(), ...channels.flatMap((c) => [reader(bob, c), reader(carol, c)])];
	try {
		await Promise.race([
			Promise.all(Array.from({ length: writers }, (_, n) => writer(n))),
			Promise.all(others).then(() => Promise.reject(new Error("a reader has ended"))),
		]);
	} finally {
		done = true;
	}
	await Promise.all(others);
	assert.ok(rolledBack > 20, `${rolledBack} transactions rolled back`);
	assert.ok(killed > 2, `${killed} backends killed, ${trouble} sends repeated`);
	for (const channel of channels) {
		const all = await allMessages(bob, channel);
		assert.equal(all.length, (writers * each) / 2);
		assertGapFree(all.map((m) => m.seq));
		assert.equal(new Set(all.map((m) => m.client_id)).size, all.length);
		for (const m of all) assert.equal(acked.get(channel).get(m.seq), m.client_id);
		// the log holds the same, in the same order
		const logged = (
			await stack.psql(`SELECT subject FROM events WHERE channel_id = ${channel} AND type = 'message' ORDER BY id`)
		)
			.split("\n")
			.map(Number);
		assertGapFree(logged);
		assert.equal(logged.length, all.length);
		// one writer's own messages are in its order
		const place = new Map();
		for (const m of all) {
			const [n, i] = m.body.text.split("/").map(Number);
			assert.equal(i, place.get(n) ?? 0);
			place.set(n, i + 1);
		}
	}
});

test("OR-1 a transaction that holds a channel for 2 s holds nobody else up, and its own channel not for long", async () => {
	const [held, free] = [(await makeChannel(alice)).id, (await makeChannel(alice)).id];
	const twenty = async () => {
		const began = Date.now();
		for (let i = 0; i < 20; i++) ok(await send(alice, free, `free ${i}`), 201);
		return Date.now() - began;
	};
	const usual = await twenty();
	const { over } = await holdChannel(stack, held, 2);
	const late = send(alice, held, "held");
	const began = Date.now();
	const took = await twenty();
	assert.ok(took < 2 * usual + 1000, `twenty sends took ${took} ms, without the holder ${usual} ms`);
	assert.equal(ok(await late, 201).seq, 1);
	assert.ok(Date.now() - began < 5000);
	await over.catch(() => {}); // it may have been ended as a stuck holder
});

test("OR-2 paging with equal timestamps, while messages arrive and one on the boundary is deleted", async () => {
	const channel = (await makeChannel(alice)).id,
		path = `/api/v1/channels/${channel}/messages`;
	const sender = (await me(alice)).id;
	await stack.psql(`BEGIN;
		SELECT write_batch(ARRAY[${channel}::bigint], ARRAY[0::bigint], array_fill('s'::"char", ARRAY[250]), array_fill(1, ARRAY[250]),
			array_agg(i ORDER BY i), array_fill(${sender}::bigint, ARRAY[250]),
			array_agg(gen_random_uuid()), array_fill('\\x00112233445566778899aabbccddeeff'::bytea, ARRAY[250]),
			array_fill(NULL::bigint, ARRAY[250]),
			array_fill('{"text":"same time"}'::text, ARRAY[250]), array_fill('"x":1}'::text, ARRAY[250]),
			ARRAY[100, 200, 250], false, true)
		FROM generate_series(1, 250) i; COMMIT;`);
	assert.equal(await stack.psql(`SELECT count(*), count(DISTINCT created_at) FROM messages WHERE channel_id = ${channel}`), "250|1");
	const seen = [];
	let before = 251,
		page,
		pages = 0;
	do {
		page = ok(await alice.get(`${path}?before=${before}&limit=50`));
		seen.unshift(...page.messages.map((m) => m.seq));
		before = page.messages[0].seq;
		ok(await send(alice, channel, `arrives ${++pages}`), 201);
		const gone = `channel_id = ${channel} AND seq IN (${before}, ${before - 1})`;
		await stack.psql(`UPDATE messages SET deleted_at = now(), body = NULL, digest = NULL, version = version + 1 WHERE ${gone}`);
		assert.equal(page.has_before, before > 1);
		assert.equal(page.has_after, pages > 1);
	} while (page.has_before);
	assert.equal(pages, 5);
	assertGapFree(seen);
	assert.equal(seen.length, 250);
	const forward = await allMessages(alice, channel, 50);
	assertGapFree(forward.map((m) => m.seq));
	assert.equal(forward.length, 255);
	assert.ok(forward.filter((m) => m.deleted).length >= 9);
	const jump = ok(await alice.get(`${path}?around=125&limit=50`));
	assertGapFree(
		jump.messages.map((m) => m.seq),
		100,
	);
	assert.equal(jump.messages.length, 50);
});
