// Erasing: who may, what everybody sees of it, and that the object goes; against each store.

import { test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { makeChannel, me, ok, problem } from "../api/help.mjs";
import { bot } from "../support/http.mjs";
import { head } from "../realtime/help.mjs";
import { openWs } from "../support/realtime.mjs";
import { until } from "../support/until.mjs";
import { GIF, STORES, eachStore, replayed, sendFiles, stored, uploaded } from "./uploads.mjs";

const seen = ({ type, cursor, ...message }) => message;

for (const kind of STORES)
	eachStore(kind, {}, (site) => {
		const room = async () => {
			const { id } = await makeChannel(site.alice);
			for (const who of [site.bob, site.carol]) ok(await who.post(`/api/v1/channels/${id}/join`));
			return id;
		};
		const gone = (id) => until(async () => !(await stored(site, id)), { what: `the object of ${id} is gone` });

		test("one file of a message: an event to all, erased in history and in replay, and from the store", async () => {
			const { alice, bob } = site;
			const c = await room();
			const [one, two] = [await uploaded(bob, c, randomBytes(10)), await uploaded(bob, c, GIF, { type: "image/gif" })];
			const small = await uploaded(bob, c, GIF, { type: "image/gif", width: 1, height: 1, thumbnail_of: two.id });
			const start = await head(alice);
			const sent = ok(await sendFiles(bob, c, [one, two], "both"), 201);
			const ws = await openWs(alice, { instance: randomUUID() });
			problem(await site.carol.delete(`/api/v1/files/${two.id}`), 403, "forbidden");
			const left = ok(await bob.delete(`/api/v1/files/${two.id}`));
			assert.deepEqual(left, { ...sent, version: 2, body: { text: "both", files: [one.file, { id: two.id, erased: true }] } });
			assert.deepEqual(seen(await ws.next("message.updated")), left);
			assert.deepEqual(ok(await alice.get(`/api/v1/channels/${c}/messages/${sent.seq}`)), left);
			const replay = await replayed(alice, start, 2, (l) => l.channel === c);
			assert.deepEqual(replay.map((l) => l.type), ["message", "message.updated"]);
			assert.deepEqual(replay.map(seen), [left, left], "what is erased is in no line any more");
			const fcgi = await replayed(alice, start, 2, (l) => l.channel === c, { via: "api1" });
			assert.deepEqual(fcgi.map(seen), [left, left]);
			for (const id of [two.id, small.id]) problem(await alice.get(`/api/v1/files/${id}`), 404, "not_found");
			assert.equal((await alice.get(`/api/v1/files/${one.id}`)).status, 302);
			await gone(two.id);
			await gone(small.id);
			assert.equal(await stored(site, one.id), true);
			assert.deepEqual(ok(await bob.delete(`/api/v1/files/${two.id}`)), left, "again is harmless");
			await ws.close();
		});

		test("by the channel's moderators and admins, with a line in the audit log", async () => {
			const { bob, alice, stack } = site;
			const c = await room(); // alice owns it
			const up = await uploaded(bob, c, randomBytes(10));
			ok(await sendFiles(bob, c, [up]), 201);
			ok(await alice.delete(`/api/v1/files/${up.id}`));
			await gone(up.id);
			const admin = await bot(stack, "alice", ["admin"]);
			const [entry] = ok(await admin.get(`/api/v1/admin/audit?action=file.erased&channel=${c}`)).entries;
			assert.deepEqual(entry.details, { file: up.id, seq: 1 });
			assert.equal(entry.target, (await me(bob)).id);
		});

		test("what is in no message is one's own alone to erase", async () => {
			const { bob, alice } = site;
			const up = await uploaded(bob, await room(), randomBytes(10));
			problem(await alice.delete(`/api/v1/files/${up.id}`), 404, "not_found");
			assert.equal((await bob.delete(`/api/v1/files/${up.id}`)).status, 204);
			await gone(up.id);
		});

		test("a deleted message takes its files along", async () => {
			const { bob, alice } = site;
			const c = await room(), up = await uploaded(bob, c, GIF, { type: "image/gif" });
			const small = await uploaded(bob, c, GIF, { type: "image/gif", thumbnail_of: up.id });
			const sent = ok(await sendFiles(bob, c, [up], "x"), 201), start = await head(alice);
			const deleted = ok(await bob.delete(`/api/v1/channels/${c}/messages/${sent.seq}`));
			assert.equal(deleted.deleted, true);
			problem(await alice.get(`/api/v1/files/${up.id}`), 404, "not_found");
			const events = await replayed(alice, start, 1, (l) => l.channel === c);
			assert.deepEqual(events.map((l) => l.type), ["message.deleted"], "one event tells it");
			assert.deepEqual(ok(await bob.delete(`/api/v1/files/${up.id}`)), deleted);
			await gone(up.id);
			await gone(small.id);
		});

		test("a person's files: listed, erased all at once, by himself or an admin", async () => {
			const { carol, stack, alice } = site;
			const c = await room(), other = await room();
			const ups = [];
			for (const room of [c, c, other, c]) ups.push(await uploaded(carol, room, randomBytes(100)));
			const small = await uploaded(carol, c, GIF, { type: "image/gif", thumbnail_of: ups[0].id });
			const sent = ok(await sendFiles(carol, c, [ups[0], ups[1]]), 201), second = ok(await sendFiles(carol, other, [ups[2]]), 201);
			const page = ok(await carol.get("/api/v1/me/files?limit=3"));
			assert.deepEqual(page.files.map((f) => [f.file.id, f.state, f.channel, f.seq]), [
				[ups[3].id, "ready", c, null],
				[ups[2].id, "attached", other, second.seq],
				[ups[1].id, "attached", c, sent.seq],
			]);
			assert.deepEqual([page.bytes, page.next], [400 + GIF.length, ups[1].id]);
			assert.deepEqual(ok(await carol.get(`/api/v1/me/files?before=${page.next}`)).files.map((f) => f.file.id), [ups[0].id]);
			const id = (await me(carol)).id, admin = await bot(stack, "alice", ["admin"]);
			assert.deepEqual(ok(await admin.get(`/api/v1/admin/users/${id}/files?limit=3`)), page);
			problem(await admin.get("/api/v1/admin/users/99999999/files"), 404, "not_found");
			problem(await carol.get(`/api/v1/admin/users/${id}/files`), 403, "insufficient_scope");
			const start = await head(alice);
			const all = kind === "local" ? carol.delete("/api/v1/me/files") : admin.delete(`/api/v1/admin/users/${id}/files`);
			assert.equal((await all).status, 204);
			const events = await replayed(alice, start, 2, (l) => l.type === "message.updated");
			assert.deepEqual(events.map((l) => [l.channel, l.seq, l.body.files.map((f) => f.erased)]), [
				[c, sent.seq, [true, true]],
				[other, second.seq, [true]],
			]);
			assert.deepEqual(ok(await carol.get("/api/v1/me/files")), { files: [], bytes: 0, next: null });
			for (const up of [...ups, small]) await gone(up.id);
			assert.equal((await admin.delete(`/api/v1/admin/users/${id}/files`)).status, 204, "again is harmless");
			problem(await admin.delete("/api/v1/admin/users/99999999/files"), 404, "not_found");
			const audit = ok(await admin.get(`/api/v1/admin/audit?action=user.files_erased&target=${id}`)).entries;
			assert.deepEqual(audit.map((a) => a.details), kind === "local" ? [] : [{ files: 5 }]);
		});
	});
