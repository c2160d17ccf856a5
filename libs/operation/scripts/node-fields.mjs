// Writes src/generated/nodes.ts from @pgsql/types: the parser leaves out a node's tag where the grammar fixes its type, so the
// walker needs to know, field by field, what stands there; and the table of statements must be total.
// Use, then format: node scripts/node-fields.mjs
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const types = path.join(
  path.dirname(createRequire(createRequire(import.meta.url).resolve('libpg-query')).resolve('@pgsql/types')),
  'types.d.ts',
);
const text = await readFile(types, 'utf8');
const interfaces = new Map([...text.matchAll(/^export interface (\w+) \{\n([^}]*)\}/gm)].map((match) => [match[1], match[2]]));
const union = [...text.slice(0, text.indexOf('export interface')).matchAll(/^ {4}(\w+): \w+;/gm)].map((match) => match[1]);

const entries = [];
for (const [name, body] of interfaces) {
  const bare = [...body.matchAll(/^\s+(\w+)\?: (\w+)(?:\[\])?;/gm)].filter(([, , type]) => type !== 'Node' && interfaces.has(type));
  if (bare.length > 0) entries.push(`  ${name}: { ${bare.map(([, field, type]) => `${field}: '${type}'`).join(', ')} },`);
}
const statements = union.filter((name) => name.endsWith('Stmt'));
await writeFile(
  new URL('../src/generated/nodes.ts', import.meta.url),
  `// Written by scripts/node-fields.mjs from @pgsql/types. Don't edit.
/** Fields whose value stands without its tag: node → field → tag. */
export const BARE_FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
${entries.join('\n')}
};

/** Every statement node of the grammar. */
export const STATEMENT_TAGS = [
${statements.map((name) => `  '${name}',`).join('\n')}
] as const;
export type StatementTag = (typeof STATEMENT_TAGS)[number];

/** Every node there is. */
export const NODE_TAGS = [
${union.map((name) => `  '${name}',`).join('\n')}
] as const;
`,
);
