// Links into the site (for owners and admins) or into a channel (for its owners and moderators): make one, see which are open, withdraw one.
// Loaded when it is opened first.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Check, Copy, X } from 'lucide';
import { api } from '../net/api';
import type { Link as Made } from '../model/types';
import { t } from '../strings';
import { ti } from '../strings_invitations';
import { tc } from '../strings_channels';
import { useState$, useUi } from './context';
import { Dialog, Fault } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { channelLabel } from './names';
import { dateOf } from './time';

const DAY = 86_400; // s
const MOST = 50; // that are listed

const endOf = (i: Made): string => (i.expires_at ? ti.inviteUntil(dateOf(Date.parse(i.expires_at))) : ti.inviteForever);

interface Place {
	title: string;
	text: string;
	list: () => Promise<Made[]>;
	make: (wish: { max_uses?: number; expires_in?: number }) => Promise<Made>;
	withdraw: (id: number) => Promise<unknown>;
}

const SITE: Place = {
	title: ti.inviteToSite,
	text: ti.inviteToSiteText,
	list: async () => (await api.invites(MOST)).data.invites,
	make: async (wish) => (await api.makeInvite(wish)).data,
	withdraw: (id) => api.withdrawInvite(id),
};

export const Invitations = ({ onClose }: { onClose: () => void }) => <Links to={SITE} onClose={onClose} />;

export function ChannelLinks({ channel, onClose }: { channel: number; onClose: () => void }) {
	const label = useState$((s) => (s.channels[channel] ? channelLabel(s, s.channels[channel]) : ''));
	const place: Place = {
		title: tc.linksTitle(label),
		text: tc.linksText,
		list: async () => (await api.channelLinks(channel, MOST)).data.invites,
		make: async (wish) => (await api.makeChannelLink(channel, wish)).data,
		withdraw: (id) => api.withdrawChannelLink(channel, id),
	};
	return <Links to={place} onClose={onClose} />;
}

function Links({ to, onClose }: { to: Place; onClose: () => void }) {
	const { toast } = useUi();
	const [uses, setUses] = useState('1');
	const [days, setDays] = useState('7');
	const [made, setMade] = useState<Made | null>(null);
	const [open, setOpen] = useState<Made[] | null>(null);
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const load = () =>
		to.list().then(
			(all) => setOpen(all.filter((i) => i.state === 'open')),
			(e: unknown) => setError(errorText(e)),
		);
	useEffect(() => void load(), []);
	const make = (e: Event) => {
		e.preventDefault();
		setBusy(true);
		setError(null);
		const wish = { ...(uses === 'any' ? {} : { max_uses: Number(uses) }), ...(days === 'never' ? {} : { expires_in: Number(days) * DAY }) };
		to.make(wish).then(
			(link) => {
				setMade(link);
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
		to.withdraw(id).then(
			() => {
				if (made?.id === id) setMade(null);
				toast(ti.inviteWithdrawn);
				void load();
			},
			(e: unknown) => toast(errorText(e), true),
		);
	return (
		<Dialog title={to.title} onClose={onClose}>
			<form class="form" onSubmit={make} noValidate>
				<p class="door-hint">{to.text}</p>
				<label class="field">
					<span>{ti.inviteUses}</span>
					<select data-autofocus value={uses} onChange={(e) => setUses(e.currentTarget.value)}>
						{Object.entries(ti.inviteUsesOf).map(([k, label]) => (
							<option key={k} value={k}>
								{label}
							</option>
						))}
					</select>
				</label>
				<label class="field">
					<span>{ti.inviteEnd}</span>
					<select value={days} onChange={(e) => setDays(e.currentTarget.value)}>
						{Object.entries(ti.inviteEndOf).map(([k, label]) => (
							<option key={k} value={k}>
								{label}
							</option>
						))}
					</select>
				</label>
				<Fault text={error} />
				{made?.url && <Link key={made.id} url={made.url} />}
				<div class="dialog-foot">
					<button class="button primary" type="submit" disabled={busy}>
						{made ? ti.inviteAnother : ti.inviteMake}
					</button>
				</div>
			</form>
			{open && open.length > 0 && (
				<section class="settings" aria-labelledby="invites-open">
					<h3 id="invites-open">{ti.invitesOpen}</h3>
					<ul>
						{open.map((i) => (
							<li key={i.id} class="setting">
								<div class="setting-text">
									<span class="setting-label">{ti.inviteUsed(i.uses, i.max_uses)}</span>
									<small>{endOf(i)}</small>
								</div>
								<button
									class="button"
									aria-label={ti.inviteWithdrawOf(`${ti.inviteUsed(i.uses, i.max_uses)}, ${endOf(i)}`)}
									onClick={() => void withdraw(i.id)}
								>
									<Icon of={X} size={16} /> {ti.inviteWithdraw}
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
			<label for="invite-link">{ti.inviteLink}</label>
			<div class="invite-link">
				<input id="invite-link" ref={field} type="text" readOnly value={url} dir="ltr" />
				<button type="button" class="button" onClick={copy}>
					<Icon of={copied ? Check : Copy} size={16} /> {copied ? t.copied : ti.inviteCopy}
				</button>
			</div>
			<small>{ti.inviteOnce}</small>
		</div>
	);
}
