// until: tests wait for a condition, never for a time; sleep is for those whose subject is time itself.

export const sleep = (ms) => new Promise((ok) => setTimeout(ok, ms));

/** Calls cond (may be async) until it returns something true; returns that. Throws after ms, with the last error if it threw. */
export async function until(cond, { ms = 10000, every = 20, what = cond.toString() } = {}) {
	const end = Date.now() + ms;
	let last;
	for (;;) {
		try {
			const value = await cond();
			if (value) return value;
			last = undefined;
		} catch (e) {
			last = e;
		}
		if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}${last ? ` (${last.message})` : ""}`);
		await sleep(every);
	}
}
