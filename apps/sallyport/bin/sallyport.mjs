#!/usr/bin/env node
/**
 * The command. In a checkout the build is made first when it is stale or missing, so that `npm ci` is all that one has to do.
 */
import { pathToFileURL } from 'node:url';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { ensureBuilt } from './ensure-built.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const failed = await ensureBuilt(root);
if (failed === undefined) {
  const { main } = await import(pathToFileURL(join(root, 'apps/sallyport/dist/cli/main.js')).href);
  await main(process.argv.slice(2));
} else {
  process.stderr.write(`sallyport: ${failed}\n`);
  process.exitCode = 2;
}
