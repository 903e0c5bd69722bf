// roles: who may do what (doc/roles.md), each act by each role, in each kind of channel; what guests see; the audit log; reports.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startStack } from "../support/stack.mjs";
import { bot, signIn } from "../support/http.mjs";
import { makeChannel, me, message, ok, problem, send } from "./help.mjs";

let stack, who, ids;
const api = "/api/v1";

// in the channel: its owner, a moderator, a member, a guest; outside of it: the site's owner, an admin, a member, a guest
const ACTORS = ["owner", "admin", "chOwner", "chMod", "member", "guest", "outsider", "strange"];
const PEOPLE = { owner: "alice", admin: "heidi", chOwner: "bob", chMod: "carol", member: "dave", guest: "frank", outsider: "erin", strange: "gus" };

before(async () => {
	stack = await startStack({ realtime: 0 });
	for (const h of ["gus", "zoe", "yan"]) await stack.cli(["user", "add", h]);
	await stack.cli(["user", "role", "heidi", "admin"]);
	for (const h of ["frank", "gus"]) await stack.cli(["user", "role", h, "guest"]);
	who = {};
	for (const [role, handle] of Object.entries(PEOPLE))
		who[role] = role === "owner" || role === "admin" ? await signIn(stack, handle) : await bot(stack, handle);
	ids = Object.fromEntries(
		(await stack.psql("SELECT handle, id FROM users")).split("\n").map((l) => l.split("|")).map(([h, id]) => [h, Number(id)]),
	);
});
after(() => stack?.stop());

const id = (role) => ids[PEOPLE[role]];
let made = 0;

/** A channel for each actor, with all of them in their places, zoe as a member, and a message of hers. */
async function channels(kind) {
	const invited = [id("chMod"), id("member"), id("guest"), ids.zoe];
	const rows = await stack.psql(`
		SELECT c.channel FROM generate_series(${made + 1}, ${(made += ACTORS.length)}) n,
			LATERAL channel_create(${id("chOwner")}, '${kind}', 'matrix ' || n, '', ARRAY[${invited}]) c;`);
	const list = rows.split("\n").map(Number);
	await stack.psql(`
		UPDATE members SET role = 'moderator' WHERE user_id = ${id("chMod")} AND channel_id = ANY ('{${list}}');
		INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body)
			SELECT c, 1, ${ids.zoe}, gen_random_uuid(), now(), '{"text":"x"}' FROM unnest('{${list}}'::int8[]) c;`);
	return Object.fromEntries(ACTORS.map((a, i) => [a, list[i]]));
}

