import { encodeFunctionCall } from '@sallyport/wire-postgres';
import { EdgeHarness } from '../testing/harness.js';
import {
  type Answer,
  bind,
  closePortal,
  copyData,
  copyDone,
  describePortal,
  describeStatement,
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
let native: WireClient;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: `
      CREATE TABLE stock (id int PRIMARY KEY, qty int);
      CREATE TABLE kept (id int PRIMARY KEY);`,
    grants: `
grants:
  - name: agents write, but delete nothing
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write.insert, postgres.write.update, postgres.write.copy ]
    credential: writer
`,
  });
});
afterAll(() => harness?.stop());
beforeEach(async () => {
  await harness.server.query('DELETE FROM stock; DELETE FROM kept; INSERT INTO kept VALUES (1), (2); INSERT INTO stock VALUES (1, 1)');
  agent = await harness.wire();
  native = await harness.native();
});
afterEach(() => {
  agent.close();
  native.close();
});

const DENIED = 'DELETE FROM kept WHERE id > 0';
/** Where the agent is refused, a server without a gate finds an error of its own. */
const WRONG = 'DELETE FROM no_such_table WHERE id > 0';
const fn = encodeFunctionCall({ kind: 'functionCall', functionOid: 1, argumentFormats: [], arguments: [], resultFormat: 0 });

/** The same conversation with the edge and with the server itself. Only the SQLSTATE of the refusal may differ. */
async function compare(talk: (sql: string) => readonly Buffer[], replies = 1): Promise<string> {
  agent.send(...talk(DENIED));
  native.send(...talk(WRONG));
  const ours = short(await agent.until('Z', replies));
  const theirs = short(await native.until('Z', replies));
  expect(ours.replaceAll('E:42501', 'E')).toBe(theirs.replaceAll('E:42P01', 'E'));
  expect(await harness.count('kept')).toBe(2);
  // And the connections are usable in the same way.
  const after = [await agent.ask(query('SELECT 1')), await native.ask(query('SELECT 1'))].map((answers) => short(answers));
  expect(after[0]).toBe(after[1]);
  return ours;
}

