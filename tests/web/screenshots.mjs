// screenshots: a workspace with something in it, on the real site, looked at in three sizes, light and dark.
// Writes build/screenshots/SIZE-THEME-SCREEN.png and doc/screenshot.png (the README's).   node tests/web/screenshots.mjs [WORD]
// WORD: only pictures whose name holds it; doc/screenshot.png stays as it is then.

import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { client } from "../support/http.mjs";
import { ROOT, startStack, until } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { DESKTOP, PHONE, TABLET, launch, live, person, visitor } from "./help.mjs";
import { randomUUID } from "node:crypto";
import { uploaded } from "../files/uploads.mjs";
import { film, hang, pick, picture, slow, sound } from "./files.mjs";

const NOW = new Date("2026-11-25T11:34:00Z"); // a Wednesday
const only = process.argv[2];
const OUT = join(ROOT, "build/screenshots");

// [days ago, "HH:MM", who, text]
const CHANNELS = [
	{
		name: "general",
		topic: "News for everyone, and good mornings",
		members: "all",
		said: [
			[
				2,
				"08:58",
				"alice",
				"Good morning! The heating on the second floor is being replaced on Friday, please work from " +
					"home or from the harbour office.",
			],
			[2, "09:04", "frank", "Does that include the test bench?"],
			[2, "09:05", "alice", "Everything but the bench. It has its own room and its own heater."],
			[1, "09:30", "carol", "Grace starts with us today, she joins Dave in support. Welcome!"],
			[1, "09:41", "grace", "Thank you! Looking forward to it."],
			[0, "09:02", "heidi", "Town hall at 15:00, the agenda is at https://wiki.example.org/town-hall/november"],
		],
	},
	{
		name: "release-4",
		topic: "Cut on Thursday. The list is in the wiki.",
		members: ["alice", "bob", "carol", "dave", "erin", "frank"],
		said: [
			[1, "15:20", "bob", "Release candidate 2 is on staging."],
			[
				1,
				"15:26",
				"erin",
				"Walked through the whole list on a phone. Two things left: the attachment card overlaps at 320 " +
					"px, and the date line jumps once.",
			],
			[1, "15:27", "erin", "Both have a ticket."],
			[1, "16:48", "carol", "The date line is fixed, see https://tracker.example.org/issues/412"],
			[0, "08:51", "bob", "Good morning. Overnight run:\n\nmake check\n412 passed, 0 failed"],
			[0, "08:53", "frank", "🎉"],
			[
				0,
				"09:12",
				"dave",
				"A customer behind an old proxy asks whether long-poll is still supported. I told them yes, and " +
					"that they need not set anything.",
			],
			[0, "09:15", "bob", "That is right. It finds out by itself within a few seconds, and nothing is lost on the way."],
			[
				0,
				"10:40",
				"erin",
				"The attachment card is done as well. I would like a second pair of eyes on a small Android " +
					"before noon, mine is the only one I have tried.",
			],
			[0, "10:47", "carol", "I have a Pixel 4a here, give me ten minutes."],
			[0, "11:02", "carol", "Looks right in both directions, also with large text. Closing the ticket."],
			[0, "11:03", "carol", "That was the last one on the list."],
			[0, "11:20", "alice", "Then we cut tomorrow at ten, as planned. Thank you all, this was a calm one."],
			[0, "11:26", "frank", "Release notes are ready for reading: https://wiki.example.org/release-4/notes"],
			[0, "11:31", "bob", "Reading them now."],
		],
	},
	{
		name: "support",
		topic: "Questions from customers, answered in the open",
		members: ["alice", "bob", "dave", "grace"],
		said: [
			[1, "10:15", "dave", "How do I export a whole channel? The customer has about four years in it."],
			[1, "10:22", "bob", "Page through the history by the API, 200 messages at a time. Ten minutes for four years, roughly."],
			[0, "10:31", "grace", "My first ticket: someone cannot find the channel list on a tablet."],
			[0, "10:33", "dave", "Button at the top left. Below 900 px the list is a drawer."],
			[0, "10:34", "grace", "Found it, they are happy."],
		],
		unread: 3,
	},
	{
		name: "design",
		topic: "",
		members: ["alice", "carol", "erin"],
		said: [[0, "09:48", "erin", "New icons for private and public channels are in the file. They differ by shape now, not only by colour."]],
		draft: "The lock reads well even at 14 px. One thing:",
	},
	{ name: "lunch", topic: "Where to, and who is in", members: ["bob", "frank", "heidi"], said: [[0, "11:15", "heidi", "Noodles?"]] },
	{
		name: "running",
		topic: "Tuesdays at seven, along the river",
		members: ["erin", "frank"],
		said: [[1, "20:10", "erin", "Nine kilometres!"]],
	},
	{
		name: "board",
		kind: "private",
		topic: "Quarterly numbers",
		members: ["alice", "heidi"],
		said: [[2, "14:02", "heidi", "Third quarter is in the minutes."]],
	},
	{
		direct: ["alice", "carol"],
		said: [
			[1, "12:05", "carol", "Lunch at half past twelve?"],
			[1, "12:06", "alice", "Yes, the usual place."],
			[0, "11:08", "carol", "Shall I take the release party off your desk? I know someone with a boat."],
			[0, "11:09", "alice", "A boat! Please do."],
		],
	},
	{ direct: ["alice", "heidi"], said: [[0, "11:30", "heidi", "Do you have five minutes before the town hall?"]], unread: 1 },
	{
		direct: ["alice", "bob"],
		said: [
			[1, "17:40", "bob", "Candidate 2 goes to staging now."],
			[1, "17:41", "alice", "Perfect, thanks."],
		],
	},
];

