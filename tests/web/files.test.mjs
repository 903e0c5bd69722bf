// Files in real browsers against the local store: given by drop, paste and choice, shown, looked at, deleted.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { allMessages, makeChannel, ok } from "../api/help.mjs";
import { DESKTOP, PHONE, axe, becomes, launch, live, person, say, seen } from "./help.mjs";
import { PLACE, drop, film, hang, paste, photo, pick, picture, slow, sound, stored } from "./files.mjs";

let stack, browser, api, token, bob, artist;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	token = await stack.token("alice", ["read", "write", "files"]);
	api = client(stack, { token });
	bob = ok(await api.get("/api/v1/users?q=bob")).users[0];
	const context = await browser.newContext();
	artist = await context.newPage(); // makes pictures
	await artist.goto(`${stack.url}/sign-in`);
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

const room = (name) => makeChannel(api, { name, members: [bob.id] });
const alice = async (id, options) => {
	const who = await person(stack, browser, "alice", { path: `/c/${id}`, ...options });
	await live(who.page);
	await who.page.locator(".attach").waitFor();
	return who;
};
const ready = (page, n = 1) => until(async () => (await page.locator(".chip[data-state=ready]").count()) === n, { what: `${n} files that are ready` });
const sent = async (id, n = 1) => {
	await until(async () => (await allMessages(api, id)).length >= n, { what: `${n} messages in the channel` });
	return allMessages(api, id);
};

test("dropped, pasted and chosen, several at once: on the other's screen, small ones first, and nothing moves", async () => {
	const { id } = await room("album");
	const [a, b] = await Promise.all([alice(id), person(stack, browser, "bob", { path: `/c/${id}` })]);
	await live(b.page);
	const large = await picture(artist, 1600, 1200);
	await hang(a.page, { name: "a.jpg", type: "image/jpeg", bytes: large.subarray(0, 9) });
	await a.page.getByText("Drop files to send them to #album").waitFor();
	await drop(a.page, [
		{ name: "harbour.jpg", type: "image/jpeg", bytes: large },
		{ name: "small.png", type: "image/png", bytes: await picture(artist, 300, 200, "image/png", 20) },
	]);
	await becomes(() => a.page.locator(".drop").count(), 0);
	await paste(a.page, { name: "image.png", type: "image/png", bytes: await picture(artist, 400, 400, "image/png", 120) });
	await pick(a.page, { name: "notes.txt", type: "text/plain", bytes: "Bring cake.\n" });
	await ready(a.page, 4);
	const names = await a.page.locator(".chip .file-name").evaluateAll((all) => all.map((e) => e.textContent));
	assert.deepEqual(
		names.map((n) => n.replace(/\d{4}-.*\d\d\.\d\d\.\d\d/, "NOW")),
		["harbour.jpg", "small.png", "Pasted NOW.png", "notes.txt"],
	);

	// Whoever sees it come sees nothing jump.
	await b.page.evaluate(() => {
		window.moved = 0;
		new PerformanceObserver((list) => {
			for (const e of list.getEntries())
				if (!e.hadRecentInput && e.sources.some((s) => s.node?.parentElement?.closest?.(".files"))) window.moved += e.value;
		}).observe({ type: "layout-shift", buffered: true });
	});
	await say(a.page, "Four of them");
	await seen(b.page, "Four of them");
	await b.page.waitForFunction(() => document.querySelectorAll(".picture.there img").length === 3);
	await b.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
	assert.equal(await b.page.evaluate(() => window.moved), 0);
	await becomes(() => a.page.locator(".chip").count(), 0);
	const [m] = await sent(id);
	assert.deepEqual(
		m.body.files.map((f) => [f.type, f.width, f.height]),
		[
			["image/jpeg", 1600, 1200],
			["image/png", 300, 200],
			["image/png", 400, 400],
			["text/plain", null, null],
		],
	);
	const thumbnail = m.body.files[0].thumbnail;
	assert.deepEqual([thumbnail.width, thumbnail.height], [800, 600]);
	assert.equal(m.body.files[1].thumbnail, null, "a small picture is its own");
	const shown = await b.page.locator(".picture img").evaluateAll((all) => all.map((e) => [e.getAttribute("src"), e.loading]));
	assert.deepEqual(shown[0], [`/api/v1/files/${thumbnail.id}`, "lazy"]);
	assert.deepEqual(shown[1], [`/api/v1/files/${m.body.files[1].id}`, "lazy"]);
	// A card leads to a download under its name.
	const [download] = await Promise.all([b.page.waitForEvent("download"), b.page.getByRole("link", { name: /Download .*notes/ }).click()]);
	assert.equal(download.suggestedFilename(), "notes.txt");
	// After a reload it is the same, at the same places.
	const places = () => b.page.locator(".picture, .card-file").evaluateAll((all) => all.map((e) => JSON.stringify(e.getBoundingClientRect())));
	const before = await places();
	for (const colorScheme of ["light", "dark"]) {
		await b.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
		assert.deepEqual(await axe(b.page), []);
	}
	await b.page.reload();
	await b.page.locator(".card-file").waitFor();
	assert.deepEqual(await places(), before, "before the pictures have come");
	assert.deepEqual([...a.faults, ...b.faults], []);
	await a.context.close();
	await b.context.close();
});

