// The link to the server, put together with the browser: its rungs, what is remembered of them, and how it is shown to be.
import { Ladder } from '../net/ladder';
import { sharedTransport, type ShareEnv } from '../net/share';
import type { Transport } from '../net/transport';
import { pollOnce, pollTransport, type PollEnv } from '../net/transport_poll';
import { sseTransport } from '../net/transport_sse';
import { wsTransport } from '../net/transport_ws';
import type { Known, Wants } from '../net/wants';
import type { Line } from '../model/types';
import type { Store } from '../store';
import { hidden, networkKind, timers } from './browser';
import { recallRung, rememberRung, shelf } from './local';

export interface LinkEnv {
	store: Store;
	instance: string;
	/* Whose connection it is. */
	owner(): string | null;
	/* What the server compares with its own. */
	known(): Known;
	wants(): Wants;
	onLines(lines: Line[]): void;
	onLive(): void;
	/* An event went missing; anew: the server does not know our cursor any more. */
	onLost(anew: boolean): void;
	/* No rung worked: what the browser does not tell is asked for by REST. */
	onFailed(): void;
	onStop(reason: 'signed_out' | 'deactivated'): void;
}

function transports({ instance, owner, known }: LinkEnv): Transport[] {
	const polls: PollEnv = {
		...timers,
		fetch: (u, i) => fetch(u, i),
		reads: known,
		random: Math.random,
		hidden,
	};
	const share: ShareEnv = {
		...timers,
		owner,
		locks: 'BroadcastChannel' in globalThis ? (navigator.locks ?? null) : null,
		channel: (name) => new BroadcastChannel(name),
		catchUp: (cursor, signal) => pollOnce(polls, cursor, instance, signal),
		onLead: () => shelf.set('live', `${owner()} ${Date.now()}`),
		hidden,
		random: Math.random,
	};
	// A browser opens six connections to a host, so what takes one for long is taken once for all tabs.
	return [wsTransport(location.origin, known), sharedTransport(sseTransport(polls), share), sharedTransport(pollTransport(polls), share)];
}

export function browserLadder(env: LinkEnv): Ladder {
	let wasLive = false;
	return new Ladder({
		...timers,
		random: Math.random,
		online: () => navigator.onLine,
		hidden,
		recall: () => recallRung(shelf, networkKind()),
		remember: (m) => rememberRung(shelf, m, networkKind()),
		transports: transports(env),
		instance: env.instance,
		wants: () => env.wants(),
		onLines: (lines) => env.onLines(lines),
		onState: (state, rung) => {
			const status = state === 'live' || state === 'offline' ? state : state === 'connecting' && !wasLive ? 'connecting' : 'reconnecting';
			env.store.dispatch({ type: 'connection', connection: { status, rung } });
			if (state !== 'live') return env.store.dispatch({ type: 'typing/none' });
			wasLive = true;
			env.onLive();
		},
		onLost: (_why, anew) => env.onLost(anew),
		onFailed: () => env.onFailed(),
		onBetter: () => shelf.set('better', String(Date.now())),
		onStop: (reason) => env.onStop(reason),
	});
}
