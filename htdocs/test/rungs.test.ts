// The ladder by a clock of its own: rungs, waits, offline, the end. No timer of the machine takes part.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ladder } from '../src/net/ladder';
import type { LinkEvents, Rung, Transport } from '../src/net/transport';

function world() {
	let now = 1_000_000;
	const timers = new Set<{ at: number; f: () => void }>();
	const opened: { rung: Rung; cursor: string | null; on: LinkEvents; closed: boolean; at: number }[] = [];
	const said: string[] = [];
	const w = {
		opened,
		said,
		online: true,
		memory: null as { rung: Rung; until: number } | null,
		lost: 0,
		stopped: '',
		get link() {
			return opened.at(-1)!;
		},
		/* Lets time pass, timer by timer. */
		pass(ms: number) {
			const end = now + ms;
			for (;;) {
				const due = [...timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
				if (!due) break;
				timers.delete(due);
				now = Math.max(now, due.at);
				due.f();
			}
			now = end;
		},
		transport(rung: Transport['rung']): Transport {
			return {
				rung,
				openIn: 4_000,
				open: (cursor, _instance, on) => {
					const link = { rung, cursor: cursor(), on, closed: false, at: now };
					opened.push(link);
					return { silence: 45_000, send: () => rung === 'ws', ping: () => {}, close: () => void (link.closed = true) };
				},
			};
		},
		ladder: null as unknown as Ladder,
	};
	w.ladder = new Ladder({
		now: () => now,
		setTimeout: (f, ms) => {
			const t = { at: now + ms, f };
			timers.add(t);
			return t;
		},
		clearTimeout: (t) => timers.delete(t),
		random: () => 1,
		online: () => w.online,
		hidden: () => false,
		recall: () => w.memory,
		remember: (m) => (w.memory = m),
		transports: [w.transport('ws'), w.transport('poll')],
		instance: 'tab',
		onLines: () => {},
		onState: (state) => said.push(state),
		onLost: () => w.lost++,
		onFailed: () => {},
		onBetter: () => {},
		onStop: (reason) => (w.stopped = reason),
	});
	return w;
}

test('it follows from the cursor of the last line, not from that of hello', () => {
	const w = world();
	w.ladder.start('a');
	w.link.on.live();
	w.link.on.lines([{ type: 'hello', cursor: 'z' }, { type: 'message', cursor: 'b' }]);
	w.link.on.ended({ kind: 'lost', why: 'closed 1006' });
	w.pass(30_000);
	assert.equal(w.opened.length >= 2, true);
	assert.equal(w.opened[1]!.cursor, 'b');
});

test('a WebSocket that is refused, or opens and stays mute, gives way to long-poll', () => {
	const refused = world();
	refused.ladder.start('a');
	refused.link.on.ended({ kind: 'lost', why: 'closed 1006' });
	assert.equal(refused.link.rung, 'poll');
	const mute = world();
	mute.ladder.start('a');
	mute.link.on.opened();
	mute.pass(4_001);
	assert.equal(mute.link.rung, 'poll');
	mute.link.on.live();
	assert.equal(mute.ladder.state, 'live');
	assert.equal(mute.memory?.rung, 'poll');
});

test('from long-poll it comes back to WebSocket as soon as one lives', () => {
	const w = world();
	w.ladder.start('a');
	w.link.on.ended({ kind: 'lost', why: 'refused' });
	const poll = w.link;
	poll.on.live();
	w.pass(37_501);
	assert.equal(w.link.rung, 'ws', 'it has tried');
	w.link.on.live();
	assert.equal(w.ladder.rung, 'poll', 'but does not trust it at once');
	w.pass(10_001);
	assert.equal(w.ladder.rung, 'ws');
	assert.equal(poll.closed, true);
	assert.equal(w.memory, null);
});

test('it waits longer after each failure, never above its bound, and at once when the network is back', () => {
	const w = world();
	w.ladder.start('a');
	for (let i = 0; i < 400; i++) {
		if (w.ladder.state === 'connecting') w.link.on.ended({ kind: 'lost', why: 'refused' });
		w.pass(500);
	}
	const tries = w.opened.filter((o) => o.rung === 'ws').map((o) => o.at);
	const waits = tries.slice(1).map((at, i) => at - tries[i]!);
	assert.ok(waits[0]! < waits[2]!, `${waits}`);
	assert.ok(Math.max(...waits) <= 31_500, `${waits}`);
	while (w.ladder.state === 'connecting') w.link.on.ended({ kind: 'lost', why: 'refused' });
	assert.equal(w.ladder.state, 'waiting');
	const before = w.opened.length;
	w.ladder.wake();
	assert.equal(w.opened.length, before + 1);
});

test('it comes back when it is told to', () => {
	const w = world();
	w.ladder.start('a');
	w.link.on.live();
	w.pass(20_000);
	w.link.on.ended({ kind: 'lost', why: 'closed 1012', planned: true, retryAfter: 7 });
	w.pass(6_900);
	assert.equal(w.opened.length, 1);
	w.pass(200);
	assert.equal(w.opened.length, 2);
	assert.equal(w.link.rung, 'ws', 'a planned end says nothing against the transport');
});

test('a silent link is given up by the clock alone', () => {
	const w = world();
	w.ladder.start('a');
	w.link.on.live();
	w.pass(45_001);
	assert.equal(w.opened.length, 1);
	w.ladder.tick();
	assert.equal(w.opened.length, 2);
	assert.equal(w.opened[0]!.closed, true);
});

test('a session that has ended ends it all', () => {
	const w = world();
	w.ladder.start('a');
	w.link.on.live();
	w.link.on.ended({ kind: 'stop', reason: 'signed_out' });
	assert.equal(w.stopped, 'signed_out');
	w.pass(3_600_000);
	w.ladder.wake();
	w.ladder.tick();
	w.ladder.wentOffline();
	assert.equal(w.opened.length, 1);
});

test('a cursor that is not known any more: without one, and all is loaded again', () => {
	const w = world();
	w.ladder.start('a');
	w.link.on.ended({ kind: 'bad_cursor' });
	assert.equal(w.link.cursor, null);
	assert.equal(w.lost, 1);
});

test('fewer events than the server has sent: all is loaded again', () => {
	const w = world();
	w.ladder.start('a');
	w.link.on.live();
	w.link.on.lines([{ type: 'message', cursor: 'b' }, { type: 'heartbeat', cursor: 'b', sent: 1 }]);
	assert.equal(w.lost, 0);
	w.link.on.lines([{ type: 'heartbeat', cursor: 'c', sent: 2 }]);
	assert.equal(w.lost, 1);
});