// What each act answers: by actor; others as `rest`. In a public channel an outsider hears that he is not in it, in a private one
// that there is none; a guest outside hears that of both.
const outside = (kind) => ({ outsider: kind === "public" ? 403 : 404, strange: 404 });
const MODERATORS = (status, kind) => ({ owner: status, admin: status, chOwner: status, chMod: status, member: 403, guest: 403, ...outside(kind) });
const OWNERS = (status, kind) => ({ ...MODERATORS(status, kind), chMod: 403 });
const INSIDE = (status, kind) => {
	const { outsider } = outside(kind);
	return { chOwner: status, chMod: status, member: status, guest: status, owner: outsider, admin: outsider, ...outside(kind) };
};
const ACTS = {
	"read messages": [(c, w) => w.get(`${c}/messages`), (k) => INSIDE(200, k)],
	"list members": [(c, w) => w.get(`${c}/members`), (k) => INSIDE(200, k)],
	"see the channel": [(c, w) => w.get(c), (k) => (k === "public" ? { ...INSIDE(200, k), owner: 200, admin: 200, outsider: 200 } : INSIDE(200, k))],
	write: [(c, w) => w.post(`${c}/messages`, message("x")), (k) => INSIDE(201, k)],
	join: [
		(c, w) => w.post(`${c}/join`),
		(k) => ({ ...INSIDE(200, k), guest: 403, strange: 403, ...(k === "public" ? { owner: 200, admin: 200, outsider: 200 } : {}) }),
	],
	"add a person": [(c, w) => w.post(`${c}/members`, { user: ids.yan }), (k) => ({ ...INSIDE(201, k), guest: 403 })],
	rename: [(c, w) => w.patch(c, { name: `renamed ${++made}` }), (k) => MODERATORS(200, k)],
	"set the topic": [(c, w) => w.patch(c, { topic: "new" }), (k) => MODERATORS(200, k)],
	archive: [(c, w) => w.patch(c, { archived: true }), (k) => OWNERS(200, k)],
	"say for how long": [(c, w) => w.patch(c, { keep_days: 30 }), (k) => OWNERS(200, k)],
	"say what newcomers see": [(c, w) => w.patch(c, { history: "joined" }), (k) => MODERATORS(k === "public" ? 422 : 200, k)],
	"make a link": [(c, w) => w.post(`${c}/invites`, {}), (k) => MODERATORS(201, k)],
	promote: [(c, w) => w.patch(`${c}/members/${ids.zoe}`, { role: "moderator" }), (k) => OWNERS(200, k)],
	"hand over": [(c, w) => w.put(`${c}/owner`, { user: ids.zoe }), (k) => OWNERS(200, k)],
	remove: [(c, w) => w.delete(`${c}/members/${ids.zoe}?reason=rude`), (k) => MODERATORS(204, k)],
	"remove the owner": [(c, w) => w.delete(`${c}/members/${id("chOwner")}`), (k) => OWNERS(204, k)],
	ban: [(c, w) => w.put(`${c}/bans/${ids.zoe}`, { reason: "rude" }), (k) => MODERATORS(204, k)],
	"ban the owner": [(c, w) => w.put(`${c}/bans/${id("chOwner")}`, {}), (k) => ({ ...OWNERS(204, k), chOwner: 422 })],
	"ban an admin": [(c, w) => w.put(`${c}/bans/${id("admin")}`, {}), (k) => ({ ...OWNERS(403, k), owner: 204, admin: 422 })],
	"lift a ban": [(c, w) => w.delete(`${c}/bans/${ids.zoe}`), (k) => MODERATORS(204, k)],
	mute: [(c, w) => w.put(`${c}/members/${ids.zoe}/mute`, { until: "2099-01-01T00:00:00Z" }), (k) => MODERATORS(204, k)],
	unmute: [(c, w) => w.delete(`${c}/members/${ids.zoe}/mute`), (k) => MODERATORS(204, k)],
	"list mutes and bans": [(c, w) => w.get(`${c}/restrictions`), (k) => MODERATORS(200, k)],
	"delete another's message": [(c, w) => w.delete(`${c}/messages/1`), (k) => MODERATORS(200, k)],
	pin: [(c, w) => w.put(`${c}/messages/1/pin`), (k) => MODERATORS(200, k)],
	"list pins": [(c, w) => w.get(`${c}/pins`), (k) => INSIDE(200, k)],
	"list files": [(c, w) => w.get(`${c}/files`), (k) => INSIDE(200, k)],
	save: [(c, w) => w.put(`${c}/messages/1/saved`), (k) => INSIDE(200, k)],
	report: [(c, w) => w.post(`${c}/messages/1/reports`, { reason: "abuse" }), (k) => INSIDE(201, k)],
};

for (const kind of ["public", "private"])
	test(`each act by each role in a ${kind} channel`, async () => {
		const wrong = [];
		for (const [act, [call, expected]] of Object.entries(ACTS)) {
			const at = await channels(kind);
			const table = expected(kind);
			await Promise.all(
				ACTORS.map(async (a) => {
					const r = await call(`${api}/channels/${at[a]}`, who[a]);
					if (r.status !== table[a]) wrong.push(`${act} by ${a}: ${r.status}, not ${table[a]}: ${r.text}`);
					if (r.status >= 400) problem(r, r.status, r.json.code);
				}),
			);
		}
		assert.deepEqual(wrong, []);
	});

