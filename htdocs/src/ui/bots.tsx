// Bots in the administration: who they are, a new one, their tokens.
import { useState } from 'preact/hooks';
import { admin } from '../net/admin';
import type { User } from '../model/types';
import { ta } from '../strings_admin';
import type { TokensProps } from './access';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { lazily } from './lazy';
import { personName } from './names';
import { NamingForm } from './naming';
import { useList } from './paged';

const Tokens = lazily<TokensProps>(() => import('./access').then((m) => m.Tokens));

export function Bots() {
	const [shown, setShown] = useState<User | null>(null); // whose tokens are open
	// Moves on with each change of a person that is told: bots too are people.
	const stamp = useState$((s) => Object.values(s.users).reduce((n, u) => n + u.version, 0));
	const bots = useList<User, string>((after) => admin.bots(after).then(({ data }) => ({ list: data.bots, next: data.next })), [stamp]);
	return (
		<>
			<p class="panel-note">{ta.botsText}</p>
			<ul class="admin-rows">
				{bots.list.map((u) => (
					<li key={u.id} class={u.active ? 'admin-row' : 'admin-row off'}>
						<Avatar user={u} id={u.id} />
						<span class="person-text">
							<bdi class="person-name">{personName(u)}</bdi>
							<bdi class="person-handle">@{u.handle}</bdi>
							{!u.active && (
								<span class="admin-state">
									<span class="tag">{ta.deactivated}</span>
								</span>
							)}
						</span>
						<span class="admin-tools">
							<button class="button" aria-label={ta.botTokensOf(personName(u))} onClick={() => setShown(u)}>
								{ta.botTokens}
							</button>
						</span>
					</li>
				))}
			</ul>
			{bots.foot(ta.noBots)}
			<NewBot onMade={bots.load} />
			{shown && (
				<Tokens
					of={{
						title: ta.botTokensOf(personName(shown)),
						text: ta.botTokensText,
						admin: false,
						list: () => admin.botTokens(shown.id),
						make: (k) => admin.makeBotToken(shown.id, k),
						end: (id) => admin.endBotToken(shown.id, id),
					}}
					onClose={() => setShown(null)}
				/>
			)}
		</>
	);
}

function NewBot({ onMade }: { onMade: () => void }) {
	const { toast } = useUi();
	const save = async (handle: string, name: string) => {
		const { data } = await admin.makeBot(handle, name);
		toast(ta.botMade(personName(data)));
		onMade();
	};
	const words = { handle: ta.botHandle, name: ta.botName };
	return <NamingForm look="new-token" title={<h2>{ta.botNew}</h2>} words={words} label={ta.botMake} onSave={save} />;
}
