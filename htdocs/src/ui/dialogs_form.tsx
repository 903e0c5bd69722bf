// The dialogs that ask for something: create a channel, confirm leaving, the list of shortcuts.
import { useState } from 'preact/hooks';
import { Globe, Lock } from 'lucide';
import { api, ApiError } from '../net/api';
import { t } from '../strings';
import { ty } from '../strings_keys';
import { enterBreaks } from '../sync/local';
import { useState$, useUi } from './context';
import { Dialog } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { channelLabel } from './names';
import { channelPath, navigate } from './route';

interface Props {
	onClose: () => void;
}

export function CreateChannel({ onClose }: Props) {
	const { client } = useUi();
	const [name, setName] = useState('');
	const [topic, setTopic] = useState('');
	const [kind, setKind] = useState<'public' | 'private'>('public');
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const submit = async (e: Event) => {
		e.preventDefault();
		const clean = name.trim().replace(/^#/, '');
		if (!clean) return setError(t.nameMissing);
		if ([...clean].length > 80) return setError(t.nameTooLong);
		setBusy(true);
		setError(null);
		try {
			const { data } = await api.createChannel({ name: clean, kind, ...(topic.trim() ? { topic: topic.trim() } : {}) });
			client.took(data);
			onClose();
			navigate(channelPath(data.id));
		} catch (err) {
			setError(err instanceof ApiError && err.code === 'conflict' ? t.nameTaken : errorText(err));
			setBusy(false);
		}
	};
	return (
		<Dialog title={t.createChannel} onClose={onClose}>
			<form class="form" onSubmit={(e) => void submit(e)} noValidate>
				<label class="field">
					<span>{t.channelName}</span>
					<input
						data-autofocus
						type="text"
						dir="auto"
						value={name}
						maxLength={200}
						autocomplete="off"
						aria-describedby="create-hint"
						aria-invalid={error !== null}
						onInput={(e) => setName(e.currentTarget.value)}
					/>
					<small id="create-hint">{t.channelNameHint}</small>
				</label>
				<label class="field">
					<span>{t.channelTopic}</span>
					<input
						type="text"
						dir="auto"
						value={topic}
						maxLength={250}
						autocomplete="off"
						onInput={(e) => setTopic(e.currentTarget.value)}
					/>
				</label>
				<fieldset class="choices">
					<legend>{t.channelKind}</legend>
					{(['public', 'private'] as const).map((k) => (
						<label key={k} class="choice">
							<input type="radio" name="kind" value={k} checked={kind === k} onChange={() => setKind(k)} />
							<Icon of={k === 'public' ? Globe : Lock} size={16} />
							{k === 'public' ? t.kindPublic : t.kindPrivate}
						</label>
					))}
				</fieldset>
				{error && (
					<p class="dialog-error" role="alert">
						{error}
					</p>
				)}
				<footer class="dialog-foot">
					<button type="button" class="button" onClick={onClose}>
						{t.cancel}
					</button>
					<button type="submit" class="button primary" disabled={busy}>
						{t.create}
					</button>
				</footer>
			</form>
		</Dialog>
	);
}

export function Leave({ channel, onClose }: Props & { channel: number }) {
	const { client } = useUi();
	const c = useState$((s) => s.channels[channel]);
	const label = useState$((s) => (c ? channelLabel(s, c) : ''));
	const [error, setError] = useState<string | null>(null);
	const leave = () => {
		client.leave(channel).then(
			() => {
				onClose();
				navigate('/');
			},
			(e: unknown) => setError(errorText(e)),
		);
	};
	return (
		<Dialog title={t.leaveTitle(label)} onClose={onClose}>
			<p class="dialog-text">{c?.kind === 'private' ? t.leavePrivateText : t.leaveText}</p>
			{error && (
				<p class="dialog-error" role="alert">
					{error}
				</p>
			)}
			<footer class="dialog-foot">
				<button class="button" data-autofocus onClick={onClose}>
					{t.cancel}
				</button>
				<button class="button danger" onClick={leave}>
					{t.leave}
				</button>
			</footer>
		</Dialog>
	);
}

function Keys({ of }: { of: readonly [string, string][] }) {
	return (
		<dl>
			{of.map(([keys, what]) => (
				<div key={keys}>
					<dt>
						{keys.split(' ').map((k) => (
							<kbd key={k}>{k}</kbd>
						))}
					</dt>
					<dd>{what}</dd>
				</div>
			))}
		</dl>
	);
}

const swapped: Record<string, string> = { Enter: 'Shift+Enter', 'Shift+Enter': 'Enter' };

export function Shortcuts({ onClose }: Props) {
	return (
		<Dialog title={t.shortcuts} onClose={onClose}>
			<div class="keys" tabIndex={0} role="group" aria-label={t.shortcuts}>
				<Keys of={ty.everywhere} />
				<h3>{ty.writing}</h3>
				<Keys of={enterBreaks() ? ty.inWriting.map(([key, what]) => [swapped[key] ?? key, what]) : ty.inWriting} />
			</div>
		</Dialog>
	);
}
