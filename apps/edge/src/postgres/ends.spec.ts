import { connect } from 'node:net';
import { once } from 'node:events';
import { encodeStartupPacket } from '@sallyport/wire-postgres';
import { EdgeHarness, eventually } from '../testing/harness.js';
import {
  bind,
  everything,
  execute,
  extended,
  parse,
  query,
  rows,
  short,
  sync,
  type WireClient,
  type WireOptions,
} from '../testing/wire-client.js';

let harness: EdgeHarness;

beforeAll(async () => {
  harness = await EdgeHarness.start({
    tables: `
      CREATE TABLE stock (id int PRIMARY KEY, qty int);
      INSERT INTO stock SELECT i, i FROM generate_series(1, 100) i;`,
    grants: `
grants:
  - name: agents work
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write ]
    credential: writer
  - name: few rows for some
    who: { groups: [few] }
    on: { names: [shop] }
    allow: [ postgres.read ]
    credential: writer
    limits: { rows: 10 }
`,
    limits: {
      maxSessions: 8,
      maxSessionsPerPrincipal: 4,
      maxFrameBytes: 1 << 20,
      maxPreparedStatements: 50,
      maxPortals: 50,
      signInTimeoutMs: 3000,
    },
    principals: {
      agent: {},
      other: {},
      few: { groups: ['agents', 'few'] },
      crew: { actors: [{ subject: 'planner' }] },
      brief: { expiresAtMs: Date.now() + 20_000 },
      short: {
        get expiresAtMs() {
          return Date.now() + 1500;
        },
      },
    },
  });
});
afterAll(() => harness?.stop());
const agents: WireClient[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.close();
  await eventually(async () => (await running()) === 0);
});

