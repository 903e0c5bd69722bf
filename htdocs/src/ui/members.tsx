// The right panel: what the channel is about, who is in it, adding a person, leaving.
import { useEffect } from 'preact/hooks';
import { LogOut, MicOff, ShieldAlert, UserPlus } from 'lucide';
import { endOf, isGuest, rankIn } from '../model/roles';
import { myId } from '../model/state';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { useState$, useUi } from './context';
import { Icon } from './icon';
import { apart, channelLabel, personName } from './names';
import { Panel } from './panel';
import { Face, StatusMark } from './presence';
import { channelPath, navigate } from './route';

const order = { owner: 0, moderator: 1, member: 2 };

export function MembersPanel({ channel }: { channel: Channel }) {
	const ui = useUi();
	const members = useState$((s) => s.members[channel.id]);
	const users = useState$((s) => s.users);
	const label = useState$((s) => channelLabel(s, channel));
	const rank = useState$((s) => rankIn(s, channel.id));
	const guest = useState$(isGuest);
	const me = useState$(myId);
	// Also after a reset has emptied the list.
	useEffect(() => {
		if (!members) void ui.client.loader.members(channel.id);
	}, [channel.id, !members]);

	const close = () => navigate(channelPath(channel.id));
	const moderate = (user: number) => ui.openDialog({ moderate: { channel: channel.id, user } });
	const list = [...(members?.list ?? [])].sort(
		(a, b) => order[a.role] - order[b.role] || personName(users[a.user]).localeCompare(personName(users[b.user])),
	);
	return (
		<Panel title={t.members} topic={label} onClose={close}>
			<div class="panel-scroll" tabIndex={0} role="group" aria-label={t.membersCount(channel.members)}>
				{(channel.topic || channel.keep_days != null) && (
					<div class="about" role="group" aria-label={t.aboutChannel}>
						{channel.topic && <p dir="auto">{apart(channel.topic)}</p>}
						{channel.keep_days != null && <p class="about-kept">{tc.kept(channel.keep_days)}</p>}
					</div>
				)}
				{channel.kind !== 'direct' && !guest && !channel.archived && (
					<button class="row-button" onClick={() => ui.openDialog({ invite: channel.id })}>
						<span class="row-icon">
							<Icon of={UserPlus} />
						</span>
						{t.invite}
					</button>
				)}
				<ul class="people">
					{list.map((m) => {
						const user = users[m.user];
						return (
							<li key={m.user} class="with-tool">
								<button class="person" data-person={m.user} aria-haspopup="dialog">
									<Face user={user} id={m.user} said />
									<span class="person-text">
										<span class="person-line">
											<bdi class="person-name">{personName(user)}</bdi>
											<StatusMark id={m.user} />
										</span>
										<bdi class="person-handle">{user ? `@${user.handle}` : ''}</bdi>
									</span>
									{endOf(m.muted_until) > Date.now() && (
										<span class="muted-mark" title={t.mutedTag}>
											<Icon of={MicOff} size={14} />
											<span class="sr-only">{t.mutedTag}</span>
										</span>
									)}
									{m.role !== 'member' && <span class="tag">{t.roles[m.role]}</span>}
								</button>
								{rank > 0 && m.user !== me && (
									<button
										class="icon-button small"
										title={t.moderateName(personName(user))}
										aria-label={t.moderateName(personName(user))}
										onClick={() => moderate(m.user)}
									>
										<Icon of={ShieldAlert} size={16} />
									</button>
								)}
							</li>
						);
					})}
				</ul>
				{members?.status === 'loading' && <p class="panel-note">{t.loading}</p>}
				{members?.status === 'failed' && (
					<div class="panel-note" role="alert">
						<p>{t.membersFailed}</p>
						<button class="button" onClick={() => void ui.client.loader.members(channel.id)}>
							{t.retry}
						</button>
					</div>
				)}
				{members?.next != null && members.status === 'ready' && (
					<button class="button" onClick={() => void ui.client.loader.members(channel.id, true)}>
						{t.more}
					</button>
				)}
				{channel.kind !== 'direct' && (
					<button class="row-button danger-text" onClick={() => ui.openDialog({ leave: channel.id })}>
						<span class="row-icon">
							<Icon of={LogOut} />
						</span>
						{t.leave}
					</button>
				)}
			</div>
		</Panel>
	);
}
