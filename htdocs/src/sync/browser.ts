// What the parts of the client know the browser by: its clock, whether the page is seen, what kind of network it is on.
export const timers = {
	now: () => Date.now(),
	setTimeout: (f: () => void, ms: number) => setTimeout(f, ms),
	clearTimeout: (t: unknown) => clearTimeout(t as number),
};

export const hidden = (): boolean => document.visibilityState === 'hidden';

/* The page is seen, and in use. */
export const attentive = (): boolean => document.visibilityState === 'visible' && document.hasFocus();

type Network = EventTarget & { type?: string };
export const network = (): Network | undefined => (navigator as { connection?: Network }).connection;
/* "wifi", "cellular"; "" where the browser does not tell. */
export const networkKind = (): string => network()?.type ?? '';

/* A pause that ends early where the network is back, or somebody presses the button of the "cannot reach" page. */
export function pauseOrWake(ms: number): Promise<void> {
	return new Promise((resolve) => {
		const done = () => {
			clearTimeout(timer);
			removeEventListener('online', done);
			removeEventListener('pulsechat-retry', done);
			resolve();
		};
		const timer = setTimeout(done, ms);
		addEventListener('online', done);
		addEventListener('pulsechat-retry', done);
	});
}

const IDLE_IN = 2_000; // ms

/* When the page has nothing better to do. Answers how to call it off. */
export function whenIdle(f: () => void): () => void {
	if ('requestIdleCallback' in globalThis) {
		const id = requestIdleCallback(f, { timeout: IDLE_IN });
		return () => cancelIdleCallback(id);
	}
	const id = setTimeout(f, IDLE_IN);
	return () => clearTimeout(id);
}
