// Where the focus goes back to when what took it closes.
import { coarsePointer } from './media';

/* Remembers who has the focus now. What it answers gives it back: to that element, or what is left around it, or to where one writes. */
export function keepFocus(): () => void {
	const from: HTMLElement[] = [];
	for (let el = document.activeElement; el instanceof HTMLElement && el !== document.body; el = el.parentElement)
		if (!from.length || el.hasAttribute('tabindex')) from.push(el);
	const [first] = from;
	const caret = first instanceof HTMLTextAreaElement ? ([first.selectionStart, first.selectionEnd] as const) : null;
	return () => {
		const held = document.activeElement;
		for (const el of from) {
			el.focus({ preventScroll: true });
			if (document.activeElement !== el) continue; // it is gone, or out of reach
			// Chromium puts the caret at the start of a field that gets the focus back from a dialog.
			if (caret && el === first) (first as HTMLTextAreaElement).setSelectionRange(...caret);
			return;
		}
		if (!first || coarsePointer() || (held !== document.body && held?.isConnected)) return;
		document.getElementById('composer')?.focus({ preventScroll: true });
	};
}
