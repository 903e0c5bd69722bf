// uploads: what the tests of uploads, files and messages with files share.
//
//   for (const kind of STORES) eachStore(kind, (site) => { test(named(kind, "..."), async () => { site.stack, site.alice … }) })
//   const up = await begin(alice, channel, bytes, { name, type, … })     // Upload, as POST /api/v1/uploads answers
//   await putTo(up.put, bytes)                                           // the store's answer
//   const ready = await uploaded(alice, channel, bytes, { … })           // all of it; the Upload, ready

import { after, before, describe } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { deflateSync } from "node:zlib";
import { ok } from "../api/help.mjs";
import { bot, exchange } from "../support/http.mjs";
import { poll } from "../support/realtime.mjs";
import { startStack } from "../support/stack.mjs";
import { radosgwMissing, startRadosgw } from "../support/radosgw.mjs";
import { sleep, until } from "../support/until.mjs";
import { localStore, send, sign } from "./help.mjs";

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The stores that the tests know: local, radosgw. */
export const STORES = (process.env.PC_STORES ?? "local,radosgw").split(",");

/** A site with a store of that kind, as a group of tests. conf: of [files]. define(site): site has stack, alice, bob, root, gw. */
export function eachStore(kind, { conf = {}, ...options }, define) {
	const missing = kind === "radosgw" ? radosgwMissing() : "";
	describe(kind, { skip: missing || false, concurrency: false }, () => {
		const site = { kind };
		before(async () => {
			if (kind === "radosgw") site.gw = await startRadosgw();
			site.stack = await startStack({
				provider: false,
				files: kind === "local",
				realtime: 1,
				...options,
				conf: { ...options.stackConf, files: { ...(site.gw?.conf ?? {}), ...conf } },
			});
			const scopes = ["read", "write", "files"];
			[site.alice, site.bob, site.carol] = await Promise.all(["alice", "bob", "carol"].map((u) => bot(site.stack, u, scopes)));
		});
		after(async () => {
			await site.stack?.stop();
			await site.gw?.stop();
		});
		define(site);
	});
}

export function wish(channel, bytes, { name = "a.bin", type = "application/octet-stream", client_id = randomUUID(), ...more } = {}) {
	return { client_id, channel, name, type, size: bytes.length, sha256: sha256(bytes), ...more };
}

export async function begin(who, channel, bytes, options) {
	return ok(await who.post("/api/v1/uploads", wish(channel, bytes, options)), 201);
}

/** Sends it as told, and only as told; headers: changes. */
export function putTo(put, body, { headers = {}, ...options } = {}) {
	return exchange(put.url, { method: put.method, body, ...options, headers: { ...put.headers, "content-length": body.length, ...headers } });
}

export const path = (up, more = "") => `/api/v1/uploads/${up.id}${more}`;
export const complete = (who, up) => who.post(path(up, "/complete"));

/** complete, asked again for as long as it is being checked; the last answer. */
export async function completed(who, up, ms = 60000) {
	for (const end = Date.now() + ms; ; ) {
		const r = await complete(who, up);
		if (r.status !== 202) return r;
		assert.ok(["checking", "pending"].includes(r.json.state), r.text); // pending: another's try has failed just then
		assert.match(r.headers["retry-after"], /^[1-9]\d*$/);
		assert.ok(Date.now() < end, "it is still being checked");
		await sleep(200);
	}
}

export async function uploaded(who, channel, bytes, options) {
	const up = await begin(who, channel, bytes, options);
	const r = await putTo(up.put, bytes);
	assert.ok(r.status === 200, `PUT: ${r.status} ${r.text}`);
	const done = ok(await completed(who, up));
	assert.equal(done.state, "ready");
	return done;
}

/** What a browser gets of a file: the redirect followed. */
export async function fetched(who, id, query = "", headers = {}) {
	const to = await who.get(`/api/v1/files/${id}${query}`);
	assert.equal(to.status, 302, `${to.status} ${to.text}`);
	return { to, got: await exchange(to.headers.location, { headers }) };
}

export const withFiles = (files, text = "", client_id = randomUUID()) => ({ client_id, body: { text, files } });
export const sendFiles = (who, channel, files, text, id) =>
	who.post(`/api/v1/channels/${channel}/messages`, withFiles(files.map((f) => f.id ?? f), text, id));

/** A picture of one pixel's colour, a true PNG. */
export function png(width = 2, height = 2, salt = randomBytes(3)) {
	const chunk = (name, data) => {
		const body = Buffer.concat([Buffer.from(name), data]), out = Buffer.alloc(body.length + 8);
		out.writeUInt32BE(data.length);
		body.copy(out, 4);
		out.writeUInt32BE(crc(body), body.length + 4);
		return out;
	};
	const head = Buffer.alloc(13);
	head.writeUInt32BE(width);
	head.writeUInt32BE(height, 4);
	head.set([8, 2, 0, 0, 0], 8);
	const row = Buffer.concat([Buffer.from([0]), ...Array.from({ length: width }, () => salt)]);
	const rows = Buffer.concat(Array.from({ length: height }, () => row));
	const mark = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
	return Buffer.concat([mark, chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function crc(bytes) {
	let c = ~0;
	for (const b of bytes) {
		c ^= b;
		for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
	}
	return ~c >>> 0;
}

export const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==", "base64");

/** Whether the store still has an object: by the row's key, asked of the store itself. */
export async function stored(site, id) {
	const key = await site.stack.psql(`SELECT key FROM files WHERE id = ${id}`);
	return objectThere(site, key);
}

export async function objectThere(site, key) {
	const s3 = site.gw ?? localStore(site.stack);
	const { status } = site.gw ? await s3.call("HEAD", `/${s3.bucket}/${key}`) : await send(s3, sign(s3, "HEAD", key));
	if (status !== 200 && status !== 404) throw new Error(`the store answers ${status}`);
	return status === 200;
}

export const keyOf = (site, id) => site.stack.psql(`SELECT key FROM files WHERE id = ${id}`);

/** The lines behind the cursor that pass `of`, by as many polls as it takes until there are n; where: as of poll. */
export async function replayed(who, cursor, n, of, where = {}) {
	const lines = [];
	const more = async () => {
		const answer = await poll(who, { cursor, wait: 1, ...where });
		cursor = answer.cursor;
		return lines.push(...answer.events.filter(of)) >= n;
	};
	await until(more, { what: `${n} lines behind ${cursor}` });
	return lines;
}
