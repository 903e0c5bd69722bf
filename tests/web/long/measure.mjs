// measure: what the browser and the servers need while something large is done.
//
//   const tasks = await calm(browser, page); …; await tasks()          {cpu, wall}: ms, the longest task of a page's main thread since then
//   const memory = await browserMemory(browser); …; await memory()     {browser, renderer, utility, …}: bytes, the most of one of that kind since then
//   peaks(stack, ["api1"])                                     {api1: bytes}, the most it has had

import { readFileSync, writeFileSync } from "node:fs";

/** The most memory that a process has had, in bytes. */
const peak = (pid) => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;

export const peaks = (stack, names) => Object.fromEntries(names.map((name) => [name, peak(stack.pids[name])]));

/** A trace's events, one a line: of minutes they are more than a string can hold. */
function* linesOf(bytes) {
	for (let at = 0, end; at < bytes.length; at = end + 1) {
		end = bytes.indexOf(10, at);
		if (end < 0) end = bytes.length;
		yield bytes.toString("latin1", at, end);
	}
}

export async function calm(browser, page) {
	await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline"] });
	return async () => {
		const number = (line, key) => Number(new RegExp(`"${key}":(\\d+)`).exec(line)?.[1] ?? 0);
		const thread = (line) => `${number(line, "pid")} ${number(line, "tid")}`;
		const main = new Set(), most = new Map(); // by thread
		for (const line of linesOf(await browser.stopTracing())) {
			if (line.includes('"CrRendererMain"')) main.add(thread(line));
			if (!line.includes('"name":"RunTask"')) continue;
			const m = most.get(thread(line)) ?? { cpu: 0, wall: 0 };
			most.set(thread(line), { cpu: Math.max(m.cpu, number(line, "tdur") / 1000), wall: Math.max(m.wall, number(line, "dur") / 1000) });
		}
		const of = [...most].filter(([t]) => main.has(t)).map(([, m]) => m);
		return { cpu: Math.max(0, ...of.map((m) => m.cpu)), wall: Math.max(0, ...of.map((m) => m.wall)) };
	};
}

export async function browserMemory(browser) {
	const cdp = await browser.newBrowserCDPSession();
	const all = async () => (await cdp.send("SystemInfo.getProcessInfo")).processInfo;
	for (const { id } of await all()) writeFileSync(`/proc/${id}/clear_refs`, "5"); // the peak is what it has now
	return async () => {
		const found = {};
		for (const { id, type } of await all()) found[type] = Math.max(found[type] ?? 0, peak(id));
		await cdp.detach();
		return found;
	};
}
