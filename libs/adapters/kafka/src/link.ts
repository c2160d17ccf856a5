import Connection from 'kafkajs/src/network/connection.js';
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js';
import protocol from 'kafkajs/src/protocol/requests/index.js';
import net from 'node:net';
import tls from 'node:tls';
import { KafkaFault } from './faults.js';
import type { Address, KafkaLogLevel, KafkaSettings } from './options.js';
import { within } from './pauses.js';

const KEEP_ALIVE_MS = 30_000;
/** A session is proved anew so long before the broker would end it (connections.max.reauth.ms, a token's end). */
const REAUTHENTICATE_BEFORE_MS = 10_000;

/** A request in the form of kafkajs: how its body is written, how its answer is read. */
type Call = ReturnType<ReturnType<ReturnType<typeof protocol.lookup>>>;
type Versions = Parameters<typeof protocol.lookup>[0];

/**
 * One signed-in connection to one broker. The broker answers its requests one after the other. It is closed for good by the first
 * request that gets no answer in time: whoever holds it opens another one.
 */
export class Link {
  #closed = false;

  private constructor(
    readonly address: Address,
    private readonly connection: Connection,
    private readonly versions: Versions,
  ) {}

  /** Rejects with `AWAY`, `TIMEOUT` or `SIGN_IN`. */
  static async open(address: Address, settings: KafkaSettings): Promise<Link> {
    const where = `${address.host}:${address.port}`;
    const connection = new Connection(connectionOptions(address, settings));
    calmDown(connection);
    if (settings.sasl?.mechanism === 'oauthbearer') hearRefusals(connection);
    const sign = async (): Promise<Link> => {
      await connection.connect();
      const versions = await askVersions(connection);
      connection.setVersions(versions);
      connection.setSupportAuthenticationProtocol(true);
      await connection.authenticate();
      return new Link(address, connection, versions);
    };
    try {
      // A deadline of ours: a broker that stops while it signs us in, or a connection that ends in it, leaves kafkajs waiting for ever.
      return await within(
        settings.limits.connectTimeoutMs,
        sign(),
        () => new KafkaFault('TIMEOUT', `${where} did not sign us in within ${settings.limits.connectTimeoutMs} ms`),
      );
    } catch (error) {
      destroy(connection, 'the connection was not made');
      throw signInFault(error, where);
    }
  }

  get isOpen(): boolean {
    return !this.#closed && this.connection.isConnected();
  }

  /** The decoded answer, error codes included. Rejects with `AWAY` or `TIMEOUT`, and is closed then. */
  async request<Answer>(api: string, body: object, timeoutMs: number): Promise<Answer> {
    return (await this.send(protocol.lookup(this.versions)(apiKeys[api]!, protocol.requests[api]!)(body), timeoutMs)) as Answer;
  }

  async send({ request, response: { decode } }: Call, timeoutMs: number): Promise<unknown> {
    const where = `${this.address.host}:${this.address.port}`;
    if (!this.isOpen) throw new KafkaFault('AWAY', `the connection to ${where} is closed`);
    try {
      // kafkajs makes the first error code of an answer the error of all of it; here every partition has its own.
      const answer = this.connection.send({ request, response: { decode, parse: async (decoded) => decoded }, logResponseError: false });
      return await within(
        timeoutMs,
        answer,
        () => new KafkaFault('TIMEOUT', `${where} did not answer ${request.apiName} within ${timeoutMs} ms`),
      );
    } catch (error) {
      this.close();
      throw error instanceof KafkaFault ? error : signInFault(error, where);
    }
  }

