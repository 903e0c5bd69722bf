// The sign-in page. It knows the site alone; signing in itself happens at the provider, by whole-page navigation.
import { useEffect, useState } from 'preact/hooks';
import { LogIn } from 'lucide';
import { api } from '../net/api';
import type { Site } from '../model/types';
import { t } from '../strings';
import { errorText } from './errors';
import { Icon } from './icon';

export type SignInReason = 'ended' | 'deactivated' | null;

export function SignIn({ returnTo, reason }: { returnTo: string; reason: SignInReason }) {
	const [site, setSite] = useState<Site | null>(null);
	const [error, setError] = useState<string | null>(null);
	const load = () => {
		setError(null);
		api.site().then(
			({ data }) => setSite(data),
			(e: unknown) => setError(errorText(e)),
		);
	};
	useEffect(() => {
		load();
		// Signed in already (in another tab, say): then there is nothing to do here.
		if (!reason)
			api.me().then(
				() => location.replace(returnTo),
				() => {},
			);
	}, []);
	const name = site?.name ?? t.appName;
	useEffect(() => {
		document.title = `${t.signIn} – ${name}`;
	}, [name]);
	const href = (provider?: string) => `/auth/login?${new URLSearchParams({ return_to: returnTo, ...(provider ? { provider } : {}) })}`;
	return (
		<main class="door">
			<div class="door-card">
				<svg class="door-mark" viewBox="0 0 32 32" width="48" height="48" aria-hidden="true">
					<rect width="32" height="32" rx="9" />
					<path d="M6 17h5l3-8 4 14 3-8 1 2h4" />
				</svg>
				<h1>
					<bdi>{t.signInTo(name)}</bdi>
				</h1>
				{reason && (
					<div class={`notice notice-${reason}`} role="alert">
						<strong>{reason === 'ended' ? t.sessionEnded : t.accountOff}</strong>
						<p>{reason === 'ended' ? t.sessionEndedText : t.accountOffText}</p>
					</div>
				)}
				{error && (
					<p class="dialog-error" role="alert">
						{error}{' '}
						<button class="link-button" onClick={load}>
							{t.retry}
						</button>
					</p>
				)}
				{site && (
					<div class="door-buttons">
						{(site.login.length ? site.login : [{ id: '', label: '' }]).map((p) => (
							<a key={p.id} class="button primary big" href={href(p.id || undefined)}>
								<Icon of={LogIn} size={18} />
								{p.id ? <bdi>{t.signInWith(p.label)}</bdi> : t.signIn}
							</a>
						))}
					</div>
				)}
				{!site && !error && <p class="door-hint">{t.loading}</p>}
				<p class="door-hint">{t.signInHint}</p>
			</div>
		</main>
	);
}
