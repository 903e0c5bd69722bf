// checks: contract.mjs sees what is wrong. In a process of its own, since what it has seen fails that.

import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const id = "0123456789abcdef";
const user = { id: 1, handle: "alice", name: "Alice", picture: null, role: "owner", active: true, bot: false, version: 1, time_zone: null, muted_until: null };
const problem = { type: "about:blank", title: "Bad Request", status: 400, code: "bad_field", detail: "no", request_id: id };
const json = { "pulsechat-request-id": id, "content-type": "application/json" };

/** [what, request, answer]: each but for one thing as it stands there. */
const get = (target, body, { status = 200, headers = {}, ...asked } = {}) => [
	{ method: "GET", target, headers: {}, ...asked },
	{ status, headers: { ...json, ...headers }, text: typeof body === "string" ? body : JSON.stringify(body) },
];
const put = (body, type = "application/json") => [
	{ method: "PUT", target: "/api/v1/channels/1/unread", headers: { "content-type": type }, body: JSON.stringify(body) },
	{
		status: 200,
		headers: json,
		text: JSON.stringify({
			...{ channel: 1, seq: 1, version: 1, last_seq: 1, unread: 0, mentions: 0, unread_from: null },
			...{ gone: [], wide: [], read_receipts: true },
		}),
	},
];
const typed = { "content-type": "application/problem+json" };
const good = {
	"a user": get("/api/v1/users/1", user),
	"a problem": get("/api/v1/users/1?x=1", problem, { status: 400, headers: typed }),
	"a body": put({ seq: 1 }),
	"not ours": get("/index.html", "<html>", { headers: { "pulsechat-request-id": undefined } }),
	"a line": { type: "pong" },
};
const bad = {
	"an unknown member": get("/api/v1/users/1", { ...user, shoe_size: 44 }),
	"a missing member": get("/api/v1/users/1", { ...user, role: undefined }),
	"a wrong type": get("/api/v1/users/1", { ...user, version: "1" }),
	"a value out of the list": get("/api/v1/users/1", { ...user, role: "king" }),
	"another media type": get("/api/v1/users/1", user, { headers: { "content-type": "text/plain" } }),
	"no JSON": get("/api/v1/users/1", "{"),
	"a status that is not told of": get("/api/v1/users/1", user, { status: 202 }),
	"a code that is not told of": get("/api/v1/users/1", { ...problem, status: 403, code: "banned" }, { status: 403, headers: typed }),
	"a code of another status": get("/api/v1/users/1", { ...problem, status: 403 }, { status: 400, headers: typed }),
	"a missing header": get("/api/v1/users", { users: [], next: null }),
	"a header that is not told of": get("/api/v1/users/1", user, { headers: { "pulsechat-cursor": "x" } }),
	"a broken header": get("/api/v1/users/1", user, { headers: { "pulsechat-request-id": "x" } }),
	"no request id": get("/api/v1/users/1", user, { headers: { "pulsechat-request-id": undefined } }),
	"a path that is not told of": get("/api/v1/nothing", {}),
	"a parameter that is not told of": get("/api/v1/users/1?x=1", user),
	"a parameter out of its bounds": get("/api/v1/users?limit=0", { users: [], next: null }, { headers: { "pulsechat-cursor": "x" } }),
	"a required parameter left out": get("/api/v1/presence", { presence: [] }, { headers: { "pulsechat-cursor": "x" } }),
	"a body with an unknown member": put({ seq: 1, more: true }),
	"a body out of its bounds": put({ seq: 0 }),
	"a body of another type": put({ seq: 1 }, "text/plain"),
	"a body where none is told of": get("/api/v1/me/status", "", { method: "DELETE", status: 204, body: '{"x":1}' }),
	"a line that is not told of": { type: "song" },
	"a line with an unknown member": { type: "pong", more: 1 },
};

function run(cases) {
	const contract = fileURLToPath(new URL("../support/contract.mjs", import.meta.url));
	const script = `
		import { checkExchange, checkLine } from ${JSON.stringify(contract)};
		for (const [name, c] of Object.entries(JSON.parse(process.argv[1])))
			try { Array.isArray(c) ? checkExchange(...c) : checkLine(c); console.log("passed", name); } catch (e) { console.log("seen", name); }`;
	return spawnSync(process.execPath, ["--input-type=module", "-e", script, JSON.stringify(cases)], {
		encoding: "utf8",
		env: { ...process.env, PC_SEEN: "", PC_CONTRACT: "" },
	});
}

test("what is as it stands there passes", () => {
	const r = run(good);
	assert.deepEqual(r.stdout.trim().split("\n"), Object.keys(good).map((name) => `passed ${name}`));
	assert.equal(r.status, 0, r.stderr);
});

test("what is not is seen, each of it, and the process fails", () => {
	const r = run(bad);
	assert.deepEqual(r.stdout.trim().split("\n"), Object.keys(bad).map((name) => `seen ${name}`));
	assert.equal(r.status, 1);
});
