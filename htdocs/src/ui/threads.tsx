// The page of the threads that one follows: those with something new first.
import { useEffect, useState } from 'preact/hooks';
import { CheckCheck, EyeOff, MessagesSquare } from 'lucide';
import { preview } from '../model/markdown';
import { followedList, isUnreadThread, threadKey, unreadThreads, type Followed } from '../model/threads';
import { t } from '../strings';
import { tt } from '../strings_threads';
import { Burger } from './channel';
import { ConnectionLine } from './connection';
import { useState$, useUi } from './context';
import { Icon } from './icon';
import { channelLabel, personName } from './names';
import { Face } from './presence';
import { navigate, threadPath } from './route';
import { agoOf, useNow } from './time';

export function ThreadsView() {
	const { client } = useUi();
	useState$((s) => s.followed); // the list below is made of it
	const [, again] = useState(0);
	const unread = useState$(unreadThreads);
	useEffect(() => client.threads.loadFollowed(), []);
	const list = followedList(client.store.get());
	const now = useNow();
	return (
		<main class="main" id="main">
			<header class="head">
				<Burger />
				<Icon of={MessagesSquare} size={18} />
				<h1>{tt.threads}</h1>
				<p class="head-topic">{unread > 0 && tt.unread(unread)}</p>
				{unread > 0 && (
					<button class="icon-button" title={tt.readAll} aria-label={tt.readAll} onClick={() => client.threads.readAll()}>
						<Icon of={CheckCheck} />
					</button>
				)}
			</header>
			<ConnectionLine />
			{list.length ? (
				<div class="threads" tabIndex={0} role="group" aria-label={tt.threads}>
					<ul>
						{list.map((f) => (
							<Entry key={threadKey(f.state.channel, f.state.root)} followed={f} now={now} />
						))}
					</ul>
					{client.threads.hasMore && (
						<button class="button" onClick={() => void client.threads.more().then(() => again((n) => n + 1))}>
							{tt.more}
						</button>
					)}
				</div>
			) : (
				<div class="blank">
					<h2>{tt.listNone}</h2>
					<p>{tt.listNoneText}</p>
				</div>
			)}
		</main>
	);
}

function Entry({ followed, now }: { followed: Followed; now: number }) {
	const { state, root } = followed;
	const channel = useState$((s) => s.channels[state.channel]);
	const label = useState$((s) => (channel ? channelLabel(s, channel) : ''));
	const user = useState$((s) => (root ? s.users[root.sender] : undefined));
	if (!root?.replies || !channel) return null;
	const fresh = isUnreadThread(followed);
	const to = threadPath(state.channel, state.root);
	const when = root.replies.last_at ? agoOf(Date.parse(root.replies.last_at), now) : '';
	return (
		<li>
			<a
				class={fresh ? 'thread-entry fresh' : 'thread-entry'}
				href={to}
				onClick={(e) => {
					if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
					e.preventDefault();
					navigate(to);
				}}
			>
				{root.hidden ? <Icon of={EyeOff} size={18} /> : <Face user={user} id={root.sender} />}
				<span class="thread-entry-text">
					<span class="thread-entry-who">
						{!root.hidden && (
							<>
								<bdi>{personName(user)}</bdi> ·{' '}
							</>
						)}
						<bdi>{label}</bdi>
						{fresh && <span class="tag thread-new">{tt.fresh}</span>}
					</span>
					<span class="thread-entry-said" dir="auto">
						{root.hidden ? tt.hidden : root.deleted ? t.deletedMessage : preview(root.body?.text ?? '', 300) || t.fileGone}
					</span>
					<span class="thread-when">
						{tt.replies(root.replies.count)} · {tt.last(when)}
					</span>
				</span>
			</a>
		</li>
	);
}
