import { chown, stat, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import path from 'node:path';
import { TLSSocket } from 'node:tls';

import { testPostgres, type TestPostgres } from '@sallyport/adapter-embedded-postgres/testing';
import { type BackendMessage, decodeBackend, encodeQuery, FrameScanner, type UnknownMessage } from '@sallyport/wire-postgres';
import { generate } from 'selfsigned';

import { cancelUpstream, connectUpstream, type Upstream, UpstreamError, type UpstreamLogin, type UpstreamTarget } from './index.js';

const PASSWORD = 'p4ss-wörd ®';
const LIMITS = { connectTimeoutMs: 15_000, maxFrameBytes: 1024 * 1024 };

interface Certificate {
  readonly cert: string;
  readonly private: string;
}

const certificate = (host: string, signedBy?: Certificate): Promise<Certificate> =>
  generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: signedBy === undefined },
      { name: 'subjectAltName', altNames: [{ type: 2, value: host }] },
    ],
    ...(signedBy === undefined ? {} : { ca: { key: signedBy.private, cert: signedBy.cert } }),
  });

const HBA = `
hostnossl all cleartext 127.0.0.1/32 password
hostssl   all cleartext 127.0.0.1/32 password
host      all hashed    127.0.0.1/32 md5
host      all trusted   127.0.0.1/32 trust
hostnossl all tlsonly   127.0.0.1/32 reject
host      all all       127.0.0.1/32 scram-sha-256
`;

let server: TestPostgres;
let ca: Certificate;
let plain: UpstreamTarget;
let secure: UpstreamTarget;
const open: Upstream[] = [];

/** A file that the server's user can read, whoever that is. */
async function serverFile(name: string, text: string): Promise<void> {
  const file = path.join(server.dataDir, name);
  const { uid, gid } = await stat(server.dataDir);
  await writeFile(file, text, { mode: 0o600 });
  await chown(file, uid, gid);
}

