// routes: every route of doc/protocol.md, section 4, and what each refuses.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { bot, client, signIn } from "../support/http.mjs";
import { fcgiRequest } from "../support/fastcgi.mjs";
import { json, makeChannel, me, message, ok, problem, send } from "./help.mjs";

let stack, alice, bob, carol, reader, nobody, ids;

before(async () => {
	stack = await startStack({ realtime: 0 });
	[alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((h) => bot(stack, h)));
	reader = await bot(stack, "alice", ["read"]);
	nobody = client(stack);
	ids = { alice: (await me(alice)).id, bob: (await me(bob)).id, carol: (await me(carol)).id };
});
after(() => stack?.stop());

test("healthz, limits and site need no login", async () => {
	assert.deepEqual(ok(await nobody.get("/healthz")), { status: "ok", database: "ok", writer: "ok", log: "ok" });
	const limits = ok(await nobody.get("/api/v1/limits"));
	assert.equal(limits.message_chars, 20000);
	assert.equal(limits.page, 200);
	assert.equal(limits.request_bytes, 262144);
	const site = ok(await nobody.get("/api/v1/site"));
	assert.equal(site.name, "PulseChat");
	assert.deepEqual(
		site.login.map((b) => b.id),
		["google", "github"],
	);
	assert.deepEqual(Object.keys(site.login[0]).sort(), ["id", "label"]);
	assert.match(site.version, /^\d+\.\d+/);
});

test("each answer bears a request id and Cache-Control, errors too", async () => {
	const seen = new Set();
	for (const path of ["/healthz", "/api/v1/me", "/api/v1/nothing", "/api/v1/limits"]) {
		const r = await alice.get(path);
		assert.match(r.headers["pulsechat-request-id"], /^[0-9a-f]{16}$/);
		assert.match(r.headers["cache-control"], path.endsWith("limits") ? /no-cache/ : /no-store/);
		seen.add(r.headers["pulsechat-request-id"]);
	}
	assert.equal(seen.size, 4);
});

test("401 without a session or with a wrong one, with WWW-Authenticate", async () => {
	for (const who of [nobody, client(stack, { token: `pct_${"A".repeat(43)}` }), client(stack, { token: "xyz" })]) {
		const r = await who.get("/api/v1/me");
		problem(r, 401, "unauthenticated");
		assert.match(r.headers["www-authenticate"], /Bearer/);
	}
	problem(await nobody.get("/api/v1/me", { headers: { authorization: "Basic eDp5" } }), 401, "unauthenticated");
});

test("a path that is none is 404, before any login", async () => {
	const paths = [
		"/api/v1/nothing",
		"/api/v1/",
		"/api/v1/channels/",
		"/api/v1//me",
		"/api/v1/channels/0",
		"/api/v1/channels/01",
		"/api/v1/channels/x",
	];
	paths.push(
		"/api/v1/channels/99999999999999999999",
		"/api/v1/channels/-1",
		"/api/v2/me",
		"/api/v1/me%2f",
		`/api/v1${"/a".repeat(50)}`,
	);
	for (const path of paths) problem(await nobody.get(path), 404, "not_found");
});

test("405 says what the path takes; OPTIONS too; HEAD is GET without a body", async () => {
	const r = await alice.delete("/api/v1/channels");
	problem(r, 405, "method_not_allowed");
	assert.equal(r.headers.allow, "GET, HEAD, POST, OPTIONS");
	const o = await nobody.request("OPTIONS", "/api/v1/me");
	assert.equal(o.status, 204);
	assert.equal(o.headers.allow, "GET, HEAD, PATCH, OPTIONS");
	const g = await alice.get("/api/v1/limits"),
		h = await alice.request("HEAD", "/api/v1/limits");
	assert.equal(h.status, 200);
	assert.equal(h.text, "");
	assert.equal(h.headers["content-length"], g.headers["content-length"]);
});

