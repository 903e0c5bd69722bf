// main: `make run`. Starts a whole PulseChat site below STATE, says where it is, keeps it going until Ctrl-C or TERM.
//   node main.mjs STATE PORT

import { resolve } from "node:path";
import { Stack, Trouble } from "./stack.mjs";
import { PEOPLE } from "../../tests/devidp/people.mjs";

const [state = "var", portText = "8080"] = process.argv.slice(2);
const began = Date.now();
const say = (text) => process.stdout.write(`${text}\n`);
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {}); // a reader that has gone is no reason to stop

const port = Number(portText);
if (!/^\d+$/.test(portText) || port < 1 || port > 65535) fail(`PORT=${portText} is no port: use a number from 1 to 65535`);
const stack = new Stack({ state: resolve(state), port, realtime: Number(process.env.REALTIME ?? 2) });
let stopping = false;

stack.on("step", (text) => say(`  ${text} ...`));
stack.on("note", (text) => say(`  note: ${text}`));
stack.on("died", (name, end) => {
	if (!stopping) say(`  ${name} has ended (${end.signal ?? `exit ${end.code}`}): starting it again`);
});
stack.on("loop", (name, end, proc) => {
	say(`  ${name} ends again and again (${end.signal ?? `exit ${end.code}`}); its log is ${proc.log}. The last of it:`);
	say(proc.tail().replace(/^/gm, "    "));
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(signal));
try {
	await stack.start();
} catch (e) {
	if (!stopping) {
		stopping = true;
		await stack.stop();
		if (!(e instanceof Trouble)) console.error(e.stack);
		fail(e.message);
	}
}
if (!stopping) {
	const some = PEOPLE.slice(0, 4).map((p) => p.login);
	say(`
PulseChat runs at ${stack.url} (started in ${((Date.now() - began) / 1000).toFixed(1)} s)

  Sign in     open that address, choose a button, pick ${some.join(", ")} or type a new name; no password
  From a program
              TOKEN=$(build/pulsechat -c ${stack.confPath} token add alice)
              curl -H "Authorization: Bearer $TOKEN" ${stack.url}/api/v1/me
  Uploads     go to ${stack.filesUrl}, an origin of their own
  Files       ${stack.state}: pulsechat.conf, log/, the database, uploads
  Stop        Ctrl-C; the data stays
`);
}

async function stop(signal) {
	if (stopping) {
		if (signal === "SIGINT") stack.killAll();
		return;
	}
	stopping = true;
	say("\nStopping ...");
	await stack.stop();
	say("Stopped.");
	process.exit(0);
}

function fail(text) {
	process.stderr.write(`make run: ${text}\n`);
	process.exit(1);
}
