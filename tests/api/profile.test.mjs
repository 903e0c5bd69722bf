// profile: what people say of themselves, name and picture: by whom, of what, told to whom, kept when they sign in, and what goes.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { GIF, begin, fetched, keyOf, objectThere, png, sendFiles, uploaded } from "../files/uploads.mjs";
import { head } from "../realtime/help.mjs";
import { Jar, bot, client, exchange, signIn } from "../support/http.mjs";
import { openWs } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { startStack } from "../support/stack.mjs";
import { until } from "../support/until.mjs";
import { makeChannel, me, ok, problem } from "./help.mjs";

let stack, alice, bob, carol, guest, root, local, room, ids;
before(async () => {
	stack = await startStack({ api: 1, realtime: 1, conf: { oidc: { scopes: "openid profile email" } } });
	const scopes = ["read", "write", "files"];
	await stack.cli(["user", "add", "lena", "--name", "Lena Local"]);
	[alice, bob, carol, guest, local] = await Promise.all(["alice", "bob", "carol", "frank", "lena"].map((u) => bot(stack, u, scopes)));
	root = await bot(stack, "heidi", [...scopes, "admin"]);
	await stack.cli(["user", "role", "frank", "guest"]);
	await stack.cli(["user", "role", "heidi", "admin"]);
	const people = { alice, bob, carol, guest, local, root };
	ids = Object.fromEntries(await Promise.all(Object.entries(people).map(async ([name, who]) => [name, (await me(who)).id])));
	room = (await makeChannel(bob, { kind: "private", members: [ids.guest, ids.root, ids.local] })).id;
});
after(() => stack?.stop());

const rename = (who, name) => who.patch("/api/v1/me", { name });
const show = (who, file) => who.put("/api/v1/me/picture", { file });
const hide = (who) => who.delete("/api/v1/me/picture");
const picture = async (who, bytes = png(), type = "image/png") => (await uploaded(who, room, bytes, { name: "me.png", type })).id;
const profile = async (who) => ok(await who.get("/api/v1/me")).profile;
const seenBy = async (who, id) => ok(await who.get(`/api/v1/users/${id}`));
const told = (id, version) => (l) => l.type === "user.updated" && l.user.id === id && l.user.version === version;
const gone = async (id) => {
	const key = await keyOf({ stack }, id);
	await until(async () => !(await objectThere({ kind: "local", stack }, key)), { what: "the store has it no more" });
};

test("a name: trimmed, told to everybody as a fresh load says it, by each transport, to guests who know the person", async () => {
	const cursor = await head(bob);
	const feeds = [await openWs(alice, { instance: randomUUID() }), await openSse(alice, { instance: randomUUID() })];
	feeds.push(await openWs(guest, { instance: randomUUID() }));
	const was = await me(bob);
	const now = ok(await rename(bob, "  Robert \u00a0 Bobson "));
	assert.deepEqual(now, { ...was, name: "Robert Bobson", version: was.version + 1 });
	assert.deepEqual(ok(await rename(bob, "Robert Bobson")), now, "again is harmless");
	assert.deepEqual(await seenBy(guest, ids.bob), now);
	feeds.push(await openWs(carol, { cursor, instance: randomUUID() }));
	for (const feed of feeds) {
		assert.deepEqual((await feed.some(told(ids.bob, now.version))).user, now);
		await feed.close();
	}
	assert.deepEqual((await profile(bob)).own_name, true);
	const both = ok(await bob.patch("/api/v1/me", { name: "Rob", time_zone: "Europe/Zurich" }));
	assert.deepEqual(both, { ...now, name: "Rob", time_zone: "Europe/Zurich", version: now.version + 1 }, "both by one change");
	problem(await bob.patch("/api/v1/me", { name: "Not kept", time_zone: "Europe/Nowhere" }), 400, "bad_field", "time_zone");
	assert.equal((await me(bob)).name, "Rob");
	assert.equal(ok(await rename(guest, "A Visitor")).name, "A Visitor");
	const long = "é".repeat(80);
	assert.equal(ok(await rename(carol, long)).name, long);
});

