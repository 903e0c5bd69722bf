// check: runs the test suites, each as soon as there are lanes for it (most of what they do is waiting), counts what each says, prints a
// closing line per suite and, last, "N passed, N failed". A suite that runs no test at all counts as failed. Logs: build/check/SUITE.log.
//   node check.mjs check|long|lint [SUITE...]      (or: make check ONLY="api sql")

import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const OUT = join(ROOT, "build/check");
const [what = "check", ...names] = process.argv.slice(2);
const only = [...names, ...(process.env.ONLY ?? "").split(/[\s,]+/).filter(Boolean)];
process.chdir(ROOT);
mkdirSync(OUT, { recursive: true });

const list = (dir, ending) =>
	existsSync(dir)
		? readdirSync(dir)
				.filter((f) => f.endsWith(ending))
				.sort()
				.map((f) => join(dir, f))
		: [];

// --- what a suite is: {name, minutes, steps: [{argv, env, count}], lanes, alone}; count turns an output into {passed, failed, skipped}
// lanes: how many files it has under way at once (1). alone: nothing else meanwhile; what stands behind it in the plan comes later.

/** Files under way at once: so many mostly wait, on two cores. */
const LANES = { check: 4, long: 2, lint: 1 };

/** Lines of TAP, as of our scripts, cmocka and pg_prove. */
function tap(text) {
	const n = { passed: 0, failed: 0, skipped: 0 };
	for (const line of text.split("\n")) {
		const hit = /^\s*(not )?ok\b(?:\s+\d+)?(.*)$/.exec(line);
		if (!hit) continue;
		if (/#\s*(skip|todo)/i.test(hit[2])) n.skipped++;
		else if (hit[1]) n.failed++;
		else n.passed++;
	}
	return n;
}

/** The summary of node's test runner, in either of its styles. */
function nodeSummary(text) {
	const sum = (word) => [...text.matchAll(new RegExp(`^[#ℹ] ${word} (\\d+)$`, "gm"))].reduce((all, m) => all + Number(m[1]), 0);
	return { passed: sum("pass"), failed: sum("fail") + sum("cancelled"), skipped: sum("skipped") + sum("todo") };
}

const make = (...targets) => ["make", "--no-print-directory", `-j${cpus().length}`, ...targets];
const alone = (suite) => ({ ...suite, alone: true });
const build = (name, ...targets) => ({ name, build: true, alone: true, minutes: 15, steps: [{ argv: make(...targets), count: () => ({}) }] });

/** only, but: ends of the names of the files that are meant, or not. atOnce: how many files, where they mostly wait. */
/** Files that take long, the longest first: where several run at once they begin first, so that in the end no lane runs alone. */
const LONG = {
	web: ["people", "notify", "unread", "tabs", "roles", "axe", "chat", "devices", "hosts", "login", "signin", "recover", "files", "search"],
	chaos: ["cases", "property", "presence", "soak", "points", "epoch", "bus"],
	realtime: ["presence", "presence_ends", "herd", "state", "presence_fcgi"],
	api: ["order", "fortunes", "process", "events", "rate"],
};

function nodeSuite(name, dir, minutes, env = {}, only = "", atOnce = 1, but = "/") {
	const rank = (f) => ((LONG[basename(dir)] ?? []).indexOf(basename(f, ".test.mjs")) + 100) % 100; // those not named: 99
	const files = list(dir, `${only}.test.mjs`)
		.filter((f) => !f.endsWith(`${but}.test.mjs`))
		.sort((a, b) => rank(a) - rank(b));
	const argv = [process.execPath, "--test", `--test-concurrency=${atOnce}`, "--test-reporter=spec", "--test-reporter-destination=stdout"];
	return { name, minutes, lanes: atOnce, steps: files.length > 0 ? [{ argv: [...argv, ...files], env, count: nodeSummary }] : [] };
}

/** Files of tests behind another web server (tests/support/servers.mjs): [front, file...] each; a folder means all in it. */
function frontSteps(fronts, variant, atOnce = 1, env = {}) {
	const argv = [process.execPath, "--test", `--test-concurrency=${atOnce}`, "--test-reporter=spec", "--test-reporter-destination=stdout"];
	return fronts.map(([front, ...files]) => ({
		argv: [...argv, ...files.flatMap((f) => (f.endsWith(".mjs") ? f : list(f, ".test.mjs")))],
		env: { ...env, PC_FRONT: front, PC_VARIANT: variant },
		count: nodeSummary,
	}));
}
const frontSuite = (name, minutes, ...fronts) => ({ name, minutes, steps: frontSteps(fronts, "plain") });

/** Every web server there is an example for; and a selection of the suites behind those that are not the default. */
const serversSuite = () => ({
	name: "servers",
	minutes: 8,
	lanes: 2,
	steps: [
		{
			argv: [process.execPath, "--test", "--test-concurrency=2", "--test-reporter=spec", ...list("tests/servers", ".test.mjs")],
			env: asan,
			count: nodeSummary,
		},
		...frontSteps(
			[
				["nginx", "tests/api/routes.test.mjs", "tests/realtime/protocol.test.mjs"],
				["apache-proxy_fcgi", "tests/api/text.test.mjs", "tests/realtime/protocol.test.mjs"],
				["apache-fcgid", "tests/api/routes.test.mjs"],
			],
			"asan",
		),
	],
});

function unitSuite(name, variant, wrap = [], minutes = 5) {
	return {
		name,
		minutes,
		steps: list("tests/unit", ".c")
			.filter((f) => /\/test_[^/]*$/.test(f))
			.map((f) => ({
				argv: [...wrap, join("build", variant, f.slice(0, -2))],
				env: { CMOCKA_MESSAGE_OUTPUT: "TAP", ...SANITIZERS },
				count: tap,
			})),
	};
}

/** Tests in C against a PostgreSQL of their own. */
const dbSuite = (name, variant, env = {}) => ({
	name,
	minutes: 6,
	steps: list("tests/db", ".c").length > 0 ? [{ argv: ["tests/db/run.sh", variant], env: { ...SANITIZERS, ...env }, count: tap }] : [],
});

const SANITIZERS = {
	ASAN_OPTIONS: "exitcode=99:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
	UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
	TSAN_OPTIONS: "exitcode=98:second_deadlock_stack=1",
};
const lint = () => ({
	name: "lint",
	minutes: 3,
	steps: list("tests/lint", ".sh")
		.filter((f) => !f.endsWith("/tap.sh"))
		.map((f) => ({ argv: [f], count: tap })),
});
const API_OVER_HTTP = ["routes", "text", "edits", "reactions", "reads", "retry", "search", "state"].map((f) => `tests/api/${f}.test.mjs`);
const BESIDE_REALTIME = ["tests/api/channels.test.mjs", "tests/api/groups.test.mjs", "tests/api/profile.test.mjs"]; // they have WebSockets, too
const STORE_OVER_HTTP = ["tests/files/agree.test.mjs", "tests/files/download.test.mjs"];
const FEWER = { HERD: "400" }; // Apache has a thread for each connection, and in these tests 512
const asan = { PC_VARIANT: "asan" };
const seen = { ...asan, PC_SEEN: join(OUT, "seen") }; // for the suite contract
const unchecked = { PC_CONTRACT: "off" }; // holding what is said against the document takes seconds of each process
const whole = { ...unchecked, CHROMIUM: "/usr/bin/chromium" }; // the browser with its windows, as people have it
const VALGRIND = ["valgrind", "-q", "--error-exitcode=97", "--leak-check=full"];

const plans = {
	lint: () => [lint()],
	check: () => [
		build("build (sanitizers)", "programs", "unit-bins", "db-bins", "files-bins", "VARIANT=asan"),
		build("build (fault points)", "programs", "VARIANT=faults"),
		build("build (plain)", "programs"),
		build("build (web client)", "client"),
		// What takes several lanes, and longest, comes first: what takes one fills the gaps.
		nodeSuite("realtime", "tests/realtime", 12, seen, "", 3),
		nodeSuite("files", "tests/files", 10, seen),
		nodeSuite("api", "tests/api", 12, seen, "", 2, "parked"),
		nodeSuite("chaos", "tests/chaos", 12, { ...asan, ...unchecked }, "", 2),
		serversSuite(),
		lint(),
		{
			name: "client",
			minutes: 4,
			steps:
				list("htdocs/test", ".test.ts").length > 0
					? [{ argv: ["npm", "--prefix", "htdocs", "test", "--silent"], count: nodeSummary }]
					: [],
		},
		unitSuite("unit", "asan"),
		dbSuite("db", "asan"),
		{
			name: "sql",
			minutes: 4,
			steps: list("tests/sql", ".sql").length > 0 ? [{ argv: [process.execPath, "tests/support/sql.mjs"], count: tap }] : [],
		},
		alone(nodeSuite("api (parked)", "tests/api", 2, seen, "parked")), // hundreds of polls, by the clock
		alone(nodeSuite("contract", "tests/contract", 1, seen)), // what these have seen
		nodeSuite("web", "tests/web", 16, unchecked, "", 3, "axe_panels"), // pages mostly wait, but each takes a browser
		nodeSuite("proxies", "tests/proxies", 8, { ...asan, ...unchecked }),
		nodeSuite("run", "tests/run", 8, unchecked, "", 1, "lag"),
	],
	long: () => [
		build("build (clang)", "programs", "unit-bins", "VARIANT=clang"),
		build("build (threads)", "programs", "unit-bins", "db-bins", "VARIANT=tsan"),
		build("build (plain)", "programs", "unit-bins", "db-bins", "bench-bins"),
		build("build (web client)", "client"),
		alone(nodeSuite("realtime (slow)", "tests/realtime/long", 11, unchecked)), // delays, side by side
		{ name: "clang-tidy", alone: true, minutes: 15, steps: [{ argv: ["tests/support/tidy.sh"], count: tap }] },
		alone(nodeSuite("run (lag)", "tests/run", 2, unchecked, "lag")), // it takes every processor
		nodeSuite("chaos (property)", "tests/chaos", 14, { ...unchecked, SECONDS: "600" }, "property"), // others go on beside it
		unitSuite("unit (clang)", "clang"),
		unitSuite("unit (threads)", "tsan"),
		unitSuite("unit (valgrind)", "plain", VALGRIND, 10),
		dbSuite("db (threads)", "tsan"),
		dbSuite("db (valgrind)", "plain", { WRAP: VALGRIND.join(" ") }),
		nodeSuite("api (valgrind)", "tests/api", 6, { PC_WRAP: VALGRIND.join(" ") }, "routes"),
		nodeSuite("realtime (valgrind)", "tests/realtime", 6, { PC_WRAP: VALGRIND.join(" ") }, "protocol"),
		nodeSuite("api (threads)", "tests/api", 10, { PC_VARIANT: "tsan" }, "", 2),
		nodeSuite("realtime (threads)", "tests/realtime", 15, { PC_VARIANT: "tsan" }, "", 2),
		nodeSuite("realtime (unread)", "tests/realtime", 8, { STEPS: "6000" }, "unread"),
		nodeSuite("realtime (herd)", "tests/realtime", 3, { DOWN_SECONDS: "10" }, "herd"),
		nodeSuite("web (files)", "tests/web", 8, { ...whole, FILES_ALL: "1" }, "files_radosgw"),
		nodeSuite("web (large)", "tests/web/long", 20, whole),
		nodeSuite("web (axe)", "tests/web", 6, { ...whole, SIZES: "all" }, "axe"),
		nodeSuite("web (panels)", "tests/web", 6, { ...whole, SIZES: "all" }, "axe_panels"),
		nodeSuite("web (scroll)", "tests/web", 8, { ...whole, ROWS: "10000" }, "text"),
		nodeSuite("web (roles)", "tests/web", 6, { ...whole, SIZES: "all" }, "roles"),
		nodeSuite("web (keep)", "tests/web", 6, { ...whole, SIZES: "all" }, "keep"),
		nodeSuite("web (emoji)", "tests/web", 6, { ...whole, SIZES: "all" }, "emoji"),
		nodeSuite("files (large)", "tests/files/long", 15),
		nodeSuite("proxies (limits)", "tests/proxies/long", 5),
		frontSuite("files (servers)", 6, ...["nginx", "apache-proxy_fcgi", "apache-fcgid"].map((f) => [f, ...STORE_OVER_HTTP])),
		frontSuite("api (nginx)", 12, ["nginx", "tests/api"]),
		frontSuite("api (apache)", 15, ["apache-proxy_fcgi", "tests/api"]),
		{ name: "realtime (nginx)", minutes: 10, lanes: 3, steps: frontSteps([["nginx", "tests/realtime"]], "plain", 3) },
		{ name: "realtime (apache)", minutes: 12, lanes: 3, steps: frontSteps([["apache-proxy_fcgi", "tests/realtime"]], "plain", 3, FEWER) },
		// what goes past the web server, to a process that mod_fcgid or CGI does not use, is left out
		frontSuite("api (fcgid)", 6, ["apache-fcgid", ...API_OVER_HTTP, ...BESIDE_REALTIME]),
		frontSuite("api (cgi)", 8, ...["apache-cgid", "lighttpd-cgi"].map((f) => [f, ...API_OVER_HTTP])),
		{
			name: "servers (reload)",
			minutes: 4,
			steps: [
				{
					argv: [process.execPath, "--test", "--test-reporter=spec", "tests/servers/reload.test.mjs"],
					env: { PC_SERVERS: "nginx,apache-proxy_fcgi,apache-fcgid" },
					count: nodeSummary,
				},
			],
		},
		nodeSuite("chaos (long)", "tests/chaos", 5, { STOP_SECONDS: "60" }, "stop"),
		{
			name: "fuzz",
			alone: true,
			minutes: 12,
			steps: list("tests/fuzz", ".c").length > 0 ? [{ argv: ["tests/support/fuzz.sh", "40"], count: tap }] : [],
		},
	],
};
// Suites that need not be there. All others must be.
const OPTIONAL = ["fuzz"];

// --- running

const children = new Set();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
	process.on(signal, () => {
		for (const c of children) killGroup(c, "SIGTERM");
		setTimeout(() => process.exit(1), 3000);
	});

function killGroup(c, signal) {
	try {
		process.kill(-c.pid, signal);
	} catch {
		// gone already
	}
}

function runStep({ argv, env }, log, ms) {
	return new Promise((ok) => {
		let text = "";
		appendFileSync(log, `$ ${argv.join(" ")}\n`);
		const mine = spawn(argv[0], argv.slice(1), {
			env: { ...process.env, ...env, NO_COLOR: "1", FORCE_COLOR: "0" },
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		children.add(mine);
		for (const stream of [mine.stdout, mine.stderr])
			stream.on("data", (d) => {
				text += d;
				appendFileSync(log, d);
			});
		let late = false;
		const timer = setTimeout(() => {
			late = true;
			appendFileSync(log, `\ncheck: over the time limit, stopped\n`);
			killGroup(mine, "SIGTERM");
			setTimeout(() => killGroup(mine, "SIGKILL"), 8000).unref();
		}, ms);
		const end = (code, signal, error) => {
			clearTimeout(timer);
			children.delete(mine);
			killGroup(mine, "SIGKILL"); // nothing of a suite outlives it
			if (error) appendFileSync(log, `check: ${error.message}\n`);
			ok({ text, code, signal, late });
		};
		mine.on("error", (e) => end(127, null, e));
		mine.on("exit", (code, signal) => {
			// A process left behind may hold the pipes open: what it says is of no interest.
			const drained = new Promise((done) => mine.on("close", done));
			Promise.race([drained, new Promise((done) => setTimeout(done, 1000))]).then(() => end(code, signal));
		});
	});
}

async function runSuite(suite) {
	const log = join(OUT, `${suite.name.replace(/[^a-z0-9]+/gi, "-").replace(/-$/, "")}.log`);
	writeFileSync(log, "");
	const began = Date.now();
	const sum = { passed: 0, failed: 0, skipped: 0 };
	const broken = [], ends = [];
	for (const step of suite.steps) {
		const left = suite.minutes * 60000 - (Date.now() - began);
		const { text, code, signal, late } = left > 0 ? await runStep(step, log, left) : { text: "", late: true };
		const n = step.count(text);
		for (const k of Object.keys(sum)) sum[k] += n[k] ?? 0;
		const label = step.argv.at(-1);
		if (n.failed || code !== 0) ends.push(endOf(text));
		if (late) broken.push(`${label}: not done within the suite's ${suite.minutes} minutes`);
		else if (signal) broken.push(`${label}: ended by ${signal}`);
		else if (code !== 0 && !n.failed) broken.push(`${label}: exit status ${code}`);
		else if (!suite.build && !n.passed && !n.failed && !n.skipped) broken.push(`${label}: no test in it`);
	}
	if (!suite.build && sum.passed + sum.failed === 0 && broken.length === 0) broken.push("no test has run");
	sum.failed += broken.length;
	const seconds = ((Date.now() - began) / 1000).toFixed(1);
	const skipped = sum.skipped ? `, ${sum.skipped} skipped` : "";
	if (suite.build) say(`${suite.name}: ${sum.failed ? "failed" : "done"} (${seconds} s)`);
	else say(`${suite.name}: ${sum.passed} passed, ${sum.failed} failed${skipped} (${seconds} s)`);
	if (sum.failed > 0) {
		for (const b of broken) say(`  ${b}`);
		const lines = readFileSync(log, "utf8").trimEnd().split("\n");
		const bad = lines.filter((l) => /^\s*(not ok|✖)/.test(l) && !/# (todo|skip)/i.test(l)).slice(0, 20);
		for (const l of bad) say(`  ${l.trim()}`);
		for (const end of ends.slice(0, 5)) say(`  --- the end of a step of ${log}:\n${end.replace(/^/gm, "  | ")}`);
		failures.push(`${suite.name}:\n${[...broken, ...ends.slice(0, 3)].join("\n").replace(/^/gm, "  | ")}`);
	}
	return sum;
}

/** Of what a step has printed: the reporter's list of failing tests, or the last lines where it has none. */
function endOf(text) {
	const lines = text.trimEnd().split("\n");
	const from = lines.lastIndexOf("✖ failing tests:");
	return (from < 0 ? lines.slice(-60) : lines.slice(from + 2).filter((l) => l.trim() && !/^\s+at .*node:internal/.test(l)).slice(0, 80)).join("\n");
}

function say(text) {
	process.stdout.write(`${text}\n`);
}

const failures = []; // of each suite that has any; also in a file, which .ci/run prints when all has run
const total = { passed: 0, failed: 0 };
const began = Date.now();
if (!(what in plans)) {
	say(`check: no plan ${what}`);
	process.exit(2);
}
for (const f of readdirSync(OUT)) rmSync(join(OUT, f), { recursive: true, force: true });
const wanted = (s) => only.length === 0 || s.build || only.includes(s.name.split(" ")[0]);
const there = (s) => s.steps.length > 0 || !OPTIONAL.includes(s.name);
/** Each as soon as there is room for it, about in their order; a failed build is the end. */
async function runAll(suites) {
	const waiting = [...suites], running = new Set();
	let lanes = 0, broken = false;
	/** The next one that may start now. */
	const next = () => {
		if (running.size === 0) return waiting[0];
		const gate = waiting.findIndex((s) => s.alone);
		return waiting.slice(0, gate < 0 ? undefined : gate).find((s) => lanes + (s.lanes ?? 1) <= LANES[what]);
	};
	while (waiting.length > 0 && !broken) {
		const suite = next();
		if (!suite) {
			await Promise.race(running);
			continue;
		}
		waiting.splice(waiting.indexOf(suite), 1);
		lanes += suite.lanes ?? 1;
		const run = runSuite(suite).then((sum) => {
			running.delete(run);
			lanes -= suite.lanes ?? 1;
			total.passed += sum.passed;
			total.failed += sum.failed;
			broken ||= suite.build && sum.failed > 0 && suite.name !== "build (web client)"; // nothing to test
		});
		running.add(run);
		if (suite.alone) await run;
	}
	await Promise.all(running);
}

await runAll(plans[what]().filter((s) => wanted(s) && there(s)));
writeFileSync(join(OUT, "..", `failures-${what}.txt`), failures.map((f) => `${f}\n`).join(""));
say(`all suites took ${((Date.now() - began) / 60000).toFixed(1)} minutes`);
say(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
