// The build: bundles src/ with esbuild into $OUT (default ../build/htdocs) as index.html and assets/name-HASH.*.
// Type checking is tsc's job (npm run build runs it first). Refuses a first load above the budget.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { emojiData } from './emoji.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.env.OUT || join(here, '../build/htdocs'));
const budget = 150 * 1024; // bytes of gzip, all that the first load needs

const common = {
	absWorkingDir: here,
	bundle: true,
	target: ['chrome109', 'firefox115', 'safari16'],
	minify: true,
	metafile: true,
	write: false,
	outdir: join(out, 'assets'),
	entryNames: '[name]-[hash]',
	chunkNames: 'part-[hash]',
	jsx: 'automatic',
	jsxImportSource: 'preact',
	legalComments: 'none',
	plugins: [emojiData],
	define: { 'process.env.NODE_ENV': '"production"' },
};
// A worker is a script by itself; the page has to know its name.
const worker = await build({ ...common, entryPoints: ['src/media/worker.ts'], format: 'iife' });
const define = { ...common.define, PC_WORKER: JSON.stringify(`/assets/${basename(worker.outputFiles[0].path)}`) };
// What import() names becomes a part of its own, loaded when it is opened first.
const page = { ...common, define, entryPoints: ['src/main.tsx'], format: 'esm', splitting: true };
const { inputs, outputs } = (await build(page)).metafile;
/* esbuild makes a file of each set of modules that the same parts share: forty small ones for the first load, which compress badly.
 * So each part imports what the first load has anyway, and all of that becomes one file. */
const later = new Set(Object.values(outputs).map((o) => o.entryPoint).filter((e) => e in inputs && e !== 'src/main.tsx'));
const base = inputs['src/main.tsx'].imports.filter((i) => /\.tsx?$/.test(i.path)).map((i) => `\nimport ${JSON.stringify(join(here, i.path))};`).join('');
const oneFirst = {
	name: 'one first file',
	setup: ({ onLoad }) =>
		onLoad({ filter: /\.tsx?$/ }, async ({ path }) =>
			later.has(relative(here, path)) ? { contents: (await readFile(path, 'utf8')) + base, loader: extname(path).slice(1) } : undefined,
		),
};
const main = await build({ ...page, plugins: [...page.plugins, oneFirst] });
// A script of its own: it runs before the first paint, and a strict CSP forbids it inline.
const theme = await build({ ...common, entryPoints: ['src/theme.ts'], format: 'iife' });

/* Files that the page cannot begin without: the main script, and what it imports at once. */
const first = new Set();
const follow = (path) => {
	if (first.has(basename(path))) return;
	first.add(basename(path));
	for (const i of main.metafile.outputs[path].imports) if (i.kind === 'import-statement') follow(i.path);
};
for (const [path, o] of Object.entries(main.metafile.outputs)) if (o.entryPoint === 'src/main.tsx' || path.endsWith('.css')) follow(path);

const icon = await readFile(join(here, 'src/favicon.svg'));
const iconName = `favicon-${createHash('sha256').update(icon).digest('hex').slice(0, 8).toUpperCase()}.svg`;
const built = [main, theme, worker].flatMap((b) => b.outputFiles).map((f) => ({ name: basename(f.path), body: f.contents }));
const files = [...built, { name: iconName, body: icon }];

const named = (start, end) => {
	const f = files.find((x) => x.name.startsWith(start) && x.name.endsWith(end));
	if (!f) throw new Error(`the bundle has no ${start}*${end}`);
	return `/assets/${f.name}`;
};
const preload = [...first].filter((n) => n.startsWith('part-')).map((n) => `<link rel="modulepreload" href="/assets/${n}">\n`);
const html = (await readFile(join(here, 'src/index.html'), 'utf8'))
	.replace('%THEME%', named('theme-', '.js'))
	.replace('%MAIN%', named('main-', '.js'))
	.replace('%PRELOAD%', preload.join(''))
	.replace('%STYLE%', named('main-', '.css'))
	.replace('%ICON%', named('favicon-', '.svg'));

await rm(join(out, 'assets'), { recursive: true, force: true });
await mkdir(join(out, 'assets'), { recursive: true });
for (const f of files) await writeFile(join(out, 'assets', f.name), f.body);
// Last, so that a page served meanwhile never names files that are not there yet.
await writeFile(join(out, 'index.html'), html);

let total = 0;
for (const f of [...files, { name: 'index.html', body: Buffer.from(html) }]) {
	const size = gzipSync(f.body).length;
	const isLater = /^(part|worker)-/.test(f.name) && !first.has(f.name);
	if (!isLater) total += size;
	console.log(`${(size / 1024).toFixed(1).padStart(7)} KB gzip  ${f.name}${isLater ? '  (when it is opened)' : ''}`);
}
console.log(`${(total / 1024).toFixed(1).padStart(7)} KB gzip  first load, of ${budget / 1024} KB allowed`);
if (total > budget) process.exit(1);
