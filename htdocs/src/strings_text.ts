// What is said about texts: Markdown, code, completion; see strings.ts.
export const tt = {
	copyCode: 'Copy the code',
	codeCopied: 'Copied',
	emojiOrChannel: 'Emoji or channel',

	/* The second part of the list of keys; the first is t.keys. */
	keysWriting: 'While you write',
	keys: [
		['Enter', 'Send the message'],
		['Shift+Enter', 'New line; goes on with a list or a quote'],
		['@', 'Mention someone'],
		[':', 'An emoji by its name'],
		['#', 'A channel by its name'],
		['Ctrl+B', 'Bold'],
		['Ctrl+I', 'Italic'],
		['Ctrl+Shift+X', 'Struck through'],
		['Ctrl+E', 'Code'],
		['Ctrl+K', 'Make a link of the selected words'],
		['Ctrl+V', 'Add a copied picture or file'],
	] as [string, string][],
};
