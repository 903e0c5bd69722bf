// The menu of the channel that is open.
import { Ban, CheckCheck, EllipsisVertical, Flag, Pencil } from 'lucide';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { rankIn } from '../model/roles';
import { useState$, useUi } from './context';
import { Menu, MenuItem } from './menu';
import { ReceiptsItem } from './receipts';

export function ChannelMenu({ channel }: { channel: Channel }) {
	const { client, openDialog } = useUi();
	const rank = useState$((s) => rankIn(s, channel.id));
	return (
		<Menu icon={EllipsisVertical} label={t.channelMenu}>
			<MenuItem icon={CheckCheck} onChoose={() => client.markRead(channel.id)}>
				{t.markRead}
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
