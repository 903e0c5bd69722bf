// run: `make bench`. Measures PulseChat beside its peers on this machine, prints a table, writes build/bench/bench.json and
// build/bench/bench.svg. Each ratio is made within one run, the two sides in turn, medians of three rounds.
//   node tests/bench/run.mjs [--quick] [--calm] [--tcp] [--rounds N] [--patience SECONDS] [-v] [CELL…]   (make bench BENCH="--quick fan1000")
//   --quick     short steps, one round: for seeing that it works     --calm   no search for top rates, no snapshot
//   --tcp       durable: the writers come by TCP, which costs them and us some us a message more; else by a Unix socket, as pgbench does
//   --patience  how long to wait for a quiet machine before each measurement (60)

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../conf/run/stack.mjs";
import { CELLS } from "./cells.mjs";
import { conditions } from "./site.mjs";
import { plot } from "./plot.mjs";

const args = process.argv.slice(2);
const options = {
	quick: false,
	calmOnly: false,
	tcp: false,
	patience: 60,
	rounds: 0,
	say: (text) => console.log(text),
	debug: () => {},
};
const wanted = [];
while (args.length) {
	const a = args.shift();
	if (a === "--quick") options.quick = true;
	else if (a === "--calm") options.calmOnly = true;
	else if (a === "--tcp") options.tcp = true;
	else if (a === "--rounds") options.rounds = Number(args.shift());
	else if (a === "--patience") options.patience = Number(args.shift());
	else if (a === "-v") options.debug = (text) => console.log(`    ${text}`);
	else if (a in CELLS) wanted.push(a);
	else {
		console.error(`bench: ${a}? Cells: ${Object.keys(CELLS).join(", ")}`);
		process.exit(2);
	}
}
options.rounds ||= options.quick ? 1 : 3;

const out = join(ROOT, "build/bench");
mkdirSync(out, { recursive: true });
const file = join(out, "bench.json");
const result = { conditions: { ...conditions(), quick: options.quick, rounds: options.rounds }, cells: {} };
if (wanted.length) {
	// single cells are put into what is there
	try {
		Object.assign(result.cells, JSON.parse(readFileSync(file, "utf8")).cells);
	} catch {
		// nothing there
	}
}
console.log(
	Object.entries(result.conditions)
		.map(([k, v]) => `${k}: ${v}`)
		.join("; "),
);
let bad = 0;
for (const name of wanted.length ? wanted : Object.keys(CELLS)) {
	console.log(`\n${name}`);
	try {
		const { title, rows, checks, faults, samples, series, figures } = await CELLS[name](options);
		result.cells[name] = {
			title,
			at: new Date().toISOString(),
			quick: options.quick,
			rounds: options.rounds,
			rows,
			checks,
			faults,
			samples,
			series,
			figures,
		};
		for (const f of faults) console.log(`  WRONG ${f}`);
		for (const c of checks) {
			const goal = c.goal ? `, goal ${c.goal}` : "";
			console.log(`  ${c.ok ? "ok  " : "MISS"} ${c.name}: ${c.value.toFixed(2)}${c.unit} (${c.kind} ${c.bar}${goal})`);
		}
		bad += faults.length + checks.filter((c) => !c.ok).length;
	} catch (e) {
		console.log(`  FAILED ${e.stack}`);
		result.cells[name] = { title: name, failed: e.message, rows: [], checks: [], faults: [e.message] };
		bad++;
	}
	writeFileSync(file, `${JSON.stringify(result, null, "\t")}\n`);
	writeFileSync(join(out, "bench.svg"), plot(result));
}
console.log(`\n${bad ? `${bad} bars missed or faults` : "all bars are met"}; build/bench/bench.json, build/bench/bench.svg`);
process.exit(bad ? 1 : 0);
