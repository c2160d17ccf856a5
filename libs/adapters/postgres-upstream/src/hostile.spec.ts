import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';

import {
  type BackendMessage,
  decodeFrontend,
  decodeStartupPacket,
  encodeBackend,
  FrameScanner,
  type FrontendMessage,
  type StartupPacket,
} from '@sallyport/wire-postgres';

import { cancelUpstream, connectUpstream, type Upstream, UpstreamError, type UpstreamLimits, type UpstreamTarget } from './index.js';

/*
 * Targets that misbehave. No real server does what these do, so here a script stands in for one.
 */

const PASSWORD = 'secret-of-the-lease';
const KEY: BackendMessage = { kind: 'backendKeyData', processId: 7, secret: Buffer.from('abcd') };
const OK: BackendMessage = { kind: 'authenticationOk' };
const READY: BackendMessage = { kind: 'readyForQuery', status: 'I' };

/** What a scripted target does with a connection's startup packet and with each message after it. */
interface Script {
  startup?(packet: StartupPacket, say: Say): void;
  message?(body: Buffer, say: Say): void;
}
type Say = ((...messages: (BackendMessage | Buffer)[]) => void) & { readonly socket: Socket };

const servers: Server[] = [];
const sockets = new Set<Socket>();

async function target(script: Script): Promise<UpstreamTarget> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const say: Say = Object.assign(
      (...messages: (BackendMessage | Buffer)[]) =>
        void socket.write(Buffer.concat(messages.map((message) => (Buffer.isBuffer(message) ? message : encodeBackend(message))))),
      { socket },
    );
    const scanner = new FrameScanner({ maxFrameBytes: 65_536 });
    socket.once('data', (first) => {
      script.startup?.(decodeStartupPacket(first.subarray(4)), say);
      socket.on('data', (chunk) => {
        scanner.push(chunk, (_type, bytes, start, end) => {
          script.message?.(Buffer.from(bytes.subarray(start, end)), say);
        });
      });
    });
  });
  servers.push(server);
  for (let port = 21_000 + Math.floor(Math.random() * 9_000); ; port += 1) {
    const bound = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (bound) return { host: '127.0.0.1', port, tls: 'disable' };
  }
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

const LIMITS: UpstreamLimits = { connectTimeoutMs: 15_000, maxFrameBytes: 65_536 };

function connect(to: UpstreamTarget, limits: Partial<UpstreamLimits> = {}, protocol: '3.0' | '3.2' = '3.2'): Promise<Upstream> {
  return connectUpstream(to, { protocol, parameters: { user: 'ann' }, password: PASSWORD, limits: { ...LIMITS, ...limits } });
}

