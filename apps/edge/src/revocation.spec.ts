import { randomUUID } from 'node:crypto';
import { type BusRecord, type OutgoingRecord, TOPICS } from '@sallyport/bus';
import { controlEvent, type ControlEvents, generateSigningKey, type SigningKey } from '@sallyport/events';
import { signRecord } from '@sallyport/trust';
import type { Edge } from './index.js';
import { EdgeHarness, eventually } from './testing/harness.js';
import { query, rows, short, WireClient } from './testing/wire-client.js';

let harness: EdgeHarness;
const edges: Edge[] = [];
const agents: WireClient[] = [];

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: 'CREATE TABLE stock (id int PRIMARY KEY, qty int); INSERT INTO stock VALUES (1, 1)',
    grants: `
grants:
  - name: agents ask before they update
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session ]
    hold: [ postgres.write.update ]
    approval: { groups: [dba], count: 1, window: 10m }
    credential: writer
`,
    limits: { revocationSkewMs: 1000 },
    // Each test has principals of its own; a token is as new as its use, or as old as it says.
    principals: new Proxy<Record<string, object>>(
      {},
      { get: (_, token) => ({ subject: String(token).split(' ')[0], issuedAtMs: Date.now() + Number(String(token).split(' ')[1] ?? 0) }) },
    ),
  });
});
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.close();
  for (const edge of edges.splice(0)) await edge.close();
});
afterAll(() => harness?.stop());

async function other(): Promise<Edge> {
  const edge = await harness.other();
  edges.push(edge);
  return edge;
}

/** `SUBJECT`, or `SUBJECT MS` with a token that was issued so much later than now. */
async function as(password: string, edge: Edge = harness.edge): Promise<WireClient> {
  const port = Number(edge.listeners['postgres']!.split(':')[1]);
  const agent = await WireClient.connect({ port, parameters: { user: 'me', database: 'shop' }, password });
  agents.push(agent);
  return agent;
}

const alive = async (agent: WireClient): Promise<void> => expect(rows(await agent.ask(query('SELECT 1')))).toEqual([['1']]);

/** Revokes, and returns the event's id. */
async function revoke(subject: string): Promise<string> {
  await harness.control('principal.revoked', { subject, by: 'olga', reason: 'test' });
  return (await last('principal.revoked')).event.id;
}

interface Said<Data = unknown> {
  readonly record: BusRecord;
  readonly event: { readonly id: string; readonly source: string; readonly data: Data };
}

/** Everything of a type that is on the topic, whoever wrote it. */
async function said<Type extends keyof ControlEvents>(type: Type): Promise<readonly Said<ControlEvents[Type]>[]> {
  const records = await harness.controlRecords();
  return records
    .filter(({ value }) => value.includes(`"type":"${type}"`))
    .map((record) => ({ record, event: JSON.parse(record.value.toString()) as Said<ControlEvents[Type]>['event'] }));
}

const last = async (type: keyof ControlEvents): Promise<Said> => (await said(type)).at(-1)!;

async function confirmations(revocation: string): Promise<readonly (readonly [edge: string, sessions: number])[]> {
  const all = await said('revocation.applied');
  return all.filter(({ event }) => event.data.revocation === revocation).map(({ event }) => [event.source, event.data.sessions] as const);
}
const confirmedBy = (revocation: string, edge: string): Promise<number> =>
  eventually(async () => (await confirmations(revocation)).find(([source]) => source === `/${edge}`)?.[1]);

