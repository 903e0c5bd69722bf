// A handle and a name: for a bot, for a group.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Fault } from './dialog';
import { errorText } from './errors';

interface Props {
	look: string; // its class
	title: ComponentChildren;
	words: { handle: string; handleHint?: string; name: string };
	label: string;
	held?: { handle: string; name: string };
	/* Without a name it bears its handle. */
	onSave: (handle: string, name: string) => Promise<unknown>;
}

export function NamingForm({ look, title, words, label, held, onSave }: Props) {
	const [handle, setHandle] = useState(held?.handle ?? '');
	const [name, setName] = useState(held?.name ?? '');
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const clean = handle.trim().replace(/^@/, '');
	const save = () => {
		setBusy(true);
		setError(null);
		onSave(clean, name.trim() || clean)
			.then(
				() => {
					if (held) return;
					setHandle('');
					setName('');
				},
				(e: unknown) => setError(errorText(e)),
			)
			.finally(() => setBusy(false));
	};
	return (
		<form
			class={look}
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				save();
			}}
		>
			{title}
			<label class="field">
				<span>{words.handle}</span>
				<input
					type="text"
					value={handle}
					maxLength={32}
					autocomplete="off"
					autocapitalize="none"
					spellcheck={false}
					aria-invalid={error !== null}
					aria-describedby={words.handleHint && 'naming-hint'}
					onInput={(e) => setHandle(e.currentTarget.value)}
				/>
				{words.handleHint && <small id="naming-hint">{words.handleHint}</small>}
			</label>
			<label class="field">
				<span>{words.name}</span>
				<input type="text" dir="auto" value={name} maxLength={80} autocomplete="off" onInput={(e) => setName(e.currentTarget.value)} />
			</label>
			<Fault text={error} />
			<button class="button primary" disabled={busy || !clean || (held?.handle === clean && held.name === name.trim())}>
				{label}
			</button>
		</form>
	);
}
