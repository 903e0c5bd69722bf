// The dialogs of those who moderate a channel, and of whoever reports or deletes a message. Loaded when one is opened first.
import { useEffect, useRef, useState } from 'preact/hooks';
import { admin, type ReportReason, type Restriction } from '../net/admin';
import { api } from '../net/api';
import { MOST, tooMany } from '../model/limits';
import { myId } from '../model/state';
import { endOf, rankIn } from '../model/roles';
import type { Channel, ChannelKind, History, Member } from '../model/types';
import { t } from '../strings';
import { ta } from '../strings_admin';
import { tc } from '../strings_channels';
import { tg } from '../strings_groups';
import { ChannelFields, cleanName, fieldsFit, nameFault, savingFault } from './channel_fields';
import { useState$, useUi } from './context';
import { Confirm, Dialog, Fault, Foot, useSaving } from './dialog';
import { errorText } from './errors';
import { apart, channelLabel, personName } from './names';
import { ActForm, untilText, type Act } from './sanction';
import { TextField } from './text_field';

interface Props {
	onClose: () => void;
}

/* What one may do about a person in a channel. */
export function Moderate({ channel, user, onClose }: Props & { channel: number; user: number }) {
	const { client, toast } = useUi();
	const person = useState$((s) => s.users[user]);
	const label = useState$((s) => (s.channels[channel] ? channelLabel(s, s.channels[channel]) : ta.someChannel(channel)));
	const rank = useState$((s) => rankIn(s, channel));
	const owns = useState$((s) => s.channels[channel]?.membership?.role === 'owner');
	const list = useState$((s) => s.members[channel]);
	useEffect(() => {
		if (!list) void client.loader.members(channel);
	}, []);
	// In a large channel the list may not have come to him yet.
	const [asked, setAsked] = useState<Member | null>(null);
	const member = list?.list.find((m) => m.user === user) ?? asked ?? undefined;
	const partial = list?.status === 'ready' && list.next !== null && !member;
	useEffect(() => {
		if (!partial) return;
		api.members(channel, user - 1).then(
			({ data }) => setAsked(data.members.find((m) => m.user === user) ?? null),
			() => {}, // less is offered then
		);
	}, [partial]);
	// Once it is there the form stays: what is being written in it outlives a list that is loaded anew.
	const waits = useRef(true);
	if (list && list.status !== 'loading') waits.current = false;
	const muted = endOf(member?.muted_until) > Date.now();
	const act = (key: string, asks: Act['asks'], run: Act['run'], danger = false): Act => {
		const [what, hint] = ta.acts[key]!;
		return { key, label: what, hint, asks, run, danger };
	};
	const acts = [
		muted
			? act('unmute', {}, () => admin.unmute(channel, user))
			: act('mute', { until: true, reason: true }, (s) => admin.mute(channel, user, s)),
		...(member ? [act('remove', { reason: true }, (s) => admin.remove(channel, user, s.reason))] : []),
		act('ban', { until: true, reason: true }, (s) => admin.ban(channel, user, s), true),
		...(rank >= 2 && member && person?.role !== 'guest'
			? (['moderator', 'owner', 'member'] as const)
					.filter((r) => r !== member.role)
					.map((r) => act(r, {}, () => admin.setMemberRole(channel, user, r)))
			: []),
		...(owns && member && person?.role !== 'guest' ? [act('handover', {}, () => admin.handOver(channel, user))] : []),
	];
	return (
		<Dialog title={ta.moderateTitle(personName(person), label)} onClose={onClose}>
			{waits.current ? (
				<p class="dialog-text">{t.loading}</p>
			) : (
				<ActForm
					legend={ta.what}
					acts={acts}
					submit={ta.doIt}
					onDone={() => {
						toast(ta.done);
						onClose();
					}}
					onClose={onClose}
				/>
			)}
		</Dialog>
	);
}

