import { createServer, type Server, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { IdentityPort } from '@sallyport/identity';
import { encodeNegotiateProtocolVersion } from '@sallyport/wire-postgres';
import { openSession, type OpenServices } from './open.js';
import { lastWords } from './refusals.js';
import { screenSettings } from './settings.js';
import { signIn } from './sign-in.js';
import { startup } from './startup.js';

export interface PostgresListenerLimits {
  /** Connections that haven't signed in yet; more are hung up on. */
  readonly maxPendingSignIns: number;
  readonly signInTimeoutMs: number;
  readonly maxStartupBytes: number;
  readonly maxTokenBytes: number;
}

export interface PostgresListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: SecureContext | undefined;
  readonly auth: 'password' | 'oauthbearer';
  readonly identity: IdentityPort;
  readonly discoveryUrl: string | undefined;
  readonly services: OpenServices;
  /** False while the log can't be written or the edge is closing: new sessions are then refused. */
  readonly ready: () => boolean;
  readonly limits: PostgresListenerLimits;
}

export interface PostgresListener {
  readonly address: string;
  /** Stops accepting. Sessions go on. */
  close(): void;
}

/** Accepts agents that speak the Postgres protocol. Each one's sign-in is its own: who is slow or silent keeps nobody waiting. */
export async function listenPostgres(options: PostgresListenerOptions): Promise<PostgresListener> {
  const pending = new Set<Socket>();
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    if (pending.size >= options.limits.maxPendingSignIns) {
      options.services.metrics.signInFailed('PENDING_LIMIT');
      socket.destroy();
      return;
    }
    socket.on('error', () => socket.destroy());
    pending.add(socket);
    const timer = setTimeout(() => {
      options.services.metrics.signInFailed('SIGN_IN_TIMEOUT');
      socket.destroy();
    }, options.limits.signInTimeoutMs);
    socket.once('close', () => {
      clearTimeout(timer);
      pending.delete(socket);
    });
    const steps = { tokenCame: () => clearTimeout(timer), signedIn: () => pending.delete(socket) };
    serve(socket, options, steps).catch((error: unknown) => {
      options.services.log.error({ err: error }, 'a sign-in failed by a fault of the edge');
      socket.destroy();
    });
  });
  await listening(server, options.port, options.host);
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : options.port;
  return {
    address: `${options.host}:${port}`,
    close() {
      // It reports back only when every session has ended, and these go on.
      server.close();
      for (const socket of pending) socket.destroy();
    },
  };
}

/** What the clock of a connection is for ends with its token: the rest is the edge's own work, each step with a limit of its own. */
interface Steps {
  readonly tokenCame: () => void;
  readonly signedIn: () => void;
}

async function serve(accepted: Socket, options: PostgresListenerOptions, { tokenCame, signedIn }: Steps): Promise<void> {
  const { services, limits } = options;
  const address = `${accepted.remoteAddress ?? 'unknown'}:${accepted.remotePort ?? 0}`;
  const loopback = isLoopback(accepted.remoteAddress);
  const started = await startup(accepted, options.tls, limits.maxStartupBytes);
  if (started.kind === 'cancel') {
    // Its end tells the client that the request has arrived: what it sends next is not meant.
    await services.cancelKeys.cancel(started.request);
    started.socket.destroy();
    return;
  }
  if (started.kind === 'gone') return;
  const { socket, message, tls } = started;
  socket.on('error', () => socket.destroy());
  const hangUp = (code: string, sqlstate: string, text: string, hint?: string): void => {
    services.metrics.signInFailed(code);
    if (socket.writable) socket.end(lastWords(sqlstate, text, hint), () => socket.destroy());
  };
  if (!tls && !loopback)
    return hangUp('TLS_REQUIRED', '28000', 'the token would cross the network in the clear', 'connect with sslmode=require or stronger');
  if (!options.ready()) return hangUp('NOT_READY', '57P03', 'the edge takes no new sessions right now', 'try again in a moment');
  const screened = screenSettings(Object.fromEntries(message.parameters));
  if (!screened.ok) return hangUp('STARTUP_SETTING', '42501', screened.message);

  const unknown = [...message.parameters.keys()].filter((name) => name.startsWith('_pq_.'));
  if (message.protocol.minor > MAX_MINOR || unknown.length > 0) {
    const newest = { major: 3, minor: Math.min(message.protocol.minor, MAX_MINOR) };
    socket.write(encodeNegotiateProtocolVersion({ kind: 'negotiateProtocolVersion', newest, unknownOptions: unknown }));
  }
  const method = screened.settings.auth ?? options.auth;
  const { identity, discoveryUrl } = options;
  const signed = await signIn(socket, started.rest, { identity, method, discoveryUrl, maxTokenBytes: limits.maxTokenBytes });
  tokenCame();
  const refused = signed.ok ? (services.revocations.covers(signed.principal) ? 'REVOKED' : undefined) : signed.code;
  if (refused !== undefined || !signed.ok) {
    services.log.warn({ code: refused, address }, 'sign-in refused');
    return hangUp(refused ?? 'TOKEN', '28P01', 'the token was not accepted', 'get a fresh one: sallyport token, or your identity provider');
  }
  await openSession(
    { socket, tls, address, startup: message, settings: screened.settings, principal: signed.principal, rest: signed.rest },
    signed.token,
    services,
  );
  signedIn();
}

/** Protocol 3.2 is the newest (PostgreSQL 18). */
const MAX_MINOR = 2;

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (/^(::ffff:)?127\./.test(address) || address === '::1');
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
