import { EdgeHarness } from '../testing/harness.js';
import { bind, errors, everything, execute, extended, parse, query, rows, short, sync, type WireClient } from '../testing/wire-client.js';

const grants = (mask?: string): string => `
grants:
  - name: agents read
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write, postgres.ddl.create, "*" ]
    credential: writer
    ${mask === undefined ? '' : `mask: [ { column: public.customers.email, with: ${mask} } ]`}
`;

let harness: EdgeHarness;
let agent: WireClient;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: `
      CREATE TABLE customers (id int PRIMARY KEY, email text);
      INSERT INTO customers VALUES (1, 'secret1@example.com');
      CREATE TABLE notes (id int PRIMARY KEY, email text);
      INSERT INTO notes VALUES (1, 'a note');`,
    grants: grants(),
  });
});
afterAll(() => harness?.stop());
beforeEach(async () => {
  await harness.publish(grants());
  agent = await harness.wire();
});
afterEach(() => agent.close());

describe('P5: a session that was shown what is masked now', () => {
  const kept: readonly (readonly [string, string, string])[] = [
    [
      'a temporary table in the place of another',
      'CREATE TEMP TABLE notes AS SELECT id, email FROM customers',
      'SELECT upper(email) FROM notes',
    ],
    ['a view of its own', 'CREATE TEMP VIEW notes AS SELECT id, email FROM customers', 'SELECT upper(email) FROM notes'],
    ['a prepared name', 'PREPARE p AS SELECT email FROM customers', 'EXECUTE p'],
    ['a setting', "SELECT set_config('my.own', (SELECT email FROM customers), false)", "SELECT current_setting('my.own')"],
    ['nothing but the sight of it', 'SELECT email FROM customers', 'SELECT email FROM customers'],
  ];

  it.each(kept)('ends, whether it kept it as %s', async (_, keep, show) => {
    expect(errors(await agent.ask(query(keep)))).toEqual([]);
    await harness.publish(grants('redact'));
    const after = await agent.ask(query(show));
    expect(agent.ended).toBe(true);
    expect(short(after)).toBe('E:57P01');
    expect(errors(after)[0]).toContain('connect again');
    expect(everything(after)).not.toContain('secret');
  });

  it('ends at a Bind, and at the next piece of a cursor', async () => {
    agent.send(query('BEGIN'), query('DECLARE c CURSOR FOR SELECT email FROM customers'));
    expect(short(await agent.until('Z', 2))).toBe('C ZT C ZT');
    await harness.publish(grants('redact'));
    expect(short(await agent.ask(extended('FETCH ALL FROM c'), sync()))).toBe('E:57P01');
    expect(agent.ended).toBe(true);
  });

  it('is told on record what ended it', async () => {
    await agent.ask(query('SELECT email FROM customers'));
    const session = await harness.newestSession();
    await harness.publish(grants('redact'));
    await agent.ask(query('SELECT email FROM customers'));
    const events = await harness.closedSession(session);
    expect(events.filter(({ type }) => type === 'operation.completed').map(({ data }) => data.outcome)).toEqual(['ok', 'refused']);
    expect(events.at(-1)!.data).toMatchObject({ reason: 'refused', detail: expect.stringContaining('the policy changed') as string });
  });

  it('is shown it masked when it connects again', async () => {
    await agent.ask(query('SELECT email FROM customers'));
    await harness.publish(grants('redact'));
    const again = await harness.wire();
    expect(rows(await again.ask(query('SELECT email FROM customers')))).toEqual([['[redacted]']]);
    again.close();
  });

  it('does not end at a statement that was only prepared, and judges that anew', async () => {
    await agent.ask(parse('s', 'SELECT email FROM customers'), sync());
    await harness.publish(grants('redact'));
    expect(rows(await agent.ask(bind('', 's'), execute(''), sync()))).toEqual([['[redacted]']]);
  });
});

describe('a session that goes on under another revision', () => {
  it('P5: keeps its masks', async () => {
    await harness.publish(grants('redact'));
    expect(rows(await agent.ask(query('SELECT email FROM customers')))).toEqual([['[redacted]']]);
    await harness.publish(grants('redact'));
    expect(rows(await agent.ask(query('SELECT email FROM customers')))).toEqual([['[redacted]']]);
  });

  it('loses those that are lifted', async () => {
    await harness.publish(grants('redact'));
    await agent.ask(query('SELECT email FROM customers'));
    await harness.publish(grants());
    expect(rows(await agent.ask(query('SELECT email FROM customers')))).toEqual([['secret1@example.com']]);
  });
});
