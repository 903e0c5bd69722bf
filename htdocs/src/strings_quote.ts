// Texts of quotes and of forwarded messages.
import { isolate } from './model/direction';

export const tq = {
	quote: 'Reply with a quote',
	forward: 'Forward',
	replyingTo: (who: string) => `Replying to ${isolate(who)}`,
	cancel: 'Do not quote',
	goTo: (who: string) => `Go to the message of ${isolate(who)}`,
	deleted: 'This message was deleted.',
	missing: 'This message cannot be shown.',
	loading: 'Loading…',
	files: (n: number) => `${n} ${n === 1 ? 'file' : 'files'}`,
	quotesYou: 'This message quotes you.',
	forwarded: 'Forwarded',
	forwardedOf: (who: string) => `Forwarded message of ${isolate(who)}`,
	original: 'Show the original',
	mayNot: 'You cannot write here.',
	forwardTitle: 'Forward a message',
	to: 'Forward to',
	toWhere: (where: string) => `To ${isolate(where)}`,
	change: 'Choose another',
	comment: 'Add a comment (optional)',
	send: 'Forward',
	done: (where: string) => `Forwarded to ${isolate(where)}`,
	none: 'There is no such channel that you can write in.',
};
