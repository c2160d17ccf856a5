import { join } from 'node:path';
import * as fc from 'fast-check';
import {
  canonicalJson,
  freezeDeep,
  loadGrants,
  mayApprove,
  mayInConsole,
  revisionOf,
  verdicts,
  type Engine,
  type GrantsDocument,
  type PolicyInput,
  type PrincipalFacts,
  type Verdict,
} from '@sallyport/verdict';
import { readBundle, type PolicyBundle } from './bundle.js';
import { opaWasmEngine } from './engine.js';

/** The policies as they are shipped, through the real module: what depends on the engine, and what the cache rests on. */
let bundle: PolicyBundle;
let document: GrantsDocument;
let engine: Engine;

const yaml = String.raw`
grants:
  - name: analysts read the shop
    who: { groups: [analysts] }
    on: { names: [shop] }
    allow: [ postgres.read ]
    credential: reader
    limits: { rows: 1000 }
    mask: [ { column: public.customers.email, with: partial }, { column: public.customers.card, with: redact } ]
  - name: emails are hashed for crews
    who: { subjects: ["crew-*"] }
    on: { labels: { env: prod } }
    mask: [ { column: public.customers.email, with: hash } ]
  - name: the stock crew writes when a DBA agrees
    who: { subjects: [crew-stock] }
    on: { names: [shop] }
    allow: [ postgres.read ]
    hold: [ postgres.write ]
    approval: { groups: [dba], count: 1, window: 10m }
    credential: writer
  - name: orders only
    who: { subjects: [crew-orders] }
    on: { names: [shop] }
    allow: [ postgres.read ]
    tables: [ public.orders ]
  - name: cleaners
    who: { subjects: [cleaner] }
    on: { names: [shop] }
    allow: [ postgres.write.delete ]
    lift: [ sallyport.rules.postgres.write_without_where ]
  - name: test database
    who: { subjects: ["*"] }
    on: { labels: { env: test } }
    allow: ["*"]
    rules: off
  - name: the agent may do all that no rule forbids
    who: { subjects: [agent] }
    on: { names: [shop] }
    allow: ["*"]
roles:
  auditor: { groups: [audit] }
`;

beforeAll(async () => {
  bundle = await readBundle(join(import.meta.dirname, '../../../../policies/bundle'));
  const loaded = loadGrants(yaml, { rules: bundle.manifest.rules });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  document = loaded.document;
  engine = opaWasmEngine({ wasm: bundle.wasm, entrypoints: bundle.manifest.entrypoints, data: document });
});

type Facts = Record<string, unknown>;

const statement = (facts: Facts = {}): Facts => ({
  kind: 'select',
  class: 'postgres.read',
  tables: [],
  columns: [],
  functions: [],
  hasWhere: null,
  locks: null,
  dynamic: false,
  unresolved: [],
  ...facts,
});

function sql(...statements: Facts[]): Facts {
  const classes = [...new Set(statements.map((one) => one['class'] as string))].sort();
  return { kind: 'postgres', class: classes[0], classes, parseable: true, fingerprint: 'f', normalized: 'n', statements };
}

const principal = (subject: string, more: Partial<PrincipalFacts> = {}): PrincipalFacts => ({
  subject,
  issuer: 'https://idp',
  provider: 'corp',
  kind: 'workload',
  groups: [],
  actors: [],
  ...more,
});

function asked(who: PrincipalFacts, operation: Facts, labels: Record<string, string> = { env: 'prod' }): PolicyInput {
  return {
    principal: who,
    session: { id: 's', run: null, operations: 0, rows: 0, bytes: 0, denials: 0 },
    resource: { name: 'shop', kind: 'postgres', labels },
    operation: operation as never,
    time: '2026-01-01T00:00:00Z',
  };
}

function judged(who: PrincipalFacts, operation: Facts, labels?: Record<string, string>): Verdict {
  const revision = revisionOf(bundle.files, canonicalJson(document));
  const failures: unknown[] = [];
  const port = verdicts(engine, {
    revision,
    inputPaths: bundle.manifest.inputPaths['sallyport/verdict'],
    onFailure: (error) => failures.push(error),
  });
  const verdict = port.decide(asked(who, operation, labels));
  expect(failures).toEqual([]);
  return verdict;
}

