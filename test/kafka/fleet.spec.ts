import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kafkaInstalled } from '@sallyport/adapter-kafka/testing';
import { Client, type DatabaseError } from 'pg';
import { type Fleet, startFleet } from '../harness/fleet.mjs';
import { postgresResource, startTarget, type Target } from '../harness/index.mjs';

const TABLES = `
  CREATE TABLE customers (id int PRIMARY KEY, name text, email text);
  INSERT INTO customers VALUES (1, 'Ada', 'ada@example.com'), (2, 'Bram', 'bram@example.com');
  CREATE TABLE stock (id int PRIMARY KEY, quantity int);
  INSERT INTO stock VALUES (1, 10);`;

const GRANTS = [
  {
    name: 'analysts read',
    who: { subjects: ['analyst'] },
    on: { names: ['shop'] },
    allow: ['postgres.read', 'postgres.session'],
    credential: 'reader',
    mask: [{ column: 'public.customers.email', with: 'redact' }],
  },
  {
    name: 'the crew asks first',
    who: { subjects: ['crew'] },
    on: { names: ['shop'] },
    allow: ['postgres.read', 'postgres.session'],
    hold: ['postgres.write'],
    approval: { groups: ['dba'], count: 1, window: '5m' },
    credential: 'writer',
  },
];

const PRINCIPALS = [
  { subject: 'analyst', kind: 'workload', groups: [] },
  { subject: 'crew', kind: 'workload', groups: [] },
  { subject: 'dana', kind: 'person', groups: ['dba'] },
] as const;

