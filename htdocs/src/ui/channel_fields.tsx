// The name and the topic of a channel, where one is made and where one is changed.
import { MOST, tooMany } from '../model/limits';
import { ApiError } from '../net/api';
import { t } from '../strings';
import { errorText } from './errors';
import { TextField } from './text_field';

export const cleanName = (name: string): string => name.trim().replace(/^#/, '');

/* What is wrong with a name, in words. */
export const nameFault = (clean: string): string | null => (clean ? null : t.nameMissing);

export const fieldsFit = (name: string, topic: string): boolean =>
	!tooMany(cleanName(name), MOST.channelName) && !tooMany(topic.trim(), MOST.topic);

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
			<TextField
				label={t.channelName}
				value={name}
				most={MOST.channelName}
				sent={cleanName}
				bad={bad}
				hint={hint}
				autofocus
				onText={onName}
			/>
			<TextField label={t.channelTopic} value={topic} most={MOST.topic} onText={onTopic} />
		</>
	);
}
