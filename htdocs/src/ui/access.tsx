// Where one is signed in, and the tokens of one's own programs. Loaded when one of them is opened first.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Copy, KeyRound, Monitor, Smartphone } from 'lucide';
import { MOST, tooMany } from '../model/limits';
import { api, ApiError } from '../net/api';
import { isAdmin } from '../model/roles';
import type { AccessToken, Session } from '../model/types';
import { t } from '../strings';
import { tw } from '../strings_access';
import { useState$, useUi } from './context';
import { Dialog, Fault } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { apart } from './names';
import { PasswordField, TextField } from './text_field';
import { agoOf, dateOf } from './time';

interface Props {
	onClose: () => void;
}

/* A list that is loaded when it is shown: what there is, or why there is nothing. */
function useLoaded<T>(load: () => Promise<T>) {
	const [data, setData] = useState<T | null>(null);
	const [error, setError] = useState<string | null>(null);
	const gone = useRef(false);
	const again = () =>
		load().then(
			(d) => {
				if (gone.current) return;
				setData(d);
				setError(null);
			},
			(e: unknown) => void (gone.current || setError(errorText(e))),
		);
	useEffect(() => {
		void again();
		return () => void (gone.current = true);
	}, []);
	return { data, error, again };
}

function Entry({ icon, name, note, detail, children }: { icon: typeof Monitor; name: string; note?: string; detail: string; children?: ComponentChildren }) {
	return (
		<li class="setting">
			<Icon of={icon} size={20} />
			<div class="setting-text access-text">
				<span class="setting-label">
					<bdi>{apart(name)}</bdi> {note && <span class="pill">{note}</span>}
				</span>
				<small>{detail}</small>
			</div>
			{children}
		</li>
	);
}

const MOBILE = /iPhone|iPad|Android/;

export function Devices({ onClose }: Props) {
	const { toast } = useUi();
	const { data, error, again } = useLoaded(() => api.sessions().then((r) => r.data.sessions));
	const [busy, setBusy] = useState(false);
	const end = (act: Promise<unknown>) => {
		setBusy(true);
		act.then(again, (e: unknown) => toast(errorText(e), true)).finally(() => setBusy(false));
	};
	const others = data?.some((s) => !s.current);
	const used = (s: Session) => (s.current ? tw.usedNow : tw.usedAgo(agoOf(Date.parse(s.last_used_at), Date.now())));
	return (
		<Dialog title={t.devices} onClose={onClose}>
			<p class="dialog-text">{tw.devicesText}</p>
			{error ? (
				<Fault text={error} again={() => void again()} />
			) : (
				<ul class="settings access">
					{data?.map((s) => (
						<Entry
							key={s.id}
							icon={MOBILE.test(s.device) ? Smartphone : Monitor}
							name={s.device}
							note={s.current ? tw.deviceThis : undefined}
							detail={`${used(s)} · ${tw.signedInOn(dateOf(Date.parse(s.created_at)))}`}
						>
							{!s.current && (
								<button
									class="button"
									disabled={busy}
									aria-label={tw.signOutOf(s.device)}
									onClick={() => end(api.endSession(s.id))}
								>
									{t.signOut}
								</button>
							)}
						</Entry>
					))}
				</ul>
			)}
			{others && (
				<footer class="dialog-foot">
					<button class="button danger" disabled={busy} onClick={() => end(api.endOtherSessions())}>
						{tw.signOutOthers}
					</button>
				</footer>
			)}
		</Dialog>
	);
}

/* One's password of this site. */
export function OwnPassword({ onClose }: Props) {
	const { toast } = useUi();
	const [typed, setTyped] = useState({ old: '', fresh: '', again: '' });
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const save = () => {
		if (!typed.old || !typed.fresh || !typed.again) return setError(tw.passwordMissing);
		if (typed.fresh !== typed.again) return setError(tw.passwordDiffers);
		setBusy(true);
		setError(null);
		api.changePassword({ old: typed.old, password: typed.fresh }).then(
			() => {
				toast(tw.passwordChanged);
				onClose();
			},
			(e: unknown) => {
				const at = e instanceof ApiError ? e : null;
				const wait = at?.status === 429 && at.retryAfter;
				setBusy(false);
				if (at?.field === 'old') setError(tw.passwordWrong);
				else if (at?.field === 'password') setError(t.passwordBad(at.detail));
				else setError(wait ? t.tooManyTries(wait) : errorText(e));
			},
		);
	};
	const fields = [
		['old', tw.passwordOld, 'current-password'],
		['fresh', tw.passwordNew, 'new-password'],
		['again', tw.passwordAgain, 'new-password'],
	] as const;
	return (
		<Dialog title={t.passwordChange} onClose={onClose}>
			<form
				class="form"
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					save();
				}}
			>
				{fields.map(([name, label, kind]) => (
					<PasswordField
						key={name}
						label={label}
						value={typed[name]}
						autocomplete={kind}
						bad={error !== null}
						onText={(text) => setTyped({ ...typed, [name]: text })}
					/>
				))}
				<Fault text={error} />
				<button class="button primary" type="submit" disabled={busy || fields.some(([f]) => tooMany(typed[f], MOST.password))}>
					{tw.passwordSave}
				</button>
			</form>
		</Dialog>
	);
}

const DAY = 86_400; // seconds

function tokenDetail(k: AccessToken): string {
	const scopes = k.scopes.map((s) => tw.scopes[s] ?? s).join(', ');
	const used = k.last_used_at ? tw.usedAgo(agoOf(Date.parse(k.last_used_at), Date.now())) : tw.usedNever;
	return [scopes, used, k.expires_at ? tw.tokenUntil(dateOf(Date.parse(k.expires_at))) : tw.tokenForEver].join(' · ');
}

