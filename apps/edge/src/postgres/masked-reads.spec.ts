import { EdgeHarness } from '../testing/harness.js';
import {
  type Answer,
  bind,
  closePortal,
  describePortal,
  describeStatement,
  errors,
  everything,
  execute,
  extended,
  flush,
  parse,
  query,
  rows,
  short,
  sync,
  type WireClient,
} from '../testing/wire-client.js';

let harness: EdgeHarness;
let agent: WireClient;

const grants = (mask: string): string => `
grants:
  - name: agents read
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write, postgres.ddl.create ]
    credential: writer
    mask: [ ${mask} ]
`;
const MASK = grants('{ column: public.customers.email, with: redact }, { column: public.customers.born, with: "null" }');

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: `
      CREATE TABLE customers (id int PRIMARY KEY, name text, email text, born date);
      INSERT INTO customers SELECT i, 'n' || i, 'secret' || i || '@example.com', '1980-01-01' FROM generate_series(1, 200) i;
      CREATE TABLE notes (id int PRIMARY KEY, email text CHECK (email NOT LIKE 'secret%'));
      CREATE TABLE "Größe" (id int, email text);
      INSERT INTO "Größe" VALUES (1, 'secret-size');`,
    grants: MASK,
  });
});
afterAll(() => harness?.stop());
beforeEach(async () => {
  await harness.publish(MASK);
  agent = await harness.wire();
});
afterEach(() => {
  expect(everything(agent.answers)).not.toContain('secret');
  agent.close();
});

const EMAIL = 'SELECT id, email FROM customers WHERE id < 4 ORDER BY id';
const MASKED = [1, 2, 3].map((id) => [`${id}`, '[redacted]']);

describe('P5: a masked column comes back masked', () => {
  const ways: readonly (readonly [string, readonly Buffer[], string])[] = [
    ['Query', [query(EMAIL)], 'T D D D C ZI'],
    ['Query of several statements', [query(`SELECT 0 WHERE false; ${EMAIL}; SELECT 0 WHERE false`)], 'T C T D D D C T C ZI'],
    ['extended without Describe', [extended(EMAIL), sync()], '1 2 D D D C ZI'],
    ['extended with Describe of the portal', [parse('', EMAIL), bind('', ''), describePortal(''), execute(''), sync()], '1 2 T D D D C ZI'],
    [
      'extended with Describe of the statement',
      [parse('s', EMAIL), describeStatement('s'), bind('', 's'), execute(''), sync()],
      '1 t T 2 D D D C ZI',
    ],
    [
      'pieces of a portal',
      [parse('', EMAIL), bind('', ''), execute('', 1), flush(), execute('', 1), execute('', 0), sync()],
      '1 2 D s D s D C ZI',
    ],
    [
      'SQL cursor',
      [query('BEGIN'), query(`DECLARE c CURSOR FOR ${EMAIL}`), query('FETCH 2 FROM c'), query('FETCH ALL FROM c'), query('COMMIT')],
      'C ZT C ZT T D D C ZT T D C ZT C ZI',
    ],
    [
      'SQL cursor, executed as a portal',
      [query('BEGIN'), query(`DECLARE c CURSOR FOR ${EMAIL}`), execute('c', 2), sync(), execute('c'), sync(), query('COMMIT')],
      'C ZT C ZT D D s ZT D C ZT C ZI',
    ],
    ['SQL PREPARE and EXECUTE', [query(`PREPARE p AS ${EMAIL}`), query('EXECUTE p')], 'C ZI T D D D C ZI'],
    ['SQL EXECUTE of a protocol statement', [parse('s', EMAIL), sync(), query('EXECUTE s')], '1 ZI T D D D C ZI'],
    ['protocol Bind of a SQL statement', [query(`PREPARE p AS ${EMAIL}`), bind('', 'p'), execute(''), sync()], 'C ZI 2 D D D C ZI'],
    [
      'RETURNING',
      [query('BEGIN'), query('UPDATE customers SET id = id WHERE id < 4 RETURNING id, email'), query('ROLLBACK')],
      'C ZT T D D D C ZT C ZI',
    ],
  ];

  it.each(ways)('%s', async (_, frames, expected) => {
    agent.send(...frames);
    const replies = expected.match(/Z/g)!.length;
    const answers = await agent.until('Z', replies);
    expect(short(answers)).toBe(expected);
    expect(new Set(rows(answers).map(String))).toEqual(new Set(MASKED.map(String)));
  });

  it('in binary', async () => {
    const answers = await agent.ask(extended('SELECT email, born FROM customers WHERE id = 1', [], 1), sync());
    expect(rows(answers)).toEqual([['[redacted]', null]]);
  });

  it('pipelined with what is not masked, each with its own', async () => {
    const frames = [1, 2, 3, 4].flatMap((id) => [
      extended(`SELECT name FROM customers WHERE id = ${id}`),
      extended(`SELECT email FROM customers WHERE id = ${id}`),
    ]);
    const answers = await agent.ask(...frames, sync());
    expect(rows(answers).map(([value]) => value)).toEqual(['n1', '[redacted]', 'n2', '[redacted]', 'n3', '[redacted]', 'n4', '[redacted]']);
  });

  it('by node-postgres, with and without a name', async () => {
    const client = await harness.agent();
    for (const name of [undefined, 'named', 'named']) {
      const { rows } = await client.query({
        text: 'SELECT email AS x, id FROM customers WHERE id = $1',
        values: [5],
        ...(name ? { name } : {}),
      });
      expect(rows).toEqual([{ x: '[redacted]', id: 5 }]);
    }
    await client.end();
  });

  it('and is counted in the record', async () => {
    await agent.ask(query(EMAIL));
    const session = await harness.newestSession();
    agent.close();
    const completed = (await harness.closedSession(session)).find(({ type }) => type === 'operation.completed');
    expect(completed!.data).toMatchObject({ rows: 3, masked: { 'public.customers.email': 3 } });
    expect(JSON.stringify(await harness.closedSession(session))).not.toContain('secret');
  });
});

