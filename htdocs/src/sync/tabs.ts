// Which tabs are alive: each holds a lock named after its instance for as long as it lives. Where there are no locks
// every other tab counts as gone; then two tabs may send the same message, which its client_id makes harmless.
const PREFIX = 'pulsechat-tab-';

/* Answers how to let go: a page that waits in the back-forward cache may hold no lock. */
export function holdTab(instance: string): () => void {
	if (!navigator.locks) return () => {};
	let release = () => {};
	const held = new Promise<void>((resolve) => (release = resolve));
	navigator.locks.request(PREFIX + instance, () => held).catch(() => {}); // the page was gone before
	return release;
}

export async function livingTabs(): Promise<Set<string>> {
	const alive = new Set<string>();
	if (!navigator.locks) return alive;
	const { held = [], pending = [] } = await navigator.locks.query();
	for (const l of [...held, ...pending]) if (l.name?.startsWith(PREFIX)) alive.add(l.name.slice(PREFIX.length));
	return alive;
}
