// Style sheets are bundled by esbuild; an import of one is for its effect alone.
declare module '*.css';
