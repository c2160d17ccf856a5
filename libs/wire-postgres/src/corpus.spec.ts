import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { check } from './fuzz-check.js';

const CORPUS = path.join(path.dirname(fileURLToPath(import.meta.url)), '../testdata/corpus');

describe('inputs that broke a codec once, this one or another', () => {
  it.each(readdirSync(CORPUS))('%s', (name) => {
    check(readFileSync(path.join(CORPUS, name)));
  });
});
