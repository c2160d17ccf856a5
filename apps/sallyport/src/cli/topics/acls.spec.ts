import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaInstalled, startKafka, type TestKafka } from '@sallyport/adapter-kafka/testing';
import { type Ran, startCommand } from '../testing.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-acls-'));
});
afterEach(() => rm(directory, { recursive: true }));

const ACLS = { edge: 'User:edge', decision: 'User:decision', vendor: 'User:vendor', projector: 'User:projector', console: 'User:console' };
const run = (...argv: string[]): Promise<Ran> => startCommand(['topics', 'apply', ...argv], { cwd: directory }).ended;
const configure = (brokers: readonly string[], acls?: object): Promise<void> =>
  writeFile(
    join(directory, 'sallyport.yaml'),
    JSON.stringify({ bus: { kafka: { brokers, acls, topics: { partitions: 1, replication: 1 } } } }),
  );

describe('topics apply --acls without users', () => {
  it('does nothing, and says what to add', async () => {
    await configure(['127.0.0.1:9']);
    expect(await run('--acls')).toEqual({ code: 2, out: '', err: expect.stringMatching(/acls: \{ edge: User:edge, /) as string });
  });
});

(kafkaInstalled() ? describe : describe.skip)('topics apply --acls', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stop());

  it('says what differs, adds what is missing, and leaves what others have made', async () => {
    await configure(kafka.brokers, ACLS);
    const before = await run('--acls', '--dry-run');
    expect(before.code).toBe(1);
    expect(before.out).toMatch(/^User:edge +write +topic sallyport\.sessions\.v1 +missing$/m);
    const applied = await run('--acls');
    expect(applied).toMatchObject({ code: 0, err: expect.stringContaining('The ACLs are as planned.') as string });
    expect(applied.out).toMatch(/^User:vendor +read +group sallyport\.sessions\.v1\.vendor-ends$/m);
    expect(await run('--acls')).toMatchObject({ code: 0, out: '', err: expect.stringContaining('No ACL had to be added.') as string });
    expect(await run('--acls', '--dry-run')).toMatchObject({ code: 0 });

    // What was planned once, and isn't any more, is somebody's too.
    await configure(kafka.brokers, { ...ACLS, edge: 'User:edge-1' });
    const moved = await run('--acls');
    expect(moved.code).toBe(1);
    expect(moved.out).toMatch(/^User:edge +write +topic sallyport\.sessions\.v1 +ALLOWS MORE than any service does$/m);
    const { acls } = JSON.parse((await run('--acls', '--dry-run', '--format', 'json')).out) as { acls: { left: object[] } };
    expect(acls.left).toContainEqual({
      difference: 'allows-more',
      acl: {
        resource: 'topic',
        name: 'sallyport.sessions.v1',
        pattern: 'literal',
        principal: 'User:edge',
        host: '*',
        operation: 'write',
        permission: 'allow',
      },
    });
    await configure(kafka.brokers, { ...ACLS, edge: 'User:edge-1', others: 'User:edge' });
    expect((await run('--acls', '--dry-run')).code).toBe(0);
    expect((await run('--dry-run')).code).toBe(0);
  }, 60_000);
});
