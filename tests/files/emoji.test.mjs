// Custom emoji: adding and removing them, who may, what is told to whom by which transport, where the picture comes from, reactions.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { makeChannel, me, ok, problem, send } from "../api/help.mjs";
import { head } from "../realtime/help.mjs";
import { bot, exchange } from "../support/http.mjs";
import { openWs } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { startStack } from "../support/stack.mjs";
import { GIF, begin, fetched, keyOf, objectThere, png, putTo, replayed, sendFiles, uploaded } from "./uploads.mjs";
import { until } from "../support/until.mjs";

let stack, alice, bob, guest, root, room, ids;
before(async () => {
	stack = await startStack({ provider: false, api: 1, realtime: 2, conf: { "emoji.max": "3" } });
	const scopes = ["read", "write", "files"];
	[alice, bob, guest] = await Promise.all(["alice", "bob", "frank"].map((u) => bot(stack, u, scopes)));
	root = await bot(stack, "heidi", [...scopes, "admin"]);
	await stack.cli(["user", "role", "frank", "guest"]);
	await stack.cli(["user", "role", "heidi", "admin"]);
	ids = { alice: (await me(alice)).id, bob: (await me(bob)).id, guest: (await me(guest)).id };
	room = (await makeChannel(alice, { kind: "private", members: [ids.bob, ids.guest, (await me(root)).id] })).id;
});
after(() => stack?.stop());

const picture = async (who, bytes = png(), type = "image/png") => (await uploaded(who, room, bytes, { name: "e.png", type })).id;
const add = (who, name, file) => who.post("/api/v1/emoji", { name, file });
const remove = (who, name) => who.delete(`/api/v1/emoji/${encodeURIComponent(name)}`);
const list = async (who) => ok(await who.get("/api/v1/emoji"));
const is = (version) => (l) => l.type === "emoji.updated" && l.version === version;
const said = ({ type, cursor, ...change }) => change;

test("added and removed: everybody hears it, guests too, live and later, and holds what a fresh load says", async () => {
	const cursor = await head(bob);
	const feeds = [
		await openWs(bob, { instance: randomUUID(), via: "realtime1" }),
		await openSse(bob, { instance: randomUUID(), via: "realtime2" }),
		await openWs(guest, { instance: randomUUID(), via: "realtime2" }),
		await openSse(guest, { instance: randomUUID(), via: "realtime1" }),
	];
	const one = await picture(alice), two = await picture(bob, GIF, "image/gif");
	const party = ok(await add(alice, "Party_Parrot", one), 201);
	assert.deepEqual({ ...party, at: null }, { name: "party_parrot", file: one, by: ids.alice, at: null, version: 1 });
	assert.deepEqual(ok(await add(alice, "party_parrot", one)), party, "again");
	const plus = ok(await add(bob, "+", two), 201);
	assert.deepEqual(await list(guest), { emoji: [plus, party], version: 2 });
	ok(await remove(alice, "PARTY_parrot"), 204);
	ok(await remove(alice, "party_parrot"), 204);
	assert.deepEqual(await list(alice), { emoji: [plus], version: 3 });
	const changes = [
		{ name: "party_parrot", emoji: party, version: 1 },
		{ name: "+", emoji: plus, version: 2 },
		{ name: "party_parrot", emoji: null, version: 3 },
	];
	for (const feed of feeds) {
		await feed.some(is(3));
		assert.deepEqual(feed.lines.filter((l) => l.type === "emoji.updated").map(said), changes);
		await feed.close();
	}
	for (const who of [bob, guest]) {
		for (const via of ["realtime1", "api1"])
			assert.deepEqual((await replayed(who, cursor, 3, (l) => l.type === "emoji.updated", { via })).map(said), changes, via);
		const ws = await openWs(who, { cursor, via: "realtime2", instance: randomUUID() });
		await ws.some(is(3));
		assert.deepEqual(ws.lines.filter((l) => l.type === "emoji.updated").map(said), changes, "from the memory of the process");
		await ws.close();
	}
	ok(await remove(bob, "+"), 204);
});

test("in a status: in lower case, told to others; removed it stays there by its name", async () => {
	const name = "b".repeat(32);
	ok(await add(alice, name, await picture(alice)), 201);
	const watcher = await openWs(alice, { via: "realtime1" });
	await watcher.call({ op: "watch", users: [ids.bob] });
	const shows = (emoji) => watcher.some((l) => l.type === "presence" && l.users[0].user === ids.bob && l.users[0].status?.emoji === emoji);
	assert.equal(ok(await bob.put("/api/v1/me/status", { emoji: `:${name.toUpperCase()}:`, text: "with it" })).status.emoji, `:${name}:`);
	await shows(`:${name}:`);
	ok(await remove(alice, name), 204);
	assert.equal(ok(await bob.get("/api/v1/me/settings")).status.emoji, `:${name}:`);
	assert.equal(ok(await alice.get(`/api/v1/presence?ids=${ids.bob}`)).presence[0].status.emoji, `:${name}:`);
	assert.equal(ok(await bob.put("/api/v1/me/status", { emoji: `:${name}:`, text: "still" })).status.text, "still");
	problem(await alice.put("/api/v1/me/status", { emoji: `:${name}:` }), 400, "bad_field", "emoji");
	problem(await alice.patch("/api/v1/me/settings", { status: { emoji: `:${name}:` } }), 400, "bad_field", "status.emoji");
	ok(await bob.delete("/api/v1/me/status"), 204);
	await watcher.close();
});

