// programs: what doc/programs.md shows does what it says, run as it stands there.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, startStack, until } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { allMessages, makeChannel, me, ok, send } from "./help.mjs";

const page = readFileSync(join(ROOT, "doc/programs.md"), "utf8");
const blocks = [...page.matchAll(/^```(sh|js)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
const block = (start) => blocks.find((b) => b.text.startsWith(start)).text;
let stack, alice, bob, room, dir;
const running = new Set();

before(async () => {
	dir = mkdtempSync(join(tmpdir(), "pulsechat-programs-"));
	stack = await startStack({ provider: false, realtime: 1 });
	[alice, bob] = [await bot(stack, "alice"), await bot(stack, "bob")];
	room = await makeChannel(alice, { members: [(await me(bob)).id] });
});
after(async () => {
	for (const one of running) one.end();
	await stack?.stop();
	rmSync(dir, { recursive: true, force: true });
});

/** Runs a block for who has this token; its output so far is `out`. */
function run(argv, token) {
	const child = spawn(argv[0], argv.slice(1), { env: { ...process.env, URL: stack.url, TOKEN: token }, detached: true });
	const one = { out: "", said: "" };
	child.stdout.on("data", (d) => (one.out += d));
	child.stderr.on("data", (d) => (one.said += d));
	one.done = new Promise((done) => child.on("close", (code) => (running.delete(one), done(code))));
	one.end = () => {
		process.kill(-child.pid, "SIGKILL");
		return one.done;
	};
	running.add(one);
	return one;
}

test("every block of the page is run here", () => {
	assert.deepEqual(
		blocks.map((b) => b.language),
		["sh", "sh", "js"],
	);
});

test("sending by curl", async () => {
	const one = run(["bash", "-c", block("# send")], alice.token);
	assert.equal(await one.done, 0, one.said);
	assert.equal(JSON.parse(one.out).body.text, "The backup is done");
	assert.equal((await allMessages(bob, room.id)).at(-1).body.text, "The backup is done");
});

test("following by curl: all of it, once and in order", async () => {
	const one = run(["bash", "-c", block("# follow")], alice.token);
	await until(() => one.out.includes('"type":"cursor"'), { what: "the first answer", ms: 20000 });
	for (let i = 1; i <= 3; i++) ok(await send(bob, room.id, `said ${i}`), 201);
	await until(() => one.out.includes("said 3"), { what: "what was said", ms: 20000 });
	const lines = one.out.split("\n").filter((l) => l.endsWith("}")).map((l) => JSON.parse(l));
	assert.deepEqual(lines.filter((l) => l.type === "message").map((l) => l.body.text), ["said 1", "said 2", "said 3"]);
	await one.end();
	assert.equal(one.said, "");
});

test("the bot answers each ping once, over a restart of the server", async () => {
	writeFileSync(join(dir, "bot.mjs"), block("import"));
	const one = run([process.execPath, join(dir, "bot.mjs")], bob.token);
	const lease = "SELECT count(*) FROM presence_leases l JOIN users u ON u.id = l.user_id WHERE u.handle = 'bob'";
	await until(async () => Number(await stack.psql(lease, { user: "postgres" })) > 0, { what: "the bot is there", ms: 20000 });
	const pongs = async () => (await allMessages(alice, room.id)).filter((m) => m.body.text === "pong").length;
	ok(await send(alice, room.id, "ping"), 201);
	await until(async () => (await pongs()) === 1, { what: "pong", ms: 20000 });
	await stack.down("realtime1");
	ok(await send(alice, room.id, "ping"), 201);
	await stack.up("realtime1");
	await until(async () => (await pongs()) === 2, { what: "pong again", ms: 30000 });
	await one.end();
	assert.equal(one.said, "");
});
