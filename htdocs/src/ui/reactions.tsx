// The reactions below a message: who, one's own marked; a click adds or takes one's own away.
import { useEffect } from 'preact/hooks';
import { SmilePlus } from 'lucide';
import { mineUnknown, shownOf, type Shown } from '../model/reactions';
import type { Message } from '../model/types';
import { t } from '../strings';
import { useState$, useUi } from './context';
import { EmojiFace } from './custom_emoji';
import { useHold } from './hold';
import { Icon } from './icon';
import { personName } from './names';

const NAMED = 10; // of those who reacted, beside the emoji
export const QUICK = ['👍', '❤️', '😂'];

export function ReactionRow({ message, active }: { message: Message; active: boolean }) {
	const { client, openDialog } = useUi();
	// What shownOf() looks at, beside the message.
	const reacting = useState$((s) => s.reacting);
	const mine = useState$((s) => s.mine);
	const shown = message.reactions?.length || reacting.length ? shownOf(client.store.get(), message) : [];
	const { channel, seq } = message;
	useEffect(() => {
		if (mineUnknown(client.store.get(), message)) client.changes.needMine(message);
	}, [message.reactions, mine]);
	if (!shown.length) return null;
	return (
		<div class="reactions" role="group" aria-label={t.reactionsGroup}>
			{shown.map((r) => (
				<Reaction key={r.emoji} of={r} active={active} message={message} />
			))}
			<button
				class="reaction reaction-add"
				title={t.react}
				aria-label={t.react}
				tabIndex={active ? 0 : -1}
				onClick={() => openDialog({ react: { channel, seq } })}
			>
				<Icon of={SmilePlus} size={15} />
			</button>
		</div>
	);
}

function Reaction({ of, message, active }: { of: Shown; message: Message; active: boolean }) {
	const { client, openDialog } = useUi();
	const first = of.users.slice(0, NAMED);
	const names = useState$((s) => first.map((id) => (id === s.me?.user.id ? t.you : personName(s.users[id]))).join('\n'));
	useEffect(() => client.loader.needUsers(first), [first.join()]);
	const who = t.reactedNames(names.split('\n').filter(Boolean), of.count - first.length);
	const { channel, seq } = message;
	const showAll = () => openDialog({ reacted: { channel, seq, emoji: of.emoji } });
	const hold = useHold(showAll);
	return (
		<span class="reaction-box">
			<button
				class="reaction"
				data-emoji={of.emoji}
				aria-pressed={of.mine === true}
				aria-label={t.reactionLabel(of.emoji, of.count, who)}
				tabIndex={active ? 0 : -1}
				onClick={() => client.changes.toggle(channel, seq, of.emoji)}
				{...hold}
				onContextMenu={(e) => {
					e.preventDefault();
					showAll();
				}}
				onKeyDown={(e) => (e.key === 'F10' ? e.shiftKey : e.key === 'i') && showAll()}
			>
				<span class="reaction-emoji">
					<EmojiFace emoji={of.emoji} />
				</span>
				<span class="reaction-count">{of.count}</span>
			</button>
			<span class="tip" aria-hidden="true">
				<bdi>{who}</bdi>
			</span>
		</span>
	);
}

/* In the toolbar of a message. */
export function ReactTools({ channel, seq, active }: { channel: number; seq: number; active: boolean }) {
	const { client, openDialog } = useUi();
	return (
		<>
			{QUICK.map((e) => (
				<button
					key={e}
					class="icon-button small quick"
					title={t.reactWith(e)}
					aria-label={t.reactWith(e)}
					tabIndex={active ? 0 : -1}
					onClick={() => client.changes.toggle(channel, seq, e)}
				>
					{e}
				</button>
			))}
			<button
				class="icon-button small"
				title={t.react}
				aria-label={t.react}
				tabIndex={active ? 0 : -1}
				onClick={() => openDialog({ react: { channel, seq } })}
			>
				<Icon of={SmilePlus} size={15} />
			</button>
		</>
	);
}