test("looked at by keyboard: opened, turned over, zoomed, closed, and one is where one was", async () => {
	const { id } = await room("gallery");
	const { page, context, faults } = await alice(id);
	await pick(page, [
		{ name: "one.jpg", type: "image/jpeg", bytes: await picture(artist, 1600, 900) },
		{ name: "two.jpg", type: "image/jpeg", bytes: await picture(artist, 900, 1600, "image/jpeg", 90) },
		{ name: "three.webp", type: "image/webp", bytes: await picture(artist, 700, 500, "image/webp", 300) },
	]);
	await ready(page, 3);
	await page.locator("#composer").press("Enter");
	await sent(id);
	await page.locator(".msg[data-seq]").last().focus();
	await page.keyboard.press("Tab"); // the name
	await page.keyboard.press("Tab");
	const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
	assert.match(await focused(), /Open picture .*one\.jpg/);
	await page.keyboard.press("Enter");
	await page.locator("dialog.lightbox[open]").waitFor();
	const alt = () => page.locator(".lightbox-picture").getAttribute("alt");
	const whole = () => page.waitForFunction(() => document.querySelector(".lightbox-picture")?.naturalWidth > 0);
	assert.equal(await alt(), "one.jpg");
	await whole();
	assert.equal(await page.locator(".lightbox-picture").evaluate((e) => e.naturalWidth), 1600, "the whole one, not the small one");
	for (const colorScheme of ["light", "dark"]) {
		await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
		assert.deepEqual(await axe(page), []);
	}
	await page.keyboard.press("ArrowRight");
	assert.equal(await alt(), "two.jpg");
	await page.keyboard.press("End");
	assert.equal(await alt(), "three.webp");
	await page.keyboard.press("ArrowRight");
	assert.equal(await alt(), "three.webp", "there is no next one");
	await page.keyboard.press("ArrowLeft");
	await page.keyboard.press("+");
	assert.match(await page.locator(".lightbox-picture").evaluate((e) => e.style.transform), /scale\(1\.5\)/);
	await page.keyboard.press("0");
	assert.match(await page.locator(".lightbox-picture").evaluate((e) => e.style.transform), /scale\(1\)/);
	// The focus goes round inside.
	for (let i = 0; i < 12; i++) {
		await page.keyboard.press("Tab");
		assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog.lightbox") !== null));
	}
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page
			.locator(".lightbox")
			.getByRole("link", { name: /Download/ })
			.click(),
	]);
	assert.equal(download.suggestedFilename(), "two.jpg");
	await page.keyboard.press("Escape");
	await page.locator("dialog.lightbox").waitFor({ state: "detached" });
	assert.match(await focused(), /Open picture .*one\.jpg/);
	assert.deepEqual(faults, []);
	await context.close();

	// On a phone a swipe turns over.
	const phone = await alice(id, { viewport: PHONE, hasTouch: true });
	await phone.page.locator(".picture").first().click();
	await phone.page.locator("dialog.lightbox[open]").waitFor();
	const swipe = (from, to) =>
		phone.page.locator(".lightbox-stage").evaluate(
			(e, [from, to]) => {
				const go = (type, x) =>
					e.dispatchEvent(
						new PointerEvent(type, { pointerId: 7, clientX: x, clientY: 400, bubbles: true, pointerType: "touch" }),
					);
				go("pointerdown", from);
				go("pointermove", (from + to) / 2);
				go("pointermove", to);
				go("pointerup", to);
			},
			[from, to],
		);
	await swipe(300, 60);
	await until(async () => (await phone.page.locator(".lightbox-picture").getAttribute("alt")) === "two.jpg", { what: "the next picture" });
	await swipe(60, 300);
	await until(async () => (await phone.page.locator(".lightbox-picture").getAttribute("alt")) === "one.jpg", { what: "the picture before" });
	await phone.context.close();
});