describe('a revocation', () => {
  it('P10: ends the sessions of every edge, and each edge confirms it when their end is on record', async () => {
    const second = await other();
    const [one, two, three] = [await as('p1'), await as('p1', second), await as('p1', second)];
    const bystander = await as('p2', second);
    const id = await revoke('p1');
    for (const agent of [one, two, three]) expect(short(await agent.rest())).toBe('E:57P01');
    expect([await confirmedBy(id, 'edge/test'), await confirmedBy(id, 'edge/other')]).toEqual([1, 2]);
    const ends = async () => (await harness.records()).filter(({ type, data }) => type === 'session.closed' && data.reason === 'revoked');
    // On record is in the spool; it is on the bus soon after.
    await eventually(async () => (await ends()).length === 3);
    await alive(bystander);
  });

  it('P10: a session that is revoked is confirmed too, also by the edge that never had it', async () => {
    await other();
    const agent = await as('p3');
    await alive(agent);
    await harness.control('session.revoked', { session: await harness.newestSession(), by: 'olga', reason: 'test' });
    await agent.rest();
    const { id } = (await last('session.revoked')).event;
    expect([await confirmedBy(id, 'edge/test'), await confirmedBy(id, 'edge/other')]).toEqual([1, 0]);
  });

  it('P10: an edge that was stopped has not confirmed; at its return it refuses, and confirms, once', async () => {
    await (await other()).close();
    const id = await revoke('p4');
    await confirmedBy(id, 'edge/test');
    expect(await confirmations(id)).toEqual([['/edge/test', 0]]);
    const back = await other();
    expect(short((await as('p4 -60000', back)).answers)).toBe('R E:28P01');
    expect(await confirmedBy(id, 'edge/other')).toBe(0);
    await back.close();
    await (await other()).close();
    expect(await confirmations(id)).toHaveLength(2);
  });

  it('P10: it is confirmed late rather than not at all while the bus takes nothing', async () => {
    const agent = await as('p5');
    harness.outage.bus = true;
    const id = await revoke('p5');
    expect(short(await agent.rest())).toBe('E:57P01');
    expect(await confirmations(id)).toEqual([]);
    harness.outage.bus = false;
    expect(await confirmedBy(id, 'edge/test')).toBe(1);
  });

  it('P9 P10: a token opens nothing until it is younger than the revocation by the limit', async () => {
    await confirmedBy(await revoke('p6'), 'edge/test');
    expect(short((await as('p6 500')).answers)).toBe('R E:28P01');
    await alive(await as('p6 5000'));
  });
});

