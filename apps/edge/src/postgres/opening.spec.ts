import { setTimeout as sleep } from 'node:timers/promises';
import { EdgeHarness } from '../testing/harness.js';

const GRANTS = `
grants:
  - name: agents work
    who: { subjects: [agent] }
    on: { names: [shop] }
    allow: ['*']
    credential: worker
`;

let edge: EdgeHarness;
afterEach(() => edge.stop());

const start = async (limits: Parameters<typeof EdgeHarness.start>[0]['limits']): Promise<void> => {
  edge = await EdgeHarness.start({
    grants: GRANTS,
    tables: 'CREATE TABLE items (id int)',
    profiles: { worker: ['SELECT ON ALL TABLES IN SCHEMA public'] },
    ...(limits ? { limits } : {}),
  });
};

const roles = async (): Promise<number | null> =>
  (await edge.server.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'sallyport%'")).rowCount;

it('P1: a session whose credential can no longer be put on record is refused as that, and the credential is dropped', async () => {
  await start({ busMaxLagMs: 200 });
  edge.outage.bus = true;
  // Meanwhile the bus falls too far behind for a strict resource.
  edge.vendor.before = () => sleep(600);
  await expect(edge.agent()).rejects.toMatchObject({ code: '53100', severity: 'FATAL' });
  edge.outage.bus = false;
  edge.vendor.before = async () => {};
  for (let n = 0; (await roles()) !== 0; n++) {
    expect(n).toBeLessThan(100);
    await sleep(100);
  }
});

it('P9: whoever has signed in in time is not hung up on while the edge waits for others', async () => {
  await start({ signInTimeoutMs: 500 });
  edge.vendor.before = () => sleep(1500);
  const agent = await edge.agent();
  expect((await agent.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await agent.end();
});
