import { testPostgres, type TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { MaskingError, MaskPlanner, planAt, rowMasker, type StringPlan } from '@sallyport/masking';
import { loadParser, parseSql } from '@sallyport/operation';
import type { MaskRule } from '@sallyport/verdict';
import { Client } from 'pg';

import { PostgresMaskCatalog } from './index.js';

const EMAIL: MaskRule[] = [{ column: 'public.customers.email', with: 'redact' }];

let server: TestPostgres;
let url: string;
let nowMs = 0;
const open: PostgresMaskCatalog[] = [];

beforeAll(async () => {
  await loadParser();
  server = await testPostgres({ database: 'shop' });
  await server.query(`
    CREATE TABLE customers (id int PRIMARY KEY, email text, name text);
    CREATE TABLE orders (id int PRIMARY KEY, customer_id int, note text);
    CREATE TYPE mood AS ENUM ('fine');
    CREATE TABLE moods (mood mood);
    CREATE ROLE agent LOGIN PASSWORD 'agent';
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO agent`);
  url = `postgres://agent:agent@${server.host}:${server.port}/shop`;
});

afterEach(async () => {
  for (const catalog of open.splice(0)) await catalog.close();
});
afterAll(async () => {
  await server?.stop();
});

function planner(): MaskPlanner & { readonly catalog: PostgresMaskCatalog } {
  const catalog = new PostgresMaskCatalog({ client: { connectionString: url }, nowMs: () => nowMs });
  open.push(catalog);
  return Object.assign(new MaskPlanner({ catalog }), { catalog });
}

const ask = (
  to: MaskPlanner,
  text: string,
  masks = EMAIL,
  more: { parameterTypes?: number[]; searchPath?: string } = {},
): Promise<StringPlan> => to.plan({ sql: parseSql(text), masks, searchPath: '"$user", public', ...more });

describe('PostgresMaskCatalog', () => {
  it('asks nothing of the target when there are no masks', async () => {
    const catalog = new PostgresMaskCatalog({ client: { host: '127.0.0.1', port: 1 } });
    const mask = new MaskPlanner({ catalog });
    expect(
      planAt(mask.cached({ sql: parseSql('SELECT upper(email) FROM customers'), masks: [], searchPath: '' }) as StringPlan, 0).kind,
    ).toBe('clear');
  });

  it('answers a known statement at once, until the catalog is no longer fresh', async () => {
    const mask = planner();
    const request = { sql: parseSql('SELECT email FROM customers'), masks: EMAIL, searchPath: 'public' };
    expect(mask.cached(request)).toBeUndefined();
    const plan = await mask.plan(request);
    expect(planAt(plan, 0).kind).toBe('plain');
    expect(mask.cached(request)).toBe(plan);
    nowMs += 10_000;
    expect(mask.cached(request)).toBeUndefined();
    expect(await mask.plan(request)).toBe(plan);
  });

  it('P5: notices that another session renamed the masked column, and refuses while the rule names nothing', async () => {
    const mask = planner();
    expect((await ask(mask, 'SELECT id FROM customers')).refused).toBeUndefined();
    await server.query('ALTER TABLE customers RENAME COLUMN email TO mail', [], 'shop');
    nowMs += 10_000;
    expect((await ask(mask, 'SELECT mail FROM customers')).refused?.reason).toContain('no such column');
    expect((await ask(mask, 'SELECT id FROM orders')).refused?.column).toBe('public.customers.email');
    expect((await ask(mask, 'SELECT 1')).refused).toBeUndefined();
    await server.query('ALTER TABLE customers RENAME COLUMN mail TO email', [], 'shop');
    mask.catalog.invalidate();
    expect((await ask(mask, 'SELECT id FROM orders')).refused).toBeUndefined();
  });

  it('P5: notices that a view was replaced by one that leaks', async () => {
    const mask = planner();
    await server.query('CREATE VIEW v AS SELECT name AS x FROM customers', [], 'shop');
    expect((await ask(mask, 'SELECT x FROM v')).refused).toBeUndefined();
    await server.query('CREATE OR REPLACE VIEW v AS SELECT lower(email) AS x FROM customers', [], 'shop');
    nowMs += 10_000;
    expect((await ask(mask, 'SELECT x FROM v')).refused?.reason).toContain('in the view public.v');
  });

  it('P5: refuses a mask that names no table, or nothing at all', async () => {
    const mask = planner();
    for (const column of ['public.clients.email', 'email', 'public.customers.email.x', '']) {
      const plan = await ask(mask, 'SELECT id FROM orders', [{ column, with: 'redact' }]);
      expect(plan.refused?.reason).toMatch(/could be on any other|does not name a column/);
    }
  });

  it('analyses parameters as the server types them, declared, inferred, and more than a function could take', async () => {
    const mask = planner();
    expect(planAt(await ask(mask, 'SELECT email FROM customers WHERE id = $1 AND name LIKE $2'), 0).kind).toBe('plain');
    expect(planAt(await ask(mask, 'SELECT $1, $2', EMAIL, { parameterTypes: [23, 0] }), 0).kind).toBe('clear');
    expect((await ask(mask, 'SELECT mood FROM moods WHERE mood = $1')).refused).toBeUndefined();
    const list = Array.from({ length: 300 }, (_, i) => `$${i + 1}`).join(', ');
    expect(planAt(await ask(mask, `SELECT email FROM customers WHERE id IN (${list})`), 0).kind).toBe('plain');
    expect((await ask(mask, 'SELECT id FROM customers WHERE email = $1')).refused?.column).toBe('public.customers.email');
  });

  it('P5: refuses what the side connection can not resolve: temporary and uncommitted objects', async () => {
    const plan = await ask(planner(), 'SELECT * FROM only_mine');
    expect(plan.refused?.reason).toContain('42P01: relation "only_mine" does not exist');
    expect((await ask(planner(), `SELECT 'quoted'::int FROM orders`)).refused?.reason).not.toContain('quoted');
  });

  it('P5: refuses when the role may not create the temporary function', async () => {
    await server.query('REVOKE TEMP ON DATABASE shop FROM PUBLIC', [], 'shop');
    try {
      expect((await ask(planner(), 'SELECT name FROM customers')).refused?.reason).toContain('42501');
    } finally {
      await server.query('GRANT TEMP ON DATABASE shop TO PUBLIC', [], 'shop');
    }
  });

  it('P5: a wrong search_path can not turn the masked table into another one', async () => {
    await server.query(
      'CREATE SCHEMA shadow; CREATE TABLE shadow.customers (id int, email text); GRANT USAGE ON SCHEMA shadow TO agent',
      [],
      'shop',
    );
    const plan = await ask(planner(), `SELECT email || '' FROM customers`, EMAIL, { searchPath: 'shadow' });
    expect(plan.refused?.hint).toContain('schema');
    expect((await ask(planner(), `SELECT email || '' FROM shadow.customers`, EMAIL, { searchPath: 'shadow' })).refused).toBeUndefined();
  });

  it('P5: a result that is not the one that was analysed is not delivered', async () => {
    const plan = planAt(await ask(planner(), 'SELECT name FROM customers'), 0);
    if (plan.kind === 'refuse') throw new Error(plan.reason);
    const field = { name: 'name', tableOid: 0, attribute: 0, typeOid: 25, format: 0 as const };
    expect(() => rowMasker(plan, [field])).toThrow(expect.objectContaining({ code: 'MASK_RESULT_MISMATCH' }) as Error);
  });

  it('P5: a temporary view made before the mask came does not outlive it', async () => {
    const mask = planner();
    await ask(mask, 'SELECT 1', []);
    expect((await ask(mask, 'SELECT note FROM orders')).refused).toBeUndefined();
    await ask(mask, 'CREATE TEMP VIEW orders AS SELECT id, id AS customer_id, email AS note FROM customers', []);
    expect((await ask(mask, 'SELECT upper(note) FROM orders')).refused?.reason).toContain('made objects before');
    const early = planner();
    expect((await ask(early, 'CREATE TABLE t (id int)')).refused).toBeUndefined();
    expect((await ask(early, 'SELECT note FROM orders')).refused).toBeUndefined();
  });

  it('P5: a prepared statement is judged again under the masks of its EXECUTE', async () => {
    const mask = planner();
    const other: MaskRule[] = [{ column: 'public.orders.note', with: 'redact' }];
    expect((await ask(mask, 'PREPARE p AS SELECT lower(email) FROM customers', other)).refused).toBeUndefined();
    expect((await ask(mask, 'EXECUTE p', other)).refused).toBeUndefined();
    expect((await ask(mask, 'EXECUTE p')).refused?.reason).toContain('public.customers.email');
    expect((await ask(mask, 'PREPARE p AS SELECT name FROM customers')).refused).toBeUndefined();
    expect((await ask(mask, 'EXECUTE p')).refused).toBeDefined();
    await ask(mask, 'PREPARE unseen AS SELECT lower(email) FROM customers', []);
    expect((await ask(mask, 'EXECUTE unseen')).refused?.reason).toContain('nothing is known');
  });

  it('P9: remembers a limited number of named statements, and of plans', async () => {
    const catalog = new PostgresMaskCatalog({ client: { connectionString: url } });
    open.push(catalog);
    const mask = new MaskPlanner({ catalog, limits: { maxNamedStatements: 2, maxPlans: 1 } });
    const prepared = [];
    for (const name of ['a', 'b', 'a', 'c'])
      prepared.push((await ask(mask, `PREPARE ${name} AS SELECT name FROM customers`)).refused?.hint);
    expect(prepared).toEqual([undefined, undefined, undefined, 'Open a new session.']);
    for (const text of ['SELECT name FROM customers', 'SELECT id FROM customers']) await ask(mask, text);
    const known = (text: string) => mask.cached({ sql: parseSql(text), masks: EMAIL, searchPath: '"$user", public' });
    expect([known('SELECT name FROM customers'), known('SELECT id FROM customers')?.refused]).toEqual([undefined, undefined]);
    expect(known('SELECT id FROM customers')).toBeDefined();
  });

  it('runs what the edge knows by name, and refuses names that lead in a circle', async () => {
    const catalog = new PostgresMaskCatalog({ client: { connectionString: url } });
    open.push(catalog);
    const texts: Record<string, string> = {
      fine: 'SELECT email FROM customers WHERE id = $1',
      bad: 'SELECT lower(email) FROM customers',
      circle: 'EXECUTE circle',
    };
    const lookup = (_kind: string, name: string) => (texts[name] ? [{ text: texts[name], parameterTypes: [] }] : []);
    const mask = new MaskPlanner({ catalog, lookup });
    expect(planAt(await ask(mask, 'EXECUTE fine(1)'), 0).kind).toBe('plain');
    expect((await ask(mask, 'FETCH ALL FROM bad')).refused).toBeDefined();
    expect((await ask(mask, 'EXECUTE circle')).refused?.reason).toContain('too deeply');
  });

  it('leaves nothing behind on the server', async () => {
    await ask(planner(), 'SELECT email FROM customers WHERE id = $1 AND name = $2 -- rows');
    const found = await server.query(`SELECT 1 FROM pg_proc WHERE proname = 'sallyport_probe'`, [], 'shop');
    expect(found.rowCount).toBe(0);
  });

  it('P2: rejects when the target is away, and asks again when it is back', async () => {
    const mask = planner();
    await ask(mask, 'SELECT name FROM customers');
    const admin = new Client({ connectionString: server.url() });
    await admin.connect();
    await admin.query(`ALTER ROLE agent NOLOGIN`);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sallyport-catalog'`);
    const away = await ask(mask, 'SELECT name, id FROM customers').catch((error: unknown) => error);
    expect(away).toBeInstanceOf(MaskingError);
    expect(away).toMatchObject({ code: 'MASK_CATALOG_AWAY' });
    await admin.query(`ALTER ROLE agent LOGIN`);
    await admin.end();
    expect((await ask(mask, 'SELECT name, id FROM customers')).refused).toBeUndefined();
  });

  it('P9: refuses one question more than may wait', async () => {
    const catalog = new PostgresMaskCatalog({ client: { connectionString: url }, limits: { maxPending: 2 } });
    open.push(catalog);
    const answers = await Promise.allSettled([1, 2, 3].map(() => catalog.relations([1259])));
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});
