// The menu of the channel that is open.
import { Ban, Bell, BellOff, Bookmark, CalendarSearch, CheckCheck, EllipsisVertical, Flag, FolderInput, Images, Link, LogOut, Pencil, Pin, Star } from 'lucide';
import { isQuiet } from '../model/unread';
import type { Channel, Prefs } from '../model/types';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { tk } from '../strings_keep';
import { rankIn } from '../model/roles';
import { useState$, useUi } from './context';
import { errorText } from './errors';
import { Menu, MenuItem } from './menu';
import { ReceiptsItem } from './receipts';
import { channelPath, navigate } from './route';

export function ChannelMenu({ channel }: { channel: Channel }) {
	const { client, openDialog, toast } = useUi();
	const rank = useState$((s) => rankIn(s, channel.id));
	const set = (change: Partial<Prefs>) => void client.setPrefs(channel.id, change).catch((e: unknown) => toast(errorText(e), true));
	const quiet = isQuiet(channel);
	const favourite = channel.prefs?.favourite === true;
	return (
		<Menu icon={EllipsisVertical} label={t.channelMenu}>
			<MenuItem icon={CheckCheck} onChoose={() => client.markRead(channel.id)}>
				{t.markRead}
			</MenuItem>
			<MenuItem icon={Pin} onChoose={() => navigate(channelPath(channel.id, 'pins'))}>
				{tk.pins}
			</MenuItem>
			<MenuItem icon={Images} onChoose={() => navigate(channelPath(channel.id, 'files'))}>
				{tc.files}
			</MenuItem>
			<MenuItem icon={Bookmark} onChoose={() => navigate(channelPath(channel.id, 'saved'))}>
				{tk.saved}
			</MenuItem>
			<MenuItem icon={CalendarSearch} onChoose={() => openDialog({ jump: channel.id })}>
				{tc.jump}
			</MenuItem>
			<div class="menu-line" role="separator" />
			<MenuItem icon={Star} checked={favourite} toggles onChoose={() => set({ favourite: !favourite })}>
				{tc.favourite}
			</MenuItem>
			<MenuItem icon={BellOff} checked={quiet} toggles onChoose={() => set({ quiet_until: quiet ? null : 'forever' })}>
				{tc.quiet}
			</MenuItem>
			<ReceiptsItem channel={channel.id} />
			<MenuItem icon={Bell} onChoose={() => openDialog({ prefs: channel.id })}>
				{tc.notifications}
			</MenuItem>
			<MenuItem icon={FolderInput} onChoose={() => openDialog({ move: channel.id })}>
				{tc.move}
			</MenuItem>
			{rank > 0 && (
				<>
					<div class="menu-line" role="separator" />
					<MenuItem icon={Pencil} onChoose={() => openDialog({ edit: channel.id })}>
						{t.editChannel}
					</MenuItem>
					{!channel.archived && (
						<MenuItem icon={Link} onChoose={() => openDialog({ links: channel.id })}>
							{tc.links}
						</MenuItem>
					)}
					<MenuItem icon={Ban} onChoose={() => openDialog({ restrictions: channel.id })}>
						{t.restrictionsMenu}
					</MenuItem>
					<MenuItem icon={Flag} onChoose={() => openDialog({ reports: channel.id })}>
						{t.reportsMenu}
					</MenuItem>
				</>
			)}
			{channel.kind !== 'direct' && (
				<>
					<div class="menu-line" role="separator" />
					<MenuItem icon={LogOut} onChoose={() => openDialog({ leave: channel.id })}>
						{t.leaveMenu}
					</MenuItem>
				</>
			)}
		</Menu>
	);
}
