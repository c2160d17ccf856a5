import { ALL_TOPICS, type Bus, TOPICS } from '@sallyport/bus';
import { Cluster } from '../cluster.js';
import { openKafkaBus } from '../kafka-bus.js';
import { kafkaSettings } from '../options.js';
import { freshTopics, kafkaInstalled, startKafka, type TestKafka, usersOf } from '../testing/index.js';
import { checkTopics } from '../topics/check.js';
import { topicPlan } from '../topics/plan.js';
import { createAcls } from './acl-requests.js';
import { applyAcls } from './apply.js';
import { compareAcls, differencesOf } from './compare.js';
import { type Acl, aclPlan } from './plan.js';
import { ACL_ROLES, type AclRole } from './rights.js';

const USERS = Object.fromEntries(ACL_ROLES.map((role) => [role, [`User:${role}`]]));
const PLAN = aclPlan(USERS);
const { sessions, control, leases, policies, checkpoints } = TOPICS;

/** What each may, once more and by hand. */
const MAY: Readonly<
  Record<AclRole, { readonly reads: string[]; readonly writes: string[]; readonly groups: readonly (readonly [string, string])[] }>
> = {
  edge: {
    reads: [control, policies, 'sallyport.lease.replies', 'sallyport.decide.replies'],
    writes: [sessions, control, 'sallyport.lease.requests', 'sallyport.decide.requests'],
    groups: [],
  },
  decision: {
    reads: [sessions, control, policies, 'sallyport.decide.requests'],
    writes: [control, 'sallyport.decide.replies'],
    groups: [['decide', 'sallyport.decide.requests']],
  },
  vendor: {
    reads: [sessions, control, leases, policies, 'sallyport.lease.requests', 'sallyport.decide.replies'],
    writes: [control, leases, 'sallyport.lease.replies', 'sallyport.decide.requests'],
    groups: [
      ['lease', 'sallyport.lease.requests'],
      ['vendor-ends', sessions],
    ],
  },
  projector: {
    reads: [sessions, control, leases, checkpoints, policies, 'sallyport.projector.requests'],
    writes: [control, checkpoints, 'sallyport.projector.replies'],
    groups: [
      ['projector', 'sallyport.projector.requests'],
      ['projector', sessions],
      ['projector', control],
      ['projector', leases],
      ['projector-ledger', sessions],
    ],
  },
  console: {
    reads: [sessions, control, checkpoints, policies, 'sallyport.decide.replies', 'sallyport.projector.replies'],
    writes: [control, 'sallyport.decide.requests', 'sallyport.projector.requests'],
    groups: [],
  },
  publisher: { reads: [policies], writes: [policies], groups: [] },
  auditor: { reads: [sessions, control, leases, checkpoints], writes: [], groups: [] },
};
const GROUPS = ACL_ROLES.flatMap((role) => MAY[role].groups);

const allow = (more: Partial<Acl>): Acl => ({
  resource: 'topic',
  name: sessions,
  pattern: 'literal',
  principal: 'User:edge',
  host: '*',
  operation: 'write',
  permission: 'allow',
  ...more,
});

describe('the plan of ACLs', () => {
  it('lets nobody but an edge write sessions, a vendor leases, a projector checkpoints, a publisher policies', () => {
    const writers = (topic: string): string[] =>
      PLAN.filter(({ name, operation }) => name === topic && operation === 'write').map(({ principal }) => principal);
    expect(writers(sessions)).toEqual(['User:edge']);
    expect(writers(leases)).toEqual(['User:vendor']);
    expect(writers(checkpoints)).toEqual(['User:projector']);
    expect(writers(policies)).toEqual(['User:publisher']);
  });

  it('is of literal names, allows only, and changes nothing of what is there', () => {
    expect(
      PLAN.every(({ pattern, permission, resource }) => pattern === 'literal' && permission === 'allow' && resource !== 'cluster'),
    ).toBe(true);
    expect(new Set(PLAN.map(({ operation }) => operation))).toEqual(new Set(['read', 'write', 'describe', 'describe-configs']));
  });

  it('gives a user of two roles the rights of both, and several users of a role the same', () => {
    const both = aclPlan({ edge: ['User:a', 'User:b'], vendor: ['User:a'] });
    expect(both.filter(({ principal }) => principal === 'User:b')).toHaveLength(
      PLAN.filter(({ principal }) => principal === 'User:edge').length,
    );
    expect(both.some(({ principal, name, operation }) => principal === 'User:a' && name === leases && operation === 'write')).toBe(true);
    expect(new Set(both.map((acl) => JSON.stringify(acl))).size).toBe(both.length);
  });
});