test("the query is strict", async () => {
	problem(await alice.get("/api/v1/me?x=1"), 400, "bad_field", "x");
	problem(await alice.get("/api/v1/channels?limit=1&limit=2"), 400, "bad_field", "limit");
	// past the web server, which refuses some of these itself
	for (const q of ["limit", "=1", "limit=1&", "&limit=1", "limit=%zz", "limit=%", "limit=%00", "after=%ff", "after=%ed%a0%80"]) {
		const token = alice.token,
			path = `/api/v1/channels?${q}`;
		problem(await fcgiRequest(stack.socket("api1"), { path, token }), 400, "bad_request");
	}
	for (const path of ["/api/v1/%zz", "/api/v1/%00", "/api/v1/%ff", "api/v1/me", "*", "/api/v1/me#x", `/${"a".repeat(9000)}`])
		problem(await fcgiRequest(stack.socket("api1"), { path }), 400, "bad_request");
	assert.equal((await fcgiRequest(stack.socket("api1"), { path: `${stack.url}/api/v1/me`, token: alice.token })).status, 200);
	for (const limit of ["0", "-1", "201", "10000", "ten", "1.5", "", "%201", "+1"])
		problem(await alice.get(`/api/v1/channels?limit=${limit}`), 400, "bad_field", "limit");
	problem(await alice.get("/api/v1/channels?scope=all"), 400, "bad_field", "scope");
});

test("the body: 413, 415, 400", async () => {
	const path = "/api/v1/channels";
	problem(await alice.post(path, "{}", { headers: { "content-type": "text/plain" } }), 415, "unsupported_media_type");
	problem(await alice.post(path, "{}"), 415, "unsupported_media_type");
	problem(
		await alice.post(path, "{}", { headers: { "content-type": "application/json; charset=latin1" } }),
		415,
		"unsupported_media_type",
	);
	problem(
		await alice.post(path, "{}", { headers: { "content-type": 'Application/JSON; charset="UTF-8"' } }),
		400,
		"bad_field",
		"kind",
	);
	problem(await alice.post(path, Buffer.alloc(262145, " "), { headers: json }), 413, "too_large");
	problem(await alice.post(path, Buffer.alloc(262144, " "), { headers: json }), 400, "bad_request");
	problem(await alice.post(path, "", { headers: json }), 400, "bad_request");
	for (const bad of ["[]", "1", '"x"', "null", "{", "{}x", '{"a":}'])
		assert.equal((await alice.post(path, bad, { headers: json })).status, 400, bad);
	problem(await alice.post(path, { name: "x", kind: "public", colour: "red" }), 400, "bad_field", "colour");
});

test("a route that takes no body takes an empty object, and nothing else", async () => {
	const c = await makeChannel(alice);
	ok(await bob.post(`/api/v1/channels/${c.id}/join`, {}));
	problem(await bob.post(`/api/v1/channels/${c.id}/join`, { x: 1 }), 400, "bad_field", "x");
	problem(await bob.post(`/api/v1/channels/${c.id}/join`, "x"), 415, "unsupported_media_type");
});

test("me, by token and by cookie", async () => {
	const r = ok(await alice.get("/api/v1/me"));
	assert.equal(r.user.handle, "alice");
	assert.equal(r.user.role, "owner");
	assert.deepEqual(Object.keys(r.user).sort(), ["active", "bot", "handle", "id", "muted_until", "name", "picture", "role", "time_zone", "version"]);
	assert.equal(r.session.kind, "token");
	assert.deepEqual(r.session.scopes, ["read", "write"]);
	assert.equal(r.session.expires_at, null);
	assert.deepEqual(ok(await reader.get("/api/v1/me")).session.scopes, ["read"]);
	const browser = await signIn(stack, "bob");
	const s = ok(await browser.get("/api/v1/me"));
	assert.equal(s.user.handle, "bob");
	assert.equal(s.session.kind, "session");
	assert.ok(new Date(s.session.expires_at) > new Date());
});

