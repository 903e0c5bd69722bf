// previews: cards of links: what comes of a page, and what the server does not ask, whatever a link says. All of it over real servers: one
// that is allowed by its exact address and port, and others beside it, on other ports and addresses, which nobody may ever reach.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { gzipSync } from "node:zlib";
import { startStack } from "../support/stack.mjs";
import { bot } from "../support/http.mjs";
import { follow } from "../support/realtime.mjs";
import { until } from "../support/until.mjs";
import { View } from "../support/view.mjs";
import { makeChannel, me, ok, problem, send } from "./help.mjs";

let stack, alice, bob, room, world, port, asked;
const closed = []; // servers that must not be asked: {name, hits, port}

const listen = (server, host, at = 0) => new Promise((yes, no) => server.on("error", no).listen(at, host, () => yes(server.address().port)));

const html = (head) => `<!doctype html><html><head>${head}</head><body>x</body></html>`;
const page = (title, more = "") => html(`<title>${title}</title>${more}`);
const asHtml = { "content-type": "text/html; charset=utf-8" };

/** path to (request, response, query) */
const sites = {
	"/page": (_q, r, query) => r.writeHead(200, asHtml).end(page(query.get("t") ?? "A page")),
	"/full": (_q, r) =>
		r.writeHead(200, asHtml).end(
			page("plain", `<meta property="og:title" content="A &quot;full&quot;\u202e page\u0007"><meta name="description" content="What\n it is">
			<meta property="og:site_name" content="The Site"><meta property="og:image" content="http://127.0.0.1:1/x.png">`),
		),
	"/to": (_q, r, query) => r.writeHead(302, { location: query.get("u") }).end(),
	"/chain": (_q, r, query) => {
		const n = Number(query.get("n"));
		if (n === 0) r.writeHead(200, asHtml).end(page("The end of a chain"));
		else r.writeHead(301, { location: `/chain?n=${n - 1}` }).end();
	},
	"/slow": (_q, r) => r.writeHead(200, asHtml).write("<title>slow"), // and no more
	"/silent": () => {},
	"/image": (_q, r) => r.writeHead(200, { "content-type": "image/png" }).end(page("not a picture")),
	"/none": (_q, r) => r.writeHead(404, asHtml).end(page("Not found")),
	"/untitled": (_q, r) => r.writeHead(200, asHtml).end(html("")),
	"/long": (_q, r) => r.writeHead(200, asHtml).end(page("Long") + "x".repeat(3 << 20)),
	"/late": (_q, r) => r.writeHead(200, asHtml).end(`<!-- ${"x".repeat(300 << 10)} -->${page("Too late")}`),
	"/bomb": (_q, r) => r.writeHead(200, { ...asHtml, "content-encoding": "gzip" }).end(bomb),
	"/head": (_q, r) => {
		for (let i = 0; i < 20; i++) r.setHeader(`x-${i}`, "x".repeat(6000));
		r.writeHead(200, asHtml).end(page("Large head"));
	},
	"/latin": (_q, r) => r.writeHead(200, { "content-type": "text/html; charset=iso-8859-1" }).end(Buffer.from(page("Caf\xe9"), "latin1")),
};
let bomb;

before(async () => {
	bomb = gzipSync(Buffer.concat([Buffer.from(page("Bomb")), Buffer.alloc(100 << 20)]), { level: 1 });
	world = createServer({ maxHeaderSize: 1 << 20 }, (q, r) => {
		const url = new URL(q.url, "http://x");
		asked.push(q.url);
		(sites[url.pathname] ?? sites["/none"])(q, r, url.searchParams);
	});
	asked = [];
	port = await listen(world, "127.0.0.1");
	// the same port at other addresses, and other ports at the same one
	for (const [name, host, at] of [["127.0.0.2", "127.0.0.2", port], ["[::1]", "::1", port], ["another port", "127.0.0.1", 0]]) {
		const one = { name, hits: 0 };
		one.server = createServer((_q, r) => r.writeHead(200, asHtml).end(page("SECRET")));
		one.server.on("connection", () => one.hits++);
		one.port = await listen(one.server, host, at);
		const reached = await fetch(`http://${host.includes(":") ? `[${host}]` : host}:${one.port}/`, { headers: { connection: "close" } });
		assert.match(await reached.text(), /SECRET/);
		assert.equal(one.hits, 1, "it can be reached");
		one.hits = 0;
		closed.push(one);
	}
	stack = await startStack({
		realtime: 0,
		api: 1,
		conf: {
			"previews.enabled": "yes",
			"previews.allow": `127.0.0.1:${port}`,
			"previews.ports": `80 443 ${closed[2].port} ${port}`, // so that nothing but the address stands in their way
			"previews.timeout": "4s", // for sites that never end; the others answer in time on a busy machine too
			"previews.per_host": 1000,
			"previews.per_user": 1000,
		},
	});
	[alice, bob] = await Promise.all(["alice", "bob"].map((h) => bot(stack, h)));
	room = (await makeChannel(alice, { members: [(await me(bob)).id] })).id;
});
after(async () => {
	await stack?.stop();
	for (const s of [world, ...closed.map((c) => c.server)]) {
		s?.closeAllConnections();
		s?.close();
	}
});

