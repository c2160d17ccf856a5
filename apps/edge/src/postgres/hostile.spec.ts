import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { encodePasswordMessage, encodeStartupPacket } from '@sallyport/wire-postgres';
import { generate } from 'selfsigned';
import { EdgeHarness, eventually } from '../testing/harness.js';
import {
  bind,
  copyData,
  copyDone,
  copyFail,
  errors,
  execute,
  parse,
  query,
  rows,
  short,
  sync,
  terminate,
  WireClient,
} from '../testing/wire-client.js';

let harness: EdgeHarness;

beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
  harness = await EdgeHarness.start({
    tables: 'CREATE TABLE stock (id int PRIMARY KEY, qty int); CREATE SCHEMA own; GRANT ALL ON SCHEMA own TO PUBLIC',
    grants: `
grants:
  - name: agents work
    who: { groups: [agents] }
    on: { names: [shop] }
    allow: [ postgres.read, postgres.session, postgres.write.insert, postgres.write.copy ]
    credential: writer
`,
    tls: createSecureContext({ key, cert }),
    limits: { maxFrameBytes: 64 * 1024, maxPendingSignIns: 5, signInTimeoutMs: 1500 },
  });
});
afterAll(() => harness?.stop());

const raw = async (): Promise<WireClient> => {
  const socket = connect({ host: '127.0.0.1', port: harness.port });
  await once(socket, 'connect');
  return new WireClient(socket);
};
const startup = (parameters: Record<string, string> = {}, minor = 0): Buffer =>
  encodeStartupPacket({
    kind: 'startupMessage',
    protocol: { major: 3, minor },
    parameters: new Map(Object.entries({ user: 'me', database: 'shop', ...parameters })),
  });
const password = encodePasswordMessage({ kind: 'passwordMessage', password: 'agent' });
const TALK = Buffer.concat([
  query('SELECT 1'),
  parse('s', 'SELECT $1::text'),
  bind('', 's', ['x'.repeat(50)]),
  execute(''),
  sync(),
  query('COPY stock FROM STDIN'),
  copyData('1\t1\n'),
  copyFail('no'),
  query('DELETE FROM stock'),
  query('SELECT 2'),
]);
const ANSWERS = 'T D C ZI 1 2 D C ZI G E:57014 ZI E:42501 ZI T D C ZI';

/** The edge still serves everybody else. */
const serves = async (): Promise<void> => {
  const agent = await harness.wire();
  expect(rows(await agent.ask(query('SELECT 1')))).toEqual([['1']]);
  agent.close();
};

