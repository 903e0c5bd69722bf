// Texts of one's own profile; see strings.ts.
import { isolate } from './model/direction';

export const tr = {
	title: 'Profile',
	change: 'Change picture…',
	add: 'Add a picture…',
	remove: 'Remove',
	sending: (percent: number) => `Sending… ${percent} %`,
	hint: 'Everybody here sees it. The square in its middle is taken. You can also drop or paste one.',
	hintAway: 'This site keeps no files, so there are no pictures of one’s own.',
	changed: 'Your picture is changed',
	removed: 'Your picture is removed',
	name: 'Name',
	save: 'Save name',
	saving: 'Saving…',
	named: (name: string) => `You are ${isolate(name)} now`,
	provider: (name: string) => `Your account says ${isolate(name)}.`,
	useProvider: 'As your account says',
	noName: 'Write a name.',
	badName: 'This name cannot be read by others, or is too much like another. Write it in the letters of one language.',
	muted: 'You are muted, so you cannot change this now.',
	noPicture: 'This is no picture that your browser can read.',
	tooLarge: 'This picture is too large.',
	quota: 'You have as many files as you may have. Delete some first.',
	failed: 'The picture could not be sent. Try again.',
	noChannel: 'You are in no channel yet. Join one first.',
};
