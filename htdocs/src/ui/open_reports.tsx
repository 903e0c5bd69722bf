// How many reports wait for a decision of one's own: kept for who handles any, and shown beside the channels.
import { useEffect } from 'preact/hooks';
import { Flag } from 'lucide';
import { api } from '../net/api';
import { isAdmin, rankIn } from '../model/roles';
import type { State } from '../model/state';
import { useSelect } from '../store';
import type { Client } from '../sync/client';
import { t } from '../strings';
import { countText } from './attention';
import { useState$, useUi } from './context';
import { Icon } from './icon';
import { channelLabel } from './names';
import { adminPath, navigate } from './route';

const AGAIN = 5_000; // ms after a count that failed

const handles = (s: State): boolean => isAdmin(s) || Object.values(s.channels).some((c) => rankIn(s, c.id) > 0);

/* The server counts anew at each report that comes or is dealt with: who may see which is its matter. */
export function useOpenReports({ store }: Client): void {
	const mine = useSelect(store, handles);
	const changed = useSelect(store, (s) => s.reports);
	useEffect(() => {
		if (!mine) return store.dispatch({ type: 'reports/open', reports: { open: 0, channels: [] } });
		let timer: ReturnType<typeof setTimeout> | undefined;
		let old = false;
		const count = () =>
			void api.openReports().then(
				({ data }) => old || store.dispatch({ type: 'reports/open', reports: data }),
				() => old || (timer = setTimeout(count, AGAIN)),
			);
		count();
		return () => {
			old = true;
			clearTimeout(timer);
		};
	}, [mine, changed]);
}

/* What waits for a decision of one's own: of the whole site for an admin, else by channel. */
export function OpenReports() {
	const ui = useUi();
	const boss = useState$(isAdmin);
	const { open, channels } = useState$((s) => s.openReports);
	const state = useState$((s) => s);
	if (!open) return null;
	const show = (channel: number) => (ui.drawer(false), boss ? navigate(adminPath('reports')) : ui.openDialog({ reports: channel }));
	const all = boss ? [{ channel: 0, open }] : channels.filter((c) => state.channels[c.channel]);
	const label = (channel: number) => (boss ? t.reportsOpen : t.reportsOpenIn(channelLabel(state, state.channels[channel]!)));
	return (
		<ul class="side-reports">
			{all.map(({ channel, open: n }) => (
				<li key={channel}>
					<button class="entry" onClick={() => show(channel)}>
						<Icon of={Flag} size={16} />
						<span class="entry-name">{label(channel)}</span>
						<span class="badge badge-loud">{countText(n)}</span>
					</button>
				</li>
			))}
		</ul>
	);
}