export function ReportMessage({ channel, seq, onClose }: Props & { channel: number; seq: number }) {
	const { toast } = useUi();
	const [reason, setReason] = useState<ReportReason>('abuse');
	const [text, setText] = useState('');
	const { error, busy, submit } = useSaving(async () => {
		await admin.report(channel, seq, reason, text.trim());
		toast(ta.reported);
	}, onClose);
	return (
		<Dialog title={ta.reportTitle} onClose={onClose}>
			<form class="form" noValidate onSubmit={submit}>
				<p class="form-text">{ta.reportText}</p>
				<fieldset class="choices">
					<legend>{ta.reportWhy}</legend>
					{Object.entries(ta.reportReasons).map(([k, label], i) => (
						<label key={k} class="choice">
							<input
								type="radio"
								name="reason"
								value={k}
								data-autofocus={i === 0}
								checked={reason === k}
								onChange={() => setReason(k as ReportReason)}
							/>
							{label}
						</label>
					))}
				</fieldset>
				<TextField label={ta.reportWords} rows={3} value={text} most={MOST.report} onText={setText} />
				<Fault text={error} />
				<Foot label={ta.reportSend} off={busy || tooMany(text.trim(), MOST.report) > 0} onClose={onClose} />
			</form>
		</Dialog>
	);
}

export function DeleteMessage({ channel, seq, onClose }: Props & { channel: number; seq: number }) {
	const { client } = useUi();
	const run = async () => {
		const { data } = await admin.deleteMessage(channel, seq);
		// The event says the same; where it came first this changes nothing.
		client.store.dispatch({ type: 'lines', lines: [{ ...data, type: 'message.deleted' }] });
	};
	return <Confirm title={ta.deleteTitle} text={ta.deleteText} label={ta.deleteIt} run={run} onClose={onClose} />;
}

interface Edited {
	mention_all?: Channel['mention_all'];
	id: number;
	name: string | null;
	topic: string;
	archived?: boolean;
	keep_days?: number | null;
	kind: ChannelKind;
	history?: History;
}

/* Name, topic, archive. `known` where it is no channel of one's own. */
export function EditChannel({ channel, known, onClose }: Props & { channel: number; known?: Edited }) {
	const { client } = useUi();
	const own = useState$((s) => s.channels[channel]);
	const rank = useState$((s) => rankIn(s, channel));
	const held: Edited | undefined = own ?? known;
	const [name, setName] = useState(held?.name ?? '');
	const [topic, setTopic] = useState(held?.topic ?? '');
	const [archived, setArchived] = useState(held?.archived === true);
	const [call, setCall] = useState(held?.mention_all ?? 'everyone');
	const [keep, setKeep] = useState(String(held?.keep_days ?? 0));
	const [history, setHistory] = useState<History>(held?.history ?? 'all');
	const { error, busy, submit } = useSaving(async () => {
		const clean = cleanName(name);
		const wrong = nameFault(clean);
		if (wrong) return wrong;
		const change = {
			...(clean !== held?.name ? { name: clean } : {}),
			...(topic.trim() !== held?.topic ? { topic: topic.trim() } : {}),
			...(archived !== (held?.archived === true) ? { archived } : {}),
			...(call !== (held?.mention_all ?? 'everyone') ? { mention_all: call } : {}),
			...(keep !== String(held?.keep_days ?? 0) ? { keep_days: Number(keep) || null } : {}),
			...(history !== (held?.history ?? 'all') ? { history } : {}),
		};
		const changed = await api.changeChannel(channel, change).catch(savingFault);
		if (typeof changed === 'string') return changed;
		if (own) client.store.dispatch({ type: 'channel', channel: changed.data });
	}, onClose);
	return (
		<Dialog title={ta.editTitle(`#${apart(held?.name ?? '')}`)} onClose={onClose}>
			<form class="form" noValidate onSubmit={submit}>
				<ChannelFields name={name} topic={topic} onName={setName} onTopic={setTopic} bad={error !== null} />
				<label class="field">
					<span>{tg.mayCall}</span>
					<select value={call} onChange={(e) => setCall(e.currentTarget.value as 'everyone' | 'moderators')}>
						{Object.entries(tg.mayCalls).map(([k, words]) => (
							<option key={k} value={k}>
								{words}
							</option>
						))}
					</select>
				</label>
				{held?.kind === 'private' && (
					<label class="field">
						<span>{tc.history}</span>
						<select
							value={history}
							aria-describedby="history-hint"
							onChange={(e) => setHistory(e.currentTarget.value as History)}
						>
							{Object.entries(tc.histories).map(([k, words]) => (
								<option key={k} value={k}>
									{words}
								</option>
							))}
						</select>
						<small id="history-hint">{tc.historyHint}</small>
					</label>
				)}
				{rank >= 2 && (
					<label class="field">
						<span>{tc.keep}</span>
						<select value={keep} aria-describedby="keep-hint" onChange={(e) => setKeep(e.currentTarget.value)}>
							{!(keep in tc.keeps) && <option value={keep}>{tc.keepOther(Number(keep))}</option>}
							{Object.entries(tc.keeps).map(([k, words]) => (
								<option key={k} value={k}>
									{words}
								</option>
							))}
						</select>
						<small id="keep-hint">{tc.keepHint}</small>
					</label>
				)}
				{rank >= 2 && (
					<label class="choice">
						<input type="checkbox" checked={archived} onChange={(e) => setArchived(e.currentTarget.checked)} />
						<span class="choice-text">
							<span>{ta.archive}</span>
							<small>{ta.archiveHint}</small>
						</span>
					</label>
				)}
				<Fault text={error} />
				<Foot label={t.save} off={busy || !fieldsFit(name, topic)} onClose={onClose} />
			</form>
		</Dialog>
	);
}

