// fields: every text that the interface takes, as doc/openapi.json lists them: what no text may hold is refused by the field's name and stored nowhere
// (TX-1); the limit is taken and one more refused, in characters, whatever they weigh (TX-2). What is text comes back as it was: text.test.mjs.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { operations, resolve } from "../support/contract.mjs";
import { bot, client, Jar, signIn } from "../support/http.mjs";
import { poll } from "../support/realtime.mjs";
import { startStack } from "../support/stack.mjs";
import { head } from "../realtime/help.mjs";
import { json, makeChannel, me, ok, problem, send } from "./help.mjs";

let stack, page, alice, bob, places;

before(async () => {
	stack = await startStack({
		realtime: 1,
		conf: { rate: { session: 1000000, address: 1000000, login: 1000000, guess: 1000000 }, "local.accounts": "yes", "emoji.max": "100" },
	});
	page = await signIn(stack, "alice");
	alice = await bot(stack, "alice", ["read", "write", "files", "admin"]);
	bob = await bot(stack, "bob", ["read", "write", "files"]);
	places = await made();
});
after(() => stack?.stop());

const T = "@@"; // where the text stands

/** Of each: who asks what, with what else; `plain`: letters alone; `late`: a valid one is refused for another reason; `as`: what
 * makes one of such a length. */
