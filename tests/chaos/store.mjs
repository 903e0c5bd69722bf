// store: an S3 store that takes its time, for checks of what was uploaded. A process of its own (fork()): what it sends does not wait for
// the clients' work. Every key is there, all zeros; signatures are not looked at. A HEAD is answered after HEAD_MS, bytes come
// by BYTES_A_TICK each TICK_MS, where it was told {quick: true} at once. Its arguments: the port, and how large everything is. It says
// {held, reading}: how many requests of each kind are under way.

import { createServer } from "node:http";

const HEAD_MS = 300;
const TICK_MS = 10;
const BYTES_A_TICK = 200 << 10;
const [port, size] = process.argv.slice(2).map(Number);
const zeros = Buffer.alloc(BYTES_A_TICK);
let held = 0;
let reading = 0;
let quick = false;
const tell = () => process.send({ held, reading });

const server = createServer((q, r) => {
	const head = { "content-length": size, "content-type": "application/octet-stream" };
	if (q.method === "HEAD") {
		held++;
		tell();
		setTimeout(() => {
			held--;
			r.writeHead(200, head).end();
		}, quick ? 0 : HEAD_MS);
		return;
	}
	if (q.method !== "GET") return void r.writeHead(204).end(); // a deletion
	reading++;
	tell();
	r.writeHead(200, head);
	let left = size;
	const tick = setInterval(() => {
		do {
			const n = Math.min(left, zeros.length);
			left -= n;
			if (n > 0) r.write(zeros.subarray(0, n));
		} while (quick && left > 0);
		if (left === 0) {
			clearInterval(tick);
			r.end();
		}
	}, TICK_MS);
	r.on("close", () => {
		clearInterval(tick);
		reading--;
		tell();
	});
});
process.on("message", (m) => (quick = m.quick));
process.on("disconnect", () => process.exit(0));
server.listen(port, "127.0.0.1", tell);
