import { EdgeHarness, eventually } from '../testing/harness.js';
import {
  bind,
  copyData,
  copyDone,
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
let wire: WireClient;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: `
      CREATE TABLE customers (id int PRIMARY KEY, name text, email text);
      INSERT INTO customers SELECT i, 'n' || i, 'secret' || i || '@example.com' FROM generate_series(1, 50) i;
      CREATE TABLE stock (id int PRIMARY KEY, qty int);
      INSERT INTO stock SELECT i, i FROM generate_series(1, 20) i;
      CREATE SCHEMA harmless;
      CREATE TABLE harmless.customers (id int PRIMARY KEY, name text, email text);
      GRANT USAGE ON SCHEMA harmless TO PUBLIC;
      GRANT SELECT ON harmless.customers TO PUBLIC;`,
    grants: `
grants:
  - name: agents read and insert, others agree to updates
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write.insert, postgres.write.copy ]
    hold: [ postgres.write.update ]
    approval: { groups: [dba], count: 1, window: 10m }
    credential: writer
    mask: [ { column: public.customers.email, with: redact } ]
`,
  });
});
afterAll(() => harness?.stop());
beforeEach(async () => {
  wire = await harness.wire();
});
afterEach(() => wire.close());

const UPDATE = 'UPDATE stock SET qty = -1 WHERE id = 1';
const quantity = async (id = 1): Promise<number | undefined> =>
  (await harness.server.query<{ qty: number }>(`SELECT qty FROM stock WHERE id = ${id}`)).rows[0]?.qty;

const holdsSoFar = async (): Promise<number> => (await harness.records()).filter(({ type }) => type === 'approval.requested').length;
const refuseNewHold = async (before: number): Promise<void> => {
  await eventually(async () => (await holdsSoFar()) > before);
  await harness.answer('refused');
};

