// What the first page shows of threads: the line under a message that has replies, where a reply belongs.
import { CornerDownRight } from 'lucide';
import { isUnreadThread, threadKey } from '../model/threads';
import type { Message, Replies } from '../model/types';
import { tt } from '../strings_threads';
import { Avatar } from './avatar';
import { useState$ } from './context';
import { Icon } from './icon';
import { navigate, threadPath } from './route';
import { agoOf, useNow } from './time';

const FACES = 3;

export function ThreadLine({ message, replies, active }: { message: Message; replies: Replies; active: boolean }) {
	const users = useState$((s) => s.users);
	const now = useNow();
	const fresh = useState$((s) => {
		const f = s.followed[threadKey(message.channel, message.seq)];
		return f !== undefined && isUnreadThread(f);
	});
	const when = replies.last_at ? agoOf(Date.parse(replies.last_at), now) : '';
	return (
		<button
			class={fresh ? 'thread-line fresh' : 'thread-line'}
			tabIndex={active ? 0 : -1}
			onClick={() => navigate(threadPath(message.channel, message.seq))}
		>
			<span class="thread-faces" aria-hidden="true">
				{replies.users.slice(0, FACES).map((id) => (
					<Avatar key={id} user={users[id]} id={id} size="s" />
				))}
			</span>
			<span class="thread-count">{tt.replies(replies.count)}</span>
			<span class="thread-when">{tt.last(when)}</span>
			{fresh && <span class="tag thread-new">{tt.fresh}</span>}
			<span class="sr-only">{tt.open}</span>
		</button>
	);
}

/* Above a reply that stands in the channel's line too. */
export function InThread({ channel, root, active }: { channel: number; root: number; active: boolean }) {
	return (
		<button class="link-button in-thread" tabIndex={active ? 0 : -1} onClick={() => navigate(threadPath(channel, root))}>
			<Icon of={CornerDownRight} size={13} /> {tt.inThread}
		</button>
	);
}
