// property: 20 people with two devices each do at random what people do (actions.mjs), over two realtime processes and pulsechat-api;
// devices lose their connections, change their transport and are away. Whenever it is still, and at the end, each device's state by events
// is that of a fresh load; and what each of them loaded halfway, carried on to the end by each transport, too (tests/support/model.mjs).
// $SECONDS makes it longer (600 for ten minutes), $SEED repeats the choices of a run: what they meet differs.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { startStack } from "../support/stack.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { rng } from "../support/random.mjs";
import { sleep, until } from "../support/until.mjs";
import { Model, remembering } from "../support/model.mjs";
import { crowd, people } from "../realtime/help.mjs";
import { ACTIONS, STATE } from "./actions.mjs";

const SECONDS = Number(process.env.SECONDS ?? 60);
const ROUNDS = Math.max(2, Math.round(SECONDS / 30)); // after each of which it is still for a moment
const AT_ONCE = 4;
const PEOPLE = 20;

let stack, keeper;
before(async () => {
	stack = await startStack({ realtime: 2, api: 1, conf: { "realtime.ring_events": 64, "reads.coalesce": "100ms" } });
	[keeper] = await people(stack, "alice");
});
after(() => stack?.stop());

/** Files of the keeper's that count as uploaded; there is nothing of them in the store. */
async function pictures() {
	const rows = await stack.psql(`INSERT INTO files (owner, client_id, channel_id, name, size, declared_type, type, key, state, put_until)
		SELECT ${keeper.id}, gen_random_uuid(), (SELECT min(id) FROM channels), 'e.png', 9, 'image/png', 'image/png', 'none/' || n, 'ready', now()
		FROM generate_series(1, ${200 + SECONDS}) n RETURNING id`);
	return rows.split("\n").map(Number);
}

const stream = (open) => async (device, via, turn) => {
	const feed = await open(device.me, {
		via,
		cursor: device.model.cursor,
		instance: device.instance,
		reads: device.model.reads,
		query: { reads: device.model.reads },
		hello: false,
		onLine: device.ear(turn),
	});
	device.feed = feed;
	device.hang = () => feed.terminate();
	if (turn !== device.turns) feed.terminate(); // cut while it was opened
	await feed.closed;
};

const polls = (wait) => async (device, via, turn) => {
	const hear = device.ear(turn);
	const abort = new AbortController();
	device.hang = () => abort.abort();
	while (turn === device.turns) {
		const { cursor, reads } = device.model;
		const p = await poll(device.me, { via, cursor, reads, wait, instance: device.instance, signal: abort.signal });
		assert.equal(p.status, 200, p.text);
		p.lines.forEach(hear);
		if (wait === 0) await sleep(300);
	}
};

/** By name: [one connection, or polls until hung up; processes that it goes to]. */
const TRANSPORTS = {
	"WebSocket": [stream(openWs), ["realtime1", "realtime2", undefined]],
	"server-sent events": [stream(openSse), ["realtime1", "realtime2", undefined]],
	"long-poll": [polls(5), ["realtime1", "realtime2", undefined]],
	"long-poll of pulsechat-api": [polls(5), ["api1"]],
	"polling": [polls(0), ["realtime1", "api1", "realtime2"]],
};

class Device {
	instance = randomUUID();
	turns = 0;
	connects = {};

	constructor(me, how, model) {
		Object.assign(this, { me, how, model });
	}

	/** Takes the lines of one connection, until it is cut. */
	ear(turn) {
		return (line) => {
			if (turn !== this.turns) return;
			this.model.take(line);
			this.model.settle(this.me)?.catch((e) => (this.error ??= e));
		};
	}

	start() {
		this.stopped = false;
		this.done = (async () => {
			while (!this.stopped) {
				if (this.pause) await this.pause;
				const turn = ++this.turns;
				const [connect, vias] = TRANSPORTS[this.how];
				this.connects[this.how] = (this.connects[this.how] ?? 0) + 1;
				await connect(this, vias[turn % vias.length], turn).catch((e) => {
					if (turn === this.turns) this.error ??= e;
				});
				this.feed = null;
			}
		})();
		return this;
	}

	cut() {
		this.turns++;
		this.hang?.();
	}

	change(w) {
		this.how = w.one(Object.keys(TRANSPORTS).filter((name) => name !== this.how));
		this.cut();
	}

	away(ms) {
		this.pause ??= sleep(ms).then(() => (this.pause = null));
		this.cut();
	}

	stop() {
		this.stopped = true;
		this.cut();
		return this.done;
	}
}