test("a photo leaves without its place, its device and what hides behind it, the right way up; unless one keeps it", async () => {
	const { id } = await room("photos");
	const { page, context } = await alice(id);
	const taken = photo(await picture(artist, 1200, 900), { way: 6 });
	assert.ok(taken.includes(PLACE) && taken.includes("SecretPhone"));
	await pick(page, { name: "taken.jpg", type: "image/jpeg", bytes: taken });
	await ready(page);
	await page.locator("#composer").press("Enter");
	const [m] = await sent(id);
	const [file] = m.body.files;
	const there = await stored(stack, token, file.id);
	assert.equal(there.bytes.length, file.size);
	assert.ok(!there.bytes.includes("Secret") && !there.bytes.includes("47.3"), "nothing of it in the store");
	assert.ok(!(await stored(stack, token, file.thumbnail.id)).bytes.includes("Secret"));
	assert.deepEqual([file.width, file.height], [900, 1200], "as it is looked at");
	// The red corner was the left upper one; turned by a quarter it is the right upper one.
	const corner = (bytes) =>
		artist.evaluate(async (base64) => {
			const b = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
			const pen = new OffscreenCanvas(b.width, b.height).getContext("2d");
			pen.drawImage(b, 0, 0);
			const red = (x, y) => {
				const [r, g, bl] = pen.getImageData(x, y, 1, 1).data;
				return r > 200 && g < 80 && bl < 80;
			};
			return [red(8, 8), red(b.width - 8, 8)];
		}, bytes.toString("base64"));
	assert.deepEqual(await corner(there.bytes), [false, true]);
	assert.deepEqual(await corner((await stored(stack, token, file.thumbnail.id)).bytes), [false, true]);

	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Settings…" }).click();
	await page.getByRole("switch", { name: "Keep where photos were taken" }).click();
	await page.keyboard.press("Escape");
	await pick(page, { name: "kept.jpg", type: "image/jpeg", bytes: taken });
	await ready(page);
	await page.locator("#composer").press("Enter");
	const kept = (await sent(id, 2))[1].body.files[0];
	assert.ok((await stored(stack, token, kept.id)).bytes.equals(taken));
	await context.close();
});

