// The administration: people, reports, channels, bots, the audit log. Loaded when it is opened first.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Menu as MenuIcon } from 'lucide';
import { admin, type AdminChannel, type AdminUser, type AuditEntry } from '../net/admin';
import { myId } from '../model/state';
import { isAdmin, siteRank } from '../model/roles';
import type { User } from '../model/types';
import { t } from '../strings';
import { ta } from '../strings_admin';
import { countText } from './attention';
import { Avatar } from './avatar';
import { Bots } from './bots';
import { ConnectionLine } from './connection';
import { useState$, useUi } from './context';
import { Dialog } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { EditChannel } from './moderate';
import { FileList, listOf } from './myfiles';
import { apart, channelName, personName } from './names';
import { useList } from './paged';
import { ReportList } from './reports';
import { adminPath, navigate, type AdminTab } from './route';
import { ActForm, untilText, type Act } from './sanction';
import { fullTime } from './time';

const TABS: readonly AdminTab[] = ['people', 'reports', 'channels', 'bots', 'audit'];
const ROLES = ['owner', 'admin', 'member', 'guest'] as const;

export function AdminView({ tab }: { tab: AdminTab }) {
	const { drawer } = useUi();
	const boss = useState$(isAdmin);
	const open = useState$((s) => s.openReports.open);
	const tabs = useRef<HTMLElement>(null);
	// On a phone they do not all fit.
	useLayoutEffect(() => tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [tab, boss]);
	return (
		<main class="main" id="main">
			<header class="head">
				<button class="icon-button burger" title={t.openSidebar} aria-controls="side" onClick={() => drawer(true)}>
					<Icon of={MenuIcon} size={20} />
					<span class="sr-only">{t.openSidebar}</span>
				</button>
				<h1>{ta.admin}</h1>
			</header>
			<ConnectionLine />
			{!boss ? (
				<div class="blank">
					<p>{ta.adminsOnly}</p>
				</div>
			) : (
				<>
					<nav ref={tabs} class="tabs" aria-label={ta.admin}>
						{TABS.map((k) => (
							<a
								key={k}
								href={adminPath(k)}
								aria-current={k === tab ? 'page' : undefined}
								onClick={(e) => {
									if (e.ctrlKey || e.metaKey || e.shiftKey) return;
									e.preventDefault();
									navigate(adminPath(k));
								}}
							>
								{ta.tabs[k]}
								{k === 'reports' && open > 0 && (
									<>
										{' '}
										<span class="badge badge-loud">{countText(open)}</span>
									</>
								)}
							</a>
						))}
					</nav>
					<div class="admin" tabIndex={0} role="region" aria-label={ta.tabs[tab]}>
						{tab === 'people' && <People />}
						{tab === 'reports' && <ReportList />}
						{tab === 'channels' && <Channels />}
						{tab === 'bots' && <Bots />}
						{tab === 'audit' && <Audit />}
					</div>
				</>
			)}
		</main>
	);
}

function Search({ label, value, onInput }: { label: string; value: string; onInput: (v: string) => void }) {
	return (
		<label class="field grow">
			<span class="sr-only">{label}</span>
			<input
				type="search"
				dir="auto"
				placeholder={label}
				value={value}
				autocomplete="off"
				spellcheck={false}
				onInput={(e) => onInput(e.currentTarget.value)}
			/>
		</label>
	);
}

/* ---- people */

