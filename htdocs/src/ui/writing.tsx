// What the composer and the box of an edit have in common: completion, the keys of Markdown, and changes that can be undone.
import { coded, continued, linked, marked, withEmoji, type Change } from '../model/writing';
import type { Channel } from '../model/types';
import { sends } from '../sync/local';
import type { Field } from './completion';
import { useMentions } from './mention_list';
import { useWords } from './word_list';

type Maker = (text: string, start: number, end: number) => Change;

/* With Ctrl (or Cmd): a key, with Shift or not, and what it makes of the selection. */
const KEYS: readonly { key: string; shift: boolean; make: Maker; selected?: boolean }[] = [
	{ key: 'b', shift: false, make: (s, a, b) => marked(s, a, b, '**') },
	{ key: 'i', shift: false, make: (s, a, b) => marked(s, a, b, '*') },
	{ key: 'x', shift: true, make: (s, a, b) => marked(s, a, b, '~~') },
	{ key: 'e', shift: false, make: coded },
	{ key: 'k', shift: false, make: linked, selected: true }, // without a selection it finds channels
];

/* wrote: the text is another one now; aside: neither `channel` nor `here` is named in it. */
export function useWriting(channel: Channel, area: Field, wrote: (text: string) => void, aside = false) {
	const apply = (c: Change) => {
		const el = area.current;
		if (!el) return;
		el.focus();
		el.setSelectionRange(c.start, c.end);
		// As if it were typed, so that it can be undone.
		if (!document.execCommand(c.text ? 'insertText' : 'delete', false, c.text)) {
			el.setRangeText(c.text, c.start, c.end, 'end');
			wrote(el.value);
		}
		el.setSelectionRange(c.from, c.to);
	};
	const put = (start: number, end: number, text: string) => {
		apply({ start, end, text, from: start + text.length, to: start + text.length });
	};
	const mentions = useMentions(channel, area, put, aside);
	const words = useWords(channel.id, area, put);
	const look = () => {
		mentions.look();
		words.look();
	};
	const close = () => {
		mentions.close();
		words.close();
	};
	const shortcut = (e: KeyboardEvent & { currentTarget: HTMLTextAreaElement }): boolean => {
		if (e.isComposing || e.keyCode === 229 || e.altKey) return false;
		const { value, selectionStart: start, selectionEnd: end } = e.currentTarget;
		if (e.key === 'Enter' && !sends(e)) {
			const more = continued(value, start, end);
			if (more) apply(more);
			return more !== null;
		}
		if (!e.ctrlKey && !e.metaKey) return false;
		const key = KEYS.find((k) => k.key === e.key.toLowerCase() && k.shift === e.shiftKey && (!k.selected || start !== end));
		if (key) apply(key.make(value, start, end));
		return key !== undefined;
	};
	return {
		/* Whether the key was for the text. */
		onKeyDown(e: KeyboardEvent & { currentTarget: HTMLTextAreaElement }): boolean {
			if (mentions.onKeyDown(e) || words.onKeyDown(e)) return true;
			if (!shortcut(e)) return false;
			e.preventDefault();
			return true;
		},
		look,
		close,
		/* Where the caret is, or was when the field had the focus last. */
		insert(emoji: string) {
			const el = area.current;
			if (el) apply(withEmoji(el.value, el.selectionStart, el.selectionEnd, emoji));
		},
		lists: (
			<>
				{mentions.list}
				{words.list}
			</>
		),
		field: {
			'aria-autocomplete': 'list' as const,
			'aria-controls': words.open ? 'word-list' : 'mention-list',
			'aria-activedescendant': mentions.active ?? words.active,
			onSelect: look,
			onBlur: close,
		},
	};
}