const SITE = {
	"list people": [(w) => w.get(`${api}/admin/users?q=zo`), 200],
	"list channels": [(w) => w.get(`${api}/admin/channels`), 200],
	"read the audit log": [(w) => w.get(`${api}/admin/audit`), 200],
	"change a role": [(w) => w.patch(`${api}/admin/users/${ids.zoe}`, { role: "member" }), 200],
	mute: [(w) => w.put(`${api}/admin/users/${ids.zoe}/mute`, { reason: "loud" }), 204],
	unmute: [(w) => w.delete(`${api}/admin/users/${ids.zoe}/mute`), 204],
	deactivate: [(w) => w.post(`${api}/admin/users/${ids.zoe}/deactivate`, { reason: "left" }), 204],
	reactivate: [(w) => w.post(`${api}/admin/users/${ids.zoe}/reactivate`), 204],
};

test("what is of the site is for owners and admins, and for their tokens with the scope alone", async () => {
	const lacking = await bot(stack, "alice");
	for (const [act, [call, status]] of Object.entries(SITE)) {
		for (const a of ACTORS) {
			const r = await call(who[a]);
			if (a === "owner" || a === "admin") assert.equal(r.status, status, `${act} by ${a}: ${r.text}`);
			else problem(r, 403, "insufficient_scope");
		}
		problem(await call(lacking), 403, "insufficient_scope");
	}
	problem(await (await signIn(stack, "erin")).get(`${api}/admin/users`), 403, "forbidden"); // a browser has the scope, not the role
	// nor does such a token use the role inside a channel
	const at = await channels("private");
	problem(await lacking.delete(`${api}/channels/${at.owner}/members/${ids.zoe}`), 404, "not_found");
	problem(await lacking.patch(`${api}/channels/${at.owner}`, { topic: "x" }), 404, "not_found");
	problem(await lacking.delete(`${api}/channels/${at.owner}/messages/1`), 404, "not_found");
	const report = ok(await who.member.post(`${api}/channels/${at.owner}/messages/1/reports`, { reason: "spam" }), 201);
	problem(await lacking.get(`${api}/reports/${report.id}`), 404, "not_found");
	problem(await lacking.post(`${api}/reports/${report.id}/resolve`, { action: "delete" }), 404, "not_found");
	const able = await bot(stack, "alice", ["write", "admin"]);
	assert.equal(ok(await able.delete(`${api}/channels/${at.owner}/messages/1`)).deleted_by, id("owner"));
});

test("roles: nobody acts above himself, the last owner stays, each refusal names the field", async () => {
	const { owner, admin } = who;
	const role = (w, u, r) => w.patch(`${api}/admin/users/${u}`, { role: r });
	problem(await role(admin, ids.zoe, "owner"), 403, "forbidden", "role");
	problem(await role(admin, ids.alice, "member"), 403, "forbidden");
	problem(await role(owner, ids.alice, "admin"), 422, "unprocessable");
	problem(await role(owner, ids.zoe, "king"), 400, "bad_field", "role");
	problem(await owner.patch(`${api}/admin/users/${ids.zoe}`, {}), 400, "bad_field", "role");
	problem(await role(owner, 999999, "member"), 404, "not_found");
	problem(await owner.post(`${api}/admin/users/${ids.alice}/deactivate`, {}), 422, "unprocessable");
	problem(await admin.post(`${api}/admin/users/${ids.alice}/deactivate`, {}), 403, "forbidden");
	problem(await owner.put(`${api}/admin/users/${ids.zoe}/mute`, { until: "tomorrow" }), 400, "bad_field", "until");
	problem(await owner.put(`${api}/admin/users/${ids.zoe}/mute`, { until: "2001-01-01T00:00:00Z" }), 400, "bad_field", "until");
	problem(await owner.put(`${api}/admin/users/${ids.zoe}/mute`, { reason: "x".repeat(501) }), 400, "bad_field", "reason");
	assert.equal(ok(await role(owner, ids.zoe, "owner")).role, "owner");
	ok(await role(owner, ids.zoe, "member"));
	await assert.rejects(stack.cli(["user", "deactivate", "alice"]), /last owner/);
	await assert.rejects(stack.cli(["user", "role", "alice", "member"]), /last owner/);
	await stack.cli(["user", "deactivate", "yan"]);
	await stack.cli(["user", "reactivate", "yan"]);
	await stack.cli(["user", "role", "yan", "admin"]);
	assert.equal(ok(await owner.get(`${api}/admin/users?role=admin&q=yan`)).users[0].role, "admin");
	await stack.cli(["user", "role", "yan", "member"]);
	const log = ok(await owner.get(`${api}/admin/audit?actor=command&target=${ids.yan}`)).entries.map((e) => e.action);
	assert.deepEqual(log, ["user.role", "user.role", "user.reactivated", "user.deactivated", "user.added"]);
});

