// property: 20 people with two devices each do at random what people do (actions.mjs), over two realtime processes and pulsechat-api;
// devices lose their connections, change their transport and are away. Whenever it is still, and at the end, each device's state by events
// is that of a fresh load; and what each of them loaded a while before, carried on to the end by each transport, too
// (tests/support/model.mjs). $SECONDS is how long it goes on, with the looks at what they have (600: ten minutes); $SEED repeats the choices
// of a run: what they meet differs.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { bot } from "../support/http.mjs";
import { startStack } from "../support/stack.mjs";
import { openWs, poll } from "../support/realtime.mjs";
import { openSse } from "../support/sse.mjs";
import { rng } from "../support/random.mjs";
import { sleep, until } from "../support/until.mjs";
import { Model, remembering } from "../support/model.mjs";
import { png, uploaded } from "../files/uploads.mjs";
import { crowd, people } from "../realtime/help.mjs";
import { ACTIONS, met } from "./actions.mjs";

const SECONDS = Number(process.env.SECONDS ?? 60);
const ROUND = Math.min(30, SECONDS / 2); // seconds, after which it is still for a moment
const ROUNDS = Math.floor(SECONDS / ROUND);
const BEFORE = Math.min(2, ROUNDS / 2); // rounds before the end, from where what was loaded is carried on
const SPARE = 60000; // ms
const END = (SECONDS + 230) * 1000; // ms, in which all of it is over
const SEED = process.env.SEED ? Number(process.env.SEED) : (Math.random() * 2 ** 31) | 0;
const AT_ONCE = 4;
const IDLE = 5; // polls
const PEOPLE = 20;

let stack, keeper, artist;
before(async () => {
	stack = await startStack({ realtime: 2, api: 1, conf: { "realtime.ring_events": 64, "reads.coalesce": "100ms", "groups.managers": "members" } });
	[keeper] = await people(stack, "alice");
	artist = await bot(stack, "alice", ["read", "write", "files"]);
});
const all = new Set(); // of the devices
after(async () => {
	for (const d of all) d.stop(); // a test that failed may have left them on their way
	await stack?.stop();
});

/** A file of the keeper's that may become an emoji. */
async function picture(room) {
	return (await uploaded(artist, room, png(), { name: "e.png", type: "image/png" })).id;
}

const stream = (open) => async (device, via, turn) => {
	const { cursor, reads, drafts } = device.model;
	const feed = await open(device.me, {
		via,
		cursor,
		instance: device.instance,
		reads,
		drafts,
		query: { reads, drafts },
		hello: false,
		onLine: device.ear(turn),
	});
	device.feed = feed;
	device.hang = () => feed.terminate();
	if (turn !== device.turns) feed.terminate(); // cut while it was opened
	const { code, reason } = await feed.closed;
	assert.ok(turn !== device.turns || feed.lines[0]?.type === "hello", `a connection was not taken: ${code} ${reason}`);
};

