// wire: frames byte by byte: what we take in pieces and in all sizes, what we refuse, and that what we send stays whole while clients
// are slow, ping, close and abort.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { startStack } from "../support/stack.mjs";
import { openWs } from "../support/realtime.mjs";
import { BINARY, CLOSE, PING, TEXT, encode, openRaw } from "../support/wire.mjs";
import { channel, exactly, people, range, rng, say, sendOp, texts, until } from "./help.mjs";

const MAX = 128 << 10;
let stack, alice, bob, room;

before(async () => {
	const conf = { "realtime.ping_interval": "700ms", "realtime.pong_timeout": "20s", "realtime.queue_bytes": "8M" };
	stack = await startStack({ provider: false, realtime: 2, conf, only: ["postgres", "api1", "realtime1", "lighttpd"] });
	const larger = stack.proc("realtime2"); // takes longer messages
	larger.env = { ...larger.env, PULSECHAT_REALTIME_FRAME_BYTES: "1M" };
	await stack.up("realtime2");
	[alice, bob] = await people(stack, "alice", "bob");
	room = await channel(alice, [bob]);
});
after(() => stack.stop());

const raw = async (who = alice, options = {}) => {
	const w = await openRaw(who, { via: "realtime1", ...options });
	await w.next("hello");
	return w;
};
const stored = async () => Number(await stack.psql("select count(*) from messages"));
const acked = (w, op) => w.some((l) => l.client_id === op.client_id && ["ack", "error"].includes(l.type));

/** How it is closed, or "late". */
async function closing(w, ms) {
	let timer;
	const late = new Promise((ok) => (timer = setTimeout(ok, ms, "late")));
	return Promise.race([w.closing, late]).finally(() => clearTimeout(timer));
}

/** An op of exactly n bytes, its text as long as it may be. */
function opOf(n, sign = "x") {
	const op = sendOp(room, "");
	const room_ = n - Buffer.byteLength(JSON.stringify(op));
	const each = Buffer.byteLength(sign);
	op.body.text = sign.repeat(Math.min(20000, Math.floor(room_ / each)));
	const text = JSON.stringify(op);
	return { op, bytes: Buffer.from(text + " ".repeat(n - Buffer.byteLength(text))) };
}

test("WP-1 a message in fragments of one byte with pings between, characters cut in the middle", async () => {
	const w = await raw();
	const op = sendOp(room, "é \u{1F600} \u2028 end");
	const bytes = Buffer.from(JSON.stringify(op));
	const frames = [];
	for (let i = 0; i < bytes.length; i++) {
		frames.push(encode(i ? 0 : TEXT, bytes.subarray(i, i + 1), { fin: i === bytes.length - 1 }));
		frames.push(encode(PING, `p${i}`));
		if (i % 7 === 0) frames.push(encode(0, "", { fin: false })); // an empty one, too
	}
	const final = frames.findIndex((f) => f[0] === 0x80); // nothing of it may follow
	for (const f of frames.slice(0, final + 1)) w.write(f);
	const ack = await acked(w, op);
	assert.equal(ack.type, "ack", JSON.stringify(ack));
	const m = await w.some((l) => l.type === "message" && l.seq === ack.seq);
	assert.equal(m.body.text, op.body.text);
	w.frame(PING, "p9999");
	await until(() => w.pongs.at(-1) === "p9999");
	const numbers = w.pongs.map((p) => Number(p.slice(1))); // those that come before the pong of another may go without
	for (let i = 1; i < numbers.length; i++) assert.ok(numbers[i] > numbers[i - 1], `${w.pongs}`);
	assert.ok((await w.close()).clean);
});

