// TX-2: names with marks that turn the direction of writing, closed or left open, stand on every screen, and in the tab's title, labels and
// placeholders: what stands beside them runs as it did. So does what follows a text that holds them. Nothing is left open anywhere but in a text.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bot, client } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, me, ok, send } from "../api/help.mjs";
import { sendFiles, uploaded } from "../files/uploads.mjs";
import { becomes, ends, launch, live, person, seen } from "./help.mjs";

const TURNS = "\u202e\u2067\u202b\u2066"; // an override, an embedding and isolates, none of them closed
const NAME = `${TURNS}gnp.exe`;
const RIGHT = "חדר 7"; // an honest name

let stack, browser, api, bob, alice, page, ids, crew;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	api = client(stack, { token: await stack.token("alice", ["read", "write", "admin"]) });
	bob = await bot(stack, "bob");
	bob.id = (await me(bob)).id;
	ids = {
		odd: (await makeChannel(api, { name: `odd${NAME}`, topic: `topic${TURNS}`, members: [bob.id] })).id,
		right: (await makeChannel(api, { name: RIGHT, kind: "private", members: [bob.id] })).id,
		other: (await makeChannel(bob, { name: `other${NAME}`, topic: `else${TURNS}` })).id,
	};
	// People's names are cleaned when they are given; those of bots, and what was stored otherwise, are as they are.
	const turns = [...TURNS].map((c) => `chr(${c.charCodeAt(0)})`).join(" || ");
	await stack.psql(`UPDATE users SET name = 'Bob ' || ${turns} || 'gnp.exe' WHERE handle = 'bob'`);
	ok(await bob.put("/api/v1/me/status", { emoji: "🎧", text: `busy${TURNS}` }));
	crew = ok(await api.post("/api/v1/groups", { handle: "crew", name: `Crew${NAME}`, members: [bob.id] }), 201);
	ok(await api.put("/api/v1/me/status", { emoji: "🎧", text: `here${TURNS}` }));
	const [favourites, ...usual] = ok(await api.get("/api/v1/me/sidebar")).sections;
	const own = { kind: "own", id: crypto.randomUUID(), name: `Mine${NAME}`, collapsed: false };
	ok(await api.put("/api/v1/me/sidebar", { sections: [favourites, own, ...usual], version: 0 }));
	for (const id of [ids.odd, ids.right]) {
		ok(await send(bob, id, `turned${TURNS} to the end`), 201);
		ok(await send(bob, id, `again \u202e${TURNS}`), 201);
		ok(await send(bob, id, "a quiet neighbour"), 201);
	}
	alice = await person(stack, browser, "alice", { path: `/c/${ids.odd}`, reducedMotion: "reduce" });
	page = alice.page;
	await live(page);
	await seen(page, "a quiet neighbour");
});
after(() => ends(stack, browser, alice));

/**
 * In the page: what the marks have reached. Plain words that do not run from left to right, each letter behind the one before; and titles, labels and
 * placeholders in which something is left open, or closed that is not its own.
 */
