// files_flow: the way of a file to the store and back in a real browser, over a wire that is cut. The same for every store.
//
//   flow("local", async (wire, files) => ({ stack, stop }));     wire: of files.mjs; files: what [files] must say besides

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { until } from "../support/stack.mjs";
import { allMessages, makeChannel } from "../api/help.mjs";
import { launch, live, person } from "./help.mjs";
import { PLACE, photo, pick, picture, relayTo, slow, stored } from "./files.mjs";

export const MIB = 2 ** 20;
const PARTS = { multipart_above: "6M", part_size: "5M" };

/* short: what differs from store to store, and no more. */
export function flow(kind, start, { skip = false, short = false } = {}) {
	const later = short && "only in make check-long";
	let stack, stop, browser, wire, api, token;
	before(async () => {
		if (skip) return;
		wire = await relayTo();
		({ stack, stop } = await start(wire, PARTS));
		browser = await launch();
		token = await stack.token("alice", ["read", "write", "files"]);
		api = client(stack, { token });
	});
	after(async () => {
		await browser?.close();
		await stop?.();
		wire?.stop();
	});

	const alice = async (id) => {
		const who = await person(stack, browser, "alice", { path: `/c/${id}` });
		await live(who.page);
		await who.page.locator(".attach").waitFor();
		return who;
	};
	const ready = (page, n = 1, ms = 40000) =>
		until(async () => (await page.locator(".chip[data-state=ready]").count()) === n, { ms, what: `${n} files that are ready` }).catch(async (e) => {
			throw new Error(`${e.message}; there are: ${await page.locator(".chip").allInnerTexts()}`);
		});
	const send = async (page, id, n = 1) => {
		await page.locator("#composer").press("Enter");
		await until(async () => (await allMessages(api, id)).length >= n, { what: "the message" });
		return (await allMessages(api, id)).at(-1).body.files;
	};
	/** What goes to the store; other things are put to the site, as the draft. */
	const isPut = (r) => r.method() === "PUT" && r.url().startsWith(wire.url);
	const partOf = (r) => Number(new URL(r.url()).searchParams.get("partNumber"));
	/** The parts that the store has taken from the page, as they are answered; 0: a whole. */
	const keptBy = (page) => {
		const kept = [];
		page.on("response", (r) => isPut(r.request()) && r.status() === 200 && kept.push(partOf(r.request())));
		return kept;
	};
	/** A file on disk: more than can be handed over in a message. */
	const onDisk = (name, bytes) => {
		const path = join(stack.dir, name);
		writeFileSync(path, bytes);
		return { path };
	};

	test(`${kind}: nothing, a little, and in parts: what comes back is what was sent`, { skip }, async () => {
		const { id } = await makeChannel(api, { name: "sizes" });
		const { page, context, faults } = await alice(id);
		// the last two: as large as goes in one piece, and a byte more
		const contents = [0, 1, 5000, 300 * 1024, 6 * MIB, 6 * MIB + 1].map((n) => randomBytes(n));
		const kept = keptBy(page);
		for (const [i, bytes] of contents.entries()) await pick(page, onDisk(`size-${i}.bin`, bytes));
		await ready(page, contents.length);
		// The page hears of an answer before we do.
		await until(() => kept.length >= 7, { what: "seven answers of the store" });
		assert.deepEqual(kept.sort(), [0, 0, 0, 0, 0, 1, 2]);
		const files = await send(page, id);
		assert.deepEqual(
			files.map((f) => f.size),
			contents.map((b) => b.length),
		);
		for (const [i, f] of files.entries()) {
			const there = await stored(stack, token, f.id);
			assert.equal(there.status, 200);
			assert.ok(there.bytes.equals(contents[i]), `file ${i}`);
		}
		// As a browser sees it: by the address of the site, led on.
		const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /Download .*size-1/ }).click()]);
		assert.equal(download.suggestedFilename(), "size-1.bin");
		assert.deepEqual(faults, []);
		await context.close();
	});

	test(
		`${kind}: the connection is cut at the half: it goes on by itself; the store is away for a while: it says so`,
		{ skip: skip || later },
		async () => {
			const { id } = await makeChannel(api, { name: "cut" });
			const { page, context } = await alice(id);
			await slow(page, 1.5 * MIB);
			const bytes = randomBytes(4 * MIB);
			await pick(page, onDisk("cut.bin", bytes));
			const bar = page.getByRole("progressbar");
			await until(async () => Number(await bar.getAttribute("aria-valuenow")) >= 40, { what: "the half of it" });
			wire.refuse(true);
			wire.cut();
			await page.getByText("No connection. Trying again…").waitFor();
			await slow(page, 0);
			wire.refuse(false);
			await ready(page);
			const [file] = await send(page, id);
			assert.ok((await stored(stack, token, file.id)).bytes.equals(bytes));
			await context.close();
		},
	);

	test(`${kind}: the page is loaded again in the middle: only the parts that are missing are sent`, { skip }, async () => {
		const { id } = await makeChannel(api, { name: "resumed" });
		const { page, context, faults } = await alice(id);
		const bytes = randomBytes(11 * MIB);
		const kept = keptBy(page);
		const puts = [];
		// The third part does not get through.
		let held = true;
		await page.route(/[?&]partNumber=3&/, (route) => held || route.continue());
		await pick(page, onDisk("resumed.bin", bytes));
		await page.locator("#composer").fill("after the reload");
		await page.locator("#composer").press("Enter");
		await until(() => kept.length === 2, { ms: 40000, what: "all parts but one" });
		await page.locator(".msg-pending [role=progressbar]").waitFor();
		assert.deepEqual(kept.sort(), [1, 2]);
		held = false; // for what comes after; the one that is held ends with its page
		page.on("request", (r) => isPut(r) && puts.push(partOf(r)));
		await page.reload();
		await until(async () => (await allMessages(api, id)).length === 1, { ms: 40000, what: "the message" });
		assert.deepEqual(puts, [3]);
		const [m] = await allMessages(api, id);
		assert.equal(m.body.text, "after the reload");
		assert.ok((await stored(stack, token, m.body.files[0].id)).bytes.equals(bytes));
		assert.deepEqual(faults, []);
		await context.close();
	});

	test(`FI-1 ${kind}: whatever type a browser gives a file, it is taken, and a lie is refused with the reason`, { skip: skip || later }, async () => {
		const { id } = await makeChannel(api, { name: "types" });
		const { page, context } = await alice(id);
		const jpeg = photo(await picture(page, 1000, 700));
		const files = [
			{ name: "no-type", type: "", bytes: "who knows" },
			{ name: "old.jpg", type: "image/jpg", bytes: jpeg },
			{ name: "words.txt", type: "text/plain;charset=utf-8", bytes: "ünïcode\n" },
			{ name: "strange.zzz9", type: "application/x-zzz9", bytes: Buffer.from([1, 2, 3, 255]) },
			{ name: "empty.txt", type: "text/plain", bytes: "" },
			{ name: "really-a-jpeg.png", type: "image/png", bytes: jpeg },
		];
		await pick(page, files);
		await ready(page, files.length);
		await pick(page, { name: "page.png", type: "image/png", bytes: "<!doctype html><script>document.title='ran'</script>" });
		const lie = page.locator(".chip", { hasText: "page" });
		await lie.getByText("What is in it is not what its name says").waitFor();
		await page.locator("#composer").press("Enter");
		await page.getByText("Some files could not be uploaded").waitFor();
		assert.equal((await allMessages(api, id)).length, 0, "and the draft is kept");
		await lie.getByRole("button", { name: "Send as a plain file" }).click();
		await ready(page, files.length + 1);
		const there = await send(page, id);
		assert.equal(there[1].type, "image/jpeg");
		assert.equal(there[5].type, "image/jpeg");
		assert.ok(!(await stored(stack, token, there[1].id)).bytes.includes(PLACE));
		const plain = await stored(stack, token, there[6].id);
		assert.match(plain.headers.get("content-disposition"), /^attachment/);
		assert.equal(await page.locator(".picture").count(), 2);
		await context.close();
	});

	test(`FI-2 ${kind}: names: shown with their true end, downloaded under what they are`, { skip: skip || later }, async () => {
		const { id } = await makeChannel(api, { name: "names" });
		const { page, context, faults } = await alice(id);
		const names = {
			"1976–2016.md": "1976–2016.md",
			'a,b;c"d.pdf': null, // a browser writes no quote into a file's name
			"x + y%20z.pdf": "x + y%20z.pdf",
			"日本😬.pdf": "日本😬.pdf",
			"report\u202etxt.exe": "reporttxt.exe",
			"a\r\nb.txt": "ab.txt",
			"...": null,
			[`${"ü".repeat(150)}.txt`]: null,
		};
		// A file of a disk has no such names; what a page makes has.
		await page.evaluate((names) => {
			const d = new DataTransfer();
			for (const n of names) d.items.add(new File(["x"], n, { type: "application/octet-stream" }));
			document.querySelector(".list").dispatchEvent(new DragEvent("drop", { dataTransfer: d, bubbles: true, cancelable: true }));
		}, Object.keys(names));
		await ready(page, Object.keys(names).length);
		const files = await send(page, id);
		const links = page.locator(".card-file a.card-link");
		await links.nth(files.length - 1).waitFor();
		for (const [i, [given, wanted]] of Object.entries(names).entries()) {
			const shown = await links.nth(i).locator(".file-name").textContent();
			assert.ok(!/[\u202e\r\n]/.test(shown), JSON.stringify(shown));
			if (/\.\w+$/.test(given)) assert.equal(await links.nth(i).locator(".file-end").textContent(), /\.\w+$/.exec(given)[0], given);
			assert.ok(Buffer.byteLength(files[i].name) <= 255);
			const there = await stored(stack, token, files[i].id);
			assert.equal(there.status, 200, given);
			assert.match(there.headers.get("content-disposition"), /^attachment; ?filename="[\x20-\x7e]*"/);
			assert.match(new URL(there.location).pathname, /\/[a-z2-7]{2}\/[a-z2-7]{26}$/, "the object's name is the server's");
			const [download] = await Promise.all([page.waitForEvent("download"), links.nth(i).click()]);
			if (wanted) assert.equal(download.suggestedFilename(), wanted);
		}
		assert.deepEqual(faults, []);
		await context.close();
	});

	test(`FI-3 ${kind}: what could run is never run: it comes as a download, from another origin`, { skip }, async () => {
		const { id } = await makeChannel(api, { name: "scripts" });
		const { page, context } = await alice(id);
		const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="document.title='ran'"><script>document.title='ran'</script></svg>`;
		const run = "<script>document.title='ran'</script>";
		await pick(page, [
			{ name: "a.svg", type: "image/svg+xml", bytes: svg },
			{ name: "b.html", type: "text/html", bytes: `<!doctype html>${run}` },
			{ name: "c.xhtml", type: "application/xhtml+xml", bytes: `<html xmlns="http://www.w3.org/1999/xhtml"><body>${run}</body></html>` },
			{
				name: "d.xml",
				type: "application/xml",
				bytes: `<?xml version="1.0"?><x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>document.title='ran'</h:script></x>`,
			},
			{
				name: "e.pdf",
				type: "application/pdf",
				bytes: "%PDF-1.4\n1 0 obj\n<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
			},
		]);
		await ready(page, 5);
		const files = await send(page, id);
		assert.equal(await page.locator(".picture").count(), 0, "none of them in the page");
		for (const f of files) {
			const there = await stored(stack, token, f.id);
			assert.notEqual(new URL(there.location).origin, stack.url);
			assert.match(there.headers.get("content-disposition"), /^attachment/, f.name);
			if (kind === "local") {
				assert.equal(there.headers.get("x-content-type-options"), "nosniff");
				assert.match(there.headers.get("content-security-policy"), /sandbox/);
			}
			// Followed as a link of the page, and the store's address in a tab of its own.
			await Promise.all([
				page.waitForEvent("download"),
				page.evaluate((href) => Object.assign(document.createElement("a"), { href }).click(), `/api/v1/files/${f.id}`),
			]);
			const tab = await context.newPage();
			const came = tab.waitForEvent("download");
			await tab.goto(there.location).catch((e) => assert.match(e.message, /Download is starting|ERR_ABORTED/));
			await came;
			assert.notEqual(await tab.title(), "ran");
			await tab.close();
		}
		assert.notEqual(await page.title(), "ran");
		await context.close();
	});
}