const polls = (wait) => async (device, via, turn) => {
	const hear = device.ear(turn);
	const abort = new AbortController();
	device.hang = () => abort.abort();
	let idle = 0;
	while (turn === device.turns) {
		const { cursor, reads, drafts } = device.model;
		const began = Date.now();
		const p = await poll(device.me, { via, cursor, reads, drafts, wait, instance: device.instance, signal: abort.signal });
		assert.equal(p.status, 200, p.text);
		p.lines.forEach(hear);
		const { model } = device;
		const moved = model.cursor !== cursor || model.reads !== reads || model.drafts !== drafts;
		idle = wait === 0 || moved || Date.now() - began > wait * 900 ? 0 : idle + 1;
		assert.ok(idle < IDLE, `${idle} polls in a row were answered at once, and with nothing new: ${p.text}`);
		if (wait === 0) await sleep(300);
		else if (!moved) await model.settle(device.me); // it is told of a long draft until it has loaded it
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
	heard = 0; // grows with its state
	connects = {};

	constructor(me, how, model) {
		Object.assign(this, { me, how, model });
		all.add(this);
	}

	toString() {
		return `a device of user ${this.me.id} by ${this.how}`;
	}

	/** Takes the lines of one connection, until it is cut. */
	ear(turn) {
		return (line) => {
			if (turn !== this.turns) return;
			this.model.take(line);
			this.heard++;
			this.model.settle(this.me)?.then(
				() => this.heard++,
				(e) => this.fail(e),
			);
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
				await connect(this, vias[turn % vias.length], turn).catch((e) => turn === this.turns && this.fail(e));
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
		return doing(`the end of ${this}`, this.me, () => this.done);
	}

	/** It goes no further: what is wrong is to be seen. */
	fail(e) {
		this.error ??= e;
		this.stopped = true;
		this.cut();
	}
}

const underWay = new Set(); // {what, path}

/** Does it, with the person as a client that notes what it asks: a run that comes to no end tells where it stands. */
async function doing(what, me, act) {
	const step = { what, path: "" };
	underWay.add(step);
	try {
		return await act({ get: (path) => me.get((step.path = path)) });
	} finally {
		underWay.delete(step);
	}
}

/** Where two states differ first, and what is there in each, and around it: the whole of them is megabytes. */
function difference(held, fresh, path = "", around = null) {
	const deep = (x) => typeof x === "object" && x !== null;
	if (deep(held) && deep(fresh))
		for (const key of new Set([...Object.keys(fresh), ...Object.keys(held)]))
			if (!isDeepStrictEqual(held[key], fresh[key])) return difference(held[key], fresh[key], `${path}/${key}`, [held, fresh]);
	const shown = (x) => JSON.stringify(x)?.slice(0, 300);
	const within = around && `, in ${shown(around[0])}, there in ${shown(around[1])}`;
	return `${path}: it has ${shown(held)}, there is ${shown(fresh)}${within ?? ""}`;
}

/**
 * Waits until the devices' states are that of a fresh load, each of its person: of all messages, or of the newest of each channel, to which
 * most that is done is done. Nobody does anything meanwhile, so what was loaded holds; a device is looked at again when it has heard something.
 */
async function agree(devices, where, { newest = false } = {}) {
	const each = async (me) => {
		const load = await doing(`a load of user ${me.id}`, me, (who) => new Model(me.id, { newest }).load(who));
		const fresh = load.state();
		const own = devices.filter((one) => one.me === me);
		for (const d of own) if (!d.done) d.start();
		for (const d of own) {
			let looked = -1, differs;
			const agrees = () => {
				if (d.error || looked === d.heard) return d.error;
				looked = d.heard;
				const held = d.model.state(load.since);
				differs = isDeepStrictEqual(held, fresh) ? undefined : () => difference(held, fresh);
				return !differs;
			};
			const what = `${d} has by events what is there ${where}`;
			await doing(what, me, () => until(agrees, { what, ms: 30000, every: 50 })).catch((e) => {
				throw new Error(`${e.message}: ${differs()}`);
			});
			if (d.error) throw new Error(`${d} ${where}`, { cause: d.error });
		}
	};
	const people = [...new Set(devices.map((d) => d.me))];
	const next = async () => {
		while (people.length > 0) await each(people.shift());
	};
	await Promise.all(Array.from({ length: 4 }, next));
}

const late = (ms) =>
	new Promise((_ok, no) => {
		const told = () => [...underWay].map(({ what, path }) => `${what} ${path}`.trim()).join(", ");
		const logs = () => stack.names.map((name) => `${name}: ${stack.log(name).trimEnd().split("\n").slice(-3).join("\n")}`).join("\n");
		setTimeout(() => no(new Error(`no end after ${ms} ms; under way: ${told()}\n${logs()}`)), ms).unref();
	});

test("random actions of 20 people: what each client has by events equals a fresh load", { timeout: END + 10000 }, (t) =>
	Promise.race([run(t), late(END)]).catch((e) => {
		throw new Error(`SEED=${SEED}: ${e.message}`, { cause: e });
	}),
);

async function run(t) {
	t.diagnostic(`SEED=${SEED} SECONDS=${SECONDS}`);
	const random = rng(SEED);
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
		picture: () => picture(everyone.room),
		rooms,
		groups: [],
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
		const made = await keeper.post("/api/v1/channels", { name: `open ${SEED}`, kind: "public" });
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
	const never = () => ACTIONS.filter((a) => done.get(a.name) === 0);
	const choose = () => {
		if (random() < 0.2 && never().length > 0) return one(never());
		let at = random() * total;
		return ACTIONS.find((a) => (at -= a.weight) < 0) ?? ACTIONS[0];
	};
	/** spare: how much longer, in ms, for what nobody could do so far: a slow machine does little in a minute. */
	async function act(end, spare) {
		for (;;) {
			const over = Date.now() >= end;
			if (over && (never().length === 0 || Date.now() >= end + spare)) return;
			const action = over && random() < 0.5 ? one(never()) : choose(); // much takes what others do first
			const me = one(w.people);
			const answer = await doing(`${action.name} of user ${me.id}`, me, () => action.run(w, me));
			if (answer === true || answer?.ok || answer?.status === 200) done.set(action.name, done.get(action.name) + 1);
			else if (answer) {
				assert.ok(met(answer), `${action.name}: ${answer.status} ${answer.text}`);
				refused++;
			}
			await sleep(below(350));
		}
	}
	const halfway = [];
	const began = Date.now();
	try {
		for (let round = 1; round <= ROUNDS; round++) {
			const end = began + round * ROUND * 1000, spare = round === ROUNDS ? SPARE : 0;
			await Promise.all(Array.from({ length: AT_ONCE }, () => act(end, spare)));
			await agree(devices, `after round ${round}`, { newest: round < ROUNDS });
			if (round === ROUNDS - BEFORE)
				for (const me of w.people) {
					const then = remembering(me);
					const load = (who) => new Model(me.id).load(who);
					for (const how of names) halfway.push(new Device(me, how, await doing(`a first load of user ${me.id}`, then, load)));
				}
		}
		await Promise.all(devices.map((d) => d.stop()));
		await agree(halfway, `by what came since it was loaded`);
	} finally {
		await Promise.all([...devices, ...halfway].map((d) => d.stop()));
	}
	const counts = Object.entries(Object.fromEntries(done)).map(([name, n]) => `${name} ${n}`);
	t.diagnostic(`${counts.join(", ")}; refused ${refused}`);
	const connects = names.map((name) => `${name} ${devices.reduce((n, d) => n + (d.connects[name] ?? 0), 0)}`);
	t.diagnostic(`connections: ${connects.join(", ")}`);
	for (const [name, n] of done) assert.ok(n > 0, `nobody could ${name}`);
}