function People() {
	const [q, setQ] = useState('');
	const [role, setRole] = useState('');
	const [managed, setManaged] = useState<AdminUser | null>(null);
	const [filesOf, setFilesOf] = useState<AdminUser | null>(null);
	const able = useState$((s) => s.limits.files !== null);
	const me = useState$(myId);
	const mine = useState$((s) => siteRank(s.me?.user.role));
	// Moves on with each change of a person that is told.
	const stamp = useState$((s) => Object.values(s.users).reduce((n, u) => n + u.version, 0));
	const { toast } = useUi();
	const people = useList<AdminUser, string>(
		(after) => admin.users({ q: q.trim().replace(/^@/, ''), role, after }).then(({ data }) => ({ list: data.users, next: data.next })),
		[q, role, stamp],
	);
	const give = (u: AdminUser, next: User['role']) => {
		admin.setRole(u.id, next).then(
			() => {
				toast(ta.roleSet(personName(u), ta.roles[next]!));
				people.load();
			},
			(e: unknown) => {
				toast(errorText(e), true);
				people.load();
			},
		);
	};
	const mayAct = (u: AdminUser) => u.id !== me && (mine === 3 || siteRank(u.role) < mine);
	return (
		<>
			<div class="filters">
				<Search label={ta.findPerson} value={q} onInput={setQ} />
				<label class="field">
					<span class="sr-only">{ta.columns.role}</span>
					<select value={role} onChange={(e) => setRole(e.currentTarget.value)}>
						<option value="">{ta.anyRole}</option>
						{ROLES.map((r) => (
							<option key={r} value={r}>
								{ta.roles[r]}
							</option>
						))}
					</select>
				</label>
			</div>
			<ul class="admin-rows">
				{people.list.map((u) => (
					<li key={u.id} class={u.active ? 'admin-row' : 'admin-row off'}>
						<Avatar user={u} id={u.id} />
						<span class="person-text">
							<bdi class="person-name">{personName(u)}</bdi>
							<bdi class="person-handle">
								@{u.handle}
								{u.email ? ` · ${u.email}` : ''}
							</bdi>
							{(!u.active || u.mute) && (
								<span class="admin-state">
									{!u.active && <span class="tag">{ta.deactivated}</span>}
									{u.mute && <span class="tag">{ta.muted(untilText(u.mute.until))}</span>}
								</span>
							)}
						</span>
						<span class="admin-tools">
							<select
								aria-label={ta.roleOf(personName(u))}
								value={u.role}
								disabled={!u.active || (!mayAct(u) && u.id !== me)}
								onChange={(e) => give(u, e.currentTarget.value as User['role'])}
							>
								{ROLES.map((r) => (
									<option key={r} value={r} disabled={siteRank(r) > mine}>
										{ta.roles[r]}
									</option>
								))}
							</select>
							{able && (
								<button class="button" aria-label={ta.filesOf(personName(u))} onClick={() => setFilesOf(u)}>
									{ta.filesShow}
								</button>
							)}
							<button
								class="button"
								disabled={!mayAct(u)}
								aria-label={ta.manageOf(personName(u))}
								onClick={() => setManaged(u)}
							>
								{ta.manage}
							</button>
						</span>
					</li>
				))}
			</ul>
			{people.foot(ta.nobodyFound)}
			{filesOf && <FileList of={listOf(filesOf.id, ta.filesOf(personName(filesOf)), ta.filesOfText)} onClose={() => setFilesOf(null)} />}
			{managed && <Manage user={managed} onClose={() => setManaged(null)} onDone={people.load} />}
		</>
	);
}

function Manage({ user, onClose, onDone }: { user: AdminUser; onClose: () => void; onDone: () => void }) {
	const { toast } = useUi();
	const act = (key: string, asks: Act['asks'], run: Act['run'], danger = false): Act => {
		const [label, hint] = ta.acts[key]!;
		return { key, label, hint, asks, run, danger };
	};
	// What a provider says is its own affair.
	const picture = user.picture?.startsWith('/') ? [act('picture', {}, () => admin.removePicture(user.id))] : [];
	const acts = user.active
		? [
				user.mute
					? act('unmute', {}, () => admin.unmuteUser(user.id))
					: act('mute', { until: true, reason: true }, (s) => admin.muteUser(user.id, s)),
				...picture,
				act('deactivate', { reason: true }, (s) => admin.deactivate(user.id, s.reason), true),
			]
		: [act('reactivate', {}, () => admin.reactivate(user.id)), ...picture];
	return (
		<Dialog title={ta.personTitle(personName(user))} onClose={onClose}>
			<ActForm
				legend={ta.what}
				acts={acts}
				submit={ta.doIt}
				onDone={() => {
					toast(ta.done);
					onClose();
					onDone();
				}}
				onClose={onClose}
			/>
		</Dialog>
	);
}

/* ---- channels */

