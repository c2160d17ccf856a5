import { TOPICS } from '@sallyport/bus';
import { EdgeHarness } from '../testing/harness.js';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.the-agents-own-token.signature';

let harness: EdgeHarness;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: 'CREATE TABLE stock (id int); INSERT INTO stock VALUES (1)',
    grants: `
grants:
  - name: agents read
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session ]
    credential: writer
`,
    principals: { [TOKEN]: { subject: 'crew', run: 'night' } },
  });
});

afterAll(async () => harness.stop());

/** All that the edge has written or told. */
async function written(): Promise<string> {
  const ends = await harness.bus.ends(TOPICS.sessions);
  const records = await Promise.all(ends.map(({ partition, first }) => harness.bus.read(TOPICS.sessions, partition, first, 10_000)));
  return [...records.flat().map(({ value }) => value.toString()), ...harness.troubles].join('\n');
}

describe('the agent’s token', () => {
  it('P3: goes to the vendor with the run, and into no record, log or error', async () => {
    const agent = await harness.agent({ password: TOKEN });
    expect((await agent.query('SELECT id FROM stock')).rows).toEqual([{ id: 1 }]);
    await agent.end();
    await harness.closedSession(harness.vendor.asked.at(-1)!.session);
    expect(harness.vendor.asked.at(-1)).toMatchObject({ token: TOKEN, run: 'night', subject: 'crew' });
    expect(await written()).not.toContain('the-agents-own-token');
  });

  it('P3: not even when the vendor fails', async () => {
    const before = harness.vendor.before;
    harness.vendor.before = () => Promise.reject(Object.assign(new Error('no credential'), { code: 'LEASE_TOKEN' }));
    const error: unknown = await harness.agent({ password: TOKEN }).catch((e: unknown) => e);
    harness.vendor.before = before;
    expect(error).toMatchObject({ code: '57P03' });
    expect(harness.troubles.join()).toContain('no credential could be had');
    expect(`${await written()}${JSON.stringify(error)}`).not.toContain('the-agents-own-token');
  });

  it('P4: the session ends with its credential by this clock, whatever the vendor’s says', async () => {
    harness.vendor.clockOffMs = -3_600_000;
    const agent = await harness.agent({ password: TOKEN });
    expect((await agent.query('SELECT id FROM stock')).rows).toEqual([{ id: 1 }]);
    await agent.end();
  });
});
