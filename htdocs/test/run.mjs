// Runs the unit tests: bundles each test/*.test.ts with esbuild (Node 18 knows no TypeScript) and hands them to node --test.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emojiData } from '../emoji.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = await mkdtemp(join(tmpdir(), 'pulsechat-web-test-'));
try {
	const tests = (await readdir(here)).filter((f) => f.endsWith('.test.ts'));
	// Without a file, node --test would look for tests itself, find this script, and start it again and again.
	if (tests.length === 0) throw new Error('no tests here');
	await build({
		entryPoints: tests.map((f) => join(here, f)),
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node18',
		outdir: out,
		outExtension: { '.js': '.mjs' },
		sourcemap: 'inline',
		jsx: 'automatic',
		jsxImportSource: 'preact',
		logLevel: 'warning',
		plugins: [emojiData],
	});
	const files = tests.map((f) => join(out, f.replace(/\.ts$/, '.mjs')));
	const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' });
	process.exitCode = run.status ?? 1;
} finally {
	await rm(out, { recursive: true, force: true });
}
