// Bots in the administration: who they are, a new one, their tokens.
import { useState } from 'preact/hooks';
import { admin } from '../net/admin';
import type { User } from '../model/types';
import { ta } from '../strings_admin';
import type { TokensProps } from './access';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { errorText } from './errors';
import { lazily } from './lazy';
import { personName } from './names';
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
	const [handle, setHandle] = useState('');
	const [name, setName] = useState('');
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const make = () => {
		setBusy(true);
		setError(null);
		admin
			.makeBot(handle.trim().replace(/^@/, ''), name.trim() || handle.trim())
			.then(
				({ data }) => {
					setHandle('');
					setName('');
					toast(ta.botMade(personName(data)));
					onMade();
				},
				(e: unknown) => setError(errorText(e)),
			)
			.finally(() => setBusy(false));
	};
	return (
		<form
			class="new-token"
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				make();
			}}
		>
			<h2>{ta.botNew}</h2>
			<label class="field">
				<span>{ta.botHandle}</span>
				<input
					type="text"
					value={handle}
					maxLength={32}
					autocomplete="off"
					autocapitalize="none"
					spellcheck={false}
					aria-invalid={error !== null}
					onInput={(e) => setHandle(e.currentTarget.value)}
				/>
			</label>
			<label class="field">
				<span>{ta.botName}</span>
				<input type="text" dir="auto" value={name} maxLength={80} autocomplete="off" onInput={(e) => setName(e.currentTarget.value)} />
			</label>
			{error && (
				<p class="dialog-error" role="alert">
					{error}
				</p>
			)}
			<button class="button primary" disabled={busy || !handle.trim()}>
				{ta.botMake}
			</button>
		</form>
	);
}
