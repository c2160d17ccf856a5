import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { notYet } from './checks.js';
import { configSchema } from './config.js';
import { SECRET_PATHS } from './interpolate.js';
import { configJsonSchema } from './json-schema.js';
import { limitsMarkdown } from './limits.js';
import { formatProblems, loadConfig } from './load.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../../..');
const schemaFile = join(here, '../sallyport.schema.json');
const limitsFile = join(root, 'docs/limits.md');
const examples = join(root, 'deploy/examples');

/** SALLYPORT_UPDATE=1 writes them anew; prettier has the last word on the JSON. */
if (process.env['SALLYPORT_UPDATE'] === '1') {
  writeFileSync(schemaFile, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  writeFileSync(limitsFile, limitsMarkdown());
}

const INTERFACE = readFileSync(join(here, 'interface.testdata.yaml'), 'utf8');

describe('what is published', () => {
  it('the JSON Schema is up to date', () => {
    expect(existsSync(schemaFile) && (JSON.parse(readFileSync(schemaFile, 'utf8')) as unknown)).toEqual(
      JSON.parse(JSON.stringify(configJsonSchema())),
    );
  });

  it('docs/limits.md is up to date', () => {
    expect(readFileSync(limitsFile, 'utf8')).toBe(limitsMarkdown());
  });

  it('the JSON Schema accepts and refuses what the configuration does', () => {
    const validate = new Ajv2020({ strict: false }).compile(configJsonSchema());
    for (const text of [readFileSync(join(examples, 'sallyport.yaml'), 'utf8'), INTERFACE, '{}']) {
      expect([validate(parse(text)), validate.errors]).toEqual([true, null]);
    }
    for (const text of ['limit: {}', 'limits: { holdTimeout: 15 }', 'bus: rabbit', 'resources: [{ name: x, kind: oracle }]']) {
      expect(validate(parse(text))).toBe(false);
    }
  });

  it('every key of the interface is known', () => {
    const result = loadConfig({ text: INTERFACE, baseDir: examples }, { DATABASE_URL: 'x' });
    expect(result.ok ? '' : formatProblems(result.problems)).toBe('');
    if (!result.ok) return;
    expect(result.config.resources.map(({ kind }) => kind)).toEqual(['postgres', 'ssh', 'http', 'aws', 'kubernetes', 'mcp']);
    expect(notYet(result.config)).toHaveLength(8);
  });

  it('the example loads, and this version serves all of it', () => {
    const result = loadConfig({ path: join(examples, 'sallyport.yaml') }, {});
    expect(result.ok ? result.warnings : formatProblems(result.problems)).toEqual([]);
    if (!result.ok) return;
    expect(notYet(result.config)).toEqual([]);
    expect(existsSync(result.config.policy.grants ?? '')).toBe(true);
    expect(result.config.resources[0]).toMatchObject({ name: 'shop', credential: { kind: 'postgres-role', ttlMs: 900_000 } });
    const { grants } = parse(readFileSync(result.config.policy.grants ?? '', 'utf8')) as { grants: { credential: string }[] };
    expect(grants.map(({ credential }) => credential)).toEqual(['reader', 'writer']);
  });

  it('P3: every secret of the schema is kept out of interpolation', () => {
    const probe = (path: string) => {
      const schema = JSON.stringify(configSchema().toJSONSchema({ io: 'input' }));
      return schema.includes(`"${path.split('.').at(-1)}"`);
    };
    expect(SECRET_PATHS.every(probe)).toBe(true);
    const result = loadConfig(
      { text: INTERFACE.replaceAll(/\{ (env|file): [^,}]*\}/g, '"${SECRET_PROBE}"'), baseDir: examples },
      { SECRET_PROBE: 'hunter2' },
    );
    expect(result.ok ? '' : formatProblems(result.problems)).toBe('');
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});
