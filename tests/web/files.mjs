// files: what the browser tests of files share: pictures, films and sounds that are made here, and the ways in which people give them.
//
//   const jpeg = await picture(page, 1600, 1200);        // a real JPEG, of a canvas; type: "image/png", "image/webp"; mark: a red corner
//   photo(jpeg, { way: 6 })                              // the same as a phone takes it: EXIF with its place, XMP, a comment, a tail
//   await film(page, { seconds: 20, mib: 24 })           // WebM with an index, so that one can go anywhere in it
//   sound(3)                                             // WAV
//   await pick(page, files) / drop(page, files) / paste(page, file)       files: [{name, type, bytes}]
//   await stored(stack, token, id)                       // what the store has: {status, headers, bytes}
//   const wire = await relayTo(); wire.url, wire.lead(port), wire.cut(), wire.stop()      a wire to the store that can be cut

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const bytesOf = (base64) => Buffer.from(base64, "base64");

/** A picture with something in it that does not vanish when it is made small. */
export async function picture(page, width, height, type = "image/jpeg", hue = 210, mark = true) {
	return bytesOf(
		await page.evaluate(
			async ([width, height, type, hue, mark]) => {
				const canvas = document.createElement("canvas");
				Object.assign(canvas, { width, height });
				const pen = canvas.getContext("2d");
				const sky = pen.createLinearGradient(0, 0, 0, height);
				sky.addColorStop(0, `hsl(${hue} 70% 45%)`);
				sky.addColorStop(1, `hsl(${hue + 40} 80% 85%)`);
				pen.fillStyle = sky;
				pen.fillRect(0, 0, width, height);
				pen.fillStyle = `hsl(${hue + 180} 90% 60%)`;
				pen.beginPath();
				pen.arc(width * 0.7, height * 0.3, Math.min(width, height) * 0.12, 0, 7);
				pen.fill();
				for (let i = 0; i < 5; i++) {
					pen.fillStyle = `hsl(${hue - 60} 35% ${20 + i * 6}%)`;
					pen.beginPath();
					pen.moveTo(0, height);
					for (let x = 0; x <= 12; x++)
						pen.lineTo((width * x) / 12, height * (0.55 + i * 0.09) + Math.sin(x * 1.7 + i) * height * 0.07);
					pen.lineTo(width, height);
					pen.fill();
				}
				// The left upper corner is red: which way is up.
				pen.fillStyle = "rgb(255 0 0)";
				if (mark) pen.fillRect(0, 0, width / 8, height / 8);
				const blob = await new Promise((ok) => canvas.toBlob(ok, type, 0.9));
				const all = new Uint8Array(await blob.arrayBuffer());
				let text = "";
				for (let i = 0; i < all.length; i += 8192) text += String.fromCharCode(...all.subarray(i, i + 8192));
				return btoa(text);
			},
			[width, height, type, hue, mark],
		),
	);
}

const be = (n, size) => {
	const b = Buffer.alloc(size);
	b.writeUIntBE(n, 0, size);
	return b;
};
const segment = (marker, body) => Buffer.concat([Buffer.from([0xff, marker]), be(body.length + 2, 2), body]);

export const PLACE = "SecretPlace 47.3769N 8.5417E";

