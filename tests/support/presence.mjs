// presence: what tests watch presence by: the bus, as a process hears it, and each change of what was told to others, kept by a
// trigger, so that no restart of the database hides one.
//
//   const watch = await watchPresence(stack);
//   watch.bus(user)               states of the lines `w` so far, in their order      await watch.stop()
//   await watch.told(user)        the same by the table; while the database never went away the two are equal
//   await watch.lastTold(user)    when the last of it was, by the database's clock, in ms as Date.now(): how late a test hears is not in it
//   await watch.rows()            leases and nodes: {leases, nodes}
//   await stateOf(who, id)        what REST answers to `who` of a person: "online", "away", "offline", or undefined

import { connect } from "node:net";
import { join } from "node:path";

/** A connection that LISTENs, by the wire protocol, and again after each loss. */
function listen(stack, line) {
	let socket, on = true, ready;
	const first = new Promise((ok) => (ready = ok));
	const string = (s) => Buffer.from(`${s}\0`);
	const message = (type, body) => {
		const head = Buffer.alloc(type ? 5 : 4);
		if (type) head.write(type);
		head.writeInt32BE(body.length + 4, type ? 1 : 0);
		return Buffer.concat([head, body]);
	};
	const open = () => {
		let rest = Buffer.alloc(0);
		socket = connect(join(stack.pgSocket, ".s.PGSQL.5432"));
		socket.on("connect", () => {
			const version = Buffer.from([0, 3, 0, 0]);
			const settings = ["user", "pulsechat", "database", "pulsechat", "application_name", "test-listen", ""].map(string);
			socket.write(message("", Buffer.concat([version, ...settings])));
			socket.write(message("Q", string("LISTEN pulsechat")));
		});
		socket.on("data", (bytes) => {
			rest = Buffer.concat([rest, bytes]);
			while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
				const n = rest.readInt32BE(1);
				const body = rest.subarray(5, n + 1);
				if (rest[0] === 0x43) ready(); // CommandComplete: LISTEN
				if (rest[0] === 0x41) for (const l of body.subarray(4).toString().split("\0")[1].split("\n")) line(l); // NotificationResponse
				rest = rest.subarray(n + 1);
			}
		});
		socket.on("error", () => {});
		socket.on("close", () => on && setTimeout(open, 20));
	};
	open();
	return {
		first,
		stop: () => {
			on = false;
			socket.destroy();
		},
	};
}

export async function watchPresence(stack) {
	const lines = [];
	await stack.psql(`
		CREATE TABLE IF NOT EXISTS told_presence
			(n bigint GENERATED ALWAYS AS IDENTITY, user_id bigint, state text, at timestamptz DEFAULT clock_timestamp());
		CREATE OR REPLACE FUNCTION told_presence() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN INSERT INTO told_presence (user_id, state) VALUES (new.user_id, new.state); RETURN NULL; END';
		CREATE OR REPLACE TRIGGER told_presence AFTER UPDATE OF state ON presence FOR EACH ROW
			WHEN (old.state IS DISTINCT FROM new.state) EXECUTE FUNCTION told_presence()`);
	const bus = listen(stack, (line) => {
		const [, user, json] = /^0 w 0 0 (\d+) (\{.*\})$/s.exec(line) ?? [];
		if (user) lines.push({ user: Number(user), ...JSON.parse(json) });
	});
	await bus.first;
	const told = async (user) => {
		const rows = await stack.psql(`SELECT state FROM told_presence WHERE user_id = ${user.id ?? user} ORDER BY n`);
		return rows.split("\n").filter(Boolean);
	};
	return {
		lines,
		told,
		lastTold: async (user) => {
			const at = "SELECT extract(epoch FROM max(at)) * 1000 FROM told_presence";
			return Number(await stack.psql(`${at} WHERE user_id = ${user.id ?? user}`));
		},
		bus: (user) => lines.filter((l) => l.user === (user.id ?? user)).map((l) => l.state),
		rows: async () => {
			const counts = "SELECT (SELECT count(*) FROM presence_leases), (SELECT count(*) FROM presence_nodes)";
			const [leases, nodes] = (await stack.psql(counts)).split("|");
			return { leases: Number(leases), nodes: Number(nodes) };
		},
		stop: bus.stop,
	};
}

export async function presenceOf(who, ...ids) {
	const answer = await who.get(`/api/v1/presence?ids=${ids.map((u) => u.id ?? u).join(",")}`);
	if (answer.status !== 200) throw new Error(`presence: ${answer.status} ${answer.text}`);
	return answer.json.presence;
}

export const stateOf = async (who, user) => (await presenceOf(who, user)).find((p) => p.user === (user.id ?? user))?.state;