test("WP-1 sizes of 125, 126, 65,535, 65,536 and the most, byte for byte, in one frame, in pieces, in one segment with the next", async () => {
	const w = await raw();
	const sent = [];
	for (const n of [125 + 32, 126, 127, 200, 65535, 65536, 65537, MAX - 1, MAX]) {
		const size = Math.max(n, Buffer.byteLength(JSON.stringify(sendOp(room, "x"))));
		for (const cut of [size, 1000, 125]) {
			const { op, bytes } = opOf(size, size > 60000 ? "€" : "x");
			for (let i = 0; i < size; i += cut)
				w.write(encode(i ? 0 : TEXT, bytes.subarray(i, Math.min(i + cut, size)), { fin: i + cut >= size }));
			sent.push(op);
			assert.equal((await acked(w, op)).type, "ack", `${size} in ${cut}`);
		}
	}
	// exactly 125 and 126 bytes of payload: where the head's form changes
	for (const n of [125, 126]) {
		w.frame(TEXT, `{"op":"ping","ref":"n${n}"}`.padEnd(n));
		await w.some((l) => l.ref === `n${n}` && l.type === "pong");
		if (n === 125) {
			w.frame(PING, "p".repeat(n));
			await until(() => w.pongs.includes("p".repeat(n)));
		}
	}
	// two in one segment; then one whose head comes in two
	const [a, b, c] = ["one", "two", "three"].map((t) => sendOp(room, t));
	w.write(Buffer.concat([a, b].map((o) => encode(TEXT, JSON.stringify(o)))));
	const third = encode(TEXT, JSON.stringify(c));
	w.write(third.subarray(0, 1));
	await acked(w, b);
	w.write(third.subarray(1, 5));
	w.write(third.subarray(5));
	sent.push(a, b, c);
	const acks = [];
	for (const op of sent) acks.push(await acked(w, op));
	await w.some((l) => l.type === "message" && l.seq === acks.at(-1).seq);
	const by = new Map(w.messages.map((m) => [m.client_id, m]));
	for (const op of sent) assert.equal(by.get(op.client_id).body.text, op.body.text);
	assert.deepEqual(acks.map((x) => x.seq), range(acks[0].seq, acks[0].seq + sent.length - 1));
	assert.ok((await w.close()).clean);
});

/** A frame whose length takes `size` bytes, though it would fit into fewer. */
function long(text, size) {
	const short = encode(TEXT, text), n = Buffer.byteLength(text);
	const front = short.length - n - 4;
	const head = Buffer.alloc(2 + size);
	head[0] = short[0];
	head[1] = 0x80 | (size === 8 ? 127 : 126);
	if (size === 8) head.writeBigUInt64BE(BigInt(n), 2);
	else head.writeUInt16BE(n, 2);
	return Buffer.concat([head, short.subarray(front)]);
}

