import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import {
  BackendType,
  decodeAuthentication,
  decodeBackendKeyData,
  encodePasswordMessage,
  encodeSASLInitialResponse,
  encodeSASLResponse,
  encodeStartupPacket,
  encodeTerminate,
  FrameScanner,
} from '@sallyport/wire-postgres';
import { ScramClient } from './scram.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface ConnectOptions {
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of protocol 3. Default 0. */
  readonly minor?: number;
  /** The host accepts SSLRequest (`request`) or a TLS connection at once (`direct`). */
  readonly tls?: 'request' | 'direct';
}

export interface Message {
  readonly type: number;
  readonly body: Buffer;
}

/** The largest answer of the corpus is a value of 20 MB. */
const MAX_FRAME_BYTES = 64 << 20;
export const ANSWER_TIMEOUT_MS = 60_000;

/**
 * A connection that keeps nothing to itself: whatever the server says is handed on, byte for byte. It does what libpq does up to the
 * first ReadyForQuery, and after that only what the script says.
 */
export class Connection {
  readonly #arrived: Message[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  processId = 0;
  secret: Buffer = Buffer.alloc(0);
  /** All messages up to and including the first ReadyForQuery, or the refusal. */
  readonly startup: Message[] = [];

  private constructor(
    readonly socket: Socket,
    private readonly endpoint: Endpoint,
  ) {
    const scanner = new FrameScanner({ maxFrameBytes: MAX_FRAME_BYTES });
    socket.on('data', (chunk: Buffer) => {
      scanner.push(chunk, (type, bytes, start, end) => {
        this.#arrived.push({ type, body: Buffer.from(bytes.subarray(start, end)) });
      });
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  static async open(endpoint: Endpoint, options: ConnectOptions = {}): Promise<Connection> {
    const connection = new Connection(await openSocket(endpoint, options.tls), endpoint);
    const parameters = new Map(Object.entries({ user: endpoint.user, database: endpoint.database, ...options.parameters }));
    connection.send(encodeStartupPacket({ kind: 'startupMessage', protocol: { major: 3, minor: options.minor ?? 0 }, parameters }));
    await connection.#signIn();
    return connection;
  }

  /** True when the session is usable; false when it was refused at the door. */
  get ready(): boolean {
    return this.startup.at(-1)?.type === BackendType.readyForQuery;
  }

  send(...frames: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames));
  }

  /** The next message; undefined when the server has hung up. */
  async next(timeoutMs = ANSWER_TIMEOUT_MS): Promise<Message | undefined> {
    while (this.#arrived.length === 0) {
      if (this.#ended) return undefined;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), timeoutMs)));
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const which = await Promise.race([woken, late]);
      clearTimeout(timer);
      if (which === 'late') throw new Error(`no answer within ${timeoutMs} ms`);
    }
    return this.#arrived.shift();
  }

  async #signIn(): Promise<void> {
    const scram = new ScramClient(this.endpoint.password);
    for (;;) {
      const message = await this.next();
      if (!message) return;
      this.startup.push(message);
      if (message.type === BackendType.backendKeyData) {
        const key = decodeBackendKeyData(message.body);
        this.processId = key.processId;
        this.secret = Buffer.from(key.secret);
      }
      if (message.type === BackendType.readyForQuery || message.type === BackendType.errorResponse) return;
      if (message.type !== BackendType.authentication) continue;
      const asked = decodeAuthentication(message.body);
      if (asked.kind === 'authenticationCleartextPassword')
        this.send(encodePasswordMessage({ kind: 'passwordMessage', password: this.endpoint.password }));
      if (asked.kind === 'authenticationSasl')
        this.send(encodeSASLInitialResponse({ kind: 'saslInitialResponse', mechanism: 'SCRAM-SHA-256', data: Buffer.from(scram.first) }));
      if (asked.kind === 'authenticationSaslContinue')
        this.send(encodeSASLResponse({ kind: 'saslResponse', data: Buffer.from(scram.final(Buffer.from(asked.data).toString())) }));
    }
  }

  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    const closed = once(this.socket, 'close').catch(() => undefined);
    this.send(encodeTerminate({ kind: 'terminate' }));
    this.socket.end();
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref())]);
    this.socket.destroy();
  }
}

const CLOSE_TIMEOUT_MS = 5000;

async function openSocket({ host, port }: Endpoint, tls: ConnectOptions['tls']): Promise<Socket> {
  const options = { host, port, noDelay: true };
  const secure = { rejectUnauthorized: false, ALPNProtocols: ['postgresql'] };
  if (tls === 'direct') {
    const direct = connectTls({ ...options, ...secure });
    await once(direct, 'secureConnect');
    return direct;
  }
  const plain = connect(options);
  await once(plain, 'connect');
  if (tls === undefined) return plain;
  plain.write(encodeStartupPacket({ kind: 'sslRequest' }));
  const [answer] = (await once(plain, 'data')) as [Buffer];
  if (answer.toString() !== 'S') throw new Error(`the server answered SSLRequest with ${answer.toString()}`);
  plain.pause();
  const upgraded = connectTls({ socket: plain, ...secure });
  await once(upgraded, 'secureConnect');
  return upgraded;
}
