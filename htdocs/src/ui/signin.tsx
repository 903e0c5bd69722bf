// The sign-in page, and the one that an invitation leads to. They know the site alone; signing in itself happens at the provider, by
// whole-page navigation, or by a password of this site where it has such accounts.
import { useEffect, useState } from 'preact/hooks';
import { LogIn } from 'lucide';
import { MOST, tooMany } from '../model/limits';
import { api, ApiError } from '../net/api';
import type { InviteState, Site } from '../model/types';
import { t } from '../strings';
import { td } from '../strings_door';
import { Fault } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { PasswordField, TextField } from './text_field';

export type SignInReason = 'ended' | 'deactivated' | null;

export function SignIn({ returnTo, reason, invite }: { returnTo: string; reason: SignInReason; invite?: string }) {
	const [invitation, setInvitation] = useState<InviteState | null>(null);
	const [site, setSite] = useState<Site | null>(null);
	const [error, setError] = useState<string | null>(null);
	const load = () => {
		setError(null);
		Promise.all([api.site(), invite ? api.lookAtInvite(invite) : null]).then(
			([{ data }, look]) => {
				setSite(data);
				setInvitation(look && look.data.state);
			},
			(e: unknown) => setError(errorText(e)),
		);
	};
	useEffect(() => {
		load();
		// Signed in already (in another tab, say): then there is nothing to do here.
		if (reason) return;
		const goOn = () =>
			void api.me().then(
				() => location.replace(returnTo),
				() => {},
			);
		goOn();
		// Or since then: "back" shows this page as it was left.
		const shown = (e: PageTransitionEvent) => e.persisted && goOn();
		addEventListener('pageshow', shown);
		return () => removeEventListener('pageshow', shown);
	}, []);
	const name = site?.name ?? t.appName;
	useEffect(() => {
		document.title = `${invite ? td.joinIn : td.signIn} – ${name}`;
	}, [name]);
	const good = invitation === 'open';
	const labelOf = good ? td.joinWith : td.signInWith;
	const href = (provider?: string) => {
		const query = new URLSearchParams({ return_to: returnTo });
		if (provider) query.set('provider', provider);
		return `/auth/login?${query}`;
	};
	const join = (provider?: string) => {
		setError(null);
		api.joinBy({ invite: invite!, provider }).then(
			({ data }) => location.assign(data.redirect),
			(e: unknown) => setError(errorText(e)),
		);
	};
	return (
		<main class="door">
			<div class="door-card">
				<svg class="door-mark" viewBox="0 0 32 32" width="48" height="48" aria-hidden="true">
					<rect width="32" height="32" rx="9" />
					<path d="M6 17h5l3-8 4 14 3-8 1 2h4" />
				</svg>
				<h1>
					<bdi>{invite ? td.joinSite(name) : td.signInTo(name)}</bdi>
				</h1>
				{reason && (
					<div class={`notice notice-${reason}`} role="alert">
						<strong>{reason === 'ended' ? td.sessionEnded : td.accountOff}</strong>
						<p>{reason === 'ended' ? td.sessionEndedText : td.accountOffText}</p>
					</div>
				)}
				{good && site && <p class="door-hint">{site.provider || !site.local ? td.youAreInvited : td.youAreInvitedHere}</p>}
				{invitation && invitation !== 'open' && (
					<div class="notice" role="alert">
						<strong>{td.inviteBad[invitation]}</strong>
						<p>{td.inviteBadText}</p>
					</div>
				)}
				<Fault text={error} again={load} />
				{site?.provider && (
					<div class="door-buttons">
						{(site.login.length ? site.login : [{ id: '', label: '' }]).map((p) => {
							const inside = (
								<>
									<Icon of={LogIn} size={18} />
									{p.id ? <bdi>{labelOf(p.label)}</bdi> : good ? td.joinIn : td.signIn}
								</>
							);
							return good ? (
								<button key={p.id} class="button primary big" onClick={() => join(p.id || undefined)}>
									{inside}
								</button>
							) : (
								<a key={p.id} class="button primary big" href={href(p.id || undefined)}>
									{inside}
								</a>
							);
						})}
					</div>
				)}
				{site?.provider && <p class="door-hint">{td.signInHint}</p>}
				{site?.provider && site.local && <p class="door-or">{td.or}</p>}
				{site?.local && (good ? <JoinForm invite={invite!} onSpent={load} /> : <PasswordForm returnTo={returnTo} />)}
				{site && !site.provider && !site.local && <p class="door-hint">{td.noWayIn}</p>}
				{!site && !error && <p class="door-hint">{t.loading}</p>}
				{site?.registration === 'invite' && !invite && <p class="door-hint">{td.byInvitation}</p>}
			</div>
		</main>
	);
}

