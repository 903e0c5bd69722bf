// The name and the topic of a channel, where one is made and where one is changed.
import { ApiError } from '../net/api';
import { t } from '../strings';
import { errorText } from './errors';

const NAME_MAX = 80; // characters

export const cleanName = (name: string): string => name.trim().replace(/^#/, '');

/* What is wrong with a name, in words. */
export function nameFault(clean: string): string | null {
	if (!clean) return t.nameMissing;
	return [...clean].length > NAME_MAX ? t.nameTooLong : null;
}

/* What the server has against it. */
export const savingFault = (e: unknown): string => (e instanceof ApiError && e.code === 'conflict' ? t.nameTaken : errorText(e));

interface Props {
	name: string;
	topic: string;
	onName: (name: string) => void;
	onTopic: (topic: string) => void;
	bad: boolean;
	hint?: string;
}

export function ChannelFields({ name, topic, onName, onTopic, bad, hint }: Props) {
	return (
		<>
			<label class="field">
				<span>{t.channelName}</span>
				<input
					data-autofocus
					type="text"
					dir="auto"
					value={name}
					maxLength={200}
					autocomplete="off"
					aria-describedby={hint && 'channel-name-hint'}
					aria-invalid={bad}
					onInput={(e) => onName(e.currentTarget.value)}
				/>
				{hint && <small id="channel-name-hint">{hint}</small>}
			</label>
			<label class="field">
				<span>{t.channelTopic}</span>
				<input
					type="text"
					dir="auto"
					value={topic}
					maxLength={250}
					autocomplete="off"
					onInput={(e) => onTopic(e.currentTarget.value)}
				/>
			</label>
		</>
	);
}
