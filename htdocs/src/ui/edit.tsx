// An own message while it is edited, in its place: Enter saves, Esc leaves it as it is.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { tooMany } from '../model/limits';
import { messageOf } from '../model/reactions';
import type { Channel, Editing } from '../model/types';
import { t } from '../strings';
import { enterBreaks, sends } from '../sync/local';
import { useState$, useUi } from './context';
import { isWide, namedByEdit } from './mention_list';
import { useReach } from './reach';
import { useWriting } from './writing';

export function EditBox({ channel, editing, empty }: { channel: Channel; editing: Editing; empty: boolean }) {
	const { client } = useUi();
	const limit = useState$((s) => s.limits.message_chars);
	const area = useRef<HTMLTextAreaElement>(null);
	const from = useRef<HTMLElement | null>(null); // where it was begun: a composer, or the message
	const { text } = editing;
	const back = () => from.current?.focus();
	const over = tooMany(text.trim(), limit);
	const blocked = (!text.trim() && !empty) || over > 0 || editing.state === 'saving';

	useLayoutEffect(() => {
		const el = area.current;
		if (!el) return;
		el.style.height = 'auto';
		el.style.height = `${el.scrollHeight}px`;
	}, [text]);
	// Before the next key comes: who presses ArrowUp types on at once, and on the message a letter is a shortcut.
	useLayoutEffect(() => {
		const el = area.current;
		const before = document.activeElement;
		from.current = before instanceof HTMLTextAreaElement ? before : (el?.closest<HTMLElement>('.msg') ?? null);
		el?.focus({ preventScroll: true });
		el?.setSelectionRange(el.value.length, el.value.length);
	}, []);
	useEffect(() => area.current?.scrollIntoView({ block: 'nearest' }), []);

	const reaching = useReach();
	const writing = useWriting(channel, area, (now) => client.changes.write(now), true);
	const note = over > 0 ? t.tooLong(over) : editing.state === 'saving' ? t.saving : t.editHint(enterBreaks());
	const save = () => {
		if (blocked) return;
		const state = client.store.get();
		const m = messageOf(state, channel.id, editing.seq);
		if (!m) return;
		const names = namedByEdit(state, channel, m, text);
		// A wide name that is added is refused: nobody is asked about it.
		const anew = names.filter((n) => !isWide(n) && !m.body?.mentions?.includes(n));
		const go = () => void client.changes.save(names).then((done) => done && back());
		reaching(channel.id, anew, () => area.current?.value === text, go);
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
				aria-invalid={over > 0}
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
				<span id="edit-note" class={`edit-note${editing.error || over > 0 ? ' bad' : ''}`} role={editing.error ? 'alert' : undefined}>
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
