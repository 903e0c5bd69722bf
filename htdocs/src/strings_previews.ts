// Texts of link previews.
export const tp = {
	card: (host: string) => `Preview of a page of ${host}`,
	hide: 'Hide this preview',
	remove: 'Remove this preview for everyone',
	removeFailed: 'The preview could not be removed.',
	settings: 'Messages',
	show: 'Show previews of links',
	showHint: 'A card with the title of the page under a message, in this browser. The server fetches the page; your address is told to nobody.',
};
