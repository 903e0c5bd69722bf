// Large files in a real browser, to the local store and to radosgw, and back with the same checksum: as large as goes whole, a byte more,
// some hundred MB, and GB GiB (2) and a bit, with a reload in the middle. The tab and the servers need no more memory for it, and the page answers.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { allMessages, makeChannel } from "../../api/help.mjs";
import { client } from "../../support/http.mjs";
import { radosgwMissing, startRadosgw } from "../../support/radosgw.mjs";
import { startStack, until } from "../../support/stack.mjs";
import { WHOLE, launch, live, person, say, seen } from "../help.mjs";
import { browserMemory, calm, peaks } from "./measure.mjs";

const MIB = 2 ** 20;
const GB = Number(process.env.GB ?? 2);
const PART = 16 * MIB; // [files] part_size
const BOUND = 64 * MIB; // [files] multipart_above
const SERVER_MAX = 64 * MIB;
const TAB_MAX = 400 * MIB;
const TASK_MAX = 200; // ms of the processor
const MINUTES = 60000;
const LONG = 20 * MINUTES; // what is waited for at most; a minute or two, where nothing else runs

const site = {
	local: async (conf) => {
		const stack = await startStack({ variant: "plain", realtime: 1, conf: { files: conf } });
		return { stack, stop: () => stack.stop() };
	},
	radosgw: async (conf) => {
		const s3 = await startRadosgw();
		try {
			const files = { ...s3.conf, ...conf };
			const stack = await startStack({ variant: "plain", realtime: 1, files: false, filesUrl: s3.endpoint, conf: { files } });
			await s3.allow(stack.url);
			return {
				stack,
				async stop() {
					await stack.stop();
					await s3.stop();
				},
			};
		} catch (e) {
			await s3.stop();
			throw e;
		}
	},
};

const inMib = (o) =>
	Object.entries(o)
		.map(([name, n]) => `${name} ${Math.round(n / MIB)}`)
		.join(", ");

/** No task of the page held it up. How long one took by the clock is told, and depends on what else the machine does. */
function quick({ cpu, wall }) {
	console.log(`# the longest task of the page: ${cpu.toFixed(0)} ms, ${wall.toFixed(0)} by the clock`);
	assert.ok(cpu > 0 && cpu < TASK_MAX, `${cpu} ms`);
}

/** A file on disk with something else in each of its MiB, and nothing between: it takes little room. {path, name, size, sum} */
async function makeFile(dir, name, size) {
	const path = join(dir, name);
	const file = await open(path, "w");
	await file.truncate(size);
	for (let at = 0; at < size; at += MIB) await file.write(randomBytes(Math.min(4096, size - at)), 0, undefined, at);
	if (size > 8) await file.write(randomBytes(8), 0, 8, size - 8);
	await file.close();
	return { path, name, size, sum: await sumOf(path) };
}

async function sumOf(path) {
	const hash = createHash("sha256");
	for await (const d of createReadStream(path, { highWaterMark: MIB })) hash.update(d);
	return hash.digest("hex");
}