test("a film goes anywhere in it at once; sound is played; both have their room before", async () => {
	const { id } = await room("cinema");
	const { page, context, faults } = await alice(id);
	const movie = await film(artist, { seconds: 60, mib: 20 });
	const path = join(stack.dir, "harbour.webm"); // too much to be handed over in a message
	writeFileSync(path, movie);
	await pick(page, { path });
	await pick(page, { name: "bell.wav", type: "audio/wav", bytes: sound(2) });
	await ready(page, 2);
	await page.locator("#composer").press("Enter");
	const [m] = await sent(id);
	const [video, audio] = m.body.files;
	assert.deepEqual([video.type, video.width, video.height, video.duration], ["video/webm", 320, 180, 60]);
	assert.ok(video.thumbnail, "a picture of it");
	assert.equal(audio.duration, 2);
	const ranges = [];
	page.on("request", (r) => r.url().startsWith(stack.filesUrl) && r.headers().range && ranges.push(r.headers().range));
	const answers = [];
	page.on("response", (r) => r.url().startsWith(stack.filesUrl) && r.request().headers().range && answers.push(r.status()));
	const el = page.locator("video");
	await el.waitFor();
	const blue = await el.evaluate(async (v) => {
		await new Promise((ok, no) => {
			v.addEventListener("seeked", ok, { once: true });
			v.addEventListener("error", () => no(new Error(v.error.message)), { once: true });
			v.muted = true;
			v.currentTime = 50;
		});
		const canvas = document.createElement("canvas");
		[canvas.width, canvas.height] = [v.videoWidth, v.videoHeight];
		const pen = canvas.getContext("2d");
		pen.drawImage(v, 0, 0);
		// Of another origin, without its leave: the page may show it, but not read it.
		let readable = true;
		try {
			pen.getImageData(0, 0, 1, 1);
		} catch {
			readable = false;
		}
		return { at: v.currentTime, readable };
	});
	assert.equal(blue.at, 50);
	assert.equal(blue.readable, false);
	const far = ranges.map((r) => Number(/bytes=(\d+)-/.exec(r)[1])).filter((n) => n > movie.length / 2);
	assert.ok(far.length > 0, `it asked for what it needed alone: ${ranges}`);
	assert.ok(
		answers.every((s) => s === 206),
		`${answers}`,
	);
	const part = await stored(stack, token, video.id, { headers: { range: "bytes=1000-1999" } });
	assert.equal(part.status, 206);
	assert.ok(part.bytes.equals(movie.subarray(1000, 2000)));
	assert.deepEqual(await axe(page), []);
	assert.equal(
		await page
			.locator("audio")
			.evaluate(async (a) => (await new Promise((ok) => (a.readyState ? ok() : a.addEventListener("loadedmetadata", ok))), a.duration)),
		2,
	);
	assert.deepEqual(faults, []);
	await context.close();
});

test("what is on its way is seen, by ear too; Enter while it is: the message goes when the last one is there; drafts survive", async () => {
	const { id } = await room("patience");
	const { page, context, faults } = await alice(id);
	await slow(page, 30_000); // until the end is wanted
	const bytes = Buffer.alloc(900_000, 7);
	await pick(page, [
		{ name: "one.bin", bytes },
		{ name: "two.bin", bytes: Buffer.alloc(900_000, 8) },
	]);
	const bar = page.getByRole("progressbar", { name: /one\.bin/ });
	await until(async () => Number(await bar.getAttribute("aria-valuenow")) > 0, { what: "progress" });
	await page
		.locator(".chip .up-line", { hasText: /kB of 900 kB · .*\/s · .* left/ })
		.first()
		.waitFor();
	assert.deepEqual(await axe(page), []);
	await page
		.locator(".chip", { hasText: "two" })
		.getByRole("button", { name: /Remove/ })
		.click();
	await page.locator("#composer").fill("when it is there");
	await page.locator("#composer").press("Enter");
	await page.locator(".msg-pending .card-pending [role=progressbar]").waitFor();
	await becomes(() => page.locator("#composer").inputValue(), "");
	await say(page, "and this at once");
	await seen(page, "and this at once");
	await page.locator(".msg-pending .card-pending").waitFor();
	assert.deepEqual(
		(await allMessages(api, id)).map((m) => m.body.text),
		["and this at once"],
	);
	await slow(page, 0);
	const all = await sent(id, 2);
	assert.deepEqual(
		all[1].body.files.map((f) => [f.name, f.size]),
		[["one.bin", 900_000]],
	);
	await page.locator(".msg-pending").waitFor({ state: "detached" });
	// Those that were cancelled are gone from the server as well.
	assert.deepEqual(
		ok(await api.get("/api/v1/me/files")).files.filter((f) => f.file.name === "two.bin"),
		[],
	);

	await page.locator("#composer").fill("a draft");
	await pick(page, { name: "draft.txt", type: "text/plain", bytes: "later" });
	await ready(page);
	await page.reload();
	await ready(page);
	await becomes(() => page.locator("#composer").inputValue(), "a draft");
	await page.locator("#composer").press("Enter");
	assert.equal((await sent(id, 3))[2].body.files[0].name, "draft.txt");
	assert.deepEqual(faults, []);
	await context.close();
});

