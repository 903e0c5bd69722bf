// What one does to keep a message: pin it, save it, take its address. As tools of its row and by its keys.
import { Bookmark, BookmarkCheck, Ellipsis, Link2, Pin, PinOff } from 'lucide';
import { isPinned, isSaved, mayPin } from '../model/keep';
import type { Message } from '../model/types';
import { tk } from '../strings_keep';
import { useState$, useUi, type Ui } from './context';
import { errorText } from './errors';
import { Icon } from './icon';
import { Menu, MenuItem } from './menu';
import { personName } from './names';
import { ReferenceItems } from './quote';
import { linkPath, threadPath } from './route';

const failed = (ui: Ui) => (e: unknown) => ui.toast(errorText(e), true);

function pin(ui: Ui, { channel, seq }: Message): void {
	if (!mayPin(ui.client.store.get(), channel)) return ui.toast(tk.mayNotPin, true);
	ui.client.keeps.togglePin(channel, seq).then((on) => ui.toast(on ? tk.pinned : tk.unpinned), failed(ui));
}
function save(ui: Ui, { channel, seq }: Message): void {
	ui.client.keeps.toggleSaved(channel, seq).then((on) => ui.toast(on ? tk.savedNow : tk.unsavedNow), failed(ui));
}
/* A reply is looked at in its thread. */
function copyLink(ui: Ui, { channel, seq, thread }: Message): void {
	const path = thread ? threadPath(channel, thread, seq) : linkPath(channel, seq);
	void navigator.clipboard?.writeText(location.origin + path).then(() => ui.toast(tk.linkCopied), failed(ui));
}

const byKey: Record<string, (ui: Ui, m: Message) => void> = { p: pin, s: save, l: copyLink };

/* True where the key was one of these. */
export function keepKey(ui: Ui, key: string, m: Message): boolean {
	const act = byKey[key];
	act?.(ui, m);
	return act !== undefined;
}

export function KeepTools({ message: m, active, inThread }: { message: Message; active: boolean; inThread?: boolean }) {
	const ui = useUi();
	const saved = useState$((s) => isSaved(s, m.channel, m.seq));
	const pinned = useState$((s) => isPinned(s, m.channel, m.seq));
	const may = useState$((s) => mayPin(s, m.channel));
	const label = saved ? tk.unsave : tk.save;
	return (
		<>
			<button class="icon-button small" title={`${label} (S)`} aria-label={label} tabIndex={active ? 0 : -1} onClick={() => save(ui, m)}>
				<Icon of={saved ? BookmarkCheck : Bookmark} size={15} />
			</button>
			<Menu icon={Ellipsis} label={tk.more} small tab={active ? 0 : -1}>
				<ReferenceItems message={m} inThread={inThread} />
				<MenuItem icon={Link2} onChoose={() => copyLink(ui, m)}>
					{tk.copyLink}
				</MenuItem>
				{may && (
					<MenuItem icon={pinned ? PinOff : Pin} onChoose={() => pin(ui, m)}>
						{pinned ? tk.unpin : tk.pin}
					</MenuItem>
				)}
			</Menu>
		</>
	);
}

/* That it is pinned, or saved, above its text. */
export function KeptMarks({ message: m }: { message: Message }) {
	const pin = useState$((s) => s.pins[m.channel]?.pins.find((p) => p.seq === m.seq));
	const who = useState$((s) => (pin ? s.users[pin.by] : undefined));
	const saved = useState$((s) => isSaved(s, m.channel, m.seq));
	if (!pin && !saved) return null;
	return (
		<p class="msg-kept">
			{pin && (
				<span>
					<Icon of={Pin} size={12} /> {tk.pinnedBy(personName(who))}
				</span>
			)}
			{saved && (
				<span>
					<Icon of={Bookmark} size={12} /> {tk.savedNow}
				</span>
			)}
		</p>
	);
}