beforeAll(async () => {
  server = await testPostgres();
  ca = await certificate('Test CA');
  const own = await certificate('db.example.com', ca);
  await serverFile('server.crt', own.cert);
  await serverFile('server.key', own.private);
  await serverFile('pg_hba.conf', HBA);
  for (const role of ['ann', 'cleartext', 'trusted', 'tlsonly']) await server.query(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`);
  await server.query(`SET password_encryption = md5; CREATE ROLE hashed LOGIN PASSWORD '${PASSWORD}'`);
  await server.query('ALTER SYSTEM SET ssl = on');
  await server.query('SELECT pg_reload_conf()');
  const address = { host: server.host, port: server.port };
  plain = { ...address, tls: 'disable' };
  secure = { ...address, tls: 'verify-full', ca: ca.cert, servername: 'db.example.com' };
  // The reload is done by the server in its own time: wait until it offers TLS and reads the new rules.
  for (let tries = 0; ; tries += 1) {
    try {
      return await drop(await connect(secure, 'trusted'));
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}, 60_000);

afterAll(() => server.stop());
afterEach(async () => {
  for (const upstream of open.splice(0)) await drop(upstream);
});

async function connect(target: UpstreamTarget, user: string, login: Partial<UpstreamLogin> = {}): Promise<Upstream> {
  const upstream = await connectUpstream(target, {
    protocol: '3.2',
    password: PASSWORD,
    limits: LIMITS,
    ...login,
    parameters: { user, database: 'test', ...login.parameters },
  });
  open.push(upstream);
  return upstream;
}

function drop({ socket }: Upstream): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.once('close', () => resolve()).destroy();
  });
}

async function refusal(attempt: Promise<unknown>): Promise<UpstreamError> {
  try {
    await attempt;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(PASSWORD);
    return error;
  }
  throw new Error('was not refused');
}

type Answer = BackendMessage | UnknownMessage;

/** Sends a simple query and reads up to ReadyForQuery, as whoever takes the socket over would. */
function query({ socket, leftover }: Upstream, sql: string): Promise<readonly Answer[]> {
  return new Promise((resolve, reject) => {
    const answers: Answer[] = [];
    const scanner = new FrameScanner({ maxFrameBytes: LIMITS.maxFrameBytes });
    const onData = (chunk: Buffer): void => {
      scanner.push(chunk, (type, bytes, start, end) => {
        answers.push(decodeBackend(type, Buffer.from(bytes.subarray(start, end))));
      });
      if (answers.at(-1)?.kind === 'readyForQuery') {
        socket.off('data', onData);
        resolve(answers);
      }
    };
    socket.on('error', reject).on('data', onData).resume();
    onData(leftover);
    socket.write(encodeQuery({ kind: 'query', sql: Buffer.from(sql) }));
  });
}

function onlyValue(answers: readonly Answer[]): string | undefined {
  const row = answers.find((answer) => answer.kind === 'dataRow');
  return row?.values[0]?.toString();
}

const LISTENED = ['data', 'readable', 'error', 'close', 'secureConnect', 'connect', 'timeout'] as const;
const listeners = (socket: Socket): string[] => LISTENED.filter((event) => socket.listenerCount(event) > 0);

describe('connectUpstream', () => {
  it('signs in with SCRAM and hands over a quiet, paused socket', async () => {
    const upstream = await connect(plain, 'ann', { parameters: { application_name: 'run:1', options: '-c statement_timeout=4321' } });
    expect(upstream).toMatchObject({ protocol: '3.2', authentication: 'scram-sha-256', transactionStatus: 'I', notices: [] });
    expect(upstream.parameterStatus).toContainEqual(['application_name', 'run:1']);
    expect(upstream.parameterStatus).toContainEqual(['server_encoding', 'UTF8']);
    expect(listeners(upstream.socket)).toEqual([]);
    expect(upstream.socket.isPaused()).toBe(true);
    expect(onlyValue(await query(upstream, 'SHOW statement_timeout'))).toBe('4321ms');
  });

  it.each([
    ['3.0', 4],
    ['3.2', 32],
  ] as const)('protocol %s: a key of %i bytes', async (protocol, bytes) => {
    const upstream = await connect(plain, 'ann', { protocol });
    expect(upstream.protocol).toBe(protocol);
    expect(upstream.backendKey.secret).toHaveLength(bytes);
    expect(onlyValue(await query(upstream, 'SELECT pg_backend_pid()'))).toBe(String(upstream.backendKey.processId));
  });

  it('binds SCRAM to the channel inside TLS', async () => {
    const upstream = await connect(secure, 'ann');
    expect(upstream.authentication).toBe('scram-sha-256-plus');
    expect(upstream.socket).toBeInstanceOf(TLSSocket);
    // Node's own, which frees the TLS state.
    expect(listeners(upstream.socket)).toEqual(['close']);
    expect(upstream.socket.isPaused()).toBe(true);
    expect(onlyValue(await query(upstream, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'))).toBe('t');
  });

  it("reads into the caller's one buffer, where there is no TLS", async () => {
    const buffer = Buffer.alloc(4096);
    const said: Buffer[] = [];
    let tell: (() => void) | undefined;
    const callback = (bytes: number, into: Uint8Array): boolean => {
      expect(into.buffer).toBe(buffer.buffer);
      said.push(Buffer.from(into.subarray(0, bytes)));
      tell?.();
      return true;
    };
    const upstream = await connect(plain, 'ann', { onread: { buffer, callback } });
    expect(upstream.usesOnread).toBe(true);
    expect(listeners(upstream.socket)).toEqual([]);
    upstream.socket.write(encodeQuery({ kind: 'query', sql: Buffer.from("SELECT repeat('x', 100000)") }));
    // Paused: nothing is read before the new owner asks for it.
    await server.query('SELECT 1');
    expect(said).toEqual([]);
    const whole = new Promise<void>((resolve) => {
      tell = () => {
        if (said.at(-1)?.subarray(-6).equals(Buffer.from('Z\0\0\0\x05I'))) resolve();
      };
    });
    upstream.socket.resume();
    await whole;
    expect(Buffer.concat(said).toString('latin1').split('x')).toHaveLength(100_001);

    expect((await connect(secure, 'ann', { onread: { buffer, callback } })).usesOnread).toBe(false);
  });

  it('speaks TLS from the first byte', async () => {
    const upstream = await connect({ ...secure, tlsNegotiation: 'direct' }, 'ann');
    expect((upstream.socket as TLSSocket).alpnProtocol).toBe('postgresql');
    expect(onlyValue(await query(upstream, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'))).toBe('t');
  });

  it('refuses a certificate of another host, and one of another authority', async () => {
    const { servername: _, ...byAddress } = secure;
    expect(await refusal(connect(byAddress, 'ann'))).toMatchObject({ code: 'UPSTREAM_TLS' });
    expect(await refusal(connect({ ...secure, servername: 'other.example.com' }, 'ann'))).toMatchObject({ code: 'UPSTREAM_TLS' });
    const other = await certificate('Other CA');
    for (const tls of ['verify-full', 'verify-ca'] as const) {
      expect(await refusal(connect({ ...secure, tls, ca: other.cert }, 'ann'))).toMatchObject({ code: 'UPSTREAM_TLS' });
    }
  });

  it('verify-ca takes any host of the authority, require takes anything', async () => {
    expect((await connect({ ...secure, tls: 'verify-ca', servername: 'other.example.com' }, 'ann')).socket).toBeInstanceOf(TLSSocket);
    const { ca: _, ...unknown } = secure;
    expect((await connect({ ...unknown, tls: 'require' }, 'ann')).socket).toBeInstanceOf(TLSSocket);
  });

  it('P3: shows a password only to a server whose certificate was checked', async () => {
    const { ca: _, ...noCa } = secure;
    for (const target of [plain, { ...secure, tls: 'require' as const }]) {
      for (const user of ['cleartext', 'hashed']) {
        const error = await refusal(connect(target, user));
        expect(error).toMatchObject({ code: 'UPSTREAM_AUTH', sqlstate: undefined });
        expect(error.message).toContain('verify-full');
      }
    }
    expect(await refusal(connect({ ...noCa, tls: 'verify-ca' }, 'cleartext'))).toMatchObject({ code: 'UPSTREAM_TLS' });
    expect(await connect(secure, 'cleartext')).toMatchObject({ authentication: 'cleartext' });
    expect(await connect({ ...secure, tls: 'verify-ca' }, 'hashed')).toMatchObject({ authentication: 'md5' });
  });

  it('tells when the target asked for nothing', async () => {
    expect(await connect(plain, 'trusted')).toMatchObject({ authentication: 'none' });
  });

  it('P3: a wrong password is UPSTREAM_AUTH with the SQLSTATE, and names no secret', async () => {
    const error = await refusal(connect(plain, 'ann', { password: 'wrong-secret' }));
    expect(error).toMatchObject({ code: 'UPSTREAM_AUTH', sqlstate: '28P01' });
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('wrong-secret');
    expect(await refusal(connect(plain, 'ann', { password: '' }))).toMatchObject({ code: 'UPSTREAM_AUTH', sqlstate: undefined });
  });

  it("keeps the target's own error", async () => {
    const missing = await refusal(connect(plain, 'ann', { parameters: { database: 'nowhere' } }));
    expect(missing).toMatchObject({ code: 'UPSTREAM_REFUSED', sqlstate: '3D000', fields: { severity: 'FATAL' } });
    const setting = await refusal(connect(plain, 'ann', { parameters: { datestyle: 'nonsense' } }));
    expect(setting).toMatchObject({ code: 'UPSTREAM_REFUSED', sqlstate: '22023' });
    expect(await refusal(connect(plain, 'tlsonly'))).toMatchObject({ code: 'UPSTREAM_AUTH', sqlstate: '28000' });
  });

  it('refuses parameters that have no encoding', async () => {
    const error = await refusal(connect(plain, 'ann', { parameters: { application_name: 'a\0user\0postgres' } }));
    expect(error.code).toBe('UPSTREAM_PROTOCOL');
  });

  it('names the options that the target does not know', async () => {
    expect(await connect(plain, 'ann', { parameters: { '_pq_.nobody_knows': '1' } })).toMatchObject({
      unknownOptions: ['_pq_.nobody_knows'],
      protocol: '3.2',
    });
  });

  it('nobody there is UPSTREAM_UNREACHABLE', async () => {
    expect(await refusal(connect({ host: '127.0.0.1', port: 1, tls: 'disable' }, 'ann'))).toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    expect(await refusal(connect({ path: '/nonexistent/.s.PGSQL.1', tls: 'disable' }, 'ann'))).toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
    });
  });

  it('is given up when its signal fires', async () => {
    const gone = AbortSignal.abort(new Error('session revoked'));
    expect(await refusal(connect(plain, 'ann', { signal: gone }))).toMatchObject({ code: 'UPSTREAM_ABORTED' });
  });
});

describe('cancelUpstream', () => {
  it.each([
    ['in the clear, protocol 3.0', () => plain, '3.0'],
    ['in the clear, protocol 3.2', () => plain, '3.2'],
    ['inside TLS', () => secure, '3.2'],
    ['inside direct TLS', (): UpstreamTarget => ({ ...secure, tlsNegotiation: 'direct' }), '3.2'],
  ] as const)('cancels what runs: %s', async (_how, target, protocol) => {
    const upstream = await connect(target(), 'ann', { protocol });
    const sleeping = query(upstream, 'SELECT pg_sleep(600)');
    const { processId } = upstream.backendKey;
    for (;;) {
      const { rows } = await server.query<{ state: string }>('SELECT state FROM pg_stat_activity WHERE pid = $1', [processId]);
      if (rows[0]?.state === 'active') break;
    }
    await cancelUpstream(target(), { key: upstream.backendKey, timeoutMs: 15_000 });
    expect((await sleeping).find((answer) => answer.kind === 'errorResponse')).toMatchObject({ fields: { code: '57014' } });
  });

  it('a wrong key cancels nothing, and does not say so', async () => {
    const upstream = await connect(plain, 'ann');
    const key = { processId: upstream.backendKey.processId, secret: Buffer.alloc(32) };
    await cancelUpstream(plain, { key, timeoutMs: 15_000 });
    expect(onlyValue(await query(upstream, 'SELECT 1'))).toBe('1');
  });
});