export interface TokensProps extends Props {
	/* Whose they are, where they are not one's own. */
	of?: {
		title: string;
		text: string;
		admin: boolean; // may have the scope
		list: typeof api.tokens;
		make: typeof api.makeToken;
		end: typeof api.endToken;
	};
}

export function Tokens({ onClose, of }: TokensProps) {
	const { toast } = useUi();
	const boss = useState$(isAdmin);
	const { title, text, admin, list, make, end } = of ?? {
		title: t.tokens,
		text: tw.tokensText,
		admin: boss,
		list: api.tokens,
		make: api.makeToken,
		end: api.endToken,
	};
	const { data, error, again } = useLoaded(() => list().then((r) => r.data.tokens));
	const [made, setMade] = useState<string | null>(null);
	const [asked, setAsked] = useState<number | null>(null); // the one that is about to be revoked
	const revoke = (id: number) => end(id).then(again, (e: unknown) => toast(errorText(e), true));
	return (
		<Dialog title={title} onClose={onClose}>
			<div class="settings access-tokens">
				<p>{text}</p>
				{made && <Made token={made} onDone={() => setMade(null)} />}
				{error ? (
					<Fault text={error} again={() => void again()} />
				) : (
					<ul class="access">
						{data?.map((k) => (
							<Entry key={k.id} icon={KeyRound} name={k.name} detail={tokenDetail(k)}>
								{asked === k.id ? (
									<Sure
										label={tw.tokenRevokeSure}
										onSure={() => void revoke(k.id)}
										onNot={() => setAsked(null)}
									/>
								) : (
									<button
										class="button"
										aria-label={tw.tokenRevokeOf(apart(k.name))}
										onClick={() => setAsked(k.id)}
									>
										{tw.tokenRevoke}
									</button>
								)}
							</Entry>
						))}
					</ul>
				)}
				{data && <NewToken admin={admin} make={make} onMade={(token) => (setMade(token), void again())} />}
			</div>
		</Dialog>
	);
}

/* Asks once more, in the place of the button that was pressed; going elsewhere is a no. */
function Sure({ label, onSure, onNot }: { label: string; onSure: () => void; onNot: () => void }) {
	const ref = useRef<HTMLButtonElement>(null);
	useLayoutEffect(() => ref.current?.focus(), []);
	return (
		<button ref={ref} class="button danger" onClick={onSure} onBlur={onNot}>
			{label}
		</button>
	);
}

/* A secret that is shown this once. */
function Made({ token, onDone }: { token: string; onDone: () => void }) {
	const { toast } = useUi();
	const field = useRef<HTMLInputElement>(null);
	const id = useId();
	useLayoutEffect(() => {
		field.current?.focus();
		field.current?.select();
	}, [token]);
	const copy = () =>
		navigator.clipboard?.writeText(token).then(
			() => toast(t.copied),
			() => field.current?.select(),
		);
	return (
		<div class="made" role="status">
			<label for={id}>{tw.tokenOnce}</label>
			<div class="made-row field">
				<input ref={field} id={id} type="text" readOnly value={token} spellcheck={false} autocomplete="off" />
				<button class="button" onClick={() => void copy()}>
					<Icon of={Copy} size={16} /> {tw.copyToken}
				</button>
			</div>
			<button class="link-button" onClick={onDone}>
				{tw.tokenKept}
			</button>
		</div>
	);
}

function NewToken({ admin, make: ask, onMade }: { admin: boolean; make: typeof api.makeToken; onMade: (token: string) => void }) {
	const [name, setName] = useState('');
	const [scopes, setScopes] = useState<string[]>(['read', 'write']);
	const [days, setDays] = useState('90');
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const toggle = (scope: string, on: boolean) => setScopes((all) => (on ? [...all, scope] : all.filter((s) => s !== scope)));
	const make = () => {
		if (!name.trim()) return setError(tw.tokenNoName);
		setBusy(true);
		setError(null);
		const chosen = ['read', ...scopes.filter((s) => s !== 'read')];
		ask({ name: name.trim(), scopes: chosen, ...(days !== '' && { expires_in: Number(days) * DAY }) })
			.then(
				({ data }) => {
					setName('');
					onMade(data.token);
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
			<h3>{tw.tokenNew}</h3>
			<TextField
				label={tw.tokenName}
				value={name}
				most={MOST.token}
				placeholder={tw.tokenNameHint}
				bad={error !== null}
				onText={setName}
			/>
			<fieldset class="checks">
				<legend>{tw.tokenMay}</legend>
				{Object.entries(tw.scopes).map(([scope, label]) =>
					scope === 'admin' && !admin ? null : (
						<label key={scope}>
							<input
								type="checkbox"
								checked={scope === 'read' || scopes.includes(scope)}
								disabled={scope === 'read'}
								onChange={(e) => toggle(scope, e.currentTarget.checked)}
							/>
							<span>{label}</span>
						</label>
					),
				)}
			</fieldset>
			<label class="field">
				<span>{tw.tokenEnds}</span>
				<select value={days} onChange={(e) => setDays(e.currentTarget.value)}>
					{tw.tokenDays.map(([d, label]) => (
						<option key={d} value={d}>
							{label}
						</option>
					))}
				</select>
			</label>
			<Fault text={error} />
			<button type="submit" class="button primary" disabled={busy || tooMany(name.trim(), MOST.token) > 0}>
				{tw.tokenMake}
			</button>
		</form>
	);
}
