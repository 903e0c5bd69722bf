// measure: what the browser and the servers need while something large is done.
//
//   const tasks = await calm(browser, page); …; await tasks()          {cpu, wall}: ms, the longest task of a page's main thread since then
//   const memory = await browserMemory(browser); …; await memory()     {browser, renderer, utility, …}: bytes, the most of one of that kind since then
//   peaks(stack, ["api1"])                                     {api1: bytes}, the most it has had

import { readFileSync, writeFileSync } from "node:fs";

/** The most memory that a process has had, in bytes. */
const peak = (pid) => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;

export const peaks = (stack, names) => Object.fromEntries(names.map((name) => [name, peak(stack.pids[name])]));

export async function calm(browser, page) {
	await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline"] });
	return async () => {
		const { traceEvents: all } = JSON.parse(await browser.stopTracing());
		const thread = (e) => `${e.pid} ${e.tid}`;
		const main = new Set(all.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map(thread));
		const most = { cpu: 0, wall: 0 };
		for (const e of all) {
			if (e.name !== "RunTask" || !main.has(thread(e))) continue;
			most.cpu = Math.max(most.cpu, (e.tdur ?? 0) / 1000);
			most.wall = Math.max(most.wall, (e.dur ?? 0) / 1000);
		}
		return most;
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
