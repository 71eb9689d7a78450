// sluss.d.ts against a page written in TypeScript, by the compiler
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

test('types: the compiler takes the example, strictly, and refuses what it says it must', () => {
	const example = fileURLToPath(new URL('../types/example.ts', import.meta.url));
	const { status, stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--strict', '--skipLibCheck', 'false',
		'--target', 'es2022', '--module', 'es2022', '--moduleResolution', 'bundler', '--lib', 'es2022,dom,dom.iterable', '--typeRoots', '/nonexistent', example],
	{ encoding: 'utf8' });

	assert.equal(stdout, '');
	assert.equal(status, 0);
});
