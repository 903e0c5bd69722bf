// Sets the chosen theme, and how close things stand, before the first paint. A script of its own since the CSP allows none inline.
// Without a choice the style sheet follows the system by itself.
try {
	const theme = localStorage.getItem('pulsechat:theme');
	if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
	if (localStorage.getItem('pulsechat:density') === 'compact') document.documentElement.dataset.density = 'compact';
} catch {
	// Storage is forbidden (a private window, say): it is the system's theme, and comfortable.
}
export {};