test("a cookie acts for the site's own pages alone", async () => {
	const browser = await signIn(stack, "carol");
	const path = "/api/v1/channels",
		wish = () => ({ name: `origin ${randomUUID()}`, kind: "public" });
	ok(await browser.post(path, wish()), 201);
	for (const origin of ["https://evil.test", "null", `${stack.url}.evil.test`, null])
		problem(await browser.post(path, wish(), { headers: { origin } }), 403, "origin_refused");
	problem(await browser.get("/api/v1/me", { headers: { "sec-fetch-site": "cross-site" } }), 403, "origin_refused");
	problem(await browser.get("/api/v1/me", { headers: { "sec-fetch-site": null } }), 403, "origin_refused");
	ok(await browser.get("/api/v1/me", { headers: { "sec-fetch-site": null, "pulsechat-client": "test" } }));
	// a token knows no origin
	ok(await alice.post(path, wish(), { headers: { origin: "https://evil.test" } }), 201);
});

test("a token without the scope is refused", async () => {
	const c = await makeChannel(alice);
	ok(await reader.get(`/api/v1/channels/${c.id}`));
	problem(await send(reader, c.id, "x"), 403, "insufficient_scope");
	problem(await reader.put(`/api/v1/channels/${c.id}/read`, { seq: 0 }), 403, "insufficient_scope");
});

test("users: by ids, by beginning, by pages", async () => {
	const all = await alice.get("/api/v1/users?limit=200");
	const handles = ok(all).users.map((u) => u.handle);
	assert.match(all.headers["pulsechat-cursor"], /^[a-z2-7]{8}\.\d+$/);
	assert.deepEqual(handles, [...handles].sort());
	assert.ok(handles.includes("alice") && handles.includes("heidi"));
	const paged = [];
	let after;
	do {
		const r = ok(await alice.get(`/api/v1/users?limit=3${after ? `&after=${after}` : ""}`));
		assert.ok(r.users.length <= 3);
		paged.push(...r.users.map((u) => u.handle));
		after = r.next;
	} while (after);
	assert.deepEqual(paged, handles);
	assert.deepEqual(
		ok(await alice.get("/api/v1/users?q=al")).users.map((u) => u.handle),
		["alice"],
	);
	assert.deepEqual(
		ok(await alice.get("/api/v1/users?q=M%C3%BCl")).users.map((u) => u.handle),
		["frank"],
	);
	assert.deepEqual(ok(await alice.get("/api/v1/users?q=%25")).users, []);
	const two = ok(await alice.get(`/api/v1/users?ids=${ids.bob},${ids.alice},999999`)).users;
	assert.deepEqual(
		two.map((u) => u.id),
		[ids.alice, ids.bob],
	);
	for (const bad of ["x", "1,", ",1", "1,,2", "-1", "1.5", Array(101).fill(1).join(",")])
		problem(await alice.get(`/api/v1/users?ids=${bad}`), 400, "bad_field", "ids");
	assert.equal(ok(await alice.get(`/api/v1/users?ids=${Array(100).fill(ids.bob).join(",")}`)).users.length, 1);
	problem(await alice.get("/api/v1/users?after=A!"), 400, "bad_field", "after");
	problem(await alice.get("/api/v1/users?ids=1&limit=5"), 400, "bad_field", "ids");
	assert.equal(ok(await alice.get(`/api/v1/users/${ids.bob}`)).handle, "bob");
	problem(await alice.get("/api/v1/users/999999"), 404, "not_found");
});

test("ETag and If-None-Match", async () => {
	for (const path of [`/api/v1/users/${ids.bob}`, "/api/v1/limits", "/api/v1/channels"]) {
		const r = await alice.get(path);
		assert.match(r.headers.etag, /^"[\w-]{22}"$/);
		for (const tag of [r.headers.etag, `"x", W/${r.headers.etag}`, "*"]) {
			const again = await alice.get(path, { headers: { "if-none-match": tag } });
			assert.equal(again.status, 304, tag);
			assert.equal(again.text, "");
			assert.equal(again.headers.etag, r.headers.etag);
		}
		ok(await alice.get(path, { headers: { "if-none-match": '"other"' } }));
	}
});

