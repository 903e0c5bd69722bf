// A quote above a message, what the composer answers, and a forwarded message. The original is shown as it is now; where it is not at
// hand it is loaded.
import { useEffect } from 'preact/hooks';
import { CornerUpLeft, Forward as ForwardIcon, Reply, X } from 'lucide';
import { preview } from '../model/markdown';
import { originalOf } from '../model/quotes';
import { placeKey } from '../model/threads';
import type { Forward, Message } from '../model/types';
import { tq } from '../strings_quote';
import { useState$, useUi, type Ui } from './context';
import { Files } from './files';
import { Icon } from './icon';
import { MenuItem } from './menu';
import { channelLabel, personName } from './names';
import { messagePath, navigate, threadPath } from './route';
import { MessageText, textClass } from './text';
import { fullTime, dateOf, dayStart, timeOf } from './time';

const FIRST_LINE = 140; // characters

/* The first line of a message, as plain text. */
export function lineOf(m: Message | null | undefined): string {
	if (m === undefined) return tq.loading;
	if (m === null) return tq.missing;
	if (m.deleted || !m.body) return tq.deleted;
	const { text, files, forward } = m.body;
	const said = text || (forward?.text ?? '');
	const n = (files ?? forward?.files ?? []).length;
	return preview(said.trim().split('\n')[0] ?? '', FIRST_LINE) || (n ? tq.files(n) : tq.forwarded);
}

function useOriginal(channel: number, seq: number): Message | null | undefined {
	const { client } = useUi();
	const original = useState$((s) => originalOf(s, channel, seq));
	useEffect(() => {
		if (original === undefined) client.quotes.need(channel, seq);
	}, [channel, seq, original === undefined]);
	return original;
}

function goTo(ui: Ui, channel: number, seq: number, original: Message | null | undefined, inThread: boolean): void {
	if (inThread) return navigate(threadPath(channel, original?.thread ?? seq, seq));
	if (original?.thread && !original.in_channel) return navigate(threadPath(channel, original.thread, seq));
	const path = messagePath(channel, seq);
	if (path === location.pathname + location.search) ui.client.open(channel, seq);
	else navigate(path);
}

export function Quote({ channel, seq, sender, active, inThread }: { channel: number; seq: number; sender?: number; active: boolean; inThread?: boolean }) {
	const ui = useUi();
	const original = useOriginal(channel, seq);
	const who = useState$((s) => s.users[sender ?? original?.sender ?? 0]);
	return (
		<button
			class="quote"
			title={tq.goTo(personName(who))}
			tabIndex={active ? 0 : -1}
			data-quote={seq}
			onClick={() => goTo(ui, channel, seq, original, inThread === true)}
		>
			<Icon of={CornerUpLeft} size={13} />
			<bdi class="quote-who">{personName(who)}</bdi>
			<span class={original?.deleted || original === null ? 'quote-text quote-gone' : 'quote-text'} dir="auto">
				{lineOf(original)}
			</span>
		</button>
	);
}

/* What is being written answers this. */
export function QuoteBar({ channel, thread, seq, onCancel }: { channel: number; thread?: number; seq: number; onCancel: () => void }) {
	const original = useOriginal(channel, seq);
	const who = useState$((s) => s.users[original?.sender ?? 0]);
	return (
		<div class="quote-bar" role="group" aria-label={tq.replyingTo(personName(who))} data-place={placeKey(channel, thread)}>
			<span class="quote-who">{tq.replyingTo(personName(who))}</span>
			<span class="quote-text" dir="auto">
				{lineOf(original)}
			</span>
			<button type="button" class="icon-button small" title={tq.cancel} aria-label={tq.cancel} onClick={onCancel}>
				<Icon of={X} size={15} />
			</button>
		</div>
	);
}

export function ForwardCard({ forward: f, channel, seq, active }: { forward: Forward; channel: number; seq: number; active: boolean }) {
	const who = useState$((s) => s.users[f.sender]);
	const from = useState$((s) => (s.channels[f.channel] ? channelLabel(s, s.channels[f.channel]!) : ''));
	const at = Date.parse(f.created_at);
	const tab = active ? 0 : -1;
	return (
		<div class="forward" role="group" aria-label={tq.forwardedOf(personName(who))}>
			<p class="forward-head">
				<Icon of={ForwardIcon} size={13} />
				<bdi class="quote-who">{personName(who)}</bdi>
				<time dateTime={f.created_at} title={fullTime(at)}>
					{at >= dayStart(Date.now()) ? timeOf(at) : dateOf(at)}
				</time>
				{from && (
					<button class="link-button" title={tq.original} tabIndex={tab} onClick={() => navigate(messagePath(f.channel, f.seq))}>
						<bdi>{from}</bdi>
					</button>
				)}
			</p>
			{f.text && (
				<div class={textClass(f.text)} dir="auto">
					<MessageText text={f.text} tab={tab} />
				</div>
			)}
			{f.files && f.files.length > 0 && <Files files={f.files} channel={channel} seq={seq} mayDelete={false} tab={tab} />}
		</div>
	);
}

/* To answer a message with a quote, in the thread that it is looked at in, or else in the channel. */
export function quote(ui: Ui, m: Message, inThread = false): void {
	const thread = inThread ? (m.thread ?? m.seq) : undefined;
	const field = document.getElementById(thread ? 'thread-composer' : 'composer');
	if (!(field instanceof HTMLTextAreaElement)) return ui.toast(tq.mayNot, true);
	ui.client.quotes.set(m.channel, m.seq, thread);
	field.focus();
}

export function forward(ui: Ui, { channel, seq }: Message): void {
	ui.openDialog({ forward: { channel, seq } });
}

export function ReferenceItems({ message: m, inThread }: { message: Message; inThread?: boolean }) {
	const ui = useUi();
	return (
		<>
			<MenuItem icon={Reply} onChoose={() => queueMicrotask(() => quote(ui, m, inThread))}>
				{tq.quote}
			</MenuItem>
			<MenuItem icon={ForwardIcon} onChoose={() => forward(ui, m)}>
				{tq.forward}
			</MenuItem>
		</>
	);
}
