// A direct channel of several people: who is to be in it. The server finds the one that there is, or makes it.
import { useState } from 'preact/hooks';
import { X } from 'lucide';
import { api } from '../net/api';
import { myId } from '../model/state';
import type { User } from '../model/types';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { useState$, useUi } from './context';
import { Dialog } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { personName } from './names';
import { personChoice, Picker, usePeople } from './picker';
import { channelPath, navigate } from './route';

const MOST = 8; // others

export function NewGroup({ onClose }: { onClose: () => void }) {
	const { client, toast } = useUi();
	const [query, setQuery] = useState('');
	const [chosen, setChosen] = useState<readonly User[]>([]);
	const [busy, setBusy] = useState(false);
	const people = usePeople(query);
	const me = useState$(myId);
	const full = chosen.length >= MOST;
	const put = (u: User) => {
		setChosen([...chosen, u]);
		setQuery('');
	};
	const open = () => {
		setBusy(true);
		api.createChannel({ kind: 'direct', members: chosen.map((u) => u.id) }).then(
			({ data }) => {
				client.took(data);
				onClose();
				navigate(channelPath(data.id));
			},
			(e: unknown) => {
				setBusy(false);
				toast(errorText(e), true);
			},
		);
	};
	const choices = (full ? [] : (people ?? []))
		.filter((u) => u.id !== me && !chosen.some((x) => x.id === u.id))
		.map((u) => personChoice(u, () => put(u)));
	return (
		<Dialog title={tc.groupTitle} onClose={onClose}>
			{chosen.length > 0 && (
				<ul class="group-people" aria-label={tc.groupPeople}>
					{chosen.map((u) => (
						<li key={u.id}>
							<button
								class="button"
								title={tc.takeOut(personName(u))}
								onClick={() => setChosen(chosen.filter((x) => x.id !== u.id))}
							>
								<bdi>{personName(u)}</bdi>
								<Icon of={X} size={14} />
								<span class="sr-only">: {tc.takeOut(personName(u))}</span>
							</button>
						</li>
					))}
				</ul>
			)}
			<Picker
				label={t.searchPeople}
				query={query}
				onQuery={setQuery}
				choices={choices}
				empty={full ? tc.groupFull : people ? t.noPeople : null}
				help={tc.groupHint}
			/>
			<footer class="dialog-foot">
				<button class="button primary" disabled={busy || !chosen.length} onClick={open}>
					{tc.groupOpen}
				</button>
			</footer>
		</Dialog>
	);
}