test("who may, and with what", async () => {
	const file = await picture(alice);
	problem(await add(guest, "hers", await picture(guest)), 403, "forbidden");
	for (const bad of ["", "a b", "ä", ":a:", "a".repeat(33), "a/b"]) problem(await add(alice, bad, file), 400, "bad_field", "name");
	problem(await add(alice, "nothing", 99999999), 422, "not_attachable", "file");
	problem(await add(bob, "stolen", file), 422, "not_attachable", "file");
	const attached = await picture(alice);
	ok(await sendFiles(alice, room, [attached]), 201);
	problem(await add(alice, "sent", attached), 422, "not_attachable", "file");
	const pending = await begin(alice, room, png(), { type: "image/png" });
	problem(await add(alice, "pending", pending.id), 422, "not_attachable", "file");
	const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
	problem(await add(alice, "drawn", await picture(alice, svg, "image/svg+xml")), 422, "unprocessable", "file");
	problem(await add(alice, "named", await picture(alice, png(), "application/octet-stream")), 422, "unprocessable", "file");
	const large = Buffer.concat([png(), Buffer.alloc(262144)]);
	problem(await add(alice, "large", await picture(alice, large)), 413, "too_large", "size");
	const exact = Buffer.concat([png(), Buffer.alloc(262144)]).subarray(0, 262144);
	ok(await add(alice, "a".repeat(32), await picture(alice, exact)), 201);
	ok(await add(alice, "as-jpeg", await picture(alice, png(), "image/jpeg")), 201); // is shown as the PNG it is
	problem(await add(bob, "AS-JPEG", await picture(bob)), 409, "conflict", "name");
	ok(await root.put(`/api/v1/admin/users/${ids.bob}/mute`, {}), 204);
	problem(await add(bob, "muted", await picture(bob)), 403, "muted");
	ok(await root.delete(`/api/v1/admin/users/${ids.bob}/mute`), 204);
	ok(await add(alice, "third", file), 201);
	problem(await add(bob, "fourth", await picture(bob)), 422, "unprocessable");
	problem(await remove(bob, "third"), 403, "forbidden");
	problem(await remove(bob, "a b"), 400, "bad_field", "name");
	problem(await remove(await bot(stack, "heidi"), "third"), 403, "forbidden");
	ok(await remove(root, "third"), 204);
	const { entries } = ok(await root.get("/api/v1/admin/audit?action=emoji"));
	assert.deepEqual(
		entries.map((x) => [x.action, x.target, x.details]),
		[["emoji.removed", ids.alice, { name: "third", file }]],
	);
	for (const name of ["a".repeat(32), "as-jpeg"]) ok(await remove(alice, name), 204);
	const limits = ok(await alice.get("/api/v1/limits"));
	assert.deepEqual(["", "_bytes", "_side", "_by"].map((k) => limits[`custom_emoji${k}`]), [3, 262144, 1024, "members"]);
});

test("a picture that a few bytes unpack to more than 1024 x 1024 pixels is none, whatever it is", async () => {
	const le = (n, bytes) => Buffer.from(Array.from({ length: bytes }, (_, i) => (n >> (8 * i)) & 255));
	const be = (n, bytes) => le(n, bytes).reverse();
	const text = (s) => Buffer.from(s, "latin1");
	const pngOf = (w, h) => {
		const bytes = png();
		bytes.writeUInt32BE(w, 16);
		bytes.writeUInt32BE(h, 20);
		return bytes;
	};
	const frame = (x, y, w, h) => Buffer.concat([text(","), le(x, 2), le(y, 2), le(w, 2), le(h, 2), text("\0\x02\x02L\x01\0")]);
	const gifOf = (w, h, ...frames) => Buffer.concat([text("GIF89a"), le(w, 2), le(h, 2), text("\x80\0\0\0\0\0\xff\xff\xff"), ...frames, text(";")]);
	const webpOf = (name, data) => Buffer.concat([text("RIFF"), le(data.length + 12, 4), text(`WEBP${name}`), le(data.length, 4), data]);
	const lossless = (w, h) => webpOf("VP8L", Buffer.concat([text("/"), le((w - 1) | ((h - 1) << 14), 4), Buffer.alloc(5)]));
	const lossy = (w, h) => webpOf("VP8 ", Buffer.concat([text("\x30\x01\0\x9d\x01*"), le(w, 2), le(h, 2), Buffer.alloc(6)]));
	const canvas = (w, h) => webpOf("VP8X", Buffer.concat([text("\x02\0\0\0"), le(w - 1, 3), le(h - 1, 3)]));
	const jpegOf = (w, h) =>
		Buffer.concat([
			text("\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x0b\x08"),
			be(h, 2),
			be(w, 2),
			text("\x01\x01\x11\0\xff\xd9"),
		]);
	const makes = [
		["image/png", pngOf],
		["image/gif", gifOf],
		["image/gif", (w, h) => gifOf(1, 1, frame(0, 0, 1, 1), frame(w - 1, h - 1, 1, 1))],
		["image/webp", lossless],
		["image/webp", lossy],
		["image/webp", canvas],
		["image/jpeg", jpegOf],
	];
	problem(await add(alice, "bomb", await picture(alice, pngOf(20000, 20000))), 413, "too_large", "file");
	for (const [type, make] of makes) {
		for (const [w, h] of [[16383, 16383], [1025, 1], [1, 1025]])
			problem(await add(alice, "bomb", await picture(alice, make(w, h), type)), 413, "too_large", "file");
		ok(await add(alice, "edge", await picture(alice, make(1024, 1024), type)), 201);
		ok(await remove(alice, "edge"), 204);
	}
	for (const [type, bytes] of [["image/gif", gifOf(0, 0)], ["image/jpeg", jpegOf(1, 1).subarray(0, 24)], ["image/png", png().subarray(0, 20)]])
		problem(await add(alice, "cut", await picture(alice, bytes, type)), 422, "unprocessable", "file");
});