test("two owners who take the role from each other at once: one stays", async () => {
	await stack.cli(["user", "role", "zoe", "owner"]);
	for (let n = 0; n < 5; n++) {
		const said = await Promise.all(
			[
				[ids.alice, ids.zoe],
				[ids.zoe, ids.alice],
			].map(([actor, person]) => stack.psql(`SELECT user_set_role(acting_of(${actor}, true, NULL, NULL), ${person}, 'member')`)),
		);
		assert.deepEqual(said.sort(), ["admins_only", "ok"]);
		await stack.psql(`UPDATE users SET role = 'owner' WHERE id IN (${ids.alice}, ${ids.zoe})`);
	}
	await stack.cli(["user", "role", "zoe", "member"]);
});

test("a guest sees his channels and who is there, and nothing else", async () => {
	const { strange: guest, chOwner, outsider } = who;
	const open = await makeChannel(chOwner, { kind: "public" });
	const inside = await makeChannel(chOwner, { kind: "public", members: [id("strange")] });
	const mine = ok(await guest.get(`${api}/channels?after=${open.id - 1}`)).channels.map((c) => c.id);
	assert.ok(mine.includes(inside.id) && !mine.includes(open.id));
	problem(await guest.get(`${api}/channels?scope=public`), 403, "forbidden");
	problem(await guest.post(`${api}/channels`, { name: "g", kind: "public" }), 403, "forbidden");
	for (const path of ["", "/members", "/messages", "/messages/1"]) problem(await guest.get(`${api}/channels/${open.id}${path}`), 404, "not_found");
	problem(await send(guest, open.id, "x"), 404, "not_found");
	problem(await guest.put(`${api}/channels/${open.id}/read`, { seq: 0 }), 404, "not_found");
	ok(await guest.get(`${api}/channels/${inside.id}`));
	const known = ok(await guest.get(`${api}/users?limit=200`)).users.map((u) => u.handle);
	assert.deepEqual(known, ["bob", "gus"]);
	assert.deepEqual(ok(await guest.get(`${api}/users?q=erin`)).users, []);
	assert.deepEqual(ok(await guest.get(`${api}/users?ids=${ids.erin},${ids.bob}`)).users.map((u) => u.id), [ids.bob]);
	problem(await guest.get(`${api}/users/${ids.erin}`), 404, "not_found");
	problem(await guest.post(`${api}/channels`, { kind: "direct", members: [ids.erin] }), 400, "bad_field", "members");
	ok(await guest.post(`${api}/channels`, { kind: "direct", members: [ids.bob] }), 201);
	// who has gone is known still by what he said
	await outsider.post(`${api}/channels/${inside.id}/join`);
	ok(await send(outsider, inside.id, "hello"), 201);
	await outsider.post(`${api}/channels/${inside.id}/leave`);
	assert.equal(ok(await guest.get(`${api}/users/${ids.erin}`)).handle, "erin");
});

