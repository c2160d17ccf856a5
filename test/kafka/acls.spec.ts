import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aclPlan, openKafkaBus } from '@sallyport/adapter-kafka';
import { kafkaInstalled, type KafkaUsers, usersOf } from '@sallyport/adapter-kafka/testing';
import { TOPICS } from '@sallyport/bus';
import { formatVerifierKeys, loadOrCreateKey } from '@sallyport/events';
import { Client } from 'pg';
import { type Fleet, startFleet } from '../harness/fleet.mjs';
import { postgresResource, startTarget, type Target } from '../harness/index.mjs';

const ROLES = ['edge', 'decision', 'vendor', 'projector', 'console', 'publisher', 'auditor'] as const;
const ACLS = Object.fromEntries(ROLES.map((role) => [role, [`User:${role}`]]));
/** A line of the authorizer. */
const JUDGED =
  /Principal = User:(?<user>\w+) is (?<verdict>Allowed|Denied) operation = (?<operation>\w+) .* on resource = (?<kind>\w+):LITERAL:(?<name>\S+) .*kafka\.authorizer\.logger/g;
const GRANTS = [
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
  { subject: 'crew', kind: 'workload', groups: [] },
  { subject: 'dana', kind: 'person', groups: ['dba'] },
] as const;

// All that an installation does, each service as a user of its own who may do what `topics apply --acls` has allowed. The broker's log
// says what it was asked for, and what of it it refused.
(kafkaInstalled() ? describe : describe.skip)('sallyport on a Kafka with ACLs', () => {
  let target: Target;
  let users: KafkaUsers;
  let fleet: Fleet;
  const clients: Client[] = [];

  /** A configuration as this user has it. */
  const as = (user: string, config: { bus: { kafka: object } }) => ({
    ...config,
    bus: { kafka: { ...config.bus.kafka, brokers: [users.broker], sasl: { ...users.sasl(user), password: { env: 'KAFKA_PASSWORD' } } } },
  });

  beforeAll(async () => {
    target = await startTarget({ database: 'shop' });
    await target.query('CREATE TABLE stock (id int PRIMARY KEY, quantity int); INSERT INTO stock VALUES (1, 10)');
    users = await usersOf(...ROLES);
    fleet = await startFleet({
      resources: [
        postgresResource({
          name: 'shop',
          target,
          database: 'shop',
          adminEnv: 'SHOP_ADMIN_URL',
          profiles: { writer: ['SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public'] },
          audit: { mode: 'strict', durability: 'replicated', record: 'full' },
        }),
      ],
      grants: GRANTS,
      principals: PRINCIPALS,
      // Two of each that shares a group, or reads what its like has written.
      replicas: { vendor: 2, projector: 2, decision: 2 },
      env: { SHOP_ADMIN_URL: target.url(), KAFKA_PASSWORD: users.sasl('edge').password },
      kafka: { ...users.options, jvmArguments: ['-Dkafka.authorizer.log.level=DEBUG'] },
      acls: ACLS,
      configure: ({ role }, config) => as(role, config as { bus: { kafka: object } }),
    });
    await fleet.start();
  }, 240_000);
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    await fleet?.stop();
    await target?.stop();
  }, 120_000);

  async function agent(): Promise<Client> {
    const [host = '', port = ''] = fleet.service('edge/e1')!.listeners['postgres']!.split(/:(?=\d+$)/);
    const client = new Client({ host, port: Number(port), database: 'shop', user: 'crew', password: await fleet.tokenFor('crew') });
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  }

  const sallyport: Fleet['sallyport'] = (...asked) => fleet.sallyport(...asked);
  const eventually: Fleet['eventually'] = (...asked) => fleet.eventually(...asked);

  /** A configuration of somebody who is no service. */
  async function person(role: 'publisher' | 'auditor'): Promise<string> {
    const console = JSON.parse(await readFile(fleet.service('console/c1')!.config, 'utf8')) as { bus: { kafka: object } };
    const data = join(fleet.directory, role);
    await mkdir(data, { mode: 0o700 });
    const config = join(data, 'sallyport.yaml');
    await writeFile(config, JSON.stringify({ ...as(role, console), data, name: 'ana' }));
    return config;
  }

  it('P2: an agent asks, a person agrees, it runs and is on record', async () => {
    const client = await agent();
    const write = client.query('UPDATE stock SET quantity = quantity + 5 WHERE id = 1');
    write.catch(() => undefined);
    const hold = await eventually('a hold', async () => {
      const { stdout } = await sallyport(['approvals', 'list', '--format', 'json']);
      return (JSON.parse(stdout) as { id: string; state: string }[]).find(({ state }) => state === 'waiting')?.id;
    });
    expect(await sallyport(['approvals', 'grant', hold], { subject: 'dana' })).toMatchObject({ code: 0 });
    expect((await write).rowCount).toBe(1);
    await client.end();
    await eventually(
      'no role is left',
      async () => (await target.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'sallyport\\_%'")).rowCount === 0,
    );
  });

  it('policies are published by a publisher, and the services follow', async () => {
    const config = await person('publisher');
    const key = await loadOrCreateKey(join(fleet.directory, 'publisher', 'keys'), 'publisher/ana');
    await writeFile(fleet.rosterFile, (await readFile(fleet.rosterFile, 'utf8')) + formatVerifierKeys([key]));
    expect(await sallyport(['policy', 'publish'], { config })).toMatchObject({ code: 0 });
    await eventually('it is live everywhere', async () => {
      const { stdout } = await sallyport(['policy', 'log', '--format', 'json'], { config });
      return (JSON.parse(stdout) as { state: string }[]).some(({ state }) => state === 'live');
    });
    await (await agent()).query('SELECT quantity FROM stock');
  });

  it('P10: a revocation reaches the edge, and it says so', async () => {
    const { code } = await sallyport(['principals', 'revoke', 'crew', '--reason', 'test', '--wait', '10']);
    expect(code).toBe(0);
    await expect(agent()).rejects.toMatchObject({ code: '28P01' });
  });

  it('P6 P7: the record is exported, verified by an auditor off the brokers, and folded anew', async () => {
    const sessions = async () => {
      const { stdout } = await sallyport(['sessions', 'list', '--format', 'json']);
      return JSON.parse(stdout) as { id: string; state: string }[];
    };
    const listed = await eventually('sessions are over', async () => {
      const rows = await sessions();
      return rows.length > 1 && rows.every(({ state }) => state === 'closed') && rows;
    });
    const out = join(fleet.directory, 'export');
    expect(await sallyport(['sessions', 'export', listed[0]!.id, '--out', out])).toMatchObject({ code: 0 });
    await eventually('the log is signed and verified', async () => (await sallyport(['verify'], { config: await auditor() })).code === 0);
    expect(await sallyport(['projections', 'rebuild'])).toMatchObject({ code: 0 });
    await eventually('the read model is where the log is', async () => (await sallyport(['projections', 'status'])).code === 0);
    expect(await sessions()).toEqual(listed);
  });
  let auditing: Promise<string> | undefined;
  const auditor = (): Promise<string> => (auditing ??= person('auditor'));

  it('services start again behind what they have committed', async () => {
    for (const key of ['vendor/v1', 'decision/d1', 'projector/p1', 'edge/e1', 'console/c1']) {
      expect([key, await fleet.service(key)!.stop()]).toEqual([key, { code: 0, signal: null }]);
      await fleet.service(key)!.start();
    }
    await eventually('the read model is where the log is', async () => (await sallyport(['projections', 'status'])).code === 0);
  });

  it('no service was refused anything, none has a right that it didn’t use, and who does more is refused', async () => {
    const judged = [...(await fleet.kafka.log()).matchAll(JUDGED)].map(({ groups }) => groups ?? {});
    const services = judged.filter((one) => one['user'] !== 'ANONYMOUS');
    expect(services.filter((one) => one['verdict'] === 'Denied')).toEqual([]);
    const used = new Set(services.map((one) => `${one['user']} ${one['operation']} ${one['kind']} ${one['name']}`.toLowerCase()));
    const rights = aclPlan(ACLS).map(({ principal, operation, resource, name }) =>
      `${principal.replace('User:', '')} ${operation.replaceAll('-', '_')} ${resource} ${name}`.toLowerCase(),
    );
    expect(rights.filter((right) => !used.has(right))).toEqual([]);

    const edge = await openKafkaBus({ brokers: [users.broker], sasl: users.sasl('edge') });
    await expect(edge.produce(TOPICS.leases, [{ key: 'k', value: Buffer.from('v') }])).rejects.toThrow('AUTHORIZATION_FAILED');
    await edge.close();
  });
});
