// scroll: a channel of many messages of all kinds, with pictures, and what it costs the page to scroll through them.
//
//   await fill(stack, alice, channel, 10000);      // alice: a client with the scopes read, write and files
//   const { longest, top } = await tasks(browser, page, async () => { … });   ms of processor time of the page's longest task; the next ones
//   await scrollUp(page) / await scrollDown(page)  // from end to end, as by a wheel that is turned fast

import { ok } from "../api/help.mjs";
import { png, sendFiles, uploaded } from "../files/uploads.mjs";
import { until } from "../support/stack.mjs";

const PICTURES = 24;

/** In SQL, of i: what a team writes. Every fifth one has a picture. */
const TEXTS = `ARRAY[
	'Message ' || i || ', a plain one of one line',
	'**Build ' || i || '** is done: see https://ci.example.org/run/' || i
		|| E'\\n- tests: *passed*\\n- lint: ~~failed~~ passed\\n- image: \`app:' || i || '\`',
	repeat('Some words of message ' || i || ', ', 1 + i % 12),
	E'\`\`\`js\\nfunction step' || i || E'(list) {\\n\\treturn list.map((x) => x * ' || i || E');\\n}\\n\`\`\`\\nWhat do you think?',
	'> ' || repeat('What was said in ' || i || ' ', 3) || E'\\n\\nYes, _exactly_.',
	'🎉', 'ok', 'العربية ' || i || ' ไทย 日本語',
	E'1. first\\n2. second\\n   - with [a link](https://example.org/' || i || E')\\n3. third',
	'See ' || repeat('x', 200) || ' and <b>' || i || '</b>'
]`;

export async function fill(stack, api, channel, n) {
	const sizes = Array.from({ length: PICTURES }, (_, i) => [320 + 40 * i, 900 - 30 * i]);
	for (const [i, [width, height]] of sizes.entries()) {
		const up = await uploaded(api, channel, png(width, height), { name: `p${i}.png`, type: "image/png", width, height });
		ok(await sendFiles(api, channel, [up], `picture ${i}`), 201);
	}
	await stack.psql(`
INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body)
SELECT ${channel}, i, (SELECT id FROM users WHERE handle = (ARRAY['alice', 'bob', 'carol'])[1 + (i / 3) % 3]), gen_random_uuid(),
	date_trunc('milliseconds', now() - (${n} - i) * interval '97 seconds'),
	jsonb_build_object('text', (${TEXTS})[1 + i % 10])
		|| CASE WHEN i % 5 = 0 THEN jsonb_build_object('files', p.body->'files') ELSE '{}'::jsonb END
FROM generate_series(${PICTURES + 1}, ${n}) i
JOIN messages p ON p.channel_id = ${channel} AND p.seq = 1 + i % ${PICTURES};
UPDATE members SET last_read_seq = ${n}, counted_seq = ${n} WHERE channel_id = ${channel};`);
}

/**
 * The page's tasks while something is done. Processor time: a busy machine makes no task longer. On virtual machines that clock was seen to run
 * up to twice as fast as the wall's, and no task takes more than it lasts: so the lesser of the two.
 */
export async function tasks(browser, page, act) {
	// The tasks and no more: what tells what is in them costs time itself.
	await browser.startTracing(page, { categories: ["toplevel"] });
	try {
		await act();
	} finally {
		var trace = await browser.stopTracing();
	}
	const events = JSON.parse(trace.toString()).traceEvents;
	const main = new Set(events.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map((e) => `${e.pid}/${e.tid}`));
	const found = events
		.filter((e) => e.ph === "X" && /RunTask$/.test(e.name) && e.tdur !== undefined && main.has(`${e.pid}/${e.tid}`))
		.map((e) => Math.min(e.tdur, e.dur) / 1000)
		.sort((a, b) => b - a);
	if (found.length < 20) throw new Error(`the trace has ${found.length} tasks of the page`);
	return { longest: found[0], top: found.slice(0, 8).map((ms) => Math.round(ms)) };
}

const travel = (page, by, end, ms) =>
	page.evaluate(
		async ([by, end, ms]) => {
			const list = document.querySelector(".list");
			const frame = () => new Promise((ok) => requestAnimationFrame(ok));
			const over = performance.now() + ms;
			for (let still = 0; still < 20; ) {
				if (performance.now() > over) throw new Error("the end does not come");
				const before = list.scrollTop;
				list.scrollTop += by;
				await frame();
				const there = list.scrollTop === before && (!end || document.querySelector(end));
				still = there ? still + 1 : 0;
			}
		},
		[by, end, ms],
	);

export const scrollUp = (page, ms = 240000) => travel(page, -700, ".start", ms);
export const scrollDown = (page, ms = 240000) => travel(page, 900, "", ms);

/** Waits until the newest message stands on the screen. */
export const atEnd = (page, n) => until(() => page.evaluate((n) => document.querySelector(`.msg[data-seq="${n}"]`) !== null, n), { what: `message ${n}` });