test("WP-1 what is too large is closed with 1009, bad UTF-8 with 1007, binary with 1003, broken framing with 1002; nothing is stored", async () => {
	const before = await stored();
	const { bytes } = opOf(MAX + 1);
	const pieces = [];
	for (let i = 0; i < bytes.length; i += 4000)
		pieces.push(encode(i ? 0 : TEXT, bytes.subarray(i, i + 4000), { fin: i + 4000 >= bytes.length }));
	const op = JSON.stringify(sendOp(room, "never"));
	const halves = (a, b) => [encode(TEXT, Buffer.from(a), { fin: false }), encode(0, Buffer.from(b))];
	const cases = [
		["one byte too many", [encode(TEXT, bytes)], [1009]],
		["one byte too many, in pieces", pieces, [1009]],
		["a length of 2^40, and then some of it", [encode(TEXT, Buffer.alloc(MAX + 4096, " "), { length: 2 ** 40 })], [1009]],
		["bad UTF-8", [encode(TEXT, Buffer.concat([Buffer.from(op.slice(0, -8)), Buffer.from([0xc3, 0x28]), Buffer.from(op.slice(-8))]))], [1007]],
		["a surrogate in UTF-8", [encode(TEXT, Buffer.from([0xed, 0xa0, 0x80]))], [1007]],
		["TX-1 half a surrogate in UTF-8, in two frames", halves([0x22, 0xed], [0xa0, 0xbd]), [1007]],
		["TX-1 a character that does not end", halves([0x22, 0xc3], []), [1007]],
		["binary", [encode(BINARY, op)], [1003]],
		["a reserved bit, as of compression", [encode(TEXT, op, { rsv: 4 })], [1002]],
		["another reserved bit", [encode(TEXT, op, { rsv: 1 })], [1002]],
		["a reserved opcode", [encode(3, op)], [1002]],
		["a reserved control opcode", [encode(11, "")], [1002]],
		["a ping of 126 bytes", [encode(PING, "p".repeat(126))], [1002]],
		["a ping in fragments", [encode(PING, "p", { fin: false })], [1002]],
		["a continuation of nothing", [encode(0, op)], [1002]],
		["a frame without a mask", [encode(TEXT, op, { mask: false })], [1002]],
		["a ping without a mask", [encode(PING, "p", { mask: false })], [1002]],
		["a length in more bytes than it needs", [long(op, 8)], [1002]],
		["a short length in two bytes", [long("{}", 2)], [1002]],
		["a close code that may not be sent", [encode(CLOSE, Buffer.from([1005 >> 8, 1005 & 255]))], [1002]],
		["half a close code", [encode(CLOSE, Buffer.from([3]))], [1002]],
		["a close reason that is not UTF-8", [encode(CLOSE, Buffer.from([1000 >> 8, 1000 & 255, 0xff]))], [1007]],
		["a close", [encode(CLOSE, Buffer.from([3001 >> 8, 3001 & 255, 0x62]))], [3001]],
		["a new message inside another", [encode(TEXT, op.slice(0, 9), { fin: false }), encode(TEXT, op)], [1002]],
	];
	for (const [what, frames, codes] of cases) {
		const w = await raw();
		for (const f of frames) w.write(f);
		const end = await closing(w, 5000);
		assert.notEqual(end, "late", `${what}: not closed within 5 s`);
		assert.ok(codes.includes(end?.code), `${what}: ${JSON.stringify(end)}`);
		assert.ok(!w.lines.some((l) => l.type === "ack"), what);
		w.destroy();
	}
	const w = await raw();
	await w.close();
	assert.equal(await stored(), before);
});