describe('a hostile producer with the control topic to itself', () => {
  const produce = (...records: OutgoingRecord[]): Promise<unknown> => harness.bus.produce(TOPICS.control, records);
  const copyOf = ({ key, value, headers }: BusRecord): OutgoingRecord => ({ key, value, headers });
  function forged<Type extends keyof ControlEvents>(
    type: Type,
    data: ControlEvents[Type],
    source: string,
    key?: SigningKey,
  ): OutgoingRecord {
    const { bytes } = controlEvent({ id: randomUUID(), source, subject: 'x' }, type, data, Date.now());
    const record = { key: 'test', value: bytes };
    return key ? signRecord(key, TOPICS.control, record) : record;
  }
  /** Everything that was written before it was heard. */
  async function heard(): Promise<void> {
    await confirmedBy(await revoke(`nobody-${randomUUID()}`), 'edge/test');
  }

  it('P10: revokes nobody, and keeps nobody’s revocation from being heard', async () => {
    const agent = await as('h1');
    const data = { subject: 'h1', by: 'mallory', reason: 'x' };
    const before = harness.troubles.length;
    await produce(
      forged('principal.revoked', data, '/console/test'),
      forged('principal.revoked', data, '/console/test', generateSigningKey('console/test')),
      forged('principal.revoked', data, '/edge/other', harness.keys['edge/other']),
      forged('principal.revoked', data, '/console/test', harness.keys['edge/other']),
      { key: null, value: Buffer.from('not json') },
      signRecord(harness.keys['console/test'], TOPICS.control, { key: 'test', value: Buffer.from('not json') }),
      signRecord(harness.keys['console/test'], TOPICS.sessions, forged('principal.revoked', data, '/console/test')),
    );
    await produce(...Array.from({ length: 500 }, () => forged('principal.revoked', data, '/console/test')));
    await heard();
    await alive(agent);
    const figures = await harness.edge.metrics.registry.getSingleMetricAsString('sallyport_distrusted_records_total');
    expect(figures).toContain('{topic="sallyport.control.v1",reason="unsigned"} 502');
    expect(figures).toContain('reason="unknown-key"} 1');
    expect(figures).toContain('reason="not-its-business"} 2');
    expect(figures).toContain('reason="bad-signature"} 1');
    expect(figures).toContain('reason="unreadable"} 1');
    expect(harness.troubles.length - before).toBeLessThanOrEqual(5);
    await revoke('h1');
    expect(short(await agent.rest())).toBe('E:57P01');
  });

  it('P10: an old revocation that is written again, or made another’s, ends nobody who was let in since', async () => {
    const id = await revoke('h2');
    await confirmedBy(id, 'edge/test');
    const { record } = await last('principal.revoked');
    const [agent, bystander] = [await as('h2 5000'), await as('h3')];
    const altered = Buffer.from(record.value.toString().replaceAll('h2', 'h3'));
    await produce(copyOf(record), { ...copyOf(record), value: altered }, { ...copyOf(record), key: 'other' });
    await heard();
    await alive(agent);
    await alive(bystander);
    expect(await confirmations(id)).toHaveLength(1);
  });

  it('P10: approves nothing, with or without a key that is not the decision service’s, nor by an old approval', async () => {
    const agent = await as('h4');
    agent.send(query('UPDATE stock SET qty = qty + 1 WHERE id = 1'));
    const first = await harness.record(({ type }) => type === 'approval.requested');
    const given = (asked: typeof first): ControlEvents['approval.given'] => ({
      hold: asked.data.hold,
      hash: asked.data.hash,
      session: asked.sessionid,
      by: { subject: 'dana', issuer: 'test', groups: ['dba'] },
      rules: [],
      revision: asked.data.revision,
    });
    await harness.answer('given');
    await agent.until('Z');
    const quantity = async (): Promise<number> => (await harness.server.query<{ qty: number }>('SELECT qty FROM stock')).rows[0]!.qty;
    expect(await quantity()).toBe(2);
    const { record: old } = await last('approval.given');

    agent.send(query('UPDATE stock SET qty = qty + 1 WHERE id = 1'));
    const second = await harness.record(({ type, data }) => type === 'approval.requested' && data.hold !== first.data.hold);
    await produce(
      forged('approval.given', given(second), '/decision/test'),
      forged('approval.given', given(second), '/decision/test', generateSigningKey('decision/test')),
      forged('approval.given', given(second), '/edge/other', harness.keys['edge/other']),
      forged('approval.given', given(second), '/console/test', harness.keys['console/test']),
      copyOf(old),
      { ...copyOf(old), value: Buffer.from(old.value.toString().replaceAll(first.data.hold as string, second.data.hold as string)) },
    );
    await heard();
    expect(await quantity()).toBe(2);
    await harness.answer('given');
    expect(short(await agent.until('Z'))).toBe('C ZI');
    expect(await quantity()).toBe(3);
  });

  it('P10: confirms nothing for an edge: what others say in its name keeps it from saying so itself', async () => {
    await (await other()).close();
    const id = await revoke('h5');
    await produce(
      forged('revocation.applied', { revocation: id, sessions: 0 }, '/edge/other'),
      forged('revocation.applied', { revocation: id, sessions: 0 }, '/edge/other', harness.keys['edge/test']),
      forged('revocation.applied', { revocation: id, sessions: 0 }, '/edge/test', harness.keys['edge/test']),
    );
    const forgedBefore = (await confirmations(id)).length;
    await other();
    await eventually(async () => (await confirmations(id)).length > forgedBefore);
    expect((await confirmations(id)).at(-1)).toEqual(['/edge/other', 0]);
  });
});