export function Restrictions({ channel, onClose }: Props & { channel: number }) {
	const { client, toast } = useUi();
	const users = useState$((s) => s.users);
	const me = useState$(myId);
	const label = useState$((s) => (s.channels[channel] ? channelLabel(s, s.channels[channel]) : ta.someChannel(channel)));
	const [found, setFound] = useState<Restriction[] | null>(null);
	const [error, setError] = useState<string | null>(null);
	const load = () => {
		setError(null);
		admin.restrictions(channel).then(
			({ data }) => {
				client.loader.needUsers(data.restrictions.flatMap((r) => [r.user, ...(r.by ? [r.by] : [])]));
				setFound(data.restrictions);
			},
			(e: unknown) => setError(errorText(e)),
		);
	};
	useEffect(load, []);
	const by = (r: Restriction) => (r.by === me ? t.you : r.by ? personName(users[r.by]) : ta.command);
	const lift = (r: Restriction) => {
		(r.kind === 'ban' ? admin.unban(channel, r.user) : admin.unmute(channel, r.user)).then(load, (e: unknown) => toast(errorText(e), true));
	};
	return (
		<Dialog title={ta.restrictionsTitle(label)} onClose={onClose}>
			<div class="readers" tabIndex={0} role="group" aria-label={ta.restrictionsTitle(label)} data-autofocus>
				<Fault text={error} again={load} />
				{!error && !found && <p class="panel-note">{t.loading}</p>}
				{found && !found.length && <p class="picker-empty">{ta.noRestrictions}</p>}
				<ul class="sanctions">
					{found?.map((r) => (
						<li key={`${r.kind}${r.user}`}>
							<span class="person-text">
								<bdi class="person-name">{personName(users[r.user])}</bdi>
								<span class="sanction-note">
									{ta.kinds[r.kind]} {untilText(r.until)}, {ta.by(by(r))}
								</span>
								{r.reason && <bdi class="sanction-why">{r.reason}</bdi>}
							</span>
							<button
								class="button"
								aria-label={ta.liftOf(r.kind, personName(users[r.user]))}
								onClick={() => lift(r)}
							>
								{ta.lift}
							</button>
						</li>
					))}
				</ul>
			</div>
		</Dialog>
	);
}
