import { EdgeHarness } from '../testing/harness.js';
import { errors, query, rows } from '../testing/wire-client.js';

let harness: EdgeHarness;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: 'CREATE TABLE stock (id int PRIMARY KEY, qty int)',
    grants: `
grants:
  - name: agents read
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session ]
    credential: writer
`,
    limits: { idleTimeoutMs: 400 },
  });
});
afterAll(() => harness?.stop());

describe('P9: limits.idleTimeout', () => {
  it('ends a session in which nothing is said, as PostgreSQL does, and says why in the record', async () => {
    const agent = await harness.wire();
    expect(rows(await agent.ask(query('SELECT 1')))).toEqual([['1']]);
    const words = await agent.rest();
    expect(errors(words)[0]).toContain('57P05');
    const closed = await harness.record(({ type }) => type === 'session.closed');
    expect(closed.data).toMatchObject({ reason: 'limit', detail: 'limits.idleTimeout' });
  });

  it('leaves alone what runs for longer', async () => {
    const agent = await harness.wire();
    expect(rows(await agent.ask(query('SELECT 2 FROM pg_sleep(1)')))).toEqual([['2']]);
    agent.close();
  });
});