function PasswordForm({ returnTo }: { returnTo: string }) {
	const [name, setName] = useState('');
	const [password, setPassword] = useState('');
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const long = tooMany(name.trim(), MOST.signInName) + tooMany(password, MOST.password) > 0;
	const submit = async (e: Event) => {
		e.preventDefault();
		if (!name.trim() || !password) return setError(td.nameAndPassword);
		setBusy(true);
		setError(null);
		try {
			const { data } = await api.signIn({ name: name.trim(), password, return_to: returnTo });
			location.replace(data.redirect);
		} catch (err) {
			const bad = err instanceof ApiError && (err.code === 'forbidden' || err.code === 'bad_field');
			const wait = err instanceof ApiError && err.status === 429 && err.retryAfter;
			setError(bad ? td.wrongPassword : wait ? t.tooManyTries(wait) : errorText(err));
			setBusy(false);
		}
	};
	return (
		<form class="form door-form" onSubmit={(e) => void submit(e)} noValidate>
			<TextField
				label={td.userName}
				name="username"
				value={name}
				most={MOST.signInName}
				plain
				autocomplete="username"
				bad={error !== null}
				onText={setName}
			/>
			<PasswordField
				label={td.password}
				name="password"
				value={password}
				autocomplete="current-password"
				bad={error !== null}
				onText={setPassword}
			/>
			<Fault text={error} />
			<button class="button primary big" type="submit" disabled={busy || long}>
				{td.signIn}
			</button>
		</form>
	);
}

function JoinForm({ invite, onSpent }: { invite: string; onSpent: () => void }) {
	const [who, setWho] = useState({ handle: '', name: '', password: '' });
	const [error, setError] = useState<{ field?: string; text: string } | null>(null);
	const [busy, setBusy] = useState(false);
	const set = (part: Partial<typeof who>) => setWho({ ...who, ...part });
	const { handle, name, password } = who;
	const long = tooMany(name.trim(), MOST.personName) + tooMany(handle.trim(), MOST.handle) + tooMany(password, MOST.password) > 0;
	const submit = async (e: Event) => {
		e.preventDefault();
		const wish = { ...who, handle: handle.trim(), name: name.trim() };
		if (!wish.handle || !wish.name || !wish.password) return setError({ text: td.joinMissing });
		setBusy(true);
		setError(null);
		try {
			const { data } = await api.joinWith({ invite, ...wish });
			location.replace(data.redirect);
		} catch (err) {
			setBusy(false);
			if (err instanceof ApiError && err.field === 'invite') return onSpent();
			setError(joinError(err));
		}
	};
	return (
		<form class="form door-form" onSubmit={(e) => void submit(e)} noValidate>
			<TextField
				label={td.yourName}
				name="name"
				value={name}
				most={MOST.personName}
				autocomplete="name"
				placeholder={td.yourNameHint}
				bad={error?.field === 'name'}
				onText={(name) => set({ name })}
			/>
			<TextField
				label={td.userName}
				name="username"
				value={handle}
				most={MOST.handle}
				plain
				autocomplete="username"
				hint={td.handleHint}
				bad={error?.field === 'handle'}
				onText={(handle) => set({ handle })}
			/>
			<PasswordField
				label={td.password}
				name="password"
				value={password}
				autocomplete="new-password"
				placeholder={td.passwordHint}
				bad={error?.field === 'password'}
				onText={(password) => set({ password })}
			/>
			<Fault text={error?.text} />
			<button class="button primary big" type="submit" disabled={busy || long}>
				{td.joinIn}
			</button>
		</form>
	);
}

function joinError(err: unknown): { field?: string; text: string } {
	if (!(err instanceof ApiError)) return { text: errorText(err) };
	const { field } = err;
	if (err.status === 429 && err.retryAfter) return { text: t.tooManyTries(err.retryAfter) };
	if (field === 'handle') return { field, text: err.code === 'conflict' ? td.joinTaken : td.joinBadHandle };
	if (field === 'name') return { field, text: td.joinBadName };
	if (field === 'password') return { field, text: t.passwordBad(err.detail) };
	return { text: errorText(err) };
}