describe('P8: a refusal leaves connection and transaction as an error of the server would, and nothing has happened', () => {
  it('Query', async () => {
    expect(await compare((sql) => [query(sql)])).toBe('E:42501 ZI');
  });

  it('in a string of several statements: none of them runs', async () => {
    // The server itself answers the first ones before it finds the error; the string is refused as a whole.
    expect(short(await agent.ask(query(`SELECT 1; INSERT INTO stock VALUES (5, 5); ${DENIED}; SELECT 2`)))).toBe('E:42501 ZI');
    expect(await harness.count('stock')).toBe(1);
    expect(await harness.count('kept')).toBe(2);
  });

  it('Query in a transaction', async () => {
    expect(await compare((sql) => [query('BEGIN'), query(sql), query('INSERT INTO stock VALUES (9, 9)'), query('COMMIT')], 4)).toBe(
      'C ZT E:42501 ZE E:25P02 ZE C ZI',
    );
    expect(await harness.count('stock')).toBe(1);
  });

  it('after a savepoint, which can be gone back to', async () => {
    await compare(
      (sql) => [query('BEGIN'), query('SAVEPOINT a'), query(sql), query('ROLLBACK TO a'), query('SELECT 1'), query('COMMIT')],
      6,
    );
  });

  it('in a transaction that has failed already', async () => {
    // It says what is wrong with the statement and not that the transaction has failed; the state is the same.
    agent.send(query('BEGIN'), query('SELECT 1/0'), query(DENIED), query('ROLLBACK'));
    expect(short(await agent.until('Z', 4))).toBe('C ZT E:22012 ZE E:42501 ZE C ZI');
    expect(await harness.count('kept')).toBe(2);
  });

  it('Query before and after others, all sent at once', async () => {
    await compare((sql) => [query('SELECT 1'), query(sql), query('SELECT 2'), query(sql), query('SELECT 3')], 5);
  });

  it('Parse', async () => {
    expect(await compare((sql) => [parse('', sql), bind('', ''), describePortal(''), execute(''), sync()])).toBe('E:42501 ZI');
  });

  it('Parse of a named statement, described', async () => {
    await compare((sql) => [parse('s', sql), describeStatement('s'), flush(), sync()]);
  });

  it('in a pipeline: what came before is rolled back with it, what comes after the Sync runs', async () => {
    expect(
      await compare(
        (sql) => [
          extended('INSERT INTO stock VALUES (7, 7)'),
          extended(sql),
          extended('INSERT INTO stock VALUES (8, 8)'),
          sync(),
          extended('SELECT 5'),
          sync(),
        ],
        2,
      ),
    ).toBe('1 2 C E:42501 ZI 1 2 D C ZI');
    expect(await harness.count('stock')).toBe(1);
  });

  it('in a pipeline within a transaction', async () => {
    await compare((sql) => [extended('BEGIN'), extended(sql), sync(), extended('SELECT 1'), sync(), extended('ROLLBACK'), sync()], 3);
  });

  it('Query in the middle of a segment that has failed is ignored with the rest', async () => {
    await compare((sql) => [parse('', sql), query('INSERT INTO stock VALUES (3, 3)'), parse('t', 'SELECT 1'), sync()]);
    expect(await harness.count('stock')).toBe(1);
  });

  it('while another portal is open', async () => {
    const talk = (sql: string): Buffer[] => [
      query('BEGIN'),
      parse('g', 'SELECT generate_series(1, 10)'),
      bind('g', 'g'),
      execute('g', 3),
      extended(sql),
      execute('g', 3),
      sync(),
      query('ROLLBACK'),
    ];
    await compare(talk, 3);
  });

  it('Bind of a name that nobody prepared', async () => {
    await compare(() => [bind('', 'nobody'), execute(''), sync()]);
  });

  it('Execute of a portal that nobody bound', async () => {
    agent.send(execute('nobody'), sync());
    native.send(execute('nobody'), sync());
    expect(short(await agent.until('Z'))).toBe(short(await native.until('Z')));
  });

  it('Close of what was never there', async () => {
    await compare(() => [closePortal('nobody'), sync()]);
  });

  it('FunctionCall is refused whatever it calls, the connection intact', async () => {
    agent.send(fn, query('SELECT 1'));
    expect(short(await agent.until('Z', 2))).toBe('E:42501 ZI T D C ZI');
    agent.send(query('BEGIN'), fn, query('SELECT 1'), query('ROLLBACK'));
    expect(short(await agent.until('Z', 4))).toBe('C ZT E:42501 ZE E:25P02 ZE C ZI');
  });

  it('in the middle of copy data the server ends the connection, as it does for any other message there', async () => {
    const talk = async (wire: WireClient, sql: string): Promise<readonly Answer[]> => {
      wire.send(query('COPY stock FROM STDIN'));
      await wire.until('G');
      wire.send(copyData('77\t1\n'), query(sql));
      return wire.rest();
    };
    expect(short(await talk(agent, DENIED))).toBe(short(await talk(native, WRONG)));
    expect([await harness.count('kept'), await harness.count('stock')]).toEqual([2, 1]);
  });

  it('COPY of what is denied gets no data', async () => {
    agent.send(query('COPY (DELETE FROM kept WHERE id > 0 RETURNING id) TO STDOUT'), copyData('1\n'), copyDone(), query('SELECT 1'));
    expect(short(await agent.until('Z', 2))).toBe('E:42501 ZI T D C ZI');
    expect(await harness.count('kept')).toBe(2);
  });

  it('SQL PREPARE of what is denied leaves no name behind', async () => {
    const answers = await agent.ask(query(`PREPARE p AS ${DENIED}`));
    expect(short(answers)).toBe('E:42501 ZI');
    expect(short(await agent.ask(query('EXECUTE p')))).toBe('E:42501 ZI');
    expect(short(await agent.ask(bind('', 'p'), execute(''), sync()))).toBe('E:26000 ZI');
    expect(await harness.count('kept')).toBe(2);
  });

  it('SQL EXECUTE is judged by what it runs, in the same string too', async () => {
    await agent.ask(parse('d', 'DELETE FROM stock WHERE id = 99'), sync());
    expect(short(await agent.ask(query(`PREPARE p AS ${DENIED}; EXECUTE p`)))).toBe('E:42501 ZI');
    await agent.ask(query('PREPARE q(int) AS INSERT INTO stock VALUES ($1, 1)'));
    expect(short(await agent.ask(query('EXECUTE q(50)')))).toBe('C ZI');
    const run = await harness.record(({ type, data }) => type === 'operation.submitted' && String(data.text).startsWith('EXECUTE q'));
    expect(run.data.class).toBe('postgres.write.insert');
    expect(await harness.count('kept')).toBe(2);
  });

  it('a name prepared in a transaction that rolled back is still there, at the edge as at the server', async () => {
    await agent.ask(query('BEGIN'));
    await agent.ask(query('PREPARE r AS SELECT 11'));
    await agent.ask(query('ROLLBACK'));
    expect(rows(await agent.ask(query('EXECUTE r')))).toEqual([['11']]);
    expect(rows(await agent.ask(bind('', 'r'), execute(''), sync()))).toEqual([['11']]);
  });
});

describe('P2', () => {
  it('a message of an unknown type ends the session, and nothing behind it is done', async () => {
    agent.send(Buffer.from([0x7a, 0, 0, 0, 4]), query('INSERT INTO stock VALUES (66, 6)'));
    expect(short(await agent.rest())).toBe('E:08P01');
    expect(await harness.count('stock')).toBe(1);
  });

  it('settings that decide how statements are read stay as they are, even with rules off', async () => {
    await harness.publish(`
grants:
  - { name: all, who: { groups: [agents] }, on: { names: [shop] }, allow: ["*"], rules: off, credential: writer }
`);
    for (const sql of [
      'SET standard_conforming_strings = off',
      "SELECT set_config('standard_conforming_strings', 'off', false)",
      "SET LOCAL client_encoding = 'LATIN1'",
      "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET NAMES 'SJIS'",
    ]) {
      agent.send(query(sql), query("SELECT '\\'' , 1 --'"));
      expect(short(await agent.until('Z', 2))).toBe('E:42501 ZI T D C ZI');
    }
    await agent.ask(query('SET standard_conforming_strings = on'));
    expect(short(await agent.ask(query("SET client_encoding = 'UTF8'")))).toBe('C ZI');
  });
});
