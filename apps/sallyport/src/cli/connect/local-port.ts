import { createServer, type Server, type Socket } from 'node:net';
import {
  encodeErrorResponse,
  encodeStartupPacket,
  fatal,
  NEGOTIATION_REFUSED,
  type StartupMessage,
  type StartupPacket,
  StartupScanner,
} from '@sallyport/wire-postgres';
import { dialEdge, type EdgeAddress, pull, signInAtEdge } from './edge-connection.js';
import { peerUser } from './peer-user.js';

export interface LocalPortOptions {
  readonly edge: EdgeAddress;
  /** `resource` or `resource/database`: what clients get that don't name one of the same resource. */
  readonly database: string;
  /** Asked for each connection, so that a token that was renewed is used. */
  readonly token: () => string;
  /** 0: a free one. */
  readonly port: number;
  /** A line for people: connections that failed, and why. */
  readonly say: (line: string) => void;
}

export const LOCAL_PORT_LIMITS = { maxConnections: 100, startupTimeoutMs: 30_000 } as const;

export interface LocalPort {
  readonly port: number;
  close(): Promise<void>;
}

/** A port on 127.0.0.1 that takes Postgres clients without a password and signs them in at the edge. */
export async function openLocalPort(options: LocalPortOptions): Promise<LocalPort> {
  const open = new Set<Socket>();
  const server: Server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on('error', () => client.destroy());
    client.once('close', () => open.delete(client));
    serve(client, options).catch((error: unknown) => {
      options.say(`a connection failed: ${reasonOf(error)}`);
      refuse(client, '08006', `the edge can not be reached: ${reasonOf(error)}`);
    });
  });
  server.maxConnections = LOCAL_PORT_LIMITS.maxConnections;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of open) client.destroy();
      }),
  };
}

async function serve(client: Socket, options: LocalPortOptions): Promise<void> {
  const user = await peerUser(client);
  const own = process.getuid?.();
  if (user !== undefined && own !== undefined && user !== own && user !== 0) {
    options.say(`a connection of user ${user} was turned away: the port is yours alone`);
    return refuse(client, '28000', 'this port is another user’s');
  }
  const timeout = AbortSignal.timeout(LOCAL_PORT_LIMITS.startupTimeoutMs);
  const giveUp = (): void => void client.destroy();
  timeout.addEventListener('abort', giveUp);
  try {
    const started = await startup(client);
    if (!started) return;
    const edge = await dialEdge(options.edge, timeout);
    edge.on('error', () => edge.destroy());
    client.once('close', () => edge.destroy());
    edge.once('close', () => client.destroySoon());
    if (started.packet.kind === 'cancelRequest') {
      edge.end(encodeStartupPacket(started.packet));
      client.end();
      return;
    }
    const signed = await signInAtEdge(
      edge,
      { ...started.packet, parameters: withDatabase(started.packet, options.database) },
      options.token(),
    );
    if (!signed.ok) {
      client.end(signed.bytes);
      return;
    }
    client.write(signed.bytes);
    if (started.rest.length > 0) edge.write(started.rest);
    client.pipe(edge);
    edge.pipe(client);
  } finally {
    timeout.removeEventListener('abort', giveUp);
  }
}

interface Started {
  readonly packet: StartupMessage | Extract<StartupPacket, { kind: 'cancelRequest' }>;
  readonly rest: Buffer;
}

/** Encryption is declined: nothing leaves the machine here. */
async function startup(client: Socket): Promise<Started | undefined> {
  const scanner = new StartupScanner();
  for (let chunk = await pull(client); chunk; chunk = await pull(client)) {
    for (let from = 0; from < chunk.length;) {
      const scanned = scanner.push(chunk, from);
      if (!scanned) break;
      const { packet, end } = scanned;
      from = end;
      if (packet.kind === 'sslRequest' || packet.kind === 'gssEncRequest') client.write(Buffer.of(NEGOTIATION_REFUSED));
      else if (packet.kind === 'unsupportedProtocol') {
        refuse(client, '0A000', 'only version 3 of the protocol is spoken here');
        return undefined;
      } else return { packet, rest: chunk.subarray(end) };
    }
  }
  client.destroy();
  return undefined;
}

function withDatabase({ parameters }: StartupMessage, database: string): ReadonlyMap<string, string> {
  const asked = parameters.get('database');
  const resource = database.split('/')[0] ?? database;
  const isOurs = asked !== undefined && (asked === resource || asked.startsWith(`${resource}/`));
  return new Map([...parameters, ['database', isOurs ? asked : database]]);
}

function refuse(client: Socket, sqlstate: string, message: string): void {
  if (client.writable) client.end(encodeErrorResponse(fatal(sqlstate, message)), () => client.destroy());
  else client.destroy();
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}
