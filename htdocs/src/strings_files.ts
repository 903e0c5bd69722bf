// What the list of one's files says, and the dialog that deletes one.
import { isolate } from './model/direction';

export const tf = {
	deleteFileTitle: 'Delete this file?',
	deleteFileText: (name: string) => `${isolate(name)} is gone for everyone, for good. The message stays.`,
	deleteIt: 'Delete',
	myFilesText: 'All the files that you have sent. What you delete here is gone from its message too.',
	filesTotal: (size: string) => `${size} in all`,
	noFiles: 'No files yet. Drop one into a channel, or use the paper clip below a message.',
	noFilesOf: 'No files.',
	goToMessage: 'Show in its channel',
	notSentYet: 'not sent yet',
	deleteAllFiles: 'Delete all',
	deleteAllSure: 'Delete all of them for good',
	deleteSure: 'Delete for good',
	allDeleted: 'The files are deleted',
};
