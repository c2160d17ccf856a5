import { EdgeHarness } from '../testing/harness.js';
import { bind, describePortal, everything, execute, extended, parse, query, rows, short, sync } from '../testing/wire-client.js';

let harness: EdgeHarness;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: `
      CREATE TABLE customers (id int PRIMARY KEY, name text, email text, card text);
      INSERT INTO customers SELECT i, 'n' || i, 'secret' || i || '@example.com', '4111-' || i FROM generate_series(1, 50) i;`,
    grants: `
grants:
  - name: agents read
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session ]
    credential: writer
    mask: [ { column: public.customers.email, with: redact }, { column: public.customers.card, with: hash } ]
`,
  });
});
afterAll(() => harness?.stop());

describe('masked reads', () => {
  it('P5: simple query', async () => {
    const wire = await harness.wire();
    const answers = await wire.ask(query('SELECT id, email AS x FROM customers WHERE id < 3 ORDER BY id'));
    expect(rows(answers)).toEqual([
      ['1', '[redacted]'],
      ['2', '[redacted]'],
    ]);
    expect(everything(answers)).not.toContain('secret');
    wire.close();
  });

  it('P5: Execute without Describe', async () => {
    const wire = await harness.wire();
    const answers = await wire.ask(extended('SELECT email FROM customers WHERE id = $1', ['1']), sync());
    expect(short(answers)).toBe('1 2 D C ZI');
    expect(rows(answers)).toEqual([['[redacted]']]);
    wire.close();
  });
});
void [bind, describePortal, execute, parse];