const table = (name: string, access: 'read' | 'write' = 'read', schema: string | null = 'public'): Facts => ({ schema, name, access });

describe('the shipped policies', () => {
  it('P2: answer a whole verdict that names revision and rules', () => {
    const verdict = judged(principal('crew-stock', { groups: ['analysts'] }), sql(statement({ tables: [table('customers')] })));
    expect(verdict).toEqual({
      decision: 'allow',
      revision: revisionOf(bundle.files, canonicalJson(document)),
      rules: [
        { path: 'sallyport.grant', title: 'analysts read the shop' },
        { path: 'sallyport.grant', title: 'the stock crew writes when a DBA agrees' },
      ],
      reasons: [],
      masks: [
        { column: 'public.customers.card', with: 'redact' },
        { column: 'public.customers.email', with: 'hash' },
      ],
      rowLimit: 1000,
      profiles: ['reader', 'writer'],
      cacheKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      rulesOff: false,
    });
  });

  it('P2: deny what no grant allows', () => {
    expect(judged(principal('nobody'), sql(statement()))).toMatchObject({
      decision: 'deny',
      rules: [{ path: 'sallyport.default' }],
      profiles: [],
    });
    expect(judged(principal('nobody'), { kind: 'connect', class: 'postgres.connect', classes: ['postgres.connect'] }).decision).toBe(
      'deny',
    );
    expect(judged(principal('x', { groups: ['analysts'] }), sql(statement({ class: 'postgres.write.insert' })))).toMatchObject({
      decision: 'deny',
      reasons: ['No grant allows postgres.write.insert on shop.'],
    });
  });

  it('hold a write for approval', () => {
    const write = sql(statement({ class: 'postgres.write.update', hasWhere: true, tables: [table('stock', 'write')] }));
    expect(judged(principal('crew-stock'), write)).toMatchObject({
      decision: 'hold',
      approval: { groups: ['dba'], count: 1, windowMs: 600_000 },
    });
  });

  it.each<[string, Facts]>([
    [
      'unparseable',
      { ...sql(statement()), parseable: false, statements: [], class: 'postgres.unparseable', classes: ['postgres.unparseable'] },
    ],
    ['unknown', sql(statement({ class: 'postgres.unknown' }))],
    ['unresolved', sql(statement(), statement({ unresolved: ['SELECT FROM f()'] }))],
    ['write_without_where', sql(statement({ class: 'postgres.write.delete', hasWhere: false }))],
    ['write_without_where', sql(statement(), statement({ hasWhere: false }))],
    ['privileges', sql(statement({ class: 'postgres.privilege.grant' }))],
    ['privileges', sql(statement({ class: 'postgres.session.set', setting: 'role' }))],
    ['server', sql(statement({ class: 'postgres.server.alter_system' }))],
    ['server_files', sql(statement({ class: 'postgres.write.copy', copy: 'program' }))],
    ['server_files', sql(statement({ functions: ['pg_catalog.pg_read_file'] }))],
    ['dynamic_sql', sql(statement({ dynamic: true }))],
    ['dynamic_sql', sql(statement({ functions: ['query_to_xml'] }))],
    ['parsing_settings', sql(statement({ class: 'postgres.session.set_parsing' }))],
    ['drop_unnamed', sql(statement({ class: 'postgres.ddl.drop' }))],
    ['truncate_unnamed', sql(statement({ class: 'postgres.write.truncate' }))],
  ])('P2: the rule %s forbids what allow "*" allows, and rules off lifts it', (rule, operation) => {
    expect(judged(principal('agent'), operation)).toMatchObject({
      decision: 'deny',
      rules: [{ path: `sallyport.rules.postgres.${rule}` }],
      hint: expect.any(String) as string,
    });
    expect(judged(principal('agent'), operation, { env: 'test' })).toMatchObject({ decision: 'allow', rulesOff: true });
  });

  it('P5: masks hold with rules off', () => {
    const verdict = judged(principal('a', { groups: ['analysts'] }), sql(statement({ dynamic: true })), { env: 'test' });
    expect(verdict).toMatchObject({
      decision: 'allow',
      rulesOff: true,
      masks: [{ column: 'public.customers.card' }, { column: 'public.customers.email' }],
    });
  });

  it('lift a rule by name for what that grant permits', () => {
    const all = sql(statement({ class: 'postgres.write.delete', hasWhere: false }));
    expect(judged(principal('cleaner'), all).decision).toBe('allow');
    expect(judged(principal('cleaner'), sql(statement({ class: 'postgres.write.delete', hasWhere: false, dynamic: true }))).decision).toBe(
      'deny',
    );
  });

  it('narrow a grant to its tables', () => {
    const who = principal('crew-orders');
    expect(judged(who, sql(statement({ tables: [table('orders')] }))).decision).toBe('allow');
    expect(judged(who, sql(statement({ tables: [table('orders', 'read', null)] }))).decision).toBe('allow');
    expect(judged(who, sql(statement({ tables: [table('orders'), table('customers')] }))).decision).toBe('deny');
    expect(judged(who, sql(statement({ tables: [table('orders', 'read', 'secret')] }))).decision).toBe('deny');
    expect(judged(who, sql(statement({ class: 'postgres.session.set_path' }))).decision).toBe('deny');
    expect(judged(who, sql(statement({ class: 'postgres.session.begin' }))).decision).toBe('allow');
  });

  it.each(['crew-a\nb', 'crew-\0', 'crew-é\u{1F600}', 'crew-'])('P5: a name such as %j does not slip past a wildcard', (subject) => {
    expect(judged(principal(subject), sql(statement())).masks).toEqual([{ column: 'public.customers.email', with: 'hash' }]);
  });

  it('say who approves', () => {
    const hold = { requester: principal('crew-stock'), resource: asked(principal('x'), {}).resource, groups: ['dba'], given: [] };
    const dana = principal('dana', { kind: 'person', groups: ['dba'] });
    expect(mayApprove(engine, { approver: dana, hold })).toEqual({ allow: true, rules: [], reasons: [] });
    expect(mayApprove(engine, { approver: { ...dana, subject: 'crew-stock' }, hold })).toMatchObject({
      allow: false,
      rules: [{ path: 'sallyport.approval.requester' }],
    });
    expect(mayApprove(engine, { approver: dana, hold: { ...hold, given: [dana] } }).allow).toBe(false);
    expect(mayApprove(engine, { approver: { ...dana, provider: 'local' }, hold }).allow).toBe(false);
    expect(mayApprove(engine, { approver: { ...dana, kind: 'workload' }, hold }).allow).toBe(false);
    expect(
      mayApprove(engine, { approver: dana, hold: { ...hold, requester: principal('crew-stock', { actors: [{ subject: 'dana' }] }) } })
        .allow,
    ).toBe(false);
  });

  it('say who may do what in the console', () => {
    expect(mayInConsole(engine, { principal: principal('a', { groups: ['audit'] }), action: 'leases.read' })).toMatchObject({
      allow: true,
      scope: 'all',
    });
    expect(mayInConsole(engine, { principal: principal('a'), action: 'leases.read' })).toMatchObject({ allow: false, scope: 'none' });
    const target = { principal: { subject: 'crew-stock', issuer: 'https://idp' }, groups: ['dba'] };
    expect(mayInConsole(engine, { principal: principal('d', { groups: ['dba'] }), action: 'approvals.decide', target })).toMatchObject({
      allow: true,
      scope: 'own',
    });
    expect(
      mayInConsole(engine, { principal: principal('op', { provider: 'local', groups: ['dba'] }), action: 'approvals.decide', target })
        .allow,
    ).toBe(false);
    expect(mayInConsole(engine, { principal: principal('op', { provider: 'local' }), action: 'principals.revoke' }).allow).toBe(true);
  });
});

