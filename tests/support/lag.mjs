// lag: what is promised within a time, held on a machine that has other things to do. The system tells how long each thread was ready and
// waited for a processor: that, of our programs and of this one, is what the machine was late by, and nothing else is allowed for. On a quiet
// machine it is next to nothing; a program that sleeps, or that computes for long, is late by itself.
//
//   const p = await within(1000, stack, () => parked, "the poll is answered")
//   await within(1000, stack, () => Promise.all([lastOf(closed), said()]), "they end", ([last, said]) => last - said)

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";

const lines = (path) => {
	try {
		return readFileSync(path, "utf8").trim().split(/\s+/);
	} catch {
		return []; // it has ended meanwhile
	}
};
const threads = (pid) => {
	try {
		return readdirSync(`/proc/${pid}/task`);
	} catch {
		return [];
	}
};

/** For how long each thread has waited for a processor so far, in ms; "steal": for how long the host of a virtual machine took that away. */
function waits(stack) {
	const all = new Map([["steal", (Number(lines("/proc/stat")[8]) * 10) / availableParallelism()]]);
	const note = (pid, thread) => all.set(thread, Number(lines(`/proc/${pid}/task/${thread}/schedstat`)[1] ?? 0) / 1e6);
	note(process.pid, `${process.pid}`);
	const pids = Object.values(stack.pids).filter(Boolean);
	for (const pid of pids)
		for (const thread of threads(pid)) {
			note(pid, thread);
			pids.push(...lines(`/proc/${pid}/task/${thread}/children`).filter(Boolean)); // PostgreSQL's
		}
	return all;
}

/**
 * Does it, within that time; what it answers. span: how long what is promised took, in ms, of that answer, where it is less than all that
 * is done: what is said by a command, say, is promised from the time on that the database has of it.
 */
export async function within(limit, stack, act, what = "it", span = undefined) {
	const before = waits(stack), began = performance.now();
	const value = await act();
	const whole = performance.now() - began, ms = span ? await span(value) : whole;
	let late = 0;
	for (const [thread, n] of waits(stack)) late += n - (before.get(thread) ?? 0);
	const [took, lag] = [ms, late].map(Math.round);
	assert.ok(took < limit + lag, `${what}: ${took} ms, where ${limit} are promised and our programs waited for a processor for ${lag} ms`);
	return value;
}

/** A time that the database has, in ms as Date.now(), behind a statement that is done first: timeOf(stack, "revoked_at", "from sessions where id = 3"). */
export async function timeOf(stack, what, where = "", first = "") {
	const rows = await stack.psql(`${first}; select extract(epoch from ${what}) * 1000 ${where}`);
	return Number(rows.trim().split("\n").at(-1));
}

/** When the last of them came. The clock is this machine's, and so the database's. */
export const lastOf = (promises) => Promise.all(promises.map((p) => p.then(() => Date.now()))).then((times) => Math.max(...times));