async function made() {
	const ids = { alice: (await me(alice)).id, bob: (await me(bob)).id };
	const channel = (await makeChannel(alice, { members: [ids.bob] })).id;
	const { seq } = ok(await send(bob, channel, "one"), 201);
	const own = ok(await send(alice, channel, "two"), 201).seq;
	const group = ok(await alice.post("/api/v1/groups", { handle: "crew", name: "Crew" }), 201).id;
	const robot = ok(await alice.post("/api/v1/bots", { handle: "robot", name: "Robot" }), 201).id;
	const report = ok(await bob.post(`/api/v1/channels/${channel}/messages/${own}/reports`, { reason: "abuse", text: "x" }), 201).id;
	const upload = () => ({ client_id: randomUUID(), channel, name: "a.txt", type: "text/plain", size: 1, sha256: sha("x") });
	const sha = (text) => createHash("sha256").update(text).digest("hex");
	const api = "/api/v1";
	const at = `${api}/channels/${channel}`;
	const joiner = { invite: "none", handle: "joiner", name: "A", password: "a long password" };
	const nobody = () => client(stack, { jar: new Jar() });
	let n = 0;
	const p = (method, to, body, more) => ({ method, to, body, ...more });
	return [
		p("POST", "/auth/local", () => ({ name: T, password: "wrong password" }), { who: nobody, late: [403] }),
		p("POST", "/auth/local", () => ({ name: "nobody", password: T }), { who: nobody, late: [403] }),
		p("POST", "/auth/join", () => ({ ...joiner, handle: T }), { who: nobody, plain: true, most: 32, late: [403] }),
		p("POST", "/auth/join", () => ({ ...joiner, name: T }), { who: nobody, late: [403] }),
		p("POST", "/auth/join", () => ({ ...joiner, password: T }), { who: nobody, late: [403] }),
		p("PATCH", `${api}/me`, () => ({ name: T })),
		p("PATCH", `${api}/me`, () => ({ time_zone: T }), { plain: true, late: [400] }),
		p("PUT", `${api}/me/password`, () => ({ old: T, password: "a long password" }), { who: page, late: [403, 409, 422] }),
		p("PUT", `${api}/me/password`, () => ({ old: "none", password: T }), { who: page, late: [403, 409, 422] }),
		p("POST", `${api}/me/tokens`, () => ({ name: T, scopes: ["read"] }), { who: page }),
		p("PUT", `${api}/me/status`, () => ({ text: T })),
		p("PUT", `${api}/me/status`, () => ({ emoji: T }), { late: [400] }),
		p("PATCH", `${api}/me/settings`, () => ({ status: { text: T } })),
		p("PATCH", `${api}/me/settings`, () => ({ status: { emoji: T } }), { late: [400] }),
		p("PUT", `${api}/me/sidebar`, () => ({
			sections: [
				...["favourites", "channels", "direct"].map((kind) => ({ kind, collapsed: false })),
				{ kind: "own", id: randomUUID(), name: T, collapsed: false },
			],
		})),
		p("POST", `${api}/bots`, () => ({ handle: `bot${++n}`, name: T })),
		p("POST", `${api}/bots`, () => ({ handle: T, name: "x" }), { plain: true }),
		p("POST", `${api}/bots/${robot}/tokens`, () => ({ name: T, scopes: ["read"] }), { who: page }),
		p("POST", `${api}/groups`, () => ({ handle: `g${++n}`, name: T })),
		p("POST", `${api}/groups`, () => ({ handle: T, name: "x" }), { plain: true }),
		p("PATCH", `${api}/groups/${group}`, () => ({ name: T })),
		p("PATCH", `${api}/groups/${group}`, () => ({ handle: T }), { plain: true }),
		p("POST", `${api}/channels`, () => ({ kind: "public", name: T })),
		p("POST", `${api}/channels`, () => ({ kind: "public", name: `c${++n}`, topic: T })),
		p("PATCH", at, () => ({ name: T })),
		p("PATCH", at, () => ({ topic: T })),
		p("POST", `${at}/messages`, () => ({ client_id: randomUUID(), body: { text: T } })),
		p("PATCH", `${at}/messages/${own}`, () => ({ body: { text: T } })),
		p("PUT", `${at}/draft`, () => ({ text: T, version: 0 }), { late: [409] }),
		p("POST", `${at}/messages/${seq}/reports`, () => ({ reason: "abuse", text: T }), { late: [409] }),
		p("POST", `${api}/reports/${report}/resolve`, () => ({ action: "dismiss", note: T }), { late: [409] }),
		p("PUT", `${at}/members/${ids.bob}/mute`, () => ({ until: null, reason: T })),
		p("PUT", `${at}/bans/${robot}`, () => ({ until: null, reason: T })),
		p("PUT", `${api}/admin/users/${ids.bob}/mute`, () => ({ until: null, reason: T })),
		p("PATCH", `${api}/admin/users/${robot}`, () => ({ name: T })),
		p("POST", `${api}/admin/users/${robot}/deactivate`, () => ({ reason: T })),
		p("POST", `${api}/invites`, () => ({ note: T })),
		p("POST", `${api}/uploads`, () => ({ ...upload(), name: T })),
		p("POST", `${api}/uploads`, () => ({ ...upload(), type: T }), { plain: true, as: (text) => `text/plain;${text.slice(11)}` }),
		p("POST", `${api}/emoji`, () => ({ name: T, file: 1 }), { plain: true, late: [404, 422] }),
	].map((place) => ({ who: alice, channel, ...place, field: pathTo(place.body()).path }));
}

/** Where the text stands in a body, as the interface names it, and by which member. */
function pathTo(body, path = "") {
	for (const [k, v] of Object.entries(body)) {
		const here = Array.isArray(body) ? `${path}[${k}]` : path ? `${path}.${k}` : k;
		if (v === T) return { path: here, name: k };
		const found = typeof v === "object" && v !== null ? pathTo(v, here) : null;
		if (found) return found;
	}
	return null;
}

const ask = ({ who, method, to }, raw) => (typeof who === "function" ? who() : who)[method.toLowerCase()](to, raw, { headers: json });
function bytes(body, literal) {
	const [a, b] = JSON.stringify(body).split(JSON.stringify(T));
	return Buffer.concat([Buffer.from(a), Buffer.from(literal), Buffer.from(b)]);
}
const quoted = (...all) => Buffer.from([0x22, 0x61, ...all, 0x62, 0x22]);
/** What names the operation of the document that this is. */
const operationOf = ({ method, to }) =>
	operations.find((o) => o.method === method && o.parts.length === to.split("/").length - 1 &&
		o.parts.every((part, i) => part.startsWith("{") || part === to.split("/")[i + 1]));

