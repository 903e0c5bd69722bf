// lag: what is promised within a time, held on a machine that has other things to do. The system tells how long each thread was ready and
// waited for a processor: that, of our programs and of this one, is what the machine was late by, and nothing else is allowed for. What is
// promised goes from program to program, and within each of them by one thread at a time: so the longest wait of any thread of a program
// counts (of PostgreSQL's processes the two longest), one program's after another's, however many more threads waited beside it. Programs of
// one name and another number (api1, api2) do the same at the same time. On a quiet machine it is next to nothing; a program that sleeps, or
// that computes for long, is late by itself.
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

/**
 * For how long each thread of each program has waited for a processor so far, in ms: a Map of Maps. "steal": for how long the host of a
 * virtual machine took that away from all of them.
 */
function waits(stack) {
	const all = new Map([["steal", new Map([["", (Number(lines("/proc/stat")[8]) * 10) / availableParallelism()]])]]);
	const note = (program, pid, thread) => {
		if (!all.has(program)) all.set(program, new Map());
		all.get(program).set(thread, Number(lines(`/proc/${pid}/task/${thread}/schedstat`)[1] ?? 0) / 1e6);
	};
	note("this one", process.pid, `${process.pid}`);
	for (const [name, first] of Object.entries(stack.pids)) {
		const pids = [first].filter(Boolean);
		for (const pid of pids)
			for (const thread of threads(pid)) {
				note(name.replace(/\d+$/, ""), pid, thread);
				pids.push(...lines(`/proc/${pid}/task/${thread}/children`).filter(Boolean)); // PostgreSQL's
			}
	}
	return all;
}

/** Of PostgreSQL's processes two, one after the other: that of who commits, and that of who listens. */
const IN_TURN = { postgres: 2 };

/** By how much each program was late between the two, in ms: {api: 12, …}; those that were not are left out. */
export function lateness(before, after) {
	const late = {};
	for (const [program, threads] of after) {
		const had = before.get(program);
		const each = [...threads].map(([thread, n]) => n - (had?.get(thread) ?? 0)).sort((a, b) => b - a);
		const most = each.slice(0, IN_TURN[program] ?? 1).reduce((sum, n) => sum + n, 0);
		if (Math.round(most) > 0) late[program] = Math.round(most);
	}
	return late;
}

/**
 * Does it, within that time; what it answers. span: how long what is promised took, in ms, of that answer, where it is less than all that
 * is done: what is said by a command, say, is promised from the time on that the database has of it.
 */
export async function within(limit, stack, act, what = "it", span = undefined) {
	const before = waits(stack), began = performance.now();
	const value = await act();
	const whole = performance.now() - began, ms = span ? await span(value) : whole;
	const late = lateness(before, waits(stack)), took = Math.round(ms);
	const lag = Object.values(late).reduce((sum, n) => sum + n, 0);
	const each = JSON.stringify(late).replace(/[{}"]/g, "");
	assert.ok(took < limit + lag, `${what}: ${took} ms, where ${limit} are promised and a processor was waited for for ${lag} ms (${each})`);
	return value;
}

/** A time that the database has, in ms as Date.now(), behind a statement that is done first: timeOf(stack, "revoked_at", "from sessions where id = 3"). */
export async function timeOf(stack, what, where = "", first = "") {
	const rows = await stack.psql(`${first}; select extract(epoch from ${what}) * 1000 ${where}`);
	return Number(rows.trim().split("\n").at(-1));
}

/** When the last of them came. The clock is this machine's, and so the database's. */
export const lastOf = (promises) => Promise.all(promises.map((p) => p.then(() => Date.now()))).then((times) => Math.max(...times));