const at = (seq, ...rest) => ["/api/v1/channels", room, "messages", seq, ...rest].join("/");
const link = (path) => `http://127.0.0.1:${port}${path}`;
const say = async (text) => ok(await send(alice, room, text), 201);
const get = async (m) => ok(await bob.get(at(m.seq)));
const waiting = async () => Number(await stack.psql("SELECT count(*) FROM preview_jobs"));

/** The messages once all that waited has been looked at: a last one that gets its card says so, since they are taken in their order. */
async function settled(...messages) {
	const last = await say(link(`/page?t=last-${Date.now()}`));
	await until(async () => (await get(last)).body.preview && (await waiting()) === 0, { ms: 60000, what: "all links are looked at" });
	return Promise.all(messages.map(get));
}

test("a card: set after the send, by an event, as a fresh load has it; plain and clean text; no picture", async () => {
	const m = await say(`see (${link("/full")}).`);
	assert.equal(m.body.preview, undefined, "the send does not wait for it");
	const { headers } = await bob.get("/api/v1/channels");
	const view = await new View([room]).load(bob);
	const [latin] = [await say(link("/latin"))];
	const [now, other] = await settled(m, latin);
	assert.deepEqual(now.body, {
		text: m.body.text,
		preview: { url: link("/full"), host: "127.0.0.1", site: "The Site", title: 'A "full" page', description: "What it is" },
	});
	assert.ok(now.version === 2 && now.edited_at === undefined);
	assert.equal(other.body.preview.title, "Café");
	const fresh = (await new View([room]).load(bob)).state();
	const polls = follow(bob, { cursor: headers["pulsechat-cursor"], via: "api1", onLine: (l) => view.take([l]) });
	await until(() => isDeepStrictEqual(view.state(), fresh), { what: "by events what is loaded" });
	await polls.stop();
	assert.ok(!asked.some((u) => /x\.png/.test(u)));
});

