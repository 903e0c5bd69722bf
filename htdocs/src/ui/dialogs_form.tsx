// The dialogs that ask for something: create a channel, confirm leaving, the list of shortcuts.
import { useState } from 'preact/hooks';
import { Globe, Lock } from 'lucide';
import { api } from '../net/api';
import { t } from '../strings';
import { ChannelFields, cleanName, fieldsFit, nameFault, savingFault } from './channel_fields';
import { ty } from '../strings_keys';
import { enterBreaks } from '../sync/local';
import { useState$, useUi } from './context';
import { Confirm, Dialog, Fault, Foot, useSaving } from './dialog';
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
	const { error, busy, submit } = useSaving(async () => {
		const clean = cleanName(name);
		const wrong = nameFault(clean);
		if (wrong) return wrong;
		const wish = { name: clean, kind, ...(topic.trim() ? { topic: topic.trim() } : {}) };
		const made = await api.createChannel(wish).catch(savingFault);
		if (typeof made === 'string') return made;
		client.took(made.data);
		onClose();
		navigate(channelPath(made.data.id));
	});
	return (
		<Dialog title={t.createChannel} onClose={onClose}>
			<form class="form" onSubmit={submit} noValidate>
				<ChannelFields name={name} topic={topic} onName={setName} onTopic={setTopic} bad={error !== null} hint={t.channelNameHint} />
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
				<Fault text={error} />
				<Foot label={t.create} off={busy || !fieldsFit(name, topic)} onClose={onClose} />
			</form>
		</Dialog>
	);
}

export function Leave({ channel, onClose }: Props & { channel: number }) {
	const { client } = useUi();
	const c = useState$((s) => s.channels[channel]);
	const label = useState$((s) => (c ? channelLabel(s, c) : ''));
	const done = () => {
		onClose();
		navigate('/');
	};
	const text = c?.kind === 'private' ? t.leavePrivateText : t.leaveText;
	return (
		<Confirm
			title={t.leaveTitle(label)}
			text={text}
			label={t.leave}
			careful
			run={() => client.leave(channel)}
			onClose={onClose}
			onDone={done}
		/>
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
