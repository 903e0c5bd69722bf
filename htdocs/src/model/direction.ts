// Names, topics and the like, which anybody chooses, in the middle of other text: what they hold of marks that turn the direction of writing
// ends with them. They may be written from right to left; what stands beside them runs on as it did, also in a title, a label or a placeholder.

/* Embeddings, overrides and isolates: a name needs none, and one that is left open reaches what follows, <bdi> or not. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;
/* Letters and marks from right to left. */
const FROM_RIGHT = /[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

export const withoutTurns = (text: string): string => text.replace(TURNS, '');

/* In a sentence. */
export const isolate = (name: string): string => `\u2068${withoutTurns(name)}\u2069`;

/* Wherever it may come to stand: as it is, where it runs as the text around it does. */
export function apart(name: string): string {
	const plain = withoutTurns(name);
	return FROM_RIGHT.test(plain) ? isolate(plain) : plain;
}