test("channels: make, see, list, name taken", async () => {
	const name = `Straße ${randomUUID()}`;
	const r = await alice.post("/api/v1/channels", { name, kind: "public", topic: "what", members: [ids.bob, ids.bob, ids.alice] });
	const c = ok(r, 201);
	assert.equal(r.headers.location, `/api/v1/channels/${c.id}`);
	assert.equal(c.name, name);
	assert.equal(c.topic, "what");
	assert.equal(c.members, 2);
	assert.equal(c.last_seq, 0);
	assert.equal(c.version, 1);
	assert.equal(c.peer, null);
	assert.match(c.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	assert.equal(c.membership.role, "owner");
	assert.equal(c.membership.unread, 0);
	const forBob = ok(await bob.get(`/api/v1/channels/${c.id}`));
	assert.equal(forBob.membership.role, "member");
	assert.equal(forBob.membership.since, c.membership.since + 1);
	assert.equal(ok(await carol.get(`/api/v1/channels/${c.id}`)).membership, null);
	problem(
		await bob.post("/api/v1/channels", { name: name.toUpperCase().replace("STRASSE", "STRAßE"), kind: "private" }),
		409,
		"conflict",
		"name",
	);
	problem(await alice.post("/api/v1/channels", { name: "x", kind: "public", members: [999999] }), 400, "bad_field", "members");
	problem(await alice.post("/api/v1/channels", { name: "x", kind: "public", members: [0] }), 400, "bad_field");
	problem(await alice.post("/api/v1/channels", { name: "x", kind: "secret" }), 400, "bad_field", "kind");
	problem(await alice.post("/api/v1/channels", { kind: "public" }), 400, "bad_field", "name");
	for (const bad of ["", " ", "​", "a\nb", "a\u0007b", "x".repeat(81)])
		problem(await alice.post("/api/v1/channels", { name: bad, kind: "public" }), 400, "bad_field", "name");
	ok(await alice.post("/api/v1/channels", { name: "😀".repeat(60) + randomUUID().slice(0, 20), kind: "public" }), 201);
	problem(await alice.post("/api/v1/channels", { name: "topic", kind: "public", topic: "x".repeat(251) }), 400, "bad_field", "topic");
});

test("channels: mine by pages, public ones that may be joined", async () => {
	const mine = await bot(stack, "dave");
	const made = [];
	for (let i = 0; i < 7; i++) made.push((await makeChannel(mine)).id);
	const paged = [];
	let after = 0;
	do {
		const r = await mine.get(`/api/v1/channels?limit=3&after=${after}`);
		const page = ok(r);
		assert.match(r.headers["pulsechat-cursor"], /\.\d+$/);
		paged.push(...page.channels.map((c) => c.id));
		after = page.next;
	} while (after);
	assert.deepEqual(paged, made);
	const open = [];
	after = 0;
	do {
		const page = ok(await carol.get(`/api/v1/channels?scope=public&limit=200&after=${after}`));
		assert.ok(page.channels.every((c) => c.kind === "public" && c.membership === null));
		open.push(...page.channels.map((c) => c.id));
		after = page.next;
	} while (after);
	assert.ok(made.every((id) => open.includes(id)));
	const secret = await makeChannel(mine, { kind: "private" });
	assert.ok(!ok(await carol.get("/api/v1/channels?scope=public&limit=200")).channels.some((c) => c.id === secret.id));
	ok(await carol.post(`/api/v1/channels/${made[0]}/join`));
	assert.ok(!ok(await carol.get("/api/v1/channels?scope=public&limit=200")).channels.some((c) => c.id === made[0]));
});

test("direct channels: one for two people, one with oneself", async () => {
	const r = await alice.post("/api/v1/channels", { kind: "direct", members: [ids.bob] });
	const c = ok(r, 201);
	assert.equal(c.name, null);
	assert.equal(c.peer, ids.bob);
	assert.equal(c.members, 2);
	const same = ok(await bob.post("/api/v1/channels", { kind: "direct", members: [ids.alice] }));
	assert.equal(same.id, c.id);
	assert.equal(same.peer, ids.alice);
	const own = ok(await alice.post("/api/v1/channels", { kind: "direct", members: [ids.alice] }), 201);
	assert.equal(own.peer, ids.alice);
	assert.equal(own.members, 1);
	problem(await carol.get(`/api/v1/channels/${c.id}`), 404, "not_found");
	for (const path of ["join", "leave"]) assert.equal((await carol.post(`/api/v1/channels/${c.id}/${path}`)).status, 404);
	problem(await alice.post(`/api/v1/channels/${c.id}/leave`), 422, "unprocessable");
	problem(await alice.post(`/api/v1/channels/${c.id}/members`, { user: ids.carol }), 422, "unprocessable");
	problem(await alice.post("/api/v1/channels", { kind: "direct", members: [] }), 400, "bad_field", "members");
	problem(await alice.post("/api/v1/channels", { kind: "direct" }), 400, "bad_field", "members");
	problem(await alice.post("/api/v1/channels", { kind: "direct", members: [ids.bob], name: "x" }), 400, "bad_field", "name");
	problem(await alice.post("/api/v1/channels", { kind: "direct", members: [999999] }), 400, "bad_field", "members");
	// ten at once make one
	const [erin, frank] = await Promise.all([bot(stack, "erin"), bot(stack, "frank")]);
	const frankId = (await me(frank)).id,
		erinId = (await me(erin)).id;
	const all = await Promise.all(
		Array.from({ length: 10 }, (_, i) =>
			(i % 2 ? erin : frank).post("/api/v1/channels", { kind: "direct", members: [i % 2 ? frankId : erinId] }),
		),
	);
	assert.equal(new Set(all.map((a) => a.json.id)).size, 1);
	assert.equal(all.filter((a) => a.status === 201).length, 1);
});

test("join and leave, again is harmless", async () => {
	const c = await makeChannel(alice);
	const joined = ok(await bob.post(`/api/v1/channels/${c.id}/join`));
	assert.equal(joined.membership.role, "member");
	assert.deepEqual(ok(await bob.post(`/api/v1/channels/${c.id}/join`)).membership, joined.membership);
	assert.equal((await bob.post(`/api/v1/channels/${c.id}/leave`)).status, 204);
	assert.equal((await bob.post(`/api/v1/channels/${c.id}/leave`)).status, 204);
	assert.equal(ok(await bob.get(`/api/v1/channels/${c.id}`)).membership, null);
	problem(await bob.post("/api/v1/channels/999999/join"), 404, "not_found");
	const secret = await makeChannel(alice, { kind: "private" });
	for (const path of ["join", "leave"]) problem(await bob.post(`/api/v1/channels/${secret.id}/${path}`), 404, "not_found");
	await stack.psql(`UPDATE channels SET archived_at = now() WHERE id = ${c.id}`);
	problem(await carol.post(`/api/v1/channels/${c.id}/join`), 422, "unprocessable");
	problem(await send(alice, c.id, "x"), 422, "unprocessable");
	ok(await alice.get(`/api/v1/channels/${c.id}/messages`));
	assert.ok(!ok(await carol.get("/api/v1/channels?scope=public&limit=200")).channels.some((x) => x.id === c.id));
});

test("members: list, invite, remove, and by whom", async () => {
	const c = await makeChannel(alice, { kind: "private" });
	const path = `/api/v1/channels/${c.id}/members`;
	const added = ok(await alice.post(path, { user: ids.bob }), 201);
	assert.deepEqual(Object.keys(added).sort(), ["channel", "first_seq", "joined_at", "muted_until", "role", "since", "user"]);
	assert.equal(added.user, ids.bob);
	assert.deepEqual(ok(await alice.post(path, { user: ids.bob })), added);
	ok(await bob.post(path, { user: ids.carol }), 201);
	const listed = await carol.get(path);
	assert.deepEqual(
		ok(listed)
			.members.map((m) => m.user)
			.sort(),
		[ids.alice, ids.bob, ids.carol].sort(),
	);
	assert.match(listed.headers["pulsechat-cursor"], /\.\d+$/);
	const one = ok(await carol.get(`${path}?limit=2`));
	assert.equal(one.members.length, 2);
	const rest = ok(await carol.get(`${path}?limit=2&after=${one.next}`));
	assert.equal(rest.next, null);
	assert.equal(rest.members.length, 1);
	problem(await alice.post(path, { user: 999999 }), 400, "bad_field", "user");
	problem(await alice.post(path, {}), 400, "bad_field", "user");
	problem(await alice.post(path, { user: "2" }), 400, "bad_field", "user");
	problem(await bob.delete(`${path}/${ids.carol}`), 403, "forbidden");
	assert.equal((await alice.delete(`${path}/${ids.carol}`)).status, 204);
	assert.equal((await alice.delete(`${path}/${ids.carol}`)).status, 204);
	problem(await carol.get(path), 404, "not_found");
	problem(await carol.post(path, { user: ids.carol }), 404, "not_found");
	assert.equal((await bob.delete(`${path}/${ids.bob}`)).status, 204);
	const open = await makeChannel(alice);
	problem(await bob.get(`/api/v1/channels/${open.id}/members`), 403, "not_a_member");
	problem(await bob.post(`/api/v1/channels/${open.id}/members`, { user: ids.carol }), 403, "not_a_member");
	problem(await bob.delete(`/api/v1/channels/${open.id}/members/${ids.alice}`), 403, "not_a_member");
});

test("messages: send, one, history, retry, reuse", async () => {
	const c = await makeChannel(alice, { members: [ids.bob] });
	const path = `/api/v1/channels/${c.id}/messages`;
	const id = randomUUID();
	const r = await send(alice, c.id, "hello", id);
	const m = ok(r, 201);
	assert.equal(r.headers.location, `${path}/1`);
	assert.deepEqual(
		{ ...m, id: 0, created_at: "" },
		{ channel: c.id, seq: 1, id: 0, sender: ids.alice, client_id: id, created_at: "", version: 1, body: { text: "hello" } },
	);
	assert.ok(Math.abs(new Date(m.created_at) - Date.now()) < 60000);
	assert.deepEqual(ok(await bob.get(`${path}/1`)), m);
	assert.deepEqual(ok(await send(alice, c.id, "hello", id)), m);
	problem(await send(alice, c.id, "other", id), 409, "client_id_reused");
	assert.equal(ok(await send(bob, c.id, "hello", id), 201).seq, 2);
	problem(await bob.get(`${path}/3`), 404, "not_found");
	problem(await bob.get(`${path}/0`), 404, "not_found");
	problem(await carol.get(path), 403, "not_a_member");
	problem(await carol.get(`${path}/1`), 403, "not_a_member");
	problem(await send(carol, c.id, "x"), 403, "not_a_member");
	problem(await send(alice, 999999, "x"), 404, "not_found");
	const secret = await makeChannel(alice, { kind: "private" });
	problem(await send(bob, secret.id, "x"), 404, "not_found");
	problem(await bob.get(`/api/v1/channels/${secret.id}/messages`), 404, "not_found");
	problem(await bob.put(`/api/v1/channels/${secret.id}/read`, { seq: 1 }), 404, "not_found");
});

test("messages: each bad field is named and stores nothing", async () => {
	const c = await makeChannel(alice);
	const path = `/api/v1/channels/${c.id}/messages`;
	const cases = [
		[{ body: { text: "x" } }, "client_id"],
		[{ client_id: "x", body: { text: "x" } }, "client_id"],
		[{ client_id: randomUUID().toUpperCase(), body: { text: "x" } }, "client_id"],
		[{ client_id: 7, body: { text: "x" } }, "client_id"],
		[{ client_id: randomUUID() }, "body"],
		[{ client_id: randomUUID(), body: "x" }, "body"],
		[{ client_id: randomUUID(), body: {} }, "body.text"],
		[{ client_id: randomUUID(), body: { text: "" } }, "body.text"],
		[{ client_id: randomUUID(), body: { text: " \n​" } }, "body.text"],
		[{ client_id: randomUUID(), body: { text: 5 } }, "body.text"],
		[{ client_id: randomUUID(), body: { text: "x", html: "y" } }, "body.html"],
		[{ client_id: randomUUID(), body: { text: "x" }, channel: 1 }, "channel"],
		[{ client_id: randomUUID(), body: { text: "x".repeat(20001) } }, "body.text"],
	];
	for (const [body, field] of cases) problem(await alice.post(path, body), 400, "bad_field", field);
	assert.deepEqual(ok(await alice.get(path)).messages, []);
	for (const unit of ["a", "é", "😀"]) ok(await alice.post(path, message(unit.repeat(20000))), 201);
	ok(await alice.post(path, message("e\u0301".repeat(10000))), 201);
});

test("history: the page's edges, Link, and one of before, after, around", async () => {
	const c = await makeChannel(alice);
	const path = `/api/v1/channels/${c.id}/messages`;
	let page = ok(await alice.get(path));
	assert.deepEqual(page, { messages: [], has_before: false, has_after: false, upto: 0 });
	for (let i = 1; i <= 12; i++) ok(await send(alice, c.id, `m${i}`), 201);
	const seqs = async (q) => {
		const r = await alice.get(`${path}?${q}`);
		page = ok(r);
		const links = Object.fromEntries([...(r.headers.link ?? "").matchAll(/<([^>]+)>; rel="(\w+)"/g)].map((m) => [m[2], m[1]]));
		assert.equal(!!links.prev, page.has_before);
		assert.equal(!!links.next, page.has_after);
		return [page.messages.map((m) => m.seq).join(" "), page.has_before, page.has_after, links];
	};
	assert.deepEqual((await seqs("limit=3")).slice(0, 3), ["10 11 12", true, false]);
	assert.deepEqual((await seqs("before=10&limit=3")).slice(0, 3), ["7 8 9", true, true]);
	assert.deepEqual((await seqs("before=3&limit=3")).slice(0, 3), ["1 2", false, true]);
	assert.deepEqual((await seqs("before=1")).slice(0, 3), ["", false, true]);
	assert.deepEqual((await seqs("after=0&limit=2")).slice(0, 3), ["1 2", false, true]);
	assert.deepEqual((await seqs("after=10")).slice(0, 3), ["11 12", true, false]);
	assert.deepEqual((await seqs("after=12")).slice(0, 3), ["", true, false]);
	assert.deepEqual((await seqs("around=6&limit=4")).slice(0, 3), ["4 5 6 7", true, true]);
	assert.deepEqual((await seqs("around=6&limit=1")).slice(0, 3), ["6", true, true]);
	assert.deepEqual((await seqs("around=1&limit=4")).slice(0, 3), ["1 2", false, true]);
	assert.deepEqual((await seqs("around=500&limit=4")).slice(0, 3), ["11 12", true, false]);
	const [, , , links] = await seqs("before=10&limit=3");
	assert.equal((await alice.get(links.prev)).json.messages.at(-1).seq, 6);
	assert.equal((await alice.get(links.next)).json.messages[0].seq, 10);
	problem(await alice.get(`${path}?before=3&after=1`), 400, "bad_field");
	for (const bad of ["before=0", "before=-1", "before=x", "after=-1", "around=0", "before=99999999999999999999"])
		problem(await alice.get(`${path}?${bad}`), 400, "bad_field", bad.split("=")[0]);
	assert.match((await alice.get(path)).headers["pulsechat-cursor"], /^[a-z2-7]{8}\.\d+$/);
});

test("the cursor is the log's head as of the answer", async () => {
	const c = await makeChannel(alice);
	const cursorOf = (r) => Number(r.headers["pulsechat-cursor"].split(".")[1]);
	const before = cursorOf(await alice.get(`/api/v1/channels/${c.id}/messages`));
	ok(await send(alice, c.id, "x"), 201);
	for (const path of [
		`/api/v1/channels/${c.id}/messages`,
		"/api/v1/channels",
		"/api/v1/users",
		`/api/v1/channels/${c.id}/members`,
		`/api/v1/users?ids=${ids.bob}`,
	])
		assert.equal(cursorOf(await alice.get(path)), before + 1, path);
});

test("a deleted message is a tombstone in every answer", async () => {
	const c = await makeChannel(alice);
	const m = ok(await send(alice, c.id, "secret"), 201);
	await stack.psql(`UPDATE messages SET deleted_at = now(), body = NULL, digest = NULL, version = 2 WHERE channel_id = ${c.id}`);
	const gone = { channel: c.id, seq: 1, id: m.id, sender: ids.alice, created_at: m.created_at, version: 2, deleted: true };
	assert.deepEqual(ok(await alice.get(`/api/v1/channels/${c.id}/messages/1`)), gone);
	assert.deepEqual(ok(await alice.get(`/api/v1/channels/${c.id}/messages`)).messages, [gone]);
	assert.deepEqual(ok(await send(alice, c.id, "secret", m.client_id)), gone); // a late retry
});

test("read: forward only, clamped; unread counts others' messages, all of them", async () => {
	const c = await makeChannel(alice, { members: [ids.bob] });
	const path = `/api/v1/channels/${c.id}/read`;
	const unread = async (who) => ok(await who.get(`/api/v1/channels/${c.id}`)).membership.unread;
	for (let i = 0; i < 105; i++) ok(await send(alice, c.id, `m${i}`), 201);
	assert.equal(await unread(bob), 105);
	assert.equal(await unread(alice), 0);
	const state = { channel: c.id, last_seq: 105, mentions: 0, unread_from: null, gone: [], wide: [], read_receipts: true };
	assert.deepEqual(ok(await bob.put(path, { seq: 100 })), { ...state, seq: 100, version: 1, unread: 5 });
	assert.equal(await unread(bob), 5);
	assert.deepEqual(ok(await bob.put(path, { seq: 7 })), { ...state, seq: 100, version: 1, unread: 5 });
	assert.deepEqual(ok(await bob.put(path, { seq: 9007199254740991 })), { ...state, seq: 105, version: 2, unread: 0 });
	problem(await bob.put(path, { seq: -1 }), 400, "bad_field", "seq");
	problem(await bob.put(path, { seq: 1.5 }), 400, "bad_field", "seq");
	problem(await bob.put(path, { seq: "1" }), 400, "bad_field", "seq");
	problem(await bob.put(path, {}), 400, "bad_field", "seq");
	problem(await carol.put(path, { seq: 1 }), 403, "not_a_member");
	problem(await carol.put("/api/v1/channels/999999/read", { seq: 1 }), 404, "not_found");
});

test("AU-5 who is removed reads nothing more; who is deactivated is out at once", async () => {
	const grace = await bot(stack, "grace");
	const graceId = (await me(grace)).id;
	const c = await makeChannel(alice, { members: [graceId] });
	ok(await send(alice, c.id, "before"), 201);
	ok(await grace.get(`/api/v1/channels/${c.id}/messages`));
	assert.equal((await alice.delete(`/api/v1/channels/${c.id}/members/${graceId}`)).status, 204);
	ok(await send(alice, c.id, "after"), 201);
	problem(await grace.get(`/api/v1/channels/${c.id}/messages`), 403, "not_a_member");
	problem(await grace.get(`/api/v1/channels/${c.id}/messages/1`), 403, "not_a_member");
	problem(await send(grace, c.id, "x"), 403, "not_a_member");
	await stack.cli(["user", "deactivate", "grace"]);
	problem(await grace.get("/api/v1/me"), 401, "unauthenticated");
	assert.equal(ok(await alice.get(`/api/v1/users/${graceId}`)).active, false);
	assert.ok(!ok(await alice.get("/api/v1/users?q=grace")).users.length);
	assert.equal(ok(await alice.get(`/api/v1/users?ids=${graceId}`)).users[0].active, false);
	problem(await alice.post(`/api/v1/channels/${c.id}/members`, { user: graceId }), 400, "bad_field", "user");
	problem(await alice.post("/api/v1/channels", { kind: "direct", members: [graceId] }), 400, "bad_field", "members");
});

test("a guest is invited; he joins and makes no channels", async () => {
	await stack.cli(["user", "add", "guest1", "--role", "guest"]);
	const guest = await bot(stack, "guest1");
	const guestId = (await me(guest)).id;
	const c = await makeChannel(alice);
	problem(await guest.post("/api/v1/channels", { name: "mine", kind: "public" }), 403, "forbidden");
	problem(await guest.post(`/api/v1/channels/${c.id}/join`), 403, "forbidden");
	ok(await alice.post(`/api/v1/channels/${c.id}/members`, { user: guestId }), 201);
	ok(await send(guest, c.id, "hello"), 201);
});
