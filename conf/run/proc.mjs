// proc: one supervised program. It dies with us (pdeathsig), has its own session (a Ctrl-C in the terminal is for us alone), writes
// to its own log file, and is started again with a growing pause when it dies although nobody asked it to.

import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from "node:fs";

const PAUSE_MIN = 100; // ms before the first restart
const PAUSE_MAX = 5000;
const STEADY = 10000; // ms of life after which a death counts as the first again
const LOOP = 5; // quick deaths in a row that are worth a message
const LOG_MAX = 16 << 20; // bytes; a log above this is moved away at a start

export class Proc extends EventEmitter {
	/**
	 * argv: program and arguments. privileges: setpriv arguments. stopSignal: what asks it to end.
	 * stopWait: ms before KILL. ready: async () => true when it serves. supervise: start it again.
	 */
	constructor({ name, argv, env = {}, privileges = [], stopSignal = "SIGTERM", stopWait = 10000, ready, log, supervise = true }) {
		super();
		Object.assign(this, { name, argv, env, privileges, stopSignal, stopWait, ready, log, supervise });
		this.child = null;
		this.wanted = false; // should it be running?
		this.deaths = 0; // quick ones in a row
		this.exits = []; // {code, signal, at, asked}: every end, for tests
		this.asked = null; // the signal that we sent
		this.timer = null;
		this.logStart = 0;
	}

	get pid() {
		return this.child?.pid ?? null;
	}

	start() {
		if (this.child) return;
		this.wanted = true;
		clearTimeout(this.timer);
		this.timer = null;
		try {
			if (statSync(this.log).size > LOG_MAX) renameSync(this.log, `${this.log}.1`);
		} catch {
			// no log yet
		}
		const fd = openSync(this.log, "a", 0o640);
		this.logStart = fstatSync(fd).size;
		const argv = ["--pdeathsig", this.stopSignal.replace("SIG", ""), ...this.privileges, ...this.argv];
		const began = Date.now();
		const child = spawn("setpriv", argv, {
			cwd: "/",
			detached: true,
			env: { ...process.env, ...this.env },
			stdio: ["ignore", fd, fd],
		});
		closeSync(fd);
		this.child = child;
		this.asked = null;
		const ended = (code, signal) => {
			if (this.child !== child) return;
			this.child = null;
			const end = { code, signal, at: Date.now(), life: Date.now() - began, asked: this.asked };
			this.exits.push(end);
			this.emit("exit", end);
			if (this.wanted) this.#died(end);
		};
		child.on("exit", ended);
		child.on("error", (e) => {
			this.emit("note", `cannot start ${this.name}: ${e.message}`);
			ended(127, null);
		});
	}

	#died(end) {
		this.deaths = end.life > STEADY ? 1 : this.deaths + 1;
		this.emit("died", end);
		if (!this.supervise) {
			this.wanted = false;
			return;
		}
		if (this.deaths === LOOP) this.emit("loop", end);
		const pause = Math.min(PAUSE_MIN * 2 ** (this.deaths - 1), PAUSE_MAX);
		this.timer = setTimeout(() => {
			this.start();
			this.emit("restarted", end);
		}, pause);
	}

	/** Sends a signal as a stranger would: a supervised program comes back. */
	kill(signal = "SIGKILL") {
		if (!this.child) throw new Error(`${this.name} does not run`);
		this.asked = signal;
		process.kill(this.child.pid, signal);
	}

	/** Ends it and keeps it ended. Resolves when it is gone, to its last exit. */
	async stop(signal = this.stopSignal) {
		this.wanted = false;
		clearTimeout(this.timer);
		this.timer = null;
		const child = this.child;
		if (!child) return this.exits.at(-1);
		this.asked = signal;
		const gone = new Promise((ok) => child.once("exit", () => setImmediate(ok)));
		signalPid(child.pid, signal);
		const timer = setTimeout(() => {
			this.emit("note", `${this.name} did not stop within ${this.stopWait / 1000} s: killed`);
			this.overdue = true;
			signalPid(child.pid, "SIGKILL");
		}, this.stopWait);
		await gone;
		clearTimeout(timer);
		return this.exits.at(-1);
	}

	/** Waits until ready() holds. Throws when it died meanwhile, too often where it is supervised, or when time is up. */
	async untilReady(ms) {
		const end = Date.now() + ms;
		const before = this.exits.length;
		for (;;) {
			const died = this.exits.length - before;
			if (died > (this.supervise ? LOOP : 0)) {
				const { code, signal } = this.exits.at(-1);
				throw new Error(`${this.name} ends at once (${signal ?? `exit ${code}`}): ${this.tail() || "no word in its log"}`);
			}
			if (this.child && (await this.ready())) return;
			if (Date.now() > end) throw new Error(`${this.name} does not answer after ${ms / 1000} s: ${this.tail()}`);
			await new Promise((ok) => setTimeout(ok, 20));
		}
	}

	/** The last lines that it wrote since its last start. */
	tail(lines = 5) {
		try {
			const text = readFileSync(this.log).subarray(this.logStart).toString();
			return text.trimEnd().split("\n").slice(-lines).join("\n");
		} catch {
			return "";
		}
	}
}

function signalPid(pid, signal) {
	try {
		process.kill(pid, signal);
	} catch (e) {
		if (e.code !== "ESRCH") throw e;
	}
}
