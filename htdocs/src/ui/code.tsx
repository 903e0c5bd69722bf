// A block of code. Its colours come from a part of their own, when there is code in a known language on the screen.
import { h, type ComponentChildren } from 'preact';
import { useEffect, useReducer, useState } from 'preact/hooks';
import { Check, Copy } from 'lucide';
import { tt } from '../strings_text';
import { Icon } from './icon';

const MOST_COLOURED = 10_000; // characters: more would take its time

type Colours = typeof import('./highlight');
let colours: Colours | null = null;
let coming: Promise<void> | null = null;

/* The same text in coloured pieces, once the part is here. */
function useColours(lang: string, text: string): ComponentChildren {
	const [, again] = useReducer((n: number) => n + 1, 0);
	const wanted = lang !== '' && text.length <= MOST_COLOURED;
	useEffect(() => {
		if (!wanted || colours) return;
		let gone = false;
		coming ??= import('./highlight').then((m) => void (colours = m));
		coming.then(
			() => !gone && again(0),
			() => (coming = null), // it stays as it is: the text is all there
		);
		return () => void (gone = true);
	}, [wanted]);
	return wanted && colours ? pieces(colours.highlight(lang, text)) : text;
}

const pieces = (of: ReturnType<Colours['highlight']>): ComponentChildren =>
	of.map((p) => (typeof p === 'string' ? p : h('span', { class: p.kind }, pieces(p.of))));

export function CodeBlock({ lang, text, tab }: { lang: string; text: string; tab: number }) {
	const shown = useColours(lang, text);
	const [copied, setCopied] = useState(false);
	useEffect(() => {
		if (!copied) return;
		const timer = setTimeout(() => setCopied(false), 2_000);
		return () => clearTimeout(timer);
	}, [copied]);
	return (
		<div class="code">
			<pre dir="ltr" data-lang={lang}>
				<code>{shown}</code>
			</pre>
			<button
				class="icon-button small code-copy"
				tabIndex={tab}
				title={copied ? tt.codeCopied : tt.copyCode}
				aria-label={copied ? tt.codeCopied : tt.copyCode}
				onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}
			>
				<Icon of={copied ? Check : Copy} size={14} />
			</button>
		</div>
	);
}
