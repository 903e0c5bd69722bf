// One's own profile in two browsers: a name and a picture are changed in the settings, and stand everywhere in the other one at once, as
// after a reload; what goes wrong is said.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mkdirSync } from "node:fs";
import { client } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, TABLET, axe, becomes, ends, launch, person, ready, rung } from "./help.mjs";

let stack, browser, api, id, me, a, b;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	const bob = ok(await api.get("/api/v1/users?q=bob")).users[0];
	me = ok(await api.get("/api/v1/me")).user;
	id = ok(await api.post("/api/v1/channels", { kind: "direct", members: [bob.id] }), 201).id;
	ok(await send(api, id, "hello from me"), 201);
	[a, b] = await Promise.all(["alice", "bob"].map((login) => person(stack, browser, login, { path: `/c/${id}` })));
	for (const who of [a, b]) await until(async () => (await rung(who.page)).startsWith("live "), { ms: 30000, what: "a live link" });
});
after(() => ends(stack, browser, a, b));

const profile = (page) => page.getByRole("region", { name: "Profile" });
const alert = (page, text) => profile(page).getByRole("alert").filter({ hasText: text }).waitFor({ timeout: 10000 });
async function opens(page) {
	await page.locator(".msg[data-seq='1'] [data-person]").first().click();
	await page.getByRole("button", { name: "Edit profile…" }).click();
	await profile(page).waitFor();
}
/** A picture of these colours, left to right, as the browser makes it. */
const stripes = async (page, width, height, colours, type = "image/png") =>
	Buffer.from(
		(
			await page.evaluate(
				([width, height, colours, type]) => {
					const canvas = Object.assign(document.createElement("canvas"), { width, height });
					const pen = canvas.getContext("2d");
					colours.forEach((c, i) => {
						pen.fillStyle = c;
						pen.fillRect((i * width) / colours.length, 0, width / colours.length, height);
					});
					return canvas.toDataURL(type);
				},
				[width, height, colours, type],
			)
		).split(",")[1],
		"base64",
	);
const choose = (page, name, buffer, mimeType = "image/png") => profile(page).locator("input[type=file]").setInputFiles({ name, mimeType, buffer });

/** How the person is drawn, wherever that is: her name and the address of her picture, once it is there. */
const drawn = (page) =>
	page.evaluate(() => {
		const face = (img) => (img ? (img.complete && img.naturalWidth === 256 ? img.getAttribute("src") : "late") : null);
		const faces = (within) => [...document.querySelectorAll(`${within} .avatar`)].map((f) => face(f.querySelector("img")));
		const text = (q) => document.querySelector(q)?.textContent ?? null;
		return {
			message: [text(".msg[data-seq='1'] .msg-name"), ...faces(".msg[data-seq='1']")],
			side: [text(".entry[aria-current] .entry-name"), ...faces(".entry[aria-current]")],
			card: [text(".card .card-name"), ...faces(".card")],
		};
	});
const everywhere = (page, name, picture) =>
	becomes(() => drawn(page), { message: [name, picture], side: [name, picture], card: [name, picture] }, `${name} with ${picture}`);
const stored = async () => ok(await api.get("/api/v1/me")).user;

/** SHOTS=FOLDER: pictures of what is new; SIZES=all: axe in either theme (check-long). */
async function look(page, name) {
	const { SHOTS, SIZES } = process.env;
	for (const [how, size] of Object.entries({ desktop: DESKTOP, tablet: TABLET, phone: PHONE }))
		for (const colorScheme of SIZES === "all" || SHOTS ? ["light", "dark"] : ["light"]) {
			await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
			await page.setViewportSize(size);
			if (SHOTS) {
				mkdirSync(SHOTS, { recursive: true });
				await page.screenshot({ path: `${SHOTS}/${name}-${how}-${colorScheme}.png` });
			}
			const wide = await page.locator(".settings").evaluate((el) => el.scrollWidth - el.clientWidth);
			assert.ok(wide <= 0, `${how}: the settings are ${wide} px too wide`);
			if (how !== "tablet") assert.deepEqual(await axe(page), [], `${name}, ${how}, ${colorScheme}`);
		}
	await page.setViewportSize(DESKTOP);
}