describe('ACLs against the plan', () => {
  const told = (...found: Acl[]) => differencesOf(PLAN, [...PLAN, ...found], ['User:ops']).map(({ difference }) => difference);

  it.each([
    ['of everybody', allow({ principal: 'User:*' })],
    ['of a stranger', allow({ principal: 'User:somebody', operation: 'read' })],
    ['of a service, of a topic that isn’t its own', allow({ principal: 'User:console' })],
    ['of all that can be done', allow({ operation: 'all' })],
    ['of all topics', allow({ name: '*' })],
    ['of a prefix', allow({ name: 'sallyport.', pattern: 'prefixed' })],
    ['of another service’s group', allow({ resource: 'group', name: `${sessions}.vendor-ends`, operation: 'read' })],
    ['to change ACLs', allow({ resource: 'cluster', name: 'kafka-cluster', operation: 'alter' })],
  ])('that allow more are told: %s', (_, acl) => expect(told(acl)).toEqual(['allows-more']));

  it.each([
    ['of those who keep the brokers', allow({ principal: 'User:ops', name: '*', operation: 'all' })],
    ['of one host', allow({ host: '10.0.0.1' })],
    [
      'to describe what may be read',
      allow({ resource: 'group', name: `${sessions}.vendor-ends`, principal: 'User:vendor', operation: 'describe' }),
    ],
    ['of strangers with the cluster', allow({ resource: 'cluster', name: 'kafka-cluster', principal: 'User:x', operation: 'create' })],
    ['that deny what nobody needs', allow({ permission: 'deny', operation: 'delete' })],
  ])('that do no harm are not: %s', (_, acl) => expect(told(acl)).toEqual([]));

  it.each([
    ['what a service needs', allow({ permission: 'deny' })],
    ['everybody', allow({ permission: 'deny', principal: 'User:*', name: 'sally', pattern: 'prefixed', operation: 'all' })],
  ])('that deny are told: %s', (_, acl) => expect(told(acl)).toEqual(['denies']));

  it('that are missing are told', () => expect(differencesOf(PLAN, PLAN.slice(1), [])).toEqual([{ acl: PLAN[0], difference: 'missing' }]));
});