  /** At once: whoever waits for an answer gets `AWAY`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    destroy(this.connection, 'the connection was closed');
  }
}

function connectionOptions({ host, port }: Address, settings: KafkaSettings): Record<string, unknown> {
  const { tls: secured, sasl, limits } = settings;
  return {
    host,
    port,
    clientId: settings.clientId,
    logger: loggerOf(settings),
    socketFactory,
    ssl: secured === true ? {} : (secured ?? null),
    sasl: sasl === undefined ? null : saslOf(sasl),
    connectionTimeout: limits.connectTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    // Link has its own deadlines, for sign-in too.
    enforceRequestTimeout: false,
    reauthenticationThreshold: REAUTHENTICATE_BEFORE_MS,
  };
}

interface SocketOptions extends Address {
  readonly ssl: tls.ConnectionOptions | null;
  onConnect(): void;
}

/** As kafkajs's own, and without Nagle's algorithm, which would hold back a small request until the last one is acknowledged. */
function socketFactory({ host, port, ssl, onConnect }: SocketOptions): net.Socket {
  const socket = ssl
    ? tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

function saslOf(sasl: NonNullable<KafkaSettings['sasl']>): object {
  if (sasl.mechanism !== 'oauthbearer') return sasl;
  return { mechanism: sasl.mechanism, oauthBearerProvider: async () => ({ value: await sasl.token() }) };
}

/** Of what kafkajs logs only the words: details may hold what was sent. */
function loggerOf({ log }: KafkaSettings): object {
  const at =
    (level: KafkaLogLevel) =>
    (message: unknown, details: { broker?: unknown; error?: unknown } = {}): void =>
      log(level, `kafkajs: ${String(message)}`, { broker: details.broker, error: details.error });
  // What kafkajs calls an error, somebody here decides about and reports.
  const logger = { namespace: () => logger, debug: () => undefined, info: at('debug'), warn: at('debug'), error: at('debug') };
  return logger;
}

async function askVersions(connection: Connection): Promise<Versions> {
  // Version 2: kafkajs knows no later one, and every broker since 2.0 has it (KIP-896).
  const { request, response } = protocol.requests['ApiVersions']!.protocol({ version: 2 })({});
  const answer = (await connection.send({ request, response })) as {
    apiVersions: { apiKey: number; minVersion: number; maxVersion: number }[];
  };
  return Object.fromEntries(answer.apiVersions.map(({ apiKey, ...range }) => [apiKey, range]));
}

/**
 * After its first answer the request queue of kafkajs sets a timer of a millisecond that sets itself again for ever, one for each
 * connection, to look at a queue that is empty.
 */
function calmDown({ requestQueue }: Connection): void {
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule();
  };
}

/**
 * A broker refuses a token in the words of the mechanism (RFC 7628, 3.2.2): its answer has no error code, and says why in its bytes. kafkajs doesn't look
 * at them, and believes that it is signed in.
 */
function hearRefusals(connection: Connection): void {
  const send = connection.send.bind(connection);
  connection.send = async (call) => {
    const answer = await send(call);
    if (call.request.apiKey !== apiKeys['SaslAuthenticate']) return answer;
    // With their length before them.
    if ((answer as { authBytes: Buffer }).authBytes.length > 4) throw new KafkaFault('SIGN_IN', 'the token was refused');
    return answer;
  };
}

function destroy(connection: Connection, why: string): void {
  // kafkajs's own `disconnect` waits for what is under way, which may never come.
  connection.requestQueue.rejectAll(new KafkaFault('AWAY', why));
  connection.requestQueue.destroy();
  connection.socket?.destroy();
  connection.disconnect().catch(() => undefined);
}

/** What the other side says about a certificate or a password is no use to try again. */
function signInFault(error: unknown, where: string): KafkaFault {
  if (error instanceof KafkaFault) return error;
  const { name, type, message, code } = error as { name?: string; type?: string; message?: string; code?: string };
  const refused =
    name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED' || type === 'UNSUPPORTED_SASL_MECHANISM';
  if (refused) return new KafkaFault('SIGN_IN', `${where} refused the credentials`, { cause: error });
  if (/certificate|ERR_TLS|ERR_SSL|self-signed|altname/i.test(`${code} ${message}`))
    return new KafkaFault('SIGN_IN', `no TLS with ${where}: ${message}`, { cause: error });
  return new KafkaFault('AWAY', `${where} can not be reached: ${message}`, { cause: error });
}
