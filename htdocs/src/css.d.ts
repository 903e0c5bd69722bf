// Style sheets are bundled by esbuild; an import of one is for its effect alone.
declare module '*.css';
/* Made at build time (emoji.mjs). */
declare module 'emoji-data' {
	const rows: readonly import('./model/emoji').EmojiRow[];
	export default rows;
}