test("a mute: refused with its end, by REST and as an op, retries of what was stored included", async () => {
	const { chOwner, member } = who;
	const c = await makeChannel(chOwner, { members: [id("member")] });
	const stored = message("before");
	ok(await member.post(`${api}/channels/${c.id}/messages`, stored), 201);
	const until = new Date(Date.now() + 3600_000).toISOString();
	ok(await chOwner.put(`${api}/channels/${c.id}/members/${id("member")}/mute`, { until, reason: "loud" }), 204);
	const r = await send(member, c.id, "x");
	const p = problem(r, 403, "muted");
	assert.equal(p.until, until);
	const wait = Number(r.headers["retry-after"]);
	assert.ok(wait > 3500 && wait <= 3600, String(wait));
	ok(await member.post(`${api}/channels/${c.id}/messages`, stored)); // its answer was lost
	const op = JSON.stringify({ op: "send", channel: c.id, ...message("y") });
	const line = (await member.post(`${api}/ops`, `${op}\n`, { headers: { "content-type": "application/x-ndjson" } })).text.trim();
	assert.deepEqual([JSON.parse(line).code, JSON.parse(line).until], ["muted", until]);
	const typing = `{"op":"typing","channel":${c.id}}\n`;
	assert.match((await member.post(`${api}/ops`, typing, { headers: { "content-type": "application/x-ndjson" } })).text, /"code":"muted"/);
	ok(await member.get(`${api}/channels/${c.id}/messages`));
	ok(await member.put(`${api}/channels/${c.id}/read`, { seq: 1 }));
	assert.equal(ok(await member.get(`${api}/channels/${c.id}`)).membership.muted_until, until);
	assert.equal(ok(await chOwner.get(`${api}/channels/${c.id}/members`)).members.find((m) => m.user === id("member")).muted_until, until);
	const [held] = ok(await chOwner.get(`${api}/channels/${c.id}/restrictions`)).restrictions;
	assert.deepEqual([held.kind, held.user, held.until, held.reason, held.by], ["mute", id("member"), until, "loud", id("chOwner")]);
	ok(await chOwner.delete(`${api}/channels/${c.id}/members/${id("member")}/mute`), 204);
	ok(await send(member, c.id, "z"), 201);
});

test("a ban: neither by himself nor by others, until it is lifted", async () => {
	const { chOwner, member, outsider } = who;
	const c = await makeChannel(chOwner, { members: [id("member"), id("outsider")] });
	ok(await chOwner.put(`${api}/channels/${c.id}/bans/${id("member")}`, { reason: "rude" }), 204);
	problem(await member.get(`${api}/channels/${c.id}/messages`), 403, "not_a_member");
	problem(await member.post(`${api}/channels/${c.id}/join`), 403, "banned");
	problem(await outsider.post(`${api}/channels/${c.id}/members`, { user: id("member") }), 403, "banned", "user");
	ok(await chOwner.delete(`${api}/channels/${c.id}/bans/${id("member")}`), 204);
	ok(await member.post(`${api}/channels/${c.id}/join`));
	const direct = ok(await chOwner.post(`${api}/channels`, { kind: "direct", members: [id("member")] }), 201);
	problem(await chOwner.put(`${api}/channels/${direct.id}/bans/${id("member")}`, {}), 422, "unprocessable");
	problem(await chOwner.patch(`${api}/channels/${direct.id}`, { topic: "x" }), 422, "unprocessable");
	problem(await chOwner.put(`${api}/channels/${c.id}/bans/${id("chOwner")}`, {}), 422, "unprocessable");
	problem(await chOwner.put(`${api}/channels/${c.id}/bans/999999`, {}), 400, "bad_field", "user");
});

