// makerun: starts `make run` as a person would and watches what it says.

import { execFileSync, spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { ROOT } from "../../conf/run/stack.mjs";
import { until } from "../support/until.mjs";

export class MakeRun {
	text = "";

	/** options: state, port, root (of the checkout), env. */
	constructor({ state, port, root = ROOT, env = {} }) {
		Object.assign(this, { state, port, root });
		this.began = Date.now();
		const clean = { ...process.env, ...env };
		for (const name of ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "STATE", "PORT", "NODE_TEST_CONTEXT", "NODE_OPTIONS"]) delete clean[name];
		this.child = spawn("make", ["run", `STATE=${state}`, `PORT=${port}`], {
			cwd: root,
			env: clean,
			detached: true, // a process group of its own, as a terminal makes one
			stdio: ["ignore", "pipe", "pipe"],
		});
		for (const stream of [this.child.stdout, this.child.stderr]) stream.on("data", (d) => (this.text += d));
		this.ended = new Promise((ok) =>
			this.child.on("close", (code, signal) => {
				this.end = { code, signal };
				ok(this.end);
			}),
		);
	}

	/** Resolves to the seconds that it took until it said where the site is. */
	async up(ms = 120000) {
		await until(
			() => {
				if (this.end) throw new Error(`make run ended: ${JSON.stringify(this.end)}\n${this.text}`);
				return /runs at (http:\S+)/.test(this.text);
			},
			{ ms, what: "make run is up" },
		).catch((e) => {
			throw new Error(`${e.message}\n${this.text}`);
		});
		this.url = /runs at (http:\S+)/.exec(this.text)[1];
		return (Date.now() - this.began) / 1000;
	}

	async says(pattern, ms = 20000) {
		await until(() => pattern.test(this.text), { ms, what: String(pattern) }).catch((e) => {
			throw new Error(`${e.message}\n${this.text}`);
		});
	}

	/** TERM to make alone, or INT to the whole group as Ctrl-C sends it. */
	async stop(signal = "SIGTERM") {
		if (!this.end) {
			if (signal === "SIGINT") process.kill(-this.child.pid, signal);
			else this.child.kill(signal);
		}
		return this.ended;
	}

	/** pid of main.mjs, or of a program by its name. */
	pid(name = "main") {
		const found = processes(this.state).find((p) => p.name === name);
		if (!found) throw new Error(`no ${name} among ${JSON.stringify(processes(this.state))}\n${this.text}`);
		return found.pid;
	}

	async healthy() {
		try {
			return (await fetch(`${this.url}/healthz`)).ok;
		} catch {
			return false;
		}
	}

	cli(...args) {
		return execFileSync(`${this.root}/build/pulsechat`, ["-c", `${this.state}/pulsechat.conf`, ...args], { encoding: "utf8" });
	}
}

/** The processes of a state folder: {pid, ppid, uid, name, command}. */
export function processes(state) {
	const all = [];
	for (const pid of readdirSync("/proc").filter((d) => /^\d+$/.test(d))) {
		let command;
		let status;
		try {
			command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
			status = readFileSync(`/proc/${pid}/status`, "utf8");
		} catch {
			continue; // gone meanwhile
		}
		const text = command.join(" ");
		if (!command.some((a) => a === state || a.startsWith(`${state}/`)) || /^State:\s+Z/m.test(status) || /(^|\/)make$/.test(command[0])) continue;
		const name = text.includes("conf/run/main.mjs")
			? "main"
			: text.includes("devidp/server.mjs")
				? "devidp"
				: /pulsechat-api/.test(text)
					? "api1"
					: (/--node (realtime\d)/.exec(text)?.[1] ??
						(/lighttpd/.test(command[0]) ? "lighttpd" : /postgres$/.test(command[0]) ? "postgres" : "other"));
		all.push({ pid: Number(pid), uid: Number(/^Uid:\s+(\d+)/m.exec(status)[1]), name, command: text });
	}
	return all;
}