async function refusal(attempt: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await attempt.then(
    () => new Error('was not refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpstreamError)) throw error;
  expect(`${error.stack} ${String(error.cause)}`).not.toContain(PASSWORD);
  return error;
}

/** A SCRAM-SHA-256 server (RFC 5802 §3) with one thing wrong at will. */
function scramServer(wrong: {
  signature?: boolean;
  iterations?: number;
  nonce?: boolean;
  skipFinal?: boolean;
  mechanisms?: string[];
}): Script {
  const salt = Buffer.from('0123456789abcdef');
  const iterations = wrong.iterations ?? 4096;
  let firstBare = '';
  let serverFirst = '';
  return {
    startup: (_packet, say) => say({ kind: 'authenticationSasl', mechanisms: wrong.mechanisms ?? ['SCRAM-SHA-256'] }),
    message: (body, say) => {
      if (serverFirst === '') {
        const message = decodeFrontend(0x70, body, 'saslInitialResponse') as Extract<FrontendMessage, { kind: 'saslInitialResponse' }>;
        firstBare = message.data!.toString().replace(/^n,,/, '');
        const nonce = wrong.nonce ? 'somebody-elses' : `${firstBare.replace(/^.*r=/, '')}more`;
        serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
        return say({ kind: 'authenticationSaslContinue', data: Buffer.from(serverFirst) });
      }
      const salted = pbkdf2Sync(PASSWORD, salt, iterations, 32, 'sha256');
      const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
      const [, withoutProof = '', proof = ''] = /^(.*),p=(.*)$/.exec(body.toString()) ?? [];
      const authMessage = `${firstBare},${serverFirst},${withoutProof}`;
      const clientKey = hmac(salted, 'Client Key');
      const mask = hmac(createHash('sha256').update(clientKey).digest(), authMessage);
      const expected = Buffer.from(clientKey.map((byte, i) => byte ^ mask[i]!)).toString('base64');
      if (proof !== expected) return void say.socket.destroy();
      const signature = hmac(hmac(salted, wrong.signature ? 'Another Key' : 'Server Key'), authMessage).toString('base64');
      if (!wrong.skipFinal) say({ kind: 'authenticationSaslFinal', data: Buffer.from(`v=${signature}`) });
      say(OK, KEY, READY);
    },
  };
}

describe('SCRAM with a target that is not what it says', () => {
  it('the stand-in signs in when nothing is wrong', async () => {
    const upstream = await connect(await target(scramServer({})));
    expect(upstream).toMatchObject({ authentication: 'scram-sha-256' });
    upstream.socket.destroy();
  });

  it.each([
    ['its signature is wrong', { signature: true }],
    ['it skips its signature', { skipFinal: true }],
    ['its nonce is not ours', { nonce: true }],
    ['it wants too many iterations', { iterations: 10_000_000 }],
    ['it offers no mechanism of ours', { mechanisms: ['OAUTHBEARER'] }],
    ['it offers channel binding only, where there is no channel', { mechanisms: ['SCRAM-SHA-256-PLUS'] }],
  ])('P3: is refused when %s', async (_what, wrong) => {
    expect(await refusal(connect(await target(scramServer(wrong))))).toMatchObject({ code: 'UPSTREAM_AUTH' });
  });

  it('P3: is not asked twice, so that a password can not be talked out after SCRAM', async () => {
    const script = scramServer({});
    const to = await target({ ...script, message: (_body, say) => say({ kind: 'authenticationCleartextPassword' }) });
    expect(await refusal(connect({ ...to, tls: 'disable' }))).toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
  });

  it('names a method that it has no answer to', async () => {
    const to = await target({ startup: (_packet, say) => say({ kind: 'authenticationOther', method: 7, data: Buffer.alloc(0) }) });
    const error = await refusal(connect(to));
    expect(error).toMatchObject({ code: 'UPSTREAM_AUTH' });
    expect(error.message).toContain('scram-sha-256');
  });
});

describe('the handshake', () => {
  const ready = (...messages: (BackendMessage | Buffer)[]): Script => ({ startup: (_packet, say) => say(OK, ...messages, READY) });

  it('P1: loses no byte that came behind ReadyForQuery, in the same packet or later', async () => {
    const behind = encodeBackend({ kind: 'notificationResponse', processId: 1, channel: 'c', payload: 'p' });
    const to = await target({
      startup: (_packet, say) => {
        say(OK, KEY, READY, behind.subarray(0, 3));
        setTimeout(() => say(behind.subarray(3)), 20);
      },
    });
    const { socket, leftover } = await connect(to);
    expect(socket.isPaused()).toBe(true);
    const chunks = [leftover];
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (Buffer.concat(chunks).length === behind.length) resolve();
      });
      socket.resume();
    });
    expect(Buffer.concat(chunks)).toEqual(behind);
    socket.destroy();
  });

  it('reads the same however it is cut', async () => {
    const notice: BackendMessage = { kind: 'noticeResponse', fields: { severity: 'WARNING', code: '01000', message: 'mind the gap' } };
    const status: BackendMessage = { kind: 'parameterStatus', name: 'TimeZone', value: 'UTC' };
    const bytes = Buffer.concat([notice, OK, status, KEY, notice, READY].map(encodeBackend));
    const to = await target({
      startup: (_packet, say) => {
        const next = (at: number): void => {
          if (at >= bytes.length) return;
          say(bytes.subarray(at, at + 7));
          setImmediate(next, at + 7);
        };
        next(0);
      },
    });
    const upstream = await connect(to);
    expect(upstream.parameterStatus).toEqual([['TimeZone', 'UTC']]);
    expect(upstream.notices).toHaveLength(2);
    expect(upstream.backendKey).toEqual({ processId: 7, secret: Buffer.from('abcd') });
    upstream.socket.destroy();
  });

  it('takes an older minor version, as PostgreSQL 17 and before answer', async () => {
    const asked: unknown[] = [];
    const to = await target({
      startup: (packet, say) => {
        if (packet.kind === 'startupMessage') asked.push(packet.protocol);
        say({ kind: 'negotiateProtocolVersion', newest: { major: 3, minor: 0 }, unknownOptions: [] }, OK, KEY, READY);
      },
    });
    const upstream = await connect(to);
    expect(asked).toEqual([{ major: 3, minor: 2 }]);
    expect(upstream.protocol).toBe('3.0');
    upstream.socket.destroy();
  });

  it.each([
    [4, 0],
    [3, 1],
    [3, 9999],
  ])('refuses to go to version %i.%i', async (major, minor) => {
    const to = await target(ready({ kind: 'negotiateProtocolVersion', newest: { major, minor }, unknownOptions: [] }));
    const first = await target({
      startup: (_packet, say) => say({ kind: 'negotiateProtocolVersion', newest: { major, minor }, unknownOptions: [] }),
    });
    expect(await refusal(connect(first))).toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
    expect(await refusal(connect(to))).toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
  });

  it('refuses to go up to 3.2 when 3.0 was asked for', async () => {
    const to = await target({
      startup: (_packet, say) => say({ kind: 'negotiateProtocolVersion', newest: { major: 3, minor: 2 }, unknownOptions: [] }),
    });
    expect(await refusal(connect(to, {}, '3.0'))).toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
  });

  it.each<[string, Script]>([
    ['rows before it is ready', ready({ kind: 'dataRow', values: [] })],
    ['a message nobody knows', ready(Buffer.from('!\0\0\0\x04'))],
    ['no key to cancel with', ready()],
    ['another protocol', { startup: (_packet, say) => say(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')) }],
    ['a broken message', { startup: (_packet, say) => say(Buffer.from('R\0\0\0\x05\0')) }],
    ['a signature nobody asked for', { startup: (_packet, say) => say({ kind: 'authenticationSaslFinal', data: Buffer.from('v=eA==') }) }],
  ])('a target that says %s is UPSTREAM_PROTOCOL', async (_what, script) => {
    expect(await refusal(connect(await target(script)))).toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
  });

  it('P9: a frame over the limit, and talk without end, are UPSTREAM_PROTOCOL', async () => {
    const notice: BackendMessage = { kind: 'noticeResponse', fields: { message: 'x'.repeat(900) } };
    const large = await target({ startup: (_packet, say) => say(notice) });
    expect(await refusal(connect(large, { maxFrameBytes: 800 }))).toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
    const endless = await target({
      startup: (_packet, say) => {
        const timer = setInterval(() => say(notice, notice, notice), 1);
        say.socket.on('close', () => clearInterval(timer));
      },
    });
    const error = await refusal(connect(endless, { maxHandshakeBytes: 20_000 }));
    expect(error.code).toBe('UPSTREAM_PROTOCOL');
    expect(error.message).toContain('20000');
  });

  it('P9: a silent target is UPSTREAM_TIMEOUT, wherever it falls silent', async () => {
    const silent = await target({});
    const limits = { connectTimeoutMs: 100 };
    expect(await refusal(connect(silent, limits))).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    expect(await refusal(connect({ ...silent, tls: 'require' }, limits))).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    expect(await refusal(connect({ ...silent, tls: 'require', tlsNegotiation: 'direct' }, limits))).toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
    });
    const halfway = await target({ startup: (_packet, say) => say(OK) });
    expect(await refusal(connect(halfway, limits))).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    const key = { processId: 1, secret: Buffer.alloc(4) };
    expect(await refusal(cancelUpstream(silent, { key, timeoutMs: 100 }))).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  it('a caller who gives up gets its socket closed', async () => {
    const abort = new AbortController();
    const closed = new Promise<void>((resolve) => {
      void target({ startup: (_packet, say) => void say.socket.on('close', () => resolve()) }).then(async (to) => {
        const attempt = refusal(
          connectUpstream(to, { protocol: '3.2', parameters: {}, password: PASSWORD, limits: LIMITS, signal: abort.signal }),
        );
        setTimeout(() => abort.abort(), 50);
        expect(await attempt).toMatchObject({ code: 'UPSTREAM_ABORTED' });
      });
    });
    await closed;
  });

  it('a target that hangs up is UPSTREAM_UNREACHABLE, and its last words are kept', async () => {
    const quiet = await target({ startup: (_packet, say) => void say.socket.end() });
    expect(await refusal(connect(quiet))).toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    const starting = encodeBackend({ kind: 'errorResponse', fields: { code: '57P03', message: 'the database system is starting up' } });
    const loud = await target({ startup: (_packet, say) => void say.socket.end(starting) });
    expect(await refusal(connect(loud))).toMatchObject({ code: 'UPSTREAM_REFUSED', sqlstate: '57P03' });
  });
});

describe('TLS with a target that is not what it says', () => {
  it.each<[string, Buffer, string]>([
    ['offers none', Buffer.from('N'), 'UPSTREAM_TLS'],
    ['answers with an error in the clear', Buffer.from('E'), 'UPSTREAM_TLS'],
    ['sends more than its answer', Buffer.from('Sx'), 'UPSTREAM_PROTOCOL'],
  ])('P3: is sent nothing more when it %s', async (_what, answer, code) => {
    const packets: string[] = [];
    let more = 0;
    const to = await target({
      startup: (packet, say) => {
        packets.push(packet.kind);
        say.socket.on('data', () => (more += 1));
        say(answer);
      },
    });
    expect(await refusal(connect({ ...to, tls: 'require' }))).toMatchObject({ code });
    expect(packets).toEqual(['sslRequest']);
    expect(more).toBe(0);
  });

  it('that hangs up in the middle is UPSTREAM_TLS', async () => {
    const to = await target({
      startup: (_packet, say) => {
        say(Buffer.from('S'));
        say.socket.end();
      },
    });
    expect(await refusal(connect({ ...to, tls: 'require' }))).toMatchObject({ code: 'UPSTREAM_TLS' });
  });
});