/** Waits until the devices' states are that of a fresh load, each of its person. */
async function agree(devices, where) {
	const each = async (me) => {
		const own = devices.filter((d) => d.me === me);
		await until(
			async () => {
				const fresh = (await new Model(me.id).load(me)).state();
				for (const d of own) {
					if (d.error) throw d.error;
					const held = d.model.state();
					for (const kind of Object.keys(fresh))
						assert.deepEqual(held[kind], fresh[kind], `${kind}, ${d.how} of user ${me.id} ${where}`);
				}
				return true;
			},
			{
				what: `what the devices of user ${me.id} have by events is what is there ${where}`,
				ms: 30000,
				every: 200,
			},
		);
	};
	const people = [...new Set(devices.map((d) => d.me))];
	while (people.length > 0) await Promise.all(people.splice(0, 4).map(each));
}

test("random actions of 20 people: what each client has by events equals a fresh load", { timeout: (SECONDS + 240) * 1000 }, async (t) => {
	const seed = process.env.SEED ? Number(process.env.SEED) : (Math.random() * 2 ** 31) | 0;
	t.diagnostic(`SEED=${seed} SECONDS=${SECONDS}`);
	const random = rng(seed);
	const below = (n) => Math.floor(random() * n);
	const one = (list) => list[below(list.length)];
	const everyone = await crowd(stack, keeper, PEOPLE);
	for (const me of everyone.people) me.id = (await me.get("/api/v1/me")).json.user.id;
	const rooms = [{ id: everyone.room, kind: "private", last: 0 }];
	const directs = [];
	const w = {
		below,
		one,
		chance: (p) => random() < p,
		people: everyone.people,
		keeper,
		pictures: await pictures(),
		rooms,
		path: (room, seq) => `/api/v1/channels/${room.id}/messages/${seq}`,
		seq: (room) => room.last && Math.max(1, room.last - below(25)),
		room(me) {
			const ids = me.devices?.[0].model.rooms;
			const of = [...rooms, ...directs].filter((r) => ids?.has(r.id));
			return of.length > 0 ? one(of) : undefined;
		},
		async direct(me, other) {
			const answer = await me.post("/api/v1/channels", { kind: "direct", members: [other.id] });
			if (answer.status === 201) directs.push({ id: answer.json.id, kind: "direct", last: 0 });
			return answer;
		},
	};
	const create = ACTIONS.find((a) => a.name === "make a channel");
	for (let i = 0; i < 5; i++) await create.run(w, keeper);
	if (!rooms.some((r) => r.kind === "public")) {
		const made = await keeper.post("/api/v1/channels", { name: `open ${seed}`, kind: "public" });
		rooms.push({ id: made.json.id, kind: "public", last: 0 });
	}

	const devices = [];
	const names = Object.keys(TRANSPORTS);
	for (const me of w.people) {
		me.devices = [];
		for (let i = 0; i < 2; i++) me.devices.push(new Device(me, names[devices.length % names.length], await new Model(me.id).load(me)));
		devices.push(...me.devices);
	}
	for (const d of devices) d.start();

	// --- actions
	const total = ACTIONS.reduce((n, a) => n + a.weight, 0);
	const done = new Map(ACTIONS.map((a) => [a.name, 0]));
	let refused = 0;
	const choose = () => {
		const never = ACTIONS.filter((a) => done.get(a.name) === 0);
		if (never.length > 0 && random() < 0.2) return one(never);
		let at = random() * total;
		return ACTIONS.find((a) => (at -= a.weight) < 0) ?? ACTIONS[0];
	};
	async function act(end) {
		while (Date.now() < end) {
			const action = choose();
			const answer = await action.run(w, one(w.people));
			if (answer === true || answer?.ok || answer?.status === 200) done.set(action.name, done.get(action.name) + 1);
			else if (answer) {
				assert.ok(STATE.includes(answer.status), `${action.name}: ${answer.status} ${answer.text}`);
				refused++;
			}
			await sleep(below(350));
		}
	}
	const halfway = [];
	try {
		for (let round = 1; round <= ROUNDS; round++) {
			const end = Date.now() + (SECONDS * 1000) / ROUNDS;
			await Promise.all(Array.from({ length: AT_ONCE }, () => act(end)));
			await agree(devices, `after round ${round} of SEED=${seed}`);
			if (round === Math.ceil(ROUNDS / 2))
				for (const me of w.people) {
					const then = remembering(me);
					for (const how of names) halfway.push(new Device(me, how, await new Model(me.id).load(then)));
				}
		}
		await Promise.all(devices.map((d) => d.stop()));
		for (const d of halfway) d.start();
		await agree(halfway, `by what came since it was loaded, SEED=${seed}`);
	} finally {
		await Promise.all([...devices, ...halfway].map((d) => d.stop()));
	}
	const counts = Object.entries(Object.fromEntries(done)).map(([name, n]) => `${name} ${n}`);
	t.diagnostic(`${counts.join(", ")}; refused ${refused}`);
	const connects = names.map((name) => `${name} ${devices.reduce((n, d) => n + (d.connects[name] ?? 0), 0)}`);
	t.diagnostic(`connections: ${connects.join(", ")}`);
	for (const [name, n] of done) assert.ok(n > 0, `nobody could ${name}`);
});