// The main job with every service a process of its own, on a real Kafka; two of each that holds nothing alone.
(kafkaInstalled() ? describe : describe.skip)('sallyport as many processes on Kafka', () => {
  let target: Target;
  let fleet: Fleet;
  const clients: Client[] = [];

  beforeAll(async () => {
    target = await startTarget({ database: 'shop' });
    await target.query(TABLES);
    fleet = await startFleet({
      resources: [
        postgresResource({
          name: 'shop',
          target,
          database: 'shop',
          adminEnv: 'SHOP_ADMIN_URL',
          profiles: {
            reader: ['SELECT ON ALL TABLES IN SCHEMA public'],
            writer: ['SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public'],
          },
          audit: { mode: 'strict', durability: 'replicated', record: 'full' },
        }),
      ],
      grants: GRANTS,
      principals: PRINCIPALS,
      replicas: { edge: 2, decision: 2, vendor: 2, projector: 2 },
      env: { SHOP_ADMIN_URL: target.url() },
    });
    await fleet.start();
  }, 240_000);
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    await fleet?.stop();
    await target?.stop();
  }, 120_000);

  async function agent(edge: string, subject: string): Promise<Client> {
    const [host = '', port = ''] = fleet.service(`edge/${edge}`)!.listeners['postgres']!.split(/:(?=\d+$)/);
    const client = new Client({ host, port: Number(port), database: 'shop', user: subject, password: await fleet.tokenFor(subject) });
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  }

  const sallyport: Fleet['sallyport'] = (...asked) => fleet.sallyport(...asked);
  const eventually: Fleet['eventually'] = (...asked) => fleet.eventually(...asked);

  const list = async <Row>(...args: string[]): Promise<Row[]> => {
    const { code, stdout, stderr } = await sallyport([...args, '--format', 'json']);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Row[];
  };

  it('P1 P5: an agent reads through either edge, masked, and the record is replicated first', async () => {
    for (const edge of ['e1', 'e2']) {
      const client = await agent(edge, 'analyst');
      const { rows } = await client.query('SELECT name, email FROM customers ORDER BY id');
      expect(rows).toEqual([
        { name: 'Ada', email: '[redacted]' },
        { name: 'Bram', email: '[redacted]' },
      ]);
      await client.end();
    }
  });

  it('P2: a refusal is the target’s own kind of error, in an intact connection', async () => {
    const client = await agent('e1', 'analyst');
    await expect(client.query('UPDATE stock SET quantity = 0 WHERE id = 1')).rejects.toMatchObject({ code: '42501' });
    expect((await client.query('SELECT quantity FROM stock')).rows).toEqual([{ quantity: 10 }]);
    await client.end();
  });

  it('P2: a held write runs once a person has agreed, who isn’t the one that asked', async () => {
    const client = await agent('e2', 'crew');
    const write = client.query('UPDATE stock SET quantity = quantity + 5 WHERE id = 1');
    write.catch(() => undefined);
    const hold = await eventually(
      'a hold',
      async () => (await list<{ id: string; state: string }>('approvals', 'list')).find(({ state }) => state === 'waiting')?.id,
    );
    expect((await sallyport(['approvals', 'grant', hold], { subject: 'crew' })).code).toBe(1);
    expect((await target.query('SELECT quantity FROM stock')).rows).toEqual([{ quantity: 10 }]);
    const granted = await sallyport(['approvals', 'grant', hold], { subject: 'dana' });
    expect(granted).toMatchObject({ code: 0 });
    expect((await write).rowCount).toBe(1);
    expect((await target.query('SELECT quantity FROM stock')).rows).toEqual([{ quantity: 15 }]);
    await client.end();
  });

  it('P10: a revocation ends the sessions on both edges; both confirm, and a stopped one doesn’t until it is back', async () => {
    const sessions = await Promise.all([agent('e1', 'analyst'), agent('e2', 'analyst')]);
    const ends = sessions.map(
      (client) =>
        new Promise<string | undefined>((resolve) => {
          client.once('error', (error: DatabaseError) => resolve(error.code));
          client.once('end', () => resolve(undefined));
        }),
    );
    const both = await sallyport(['principals', 'revoke', 'analyst', '--reason', 'test', '--wait', '10']);
    expect(both).toMatchObject({ code: 0 });
    for (const end of ends) expect(['57P01', undefined]).toContain(await end);
    await expect(agent('e1', 'analyst')).rejects.toMatchObject({ code: '28P01' });

    await fleet.service('edge/e2')!.stop();
    const one = await sallyport(['principals', 'revoke', 'crew', '--reason', 'test', '--wait', '2']);
    expect(one.code).toBe(1);
    expect(`${one.stdout}${one.stderr}`).toContain('edge/e2');
    await fleet.service('edge/e2')!.start();
    await expect(agent('e2', 'crew')).rejects.toMatchObject({ code: '28P01' });
    await eventually('the edge that was stopped confirms', async () => {
      const rows = await list<{ principal: string; confirmed: boolean }>('revocations', 'list');
      return rows.find(({ principal }) => principal === 'crew')?.confirmed;
    });
  });

  it('P4: no credential outlives its session', async () => {
    await eventually(
      'no role is left',
      async () => (await target.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'sallyport\\_%'")).rowCount === 0,
    );
    const leases = await list<{ state: string }>('leases', 'list');
    expect(leases.length).toBeGreaterThan(4);
    expect(new Set(leases.map(({ state }) => state))).toEqual(new Set(['dropped']));
  });

  it('P6 P7: the record verifies, off Kafka and in an export, and the read model is rebuilt from it', async () => {
    const sessions = await list<{ id: string; state: string }>('sessions', 'list');
    expect(sessions.length).toBeGreaterThan(4);
    expect(new Set(sessions.map(({ state }) => state))).toEqual(new Set(['closed']));
    const out = join(fleet.directory, 'export');
    expect(await sallyport(['sessions', 'export', sessions[0]!.id, '--out', out])).toMatchObject({ code: 0 });
    expect(await readFile(join(out, 'events.jsonl'), 'utf8')).toContain('session.closed');
    expect(await sallyport(['verify', out])).toMatchObject({ code: 0 });
    expect(await sallyport(['projections', 'rebuild'])).toMatchObject({ code: 0 });
    await eventually('the read model is where the log is', async () => (await sallyport(['projections', 'status'])).code === 0);
    expect(await list('sessions', 'list')).toEqual(sessions);
  });

  it('SIGTERM drains every service and ends it with 0', async () => {
    for (const service of fleet.services) expect([service.key, await service.stop()]).toEqual([service.key, { code: 0, signal: null }]);
  });
});