test("what is no name, and who says none", async () => {
	for (const bad of ["", " ", "\u200b\u200d", "a\u0007b", "a\nb", "x".repeat(81), "Al\u0456ce", "\u{1d400}lice", 3, true, ["x"], { a: 1 }])
		problem(await rename(carol, bad), 400, "bad_field", "name");
	problem(await carol.patch("/api/v1/me", {}), 400, "bad_field", "time_zone");
	problem(await carol.patch("/api/v1/me", { name: "x", role: "owner" }), 400, "bad_field", "role");
	problem(await rename(await bot(stack, "carol", ["read"]), "x"), 403, "insufficient_scope");
	problem(await rename(client(stack), "x"), 401, "unauthenticated");
	const browser = await signIn(stack, "carol");
	const headers = { cookie: browser.cookie, origin: "https://elsewhere.example", "content-type": "application/json" };
	for (const [method, path, body] of [["PATCH", "/me", { name: "x" }], ["PUT", "/me/picture", { file: 1 }], ["DELETE", "/me/picture"]])
		assert.equal((await exchange(`${stack.url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) })).status, 403, path);
	ok(await root.put(`/api/v1/admin/users/${ids.carol}/mute`, {}), 204);
	problem(await rename(carol, "Muted"), 403, "muted");
	problem(await show(carol, 1), 403, "muted");
	ok(await carol.patch("/api/v1/me", { time_zone: null }));
	ok(await root.delete(`/api/v1/admin/users/${ids.carol}/mute`), 204);
	const robot = ok(await root.post("/api/v1/bots", { handle: "robot", name: "Robot" }), 201);
	const owner = await signIn(stack, "alice");
	const { token } = ok(await owner.post(`/api/v1/bots/${robot.id}/tokens`, { name: "t", scopes: ["read", "write"], expires_in: 3600 }), 201);
	problem(await rename(client(stack, { token }), "R2"), 403, "forbidden");
	assert.equal(ok(await root.patch(`/api/v1/admin/users/${robot.id}`, { name: "R2" })).name, "R2");
});

test("what the provider says is kept beside it, taken over where nothing else is said, and had back by null", async () => {
	await stack.idp({ claims: { dave: { name: "Dave Provider", picture: "https://idp.example/dave.png" } } });
	const jar = new Jar();
	const dave = await signIn(stack, "dave", { jar });
	const { id } = await me(dave);
	assert.equal((await seenBy(bob, id)).name, "Dave Provider");
	assert.deepEqual(await profile(dave), { own_name: false, own_picture: false, provider_name: "Dave Provider" });
	ok(await rename(dave, "Davy"));
	const up = await uploaded(dave, (await makeChannel(dave)).id, png(), { name: "d.png", type: "image/png" });
	const mine = `/api/v1/files/${up.id}`;
	assert.equal(ok(await show(dave, up.id)).picture, mine);
	const before = await me(dave);
	await stack.idp({ claims: { dave: { name: "David P.", picture: "https://idp.example/2.png" } } });
	const again = await signIn(stack, "dave");
	assert.deepEqual(await me(again), before, "a sign-in changes neither, and no version");
	assert.deepEqual(await profile(again), { own_name: true, own_picture: true, provider_name: "David P." });
	ok(await hide(again), 204);
	assert.equal((await seenBy(bob, id)).picture, "https://idp.example/2.png");
	assert.equal(ok(await rename(again, null)).name, "David P.", "as it said last");
	await stack.idp({ claims: { dave: { name: "Dave Third" } } });
	assert.equal((await me(await signIn(stack, "dave"))).name, "Dave Third", "and follows again");
	problem(await rename(local, null), 400, "bad_field", "name");
	assert.deepEqual(await profile(local), { own_name: false, own_picture: false, provider_name: null });
	assert.equal(ok(await rename(local, "Lena L.")).name, "Lena L.");
});

test("a picture: shown everywhere by one address, to whoever knows the person, in no list, no quota; the one before goes", async () => {
	const limits = ok(await bob.get("/api/v1/limits"));
	assert.deepEqual([limits.picture_bytes, limits.picture_side], [262144, 1024]);
	const feeds = await Promise.all([openWs(alice, { instance: randomUUID() }), openWs(guest, { instance: randomUUID() })]);
	const bytes = png(), one = await picture(bob, bytes), was = await me(bob);
	const now = ok(await show(bob, one));
	assert.deepEqual(now, { ...was, picture: `/api/v1/files/${one}`, version: was.version + 1 });
	assert.deepEqual(ok(await show(bob, one)), now, "again is harmless");
	for (const feed of feeds) assert.deepEqual((await feed.some(told(ids.bob, now.version))).user, now);
	assert.deepEqual(await seenBy(alice, ids.bob), now);
	assert.deepEqual((await profile(bob)).own_picture, true);
	const { to, got } = await fetched(alice, one); // who is in no channel with him
	assert.deepEqual(got.bytes, bytes);
	assert.match(got.headers["cache-control"], /^private, max-age=86400$/);
	const again = await fetched(guest, one);
	const day = (answer) => new URL(answer.to.headers.location).searchParams.get("X-Amz-Date");
	if (day(again) === day({ to })) assert.equal(again.to.headers.location, to.headers.location, "the same for all");
	assert.equal((await exchange(`${stack.url}/api/v1/files/${one}`)).status, 401);
	assert.deepEqual(ok(await bob.get("/api/v1/me/files")), { files: [], bytes: 0, next: null });
	assert.equal(ok(await bob.get(`/api/v1/uploads/${one}`)).state, "profile");
	problem(await bob.delete(`/api/v1/files/${one}`), 422, "unprocessable");
	ok(await bob.delete(`/api/v1/uploads/${one}`), 204);
	const two = await picture(bob, GIF, "image/gif");
	assert.equal(ok(await show(bob, two)).picture, `/api/v1/files/${two}`);
	problem(await alice.get(`/api/v1/files/${one}`), 404, "not_found");
	await gone(one);
	ok(await hide(bob), 204);
	ok(await hide(bob), 204);
	const last = await me(bob);
	assert.deepEqual([last.picture, last.version], [was.picture, now.version + 2]);
	for (const feed of feeds) {
		assert.deepEqual((await feed.some(told(ids.bob, last.version))).user, last);
		assert.equal(feed.lines.filter((l) => l.type === "user.updated" && l.user.id === ids.bob).length, 3, "one line for each change");
		await feed.close();
	}
	await gone(two);
});

test("a guest sees the picture of whom he knows alone, and has one himself", async () => {
	const open = (await makeChannel(alice)).id;
	const hers = (await uploaded(alice, open, png(), { name: "a.png", type: "image/png" })).id;
	ok(await show(alice, hers));
	problem(await guest.get(`/api/v1/files/${hers}`), 404, "not_found");
	ok(await bob.get(`/api/v1/users/${ids.alice}`));
	await fetched(bob, hers);
	const his = await picture(guest);
	ok(await show(guest, his));
	await fetched(guest, his);
	await fetched(alice, his);
	await makeChannel(alice, { kind: "private", members: [ids.guest] });
	await fetched(guest, hers);
	for (const who of [alice, guest]) ok(await hide(who), 204);
});

test("of what a picture is made", async () => {
	const file = await picture(bob);
	problem(await show(bob, 99999999), 422, "not_attachable", "file");
	problem(await show(local, file), 422, "not_attachable", "file");
	const attached = await picture(bob);
	ok(await sendFiles(bob, room, [attached]), 201);
	problem(await show(bob, attached), 422, "not_attachable", "file");
	problem(await show(bob, (await begin(bob, room, png(), { type: "image/png" })).id), 422, "not_attachable", "file");
	problem(await show(bob, await picture(bob, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), "image/svg+xml")), 422, "unprocessable", "file");
	problem(await show(bob, await picture(bob, Buffer.from("<html>"), "text/html")), 422, "unprocessable", "file");
	problem(await show(bob, await picture(bob, Buffer.concat([png(), Buffer.alloc(262144)]))), 413, "too_large", "size");
	const wide = png();
	wide.writeUInt32BE(1025, 16);
	problem(await show(bob, await picture(bob, wide)), 413, "too_large", "file");
	wide.writeUInt32BE(1024, 16);
	const edge = await picture(bob, wide);
	ok(await show(bob, edge));
	problem(await bob.post("/api/v1/emoji", { name: "bob", file: edge }), 422, "not_attachable", "file");
	ok(await bob.post("/api/v1/emoji", { name: "bob", file }), 201);
	problem(await show(bob, file), 422, "not_attachable", "file");
	ok(await bob.delete("/api/v1/emoji/bob"), 204);
	for (const bad of [{}, { file: "5" }, { file: 0 }, { file: null }]) problem(await bob.put("/api/v1/me/picture", bad), 400, "bad_field", "file");
	problem(await bob.put("/api/v1/me/picture", { file, user: ids.alice }), 400, "bad_field", "user");
	problem(await show(await bot(stack, "bob", ["read"]), file), 403, "insufficient_scope");
	problem(await hide(await bot(stack, "bob", ["read"])), 403, "insufficient_scope");
	ok(await hide(bob), 204);
});

test("owners and admins take a picture away, and rename, whoever stands below them; both are noted", async () => {
	const file = await picture(local), path = `/api/v1/users/${ids.local}/picture`;
	ok(await show(local, file));
	problem(await (await signIn(stack, "carol")).delete(path), 403, "forbidden");
	problem(await (await bot(stack, "heidi")).delete(path), 403, "insufficient_scope");
	problem(await root.delete("/api/v1/users/99999999/picture"), 404, "not_found");
	problem(await root.delete(`/api/v1/users/${ids.alice}/picture`), 403, "forbidden");
	ok(await root.delete(path), 204);
	ok(await root.delete(path), 204);
	assert.equal((await me(local)).picture, null);
	await gone(file);
	const person = `/api/v1/admin/users/${ids.local}`;
	assert.equal(ok(await root.patch(person, { name: "Lena Named" })).name, "Lena Named");
	ok(await root.patch(person, { name: "Lena Named" }));
	problem(await root.patch(person, { name: null }), 400, "bad_field", "name");
	problem(await root.patch(person, { name: "" }), 400, "bad_field", "name");
	problem(await root.patch(person, { name: "x", role: "guest" }), 400, "bad_field", "role");
	problem(await root.patch(person, {}), 400, "bad_field", "role");
	problem(await root.patch(`/api/v1/admin/users/${ids.alice}`, { name: "Less" }), 403, "forbidden");
	const noted = async (action) => ok(await root.get(`/api/v1/admin/audit?action=${action}&target=${ids.local}`)).entries.map((x) => [x.actor, x.details]);
	assert.deepEqual(await noted("user.picture_removed"), [[ids.root, { file }]]);
	assert.deepEqual(await noted("user.renamed"), [[ids.root, { from: "Lena L.", to: "Lena Named" }]]);
});

test("it goes with all of one's files, by oneself and by an admin", async () => {
	for (const erase of [() => local.delete("/api/v1/me/files"), () => root.delete(`/api/v1/admin/users/${ids.local}/files`)]) {
		const file = await picture(local);
		const { version } = ok(await show(local, file));
		const feed = await openWs(bob, { instance: randomUUID() });
		ok(await erase(), 204);
		const { user } = await feed.some(told(ids.local, version + 1));
		assert.equal(user.picture, null);
		assert.deepEqual(await seenBy(bob, ids.local), user);
		problem(await bob.get(`/api/v1/files/${file}`), 404, "not_found");
		await gone(file);
		await feed.close();
	}
});
