// The menu of the channel that is open.
import { Ban, Bookmark, CheckCheck, EllipsisVertical, Flag, Pencil, Pin } from 'lucide';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { tk } from '../strings_keep';
import { rankIn } from '../model/roles';
import { useState$, useUi } from './context';
import { Menu, MenuItem } from './menu';
import { ReceiptsItem } from './receipts';
import { channelPath, navigate } from './route';

export function ChannelMenu({ channel }: { channel: Channel }) {
	const { client, openDialog } = useUi();
	const rank = useState$((s) => rankIn(s, channel.id));
	return (
		<Menu icon={EllipsisVertical} label={t.channelMenu}>
			<MenuItem icon={CheckCheck} onChoose={() => client.markRead(channel.id)}>
				{t.markRead}
			</MenuItem>
			<MenuItem icon={Pin} onChoose={() => navigate(channelPath(channel.id, 'pins'))}>
				{tk.pins}
			</MenuItem>
			<MenuItem icon={Bookmark} onChoose={() => navigate(channelPath(channel.id, 'saved'))}>
				{tk.saved}
			</MenuItem>
			<ReceiptsItem channel={channel.id} />
			{rank > 0 && (
				<>
					<div class="menu-line" role="separator" />
					<MenuItem icon={Pencil} onChoose={() => openDialog({ edit: channel.id })}>
						{t.editChannel}
					</MenuItem>
					<MenuItem icon={Ban} onChoose={() => openDialog({ restrictions: channel.id })}>
						{t.restrictionsMenu}
					</MenuItem>
					<MenuItem icon={Flag} onChoose={() => openDialog({ reports: channel.id })}>
						{t.reportsMenu}
					</MenuItem>
				</>
			)}
		</Menu>
	);
}