describe('P9: whatever an agent sends costs itself only', () => {
  it('one byte at a time, startup and all', async () => {
    const agent = await raw();
    agent.socket.setNoDelay(true);
    for (const byte of Buffer.concat([startup(), password, TALK])) {
      agent.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await agent.until('K');
    await agent.until('Z');
    expect(short(await agent.until('Z', 5))).toBe(ANSWERS);
    agent.close();
  });

  it('everything in one packet, without waiting for anything', async () => {
    const agent = await raw();
    agent.send(startup(), password, TALK);
    await agent.until('Z');
    expect(short(await agent.until('Z', 5))).toBe(ANSWERS);
    agent.close();
  });

  it('split at every place', async () => {
    const agent = await harness.wire();
    for (let at = 1; at < TALK.length; at += 7) {
      agent.send(TALK.subarray(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      agent.send(TALK.subarray(at), query('DEALLOCATE s'));
      expect(short(await agent.until('Z', 6))).toBe(`${ANSWERS} C ZI`);
    }
    agent.close();
  });

  it.each([
    ['a length of 2^31', Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff])],
    ['a negative length', Buffer.from([0x51, 0x80, 0, 0, 0])],
    ['a length under 4', Buffer.from([0x51, 0, 0, 0, 3])],
    ['a frame over the limit', Buffer.from([0x51, 0, 2, 0, 0])],
    ['a Query without an end', Buffer.from([0x51, 0, 0, 0, 5, 0x41])],
    ['a Query with a second text', Buffer.concat([Buffer.from([0x51, 0, 0, 0, 14]), Buffer.from('SELECT 1\0x')])],
    ['a Bind with more values than it holds', Buffer.from([0x42, 0, 0, 0, 12, 0, 0, 0, 0, 0xff, 0xff, 0, 0])],
    ['a Bind with a negative length', Buffer.from([0x42, 0, 0, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0])],
    ['a second password', password],
    ['a second startup message', Buffer.concat([startup(), Buffer.alloc(100_000)])],
    ['an SSLRequest', Buffer.concat([encodeStartupPacket({ kind: 'sslRequest' }), Buffer.alloc(100_000)])],
    ['a replication message', Buffer.from([0x64 + 0x13, 0, 0, 0, 4])],
  ])('%s ends the session', async (_, frame) => {
    const agent = await harness.wire();
    agent.send(frame, query('INSERT INTO stock VALUES (99, 1)'));
    expect(short(await agent.rest())).toMatch(/^E:(08P01|XX000)$/);
    expect(await harness.count('stock')).toBe(0);
    await serves();
  });

  it('copy data, ends of it and portals that nobody asked for', async () => {
    const agent = await harness.wire();
    agent.send(copyData('1\t1\n'), copyDone(), copyFail('x'), Buffer.concat(Array.from({ length: 2000 }, () => copyData('5\t5\n'))));
    expect(rows(await agent.ask(query('SELECT 1')))).toEqual([['1']]);
    expect(await harness.count('stock')).toBe(0);
    agent.close();
  });

  it('half of a message, and then the end', async () => {
    const agent = await harness.wire();
    agent.socket.end(query('INSERT INTO stock VALUES (98, 1)').subarray(0, 20));
    await agent.rest();
    expect(await harness.count('stock')).toBe(0);
  });

  it('a Terminate right behind a write: the write is done', async () => {
    const agent = await harness.wire();
    agent.send(query('INSERT INTO stock VALUES (97, 1)'), terminate());
    await agent.rest();
    await eventually(async () => (await harness.count('stock')) === 1);
    await harness.server.query('DELETE FROM stock');
  });

  it('connections that never sign in are hung up on, and are not too many', async () => {
    const silent = await Promise.all(Array.from({ length: 5 }, raw));
    const more = await raw();
    await more.rest();
    await Promise.all(silent.map((one) => one.rest()));
    await serves();
  });
});

describe('startup', () => {
  const refused = async (...packets: Buffer[]): Promise<string> => {
    const agent = await raw();
    agent.send(...packets);
    return short(await agent.rest());
  };

  it.each([
    [{ role: 'postgres' }, 'E:42501'],
    [{ options: '-c session_authorization=postgres' }, 'E:42501'],
    [{ search_path: 'own, pg_catalog' }, 'R E:42501'],
    [{ options: '-c search_path=own\\,pg_catalog' }, 'R E:42501'],
    [{ local_preload_libraries: 'x' }, 'R E:42501'],
    [{ Standard_Conforming_Strings: 'off' }, 'E:42501'],
    [{ client_encoding: 'BIG5' }, 'E:42501'],
    [{ replication: 'true' }, 'E:42501'],
    [{ database: 'postgres' }, 'R E:3D000'],
    [{ database: 'shop/postgres' }, 'R E:3D000'],
    [{ database: '__proto__' }, 'R E:3D000'],
  ])('P2: %j is refused', async (parameters, expected) => {
    expect(await refused(startup(parameters), password)).toBe(expected);
  });

  it.each([{ search_path: 'own, public' }, { options: '-c search_path=own' }, { application_name: 'a\nb\tc' }, { DateStyle: 'German' }])(
    '%j is taken',
    async (parameters) => {
      const agent = await harness.wire({ parameters: { user: 'me', database: 'shop', ...parameters } });
      const [[path]] = rows(await agent.ask(query('SHOW search_path'))) as [[string]];
      expect(path.startsWith('own')).toBe(JSON.stringify(parameters).includes('own'));
      agent.close();
    },
  );

  it('a parameter named twice counts once, and what is judged is what is sent on', async () => {
    const body = Buffer.from('user\0me\0database\0nowhere\0database\0shop\0role\0postgres\0role\0none\0\0');
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 8, 0);
    head.writeInt32BE(3 << 16, 4);
    expect(await refused(Buffer.concat([head, body]), password)).toBe('E:42501');
  });

  it('a wrong token is told from nothing else', async () => {
    expect(await refused(startup(), encodePasswordMessage({ kind: 'passwordMessage', password: 'wrong' }))).toBe('R E:28P01');
    expect(await refused(startup({ database: 'nowhere' }), encodePasswordMessage({ kind: 'passwordMessage', password: 'wrong' }))).toBe(
      'R E:28P01',
    );
    const agent = await raw();
    agent.send(startup(), encodePasswordMessage({ kind: 'passwordMessage', password: 'a secret token' }));
    expect(errors(await agent.rest()).join()).not.toContain('a secret token');
    expect(harness.troubles.join()).not.toContain('a secret token');
  });

  it('protocol 2 and 4 are told what there is', async () => {
    const packet = (major: number): Buffer => Buffer.from([0, 0, 0, 9, 0, major, 0, 0, 0]);
    expect([await refused(packet(2)), await refused(packet(4))]).toEqual(['E:0A000', 'E:0A000']);
  });

  it.each([
    ['nonsense', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length of 2^31', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
    ['a length of nothing', Buffer.from([0, 0, 0, 0, 0, 3, 0, 0])],
  ])('%s is hung up on', async (_, bytes) => {
    expect(await refused(bytes)).toMatch(/^(E:08P01)?$/);
    await serves();
  });
});

describe('TLS', () => {
  it('by SSLRequest', async () => {
    const agent = await harness.wire({ tls: true });
    expect(rows(await agent.ask(query('SELECT 1')))).toEqual([['1']]);
    agent.close();
  });

  it('directly, when the client names the protocol', async () => {
    const socket = connectTls({ host: '127.0.0.1', port: harness.port, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] });
    await once(socket, 'secureConnect');
    const agent = new WireClient(socket);
    agent.send(startup(), password);
    await agent.until('Z');
    expect(rows(await agent.ask(query('SELECT 1')))).toEqual([['1']]);
    agent.close();
    const other = connectTls({ host: '127.0.0.1', port: harness.port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    other.on('error', () => undefined);
    await new Promise((resolve) => other.on('close', resolve));
  });

  it('bytes behind the SSLRequest, sent in the clear, are never taken for encrypted ones', async () => {
    const agent = await raw();
    agent.send(encodeStartupPacket({ kind: 'sslRequest' }), startup(), password);
    await agent.rest();
    expect(agent.answers).toEqual([]);
  });

  it('is asked for once', async () => {
    const socket = connect({ host: '127.0.0.1', port: harness.port });
    await once(socket, 'connect');
    socket.write(encodeStartupPacket({ kind: 'gssEncRequest' }));
    await once(socket, 'readable');
    expect((socket.read(1) as Buffer).toString()).toBe('N');
    socket.write(encodeStartupPacket({ kind: 'sslRequest' }));
    await once(socket, 'readable');
    expect((socket.read(1) as Buffer).toString()).toBe('S');
    const secure = connectTls({ socket, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    secure.write(encodeStartupPacket({ kind: 'sslRequest' }));
    secure.resume().on('error', () => undefined);
    await new Promise((resolve) => secure.on('close', resolve));
  });
});