function Channels() {
	const { client } = useUi();
	const [q, setQ] = useState('');
	const [edited, setEdited] = useState<AdminChannel | null>(null);
	const users = useState$((s) => s.users);
	const channels = useList<AdminChannel, number>(
		(after) =>
			admin.channels({ q: q.trim().replace(/^#/, ''), after }).then(({ data }) => {
				client.loader.needUsers(data.channels.flatMap((c) => c.owners));
				return { list: data.channels, next: data.next };
			}),
		[q],
	);
	return (
		<>
			<div class="filters">
				<Search label={ta.findChannel} value={q} onInput={setQ} />
			</div>
			<ul class="admin-rows">
				{channels.list.map((c) => (
					<li key={c.id} class={c.archived ? 'admin-row off' : 'admin-row'}>
						<span class="person-text">
							<span class="person-line">
								<bdi class="person-name">#{channelName(c)}</bdi>
								{c.kind === 'private' && <span class="tag">{t.privateChannel}</span>}
								{c.archived && <span class="tag">{ta.archived}</span>}
							</span>
							<span class="person-handle">
								{t.membersCount(c.members)} · {ta.columns.owners}:{' '}
								<bdi>{c.owners.map((id) => personName(users[id])).join(', ') || ta.nobody}</bdi>
							</span>
						</span>
						<span class="admin-tools">
							<button class="button" aria-label={ta.editOf(`#${channelName(c)}`)} onClick={() => setEdited(c)}>
								{ta.edit}
							</button>
						</span>
					</li>
				))}
			</ul>
			{channels.foot(ta.nothingFound)}
			{edited && (
				<EditChannel
					channel={edited.id}
					known={edited}
					onClose={() => {
						setEdited(null);
						channels.load();
					}}
				/>
			)}
		</>
	);
}

/* ---- audit */

/* A day of the person's own clock as the time that it begins, or ends. */
const dayEdge = (day: string, end: boolean): string | undefined => {
	if (!day) return undefined;
	const d = new Date(`${day}T00:00`);
	if (end) d.setDate(d.getDate() + 1);
	return Number.isNaN(d.getTime()) ? undefined : d.toISOString();
};

/* A value of what an entry tells: a list, or what it was and what it became. */
function detailText(v: unknown): string {
	if (Array.isArray(v)) return v.join(', ');
	if (typeof v !== 'object' || v === null) return String(v);
	const { from, to } = v as { from?: unknown; to?: unknown };
	if (from === undefined && to === undefined) return JSON.stringify(v);
	return from === undefined ? String(to) : ta.changed(String(from), to === undefined ? null : String(to));
}

function Audit() {
	const { client } = useUi();
	const users = useState$((s) => s.users);
	const [action, setAction] = useState('');
	const [from, setFrom] = useState('');
	const [to, setTo] = useState('');
	const [side, setSide] = useState<'actor' | 'target'>('actor');
	const [handle, setHandle] = useState('');
	const wanted = handle.trim().replace(/^@/, '').toLowerCase();
	/* The id of who is asked for; undefined: anybody, null: there is nobody. */
	const person = async (): Promise<number | null | undefined> => {
		if (!wanted) return undefined;
		const { data } = await admin.users({ q: wanted });
		return data.users.find((u) => u.handle === wanted)?.id ?? null;
	};
	const log = useList<AuditEntry, number>(
		async (before) => {
			const id = await person();
			if (id === null) return { list: [], next: null };
			const { data } = await admin.audit({ action, [side]: id, from: dayEdge(from, false), to: dayEdge(to, true), before });
			client.loader.needUsers(data.entries.flatMap((e) => [e.actor, e.target].filter((x): x is number => x !== null)));
			return { list: data.entries, next: data.next };
		},
		[action, from, to, side, wanted],
	);
	const who = (id: number | null) => (id === null ? ta.command : personName(users[id]));
	return (
		<>
			<div class="filters">
				<label class="field">
					<span>{ta.auditAction}</span>
					<select value={action} onChange={(e) => setAction(e.currentTarget.value)}>
						<option value="">{ta.anyAction}</option>
						{Object.entries(ta.auditGroups).map(([k, label]) => (
							<option key={k} value={k}>
								{label}
							</option>
						))}
					</select>
				</label>
				<fieldset class="field-pair">
					<legend>{ta.auditWho}</legend>
					<select aria-label={ta.auditSide} value={side} onChange={(e) => setSide(e.currentTarget.value as typeof side)}>
						{Object.entries(ta.auditSides).map(([k, label]) => (
							<option key={k} value={k}>
								{label}
							</option>
						))}
					</select>
					<input
						type="text"
						aria-label={ta.auditHandle}
						placeholder={ta.auditHandle}
						autocomplete="off"
						spellcheck={false}
						value={handle}
						onInput={(e) => setHandle(e.currentTarget.value)}
					/>
				</fieldset>
				<label class="field">
					<span>{ta.auditFrom}</span>
					<input type="date" value={from} onInput={(e) => setFrom(e.currentTarget.value)} />
				</label>
				<label class="field">
					<span>{ta.auditTo}</span>
					<input type="date" value={to} onInput={(e) => setTo(e.currentTarget.value)} />
				</label>
			</div>
			<ul class="admin-rows">
				{log.list.map((e) => (
					<li key={e.id} class="audit-row">
						<p>
							<strong>
								<bdi>{who(e.actor)}</bdi>
							</strong>{' '}
							{ta.auditActions[e.action] ?? e.action}
							{e.target !== null && (
								<>
									{' '}
									<bdi>{who(e.target)}</bdi>
								</>
							)}
							{e.channel !== null && (
								<>
									{' · '}
									<bdi>{e.channel_name ? `#${apart(e.channel_name)}` : ta.someChannel(e.channel)}</bdi>
								</>
							)}
						</p>
						{Object.keys(e.details).length > 0 && (
							<p class="audit-details" dir="auto">
								{Object.entries(e.details)
									.map(([k, v]) => `${k}: ${apart(detailText(v))}`)
									.join(' · ')}
							</p>
						)}
						<p class="audit-meta">
							<time dateTime={e.at}>{fullTime(Date.parse(e.at))}</time>
							{e.address && ` · ${ta.from(e.address)}`}
							{e.request_id && ` · ${ta.request(e.request_id)}`}
						</p>
					</li>
				))}
			</ul>
			{log.foot(ta.nothingFound)}
		</>
	);
}
