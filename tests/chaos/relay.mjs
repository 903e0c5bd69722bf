// relay: a small TCP and Unix relay that can be told to cut, delay or freeze what passes. A process of its own (fork()), so that
// what it carries does not wait for the clients' work. Messages to it:
//   {op: "open", link, listen, to}      listen and to: a port number, or the path of a socket; answered by {opened: link, at}
//   {op: "lead", link, to}              new connections go there
//   {op: "cut", link, share, how}       ends a share (0..1) of the connections: how "reset" or "end"
//   {op: "delay", link, ms}             what comes from now on passes that much later, in order; 0: at once
//   {op: "freeze", link, share, match}  half-open: these carry nothing any more in either direction, and nobody is told;
//                                       match: only those whose first bytes from the client hold this text
//   {op: "swallow", link, on}           new connections are frozen from their beginning
//   {op: "thaw", link}                  frozen connections are cut: what was lost on the way cannot be brought back
//   {op: "refuse", link, on}            new connections are reset

import { connect, createServer } from "node:net";
import { rmSync } from "node:fs";

const links = new Map(); // name -> {pairs, delay, refuse, swallow}

function carry(from, to, pair, link) {
	const queue = []; // {at, data}; data null: the end
	let timer = null;
	const flush = () => {
		timer = null;
		while (queue.length && queue[0].at <= performance.now()) {
			const { data } = queue.shift();
			if (pair.frozen || to.destroyed) continue;
			if (data === null) to.end();
			else if (!to.write(data)) {
				from.pause();
				to.once("drain", () => from.resume());
			}
		}
		if (queue.length) timer = setTimeout(flush, Math.max(1, queue[0].at - performance.now()));
	};
	const pass = (data) => {
		if (pair.frozen) return;
		queue.push({ at: Math.max(performance.now() + link.delay, queue.at(-1)?.at ?? 0), data });
		if (queue.length === 1 && queue[0].at <= performance.now()) flush();
		else timer ??= setTimeout(flush, Math.max(1, queue[0].at - performance.now()));
	};
	from.on("data", (data) => {
		if (from === pair.a) pair.first ??= data.toString("latin1");
		pass(data);
	});
	from.on("end", () => pass(null));
}

function open({ link: name, listen, to }) {
	const link = { pairs: new Set(), delay: 0, refuse: false, swallow: false, to };
	links.set(name, link);
	const server = createServer({ allowHalfOpen: true }, (a) => {
		a.on("error", () => {});
		if (link.refuse) {
			reset(a);
			return;
		}
		const where = typeof link.to === "number" ? { port: link.to, host: "127.0.0.1" } : { path: link.to };
		const b = connect({ ...where, allowHalfOpen: true });
		const pair = { a, b, frozen: link.swallow };
		link.pairs.add(pair);
		for (const s of [a, b]) {
			s.setNoDelay?.(true);
			s.on("error", () => end(pair, "reset"));
			s.on("close", () => {
				if (!pair.frozen) end(pair, "reset", link.delay);
			});
		}
		carry(a, b, pair, link);
		carry(b, a, pair, link);
	});
	const end = (pair, how, after = 0) => {
		if (!link.pairs.delete(pair)) return;
		const now = () => {
			for (const s of [pair.a, pair.b]) {
				if (how === "reset") reset(s);
				else s.destroy();
			}
		};
		if (after) setTimeout(now, after + 5);
		else now();
	};
	link.end = end;
	if (typeof listen === "string") rmSync(listen, { force: true });
	server.listen(typeof listen === "number" ? { port: listen, host: "127.0.0.1" } : { path: listen }, () =>
		process.send({ opened: name, at: typeof listen === "number" ? server.address().port : listen }),
	);
}

/** RST where there is such a thing. */
function reset(socket) {
	if (socket.remoteAddress && !socket.destroyed) socket.resetAndDestroy();
	else socket.destroy();
}

function some(link, share) {
	return [...link.pairs].filter(() => Math.random() < share);
}

process.on("message", (m) => {
	const link = links.get(m.link);
	if (m.op === "open") open(m);
	else if (m.op === "lead") link.to = m.to;
	else if (m.op === "cut") for (const p of some(link, m.share)) link.end(p, m.how);
	else if (m.op === "delay") link.delay = m.ms;
	else if (m.op === "refuse") link.refuse = m.on;
	else if (m.op === "swallow") link.swallow = m.on;
	else if (m.op === "freeze") {
		for (const p of some(link, m.share)) if (!m.match || p.first?.includes(m.match)) p.frozen = true;
	}
	if (m.op === "thaw") for (const p of [...link.pairs].filter((x) => x.frozen)) link.end(p, "reset");
});
process.on("disconnect", () => process.exit(0));
