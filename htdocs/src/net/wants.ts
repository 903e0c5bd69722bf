// What a client wants to be told of beside the events of its channels: state of channels (focus) and of people (watch). By
// ops where the link takes them, in the query where it polls.
export interface Wants {
	focus: readonly number[];
	watch: readonly number[];
}

export const NOTHING: Wants = { focus: [], watch: [] };
const MOST_FOCUS = 8;
const MOST_WATCH = 200;

const same = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

/* Of several, in the order of their importance: what of them the server will take. In the order of the ids, so that the same is the same. */
export function union(all: readonly Wants[]): Wants {
	const first = (pick: (w: Wants) => readonly number[], most: number) =>
		[...new Set(all.flatMap(pick))].slice(0, most).sort((a, b) => a - b);
	return { focus: first((w) => w.focus, MOST_FOCUS), watch: first((w) => w.watch, MOST_WATCH) };
}

export const sameWants = (a: Wants, b: Wants): boolean => same(a.focus, b.focus) && same(a.watch, b.watch);

/* The ops that lead from one to the other; from null: from whatever there is. */
export function wantOps(from: Wants | null, to: Wants): object[] {
	const ops: object[] = [];
	if (!from || !same(from.focus, to.focus)) ops.push({ op: 'focus', channels: to.focus });
	if (!from || !same(from.watch, to.watch)) ops.push({ op: 'watch', users: to.watch });
	return ops;
}

/* For the query of a poll or of a stream. */
export const wantQuery = (w: Wants): Record<string, string> => ({
	...(w.focus.length ? { focus: w.focus.join(',') } : {}),
	...(w.watch.length ? { watch: w.watch.join(',') } : {}),
});

/* The sums of the versions of the own markers, and of the own drafts: where the server's is another one it tells them all. Null: not said. */
export interface Known {
	reads?: number | null;
	drafts?: number | null;
}
export const readsQuery = (known?: () => Known): Record<string, string> => {
	const { reads = null, drafts = null } = known?.() ?? {};
	return { ...(reads === null ? {} : { reads: String(reads) }), ...(drafts === null ? {} : { drafts: String(drafts) }) };
};

/* A cursor that asks for state bears, as its third part, which state was given. Without that it is the same place among the
 * events, and the state is told anew. */
export const place = (cursor: string | null): string | null => cursor && cursor.split('.').slice(0, 2).join('.');
