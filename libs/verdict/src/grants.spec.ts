import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDurationMs } from './duration.js';
import { grantsSchema } from './generated/grants-schema.js';
import { rolesSchema } from './generated/roles-schema.js';
import { loadGrants, type GrantsProblem } from './grants.js';

const good = `
grants:
  - name: analysts read the shop
    who: { groups: [analysts] }
    on: { names: [shop] }
    allow: [ postgres.read ]
    credential: reader
    mask: [ { column: public.customers.email, with: partial }, { column: public.customers.card, with: redact } ]
  - name: the stock crew writes when a DBA agrees
    who: { subjects: [crew-stock] }
    on: { names: [shop] }
    allow: [ postgres.read ]
    hold: [ postgres.write ]
    approval: { groups: [dba], count: 1, window: 10m }
    credential: writer
  - name: test database
    who: { subjects: ["*"] }
    on: { labels: { env: test } }
    allow: ["*"]
    rules: off
roles:
  auditor: { groups: [audit] }
`;

/** A document of one grant whose lines are these, indented under its name. */
const oneGrant = (...lines: string[]): string =>
  ['grants:', '  - name: one', '    who: { subjects: [crew] }', '    on: { names: [shop] }', ...lines.map((line) => `    ${line}`)].join(
    '\n',
  );

function problemsOf(text: string): readonly GrantsProblem[] {
  return loadGrants(text, { rules: ['sallyport.rules.postgres.unresolved'] }).problems;
}

