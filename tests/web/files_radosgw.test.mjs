// Files in a real browser, to radosgw and back, which verifies signatures. $FILES_ALL: all of it, as make check-long does.

import { corsXml, radosgwMissing, startRadosgw } from "../support/radosgw.mjs";
import { startStack } from "../support/stack.mjs";
import { MIB, flow } from "./files_flow.mjs";

flow(
	"radosgw",
	async (wire, files) => {
		const s3 = await startRadosgw({ bytes: 256 * MIB });
		try {
			wire.lead(Number(new URL(s3.endpoint).port));
			const conf = { files: { ...s3.conf, endpoint: wire.url, ...files } };
			const stack = await startStack({ realtime: 1, files: false, filesUrl: wire.url, conf });
			await s3.cors(corsXml([stack.url]));
			return {
				stack,
				async stop() {
					await stack.stop();
					await s3.stop();
				},
			};
		} catch (e) {
			await s3.stop();
			throw e;
		}
	},
	{ skip: radosgwMissing(), short: !process.env.FILES_ALL },
);
