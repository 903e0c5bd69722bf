// What is said about texts: Markdown, code, completion; see strings.ts.
export const tt = {
	copyCode: 'Copy the code',
	codeCopied: 'Copied',
	emojiOrChannel: 'Emoji or channel',
};