test("reports: evidence for those alone who handle it; the reporter hears what became of it", async () => {
	const { owner, chOwner, chMod, member, outsider, guest } = who;
	const c = await makeChannel(chOwner, { kind: "private", members: [id("chMod"), id("member"), id("guest")] });
	ok(await chOwner.patch(`${api}/channels/${c.id}/members/${id("chMod")}`, { role: "moderator" }));
	const bad = ok(await send(member, c.id, "something bad"), 201);
	const reports = `${api}/channels/${c.id}/messages/${bad.seq}/reports`;
	problem(await guest.post(reports, { reason: "because" }), 400, "bad_field", "reason");
	problem(await guest.post(reports, { reason: "abuse", text: "x".repeat(1001) }), 400, "bad_field", "text");
	problem(await member.post(reports, { reason: "abuse" }), 422, "unprocessable");
	const made = ok(await guest.post(reports, { reason: "abuse", text: "look" }), 201);
	assert.equal(made.body, undefined);
	assert.equal(ok(await guest.post(reports, { reason: "abuse", text: "look" }), 200).id, made.id);
	problem(await guest.post(`${api}/channels/${c.id}/messages/999/reports`, { reason: "abuse" }), 404, "not_found");
	for (const w of [owner, chOwner, chMod]) {
		const [r] = ok(await w.get(`${api}/reports`)).reports;
		assert.deepEqual([r.id, r.body.text, r.reporter, r.sender, r.text], [made.id, "something bad", id("guest"), id("member"), "look"]);
		assert.equal(ok(await w.get(`${api}/channels/${c.id}/reports`)).reports[0].id, made.id);
	}
	const waiting = async (w) => ok(await w.get(`${api}/reports/open`)).channels.find((x) => x.channel === c.id)?.open;
	for (const w of [owner, chOwner, chMod]) assert.equal(await waiting(w), 1);
	const counted = ok(await owner.get(`${api}/reports/open`));
	assert.equal(counted.open, counted.channels.reduce((n, x) => n + x.open, 0));
	for (const w of [member, guest, outsider]) {
		assert.deepEqual(ok(await w.get(`${api}/reports/open`)), { open: 0, channels: [] });
		assert.deepEqual(ok(await w.get(`${api}/channels/${c.id}/reports`)).reports, []);
		problem(await w.get(`${api}/reports/${made.id}`), 404, "not_found");
		problem(await w.post(`${api}/reports/${made.id}/resolve`, { action: "dismiss" }), 404, "not_found");
	}
	problem(await chMod.post(`${api}/reports/${made.id}/resolve`, { action: "shout" }), 400, "bad_field", "action");
	problem(await chMod.post(`${api}/reports/${made.id}/resolve`, { action: "deactivate" }), 403, "forbidden");
	const done = ok(await chMod.post(`${api}/reports/${made.id}/resolve`, { action: "delete", note: "no" }));
	assert.deepEqual([done.action, done.resolved_by, done.body.text], ["delete", id("chMod"), "something bad"]);
	const gone = ok(await guest.get(`${api}/channels/${c.id}/messages/${bad.seq}`));
	assert.deepEqual([gone.deleted, gone.deleted_by, gone.body], [true, id("chMod"), undefined]);
	problem(await chOwner.post(`${api}/reports/${made.id}/resolve`, { action: "dismiss" }), 409, "conflict");
	for (const w of [owner, chOwner, chMod]) assert.equal(await waiting(w), undefined);
	assert.deepEqual(ok(await chOwner.get(`${api}/channels/${c.id}/reports`)).reports, []);
	assert.equal(ok(await chOwner.get(`${api}/channels/${c.id}/reports?state=all`)).reports[0].id, made.id);
	assert.equal(ok(await guest.get(`${api}/me/reports`)).reports[0].action, "delete");
	problem(await guest.post(reports, { reason: "abuse" }), 422, "unprocessable");
	// about a moderator: not for himself
	const own = ok(await send(chMod, c.id, "mine"), 201);
	const about = ok(await guest.post(`${api}/channels/${c.id}/messages/${own.seq}/reports`, { reason: "spam" }), 201);
	assert.deepEqual(ok(await chMod.get(`${api}/channels/${c.id}/reports`)).reports, []);
	problem(await chMod.post(`${api}/reports/${about.id}/resolve`, { action: "dismiss" }), 404, "not_found");
	ok(await chOwner.post(`${api}/reports/${about.id}/resolve`, { action: "mute", until: "2099-01-01T00:00:00Z" }));
	problem(await send(chMod, c.id, "x"), 403, "muted");
	// in a direct channel: for admins
	const direct = ok(await chOwner.post(`${api}/channels`, { kind: "direct", members: [id("outsider")] }), 201);
	const whisper = ok(await send(chOwner, direct.id, "whisper"), 201);
	const third = ok(await outsider.post(`${api}/channels/${direct.id}/messages/${whisper.seq}/reports`, { reason: "private" }), 201);
	problem(await chOwner.get(`${api}/reports/${third.id}`), 404, "not_found");
	ok(await owner.post(`${api}/reports/${third.id}/resolve`, { action: "delete" }));
});

