import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BackendType,
  decodeAuthentication,
  decodeErrorResponse,
  decodeReadyForQuery,
  encodeOAuthBearerInitialResponse,
  encodeQuery,
  encodeSASLInitialResponse,
  encodeSASLResponse,
  encodeStartupPacket,
  type ErrorFields,
  FrameScanner,
} from '@sallyport/wire-postgres';
import { postgresResource, runToEnd, startSallyport, startTarget } from '../harness/index.mjs';
import type { Sallyport, Target } from '../harness/index.mjs';
import { PREPARE } from './driver/both-ways.js';
import { Connection, type ConnectOptions, type Message } from './driver/connection.js';
import { ADMIN_ENV, ALLOW_ALL, freshDatabase, PROFILES, RESOURCE, SUBJECT } from './driver/routes.js';

const STRANGER = 'stranger';
const SIGN_IN_TIMEOUT_MS = 3000;

describe('Signing in at the edge', () => {
  let target: Target;
  let up: Sallyport;
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'sallyport-sign-in-'));
    const tls = { cert: join(scratch, 'edge.pem'), key: join(scratch, 'edge.key') };
    const subject = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await runToEnd('openssl', ['req', '-x509', ...key, ...subject, '-keyout', tls.key, '-out', tls.cert]);
    target = await startTarget({ database: 'postgres' });
    await freshDatabase(target, RESOURCE, PREPARE);
    up = await startSallyport({
      resources: [RESOURCE, 'elsewhere'].map((name) =>
        postgresResource({ name, target, database: RESOURCE, adminEnv: ADMIN_ENV, profiles: PROFILES }),
      ),
      grants: [
        ...ALLOW_ALL,
        { name: 'somebody else', who: { subjects: [STRANGER] }, on: { names: ['elsewhere'] }, allow: ['*'], credential: 'everything' },
      ],
      env: { [ADMIN_ENV]: target.url(RESOURCE) },
      limits: { signInTimeout: `${SIGN_IN_TIMEOUT_MS}ms` },
      tls,
    });
  }, 300_000);

  afterAll(async () => {
    await up?.stop();
    await target?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  const endpoint = (database = RESOURCE, password = up.tokens[SUBJECT]!) => ({
    host: up.host,
    port: up.port,
    user: 'me',
    database,
    password,
  });

  async function refusal(options: { database?: string; password?: string }, connect_: ConnectOptions = {}): Promise<ErrorFields> {
    const connection = await Connection.open(endpoint(options.database, options.password), connect_);
    const last = connection.startup.at(-1)!;
    await connection.close();
    expect(last.type).toBe(BackendType.errorResponse);
    return decodeErrorResponse(last.body).fields;
  }

  async function worksAs(options: ConnectOptions): Promise<Connection> {
    const connection = await Connection.open(endpoint(), options);
    expect(connection.ready).toBe(true);
    connection.send(encodeQuery({ kind: 'query', sql: Buffer.from('SELECT 1') }));
    for (let message: Message | undefined; (message = await connection.next());) {
      expect(message.type).not.toBe(BackendType.errorResponse);
      if (message.type === BackendType.readyForQuery) break;
    }
    return connection;
  }

  it.each([
    ['plain on loopback', {}],
    ['TLS by SSLRequest', { tls: 'request' }],
    ['TLS at once', { tls: 'direct' }],
    ['protocol 3.2', { minor: 2 }],
    ['protocol 3.2 over TLS', { minor: 2, tls: 'direct' }],
  ] as const)('P8: a token as password: %s', async (_, options) => {
    const connection = await worksAs(options);
    // Protocol 3.0 has keys of four bytes.
    expect(connection.secret.length).toBe('minor' in options ? 32 : 4);
    await connection.close();
  });

  it('P8: psql signs in with sslmode=require, and with verify-full', async () => {
    for (const mode of [['require'], ['verify-full', `sslrootcert=${join(scratch, 'edge.pem')}`]]) {
      const dsn = `host=${up.host} port=${up.port} dbname=${RESOURCE} user=me sslmode=${mode.join(' ')}`;
      const { stdout } = await runToEnd('psql', ['-X', '-A', '-t', '-c', 'SELECT 42', dsn], {
        env: { ...process.env, PGPASSWORD: up.tokens[SUBJECT]! },
      });
      expect(stdout).toBe('42\n');
    }
  });

  it('P3: a token that is no token, is cut, or is another’s signature is FATAL 28P01, and does not say why', async () => {
    const good = up.tokens[SUBJECT]!;
    const [head, claims, signature] = good.split('.') as [string, string, string];
    const expired = Buffer.from(
      JSON.stringify({ ...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as object), exp: 1 }),
    ).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const said = new Set<string>();
    for (const password of ['', 'nonsense', good.slice(0, -5), `${head}.${expired}.${signature}`, `${none}.${claims}.`, `${good} `])
      said.add(JSON.stringify(await refusal({ password })));
    expect([...said].map((text) => JSON.parse(text) as ErrorFields)).toEqual([
      {
        severity: 'FATAL',
        severityNonLocalized: 'FATAL',
        code: '28P01',
        message: 'the token was not accepted',
        hint: expect.any(String) as string,
      },
    ]);
  });

  it('P8: a resource that is not yours is the same as one that is not there: FATAL 3D000', async () => {
    const notYours = await refusal({ database: 'elsewhere' });
    const notThere = await refusal({ database: 'nowhere' });
    expect(notYours).toMatchObject({ severity: 'FATAL', code: '3D000', message: 'database "elsewhere" does not exist' });
    expect({ ...notYours, message: '' }).toEqual({ ...notThere, message: '' });
    expect(await refusal({ database: `${RESOURCE}/postgres` })).toMatchObject({ code: '3D000' });
    const { rows } = await target.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename LIKE 'sallyport\\_%' AND datname = 'postgres'",
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('P2: replication and another role are refused before anything is asked of the target', async () => {
    for (const parameters of [
      { replication: 'true' },
      { replication: 'database' },
      { role: 'postgres' },
      { options: '-c role=postgres' },
      { session_authorization: 'postgres' },
    ])
      expect(await refusal({}, { parameters })).toMatchObject({ severity: 'FATAL', code: '42501' });
  });

  describe('OAUTHBEARER (RFC 7628)', () => {
    /** The exchange by hand; returns what came last, and the data of what was asked in between. */
    async function bearer(token: string): Promise<{ readonly last: Message; readonly challenge: string | undefined }> {
      const socket = connect({ host: up.host, port: up.port });
      await once(socket, 'connect');
      const scanner = new FrameScanner({ maxFrameBytes: 1 << 20 });
      const parameters = new Map([
        ['user', 'me'],
        ['database', RESOURCE],
        ['options', '-c sallyport.auth=oauthbearer'],
      ]);
      socket.write(encodeStartupPacket({ kind: 'startupMessage', protocol: { major: 3, minor: 0 }, parameters }));
      let challenge: string | undefined;
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        let last: Message | undefined;
        scanner.push(chunk, (type, bytes, start, end) => {
          const body = Buffer.from(bytes.subarray(start, end));
          if (type === BackendType.readyForQuery || type === BackendType.errorResponse) last = { type, body };
          if (type !== BackendType.authentication) return;
          const asked = decodeAuthentication(body);
          if (asked.kind === 'authenticationSasl') {
            expect(asked.mechanisms).toEqual(['OAUTHBEARER']);
            const data = encodeOAuthBearerInitialResponse({ token });
            socket.write(encodeSASLInitialResponse({ kind: 'saslInitialResponse', mechanism: 'OAUTHBEARER', data }));
          }
          if (asked.kind === 'authenticationSaslContinue') {
            challenge = Buffer.from(asked.data).toString();
            socket.write(encodeSASLResponse({ kind: 'saslResponse', data: Buffer.of(1) }));
          }
        });
        if (last) {
          socket.destroy();
          return { last, challenge };
        }
      }
      throw new Error('the edge hung up without a word');
    }

    it('P8: a good token signs in', async () => {
      const { last, challenge } = await bearer(up.tokens[SUBJECT]!);
      expect(challenge).toBeUndefined();
      expect(decodeReadyForQuery(last.body).status).toBe('I');
    });

    it('P8: a bad token is told where to get a good one, then FATAL 28P01', async () => {
      for (const token of ['nonsense', '']) {
        const { last, challenge } = await bearer(token);
        expect(JSON.parse(challenge!)).toMatchObject({ status: 'invalid_token' });
        expect(decodeErrorResponse(last.body).fields).toMatchObject({ severity: 'FATAL', code: '28P01' });
      }
    });
  });

  it('P9: who connects and stays silent delays no one, and is hung up on', async () => {
    const silent = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const socket = connect({ host: up.host, port: up.port });
        await once(socket, 'connect');
        // Some begin and go no further: half a length, half a packet, a TLS hello that stops.
        if (i % 4 === 1) socket.write(Buffer.of(0, 0));
        if (i % 4 === 2) socket.write(Buffer.from([0, 0, 0, 50, 0, 3, 0, 0, 0x75]));
        if (i % 4 === 3) socket.write(Buffer.of(0x16, 3, 1));
        const silence = { open: true };
        socket.on('error', () => undefined);
        socket.on('close', () => (silence.open = false));
        socket.resume();
        return silence;
      }),
    );
    const connection = await worksAs({});
    // It did not have to wait for any of them.
    expect(silent.filter(({ open }) => open)).toHaveLength(silent.length);
    await connection.close();
    for (let waited = 0; waited < 10 * SIGN_IN_TIMEOUT_MS && silent.some(({ open }) => open); waited += 50) await sleep(50);
    expect(silent.filter(({ open }) => open)).toEqual([]);
  });
});