/** All texts of a schema: [path, most]. Those that people do not write are left out: ids, codes, times, hashes. */
const MACHINES = /^(.*\.)?(invite|code|provider|return_to|until|dnd_until|quiet_until|client_id|sha256|section|id|mentions\[\])$/;
function texts(schema, path = "") {
	const s = resolve(schema);
	const inner = ["oneOf", "anyOf", "allOf"].flatMap((c) => (s[c] ?? []).flatMap((x) => texts(x, path)));
	const members = Object.entries(s.properties ?? {}).flatMap(([k, x]) => texts(x, path ? `${path}.${k}` : k));
	const items = s.items ? texts(s.items, `${path}[]`) : [];
	const own = [s.type].flat().includes("string") && !s.enum && s.const === undefined && !MACHINES.test(path) ? [[path, s.maxLength]] : [];
	return [...own, ...inner, ...members, ...items];
}
const asked = (o) => texts(o.operation.requestBody?.content?.["application/json"]?.schema ?? {});
/** What the database holds that anybody can see. */
const TABLES = `users channels members messages drafts user_groups reports invites files restrictions audit user_settings sidebars
	custom_emoji`.split(/\s+/);
const sum = (t) => `SELECT '${t} ' || count(*) || coalesce(md5(string_agg(md5(x::text), '' ORDER BY md5(x::text))), '') FROM ${t} x`;
const held = () => stack.psql(TABLES.map(sum).join(" UNION ALL "));

test("every text that the document lists is tried here, under the limit that it tells", () => {
	const tried = new Map();
	for (const place of places) {
		const o = operationOf(place);
		assert.ok(o, `${place.method} ${place.to}`);
		tried.set(`${o.method} ${o.path} ${place.field.replace(/\[\d+\]/g, "[]")}`, place);
	}
	for (const o of operations)
		for (const [field, most] of asked(o)) {
			const place = tried.get(`${o.method} ${o.path} ${field}`);
			assert.ok(place, `${o.method} ${o.path} ${field} is not tried`);
			assert.ok(most > 0, `${o.method} ${o.path} ${field} has no limit`);
			place.most ??= most;
		}
	for (const [name, place] of tried) assert.ok(place.most, `${name} is not in the document`);
});

test("TX-1 NUL, half a surrogate, invalid bytes, a key twice, in every text: 400 naming the field, and nothing is stored", async () => {
	const cursor = await head(bob);
	const before = await held();
	const bad = ['"a\\u0000b"', '"\\ud83d"', '"a\\udc00"', '"\\ud83d\\ud83d"'];
	bad.push(quoted(0xed, 0xa0, 0xbd), quoted(0xc3), quoted(0xff), quoted(0xc0, 0x80), quoted(0));
	for (const place of places) {
		for (const literal of bad) {
			const r = await ask(place, bytes(place.body(), literal));
			assert.equal(r.status, 400, `${place.method} ${place.to} ${place.field} ${literal}: ${r.status} ${r.text}`);
			problem(r, 400, "bad_field", place.field);
		}
		const { name } = pathTo(place.body());
		const twice = JSON.stringify(place.body()).replace(`"${name}":"${T}"`, `"${name}":"abc","${name}":"abd"`);
		problem(await ask(place, twice), 400, "bad_field", place.field);
		for (const wrong of ["1", "true", "[]", "{}", '["a"]'])
			assert.equal((await ask(place, bytes(place.body(), wrong))).status, 400, `${place.method} ${place.to} ${place.field} ${wrong}`);
	}
	assert.equal(await held(), before, "nothing is stored");
	// who comes back hears of nothing, and of what comes then
	assert.deepEqual((await poll(bob, { cursor, wait: 0 })).events, []);
	const { channel } = places.find((place) => place.channel);
	const { seq } = ok(await send(bob, channel, "still here"), 201);
	assert.deepEqual((await poll(bob, { cursor })).events.filter((e) => e.type === "message").map((e) => e.seq), [seq]);
});