test("the audit log: who, what, to whom, whence, by which request; pages and filters", async () => {
	const { owner, admin, chOwner } = who;
	const c = await makeChannel(chOwner, { members: [ids.yan] });
	const from = new Date(Date.now() - 1000).toISOString();
	const r = await admin.put(`${api}/channels/${c.id}/members/${ids.yan}/mute`, { reason: "loud" });
	ok(await chOwner.delete(`${api}/channels/${c.id}/members/${ids.yan}?reason=enough`), 204);
	const log = async (query) => ok(await owner.get(`${api}/admin/audit?${query}`)).entries;
	const [removed, muted] = await log(`channel=${c.id}`);
	assert.deepEqual([muted.actor, muted.action, muted.target, muted.channel, muted.details, muted.request_id], [
		id("admin"),
		"member.muted",
		ids.yan,
		c.id,
		{ until: "forever", reason: "loud" },
		r.headers["pulsechat-request-id"],
	]);
	assert.match(muted.address, /^127\.0\.0\.1$|^::1$/);
	assert.deepEqual([removed.action, removed.details], ["member.removed", { reason: "enough" }]);
	assert.deepEqual((await log(`actor=${id("admin")}&channel=${c.id}`)).map((e) => e.id), [muted.id]);
	assert.deepEqual((await log(`action=member.muted&channel=${c.id}`)).map((e) => e.id), [muted.id]);
	assert.deepEqual((await log(`action=member&target=${ids.yan}&from=${from}`)).map((e) => e.id), [removed.id, muted.id]);
	assert.deepEqual(await log(`to=${from}&channel=${c.id}`), []);
	const page = ok(await owner.get(`${api}/admin/audit?channel=${c.id}&limit=1`));
	assert.deepEqual([page.entries[0].id, page.next], [removed.id, removed.id]);
	assert.deepEqual((await log(`channel=${c.id}&before=${page.next}`)).map((e) => e.id), [muted.id]);
	for (const [query, field] of Object.entries({ "actor=x": "actor", "action=X": "action", "from=now": "from", "to=1": "to", "limit=0": "limit" }))
		problem(await owner.get(`${api}/admin/audit?${query}`), 400, "bad_field", field);
	// a refused act, and one that changed nothing, leave no trace
	const before = await stack.psql("SELECT max(id) FROM audit");
	problem(await chOwner.patch(`${api}/channels/${c.id}/members/999999`, { role: "member" }), 404, "not_found");
	ok(await chOwner.patch(`${api}/channels/${c.id}`, { topic: "" }));
	assert.equal(await stack.psql("SELECT max(id) FROM audit"), before);
	await assert.rejects(stack.psql("DELETE FROM audit"), /only ever added to/);
	await assert.rejects(stack.psql("UPDATE audit SET target = 1"), /only ever added to/);
});

test("people and channels for admins: searched, paged, with what only they are told", async () => {
	const { owner } = who;
	ok(await owner.put(`${api}/admin/users/${ids.yan}/mute`, { until: "2099-01-01T00:00:00Z", reason: "loud" }), 204);
	const [yan] = ok(await owner.get(`${api}/admin/users?q=ya`)).users;
	assert.deepEqual([yan.handle, yan.muted_until, yan.mute.reason, yan.mute.by], ["yan", "2099-01-01T00:00:00.000Z", "loud", ids.alice]);
	ok(await owner.delete(`${api}/admin/users/${ids.yan}/mute`), 204);
	const all = [];
	for (let after = ""; after !== null;) {
		const page = ok(await owner.get(`${api}/admin/users?limit=3${after && `&after=${after}`}`));
		all.push(...page.users.map((u) => u.handle));
		after = page.next;
	}
	assert.deepEqual(all, [...all].sort());
	assert.equal(new Set(all).size, Number(await stack.psql("SELECT count(*) FROM users")));
	assert.equal(ok(await who.member.get(`${api}/users/${ids.yan}`)).email, undefined);
	const hidden = await makeChannel(who.chOwner, { kind: "private", name: "hidden place" });
	const [found] = ok(await owner.get(`${api}/admin/channels?q=hidden`)).channels;
	assert.deepEqual([found.id, found.owners, found.archived], [hidden.id, [id("chOwner")], false]);
	assert.equal((await me(who.owner)).role, "owner");
});
