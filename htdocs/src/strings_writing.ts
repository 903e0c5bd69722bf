// Texts of the settings of writing, which are loaded with the others; see strings.ts.
export const tw = {
	title: 'Writing',
	breaks: 'Enter makes a new line',
	breaksHint: 'Shift+Enter or Ctrl+Enter sends then, in this browser.',
};
