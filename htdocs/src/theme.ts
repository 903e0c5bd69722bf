// Sets the chosen theme before the first paint. A script of its own since the CSP allows none inline.
// Without a choice the style sheet follows the system by itself.
try {
	const theme = localStorage.getItem('pulsechat:theme');
	if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
	// Storage is forbidden (a private window, say): the system's theme it is.
}
export {};
