// Files in a real browser, to the local store and back.

import { startStack } from "../support/stack.mjs";
import { flow } from "./files_flow.mjs";

flow("local", async (wire, files) => {
	const stack = await startStack({ realtime: 1, filesUrl: wire.url, conf: { files } });
	wire.lead(stack.filesPort);
	return { stack, stop: () => stack.stop() };
});
