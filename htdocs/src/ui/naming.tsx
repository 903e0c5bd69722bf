// A handle and a name: for a bot, for a group.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { MOST, tooMany } from '../model/limits';
import { Fault } from './dialog';
import { errorText } from './errors';
import { bareHandle, TextField } from './text_field';

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
	const clean = bareHandle(handle);
	const long = tooMany(clean, MOST.handle) || tooMany(name.trim(), MOST.groupName);
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
			<TextField
				label={words.handle}
				value={handle}
				most={MOST.handle}
				sent={bareHandle}
				plain
				bad={error !== null}
				hint={words.handleHint}
				onText={setHandle}
			/>
			<TextField label={words.name} value={name} most={MOST.groupName} onText={setName} />
			<Fault text={error} />
			<button class="button primary form-do" disabled={busy || !clean || long > 0 || (held?.handle === clean && held.name === name.trim())}>
				{label}
			</button>
		</form>
	);
}
