// presign: how many addresses of uploads and downloads one thread signs, beside the HMACs alone that it takes (tests/bench/presign.c).

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../conf/run/stack.mjs";
import { quiet } from "./site.mjs";

const run = promisify(execFile);

export async function presign(cell, options) {
	await quiet(options.patience);
	const { stdout } = await run(join(ROOT, "build/plain/tests/bench/presign"), [options.quick ? "1.5" : "9"]);
	const r = JSON.parse(stdout);
	cell.say(
		`S3: ${Math.round(r.urls / 1000)} k presigned URLs/s, one thread (${(1e6 / r.urls).toFixed(1)} µs each); its HMACs and hashes alone ` +
			`by OpenSSL's one-shot calls: ${Math.round(r.floor / 1000)} k/s`,
	);
	cell.say(`CloudFront: ${Math.round(r.cloudfront)} signed URLs/s (RSA 2048)`);
	cell.figures = r;
}
