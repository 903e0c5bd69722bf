// An own message while it is edited, in its place: Enter saves, Esc leaves it as it is.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Channel, Editing } from '../model/types';
import { t } from '../strings';
import { enterBreaks, sends } from '../sync/local';
import { useState$, useUi } from './context';
import { namedIn } from './mention_list';
import { useWriting } from './writing';

export function EditBox({ channel, editing, empty }: { channel: Channel; editing: Editing; empty: boolean }) {
	const { client } = useUi();
	const limit = useState$((s) => s.limits.message_chars);
	const area = useRef<HTMLTextAreaElement>(null);
	const from = useRef<HTMLElement | null>(null); // where it was begun: a composer, or the message
	const { text } = editing;
	const back = () => from.current?.focus();
	const left = limit - [...text.trim()].length;
	const blocked = (!text.trim() && !empty) || left < 0 || editing.state === 'saving';

	useLayoutEffect(() => {
		const el = area.current;
		if (!el) return;
		el.style.height = 'auto';
		el.style.height = `${el.scrollHeight}px`;
	}, [text]);
	useEffect(() => {
		const el = area.current;
		const before = document.activeElement;
		from.current = before instanceof HTMLTextAreaElement ? before : (el?.closest<HTMLElement>('.msg') ?? null);
		el?.focus({ preventScroll: true });
		el?.setSelectionRange(el.value.length, el.value.length);
		el?.scrollIntoView({ block: 'nearest' });
	}, []);

	const writing = useWriting(channel, area, (now) => client.changes.write(now));
	const note = left < 0 ? t.tooLong(-left) : editing.state === 'saving' ? t.saving : t.editHint(enterBreaks());
	const save = () => {
		if (blocked) return;
		void client.changes.save(namedIn(client.store.get(), channel, text)).then((done) => done && back());
	};
	const cancel = () => {
		client.changes.cancel();
		back();
	};
	return (
		<form
			class="edit"
			onSubmit={(e) => {
				e.preventDefault();
				save();
			}}
		>
			{writing.lists}
			<textarea
				ref={area}
				class="edit-text"
				rows={1}
				dir="auto"
				value={text}
				aria-label={t.editing}
				aria-invalid={left < 0}
				aria-describedby="edit-note"
				enterkeyhint={enterBreaks() ? 'enter' : 'done'}
				{...writing.field}
				onInput={(e) => {
					client.changes.write(e.currentTarget.value);
					writing.look();
				}}
				onKeyDown={(e) => {
					if (writing.onKeyDown(e)) return;
					if (e.key === 'Escape') {
						e.preventDefault();
						return cancel();
					}
					if (!sends(e)) return;
					e.preventDefault();
					save();
				}}
			/>
			<div class="edit-row">
				<span id="edit-note" class={`edit-note${editing.error || left < 0 ? ' bad' : ''}`} role={editing.error ? 'alert' : undefined}>
					{editing.error ?? note}
				</span>
				<button type="button" class="button small" onClick={cancel}>
					{t.cancel}
				</button>
				<button type="submit" class="button small primary" aria-disabled={blocked}>
					{t.save}
				</button>
			</div>
		</form>
	);
}
