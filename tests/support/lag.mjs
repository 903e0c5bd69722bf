// lag: what is promised within a time, held on a machine that has other things to do. Beside what is measured, a way of the same kind that
// is known to be at once (a question to the same programs) is gone again and again. The longest of these goes is what the machine was
// late by at that moment, and nothing else is allowed for: what is late by a fault of ours is late by itself, and the questions are not.
//
//   const ends = await within(1000, asking(bob, "realtime1", "realtime2"), () => Promise.all(closed), "the streams end")
//   const { value, ms, lag } = await beside(ask, act)
//   await within(1000, ask, () => Promise.all([lastOf(closed), said()]), "they end", ([last, said]) => last - said)
//
// A question goes by no bus and reads no log, so it wakes nobody up who was forgotten.

import assert from "node:assert/strict";
import { fcgiRequest } from "./fastcgi.mjs";
import { exchange } from "./http.mjs";
import { sleep } from "./until.mjs";

/** Does it; what it took, and the longest that a question took which was under way meanwhile. */
export async function beside(ask, act) {
	let over = false, lag = 0;
	const asked = (async () => {
		do {
			const began = performance.now();
			await ask();
			lag = Math.max(lag, performance.now() - began);
			if (!over) await sleep(20);
		} while (!over);
	})();
	asked.catch(() => {}); // told below
	const began = performance.now();
	let ms;
	const value = await act().finally(() => {
		ms = performance.now() - began;
		over = true;
	});
	await asked;
	return { value, ms: Math.round(ms), lag: Math.round(lag) };
}

/**
 * Does it, within that time; what it answers. span: how long what is promised took, in ms, of that answer, where it is less than all that
 * is done: what is said by a command, say, is promised from the time on that the database has of it.
 */
export async function within(limit, ask, act, what = "it", span = undefined) {
	const { value, ms, lag } = await beside(ask, act);
	const took = span ? Math.round(await span(value)) : ms;
	assert.ok(took < limit + lag, `${what}: ${took} ms, where ${limit} are promised and a question took ${lag} ms at the same time`);
	return value;
}

/** A time that the database has, in ms as Date.now(), behind a statement that is done first: timeOf(stack, "revoked_at", "from sessions where id = 3"). */
export async function timeOf(stack, what, where = "", first = "") {
	const rows = await stack.psql(`${first}; select extract(epoch from ${what}) * 1000 ${where}`);
	return Number(rows.trim().split("\n").at(-1));
}

/** When the last of them came. The clock is this machine's, and so the database's. */
export const lastOf = (promises) => Promise.all(promises.map((p) => p.then(() => Date.now()))).then((times) => Math.max(...times));

/** A question by him through the web server to the API and the database, then to each of these processes. */
export const asking = (who, ...names) => async () => {
	assert.equal((await who.get("/api/v1/me")).status, 200);
	await askingEach(who.stack, ...names)();
};

/** A question to each of these processes past the web server, which looks at nobody's session. */
export const askingEach = (stack, ...names) => async () => {
	for (const answer of await Promise.all(names.map((name) => health(stack, name)))) assert.equal(answer.status, 200, answer.text);
};

function health(stack, name) {
	const socketPath = stack.socket(name);
	return name.startsWith("api") ? fcgiRequest(socketPath, { path: "/healthz" }) : exchange(`${stack.url}/healthz`, { socketPath });
}