const OFFERS = [
	"permessage-deflate; client_max_window_bits",
	"x-webkit-deflate-frame, permessage-deflate; server_no_context_takeover",
];
/** A connection that has offered compression, and got none. */
async function offering(who, offer, options = {}) {
	const w = await raw(who, { ...options, headers: { "Sec-WebSocket-Extensions": offer } });
	assert.equal(w.answer.headers["sec-websocket-extensions"], undefined);
	return w;
}
const textsOf = (w, ops) => {
	const by = new Map(w.messages.map((m) => [m.client_id, m.body.text]));
	return ops.map((op) => by.get(op.client_id));
};
/** The most memory that a process has had at once since low() of it, in kB. */
const peak = (name) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${stack.pids[name]}/status`, "utf8"))[1]);
const low = (name) => writeFileSync(`/proc/${stack.pids[name]}/clear_refs`, "5");

test("WP-1 compression that is offered is not negotiated: 200 kB both ways, texts that are hard or easy to pack, byte for byte", async () => {
	for (const offer of OFFERS) {
		const w = await offering(alice, offer, { via: "realtime2" });
		const before = w.cursor;
		const each = [() => "a".repeat(20000), () => randomBytes(15000).toString("base64"), () => "é\u{1F600}€ ".repeat(4000).slice(0, 19999)];
		for (const make of each) {
			// one message of ten lines: in one frame, and in pieces
			for (const cut of [Infinity, 4096]) {
				const ops = range(1, 10).map(() => sendOp(room, make()));
				const bytes = Buffer.from(ops.map((op) => JSON.stringify(op)).join("\n"));
				assert.ok(bytes.length > 200000);
				for (let i = 0; i < bytes.length; i += cut)
					w.write(encode(i ? 0 : TEXT, bytes.subarray(i, i + cut), { fin: i + cut >= bytes.length }));
				const acks = await Promise.all(ops.map((op) => acked(w, op)));
				await w.some((l) => l.type === "message" && l.seq === acks.at(-1).seq);
				assert.deepEqual(textsOf(w, ops), ops.map((op) => op.body.text));
			}
		}
		// and all of it once more, as one answer to a resume
		const b = await offering(bob, offer, { via: "realtime2", cursor: before });
		const mine = w.messages.map((m) => [m.seq, m.body.text]);
		assert.equal(mine.length, 60);
		await b.some((l) => l.type === "message" && l.seq === mine.at(-1)[0]);
		assert.deepEqual(b.messages.map((m) => [m.seq, m.body.text]), mine);
		for (const f of [w, b]) assert.ok((await f.close()).clean);
	}
	const offered = await openWs(alice, { ws: { perMessageDeflate: true } });
	assert.equal(offered.socket.extensions, "");
	await offered.close();
});

test("WP-1 ten thousand small ones, compression offered: all acknowledged, all there once and in order, to the sender and to another", async () => {
	const N = 10000, UNDER_WAY = 500, AT_ONCE = 50;
	const quiet = await channel(alice, [bob]);
	const a = await offering(alice, OFFERS[0], { via: "realtime2" });
	const b = await offering(bob, OFFERS[1], { via: "realtime2" });
	const sent = range(1, N).map((n) => `${n} ${randomBytes(n % 24).toString("base64")}`);
	let acks = 0;
	const failed = [];
	a.onLine = (l) => {
		if (l.type === "ack") acks++;
		if (l.type === "error") failed.push(l);
	};
	for (let i = 0; i < N; i += AT_ONCE) {
		// a frame each, many in a segment
		a.write(Buffer.concat(sent.slice(i, i + AT_ONCE).map((text) => encode(TEXT, JSON.stringify(sendOp(quiet, text))))));
		await until(() => acks >= i + AT_ONCE - UNDER_WAY || failed.length > 0, { ms: 30000, every: 2, what: `acks after ${i}` });
	}
	await until(() => acks === N || failed.length > 0, { ms: 30000, what: "all acks" });
	assert.deepEqual(failed, []);
	for (const f of [a, b]) {
		await until(() => f.lines.length >= N && f.messages.length >= N, { ms: 30000, what: "all messages" });
		await exactly(f, quiet, 1, N);
		assert.deepEqual(texts(f.lines, quiet), sent);
		assert.ok((await f.close()).clean);
	}
});

test("WP-1 a megabyte that would inflate to 500: closed, whatever it is sent as; the process neither ends nor grows", async () => {
	// pieces that end with a full flush can be put together
	const piece = deflateRawSync(Buffer.alloc(1 << 20, " "), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
	const inflated = inflateRawSync(Buffer.concat([piece, piece]), { finishFlush: constants.Z_SYNC_FLUSH });
	assert.equal(inflated.length, 2 << 20);
	const all = Buffer.concat(Array.from({ length: 500 }, () => piece));
	const empty = Buffer.from([0, 0, 0, 0xff, 0xff]); // a stored block of nothing
	const bomb = Buffer.concat([all, ...Array.from({ length: Math.ceil(((1 << 20) - all.length) / empty.length) }, () => empty)]);
	assert.ok(bomb.length >= 1 << 20 && bomb.length < 1.1 * 2 ** 20, `${bomb.length}`);
	const inPieces = (rsv) => {
		const frames = [];
		for (let i = 0; i < bomb.length; i += 60000)
			frames.push(encode(i ? 0 : TEXT, bomb.subarray(i, i + 60000), { rsv: i ? 0 : rsv, fin: i + 60000 >= bomb.length }));
		return frames;
	};
	const before = await stored(), pid = stack.pids.realtime1;
	low("realtime1");
	const from = peak("realtime1");
	const small = bomb.subarray(0, 100000); // not too large as it is: 95 MB
	for (const [what, frames, codes] of [
		["in one frame", [encode(TEXT, bomb, { rsv: 4 })], [1002, 1009]],
		["in pieces", inPieces(4), [1002]],
		["its beginning in one frame", [encode(TEXT, small, { rsv: 4 })], [1002]],
		["without the bit", [encode(TEXT, bomb)], [1007, 1009]],
		["in pieces, without the bit", inPieces(0), [1007, 1009]],
	])
		for (const offer of OFFERS) {
			const w = await offering(alice, offer);
			for (const f of frames) w.write(f);
			const end = await closing(w, 20000);
			assert.ok(codes.includes(end?.code), `${what}: ${JSON.stringify(end)}`);
			w.destroy();
		}
	const grown = peak("realtime1") - from;
	assert.ok(grown < 32 << 10, `it has grown by ${grown} kB`);
	assert.equal(stack.pids.realtime1, pid);
	const w = await raw();
	const op = sendOp(room, "on it goes");
	w.op(op);
	assert.equal((await acked(w, op)).type, "ack");
	assert.ok((await w.close()).clean);
	assert.equal(await stored(), before + 1);
});

test("frames stay whole while clients are slow, ping, close and abort: every byte is checked", { timeout: 60000 }, async () => {
	const random = rng(20261126);
	const quiet = await channel(alice, [bob]);
	const pick = (n) => Math.floor(random() * n);
	const a = await openWs(alice, { via: "realtime1" });
	const open = async () => {
		const w = await openRaw(bob, { via: "realtime1" });
		await w.next("hello", 20000);
		return w;
	};
	const steady = await Promise.all(range(1, 6).map(open));
	const slow = await Promise.all(range(1, 6).map(open));
	const pinging = await Promise.all(range(1, 6).map(open));
	let going = true;
	const gone = [];
	const late = (ms) => new Promise((ok) => setTimeout(ok, ms));
	const workers = [
		...slow.map(async (w) => {
			while (going) {
				w.pause();
				await late(5 + pick(60));
				w.resume();
				await late(pick(4));
			}
			w.resume();
		}),
		...pinging.map(async (w) => {
			for (let i = 0; going; i++) {
				w.frame(PING, `${i}`.padEnd(pick(126), "p").slice(0, 125));
				if (i % 5 === 0) w.op({ op: "ping", ref: `r${i}` });
				await late(pick(5));
			}
		}),
		...range(1, 4).map(async (k) => {
			while (going) { // comes, is slow, goes: by a close, by a close in a ping storm, by an abort
				const w = await open();
				if (pick(2)) w.pause();
				await late(pick(80));
				const how = pick(3);
				if (how === 1) for (let i = 0; i < 20; i++) w.frame(PING, `x${i}`);
				if (how < 2) void w.close();
				if (how < 2) w.resume();
				else w.destroy();
				gone.push({ k, how, end: await w.ended });
			}
		}),
	];
	let n = 0;
	const end = Date.now() + 4000;
	const enough = () => gone.length > 20 && new Set(gone.map((g) => g.how)).size === 3 && gone.some((g) => g.how < 2 && g.end.clean);
	while (Date.now() < end || !enough()) {
		for (let i = pick(8); i >= 0; i--) a.send(sendOp(quiet, `${++n} `.padEnd([20, 300, 5000, 19000][pick(4)], "€")));
		const behind = [...slow, ...steady, ...pinging].map((w) => n - w.messages.length);
		if (Math.max(...behind) > 40) await until(() => slow.every((w) => w.messages.length >= n - 40), { ms: 30000, every: 5 });
	}
	const last = (await say(a, quiet, "the last")).seq;
	assert.equal(last, n + 1);
	going = false;
	await Promise.all(workers);
	for (const w of [...steady, ...slow, ...pinging]) {
		await exactly(w, quiet, 1, last, 30000);
		const ended = await w.close();
		assert.deepEqual([ended.code, ended.whole], [1000, true]);
	}
	const all = texts(steady[0].lines, quiet);
	assert.deepEqual(all.slice(0, -1).map((t) => Number(t.split(" ")[0])), range(1, n));
	// who closes while he is slow may be cut off in the middle of a frame, but nothing follows there
	for (const { end: e } of gone) if (e.clean) assert.deepEqual([e.code, e.whole], [1000, true]);
	assert.ok(Math.max(...steady.map((w) => w.checker.largest)) > 50000, "long frames were among them");
	await a.close();
});
