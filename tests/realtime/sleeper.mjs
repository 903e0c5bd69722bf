// sleeper: a program with three streams of one room, on each transport, that can be stopped. Says on its output, a line of JSON each,
// what comes: {"ready"}, then {transport, seq}, {transport, opened}. Its streams come back by their cursor.
//   node sleeper.mjs '{"host","port","url","token","room"}'

import { openWs, follow } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";

const { room, token, ...stack } = JSON.parse(process.argv[2]);
const who = { stack, token, credentials: { authorization: `Bearer ${token}` } };
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

async function keep(transport, open) {
	for (let cursor; ; ) {
		const feed = await open(who, { cursor }).catch(() => null);
		if (feed) {
			say({ transport, opened: true });
			tell(transport, feed);
			cursor ??= feed.hello.cursor;
			await feed.closed;
			cursor = feed.cursor ?? cursor;
		}
		await new Promise((ok) => setTimeout(ok, 100 + Math.random() * 200));
	}
}

function tell(transport, feed) {
	for (const l of feed.lines) hear(transport, l);
	const add = feed.add.bind(feed);
	feed.add = (line) => {
		hear(transport, line);
		add(line);
	};
}

function hear(transport, line) {
	if (line.type === "reset") say({ transport, reset: line });
	if (line.type === "message" && line.channel === room) say({ transport, seq: line.seq });
}

void keep("ws", openWs);
void keep("sse", openSse);
const polls = follow(who, { wait: 5 });
tell("poll", polls);
const opened = setInterval(() => {
	if (!polls.at) return;
	say({ transport: "poll", opened: true });
	clearInterval(opened);
}, 10);
