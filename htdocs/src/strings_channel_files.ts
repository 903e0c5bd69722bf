// Texts of the list of a channel's files.
import { isolate } from './model/direction';
import { plural } from './strings';

export const tl = {
	kinds: 'Which files',
	kind: { all: 'All', images: 'Images', others: 'Other files' },
	shown: (n: number, more: boolean) => `${n} ${plural(n, 'file', 'files')}${more ? ', and older ones' : ''}`,
	none: { all: 'No files here yet.', images: 'No images here yet.', others: 'No other files here yet.' },
	noneHow: 'Drop one into the channel, or use the paper clip below a message.',
	failed: 'The list could not be loaded.',
	of: (name: string, who: string, when: string) => `${isolate(name)}, ${isolate(who)}, ${when}`,
	jump: 'Jump to message',
	jumpOf: (name: string) => `Jump to the message with ${isolate(name)}`,
};
