// TM-1: a page in Rome that is open over a midnight, over the change of its clocks and over the next midnight, in autumn and in spring. Each
// message stands below the line of its own local day, with the time on the wall, and "today" moves on by itself.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { makeChannel, ok, send } from "../api/help.mjs";
import { becomes, launch, live, person, seen } from "./help.mjs";

let stack, browser, alice;
before(async () => {
	stack = await startStack({ realtime: 1 });
	browser = await launch();
	// The clock by which the server dates messages.
	await stack.psql(`
		CREATE TABLE night (at timestamptz NOT NULL);
		INSERT INTO night VALUES (now());
		GRANT SELECT ON night TO PUBLIC;
		DO $$
		DECLARE
			was text := pg_get_functiondef('write_batch'::regproc);
			here text := replace(was, $q$now_at := date_trunc('milliseconds', clock_timestamp())$q$, 'now_at := (SELECT at FROM night)');
		BEGIN
			ASSERT here <> was;
			EXECUTE here;
		END $$`);
	alice = client(stack, { token: await stack.token("alice", ["read", "write"]) });
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

/** What the list shows: day lines as they are called, messages as "time text". */
const shown = (page) =>
	page.evaluate(() =>
		[...document.querySelectorAll(".list .divider:not(.divider-new), .list .msg[data-seq]")].map((e) => {
			const part = (name) => e.querySelector(name).innerText;
			return e.matches(".divider") ? e.innerText : `${part(".msg-time").replace(/^0(?=\d)/, "")} ${part(".msg-text")}`;
		}),
	);

const NIGHTS = [
	{
		name: "autumn, when an hour comes twice",
		opened: "2026-10-24T21:55:00Z", // 23:55
		eve: "Saturday 24 October",
		said: [
			["before midnight", "2026-10-24T21:50:00Z", "23:50"],
			["after midnight", "2026-10-24T22:02:00Z", "00:02"],
			["in the first of the two", "2026-10-25T00:58:00Z", "02:58"],
			["in the second of the two", "2026-10-25T01:02:00Z", "02:02"],
			["before the next midnight", "2026-10-25T22:58:00Z", "23:58"],
			["after the next midnight", "2026-10-25T23:02:00Z", "00:02"],
		],
	},
	{
		name: "spring, when an hour is missing",
		opened: "2026-03-28T22:55:00Z", // 23:55
		eve: "Saturday 28 March",
		said: [
			["before midnight", "2026-03-28T22:50:00Z", "23:50"],
			["after midnight", "2026-03-28T23:02:00Z", "00:02"],
			["before the hour that is not", "2026-03-29T00:58:00Z", "01:58"],
			["after it", "2026-03-29T01:02:00Z", "03:02"],
			["before the next midnight", "2026-03-29T21:58:00Z", "23:58"],
			["after the next midnight", "2026-03-29T22:02:00Z", "00:02"],
		],
	},
];

for (const { name, opened, eve, said } of NIGHTS)
	test(`TM-1 a page open over the night of the change in ${name}`, async () => {
		const { id } = await makeChannel(alice, { name: `night ${opened.slice(0, 10)}` });
		const who = await person(stack, browser, "alice", { timezoneId: "Europe/Rome" });
		const { page, context } = who;
		const say = async ([text, at]) => {
			await stack.psql(`UPDATE night SET at = '${at}'`);
			ok(await send(alice, id, text), 201);
		};
		await say(said[0]);
		await page.clock.install({ time: new Date(opened) });
		await page.goto(`${stack.url}/c/${id}`);
		await live(page);
		await seen(page, said[0][0]);
		await page.evaluate(() => (window.same = true));
		const lines = said.map(([text, , time]) => `${time.replace(/^0(?=\d)/, "")} ${text}`);
		const to = async (at) => page.clock.runFor(new Date(at) - (await page.evaluate(() => Date.now())));
		const far = async (at) => page.clock.fastForward(new Date(at) - (await page.evaluate(() => Date.now())));
		await becomes(() => shown(page), ["Today", lines[0]], "before midnight");

		await to(said[1][1]);
		await becomes(() => shown(page), ["Yesterday", lines[0]], "midnight has come, and nothing else");
		await say(said[1]);
		await becomes(() => shown(page), ["Yesterday", lines[0], "Today", lines[1]], "after midnight");

		await far(said[2][1]);
		await live(page);
		await say(said[2]);
		await seen(page, said[2][0]);
		await to(said[3][1]);
		await say(said[3]);
		await becomes(() => shown(page), ["Yesterday", lines[0], "Today", ...lines.slice(1, 4)], "the change");

		await far(said[4][1]);
		await live(page);
		await say(said[4]);
		await becomes(() => shown(page), ["Yesterday", lines[0], "Today", ...lines.slice(1, 5)], "before the next midnight");
		await to(said[5][1]);
		await becomes(() => shown(page), [eve, lines[0], "Yesterday", ...lines.slice(1, 5)], "the next midnight");
		await say(said[5]);
		const all = [eve, lines[0], "Yesterday", ...lines.slice(1, 5), "Today", lines[5]];
		await becomes(() => shown(page), all, "after the next midnight");
		assert.equal(await page.evaluate(() => window.same), true, "it is the same page");
		await page.reload();
		await becomes(() => shown(page), all, "after a reload");
		assert.deepEqual(who.faults, []);
		await context.close();
	});