test("TX-2 exactly the limit is taken, one character more is refused with the field's name, and told in characters", async () => {
	const bad = [];
	const kinds = ["a", "é", "😀", "e\u0301"];
	for (const [i, place] of places.entries()) {
		for (const c of place.plain ? ["a"] : kinds) {
			const { most } = place;
			// one of its kind in each place, so that no name is another's
			const first = place.plain ? String.fromCharCode(97 + (i % 26)) : String.fromCodePoint(0x4e00 + 8 * i + kinds.indexOf(c));
			const each = [...c].length;
			const rest = c.repeat(Math.floor((most - 1) / each));
			const full = (place.as ?? String)(first + rest + "x".repeat(most - 1 - [...rest].length));
			assert.equal([...full].length, most);
			const what = `${place.method} ${place.to} ${place.field} ${most} of ${c}`;
			const more = await ask(place, bytes(place.body(), JSON.stringify(`${full}x`)));
			const { code, field, detail } = more.json ?? {};
			if (more.status !== 400 || code !== "bad_field" || field !== place.field || !new RegExp(`\\b${most}\\b`).test(detail))
				bad.push(`${what} and one more: ${more.status} ${more.text.slice(0, 300)}`);
			const r = await ask(place, bytes(place.body(), JSON.stringify(full)));
			const otherwise = place.late?.includes(r.status) && !/ characters|bytes/.test(r.json.detail);
			if (r.status >= 300 && !otherwise) bad.push(`${what}: ${r.status} ${r.text.slice(0, 300)}`);
		}
	}
	assert.deepEqual(bad, []);
});

test("TX-1, TX-2 the same of what is asked for in a query, and of a reason there", async () => {
	const path = "/api/v1";
	const channel = (await makeChannel(alice)).id;
	for (const [who, to, name, most] of [
		[alice, `${path}/users`, "q", 80],
		[alice, `${path}/channels?scope=public`, "q", 250],
		[alice, `${path}/search`, "q", 256],
		[alice, `${path}/admin/users`, "q", 80],
		[alice, `${path}/admin/channels`, "q", 80],
	]) {
		const o = operations.find((x) => x.method === "GET" && x.path === to.split("?")[0]);
		const told = o.operation.parameters.map(resolve).find((x) => x.name === name);
		assert.equal(resolve(told.schema).maxLength, most, to);
		for (const c of ["a", "é", "😀"]) {
			const at = `${to}${to.includes("?") ? "&" : "?"}${name}=`;
			ok(await who.get(`${at}${encodeURIComponent(c.repeat(most))}`));
			const p = problem(await who.get(`${at}${encodeURIComponent(`${c.repeat(most)}a`)}`), 400, "bad_field", name);
			assert.match(p.detail, new RegExp(`\\b${most}\\b`));
		}
	}
	ok(await bob.post(`${path}/channels/${channel}/join`));
	const out = `${path}/channels/${channel}/members/${(await me(bob)).id}?reason=`;
	problem(await alice.delete(`${out}${encodeURIComponent("😀".repeat(501))}`), 400, "bad_field", "reason");
	for (const raw of ["%ed%a0%bd", "%c3"]) assert.equal((await alice.delete(`${out}${raw}`)).status, 400, raw);
	ok(await alice.delete(`${out}${encodeURIComponent("😀".repeat(500))}`), 204);
});

test("after all that a page that loads and one that comes back are sound", async () => {
	for (const to of ["me", "me/sidebar", "me/drafts", "channels", "users?q=a", "groups", "bots", "reports", "admin/audit", "emoji", "events?wait=0"])
		ok(await alice.get(`/api/v1/${to}`));
	const channel = (await makeChannel(alice)).id;
	ok(await send(alice, channel, "still here"), 201);
});