describe('P5: nothing quotes a masked value', () => {
  const quiet = async (...frames: Buffer[]): Promise<readonly Answer[]> => {
    const answers = await agent.ask(...frames);
    expect(everything(answers)).not.toContain('secret');
    return answers;
  };

  it.each([
    ['cast', 'SELECT email::int FROM customers'],
    ['check', 'INSERT INTO notes SELECT id, email FROM customers'],
    ['copy', 'COPY customers TO STDOUT'],
    ['expression', 'SELECT upper(email) FROM customers'],
    ['whole row', 'SELECT customers FROM customers'],
  ])('error or refusal of a %s', async (_, sql) => {
    expect(errors(await quiet(query(sql)))).toHaveLength(1);
    expect(errors(await quiet(extended(sql), sync()))).toHaveLength(1);
  });

  it('what can’t be masked is refused at Bind already, before planning could run anything', async () => {
    const answers = await quiet(parse('', 'SELECT upper(email) FROM customers'), bind('', ''), sync());
    expect(short(answers)).toBe('1 E:42501 ZI');
  });

  it('what another policy masks by the time of its Execute is not delivered as it was bound', async () => {
    await harness.publish(grants('{ column: public.notes.email, with: redact }'));
    await agent.ask(query('BEGIN'));
    await agent.ask(parse('s', 'SELECT upper(email) FROM customers'), bind('p', 's'), bind('q', 's'), sync());
    await harness.publish(MASK);
    expect(short(await quiet(execute('p'), sync()))).toBe('E:42501 ZE');
  });

  it('nor the rest of a portal that was begun before', async () => {
    await harness.publish(grants('{ column: public.notes.email, with: redact }'));
    await agent.ask(query('BEGIN'));
    await agent.ask(parse('s', "SELECT replace(email, 'secret', '') FROM customers"), bind('p', 's'), execute('p', 1), sync());
    await harness.publish(MASK);
    expect(short(await quiet(execute('p', 1), closePortal('p'), sync()))).toBe('E:42501 ZE');
  });
});

describe('a statement is read as the server reads it', () => {
  it.each([
    ['UTF8', 'SELECT email FROM "Größe"', 'utf8', /^E:42501|^T/],
    ['LATIN1', 'SELECT email FROM "Größe"', 'latin1', /^E:42501/],
    ['LATIN1', 'SELECT email FROM "Größe"', 'utf8', /^E:42501/],
    ['UTF8', "SELECT 'ß'", 'latin1', /^E:22021/],
    ['EUC_JP', "SELECT '\u008e'", 'latin1', /^E:42501/],
    ['SQL_ASCII', "SELECT 'ß'", 'utf8', /^T/],
  ] as const)('client_encoding %s: %s sent as %s', async (encoding, sql, sentAs, expected) => {
    await harness.publish(grants('{ column: "public.Größe.email", with: redact }'));
    const other = await harness.wire({ parameters: { user: 'me', database: 'shop', client_encoding: encoding } });
    const answers = await other.ask(query(Buffer.from(sql, sentAs)));
    expect(short(answers)).toMatch(expected);
    expect(everything(answers)).not.toContain('secret');
    expect(short(await other.ask(query('SELECT 1')))).toBe('T D C ZI');
    // Back to UTF-8 it may be, but what was sent ahead of the answer would have been read before it.
    if (encoding === 'LATIN1') {
      other.send(query("SET client_encoding = 'UTF8'"), query("SELECT 'ß'"));
      expect(short(await other.until('Z', 2))).toBe('C ZI E:42501 ZI');
    }
    other.close();
  });
});
