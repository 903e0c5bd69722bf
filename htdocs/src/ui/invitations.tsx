// Invitations to the site: make a link, see which are open, withdraw one. For owners and admins; loaded when it is opened first.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Check, Copy, X } from 'lucide';
import { api } from '../net/api';
import type { Invite } from '../model/types';
import { t } from '../strings';
import { useUi } from './context';
import { Dialog } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { dateOf } from './time';

const DAY = 86_400; // s
const MOST = 50; // that are listed

const endOf = (i: Invite): string => (i.expires_at ? t.inviteUntil(dateOf(Date.parse(i.expires_at))) : t.inviteForever);

export function Invitations({ onClose }: { onClose: () => void }) {
	const { toast } = useUi();
	const [uses, setUses] = useState('1');
	const [days, setDays] = useState('7');
	const [made, setMade] = useState<Invite | null>(null);
	const [open, setOpen] = useState<Invite[] | null>(null);
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const load = () =>
		api.invites(MOST).then(
			({ data }) => setOpen(data.invites.filter((i) => i.state === 'open')),
			(e: unknown) => setError(errorText(e)),
		);
	useEffect(() => void load(), []);
	const make = (e: Event) => {
		e.preventDefault();
		setBusy(true);
		setError(null);
		const wish = { ...(uses === 'any' ? {} : { max_uses: Number(uses) }), ...(days === 'never' ? {} : { expires_in: Number(days) * DAY }) };
		api.makeInvite(wish).then(
			({ data }) => {
				setMade(data);
				setBusy(false);
				void load();
			},
			(err: unknown) => {
				setError(errorText(err));
				setBusy(false);
			},
		);
	};
	const withdraw = (id: number) =>
		api.withdrawInvite(id).then(
			() => {
				if (made?.id === id) setMade(null);
				toast(t.inviteWithdrawn);
				void load();
			},
			(e: unknown) => toast(errorText(e), true),
		);
	return (
		<Dialog title={t.inviteToSite} onClose={onClose}>
			<form class="form" onSubmit={make} noValidate>
				<p class="door-hint">{t.inviteToSiteText}</p>
				<label class="field">
					<span>{t.inviteUses}</span>
					<select data-autofocus value={uses} onChange={(e) => setUses(e.currentTarget.value)}>
						{Object.entries(t.inviteUsesOf).map(([k, label]) => (
							<option key={k} value={k}>
								{label}
							</option>
						))}
					</select>
				</label>
				<label class="field">
					<span>{t.inviteEnd}</span>
					<select value={days} onChange={(e) => setDays(e.currentTarget.value)}>
						{Object.entries(t.inviteEndOf).map(([k, label]) => (
							<option key={k} value={k}>
								{label}
							</option>
						))}
					</select>
				</label>
				{error && (
					<p class="dialog-error" role="alert">
						{error}
					</p>
				)}
				{made?.url && <Link key={made.id} url={made.url} />}
				<div class="dialog-foot">
					<button class="button primary" type="submit" disabled={busy}>
						{made ? t.inviteAnother : t.inviteMake}
					</button>
				</div>
			</form>
			{open && open.length > 0 && (
				<section class="settings" aria-labelledby="invites-open">
					<h3 id="invites-open">{t.invitesOpen}</h3>
					<ul>
						{open.map((i) => (
							<li key={i.id} class="setting">
								<div class="setting-text">
									<span class="setting-label">{t.inviteUsed(i.uses, i.max_uses)}</span>
									<small>{endOf(i)}</small>
								</div>
								<button class="button" onClick={() => void withdraw(i.id)}>
									<Icon of={X} size={16} /> {t.inviteWithdraw}
								</button>
							</li>
						))}
					</ul>
				</section>
			)}
		</Dialog>
	);
}

function Link({ url }: { url: string }) {
	const [copied, setCopied] = useState(false);
	const field = useRef<HTMLInputElement>(null);
	useEffect(() => field.current?.select(), []);
	const copy = () => {
		field.current?.select();
		navigator.clipboard?.writeText(url).then(
			() => setCopied(true),
			() => {},
		);
	};
	return (
		<div class="field" role="status">
			<label for="invite-link">{t.inviteLink}</label>
			<div class="invite-link">
				<input id="invite-link" ref={field} type="text" readOnly value={url} dir="ltr" />
				<button type="button" class="button" onClick={copy}>
					<Icon of={copied ? Check : Copy} size={16} /> {copied ? t.copied : t.inviteCopy}
				</button>
			</div>
			<small>{t.inviteOnce}</small>
		</div>
	);
}
