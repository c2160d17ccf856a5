import { encodeStartupPacket } from '@sallyport/wire-postgres';
import { connect } from 'node:net';
import { EdgeHarness, eventually, type SessionRecord } from '../testing/harness.js';
import { bind, errors, execute, parse, query, rows, short, sync, terminate, type WireClient } from '../testing/wire-client.js';

const grants = (change = ''): string => `
grants:
  - name: agents ask before they update
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write.insert ]
    hold: [ postgres.write.update ]
    approval: { groups: [dba], count: 1, window: ${change || '10m'} }
    credential: writer
`;

let harness: EdgeHarness;
let agent: WireClient;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: 'CREATE TABLE stock (id int PRIMARY KEY, qty int); INSERT INTO stock VALUES (1, 1)',
    grants: grants(),
    limits: { maxHoldsPerPrincipal: 2 },
  });
});
afterAll(() => harness?.stop());
beforeEach(async () => {
  await harness.publish(grants());
  await harness.server.query('UPDATE stock SET qty = 1');
  askedBefore = (await asked()).length;
  agent = await harness.wire();
});
afterEach(() => agent.close());

const UPDATE = 'UPDATE stock SET qty = 2 WHERE id = 1';
const quantity = async (): Promise<number> => (await harness.server.query<{ qty: number }>('SELECT qty FROM stock')).rows[0]!.qty;
/** The session of this test, once it has a hold on record. */
let askedBefore: number;
const asked = async (): Promise<SessionRecord[]> => (await harness.records()).filter(({ type }) => type === 'approval.requested');
const held = (): Promise<string> => eventually(async () => (await asked())[askedBefore]?.sessionid);
const cancel = (): void => {
  const socket = connect({ host: '127.0.0.1', port: harness.port });
  socket.end(encodeStartupPacket({ kind: 'cancelRequest', processId: agent.processId, secret: agent.secret }));
};
const outcomes = async (session: string): Promise<unknown[]> =>
  (await harness.closedSession(session)).flatMap(({ type, data }) =>
    type === 'approval.applied' || type === 'operation.completed' ? [`${data.operation} ${data.outcome}`] : [],
  );

describe.each([
  ['Query', [query(UPDATE)], 'C ZI'],
  ['Bind', [parse('', UPDATE), bind('', ''), execute(''), sync()], '1 2 C ZI'],
])('a hold at %s', (_, frames, granted) => {
  const refused = granted.startsWith('1') ? '1 E:42501 ZI' : 'E:42501 ZI';

  it('S5: runs when it is granted, once', async () => {
    agent.send(...frames);
    const session = await held();
    expect(await quantity()).toBe(1);
    await harness.answer('given');
    expect(short(await agent.until('Z'))).toBe(granted);
    expect(await quantity()).toBe(2);
    await harness.answer('given');
    agent.send(query('SELECT 1'), terminate());
    expect(await outcomes(session)).toEqual(['1 granted', '1 ok', '2 ok']);
  });

  it('does not run when it is denied', async () => {
    agent.send(...frames);
    const session = await held();
    await harness.answer('refused');
    const answers = await agent.until('Z');
    expect(short(answers)).toBe(refused);
    expect(errors(answers)[0]).toContain('dana');
    expect(await quantity()).toBe(1);
    agent.close();
    expect(await outcomes(session)).toEqual(['1 denied', '1 refused']);
  });

  it('is cancelled by a CancelRequest, as a statement would be', async () => {
    agent.send(...frames);
    await held();
    cancel();
    expect(short(await agent.until('Z'))).toBe(refused.replace('42501', '57014'));
    await harness.answer('given');
    expect(short(await agent.ask(query('SELECT 1')))).toBe('T D C ZI');
    expect(await quantity()).toBe(1);
  });

  it.each(['leaves', 'leaves in the middle of a frame'])('is cancelled when the agent %s', async (how) => {
    agent.send(...frames);
    const session = await held();
    if (how !== 'leaves') agent.send(Buffer.from('Q\0\0'));
    agent.close();
    expect(await outcomes(session)).toEqual(['1 cancelled', '1 refused']);
    await harness.answer('given');
    expect(await quantity()).toBe(1);
  });

  it('S4: does not run when another policy rules by the time it is granted', async () => {
    agent.send(...frames);
    await held();
    await harness.publish(grants());
    await harness.answer('given');
    const answers = await agent.until('Z');
    expect(short(answers)).toBe(refused);
    expect(await quantity()).toBe(1);
  });

  it('S6: the session ends with the approval’s window', async () => {
    await harness.publish(grants('1s'));
    agent.send(...frames);
    const session = await held();
    await harness.answer('given');
    expect(short(await agent.until('Z'))).toBe(granted);
    expect(short(await agent.rest())).toBe('E:57P01');
    const records = await harness.closedSession(session);
    expect(records.at(-1)!.data.reason).toBe('expired');
  });

  it('what is sent ahead waits behind it, and answers come in order', async () => {
    agent.send(...frames, query('SELECT qty FROM stock'));
    await held();
    await harness.answer('given');
    const answers = await agent.until('Z', 2);
    expect(short(answers)).toBe(`${granted} T D C ZI`);
    expect(rows(answers)).toEqual([['2']]);
  });
});

it('S5: a portal that was approved and never executed is told to its end', async () => {
  agent.send(parse('', UPDATE), bind('', ''), sync());
  const session = await held();
  await harness.answer('given');
  expect(short(await agent.until('Z'))).toBe('1 2 ZI');
  agent.close();
  expect(await outcomes(session)).toEqual(['1 granted', '1 cancelled']);
  expect(await quantity()).toBe(1);
});

it('S4: an approved portal that another policy finds before its Execute is judged by that one', async () => {
  await agent.ask(query('BEGIN'));
  agent.send(parse('s', UPDATE), bind('p', 's'), sync());
  await held();
  await harness.answer('given');
  expect(short(await agent.until('Z'))).toBe('1 2 ZT');
  await harness.publish(
    grants()
      .replace('hold: [ postgres.write.update ]', '')
      .replace(/approval.*/, ''),
  );
  expect(short(await agent.ask(execute('p'), sync()))).toBe('E:42501 ZE');
  expect(await quantity()).toBe(1);
});

it('P9: one principal can’t have everything wait', async () => {
  const others = [await harness.wire(), await harness.wire()];
  for (const other of others) other.send(query(UPDATE));
  await eventually(async () => (await asked()).length >= askedBefore + 2);
  const answers = await agent.ask(query(UPDATE));
  expect(errors(answers)[0]).toContain('limits.maxHoldsPerPrincipal');
  for (const other of others) other.close();
});

it('a Terminate behind a hold is not heard before it, and the end of the connection is', async () => {
  agent.send(query(UPDATE), terminate());
  const session = await held();
  agent.socket.end();
  expect(await outcomes(session)).toEqual(['1 cancelled', '1 refused']);
  expect(await quantity()).toBe(1);
});