const at = (days, time) => {
	const [h, m] = time.split(":").map(Number);
	return new Date(Date.UTC(2026, 10, 25 - days, h, m, 20));
};

async function fill(stack) {
	const who = {};
	for (const login of ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"])
		who[login] = client(stack, { token: await stack.token(login, ["read", "write"]) });
	const id = {};
	for (const u of ok(await who.alice.get("/api/v1/users?limit=100")).users) id[u.handle] = u.id;
	const when = [];
	for (const c of CHANNELS) {
		const inside = c.members === "all" ? Object.keys(who) : (c.members ?? c.direct);
		const owner = who[inside[0]];
		const others = inside.slice(1).map((l) => id[l]);
		const made = c.direct
			? ok(await owner.post("/api/v1/channels", { kind: "direct", members: others }), 201)
			: await makeChannel(owner, { name: c.name, kind: c.kind, topic: c.topic, members: others });
		c.id = made.id;
		when.push(`UPDATE channels SET created_at = '${at(40, "10:00").toISOString()}' WHERE id = ${c.id}`);
		let seq = 0;
		for (const [days, time, login, text] of c.said) {
			({ seq } = ok(await send(who[login], c.id, text), 201));
			when.push(`UPDATE messages SET created_at = '${at(days, time).toISOString()}' WHERE channel_id = ${c.id} AND seq = ${seq}`);
		}
		if (inside.includes("alice")) ok(await who.alice.put(`/api/v1/channels/${c.id}/read`, { seq: seq - (c.unread ?? 0) }));
	}
	await stack.psql(when.join(";\n"));
	ok(await who.carol.put("/api/v1/me/status", { emoji: "🌴", text: "On holiday from Friday" }));
	ok(await who.dave.put("/api/v1/me/status", { emoji: "🎧", text: "With a customer" }));
	ok(await who.dave.patch("/api/v1/me/settings", { dnd_until: "forever" }));
	ok(await who.carol.patch("/api/v1/me", { time_zone: "Asia/Tokyo" }));
	return who;
}

/** Some are there, one of them away. Answers who they are: their connections stay open. */
async function arrive(who) {
	const there = {};
	for (const login of ["alice", "bob", "carol", "dave", "erin", "frank"]) {
		there[login] = await openWs(who[login]);
		await there[login].call({ op: login === "carol" ? "idle" : "active" });
	}
	return there;
}

/* Pictures, a film, sound and papers, as people send them. */
async function sendFiles(stack, browser) {
	const context = await browser.newContext();
	const artist = await context.newPage();
	await artist.goto(`${stack.url}/sign-in`);
	const { page, context: mine } = await person(stack, browser, "erin", { path: `/c/${named("running")}` });
	await live(page);
	const say = async (text, files) => {
		await pick(page, files);
		await until(async () => (await page.locator(".chip[data-state=ready]").count()) === files.length, { ms: 30000, what: "uploaded files" });
		await page.locator("#composer").fill(text);
		await page.locator("#composer").press("Enter");
		await until(async () => (await page.locator(".chip, .msg-pending").count()) === 0, { what: "sent files" });
	};
	const jpeg = async (name, w, h, hue) => ({ name, type: "image/jpeg", bytes: await picture(artist, w, h, "image/jpeg", hue, false) });
	await say("The new route along the river, with the map", [
		await jpeg("river.jpg", 1600, 1000, 210),
		{ name: "route-november.gpx", type: "application/gpx+xml", bytes: "<gpx/>" },
		{
			name: "Training plan 2026–2027, first draft with comments from Frank.pdf",
			type: "application/pdf",
			bytes: `%PDF-1.4\n${" ".repeat(182_000)}\n%%EOF\n`,
		},
	]);
	await say("", await Promise.all([20, 90, 150, 260, 330].map((hue, i) => jpeg(`kilometre-${i + 1}.jpg`, 1200, 900, hue))));
	await say("The start, and the bell at the end", [
		{ name: "start.webm", type: "video/webm", bytes: await film(artist, { seconds: 12, width: 640, height: 360 }) },
		{ name: "bell.wav", type: "audio/wav", bytes: sound(9) },
	]);
	await mine.close();
	await context.close();
	await stack.psql(`UPDATE messages SET created_at = '${at(0, "10:12").toISOString()}' WHERE channel_id = ${named("running")} AND seq > 1`);
}

const named = (name) => CHANNELS.find((c) => c.name === name).id;
const direct = (login) => CHANNELS.find((c) => c.direct?.includes(login)).id;

async function take(page, name) {
	if (only && !name.includes(only)) return;
	await page.evaluate(() => document.fonts.ready);
	await until(() => page.evaluate(() => document.getAnimations().every((a) => a.playState !== "running")), {
		what: `a still picture of ${name}`,
	});
	await page.screenshot({ path: join(OUT, `${name}.png`), animations: "disabled" });
	process.stdout.write(`${name}.png\n`);
}

async function withFiles(stack, browser, options, shot) {
	const { page, context } = await person(stack, browser, "erin", { ...options, path: `/c/${named("running")}` });
	await page.clock.setSystemTime(NOW);
	await live(page);
	const there = () => page.waitForFunction(() => [...document.querySelectorAll(".picture")].every((e) => e.classList.contains("there")));
	await page.locator(".sound").waitFor();
	await there();
	await shot(page, "files-players");
	await page.evaluate(() => (document.querySelector(".list").scrollTop = 0));
	await page.locator(".card-file").first().waitFor();
	await there();
	await shot(page, "files");
	await page.goto(`${stack.url}/c/${named("running")}/files`);
	await page.locator(".file-row").nth(3).waitFor();
	await live(page);
	await page.waitForFunction(() => [...document.querySelectorAll(".panel .picture")].every((e) => e.classList.contains("there")));
	await page.locator(".file-tile .picture").nth(1).focus();
	await shot(page, "files-panel");
	await page.goto(`${stack.url}/c/${named("running")}`);
	await page.locator(".sound").waitFor();
	await hang(page, { name: "a.txt", bytes: "a" });
	await page.locator(".drop").waitFor();
	await shot(page, "files-drop");
	await page.evaluate(() => dispatchEvent(new DragEvent("dragleave", { dataTransfer: Object.assign(new DataTransfer()) })));
	await page.reload();
	await page.locator(".sound").waitFor();
	await slow(page, 40_000);
	await pick(page, { name: "finish-line.jpg", type: "image/jpeg", bytes: await picture(page, 700, 500, "image/jpeg", 40, false) });
	await page.locator(".chip img").waitFor();
	await pick(page, [
		{ name: "video-of-the-whole-race.mov", type: "video/quicktime", bytes: Buffer.alloc(900_000) },
		{ name: "notes.txt", type: "text/plain", bytes: "" },
	]);
	await page.locator(".up-line", { hasText: "/s" }).first().waitFor();
	await page.locator("#composer").fill("Photos of the finish:");
	await shot(page, "files-uploading");
	await page.locator("#composer").press("Enter");
	await page.locator(".msg-pending .files").waitFor();
	await shot(page, "files-pending");
	await page.locator(".msg-pending").getByRole("button", { name: "Delete" }).click();
	await page.locator(".msg-pending").waitFor({ state: "detached" });
	await slow(page, 0);
	await page.evaluate(() => (document.querySelector(".list").scrollTop = 0));
	await page.locator(".picture").first().click();
	await page.waitForFunction(() => document.querySelector(".lightbox-picture")?.naturalWidth > 0);
	await shot(page, "files-lightbox");
	await page.keyboard.press("Escape");
	await page.locator("dialog[open]").waitFor({ state: "detached" });
	if (options.viewport.width < 900) await page.locator(".burger").click();
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Settings…" }).click();
	await page.getByRole("button", { name: /My files/ }).click();
	await page.locator(".my-file").nth(4).waitFor();
	await shot(page, "files-mine");
	await context.close();
}

/** What is said about what was said before: a thread, a quote, something forwarded; groups; the site's own emoji. */
async function connect(stack, who, browser) {
	const release = named("release-4");
	const reply = (login, text) => who[login].post(`/api/v1/channels/${release}/messages`, { client_id: randomUUID(), thread: 7, body: { text } });
	const last = ok(await who.alice.get(`/api/v1/channels/${release}/messages`)).messages.at(-1);
	for (const [login, text] of [
		["bob", "Which proxy is it? We have two in the test rack."],
		["alice", "There is a third one in the harbour office."],
		["dave", "The name on the box is gone, but it answers like the older one."],
		["frank", "Then it is the one that holds an answer back until it is whole."],
	])
		ok(await reply(login, text), 201);
	const body = { text: "Read them: one typo in the second paragraph, else good to go.", reply_to: last.seq - 1 };
	ok(await who.erin.post(`/api/v1/channels/${release}/messages`, { client_id: randomUUID(), body }), 201);
	const forward = { channel: release, seq: last.seq - 2 };
	const forwarded = { client_id: randomUUID(), body: { text: "For your customers:", forward } };
	ok(await who.bob.post(`/api/v1/channels/${named("support")}/messages`, forwarded), 201);
	const later = `created_at = '${at(0, "11:32").toISOString()}'`;
	await stack.psql(`UPDATE messages SET ${later} WHERE channel_id = ${release} AND seq > ${last.seq} OR channel_id = ${named("support")} AND seq = 6`);

	const root = client(stack, { token: await stack.token("alice", ["read", "write", "files", "admin"]) });
	const ids = async (...logins) => {
		const { users } = ok(await root.get("/api/v1/users?limit=100"));
		return logins.map((l) => users.find((u) => u.handle === l).id);
	};
	for (const [handle, name, ...inside] of [
		["support-team", "Support", "dave", "grace", "bob"],
		["designers", "Designers", "erin", "carol"],
		["on-call", "On call this week", "frank"],
	])
		ok(await root.post("/api/v1/groups", { handle, name, members: await ids(...inside) }), 201);
	const context = await browser.newContext();
	const artist = await context.newPage();
	await artist.goto(`${stack.url}/sign-in`);
	for (const [name, hue] of [["harbour", 200], ["ship_it", 20], ["buoy", 350], ["lighthouse", 50], ["on_deck", 130]]) {
		const file = await uploaded(root, release, await picture(artist, 96, 96, "image/png", hue, false), { name: `${name}.png`, type: "image/png" });
		ok(await root.post("/api/v1/emoji", { name, file: file.id }), 201);
	}
	await context.close();
	ok(await who.bob.put("/api/v1/me/status", { emoji: ":ship_it:", text: "Shipping" }));
}

/** Groups, own emoji, quotes, forwarding, what newcomers see, @channel, threads. */
async function withMore(stack, browser, there, options, shot) {
	const { page, context } = await person(stack, browser, "alice", { ...options, path: `/c/${named("release-4")}` });
	const narrow = options.viewport.width < 900;
	await page.clock.setFixedTime(NOW);
	await live(page);
	const menu = async (item) => {
		if (narrow && !(await page.locator(".with-drawer").count())) await page.locator(".burger").click();
		await page.getByRole("button", { name: "Your menu" }).click();
		await page.getByRole("menuitem", { name: item }).click();
		await page.locator("dialog[open]").waitFor();
	};
	const closed = async () => {
		await page.keyboard.press("Escape");
		await page.locator("dialog[open], .menu").waitFor({ state: "detached" });
	};
	const pictured = () => page.waitForFunction(() => [...document.querySelectorAll("img.custom-emoji")].every((i) => i.complete && i.naturalWidth));
	await page.locator(".quote").waitFor();
	await pictured();
	await shot(page, "more-quoted");
	await page.locator(".msg").last().focus();
	await page.keyboard.press("q");
	await page.locator(".quote-bar").waitFor();
	await page.keyboard.type("And the date of the cut:");
	await shot(page, "more-quote");
	await page.locator("#composer").fill("");
	await page.locator("#composer").press("Escape");
	await page.locator(".quote-bar").waitFor({ state: "detached" });
	await page.locator(".msg").last().focus();
	await page.keyboard.press("f");
	await page.getByRole("combobox", { name: "Forward to" }).waitFor();
	await page.locator("dialog[open] [role=option]").nth(2).waitFor();
	await shot(page, "more-forward-to");
	await page.getByRole("combobox", { name: "Forward to" }).fill("support");
	await page.keyboard.press("Enter");
	await page.getByRole("textbox", { name: "Add a comment (optional)" }).fill("Fixed in the text, ready to be sent.");
	await shot(page, "more-forward");
	await closed();

	await page.goto(`${stack.url}/c/${named("release-4")}/t/7`);
	await page.locator(".panel .msg").nth(4).waitFor();
	await live(page);
	const write = setInterval(() => there.dave.send({ op: "typing", channel: named("release-4"), thread: 7 }), 1000);
	await page.locator(".panel .typing-text").waitFor();
	await page.locator(".panel textarea").fill("I shall ask them for its headers.");
	await shot(page, "more-thread");
	clearInterval(write);
	await page.goto(`${stack.url}/threads`);
	await page.locator(".thread-entry").first().waitFor();
	await shot(page, "more-threads");

	await page.goto(`${stack.url}/c/${named("support")}`);
	await page.locator(".forward").waitFor();
	await live(page);
	await shot(page, "more-forwarded");
	await page.goto(`${stack.url}/c/${named("general")}`);
	await live(page);
	await page.locator("#composer").click();
	await page.keyboard.type("The lifts stand still from noon on @chan");
	await page.getByRole("option", { name: /@channel/ }).waitFor();
	await shot(page, "more-call-names");
	await page.keyboard.press("Enter");
	await page.locator("#composer").press("Enter");
	await page.locator("dialog[open]").waitFor();
	await shot(page, "more-call");
	await page.locator("dialog[open]").getByRole("button", { name: "Cancel" }).click();
	await page.locator("#composer").fill("");
	await page.goto(`${stack.url}/c/${named("board")}`);
	await live(page);
	await page.getByRole("button", { name: "Channel menu" }).click();
	await page.getByRole("menuitem", { name: "Edit the channel…" }).click();
	await page.getByLabel("New members see").scrollIntoViewIfNeeded();
	await shot(page, "more-history");
	await closed();

	await menu("Groups…");
	await page.locator("dialog[open] li").nth(2).waitFor();
	await shot(page, "more-groups");
	await page.locator("dialog[open]").getByText("Support").first().click();
	await page.locator("dialog[open] .person").nth(2).waitFor();
	await shot(page, "more-group");
	await page.keyboard.press("Escape");
	await closed();
	await menu("Set a status…");
	await page.getByRole("button", { name: "Choose an emoji" }).click();
	await pictured();
	await shot(page, "more-status");
	await closed();
	await menu("Settings…");
	await page.getByRole("button", { name: "Emoji of this site: Show" }).click();
	await page.locator("dialog[open] [data-name=buoy]").waitFor();
	await pictured();
	await shot(page, "more-emoji");
	await context.close();
}

/** What is pinned, saved, reacted to and edited, and a link with a card. */
async function keepSome(stack, who) {
	const id = named("general");
	const path = (seq) => `/api/v1/channels/${id}/messages/${seq}`;
	for (const seq of [1, 6]) ok(await who.alice.put(`${path(seq)}/pin`));
	for (const seq of [3, 6]) ok(await who.alice.put(`${path(seq)}/saved`));
	ok(await who.alice.put(`/api/v1/channels/${named("release-4")}/messages/8/saved`));
	for (const [seq, emoji, ...by] of [
		[4, "👋", "bob", "alice", "dave", "heidi", "frank"],
		[4, "🎉", "grace", "erin"],
		[5, "❤️", "carol"],
	])
		for (const login of by) ok(await who[login].put(`${path(seq)}/reactions/${encodeURIComponent(emoji)}`));
	const third = (set) => stack.psql(`UPDATE messages SET ${set} WHERE channel_id = ${id} AND seq = 3`);
	await third("created_at = now()"); // else it is too late
	ok(await who.alice.patch(path(3), { body: { text: "Everything but the bench. It has its own room, its own heater and its own key." }, version: 1 }));
	await third(`created_at = '${at(2, "09:05").toISOString()}', edited_at = '${at(2, "09:07").toISOString()}'`);
	const preview = {
		url: "https://wiki.example.org/town-hall/november",
		host: "wiki.example.org",
		title: "Town hall, November: the agenda",
		site: "Harbour Works Wiki",
		description: "Numbers of the third quarter, the new crane, questions. Bring yours, or write them here before noon.",
	};
	const card = `jsonb_build_object('preview', '${JSON.stringify(preview)}'::jsonb)`;
	await stack.psql(`UPDATE messages SET body = body || ${card} WHERE channel_id = ${id} AND seq = 6`);
	const { url } = ok(await who.alice.post(`/api/v1/channels/${named("board")}/invites`, { max_uses: 5 }), 201);
	return url.slice(stack.url.length);
}

/** Search, what is kept, what a message said, pickers, dates, notifications, sections, links into a channel, a card of a link. */
async function withPanels(stack, browser, link, options, shot) {
	const id = named("general");
	const { page, context } = await person(stack, browser, "alice", { ...options, path: `/c/${id}` });
	await page.clock.setFixedTime(NOW);
	const narrow = options.viewport.width < 900;
	const closed = async () => {
		await page.keyboard.press("Escape");
		await page.locator("dialog[open], .menu").waitFor({ state: "detached" });
	};
	const side = async () => {
		if (narrow && !(await page.locator(".with-drawer").count())) await page.locator(".burger").click();
	};
	await page.reload();
	await live(page);
	await page.locator(".preview").waitFor();
	await shot(page, "panels-preview");
	const row = (seq) => page.locator(`.list .msg[data-seq="${seq}"]`);
	await row(4).focus();
	await page.keyboard.press("r");
	await page.locator("dialog[open] .emoji-cell").nth(30).waitFor();
	await shot(page, "panels-picker");
	await closed();
	await row(4).locator(".reaction").first().focus();
	await page.keyboard.press("i");
	await page.locator("dialog[open] .person").nth(4).waitFor();
	await shot(page, "panels-reacted");
	await closed();
	await row(3).locator(".msg-edited").click();
	await page.locator("dialog[open] .edits-list li").nth(1).waitFor();
	await shot(page, "panels-edits");
	await closed();
	for (const [item, name] of [
		["Jump to date…", "jump"],
		["Notifications…", "notifications"],
		["Move to section…", "move"],
		["Invite links…", "links"],
	]) {
		await page.getByRole("button", { name: "Channel menu" }).click();
		if (name === "jump") await shot(page, "panels-menu");
		await page.getByRole("menuitem", { name: item }).click();
		await page.locator("dialog[open]").waitFor();
		if (name === "links") {
			await page.locator("dialog[open] form button[type=submit]").click();
			await page.locator("#invite-link").waitFor();
			await page.locator("#invites-open").waitFor();
		}
		await shot(page, `panels-${name}`);
		await closed();
	}
	await side();
	await page.getByRole("button", { name: "Add a channel" }).click();
	await page.getByRole("menuitem", { name: "New section…" }).click();
	await page.locator("dialog[open] input[type=text]").fill("This week");
	await shot(page, "panels-section");
	await closed();

	await page.goto(`${stack.url}/c/${id}/pins`);
	await page.locator(".result").nth(1).waitFor();
	await shot(page, "panels-pins");
	await page.goto(`${stack.url}/saved`);
	await page.locator(".result").nth(2).waitFor();
	await shot(page, "panels-saved");
	await page.goto(`${stack.url}/c/${named("support")}/pins`);
	await page.getByText("Nothing is pinned here.").waitFor();
	await shot(page, "panels-no-pins");
	await page.goto(`${stack.url}/c/${id}/search`);
	await page.locator(".search-hints").waitFor();
	await shot(page, "panels-search-hints");
	await page.getByRole("combobox", { name: "Search messages" }).fill("from:");
	await page.locator(".search-choices [role=option]").nth(2).waitFor();
	await shot(page, "panels-search-filter");
	await page.getByRole("combobox", { name: "Search messages" }).fill("the bench");
	await page.locator(".result").nth(1).waitFor();
	await shot(page, "panels-search");
	await page.getByRole("combobox", { name: "Search messages" }).fill("walrus has:file");
	await page.getByText("Nothing found").waitFor();
	await shot(page, "panels-search-nothing");
	await context.close();

	const guest = await person(stack, browser, "carol", { ...options, path: link });
	await guest.page.getByRole("heading", { name: /You are looking at/ }).waitFor();
	await shot(guest.page, "panels-invited");
	await guest.context.close();
}

async function lookAround(stack, browser, there, link, size, viewport, theme) {
	const narrow = viewport.width < 900;
	const options = { viewport, colorScheme: theme, reducedMotion: "reduce", hasTouch: size === "phone" };
	const shot = (page, name) => take(page, `${size}-${theme}-${name}`);

	if (only?.startsWith("files")) return withFiles(stack, browser, options, shot);
	if (only?.startsWith("more")) return withMore(stack, browser, there, options, shot);
	if (only?.startsWith("panels")) return withPanels(stack, browser, link, options, shot);
	const stranger = await visitor(browser, options);
	await stranger.page.goto(`${stack.url}/sign-in`);
	await stranger.page.locator(".door-buttons a").first().waitFor();
	await shot(stranger.page, "sign-in");
	await stranger.context.close();

	const newcomer = await person(stack, browser, "newcomer", options);
	await newcomer.page.getByText("Join a channel or write to someone to begin.").waitFor();
	await shot(newcomer.page, "welcome");
	await newcomer.page.goto(`${stack.url}/c/${named("lunch")}`);
	await newcomer.page.getByRole("button", { name: "Join" }).waitFor();
	await shot(newcomer.page, "join");
	await newcomer.context.close();

	await withFiles(stack, browser, options, shot);
	await withMore(stack, browser, there, options, shot);
	await withPanels(stack, browser, link, options, shot);

	const { page, context } = await person(stack, browser, "alice", { ...options, path: `/c/${named("design")}` });
	await page.clock.setFixedTime(NOW);
	await live(page);
	await page.locator("#composer").fill(CHANNELS.find((c) => c.draft).draft);
	const open = async (path) => {
		await page.goto(stack.url + path);
		await page.locator(".msg, .person").first().waitFor();
		await live(page);
		await until(
			() => page.evaluate(() => [...document.querySelectorAll(".msg-name, .entry-name")].every((e) => e.innerText !== "Unknown person")),
			{
				what: "everyone's name",
			},
		);
	};
	const closed = async () => {
		await page.keyboard.press("Escape");
		await page.locator("dialog[open], .menu").waitFor({ state: "detached" });
	};
	await open(`/c/${named("release-4")}`);
	await page.locator(".side .dot-online").nth(1).waitFor({ state: "attached" });
	const write = setInterval(() => ["bob", "erin"].forEach((l) => there[l].send({ op: "typing", channel: named("release-4") })), 1000);
	await page.locator(".typing-text", { hasText: "Erin" }).waitFor();
	await shot(page, "channel");
	await page.locator(".msg-name", { hasText: "Carol" }).last().click();
	await page.locator(".card dd").nth(1).waitFor();
	await shot(page, "card");
	await page.keyboard.press("Escape");
	clearInterval(write);
	if (narrow) {
		await page.locator(".burger").click();
		await shot(page, "drawer");
		await page.keyboard.press("Escape");
	}
	await page.keyboard.press("Control+k");
	await page.locator("dialog[open] [role=option]").nth(4).waitFor();
	await shot(page, "switcher");
	await closed();
	if (narrow) await page.locator(".burger").click();
	await page.getByRole("button", { name: "Your menu" }).click();
	await shot(page, "menu");
	await page.getByRole("menuitem", { name: "Set a status…" }).click();
	await page.locator("dialog[open] .ideas").waitFor();
	await shot(page, "status");
	await closed();
	if (narrow && !(await page.locator(".with-drawer").count())) await page.locator(".burger").click();
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Settings…" }).click();
	await page.locator("dialog[open] [role=switch]").first().waitFor();
	await shot(page, "settings");
	await closed();
	await open(`/c/${named("release-4")}/members`);
	await page.locator(".person").nth(5).waitFor();
	await shot(page, "members");
	await open(`/c/${direct("carol")}`);
	await shot(page, "direct");
	await open(`/c/${named("general")}`);
	if (narrow) await page.locator(".burger").click();
	await page.getByRole("button", { name: "Add a channel" }).click();
	await page.getByRole("menuitem", { name: "Browse channels" }).click();
	await page.locator("dialog[open] [role=option]").nth(1).waitFor();
	await shot(page, "browse");
	await page.getByRole("button", { name: "Create a channel" }).click();
	await page.locator("dialog[open] form").waitFor();
	await shot(page, "create");
	await closed();
	await context.setOffline(true);
	await page.locator("#composer").fill("Written on the train, sent when there is a network again.");
	await page.locator("#composer").press("Enter");
	await page.getByText("You are offline").waitFor();
	await shot(page, "offline");
	await context.close();
}

mkdirSync(OUT, { recursive: true });
const stack = await startStack({ realtime: 2, conf: { "site.name": "Harbour Works" } });
const browser = await launch();
try {
	const who = await fill(stack);
	const there = await arrive(who);
	await sendFiles(stack, browser);
	await connect(stack, who, browser);
	const link = await keepSome(stack, who);
	for (const [size, viewport] of Object.entries({ desktop: DESKTOP, tablet: TABLET, phone: PHONE }))
		for (const theme of ["light", "dark"]) await lookAround(stack, browser, there, link, size, viewport, theme);
	if (!only) copyFileSync(join(OUT, "desktop-light-channel.png"), join(ROOT, "doc/screenshot.png"));
} finally {
	await browser.close();
	await stack.stop();
}