test("what is not asked: other addresses, ports and schemes, however they are spelt, also behind redirects", async () => {
	const before = asked.length;
	const other = closed[2].port;
	const targets = [
		`http://127.0.0.2:${port}/`,
		`http://127.2:${port}/`,
		`http://2130706434:${port}/`,
		`http://0x7f000002:${port}/`,
		`http://0177.0.0.2:${port}/`,
		`http://[::1]:${port}/`,
		`http://[::ffff:127.0.0.2]:${port}/`,
		`http://[::ffff:7f00:1]:${port}/`,
		`http://[64:ff9b::7f00:1]:${port}/`,
		`http://127.0.0.1:${other}/`,
		`http://localhost:${other}/`,
		"http://169.254.169.254/latest/meta-data/",
		"http://10.0.0.1/",
		"http://100.64.0.1/",
		`http://a:b@127.0.0.1:${port}/page`,
		"http://127.0.0.1:22/",
	];
	const direct = [], redirected = [];
	for (const t of targets) direct.push(await say(t));
	for (const t of [...targets, "file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "//127.0.0.2:" + port])
		redirected.push(await say(link(`/to?u=${encodeURIComponent(t)}`)));
	const all = await settled(...direct, ...redirected);
	for (const m of all) assert.equal(m.body.preview, undefined, m.body.text);
	for (const c of closed) assert.equal(c.hits, 0, `${c.name} was connected to`);
	const seen = asked.slice(before).filter((u) => !u.startsWith("/to?") && !u.startsWith("/page?t=last"));
	assert.deepEqual(seen, [], "each redirect was asked for, and nothing behind one");
	assert.equal(asked.slice(before).filter((u) => u.startsWith("/to?")).length, redirected.length);
});

test("redirects are followed three times; a name that leads to what is allowed is as good as its address", async () => {
	const [three, four, name] = [await say(link("/chain?n=3")), await say(link("/chain?n=4")), await say(`http://localhost:${port}/page?t=named`)];
	const [a, b, c] = await settled(three, four, name);
	assert.equal(a.body.preview.title, "The end of a chain");
	assert.equal(b.body.preview, undefined);
	assert.ok(!asked.includes("/chain?n=0") || asked.filter((u) => u === "/chain?n=0").length === 1);
	assert.equal(c.body.preview.host, "localhost");
	assert.equal(closed[1].hits, 0, "of the addresses of localhost only the allowed one was connected to");
});

test("time, size, type and status: what takes long, is no page, or says nothing gets no card and holds up nobody for long", async () => {
	const none = {};
	for (const path of ["/slow", "/silent", "/image", "/none", "/untitled", "/late", "/head"]) none[path] = await say(link(path));
	const [long, packed] = [await say(link("/long")), await say(link("/bomb"))];
	const found = await settled(...Object.values(none), long, packed);
	for (const m of found.slice(0, -2)) assert.equal(m.body.preview, undefined, m.body.text);
	assert.equal(found.at(-2).body.preview.title, "Long", "its beginning was read");
	assert.equal(found.at(-1).body.preview.title, "Bomb");
	const rss = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${stack.pids.api1}/status`, "utf8"))[1]);
	assert.ok(process.env.PC_VARIANT || rss < 100 << 10, `${rss} KiB at most`);
});

test("a page is asked once while what it said holds; links in code, and what is no link, are not asked at all", async () => {
	const twice = [await say(link("/page?t=once")), await say(`again ${link("/page?t=once")}`)];
	const code = await say(`\`${link("/page?t=code")}\` and\n\`\`\`\n${link("/page?t=code")}\n\`\`\``);
	const [a, b, c] = await settled(...twice, code);
	assert.deepEqual(a.body.preview, b.body.preview);
	assert.equal(asked.filter((u) => u === "/page?t=once").length, 1);
	assert.equal(c.body.preview, undefined);
	assert.ok(!asked.includes("/page?t=code"));
});

test("an edit keeps the card while the text has its link, gets another one for another link, and is no conflict with its coming", async () => {
	const m = await say(link("/page?t=first"));
	const [carded] = await settled(m);
	const kept = ok(await alice.patch(at(m.seq), { body: { text: `more of ${link("/page?t=first")}` }, version: 1 }));
	assert.deepEqual(kept.body.preview, carded.body.preview);
	problem(await alice.patch(at(m.seq), { body: { text: "late" }, version: 1 }), 409, "conflict", "version");
	assert.ok(ok(await alice.get(at(m.seq, "edits"))).edits.every((e) => e.body.preview === undefined));
	const other = ok(await alice.patch(at(m.seq), { body: { text: link("/page?t=second") } }));
	assert.equal(other.body.preview, undefined);
	const [now] = await settled(m);
	assert.equal(now.body.preview.title, "second");
});

test("an edit to a link that begins or ends like the former one is an edit to another link: no card of the former, and one of its own", async () => {
	const m = await say(link("/page?t=a"));
	const [carded] = await settled(m);
	assert.equal(carded.body.preview.title, "a");
	let now = carded;
	for (const [text, title] of [
		[link("/page?t=ab"), "ab"],
		[`so (${link("/page?t=a")})`, "a"],
		[`${link("/page?t=abc")} and ${link("/page?t=a")}`, "abc"], // the first counts
		[`\`${link("/page?t=abc")}\` ${link("/page?t=a")}`, "a"], // what stands in code does not
	]) {
		const edited = ok(await alice.patch(at(m.seq), { body: { text } }));
		assert.equal(edited.body.preview, undefined, `${text}: the card of ${now.body.preview.url} is not its own`);
		[now] = await settled(m);
		assert.deepEqual([now.body.text, now.body.preview?.title], [text, title]);
	}
	const without = ok(await alice.patch(at(m.seq), { body: { text: `\`${link("/page?t=a")}\`` } }));
	assert.equal(without.body.preview, undefined);
	const [still] = await settled(m);
	assert.equal(still.body.preview, undefined);
});

test("its author takes a card away, for good; nobody else does; a deletion takes it along", async () => {
	const m = await say(link("/page?t=gone"));
	await settled(m);
	problem(await bob.delete(at(m.seq, "preview")), 403, "forbidden");
	const without = ok(await alice.delete(at(m.seq, "preview")));
	assert.equal(without.body.preview, null);
	assert.deepEqual(ok(await alice.delete(at(m.seq, "preview"))), without);
	ok(await alice.patch(at(m.seq), { body: { text: `${m.body.text} still` } }));
	const [still] = await settled(m);
	assert.equal(still.body.preview, null);
	ok(await alice.delete(at(m.seq)));
	problem(await alice.delete(at(m.seq, "preview")), 409, "conflict");
	problem(await alice.delete(at(9999, "preview")), 404, "not_found");
	const carol = await bot(stack, "carol");
	problem(await carol.delete(at(m.seq, "preview")), 403, "not_a_member");
	const quick = await say(link("/page?t=quick"));
	ok(await alice.delete(at(quick.seq)));
	await settled();
	assert.equal((await get(quick)).deleted, true);
});

test("`pulsechat maintain` looks where no process stays to; limits; turned off, nobody is asked anything", async () => {
	await stack.down("api1");
	await stack.psql(`WITH edited AS (
			UPDATE messages SET body = jsonb_build_object('text', '${link("/page?t=byhand")}' || seq)
			WHERE channel_id = ${room} AND seq <= 3 RETURNING channel_id, seq)
		INSERT INTO preview_jobs (channel_id, seq) SELECT * FROM edited`);
	await stack.psql("DELETE FROM preview_pages");
	const withEnv = (more) => ({ env: { ...process.env, ...stack.env, ...more } });
	const count = () => asked.filter((u) => u.includes("byhand")).length;
	assert.match((await stack.cli(["maintain"], withEnv({ PULSECHAT_PREVIEWS_ENABLED: "no" }))).stdout, /links were looked at: 0/);
	assert.equal(count(), 0);
	assert.match((await stack.cli(["maintain"], withEnv({ PULSECHAT_PREVIEWS_PER_USER: "2" }))).stdout, /links were looked at: 3/);
	assert.equal(count(), 2, "the third is over the limit");
	await stack.up("api1");
});