describe('what a pipeline may hide', () => {
  it('P2: an unnamed statement that is prepared again behind an error is still the old one', async () => {
    await wire.ask(parse('', UPDATE), sync());
    wire.send(parse('x', 'selec'), parse('', 'SELECT 1'), sync(), bind('', ''), execute(''), sync());
    await refuseNewHold(0);
    expect(short(await wire.until('Z', 2))).toBe('E:42501 ZI E:42501 ZI');
    expect(await quantity()).toBe(1);
  });

  it('P2: a name that is taken keeps its old statement, whatever a pipeline says', async () => {
    await wire.ask(parse('s', UPDATE), sync());
    wire.send(parse('s', 'INSERT INTO stock VALUES (200, 1)'), sync(), bind('', 's'), execute(''), sync());
    expect(short(await wire.until('Z', 2))).toBe('E:42P05 ZI E:42501 ZI');
    expect(await quantity()).toBe(1);
  });

  it('P2: in one segment a statement that was prepared anew is the one that is bound', async () => {
    await wire.ask(parse('', 'SELECT 1'), sync());
    const answers = await wire.ask(extended('SELECT 2'), extended('SELECT 3'), extended('SELECT 4'), sync());
    expect(rows(answers)).toEqual([['2'], ['3'], ['4']]);
  });

  it.each(['at once', 'after CopyInResponse'])('P5: a Sync behind broken copy data, sent %s, does not shift the answers', async (when) => {
    wire.send(query('COPY stock FROM STDIN'));
    if (when !== 'at once') await wire.until('G');
    wire.send(copyData('nonsense\n'), sync(), query('SELECT 1'), query('SELECT email FROM customers LIMIT 1'), query('SELECT 2'));
    const answers = await wire.until('Z', 4);
    expect(short(answers).replace('G ', '')).toBe('E:22P02 ZI T D C ZI T D C ZI T D C ZI');
    expect(rows(answers)).toEqual([['1'], ['[redacted]'], ['2']]);
  });

  it('P8: a Sync and a Flush among good copy data change nothing', async () => {
    wire.send(query('COPY stock FROM STDIN'), copyData('300\t1\n'), sync(), flush(), copyData('301\t1\n'), copyDone(), query('SELECT 1'));
    expect(short(await wire.until('Z', 2))).toBe('G C ZI T D C ZI');
    expect(await quantity(301)).toBe(1);
  });

  it('P8: two COPY in one string, all data sent ahead', async () => {
    wire.send(
      query('COPY stock FROM STDIN; COPY stock FROM STDIN'),
      copyData('310\t1\n'),
      copyDone(),
      copyData('311\t1\n'),
      copyDone(),
      query('SELECT 1'),
    );
    expect(short(await wire.until('Z', 2))).toBe('G C G C ZI T D C ZI');
    expect([await quantity(310), await quantity(311)]).toEqual([1, 1]);
  });

  it('P5: a portal is masked as what it meant when it was bound', async () => {
    await wire.ask(query('BEGIN'));
    await wire.ask(parse('s', 'SELECT email FROM customers WHERE id = 1'), bind('p', 's'), sync());
    await wire.ask(query('SET search_path = harmless'));
    expect(rows(await wire.ask(execute('p'), sync()))).toEqual([['[redacted]']]);
  });

  it('P5: a cursor that SQL puts in the place of a portal is judged and masked as what it is', async () => {
    await wire.ask(query('BEGIN'));
    const first = await wire.ask(parse('s', 'SELECT id, name FROM customers'), bind('p', 's'), execute('p', 1), sync());
    expect(short(first)).toBe('1 2 D s ZT');
    await wire.ask(query('CLOSE p'));
    await wire.ask(query('DECLARE p CURSOR FOR SELECT id, email FROM public.customers ORDER BY id'));
    const answers = await wire.ask(execute('p', 2), sync());
    expect(everything(answers)).not.toContain('secret');
    expect(rows(answers)).toEqual([
      ['1', '[redacted]'],
      ['2', '[redacted]'],
    ]);
  });

  it('P1: a write that SQL fetches from a portal is on record as a write', async () => {
    await wire.ask(query('BEGIN'));
    await wire.ask(parse('s', 'INSERT INTO stock VALUES (100, 1) RETURNING *'), bind('p', 's'), sync());
    expect(rows(await wire.ask(query('FETCH ALL FROM p')))).toEqual([['100', '1']]);
    await wire.ask(query('COMMIT'));
    const fetched = await harness.record(({ type, data }) => type === 'operation.submitted' && data.text === 'FETCH ALL FROM p');
    expect(fetched.data.class).toBe('postgres.write.insert');
  });

  it('P2: an update that waits for approval is not fetched from its portal without one', async () => {
    await wire.ask(query('BEGIN'));
    const before = await holdsSoFar();
    wire.send(parse('s', `${UPDATE} RETURNING *`), bind('p', 's'), sync(), query('FETCH ALL FROM p'));
    await refuseNewHold(before);
    const answers = await wire.until('Z', 2);
    expect(short(answers)).toBe('1 E:42501 ZE E:42501 ZE');
    expect(await quantity()).toBe(1);
  });

  it('P8: answers stay in step when an error comes while a write waits for its record', async () => {
    await wire.ask(parse('ins', 'INSERT INTO stock VALUES (101, 1)'), sync());
    for (let i = 0; i < 10; i++) {
      expect(short(await wire.ask(parse(`x${i}`, 'SELECT nope'), bind('', 'ins'), execute(''), sync()))).toBe('E:42703 ZI');
      expect(rows(await wire.ask(extended('SELECT 7'), sync()))).toEqual([['7']]);
    }
    expect(await quantity(101)).toBeUndefined();
  });

  it('P8: a portal of a later segment outlives the ReadyForQuery of an earlier one', async () => {
    await wire.ask(parse('s', 'SELECT 5'), sync());
    for (const name of ['', 'p2']) {
      wire.send(bind('p1', 's'), execute('p1'), sync(), bind(name, 's'));
      await wire.until('Z');
      expect(short(await wire.ask(execute(name), sync()))).toBe('2 D C ZI');
    }
  });

  it('P8: DEALLOCATE ALL drops what was there before it, DISCARD PLANS nothing', async () => {
    await wire.ask(query('DEALLOCATE ALL; PREPARE a AS SELECT 1'));
    expect(rows(await wire.ask(query('EXECUTE a')))).toEqual([['1']]);
    expect(short(await wire.ask(bind('', 'a'), execute(''), sync()))).toBe('2 D C ZI');
    await wire.ask(query('DISCARD PLANS'));
    expect(rows(await wire.ask(query('EXECUTE a')))).toEqual([['1']]);
    await wire.ask(query('DISCARD ALL'));
    expect(short(await wire.ask(bind('', 'a'), execute(''), sync()))).toBe('E:26000 ZI');
  });
});