for (const kind of (process.env.PC_STORES ?? "local,radosgw").split(","))
	describe(kind, { skip: kind === "radosgw" && radosgwMissing(), concurrency: false }, () => {
		let stack, stop, browser, api, dir;
		before(async () => {
			dir = await mkdtemp(join(tmpdir(), "pulsechat-large-"));
			({ stack, stop } = await site[kind]({ max_size: `${Math.ceil(GB) + 1}G`, quota_day: "20G" }));
			browser = await launch(WHOLE);
			api = client(stack, { token: await stack.token("alice", ["read", "write", "files"]) });
		});
		after(async () => {
			await browser?.close();
			await stop?.();
			await rm(dir, { recursive: true, force: true });
		});

		/** Alice's page of a channel; puts: which parts have gone to the store, 0: a file in one piece. */
		async function alice(id) {
			const who = await person(stack, browser, "alice", { path: `/c/${id}` });
			who.context.setDefaultTimeout(MINUTES); // a busy machine is slow, and is to be waited for
			await live(who.page, "ws", MINUTES);
			await who.page.locator(".attach").waitFor();
			const puts = [];
			who.page.on("response", (r) => {
				if (r.request().method() !== "PUT" || new URL(r.url()).origin === stack.url || r.status() !== 200) return;
				puts.push(Number(new URL(r.url()).searchParams.get("partNumber") ?? 0));
			});
			return { ...who, puts };
		}
		/** What a browser makes of its download. */
		async function downloaded(page, file) {
			const link = page.locator(".card-file a.card-link", { hasText: file.name.replace(/\..*/, "") });
			const [d] = await Promise.all([page.waitForEvent("download", { timeout: LONG }), link.click()]);
			assert.equal(d.suggestedFilename(), file.name);
			const sum = await sumOf(await d.path());
			await d.delete();
			return sum;
		}
		const sent = (id, n) => until(async () => (await allMessages(api, id)).length >= n, { ms: LONG, every: 200, what: "the message" });

		test(`${kind}: 64 MiB whole, one byte more and 300 MiB in parts, three at once`, async () => {
			const { id } = await makeChannel(api, { name: "sizes" });
			const { page, context, faults, puts } = await alice(id);
			const sizes = Object.entries({ "bound.bin": BOUND, "above.bin": BOUND + 1, "more.bin": 300 * MIB });
			const files = await Promise.all(sizes.map(([name, size]) => makeFile(dir, name, size)));
			const tasks = await calm(browser, page);
			await page.locator(".composer input[type=file]").first().setInputFiles(files.map((f) => f.path));
			await until(async () => (await page.locator(".chip[data-state=ready]").count()) === 3, { ms: LONG, what: "three files" });
			await page.locator("#composer").press("Enter");
			await sent(id, 1);
			quick(await tasks());
			const parts = files.slice(1).flatMap((f) => Array.from({ length: Math.ceil(f.size / PART) }, (_, i) => i + 1));
			assert.deepEqual(puts.sort((a, b) => a - b), [0, ...parts].sort((a, b) => a - b), "one whole, each part once");
			const [m] = await allMessages(api, id);
			assert.deepEqual(
				m.body.files.map((f) => [f.name, f.size]),
				files.map((f) => [f.name, f.size]),
			);
			for (const f of files) {
				assert.equal(await downloaded(page, f), f.sum, f.name);
				await rm(f.path);
			}
			assert.deepEqual(faults, []);
			await context.close();
		});

		test(`${kind}: ${GB} GiB and a bit, and a reload in the middle: it goes on from there, and the page goes on meanwhile`, async () => {
			const { id } = await makeChannel(api, { name: "film" });
			const other = (await makeChannel(api, { name: "talk" })).id;
			const file = await makeFile(dir, "film.bin", Math.round(GB * 2 ** 30) + 12345);
			const all = Math.ceil(file.size / PART), half = Math.floor(all / 2);
			const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
			const { page, context, faults, puts } = await alice(id);
			// The page sends three parts at a time: with these held the half is there, and no more.
			let held = true;
			await page.route(
				(url) => [1, 2, 3].some((n) => url.searchParams.get("partNumber") === String(half + n)),
				(route) => held || route.continue(),
			);
			const memory = await browserMemory(browser);
			const began = Date.now();
			await page.locator(".composer input[type=file]").first().setInputFiles(file.path);
			await page.locator("#composer").fill("the film");
			await page.locator("#composer").press("Enter");
			// Progress goes up, with words on how fast and how long.
			const bar = page.locator(".msg-pending [role=progressbar]");
			const shown = [];
			const follow = (share) => async () => {
				const now = Number(await bar.getAttribute("aria-valuenow"));
				if (shown.at(-1) !== now) shown.push(now);
				return now >= share;
			};
			await until(follow(20), { ms: LONG, every: 300, what: "a fifth of it" });
			await page.locator(".msg-pending .up-line", { hasText: /of [\d.]+ [MG]B · .*\/s · / }).waitFor();
			// Meanwhile one talks elsewhere. Looked at while one does: of minutes a trace comes to a gigabyte.
			let tasks = await calm(browser, page);
			await page.locator(`nav.side a[href="/c/${other}"]`).click();
			await page.locator(".attach").waitFor();
			await say(page, "while it goes");
			await seen(page, "while it goes", MINUTES);
			await page.locator(`nav.side a[href="/c/${id}"]`).click();
			await bar.waitFor();
			quick(await tasks());
			await until(follow(Math.floor((100 * half * PART) / file.size)), { ms: LONG, every: 300, what: "the half of it" });
			assert.deepEqual(shown, [...shown].sort((a, b) => a - b), "it only goes up");
			assert.ok(shown.length >= 5, `${shown}`);
			const sorted = (list) => list.splice(0).sort((a, b) => a - b);
			await until(() => puts.length === half, { ms: MINUTES, what: "each part's answer" });
			assert.deepEqual(sorted(puts), numbers(1, half));

			held = false;
			await page.reload();
			// The browser has let go of the file: it is chosen once more, and what the store has is not sent again.
			await page.locator(".msg-pending").getByText("The page was loaded again before it was sent").waitFor();
			tasks = await calm(browser, page);
			await page.locator(".msg-pending input[type=file]").setInputFiles(file.path);
			await until(() => puts.length > 0, { ms: LONG, what: "it goes on" });
			quick(await tasks());
			await sent(id, 1);
			const seconds = (Date.now() - began) / 1000;
			assert.deepEqual(sorted(puts), numbers(half + 1, all), "what was there is not sent again");
			const [m] = await allMessages(api, id);
			assert.deepEqual([m.body.text, m.body.files[0].size], ["the film", file.size]);
			const used = await memory();
			assert.equal(await downloaded(page, file), file.sum);
			const servers = peaks(stack, ["api1", "realtime1", "lighttpd", ...(kind === "local" ? ["files1"] : [])]);
			console.log(`# ${kind}: ${GB} GiB in ${seconds.toFixed(0)} s; MiB at most: ${inMib({ ...used, ...servers })}`);
			for (const [name, n] of Object.entries(servers)) assert.ok(n < SERVER_MAX, `${name} had ${n} bytes`);
			assert.ok(used.renderer < TAB_MAX, `the tab had ${used.renderer} bytes`);
			assert.deepEqual(faults, []);
			await context.close();
		});
	});