const open = async (options: Partial<WireOptions>): Promise<WireClient> => {
  const agent = await harness.wire(options);
  agents.push(agent);
  return agent;
};
const as = (password: string): Promise<WireClient> => open({ password });
/** Sessions of leased roles at the server, catalog connections aside. */
const running = async (filter = ''): Promise<number> => {
  const text = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename LIKE 'sallyport%' AND application_name <> 'sallyport-catalog' ${filter}`;
  return (await harness.server.query<{ n: number }>(text)).rows[0]!.n;
};
const sleeping = (): Promise<boolean> => eventually(async () => (await running("AND state = 'active'")) > 0);
const revoke = (subject: string): Promise<void> => harness.control('principal.revoked', { subject, by: 'olga', reason: 'test' });

describe('ends', () => {
  it('P10: revocation ends what runs, at the agent and at the target', async () => {
    const agent = await as('other');
    agent.send(query('SELECT pg_sleep(60)'));
    await sleeping();
    const session = await harness.newestSession();
    await harness.control('session.revoked', { session, by: 'olga', reason: 'test' });
    expect(short(await agent.rest())).toBe('E:57P01');
    await eventually(async () => (await running()) === 0);
    const records = await harness.closedSession(session);
    expect(records.slice(-2).map(({ type, data }) => [type, data.outcome ?? data.reason])).toEqual([
      ['operation.completed', 'cancelled'],
      ['session.closed', 'revoked'],
    ]);
  });

  it('P10: whoever acts for a revoked principal ends too, and nobody else', async () => {
    const [crew, agent] = [await as('crew'), await as('agent')];
    await revoke('planner');
    expect(short(await crew.rest())).toBe('E:57P01');
    expect(rows(await agent.ask(query('SELECT 1')))).toEqual([['1']]);
  });

  it('P10: a session that is being opened when it is revoked does not open', async () => {
    let revoked: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (revoked = resolve));
    const asked = new Promise<void>((resolve) => {
      harness.vendor.before = () => {
        resolve();
        return waiting;
      };
    });
    const opening = as('brief');
    await asked;
    harness.vendor.before = async () => undefined;
    const session = (await harness.record(({ type, data }) => type === 'session.opened' && data.principal.subject === 'brief')).sessionid;
    await harness.control('session.revoked', { session, by: 'olga', reason: 'test' });
    // Heard by now: another session that is revoked after it has ended.
    const other = await as('agent');
    await harness.control('session.revoked', { session: await harness.newestSession(), by: 'olga', reason: 'test' });
    await other.rest();
    revoked();
    expect(short((await opening).answers)).toBe('R E:57P01');
    const records = await harness.closedSession(session);
    expect(records.at(-1)!.data.reason).toBe('revoked');
  });

  it('S6: a session ends with its token', async () => {
    const agent = await as('short');
    const started = Date.now();
    agent.send(query('SELECT pg_sleep(60)'));
    expect(short(await agent.rest())).toContain('E:57P01');
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('P9: sessions are counted while they open, so that many at once do not pass the limit', async () => {
    const all = await Promise.all(Array.from({ length: 7 }, () => as('agent')));
    const ends = all.map(({ answers }) => short(answers.slice(-1)));
    expect(ends.filter((end) => end === 'ZI')).toHaveLength(4);
    expect(ends.filter((end) => end === 'E:53300')).toHaveLength(3);
    for (const agent of all) agent.close();
    await eventually(async () => (await running()) === 0);
    const again = await as('agent');
    expect(short(again.answers.slice(-1))).toBe('ZI');
  });

  it('P4: an agent that vanishes leaves nothing running', async () => {
    const agent = await as('agent');
    agent.send(query('SELECT pg_sleep(60)'));
    await sleeping();
    agent.socket.resetAndDestroy();
    await eventually(async () => (await running()) === 0);
  });

  it('P9: an agent that never reads costs itself only', async () => {
    const agent = await as('agent');
    agent.socket.pause();
    const before = process.memoryUsage().rss;
    agent.send(query("SELECT repeat('x', 10000) FROM generate_series(1, 40000)"));
    await eventually(async () => (await running("AND wait_event = 'ClientWrite'")) > 0);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20);
    const other = await as('agent');
    expect(rows(await other.ask(query('SELECT 1')))).toEqual([['1']]);
    agent.socket.resume();
    const answers = await agent.until('Z');
    expect(answers.filter(({ type }) => type === 'D')).toHaveLength(40_000);
  });

  it('a value larger than any frame that is held is streamed', async () => {
    const agent = await as('agent');
    const answers = await agent.ask(query("SELECT repeat('x', 20000000), 7"));
    expect(rows(answers).map(([value, seven]) => [value!.length, seven])).toEqual([[20_000_000, '7']]);
  });

  it('two sessions at once keep their answers apart', async () => {
    const pair = [await as('agent'), await as('agent')];
    for (let round = 0; round < 20; round++) {
      const asked = pair.map((agent, i) => agent.ask(extended(`SELECT ${round * 10 + i} FROM generate_series(1, ${i + 1})`), sync()));
      const answers = await Promise.all(asked);
      expect(answers.map((answer) => rows(answer)[0])).toEqual([[`${round * 10}`], [`${round * 10 + 1}`]]);
    }
  });

  it.each([
    ['rows', query('SELECT id FROM stock')],
    ['copied rows', query('COPY stock TO STDOUT')],
    ['large rows', query("SELECT repeat('x', 100000) FROM generate_series(1, 30)")],
    ['rows of a portal in parts', Buffer.concat([parse('', 'SELECT id FROM stock'), bind('', ''), execute('', 6), execute('', 6), sync()])],
  ])('P2: no more than the verdict’s row limit is delivered: %s', async (_, frames) => {
    const agent = await as('few');
    const answers = await agent.send(frames).rest();
    expect(answers.filter(({ type }) => type === 'D' || type === 'd').length).toBeLessThanOrEqual(10);
    expect(short(answers.slice(-1))).toBe('E:54000');
  });

  it('P9: prepared statements and portals have their limits, and closing makes room', async () => {
    const agent = await as('agent');
    for (let i = 0; i < 50; i++) agent.send(parse(`s${i}`, 'SELECT 1'));
    expect(short(await agent.ask(sync())).endsWith('1 ZI')).toBe(true);
    expect(short(await agent.ask(parse('more', 'SELECT 1'), sync()))).toBe('E:54000 ZI');
    await agent.ask(query('DISCARD ALL'));
    expect(short(await agent.ask(parse('more', 'SELECT 1'), sync()))).toBe('1 ZI');
    await agent.ask(query('BEGIN'));
    for (let i = 0; i < 51; i++) agent.send(bind(`p${i}`, 'more'));
    expect(short(await agent.ask(sync())).endsWith('E:54000 ZE')).toBe(true);
  });

  it('P9: messages that the target has yet to answer are bounded, and all are answered', async () => {
    const agent = await as('agent');
    const many = Buffer.concat(Array.from({ length: 25_000 }, () => sync()));
    agent.send(many, query('SELECT 1'));
    expect(rows(await agent.until('Z', 25_001))).toEqual([['1']]);
    agent.send(Buffer.concat(Array.from({ length: 12_000 }, () => Buffer.concat([bind('', 's0'), execute('')]))), sync());
    expect(short(await agent.until('Z'))).toBe('E:26000 ZI');
    await agent.ask(parse('one', 'SELECT 1'), sync());
    agent.send(Buffer.concat(Array.from({ length: 12_000 }, () => Buffer.concat([bind('', 'one'), execute('')]))), sync());
    expect(rows(await agent.until('Z'))).toHaveLength(12_000);
  }, 120_000);

  it('P3: what the agent sees never holds the leased password, and its role is not said in a refusal', async () => {
    const agent = await open({ parameters: { user: 'me', database: 'shop', work_mem: 'nonsense' } });
    expect(short(agent.answers)).toBe('R E:22023');
    const other = await as('agent');
    await other.ask(query('SELECT * FROM pg_authid'));
    expect(everything(other.answers)).not.toContain('SCRAM-SHA-256$');
  });
});

describe('cancel', () => {
  const cancel = async (processId: number, secret: Buffer): Promise<void> => {
    const socket = connect({ host: '127.0.0.1', port: harness.port });
    socket.end(encodeStartupPacket({ kind: 'cancelRequest', processId, secret }));
    await once(socket.resume(), 'close');
  };

  it.each([0, 2])('in protocol 3.%i reaches what runs, and only with the right key', async (minor) => {
    const agent = await open({ minor });
    agent.send(query('SELECT pg_sleep(60)'));
    await sleeping();
    const wrong = Buffer.from(agent.secret);
    wrong[0]! ^= 1;
    await cancel(agent.processId, wrong);
    expect(await running("AND state = 'active'")).toBe(1);
    await cancel(agent.processId, agent.secret);
    expect(short(await agent.until('Z'))).toBe('T E:57014 ZI');
    // Nothing to cancel: nothing happens; but as at the server itself, the signal may arrive when the next statement has begun.
    await cancel(agent.processId, agent.secret);
    expect(short(await agent.ask(query('SELECT 1')))).toMatch(/^(T D C|(T )?(D )?E:57014) ZI$/);
    expect(rows(await agent.ask(query('SELECT 1')))).toEqual([['1']]);
  });
});

it('the edge closes with sessions in it, and tells them', async () => {
  const own = await EdgeHarness.start({
    tables: 'SELECT 1',
    grants: 'grants: [ { name: a, who: { groups: [agents] }, on: { names: [shop] }, allow: [ postgres.read ], credential: writer } ]',
  });
  const agent = await own.wire();
  agent.send(query('SELECT pg_sleep(60)'));
  await own.record(({ type }) => type === 'operation.submitted');
  await own.stop();
  expect(short(await agent.rest())).toContain('E:57P01');
});
