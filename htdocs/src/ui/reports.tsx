// Reported messages and what is done about them: in the administration, and for a channel's moderators in a dialog.
import { useEffect, useState } from 'preact/hooks';
import { admin, type Report, type ReportAction } from '../net/admin';
import { Paperclip } from 'lucide';
import { isErased } from '../model/files';
import { isAdmin } from '../model/roles';
import { t } from '../strings';
import { ta } from '../strings_admin';
import { useState$, useUi } from './context';
import { FileName } from './file_parts';
import { Icon } from './icon';
import { Dialog, Fault } from './dialog';
import { errorText } from './errors';
import { apart, channelLabel, personName } from './names';
import { ActForm, type Act } from './sanction';
import { fullTime } from './time';

export function ReportList({ channel }: { channel?: number }) {
	const { client } = useUi();
	const changed = useState$((s) => s.reports);
	const [all, setAll] = useState(false);
	const [found, setFound] = useState<{ list: Report[]; next: number | null } | null>(null);
	const [error, setError] = useState<string | null>(null);
	const [deciding, setDeciding] = useState<Report | null>(null);
	const load = (before?: number) => {
		setError(null);
		return admin.reports({ channel, state: all ? 'all' : 'open', before }).then(
			({ data }) => {
				client.loader.needUsers(data.reports.flatMap((r) => [r.sender, r.reporter, ...(r.resolved_by ? [r.resolved_by] : [])]));
				setFound((f) => ({ list: [...(before ? (f?.list ?? []) : []), ...data.reports], next: data.next }));
			},
			(e: unknown) => setError(errorText(e)),
		);
	};
	useEffect(() => void load(), [all, changed, channel]);
	return (
		<div class="reports">
			<label class="choice">
				<input type="checkbox" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} />
				{ta.showResolved}
			</label>
			<Fault text={error} again={() => void load()} />
			{!error && !found && <p class="panel-note">{t.loading}</p>}
			{found && !found.list.length && <p class="picker-empty">{ta.noReports}</p>}
			<ul class="report-list">
				{found?.list.map((r) => (
					<li key={r.id}>
						<ReportView report={r} onDecide={() => setDeciding(r)} />
					</li>
				))}
			</ul>
			{found?.next != null && (
				<button class="button" onClick={() => void load(found.next!)}>
					{t.more}
				</button>
			)}
			{deciding && <Decide report={deciding} onClose={() => setDeciding(null)} onDone={() => void load()} />}
		</div>
	);
}

function ReportView({ report: r, onDecide }: { report: Report; onDecide: () => void }) {
	const users = useState$((s) => s.users);
	const where = r.channel_name ? `#${apart(r.channel_name)}` : ta.directMessage;
	const at = Date.parse(r.sent_at);
	return (
		<article class="report" aria-label={ta.reportedBy(personName(users[r.reporter]), ta.reportReasons[r.reason] ?? r.reason)}>
			<header class="report-head">
				<button class="msg-name" data-person={r.sender} aria-haspopup="dialog">
					<bdi>{personName(users[r.sender])}</bdi>
				</button>{' '}
				<bdi>{ta.wroteIn(where)}</bdi> · <time dateTime={r.sent_at}>{fullTime(at)}</time>
			</header>
			<blockquote class="report-body" dir="auto">
				{r.body.text}
				{r.body.files?.map((f) => (
					<p key={f.id} class="report-file">
						<Icon of={Paperclip} size={14} /> {isErased(f) ? t.fileGone : <FileName name={f.name} />}
					</p>
				))}
			</blockquote>
			<p class="report-why">
				<strong>{ta.reportedBy(personName(users[r.reporter]), ta.reportReasons[r.reason] ?? r.reason)}</strong>
				{r.text && <bdi class="report-words">{r.text}</bdi>}
			</p>
			{r.action ? (
				<p class="report-done">
					{ta.resolvedBy(ta.outcomes[r.action] ?? r.action, personName(r.resolved_by ? users[r.resolved_by] : undefined))}
					{r.note && <bdi>: {r.note}</bdi>}
				</p>
			) : (
				<button class="button" onClick={onDecide}>
					{ta.resolve}
				</button>
			)}
		</article>
	);
}

function Decide({ report, onClose, onDone }: { report: Report; onClose: () => void; onDone: () => void }) {
	const boss = useState$(isAdmin);
	const direct = useState$((s) => s.channels[report.channel]?.kind === 'direct');
	const act = (key: string, action: ReportAction, asks: Act['asks'], site = false): Act => ({
		key,
		label: ta.actions[key]!,
		asks,
		danger: action === 'ban' || action === 'deactivate',
		run: (s) => admin.resolve(report.id, action, { ...s, site }),
	});
	const acts = [
		act('dismiss', 'dismiss', {}),
		act('delete', 'delete', { reason: true }),
		...(direct
			? []
			: [
					act('mute', 'mute', { until: true, reason: true }),
					act('remove', 'remove', { reason: true }),
					act('ban', 'ban', { until: true, reason: true }),
				]),
		...(boss ? [act('mute-site', 'mute', { until: true, reason: true }, true), act('deactivate', 'deactivate', { reason: true })] : []),
	];
	return (
		<Dialog title={ta.resolveTitle} onClose={onClose}>
			<ActForm
				legend={ta.what}
				acts={acts}
				submit={ta.doIt}
				onDone={() => {
					onClose();
					onDone();
				}}
				onClose={onClose}
			/>
		</Dialog>
	);
}

/* For a channel's moderators. */
export function ChannelReports({ channel, onClose }: { channel: number; onClose: () => void }) {
	const label = useState$((s) => (s.channels[channel] ? channelLabel(s, s.channels[channel]) : ta.someChannel(channel)));
	return (
		<Dialog title={ta.reportsOf(label)} onClose={onClose}>
			<div class="readers" tabIndex={0} role="group" aria-label={ta.reportsOf(label)} data-autofocus>
				<ReportList channel={channel} />
			</div>
		</Dialog>
	);
}