describe('loadGrants', () => {
  it('reads the document of the interface', () => {
    const loaded = loadGrants(good);
    expect(loaded).toMatchObject({
      ok: true,
      document: {
        grants: [
          { name: 'analysts read the shop', mask: [{ column: 'public.customers.email', with: 'partial' }, { with: 'redact' }] },
          { hold: ['postgres.write'], approval: { groups: ['dba'], count: 1, windowMs: 600_000 } },
          { allow: ['*'], rules: 'off' },
        ],
        roles: { auditor: { groups: ['audit'] } },
      },
    });
    expect(JSON.stringify(loaded)).not.toContain('"window"');
  });

  it('takes one approver when no count is given', () => {
    const loaded = loadGrants(oneGrant('hold: [postgres.write]', 'approval: { groups: [dba], window: 1h30m }'));
    expect(loaded).toMatchObject({ ok: true, document: { grants: [{ approval: { count: 1, windowMs: 5_400_000 } }] } });
  });

  it('takes the null of YAML for the mask of that name', () => {
    const loaded = loadGrants(oneGrant('mask: [{ column: a.b.c, with: null }]'));
    expect(loaded).toMatchObject({ ok: true, document: { grants: [{ mask: [{ column: 'a.b.c', with: 'null' }] }] } });
  });

  it('takes a document that grants nothing', () => {
    expect(loadGrants('grants: []')).toMatchObject({ ok: true, document: { grants: [], roles: {} } });
  });

  it('gives a document that can not be changed', () => {
    const loaded = loadGrants(good);
    expect(loaded.ok && Object.isFrozen(loaded.document.grants[0]?.who.groups)).toBe(true);
  });

  it.each<[string, string, Partial<GrantsProblem>]>([
    ['no document', '', { path: '', message: 'expected object' }],
    ['no grants', 'roles: {}', { path: '', message: 'grants is missing' }],
    ['grants as an object', 'grants: {}', { path: 'grants', line: 1, column: 1, message: 'expected array' }],
    [
      'an unknown part',
      'grants: []\ngrant: []',
      { path: 'grant', line: 2, column: 1, message: 'unknown key; expected one of grants, roles' },
    ],
    ['no YAML', 'grants: [', { line: 1, message: expect.stringContaining('not YAML') as string }],
    ['a key twice', 'grants: []\ngrants: []', { line: 2, message: expect.stringContaining('not YAML') as string }],
    ['an unknown key', oneGrant('allows: [postgres.read]'), { path: 'grants[0].allows', line: 5, column: 5 }],
    ['narrowing that is not there', oneGrant('commands: [{ name: ls }]'), { path: 'grants[0].commands', line: 5 }],
    ['an unknown way to be somebody', oneGrant().replace('subjects', 'subject'), { path: 'grants[0].who.subject', line: 3, column: 12 }],
    [
      'nobody',
      oneGrant().replace('subjects: [crew]', ''),
      { path: 'grants[0].who', line: 3, message: 'empty; leave it out or say something' },
    ],
    ['nothing', oneGrant().replace('names: [shop]', ''), { path: 'grants[0].on', line: 4 }],
    ['an empty list', oneGrant('allow: []'), { path: 'grants[0].allow', line: 5 }],
    [
      'one name without a list',
      oneGrant('allow: postgres.read'),
      { path: 'grants[0].allow', line: 5, column: 12, message: 'expected array' },
    ],
    [
      'a class with a wildcard',
      oneGrant('allow: ["postgres.*"]'),
      { path: 'grants[0].allow[0]', line: 5, column: 13, message: expect.stringContaining('node of the class tree') as string },
    ],
    [
      'a class that is not there',
      oneGrant('hold: [postgres.wirte]', 'approval: { groups: [dba], window: 1m }'),
      { path: 'grants[0].hold[0]', line: 5, column: 12, message: expect.stringContaining('no class is called postgres.wirte') as string },
    ],
    ['a hold without approval', oneGrant('hold: [postgres.write]'), { path: 'grants[0]', message: 'hold needs approval beside it' }],
    ['an approval without hold', oneGrant('approval: { groups: [dba], window: 1m }'), { message: 'approval needs hold beside it' }],
    [
      'an approval without groups',
      oneGrant('hold: [postgres.write]', 'approval: { window: 1m }'),
      { path: 'grants[0].approval', line: 6, message: 'groups is missing' },
    ],
    ['an approval without end', oneGrant('hold: [postgres.write]', 'approval: { groups: [dba] }'), { path: 'grants[0].approval', line: 6 }],
    [
      'an end that is none',
      oneGrant('hold: [postgres.write]', 'approval: { groups: [dba], window: soon }'),
      { path: 'grants[0].approval.window', line: 6, column: 40 },
    ],
    [
      'an end too far',
      oneGrant('hold: [postgres.write]', 'approval: { groups: [dba], window: 31d }'),
      { path: 'grants[0].approval.window', message: 'expected at most 30d' },
    ],
    [
      'nobody to approve',
      oneGrant('hold: [postgres.write]', 'approval: { groups: [dba], count: 0, window: 1m }'),
      { path: 'grants[0].approval.count', line: 6 },
    ],
    [
      'a mask by half a name',
      oneGrant('mask: [{ column: customers.card, with: redact }]'),
      { path: 'grants[0].mask[0].column', line: 5, message: 'expected schema.table.column' },
    ],
    [
      'a mask that is none',
      oneGrant('mask: [{ column: a.b.c, with: blur }]'),
      { path: 'grants[0].mask[0].with', message: 'expected redact or null or partial or hash' },
    ],
    ['a mask without a way', oneGrant('mask: [{ column: a.b.c }]'), { path: 'grants[0].mask[0]', line: 5, message: 'with is missing' }],
    [
      'a table without schema',
      oneGrant('tables: [customers]'),
      { path: 'grants[0].tables[0]', message: expect.stringContaining('schema.table') as string },
    ],
    ['rules on', oneGrant('rules: on'), { path: 'grants[0].rules', message: 'expected off' }],
    [
      'a lift of a rule that is not there',
      oneGrant('lift: [sallyport.rules.postgres.unresolve]'),
      { path: 'grants[0].lift[0]', line: 5, message: 'no default rule is called sallyport.rules.postgres.unresolve' },
    ],
    [
      'a lift that is no rule',
      oneGrant('lift: [unresolved]'),
      { path: 'grants[0].lift[0]', message: expect.stringContaining('path of a default rule') as string },
    ],
    [
      'a backslash',
      oneGrant().replace('crew', String.raw`'crew\E.*'`),
      { path: 'grants[0].who.subjects[0]', line: 3, message: 'wildcards are * and ?; no backslash' },
    ],
    ['a role that is none', `${oneGrant()}\nroles: { root: { groups: [a] } }`, { path: 'roles.root', line: 5, column: 10 }],
    ['a role for nobody', `${oneGrant()}\nroles: { viewer: {} }`, { path: 'roles.viewer', line: 5 }],
    ['a name twice', `${oneGrant()}\n${oneGrant().split('\n').slice(1).join('\n')}`, { path: 'grants[1].name', line: 5, column: 11 }],
  ])('refuses %s and says where', (_, text, problem) => {
    const [first] = problemsOf(text);
    expect(first).toMatchObject(problem);
    expect(loadGrants(text, { rules: ['sallyport.rules.postgres.unresolved'] }).ok).toBe(false);
  });

  it('tells every problem at once', () => {
    expect(
      problemsOf(oneGrant('allow: [A]', 'rules: on', 'more: 1'))
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['grants[0].allow[0]', 'grants[0].more', 'grants[0].rules']);
  });

  it('knows a rule that is there', () => {
    expect(problemsOf(oneGrant('lift: [sallyport.rules.postgres.unresolved]'))).toEqual([]);
  });

  it('P9: refuses a document that is too large, and one that blows up', () => {
    expect(loadGrants(good, { maxBytes: 100 }).problems).toEqual([{ path: '', line: 1, column: 1, message: 'larger than 100 bytes' }]);
    const levels = Array.from(
      { length: 9 },
      (_, at) =>
        `a${at}: &a${at} [${Array(9)
          .fill(at === 0 ? 'x' : `*a${at - 1}`)
          .join(',')}]`,
    );
    expect(loadGrants(levels.join('\n')).problems[0]?.message).toContain('aliases');
    expect(problemsOf(oneGrant(`allow: [${Array(60).fill('A').join(', ')}]`)).length).toBe(50);
  });

  it('checks against the schemas in policies/ (node policies/schemas.mjs writes them here)', () => {
    for (const [name, schema] of [
      ['grants', grantsSchema],
      ['roles', rolesSchema],
    ] as const) {
      const { $schema: _, ...source } = JSON.parse(
        readFileSync(join(import.meta.dirname, `../../../policies/schemas/${name}.json`), 'utf8'),
      ) as Record<string, unknown>;
      expect(schema).toEqual(source);
    }
  });
});

describe('parseDurationMs', () => {
  it.each([
    ['10m', 600_000],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['500ms', 500],
  ])('%s', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each(['', '0s', '10', 'm', '10 m', '1m1h', '-1m', '1.5h', '10M', '99999999999m'])('not %j', (text) => {
    expect(parseDurationMs(text)).toBeNull();
  });
});
