// Whether others see, in one channel, how far one has read: an entry of its menu. For all channels together it is a setting.
import { Eye } from 'lucide';
import { t } from '../strings';
import { errorText } from './errors';
import { useState$, useUi } from './context';
import { MenuItem } from './menu';

export function ReceiptsItem({ channel }: { channel: number }) {
	const { client, toast } = useUi();
	const on = useState$((s) => s.channels[channel]?.membership?.read_receipts ?? true);
	const set = () => {
		client.setReceipts(channel, !on).then(
			() => toast(on ? t.receiptsOff : t.receiptsOn),
			(e: unknown) => toast(errorText(e), true),
		);
	};
	return (
		<MenuItem icon={Eye} checked={on} toggles onChoose={set}>
			{t.receiptsHere}
		</MenuItem>
	);
}
