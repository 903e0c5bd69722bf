// order: numbers are taken and shown in commit order, without holes (OR-1), and pages meet exactly (OR-2).

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack, until } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { lastOf, within } from "../support/lag.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { sleep } from "../support/until.mjs";
import { allMessages, assertGapFree, holdChannel, makeChannel, me, ok, send } from "./help.mjs";

let stack, alice, bob, carol;

before(async () => {
	stack = await startStack({ provider: false, realtime: 1, api: 2 });
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

const EACH_NTH = 20; // 5 % of what is written

/** From now on the transaction of each 20th message that is written rolls back in its commit, when all its numbers are taken. */
async function spoilCommits() {
	await stack.psql(
		`CREATE SEQUENCE written;
		CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN
			IF nextval('written') % ${EACH_NTH} = 0 THEN -- which no rollback takes back
				RAISE 'rolled back on purpose' USING ERRCODE = '40001';
			END IF;
			RETURN NULL;
		END $$;
		CREATE CONSTRAINT TRIGGER spoil AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spoil()`,
		admin,
	);
	/** Ends it: how many were rolled back. */
	return async () => {
		await stack.psql("DROP TRIGGER spoil ON messages", admin);
		return Math.floor(Number(await stack.psql("SELECT last_value FROM written", admin)) / EACH_NTH);
	};
}

/** Follows by resuming all the time, each time from its cursor by the next of these ways: what came may not have a hole, in cursor or seq. */
function resumer(who, channels, first, cursor, ways) {
	const seen = new Map(channels.map((c) => [c, 0]));
	const one = { resumes: 0, at: first, seen };
	const take = (line) => {
		if (line.type !== "message") return;
		const id = Number(line.cursor.split(".")[1]);
		assert.equal(id, one.at + 1, `event ${id} after ${one.at}`);
		assert.equal(line.seq, seen.get(line.channel) + 1, `${line.seq} after ${seen.get(line.channel)} of ${line.channel}`);
		[one.at, cursor] = [id, line.cursor];
		seen.set(line.channel, line.seq);
	};
	const by = {
		async poll(via) {
			const p = await poll(who, { cursor, wait: 1, via });
			assert.ok([200, 503].includes(p.status), `${p.status} ${p.text}`); // a backend was killed
			p.lines.forEach(take);
		},
		/** Takes some lines of a stream, and leaves it. */
		async stream(open, n) {
			const feed = await open(who, { cursor, via: "realtime1" }).catch((e) => assert.equal(e.status, 503, e.message));
			await feed?.some((l) => l.type === "message" && feed.messages.length >= n, 1000).catch(() => {}); // nothing is sent any more
			feed?.terminate();
			feed?.lines.forEach(take);
		},
	};
	one.until = async (over) => {
		while (!over(one)) {
			const [how, ...args] = ways[one.resumes++ % ways.length];
			await by[how](...args);
		}
	};
	return one;
}

test("OR-1 twenty writers, 5 % rollbacks, killed backends, readers that resume all the time: no hole, no double, only prefixes", async (t) => {
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
	const { "pulsechat-cursor": cursor } = (await bob.get("/api/v1/channels")).headers;
	const resumers = [
		resumer(bob, channels, firstEvent, cursor, [["poll", "api1"], ["poll", "api2"], ["poll", "realtime1"]]),
		resumer(carol, channels, firstEvent, cursor, [["stream", openWs, 40], ["stream", openSse, 40], ["poll", "api1"]]),
	];
	const unspoilt = await spoilCommits();
	const others = [
		spoiler(),
		logReader(),
		...channels.flatMap((c) => [reader(bob, c), reader(carol, c)]),
		...resumers.map((r) => r.until(() => done)),
	];
	try {
		await Promise.race([
			Promise.all(Array.from({ length: writers }, (_, n) => writer(n))),
			Promise.all(others).then(() => Promise.reject(new Error("a reader has ended"))),
		]);
	} finally {
		done = true;
	}
	await Promise.all(others);
	const spoilt = await unspoilt();
	t.diagnostic(`${spoilt} of the writers' transactions and ${rolledBack} others rolled back, ${killed} backends killed, ${trouble} sends repeated`);
	t.diagnostic(`resumed ${resumers.map((r) => r.resumes).join(" and ")} times`);
	assert.ok(spoilt >= (writers * each) / EACH_NTH, `${spoilt} transactions of the writers rolled back`);
	assert.ok(rolledBack > 20, `${rolledBack} transactions rolled back`);
	assert.ok(killed > 2, `${killed} backends killed, ${trouble} sends repeated`);
	for (const r of resumers) {
		assert.ok(r.resumes > 50, `${r.resumes} resumes`);
		await r.until(() => r.at === firstEvent + writers * each);
		assert.deepEqual([...r.seen.values()], channels.map(() => (writers * each) / 2));
	}
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
	const ended = over.catch(() => {}); // it may have been ended as a stuck holder
	const both = within(2000, stack, () => Promise.all([lastOf([late]), lastOf([ended])]), "stored once the holder is gone", ([sent, end]) => sent - end);
	const took = await twenty();
	assert.ok(took < 2 * usual + 1000, `twenty sends took ${took} ms, without the holder ${usual} ms`);
	await both;
	assert.equal(ok(await late, 201).seq, 1);
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
