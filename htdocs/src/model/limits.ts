// How long texts may be, in the unit of the whole house: characters of Unicode, whatever they weigh and however they are drawn. The numbers are those
// of doc/openapi.json (test/limits.test.ts); how long a message may be, the site says (State.limits).

export const MOST = {
	channelName: 80,
	topic: 250,
	personName: 80,
	signInName: 80,
	handle: 32,
	groupName: 80,
	section: 40,
	status: 100,
	report: 1000,
	reason: 500,
	token: 80,
	password: 1024,
	emojiName: 32,
} as const;

/* Unicode characters, as the server counts. */
export function lengthOf(text: string): number {
	let n = 0;
	for (const _ of text) n++;
	return n;
}

/* How many characters of a text are more than may be; a short one needs no counting. */
export const tooMany = (text: string, most: number): number => (text.length > most ? Math.max(0, lengthOf(text) - most) : 0);