test("what sends files cannot be loaded: that is said, a text goes all the same, and the file when it can", async () => {
	const { id } = await room("part");
	const { page, context } = await alice(id);
	const first = await page.evaluate(() => [...document.querySelectorAll("script[src], link[rel=modulepreload]")].map((e) => e.src || e.href));
	let cut = true;
	await context.route("**/assets/part-*.js", (r) => (cut && !first.includes(r.request().url()) ? r.abort() : r.continue()));
	await page.reload();
	await live(page);
	await page.locator(".attach").waitFor();
	await pick(page, { name: "notes.txt", type: "text/plain", bytes: "Bring cake.\n" });
	await page.getByText("This could not be loaded").waitFor();
	await say(page, "No file yet");
	const [m] = await sent(id);
	assert.equal(m.body.files, undefined);
	cut = false;
	await ready(page);
	await say(page, "Here it is");
	assert.deepEqual((await sent(id, 2))[1].body.files.map((f) => f.name), ["notes.txt"]);
	await context.close();
});

test("one's files in a list, and an admin's look at somebody's: deleted there they are gone from the message", async () => {
	const { id } = await room("attic");
	const b = await person(stack, browser, "bob", { path: `/c/${id}`, viewport: DESKTOP });
	await b.page.locator(".attach").waitFor();
	await pick(b.page, [
		{ name: "plan.pdf", type: "application/pdf", bytes: "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n" },
		{ name: "view.png", type: "image/png", bytes: await picture(artist, 200, 100, "image/png") },
		{ name: "list.csv", type: "text/csv", bytes: "a,b\n1,2\n" },
	]);
	await ready(b.page, 3);
	await say(b.page, "three");
	await seen(b.page, "three");
	const a = await alice(id);
	await a.page.locator(".card-file").nth(1).waitFor();

	// Where it is shown.
	await b.page.locator(".card-file", { hasText: "plan" }).hover();
	await b.page.getByRole("button", { name: /Delete .*plan/ }).click();
	await b.page.locator("dialog[open]").getByText("is gone for everyone").waitFor();
	assert.deepEqual(await axe(b.page), []);
	await b.page.locator("dialog[open]").getByRole("button", { name: "Delete" }).click();
	for (const page of [a.page, b.page])
		await until(async () => (await page.locator(".card-file", { hasText: "plan" }).count()) === 0, { what: "it is gone" });

	// In the own list.
	await b.page.getByRole("button", { name: "Your menu" }).click();
	await b.page.getByRole("menuitem", { name: "Settings…" }).click();
	await b.page.getByRole("button", { name: /My files/ }).click();
	await b.page.locator(".my-file", { hasText: "view" }).waitFor();
	assert.deepEqual(await axe(b.page), []);
	await becomes(() => b.page.locator(".my-file").count(), 2);
	await b.page.getByRole("button", { name: /Delete .*view/ }).click();
	await b.page.getByRole("button", { name: "Delete for good" }).click();
	await until(async () => (await b.page.locator(".my-file").count()) === 1, { what: "one file left" });
	await until(async () => (await a.page.locator(".picture").count()) === 0, { what: "the picture gone" });

	// By an admin.
	await a.page.goto(`${stack.url}/admin/people`);
	await a.page.getByRole("button", { name: /Files of Bob/ }).click();
	await a.page.locator(".my-file", { hasText: "list" }).waitFor();
	assert.deepEqual(await axe(a.page), []);
	await a.page.getByRole("button", { name: /Delete .*list/ }).click();
	await a.page.getByRole("button", { name: "Delete for good" }).click();
	await a.page.getByText("No files.").waitFor();
	await until(async () => (await b.page.locator(".card-file").count()) === 0, { what: "nothing left" });
	await a.context.close();
	await b.context.close();
});
