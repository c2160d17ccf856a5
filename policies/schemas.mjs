#!/usr/bin/env node
/** Writes the schemas that grants.yaml is checked against into libs/verdict, which reads no files. A test compares them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const from = join(import.meta.dirname, 'schemas');
const to = join(import.meta.dirname, '../libs/verdict/src/generated');
mkdirSync(to, { recursive: true });
for (const name of ['grants', 'roles']) {
  const { $schema: _, ...schema } = JSON.parse(readFileSync(join(from, `${name}.json`), 'utf8'));
  const text = `// Written by policies/schemas.mjs from policies/schemas/${name}.json.\nexport const ${name}Schema: object = ${JSON.stringify(schema, null, 2)};\n`;
  writeFileSync(join(to, `${name}-schema.ts`), text);
}