(kafkaInstalled() ? describe : describe.skip)('ACLs on a broker', () => {
  let kafka: TestKafka;
  let users: Awaited<ReturnType<typeof usersOf>>;
  const buses = new Map<AclRole, Bus>();
  const topics = topicPlan({ replicationFactor: 1, partitions: 1 });
  const options = (role: AclRole) => ({
    brokers: [users.broker],
    sasl: users.sasl(role),
    limits: { callTimeoutMs: 8000, produceTimeoutMs: 8000 },
  });
  const keeper = () => ({ brokers: kafka.brokers });

  beforeAll(async () => {
    users = await usersOf(...ACL_ROLES);
    kafka = await startKafka(users.options);
    await freshTopics(keeper(), Object.fromEntries(ALL_TOPICS.map((topic) => [topic, 1])));
  }, 120_000);
  afterAll(async () => {
    for (const bus of buses.values()) await bus.close();
    await kafka?.stop();
  });

  const outcome = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'done',
      (error: Error) => /AUTHORIZATION_FAILED/.exec(error.message)?.[0] ?? error.message,
    );
  const REFUSED = 'AUTHORIZATION_FAILED';

  it('are written once; before that, no user may do anything', async () => {
    await expect(checkTopics(options('edge'), topics)).rejects.toThrow(REFUSED);
    expect(await compareAcls(keeper(), PLAN)).toEqual(PLAN.map((acl) => ({ acl, difference: 'missing' })));
    expect(await applyAcls(keeper(), PLAN)).toEqual({ done: PLAN, left: [] });
    expect(await applyAcls(keeper(), PLAN)).toEqual({ done: [], left: [] });
    for (const role of ACL_ROLES) buses.set(role, await openKafkaBus(options(role)));
  });

  it.each(ACL_ROLES.filter((role) => role !== 'auditor'))('%s: may look at the topics as it does at its start', async (role) => {
    expect(await checkTopics(options(role), topics)).toEqual([]);
  });

  it.each(ACL_ROLES)('%s: writes its topics and no other', async (role) => {
    for (const topic of ALL_TOPICS) {
      const written = await outcome(buses.get(role)!.produce(topic, [{ key: 'k', value: Buffer.from(role) }]));
      expect([topic, written]).toEqual([topic, MAY[role].writes.includes(topic) ? 'done' : REFUSED]);
    }
  });

  it.each(ACL_ROLES)('%s: reads its topics and no other', async (role) => {
    for (const topic of ALL_TOPICS) {
      const read = await outcome(buses.get(role)!.read(topic, 0, 0n, 1));
      expect([topic, read]).toEqual([topic, MAY[role].reads.includes(topic) ? 'done' : REFUSED]);
    }
  });

  it.each(ACL_ROLES)(
    '%s: joins its groups and no other, and keeps its place in them',
    async (role) => {
      for (const [group, topic] of GROUPS) {
        let committed: (error?: unknown) => void = () => undefined;
        const batch = new Promise<unknown>((resolve) => (committed = resolve));
        const joined = await outcome(
          buses
            .get(role)!
            .consume({
              topic,
              group,
              start: { at: 'earliest' },
              onBatch: (_, context) => context.commit().then(() => committed(), committed),
            })
            .then(async (consumption) => {
              expect(await batch).toBeUndefined();
              await consumption.close();
            }),
        );
        const isIts = MAY[role].groups.some(([name, of]) => name === group && of === topic);
        expect([group, topic, joined]).toEqual([group, topic, isIts ? 'done' : REFUSED]);
      }
    },
    60_000,
  );

  it('that others have made stay, and are told where they allow more', async () => {
    const cluster = new Cluster(kafkaSettings(keeper()));
    const [everybody, ops] = [allow({ principal: 'User:*' }), allow({ principal: 'User:ops', name: '*', operation: 'all' })];
    await createAcls(cluster, [everybody, ops]);
    cluster.close();
    const differs = (acl: Acl) => ({ acl, difference: 'allows-more' });
    const applied = await applyAcls(keeper(), PLAN, { others: ['User:ops'] });
    expect(applied).toEqual({ done: [], left: [differs(everybody)] });
    expect(await compareAcls(keeper(), PLAN)).toEqual(expect.arrayContaining([differs(everybody), differs(ops)]));
    expect(await outcome(buses.get('console')!.produce(sessions, [{ key: 'k', value: Buffer.from('k') }]))).toBe('done');
  });

  it('are not for who is no keeper of the brokers', async () => {
    await expect(applyAcls(options('edge'), PLAN)).rejects.toThrow('CLUSTER_AUTHORIZATION_FAILED');
  });
});

(kafkaInstalled() ? describe : describe.skip)('ACLs on a broker without an authorizer', () => {
  it('are refused in plain words', async () => {
    const kafka = await startKafka({ properties: { 'authorizer.class.name': '' } });
    try {
      await expect(applyAcls({ brokers: kafka.brokers }, PLAN)).rejects.toThrow('the brokers have no authorizer');
    } finally {
      await kafka.stop();
    }
  }, 120_000);
});