test("the picture: for everybody signed in, by an address that stays, kept by browsers; gone with its emoji", async () => {
	const bytes = png(), up = await uploaded(alice, room, bytes, { type: "image/png" });
	problem(await guest.get(`/api/v1/files/${up.id}`), 404, "not_found");
	ok(await add(alice, "seen", up.id), 201);
	const outside = await bot(stack, "carol"); // in no channel
	const { to, got } = await fetched(outside, up.id);
	assert.deepEqual(got.bytes, bytes);
	assert.equal(got.headers["content-type"], "image/png");
	const age = (answer) => Number(/^private, max-age=(\d+)$/.exec(answer.headers["cache-control"])[1]);
	assert.ok(age(to) >= 86000, to.headers["cache-control"]);
	assert.equal(age(got), 86400);
	const again = await fetched(guest, up.id);
	const day = (url) => new URL(url).searchParams.get("X-Amz-Date");
	if (day(again.to.headers.location) === day(to.headers.location)) assert.equal(again.to.headers.location, to.headers.location, "for all the same");
	assert.equal((await exchange(`${stack.url}/api/v1/files/${up.id}`)).status, 401);
	problem(await alice.delete(`/api/v1/files/${up.id}`), 422, "unprocessable");
	ok(await alice.delete(`/api/v1/uploads/${up.id}`), 204);
	const upload = ok(await alice.get(`/api/v1/uploads/${up.id}`));
	assert.equal(upload.state, "emoji");
	assert.deepEqual(ok(await alice.post(`/api/v1/uploads/${up.id}/complete`)), upload);
	ok(await alice.delete("/api/v1/me/files"), 204);
	assert.deepEqual(ok(await alice.get("/api/v1/me/files")), { files: [], bytes: 0, next: null });
	assert.deepEqual((await fetched(guest, up.id)).got.bytes, bytes, "the site's, whatever becomes of her files");
	const key = await keyOf({ stack }, up.id);
	ok(await remove(alice, "seen"), 204);
	problem(await guest.get(`/api/v1/files/${up.id}`), 404, "not_found");
	await until(async () => !(await objectThere({ kind: "local", stack }, key)), { what: "the store has it no more" });
});

test("RX-1 reactions with it: one form, no other name; they stay when it goes, and can be taken away", async () => {
	ok(await add(alice, "wow", await picture(alice)), 201);
	const m = ok(await send(alice, room, "see :wow:"), 201);
	const at = (emoji) => `/api/v1/channels/${room}/messages/${m.seq}/reactions/${encodeURIComponent(emoji)}`;
	ok(await alice.put(at(":WOW:")));
	const both = [{ emoji: ":wow:", count: 2, users: [ids.alice, ids.guest] }];
	assert.deepEqual(ok(await guest.put(at(":wow:"))).reactions, both);
	for (const e of [":nothing:", "wow", ":wow", "::", ":w w:", ":wow::wow:"]) problem(await bob.put(at(e)), 400, "bad_field", "emoji");
	assert.deepEqual(ok(await bob.get(at(":Wow:"))).users, [ids.alice, ids.guest]);
	ok(await remove(alice, "wow"), 204);
	assert.deepEqual(ok(await bob.get(`/api/v1/channels/${room}/messages/${m.seq}`)).reactions, both);
	problem(await bob.put(at(":wow:")), 400, "bad_field", "emoji");
	assert.deepEqual(ok(await alice.put(at(":wow:"))).reactions, both, "hers is there");
	ok(await alice.delete(at(":wow:")));
	assert.deepEqual(ok(await guest.delete(at(":wow:"))).reactions, []);
});