/** A JPEG as a phone makes it. */
export function photo(jpeg, { way = 1 } = {}) {
	const entry = (tag, type, count, value) => Buffer.concat([be(tag, 2), be(type, 2), be(count, 4), value]);
	const ifd = Buffer.concat([
		be(3, 2),
		entry(0x010f, 2, 12, be(80, 4)),
		entry(0x0112, 3, 1, Buffer.concat([be(way, 2), be(0, 2)])),
		entry(0x8825, 4, 1, be(100, 4)),
		be(0, 4),
	]);
	const head = Buffer.concat([Buffer.from("MM\0*"), be(8, 4), ifd]);
	const tiff = Buffer.concat([head, Buffer.alloc(80 - head.length), Buffer.from("SecretPhone\0"), Buffer.alloc(8), Buffer.from(PLACE)]);
	const telling = [
		segment(0xe1, Buffer.concat([Buffer.from("Exif\0\0"), tiff])),
		segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${PLACE}</x:xmpmeta>`)),
		segment(0xfe, Buffer.from(PLACE)),
	];
	return Buffer.concat([jpeg.subarray(0, 2), ...telling, jpeg.subarray(2), Buffer.from(`ftypmp42 ${PLACE}`)]);
}

/** Mono, 8 bits, 8 kHz. */
export function sound(seconds) {
	const data = Buffer.from(Uint8Array.from({ length: seconds * 8000 }, (_, i) => 128 + 60 * Math.sin(i / 6)));
	const head = Buffer.alloc(44);
	head.write("RIFF", 0);
	head.writeUInt32LE(36 + data.length, 4);
	head.write("WAVEfmt ", 8);
	head.writeUInt32LE(16, 16);
	head.writeUInt16LE(1, 20);
	head.writeUInt16LE(1, 22);
	head.writeUInt32LE(8000, 24);
	head.writeUInt32LE(8000, 28);
	head.writeUInt16LE(1, 32);
	head.writeUInt16LE(8, 34);
	head.write("data", 36);
	head.writeUInt32LE(data.length, 40);
	return Buffer.concat([head, data]);
}

/* WebM (Matroska): elements of an id, a size (of one byte or eight), and a body. */
const element = (id, body) => {
	const size = body.length < 127 ? [be(0x80 | body.length, 1)] : [Buffer.from([1, 0]), be(body.length, 6)];
	return Buffer.concat([Buffer.from(id, "hex"), ...size, body]);
};
const number = (id, n) => element(id, be(n, 6));
const words = (id, text) => element(id, Buffer.from(text));
const double = (id, x) => {
	const b = Buffer.alloc(8);
	b.writeDoubleBE(x);
	return element(id, b);
};

/** A film of as many seconds, two pictures in each, blown up to a size by nothing in between; its colour tells the second. */
export async function film(page, { seconds = 20, mib = 0, width = 320, height = 180 } = {}) {
	const frames = await page.evaluate(
		async ([seconds, width, height]) => {
			const found = [];
			const encoder = new VideoEncoder({
				error: (e) => {
					throw e;
				},
				output: (chunk) => {
					const data = new Uint8Array(chunk.byteLength);
					chunk.copyTo(data);
					found.push(btoa(String.fromCharCode(...data)));
				},
			});
			encoder.configure({ codec: "vp8", width, height, bitrate: 200_000, framerate: 2 });
			const canvas = new OffscreenCanvas(width, height);
			const pen = canvas.getContext("2d");
			for (let i = 0; i < seconds * 2; i++) {
				pen.fillStyle = i < seconds ? "rgb(200 30 30)" : "rgb(30 30 200)"; // red, from its middle on blue
				pen.fillRect(0, 0, width, height);
				const frame = new VideoFrame(canvas, { timestamp: i * 500_000, duration: 500_000 });
				encoder.encode(frame, { keyFrame: true });
				frame.close();
			}
			await encoder.flush();
			encoder.close();
			return found;
		},
		[seconds, width, height],
	);
	const filling = mib ? element("ec", Buffer.alloc(Math.floor((mib * 2 ** 20) / frames.length))) : Buffer.alloc(0);
	const clusters = frames.map((f, i) =>
		element(
			"1f43b675",
			Buffer.concat([number("e7", i * 500), element("a3", Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), bytesOf(f)])), filling]),
		),
	);
	const info = element(
		"1549a966",
		Buffer.concat([number("2ad7b1", 1_000_000), double("4489", seconds * 1000), words("4d80", "test"), words("5741", "test")]),
	);
	const video = element("e0", Buffer.concat([number("b0", width), number("ba", height)]));
	const track = element("1654ae6b", element("ae", Buffer.concat([number("d7", 1), number("73c5", 1), number("83", 1), words("86", "V_VP8"), video])));
	const cues = (base) => {
		let at = base;
		return element(
			"1c53bb6b",
			Buffer.concat(
				clusters.map((c, i) => {
					const point = element(
						"bb",
						Buffer.concat([number("b3", i * 500), element("b7", Buffer.concat([number("f7", 1), number("f1", at)]))]),
					);
					at += c.length;
					return point;
				}),
			),
		);
	};
	const before = info.length + track.length;
	const index = cues(before + cues(0).length);
	const ebml = element(
		"1a45dfa3",
		Buffer.concat([
			number("4286", 1),
			number("42f7", 1),
			number("42f2", 4),
			number("42f3", 8),
			words("4282", "webm"),
			number("4287", 2),
			number("4285", 2),
		]),
	);
	return Buffer.concat([ebml, element("18538067", Buffer.concat([info, track, index, ...clusters]))]);
}

/* --- how people give files */

const given = (files) => [files].flat().map((f) => ({ name: f.name, type: f.type ?? "", base64: Buffer.from(f.bytes).toString("base64") }));

export async function pick(page, files) {
	const chosen = [files].flat().map((f) => (f.path ? f.path : { name: f.name, mimeType: f.type ?? "", buffer: Buffer.from(f.bytes) }));
	await page.locator(".composer input[type=file]").first().setInputFiles(chosen);
}

/** Runs in the page: a DataTransfer with these files. */
const inPage = (page, files, act) =>
	page.evaluate(
		([files, act]) => {
			const d = new DataTransfer();
			for (const f of files) d.items.add(new File([Uint8Array.from(atob(f.base64), (c) => c.charCodeAt(0))], f.name, { type: f.type }));
			if (act === "paste")
				return document
					.getElementById("composer")
					.dispatchEvent(new ClipboardEvent("paste", { clipboardData: d, bubbles: true, cancelable: true }));
			const at = document.querySelector(".list");
			for (const type of act === "hang" ? ["dragenter", "dragover"] : ["dragenter", "dragover", "drop"])
				at.dispatchEvent(new DragEvent(type, { dataTransfer: d, bubbles: true, cancelable: true }));
		},
		[given(files), act],
	);
export const drop = (page, files) => inPage(page, files, "drop");
export const hang = (page, files) => inPage(page, files, "hang");
export const paste = (page, files) => inPage(page, files, "paste");

/* --- what has become of them */

/** What comes when somebody asks for a file: the address that it leads to, and what that sends. */
export async function stored(stack, token, id, { query = "", headers = {} } = {}) {
	const led = await fetch(`${stack.url}/api/v1/files/${id}${query}`, { headers: { authorization: `Bearer ${token}` }, redirect: "manual" });
	if (led.status !== 302) return { status: led.status, location: null, headers: led.headers, bytes: Buffer.from(await led.arrayBuffer()) };
	const location = led.headers.get("location");
	const res = await fetch(location, { headers });
	return { status: res.status, location, headers: res.headers, bytes: Buffer.from(await res.arrayBuffer()) };
}

const sessions = new WeakMap(); // what one of them has set another one cannot take back

/** Makes the page's wires slow: bytes a second upwards; 0: as they are. */
export async function slow(page, bytes) {
	if (!sessions.has(page)) sessions.set(page, await page.context().newCDPSession(page));
	const cdp = sessions.get(page);
	await cdp.send("Network.enable");
	await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes || -1 });
}

/** A wire to the store, to be cut. */
export async function relayTo() {
	const child = fork(fileURLToPath(new URL("../chaos/relay.mjs", import.meta.url)), { stdio: "inherit" });
	const opened = new Promise((ok) => child.once("message", ok));
	child.send({ op: "open", link: "store", listen: 0, to: 1 });
	const { at } = await opened;
	return {
		url: `http://127.0.0.1:${at}`,
		port: at,
		lead: (to) => child.send({ op: "lead", link: "store", to }),
		cut: () => child.send({ op: "cut", link: "store", share: 1, how: "reset" }),
		refuse: (on) => child.send({ op: "refuse", link: "store", on }),
		stop: () => child.disconnect(),
	};
}
