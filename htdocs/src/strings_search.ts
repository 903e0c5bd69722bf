// Texts of the search, which is loaded when it is opened first.
import { plural } from './strings';

export const ts = {
	label: 'Search messages',
	placeholder: 'Words, "a phrase", from:someone…',
	clear: 'Clear the search',
	sort: 'Order',
	orders: { rank: 'Best match', date: 'Newest' } as Record<'rank' | 'date', string>,
	filters: 'Narrow it down',
	filter: { from: 'From', in: 'In', has: 'Has', is: 'Is', before: 'Before', after: 'After' } as Record<string, string>,
	choices: 'Suggestions',
	fromMe: 'You',
	has: { link: 'a link', file: 'a file', mention: 'a mention of somebody' } as Record<string, string>,
	is: { thread: 'a reply in a thread' } as Record<string, string>,
	hintTitle: 'Search in all your channels',
	hints: [
		['lunch friday', 'messages with both words, or what they are the beginning of'],
		['"lunch on friday"', 'these words side by side'],
		['from:@ada in:#general', 'from somebody, in a channel'],
		['has:link', 'with a link; also has:file, has:mention'],
		['is:thread', 'replies in threads'],
		['after:2026-01-01 before:2026-02-01', 'sent in January'],
	] as [string, string][],
	found: (n: number, more: boolean) => {
		if (!n) return 'Nothing found.';
		return more ? `The first ${n} messages` : `${n} ${plural(n, 'message', 'messages')}`;
	},
	nothingText: 'Try fewer or shorter words, or take a filter away.',
	dropFilters: 'Search without filters',
	failed: 'The search did not work.',
	incomplete: 'Not all messages could be looked through just now. Older ones may be missing.',
	results: 'Results',
	resultOf: (who: string, where: string, when: string) => `${who}, ${where}, ${when}`,
};