test("a picture and a name: in the other browser at once, wherever the person is drawn, and after a reload", async () => {
	await b.page.locator(".msg[data-seq='1'] [data-person]").first().click();
	await b.page.locator(".card").waitFor();
	await everywhere(b.page, me.name, null);
	await opens(a.page);
	await choose(a.page, "wide.png", await stripes(a.page, 900, 300, ["#f00", "#0a0", "#00f"]));
	await until(async () => (await stored()).picture !== null, { what: "the server has it" });
	const { picture } = await stored();
	assert.match(picture, /^\/api\/v1\/files\/\d+$/);
	await everywhere(b.page, me.name, picture);
	const middle = await b.page.evaluate(async (src) => {
		const bitmap = await createImageBitmap(await (await fetch(src)).blob());
		const pen = Object.assign(document.createElement("canvas"), { width: 256, height: 256 }).getContext("2d");
		pen.drawImage(bitmap, 0, 0);
		return [bitmap.width, bitmap.height, ...[2, 128, 253].map((x) => [...pen.getImageData(x, 128, 1, 1).data].join())];
	}, picture);
	assert.deepEqual(middle, [256, 256, ...Array(3).fill("0,170,0,255")], "the square in its middle");
	const name = profile(a.page).getByLabel("Name");
	await name.fill("  Alice in person ");
	await name.press("Enter");
	await everywhere(b.page, "Alice in person", picture);
	await becomes(() => name.inputValue(), "Alice in person", "the field says what is kept");
	await profile(a.page).getByText("Your account says", { exact: false }).first().waitFor();
	const before = await drawn(b.page);
	await b.page.reload();
	await ready(b.page);
	await b.page.locator(".msg[data-seq='1'] [data-person]").first().click();
	await becomes(() => drawn(b.page), before, "the same as before");
	await look(a.page, "profile");
});

test("what is no picture and no name is said, and changes nothing; by keyboard, by paste and by drop", async () => {
	const { page } = a;
	const was = await stored();
	await choose(page, "a.png", Buffer.from("no picture at all"));
	await alert(page, "no picture");
	const name = profile(page).getByLabel("Name");
	for (const [bad, why] of [["  ", "Write a name"], ["Al\u0456ce", "cannot be read"]]) {
		await name.fill(bad);
		await name.press("Enter");
		await alert(page, why);
	}
	assert.deepEqual(await stored(), was);
	const given = async (how, colour) => {
		const png = (await stripes(page, 40, 40, [colour])).toString("base64");
		const { picture } = await stored();
		await page.evaluate(
			([how, png]) => {
				const files = new DataTransfer();
				files.items.add(new File([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))], "image.png", { type: "image/png" }));
				const at = document.querySelector(".profile-picture");
				if (how === "drop") at.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files }));
				else at.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: files }));
			},
			[how, png],
		);
		await until(async () => (await stored()).picture !== picture, { what: `another picture by ${how}` });
		await profile(page).getByRole("button", { name: "Change picture…" }).waitFor();
	};
	await given("paste", "#808");
	await given("drop", "#088");
	await everywhere(b.page, was.name, (await stored()).picture);
	assert.equal(await page.locator(".chips .chip, .pending-picture").count(), 0, "and nothing has come into the channel's draft");
	// By keyboard alone: back to what the account says, and no picture.
	await profile(page).getByRole("button", { name: "As your account says" }).press("Enter");
	await becomes(() => name.inputValue(), me.name, "the account's name");
	assert.ok(await name.evaluate((el) => el === document.activeElement), "the focus is kept");
	await profile(page).getByRole("button", { name: "Remove" }).press("Enter");
	await profile(page).getByRole("button", { name: "Add a picture…" }).waitFor();
	await everywhere(b.page, me.name, null);
	assert.deepEqual([(await stored()).name, (await stored()).picture], [me.name, null]);
	await page.keyboard.press("Escape");
});

test("an owner takes a picture away: gone for everybody, and in the audit log", async () => {
	await b.page.keyboard.press("Escape");
	await b.page.getByRole("button", { name: "Your menu" }).click();
	await b.page.getByRole("menuitem", { name: "Settings" }).click();
	await choose(b.page, "b.png", await stripes(b.page, 300, 300, ["#a50"]));
	await profile(b.page).getByRole("button", { name: "Remove" }).waitFor();
	assert.equal(await profile(b.page).locator("img").count(), 1);
	await a.page.getByRole("button", { name: "Your menu" }).click();
	await a.page.getByRole("menuitem", { name: "Administration" }).click();
	await a.page.getByRole("button", { name: "Manage Bob Okafor" }).click();
	await a.page.getByRole("radio", { name: "Remove the picture" }).check();
	await a.page.getByRole("button", { name: "Apply" }).click();
	await profile(b.page).getByRole("button", { name: "Add a picture…" }).waitFor();
	await until(async () => (await profile(b.page).locator("img").count()) === 0, { what: "his initials again" });
	await a.page.getByRole("link", { name: "Audit log" }).click();
	await a.page.getByText("removed the picture of").first().waitFor();
});
