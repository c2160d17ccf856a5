import { EdgeHarness, eventually } from '../testing/harness.js';
import { bind, errors, execute, extended, parse, query, rows, short, sync, type WireClient } from '../testing/wire-client.js';

let harness: EdgeHarness;
let agent: WireClient;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: 'CREATE TABLE stock (id int PRIMARY KEY, qty int)',
    grants: `
grants:
  - name: agents write
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write.insert ]
    hold: [ postgres.write.update ]
    approval: { groups: [dba], count: 1, window: 10m }
    credential: writer
`,
    limits: { spoolMaxBytes: 2 << 20, spoolReserveBytes: 1 << 20 },
  });
  agent = await harness.wire();
});
afterAll(() => harness?.stop());

/** Reads until the log takes no more of them. */
async function fill(): Promise<void> {
  harness.outage.bus = true;
  const padding = `/* ${'x'.repeat(30_000)} */`;
  for (let i = 0; i < 200; i++) {
    if (short(await agent.ask(query(`SELECT ${i} ${padding}`))) === 'E:53100 ZI') break;
  }
  for (let i = 0; i < 2000; i++) if (short(await agent.ask(query(`SELECT ${i}`))) === 'E:53100 ZI') return;
  throw new Error('the log never got full');
}

it('P1: what the full log can not take is refused and not run; it goes on by itself when there is room', async () => {
  await fill();
  const refused = [
    await agent.ask(query('INSERT INTO stock VALUES (1, 1)')),
    await agent.ask(extended('INSERT INTO stock VALUES (2, 2)'), sync()),
    await agent.ask(query('SELECT * FROM stock')),
    // The server would have refused these too: nobody knows that they were asked, so they are not judged either.
    await agent.ask(query('DELETE FROM stock WHERE id = 1')),
    await agent.ask(parse('', 'UPDATE stock SET qty = 1 WHERE id = 1'), bind('', ''), execute(''), sync()),
  ];
  expect(refused.map((answers) => short(answers).replace(/^[12 ]+/, ''))).toEqual(Array(5).fill('E:53100 ZI'));
  expect(errors(refused[0]!)[0]).toContain('so it was not run');
  expect(await harness.count('stock')).toBe(0);

  // In a transaction it fails it, as any error does: half a change is never committed.
  agent.send(query('BEGIN'), query('COMMIT'));
  expect(short(await agent.until('Z', 2))).toBe('E:53100 ZI E:53100 ZI');

  // No new session, and the edge says that it isn't ready.
  expect(harness.edge.notReady()).toHaveLength(1);
  const other = await harness.wire();
  expect(short(other.answers)).toMatch(/E:(57P03|53100)$/);

  harness.outage.bus = false;
  await eventually(async () => harness.edge.notReady().length === 0);
  expect(short(await agent.ask(query('INSERT INTO stock VALUES (3, 3)')))).toBe('C ZI');
  expect(rows(await agent.ask(query('SELECT id FROM stock')))).toEqual([['3']]);
});

it('S7: the chain has no gap where something was refused, and the session closes', async () => {
  const session = await harness.newestSession();
  agent.close();
  const records = await harness.closedSession(session);
  expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, i) => i));
  const submitted = records.filter(({ type }) => type === 'operation.submitted').length;
  expect(records.filter(({ type }) => type === 'operation.completed')).toHaveLength(submitted);
});
