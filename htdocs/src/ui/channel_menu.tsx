// The menu of the channel that is open.
import { CheckCheck, EllipsisVertical } from 'lucide';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { useUi } from './context';
import { Menu, MenuItem } from './menu';
import { ReceiptsItem } from './receipts';

export function ChannelMenu({ channel }: { channel: Channel }) {
	const { client } = useUi();
	return (
		<Menu icon={EllipsisVertical} label={t.channelMenu}>
			<MenuItem icon={CheckCheck} onChoose={() => client.markRead(channel.id)}>
				{t.markRead}
			</MenuItem>
			<ReceiptsItem channel={channel.id} />
		</Menu>
	);
}
