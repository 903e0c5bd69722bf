// Texts of threads.
import { plural } from './strings';

export const tt = {
	thread: 'Thread',
	threads: 'Threads',
	reply: 'Reply in thread',
	write: 'Reply…',
	also: 'Also send to the channel',
	replies: (n: number) => `${n} ${plural(n, 'reply', 'replies')}`,
	last: (when: string) => `last reply ${when}`,
	open: ' – open the thread',
	fresh: 'new',
	inThread: 'Replied in a thread',
	follow: 'Follow',
	followHint: 'Tell me of new replies',
	unfollowHint: 'Tell me of new replies no more',
	none: 'No replies yet',
	repliesIn: (where: string) => `Replies, ${where}`,
	earlier: 'Earlier replies',
	failed: 'The thread could not be loaded.',
	unread: (n: number) => `${n} ${plural(n, 'thread', 'threads')} with new replies`,
	listNone: 'You follow no threads yet.',
	listNoneText: 'You follow a thread when you reply in it, when it is about a message of yours, or when somebody mentions you there.',
	hidden: 'The first message is from before you joined: it is not shown to you.',
	readAll: 'Mark all as read',
	more: 'Show more',
};
