import { EdgeHarness } from '../testing/harness.js';
import { bind, execute, extended, parse, query, short, sync, type WireClient } from '../testing/wire-client.js';

let harness: EdgeHarness;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: 'CREATE TABLE stock (id int, qty int)',
    grants: `
grants:
  - name: agents work
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write ]
    credential: writer
`,
  });
});
afterAll(() => harness?.stop());

const INSERT = 'INSERT INTO stock VALUES (1, 1)';
const ways: readonly (readonly [string, (agent: WireClient) => Promise<unknown>])[] = [
  ['a simple query', (agent) => agent.ask(query(INSERT))],
  ['a write in the extended protocol', (agent) => agent.ask(extended(INSERT), sync())],
  ['a read in the extended protocol', (agent) => agent.ask(extended('SELECT * FROM stock'), sync())],
  ['a portal that is executed twice', (agent) => agent.ask(parse('s', INSERT), bind('p', 's'), execute('p'), execute('p'), sync())],
];

describe.each(ways)('P2: policy that has no answer to one question of %s', (_, ask) => {
  it.each([1, 2, 3, 4, 5])('leaves no operation without its end on record: question %i', async (question) => {
    const agent = await harness.wire();
    const session = await harness.newestSession();
    harness.outage.decisionsUntil = question;
    await ask(agent);
    harness.outage.decisionsUntil = 0;
    expect(short(await agent.ask(query('SELECT 1')))).toBe('T D C ZI');
    agent.close();
    const records = await harness.closedSession(session);
    const of = (type: string): Set<number> =>
      new Set(records.filter((record) => record.type === type).map(({ data }) => data.operation as number));
    expect(of('operation.completed')).toEqual(of('operation.submitted'));
  });
});