const reached = () =>
	page.evaluate(() => {
		const MARKS = /[\u202a-\u202e\u2066-\u2069]/;
		const bad = [];
		const open = (text) => {
			const stack = [];
			for (const c of text) {
				if (/[\u202a\u202b\u202d\u202e]/.test(c)) stack.push("e");
				else if (/[\u2066-\u2068]/.test(c)) stack.push("i");
				else if (c === "\u202c" && stack.at(-1) === "e") stack.pop();
				else if (c === "\u2069") {
					const at = stack.lastIndexOf("i");
					if (at < 0) return true;
					stack.length = at;
				}
			}
			return stack.length > 0;
		};
		const OWN = ".msg-text, .quote-text, .result-text, .thread-entry-said, .report-body, .report-words, .sanction-why"; // what a person wrote
		const show = (text) => text.replace(/[^ -~]/g, (c) => `<${c.charCodeAt(0).toString(16)}>`);
		if (open(document.title)) bad.push(`title: ${show(document.title)}`);
		for (const e of document.querySelectorAll("[title], [aria-label], [placeholder]"))
			for (const name of ["title", "aria-label", "placeholder"])
				if (open(e.getAttribute(name) ?? "")) bad.push(`${name} of ${e.className}: ${show(e.getAttribute(name))}`);
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		let words = 0;
		for (let node; (node = walk.nextNode()); ) {
			const text = node.data;
			const own = node.parentElement.closest(OWN);
			// A name in a text is not of who wrote it.
			if (open(text) && (!own || node.parentElement.closest(".mention")) && node.parentElement.checkVisibility())
				bad.push(`text in ${node.parentElement.className || node.parentElement.localName}: ${show(text)}`);
			if (!/^[ -~]*[a-z]{2}[ -~]*$/i.test(text) || !node.parentElement.checkVisibility()) continue;
			if (MARKS.test(own?.textContent ?? "")) continue; // its own
			const range = document.createRange();
			const box = (i) => (range.setStart(node, i), range.setEnd(node, i + 1), range.getBoundingClientRect());
			words++;
			for (let i = 1, before = box(0); i < text.length; i++) {
				const now = box(i);
				if (now.width && before.width && Math.abs(now.top - before.top) < 3 && now.left < before.left - 0.5) {
					bad.push(`${node.parentElement.className}: ${text.slice(0, 60)}`);
					break;
				}
				if (now.width) before = now;
			}
		}
		return { bad, words };
	});
async function unmoved(where) {
	const { bad, words } = await reached();
	assert.ok(words > 10, `${where}: ${words} texts were looked at`);
	assert.deepEqual(bad, [], where);
}
/** Of two elements on one line: the first stands before the second. */
const before2 = async (row, a, b) => {
	const [x, y] = [await row.locator(a).first().boundingBox(), await row.locator(b).first().boundingBox()];
	assert.ok(x.x + x.width <= y.x + 1, `${a} stands before ${b}`);
};
const shut = async () => {
	await page.keyboard.press("Escape");
	await page.locator("dialog[open]").waitFor({ state: "detached" });
};