describe('the sound cache', () => {
  const name = fc.constantFrom('orders', 'customers', 'stock', 'pg_authid');
  const facts = fc.record({
    kind: fc.constantFrom('select', 'update'),
    class: fc.constantFrom(
      'postgres.read',
      'postgres.write.update',
      'postgres.write.delete',
      'postgres.session.begin',
      'postgres.session.set_path',
      'postgres.ddl.drop',
    ),
    tables: fc.array(fc.record({ schema: fc.constantFrom('public', 'secret', null), name, access: fc.constantFrom('read', 'write') }), {
      maxLength: 2,
    }),
    columns: fc.constant([]),
    functions: fc.subarray(['lower', 'pg_read_file', 'dblink']),
    hasWhere: fc.constantFrom(true, false, null),
    locks: fc.constant(null),
    dynamic: fc.boolean(),
    unresolved: fc.subarray(['f()']),
  });
  const input = fc.record({
    principal: fc.record({
      subject: fc.constantFrom('crew-stock', 'crew-orders', 'cleaner', 'agent', 'nobody'),
      issuer: fc.constant('i'),
      provider: fc.constantFrom('corp', 'local'),
      kind: fc.constantFrom('workload', 'person'),
      groups: fc.subarray(['analysts', 'dba']),
      actors: fc.constant([]),
    }),
    resource: fc.record({
      name: fc.constantFrom('shop', 'other'),
      kind: fc.constant('postgres'),
      labels: fc.record({ env: fc.constantFrom('prod', 'test') }),
    }),
    operation: fc.array(facts, { minLength: 1, maxLength: 2 }).map((statements) => sql(...statements)),
  });
  // All that the manifest does not name.
  const rest = fc.record({
    session: fc.record({
      id: fc.string(),
      run: fc.option(fc.string()),
      operations: fc.nat(),
      rows: fc.nat(),
      bytes: fc.nat(),
      denials: fc.nat(),
    }),
    time: fc.constantFrom('2026-01-01T00:00:00Z', '2027-02-02T11:11:11Z'),
    fingerprint: fc.string(),
    normalized: fc.string(),
    parameters: fc.array(fc.option(fc.string()), { maxLength: 3 }),
    extra: fc.jsonValue({ maxDepth: 1 }),
  });
  type Input = { principal: object; resource: object; operation: Facts };
  const join2 = (read: Input, { session, time, fingerprint, normalized, parameters, extra }: Facts): object => ({
    ...read,
    session,
    time,
    operation: { ...read.operation, fingerprint, normalized, parameters },
    extra,
  });

  it('P2: inputs that agree on the manifest’s paths are judged alike by the policy itself, whatever else they say', () => {
    const decisions = new Set<string>();
    fc.assert(
      fc.property(input, rest, rest, (read, one, other) => {
        const verdict = engine.evaluate('sallyport/verdict', join2(read, one)) as { decision: string };
        decisions.add(verdict.decision);
        expect(engine.evaluate('sallyport/verdict', join2(read, other))).toEqual(verdict);
      }),
      { numRuns: 400 },
    );
    expect([...decisions].sort()).toEqual(['allow', 'deny', 'hold']);
  });

  it('P2: a verdict from the cache is the one that the policy gives to the whole input', () => {
    const port = verdicts(engine, { revision: 'r', inputPaths: bundle.manifest.inputPaths['sallyport/verdict'], cacheMaxEntries: 50 });
    const uncached = (whole: object): Verdict => verdicts(engine, { revision: 'r', inputPaths: [''] }).decide(whole as PolicyInput);
    fc.assert(
      fc.property(input, rest, (read, other) => {
        const whole = freezeDeep(join2(read, other));
        const { cacheKey: _, ...expected } = uncached(whole);
        expect(port.decide(whole as PolicyInput)).toMatchObject(expected);
        expect(port.decide(whole as PolicyInput)).toMatchObject(expected);
      }),
      { numRuns: 300 },
    );
    expect(port.cache.hits).toBeGreaterThanOrEqual(300);
  });

  it('P2: no path of the manifest can be left out unseen: an input that lacks it is judged, and never allowed more', () => {
    const order = ['deny', 'hold', 'allow'];
    fc.assert(
      fc.property(input, fc.constantFrom(...bundle.manifest.inputPaths['sallyport/verdict']), (read, pointer) => {
        const whole = join2(read, { parameters: [] }) as Record<string, Facts>;
        const before = (engine.evaluate('sallyport/verdict', whole) as { decision: string }).decision;
        const [top, below] = pointer.split('/').slice(1) as [string, string | undefined];
        const without = { ...whole, [top]: { ...whole[top] } };
        if (below === undefined) delete without[top];
        else delete without[top]?.[below];
        const after = (engine.evaluate('sallyport/verdict', without) as { decision: string }).decision;
        expect(order.indexOf(after)).toBeLessThanOrEqual(order.indexOf(before));
      }),
      { numRuns: 300 },
    );
  });
});
