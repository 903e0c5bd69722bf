// Where one writes. The text lives in the store as the channel's draft, and from there in local storage: so it survives
// a reload, a change of channel, and the end of a session.
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { SendHorizontal, Smile } from 'lucide';
import { lengthOf } from '../model/limits';
import { placeKey } from '../model/threads';
import { draftFiles } from '../model/uploads';
import type { Channel, SentPlace } from '../model/types';
import { enterBreaks, sends } from '../sync/local';
import { t } from '../strings';
import { tt } from '../strings_threads';
import { Chips } from './chips';
import { useState$, useUi } from './context';
import { AttachButton, pastedFiles, useAddFiles } from './drop';
import { Icon } from './icon';
import { namedIn } from './mention_list';
import { QuoteBar } from './quote';
import { useReach } from './reach';
import { channelLabel } from './names';
import { coarsePointer } from './media';
import { stampOf } from './time';
import { useWriting } from './writing';

const WARN = 500; // characters left when the counter shows

/* thread: the root of the thread that is written in; the message goes into the channel's line as well where `both` is ticked. */
export function Composer({ channel, thread }: { channel: Channel; thread?: number }) {
	const { client, toast, openDialog } = useUi();
	const reaching = useReach();
	const place = placeKey(channel.id, thread);
	const name = thread ? 'thread-composer' : 'composer';
	const text = useState$((s) => s.drafts[place] ?? '');
	const [both, setBoth] = useState(false);
	const limit = useState$((s) => s.limits.message_chars);
	const label = useState$((s) => channelLabel(s, channel));
	const uploads = useState$((s) => s.uploads);
	const able = useState$((s) => s.limits.files !== null);
	const chosen = useMemo(() => draftFiles(client.store.get(), channel.id, thread), [uploads, place]);
	const addFiles = useAddFiles(channel, thread);
	const area = useRef<HTMLTextAreaElement>(null);

	const left = text.length > limit - WARN ? limit - lengthOf(text.trim()) : limit;
	const empty = !text.trim() && !chosen.length;
	const failed = chosen.some((u) => u.state === 'failed');
	const blocked = empty || failed || left < 0;
	const hint = thread ? '' : chosen.length ? t.composerFilesHint : t.composerHint(enterBreaks());

	// Grows with the text; the style sheet bounds it at 40 % of the height.
	useLayoutEffect(() => {
		const el = area.current;
		if (!el) return;
		el.style.height = 'auto';
		el.style.height = `${el.scrollHeight}px`;
	}, [text, place]);

	// Before the next key comes.
	useLayoutEffect(() => {
		// On a phone the keyboard would cover half of what one came to read.
		if (!coarsePointer()) area.current?.focus({ preventScroll: true });
	}, [place]);

	const quoted = useState$((s) => s.quoting[place]);
	const unquote = () => client.quotes.set(channel.id, null, thread);

	const writing = useWriting(channel, area, (now) => client.setDraft(channel.id, now, thread), thread !== undefined && !both);

	const [picked, setPicked] = useState<{ emoji: string } | null>(null);
	// Once the picker is gone: while it is open nothing else can have the focus.
	useLayoutEffect(() => {
		if (picked) writing.insert(picked.emoji);
	}, [picked]);

	const send = () => {
		if (failed && left >= 0) toast(t.filesFixFirst, true);
		if (blocked || client.uploads.taking) return; // the chosen files come into the draft first
		const where: SentPlace = thread ? { thread, ...(both ? { in_channel: true } : {}) } : {};
		const names = namedIn(client.store.get(), channel, text, thread !== undefined && !both);
		writing.close();
		const go = () => {
			client.send(channel.id, text.trim(), names, where);
			setBoth(false);
			area.current?.focus();
		};
		reaching(channel.id, names, () => area.current?.value === text, go);
	};

	return (
		<form
			class="composer"
			onSubmit={(e) => {
				e.preventDefault();
				send();
			}}
		>
			{writing.lists}
			{quoted && (
				<QuoteBar
					channel={channel.id}
					thread={thread}
					seq={quoted}
					onCancel={() => {
						unquote();
						area.current?.focus();
					}}
				/>
			)}
			<Chips uploads={chosen} />
			<label class="sr-only" for={name}>
				{thread ? tt.write : t.writeTo(label)}
			</label>
			<textarea
				id={name}
				ref={area}
				rows={1}
				dir="auto"
				value={text}
				placeholder={thread ? tt.write : t.writeTo(label)}
				aria-describedby={`${name}-note`}
				aria-invalid={left < 0}
				enterkeyhint={enterBreaks() ? 'enter' : 'send'}
				{...writing.field}
				onInput={(e) => {
					client.typed(channel.id, e.currentTarget.value, thread);
					writing.look();
				}}
				onPaste={(e) => {
					const files = able ? pastedFiles(e.clipboardData, stampOf(Date.now())) : [];
					if (!files.length) return;
					e.preventDefault();
					addFiles(files);
				}}
				onKeyDown={(e) => {
					if (writing.onKeyDown(e)) return;
					const bare = !e.shiftKey && !e.altKey && !e.ctrlKey && !e.metaKey;
					if (e.key === 'Escape' && bare && quoted) {
						unquote();
						return e.preventDefault();
					}
					if (e.key === 'ArrowUp' && bare && !text && client.changes.editLast(channel.id, thread)) return e.preventDefault();
					if (!sends(e)) return;
					e.preventDefault();
					send();
				}}
			/>
			<div class="composer-row">
				{able && <AttachButton channel={channel} thread={thread} />}
				<button
					type="button"
					class="icon-button insert"
					title={t.emojiInsert}
					aria-label={t.emojiInsert}
					aria-haspopup="dialog"
					onMouseDown={(e) => e.preventDefault()} // who writes goes on writing, also after Esc
					onClick={() => openDialog({ insertEmoji: (emoji) => setPicked({ emoji }) })}
				>
					<Icon of={Smile} size={18} />
				</button>
				{thread !== undefined && (
					<label class="also">
						<input type="checkbox" checked={both} onChange={(e) => setBoth(e.currentTarget.checked)} />
						<span>{tt.also}</span>
					</label>
				)}
				<span id={`${name}-note`} class={left < 0 ? 'composer-note bad' : 'composer-note'} role={left < WARN ? 'status' : undefined}>
					{left < 0 ? t.tooLong(-left) : left < WARN ? t.left20k(left) : hint}
				</span>
				<button type="submit" class="button primary send" aria-disabled={blocked}>
					<span>{t.send}</span>
					<Icon of={SendHorizontal} size={16} />
				</button>
			</div>
		</form>
	);
}