test("the channel: title of the tab, header, side bar, rows, composer; the message behind a text that is left open", async () => {
	await becomes(async () => (await page.title()).includes("– "), true);
	await unmoved("the channel");
	const row = page.locator(".msg").filter({ has: page.locator(".msg-name") }).first();
	await before2(row, ".msg-name", "time");
	assert.match(await page.title(), /^(\(\d+\) )?#oddgnp\.exe – /);
	await page.goto(`${stack.url}/c/${ids.right}`);
	await live(page);
	await seen(page, "a quiet neighbour");
	await becomes(async () => (await page.title()).replace(/^\(\d+\) /, "").split(" – ")[0], `#\u2068${RIGHT}\u2069`);
	await becomes(() => page.locator("#composer").getAttribute("placeholder"), `Message #\u2068${RIGHT}\u2069`);
	await unmoved("the channel with a name from the right");
	await page.goto(`${stack.url}/c/${ids.odd}`);
	await live(page);
	await seen(page, "a quiet neighbour");
});

test("typing, mentions, quotes, members, threads", async () => {
	const { page: other, context, faults } = await person(stack, browser, "bob", { path: `/c/${ids.odd}` });
	await live(other);
	await other.locator("#composer").pressSequentially("abc");
	await page.locator(".typing-text", { hasText: "is typing" }).waitFor();
	await unmoved("typing");
	await context.close();
	assert.deepEqual(faults, []);
	ok(await api.post(`/api/v1/channels/${ids.odd}/messages`, {
		client_id: crypto.randomUUID(),
		body: { text: "hello @bob and @crew, all of you", mentions: [bob.id, `group:${crew.id}`] },
	}), 201);
	await page.locator(".msg .mention").filter({ hasText: "Crew" }).waitFor();
	await unmoved("a mention");
	await page.locator('.msg[data-seq="3"]').hover();
	await page.locator('.msg[data-seq="3"]').getByRole("button", { name: "More", exact: true }).click();
	await page.getByRole("menuitem", { name: "Reply with a quote" }).click();
	await page.locator(".quote-bar").waitFor();
	await unmoved("a quote that is written");
	await page.locator("#composer").fill("as he says");
	await page.locator("#composer").press("Enter");
	await page.locator(".msg .quote").waitFor();
	await unmoved("a quote");
	await page.locator("#composer").fill("");
	await page.locator("#composer").pressSequentially("@");
	await page.getByRole("option", { name: /Bob/ }).waitFor();
	await unmoved("completion");
	await page.keyboard.press("Escape");
	await page.locator("#composer").fill("");
	await page.getByRole("button", { name: /members/i }).first().click();
	await page.locator(".panel .person-name").first().waitFor();
	await unmoved("members");
});

test("dialogs that name a channel, a person or a group", async () => {
	const item = async (name, where) => {
		await page.getByRole("button", { name: "Channel menu" }).click();
		await unmoved("the menu");
		await page.getByRole("menuitem", { name }).click();
		await page.locator("dialog[open]").waitFor();
		await unmoved(where);
		await shut();
	};
	await item("Edit the channel…", "editing the channel");
	await item("Leave channel…", "leaving");
	await item("Move to section…", "moving");
	await item(/add .*person|invite/i, "inviting");
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Groups…" }).click();
	await page.getByRole("dialog").getByText("@crew").waitFor();
	await unmoved("groups");
	await page.getByRole("button", { name: /^Open Crew/ }).click();
	await page.locator("dialog[open] .person-name").first().waitFor();
	await unmoved("a group");
	await page.getByRole("button", { name: "Delete group" }).click();
	await page.getByRole("dialog", { name: /^Delete .*Crew/ }).waitFor();
	await unmoved("deleting a group");
	await page.keyboard.press("Escape");
	await page.getByRole("dialog", { name: /^Delete .*Crew/ }).waitFor({ state: "detached" });
	await shut();
	await page.locator('.msg[data-seq="1"] .msg-name, .msg .msg-name').first().click();
	await page.locator(".card[role=dialog]").waitFor();
	await unmoved("a card");
	await page.keyboard.press("Escape");
	await page.keyboard.press("Control+k");
	await page.getByRole("combobox").fill("odd");
	await page.getByRole("option").first().waitFor();
	await unmoved("the switcher");
	assert.ok((await page.getByRole("option", { name: /oddgnp/ }).count()) > 0, "found by what it shows");
	await shut();
});

/** At an address, when that is there. */
const at = async (path, there) => {
	await page.goto(stack.url + path);
	await live(page);
	await page.locator(there).first().waitFor();
};

test("one's own menu and status, sections, browsing, joining, forwarding, the search", async () => {
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.locator(".menu-status").waitFor();
	await unmoved("one's own menu");
	await page.getByRole("menuitem", { name: "Settings…" }).click();
	await page.locator("dialog[open] [role=switch]").first().waitFor();
	await unmoved("the settings");
	await shut();
	const section = page.locator("nav.side").getByRole("button", { name: /^Section Mine/ });
	await section.click();
	await unmoved("the menu of a section");
	await page.getByRole("menuitem", { name: "Delete section" }).click();
	await page.getByRole("dialog", { name: /^Delete section/ }).waitFor();
	await unmoved("deleting a section");
	await shut();
	await page.getByRole("button", { name: "Add a channel" }).click();
	await page.getByRole("menuitem", { name: "Browse channels" }).click();
	await page.getByRole("option", { name: /other/ }).waitFor();
	await unmoved("browsing");
	await shut();
	await at(`/c/${ids.other}`, ".blank h2");
	await unmoved("a channel that one may join");
	await at(`/c/${ids.odd}`, '.msg[data-seq="3"]');
	await page.locator('.msg[data-seq="3"]').focus();
	await page.keyboard.press("f");
	await page.locator("dialog[open] [role=option]").first().waitFor();
	await unmoved("where to forward to");
	await page.getByRole("combobox", { name: "Forward to" }).fill("odd");
	await page.keyboard.press("Enter");
	await page.getByRole("textbox", { name: "Add a comment (optional)" }).waitFor();
	await unmoved("forwarding");
	await page.getByRole("button", { name: "Forward", exact: true }).click();
	await page.locator(".toast").waitFor();
	await page.locator(".msg .forward").waitFor();
	await unmoved("what was forwarded, and that it was");
	await at(`/c/${ids.odd}/search?q=neighbour`, ".result");
	await unmoved("what was found");
	for (const [filter, option] of [["from:bo", /Bob/], ["in:odd", /odd/]]) {
		await page.getByRole("combobox", { name: "Search messages" }).fill(filter);
		await page.locator(".search-choices").getByRole("option", { name: option }).waitFor();
		await unmoved(`the choices of ${filter}`);
	}
	await page.keyboard.press("Control+k");
	await page.locator("dialog[open]").getByRole("combobox").fill(`x${TURNS}`);
	await page.getByText("Search messages for").waitFor();
	await unmoved("words that are to be searched for");
	await shut();
});

test("threads, pins, what is saved, files, reactions, what a message said", async () => {
	const path = `/api/v1/channels/${ids.odd}/messages`;
	const reply = { client_id: crypto.randomUUID(), thread: 1, body: { text: "a reply" } };
	ok(await bob.post(path, reply), 201);
	ok(await api.post(path, { ...reply, client_id: crypto.randomUUID() }), 201);
	const files = await bot(stack, "bob", ["read", "write", "files"]);
	const file = await uploaded(files, ids.odd, Buffer.from("x"), { name: "plan.pdf", type: "application/pdf" });
	await sendFiles(files, ids.odd, [file.id], "a plan");
	ok(await api.put(`${path}/3/pin`));
	ok(await api.put(`${path}/3/saved`));
	ok(await bob.put(`${path}/3/reactions/${encodeURIComponent("🎉")}`));
	await at(`/c/${ids.odd}/t/1`, ".panel .msg");
	await unmoved("a thread");
	await at("/threads", ".thread-entry");
	await unmoved("the threads");
	await at(`/c/${ids.odd}/pins`, ".result");
	await unmoved("pins");
	await at("/saved", ".result");
	await unmoved("what is saved");
	await at(`/c/${ids.odd}/files`, ".file-row");
	await unmoved("files");
	await page.locator('.list .msg[data-seq="3"] .reaction').first().focus();
	await page.keyboard.press("i");
	await page.locator("dialog[open] .person").first().waitFor();
	await unmoved("who reacted");
	await shut();
});

test("reports, mutes, the administration, tokens", async () => {
	ok(await api.post(`/api/v1/channels/${ids.odd}/messages/1/reports`, { reason: "spam", text: `words${TURNS}` }), 201);
	ok(await api.put(`/api/v1/channels/${ids.odd}/members/${bob.id}/mute`, { until: null, reason: `why${TURNS}` }), 204);
	ok(await api.patch(`/api/v1/channels/${ids.odd}`, { topic: `again${TURNS}` }));
	await at(`/c/${ids.odd}`, '.msg[data-seq="3"]');
	const item = async (name, there) => {
		await page.getByRole("button", { name: "Channel menu" }).click();
		await page.getByRole("menuitem", { name }).click();
		await page.locator(`dialog[open] ${there}`).first().waitFor();
		await unmoved(name);
		await shut();
	};
	await item("Mutes and bans…", ".sanction-why");
	await item("Reports…", ".report");
	await item("Notifications…", "input");
	await item("Invite links…", "form");
	for (const [tab, there] of [["people", ".person-name"], ["reports", ".report"], ["channels", ".admin-row"], ["audit", ".audit-details"]]) {
		await at(`/admin/${tab}`, `.admin ${there}`);
		await unmoved(`the administration's ${tab}`);
	}
	await stack.psql(`UPDATE sessions SET name = 'tool' || chr(8238) WHERE kind = 'token' AND user_id = (SELECT id FROM users WHERE handle = 'alice')`);
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Settings…" }).click();
	await page.getByRole("button", { name: /token/i }).click();
	await page.locator("dialog[open] .access .setting-label").first().waitFor();
	await unmoved("tokens");
	await shut();
});
