#!/usr/bin/env node
import { resolve, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './ensure-built.mjs';

const problem = await ensureBuilt(resolve(dirname(fileURLToPath(import.meta.url)), '../../..'));
if (problem === undefined) {
  const { runDemo } = await import('../dist/demo/index.js');
  process.exitCode = await runDemo(process.argv.slice(2));
} else {
  process.stderr.write(`demo: ${problem}\n`);
  process.exitCode = 3;
}
